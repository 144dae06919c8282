"""What only all rules together show: two of one name, and rules that mute each other in a circle."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rules.faults import Fault
from rules.rule import Rule
from rules.yaml_text import Document


class Written(NamedTuple):
    """A sound rule with the document it was read from."""

    rule: Rule
    document: Document


def name_faults(rules: Sequence[Written]) -> list[Fault]:
    """Two rules of one name."""
    first: dict[str, Written] = {}
    faults: list[Fault] = []
    for each in rules:
        other = first.setdefault(each.rule.rule, each)
        if other is not each:
            message = f"{each.rule.rule!r} is also in {other.document.file}; rename one"
            faults.append(each.document.fault(("rule",), message))
    return faults


def cycle_faults(rules: Sequence[Written]) -> list[Fault]:
    """Rules that mute each other in a circle, each circle once."""
    mutes = {each.rule.rule: each.rule.inhibited_by for each in rules}
    faults: list[Fault] = []
    told: set[frozenset[str]] = set()
    for each in sorted(rules, key=lambda each: each.rule.rule):
        circle = _circle(each.rule.rule, mutes)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            way = " <- ".join([*circle, circle[0]])
            message = f"rules mute each other in a circle: {way}; take one of them out"
            faults.append(each.document.fault(("inhibited_by",), message))
    return faults


def _circle(name: str, mutes: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The way from a rule over its inhibitors back to itself, or nothing."""
    ways = [[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for inhibitor in mutes.get(way[-1], ()):
            if inhibitor == name:
                return way
            if inhibitor not in seen:
                seen.add(inhibitor)
                ways.append([*way, inhibitor])
    return []
