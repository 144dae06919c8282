"""A folder that one process at a time may work in."""

import fcntl
import os
from pathlib import Path


def held(file: Path) -> int:
    """The open lock file, to be closed to let go; BlockingIOError when another process holds it.

    The system lets go of it when the process ends, however it ends.
    """
    lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock
