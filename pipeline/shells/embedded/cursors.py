"""Where a walk through a list stands, as text that nobody needs to read: a number, bound to its list by a digest."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import blake2b

_NUMBER, _DIGEST = 8, 10  # bytes
LONGEST = 24  # characters of a cursor: 18 bytes in base 64


def cursor_of(number: int, walk: str) -> str:
    """The cursor behind a number of a list; `walk` is the list with its filters and order.

    >>> number_of(cursor_of(7, "/v1/alerts newest"), "/v1/alerts newest")
    7
    >>> number_of(cursor_of(7, "/v1/alerts newest"), "/v1/alerts oldest") is None
    True
    """
    return urlsafe_b64encode(number.to_bytes(_NUMBER) + _digest(number, walk)).decode()


def number_of(cursor: str, walk: str) -> int | None:
    """The number in a cursor; None for one of another walk, or of nobody."""
    try:
        found = urlsafe_b64decode(cursor.encode("ascii"))
    except (Error, UnicodeEncodeError):
        return None
    number = int.from_bytes(found[:_NUMBER])
    # Compared as text: base 64 passes over strange characters, and a cursor has one spelling.
    return number if number < 1 << 63 and cursor_of(number, walk) == cursor else None


def _digest(number: int, walk: str) -> bytes:
    return blake2b(f"{number} {walk}".encode(), digest_size=_DIGEST, person=b"forewarn cursor").digest()
