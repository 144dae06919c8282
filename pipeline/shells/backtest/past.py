"""Past events: files, or the log of an embedded engine's data directory, read and never written."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from pipeline.borrower_events import RelationSet
from pipeline.decode import Decoder, Refusal
from pipeline.shells.arrival_files import Closes, Line, day_ended_in, decoded, may_be, merged, names_of, raw_lines
from pipeline.shells.embedded.reading import read_only
from pipeline.shells.embedded.records import LOG


class Past(NamedTuple):
    """Where the events come from: files, or the first lines of a data directory's log."""

    files: tuple[Path, ...] = ()
    data: Path | None = None
    lines: int = 0  # of the log; what an engine takes in meanwhile is not read


class Scan(NamedTuple):
    """What must be known of all events before the first of them is judged."""

    lines: int
    closes: Closes | None
    ties: tuple[tuple[str, str, str], ...]  # kind, borrower, the other one; each once
    borrowers: frozenset[str]  # of any record; empty where nobody asked


class Named(msgspec.Struct, gc=False):
    """Whose record it is, as far as a short look tells."""

    borrower_id: str


def raws(past: Past) -> Iterator[bytes]:
    """Every record, file after file."""
    if past.data is not None:
        yield from _stored(past.data, past.lines)
    for path, name in zip(past.files, names_of(list(past.files)), strict=True):
        yield from raw_lines(path, name, [])


def lines(past: Past, decoder: Decoder, truncated: list[str], passed: Callable[[bytes], bool]) -> Iterator[Line]:
    """All lines in the order of a replay; those of one log that somebody wants passed are not even decoded."""
    if past.data is not None:
        yield from decoded(_stored(past.data, past.lines), decoder, LOG, passed)
    elif len(past.files) == 1:
        [path], [name] = past.files, names_of(list(past.files))
        yield from decoded(raw_lines(path, name, truncated), decoder, name, passed)
    else:  # The order of several files is that of what stands in their lines.
        yield from (line for line in merged(list(past.files), decoder, truncated) if not passed(line.raw))


def scanned(past: Past, decoder: Decoder, *, with_ties: bool, with_borrowers: bool) -> Scan:
    """Read all events once, without judging any."""
    count, days = 0, []
    ties: dict[tuple[str, str, str], None] = {}
    borrowers: set[str] = set()
    for raw in raws(past):
        count += 1
        if (day := day_ended_in(raw, decoder)) is not None:
            days.append(day)
        if with_ties and (tie := _tie_in(raw, decoder)) is not None:
            ties[tie] = None
        if with_borrowers and (borrower_id := borrower_in(raw)) is not None:
            borrowers.add(borrower_id)
    closes = Closes(min(days), max(days)) if days else None
    return Scan(count, closes, tuple(ties), frozenset(borrowers))


def borrower_in(raw: bytes) -> str | None:
    """Whose record it is, or None where that takes a longer look."""
    try:
        return _NAMED(raw).borrower_id
    except (ValueError, RecursionError):
        return None


def _tie_in(raw: bytes, decoder: Decoder) -> tuple[str, str, str] | None:
    if not may_be(b"relation.set", raw):
        return None
    try:
        event = decoder.decode(raw, {}).event
    except Refusal:
        return None
    return (event.kind, event.borrower_id, event.related_id) if isinstance(event, RelationSet) else None


def _stored(data: Path, upto: int) -> Iterator[bytes]:
    with read_only(data) as database:
        for (raw,) in database.execute("select raw from arrivals where n <= ? order by n", (upto,)):
            yield raw


_NAMED = msgspec.json.Decoder(Named).decode
