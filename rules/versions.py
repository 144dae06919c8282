"""What counts as a change of a rule: hashes over what decides, and the lock file that counts the changes.

The lock holds one line a rule: `name: {version: 3, hash: 9c1e...}`. A rule keeps its line when its file is gone, so
that the loss is noticed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, RootModel

from rules.condition_text import condition_text, selector_text
from rules.faults import Fault, RuleError
from rules.language import Written
from rules.rule import Measure, Rule, Shelf
from rules.yaml_text import Document, read, validate

MOST_CHANGES = 1_000_000  # beyond it somebody made a mistake, and far beyond it no record holds the number


class Locked(Written):
    """What the lock says of one rule."""

    version: int = Field(ge=1, le=MOST_CHANGES, description="how often the rule has changed, counted from 1")
    hash: str = Field(pattern="[0-9a-f]{64}", description="the hash of what decides")


class LockFile(RootModel[dict[str, Locked]]):
    """The whole lock."""


def rule_hash(rule: Rule) -> str:
    """The hash over every field but owner, title, why, guide, false_alarms, blind_spots, refs, basis and tests."""
    return _sha256(deciding(rule))


def deciding(rule: Rule) -> dict[str, Any]:
    """What the hash is over, each field in one spelling."""
    decides = {
        "rule": rule.rule,
        "status": rule.status,
        "since": rule.since,
        "when": condition_text(rule.when),
        "for": rule.hold,
        "severity": rule.severity,
        "escalate": {severity: condition_text(each) for severity, each in rule.escalate.items()},
        "say": rule.say,
        "quiet": rule.quiet,
        "clear_after": rule.clear_after,
        "inhibited_by": sorted(rule.inhibited_by),
        "spreads": sorted(rule.spreads),
        "daily_openings": rule.daily_openings,
        "task": None if rule.task is None else [rule.task.queue, rule.task.action, rule.task.due_in],
        "challenges": rule.challenges,
        "retired_because": rule.retired_because,
    }
    return decides | _looks_at(rule)


def rule_shape(rule: Rule) -> str:
    """The hash over what an open episode cannot outlive: measures, key and status."""
    return _sha256(_looks_at(rule) | {"status": rule.status})


def shelf_hash(rules: Iterable[Rule]) -> str:
    """The hash over sorted names and hashes."""
    lines = "".join(f"{name} {hash_}\n" for name, hash_ in sorted((rule.rule, rule.hash) for rule in rules))
    return hashlib.sha256(lines.encode()).hexdigest()


def read_lock(path: Path) -> tuple[Document | None, dict[str, Locked]]:
    """The lock's document and entries; nothing when there is no lock yet."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None, {}
    except UnicodeDecodeError:
        raise RuleError([Fault(str(path), 1, 1, "file", "expected UTF-8, got other bytes; restore the lock")]) from None
    return _read_lock(text, str(path))


def locked_in(text: str, file: str) -> dict[str, Locked]:
    """The entries of a lock's text; RuleError when it is none."""
    return _read_lock(text, file)[1]


def _read_lock(text: str, file: str) -> tuple[Document | None, dict[str, Locked]]:
    if all(line.startswith("#") or not line.strip() for line in text.splitlines()):
        return None, {}
    document = read(text, file)
    return document, validate(document, LockFile).root


def version_of(rule: Rule, locked: dict[str, Locked]) -> int:
    """The rule's version by the lock: one more when it changed since."""
    entry = locked.get(rule.rule)
    if entry is None:
        return 1
    return entry.version if entry.hash == rule.hash else entry.version + 1


def update_lock(path: Path, shelf: Shelf) -> None:
    """Write the lock so that it agrees with the shelf; a changed rule counts one further."""
    _, locked = read_lock(path)
    entries = {name: (entry.version, entry.hash) for name, entry in locked.items()}
    entries |= {rule.rule: (version_of(rule, locked), rule.hash) for rule in shelf.rules}
    path.write_text(lock_text(entries), "utf-8")


def lock_text(entries: Mapping[str, tuple[int, str]]) -> str:
    """The text of a lock: rule -> its version and hash."""
    head = (
        "# How often each rule changed, and the hash of what decides. Made from the shelf; not for editing by hand.\n"
    )
    return head + "".join(
        f"{name}: {{version: {n}, hash: '{hash_}'}}\n" for name, (n, hash_) in sorted(entries.items())
    )


def _looks_at(rule: Rule) -> dict[str, Any]:
    return {"per": rule.per, "measure": {name: measure_shape(each) for name, each in rule.measure.items()}}


def measure_shape(measure: Measure) -> dict[str, Any]:
    """What a measure is, whatever it is called."""
    return {
        "verb": measure.verb,
        "what": measure.what,
        "select": [selector_text(each) for each in measure.select],
        "over": _text(measure.over),
        "ending": _text(measure.ending),
        "within": _text(measure.within),
        "of_borrower": measure.of_borrower,
        "across": measure.across,
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _sha256(data: dict[str, Any]) -> str:
    canonical = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
