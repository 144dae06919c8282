"""Rules published while an engine runs: two persons, a control record between two arrivals, and never other rules."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.shells.embedded.bounded import LONGEST
from pipeline.shells.embedded.disk import Halted
from pipeline.shells.embedded.export import export
from pipeline.shells.embedded.keys import KeyFileError, read_keys
from pipeline.shells.embedded.runtime import Batch, Runtime
from pipeline.shells.embedded.standing import Ran
from pipeline.shells.publishing.register import LOG, entries
from pipeline.shells.publishing.shelves import REGISTER
from tests.arrival_logs import COUNTS_MISSES, as_line, day_ended, forewarn, missed, shelf, written
from tests.embedded_engines import compiled, opened, taken, until
from tests.engine_process import ADMIN, Engine
from tests.registers import published

PUBLISHED = {"type": "shelf.published", "at": "2025-03-08T10:00:00+08:00", "author": "anna", "approver": "ben"}
MISSED = {"day": 0, "event": "repayment.missed"}
NOTHING = {"name": "nothing came", "given": [{"day": 0, "event": "account.overdrawn"}], "expect": "nothing"}


def cases(day: int) -> list[dict[str, Any]]:
    return [{"name": "one miss", "given": [MISSED], "expect": [{"day": day, "alert": "low"}]}, NOTHING]


MISSES = {"misses": COUNTS_MISSES | {"tests": cases(0)}}
SILENT = {
    "silent": {
        "per": "loan_id",
        "measure": {"quiet_for": {"days_since": "repayment.missed"}},
        "when": "quiet_for >= 5",
        "for": "0d",
        "tests": [
            {
                "name": "five days",
                "given": [MISSED, {"day": 6, "event": "account.overdrawn"}],
                "expect": [{"day": 5, "alert": "low"}],
            },
            NOTHING,
        ],
    }
}
PEOPLE = (
    "k-anna author,read person=anna\nk-ben approve,read person=ben\nk-nobody author,approve\nk-reads read person=eve\n"
)


def alerts(runtime: Runtime) -> list[str]:
    rows = runtime.store.database.execute("select body from decisions where kind = 'alert' order by n")
    return [json.loads(body)["id"] for (body,) in rows]


# -- an engine takes another shelf up --


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


# -- people at an engine that runs --


@contextmanager
def engine_of(folder: Path, rules: Path) -> Iterator[Engine]:
    engine = Engine(folder, rules)
    keys = folder / "keys.txt"
    keys.write_text(keys.read_text() + PEOPLE)
    engine.start()
    try:
        yield engine
    finally:
        if engine.process is not None and engine.process.poll() is None:
            engine.end(signal.SIGTERM)


def as_person(name: str, *words: str | Path, url: str) -> Any:
    before = os.environ.get("FOREWARN_API_KEY")
    os.environ["FOREWARN_API_KEY"] = f"k-{name}"
    try:
        return forewarn("rules", *words, "--to", url)
    finally:
        os.environ.pop("FOREWARN_API_KEY")
        if before is not None:
            os.environ["FOREWARN_API_KEY"] = before


def bundle_in(out: str) -> str:
    return next(word for word in out.splitlines()[-1].split() if len(word) == 12)


def test_two_persons_publish_rules_to_a_running_engine_and_roll_them_back(tmp_path):
    first, second = shelf(tmp_path / "first", **MISSES), shelf(tmp_path / "second", **SILENT, **MISSES)
    past = written(tmp_path / "past.jsonl", *(missed(f"m-{n}", f"2025-01-{n:02}") for n in range(1, 9)))
    with engine_of(tmp_path, first) as engine:
        ran = as_person("anna", "publish", first, "--author", "anna", "--over", past, url=engine.url)
        assert (ran.code, ran.err) == (0, "")
        assert "it decides nothing until another person approves it" in ran.out
        one = bundle_in(ran.out)
        ran = as_person("ben", "approve", one, "--approver", "ben", url=engine.url)
        assert (ran.code, ran.out.strip(), ran.err) == (0, f"{one} is approved by ben", "")

        ran = as_person("anna", "publish", second, "--over", past, "--why", "silence", url=engine.url)
        assert ran.code == 0
        assert "silent: new, live" in ran.out
        two = bundle_in(ran.out)
        assert as_person("ben", "approve", two, url=engine.url).code == 0
        assert (
            engine.post(as_line(missed("m-1", "2025-03-01")) + b"\n" + as_line(day_ended("2025-03-07"))).json()[
                "accepted"
            ]
            == 2
        )
        assert {each["rule"] for each in opened_alerts(engine)} == {"misses", "silent"}

        ran = as_person("ben", "rollback", one, "--why", "too many", url=engine.url)
        assert (ran.code, ran.out.strip()) == (0, f"{one} is in force again, by ben")
        engine.post(as_line(day_ended("2025-03-08")))
        closed = [each for each in alerts_of(engine) if each["transition"] == "closed"]
        assert [(each["rule"], each["reason"]) for each in closed] == [("silent", "rule_changed")]

        told = json.loads(as_person("reads", "log", "--format", "json", url=engine.url).out)
        assert [(each["step"], each["by"]["name"]) for each in told["entries"]] == [
            ("proposed", "anna"),
            ("approved", "ben"),
            ("proposed", "anna"),
            ("approved", "ben"),
            ("rolled_back", "ben"),
        ]
        assert told["in_force"].startswith(one)
        evidence = told["entries"][2]["evidence"]
        assert evidence["tests"] == {"cases": 4, "failed": 0}
        assert evidence["past"]["events"] == 8
        assert evidence["past"]["others"] == {"newly": 0, "no_longer": 0, "earlier": 0, "later": 0}
        ran = as_person("reads", "log", two, "--out", tmp_path / "taken", url=engine.url)
        assert (tmp_path / "taken" / "rules" / "silent.yaml").read_bytes() == (second / "silent.yaml").read_bytes()

        lines = [each["type"] for each in map(json.loads, log_of(engine)) if each["type"] == "shelf.published"]
        assert len(lines) == 3
        assert engine.end(signal.SIGTERM) == 0
        engine.rules = second  # it runs what was published, so rules that are named are refused
        words = ["run", "--data", tmp_path / "data", "--rules", second, "--port", "0"]
        ran = forewarn(*words)
        assert ran.code == 2
        assert f"--rules: expected none, as {tmp_path / 'data'} runs the published shelf {one}" in ran.err


def alerts_of(engine: Engine) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{engine.url}/v1/alerts", headers=ADMIN).json()["items"]
    return found


def opened_alerts(engine: Engine) -> list[dict[str, Any]]:
    return [each for each in alerts_of(engine) if each["transition"] == "opened"]


def log_of(engine: Engine) -> list[bytes]:
    out = engine.folder / "exported"
    assert forewarn("export", "--data", engine.folder / "data", "--out", out, "--quiet").code == 0
    return (out / "events.jsonl").read_bytes().splitlines()


def test_who_is_not_who_they_say_is_refused(tmp_path):
    folder = shelf(tmp_path / "rules", **MISSES)
    with engine_of(tmp_path, folder) as engine:
        no_past = ("publish", folder, "--without-past", "a test")
        for name, words, sentence in (
            ("anna", (*no_past, "--author", "ben"), "--author: expected anna, whose key it is, got ben"),
            ("ben", no_past, "expected a person's key with scope author, got approve, read of ben"),
            ("nobody", no_past, "expected a person's key with scope author, got approve, author of nobody"),
            ("unknown", no_past, "Authorization: expected 'Bearer KEY'"),
        ):
            ran = as_person(name, *words, url=engine.url)
            assert (ran.code, ran.out) == (2, "")
            assert sentence in ran.err
        one = bundle_in(as_person("anna", *no_past, url=engine.url).out)
        for name, words, sentence in (
            ("anna", ("approve", one), "key: expected one with scope approve"),
            ("ben", ("approve", one, "--approver", "carl"), "approver: expected ben, whose key it is, got carl"),
            ("ben", ("approve", "0" * 12), "expected the hash of a proposed shelf"),
            ("ben", ("rollback", one, "--why", "x"), "expected a shelf that was approved once"),
        ):
            ran = as_person(name, *words, url=engine.url)
            assert (ran.code, ran.out) == (2, "")
            assert sentence in ran.err
        nobody = {"Authorization": "Bearer k-nobody"}
        answer = httpx.post(f"{engine.url}/v1/shelves", headers=nobody, json={"files": {"rules/a.yaml": "rule: [a"}})
        assert (answer.status_code, answer.json()["detail"][:28]) == (403, "key: expected one of a perso")
        author = {"Authorization": "Bearer k-anna", "Content-Type": "application/json"}
        for files, status, sentence in (
            ({"rules/a.yaml": "rule: [a"}, 422, "rules/a.yaml:2:1 file: not YAML"),
            ({"../a.yaml": "rule: a"}, 422, "files: expected names such as rules/pack/rule.yaml, got '../a.yaml'"),
            ({}, 422, "files: expected at least one rule file, got none"),
            ({"rules/a.yaml": "\ud800"}, 422, "files: expected text that UTF-8 can write"),
        ):
            answer = httpx.post(f"{engine.url}/v1/shelves", headers=author, content=json.dumps({"files": files}))
            assert answer.status_code == status, answer.text
            assert sentence in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/shelves", "/v1/dead-letters/replay"])
def test_a_body_that_is_too_long_is_refused_before_it_is_read(tmp_path, path):
    body = b'{"files": {"a": "' + b"x" * LONGEST
    with engine_of(tmp_path, shelf(tmp_path / "rules", **MISSES)) as engine:
        answer = httpx.post(
            f"{engine.url}{path}", content=body, headers={"Content-Type": "application/json"}, timeout=60
        )
        assert (answer.status_code, answer.json()["title"]) == (413, "Request Entity Too Large")
        assert f"body: expected at most {LONGEST} bytes" in answer.json()["detail"]


# -- people at its disk --


def as_user(number: int, *words: str | Path) -> Any:
    """A command of another user of the system; what it imports is there already, as root alone may read it."""
    forewarn("rules", "log", *words[2:])
    os.seteuid(number)
    try:
        return forewarn("rules", *words)
    finally:
        os.seteuid(0)


def test_the_user_of_the_system_is_the_person_and_nobody_else(tmp_path):
    folder = shelf(tmp_path / "rules", **MISSES)
    with opened(tmp_path / "data", compiled(folder), ran=Ran(mark="m")) as runtime:
        taken(runtime, [as_line(missed("m-1", "2025-03-01"))])
    data = ("--data", tmp_path / "data")
    ran = forewarn("rules", "publish", folder, *data, "--author", "somebody-else")
    assert ran.code == 2
    assert "--author: expected " in ran.err and "who runs this command, got somebody-else" in ran.err
    ran = forewarn("rules", "publish", folder, *data)
    assert (ran.code, ran.err) == (0, "")
    one = bundle_in(ran.out)
    ran = forewarn("rules", "approve", one, *data)
    assert ran.code == 2
    assert "approver: expected another person than the author" in ran.err
    [step] = entries(tmp_path / "data" / REGISTER)
    assert step.entry.by.known_by == "user"
    assert step.entry.evidence["past"]["events"] == 1  # the log of the engine itself


@pytest.mark.skipif(os.geteuid() != 0, reason="expected root, who may run commands as others, got another user")
def test_two_users_publish_on_the_disk_and_a_running_engine_follows(tmp_path):
    folder = shelf(tmp_path / "rules", **MISSES, **SILENT)
    for each in (tmp_path, *tmp_path.parents):
        if each.stat().st_mode & 0o005 != 0o005:
            each.chmod(0o755)
    with engine_of(tmp_path, shelf(tmp_path / "first", **MISSES)) as engine:
        register = tmp_path / "data" / REGISTER
        for each in (register / LOG, register / "shelves"):
            each.chmod(0o1777)
        ran = forewarn("rules", "publish", folder, "--data", tmp_path / "data", "--without-past", "a test")
        one = bundle_in(ran.out)
        other = as_user(65534, "approve", one, "--data", tmp_path / "data")
        assert (other.code, other.err) == (0, "")
        assert f"{one} is approved by nobody" in other.out
        until_in_force(engine, one)


def both_published(engine: Engine, *folders: Path) -> list[str]:
    hashes = []
    for each in folders:
        hashes.append(bundle_in(as_person("anna", "publish", each, "--without-past", "a test", url=engine.url).out))
        assert as_person("ben", "approve", hashes[-1], url=engine.url).code == 0
    return hashes


def until_troubled(engine: Engine, by: str) -> None:
    until(lambda: by in str(httpx.get(f"{engine.url}/readyz").json()["troubles"]))


def put_in_force(engine: Engine) -> list[str]:
    return [found["hash"][:12] for line in log_of(engine) if "hash" in (found := json.loads(line))]


def test_a_register_without_the_step_that_the_engine_follows_is_trouble_and_not_followed(tmp_path):
    """Who takes the last entries out would else put older rules in force, and nobody would hear of it."""
    first, second = shelf(tmp_path / "first", **MISSES), shelf(tmp_path / "second", **MISSES, **SILENT)
    with engine_of(tmp_path, first) as engine:
        one, two = both_published(engine, first, second)
        log = tmp_path / "data" / REGISTER / LOG
        last = (log / "00004.json").read_bytes()
        (log / "00004.json").unlink()
        until_troubled(engine, f"expected the step by which {two} came into force, got a register without it")
        assert "bring it back from a backup" in as_person("ben", "approve", one, url=engine.url).err
        assert len(list(log.iterdir())) == 3
        (log / "00004.json").write_bytes(last)
        until(lambda: httpx.get(f"{engine.url}/readyz").json()["troubles"] == [])
        shutil.move(tmp_path / "data" / REGISTER, tmp_path / "elsewhere")
        until_troubled(engine, "got a register without it")
        shutil.move(tmp_path / "elsewhere", tmp_path / "data" / REGISTER)
        until(lambda: httpx.get(f"{engine.url}/readyz").json()["troubles"] == [])
        assert put_in_force(engine) == [one, two]


def test_a_sender_puts_nothing_in_force_but_what_the_register_had_in_force_and_that_is_told(tmp_path):
    """A log that is sent to a new engine says which rules decided when; nobody else need say so."""
    first, second = shelf(tmp_path / "first", **MISSES), shelf(tmp_path / "second", **MISSES, **SILENT)
    with engine_of(tmp_path, first) as engine:
        one, two = both_published(engine, first, second)
        record = next(line for line in log_of(engine) if one in line.decode())
        [own] = engine.post(as_line(PUBLISHED | {"hash": json.loads(record)["hash"]})).json()["results"]
        assert (own["status"], own["reason"]) == ("refused", "forbidden")
        assert "expected a step of the register" in own["why"]
        assert put_in_force(engine) == [one, two]
        assert engine.post(record).json()["accepted"] == 1
        until_troubled(engine, f"expected {two} in force, as the register says, got {one}")


def until_in_force(engine: Engine, one: str) -> None:
    until(lambda: one in put_in_force(engine))


def test_a_key_file_says_whose_a_key_is(tmp_path):
    file = tmp_path / "keys"
    file.write_text("a author 2030-01-01 person=anna\nb read person=ben  # a word\nc ingest\n")
    keys, today = read_keys(file), date(2025, 1, 1)
    assert [(found.person if (found := keys.grant(key, today)) else None) for key in "abc"] == ["anna", "ben", None]
    for line, sentence in (
        ("a read person=", "expected a person of letters, digits"),
        ("a read person=x/y", "got 'x/y'"),
        ("a read person=x 2030-01-01", "expected 'KEY scope,scope [last date] [person=NAME]', got 4 words"),
        ("person=x", "got 1 words"),
    ):
        file.write_text(line + "\n")
        with pytest.raises(KeyFileError) as error:
            read_keys(file)
        assert sentence in str(error.value)


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


def test_a_key_is_made_for_a_person_and_shown_once(tmp_path):
    file, today = tmp_path / "keys", date(2025, 1, 1)
    file.write_text("a admin")  # without an end of line
    ran = forewarn("keys", "add", "read,author", "--person", "anna", "--until", "2030-01-01", "--api-key-file", file)
    assert (ran.code, ran.err) == (0, "")
    key = ran.out.split()[0]
    assert key not in file.read_text()
    found = read_keys(file).grant(key, today)
    assert found is not None
    assert (found.scopes, found.until, found.person) == ({"read", "author"}, date(2030, 1, 1), "anna")
    assert read_keys(file).grant("a", today) is not None
    for words, sentence in (
        (("autor",), "SCOPES: expected some of ingest, read, author, approve, admin with commas between, got 'autor'"),
        (("read", "--person", "a b"), "--person: expected letters"),
        (("read", "--until", "soon"), "--until: expected a date"),
    ):
        ran = forewarn("keys", "add", *words, "--api-key-file", file)
        assert ran.code == 2
        assert sentence in ran.err
    assert "expected it or --api-key-file, got neither" in forewarn("keys", "add", "read").err


# -- what was published, in a backtest --


def test_a_published_hash_is_what_a_backtest_compares_with(tmp_path):
    first = shelf(tmp_path / "first", **MISSES)
    second = shelf(tmp_path / "second", misses=COUNTS_MISSES | {"when": "missed >= 2"})
    data = tmp_path / "data"
    bundle = published(data, first)
    with opened(data, compiled(second)) as runtime:
        days = [as_line(day_ended(f"2025-03-{day:02}")) for day in range(1, 4)]
        taken(runtime, [as_line(missed("m-1", "2025-03-01")), *days, as_line(PUBLISHED | {"hash": bundle})])
    log = written(tmp_path / "log.jsonl", missed("m-1", "2025-03-01"))
    for words in (("--data", data), (log, "--register", data / REGISTER)):
        ran = forewarn("backtest", *words, "--rules", second, "--against", bundle[:10], "--format", "json")
        assert (ran.code, ran.err) == (0, "")
        against = json.loads(ran.out)["against"]
        assert (against["ref_kind"], against["shelf_before"]) == ("published", compiled(first).hash)
        assert [each["borrower_id"] for each in against["shelf"]["moved"]["others"]["no_longer"]] == ["B17"]
    ran = forewarn("backtest", "--data", data, "--format", "json")  # by what is in force there
    assert json.loads(ran.out)["verdict"]["overall"]["counts"]["alerts"] == 1
    ran = forewarn("backtest", log, "--rules", second, "--against", "0" * 10, "--register", data / REGISTER)
    assert ran.code == 2
    assert "expected a published hash, got one of which no published rules are known" in ran.err
