"""Every deciding number and operator of a rule, moved by the smallest sensible step: what some case should notice.

A whole number moves by one, any other by its last digit and at most by 0.01 (one percent); a time moves by one day, or
by one hour where it is in hours. A comparator becomes its neighbours, `and` becomes `or`, `+` becomes `-`, `*` becomes
`/`, each the other way round as well; a `not` falls away; a verb or an `across` becomes a near one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from rules.catalogue import Catalogue
from rules.condition_text import condition_text, selector_text
from rules.conditions import names_in
from rules.measuring import kind_of
from rules.reach import longest_reach, reach_days
from rules.rule import (
    Across,
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
    Or,
    Rule,
    Span,
    Text,
    Verb,
)
from rules.sameness import LeastOf, sameness
from rules.yaml_text import Path

Operator = Literal["+", "-", "*", "/"]
_NUMBER_NEIGHBOURS: dict[Comparator, tuple[Comparator, ...]] = {
    ">=": (">",), ">": (">=",), "<=": ("<",), "<": ("<=",), "==": ("<=", ">="), "!=": ("<", ">")
}  # fmt: skip
_TEXT_NEIGHBOURS: dict[Comparator, tuple[Comparator, ...]] = {"==": ("!=",), "!=": ("==",)}
_COUNTERPARTS: dict[Operator, Operator] = {"+": "-", "-": "+", "*": "/", "/": "*"}
_NEAR_VERBS: dict[Verb, Verb] = {
    "distinct": "count",
    "max": "latest",
    "min": "latest",
    "average": "latest",
    "sum": "max",
}
_NEAR_ACROSS: dict[Across, Across] = {"worst": "average", "sum": "average", "average": "sum"}
_FINEST = Decimal("0.01")


@dataclass(frozen=True)
class Nudge:
    """One move: where it stands in the file, what stands there, what it became, and the rule with it."""

    path: Path
    was: str
    became: str
    rule: Rule


Turn = tuple[str, str, Condition]  # what stands there, what it became, and the whole condition with it


def nudges(rule: Rule, catalogue: Catalogue, least_of: LeastOf) -> list[Nudge]:
    """Every move that decides otherwise than the rule, and than any move before it."""
    known = {sameness(rule, catalogue, least_of)}
    found = []
    for each in _moves(rule, catalogue):
        same = sameness(each.rule, catalogue, least_of)
        if same not in known:
            known.add(same)
            found.append(each)
    return found


def _moves(rule: Rule, catalogue: Catalogue) -> Iterator[Nudge]:
    decisive = {name for condition in (rule.when, *rule.escalate.values()) for name in names_in(condition)}
    for name, measure in rule.measure.items():
        if name not in decisive:
            continue
        for path, was, became, moved in _of_measure(rule, measure, catalogue):
            if _is_answerable(moved, catalogue):
                yield Nudge(("measure", name, *path), was, became, replace(rule, measure=rule.measure | {name: moved}))
    for was, became, condition in _of_condition(rule.when):
        yield Nudge(("when",), was, became, replace(rule, when=condition))
    for severity, written in rule.escalate.items():
        for was, became, condition in _of_condition(written, _already_true(rule)):
            escalate = rule.escalate | {severity: condition}
            yield Nudge(("escalate", severity), was, became, replace(rule, escalate=escalate))
    for field, attribute in (("for", "hold"), ("quiet", "quiet"), ("clear_after", "clear_after")):
        days: int = getattr(rule, attribute)
        for moved_days in (days + 1, days - 1) if days else ():
            moved_rule = replace(rule, **{attribute: moved_days})  # type: ignore[arg-type]  # One of three fields of days.
            yield Nudge((field,), f"{days}d", f"{moved_days}d", moved_rule)


# -- measures ---------------------------------------------------------------


def _of_measure(rule: Rule, measure: Measure, catalogue: Catalogue) -> Iterator[tuple[Path, str, str, Measure]]:
    for i, selector in enumerate(measure.select):
        place = ("sequence", i) if measure.verb == "sequence" else (_place(measure),)
        for was, became, condition in () if selector.where is None else _of_condition(selector.where):
            select = (*measure.select[:i], replace(selector, where=condition), *measure.select[i + 1 :])
            yield place, was, became, replace(measure, select=select)
    for option in ("over", "ending", "within"):
        span: Span | None = getattr(measure, option)
        for moved in () if span is None else _of_span(span):
            ago = " ago" if option == "ending" else ""
            fields: dict[str, Any] = {option: moved}
            yield (option,), f"{span}{ago}", f"{moved}{ago}", replace(measure, **fields)
    yield from _of_verb(rule, measure, catalogue)


def _of_verb(rule: Rule, measure: Measure, catalogue: Catalogue) -> Iterator[tuple[Path, str, str, Measure]]:
    if measure.across is not None:
        across = _NEAR_ACROSS[measure.across]
        yield ("across",), measure.across, across, replace(measure, across=across)
    for i in range(len(measure.select) - 1):  # only a sequence has several
        one, two = measure.select[i : i + 2]
        select = (*measure.select[:i], two, one, *measure.select[i + 2 :])
        texts = (f"{selector_text(one)}, {selector_text(two)}", f"{selector_text(two)}, {selector_text(one)}")
        yield ("sequence", i), *texts, replace(measure, select=select)
    verb = _NEAR_VERBS.get(measure.verb)
    if verb is None:
        return
    moved = replace(measure, verb=verb, what=None if verb == "count" else measure.what)
    kind = kind_of(measure.select[0].event, catalogue)
    is_of_several = kind is not None and kind.key is not None and (rule.per == "borrower_id" or measure.of_borrower)
    if measure.verb == "sum" and is_of_several:
        moved = replace(moved, across="sum")
    yield (measure.verb,), measure.verb, verb, moved


def _place(measure: Measure) -> str:
    """The field that names the events of a measure."""
    return measure.verb if measure.verb in ("count", "days_since") else "from"


def _of_span(span: Span) -> Iterator[Span]:
    count, unit = (span.count, span.unit) if span.days is None else (span.days, "d")
    yield Span(count + 1, unit)  # Hours stay hours, all else becomes days.
    if count > 1:
        yield Span(count - 1, unit)


def _is_answerable(measure: Measure, catalogue: Catalogue) -> bool:
    """Whether memory reaches as far back as the measure; a longer window would be refused."""
    kinds = (kind_of(each.event, catalogue) for each in measure.select)
    return all(kind is not None and reach_days(measure) <= longest_reach(measure, kind) for kind in kinds)


# -- conditions -------------------------------------------------------------


def _already_true(rule: Rule) -> frozenset[Condition]:
    """What an escalation need not ask for again: where an alert closes at once, it is open only while `when` holds."""
    if rule.clear_after:
        return frozenset()
    return frozenset({rule.when, *(rule.when.parts if isinstance(rule.when, And) else ())})


def _of_condition(condition: Condition, settled: frozenset[Condition] = frozenset()) -> Iterator[Turn]:
    """Every move of a condition; a part of it that is settled anyway decides nothing, and stays."""
    if condition in settled:
        return
    match condition:
        case Holds():
            return
        case Not(of):
            yield condition_text(condition), condition_text(of), of
            for was, became, inner in _of_condition(of):
                yield was, became, Not(inner)
        case And(parts) | Or(parts):
            for i, part in enumerate(parts):
                for was, became, inner in _of_condition(part, settled if isinstance(condition, And) else frozenset()):
                    yield was, became, type(condition)((*parts[:i], inner, *parts[i + 1 :]))
            for i in range(1, len(parts)):
                moved = _turned(condition, i)
                yield condition_text(condition), condition_text(moved), moved
        case Comparison():
            for moved_comparison in _of_comparison(condition):
                yield condition_text(condition), condition_text(moved_comparison), moved_comparison


def _turned(condition: And | Or, i: int) -> Condition:
    """One `and` as `or`, or the other way round, as it would read with that word changed in the text."""
    before, after = condition.parts[:i], condition.parts[i:]
    if isinstance(condition, And):
        return Or((_all_of(before), _all_of(after)))
    joined = And((before[-1], after[0]))
    parts = (*before[:-1], joined, *after[1:])
    return parts[0] if len(parts) == 1 else Or(parts)


def _all_of(parts: tuple[Condition, ...]) -> Condition:
    return parts[0] if len(parts) == 1 else And(parts)


def _of_comparison(comparison: Comparison) -> Iterator[Comparison]:
    left, right = comparison.left, comparison.right
    neighbours = _TEXT_NEIGHBOURS if isinstance(left, Text) or isinstance(right, Text) else _NUMBER_NEIGHBOURS
    for comparator in neighbours[comparison.comparator]:
        yield replace(comparison, comparator=comparator)
    for moved in _of_expression(left):
        yield replace(comparison, left=moved)
    for moved in _of_expression(right):
        yield replace(comparison, right=moved)


def _of_expression(part: Expression) -> Iterator[Expression]:
    match part:
        case Number(value):
            step = _step(value)
            yield from (Number(value + step), Number(value - step))
        case Negative(of):
            for moved in _of_expression(of):
                yield Negative(moved)
        case Arithmetic(operator, left, right):
            for moved in _of_expression(left):
                yield replace(part, left=moved)
            for moved in _of_expression(right):
                if not (operator == "/" and moved == Number(Decimal(0))):
                    yield replace(part, right=moved)
            if not (operator == "*" and right == Number(Decimal(0))):
                yield replace(part, operator=_COUNTERPARTS[operator])
        case Name() | Text():
            return


def _step(value: Decimal) -> Decimal:
    """The smallest sensible step of a number as it is written.

    >>> [str(_step(Decimal(each))) for each in ("200", "0.6", "0.85", "0.125")]
    ['1', '0.01', '0.01', '0.001']
    """
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # a literal is a finite number
    return Decimal(1) if exponent >= 0 else min(Decimal(1).scaleb(exponent), _FINEST)
