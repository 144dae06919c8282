"""The HTTP door of an embedded engine: events in, what came of them out, and whether it is well."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal

from fastapi import FastAPI, Response
from pydantic import BaseModel

from pipeline.shells.embedded.access import door
from pipeline.shells.embedded.bounded import Bounded
from pipeline.shells.embedded.following import Follower
from pipeline.shells.embedded.intake_route import BODY_SECONDS, intake_route
from pipeline.shells.embedded.keys import Keys
from pipeline.shells.embedded.metrics import metrics_route
from pipeline.shells.embedded.openapi import describe
from pipeline.shells.embedded.problems import handle_problems
from pipeline.shells.embedded.publishing_routes import publishing_routes
from pipeline.shells.embedded.reader import Reader
from pipeline.shells.embedded.reading_routes import reading_routes
from pipeline.shells.embedded.retaking_route import retaking_route
from pipeline.shells.embedded.runtime import Runtime
from pipeline.shells.embedded.services import Service
from pipeline.shells.embedded.stream import Tide, stream_route
from pipeline.shells.embedded.worker import Worker
from pipeline.shells.publishing.laws import lawful
from pipeline.shells.publishing.shelves import REGISTER
from pipeline.shells.publishing.steps import Read


class Alive(BaseModel):
    """The process lives."""

    status: Literal["alive"]


class Ready(BaseModel):
    """Whether events are taken in, and what is not as it should be."""

    status: Literal["ready", "stopped"]
    waiting: int  # lines
    quarantined: int  # borrowers that are set aside
    troubles: list[str]  # of what runs beside, a watched folder or a timer; when stopped, why


def app_of(
    worker: Worker,
    runtime: Runtime,
    keys: Keys,
    now_ms: Callable[[], int],
    *,
    services: Sequence[Service] = (),
    follower: Follower | None = None,
    read: Read | None = None,
    body_seconds: float = BODY_SECONDS,
) -> FastAPI:
    """The application; `now_ms` says when a key has expired, and nothing else.

    What troubles the `services` beside it is told by /readyz. `follower` is the one that is at work beside it; `read`
    holds proposed rules to the laws of a shelf, with the bank's queues.
    """
    reader = Reader(runtime.store.folder)
    tide = Tide(reader)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        flow = asyncio.create_task(tide.flow(worker))
        yield
        flow.cancel()
        with suppress(asyncio.CancelledError):
            await flow
        reader.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(Bounded)
    handle_problems(app)
    zone = runtime.shelf.terms.zone
    granted = door(keys, zone, now_ms)
    app.include_router(intake_route(worker, granted("ingest"), body_seconds))
    app.include_router(retaking_route(worker, granted("admin")))
    app.include_router(reading_routes(reader, runtime.shelf_of, granted("read")))
    register = runtime.store.folder / REGISTER
    app.include_router(
        publishing_routes(
            register,
            follower or Follower(register, worker),
            read or lawful(None),
            granted,
            lambda: zone.text(now_ms()),
        )
    )
    app.include_router(stream_route(tide, reader, granted("read")))
    app.include_router(metrics_route(worker, runtime, reader, services, granted("read")))
    _health_routes(app, worker, services)
    describe(app)
    return app


def _health_routes(app: FastAPI, worker: Worker, services: Sequence[Service]) -> None:
    """What an orchestrator asks; open to everyone, and it tells of no borrower."""

    async def healthz() -> Alive:
        return Alive(status="alive")

    async def readyz(response: Response) -> Ready:
        beside = [each.trouble for each in services if each is not worker]
        troubles = [each for each in (worker.trouble, *beside) if each is not None]
        stopped = worker.trouble is not None
        response.status_code = 503 if stopped else 200
        status: Literal["ready", "stopped"] = "stopped" if stopped else "ready"
        return Ready(status=status, waiting=worker.waiting, quarantined=worker.quarantined, troubles=troubles)

    for path, route, words in (
        ("/healthz", healthz, "Whether the process lives"),
        ("/readyz", readyz, "Whether events are taken in"),
    ):
        answers: dict[int | str, dict[str, Any]] = (
            {503: {"model": Ready, "description": "Not taken in."}} if route is readyz else {}
        )
        app.add_api_route(path, route, methods=["GET"], summary=words, tags=["health"], responses=answers)
        app.add_api_route(path, route, methods=["HEAD"], include_in_schema=False)
