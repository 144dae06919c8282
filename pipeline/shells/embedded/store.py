"""The SQLite file of an embedded engine: arrivals, borrowers, decisions, and where the portfolio stands.

Everything that a batch changes is written in one transaction, so that a process that dies at any moment leaves the file
as it was before the batch or after it.

DataError     a data directory that cannot be used
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.shells.embedded.lock import held

FORMAT = 1
FILE, LOCK = "forewarn.sqlite", "lock"

_SCHEMA = """
create table arrivals (
    n integer primary key,
    borrower_id text,
    date integer,  -- the event's business date
    refused text,  -- reason of its dead letter
    raw blob not null
);
create index arrivals_by_borrower on arrivals (borrower_id, n) where borrower_id is not null;
create table closes (date integer primary key, n integer not null);  -- after which arrival each day was closed
create table heads (
    borrower_id text primary key, head blob not null, asleep_until integer not null, is_early integer not null
);
create index heads_by_waking on heads (asleep_until, borrower_id);
create index heads_that_are_early on heads (borrower_id) where is_early;
create table tails (borrower_id text primary key, tail blob not null);
-- Borrowers as they stood at the last close, where they were written since; no head: not yet seen then.
create table closed_heads (borrower_id text primary key, head blob, tail blob);
create table decisions (
    n integer primary key,
    kind text not null,    -- alert, shadow, task, dead_letter, disagreement, digest
    detail text not null,  -- transition, status, reason, field or date
    rule text,
    queue text,
    severity text,
    borrower_id text,
    body blob not null
);
-- Every filter a reader may ask for is a few ranges of one of these, each in the order of n.
create index decisions_by_kind on decisions (kind, n);
create index decisions_by_severity on decisions (kind, severity, detail, n);
create index decisions_by_rule on decisions (kind, rule, severity, detail, n) where rule is not null;
create index decisions_by_queue on decisions (kind, queue, detail, n) where queue is not null;
create index decisions_by_borrower on decisions (borrower_id, n) where borrower_id is not null;
-- Decisions are numbered in the order of business days, so a span of dates is a span of numbers.
create table decision_days (date integer primary key, first integer not null);
-- How many there are of each kind, so that nobody needs to count; '' is none.
create table tallies (
    kind text not null,  -- of a decision; or arrival, whose detail is accepted, repeated or a reason, rule its type
    rule text not null,
    queue text not null,
    severity text not null,
    detail text not null,
    number integer not null,
    primary key (kind, rule, queue, severity, detail)
) without rowid;
-- What a replay keeps in queues.jsonl and months.jsonl, and what is remembered from close to close to write it.
create table queue_days (n integer primary key, body blob not null);
create table month_ends (n integer primary key, body blob not null);  -- zstd of many lines
create table open_tasks (
    id text primary key, queue text not null, since integer, due_on text not null  -- since null: opened since the close
) without rowid;
create table disbursements (
    loan_id text, date integer, n integer not null,  -- the first arrival that told of it
    primary key (loan_id, date)
) without rowid;
create table ended_loans (loan_id text primary key) without rowid;  -- those whose end a month has told of
create table requests (
    key text primary key,
    lines integer not null,  -- how many of its lines were taken
    digest blob not null,    -- of those lines, so that a key that is used for others is noticed
    refused blob not null    -- which of them were refused, and why
) without rowid;
create table meta (name text primary key, value blob not null) without rowid;
"""


class DataError(Exception):
    """A data directory that cannot be used; the message says what was expected, what came and what to do."""


class Store:
    """An open data directory; a second process that opens it is refused."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        try:
            self._lock = held(folder / LOCK)
        except BlockingIOError:
            raise DataError(
                f"{folder}: expected a data directory of its own, got one that another process works in; "
                "stop that process or name another directory"
            ) from None
        try:
            self.database = self._opened(folder / FILE)
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Let go of the directory."""
        self.database.close()
        os.close(self._lock)

    def _opened(self, file: Path) -> sqlite3.Connection:
        # The engine's thread writes, a reader's thread has a connection of its own.
        database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        try:
            database.execute("pragma journal_mode = wal")
            database.execute("pragma synchronous = full")
            database.execute("pragma cache_size = -65536")
            # A process may have died between making the file and filling it.
            if not database.execute("select count(*) from sqlite_master where name = 'meta'").fetchone()[0]:
                database.executescript(f"begin; {_SCHEMA} insert into meta values ('format', {FORMAT}); commit;")
            found = database.execute("select value from meta where name = 'format'").fetchone()[0]
        except sqlite3.DatabaseError as error:
            database.close()
            raise DataError(
                f"{file}: expected a database of Forewarn, got one that cannot be read ({error}); restore a backup"
            ) from None
        if found != FORMAT:
            database.close()
            raise DataError(
                f"{file}: expected format {FORMAT}, got {found}; use the release of Forewarn that wrote it, or upgrade"
            )
        return database

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and on the disk when it is over."""
        self.database.execute("begin immediate")
        try:
            yield self.database
            self.database.execute("commit")
        except BaseException:
            if self.database.in_transaction:
                self.database.execute("rollback")
            raise

    def write(self, name: str, value: Any) -> None:
        """Write a single fact, inside a transaction."""
        self.database.execute("insert or replace into meta values (?, ?)", (name, value))
