"""Reading a running engine's database: connections of its own, one snapshot an answer, and pages of decisions.

A decision is found by equality on the columns of one index and a range of its number, so what a page costs does not
grow with the table. Where a filter leaves a column of the index open, its few values are ranges of their own, and the
page is the nearest rows of all of them.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any, Literal, NamedTuple, get_args

from pipeline.decisions import Transition
from pipeline.refusals import Reason
from pipeline.shells.embedded.records import Tallied
from pipeline.shells.embedded.store import FILE
from rules.rule import SEVERITIES

Order = Literal["newest", "oldest"]
Kind = Literal["alert", "task", "dead_letter"]
Status = Literal["open", "updated", "cancelled", "done"]
DETAILS: dict[Kind, tuple[str, ...]] = {
    "alert": get_args(Transition),
    "task": get_args(Status),
    "dead_letter": get_args(Reason),
}
KEPT_OPEN = 8  # connections that wait for the next reader


class Reader:
    """Read-only connections to the database of an engine; any thread may use it."""

    def __init__(self, folder: Path) -> None:
        self._uri = f"{(folder / FILE).resolve().as_uri()}?mode=ro"
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue(KEPT_OPEN)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """The database as it stands now, whatever is written meanwhile."""
        try:
            database = self._idle.get_nowait()
        except Empty:
            database = sqlite3.connect(self._uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            database.execute("begin")
            yield database
            database.execute("rollback")
            self._idle.put_nowait(database)
        except BaseException:  # Full too: as many wait as may.
            database.close()
            raise

    def close(self) -> None:
        """Let go of the connections that nobody uses."""
        while not self._idle.empty():
            self._idle.get_nowait().close()


class Wanted(NamedTuple):
    """Which decisions; empty: all of that column."""

    kind: Kind
    rule: str | None = None
    queue: str | None = None
    borrower_id: str | None = None
    severities: Sequence[str] = ()
    details: Sequence[str] = ()


class Span(NamedTuple):
    """Part of a list: numbers after `after` and before `before`, those nearest to the start of the order first."""

    after: int
    before: int
    order: Order
    limit: int


EVERYTHING = (-1, 1 << 62)
MOST_BYTES = 4 << 20  # of the bodies of a page: a record may have a mebibyte
Row = tuple[Any, ...]  # a number first, a body last


class Found(NamedTuple):
    """The first rows of a span, and whether others follow."""

    rows: list[Row]
    has_more: bool


def decisions(database: sqlite3.Connection, wanted: Wanted, span: Span) -> Found:
    """The first decisions of a span, in its order: number, kind, rule, severity, body."""
    direction = _DIRECTIONS[span.order]
    found: list[str] = []
    values: list[Any] = []
    for index, columns in _ranges(wanted):
        where = "".join(f"{name} is null and " if value is None else f"{name} = ? and " for name, value in columns)
        found.append(
            f"select n from (select n from decisions indexed by {index} where {where} n > ? and n < ? "
            f"order by n {direction} limit ?)"
        )
        values += [value for _, value in columns if value is not None]
        values += [span.after, span.before, span.limit + 1]
    query = f"{' union all '.join(found)} order by n {direction} limit ?"
    numbers = database.execute(query, (*values, span.limit + 1)).fetchall()
    each = "select n, kind, rule, severity, body from decisions where n = ?"
    return _some((database.execute(each, number).fetchone() for number in numbers), span.limit)


def _some(rows: Iterable[Row], limit: int) -> Found:
    """As many rows as a page may have, and at least one."""
    found: list[Row] = []
    size = 0
    for row in rows:
        size += len(row[-1])
        if len(found) == limit or (found and size > MOST_BYTES):
            return Found(found, True)
        found.append(row)
    return Found(found, False)


_DIRECTIONS = {"newest": "desc", "oldest": "asc"}


Columns = tuple[tuple[str, str | None], ...]


def _ranges(wanted: Wanted) -> list[tuple[str, Columns]]:
    """The ranges of one index in which the wanted rows stand, each as index and the values of its columns."""
    kind = ("kind", wanted.kind)
    severities: Sequence[str | None] = sorted(set(wanted.severities))
    if not severities:
        severities = SEVERITIES if wanted.kind == "alert" else (None,)
    details = sorted(set(wanted.details)) or DETAILS[wanted.kind]
    both: list[Columns] = [(("severity", s), ("detail", d)) for s, d in product(severities, details)]
    is_narrow = bool(wanted.severities or wanted.details)
    named = [(name, value) for name in ("rule", "queue") if (value := getattr(wanted, name)) is not None]
    if wanted.borrower_id is not None:
        # A borrower has few decisions, so whatever else is wanted of them is looked for among these.
        own = (("borrower_id", wanted.borrower_id), kind, *named)
        return [("decisions_by_borrower", (*own, *each)) for each in (both if is_narrow else [()])]
    if named:
        [(name, _)] = named
        if name == "queue":
            return [("decisions_by_queue", (kind, *named, ("detail", detail))) for detail in details]
        return [("decisions_by_rule", (kind, *named, *each)) for each in both]
    if is_narrow:
        return [("decisions_by_severity", (kind, *each)) for each in both]
    return [("decisions_by_kind", (kind,))]


def of_borrower(database: sqlite3.Connection, borrower_id: str, span: Span) -> Found:
    """The first decisions about a borrower, but those of rules in shadow, which tell nobody: number, kind, body."""
    query = f"""
        select n, kind, body from decisions indexed by decisions_by_borrower
        where borrower_id = ? and kind <> 'shadow' and n > ? and n < ? order by n {_DIRECTIONS[span.order]} limit ?
    """
    values = (borrower_id, span.after, span.before, span.limit + 1)
    return _some(database.execute(query, values), span.limit)


def events_of(database: sqlite3.Connection, borrower_id: str, span: Span, dates: tuple[int, int] = EVERYTHING) -> Found:
    """The first events of a borrower in the order of their arrival: line of the log, date, refused, raw."""
    query = f"""
        select n, date, refused, raw from arrivals indexed by arrivals_by_borrower
        where borrower_id = ? and n > ? and n < ? and date between ? and ?
        order by n {_DIRECTIONS[span.order]} limit ?
    """
    values = (borrower_id, span.after, span.before, *dates, span.limit + 1)
    return _some(database.execute(query, values), span.limit)


def numbers_of_days(database: sqlite3.Connection, first: int | None, last: int | None) -> tuple[int, int]:
    """The decisions of business days from one to another, as the numbers before and after them."""
    query = "select first from decision_days where date >= ? order by date limit 1"
    after, before = EVERYTHING
    if first is not None:
        row = database.execute(query, (first,)).fetchone()
        after = before if row is None else row[0] - 1
    if last is not None:
        row = database.execute(query, (last + 1,)).fetchone()
        before = before if row is None else row[0]
    return after, before


def is_known(database: sqlite3.Connection, borrower_id: str) -> bool:
    """Whether an event of a borrower was ever taken."""
    return database.execute("select 1 from heads where borrower_id = ?", (borrower_id,)).fetchone() is not None


def tallies(database: sqlite3.Connection) -> dict[Tallied, int]:
    """How many there are of each kind."""
    query = "select kind, rule, queue, severity, detail, number from tallies"
    return {Tallied(*key): number for *key, number in database.execute(query)}


def last_alert(database: sqlite3.Connection) -> int:
    """The number of the newest alert; 0 when there is none."""
    query = "select coalesce(max(n), 0) from decisions where kind = 'alert'"
    number: int = database.execute(query).fetchone()[0]
    return number
