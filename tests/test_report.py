"""The charts of the report, counted by hand: the picture of this replay stands in report_folders.py."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.whole_lines import BadFile
from pipeline.shells.report.alerting import alerting
from pipeline.shells.report.borrowers import panel, ranked, stories
from pipeline.shells.report.buckets import by_month, portfolio
from pipeline.shells.report.effects import Effect, effect_of, lead, precision
from pipeline.shells.report.panel import Panel, Text
from pipeline.shells.report.records import Records, records_in
from pipeline.shells.report.rolls import rolls, rolls_by_month
from pipeline.shells.report.vintages import followed, vintages
from pipeline.shells.report.workload import days_of, workload
from pipeline.shells.truth import read_truth
from tests.report_folders import (
    FIRST,
    LAST,
    Line,
    alert_line,
    alert_lines,
    folder_of,
    month_lines,
    profile_lines,
    queue_line,
    truth_of,
)

AS_OF = date.fromisoformat(LAST)
MONTHS = ["2025-01", "2025-02", "2025-03"]


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return records_in(folder_of(tmp_path / "replay"))


def series(panel: Panel) -> dict[str, Any]:
    """The values of each trace by its English name."""
    assert panel.figure is not None
    return {_plain(trace.get("name")): [_plain(each) for each in trace["y"]] for trace in panel.figure["data"]}


def fields(panel: Panel) -> list[list[Any]]:
    """The fields of a heatmap."""
    assert panel.figure is not None
    [trace] = panel.figure["data"]
    found: list[list[Any]] = trace["z"]
    return found


def _plain(value: Any) -> Any:
    return value.en if isinstance(value, Text) else value


def rows(panel: Panel) -> list[list[str]]:
    assert panel.table is not None
    return [[_plain(cell) for cell in row] for row in panel.table.rows]


# -- the portfolio ----------------------------------------------------------


def months_of(lines: list[Line], tmp_path: Path) -> Any:
    return by_month(records_in(folder_of(tmp_path / "other", months=lines)).months or [])


def test_the_portfolio_adds_up_what_is_outstanding_by_bucket_and_keeps_the_unknown_apart(records):
    told = portfolio(by_month(records.months), "CNY", AS_OF)
    assert told.figure is not None
    above = [(t["name"].en, t["y"]) for t in told.figure["data"] if t.get("yaxis") is None]
    assert above == [
        ("not past due", [4_000, 4_000, 3_000]),
        ("1-30 days", [1_000, 1_000, 0]),
        ("31-60 days", [0, 500, 1_000]),
        ("61-90 days", [0, 0, 500]),
        ("unknown", [0, 500, 500]),
    ]
    below = [(t["name"].en, t["y"]) for t in told.figure["data"] if t.get("yaxis") == "y2"]
    assert below == [
        ("1-30 days", [0.2, 0.166667, 0.0]),  # 1,000 of 5,000; 1,000 of 6,000
        ("31-60 days", [0.0, 0.083333, 0.2]),
        ("61-90 days", [0.0, 0.0, 0.1]),
    ]
    assert told.says.en == (
        "At the close of 2025-03-31, 30.0% of CNY 5.0 k was more than 30 days past due; at that of 2025-01-31 it was "
        "0.0%. Days past due of 1 loan are unknown; they are grey."
    )
    assert rows(told)[1][:4] == ["2025-02-28", "4,000 (66.7%)", "1,000 (16.7%)", "500 (8.3%)"]
    assert [row[-1] for row in rows(told)] == ["3", "5", "4"]


def test_where_what_is_outstanding_is_not_known_of_all_the_loans_are_counted(tmp_path):
    lines = month_lines()
    lines[0]["exposure_minor"] = None
    told = portfolio(months_of(lines, tmp_path), "CNY", AS_OF)
    assert told.figure is not None and told.figure["data"][0]["y"] == [2, 2, 1]
    assert told.says.en.endswith("Loans are counted, as what is outstanding is not known of all.")
    assert "25.0% of 4 loans" not in told.says.en and "50.0% of 4 loans" in told.says.en  # L1 and L5


def test_a_month_of_which_no_days_are_known_is_a_gap_and_not_zero(tmp_path):
    lines = [
        line | {"days_past_due": None, "bucket": None} if line["month"] == "2025-01" else line for line in month_lines()
    ]
    told = portfolio(months_of(lines, tmp_path), "CNY", AS_OF)
    assert told.figure is not None
    assert [t["y"][0] for t in told.figure["data"] if t.get("yaxis") == "y2"] == [None, None, None]
    assert "at that of 2025-01-31 it was unknown" in told.says.en


# -- roll rates -------------------------------------------------------------


def test_roll_rates_take_all_pairs_of_months_together(records):
    # January to February: L1 0 -> 1-30, L2 0 -> 0, L3 1-30 -> 0.
    # February to March:   L1 1-30 -> 31-60, L2 0 -> 0, L3 0 -> paid off, L5 31-60 -> 61-90; of L4 nothing is known.
    told = rolls(by_month(records.months), AS_OF)
    assert told.figure is not None
    [trace] = told.figure["data"]
    assert [each.en for each in trace["x"]] == ["0", "1-30", "31-60", "61-90", "paid<br>off"]
    assert trace["y"] == ["0", "1-30", "31-60"]
    assert fields(told) == [[0.5, 0.25, 0.0, 0.0, 0.25], [0.5, 0.0, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0]]
    assert told.says.en.startswith("Of loans 1-30 days past due at a month's end, 50.0% were one bucket worse")
    assert [row[-1] for row in rows(told)] == ["4", "2", "1"]


def test_roll_rates_by_month_are_gaps_where_a_bucket_was_empty(records):
    told = rolls_by_month(by_month(records.months), AS_OF)
    assert told.figure is not None and told.figure["data"][0]["x"] == MONTHS[1:]
    assert series(told) == {"0 → 1-30": [0.5, 0.0], "1-30 → 31-60": [0.0, 1.0], "31-60 → 61-90": [None, 1.0]}
    assert rows(told)[0] == ["2025-02", "50.0% (1 / 2)", "0.0% (0 / 1)", "– (0 / 0)"]


def test_a_month_that_broke_off_has_no_roll_rate(tmp_path):
    lines = [line | {"on": "2025-03-20"} if line["month"] == "2025-03" else line for line in month_lines()]
    months = months_of(lines, tmp_path)
    assert rows(rolls_by_month(months, AS_OF))[-1][0] == "2025-02"
    one = rolls({"2025-01": months["2025-01"]}, AS_OF)
    assert (one.figure, one.says.en) == (None, "Unknown. It takes two month ends, and the replay has 1 month.")


def test_months_that_do_not_follow_each_other_make_no_pair(records):
    months = by_month(records.months)
    assert rolls({month: months[month] for month in ("2025-01", "2025-03")}, AS_OF).figure is None


# -- vintages ---------------------------------------------------------------


def test_vintages_follow_the_loans_that_were_paid_out_within_the_replay(records):
    # January: L1 and L3, seen for two months; L1 is late in March. February: L5, late at once, in default in March.
    late, default = vintages(followed(by_month(records.months), date.fromisoformat(FIRST)), AS_OF)
    assert series(late) == {"2025-01 (2)": [0.0, 0.0, 0.5], "2025-02 (1)": [1.0, 1.0]}
    assert series(default) == {"2025-01 (2)": [0.0, 0.0, 0.0], "2025-02 (1)": [0.0, 1.0]}
    assert late.says.en == (
        "Of 2 loans paid out in 2025-01, 50.0% had been more than 30 days past due or defaulted within 2 months. "
        "2 of 5 loans are not drawn: paid out before the replay began, or nobody told when, or days past due unknown."
    )
    assert rows(default) == [["2025-01", "2", "0.0%", "0.0%", "0.0%"], ["2025-02", "1", "0.0%", "100.0%", ""]]


def test_many_months_of_paying_out_are_taken_by_quarter_as_far_as_the_youngest_was_seen(tmp_path):
    template = month_lines()[0]
    lines = [
        template
        | {"month": f"2025-{month:02}", "on": f"2025-{month:02}-28", "loan_id": f"L{paid}", "days_past_due": 0}
        | {"disbursed_on": f"2025-{paid:02}-01"}
        for paid in range(1, 10)
        for month in range(paid, 11)
    ]
    late, _ = vintages(followed(months_of(lines, tmp_path), date.fromisoformat(FIRST)), AS_OF)
    # Ten months are seen; the youngest of the first quarter is of March.
    lengths = {name: len(values) for name, values in series(late).items()}
    assert lengths == {"2025 Q1 (3)": 8, "2025 Q2 (3)": 5, "2025 Q3 (3)": 2}


def test_without_a_loan_from_its_first_month_on_vintages_are_unknown(tmp_path):
    old = [line | {"disbursed_on": "2024-12-31"} for line in month_lines()]
    told = vintages(followed(months_of(old, tmp_path), date.fromisoformat(FIRST)), AS_OF)
    assert [each.figure for each in told] == [None, None]
    assert told[0].says.en.startswith("Unknown. No loan was paid out within the replay")
    silent = [line | {"days_past_due": None, "defaulted_on": None} for line in month_lines()]
    told = vintages(followed(months_of(silent, tmp_path), date.fromisoformat(FIRST)), AS_OF)
    assert told[0].says.en == "Unknown. Of no loan that was paid out within the replay days past due are known."


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
