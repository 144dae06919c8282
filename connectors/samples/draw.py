"""Draws the shipped sample of Taiwan card clients: `python -m connectors.samples.draw SOURCE OUT`."""

import gzip
import hashlib
import sys
from pathlib import Path

CLIENTS = 1_000


def draw(lines: list[bytes], *, clients: int) -> list[bytes]:
    r"""The header and the clients whose IDs have the smallest SHA-256, in the order of the source, bytes untouched.

    >>> draw([b"ID,AGE\n", b"1,24\n", b"2,26\n", b"3,34\n"], clients=2)      # 4e07.. < 6b86.. < d473..
    [b'ID,AGE\n', b'1,24\n', b'3,34\n']
    """
    header, *rows = lines
    drawn = set(sorted(rows, key=lambda row: hashlib.sha256(row.split(b",", 1)[0]).digest())[:clients])
    return [header, *(row for row in rows if row in drawn)]


def main() -> None:
    """Read the whole set, write the sample; equal input gives equal bytes."""
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    with gzip.open(source, "rb") as stream:
        lines = stream.readlines()
    with out.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=9) as packed:
        packed.writelines(draw(lines, clients=CLIENTS))


if __name__ == "__main__":
    main()
