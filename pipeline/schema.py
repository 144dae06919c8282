"""The catalogue for other systems: JSON Schema of the events and AsyncAPI 3 of the topics, in docs/schemas."""

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import msgspec
import yaml

from pipeline.decisions import Alert, CollectionTask
from pipeline.events import TOPICS, TYPES, Scored
from pipeline.examples import EXAMPLES
from pipeline.fields import CURRENCY_PATTERN, DIGITS, MODEL_TYPE_PATTERN
from pipeline.refusals import Reason

FOLDER = Path(__file__).parent.parent / "docs" / "schemas"
JSON_SCHEMA = "events.schema.json"
ASYNCAPI = "asyncapi.yaml"
_DEFINITIONS = "#/$defs/"
_COMPONENTS = "#/components/schemas/"
_EVENT_CLASSES: tuple[type, ...] = tuple(TYPES)
_ABOUT = (
    "Unknown fields are ignored and counted. Amounts are integers of minor units (12345 is 123.45 CNY), shares are "
    "integers of parts per million. An event that cannot be used goes to dead-letters with a sentence and its bytes."
)
_TOPIC_WORDS = {
    "repayment-events": "loans, what is due, paid and missed",
    "account-events": "money in and out of accounts and cards",
    "external-credit-events": "bureaus, courts, news, and who is connected with whom",
    "collection-outcomes": "what collections did and heard",
    "officer-actions": "what people decide",
    "forewarn-connected": "warnings from guarantors and group members, at their receiver",
    "forewarn-control": "day ends and what was published; each record goes to every partition",
    "alerts": "openings, raises and closings with the numbers behind them",
    "collection-tasks": "one open task per borrower and queue, by revision",
    "dead-letters": "records that could not be used, with their untouched bytes",
}
_DEAD_LETTER: dict[str, Any] = {
    "title": "DeadLetter",
    "description": "A record that could not be used.",
    "type": "object",
    "properties": {
        "reason": {"enum": sorted(get_args(Reason))},
        "why": {"type": "string", "description": "what was expected, what came, where, and what to do"},
        "source": {"type": "object", "description": "file and line, or topic, partition and offset"},
        "bytes": {"type": "string", "description": "the record as it came"},
        "encoding": {"enum": ["base64"], "description": "of `bytes`; absent when they are text"},
    },
    "required": ["reason", "why", "source", "bytes"],
}
_OUTPUTS = {"alerts": "Alert", "collection-tasks": "CollectionTask", "dead-letters": "DeadLetter"}


def json_schema() -> dict[str, Any]:
    """One JSON Schema that every event of the catalogue satisfies."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An event of Forewarn",
        "description": _ABOUT,
        "anyOf": [{"$ref": _DEFINITIONS + each.__name__} for each in _EVENT_CLASSES],
        "$defs": _definitions(_DEFINITIONS),
    }


def asyncapi() -> dict[str, Any]:
    """Every topic with its records, as AsyncAPI 3."""
    topics = {topic: [each.__name__ for each in classes] for topic, classes in TOPICS.items()}
    topics |= {topic: [name] for topic, name in _OUTPUTS.items()}
    schemas = _definitions(_COMPONENTS) | _output_definitions()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Forewarn", "version": version("forewarn"), "description": _ABOUT},
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic, names) for topic, names in topics.items()},
        "operations": {_operation(topic): _operation_of(topic) for topic in topics},
        "components": {
            "messages": {name: _message(name) for names in topics.values() for name in names},
            "schemas": schemas,
        },
    }


def write(folder: Path) -> list[Path]:
    """Write both files; what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in texts().items():
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written


def texts() -> dict[str, str]:
    """What the files should hold."""
    return {
        JSON_SCHEMA: json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n",
        ASYNCAPI: yaml.dump(asyncapi(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120),
    }


class _Plain(yaml.SafeDumper):
    """YAML without anchors: a reader should not have to look elsewhere."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _definitions(prefix: str) -> dict[str, Any]:
    _, found = msgspec.json.schema_components(_EVENT_CLASSES, ref_template=prefix + "{name}")
    currencies = {"description": "ISO 4217, with minor units", "enum": sorted(DIGITS)}
    shared = _changed(found, lambda node: _without_closing(_with_currency(node, prefix)))
    for event_class, name in TYPES.items():
        wire_name = "model.payment_stress" if event_class is Scored else name
        shared[event_class.__name__]["examples"] = [EXAMPLES[wire_name]]
    score = shared[Scored.__name__]
    score["properties"]["type"] = {"type": "string", "pattern": MODEL_TYPE_PATTERN}
    del score["properties"]["model"]
    score["required"].remove("model")
    return {"Currency": currencies, **shared}


def _output_definitions() -> dict[str, Any]:
    _, found = msgspec.json.schema_components((Alert, CollectionTask), ref_template=_COMPONENTS + "{name}")
    return {**found, "DeadLetter": _DEAD_LETTER}


def _changed(node: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """A copy of a schema with a change at every object in it."""
    if isinstance(node, dict):
        return change({key: _changed(value, change) for key, value in node.items()})
    return [_changed(value, change) for value in node] if isinstance(node, list) else node


def _with_currency(node: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The list of currencies is long; it stands once."""
    return {"$ref": prefix + "Currency"} if node.get("pattern") == CURRENCY_PATTERN else node


def _without_closing(node: dict[str, Any]) -> dict[str, Any]:
    """The decoder drops unknown fields, so a sender may have some."""
    return {key: value for key, value in node.items() if key != "additionalProperties" or value is not False}


def _channel(topic: str, names: list[str]) -> dict[str, Any]:
    key = "none; each record goes to every partition" if topic == "forewarn-control" else "borrower_id"
    return {
        "address": topic,
        "description": f"{_TOPIC_WORDS[topic]}; key: {'that of the source' if topic == 'dead-letters' else key}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _operation(topic: str) -> str:
    return f"{'send' if topic in _OUTPUTS else 'receive'}-{topic}"


def _operation_of(topic: str) -> dict[str, Any]:
    return {
        "action": "send" if topic in _OUTPUTS else "receive",
        "channel": {"$ref": f"#/channels/{topic}"},
        "summary": _TOPIC_WORDS[topic],
    }


def _message(name: str) -> dict[str, Any]:
    return {"name": name, "contentType": "application/json", "payload": {"$ref": _COMPONENTS + name}}


if __name__ == "__main__":
    for path in write(FOLDER):
        print(path.name)
