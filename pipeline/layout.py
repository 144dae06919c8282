"""How a kept event is packed: one row of 64-bit integers, the same columns for every event of a type.

when     date << 43 | UTC milliseconds: sorts by business date, then by instant
digest   64 bits of the decoded event: tells a repeat from a conflict
...      the numbers, dates and flags of the type, absent ones as ABSENT
texts    up to four texts a column, 15 bits each, as numbers of the borrower's table of names
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.catalogue import attributes_of
from pipeline.events import ATTRIBUTES, CATALOGUE, Scored
from rules.catalogue import Kind

ABSENT = -(1 << 63)
INSTANT_BITS = 43  # 2**43 milliseconds reach the year 2248
INSTANT_MASK = (1 << INSTANT_BITS) - 1
FIXED = 2  # when, digest
ACCOUNT_LATE_DAYS = 100  # how late an account event may be (events.md, dead letters)
TEXT_BITS = 15
TEXT_MASK = (1 << TEXT_BITS) - 1
_EPOCH = date(1970, 1, 1).toordinal()


def when(day: int, at_ms: int) -> int:
    """The sort key of an event: its business date (days since 1970-01-01), then its instant.

    >>> when(1, 5) < when(1, 6) < when(2, 0)
    True
    """
    return day << INSTANT_BITS | at_ms


def day_of(key: int) -> int:
    """The business date of a sort key."""
    return key >> INSTANT_BITS


@dataclass(frozen=True)
class Column:
    """Where a field stands in a row; a text is `shift` bits up in its column."""

    offset: int
    shift: int | None = None  # None: the whole column is the number

    def read(self, value: int) -> int:
        """The number or text code in a column; ABSENT when there is none."""
        if self.shift is None:
            return value
        return (value >> self.shift & TEXT_MASK) or ABSENT


@dataclass(frozen=True)
class Layout:
    """The packing of one type of event."""

    type: str
    kind: Kind
    feed: str  # every model is a feed of its own
    late_limit: int  # an event later than so many days is too old
    columns: dict[str, Column]
    width: int
    pack: Callable[[Any, Callable[[str], int]], tuple[int, ...]]  # (event, number of a name) -> columns after FIXED


@functools.cache
def layout_of(type_name: str) -> Layout:
    """The layout of a type of the catalogue, or of any `model.NAME`."""
    kind = CATALOGUE.model if type_name.startswith("model.") else CATALOGUE.events[type_name]
    attributes = ATTRIBUTES.get(type_name) or attributes_of(Scored)
    numbers = [name for name, field in kind.fields.items() if field.unit != "text"]
    texts = [name for name, field in kind.fields.items() if field.unit == "text"]
    columns = {name: Column(FIXED + i) for i, name in enumerate(numbers)}
    first_text = FIXED + len(numbers)
    columns |= {name: Column(first_text + i // 4, TEXT_BITS * (i % 4)) for i, name in enumerate(texts)}
    width = first_text + (len(texts) + 3) // 4
    pack = _packer([(attributes[n], kind.fields[n].unit) for n in numbers], [attributes[n] for n in texts])
    feed = type_name if type_name.startswith("model.") else kind.feed
    late_limit = ACCOUNT_LATE_DAYS if kind.feed == "account" else kind.kept_days
    return Layout(type_name, kind, feed, late_limit, columns, width, pack)


def _packer(numbers: list[tuple[str, str]], texts: list[str]) -> Callable[..., tuple[int, ...]]:
    """One generated expression a type: reading fields by name in a loop costs four times as much."""
    convert = {"date": "{0}.toordinal() - EPOCH", "flag": "int({0})"}
    parts = [
        f"ABSENT if event.{name} is None else " + convert.get(unit, "{0}").format(f"event.{name}")
        for name, unit in numbers
    ]
    for group in (texts[i : i + 4] for i in range(0, len(texts), 4)):
        parts.append(
            " | ".join(
                f"(0 if event.{name} is None else number(event.{name}) << {TEXT_BITS * i})"
                for i, name in enumerate(group)
            )
        )
    source = f"lambda event, number: ({', '.join(parts)}{',' if parts else ''})"
    packer: Callable[..., tuple[int, ...]] = eval(source, {"ABSENT": ABSENT, "EPOCH": _EPOCH})
    return packer
