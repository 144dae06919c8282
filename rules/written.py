"""The small forms inside a rule file (times, dates, words, lines of prose), as pydantic reads them."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from rules.faults import shortened, shown
from rules.rule import Span

_SPAN = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_DAYS = re.compile(r"(0|[1-9][0-9]{0,3})([dw])")
_AGO = re.compile(r"([1-9][0-9]{0,3})([dw]) ago")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORD = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_BASES = ("policy", "contract", "regulation")
DIGITS = re.compile(r"\d+(?:[.,]\d+)*")


def _span(value: Any) -> Span:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"expected a time such as '36h', '60d' or '8w', got {shown(value)}")
    return Span(int(found[1]), found[2])  # type: ignore[arg-type]  # The pattern allows h, d and w only.


def _days(value: Any) -> int:
    found = _DAYS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"expected days or weeks such as '3d' or '2w', got {shown(value)}")
    return int(found[1]) * (7 if found[2] == "w" else 1)


def _ago(value: Any) -> Span:
    found = _AGO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"expected days or weeks such as '35d ago' or '5w ago', got {shown(value)}")
    return Span(int(found[1]), found[2])  # type: ignore[arg-type]  # The pattern allows d and w only.


def _date(value: Any) -> str:
    try:
        is_date = (
            isinstance(value, str) and _DATE.fullmatch(value) is not None and date.fromisoformat(value) is not None
        )
    except ValueError:
        is_date = False
    if not is_date:
        raise ValueError(f"expected a date of the calendar such as 2025-03-01, got {shown(value)}")
    return str(value)


def _prose(text: str) -> str:
    if not text.strip():
        raise ValueError("expected a text, got nothing")
    return " ".join(text.split())


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError(f"expected a word in small letters such as early-collections, got {shown(text)}")
    return text


def _title(text: str) -> str:
    if "\n" in text.strip():
        raise ValueError("expected one line, got several")
    if number := DIGITS.search(text):
        raise ValueError(
            f"the number {shortened(number[0])} is written by hand; a title has no numbers, they stand in the rule"
        )
    return _prose(text)


def _basis(value: Any) -> Any:
    if value in _BASES:
        return value
    if value == "fitted":
        raise ValueError("a fitted threshold needs its validation date, such as {fitted: 2025-02-10}")
    if not isinstance(value, dict) or set(value) != {"fitted"}:
        raise ValueError(f"expected policy, contract, regulation or {{fitted: 2025-02-10}}, got {shown(value)}")
    return {"fitted": _date(value["fitted"])}


def _text_schema(pattern: re.Pattern[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern.pattern}$"})


_BASIS_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"enum": list(_BASES)},
            {
                "type": "object",
                "properties": {"fitted": {"type": "string", "pattern": f"^{_DATE.pattern}$"}},
                "required": ["fitted"],
                "additionalProperties": False,
            },
        ]
    }
)

Window = Annotated[Span, BeforeValidator(_span), _text_schema(_SPAN)]
Days = Annotated[int, BeforeValidator(_days), _text_schema(_DAYS)]
Ago = Annotated[Span, BeforeValidator(_ago), _text_schema(_AGO)]
Date = Annotated[str, BeforeValidator(_date), _text_schema(_DATE)]
Prose = Annotated[str, AfterValidator(_prose), WithJsonSchema({"type": "string", "pattern": "\\S"})]
Word = Annotated[str, AfterValidator(_word), _text_schema(_WORD)]
Title = Annotated[str, AfterValidator(_title), WithJsonSchema({"type": "string", "pattern": "^[^0-9]+$"})]
Basis = Annotated[Any, AfterValidator(_basis), _BASIS_SCHEMA]
