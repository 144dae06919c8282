"""The engine of one process: arrivals in batches, each batch one transaction of the store.

lines -> arrivals, borrowers, decisions, where the portfolio stands -> on the disk -> acknowledged
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from pipeline.decisions import Alert, CollectionTask, DeadLetter, Decision, Disagreement, ShadowAlert, line
from pipeline.decode import Arrival, Decoder, Refusal
from pipeline.events import DayEnded, Event
from pipeline.look import Day
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.borrowers import BYTES_EACH, Kept
from pipeline.shells.embedded.day_ends import DayEnds, Moves
from pipeline.shells.embedded.digest import Digest, digest_of
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
    Digest: "digest",
}
Said = Decision | Digest

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

    line: int  # its number in the log; 0: it is not there, or was known before
    status: Literal["accepted", "refused", "repeated"]
    reason: str | None = None  # why it is refused; of a repeated one, why it was refused at first
    why: str | None = None


class Tallied(NamedTuple):
    """What is counted; '' is none."""

    kind: str
    rule: str = ""
    queue: str = ""
    severity: str = ""
    detail: str = ""


class Marks(NamedTuple):
    """What a decision is looked for by."""

    kind: str
    detail: str
    rule: str | None
    queue: str | None
    severity: str | None

    def tallied(self) -> Tallied:
        """As what it is counted."""
        return Tallied(self.kind, self.rule or "", self.queue or "", self.severity or "", self.detail)


class Standing(msgspec.Struct, kw_only=True):
    """Where the portfolio stands between two batches."""

    day: Day | None = None
    closed: Day | None = None
    is_opened: bool = True
    published: PublishedStanding | None = None
    first_day: int | None = None
    lines: int = 0
    decisions: int = 0
    by_type: dict[str, int] = {}
    unknown_fields: int = 0
    moves: Moves = {}


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine ran with: `mark` stands for its rules and settings, the rest says where they stand."""

    mark: str
    rules: list[str] | None = None  # None: the shipped ones
    config: str | None = None


class History(NamedTuple):
    """What a backfill loads: its days begin at the latest with `first`; up to `until` nobody is told of anything."""

    first: int
    until: int


class Unstored(Exception):
    """The disk took nothing: the batch was undone, and nothing of it was acknowledged."""


class Runtime:
    """A portfolio over a data directory; one thread uses it."""

    def __init__(self, folder: Path, shelf: CompiledShelf, *, ran: "Ran", memory_mb: int = 512) -> None:
        """Where `ran` decides otherwise than the last run, nobody sleeps on."""
        self.shelf, self.ran = shelf, ran
        self.store = Store(folder)
        self.decoder = Decoder(shelf.terms.zone.name, shelf.terms.reporting_currency)
        self.borrowers = Kept(self.store, memory_mb * MEGABYTE // BYTES_EACH)
        self._tally: Counter[tuple[str, ...]] = Counter()  # of the batch, by Tallied or what equals it
        self.day_ends = DayEnds(self.store.database)
        self.history: History | None = None  # of a backfill
        self._digest: Digest | None = None  # to be said before anything of the next day
        try:
            before = ran_in(self.store.database)
            if before != ran:
                with self.store.transaction():
                    if before is None or before.mark != ran.mark:
                        self.borrowers.wake_all()
                    self.store.write("ran", msgspec.json.encode(ran))
            self._restore()
        except sqlite3.DatabaseError as error:
            self.store.close()
            raise DataError(f"{folder}: expected a sound database, got {error}; restore a backup") from None

    def close(self) -> None:
        """Let go of the data directory."""
        self.store.close()

    def take(self, batches: Sequence[Batch]) -> list[list[Outcome]]:
        """Take batches in, all or none; they are on the disk when this returns.

        Raises Unstored when the disk takes nothing.
        """
        self._tally.clear()
        try:
            with self.store.transaction():
                outcomes = [self._take_batch(batch) for batch in batches]
                self.borrowers.flush()
                self._tally[Tallied("borrower")] += self.borrowers.pop_new()
                self.store.database.executemany(
                    _TALLY, [(*key, number) for key, number in self._tally.items() if number]
                )
                self.day_ends.flush()
                self.store.write("standing", _ENCODER.encode(self._standing()))
        except BaseException as error:
            self.borrowers.forget()
            self._restore()
            if isinstance(error, sqlite3.OperationalError):
                raise Unstored(str(error)) from error
            raise
        self.borrowers.settle()
        return outcomes

    def _take_batch(self, batch: Batch) -> list[Outcome]:
        if batch.request is None:
            return [self._take(raw, batch.may_all) for raw in batch.lines]
        query = "select lines, digest, refused from requests where key = ?"
        known = self.store.database.execute(query, (batch.request,)).fetchone()
        done, digest, reasons = (0, _digest_of(()), {}) if known is None else (*known[:2], _REASONS.decode(known[2]))
        if len(batch.lines) < done or _digest_of(batch.lines[:done]) != digest:
            return [Outcome(0, "refused", KEY_REUSED, _REUSED) for _ in batch.lines]
        outcomes = [Outcome(0, "repeated", *reasons.get(n, ())) for n in range(done)]
        self._tally[Tallied("arrival", detail="repeated")] += done
        outcomes += [self._take(raw, batch.may_all) for raw in batch.lines[done:]]
        reasons = {n: (each.reason, each.why) for n, each in enumerate(outcomes) if each.reason is not None}
        row = (batch.request, len(batch.lines), _digest_of(batch.lines), _ENCODER.encode(reasons))
        self.store.database.execute("insert or replace into requests values (?, ?, ?, ?)", row)
        return outcomes

    # -- one line --

    def _take(self, raw: bytes, may_all: bool) -> Outcome:
        standing = self.standing
        position = {"file": LOG, "line": standing.lines + 1}
        try:
            arrival = self.decoder.decode(raw, position)
        except Refusal as refusal:
            self._log(raw, None)
            self._keep([refused(raw, refusal.reason, refusal.why, position)])
            self._tally[Tallied("arrival", detail=refusal.reason)] += 1
            return Outcome(standing.lines, "refused", refusal.reason, refusal.why)
        if arrival.feed in PRIVILEGED and not may_all:
            why = f"type: expected an event that scope ingest may send, got {arrival.type}; send it with scope admin"
            self._tally[Tallied("arrival", detail="forbidden")] += 1
            return Outcome(0, "refused", "forbidden", why)
        self._log(raw, arrival)
        standing.by_type[arrival.type] = standing.by_type.get(arrival.type, 0) + 1
        standing.unknown_fields += arrival.unknown
        outcome = Outcome(standing.lines, "accepted")
        for each in self._keep(self._decided(arrival)):
            if isinstance(each, DeadLetter) and each.source == position:
                outcome = Outcome(standing.lines, "refused", each.reason, each.why)
        # A plain tuple, as this is done for every event.
        self._tally["arrival", arrival.type, "", "", outcome.reason or "accepted"] += 1
        return outcome

    def _log(self, raw: bytes, arrival: Arrival | None) -> None:
        self.standing.lines += 1
        borrower, date = (None, None) if arrival is None else (_borrower(arrival.event), arrival.date)
        self.store.database.execute(_LOG, (self.standing.lines, borrower, date, raw))

    def _decided(self, arrival: Arrival) -> Iterator[Said]:
        portfolio = self.portfolio
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
        closed, each = self.portfolio.closed, self.borrowers.each
        assert closed is not None
        self.day_ends.closed(self.shelf, closed, each())
        if self.history is not None and closed.date == self.history.until:
            self._digest = digest_of(self.shelf, closed, each())

    def _keep(self, decisions: Iterable[Said]) -> list[Said]:
        """Keep decisions as they are made: the day on which each was made is the one that is open just then."""
        kept, rows = [], []
        for each in decisions:
            self.standing.decisions += 1
            if self.portfolio.day is not None:
                day = (self.portfolio.date, self.standing.decisions)
                self.store.database.execute("insert or ignore into decision_days values (?, ?)", day)
            if isinstance(each, Digest):
                self.store.write("muted", self.standing.decisions - 1)
            marks = _marks(each)
            borrower = self._dead(each) if isinstance(each, DeadLetter) else _borrower(each)
            rows.append((self.standing.decisions, *marks, borrower, _body(each)))
            self._tally[marks.tallied()] += 1
            kept.append(each)
        if rows:
            self.store.database.executemany(_KEEP, rows)
        return kept

    def _dead(self, letter: DeadLetter) -> str | None:
        """Note at a line of the log that it was refused, perhaps later; whose it is."""
        query = "update arrivals set refused = ? where n = ? returning borrower_id"
        rows = self.store.database.execute(query, (letter.reason, letter.source["line"])).fetchall()
        return rows[0][0] if rows else None

    # -- between batches --

    def _standing(self) -> Standing:
        portfolio, standing = self.portfolio, self.standing
        standing.day, standing.closed, standing.is_opened = portfolio.day, portfolio.closed, portfolio.is_opened
        standing.published = portfolio.published.standing()
        standing.moves = self.day_ends.moves
        return standing

    def _restore(self) -> None:
        self.standing = standing = standing_in(self.store.database)
        self.portfolio = portfolio = Portfolio(self.shelf, self.borrowers, closes_by_record=True)
        portfolio.day, portfolio.closed, portfolio.is_opened = standing.day, standing.closed, standing.is_opened
        if standing.published is not None:
            portfolio.published.restore(standing.published)
        portfolio.after_close = self._day_closed
        self.day_ends.restore(standing.moves)
        self._digest = None


def ran_in(database: sqlite3.Connection) -> Ran | None:
    """What the engine of a database ran with last; None when it never did."""
    row = database.execute("select value from meta where name = 'ran'").fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=Ran)


def standing_in(database: sqlite3.Connection) -> Standing:
    """Where the portfolio of a database stands."""
    row = database.execute("select value from meta where name = 'standing'").fetchone()
    return Standing() if row is None else _STANDING.decode(row[0])


def muted_in(database: sqlite3.Connection) -> int:
    """Up to which row decisions are history that nobody is told of; the opening digest is the row after it."""
    row = database.execute("select value from meta where name = 'muted'").fetchone()
    return 0 if row is None else int(row[0])


def _digest_of(lines: Sequence[bytes]) -> bytes:
    digest = sha256()
    for raw in lines:
        digest.update(raw + b"\n")
    return digest.digest()


def _marks(decision: Said) -> Marks:
    """What a decision is looked for by."""
    kind = KINDS[type(decision)]
    match decision:
        case Alert():
            return Marks(kind, decision.transition, decision.rule, None, decision.severity)
        case CollectionTask():
            return Marks(kind, decision.status, None, decision.queue, None)
        case DeadLetter():
            return Marks(kind, decision.reason, None, None, None)
        case Disagreement():
            return Marks(kind, decision.field, None, None, None)
        case Digest():
            return Marks(kind, decision.as_of, None, None, None)


def _borrower(of: Event | Said) -> str | None:
    borrower_id: str | None = getattr(of, "borrower_id", None)
    return borrower_id


def _body(decision: Said) -> bytes:
    return msgspec.json.encode(decision) if isinstance(decision, Digest) else line(decision)


_LOG = "insert into arrivals (n, borrower_id, date, raw) values (?, ?, ?, ?)"
_KEEP = """
    insert into decisions (n, kind, detail, rule, queue, severity, borrower_id, body) values (?, ?, ?, ?, ?, ?, ?, ?)
"""
_TALLY = """
    insert into tallies (kind, rule, queue, severity, detail, number) values (?, ?, ?, ?, ?, ?)
    on conflict do update set number = number + excluded.number
"""
_ENCODER = msgspec.msgpack.Encoder()
_STANDING = msgspec.msgpack.Decoder(Standing)
_REASONS = msgspec.msgpack.Decoder(dict[int, tuple[str, str | None]])
