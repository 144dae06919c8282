"""Events in arrival order, written to one file with equal bytes for equal events."""

import gzip
import heapq
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import xxhash

from connectors.mapping import MappingError

# Events held in memory before they are sorted and put aside: about 100 MB of usual ones.
RUN_LENGTH = 250_000
GZIP_LEVEL = 6


class ArrivalLog:
    """Gathers events in any order and gives them back by (date, instant, topic rank, id)."""

    def __init__(self, scratch: Path, *, run_length: int = RUN_LENGTH) -> None:
        self._scratch = scratch
        self._run_length = run_length
        self._lines: list[bytes] = []
        self._runs: list[Path] = []
        self._ids: set[int] = set()

    def add(self, order: str, identity: str, line: bytes) -> None:
        """Take one event; `order` is text that sorts as date, instant and rank do."""
        # The tab is below every character of an id: L4 comes before L4-25.
        self._lines.append(f"{order}{identity}\t".encode() + line)
        digest = xxhash.xxh3_128_intdigest(identity.encode())
        if digest in self._ids:
            raise MappingError(
                f"event {identity}: expected an id of its own for each event, got this one twice; "
                "add the columns that tell the rows apart to its id in the mapping"
            )
        self._ids.add(digest)
        if len(self._lines) >= self._run_length:
            self._put_aside()

    def _put_aside(self) -> None:
        run = self._scratch / f"run-{len(self._runs):05d}"
        self._lines.sort()
        with run.open("wb") as stream:
            stream.writelines(line + b"\n" for line in self._lines)
        self._runs.append(run)
        self._lines = []

    def in_order(self) -> Iterator[bytes]:
        """The events as lines of JSON."""
        self._lines.sort()
        streams = [run.open("rb") for run in self._runs]
        try:
            runs: list[Iterable[bytes]] = [*streams, (line + b"\n" for line in self._lines)]
            for line in heapq.merge(*runs) if streams else runs[-1]:
                yield line[line.index(b"\t") + 1 :]
        finally:
            for stream in streams:
                stream.close()


def write_lines(lines: Iterable[bytes], file: Path, *, is_gzip: bool) -> None:
    """Write lines to a file; a gzip one carries neither a name nor a time, so that equal events are equal bytes."""
    with file.open("wb") as raw:
        if not is_gzip:
            raw.writelines(lines)
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=GZIP_LEVEL) as packed:
            buffered = io.BufferedWriter(packed, 1 << 20)
            buffered.writelines(lines)
            buffered.flush()
            buffered.detach()


def open_lines(file: Path, *, is_gzip: bool) -> IO[bytes]:
    """Read back what `write_lines` wrote."""
    return gzip.open(file, "rb") if is_gzip else file.open("rb")  # type: ignore[return-value]  # As above.


def compressed(name: str) -> bool:
    """True for a name that asks for gzip.

    >>> compressed("events.jsonl.gz"), compressed("events.jsonl")
    (True, False)
    """
    return name.endswith(".gz")


def order_of(*, day: int, at_ms: int, rank: int) -> str:
    """Text that sorts as (date, instant, rank) does; dates and instants from 1970-01-01 on, in any zone."""
    return f"{day:07d}{at_ms + 10**12:015d}{rank}"
