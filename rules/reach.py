"""How far back a measure looks, and whether what is kept of its events can answer it."""

from rules.catalogue import Kind
from rules.notes import Notes
from rules.rule import And, Comparison, Condition, Holds, Measure, Name, Not, Or, Span
from rules.yaml_text import Path


def whole_days(span: Span | None) -> int:
    """The dates that a time touches, hours rounded up.

    >>> whole_days(Span(8, "w")), whole_days(Span(36, "h")), whole_days(None)
    (56, 2, 0)
    """
    if span is None:
        return 0
    return span.days if span.days is not None else -(-span.count // 24)


def check_reach(measure: Measure, kinds: list[Kind], path: Path, note: Notes) -> None:
    """Note a window that reaches back beyond what is kept."""
    option = "within" if measure.verb == "sequence" else "over"
    reach = reach_days(measure)
    for kind in kinds:
        longest = longest_reach(measure, kind)
        if reach > longest:
            ends = " with its 'ending'" if measure.ending is not None else ""
            also = ""
            if longest < kind.totals_days:
                also = f", and for {kind.totals_days} as daily totals by category, which do not answer this"
            note(
                (*path, option),
                f"expected at most {longest}d{ends}, got {reach}d; {kind.name!r} is kept for {longest} days{also}",
            )
            return


def reach_days(measure: Measure) -> int:
    """How many dates back a measure looks."""
    window = measure.within if measure.verb == "sequence" else measure.over
    return whole_days(window) + whole_days(measure.ending)


def longest_reach(measure: Measure, kind: Kind) -> int:
    """How many dates back memory can answer a measure over a type of event."""
    return max(kind.kept_days, kind.totals_days) if _is_answered_by_totals(measure) else kind.kept_days


def _is_answered_by_totals(measure: Measure) -> bool:
    """Whether daily totals of amounts by category are enough."""
    if measure.over is None or measure.over.unit == "h":
        return False
    if measure.verb != "count" and (measure.verb not in ("sum", "average") or measure.what != "amount"):
        return False
    where = measure.select[0].where
    return where is None or _asks_category_only(where)


def _asks_category_only(condition: Condition) -> bool:
    match condition:
        case And(parts) | Or(parts):
            return all(_asks_category_only(part) for part in parts)
        case Not(of):
            return _asks_category_only(of)
        case Comparison(_, left, right):
            return Name("category") in (left, right)
        case Holds():
            return False
