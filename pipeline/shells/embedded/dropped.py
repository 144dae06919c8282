"""Files of events as somebody hands them over: lines, or one array, perhaps packed; read to wherever they can be.

Unusable     a file of which nothing can be used
"""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from connectors.whole_lines import BadFile, WholeLines
from pipeline.shells.arrival_files import raw_lines
from pipeline.shells.embedded.bodies import LONGEST, lines_of, of_json

LINES_A_BATCH = 1_000
BYTES_A_BATCH = 8 << 20  # of long lines fewer go into a batch
GZIP = ".gz"


class Unusable(Exception):
    """A file of which nothing can be used, in one sentence."""


class Survey(NamedTuple):
    """What a file holds, known before any of it is used."""

    lines: int
    digest: str  # of its lines, however the file is packed


def survey(file: Path) -> Survey:
    """Read a file once; Unusable where it is none of events, cannot be read, or is damaged.

    One that breaks off is not refused: its whole lines are sound.
    """
    digest, count = sha256(), 0
    for raw in events_in(file, []):
        digest.update(raw + b"\n")
        count += 1
    return Survey(count, digest.hexdigest())


def events_in(file: Path, faults: list[str]) -> Iterator[bytes]:
    """The events of a file, one a line; empty lines are passed over. Why it could not be read to its end: `faults`."""
    read = READERS.get(ending_of(file.name).removesuffix(GZIP))
    if read is None:
        raise Unusable(f"{file.name}: expected {ENDINGS}, perhaps with .gz, got another ending; see the manual")
    try:
        yield from read(file, faults)
    except BadFile as error:
        raise Unusable(str(error)) from None
    except OSError as error:
        raise Unusable(f"{file.name}: expected a file that can be read, got {error.strerror}; check it") from None


def ending_of(name: str) -> str:
    """The ending that says how events stand in a file, in small letters; empty for any other.

    >>> ending_of("2025-03.events.JSONL.gz"), ending_of("loans.csv"), ending_of("loans")
    ('.jsonl.gz', '', '')
    """
    low = name.lower()
    ending = Path(low.removesuffix(GZIP)).suffix
    return ending + (GZIP if low.endswith(GZIP) else "") if ending in READERS else ""


def in_batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Lines in batches; equal files give equal batches."""
    batch: list[bytes] = []
    size = 0
    for raw in lines:
        batch.append(raw)
        size += len(raw)
        if len(batch) >= LINES_A_BATCH or size >= BYTES_A_BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _of_lines(file: Path, faults: list[str]) -> Iterator[bytes]:
    truncated: list[str] = []
    for raw in raw_lines(file, file.name, truncated, longest=LONGEST):
        if raw.strip():
            yield raw
    if truncated:
        faults.append(
            f"{file.name}: expected a whole gzip file, got one that ends too early; its whole lines were used"
        )


def _of_array(file: Path, faults: list[str]) -> Iterator[bytes]:
    """The elements of an array or the one event; else, as many name such files so, one event a line."""
    body = _whole(file).removeprefix(BOM_UTF8)
    if body.lstrip().startswith(b"[") and of_json(body) is None:
        raise Unusable(f"{file.name}: expected a JSON array of events, got one that is not whole; send it again")
    yield from lines_of(body, "application/json")


def _whole(file: Path) -> bytes:
    lines = WholeLines(file)
    try:
        body = bytearray()
        for line in lines:
            body += line
            if len(body) > LONGEST:
                raise Unusable(
                    f"{file.name}: expected at most {LONGEST} bytes of .json, got more; write one event a line (.jsonl)"
                )
        if lines.is_cut_off:
            raise Unusable(f"{file.name}: expected a whole gzip file, got one that ends too early; nothing was used")
        return bytes(body)
    finally:
        lines.close()


READERS: dict[str, Callable[[Path, list[str]], Iterator[bytes]]] = {
    ".jsonl": _of_lines,
    ".ndjson": _of_lines,
    ".json": _of_array,
}
ENDINGS = ", ".join(READERS)
