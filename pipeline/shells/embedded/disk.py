"""What a disk and the file on it may do to an engine, in a sentence that says what to do.

Unstored      the disk took nothing: the batch was undone, nothing of it was acknowledged, and it may be tried again
Halted        nothing more is taken until somebody has looked after the engine
"""

import sqlite3
from pathlib import Path

DOCTOR = "stop the engine and run forewarn doctor --data {folder}, which says what is damaged and what can be saved"
_PRIMARY = 0xFF  # of a code of SQLite: the rest of it says more exactly
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Unstored(Exception):
    """The disk took nothing: the batch was undone, and nothing of it was acknowledged."""


class Halted(Exception):
    """Nothing is taken any more: the message says why, and what to do before the next start."""


def told_of(error: BaseException, folder: Path) -> BaseException:
    """What an error of the database is to whoever sent a batch; any other error is what it was."""
    if not isinstance(error, sqlite3.DatabaseError):
        return error
    # A damaged file need not be noticed as such: what SQLite then says of it carries no code.
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & _PRIMARY in _DAMAGE:
        return Halted(f"{folder}: expected a sound database, got {error}; {DOCTOR.format(folder=folder)}")
    return Unstored(str(error)) if isinstance(error, sqlite3.OperationalError) else error
