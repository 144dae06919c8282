import pytest

from tests.oracles.card_rule import OFF, ON, WORSE, at, full, said
from tests.oracles.rule_events import disbursed, late, overdue, paid, taken_back
from tests.oracles.rule_journeys import DAY_0, Engine, journey, told
from tests.oracles.rule_makers import compare, either, measure, measures, rule

# -- opening ----------------------------------------------------------------


def test_without_for_it_opens_at_the_look_that_finds_it_true() -> None:
    engine = Engine([full()])
    engine.arrive(at(0, ON).arrival, DAY_0)
    assert [each.transition for each in engine.transitions] == ["opened"]


def test_for_counts_full_days_from_the_date_it_became_true() -> None:
    # True on day 1, full days are 2, 3 and 4: it opens at the first look of day 4.
    assert said(full(hold=3), at(1, ON), until=6) == ["day 4 opened medium"]
    assert said(full(hold=3), at(1, ON), at(4, OFF), until=6) == []
    assert said(full(hold=3), at(1, ON), at(4, OFF, "10:00:00.000"), at(4, ON, "11:00:00.000"), until=6) == []


def test_a_false_moment_restarts_for_even_within_a_day() -> None:
    events = [at(1, ON), at(2, OFF), at(2, ON, "10:00:00.000")]
    assert said(full(hold=3), *events, until=6) == ["day 5 opened medium"]


def test_a_day_of_unknown_restarts_for() -> None:
    # Without the account feed day 2 is unknown; from day 3 on it is true again.
    lost = {2: frozenset({"account"})}
    assert said(full(hold=3), at(1, ON), until=7, missing=lost) == ["day 6 opened medium"]


def test_unknown_never_opens() -> None:
    never_paid = rule("r", per="loan_id", measure=measures(measure("n", "now", "days_past_due")),
                      when=either(compare("n", ">=", 0), compare("n", "<", 0)))  # fmt: skip
    assert said(never_paid, disbursed(0), until=9) == []


def test_an_opening_takes_the_highest_severity_that_holds_in_one_record() -> None:
    ladder = full(escalate={"critical": compare("use", ">", 2), "high": compare("use", ">", 1)})
    assert said(ladder, at(0, WORSE), until=2) == ["day 0 opened critical"]
    assert said(ladder, at(0, ON), until=2) == ["day 0 opened high"]


def test_an_escalation_below_the_severity_changes_nothing() -> None:
    ladder = full(severity="high", escalate={"low": compare("use", ">", 1)})
    assert said(ladder, at(0, ON), until=2) == ["day 0 opened high"]


# -- while it is open -------------------------------------------------------


def test_an_escalation_raises_an_open_alert_without_for_and_only_once() -> None:
    ladder = full(hold=2, escalate={"critical": compare("use", ">", 2)})
    assert said(ladder, at(0, ON), at(3, WORSE), at(5, WORSE, id="b"), until=6) == [
        "day 2 opened medium",
        "day 3 raised critical",
    ]


def test_severity_never_falls_while_it_is_open() -> None:
    ladder = full(escalate={"critical": compare("use", ">", 2)})
    assert said(ladder, at(0, WORSE), at(1, ON), at(2, WORSE, id="b"), at(3, OFF), until=4) == [
        "day 0 opened critical",
        "day 3 closed cleared",
    ]


def test_an_escalation_raises_even_while_the_condition_is_false_unless_it_closes_then() -> None:
    empty = {"critical": compare("use", "<", 0)}
    assert said(full(clear_after=3, escalate=empty), at(0, ON), at(1, -10), until=4) == [
        "day 0 opened medium",
        "day 1 raised critical",
        "day 4 closed cleared",
    ]
    assert said(full(escalate=empty), at(0, ON), at(1, -10), until=4) == ["day 0 opened medium", "day 1 closed cleared"]


# -- closing ----------------------------------------------------------------


def test_it_closes_when_it_has_been_false_for_clear_after() -> None:
    assert said(full(clear_after=2), at(0, ON), at(3, OFF), until=6) == ["day 0 opened medium", "day 5 closed cleared"]


def test_a_true_moment_restarts_clear_after() -> None:
    events = [at(0, ON), at(3, OFF), at(4, ON), at(4, OFF, "10:00:00.000")]
    assert said(full(clear_after=2), *events, until=7) == ["day 0 opened medium", "day 6 closed cleared"]


def test_a_day_of_unknown_restarts_clear_after_and_never_closes() -> None:
    lost = {4: frozenset({"account"})}
    assert said(full(clear_after=2), at(0, ON), at(3, OFF), until=8, missing=lost) == [
        "day 0 opened medium",
        "day 7 closed cleared",
    ]
    always = {day: frozenset({"account"}) for day in range(3, 30)}
    assert said(full(), at(0, ON), at(3, OFF, clock="09:00:00.000", arrives=29), until=29, missing=always)[1:] == [
        "day 29 closed corrected"
    ]


@pytest.mark.parametrize("end", ["loan.closed", "loan.written_off"])
def test_the_end_of_a_loan_closes_its_alerts_and_those_of_no_other(end: str) -> None:
    late_loan = rule("late", per="loan_id", measure=measures(measure("n", "now", "days_past_due")),
                     when=compare("n", ">=", 5), clear_after=9)  # fmt: skip
    events = [overdue(0, 5), overdue(0, 5, "L2"), told(end, day=2, loan_id="L1")]
    told_ = [(each.day, each.key, each.transition, each.reason) for each in journey(late_loan, *events, until=9)]
    assert told_ == [(0, "L1", "opened", None), (0, "L2", "opened", None), (2, "L1", "closed", "loan_closed")]


def test_a_reversal_that_makes_it_false_closes_at_once_as_corrected() -> None:
    received = measure("m", "sum", "amount", "repayment.received", over="30d")
    generous = rule("r", per="loan_id", measure=measures(received), when=compare("m", ">=", 100), clear_after=7)
    payment = paid(1, 100)
    assert said(generous, disbursed(0), payment, taken_back(3, payment), until=9) == [
        "day 1 opened medium",
        "day 3 closed corrected",
    ]


def test_a_late_event_that_makes_it_false_closes_at_once_as_corrected() -> None:
    silent = rule("r", per="loan_id", measure=measures(measure("m", "count", source="repayment.received", over="5d")),
                  when=compare("m", "==", 0), clear_after=7)  # fmt: skip
    assert said(silent, disbursed(0), late(paid(1), on=3), until=4) == ["day 0 opened medium", "day 3 closed corrected"]
    # In time, the same payment begins the seven days of clear_after; it leaves the window before they are over.
    assert said(silent, disbursed(0), paid(1), until=4) == ["day 0 opened medium"]


def test_a_late_payment_in_time_corrects_the_alert_of_a_derived_miss() -> None:
    misses = measure("m", "count", source="repayment.missed", over="30d")
    missed_once = rule("r", per="loan_id", measure=measures(misses), when=compare("m", ">=", 1), clear_after=7)
    due = told("repayment.due", day=0, loan_id="L1", instalment=1, due_on="2025-01-02", amount_minor=100)
    # Due on day 1, missed at the close of day 2; the payment of day 2 comes on day 4.
    assert said(missed_once, disbursed(0), due, late(paid(2, 100), on=4), until=9) == [
        "day 2 opened medium",
        "day 4 closed corrected",
    ]


def test_a_late_event_while_it_is_false_already_corrects_nothing() -> None:
    events = [at(0, ON), at(3, OFF), late(at(2, OFF, id="b"), on=4)]
    assert said(full(clear_after=3), *events, until=7) == ["day 0 opened medium", "day 6 closed cleared"]


# -- quiet ------------------------------------------------------------------


def test_quiet_counts_from_the_last_opening_and_then_it_opens_at_the_next_look() -> None:
    # Opened on day 0 with quiet 10d; true again from day 4 on: it waits for day 10.
    events = [at(0, ON), at(2, OFF), at(4, ON)]
    assert said(full(quiet=10), *events, until=12) == [
        "day 0 opened medium",
        "day 2 closed cleared",
        "day 10 opened medium",
    ]


def test_what_is_false_when_quiet_is_over_does_not_open() -> None:
    events = [at(0, ON), at(2, OFF), at(4, ON), at(9, OFF)]
    assert said(full(quiet=10), *events, until=12)[2:] == []


def test_inside_quiet_only_what_is_worse_than_the_whole_last_episode_opens() -> None:
    ladder = full(quiet=30, escalate={"high": compare("use", ">", 2), "critical": compare("use", ">", 3)})
    events = [at(0, ON), at(1, 250), at(2, OFF), at(3, 250, id="b"), at(4, OFF, id="c"), at(5, 350)]
    assert said(ladder, *events, until=6) == [
        "day 0 opened medium",
        "day 1 raised high",
        "day 2 closed cleared",
        "day 5 opened critical",
    ]
