"""The register: two persons behind every shelf, each entry chained to the one before, and versions that count on."""

from pathlib import Path

import pytest

from pipeline.shells.publishing.bundle import BundleError, bundle_hash, bundled, files_in
from pipeline.shells.publishing.register import (
    SHELVES,
    Person,
    RegisterError,
    entries,
    folder_of,
    in_force,
    whole_hash,
)
from pipeline.shells.publishing.steps import approve, propose, roll_back
from rules.faults import RuleError
from tests.arrival_logs import COUNTS_MISSES, shelf
from tests.registers import ANNA, AT, BEN, approved, proposed, read, rules


@pytest.fixture
def register(tmp_path: Path) -> Path:
    return tmp_path / "register"


def active(register: Path) -> str | None:
    found = in_force(entries(register))
    return None if found is None else found.entry.bundle


def test_a_proposal_decides_nothing_until_another_person_approves_it(register, tmp_path):
    bundle = proposed(register, rules(tmp_path / "rules"))
    assert active(register) is None
    with pytest.raises(RegisterError, match="expected another person than the author anna, got the same"):
        approve(register, bundle, ANNA, at=AT)
    with pytest.raises(RegisterError, match="the same"):  # a capital letter makes nobody else
        approve(register, bundle, Person(name="Anna", known_by="user"), at=AT)
    assert active(register) is None
    approve(register, bundle, BEN, at=AT)
    found = in_force(entries(register))
    assert found is not None
    assert (found.entry.bundle, found.author, found.approver) == (bundle, "anna", "ben")


def test_a_shelf_is_approved_once_for_each_proposal(register, tmp_path):
    bundle = approved(register, rules(tmp_path / "rules"))
    with pytest.raises(RegisterError, match="expected a shelf that waits for approval, got one approved as 2"):
        approve(register, bundle, BEN, at=AT)


def test_the_shelf_that_is_in_force_is_not_proposed_again(register, tmp_path):
    approved(register, rules(tmp_path / "rules"))
    with pytest.raises(RegisterError, match="expected a shelf that differs from the one in force, got the same"):
        proposed(register, tmp_path / "rules")


def test_a_proposal_that_was_compared_with_another_shelf_is_not_approved(register, tmp_path):
    first = proposed(register, rules(tmp_path / "a"))
    second = proposed(register, rules(tmp_path / "b", "high"))
    approve(register, first, BEN, at=AT)
    with pytest.raises(RegisterError, match="got another since; publish it again"):
        approve(register, second, BEN, at=AT)
    second = approved(register, tmp_path / "b")
    assert active(register) == second


def test_a_rollback_goes_to_what_two_persons_agreed_on_and_says_why(register, tmp_path):
    first = approved(register, rules(tmp_path / "a"))
    second = approved(register, rules(tmp_path / "b", "high"))
    third = proposed(register, rules(tmp_path / "c", "medium"))
    for bundle, why, sentence in (
        (third, "noisy", "expected a shelf that was approved once"),
        (second, "noisy", "expected another shelf than the one in force"),
        (first, " ", "why: expected the reason"),
    ):
        with pytest.raises(RegisterError, match=sentence):
            roll_back(register, bundle, BEN, at=AT, why=why)
    roll_back(register, first[:8], BEN, at=AT, why="noisy")
    assert active(register) == first
    approved(register, tmp_path / "b")  # forward again, by two persons
    assert active(register) == second


def test_a_proposal_that_nobody_approved_is_not_among_those_behind_a_rollback(register, tmp_path):
    first = approved(register, rules(tmp_path / "a"))
    approved(register, rules(tmp_path / "b", title="In other words"))
    files = files_in(folder_of(register, first))
    assert propose(register, files, BEN, read, at=AT, evidence={}).bundle == first
    roll_back(register, first, BEN, at=AT, why="noisy")
    found = in_force(entries(register))
    assert found is not None
    assert (found.author, found.approver) == ("anna", "ben")


def test_equal_files_have_one_hash_and_any_change_another(tmp_path):
    a, b = rules(tmp_path / "a"), rules(tmp_path / "b")
    assert bundle_hash(bundled([a])) == bundle_hash(bundled([b]))
    text = (b / "misses.yaml").read_text()
    (b / "misses.yaml").write_text(text + "# a word\n")
    assert bundle_hash(bundled([a])) != bundle_hash(bundled([b]))


def test_versions_count_on_from_the_shelf_in_force(register, tmp_path):
    def versions(bundle: str) -> str:
        return files_in(folder_of(register, bundle))["shelf.lock"].splitlines()[1]

    first = approved(register, rules(tmp_path / "a"))
    assert "version: 1" in versions(first)
    second = approved(register, rules(tmp_path / "b", "high"))
    assert "version: 2" in versions(second)
    (tmp_path / "b" / "misses.yaml").write_text((tmp_path / "b" / "misses.yaml").read_text().replace("A rule", "One"))
    third = approved(register, tmp_path / "b")  # only words
    assert third != second
    assert "version: 2" in versions(third)
    assert "version: 3" in versions(approved(register, tmp_path / "a"))


def test_a_version_is_never_given_to_another_rule(register, tmp_path):
    def version(bundle: str) -> str:
        return files_in(folder_of(register, bundle))["shelf.lock"].splitlines()[1].split(",")[0]

    first = approved(register, rules(tmp_path / "a"))
    second = approved(register, rules(tmp_path / "b", "high"))
    roll_back(register, first, BEN, at=AT, why="noisy")
    third = approved(register, rules(tmp_path / "c", "medium"))
    assert [version(each) for each in (first, second, third)] == [f"misses: {{version: {n}" for n in (1, 2, 3)]
    roll_back(register, first, BEN, at=AT, why="noisy")
    (tmp_path / "a" / "misses.yaml").write_text((tmp_path / "a" / "misses.yaml").read_text().replace("A rule", "One"))
    assert version(approved(register, tmp_path / "a")) == "misses: {version: 1"  # only words
    without = approved(register, shelf(tmp_path / "d", others=COUNTS_MISSES))
    assert version(without) == "misses: {version: 3"  # gone, and not forgotten
    assert version(approved(register, tmp_path / "b")) == "misses: {version: 4"


def test_a_lock_cannot_name_a_version_that_no_record_holds(register, tmp_path):
    files = bundled([rules(tmp_path / "a")]) | {"shelf.lock": f"misses: {{version: {1 << 64}, hash: '{'0' * 64}'}}\n"}
    with pytest.raises(RuleError, match=r"shelf\.lock:1:\d+ misses.version: expected"):
        propose(register, files, ANNA, read, at=AT, evidence={})


@pytest.mark.parametrize(
    "name", ["../x.yaml", "rules/../../x.yaml", "/rules/x.yaml", "rules/x.py", "x.yaml", "rules//x.yaml", "rules/.."]
)
def test_no_name_of_a_bundle_leads_elsewhere(register, tmp_path, name):
    files = bundled([rules(tmp_path / "rules")]) | {name: "rule: x"}
    with pytest.raises(BundleError, match="expected names such as rules/pack/rule"):
        propose(register, files, ANNA, read, at=AT, evidence={})
    assert entries(register) == []


def test_rules_with_a_fault_are_not_stored(register, tmp_path):
    folder = rules(tmp_path / "rules")
    (folder / "misses.yaml").write_text((folder / "misses.yaml").read_text().replace("low", "lwo"))
    with pytest.raises(RuleError, match=r"^rules/misses\.yaml:\d+:\d+ severity: expected low"):
        proposed(register, folder)
    assert entries(register) == []
    assert list((register / SHELVES).iterdir()) == []


def test_a_hash_is_named_by_its_beginning_where_that_is_enough(register, tmp_path):
    bundle = proposed(register, rules(tmp_path / "rules"))
    found = entries(register)
    assert whole_hash(found, bundle[:8].upper()) == bundle
    for text in (bundle[:7], "0" * 8, ""):
        with pytest.raises(RegisterError, match="expected the hash of a proposed shelf"):
            whole_hash(found, text)
