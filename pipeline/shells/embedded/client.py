"""An engine at an address, as the commands that send to it see it.

EngineError     no answer of an engine that can be used
"""

import os
from collections.abc import Callable, Sequence
from time import sleep

import httpx
import msgspec

KEY_VARIABLE = "FOREWARN_API_KEY"
EVENTS = "/v1/events"
NDJSON = "application/x-ndjson"
TRIES = 8  # of one request, over about a minute
LONGEST_PAUSE = 30.0
WAITS = 600  # for an engine that lives and says when to come again
TIMEOUT = httpx.Timeout(30.0, read=1_800.0)  # An answer waits for what was sent before, which may close many days.
LATER = frozenset({408, 502, 503, 504, 507})  # what another try may overcome
TOO_MANY = 429


class EngineError(Exception):
    """No answer of an engine that can be used, in one sentence."""


class Result(msgspec.Struct, frozen=True):
    """What came of one line."""

    line: int
    status: str
    reason: str | None = None
    why: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """What came of the lines of one request."""

    results: list[Result]


_ANSWER = msgspec.json.Decoder(Answer)
_PROBLEM = msgspec.json.Decoder(dict[str, object])


def opened(url: str, *, key: str | None = None, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Connections to an engine; a key that is not given is taken from the environment."""
    said = os.environ.get(KEY_VARIABLE, "") if key is None else key
    headers = {"Authorization": f"Bearer {said}", "Content-Type": NDJSON}
    try:
        return httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT, transport=transport)
    except (httpx.InvalidURL, ValueError) as error:  # A key that is no ASCII is a ValueError.
        raise EngineError(
            f"{url}: expected an address such as http://127.0.0.1:8200, got {error}; correct it"
        ) from None


def send(
    engine: httpx.Client,
    lines: Sequence[bytes],
    *,
    request: str | None = None,
    tries: int = TRIES,
    pause: Callable[[float], None] = sleep,
) -> Answer:
    """Send lines until they are answered: again after a pause that grows, or when the engine says so.

    With `request` the lines that it has already are not taken again.
    """
    headers = {} if request is None else {"Idempotency-Key": request}
    lost, waits = 0, 0
    while True:
        try:
            answer = engine.post(EVENTS, content=b"\n".join(lines), headers=headers)
        except httpx.TransportError as error:
            got = str(error) or type(error).__name__
        except (httpx.InvalidURL, httpx.HTTPError) as error:
            raise EngineError(f"{engine.base_url}: expected the address of an engine, got {error}") from None
        else:
            if answer.status_code == TOO_MANY and waits < WAITS:
                waits += 1
                pause(_asked_for(answer))
                continue
            if answer.status_code not in LATER:
                return _read(engine, answer)
            got = detail_of(answer) or f"status {answer.status_code}"
        lost += 1
        if lost >= tries:
            times = "" if tries == 1 else f" {tries} times"
            raise EngineError(
                f"{str(engine.base_url).rstrip('/')}: expected an engine that takes events, got{times}: {got}; "
                "start it with forewarn run, or name it with --to"
            )
        pause(min(LONGEST_PAUSE, 2 ** (lost - 2)))


def _asked_for(answer: httpx.Response) -> float:
    """The seconds of a Retry-After; a date there, which no engine writes, is as good as a second."""
    text = answer.headers.get("retry-after", "")
    return min(LONGEST_PAUSE, float(text)) if text.isdigit() else 1.0


def _read(engine: httpx.Client, answer: httpx.Response) -> Answer:
    try:
        if answer.status_code == httpx.codes.ACCEPTED:
            return _ANSWER.decode(answer.content)
    except msgspec.DecodeError:
        pass
    raise EngineError(
        detail_of(answer)
        or f"{engine.base_url}: expected the answer of an engine, got status {answer.status_code}; check the address"
    )


def detail_of(answer: httpx.Response) -> str | None:
    """What an answer says of itself; another server's may say nothing."""
    try:
        detail = _PROBLEM.decode(answer.content).get("detail")
    except msgspec.DecodeError:
        return None
    return detail if isinstance(detail, str) else None
