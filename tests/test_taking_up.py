"""An engine and a replay take published rules up between two arrivals, and tell of each decision by its own rule."""

import json
import shutil
import signal
from typing import Any

import httpx
import pytest

from config.settings import load
from pipeline.shells.embedded.disk import Halted
from pipeline.shells.embedded.export import export
from pipeline.shells.embedded.marks import ran_with
from pipeline.shells.embedded.runtime import Batch, Runtime
from pipeline.shells.publishing.register import entries
from pipeline.shells.publishing.shelves import REGISTER
from tests.arrival_logs import COUNTS_MISSES, as_line, day_ended, forewarn, missed, shelf, written
from tests.embedded_engines import compiled, opened, taken
from tests.engine_process import ADMIN, Engine
from tests.publishers import (
    MISSES,
    PUBLISHED,
    SILENT,
    both_published,
    engine_of,
    log_of,
)
from tests.registers import published


def alerts(runtime: Runtime) -> list[str]:
    rows = runtime.store.database.execute("select body from decisions where kind = 'alert' order by n")
    return [json.loads(body)["id"] for (body,) in rows]


def test_a_borrower_who_sleeps_is_judged_by_the_new_rules_at_the_next_close(tmp_path):
    first, second = shelf(tmp_path / "first", **MISSES), shelf(tmp_path / "second", **MISSES, **SILENT)
    bundle = published(tmp_path / "data", second)
    days = [day_ended(f"2025-03-{day:02}") for day in range(1, 20)]
    with opened(tmp_path / "data", compiled(first)) as runtime:
        taken(runtime, [as_line(each) for each in (missed("m-1", "2025-03-01"), *days[:9])])
        assert runtime.store.database.execute("select asleep_until from heads").fetchone()[0] > 10
        assert alerts(runtime) == ["misses/L4/1/opened"]
        taken(runtime, [as_line(PUBLISHED | {"hash": bundle}), as_line(days[9])])
        assert alerts(runtime) == ["misses/L4/1/opened", "silent/L4/1/opened"]


def test_a_shelf_that_nobody_approved_stops_the_engine_and_nothing_is_decided_by_it(tmp_path):
    folder = shelf(tmp_path / "rules", **MISSES)
    with opened(tmp_path / "data", compiled(folder)) as runtime:
        taken(runtime, [as_line(missed("m-1", "2025-03-01"))])
        for bundle in ("0" * 64, "../../rules"):
            with pytest.raises(Halted, match=r"shelf\.published: .*expected a shelf that two persons agreed on"):
                taken(runtime, [as_line(missed("m-2", "2025-03-02")), as_line(PUBLISHED | {"hash": bundle})])
        assert runtime.standing.lines == 1
        assert runtime.shelf.hash == compiled(folder).hash


def test_a_sender_cannot_stop_the_engine_by_naming_a_shelf(tmp_path):
    with opened(tmp_path / "data", compiled(shelf(tmp_path / "rules", **MISSES))) as runtime:
        lines = [as_line(missed("m-1", "2025-03-01")), as_line(PUBLISHED | {"hash": "0" * 64})]
        [[first, second]] = runtime.take([Batch(lines, is_foreign=True)])
        assert (first.status, second.status, second.reason, second.line) == ("accepted", "refused", "forbidden", 0)
        assert "expected a shelf that two persons agreed on" in str(second.why)
        assert runtime.standing.lines == 1


def test_a_rule_that_is_of_loans_from_now_on_names_the_loan_though_it_is_called_as_its_borrower(tmp_path):
    of_borrowers = shelf(tmp_path / "first", misses=MISSES["misses"] | {"per": "borrower_id"})
    bundle = published(tmp_path / "data", shelf(tmp_path / "second", **MISSES))
    same = {"borrower_id": "X1", "loan_id": "X1"}
    lines = [missed("m-1", "2025-03-01", **same), PUBLISHED | {"hash": bundle}, missed("m-2", "2025-03-01", **same)]
    with opened(tmp_path / "data", compiled(of_borrowers)) as runtime:
        taken(runtime, [as_line(each) for each in lines])
        rows = runtime.store.database.execute("select body from decisions where kind = 'alert' order by n").fetchall()
    told = [(each["id"], each.get("loan_id")) for each in (json.loads(body) for (body,) in rows)]
    assert told == [("misses/X1/1/opened", None), ("misses/X1/1/closed", None), ("misses/X1/2/opened", "X1")]


def test_a_batch_that_is_undone_leaves_the_rules_as_they_were(tmp_path):
    first, second = shelf(tmp_path / "first", **MISSES), shelf(tmp_path / "second", **MISSES, **SILENT)
    bundle = published(tmp_path / "data", second)

    def breaks() -> None:
        step = entries(tmp_path / "data" / REGISTER)[-1].digest
        runtime.take_line(as_line(PUBLISHED | {"hash": bundle, "id": step}))
        assert list(runtime.shelf.rules) == ["misses", "silent"]
        raise KeyboardInterrupt

    with opened(tmp_path / "data", compiled(first)) as runtime:
        taken(runtime, [as_line(missed("m-1", "2025-03-01"))])
        with pytest.raises(KeyboardInterrupt):
            runtime.worked(breaks)
        assert list(runtime.shelf.rules) == ["misses"]
        assert runtime.standing.shelves == []
        taken(runtime, [as_line(PUBLISHED | {"hash": bundle})])
        assert list(runtime.shelf.rules) == ["misses", "silent"]
    with opened(tmp_path / "data", compiled(first)) as runtime:  # whatever it is started with
        assert list(runtime.shelf.rules) == ["misses", "silent"]


def test_an_old_alert_is_explained_by_the_rule_that_it_came_of(tmp_path):
    first = shelf(tmp_path / "first", misses=COUNTS_MISSES | {"title": "The first words"})
    second = shelf(tmp_path / "second", misses=COUNTS_MISSES | {"title": "The second words", "when": "missed >= 2"})
    bundle = published(tmp_path / "data", second)
    lines = [missed("m-1", "2025-03-01"), PUBLISHED | {"hash": bundle}, missed("m-2", "2025-03-01", loan_id="L5")]
    lines += [missed("m-3", "2025-03-01", loan_id="L5"), day_ended("2025-03-01")]
    with opened(tmp_path / "data", compiled(first)) as runtime:
        taken(runtime, [as_line(each) for each in lines])
        export(runtime.store.database, runtime.shelf, tmp_path / "out")
    log = written(tmp_path / "log.jsonl", *lines)
    words = ["--rules", first, "--register", tmp_path / "data" / REGISTER, "--out", tmp_path / "replayed"]
    assert forewarn("replay", log, *words).code == 0
    for folder in (tmp_path / "out", tmp_path / "replayed"):
        for alert, title in (("misses/L4/1/opened", "The first words"), ("misses/L5/1/opened", "The second words")):
            ran = forewarn("explain", alert, "--from", folder)
            assert (ran.code, ran.err) == (0, "")
            assert title in ran.out
    assert (tmp_path / "out" / "rules.jsonl").read_bytes() == (tmp_path / "replayed" / "rules.jsonl").read_bytes()


def test_a_report_tells_an_alert_in_the_words_of_the_rule_that_it_came_of(tmp_path):
    folders = []
    for name, verb, say in (("first", "一", "{missed}次"), ("second", "二", "{many}次")):
        measure = {"missed" if name == "first" else "many": {"count": "repayment.missed", "over": "60d"}}
        own = {"measure": measure, "when": f"{next(iter(measure))} >= 1", "say": say}
        folders.append(shelf(tmp_path / name, misses=COUNTS_MISSES | own))
        texts = {"title": verb, "why": verb, "say": f"{verb}：{say}", "guide": [verb]}
        texts |= {"false_alarms": [verb], "blind_spots": [verb]}
        (folders[-1] / "misses.zh.yaml").write_text(json.dumps(texts, ensure_ascii=False), "utf-8")
    first, second = (published(tmp_path / "data", each) for each in folders)
    lines = [PUBLISHED | {"hash": first}, missed("m-1", "2025-03-01"), PUBLISHED | {"hash": second}]
    with opened(tmp_path / "data", compiled(folders[0])) as runtime:
        taken(runtime, [as_line(each) for each in (*lines, day_ended("2025-03-01"), day_ended("2025-03-02"))])
        export(runtime.store.database, runtime.shelf, tmp_path / "out")
    assert forewarn("report", "--from", tmp_path / "out", "--out", tmp_path / "page.html").code == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    for said in ("一：1次", "二：1次"):
        assert said in page


def test_the_end_that_a_new_rule_brings_is_explained_by_the_rule_that_ended(tmp_path):
    """It is told under the new shelf, by the version that it was opened by."""
    other = {"measure": {"many": {"count": "repayment.missed", "over": "30d"}}, "when": "many >= 1", "say": "{many}"}
    first = shelf(tmp_path / "first", misses=COUNTS_MISSES | {"title": "The first words"})
    second = shelf(tmp_path / "second", misses=COUNTS_MISSES | other | {"title": "The second words"})
    bundles = [published(tmp_path / "data", each) for each in (first, second)]
    lines = [missed("m-1", "2025-03-01"), PUBLISHED | {"hash": bundles[1]}, day_ended("2025-03-01")]
    with opened(tmp_path / "data", compiled(first)) as runtime:
        taken(runtime, [as_line(PUBLISHED | {"hash": bundles[0]}), *map(as_line, lines)])
        export(runtime.store.database, runtime.shelf, tmp_path / "out")
    for transition, title in (("1/opened", "first"), ("1/closed", "first"), ("2/opened", "second")):
        ran = forewarn("explain", f"misses/L4/{transition}", "--from", tmp_path / "out")
        assert (ran.code, ran.err) == (0, "")
        assert f"The {title} words" in ran.out


def test_words_that_changed_between_two_starts_are_those_that_an_alert_is_explained_in(tmp_path):
    for words in ("The first words", "The second words"):
        rules = shelf(tmp_path / "rules", misses=COUNTS_MISSES | {"title": words})
        with opened(tmp_path / "data", compiled(rules)) as runtime:
            taken(runtime, [as_line(missed("m-1", "2025-03-01")), as_line(day_ended("2025-03-01"))])
            export(runtime.store.database, runtime.shelf, tmp_path / "out")
        ran = forewarn("explain", "misses/L4/1/opened", "--from", tmp_path / "out")
        assert (ran.code, ran.err) == (0, "")
        assert words in ran.out


def test_what_closed_before_a_publication_is_shown_by_its_own_rules_after_a_restart(tmp_path):
    """Nobody names the rules of before any more then, and their folder may be gone."""
    first, second = shelf(tmp_path / "first", **MISSES), shelf(tmp_path / "second", **SILENT)
    with engine_of(tmp_path, first) as engine:
        engine.post(as_line(missed("m-1", "2025-03-01")) + b"\n" + as_line(day_ended("2025-03-07")))
        both_published(engine, second)
        before, profiles = profile_in(engine), exported_profiles(engine)
        assert before["measures"] == {"misses": {"L4": {"missed": 1}}}
        engine.end(signal.SIGTERM)
        shutil.rmtree(first)
        engine.start(named=False)
        assert profile_in(engine) == before
        assert exported_profiles(engine) == profiles


def profile_in(engine: Engine) -> Any:
    return httpx.get(f"{engine.url}/v1/borrowers/B17", headers=ADMIN).json()["profile"]


def exported_profiles(engine: Engine) -> bytes:
    log_of(engine)
    return (engine.folder / "exported" / "profiles.jsonl").read_bytes()


def test_data_of_a_version_that_knew_no_publishing_is_started_once_before_it_is_read(tmp_path):
    rules = shelf(tmp_path / "rules", **MISSES)
    with opened(tmp_path / "data", compiled(rules)) as runtime:
        taken(runtime, [as_line(missed("m-1", "2025-03-01")), as_line(day_ended("2025-03-01"))])
        runtime.store.database.execute("""insert or replace into meta values ('ran', '{"mark": "of then"}')""")
    words = ("export", "--data", tmp_path / "data", "--rules", rules, "--out", tmp_path / "out")
    ran = forewarn(*words)
    assert ran.code == 2
    assert "got one that an earlier version ran last; start it once with forewarn run" in ran.err
    with opened(tmp_path / "data", compiled(rules), ran=ran_with("", load(), [rules], None)):
        assert forewarn(*words).code == 0


def test_a_replay_without_the_register_says_what_it_needs(tmp_path):
    folder = shelf(tmp_path / "rules", **MISSES)
    log = written(tmp_path / "log.jsonl", missed("m-1", "2025-03-01"), PUBLISHED | {"hash": "ab" * 32})
    ran = forewarn("replay", log, "--rules", folder, "--out", tmp_path / "out")
    assert ran.code == 2
    assert ran.err.strip() == (
        "shelf.published: expected the register that holds abababababab, got none; name it with --register"
    )


def test_the_order_names_the_shelf_that_closed_each_day(tmp_path):
    first, second = shelf(tmp_path / "first", **MISSES), shelf(tmp_path / "second", **MISSES, **SILENT)
    bundle = published(tmp_path, second)
    late = PUBLISHED | {"hash": bundle, "at": "2025-03-03T00:00:00+08:00"}  # dates alone end the days
    log = written(tmp_path / "log.jsonl", missed("m-1", "2025-03-01"), late)
    words = ["--rules", first, "--register", tmp_path / REGISTER, "--out", tmp_path / "out"]
    assert forewarn("replay", log, *words).code == 0
    told = [json.loads(line) for line in (tmp_path / "out" / "order.jsonl").read_bytes().splitlines()]
    old, new = compiled(first).hash, compiled(second).hash
    assert [(each.get("closed", each.get("first")), each["shelf"]) for each in told] == [
        (1, old),
        ("2025-03-01", old),
        ("2025-03-02", old),
        (2, new),
        ("2025-03-03", new),
    ]


def test_a_shelf_begins_no_business_day(tmp_path):
    """It may be published long after the first events that are sent: those are not too old for that."""
    folder = shelf(tmp_path / "rules", **MISSES)
    bundle = published(tmp_path / "data", folder)
    late = PUBLISHED | {"hash": bundle, "at": "2027-01-01T10:00:00+08:00"}
    log = written(tmp_path / "events.jsonl", late, missed("m-1", "2025-03-01"), day_ended("2025-03-01"))
    with opened(tmp_path / "data", compiled(folder)) as runtime:
        taken(runtime, log.read_bytes().splitlines())
        assert alerts(runtime) == ["misses/L4/1/opened"]
    words = ["--rules", folder, "--register", tmp_path / "data" / REGISTER, "--out", tmp_path / "out"]
    assert forewarn("replay", log, *words).code == 0
    assert b'"misses/L4/1/opened"' in (tmp_path / "out" / "alerts.jsonl").read_bytes()
    ran = forewarn("backtest", log, "--rules", folder, "--format", "json")
    assert json.loads(ran.out)["events"]["first_day"] == "2025-03-01"
    ran = forewarn("explain", "B17", "--events", log, "--rules", folder, "--on", "2025-03-01")
    assert ran.code == 0, ran.err
