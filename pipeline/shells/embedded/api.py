"""The HTTP door of an embedded engine: events in, and whether it is well."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse

from pipeline.shells.embedded.bodies import LONGEST, BodyError, lines_of, too_long, unpacked
from pipeline.shells.embedded.keys import Grant, Keys, Scope
from pipeline.shells.embedded.retaking import Answer, Asked, retake
from pipeline.shells.embedded.runtime import KEY_REUSED, Batch, Halted, Outcome, Unstored
from pipeline.shells.embedded.worker import Full, Worker
from pipeline.zone import Zone

BODY_SECONDS = 30  # how long a sender may take over one body
RETRY_AFTER = "1"
PROBLEM = "application/problem+json"
Done = TypeVar("Done")


class Problem(Exception):
    """An answer of RFC 9457: what went wrong, in one sentence."""

    def __init__(self, status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.headers = status, title, detail, headers


def app_of(worker: Worker, keys: Keys, zone: Zone, now_ms: Callable[[], int]) -> FastAPI:
    """The application; `now_ms` says when a key has expired, and nothing else."""
    app = FastAPI(title="Forewarn", summary="Early warning for loans after disbursement.", version="1")
    app.add_exception_handler(Problem, _answered)

    def granted(scope: Scope) -> Callable[..., Awaitable[Grant]]:
        async def check(authorization: Annotated[str, Header()] = "") -> Grant:
            kind, _, key = authorization.partition(" ")
            grant = keys.grant(key.strip(), zone.today(now_ms())) if kind.lower() == "bearer" else None
            if grant is None:
                sentence = "Authorization: expected 'Bearer KEY' with a key that is known and has not expired, got none"
                raise Problem(401, "Unauthorized", sentence, {"WWW-Authenticate": "Bearer"})
            if scope not in grant.scopes and "admin" not in grant.scopes:
                got = ", ".join(sorted(grant.scopes))
                raise Problem(403, "Forbidden", f"key: expected one with scope {scope}, got {got}; ask for another")
            return grant

        return check

    @app.post("/v1/events", status_code=202, summary="Take events in")
    async def events(
        request: Request,
        grant: Annotated[Grant, Depends(granted("ingest"))],
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Response:
        """One event, a JSON array of events, or one event a line (application/x-ndjson), perhaps gzip.

        Each line is answered by itself and is on the disk when it is. A repeat of an event changes nothing; lines of a
        request with a known Idempotency-Key are not taken again.
        """
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            body = unpacked(await _body(request), request.headers.get("content-encoding", "").lower())
            lines = lines_of(body, media_type)
        except BodyError as error:
            raise Problem(error.status, "Unusable body", str(error)) from None
        if not lines:
            raise Problem(400, "Unusable body", "body: expected events, got none; send one event a line")
        batch = Batch(lines, idempotency_key, "admin" in grant.scopes)
        outcomes = await _worked(worker, lambda: worker.submit(batch))
        if outcomes[0].reason == KEY_REUSED:
            raise Problem(422, "Idempotency-Key reused", outcomes[0].why or "")
        return Response(msgspec.json.encode(_told(outcomes)), 202, media_type="application/json")

    @app.get("/healthz", summary="Whether the process lives")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", summary="Whether events are taken in")
    async def readyz() -> Response:
        """200 when they are, 503 with the reason when they are not; borrowers that are set aside stop nobody else."""
        trouble = worker.trouble
        said = {"status": "ready" if trouble is None else "stopped", "waiting": worker.waiting}
        said |= {"quarantined": worker.quarantined} | ({} if trouble is None else {"why": trouble})
        return JSONResponse(said, 200 if trouble is None else 503)

    @app.post("/v1/dead-letters/replay", summary="Take dead letters again")
    async def replay(asked: Asked, grant: Annotated[Grant, Depends(granted("admin"))]) -> Answer:
        """Their bytes are new arrivals; who was set aside is let out first, and all its events that wait go with them.

        At most a thousand at once: while `after` is not null, ask again with it and with `until`.
        """
        return await _worked(worker, lambda: worker.call(lambda runtime: retake(runtime, asked)))

    return app


async def _body(request: Request) -> bytes:
    """The bytes of a body, within a limit of size and time."""
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > LONGEST:
        raise too_long()
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LONGEST:
                    raise too_long()
    except TimeoutError:
        raise BodyError(408, f"body: expected it within {BODY_SECONDS} seconds, got a part; send it again") from None
    return bytes(body)


async def _worked(worker: Worker, submit: Callable[[], "Future[Done]"]) -> Done:
    try:
        return await asyncio.wrap_future(submit())
    except Full:
        sentence = f"{worker.waiting} lines wait already; send these again later"
        raise Problem(429, "Too many waiting", sentence, {"Retry-After": RETRY_AFTER}) from None
    except Unstored as error:
        sentence = f"the disk took nothing ({error}); nothing of this request was kept: make room and send it again"
        raise Problem(507, "Insufficient storage", sentence) from None
    except Halted as error:
        raise Problem(500, "Stopped", f"{error}; nothing of this request was kept") from None
    except Exception as error:  # The worker logged it, and kept nothing; the sender still has its bytes.
        sentence = (
            f"the engine failed on this request ({type(error).__name__}); nothing of it was kept: send it in parts"
        )
        raise Problem(500, "Fault", sentence) from error


def _told(outcomes: list[Outcome]) -> dict[str, Any]:
    counts = Counter(each.status for each in outcomes)
    results = []
    for n, each in enumerate(outcomes, 1):
        result: dict[str, Any] = {"line": n, "status": each.status}
        if each.line:
            result["log_line"] = each.line
        if each.reason is not None:
            result |= {"reason": each.reason, "why": each.why}
        results.append(result)
    return {**{status: counts[status] for status in ("accepted", "refused", "repeated")}, "results": results}


async def _answered(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    content = {"title": problem.title, "status": problem.status, "detail": problem.detail}
    return JSONResponse(content, problem.status, problem.headers, media_type=PROBLEM)
