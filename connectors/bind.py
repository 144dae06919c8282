"""The parts of a mapping as functions of a row: columns, templates, values, requirements."""

import operator
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.cells import Row, later, read_date, read_period
from connectors.exact import EXACT, divided, half_even
from connectors.mapping import Group, Heading, MappingError
from connectors.mapping_checks import Sort, constant_date
from connectors.values import SLOT, Quantity, Requirement, Value

ID = re.compile(r"[A-Za-z0-9._:-]+")
PPM_DIGITS = 6
MOST_TIMES = 100_000  # days or months that a date may be moved by
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": operator.eq,
    "differs": operator.ne,
    "above": operator.gt,
    "at_least": operator.ge,
    "below": operator.lt,
    "at_most": operator.le,
}


class Binder:
    """Looks up columns in a header, in a group first; names that are not there are gathered in `missing`."""

    def __init__(
        self, header: list[str], terms: Heading, *, group: Group | None = None, missing: dict[str, None] | None = None
    ) -> None:
        self.header = header
        self.digits = terms.currency_digits
        self.zone = terms.zone_info
        self.group = group
        self.missing: dict[str, None] = missing if missing is not None else {}

    def heading(self, name: str) -> str:
        """The name in the header that a name in the mapping stands for."""
        return self.group.columns.get(name, name) if self.group is not None else name

    def column(self, name: str) -> int:
        """The place of a column; 0, and a note in `missing`, when the header lacks it."""
        name = self.heading(name)
        if name not in self.header:
            self.missing[name] = None
            return 0
        return self.header.index(name)

    def key(self, names: list[str]) -> Callable[[Row], tuple[str, ...]]:
        """The cells of several columns together."""
        columns = [self.column(name) for name in names]
        return lambda row: tuple(row.cells[i].strip() for i in columns)

    def template(self, text: str, *, what: str | None) -> Callable[[Row], str]:
        """A text with its slots filled from the row; with `what` it must come out as an id."""
        if self.group is not None:
            text = text.replace("{group}", self.group.name)
        pieces = SLOT.split(text)  # text, slot, text, slot, ... text
        columns = [self.column(name) for name in pieces[1::2]]
        pattern = "%s".join(piece.replace("%", "%%") for piece in pieces[::2])

        def fill(row: Row) -> str:
            filled: str = pattern % tuple([row.cells[i].strip() for i in columns])
            if what is not None and not ID.fullmatch(filled):
                raise MappingError(
                    f"row {row.line}, {what}: expected letters, digits and . _ : - only, got {filled[:60]!r}; "
                    "correct the file, or name another column in the mapping"
                )
            return filled

        return fill

    def requirement(self, name: str, wanted: Requirement) -> Callable[[Row], bool]:
        """True when the cell is as wanted; an empty cell is unknown and satisfies no comparison."""
        column = self.column(name)
        tests = [(COMPARISONS[word], getattr(wanted, word)) for word in COMPARISONS]
        choice = frozenset(wanted.one_of if wanted.one_of is not None else ())
        is_of_numbers = any(isinstance(each, Decimal) for each in choice)
        numbers = [(compare, than) for compare, than in tests if isinstance(than, Decimal)]
        texts = [(compare, than) for compare, than in tests if isinstance(than, str)]
        present = wanted.present

        def holds(row: Row) -> bool:
            text = row.cells[column].strip()
            if present is not None and present != bool(text):
                return False
            if not text:
                return not numbers and not texts and not choice
            if choice and (row.number(column) if is_of_numbers else text) not in choice:
                return False
            if not all(compare(text, than) for compare, than in texts):
                return False
            number = row.number(column) if numbers else None
            return number is None or all(compare(number, than) for compare, than in numbers)

        return holds

    def required_date(self, value: Value, *, what: str) -> Callable[[Row], date]:
        """A date that every row must have."""
        read = self.value(value, "date", "dated")
        written = value.date or value.quarter or value.month

        def day(row: Row) -> date:
            found: date | None = read(row)
            if found is None:
                raise row.fault(self.column(written or ""), f"the date of {what}")
            return found

        return day

    def value(self, value: Value, sort: Sort, name: str) -> Callable[[Row], Any]:
        """What fills one field; None where the source does not say."""
        if value.form == "text":
            return self._word(value)
        if sort in ("flag", "text"):
            return self._text(value, name)
        if sort == "date":
            return self._date(value)
        if value.form == "constant":
            return lambda row: value.constant
        number = self._number(value, shift=PPM_DIGITS if sort == "share" else 0, is_whole=sort == "integer")
        return _floored(number) if value.floor is not None else number

    def _text(self, value: Value, name: str) -> Callable[[Row], Any]:
        constant = value.constant
        if not isinstance(constant, str):
            return lambda row: constant
        fill = self.template(constant, what=name if name.endswith("_id") else None)
        return lambda row: fill(row) or None

    def _word(self, value: Value) -> Callable[[Row], str | None]:
        column, words = self.column(value.text or ""), value.words
        if words is None:
            return lambda row: row.cells[column].strip() or None

        def word(row: Row) -> str | None:
            code = row.cells[column].strip()
            if code and code not in words:
                raise row.fault(column, f"one of {', '.join(words)}")
            return words.get(code)

        return word

    def _date(self, value: Value) -> Callable[[Row], date | None]:
        read = self._written_date(value)
        if not value.has_shift:
            return read
        count_days, count_months = self._count(value.plus_days), self._count(value.plus_months)

        def moved(row: Row) -> date | None:
            day, days, months = read(row), count_days(row), count_months(row)
            if day is None or days is None or months is None:
                return None
            return later(row, day, days=days, months=months)

        return moved

    def _count(self, written: int | str | None) -> Callable[[Row], int | None]:
        if not isinstance(written, str):
            fixed = 0 if written is None else written
            return lambda row: fixed
        column = self.column(written)

        def count(row: Row) -> int | None:
            number = row.integer(column)
            if number is not None and not 0 <= number <= MOST_TIMES:
                raise row.fault(column, f"a number from 0 to {MOST_TIMES}")
            return number

        return count

    def _written_date(self, value: Value) -> Callable[[Row], date | None]:
        if value.form == "constant":
            fixed = constant_date(value)
            return lambda row: fixed
        if value.form == "date":
            column, written = self.column(value.date or ""), value.format
            zone = self.zone
            return lambda row: read_date(row, column, written, zone)
        column = self.column(value.quarter or value.month or "")
        return lambda row: read_period(row, column, value)

    def _number(self, value: Value, *, shift: int, is_whole: bool) -> Callable[[Row], int | None]:
        if value.ratio is not None:
            top, bottom = (self._quantity(each) for each in value.ratio)
            return lambda row: _ratio(top(row), bottom(row), shift)
        if value.product is not None:
            product = self._product(value.product)
            return lambda row: _rounded(product(row), shift)
        if is_whole:
            column = self.column(value.integer or "")
            return lambda row: row.integer(column)
        quantity = self._quantity(value)
        return lambda row: _rounded(quantity(row), shift)

    def _product(self, factors: list[Quantity]) -> Callable[[Row], Decimal | None]:
        quantities = [self._quantity(each) for each in factors]

        def product(row: Row) -> Decimal | None:
            result = Decimal(1)
            for quantity in quantities:
                factor = quantity(row)
                if factor is None:
                    return None
                result = EXACT.multiply(result, factor)
            return result

        return product

    def _quantity(self, quantity: Quantity) -> Callable[[Row], Decimal | None]:
        """A number in the unit that sums are made in: minor units for money, a share of 1 for shares."""
        if quantity.form == "constant":
            constant = Decimal(str(quantity.constant))
            return lambda row: constant
        if quantity.product is not None:
            return self._product(quantity.product)
        column = self.column(getattr(quantity, quantity.form))
        shift = {"major": self.digits, "percent": -2, "ppm": -PPM_DIGITS}.get(quantity.form, 0)

        def scaled(row: Row) -> Decimal | None:
            number = row.number(column)
            return None if number is None else number.scaleb(shift, context=EXACT)

        return scaled if shift else lambda row: row.number(column)


def _floored(number: Callable[[Row], int | None]) -> Callable[[Row], int | None]:
    def floored(row: Row) -> int | None:
        value = number(row)
        return None if value is None else max(0, value)

    return floored


def _ratio(top: Decimal | None, bottom: Decimal | None, shift: int) -> int | None:
    if top is None or not bottom:  # A division by nothing is unknown, as is one by an empty cell.
        return None
    return divided(top.scaleb(shift, context=EXACT), bottom)


def _rounded(number: Decimal | None, shift: int) -> int | None:
    return None if number is None else half_even(number.scaleb(shift, context=EXACT))
