"""Events go to an engine or into its inbox: each once, however often the sending is interrupted and begun again."""

import gzip
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import pipeline.shells.embedded.dropped as dropped
from pipeline.shells.embedded.client import LONGEST_PAUSE, TRIES, WAITS, EngineError, opened, send
from pipeline.shells.embedded.records import LOG
from pipeline.shells.embedded.sending import send_file
from tests.arrival_logs import COUNTS_MISSES, forewarn, shelf, written
from tests.arrival_traffic import arrival_log, rules
from tests.engine_process import COMPARED, KEY, Engine, replayed, running, told

LOANS = Path(__file__).parent.parent / "docs" / "examples"
MAPPED = (LOANS / "loans.csv", "--mapping", LOANS / "our_loans.yaml")


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("FOREWARN_API_KEY", KEY)


class Stub:
    """An engine that answers as it is told to, and notes what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.paused: list[float] = []
        self.engine = opened("http://engine", transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if self.answers else taken(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def send(self, *lines: bytes, tries: int = TRIES) -> list[str]:
        answer = send(self.engine, lines or [b"{}"], tries=tries, pause=self.paused.append)
        return [each.status for each in answer.results]

    @property
    def keys(self) -> list[str]:
        return [each.headers["Idempotency-Key"] for each in self.asked]


def taken(request: httpx.Request) -> httpx.Response:
    results = [{"line": n, "status": "accepted"} for n, _ in enumerate(request.content.split(b"\n"), 1)]
    return httpx.Response(202, json={"accepted": len(results), "results": results})


LOST = httpx.ConnectError("Connection refused")


# -- one request ------------------------------------------------------------


def test_a_lost_connection_is_tried_again_after_pauses_that_double():
    stub = Stub(LOST, httpx.ReadError("reset"), httpx.ReadTimeout("late"), LOST)
    assert stub.send() == ["accepted"]
    assert stub.paused == [0.5, 1, 2, 4] and len(stub.asked) == 5


def test_an_engine_that_is_not_there_is_given_up_after_the_stated_tries():
    stub = Stub(*[LOST] * 20)
    with pytest.raises(EngineError, match=rf"^http://engine: expected an engine .* got {TRIES} times: Connection ref"):
        stub.send()
    assert len(stub.asked) == TRIES and stub.paused == [0.5, 1, 2, 4, 8, 16, LONGEST_PAUSE]


def test_an_engine_that_says_when_to_come_again_is_believed_and_counts_as_no_try():
    waits = [httpx.Response(429, headers={"Retry-After": text}) for text in ("7", "3600", "Wed, 01 Jan 2025", "")]
    stub = Stub(*waits, *waits)
    assert stub.send(tries=1) == ["accepted"]
    assert stub.paused == [7, LONGEST_PAUSE, 1, 1] * 2


def test_an_engine_that_never_has_room_is_given_up_in_the_end():
    stub = Stub(*[httpx.Response(429, json={"detail": "2 lines wait already"}) for _ in range(WAITS + 5)])
    with pytest.raises(EngineError, match="2 lines wait already"):
        stub.send()
    assert len(stub.paused) == WAITS


@pytest.mark.parametrize("status", [408, 502, 503, 504, 507])
def test_what_another_try_may_overcome_is_tried_again(status):
    assert Stub(httpx.Response(status)).send() == ["accepted"]


@pytest.mark.parametrize("status", [400, 401, 403, 413, 422, 500])
def test_what_no_other_try_overcomes_is_told_in_the_engines_own_sentence(status):
    stub = Stub(httpx.Response(status, json={"detail": "a sentence of the engine"}))
    with pytest.raises(EngineError, match=r"^a sentence of the engine$"):
        stub.send()
    assert len(stub.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(404, text="<html>"), httpx.Response(202, text="{}"), httpx.Response(200), httpx.Response(301)],
    ids=["another server", "another answer", "no answer", "a redirection"],
)
def test_what_is_no_engine_is_one_sentence(answer):
    with pytest.raises(EngineError, match=r"http://engine.*: expected the answer of an engine, got status \d+"):
        Stub(answer).send()


# -- a file -----------------------------------------------------------------


def sent(stub: Stub, file: Path):
    return send_file(stub.engine, file, lambda done, of: None, stub.paused.append)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return written(tmp_path / "events.jsonl", *[told(f"e-{n}") for n in range(2_500)])


def test_a_file_goes_in_batches_of_a_thousand_each_under_a_key_of_its_own(events):
    stub = Stub()
    assert sent(stub, events).lines == 2_500
    assert [each.content.count(b"\n") + 1 for each in stub.asked] == [1_000, 1_000, 500]
    assert len(set(stub.keys)) == 3
    assert b"\n".join(each.content for each in stub.asked) + b"\n" == events.read_bytes()
    assert stub.asked[0].headers["Authorization"] == f"Bearer {KEY}"


def test_the_same_file_has_the_same_keys_however_it_is_packed_and_called(events, tmp_path, monkeypatch):
    packed, other = tmp_path / "again.ndjson.gz", written(tmp_path / "other.jsonl", told("e-1"))
    packed.write_bytes(gzip.compress(events.read_bytes()))
    first, again, of_other, by_another = Stub(), Stub(LOST), Stub(), None
    for stub, file in ((first, events), (again, packed), (of_other, other)):
        sent(stub, file)
    assert again.keys == [first.keys[0], *first.keys]  # the first was tried again
    assert set(of_other.keys).isdisjoint(first.keys)
    monkeypatch.setenv("FOREWARN_API_KEY", "another")  # who may be allowed to send what the first was not
    by_another = Stub()
    sent(by_another, events)
    assert set(by_another.keys).isdisjoint(first.keys)


def test_when_it_is_given_up_the_sentence_says_how_far_it_came(events):
    first = httpx.Response(202, json={"results": [{"line": n, "status": "accepted"} for n in range(1_000)]})
    with pytest.raises(EngineError, match=r"\(1,000 of 2,500 events were taken; run the same command again"):
        sent(Stub(first, *[LOST] * TRIES), events)


def test_an_engine_that_is_killed_and_started_again_meanwhile_gets_every_event_once(tmp_path, monkeypatch):
    monkeypatch.setattr(dropped, "LINES_A_BATCH", 100)
    lines = arrival_log(9, with_day_ended=True)
    file = written(tmp_path / LOG, *lines)
    rule_folder = shelf(tmp_path / "rules", **rules())
    kills = []
    with running(tmp_path, rule_folder) as engine, opened(engine.url) as client:

        def struck(done: int, of: int) -> None:
            if done % 400 == 0:
                engine.end(signal.SIGKILL)

        def started(seconds: float) -> None:
            kills.append(seconds)
            engine.start()

        assert send_file(client, file, struck, started).lines == len(lines)
    assert len(kills) >= 3
    got, wanted = engine.export(), replayed(tmp_path, rule_folder, lines)
    assert {name: got[name] == wanted[name] for name in COMPARED} == dict.fromkeys(COMPARED, True)
    assert (tmp_path / "out" / LOG).read_bytes() == file.read_bytes()


# -- the command ------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine")
    with running(folder, shelf(folder / "rules", misses=COUNTS_MISSES)) as started:
        yield started


def test_a_file_of_events_is_sent_as_it_is_and_not_twice(engine: Engine, events):
    packed = events.with_name("events.jsonl.gz")
    packed.write_bytes(gzip.compress(events.read_bytes() + b"not json\n"))
    first = forewarn("ingest", packed, "--to", engine.url)
    assert first.code == 0 and all(word in first.out for word in ("2,501", "accepted", "2,500", "not_json"))
    again = forewarn("ingest", packed, "--to", engine.url, "--lang", "zh")
    assert again.code == 0 and "以前发送过" in again.out and "2,501" in again.out and "接受" not in again.out


def test_a_banks_file_becomes_events_on_its_way_with_its_control_totals(engine: Engine, tmp_path):
    forewarn("ingest", *MAPPED, "--out", tmp_path / "made.jsonl", "--quiet")
    ran = forewarn("ingest", *MAPPED, "--to", engine.url)
    assert ran.code == 0 and "Control totals in" in ran.out and f"Events sent to {engine.url}" in ran.out
    engine.export()
    assert (tmp_path / "made.jsonl").read_bytes() in (engine.folder / "out" / LOG).read_bytes()


def test_a_wrong_key_is_the_engines_sentence(engine: Engine, events, monkeypatch):
    monkeypatch.setenv("FOREWARN_API_KEY", "wrong")
    ran = forewarn("ingest", events, "--to", engine.url)
    assert ran.code == 2 and "'Bearer KEY' with a key that is known" in ran.err and ran.err.count("\n") == 1


def test_of_a_file_that_breaks_off_what_is_whole_is_sent_and_then_the_run_fails(engine: Engine, events):
    packed = events.with_name("half.jsonl.gz")
    packed.write_bytes(gzip.compress(b"".join(told(f"half-{n}") + b"\n" for n in range(1_500)))[:-100])
    ran = forewarn("ingest", packed, "--to", engine.url)
    assert ran.code == 2 and "half.jsonl.gz: expected a whole gzip file" in ran.err and "accepted" in ran.out


def test_a_banks_file_that_breaks_off_is_sent_as_far_as_it_is_whole(engine: Engine, tmp_path):
    rows = (LOANS / "loans.csv").read_bytes()
    (tmp_path / "loans.csv.gz").write_bytes(gzip.compress(rows)[:-9])
    ran = forewarn("ingest", tmp_path / "loans.csv.gz", *MAPPED[1:], "--to", engine.url)
    assert ran.code == 2 and "breaks off" in ran.err and "Events sent to" in ran.out


# -- into an inbox ----------------------------------------------------------


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_file_is_put_into_an_inbox_whole_and_the_same_one_twice_is_one(events, inbox):
    for _ in range(2):
        assert forewarn("ingest", events, "--to", inbox).out.startswith("put into the inbox: ")
    [name] = names(inbox)
    assert name.startswith("events.") and name.endswith(".jsonl")
    assert (inbox / name).read_bytes() == events.read_bytes()
    written(events, told("another"))  # of the same name: it takes no other file's place
    forewarn("ingest", events, "--to", inbox)
    assert len(names(inbox)) == 2


def test_a_banks_file_is_put_into_an_inbox_as_events(inbox, tmp_path):
    forewarn("ingest", *MAPPED, "--out", tmp_path / "made.jsonl", "--quiet")
    ran = forewarn("ingest", *MAPPED, "--to", inbox)
    assert ran.code == 0 and "Control totals in" in ran.out
    [name] = names(inbox)
    assert (
        name.startswith("loans.")
        and gzip.decompress((inbox / name).read_bytes()) == (tmp_path / "made.jsonl").read_bytes()
    )


def test_until_it_is_whole_a_file_has_a_name_that_an_inbox_leaves_alone(events, inbox, monkeypatch):
    seen: list[list[str]] = []
    real: Callable = shutil.copyfile

    def watched(source: Path, target: Path) -> None:
        real(source, target)
        seen.append(names(inbox))

    monkeypatch.setattr("pipeline.shells.embedded.sending.shutil.copyfile", watched)
    forewarn("ingest", events, "--to", inbox)
    assert len(seen) == 1 and all(name.startswith(".") for name in seen[0])


# -- what cannot be asked for -----------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "--out, --to: expected one of them, got none"),
        (["--out", "made.jsonl", "--to", "inbox"], "--out, --to: expected one of them, got both"),
        (["--out", "made.jsonl"], "--mapping: expected a name under config/mappings or a mapping file, got none"),
        (["--to", "nowhere"], "--to: expected an address such as http://127.0.0.1:8200 or a folder, got 'nowhere'"),
        (["--to", "."], "loans.csv: expected a file of events (.jsonl, .ndjson or .json), got another"),
        (["--to", "http://127.0.0.1:port"], "expected an address such as http://127.0.0.1:8200, got Invalid port"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loans.csv").write_bytes((LOANS / "loans.csv").read_bytes())
    file = "events.jsonl" if "http://127.0.0.1:port" in words else "loans.csv"
    written(tmp_path / "events.jsonl", told("e-1"))
    ran = forewarn("ingest", file, *words)
    assert ran.code == 2 and sentence in ran.err and ran.err.count("\n") == 1
    assert names(tmp_path) == ["events.jsonl", "loans.csv"]


def test_a_file_of_events_that_is_not_there_is_one_sentence(inbox):
    ran = forewarn("ingest", "nowhere.jsonl", "--to", inbox)
    assert ran.code == 2 and "nowhere.jsonl: expected a file that can be read, got No such file" in ran.err
    assert names(inbox) == []


def test_a_day_is_not_closed_again_and_again_where_nobody_listens():
    ran = forewarn("day", "close", "2025-03-05", "--to", "http://127.0.0.1:9")
    assert ran.code == 2 and "expected an engine that takes events, got: " in ran.err and ran.err.count("\n") == 1
    assert ran.out == ""
