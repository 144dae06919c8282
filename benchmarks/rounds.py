"""The timed rounds: every way to take the same lines in, one after another, several times over."""

import gc
import json
from collections.abc import Iterable
from statistics import median
from time import process_time
from typing import Any, NamedTuple

from benchmarks import portfolio
from benchmarks.engine_run import STAGES, Digests, Feed, Frozen, Run
from benchmarks.naive import Naive
from benchmarks.shelves import empty_shelf, probing_shelf, terms
from benchmarks.workload import lines
from pipeline.shelf import CompiledShelf, compile_shelf
from rules.rule import Shelf

QUIET_DAYS = 3


class Start(NamedTuple):
    """Where every round of a shelf begins: the portfolio after history and warm-up, frozen."""

    shelf: CompiledShelf
    store: dict[str, Frozen]
    digests: Digests


class Plan(NamedTuple):
    """What is run: days of history without rules, of warm-up under the shelf, one day to fill caches, and measured."""

    borrowers: int
    history: int
    warm_up: int
    measured: int
    rounds: int
    naive_borrowers: int


class Days(NamedTuple):
    """All days of the run, cut where its parts begin."""

    history: list[Feed]
    warm_up: list[Feed]
    first: list[Feed]
    measured: list[Feed]

    @property
    def all(self) -> list[Feed]:
        """Every day in order."""
        return [*self.history, *self.warm_up, *self.first, *self.measured]


def days_of(plan: Plan, base: int, seed: int) -> Days:
    """The lines of every day; in replay's file a day.ended record follows each."""
    feeds, line_number = [], 1
    total = plan.history + plan.warm_up + 1 + plan.measured
    for day, raws in portfolio.lines(plan.borrowers, total, seed):
        feeds.append(Feed(base + day, line_number, raws))
        line_number += len(raws) + 1
    a, b = plan.history, plan.history + plan.warm_up
    return Days(feeds[:a], feeds[a:b], feeds[b : b + 1], feeds[b + 1 :])


def starts_of(days: Days, history: Run, shelves: dict[str, Shelf]) -> dict[str, Start]:
    """The warm portfolios: without rules, with every measure asked, and under each shelf."""
    compiled = {"none": empty_shelf(), "probe": probing_shelf()}
    compiled |= {name: compile_shelf(shelf, terms()) for name, shelf in shelves.items()}
    found = {}
    for name, shelf in compiled.items():
        warm = Run(shelf, history.store, history.digests).days(days.warm_up)
        found[name] = Start(shelf, warm.store, warm.digests)
    return found


def engine_round(start: Start, days: Days) -> tuple[dict[str, float], dict[str, str]]:
    """One timed run from a start; the figures, and the digests of all decisions since the first day."""
    run = Run(start.shelf, start.store, start.digests).days(days.first)
    gc.collect()
    gc.freeze()  # As a process does that has loaded its portfolio; the collector stays on.
    run.restart()
    run.days(days.measured)
    found = {stage: run.us_an_event(stage) for stage in STAGES[:-1]}
    found["sweep"] = run.spent["sweep"] / run.looks * 1e6
    found["alerts"], found["events"] = run.alerts / run.events, float(run.events)
    found["frozen"] = run.frozen / run.events
    digests = run.digests.text()
    run.restart()
    last = days.measured[-1].date
    run.days(Feed(last + ago, 0, []) for ago in range(1, 1 + QUIET_DAYS))
    found["sweep_quiet"] = run.spent["sweep"] / run.looks * 1e6
    gc.unfreeze()
    return found, digests


def loads_round(days: Days) -> float:
    """Microseconds an event of a loop that only does json.loads; lines that are no JSON are left out of it."""
    raws = [raw for feed in days.measured for raw in feed.raws if _is_json(raw)]
    loads = json.loads
    t0 = process_time()
    for raw in raws:
        loads(raw)
    return (process_time() - t0) / len(raws) * 1e6


def _is_json(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except ValueError:
        return False
    return True


def naive_us(plan: Plan, shelf: Shelf, base: int, seed: int) -> tuple[float, float]:
    """Microseconds an event of the naive step over fewer borrowers, with the same history; and what storing takes."""
    naive, rules_from, total = Naive(shelf), plan.history, plan.history + 2 + plan.measured // 4
    stepping = storing = 0.0
    events = 0
    for day, raws in lines(plan.naive_borrowers, total, seed):
        if day < rules_from:
            naive.remember(raws, base + day)
            continue
        touched = {json.loads(raw)["borrower_id"] for raw in raws}
        t0 = process_time()
        for raw in raws:
            for alert in naive.step(raw, base + day):
                json.dumps(alert)
        t1 = process_time()
        naive.store(touched)
        t2 = process_time()
        if day > rules_from:  # The first day under the rules opens what has long been true.
            stepping, storing, events = stepping + t1 - t0, storing + t2 - t1, events + len(raws)
        naive.close_day(base + day)
    return (stepping + storing) / max(1, events) * 1e6, storing / max(1, events) * 1e6


def all_rounds(plan: Plan, days: Days, starts: dict[str, Start]) -> tuple[dict[str, dict[str, float]], Any]:
    """Medians over interleaved rounds, and the digests of each shelf, which are the same in every round."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in starts}
    loads: list[float] = []
    digests: dict[str, list[dict[str, str]]] = {name: [] for name in starts}
    for _ in range(plan.rounds):
        loads.append(loads_round(days))
        for name, start in starts.items():
            figures, told = engine_round(start, days)
            found[name].append(figures)
            digests[name].append(told)
    medians = {name: _medians(each) for name, each in found.items()}
    medians["loads"] = {"us": median(loads)}
    return medians, digests


def _medians(rounds: Iterable[dict[str, float]]) -> dict[str, float]:
    each = list(rounds)
    return {key: median(figures[key] for figures in each) for key in each[0]}
