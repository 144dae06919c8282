"""No speed without correctness: the timed run says what replay says, the naive step opens what the engine opens."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rich.progress import Progress

from benchmarks.engine_run import FILE, Digests, Feed, Run
from benchmarks.naive import Naive
from benchmarks.workload import lines
from pipeline.decisions import Alert
from pipeline.decode import Arrival
from pipeline.shelf import CompiledShelf
from pipeline.shells import replay as replay_module
from pipeline.shells.portfolio import Portfolio
from pipeline.zone import date_of_number
from rules.rule import Shelf


class Mismatch(Exception):
    """Two ways to the same decisions that differ: what was expected, what came, where."""


def write(feeds: Iterable[Feed], path: Path) -> None:
    """The lines as a file for replay, each day ended by a record of its own."""
    with path.open("wb") as file:
        for feed in feeds:
            file.writelines(raw + b"\n" for raw in feed.raws)
            file.write(b'{"type":"day.ended","date":"' + date_of_number(feed.date).isoformat().encode() + b'"}\n')


def replayed(feeds: list[Feed], empty: CompiledShelf, shelf: CompiledShelf, since: int) -> dict[str, str]:
    """The digests of what replay writes: until a date without rules, from then on under the shelf, as in the run."""

    class TwoShelves(Portfolio):
        """A portfolio whose rules are published on a date."""

        def take(self, arrival: Arrival) -> Iterator[Any]:
            if self.shelf is not shelf and self.day is not None and self.date >= since:
                self.shelf = shelf
            yield from super().take(arrival)

    digests = Digests()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(feeds, folder / FILE)
        with patch.object(replay_module, "Portfolio", TwoShelves), Progress(disable=True) as progress:
            replay_module.replay([folder / FILE], empty, folder / "out", progress)
        for kind, file in replay_module.FILES.items():
            for body in (folder / "out" / file).read_bytes().splitlines():
                digests.add(kind.__name__, body)
    return digests.text()


def check_same(told: dict[str, str], expected: dict[str, str], rules: int) -> None:
    """Raise unless the run's decisions are replay's, byte for byte and in order."""
    for kind in sorted(told | expected):
        if told.get(kind) != expected.get(kind):
            raise Mismatch(
                f"decisions under {rules} rules: expected those of replay, got other bytes or another order, "
                f"in {kind}; no speed is shown until both agree"
            )


def check_naive(shelf: Shelf, compiled: CompiledShelf, borrowers: int, days: int, first: int, seed: int) -> int:
    """Raise unless the naive step opens and closes the same episodes on the same dates; returns how many."""
    arriving = list(lines(borrowers, days, seed))
    naive = Naive(shelf)
    theirs = set[tuple[str, str]]()
    run = KeptRun(compiled)
    for day, raws in arriving:
        for raw in raws:
            theirs |= {(alert["id"], alert["business_date"]) for alert in naive.step(raw, first + day)}
        theirs |= {(alert["id"], alert["business_date"]) for alert in naive.close_day(first + day)}
        run.days([Feed(first + day, 0, raws)])
    ours = {(alert.id, alert.business_date) for alert in run.kept}
    if ours != theirs:
        one = min(ours ^ theirs)
        raise Mismatch(
            f"the naive step: expected the {len(ours)} transitions of the engine, got {len(theirs)}, "
            f"{len(ours ^ theirs)} of them differ, first {one[0]} on {one[1]}; no speed is shown until both agree"
        )
    return len(ours)


class KeptRun(Run):
    """A run that keeps its alerts."""

    def __init__(self, shelf: CompiledShelf) -> None:
        super().__init__(shelf, {}, Digests())
        self.kept: list[Alert] = []

    def _note(self, told: list[Any], bodies: list[bytes]) -> None:
        super()._note(told, bodies)
        self.kept += [each for each in told if isinstance(each, Alert)]
