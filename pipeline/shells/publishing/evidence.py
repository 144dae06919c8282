"""What speaks for a shelf before any past is asked: its cases, what no case would notice, what it covers.

Failing     a case that fails
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.shelf import BankTerms
from pipeline.shells.against.wording import LANGUAGES, changed
from pipeline.shells.cases import run_case
from pipeline.shells.nudging import nudged
from pipeline.shells.publishing.shapes import Changed, Covered, Evidence, Nudge, Past, Tests
from rules.changes import RuleChange, Texted, shelf_changes
from rules.coverage import STATUSES, coverages
from rules.rule import Rule, Shelf


class Failing(Exception):
    """A case that fails, in one sentence."""


class Compared(NamedTuple):
    """What is proposed, and what is in force; None while nothing is."""

    proposed: Texted
    base: Texted | None


def evidence_of(shelves: Compared, terms: BankTerms, past: Past | None, *, without_past: str | None) -> Evidence:
    """What speaks for a shelf; Failing where a case does."""
    shelf = shelves.proposed.shelf
    changes = None if shelves.base is None else shelf_changes(shelves.base, shelves.proposed)
    return Evidence(
        rules=dict(sorted(Counter(rule.status for rule in shelf.rules).items())),
        tests=_tests(shelf, terms),
        nudge=_nudge(shelf.rules if changes is None else _rules(changes), terms),
        coverage=_coverage(shelf),
        changes=None if changes is None else [_told(each) for each in changes],
        past=past,
        without_past=without_past,
    )


def _tests(shelf: Shelf, terms: BankTerms) -> Tests:
    done = [run_case(rule, case, terms) for rule in shelf.rules for case in rule.tests]
    failed = [each for each in done if not each.passed]
    if failed:
        first = failed[0]
        raise Failing(
            f"{first.rule.file}:{first.case.line}: expected every case to pass, got {len(failed)} that fail, first "
            f"{first.case.name!r}; run forewarn rules test"
        )
    return Tests(cases=len(done), failed=0)


def _rules(changes: Iterable[RuleChange]) -> list[Rule]:
    """Rules that changed: what nobody touched was looked at when it was published."""
    return [each.after for each in changes if each.after is not None]


def _nudge(rules: Iterable[Rule], terms: BankTerms) -> Nudge:
    found = [nudged(rule, terms) for rule in rules]
    return Nudge(
        rules=len(found),
        moves=sum(each.moves for each in found),
        unnoticed={each.rule.rule: len(each.unnoticed) for each in found if each.unnoticed},
        excused=sum(each.excused for each in found),
    )


def _coverage(shelf: Shelf) -> dict[str, Covered]:
    found = coverages(shelf.rules, is_own=False)
    return {each.name: Covered(**{status: each.count(status) for status in STATUSES}) for each in found}


def _told(change: RuleChange) -> Changed:
    kinds = {"new": change.before is None, "gone": change.after is None, "changed": bool(change.deciding)}
    kind = next((kind for kind, holds in kinds.items() if holds), "words")
    return Changed(rule=change.rule, kind=kind, says={lang: changed(change, lang) for lang in LANGUAGES})
