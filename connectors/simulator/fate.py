"""What will go wrong in a life, and what will only look like it: drawn from streams of their own."""

from math import log
from random import Random

from connectors.simulator import acts
from connectors.simulator.look_alikes import PERSONAL
from connectors.simulator.parameters import SHOCKS
from connectors.simulator.state import Borrower
from connectors.simulator.ties import Ties
from connectors.simulator.troubles import Hazard
from connectors.simulator.world import DAY, World

OF_FIRMS = frozenset(("turnover_fall", "customer_loss", "rate_rise", "funds_to_securities"))
OF_PERSONS = frozenset(SHOCKS) - {"turnover_fall", "customer_loss"}
YEAR = 365.25


def draw_fate(b: Borrower, w: World, ties: Ties, attempt: int, *, is_new: bool) -> None:
    """The first shock of a life, an unnamed bill, and a look-alike; each draw is made whether it is used or not."""
    chance = Random(f"{w.seed}:{b.number}:{attempt}:fate")
    days: dict[str, int] = {}
    hour = chance.random()
    for name in SHOCKS:
        draw, when = chance.random(), chance.random()
        if name == "divorce" and b.number in ties.divorces and not attempt:
            draw = ties.divorces[b.number]
        day = _day_of(name, b, w, draw, when, is_new=is_new)
        if day is not None and name in w.shocks:
            days[name] = day
    if days:
        b.shock = min(days, key=lambda name: days[name])
        _plan(b, w, days[b.shock], hour, acts.SHOCK)
    _plan(b, w, _after(b, chance.random(), w.figures.unnamed.a_year), chance.random(), acts.BILL)
    if not b.is_firm:
        drawn = {name: _after(b, chance.random(), getattr(w.figures.look_alikes, name).a_year) for name in PERSONAL}
        b.look_alike = min(drawn, key=lambda name: drawn[name])
        _plan(b, w, drawn[b.look_alike], chance.random(), acts.LOOK_ALIKE)


def _day_of(name: str, b: Borrower, w: World, draw: float, when: float, *, is_new: bool) -> int | None:
    """The day on which a shock would begin, or None where it cannot."""
    figures = getattr(w.figures.shocks, name)
    if name not in (OF_FIRMS if b.is_firm else OF_PERSONS):
        return None
    if name == "early_fraud":
        is_one = is_new and b.loans[0].product == "personal" and draw < figures.of_new_loans
        return b.today + 1 + int(when * 2) if is_one else None
    assert isinstance(figures, Hazard)
    if name == "job_loss" and b.income_kind != "salary":
        return None
    if name == "rate_rise" and b.loans[0].product not in ("mortgage", "term"):
        return None
    return _after(b, draw, figures.a_year)


def _after(b: Borrower, draw: float, a_year: float) -> int:
    """The day of the first event of a hazard."""
    return b.today + 3 + int(-log(1.0 - draw) * YEAR / a_year) if a_year > 0 else 1 << 30


def _plan(b: Borrower, w: World, day: int, when: float, act: int) -> None:
    if day < w.end:
        b.plan(day * DAY + int((8 + 12 * when) * 3600), act)
