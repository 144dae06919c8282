"""The portfolio by days past due at each month's end."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from pipeline.shells.months import MonthEnd
from pipeline.shells.report.drawing import GOOD, UNKNOWN_GREY, bars, figure, late_colours
from pipeline.shells.report.panel import (
    Cell,
    Figure,
    Panel,
    Table,
    Text,
    joined,
    money,
    number_of,
    ratio,
    say,
    share,
    units,
    unknown,
)

LATE_DAYS = 30  # more than so many tell of a significant increase in credit risk (IFRS 9)
UNKNOWN = "?"
Months = dict[str, list[MonthEnd]]  # by month, in order


class Weight(NamedTuple):
    """What is added up of a portfolio: what is outstanding, or loans where that is not known of all."""

    currency: str | None
    is_money: bool

    def of(self, row: MonthEnd) -> int:
        """What a loan weighs."""
        return (row.exposure_minor or 0) if self.is_money else 1

    def written(self, whole: int) -> Text:
        """A sum in words."""
        return money(whole, self.currency) if self.is_money else number_of(whole, "loan")

    def shown(self, whole: int) -> float:
        """A sum as a chart draws it."""
        return units(whole, self.currency) if self.is_money else whole


def by_month(rows: Iterable[MonthEnd]) -> Months:
    """The rows of each month."""
    found: Months = {}
    for row in rows:
        found.setdefault(row.month, []).append(row)
    return dict(sorted(found.items()))


def bucket_names(rows: Iterable[MonthEnd]) -> list[str]:
    """Every bucket, from not past due to the worst.

    >>> sorted(["91+", "1-30", "0"], key=_low)
    ['0', '1-30', '91+']
    """
    return sorted({row.bucket for row in rows if row.bucket is not None} | {"0"}, key=_low)


def _low(bucket: str) -> int:
    return int(bucket.rstrip("+").split("-")[0])


def bucket_text(bucket: str) -> Text:
    """What a bucket is called."""
    if bucket == UNKNOWN:
        return say("unknown")
    return say("not_late") if bucket == "0" else say("days_late", bucket=bucket)


def is_late(row: MonthEnd) -> bool:
    """Whether a loan is more than 30 days past due."""
    return row.days_past_due is not None and row.days_past_due > LATE_DAYS


# -- the portfolio ----------------------------------------------------------


def portfolio(months: Months, currency: str | None, as_of: date) -> Panel:
    """What is open by bucket at each month's end: all of it, and what is past due as a share."""
    open_loans = {month: [row for row in rows if row.status == "open"] for month, rows in months.items()}
    open_loans = {month: rows for month, rows in open_loans.items() if rows}
    if not open_loans:
        return unknown("portfolio", say("no_open_loans"), as_of)
    every = [row for rows in open_loans.values() for row in rows]
    weight = Weight(currency, all(row.exposure_minor is not None for row in every))
    names = [*bucket_names(every), *([UNKNOWN] if any(row.bucket is None for row in every) else [])]
    sums = {month: _sums(rows, weight) for month, rows in open_loans.items()}
    return Panel(
        "portfolio",
        say("portfolio_title"),
        _said(open_loans, sums, weight),
        say("portfolio_reads"),
        as_of,
        _drawn(sums, names, weight),
        _table(open_loans, sums, names, weight),
    )


def _sums(rows: list[MonthEnd], weight: Weight) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        found[UNKNOWN if row.bucket is None else row.bucket] += weight.of(row)
    return found


def late_share(rows: list[MonthEnd], weight: Weight) -> str | None:
    """What is more than 30 days past due, of what is open; None where that is known of nothing."""
    known = [row for row in rows if row.days_past_due is not None]
    if not known:
        return None
    return share(sum(weight.of(row) for row in known if is_late(row)), sum(weight.of(row) for row in rows))


def _said(open_loans: Months, sums: dict[str, Counter[str]], weight: Weight) -> Text:
    (first, *_), (*_, last) = open_loans.values(), open_loans.values()
    told = [
        say(
            "portfolio_says",
            last=last[0].on,
            first=first[0].on,
            late=late_share(last, weight) or say("unknown"),
            before=late_share(first, weight) or say("unknown"),
            whole=weight.written(sum(sums[last[0].month].values())),
        )
    ]
    strangers = sum(row.bucket is None for row in last)
    told += [say("portfolio_unknown_days", loans=number_of(strangers, "loan"))] if strangers else []
    told += [] if weight.is_money else [say("portfolio_by_loans")]
    return joined(told)


def _drawn(sums: dict[str, Counter[str]], names: list[str], weight: Weight) -> Figure:
    months = list(sums)
    late = [name for name in names if name not in ("0", UNKNOWN)]
    colours = {"0": GOOD, UNKNOWN: UNKNOWN_GREY, **dict(zip(late, late_colours(len(late)), strict=True))}
    traces = [
        bars(bucket_text(name), months, [weight.shown(sums[month][name]) for month in months], colours[name])
        for name in names
    ]
    for name in late:
        # Where nothing is known of a month, nothing is past due that anybody knows of: a gap, not a zero.
        shares = [ratio(sums[m][name], sum(sums[m].values())) if sums[m].keys() - {UNKNOWN} else None for m in months]
        traces.append(bars(bucket_text(name), months, shares, colours[name], yaxis="y2", showlegend=False))
    above = say("outstanding_in", currency=weight.currency or "") if weight.is_money else say("loans_open")
    return figure(
        traces,
        y=above,
        barmode="stack",
        height=520,
        xaxis={"anchor": "y2", "type": "category"},
        yaxis={"domain": [0.5, 1.0], "tickformat": "~s"},
        yaxis2={"domain": [0.0, 0.42], "tickformat": ".1%", "title": {"text": say("past_due_share")}},
    )


def _table(open_loans: Months, sums: dict[str, Counter[str]], names: list[str], weight: Weight) -> Table:
    columns = (say("month"), *(bucket_text(name) for name in names), say("total"), say("loans_open"))
    rows: list[tuple[Cell, ...]] = [
        (
            open_loans[month][0].on,
            *(f"{weight.shown(of[name]):,.0f} ({share(of[name], sum(of.values()))})" for name in names),
            f"{weight.shown(sum(of.values())):,.0f}",
            f"{len(open_loans[month]):,}",
        )
        for month, of in sums.items()
    ]
    return Table(columns, rows)
