"""All borrowers of one process, fed arrival by arrival, day by day: what every shell without a broker does."""

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol

import msgspec

from pipeline.decisions import DeadLetter, Decision, line
from pipeline.decode import Arrival, Decoder
from pipeline.engine import close_day, open_day, step
from pipeline.events import ConnectedWarned, DayEnded, FxPublished, MacroPublished, ShelfPublished
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.profiles import profile_of
from pipeline.shelf import CompiledShelf
from pipeline.shells.published import Published
from pipeline.shells.publishing.shelves import nothing_published
from pipeline.zone import day_number

TOPIC = "forewarn-connected"  # where warnings of connected borrowers come from


class Borrowers(Protocol):
    """Every borrower's memory, wherever it is kept; sequences are in the order of ids."""

    def memory(self, borrower_id: str) -> Memory:
        """The memory of a borrower; an empty one of a borrower never seen."""
        ...

    def each(self) -> Iterator[Memory]:
        """Every borrower."""
        ...

    def awake(self, day: Day) -> Iterator[Memory]:
        """At least those to whom the close of a day may bring anything."""
        ...

    def early(self) -> Iterator[Memory]:
        """At least those of whom something came before its date."""
        ...


class Loaded:
    """Borrowers that are all in memory."""

    def __init__(self) -> None:
        self._memories: dict[str, Memory] = {}
        self._order: list[str] = []

    def memory(self, borrower_id: str) -> Memory:
        """The memory of a borrower."""
        memory = self._memories.get(borrower_id)
        if memory is None:
            memory = self._memories[borrower_id] = Memory(borrower_id)
            insort(self._order, borrower_id)
        return memory

    def find(self, borrower_id: str) -> Memory | None:
        """The memory of a borrower, None of one never seen."""
        return self._memories.get(borrower_id)

    def each(self) -> Iterator[Memory]:
        """Every borrower."""
        for borrower_id in self._order:
            yield self._memories[borrower_id]

    def awake(self, day: Day) -> Iterator[Memory]:
        """Every borrower: to ask one that sleeps costs next to nothing."""
        return self.each()

    def early(self) -> Iterator[Memory]:
        """Every borrower, for the same reason."""
        return self.each()


class Portfolio:
    """Every borrower's memory, the open day, the published figures, and the rules in force."""

    def __init__(self, shelf: CompiledShelf, borrowers: Borrowers, *, closes_by_record: bool) -> None:
        self.shelf = shelf
        self.closes_by_record = closes_by_record  # days end by day.ended records alone
        self.day: Day | None = None  # the open day
        self.closed: Day | None = None  # the last closed one, with the feeds that were missing on it
        self.borrowers = borrowers
        self.published = Published()
        self.is_opened = True  # whether the open day's early events were judged
        self.after_close: Callable[[], None] = lambda: None  # called when a day is closed and before the next begins
        self.failed: Callable[[str, Exception], None] = _raised  # called where the core fails on a borrower
        # Called before a warning is delivered: what becomes of it instead, or None.
        self.stopped: Callable[[Arrival], Iterable[Decision] | None] = lambda arrival: None
        self.shelf_of: Callable[[str], CompiledShelf] = nothing_published  # called with what is put in force
        self._warnings: deque[ConnectedWarned] = deque()  # on their way
        self._decode = Decoder(shelf.terms.zone.name, shelf.terms.reporting_currency).decode

    def open(self, date: int) -> None:
        """Begin with a day."""
        self.day = Day(date=date)

    @property
    def date(self) -> int:
        """The open day's date."""
        assert self.day is not None
        return self.day.date

    def take(self, arrival: Arrival) -> Iterator[Decision]:
        """Feed one arrival: close the days before it where the date alone says so, then step."""
        event = arrival.event
        if self.day is None and isinstance(event, ShelfPublished):  # It begins no business day.
            self.shelf = self.shelf_of(event.hash)
            return
        if self.day is None:
            self.open(arrival.date)
        assert self.day is not None
        yield from self.judge_early()
        if isinstance(event, DayEnded):
            feeds = event.feeds or {}
            yield from self.close_until(day_number(event.date), frozenset(feeds))
            return
        if not self.closes_by_record and arrival.date > self.day.date:
            yield from self.close_until(arrival.date - 1)
        if isinstance(event, MacroPublished | FxPublished):
            self.day = self.published.taken(self.day, arrival)
        elif isinstance(event, ShelfPublished):
            self.shelf = self.shelf_of(event.hash)
        elif (borrower_id := getattr(event, "borrower_id", None)) is not None:
            yield from self._said(self._of(borrower_id, partial(self._step, self.day, borrower_id, arrival)))
            yield from self._delivered()

    def _step(self, day: Day, borrower_id: str, arrival: Arrival) -> tuple[Memory, list[Decision]]:
        return step(self.shelf, day, self.borrowers.memory(borrower_id), arrival)

    def _said(self, decisions: Iterable[Decision]) -> Iterator[Decision]:
        """Decisions as they are, the warnings among them noted for delivery."""
        for each in decisions:
            yield each
            if isinstance(each, ConnectedWarned):
                self._warnings.append(each)

    def _delivered(self) -> Iterator[Decision]:
        """Bring the warnings to their receivers, in the order in which they were sent; what is decided there."""
        while self._warnings:
            assert self.day is not None
            warning = self._warnings.popleft()
            arrival = self._decode(line(warning), {"topic": TOPIC, "id": warning.id})
            instead = self.stopped(arrival)
            if instead is None:
                receiver = warning.borrower_id
                instead = self._of(receiver, partial(self._step, self.day, receiver, arrival))
            yield from self._said(instead)

    def _of(self, borrower_id: str, work: Callable[[], tuple[Memory, list[Decision]]]) -> list[Decision]:
        """What the core decides of a borrower; nothing where it fails and the shell goes on without that one."""
        try:
            return work()[1]
        except Exception as error:
            self.failed(borrower_id, error)
            return []

    def close_until(self, last: int, missing: frozenset[str] = frozenset()) -> Iterator[Decision]:
        """Close every day up to a date, in order; feeds are missing on the last of them. A closed day stays closed."""
        while self.day is not None and self.day.date <= last:
            day = self.day
            if day.date == last and missing:
                day = msgspec.structs.replace(day, missing=missing)
            yield from self.judge_early()
            for memory in self.borrowers.awake(day):
                yield from self._said(self._of(memory.borrower_id, partial(close_day, self.shelf, day, memory)))
            yield from self._delivered()  # Of the next day's date: each is kept until that day begins.
            self.closed, self.day, self.is_opened = day, self.published.begun(day.next()), False
            self.after_close()

    def judge_early(self) -> Iterator[Decision]:
        """Judge what came before the open day's date, once, before anything else of that day."""
        if self.is_opened or self.day is None:
            return
        self.is_opened = True
        for memory in self.borrowers.early():
            yield from self._said(self._of(memory.borrower_id, partial(open_day, self.shelf, self.day, memory)))
        yield from self._delivered()

    def profiles(self) -> Iterator[dict[str, Any]]:
        """Every borrower by id, to be asked for right after a close: as of that day."""
        assert self.closed is not None
        for memory in self.borrowers.each():
            yield profile_of(self.shelf, self.closed, memory)

    def leftovers(self) -> Iterator[dict[str, Any]]:
        """What still waits at the end, for its loan, its target or its day."""
        for memory in self.borrowers.each():
            head = memory.head
            for arrival, why in [(w.arrival, "waiting") for w in head.waiting] + [(p, "early") for p in head.parked]:
                yield {"borrower_id": memory.borrower_id, "why": why, "type": arrival.type, "source": arrival.position}


def _raised(borrower_id: str, error: Exception) -> None:
    raise error


def refused(raw: bytes, reason: str, why: str, source: dict[str, Any]) -> DeadLetter:
    """The dead letter of a record that could not be decoded."""
    return DeadLetter(reason=reason, why=why, source=source, raw=raw)
