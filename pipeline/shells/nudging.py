"""Which moves of a rule's numbers and operators none of its cases notices."""

import re
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from msgspec import inspect

from pipeline.catalogue import bare, fields_of
from pipeline.events import ATTRIBUTES, CATALOGUE, EVENT_CLASSES
from pipeline.shelf import BankTerms, CompiledShelf
from pipeline.shells.cases import alerts, arrivals_of, is_as_expected, shelf_of_case, shelf_of_rule
from rules.nudges import Nudge, nudges
from rules.rule import Case, Rule
from rules.sameness import UNBOUNDED, Least
from rules.say import span_text
from rules.yaml_text import read

_EXCUSE = re.compile(r"#.*\bnudge-ok ([\w, ]+): *\S")
_WINDOW = re.compile(r"\{(\w+)\.(over|within)\}")


class Unnoticed(NamedTuple):
    """A move that no case notices: where it stands, what stands there, and what it was moved to."""

    file: str
    line: int
    column: int
    nudge: Nudge


class Nudged(NamedTuple):
    """One rule with all its moves counted, those that went unnoticed, and how many of these its file excuses."""

    rule: Rule
    moves: int
    unnoticed: tuple[Unnoticed, ...]
    excused: int


def nudged(rule: Rule, terms: BankTerms) -> Nudged:
    """Run the cases of a rule on each of its moves; the cases pass on the rule itself."""
    moves = nudges(_with_windows_as_said(rule), CATALOGUE, least_of)
    cases = list(rule.tests)
    missed = [each for each in moves if not _is_noticed(each.rule, cases, terms)]
    document = read(rule.text, rule.file) if missed else None
    found = [Unnoticed(rule.file, *document.where(each.path), each) for each in missed if document is not None]
    lines = rule.text.splitlines()
    left = [each for each in found if not _is_excused(each, lines)]
    left.sort(key=lambda each: (each.line, each.column))
    return Nudged(rule, len(moves), tuple(left), len(found) - len(left))


def _is_excused(move: Unnoticed, lines: list[str]) -> bool:
    """Whether a comment in the line says why no case can notice it: `# nudge-ok quiet: what it reads lasts longer`."""
    excuse = _EXCUSE.search(lines[move.line - 1])
    return excuse is not None and str(move.nudge.path[-1]) in re.findall(r"\w+", excuse[1])


@cache
def least_of(event: str, field: str) -> Least:
    """What every value of an event's field keeps to, as it is decoded, in the unit of a rule."""
    attribute = ATTRIBUTES.get(event, {}).get(field)
    for each in fields_of(EVENT_CLASSES[event]) if attribute is not None else ():
        kind, _ = bare(each.type)
        if each.name == attribute and isinstance(kind, inspect.IntType):
            bound = kind.ge if kind.gt is None else kind.gt
            if bound is not None and (bound == 0 or attribute == field):  # A suffix says that the unit is another.
                return Least(Fraction(bound), is_reached=kind.gt is None)
    return UNBOUNDED


def _is_noticed(rule: Rule, cases: list[Case], terms: BankTerms) -> bool:
    """Whether some case fails; it is tried first the next time, as neighbouring moves are often noticed by one case."""
    shelf = shelf_of_rule(rule, terms)
    for i, case in enumerate(cases):
        if _fails(rule, case, shelf_of_case(shelf, case)):
            cases.insert(0, cases.pop(i))
            return True
    return False


def _fails(rule: Rule, case: Case, shelf: CompiledShelf) -> bool:
    """Whether an alert is not as expected, or is missing; nobody asks what comes after the first of these."""
    left = iter(case.expect)
    for got in alerts(rule, case, shelf, arrivals_of(case, shelf)):
        want = next(left, None)
        if want is None or not is_as_expected(want, got):
            return True
    return next(left, None) is not None


def _with_windows_as_said(rule: Rule) -> Rule:
    """The rule whose message names its windows as they are: that a moved window is told is no case that notices it."""

    def said(found: re.Match[str]) -> str:
        return span_text(getattr(rule.measure[found[1]], found[2]))

    return replace(rule, say=_WINDOW.sub(said, rule.say))
