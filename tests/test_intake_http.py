"""What comes by HTTP slowly, too much at once, or packed in odd ways; and the services beside the door."""

import gzip
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn

from config.settings import load
from pipeline.events import CATALOGUE
from pipeline.shelf import compile_shelf
from pipeline.shells.embedded.api import app_of
from pipeline.shells.embedded.bodies import LONGEST, MOST_STREAMS, BodyError, unpacked
from pipeline.shells.embedded.keys import read_keys
from pipeline.shells.embedded.runtime import Runtime
from pipeline.shells.embedded.services import Repeated, running
from pipeline.shells.embedded.standing import Ran
from pipeline.shells.embedded.worker import Worker
from pipeline.shells.terms import terms_of
from rules.loader import load_shelf
from tests.arrival_logs import COUNTS_MISSES, shelf
from tests.engine_process import told

KEYS = "a-key admin\nends ingest 2025-03-05\n"
ADMIN = {"Authorization": "Bearer a-key", "Content-Type": "application/x-ndjson"}


class Door:
    """An engine in this process behind a real socket; its worker begins when the test says so."""

    def __init__(self, folder: Path, body_seconds: float = 60) -> None:
        (folder / "keys.txt").write_text(KEYS)
        compiled = compile_shelf(
            load_shelf([shelf(folder / "rules", misses=COUNTS_MISSES)], CATALOGUE), terms_of(load())
        )
        self.runtime = Runtime(folder / "data", compiled, ran=Ran(mark="the same"))
        self.worker = Worker(self.runtime, most_waiting=3)
        self.troubled = Repeated("troubled", lambda life: None, every_seconds=60)
        self.now = "2025-03-05T12:00:00+08:00"
        self.app = app_of(
            self.worker,
            self.runtime,
            read_keys(folder / "keys.txt"),
            lambda: int(datetime.fromisoformat(self.now).timestamp() * 1000),
            services=[self.worker, self.troubled],
            body_seconds=body_seconds,
        )

    def post(self, body: bytes, **headers: str) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/events", content=body, headers=ADMIN | headers, timeout=60)

    @contextmanager
    def opened(self) -> Iterator["Door"]:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        server = uvicorn.Server(uvicorn.Config(self.app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield self
        finally:
            server.should_exit = True
            thread.join()
            self.runtime.close()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with Door(tmp_path).opened() as found:
        yield found


def test_a_sender_that_is_too_slow_is_told_so_and_the_next_is_served(tmp_path):
    with Door(tmp_path, body_seconds=0.2).opened() as door:
        slow_beside_quick(door)
    assert door.runtime.standing.lines == 1


def slow_beside_quick(door: Door) -> None:
    door.worker.start()
    head = "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-key\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", door.port), timeout=60) as slow:
        slow.sendall(head.encode() + told("slow-1")[:50])
        assert door.post(told("quick-1")).status_code == 202  # while the other is waited for
        answer = b""
        while chunk := slow.recv(1 << 16):  # to the end: the connection is closed
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 408 ") and b"\r\nconnection: close\r\n" in answer.lower()
    assert b"expected it within 0.2 seconds, got a part" in answer
    door.worker.stop()


def test_more_than_may_wait_is_told_when_to_come_again_and_is_taken_then(door):
    with ThreadPoolExecutor(1) as another:
        first = another.submit(door.post, told("a-1") + b"\n" + told("a-2"))
        while door.worker.waiting < 2:
            assert not first.done()
        refused = door.post(told("b-1") + b"\n" + told("b-2"))
        assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1
        assert refused.json()["detail"] == "2 lines wait already; send these again later"
        door.worker.start()
        assert first.result(60).json()["accepted"] == 2
    assert door.post(told("b-1") + b"\n" + told("b-2")).json()["accepted"] == 2
    door.worker.stop()
    assert door.runtime.standing.lines == 4


def test_a_body_of_a_hundred_megabytes_without_a_stated_length_is_refused(door):
    answer = httpx.post(
        f"{door.url}/v1/events", content=(b"x" * (1 << 20) for _ in range(100)), headers=ADMIN, timeout=60
    )
    assert answer.status_code == 413 and f"expected at most {LONGEST} bytes" in answer.json()["detail"]


def test_a_key_serves_to_the_end_of_its_last_date_in_the_zone_of_the_bank(door):
    door.worker.start()
    for now, status in (("2025-03-05T23:59:59+08:00", 202), ("2025-03-06T00:00:00+08:00", 401)):
        door.now = now
        assert door.post(told("k-1"), Authorization="Bearer ends").status_code == status
    assert datetime.fromisoformat(door.now).astimezone(UTC).date().isoformat() == "2025-03-05"
    door.worker.stop()


def test_packed_bodies_put_one_behind_the_other_are_one_body(door):
    door.worker.start()
    body = gzip.compress(told("g-1") + b"\n") + gzip.compress(told("g-2")) + bytes(512)
    assert door.post(body, **{"Content-Encoding": "gzip"}).json()["accepted"] == 2
    door.worker.stop()


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (gzip.compress(b" " * (20 << 20)) * 2, 413, f"expected at most {LONGEST} bytes"),
        (gzip.compress(b"") * (MOST_STREAMS + 1), 400, f"expected at most {MOST_STREAMS} gzip streams"),
        (gzip.compress(b"{}") + gzip.compress(b"{}")[:-3], 400, "got one that breaks off"),
        (gzip.compress(b"{}") + b"more", 400, "got other bytes"),
        (b"", 400, "got one that breaks off"),
    ],
    ids=["two halves of a bomb", "many streams", "the second breaks off", "something behind it", "nothing"],
)
def test_a_packed_body_that_cannot_be_unpacked_to_its_end_is_refused(body, status, sentence):
    with pytest.raises(BodyError, match=sentence) as caught:
        unpacked(body, "gzip")
    assert caught.value.status == status


def test_a_body_of_just_the_limit_is_unpacked():
    assert len(unpacked(gzip.compress(b" " * LONGEST), "gzip")) == LONGEST


def test_who_sends_again_hears_why_lines_were_refused_at_first(door):
    door.worker.start()
    body = told("r-1") + b"\n" + told("r-2", type="external.enquiry")
    first = door.post(body, **{"Idempotency-Key": "r"}).json()["results"]
    again = door.post(body, **{"Idempotency-Key": "r"}).json()["results"]
    assert [each["status"] for each in again] == ["repeated", "repeated"]
    assert "reason" not in again[0]
    assert (again[1]["reason"], again[1]["why"]) == ("unknown_type", first[1]["why"])
    door.worker.stop()


def test_what_troubles_a_service_is_told_and_events_are_taken_all_the_same(door):
    assert httpx.get(f"{door.url}/readyz").json()["troubles"] == []
    door.troubled.tell("a sentence")
    answer = httpx.get(f"{door.url}/readyz")
    assert answer.status_code == 200 and answer.json()["troubles"] == ["a sentence"]
    scraped = httpx.get(f"{door.url}/metrics", headers=ADMIN).text.splitlines()
    assert 'forewarn_service_troubled{service="engine"} 0.0' in scraped
    assert 'forewarn_service_troubled{service="troubled"} 1.0' in scraped


# -- services ---------------------------------------------------------------


class Noted:
    """A service that notes its start and its stop."""

    trouble = None

    def __init__(self, name: str, notes: list[str], fails: bool = False) -> None:
        self.name, self.notes, self.fails = name, notes, fails

    def start(self) -> None:
        if self.fails:
            raise OSError
        self.notes.append(f"{self.name} starts")

    def stop(self) -> None:
        self.notes.append(f"{self.name} stops")


def test_the_last_service_that_was_started_is_the_first_to_stop():
    notes: list[str] = []
    with running([Noted("engine", notes), Noted("inbox", notes)]):
        notes.append("open")
    assert notes == ["engine starts", "inbox starts", "open", "inbox stops", "engine stops"]


def test_services_are_stopped_when_another_does_not_start():
    notes: list[str] = []
    with pytest.raises(OSError), running([Noted("engine", notes), Noted("inbox", notes, fails=True)]):
        pass
    assert notes == ["engine starts", "engine stops"]


def test_a_service_that_fails_looks_again(caplog):
    looks: list[str | None] = []
    done = threading.Event()

    def look(life: Repeated) -> None:
        looks.append(life.trouble)
        if len(looks) == 1:
            raise ZeroDivisionError
        done.set()

    service = Repeated("counting", look, every_seconds=0)
    with running([service]):
        assert done.wait(60)
    assert looks[:2] == [None, "failed with ZeroDivisionError; see the log"]
    assert "counting failed, and looks again" in caplog.text


def test_a_service_that_waits_ends_when_it_is_asked_to():
    waits = threading.Event()

    def look(life: Repeated) -> None:
        waits.set()
        life.pause(3_600)

    with running([Repeated("waiting", look, every_seconds=3_600)]):
        assert waits.wait(60)
