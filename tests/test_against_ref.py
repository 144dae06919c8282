"""The rules that `--against REF` names: a folder, a published hash, a git revision of the rule folder."""

import subprocess
from pathlib import Path

import pytest

from pipeline.events import CATALOGUE
from pipeline.shells.against.published import published_in
from pipeline.shells.against.ref import RefError, rules_at
from pipeline.shells.publishing.register import Entry, entries
from pipeline.shells.publishing.shelves import REGISTER
from rules.changes import Texted
from rules.loader import load_shelf
from tests.arrival_logs import COUNTS_MISSES, shelf
from tests.registers import proposed, published


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.org", "-c", "commit.gpgsign=false")
    ran = subprocess.run(["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "rules", "--allow-empty")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Rules in a folder of a repository: nothing, then one rule, then two."""
    found = tmp_path / "bank"
    found.mkdir()
    git(found, "init", "-q", "-b", "main")
    (found / "README").write_text("rules of a bank")
    commit(found)
    folder = shelf(found / "risk" / "rules", late=COUNTS_MISSES)
    (folder / "late.zh.yaml").write_text(
        "title: 甲\nwhy: 甲\nsay: '{missed}'\nguide: [甲]\nfalse_alarms: [甲]\nblind_spots: [甲]\n", "utf-8"
    )
    commit(found)
    shelf(found / "risk" / "rules", late=COUNTS_MISSES | {"severity": "high"}, more=COUNTS_MISSES)
    commit(found)
    return found


def names(found: Texted) -> list[str]:
    return [f"{rule.rule} {rule.severity}" for rule in found.shelf.rules]


def refused(ref: str | Path, folder: Path) -> str:
    with pytest.raises(RefError) as raised:
        rules_at(str(ref), [folder])
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_folder_is_read_as_it_stands(tmp_path):
    other = shelf(tmp_path / "other", late=COUNTS_MISSES)
    found = rules_at(str(other), [tmp_path / "unused"])
    assert (found.kind, names(found.rules)) == ("folder", ["late low"])


def test_a_revision_is_the_folder_as_it_was_with_the_texts_beside_its_rules(repository, tmp_path):
    folder = repository / "risk" / "rules"
    (folder / "more.yaml").unlink()  # What stands now is not looked at.
    before = {path: path.read_bytes() for path in folder.rglob("*.yaml")}
    for ref, expected in (("HEAD~1", ["late low"]), ("main", ["late high", "more low"])):
        found = rules_at(ref, [folder])
        assert (found.kind, names(found.rules)) == ("revision", expected)
        assert set(found.rules.texts["late"]) == {"zh"}
    assert {path: path.read_bytes() for path in folder.rglob("*.yaml")} == before
    assert git(repository, "status", "--porcelain") == "D risk/rules/more.yaml"


def test_a_revision_may_be_of_one_file_or_of_the_top_folder(repository, tmp_path):
    folder = repository / "risk" / "rules"
    assert names(rules_at("HEAD", [folder / "more.yaml"]).rules) == ["more low"]
    assert names(rules_at("HEAD", [repository]).rules) == ["late high", "more low"]


def test_several_folders_are_all_taken_from_the_revision(repository):
    other = shelf(repository / "other", third=COUNTS_MISSES)
    commit(repository)
    assert names(rules_at("HEAD", [repository / "risk" / "rules", other]).rules) == [
        *("late high", "more low", "third low")
    ]


def test_a_folder_goes_before_a_published_hash_and_that_before_a_revision(repository, tmp_path, monkeypatch):
    folder = repository / "risk" / "rules"
    prefix = git(repository, "rev-parse", "HEAD~1")[:8]
    published = Texted(load_shelf([shelf(tmp_path / "published", out=COUNTS_MISSES)], CATALOGUE), {})
    asked: list[str] = []

    def look_up(prefix: str) -> Texted | None:
        asked.append(prefix)
        return published

    monkeypatch.chdir(tmp_path)
    assert rules_at(prefix, [folder]).kind == "revision"
    assert rules_at(prefix, [folder], look_up).rules is published
    shelf(tmp_path / prefix, here=COUNTS_MISSES)
    assert rules_at(prefix, [folder], look_up).kind == "folder"
    # What is no prefix of at least eight hex digits is not asked for.
    assert rules_at("HEAD", [folder], look_up).kind == rules_at(prefix[:7], [folder], look_up).kind == "revision"
    assert asked == [prefix]


def test_a_hook_of_another_repository_changes_nothing(repository, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert rules_at("HEAD", [repository / "risk" / "rules"]).kind == "revision"


# -- what cannot be used ------------------------------------------------------------


def test_a_name_that_is_nothing_is_one_sentence(repository):
    folder = repository / "risk" / "rules"
    for ref, is_what in {
        "nobody": "which is none of them",
        "--help": "which is none of them",
        "": "which is none of them",
        "HEAD~9": "which is none of them",
        "deadbeef": "of which no published rules and no revision are known",
    }.items():
        assert refused(ref, folder) == (
            f"--against: expected a folder of rules, a published hash or a git revision, got {ref!r}, {is_what}; "
            "check the name"
        )


def test_a_folder_that_git_does_not_keep_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    folder = shelf(tmp_path / "rules", late=COUNTS_MISSES)
    said = refused("HEAD", folder)
    assert said.startswith(f"--against HEAD: expected rules in a folder that git keeps, got {folder} (fatal: not a git")
    assert said.endswith("; name a folder in place of the revision")


def test_a_machine_without_git_is_one_sentence(repository, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    said = refused("HEAD", repository / "risk" / "rules")
    assert "(git is not installed)" in said


def test_a_revision_without_the_folder_is_one_sentence(repository):
    said = refused("HEAD~2", repository / "risk" / "rules")
    assert said.startswith("--against HEAD~2: expected a revision with the folder risk/rules, got one without it or")
    assert said.endswith("; name another revision")


def test_a_file_is_one_sentence(repository):
    file = repository / "risk" / "rules" / "late.yaml"
    assert refused(file, file.parent) == (
        f"--against: expected a folder of rules, got the file {file}; name the folder that holds it"
    )


@pytest.mark.parametrize("kind", ["folder", "revision"])
def test_rules_that_do_not_load_are_one_sentence_with_the_first_fault_and_the_place_that_people_know(repository, kind):
    folder = shelf(repository / "risk" / "rules", late=COUNTS_MISSES | {"when": "misssed >= 1", "quiet": "soon"})
    commit(repository)
    said = refused(folder if kind == "folder" else "HEAD", folder)
    ref = folder if kind == "folder" else "HEAD"
    assert said.startswith(f"--against {ref}: expected rules that load, got 2 faults, first {folder}/late.yaml:1:")


# -- published rules ----------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two shelves in the register of a data directory: one that was approved, then one that is proposed."""
    found = tmp_path / "data"
    published(found, shelf(tmp_path / "first", late=COUNTS_MISSES))
    proposed(found / REGISTER, shelf(tmp_path / "second", late=COUNTS_MISSES | {"severity": "high"}))
    return found


def bundles(data: Path) -> list[Entry]:
    """The first step of each."""
    return [each.entry for each in entries(data / REGISTER) if each.entry.step == "proposed"]


def test_published_and_proposed_rules_are_found_by_the_hash_of_their_bundle_or_of_what_decides(data, tmp_path):
    look_up = published_in(data / REGISTER)
    for entry, severity in zip(bundles(data), ("low", "high"), strict=True):
        for ref in (entry.bundle, entry.bundle[:8], entry.shelf, entry.shelf[:10]):
            found = rules_at(ref, [tmp_path], look_up)
            assert (found.kind, names(found.rules)) == ("published", [f"late {severity}"])
            assert found.rules.shelf.hash == entry.shelf


def test_a_hash_that_no_published_rules_have_is_no_published_one(data, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(RefError, match="got one of which no published rules are known"):
        rules_at("00000000", [tmp_path], published_in(data / REGISTER))


def test_a_register_that_was_changed_is_one_sentence(data, tmp_path):
    [first, _] = bundles(data)
    (data / REGISTER / "shelves" / first.bundle / "rules" / "late.yaml").write_text("rule: late\n")
    with pytest.raises(RefError, match="expected the shelf with this hash, got a changed one") as raised:
        rules_at(first.bundle, [tmp_path], published_in(data / REGISTER))
    assert str(raised.value).startswith(f"--against: {data / REGISTER}")
