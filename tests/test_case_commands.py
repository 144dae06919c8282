"""Cases on the command line: a failed one as a timeline, JUnit XML, and new rules."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from config.settings import load
from pipeline.events import CATALOGUE
from pipeline.shells.case_texts import WORDS
from pipeline.shells.case_timeline import WHEN, timeline
from pipeline.shells.cases import run_case
from pipeline.shells.new_rule import text_like, text_of_blank
from pipeline.shells.terms import terms_of
from rules.loader import load_rule, load_shelf
from tests.arrival_logs import COUNTS_MISSES, RULE, Told, forewarn, shelf

SHIPPED = Path(__file__).parents[1] / "rules" / "shelf"
TERMS = terms_of(load())
MISS: Told = {"event": "repayment.missed"}
LATE: Told = {
    "per": "loan_id",
    "measure": {"missed": {"count": "repayment.missed", "over": "60d"}, "overdue": {"now": "days_past_due"}},
    "when": "missed >= 1 and overdue >= 3",
    "for": "2d",
    "severity": "medium",
    "escalate": {"high": "overdue >= 5"},
    "say": "{missed} missed",
}


def case(*given: Told, expect: Any = "nothing", **own: Any) -> Told:
    return {"name": "a case", "given": list(given), "expect": expect} | own


def story_of(tmp_path: Path, the_case: Told, **own: Any) -> Any:
    rules = shelf(tmp_path / "rules", late=LATE | {"tests": [the_case]} | own)
    (rule,) = load_shelf([rules], CATALOGUE).rules
    return timeline(run_case(rule, rule.tests[0], TERMS), TERMS)


def rows(story: Any) -> list[tuple[int, str | None, Any, Any, list[str]]]:
    return [
        (row.day, row.given and row.given["event"], row.truths[WHEN], row.truths["high"], [a.alert for a in row.got])
        for row in story.rows
    ]


# -- the timeline -----------------------------------------------------------


def test_a_timeline_tells_events_truths_and_what_came_and_leaves_out_days_on_which_nothing_moves(tmp_path):
    #  missed 0; 1 day past due on day 1, so 3 on day 3 (true), 5 on day 5 (high, and two days true: opened)
    given = [{"day": 0} | MISS, {"day": 1, "event": "loan.snapshot", "days_past_due": 1}]
    story = story_of(tmp_path, case(*given, expect=[{"day": 6, "alert": "high"}]))
    assert rows(story) == [
        (0, "repayment.missed", None, None, []),  # days past due are not known yet
        (1, "loan.snapshot", False, False, []),
        (3, None, True, False, []),
        (5, None, True, True, ["high"]),
        (6, None, True, True, []),  # an alert is expected here
    ]
    assert story.rows[0].worth["missed"] == (1, False) and story.rows[0].worth["overdue"] == (None, False)
    assert [story.is_as_expected(day) for day in (1, 5, 6)] == [True, False, False]


def test_a_timeline_says_of_a_window_known_in_part_what_is_there_at_least(tmp_path):
    story = story_of(tmp_path, case({"day": 9} | MISS, known_from={"repayment": 5}))
    assert story.rows[0].worth["missed"] == (1, True)


def test_a_timeline_shows_the_days_without_a_feed(tmp_path):
    given = [{"day": 0} | MISS, {"day": 1, "event": "loan.snapshot", "days_past_due": 3}]
    story = story_of(tmp_path, case(*given, missing={"repayment": [2]}, expect=[{"day": 4, "alert": "high"}]))
    assert [(row.day, row.missing, row.truths[WHEN]) for row in story.rows] == [
        (0, (), None),
        (1, (), True),
        (2, ("repayment",), None),
        (3, (), True),
        (4, (), True),
    ]


def test_a_timeline_shows_a_missing_feed_that_changes_nothing(tmp_path):
    given = [{"day": 0} | MISS, {"day": 0, "event": "loan.snapshot", "days_past_due": 0}]
    story = story_of(tmp_path, case(*given, missing={"account": [1]}, expect=[{"day": 5, "alert": "high"}]))
    assert [(row.day, row.missing) for row in story.rows if row.day in (1, 2)] == [(1, ("account",)), (2, ())]


def test_a_timeline_of_two_loans_has_a_row_for_each(tmp_path):
    given = [{"day": 0, "loan_id": name} | MISS for name in ("A", "B")]
    story = story_of(tmp_path, case(*given, expect=[{"day": 1, "alert": "medium"}]))
    assert [(row.day, row.key) for row in story.rows] == [(0, "A"), (0, "B"), (1, "A"), (1, "B"), (2, "A"), (2, "B")]


def test_the_closing_with_its_loan_is_in_the_timeline(tmp_path):
    given = [
        {"day": 0} | MISS,
        {"day": 0, "event": "loan.snapshot", "days_past_due": 5},
        {"day": 4, "event": "loan.closed"},
    ]
    story = story_of(tmp_path, case(*given))
    assert [(row.day, [each.alert for each in row.got]) for row in story.rows if row.got] == [
        (2, ["high"]),
        (4, ["closed"]),
    ]


@pytest.mark.parametrize("rule", load_shelf([SHIPPED], CATALOGUE).rules, ids=lambda rule: rule.rule)
def test_a_timeline_of_a_case_that_passes_has_all_its_alerts_and_no_day_at_fault(rule):
    for each in rule.tests:
        outcome = run_case(rule, each, TERMS)
        story = timeline(outcome, TERMS)
        assert [alert for row in story.rows for alert in row.got] == list(outcome.got)
        assert all(story.is_as_expected(row.day) for row in story.rows)


WRONG = case(
    {"day": 0} | MISS, {"day": 1, "event": "loan.snapshot", "days_past_due": 1}, expect=[{"day": 6, "alert": "high"}]
)


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("what happened", "the day ends", "unknown")), ("zh", ("发生的事", "日终", "未知"))]
)
def test_a_failed_case_is_shown_day_by_day_in_a_hundred_columns(tmp_path, lang, words):
    rules = shelf(tmp_path / "r", late=LATE | {"tests": [WRONG]})
    ran = forewarn("rules", "test", rules, "--lang", lang)
    assert ran.code == 1 and set(words) <= set(re.split(r"\s{2,}|[;，,] ?", ran.out)) | {
        w for w in words if w in ran.out
    }
    table = ran.out.splitlines()[1:]  # the first line holds the path, which may be as long as it likes
    assert max(map(_columns, table)) <= 100
    assert sum("✗" in line for line in table) == 2  # what came on day 5, and what did not on day 6


def _columns(line: str) -> int:
    return sum(2 if "\u2e80" <= each <= "\uffef" else 1 for each in line)


def test_every_sentence_around_cases_is_in_both_languages_with_the_same_slots():
    def slots(texts: dict[str, str]) -> dict[str, set[str]]:
        return {name: set(re.findall(r"\{(\w+)", text)) for name, text in texts.items()}

    assert slots(WORDS["en"]) == slots(WORDS["zh"])


def test_the_right_alert_with_other_words_is_told_with_both(tmp_path):
    expect = [{"day": 5, "alert": "high", "say": "2 missed"}]
    rules = shelf(tmp_path / "rules", late=LATE | {"tests": [WRONG | {"expect": expect}]})
    ran = forewarn("rules", "test", rules)
    assert ran.code == 1 and "day 5: expected to say '2 missed', got '1 missed'" in ran.out


# -- JUnit XML --------------------------------------------------------------


def read(path: Path) -> ElementTree.Element:
    assert path.read_bytes().startswith(b"<?xml")
    return ElementTree.parse(path).getroot()


def test_junit_has_a_suite_a_rule_and_a_test_a_case_with_place_and_timeline(tmp_path):
    fine = case({"day": 0} | MISS, name="stays quiet")
    rules = shelf(
        tmp_path / "rules",
        late=LATE | {"tests": [WRONG, fine]},
        other=COUNTS_MISSES | {"tests": [case({"day": 0, "event": "external.inquiry"})]},
    )
    out = tmp_path / "new" / "results.xml"
    assert forewarn("rules", "test", rules, "--junit", out, "--quiet").code == 1
    root = read(out)
    assert (root.tag, root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == (
        "testsuites",
        "3",
        "1",
        "0",
    )
    assert [(suite.attrib["name"], suite.attrib["tests"], suite.attrib["failures"]) for suite in root] == [
        ("late", "2", "1"), ("other", "1", "0"),
    ]  # fmt: skip
    failed, passed = root[0]
    assert (failed.attrib["classname"], failed.attrib["name"], failed.attrib["line"]) == ("late", "a case", "1")
    assert failed.attrib["file"].endswith("late.yaml") and len(passed) == 0
    (failure,) = failed
    assert failure.attrib["message"] == "expected day 6 high; got day 5 high '1 missed'"
    assert failure.text is not None and "repayment.missed" in failure.text and "✗" in failure.text


def test_junit_tells_unnoticed_moves_and_fails_by_them_only_when_that_is_asked_for(tmp_path):
    rules = shelf(tmp_path / "rules", other=COUNTS_MISSES | {"tests": [case({"day": 0, "event": "external.inquiry"})]})
    out = tmp_path / "results.xml"
    forewarn("rules", "test", rules, "--junit", out, "--nudge")
    test = read(out)[0][1]
    assert test.attrib["name"] == "--nudge" and [each.tag for each in test] == ["system-out"]
    assert "missed >= 1 -> missed > 1" in (test[0].text or "")
    assert forewarn("rules", "test", rules, "--junit", out, "--nudge", "--strict").code == 1
    assert [each.tag for each in read(out)[0][1]] == ["failure"]


def test_a_name_with_signs_that_xml_has_no_place_for_is_still_xml(tmp_path):
    rules = shelf(
        tmp_path / "rules",
        other=COUNTS_MISSES | {"tests": [case({"day": 0} | MISS, name='<&"> \x01 迟到', expect="nothing")]},
    )
    out = tmp_path / "results.xml"
    forewarn("rules", "test", rules, "--junit", out, "--quiet")
    assert read(out)[0][0].attrib["name"] == '<&"> \ufffd 迟到'


def test_junit_never_takes_the_place_of_a_rule(tmp_path):
    rules = shelf(tmp_path / "rules", other=COUNTS_MISSES)
    ran = forewarn("rules", "test", rules, "--junit", rules / "other.yaml")
    assert ran.code == 2 and "change --junit" in ran.err
    assert json.loads((rules / "other.yaml").read_text())["rule"] == "other"
    ran = forewarn("rules", "test", rules, "--junit", rules)
    assert ran.code == 2 and "--junit" in ran.err


# -- new rules --------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_new_rule_names_its_blanks_and_is_whole_once_they_are_filled(tmp_path, lang):
    made = forewarn("rules", "new", "late-twice", tmp_path / "pack", "--lang", lang)
    path = tmp_path / "pack" / "late-twice.yaml"
    assert made.code == 0 and str(path) in made.out
    ran = forewarn("rules", "check", path)
    assert [line.split(" ", 1)[1] for line in ran.out.splitlines()] == [
        f"{name}: expected a text, got nothing"
        for name in ("title", "owner", "why", "guide[0]", "false_alarms[0]", "blind_spots[0]")
    ]
    text = re.sub(r"^(title|owner|why):  .*", r"\1: written", path.read_text("utf-8"), flags=re.MULTILINE)
    path.write_text(re.sub(r"^  -  .*", "  - Written.", text, flags=re.MULTILINE), "utf-8")
    assert forewarn("rules", "check", path).code == 0
    ran = forewarn("rules", "test", "--nudge", "--strict", path)
    assert ran.code == 0 and "10 noticed by a case, 0 not" in ran.out


def test_a_new_rule_begins_today_in_the_zone_of_the_bank():
    assert "\nsince: 2025-03-01\n" in text_of_blank("late-twice", date(2025, 3, 1), "en")


@pytest.mark.parametrize("rule", load_shelf([SHIPPED], CATALOGUE).rules, ids=lambda rule: rule.rule)
def test_a_rule_like_any_shipped_one_is_a_draft_with_its_decisions_and_cases(rule, tmp_path):
    text = text_like(rule.rule, "another", tmp_path, date(2025, 3, 1))
    (tmp_path / "another.yaml").write_text(text, "utf-8")
    draft = load_rule(tmp_path / "another.yaml", CATALOGUE)
    assert (draft.rule, draft.status, draft.since) == ("another", "draft", "2025-03-01")
    assert (draft.when, draft.escalate, draft.measure) == (rule.when, rule.escalate, rule.measure)
    assert [each.expect for each in draft.tests] == [each.expect for each in rule.tests]


def test_a_challenger_is_like_the_rule_that_it_challenges(tmp_path):
    assert forewarn("rules", "new", "salary-stopped.next", tmp_path).code == 0
    rule = load_rule(tmp_path / "salary-stopped.next.yaml", CATALOGUE)
    assert (rule.challenges, rule.status) == ("salary-stopped", "draft")


def test_a_draft_like_a_retired_rule_is_not_retired(tmp_path):
    own = "\n".join(
        f"{name}: {json.dumps(value)}"
        for name, value in (RULE | COUNTS_MISSES | {"rule": "gone", "status": "retired"}).items()
    )
    (tmp_path / "gone.yaml").write_text(f"{own}\nretired_because: >\n  Nobody\n  needs it.\n", "utf-8", newline="\r\n")
    assert forewarn("rules", "new", "again", tmp_path, "--like", "gone").code == 0
    rule = load_rule(tmp_path / "again.yaml", CATALOGUE)
    assert (rule.status, rule.retired_because) == ("draft", None)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["迟到"], "NAME: expected at most 64 small letters"),
        (["Late Twice"], "NAME: expected at most 64 small letters"),
        (["../late"], "NAME: expected at most 64 small letters"),
        (["late\ttwice"], "NAME: expected at most 64 small letters"),
        (["salary-stopped"], "salary-stopped: expected a new name, got that of"),
        (["late-twice", "--like", "salary-stoped"], "--like: no rule named 'salary-stoped'; did you mean"),
        (["nobody.next"], "--like: no rule named 'nobody'"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(tmp_path, words, sentence):
    ran = forewarn("rules", "new", words[0], tmp_path, *words[1:])
    assert ran.code == 2 and ran.err.startswith(sentence)
    assert list(tmp_path.iterdir()) == []


def test_a_rule_of_the_folder_is_never_written_over(tmp_path):
    rules = shelf(tmp_path / "rules" / "pack", late=COUNTS_MISSES)
    before = (rules / "late.yaml").read_bytes()
    assert forewarn("rules", "new", "late", tmp_path / "rules").code == 2
    assert forewarn("rules", "new", "other", rules / "late.yaml").code == 2
    assert (rules / "late.yaml").read_bytes() == before


def test_a_rule_in_another_form_is_no_model_for_a_draft(tmp_path):
    shelf(tmp_path, flow=COUNTS_MISSES)  # one line of JSON
    ran = forewarn("rules", "new", "late", tmp_path, "--like", "flow")
    assert ran.code == 2 and ran.err.startswith("--like: expected a rule with one field a line")
