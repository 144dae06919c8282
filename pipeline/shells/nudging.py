"""Which moves of a rule's numbers and operators none of its cases notices."""

import re
from dataclasses import replace
from typing import NamedTuple

from pipeline.events import CATALOGUE
from pipeline.shelf import BankTerms
from pipeline.shells.cases import run_case
from rules.nudges import Nudge, nudges
from rules.rule import Rule
from rules.say import span_text
from rules.yaml_text import read

_WINDOW = re.compile(r"\{(\w+)\.(over|within)\}")


class Unnoticed(NamedTuple):
    """A move that no case notices: where it stands, what stands there, and what it was moved to."""

    file: str
    line: int
    column: int
    nudge: Nudge


class Nudged(NamedTuple):
    """One rule with all its moves counted, and those that went unnoticed."""

    rule: Rule
    moves: int
    unnoticed: tuple[Unnoticed, ...]


def nudged(rule: Rule, terms: BankTerms) -> Nudged:
    """Run the cases of a rule on each of its moves; the cases pass on the rule itself."""
    moves = nudges(_with_windows_as_said(rule), CATALOGUE)
    missed = [each for each in moves if not _is_noticed(each.rule, terms)]
    document = read(rule.text, rule.file) if missed else None
    found = [Unnoticed(rule.file, *document.where(each.path), each) for each in missed if document is not None]
    return Nudged(rule, len(moves), tuple(sorted(found, key=lambda each: (each.line, each.column))))


def _is_noticed(rule: Rule, terms: BankTerms) -> bool:
    return any(not run_case(rule, case, terms).passed for case in rule.tests)


def _with_windows_as_said(rule: Rule) -> Rule:
    """The rule whose message names its windows as they are: that a moved window is told is no case that notices it."""

    def said(found: re.Match[str]) -> str:
        return span_text(getattr(rule.measure[found[1]], found[2]))

    return replace(rule, say=_WINDOW.sub(said, rule.say))
