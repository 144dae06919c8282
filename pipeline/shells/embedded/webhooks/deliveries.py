"""Decisions on their way out: one thread with a task for each webhook, none of which waits for another.

outbox (table of decisions) -> next message -> sent -> taken: the cursor moves, on the disk
                                     ^-- anything else: wait, longer each time, for as long as it takes
"""

import asyncio
import logging
import random
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from pipeline.shells.embedded.webhooks.answers import Patience
from pipeline.shells.embedded.webhooks.cursors import Cursors, Outbox
from pipeline.shells.embedded.webhooks.line import Line, Terms
from pipeline.shells.embedded.webhooks.receivers import Receiver
from pipeline.shells.embedded.webhooks.sending import WHOLE_SECONDS, client_of

POLL_SECONDS = 2.0
LAST_SECONDS = 2.0  # for the answer to what is on its way when all ends
FAULT_SECONDS = 30.0  # after a fault of our own, or of the disk
_LOG = logging.getLogger("forewarn")


class Deliveries:
    """The webhooks of an engine as one service; `wake` says that there may be something new."""

    name = "webhooks"

    def __init__(
        self,
        folder: Path,
        receivers: Sequence[Receiver],
        now_ms: Callable[[], int],
        *,
        patience: Patience = Patience(),  # noqa: B008  # a value
        answer_seconds: float = WHOLE_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._folder, self._receivers = folder, receivers
        Cursors(folder).close()  # One that cannot be opened is told of now, and nobody else makes it meanwhile.
        self._ends = asyncio.Event()
        self._terms = Terms(now_ms, random.Random().random, patience, answer_seconds, poll_seconds, self._ends)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lines: list[Line] = []
        self._news = [asyncio.Event() for _ in receivers]
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    @property
    def trouble(self) -> str | None:
        """Which webhooks are not served at the moment, and why."""
        if self._thread.ident is not None and not self._thread.is_alive() and not self._ends.is_set():
            return "webhooks ended by a fault; see the log, and start the engine again"
        return "; ".join(each for line in self._lines if (each := line.trouble) is not None) or None

    def start(self) -> None:
        """Begin to send."""
        self._loop = asyncio.new_event_loop()
        self._thread.start()

    def stop(self) -> None:
        """Send no more; what is on its way may come again after the next start."""
        self._call(self._ends.set)
        self._thread.join()

    def wake(self) -> None:
        """Look for something new: may be called from any thread, and is back at once."""
        self._call(self._wake)

    def _call(self, function: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # The loop has ended, and with it whoever would be woken.
            if self._loop is not None:
                self._loop.call_soon_threadsafe(function)

    def _wake(self) -> None:
        for news in self._news:
            news.set()

    def _run(self) -> None:
        loop = self._loop
        assert loop is not None
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(self._serve_all())

    async def _serve_all(self) -> None:
        outbox, cursors = Outbox(self._folder), Cursors(self._folder)
        cursors.leave({receiver.webhook.name for receiver in self._receivers})
        self._lines = [Line(receiver, outbox, cursors, self._terms) for receiver in self._receivers]
        each = zip(self._receivers, self._lines, self._news, strict=True)
        tasks = [asyncio.create_task(self._serve(*parts)) for parts in each]
        await self._ends.wait()
        self._wake()
        await asyncio.wait(tasks, timeout=LAST_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        outbox.close()
        cursors.close()

    async def _serve(self, receiver: Receiver, line: Line, news: asyncio.Event) -> None:
        """A fault of one attempt ends neither the webhook nor the others."""
        async with client_of(receiver) as client:
            while not self._ends.is_set():
                try:
                    await line.run(client, news)
                    return
                except sqlite3.Error as error:  # A full disk, perhaps: what could not be noted is sent again.
                    what = "where it stands could not be written"
                    _LOG.error("webhook %s: %s (%s); tried again", receiver.webhook.name, what, error)
                except Exception:
                    _LOG.exception("webhook %s: a fault of Forewarn itself; tried again", receiver.webhook.name)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ends.wait(), FAULT_SECONDS)
