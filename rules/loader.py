"""Rule files to rules: every fault of every file at once, or values that are ready to be compiled."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from rules.catalogue import Catalogue
from rules.checks import Checks
from rules.conflicts import Written, cycle_faults, name_faults
from rules.faults import Fault, RuleError, stops_a_run
from rules.notes import Notes
from rules.parts import sound_parts
from rules.rule import Rule, Shelf
from rules.versions import read_lock, shelf_hash, version_of
from rules.yaml_text import Document, read

READINGS = 5
SIDECAR = re.compile(r".+\.[a-z]{2}\.yaml")


@dataclass(frozen=True)
class Loaded:
    """One file with what came of it: a rule, faults, or both where the faults decide nothing."""

    path: Path
    document: Document | None
    rule: Rule | None
    faults: tuple[Fault, ...]


def load_rule(path: Path, catalogue: Catalogue) -> Rule:
    """The rule of a file; RuleError with all its faults when there are any."""
    loaded = load_file(path, catalogue)
    if loaded.rule is None or loaded.faults:
        raise RuleError(loaded.faults)
    return loaded.rule


def load_shelf(dirs: list[Path], catalogue: Catalogue, lock: Path | None = None) -> Shelf:
    """All rules under some folders; RuleError with every fault of every file, or of the rules together."""
    files = rule_files(dirs)
    loaded = [load_file(path, catalogue) for path in files]
    faults = [fault for each in loaded for fault in each.faults]
    sound = sound_rules(loaded)
    faults += [*name_faults(sound), *cycle_faults(sound)]
    if faults:
        raise RuleError(faults)
    return shelf_of([each.rule for each in sound], lock)


def load_shelf_to_run(dirs: list[Path], catalogue: Catalogue, lock: Path | None = None) -> Shelf:
    """All rules under some folders that can be compiled; RuleError only for what leaves open what a rule decides."""
    loaded = [load_file(path, catalogue) for path in rule_files(dirs)]
    faults = [fault for each in loaded for fault in each.faults if stops_a_run(fault)]
    usable = [Written(each.rule, each.document) for each in loaded if each.rule and each.document]
    faults += [*name_faults(usable), *cycle_faults(usable)]
    if faults:
        raise RuleError(faults)
    return shelf_of([each.rule for each in usable], lock)


def sound_rules(loaded: Iterable[Loaded]) -> list[Written]:
    """The rules without a fault, each with its document."""
    return [Written(each.rule, each.document) for each in loaded if each.rule and each.document and not each.faults]


def shelf_of(rules: Iterable[Rule], lock: Path | None) -> Shelf:
    """Rules as a shelf, with the versions that the lock counts; 1 each without a lock."""
    if lock is not None:
        _, locked = read_lock(lock)
        rules = [replace(rule, version=version_of(rule, locked)) for rule in rules]
    ordered = tuple(sorted(rules, key=lambda rule: rule.rule))
    return Shelf(rules=ordered, hash=shelf_hash(ordered))


def rule_files(dirs: list[Path]) -> list[Path]:
    """The rule files under some folders, packs included, without the texts in other languages."""
    faults: list[Fault] = []
    found: list[Path] = []
    for folder in dirs:
        if folder.is_file():
            found.append(folder)
            continue
        here = sorted(path for path in folder.rglob("*.yaml") if not SIDECAR.fullmatch(path.name))
        faults += [
            Fault(str(path), 1, 1, "file", "expected a name that ends in .yaml, got .yml; rename it")
            for path in sorted(folder.rglob("*.yml"))
        ]
        if not here:
            what = "no rule files (*.yaml)" if folder.is_dir() else "no such folder"
            faults.append(Fault(str(folder), 1, 1, "file", f"expected a folder of rules, got {what}; check the name"))
        found += here
    if faults:
        raise RuleError(faults)
    return list(dict.fromkeys(found))


def load_file(path: Path, catalogue: Catalogue) -> Loaded:
    """What came of one file; never raises."""
    try:
        document = read_file(path)
    except RuleError as error:
        return Loaded(path, None, None, error.faults)
    return _checked(path, document, catalogue)


def load_text(text: str, file: str, catalogue: Catalogue) -> Rule:
    """The rule of a text that was kept, under the name of its file; RuleError with all its faults."""
    loaded = _checked(Path(file), read(text, file), catalogue)
    if loaded.rule is None:
        raise RuleError(loaded.faults)
    return loaded.rule


def _checked(path: Path, document: Document, catalogue: Catalogue) -> Loaded:
    parts, faults = sound_parts(document)
    if parts is None:
        return Loaded(path, document, None, RuleError(faults).faults)
    rule = Checks(parts, catalogue, Notes(document, faults)).rule(path)
    return Loaded(path, document if rule is None else document.light(), rule, RuleError(faults).faults)


def read_file(path: Path) -> Document:
    """The document of a file, or RuleError when it is no readable text or does not stand still."""
    try:
        return read(_settled(path).decode("utf-8"), str(path))
    except UnicodeDecodeError as error:
        before = bytes(error.object[: error.start])
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        message = "expected UTF-8, got other bytes; save the file as UTF-8"
        raise RuleError([Fault(str(path), line, column, "file", message)]) from None
    except OSError as error:
        message = f"expected a readable file, got {error.strerror}; check its name and rights"
        raise RuleError([Fault(str(path), 1, 1, "file", message)]) from None


def _settled(path: Path) -> bytes:
    """The bytes of a file that did not change while they were read; an editor that saves meanwhile is waited out."""
    for _ in range(READINGS):
        before = _state(path)
        found = path.read_bytes()
        if _state(path) == before:
            return found
    message = "expected a file that stands still, got one that changed whenever it was read; check again later"
    raise RuleError([Fault(str(path), 1, 1, "file", message)])


def _state(path: Path) -> tuple[int, int, int]:
    """What differs when a file was written."""
    now = path.stat()
    return now.st_ino, now.st_size, now.st_mtime_ns
