"""A run: borrowers lived block by block, their lines laid together by day, the truth and a manifest beside them.

SimulationError     a run that cannot begin
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

import msgspec

from connectors.simulator import faults
from connectors.simulator.birth import born
from connectors.simulator.blocks import Aside, packed
from connectors.simulator.figures import Tally, cause_of, realised
from connectors.simulator.life import live, next_day
from connectors.simulator.parameters import SHOCKS
from connectors.simulator.state import Borrower
from connectors.simulator.ties import Ties, ties_of
from connectors.simulator.world import World

EVENTS, TRUTH, MANIFEST = "events.jsonl.gz", "truth.csv", "manifest.json"
NAMES = (EVENTS, TRUTH, MANIFEST)
COLUMNS = ("borrower_id", "cause", "began_on", "defaulted_on")
TOGETHER = 250  # borrowers whose lines are held in memory at a time
ATTEMPTS = 40
Advance = Callable[[int], None]


class SimulationError(Exception):
    """A run that cannot begin: what was asked for, and what is possible."""


def chosen_shocks(text: str | None) -> frozenset[str]:
    """The shocks that are switched on: all, or those named with commas between.

    >>> sorted(chosen_shocks("illness, job_loss"))
    ['illness', 'job_loss']
    """
    if text is None:
        return frozenset(SHOCKS)
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in SHOCKS]
    if unknown:
        raise SimulationError(f"--shocks: expected names out of {', '.join(SHOCKS)}, got {unknown[0]!r}")
    return frozenset(names)


@contextmanager
def fresh(out: Path) -> Iterator[Path]:
    """A folder inside `out` to write into; what it holds gets its final name at the end, or nothing is left."""
    was_there = out.exists()
    if was_there and not out.is_dir():
        raise SimulationError(f"{out}: expected a folder for the portfolio, got a file; name another one")
    if was_there and any(out.iterdir()):
        raise SimulationError(
            f"{out}: expected an empty folder, got one with files in it; empty it or name another one"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out, prefix=".unfinished-") as folder:
            yield Path(folder)
            for name in NAMES:
                (Path(folder) / name).rename(out / name)
    except BaseException:
        for name in NAMES if out.is_dir() else ():
            (out / name).unlink(missing_ok=True)
        if not was_there and out.is_dir() and not any(out.iterdir()):
            out.rmdir()
        raise


class Run(msgspec.Struct, kw_only=True):
    """What a run was asked for, and what it came to."""

    borrowers: int
    months: int
    seed: int
    faults: float
    shocks: list[str]
    tally: Tally
    done: Counter[str] = msgspec.field(default_factory=Counter)


def simulate(w: World, *, borrowers: int, months: int, rate: float, out: Path, advance: Advance) -> dict[str, object]:
    """Simulate a portfolio into a fresh folder; returns what stands in its manifest."""
    run = Run(borrowers=borrowers, months=months, seed=w.seed, faults=rate, shocks=sorted(w.shocks), tally=Tally())
    silent = faults.silences(w, rate)
    with fresh(out) as folder, (folder / TRUTH).open("w", encoding="utf-8", newline="") as truth:
        aside = Aside(folder / "aside", w.end - w.first)
        try:
            _live_all(run, w, aside, silent, truth, advance)
            digest = _lay_together(aside, folder / EVENTS, w, silent)
        finally:
            aside.close()
        manifest = realised(run, w, silent, digest)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    return manifest


def _live_all(
    run: Run, w: World, aside: Aside, silent: dict[int, tuple[str, int]], truth: TextIO, advance: Advance
) -> None:
    rows = csv.writer(truth, lineterminator="\n")
    rows.writerow(COLUMNS)
    days: list[list[str]] = [[] for _ in range(w.end - w.first)]
    ties = ties_of(0, w)
    for number in range(run.borrowers):
        if number % w.figures.block == 0:
            ties = ties_of(number // w.figures.block, w)
        b = seasoned(number, w, ties)
        own = whole_life(b, w)
        if run.faults:
            own, done = faults.arrived(own, number, w, run.faults, silent)
            run.done.update(done)
        for day, lines in enumerate(own):
            if lines:
                days[day] += lines
                run.tally.lines += len(lines)
        if b.began_on >= 0 or b.defaulted_on >= 0:
            rows.writerow(_truth_of(b, w))
        run.tally.add(b, w)
        if (number + 1) % TOGETHER == 0 or number + 1 == run.borrowers:
            aside.put(days)
            for lines in days:
                lines.clear()
            advance(number + 1)


def seasoned(number: int, w: World, ties: Ties) -> Borrower:
    """A borrower on the eve of its first told day; drawn again where it is in default or without a loan by then."""
    b = born(number, w, ties, 0)
    for attempt in range(1, ATTEMPTS):
        while next_day(b) < b.from_day:
            live(b, w, next_day(b))
        if b.defaulted_on < 0 and any(loan.status == "open" for loan in b.loans):
            break
        b = born(number, w, ties, attempt)
    return b


def whole_life(b: Borrower, w: World) -> list[list[str]]:
    """All days that are told, without collections; the first is the first day of the portfolio."""
    days: list[list[str]] = [[] for _ in range(w.end - w.first)]
    while (day := next_day(b)) < w.end:
        days[day - w.first] = live(b, w, day)
    return days


def _truth_of(b: Borrower, w: World) -> tuple[str, str, str, str]:
    """The row of a borrower that suffered a shock or is in default."""
    defaulted = w.dates[b.defaulted_on] if b.defaulted_on >= 0 else ""
    cause = cause_of(b)
    if cause != "none":
        return b.key, cause, w.dates[b.began_on], defaulted
    began = b.billed_on if 0 <= b.billed_on < b.unpaid_since else b.unpaid_since
    return b.key, cause, w.dates[began], defaulted


def _lay_together(aside: Aside, file: Path, w: World, silent: dict[int, tuple[str, int]]) -> str:
    with file.open("wb") as out:
        for day in range(w.end - w.first):
            aside.lay_day(day, out)
            if silent:
                out.write(packed(_day_ended(w, w.first + day, silent).encode()))
    with file.open("rb") as written:
        digest = sha256()
        while chunk := written.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _day_ended(w: World, day: int, silent: dict[int, tuple[str, int]]) -> str:
    feeds = f',"feeds":{{"{silent[day][0]}":"missing"}}' if day in silent else ""
    return f'{{"type":"day.ended","date":"{w.dates[day]}"{feeds}}}\n'
