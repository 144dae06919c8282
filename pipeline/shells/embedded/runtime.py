"""The engine of one process: arrivals in batches, each batch one transaction of the store.

lines -> arrivals, borrowers, decisions, where the portfolio stands -> on the disk -> acknowledged
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from pipeline.decisions import CollectionTask, DeadLetter, Decision
from pipeline.decode import Arrival, Decoder, Refusal
from pipeline.events import DayEnded, ShelfPublished
from pipeline.memory import Memory
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.adopting import Adopting
from pipeline.shells.embedded.borrowers import BYTES_EACH, Kept
from pipeline.shells.embedded.day_ends import DayEnds
from pipeline.shells.embedded.digest import Digest, digest_of
from pipeline.shells.embedded.disk import DOCTOR, told_of
from pipeline.shells.embedded.quarantine import FAULT, Failed, Quarantine
from pipeline.shells.embedded.records import LOG, Records, Said, Tallied, borrower_of
from pipeline.shells.embedded.requests import REUSED, Outcome, keep, repeated_in
from pipeline.shells.embedded.standing import Ran, Standing, standing_in
from pipeline.shells.embedded.store import DataError, Store
from pipeline.shells.portfolio import Portfolio, refused
from pipeline.shells.publishing.shelves import Unloadable

MEGABYTE = 1 << 20
PRIVILEGED = frozenset({"control", "officer"})  # feeds that may close days, publish, or act for an officer


class Batch(NamedTuple):
    """Lines of one sender."""

    lines: Sequence[bytes]
    request: str | None = None  # what they belong to: lines of it that were taken before are not taken again
    may_all: bool = True  # also events of the privileged feeds
    is_foreign: bool = False  # of somebody whose mistake may stop nobody else


Done = TypeVar("Done")


class History(NamedTuple):
    """What a backfill loads: its days begin at the latest with `first`; up to `until` nobody is told of anything."""

    first: int
    until: int


class Runtime:
    """A portfolio over a data directory; one thread uses it."""

    def __init__(self, folder: Path, shelf: CompiledShelf, *, ran: "Ran", memory_mb: int = 512) -> None:
        """`shelf` decides unless another was published in `folder`; DataError where that cannot be used."""
        self.store = Store(folder)
        self.decoder = Decoder(shelf.terms.zone.name, shelf.terms.reporting_currency)
        self.borrowers = Kept(self.store, memory_mb * MEGABYTE // BYTES_EACH)
        self.adopting = Adopting(shelf, self.store, self.borrowers)
        self.quarantine = Quarantine(self.store.database)
        self._marked: dict[str, tuple[int, BaseException]] = {}  # who failed in this batch: at which line, by what
        self._stepped: str | None = None  # whose event is worked on
        self._is_undone = False  # a batch was undone, and what is in memory is not yet that of the store
        self.day_ends = DayEnds(self.store.database)
        self.history: History | None = None  # of a backfill
        self._digest: Digest | None = None  # to be said before anything of the next day
        try:
            self._restore()
            self.ran = self.adopting.begun(ran, self.shelf)
            self._refuse_fewer()
        except (sqlite3.DatabaseError, msgspec.DecodeError, UnicodeDecodeError) as error:
            self.store.close()
            advice = DOCTOR.format(folder=folder)
            raise DataError(f"{folder}: expected a sound database, got {error}; {advice}") from None
        except Unloadable as error:
            self.store.close()
            raise DataError(str(error)) from None

    @property
    def shelf(self) -> CompiledShelf:
        """The rules in force."""
        return self.portfolio.shelf

    def shelf_of(self, bundle: str) -> CompiledShelf:
        """A published shelf, or with "" what the engine was started with; Unloadable where there is none."""
        return self.adopting.shelf_of(bundle)

    def _refuse_fewer(self) -> None:
        """The log must end where it is said to: SQLite does not notice when whole arrivals are missing."""
        last = self.store.database.execute("select coalesce(max(n), 0) from arrivals").fetchone()[0]
        if last != self.standing.lines:
            self.store.close()
            advice = DOCTOR.format(folder=self.store.folder)
            raise DataError(f"{self.store.folder}: expected {self.standing.lines} arrivals, got {last}; {advice}")

    def close(self) -> None:
        """Let go of the data directory."""
        self.store.close()

    def take(self, batches: Sequence[Batch]) -> list[list[Outcome]]:
        """Take batches in, all or none; they are on the disk when this returns.

        Raises Unstored when the disk takes nothing, Halted when nothing will be taken any more.
        """
        return self.worked(lambda: [self._take_batch(batch) for batch in batches])

    def worked(self, work: Callable[[], Done]) -> Done:
        """Do some work in one transaction; where the core fails on a borrower, do it again without that one.

        What was done to a borrower before it failed is done again, so that it is set aside at the very line that it
        failed on, whatever else was in the batch.
        """
        self._marked = {}
        while True:
            try:
                self.store.keep_log_short()
                if self._is_undone:
                    self._restore()
                with self.store.transaction():
                    self.records.tally.clear()
                    self._put_marked(0)
                    done = work()
                    self.borrowers.flush()
                    self.records.tally[Tallied("borrower")] += self.borrowers.pop_new()
                    self.records.flush()
                    self.day_ends.flush()
                    self.store.write("standing", _ENCODER.encode(self._standing()))
            except BaseException as error:
                self._undo()
                if not isinstance(error, Failed) or error.borrower_id in self._marked:
                    raise told_of(error, self.store.folder) from error
                self._marked[error.borrower_id] = error.line, error.__cause__ or error
            else:
                self.borrowers.settle()
                self.quarantine.tell()
                return done

    def lift(self, borrower_id: str) -> None:
        """Let a borrower out of the quarantine, inside the transaction of some work."""
        if self._marked.get(borrower_id, (1,))[0]:  # One that fails wherever it is touched stays where it is.
            self.quarantine.lift(borrower_id)

    def _undo(self) -> None:
        self.borrowers.forget()
        self._is_undone = True
        with suppress(sqlite3.Error):  # Where even that cannot be read, the next batch begins with it.
            self._restore()

    def _put_marked(self, at: int) -> None:
        """Set those aside who failed at a line when it was tried before; 0 is before the batch."""
        for borrower_id, (line_, error) in self._marked.items():
            if line_ == at:
                self._put_aside(borrower_id, error, line=at or self.standing.lines + 1)

    def _put_aside(self, borrower_id: str, error: BaseException, *, line: int) -> None:
        day = self.portfolio.day
        self.quarantine.put(borrower_id, error, line=line, date=None if day is None else day.date)

    def _failed(self, borrower_id: str, error: Exception) -> None:
        """The core failed on a borrower: in a sweep it was written just before, so that nothing else need be undone."""
        if isinstance(error, sqlite3.Error | MemoryError | Failed):
            raise error
        if borrower_id == self._stepped:
            raise Failed(borrower_id, self.standing.lines) from error
        self.borrowers.drop(borrower_id)
        self._put_aside(borrower_id, error, line=self.standing.lines)

    def _stopped(self, warning: Arrival) -> list[Decision] | None:
        """A warning to one who is set aside waits; where its receiver fails on it, the batch is done again."""
        self._stepped = borrower_of(warning.event)
        aside = self.quarantine.get(self._stepped)
        return None if aside is None else [refused(warning.raw, FAULT, aside.why, warning.position)]

    def _take_batch(self, batch: Batch) -> list[Outcome]:
        if batch.request is None:
            return [self._take(raw, batch) for raw in batch.lines]
        outcomes = repeated_in(self.store.database, batch.request, batch.lines)
        if outcomes is None:
            return [REUSED for _ in batch.lines]
        self.records.tally[Tallied("arrival", detail="repeated")] += len(outcomes)
        outcomes += [self._take(raw, batch) for raw in batch.lines[len(outcomes) :]]
        keep(self.store.database, batch.request, batch.lines, outcomes)
        return outcomes

    # -- one line --

    def take_line(self, raw: bytes) -> Outcome:
        """Take one line in, inside the transaction of some work."""
        return self._take(raw, _OF_NOBODY)

    def _take(self, raw: bytes, batch: Batch) -> Outcome:
        standing = self.standing
        position = {"file": LOG, "line": standing.lines + 1}
        try:
            arrival = self.decoder.decode(raw, position)
        except Refusal as refusal:
            self.records.log(raw, None)
            self.records.keep([refused(raw, refusal.reason, refusal.why, position)])
            self.records.tally[Tallied("arrival", detail=refusal.reason)] += 1
            return Outcome(standing.lines, "refused", refusal.reason, refusal.why)
        if arrival.feed in PRIVILEGED and not batch.may_all:
            why = f"type: expected an event that scope ingest may send, got {arrival.type}; send it with scope admin"
            return self._forbidden(why)
        if batch.is_foreign and (no_shelf := self.adopting.refusal(arrival.event)) is not None:
            return self._forbidden(no_shelf)
        self.records.log(raw, arrival)
        standing.by_type[arrival.type] = standing.by_type.get(arrival.type, 0) + 1
        standing.unknown_fields += arrival.unknown
        self._put_marked(standing.lines)
        self._stepped = getattr(arrival.event, "borrower_id", None)
        aside = self.quarantine.get(self._stepped)
        if aside is not None:
            self.records.keep([refused(raw, FAULT, aside.why, position)])
            self.records.tally["arrival", arrival.type, "", "", FAULT] += 1
            return Outcome(standing.lines, "refused", FAULT, aside.why)
        outcome = Outcome(standing.lines, "accepted")
        for each in self.records.keep(self._decided(arrival)):
            if isinstance(each, DeadLetter) and each.source == position:
                outcome = Outcome(standing.lines, "refused", each.reason, each.why)
        # A plain tuple, as this is done for every event.
        self.records.tally["arrival", arrival.type, "", "", outcome.reason or "accepted"] += 1
        return outcome

    def _forbidden(self, why: str) -> Outcome:
        self.records.tally[Tallied("arrival", detail="forbidden")] += 1
        return Outcome(0, "refused", "forbidden", why)

    def _decided(self, arrival: Arrival) -> Iterator[Said]:
        portfolio = self.portfolio
        if portfolio.day is None and isinstance(arrival.event, ShelfPublished):
            yield from portfolio.take(arrival)
            return
        if portfolio.day is None:
            self.standing.first_day = arrival.date if self.history is None else min(arrival.date, self.history.first)
            portfolio.open(self.standing.first_day)
        before = portfolio.date
        self.day_ends.arrived(arrival, self.standing.lines)
        yield from self._heard(portfolio.take(arrival))
        if isinstance(arrival.event, DayEnded) and portfolio.date > before:
            closes = [(day, self.standing.lines) for day in range(before, portfolio.date)]
            self.store.database.executemany("insert into closes values (?, ?)", closes)
            self.borrowers.flush()
            self.borrowers.closed()
            yield from self._heard(portfolio.judge_early())

    def _heard(self, decisions: Iterator[Decision]) -> Iterator[Said]:
        """Decisions as they come, tasks noted for the queues; the digest comes between its day and the next."""
        for each in decisions:
            yield from self._opening()
            if isinstance(each, CollectionTask):
                self.day_ends.heard(each)
            yield each
        yield from self._opening()

    def _opening(self) -> Iterator[Digest]:
        if self._digest is not None:
            yield self._digest
            self._digest = None

    def _day_closed(self) -> None:
        closed = self.portfolio.closed
        assert closed is not None
        self._read_all(lambda everyone: self.day_ends.closed(self.shelf, closed, everyone))
        if self.history is not None and closed.date == self.history.until:
            self._digest = self._read_all(lambda everyone: digest_of(self.shelf, closed, everyone))

    def _read_all(self, read: Callable[[Iterator[Memory]], Done]) -> Done:
        """What is read of every borrower; where it fails, the one that is read just then is at fault."""
        at: Memory | None = None

        def everyone() -> Iterator[Memory]:
            nonlocal at
            for at in self.borrowers.each():
                yield at
            at = None

        try:
            return read(everyone())
        except Exception as error:
            if at is None or isinstance(error, sqlite3.Error | MemoryError | Failed):
                raise
            raise Failed(at.borrower_id, self.standing.lines) from error

    # -- between batches --

    def _standing(self) -> Standing:
        portfolio, standing = self.portfolio, self.standing
        standing.day, standing.closed, standing.is_opened = portfolio.day, portfolio.closed, portfolio.is_opened
        standing.published = portfolio.published.standing()
        standing.moves = self.day_ends.moves
        return standing

    def _restore(self) -> None:
        self.standing = standing = standing_in(self.store.database)
        self.portfolio = portfolio = Portfolio(self.shelf_of(standing.bundle), self.borrowers, closes_by_record=True)
        portfolio.shelf_of = lambda bundle: self.adopting.put_in_force(bundle, standing, self.ran)
        portfolio.day, portfolio.closed, portfolio.is_opened = standing.day, standing.closed, standing.is_opened
        if standing.published is not None:
            portfolio.published.restore(standing.published)
        self.records = Records(self.store, standing, portfolio)
        self.quarantine.restore()
        self.borrowers.aside = self.quarantine
        portfolio.failed = self.borrowers.failed = self._failed
        portfolio.stopped = self._stopped
        self._stepped, self._is_undone = None, False
        portfolio.after_close = self._day_closed
        self.day_ends.restore(standing.moves)
        self._digest = None


_OF_NOBODY = Batch((), is_foreign=True)
_ENCODER = msgspec.msgpack.Encoder()
