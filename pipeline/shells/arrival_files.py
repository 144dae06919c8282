"""Event files as one arrival log: lines of several files, merged by what stands at their heads."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.decode import Arrival, Decoder, Refusal
from pipeline.events import DayEnded, rank_of
from pipeline.zone import day_number


class Line(NamedTuple):
    """One line of a file: what it says, or why it cannot be used."""

    file: str
    number: int
    raw: bytes
    arrival: Arrival | Refusal

    @property
    def place(self) -> tuple[int, int, int, str]:
        """Where it stands among the heads of several files: (date, instant, topic rank, id); a refusal goes first."""
        arrival = self.arrival
        if isinstance(arrival, Refusal):
            return (-1, 0, 0, "")
        return (arrival.date, arrival.at_ms, rank_of(arrival.feed), getattr(arrival.event, "id", None) or "")


class TruncatedFile(Exception):
    """A compressed file that ends in the middle; its whole lines were used."""


def merged(files: list[Path], decoder: Decoder, truncated: list[str]) -> Iterator[Line]:
    """All lines of all files; the names of files that end too early are added to `truncated`."""
    readers = [lines_of(path, decoder, truncated) for path in files]
    if len(readers) == 1:
        yield from readers[0]
        return
    heads = [(head, n) for n, reader in enumerate(readers) if (head := next(reader, None)) is not None]
    while heads:
        at = min(range(len(heads)), key=lambda i: (heads[i][0].place, heads[i][1]))
        line, n = heads[at]
        yield line
        following = next(readers[n], None)
        if following is None:
            del heads[at]
        else:
            heads[at] = (following, n)


def lines_of(path: Path, decoder: Decoder, truncated: list[str]) -> Iterator[Line]:
    """The lines of one file, plain or gzip; empty lines are passed over."""
    for number, raw in enumerate(raw_lines(path, truncated), 1):
        if not raw.strip():
            continue
        arrival: Arrival | Refusal
        try:
            arrival = decoder.decode(raw, {"file": path.name, "line": number})
        except Refusal as refusal:
            arrival = refusal
        yield Line(path.name, number, raw, arrival)


def raw_lines(path: Path, truncated: list[str]) -> Iterator[bytes]:
    """The lines of a file without their newlines."""
    is_gzip = path.suffix == ".gz"
    with gzip.open(path, "rb") if is_gzip else path.open("rb") as file:
        while True:
            try:
                raw = file.readline()
            except (EOFError, zlib.error, gzip.BadGzipFile):
                truncated.append(path.name)
                return
            if not raw:
                return
            yield raw.rstrip(b"\r\n")


def first_day_ended(files: list[Path], decoder: Decoder) -> int | None:
    """The date of the first day.ended of any file, or None when no file holds one."""
    found = []
    for path in files:
        for raw in raw_lines(path, []):
            if b"day.ended" not in raw:
                continue
            try:
                event = decoder.decode(raw, {}).event
            except Refusal:
                continue
            if isinstance(event, DayEnded):
                found.append(day_number(event.date))
                break
    return min(found, default=None)
