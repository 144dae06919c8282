"""What the settings and the lock change in a replay: task times, the zone, who tells of misses, versions."""

from pathlib import Path

import pytest

from pipeline.shells import manners
from tests.arrival_logs import (
    COUNTS_MISSES,
    Ran,
    Told,
    day_ended,
    due,
    forewarn,
    missed,
    replayed,
    shelf,
    told,
    written,
)

TASK: Told = COUNTS_MISSES | {"task": {"queue": "care", "action": "call", "due_in": "1d"}}


def run_with(tmp_path: Path, settings: str, *records: Told, rule: Told = TASK) -> Ran:
    config = tmp_path / "settings.yaml"
    config.write_text(settings)
    log = written(tmp_path / "log.jsonl", *records)
    return replayed(log, rules=shelf(tmp_path / "rules", misses=rule), config=config)


@pytest.mark.parametrize(
    ("settings", "due_by"),
    [
        # 2025-03-08 is a Saturday, a day later a Sunday: the task is due on Monday.
        ("zone: Asia/Shanghai\n", "2025-03-10T18:00:00+08:00"),
        ("task_due_at: '09:30'\n", "2025-03-10T09:30:00+08:00"),
        ("calendar: {working_week: [sat, sun]}\n", "2025-03-09T18:00:00+08:00"),
        ("calendar: {working_week: [mon, tue], holidays: [2025-03-10]}\n", "2025-03-11T18:00:00+08:00"),
        ("calendar: {working_week: [mon], workdays: [2025-03-09]}\n", "2025-03-09T18:00:00+08:00"),
    ],
)
def test_a_task_is_due_on_a_working_day_at_the_hour_of_the_settings(tmp_path, settings, due_by):
    [task] = run_with(tmp_path, settings, missed("e1", "2025-03-08")).records("collection-tasks.jsonl")
    assert task["due_by"] == due_by


@pytest.mark.parametrize(
    ("zone", "day", "at"),
    [
        ("Asia/Shanghai", "2025-03-02", "2025-03-02T01:00:00+08:00"),
        ("America/New_York", "2025-03-01", "2025-03-01T12:00:00-05:00"),
        ("Europe/Berlin", "2025-03-01", "2025-03-01T18:00:00+01:00"),
    ],
)
def test_the_zone_of_the_settings_gives_an_event_its_date(tmp_path, zone, day, at):
    [alert] = run_with(tmp_path, f"zone: {zone}\n", missed("e1", "2025-03-01T17:00:00Z")).records("alerts.jsonl")
    assert (alert["business_date"], alert["at"]) == (day, at)


@pytest.mark.parametrize(
    ("settings", "counted"),
    [
        ("missed_from: {default: both}\n", 1),
        ("missed_from: {default: core}\n", 0),
        ("missed_from: {default: core, card: engine}\n", 1),
    ],
)
def test_who_tells_of_misses_is_a_setting_of_the_product(tmp_path, settings, counted):
    #  due on the 2nd, unpaid at the close of the 3rd: the engine's own miss, unless only the core tells of them
    records = [
        told("e0", "loan.disbursed", "2025-03-01", loan_id="L4", product="card", principal_minor=1),
        due("e1", "2025-03-02"),
        day_ended("2025-03-03"),
    ]
    ran = run_with(tmp_path, settings, *records)
    assert len(ran.alerts) == counted
    assert ran.records("profiles.jsonl")[0]["measures"]["misses"]["L4"]["missed"] == counted


@pytest.mark.parametrize(("settings", "opened"), [("history_from: 2025-01-01\n", 1), ("history_from: null\n", 0)])
def test_a_feed_is_known_from_the_date_of_the_settings(tmp_path, settings, opened):
    #  No inquiry in 30 days: known only where the feed is known for 30 days.
    quiet = {
        "per": "borrower_id",
        "measure": {"asked": {"count": "external.inquiry", "over": "30d"}},
        "when": "asked == 0",
        "say": "{asked} asked",
    }
    ran = run_with(tmp_path, settings, missed("e1", "2025-03-01"), rule=quiet)
    assert len(ran.alerts) == opened


def test_the_version_of_a_shipped_rule_is_that_of_the_lock_and_1_elsewhere(tmp_path, monkeypatch):
    lock = tmp_path / "shelf.lock"
    lock.write_text(manners.LOCK.read_text("utf-8").replace("version: 1", "version: 7"))
    monkeypatch.setattr(manners, "LOCK", lock)
    records = [missed(f"e{n}", "2025-03-01", instalment=n) for n in (1, 2)]
    late = told("e3", "loan.snapshot", "2025-03-01", loan_id="L4", days_past_due=9)
    log = written(tmp_path / "log.jsonl", *records, late, day_ended("2025-03-04"))
    locked = forewarn("replay", log, "--out", tmp_path / "locked", folder=tmp_path / "locked")
    named = replayed(log, rules=manners.SHELF / "samples", out="named")
    assert [alert["rule_version"] for alert in locked.records("alerts.jsonl")] == [7]
    assert [alert["rule_version"] for alert in named.records("alerts.jsonl")] == [1]
