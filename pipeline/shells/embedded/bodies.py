"""A request's body as lines: unpacked within a limit, one event, an array of events, or one event a line.

BodyError     a body that cannot be taken, with its HTTP status
"""

import zlib

import msgspec

LONGEST = 32 << 20  # bytes of a body, and of what it unpacks to
MOST_STREAMS = 100  # packed bodies put one behind the other are one body; each costs a copy of what follows it
_GZIP_WINDOW = 31
_WHITE = b" \t\r\n"


class BodyError(Exception):
    """A body that cannot be taken; `status` is the HTTP status that says so."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body as it was before it was packed."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise BodyError(415, f"Content-Encoding: expected gzip or none, got {encoding!r}; send it unpacked")
    plain = b""
    for _ in range(MOST_STREAMS):
        stream = zlib.decompressobj(_GZIP_WINDOW)
        try:
            plain += stream.decompress(body, LONGEST + 1 - len(plain))
        except zlib.error as error:
            raise BodyError(400, f"body: expected gzip, got other bytes ({error}); pack it again") from None
        if len(plain) > LONGEST:
            raise too_long()
        if not stream.eof:
            raise BodyError(400, "body: expected a whole gzip stream, got one that breaks off; send it again")
        body = stream.unused_data.lstrip(b"\0")  # Zeros after the last stream are padding.
        if not body:
            return plain
    raise BodyError(400, f"body: expected at most {MOST_STREAMS} gzip streams, got more; pack it in one")


def too_long() -> BodyError:
    """The refusal of a body beyond the limit."""
    return BodyError(413, f"body: expected at most {LONGEST} bytes, got more; send fewer events at once")


def lines_of(body: bytes, media_type: str) -> list[bytes]:
    r"""The events of a body, one a line and without what ends it; empty lines are passed over.

    >>> lines_of(b'{"a": 1}\n\n{"a": 2}', "application/x-ndjson")
    [b'{"a": 1}', b'{"a": 2}']
    >>> lines_of(b'[{"a": 1}, 2]', "application/json"), lines_of(b'{"a":\n 1}', "application/json")
    ([b'{"a": 1}', b'2'], [b'{"a":  1}'])
    """
    if media_type == "application/json":
        whole = of_json(body)
        if whole is not None:
            return [raw.strip(_WHITE).replace(b"\n", b" ").replace(b"\r", b" ") for raw in whole]
    return [line.rstrip(b"\r") for line in body.split(b"\n") if line.strip(_WHITE)]


def of_json(body: bytes) -> list[bytes] | None:
    """The elements of an array, or the one value, as they are written; None when a body is no single value of JSON."""
    try:
        if body.lstrip(_WHITE).startswith(b"["):
            return [bytes(raw) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]
        return [bytes(msgspec.json.decode(body, type=msgspec.Raw))]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
