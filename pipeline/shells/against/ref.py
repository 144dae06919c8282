"""The rules that REF names: those of a folder, of a published hash, or of a git revision of the folders that stand now.

A name is looked up in this order: folder, published hash, revision.

RefError      what cannot be looked up, in one sentence
"""

import os
import re
import subprocess
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pipeline.events import CATALOGUE
from rules.changes import Texted
from rules.faults import RuleError
from rules.loader import load_shelf_to_run, shelf_of
from rules.packs import NONE_OFF, Off
from rules.sidecars import all_texts

_HASH = re.compile(r"[0-9a-f]{8,64}")
# What git sets for its hooks would name another repository than that of the folder.
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")


class RefError(Exception):
    """Rules that cannot be looked up; the message says what was expected, what came and what to do."""


class Referred(NamedTuple):
    """The rules that a name stands for."""

    name: str  # as it was written
    kind: str  # folder, published or revision
    rules: Texted


Published = Callable[[str], Texted | None]  # the published rules whose hash begins so; RefError where several do


def rules_at(ref: str, folders: list[Path], published: Published = lambda _: None, *, off: Off = NONE_OFF) -> Referred:
    """The rules that a name stands for; of a revision those in the same folders then, less packs that are off."""
    if ref and Path(ref).is_dir():
        return Referred(ref, "folder", _loaded(ref, [Path(ref)], {}))
    if ref and Path(ref).exists():
        raise RefError(f"--against: expected a folder of rules, got the file {ref}; name the folder that holds it")
    is_hash = _HASH.fullmatch(ref) is not None
    found = published(ref) if is_hash else None
    if found is not None:
        return Referred(ref, "published", found)
    with TemporaryDirectory() as name:
        there: dict[str, str] = {}  # how a folder of then is called to people
        then = []
        for n, folder in enumerate(folders):
            place = Path(name) / str(n)
            then.append(_taken_out(ref, folder, place, is_hash=is_hash))
            there[str(place)] = str(folder if folder.is_dir() else folder.parent)
        return Referred(ref, "revision", without(off, _loaded(ref, then, there)))


def without(off: Off, found: Texted) -> Texted:
    """Rules without those of some packs."""
    if not off.packs:
        return found
    shelf = shelf_of([rule for rule in found.shelf.rules if not off.has(rule)], None)
    return Texted(shelf, {rule.rule: found.texts[rule.rule] for rule in shelf.rules})


def texted(folders: list[Path], lock: Path | None = None) -> Texted:
    """The rules of folders, with the texts beside them; RuleError with every fault."""
    shelf = load_shelf_to_run(folders, CATALOGUE, lock)
    return Texted(shelf, {rule.rule: all_texts(rule) for rule in shelf.rules})


def _loaded(ref: str, folders: list[Path], there: dict[str, str]) -> Texted:
    try:
        return texted(folders)
    except RuleError as error:
        count, first = len(error.faults), str(error.faults[0])
        for place, folder in there.items():
            first = first.replace(place, folder)
        faults = "a fault" if count == 1 else f"{count} faults"
        raise RefError(f"--against {ref}: expected rules that load, got {faults}, first {first}") from None


# -- git ----------------------------------------------------------------------


def _taken_out(ref: str, folder: Path, place: Path, *, is_hash: bool) -> Path:
    """A folder of rules, or a file of one, as it was in a revision."""
    stands = folder if folder.is_dir() else folder.parent
    try:
        top = Path(os.fsdecode(_git(stands, "rev-parse", "--show-toplevel")).rstrip("\n"))
        inside = os.fsdecode(_git(stands, "rev-parse", "--show-prefix")).rstrip("\n").rstrip("/")
        commit = _commit(ref, stands, is_hash=is_hash)
    except _GitError as error:
        if is_hash:
            raise RefError(
                f"--against {ref}: expected a published hash, got one of which no published rules are known, and "
                f"{stands} has no revisions ({error}); name the register that holds it with --register"
            ) from None
        raise RefError(
            f"--against {ref}: expected rules in a folder that git keeps, got {stands} ({error}); "
            "name a folder in place of the revision"
        ) from None
    try:
        packed = _git(top, "archive", "--format=tar", f"{commit}:{inside}" if inside else commit)
        place.mkdir()
        with tarfile.open(fileobj=BytesIO(packed)) as archive:
            archive.extractall(place, filter="data")
    except (_GitError, tarfile.TarError) as error:
        raise RefError(
            f"--against {ref}: expected a revision with the folder {inside or stands}, got one without it or one that "
            f"cannot be read ({error}); name another revision"
        ) from None
    return place if folder.is_dir() else place / folder.name


def _commit(ref: str, stands: Path, *, is_hash: bool) -> str:
    try:
        return _git(stands, "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}").decode().strip()
    except _GitError:
        unknown = "of which no published rules and no revision are known" if is_hash else "which is none of them"
        raise RefError(
            f"--against: expected a folder of rules, a published hash or a git revision, got {ref!r}, {unknown}; "
            "check the name"
        ) from None


class _GitError(Exception):
    """What git said last when it could not do something."""


def _git(where: Path, *words: str) -> bytes:
    surroundings = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    try:
        ran = subprocess.run(["git", "-C", str(where), *words], capture_output=True, check=True, env=surroundings)
    except FileNotFoundError:
        raise _GitError("git is not installed") from None
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode("utf-8", "replace").splitlines()
        raise _GitError(lines[-1] if lines else f"git ended with {error.returncode}") from None
    return ran.stdout
