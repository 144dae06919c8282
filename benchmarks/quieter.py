"""Ways to say less, tried beside the shelf as it is: rules of other names that stand in for the shipped ones."""

import re
from collections.abc import Callable
from typing import NamedTuple

from pipeline.events import CATALOGUE
from rules.loader import load_text
from rules.rule import Rule, Shelf

QUIET = re.compile(r"^quiet: (\d+)d", re.MULTILINE)
BACKSTOP = "thirty-days-past-due"
AGAIN = "second-missed-instalment"
EARLY = "early-arrears"
SELDOM_TRUE = ("gambling-takes-income", "salary-stopped", "turnover-below-last-year")


class Quieter(NamedTuple):
    """One way to say less: what becomes of a rule's text, or None where it stays."""

    name: str
    change: Callable[[Rule], str | None]


def _quiet_for(days: int) -> Callable[[Rule], str | None]:
    """At least so many days between two openings, but not of a rule that a regulation asks for."""

    def change(rule: Rule) -> str | None:
        if rule.basis.get("when") == "regulation" or rule.quiet >= days:
            return None
        return QUIET.sub(f"quiet: {days}d", rule.text)

    return change


def _one_voice(rule: Rule) -> str | None:
    """Of rules of arrears only the worst speaks: the backstop before a second miss, both before early arrears."""
    if rule.rule == EARLY:
        return re.sub(
            r"^inhibited_by: \[(.*)\]", rf"inhibited_by: [\1, {AGAIN}, {BACKSTOP}]", rule.text, flags=re.MULTILINE
        )
    if rule.rule == AGAIN:
        return rule.text.replace("\nquiet:", f"\ninhibited_by: [{BACKSTOP}]\nquiet:")
    return None


def _second_miss_is_medium(rule: Rule) -> str | None:
    return rule.text.replace("severity: high", "severity: medium") if rule.rule == AGAIN else None


def _high_only_where_often_true(rule: Rule) -> str | None:
    """High severity is left to rules whose high openings are true as often as others."""
    if rule.rule not in SELDOM_TRUE:
        return None
    return re.sub(r"^escalate: .*\n", "", rule.text, flags=re.MULTILINE)


QUIETER = (
    *(Quieter(f"quiet-{days}", _quiet_for(days)) for days in (60, 90, 180)),
    Quieter("one-voice", _one_voice),
    Quieter("second-miss-medium", _second_miss_is_medium),
    Quieter("fewer-high", _high_only_where_often_true),
)


def stand_ins(shelf: Shelf, way: Quieter) -> dict[str, Rule]:
    """By the name of the shipped rule the one that stands in for it."""
    found = {}
    for rule in shelf.rules:
        text = way.change(rule) if rule.status == "live" else None
        if text is not None:
            name = f"{rule.rule}-{way.name}"
            found[rule.rule] = load_text(
                text.replace(f"rule: {rule.rule}\n", f"rule: {name}\n"), f"{name}.yaml", CATALOGUE
            )
    return found
