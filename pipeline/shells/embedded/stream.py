"""New alerts as server-sent events: read once from the disk for everyone who listens, resumed by Last-Event-ID.

after a commit -> the newest alerts, once -> a short row in memory -> each listener, as fast as it takes them
                                  the disk -> a listener who stands before that row

A listener holds a handful of alerts, however slow it is; the engine only wakes this loop.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from pipeline.shells.embedded import reader as rows
from pipeline.shells.embedded.access import Check
from pipeline.shells.embedded.problems import Problem, declared, wrong
from pipeline.shells.embedded.reader import EVERYTHING, Reader, Span, Wanted
from pipeline.shells.embedded.reading_routes import ERRORS, Name
from pipeline.shells.embedded.standing import muted_in, standing_in
from pipeline.shells.embedded.worker import Worker
from rules.rule import Severity

AT_HAND = 1_000  # alerts in memory
AT_ONCE = 50  # alerts that one listener holds
MOST_LISTENERS = 500
HEARTBEAT_SECONDS = 15
SEND_SECONDS = 60  # a listener who takes nothing for that long is let go; it resumes where it stood
REST_SECONDS = 0.05  # between two looks at the disk: commits may be many
RETRY_MS = 3_000


class StreamQuery(BaseModel):
    """Which alerts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: list[Name] = Field(default=[], max_length=100, description="any of these")
    severity: list[Severity] = Field(default=[], max_length=8, description="any of these")


class New(NamedTuple):
    """An alert as it is sent."""

    n: int
    rule: str
    severity: str
    frame: bytes


class Tide:
    """The newest alerts, and who waits for more; lives in one event loop."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._at_hand: list[New] = []
        self.floor = self.last = 0  # every alert after the floor is at hand, until the last
        self.listeners = 0
        self._committed, self._turned = asyncio.Event(), asyncio.Event()

    async def flow(self, worker: Worker) -> None:
        """Take in what each commit brings, until cancelled."""
        loop = asyncio.get_running_loop()

        def wake() -> None:  # by the engine's thread
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._committed.set)

        worker.after_commit.append(wake)
        try:
            self.floor = self.last = await asyncio.to_thread(self._last)
            while True:
                await self._committed.wait()
                self._committed.clear()
                try:
                    await self._rise()
                except sqlite3.DatabaseError:  # The next commit is another chance, and nobody's place is lost.
                    logging.getLogger("forewarn").exception("new alerts could not be read for the stream")
                await asyncio.sleep(REST_SECONDS)
        finally:
            worker.after_commit.remove(wake)

    async def _rise(self) -> None:
        fresh, has_more = await asyncio.to_thread(self._newest)
        if not fresh:
            return
        # Where more came than is held, what lies between stays on the disk.
        kept = fresh if has_more else [*self._at_hand, *fresh]
        if has_more or len(kept) > AT_HAND:
            kept = kept[-AT_HAND:]
            self.floor = kept[0].n - 1
        self._at_hand, self.last = kept, fresh[-1].n
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()

    def _last(self) -> int:
        with self._reader.snapshot() as database:
            return rows.last_alert(database)

    def _newest(self) -> tuple[list[New], bool]:
        with self._reader.snapshot() as database:
            found = rows.decisions(database, Wanted("alert"), Span(self.last, EVERYTHING[1], "newest", AT_HAND))
        return [_new(row) for row in reversed(found.rows)], found.has_more

    async def alerts(self, position: int, query: StreamQuery) -> AsyncIterator[bytes]:
        """The frames of every alert after a position that is wanted, for ever."""
        self.listeners += 1
        try:
            yield f"id: {position}\nretry: {RETRY_MS}\n\n".encode()
            while True:
                turned = self._turned
                some, position = await self._some(position, query)
                for new in some:
                    yield new.frame
                if position >= self.last:
                    await turned.wait()
        finally:
            self.listeners -= 1

    async def _some(self, position: int, query: StreamQuery) -> tuple[list[New], int]:
        """A handful of alerts after a position, and how far they reach."""
        some = [new for new in self._at_hand if new.n > position][:AT_ONCE]
        if position < self.floor:
            some = await asyncio.to_thread(self._from_disk, position)
        return [new for new in some if _is_wanted(new, query)], some[-1].n if some else max(position, self.floor)

    def _from_disk(self, position: int) -> list[New]:
        with self._reader.snapshot() as database:
            found = rows.decisions(database, Wanted("alert"), Span(position, EVERYTHING[1], "oldest", AT_ONCE))
        return [_new(row) for row in found.rows]


def _new(row: rows.Row) -> New:
    n, _, rule, severity, body = row
    return New(n, rule, severity, b"id: %d\nevent: alert\ndata: %b\n\n" % (n, body))


def _is_wanted(new: New, query: StreamQuery) -> bool:
    return (not query.rule or new.rule in query.rule) and (not query.severity or new.severity in query.severity)


_ANSWER = {
    "description": "A stream that does not end: events of type `alert`, whose data is an Alert in JSON.",
    "content": {
        "text/event-stream": {
            "schema": {"type": "string"},
            "example": "id: 41\nretry: 3000\n\nid: 42\nevent: alert\ndata: {...}\n\n: heartbeat\n\n",
        }
    },
}


def stream_route(tide: Tide, reader: Reader, may_read: Check) -> APIRouter:
    """The route that tells of new alerts."""
    router = APIRouter(dependencies=[Depends(may_read)])

    async def stream(
        query: Annotated[StreamQuery, Query()],
        last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", pattern="^[0-9]{1,18}$")] = None,
    ) -> Response:
        """New alerts as server-sent events; scope read.

        The id of an event is the number of its decision. With the header Last-Event-ID (browsers send it when they
        connect again) the stream goes on behind it, and nothing is lost or doubled; 0 begins with the first alert ever,
        or with the first after a backfill.
        Without it, it begins now; its first event has no data and only says where it stands.
        """
        if tide.listeners >= MOST_LISTENERS:
            sentence = f"{MOST_LISTENERS} listen already; come again later, or read /v1/alerts"
            raise Problem(503, "Too many listeners", sentence, headers={"Retry-After": str(HEARTBEAT_SECONDS)})
        muted, last = await asyncio.to_thread(_told, reader)
        position = last if last_event_id is None else max(muted, int(last_event_id))
        if position > last:
            sentence = f"Last-Event-ID: expected the id of an event of this engine, at most {last}, got {position}"
            raise wrong("header.Last-Event-ID", f"{sentence}; send 0 to hear everything again")
        return EventSourceResponse(
            tide.alerts(position, query),
            ping=HEARTBEAT_SECONDS,
            ping_message_factory=lambda: ServerSentEvent(comment="heartbeat", sep="\n"),
            send_timeout=SEND_SECONDS,
        )

    answers = declared({200: _ANSWER}, *ERRORS, 503)
    router.add_api_route(
        "/v1/stream", stream, methods=["GET"], summary="New alerts, as they come", responses=answers, tags=["decisions"]
    )
    router.add_api_route("/v1/stream", stream, methods=["HEAD"], include_in_schema=False)
    return router


def _told(reader: Reader) -> tuple[int, int]:
    """Up to which decision a backfill muted them, and the last."""
    with reader.snapshot() as database:
        return muted_in(database), standing_in(database).decisions
