"""The steps of a shelf into force: proposed by one person, approved by another, rolled back to.

RegisterError     a step that is not allowed
"""

import os
import pwd
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Any

from pipeline.shells.lasting import fsync_folder, make_folder
from pipeline.shells.publishing.bundle import (
    LOCK,
    RULES,
    Files,
    bundle_hash,
    files_in,
    refuse_others,
    write,
)
from pipeline.shells.publishing.register import (
    LOG,
    SHELVES,
    Entry,
    Person,
    RegisterError,
    Step,
    Written,
    agreed,
    entries,
    folder_of,
    in_force,
    is_same,
    last_step,
    name_of,
    whole_hash,
)
from rules.faults import RuleError
from rules.rule import Rule, Shelf
from rules.versions import Locked, lock_text, locked_in, version_of

Locks = dict[str, Locked]  # rule -> its version and hash
Read = Callable[[Path], Shelf]  # the rules of a folder; RuleError where they have faults


def propose(
    register: Path, files: Files, by: Person, read: Read, *, at: str, evidence: dict[str, Any], why: str = ""
) -> Entry:
    """Store a bundle and note who proposes it; the versions of its rules go on from those in force."""
    refuse_others(files)
    found = entries(register)
    base = in_force(found)
    bundle, shelf = _stored(register, files, found, read)
    if base is not None and base.entry.bundle == bundle:
        raise RegisterError(f"{bundle[:12]}: expected a shelf that differs from the one in force, got the same")
    return _append(register, found, "proposed", bundle, shelf, by, at=at, evidence=evidence, why=why)


def approve(register: Path, text: str, by: Person, *, at: str) -> Entry:
    """Put a proposed bundle in force, by another person than proposed it."""
    found = entries(register)
    bundle = whole_hash(found, text)
    proposal, base = last_step(found, bundle, "proposed"), in_force(found)
    assert proposal is not None
    entry, author = proposal.entry, proposal.entry.by
    ended = last_step(found[entry.n :], bundle, "approved")
    if ended is not None:
        raise RegisterError(
            f"{bundle[:12]}: expected a shelf that waits for approval, got one approved as {ended.entry.n}"
        )
    if is_same(author, by):
        raise RegisterError(f"approver: expected another person than the author {author.name}, got the same; ask one")
    _refuse_forged(register, proposal)
    if entry.base != (None if base is None else base.entry.bundle):
        raise RegisterError(
            f"{bundle[:12]}: expected the shelf in force to be the one it was compared with, "
            f"got another since; publish it again"
        )
    folder_of(register, bundle)
    return _append(register, found, "approved", bundle, entry.shelf, by, at=at)


def roll_back(register: Path, text: str, by: Person, *, at: str, why: str) -> Entry:
    """Put a bundle in force again that was approved before: one person may do so, and says why."""
    found = entries(register)
    bundle, base = whole_hash(found, text), in_force(found)
    if not why.strip():
        raise RegisterError("why: expected the reason of the rollback, got nothing; give one")
    approval = last_step(found, bundle, "approved")
    if approval is None:
        raise RegisterError(f"{bundle[:12]}: expected a shelf that was approved once, got one that was not; approve it")
    if base is not None and base.entry.bundle == bundle:
        raise RegisterError(f"{bundle[:12]}: expected another shelf than the one in force, got that one")
    folder_of(register, bundle)
    return _append(register, found, "rolled_back", bundle, approval.entry.shelf, by, at=at, why=why.strip())


def refuse_forged(register: Path, found: Sequence[Written], bundle: str) -> None:
    """RegisterError where a step into force of a bundle was not written by whoever it names.

    What is known by a key was written by the engine, whose user the log belongs to; else a file belongs to its person.
    Who may write as another user, as root may, can forge both.
    """
    rollback = last_step(found, bundle, "rolled_back")
    for each in (*agreed(found, bundle), *([] if rollback is None else [rollback])):
        _refuse_forged(register, each)


def _refuse_forged(register: Path, written: Written) -> None:
    by, owner = written.entry.by, _user(written.owner)
    wanted = by.name if by.known_by == "user" else _user((register / LOG).stat().st_uid)
    if owner != wanted:
        raise RegisterError(
            f"entry {written.entry.n}: expected a file of {wanted}, as {by.name} is known by {by.known_by}, "
            f"got one of {owner}; ask them, and take it out if they did not write it"
        )


def _stored(register: Path, files: Files, found: Sequence[Written], read: Read) -> tuple[str, str]:
    """The bundle of some files, stored with the lock that counts its rules on; its hash, and that of what decides."""
    shelves = register / SHELVES
    make_folder(shelves)
    draft = shelves / f".{token_hex(8)}"
    write(files, draft)
    try:
        shelf = _read_in(draft, read)
        own = locked_in(files.get(LOCK, ""), LOCK)
        current, highest = _before(register, found)
        count = {rule.rule: max(version_of(rule, own), _counted_on(rule, current, highest)) for rule in shelf.rules}
        kept = {name: (entry.version, entry.hash) for name, entry in _highest(highest, own).items()}
        whole = {**files, LOCK: lock_text(kept | {rule.rule: (count[rule.rule], rule.hash) for rule in shelf.rules})}
    finally:
        shutil.rmtree(draft)
    bundle = bundle_hash(whole)
    if not (shelves / bundle).exists():
        write(whole, shelves / bundle)
    return bundle, shelf.hash


def _before(register: Path, found: Sequence[Written]) -> tuple[Locks, Locks]:
    """The lock of the shelf in force, and the highest version that each rule had in any shelf that was approved."""
    base = in_force(found)
    highest: Locks = {}
    for bundle in dict.fromkeys(each.entry.bundle for each in found if each.entry.step == "approved"):
        highest = _highest(highest, _lock_in(register, bundle))
    return {} if base is None else _lock_in(register, base.entry.bundle), highest


def _lock_in(register: Path, bundle: str) -> Locks:
    return locked_in(files_in(folder_of(register, bundle))[LOCK], LOCK)


def _highest(one: Locks, other: Locks) -> Locks:
    newer = {name: entry for name, entry in other.items() if name not in one or one[name].version < entry.version}
    return one | newer


def _counted_on(rule: Rule, current: Locks, highest: Locks) -> int:
    """The version of a rule in the shelf in force, else one that no shelf had, be it rolled back."""
    entry = current.get(rule.rule)
    return entry.version if entry is not None and entry.hash == rule.hash else version_of(rule, highest)


def _read_in(folder: Path, read: Read) -> Shelf:
    """The rules of a bundle's folder; its faults name the files as the bundle does."""
    try:
        return read(folder / RULES)
    except RuleError as error:
        faults = [replace(each, file=each.file.removeprefix(f"{folder}/")) for each in error.faults]
        raise RuleError(faults) from None


def _append(
    register: Path, found: Sequence[Written], step: Step, bundle: str, shelf: str, by: Person, *, at: str,
    evidence: dict[str, Any] | None = None, why: str = "",
) -> Entry:  # fmt: skip
    base = in_force(found)
    entry = Entry(
        n=len(found) + 1,
        at=at,
        step=step,
        bundle=bundle,
        shelf=shelf,
        by=by,
        base=None if base is None else base.entry.bundle,
        why=why,
        evidence=evidence or {},
        previous=found[-1].digest if found else "",
    )
    log = register / LOG
    make_folder(log)
    draft = log / f".{token_hex(8)}"
    with draft.open("wb") as file:
        file.write(entry.model_dump_json(indent=2).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, log / name_of(entry.n))  # fails where somebody else was faster
    except FileExistsError:
        raise RegisterError(
            f"entry {entry.n}: expected none yet, got one of somebody else just now; try again"
        ) from None
    finally:
        draft.unlink()
    fsync_folder(log)
    return entry


def _user(number: int) -> str:
    """The name of a user of the operating system, or the number of one that has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
