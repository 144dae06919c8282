"""What is asked of each class of events beyond its types: characters of ids, known currencies, dates in range.

Asked twice, for two ends. `is_fine` answers for a decoded event, in one expression generated for a class, because it
runs for every event. `fault_of` goes through the JSON field by field and finds the words for what will be refused.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import inspect

from pipeline.catalogue import bare, fields_of
from pipeline.events import EVENT_CLASSES, FEED_OF_CLASS, LoanPaused, Scored
from pipeline.fields import DIGITS, FIRST_DAY, ID_PATTERN, LAST_DAY, LINE_PATTERN, PATH_PATTERN
from pipeline.refusals import Refusal, bad_field, expectation, nearest, shown

_PATTERNS = {"id": re.compile(ID_PATTERN), "path": re.compile(PATH_PATTERN), "line": re.compile(LINE_PATTERN)}
_MISSING = object()
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_GIVEN: dict[str, Any] = {
    # Looking for one wrong character is faster than matching all: it builds no match.
    "wrong_in_id": re.compile("[^A-Za-z0-9._:-]").search,
    "wrong_in_path": re.compile("[^A-Za-z0-9._:/-]").search,
    "DIGITS": DIGITS,
}


@dataclass(frozen=True, slots=True)
class Form:
    """One class of events as the decoder sees it."""

    event_class: type
    type: str  # empty for a score: its event says it
    feed: str  # likewise
    names: frozenset[str]  # the fields on the wire; any other is dropped and counted
    has_schedule: bool
    has_business_date: bool  # every event of a borrower
    has_date: bool  # day.ended
    is_fine: Callable[[Any], bool]  # False: ask `fault_of`, which may still find nothing


def fault_of(event_class: type, data: dict[str, Any], *, example: str, path: str = "") -> Refusal | None:
    """The first fault of a JSON object that should be such an event, or None."""
    for field in fields_of(event_class):
        name = field.encode_name
        value = data.get(name, _MISSING)
        if value is _MISSING:
            if field.required:
                kind, extra = bare(field.type)
                return bad_field(path + name, expectation(name, kind, extra, value=None, example=example), "nothing")
            continue
        if value is None and isinstance(field.type, inspect.UnionType):
            continue
        fault = _fault_of_value(path + name, field.type, value, example)
        if fault is not None:
            return fault
    if event_class is LoanPaused and data["until_date"] < data["from_date"]:
        return bad_field("until_date", "a date not before from_date", shown(data["until_date"]))
    return None


def _fault_of_value(path: str, declared: inspect.Type, value: object, example: str) -> Refusal | None:
    kind, extra = bare(declared)
    if isinstance(kind, inspect.VarTupleType) and isinstance(value, list):
        return _fault_of_list(path, kind, value, example)
    if isinstance(kind, inspect.DictType) and isinstance(value, dict):
        return _fault_of_names(path, kind, value, example)
    if _is_good(kind, extra, value):
        return None
    expected = expectation(path, kind, extra, value=value, example=example)
    is_misspelt = isinstance(kind, inspect.LiteralType) and isinstance(value, str)
    advice = nearest(str(value), map(str, kind.values)) if is_misspelt and isinstance(kind, inspect.LiteralType) else ""
    return bad_field(path, expected, shown(value), advice)


def _fault_of_list(path: str, kind: inspect.VarTupleType, values: list[Any], example: str) -> Refusal | None:
    assert isinstance(kind.item_type, inspect.StructType)  # A schedule is the only list of the catalogue.
    for number, value in enumerate(values):
        place = f"{path}[{number}]"
        if not isinstance(value, dict):
            return bad_field(place, "an object with one instalment", shown(value))
        fault = fault_of(kind.item_type.cls, value, example=example, path=place + ".")
        if fault is not None:
            return fault
    return None


def _fault_of_names(path: str, kind: inspect.DictType, values: dict[str, Any], example: str) -> Refusal | None:
    key_type, extra = bare(kind.key_type)
    for name, value in values.items():
        if not _is_good(key_type, extra, name):
            is_feed = isinstance(key_type, inspect.StrType) and key_type.pattern is not None
            feeds = set(FEED_OF_CLASS.values()) - {"control"}
            expected = (
                "a feed of the catalogue" if is_feed else expectation("", key_type, extra, value=name, example=example)
            )
            return bad_field(path, expected, shown(name), nearest(name, feeds) if is_feed else "")
        fault = _fault_of_value(f"{path}.{name}", kind.value_type, value, example)
        if fault is not None:
            return fault
    return None


def _is_good(kind: inspect.Type, extra: dict[str, Any], value: object) -> bool:
    if isinstance(kind, inspect.IntType):
        return type(value) is int and (kind.gt or kind.ge or 0) + (kind.gt is not None) <= value <= (kind.le or 0)
    if isinstance(kind, inspect.StrType):
        return isinstance(value, str) and _is_good_text(kind, extra.get("check"), value)
    if isinstance(kind, inspect.LiteralType):
        return isinstance(value, str) and value in kind.values
    if isinstance(kind, inspect.BoolType):
        return isinstance(value, bool)
    if isinstance(kind, inspect.DateType):
        found = _converted(value, date)
        return found is not None and FIRST_DAY <= found <= LAST_DAY
    return isinstance(kind, inspect.DateTimeType) and _converted(value, _Instant) is not None


def _is_good_text(kind: inspect.StrType, check: str | None, value: str) -> bool:
    if not (kind.min_length or 0) <= len(value) <= (len(value) if kind.max_length is None else kind.max_length):
        return False
    if kind.pattern is not None and re.search(kind.pattern, value) is None:
        return False
    if check == "currency":
        return value in DIGITS
    return check is None or (not value.endswith("\n") and _PATTERNS[check].search(value) is not None)


def _converted(value: object, target: Any) -> Any:
    try:
        return msgspec.convert(value, target) if isinstance(value, str) else None
    except (msgspec.ValidationError, OverflowError):
        return None


def _is_fine(event_class: type) -> Callable[[Any], bool]:
    joined: dict[str, list[str]] = {"id": [], "path": [], "line": []}
    parts = []
    for field in fields_of(event_class):
        kind, extra = bare(field.type)
        here = f"e.{field.name}"
        check = extra.get("check")
        is_optional = isinstance(field.type, inspect.UnionType)
        absent = f"{here} is None or " if is_optional else ""
        if check in joined:
            joined[check].append(f"({here} or '')" if is_optional else here)
        elif check == "currency":
            parts.append(f"({absent}{here} in DIGITS)")
        elif isinstance(kind, inspect.DateType):
            parts.append(f"({absent}{FIRST_DAY.year} <= {here}.year <= {LAST_DAY.year})")
        elif isinstance(kind, inspect.VarTupleType):
            parts.append(f"({absent}all({FIRST_DAY.year} <= line.due_on.year <= {LAST_DAY.year} for line in {here}))")
        elif isinstance(kind, inspect.DictType) and bare(kind.key_type)[1].get("check") == "currency":
            parts.append(f"all(code in DIGITS for code in {here})")
    parts += [
        f"not wrong_in_{check}({' + '.join(names)})" for check, names in joined.items() if names and check != "line"
    ]
    parts.append(f"({' + '.join(joined['line'])}).isprintable()")
    if event_class is LoanPaused:
        parts.append("e.from_date <= e.until_date")
    fine: Callable[[Any], bool] = eval("lambda e: " + " and ".join(parts), _GIVEN)
    return fine


def _form(name: str, event_class: type) -> Form:
    names = {field.encode_name for field in fields_of(event_class)}
    # A score's type on the wire is what its field `model` keeps.
    wire_names = names - {"model"} if event_class is Scored else names
    return Form(
        event_class=event_class,
        type="" if event_class is Scored else name,
        feed=FEED_OF_CLASS.get(event_class, ""),
        names=frozenset(wire_names | {"type"}),
        has_schedule="schedule" in names,
        has_business_date="business_date" in names,
        has_date="date" in names,
        is_fine=_is_fine(event_class),
    )


FORMS: dict[str, Form] = {name: _form(name, each) for name, each in EVENT_CLASSES.items()}
FORM_OF_CLASS: dict[type, Form] = {form.event_class: form for form in FORMS.values()}
