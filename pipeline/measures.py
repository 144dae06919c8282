"""Every measure of a rule as a function of memory: exact integers, or unknown.

A value is a pair: what is known exactly, and what is known at least. Unknown is NAN, since every comparison with it is
false and every sum with it is NAN again; the pair differs only for a window that is known in part.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from pipeline.events import RANK
from pipeline.layout import ABSENT, INSTANT_BITS, INSTANT_MASK, Layout, day_of, layout_of
from pipeline.look import Look
from pipeline.memory import Memory, Stream
from pipeline.selectors import Picker, Scale, picker_of
from rules.catalogue import Field
from rules.rule import Measure, Selector

NAN = math.nan
FOREVER = 1 << 40
Value = tuple[Any, Any, int]  # known exactly, known at least, and the first date on which it may differ by itself
Meter = Callable[[Memory, str, Look], Value]  # memory, loan or account ("" for the borrower), look
SIGNED = frozenset({"balance", "profit", "equity"})  # amounts of any sign: their sum is no lower bound


class Window(NamedTuple):
    """When a measure's events lie: dates from and to (inclusive), and for hours the instants (open, closed).

    `last` is None where the window reaches up to now: nothing that is kept is later.
    """

    first: int
    last: int | None = None
    after_ms: int | None = None
    until_ms: int = 0


class Reach(NamedTuple):
    """How far a measure looks back, and how its value fades when nothing happens.

    A value changes by itself when its oldest event leaves the window, or when one enters that `ending` keeps out of it.
    A sequence that ended is asked again each day, a window in hours at each look.
    """

    window_at: Callable[[Look], Window]
    back: int  # days from today to the first date of the window
    last_back: int  # and to its last
    fades: Literal["with its events", "daily", "at each look"]

    def until(self, today: int, oldest: int, full_on: int, next_in: int = FOREVER) -> int:
        """The first date on which a value may differ.

        `oldest` is the date of the first event inside, `next_in` that of the first one after the window's end; for
        `full_on` see there.
        """
        if self.fades == "with its events":
            leaves = min(oldest + self.back + 1, next_in + self.last_back)
            return leaves if full_on == 0 or leaves < full_on else full_on
        return today + 1 if self.fades == "daily" else today


def reach_of(measure: Measure, kept_days: int) -> Reach:
    """The reach of a measure; without `over` it reads all that is kept."""
    over, ending = measure.over or measure.within, measure.ending
    if over is None:
        return Reach(_by_date(kept_days, 0), kept_days, 0, "with its events")
    if over.days is not None and (ending is None or ending.days is not None):
        last_back = 0 if ending is None else ending.days or 0
        # A sequence is inclusive: its first step may be as old as `within`.
        back = last_back + over.days - (measure.verb != "sequence")
        is_ended_sequence = measure.verb == "sequence" and last_back > 0
        return Reach(_by_date(back, last_back), back, last_back, "daily" if is_ended_sequence else "with its events")
    until = 0 if ending is None else ending.milliseconds
    length_ms = over.milliseconds + (1 if measure.verb == "sequence" else 0)

    def hours(look: Look) -> Window:
        end = look.now - until
        # An event may carry a business date far from its instant's own, so every kept date is searched.
        return Window(look.day.date - kept_days, None, end - length_ms, end)

    return Reach(hours, 0, 0, "at each look")


def _by_date(first_back: int, last_back: int) -> Callable[[Look], Window]:
    latest = (-1, Window(0))  # every borrower is looked at on the same day, so the last window is kept

    def days(look: Look) -> Window:
        nonlocal latest
        today = look.day.date
        if latest[0] != today:
            latest = (today, Window(today - first_back, today - last_back if last_back else None))
        return latest[1]

    return days


def full_on(memory: Memory, look: Look, window: Window, back: int, feeds: Sequence[str]) -> int:
    """0 when every feed is known since before the window began; else the date on which that will be so."""
    first = window.first if window.after_ms is None else look.date_of(window.after_ms + 1)
    latest = 0
    for feed in feeds:
        known = look.known_from(memory, feed)
        if known is None:
            return FOREVER
        if known > first:
            latest = max(latest, known + back)
    return latest


class Source(NamedTuple):
    """The rows of one selector."""

    layout: Layout
    feed: str  # every model is a feed of its own
    pick: Picker
    texts: tuple[str, ...]

    def codes(self, memory: Memory) -> tuple[int, ...]:
        """The numbers of the texts for this borrower; a text never seen matches nothing."""
        return tuple([memory.codes.get(text, -1) for text in self.texts]) if self.texts else ()

    def streams(self, memory: Memory, key: str) -> Iterable[Stream]:
        """The stream of one loan or account, or all streams of the borrower."""
        by_key = memory.streams.get(self.layout.type)
        if by_key is None:
            return ()
        if key:
            stream = by_key.get(key)
            return () if stream is None else (stream,)
        return by_key.values()

    def rows(self, memory: Memory, stream: Stream, window: Window) -> Sequence[int]:
        """Where the matching rows inside the window begin."""
        rows, width = stream.rows, self.layout.width
        first, last, after_ms, until_ms = window
        keys = rows[::width]
        start = bisect_left(keys, first << INSTANT_BITS) if first > 0 else 0
        end = len(keys) if last is None else bisect_left(keys, (last + 1) << INSTANT_BITS)
        if start >= end:
            return ()
        found = self.pick(rows, start * width, end * width, self.codes(memory))
        if after_ms is not None:
            found = [i for i in found if after_ms < (rows[i] & INSTANT_MASK) <= until_ms]
        return found

    def next_in(self, memory: Memory, key: str, window: Window) -> int:
        """The date of the first matching event after the window's end; FOREVER when there is none."""
        if window.last is None:
            return FOREVER
        width, codes, first = self.layout.width, self.codes(memory), FOREVER
        for stream in self.streams(memory, key):
            rows = stream.rows
            start = bisect_left(rows[::width], (window.last + 1) << INSTANT_BITS) * width
            found = self.pick(rows, start, len(rows), codes)
            if found:
                first = min(first, day_of(rows[found[0]]))
        return first


def source_of(selector: Selector, scale: Scale) -> Source:
    """The rows of a selector."""
    layout = layout_of(selector.event)
    pick, texts = picker_of(layout, selector.where, scale)
    return Source(layout, layout.feed, pick, texts)


def rational(total: int, n: int) -> Any:
    """A whole number where the division is even, else a fraction."""
    return total // n if total % n == 0 else Fraction(total, n)


class Totals(NamedTuple):
    """What the daily totals hold of a window, and the dates at which that changes."""

    events: int = 0
    amount: int = 0
    oldest: int = FOREVER  # the first date inside
    next_in: int = FOREVER  # the first date after the window's end


def total_of(memory: Memory, source: Source, key: str, window: Window) -> Totals:
    """The daily totals inside a window: what was kept one by one until it grew old."""
    by_account = memory.totals.get(source.layout.type)
    if not by_account:
        return Totals()
    events, amount, oldest, next_in = Totals()
    codes = source.codes(memory)
    for account, by_category in by_account.items():
        if key and account != key:
            continue
        for category, rows in by_category.items():
            if source.pick(_category_row(source.layout, category), 0, source.layout.width, codes):
                for i in range(0, len(rows), 3):
                    if window.last is not None and rows[i] > window.last:
                        next_in = min(next_in, rows[i])
                        break  # they are in the order of dates
                    if window.first <= rows[i]:
                        events += rows[i + 1]
                        amount += rows[i + 2]
                        oldest = min(oldest, rows[i])
    return Totals(events, amount, oldest, next_in)


def _category_row(layout: Layout, category: int) -> "array[int]":
    row = array("q", [ABSENT] * layout.width)
    column = layout.columns["category"]
    row[column.offset] = category << (column.shift or 0)
    return row


def each_in_order(
    memory: Memory, sources: Sequence[Source], key: str, window: Window
) -> Iterator[tuple[int, set[int]]]:
    """Every event of several selectors in the order of (date, instant, topic rank, id), with the steps it matches."""
    found: dict[tuple[int, int, str], set[int]] = {}
    for step, source in enumerate(sources):
        rank = RANK.get(source.layout.kind.feed, RANK["models"])
        for stream in source.streams(memory, key):
            tokens = stream.tokens()
            for i in source.rows(memory, stream, window):
                place = (stream.rows[i], rank, tokens[i // source.layout.width])
                found.setdefault(place, set()).add(step)
    for place in sorted(found):
        yield place[0], found[place]


def unknown_until(date: int) -> Value:
    """Nothing is known, before a date at least."""
    return NAN, NAN, date


def bring_together(facts: list[Any], across: str, field: Field) -> Any:
    """One value of several loans or accounts: the worst by the field's direction, their sum or their average."""
    match across:
        case "sum":
            return sum(facts)
        case "average":
            return rational_of(sum(facts), len(facts))
    return max(facts) if field.worse == "high" else min(facts)


def rational_of(total: Any, n: int) -> Any:
    """The average of numbers that may be fractions."""
    return rational(total, n) if isinstance(total, int) else total / n
