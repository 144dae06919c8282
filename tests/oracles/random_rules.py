"""Random rules over the whole grammar, small enough that their edges are met often."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from hypothesis import strategies as st

from rules.rule import (
    SEVERITIES,
    And,
    Arithmetic,
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
    Per,
    Rule,
    Selector,
    Span,
    Text,
)
from tests.oracles.rule_makers import rule
from tests.oracles.rule_values import HIGH, LOW

LITERALS = [Decimal(text) for text in ("0", "1", "2", "3", "0.5", "0.85", "2.5", "-1", "0.333333", "1.005")]
NAMES = ["a", "b", "c", "d"]


class Kind(NamedTuple):
    """What a random rule may read of a type of event."""

    key: Per | None
    numbers: tuple[str, ...] = ()
    texts: Mapping[str, tuple[str, ...]] = {}
    flags: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    "repayment.missed": Kind("loan_id", ("months",)),
    "repayment.received": Kind("loan_id", ("amount",), {"kind": ("full", "minimum")}),
    "repayment.reversed": Kind("loan_id"),
    "loan.snapshot": Kind("loan_id", ("days_past_due",)),
    "account.credit": Kind("account_id", ("amount", "balance"), {"category": ("salary", "rent")}),
    "account.debit": Kind("account_id", ("amount", "balance"), {"category": ("salary", "rent")}),
    "account.balance": Kind("account_id", ("balance", "limit", "used_share")),
    "external.score": Kind(None, ("score",), {"agency": ("x", "y")}),
    "external.debt": Kind(None, ("overdue", "lenders")),
    "external.news": Kind(None, ("sentiment",), {"topic": ("x", "y")}),
    "contact.attempted": Kind("loan_id", (), {"channel": ("call", "letter")}, ("answered",)),
    "model.stress": Kind(None, ("score",)),
}
OVERS = [Span(n, "d") for n in (1, 2, 3, 5, 8)] + [Span(1, "w")] + [Span(n, "h") for n in (1, 12, 24, 36, 48)]
ENDINGS = [None, None, None, Span(1, "d"), Span(3, "d"), Span(1, "w")]
MACRO = Measure("macro.growth", "macro", "growth")


@st.composite
def expressions(draw: Any, numbers: Sequence[str], depth: int) -> Expression:
    """A number, a name, or two of them joined."""
    pick = draw(st.integers(0, 9))
    if depth == 0 or pick < 4:
        return Number(draw(st.sampled_from(LITERALS))) if pick == 3 else Name(draw(st.sampled_from(numbers)))
    if pick == 4:
        return Negative(draw(expressions(numbers, depth - 1)))
    operator: Any = draw(st.sampled_from("+-*/"))
    return Arithmetic(operator, draw(expressions(numbers, depth - 1)), draw(expressions(numbers, depth - 1)))


@st.composite
def conditions(
    draw: Any, numbers: Sequence[str], flags: Sequence[str], texts: Mapping[str, tuple[str, ...]], depth: int
) -> Condition:
    """Any condition over names."""
    pick = draw(st.integers(0, 11))
    if depth > 0 and pick >= 7:
        more = conditions(numbers, flags, texts, depth - 1)
        if pick == 7:
            return Not(draw(more))
        parts = tuple(draw(st.lists(more, min_size=2, max_size=3)))
        return And(parts) if pick % 2 else Or(parts)
    if flags and (pick == 0 or not (numbers or texts)):
        return Holds(draw(st.sampled_from(flags)))
    if texts and (pick == 1 or not numbers):
        name = draw(st.sampled_from(sorted(texts)))
        equals: Any = draw(st.sampled_from(["==", "!="]))
        return Comparison(equals, Name(name), Text(draw(st.sampled_from(texts[name]))))
    sign: Any = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
    if pick < 6:  # Most rules compare one measure with a number.
        sides: list[Expression] = [Name(draw(st.sampled_from(numbers))), Number(draw(st.sampled_from(LITERALS)))]
        left, right = sides if pick < 5 else reversed(sides)
        return Comparison(sign, left, right)
    return Comparison(sign, draw(expressions(numbers, 2)), draw(expressions(numbers, 2)))


@st.composite
def selectors(draw: Any, kinds: Sequence[str]) -> Selector:
    """A type of event, often narrowed."""
    name = draw(st.sampled_from(kinds))
    kind = KINDS[name]
    if draw(st.integers(0, 2)) or not (kind.numbers or kind.texts or kind.flags):
        return Selector(name)
    return Selector(name, draw(conditions(kind.numbers, kind.flags, kind.texts, 1)))


@st.composite
def measures(draw: Any, name: str, per: Per) -> Measure:
    """Any measure that may stand under a key."""
    is_own = per != "borrower_id" and draw(st.integers(0, 3)) > 0
    of_borrower = per != "borrower_id" and not is_own
    kinds = [kind for kind, each in KINDS.items() if not is_own or each.key == per]
    verbs = ["count", "count", "days_since", "sum", "average", "min", "max", "distinct", "latest", "sequence", "now"]
    verb: Any = draw(st.sampled_from(verbs))
    if verb == "now":
        return _now(draw, name, per, of_borrower=of_borrower)
    if verb == "sequence":
        steps = tuple(draw(st.lists(selectors(kinds), min_size=1, max_size=3)))
        return Measure(name, verb, None, steps, within=draw(st.sampled_from(OVERS)), of_borrower=of_borrower)
    over, ending = draw(st.sampled_from(OVERS)), draw(st.sampled_from(ENDINGS))
    if verb in ("latest", "days_since") and draw(st.booleans()):
        over, ending = None, None
    if verb in ("count", "days_since"):
        return Measure(name, verb, None, (draw(selectors(kinds)),), over, ending, None, of_borrower)
    kinds = [kind for kind in kinds if KINDS[kind].numbers or (verb == "distinct" and KINDS[kind].texts)]
    select = draw(selectors(kinds))
    kind = KINDS[select.event]
    what = draw(st.sampled_from([*kind.numbers, *kind.texts] if verb == "distinct" else kind.numbers))
    across: Any = None
    if verb in ("latest", "average", "min", "max") and not is_own and kind.key is not None:
        has_direction = what in HIGH or what in LOW
        across = draw(st.sampled_from(["worst", "sum", "average"] if has_direction else ["sum", "average"]))
    return Measure(name, verb, what, (select,), over, ending, None, of_borrower, across)


def _now(draw: Any, name: str, per: Per, *, of_borrower: bool) -> Measure:
    if per == "loan_id" and not of_borrower:
        return Measure(name, "now", "days_past_due")
    across: Any = draw(st.sampled_from(["worst", "sum", "average"]))
    return Measure(name, "now", "days_past_due", of_borrower=per != "borrower_id", across=across)


def is_truth(measure: Measure) -> bool:
    """Whether a measure is itself true or false."""
    return measure.verb == "sequence"


@st.composite
def rules(draw: Any, name: str = "r") -> Rule:
    """Any rule."""
    per: Per = draw(st.sampled_from(["borrower_id", "loan_id", "account_id"]))
    count = draw(st.integers(1, 4))
    named = {each: draw(measures(each, per)) for each in NAMES[:count]}
    if draw(st.integers(0, 5)) == 0:
        named[MACRO.name] = MACRO
    numbers = [each for each, measure in named.items() if not is_truth(measure)]
    flags = [each for each, measure in named.items() if is_truth(measure)]
    whole = conditions(numbers, flags, {}, 2)
    levels = draw(st.lists(st.sampled_from(SEVERITIES), unique=True, max_size=2))
    days = st.sampled_from([0, 0, 1, 2, 4])
    return rule(
        name,
        per=per,
        measure=named,
        when=draw(_silence(named) | whole if _counts(named) else whole),
        severity=draw(st.sampled_from(SEVERITIES)),
        escalate={level: draw(whole) for level in levels},
        hold=draw(days),
        quiet=draw(st.sampled_from([0, 0, 2, 5, 9])),
        clear_after=draw(days),
    )


def _counts(named: Mapping[str, Measure]) -> list[str]:
    return [name for name, each in named.items() if each.verb in ("count", "sum", "distinct")]


def _silence(named: Mapping[str, Measure]) -> st.SearchStrategy[Condition]:
    """Nothing, or hardly anything, for a while: it becomes true by time alone, as few other conditions do."""
    name = st.sampled_from(_counts(named))
    signs: Any = st.sampled_from(["<", "<=", "=="])
    limits = st.sampled_from([Decimal(0), Decimal(1), Decimal(2)])
    return st.builds(lambda sign, name, limit: Comparison(sign, Name(name), Number(limit)), signs, name, limits)


@st.composite
def shelves(draw: Any, most: int = 4) -> list[Rule]:
    """Some rules that are judged together; some are muted by an earlier one."""
    found: list[Rule] = []
    for n in range(draw(st.integers(1, most))):
        each = draw(rules(f"r{n}"))
        inhibitors = (draw(st.sampled_from(found)).rule,) if found and draw(st.integers(0, 3)) == 0 else ()
        found.append(replace(each, inhibited_by=inhibitors))
    return found


def kinds_read(shelf: Sequence[Rule]) -> tuple[str, ...]:
    """The types of events that some rule reads, and that a journey may hold freely."""
    read = {select.event for rule in shelf for measure in rule.measure.values() for select in measure.select}
    if any(measure.verb == "now" for rule in shelf for measure in rule.measure.values()):
        read.add("loan.snapshot")
    if "repayment.reversed" in read:
        read.add("repayment.received")
    return tuple(sorted(read - {"repayment.reversed"}))
