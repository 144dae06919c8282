"""The moment at which a borrower is looked at, and the day it belongs to."""

from collections.abc import Callable

import msgspec

from pipeline.layout import day_of
from pipeline.memory import Memory

EVER = -1  # a feed that is known from ever


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A business day as the shell sees it.

    `figures` and `rates` are the published macro and fx figures in parts per million, the latest known.
    """

    date: int  # days since 1970-01-01
    missing: frozenset[str] = frozenset()  # feeds that the bank called missing
    figures: dict[str, int] = {}
    rates: dict[str, int] = {}

    def next(self) -> "Day":
        """The day after, all feeds present until somebody says otherwise."""
        return msgspec.structs.replace(self, date=self.date + 1, missing=frozenset())


class Look(msgspec.Struct, frozen=True, gc=False):
    """One look: the day, the instant, and what is known of the feeds' beginnings."""

    day: Day
    now: int  # UTC milliseconds
    date_of: Callable[[int], int]  # business date of an instant
    history: dict[str, int]  # feed -> configured first date; "" for every other feed

    def known_from(self, memory: Memory, feed: str) -> int | None:
        """First date that a feed of this borrower is known for; EVER, or None when nothing of it is known."""
        first = memory.head.known.get(feed)
        if not self.history:
            return None if first is None else first[0]
        configured = self.history.get(feed, self.history.get(""))
        if first is None:
            return configured
        return first[0] if configured is None else min(first[0], configured)


def note_feed(memory: Memory, feed: str, key: int, *, is_from_ever: bool) -> bool:
    """Remember the first business date of a feed: the earliest by (date, instant), whatever arrives first.

    True when that changed what is known.
    """
    first = memory.head.known.get(feed)
    if first is None or key < first[1] or (key == first[1] and is_from_ever):
        memory.tail = None
        memory.head.known[feed] = (EVER if is_from_ever else day_of(key), key)
        return True
    return False
