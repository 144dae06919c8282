"""How far each webhook has come: a small SQLite file of its own beside the engine's.

A file of its own, because SQLite has one writer at a time: a cursor that is written after every message would wait for
the close of a day, and the engine for the cursors.
"""

import sqlite3
from pathlib import Path
from typing import Literal, NamedTuple

from pipeline.shells.embedded.store import FILE as ENGINE
from pipeline.shells.embedded.webhooks.messages import Row

FILE = "webhooks.sqlite"
BUSY_SECONDS = 30

# fine: nothing failed; retrying: no answer, or a fault there; refused: it does not want the message; stopped: nothing
# is sent until somebody says so; absent: not in the file of webhooks of the last run.
Condition = Literal["fine", "retrying", "refused", "stopped", "absent"]

_SCHEMA = """
create table if not exists cursors (
    name text primary key,
    url text not null,
    kinds text not null,
    n integer not null,     -- the last row of the decisions that is done with
    mark text not null,     -- what that row says, to notice another history
    condition text not null,
    delivered integer not null default 0,
    failed integer not null default 0,     -- attempts
    last_error text,
    failing_since_ms integer,
    next_try_ms integer,
    delivered_at_ms integer,
    heard integer not null default 0,      -- of what was asked
    asked integer not null default 0,      -- how often somebody said: go on; another process writes these two
    asked_after integer                    -- and after which row; null: where it stands
) without rowid;
"""


class Cursor(NamedTuple):
    """How far a webhook has come, and how it stands."""

    name: str
    url: str
    kinds: str
    n: int
    mark: str
    condition: Condition
    delivered: int
    failed: int
    last_error: str | None
    failing_since_ms: int | None
    next_try_ms: int | None
    delivered_at_ms: int | None
    heard: int
    asked: int
    asked_after: int | None


_ASKED = ("asked", "asked_after")
_COLUMNS = ", ".join(Cursor._fields)


class Cursors:
    """The open file of cursors; one thread uses it."""

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect(folder / FILE, isolation_level=None, timeout=BUSY_SECONDS)
        self._database.execute("pragma synchronous = full")
        query = "select count(*) from sqlite_master where name = 'cursors'"
        if not self._database.execute(query).fetchone()[0]:
            self._database.execute("pragma journal_mode = wal")
            self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def all(self) -> list[Cursor]:
        """Every cursor, by name."""
        return [Cursor(*row) for row in self._database.execute(f"select {_COLUMNS} from cursors order by name")]

    def of(self, name: str) -> Cursor | None:
        """The cursor of a webhook."""
        row = self._database.execute(f"select {_COLUMNS} from cursors where name = ?", (name,)).fetchone()
        return None if row is None else Cursor(*row)

    def put(self, cursor: Cursor) -> None:
        """Write a cursor as it is now; what somebody asked meanwhile stays asked."""
        names = [name for name in Cursor._fields if name not in _ASKED]
        sets = ", ".join(f"{name} = excluded.{name}" for name in names)
        places = ", ".join("?" * len(Cursor._fields))
        query = f"insert into cursors ({_COLUMNS}) values ({places}) on conflict (name) do update set {sets}"
        self._database.execute(query, cursor)

    def leave(self, names: set[str]) -> None:
        """Note those that are in the file of webhooks no more; they keep their place."""
        for cursor in self.all():
            if cursor.name not in names:
                self.put(cursor._replace(condition="absent", next_try_ms=None))

    def ask(self, name: str, after: int | None) -> bool:
        """Say that a webhook goes on now, perhaps after another row; False when there is none of that name."""
        query = "update cursors set asked = asked + 1, asked_after = ? where name = ?"
        return self._database.execute(query, (after, name)).rowcount == 1


class Outbox:
    """The decisions of an engine, read while it writes."""

    def __init__(self, folder: Path) -> None:
        uri = f"{(folder / ENGINE).resolve().as_uri()}?mode=ro"
        self.database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS)

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    def newest(self) -> int:
        """The number of the last row; 0 when there is none."""
        found: int = self.database.execute("select coalesce(max(n), 0) from decisions").fetchone()[0]
        return found

    def row(self, n: int) -> Row | None:
        """A row; None when there is none of that number."""
        query = "select n, kind, detail, body from decisions where n = ?"
        found = self.database.execute(query, (n,)).fetchone()
        return None if found is None else Row(*found)

    def numbers(self, after: int, kinds: tuple[str, ...], most: int) -> list[int]:
        """The next rows of some kinds: numbers alone, as a row may be large."""
        # The plus keeps SQLite from the index by kind, after which it would sort all that waits.
        query = f"select n from decisions where n > ? and +kind in ({_places(kinds)}) order by n limit ?"
        return [n for (n,) in self.database.execute(query, (after, *kinds, most))]

    def waiting(self, after: int, kinds: tuple[str, ...]) -> int:
        """How many rows of some kinds come after a row."""
        query = f"select count(*) from decisions where n > ? and kind in ({_places(kinds)})"
        found: int = self.database.execute(query, (after, *kinds)).fetchone()[0]
        return found


def _places(values: tuple[str, ...]) -> str:
    return ", ".join("?" * len(values))
