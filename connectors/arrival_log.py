"""Events in arrival order, written to one file with equal bytes for equal events."""

import gzip
import heapq
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import IO

from connectors.mapping import MappingError

# Events held in memory before they are sorted and put aside: about 100 MB of usual ones.
RUN_LENGTH = 250_000
GZIP_LEVEL = 6


class SortedRuns:
    """Lines in any order, given back sorted: a run at a time is held in memory, the runs before it lie on disk."""

    def __init__(self, scratch: Path, name: str, *, run_length: int) -> None:
        self._scratch = scratch
        self._name = name
        self._run_length = run_length
        self._lines: list[bytes] = []
        self._runs: list[Path] = []

    def add(self, line: bytes) -> None:
        """Take one line, without the line feed that ends it."""
        self._lines.append(line)
        if len(self._lines) >= self._run_length:
            self._put_aside()

    def _put_aside(self) -> None:
        run = self._scratch / f"{self._name}-{len(self._runs):05d}"
        self._lines.sort()
        with run.open("wb") as stream:
            stream.writelines(line + b"\n" for line in self._lines)
        self._runs.append(run)
        self._lines = []

    def in_order(self) -> Iterator[bytes]:
        """Every line, with a line feed."""
        self._lines.sort()
        with ExitStack() as stack:
            runs: list[Iterable[bytes]] = [stack.enter_context(run.open("rb")) for run in self._runs]
            yield from heapq.merge(*runs, (line + b"\n" for line in self._lines))


class ArrivalLog:
    """Gathers events in any order and gives them back by (date, instant, topic rank, id)."""

    def __init__(self, scratch: Path, *, run_length: int = RUN_LENGTH) -> None:
        self._events = SortedRuns(scratch, "run", run_length=run_length)
        self._ids = SortedRuns(scratch, "ids", run_length=run_length)

    def add(self, order: str, identity: str, line: bytes) -> None:
        """Take one event; `order` is text that sorts as date, instant and rank do."""
        # The tab is below every character of an id: L4 comes before L4-25.
        self._events.add(f"{order}{identity}\t".encode() + line)
        self._ids.add(identity.encode())

    def refuse_repeated_ids(self) -> None:
        """MappingError for an id that two events have; to be asked when all events are there."""
        for before, identity in pairwise(self._ids.in_order()):
            if before == identity:
                raise MappingError(
                    f"event {identity[:-1].decode()}: expected an id of its own for each event, got this one twice; "
                    "add the columns that tell the rows apart to its id in the mapping"
                )

    def in_order(self) -> Iterator[bytes]:
        """The events as lines of JSON."""
        for line in self._events.in_order():
            yield line[line.index(b"\t") + 1 :]


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
