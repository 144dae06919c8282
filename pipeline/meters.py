"""Each verb of the rule language as a meter: a function from a borrower's memory to a value at one look."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pipeline.absorb import Absorb, absorb_of
from pipeline.layout import ABSENT, day_of
from pipeline.ledger_meters import Setting, macro_meter, now_meter
from pipeline.look import Look
from pipeline.measures import (
    FOREVER,
    NAN,
    SIGNED,
    Meter,
    Reach,
    Source,
    Value,
    bring_together,
    each_in_order,
    full_on,
    rational,
    reach_of,
    source_of,
    total_of,
    unknown_until,
)
from pipeline.memory import Memory
from rules.catalogue import Field
from rules.rule import Measure


class Compiled(NamedTuple):
    """A measure ready to be asked."""

    measure: Measure
    meter: Meter
    scale: int  # what divides the kept integer into the rule's unit
    feeds: tuple[str, ...]
    reach: Reach | None
    per_key: bool  # asked for one loan or account, not for the borrower
    absorb: Absorb | None = None
    grows: bool = False  # by one a day while nothing happens


def compile_measure(measure: Measure, per: str, setting: Setting) -> Compiled:
    """The meter of a measure under a rule's `per`."""
    per_key = per != "borrower_id" and not measure.of_borrower and measure.verb != "macro"
    if measure.verb == "macro":
        return Compiled(measure, macro_meter(measure.what or ""), 1_000_000, (), None, False)
    if measure.verb == "now":
        fact = setting.catalogue.facts[measure.what or ""]
        return Compiled(measure, now_meter(measure, fact, setting), setting.scale(fact), ("repayment",), None, per_key)
    sources = [source_of(selector, setting.scale) for selector in measure.select]
    feeds = tuple(dict.fromkeys(source.feed for source in sources))
    source, kind = sources[0], sources[0].layout.kind
    kept = min(each.layout.kind.kept_days for each in sources)
    reach = reach_of(measure, kept)
    field = kind.fields.get(measure.what or "")
    core: Meter
    if measure.verb == "sequence":
        core = _sequence(sources, reach, feeds)
    elif measure.verb in _LOWER_BOUNDS:
        core = _LOWER_BOUNDS[measure.verb](measure, source, reach, feeds)
    elif measure.verb == "days_since":
        core = _days_since(measure, source, reach, feeds)
    else:
        assert field is not None
        core = _fact(measure, source, field, reach, feeds)
    scale = setting.scale(field) if field is not None and measure.verb != "distinct" else 1
    absorb = absorb_of(measure, source, reach)
    return Compiled(measure, core, scale, feeds, reach, per_key, absorb, measure.verb == "days_since")


# -- windows over events ----------------------------------------------------


def _count(measure: Measure, source: Source, reach: Reach, feeds: tuple[str, ...]) -> Meter:
    has_totals = _reaches_totals(reach, source)

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        n, oldest, next_in = 0, FOREVER, source.next_in(memory, key, window)
        for stream in source.streams(memory, key):
            found = source.rows(memory, stream, window)
            if found:
                n += len(found)
                oldest = min(oldest, day_of(stream.rows[found[0]]))
        if has_totals:
            totals = total_of(memory, source, key, window)
            n, oldest, next_in = n + totals.events, min(oldest, totals.oldest), min(next_in, totals.next_in)
        full = full_on(memory, look, window, reach.back, feeds)
        until = reach.until(look.day.date, oldest, full, next_in)
        return n if full == 0 else NAN, n, until

    return meter


def _sum(measure: Measure, source: Source, reach: Reach, feeds: tuple[str, ...]) -> Meter:
    offset = source.layout.columns[measure.what or ""].offset
    is_bound = source.layout.kind.fields[measure.what or ""].unit == "amount" and measure.what not in SIGNED
    has_totals = _reaches_totals(reach, source)

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        total, oldest, next_in = 0, FOREVER, source.next_in(memory, key, window)
        for stream in source.streams(memory, key):
            rows = stream.rows
            found = source.rows(memory, stream, window)
            if found:
                oldest = min(oldest, day_of(rows[found[0]]))
                total += sum([v for i in found if (v := rows[i + offset]) != ABSENT])
        if has_totals:
            totals = total_of(memory, source, key, window)
            total, oldest, next_in = total + totals.amount, min(oldest, totals.oldest), min(next_in, totals.next_in)
        full = full_on(memory, look, window, reach.back, feeds)
        until = reach.until(look.day.date, oldest, full, next_in)
        return total if full == 0 else NAN, total if is_bound or full == 0 else NAN, until

    return meter


def _reaches_totals(reach: Reach, source: Source) -> bool:
    """Whether a window is longer than the events are kept one by one."""
    return source.layout.kind.totals_days > 0 and reach.back >= source.layout.kind.kept_days


def _distinct(measure: Measure, source: Source, reach: Reach, feeds: tuple[str, ...]) -> Meter:
    column = source.layout.columns[measure.what or ""]

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        seen: set[int] = set()
        oldest = FOREVER
        for stream in source.streams(memory, key):
            found = source.rows(memory, stream, window)
            if found:
                oldest = min(oldest, day_of(stream.rows[found[0]]))
                seen.update([column.read(stream.rows[i + column.offset]) for i in found])
        seen.discard(ABSENT)
        n = len(seen)
        full = full_on(memory, look, window, reach.back, feeds)
        until = reach.until(look.day.date, oldest, full, source.next_in(memory, key, window))
        return n if full == 0 else NAN, n, until

    return meter


_LOWER_BOUNDS = {"count": _count, "sum": _sum, "distinct": _distinct}


def _days_since(measure: Measure, source: Source, reach: Reach, feeds: tuple[str, ...]) -> Meter:
    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        today, latest = look.day.date, -1
        for stream in source.streams(memory, key):
            found = source.rows(memory, stream, window)
            if found:
                latest = max(latest, day_of(stream.rows[found[-1]]))
        next_in = source.next_in(memory, key, window)
        if latest < 0:
            return unknown_until(reach.until(today, FOREVER, 0, next_in))
        full = full_on(memory, look, window, reach.back, feeds) if measure.over is not None else 0
        if full:
            return unknown_until(reach.until(today, latest, full, next_in))
        return today - latest, today - latest, reach.until(today, latest, 0, next_in)

    return meter


def _sequence(sources: Sequence[Source], reach: Reach, feeds: tuple[str, ...]) -> Meter:
    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        step, oldest = 0, FOREVER
        for place, matches in each_in_order(memory, sources, key, window):
            oldest = min(oldest, day_of(place))
            if step in matches:
                step += 1
                if step == len(sources):
                    return True, True, reach.until(look.day.date, oldest, 0)
        full = full_on(memory, look, window, reach.back, feeds)
        answer = NAN if full else False
        return answer, answer, reach.until(look.day.date, oldest, full)

    return meter


# -- facts of a loan or an account ------------------------------------------

Fact = tuple[Any, int]  # of one stream, and where the row begins that takes it out of the window with it
OfRows = Callable[
    [Sequence[int], Sequence[int], int], Fact | None
]  # rows, where those inside begin, offset of the field


def _fact(measure: Measure, source: Source, field: Field, reach: Reach, feeds: tuple[str, ...]) -> Meter:
    """`latest`, `average`, `min` and `max`: of one stream, or of several brought together by `across`."""
    offset = source.layout.columns[field.name].offset
    across, is_windowed = measure.across, measure.over is not None
    may_bound = measure.verb == "max" and (across is None or (across == "worst" and field.worse == "high"))
    of_rows = _OF_ROWS[measure.verb]
    if measure.verb == "average" and _reaches_totals(reach, source):
        return _long_average(measure, source, field, reach, feeds)

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        facts, first_out = [], FOREVER
        for stream in source.streams(memory, key):
            found = source.rows(memory, stream, window)
            fact = of_rows(stream.rows, found, offset) if found else None
            if fact is not None:
                facts.append(fact[0])
                first_out = min(first_out, day_of(stream.rows[fact[1]]))
        full = full_on(memory, look, window, reach.back, feeds) if is_windowed else 0
        until = reach.until(look.day.date, first_out, full, source.next_in(memory, key, window))
        if not facts:
            return unknown_until(until)
        value = facts[0] if across is None or len(facts) == 1 else bring_together(facts, across, field)
        if full == 0:
            return value, value, until
        return (NAN, value, until) if may_bound else unknown_until(until)

    return meter


def _long_average(measure: Measure, source: Source, field: Field, reach: Reach, feeds: tuple[str, ...]) -> Meter:
    """The average of a window that reaches into daily totals, account by account."""
    offset = source.layout.columns[field.name].offset
    across = measure.across or "average"

    def meter(memory: Memory, key: str, look: Look) -> Value:
        window = reach.window_at(look)
        streams = memory.streams.get(source.layout.type, {})
        accounts = [key] if key else sorted({*streams, *memory.totals.get(source.layout.type, {})})
        facts, oldest, next_in = [], FOREVER, source.next_in(memory, key, window)
        for account in accounts:
            values: list[int] = []
            if account in streams:
                rows = streams[account].rows
                found = source.rows(memory, streams[account], window)
                oldest = min(oldest, day_of(rows[found[0]])) if found else oldest
                values = [v for i in found if (v := rows[i + offset]) != ABSENT]
            totals = total_of(memory, source, account, window)
            oldest, next_in = min(oldest, totals.oldest), min(next_in, totals.next_in)
            n = totals.events + len(values)
            if n:
                facts.append(rational(totals.amount + sum(values), n))
        full = full_on(memory, look, window, reach.back, feeds)
        until = reach.until(look.day.date, oldest, full, next_in)
        if not facts or full:
            return unknown_until(until)
        value = facts[0] if len(facts) == 1 else bring_together(facts, across, field)
        return value, value, until

    return meter


def _latest(rows: Sequence[int], found: Sequence[int], offset: int) -> Fact | None:
    for i in reversed(found):
        if rows[i + offset] != ABSENT:
            return rows[i + offset], i
    return None


def _average(rows: Sequence[int], found: Sequence[int], offset: int) -> Fact | None:
    values = [v for i in found if (v := rows[i + offset]) != ABSENT]
    return (rational(sum(values), len(values)), found[0]) if values else None


def _extreme(of: Callable[[list[int]], int]) -> OfRows:
    def of_rows(rows: Sequence[int], found: Sequence[int], offset: int) -> Fact | None:
        values = [v for i in found if (v := rows[i + offset]) != ABSENT]
        if not values:
            return None
        extreme = of(values)
        return extreme, next(i for i in reversed(found) if rows[i + offset] == extreme)

    return of_rows


_OF_ROWS: dict[str, OfRows] = {
    "latest": _latest,
    "average": _average,
    "min": _extreme(min),
    "max": _extreme(max),
}
