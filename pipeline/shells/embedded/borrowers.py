"""Borrowers kept in the store, of whom only those lately needed are in memory."""

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Container, Iterator

from pipeline.freezing import freeze, thaw
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.shells.embedded.quarantine import Failed
from pipeline.shells.embedded.store import Store

CHUNK = 500  # borrowers that a sweep holds beside those lately needed
BYTES_EACH = 60_000  # what a borrower takes in memory: 50,000 of them with 400 days of history took 3.0 GB


class Kept:
    """Borrowers in the store; `most` are held in memory between batches."""

    def __init__(self, store: Store, most: int) -> None:
        self._store = store
        self._most = max(1, most)
        self._held: OrderedDict[str, Memory] = OrderedDict()  # the longest unneeded first
        self._tails: dict[str, bytes] = {}  # as they stand in the store, of those held
        self._moved: dict[str, Memory] = {}  # perhaps changed since the last flush
        self.aside: Container[str] = ()  # whom sweeps pass over
        self.failed: Callable[[str, Exception], None] = _raised  # called where stored bytes cannot be read
        self._new = 0  # written for the first time, since they were last asked for

    # -- what a portfolio asks for --

    def memory(self, borrower_id: str) -> Memory:
        """The memory of a borrower."""
        memory = self._held.get(borrower_id)
        if memory is None:
            row = self._store.database.execute(f"{_SELECT} where borrower_id = ?", (borrower_id,)).fetchone()
            memory = Memory(borrower_id) if row is None else self._thawed(*row)
            self._held[borrower_id] = memory
        else:
            self._held.move_to_end(borrower_id)
        self._moved[borrower_id] = memory
        return memory

    def each(self) -> Iterator[Memory]:
        """Every borrower."""
        return self._sweep("select borrower_id from heads order by borrower_id")

    def awake(self, day: Day) -> Iterator[Memory]:
        """Those who do not sleep beyond a day; a feed that is missing wakes everyone."""
        if day.missing:
            return self.each()
        return self._sweep("select borrower_id from heads where asleep_until <= ? order by borrower_id", day.date)

    def early(self) -> Iterator[Memory]:
        """Those of whom something came before its date."""
        return self._sweep("select borrower_id from heads where is_early order by borrower_id")

    def _sweep(self, query: str, *values: int) -> Iterator[Memory]:
        """Borrowers by id, chunk after chunk; each chunk is written before the next is read."""
        self.flush()
        found = self._store.database.execute(query, values)
        everyone = [borrower_id for (borrower_id,) in found if borrower_id not in self.aside]
        for start in range(0, len(everyone), CHUNK):
            for memory in self._loaded(everyone[start : start + CHUNK]):
                self._moved[memory.borrower_id] = memory
                yield memory
            self.flush()
            self._trim()

    def _loaded(self, ids: list[str]) -> Iterator[Memory]:
        wanted = [borrower_id for borrower_id in ids if borrower_id not in self._held]
        places = ", ".join("?" * len(wanted))
        rows = self._store.database.execute(f"{_SELECT} where borrower_id in ({places})", wanted).fetchall()
        stored = {borrower_id: (head, tail) for borrower_id, head, tail in rows}
        for borrower_id in ids:
            held = self._held.get(borrower_id)
            if held is None:
                try:
                    held = self._thawed(borrower_id, *stored[borrower_id])
                except Exception as error:
                    self.failed(borrower_id, error)
                    continue
            yield held

    def _thawed(self, borrower_id: str, head: bytes, tail: bytes) -> Memory:
        memory = thaw(borrower_id, head, tail)
        assert memory.tail is not None
        self._tails[borrower_id] = memory.tail
        return memory

    # -- what the engine asks for --

    def flush(self) -> None:
        """Write what changed, inside the transaction of the batch."""
        database = self._store.database
        for borrower_id, memory in self._moved.items():
            if memory.is_touched or borrower_id not in self._tails:
                self._new += borrower_id not in self._tails
                head, tail = _frozen(borrower_id, memory)
                database.execute(_KEEP_CLOSED, (borrower_id,))
                database.execute(
                    "insert or replace into heads values (?, ?, ?, ?)",
                    (borrower_id, head, memory.asleep_until, bool(memory.head.parked)),
                )
                if self._tails.get(borrower_id) is not tail:
                    database.execute("insert or replace into tails values (?, ?)", (borrower_id, tail))
                    self._tails[borrower_id] = tail
                memory.is_touched = False
            elif memory.asleep_until:
                database.execute(
                    "update heads set asleep_until = ? where borrower_id = ? and asleep_until <> ?",
                    (memory.asleep_until, borrower_id, memory.asleep_until),
                )
        self._moved.clear()

    def pop_new(self) -> int:
        """How many were written for the first time since this was last asked."""
        new, self._new = self._new, 0
        return new

    @property
    def held(self) -> int:
        """How many are in memory."""
        return len(self._held)

    def closed(self) -> None:
        """A day was closed: from here on, borrowers are kept as they stand now."""
        self._store.database.execute("delete from closed_heads")

    def settle(self) -> None:
        """The batch is on the disk: let go of those that were not needed for the longest time."""
        self._trim()

    def drop(self, borrower_id: str) -> None:
        """Whatever was done to a borrower since the last flush is undone."""
        for held in (self._held, self._tails, self._moved):
            held.pop(borrower_id, None)

    def forget(self) -> None:
        """The batch was undone: nothing in memory can be trusted."""
        for held in (self._held, self._tails, self._moved):
            held.clear()
        self._new = 0

    def wake_all(self) -> None:
        """Another shelf or other settings: nobody knows any more who may sleep."""
        self._store.database.execute("update heads set asleep_until = 0")

    def _trim(self) -> None:
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        for borrower_id in self._tails.keys() - self._held.keys():
            del self._tails[borrower_id]


def _raised(borrower_id: str, error: Exception) -> None:
    raise error


def _frozen(borrower_id: str, memory: Memory) -> tuple[bytes, bytes]:
    try:
        return freeze(memory)
    except Exception as error:
        raise Failed(borrower_id, 0) from error


def as_closed(database: sqlite3.Connection) -> Iterator[Memory]:
    """Every borrower as of the last close, by id; of those set aside nothing is known since, so they are left out."""
    query = f"{_AS_CLOSED} and h.borrower_id not in (select borrower_id from quarantine) order by h.borrower_id"
    for borrower_id, head, tail in database.execute(query):
        yield thaw(borrower_id, head, tail)


def one_as_closed(database: sqlite3.Connection, borrower_id: str) -> Memory | None:
    """A borrower as of the last close; None when it was not yet seen then."""
    row = database.execute(f"{_AS_CLOSED} and h.borrower_id = ?", (borrower_id,)).fetchone()
    return None if row is None else thaw(*row)


def one_as_written(database: sqlite3.Connection, borrower_id: str) -> Memory | None:
    """A borrower after the last batch; None when it was never seen."""
    row = database.execute(f"{_SELECT} where borrower_id = ?", (borrower_id,)).fetchone()
    return None if row is None else thaw(*row)


_AS_CLOSED = """
    select h.borrower_id, coalesce(c.head, h.head), coalesce(c.tail, t.tail)
    from heads h join tails t using (borrower_id) left join closed_heads c using (borrower_id)
    where (c.borrower_id is null or c.head is not null)
"""
_SELECT = "select borrower_id, head, tail from heads join tails using (borrower_id)"
# The first write after a close keeps what stood before it; a borrower who was not there is noted as such.
_KEEP_CLOSED = """
    insert or ignore into closed_heads select
        ?1, (select head from heads where borrower_id = ?1), (select tail from tails where borrower_id = ?1)
"""
