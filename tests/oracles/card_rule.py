"""The rule that most journeys of an alert steer: it is true while a card is used above its limit."""

from collections.abc import Sequence
from typing import Any

from rules.rule import Rule
from tests.oracles.rule_events import card
from tests.oracles.rule_journeys import Told, journey
from tests.oracles.rule_makers import compare, measure, measures, rule

USE = measure("use", "latest", "used_share", "account.balance")
ON, OFF, WORSE = 150, 50, 250  # percent


def full(**more: Any) -> Rule:
    """The rule, with a life as the journey wants it."""
    return rule("full", per="account_id", measure=measures(USE), when=compare("use", ">", 1), **more)


def at(day: int, percent: int, clock: str = "09:00:00.000", **more: Any) -> Told:
    """The card on a day."""
    return card(day, percent, clock=clock, **more)


def said(rules: Rule | Sequence[Rule], *events: Told, until: int, **more: Any) -> list[str]:
    """What is said, in words: the day, what, and how bad or why."""
    return [
        f"day {each.day} {each.transition} {each.reason or each.severity}"
        for each in journey(rules, *events, until=until, **more)
    ]
