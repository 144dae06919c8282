"""The JSON Schema of rule files, for editors: completion, hover and marks while an analyst writes.

It says what can be said of one place at a time. What conditions mean, and what fields mean together, is left to
`rules check`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from rules.cases import LAST_DAY
from rules.catalogue import Catalogue, Kind, Unit
from rules.checks import LONGEST_NAME, NAME
from rules.language import RuleFile, TextsFile
from rules.meanings import ACROSS, FACTS, KEYS, RELATIONS, SEVERITIES, STATUSES, UNITS
from rules.meanings import IDS as ABOUT_IDS
from rules.measuring import FORMS, NUMERIC, OPTIONS
from rules.rule import Severity

Schema = dict[str, Any]

_DRAFT = "http://json-schema.org/draft-07/schema#"
_MODEL = r"model\.[a-z][a-z0-9_]*"
_MACRO = r"macro\.[a-z][a-z0-9_]*"
_MEASURE_NAME = "^[a-z][a-z0-9_]*$"
_ID = "^[A-Za-z0-9._:-]{1,128}$"

_TYPES: dict[Unit, Any] = {
    "amount": "number", "share": "number", "days": "integer", "count": "integer", "number": "integer", "text": "string",
    "date": ["integer", "string"], "flag": "boolean",
}  # fmt: skip
_UNITS = {unit: {"type": type_, "description": UNITS[unit]} for unit, type_ in _TYPES.items()}


def rule_schema(catalogue: Catalogue, queues: Iterable[str]) -> Schema:
    """The schema of `<rule>.yaml`; queues are offered, and others allowed, as a bank has its own."""
    schema = _of_model(RuleFile, "A rule of Forewarn")
    definitions, fields = schema["$defs"], schema["properties"]
    _change_measure(definitions["MeasureFile"], catalogue)
    _change_case(definitions["CaseFile"], catalogue)
    definitions["Given"] = _given(catalogue)
    definitions["TaskFile"]["properties"]["queue"]["examples"] = sorted(queues)
    definitions["TaskFile"]["properties"]["action"]["examples"] = ["message", "call", "letter", "visit", "review"]
    fields["rule"] |= {"pattern": f"^{NAME.pattern}$", "maxLength": LONGEST_NAME}
    fields["measure"]["propertyNames"] = {"pattern": _MEASURE_NAME}
    for name, meanings in (("status", STATUSES), ("per", KEYS), ("severity", SEVERITIES)):
        _tell(fields[name], meanings)
    _tell(fields["spreads"]["items"], RELATIONS)
    # Written out, as an editor completes properties and no names of properties.
    fields["escalate"]["properties"] = {severity: {"type": "string"} for severity in get_args(Severity)}
    fields["escalate"]["additionalProperties"] = False
    fields["task"] = {
        "description": fields["task"]["description"],
        "anyOf": [{"const": "none"}, {"$ref": "#/$defs/TaskFile"}],
    }
    for name in ("for", "quiet", "clear_after"):
        fields[name]["default"] = "0d"
    schema["allOf"] = [_when_status("live", "basis"), _when_status("retired", "retired_because")]
    return schema


def texts_schema() -> Schema:
    """The schema of `<rule>.zh.yaml`."""
    return _of_model(TextsFile, "The texts of a rule in a second language")


def _of_model(model: type[BaseModel], title: str) -> Schema:
    found: Schema = _plain(model.model_json_schema(by_alias=True))
    return {"$schema": _DRAFT, "title": title} | found | {"description": model.__doc__}


def _plain(node: Any) -> Any:
    """A schema without the names that pydantic makes up, the null that a file never says, and defaults of null."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if not _is_noise(key, value)}
    branches = [each for each in kept.get("anyOf", ()) if each != {"type": "null"}]
    if "anyOf" in kept and len(branches) == 1:
        kept = {key: value for key, value in kept.items() if key != "anyOf"} | branches[0]
    return {key: _plain(value) for key, value in kept.items()}


def _is_noise(key: str, value: Any) -> bool:
    # A field may itself be called title; then its value is a schema and no text.
    return (key == "title" and isinstance(value, str)) or (key == "default" and value in (None, 0, [], {}))


def _tell(words: Schema, meanings: Mapping[str, str]) -> Schema:
    """The words that may stand somewhere, each with what it means, as editors show it."""
    words["enumDescriptions"] = [meanings.get(each, "") for each in words["enum"]]
    return words


def _when_status(status: str, needs: str) -> Schema:
    return {
        "if": {"properties": {"status": {"const": status}}, "required": ["status"]},
        "then": {"required": [needs]},
    }


# -- measures ---------------------------------------------------------------


def _change_measure(measure: Schema, catalogue: Catalogue) -> None:
    fields = measure["properties"]
    selector = _selector(catalogue)
    for name in ("count", "days_since", "from"):
        fields[name] |= selector
    fields["sequence"] |= {"items": selector, "minItems": 2}
    kinds = [*catalogue.events.values(), catalogue.model]
    numeric = {name for kind in kinds for name, field in kind.fields.items() if field.unit in NUMERIC}
    for verb in ("sum", "average", "min", "max", "latest"):
        fields[verb]["enum"] = sorted(numeric)
    fields["distinct"]["enum"] = sorted({name for kind in kinds for name in kind.fields})
    fields["now"] |= {
        "anyOf": [_tell({"enum": sorted(catalogue.facts)}, FACTS), {"pattern": f"^{_MACRO}$"}],
        "examples": ["macro.unemployment"],
    }
    _tell(fields["across"], ACROSS)
    measure["oneOf"] = [{"required": [verb]} for verb in FORMS]
    measure["allOf"] = [
        {
            "if": {"required": [verb]},
            "then": {
                "required": list(form.needs),
                "properties": {option: False for option in OPTIONS if option not in form.needs + form.may},
            },
        }
        for verb, form in FORMS.items()
    ]


def _selector(catalogue: Catalogue) -> Schema:
    names = sorted(catalogue.events)
    events = "|".join(re.escape(name) for name in names)
    return {
        "pattern": rf"^\s*({events}|{_MODEL})(\s+where\s[\s\S]*)?\s*$",
        "patternErrorMessage": "expected an event such as repayment.missed, perhaps with: where amount >= 200",
        "examples": names,
    }


# -- cases ------------------------------------------------------------------


def _change_case(case: Schema, catalogue: Catalogue) -> None:
    fields = case["properties"]
    fields["given"]["items"] = {"$ref": "#/$defs/Given"}
    alerts = fields["expect"] | {"minItems": 1}
    about = alerts.pop("description")
    fields["expect"] = {"description": about, "anyOf": [{"const": "nothing"}, alerts]}
    feeds = sorted({kind.feed for kind in catalogue.events.values()})
    for name in ("missing", "known_from"):
        fields[name]["propertyNames"] = {"anyOf": [{"enum": feeds}, {"pattern": f"^{_MODEL}$"}]}


def _given(catalogue: Catalogue) -> Schema:
    """One line of `given`: the fields depend on the event."""
    names = sorted(catalogue.events)
    return {
        "type": "object",
        "description": "one event of the case",
        "properties": {
            "day": {"type": "integer", "minimum": 0, "maximum": LAST_DAY, "description": "the day it happens, from 0"},
            "event": {"description": "what happens", "anyOf": [{"enum": names}, {"pattern": f"^{_MODEL}$"}]},
        },
        "required": ["day", "event"],
        "allOf": [
            *(_of_kind({"const": name}, catalogue.events[name]) for name in names),
            _of_kind({"pattern": f"^{_MODEL}$"}, catalogue.model),
        ],
    }


def _of_kind(event: Schema, kind: Kind) -> Schema:
    ids = {name: {"type": "string", "pattern": _ID, "description": ABOUT_IDS[name]} for name in kind.ids}
    own = {name: _UNITS[field.unit] for name, field in sorted(kind.fields.items())}
    return {
        "if": {"properties": {"event": event}, "required": ["event"]},
        "then": {"properties": {"day": True, "event": True} | own | ids, "additionalProperties": False},
    }
