"""The embedded engine as its users meet it: over HTTP, killed at any moment, and with a disk that takes nothing."""

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import pipeline.shells.portfolio
from config.settings import load
from pipeline.events import CATALOGUE
from pipeline.shelf import compile_shelf
from pipeline.shells.embedded.disk import Unstored
from pipeline.shells.embedded.runtime import Batch, Runtime
from pipeline.shells.embedded.standing import Ran
from pipeline.shells.embedded.store import FILE, FORMAT, DataError, Store
from pipeline.shells.embedded.worker import Full, Worker
from pipeline.shells.terms import terms_of
from rules.loader import load_shelf
from tests.arrival_logs import COUNTS_MISSES, forewarn, shelf
from tests.arrival_traffic import arrival_log, rules
from tests.engine_process import COMPARED, KEY, Engine, free_port, replayed, running, told

KILLS = 50 if os.environ.get("CI") == "true" else 6


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    with running(folder, shelf(folder / "rules", misses=COUNTS_MISSES)) as started:
        yield started


# -- nothing lost -----------------------------------------------------------


def test_however_often_it_is_killed_its_decisions_are_those_of_an_undisturbed_run(tmp_path):
    #  The sender sends a batch again until it is answered; the killer strikes while batches are on their way.
    chance = random.Random(5)
    lines = arrival_log(3, with_day_ended=True)
    size = max(1, len(lines) // (KILLS + 20))
    batches = [lines[at : at + size] for at in range(0, len(lines), size)]
    rule_folder = shelf(tmp_path / "rules", **rules())
    engine = Engine(tmp_path, rule_folder)
    engine.start()
    struck = set(chance.sample(range(len(batches)), KILLS))
    for n, batch in enumerate(batches):
        target = engine.process
        if n in struck:
            killer = subprocess.Popen(["sh", "-c", f"sleep {chance.random() * 0.03:.4f}; kill -9 {target.pid}"])
        answered = False
        while not answered:
            try:
                answer = engine.post(b"\n".join(batch), **{"Idempotency-Key": f"batch-{n}"})
                assert answer.status_code == 202 and len(answer.json()["results"]) == len(batch)
                answered = True
            except httpx.TransportError:
                engine.process.wait(60)
                engine.start()
        if n in struck:
            killer.wait()
            assert target.wait(60) == -signal.SIGKILL
            if engine.process is target:
                engine.start()
    assert engine.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    got, wanted = engine.export(), replayed(tmp_path, rule_folder, lines)
    for name in COMPARED:
        assert got[name] == wanted[name], name


def test_a_second_process_on_the_same_data_is_refused_with_a_sentence(engine):
    words = ["run", "--data", engine.folder / "data", "--port", free_port(), "--rules", engine.rules]
    ran = forewarn(*words, "--api-key-file", engine.folder / "keys.txt")
    assert ran.code == 2 and "another process works in" in ran.err and ran.err.count("\n") == 1


# -- what may be sent, and by whom ------------------------------------------


def test_every_line_is_answered_by_itself(engine):
    body = told("a-1") + b"\n\n" + told("a-2", type="external.enquiry") + b"\n" + told("a-1") + b'\n{"id": "half'
    answer = engine.post(body).json()
    assert [each["status"] for each in answer["results"]] == ["accepted", "refused", "accepted", "refused"]
    assert [each.get("reason") for each in answer["results"]] == [None, "unknown_type", None, "not_json"]
    assert (answer["accepted"], answer["refused"], answer["repeated"]) == (2, 2, 0)


def test_an_array_and_a_single_event_may_be_json_of_any_layout(engine):
    array = b"[" + told("j-1") + b",\n " + told("j-2") + b"]"
    assert engine.post(array, **{"Content-Type": "application/json"}).json()["accepted"] == 2
    single = json.dumps(json.loads(told("j-3")), indent=2).encode()
    assert engine.post(single, **{"Content-Type": "application/json"}).json()["accepted"] == 1


def test_lines_of_a_known_request_are_not_taken_again(engine):
    body = told("k-1") + b"\n" + told("k-2")
    first = engine.post(body, **{"Idempotency-Key": "k"}).json()
    again = engine.post(body + b"\n" + told("k-3"), **{"Idempotency-Key": "k"}).json()
    assert (first["accepted"], again["repeated"], again["accepted"]) == (2, 2, 1)


def test_a_key_of_a_request_that_is_used_for_other_lines_is_refused_and_loses_nothing(engine):
    assert engine.post(told("u-1"), **{"Idempotency-Key": "u"}).json()["accepted"] == 1
    other = engine.post(told("u-2"), **{"Idempotency-Key": "u"})
    assert other.status_code == 422 and "got others" in other.json()["detail"]
    assert engine.post(told("u-2")).json()["accepted"] == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer old"}, 401),
        ({"Authorization": f"Basic {KEY}"}, 401),
        ({"Authorization": "Bearer reads"}, 403),
        ({"Authorization": "Bearer sends"}, 202),
    ],
)
def test_a_key_opens_what_its_scope_says(engine, headers, status):
    answer = engine.post(told("s-1"), headers)
    assert answer.status_code == status
    if status != 202:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status and "expected" in answer.json()["detail"]


def test_who_may_only_send_events_closes_no_day(engine):
    answer = engine.post(b'{"type": "day.ended", "date": "2025-01-01"}', {"Authorization": "Bearer sends"}).json()
    assert answer["results"][0]["reason"] == "forbidden" and "scope admin" in answer["results"][0]["why"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"x" * (33 << 20), {}, 413),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400),
        (b"x", {"Content-Encoding": "br"}, 415),
    ],
    ids=["nothing", "too much", "no gzip", "another packing"],
)
def test_a_body_that_cannot_be_used_is_one_sentence(engine, body, headers, status):
    answer = engine.post(body, **headers)
    assert answer.status_code == status and "expected" in answer.json()["detail"]


def test_a_small_body_that_unpacks_to_very_much_is_refused(engine):
    import gzip

    bomb = gzip.compress(b" " * (200 << 20))
    assert engine.post(bomb, **{"Content-Encoding": "gzip"}).status_code == 413


def test_a_day_is_closed_by_command(engine, monkeypatch):
    monkeypatch.setenv("FOREWARN_API_KEY", KEY)
    engine.post(told("d-1"))
    assert forewarn("day", "close", "2025-03-05", "--to", engine.url).out == "2025-03-05 is closed\n"
    engine.export()
    assert json.loads((engine.folder / "out" / "summary.json").read_text())["as_of"] == "2025-03-05"
    wrong = forewarn("day", "close", "2025-02-30", "--to", engine.url)
    assert (wrong.code, wrong.err) == (2, "DATE: expected a date such as 2025-03-08, got '2025-02-30'\n")
    monkeypatch.setenv("FOREWARN_API_KEY", "wrong")
    assert "Bearer KEY" in forewarn("day", "close", "2025-03-06", "--to", engine.url).err


# -- what goes wrong inside -------------------------------------------------


@pytest.fixture
def rule_folder(tmp_path: Path) -> Path:
    return shelf(tmp_path / "rules", misses=COUNTS_MISSES)


@pytest.fixture
def runtime(tmp_path: Path, rule_folder: Path) -> Iterator[Runtime]:
    compiled = compile_shelf(load_shelf([rule_folder], CATALOGUE), terms_of(load()))
    opened = Runtime(tmp_path / "data", compiled, ran=Ran(mark="the same"))
    yield opened
    opened.close()


def rows(runtime: Runtime, table: str) -> int:
    found: int = runtime.store.database.execute(f"select count(*) from {table}").fetchone()[0]
    return found


def test_a_disk_that_takes_nothing_loses_nothing_that_was_acknowledged(runtime):
    [first] = runtime.take([Batch([told("f-1")])])
    pages = runtime.store.database.execute("pragma page_count").fetchone()[0]
    runtime.store.database.execute(f"pragma max_page_count = {pages}")
    many = [told(f"g-{n}", type="repayment.missed", borrower_id=f"B{n}", loan_id=f"L{n}") for n in range(2_000)]
    with pytest.raises(Unstored, match="full"):
        runtime.take([Batch(many)])
    assert (first[0].status, rows(runtime, "arrivals"), rows(runtime, "heads")) == ("accepted", 1, 1)
    runtime.store.database.execute("pragma max_page_count = 1000000")
    [again] = runtime.take([Batch(many)])
    assert (again[0].line, again[-1].line, rows(runtime, "heads")) == (2, 2_001, 2_000)  # B1 was there before
    assert rows(runtime, "decisions") == 2_000  # an alert of each: nothing was remembered of the batch that was undone


def test_a_file_that_its_maker_never_filled_is_filled(tmp_path):
    (tmp_path / "data").mkdir()
    database = sqlite3.connect(tmp_path / "data" / FILE)
    database.execute("pragma journal_mode = wal")  # and here the process was killed
    database.close()
    store = Store(tmp_path / "data")
    assert store.database.execute("select value from meta where name = 'format'").fetchone() == (FORMAT,)
    store.close()


def test_a_data_directory_of_another_format_is_refused_in_a_sentence(runtime, tmp_path):
    runtime.store.database.execute("update meta set value = 99 where name = 'format'")
    runtime.close()
    with pytest.raises(
        DataError, match=f"expected format {FORMAT}, got 99 of a newer Forewarn; upgrade this one: git pull"
    ):
        Store(tmp_path / "data")
    runtime.store = Store(tmp_path / "another")  # for the end of the test


def test_a_request_on_which_the_engine_fails_fails_alone(runtime, monkeypatch):
    real = pipeline.shells.portfolio.Portfolio.take

    def failing(portfolio: Any, arrival: Any) -> Any:
        if arrival.type == "fx.published":  # no borrower is at fault
            raise ZeroDivisionError
        return real(portfolio, arrival)

    monkeypatch.setattr(pipeline.shells.portfolio.Portfolio, "take", failing)
    worker = Worker(runtime)
    rates = b'{"type": "fx.published", "at": "2025-03-05T09:00:00+08:00", "rates": {"USD": 7000000}}'
    answers = [worker.submit(Batch([line])) for line in (told("w-1"), rates, told("w-2"))]  # taken together
    worker.start()
    assert [answers[n].result(60)[0].line for n in (0, 2)] == [1, 2]
    assert isinstance(answers[1].exception(60), ZeroDivisionError)
    worker.stop()


def test_more_than_may_wait_is_told_to_come_again(runtime):
    worker = Worker(runtime, most_waiting=3)
    worker.submit(Batch([told("q-1"), told("q-2")]))
    with pytest.raises(Full):
        worker.submit(Batch([told("q-3"), told("q-4")]))


def test_an_export_under_other_rules_than_decided_is_refused(tmp_path, rule_folder):
    with running(tmp_path, rule_folder) as engine:
        engine.post(told("x-1"))
    engine.export()
    shelf(rule_folder, misses=COUNTS_MISSES | {"when": "missed >= 2"})
    ran = forewarn("export", "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert ran.code == 2 and "expected the rules and settings of its last run, got others" in ran.err


def test_a_port_that_is_taken_is_refused_with_a_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = forewarn("run", "--data", tmp_path, "--port", port)
    assert refused.code == 2
    assert refused.err.startswith(f"127.0.0.1:{port}: expected an address of this machine that is free, got")
