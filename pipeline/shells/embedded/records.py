"""What a batch leaves in the store beside borrowers: its lines, what was said to them, and how many of each kind."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from pipeline.decisions import Alert, CollectionTask, DeadLetter, Decision, Disagreement, ShadowAlert, line
from pipeline.decode import Arrival
from pipeline.events import ConnectedWarned, Event
from pipeline.shells.embedded.digest import Digest
from pipeline.shells.embedded.quarantine import Failed
from pipeline.shells.embedded.standing import Standing
from pipeline.shells.embedded.store import Store
from pipeline.shells.portfolio import Portfolio

LOG = "events.jsonl"  # what the log of arrivals is called as a file
KINDS: dict[type, str] = {
    Alert: "alert",
    ShadowAlert: "shadow",
    CollectionTask: "task",
    DeadLetter: "dead_letter",
    Disagreement: "disagreement",
    ConnectedWarned: "warning",
    Digest: "digest",
}
Said = Decision | Digest


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


class Records:
    """Writes them, inside the transaction of the batch; `standing` counts lines and decisions."""

    def __init__(self, store: Store, standing: Standing, portfolio: Portfolio) -> None:
        self.tally: Counter[tuple[str, ...]] = Counter()  # of the batch, by Tallied or what equals it
        self._store, self._standing, self._portfolio = store, standing, portfolio
        self._dated: int | None = None  # the business day whose first decision is noted

    def log(self, raw: bytes, arrival: Arrival | None) -> None:
        """Write a line into the log of arrivals."""
        self._standing.lines += 1
        borrower, date = (None, None) if arrival is None else (borrower_of(arrival.event), arrival.date)
        self._store.database.execute(_LOG, (self._standing.lines, borrower, date, raw))

    def keep(self, decisions: Iterable[Said]) -> list[Said]:
        """Keep decisions as they are made: the day on which each was made is the one that is open just then."""
        kept, rows = [], []
        for each in decisions:
            self._standing.decisions += 1
            if self._portfolio.day is not None and self._portfolio.date != self._dated:
                self._dated = self._portfolio.date
                day = (self._dated, self._standing.decisions)
                self._store.database.execute("insert or ignore into decision_days values (?, ?)", day)
            if isinstance(each, Digest):
                self._store.write("muted", self._standing.decisions - 1)
            marks = marks_of(each)
            borrower = self._dead(each) if isinstance(each, DeadLetter) else borrower_of(each)
            rows.append((self._standing.decisions, *marks, borrower, self._encoded(each)))
            self.tally[marks.tallied()] += 1
            kept.append(each)
        if rows:
            self._store.database.executemany(_KEEP, rows)
        return kept

    def _dead(self, letter: DeadLetter) -> str | None:
        """Note at a line of the log that it was refused, perhaps later; whose it is."""
        query = "update arrivals set refused = ? where n = ? returning borrower_id"
        rows = self._store.database.execute(query, (letter.reason, letter.source.get("line"))).fetchall()
        whose: str | None = rows[0][0] if rows else None
        return borrower_in(letter.raw) if whose is None else whose

    def _encoded(self, decision: Said) -> bytes:
        try:
            return _body(decision)
        except Exception as error:
            if isinstance(decision, DeadLetter | Digest):
                raise
            raise Failed(decision.borrower_id, self._standing.lines) from error

    def flush(self) -> None:
        """Write what was counted."""
        counts = [(*key, number) for key, number in self.tally.items() if number]
        self._store.database.executemany(_TALLY, counts)


def marks_of(decision: Said) -> Marks:
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
        case ConnectedWarned():
            return Marks(kind, decision.kind, decision.rule, None, decision.severity)
        case Digest():
            return Marks(kind, decision.as_of, None, None, None)


def borrower_of(of: Event | Said) -> str | None:
    """Whose an event or a decision is; None where it is nobody's."""
    borrower_id: str | None = getattr(of, "borrower_id", None)
    return borrower_id


def borrower_in(raw: bytes) -> str | None:
    """Whose a line is, where it says so in a way that can be read."""
    try:
        return _WHOSE.decode(raw).borrower_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Whose(msgspec.Struct):
    borrower_id: str | None = None


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
_WHOSE = msgspec.json.Decoder(_Whose)
