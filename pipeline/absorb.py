"""What one more event of today makes of a value that is known: the same as asking again, without reading the window.

None means: ask again. `row` is the newest of its stream and of today's date, and no event was taken back.
"""

from collections.abc import Callable
from typing import Any

from pipeline.layout import ABSENT
from pipeline.measures import Reach, Source
from pipeline.memory import Memory, Row
from rules.rule import Measure

# (memory, loan or account, row, value known exactly, value known at least) -> both of them after the event
Absorb = Callable[[Memory, str, Row, Any, Any], tuple[Any, Any] | None]


def absorb_of(measure: Measure, source: Source, reach: Reach) -> Absorb | None:
    """How a measure takes in one more event; None where it must be asked again."""
    if reach.fades == "at each look" or measure.verb == "sequence":
        return None
    if reach.last_back:
        return None if measure.verb == "days_since" else _unmoved
    if measure.verb in ("distinct", "average"):
        return None
    if measure.verb == "count":
        return _one_more
    if measure.verb == "days_since":
        return _today
    return _OF_FIELD[measure.verb](source, source.layout.columns[measure.what or ""].offset)


def _unmoved(memory: Memory, key: str, row: Row, value: Any, at_least: Any) -> tuple[Any, Any]:
    """The window ended before today; the event enters it later."""
    return value, at_least


def _one_more(memory: Memory, key: str, row: Row, value: Any, at_least: Any) -> tuple[Any, Any]:
    return value + 1, at_least + 1


def _today(memory: Memory, key: str, row: Row, value: Any, at_least: Any) -> tuple[Any, Any] | None:
    return (0, 0) if value == value else None


def _added(source: Source, offset: int) -> Absorb:
    def absorb(memory: Memory, key: str, row: Row, value: Any, at_least: Any) -> tuple[Any, Any]:
        amount = row[offset]
        return (value, at_least) if amount == ABSENT else (value + amount, at_least + amount)

    return absorb


def _newest(source: Source, offset: int) -> Absorb:
    def absorb(memory: Memory, key: str, row: Row, value: Any, at_least: Any) -> tuple[Any, Any] | None:
        if value != value or not _is_alone(memory, source, key):
            return None
        return (value, at_least) if row[offset] == ABSENT else (row[offset], row[offset])

    return absorb


def _extreme(of: Callable[[int, int], int]) -> Callable[[Source, int], Absorb]:
    def of_field(source: Source, offset: int) -> Absorb:
        def absorb(memory: Memory, key: str, row: Row, value: Any, at_least: Any) -> tuple[Any, Any] | None:
            if value != value or not _is_alone(memory, source, key):
                return None
            known = value if row[offset] == ABSENT else of(value, row[offset])
            return known, known

        return absorb

    return of_field


def _is_alone(memory: Memory, source: Source, key: str) -> bool:
    """Whether one stream is all that is read: facts of several are brought together anew."""
    return bool(key) or len(memory.streams[source.layout.type]) == 1


_OF_FIELD: dict[str, Callable[[Source, int], Absorb]] = {
    "sum": _added,
    "latest": _newest,
    "max": _extreme(max),
    "min": _extreme(min),
}
