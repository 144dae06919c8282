"""Laws over what rules can ever say: conditions that never hold, parts without effect, rules that add nothing."""

from pathlib import Path

import pytest

from pipeline.events import CATALOGUE
from rules.laws import check

RULE = """rule: {name}
title: Missed again, and still unpaid
status: {status}
owner: early-collections
since: 2025-03-01
why: Who misses a second instalment soon after the first is rarely forgetful.
basis: {{when: policy}}
per: {per}
measure: {{{measure}}}
when: {when}
for: {hold}
severity: {severity}
escalate: {escalate}
say: Missed again.
quiet: {quiet}
inhibited_by: {inhibited_by}
task: {task}
guide: [Ask what changed.]
false_alarms: [The bank was changed.]
blind_spots: [Cash at a branch.]
tests:
  - {{name: two, given: [{{day: 0, event: repayment.missed}}], expect: [{{day: 3, alert: {severity}}}]}}
  - {{name: none, given: [{{day: 0, event: repayment.due}}], expect: nothing}}
"""
USUAL = {
    "status": "live", "per": "loan_id", "when": "missed >= 2", "hold": "3d", "severity": "medium", "escalate": "{}",
    "quiet": "0d", "inhibited_by": "[]", "task": "none",
    "measure": "missed: {count: repayment.missed, over: 60d}, overdue: {now: days_past_due}",
}  # fmt: skip


def shelf(folder: Path, **rules: dict[str, str]) -> Path:
    for name, differs in rules.items():
        (folder / f"{name}.yaml").write_text(RULE.format(**USUAL | {"name": name} | differs), "utf-8")
    return folder


def said(folder: Path, **rules: dict[str, str]) -> list[str]:
    faults = check([shelf(folder, **rules)], CATALOGUE, None, None)
    return [str(fault).removeprefix(f"{folder}/") for fault in faults]


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("missed >= 3 and missed < 2", "'missed >= 3' and 'missed < 2' exclude each other; change one of them"),
        ("missed >= 2 and missed > -1 and missed < 0",
         "'missed >= 2', 'missed > -1' and 'missed < 0' exclude each other; change one of them"),
        ("missed < 0", "'missed < 0' asks for something that is a whole number of at least 0; "
         "change the number or the sign"),
        ("missed / overdue < 0", "'missed / overdue < 0' asks for something that is at least 0; "
         "change the number or the sign"),
        ("missed >= 3 and 2 * missed <= 4", "'2 * missed <= 4' and 'missed >= 3' exclude each other; "
         "change one of them"),
    ],
)  # fmt: skip
def test_a_rule_that_can_never_hold_is_a_fault_with_its_reason(tmp_path, when, why):
    assert said(tmp_path, a={"when": when}) == [
        f"a.yaml:10:1 when: this can never hold, so the rule never alerts: {why}"
    ]


def test_a_part_that_can_never_hold_is_named(tmp_path):
    assert said(tmp_path, a={"when": "missed >= 2 and (overdue > 9 or missed < 1)"}) == [
        "a.yaml:10:1 when: the part 'missed < 1' can never hold here: "
        "'missed < 1' and 'missed >= 2' exclude each other; change one of them, or delete it"
    ]


def test_an_escalation_that_can_never_hold_is_a_fault_at_its_place(tmp_path):
    assert said(tmp_path, a={"escalate": "{high: missed >= 5, critical: overdue < 0}"}) == [
        "a.yaml:13:31 escalate.critical: this can never hold, so the alert is never critical: "
        "'overdue < 0' asks for something that is a whole number of at least 0; change the number or the sign"
    ]


def test_a_rule_that_holds_for_everybody_is_a_fault(tmp_path):
    assert said(tmp_path, a={"when": "missed >= 0 or overdue > 5"}) == [
        "a.yaml:10:1 when: this holds for everybody whose measures are known, so it alerts for all and never closes; "
        "compare with a number that tells them apart"
    ]


@pytest.mark.parametrize(
    ("measure", "place"),
    [
        ("missed: {count: 'repayment.received where amount > 5 and amount < 5', over: 9d}", "20 measure.missed.count"),
        ("missed: {sum: amount, from: \"repayment.received where kind == 'full' and kind == 'early'\", over: 9d}",
         "33 measure.missed.from"),
        ("missed: {latest: outstanding, from: loan.snapshot where days_past_due < 0}", "41 measure.missed.from"),
    ],
)  # fmt: skip
def test_a_measure_that_never_takes_an_event_is_a_fault(tmp_path, measure, place):
    (fault,) = said(tmp_path, a={"measure": measure})
    assert fault.startswith(f"a.yaml:9:{place}: no event is ever taken: "), fault


def test_a_step_of_a_sequence_that_never_comes_is_a_fault(tmp_path):
    measure = "seq: {sequence: [repayment.due, repayment.missed where months < 0], within: 9d}"
    (fault,) = said(tmp_path, a={"measure": measure, "when": "seq"})
    assert fault.startswith("a.yaml:9:43 measure.seq.sequence[1]: no event is ever taken: 'months < 0' asks"), fault


# -- rules that add nothing -------------------------------------------------

ADDS_NOTHING = (
    "when: adds nothing beside 'wide': whenever this holds that one does, as severe, as early and for the same queue; "
    "retire one, let them differ, or name one in the other's inhibited_by"
)
NARROW = {"when": "missed >= 3 and overdue >= 5"}


def test_a_rule_that_holds_only_where_another_does_adds_nothing(tmp_path):
    assert said(tmp_path, narrow=NARROW, wide={}) == [f"narrow.yaml:10:1 {ADDS_NOTHING}"]


def test_measures_are_the_same_by_what_they_are_and_not_by_name(tmp_path):
    other = {"measure": "n: {count: repayment.missed, over: 60d}", "when": "n >= 2"}
    assert said(tmp_path, narrow=NARROW, wide=other) == [f"narrow.yaml:10:1 {ADDS_NOTHING}"]
    longer = {"measure": "missed: {count: repayment.missed, over: 61d}"}
    assert said(tmp_path, narrow=NARROW, wide=longer) == []


def test_of_two_rules_that_say_the_same_one_is_named(tmp_path):
    (fault,) = said(tmp_path, first={"when": "2 <= missed"}, second={})
    assert fault.startswith("second.yaml:10:1 when: adds nothing beside 'first'"), fault


TASK = "{queue: care, action: call, due_in: 2d}"


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ({"severity": "high"}, {}),
        ({"escalate": "{critical: missed >= 4}"}, {}),
        ({"escalate": "{critical: missed >= 4}"}, {"escalate": "{critical: missed >= 5}"}),
        ({"hold": "2d"}, {}),
        ({}, {"quiet": "9d"}),
        ({"task": TASK}, {}),
        ({"task": TASK}, {"task": TASK.replace("care", "visits")}),
        ({"per": "borrower_id", "measure": "missed: {count: repayment.missed, over: 60d}", "when": "missed >= 3"}, {}),
        ({"inhibited_by": "[wide]"}, {}),
        ({}, {"inhibited_by": "[narrow]"}),
        ({}, {"status": "shadow"}),
        ({}, {"status": "draft"}),
        ({}, {"when": "missed >= 2 and overdue >= 9"}),
    ],
)
def test_a_rule_that_differs_in_what_it_does_is_no_repetition(tmp_path, narrow, wide):
    assert said(tmp_path, narrow=NARROW | narrow, wide=wide) == []


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ({"escalate": "{critical: missed >= 6}"}, {"escalate": "{critical: missed >= 5}"}),
        ({"severity": "low", "escalate": "{medium: missed >= 4}"}, {}),
        ({"task": TASK}, {"task": TASK.replace("call", "visit")}),
        ({"status": "shadow"}, {}),
        ({"quiet": "14d", "hold": "2w"}, {"quiet": "9d"}),
    ],
)
def test_a_rule_that_says_no_more_than_another_is_named_whatever_it_is_made_of(tmp_path, narrow, wide):
    assert said(tmp_path, narrow=NARROW | narrow, wide=wide) == [f"narrow.yaml:10:1 {ADDS_NOTHING}"]


def test_a_rule_that_can_never_hold_is_told_once(tmp_path):
    (fault,) = said(tmp_path, narrow={"when": "missed >= 3 and missed < 1"}, wide={})
    assert "can never hold" in fault
