"""Which process takes which borrower: borrowers who warn each other go together, all others by their ids."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from zlib import crc32

import msgspec

from pipeline.connected import WARNED_OF_DEFAULTS
from pipeline.events import EVENT_CLASSES
from pipeline.shelf import CompiledShelf
from pipeline.zone import Zone

# Records of no borrower go to every shard, whatever else stands in them.
_FOR_ALL = frozenset(name for name, each in EVENT_CLASSES.items() if "borrower_id" not in each.__struct_fields__)


class Head(msgspec.Struct, gc=False):
    """The part of a record that says whose it is, and of which date at most."""

    type: str
    borrower_id: str
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    business_date: msgspec.Raw = msgspec.Raw()


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One of so many parts of the borrowers."""

    number: int = 0
    of: int = 1
    together: dict[str, str] = {}  # borrower -> the first of those it is tied to

    def owns(self, borrower_id: str) -> bool:
        """Whether a borrower is in this part."""
        return self.of == 1 or crc32(self.together.get(borrower_id, borrower_id).encode()) % self.of == self.number


class Foreign:
    """Tells records that change nothing in a shard: those of another one's borrowers, which begin no day either."""

    def __init__(self, shard: Shard, zone: Zone, *, closes_by_record: bool) -> None:
        self._shard = shard
        self._zone = zone
        self._closes_by_record = closes_by_record
        self._open: int | None = None
        self._end = zone.instant(0)
        self._owned: dict[str, bool] = {}  # one look a borrower

    def is_passed(self, raw: bytes, open_day: int | None) -> bool:
        """Whether a record may be passed over while a day is open; one that is not understood may not."""
        if open_day is None:
            return False
        try:
            head = _HEAD(raw)
        except (ValueError, RecursionError):
            return False
        if head.type in _FOR_ALL or self.owns(head.borrower_id):
            return False
        return self._closes_by_record or self._is_of(head, open_day)

    def owns(self, borrower_id: str) -> bool:
        """Whether a borrower is in the shard."""
        owned = self._owned.get(borrower_id)
        if owned is None:
            owned = self._owned[borrower_id] = self._shard.owns(borrower_id)
        return owned

    def _is_of(self, head: Head, open_day: int) -> bool:
        """Whether a record is of the open day, or of an earlier one, for certain."""
        if head.at is None or len(head.business_date):
            return False
        if open_day != self._open:
            self._open, self._end = open_day, self._zone.instant(self._zone.end_of(open_day))
        return head.at <= self._end


def shards(
    count: int, shelf: CompiledShelf, ties: Iterable[tuple[str, str, str]], *others: CompiledShelf
) -> list[Shard]:
    """Parts of all borrowers, of which none warns a borrower of another one, whichever of the shelves decides."""
    kinds = frozenset(WARNED_OF_DEFAULTS).union(
        *(kinds for each in (shelf, *others) for kinds in each.spreads.values())
    )
    together = tied((one, other) for kind, one, other in ties if kind in kinds)
    return [Shard(number=number, of=count, together=together) for number in range(count)]


def tied(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Everybody of any pair, with the first by id of all whom a chain of pairs leads to.

    >>> tied([("B3", "B2"), ("B7", "B8"), ("B1", "B3")])
    {'B3': 'B1', 'B2': 'B1', 'B7': 'B7', 'B8': 'B7', 'B1': 'B1'}
    """
    above: dict[str, str] = {}

    def first(borrower_id: str) -> str:
        path = []
        while (next_up := above.setdefault(borrower_id, borrower_id)) != borrower_id:
            path.append(borrower_id)
            borrower_id = next_up
        for each in path:
            above[each] = borrower_id
        return borrower_id

    for one, other in pairs:
        low, high = sorted((first(one), first(other)))
        above[high] = low
    return {each: first(each) for each in list(above)}


_HEAD = msgspec.json.Decoder(Head).decode
