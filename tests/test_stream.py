"""New alerts as they come: to whoever listens, and to whoever comes back."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.shells.embedded import stream
from pipeline.shells.embedded.stream import StreamQuery, Tide
from tests.arrival_logs import COUNTS_MISSES, shelf
from tests.engine_process import running, told
from tests.reading import READS, Engine
from tests.test_reading_laws import ALERT, Decisions, several
from tests.test_reading_laws import SEVERITIES as SOME_SEVERITIES
from tests.test_reading_laws import decided as decided

Event = dict[str, str]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("stream")
    graver = COUNTS_MISSES | {"severity": "low", "escalate": {"critical": "missed >= 2"}}
    with running(folder, shelf(folder / "rules", misses=graver)) as started:
        yield started


@contextmanager
def listening(engine: Engine, path: str = "/v1/stream", **headers: str) -> Iterator[Iterator[Event]]:
    """The events of a stream, each a dict of its fields; the first says where it stands."""
    url = f"{engine.url}{path}"
    with httpx.stream("GET", url, headers=READS | {k.replace("_", "-"): v for k, v in headers.items()}) as answer:
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer.iter_lines())


def events(lines: Iterator[str]) -> Iterator[Event]:
    event: Event = {}
    for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value
        elif not line and event:
            yield event
            event = {}


def misses(engine: Engine, *borrowers: str) -> None:
    """One missed instalment of each: an alert."""
    body = b"\n".join(
        told(f"m-{b}", type="repayment.missed", borrower_id=b, loan_id=f"L-{b}", instalment=1) for b in borrowers
    )
    assert engine.post(body).json()["accepted"] == len(borrowers)


def whom(event: Event) -> str:
    alert = json.loads(event["data"])
    assert event["event"] == "alert"
    return str(alert["borrower_id"])


def test_a_listener_hears_exactly_the_alerts_of_its_time_and_misses_none_that_came_between(engine):
    misses(engine, "before")
    with listening(engine) as heard:
        where = next(heard)
        assert set(where) == {"id", "retry"}
        misses(engine, "S1")
        first = next(heard)
        assert whom(first) == "S1" and int(first["id"]) > int(where["id"])
    misses(engine, "S2", "S3")  # while nobody listens
    with listening(engine, Last_Event_ID=first["id"]) as heard:
        assert next(heard)["id"] == first["id"]
        between = [next(heard), next(heard)]
        misses(engine, "S4")
        assert [*map(whom, between), whom(next(heard))] == ["S2", "S3", "S4"]


def test_the_data_of_an_event_are_the_bytes_of_the_alert(engine):
    misses(engine, "bytes")
    with listening(engine, Last_Event_ID="0") as heard:
        next(heard)
        found = next(event for event in heard if whom(event) == "bytes")
    assert found["data"].encode() in engine.export()["alerts.jsonl"].splitlines()


def test_a_listener_hears_only_what_it_asked_for(engine):
    with listening(engine, "/v1/stream?severity=critical&rule=misses&rule=another") as heard:
        next(heard)
        misses(engine, "F1", "F2")
        second = told("again", type="repayment.missed", borrower_id="F2", loan_id="L-F2", instalment=2)
        assert engine.post(second).json()["accepted"] == 1
        event = next(heard)
        assert (whom(event), json.loads(event["data"])["transition"]) == ("F2", "raised")


@pytest.mark.parametrize(("last", "said"), [("999999999", "at most"), ("-1", "text that matches"), ("x", "matches")])
def test_an_id_that_was_never_given_out_is_refused(engine, last, said):
    answer = httpx.get(f"{engine.url}/v1/stream", headers=READS | {"Last-Event-ID": last})
    assert answer.status_code == 422 and said in answer.json()["detail"]
    assert answer.json()["field"] == "header.Last-Event-ID"


def test_many_who_listen_and_never_read_keep_nobody_waiting(engine):
    deaf = []
    request = f"GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {READS['Authorization']}\r\n\r\n"
    for _ in range(60):
        one = socket.create_connection(("127.0.0.1", engine.port))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        one.sendall(request.encode())
        deaf.append(one)
    try:
        with listening(engine) as heard:
            next(heard)
            many = [f"D{n}" for n in range(300)]
            misses(engine, *many)
            assert [whom(next(heard)) for _ in many] == many
    finally:
        for one in deaf:
            one.close()


def test_an_engine_with_listeners_ends_when_it_is_told_to(tmp_path: Path):
    with running(tmp_path, shelf(tmp_path / "rules", misses=COUNTS_MISSES)) as engine, listening(engine) as heard:
        next(heard)
        import signal

        assert engine.end(signal.SIGTERM) in (0, -signal.SIGTERM)  # within the minute that `end` waits


# -- the law, with a memory of five alerts and a hand that holds two --

STEPS = st.lists(st.lists(ALERT, max_size=9) | st.integers(1, 5), max_size=8)
ASKED = st.fixed_dictionaries({"severity": several(SOME_SEVERITIES), "rule": several(("missed", "another"))})
LAST: dict[str, Any] = {"kind": "alert", "rule": "missed", "severity": "high", "transition": "opened"}


async def heard_of(decided: Decisions, steps: list[Any], asked: StreamQuery, at: int) -> list[int]:
    """The ids that a listener hears who stands at a number and takes as many frames as it likes, when it likes."""
    tide = Tide(decided.reader)
    tide.floor = tide.last = tide._last()
    listener = tide.alerts(min(at, len(decided.made)), asked)
    found = [int((await anext(listener)).split(b"\n")[0][4:])]
    begun = found[0]

    def wanted() -> list[int]:
        return [alert["n"] for alert in decided.made[begun:] if is_wanted(alert, asked)]

    async def take(frames: int) -> None:
        for _ in range(min(frames, len(wanted()) + 1 - len(found))):
            frame = await asyncio.wait_for(anext(listener), 60)
            found.append(int(frame.split(b"\n")[0][4:]))

    for step in steps:
        if isinstance(step, int):
            await take(step)
        else:
            decided.add(*step)
            await tide._rise()
            assert len(tide._at_hand) <= stream.AT_HAND
    # One more of every rule: what is told twice shows before it.
    for rule in asked.rule or ["missed"]:
        decided.add(LAST | {"rule": rule, "severity": (asked.severity or ["high"])[0], "borrower_id": "B1", "after": 0})
    await tide._rise()
    await take(len(decided.made))
    assert found[1:] == wanted()
    await listener.aclose()
    assert tide.listeners == 0
    return found


def is_wanted(alert: dict[str, Any], asked: StreamQuery) -> bool:
    return (
        alert["kind"] == "alert"
        and (not asked.rule or alert["rule"] in asked.rule)
        and (not asked.severity or alert["severity"] in asked.severity)
    )


@given(st.lists(ALERT, max_size=12), STEPS, ASKED, st.integers(0, 12))
def test_however_slowly_it_listens_it_hears_every_alert_once_and_in_order(decided, before, steps, asked, at):
    decided.empty()
    decided.add(*before)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "AT_HAND", 5)
        patch.setattr(stream, "AT_ONCE", 2)
        asyncio.run(heard_of(decided, steps, StreamQuery(**asked), at))
