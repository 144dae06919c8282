"""What speaks for a shelf: its cases, what no case would notice, what it covers, and what it would have done.

Numbers only: whoever is alerted otherwise is named by `forewarn backtest --against`, since the register is kept for
ever and a borrower may ask to be erased.
"""

from collections import Counter
from typing import Any, NamedTuple

from pipeline.shelf import BankTerms
from pipeline.shells.cases import run_case
from pipeline.shells.nudging import nudged
from rules.coverage import coverages
from rules.rule import Rule, Shelf


class Failing(Exception):
    """A case that fails, in one sentence."""


class Shelves(NamedTuple):
    """What is proposed, and what is in force; None while nothing is."""

    proposed: Shelf
    base: Shelf | None


def evidence_of(shelves: Shelves, terms: BankTerms) -> dict[str, Any]:
    """What can be said without any past; Failing where a case does."""
    shelf = shelves.proposed
    return {
        "rules": dict(sorted(Counter(rule.status for rule in shelf.rules).items())),
        "tests": _tests(shelf, terms),
        "nudge": _nudge(_changed(shelves), terms),
        "coverage": _coverage(shelf),
    }


def _changed(shelves: Shelves) -> list[Rule]:
    """Rules that decide otherwise than those in force, or tell otherwise what they should do."""
    before = {} if shelves.base is None else {rule.rule: rule for rule in shelves.base.rules}
    return [rule for rule in shelves.proposed.rules if rule.rule not in before or rule.text != before[rule.rule].text]


def _tests(shelf: Shelf, terms: BankTerms) -> dict[str, int]:
    done = [run_case(rule, case, terms) for rule in shelf.rules for case in rule.tests]
    failed = [each for each in done if not each.passed]
    if failed:
        first = failed[0]
        raise Failing(
            f"{first.rule.file}:{first.case.line}: expected every case to pass, got {len(failed)} that fail, first "
            f"{first.case.name!r}; run forewarn rules test"
        )
    return {"cases": len(done), "failed": 0}


def _nudge(rules: list[Rule], terms: BankTerms) -> dict[str, Any]:
    """Of the rules that changed: what nobody touched was looked at when it was published."""
    found = [nudged(rule, terms) for rule in rules]
    return {
        "rules": len(found),
        "moves": sum(each.moves for each in found),
        "unnoticed": {each.rule.rule: len(each.unnoticed) for each in found if each.unnoticed},
        "excused": sum(each.excused for each in found),
    }


def _coverage(shelf: Shelf) -> dict[str, dict[str, int]]:
    return {
        each.name: {status: each.count(status) for status in ("covered", "partly", "not_covered")}
        for each in coverages(shelf.rules, is_own=False)
    }
