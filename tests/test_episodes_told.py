from dataclasses import replace
from typing import Any

import pytest

from pipeline.decisions import Alert, CollectionTask, ShadowAlert
from pipeline.look import Day
from pipeline.profiles import profile_of
from rules.rule import Rule, Task
from tests.oracles.card_rule import OFF, ON, USE, WORSE, at, full, said
from tests.oracles.rule_events import debit, repeated
from tests.oracles.rule_journeys import DAY_0, LONG_BEFORE, Engine, compiled, journey, tell, told
from tests.oracles.rule_makers import both, compare, measure, measures, rule

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


def test_what_was_told_late_is_remembered_as_told() -> None:
    # Open and silent from day 0; on day 5 the snooze is over. Nothing of the episode moves then but that it was told.
    engine = Engine([full()])
    engine.arrive(told("rule.snoozed", day=0, rule="full", until="2025-01-05", by="officer").arrival, DAY_0)
    engine.arrive(at(0, ON).arrival, DAY_0)
    for day in range(9):
        engine.close(DAY_0 + day)
        engine.crash()
    assert [(each.date - DAY_0, each.transition) for each in engine.transitions] == [(5, "opened")]


def test_a_shadow_rule_writes_to_shadow_alone_and_gives_no_task() -> None:
    engine = Engine([full(status="shadow", task=Task("care", "call", 2))])
    tell(engine, [at(0, ON), at(1, OFF)], until=2)
    assert [type(each) for each in engine.decisions] == [ShadowAlert, ShadowAlert]


def test_a_shadow_rule_mutes_no_live_one_but_a_live_one_mutes_a_shadow_rule() -> None:
    def spoken(base: Any, muted: Any) -> list[str]:
        rules = [replace(BASE, status=base), full(status=muted, inhibited_by=("base",))]
        return [each.rule for each in journey(rules, at(0, WORSE), until=1)]

    assert spoken("shadow", "live") == ["base", "full"]
    assert spoken("live", "shadow") == ["base"]
    assert spoken("shadow", "shadow") == ["base"]


def test_a_muted_inhibitor_mutes_as_well() -> None:
    top = rule("top", per="account_id", measure=measures(USE), when=compare("use", ">", 3))
    middle = replace(BASE, inhibited_by=("top",))
    # At 350 percent all three are open; at 250 top closes, which lets out base, which still mutes full.
    said_ = journey([top, middle, full(inhibited_by=("base",))], at(0, 350), at(1, WORSE), at(2, ON), until=2)
    assert sorted((each.day, each.rule, each.transition) for each in said_) == [
        (0, "top", "opened"),
        (1, "base", "opened"),
        (1, "top", "closed"),
        (2, "base", "closed"),
        (2, "full", "opened"),
    ]


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


def test_what_a_shadow_rule_said_makes_the_live_one_wait_for_no_quiet() -> None:
    engine = Engine([full(hash="h1", status="shadow", quiet=30)])
    tell(engine, [at(0, ON)], until=1)
    changed(engine, full(hash="h2", status="live", quiet=30))
    engine.close(DAY_0 + 2)
    assert [(kind, transition) for kind, transition, _, _ in records(engine)][2:] == [("Alert", "opened")]


def test_a_closed_alert_that_restarts_under_another_shelf_keeps_the_severity_it_had() -> None:
    def watched(shape: str) -> Rule:
        moved = measures(measure("n", "count", source="account.debit", over="90d"))
        return rule("a", per="account_id", measure=moved, when=compare("n", ">=", 1), shape=shape, hash=shape)

    def second(hash_: str) -> Rule:
        ladder = {"critical": compare("use", ">=", 4), "high": compare("use", ">=", 2)}
        between = both(compare("use", ">", 1), compare("use", "<", 4))
        return rule("b", per="account_id", measure=measures(USE), when=between, hold=1, quiet=60, clear_after=3,
                    escalate=ladder, hash=hash_, shape="b")  # fmt: skip

    engine = Engine([watched("s1"), second("h1")])
    tell(engine, [debit(0, 5), at(0, ON), at(2, OFF), at(6, ON)], until=6)  # b opened on day 1, closed on day 5
    engine.shelf = compiled([watched("s2"), second("h2")], history=LONG_BEFORE)._replace(hash="another shelf")
    engine.arrive(at(7, 400).arrival, DAY_0 + 7)  # false, although its highest escalation holds
    for day in range(7, 10):
        engine.close(DAY_0 + day)
    engine.arrive(at(10, WORSE).arrival, DAY_0 + 10)
    engine.close(DAY_0 + 10)
    engine.close(DAY_0 + 11)
    # Quiet lasts until day 61, and the last episode was medium: high may open.
    assert [(each.date - DAY_0, each.transition, each.severity) for each in engine.transitions if each.rule == "b"] == [
        (1, "opened", "medium"),
        (5, "closed", "medium"),
        (11, "opened", "high"),
    ]


def test_a_rule_that_leaves_the_shelf_closes_its_alert() -> None:
    engine = Engine([full(hash="h1")])
    tell(engine, [at(0, ON)], until=1)
    changed(engine, full(hash="h2", status="retired"))
    engine.close(DAY_0 + 2)
    assert [(each.transition, each.reason) for each in engine.transitions] == [
        ("opened", None),
        ("closed", "rule_changed"),
    ]
