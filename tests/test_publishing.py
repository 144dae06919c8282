"""People at an engine that runs and at its disk: two persons, and nothing in force that they did not agree on."""

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.shells.embedded.bounded import LONGEST
from pipeline.shells.embedded.keys import KeyFileError, read_keys
from pipeline.shells.embedded.standing import Ran
from pipeline.shells.publishing.register import LOG, entries
from pipeline.shells.publishing.shelves import REGISTER
from tests.arrival_logs import COUNTS_MISSES, as_line, day_ended, forewarn, missed, shelf, written
from tests.embedded_engines import compiled, opened, taken, until
from tests.engine_process import Engine
from tests.publishers import (
    MISSES,
    PUBLISHED,
    SILENT,
    alerts_of,
    as_person,
    both_published,
    bundle_in,
    engine_of,
    log_of,
    opened_alerts,
    put_in_force,
)
from tests.registers import published


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


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, as they may not those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="expected root, who may run commands as others, got another user")
def test_a_user_without_rights_to_the_data_is_told_so(open_folder):
    data = open_folder / "data"
    with opened(data, compiled(shelf(open_folder / "rules", **MISSES))) as runtime:
        taken(runtime, [as_line(missed("m-1", "2025-03-01"))])
    data.chmod(0o700)
    ran = as_user(65534, "approve", "0" * 12, "--data", data)
    assert (ran.code, ran.out) == (2, "")
    assert "expected a register to write to, got Permission denied; who publishes needs rights to it" in ran.err
    data.chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="expected root, who may run commands as others, got another user")
def test_two_users_publish_on_the_disk_and_a_running_engine_follows(open_folder):
    folder, data = shelf(open_folder / "rules", **MISSES, **SILENT), open_folder / "data"
    with engine_of(open_folder, shelf(open_folder / "first", **MISSES)) as engine:
        for each in (data / REGISTER / LOG, data / REGISTER / "shelves"):
            each.chmod(0o1777)
        ran = forewarn("rules", "publish", folder, "--data", data, "--without-past", "a test")
        one = bundle_in(ran.out)
        other = as_user(65534, "approve", one, "--data", data)
        assert (other.code, other.err) == (0, "")
        assert f"{one} is approved by nobody" in other.out
        until_in_force(engine, one)


def until_troubled(engine: Engine, by: str) -> None:
    until(lambda: by in str(httpx.get(f"{engine.url}/readyz").json()["troubles"]))


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
