import json

import jsonschema
import pytest
import yaml

from pipeline.events import TOPICS
from pipeline.examples import EXAMPLES
from pipeline.schema import ASYNCAPI, FOLDER, JSON_SCHEMA, asyncapi, json_schema, texts, write

VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def test_the_files_in_docs_are_current():
    for name, text in texts().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"{name}: run `python -m pipeline.schema`"


def test_what_is_written_is_what_the_texts_say(tmp_path):
    assert {path.name for path in write(tmp_path / "new")} == {JSON_SCHEMA, ASYNCAPI}
    assert json.loads((tmp_path / "new" / JSON_SCHEMA).read_text(encoding="utf-8")) == json_schema()
    assert yaml.safe_load((tmp_path / "new" / ASYNCAPI).read_text(encoding="utf-8")) == asyncapi()


def test_the_json_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_good_event_of_every_type_satisfies_the_schema(name):
    VALIDATOR.validate(EXAMPLES[name])


def test_an_unknown_field_is_no_fault_of_an_event():
    VALIDATOR.validate(EXAMPLES["repayment.due"] | {"teller": "T-9"})


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("repayment.due", {"amount_minor": 123.45}),
        ("repayment.due", {"amount_minor": "12345"}),
        ("repayment.due", {"amount_minor": 0}),
        ("repayment.due", {"loan_id": "L/4"}),
        ("repayment.due", {"borrower_id": "B" * 65}),
        ("repayment.due", {"currency": "XYZ"}),
        ("repayment.due", {"source": "core\tbank"}),
        ("repayment.due", {"type": "repayment.du"}),
        ("repayment.received", {"kind": "ful"}),
        ("loan.disbursed", {"schedule": [{"instalment": 0}]}),
        ("model.payment_stress", {"score_ppm": 1000001}),
        ("model.payment_stress", {"type": "model"}),
        ("day.ended", {"feeds": {"acount": "missing"}}),
        ("fx.published", {"rates": {"USX": 7250000}}),
    ],
)
def test_a_bad_event_does_not_satisfy_the_schema(name, wrong):
    assert not VALIDATOR.is_valid(EXAMPLES[name] | wrong)


@pytest.mark.parametrize("field", ["id", "source", "at", "borrower_id", "type", "loan_id"])
def test_an_event_without_a_required_field_does_not_satisfy_the_schema(field):
    assert not VALIDATOR.is_valid({key: value for key, value in EXAMPLES["repayment.due"].items() if key != field})


def test_every_topic_is_a_channel_with_all_its_messages():
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert set(document["channels"]) == {*TOPICS, "alerts", "collection-tasks", "dead-letters"}
    for topic, classes in TOPICS.items():
        assert set(document["channels"][topic]["messages"]) == {each.__name__ for each in classes}


def test_every_reference_in_the_asyncapi_document_leads_somewhere():
    document = asyncapi()
    references = list(references_in(document))
    assert len(references) > 150
    for reference in references:
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_the_alert_of_the_worked_example_satisfies_the_schema_of_its_topic():
    alert = {
        "id": "missed-and-silent/L4/1/opened",
        "episode": "missed-and-silent/L4/1",
        "rule": "missed-and-silent",
        "rule_version": 3,
        "shelf": "9c1e..",
        "borrower_id": "B17",
        "loan_id": "L4",
        "transition": "opened",
        "severity": "medium",
        "at": "2025-03-08T23:59:59.999+08:00",
        "business_date": "2025-03-08",
        "say": "3 days late, nothing heard for 10 days",
        "evidence": {"overdue": {"value": 3, "truth": "true"}, "silent": {"value": 10, "over": "30d", "known": "all"}},
        "cause": {"type": "day.ended", "date": "2025-03-08"},
    }
    schema = {"$ref": "#/components/schemas/Alert", "components": asyncapi()["components"]}
    jsonschema.Draft202012Validator(schema).validate(alert)
    assert not jsonschema.Draft202012Validator(schema).is_valid(alert | {"transition": "open"})


def references_in(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from references_in(value)
