"""A replay's folder that is small enough to count by hand, for the tests of the report.

loan  of  paid out      end of January   of February      of March
L1    B1  2025-01-10    0 days  1,000    10 days  1,000   40 days  1,000
L2    B2  nobody told   0 days  3,000     0 days  3,000    0 days  3,000
L3    B3  2025-01-20   20 days  1,000     0 days  1,000   paid off
L4    B4  2025-02-05                      ? days    500    ? days    500
L5    B5  2025-02-10                     35 days    500   66 days    500, in default since 20 March

alert    of  severity           opened       closed
slow/1   B6  low                2025-01-19   2025-02-20     B6 defaults on 31 March, 71 days later
slow/1   B1  medium, then high  2025-02-15   open           raised on 10 March
late/1   B2  high               2025-02-15   2025-03-01
late/1   B5  high               2025-03-05   open           B5 defaults on 20 March, 15 days later
                                                            B7 defaults on 15 March without an alert
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.shells.queues import AGE_NAMES
from pipeline.shells.report.records import Records, records_in
from tests.verdicts import truth_file

Line = dict[str, Any]
FIRST, LAST = "2025-01-01", "2025-03-31"
AS_OF = date.fromisoformat(LAST)
MONTHS = ["2025-01", "2025-02", "2025-03"]
BORROWERS = [f"B{n}" for n in range(1, 8)]
PAID_OUT = {"L1": "2025-01-10", "L2": None, "L3": "2025-01-20", "L4": "2025-02-05", "L5": "2025-02-10"}
ENDS: dict[str, dict[str, tuple[int | None, int]]] = {  # month's end -> loan -> days past due, outstanding
    "2025-01-31": {"L1": (0, 1_000), "L2": (0, 3_000), "L3": (20, 1_000)},
    "2025-02-28": {"L1": (10, 1_000), "L2": (0, 3_000), "L3": (0, 1_000), "L4": (None, 500), "L5": (35, 500)},
    "2025-03-31": {"L1": (40, 1_000), "L2": (0, 3_000), "L3": (0, 0), "L4": (None, 500), "L5": (66, 500)},
}
BUCKETS = {None: None, 0: "0", 10: "1-30", 20: "1-30", 35: "31-60", 40: "31-60", 66: "61-90"}
SUMMARY = {"shelf": "9c1e", "currency": "CNY", "first_day": FIRST, "as_of": LAST, "days_closed": 90}
TRUTH = ["B5,job loss,2025-02-01,2025-03-20", "B6,,,2025-03-31", "B7,,,2025-03-15"]


def month_lines() -> list[Line]:
    return [
        {
            "month": on[:7],
            "on": on,
            "borrower_id": loan.replace("L", "B"),
            "loan_id": loan,
            "disbursed_on": PAID_OUT[loan],
            "status": "open" if amount else "closed",
            "days_past_due": days,
            "bucket": BUCKETS[days],
            "exposure_minor": amount * 100,
            "defaulted_on": "2025-03-20" if (loan, on) == ("L5", LAST) else None,
        }
        for on, loans in ENDS.items()
        for loan, (days, amount) in loans.items()
    ]


def alert_line(episode: str, borrower: str, transition: str, severity: str, on: str, **own: Any) -> Line:
    return {
        "id": f"{episode}/{transition}",
        "episode": episode,
        "rule": episode.split("/")[0],
        "borrower_id": borrower,
        "transition": transition,
        "severity": severity,
        "at": f"{on}T23:59:59.999+08:00",
        "business_date": on,
        "evidence": {"overdue": {"value": 12, "truth": "true"}},
        **({"reason": "cleared"} if transition == "closed" else {"say": f"{borrower} is late"}),
    } | own


def alert_lines() -> list[Line]:
    return [
        alert_line("slow/B6/1", "B6", "opened", "low", "2025-01-19"),
        alert_line("late/L2/1", "B2", "opened", "high", "2025-02-15"),
        alert_line("slow/B1/1", "B1", "opened", "medium", "2025-02-15"),
        alert_line("slow/B6/1", "B6", "closed", "low", "2025-02-20"),
        alert_line("late/L2/1", "B2", "closed", "high", "2025-03-01"),
        alert_line("late/L5/1", "B5", "opened", "high", "2025-03-05"),
        alert_line("slow/B1/1", "B1", "raised", "high", "2025-03-10"),
    ]


def profile_lines() -> list[Line]:
    """Every borrower after the last close; B6 and B7 have no loan that is told of."""
    episodes = {"B1": "slow/B1/1", "B5": "late/L5/1"}
    lines = []
    for borrower in BORROWERS:
        loan = borrower.replace("B", "L")
        days, amount = ENDS[LAST].get(loan, (None, 0))
        lines.append(
            {
                "borrower_id": borrower,
                "exposure_minor": amount * 100,
                "arrears_minor": None if days is None else 0,
                "loans": [
                    {
                        "loan_id": loan,
                        "status": "open" if amount else "closed",
                        "days_past_due": days,
                        "defaulted_on": "2025-03-20" if loan == "L5" else None,
                    }
                ]
                if loan in ENDS[LAST]
                else [],
                "episodes": [{"episode": episodes[borrower], "state": "open"}] if borrower in episodes else [],
                "backstop_on": {"B1": "2025-03-21", "B5": "2025-02-23"}.get(borrower, "never"),
            }
        )
    return lines


def task_lines() -> list[Line]:
    return [
        {
            "id": f"care/{borrower}/1",
            "revision": 1,
            "queue": "care",
            "action": "call",
            "alerts": [episode],
            "borrower_id": borrower,
            "status": "open",
            "due_by": f"{due_on}T18:00:00+08:00",
        }
        for borrower, episode, due_on in (("B1", "slow/B1/1", "2025-03-03"), ("B5", "late/L5/1", "2025-03-31"))
    ]


def queue_line(on: str, open_: int, overdue: int, *ages: int) -> Line:
    told = dict(zip(AGE_NAMES, ages, strict=True))
    moves = {"opened": 0, "done": 0, "cancelled": 0}
    return {"date": on, "queue": "care", "open": open_, "overdue": overdue, "ages": told, **moves}


def queue_lines() -> list[Line]:
    """Two tasks, of 27 February and of 29 March."""
    return [
        queue_line("2025-03-28", 1, 1, 0, 0, 0, 1, 0),
        queue_line("2025-03-29", 2, 1, 1, 0, 0, 1, 0),
        queue_line("2025-03-30", 2, 1, 1, 0, 0, 0, 1),
        queue_line("2025-03-31", 2, 2, 1, 0, 0, 0, 1),
    ]


def folder_of(folder: Path, **files: list[Line] | None) -> Path:
    """The folder, with other lines in the files that are named, and without those that are None."""
    told: dict[str, list[Line] | None] = {
        "alerts": alert_lines(),
        "profiles": profile_lines(),
        "collection-tasks": task_lines(),
        "months": month_lines(),
        "queues": queue_lines(),
        **{name.replace("_", "-"): lines for name, lines in files.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(SUMMARY))
    for name, lines in told.items():
        if lines is not None:
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def truth_of(folder: Path) -> Path:
    """What became of the borrowers."""
    return truth_file(folder / "truth.csv", *TRUTH)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return records_in(folder_of(tmp_path / "replay"))
