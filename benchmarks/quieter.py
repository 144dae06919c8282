"""Ways to say less, tried beside the shelf as it is: rules of other names that stand in for the shipped ones.

`before` is the other way round: how the shelf spoke before early arrears kept silent beside worse alerts, and while a
pay run that did not come was told.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from pipeline.events import CATALOGUE
from rules.loader import load_text
from rules.rule import Rule, Shelf

AGAIN, EARLY, WAGES = "second-missed-instalment", "early-arrears", "wages-paid-late"
SELDOM_TRUE = ("gambling-takes-income", "salary-stopped", "turnover-below-last-year")
Change = Callable[[Rule], str | None]


class Quieter(NamedTuple):
    """One way to say less: what becomes of a rule's text, or None where it stays."""

    name: str
    change: Change


def _before(rule: Rule) -> str | None:
    if rule.rule == EARLY:
        return _line(rule, "inhibited_by", "inhibited_by: [first-instalment-missed]")
    return _line(rule, "status", "status: live") if rule.rule == WAGES else None


def _quiet_for(days: int) -> Change:
    """At least so many days between two openings, but not of a rule that a regulation asks for."""

    def change(rule: Rule) -> str | None:
        if rule.status != "live" or rule.basis.get("when") == "regulation" or rule.quiet >= days:
            return None
        return _line(rule, "quiet", f"quiet: {days}d")

    return change


def _second_miss_is_medium(rule: Rule) -> str | None:
    return _line(rule, "severity", "severity: medium") if rule.rule == AGAIN else None


def _fewer_high(rule: Rule) -> str | None:
    """High severity is left to rules whose high openings are true as often as those of others."""
    return _line(rule, "escalate", "") if rule.rule in SELDOM_TRUE else None


def _line(rule: Rule, field: str, line: str) -> str:
    """The text of a rule with another line for a field."""
    text, count = re.subn(rf"^{field}:.*$", line, rule.text, flags=re.MULTILINE)
    assert count == 1, (rule.rule, field)
    return text


QUIETER = (
    Quieter("before", _before),
    Quieter("quiet-60", _quiet_for(60)),
    Quieter("quiet-90", _quiet_for(90)),
    Quieter("second-miss-medium", _second_miss_is_medium),
    Quieter("fewer-high", _fewer_high),
)


def stand_ins(shelf: Shelf, way: Quieter) -> dict[str, Rule]:
    """By the name of the shipped rule the one that stands in for it."""
    found = {}
    for rule in shelf.rules:
        text = way.change(rule)
        if text is not None:
            name = f"{rule.rule}-{way.name}"
            found[rule.rule] = load_text(
                text.replace(f"rule: {rule.rule}\n", f"rule: {name}\n"), f"{name}.yaml", CATALOGUE
            )
    return found
