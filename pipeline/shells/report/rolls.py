"""How loans roll from one bucket to another between the ends of two months."""

from collections import Counter
from datetime import date
from itertools import pairwise

from pipeline.shells.months import MonthEnd, is_month_end
from pipeline.shells.report.buckets import UNKNOWN, Months, bucket_names, bucket_text
from pipeline.shells.report.drawing import LINES, PERCENT, figure, heatmap, line
from pipeline.shells.report.panel import Panel, Table, Text, joined, number_of, ratio, same, say, share, unknown
from pipeline.zone import day_number

Moves = Counter[tuple[str, str]]  # from a bucket to a bucket or an end


def moves_of(months: Months) -> dict[tuple[str, str], Moves]:
    """How loans went from each month's end to the next one; a month that broke off has no end."""
    whole = [rows for rows in months.values() if is_month_end(day_number(date.fromisoformat(rows[0].on)))]
    found = {}
    for before, after in pairwise(whole):
        if _next_month(before[0].month) != after[0].month:
            continue
        there = {row.loan_id: row for row in after}
        found[before[0].month, after[0].month] = Counter(
            (row.bucket, _where(there.get(row.loan_id)))
            for row in before
            if row.status == "open" and row.bucket is not None
        )
    return found


def _where(row: MonthEnd | None) -> str:
    if row is None or (row.status == "open" and row.bucket is None):
        return UNKNOWN
    return row.status if row.status != "open" else str(row.bucket)


def _next_month(month: str) -> str:
    year, index = int(month[:4]), int(month[5:])
    return f"{year + index // 12}-{index % 12 + 1:02}"


def rolls(months: Months, as_of: date) -> Panel:
    """Where loans of each bucket stood a month later, all pairs of months together."""
    pairs = moves_of(months)
    if not pairs:
        return unknown("rolls", say("one_month", months=number_of(len(months), "month")), as_of)
    pooled = sum(pairs.values(), Moves())
    names = bucket_names(row for rows in months.values() for row in rows)
    starts = [name for name in names if any(pooled[name, to] for to in (*names, *_ENDS))]
    ends = [*names, *(end for end in _ENDS if any(pooled[name, end] for name in starts))]
    sizes = {name: sum(pooled[name, to] for to in ends) for name in starts}
    z = [[ratio(pooled[name, to], sizes[name]) for to in ends] for name in starts]
    written = [[share(pooled[name, to], sizes[name]) for to in ends] for name in starts]
    trace = heatmap([_in_lines(_end_text(to)) for to in ends], starts, z, written, zmin=0, zmax=1)
    return Panel(
        "rolls",
        say("rolls_title"),
        _rolls_said(pooled, names, sizes),
        say("rolls_reads", pairs=str(len(pairs))),
        as_of,
        figure(
            [trace],
            x=say("to_bucket"),
            y=say("from_bucket"),
            height=140 + 46 * len(starts),
            xaxis={"side": "top", "type": "category"},
            yaxis={"autorange": "reversed", "type": "category"},
        ),
        Table(
            (say("from_bucket"), *(_end_text(to) for to in ends), say("loans")),
            [
                (
                    name,
                    *(f"{pooled[name, to]:,} ({share(pooled[name, to], sizes[name])})" for to in ends),
                    f"{sizes[name]:,}",
                )
                for name in starts
            ],
        ),
    )


_ENDS = {"closed": "ended", "written_off": "written_off", UNKNOWN: "unknown"}


def _end_text(to: str) -> Text:
    return say(_ENDS[to]) if to in _ENDS else same(to)


def _in_lines(text: Text) -> Text:
    """A word a line, as a column has little room."""
    return Text(text.en.replace(" ", "<br>"), text.zh)


def _rolls_said(pooled: Moves, names: list[str], sizes: dict[str, int]) -> Text:
    late = [name for name in names[1:-1] if sizes.get(name)]
    told = [
        say(
            "rolls_says",
            bucket=bucket_text(name),
            worse=share(pooled[name, names[names.index(name) + 1]], sizes[name]),
            cured=share(pooled[name, "0"], sizes[name]),
        )
        for name in late[:1]
    ]
    return joined(told) if told else say("rolls_none")


def rolls_by_month(months: Months, as_of: date) -> Panel:
    """The share of each bucket that was one bucket worse a month later, month by month."""
    pairs = moves_of(months)
    if not pairs:
        return unknown("rolls_by_month", say("one_month", months=number_of(len(months), "month")), as_of)
    names = bucket_names(row for rows in months.values() for row in rows)
    steps = list(pairwise(names))
    x = [after for _, after in pairs]
    counts = {
        step: [(moves[step], sum(n for (start, _), n in moves.items() if start == step[0])) for moves in pairs.values()]
        for step in steps
    }
    traces = [
        line(_step_text(step), x, [ratio(*each) for each in counts[step]], LINES[i % len(LINES)])
        for i, step in enumerate(steps)
    ]
    return Panel(
        "rolls_by_month",
        say("rolls_by_month_title"),
        _latest_said(counts, list(pairs)),
        say("rolls_by_month_reads"),
        as_of,
        figure(
            traces,
            y=say("share_of_bucket"),
            xaxis={"type": "category"},
            yaxis={"tickformat": PERCENT, "rangemode": "tozero"},
        ),
        Table(
            (say("month"), *(_step_text(step) for step in steps)),
            [
                (
                    month,
                    *(f"{share(*counts[step][i])} ({counts[step][i][0]:,} / {counts[step][i][1]:,})" for step in steps),
                )
                for i, month in enumerate(x)
            ],
        ),
    )


def _latest_said(counts: dict[tuple[str, str], list[tuple[int, int]]], pairs: list[tuple[str, str]]) -> Text:
    """The last month of the first bucket past due that had loans."""
    for step, told in counts.items():
        worse, loans = told[-1]
        if step[0] != "0" and loans:
            before, month = pairs[-1]
            return say(
                "rolls_by_month_says",
                before=before,
                month=month,
                worse=share(worse, loans),
                loans=number_of(loans, "loan"),
                bucket=bucket_text(step[0]),
            )
    return say("rolls_none")


def _step_text(step: tuple[str, str]) -> Text:
    return same(f"{step[0]} → {step[1]}")
