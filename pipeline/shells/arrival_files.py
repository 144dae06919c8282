"""Event files as one arrival log: lines of several files, merged by what stands at their heads."""

from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from connectors.whole_lines import WholeLines
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


def merged(files: list[Path], decoder: Decoder, truncated: list[str]) -> Iterator[Line]:
    """All lines of all files; the names of gzip files that break off are added to `truncated`."""
    readers = [lines_of(path, decoder, name, truncated) for path, name in zip(files, names_of(files), strict=True)]
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


def names_of(files: list[Path]) -> list[str]:
    """What each file is called in the records of a run: its own name, with its folder where two share one.

    >>> names_of([Path("core/a.jsonl"), Path("cards/a.jsonl"), Path("cards/b.jsonl")])
    ['core/a.jsonl', 'cards/a.jsonl', 'b.jsonl']
    """
    shared = Counter(path.name for path in set(files))
    return [path.name if shared[path.name] == 1 else path.as_posix() for path in files]


def lines_of(path: Path, decoder: Decoder, name: str, truncated: list[str]) -> Iterator[Line]:
    """The lines of one file, plain or gzip; empty lines are passed over."""
    return decoded(raw_lines(path, name, truncated), decoder, name)


def decoded(
    raws: Iterable[bytes], decoder: Decoder, name: str, passed: Callable[[bytes], bool] = lambda raw: False
) -> Iterator[Line]:
    """The records of a log, numbered from 1; empty lines are passed over, and those that somebody wants passed."""
    for number, raw in enumerate(raws, 1):
        if not raw.strip() or passed(raw):
            continue
        arrival: Arrival | Refusal
        try:
            arrival = decoder.decode(raw, {"file": name, "line": number})
        except Refusal as refusal:
            arrival = refusal
        yield Line(name, number, raw, arrival)


def raw_lines(path: Path, name: str, truncated: list[str], *, longest: int | None = None) -> Iterator[bytes]:
    """The lines of a file without what ends them: a line feed, perhaps after a carriage return."""
    lines = WholeLines(path, longest=longest)
    try:
        for number, line in enumerate(lines):
            if number == 0:
                line = line.removeprefix(BOM_UTF8)  # The mark belongs to the file, not to its first record.
            yield line[:-2] if line.endswith(b"\r\n") else line.removesuffix(b"\n")
        if lines.is_cut_off:
            truncated.append(name)
    finally:
        lines.close()


class Closes(NamedTuple):
    """The first and the last date that files with day.ended records close."""

    first: int
    last: int


def closes_in(files: list[Path], decoder: Decoder) -> Closes | None:
    """The dates between which day.ended records close, or None when no file holds one."""
    raws = (raw for path in files for raw in raw_lines(path, path.name, []))
    dates = [date for raw in raws if (date := day_ended_in(raw, decoder)) is not None]
    return Closes(min(dates), max(dates)) if dates else None


def day_ended_in(raw: bytes, decoder: Decoder) -> int | None:
    """The date that a record closes; None of every other record."""
    if not may_be(b"day.ended", raw):
        return None
    try:
        event = decoder.decode(raw, {}).event
    except Refusal:
        return None
    return day_number(event.date) if isinstance(event, DayEnded) else None


def may_be(event_type: bytes, raw: bytes) -> bool:
    """Whether a record may be of a type: a look that costs next to nothing, and passes over no record that is."""
    return event_type in raw or b"\\u00" in raw  # JSON may spell a letter as an escape.
