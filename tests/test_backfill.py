"""History is loaded once, whatever happens meanwhile, and nobody is told of it but by one digest."""

import gzip
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.shells.embedded.standing import muted_in
from tests.arrival_logs import COUNTS_MISSES, Ran, Told, as_line, day_ended, due, forewarn, missed, shelf, told, written
from tests.arrival_traffic import arrival_log, rules
from tests.engine_process import running
from tests.receiving import SECRET, receiving
from tests.sending import hook, write_hooks
from tests.test_stream import listening

FILES = (
    "alerts",
    "shadow",
    "collection-tasks",
    "dead-letters",
    "disagreements",
    "connected",
    "profiles",
    "months",
    "queues",
)
LAST = "2025-03-01"  # of the traffic: sixty days from 1 January
MIDDLE = "2025-01-31"


def backfill(data: Path, *files: Path, until: str, **own: Path) -> Ran:
    words = [word for name, path in own.items() for word in (f"--{name}", path)]
    return forewarn("backfill", *files, "--until", until, "--data", data, *words)


def exported(data: Path) -> dict[str, bytes]:
    ran = forewarn("export", "--data", data, "--out", data / "out", "--quiet")
    assert (ran.code, ran.err) == (0, "")
    names = [*(f"{name}.jsonl" for name in FILES), "opening-digest.json", "events.jsonl"]
    return {name: (data / "out" / name).read_bytes() for name in names}


def lines(text: bytes) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module", params=["by record", "by dates"])
def traffic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two months of a dozen borrowers, and their rules."""
    folder = tmp_path_factory.mktemp("traffic")
    log = written(folder / "history.jsonl", *arrival_log(11, with_day_ended=request.param == "by record"))
    return log, shelf(folder / "rules", **rules())


@pytest.fixture(scope="module")
def loaded(traffic: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with all of it, of which nobody is told until the end of January."""
    log, rule_folder = traffic
    data = tmp_path_factory.mktemp("loaded") / "data"
    ran = backfill(data, log, until=MIDDLE, rules=rule_folder)
    assert (ran.code, ran.err) == (0, "")
    return data


# -- what is loaded ---------------------------------------------------------


def test_a_replay_of_the_log_that_it_leaves_gives_equal_bytes(traffic, loaded, tmp_path):
    got = exported(loaded)
    log = tmp_path / "events.jsonl"
    log.write_bytes(got["events.jsonl"])
    assert forewarn("replay", log, "--rules", traffic[1], "--out", tmp_path / "out", "--quiet").code == 0
    for name in FILES:
        assert got[f"{name}.jsonl"] == (tmp_path / "out" / f"{name}.jsonl").read_bytes(), name


def test_days_close_as_a_replay_of_the_files_closes_them(traffic, loaded, tmp_path):
    ran = forewarn("replay", traffic[0], "--rules", traffic[1], "--out", tmp_path / "out", "--quiet")
    assert ran.code == 0
    got = exported(loaded)
    for name in ("alerts", "shadow", "collection-tasks", "profiles", "months", "queues"):
        assert got[f"{name}.jsonl"] == (tmp_path / "out" / f"{name}.jsonl").read_bytes(), name
    summaries = [json.loads((folder / "summary.json").read_bytes()) for folder in (loaded / "out", tmp_path / "out")]
    for field in ("first_day", "as_of", "days_closed", "alerts", "tasks", "dead_letters"):
        assert summaries[0][field] == summaries[1][field], field


def test_everything_until_its_date_lies_before_the_digest_and_all_else_after_it(loaded):
    database = sqlite3.connect(loaded / "forewarn.sqlite")
    rows = database.execute("select n, kind, body from decisions order by n").fetchall()
    [digest] = [n for n, kind, _ in rows if kind == "digest"]
    assert muted_in(database) == digest - 1
    database.close()
    dates = [(n < digest, json.loads(body)["business_date"]) for n, kind, body in rows if kind in ("alert", "shadow")]
    assert {is_muted for is_muted, _ in dates} == {True, False}
    assert [(is_muted, date) for is_muted, date in dates if is_muted != (date <= MIDDLE)] == []


def test_the_digest_is_what_a_reader_of_all_decisions_would_find_open(loaded):
    got = exported(loaded)
    digest = json.loads(got["opening-digest.json"])
    database = sqlite3.connect(loaded / "forewarn.sqlite")
    query = "select kind, body from decisions where n <= (select value from meta where name = 'muted') order by n"
    open_alerts: dict[str, Told] = {}
    open_tasks: dict[str, Told] = {}
    for kind, body in database.execute(query):
        each = json.loads(body)
        if kind == "alert":
            open_alerts[each["episode"]] = each
            if each["transition"] == "closed":
                del open_alerts[each["episode"]]
        elif kind == "task":
            open_tasks[each["id"]] = each
            if each["status"] in ("cancelled", "done"):
                del open_tasks[each["id"]]
    database.close()
    assert sorted(digest["tasks"], key=lambda task: task["id"]) == [task for _, task in sorted(open_tasks.items())]
    told = {
        (group["rule"], group["severity"], alert["id"], alert["borrower_id"])
        for group in digest["episodes"]
        for alert in group["alerts"]
    }
    assert told == {
        (each["rule"], each["severity"], f"{each['episode']}/opened", each["borrower_id"])
        for each in open_alerts.values()
    }
    assert len(told) == sum(group["open"] for group in digest["episodes"]) > 3 and len(digest["tasks"]) > 2
    assert (digest["id"], digest["as_of"], digest["borrowers"]) == (f"digest/{MIDDLE}", MIDDLE, 12)
    ends = [row for row in lines(got["months.jsonl"]) if row["on"] == MIDDLE and row["status"] == "open"]
    for bucket in digest["exposure"]:
        of = [row["exposure_minor"] for row in ends if row["bucket"] == bucket["bucket"]]
        known = [amount for amount in of if amount is not None]
        assert (bucket["loans"], bucket["exposure_unknown"]) == (len(of), len(of) - len(known))
        assert bucket["exposure_minor"] == sum(known)
    assert sum(bucket["loans"] for bucket in digest["exposure"]) == len(ends)


def test_the_digest_lists_the_alerts_of_a_borrower_in_the_order_of_their_ids(traffic, tmp_path):
    """Not in that of memory, which a restart changes."""
    log, own_rules = traffic
    assert backfill(tmp_path / "data", log, until="2025-02-10", rules=own_rules).code == 0
    for group in json.loads(exported(tmp_path / "data")["opening-digest.json"])["episodes"]:
        ids = [(alert["borrower_id"], alert["id"]) for alert in group["alerts"]]
        assert ids == sorted(ids)


def test_several_files_are_one_history(tmp_path):
    first = [due("d-1", "2025-03-01"), day_ended("2025-03-01"), day_ended("2025-03-02")]
    second = [
        missed("m-1", "2025-03-01", loan_id="L9", borrower_id="B2"),
        told("i-1", "external.inquiry", "2025-03-02"),
    ]
    files = [written(tmp_path / "b.jsonl", *second), written(tmp_path / "a.jsonl", *first)]
    data, rule_folder = tmp_path / "data", shelf(tmp_path / "rules", misses=COUNTS_MISSES)
    assert backfill(data, *files, until="2025-03-02", rules=rule_folder).code == 0
    assert [alert["id"] for alert in lines(exported(data)["alerts.jsonl"])] == [
        "misses/L9/1/opened",
        "misses/L4/1/opened",
    ]


def test_a_record_that_closes_several_days_leaves_those_after_the_date_unmuted(tmp_path):
    #  5 March: L4     6 March: L5, told of the day before     both close by one record
    rule_folder = shelf(tmp_path / "rules", misses=COUNTS_MISSES)
    records = [missed("m-1", "2025-03-05"), missed("m-2", "2025-03-06", loan_id="L5"), day_ended("2025-03-07")]
    log = written(tmp_path / "log.jsonl", *records)
    assert backfill(tmp_path / "data", log, until="2025-03-05", rules=rule_folder).code == 0
    database = sqlite3.connect(tmp_path / "data" / "forewarn.sqlite")
    bodies = [json.loads(body)["id"] for (body,) in database.execute("select body from decisions order by n")]
    database.close()
    assert bodies == ["misses/L4/1/opened", "digest/2025-03-05", "misses/L5/1/opened"]


def test_what_arrives_after_the_last_close_is_in_no_month(tmp_path):
    """The loan was known by its due at the close; that it was paid out, and when, came later."""
    rule_folder, data = shelf(tmp_path / "rules", misses=COUNTS_MISSES), tmp_path / "data"
    paid_out = told("l-1", "loan.disbursed", "2025-02-01", loan_id="L4", product="loan", principal_minor=240_000)
    log = written(tmp_path / "log.jsonl", due("d-1", "2025-03-01"), day_ended("2025-03-02"), paid_out)
    assert backfill(data, log, until="2025-03-02", rules=rule_folder).code == 0
    [month] = lines(exported(data)["months.jsonl"])
    assert (month["on"], month["loan_id"], month["disbursed_on"]) == ("2025-03-02", "L4", None)


# -- killed, and run again --------------------------------------------------

# Runs the command with small batches, and kills itself at the given time of a place.
KILLED = """
import os, signal, sys
from pipeline.shells.cli import main
from pipeline.shells.embedded import backfill
from pipeline.shells.embedded.day_ends import DayEnds
from pipeline.shells.embedded.runtime import Runtime
backfill.TOGETHER = 100
place, time = sys.argv[1], int(sys.argv[2])
owner, name = {"after a batch": (Runtime, "take"), "in a batch": (DayEnds, "flush"),
               "before the end": (backfill, "_write")}[place]
real, seen = getattr(owner, name), 0
def counted(*given):
    global seen
    seen += 1
    if seen == time and place != "after a batch":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*given)
    if seen == time:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(owner, name, counted)
sys.argv = ["forewarn", *sys.argv[3:]]
main()
"""


def test_however_often_it_is_killed_the_end_is_the_same_and_there_is_one_digest(traffic, tmp_path):
    log, rule_folder = traffic
    words = ["backfill", log, "--until", MIDDLE, "--rules", rule_folder, "--quiet", "--data"]
    places = (("after a batch", 1), ("in a batch", 12), ("after a batch", 5), ("in a batch", 40), ("before the end", 1))

    def run(place: str, time: int, data: Path) -> int:
        command = [sys.executable, "-c", KILLED, place, str(time), *map(str, words), str(data)]
        return subprocess.run(command, check=False).returncode

    for place, time in places:
        assert run(place, time, tmp_path / "killed") == -signal.SIGKILL, (place, time)
        refused = forewarn("run", "--data", tmp_path / "killed", "--rules", rule_folder)
        assert refused.code == 2 and "got one that broke off; run forewarn backfill with the same files" in refused.err
    for data in (tmp_path / "killed", tmp_path / "undisturbed"):
        assert run("after a batch", 10_000, data) == 0
    assert exported(tmp_path / "killed") == exported(tmp_path / "undisturbed")
    database = sqlite3.connect(tmp_path / "killed" / "forewarn.sqlite")
    assert database.execute("select count(*) from decisions where kind = 'digest'").fetchone() == (1,)
    database.close()


def test_a_backfill_that_is_run_again_changes_nothing_and_says_so(traffic, loaded):
    before = exported(loaded)
    ran = backfill(loaded, traffic[0], until=MIDDLE, rules=traffic[1])
    assert ran.code == 0 and f"was loaded into {loaded} before; nothing was changed" in ran.out
    assert exported(loaded) == before


# -- what is refused --------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Path]:
    log = written(tmp_path / "log.jsonl", missed("m-1", "2025-03-05"), missed("m-2", "2025-03-07", loan_id="L5"))
    return log, shelf(tmp_path / "rules", misses=COUNTS_MISSES)


@pytest.mark.parametrize("until", ["2025-03-04", "2025-03-08"])
def test_a_date_that_the_files_do_not_close_is_refused_and_nothing_is_loaded(small, tmp_path, until):
    ran = backfill(tmp_path / "data", small[0], until=until, rules=small[1])
    assert ran.code == 2
    assert f"expected a day that the files close, from 2025-03-05 to 2025-03-07, got {until}" in ran.err
    assert not (tmp_path / "data").exists()


def test_the_dates_that_records_close_are_those_that_count(tmp_path):
    log = written(
        tmp_path / "log.jsonl", missed("m-1", "2025-03-05"), day_ended("2025-03-05"), missed("m-2", "2025-03-09")
    )
    ran = backfill(tmp_path / "data", log, until="2025-03-09", rules=shelf(tmp_path / "rules", misses=COUNTS_MISSES))
    assert ran.code == 2 and "from 2025-03-05 to 2025-03-05, got 2025-03-09" in ran.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(b"x" * 100_000)[:-20], "expected a whole gzip file"),
        (b"{\n", "expected events, got no line that can be used"),
    ],
)
def test_files_that_cannot_be_used_are_refused_before_anything_is_loaded(small, tmp_path, content, said):
    file = tmp_path / "broken.jsonl"
    file.write_bytes(content)
    ran = backfill(tmp_path / "data", file, until="2025-03-05", rules=small[1])
    assert ran.code == 2 and said in ran.err and ran.err.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_a_second_history_is_refused(small, tmp_path):
    log, rule_folder = small
    data = tmp_path / "data"
    assert backfill(data, log, until="2025-03-07", rules=rule_folder).code == 0
    other = backfill(data, log, until="2025-03-05", rules=rule_folder)
    assert (
        other.code == 2 and "expected --until 2025-03-07, to which its history was loaded, got 2025-03-05" in other.err
    )
    longer = written(tmp_path / "longer.jsonl", log.read_bytes().strip(), missed("m-3", "2025-03-07", loan_id="L6"))
    more = backfill(data, longer, until="2025-03-07", rules=rule_folder)
    assert more.code == 2 and "expected the files that its history was loaded from, got others" in more.err
    assert exported(data)["events.jsonl"].count(b"repayment.missed") == 2


def test_a_data_directory_with_events_is_refused_running_or_not(small, tmp_path):
    log, rule_folder = small
    with running(tmp_path, rule_folder) as engine:
        assert engine.post(as_line(missed("x-1", "2025-03-05"))).status_code == 202
        ran = backfill(tmp_path / "data", log, until="2025-03-07", rules=rule_folder)
        assert ran.code == 2 and "expected a data directory without events, got one with 1" in ran.err


def test_other_files_or_rules_than_it_was_begun_with_are_refused(traffic, tmp_path):
    log, rule_folder = traffic
    data = tmp_path / "data"
    words = ["backfill", log, "--until", MIDDLE, "--rules", rule_folder, "--quiet", "--data", data]
    command = [sys.executable, "-c", KILLED, "after a batch", "2", *map(str, words)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    other_rules = shelf(tmp_path / "rules", misses=COUNTS_MISSES)
    refused = backfill(data, log, until=MIDDLE, rules=other_rules)
    assert refused.code == 2 and "expected the rules and settings that its history was begun with" in refused.err
    other = written(tmp_path / "other.jsonl", *arrival_log(12, with_day_ended=False))
    refused = backfill(data, other, until=MIDDLE, rules=rule_folder)
    assert refused.code == 2 and "expected the files that its history was loaded from, got others" in refused.err


# -- and then live ----------------------------------------------------------


def test_a_webhook_is_told_of_the_digest_and_of_what_comes_after_it(small, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", SECRET)
    log, rule_folder = small
    assert backfill(tmp_path / "data", log, until="2025-03-07", rules=rule_folder).code == 0
    with receiving() as (receiver, url):
        words = ("--webhooks", write_hooks(tmp_path, hook(url, kinds=["alert", "digest"])))
        with running(tmp_path, rule_folder, *words) as engine:
            engine.post(as_line(missed("m-3", "2025-03-08", loan_id="L6")))
            receiver.until(lambda: len(receiver.taken) == 2)
    assert receiver.ids() == ["digest/2025-03-07", "misses/L6/1/opened"]
    body = json.loads(receiver.taken[0].body)
    assert body["type"] == "digest"
    assert [alert["id"] for alert in body["data"]["episodes"][0]["alerts"]] == [
        "misses/L4/1/opened",
        "misses/L5/1/opened",
    ]


def test_a_stream_tells_of_nothing_that_was_muted(small, tmp_path):
    log, rule_folder = small
    assert backfill(tmp_path / "data", log, until="2025-03-07", rules=rule_folder).code == 0
    with running(tmp_path, rule_folder) as engine, listening(engine, Last_Event_ID="0") as heard:
        next(heard)
        engine.post(as_line(missed("m-3", "2025-03-08", loan_id="L6")))
        assert json.loads(next(heard)["data"])["id"] == "misses/L6/1/opened"
