"""The order record: what was processed in which order, so that a replay of it gives equal bytes."""

import json
from pathlib import Path

import pytest

from tests.arrival_logs import (
    COUNTS_MISSES,
    Ran,
    Told,
    as_line,
    day_ended,
    missed,
    replayed,
    replayed_records,
    shelf,
    written,
)
from tests.test_replay import WORKED


def log_in_order(ran: Ran, folder: Path, *, with_closes: bool) -> Path:
    """One file of the lines that an order record names, in its order; its closes as records where they are wanted."""
    found: list[Told | bytes] = []
    for entry in ran.records("order.jsonl"):
        if "closed" in entry:
            found += [day_ended(entry["closed"])] if with_closes else []
        else:
            lines = (folder / entry["file"]).read_bytes().splitlines()
            found += lines[entry["first"] - 1 : entry["last"]]
    return written(folder / f"ordered-{with_closes}.jsonl", *found)


@pytest.mark.parametrize("with_closes", [False, True])
def test_the_order_record_replays_to_equal_bytes(tmp_path, with_closes):
    rules = shelf(tmp_path / "rules", misses=COUNTS_MISSES, waits=COUNTS_MISSES | {"for": "2d"})
    core = [missed(f"m{day}", f"2025-03-0{day}", instalment=day) for day in (1, 2, 4, 7)]
    cards = [
        missed(f"c{day}", f"2025-03-0{day}", source="cards", borrower_id="B3", loan_id="L3", instalment=day)
        for day in (2, 3, 7)
    ]
    files = [written(tmp_path / "core.jsonl", *core), written(tmp_path / "cards.jsonl", *cards)]
    ran = replayed(*files, rules=rules, out="merged")
    ordered = replayed(log_in_order(ran, tmp_path, with_closes=with_closes), rules=rules, out="ordered")
    assert len(ran.alerts) == 4
    for name in ("alerts.jsonl", "profiles.jsonl"):
        assert ordered.lines(name) == ran.lines(name)


def test_the_order_record_replays_to_equal_bytes_where_records_close_the_days(tmp_path):
    records = [*WORKED[:-1], day_ended("2025-03-08", repayment="missing"), day_ended("2025-03-09")]
    ran = replayed_records(tmp_path, *records)
    assert ran.alerts == ["missed-and-silent/L4/1/opened"]
    [alert] = ran.records("alerts.jsonl")
    assert alert["business_date"] == "2025-03-09"  # on the day before nothing was known
    ordered = replayed(log_in_order(ran, tmp_path, with_closes=True), out="ordered")
    assert ordered.lines("alerts.jsonl") == ran.lines("alerts.jsonl")


def test_the_order_record_names_every_line_once_and_every_close_in_order(tmp_path):
    file = tmp_path / "gaps.jsonl"
    first, second = (
        as_line(missed(name, day, instalment=1)) for name, day in (("e1", "2025-03-01"), ("e2", "2025-03-03"))
    )
    file.write_bytes(first + b"\n\n{\n" + second + b"\n")  # an empty line, then one that is a dead letter
    entries = [{k: v for k, v in entry.items() if k != "shelf"} for entry in replayed(file).records("order.jsonl")]
    assert entries == [
        {"file": "gaps.jsonl", "first": 1, "last": 1},
        {"file": "gaps.jsonl", "first": 3, "last": 3},
        {"closed": "2025-03-01"},
        {"closed": "2025-03-02"},
        {"file": "gaps.jsonl", "first": 4, "last": 4},
        {"closed": "2025-03-03"},
    ]


def test_every_entry_of_the_order_record_names_the_shelf_that_decided(tmp_path):
    worked = replayed_records(tmp_path, *WORKED)
    shelves = {entry["shelf"] for entry in worked.records("order.jsonl")}
    assert shelves == {worked.summary["shelf"]} == {json.loads(worked.lines("alerts.jsonl")[0])["shelf"]}
