"""History loaded into a data directory in which nothing has happened yet, and the digest that opens its life.

    files -> one arrival log, days closed as a replay closes them -> large batches -> muted decisions, one digest

BackfillError     files, a date or a data directory that cannot be used, in one sentence
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from pipeline.decode import Decoder, Refusal
from pipeline.shells.arrival_files import closes_in, merged, names_of, raw_lines
from pipeline.shells.embedded.digest import Digest
from pipeline.shells.embedded.records import KINDS
from pipeline.shells.embedded.requests import KEY_REUSED
from pipeline.shells.embedded.runtime import Batch, History, Runtime
from pipeline.shells.embedded.standing import standing_in
from pipeline.shells.embedded.store import FILE
from pipeline.zone import date_text, day_number

TOGETHER = 20_000  # lines in one transaction: nobody waits for an answer


class BackfillError(Exception):
    """Files, a date or a data directory that cannot be used."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a data directory knows of its backfill."""

    until: date
    mark: str  # of the rules and settings it began with
    lines: int | None = None  # None: it has not come to its end
    digest: str | None = None  # of all lines


class Survey(NamedTuple):
    """Which days files close, and whether their records say so or their dates."""

    first: int
    last: int
    is_by_record: bool


# -- what may be loaded, where ----------------------------------------------


def record_in(folder: Path) -> Record | None:
    """The backfill of a data directory, finished or not; None when it had none."""
    with _reading(folder) as database:
        return None if database is None else _record_of(database)


def begun_in(folder: Path, until: date, mark: str) -> Record | None:
    """The same, where it may be begun, gone on with or told of again; anything else is refused, and nothing touched."""
    with _reading(folder) as database:
        record = None if database is None else _record_of(database)
        lines = 0 if database is None else standing_in(database).lines
    if record is None and lines:
        raise BackfillError(
            f"{folder}: expected a data directory without events, got one with {lines}; "
            "history comes first: load it into a new directory"
        )
    if record is not None and record.until != until:
        raise BackfillError(
            f"{folder}: expected --until {record.until}, to which its history was loaded, got {until}; "
            "a data directory has one history: load another into a new directory"
        )
    if record is not None and record.lines is None and record.mark != mark:
        raise BackfillError(
            f"{folder}: expected the rules and settings that its history was begun with, got others; "
            "name those, or begin in a new directory"
        )
    return record


@contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection | None]:
    """A data directory as it stands; None where none is, or where whoever opens it to work will say what is wrong."""
    if not (folder / FILE).exists():
        yield None
        return
    database = sqlite3.connect(f"{(folder / FILE).resolve().as_uri()}?mode=ro", uri=True)
    try:
        is_sound = bool(database.execute("select count(*) from sqlite_master where name = 'meta'").fetchone()[0])
    except sqlite3.DatabaseError:
        is_sound = False
    try:
        yield database if is_sound else None
    finally:
        database.close()


def _record_of(database: sqlite3.Connection) -> Record | None:
    row = database.execute("select value from meta where name = 'backfill'").fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=Record)


def refuse_unfinished(folder: Path) -> None:
    """An engine may not live on half a history."""
    record = record_in(folder)
    if record is not None and record.lines is None:
        raise BackfillError(
            f"{folder}: expected a history that is loaded to its end, got one that broke off; "
            f"run forewarn backfill with the same files and --until {record.until} again"
        )


def surveyed(files: list[Path], decoder: Decoder, until: date) -> Survey:
    """Which days the files close; a date that is none of them is refused before anything is loaded."""
    truncated: list[str] = []
    for path, name in zip(files, names_of(files), strict=True):
        for _ in raw_lines(path, name, truncated):
            pass
    if truncated:
        raise BackfillError(f"{truncated[0]}: expected a whole gzip file, got one that ends too early; fetch it again")
    closes = closes_in(files, decoder)
    dates = (each.arrival.date for each in merged(files, decoder, []) if not isinstance(each.arrival, Refusal))
    first = next(dates, None)
    if first is None:
        raise BackfillError(f"{files[0]}: expected events, got no line that can be used; see forewarn replay")
    if closes is None:
        found = Survey(first, max(first, max(dates, default=first)), is_by_record=False)
    else:
        found = Survey(min(first, closes.first), closes.last, is_by_record=True)
    if not found.first <= day_number(until) <= found.last:
        raise BackfillError(
            f"--until: expected a day that the files close, from {date_text(found.first)} to {date_text(found.last)}, "
            f"got {until}; name one of these, and let the engine close the days after it"
        )
    return found


def lines_of(files: list[Path], decoder: Decoder, survey: Survey) -> Iterator[bytes]:
    """The arrival log: the files merged as a replay merges them, and a day.ended where dates alone end a day."""
    day = None if survey.is_by_record else survey.first
    for each in merged(files, decoder, []):
        if day is not None and not isinstance(each.arrival, Refusal) and each.arrival.date > day:
            yield _day_ended(each.arrival.date - 1)
            day = each.arrival.date
        yield each.raw
    if day is not None:
        yield _day_ended(day)


def _day_ended(day: int) -> bytes:
    return b'{"type":"day.ended","date":"%s"}' % date_text(day).encode()


# -- loading ----------------------------------------------------------------


def load(
    runtime: Runtime, lines: Iterator[bytes], survey: Survey, until: date, progressed: Callable[[int], None]
) -> None:
    """Load what is not loaded yet, and note that it was all; `progressed` is told of lines."""
    mark = runtime.ran.decides
    if _record_of(runtime.store.database) is None:
        _write(runtime, Record(until=until, mark=mark))
    runtime.history = History(survey.first, day_number(until))
    digest, count = sha256(), 0
    while together := list(islice(lines, TOGETHER)):
        # What was taken before a process died is known by its request, and not taken again.
        [outcomes] = runtime.take([Batch(together, f"backfill/{count}")])
        if outcomes[0].reason == KEY_REUSED:
            raise other_files(runtime.store.folder)
        for raw in together:
            digest.update(raw + b"\n")
        count += len(together)
        progressed(count)
    _write(runtime, Record(until=until, mark=mark, lines=count, digest=digest.hexdigest()))


def refuse_other_lines(folder: Path, record: Record, lines: Iterator[bytes]) -> None:
    """A history that was loaded to its end is loaded no further."""
    digest = sha256()
    for raw in lines:
        digest.update(raw + b"\n")
    if digest.hexdigest() != record.digest:
        raise other_files(folder)


def other_files(folder: Path) -> BackfillError:
    """The refusal of a second history."""
    return BackfillError(
        f"{folder}: expected the files that its history was loaded from, got others; "
        "send later events to the running engine, or load these into a new directory"
    )


def digest_in(folder: Path) -> Digest:
    """The opening digest of a data directory that has one."""
    with _reading(folder) as database:
        assert database is not None
        [body] = database.execute("select body from decisions where kind = ?", (KINDS[Digest],)).fetchone()
    return msgspec.json.decode(body, type=Digest)


def _write(runtime: Runtime, record: Record) -> None:
    with runtime.store.transaction():
        runtime.store.write("backfill", msgspec.json.encode(record))
