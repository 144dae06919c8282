"""The work in the queues: tasks that are open day by day, and how old they are."""

from datetime import date, timedelta

from pipeline.shells.queues import AGE_NAMES, QueueDay
from pipeline.shells.report.drawing import AGES, LINES, MONTH, bars, figure
from pipeline.shells.report.panel import Cell, Panel, Table, Text, plain, same, say, unknown

DAILY_UP_TO = 120  # days of a replay that is told day by day; a longer one is told week by week


def workload(days: list[QueueDay] | None, first: date, last: date) -> list[Panel]:
    """Open tasks over time, and their ages at the last close."""
    if not days:
        why = say("no_queues" if days is None else "no_tasks")
        return [unknown(name, why, last) for name in ("queues", "ages")]
    by_day: dict[str, dict[str, QueueDay]] = {}
    for each in days:
        by_day.setdefault(each.date, {})[each.queue] = each
    # Tasks that no close saw are not in a queue.
    now = by_day.get(last.isoformat(), {})
    return [_open(by_day, now, first, last), _ages(now, last)]


def _open(by_day: dict[str, dict[str, QueueDay]], now: dict[str, QueueDay], first: date, last: date) -> Panel:
    shown = days_of(first, last)
    queues = sorted({queue for day in by_day.values() for queue in day})
    counts = {queue: [_count(by_day, day, queue) for day in shown] for queue in queues}
    totals = {day: sum(each.open for each in told.values()) for day, told in by_day.items()}
    peak_on = max(totals, key=lambda day: totals[day])
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "stackgroup": "open",
            "name": same(plain(queue)),
            "x": shown,
            "y": counts[queue],
            "line": {"color": LINES[i % len(LINES)], "width": 1},
        }
        for i, queue in enumerate(queues)
    ]
    return Panel(
        "queues",
        say("queues_title"),
        say(
            "queues_says",
            open=f"{sum(each.open for each in now.values()):,}",
            overdue=f"{sum(each.overdue for each in now.values()):,}",
            last=str(last),
            peak=f"{totals[peak_on]:,}",
            peak_on=peak_on,
        ),
        say("queues_reads"),
        last,
        figure(
            traces,
            y=say("tasks_open"),
            showlegend=True,
            yaxis={"rangemode": "tozero"},
            xaxis={"type": "date", "tickformat": MONTH},
        ),
        _days_table(by_day, shown, counts, totals),
    )


def _days_table(
    by_day: dict[str, dict[str, QueueDay]], shown: list[str], counts: dict[str, list[int]], totals: dict[str, int]
) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            day,
            *(f"{counts[queue][i]:,}" for queue in counts),
            f"{totals.get(day, 0):,}",
            f"{sum(each.overdue for each in by_day.get(day, {}).values()):,}",
        )
        for i, day in enumerate(shown)
    ]
    return Table((say("day"), *(same(queue) for queue in counts), say("total"), say("overdue")), rows)


def _count(by_day: dict[str, dict[str, QueueDay]], day: str, queue: str) -> int:
    """Open tasks of a queue; before its first task it has none."""
    told = by_day.get(day, {}).get(queue)
    return 0 if told is None else told.open


def days_of(first: date, last: date) -> list[str]:
    """Every day of a short replay; of a long one the last day and each that lies whole weeks before it.

    >>> days_of(date(2025, 3, 1), date(2025, 3, 3))
    ['2025-03-01', '2025-03-02', '2025-03-03']
    """
    step = 1 if (last - first).days < DAILY_UP_TO else 7
    count = (last - first).days // step
    return [(last - timedelta(days=step * n)).isoformat() for n in range(count, -1, -1)]


def _ages(now: dict[str, QueueDay], last: date) -> Panel:
    tasks = sum(each.open for each in now.values())
    if not tasks:
        return unknown("ages", say("nothing_open"), last)
    queues = [queue for queue, each in sorted(now.items()) if each.open]
    names = {age: _age_text(age) for age in AGE_NAMES}
    traces = [
        bars(names[age], [now[queue].ages[age] for queue in queues], [same(plain(q)) for q in queues], colour)
        for age, colour in zip(AGE_NAMES, AGES, strict=True)
    ]
    return Panel(
        "ages",
        say("ages_title"),
        say("ages_says", open=f"{tasks:,}", old=f"{sum(now[queue].ages[AGE_NAMES[-1]] for queue in queues):,}"),
        say("ages_reads"),
        last,
        figure(
            [trace | {"orientation": "h"} for trace in traces],
            x=say("tasks_open"),
            barmode="stack",
            height=190 + 40 * len(queues),
            yaxis={"type": "category", "autorange": "reversed"},
        ),
        Table(
            (say("queue"), *names.values(), say("total"), say("overdue")),
            [
                (
                    queue,
                    *(f"{now[queue].ages[age]:,}" for age in AGE_NAMES),
                    f"{now[queue].open:,}",
                    f"{now[queue].overdue:,}",
                )
                for queue in queues
            ],
        ),
    )


def _age_text(age: str) -> Text:
    return say("age_days", age=age)
