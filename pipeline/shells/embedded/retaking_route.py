"""Dead letters taken again, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends

from pipeline.shells.embedded.access import Check
from pipeline.shells.embedded.intake_route import worked
from pipeline.shells.embedded.keys import Grant
from pipeline.shells.embedded.problems import declared
from pipeline.shells.embedded.retaking import Answer, Asked, retake
from pipeline.shells.embedded.worker import Worker


def retaking_route(worker: Worker, may_all: Check) -> APIRouter:
    """The route that takes dead letters again."""
    router = APIRouter()

    @router.post(
        "/v1/dead-letters/replay",
        summary="Take dead letters again",
        responses=declared({}, 400, 401, 403, 413, 422, 500, 507),
        tags=["events"],
    )
    async def replay(asked: Asked, grant: Annotated[Grant, Depends(may_all)]) -> Answer:
        """Their bytes are new arrivals; who was set aside is let out first, and all its events that wait go with them.

        At most a thousand at once: while `after` is not null, ask again with it and with `until`. Scope admin.
        """
        return await worked(worker, lambda: worker.call(lambda runtime: retake(runtime, asked)))

    return router
