"""One webhook at work: its next message, what became of it, and where it stands after that."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import httpx

from pipeline.shells.embedded.standing import muted_in
from pipeline.shells.embedded.webhooks.answers import Answer, Patience, meaning_of, wait_after
from pipeline.shells.embedded.webhooks.cursors import Condition, Cursor, Cursors, Outbox
from pipeline.shells.embedded.webhooks.messages import Message, mark_of, message_of
from pipeline.shells.embedded.webhooks.receivers import Receiver
from pipeline.shells.embedded.webhooks.sending import sent

PAGE = 200  # rows that are looked for together; only their numbers are held
_LOG = logging.getLogger("forewarn")
_CONDITION: dict[str, Condition] = {"later": "retrying", "refused": "refused", "gone": "stopped"}
_GO_ON = "say forewarn webhooks resume once that is right"


class Terms(NamedTuple):
    """What all webhooks of an engine have in common."""

    now_ms: Callable[[], int]
    chance: Callable[[], float]
    patience: Patience
    answer_seconds: float  # for one attempt, from the first byte to the last
    poll_seconds: float  # how soon somebody's word to go on is heard
    ends: asyncio.Event  # no other message is begun once it is set


class Line:
    """One webhook; it sends one message at a time, and the next when that was taken."""

    def __init__(self, receiver: Receiver, outbox: Outbox, cursors: Cursors, terms: Terms) -> None:
        self._receiver, self._outbox, self._cursors, self._terms = receiver, outbox, cursors, terms
        self._name, self._kinds = receiver.webhook.name, receiver.webhook.kinds
        self._ahead: deque[int] = deque()  # numbers of rows to look at
        self._looked = 0  # up to here nothing is left to look at
        self._failures = 0  # one after another
        self._cursor = self._begun(cursors.of(self._name))
        cursors.put(self._cursor)

    @property
    def trouble(self) -> str | None:
        """That nothing is taken there at the moment; why would name a loan, and everybody may read this."""
        condition = self._cursor.condition
        return None if condition == "fine" else f"webhook {self._name} is {condition}: see forewarn webhooks show"

    async def run(self, client: httpx.AsyncClient, news: asyncio.Event) -> None:
        """Send until the end."""
        while not self._terms.ends.is_set():
            self._hear()
            news.clear()
            message = None if self._cursor.condition == "stopped" else await self._next()
            if message is not None:
                terms = self._terms
                answer = await sent(client, self._receiver, message, terms.now_ms, terms.answer_seconds)
                await self._pause(self._noted(message, answer))
                continue
            try:
                await asyncio.wait_for(news.wait(), self._terms.poll_seconds)
            except TimeoutError:
                continue

    # -- where it stands --

    def _begun(self, known: Cursor | None) -> Cursor:
        """Where a webhook goes on; one that is new begins where its file says."""
        hook, newest = self._receiver.webhook, self._outbox.newest()
        kinds = ",".join(hook.kinds)
        if known is None:
            n = newest if hook.since == "now" else 0
            mark = mark_of(self._outbox.row(n))
            return Cursor(hook.name, hook.url, kinds, n, mark, "fine", 0, 0, None, None, None, None, 0, 0, None)
        stays = known.condition == "stopped" and known.url == hook.url
        cursor = known._replace(url=hook.url, kinds=kinds, condition="stopped" if stays else "fine", next_try_ms=None)
        if known.n > newest:  # An older copy of the data was put in place: what it decides anew is told again.
            return cursor._replace(n=newest, mark=mark_of(self._outbox.row(newest)))
        if mark_of(self._outbox.row(known.n)) != known.mark and known.asked == known.heard:
            why = (
                f"expected the history of which it was told until row {known.n}, got another; {_GO_ON} with --after ROW"
            )
            self._say(logging.ERROR, why)
            return cursor._replace(condition="stopped", last_error=why)
        return cursor

    def _hear(self) -> None:
        """Go on where somebody said so."""
        found = self._cursors.of(self._name)
        if found is None or found.asked == self._cursor.heard:
            return
        n = self._cursor.n if found.asked_after is None else found.asked_after
        mark = mark_of(self._outbox.row(n))
        self._cursor = self._cursor._replace(heard=found.asked, condition="fine", n=n, mark=mark, next_try_ms=None)
        self._cursors.put(self._cursor)
        self._ahead.clear()
        self._looked = self._failures = 0

    # -- what comes next --

    async def _next(self) -> Message | None:
        """The next message, which stays the next until it was taken; None when there is none."""
        while True:
            while self._ahead:
                row = self._outbox.row(self._ahead[0])
                message = None if row is None else message_of(row, self._receiver.webhook)
                if message is not None:
                    return message
                self._looked = self._ahead.popleft()
            after = max(self._cursor.n, self._looked, muted_in(self._outbox.database))
            newest = self._outbox.newest()
            self._ahead.extend(self._outbox.numbers(after, self._kinds, PAGE))
            if not self._ahead:
                self._looked = max(after, newest)
                return None
            await asyncio.sleep(0)  # The others have their turn while much is looked through.

    # -- what became of it --

    def _noted(self, message: Message, answer: Answer) -> float:
        """Move the cursor or note why not; seconds to the next attempt."""
        meaning, now, wait = meaning_of(answer), self._terms.now_ms(), 0.0
        cursor = self._cursor
        if meaning == "taken":
            if self._failures:
                self._say(logging.INFO, f"{message.id} was taken after {self._failures} attempts")
            self._failures = 0
            self._ahead.popleft()
            self._cursor = cursor._replace(
                n=message.n,
                mark=message.mark,
                condition="fine",
                delivered=cursor.delivered + 1,
                last_error=None,
                failing_since_ms=None,
                next_try_ms=None,
                delivered_at_ms=now,
            )
        else:
            self._failures += 1
            wait = wait_after(answer, self._failures, self._terms.patience, self._terms.chance, now)
            self._cursor = cursor._replace(
                condition=_CONDITION[meaning],
                failed=cursor.failed + 1,
                last_error=f"{message.id}: {answer.why}",
                failing_since_ms=now if cursor.failing_since_ms is None else cursor.failing_since_ms,
                next_try_ms=None if meaning == "gone" else now + int(wait * 1000),
            )
            if cursor.condition != self._cursor.condition:
                self._alarm(message, answer)
        self._cursors.put(self._cursor)
        return wait

    def _alarm(self, message: Message, answer: Answer) -> None:
        match self._cursor.condition:
            case "retrying":
                self._say(logging.WARNING, f"{message.id}: {answer.why}; tried again until it is taken")
            case "refused":
                self._say(logging.ERROR, f"{message.id}: {answer.why}; tried again seldom: see to the receiver")
            case _:
                self._say(logging.ERROR, f"{message.id}: {answer.why}; nothing is sent any more: {_GO_ON}")

    async def _pause(self, seconds: float) -> None:
        """Wait for the next attempt, or for somebody's word; a clock that is set back makes it no longer."""
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while not self._terms.ends.is_set() and self._cursor.condition != "stopped" and clock() < until:
            found = self._cursors.of(self._name)
            if found is not None and found.asked != self._cursor.heard:
                return
            await asyncio.sleep(min(max(until - clock(), 0), self._terms.poll_seconds))

    def _say(self, level: int, what: str) -> None:
        _LOG.log(level, "webhook %s: %s", self._name, what)
