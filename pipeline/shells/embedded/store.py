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

from pipeline.shells.embedded.disk import DOCTOR, Unstored
from pipeline.shells.embedded.lock import held
from pipeline.shells.lasting import make_folder

FORMAT = 1
FILE, LOCK = "forewarn.sqlite", "lock"
MEGABYTE = 1 << 20
MOST_LOG = 1024 * MEGABYTE  # of writes that wait to be folded in: only where a reader does not end come so many
KEPT_LOG = 64 * MEGABYTE  # how much of it is left on the disk when it has been folded in
ROOM = 16 * MEGABYTE  # on the disk before an engine that found it full takes anything again
WAIT_MS = 1_000  # for a reader that is about to end
UPGRADE = "git pull && make setup"

_SCHEMA = """
create table arrivals (
    n integer primary key,
    borrower_id text,
    date integer,  -- the event's business date
    refused text,  -- reason of its dead letter
    raw blob not null
);
create index arrivals_by_borrower on arrivals (borrower_id, n) where borrower_id is not null;
create index arrivals_of_nobody on arrivals (n) where borrower_id is null;  -- control records, and lines of no use
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
    kind text not null,    -- alert, shadow, task, dead_letter, disagreement, warning, digest
    detail text not null,  -- transition, status, reason, field, kind of a tie, or date
    rule text,
    queue text,
    severity text,
    borrower_id text,
    body blob not null
);
-- Every filter a reader may ask for is a few ranges of one of these, each in the order of n.
create index decisions_by_kind on decisions (kind, n);
create index dead_letters_by_reason on decisions (kind, detail, n) where kind = 'dead_letter';
-- Borrowers on whom the core failed: their events are dead letters until these are taken again.
create table quarantine (
    borrower_id text primary key,
    line integer not null,  -- the arrival that it failed on
    date integer,           -- the day that was open
    fault text not null
) without rowid;
-- Dead letters that were taken again, and as which arrival.
create table replayed (letter integer primary key, line integer not null);
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
        make_folder(folder)
        self.folder = folder
        self.most_log = MOST_LOG
        self._log = folder / f"{FILE}-wal"
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
            # Without them macOS leaves what was written in the cache of the drive.
            database.execute("pragma fullfsync = on")
            database.execute("pragma checkpoint_fullfsync = on")
            database.execute(f"pragma journal_size_limit = {KEPT_LOG}")
            database.execute(f"pragma busy_timeout = {WAIT_MS}")
            database.execute("pragma cache_size = -65536")
            # A process may have died between making the file and filling it.
            if not database.execute("select count(*) from sqlite_master where name = 'meta'").fetchone()[0]:
                fresh(database)
            found = database.execute("select value from meta where name = 'format'").fetchone()[0]
        except (sqlite3.DatabaseError, TypeError) as error:  # TypeError: a row of meta is not there.
            database.close()
            if getattr(error, "sqlite_errorcode", None) in _UNREACHED:
                raise DataError(f"{file}: expected a file that can be written, got {error}; {_SEE_DISK}") from None
            advice = DOCTOR.format(folder=self.folder)
            got = f"one that cannot be read ({error})"
            raise DataError(f"{file}: expected a database of Forewarn, got {got}; {advice}") from None
        if found != FORMAT:
            database.close()
            raise DataError(f"{file}: {other_format(found)}")
        return database

    def keep_log_short(self) -> None:
        """Fold what was written into the file where it has become much; Unstored while a reader forbids that."""
        if self.log_bytes() <= self.most_log:
            return
        self.database.execute("pragma wal_checkpoint(truncate)")
        if self.log_bytes() > self.most_log:
            raise Unstored(
                f"{self.log_bytes() // MEGABYTE} MiB of writes wait to be folded into {FILE}, which a reader that does "
                "not end forbids; end it, such as an export, a backup or a shell of sqlite3"
            )

    def log_bytes(self) -> int:
        """What stands in the log of writes, as SQLite keeps it beside its file."""
        try:
            return os.stat(self._log).st_size
        except FileNotFoundError:
            return 0

    def try_room(self) -> None:
        """Whether the disk takes anything again; Unstored while it does not."""
        disk = os.statvfs(self.folder)
        free = disk.f_bavail * disk.f_frsize
        if free < ROOM:
            raise Unstored(f"expected {ROOM // MEGABYTE} MiB free on the disk, got {free // MEGABYTE}; make room")
        try:
            self.keep_log_short()
            with self.transaction():
                self.write("tried", 1)
        except sqlite3.OperationalError as error:
            raise Unstored(str(error)) from error

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


def fresh(database: sqlite3.Connection) -> None:
    """Fill a database that is empty."""
    database.executescript(f"begin; {_SCHEMA} insert into meta values ('format', {FORMAT}); commit;")


def other_format(found: object) -> str:
    """What to say of a database of another format than this program writes."""
    if isinstance(found, int) and found > FORMAT:
        return f"expected format {FORMAT}, got {found} of a newer Forewarn; upgrade this one: {UPGRADE}"
    return f"expected format {FORMAT}, got {found!r}, which no Forewarn wrote; restore a backup"


_UNREACHED = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL})
_SEE_DISK = "check its rights and the disk"
