"""Why an event cannot be used, in one sentence: what was expected, what came, where, and what to do.

Refusal     an event that becomes a dead letter, with its bytes untouched
"""

import difflib
import json
from collections.abc import Iterable
from typing import Any, Literal

from msgspec import inspect

from pipeline.fields import FIRST_DAY, LAST_DAY

Reason = Literal[
    "not_json",
    "too_long",
    "unknown_type",
    "bad_field",
    "conflict",
    "misrouted",
    "too_old",
    "unmatched_reversal",
    "fault",
]
SHOWN = 60  # Characters of a wrong value that a sentence repeats.
_CHARACTERS = {"id": "A-Z a-z 0-9 . _ : -", "path": "A-Z a-z 0-9 . _ : / -", "line": "one line of text"}


class Refusal(Exception):
    """An event that cannot be used; `why` is the sentence of the dead letter."""

    def __init__(self, reason: Reason, why: str) -> None:
        super().__init__(why)
        self.reason: Reason = reason
        self.why = why


class Beyond:
    """A number of the input that is too long to be read, as it stood there."""

    def __init__(self, text: str) -> None:
        self.text = text


def bad_field(path: str, expected: str, got: str, advice: str = "") -> Refusal:
    """A fault of one field.

    >>> bad_field("at", expected="an instant", got="nothing", advice="every event has it").why
    'at: expected an instant, got nothing; every event has it'
    """
    return Refusal("bad_field", f"{shortened(path)}: expected {expected}, got {got}{'; ' if advice else ''}{advice}")


def shown(value: object) -> str:
    """A value as it stood in the JSON, shortened.

    >>> shown(123.45), shown("12"), shown(None), shown([1])
    ('123.45', '"12"', 'null', 'an array')
    """
    if isinstance(value, Beyond):
        return shortened(value.text)
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    return shortened(json.dumps(value[: SHOWN + 1] if isinstance(value, str) else value, ensure_ascii=False))


def shortened(text: str) -> str:
    """A text of at most SHOWN characters."""
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def nearest(word: str, words: Iterable[str]) -> str:
    """A suggestion for a misspelt word, or nothing.

    >>> nearest("repayment.du", ["repayment.due", "account.debit"])
    'did you mean "repayment.due"?'
    """
    found = difflib.get_close_matches(word[:SHOWN], list(words), n=1)
    return f'did you mean "{found[0]}"?' if found else ""


def expectation(name: str, kind: inspect.Type, extra: dict[str, Any], *, value: object, example: str) -> str:
    """What a field takes, in words; `example` explains minor units."""
    if isinstance(kind, inspect.IntType):
        return _whole_number(name, kind, is_whole=type(value) is int, example=example)
    if isinstance(kind, inspect.StrType):
        return _text(kind, extra.get("check"))
    if isinstance(kind, inspect.LiteralType):
        words = [str(each) for each in kind.values]
        return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    if isinstance(kind, inspect.DateType):
        return f"a date such as 2025-03-05, from {FIRST_DAY} to {LAST_DAY}"
    if isinstance(kind, inspect.DateTimeType):
        return "an instant with offset such as 2025-03-05T09:30:00+08:00"
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    return "an object of names and values" if isinstance(kind, inspect.DictType) else "an array of instalments"


def _whole_number(name: str, kind: inspect.IntType, *, is_whole: bool, example: str) -> str:
    low = kind.gt + 1 if kind.gt is not None else kind.ge
    limits = f" from {low} to {kind.le}" if is_whole else ""
    if name.endswith("_minor"):
        return f"integer minor units{limits} ({example})"
    if name.endswith("_ppm"):
        return f"integer parts per million{limits} (850000 is 0.85)"
    return f"an integer from {low} to {kind.le}"


def _text(kind: inspect.StrType, check: str | None) -> str:
    if check == "currency":
        return "an ISO 4217 currency with minor units such as CNY"
    return f"{kind.min_length or 0} to {kind.max_length} characters of {_CHARACTERS.get(check or '', 'text')}"
