"""What is decided of conditions by ranges is certain: never holds, holds whenever another does."""

import random
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from pipeline.events import CATALOGUE
from rules.catalogue import Field
from rules.conditions import names_in, parse_when, parse_where
from rules.domains import field_domain, measure_domain
from rules.intervals import ANY, INFINITY, Interval, joined
from rules.possible import dead_parts, holds_whenever, never_holds, opposite
from rules.rule import And, Comparison, Condition, Measure, Name, Number, Selector, Span
from tests.oracles.random_rules import LITERALS, conditions
from tests.oracles.rule_truth import UNKNOWN, Value, truth_of

FROM_ZERO = Interval(Fraction(0), is_whole=True)
SHARE = Interval(Fraction(0), Fraction(1))
DOMAINS = {"a": FROM_ZERO, "b": FROM_ZERO, "c": SHARE, "d": ANY}
NUMBERS, FLAGS = sorted(DOMAINS), ["p", "q"]
SORTS: Any = dict.fromkeys(NUMBERS, "number") | dict.fromkeys(FLAGS, "truth")

# Values beside every literal, so that edges are met.
REALS = sorted({Fraction(each) + step for each in LITERALS for step in (Fraction(-1, 7), Fraction(0), Fraction(1, 7))})
IN_DOMAIN = {
    "a": [Fraction(n) for n in range(5)],
    "b": [Fraction(n) for n in range(5)],
    "c": [each for each in REALS if 0 <= each <= 1],
    "d": REALS,
}


def assignment(chance: random.Random) -> dict[str, Value]:
    """What is known of every measure: the value, at least so much, or nothing."""
    found: dict[str, Value] = {}
    for name in NUMBERS:
        known: Any = chance.choice(["all", "all", "all", "at least", "nothing"])
        found[name] = UNKNOWN if known == "nothing" else Value(known, chance.choice(IN_DOMAIN[name]))
    for name in FLAGS:
        flag = chance.choice([True, False, None])
        found[name] = UNKNOWN if flag is None else Value("all", flag)
    return found


def assignments(seed: int) -> list[dict[str, Value]]:
    """Some of them, made from one number: a list of lists would take minutes to shrink when a law breaks."""
    chance = random.Random(seed)
    return [assignment(chance) for _ in range(60)]


WHOLE = conditions(NUMBERS, FLAGS, {}, 2)
SEVERAL = st.integers(0, 2**32).map(assignments)


@st.composite
def narrow(draw: Any) -> Condition:
    """Comparisons of few names with few numbers, all of which must hold: they often contradict each other."""
    signs: Any = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    names, numbers = st.sampled_from(["a", "c"]), st.sampled_from(LITERALS)
    parts = st.builds(lambda sign, name, number: Comparison(sign, Name(name), Number(number)), signs, names, numbers)
    return And(tuple(draw(st.lists(parts, min_size=2, max_size=4))))


def when(text: str) -> Condition:
    return parse_when(text, SORTS)


@given(st.one_of(narrow(), WHOLE), SEVERAL)
def test_what_is_said_never_to_hold_is_true_for_no_values(condition, several):
    is_never = never_holds(condition, DOMAINS) is not None
    event(f"never: {is_never}")
    for values in several if is_never else []:
        assert truth_of(condition, values) is not True


@given(st.one_of(narrow(), WHOLE), SEVERAL)
def test_what_is_said_always_to_hold_is_false_for_no_values(condition, several):
    is_always = never_holds(opposite(condition), DOMAINS) is not None
    event(f"always: {is_always}")
    for values in several if is_always else []:
        assert truth_of(condition, values) is not False


@given(st.one_of(st.tuples(narrow(), narrow()), st.tuples(WHOLE, WHOLE)), SEVERAL)
def test_what_is_said_to_be_implied_is_true_whenever_the_other_is(two, several):
    one, other = two
    is_implied = holds_whenever(one, other, DOMAINS)
    event(f"implied: {is_implied}")
    for values in several if is_implied else []:
        if truth_of(other, values) is True:
            assert truth_of(one, values) is True


@given(WHOLE, SEVERAL)
def test_a_part_that_is_said_to_be_dead_is_never_what_makes_the_whole_true(condition, several):
    dead = [part for part, _ in dead_parts(condition, DOMAINS)]
    event(f"dead parts: {bool(dead)}")
    for part in dead:
        for values in several:
            assert not (truth_of(condition, values) is True and truth_of(part, values) is True) or _elsewhere(
                condition, part, values
            )


def _elsewhere(condition: Condition, part: Condition, values: Mapping[str, Value]) -> bool:
    """A part may be true where the whole holds by another one only if it stands there a second time."""
    return sum(part == each for each in _all_parts(condition)) > 1


def _all_parts(condition: Any) -> list[Condition]:
    below = [*getattr(condition, "parts", ()), *([condition.of] if hasattr(condition, "of") else [])]
    return [condition, *(found for each in below for found in _all_parts(each))]


@given(WHOLE)
def test_a_condition_holds_whenever_itself_does(condition):
    simple = when("a >= 2")
    assert holds_whenever(simple, And((simple, condition)), DOMAINS)


@given(st.sampled_from("+-*/"), st.data())
def test_two_values_joined_lie_in_the_joined_ranges(operator, data):
    ends = st.sampled_from([*REALS[::3], -INFINITY, INFINITY])
    ranges, values = [], []
    for _ in range(2):
        low, high = sorted([data.draw(ends), data.draw(ends)])
        inside = [each for each in REALS if low <= each <= high]
        assume(inside)
        ranges.append(Interval(low, high))
        values.append(data.draw(st.sampled_from(inside)))
    assume(operator != "/" or values[1] != 0)
    a, b = values
    result = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else None}[operator]
    point = Interval(result, result)
    assert point.lies_in(joined(operator, *ranges)), (ranges, result)


NEVER = [
    "a >= 3 and a < 2",
    "a > 2 and a < 3",  # a whole number
    "a == 1 and a != 1",
    "a < 0",
    "c > 1",
    "c >= 1.01 or a < 0",
    "a >= 2 and not a >= 1",
    "p and not p",
    "a / b < 0",
    "a * c < -1",
    "d < 0.9 * a and d >= 0.9 * a",
    "a > b and b >= a",
    "a >= 3 and 2 * a < 6",
    "a > a",
    "a != 0 and a != 1 and a < 2",
    "3 <= a <= 2",
]
MAYBE = [
    "a >= 2 and a < 3",
    "c > 0.2 and c < 0.3",
    "d > 2 and d < 3",
    "a >= 3 or a < 2",
    "a - b < 0",
    "d < 0",
    "p and not q",
    "a / b >= 2",
    "a > b and b > d",
    "a != 0 and a < 2",
]


@pytest.mark.parametrize("text", NEVER)
def test_a_contradiction_is_seen(text):
    assert never_holds(when(text), DOMAINS) is not None


@pytest.mark.parametrize("text", MAYBE)
def test_what_can_hold_is_not_called_a_contradiction(text):
    assert never_holds(when(text), DOMAINS) is None


@pytest.mark.parametrize(
    ("one", "whenever"),
    [
        ("a >= 2", "a >= 3"),
        ("a > 2", "a >= 3"),  # a whole number
        ("a >= 2 or b >= 9", "a >= 3 and c < 0.5"),
        ("a >= 1", "a == 2 or a == 3"),
        ("a != 5", "a < 5"),
        ("d < 0.9 * a", "0.9 * a > d and b >= 1"),
        ("a / b > 1", "a / b > 2"),
        ("p", "p and a > 1"),
        ("c <= 1", "c <= 0.5"),
    ],
)  # fmt: skip
def test_what_follows_is_seen(one, whenever):
    assert holds_whenever(when(one), when(whenever), DOMAINS)


@pytest.mark.parametrize(
    ("one", "whenever"),
    [
        ("a >= 3", "a >= 2"),
        ("a != 1", "a >= 2"),  # a lower bound is no known value
        ("a < 99", "a >= 2"),
        ("b >= 0", "a >= 2"),  # b may be unknown
        ("a / b >= 0", "a == 2 and b <= 3"),  # b may be zero, and the ratio unknown
        ("a >= 2", "a >= 3 or b >= 1"),
        ("2 * a >= 4", "a >= 2"),  # computing needs the exact value
    ],
)  # fmt: skip
def test_what_need_not_follow_is_not_said_to(one, whenever):
    assert not holds_whenever(when(one), when(whenever), DOMAINS)


def test_a_condition_with_too_many_ways_is_left_undecided():
    many = " and ".join(f"(a >= {n} or b >= {n})" for n in range(12))
    assert never_holds(when(f"{many} and a < 0"), DOMAINS) is None
    assert not holds_whenever(when("a >= 0"), when(f"{many} and a >= 1"), DOMAINS)


def test_the_parts_of_an_or_that_cannot_hold_are_named():
    found = dict(dead_parts(when("a >= 2 and (a < 1 or b >= 3)"), DOMAINS))
    assert list(found) == [when("a < 1")]
    assert list(dead_parts(when("a >= 2 or b >= 3"), DOMAINS)) == []


# -- what a measure can be --------------------------------------------------

DEBIT = (Selector("account.debit"),)


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        (Measure("m", "count", None, DEBIT, Span(9, "d")), "a whole number of at least 0"),
        (Measure("m", "days_since", None, DEBIT), "a whole number of at least 0"),
        (Measure("m", "days_since", None, DEBIT, Span(9, "d")), "a whole number of at least 0 and at most 8"),
        (Measure("m", "days_since", None, DEBIT, Span(2, "w"), Span(3, "d")),
         "a whole number of at least 3 and at most 16"),
        (Measure("m", "days_since", None, DEBIT, Span(36, "h")), "a whole number"),
        (Measure("m", "sum", "amount", DEBIT, Span(9, "d")), "at least 0"),
        (Measure("m", "sum", "balance", DEBIT, Span(9, "d")), "any number"),
        (Measure("m", "latest", "score", (Selector("model.stress"),)), "at least 0 and at most 1"),
        (Measure("m", "latest", "sentiment", (Selector("external.news"),)), "at least -1 and at most 1"),
        (Measure("m", "latest", "instalment", (Selector("repayment.due"),), across="sum"),
         "a whole number of at least 1"),
        (Measure("m", "sum", "instalment", (Selector("repayment.due"),)), "a whole number of at least 0"),
        (Measure("m", "average", "instalment", (Selector("repayment.due"),)), "at least 1"),
        (Measure("m", "now", "days_past_due"), "a whole number of at least 0"),
        (Measure("m", "now", "days_past_due", across="average"), "at least 0"),
        (Measure("m", "now", "rate"), "any number"),
        (Measure("macro.growth", "macro", "growth"), "any number"),
    ],
)  # fmt: skip
def test_a_measure_can_be_what_its_verb_and_the_catalogue_allow(measure, said):
    assert str(measure_domain(measure, CATALOGUE)) == said


def test_a_narrowing_is_decided_in_the_same_way():
    kind = CATALOGUE.events["account.debit"]
    domains = {name: field_domain(field) for name, field in kind.fields.items()}
    for text in ("category == 'rent' and category == 'fee'", "amount < 0", "amount >= 200 and amount < 100",
                 "category != 'rent' and category == 'rent'"):  # fmt: skip
        assert never_holds(parse_where(text, kind), domains) is not None, text
    for text in ("category == 'rent' or category == 'fee'", "category != 'rent' and category != 'fee'", "balance < 0"):
        assert never_holds(parse_where(text, kind), domains) is None, text


def test_a_field_without_limits_may_be_any_number():
    assert field_domain(Field("rate", "share")) == ANY
    assert Interval(Fraction(1), Fraction(0)).is_empty
    assert set(names_in(And((when("a >= 1"), Comparison(">", Name("b"), Number(Decimal(0))))))) == {"a", "b"}
