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
    if not file.exists():
        raise DataError(f"{data}: expected the data directory of an engine, got none with {FILE}; check the name")
    database = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        database.execute("begin")
        found = database.execute("select value from meta where name = 'format'").fetchone()
        if found != (FORMAT,):
            raise DataError(f"{file}: {other_format(None if found is None else found[0])}")
        yield database
    except sqlite3.DatabaseError as error:
        advice = DOCTOR.format(folder=data)
        raise DataError(
            f"{file}: expected a database of Forewarn, got one that cannot be read ({error}); {advice}"
        ) from None
    finally:
        database.close()
