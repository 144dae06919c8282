from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from rules.rule import And, Condition, Measure, Name, Negative, Or, Per, Selector
from tests.oracles.rule_events import card, credit, debit, disbursed, late, missed, overdue
from tests.oracles.rule_journeys import DAY_0, LONG_BEFORE, Engine, Told, journey, tell
from tests.oracles.rule_makers import (
    arithmetic,
    both,
    compare,
    either,
    found,
    is_text,
    measure,
    measures,
    opposite,
    rule,
    sequence,
)

TRUE, FALSE, UNKNOWN = compare("macro.known", ">", 0), compare("macro.known", "<", 0), compare("macro.unheard", ">", 0)
FIGURES = {0: {"known": 1_000_000}}
TRUTHS: dict[bool | None, Condition] = {True: TRUE, False: FALSE, None: UNKNOWN}
MACRO = {name: Measure(name, "macro", name.removeprefix("macro.")) for name in ("macro.known", "macro.unheard")}


MISSED = measure("missed", "count", source="repayment.missed", over="60d")
PAID = measure("paid", "count", source="repayment.received", over="30d")


def truth(
    when: Condition,
    *events: Told,
    on: int = 0,
    per: Per = "borrower_id",
    history: dict[str, int] | None = None,
    **named: Measure,
) -> bool | None:
    """What a condition is at the close of a day."""
    engine = Engine([rule("r", per=per, measure=MACRO | named, when=when)], history=history)
    engine.figures = FIGURES
    tell(engine, events or (card(0, 0),), until=on)
    return engine.truth("r", {"loan_id": "L1", "account_id": "A1", "borrower_id": "B1"}[per], DAY_0 + on)


def one(named: tuple[str, Measure]) -> dict[str, Measure]:
    return measures(named)


@pytest.mark.parametrize(
    ("a", "b", "all_of", "any_of"),
    [
        (True, True, True, True),
        (True, False, False, True),
        (True, None, None, True),
        (False, False, False, False),
        (False, None, False, None),
        (None, None, None, None),
    ],
)
def test_false_and_unknown_is_false_and_true_or_unknown_is_true(
    a: bool | None, b: bool | None, all_of: bool | None, any_of: bool | None
) -> None:
    for parts in ((TRUTHS[a], TRUTHS[b]), (TRUTHS[b], TRUTHS[a])):
        assert truth(And(parts)) is all_of
        assert truth(Or(parts)) is any_of


@pytest.mark.parametrize(("a", "b"), list(product([True, False, None], repeat=2)))
def test_de_morgan_holds_over_three_truths(a: bool | None, b: bool | None) -> None:
    one, two = TRUTHS[a], TRUTHS[b]
    assert truth(opposite(both(one, two))) is truth(either(opposite(one), opposite(two)))
    assert truth(opposite(either(one, two))) is truth(both(opposite(one), opposite(two)))


def test_not_overdue_by_five_days_is_unknown_while_nothing_is_known() -> None:
    days = one(measure("overdue", "now", "days_past_due"))
    never_late = opposite(compare("overdue", ">=", 5))
    assert truth(never_late, disbursed(0), per="loan_id", **days) is None
    assert truth(never_late, overdue(0, 4), per="loan_id", **days) is True
    assert truth(never_late, overdue(0, 5), per="loan_id", **days) is False


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "==", "!="])
def test_a_comparison_with_an_unknown_is_neither_true_nor_false(sign: Any) -> None:
    assert truth(compare("macro.unheard", sign, 1)) is None
    assert truth(compare(1, sign, "macro.unheard")) is None
    assert truth(compare("macro.unheard", sign, "macro.unheard")) is None
    assert truth(compare("macro.known", sign, arithmetic("macro.unheard", "*", 0))) is None


@pytest.mark.parametrize(
    ("sign", "below", "at", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
        ("==", False, True, False),
        ("!=", True, False, True),
    ],
)
def test_every_comparator_is_turned_rightly_when_the_number_stands_first(
    sign: Any, below: bool, at: bool, above: bool
) -> None:
    turned: Any = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}[sign]
    for number, wanted in ((Decimal("1.000001"), below), (1, at), (Decimal("0.999999"), above)):
        assert truth(compare("macro.known", sign, number)) is wanted
        assert truth(compare(number, turned, "macro.known")) is wanted


def test_card_use_is_at_least_85_percent_at_exactly_85_percent() -> None:
    # 0.90 and 0.80 average to more than 0.85 in floats, and 0.95 and 0.75 and 0.85 to less.
    use = one(measure("use", "average", "used_share", "account.balance", over="14d", across="worst"))
    for percents in ((90, 80), (95, 75, 85)):
        cards = [card(0, percent, id=f"c{n}") for n, percent in enumerate(percents)]
        assert truth(compare("use", ">=", Decimal("0.85")), *cards, **use) is True
        assert truth(compare("use", ">", Decimal("0.85")), *cards, **use) is False
        assert truth(compare("use", "==", Decimal("0.85")), *cards, **use) is True


@pytest.mark.parametrize(("now", "fell"), [(1799, True), (1800, False), (1801, False)])
def test_a_salary_of_exactly_three_fifths_has_not_fallen_below_them(now: int, fell: bool) -> None:
    salary = Selector("account.credit", is_text("category", "salary"))
    named = measures(
        measure("salary", "sum", "amount", salary, over="35d"),
        measure("before", "sum", "amount", salary, over="35d", ending="35d"),
    )
    events = [credit(0, 3000, category="salary"), credit(36, now, category="salary"), credit(36, 5000, id="gift")]
    three_fifths = arithmetic(Decimal("0.6"), "*", "before")
    assert truth(both(compare("salary", "<", three_fifths), compare("before", ">", 0)), *events, on=40, **named) is fell
    ratio = arithmetic("salary", "/", "before")
    assert truth(compare(ratio, "<", Decimal("0.6")), *events, on=40, **named) is fell


def test_a_third_of_one_yuan_is_compared_exactly() -> None:
    named = measures(
        measure("one", "sum", "amount", "account.debit", over="9d"),
        measure("three", "sum", "amount", "account.credit", over="9d"),
    )
    third = arithmetic("one", "/", "three")
    events = [debit(0, 1), credit(0, 3)]
    # In floats 1/3 times 10**16 is 3333333333333333 exactly, and a third and a third are two thirds by luck.
    assert truth(compare(third, "==", Decimal("0.3333333333333333")), *events, **named) is False
    assert truth(compare(third, ">", Decimal("0.3333333333333333")), *events, **named) is True
    assert truth(compare(arithmetic(third, "*", 3), "==", 1), *events, **named) is True


def test_a_division_by_zero_is_unknown() -> None:
    named = measures(
        measure("out", "sum", "amount", "account.debit", over="9d"),
        measure("in_", "sum", "amount", "account.credit", over="9d"),
    )
    share = arithmetic("out", "/", "in_")
    for when in (compare(share, ">=", 1), compare(share, "<", 1), compare(share, "!=", 1)):
        assert truth(when, debit(0, 1), **named) is None
    assert truth(compare(share, ">=", 1), debit(0, 1), credit(0, 1), **named) is True


def test_a_product_too_large_for_a_float_is_unknown_beside_an_unknown() -> None:
    # 26 factors of 2**53 fen; NaN beside an integer above 10**308 would need that integer as a float.
    named = measures(
        measure("much", "sum", "amount", "account.debit", over="9d"),
        measure("none", "latest", "balance", "account.debit"),
    )
    large: Any = "much"
    for _ in range(25):
        large = arithmetic(large, "*", "much")
    events = [debit(0, 2**53 // 100)]
    for operator in "+-*/":
        assert truth(compare(arithmetic(large, operator, "none"), ">=", 1), *events, per="account_id", **named) is None
        assert truth(compare(arithmetic("none", operator, large), ">=", 1), *events, per="account_id", **named) is None


@pytest.mark.parametrize(
    ("sign", "number", "wanted"),
    [
        (">=", 2, True), (">", 1, True), (">=", 3, None), (">", 2, None),
        ("<", 2, False), ("<=", 1, False), ("<", 3, None), ("<=", 2, None),
        ("==", 1, None), ("==", 2, None), ("!=", 1, None), ("!=", 2, None),
    ],
)  # fmt: skip
def test_two_misses_in_a_window_known_in_part_are_at_least_two(sign: Any, number: int, wanted: bool | None) -> None:
    missed_ = one(MISSED)
    events = [overdue(0, 0), missed(0), missed(0, id="b")]
    assert truth(compare("missed", sign, number), *events, per="loan_id", history={}, **missed_) is wanted


def test_a_lower_bound_is_compared_with_a_number_and_with_nothing_else() -> None:
    missed_ = one(MISSED)

    def of(when: Condition) -> bool | None:
        return truth(when, overdue(0, 0), missed(0), per="loan_id", history={}, **missed_)

    assert of(compare("missed", ">=", 1)) is True
    assert of(compare(1, "<=", "missed")) is True
    assert of(compare("missed", ">=", -1)) is True
    assert of(compare(arithmetic("missed", "+", 1), ">=", 1)) is None
    assert of(compare(Negative(Name("missed")), "<=", -1)) is None
    assert of(compare("missed", ">=", "missed")) is None


def test_an_engine_that_starts_today_warns_of_two_misses_and_not_of_silence() -> None:
    silent = rule("silent", per="loan_id", measure=one(PAID),
                  when=compare("paid", "==", 0))  # fmt: skip
    twice = rule("twice", per="loan_id", measure=one(MISSED),
                 when=compare("missed", ">=", 2))  # fmt: skip
    # Known from day 3 on, 30 dates are whole at the close of day 32.
    said = journey([silent, twice], overdue(3, 0), missed(3), missed(4), until=35, history={})
    assert [(each.day, each.rule, each.transition) for each in said] == [
        (4, "twice", "opened"),
        (32, "silent", "opened"),
    ]


def test_a_rule_is_looked_at_after_an_event_that_it_reads_and_not_after_others() -> None:
    # The 24 hours of the debit are over at noon of day 1; only the debit of the evening makes the rule look again.
    of_day = one(measure("n", "count", source=Selector("account.debit", compare("amount", ">=", 5)), over="24h"))
    quiet = rule("quiet", per="account_id", measure=of_day, when=compare("n", "==", 0))
    first = debit(0, 9, clock="12:00:00.000")
    small, other = debit(1, 1, clock="13:00:00.000"), card(1, 50, clock="14:00:00.000")
    again = debit(1, 9, clock="15:00:00.000")
    assert journey(quiet, first, small, other, again, until=1, history=LONG_BEFORE) == []
    assert [each.day for each in journey(quiet, first, small, other, until=1, history=LONG_BEFORE)] == [1]


def test_a_sequence_of_another_borrowers_making_is_found_alone_or_after_not() -> None:
    slide = one(sequence("slide", "account.debit", "account.credit", within="9d"))
    events = [debit(0, 1, clock="08:00:00.000"), credit(0, 1)]
    assert truth(found("slide"), *events, per="account_id", **slide) is True
    assert truth(opposite(found("slide")), *events[1:], per="account_id", **slide) is True
    assert truth(found("slide"), *events[1:], per="account_id", history={}, **slide) is None


def test_silence_is_noticed_although_no_event_ever_made_the_engine_look_at_the_rule() -> None:
    paid_nothing = rule("paid-nothing", per="loan_id", measure=one(PAID), when=compare("paid", "<", 1))
    missed_some = rule("missed-some", per="loan_id", measure=one(MISSED), when=compare("missed", ">=", 9))
    said = journey([missed_some, paid_nothing], disbursed(0), missed(0), until=2)
    assert [(each.day, each.rule) for each in said] == [(0, "paid-nothing")]


@pytest.mark.parametrize(("over", "opens"), [("3d", 3), ("30h", 1)])
def test_silence_is_noticed_on_its_day_although_another_rule_was_looked_at_before(over: str, opens: int) -> None:
    # The debit of day 0 leaves 3 dates on day 3, and 30 hours on day 1 at 15 hours; a credit comes that morning.
    no_debit = rule("no-debit", per="account_id", measure=one(measure("n", "count", source="account.debit", over=over)),
                    when=compare("n", "==", 0))  # fmt: skip
    credits = rule("credits", per="account_id", measure=one(measure("n", "count", source="account.credit", over="30d")),
                   when=compare("n", ">=", 9))  # fmt: skip
    said = journey([no_debit, credits], debit(0, 5), credit(1, 5), credit(3, 5), until=5)
    assert [(each.day, each.rule) for each in said] == [(opens, "no-debit")]


def test_a_late_event_of_the_same_feed_makes_a_window_whole_at_once() -> None:
    # Known from day 5: five dates are whole on day 9. The late credit of day 2 makes them whole on day 6 already.
    no_debit = rule("no-debit", per="account_id", measure=one(measure("n", "count", source="account.debit", over="5d")),
                    when=compare("n", "==", 0))  # fmt: skip
    early = late(credit(2, 5, id="early"), on=6)
    opened = [each.day for each in journey(no_debit, card(5, 50), until=12, history={})]
    assert opened == [9]
    assert [each.day for each in journey(no_debit, card(5, 50), early, until=12, history={})] == [6]


def test_a_published_figure_is_noticed_at_the_next_close() -> None:
    growth = rule("growth", per="borrower_id", measure=MACRO, when=compare("macro.known", "<", 0))
    engine = Engine([growth])
    engine.figures = {DAY_0: {"known": 5}, DAY_0 + 3: {"known": -5}, DAY_0 + 5: {"known": 5}}
    tell(engine, [card(0, 50)], until=7)
    assert [(each.date - DAY_0, each.transition) for each in engine.transitions] == [(3, "opened"), (5, "closed")]
