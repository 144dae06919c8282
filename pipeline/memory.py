"""What is remembered of one borrower; pipeline.freezing writes it as a head and a tail."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from pipeline.decode import Arrival
from pipeline.layout import ABSENT, INSTANT_BITS, TEXT_MASK, Layout
from pipeline.ledger import Loan
from pipeline.standing import Due

Row = tuple[int, ...]
Kind = Literal["loan", "episode", "task"]  # the parts of a head that are written again only when they change


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

    @property
    def place(self) -> str:
        """What it is found by: rule and key."""
        return f"{self.rule}/{self.key}"

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
    row: tuple[int | None, ...]  # None: ABSENT, which takes nine bytes


class Head(msgspec.Struct, gc=False):
    """All but the kept events."""

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
    ties: dict[str, tuple[int, bool]] = {}  # `kind/other borrower` -> sort key of what was last said, whether it ended
    numbered: int = 0  # the highest number of an episode or task before the borrower was erased: ids never come again
    backstop_on: int | None = None  # first close with a loan 30 days past due; NEVER until then, None while unknown
    fresh: list[msgspec.Raw] = []  # the events since the last roll, each a Fresh as it is written
    shelf: str = ""


def token_of(event_id: str, source: str) -> str:
    """How an event is known to a borrower's memory; tokens sort by id, then by source."""
    return f"{event_id}\t{source}"


class Stream:
    """The kept events of one type and one loan or account, in the order of (date, instant, id)."""

    __slots__ = ("codes", "ids", "layout", "rows")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.rows = array("q")
        self.codes: tuple[int, int] | None = None  # numbers of its type and its loan or account, once they were needed
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
        "asleep_until", "borrower_id", "codes", "head", "is_touched", "moved", "owes", "pruned_on", "quiet_until",
        "rolled_dues", "rolled_names", "seen", "sheets", "streams", "tail", "totals", "written",
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
        self.seen = bytearray()  # hashes of the tokens of all kept events, perhaps of some that are gone
        self.written: dict[Kind, dict[str, msgspec.Raw]] = {
            "loan": {},
            "episode": {},
            "task": {},
        }  # as in the last head
        self.moved: dict[tuple[Kind, str], None] = {}  # which of these changed since
        self.head = Head()
        self.codes = {"": 0}
        self.streams: dict[str, dict[str, Stream]] = {}  # type -> loan, account or "" -> rows
        self.totals: dict[str, dict[str, dict[int, array[int]]]] = {}  # type -> account -> category -> date, count, sum
        self.tail: bytes | None = None  # as last frozen; None: it must be written again
        self.rolled_names = 0  # what it holds: so many names,
        self.rolled_dues: dict[str, list[Due]] = {}  # and these dues of each loan

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

    def note_change(self, kind: Kind, name: str) -> None:
        """A loan, an episode or a task changed: the next head must write it again."""
        self.is_touched = True
        self.moved[kind, name] = None

    def may_know(self, token: str) -> bool:
        """Whether an event of this token may be kept; False is certain."""
        return _mark_of(token) in self.seen

    def recollect(self) -> None:
        """Gather the hashes of the tokens of all kept events again."""
        streams = [stream for by_key in self.streams.values() for stream in by_key.values()]
        self.seen = bytearray(b"".join([_mark_of(token) for stream in streams for token in stream.tokens()]))

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
        self.seen += _mark_of(token)
        event_id, _, source = token.partition("\t")
        if stream.codes is None:
            stream.codes = (self.number(layout.type), self.number(key))
        if "#" in source:  # a derived event, known by its date as well: its source is no name to remember
            event_id, source = token, ""
        columns = [None if value == ABSENT else value for value in row]
        source_code = self.codes.get(source)
        if source_code is None:
            source_code = self.number(source)
        fresh = (*stream.codes, event_id, source_code, columns)
        self.head.fresh.append(msgspec.Raw(_ENCODE(fresh)))


def _mark_of(token: str) -> bytes:
    """A hash of a token; it is never written, since another process hashes otherwise."""
    return hash(token).to_bytes(8, "little", signed=True)


_ENCODE = msgspec.msgpack.Encoder().encode
