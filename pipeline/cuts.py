"""Where the rules' comparisons cut the range of each measure, and which rules each piece of it rules out.

    points          3          10
    pieces    0   1   2    3    4         below, at and above each point

While a value stays in one piece, no comparison of it with a number changes its answer. For each piece a bit set says
which rules are not yet ruled out there: one search a measure and one `&` leave the few rules that may hold.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from pipeline.conditions import FLIPPED, constant
from rules.conditions import names_in
from rules.rule import (
    And,
    Comparator,
    Comparison,
    Condition,
    Holds,
    Name,
    Not,
    Or,
    Rule,
)


class Atom(NamedTuple):
    """A comparison of a measure with a number."""

    name: str
    comparator: Comparator
    value: Fraction


class Use(NamedTuple):
    """One rule's comparison of a measure, as it cuts the measure's range."""

    bit: int
    comparator: Comparator
    point: Any  # in the unit of the kept integers
    must_hold: bool  # without it the rule cannot hold, so it rules the rule out


class Cut(NamedTuple):
    """The pieces of one measure."""

    meter: int
    users: int  # the rules that it may rule out
    points: tuple[Any, ...]
    are_whole: bool  # the points
    sets: tuple[int, ...]  # rules not ruled out: in each piece of an exact value, of a lower bound, and when unknown


UNKNOWN = -1  # the piece of a value of which nothing is known: the last of the sets


def piece(cut: Cut, value: Any, at_least: Any) -> int:
    """The piece that a value lies in, or its lower bound, which counts its pieces on from the exact ones."""
    points = cut.points
    if value == value:
        if cut.are_whole and type(value) is Fraction:  # between two whole numbers; comparing fractions is dear
            return 2 * bisect_left(points, value.numerator // value.denominator + 1)
        i = bisect_left(points, value)
        return 2 * i + (i < len(points) and points[i] == value)
    if at_least == at_least:
        i = bisect_left(points, at_least)
        return 2 * len(points) + 1 + 2 * i + (i < len(points) and points[i] == at_least)
    return UNKNOWN


def turned(cut: Cut, was: int, now: int) -> int:
    """The rules whose answer may differ between two pieces, of those that the pieces rule out."""
    bounds = 2 * len(cut.points) + 1
    if 0 <= was < bounds and 0 <= now < bounds:
        return cut.sets[was] ^ cut.sets[now]
    return cut.users  # what is not true may be false or unknown


def days_to_next(cut: Cut, value: int) -> int | None:
    """How many days a value that grows by one a day stays in its piece; None for ever."""
    i = bisect_left(cut.points, value)
    if i == len(cut.points):
        return None
    ahead = cut.points[i] - value
    return 1 if ahead == 0 else -(-ahead // 1)


def cut_of(meter: int, uses: Sequence[Use]) -> Cut:
    """The pieces of a measure that so many comparisons use."""
    everything = -1  # all bits set, whatever the number of rules
    points = sorted({use.point for use in uses})
    places = {point: 2 * i + 1 for i, point in enumerate(points)}
    ruling = [use for use in uses if use.must_hold]
    users = 0
    for use in ruling:
        users |= use.bit
    exact, at_least = [], []
    for each in range(2 * len(points) + 1):
        whole, bound = everything, everything
        for bit, comparator, point, _ in ruling:
            side = each - places[point]
            holds_here = {">": side > 0, ">=": side >= 0, "<": side < 0, "<=": side <= 0, "==": side == 0,
                          "!=": side != 0}[comparator]  # fmt: skip
            if not holds_here:
                whole &= ~bit
            if not (holds_here and comparator in (">", ">=")):
                bound &= ~bit
        exact.append(whole)
        at_least.append(bound)
    are_whole = all(isinstance(point, int) for point in points)
    return Cut(meter, users, tuple(points), are_whole, (*exact, *at_least, everything & ~users))


def must_hold(condition: Condition) -> list[Atom]:
    """The comparisons of a measure with a number that must all hold for the condition to hold."""
    if isinstance(condition, And):
        return [atom for part in condition.parts for atom in must_hold(part)]
    atom = _atom(condition)
    return [] if atom is None else [atom]


def is_direct(condition: Condition) -> bool:
    """Whether a condition is nothing but comparisons of a measure with a number, all of which must hold."""
    if isinstance(condition, And):
        return all(is_direct(part) for part in condition.parts)
    return _atom(condition) is not None


def atoms_of(rule: Rule) -> Iterator[Atom]:
    """Every comparison of a measure with a number in a rule, wherever it stands."""
    for part in _parts(rule):
        atom = _atom(part)
        if atom is not None:
            yield atom


def used_freely(rule: Rule) -> set[str]:
    """The measures that a rule compares with a number where it may hold without that: under `or`, `not`, `escalate`."""
    ruling = set(must_hold(rule.when))
    return {atom.name for atom in atoms_of(rule) if atom not in ruling}


def used_otherwise(rule: Rule) -> set[str]:
    """The measures that a rule decides by in any other way: in arithmetic, against each other, or as truths."""
    found: set[str] = set()
    for part in _parts(rule):
        if isinstance(part, Holds):
            found.add(part.name)
        elif isinstance(part, Comparison) and _atom(part) is None:
            found.update(names_in(part))
    return found


def _parts(rule: Rule) -> Iterator[Condition]:
    for condition in (rule.when, *rule.escalate.values()):
        yield from _parts_of(condition)


def _parts_of(condition: Condition) -> Iterator[Condition]:
    left = [condition]
    while left:
        condition = left.pop()
        match condition:
            case And(parts) | Or(parts):
                left.extend(parts)
            case Not(of):
                left.append(of)
            case _:
                yield condition


def _atom(condition: Condition) -> Atom | None:
    match condition:
        case Comparison(comparator, Name(name), right) if (value := constant(right)) is not None:
            return Atom(name, comparator, value)
        case Comparison(comparator, left, Name(name)) if (value := constant(left)) is not None:
            return Atom(name, FLIPPED[comparator], value)
    return None
