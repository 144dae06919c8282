"""Dead letters as they are read: from the data of an engine, or from the folder of a replay."""

import base64
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from pipeline.decisions import DeadLetter
from pipeline.shells.embedded.records import borrower_in
from pipeline.shells.embedded.standing import standing_in
from pipeline.shells.replay import FILES
from pipeline.zone import date_text


class Wanted(NamedTuple):
    """Which letters are asked for, in the order of their numbers."""

    reason: str | None = None
    borrower_id: str | None = None
    after: int = 0
    until: int | None = None
    limit: int | None = None
    is_open: bool = False  # only those that were not taken again


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter: the record that could not be used, and what became of it."""

    number: int
    reason: str
    why: str
    source: dict[str, Any]
    borrower_id: str | None  # where the record says so
    day: str | None  # the business day that was open when the record came; None where the folder does not say
    replayed_as: int | None  # the line of the log as which it was taken again
    raw: bytes

    def told(self) -> dict[str, Any]:
        """The letter as JSON; its bytes as text where they are that, else as base64."""
        found = {name: getattr(self, name) for name in self.__struct_fields__ if name != "raw"}
        try:
            return found | {"bytes": self.raw.decode("utf-8")}
        except UnicodeDecodeError:
            return found | {"bytes": base64.b64encode(self.raw).decode(), "encoding": "base64"}


class Counted(NamedTuple):
    """How many letters there are of a reason, and how many of them were not taken again."""

    all: int
    open: int


class _Body(msgspec.Struct):
    """What stands of a letter in a decision, and in a file of a replay."""

    reason: str
    why: str
    source: dict[str, Any]
    bytes: str
    encoding: str | None = None


def _raw(body: _Body) -> bytes:
    return base64.b64decode(body.bytes) if body.encoding == "base64" else body.bytes.encode()


# -- of an engine -----------------------------------------------------------


def letters_in(database: sqlite3.Connection, wanted: Wanted) -> list[Letter]:
    """The letters of an engine."""
    conditions: list[str] = ["kind = 'dead_letter'", "n > ?"]
    values: list[int | str] = [wanted.after]
    if wanted.reason is not None:
        conditions.append("detail = ?")
        values.append(wanted.reason)
    if wanted.borrower_id is not None:
        conditions.append("borrower_id = ?")
        values.append(wanted.borrower_id)
    if wanted.until is not None:
        conditions.append("n <= ?")
        values.append(wanted.until)
    if wanted.is_open:
        conditions.append("line is null")
    query = f"{_SELECT} where {' and '.join(conditions)} order by n limit ?"
    return list(_read(database, query, *values, -1 if wanted.limit is None else wanted.limit))


def letter_in(database: sqlite3.Connection, number: int) -> Letter | None:
    """The letter of a number; None when there is none."""
    return next(_read(database, f"{_SELECT} where kind = 'dead_letter' and n = ?", number), None)


def counts_in(database: sqlite3.Connection) -> dict[str, Counted]:
    """How many letters there are, by reason: read from an index, whatever the letters hold."""
    return {reason: Counted(*counts) for reason, *counts in database.execute(COUNTS)}


def last_in(database: sqlite3.Connection) -> int:
    """The number of the last decision: letters beyond it are of later."""
    return int(database.execute("select coalesce(max(n), 0) from decisions").fetchone()[0])


def _read(database: sqlite3.Connection, query: str, *values: Any) -> Iterator[Letter]:
    first = standing_in(database).first_day
    for n, borrower_id, body, line in database.execute(query, values).fetchall():
        found = _BODY.decode(body)
        yield Letter(
            number=n,
            reason=found.reason,
            why=found.why,
            source=found.source,
            borrower_id=borrower_id,
            day=_day_of(database, found.source.get("line"), first),
            replayed_as=line,
            raw=_raw(found),
        )


def _day_of(database: sqlite3.Connection, line: int | None, first: int | None) -> str | None:
    """The day that was open when a line came; None before the first."""
    closed = database.execute("select max(date) from closes where n < ?", (line,)).fetchone()[0]
    day = first if closed is None else closed + 1
    return None if day is None else date_text(day)


# -- of a replay ------------------------------------------------------------


def letters_of(folder: Path) -> Iterator[Letter]:
    """The letters of a folder that a replay wrote, numbered as they stand there; BadFile where it is no such folder."""
    from pipeline.shells.decided import lines_of  # Its numpy takes a fifth of a second to load.

    for number, found in enumerate(lines_of(folder / FILES[DeadLetter], _Body), 1):
        yield Letter(
            number=number,
            reason=found.reason,
            why=found.why,
            source=found.source,
            borrower_id=borrower_in(_raw(found)),
            day=None,
            replayed_as=None,
            raw=_raw(found),
        )


def chosen(letters: Iterable[Letter], wanted: Wanted) -> list[Letter]:
    """Those of some letters that are asked for."""
    found: list[Letter] = []
    for each in letters:
        if wanted.limit is not None and len(found) >= wanted.limit:
            break
        is_one = wanted.reason in (None, each.reason) and wanted.borrower_id in (None, each.borrower_id)
        if is_one and each.number > wanted.after:
            found.append(each)
    return found


# Nothing but the index is read: kind stands for every letter in it.
COUNTS = """
    select detail, count(*), count(*) - count(line)
    from decisions indexed by dead_letters_by_reason left join replayed on letter = n
    where kind = 'dead_letter' group by detail
"""
_SELECT = "select n, borrower_id, body, line from decisions left join replayed on letter = n"
_BODY = msgspec.json.Decoder(_Body)
