"""What a replay tells of each month's end and of each day's queues, by hand."""

from pathlib import Path
from typing import Any

import pytest

from tests.arrival_logs import COUNTS_MISSES, Ran, Told, day_ended, due, missed, paid, replayed_records, shelf, told

TASK = {"task": {"queue": "care", "action": "call", "due_in": "1d"}}


def month_rows(ran: Ran, *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(row[field] for field in fields) for row in ran.records("months.jsonl")]


# -- months -----------------------------------------------------------------

#   01-05        03-05    03-31    04-10   04-12
#   disbursed    due      26 late  paid    the last close
ONE_LOAN: list[Told] = [
    told("d-1", "loan.disbursed", "2025-01-05", loan_id="L4", product="loan", principal_minor=240_000),
    due("d-2", "2025-03-05"),
    paid("p-1", "2025-04-10"),
]


@pytest.mark.parametrize("closes", [[], [day_ended("2025-04-12")]], ids=["by dates", "by record"])
def test_a_loan_is_told_of_at_every_month_end_and_at_the_last_close(tmp_path, closes):
    last = [] if closes else [told("i-1", "external.inquiry", "2025-04-12")]
    ran = replayed_records(tmp_path, *ONE_LOAN, *last, *closes)
    assert month_rows(ran, "month", "on", "days_past_due", "bucket", "exposure_minor") == [
        ("2025-01", "2025-01-31", None, None, 240_000),  # neither due nor snapshot: days past due are unknown
        ("2025-02", "2025-02-28", None, None, 240_000),
        ("2025-03", "2025-03-31", 26, "1-30", 240_000),
        ("2025-04", "2025-04-12", 0, "0", 120_000),
    ]
    assert set(month_rows(ran, "borrower_id", "loan_id", "disbursed_on", "status", "defaulted_on")) == {
        ("B17", "L4", "2025-01-05", "open", None)
    }


def test_a_replay_that_ends_with_its_month_tells_of_it_once(tmp_path):
    ran = replayed_records(tmp_path, *ONE_LOAN[:2], day_ended("2025-03-31"))
    assert month_rows(ran, "on") == [("2025-01-31",), ("2025-02-28",), ("2025-03-31",)]


def test_a_loan_that_has_ended_is_told_of_once_more(tmp_path):
    ran = replayed_records(
        tmp_path,
        *ONE_LOAN[:2],
        told("x-1", "loan.defaulted", "2025-03-20", loan_id="L4"),
        told("w-1", "loan.written_off", "2025-03-25", loan_id="L4"),
        day_ended("2025-05-31"),
    )
    assert month_rows(ran, "month", "status", "exposure_minor", "defaulted_on")[2:] == [
        ("2025-03", "written_off", 0, "2025-03-20")
    ]


def test_the_months_stand_in_the_order_of_borrowers_and_loans(tmp_path):
    of = (("B2", "L1"), ("B10", "L9"), ("B10", "L3"))
    snapshots = (
        told(f"s-{loan}", "loan.snapshot", "2025-03-01", borrower_id=borrower, loan_id=loan, days_past_due=0)
        for borrower, loan in of
    )
    ran = replayed_records(tmp_path, *snapshots, day_ended("2025-03-31"))
    assert month_rows(ran, "borrower_id", "loan_id") == [("B10", "L3"), ("B10", "L9"), ("B2", "L1")]
    assert set(month_rows(ran, "disbursed_on", "exposure_minor")) == {(None, None)}


# -- queues -----------------------------------------------------------------


def queue_days(ran: Ran) -> list[tuple[Any, ...]]:
    names = ("date", "opened", "done", "cancelled", "open", "overdue")
    return [tuple(row[name] for name in names) for row in ran.records("queues.jsonl")]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return shelf(tmp_path / "rules", misses=COUNTS_MISSES | TASK)


def test_a_queue_is_told_of_from_its_first_task_on_with_age_and_overdue(tmp_path, rules):
    # Opened on Monday 3 March, due at six on Tuesday; finished on the 11th.
    ran = replayed_records(
        tmp_path,
        missed("m-1", "2025-03-03"),
        told("t-1", "task.done", "2025-03-11", task_id="care/B17/1", by="ada"),
        day_ended("2025-03-01"),
        day_ended("2025-03-11"),
        rules=rules,
    )
    assert queue_days(ran) == [
        ("2025-03-03", 1, 0, 0, 1, 0),
        *((f"2025-03-{day:02}", 0, 0, 0, 1, 1) for day in range(4, 11)),
        ("2025-03-11", 0, 1, 0, 0, 0),
    ]
    ages = [next((age for age, n in row["ages"].items() if n), None) for row in ran.records("queues.jsonl")]
    assert ages == ["0-2"] * 3 + ["3-7"] * 5 + [None]


def test_a_task_that_comes_and_goes_on_one_day_is_counted_and_not_open(tmp_path, rules):
    ran = replayed_records(
        tmp_path,
        missed("m-1", "2025-03-03T09:00:00+08:00"),
        told("c-1", "loan.closed", "2025-03-03T10:00:00+08:00", loan_id="L4"),
        day_ended("2025-03-03"),
        rules=rules,
    )
    assert queue_days(ran) == [("2025-03-03", 1, 0, 1, 0, 0)]


def test_the_queues_add_up_to_the_tasks(tmp_path, rules):
    loans = [missed(f"m-{n}", f"2025-03-{n:02}", borrower_id=f"B{n}", loan_id=f"L{n}") for n in range(1, 9)]
    ends = [told(f"c-{n}", "loan.closed", "2025-03-12", borrower_id=f"B{n}", loan_id=f"L{n}") for n in (2, 5)]
    ran = replayed_records(tmp_path, *loans, *ends, rules=rules)
    days = ran.records("queues.jsonl")
    assert {name: sum(day[name] for day in days) for name in ("opened", "cancelled", "done")} == {
        **{"opened": ran.summary["tasks"]["open"], "cancelled": ran.summary["tasks"]["cancelled"]},
        "done": 0,
    }
    assert days[-1]["open"] == sum(days[-1]["ages"].values()) == 6
    # Opened on the 1st, 3rd, 4th, 6th, 7th and 8th, seen on the 12th.
    assert days[-1]["ages"] == {"0-2": 0, "3-7": 3, "8-14": 3, "15-30": 0, "31+": 0}
