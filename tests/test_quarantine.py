"""A borrower on whom the core fails is set aside: its events wait, and everybody else does not notice."""

import json
import logging
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress

from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded import quarantine
from pipeline.shells.embedded.disk import Halted
from pipeline.shells.embedded.quarantine import asides_in
from pipeline.shells.embedded.records import LOG
from pipeline.shells.embedded.runtime import Batch, Runtime
from pipeline.shells.embedded.worker import Worker
from pipeline.shells.replay import replay
from tests.arrival_logs import as_line, day_ended, due, shelf, told, written
from tests.arrival_traffic import FIRST, arrival_log, rules
from tests.embedded_engines import Fails, compiled, exported, failing, on_close, opened, records_of, stored, taken

LINES = arrival_log(3, with_day_ended=True)


@pytest.fixture(scope="module")
def whole_shelf(tmp_path_factory: pytest.TempPathFactory) -> CompiledShelf:
    return compiled(shelf(tmp_path_factory.mktemp("rules"), **rules()))


def whose(raw: bytes) -> str | None:
    try:
        found = json.loads(raw)
    except ValueError:
        return None
    return found.get("borrower_id") if isinstance(found, dict) else None


def of_others(found: dict[str, list[Any]], aside: set[str]) -> dict[str, list[Any]]:
    """What was said of everybody else; a dead letter is of whoever stands at its line."""
    return {
        name: [each for each in each_file if _whose(each) not in aside and each.get("reason") != "fault"]
        for name, each_file in found.items()
    }


def _whose(decision: dict[str, Any]) -> str | None:
    return decision.get("borrower_id") or whose(LINES[decision["source"]["line"] - 1])


def came_early(who: str) -> str:
    """The id, e-DAY-BORROWER-n, of the first event of a borrower that comes before its date."""
    told = [json.loads(line) for line in LINES if whose(line) == who]
    return next(each["id"] for each in told if day_of(each["at"]) > int(each["id"].split("-")[1]))


def day_of(at: str) -> int:
    return (date.fromisoformat(at[:10]) - FIRST).days


EARLY = came_early("B3")
#  The log begins on 2025-01-01.
FAULTS: dict[str, tuple[set[str], Fails]] = {
    "on an event": ({"B5"}, lambda who, what: who == "B5" and what.startswith("e-20-")),
    "on its first event": ({"B0"}, lambda who, what: who == "B0"),
    "at a close": ({"B7"}, lambda who, what: who == "B7" and what == on_close("2025-01-25")),
    "on an event that came early": ({"B3"}, lambda who, what: what == EARLY),
    "two at one close, one on an event": (
        {"B1", "B2", "B9"},
        lambda who, what: (who in ("B1", "B2") and what == on_close("2025-02-01")) or (who, what) == ("B9", "e-40-9-0"),
    ),
}


@pytest.mark.parametrize(("aside", "fails"), FAULTS.values(), ids=FAULTS)
def test_everybody_else_is_byte_for_byte_as_if_it_did_not_exist(tmp_path, whole_shelf, aside, fails):
    with failing(fails), opened(tmp_path / "data", whole_shelf) as runtime:
        taken(runtime, LINES, batch=97)
        assert set(runtime.quarantine) == aside
        got = exported(runtime, tmp_path / "got")
    #  An empty line keeps the numbers of those after it, and says nothing.
    without = [b"" if whose(line) in aside else line for line in LINES]
    replay([written(tmp_path / LOG, *without)], whole_shelf, tmp_path / "wanted", Progress(disable=True))
    wanted = records_of(tmp_path / "wanted")
    assert len(wanted["alerts"]) > 20
    assert of_others(got, aside) == wanted
    assert not aside & {profile["borrower_id"] for profile in got["profiles"]}


@pytest.mark.parametrize(("aside", "fails"), FAULTS.values(), ids=FAULTS)
def test_however_its_lines_were_put_together_the_same_events_wait(tmp_path, whole_shelf, aside, fails):
    found = []
    for batch in (1, 13, len(LINES)):
        with failing(fails), opened(tmp_path / str(batch), whole_shelf) as runtime:
            runtime.store.database.execute("pragma synchronous = off")  # no power fails here
            taken(runtime, LINES, batch=batch)
            tables = stored(runtime)
        found.append({name: tables[name] for name in ("arrivals", "closes", "decisions", "quarantine")})
    assert found[0] == found[1] == found[2]


def test_it_is_set_aside_at_the_event_that_it_failed_on_and_what_came_before_stands(tmp_path, whole_shelf):
    lines = [json.dumps(told(f"f-{n}", "account.overdrawn", "2025-01-01", account_id="A")).encode() for n in range(4)]
    with failing(lambda who, what: what == "f-2"), opened(tmp_path / "data", whole_shelf) as runtime:
        outcomes = taken(runtime, lines)
        assert [each.status for each in outcomes] == ["accepted", "accepted", "refused", "refused"]
        assert [each.line for each in outcomes] == [1, 2, 3, 4]
        assert {each.reason for each in outcomes[2:]} == {"fault"}
        [(borrower, aside)] = asides_in(runtime.store.database)
        assert (borrower, aside.line) == ("B17", 3)
        assert aside.fault.startswith("ZeroDivisionError: on f-2, at tests/embedded_engines.py:")
        [first, second] = exported(runtime, tmp_path / "out")["dead-letters"]
        assert (first["bytes"].encode(), second["bytes"].encode()) == (lines[2], lines[3])
        assert "at line 3 of 2025-01-01 (ZeroDivisionError: on f-2" in first["why"]
        memory = runtime.borrowers.memory("B17")
        assert memory.head.clock > 0  # of the bytes before, not what the fault left behind


def test_a_fault_at_a_close_leaves_the_bytes_from_before_it(tmp_path, whole_shelf):
    lines = [as_line(due("d", "2025-01-01")), as_line(day_ended("2025-01-01"))]
    with failing(lambda who, what: what == on_close("2025-01-01")), opened(tmp_path / "data", whole_shelf) as runtime:
        taken(runtime, lines[:1])
        before = stored(runtime)
        taken(runtime, lines[1:])
        after = stored(runtime)
    assert len(after["quarantine"]) == 1
    assert [row[:2] for row in after["heads"]] == [row[:2] for row in before["heads"]]
    assert after["tails"] == before["tails"]


def test_a_close_passes_over_who_is_set_aside(tmp_path, whole_shelf):
    #  Due on the 1st; the event of the 1st fails; at the close of the 2nd the instalment would be missed.
    lines = [as_line(due("d", "2025-01-01")), as_line(told("f", "external.inquiry", "2025-01-01"))]
    with failing(lambda who, what: what == "f"), opened(tmp_path / "data", whole_shelf) as runtime:
        taken(runtime, lines)
        before = stored(runtime)
        taken(runtime, [as_line(day_ended("2025-01-05"))])
        after = stored(runtime)
    assert after["heads"] == before["heads"] and after["decisions"] == before["decisions"]


def test_it_stays_aside_after_a_restart_and_when_nothing_fails_any_more(tmp_path, whole_shelf):
    one, two = (json.dumps(told(f"f-{n}", "external.inquiry", "2025-01-01")).encode() for n in (1, 2))
    with failing(lambda who, what: True), opened(tmp_path / "data", whole_shelf) as runtime:
        taken(runtime, [one])
    with opened(tmp_path / "data", whole_shelf) as runtime:
        assert [each.reason for each in taken(runtime, [two])] == ["fault"]
        assert len(runtime.quarantine) == 1


def test_what_cannot_be_frozen_or_thawed_is_set_aside_too(tmp_path, whole_shelf, monkeypatch):
    lines = [json.dumps(told(who, "external.inquiry", "2025-01-01", borrower_id=who)).encode() for who in "ABC"]
    with opened(tmp_path / "data", whole_shelf) as runtime:
        taken(runtime, lines)
        runtime.store.database.execute("update heads set head = x'0102' where borrower_id = 'B'")
        runtime.borrowers.forget()
        taken(runtime, [json.dumps(day_ended("2025-01-01")).encode()])  # everyone is read
        assert set(runtime.quarantine) == {"B"}
    import pipeline.shells.embedded.borrowers as borrowers

    real = borrowers.freeze
    monkeypatch.setattr(borrowers, "freeze", lambda memory: 1 / 0 if memory.borrower_id == "C" else real(memory))
    again = [json.dumps(told(f"{who}2", "external.inquiry", "2025-01-02", borrower_id=who)).encode() for who in "AC"]
    with opened(tmp_path / "data", whole_shelf) as runtime:
        assert [each.reason for each in taken(runtime, again)] == [None, "fault"]
        assert set(runtime.quarantine) == {"B", "C"}


def test_a_fault_on_many_is_no_borrowers_and_stops_the_intake_without_a_trace(tmp_path, whole_shelf):
    most = quarantine.MOST_AT_ONCE
    good = json.dumps(told("g", "external.inquiry", "2025-01-01", borrower_id="GOOD")).encode()
    bad = [
        json.dumps(told(f"b-{n}", "external.inquiry", "2025-01-01", borrower_id=f"BAD{n}")).encode()
        for n in range(most + 1)
    ]
    with failing(lambda who, what: who.startswith("BAD")), opened(tmp_path / "data", whole_shelf) as runtime:
        assert [each.reason for each in taken(runtime, [good, *bad[:most]])] == [None] + ["fault"] * most
        before = stored(runtime)
        other = [raw.replace(b"BAD", b"BAD-TOO-") for raw in bad]
        with pytest.raises(Halted, match=f"at most {most} borrowers of a batch"):
            taken(runtime, other)
        assert stored(runtime) == before and len(runtime.quarantine) == most
        worker = Worker(runtime)
        answers = [worker.submit(Batch(other)), worker.submit(Batch([good]))]
        worker.start()
        assert [type(each.exception(60)) for each in answers] == [Halted, Halted]
        assert worker.trouble is not None and "a borrower's" in worker.trouble
        worker.stop()
        assert stored(runtime) == before


def test_the_alarm_is_an_error_in_the_log_with_the_place_of_the_fault(tmp_path, whole_shelf, caplog):
    caplog.set_level(logging.ERROR)
    line = json.dumps(told("f-1", "external.inquiry", "2025-01-01")).encode()
    with failing(lambda who, what: True), opened(tmp_path / "data", whole_shelf) as runtime:
        taken(runtime, [line, line])
    [record] = caplog.records
    assert record.getMessage().startswith("the engine set borrower B17 aside at line 1: ZeroDivisionError: on f-1")
    assert record.exc_info is not None


# -- killed -----------------------------------------------------------------

DIES = """
import os, signal, sys
from pathlib import Path
from tests.test_quarantine import FAULTS, take_all
from tests.embedded_engines import failing, opened, compiled
folder, at = Path(sys.argv[1]), int(sys.argv[2])
fails, shelf = FAULTS["two at one close, one on an event"][1], compiled(folder / "rules")
with failing(fails), opened(folder / "data", shelf) as runtime:
    left = [at]
    def count(statement):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    runtime.store.database.set_trace_callback(count)
    take_all(runtime)
"""


def take_all(runtime: Runtime) -> None:
    """Every line, each batch by a key of its own, so that what was taken is not taken again."""
    for start in range(0, len(LINES), 500):
        runtime.take([Batch(LINES[start : start + 500], request=f"batch-{start}")])


def test_however_often_it_is_killed_the_same_borrowers_are_set_aside_at_the_same_lines(tmp_path, whole_shelf):
    shelf(tmp_path / "rules", **rules())
    fails = FAULTS["two at one close, one on an event"][1]
    with failing(fails), opened(tmp_path / "undisturbed", whole_shelf) as runtime:
        take_all(runtime)
        wanted = stored(runtime)
    # The statements of a run are some thousands; each kill comes further on in what is left of them.
    for at in (1, 900, 1_800, 2_500, 300):
        ran = subprocess.run([sys.executable, "-c", DIES, tmp_path, str(at)], cwd=Path(__file__).parents[1])
        assert ran.returncode == -signal.SIGKILL
    with failing(fails), opened(tmp_path / "data", whole_shelf) as runtime:
        take_all(runtime)
        got = stored(runtime)
    for name in ("arrivals", "closes", "decisions", "quarantine", "requests"):
        assert got[name] == wanted[name], name
