"""`forewarn rules check`: the laws that need the engine, and what is written for people and machines."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from config.settings import load as load_settings
from pipeline.events import CATALOGUE
from pipeline.shells.boundaries import unheld_limit
from pipeline.shells.cases import run_case
from pipeline.shells.fault_formats import FORMATS
from pipeline.shells.terms import terms_of
from rules.faults import Fault, sentence_of
from rules.limits import limits
from rules.loader import load_rule, load_shelf
from rules.rule import Rule
from tests.arrival_logs import forewarn

ROOT = Path(__file__).parent.parent
SHELF = ROOT / "rules" / "shelf"
BAD = Path(__file__).parent / "bad"
TERMS = terms_of(load_settings(None))
MISSED = "second-missed-instalment"
SAMPLE = (SHELF / "samples" / f"{MISSED}.yaml").read_text("utf-8")
RULE = """rule: late
title: Late
status: live
owner: early-collections
since: 2025-03-01
why: Late is the sign.
basis: {{when: policy}}
per: loan_id
measure:
  overdue: {{now: days_past_due}}
  missed: {{count: repayment.missed, over: 9d}}
  again: {{sequence: [repayment.missed, repayment.missed], within: 5d}}
when: {when}
severity: low
say: Late.
guide: [Call.]
false_alarms: [None.]
blind_spots: [None.]
tests:
{cases}"""
SNAPSHOT = "{{day: 0, event: loan.snapshot, days_past_due: {days}}}"


def case(name: str, given: str, expect: str) -> str:
    return f"  - {{name: {name}, given: [{given}], expect: {expect}}}\n"


def days_late(days: int, *, alerts: bool) -> str:
    expect = "[{day: 0, alert: low}]" if alerts else "nothing"
    return case(f"{days} days", SNAPSHOT.format(days=days), expect)


def rule(folder: Path, when: str, *cases: str) -> Rule:
    path = folder / "late.yaml"
    path.write_text(RULE.format(when=when, cases="".join(cases)), "utf-8")
    return load_rule(path, CATALOGUE)


# -- a case just beside a limit ---------------------------------------------


def test_every_shipped_live_rule_has_a_case_just_beside_a_limit():
    for each in load_shelf([SHELF], CATALOGUE).rules:
        if each.status == "live":
            assert unheld_limit(each, TERMS) is None, each.rule


@pytest.mark.parametrize(
    ("when", "alerting", "quiet", "unseen"),
    [
        ("overdue >= 5", 5, 4, None),
        ("overdue > 5", 6, 5, None),
        ("overdue <= 5 and overdue >= 1", 5, 6, None),
        # Moved up to 6, a snapshot of 9 still alerts; moved down to 4, one of 1 is still quiet.
        ("overdue >= 5", 9, 4, ("5", "6")),
        ("overdue >= 5", 5, 1, ("5", "4")),
        ("2 * overdue >= 10", 5, 4, None),
    ],
)
def test_a_limit_is_held_from_both_sides_or_the_move_that_nobody_sees_is_named(tmp_path, when, alerting, quiet, unseen):
    found = unheld_limit(rule(tmp_path, when, days_late(alerting, alerts=True), days_late(quiet, alerts=False)), TERMS)
    assert (found and (found[0].number, found[1].to)) == unseen


def test_one_limit_that_is_held_is_enough(tmp_path):
    cases = [days_late(5, alerts=True), days_late(4, alerts=False)]
    assert unheld_limit(rule(tmp_path, "overdue >= 5 and missed <= 7", *cases), TERMS) is None


MISSES = "{day: 0, event: repayment.missed}, {day: %d, event: repayment.missed}"


@pytest.mark.parametrize(("apart", "not_apart", "is_held"), [(5, 6, True), (4, 6, False), (5, 7, False)])
def test_a_condition_without_numbers_is_held_by_its_windows(tmp_path, apart, not_apart, is_held):
    #  within 5 days, inclusive: two misses 5 days apart alert, 6 days apart do not
    cases = [
        case("apart", MISSES % apart, f"[{{day: {apart}, alert: low}}]"),
        case("more", MISSES % not_apart, "nothing"),
    ]
    made = rule(tmp_path, "again", *cases)
    assert all(run_case(made, each, TERMS).passed for each in made.tests)
    assert (unheld_limit(made, TERMS) is None) is is_held


def test_a_case_that_fails_holds_no_limit(tmp_path):
    wrong = days_late(4, alerts=True)
    found = unheld_limit(rule(tmp_path, "overdue >= 5", days_late(9, alerts=True), wrong), TERMS)
    assert found is not None


def test_every_number_of_a_condition_is_moved_by_its_last_digit(tmp_path):
    made = rule(tmp_path, "overdue >= 5 and not (missed * 0.50 < 1 or -overdue > 85%)", days_late(5, alerts=True))
    assert [(each.number, each.up.to, each.down.to) for each in limits(made)] == [
        ("5", "6", "4"), ("0.5", "0.51", "0.49"), ("1", "2", "0"), ("0.85", "0.86", "0.84"),
    ]  # fmt: skip


def test_a_live_rule_without_a_boundary_case_is_a_fault_and_a_shadow_is_not(tmp_path):
    rule(tmp_path, "overdue >= 5", days_late(9, alerts=True), days_late(1, alerts=False))
    ran = forewarn("rules", "check", tmp_path)
    assert ran.code == 1
    assert ran.out == (
        f"{tmp_path}/late.yaml:19:1 tests: expected a case just beside a limit, got none: every case passes as well "
        "when 5 in 'overdue >= 5' becomes 6; add one that this changes\n"
    )
    path = tmp_path / "late.yaml"
    path.write_text(path.read_text("utf-8").replace("status: live", "status: shadow"), "utf-8")
    assert forewarn("rules", "check", tmp_path).out == "1 rule, no faults\n"


@pytest.mark.parametrize("path", sorted((BAD / "laws").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_rule_that_breaks_a_law_gives_exactly_the_fault_on_its_first_line(path):
    ran = forewarn("rules", "check", path)
    assert ran.code == 1
    assert ran.out.replace(f"{path.parent}/", "") == path.read_text("utf-8").splitlines()[0].removeprefix("# ") + "\n"


# -- what is written for machines -------------------------------------------


@pytest.fixture
def broken(tmp_path, monkeypatch) -> Path:
    """A folder with two faults, which is called `rules` from where the command stands."""
    (tmp_path / "rules").mkdir()
    text = SAMPLE.replace("severity: high", "severity: hihg").replace("owner: early-collections\n", "")
    (tmp_path / "rules" / f"{MISSED}.yaml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return Path("rules")


FILE = f"rules/{MISSED}.yaml"
OWNER = "owner is missing: the team that answers for this rule"
SEVERITY = "expected low, medium, high or critical, got 'hihg'; did you mean 'high'?"


def test_json_has_every_fault_with_the_parts_of_its_sentence(broken):
    ran = forewarn("rules", "check", broken, "--format", "json")
    assert ran.code == 1
    assert json.loads(ran.out) == {
        "rules": 0,
        "faults": [
            {"file": FILE, "line": 1, "column": 1, "path": "file", "message": OWNER,
             "expected": "owner: the team that answers for this rule", "got": "nothing", "suggestion": None},
            {"file": FILE, "line": 19, "column": 11, "path": "severity", "message": SEVERITY,
             "expected": "low, medium, high or critical", "got": "'hihg'", "suggestion": "did you mean 'high'?"},
        ],
    }  # fmt: skip


def test_github_gets_a_command_a_fault(broken):
    ran = forewarn("rules", "check", broken, "--format", "github")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        f"::error file={FILE},line=1,col=1,title=file::{OWNER}",
        f"::error file={FILE},line=19,col=11,title=severity::{SEVERITY}",
    ]


def test_what_github_would_misread_is_escaped():
    fault = Fault("a,b:c.yaml", 1, 2, "measure.'x, y'", "100% of\nall: well")
    assert FORMATS["github"]([fault], 0) == (
        "::error file=a%2Cb%3Ac.yaml,line=1,col=2,title=measure.'x%2C y'::100%25 of%0Aall: well\n"
    )


def test_gitlab_gets_a_code_quality_report(broken):
    ran = forewarn("rules", "check", broken, "--format", "gitlab")
    assert ran.code == 1
    first, second = json.loads(ran.out)
    assert first["location"] == {"path": FILE, "lines": {"begin": 1}}
    assert second == {
        "description": f"severity: {SEVERITY}",
        "check_name": "forewarn-rules",
        "fingerprint": hashlib.sha256(f"{FILE}\0severity\0{SEVERITY}\0001".encode()).hexdigest(),
        "severity": "major",
        "location": {"path": FILE, "lines": {"begin": 19}},
    }


def test_a_fingerprint_outlives_a_move_and_is_never_given_twice():
    here, there, twin = (Fault("a.yaml", line, 1, "x", "wrong") for line in (1, 9, 12))
    (one,), (moved,) = (json.loads(FORMATS["gitlab"]([each], 0)) for each in (here, there))
    assert one["fingerprint"] == moved["fingerprint"]
    both = json.loads(FORMATS["gitlab"]([here, twin], 0))
    assert len({each["fingerprint"] for each in both}) == 2


def test_good_rules_give_empty_reports_and_exit_0(tmp_path):
    (tmp_path / f"{MISSED}.yaml").write_text(SAMPLE, "utf-8")
    said = {form: forewarn("rules", "check", tmp_path, "--quiet", "--format", form) for form in FORMATS}
    assert {ran.code for ran in said.values()} == {0}
    assert {form: ran.out for form, ran in said.items()} == {
        "json": '{\n  "rules": 1,\n  "faults": []\n}\n', "github": "", "gitlab": "[]\n"
    }  # fmt: skip


def test_a_format_that_does_not_exist_is_refused():
    assert forewarn("rules", "check", "--format", "junit").code == 2


@pytest.mark.parametrize("path", sorted(BAD.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_sentence_that_says_what_was_expected_has_it_as_a_part(path):
    message = path.read_text("utf-8").splitlines()[0].split(": ", 1)[1]
    expected, got, suggestion = sentence_of(message)
    if found := re.match(r"expected (.*), got ([^;]*)(?:; (.*))?$", message):
        assert (expected, got, suggestion) == found.groups()
    assert (suggestion is not None) == ("; " in re.sub(r"'[^']*'", "", message))


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("expected a text, got 5", ("a text", "5", None)),
        ("cannot read 'a, got b; c'; write and in place of &&", (None, None, "write and in place of &&")),
        ("expected 'x; expected y', got 'z, got w'; call it 'v'", ("'x; expected y'", "'z, got w'", "call it 'v'")),
        ("{a} is missing; the rule's say has it", ("{a}", "nothing", "the rule's say has it")),
        ("no queue named 'cares'; did you mean 'care'?", ("a queue", "'cares'", "did you mean 'care'?")),
        ("no measure named 'x' to show; there is missed", ("a measure", "'x'", "there is missed")),
    ],
)
def test_the_parts_of_a_sentence_are_cut_outside_of_quotes(message, parts):
    assert sentence_of(message) == parts
