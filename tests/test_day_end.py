"""The engine's own clock closes every date once, in its order, and is not believed when it jumps."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from config.settings import DayEnd, SettingsError, load
from pipeline.events import CATALOGUE
from pipeline.shelf import compile_shelf
from pipeline.shells.embedded.day_end import Timer, last_due, open_date_in
from pipeline.shells.embedded.disk import Unstored
from pipeline.shells.embedded.export import export
from pipeline.shells.embedded.records import LOG
from pipeline.shells.embedded.requests import Outcome
from pipeline.shells.embedded.runtime import Batch, Runtime
from pipeline.shells.embedded.services import Repeated
from pipeline.shells.embedded.standing import Ran
from pipeline.shells.embedded.store import FILE
from pipeline.shells.embedded.worker import Full, Worker
from pipeline.shells.terms import terms_of
from pipeline.zone import Zone, date_text
from rules.loader import load_shelf
from tests.arrival_logs import COUNTS_MISSES, as_line, due, shelf, written
from tests.dropping import wait_for
from tests.engine_process import COMPARED, replayed, running, told

AT_HALF_PAST_MIDNIGHT = DayEnd(closes_at=time(0, 30), most_days=31)


class Clocked:
    """An engine with a timer, and a clock that stands where the test puts it."""

    def __init__(self, folder: Path, zone: str = "Asia/Shanghai", settings: DayEnd = AT_HALF_PAST_MIDNIGHT) -> None:
        self.rules = shelf(folder / "rules", misses=COUNTS_MISSES)
        (folder / "zone.yaml").write_text(f"zone: {zone}\n")
        compiled = compile_shelf(load_shelf([self.rules], CATALOGUE), terms_of(load(folder / "zone.yaml")))
        self.runtime = Runtime(folder / "data", compiled, ran=Ran(mark="the same"))
        self.worker = Worker(self.runtime)
        self.worker.start()
        self.zone = ZoneInfo(zone)
        self.now = 0
        self.is_read = True
        self.submit: Callable[[Batch], Future[list[Outcome]]] = self.worker.submit
        self.timer = Timer(
            settings,
            compiled.terms.zone,
            lambda batch: self.submit(batch),
            now_ms=lambda: self.now,
            open_date=lambda: open_date_in(folder / "data" / FILE),
            may_close=lambda: self.is_read,
        )
        self.life = Repeated("day end", self.timer.look, every_seconds=1)

    def take(self, *lines: bytes) -> None:
        assert [each.status for each in self.worker.submit(Batch(lines)).result(60)] == ["accepted"] * len(lines)

    def look_at(self, local: str, *, fold: int = 0) -> list[str]:
        """The clock shows a local time; the days that are closed after a look."""
        self.now = int(datetime.fromisoformat(local).replace(tzinfo=self.zone, fold=fold).timestamp() * 1000)
        self.timer.look(self.life)
        return self.closed()

    def closed(self) -> list[str]:
        with closing(sqlite3.connect(self.runtime.store.folder / FILE)) as database:
            return [date_text(date) for (date,) in database.execute("select date from closes order by n, date")]

    def logged(self) -> list[bytes]:
        with closing(sqlite3.connect(self.runtime.store.folder / FILE)) as database:
            return [raw for (raw,) in database.execute("select raw from arrivals order by n")]

    def end(self) -> None:
        self.worker.stop()
        self.runtime.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Clocked]:
    found = Clocked(tmp_path)
    yield found
    found.end()


def on(date: str, event_id: str = "e-1") -> bytes:
    return told(event_id, at=f"{date}T09:00:00+08:00")


def test_a_day_is_closed_when_its_time_has_come_and_not_before(engine):
    engine.take(on("2025-03-05"))
    assert engine.look_at("2025-03-05T23:59:59") == []
    assert engine.look_at("2025-03-06T00:29:59") == []
    assert engine.look_at("2025-03-06T00:30:00") == ["2025-03-05"]
    assert engine.look_at("2025-03-06T23:00:00") == ["2025-03-05"]


def test_days_that_were_missed_are_closed_each_in_its_order_by_a_record_of_its_own(engine):
    engine.take(on("2025-03-05"))
    expected = ["2025-03-05", "2025-03-06", "2025-03-07", "2025-03-08"]  # with a Saturday, which is a day as any other
    assert engine.look_at("2025-03-09T08:00:00") == expected
    assert [json.loads(raw) for raw in engine.logged()[1:]] == [
        {"type": "day.ended", "date": date} for date in expected
    ]


def test_before_the_first_event_nothing_is_closed(engine):
    assert engine.look_at("2025-03-09T08:00:00") == []
    assert engine.life.trouble is None and engine.logged() == []


def test_a_clock_that_jumps_back_closes_nothing_twice(engine):
    engine.take(on("2025-03-05"))
    engine.look_at("2025-03-07T00:30:00")
    before = engine.logged()
    for local in ("2025-03-01T12:00:00", "2025-03-06T12:00:00", "2025-03-07T00:00:00", "2025-03-07T01:00:00"):
        assert engine.look_at(local) == ["2025-03-05", "2025-03-06"]
    assert engine.logged() == before and engine.life.trouble is None


def test_a_clock_that_jumps_far_ahead_closes_nothing_and_says_what_to_do(engine, caplog):
    engine.take(on("2025-03-05"))
    assert engine.look_at("2031-01-01T12:00:00") == []
    sentence = "expected at most 31 days to close, got 2128 (2025-03-05 to 2030-12-31); look at the clock"
    assert sentence in engine.life.trouble and "forewarn day close 2030-12-31" in engine.life.trouble
    engine.look_at("2031-01-01T12:01:00")
    assert [each.message for each in caplog.records] == [f"day end: {engine.life.trouble}"]  # said once
    # 5 March to 4 April are 31 days, which is believed; one more is not.
    assert engine.look_at("2025-04-06T00:30:00") == []
    assert len(engine.look_at("2025-04-05T00:30:00")) == 31
    assert engine.life.trouble is None


def test_days_beyond_the_limit_go_on_after_they_were_closed_by_command(engine):
    engine.take(on("2025-01-05"))
    assert engine.look_at("2025-03-09T08:00:00") == []
    engine.take(b'{"type": "day.ended", "date": "2025-03-07"}')
    assert engine.look_at("2025-03-09T08:00:00")[-1] == "2025-03-08"


def test_a_day_that_the_core_has_closed_is_not_closed_again(engine):
    engine.take(on("2025-03-05"), b'{"type": "day.ended", "date": "2025-03-05"}')
    before = engine.logged()
    assert engine.look_at("2025-03-06T08:00:00") == ["2025-03-05"]
    assert engine.logged() == before
    engine.take(b'{"type": "day.ended", "date": "2025-03-05"}')  # and one of the core that comes after the clock's
    assert engine.closed() == ["2025-03-05"]


def test_files_that_wait_in_the_inbox_are_read_before_a_day_is_closed(engine):
    engine.take(on("2025-03-05"))
    engine.is_read = False
    assert engine.look_at("2025-03-06T08:00:00") == []
    assert "2025-03-05 is due and waits for the files in the inbox" in engine.life.trouble
    engine.is_read = True
    assert engine.look_at("2025-03-06T08:00:10") == ["2025-03-05"]
    assert engine.life.trouble is None


@pytest.mark.parametrize("refusal", [Full(), Unstored("database or disk is full")], ids=["full queue", "full disk"])
def test_a_close_that_finds_no_room_is_tried_again(engine, refusal):
    def refused(batch: Batch) -> Future[list[Outcome]]:
        if isinstance(refusal, Full):
            raise refusal
        answer: Future[list[Outcome]] = Future()
        answer.set_exception(refusal)
        return answer

    engine.take(on("2025-03-05"))
    engine.submit = refused
    assert engine.look_at("2025-03-07T08:00:00") == [] and "2025-03-05 is due" in engine.life.trouble
    engine.submit = engine.worker.submit
    assert engine.look_at("2025-03-07T08:00:10") == ["2025-03-05", "2025-03-06"]


#   New York 2025: on 9 March 02:00 is 03:00, on 2 November 02:00 is 01:00 again. Half past two on 9 March does not
#   exist and is taken for half past three; half past one on 2 November comes twice, and its first time counts.
@pytest.mark.parametrize(
    ("closes_at", "utc", "date"),
    [
        (time(2, 30), "2025-03-09T07:29:59Z", "2025-03-07"),
        (time(2, 30), "2025-03-09T07:30:00Z", "2025-03-08"),
        (time(2, 30), "2025-03-10T06:30:00Z", "2025-03-09"),
        (time(0, 30), "2025-03-09T05:30:00Z", "2025-03-08"),
        (time(0, 30), "2025-03-10T04:29:59Z", "2025-03-08"),
        (time(0, 30), "2025-03-10T04:30:00Z", "2025-03-09"),
        (time(1, 30), "2025-11-02T05:29:59Z", "2025-10-31"),
        (time(1, 30), "2025-11-02T05:30:00Z", "2025-11-01"),
        (time(1, 30), "2025-11-02T06:10:00Z", "2025-11-01"),  # ten past one, for the second time
        (time(0), "2025-11-03T04:59:59Z", "2025-11-01"),
        (time(0), "2025-11-03T05:00:00Z", "2025-11-02"),
        (time(23, 59), "2025-11-03T04:58:59Z", "2025-10-31"),
    ],
)
def test_what_is_due_where_the_clocks_change(closes_at, utc, date):
    now_ms = int(datetime.fromisoformat(utc).timestamp() * 1000)
    assert date_text(last_due(now_ms, Zone("America/New_York"), closes_at)) == date


def test_a_day_of_twenty_five_hours_is_closed_once(tmp_path):
    engine = Clocked(tmp_path, "America/New_York", DayEnd(closes_at=time(1, 30), most_days=31))
    engine.take(told("e-1", at="2025-11-01T09:00:00-04:00"))
    assert engine.look_at("2025-11-02T01:29:00") == []
    assert engine.look_at("2025-11-02T01:30:00") == ["2025-11-01"]
    assert engine.look_at("2025-11-02T01:10:00", fold=1) == ["2025-11-01"]
    assert engine.look_at("2025-11-02T01:30:00", fold=1) == ["2025-11-01"]
    assert engine.look_at("2025-11-03T01:30:00") == ["2025-11-01", "2025-11-02"]
    engine.end()


def test_a_replay_of_its_log_gives_the_bytes_of_an_engine_whose_days_a_clock_closed(engine, tmp_path):
    #  Due on the 4th and unpaid: missed at the close of the 5th, which the clock brings about.
    engine.take(as_line(due("d-1", "2025-03-04")))
    for local in ("2025-03-05T00:30:00", "2025-03-08T09:00:00"):
        engine.look_at(local)
    lines = engine.logged()
    export(engine.runtime.store.database, engine.runtime.shelf, tmp_path / "out")
    wanted = replayed(tmp_path, engine.rules, lines)
    assert wanted["alerts.jsonl"].startswith(b'{"id":"misses/L4/1/opened"')
    assert {name: (tmp_path / "out" / name).read_bytes() for name in COMPARED} == wanted
    assert (tmp_path / "out" / LOG).read_bytes() == b"".join(raw + b"\n" for raw in lines)


# -- the setting ------------------------------------------------------------


def test_no_clock_closes_a_day_unless_a_bank_says_when():
    assert load().day_end == DayEnd(closes_at=None, most_days=31)


def test_a_bank_says_only_when(tmp_path):
    (tmp_path / "bank.yaml").write_text('day_end: {closes_at: "00:30"}\n')
    assert load(tmp_path / "bank.yaml").day_end == AT_HALF_PAST_MIDNIGHT


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("day_end: {closes_at: 0:30}", "write '0:30' with quotes"),
        ("day_end: {closes_at: false}", "expected a local time such as '18:00', got False"),
        ('day_end: {closes_at: "24:00"}', "expected a local time such as '18:00', got '24:00'"),
        ("day_end: {most_days: 0}", "day_end.most_days"),
        ("day_end: {close_at: null}", "did you mean 'closes_at'?"),
    ],
)
def test_a_time_that_is_none_is_refused_with_its_place(tmp_path, text, sentence):
    (tmp_path / "bank.yaml").write_text(text + "\n")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "bank.yaml")
    assert sentence in str(caught.value) and str(caught.value).startswith("bank.yaml:1:")


# -- in a running engine ----------------------------------------------------


def test_a_running_engine_reads_its_inbox_and_then_closes_what_is_due(tmp_path):
    """The clock is that of the machine: the day before yesterday and yesterday are due at any time of today."""
    today = Zone("Asia/Shanghai").today(int(datetime.now(UTC).timestamp() * 1000))
    (tmp_path / "inbox").mkdir()
    written(tmp_path / "inbox" / "a.jsonl", *[on((today - timedelta(2)).isoformat(), f"e-{n}") for n in range(300)])
    (tmp_path / "bank.yaml").write_text('day_end: {closes_at: "00:00"}\n')
    quick = "import pipeline.shells.embedded.day_end as d, pipeline.shells.embedded.dropped as f\n"
    quick += "d.LOOKS_EVERY_SECONDS, f.LINES_A_BATCH = 0.01, 10"
    words = ("--inbox", tmp_path / "inbox", "--config", tmp_path / "bank.yaml")
    with running(tmp_path, shelf(tmp_path / "rules", misses=COUNTS_MISSES), *words, code=quick) as engine:
        wait_for(lambda: len(closed_in(tmp_path)) >= 2)
        assert httpx.get(f"{engine.url}/readyz").json()["troubles"] == []
    assert [n for _, n in closed_in(tmp_path)][:2] == [301, 302]  # after all lines of the file
    (tmp_path / "bank.yaml").write_text('day_end: {closes_at: "03:00"}\n')
    engine.export()  # another time decides nothing, so what was decided is still to be had


def closed_in(folder: Path) -> list[tuple[int, int]]:
    with closing(sqlite3.connect(f"file:{folder / 'data' / FILE}?mode=ro", uri=True)) as database:
        return database.execute("select date, n from closes order by date").fetchall()
