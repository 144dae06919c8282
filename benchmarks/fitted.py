"""The fitted thresholds of the shelf with the values each may take, and a shelf in which every value is a rule.

A rule decides by itself: what it opens does not depend on the others, as no fitted rule mutes another. So one replay of
all values shows what any choice of them would have told.
"""

from itertools import product
from typing import NamedTuple

from pipeline.events import CATALOGUE
from rules.loader import load_text, shelf_of
from rules.rule import Rule, Shelf

MARK = "-at-"  # between the name of a rule and the number of its values


class Fitted(NamedTuple):
    """What was fitted of one rule: a piece of its text, and the round values of each slot in it."""

    rule: str
    text: str
    values: tuple[tuple[str, ...], ...]

    @property
    def choices(self) -> list[str]:
        """The piece with every combination of the values, the loosest of each first."""
        return [self.text.format(*each) for each in product(*self.values)]


FITTED = (
    Fitted("bureau-score-fell", "when: score < {} * usual", (("0.95", "0.9", "0.85", "0.8"),)),
    Fitted("card-filled-up", "when: used >= {} and before < {}", (("0.8", "0.9", "0.95"), ("0.7", "0.6", "0.5"))),
    Fitted("cushion-melts", "before >= spent and best < {} * spent", (("0.3", "0.2", "0.1", "0.05"),)),
    Fitted(
        "debt-elsewhere-grows",
        "when: total > {} * lowest and total - lowest >= {}",
        (("1.5", "2", "3"), ("5000", "10000", "20000")),
    ),
    Fitted("early-arrears", "when: overdue >= {} and", (("5", "10", "15", "20"),)),
    Fitted("instalment-above-balance", "most < {} * paid", (("1", "0.75", "0.5", "0.25"),)),
    Fitted("losses", "from: external.financials, over: {}}}", (("180d", "270d", "360d"),)),
    Fitted("tax-arrears", "when: notices >= {}", (("1", "2", "3"),)),
    Fitted(
        "turnover-below-last-year",
        "when: sales < {} * last_year and sales < {} * half_year / 2\nfor: 14d\n\nseverity: medium\n"
        "escalate: {{high: sales < {} * last_year}}",
        (("0.7", "0.6", "0.5"), ("0.9", "0.8", "0.7"), ("0.5", "0.4", "0.3")),
    ),
)


def shipped(rule: Rule, fitted: Fitted) -> str:
    """The choice that stands in the rule's file."""
    [found] = [each for each in fitted.choices if each in rule.text]
    return found


def with_choice(rule: Rule, fitted: Fitted, choice: str, name: str) -> Rule:
    """The rule under another name, with other values."""
    text = rule.text.replace(shipped(rule, fitted), choice).replace(f"rule: {rule.rule}\n", f"rule: {name}\n")
    return load_text(text, f"{name}.yaml", CATALOGUE)


def shelf_of_choices(shelf: Shelf) -> Shelf:
    """The live rules of a shelf, and in place of each fitted one a rule for every choice of its values."""
    live = {rule.rule: rule for rule in shelf.rules if rule.status == "live"}
    fixed = [rule for name, rule in live.items() if name not in {each.rule for each in FITTED}]
    tried = [
        with_choice(live[each.rule], each, choice, name_of(each.rule, number))
        for each in FITTED
        for number, choice in enumerate(each.choices)
    ]
    return shelf_of([*fixed, *tried], None)


def name_of(rule: str, number: int) -> str:
    """The name of a rule with the choice of that number.

    >>> name_of("early-arrears", 2)
    'early-arrears-at-2'
    """
    return f"{rule}{MARK}{number}"
