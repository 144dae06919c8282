"""What changed between two shelves, read from the values of their rules and told in words."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from pipeline.events import CATALOGUE
from pipeline.shells.against.wording import LANGUAGES, WORDS, change_said, rule_said
from rules.changes import WORDS as FIELDS_OF_WORDS
from rules.changes import Texted, changed_words, rule_changes, shelf_changes
from rules.conditions import parse_when
from rules.loader import load_shelf
from rules.rule import Case, Measure, Rule, Selector, Shelf, Span, Task
from rules.sidecars import all_texts
from rules.versions import deciding, rule_hash
from tests.arrival_logs import COUNTS_MISSES, shelf
from tests.oracles.random_rules import rules
from tests.oracles.rule_makers import rule

MISSED = Measure("missed", "count", None, (Selector("repayment.missed"),), Span(60, "d"))
WORST = Measure("worst", "max", "used_share", (Selector("account.balance"),), Span(9, "d"))
SLIDE = Measure("slide", "sequence", None, (Selector("repayment.due"), Selector("x")), within=Span(14, "d"))
NAMES = {"missed": "number", "worst": "number", "slide": "truth"}


def when(text: str) -> Any:
    return parse_when(text, NAMES)  # type: ignore[arg-type]


def measured(*measures: Measure) -> dict[str, Any]:
    return {"measure": {each.name: each for each in (MISSED, WORST, SLIDE)} | {each.name: each for each in measures}}


BASE = replace(
    rule("late", per="loan_id", **measured(), when=when("missed >= 2"), quiet=30, say="{missed} missed"),
    since="2025-01-01",
)
# A field as the hash names it -> what moves, and how that is said in English and in Chinese.
MOVES: dict[str, tuple[dict[str, Any], str, str]] = {
    "rule": ({"rule": "later"}, "rule late to later", "规则名由 late 改为 later"),
    "status": ({"status": "shadow"}, "live to shadow", "由 live 改为 shadow"),
    "since": ({"since": "2025-02-01"}, "since 2025-01-01 to 2025-02-01", "起始日 since 由 2025-01-01 改为 2025-02-01"),
    "challenges": ({"challenges": "old"}, "challenges none to old", "所挑战的规则由 无 改为 old"),
    "retired_because": ({"retired_because": "dull"}, 'retired because: none to "dull"', '停用原因由 无 改为 "dull"'),
    "when": (
        {"when": when("missed >= 3")},
        "when: `missed >= 2` to `missed >= 3`",
        "条件 when 由 `missed >= 2` 改为 `missed >= 3`",
    ),
    "for": ({"hold": 7}, "for 0 d to 7 d", "持续时间 for 由 0 天 改为 7 天"),
    "severity": ({"severity": "high"}, "severity medium to high", "级别由 中 改为 高"),
    "escalate": (
        {"escalate": {"critical": when("missed >= 4")}},
        "escalate critical new: `missed >= 4`",
        "新增升级条件 严重：`missed >= 4`",
    ),
    "say": ({"say": "so"}, 'say: "{missed} missed" to "so"', '消息 say 由 "{missed} missed" 改为 "so"'),
    "quiet": ({"quiet": 14}, "quiet 30 d to 14 d", "静默期 quiet 由 30 天 改为 14 天"),
    "clear_after": ({"clear_after": 3}, "clear after 0 d to 3 d", "解除时间 clear_after 由 0 天 改为 3 天"),
    "inhibited_by": (
        {"inhibited_by": ("worse", "bad")},
        "inhibited by none to bad, worse",
        "抑制规则 inhibited_by 由 无 改为 bad、worse",
    ),
    "spreads": ({"spreads": ("group",)}, "spreads none to group", "传播 spreads 由 无 改为 group"),
    "daily_openings": ({"daily_openings": 40}, "daily openings none to 40", "每日打开上限由 无 改为 40"),
    "task": ({"task": Task("care", "call", 2)}, "task none to care, call in 2 d", "任务由 无 改为 care，call，2 天内"),
    "per": ({"per": "account_id"}, "per loan_id to account_id", "对象 per 由 loan_id 改为 account_id"),
    "measure": (
        measured(replace(WORST, name="paid")),
        "measure paid new: `{max: used_share, from: account.balance, over: 9d}`",
        "新增指标 paid：`{max: used_share, from: account.balance, over: 9d}`",
    ),
    "measure.over": (
        measured(replace(MISSED, over=Span(45, "d"))),
        "window of missed 60 d to 45 d",
        "missed 的时间窗由 60 天 改为 45 天",
    ),
    "measure.ending": (
        measured(replace(MISSED, ending=Span(1, "w"))),
        "end of the window of missed now to 1 w ago",
        "missed 时间窗的终点由 现在 改为 1 周前",
    ),
    "measure.within": (
        measured(replace(SLIDE, within=Span(36, "h"))),
        "time of the sequence slide 14 d to 36 h",
        "序列 slide 的时限由 14 天 改为 36 小时",
    ),
    "measure.select": (
        measured(replace(SLIDE, select=(Selector("repayment.due"),))),
        "events of slide `repayment.due`, `x` to `repayment.due`",
        "slide 的事件由 `repayment.due`、`x` 改为 `repayment.due`",
    ),
    "measure.verb": (
        measured(replace(MISSED, verb="days_since")),
        "verb of missed count to days_since",
        "missed 的动词由 count 改为 days_since",
    ),
    "measure.what": (
        measured(replace(WORST, what="limit")),
        "field of worst used_share to limit",
        "worst 的字段由 used_share 改为 limit",
    ),
    "measure.of_borrower": (
        measured(replace(MISSED, of_borrower=True)),
        "events that missed reads its own to the borrower's",
        "missed 读取的事件由 自身的 改为 借款人的",
    ),
    "measure.across": (
        measured(replace(WORST, across="worst")),
        "across of worst none to worst",
        "worst 的 across 由 无 改为 worst",
    ),
}


def hashed(each: Rule) -> Rule:
    return replace(each, hash=rule_hash(each))


def test_every_field_that_the_hash_is_over_is_moved_here():
    decides = deciding(BASE)
    assert set(MOVES) == {*decides, *(f"measure.{name}" for name in decides["measure"]["missed"])}


@pytest.mark.parametrize("field", MOVES)
def test_a_deciding_field_that_moves_is_named_and_no_other_one(field):
    own, english, chinese = MOVES[field]
    moved = replace(BASE, **own)
    [change] = rule_changes(BASE, moved)
    assert field in (change.path[0], f"{change.path[0]}.{change.path[-1]}")
    assert (change_said(change, "en"), change_said(change, "zh")) == (english, chinese)
    assert rule_hash(moved) != rule_hash(BASE) and changed_words(BASE, moved) == ()
    [back] = rule_changes(moved, BASE)
    assert (back.path, back.before, back.after) == (change.path, change.after, change.before)


def test_what_is_no_longer_there_is_told_as_gone():
    with_more = replace(BASE, escalate={"high": when("missed >= 3")}, **measured(replace(WORST, name="paid")))
    said = [change_said(each, "en") for each in rule_changes(with_more, BASE)]
    assert said == [
        "measure paid gone: `{max: used_share, from: account.balance, over: 9d}`",
        "escalate high gone: `missed >= 3`",
    ]


@given(rules(), rules())
def test_rules_of_equal_hashes_have_no_deciding_change_and_rules_of_others_have_one(one, other):
    for before, after in ((one, other), (one, replace(one, title="other words", file="elsewhere.yaml"))):
        changes = rule_changes(before, after)
        assert (changes == ()) == (rule_hash(before) == rule_hash(after))
        for each in changes:
            assert all(change_said(each, lang) for lang in LANGUAGES)


OTHER_WORDS: dict[str, Any] = {
    **dict.fromkeys(("title", "owner", "why"), "other"),
    **dict.fromkeys(("guide", "false_alarms", "blind_spots", "refs"), ("other",)),
    "basis": {"when": "policy"},
    "tests": (Case("other", (), ()),),
}


@pytest.mark.parametrize("field", FIELDS_OF_WORDS)
def test_of_a_rule_of_which_only_words_changed_that_is_said(field):
    before, after = hashed(BASE), hashed(replace(BASE, **{field: OTHER_WORDS[field]}))
    [change] = shelf_changes(texted(before), texted(after))
    assert change.deciding == ()
    assert rule_said(change, "en") == f"late: only words changed: {field}"
    assert rule_said(change, "zh") == f"late：只改了文字：{field}"


def texted(*each: Rule) -> Texted:
    return Texted(Shelf(each, ""), {})


def test_where_a_case_stands_in_its_file_is_no_change():
    one, other = (replace(BASE, tests=(Case("case", (), (), line=line),)) for line in (3, 9))
    assert changed_words(one, other) == ()


def test_rules_that_are_new_or_gone_and_those_that_changed_are_told_by_name(tmp_path: Path):
    before = shelf(tmp_path / "a", gone=COUNTS_MISSES, kept=COUNTS_MISSES, moved=COUNTS_MISSES)
    after = shelf(
        tmp_path / "b",
        kept=COUNTS_MISSES,
        moved=COUNTS_MISSES | {"title": "Other words", "severity": "high", "status": "shadow"},
        new=COUNTS_MISSES | {"status": "shadow"},
    )
    said = [rule_said(each, "en") for each in changes_of(before, after)]
    assert said == [
        "gone: gone, was live",
        "moved: live to shadow; severity low to high; words changed: title",
        "new: new, shadow",
    ]
    assert "gone：已删去，原为 live" in [rule_said(each, "zh") for each in changes_of(before, after)]
    assert changes_of(before, before) == ()


def changes_of(before: Path, after: Path) -> Any:
    def of(folder: Path) -> Texted:
        loaded = load_shelf([folder], CATALOGUE)
        return Texted(loaded, {each.rule: all_texts(each) for each in loaded.rules})

    return shelf_changes(of(before), of(after))


def test_the_texts_beside_a_rule_are_words_too(tmp_path: Path):
    texts = "title: 甲\nwhy: 甲\nsay: '{missed}'\nguide: [甲]\nfalse_alarms: [甲]\nblind_spots: [甲]\n"
    before, after = (shelf(tmp_path / name, late=COUNTS_MISSES) for name in "ab")
    (before / "late.zh.yaml").write_text(texts, "utf-8")
    (after / "late.zh.yaml").write_text(texts.replace("title: 甲", "title: 乙"), "utf-8")
    assert [rule_said(each, "en") for each in changes_of(before, after)] == ["late: only words changed: texts in zh"]


def test_both_languages_have_every_text_with_the_same_slots():
    slots = {
        lang: {name: sorted(part.split("}")[0] for part in text.split("{")[1:]) for name, text in words.items()}
        for lang, words in WORDS.items()
    }
    assert slots["en"] == slots["zh"]
