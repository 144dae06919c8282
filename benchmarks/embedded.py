"""How fast the embedded engine takes events in, beside a bare replay of them; `python -m benchmarks.embedded`."""

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from rich.console import Console
from rich.progress import Progress

from benchmarks.gate import Mismatch
from benchmarks.portfolio import lines
from connectors.simulator.parameters import load as load_figures
from pipeline.shells.embedded.client import KEY_VARIABLE, opened
from pipeline.shells.embedded.export import export
from pipeline.shells.embedded.inbox import DONE, Inbox
from pipeline.shells.embedded.records import LOG
from pipeline.shells.embedded.runtime import Runtime
from pipeline.shells.embedded.sending import send_file
from pipeline.shells.embedded.services import Repeated
from pipeline.shells.embedded.standing import Ran
from pipeline.shells.embedded.store import Store
from pipeline.shells.embedded.worker import Worker
from pipeline.shells.manners import settings_of, shelf_of
from pipeline.shells.replay import replay

SEED = 3
OUT = Path(__file__).parent / "results" / "embedded.json"
COMPARED = ("alerts.jsonl", "collection-tasks.jsonl", "dead-letters.jsonl", "profiles.jsonl")
KEY = "benchmark"
LIBRARIES = ("msgspec", "fastapi", "uvicorn", "httpx")
SHELF = shelf_of(None, settings_of(None))
Way = Callable[[Path, Path], float]  # the log and an empty folder in, seconds out


def run(*, borrowers: int, days: int, rounds: int, say: Console) -> dict[str, Any]:
    """All figures; raises Mismatch instead when one way decides otherwise than another."""
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / LOG
        events = _written(log, borrowers, days)
        say.print(f"{events:,} events of {borrowers:,} borrowers and {days} days, {rounds} rounds ...")
        for n in range(rounds):  # Interleaved: what else the machine does falls on every way alike.
            for way, take in WAYS.items():
                folder = Path(name) / f"{way}-{n}"
                folder.mkdir()
                seconds[way].append(take(log, folder))
                _check(folder / "out", Path(name) / "replay-0" / "out", way)
    medians = {way: median(found) for way, found in seconds.items()}
    return {
        "events_per_second": {way: round(events / found) for way, found in medians.items()},
        "ratios": {
            f"{way}_to_replay": round(medians["replay"] / found, 3) for way, found in medians.items() if way != "replay"
        },
        "workload": {"events": events, "borrowers": borrowers, "days": days, "rounds": rounds, "seed": SEED},
        "rules": len(SHELF.rules),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    }


def _written(log: Path, borrowers: int, days: int) -> int:
    """The simulated portfolio as one log, with the end of each day; how many lines."""
    first, count = load_figures().first_day, 0
    with log.open("wb") as file:
        for day, arrived in lines(borrowers, days, SEED):
            ended = {"type": "day.ended", "date": (first + timedelta(day)).isoformat()}
            for raw in (*arrived, json.dumps(ended).encode()):
                file.write(raw + b"\n")
                count += 1
    return count


def _check(out: Path, expected: Path, way: str) -> None:
    for name in COMPARED:
        if (out / name).read_bytes() != (expected / name).read_bytes():
            raise Mismatch(f"{way}: expected the {name} of the replay, got another; no figure is worth anything")


# -- the ways ---------------------------------------------------------------


def by_replay(log: Path, folder: Path) -> float:
    """The file through the core, without a store."""
    begun = time.perf_counter()
    replay([log], SHELF, folder / "out", Progress(disable=True))
    return time.perf_counter() - begun


def by_post(log: Path, folder: Path) -> float:
    """A process of its own, asked over HTTP; from the first request to the last answer."""
    with _served(folder) as url, opened(url) as engine:
        begun = time.perf_counter()
        send_file(engine, log, lambda done, of: None)
        took = time.perf_counter() - begun
    _export(folder)
    return took


def by_inbox(log: Path, folder: Path) -> float:
    """The file from an inbox, its reader and the engine in one process; from the taking to the putting away."""
    (folder / "inbox").mkdir()
    (folder / "inbox" / LOG).write_bytes(log.read_bytes())
    runtime = Runtime(folder / "data", SHELF, ran=Ran(mark="benchmark"))
    worker = Worker(runtime)
    worker.start()
    inbox = Inbox(folder / "inbox", worker.submit)
    life = Repeated("inbox", inbox.look, every_seconds=1)
    inbox.look(life)  # The first look only sees that the file is there.
    begun = time.perf_counter()
    inbox.look(life)
    took = time.perf_counter() - begun
    assert (folder / "inbox" / DONE / LOG).exists()
    inbox.close()
    worker.stop()
    runtime.close()
    _export(folder)
    return took


WAYS: dict[str, Way] = {"replay": by_replay, "post": by_post, "inbox": by_inbox}


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """A process of `forewarn run`, ready."""
    (folder / "keys.txt").write_text(f"{KEY} admin\n")
    os.environ[KEY_VARIABLE] = KEY
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    words = ["run", "--data", folder / "data", "--port", port, "--api-key-file", folder / "keys.txt", "--quiet"]
    code = "from pipeline.shells.cli import main; main()"
    process = subprocess.Popen([sys.executable, "-c", code, *map(str, words)])
    try:
        url = f"http://127.0.0.1:{port}"
        while not _is_ready(url):
            if process.poll() is not None:
                raise SystemExit("the engine ended by itself")
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _export(folder: Path) -> None:
    with closing(Store(folder / "data")) as store:
        export(store.database, SHELF, folder / "out")


# -- what is shown ----------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.embedded", description=__doc__)
    parser.add_argument("--borrowers", type=int, default=300)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args(arguments)
    say = Console()
    try:
        figures = run(borrowers=given.borrowers, days=given.days, rounds=given.rounds, say=say)
    except Mismatch as mismatch:
        say.print(f"[red]{mismatch}[/red]")
        return 1
    for way, speed in figures["events_per_second"].items():
        share = figures["ratios"].get(f"{way}_to_replay", 1)
        say.print(f"{way:<8} {speed:>8,} events a second, {share:.2f} of replay")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
