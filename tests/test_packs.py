"""Packs that a bank switches on: which rules decide, what a wrong name says, and which are held against each other."""

import json
from pathlib import Path

import pytest

from config.settings import SettingsError, load
from pipeline.events import CATALOGUE
from pipeline.shells import rules_commands
from pipeline.shells.against.ref import texted, without
from pipeline.shells.manners import loaded_shelf
from rules import packs
from rules.laws import examine
from rules.packs import Off, off_beside, pack_of, shipped_packs
from tests.arrival_logs import COUNTS_MISSES, due, forewarn, shelf, told, written

LADDERS = {"china", "eu", "ifrs9", "india"}
HERE = "bank.yaml:1:1 packs:"
OFF = {"en": ("(off)", "packs that are off"), "zh": ("（未启用）", "规则包未启用")}


def bank(tmp_path: Path, *names: str) -> Path:
    file = tmp_path / "bank.yaml"
    file.write_text(f"packs: [{', '.join(names)}]\n", "utf-8")
    return file


def test_a_bank_that_says_nothing_has_every_pack_but_the_ladders_of_regimes():
    assert set(shipped_packs()) - set(load().packs) == LADDERS
    assert {pack_of(rule) for rule in loaded_shelf(None, load()).rules} == set(load().packs)


@pytest.mark.parametrize("pack", sorted(LADDERS))
def test_a_ladder_decides_where_it_is_named(tmp_path, pack):
    on = loaded_shelf(None, load(bank(tmp_path, "individuals", pack)))
    assert {pack_of(rule) for rule in on.rules} == {"individuals", pack}


def test_a_rule_has_the_version_of_the_lock_whatever_packs_are_on(tmp_path):
    every = {rule.rule: rule.version for rule in loaded_shelf(None, load(bank(tmp_path, *shipped_packs()))).rules}
    assert {rule.rule: rule.version for rule in loaded_shelf(None, load()).rules}.items() <= every.items()
    assert every["early-arrears"] > 1


def test_a_loan_that_is_late_for_four_months_climbs_the_ladder_that_is_on(tmp_path):
    log = written(tmp_path / "log.jsonl", due("d", "2025-01-01"), told("i", "external.inquiry", "2025-04-10"))
    for pack, rungs in (
        ("china", ["china-non-performing opened", "china-special-mention opened"]),
        ("ifrs9", ["ifrs9-stages opened", "ifrs9-stages raised"]),
        ("individuals", []),
    ):
        out = tmp_path / pack
        assert forewarn("replay", log, "--config", bank(tmp_path, pack), "--out", out).code == 0
        alerts = [json.loads(line) for line in (out / "alerts.jsonl").read_text("utf-8").splitlines()]
        said = {f"{each['rule']} {each['transition']}" for each in alerts}
        assert sorted(each for each in said if each.split("-")[0] in LADDERS) == rungs


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("packs: [chima]", f"{HERE} expected packs of the shipped shelf, got 'chima'; did you mean 'china'?"),
        ("packs: [china, china]", f"{HERE} expected each pack once, got 'china' twice"),
        ("packs: []", f"{HERE} expected at least 1, got 0"),
        ("packs: china", f"{HERE} expected a list, got 'china'"),
        ("packs: ['../shelf']", f"{HERE} expected packs of the shipped shelf, got '../shelf'"),
    ],
)
def test_packs_that_cannot_be_are_said_in_one_sentence(tmp_path, text, sentence):
    (tmp_path / "bank.yaml").write_text(text, "utf-8")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "bank.yaml")
    assert str(caught.value).startswith(sentence)
    assert len(str(caught.value).splitlines()) == 1
    assert forewarn("rules", "check", "--config", tmp_path / "bank.yaml").code == 2


def test_a_folder_of_rules_takes_the_place_of_all_packs(tmp_path):
    own = shelf(tmp_path / "own", misses=COUNTS_MISSES)
    on = loaded_shelf([own], load(bank(tmp_path, "china")))
    assert [rule.rule for rule in on.rules] == ["misses"]


# -- what is held against what ----------------------------------------------


@pytest.fixture
def twins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shelf of three packs with one rule each, and all of them say the same."""
    for pack in ("home", "north", "south"):
        shelf(tmp_path / "shelf" / pack, **{f"misses-{pack}": COUNTS_MISSES})
    monkeypatch.setattr(packs, "SHELF", tmp_path / "shelf")
    return tmp_path / "shelf"


def adding_nothing(folder: Path, off: Off) -> set[str]:
    faults = examine([folder], CATALOGUE, None, None, off).faults
    return {Path(fault.file).stem for fault in faults if "adds nothing" in fault.message}


def test_two_ladders_are_not_held_against_each_other_unless_both_are_on(twins):
    (twins / "home" / "misses-home.yaml").unlink()
    shelf(twins / "home", quiet=COUNTS_MISSES | {"severity": "low", "when": "missed >= 9"})
    for on in ([], ["north"], ["south"]):
        assert adding_nothing(twins, off_beside(["home", *on], ["home"])) == {"quiet"}  # beside either
    assert adding_nothing(twins, off_beside(["home", "north", "south"], ["home"])) == {"misses-south", "quiet"}


def test_a_ladder_is_held_against_the_default_packs_whether_they_are_on_or_not(twins):
    for on in (["home"], ["north"]):
        assert adding_nothing(twins, off_beside(on, ["home"])) == {"misses-north", "misses-south"}  # each beside home's


def test_two_rules_of_one_pack_that_is_off_are_held_against_each_other(twins):
    (twins / "home" / "misses-home.yaml").unlink()
    shelf(twins / "north", **{"misses-twice": COUNTS_MISSES})
    assert adding_nothing(twins, off_beside(["home"], ["home"])) == {"misses-twice"}


@pytest.mark.parametrize("ladders", [["china", "ifrs9"], ["eu", "ifrs9"], ["india", "ifrs9"], ["india"], []])
def test_the_shelf_is_without_a_fault_for_whatever_a_bank_runs_together(tmp_path, ladders):
    file = bank(tmp_path, "after-payout", "external", "firms", "individuals", *ladders)
    ran = forewarn("rules", "check", "--config", file)
    assert (ran.code, ran.out) == (0, f"{len(all_names())} rules, no faults\n")


def test_the_shipped_shelf_is_checked_and_tested_with_the_packs_that_are_off():
    assert forewarn("rules", "check").out == f"{len(all_names())} rules, no faults\n"
    tested = forewarn("rules", "test").out
    assert "china-non-performing" in tested and "india-sma-0" in tested and "eu-default" in tested


def all_names() -> set[str]:
    return {path.name for path in rules_commands.SHELF.rglob("*.yaml") if not path.name.endswith(".zh.yaml")}


def test_the_readmes_say_how_many_rules_there_are():
    root = rules_commands.SHELF.parents[1]
    for name, words in (("README.md", "{} rules"), ("README.zh-CN.md", "{} 条规则")):
        assert words.format(len(all_names())) in (root / name).read_text("utf-8")


# -- coverage ---------------------------------------------------------------


def sign(ref: str, *words: object) -> dict[str, object]:
    ran = forewarn("rules", "coverage", "--format", "json", *words)
    assert ran.code == 0, ran.err
    [found] = [each for one in json.loads(ran.out)["lists"] for each in one["signs"] if each["ref"] == ref]
    return found


def test_a_sign_is_covered_by_a_ladder_once_its_pack_is_on(tmp_path):
    ref = "cn-risk-classification-2023:overdue-270"
    off = sign(ref)
    assert (off["status"], off["live"], off["off"]) == ("partly", [], ["china-non-performing"])
    on = sign(ref, "--config", bank(tmp_path, *load().packs, "china"))
    assert (on["status"], on["live"], on["off"]) == ("covered", ["china-non-performing"], [])


@pytest.mark.parametrize("lang", OFF)
def test_coverage_says_which_rules_are_off(tmp_path, lang):
    page = tmp_path / "page.txt"
    assert forewarn("rules", "coverage", "--out", page, "--lang", lang).code == 0
    assert all(word in page.read_text("utf-8") for word in OFF[lang])


# -- comparing --------------------------------------------------------------


def test_a_shelf_of_then_is_compared_without_the_packs_that_are_off_now():
    everything = texted([rules_commands.SHELF])
    then = without(off_beside(["firms", "china"], load().packs), everything)
    assert {pack_of(rule) for rule in then.shelf.rules} == {"firms", "china"}
    assert set(then.texts) == {rule.rule for rule in then.shelf.rules}
    assert without(Off(), everything) is everything
