"""Who is alerted otherwise by another shelf, and what that costs and gains: both decided on the same events.

first alert   before   after
newly            -       x
no longer        x       -
earlier          ------- x      days
later            x -------
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple

import msgspec
import numpy as np

from pipeline.shells.against.paired import Difference, Pair, differences, is_same
from pipeline.shells.backtest.part import Part
from pipeline.shells.decided import AlertLine, Decided, ProfileLine, SummaryFile, TaskLine, decided_of
from pipeline.shells.effect import Group, Judged, Measured, everything, judged, measured
from pipeline.shells.truth import Truth
from pipeline.zone import date_of_number

LISTS = ("newly", "no_longer", "earlier", "later")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One borrower who is alerted otherwise."""

    borrower_id: str
    before: date | None  # the first alert
    after: date | None
    days: int | None  # between both
    defaulted_on: date | None  # where it is a defaulter


class Lists(msgspec.Struct, frozen=True, kw_only=True):
    """Borrowers by how they are alerted otherwise."""

    newly: tuple[Line, ...]
    no_longer: tuple[Line, ...]
    earlier: tuple[Line, ...]
    later: tuple[Line, ...]


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Those that defaulted on the judged days, from the first of both alerts on, and all others."""

    defaulters: Lists
    others: Lists

    @property
    def is_nobody(self) -> bool:
        """Whether nobody is alerted otherwise."""
        return not any(getattr(each, name) for each in (self.defaulters, self.others) for name in LISTS)


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One rule on both sides, or the whole shelf."""

    of: str | None
    before: str | None  # its status; None: it is not there
    after: str | None
    moved: Moved
    figures: dict[str, Difference]


class Side(NamedTuple):
    """What the rules of one side decided, history and all, and which of them tell."""

    alerts: list[AlertLine]
    candidates: list[AlertLine]  # of rules that tell nobody
    statuses: Mapping[str, str]

    @classmethod
    def of(cls, part: Part, statuses: Mapping[str, str]) -> "Side":
        """What a backtest found."""
        return cls(part.alerts, part.candidates, statuses)


class Voice(NamedTuple):
    """What one rule, or a shelf, says: its openings of the judged days, and whom it alerted first on which day."""

    measured: Measured
    first: dict[str, date]


class Seen(NamedTuple):
    """One side beside what became of the borrowers."""

    side: Side
    judged: Judged

    def rule(self, name: str | None, *, only_live: bool) -> Voice:
        """One rule; silent where it is not there, or where it tells nobody and only what is told counts."""
        decided, status = self.judged.decided, self.side.statuses.get(name or "")
        if name is None or status is None or (only_live and status != "live"):
            return self._voice(())
        return self._voice((name,), decided.tasks.asked_of[np.isin(decided.tasks.asked_by, self._places((name,)))])

    def shelf(self) -> Voice:
        """All that is told."""
        live = tuple(name for name, status in self.side.statuses.items() if status == "live")
        return self._voice(live, self.judged.decided.tasks.borrower)

    def _places(self, names: Collection[str]) -> list[int]:
        return [i for i, rule in enumerate(self.judged.decided.rules) if rule in names]

    def _voice(self, names: Collection[str], tasks: "np.ndarray | None" = None) -> Voice:
        decided, places = self.judged.decided, self._places(names)
        group = Group(
            openings=np.isin(decided.openings.rule, places),
            borrowers=everything(self.judged).borrowers,
            closings=np.isin(decided.closings.rule, places),
            tasks=tasks,
        )
        lines = (each for each in (*self.side.alerts, *self.side.candidates) if each.rule in names)
        return Voice(measured(self.judged, group), first_alerts(lines, decided.first, decided.last))


class Days(NamedTuple):
    """What both sides are judged by."""

    summary: SummaryFile
    profiles: list[ProfileLine]
    truth: Truth | None  # None: the defaults in the profiles


def seen(side: Side, tasks: list[TaskLine], days: Days) -> Seen:
    """Lay what became of the borrowers beside what one side said on the judged days."""
    first = days.summary.first_day
    assert first is not None
    lines = [each for each in (*side.alerts, *side.candidates) if each.business_date >= first]
    decided: Decided = decided_of(days.summary, days.profiles, lines, tasks)
    return Seen(side, judged(decided, decided.defaults if days.truth is None else days.truth))


def together(before: list[ProfileLine], after: list[ProfileLine]) -> list[ProfileLine]:
    """Every borrower of both sides: who is only warned by others exists where they warn."""
    return list({each.borrower_id: each for each in (*before, *after)}.values())


def first_alerts(lines: Iterable[AlertLine], first: date, last: date) -> dict[str, date]:
    """When each borrower was first alerted, by an alert that was open at any time between two days."""
    lines = list(lines)
    over = {each.episode for each in lines if each.transition == "closed" and each.business_date < first}
    found: dict[str, date] = {}
    for each in lines:
        if each.transition == "opened" and each.business_date <= last and each.episode not in over:
            found[each.borrower_id] = min(each.business_date, found.get(each.borrower_id, each.business_date))
    return found


class Asked(NamedTuple):
    """What is compared, under which name."""

    of: str | None
    before: str | None
    after: str | None
    voices: tuple[Voice, Voice]

    @property
    def pair(self) -> Pair:
        """What figures are made of."""
        return Pair(*(each.measured for each in self.voices))

    @property
    def is_same(self) -> bool:
        """Whether both sides say the same."""
        return self.voices[0].first == self.voices[1].first and is_same(self.pair)


def compared(asked: list[Asked], before: Judged, after: Judged) -> list[Compared]:
    """Who is alerted otherwise, and what the figures moved by."""
    found = differences([each.pair for each in asked], before, after)
    defaults = {
        borrower_id: date_of_number(int(on))
        for borrower_id, on, is_default in zip(
            before.decided.borrowers, before.defaulted_on, before.is_default, strict=True
        )
        if is_default
    }
    return [
        Compared(
            of=each.of,
            before=each.before,
            after=each.after,
            moved=moved(each.voices[0].first, each.voices[1].first, defaults),
            figures=figures,
        )
        for each, figures in zip(asked, found, strict=True)
    ]


def moved(before: Mapping[str, date], after: Mapping[str, date], defaults: Mapping[str, date]) -> Moved:
    """Who is alerted otherwise."""
    lines: dict[tuple[bool, str], list[Line]] = {}
    for borrower_id in sorted(before.keys() | after.keys()):
        one, other = before.get(borrower_id), after.get(borrower_id)
        if one == other:
            continue
        defaulted_on = defaults.get(borrower_id)
        if defaulted_on is not None and defaulted_on < min(each for each in (one, other) if each is not None):
            defaulted_on = None  # Both alerts warn of nothing any more.
        line = Line(
            borrower_id=borrower_id,
            before=one,
            after=other,
            days=None if one is None or other is None else abs((other - one).days),
            defaulted_on=defaulted_on,
        )
        lines.setdefault((defaulted_on is not None, _kind(one, other)), []).append(line)

    def lists(*, of_defaulters: bool) -> Lists:
        return Lists(**{name: tuple(lines.get((of_defaulters, name), ())) for name in LISTS})

    return Moved(defaulters=lists(of_defaulters=True), others=lists(of_defaulters=False))


def _kind(before: date | None, after: date | None) -> str:
    if before is None or after is None:
        return "newly" if before is None else "no_longer"
    return "earlier" if after < before else "later"
