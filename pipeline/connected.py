"""Connected borrowers: to whom one is tied, and the warnings that an opening or a default sends there.

A warning is an event of its receiver, on the topic forewarn-connected. It never spreads twice: a rule that reads
warnings sends none.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pipeline.borrower_events import ConnectedWarned
from pipeline.decisions import Alert, Decision, ShadowAlert
from pipeline.keeping import News
from pipeline.layout import day_of
from pipeline.memory import Memory
from pipeline.shelf import CompiledShelf

DEFAULT = "loan.defaulted"
WARNED_OF_DEFAULTS = ("guaranteed", "group")  # as architecture.md has it
SOURCE = "forewarn"
# What the sender is to a receiver that is this to the sender; group, spouse and employer stay what they are.
_SEEN_FROM_THERE = {"guaranteed": "guarantor", "guarantor": "guaranteed"}
_BETWEEN = "/"  # stands in no id


class _Sign(NamedTuple):
    """What others are warned of."""

    rule: str
    episode: str
    severity: Any
    kinds: Iterable[str]  # of ties, along which the warning goes


def note_tie(memory: Memory, event: Any, sort_key: int) -> None:
    """Remember what was last said of a tie, whatever comes first; an end wins over a beginning at the same instant."""
    place = f"{event.kind}{_BETWEEN}{event.related_id}"
    said = (sort_key, bool(event.ended))
    if said > memory.head.ties.get(place, (-1, False)):
        memory.head.ties[place] = said


def warnings(
    shelf: CompiledShelf, memory: Memory, at_ms: int, decisions: Iterable[Decision], news: Iterable[News] = ()
) -> Iterator[ConnectedWarned]:
    """What the openings among these decisions, and the defaults among this news, say to connected borrowers."""
    for sign in (*_openings(shelf, decisions), *_defaults(memory, news)):
        for place, (_, is_ended) in sorted(memory.head.ties.items()):
            kind: Any
            kind, _, receiver = place.partition(_BETWEEN)
            if kind in sign.kinds and not is_ended and receiver != memory.borrower_id:
                yield ConnectedWarned(
                    id=f"{sign.episode}/warned/{kind}/{receiver}",
                    source=SOURCE,
                    at=shelf.terms.zone.local(at_ms),
                    borrower_id=receiver,
                    about=memory.borrower_id,
                    kind=_SEEN_FROM_THERE.get(kind, kind),
                    severity=sign.severity,
                    rule=sign.rule,
                    episode=sign.episode,
                )


def _openings(shelf: CompiledShelf, decisions: Iterable[Decision]) -> Iterator[_Sign]:
    for each in decisions:
        if isinstance(each, Alert) and not isinstance(each, ShadowAlert) and each.transition == "opened":
            kinds = shelf.spreads.get(each.rule)
            if kinds:
                yield _Sign(each.rule, each.episode, each.severity, kinds)


def _defaults(memory: Memory, news: Iterable[News]) -> Iterator[_Sign]:
    """A loan defaults once, however often it is said."""
    for each in news:
        if each.type == DEFAULT and each.key in memory.head.loans:
            is_only = len(memory.streams[DEFAULT][each.key]) == 1
            if is_only and memory.head.loans[each.key].state.defaulted_on == day_of(each.row[0]):
                yield _Sign(DEFAULT, f"{DEFAULT}/{each.key}/1", "critical", WARNED_OF_DEFAULTS)
