"""Values kept from look to look are a convenience: dropping them at any moment changes no decision."""

import gzip
import re
from pathlib import Path
from typing import Any

import pipeline.shells.portfolio
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.shelf import CompiledShelf
from tests.arrival_logs import forewarn

MONTHS = 16  # longer than any event is kept one by one, and into the windows of a year ago
PERSONS = 8
BORROWER = re.compile(rb'"borrower_id":"([^"]+)"')
COMPARED = ("alerts.jsonl", "shadow.jsonl", "collection-tasks.jsonl", "profiles.jsonl")


def replayed(events: Path, out: Path) -> dict[str, bytes]:
    assert forewarn("replay", events, "--out", out, "--quiet").code == 0
    return {name: (out / name).read_bytes() for name in COMPARED}


def forgetful(function: Any) -> Any:
    """The function of the core, with a memory that has just lost all its values."""

    def called(shelf: CompiledShelf, day: Day, memory: Memory, *arrival: Any) -> Any:
        memory.sheets.clear()
        memory.quiet_until = memory.asleep_until = 0
        memory.owes = True
        return function(shelf, day, memory, *arrival)

    return called


def chosen(events: Path, file: Path) -> Path:
    """All firms of a portfolio, and some of its persons."""
    lines = gzip.decompress(events.read_bytes()).splitlines(keepends=True)
    firms = {BORROWER.search(line)[1] for line in lines if b'"segment":"corporate"' in line}  # type: ignore[index]
    persons = sorted({BORROWER.search(line)[1] for line in lines} - firms)[:PERSONS]  # type: ignore[index]
    file.write_bytes(b"".join(line for line in lines if BORROWER.search(line)[1] in firms.union(persons)))  # type: ignore[index]
    assert len(firms) > 8
    return file


def test_a_year_of_the_shipped_shelf_is_the_same_when_every_value_is_asked_for_anew(tmp_path, monkeypatch):
    simulated = ["simulate", "--borrowers", 130, "--months", MONTHS, "--seed", 1]
    assert forewarn(*simulated, "--out", tmp_path / "portfolio", "--quiet").code == 0
    events = chosen(tmp_path / "portfolio" / "events.jsonl.gz", tmp_path / "events.jsonl")
    kept = replayed(events, tmp_path / "kept")
    for name in ("step", "close_day"):
        monkeypatch.setattr(pipeline.shells.portfolio, name, forgetful(getattr(pipeline.shells.portfolio, name)))
    anew = replayed(events, tmp_path / "anew")
    for name in COMPARED:
        assert kept[name].splitlines() == anew[name].splitlines(), name
    assert len(kept["alerts.jsonl"].splitlines()) > 30
