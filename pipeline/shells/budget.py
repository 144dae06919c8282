"""Which openings a team would work that cannot work all of them: the worst first."""

import calendar
from datetime import date

import numpy as np

from pipeline.shells.decided import Mask, Places
from pipeline.shells.effect import AFTER_DEFAULT, Judged

MONTHLY_PPM = 20_000  # share of the borrowers that is looked at in a month: 2 %
MILLION = 1_000_000
CENTIDAYS_A_MONTH = 3_044


def usual_budget(borrowers: int) -> int:
    """Openings a day that come to 2 % of the borrowers in a month, rounded up.

    >>> usual_budget(10_000), usual_budget(1_000), usual_budget(0)
    (7, 1, 1)
    """
    return max(1, _rounded_up(borrowers * MONTHLY_PPM * 100, MILLION * CENTIDAYS_A_MONTH))


def worked_daily(judged: Judged, budget: int) -> Mask:
    """Each day the openings of greatest severity, then the earliest, then by id; none of borrowers in default."""
    openings = judged.decided.openings
    [places] = np.nonzero(judged.outcome != AFTER_DEFAULT)
    ranked = places[np.lexsort((places, -openings.severity[places], openings.on[places]))]
    return _first_of_each(ranked, openings.on[ranked], np.full(len(ranked), budget), len(openings.on))


def worked_monthly(judged: Judged) -> Mask:
    """Each calendar month the 2 % of all borrowers with the worst, then the earliest opening, then by id.

    A borrower counts with one opening a month, the worst and then the earliest. Of a month that was seen in part, the
    same part of the places is there.
    """
    openings = judged.decided.openings
    [places] = np.nonzero(judged.outcome != AFTER_DEFAULT)
    month = openings.on[places].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    best = places[np.lexsort((places, -openings.severity[places], openings.borrower[places], month))]
    month = np.sort(month)
    is_first = np.ones(len(best), dtype=np.bool_)
    is_first[1:] = (month[1:] != month[:-1]) | (openings.borrower[best[1:]] != openings.borrower[best[:-1]])
    best, month = best[is_first], month[is_first]
    order = np.lexsort((openings.borrower[best], openings.moment[best], -openings.severity[best], month))
    best, month = best[order], month[order]
    there = {int(each): _places_in(judged, int(each)) for each in np.unique(month)}
    room = np.array([there[int(each)] for each in month], dtype=np.int64)
    return _first_of_each(best, month, room, len(openings.on))


def _first_of_each(ranked: Places, period: Places, room: Places, count: int) -> Mask:
    """The first of each period that there is room for; equal periods stand together."""
    _, start, length = np.unique(period, return_index=True, return_counts=True)
    rank = np.arange(len(period)) - np.repeat(start, length)
    chosen = np.zeros(count, dtype=np.bool_)
    chosen[ranked[rank < room]] = True
    return chosen


def _places_in(judged: Judged, month: int) -> int:
    """How many borrowers can be looked at in a month, counted from January 1970."""
    year, index = 1970 + month // 12, month % 12 + 1
    length = calendar.monthrange(year, index)[1]
    first = max(judged.decided.first, date(year, index, 1))
    last = min(judged.decided.last, date(year, index, length))
    return _rounded_up(judged.size * MONTHLY_PPM * ((last - first).days + 1), MILLION * length)


def _rounded_up(part: int, whole: int) -> int:
    return -(-part // whole)
