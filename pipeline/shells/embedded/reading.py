"""The data of an engine as commands read it: by a connection that writes nothing, whether the engine runs or not."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.shells.embedded.disk import DOCTOR
from pipeline.shells.embedded.store import FILE, FORMAT, DataError, other_format


@contextmanager
def read_only(data: Path) -> Iterator[sqlite3.Connection]:
    """The database of a data directory, as it stands at this moment; DataError when it cannot be read."""
    file = data / FILE
    database = opened(data)
    try:
        database.execute("begin")
        found = database.execute("select value from meta where name = 'format'").fetchone()
        if found != (FORMAT,):
            raise DataError(f"{file}: {other_format(None if found is None else found[0])}")
        yield database
    except sqlite3.DatabaseError as error:
        got, advice = f"one that cannot be read ({error})", DOCTOR.format(folder=data)
        raise DataError(f"{file}: expected a database of Forewarn, got {got}; {advice}") from None
    finally:
        database.close()


def opened(data: Path) -> sqlite3.Connection:
    """A connection that writes nothing, to whatever stands there; DataError when nothing does."""
    file = data / FILE
    if not file.exists():
        raise DataError(f"{data}: expected the data directory of an engine, got none with {FILE}; check the name")
    place = file.resolve().as_uri()
    database = sqlite3.connect(f"{place}?mode=ro", uri=True, isolation_level=None)
    try:
        database.execute("pragma schema_version")
    except sqlite3.DatabaseError as error:
        # A reader, too, makes notes beside the file; where nothing can be written nobody else writes either.
        if getattr(error, "sqlite_errorcode", None) in _UNNOTED and not _has_log(file):
            database.close()
            database = sqlite3.connect(f"{place}?mode=ro&immutable=1", uri=True, isolation_level=None)
    return database


def _has_log(file: Path) -> bool:
    log = file.with_name(f"{file.name}-wal")
    return log.exists() and log.stat().st_size > 0


_UNNOTED = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})
