"""The numbers that a rule turns on, and the rule with one of them a step away.

A step is the smallest change an analyst would make: one count, one day, the last digit as it was written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from rules.condition_text import condition_text, number_text
from rules.rule import (
    And,
    Arithmetic,
    Comparison,
    Condition,
    Expression,
    Measure,
    Negative,
    Not,
    Number,
    Or,
    Rule,
    Span,
)

Way = Literal[-1, 1]
WAYS: tuple[Way, ...] = (1, -1)


@dataclass(frozen=True)
class Moved:
    """A rule with one number a step away; None when no such rule can be written."""

    rule: Rule | None
    to: str


@dataclass(frozen=True)
class Limit:
    """One number that decides: how it is written, where it stands, and the rule with it a step up and a step down."""

    number: str
    where: str
    up: Moved
    down: Moved


def limits(rule: Rule) -> Iterator[Limit]:
    """The numbers of `when`; those of the windows when it has none.

    >>> from rules.conditions import parse_when
    >>> when = parse_when("missed >= 2 and share < 0.85", {"missed": "number", "share": "number"})
    >>> rule = Rule("late", "", "draft", "", "", "", "loan_id", {}, when, "low", "")
    >>> for each in limits(rule): print(each.number, each.where, each.up.to, each.down.to)
    2 missed >= 2 3 1
    0.85 share < 0.85 0.86 0.84
    """
    found = list(_of_when(rule))
    yield from found or _of_windows(rule)


def _of_when(rule: Rule) -> Iterator[Limit]:
    for i, (number, where) in enumerate(numbers(rule.when)):
        step = Decimal(1).scaleb(min(0, int(number.value.as_tuple().exponent)))
        up, down = number.value + step, number.value - step
        of_up, of_down = (
            Moved(replace(rule, when=with_number(rule.when, i, to)), number_text(to)) for to in (up, down)
        )
        yield Limit(number_text(number.value), condition_text(where), of_up, of_down)


def _of_windows(rule: Rule) -> Iterator[Limit]:
    for name, measure in rule.measure.items():
        for option in ("over", "within", "ending"):
            span: Span | None = getattr(measure, option)
            if span is not None:
                up, down = (_window(rule, measure, option, span, way) for way in WAYS)
                yield Limit(str(span), f"measure.{name}.{option}", up, down)


def _window(rule: Rule, measure: Measure, option: str, span: Span, way: Way) -> Moved:
    to = replace(span, count=span.count + way)
    moved = replace(measure, **{option: to})  # type: ignore[arg-type]  # Each of the options is a span.
    is_possible = to.count > 0
    return Moved(replace(rule, measure=rule.measure | {measure.name: moved}) if is_possible else None, str(to))


def numbers(condition: Condition) -> Iterator[tuple[Number, Comparison]]:
    """Every number of a condition from left to right, with the comparison it stands in."""
    match condition:
        case And(parts) | Or(parts):
            for part in parts:
                yield from numbers(part)
        case Not(of):
            yield from numbers(of)
        case Comparison(_, left, right):
            yield from ((number, condition) for side in (left, right) for number in _numbers_in(side))


def _numbers_in(expression: Expression) -> Iterator[Number]:
    match expression:
        case Number():
            yield expression
        case Negative(of):
            yield from _numbers_in(of)
        case Arithmetic(_, left, right):
            yield from _numbers_in(left)
            yield from _numbers_in(right)


def with_number(condition: Condition, i: int, value: Decimal) -> Condition:
    """The condition with another value for its number i, counted from 0 as `numbers` gives them."""
    left = [i]
    return _replaced(condition, left, value)


def _replaced(condition: Condition, left: list[int], value: Decimal) -> Condition:
    match condition:
        case And(parts):
            return And(tuple(_replaced(part, left, value) for part in parts))
        case Or(parts):
            return Or(tuple(_replaced(part, left, value) for part in parts))
        case Not(of):
            return Not(_replaced(of, left, value))
        case Comparison(comparator, one, two):
            return Comparison(comparator, _replaced_in(one, left, value), _replaced_in(two, left, value))
    return condition


def _replaced_in(expression: Expression, left: list[int], value: Decimal) -> Expression:
    match expression:
        case Number():
            left[0] -= 1
            return Number(value) if left[0] == -1 else expression
        case Negative(of):
            return Negative(_replaced_in(of, left, value))
        case Arithmetic(operator, one, two):
            return Arithmetic(operator, _replaced_in(one, left, value), _replaced_in(two, left, value))
    return expression
