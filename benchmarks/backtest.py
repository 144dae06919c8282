"""What a backtest costs on one process and on two, beside the bare replay: `python -m benchmarks.backtest`.

Each way is a command in a process of its own, over the same file and the shipped rules, one after another: wall
time, and CPU time over all its processes. The results of one process and of two must have the same
bytes, or there is one sentence and no figure.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from connectors.ingest import ingest

RESULTS = Path(__file__).parent / "results" / "backtest.json"
ROOT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-c", "from pipeline.shells.cli import main; main()")
PROCESSES = (1, 2)
REPLAY = "replay"


class Spent(NamedTuple):
    """What one run took."""

    wall_s: float
    cpu_s: float


def spent(*words: str | Path) -> Spent:
    """Run a command to its end."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*COMMAND, *map(str, words), "--quiet"], check=True, cwd=ROOT)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measured(events: Path, config: Path | None, rounds: int, folder: Path) -> dict[str, Any]:
    """The ways, in turn, so many times; medians, and how they compare."""
    own: list[str | Path] = [] if config is None else ["--config", config]
    ways: dict[str, list[str | Path]] = {REPLAY: ["replay", events, "--out", folder / "replay", *own]}
    for count in PROCESSES:
        out = folder / f"backtest-{count}"
        ways[f"backtest_{count}"] = [
            *("backtest", events, "--processes", str(count), "--format", "json", "--out", out),
            *own,
        ]
    runs: dict[str, list[Spent]] = {name: [] for name in ways}
    load = os.getloadavg()[0]
    for _ in range(rounds):
        for name, words in ways.items():
            runs[name].append(spent(*words))
            print(f"{name}: {runs[name][-1].wall_s:.1f} s, {runs[name][-1].cpu_s:.1f} s of CPU", file=sys.stderr)
    results = [(folder / f"backtest-{count}" / "backtest.json").read_bytes() for count in PROCESSES]
    if len(set(results)) > 1:
        sys.exit(f"expected equal bytes of {events.name} for any number of processes, got others")
    return _figures(json.loads(results[0]), runs, load)


def _figures(found: dict[str, Any], runs: dict[str, list[Spent]], load: float) -> dict[str, Any]:
    count, seen = found["events"]["events"], found["verdict"]["observed"]
    wall = {name: median(each.wall_s for each in told) for name, told in runs.items()}
    cpu = {name: median(each.cpu_s for each in told) for name, told in runs.items()}
    one, two = (f"backtest_{n}" for n in PROCESSES)
    return {
        "events": count,
        "borrowers": seen["borrowers"],
        "days": seen["days"],
        "alerts": found["verdict"]["overall"]["counts"]["alerts"],
        "events_per_wall_second": {name: round(count / s) for name, s in wall.items()},
        "events_per_cpu_second": {name: round(count / s) for name, s in cpu.items()},
        "wall_s": {name: round(s, 1) for name, s in wall.items()},
        "cpu_s": {name: round(s, 1) for name, s in cpu.items()},
        "ratios": {
            "one_process_to_replay_wall": round(wall[one] / wall[REPLAY], 3),
            "two_processes_to_replay_wall": round(wall[two] / wall[REPLAY], 3),
            "one_process_to_replay_cpu": round(cpu[one] / cpu[REPLAY], 3),
            "two_processes_to_one_cpu": round(cpu[two] / cpu[one], 3),
            "two_processes_to_one_wall": round(wall[two] / wall[one], 3),
        },
        "rounds": len(runs[one]),
        "load_at_start": round(load, 2),
    }


def main() -> None:
    """Measure each set that is asked for, and keep its figures beside those of the others."""
    parser = argparse.ArgumentParser(prog="benchmarks.backtest", description=__doc__)
    parser.add_argument("--borrowers", type=int, default=10_000, help="of the simulated portfolio")
    parser.add_argument("--months", type=int, default=18)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--us", type=Path, help="the public set of US mortgages, measured in place of the simulated one"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.us is None:
            wanted, config = f"simulated_{given.borrowers}_borrowers_{given.months}_months", None
            size = ("--borrowers", str(given.borrowers), "--months", str(given.months), "--seed", "1")
            spent("simulate", *size, "--out", folder / "portfolio")
            events = folder / "portfolio" / "events.jsonl.gz"
        else:
            wanted, config, events = "us_mortgages", ROOT / "config" / "us.yaml", folder / "us_mortgages.jsonl.gz"
            ingest(given.us, "us_mortgages", events, quiet=True)
        figures = measured(events, config, given.rounds, folder)
    kept = json.loads(given.out.read_text("utf-8")) if given.out.exists() else {}
    about = {"made_by": "python -m benchmarks.backtest", "cores": os.cpu_count(), "python": platform.python_version()}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({**kept, **about, wanted: figures}, indent=1) + "\n", "utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
