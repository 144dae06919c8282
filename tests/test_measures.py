from fractions import Fraction
from typing import Any

import pytest

from rules.rule import Measure, Selector
from tests.oracles.rule_closing import at, closing, engine_of, exactly
from tests.oracles.rule_events import card, credit, debit, disbursed, missed, overdue, paid, score
from tests.oracles.rule_journeys import tell
from tests.oracles.rule_makers import compare, is_text, measure, opposite, sequence
from tests.oracles.rule_truth import UNKNOWN, Value

HOUR_MS = 3_600_000


# -- windows ----------------------------------------------------------------


def test_a_miss_on_day_0_is_outside_a_60_day_window_on_day_60() -> None:
    #  day 0          day 59         day 60
    #  miss ──────────────│            │
    #  │<── 60 dates ────>│
    named = measure("m", "count", source="repayment.missed", over="60d")
    assert closing(named, missed(0), on=(0, 59, 60)) == [exactly(1), exactly(1), exactly(0)]


def test_a_window_in_weeks_is_seven_days_each() -> None:
    named = measure("m", "count", source="repayment.missed", over="2w")
    assert closing(named, missed(0), on=(13, 14)) == [exactly(1), exactly(0)]


def test_a_window_in_hours_counts_to_the_millisecond() -> None:
    # (now - 36h, now]: an event at noon of day 1 leaves the window at midnight, exactly 36 hours later.
    engine = engine_of(measure("m", "count", source="account.debit", over="36h"), "account_id")
    tell(engine, [debit(1, 5, clock="12:00:00.000")], until=1)
    assert at(engine, 2, 24 * HOUR_MS - 1, "A1") == exactly(1)
    assert at(engine, 3, 0, "A1") == exactly(0)


def test_a_window_in_hours_follows_the_instant_whatever_the_business_date_says() -> None:
    engine = engine_of(measure("m", "count", source="account.debit", over="48h"), "account_id")
    tell(engine, [debit(20, 5, of_day=10, clock="12:00:00.000", arrives=20)], until=20)
    assert at(engine, 22, 12 * HOUR_MS - 1, "A1") == exactly(1)
    assert at(engine, 22, 12 * HOUR_MS, "A1") == exactly(0)


def test_ending_moves_the_window_back() -> None:
    # over 5d ending 3d ago on day 10: dates 3 to 7.
    named = measure("m", "count", source="repayment.missed", over="5d", ending="3d")
    events = [missed(day) for day in (2, 3, 7, 8)]
    assert closing(named, *events, on=10) == exactly(2)
    assert closing(named, *events, on=11) == exactly(2)  # dates 4 to 8: of days 7 and 8


def test_ending_moves_a_window_in_hours_back() -> None:
    # over 12h ending 1d ago at the end of day 2: the last 12 hours of day 1.
    named = measure("m", "count", source="account.debit", over="12h", ending="1d")
    noon, morning = debit(1, 5, clock="12:00:00.000"), debit(1, 5, clock="11:59:59.999")
    assert closing(named, noon, on=2, per="account_id") == exactly(1)
    assert closing(named, morning, on=2, per="account_id") == exactly(0)


def test_latest_and_days_since_without_over_read_all_that_is_kept() -> None:
    seen = measure("m", "days_since", source="repayment.received")
    assert closing(seen, disbursed(0), paid(1), on=350) == exactly(349)
    points = measure("m", "latest", "score", "external.score")
    assert closing(points, score(0, 611), on=350, per="borrower_id", history={}) == exactly(611)


# -- verbs ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "wanted"),
    [
        (measure("m", "count", source="account.debit", over="9d"), exactly(0)),
        (measure("m", "sum", "amount", "account.debit", over="9d"), exactly(0)),
        (measure("m", "distinct", "category", "account.debit", over="9d"), exactly(0)),
        (measure("m", "latest", "amount", "account.debit"), UNKNOWN),
        (measure("m", "average", "amount", "account.debit", over="9d"), UNKNOWN),
        (measure("m", "min", "amount", "account.debit", over="9d"), UNKNOWN),
        (measure("m", "max", "amount", "account.debit", over="9d"), UNKNOWN),
        (measure("m", "days_since", source="account.debit", over="9d"), UNKNOWN),
    ],
    ids=lambda each: each[1].verb if isinstance(each, tuple) else "",
)
def test_no_event_is_zero_for_a_count_and_a_sum_and_unknown_for_a_fact(
    named: tuple[str, Measure], wanted: Value
) -> None:
    assert closing(named, card(0, 50), on=3, per="account_id") == wanted


def test_every_verb_says_what_it_should_of_three_debits() -> None:
    events = [
        debit(1, 40, category="rent"),
        debit(2, 10, category="food", id="b"),
        debit(2, 100, category="rent", id="c", clock="10:00:00.000"),
    ]

    def of(verb: Any, what: str | None = None) -> Value:
        value: Value = closing(measure("m", verb, what, "account.debit", over="9d"), *events, on=4, per="account_id")
        return value

    assert of("count") == exactly(3)
    assert of("sum", "amount") == exactly(150)
    assert of("average", "amount") == exactly(50)
    assert of("min", "amount") == exactly(10)
    assert of("max", "amount") == exactly(100)
    assert of("latest", "amount") == exactly(100)
    assert of("distinct", "category") == exactly(2)
    assert of("days_since") == exactly(2)


def test_an_event_without_the_field_is_passed_over() -> None:
    events = [debit(1, 5, balance_minor=700), debit(2, 5), debit(3, 5, balance_minor=-300, id="z")]
    assert closing(measure("m", "sum", "balance", "account.debit", over="9d"), *events, on=3, per="account_id") == (
        exactly(4)
    )
    assert closing(measure("m", "latest", "balance", "account.debit"), *events[:2], on=3, per="account_id") == exactly(
        7
    )


def test_an_average_of_three_is_no_rounded_number() -> None:
    events = [debit(1, 1), debit(2, 1), debit(3, 2)]
    named = measure("m", "average", "amount", "account.debit", over="9d")
    assert closing(named, *events, on=3, per="account_id") == exactly(Fraction(4, 3))


def test_days_past_due_roll_on_by_a_day_above_zero_and_stay_at_zero() -> None:
    now = measure("m", "now", "days_past_due")
    assert closing(now, overdue(1, 3), on=(1, 2, 5)) == [exactly(3), exactly(4), exactly(7)]
    assert closing(now, overdue(1, 0), on=(1, 9)) == [exactly(0), exactly(0)]
    assert closing(now, disbursed(0), on=1) == UNKNOWN


def test_a_sequence_is_true_while_its_first_step_is_at_most_90_days_old() -> None:
    slide = sequence("m", "account.debit", "repayment.missed", within="90d", of_borrower=True)
    events = [disbursed(0), debit(1, 5), missed(60)]
    assert closing(slide, *events, on=(59, 60, 91, 92)) == [
        exactly(False),
        exactly(True),
        exactly(True),
        exactly(False),
    ]


def test_a_sequence_in_hours_is_inclusive_to_the_millisecond() -> None:
    engine = engine_of(sequence("m", "account.debit", "account.credit", within="24h"), "account_id")
    tell(engine, [debit(1, 5, clock="12:00:00.000"), credit(1, 5, clock="13:00:00.000")], until=1)
    assert at(engine, 2, 12 * HOUR_MS, "A1") == exactly(True)
    assert at(engine, 2, 12 * HOUR_MS + 1, "A1") == exactly(False)


def test_a_sequence_wants_its_steps_in_order_and_an_event_for_each() -> None:
    debit_first = sequence("m", "account.debit", "account.credit", within="30d")
    assert closing(debit_first, credit(1, 5), debit(2, 5), on=3, per="account_id") == exactly(False)
    assert closing(debit_first, debit(1, 5), credit(2, 5), on=3, per="account_id") == exactly(True)
    twice = sequence("m", "account.debit", "account.debit", within="30d")
    assert closing(twice, debit(1, 5), on=3, per="account_id") == exactly(False)
    assert closing(twice, debit(1, 5), debit(1, 5, id="b"), on=3, per="account_id") == exactly(True)


def test_at_one_instant_the_topic_decides_and_then_the_id() -> None:
    # Repayments come before accounts; of one topic, id a comes before id b, however they arrive.
    both_feeds = sequence("m", "repayment.missed", "account.debit", within="30d", of_borrower=True)
    same_instant = [debit(1, 5, id="a"), missed(1, id="z")]
    assert closing(both_feeds, disbursed(0), *same_instant, on=1) == exactly(True)
    turned = sequence("m", "account.debit", "repayment.missed", within="30d", of_borrower=True)
    assert closing(turned, disbursed(0), *same_instant, on=1) == exactly(False)
    by_id = sequence("m", "account.debit", "account.credit", within="30d")
    assert closing(by_id, credit(1, 5, id="b"), debit(1, 5, id="a"), on=1, per="account_id") == exactly(True)
    assert closing(by_id, credit(1, 5, id="a"), debit(1, 5, id="b"), on=1, per="account_id") == exactly(False)


@pytest.mark.parametrize("order", [1, -1])
def test_two_sources_that_use_one_id_are_read_the_same_whichever_comes_first(order: int) -> None:
    one, two = score(1, 400, id="s", source="aaa"), score(1, 600, id="s", source="bbb")
    named = measure("m", "latest", "score", "external.score")
    assert closing(named, *[one, two][::order], on=1, per="borrower_id") == exactly(600)


def test_the_latest_is_the_last_to_happen_and_not_the_last_to_arrive() -> None:
    events = [score(1, 500, clock="15:00:00.000"), score(1, 600, clock="09:00:00.000", id="b")]
    named = measure("m", "latest", "score", "external.score")
    assert closing(named, *events, on=1, per="borrower_id") == exactly(500)


# -- whose events -----------------------------------------------------------


def test_two_loans_do_not_overwrite_each_other() -> None:
    named = measure("m", "count", source="repayment.missed", over="60d")
    events = [missed(0, "L1"), missed(1, "L2"), missed(2, "L2")]
    assert closing(named, *events, on=3, key="L1") == exactly(1)
    assert closing(named, *events, on=3, key="L2") == exactly(2)


def test_of_borrower_reads_the_events_of_all_loans() -> None:
    named = measure("m", "count", source="repayment.missed", over="60d", of_borrower=True)
    assert closing(named, missed(0, "L1"), missed(1, "L2"), on=3, key="L1") == exactly(2)


@pytest.mark.parametrize(("across", "wanted"), [("worst", "0.9"), ("sum", "1.2"), ("average", "0.6")])
def test_across_brings_the_cards_together_each_by_its_own_average(across: str, wanted: str) -> None:
    # Card A1: 80 % and 100 %, on average 90 %; card A2: 30 %.
    events = [card(1, 80), card(2, 100, id="b"), card(2, 30, "A2")]
    named = measure("m", "average", "used_share", "account.balance", over="14d", across=across)
    assert closing(named, *events, on=3, per="borrower_id") == exactly(Fraction(wanted))


def test_the_worst_balance_is_the_lowest() -> None:
    events = [debit(1, 5, balance_minor=50_000), debit(1, 5, "A2", balance_minor=-20_000)]
    named = measure("m", "latest", "balance", "account.debit", across="worst")
    assert closing(named, *events, on=1, per="borrower_id") == exactly(-200)


def test_the_worst_of_two_loans_is_unknown_while_one_of_them_is() -> None:
    named = measure("m", "now", "days_past_due", across="worst")
    assert closing(named, overdue(1, 9), disbursed(1, "L2"), on=1, per="borrower_id") == UNKNOWN
    assert closing(named, overdue(1, 9), overdue(1, 4, "L2"), on=2, per="borrower_id") == exactly(10)


def test_an_event_is_narrowed_only_where_the_narrowing_is_certain() -> None:
    large = Selector("account.debit", compare("amount", ">=", 200))
    assert closing(
        measure("m", "count", source=large, over="9d"), debit(1, 199), debit(2, 200), on=3, per="account_id"
    ) == (exactly(1))
    not_rent = Selector("account.debit", opposite(is_text("category", "rent")))
    events = [debit(1, 5), debit(2, 5, category="food"), debit(3, 5, category="rent")]
    assert closing(measure("m", "count", source=not_rent, over="9d"), *events, on=3, per="account_id") == exactly(1)
    not_low = Selector("account.debit", opposite(compare("balance", "<", -5)))
    assert closing(measure("m", "count", source=not_low, over="9d"), *events, on=3, per="account_id") == exactly(0)


def test_an_absent_field_is_above_no_number_however_far_below_zero() -> None:
    above = Selector("account.debit", compare("balance", ">=", -(10**19)))
    assert closing(measure("m", "count", source=above, over="9d"), debit(1, 5), on=1, per="account_id") == exactly(0)
