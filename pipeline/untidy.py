"""Bytes that the strict decoder did not take: unknown fields are dropped and counted, a fault gets its sentence."""

import json
import math
import re
from typing import Any, NoReturn, cast

import msgspec

from pipeline.events import Event, Instalment
from pipeline.fields import MODEL_TYPE_PATTERN
from pipeline.forms import FORMS, fault_of
from pipeline.refusals import SHOWN, Beyond, Refusal, bad_field, nearest, shown

LONGEST = 1 << 20
DEEPEST = 64  # Levels of a record. A fixed limit: how deep a reader can go depends on who calls it.
_LONGEST_NUMBER = 20  # Digits of a whole number that is read; longer ones are refused, or dropped with their field.
_FORM_ON_THE_WIRE = {name: form for name, form in FORMS.items() if name != "model"}
_LINE_NAMES = frozenset(field.encode_name for field in msgspec.structs.fields(Instalment))


def parsed(raw: bytes) -> dict[str, Any]:
    """The one JSON object of a record."""
    if len(raw) > LONGEST:
        raise Refusal("too_long", f"expected at most {LONGEST} bytes, got {len(raw)}; split it or drop what is long")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        got = f"byte 0x{raw[error.start]:02x} at position {error.start}"
        raise Refusal("not_json", f"expected JSON in UTF-8, got {got}; send UTF-8") from None
    data = _read(raw, text)
    if not isinstance(data, dict):
        raise Refusal("not_json", f"expected one JSON object a record, got {shown(data)}")
    return data


def settled(data: dict[str, Any], *, example: str) -> tuple[Event, int]:
    """The event in a JSON object, and how many unknown fields were dropped; `example` explains minor units."""
    name = data.get("type")
    form = _FORM_ON_THE_WIRE.get(name) if isinstance(name, str) else None
    is_model = form is None and isinstance(name, str) and name.startswith("model.")
    if is_model:
        form = FORMS["model"]
    if form is None:
        raise _unknown_type(data)
    known = {key: value for key, value in data.items() if key in form.names}
    unknown = len(data) - len(known)
    if is_model:
        if re.fullmatch(MODEL_TYPE_PATTERN, cast(str, name)) is None:
            raise bad_field("type", "model. and a name of 1 to 64 characters of A-Z a-z 0-9 . _ : -", shown(name))
        known |= {"type": "model", "model": name}
    if form.has_schedule:
        unknown += _drop_from_schedule(known)
    try:
        event: Any = msgspec.convert(known, form.event_class)
    except (msgspec.ValidationError, OverflowError) as error:
        raise _fault(form.event_class, known, example, str(error)) from None
    if not form.is_fine(event):
        fault = fault_of(form.event_class, known, example=example)
        if fault is not None:
            raise fault
    return cast(Event, event), unknown


def _read(raw: bytes, text: str) -> object:
    try:
        try:
            data = msgspec.json.decode(raw)
            is_checked = True
        except msgspec.ValidationError:
            # A number that is out of range. It may stand in an unknown field, and then it does not matter.
            data = json.loads(text, parse_int=_whole_number, parse_float=_fraction, parse_constant=_no_number)
            is_checked = False
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        detail = str(error).removeprefix("JSON is malformed: ").replace("Input data was truncated", "it breaks off")
        raise Refusal("not_json", f"expected one JSON object a record, got text that is no JSON: {detail}") from None
    _walk(data, is_checked=is_checked and b"\\u0000" not in raw)
    return data


def _walk(data: object, *, is_checked: bool) -> None:
    """Refuse what is too deep, and texts with NUL or half a surrogate pair unless the texts are checked already."""
    level = [data]
    for _ in range(DEEPEST):
        if not is_checked:
            for each in level:
                _check_texts(each)
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    if any(isinstance(each, dict | list) for each in level):
        raise _too_deep()
    if not is_checked:
        for each in level:
            _check_texts(each)


def _check_texts(value: object) -> None:
    for text in value if isinstance(value, dict) else (value,):
        if isinstance(text, str) and ("\0" in text or not _is_unicode(text)):
            what = "a NUL character" if "\0" in text else "half of a surrogate pair"
            raise Refusal("not_json", f"expected texts of whole characters, got {what}; take it out")


def _is_unicode(text: str) -> bool:
    return not re.search("[\ud800-\udfff]", text)


def _too_deep() -> Refusal:
    return Refusal("not_json", f"expected at most {DEEPEST} levels of nesting, got more; send one flat object")


def _whole_number(text: str) -> int | Beyond:
    return int(text) if len(text) <= _LONGEST_NUMBER else Beyond(text)


def _fraction(text: str) -> float | Beyond:
    return float(text) if math.isfinite(float(text)) else Beyond(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _unknown_type(data: dict[str, Any]) -> Refusal:
    if not isinstance(data.get("type"), str):
        got = shown(data["type"]) if "type" in data else "nothing"
        return bad_field("type", 'a type of the catalogue such as "repayment.due"', got)
    name = data["type"]
    advice = nearest(name, _FORM_ON_THE_WIRE) or "see docs/schemas/events.schema.json"
    return Refusal("unknown_type", f"type: expected a type of the catalogue, got {shown(name)}; {advice}")


def _drop_from_schedule(known: dict[str, Any]) -> int:
    """Take unknown fields out of the instalments of a schedule; how many there were."""
    schedule = known.get("schedule")
    if not isinstance(schedule, list):
        return 0
    lines = [
        {key: value for key, value in line.items() if key in _LINE_NAMES} if isinstance(line, dict) else line
        for line in schedule
    ]
    known["schedule"] = lines
    return sum(len(old) - len(new) for old, new in zip(schedule, lines, strict=True) if isinstance(old, dict))


def _fault(event_class: type, known: dict[str, Any], example: str, detail: str) -> Refusal:
    found = fault_of(event_class, known, example=example)
    return found or bad_field(
        "record", f"an event such as docs/schemas/events.schema.json describes ({detail[:SHOWN]})", "another"
    )
