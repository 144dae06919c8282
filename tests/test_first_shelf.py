"""The shipped packs: their pages are current, their figures belong to them, and a live rule earns its place."""

import importlib.util
import json
from pathlib import Path

import pytest

from pipeline.events import CATALOGUE
from rules.loader import load_shelf
from rules.rule import Rule
from rules.sidecars import load_texts

ROOT = Path(__file__).parent.parent
PACKS = ("firms", "individuals")
MOST_PPM = 200_000  # a rule that fires on more than a fifth of the borrowers tells nobody anything
LISTS = ("sama-a1:", "ebagl202006:274.", "ifrs9:", "cn-risk-classification-2023:")


def shelf() -> list[Rule]:
    return list(load_shelf([ROOT / "rules" / "shelf"], CATALOGUE, ROOT / "rules" / "shelf.lock").rules)


def pack_of(rule: Rule) -> str:
    return Path(rule.file).parent.name


RULES = [rule for rule in shelf() if pack_of(rule) in PACKS]
LIVE = [rule for rule in RULES if rule.status == "live"]
FIGURES = json.loads((ROOT / "docs" / "rules" / "figures.json").read_text("utf-8"))


def named(rules: list[Rule]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("rule", rules, ids=lambda rule: rule.rule)


def test_there_are_at_least_sixteen_live_rules_for_both_kinds_of_borrowers():
    assert len(LIVE) >= 16
    assert {pack_of(rule) for rule in LIVE} == set(PACKS)


@named(RULES)
def test_every_rule_of_a_pack_has_chinese_texts_references_and_a_basis_of_its_condition(rule):
    assert load_texts(rule, "zh") is not None
    assert rule.refs
    assert [ref for ref in rule.refs if not ref.startswith(LISTS)] == []
    assert "when" in rule.basis


@named(RULES)
def test_every_rule_has_a_case_that_alerts_and_a_look_alike_that_stays_quiet(rule):
    assert any(case.expect for case in rule.tests)
    assert any(not case.expect for case in rule.tests)


@named(RULES)
def test_no_rule_of_a_pack_opens_again_within_a_fortnight(rule):
    assert rule.quiet >= 14


@named(RULES)
def test_the_figures_are_of_the_rule_as_it_is(rule):
    assert FIGURES["hashes"].get(rule.rule) == rule.hash, f"run `{FIGURES['made_by']}`"


@named(LIVE)
def test_a_live_rule_fires_and_on_no_more_than_a_fifth_of_the_borrowers(rule):
    figures = FIGURES["simulated"]["rules"].get(rule.rule, {"alerts": 0})
    assert figures["alerts"] > 0, "it never fires; make it shadow"
    shares = [figures["share_ppm"], figures["share_of_all_ppm"]]
    if pack_of(rule) == "firms":
        shares.append(FIGURES["firms"]["rules"][rule.rule]["share_ppm"])
    assert max(shares) <= MOST_PPM, "it fires too often; make it shadow"


def test_the_pages_of_the_rules_are_current():
    path = ROOT / "docs" / "make_rules.py"
    spec = importlib.util.spec_from_file_location("make_rules", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.pages()
    assert {page: page.read_text("utf-8") for page in made} == made, "run `python docs/make_rules.py`"
    assert set((ROOT / "docs" / "rules").glob("*.md")) == set(made)
