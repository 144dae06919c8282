"""What hangs together in a block of borrowers: who is a firm, who joins when, spouses, guarantors, groups."""

from random import Random
from typing import NamedTuple

from connectors.simulator.world import World


class Ties(NamedTuple):
    """The ties of one block, drawn from the stream of the block."""

    is_firm: list[bool]
    joins: list[int]  # the day on which the first loan is paid out; -1: long ago
    spouses: dict[int, str]
    related: dict[int, list[tuple[str, str]]]  # number -> (the other borrower, what it is to this one)
    divorces: dict[int, float]  # number -> a draw that both spouses share


def ties_of(block: int, w: World) -> Ties:
    """The ties of a block; what is drawn depends on the seed and the block alone."""
    chance, size, f = Random(f"{w.seed}:{block}:ties"), w.figures.block, w.figures.portfolio
    is_firm = [chance.random() < f.firms for _ in range(size)]
    joins = []
    until = w.month_starts[w.month_of[w.first] + f.newcomers_until] - w.first
    for _ in range(size):
        is_new, when = chance.random() < f.newcomers, chance.random()
        joins.append(w.first + 1 + int(when * (until - 1)) if is_new else -1)
    ties = Ties(is_firm, joins, {}, {}, {})
    persons = [block * size + n for n in range(size) if not is_firm[n]]
    firms = [block * size + n for n in range(size) if is_firm[n]]
    for one, other in zip(persons[::2], persons[1::2], strict=False):
        are_married, draw = chance.random() < f.spouses, chance.random()
        if are_married:
            ties.spouses.update({one: _key(other), other: _key(one)})
            ties.divorces.update({one: draw, other: draw})
            _tie(ties, one, other, "spouse", "spouse")
    for firm in firms:
        has_guarantor, who = chance.random() < f.guarantors, chance.random()
        if has_guarantor and persons:
            person = persons[int(who * len(persons))]
            _tie(ties, firm, person, "guarantor", "guaranteed")
    if len(firms) > 1 and chance.random() < f.groups:
        for other in firms[1:]:
            _tie(ties, firms[0], other, "group", "group")
    return ties


def _tie(ties: Ties, one: int, other: int, other_is: str, one_is: str) -> None:
    ties.related.setdefault(one, []).append((_key(other), other_is))
    ties.related.setdefault(other, []).append((_key(one), one_is))


def _key(number: int) -> str:
    return f"B{number:07d}"
