"""The parts of a mapping as functions of a row: columns, templates, values, requirements."""

import operator
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.cells import Row, read_date, read_period
from connectors.exact import EXACT, divided, half_even
from connectors.mapping import SLOT, Group, MappingError, Quantity, Requirement, Value
from connectors.mapping_checks import Sort, constant_date

ID = re.compile(r"[A-Za-z0-9._:-]+")
PPM_DIGITS = 6
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
        self, header: list[str], *, digits: int, group: Group | None = None, missing: dict[str, None] | None = None
    ) -> None:
        self.header = header
        self.digits = digits
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
        numbers = [(compare, than) for compare, than in tests if isinstance(than, Decimal)]
        texts = [(compare, than) for compare, than in tests if isinstance(than, str)]
        present = wanted.present

        def holds(row: Row) -> bool:
            text = row.cells[column].strip()
            if present is not None and present != bool(text):
                return False
            if not text:
                return not numbers and not texts
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

    def _date(self, value: Value) -> Callable[[Row], date | None]:
        if value.form == "constant":
            fixed = constant_date(value)
            return lambda row: fixed
        if value.form == "date":
            column, written = self.column(value.date or ""), value.format
            return lambda row: read_date(row, column, written)
        column = self.column(value.quarter or value.month or "")
        return lambda row: read_period(row, column, value)

    def _number(self, value: Value, *, shift: int, is_whole: bool) -> Callable[[Row], int | None]:
        if value.ratio is not None:
            top, bottom = (self._quantity(each) for each in value.ratio)
            return lambda row: _ratio(top(row), bottom(row), shift)
        if value.product is not None:
            factors = [self._quantity(each) for each in value.product]
            return lambda row: _product([factor(row) for factor in factors], shift)
        if is_whole:
            column = self.column(value.integer or "")
            return lambda row: row.integer(column)
        quantity = self._quantity(value)

        def rounded(row: Row) -> int | None:
            number = quantity(row)
            return None if number is None else half_even(number.scaleb(shift, context=EXACT))

        return rounded

    def _quantity(self, quantity: Quantity) -> Callable[[Row], Decimal | None]:
        """A number in the unit that sums are made in: minor units for money, a share of 1 for shares."""
        if quantity.form == "constant":
            constant = Decimal(str(quantity.constant))
            return lambda row: constant
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


def _product(factors: list[Decimal | None], shift: int) -> int | None:
    product = Decimal(1)
    for factor in factors:
        if factor is None:
            return None
        product = EXACT.multiply(product, factor)
    return half_even(product.scaleb(shift, context=EXACT))
