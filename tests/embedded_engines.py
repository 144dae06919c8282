"""Embedded engines in the process of a test: made over a folder, and made to fail on a borrower."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import pipeline.shells.portfolio
from config.settings import load
from pipeline.events import CATALOGUE
from pipeline.memory import Memory
from pipeline.shelf import CompiledShelf, compile_shelf
from pipeline.shells.embedded.export import export
from pipeline.shells.embedded.requests import Outcome
from pipeline.shells.embedded.runtime import Batch, Runtime
from pipeline.shells.embedded.standing import Ran
from pipeline.shells.terms import terms_of
from pipeline.zone import day_number
from rules.loader import load_shelf

Fails = Callable[[str, str], bool]  # borrower, and event id or the date of a close -> whether the core fails on it
RAN = Ran(mark="the same")


def compiled(rules: Path) -> CompiledShelf:
    return compile_shelf(load_shelf([rules], CATALOGUE), terms_of(load()))


@contextmanager
def opened(data: Path, shelf: CompiledShelf, ran: Ran = RAN) -> Iterator[Runtime]:
    runtime = Runtime(data, shelf, ran=ran)
    try:
        yield runtime
    finally:
        runtime.close()


def taken(runtime: Runtime, lines: Sequence[bytes], *, batch: int = 1_000) -> list[Outcome]:
    return [
        outcome
        for start in range(0, len(lines), batch)
        for outcome in runtime.take([Batch(lines[start : start + batch])])[0]
    ]


@contextmanager
def failing(fails: Fails) -> Iterator[None]:
    """The core raises where it is told to, after it has worked: its memory is then as broken as can be."""
    real_step, real_close = pipeline.shells.portfolio.step, pipeline.shells.portfolio.close_day

    def step(shelf: Any, day: Any, memory: Memory, arrival: Any) -> Any:
        found = real_step(shelf, day, memory, arrival)
        _fail(fails, memory, arrival.event.id)
        return found

    def close_day(shelf: Any, day: Any, memory: Memory) -> Any:
        found = real_close(shelf, day, memory)
        _fail(fails, memory, str(day.date))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline.shells.portfolio, "step", step)
        patch.setattr(pipeline.shells.portfolio, "close_day", close_day)
        yield


def _fail(fails: Fails, memory: Memory, what: str) -> None:
    if fails(memory.borrower_id, what):
        memory.head.clock = -1
        memory.is_touched = True
        raise ZeroDivisionError(f"on {what}")


def on_close(day: str) -> str:
    """A close, as `Fails` is asked for it."""
    return str(day_number(date.fromisoformat(day)))


def stored(runtime: Runtime) -> dict[str, list[Any]]:
    """All that an engine has on the disk, by table."""
    database = runtime.store.database
    names = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
    return {name: database.execute(f"select * from {name} order by 1").fetchall() for name in names}


def records_of(folder: Path) -> dict[str, list[Any]]:
    """The decisions that a replay or an export wrote, by file."""
    names = ("alerts", "shadow", "collection-tasks", "dead-letters", "disagreements", "profiles")
    return {name: [json.loads(line) for line in (folder / f"{name}.jsonl").read_bytes().splitlines()] for name in names}


def exported(runtime: Runtime, out: Path) -> dict[str, list[Any]]:
    """The decisions that an export writes, by file."""
    export(runtime.store.database, runtime.shelf, out)
    return records_of(out)


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that is bound to come."""
    last = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < last, "it did not come within a minute"
        time.sleep(0.02)
