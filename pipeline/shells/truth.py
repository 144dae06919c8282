"""What became of the borrowers: who defaulted, when, of what, and since when it had been coming."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

import msgspec

from connectors.cells import Row
from connectors.mapping import MappingError
from connectors.source import Source
from connectors.whole_lines import BadFile
from pipeline.refusals import nearest, shortened, shown

BORROWER, CAUSE, BEGAN, DEFAULTED = COLUMNS = ("borrower_id", "cause", "began_on", "defaulted_on")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one borrower; None is no cause, no beginning and no default that anybody knows of."""

    cause: str | None = None
    began_on: date | None = None
    defaulted_on: date | None = None


Truth = Mapping[str, Outcome]  # by borrower; who is not in it never defaulted


def read_truth(file: Path, borrowers: Iterable[str], first_day: date) -> dict[str, Outcome]:
    """The rows of a truth file that belongs to these borrowers; BadFile in one sentence when it cannot."""
    try:
        source = Source(file)
        try:
            return _read(source, file, frozenset(borrowers), first_day)
        finally:
            source.close()
    except MappingError as error:
        said = str(error)
        raise BadFile(f"{file}, {said}" if said.startswith("row ") else said) from None


def _read(source: Source, file: Path, borrowers: frozenset[str], first_day: date) -> dict[str, Outcome]:
    _refuse_missing(source.header, file)
    rows: dict[str, int] = {}  # borrower -> its row
    found: dict[str, Outcome] = {}
    for row, cells in _cells(source):
        borrower_id, where = cells[BORROWER], f"{file}, row {row.line}"
        if not borrower_id:
            raise BadFile(f"{where}, {BORROWER}: expected the id of a borrower, got an empty cell; correct the file")
        if borrower_id in rows:
            said = f"got {shortened(borrower_id)} again after row {rows[borrower_id]}"
            raise BadFile(f"{where}: expected one row a borrower, {said}; keep the first default of each")
        rows[borrower_id] = row.line
        found[borrower_id] = _outcome(cells, where, first_day)
    if source.is_cut_off:
        raise BadFile(f"{file}: expected a whole gzip file, got one that ends too early; fetch the file again")
    _refuse_others(rows, borrowers, file)
    return found


def _cells(source: Source) -> Iterator[tuple[Row, dict[str, str]]]:
    places = {name: source.header.index(name) for name in COLUMNS}
    for row in source.rows():
        yield row, {name: row.cells[place].strip() for name, place in places.items()}


def _outcome(cells: Mapping[str, str], where: str, first_day: date) -> Outcome:
    began_on, defaulted_on = (_date(cells[name], f"{where}, {name}") for name in (BEGAN, DEFAULTED))
    if defaulted_on is not None and defaulted_on < first_day:
        raise BadFile(
            f"{where}, {DEFAULTED}: expected a date from {first_day} on, when the alerts begin, got {defaulted_on}; "
            "name the truth of the same period"
        )
    if began_on is not None and defaulted_on is not None and began_on > defaulted_on:
        raise BadFile(
            f"{where}, {BEGAN}: expected a date up to the default on {defaulted_on}, got {began_on}; correct the file"
        )
    return Outcome(cause=cells[CAUSE] or None, began_on=began_on, defaulted_on=defaulted_on)


def _date(text: str, where: str) -> date | None:
    if not text:
        return None
    try:
        # The library reads 20250305 and 2025-W10-3, too; a file that mixes forms is rarely meant.
        return date.fromisoformat(text if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII) else "")
    except ValueError:
        said = f"expected a date such as 2025-03-05, or nothing, got {shown(text)}"
        raise BadFile(f"{where}: {said}; correct the file") from None


def _refuse_missing(header: list[str], file: Path) -> None:
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        advice = nearest(missing[0], header) or "name the truth file"
        raise BadFile(
            f"{file}: expected the columns {', '.join(COLUMNS)}, got a header without {', '.join(missing)}; {advice}"
        )


def _refuse_others(rows: Mapping[str, int], borrowers: frozenset[str], file: Path) -> None:
    """Refuse the truth of another portfolio: its defaults would count as missed."""
    others = [borrower_id for borrower_id in rows if borrower_id not in borrowers]
    if others:
        first = f"{shortened(others[0])} in row {rows[others[0]]}"
        count = "one that is not" if len(others) == 1 else f"{len(others):,} that are not"
        raise BadFile(
            f"{file}: expected borrowers of the replay, got {count} in it, first {first}; "
            "name the truth of the same portfolio"
        )
