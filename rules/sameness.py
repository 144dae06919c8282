"""What makes two spellings of a rule the same: `count >= 1` and `count > 0` can never disagree.

A comparison of one measure with a number is kept as the values that it lets through, whole numbers as such; what
cannot be brought to a common form counts as different.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from fractions import Fraction
from math import ceil, floor, inf
from typing import NamedTuple

from rules.catalogue import Catalogue, Unit
from rules.condition_text import condition_text
from rules.measuring import kind_of
from rules.rule import (
    And,
    Arithmetic,
    Comparator,
    Comparison,
    Condition,
    Expression,
    Holds,
    Measure,
    Name,
    Negative,
    Not,
    Number,
    Rule,
    Selector,
    Text,
)

_DUAL: dict[Comparator, Comparator] = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_FLIPPED: dict[Comparator, Comparator] = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
# Which comparators are decided by what is known at least: `>` holds on it, and `<` fails.
_HOLD_ON_BOUNDS = {">": "holds", ">=": "holds"}
_ON_BOUNDS = {"<": "fails", "<=": "fails", **_HOLD_ON_BOUNDS}
_WHOLE: frozenset[Unit] = frozenset({"days", "count", "number"})


class Least(NamedTuple):
    """What a value is never below, and whether it can be just that."""

    value: Fraction | float
    is_reached: bool = True


UNBOUNDED = Least(-inf, is_reached=False)


class Domain(NamedTuple):
    """Which values a name can have."""

    is_whole: bool
    least: Least = UNBOUNDED


class _Interval(NamedTuple):
    low: Fraction | float
    has_low: bool
    high: Fraction | float
    has_high: bool


Domains = Mapping[str, Domain]
_ANY = Domain(is_whole=False)
_COUNTED = Domain(is_whole=True, least=Least(Fraction(0)))
LeastOf = Callable[[str, str], Least]  # type of event, its field -> what every value of it keeps to


def sameness(rule: Rule, catalogue: Catalogue, least_of: LeastOf) -> Hashable:
    """A value that is equal for two rules only where they decide alike, whatever happens."""
    domains = {name: _domain(measure, catalogue, least_of) for name, measure in rule.measure.items()}
    measures = {name: _measure(measure, catalogue, least_of) for name, measure in rule.measure.items()}
    return (
        _when(rule.when, domains),
        tuple((severity, _condition(each, domains, _HOLD_ON_BOUNDS)) for severity, each in rule.escalate.items()),
        frozenset(measures.items()),
        (rule.hold, rule.quiet, rule.clear_after),
    )


def _domain(measure: Measure, catalogue: Catalogue, least_of: LeastOf) -> Domain:
    if measure.verb in ("count", "distinct", "days_since"):
        return _COUNTED
    if measure.verb in ("sequence", "macro"):
        return _ANY
    is_mean = "average" in (measure.verb, measure.across)
    if measure.verb == "now":
        unit = catalogue.facts[measure.what or ""].unit
        return Domain(is_whole=unit in _WHOLE and not is_mean)
    event, field = measure.select[0].event, measure.what or ""
    kind = kind_of(event, catalogue)
    least = least_of(event, field)
    if measure.verb == "sum":  # of nothing it is 0; numbers that are never below 0 add up to no less
        least = Least(Fraction(0)) if least.value >= 0 else UNBOUNDED
    return Domain(is_whole=kind is not None and kind.fields[field].unit in _WHOLE and not is_mean, least=least)


def _measure(measure: Measure, catalogue: Catalogue, least_of: LeastOf) -> Hashable:
    written = (measure.over, measure.ending, measure.within)
    spans = tuple(None if each is None else (each.unit == "h", each.milliseconds) for each in written)
    select = tuple(_selector(each, catalogue, least_of) for each in measure.select)
    return measure.verb, measure.what, select, spans, measure.of_borrower, measure.across


def _selector(selector: Selector, catalogue: Catalogue, least_of: LeastOf) -> Hashable:
    if selector.where is None:
        return selector.event
    kind = kind_of(selector.event, catalogue)
    fields = {} if kind is None else kind.fields
    domains = {
        name: Domain(is_whole=field.unit in _WHOLE, least=least_of(selector.event, name))
        for name, field in fields.items()
    }
    return selector.event, _condition(selector.where, domains, {})


# -- conditions -------------------------------------------------------------


def _when(condition: Condition, domains: Domains) -> tuple[Hashable, ...]:
    """The common form of `when`.

    What must hold for an alert to begin was known by then and stays so: nobody asks how it would fail on bounds.
    """
    form = _condition(condition, domains, _ON_BOUNDS)
    parts: Iterable[tuple[Hashable, ...]] = form[1] if form[0] == "and" else (form,)  # type: ignore[assignment]
    return _joined("and", [_without_failing(part) for part in parts])


def _without_failing(part: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    return (*part[:3], None, part[4]) if part[0] == "lets" and part[3] == "fails" else part


def _condition(condition: Condition, domains: Domains, on_bounds: Mapping[str, str]) -> tuple[Hashable, ...]:
    def form(part: Condition, is_turned: bool) -> tuple[Hashable, ...]:
        match part:
            case Not(of):
                return form(of, not is_turned)
            case Holds(name):
                return "holds", name, is_turned
            case Comparison(comparator, left, right):
                turned = _DUAL[comparator] if is_turned else comparator
                return _comparison(turned, left, right, domains, on_bounds)
        parts = [form(each, is_turned) for each in part.parts]
        # De Morgan holds over three truths.
        return _joined("and" if isinstance(part, And) != is_turned else "or", parts)

    return form(condition, False)


def _joined(word: str, parts: Iterable[tuple[Hashable, ...]]) -> tuple[Hashable, ...]:
    """Parts of the same kind flattened; values let through by several comparisons of one measure brought together."""
    flat: set[tuple[Hashable, ...]] = set()
    lets: dict[tuple[Hashable, ...], list[tuple[_Interval, ...]]] = {}
    for part in parts:
        for each in part[1] if part[0] == word else (part,):  # type: ignore[attr-defined]  # Parts of a joined form.
            if each[0] == "lets":
                lets.setdefault(each[:4], []).append(each[4])
            else:
                flat.add(each)
    for head, found in lets.items():
        merged = found[0]
        for more in found[1:]:
            merged = _intersection(merged, more) if word == "and" else _union(merged, more, is_whole=bool(head[2]))
        flat.add((*head, merged))
    return next(iter(flat)) if len(flat) == 1 else (word, frozenset(flat))


def _comparison(
    comparator: Comparator, left: Expression, right: Expression, domains: Domains, on_bounds: Mapping[str, str]
) -> tuple[Hashable, ...]:
    if _constant(left) is not None:
        comparator, left, right = _FLIPPED[comparator], right, left
    value = _constant(right)
    if value is None or isinstance(left, Text):
        one, two = condition_text(left), condition_text(right)
        if comparator in (">", ">="):
            comparator, one, two = _FLIPPED[comparator], two, one
        elif comparator in ("==", "!="):
            one, two = sorted((one, two))
        return "compares", comparator, one, two
    is_whole = _is_whole(left, domains)
    domain = domains.get(left.name, _ANY) if isinstance(left, Name) else _ANY
    kind = on_bounds.get(comparator) if isinstance(left, Name) else None
    found = _intersection(_let_through(comparator, value, is_whole=is_whole), _all_of(domain))
    return "lets", condition_text(left), is_whole, kind, found


def _constant(part: Expression) -> Fraction | None:
    match part:
        case Number(value):
            return Fraction(value)
        case Negative(Number(value)):
            return -Fraction(value)
    return None


def _is_whole(part: Expression, domains: Domains) -> bool:
    match part:
        case Arithmetic("/", _, _):
            return False
        case Arithmetic(_, left, right):
            return _is_whole(left, domains) and _is_whole(right, domains)
        case Negative(of):
            return _is_whole(of, domains)
        case Number(value):
            return value == value.to_integral_value()
        case Name(name):
            return domains.get(name, _ANY).is_whole
    return False


# -- values that a comparison lets through ------------------------------------


def _let_through(comparator: Comparator, value: Fraction, *, is_whole: bool) -> tuple[_Interval, ...]:
    match comparator:
        case ">" | ">=":
            if is_whole:
                least = floor(value) + 1 if comparator == ">" else ceil(value)
                return (_Interval(Fraction(least), True, inf, False),)
            return (_Interval(value, comparator == ">=", inf, False),)
        case "<" | "<=":
            if is_whole:
                most = ceil(value) - 1 if comparator == "<" else floor(value)
                return (_Interval(-inf, False, Fraction(most), True),)
            return (_Interval(-inf, False, value, comparator == "<="),)
        case "==":
            return () if is_whole and value.denominator != 1 else (_Interval(value, True, value, True),)
    below, above = (_let_through(each, value, is_whole=is_whole) for each in _SIDES)
    return _union(below, above, is_whole=is_whole)


_SIDES: tuple[Comparator, Comparator] = ("<", ">")


def _all_of(domain: Domain) -> tuple[_Interval, ...]:
    return (_Interval(domain.least.value, domain.least.is_reached, inf, False),)


def _intersection(one: tuple[_Interval, ...], two: tuple[_Interval, ...]) -> tuple[_Interval, ...]:
    found = []
    for a in one:
        for b in two:
            low, has_low = max((a.low, not a.has_low), (b.low, not b.has_low))
            high, has_high = min((a.high, a.has_high), (b.high, b.has_high))
            if low < high or (low == high and not has_low and has_high):
                found.append(_Interval(low, not has_low, high, has_high))
    return tuple(sorted(found))


def _union(one: tuple[_Interval, ...], two: tuple[_Interval, ...], *, is_whole: bool) -> tuple[_Interval, ...]:
    found: list[_Interval] = []
    for each in sorted((*one, *two), key=lambda interval: (interval.low, not interval.has_low)):
        if found and _touch(found[-1], each, is_whole=is_whole):
            last = found[-1]
            high, has_high = max((last.high, last.has_high), (each.high, each.has_high))
            found[-1] = _Interval(last.low, last.has_low, high, has_high)
        else:
            found.append(each)
    return tuple(found)


def _touch(below: _Interval, above: _Interval, *, is_whole: bool) -> bool:
    if above.low < below.high or (above.low == below.high and (below.has_high or above.has_low)):
        return True
    return is_whole and below.high + 1 == above.low
