"""Rule tests and replay are one engine: a journey of a case, written down as records, gives the alerts of the case."""

import re
from datetime import date
from pathlib import Path

import msgspec
import pytest

from config.settings import load
from pipeline.events import CATALOGUE
from pipeline.shells.cases import Outcome, run_case
from pipeline.shells.terms import terms_of
from pipeline.zone import date_of_number
from rules.cases import LARGEST
from rules.catalogue import IDS, Unit
from rules.loader import load_file, load_shelf
from rules.rule import Case, Rule
from tests.arrival_logs import COUNTS_MISSES, Ran, Told, day_ended, replayed, shelf, told, written

SHIPPED = Path(__file__).parents[1] / "rules" / "shelf"
TERMS = terms_of(load())
DAY_0 = date(2025, 1, 1)
# What an event must have on its way in, and a case has no need or no way to say.
FAR_OFF = {"instalment": 99, "due_on": "2030-01-01", "principal_minor": 1, "interest_minor": 0, "fee_minor": 0}
LEFT_OUT: dict[str, Told] = {
    "connected.warned": {"rule": "another", "episode": "another/B2/1"},
    "loan.rescheduled": {"schedule": [FAR_OFF]},
}


def cases_of(folder: Path) -> list[tuple[Rule, Case]]:
    return [(rule, case) for rule in load_shelf([folder], CATALOGUE).rules for case in rule.tests]


def as_records(outcome: Outcome, last: int) -> list[Told]:
    """The case as an arrival log: each loan is paid out, an amount that it leaves out is a cent, and every day ends."""
    events: list[Told] = [msgspec.json.decode(msgspec.json.encode(each.event)) for each in outcome.arrivals]
    for event, each in zip(events, outcome.arrivals, strict=True):
        event["type"] = each.type
        event |= {name: 1 for name, value in event.items() if value is None and name.endswith("_minor")}
        event |= LEFT_OUT.get(each.type, {})
    loans = {event["loan_id"]: event["borrower_id"] for event in events if "loan_id" in event}
    paid_out = {event["loan_id"] for event in events if event["type"] == "loan.disbursed"}
    found = [
        told(
            f"d-{loan}",
            "loan.disbursed",
            "2024-12-01",
            loan_id=loan,
            borrower_id=borrower,
            product="loan",
            principal_minor=1,
        )
        for loan, borrower in loans.items()
        if loan not in paid_out
    ]
    found.append(day_ended("2024-12-31"))
    for day in range(last + 1):
        today = date.fromordinal(DAY_0.toordinal() + day)
        found += [
            event for event, each in zip(events, outcome.arrivals, strict=True) if date_of_number(each.date) == today
        ]
        missing = {feed: "missing" for feed, days in outcome.case.missing.items() if day in days}
        found.append(day_ended(today.isoformat(), **missing))
    return found


def alerts_of(ran: Ran) -> list[tuple[int, str, str | None]]:
    """Day, severity or `closed`, and message of every alert."""
    return [
        (
            (date.fromisoformat(alert["business_date"]) - DAY_0).days,
            "closed" if alert["transition"] == "closed" else alert["severity"],
            alert.get("say"),
        )
        for name in ("alerts.jsonl", "shadow.jsonl")  # the one rule is live or shadow
        for alert in ran.records(name)
    ]


def assert_equal_alerts(tmp_path: Path, rule: Rule, case: Case, rules: Path) -> Ran:
    outcome = run_case(rule, case, TERMS)
    last = max([given["day"] for given in case.given] + [want.day for want in case.expect], default=0) + rule.hold
    config = tmp_path / "settings.yaml"
    config.write_text("history_from: 2020-01-01\n")
    ran = replayed(written(tmp_path / "case.jsonl", *as_records(outcome, last)), rules=rules, config=config)
    assert (ran.code, ran.reasons) == (0, [])
    # A case ends where nothing more is expected; replay went on for some days more.
    wanted = [(each.day, each.alert, each.say) for each in outcome.got]
    assert alerts_of(ran)[: len(wanted)] == wanted
    closed_until = max([each.day for each in case.expect], default=last)
    assert [alert for alert in alerts_of(ran)[len(wanted) :] if alert[0] <= closed_until] == []
    return ran


@pytest.mark.parametrize(
    ("rule", "case"), cases_of(SHIPPED), ids=lambda each: getattr(each, "name", getattr(each, "rule", ""))
)
def test_a_shipped_case_gives_its_alerts_through_replay(tmp_path, rule, case):
    [file] = [path for path in SHIPPED.rglob("*.yaml") if path.name == f"{rule.rule}.yaml"]
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / file.name).write_bytes(file.read_bytes())
    ran = assert_equal_alerts(tmp_path, rule, case, rules)
    # The whole list is as the file says, too: the case passes.
    assert [(day, alert) for day, alert, _ in alerts_of(ran)][: len(case.expect)] == [
        (want.day, want.alert) for want in case.expect
    ]


LATE: Told = {
    "per": "loan_id",
    "measure": {"overdue": {"now": "days_past_due"}, "silent": {"days_since": "repayment.received"}},
    "when": "overdue >= 2 and silent >= 5",
    "for": "1d",
    "clear_after": "1d",
    "severity": "medium",
    "escalate": {"critical": "overdue >= 5"},
    "say": "{overdue} days late, silent for {silent} days",
    "tests": [
        {
            #  paid 0 ── due 3 ── 5: 2 late, 5 silent ── 6: a day on ── 8: 5 late ── paid 9 ── 10: a day on
            "name": "late, later, paid",
            "given": [
                {"day": 0, "event": "repayment.due", "instalment": 1, "due_on": 0, "amount": 100},
                {"day": 0, "event": "repayment.received", "amount": 100},
                {"day": 1, "event": "repayment.due", "instalment": 2, "due_on": 3, "amount": 250.5},
                {"day": 9, "event": "repayment.received", "amount": 250.5},
            ],
            "expect": [
                {"day": 6, "alert": "medium", "say": "3 days late, silent for 6 days"},
                {"day": 8, "alert": "critical", "say": "5 days late, silent for 8 days"},
                {"day": 10, "alert": "closed"},
            ],
        },
        {
            "name": "of a day without the repayment feed nothing is known, and the day of waiting begins again",
            "missing": {"repayment": [6]},
            "given": [
                {"day": 0, "event": "repayment.due", "instalment": 1, "due_on": 0, "amount": 100},
                {"day": 0, "event": "repayment.received", "amount": 100},
                {"day": 1, "event": "repayment.due", "instalment": 2, "due_on": 3, "amount": 100},
            ],
            "expect": [{"day": 8, "alert": "critical"}],
        },
    ],
}


@pytest.mark.parametrize("n", [0, 1])
def test_a_case_with_amounts_dues_and_missing_days_gives_its_alerts_through_replay(tmp_path, n):
    rules = shelf(tmp_path / "rules", late=LATE)
    rule, case = cases_of(rules)[n]
    assert run_case(rule, case, TERMS).passed
    ran = assert_equal_alerts(tmp_path, rule, case, rules)
    assert len(ran.alerts) == len(case.expect)


def test_a_case_runs_until_what_was_given_last_has_stood_for_the_whole_time_of_for(tmp_path):
    #  missed on day 4 ── true for two full days at the close of day 6: a case that expects nothing must see it
    given = [{"day": 0, "event": "external.inquiry"}, {"day": 4, "event": "repayment.missed"}]
    case = {"name": "nothing, it says", "given": given, "expect": "nothing"}
    rules = shelf(tmp_path / "rules", misses=COUNTS_MISSES | {"for": "2d", "tests": [case]})
    [(rule, only)] = cases_of(rules)
    outcome = run_case(rule, only, TERMS)
    assert [(each.day, each.alert) for each in outcome.got] == [(6, "low")]
    assert not outcome.passed


def test_that_a_feed_did_not_come_is_known_at_the_end_of_a_day_and_not_before(tmp_path):
    missed = {
        "name": "missed on a day whose feed is called missing when it ends",
        "missing": {"repayment": [0]},
        "given": [{"day": 0, "event": "repayment.missed"}],
        "expect": [{"day": 0, "alert": "low"}],
    }
    rules = shelf(tmp_path / "rules", misses=COUNTS_MISSES | {"tests": [missed]})
    [(rule, case)] = cases_of(rules)
    assert run_case(rule, case, TERMS).passed
    assert_equal_alerts(tmp_path, rule, case, rules)


# Sound values of each unit, the largest and smallest numbers among them.
SOUND: dict[Unit, list[object]] = {
    "amount": [200, -1.5, LARGEST, -LARGEST],
    "share": [0.85, LARGEST, -LARGEST],
    "days": [5, LARGEST, -LARGEST],
    "count": [3, LARGEST, -LARGEST],
    "number": [3, LARGEST, -LARGEST],
    "text": ["salary"],
    "date": [5, "2025-03-01"],
    "flag": [True],
}


@pytest.mark.parametrize("event", [*CATALOGUE.events, "model.payment_stress"])
def test_what_the_check_lets_a_case_say_of_an_event_can_be_run(tmp_path, event):
    kind = CATALOGUE.events.get(event, CATALOGUE.model)
    said = [(name, value) for name, field in kind.fields.items() for value in SOUND[field.unit]]
    said += [(name, "X1") for name in IDS]
    cases = [
        {"name": f"{name} is {value}", "given": [{"day": 0, "event": event, name: value}], "expect": "nothing"}
        for name, value in said
    ]
    loaded = load_file(shelf(tmp_path, misses=COUNTS_MISSES | {"tests": cases}) / "misses.yaml", CATALOGUE)
    assert loaded.rule is not None
    refused = {int(re.findall(r"tests\[(\d+)\]", fault.path)[0]) for fault in loaded.faults}
    assert {said[i][0] for i in refused} == set(IDS) - set(kind.ids)
    assert "borrower_id" in kind.ids
    for i, case in enumerate(loaded.rule.tests):
        if i not in refused:
            run_case(loaded.rule, case, TERMS)
