"""The worked example of the architecture, and what a replay leaves in its folder."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.arrival_logs import (
    COUNTS_MISSES,
    Ran,
    Told,
    as_line,
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
