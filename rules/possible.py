"""What a condition can be, decided by ranges: whether it can ever hold, and whether one holds whenever another does.

    missed >= 3 and missed < 2       the ranges [3, ..) and [0, 2) of one measure have nothing in common: it never holds
    missed >= 3  =>  missed >= 2     the first range lies in the second

A condition is turned into ways to hold, each a list of comparisons that must all be true. A way is impossible when the
ranges of one measure, or of one sum, ratio or pair of sides, have nothing in common. A comparison that is true also
says that its measures are known: one with >= or > beside a number at least to a lower bound, any other exactly. What
this cannot decide is answered with no, so a yes is certain.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import product

from rules.condition_text import condition_text
from rules.conditions import names_in
from rules.intervals import ANY, ANY_TEXT, Interval, Texts, compared, joined, negative
from rules.rule import (
    And,
    Arithmetic,
    Comparator,
    Comparison,
    Condition,
    Expression,
    Holds,
    Name,
    Negative,
    Not,
    Number,
    Or,
    Text,
)

Range = Interval | Texts
Domains = Mapping[str, Interval]  # by name; a name that is missing may be any number

_DUAL: dict[Comparator, Comparator] = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_FLIPPED: dict[Comparator, Comparator] = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_MOST_WAYS = 256  # a condition with more is left undecided
_TRUTHS = Interval(Fraction(0), Fraction(1), is_whole=True)
_NOUGHT = Number(Decimal(0))


@dataclass(frozen=True)
class Claim:
    """One comparison that is true: of what, in which range, and how it was written."""

    of: Expression  # a difference when two things were compared with each other
    range: Range
    is_exact: bool  # whether it is true of exactly known values only
    written: Condition

    @property
    def key(self) -> str:
        """Equal for claims about the same thing."""
        return condition_text(self.of)


Way = tuple[Claim, ...]


@dataclass(frozen=True)
class Conflict:
    """Comparisons that cannot be true together; one alone is out of what its measures can be."""

    parts: tuple[Condition, ...]
    can_be: Range


def never_holds(condition: Condition, domains: Domains) -> Conflict | None:
    """Why a condition can never hold; None when it can, or when that is not decided."""
    ways = _ways(condition)
    first: Conflict | None = None
    for way in ways if ways is not None else [()]:
        conflict = _conflict(way, domains)
        if conflict is None:
            return None
        first = first or conflict
    return first


def holds_whenever(condition: Condition, other: Condition, domains: Domains) -> bool:
    """Whether the condition certainly holds whenever the other one does."""
    ways = _ways(other)
    if ways is None:
        return False
    wanted = _plain(condition, is_true=True)
    return all(_conflict(way, domains) is not None or _is_shown(wanted, way, domains) for way in ways)


def opposite(condition: Condition) -> Condition:
    """What holds exactly when the condition is known to fail."""
    return _plain(condition, is_true=False)


def dead_parts(condition: Condition, domains: Domains) -> Iterator[tuple[Condition, Conflict]]:
    """The parts of an `or` that can never hold where they stand, of a condition that can."""
    yield from _dead(_plain(condition, is_true=True), (), domains)


def _dead(
    condition: Condition, beside: tuple[Condition, ...], domains: Domains
) -> Iterator[tuple[Condition, Conflict]]:
    match condition:
        case And(parts):
            for i, part in enumerate(parts):
                yield from _dead(part, (*beside, *parts[:i], *parts[i + 1 :]), domains)
        case Or(parts):
            for part in parts:
                conflict = never_holds(And((part, *beside)), domains)
                if conflict is not None:
                    yield part, conflict
                else:
                    yield from _dead(part, beside, domains)


# -- ways to hold -----------------------------------------------------------


def _plain(condition: Condition, *, is_true: bool) -> Condition:
    """The condition, or its opposite, with `not` at truths only."""
    match condition:
        case Comparison(comparator, left, right):
            return condition if is_true else Comparison(_DUAL[comparator], left, right)
        case Holds():
            return condition if is_true else Not(condition)
        case Not(of):
            return _plain(of, is_true=not is_true)
        case And(parts) | Or(parts):
            plain = tuple(_plain(part, is_true=is_true) for part in parts)
            return And(plain) if isinstance(condition, And) == is_true else Or(plain)


def _ways(condition: Condition) -> list[Way] | None:
    """The ways in which it can hold; None when there are too many to look at."""
    return _ways_of(_plain(condition, is_true=True))


def _ways_of(plain: Condition) -> list[Way] | None:
    if not isinstance(plain, And | Or):
        return [(_claim(plain),)]
    of_parts = [_ways_of(part) for part in plain.parts]
    counted = [len(ways) for ways in of_parts if ways is not None]
    if len(counted) < len(of_parts):
        return None
    if isinstance(plain, Or):
        return None if sum(counted) > _MOST_WAYS else [way for ways in of_parts for way in ways or ()]
    number = 1
    for count in counted:
        number *= count
    if number > _MOST_WAYS:
        return None
    return [tuple(claim for way in chosen for claim in way) for chosen in product(*(ways or () for ways in of_parts))]


def _claim(part: Condition) -> Claim:
    match part:
        case Comparison(comparator, Text(text), Name() as name) | Comparison(comparator, Name() as name, Text(text)):
            return Claim(name, Texts(frozenset({text}), are_left_out=comparator == "!="), True, part)
        case Comparison(comparator, left, right):
            return _number_claim(comparator, left, right, part)
        case Holds(name):
            return Claim(Name(name), compared("==", Fraction(1)), True, part)
        case Not(Holds(name)):
            return Claim(Name(name), compared("==", Fraction(0)), True, part)
    raise TypeError(f"expected one comparison, got {part}")


def _number_claim(comparator: Comparator, left: Expression, right: Expression, part: Condition) -> Claim:
    if not any(True for _ in names_in(left)):
        comparator, left, right = _FLIPPED[comparator], right, left
    constant = _value(right)
    if constant is not None:
        is_exact = not isinstance(left, Name) or comparator not in (">=", ">")
        return Claim(left, compared(comparator, constant), is_exact, part)
    if condition_text(left) > condition_text(right):
        comparator, left, right = _FLIPPED[comparator], right, left
    return Claim(Arithmetic("-", left, right), compared(comparator, Fraction(0)), True, part)


def _value(expression: Expression) -> Fraction | None:
    """The value of an expression without names."""
    if any(True for _ in names_in(expression)):
        return None
    found = _range(expression, {})
    is_one = isinstance(found.low, Fraction) and found.low == found.high
    return found.low if is_one and isinstance(found.low, Fraction) else None


# -- ranges -----------------------------------------------------------------


def _conflict(way: Way, domains: Domains) -> Conflict | None:
    """Why not all comparisons of a way can be true together; None when they can, or nobody knows."""
    known = _known(way, domains)
    for key, claims in _by_key(way).items():
        if isinstance(claims[0].of, Name) and known[key].is_empty:
            return Conflict(tuple(each.written for each in claims), _domain(claims[0], domains))
    for claims in _by_key(way).values():
        of = claims[0].of
        if not isinstance(of, Name):
            can_be = _range(of, _numbers(known))
            found = can_be
            for each in claims:
                found = found.within(_number_range(each))
            if found.is_empty:
                about = [each for each in way if isinstance(each.of, Name) and each.of.name in set(names_in(of))]
                alone = _range(of, domains)
                shown = claims if alone.within(_number_range(claims[0])).is_empty else [*claims, *about]
                return Conflict(tuple(dict.fromkeys(each.written for each in shown)), alone)
    return None


def _known(way: Way, domains: Domains) -> dict[str, Range]:
    """What a way says of each name that it compares directly, within what the name can be."""
    found: dict[str, Range] = {}
    for claim in way:
        if isinstance(claim.of, Name):
            before = found[claim.key] if claim.key in found else _domain(claim, domains)
            found[claim.key] = before.within(claim.range)  # type: ignore[arg-type]  # Of one name, so of one kind.
    return dict(domains) | found


def _domain(claim: Claim, domains: Domains) -> Range:
    if isinstance(claim.range, Texts):
        return ANY_TEXT
    return _TRUTHS if isinstance(claim.written, Holds | Not) else domains.get(claim.key, ANY)


def _by_key(way: Way) -> dict[str, list[Claim]]:
    found: dict[str, list[Claim]] = {}
    for claim in way:
        found.setdefault(claim.key, []).append(claim)
    return found


def _numbers(ranges: Mapping[str, Range]) -> dict[str, Interval]:
    return {name: each for name, each in ranges.items() if isinstance(each, Interval)}


def _number_range(claim: Claim) -> Interval:
    assert isinstance(claim.range, Interval)
    return claim.range


def _range(expression: Expression, of_names: Domains) -> Interval:
    """What an expression may give, from what its names may be."""
    match expression:
        case Number(value):
            number = Fraction(value)
            return Interval(number, number, is_whole=number.denominator == 1)
        case Name(name):
            return of_names.get(name, ANY)
        case Negative(of):
            return negative(_range(of, of_names))
        case Arithmetic("-", left, right) if left == right:
            return _range(_NOUGHT, {})
        case Arithmetic(operator, left, right):
            return joined(operator, _range(left, of_names), _range(right, of_names))
    return ANY


def _is_defined(expression: Expression, of_names: Domains) -> bool:
    """Whether no divisor in it can be zero, which would leave it unknown."""
    match expression:
        case Negative(of):
            return _is_defined(of, of_names)
        case Arithmetic(operator, left, right):
            at_zero = _range(right, of_names).within(compared("==", Fraction(0)))
            is_safe = operator != "/" or at_zero.is_empty
            return is_safe and _is_defined(left, of_names) and _is_defined(right, of_names)
    return True


# -- whether a way shows a condition ----------------------------------------


def _is_shown(wanted: Condition, way: Way, domains: Domains) -> bool:
    """Whether a plain condition is certainly true when all comparisons of a way are."""
    match wanted:
        case And(parts):
            return all(_is_shown(part, way, domains) for part in parts)
        case Or(parts):
            return any(_is_shown(part, way, domains) for part in parts)
    claim = _claim(wanted)
    exact = {name for each in way if each.is_exact for name in names_in(each.of)}
    bounded = {each.of.name for each in way if isinstance(each.of, Name)}
    names = set(names_in(claim.of))
    if not names <= (exact if claim.is_exact else exact | bounded):
        return False  # what is not known makes no comparison true
    if not _is_defined(claim.of, _numbers(_known(way, domains))) and all(each.key != claim.key for each in way):
        return False
    return _range_of(claim, way, domains).lies_in(claim.range)  # type: ignore[arg-type]  # Of one name one kind.


def _range_of(claim: Claim, way: Way, domains: Domains) -> Range:
    """What a way says of the thing that a claim is about."""
    known = _known(way, domains)
    if isinstance(claim.of, Name):
        return known.get(claim.key, _domain(claim, domains))
    found = _range(claim.of, _numbers(known))
    for each in way:
        if each.key == claim.key:
            found = found.within(_number_range(each))
    return found
