"""Vintage curves: of loans paid out in one month or quarter, how many had gone wrong so many months later."""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from pipeline.shells.months import MonthEnd
from pipeline.shells.report.buckets import Months, is_late
from pipeline.shells.report.drawing import LINES, PERCENT, figure, line
from pipeline.shells.report.panel import Cell, Panel, Table, Text, joined, number_of, ratio, same, say, share, unknown

MOST = 8  # lines that can be told apart; more cohorts than that are taken by quarter


class Life(NamedTuple):
    """A loan that was followed from the month in which it was paid out; months are counted from year 0."""

    paid_out: int
    went_late: int | None  # first month's end at which it was more than 30 days past due, or in default
    defaulted: int | None


class Followed(NamedTuple):
    """The loans that can be followed, and how many there are in all."""

    lives: list[Life]
    has_known_days: bool
    loans: int
    last: int  # the last month


def followed(months: Months, first_day: date) -> Followed:
    """The loans that were paid out within the replay, and of whose days past due something is known."""
    rows: dict[str, list[MonthEnd]] = {}
    for month in months.values():
        for row in month:
            rows.setdefault(row.loan_id, []).append(row)
    begun = f"{first_day:%Y-%m}"
    from_start = [each for each in rows.values() if (each[0].disbursed_on or "") >= begun]
    known = [each for each in from_start if any(r.days_past_due is not None or r.defaulted_on for r in each)]
    last = max((_index(month) for month in months), default=0)
    return Followed([_life(each) for each in known], bool(known) or not from_start, len(rows), last)


def _life(rows: list[MonthEnd]) -> Life:
    return Life(
        _index(str(rows[0].disbursed_on)),
        next((_index(row.month) for row in rows if is_late(row) or row.defaulted_on is not None), None),
        next((_index(row.month) for row in rows if row.defaulted_on is not None), None),
    )


def _index(day: str) -> int:
    """Months since year 0.

    >>> _index("2025-03-08") - _index("2024-12")
    3
    """
    return int(day[:4]) * 12 + int(day[5:7]) - 1


def vintages(found: Followed, as_of: date) -> list[Panel]:
    """Ever more than 30 days past due, and defaulted."""
    if not found.lives:
        why = say("no_vintage" if found.has_known_days else "no_vintage_days")
        return [unknown(name, why, as_of) for name in _WENT]
    return [_panel(name, when, found, as_of) for name, when in _WENT.items()]


_WENT: dict[str, Callable[[Life], int | None]] = {
    "vintage_late": lambda life: life.went_late,
    "vintage_default": lambda life: life.defaulted,
}


class Curve(NamedTuple):
    """Loans of one cohort, and how many of them had gone wrong after 0, 1, 2, ... months."""

    cohort: str
    loans: int
    gone: list[int]


def curves(found: Followed, when: Callable[[Life], int | None]) -> tuple[list[Curve], str]:
    """A curve a cohort, as far as its youngest loan was followed; and whether a cohort is a month or a quarter."""
    period = "period_month" if len({life.paid_out for life in found.lives}) <= MOST else "period_quarter"
    cohorts: dict[str, list[Life]] = {}
    for life in sorted(found.lives, key=lambda life: life.paid_out):
        cohorts.setdefault(_cohort(life.paid_out, period), []).append(life)
    told = []
    for cohort, lives in cohorts.items():
        history = found.last - max(life.paid_out for life in lives)
        ages = [month - life.paid_out for life in lives if (month := when(life)) is not None]
        told.append(Curve(cohort, len(lives), [sum(age <= n for age in ages) for n in range(history + 1)]))
    return told, period


def _cohort(month: int, period: str) -> str:
    year, index = divmod(month, 12)
    return f"{year}-{index + 1:02}" if period == "period_month" else f"{year} Q{index // 3 + 1}"


def _panel(name: str, when: Callable[[Life], int | None], found: Followed, as_of: date) -> Panel:
    told, period = curves(found, when)
    traces = [
        line(
            same(f"{curve.cohort} ({curve.loans:,})"),
            list(range(len(curve.gone))),
            [ratio(gone, curve.loans) for gone in curve.gone],
            LINES[i % len(LINES)],
        )
        for i, curve in enumerate(told)
    ]
    longest = max(len(curve.gone) for curve in told)
    rows: list[tuple[Cell, ...]] = [
        (
            curve.cohort,
            f"{curve.loans:,}",
            *(share(gone, curve.loans) for gone in curve.gone),
            *([""] * (longest - len(curve.gone))),
        )
        for curve in told
    ]
    return Panel(
        name,
        say(f"{name}_title"),
        joined([_said(name, told[0]), *_left_out(found)]),
        say(f"{name}_reads", period=say(period)),
        as_of,
        figure(
            traces,
            x=say("months_on_book"),
            y=say("share_of_loans"),
            xaxis={"dtick": 3 if longest > 12 else 1, "range": [-0.2, max(longest - 0.8, 1)]},
            yaxis={
                "tickformat": PERCENT if _highest(told) >= 0.05 else ".1%",
                "range": [0, max(_highest(told), 0.01) * 1.08],
            },
        ),
        Table((say("paid_out"), say("loans"), *(same(str(n)) for n in range(longest))), rows),
    )


def _highest(told: list[Curve]) -> float:
    return max(curve.gone[-1] / curve.loans for curve in told)


def _said(name: str, curve: Curve) -> Text:
    return say(
        f"{name}_says",
        loans=number_of(curve.loans, "loan"),
        cohort=curve.cohort,
        share=share(curve.gone[-1], curve.loans),
        months=number_of(len(curve.gone) - 1, "month"),
    )


def _left_out(found: Followed) -> list[Text]:
    left = found.loans - len(found.lives)
    return [say("vintage_left_out", left=f"{left:,}", all=number_of(found.loans, "loan"))] if left else []
