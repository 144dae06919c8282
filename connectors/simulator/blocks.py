"""Days of many borrowers in one file: blocks are written aside, a packed piece for each day, and then laid together.

    block 1:  day 1 | day 2 | day 3 ...      each piece is a gzip member of its own, packed once
    block 2:  day 1 | day 2 | day 3 ...
    file:     day 1 of block 1, day 1 of block 2, ... ; day 2 of block 1, ...

Members laid end to end are one gzip file, so laying them together only copies bytes, and memory holds one block and the
places of the pieces, however many borrowers there are.
"""

import struct
import zlib
from array import array
from pathlib import Path
from typing import BinaryIO

PIECE_LEVEL = 1
# Nothing but the fixed header: no name and no time, so that equal events are equal bytes.
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"


def packed(text: bytes) -> bytes:
    """A gzip member.

    >>> import gzip
    >>> gzip.decompress(packed(b"one") + packed(b"two"))
    b'onetwo'
    """
    squeeze = zlib.compressobj(PIECE_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = squeeze.compress(text) + squeeze.flush()
    return _HEAD + body + struct.pack("<LL", zlib.crc32(text), len(text) & 0xFFFFFFFF)


class Aside:
    """Blocks that are written aside, and where each day of each begins."""

    def __init__(self, file: Path, days: int) -> None:
        self._file = file.open("w+b")
        self._days = days
        self._ends = array("Q")  # of every day of every block, in the order of writing

    def put(self, days: list[list[str]]) -> None:
        """Write a block: the lines of each of its days."""
        at = self._file.tell()
        for lines in days:
            if lines:
                at += self._file.write(packed("".join(lines).encode()))
            self._ends.append(at)

    def lay_day(self, day: int, out: BinaryIO) -> None:
        """Copy a day of all blocks."""
        for n in range(day, len(self._ends), self._days):
            start = self._ends[n - 1] if n else 0
            if self._ends[n] > start:
                self._file.seek(start)
                out.write(self._file.read(self._ends[n] - start))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
