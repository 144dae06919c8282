"""Ranges of numbers: what a value may be, as an interval with open or closed ends, whole numbers or not, and holes."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from rules.rule import Comparator

Bound = Fraction | float  # a float only for the two infinities
INFINITY = math.inf


@dataclass(frozen=True)
class Interval:
    """Every number from low to high; an end that is `open` does not belong to it.

    >>> str(Interval(Fraction(0), is_whole=True)), str(Interval(Fraction(0), Fraction(1), high_open=True))
    ('a whole number of at least 0', 'at least 0 and below 1')
    """

    low: Bound = -INFINITY
    high: Bound = INFINITY
    low_open: bool = False
    high_open: bool = False
    is_whole: bool = False
    holes: frozenset[Fraction] = frozenset()

    def within(self, other: "Interval") -> "Interval":
        """What lies in both."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, is_closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        whole = self.is_whole or other.is_whole
        return _tightened(Interval(low, high, low_open, not is_closed, whole, self.holes | other.holes))

    @property
    def is_empty(self) -> bool:
        """Whether no number lies in it."""
        if self.low > self.high:
            return True
        return self.low == self.high and (self.low_open or self.high_open or self.low in self.holes)

    def lies_in(self, other: "Interval") -> bool:
        """Whether every number of this one is one of the other."""
        mine = _tightened(self)
        if mine.is_empty:
            return True
        low_fits = (other.low, other.low_open) <= (mine.low, mine.low_open)
        high_fits = (mine.high, not mine.high_open) <= (other.high, not other.high_open)
        fits = low_fits and high_fits and (mine.is_whole or not other.is_whole)
        return fits and all(hole in mine.holes or not mine._spans(hole) for hole in other.holes)

    def _spans(self, point: Fraction) -> bool:
        """Whether a point lies between the ends; holes are not looked at."""
        if self.is_whole and point.denominator != 1:
            return False
        above = self.low < point or (self.low == point and not self.low_open)
        below = point < self.high or (self.high == point and not self.high_open)
        return above and below

    def __str__(self) -> str:
        low = "" if self.low == -INFINITY else f"{'above' if self.low_open else 'at least'} {_text(self.low)}"
        high = "" if self.high == INFINITY else f"{'below' if self.high_open else 'at most'} {_text(self.high)}"
        said = " and ".join(part for part in (low, high) if part)
        if not self.is_whole:
            return said or "any number"
        return f"a whole number of {said}" if said else "a whole number"


ANY = Interval()
_SIDES: dict[Comparator, tuple[bool, bool]] = {
    "<": (False, True), "<=": (False, False), ">": (True, False), ">=": (False, False), "==": (False, False)
}  # fmt: skip


def compared(comparator: Comparator, value: Fraction) -> Interval:
    """The numbers that compare so with a value.

    >>> str(compared("<", Fraction(3))), compared("!=", Fraction(3)).holes
    ('below 3', frozenset({Fraction(3, 1)}))
    """
    if comparator == "!=":
        return Interval(holes=frozenset({value}))
    low = value if comparator in (">", ">=", "==") else -INFINITY
    high = value if comparator in ("<", "<=", "==") else INFINITY
    return Interval(low, high, *_SIDES[comparator])


def negative(of: Interval) -> Interval:
    """Minus each number; holes are left out, which only makes it wider."""
    return Interval(-of.high, -of.low, of.high_open, of.low_open, of.is_whole)


def joined(operator: str, left: Interval, right: Interval) -> Interval:
    """What two ranges may give; ends are taken as closed, which only makes it wider.

    >>> str(joined("/", Interval(Fraction(0)), Interval(Fraction(0)))), str(joined("-", ANY, ANY))
    ('at least 0', 'any number')
    """
    if operator == "-":
        return joined("+", left, negative(right))
    if operator == "/":
        return joined("*", left, _inverse(right))
    ends = [_plus(left.low, right.low), _plus(left.high, right.high)]
    if operator == "*":
        ends = [_times(a, b) for a in (left.low, left.high) for b in (right.low, right.high)]
    return Interval(min(ends), max(ends), is_whole=left.is_whole and right.is_whole)


def _inverse(of: Interval) -> Interval:
    """One over each number; over zero is unknown, and no value at all."""
    if of.low < 0 < of.high:
        return ANY
    if of.low == 0 == of.high:
        return Interval(Fraction(1), Fraction(0))
    low = _over(of.high) if of.high != 0 else -INFINITY
    high = _over(of.low) if of.low != 0 else INFINITY
    return Interval(low, high)


def _over(end: Bound) -> Bound:
    return Fraction(0) if isinstance(end, float) else 1 / end


def _plus(a: Bound, b: Bound) -> Bound:
    # Only low ends meet low ends, so the infinities never have two signs.
    return next((end for end in (a, b) if isinstance(end, float)), a + b)


def _times(a: Bound, b: Bound) -> Bound:
    if a == 0 or b == 0:
        return Fraction(0)
    if isinstance(a, float) or isinstance(b, float):
        return INFINITY if (a > 0) == (b > 0) else -INFINITY
    return a * b


def _tightened(of: Interval) -> Interval:
    """The same numbers, with ends that belong to it when they are whole numbers."""
    if not of.is_whole or of.low > of.high:
        return of
    low, high = of.low, of.high
    if isinstance(low, Fraction):
        low = Fraction(math.floor(low) + 1 if of.low_open else math.ceil(low))
        while low in of.holes:
            low += 1
    if isinstance(high, Fraction):
        high = Fraction(math.ceil(high) - 1 if of.high_open else math.floor(high))
        while high in of.holes:
            high -= 1
    return replace(of, low=low, high=high, low_open=False, high_open=False)


def _text(end: Bound) -> str:
    if not isinstance(end, Fraction):
        return str(end)
    return str(end.numerator) if end.denominator == 1 else f"{float(end):g}"


@dataclass(frozen=True)
class Texts:
    """Some texts, or every text but some.

    >>> salary, rent = Texts(frozenset({"salary"})), Texts(frozenset({"rent"}))
    >>> salary.within(rent).is_empty, salary.lies_in(Texts(frozenset({"rent"}), are_left_out=True))
    (True, True)
    """

    words: frozenset[str] = frozenset()
    are_left_out: bool = False

    def within(self, other: "Texts") -> "Texts":
        """What is in both."""
        if self.are_left_out and other.are_left_out:
            return Texts(self.words | other.words, are_left_out=True)
        if self.are_left_out:
            return other.within(self)
        return Texts(self.words - other.words if other.are_left_out else self.words & other.words)

    @property
    def is_empty(self) -> bool:
        """Whether no text is left."""
        return not self.are_left_out and not self.words

    def lies_in(self, other: "Texts") -> bool:
        """Whether every text of this one is one of the other."""
        if self.are_left_out:
            return other.are_left_out and other.words <= self.words
        return not self.words & other.words if other.are_left_out else self.words <= other.words


ANY_TEXT = Texts(are_left_out=True)
