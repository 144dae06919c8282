from typing import Any

from pipeline.decisions import Alert, CollectionTask
from rules.rule import Rule, Task
from tests.oracles.card_rule import OFF, ON, USE, WORSE, at, full
from tests.oracles.rule_events import disbursed, paid, taken_back
from tests.oracles.rule_journeys import Engine, Told, tell, told
from tests.oracles.rule_makers import compare, measure, measures, rule

CALL, VISIT = Task("care", "call", 5), Task("care", "visit", 2)


def fuller(**more: Any) -> Rule:
    """A rule that is true above 200 percent."""
    return rule("fuller", per="account_id", measure=measures(USE), when=compare("use", ">", 2), **more)


def tasks(rules: list[Rule], *events: Told, until: int) -> list[str]:
    """Every revision of a task, in words."""
    engine = Engine(rules)
    tell(engine, events, until=until)
    return [
        f"{each.id} {each.revision} {each.status} {each.action} {each.due_by} {' '.join(each.alerts)}".strip()
        for each in engine.decisions
        if isinstance(each, CollectionTask)
    ]


def person(what: str, day: int) -> Told:
    return told(what, day=day, clock="12:00:00.000", task_id="care/B1/1", by="officer")


def test_two_alerts_for_one_queue_are_one_task_with_the_action_of_the_worst_and_the_earliest_date() -> None:
    both = [full(task=CALL), fuller(task=VISIT, severity="critical")]
    assert tasks(both, at(0, ON), at(1, WORSE), at(2, ON, id="b"), until=2) == [
        "care/B1/1 1 open call day 005 full/A1/1",
        "care/B1/1 2 updated visit day 003 full/A1/1 fuller/A1/1",
        "care/B1/1 3 updated call day 005 full/A1/1",
    ]


def test_two_alerts_of_one_look_are_one_revision() -> None:
    both = [full(task=CALL), fuller(task=VISIT, severity="critical")]
    assert tasks(both, at(0, WORSE), until=0) == ["care/B1/1 1 open visit day 002 full/A1/1 fuller/A1/1"]


def test_a_task_is_cancelled_when_its_last_alert_closes_and_the_next_alert_opens_another() -> None:
    assert tasks([full(task=CALL)], at(0, ON), at(1, OFF), at(2, ON, id="b"), until=2) == [
        "care/B1/1 1 open call day 005 full/A1/1",
        "care/B1/1 2 cancelled call day 005 full/A1/1",
        "care/B1/2 1 open call day 007 full/A1/2",
    ]


def test_a_task_that_somebody_has_begun_is_not_cancelled() -> None:
    assert tasks([full(task=CALL)], at(0, ON), person("task.begun", 1), at(2, OFF), until=2) == [
        "care/B1/1 1 open call day 005 full/A1/1",
        "care/B1/1 2 updated call day 005",
    ]


def test_after_a_task_is_done_the_next_alert_opens_another() -> None:
    both = [full(task=CALL), fuller(task=VISIT)]
    assert tasks(both, at(0, ON), person("task.done", 1), at(2, WORSE), until=2) == [
        "care/B1/1 1 open call day 005 full/A1/1",
        "care/B1/1 2 done call day 005 full/A1/1",
        "care/B1/2 1 open visit day 004 fuller/A1/1",
    ]


def test_an_alert_that_is_corrected_takes_its_task_along() -> None:
    received = measure("m", "sum", "amount", "repayment.received", over="30d")
    generous = rule(
        "r", per="loan_id", measure=measures(received), when=compare("m", ">=", 100), clear_after=7, task=CALL
    )
    payment = paid(1, 100)
    assert [line.split()[2] for line in tasks([generous], disbursed(0), payment, taken_back(2, payment), until=3)] == [
        "open",
        "cancelled",
    ]


def test_queues_have_tasks_of_their_own() -> None:
    other = Task("field", "visit", 1)
    assert tasks([full(task=CALL), fuller(task=other)], at(0, WORSE), at(1, ON), until=1) == [
        "care/B1/1 1 open call day 005 full/A1/1",
        "field/B1/1 1 open visit day 001 fuller/A1/1",
        "field/B1/1 2 cancelled visit day 001 fuller/A1/1",
    ]


def test_a_rule_without_a_task_tells_and_asks_nobody() -> None:
    assert tasks([full()], at(0, ON), at(1, OFF), until=1) == []


def test_after_an_erasure_no_id_of_an_alert_or_a_task_comes_again() -> None:
    engine = Engine([full(task=CALL)])
    erased = [
        told("borrower.erased", day=day, clock="12:00:00.000", id=f"erase-{day}", by="officer", approved_by="another")
        for day in (3, 5)
    ]
    again = [at(0, ON), at(1, OFF), at(2, ON, id="b"), erased[0], at(4, ON, id="c"), erased[1], at(6, ON, id="d")]
    tell(engine, again, until=6)
    opened = [each.id for each in engine.decisions if isinstance(each, Alert) and each.transition == "opened"]
    assert opened == [f"full/A1/{n}/opened" for n in (1, 2, 3, 4)]
    begun = [each.id for each in engine.decisions if isinstance(each, CollectionTask) and each.status == "open"]
    assert begun == [f"care/B1/{n}" for n in (1, 2, 3, 4)]
