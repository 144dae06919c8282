"""The reference of the rule language: current, whole in both languages, and every example is as good as it looks."""

import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from config.settings import load
from pipeline.events import CATALOGUE
from pipeline.shells.cases import run_case
from pipeline.shells.terms import terms_of
from rules import meanings
from rules.checks import DECIDING
from rules.conditions import parse_when, parse_where
from rules.loader import load_rule
from rules.measuring import FORMS
from rules.rule import Across, Per, Rule, Severity, Status
from rules.sidecars import load_texts
from rules.written import Ago, Days, Window

ROOT = Path(__file__).parent.parent
TERMS = terms_of(load())
FOR_PEOPLE = {"owner", "title", "why", "guide", "false_alarms", "blind_spots", "refs", "basis", "tests"}
THREE_DAYS_LATE = {
    "name": "three days late",
    "given": [
        {"day": 0, "event": "repayment.received", "amount": 1200},
        {"day": 30, "event": "loan.snapshot", "days_past_due": 3},
    ],
    "expect": [{"day": 30, "alert": "medium"}],
}


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = _loaded()
LAID = MADE.LAID
SHAPES = MADE.schemas()
IN_CHINESE = MADE.Page("zh").chinese


def examples(model: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("field", "lines"), LAID[model].items(), ids=LAID[model])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pages_are_current(lang):
    assert MADE.PAGES[lang].read_text("utf-8") == MADE.Page(lang).page(), "run `python docs/make_reference.py`"


def test_both_pages_have_the_same_sections_and_places_of_tables():
    texts = [path.read_text("utf-8") for path in MADE.PAGES.values()]
    levels, places = (
        [re.findall(form, text, re.MULTILINE) for text in texts] for form in (r"^(#+) ", r"^(<!-- .* -->)$")
    )
    assert levels[0] == levels[1] and len(levels[0]) > 10
    assert places[0] == places[1] and len(places[0]) > 30


# -- nothing is left out ----------------------------------------------------


@pytest.mark.parametrize("model", MADE.MODELS)
def test_every_field_is_described_in_chinese_and_has_an_example(model):
    fields = set(SHAPES[model]["properties"])
    assert all(shape["description"] for shape in SHAPES[model]["properties"].values())
    chinese = set(IN_CHINESE[model]) | (set(IN_CHINESE["IDS"]) if model == "Given" else set())
    assert chinese == fields, f"a line of {MADE.CHINESE.name} for each field of {model}, and no other"
    assert set(LAID[model]) == fields, f"an example in reference.yaml for each field of {model}, and no other"


@pytest.mark.parametrize("name", [*MADE.WORDS, "FACTS", "IDS"])
def test_every_word_is_explained_in_both_languages(name):
    english = getattr(meanings, name)
    assert all(english.values()) and all(IN_CHINESE[name].values())
    assert set(english) == set(IN_CHINESE[name])


def test_no_chinese_line_is_the_english_one():
    for part in IN_CHINESE.values():
        for field, text in part.items():
            assert text == "true 或 false" or re.search(r"[\u4e00-\u9fff]", text), field


def test_the_words_are_those_of_the_language():
    spreads = SHAPES["RuleFile"]["properties"]["spreads"]["items"]["enum"]
    units = {field.unit for kind in CATALOGUE.events.values() for field in kind.fields.values()}
    assert set(meanings.STATUSES) == set(get_args(Status))
    assert set(meanings.SEVERITIES) == set(get_args(Severity))
    assert set(meanings.KEYS) == set(get_args(Per))
    assert set(meanings.ACROSS) == set(get_args(Across))
    assert set(meanings.RELATIONS) == set(spreads)
    assert set(meanings.FACTS) == set(CATALOGUE.facts)
    assert units <= set(meanings.UNITS)


def test_what_a_field_takes_is_said_by_hand_of_fields_that_exist_alone():
    fields = {f"{model}.{name}" for model, shape in SHAPES.items() for name in shape["properties"]}
    assert set(MADE.TAKES) - fields == set()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_a_basis_may_name_is_all_that_decides(lang):
    (sentence,) = re.findall(r"`basis`(?: is| 的键是)[^|]*?(?=\n\n)", MADE.PAGES[lang].read_text("utf-8"))
    assert set(re.findall(r"`(\w+)`", sentence)) == {"basis", *DECIDING}


# -- every example is a good one --------------------------------------------


@examples("RuleFile")
def test_every_example_of_a_field_of_a_rule_loads(field, lines):
    assert f"{field}:" in lines
    assert isinstance(MADE.with_lines(lines), Rule)


@examples("MeasureFile")
def test_every_example_of_a_measure_loads(field, lines):
    measure = MADE.with_measure(lines).measure["example"]
    verb = next(verb for verb in FORMS if f"{{{verb}: " in lines)
    assert measure.verb == verb and f"{field}: " in lines


@pytest.mark.parametrize("fact", CATALOGUE.facts)
def test_every_fact_is_read_by_now(fact):
    assert MADE.with_measure(f"{{now: {fact}}}").measure["example"].what == fact


@examples("TaskFile")
def test_every_example_of_a_task_loads(field, lines):
    task = MADE.with_lines(f"task: {lines}").task
    assert task is not None and task.queue in load().queues and f"{field}: " in lines


def with_case(case: dict[str, Any]) -> Rule:
    return MADE.with_lines(json.dumps({"tests": [case]}))


def data(lines: str) -> Any:
    return json.loads(json.dumps(MADE.read(lines, "example").data, default=float))


@examples("CaseFile")
def test_every_example_of_a_case_loads_and_passes(field, lines):
    rule = with_case(THREE_DAYS_LATE | data(lines))
    assert [each.alert for each in run_case(rule, rule.tests[0], TERMS).got] == ["medium"] and f"{field}:" in lines


@examples("Given")
def test_every_example_of_an_event_loads_and_is_run(field, lines):
    event = data(lines)
    assert field in event
    rule = with_case(THREE_DAYS_LATE | {"given": [event], "expect": "nothing"})
    assert len(run_case(rule, rule.tests[0], TERMS).arrivals) == 1


@examples("ExpectedFile")
def test_every_example_of_an_alert_comes(field, lines):
    wanted = data(lines)
    assert field in wanted
    case = THREE_DAYS_LATE | {
        "given": [*THREE_DAYS_LATE["given"], {"day": 32, "event": "repayment.received", "amount": 1}],
        "expect": [wanted],
    }
    rule = with_case(case)
    got = run_case(rule, rule.tests[0], TERMS).got
    (want,) = rule.tests[0].expect
    assert [(each.day, each.alert, each.say if want.say else None) for each in got].count(
        (want.day, want.alert, want.say)
    ) == 1


def test_the_texts_in_the_second_language_are_those_of_the_rule(tmp_path):
    file = tmp_path / "missed-and-silent.yaml"
    file.write_text(MADE.BASE.read_text("utf-8"), "utf-8")
    (tmp_path / "missed-and-silent.zh.yaml").write_text("\n".join(LAID["TextsFile"].values()), "utf-8")
    texts = load_texts(load_rule(file, CATALOGUE), "zh")
    assert texts is not None and "{overdue}" in texts.say


@pytest.mark.parametrize(("text", "en", "zh"), LAID["conditions"])
def test_every_condition_is_read(text, en, zh):
    assert parse_when(text, MADE.SORTS | {"macro.unemployment": "number"}) and en and zh


@pytest.mark.parametrize(("text", "en", "zh"), LAID["wheres"])
def test_every_where_is_read(text, en, zh):
    assert parse_where(text, CATALOGUE.events["account.debit"]) and en and zh


def test_a_condition_that_is_good_cannot_stand_among_the_refused():
    with pytest.raises(ValueError, match="got a good one"):
        MADE.sentence_of("missed >= 2")
    assert "write == in place of =" in MADE.sentence_of("missed = 2")


# -- what counts, and how far times go --------------------------------------


def test_every_field_counts_but_those_that_tell_people_something():
    said = {field: MADE.version_of(field) for field in LAID["RuleFile"]}
    assert {field for field, word in said.items() if word == "absent"} == FOR_PEOPLE
    assert {field for field, word in said.items() if word == "ends"} == {"measure", "per", "status"}


def test_every_field_of_a_measure_and_of_a_task_counts_and_none_of_a_case():
    of_measures = [MADE.with_measure(lines).hash for lines in LAID["MeasureFile"].values()]
    of_tasks = [MADE.with_lines(f"task: {lines}").hash for lines in LAID["TaskFile"].values()]
    assert len(set(of_measures)) == len(of_measures) and len(set(of_tasks)) == len(of_tasks)
    base = MADE.base()
    assert with_case(THREE_DAYS_LATE).hash == base.hash
    changed = {
        "over": replace(base.measure["silent"], over=MADE.Span(90, "d")),
        "of": replace(base.measure["silent"], of_borrower=True),
        "across": replace(base.measure["silent"], across="sum"),
        "within": replace(base.measure["silent"], within=MADE.Span(90, "d")),
        "ending": replace(base.measure["silent"], ending=MADE.Span(9, "d")),
    }
    hashes = {MADE.rule_hash(replace(base, measure={"silent": each})) for each in changed.values()}
    assert len(hashes | {MADE.rule_hash(replace(base, measure={"silent": base.measure["silent"]}))}) == 6


def _is(form: Any, text: str) -> bool:
    try:
        TypeAdapter(form).validate_python(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_times_go_as_far_as_the_table_says_and_no_further(lang):
    forms = {"`over`": Window, "`for`": Days, "`ending`": Ago}
    rows = [line.split(" | ") for line in MADE.Page(lang).tables()["times"].splitlines()[2:]]
    assert len(rows) == 7
    for form, least, most, where in rows:
        shape = next(each for name, each in forms.items() if name in where)
        ends = [each.strip("`| ") for each in (form, least, most)]
        assert all(_is(shape, each) for each in ends), ends
        below, above = (
            re.sub(r"\d+", lambda found: str(int(found[0]) + step), each)  # noqa: B023
            for each, step in ((ends[1], -1), (ends[2], 1))
        )
        assert not _is(shape, below) and not _is(shape, above), ends


# -- in an editor -----------------------------------------------------------


def test_an_editor_tells_what_a_word_means(editor, tmp_path):
    text = MADE.BASE.read_text("utf-8")
    path = tmp_path / "hover.yaml"
    path.write_text(text, "utf-8")
    assert editor.marks(path) == []

    def hover(part: str) -> str:
        before = text[: text.index(part)]
        found: str = editor.hover(path, before.count("\n") + 1, len(before) - before.rfind("\n") + 1)
        return found

    assert meanings.STATUSES["shadow"] in hover("status: live")
    assert meanings.KEYS["account_id"] in hover("per: loan_id")
    assert meanings.FACTS["days_past_due"] in hover("now: days_past_due")
