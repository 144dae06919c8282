"""Writes docs/events.md, the catalogue of events for people, from the classes of the pipeline."""

import json
from pathlib import Path
from typing import cast

from msgspec import inspect

from pipeline.catalogue import attributes_of, bare, fields_of, rule_name
from pipeline.control_events import ControlRecord
from pipeline.events import CATALOGUE, FEEDS, TOPICS, TYPES, Scored
from pipeline.examples import EXAMPLES
from pipeline.loan_events import Record

PAGE = Path(__file__).parent / "events.md"
COMMON = tuple(field.encode_name for field in fields_of(Record))
OF_CONTROL = tuple(field.encode_name for field in fields_of(ControlRecord))
ABOUT = """# Events

One JSON object a line of a file (or a record of a topic), UTF-8, whatever the source. This page is made from the
classes with which the engine decodes (`python docs/make_events.py`); a test says that it is current. For machines:
the [JSON Schema](schemas/events.schema.json) and [AsyncAPI 3](schemas/asyncapi.yaml).

- Every event has `id` (unique within `source`), `source`, `type`, `at` and `borrower_id`. Where it applies it has
  `currency` (ISO 4217; the reporting currency when absent), `business_date` (when absent, the local date of `at` in the
  bank's zone) and `base_amount_minor`.
- Money is an integer of minor units: 12345 is 123.45 CNY, and 12345 JPY. A float is refused. Another currency than the
  reporting one needs `base_amount_minor`, or a rate of `fx.published` that came before.
- Ids hold letters, digits and `. _ : -` only. Alert ids and task ids, which the engine makes, hold `/` too.
- A field marked `?` may be absent. A field that the catalogue does not know is ignored and counted, never refused.
- In a rule the suffix falls away: `amount_minor` is `amount` in whole currency units, `used_share_ppm` is `used_share`,
  a share of 1.
- *Kept* says for how many days the engine remembers an event one by one; account credits and debits then live on as
  daily totals by category. An event may come late by 100 days on the account feed, and by 400 days on any other.
"""


def page() -> str:
    """The whole page.

    >>> page().splitlines()[0]
    '# Events'
    """
    parts = [ABOUT]
    for topic, classes in TOPICS.items():
        parts.append(_topic(topic, classes))
    parts.append(_models())
    parts.append(_fields())
    return "\n".join(parts)


def _topic(topic: str, classes: tuple[type, ...]) -> str:
    is_control = topic == "forewarn-control"
    rows = [
        f"| `{TYPES[each]}` | {_sentence(each)} | {_own(each)} |{'' if is_control else _kept(each)}" for each in classes
    ]
    kept = "" if is_control else " kept |"
    rule = "" if is_control else "---|"
    return "\n".join(
        [
            f"## {topic}\n",
            f"Feed `{FEEDS[topic]}`." + (" Records for everyone; they have no borrower." if is_control else "") + "\n",
            f"| type | what happened | fields of its own |{kept}",
            f"|---|---|---|{rule}",
            *rows,
            "",
            _example(TYPES[classes[0]]),
        ]
    )


def _models() -> str:
    return "\n".join(
        [
            "## model.NAME\n",
            "A model's score; every model is a feed of its own, named like its type.\n",
            f"| type | what happened | fields of its own | kept |\n|---|---|---|---|\n"
            f"| `model.NAME` | {_sentence(Scored)} | `score_ppm` | {CATALOGUE.model.kept_days} d |\n",
            _example("model.payment_stress"),
        ]
    )


def _sentence(event_class: type) -> str:
    return (event_class.__doc__ or "").strip().splitlines()[0]


def _own(event_class: type) -> str:
    common = OF_CONTROL if issubclass(event_class, ControlRecord) else COMMON
    shown = [
        f"`{field.encode_name}{'' if field.required else '?'}`"
        for field in fields_of(event_class)
        if field.encode_name not in common
    ]
    return ", ".join(shown) or "-"


def _kept(event_class: type) -> str:
    kind = CATALOGUE.events[TYPES[event_class]]
    return f" {kind.kept_days} d{f', totals {kind.totals_days} d' if kind.totals_days else ''} |"


def _example(name: str) -> str:
    return f"```json\n{json.dumps(EXAMPLES[name], ensure_ascii=False)}\n```\n"


# -- fields -----------------------------------------------------------------


def _fields() -> str:
    found: dict[tuple[str, str, str, str], None] = {}
    for event_class in TYPES:
        ruled = attributes_of(event_class) if event_class in _with_rules() else {}
        for field in fields_of(event_class):
            name = rule_name(field.encode_name)
            kind, _ = bare(field.type)
            if field.encode_name != "model":  # it stands in `type`
                in_rule = _in_rule(event_class, name) if name in ruled else ""
                found[field.encode_name, _takes(kind, field.type), _meaning(field.type), in_rule] = None
    rows = [f"| `{name}` | {takes} | {meaning} | {in_rule} |" for name, takes, meaning, in_rule in sorted(found)]
    head = "| field | takes | meaning | in a rule |\n|---|---|---|---|"
    return "\n".join(["## Fields\n", head, *rows, ""])


def _with_rules() -> set[type]:
    return {each for each, name in TYPES.items() if name in CATALOGUE.events} | {Scored}


def _in_rule(event_class: type, name: str) -> str:
    kind = CATALOGUE.model if event_class is Scored else CATALOGUE.events[TYPES[event_class]]
    field = kind.fields[name]
    return f"`{name}` ({field.unit}{f', {field.worse} is worse' if field.worse else ''})"


def _meaning(of: inspect.Type) -> str:
    if isinstance(of, inspect.UnionType):
        (of,) = (each for each in of.types if not isinstance(each, inspect.NoneType))
    schema = (of.extra_json_schema or {}) if isinstance(of, inspect.Metadata) else {}
    return str(schema.get("description", ""))


def _takes(kind: inspect.Type, of: inspect.Type) -> str:
    if isinstance(kind, inspect.IntType):
        low = kind.gt + 1 if kind.gt is not None else kind.ge
        return f"integer, {_power(cast(int, low))} to {_power(cast(int, kind.le))}"
    if isinstance(kind, inspect.StrType):
        most = kind.max_length
        return f"text, {kind.min_length or 0} to {most}" if most is not None else "text"
    if isinstance(kind, inspect.LiteralType):
        return "one of " + ", ".join(f"`{each}`" for each in kind.values)
    names: dict[type, str] = {
        inspect.DateType: "date",
        inspect.DateTimeType: "instant with offset",
        inspect.BoolType: "true or false",
        inspect.DictType: "object of names and values",
        inspect.VarTupleType: "array of `instalment`, `due_on`, `principal_minor`, `interest_minor`, `fee_minor`",
    }
    return names[type(kind)]


def _power(number: int) -> str:
    return {2**53: "2^53", -(2**53): "-2^53"}.get(number, f"{number}")


def write() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
    print(PAGE.name)
