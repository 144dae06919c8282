"""Dead letters of an engine: listed, shown with their bytes, and taken again as new arrivals."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from rich.progress import Progress

import pipeline.shells.embedded.letter_commands as letter_commands
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.api import app_of
from pipeline.shells.embedded.keys import Keys, read_keys
from pipeline.shells.embedded.letters import COUNTS, Counted, counts_in
from pipeline.shells.embedded.records import LOG
from pipeline.shells.embedded.retaking import Asked, Retaken, retake
from pipeline.shells.embedded.runtime import Runtime
from pipeline.shells.embedded.worker import Worker
from pipeline.shells.replay import replay
from tests.arrival_logs import COUNTS_MISSES, as_line, day_ended, due, forewarn, missed, shelf, told
from tests.arrival_traffic import arrival_log, rules
from tests.embedded_engines import compiled, exported, failing, on_close, opened, records_of, stored, taken
from tests.engine_process import KEY, running

FOREIGN = {"account_id": "A1", "amount_minor": 500, "currency": "USD"}
RATES = {"type": "fx.published", "at": "2025-03-01T00:00:00+08:00", "rates": {"USD": 7_000_000}}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> CompiledShelf:
    return compiled(shelf(tmp_path_factory.mktemp("rules"), misses=COUNTS_MISSES))


@pytest.fixture
def runtime(tmp_path: Path, plain: CompiledShelf) -> Iterator[Runtime]:
    with opened(tmp_path / "data", plain) as found:
        yield found


def asked(runtime: Runtime, **own: Any) -> list[Retaken]:
    return retake(runtime, Asked(**own)).results


# -- read -------------------------------------------------------------------


@pytest.fixture
def letters(tmp_path: Path, runtime: Runtime) -> Path:
    """Four letters: two that are no JSON, one of them no text; one without a rate; one of an unknown type."""
    foreign = told("d1", "account.debit", "2025-03-02", **FOREIGN)
    lines = [
        b"{",
        as_line(foreign),
        as_line(day_ended("2025-03-02")),
        b"\xff\x00",
        as_line(told("u", "no.such", "2025-03-03")),
    ]
    assert [each.status for each in taken(runtime, lines)] == ["refused", "refused", "accepted", "refused", "refused"]
    return tmp_path / "data"


def listed(*words: str | Path) -> list[dict[str, Any]]:
    ran = forewarn("dead-letters", "list", "--json", *words)
    assert (ran.code, ran.err) == (0, "")
    return [json.loads(line) for line in ran.out.splitlines()]


def test_letters_are_listed_with_reason_borrower_and_the_day_they_came_on(letters):
    found = listed("--data", letters)
    assert [(each["reason"], each["borrower_id"], each["day"]) for each in found] == [
        ("not_json", None, "2025-03-02"),  # before the first event that can be read there is its day
        ("bad_field", "B17", "2025-03-02"),
        ("not_json", None, "2025-03-03"),
        ("unknown_type", "B17", "2025-03-03"),
    ]
    assert [each["source"] for each in found] == [{"file": LOG, "line": line} for line in (1, 2, 4, 5)]
    assert (found[0]["bytes"], found[2]["bytes"], found[2]["encoding"]) == ("{", "/wA=", "base64")


def test_a_list_is_filtered_and_goes_on_behind_a_number(letters):
    every = [each["number"] for each in listed("--data", letters)]
    assert [each["number"] for each in listed("--data", letters, "--reason", "not_json")] == [every[0], every[2]]
    assert [each["number"] for each in listed("--data", letters, "--borrower", "B17")] == [every[1], every[3]]
    assert [each["number"] for each in listed("--data", letters, "--limit", "2")] == every[:2]
    assert [each["number"] for each in listed("--data", letters, "--after", str(every[1]))] == every[2:]
    said = forewarn("dead-letters", "list", "--data", letters, "--limit", "2").out
    assert f"there are more: --after {every[1]}\n" in said and "not_json: 2, of which 2 not taken again" in said


def test_one_letter_is_shown_with_everything_and_its_bytes(letters):
    number = str(listed("--data", letters)[1]["number"])
    said = forewarn("dead-letters", "show", number, "--data", letters).out
    assert "reason: bad_field\n" in said and '"amount_minor":500' in said and f'source: {{"file": "{LOG}"' in said
    missing = forewarn("dead-letters", "show", "99", "--data", letters)
    assert (missing.code, missing.err) == (
        2,
        "N: expected the number of a dead letter, got 99; forewarn dead-letters list shows them\n",
    )


def test_the_letters_of_a_replays_folder_are_those_of_the_engine(tmp_path, letters, runtime):
    exported(runtime, tmp_path / "out")
    fields = ("reason", "why", "source", "borrower_id", "bytes")
    [ours, theirs] = [listed(*words) for words in (("--data", letters), ("--from", tmp_path / "out"))]
    assert [[each[name] for name in fields] for each in ours] == [[each[name] for name in fields] for each in theirs]
    assert [each["number"] for each in theirs] == [1, 2, 3, 4]
    assert '"amount_minor":500' in forewarn("dead-letters", "show", "2", "--from", tmp_path / "out").out


def test_what_cannot_be_read_is_one_sentence(tmp_path):
    for words, said in [
        (("list",), "--data: expected the data of an engine, or --from"),
        (("list", "--data", tmp_path), "expected the data directory of an engine, got none with"),
        (("show", "1", "--from", tmp_path), "got one without dead-letters.jsonl; check the name"),
        (("replay",), "N...: expected numbers, or --reason or --borrower"),
        (("replay", "1", "--reason", "fault"), "N...: expected numbers, or --reason or --borrower"),
    ]:
        ran = forewarn("dead-letters", *words)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1) and said in ran.err


# -- taken again ------------------------------------------------------------


def test_bytes_taken_again_are_new_arrivals_and_the_log_replays_to_equal_bytes(tmp_path, runtime, plain):
    lines = [as_line(told("d1", "account.debit", "2025-03-01", **FOREIGN)), b"{", as_line(RATES)]
    lines.append(as_line(missed("m1", "2025-03-01")))
    taken(runtime, lines)
    found = asked(runtime, reason="bad_field")
    assert [(each.status, each.log_line) for each in found] == [("accepted", 5)]
    again = asked(runtime, reason="not_json")
    assert [(each.status, each.reason, each.log_line) for each in again] == [("refused", "not_json", 6)]
    taken(runtime, [as_line(day_ended("2025-03-01"))])
    got = exported(runtime, tmp_path / "out")
    replay([tmp_path / "out" / LOG], plain, tmp_path / "wanted", Progress(disable=True))
    assert got == records_of(tmp_path / "wanted")
    assert [each["reason"] for each in got["dead-letters"]] == ["bad_field", "not_json", "not_json"]


def test_what_was_taken_again_is_passed_over_unless_it_is_named(runtime):
    taken(runtime, [b"{"])
    [first] = asked(runtime, reason="not_json")
    [second] = asked(runtime, reason="not_json")  # the new letter of the one that was refused again
    assert second.letter > first.letter
    assert asked(runtime, letters=[first.letter])[0].log_line == 4
    assert counts_in(runtime.store.database) == {"not_json": Counted(4, 2)}
    answer = retake(runtime, Asked(letters=[77]))
    assert (answer.results, answer.unknown) == ([], [77])


def test_many_letters_are_taken_again_page_by_page_and_none_twice(runtime, monkeypatch):
    monkeypatch.setattr("pipeline.shells.embedded.retaking.MOST", 3)
    taken(runtime, [b"{"] * 7)
    after, until, found = 0, None, []
    while after is not None:
        answer = retake(runtime, Asked(reason="not_json", after=after, until=until))
        after, until = answer.after, answer.until
        found.append(len(answer.results))
    assert found == [3, 3, 1]
    assert counts_in(runtime.store.database) == {"not_json": Counted(14, 7)}


# -- after a fault ----------------------------------------------------------

LINES = arrival_log(3, with_day_ended=True)


def test_after_the_fix_a_borrowers_profile_is_that_of_one_who_never_failed(tmp_path):
    #  Fails on 20 January, and warns nobody; the fix comes after the last close, and the next close shows it.
    whole = compiled(shelf(tmp_path / "rules", **rules()))
    last = as_line(day_ended("2025-03-02"))
    fails = failing(lambda who, what: who == "B9" and what.startswith("e-20-"))
    with fails, opened(tmp_path / "failed", whole) as runtime:
        taken(runtime, LINES)
    with opened(tmp_path / "failed", whole) as runtime:
        answer = retake(runtime, Asked(reason="fault"))
        assert answer.lifted == ["B9"] and len(answer.results) > 30
        assert len(runtime.quarantine) == 0 and counts_in(runtime.store.database)["fault"].open == 0
        taken(runtime, [last])
        got = exported(runtime, tmp_path / "got")
    with opened(tmp_path / "undisturbed", whole) as runtime:
        taken(runtime, [*LINES, last])
        wanted = exported(runtime, tmp_path / "wanted")
    [[ours], [theirs]] = [[p for p in found["profiles"] if p["borrower_id"] == "B9"] for found in (got, wanted)]
    assert ours["loans"] == theirs["loans"] and ours["exposure_minor"] == theirs["exposure_minor"]
    others = [[p for p in found["profiles"] if p["borrower_id"] != "B9"] for found in (got, wanted)]
    assert others[0] == others[1]


def test_one_letter_of_a_borrower_takes_all_that_wait_of_it_in_their_order(runtime):
    lines = [as_line(told(f"f-{n}", "external.inquiry", "2025-01-01")) for n in range(3)]
    other = as_line(told("f-0", "external.inquiry", "2025-01-01", borrower_id="B18"))
    with failing(lambda who, what: what == "f-0"):
        taken(runtime, [lines[0], other, *lines[1:]])
    [first, of_other, second, third] = _numbers(runtime)
    assert [each.letter for each in asked(runtime, letters=[second])] == [first, second, third]
    assert list(runtime.quarantine) == ["B18"]
    assert [each.letter for each in asked(runtime, reason="fault")] == [of_other]


def _numbers(runtime: Runtime) -> list[int]:
    return [n for (n,) in runtime.store.database.execute("select n from decisions where kind = 'dead_letter'")]


def test_who_fails_again_waits_again_and_nothing_is_lost(runtime):
    lines = [as_line(told(f"f-{n}", "external.inquiry", "2025-01-01")) for n in range(3)]
    with failing(lambda who, what: what == "f-0"):
        taken(runtime, lines)
    with failing(lambda who, what: what == "f-1"):
        found = asked(runtime, reason="fault")
    assert [each.status for each in found] == ["accepted", "refused", "refused"]
    assert runtime.quarantine.get("B17").line == 5
    assert [each.status for each in asked(runtime, reason="fault")] == ["accepted", "accepted"]
    assert counts_in(runtime.store.database)["fault"] == Counted(5, 0)


def test_who_failed_at_a_close_and_has_no_event_that_waits_is_let_out_too(runtime):
    lines = [as_line(due("d", "2025-03-01")), as_line(day_ended("2025-03-01"))]
    with failing(lambda who, what: what == on_close("2025-03-01")):
        taken(runtime, lines)
    assert list(runtime.quarantine) == ["B17"]
    assert retake(runtime, Asked(reason="fault")).lifted == ["B17"]
    taken(runtime, [as_line(day_ended("2025-03-02"))])
    #  Due on the 1st and unpaid on the 2nd: the miss of which the alert tells.
    [alert] = stored(runtime)["decisions"]
    assert json.loads(alert[-1])["id"] == "misses/L4/1/opened"


# -- over HTTP --------------------------------------------------------------


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    (tmp_path / "keys").write_text("boss admin\nfeed ingest\n")
    return read_keys(tmp_path / "keys")


class Door:
    """The application, asked without a socket."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def asked(self, method: str, path: str, **own: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://engine") as client:
                return await client.request(method, path, **own)

        return asyncio.run(ask())

    def post(self, path: str, **own: Any) -> httpx.Response:
        return self.asked("POST", path, **own)


@pytest.fixture
def client(runtime: Runtime, keys: Keys) -> Iterator[Door]:
    worker = Worker(runtime)
    worker.start()
    yield Door(app_of(worker, runtime, keys, lambda: 0))
    worker.stop()


def test_the_door_takes_letters_again_for_an_admin_alone(client):
    boss, feed = ({"Authorization": f"Bearer {key}"} for key in ("boss", "feed"))
    client.post("/v1/events", content=b"{", headers=feed)
    assert client.post("/v1/dead-letters/replay", json={}, headers=feed).status_code == 403
    answer = client.post("/v1/dead-letters/replay", json={"reason": "not_json"}, headers=boss).json()
    assert [each["status"] for each in answer["results"]] == ["refused"]
    assert client.post("/v1/dead-letters/replay", json={"letter": [1]}, headers=boss).status_code == 422


def test_readiness_tells_of_borrowers_that_are_set_aside_and_stays_ready(client):
    with failing(lambda who, what: True):
        sent = client.post(
            "/v1/events", content=as_line(missed("m", "2025-03-01")), headers={"Authorization": "Bearer feed"}
        )
    [result] = sent.json()["results"]
    assert (sent.status_code, result["status"], result["reason"], result["log_line"]) == (202, "refused", "fault", 1)
    ready = client.asked("GET", "/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ready", "waiting": 0, "quarantined": 1, "troubles": []},
    )


def test_the_command_shows_each_result(client, monkeypatch):
    def post(request: Any) -> Any:
        answer = client.post("/v1/dead-letters/replay", content=request.data, headers=dict(request.header_items()))
        return _Response(answer.content)

    monkeypatch.setenv("FOREWARN_API_KEY", "boss")
    monkeypatch.setattr(letter_commands, "urlopen", post)
    with failing(lambda who, what: True):
        client.post("/v1/events", content=as_line(missed("m", "2025-03-01")), headers={"Authorization": "Bearer feed"})
    ran = forewarn("dead-letters", "replay", "--reason", "fault")
    assert ran.out.splitlines() == [
        "1: accepted as line 2",
        "borrower B17 is no longer set aside",
        "1 taken again, 0 of them refused again",
    ]
    assert "重新处理 0 条" in forewarn("dead-letters", "replay", "--reason", "fault", "--lang", "zh").out
    assert forewarn("dead-letters", "replay", "9").err.startswith("N: expected the number of a dead letter, got 9")


def test_a_running_engine_takes_letters_again_by_command(tmp_path, monkeypatch):
    monkeypatch.setenv("FOREWARN_API_KEY", KEY)
    with running(tmp_path, shelf(tmp_path / "rules", misses=COUNTS_MISSES)) as engine:
        engine.post(b"{\n[")
        ran = forewarn("dead-letters", "replay", "--reason", "not_json", "--to", engine.url, "--json")
        assert (ran.code, ran.err) == (0, "")
        assert [json.loads(line)["log_line"] for line in ran.out.splitlines()] == [3, 4]
        monkeypatch.setenv("FOREWARN_API_KEY", "reads")
        assert "expected one with scope admin" in forewarn("dead-letters", "replay", "1", "--to", engine.url).err
        long = forewarn("dead-letters", "replay", "--reason", "x" * 65, "--to", engine.url)
        assert (long.code, long.err.count("\n")) == (2, 1)
    assert [each["replayed_as"] for each in listed("--data", tmp_path / "data")] == [3, 4, None, None]
    gone = forewarn("dead-letters", "replay", "1", "--to", engine.url)
    assert gone.code == 2 and "expected an engine that listens" in gone.err


class _Response:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def __enter__(self) -> "_Response":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self) -> bytes:
        return self._content


def test_counts_by_reason_read_no_letter(runtime):
    taken(runtime, [b"{"] * 3)
    plan = runtime.store.database.execute(f"explain query plan {COUNTS}").fetchall()
    assert "USING COVERING INDEX dead_letters_by_reason" in plan[0][-1]


def test_a_list_is_read_while_the_engine_writes(letters, runtime):
    with runtime.store.transaction() as database:
        database.execute("delete from decisions")
        assert len(listed("--data", letters)) == 4
    assert listed("--data", letters) == []
