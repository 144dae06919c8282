"""What a replay still runs: a rule whose faults decide nothing; `rules check` names them all the same."""

from pathlib import Path

import pytest

from pipeline.events import CATALOGUE
from rules.faults import RuleError
from rules.loader import load_shelf, load_shelf_to_run

BARE = """\
rule: late
title: Late for 5 days
status: live
per: loan_id
measure:
  overdue: {now: days_past_due}
when: overdue >= 5
severity: low
say: "{overdue} days, limit 5"
"""


def test_a_rule_without_owner_cases_or_guide_runs_and_is_still_faulty(tmp_path: Path) -> None:
    (tmp_path / "late.yaml").write_text(BARE, "utf-8")
    assert [rule.rule for rule in load_shelf_to_run([tmp_path], CATALOGUE).rules] == ["late"]
    with pytest.raises(RuleError) as error:
        load_shelf([tmp_path], CATALOGUE)
    said = "\n".join(map(str, error.value.faults))
    for missing in ("owner is missing", "tests is missing", "basis is missing", "the number 5 is written by hand"):
        assert missing in said


@pytest.mark.parametrize(
    ("written", "instead", "fault"),
    [
        ("severity: low", "severity: lwo", "severity: expected low, medium, high or critical"),
        ("when: overdue >= 5", "when: overdeu >= 5", "when: no measure named 'overdeu'"),
        ("per: loan_id", "per: loan_id\nquite: 14d", "quite: no such field"),
        ("per: loan_id\n", "", "per is missing"),
    ],
)
def test_a_fault_that_leaves_open_what_is_decided_stops_the_run(
    tmp_path: Path, written: str, instead: str, fault: str
) -> None:
    (tmp_path / "late.yaml").write_text(BARE.replace(written, instead), "utf-8")
    with pytest.raises(RuleError, match=fault):
        load_shelf_to_run([tmp_path], CATALOGUE)


def test_two_rules_of_one_name_stop_the_run(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "late.yaml").write_text(BARE, "utf-8")
    with pytest.raises(RuleError, match="late"):
        load_shelf_to_run([tmp_path], CATALOGUE)
