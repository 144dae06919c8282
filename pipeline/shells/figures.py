"""The figures of a verdict: shares and medians of what borrowers add to them, with intervals over borrowers."""

from typing import NamedTuple

import msgspec
import numpy as np

from pipeline.shells.decided import UNKNOWN, Mask
from pipeline.shells.effect import AHEAD, FIRST_BY, HORIZONS, PER_BORROWERS, Judged, Measured
from pipeline.shells.resample import Numbers, Whole, interval, lumped, medians, resamples

PLACES = 6  # decimals of a figure


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure, the interval it lies in, and how many it is a share or a median of; None where there are none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    of: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is found of one group: of a rule, a severity or a cause, or of all."""

    of: str | None
    counts: dict[str, int]
    figures: dict[str, Figure]


class Ratio(NamedTuple):
    """A count over a sum of counts."""

    over: str
    under: tuple[str, ...]
    is_workload: bool = False  # for 1,000 borrowers and a month


RATIOS = {
    "recall": Ratio("caught", ("defaulted",)),
    **{f"ahead_{days}_days": Ratio(f"ahead_{days}", ("defaulted",)) for days in AHEAD},
    **{f"recall_{days}_days": Ratio(f"by_{days}", (f"seen_{days}",)) for days in HORIZONS},
    "before_backstop": Ratio("before_backstop", ("backstop_known",)),
    "precision": Ratio("true", ("true", "false")),
    "precision_mature": Ratio("mature_true", ("mature",)),
    "precision_at_least": Ratio("true", ("true", "false", "censored")),
    "alerted_share": Ratio("alerted", ("borrowers",)),
    "alerted_that_defaulted": Ratio("caught", ("alerted",)),
    "base_rate": Ratio("defaulted", ("borrowers",)),
    "only_this_rule": Ratio("only", ("defaulted",)),
    "first_to_warn": Ratio("first", ("defaulted",)),
    f"first_by_{FIRST_BY}_days": Ratio("first_by", ("defaulted",)),
    "before_onset": Ratio("before_onset", ("onset_known",)),
    "flip_flop": Ratio("flips", ("closings",)),
    "alerts_per_1000_and_month": Ratio("alerts", ("borrowers",), is_workload=True),
    "tasks_per_1000_and_month": Ratio("tasks", ("borrowers",), is_workload=True),
}
MEDIANS = {
    "lead_median_days": "lead",
    "added_lead_median_days": "added",
    "onset_to_alert_median_days": "since_onset",
}
OF_ONE_RULE = ("only", "first", "first_by")  # counts that only a rule among others has
COUNTS = ("borrowers", "defaulted", "caught", "alerted", "alerts", "true", "false", "censored", "after_default")
WARNING = (
    *("recall", "lead_median_days", *(f"ahead_{days}_days" for days in AHEAD)),
    *(f"recall_{days}_days" for days in HORIZONS),
    *("before_backstop", "precision_at_least", "precision_mature", "precision"),
)
WORK = ("flip_flop", "alerts_per_1000_and_month")
TASKS = "tasks_per_1000_and_month"
BESIDE = ("only_this_rule", "first_to_warn", f"first_by_{FIRST_BY}_days", "added_lead_median_days")
ONSET = ("before_onset", "onset_to_alert_median_days")
OF_ALL = (*WARNING, "alerted_share", "alerted_that_defaulted", "base_rate", *ONSET, *WORK, TASKS)
OF_BUDGET = WARNING
OF_RULE = (*WARNING, *BESIDE, "alerted_share", "alerted_that_defaulted", *ONSET, *WORK, TASKS)
OF_SEVERITY = (*WARNING, "alerted_share", "alerted_that_defaulted", *WORK)
OF_CAUSE = (*WARNING, "alerted_share", "base_rate", *ONSET, *WORK, TASKS)


class Asked(NamedTuple):
    """A group to find figures of."""

    of: str | None
    figures: tuple[str, ...]
    measured: Measured


class Drawn(NamedTuple):
    """Sums of counts and medians of days, one a resample."""

    counts: dict[str, Numbers]
    medians: dict[str, Numbers]


def verdict(asked: Asked, months: float) -> Verdict:
    """The figures of a group without intervals."""
    return _verdict(asked, months, None)


def verdicts(asked: list[Asked], known: Judged) -> list[Verdict]:
    """The figures of every group, with intervals from the same resamples of borrowers."""
    rows, place = lumped(differs(known))
    sums: list[list[Numbers]] = [[] for _ in asked]
    middles: list[dict[str, list[Numbers]]] = [{name: [] for name in MEDIANS.values()} for _ in asked]
    tables = [_table(each.measured, rows) for each in asked]
    for times in resamples(place, len(rows)) if known.size else ():
        for each, table, summed, middle in zip(asked, tables, sums, middles, strict=True):
            summed.append(times @ table)  # Whole numbers below 2^53: exact in any order.
            for name, days in each.measured.days.items():
                middle[name].append(_medians(times, days[rows]))
    found = []
    for each, summed, middle in zip(asked, sums, middles, strict=True):
        columns = np.concatenate(summed).T if summed else np.empty((len(each.measured.counts), 0))
        counts = dict(zip(each.measured.counts, columns, strict=True))
        of_days = {name: np.concatenate(blocks) if blocks else np.empty(0) for name, blocks in middle.items()}
        found.append(_verdict(each, known.months, Drawn(counts, of_days)))
    return found


def _table(measured: Measured, rows: Whole) -> Numbers:
    return np.stack([column[rows] for column in measured.counts.values()], axis=1).astype(np.float64)


def differs(known: Judged) -> Mask:
    """Borrowers with an alert, a task, a default or a row in the truth; all others add the same to every figure."""
    decided = known.decided
    differs = known.is_dated | (known.cause != UNKNOWN)
    for places in (decided.openings.borrower, decided.closings.borrower, decided.tasks.borrower):
        differs[places] = True
    return np.asarray(differs, dtype=np.bool_)


def _medians(times: Numbers, days: Whole) -> Numbers:
    [having] = np.nonzero(days != UNKNOWN)
    return medians(times[:, having], days[having].astype(np.float64))


def _verdict(asked: Asked, months: float, drawn: Drawn | None) -> Verdict:
    sums = {name: int(column.sum()) for name, column in asked.measured.counts.items()}
    counts = (*COUNTS, *(name for name in (*OF_ONE_RULE, "tasks") if name in sums and _is_asked(name, asked.figures)))
    return Verdict(
        of=asked.of,
        counts={name: sums[name] for name in counts},
        figures={name: _figure(name, asked, sums, months, drawn) for name in asked.figures},
    )


def _is_asked(count: str, figures: tuple[str, ...]) -> bool:
    return any(RATIOS[name].over == count for name in figures if name in RATIOS)


def _figure(name: str, asked: Asked, sums: dict[str, int], months: float, drawn: Drawn | None) -> Figure:
    if name in MEDIANS:
        days = asked.measured.days[MEDIANS[name]]
        having = days[days != UNKNOWN]
        value = float(np.median(having)) if len(having) else None
        return _with_interval(value, len(having), None if drawn is None else drawn.medians[MEDIANS[name]])
    ratio = RATIOS[name]
    scale = PER_BORROWERS / months if ratio.is_workload else 1.0
    under = sum(sums[each] for each in ratio.under)
    value = sums[ratio.over] * scale / under if under else None
    if drawn is None:
        return _with_interval(value, under, None)
    below = sum((drawn.counts[each] for each in ratio.under), np.zeros(1))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(below > 0, drawn.counts[ratio.over] * scale / below, np.nan)
    return _with_interval(value, under, shares)


def _with_interval(value: float | None, of: int, drawn: Numbers | None) -> Figure:
    low, high = (None, None) if drawn is None or value is None else interval(drawn)
    return Figure(value=_rounded(value), low=_rounded(low), high=_rounded(high), of=of)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, PLACES)
