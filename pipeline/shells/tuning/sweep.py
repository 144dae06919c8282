"""A rule with one number of its condition at several values, each a candidate beside the rest of the shelf.

All values are judged in one pass over the events: every one is a rule of its own that tells nobody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from rules.condition_text import condition_text, number_text
from rules.conditions import names_in
from rules.limits import numbers, with_number
from rules.rule import Rule, Shelf

STEPS = 3  # values on either side of the one that stands there
TENTH = Decimal("0.1")
BETWEEN = " = "  # stands in no name of a rule


class TuneError(Exception):
    """What cannot be swept, in one sentence."""


class Sweep(NamedTuple):
    """The number that is swept: its place in `when`, the comparison it stands in, and the values it takes."""

    rule: Rule
    place: int
    comparison: str
    now: Decimal
    values: tuple[Decimal, ...]

    def named(self, value: Decimal) -> str:
        """What the candidate with a value is called."""
        return f"{self.rule.rule}{BETWEEN}{number_text(value)}"


def sweep_of(rule: Rule, measure: str, number: int | None, values: Sequence[Decimal]) -> Sweep:
    """The number that stands beside a measure; `number` says which where there are several, from 1 on."""
    if measure not in rule.measure:
        known = ", ".join(rule.measure)
        raise TuneError(f"--measure: expected a measure of {rule.rule} ({known}), got {measure}")
    found = [
        (i, each.value, condition_text(where))
        for i, (each, where) in enumerate(numbers(rule.when))
        if measure in names_in(where)
    ]
    if not found:
        raise TuneError(
            f"--measure: expected a measure that `when` compares with a number, got {measure}; name another"
        )
    if number is None and len(found) > 1:
        listed = "; ".join(f"{n} is {number_text(value)} in '{where}'" for n, (_, value, where) in enumerate(found, 1))
        raise TuneError(f"--number: expected which number beside {measure}, got none; {listed}")
    if number is not None and not 1 <= number <= len(found):
        raise TuneError(f"--number: expected 1 to {len(found)}, got {number}")
    place, now, where = found[(number or 1) - 1]
    return Sweep(rule, place, where, now, tuple(sorted({*(values or _usual(now)), now})))


def _usual(now: Decimal) -> Iterator[Decimal]:
    """Values around one: a tenth of it apart, as it is written, but at least by its last digit; none changes its sign.

    >>> [number_text(each) for each in _usual(Decimal(2))]
    ['1', '2', '3', '4', '5']
    >>> [number_text(each) for each in _usual(Decimal("0.8"))]
    ['0.5', '0.6', '0.7', '0.8', '0.9', '1', '1.1']
    """
    exponent = now.as_tuple().exponent
    last = Decimal(1).scaleb(min(0, exponent) if isinstance(exponent, int) else 0)
    step = max(last, (abs(now) * TENTH).quantize(last))
    for k in range(-STEPS, STEPS + 1):
        value = now + k * step
        if now == 0 or value * now > 0:
            yield value


def swept(shelf: Shelf, sweep: Sweep) -> Shelf:
    """The shelf with the candidates in place of the rule; drafts and challengers of it are left out."""
    rest = [rule for rule in shelf.rules if rule.status in ("live", "shadow") and rule.rule != sweep.rule.rule]
    candidates = [
        replace(
            sweep.rule,
            rule=sweep.named(value),
            status="shadow",
            when=with_number(sweep.rule.when, sweep.place, value),
            inhibited_by=tuple(each for each in sweep.rule.inhibited_by if each != sweep.rule.rule),
        )
        for value in sweep.values
    ]
    return replace(shelf, rules=(*rest, *candidates))
