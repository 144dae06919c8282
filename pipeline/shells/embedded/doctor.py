"""Whether the data of an engine is sound: what SQLite says of its file, and whether what stands in it agrees."""

import sqlite3
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from pipeline.freezing import thaw
from pipeline.refusals import Refusal
from pipeline.shells.embedded.reading import opened
from pipeline.shells.embedded.standing import Standing, standing_in
from pipeline.shells.embedded.store import FILE, FORMAT, DataError, other_format
from pipeline.untidy import parsed
from pipeline.zone import date_text

Read = TypeVar("Read")
SHOWN = 3  # examples in a finding
_FAULTS = 20  # that SQLite lists before it stops


class Finding(NamedTuple):
    """What came of one check: a text of `texts.py` with its values."""

    check: str
    is_sound: bool
    said: str
    values: dict[str, Any]


def examined(data: Path) -> Iterator[Finding]:
    """Every check in turn; DataError where there is nothing to check, or a newer program wrote it."""
    database = opened(data)
    try:
        for name, check in CHECKS.items():
            try:
                found = check(database)
            except (sqlite3.DatabaseError, msgspec.DecodeError, UnicodeDecodeError) as error:
                found = Finding(name, False, "unreadable", {"error": error})
            yield found._replace(check=name)
    finally:
        database.close()


def _format(database: sqlite3.Connection) -> Finding:
    database.execute("begin")  # All checks see the same moment.
    row = database.execute("select value from meta where name = 'format'").fetchone()
    if row is not None and isinstance(row[0], int) and row[0] > FORMAT:
        raise DataError(f"{FILE}: {other_format(row[0])}")
    found = None if row is None else row[0]
    return Finding("", found == FORMAT, "format", {"found": found, "expected": FORMAT})


def _pages(database: sqlite3.Connection) -> Finding:
    faults = [said for (said,) in database.execute(f"pragma integrity_check({_FAULTS})")]
    if faults == ["ok"]:
        return Finding("", True, "pages", {"pages": database.execute("pragma page_count").fetchone()[0]})
    shown = " ".join(faults[0].split())
    return Finding("", False, "pages_bad", {"faults": sum(len(said.splitlines()) for said in faults), "first": shown})


def _arrivals(database: sqlite3.Connection) -> Finding:
    standing = standing_in(database)
    count, last = database.execute("select count(*), coalesce(max(n), 0) from arrivals not indexed").fetchone()
    every = database.execute("select n, raw from arrivals not indexed order by n")
    strange = [n for n, raw in every if not is_record(raw)]
    letters = lines_of_letters(database) if strange else set()
    untold = [n for n in strange if n not in letters]
    values = {"count": count, "last": last, "standing": standing.lines, "shown": _shown(untold)}
    if (count, last) != (standing.lines, standing.lines):
        return Finding("", False, "arrivals_gaps", values)
    return Finding("", not untold, "arrivals_strange" if untold else "arrivals", values)


def is_record(raw: bytes | None) -> bool:
    """Whether a line of the log is what the core can read; what it cannot has a dead letter."""
    if raw is None:
        return False
    try:
        msgspec.json.decode(raw, type=dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            parsed(raw)
        except Refusal:
            return False
    return True


def lines_of_letters(database: sqlite3.Connection) -> set[int]:
    """The lines of the log that are no records and were refused as such, of those letters that can be read."""
    lines = set()
    for (body,) in database.execute("select body from decisions not indexed where kind = 'dead_letter'"):
        letter = _letter(body)
        if letter is not None and letter.reason in _NO_RECORD:
            lines.add(letter.source.get("line", 0))
    return lines


def _closes(database: sqlite3.Connection) -> Finding:
    standing = standing_in(database)
    closes = database.execute("select date, n from closes order by date").fetchall()
    is_sound = all(
        after[0] == before[0] + 1 and before[1] <= after[1] for before, after in pairwise(closes)
    ) and _agrees(standing, closes)
    last = "-" if not closes else date_text(closes[-1][0])
    return Finding("", is_sound, "closes" if is_sound else "closes_bad", {"count": len(closes), "last": last})


def _agrees(standing: Standing, closes: list[tuple[int, int]]) -> bool:
    if not closes:
        return standing.closed is None
    date, line = closes[-1]
    is_last = standing.closed is not None and standing.closed.date == date
    return is_last and standing.day is not None and standing.day.date == date + 1 and line <= standing.lines


def _borrowers(database: sqlite3.Connection) -> Finding:
    """Heads and tails belong together, and every memory can be read."""
    query = "select borrower_id, head, tail from heads not indexed left join tails using (borrower_id)"
    bad = [borrower_id for borrower_id, *memory in database.execute(query) if not _thaws(borrower_id, *memory)]
    query = "select borrower_id, head, tail from closed_heads not indexed where head is not null"
    bad += [borrower_id for borrower_id, *memory in database.execute(query) if not _thaws(borrower_id, *memory)]
    bad += [
        borrower_id
        for (borrower_id,) in database.execute("select borrower_id from tails except select borrower_id from heads")
    ]
    count = database.execute("select count(*) from heads not indexed").fetchone()[0]
    bad = sorted({str(each) for each in bad})
    values = {"count": count, "bad": len(bad), "shown": _shown(bad)}
    return Finding("", not bad, "borrowers_bad" if bad else "borrowers", values)


def _thaws(borrower_id: str, head: bytes, tail: bytes | None) -> bool:
    try:
        return tail is not None and bool(thaw(borrower_id, head, tail))
    except Exception:  # Bytes that are not those that were written raise whatever they happen to.
        return False


def _decisions(database: sqlite3.Connection) -> Finding:
    """Each can be read, and they are numbered without gaps."""
    lines = standing_in(database).lines
    bad: list[int] = []
    count = last = 0
    for n, kind, body in database.execute("select n, kind, body from decisions not indexed order by n"):
        count, last = count + 1, n
        letter = _letter(body) if kind == "dead_letter" else _decoded(body, dict)
        if letter is None or (isinstance(letter, _Letter) and not 1 <= letter.source.get("line", 1) <= lines):
            bad.append(n)
    values = {"count": count, "last": last, "bad": len(bad), "shown": _shown(bad)}
    if bad:
        return Finding("", False, "decisions_bad", values)
    return Finding("", count == last, "decisions" if count == last else "decisions_gaps", values)


def _asides(database: sqlite3.Connection) -> Finding:
    """Not a fault of the data: whom the core failed on."""
    count = database.execute("select count(*) from quarantine").fetchone()[0]
    return Finding("", True, "asides", {"count": count})


def _shown(found: list[Any]) -> str:
    return ", ".join(str(each) for each in found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")


_NO_RECORD = ("not_json", "too_long")


class _Letter(msgspec.Struct):
    reason: str
    source: dict[str, Any]


def _letter(body: bytes | None) -> _Letter | None:
    return _decoded(body, _Letter)


def _decoded(body: bytes | None, kind: type[Read]) -> Read | None:
    """What stands in a decision; None where it cannot be read."""
    try:
        return None if body is None else msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


CHECKS: dict[str, Callable[[sqlite3.Connection], Finding]] = {
    "format": _format,
    "pages": _pages,
    "arrivals": _arrivals,
    "closes": _closes,
    "borrowers": _borrowers,
    "decisions": _decisions,
    "asides": _asides,
}
