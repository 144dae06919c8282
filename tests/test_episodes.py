from typing import Any

import pytest

from pipeline.decisions import Alert, CollectionTask, ShadowAlert
from pipeline.look import Day
from pipeline.profiles import profile_of
from rules.rule import Rule, Task
from tests.oracles.rule_events import card, disbursed, late, overdue, paid, repeated, taken_back
from tests.oracles.rule_journeys import DAY_0, LONG_BEFORE, Engine, Told, compiled, journey, tell, told
from tests.oracles.rule_makers import compare, either, measure, measures, rule

# Most journeys steer one rule by how much of a card is used.
USE = measure("use", "latest", "used_share", "account.balance")


def full(**more: Any) -> Rule:
    """A rule that is true while the card is used above 100 percent; above 200 it is critical."""
    return rule("full", per="account_id", measure=measures(USE), when=compare("use", ">", 1), **more)


def said(rules: Any, *events: Told, until: int, **more: Any) -> list[str]:
    """What is said, in words: the day, what, and how bad or why."""
    return [
        f"day {each.day} {each.transition} {each.reason or each.severity}"
        for each in journey(rules, *events, until=until, **more)
    ]


ON, OFF, WORSE = 150, 50, 250


def at(day: int, percent: int, clock: str = "09:00:00.000", **more: Any) -> Told:
    """The card on a day."""
    return card(day, percent, clock=clock, **more)


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
    generous = rule("r", per="loan_id", measure=measures(measure("m", "sum", "amount", "repayment.received", over="30d")),
                    when=compare("m", ">=", 100), clear_after=7)  # fmt: skip
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


# -- who is told ------------------------------------------------------------


BASE = rule("base", per="account_id", measure=measures(USE), when=compare("use", ">", 2), clear_after=0)


def test_an_open_inhibitor_mutes_and_its_closing_lets_out_what_is_still_open() -> None:
    muted = full(inhibited_by=("base",), task=Task("care", "call", 2))
    engine = Engine([BASE, muted])
    tell(engine, [at(0, WORSE), at(3, ON)], until=4)
    assert [(each.date - DAY_0, each.rule, each.transition) for each in engine.transitions] == [
        (0, "base", "opened"),
        (3, "base", "closed"),
        (3, "full", "opened"),
    ]
    assert [each.status for each in engine.decisions if isinstance(each, CollectionTask)] == ["open"]


def test_what_closes_while_it_is_muted_was_never_said() -> None:
    told_ = journey([BASE, full(inhibited_by=("base",))], at(0, WORSE), at(3, OFF), until=4)
    assert [(each.rule, each.transition) for each in told_] == [("base", "opened"), ("base", "closed")]


def test_a_snoozed_rule_is_silent_until_its_day_and_then_speaks() -> None:
    snooze = told("rule.snoozed", day=0, clock="08:00:00.000", rule="full", until="2025-01-05", by="officer")
    assert said(full(), snooze, at(0, ON), until=8) == ["day 5 opened medium"]


def test_a_shadow_rule_writes_to_shadow_alone_and_gives_no_task() -> None:
    engine = Engine([full(status="shadow", task=Task("care", "call", 2))])
    tell(engine, [at(0, ON), at(1, OFF)], until=2)
    assert [type(each) for each in engine.decisions] == [ShadowAlert, ShadowAlert]


def test_an_open_alert_is_stale_after_seven_days_of_unknown() -> None:
    engine = Engine([full()])
    lost = {day: frozenset({"account"}) for day in range(2, 30)}
    tell(engine, [at(0, ON)], until=1)
    states = []
    for day in range(2, 10):
        engine.close(DAY_0 + day, lost[day])
        states.append(profile_of(engine.shelf, Day(date=DAY_0 + day), engine.memory)["episodes"][0]["state"])
    # Unknown since day 2: seven days later is day 9.
    assert states == ["open"] * 7 + ["stale"]
    assert [each.transition for each in engine.transitions] == ["opened"]


def test_a_repeated_event_says_nothing_again() -> None:
    events = [at(0, ON), repeated(at(0, ON), on=0), repeated(at(0, ON), on=2)]
    assert said(full(), *events, until=4) == ["day 0 opened medium"]


def test_episodes_and_decisions_are_named_after_the_rule_the_key_and_the_opening() -> None:
    engine = Engine([full(escalate={"critical": compare("use", ">", 2)})])
    tell(engine, [at(0, ON), at(1, WORSE), at(2, OFF), at(3, ON, id="again")], until=3)
    assert [each.id for each in engine.decisions if isinstance(each, Alert)] == [
        "full/A1/1/opened",
        "full/A1/1/raised-critical",
        "full/A1/1/closed",
        "full/A1/2/opened",
    ]


# -- another shelf ----------------------------------------------------------


def changed(engine: Engine, other: Rule) -> None:
    """Another shelf comes into force."""
    engine.shelf = compiled([other], history=LONG_BEFORE)._replace(hash="another shelf")


def records(engine: Engine) -> list[tuple[str, str, str | None, int]]:
    return [
        (type(each).__name__, each.transition, each.reason, each.rule_version)
        for each in engine.decisions
        if isinstance(each, Alert)
    ]


def test_an_open_alert_outlives_another_threshold_and_names_the_new_version_next() -> None:
    engine = Engine([full(hash="h1", version=1)])
    tell(engine, [at(0, ON)], until=1)
    changed(engine, full(hash="h2", version=2, clear_after=1))
    tell(engine, [at(2, OFF)], until=3)
    assert records(engine) == [("Alert", "opened", None, 1), ("Alert", "closed", "cleared", 2)]


def test_a_pending_alert_restarts_under_a_changed_rule() -> None:
    engine = Engine([full(hash="h1", hold=3)])
    tell(engine, [at(0, ON)], until=1)
    changed(engine, full(hash="h2", hold=3, severity="high"))
    for day in range(2, 7):
        engine.close(DAY_0 + day)
    assert [(each.date - DAY_0, each.transition) for each in engine.transitions] == [(5, "opened")]


def test_another_measure_closes_with_rule_changed_and_cancels_the_task() -> None:
    engine = Engine([full(hash="h1", version=1, task=Task("care", "call", 2))])
    tell(engine, [at(0, ON)], until=1)
    other = measure("use", "max", "used_share", "account.balance", over="30d")
    changed(engine, rule("full", per="account_id", measure=measures(other), when=compare("use", ">", 1), hash="h2",
                         version=2, hold=2, task=Task("care", "call", 2)))  # fmt: skip
    for day in range(2, 6):
        engine.close(DAY_0 + day)
    assert [(each.date - DAY_0, each.transition, each.reason) for each in engine.transitions] == [
        (0, "opened", None),
        (2, "closed", "rule_changed"),
        (4, "opened", None),
    ]
    assert [each.status for each in engine.decisions if isinstance(each, CollectionTask)] == [
        "open",
        "cancelled",
        "open",
    ]


def test_a_rule_that_is_still_true_under_another_measure_is_closed_before_it_opens_anew() -> None:
    engine = Engine([full(hash="h1")])
    tell(engine, [at(0, ON)], until=1)
    other = measure("use", "max", "used_share", "account.balance", over="30d")
    changed(engine, rule("full", per="account_id", measure=measures(other), when=compare("use", ">", 1), hash="h2"))
    engine.close(DAY_0 + 2)
    assert [(each.n, each.transition, each.reason) for each in engine.transitions] == [
        (1, "opened", None),
        (1, "closed", "rule_changed"),
        (2, "opened", None),
    ]


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("shadow", "live", [("ShadowAlert", "opened"), ("ShadowAlert", "closed"), ("Alert", "opened")]),
        ("live", "shadow", [("Alert", "opened"), ("Alert", "closed"), ("ShadowAlert", "opened")]),
    ],
)
def test_what_a_rule_says_goes_where_its_status_of_the_day_says(before: Any, after: Any, wanted: Any) -> None:
    engine = Engine([full(hash="h1", status=before)])
    tell(engine, [at(0, ON)], until=1)
    changed(engine, full(hash="h2", status=after))
    for day in range(2, 4):
        engine.close(DAY_0 + day)
    assert [(kind, transition) for kind, transition, _, _ in records(engine)] == wanted


def test_a_rule_that_leaves_the_shelf_closes_its_alert() -> None:
    engine = Engine([full(hash="h1")])
    tell(engine, [at(0, ON)], until=1)
    changed(engine, full(hash="h2", status="retired"))
    engine.close(DAY_0 + 2)
    assert [(each.transition, each.reason) for each in engine.transitions] == [
        ("opened", None),
        ("closed", "rule_changed"),
    ]
