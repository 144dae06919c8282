"""The charts of the portfolio, counted by hand: the picture of this replay stands in report_folders.py."""

from datetime import date
from pathlib import Path
from typing import Any

from pipeline.shells.report.buckets import by_month, portfolio
from pipeline.shells.report.records import records_in
from pipeline.shells.report.rolls import rolls, rolls_by_month
from pipeline.shells.report.vintages import followed, vintages
from tests.report_folders import (
    AS_OF,
    FIRST,
    MONTHS,
    Line,
    folder_of,
    month_lines,
)
from tests.report_folders import records as records
from tests.report_panels import fields, rows, series

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
