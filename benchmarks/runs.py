"""Sets that are replayed under the shipped packs, and what came of it; the benchmarks that judge the shelf share it."""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from gzip import open as unzipped
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from rich.progress import Progress
from typer.testing import CliRunner

from config.settings import load as load_settings
from pipeline.events import CATALOGUE
from pipeline.shelf import compile_shelf
from pipeline.shells.cli import app
from pipeline.shells.decided import Closings, Decided, Openings, decided_in
from pipeline.shells.replay import replay
from pipeline.shells.terms import terms_of
from pipeline.shells.truth import read_truth
from pipeline.shells.verdict import Judgement, judge
from rules.loader import load_shelf
from rules.packs import folders_of, pack_of, shipped_packs
from rules.rule import Rule, Shelf

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "rules" / "shelf.lock"
CORPORATE = re.compile(rb'"borrower_id":"([^"]+)".*"segment":"corporate"')


class Ran(NamedTuple):
    """A set that was replayed: its verdict, who was alerted by which rule, and which borrowers are firms."""

    judgement: Judgement
    openings: dict[str, list[str]]  # rule -> the borrower of each opening
    standing: dict[str, float]  # rule -> the borrowers with an open alert at the end of a month, on average
    firms: frozenset[str]


class OfSet(NamedTuple):
    """A set under the packs that are on, and under these and each pack that is off."""

    on: Ran
    beside: dict[str, Ran]  # pack -> the same with that pack switched on

    def of(self, rule: Rule) -> Ran:
        """What a rule is judged by."""
        return self.beside.get(pack_of(rule), self.on)


class Packs(NamedTuple):
    """The shipped packs that are on as a default, and the others."""

    on: tuple[str, ...]
    off: tuple[str, ...]

    def shelf(self, packs: Iterable[str]) -> Shelf:
        """The rules of some packs."""
        return load_shelf(folders_of(packs), CATALOGUE, LOCK)

    def names(self, packs: Iterable[str]) -> set[str]:
        """The names of the rules of some packs."""
        return {rule.rule for rule in self.shelf(packs).rules}


def packs_by_default() -> Packs:
    """The packs as a bank has them that says nothing."""
    on = load_settings().packs
    return Packs(on, tuple(pack for pack in shipped_packs() if pack not in on))


def shelf_by_default() -> Shelf:
    """The rules of the packs that are on as a default."""
    packs = packs_by_default()
    return packs.shelf(packs.on)


class Lived(NamedTuple):
    """Events with the truth behind them, if it is known, and the settings of their bank."""

    events: Path
    truth: Path | None
    config: Path | None


def run(lived: Lived, packs: Packs, folder: Path) -> OfSet:
    """Replay a set under the packs that are on, and under all packs, and judge what came of it."""
    on, every = folder / "on", folder / "every"
    replayed(packs.shelf(packs.on), lived.config, lived.events, on)
    found = ran_in(on, lived, None)
    if not packs.off:
        return OfSet(found, {})
    # A rule that nobody mutes decides by itself, so one replay of all packs tells of each of them.
    replayed(packs.shelf([*packs.on, *packs.off]), lived.config, lived.events, every)
    return OfSet(
        found,
        {
            pack: ran_in(every, lived, {rule.rule for rule in packs.shelf([*packs.on, pack]).rules})
            for pack in packs.off
        },
    )


def ran_in(out: Path, lived: Lived, names: set[str] | None) -> Ran:
    """What some rules of a replay told, or all of them."""
    decided = decided_in(out)
    if names is not None:
        decided = of_rules(decided, names)
    truth = decided.defaults if lived.truth is None else read_truth(lived.truth, decided.borrowers, decided.first)
    openings = defaultdict(list)
    spans: dict[str, dict[str, Span]] = defaultdict(dict)
    for alert in _alerts(out):
        rule = spans[alert["rule"]]
        if alert["transition"] == "opened":
            openings[alert["rule"]].append(alert["borrower_id"])
            rule[alert["episode"]] = Span(alert["borrower_id"], alert["business_date"], decided.last + timedelta(1))
        elif alert["transition"] == "closed":
            rule[alert["episode"]] = rule[alert["episode"]]._replace(until=alert["business_date"])
    ends = list(month_ends(decided.first, decided.last))
    standing = {rule: standing_at(each.values(), ends) for rule, each in spans.items()}
    name = "events" if lived.truth is None else lived.truth.name
    return Ran(judge(decided, truth, None, name=name), openings, standing, firms_in(lived.events))


def _alerts(out: Path) -> Iterator[dict[str, Any]]:
    for name in ("alerts.jsonl", "shadow.jsonl"):
        for raw in (out / name).read_bytes().splitlines():
            alert = msgspec.json.decode(raw)
            yield alert | {"business_date": date.fromisoformat(alert["business_date"])}


class Span(NamedTuple):
    """A life of an alert: open at the close of a day from `since` on, and before `until`."""

    borrower: str
    since: date
    until: date


def standing_at(spans: Iterable[Span], days: list[date]) -> float:
    """How many borrowers had an open alert at the close of some days, on average.

    >>> january, february = date(2025, 1, 31), date(2025, 2, 28)
    >>> lives = [Span("B1", date(2025, 1, 1), february), Span("B1", january, february), Span("B2", february, february)]
    >>> standing_at(lives, [january, february])
    0.5
    """
    spans = list(spans)
    each = [len({span.borrower for span in spans if span.since <= day < span.until}) for day in days]
    return sum(each) / max(1, len(each))


def month_ends(first: date, last: date) -> Iterator[date]:
    """The last days of months from a date to another.

    >>> [end.isoformat() for end in month_ends(date(2025, 1, 31), date(2025, 3, 30))]
    ['2025-01-31', '2025-02-28']
    """
    day = first
    while day <= last:
        if (day + timedelta(1)).day == 1:
            yield day
        day += timedelta(1)


def of_rules(decided: Decided, names: set[str]) -> Decided:
    """What some rules alone decided; tasks stay as they are, as they are of many rules at once."""
    places = [i for i, name in enumerate(decided.rules) if name in names]
    is_told, is_closed = (np.isin(each.rule, places) for each in (decided.openings, decided.closings))
    return decided._replace(
        openings=Openings(*(column[is_told] for column in decided.openings)),
        closings=Closings(*(column[is_closed] for column in decided.closings)),
    )


def simulated(how: dict[str, int], folder: Path) -> Lived:
    """Simulate a portfolio."""
    simulate(folder, how)
    return Lived(folder / "events.jsonl.gz", folder / "truth.csv", None)


def replayed(shelf: Shelf, config: Path | None, events: Path, out: Path) -> None:
    """Replay events under the shelf into a folder."""
    compiled = compile_shelf(shelf, terms_of(load_settings(config)))
    with Progress(disable=True) as progress:
        replay([events], compiled, out, progress)


def firms_in(events: Path) -> frozenset[str]:
    """The borrowers of whom the events say that they are firms."""
    with unzipped(events) as lines:
        return frozenset(found[1].decode() for raw in lines if (found := CORPORATE.search(raw)))


def simulate(out: Path, how: dict[str, Any]) -> None:
    """Make the portfolio, by the command that everyone has."""
    words = [word for name, value in how.items() for word in (f"--{name}", str(value))]
    result = CliRunner().invoke(app, ["simulate", *words, "--out", str(out)])
    if result.exit_code:
        sys.exit(result.output)
