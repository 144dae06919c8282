"""What is remembered of one borrower, and how it is frozen into a head and a tail.

head   ledger, episodes, tasks, clocks, and the events since the last roll: written whenever the borrower is touched
tail   all older kept events and the daily totals: written only on a roll
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

import msgspec
import zstandard

from pipeline.decode import Arrival
from pipeline.layout import INSTANT_BITS, TEXT_MASK, Layout, layout_of
from pipeline.ledger import Loan

VERSION = 1
FRESH_LIMIT = 8  # events in the head before they roll into the tail: more make the head dear, fewer the rolls
Row = tuple[int, ...]


class Episode(msgspec.Struct, array_like=True, gc=False):
    """One life after another of a rule for one key; `n` counts the openings."""

    rule: str
    key: str  # the loan, account or borrower
    per: str
    status: str  # the rule's status, version, hash and shape when this was last looked at: a change has consequences
    version: int
    hash: int
    shape: int
    n: int = 0
    state: str = "closed"  # closed, pending, open
    since: int = 0  # the date the condition became true (pending)
    opened_on: int | None = None  # the last opening; `quiet` counts from it
    severity: int = -1  # the highest of this life; of the last one when closed
    told: int = -1  # the severity last written to alerts; -1: nothing was
    false_since: int | None = None
    unknown_since: int | None = None
    closed_on: int | None = None

    def mark(self) -> tuple[object, ...]:
        """All that may change, to see whether it did."""
        return (self.state, self.since, self.severity, self.told, self.false_since, self.unknown_since, self.n)


class Task(msgspec.Struct, array_like=True, gc=False):
    """The one task of a queue for this borrower."""

    n: int = 0
    revision: int = 0
    is_open: bool = False
    has_begun: bool = False
    action: str = ""
    due_by: str = ""
    alerts: dict[str, tuple[int, str, str]] = {}  # episode -> severity, action, due_by


class Waiting(msgspec.Struct, array_like=True, gc=False):
    """A payment before its loan, or a reversal before its target: kept for some days."""

    since: int
    token: str
    digest: int
    arrival: Arrival


class Fresh(msgspec.Struct, array_like=True, gc=False):
    """A kept event that is not yet in the tail; type, loan or account, and source are numbers of names."""

    type: int
    key: int
    id: str
    source: int
    row: Row


class Head(msgspec.Struct, array_like=True, gc=False):
    """The part of memory that is written whenever a borrower is touched."""

    names: list[str] = msgspec.field(default_factory=lambda: [""])  # texts of kept events; 0 is none
    clock: int = 0  # the latest instant this borrower was looked at, UTC milliseconds
    known: dict[str, tuple[int, int]] = {}  # feed -> first date known (or ever), sort key of its first event
    loans: dict[str, Loan] = {}
    accounts: list[str] = []
    episodes: dict[str, Episode] = {}  # `rule/key`
    tasks: dict[str, Task] = {}
    snoozed: dict[str, int] = {}  # rule -> until
    waiting: list[Waiting] = []
    void_misses: dict[str, list[tuple[Row, str]]] = {}  # loan -> misses that count no more, with their tokens
    void: dict[str, tuple[int, int]] = {}  # token of an event that counts no more -> its date, its digest
    parked: list[Arrival] = []
    related: dict[str, str] = {}  # related borrower -> kind
    fresh: list[Fresh] = []  # the events since the last roll
    shelf: str = ""


def token_of(event_id: str, source: str) -> str:
    """How an event is known to a borrower's memory; tokens sort by id, then by source."""
    return f"{event_id}\t{source}"


class Stream:
    """The kept events of one type and one loan or account, in the order of (date, instant, id)."""

    __slots__ = ("ids", "layout", "rows")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.rows = array("q")
        self.ids = "\n"  # one token a row, each ended by a newline: a search in one text is the fastest dedupe

    def __len__(self) -> int:
        return len(self.rows) // self.layout.width

    def insert(self, row: Row, token: str) -> None:
        """Put a row where its date, instant and id say."""
        width = self.layout.width
        rows = self.rows
        if not rows or row[0] > rows[-width]:
            rows.extend(row)
            self.ids += token + "\n"
            return
        at = bisect_left(rows[::width], row[0])
        tokens = self.tokens()
        while at < len(tokens) and rows[at * width] == row[0] and tokens[at] < token:
            at += 1
        rows[at * width : at * width] = array("q", row)
        tokens.insert(at, token)
        self._set_tokens(tokens)

    def ends_with(self, row: Row) -> bool:
        """Whether the last row is this one."""
        width, rows = self.layout.width, self.rows
        return len(rows) > 0 and rows[-width] == row[0] and rows[1 - width] == row[1]

    def tokens(self) -> list[str]:
        """The token of every row."""
        return self.ids[1:-1].split("\n") if len(self.ids) > 1 else []

    def take(self, token: str) -> Row:
        """Remove the row of a token and return it."""
        tokens = self.tokens()
        at = tokens.index(token)
        width = self.layout.width
        row = tuple(self.rows[at * width : (at + 1) * width])
        del self.rows[at * width : (at + 1) * width]
        del tokens[at]
        self._set_tokens(tokens)
        return row

    def cut(self, before: int) -> list[tuple[Row, str]]:
        """Remove and return the rows of dates before a date."""
        width = self.layout.width
        n = bisect_left(self.rows[::width], before << INSTANT_BITS)
        tokens = self.tokens()
        gone = [(tuple(self.rows[i * width : (i + 1) * width]), tokens[i]) for i in range(n)]
        del self.rows[: n * width]
        self._set_tokens(tokens[n:])
        return gone

    def since(self, key: int) -> Iterator[Row]:
        """The rows from a sort key on, latest first."""
        width = self.layout.width
        for i in range(len(self.rows) - width, -1, -width):
            if self.rows[i] < key:
                return
            yield tuple(self.rows[i : i + width])

    def each(self) -> Iterator[tuple[Row, str]]:
        """Every row with its token, oldest first."""
        width = self.layout.width
        for i, token in enumerate(self.tokens()):
            yield tuple(self.rows[i * width : (i + 1) * width]), token

    def _set_tokens(self, tokens: list[str]) -> None:
        self.ids = "\n" + "".join(t + "\n" for t in tokens)


class Memory:
    """All that is remembered of one borrower; it belongs to the caller and is changed in place by `step`."""

    __slots__ = (
        "asleep_until", "borrower_id", "codes", "head", "ids", "is_touched",
        "owes", "pruned_on", "quiet_until", "sheets", "streams", "tail", "totals",
    )  # fmt: skip

    def __init__(self, borrower_id: str) -> None:
        self.borrower_id = borrower_id
        self.is_touched = False  # whether anything changed since the owner last froze it; the owner takes it back
        # Conveniences, never frozen: without them the same is found again, only slower.
        self.sheets: dict[tuple[int, str], Any] = {}  # values that measures had (pipeline.sheet)
        self.owes = True  # whether an open episode may still have to be told
        self.quiet_until = 0  # the first date on which the ledger may change by itself
        self.pruned_on = -1  # the last date on which it was looked for events too old to keep
        self.asleep_until = 0  # the first date whose close may bring anything at all
        self.ids = "\n"  # tokens of all kept events, perhaps of some that are gone: one search says what is surely new
        self.head = Head()
        self.codes = {"": 0}
        self.streams: dict[str, dict[str, Stream]] = {}  # type -> loan, account or "" -> rows
        self.totals: dict[str, dict[str, dict[int, array[int]]]] = {}  # type -> account -> category -> date, count, sum
        self.tail: bytes | None = None  # as last frozen; None: it must be written again

    def number(self, text: str) -> int:
        """The number of a text in this borrower's table of names; a new text is entered."""
        code = self.codes.get(text)
        if code is None:
            if len(self.head.names) > TEXT_MASK:
                return 0  # no borrower has so many; what is beyond them counts as absent
            code = len(self.head.names)
            self.codes[text] = code
            self.head.names.append(text)
        return code

    def recollect_ids(self) -> None:
        """Gather the tokens of all kept events again."""
        self.ids = "\n" + "".join([s.ids[1:] for by_key in self.streams.values() for s in by_key.values()])

    def find(self, token: str) -> tuple[Stream, str] | None:
        """The stream that holds a token, and its type; None when it is not kept."""
        needle = f"\n{token}\n"
        for type_name, by_key in self.streams.items():
            for stream in by_key.values():
                if needle in stream.ids:
                    return stream, type_name
        return None

    def stream(self, layout: Layout, key: str) -> Stream:
        """The stream of a type and a loan or account, made when missing."""
        by_key = self.streams.setdefault(layout.type, {})
        stream = by_key.get(key)
        if stream is None:
            stream = by_key[key] = Stream(layout)
        return stream

    def keep(self, layout: Layout, key: str, row: Row, token: str) -> None:
        """Keep one event."""
        by_key = self.streams.get(layout.type)
        stream = None if by_key is None else by_key.get(key)
        if stream is None:
            stream = self.stream(layout, key)
        stream.insert(row, token)
        self.ids += token + "\n"
        event_id, source = token.split("\t")
        number = self.number
        if "#" in source:  # a derived event, known by its date as well: its source is no name to remember
            event_id, source = token, ""
        self.head.fresh.append(Fresh(number(layout.type), number(key), event_id, number(source), row))


def freeze(memory: Memory) -> tuple[bytes, bytes]:
    """Memory as two records, head and tail; the tail is the same object as before unless it had to be rolled.

    The first byte of each is the version of the format.
    """
    if memory.tail is None or len(memory.head.fresh) > FRESH_LIMIT:
        memory.head.fresh = []
        memory.tail = _freeze_tail(memory)
    return bytes((VERSION,)) + _ENCODER.encode(memory.head), memory.tail


def thaw(borrower_id: str, head: bytes, tail: bytes) -> Memory:
    """The memory that was frozen.

    Raises ValueError for a version that this release does not read.
    """
    for part in (head, tail):
        if part[:1] != bytes((VERSION,)):
            raise ValueError(
                f"memory of {borrower_id}: expected format {VERSION}, got {part[:1]!r}; use the release that wrote it"
            )
    memory = Memory(borrower_id)
    memory.head = _HEAD.decode(memoryview(head)[1:])
    memory.codes = {name: i for i, name in enumerate(memory.head.names)}
    _thaw_tail(memory, tail)
    memory.tail = tail
    names = memory.head.names
    for each in memory.head.fresh:
        stream = memory.stream(layout_of(names[each.type]), names[each.key])
        stream.insert(each.row, token_of(each.id, names[each.source]) if each.source else each.id)
    memory.recollect_ids()
    return memory


def _freeze_tail(memory: Memory) -> bytes:
    streams = [
        (type_name, key, stream.layout.width, stream.rows.tobytes(), stream.ids)
        for type_name, by_key in memory.streams.items()
        for key, stream in by_key.items()
        if stream.rows
    ]
    totals = [
        (type_name, account, category, rows.tobytes())
        for type_name, by_account in memory.totals.items()
        for account, by_category in by_account.items()
        for category, rows in by_category.items()
    ]
    return bytes((VERSION,)) + _COMPRESSOR.compress(_ENCODER.encode((streams, totals)))


def _thaw_tail(memory: Memory, tail: bytes) -> None:
    streams, totals = _TAIL.decode(_DECOMPRESSOR.decompress(memoryview(tail)[1:]))
    for type_name, key, width, rows, ids in streams:
        stream = memory.stream(layout_of(type_name), key)
        stream.rows.frombytes(rows)
        stream.ids = ids
        if width != stream.layout.width:
            raise ValueError(
                f"memory of {memory.borrower_id}: expected {stream.layout.width} columns of {type_name}, got {width}; "
                "use the release that wrote it"
            )
    for type_name, account, category, rows in totals:
        kept = array("q")
        kept.frombytes(rows)
        memory.totals.setdefault(type_name, {}).setdefault(account, {})[category] = kept


_COMPRESSOR = zstandard.ZstdCompressor(level=1)  # 15 us a roll for 0.4 of the size; zlib takes four times as long
_DECOMPRESSOR = zstandard.ZstdDecompressor()
_ENCODER = msgspec.msgpack.Encoder()
_HEAD = msgspec.msgpack.Decoder(Head)
_TAIL: Any = msgspec.msgpack.Decoder(tuple[list[tuple[str, str, int, bytes, str]], list[tuple[str, str, int, bytes]]])
