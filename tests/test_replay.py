"""The worked example of the architecture, and what a replay leaves in its folder."""

import hashlib
from pathlib import Path

import pytest

from tests.arrival_logs import (
    COUNTS_MISSES,
    Ran,
    Told,
    day_ended,
    due,
    missed,
    paid,
    replayed,
    replayed_records,
    shelf,
    told,
    written,
)

#  01-05          02-26              03-05        03-08
#  disbursed      due 2, paid        due 3        3 days late, 10 days after the payment
WORKED: list[Told] = [
    told("p-70", "loan.disbursed", "2025-01-05", loan_id="L4", product="loan", principal_minor=240_000),
    due("p-75", "2025-02-26", instalment=2),
    paid("p-76", "2025-02-26"),
    due("p-77", "2025-03-05"),
    *(day_ended(f"2025-03-0{day}") for day in range(5, 9)),
]


@pytest.fixture
def worked(tmp_path: Path) -> Ran:
    return replayed_records(tmp_path, *WORKED)


def test_the_worked_example_gives_its_alert_byte_for_byte(worked):
    # sha256 over the names and hashes of the one rule; its own hash is beside its text.
    [rule] = worked.records("rules.jsonl")
    own_shelf = hashlib.sha256(f"{rule['rule']} {rule['hash']}\n".encode()).hexdigest()
    assert worked.lines("alerts.jsonl") == [
        b'{"id":"missed-and-silent/L4/1/opened","episode":"missed-and-silent/L4/1","rule":"missed-and-silent",'
        b'"rule_version":1,"shelf":"' + own_shelf.encode() + b'","borrower_id":"B17","loan_id":"L4",'
        b'"transition":"opened","severity":"medium","at":"2025-03-08T23:59:59.999+08:00",'
        b'"business_date":"2025-03-08","say":"3 days late, nothing heard for 10 days",'
        b'"evidence":{"overdue":{"value":3,"truth":"true"},"silent":{"value":10,"over":"30d","known":"all"}},'
        b'"cause":{"type":"day.ended","date":"2025-03-08"}}'
    ]


def test_the_worked_example_gives_its_task_byte_for_byte(worked):
    # 2025-03-08 is a Saturday; two days later is a Monday on which people work.
    assert worked.lines("collection-tasks.jsonl") == [
        b'{"id":"early-collections/B17/1","revision":1,"queue":"early-collections","action":"message",'
        b'"alerts":["missed-and-silent/L4/1"],"borrower_id":"B17","status":"open",'
        b'"due_by":"2025-03-10T18:00:00+08:00"}'
    ]


def test_two_runs_over_the_same_file_leave_equal_bytes(tmp_path, worked):
    again = replayed(tmp_path / "out.jsonl", out="again")
    names = sorted(path.name for path in worked.folder.iterdir())
    assert names == [
        "alerts.jsonl",
        "collection-tasks.jsonl",
        "connected.jsonl",
        "dead-letters.jsonl",
        "disagreements.jsonl",
        "held.jsonl",
        "months.jsonl",
        "order.jsonl",
        "profiles.jsonl",
        "queues.jsonl",
        "rules.jsonl",
        "shadow.jsonl",
        "summary.json",
    ]
    assert all((again.folder / name).read_bytes() == (worked.folder / name).read_bytes() for name in names)


def test_a_run_into_a_used_folder_keeps_nothing_of_the_run_before(tmp_path, worked):
    assert len(worked.lines("alerts.jsonl")) == 1
    over_it = replayed(written(tmp_path / "nothing.jsonl"), out="out")
    assert [over_it.lines(name) for name in ("alerts.jsonl", "profiles.jsonl", "order.jsonl")] == [[], [], []]
    assert over_it.summary["alerts"] == {} and over_it.summary["as_of"] is None


def test_a_run_that_breaks_off_leaves_no_summary_of_the_run_before(tmp_path, worked):
    (worked.folder / "order.jsonl").unlink()
    (worked.folder / "order.jsonl").mkdir()
    again = replayed(tmp_path / "out.jsonl")
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert again.err.startswith(f"{worked.folder / 'order.jsonl'}: expected a file that can be read or written")
    assert not (worked.folder / "summary.json").exists() and not (worked.folder / "profiles.jsonl").exists()


def test_alerts_of_one_close_stand_in_the_order_of_borrowers_and_those_of_events_in_theirs(tmp_path):
    rules = shelf(
        tmp_path / "rules",
        misses=COUNTS_MISSES,
        waits=COUNTS_MISSES | {"for": "1d"},  # true since the event, one full day on at the next close
    )
    ran = replayed_records(
        tmp_path,
        missed("e1", "2025-03-01T08:00:00+08:00", borrower_id="B9", loan_id="L9"),
        missed("e2", "2025-03-01T09:00:00+08:00", borrower_id="B10", loan_id="L10"),
        day_ended("2025-03-02"),
        rules=rules,
    )
    assert ran.alerts == ["misses/L9/1/opened", "misses/L10/1/opened", "waits/L10/1/opened", "waits/L9/1/opened"]


def test_profiles_are_one_line_a_borrower_sorted_by_id(tmp_path):
    snapshot = {"outstanding_minor": 5_000_000, "arrears_minor": 120_000, "days_past_due": 30}
    ran = replayed_records(
        tmp_path,
        told("s-1", "loan.snapshot", "2025-03-01", borrower_id="B2", loan_id="L2", **snapshot),
        told("s-2", "loan.snapshot", "2025-03-01", borrower_id="B10", loan_id="L10", **snapshot),
        day_ended("2025-03-02"),  # days past due roll on: 31
    )
    loan = {
        "status": "open",
        "currency": "CNY",
        "outstanding_minor": 5_000_000,
        "arrears_minor": 120_000,
        "days_past_due": 31,
        "bucket": "31-60",
        "defaulted_on": None,
    }
    assert ran.records("profiles.jsonl") == [
        {
            "borrower_id": borrower,
            "as_of": "2025-03-02",
            "exposure_minor": 5_000_000,
            "arrears_minor": 120_000,
            "loans": [{"loan_id": loan_id} | loan],
            "episodes": [],  # 31 days late, but of a silence nothing is known: no payment was ever seen
            "measures": {"missed-and-silent": {loan_id: {"overdue": 31, "silent": None}}},
            "backstop_on": "2025-03-01",
        }
        for borrower, loan_id in (("B10", "L10"), ("B2", "L2"))
    ]


def test_a_profile_shows_the_episode_of_its_alert(worked):
    [profile] = worked.records("profiles.jsonl")
    assert profile["episodes"] == [
        {
            "episode": "missed-and-silent/L4/1",
            "rule": "missed-and-silent",
            "state": "open",
            "severity": "medium",
            "since": "2025-03-08",
            "opened_on": "2025-03-08",
            "closed_on": None,
        }
    ]
    assert profile["measures"] == {"missed-and-silent": {"L4": {"overdue": 3, "silent": 10}}}


def test_a_profile_knows_nothing_of_what_came_after_the_last_close(tmp_path):
    ran = replayed_records(
        tmp_path,
        *WORKED,
        paid("p-78", "2025-03-09"),  # pays all that is late, on a day that nobody closes
        told("s-1", "external.inquiry", "2025-03-09", borrower_id="B18"),
    )
    [profile] = ran.records("profiles.jsonl")
    assert (profile["as_of"], profile["loans"][0]["days_past_due"]) == ("2025-03-08", 3)
    assert profile["episodes"][0]["state"] == "open"
    assert (ran.summary["borrowers"], ran.summary["profiles"]) == (2, 1)
    assert ran.alerts == ["missed-and-silent/L4/1/opened", "missed-and-silent/L4/1/closed"]


def test_a_profile_of_a_day_with_a_missing_feed_shows_its_measures_as_unknown(tmp_path):
    ran = replayed_records(tmp_path, *WORKED[:-1], day_ended("2025-03-08", repayment="missing"))
    [profile] = ran.records("profiles.jsonl")
    assert profile["measures"]["missed-and-silent"]["L4"]["silent"] is None
    assert ran.alerts == []


# -- the summary ------------------------------------------------------------


def test_the_counts_of_the_summary_are_those_of_the_files(tmp_path):
    rules = shelf(
        tmp_path / "rules",
        misses=COUNTS_MISSES
        | {
            "escalate": {"high": "missed >= 2"},
            "task": {"queue": "care", "action": "call", "due_in": "1d"},
        },
        quietly=COUNTS_MISSES | {"status": "shadow"},
        unfinished=COUNTS_MISSES | {"status": "draft"},
    )
    ran = replayed_records(
        tmp_path,
        missed("e1", "2025-03-01", instalment=1, sent_by="batch 7"),  # one unknown field
        missed("e2", "2025-03-02", instalment=2),
        told("e3", "loan.closed", "2025-03-03", loan_id="L4"),
        b"[]",
        missed("e1", "2025-03-01", instalment=9),  # other content
        paid("e4", "2025-03-03", loan_id="L5"),  # of a loan that nobody told of
        rules=rules,
    )
    assert ran.alerts == ["misses/L4/1/opened", "misses/L4/1/raised-high", "misses/L4/1/closed"]
    assert ran.summary == {
        "shelf": ran.records("alerts.jsonl")[0]["shelf"],
        "rules": {"live": 1, "shadow": 1},
        "currency": "CNY",
        "events": 6,
        "by_type": {"loan.closed": 1, "repayment.missed": 3, "repayment.received": 1},
        "unknown_fields": 1,
        "borrowers": 1,
        "profiles": 1,
        "first_day": "2025-03-01",
        "as_of": "2025-03-03",
        "days_closed": 3,
        "alerts": {"closed": 1, "opened": 1, "raised": 1},
        "alerts_by_rule": {"misses": 1},
        "held": 0,
        "shadow_alerts": 2,  # opened and closed: its rule does not escalate
        "tasks": {"cancelled": 1, "open": 1},
        "dead_letters": {"conflict": 1, "not_json": 1},
        "disagreements": 0,
        "warnings": 0,
        "waiting": 1,
        "waiting_events": [
            {
                "borrower_id": "B17",
                "why": "waiting",
                "type": "repayment.received",
                "source": {"file": "out.jsonl", "line": 6},
            }
        ],
        "truncated": [],
    }
    assert [len(ran.lines(f"{name}.jsonl")) for name in ("alerts", "shadow", "collection-tasks", "dead-letters")] == [
        *(3, 2, 2, 2)
    ]
    assert [alert["id"] for alert in ran.records("shadow.jsonl")] == ["quietly/L4/1/opened", "quietly/L4/1/closed"]
