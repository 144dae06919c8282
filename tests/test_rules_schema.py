"""The JSON Schema of rule files: current, true of every good file, and of use in an editor."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from pipeline.shells.rule_schema import RULE, TEXTS, texts
from rules.language import CaseFile, ExpectedFile, MeasureFile, RuleFile, TaskFile
from rules.yaml_text import read
from tests.arrival_logs import forewarn

ROOT = Path(__file__).parent.parent
SCHEMAS = ROOT / "docs" / "schemas"
SHELF = ROOT / "rules" / "shelf"
BAD = Path(__file__).parent / "bad"
SAMPLE = (SHELF / "samples" / "second-missed-instalment.yaml").read_text("utf-8")


def schema(name: str = RULE) -> dict[str, Any]:
    return dict(json.loads((SCHEMAS / name).read_text("utf-8")))


def faults(text: str, name: str = RULE) -> list[str]:
    return [each.json_path for each in Draft7Validator(schema(name)).iter_errors(read(text, "f.yaml").data)]


@pytest.mark.parametrize("name", [RULE, TEXTS])
def test_the_schemas_in_the_docs_are_current(name):
    assert (SCHEMAS / name).read_text("utf-8") == texts()[name], "run `python -m pipeline.shells.rule_schema`"
    Draft7Validator.check_schema(schema(name))


def test_the_command_prints_them():
    assert forewarn("rules", "schema").out == texts()[RULE]
    assert forewarn("rules", "schema", "--texts").out == texts()[TEXTS]


@pytest.mark.parametrize("path", sorted(SHELF.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_file_is_as_the_schema_says(path):
    assert faults(path.read_text("utf-8"), TEXTS if path.name.endswith(".zh.yaml") else RULE) == []


def test_every_field_is_described_for_the_one_who_hovers_over_it():
    definitions = schema()["$defs"]
    for model in (RuleFile, MeasureFile, CaseFile, ExpectedFile, TaskFile):
        shape = schema() if model is RuleFile else definitions[model.__name__]
        assert set(shape["properties"]) == {field.alias or name for name, field in model.model_fields.items()}
        for name, field in shape["properties"].items():
            assert field.get("description"), (model.__name__, name)


def test_no_field_stands_open_to_anything():
    assert list(_shapeless(schema())) == []


def _shapeless(node: Any, path: str = "") -> Iterator[str]:
    """The properties that say nothing of their value."""
    if isinstance(node, list):
        for i, each in enumerate(node):
            yield from _shapeless(each, f"{path}[{i}]")
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        if name == "properties" and path.rsplit(".", 1)[-1] != "properties":
            says = ("type", "enum", "const", "anyOf", "$ref", "pattern")
            yield from (f"{path}.{each}" for each, shape in value.items()
                        if isinstance(shape, dict) and not any(word in shape for word in says))  # fmt: skip
        yield from _shapeless(value, f"{path}.{name}")


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("severity: high", "severity: hihg", "$.severity"),
        ("over: 60d", "over: two months", "$.measure.missed.over"),
        ("over: 60d", "ovr: 60d", "$.measure.missed"),
        ("count: repayment.missed", "count: repayment.mised", "$.measure.missed.count"),
        ("count: repayment.missed, over: 60d", "count: repayment.missed", "$.measure.missed"),
        ("count: repayment.missed, over", "count: repayment.missed, within: 9d, over", "$.measure.missed"),
        ("count: repayment.missed, over", "sum: amuont, from: repayment.received, over", "$.measure.missed.sum"),
        ("now: days_past_due", "now: days_pastdue", "$.measure.overdue.now"),
        ("title: A second", "title: A 2nd", "$.title"),
        ("since: 2025-03-01", "since: March", "$.since"),
        ("per: loan_id", "per: loan", "$.per"),
        ("escalate: {critical:", "escalate: {worst:", "$.escalate"),
        ("queue: early-collections, ", "", "$.task"),
        ("basis: {when: policy, escalate: policy}", "", "$"),
        ("status: live", "status: retired", "$"),
    ],
)
def test_a_mistake_is_one_where_it_stands(old, new, path):
    assert SAMPLE.count(old) == 1
    assert path in faults(SAMPLE.replace(old, new))


@pytest.mark.parametrize("good", ["macro.unemployment", "days_past_due"])
def test_a_fact_or_a_figure_is_allowed(good):
    assert faults(SAMPLE.replace("now: days_past_due", f"now: {good}")) == []


# -- in an editor -----------------------------------------------------------


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_good_rule_has_no_marks_in_an_editor(editor, tmp_path):
    assert editor.marks(written(tmp_path, "good", SAMPLE)) == []


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n")


def test_an_editor_marks_each_mistake_on_its_line(editor, tmp_path):
    text = SAMPLE
    for old, new in (
        ("severity: high", "severity: hihg"),
        ("quiet: 14d", "quite: 14d"),
        ("over: 60d", "over: two months"),
        ("now: days_past_due", "now: days_pastdue"),
        ("owner: early-collections\n", ""),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    text = text.replace("days_past_due: 5}", "days_pastdue: 5}", 1)
    marks = {(each["range"]["start"]["line"], each["message"]) for each in editor.marks(written(tmp_path, "bad", text))}
    wanted = {
        (0, 'Missing property "owner".'),
        (line_of(text, "two months"), 'String does not match the pattern of "^([1-9][0-9]{0,4})([hdw])$".'),
        (line_of(text, "hihg"), 'Value is not accepted. Valid values: "low", "medium", "high", "critical".'),
        (line_of(text, "quite"), "Property quite is not allowed."),
        (line_of(text, "days_pastdue: 5"), "Property days_pastdue is not allowed."),
    }
    assert wanted <= marks
    (of_fact,) = {(line, message[:22]) for line, message in marks - wanted}
    assert of_fact == (line_of(text, "now: days_pastdue"), "Value is not accepted.")


def test_an_editor_marks_texts_in_the_second_language(editor, tmp_path):
    text = (SHELF / "samples" / "second-missed-instalment.zh.yaml").read_text("utf-8")
    assert editor.marks(written(tmp_path, "good.zh", text)) == []
    marks = editor.marks(written(tmp_path, "bad.zh", text.replace("guide:", "giude:")))
    assert {each["message"] for each in marks} == {"Property giude is not allowed.", 'Missing property "guide".'}


# The cursor stands at the bar.
@pytest.mark.parametrize(
    ("name", "text", "offered"),
    [
        ("field", "rule: x\n|\n", {"title", "for", "when", "measure", "clear_after"}),
        ("severity", "severity: |\n", {"low", "medium", "high", "critical"}),
        ("verb", "measure:\n  a:\n    |\n", {"count", "days_since", "from", "over", "across"}),
        ("event", "measure:\n  a:\n    count: |\n", {"repayment.missed", "account.debit"}),
        ("fact", "measure:\n  a:\n    now: |\n", {"days_past_due", "arrears", "macro.unemployment"}),
        ("escalate", "escalate:\n  |\n", {"medium", "high", "critical"}),
        ("queue", "task:\n  queue: |\n", {"early-collections"}),
        ("tie", "spreads:\n  - |\n", {"guaranteed", "group"}),
        ("field-of-an-event",
         "tests:\n  - name: x\n    given:\n      - day: 0\n        event: repayment.received\n        |\n",
         {"amount", "kind", "channel"}),
    ],
)  # fmt: skip
def test_an_editor_offers_what_may_stand_there(editor, tmp_path, name, text, offered):
    line, column = text[: text.index("|")].count("\n") + 1, text.index("|") - text.rfind("\n", 0, text.index("|"))
    path = written(tmp_path, name, text.replace("|", ""))
    editor.open(path)
    assert offered <= set(editor.completions(path, line, column))


def test_an_editor_tells_what_a_field_means(editor, tmp_path):
    path = written(tmp_path, "hover", SAMPLE)
    editor.open(path)
    assert "the team that answers for this rule" in editor.hover(path, line_of(SAMPLE, "owner:") + 1, 2)
    assert "how long the condition must stay true" in editor.hover(path, line_of(SAMPLE, "\nfor:") + 2, 2)
