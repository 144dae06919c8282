"""What a mapping must agree with: the event catalogue, and itself."""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from msgspec import inspect

from connectors.mapping import Emission, Folder, Mapping, Reading
from connectors.values import DATES, FORMS, SLOT, Value
from pipeline.catalogue import bare, fields_of
from pipeline.events import EVENT_CLASSES, FEED_OF_CLASS
from rules.faults import suggestion

Path = tuple[str | int, ...]
Finding = tuple[Path, str]
Sort = Literal["money", "share", "integer", "date", "flag", "text"]

TYPES = {name: each for name, each in EVENT_CLASSES.items() if name != "model"}
# A mapping says these for all its events; they are no fields of one.
STATED = frozenset({"id", "source", "at", "borrower_id", "currency", "business_date", "base_amount_minor"})
ALLOWED: dict[Sort, tuple[str, ...]] = {
    "money": ("major", "minor", "ratio", "product", "constant"),
    "share": ("percent", "share", "ppm", "number", "ratio", "product", "constant"),
    "integer": ("integer", "ratio", "product", "constant"),
    "date": (*DATES, "constant"),
    "flag": ("constant",),
    "text": ("text", "constant"),
}


def is_control(event_type: str) -> bool:
    """True for records that go to every partition and have no borrower."""
    return FEED_OF_CLASS.get(TYPES[event_type]) == "control"


def sorts_of(event_type: str) -> dict[str, tuple[Sort, bool]]:
    """The fields that a mapping may fill: name -> (what it holds, whether the event needs it)."""
    sorts: dict[str, tuple[Sort, bool]] = {}
    for field in fields_of(TYPES[event_type]):
        kind, _ = bare(field.type)
        if field.encode_name not in STATED and not isinstance(kind, inspect.VarTupleType | inspect.DictType):
            sorts[field.encode_name] = (_sort(field.encode_name, kind), field.required)
    return sorts


def _sort(name: str, kind: inspect.Type) -> Sort:
    if name.endswith("_minor"):
        return "money"
    if name.endswith("_ppm"):
        return "share"
    if isinstance(kind, inspect.IntType):
        return "integer"
    if isinstance(kind, inspect.DateType):
        return "date"
    return "flag" if isinstance(kind, inspect.BoolType) else "text"


def findings(mapping: Mapping, *, stem: str) -> list[Finding]:
    """Everything in a well-formed mapping that no file could be ingested with."""
    found: list[Finding] = []
    if mapping.mapping != stem:
        found.append((("mapping",), f"expected the file's own name {stem!r}, got {mapping.mapping!r}"))
    for i, part in enumerate(mapping.parts):
        found += _of_part(part, ("files", i) if isinstance(mapping, Folder) else ())
    return found + list(_ids_that_clash(mapping))


def _of_part(part: Reading, path: Path) -> Iterator[Finding]:
    for name, value in part.derived.items():
        if value.form == "same_as" or value.form not in (*DATES, "text"):
            yield (*path, "derived", name), f"expected one of date, quarter, month, text, got {value.form}"
    if not part.events and part.repeat is None:
        if not any(not refusal.when for refusal in part.refused):
            place = path if path else ("mapping",)
            yield place, "expected at least one event, in 'events' or 'repeat', or 'refused' without 'when', got none"
        return
    if not part.row_key:
        yield path, "row_key is missing: the columns that tell the rows apart"
    if part.borrower_id is None:
        yield path, "borrower_id is missing: a text with slots, for this file or for all"
    if part.dated is not None:
        yield from _of_date(part.dated, (*path, "dated"))
    for place, emission in _emissions(part, path):
        yield from _of_emission(emission, place, has_date=part.dated is not None or "repeat" in place)


def _emissions(part: Reading, path: Path) -> Iterator[tuple[Path, Emission]]:
    for i, each in enumerate(part.events):
        yield (*path, "events", i), each
    for i, each in enumerate(part.repeat.events if part.repeat is not None else []):
        yield (*path, "repeat", "events", i), each


def _ids_that_clash(mapping: Mapping) -> Iterator[Finding]:
    seen: set[str] = set()
    for i, part in enumerate(mapping.parts):
        for path, emission in _emissions(part, ("files", i) if isinstance(mapping, Folder) else ()):
            if emission.id in seen:
                yield (*path, "id"), f"expected an id of its own for each event, got {emission.id!r} twice"
            seen.add(emission.id)
            if "repeat" in path and "group" not in SLOT.findall(emission.id):
                yield (*path, "id"), "expected the slot {group}, so that each group has an id of its own"


def _of_emission(emission: Emission, path: Path, *, has_date: bool) -> Iterator[Finding]:
    if emission.event not in TYPES:
        got = f"expected an event of the catalogue, got {emission.event!r}{suggestion(emission.event, TYPES)}"
        yield (*path, "event"), got
        return
    if emission.dated is not None:
        yield from _of_date(emission.dated, (*path, "dated"))
    elif not has_date:
        yield path, "'dated' is missing: the date of the event, here or for the whole mapping"
    if (emission.event == "macro.published") != bool(emission.figures):
        yield path, "expected 'figures' in macro.published, and nowhere else"
    for name, value in emission.figures.items():
        yield from _of_value(value, "share", (*path, "figures", name))
    sorts = sorts_of(emission.event)
    for name, value in emission.fields.items():
        if name not in sorts:
            yield (*path, "fields", name), f"no such field of {emission.event}{suggestion(name, sorts)}"
        else:
            yield from _of_value(value, sorts[name][0], (*path, "fields", name))
    for name, (_, needed) in sorts.items():
        if needed and name not in emission.fields:
            yield path, f"{name} is missing: every {emission.event} has it"


def _of_value(value: Value, sort: Sort, path: Path) -> Iterator[Finding]:
    if value.form not in ALLOWED[sort]:
        forms = ", ".join(form for form in FORMS if form in ALLOWED[sort])
        yield path, f"expected one of {forms}, got {value.form}"
    elif value.form == "constant":
        yield from _of_constant(value, sort, path)


def _of_constant(value: Value, sort: Sort, path: Path) -> Iterator[Finding]:
    got = value.constant
    fits = {
        "flag": isinstance(got, bool),
        "text": isinstance(got, str),
        "date": constant_date(value) is not None,
    }.get(sort, isinstance(got, int) and not isinstance(got, bool))
    if not fits:
        wanted = {"flag": "true or false", "text": "a text", "date": "a date such as 2005-04-30"}
        yield path, f"expected {wanted.get(sort, 'a whole number')}, got {got!r}"


def _of_date(value: Value, path: Path) -> Iterator[Finding]:
    if value.form == "same_as":
        yield path, "expected a date of its own, got 'same_as'"
    else:
        yield from _of_value(value, "date", path)


def constant_date(value: Value) -> date | None:
    """The date that is written as a constant; None when it is no date."""
    if isinstance(value.constant, date):
        return value.constant
    try:
        return date.fromisoformat(value.constant) if isinstance(value.constant, str) else None
    except ValueError:
        return None
