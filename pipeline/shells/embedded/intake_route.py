"""Events in over HTTP."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response

from pipeline.examples import EXAMPLES
from pipeline.shells.embedded.access import Check
from pipeline.shells.embedded.bodies import LONGEST, BodyError, lines_of, too_long, unpacked
from pipeline.shells.embedded.disk import Halted, Unstored
from pipeline.shells.embedded.keys import Grant
from pipeline.shells.embedded.problems import Problem, declared
from pipeline.shells.embedded.requests import KEY_REUSED, Outcome
from pipeline.shells.embedded.runtime import Batch
from pipeline.shells.embedded.shapes import answer_of
from pipeline.shells.embedded.worker import Full, Worker

BODY_SECONDS = 30  # how long a sender may take over one body
RETRY_AFTER = "1"
Done = TypeVar("Done")
_DUE = EXAMPLES["repayment.due"]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/Event"},
                        {"type": "array", "items": {"$ref": "#/components/schemas/Event"}, "minItems": 1},
                    ]
                },
                "examples": {"one": {"value": _DUE}, "several": {"value": [_DUE]}},
            },
            "application/x-ndjson": {
                "schema": {"type": "string", "minLength": 1, "description": "one event a line"},
                "examples": {"two lines": {"value": "\n".join([msgspec.json.encode(_DUE).decode()] * 2)}},
            },
        },
    }
}


def intake_route(worker: Worker, may_send: Check, body_seconds: float) -> APIRouter:
    """The route that takes events in."""
    router = APIRouter()

    @router.post(
        "/v1/events",
        status_code=202,
        summary="Take events in",
        responses=declared(
            {202: answer_of("Results", "What came of each line.")},
            400,
            401,
            403,
            408,
            413,
            415,
            422,
            429,
            500,
            507,
        ),
        openapi_extra=_BODY,
        tags=["events"],
    )
    async def events(
        request: Request,
        grant: Annotated[Grant, Depends(may_send)],
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Response:
        """One event, a JSON array of events, or one event a line (application/x-ndjson), perhaps gzip.

        Each line is answered by itself and is on the disk when it is; a line that is no event is refused in its own
        result. A repeat of an event changes nothing; lines of a request with a known Idempotency-Key are not taken
        again. Scope ingest; events of officers and of the engine's control want admin.
        """
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            body = unpacked(await _body(request, body_seconds), request.headers.get("content-encoding", "").lower())
            lines = lines_of(body, media_type)
        except BodyError as error:
            # The rest of a body that is too slow is not waited for.
            headers = {"Connection": "close"} if error.status == 408 else None
            raise Problem(error.status, "Unusable body", str(error), headers=headers) from None
        if not lines:
            raise Problem(400, "Unusable body", "body: expected events, got none; send one event a line")
        batch = Batch(lines, idempotency_key, "admin" in grant.scopes, is_foreign=True)
        outcomes = await worked(worker, lambda: worker.submit(batch))
        if outcomes[0].reason == KEY_REUSED:
            raise Problem(422, "Idempotency-Key reused", outcomes[0].why or "", field="header.Idempotency-Key")
        return Response(msgspec.json.encode(_told(outcomes)), 202, media_type="application/json")

    return router


async def _body(request: Request, seconds: float) -> bytes:
    """The bytes of a body, within a limit of size and time."""
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > LONGEST:
        raise too_long()
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LONGEST:
                    raise too_long()
    except TimeoutError:
        raise BodyError(408, f"body: expected it within {seconds:g} seconds, got a part; send it again") from None
    return bytes(body)


async def worked(worker: Worker, submit: Callable[[], "Future[Done]"]) -> Done:
    """What came of some work on the engine, or the problem that it met."""
    try:
        return await asyncio.wrap_future(submit())
    except Full:
        sentence = f"{worker.waiting} lines wait already; send these again later"
        raise Problem(429, "Too many waiting", sentence, headers={"Retry-After": RETRY_AFTER}) from None
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
