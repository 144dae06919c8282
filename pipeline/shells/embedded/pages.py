"""Rows out of a damaged SQLite file, page by page: what still stands in a leaf is read, whatever became of the rest.

The format of the file is https://www.sqlite.org/fileformat2.html; only leaves of tables with a rowid are read.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

Value = int | float | str | bytes | None
MAGIC = b"SQLite format 3\x00"
PAGE_SIZE = 4096  # where the file does not say any more
_LEAF = 13
_HEADER = 100  # bytes that stand before the first page's own content
_INTEGERS = (0, 1, 2, 3, 4, 6, 8)  # bytes of an integer, by its serial type
_LONGEST_VARINT = 9


class Row(NamedTuple):
    """A row as its leaf has it; a column that is the rowid is None there."""

    rowid: int
    values: list[Value]


class _File(NamedTuple):
    file: BinaryIO
    page_size: int
    usable: int
    pages: int

    def page(self, number: int) -> bytes:
        self.file.seek((number - 1) * self.page_size)
        return self.file.read(self.page_size)


def rows_in(path: Path) -> Iterator[Row]:
    """Every row in every leaf that can be read, in the order of pages; a leaf that was freed may hold old ones."""
    with path.open("rb") as file:
        opened = _opened(file)
        for number in range(1, opened.pages + 1):
            page = opened.page(number)
            start = _HEADER if number == 1 else 0
            if len(page) == opened.page_size and page[start] == _LEAF:
                yield from _rows_of(opened, page, start)


def page_size_of(header: bytes) -> int:
    """The size of a page, as the head of a file says."""
    size = int.from_bytes(header[16:18], "big")
    size = 65_536 if size == 1 else size
    return size if header.startswith(MAGIC) and size >= 512 and size & (size - 1) == 0 else PAGE_SIZE


def _opened(file: BinaryIO) -> _File:
    header = file.read(_HEADER)
    size = page_size_of(header)
    reserved = header[20] if header.startswith(MAGIC) else 0
    return _File(file, size, size - reserved, file.seek(0, 2) // size)


def _rows_of(opened: _File, page: bytes, start: int) -> Iterator[Row]:
    (cells,) = struct.unpack_from(">H", page, start + 3)
    if start + 8 + 2 * cells > len(page):
        return
    for at in struct.unpack_from(f">{cells}H", page, start + 8):
        try:
            size, at = _varint(page, at)
            rowid, at = _varint(page, at)
            values = _values(_payload(opened, page, at, size))
        except (IndexError, ValueError, struct.error):
            continue
        yield Row(rowid - (1 << 64) if rowid >> 63 else rowid, values)


def _payload(opened: _File, page: bytes, at: int, size: int) -> bytes:
    """The bytes of a row: those in its leaf, and those in the pages that it overflows to."""
    most, least = opened.usable - 35, (opened.usable - 12) * 32 // 255 - 23
    if size <= most:
        return _exactly(page[at : at + size], size)
    local = least + (size - least) % (opened.usable - 4)
    local = local if local <= most else least
    found = bytearray(_exactly(page[at : at + local], local))
    (following,) = struct.unpack_from(">I", page, at + local)
    if size > opened.pages * opened.page_size:
        raise ValueError
    while len(found) < size:
        if not 1 < following <= opened.pages:
            raise ValueError
        more = opened.page(following)
        (following,) = struct.unpack_from(">I", more)
        found += more[4 : min(opened.usable, 4 + size - len(found))]
    return bytes(found)


def _values(payload: bytes) -> list[Value]:
    """The columns of a row; ValueError unless they fill it to its last byte."""
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if at != end:
        raise ValueError
    values = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    if at != len(payload):
        raise ValueError
    return values


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind >= 12:
        size = (kind - 12) // 2
        found = _exactly(payload[at : at + size], size)
        return (found.decode("utf-8") if kind % 2 else found), at + size
    if kind in (8, 9):
        return kind - 8, at
    if kind == 7:
        return struct.unpack_from(">d", payload, at)[0], at + 8
    if kind in (10, 11):
        raise ValueError
    size = _INTEGERS[kind]
    found = _exactly(payload[at : at + size], size)
    return (int.from_bytes(found, "big", signed=True) if size else None), at + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found = 0
    for n in range(_LONGEST_VARINT):
        byte = data[at + n]
        if n == _LONGEST_VARINT - 1:
            return (found << 8) | byte, at + n + 1
        found = (found << 7) | (byte & 0x7F)
        if byte < 0x80:
            return found, at + n + 1
    raise ValueError


def _exactly(found: bytes, size: int) -> bytes:
    if len(found) != size:
        raise ValueError
    return found
