"""The charts of alerts and of work, counted by hand: the picture of this replay stands in report_folders.py."""

from datetime import date
from pathlib import Path

import pytest

from connectors.whole_lines import BadFile
from pipeline.shells.report.alerting import alerting
from pipeline.shells.report.borrowers import panel, ranked, stories
from pipeline.shells.report.effects import Effect, effect_of, lead, precision
from pipeline.shells.report.records import Records, records_in
from pipeline.shells.report.workload import days_of, workload
from pipeline.shells.truth import read_truth
from tests.report_folders import (
    LAST,
    alert_line,
    alert_lines,
    folder_of,
    profile_lines,
    queue_line,
    truth_of,
)
from tests.report_folders import records as records
from tests.report_panels import fields, rows, series

# -- alerts -----------------------------------------------------------------


def test_alerts_are_counted_by_the_week_and_the_severity_they_opened_with(records):
    severities, _ = alerting(records)
    assert severities.figure is not None
    weeks = severities.figure["data"][0]["x"]
    assert (weeks[0], weeks[-1], len(weeks)) == ("2024-12-30", "2025-03-31", 14)
    told = {name: {weeks[i]: n for i, n in enumerate(ys) if n} for name, ys in series(severities).items()}
    assert told == {
        "low": {"2025-01-13": 1},
        "medium": {"2025-02-10": 1},
        "high": {"2025-02-10": 1, "2025-03-03": 1},
    }
    assert severities.says.en == "4 alerts opened from 2025-01-01 to 2025-03-31, 2 of them high or critical."


def test_alerts_are_counted_by_rule_the_busiest_above(records):
    _, rules = alerting(records)
    assert rules.figure is not None
    assert [each.en for each in rules.figure["data"][0]["y"]] == ["late · 2", "slow · 2"]
    assert [sum(row) for row in fields(rules)] == [2, 2]
    # low, medium, high, critical, all
    assert [row[:6] for row in rows(rules)] == [["late", "0", "0", "2", "0", "2"], ["slow", "1", "1", "0", "0", "2"]]


def test_the_quietest_of_many_rules_are_taken_together(tmp_path):
    busy = [alert_line(f"r{n:02}/B1/{i}", "B1", "opened", "low", "2025-02-01") for n in range(20) for i in range(n + 1)]
    _, rules = alerting(records_in(folder_of(tmp_path / "busy", alerts=busy)))
    assert [row[0] for row in rows(rules)][::15] == ["r19", "5 other rules"]
    assert rows(rules)[-1][5] == "15"  # 1 + 2 + 3 + 4 + 5


def test_without_an_alert_nothing_is_drawn(tmp_path):
    told = alerting(records_in(folder_of(tmp_path / "quiet", alerts=[])))
    assert [(each.figure, each.says.en) for each in told] == [(None, "Unknown. No alert opened.")] * 2


# -- how early, how right ---------------------------------------------------


def judged_by_truth(records: Records, tmp_path: Path, budget: int | None = None) -> Effect:
    truth = read_truth(truth_of(tmp_path), records.decided.borrowers, records.decided.first)
    return effect_of(records, truth, budget)


def test_lead_times_are_in_bars_of_thirty_days_with_their_median(records, tmp_path):
    # 15 days and 71 days; their middle is 43.
    told = lead(judged_by_truth(records, tmp_path))
    assert told.figure is not None
    assert series(told) == {"defaulters": [1, 0, 1, *[0] * 10]}
    assert told.figure["layout"]["shapes"][0]["x0"] == 43
    assert told.says.en == "2 of 3 defaulters had a true alert, half of them 43 days or more ahead."
    assert rows(told)[:4] == [
        ["0-29", "1", "2 (66.7%)"],
        ["30-59", "0", "1 (33.3%)"],
        ["60-89", "1", "1 (33.3%)"],
        ["90-119", "0", "0 (0.0%)"],
    ]


def test_precision_and_reach_are_those_of_the_verdict_at_each_budget(records, tmp_path):
    # One a day: 19 January (true), the more severe of 15 February (censored), 5 March (true). Two a day: all four.
    told = precision(judged_by_truth(records, tmp_path))
    assert told.figure is not None and told.figure["data"][0]["x"] == [1, 2]
    assert series(told) == {
        "defaulters caught": [0.666667, 0.666667],
        "precision, censored as false": [0.666667, 0.5],
        "precision, whole horizon seen": [None, None],  # no alert is a year old
        "all borrowers that defaulted": [0.428571, 0.428571],
    }
    assert [row[:2] for row in rows(told)] == [["1", "3"], ["2", "4"]]
    assert rows(told)[0][4] == "unknown"


def test_the_teams_own_budget_is_among_them(records, tmp_path):
    told = precision(judged_by_truth(records, tmp_path, budget=9))
    assert told.figure is not None and told.figure["data"][0]["x"] == [1, 2, 9]
    assert told.says.en.startswith("Working at most 9 a day catches 66.7% of 3 defaulters; at least 50.0%")


def test_without_a_default_nothing_is_said_of_lead_and_precision(records):
    effect = effect_of(records, {}, None)
    why = "Unknown. No default is known from 2025-01-01 to 2025-03-31."
    assert [(told.figure, told.says.en) for told in (lead(effect), precision(effect))] == [(None, why)] * 2


def test_defaulters_without_a_true_alert_have_no_lead_time(records, tmp_path):
    quiet = records_in(folder_of(tmp_path / "quiet", alerts=alert_lines()[1:3]))
    told = lead(judged_by_truth(quiet, tmp_path))
    assert (told.figure, told.says.en) == (None, "Unknown. None of 3 defaulters had a true alert.")


# -- the work ---------------------------------------------------------------


def test_the_queues_are_told_day_by_day_from_nothing(records):
    queues, ages = workload(records.queues, records.decided.first, records.decided.last)
    assert series(queues) == {"care": [0] * 86 + [1, 2, 2, 2]}
    assert queues.says.en == (
        "2 tasks were open at the close of 2025-03-31, 2 of them overdue; the most were open on 2025-03-29: 2."
    )
    assert ages.figure is not None
    assert [(t["name"].en, t["x"]) for t in ages.figure["data"]] == [
        ("0-2 days", [1]),
        *((f"{age} days", [0]) for age in ("3-7", "8-14", "15-30")),
        ("31+ days", [1]),
    ]
    assert rows(ages) == [["care", "1", "0", "0", "0", "1", "2", "2"]]


def test_a_long_replay_is_told_week_by_week_up_to_its_last_day():
    days = days_of(date(2024, 1, 1), date(2024, 12, 31))
    assert (days[0], days[-2], days[-1], len(days)) == ("2024-01-02", "2024-12-24", "2024-12-31", 53)


def test_queues_that_are_empty_at_the_end_have_no_ages(tmp_path):
    ended = [queue_line("2025-03-30", 1, 0, 1, 0, 0, 0, 0), queue_line(LAST, 0, 0, 0, 0, 0, 0, 0)]
    found = records_in(folder_of(tmp_path / "ended", queues=ended))
    queues, ages = workload(found.queues, found.decided.first, found.decided.last)
    assert series(queues) == {"care": [0] * 88 + [1, 0]}
    assert (ages.figure, ages.says.en) == (None, "Unknown. No task is open.")


@pytest.mark.parametrize(
    ("queues", "why"), [(None, "The replay kept no record of its queues"), ([], "No task was ever")]
)
def test_without_tasks_the_work_is_unknown(tmp_path, queues, why):
    found = records_in(folder_of(tmp_path / "none", queues=queues))
    told = workload(found.queues, found.decided.first, found.decided.last)
    assert [each.figure for each in told] == [None, None] and why in told[0].says.en


# -- who needs attention ----------------------------------------------------


def test_the_riskiest_stand_by_severity_then_days_past_due(records):
    told = panel(records, ranked(records))
    assert [row[:4] for row in rows(told)][:4] == [
        ["B5", "high", "1", "66"],
        ["B1", "high", "1", "40"],  # raised to high
        ["B2", "–", "0", "0"],
        ["B3", "–", "0", "0"],
    ]
    assert rows(told)[-1][0] == "B7" and rows(told)[-1][3] == "unknown"
    assert told.says.en == "B5 stands first: 1 open, 66 days past due."


def test_their_alerts_lie_on_a_line_of_time(records):
    told = panel(records, ranked(records))
    assert told.figure is not None
    marks = {
        t["name"].en: list(zip(t["y"], t["x"], strict=True)) for t in told.figure["data"] if t["mode"] == "markers"
    }
    assert marks == {
        "opened (low)": [("B6", "2025-01-19")],
        "opened (medium)": [("B1", "2025-02-15")],
        "opened (high)": [("B2", "2025-02-15"), ("B5", "2025-03-05")],
        "raised": [("B1", "2025-03-10")],
        "closed": [("B6", "2025-02-20"), ("B2", "2025-03-01")],
        "30 days past due": [("B5", "2025-02-23"), ("B1", "2025-03-21")],
        "default": [("B5", "2025-03-20")],
    }
    spans = [t["x"] for t in told.figure["data"] if t["mode"] == "lines"]
    end = "2025-03-31T23:59:59"
    assert spans == [
        ["2025-01-19", "2025-02-20", None],
        ["2025-02-15", "2025-03-01", None, "2025-02-15", end, None, "2025-03-05", end, None],
    ]


def test_the_story_of_a_borrower_is_told_in_the_order_of_time(records):
    of = {story.title.en: story for story in stories(records, ranked(records))}
    told = [(point.when, point.kind, [line.en for line in point.lines]) for point in of["2. B1"].points]
    assert told == [
        ("2025-02-15", "medium", ["slow", "alert opened (medium): B1 is late", "  overdue = 12", _task("2025-03-03")]),
        ("2025-02-28", "month", ["month's end: 10 days past due"]),
        ("2025-03-10", "high", ["slow", "alert raised (high): B1 is late", "  overdue = 12"]),
        ("2025-03-21", "end", ["30 days past due for the first time"]),
        ("2025-03-31", "month", ["month's end: 40 days past due"]),
    ]
    assert [line.zh for line in of["2. B1"].points[1].lines] == ["月末：逾期 10 天"]
    cured = [point.lines[0].en for point in of["4. B3"].points]
    assert cured == ["month's end: 20 days past due", "month's end: nothing past due"]
    assert of["7. B7"].points == [] and of["7. B7"].says.en == "days past due unknown"


def _task(due_on: str) -> str:
    return f"task open: care, call, due {due_on} 18:00"


def test_of_a_long_story_the_latest_moments_are_told(tmp_path):
    many = [alert_line(f"slow/B1/{n}", "B1", "opened", "low", f"2025-02-{n % 28 + 1:02}") for n in range(60)]
    [story, *_] = stories(found := records_in(folder_of(tmp_path / "many", alerts=many)), ranked(found)[:1])
    assert (story.earlier, len(story.points)) == (60 + 3 - 40, 40)  # with two month ends and the backstop
    assert story.points[-1].when == "2025-03-31"


def test_profiles_without_a_loan_or_alert_are_no_report(tmp_path):
    bare = [profile | {"loans": [], "episodes": []} for profile in profile_lines()]
    with pytest.raises(BadFile, match="expected a replay with loans or alerts, got one without either"):
        records_in(folder_of(tmp_path / "bare", profiles=bare, alerts=[], months=[]))
