"""What somebody changed in a register or wrote into it by hand is noticed; two who write at once lose nothing."""

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from config.settings import load
from pipeline.shells.publishing.register import (
    LOG,
    SHELVES,
    RegisterError,
    entries,
    folder_of,
)
from pipeline.shells.publishing.shelves import Shelves, Unloadable
from pipeline.shells.publishing.steps import approve, refuse_forged, roll_back
from pipeline.shells.terms import terms_of
from tests.registers import AT, BEN, approved, proposed, read, rules


@pytest.fixture
def register(tmp_path: Path) -> Path:
    return tmp_path / "register"


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_changed_entry_breaks_the_chain(register, tmp_path, n):
    first = approved(register, rules(tmp_path / "a"))
    approved(register, rules(tmp_path / "b", "high"))
    roll_back(register, first, BEN, at=AT, why="noisy")
    file = register / LOG / f"{n:05d}.json"
    file.write_text(file.read_text().replace(AT, "2025-03-05T11:00:00+08:00"))
    with pytest.raises(RegisterError, match=rf"{n + 1:05d}.json: expected entry {n + 1} after the one before it"):
        entries(register)


def test_an_entry_that_is_gone_or_is_none_breaks_the_chain(register, tmp_path):
    approved(register, rules(tmp_path / "a"))
    file = register / LOG / "00001.json"
    whole = file.read_bytes()
    file.write_bytes(b"{}")
    with pytest.raises(RegisterError, match="expected an entry, got something else"):
        entries(register)
    file.unlink()
    with pytest.raises(RegisterError, match=r"00002\.json: expected entry 1"):
        entries(register)
    file.write_bytes(whole)
    assert len(entries(register)) == 2


def test_a_shelf_whose_bytes_changed_is_neither_approved_nor_loaded(register, tmp_path):
    bundle = proposed(register, rules(tmp_path / "rules"))
    file = folder_of(register, bundle) / "rules" / "misses.yaml"
    whole = file.read_text()
    file.write_text(whole.replace("severity: low", "severity: high").replace('"low"', '"high"'))
    with pytest.raises(RegisterError, match="expected the shelf with this hash, got a changed one"):
        approve(register, bundle, BEN, at=AT)
    file.write_text(whole)
    shelves = Shelves(register, terms_of(load()))
    with pytest.raises(Unloadable, match="expected a shelf that two persons agreed on"):
        shelves.compiled(bundle)
    approve(register, bundle, BEN, at=AT)
    assert list(shelves.compiled(bundle).rules) == ["misses"]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/null")], ids=["pipe", "link"])
def test_what_is_no_file_of_its_own_is_no_part_of_a_shelf(register, tmp_path, make):
    """A hash cannot be over it, and a rule could come out of it."""
    bundle = approved(register, rules(tmp_path / "a"))
    make(register / SHELVES / bundle / "rules" / "more.yaml")
    with pytest.raises(RegisterError, match="expected the shelf with this hash, got a changed one"):
        folder_of(register, bundle)


def test_a_bundle_is_on_the_disk_with_every_folder_that_leads_to_it(register, tmp_path, monkeypatch):
    synced: set[int] = set()
    real = os.fsync

    def noted(opened: int) -> None:
        synced.add(os.fstat(opened).st_ino)
        real(opened)

    monkeypatch.setattr(os, "fsync", noted)
    rules(tmp_path / "a" / "pack")
    bundle = proposed(register, tmp_path / "a")
    folder = register / SHELVES / bundle
    assert (folder / "rules" / "pack" / "misses.yaml").is_file()
    for path in (register, register / SHELVES, register / LOG, folder, *folder.rglob("*")):
        assert path.stat().st_ino in synced, path


def test_two_who_write_at_once_do_not_both_write_the_same_entry(register, tmp_path, monkeypatch):
    first = proposed(register, rules(tmp_path / "a"))
    real = os.link

    def slower(draft: Path, file: Path) -> None:
        monkeypatch.setattr(os, "link", real)
        approve(register, first, BEN, at=AT)
        real(draft, file)

    monkeypatch.setattr(os, "link", slower)
    with pytest.raises(RegisterError, match="entry 2: expected none yet, got one of somebody else just now; try again"):
        proposed(register, rules(tmp_path / "b", "high"))
    assert [each.entry.step for each in entries(register)] == ["proposed", "approved"]
    assert [path.name for path in (register / LOG).iterdir() if path.name.startswith(".")] == []


def by_hand(register: Path, n: int, **fields: object) -> None:
    """An entry as whoever may write into the log can write it without any command, chained as it should be."""
    before = register / LOG / f"{n - 1:05d}.json"
    entry = json.loads(before.read_text()) | {"n": n, "previous": sha256(before.read_bytes()).hexdigest()}
    (register / LOG / f"{n:05d}.json").write_text(json.dumps(entry | fields))


@pytest.mark.parametrize(
    ("fields", "got"),
    [
        ({"step": "approved"}, "approved by anna"),
        ({"step": "approved", "by": {"name": "ANNA", "known_by": "user"}}, "approved by ANNA"),
        ({"step": "approved", "by": {"name": "ben", "known_by": "user"}, "bundle": "0" * 64}, "approved by ben"),
        ({"step": "approved", "by": {"name": "ben", "known_by": "user"}, "base": "0" * 64}, "approved by ben"),
        ({"step": "rolled_back", "by": {"name": "ben", "known_by": "user"}}, "rolled_back by ben"),
    ],
    ids=[
        "by its author",
        "by its author under another case",
        "without a proposal",
        "of another base",
        "never approved",
    ],
)
def test_a_step_that_no_command_would_take_is_not_followed(register, tmp_path, fields, got):
    proposed(register, rules(tmp_path / "a"))
    by_hand(register, 2, **fields)
    with pytest.raises(RegisterError, match=rf"00002\.json: expected a step that may follow .*, got {got}"):
        entries(register)


def test_an_approval_does_not_serve_twice(register, tmp_path):
    approved(register, rules(tmp_path / "a"))
    second = approved(register, rules(tmp_path / "b", "high"))
    by_hand(register, 5, base=second)
    with pytest.raises(RegisterError, match=r"00005\.json: expected a step that may follow .*, got approved by ben"):
        entries(register)


@pytest.mark.skipif(os.geteuid() != 0, reason="expected root, who alone can give files away, got another user")
def test_a_step_that_another_user_wrote_is_not_followed(register, tmp_path):
    bundle = approved(register, rules(tmp_path / "a"))
    refuse_forged(register, entries(register), bundle)
    os.chown(register / LOG / "00002.json", 65534, 65534)
    with pytest.raises(RegisterError, match=r"entry 2: expected a file of root, as ben is known by key, got one of"):
        refuse_forged(register, entries(register), bundle)


def test_an_entry_is_json_that_anybody_can_read(register, tmp_path):
    bundle = proposed(register, rules(tmp_path / "a"))
    entry = json.loads((register / LOG / "00001.json").read_text())
    assert entry == {
        "n": 1,
        "at": AT,
        "step": "proposed",
        "bundle": bundle,
        "shelf": read(tmp_path / "a").hash,
        "by": {"name": "anna", "known_by": "key"},
        "base": None,
        "why": "",
        "evidence": {},
        "previous": "",
    }
