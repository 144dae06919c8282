"""Differences of figures between two sides over the same borrowers, each with an interval from the same resamples.

A resample draws borrowers, and each borrower brings what both sides say of it: what is hard about a borrower is hard
for both, and only the difference is left.
"""

from typing import NamedTuple

import msgspec
import numpy as np

from pipeline.shells.decided import UNKNOWN
from pipeline.shells.effect import PER_BORROWERS, Judged, Measured
from pipeline.shells.figures import PLACES, RATIOS, differs
from pipeline.shells.resample import Numbers, Whole, interval, lumped, medians, resamples

OF_WORK = ("alerts_per_1000_and_month", "tasks_per_1000_and_month")
OF_WORTH = ("recall", "precision_at_least")
LEAD, LEAD_BOTH = "lead_median_days", "lead_median_days_both"
COMPARED = (*OF_WORK, LEAD_BOTH, LEAD, *OF_WORTH)
_SUMMED = tuple(
    dict.fromkeys(each for name in (*OF_WORK, *OF_WORTH) for each in (RATIOS[name].over, *RATIOS[name].under))
)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A figure on both sides and what it moved by; None where a side has none."""

    before: float | None
    after: float | None
    difference: float | None
    low: float | None
    high: float | None
    of_before: int  # how many it is a share, a rate or a median of
    of_after: int


class Pair(NamedTuple):
    """What each borrower adds to the figures on both sides."""

    before: Measured
    after: Measured


class _Side(NamedTuple):
    """One side's columns, one row a borrower."""

    counts: Numbers  # a column for each of _SUMMED
    days: dict[str, Whole]


class _Drawn(NamedTuple):
    """Figures, one for each line of weights, and what each is of."""

    values: dict[str, Numbers]
    of: dict[str, Numbers]


def differences(pairs: list[Pair], before: Judged, after: Judged) -> list[dict[str, Difference]]:
    """What every figure moved by, pair by pair; the judged are the same borrowers and days."""
    rows, place = lumped(np.asarray(differs(before) | differs(after), dtype=np.bool_))
    sides = [_sides(pair) for pair in pairs]
    few = [[_picked(side, rows) for side in both] for both in sides]
    moved: list[dict[str, list[Numbers]]] = [{name: [] for name in COMPARED} for _ in pairs]
    for times in resamples(place, len(rows)) if before.size else ():
        for both, found in zip(few, moved, strict=True):
            one, other = (_drawn(times, side, before.months).values for side in both)
            for name in COMPARED:
                found[name].append(other[name] - one[name])
    everybody = np.ones((1, before.size))
    told = [[_drawn(everybody, side, before.months) for side in both] for both in sides]
    return [
        {name: _difference(name, one, other, found[name]) for name in COMPARED}
        for (one, other), found in zip(told, moved, strict=True)
    ]


def is_same(pair: Pair) -> bool:
    """Whether both sides say the same of every borrower, as far as figures are made of it."""
    one, other = _sides(pair)
    return np.array_equal(one.counts, other.counts) and np.array_equal(one.days[LEAD], other.days[LEAD])


def _sides(pair: Pair) -> tuple[_Side, _Side]:
    leads = pair.before.days["lead"], pair.after.days["lead"]
    is_both = (leads[0] != UNKNOWN) & (leads[1] != UNKNOWN)
    one, other = (
        _Side(
            np.stack([each.counts[name] for name in _SUMMED], axis=1).astype(np.float64),
            {LEAD: lead, LEAD_BOTH: np.where(is_both, lead, UNKNOWN)},
        )
        for each, lead in zip(pair, leads, strict=True)
    )
    return one, other


def _picked(side: _Side, rows: Whole) -> _Side:
    return _Side(side.counts[rows], {name: days[rows] for name, days in side.days.items()})


def _drawn(times: Numbers, side: _Side, months: float) -> _Drawn:
    """Each figure of one side, with every borrower counted so many times; NaN where it is of nobody."""
    sums = dict(zip(_SUMMED, (times @ side.counts).T, strict=True))  # Whole numbers below 2^53: exact in any order.
    values: dict[str, Numbers] = {}
    of: dict[str, Numbers] = {}
    for name in (*OF_WORK, *OF_WORTH):
        ratio = RATIOS[name]
        scale = PER_BORROWERS / months if ratio.is_workload else 1.0
        of[name] = below = sum((sums[each] for each in ratio.under), np.zeros(len(times)))
        with np.errstate(divide="ignore", invalid="ignore"):
            values[name] = np.where(below > 0, sums[ratio.over] * scale / below, np.nan)
    for name, days in side.days.items():
        [having] = np.nonzero(days != UNKNOWN)
        values[name] = medians(times[:, having], days[having].astype(np.float64))
        of[name] = times[:, having].sum(axis=1)
    return _Drawn(values, of)


def _difference(name: str, before: _Drawn, after: _Drawn, moved: list[Numbers]) -> Difference:
    one, other = before.values[name][0], after.values[name][0]
    by = other - one
    low, high = _interval(np.concatenate(moved)) if moved and not np.isnan(by) else (None, None)
    return Difference(
        before=_rounded(one),
        after=_rounded(other),
        difference=_rounded(by),
        low=low,
        high=high,
        of_before=int(before.of[name][0]),
        of_after=int(after.of[name][0]),
    )


def _interval(moved: Numbers) -> tuple[float | None, float | None]:
    """The interval of differences: to the last bit that of the negated ones, turned round."""
    low, turned = interval(moved)[0], interval(-moved)[0]
    return _rounded(low), _rounded(None if turned is None else -turned)


def _rounded(value: float | None) -> float | None:
    # Adding zero takes the sign off a zero.
    return None if value is None or np.isnan(value) else round(float(value), PLACES) + 0.0
