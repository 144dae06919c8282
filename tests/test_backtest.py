"""The backtest: what is judged and what is history, rule by rule, over files and over the log of an engine.

day     1 March          5                10            15            20           31
B17     misses L4 ──── opens late ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ defaults
B18                                    misses L8 ─── opens late ─ ─ ─ ─ ─ ─ ─ ─ ─
B19                                                           misses ─ opens ─ defaults on 25 March
"""

import json
from pathlib import Path

import pytest

from pipeline.shells.backtest.past import Past, raws
from pipeline.shells.embedded.store import FILE
from tests.arrival_logs import COUNTS_MISSES, Told, day_ended, forewarn, missed, replayed, shelf, told, written
from tests.backtests import said_by
from tests.engine_process import running
from tests.verdicts import truth_file

TASK = {"queue": "care", "action": "call", "due_in": "2d"}
RULES: dict[str, Told] = {
    "late": COUNTS_MISSES | {"task": TASK},
    "never": COUNTS_MISSES | {"when": "missed >= 9"},
    "overdrawn": {
        "status": "shadow",
        "per": "borrower_id",
        "measure": {"n": {"count": "account.overdrawn", "over": "9d"}},
        "when": "n >= 1",
    },
    "written-today": COUNTS_MISSES | {"status": "draft", "when": "missed >= 2"},
    "gone": COUNTS_MISSES | {"status": "retired", "retired_because": "it said nothing new"},
}


def events(*, with_day_ended: bool = False) -> list[Told]:
    found = [
        told("a", "account.overdrawn", "2025-03-01", account_id="A1", borrower_id="B20"),
        *(missed(f"m{n}", on, borrower_id=who, loan_id=loan) for n, (who, loan, on) in enumerate(MISSES)),
        told("c", "account.overdrawn", "2025-03-14", account_id="A9", borrower_id="B19"),
        told("d1", "loan.defaulted", "2025-03-20", loan_id="L4"),
        told("d2", "loan.defaulted", "2025-03-25", loan_id="L9", borrower_id="B19"),
        told("e", "account.overdrawn", "2025-03-31", account_id="A1", borrower_id="B20"),
    ]
    found.sort(key=lambda each: each["at"])
    return [*found, *([day_ended("2025-03-31")] if with_day_ended else [])]


MISSES = [
    ("B17", "L4", "2025-03-05"),
    ("B18", "L8", "2025-03-10"),
    ("B19", "L9", "2025-03-15"),
    ("B19", "L9", "2025-03-16"),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return written(tmp_path / "events.jsonl", *events())


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return shelf(tmp_path / "rules", **RULES)


def test_the_shelf_and_each_rule_are_judged_by_the_defaults_in_the_events(log, rules):
    said = said_by(log, "--rules", rules)
    overall = said["verdict"]["overall"]
    assert {name: overall["counts"][name] for name in ("defaulted", "caught", "alerts", "true", "censored")} == {
        **{"defaulted": 2, "caught": 2, "alerts": 3},
        **{"true": 2, "censored": 1},  # B18's 365 days are not over
    }
    # B17 was warned of 15 days before, B19 10 days.
    assert overall["figures"]["lead_median_days"]["value"] == 12.5
    assert [each["of"] for each in said["verdict"]["by_rule"]] == ["late"]
    assert said["rules"] == {"draft": 1, "live": 2, "shadow": 1}
    assert said["silent"] == ["never"]
    assert said["history"] is None


def test_a_rule_in_shadow_and_a_draft_are_judged_each_beside_the_live_ones(log, rules):
    said = said_by(log, "--rules", rules)
    found = {each["of"]: each for each in said["candidates"]}
    assert set(found) == {"overdrawn", "written-today"}
    counts = {
        name: {k: each["counts"][k] for k in ("alerts", "true", "caught", "only", "first")}
        for name, each in found.items()
    }
    assert counts == {
        # B20 on the 1st and again on the 31st, B19 on the 14th: a day before the live rule.
        "overdrawn": {"alerts": 3, "true": 1, "caught": 1, "only": 0, "first": 1},
        "written-today": {"alerts": 1, "true": 1, "caught": 1, "only": 0, "first": 0},
    }
    assert found["overdrawn"]["figures"]["added_lead_median_days"]["value"] == 1
    # A candidate takes nothing from the live rules.
    assert said["verdict"]["by_rule"][0]["counts"]["first"] == 2


def test_what_comes_before_the_first_judged_day_fills_windows_and_counts_for_nothing(log, rules):
    said = said_by(log, "--rules", rules, "--from", "2025-03-08")
    assert said["history"] == {
        "first_day": "2025-03-01",
        "days": 7,
        "alerts": 1,
        "open_alerts": 1,
        "borrowers_alerted": 1,
    }
    observed, counts = said["verdict"]["observed"], said["verdict"]["overall"]["counts"]
    assert (observed["first_day"], observed["as_of"], observed["days"]) == ("2025-03-08", "2025-03-31", 24)
    # B17, alerted on the 5th, defaults unwarned as far as the judged days go.
    assert (counts["defaulted"], counts["caught"], counts["alerts"], counts["tasks"]) == (2, 1, 2, 2)
    # Its window is warm: the second miss of a pair of which the first is history still opens the draft.
    said = said_by(log, "--rules", rules, "--from", "2025-03-16")
    assert [each["counts"]["alerts"] for each in said["candidates"] if each["of"] == "written-today"] == [1]


def test_what_comes_after_the_last_judged_day_is_not_known_on_it(log, rules):
    said = said_by(log, "--rules", rules, "--until", "2025-03-22")
    observed, counts = said["verdict"]["observed"], said["verdict"]["overall"]["counts"]
    assert (observed["as_of"], observed["days"], counts["defaulted"], counts["caught"]) == ("2025-03-22", 22, 1, 1)
    assert counts["censored"] == 2


def test_the_days_may_reach_beyond_the_events(log, rules):
    said = said_by(log, "--rules", rules, "--from", "2024-01-01", "--until", "2027-01-01")
    assert said["verdict"] == said_by(log, "--rules", rules)["verdict"] and said["history"] is None


def test_of_each_rule_it_is_told_what_a_team_works_that_works_one_a_day(log, rules):
    twin = shelf(rules, twin=COUNTS_MISSES | {"severity": "high"})
    said = said_by(log, "--rules", twin, "--budget", "1")
    worked = {each["of"]: each["counts"]["alerts"] for each in said["by_rule_at_daily_budget"]}
    assert worked == {"late": 0, "twin": 3}  # both open on the same days; high comes first
    assert said["verdict"]["terms"]["budget_openings_a_day"] == 1


def test_the_truth_may_stand_in_a_file(log, rules, tmp_path):
    truth = truth_file(tmp_path / "truth.csv", "B18,job loss,2025-03-01,2025-03-30", "B17,,,")
    said = said_by(log, "--rules", rules, "--truth", truth)
    assert said["verdict"]["observed"]["truth"] == "truth.csv"
    assert said["verdict"]["overall"]["counts"]["caught"] == 1
    assert said["verdict"]["by_cause"][0]["of"] == "job loss"


def test_a_truth_of_strange_borrowers_is_one_sentence_but_not_of_those_who_come_after_the_judged_days(
    log, rules, tmp_path
):
    strange = truth_file(tmp_path / "strange.csv", "B99,,,2025-03-30")
    ran = forewarn("backtest", log, "--rules", rules, "--truth", strange)
    assert ran.code == 2 and ran.out == ""
    assert "expected borrowers of the replay, got one that is not in it, first B99 in row 2" in ran.err
    later = truth_file(tmp_path / "later.csv", "B19,,,2025-03-25", "B17,,,2025-03-20")
    said = said_by(log, "--rules", rules, "--truth", later, "--until", "2025-03-12")
    assert said["verdict"]["observed"]["borrowers"] == 3
    ran = forewarn("backtest", log, "--rules", rules, "--truth", strange, "--until", "2025-03-12")
    assert ran.code == 2 and "first B99" in ran.err


def test_history_may_hold_defaults_that_a_truth_file_tells_of(log, rules, tmp_path):
    truth = truth_file(tmp_path / "truth.csv", "B17,,,2025-03-20", "B19,,,2025-03-25")
    said = said_by(log, "--rules", rules, "--truth", truth, "--from", "2025-03-22")
    observed = said["verdict"]["observed"]
    assert (observed["defaulted_before"], observed["defaulted"]) == (1, 1)


# -- the log of an engine -------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path, rules: Path) -> Path:
    log = written(tmp_path / "log.jsonl", *events(with_day_ended=True), b"{")
    found = tmp_path / "data"
    assert forewarn("backfill", log, "--until", "2025-03-31", "--data", found, "--rules", rules).code == 0
    return found


def test_the_log_of_an_engine_says_what_its_files_say(data, rules, tmp_path):
    stored = said_by("--data", data)
    assert stored == said_by(tmp_path / "log.jsonl", "--rules", rules)
    assert stored["events"]["dead_letters"] == {"not_json": 1}
    assert [each["of"] for each in stored["verdict"]["by_rule"]] == ["late"]
    assert stored == said_by("--data", data, "--processes", "2")


def test_other_rules_may_be_tried_on_the_log_of_an_engine_that_runs_and_nothing_of_it_changes(data, tmp_path):
    other = shelf(tmp_path / "other", sooner=COUNTS_MISSES)
    assert forewarn("export", "--data", data, "--out", tmp_path / "before").code == 0
    with running(tmp_path, tmp_path / "rules"):
        said = said_by("--data", data, "--rules", other)
    assert [each["of"] for each in said["verdict"]["by_rule"]] == ["sooner"]
    assert forewarn("export", "--data", data, "--out", tmp_path / "after").code == 0
    names = sorted(path.name for path in (tmp_path / "before").iterdir())
    assert [(tmp_path / "before" / n).read_bytes() for n in names] == [
        (tmp_path / "after" / n).read_bytes() for n in names
    ]


def test_what_an_engine_takes_in_after_the_first_look_is_not_read(data):
    """So all processes read the same lines, and a second look at a log that grew says the same of its beginning."""
    assert len(list(raws(Past(data=data, lines=10)))) == 10
    assert len(list(raws(Past(data=data, lines=3)))) == 3


def test_nothing_is_written_into_the_data_of_an_engine(data):
    ran = forewarn("backtest", "--data", data, "--out", data / "results")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"--out: expected a file outside the data directory {data}, got")
    assert not (data / "results").exists()


def test_data_that_are_none_are_one_sentence(tmp_path):
    ran = forewarn("backtest", "--data", tmp_path)
    assert (ran.code, ran.err) == (
        2,
        f"{tmp_path}: expected the data directory of an engine, got none with {FILE}; check the name\n",
    )


def test_the_figures_are_those_of_a_replay_that_keeps_its_files(log, rules, tmp_path):
    ran = replayed(log, rules=rules, out="kept")
    assert forewarn("judge", "--alerts", ran.folder, "--quiet").code == 0
    assert said_by(log, "--rules", rules)["verdict"] == json.loads((ran.folder / "verdict.json").read_bytes())


def test_a_task_that_begins_with_the_event_that_ends_the_judged_days_is_not_counted(tmp_path):
    """Its alert was told before, its first task was done; the second miss, of the 11th, asks for another one."""
    rising = COUNTS_MISSES | {"severity": "medium", "escalate": {"high": "missed >= 2"}, "task": TASK}
    log = written(
        tmp_path / "log.jsonl",
        missed("m1", "2025-03-05"),
        told("t1", "task.done", "2025-03-08", task_id="care/B17/1", by="officer"),
        missed("m2", "2025-03-11"),
    )
    rules = shelf(tmp_path / "rules", late=rising)
    tasks = {day: said_by(log, "--rules", rules, "--until", day) for day in ("2025-03-10", "2025-03-11")}
    assert [each["verdict"]["overall"]["counts"]["tasks"] for each in tasks.values()] == [1, 2]
    # From the day on which only the second one began, the first is history.
    later = said_by(log, "--rules", rules, "--from", "2025-03-09")
    assert later["verdict"]["overall"]["counts"]["tasks"] == 1
