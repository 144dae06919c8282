"""Which rows were seen before, kept on disk: a file of millions of rows needs no more memory than one of a thousand."""

import sqlite3
from pathlib import Path

CACHE_KB = 16_384  # pages of the keys that stay in memory


class RowKeys:
    """The key of each row, with the digest of the whole row and its line."""

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, isolation_level=None)
        # Nothing of it outlives the ingest, so nothing of it needs to survive a crash.
        for setting in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", f"cache_size=-{CACHE_KB}"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, digest BLOB, line INTEGER) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def first(self, key: str, *, digest: bytes, line: int) -> tuple[bytes, int]:
        """The digest and line of the first row of this key, which may be this one."""
        new = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (key, digest, line))
        if new.rowcount == 1:
            return digest, line
        found: tuple[bytes, int] = self._database.execute(
            "SELECT digest, line FROM seen WHERE key = ?", (key,)
        ).fetchone()
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
