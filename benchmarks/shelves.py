"""The made-up rules compiled for a bank, and how selective they turn out to be."""

import operator
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from benchmarks.workload import MEASURES
from config.settings import load
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.profiles import profile_of
from pipeline.shelf import BankTerms, CompiledShelf, compile_shelf
from pipeline.shells.terms import terms_of
from rules.rule import And, Comparison, Name, Number, Rule, Shelf

OPERATORS = {">=": operator.ge, "<": operator.lt}


def terms() -> BankTerms:
    """The terms that hold where a bank sets none of its own."""
    return terms_of(load())


def empty_shelf() -> CompiledShelf:
    """No rules at all: what an event costs in the ledger and in memory."""
    return compile_shelf(Shelf((), "none"), terms())


def probing_shelf() -> CompiledShelf:
    """For each measure one rule that never holds: what it costs to have every measure at hand after each event."""
    rules = tuple(_rule(f"probe-{name.replace('_', '-')}", (name,), And((_never(name),))) for name in sorted(MEASURES))
    return compile_shelf(Shelf(rules, "probes"), terms())


def values_of(day: Day, memories: Iterable[Memory]) -> list[dict[str, Any]]:
    """Every measure of each borrower after a close, in the rule's own unit; None is unknown."""
    shelf = compile_shelf(Shelf((_rule("all", tuple(MEASURES), _never("missed")),), "all"), terms())
    return [profile_of(shelf, day, memory)["measures"]["all"][memory.borrower_id] for memory in memories]


def samples_of(values: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The known values of each measure."""
    return {name: [each[name] for each in values if each[name] is not None] or [0] for name in MEASURES}


def shares(shelf: Shelf, values: list[dict[str, Any]]) -> tuple[float, float]:
    """The share of comparisons that are true at a look, and of rules."""
    asked = true = rules_true = 0
    for rule in shelf.rules:
        assert isinstance(rule.when, And)
        parts = [(OPERATORS[p.comparator], p.left.name, float(p.right.value)) for p in rule.when.parts]  # type: ignore[union-attr]  # shelf_of makes no other parts
        for each in values:
            verdicts = [each[name] is not None and compare(each[name], point) for compare, name, point in parts]
            asked += len(verdicts)
            true += sum(verdicts)
            rules_true += all(verdicts)
    return true / asked, rules_true / (len(shelf.rules) * len(values))


def _never(name: str) -> Comparison:
    return Comparison("<", Name(name), Number(Decimal(-(10**9))))


def _rule(name: str, measures: tuple[str, ...], when: Any) -> Rule:
    return Rule(
        rule=name,
        title="",
        status="live",
        owner="bench",
        since="2025-01-01",
        why="",
        per="borrower_id",
        measure={each: MEASURES[each] for each in measures},
        when=when,
        severity="low",
        say="",
    )
