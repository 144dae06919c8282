"""How far a figure would move with other borrowers of the same kind: resamples of borrowers for the bootstrap."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

RESAMPLES = 1_000
LEVEL = 0.95  # how many of the resamples lie inside an interval
SEED = 20_250_305  # any number; the same one gives the same bytes
AT_ONCE = 100  # resamples that are in memory together
Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def lumped(differs: npt.NDArray[np.bool_]) -> tuple[Whole, Whole]:
    """The borrowers that differ from others, with one of the others for all of them; and each borrower's place there.

    >>> lumped(np.array([False, True, False]))
    (array([1, 0]), array([1, 0, 1]))
    """
    [rows], [others] = np.nonzero(differs), np.nonzero(~differs)
    place = np.full(len(differs), len(rows), dtype=np.int64)
    place[rows] = np.arange(len(rows))
    return np.concatenate((rows, others[:1])), place


def resamples(place: Whole, rows: int) -> Iterator[Numbers]:
    """Blocks of resamples of all borrowers: how often each of the rows was drawn, one line a resample.

    Each resample draws as many borrowers as there are, every one with the same chance, and puts it back.
    """
    chance = np.random.default_rng(SEED)
    count = len(place)
    for _ in range(RESAMPLES // AT_ONCE):
        block = np.empty((AT_ONCE, rows))
        for line in block:
            line[:] = np.bincount(place[chance.integers(0, count, count)], minlength=rows)
        yield block


def medians(times: Numbers, values: Numbers) -> Numbers:
    """The median of values, each counted so many times, line by line; NaN where none was drawn.

    >>> medians(np.array([[1.0, 1.0], [3.0, 1.0], [0.0, 0.0]]), np.array([10.0, 20.0])).tolist()
    [15.0, 10.0, nan]
    """
    if not len(values):
        return np.full(len(times), np.nan)
    order = np.argsort(values, kind="stable")
    ranked, upto = values[order], np.cumsum(times[:, order], axis=1)
    drawn = upto[:, -1:]
    low = (upto > (drawn - 1) // 2).argmax(axis=1)
    high = (upto > drawn // 2).argmax(axis=1)
    return np.where(drawn[:, 0] > 0, (ranked[low] + ranked[high]) / 2, np.nan)


def interval(drawn: Numbers) -> tuple[float | None, float | None]:
    """The bounds that leave as many resamples below as above; those without the figure say nothing of it."""
    told = drawn[~np.isnan(drawn)]
    if not len(told):
        return None, None
    low, high = np.quantile(told, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)
