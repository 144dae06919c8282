"""The shipped packs: their pages are current, their figures belong to them, and a live rule earns its place."""

import importlib.util
import json
from pathlib import Path

import pytest

from config.settings import load as load_settings
from pipeline.events import CATALOGUE
from rules.coverage import LISTS as COVERAGE
from rules.loader import load_shelf
from rules.packs import SHELF, pack_of, shipped_packs
from rules.rule import Rule
from rules.sidecars import load_texts

ROOT = Path(__file__).parent.parent
ON = load_settings().packs
MOST_PPM = 200_000  # a rule that fires on more than a fifth of the borrowers tells nobody anything
MOST_IN_SHADOW = 0.2
LISTS = {path.stem for path in COVERAGE.glob("*.yaml")}
RULES = [
    rule for rule in load_shelf([SHELF], CATALOGUE, ROOT / "rules" / "shelf.lock").rules if pack_of(rule) != "samples"
]
LIVE = [rule for rule in RULES if rule.status == "live"]
WARNING = [rule for rule in RULES if pack_of(rule) in ON]
LADDERS = [rule for rule in RULES if pack_of(rule) not in ON]
FIGURES = json.loads((ROOT / "docs" / "rules" / "figures.json").read_text("utf-8"))


def named(rules: list[Rule]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("rule", rules, ids=lambda rule: rule.rule)


def test_there_are_at_least_forty_rules_and_each_pack_has_a_live_one():
    assert len(RULES) >= 40
    assert {pack_of(rule) for rule in LIVE} == {*shipped_packs()} - {"samples"}


def test_at_most_a_fifth_of_the_rules_are_in_shadow():
    assert len(RULES) - len(LIVE) <= MOST_IN_SHADOW * len(RULES)


@named(RULES)
def test_every_rule_of_a_pack_has_chinese_texts_references_and_a_basis_of_its_condition(rule):
    assert load_texts(rule, "zh") is not None
    assert rule.refs
    assert {ref.partition(":")[0] for ref in rule.refs} <= LISTS
    assert "when" in rule.basis


@named(RULES)
def test_every_rule_has_a_case_that_alerts_and_a_look_alike_that_stays_quiet(rule):
    assert any(case.expect for case in rule.tests)
    assert any(not case.expect for case in rule.tests)


@named(WARNING)
def test_no_warning_opens_again_within_a_fortnight(rule):
    assert rule.quiet >= 14


@named(RULES)
def test_the_figures_are_of_the_rule_as_it_is(rule):
    assert FIGURES["hashes"].get(rule.rule) == rule.hash, f"run `{FIGURES['made_by']}`"


def is_live(rules: list[Rule]) -> list[Rule]:
    return [rule for rule in rules if rule.status == "live"]


@named(is_live(WARNING))
def test_a_live_rule_fires_and_on_no_more_than_a_fifth_of_the_borrowers(rule):
    figures = FIGURES["simulated"]["rules"].get(rule.rule, {"alerts": 0})
    assert figures["alerts"] > 0, "it never fires; make it shadow"
    shares = [figures["share_ppm"], figures["share_of_all_ppm"]]
    if pack_of(rule) == "firms":
        shares.append(FIGURES["firms"]["rules"][rule.rule]["share_ppm"])
    assert max(shares) <= MOST_PPM, "it fires too often; make it shadow"


@named(is_live(LADDERS))
def test_a_rule_of_a_ladder_fires_and_no_more_than_a_fifth_of_the_borrowers_stand_on_it(rule):
    # Whoever is late for a day is on a ladder once; a class that holds for more than a fifth at once tells nothing.
    figures = FIGURES["simulated"]["rules"].get(rule.rule, {"alerts": 0})
    assert figures["alerts"] > 0, "it never fires; make it shadow"
    assert figures["standing_ppm"] <= MOST_PPM, "too many stand on it; make it shadow"


@named(LADDERS)
def test_a_rule_of_a_ladder_that_reaches_more_than_a_fifth_once_gives_nobody_work(rule):
    assert rule.task is None or FIGURES["simulated"]["rules"][rule.rule]["share_of_all_ppm"] <= MOST_PPM


def test_the_pages_of_the_rules_are_current():
    path = ROOT / "docs" / "make_rules.py"
    spec = importlib.util.spec_from_file_location("make_rules", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.pages()
    assert {page: page.read_text("utf-8") for page in made} == made, "run `python docs/make_rules.py`"
    beside = {"tutorial", "reference"}  # of the language, not of a pack
    pages = {page for page in (ROOT / "docs" / "rules").glob("*.md") if page.name.partition(".")[0] not in beside}
    assert pages == set(made)
