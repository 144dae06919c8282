"""What can be saved of a damaged data directory: arrivals, from which everything else follows, and decisions."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from pipeline.shells.embedded.doctor import is_record, lines_of_letters
from pipeline.shells.embedded.pages import page_size_of, rows_in
from pipeline.shells.embedded.records import KINDS, LOG
from pipeline.shells.embedded.standing import standing_in
from pipeline.shells.embedded.store import FILE, fresh
from pipeline.shells.replay import FILES

SAVED = "saved.json"
_SIZE_AT, _FREE_AT = 28, 32  # in the head of a file: how many pages it has, and where the free ones begin


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a table was saved: its numbers run from 1 to `last`, and whole ranges of them may be missing."""

    saved: int
    last: int
    missing: list[tuple[int, int]]

    @property
    def lost(self) -> int:
        """How many are missing."""
        return sum(last - first + 1 for first, last in self.missing)


def salvage(data: Path, out: Path) -> dict[str, Saved]:
    """Write what can be saved into a folder that is new or empty; nothing in `data` is touched.

    A line of the log that is lost is an empty line, so that the others keep their numbers.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix="work-") as work:
        copied = _copied(data, Path(work))
        with _opened(copied) as database, _opened(Path(work) / "scratch") as scratch:
            for pragma in ("journal_mode = off", "synchronous = off"):
                scratch.execute(f"pragma {pragma}")
            last = _last_line(database)
            _gather(database, copied, scratch)
            saved = {"arrivals": _write_log(scratch, out, last), "decisions": _write_decisions(scratch, out)}
    (out / SAVED).write_bytes(msgspec.json.format(msgspec.json.encode(saved), indent=2) + b"\n")
    return saved


# -- a copy that SQLite opens -----------------------------------------------


def _copied(data: Path, work: Path) -> Path:
    """A copy with what was written last folded in; its schema is the known one where its own cannot be read."""
    copied = work / FILE
    shutil.copyfile(data / FILE, copied)
    log = data / f"{FILE}-wal"
    if log.exists():
        shutil.copyfile(log, work / log.name)
    if not _folded(copied):
        _give_schema(copied, work)
        _folded(copied)
    return copied


def _folded(copied: Path) -> bool:
    try:
        with _opened(copied) as database:
            database.execute("pragma wal_checkpoint(truncate)")
            return bool(database.execute("select count(*) from sqlite_master where name = 'arrivals'").fetchone()[0])
    except sqlite3.DatabaseError:
        return False


def _give_schema(copied: Path, work: Path) -> None:
    """Every file of a format was made by the same statements, so that its first pages are those of a new one."""
    made = work / "fresh"
    with _opened(made) as database:
        database.execute("pragma journal_mode = wal")  # noted in the first page; else the log beside it is passed over
        fresh(database)
        try:
            numbers = [n for (n,) in database.execute("select pageno from dbstat where name = 'sqlite_schema'")]
        except sqlite3.DatabaseError:  # Not every build of SQLite tells; the first page holds most of it.
            numbers = [1]
        database.execute("pragma wal_checkpoint(truncate)")
    with made.open("rb") as source, copied.open("r+b") as target:
        size = page_size_of(source.read(100))
        pages = target.seek(0, 2) // size
        for number in sorted({1, *numbers}):
            source.seek((number - 1) * size)
            page = bytearray(source.read(size))
            if number == 1:
                page[_SIZE_AT:_FREE_AT] = pages.to_bytes(4, "big")
            target.seek((number - 1) * size)
            target.write(page)


class _opened:
    """A database that is closed at the end; what it holds of text may be any bytes."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)

    def __enter__(self) -> sqlite3.Connection:
        return self._database

    def __exit__(self, *_: object) -> None:
        self._database.close()


# -- its rows ---------------------------------------------------------------


def _last_line(database: sqlite3.Connection) -> int:
    try:
        return standing_in(database).lines
    except (sqlite3.DatabaseError, msgspec.DecodeError, UnicodeDecodeError):
        return 0


def _gather(database: sqlite3.Connection, copied: Path, scratch: sqlite3.Connection) -> None:
    """Arrivals and decisions into a scratch database, whatever order they are found in."""
    scratch.execute("create table arrivals (n integer primary key, raw blob not null)")
    scratch.execute("create table decisions (n integer primary key, kind text not null, body blob not null)")
    # An index or a page between root and leaf may be damaged where the leaf is not: then every leaf is looked at.
    queries = {"arrivals": "select n, raw from arrivals", "decisions": "select n, kind, body from decisions"}
    whole = [_all_read(database, scratch, table, f"{query} not indexed order by n") for table, query in queries.items()]
    if not all(whole):
        columns = _columns()
        for row in rows_in(copied):
            for table, names in columns.items():
                found = dict(zip(names, row.values, strict=False)) if len(row.values) == len(names) else {}
                _put_found(scratch, table, row.rowid, found)


def _all_read(database: sqlite3.Connection, scratch: sqlite3.Connection, table: str, query: str) -> bool:
    try:
        for row in database.execute(query):
            _put(scratch, table, row)
    except sqlite3.DatabaseError:
        return False
    return True


def _put_found(scratch: sqlite3.Connection, table: str, rowid: int, found: dict[str, Any]) -> None:
    """Put a row of a leaf where it belongs to a table, by what stands in its columns."""
    if found.get("n", 0) is not None or rowid < 1:
        return
    if table == "arrivals" and isinstance(found["raw"], bytes):
        _put(scratch, table, (rowid, found["raw"]))
    if table == "decisions" and found["kind"] in KINDS.values() and isinstance(found["body"], bytes):
        _put(scratch, table, (rowid, found["kind"], found["body"]))


def _put(scratch: sqlite3.Connection, table: str, row: tuple[Any, ...]) -> None:
    scratch.execute(f"insert or ignore into {table} values ({', '.join('?' * len(row))})", row)


def _columns() -> dict[str, list[str]]:
    database = sqlite3.connect(":memory:", isolation_level=None)
    try:
        fresh(database)
        return {
            table: [row[1] for row in database.execute(f"pragma table_info({table})")]
            for table in ("arrivals", "decisions")
        }
    finally:
        database.close()


# -- as files ---------------------------------------------------------------


def _write_log(scratch: sqlite3.Connection, out: Path, last: int) -> Saved:
    """The arrivals; a line that no sender can have sent, as it is neither a record nor refused, is lost."""
    missing, letters = Missing(), lines_of_letters(scratch)
    with (out / LOG).open("wb") as file:
        for n, raw in scratch.execute("select n, raw from arrivals order by n"):
            if n in letters or is_record(raw):
                file.write(b"\n" * missing.before(n) + raw + b"\n")
    return missing.saved(last)


def _write_decisions(scratch: sqlite3.Connection, out: Path) -> Saved:
    missing = Missing()
    for (n,) in scratch.execute("select n from decisions order by n"):
        missing.before(n)
    for kind, name in FILES.items():
        query = "select body from decisions where kind = ? order by n"
        _write_lines(out / name, (body for (body,) in scratch.execute(query, (KINDS[kind],))))
    return missing.saved(0)


def _write_lines(path: Path, lines: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(each + b"\n" for each in lines)


class Missing:
    """The gaps in numbers that are told in their order.

    >>> gaps = Missing()
    >>> [gaps.before(n) for n in (1, 2, 5)], gaps.saved(7).missing
    ([0, 0, 2], [(3, 4), (6, 7)])
    """

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []
        self._last = self._saved = 0

    def before(self, n: int) -> int:
        """How many are missing before a number."""
        gap = n - self._last - 1
        if gap:
            self._ranges.append((self._last + 1, n - 1))
        self._last, self._saved = n, self._saved + 1
        return gap

    def saved(self, last: int) -> Saved:
        """All of it; the numbers run to `last` at least."""
        rest: Iterator[tuple[int, int]] = iter([(self._last + 1, last)] if last > self._last else [])
        return Saved(saved=self._saved, last=max(self._last, last), missing=[*self._ranges, *rest])
