"""No body is read without end: the framework reads one before it asks for the key."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.shells.publishing.bundle import MOST_BYTES

LONGEST = 2 * MOST_BYTES  # a shelf as JSON, its marks escaped


class Bounded:
    """Bodies up to a length; events have a bound of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count what is read of its body."""
        length = 0

        async def counted() -> Message:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > LONGEST:
                raise HTTPException(413, f"body: expected at most {LONGEST} bytes, got more; send less at once")
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)
