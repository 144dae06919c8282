"""The register of published shelves: who proposed and who approved which bundle, each entry chained to the one before.

    FOLDER/shelves/HASH/     bundles (bundle.py)
    FOLDER/log/00001.json    entries; each holds the hash of the bytes of the one before

A bundle is in force from its approval, or from a rollback to it, until the next of either. Two persons are behind each.

RegisterError     a step that is not allowed, or a register that is not as it was written
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.shells.lasting import make_folder
from pipeline.shells.publishing.bundle import BundleError, bundle_hash, files_in, is_hash

SHELVES, LOG = "shelves", "log"
NAME = r"^[\w.@-]{1,64}$"  # of a person
SHORTEST = 8  # digits of a hash that stand for it
Step = Literal["proposed", "approved", "rolled_back"]


class RegisterError(Exception):
    """A step that is not allowed, or a register that is not as it was written, in one sentence."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(_Model):
    """Who did it, and how that is known: by an API key, or as a user of the operating system."""

    name: str = Field(pattern=NAME)
    known_by: Literal["key", "user"]


class Entry(_Model):
    """One step in the life of a bundle."""

    n: int = Field(ge=1)
    at: str  # RFC 3339
    step: Step
    bundle: str = Field(pattern="^[0-9a-f]{64}$")
    shelf: str = Field(pattern="^[0-9a-f]{64}$")  # the hash of what decides, which decisions carry
    by: Person
    base: str | None  # the bundle that was in force
    why: str = ""
    evidence: dict[str, Any] = {}  # of a proposal
    previous: str  # sha256 of the bytes of the entry before; "" of the first


class Written(NamedTuple):
    """An entry as it stands in the log."""

    entry: Entry
    digest: str
    owner: int  # the user of the operating system to whom the file belongs


class Activation(NamedTuple):
    """The bundle in force, and the two persons behind it."""

    entry: Entry
    digest: str
    author: str
    approver: str


def entries(register: Path) -> list[Written]:
    """Every entry in its order; RegisterError where the chain is broken."""
    found: list[Written] = []
    for n, path in enumerate(sorted((register / LOG).glob("*.json")), 1):
        raw = path.read_bytes()
        try:
            entry = Entry.model_validate_json(raw)
        except ValidationError:
            raise _broken(path, "an entry", "something else") from None
        before = found[-1].digest if found else ""
        if (entry.n, path.name, entry.previous) != (n, name_of(n), before):
            raise _broken(path, f"entry {n} after the one before it", "another or a changed one")
        if not _may_follow(found, entry):
            steps = "a step that may follow those before it, as two persons stand behind what is in force"
            raise _broken(path, steps, f"{entry.step} by {entry.by.name}")
        found.append(Written(entry, sha256(raw).hexdigest(), path.stat().st_uid))
    return found


def _may_follow(found: Sequence[Written], entry: Entry) -> bool:
    """Whether a command would have taken this step after those: who may write a file need not have asked one."""
    base = in_force(found)
    if entry.base != (None if base is None else base.entry.bundle):
        return False
    if entry.step == "approved":
        proposal = last_step(found, entry.bundle, "proposed")
        if proposal is None or last_step(found[proposal.entry.n :], entry.bundle, "approved") is not None:
            return False
        return proposal.entry.base == entry.base and not is_same(proposal.entry.by, entry.by)
    return entry.step == "proposed" or was_approved(found, entry.bundle)


def in_force(found: Sequence[Written]) -> Activation | None:
    """What is in force after some entries."""
    last = next((each for each in reversed(found) if each.entry.step != "proposed"), None)
    if last is None:
        return None
    proposal, approval = agreed(found, last.entry.bundle)
    return Activation(last.entry, last.digest, proposal.entry.by.name, approval.entry.by.name)


def agreed(found: Sequence[Written], bundle: str) -> tuple[Written, Written]:
    """The proposal and the approval by which a bundle that was approved came into force last."""
    approval = last_step(found, bundle, "approved")
    assert approval is not None
    proposal = last_step(found[: approval.entry.n], bundle, "proposed")  # it may have been proposed again since
    assert proposal is not None
    return proposal, approval


def was_approved(found: Sequence[Written], bundle: str) -> bool:
    """Whether two persons ever agreed on a bundle."""
    return last_step(found, bundle, "approved") is not None


def is_same(one: Person, other: Person) -> bool:
    """Whether two names are of one person: a capital letter makes nobody else."""
    return one.name.casefold() == other.name.casefold()


def is_step(found: Sequence[Written], digest: str | None, bundle: str) -> bool:
    """Whether an entry of this digest put a bundle in force."""
    return any(each.digest == digest and each.entry.bundle == bundle for each in found if each.entry.step != "proposed")


def whole_hash(found: Sequence[Written], text: str) -> str:
    """The bundle that a hash or its beginning stands for; RegisterError where none or several do."""
    known = dict.fromkeys(each.entry.bundle for each in found)
    hits = [bundle for bundle in known if bundle.startswith(text.lower())] if len(text) >= SHORTEST else []
    if len(hits) == 1:
        return hits[0]
    got = "several" if hits else "none"
    raise RegisterError(
        f"{text}: expected the hash of a proposed shelf or at least {SHORTEST} digits of its beginning, got one that "
        f"{got} of {len(known)} begin with; see forewarn rules log"
    )


def folder_of(register: Path, bundle: str) -> Path:
    """The folder of a bundle, its bytes as they were proposed; RegisterError otherwise."""
    folder = register / SHELVES / bundle
    try:
        is_sound = is_hash(bundle) and folder.is_dir() and bundle_hash(files_in(folder)) == bundle
    except (UnicodeDecodeError, BundleError):
        is_sound = False
    if not is_sound:
        got = "a changed one" if folder.is_dir() else "none"
        raise RegisterError(f"{folder}: expected the shelf with this hash, got {got}; bring it back from a backup")
    return folder


def made(register: Path) -> Path:
    """The register, its folders made where they are missing."""
    for name in (SHELVES, LOG):
        make_folder(register / name)
    return register


def is_name(text: str) -> bool:
    """Whether a text can be the name of a person."""
    return re.match(NAME, text) is not None and "\n" not in text


def last_step(found: Sequence[Written], bundle: str, step: Step) -> Written | None:
    """The last entry in which this was done with a bundle."""
    return next((each for each in reversed(found) if (each.entry.bundle, each.entry.step) == (bundle, step)), None)


def name_of(n: int) -> str:
    """The name of an entry's file."""
    return f"{n:05d}.json"


def _broken(path: Path, expected: str, got: str) -> RegisterError:
    return RegisterError(f"{path}: expected {expected}, got {got}; bring the register back from a backup")
