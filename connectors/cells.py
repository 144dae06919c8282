"""What one cell of a source file says: exact numbers, dates and periods."""

import calendar
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from connectors.mapping import MappingError
from connectors.values import Value

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
SIDE_BY_SIDE = re.compile(r"%[A-Za-z]%[A-Za-z]")
MAX_CELL = 60
FIRST_YEAR, LAST_YEAR = 1970, 2199  # the dates an event may have


class Row:
    """One row of the source, with the numbers that were read from it so far."""

    __slots__ = ("_numbers", "cells", "header", "line")

    def __init__(self, cells: list[str], *, line: int, header: list[str]) -> None:
        self.cells = cells
        self.line = line
        self.header = header
        self._numbers: dict[int, Decimal | None] = {}

    def number(self, column: int) -> Decimal | None:
        """The number in a column, exact; None for an empty cell."""
        try:
            return self._numbers[column]
        except KeyError:
            text = self.cells[column].strip()
            if text and (len(text) > MAX_CELL or not NUMBER.fullmatch(text)):
                raise self.fault(column, "a number such as 1234.50") from None
            self._numbers[column] = value = Decimal(text) if text else None
            return value

    def integer(self, column: int) -> int | None:
        """The whole number in a column; None for an empty cell."""
        value = self.number(column)
        if value is None:
            return None
        if value != value.to_integral_value():
            raise self.fault(column, "a whole number")
        return int(value)

    def fault(self, column: int, expected: str) -> MappingError:
        """The sentence for a cell that is not what the mapping says."""
        got = self.cells[column]
        got = repr(got if len(got) <= MAX_CELL else got[:MAX_CELL] + "...") if got.strip() else "an empty cell"
        return MappingError(
            f"row {self.line}, column {self.header[column]}: expected {expected}, got {got}; "
            "correct the file, or the mapping if it names the wrong column or form"
        )


def read_date(row: Row, column: int, written: str | None, zone: ZoneInfo) -> date | None:
    """The date in a column, by a strptime format or ISO 8601; None for an empty cell.

    An instant with an offset is turned into the zone first: its date there is the one that counts.
    """
    text = row.cells[column].strip()
    if not text:
        return None
    day = _parsed(text, written, zone)
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise row.fault(column, f"a date {'such as 2005-04-30' if written is None else 'of the form ' + written}")
    return day


# A source has few distinct dates and many rows.
@lru_cache(maxsize=65_536)
def _parsed(text: str, written: str | None, zone: ZoneInfo) -> date | None:
    if any(each.isdigit() and not each.isascii() for each in text):  # strptime takes the digits of any script.
        return None
    try:
        # A time without an offset is meant in the zone of the mapping.
        moment = datetime.fromisoformat(text) if written is None else datetime.strptime(text, written)  # noqa: DTZ007
        # Where parts stand side by side, strptime reads 93115 as 1993-11-05: each part must have its full width.
        if written is not None and SIDE_BY_SIDE.search(written) and moment.strftime(written) != text:
            return None
        return (moment if moment.tzinfo is None else moment.astimezone(zone)).date()
    except (ValueError, OverflowError):
        return None


def later(row: Row, day: date, *, days: int, months: int) -> date:
    """A date moved on: first by months, then by days."""
    try:
        return _moved(day, days, months)
    except (ValueError, OverflowError):
        raise MappingError(
            f"row {row.line}: expected a date until {LAST_YEAR}, got {day} plus {months} months and {days} days; "
            "correct the file, or the mapping"
        ) from None


@lru_cache(maxsize=65_536)
def _moved(day: date, days: int, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    moved = date(year, month + 1, min(day.day, last)) + timedelta(days=days)
    if moved.year > LAST_YEAR:
        raise ValueError
    return moved


def read_period(row: Row, column: int, value: Value) -> date | None:
    """The last day of a numbered quarter or month; None for an empty cell."""
    number = row.integer(column)
    if number is None:
        return None
    assert value.one_is is not None
    last = period_end(number, one_is=value.one_is)
    if last is None:
        raise row.fault(
            column, f"the number of a {value.form} from {FIRST_YEAR} to {LAST_YEAR}, where 1 is {value.one_is}"
        )
    return last


@lru_cache(maxsize=65_536)
def period_end(number: int, *, one_is: str) -> date | None:
    """The last day of period `number`; None outside the years an event may have.

    >>> period_end(25, one_is="2000-Q1"), period_end(0, one_is="2005-03")
    (datetime.date(2006, 3, 31), datetime.date(2005, 2, 28))
    """
    year, part = int(one_is[:4]), one_is[5:]
    months = 3 if part.startswith("Q") else 1
    first = int(part.removeprefix("Q"))
    month_index = year * 12 + (first + number - 1) * months - 1
    year, month = divmod(month_index, 12)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    return date(year, month + 1, calendar.monthrange(year, month + 1)[1])
