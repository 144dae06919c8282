"""The laws of the shelf: names, queues, references, texts and the lock agree over all rules."""

import hashlib
import shutil
from pathlib import Path

import pytest

from config.settings import load as load_settings
from pipeline.events import CATALOGUE
from rules.faults import RuleError
from rules.laws import check, examine
from rules.loader import load_rule, load_shelf
from rules.packs import off_beside
from rules.sidecars import load_texts
from rules.versions import update_lock

RULES = Path(__file__).parent.parent / "rules"
SHELF = RULES / "shelf"
LOCK = RULES / "shelf.lock"
SAMPLES = SHELF / "samples"
MISSED = "second-missed-instalment"


@pytest.fixture
def shelf(tmp_path):
    """A copy of the samples that a test may change."""
    return Path(shutil.copytree(SAMPLES, tmp_path / "shelf"))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) == 1, (old, text.count(old))
    path.write_text(text.replace(old, new), "utf-8")


def copy(shelf: Path, name: str, to: str) -> Path:
    path = shelf / f"{to}.yaml"
    path.write_text((shelf / f"{name}.yaml").read_text("utf-8").replace(f"rule: {name}", f"rule: {to}"), "utf-8")
    return path


def broken(shelf: Path, lock: Path | None = None, queues: set[str] | None = None) -> list[str]:
    return [str(fault).replace(f"{shelf}/", "") for fault in check([shelf], CATALOGUE, lock, queues)]


def test_the_shipped_shelf_keeps_every_law():
    settings = load_settings(None)
    off = off_beside(settings.packs, settings.packs)
    assert examine([SHELF], CATALOGUE, LOCK, set(settings.queues), off).faults == ()


def test_rules_are_sorted_by_name_over_all_packs():
    names = [rule.rule for rule in load_shelf([SHELF], CATALOGUE, LOCK).rules]
    assert names == sorted(names)
    assert MISSED in names


def test_the_hash_of_the_shelf_is_over_sorted_names_and_hashes():
    shelf = load_shelf([SAMPLES], CATALOGUE)
    lines = "".join(f"{rule.rule} {rule.hash}\n" for rule in sorted(shelf.rules, key=lambda rule: rule.rule))
    assert shelf.hash == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("owner: early-collections", "owner: late-collections"),
        ("title: A second instalment missed soon after the first", "title: Missed again"),
        ("why: >", "why: >\n  Truly."),
        ("basis: {when: policy, escalate: policy}", "basis: {when: contract}"),
        ("refs: [sama-a1:individuals.early-arrears, ", "refs: ["),
        ("  - Ask what changed", "  - Ask them what changed"),
        ("when: missed >= 2 and overdue >= 5", "when: (missed >= 2.0) and\n  overdue >= 5"),
        ("over: 60d}", "over: 60d}   # sixty"),
        ("for: 3d  ", "for: '3d'"),
    ],
)
def test_a_change_of_words_or_spelling_is_no_change_of_the_rule(shelf, old, new):
    path = shelf / f"{MISSED}.yaml"
    before = load_rule(path, CATALOGUE)
    change(path, old, new)
    after = load_rule(path, CATALOGUE)
    assert (after.hash, after.shape) == (before.hash, before.shape)


@pytest.mark.parametrize(
    ("old", "new", "closes_episodes"),
    [
        ("when: missed >= 2", "when: missed > 2", False),
        ("for: 3d  ", "for: 2d  ", False),
        ("escalate: {critical: missed >= 3}", "escalate: {critical: missed >= 3 or overdue >= 90}", False),
        ("escalate: {critical: missed >= 3}", "escalate: {critical: missed >= 4}", False),
        ('days past due"\nquiet', 'days late"\nquiet', False),
        ("quiet: 14d", "quiet: 2w\ninhibited_by: [other]", False),
        ("action: call, due_in: 2d", "action: call, due_in: 1d", False),
        ("since: 2025-03-01", "since: 2025-03-02", False),
        ("over: 60d", "over: 59d", True),
        ("count: repayment.missed, over", "count: repayment.missed where instalment >= 2, over", True),
        ("status: live  ", "status: draft  ", True),
    ],
)
def test_a_change_of_what_decides_is_a_change_of_the_rule(shelf, old, new, closes_episodes):
    path = shelf / f"{MISSED}.yaml"
    before = load_rule(path, CATALOGUE)
    change(path, old, new)
    if "days late" in new:
        path.write_text(path.read_text("utf-8").replace("now 8 days past due", "now 8 days late"), "utf-8")
    after = load_rule(path, CATALOGUE)
    assert after.hash != before.hash
    assert (after.shape != before.shape) is closes_episodes


def test_the_lock_counts_a_change_once(shelf, tmp_path):
    lock = tmp_path / "shelf.lock"
    assert load_shelf([shelf], CATALOGUE, lock).rules[0].version == 1
    update_lock(lock, load_shelf([shelf], CATALOGUE, lock))
    assert broken(shelf, lock) == []
    change(shelf / f"{MISSED}.yaml", "over: 60d", "over: 59d")
    assert broken(shelf, lock) == [
        f"{MISSED}.yaml:1:1 file: changed since version 1; write shelf.lock anew, it becomes 2"
    ]
    update_lock(lock, load_shelf([shelf], CATALOGUE, lock))
    update_lock(lock, load_shelf([shelf], CATALOGUE, lock))
    versions = {rule.rule: rule.version for rule in load_shelf([shelf], CATALOGUE, lock).rules}
    assert versions == {"cash-advance-slide": 1, "salary-fell-while-card-is-full": 1, MISSED: 2}


def test_without_a_lock_every_version_is_one(shelf):
    assert {rule.version for rule in load_shelf([shelf], CATALOGUE).rules} == {1}


def test_a_deleted_rule_is_missed_by_the_lock(shelf, tmp_path):
    lock = tmp_path / "shelf.lock"
    update_lock(lock, load_shelf([shelf], CATALOGUE))
    (shelf / "cash-advance-slide.yaml").unlink()
    (shelf / "cash-advance-slide.zh.yaml").unlink()
    update_lock(lock, load_shelf([shelf], CATALOGUE, lock))
    assert [fault.message for fault in check([shelf], CATALOGUE, lock, None)] == [
        "its file is gone; a rule is retired, not deleted"
    ]


def test_a_broken_lock_is_a_fault_with_its_place(shelf, tmp_path):
    lock = tmp_path / "shelf.lock"
    lock.write_text("late: {version: one, hash: abc}\n", "utf-8")
    with pytest.raises(RuleError, match=r"shelf\.lock:1:8 late.version: expected a whole number, got 'one'"):
        load_shelf([shelf], CATALOGUE, lock)


def test_two_rules_of_one_name_are_refused(shelf):
    (shelf / "pack").mkdir()
    shutil.copy(shelf / f"{MISSED}.yaml", shelf / "pack" / f"{MISSED}.yaml")
    expected = [f"{MISSED}.yaml:1:1 rule: '{MISSED}' is also in pack/{MISSED}.yaml; rename one"]
    assert broken(shelf) == expected
    with pytest.raises(RuleError):
        load_shelf([shelf], CATALOGUE)


def test_rules_that_mute_each_other_in_a_circle_are_refused(shelf):
    for n, (name, inhibitor) in enumerate((("a", "b"), ("b", "c"), ("c", "a"))):
        change(copy(shelf, MISSED, name), "quiet: 14d", f"inhibited_by: [{inhibitor}]\nquiet: 14d")
        change(shelf / f"{name}.yaml", "over: 60d", f"over: {50 + n}d")
    expected = ["a.yaml:23:1 inhibited_by: rules mute each other in a circle: a <- b <- c <- a; take one of them out"]
    assert broken(shelf) == expected
    with pytest.raises(RuleError):
        load_shelf([shelf], CATALOGUE)


def test_a_chain_of_inhibitors_is_no_circle(shelf):
    for n, (name, inhibitors) in enumerate((("a", "b, c"), ("b", "c"), ("c", MISSED))):
        change(copy(shelf, MISSED, name), "quiet: 14d", f"inhibited_by: [{inhibitors}]\nquiet: 14d")
        change(shelf / f"{name}.yaml", "over: 60d", f"over: {50 + n}d")
    assert broken(shelf) == []


def test_an_inhibitor_that_does_not_exist_is_a_broken_law_but_can_be_run(shelf):
    change(shelf / f"{MISSED}.yaml", "quiet: 14d", "inhibited_by: [cash-advance-slid]\nquiet: 14d")
    assert broken(shelf) == [
        f"{MISSED}.yaml:23:16 inhibited_by[0]: no rule named 'cash-advance-slid'; did you mean 'cash-advance-slide'?"
    ]
    assert len(load_shelf([shelf], CATALOGUE).rules) == 3


def test_a_challenger_stands_beside_its_rule(shelf):
    path = copy(shelf, MISSED, f"{MISSED}.next")
    with pytest.raises(RuleError, match=f"a challenger names its rule: expected 'challenges: {MISSED}', got nothing"):
        load_rule(path, CATALOGUE)
    change(path, f"rule: {MISSED}.next", f"rule: {MISSED}.next\nchallenges: {MISSED}")
    assert load_rule(path, CATALOGUE).challenges == MISSED
    change(path, "status: live", "status: draft")
    assert broken(shelf) == []
    (shelf / f"{MISSED}.yaml").unlink()
    (shelf / f"{MISSED}.zh.yaml").unlink()
    assert broken(shelf) == [
        f"{MISSED}.next.yaml:2:1 challenges: no rule named '{MISSED}'; a challenger stands beside its rule"
    ]


def test_a_queue_that_does_not_exist_is_a_broken_law(shelf):
    assert broken(shelf, queues={"early-collections", "cares"}) == [
        "salary-fell-while-card-is-full.yaml:24:8 task.queue: no queue named 'care'; did you mean 'cares'?"
    ]


def test_a_live_rule_has_a_case_that_alerts_and_one_that_stays_quiet(shelf):
    path = shelf / "cash-advance-slide.yaml"
    text = path.read_text("utf-8")
    quiet = text[text.index("  - name: same steps") :]
    path.write_text(text.replace(quiet, ""), "utf-8")
    assert broken(shelf) == [
        "cash-advance-slide.yaml:37:1 tests: expected a case that expects nothing, got only alerts; add one just below"
    ]
    path.write_text(text[: text.index("  - name: three")] + quiet, "utf-8")
    assert broken(shelf) == [
        "cash-advance-slide.yaml:37:1 tests: expected a case that alerts, got only quiet ones; add one"
    ]


def test_a_rule_in_shadow_may_still_lack_cases(shelf):
    path = shelf / "salary-fell-while-card-is-full.yaml"
    text = path.read_text("utf-8")
    path.write_text(text[: text.index("  - name: exactly three")], "utf-8")
    assert broken(shelf) == []


def test_texts_in_the_second_language_are_read(shelf):
    rule = load_rule(shelf / f"{MISSED}.yaml", CATALOGUE)
    texts = load_texts(rule, "zh")
    assert texts.title == "首次逾期后不久又漏还一期"
    assert load_texts(rule, "fr") is None


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "{missed.over}内漏还 {missed} 期",
            "{misssed} 期 {missed.over}",
            "no measure named 'misssed' to show; did you mean 'missed'?",
        ),
        ("{missed.over}内漏还", "60 天内漏还", "the number 60 is written by hand; use a slot such as {missed.over}"),
        ("{missed.over}内漏还", "漏还", "{missed.over} is missing; the rule's say has it"),
        ("目前逾期", "{overdue}", None),
    ],
)  # fmt: skip
def test_slots_of_the_second_language_are_those_of_the_rule(shelf, old, new, sentence):
    change(shelf / f"{MISSED}.zh.yaml", old, new)
    assert broken(shelf) == ([] if sentence is None else [f"{MISSED}.zh.yaml:4:1 say: {sentence}"])


def test_texts_without_a_rule_are_a_broken_law(shelf):
    shutil.copy(shelf / f"{MISSED}.zh.yaml", shelf / "third-missed-instalment.zh.yaml")
    assert broken(shelf) == [
        "third-missed-instalment.zh.yaml:1:1 file: no rule named 'third-missed-instalment' for these texts; "
        f"did you mean '{MISSED}'?"
    ]


def test_every_fault_of_every_file_comes_at_once(shelf):
    change(shelf / f"{MISSED}.yaml", "when: missed >= 2", "when: misssed >= 2")
    change(shelf / "cash-advance-slide.yaml", "severity: high", "severity: hihg")
    with pytest.raises(RuleError) as caught:
        load_shelf([shelf], CATALOGUE)
    assert [(Path(fault.file).name, fault.line) for fault in caught.value.faults] == [
        ("cash-advance-slide.yaml", 23),
        (f"{MISSED}.yaml", 17),
    ]


@pytest.mark.parametrize("missing", ["empty", "gone"])
def test_a_folder_without_rules_is_refused(tmp_path, missing):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RuleError, match="expected a folder of rules, got no "):
        load_shelf([tmp_path / missing], CATALOGUE)


def test_a_file_that_yaml_tools_would_call_yml_is_not_passed_over(shelf):
    (shelf / f"{MISSED}.yaml").rename(shelf / f"{MISSED}.yml")
    with pytest.raises(RuleError, match=r"expected a name that ends in \.yaml, got \.yml; rename it"):
        load_shelf([shelf], CATALOGUE)
