"""The storm guard: more openings of a rule in a day than it may have are held for an officer.

It stands behind the core, since it looks across borrowers: what the core decides is the same with it and without it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from pipeline.decisions import Alert, CollectionTask, Decision, ShadowAlert
from pipeline.decode import Arrival
from pipeline.events import ConnectedWarned
from pipeline.shelf import CompiledShelf

DEFAULT_OPENINGS = 50  # a day, where a rule says nothing (architecture.md)


class Passed(NamedTuple):
    """A decision, and whether it goes out or is held."""

    decision: Decision
    is_held: bool


class StormGuard:
    """Openings by rule on the present day, and the episodes whose opening was held."""

    def __init__(self, shelf: CompiledShelf) -> None:
        limits = {name: rule.daily_openings for name, rule in shelf.rules.items()}
        self._limits = {name: DEFAULT_OPENINGS if n is None else n for name, n in limits.items()}
        self._day = ""
        self._openings: Counter[str] = Counter()
        self.held: set[str] = set()

    def watch(self, decisions: Iterable[Decision]) -> Iterator[Passed]:
        """Each decision in its order; a held opening holds all that follows from it."""
        for decision in decisions:
            if isinstance(decision, Alert) and not isinstance(decision, ShadowAlert):
                yield Passed(decision, self._holds(decision))
            elif isinstance(decision, ConnectedWarned):
                yield Passed(decision, decision.episode in self.held)
            elif isinstance(decision, CollectionTask) and self.held:
                yield self._without_held(decision)
            else:
                yield Passed(decision, False)

    def stopped(self, warning: Arrival) -> tuple[()] | None:
        """What becomes of a warning instead of its delivery: nothing where the alert that sends it is held."""
        assert isinstance(warning.event, ConnectedWarned)
        return () if warning.event.episode in self.held else None

    def _holds(self, alert: Alert) -> bool:
        if alert.business_date != self._day:
            self._day, self._openings = alert.business_date, Counter()
        if alert.transition == "opened":
            self._openings[alert.rule] += 1
            if self._openings[alert.rule] > self._limits[alert.rule]:
                self.held.add(alert.episode)
                return True
            return False
        is_held = alert.episode in self.held
        if alert.transition == "closed":
            self.held.discard(alert.episode)
        return is_held

    def _without_held(self, task: CollectionTask) -> Passed:
        """A task for the alerts that went out; one that has none of them is held whole."""
        told = [episode for episode in task.alerts if episode not in self.held]
        return Passed(task, True) if not told else Passed(msgspec.structs.replace(task, alerts=told), False)
