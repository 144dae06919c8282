"""The storm guard holds what is more than a rule may open in a day, and what follows from it."""

import json
from pathlib import Path

import pytest

from pipeline.shells.cli import main

RULE = """\
rule: late
title: A missed instalment
status: live
per: loan_id
measure:
  missed: {count: repayment.missed, over: 30d}
when: missed >= 1
severity: low
say: "{missed} missed"
daily_openings: 2
task: {queue: care, action: message, due_in: 1d}
"""


def misses(*borrowers: int, day: int) -> list[str]:
    return [
        json.dumps(
            {
                "id": f"m{n}-{day}",
                "source": "core",
                "type": "repayment.missed",
                "at": f"2025-03-{day:02}T09:00:00+08:00",
                "borrower_id": f"B{n}",
                "loan_id": f"L{n}",
            }
        )
        for n in borrowers
    ]


def run(folder: Path, *options: str) -> dict[str, list[dict[str, object]]]:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "late.yaml").write_text(RULE, "utf-8")
    (folder / "events.jsonl").write_text("\n".join(misses(1, 2, 3, 4, day=3) + misses(5, day=4)) + "\n", "utf-8")
    arguments = ["replay", str(folder / "events.jsonl"), "--rules", str(folder / "rules"), "--out", str(folder / "out")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["forewarn", *arguments, "--quiet", *options])
        with pytest.raises(SystemExit) as done:
            main()
    assert done.value.code == 0
    names = ("alerts", "collection-tasks", "held", "profiles")
    return {
        name: [json.loads(line) for line in (folder / "out" / f"{name}.jsonl").read_text("utf-8").splitlines()]
        for name in names
    }


def test_the_third_and_fourth_opening_of_a_day_are_held_with_their_tasks(tmp_path: Path) -> None:
    out = run(tmp_path, "--storm-guard")
    #  2025-03-03: B1 and B2 go out, B3 and B4 are more than two; 2025-03-04: a new day, B5 goes out.
    assert [alert["borrower_id"] for alert in out["alerts"]] == ["B1", "B2", "B5"]
    assert [task["borrower_id"] for task in out["collection-tasks"]] == ["B1", "B2", "B5"]
    assert [held["id"] for held in out["held"]] == [
        "late/L3/1/opened", "care/B3/1", "late/L4/1/opened", "care/B4/1",
    ]  # fmt: skip
    states = {profile["borrower_id"]: profile["episodes"][0]["state"] for profile in out["profiles"]}
    assert states == {"B1": "open", "B2": "open", "B3": "held", "B4": "held", "B5": "open"}


def test_a_replay_runs_without_the_guard_unless_it_is_asked_for(tmp_path: Path) -> None:
    out = run(tmp_path)
    assert len(out["alerts"]) == 5
    assert out["held"] == []
