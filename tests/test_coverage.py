"""What of published lists the shelf covers: every sign is seen by a rule, or somebody says why not."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.events import CATALOGUE
from rules.coverage import LISTS, STATUSES, coverages
from rules.faults import RuleError
from rules.loader import load_shelf
from tests.arrival_logs import COUNTS_MISSES, forewarn, shelf

ROOT = Path(__file__).parent.parent
SHIPPED = load_shelf([ROOT / "rules" / "shelf"], CATALOGUE).rules
LIST = """\
title: {en: A list, zh: 清单}
source: Nobody, 2025
signals:
  one:
    text: {en: The first sign, zh: 第一个信号}
  two:
    text: {en: The second sign, zh: 第二个信号}
    missing: {en: No event tells of it., zh: 没有事件说明。}
"""


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "ours.yaml").write_text(LIST, "utf-8")
    return tmp_path / "lists"


def rules(folder: Path, **refs: list[str]) -> Path:
    statuses = {"quiet": {"status": "shadow"}, "planned": {"status": "draft"}}
    own = {name: COUNTS_MISSES | {"refs": each} | statuses.get(name, {}) for name, each in refs.items()}
    return shelf(folder / "rules", **own)


def signs(folder: Path, lists: Path) -> dict[str, tuple[Any, ...]]:
    ran = forewarn("rules", "coverage", folder, "--lists", lists, "--format", "json")
    assert ran.code == 0, ran.err
    [found] = json.loads(ran.out)["lists"]
    assert sum(found[status] for status in STATUSES) == len(found["signs"])
    return {each["ref"]: (each["status"], each["live"], each["shadow"]) for each in found["signs"]}


def faults(folder: Path, lists: Path) -> list[str]:
    ran = forewarn("rules", "coverage", folder, "--lists", lists)
    assert (ran.code, ran.out) == (2, "")
    return [re.sub(r"^\S*/", "", line) for line in ran.err.splitlines()]


def test_every_sign_of_the_shipped_lists_is_covered_or_explained():
    found = coverages(SHIPPED)
    assert {each.name for each in found} >= {"sama-a1", "ebagl202006", "cn-risk-classification-2023"}
    for sign in (sign for each in found for sign in each.signs):
        assert (sign.status == "covered") == (sign.live != () and sign.why is None)


def test_every_reference_of_the_shipped_shelf_is_in_a_list():
    lists = {path.stem for path in LISTS.glob("*.yaml")}
    assert {ref.partition(":")[0] for rule in SHIPPED for ref in rule.refs} <= lists


def test_a_live_rule_covers_one_in_shadow_does_in_part_a_draft_does_not(tmp_path, lists):
    live = rules(tmp_path / "live", misses=["ours:one"], quiet=["ours:one", "theirs:any"])
    assert signs(live, lists)["ours:one"] == ("covered", ["misses"], ["quiet"])
    assert signs(live, lists)["ours:two"] == ("not_covered", [], [])
    shadow = rules(tmp_path / "shadow", quiet=["ours:one"], planned=["ours:two"])
    assert signs(shadow, lists)["ours:one"] == ("partly", [], ["quiet"])
    assert signs(shadow, lists)["ours:two"] == ("not_covered", [], [])
    text = (lists / "ours.yaml").read_text("utf-8")
    partly = "    text: {en: The first sign, zh: 第一个信号}\n    partly: {en: Half of it., zh: 一半。}\n"
    (lists / "ours.yaml").write_text(text.replace("    text: {en: The first sign, zh: 第一个信号}\n", partly), "utf-8")
    assert signs(live, lists)["ours:one"] == ("partly", ["misses"], ["quiet"])


def test_a_sign_that_nothing_sees_must_say_why_and_one_that_is_seen_must_not(tmp_path, lists):
    folder = rules(tmp_path, misses=["ours:two"])
    assert faults(folder, lists) == [
        "ours.yaml:4:3 signals.one: no rule that decides names it; say why under `missing`",
        "ours.yaml:8:5 signals.two.missing: misses names it; leave this out",
    ]


def test_a_reference_to_a_sign_that_its_list_does_not_have(tmp_path, lists):
    folder = rules(tmp_path, misses=["ours:one", "ours:tow"])
    assert faults(folder, lists) == ["misses.yaml:1:1 refs: no sign 'tow' in ours; did you mean 'two'?"]


def test_a_list_that_is_no_list(tmp_path, lists):
    (lists / "ours.yaml").write_text("title: ours\n", "utf-8")
    assert len(faults(rules(tmp_path, misses=[]), lists)) >= 2
    ran = forewarn("rules", "coverage", "--lists", tmp_path / "nowhere")
    assert ran.code == 2 and "expected a folder of lists, got nothing there" in ran.err
    with pytest.raises(RuleError):
        coverages((), lists)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_forms_say_the_same(tmp_path, lists, lang):
    folder = rules(tmp_path, misses=["ours:one"])
    words = ["rules", "coverage", folder, "--lists", lists, "--lang", lang]
    shown = forewarn(*words)
    forewarn(*words, "--format", "html", "--out", tmp_path / "page.html", "--quiet")
    forewarn(*words, "--out", tmp_path / "page.txt", "--quiet")
    page, text = ((tmp_path / name).read_text("utf-8") for name in ("page.html", "page.txt"))
    for said in ("The first sign", "No event tells of it.") if lang == "en" else ("第一个信号", "没有事件说明。"):
        assert said in shown.out and said in page and said in text
    assert "default-src 'none'" in page and not re.search(r"(src|href)=\"(?!data:)", page)


def test_it_writes_over_no_list(tmp_path, lists):
    ran = forewarn("rules", "coverage", "--lists", lists, "--out", lists / "ours.yaml")
    assert ran.code == 2
    assert (lists / "ours.yaml").read_text("utf-8") == LIST
