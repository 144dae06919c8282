"""What an answer of a receiver means, and how long to wait after it."""

from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

Meaning = Literal["taken", "later", "refused", "gone"]
GONE = 410
ASKS_FOR_LATER = (408, 429)
RETRY_AFTER_CAP = 3600.0  # seconds: who asks for more is asked again then


class Answer(NamedTuple):
    """What came back: a status, or the sentence that says why there is none."""

    status: int | None
    why: str = ""
    retry_after: str | None = None


class Patience(NamedTuple):
    """Seconds between attempts: the first wait, doubled up to the cap; longer ones where the receiver refuses."""

    first: float = 1.0
    cap: float = 300.0
    refused_first: float = 60.0
    refused_cap: float = 3600.0


def meaning_of(answer: Answer) -> Meaning:
    """What to do after an answer; a redirect is a refusal, as nothing is sent to an address nobody named.

    >>> [meaning_of(Answer(status)) for status in (204, 302, 404, 408, 410, 429, 500, None)]
    ['taken', 'refused', 'refused', 'later', 'gone', 'later', 'later', 'later']
    """
    if answer.status is None or answer.status >= 500 or answer.status in ASKS_FOR_LATER:
        return "later"
    if answer.status == GONE:
        return "gone"
    return "taken" if 200 <= answer.status < 300 else "refused"


def wait_after(answer: Answer, failures: int, patience: Patience, chance: Callable[[], float], now_ms: int) -> float:
    """Seconds to the next attempt: doubled each time, up to a half less by chance, so that many do not come at once.

    >>> [wait_after(Answer(500), n, Patience(), lambda: 1.0, 0) for n in (1, 2, 3, 99)]
    [1.0, 2.0, 4.0, 300.0]
    >>> wait_after(Answer(503, retry_after="20"), 1, Patience(), lambda: 0.3, 0)
    20.0
    """
    is_refused = meaning_of(answer) == "refused"
    first, cap = patience[2:] if is_refused else patience[:2]
    wait = min(cap, first * 2.0 ** min(failures - 1, 30)) * (0.5 + chance() / 2)
    asked = _seconds(answer.retry_after, now_ms)
    return wait if asked is None else max(wait, min(asked, RETRY_AFTER_CAP))


def _seconds(retry_after: str | None, now_ms: int) -> float | None:
    """What a Retry-After header asks for, in seconds or as a date.

    >>> _seconds("120", 0), _seconds("Thu, 01 Jan 1970 00:01:00 GMT", 15_000), _seconds("soon", 0)
    (120.0, 45.0, None)
    """
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now_ms / 1000
