from fractions import Fraction
from typing import Any

import pytest

from rules.rule import Selector
from tests.oracles.rule_closing import at_least, closing, exactly
from tests.oracles.rule_events import card, credit, debit, disbursed, late, missed, overdue, paid, repeated, taken_back
from tests.oracles.rule_journeys import DAY_0, LONG_BEFORE, journey, told
from tests.oracles.rule_makers import both, compare, is_text, measure, measures, rule, sequence
from tests.oracles.rule_truth import UNKNOWN

# -- what arrives late, twice, or is taken back -----------------------------


def test_a_late_event_goes_into_its_own_day() -> None:
    named = measure("m", "count", source="repayment.missed", over="5d")
    events = [disbursed(0), late(missed(3), on=6)]
    assert closing(named, *events, on=(5, 6, 7, 8)) == [exactly(0), exactly(1), exactly(1), exactly(0)]


def test_a_reversal_takes_its_payment_out_of_every_window() -> None:
    payment = paid(2, 70)
    events = [disbursed(0), payment, paid(3, 30), taken_back(5, payment)]
    assert closing(measure("m", "sum", "amount", "repayment.received", over="30d"), *events, on=(4, 5)) == [
        exactly(100),
        exactly(30),
    ]


def test_an_event_that_comes_twice_counts_once() -> None:
    named = measure("m", "count", source="repayment.missed", over="60d")
    assert closing(named, missed(1), repeated(missed(1), on=1), repeated(missed(1), on=4), on=5) == exactly(1)


# -- what is known ----------------------------------------------------------


def test_a_missing_feed_makes_its_measures_unknown_for_that_day_alone() -> None:
    named = measure("m", "count", source="account.debit", over="9d")
    assert closing(named, debit(1, 5), on=3, per="account_id", missing=frozenset({"account"})) == UNKNOWN
    assert closing(named, debit(1, 5), on=3, per="account_id", missing=frozenset({"repayment"})) == exactly(1)
    overdue_now = measure("m", "now", "days_past_due")
    assert closing(overdue_now, overdue(1, 3), on=3, missing=frozenset({"repayment"})) == UNKNOWN


def test_a_model_is_a_feed_of_its_own() -> None:
    scored = told("model.stress", day=1, score_ppm=900_000)
    named = measure("m", "latest", "score", "model.stress")
    assert closing(named, scored, on=3, per="borrower_id", missing=frozenset({"external"})) == exactly(Fraction("0.9"))
    assert closing(named, scored, on=3, per="borrower_id", missing=frozenset({"model.stress"})) == UNKNOWN


def test_a_window_that_reaches_before_the_feed_is_known_holds_lower_bounds() -> None:
    # The account feed begins on day 4: a window of 5 days is whole from day 8 on (dates 4 to 8).
    named = measure("m", "count", source="account.debit", over="5d")
    assert closing(named, debit(4, 5), on=(7, 8), per="account_id", history={}) == [at_least(1), exactly(1)]
    for verb, wanted in (("sum", at_least(5)), ("max", at_least(5)), ("min", UNKNOWN), ("average", UNKNOWN)):
        named = measure("m", verb, "amount", "account.debit", over="5d")  # type: ignore[arg-type]  # verbs as texts
        assert closing(named, debit(4, 5), on=7, per="account_id", history={}) == wanted
    since = measure("m", "days_since", source="account.debit", over="5d")
    assert closing(since, debit(4, 5), on=(7, 8), per="account_id", history={}) == [UNKNOWN, exactly(4)]


def test_a_sum_of_balances_is_no_lower_bound() -> None:
    named = measure("m", "sum", "balance", "account.debit", over="5d")
    assert closing(named, debit(4, 5, balance_minor=100), on=5, per="account_id", history={}) == UNKNOWN


def test_a_window_in_hours_is_whole_from_the_first_millisecond_of_the_first_known_date() -> None:
    # At the last millisecond of day 4 the 24 hours reach back to the first of day 4, and no further.
    named = measure("m", "count", source="account.debit", over="24h")
    assert closing(named, debit(4, 5), on=4, per="account_id", history={}) == exactly(1)
    named = measure("m", "count", source="account.debit", over="25h")
    assert closing(named, debit(4, 5), on=4, per="account_id", history={}) == at_least(1)


def test_a_loan_paid_out_as_the_first_repayment_event_makes_the_feed_known_from_ever() -> None:
    named = measure("m", "count", source="repayment.missed", over="300d")
    assert closing(named, disbursed(4), on=5, history={}) == exactly(0)
    assert closing(named, overdue(4, 0), on=5, history={}) == at_least(0)
    assert closing(named, overdue(4, 0), disbursed(5, "L2"), on=5, history={}) == at_least(0)


def test_a_loan_paid_out_at_the_very_instant_of_the_first_event_counts_as_the_first() -> None:
    named = measure("m", "count", source="repayment.missed", over="300d")
    for ids in (("a", "b"), ("b", "a")):
        events = [disbursed(4, id=ids[0]), overdue(4, 0, id=ids[1])]
        assert closing(named, *events, on=5, history={}) == exactly(0)
        assert closing(named, *events[::-1], on=5, history={}) == exactly(0)


def test_only_the_worst_of_a_field_that_is_worse_when_high_is_a_lower_bound() -> None:
    # A card or an account that is not known yet may be fuller, and it may be emptier.
    fullest = measure("m", "max", "used_share", "account.balance", over="5d", across="worst")
    assert closing(fullest, card(4, 50), on=5, per="borrower_id", history={}) == at_least(Fraction("0.5"))
    emptiest = measure("m", "max", "balance", "account.debit", over="5d", across="worst")
    assert closing(emptiest, debit(4, 5, balance_minor=100), on=5, per="borrower_id", history={}) == UNKNOWN


@pytest.mark.parametrize("order", [1, -1])
def test_a_payment_that_is_taken_back_shows_that_its_feed_was_there_whichever_comes_first(order: int) -> None:
    payment = paid(-6, arrives=0)
    both_ = [payment, taken_back(0, payment)]
    named = measure("m", "count", source="repayment.missed", over="5d")
    assert closing(named, overdue(0, 0), *both_[::order], on=0, history={}) == exactly(0)


def test_history_from_the_settings_makes_a_feed_known() -> None:
    named = measure("m", "count", source="repayment.missed", over="5d")
    assert closing(named, overdue(4, 0), on=5, history={"repayment": DAY_0 + 1}) == exactly(0)
    assert closing(named, overdue(4, 0), on=5, history={"account": DAY_0 + 1}) == at_least(0)


def test_a_sequence_that_is_found_is_true_even_in_a_window_known_in_part() -> None:
    named = sequence("m", "account.debit", "account.credit", within="30d")
    assert closing(named, debit(1, 5), credit(2, 5), on=2, per="account_id", history={}) == exactly(True)
    assert closing(named, debit(1, 5), on=2, per="account_id", history={}) == UNKNOWN
    assert closing(named, debit(1, 5), on=2, per="account_id", history=LONG_BEFORE) == exactly(False)


# -- the daily totals of account flows --------------------------------------


@pytest.mark.parametrize(("verb", "wanted"), [("count", 2), ("sum", 400), ("average", 200)])
def test_flows_older_than_a_hundred_days_still_count(verb: Any, wanted: int) -> None:
    rent = Selector("account.debit", both(is_text("category", "rent")))
    named = measure("m", verb, None if verb == "count" else "amount", rent, over="200d")
    events = [debit(0, 100, category="rent"), debit(1, 7, category="food"), debit(140, 300, category="rent")]
    assert closing(named, *events, on=150, per="account_id") == exactly(wanted)


def test_a_flow_leaves_a_window_of_200_days_on_its_date_as_any_other() -> None:
    named = measure("m", "sum", "amount", "account.credit", over="200d")
    assert closing(named, credit(0, 100), credit(1, 7), on=(199, 200, 201), per="account_id") == [
        exactly(107),
        exactly(7),
        exactly(0),
    ]


def test_a_window_in_hours_is_asked_for_again_after_another_rule_spoke_in_the_same_look() -> None:
    # The feed is known from day 0. `busy` opens at the close of day 0; that look must not make `quiet` forget that its
    # own window, the 24 hours that ended three days ago, is known for the first time at the close of day 3.
    busy = rule(
        "busy", per="account_id", measure=measures(measure("n", "count", source="account.debit", over="1d")),
        when=compare("n", "<=", 0),
    )  # fmt: skip
    quiet = rule(
        "quiet", per="account_id",
        measure=measures(measure("in", "sum", "amount", "account.credit", over="24h", ending="3d")),
        when=compare("in", "<=", 100),
    )  # fmt: skip
    alerts = journey([busy, quiet], credit(0, 50), until=5, history={})
    assert [(each.day, each.rule, each.transition) for each in alerts] == [
        (0, "busy", "opened"),
        (3, "quiet", "opened"),
    ]
