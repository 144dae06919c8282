"""The engine of one process: arrivals in batches, each batch one transaction of the store.

lines -> arrivals, borrowers, decisions, where the portfolio stands -> on the disk -> acknowledged
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import msgspec

from pipeline.decisions import Alert, CollectionTask, DeadLetter, Decision, Disagreement, ShadowAlert, line
from pipeline.decode import Arrival, Decoder, Refusal
from pipeline.events import DayEnded
from pipeline.look import Day
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.borrowers import BYTES_EACH, Kept
from pipeline.shells.embedded.disk import DOCTOR, told_of
from pipeline.shells.embedded.disk import Halted as Halted
from pipeline.shells.embedded.disk import Unstored as Unstored
from pipeline.shells.embedded.quarantine import FAULT, Failed, Quarantine
from pipeline.shells.embedded.store import DataError, Store
from pipeline.shells.portfolio import Portfolio, refused
from pipeline.shells.published import Standing as PublishedStanding

LOG = "events.jsonl"  # what the log of arrivals is called as a file
MEGABYTE = 1 << 20
KINDS: dict[type, str] = {
    Alert: "alert",
    ShadowAlert: "shadow",
    CollectionTask: "task",
    DeadLetter: "dead_letter",
    Disagreement: "disagreement",
}


PRIVILEGED = frozenset({"control", "officer"})  # feeds that may close days, publish, or act for an officer


class Batch(NamedTuple):
    """Lines of one sender."""

    lines: Sequence[bytes]
    request: str | None = None  # what they belong to: lines of it that were taken before are not taken again
    may_all: bool = True  # also events of the privileged feeds


KEY_REUSED = "key_reused"
_REUSED = "Idempotency-Key: expected the lines that it was first sent with, got others; give every request its own key"


class Outcome(NamedTuple):
    """What came of one line."""

    line: int  # its number in the log; 0: it is not there
    status: Literal["accepted", "refused", "repeated"]
    reason: str | None = None
    why: str | None = None


class Standing(msgspec.Struct, kw_only=True):
    """Where the portfolio stands between two batches."""

    day: Day | None = None
    closed: Day | None = None
    is_opened: bool = True
    published: PublishedStanding | None = None
    first_day: int | None = None
    lines: int = 0
    by_type: dict[str, int] = {}
    unknown_fields: int = 0


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine ran with: `mark` stands for its rules and settings, the rest says where they stand."""

    mark: str
    rules: list[str] | None = None  # None: the shipped ones
    config: str | None = None


Done = TypeVar("Done")


class Runtime:
    """A portfolio over a data directory; one thread uses it."""

    def __init__(self, folder: Path, shelf: CompiledShelf, *, ran: "Ran", memory_mb: int = 512) -> None:
        """Where `ran` decides otherwise than the last run, nobody sleeps on."""
        self.shelf = shelf
        self.store = Store(folder)
        self.decoder = Decoder(shelf.terms.zone.name, shelf.terms.reporting_currency)
        self.borrowers = Kept(self.store, memory_mb * MEGABYTE // BYTES_EACH)
        self.quarantine = Quarantine(self.store.database)
        self._marked: dict[str, tuple[int, BaseException]] = {}  # who failed in this batch: at which line, by what
        self._stepped: str | None = None  # whose event is worked on
        self._is_undone = False  # a batch was undone, and what is in memory is not yet that of the store
        try:
            before = ran_in(self.store.database)
            if before != ran:
                with self.store.transaction():
                    if before is None or before.mark != ran.mark:
                        self.borrowers.wake_all()
                    self.store.write("ran", msgspec.json.encode(ran))
            self._restore()
            self._refuse_fewer()
        except (sqlite3.DatabaseError, msgspec.DecodeError, UnicodeDecodeError) as error:
            self.store.close()
            advice = DOCTOR.format(folder=folder)
            raise DataError(f"{folder}: expected a sound database, got {error}; {advice}") from None

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
                    self._put_marked(0)
                    done = work()
                    self.borrowers.flush()
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

    def _take_batch(self, batch: Batch) -> list[Outcome]:
        if batch.request is None:
            return [self._take(raw, batch.may_all) for raw in batch.lines]
        query = "select lines, digest from requests where key = ?"
        known = self.store.database.execute(query, (batch.request,)).fetchone()
        done, digest = (0, _digest_of(())) if known is None else known
        if len(batch.lines) < done or _digest_of(batch.lines[:done]) != digest:
            return [Outcome(0, "refused", KEY_REUSED, _REUSED) for _ in batch.lines]
        outcomes = [Outcome(0, "repeated") for _ in batch.lines[:done]]
        outcomes += [self._take(raw, batch.may_all) for raw in batch.lines[done:]]
        row = (batch.request, len(batch.lines), _digest_of(batch.lines))
        self.store.database.execute("insert or replace into requests values (?, ?, ?)", row)
        return outcomes

    # -- one line --

    def take_line(self, raw: bytes) -> Outcome:
        """Take one line in, inside the transaction of some work."""
        return self._take(raw, may_all=True)

    def _take(self, raw: bytes, may_all: bool) -> Outcome:
        standing = self.standing
        position = {"file": LOG, "line": standing.lines + 1}
        try:
            arrival = self.decoder.decode(raw, position)
        except Refusal as refusal:
            self._log(raw)
            self._keep([refused(raw, refusal.reason, refusal.why, position)])
            return Outcome(standing.lines, "refused", refusal.reason, refusal.why)
        if arrival.feed in PRIVILEGED and not may_all:
            why = f"type: expected an event that scope ingest may send, got {arrival.type}; send it with scope admin"
            return Outcome(0, "refused", "forbidden", why)
        self._log(raw)
        standing.by_type[arrival.type] = standing.by_type.get(arrival.type, 0) + 1
        standing.unknown_fields += arrival.unknown
        self._put_marked(standing.lines)
        self._stepped = getattr(arrival.event, "borrower_id", None)
        aside = self.quarantine.get(self._stepped)
        if aside is not None:
            self._keep([refused(raw, FAULT, aside.why, position)])
            return Outcome(standing.lines, "refused", FAULT, aside.why)
        decisions = list(self._decided(arrival))
        self._keep(decisions)
        for each in decisions:
            if isinstance(each, DeadLetter) and each.source == position:
                return Outcome(standing.lines, "refused", each.reason, each.why)
        return Outcome(standing.lines, "accepted")

    def _log(self, raw: bytes) -> None:
        self.standing.lines += 1
        self.store.database.execute("insert into arrivals values (?, ?)", (self.standing.lines, raw))

    def _decided(self, arrival: Arrival) -> Iterator[Decision]:
        portfolio = self.portfolio
        if portfolio.day is None:
            portfolio.open(arrival.date)
            self.standing.first_day = arrival.date
        before = portfolio.date
        yield from portfolio.take(arrival)
        if isinstance(arrival.event, DayEnded) and portfolio.date > before:
            closes = [(day, self.standing.lines) for day in range(before, portfolio.date)]
            self.store.database.executemany("insert into closes values (?, ?)", closes)
            self.borrowers.flush()
            self.borrowers.closed()
            yield from portfolio.judge_early()

    def _keep(self, decisions: Iterable[Decision]) -> None:
        rows = [
            (KINDS[type(each)], _detail(each), getattr(each, "rule", None), _borrower(each), self._encoded(each))
            for each in decisions
        ]
        self.store.database.executemany(
            "insert into decisions (kind, detail, rule, borrower_id, body) values (?, ?, ?, ?, ?)", rows
        )

    def _encoded(self, decision: Decision) -> bytes:
        try:
            return line(decision)
        except Exception as error:
            if isinstance(decision, DeadLetter):
                raise
            raise Failed(decision.borrower_id, self.standing.lines) from error

    # -- between batches --

    def _standing(self) -> Standing:
        portfolio, standing = self.portfolio, self.standing
        standing.day, standing.closed, standing.is_opened = portfolio.day, portfolio.closed, portfolio.is_opened
        standing.published = portfolio.published.standing()
        return standing

    def _restore(self) -> None:
        self.standing = standing = standing_in(self.store.database)
        self.portfolio = portfolio = Portfolio(self.shelf, self.borrowers, closes_by_record=True)
        portfolio.day, portfolio.closed, portfolio.is_opened = standing.day, standing.closed, standing.is_opened
        if standing.published is not None:
            portfolio.published.restore(standing.published)
        self.quarantine.restore()
        self.borrowers.aside = self.quarantine
        portfolio.failed = self.borrowers.failed = self._failed
        self._stepped, self._is_undone = None, False


def ran_in(database: sqlite3.Connection) -> Ran | None:
    """What the engine of a database ran with last; None when it never did."""
    row = database.execute("select value from meta where name = 'ran'").fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=Ran)


def standing_in(database: sqlite3.Connection) -> Standing:
    """Where the portfolio of a database stands."""
    row = database.execute("select value from meta where name = 'standing'").fetchone()
    return Standing() if row is None else _STANDING.decode(row[0])


def _digest_of(lines: Sequence[bytes]) -> bytes:
    digest = sha256()
    for raw in lines:
        digest.update(raw + b"\n")
    return digest.digest()


def _detail(decision: Decision) -> str:
    match decision:
        case Alert():
            return decision.transition
        case CollectionTask():
            return decision.status
        case DeadLetter():
            return decision.reason
        case Disagreement():
            return decision.field


def _borrower(decision: Decision) -> str | None:
    return borrower_in(decision.raw) if isinstance(decision, DeadLetter) else decision.borrower_id


def borrower_in(raw: bytes) -> str | None:
    """Whose a line is, where it says so in a way that can be read."""
    try:
        return _WHOSE.decode(raw).borrower_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Whose(msgspec.Struct):
    borrower_id: str | None = None


_WHOSE = msgspec.json.Decoder(_Whose)
_ENCODER = msgspec.msgpack.Encoder()
_STANDING = msgspec.msgpack.Decoder(Standing)
