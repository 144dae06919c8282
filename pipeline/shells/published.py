"""Published figures and rates: each holds from its own date on, whenever it arrives."""

from typing import Literal

import msgspec

from pipeline.decode import Arrival
from pipeline.events import FxPublished, MacroPublished
from pipeline.look import Day

Kind = Literal["figures", "rates"]


class Standing(msgspec.Struct, array_like=True):
    """What was published, as it is stored."""

    since: list[tuple[Kind, str, int, int]]
    early: list[Arrival]


class Published:
    """What was published so far, and what came before its date."""

    def __init__(self) -> None:
        self._since: dict[tuple[Kind, str], tuple[int, int]] = {}  # date and instant of the one that holds
        self._early: list[Arrival] = []

    def taken(self, day: Day, arrival: Arrival) -> Day:
        """The open day after an arrival: a later date's figures wait for it, older ones never replace newer ones."""
        if arrival.date > day.date:
            self._early.append(arrival)
            return day
        event = arrival.event
        if isinstance(event, MacroPublished):
            return msgspec.structs.replace(day, figures=self._newest("figures", arrival, day.figures, event.figures))
        if isinstance(event, FxPublished):
            return msgspec.structs.replace(day, rates=self._newest("rates", arrival, day.rates, event.rates))
        return day

    def begun(self, day: Day) -> Day:
        """A day that has just begun, with what came early for it."""
        early, self._early = self._early, []
        for arrival in early:
            day = self.taken(day, arrival)
        return day

    def standing(self) -> Standing:
        """All of it, to be stored."""
        return Standing([(*name, *since) for name, since in self._since.items()], list(self._early))

    def restore(self, standing: Standing) -> None:
        """Go on from what was stored."""
        self._since = {(kind, name): (date, at_ms) for kind, name, date, at_ms in standing.since}
        self._early = list(standing.early)

    def _newest(self, kind: Kind, arrival: Arrival, held: dict[str, int], told: dict[str, int]) -> dict[str, int]:
        newest, since = dict(held), (arrival.date, arrival.at_ms)
        for name, value in told.items():
            if since >= self._since.get((kind, name), since):
                newest[name], self._since[kind, name] = value, since
        return newest
