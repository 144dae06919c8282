"""Rules tested again as they are saved: only what changed is read, and Ctrl-C ends it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.settings import load
from pipeline.shells import rule_watch
from pipeline.shells.rule_watch import first_look, looked_again
from pipeline.shells.terms import terms_of
from tests.arrival_logs import COUNTS_MISSES, RULE, Told, shelf

TERMS = terms_of(load())
FIRES: Told = {
    "name": "one miss",
    "given": [{"day": 0, "event": "repayment.missed"}],
    "expect": [{"day": 0, "alert": "low"}],
}


@pytest.fixture
def rules(tmp_path):
    return shelf(tmp_path / "rules", late=COUNTS_MISSES | {"tests": [FIRES]}, other=COUNTS_MISSES | {"tests": [FIRES]})


def write(path: Path, **own: object) -> None:
    path.write_text(json.dumps({"rule": path.stem} | RULE | COUNTS_MISSES | {"tests": [FIRES]} | own), "utf-8")


def test_only_the_rule_that_was_saved_is_read_and_tested_again(rules, monkeypatch):
    kept, seen = first_look(rules, TERMS)
    assert [(each.path.stem, each.faults, [o.passed for o in each.outcomes]) for each in seen] == [
        ("late", (), [True]), ("other", (), [True]),
    ]  # fmt: skip
    (rules / "other.yaml").write_text("not read", "utf-8")
    write(rules / "late.yaml", when="missed >= 2")
    (again,) = looked_again(kept, [rules / "late.yaml"], TERMS)
    assert (again.path.stem, [o.passed for o in again.outcomes]) == ("late", [False])


def test_a_file_that_is_half_written_is_a_fault_until_it_is_whole(rules):
    kept, _ = first_look(rules, TERMS)
    path = rules / "late.yaml"
    whole = path.read_text("utf-8")
    path.write_text(whole[: len(whole) // 2], "utf-8")
    (half,) = looked_again(kept, [path], TERMS)
    assert len(half.faults) == 1 and "not YAML" in half.faults[0].message and half.outcomes == ()
    path.write_text(whole, "utf-8")
    (again,) = looked_again(kept, [path, path], TERMS)
    assert again.faults == () and [o.passed for o in again.outcomes] == [True]


def test_a_file_that_is_gone_is_told_once_and_a_new_one_is_tested(rules):
    kept, _ = first_look(rules, TERMS)
    (rules / "late.yaml").rename(rules / "later.yaml")
    seen = list(looked_again(kept, [rules / "late.yaml", rules / "later.yaml"], TERMS))
    assert [(each.path.stem, each.is_gone) for each in seen] == [("late", True), ("later", False)]
    assert "expected the name of its file, 'later'" in seen[1].faults[0].message
    assert list(looked_again(kept, [rules / "late.yaml"], TERMS)) == []


def test_texts_that_are_saved_test_the_rule_that_they_belong_to(rules):
    kept, _ = first_look(rules, TERMS)
    (rules / "late.zh.yaml").write_text("title: 迟到\n", "utf-8")
    (again,) = looked_again(kept, [rules / "late.zh.yaml"], TERMS)
    assert again.path.stem == "late" and any(fault.file.endswith("late.zh.yaml") for fault in again.faults)


def test_a_second_rule_of_a_name_is_a_fault_of_the_file_that_was_saved(rules):
    kept, _ = first_look(rules, TERMS)
    (rules / "pack").mkdir()
    write(rules / "pack" / "late.yaml")
    (again,) = looked_again(kept, [rules / "pack" / "late.yaml"], TERMS)
    assert ["is also in" in fault.message for fault in again.faults] == [True]


def test_a_folder_may_be_empty_yet(tmp_path):
    assert first_look(tmp_path, TERMS) == ({}, [])


@pytest.mark.parametrize("is_one_file", [False, True])
def test_the_watcher_tells_of_rule_files_alone(rules, is_one_file):
    saves = rule_watch.saves_in(rules / "late.yaml" if is_one_file else rules)
    assert next(saves) == set()  # it listens
    (rules / "late.yaml.tmp").write_text("x", "utf-8")
    (rules / ".late.yaml").write_text("x", "utf-8")
    (rules / "late.yaml.tmp").replace(rules / "late.yaml")  # as editors save
    assert next(each for each in saves if each) == {rules / "late.yaml"}
    saves.close()


@contextmanager
def killed_after(process: "subprocess.Popen[str]", seconds: float) -> Iterator[None]:
    """A process that never answers or never ends fails the test instead of holding it up."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


COMMAND = "import sys; from pipeline.shells.cli import app; app(sys.argv[1:])"


def test_the_command_tests_on_save_and_ends_cleanly(rules):
    words = [sys.executable, "-c", COMMAND, "rules", "watch", str(rules)]
    env = os.environ | {"PYTHONUNBUFFERED": "1"}
    with (
        subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=env,
            # Who starts the tests in the background may have had them ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        ) as process,
        killed_after(process, 120),
    ):
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "2 of 2 cases passed\n"
        assert process.stdout.readline().startswith(f"watching {rules}")
        write(rules / "late.yaml", when="missed >= 2")
        assert process.stdout.readline().startswith("FAIL late: one miss")
        while not (line := process.stdout.readline()).startswith("FAIL late: 0 of 1 case passed"):
            assert line, "the command ended"
        write(rules / "late.yaml")
        assert process.stdout.readline().startswith("pass late: 1 of 1 case passed")
        process.send_signal(signal.SIGINT)
        assert (process.wait(), process.stdout.read(), process.stderr.read()) == (0, "", "")
