"""What the core costs: CPU microseconds an event and a borrower, bytes a borrower; `python -m benchmarks.core`."""

import argparse
import json
import platform
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.engine_run import Digests, Run
from benchmarks.gate import Mismatch, check_naive, check_same, replayed
from benchmarks.memory_size import sizes
from benchmarks.rounds import Days, Plan, Start, all_rounds, days_of, naive_us, starts_of
from benchmarks.shelves import empty_shelf, samples_of, shares, terms, values_of
from benchmarks.workload import FIRST_DAY, shelf_of
from pipeline.look import Day
from pipeline.shelf import compile_shelf
from pipeline.zone import day_number
from rules.rule import Shelf

RULES = (50, 500, 1000)
MAIN = "500"
SEED = 3
SHARE = 0.175  # wanted of each comparison; what is reached is measured, and is less where many values are equal
OUT = Path(__file__).parent / "results" / "core.json"
LIBRARIES = ("msgspec", "xxhash", "rich")
ENGINE_STAGES = ("step", "encode", "freeze")


@dataclass
class Size:
    """How much is run; the defaults are what `make bench` runs."""

    plan: Plan = field(default_factory=lambda: Plan(1_000, 400, 10, 20, 3, 60))
    check_borrowers: int = 12
    check_days: int = 120
    memory_borrowers: int = 10_000


def run(size: Size, say: Console) -> dict[str, Any]:
    """All figures; raises Mismatch instead when any decision is not as it should be."""
    plan, base = size.plan, day_number(FIRST_DAY)
    days = days_of(plan, base, SEED)
    say.print(f"{plan.borrowers:,} borrowers, {plan.history} days of history without rules ...")
    history = Run(empty_shelf(), {}, Digests()).days(days.history)
    values = values_of(Day(date=days.history[-1].date), history.memories.values())
    shelves = {str(n): shelf_of(n, samples_of(values), SEED, SHARE) for n in RULES}
    say.print(f"the naive step against the engine, {size.check_borrowers} borrowers, {size.check_days} days ...")
    main = shelves[MAIN]
    transitions = check_naive(main, compile_shelf(main, terms()), size.check_borrowers, size.check_days, base, SEED)
    say.print(f"{plan.warm_up} days under each shelf, then {plan.rounds} rounds of {plan.measured} days ...")
    starts = starts_of(days, history, shelves)
    medians, digests = all_rounds(plan, days, starts)
    say.print("the same lines through replay ...")
    _check_digests(days, starts, digests)
    naive, naive_store = naive_us(plan, main, base, SEED)
    say.print(f"bytes of {size.memory_borrowers:,} borrowers ...")
    memory = sizes(size.memory_borrowers, main)
    return {
        **_headline(medians, naive, memory),
        **_parts(medians),
        "naive_storing_us": round(naive_store, 1),
        "shares": _shares(shelves, starts, days),
        "alerts_per_event": {name: round(medians[name]["alerts"], 3) for name in shelves},
        "memory": memory,
        "checked": {"naive_transitions": transitions, "replay_digests": digests[MAIN][0]},
        "workload": {**plan._asdict(), "events": int(medians[MAIN]["events"]), "bytes_a_line": _bytes_a_line(days)},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    }


def _check_digests(days: Days, starts: dict[str, Start], digests: dict[str, list[dict[str, str]]]) -> None:
    for rules in RULES:
        shelf = starts[str(rules)].shelf
        expected = replayed(days.all, starts["none"].shelf, shelf, days.warm_up[0].date)
        for told in digests[str(rules)]:
            check_same(told, expected, rules)


def _headline(medians: dict[str, dict[str, float]], naive: float, memory: dict[str, Any]) -> dict[str, Any]:
    """The keys that other systems read; `step_us` is the whole way from bytes to decisions and frozen memory."""
    loads = medians["loads"]["us"]
    whole = {str(n): _sum(medians[str(n)], "decode", *ENGINE_STAGES) for n in RULES}
    return {
        "step_us": {name: round(us, 2) for name, us in whole.items()},
        "json_loads_us": round(loads, 2),
        "naive_us": round(naive, 1),
        "decode_us": round(medians[MAIN]["decode"], 2),
        "sweep_us": round(medians[MAIN]["sweep"], 2),
        "bytes_per_borrower": memory["mean"],
        "ratios": {
            "step_to_json_loads": {name: round(us / loads, 2) for name, us in whole.items()},
            "naive_to_step": round(naive / whole[MAIN], 1),
        },
    }


def _parts(medians: dict[str, dict[str, float]]) -> dict[str, Any]:
    step = {name: medians[name]["step"] for name in ("none", "probe", *map(str, RULES))}
    return {
        "step_without_decode_us": {str(n): round(_sum(medians[str(n)], *ENGINE_STAGES), 2) for n in RULES},
        "parts_us": {
            "ledger_and_memory": round(step["none"], 2),
            "measures": round(step["probe"] - step["none"], 2),
            "judge_and_alerts": {str(n): round(step[str(n)] - step["probe"], 2) for n in RULES},
            "encode": {str(n): round(medians[str(n)]["encode"], 2) for n in RULES},
            "freeze": {name: round(medians[name]["freeze"], 2) for name in ("none", *map(str, RULES))},
        },
        "frozen_per_event": round(medians[MAIN]["frozen"], 3),
        "sweeps_us": {
            name: {"after_events": round(medians[name]["sweep"], 2), "quiet": round(medians[name]["sweep_quiet"], 2)}
            for name in ("none", *map(str, RULES))
        },
    }


def _sum(figures: dict[str, float], *stages: str) -> float:
    return sum(figures[stage] for stage in stages)


def _shares(shelves: dict[str, Shelf], starts: dict[str, Start], days: Days) -> dict[str, dict[str, float]]:
    """How selective the rules are at the last close of the warm-up."""
    warm = Run(starts["none"].shelf, starts["none"].store, Digests())
    values = values_of(Day(date=days.warm_up[-1].date), warm.memories.values())
    found = {name: shares(shelf, values) for name, shelf in shelves.items()}
    return {name: {"comparisons": round(a, 3), "rules": round(b, 4)} for name, (a, b) in found.items()}


def _bytes_a_line(days: Days) -> int:
    return round(mean(len(raw) for feed in days.measured for raw in feed.raws))


# -- what is shown ----------------------------------------------------------


def table(figures: dict[str, Any]) -> Table:
    """The figures for a person."""
    shown = Table(title=f"CPU microseconds an event, {figures['workload']['events']:,} events a round, medians")
    shown.add_column("")
    for n in RULES:
        shown.add_column(f"{n:,} rules", justify="right")
    names = [str(n) for n in RULES]
    parts = figures["parts_us"]
    rows: list[tuple[str, Any]] = [
        ("json.loads alone", figures["json_loads_us"]),
        ("decode", figures["decode_us"]),
        ("ledger and memory", parts["ledger_and_memory"]),
        ("measures", parts["measures"]),
        ("judge, episodes, alerts", parts["judge_and_alerts"]),
        ("decisions as lines", parts["encode"]),
        ("freeze", parts["freeze"]),
        ("step without decode", figures["step_without_decode_us"]),
        ("step, bytes to decisions", figures["step_us"]),
        ("  times json.loads", figures["ratios"]["step_to_json_loads"]),
        ("naive step", {MAIN: figures["naive_us"]}),
        ("close of a day, a borrower", {name: figures["sweeps_us"][name]["after_events"] for name in names}),
        ("  on a quiet day", {name: figures["sweeps_us"][name]["quiet"] for name in names}),
        ("alerts an event", figures["alerts_per_event"]),
        ("comparisons true", {name: figures["shares"][name]["comparisons"] for name in names}),
        ("rules true", {name: figures["shares"][name]["rules"] for name in names}),
    ]
    for label, value in rows:
        by_name = value if isinstance(value, dict) else dict.fromkeys(names, value)
        shown.add_row(label, *(str(by_name.get(name, "")) for name in names))
    return shown


def summary(figures: dict[str, Any]) -> str:
    """The bytes in one sentence."""
    memory, judged = figures["memory"], figures["memory"]["with_episodes"]
    return (
        f"bytes of {memory['borrowers']:,} borrowers: median {memory['median']:,}, mean {memory['mean']:,}, "
        f"head median {memory['head_median']:,}; with the episodes of {judged['rules']} rules: "
        f"median {judged['median']:,}, mean {judged['mean']:,}, head median {judged['head_median']:,}"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.core", description=__doc__)
    parser.add_argument("--borrowers", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory-borrowers", type=int, default=Size().memory_borrowers)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args(arguments)
    plan = Size().plan._replace(borrowers=given.borrowers, rounds=given.rounds)
    return write(Size(plan=plan, memory_borrowers=given.memory_borrowers), given.out, Console())


def write(size: Size, out: Path, say: Console) -> int:
    """Run, show, write; 1 and one sentence when a decision differs."""
    try:
        figures = run(size, say)
    except Mismatch as mismatch:
        say.print(f"[red]{mismatch}[/red]")
        return 1
    say.print(table(figures))
    say.print(summary(figures))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
