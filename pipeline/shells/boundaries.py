"""The law that every live rule has a case just beside a limit, by running its cases with the limit a step away.

A limit is held when some case fails once it is moved one step up, and some case fails once it is moved one step down.
The law asks for one limit that is held; `rules test --nudge` asks for all of them.
"""

from collections.abc import Iterator

from pipeline.shelf import BankTerms
from pipeline.shells.cases import run_case
from rules.faults import Fault
from rules.laws import Examined
from rules.limits import Limit, Moved, limits
from rules.rule import Case, Rule

_MATTER = ("when", "measure", "tests")  # A rule with a fault there would be told of one cause twice.


def boundary_faults(examined: Examined, terms: BankTerms) -> Iterator[Fault]:
    """The live rules of which no limit is held by their cases."""
    told = {fault.file for fault in examined.faults if fault.path.startswith(_MATTER)}
    for rule, document in examined.rules:
        if rule.status != "live" or rule.file in told:
            continue
        unheld = unheld_limit(rule, terms)
        if unheld is not None:
            yield document.fault(("tests",), _sentence(*unheld))


def unheld_limit(rule: Rule, terms: BankTerms) -> tuple[Limit, Moved] | None:
    """The first limit with the move that no case notices; None when one is held, or when there is none at all."""
    passing: dict[str, bool] = {}

    def is_noticed(moved: Moved) -> bool:
        return moved.rule is None or any(_fails(moved.rule, case, rule, passing, terms) for case in rule.tests)

    first: tuple[Limit, Moved] | None = None
    for limit in limits(rule):
        unseen = next((moved for moved in (limit.up, limit.down) if not is_noticed(moved)), None)
        if unseen is None:
            return None
        first = first or (limit, unseen)
    return first


def _fails(moved: Rule, case: Case, rule: Rule, passing: dict[str, bool], terms: BankTerms) -> bool:
    """Whether a case fails under the moved rule, and passes under the rule as it is."""
    if run_case(moved, case, terms).passed:
        return False
    if case.name not in passing:
        passing[case.name] = run_case(rule, case, terms).passed
    return passing[case.name]


def _sentence(limit: Limit, moved: Moved) -> str:
    return (
        "expected a case just beside a limit, got none: every case passes as well "
        f"when {limit.number} in '{limit.where}' becomes {moved.to}; add one that this changes"
    )
