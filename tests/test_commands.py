"""What all commands have in common: options, words, and the sentences beside the tables; and the locks of folders."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from pipeline.decisions import CollectionTask, Reason, Transition
from pipeline.refusals import Reason as Refused
from pipeline.shells import rules_commands
from pipeline.shells.cli import app
from pipeline.shells.texts import NOUNS, counted, word
from rules.rule import SEVERITIES
from tests.arrival_logs import COUNTS_MISSES, SHELF, Ran, forewarn, missed, paid, shelf, written

SHIPPED = Path(__file__).parents[1] / "rules" / "shelf"


# -- options and words ------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_one_is_one_and_several_are_several(lang):
    for noun, forms in NOUNS[lang].items():
        assert [counted(n, noun, lang) for n in (0, 1, 2)] == [f"0 {forms[1]}", f"1 {forms[0]}", f"2 {forms[1]}"]
    assert NOUNS["en"].keys() == NOUNS["zh"].keys()


def test_every_word_of_the_decisions_is_chinese_in_a_chinese_table():
    words = [
        *get_args(Transition),
        *get_args(Reason),
        *get_args(CollectionTask.__annotations__["status"]),
        *get_args(Refused),
        *SEVERITIES,
    ]
    words += ["all", "part", "none", "known", "unknown"]
    assert [each for each in words if word(each, "zh") == each] == []
    assert [each for each in words if word(each, "en") != each] == []


def commands(group: Any, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in getattr(group, "commands", {}).items():
        yield (*above, name), command
        yield from commands(command, *above, name)


def test_every_command_takes_its_settings_its_language_and_quiet():
    common = {"--config", "--lang", "--quiet"}
    lacking = {
        words: common - {option for parameter in command.params for option in parameter.opts}
        for words, command in commands(typer.main.get_command(app))
        if not hasattr(command, "commands")
    }
    assert len(lacking) > 8 and set().union(*lacking.values()) == set()


def test_help_names_no_path_of_this_machine():
    pages = [forewarn(*words, "--help").out for words, _ in commands(typer.main.get_command(app))]
    assert len(pages) > 9
    assert [line for page in pages for line in page.splitlines() if re.search(r"(^|\s)/\w", line)] == []


# -- most of the events refused ---------------------------------------------


def refused(tmp_path: Path, bad: int, good: int, *words: str | Path) -> Ran:
    """A replay of one line that is no JSON, so many payments in another currency, and so many misses."""
    dollars = [paid(f"b{n}", "2025-03-01", currency="USD") for n in range(bad)]
    log = written(tmp_path / "log.jsonl", b"no JSON", *dollars, *(missed(f"g{n}", "2025-03-01") for n in range(good)))
    return forewarn("replay", log, "--rules", SHELF, "--out", tmp_path / "out", *words)


def test_a_replay_that_refuses_more_than_half_names_the_commonest_reason_and_the_settings(tmp_path):
    ran = refused(tmp_path, 2, 1)
    assert ran.code == 0
    assert ran.err == (
        "warning: 3 of 4 events refused, most often as bad_field; check that the settings file (now "
        "config/default.yaml) has the currency and the zone of the data, and read "
        f"{tmp_path / 'out' / 'dead-letters.jsonl'}\n"
    )
    config = tmp_path / "ours.yaml"
    config.write_text("zone: Asia/Taipei\n")
    chinese = refused(tmp_path, 2, 1, "--config", config, "--lang", "zh").err
    assert chinese.startswith("警告：4 个事件中有 3 个被拒收，最常见的原因：字段有误（bad_field）；请检查")
    assert str(config) in chinese


def test_a_replay_that_refuses_half_or_is_quiet_does_not_warn(tmp_path):
    assert refused(tmp_path, 1, 2).err == ""
    assert refused(tmp_path, 2, 1, "--quiet").err == ""


# -- locks ------------------------------------------------------------------


def test_the_shipped_shelf_is_held_to_its_lock_however_it_is_named(monkeypatch, tmp_path):
    lock = tmp_path / "rules" / "shelf.lock"
    shutil.copytree(SHIPPED / "samples", tmp_path / "rules" / "shelf" / "samples")
    monkeypatch.setattr(rules_commands, "SHELF", tmp_path / "rules" / "shelf")
    monkeypatch.setattr(rules_commands, "LOCK", lock)
    monkeypatch.chdir(tmp_path)
    for name in ("rules/shelf", "./rules/../rules/shelf", tmp_path / "rules" / "shelf"):
        ran = forewarn("rules", "check", name)
        assert ran.code == 1 and ran.out.count("is not in shelf.lock; write the lock anew") == 3
    assert forewarn("rules", "lock", "rules/shelf").out == "rules/shelf.lock: 3 rules, 3 of them new or changed\n"
    assert lock.exists() and forewarn("rules", "check", "rules/shelf").code == 0


def test_another_folder_has_its_lock_beside_it_and_is_held_to_it(tmp_path):
    rules = shelf(tmp_path / "mine", misses=COUNTS_MISSES | {"status": "shadow"})
    assert forewarn("rules", "check", rules).out == "1 rule, no faults\n"  # nobody asked for a lock
    assert forewarn("rules", "lock", rules, "--quiet").out == ""
    assert (tmp_path / "shelf.lock").read_text().count("misses: {version: 1,") == 1
    assert forewarn("rules", "check", rules).code == 0
    shelf(tmp_path / "mine", misses=COUNTS_MISSES | {"status": "shadow", "when": "missed >= 2"})
    changed = forewarn("rules", "check", rules)
    assert changed.code == 1 and "changed since version 1; write shelf.lock anew, it becomes 2" in changed.out
    said = forewarn("rules", "lock", rules, "--lang", "zh").out
    assert said == f"{tmp_path / 'shelf.lock'}：1 条规则，其中 1 条为新增或有改动\n"
    assert "misses: {version: 2," in (tmp_path / "shelf.lock").read_text()


def test_a_lock_is_of_a_folder(tmp_path):
    rules = shelf(tmp_path / "mine", misses=COUNTS_MISSES)
    ran = forewarn("rules", "lock", rules / "misses.yaml")
    assert (ran.code, ran.out) == (2, "") and ran.err.endswith(
        "expected a folder of rule files, got a file; name the folder that holds it\n"
    )
    assert not (rules / "shelf.lock").exists()
