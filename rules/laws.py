"""The laws of the shelf, over all rules at once; `forewarn rules check` prints every break of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rules.catalogue import Catalogue
from rules.conflicts import Written, cycle_faults, name_faults
from rules.faults import Fault, RuleError, one_of, suggestion
from rules.hopeless import hopeless_faults
from rules.implied import implied_faults
from rules.loader import load_file, rule_files, sound_rules
from rules.packs import NONE_OFF, Off
from rules.rule import WARNED
from rules.sidecars import faults_beside, sidecar_files
from rules.versions import read_lock, version_of

PARTS_OF_SHADOW = 5  # one of so many deciding rules may be in shadow


class Examined(NamedTuple):
    """What came of rule files: the rules without a fault of their own, and every fault."""

    rules: tuple[Written, ...]
    faults: tuple[Fault, ...]


def check(dirs: list[Path], catalogue: Catalogue, lock: Path | None, queues: set[str] | None) -> list[Fault]:
    """Every fault of the files, of the rules together, of their texts and of the lock; `queues` None: not looked at."""
    return list(examine(dirs, catalogue, lock, queues).faults)


def examine(
    dirs: list[Path], catalogue: Catalogue, lock: Path | None, queues: set[str] | None, off: Off = NONE_OFF
) -> Examined:
    """The same beside the rules, each file read once, so that a file which changes meanwhile cannot disagree.

    Rules of two packs are held against each other where a bank may run both by what is on (`off` says what is not).
    """
    try:
        loaded = [load_file(path, catalogue) for path in rule_files(dirs)]
    except RuleError as error:
        return Examined((), error.faults)
    faults = [fault for each in loaded for fault in each.faults]
    rules = sound_rules(loaded)
    faults += [*name_faults(rules), *cycle_faults(rules)]
    # A rule with a fault of its own still exists: nobody else is to be blamed for naming it.
    names = {each.path.name.removesuffix(".yaml") for each in loaded}
    for rule in rules:
        faults += case_faults(rule)
        faults += hopeless_faults(rule, catalogue)
        faults += reference_faults(rule, names)
        faults += spread_faults(rule)
        faults += queue_faults(rule, queues) if queues is not None else []
        faults += challenger_faults(rule)
    for each in loaded:
        faults += faults_beside(each.path, each.rule, "zh")
    faults += shadow_faults(rules)
    faults += implied_faults(rules, catalogue, off)
    faults += orphan_faults(dirs, names)
    faults += lock_faults(rules, names, lock) if lock is not None else []
    return Examined(tuple(rules), tuple(sorted(set(faults))))


def case_faults(written: Written) -> Iterator[Fault]:
    """A live rule has a case that alerts and a case that stays quiet."""
    rule, document = written
    if rule.status != "live":
        return
    if not any(case.expect for case in rule.tests):
        yield document.fault(("tests",), "expected a case that alerts, got only quiet ones; add one")
    if all(case.expect for case in rule.tests):
        yield document.fault(("tests",), "expected a case that expects nothing, got only alerts; add one just below")


def reference_faults(written: Written, names: set[str]) -> Iterator[Fault]:
    """The rules that a rule names exist."""
    rule, document = written
    for i, inhibitor in enumerate(rule.inhibited_by):
        if inhibitor not in names:
            yield document.fault(
                ("inhibited_by", i), f"no rule named {inhibitor!r}{suggestion(inhibitor, names - {rule.rule})}"
            )
    if rule.challenges is not None and rule.challenges not in names:
        yield document.fault(("challenges",), f"no rule named {rule.challenges!r}; a challenger stands beside its rule")


def challenger_faults(written: Written) -> Iterator[Fault]:
    """A challenger tells nobody: it goes live by taking the place of its rule."""
    rule, document = written
    if rule.challenges is not None and rule.status == "live":
        goes = f"it goes live when {rule.challenges!r} takes its fields"
        yield document.fault(("status",), f"expected a challenger in shadow, or a draft, got live; {goes}")


def most_in_shadow(deciding: int) -> int:
    """How many of so many deciding rules, live and in shadow, may be in shadow: whole fifths, but one always.

    >>> [most_in_shadow(deciding) for deciding in (1, 9, 10, 42)]
    [1, 1, 2, 8]
    """
    return max(1, deciding // PARTS_OF_SHADOW)


def shadow_faults(rules: list[Written]) -> Iterator[Fault]:
    """At most a fifth of what decides is in shadow; told at the rule that has been there longest."""
    shadow = [each for each in rules if each.rule.status == "shadow"]
    deciding = len(shadow) + sum(each.rule.status == "live" for each in rules)
    most = most_in_shadow(deciding)
    if len(shadow) > most:
        longest = min(shadow, key=lambda each: (each.rule.since, each.rule.rule))
        yield longest.document.fault(
            ("status",),
            f"expected at most {most} of {deciding} deciding rules in shadow (a fifth), got {len(shadow)}; "
            f"let this one, in shadow since {longest.rule.since}, go live, or retire it",
        )


def spread_faults(written: Written) -> Iterator[Fault]:
    """A rule that reads warnings of connected borrowers sends none."""
    rule, document = written
    if rule.spreads and rule.is_warned:
        why = f"a warning never spreads twice, and this rule reads {WARNED}; leave `spreads` out"
        yield document.fault(("spreads",), why)


def queue_faults(written: Written, queues: set[str]) -> Iterator[Fault]:
    """The queue of a task exists."""
    rule, document = written
    if rule.task is not None and rule.task.queue not in queues:
        known = suggestion(rule.task.queue, sorted(queues)) or f"; expected {one_of(sorted(queues))}"
        yield document.fault(("task", "queue"), f"no queue named {rule.task.queue!r}{known}")


def orphan_faults(dirs: list[Path], names: set[str]) -> Iterator[Fault]:
    """Texts belong to a rule."""
    for path in sidecar_files(dirs):
        name = path.name.removesuffix(".yaml").rpartition(".")[0]
        if name not in names:
            yield Fault(str(path), 1, 1, "file", f"no rule named {name!r} for these texts{suggestion(name, names)}")


def lock_faults(rules: list[Written], names: set[str], lock: Path) -> list[Fault]:
    """The lock counts every rule as it is."""
    try:
        document, locked = read_lock(lock)
    except RuleError as error:
        return list(error.faults)
    faults: list[Fault] = []
    for rule, written in rules:
        entry = locked.get(rule.rule)
        if entry is None:
            faults.append(written.fault((), f"{rule.rule!r} is not in {lock.name}; write the lock anew"))
        elif entry.hash != rule.hash:
            to = version_of(rule, locked)
            faults.append(
                written.fault((), f"changed since version {entry.version}; write {lock.name} anew, it becomes {to}")
            )
    if document is not None:
        gone = sorted(set(locked) - names)
        faults += [document.fault((name,), "its file is gone; a rule is retired, not deleted") for name in gone]
    return faults
