"""Alerts that opened, by severity and by rule, over months or weeks."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from pipeline.shells.report.drawing import SEVERITY, bars, figure, heatmap
from pipeline.shells.report.panel import Panel, Table, Text, plain, same, say, shown_word, unknown
from pipeline.shells.report.records import Records, Told
from rules.rule import SEVERITIES

MOST = 15  # rules with a row of their own
WEEKS_UP_TO = 120  # days of a replay that is told by weeks


class Names(NamedTuple):
    """What a month or a week is called, in a sentence and above a column."""

    period: Text
    head: Text


def alerting(records: Records) -> list[Panel]:
    """Openings by severity, and by rule."""
    decided = records.decided
    opened = [alert for alert in records.alerts if alert["transition"] == "opened"]
    is_weekly = decided.days <= WEEKS_UP_TO
    period = say("period_week" if is_weekly else "period_month")
    if not opened:
        return [unknown(name, say("no_alerts"), decided.last) for name in ("severities", "rules")]
    periods = periods_of(decided.first, decided.last, is_weekly=is_weekly)
    names = Names(period, say("week" if is_weekly else "month"))
    when = [(period_of(date.fromisoformat(alert["business_date"]), is_weekly=is_weekly), alert) for alert in opened]
    return [_severities(when, periods, names, records), _rules(when, periods, names, decided.last)]


def period_of(day: date, *, is_weekly: bool) -> str:
    """The month of a date, or the Monday of its week.

    >>> period_of(date(2025, 3, 8), is_weekly=False), period_of(date(2025, 3, 8), is_weekly=True)
    ('2025-03', '2025-03-03')
    """
    return (day - timedelta(days=day.weekday())).isoformat() if is_weekly else f"{day:%Y-%m}"


def periods_of(first: date, last: date, *, is_weekly: bool) -> list[str]:
    """Every month or week of a replay, those without alerts too."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return list(dict.fromkeys(period_of(day, is_weekly=is_weekly) for day in days))


def _severities(when: list[tuple[str, Told]], periods: list[str], names: Names, records: Records) -> Panel:
    counts = Counter((period, alert["severity"]) for period, alert in when)
    shown = [name for name in SEVERITIES if any(counts[period, name] for period in periods)]
    traces = [bars(shown_word(s), periods, [counts[period, s] for period in periods], SEVERITY[s]) for s in shown]
    return Panel(
        "severities",
        say("severities_title"),
        say(
            "severities_says",
            alerts=f"{len(when):,}",
            severe=f"{sum(alert['severity'] in ('high', 'critical') for _, alert in when):,}",
            first=str(records.decided.first),
            last=str(records.decided.last),
        ),
        say("severities_reads", period=names.period),
        records.decided.last,
        figure(traces, y=say("alerts_opened"), barmode="stack", xaxis={"type": "category"}),
        Table(
            (names.head, *(shown_word(severity) for severity in shown), say("total")),
            [
                (period, *(f"{counts[period, s]:,}" for s in shown), f"{sum(counts[period, s] for s in shown):,}")
                for period in periods
            ],
        ),
    )


def _rules(when: list[tuple[str, Told]], periods: list[str], names: Names, as_of: date) -> Panel:
    totals = Counter(alert["rule"] for _, alert in when)
    ranked = sorted(totals, key=lambda rule: (-totals[rule], rule))
    rows = {rule: same(plain(rule)) for rule in ranked[: MOST if len(ranked) > MOST + 1 else MOST + 1]}
    others = set(ranked) - set(rows)
    if others:
        rows[""] = say("others", count=f"{len(others):,}")
    counts = Counter((alert["rule"] if alert["rule"] in rows else "", period) for period, alert in when)
    severities = Counter((alert["rule"] if alert["rule"] in rows else "", alert["severity"]) for _, alert in when)
    z = [[counts[rule, period] for period in periods] for rule in rows]
    trace = heatmap(
        periods, _with_totals(rows.values(), z), z, [[f"{n:,}" if n else "" for n in row] for row in z], zmin=0
    )
    trace["zmax"] = max(max(row) for rule, row in zip(rows, z, strict=True) if rule)  # many others are not one rule
    return Panel(
        "rules",
        say("rules_title"),
        say("rules_says", rule=ranked[0], count=f"{totals[ranked[0]]:,}", all=f"{len(when):,}"),
        say("rules_reads", period=names.period),
        as_of,
        figure(
            [trace],
            height=110 + 30 * len(rows),
            xaxis={"type": "category"},
            yaxis={"autorange": "reversed", "type": "category"},
        ),
        Table(
            (say("rule"), *(shown_word(severity) for severity in SEVERITIES), say("total"), *map(same, periods)),
            [
                (
                    say("others", count=f"{len(others):,}") if rule == "" else rule,
                    *(f"{severities[rule, severity]:,}" for severity in SEVERITIES),
                    f"{sum(row):,}",
                    *(f"{n:,}" for n in row),
                )
                for rule, row in zip(rows, z, strict=True)
            ],
        ),
    )


def _with_totals(names: Iterable[Text], z: list[list[int]]) -> list[Text]:
    return [Text(f"{n.en} · {sum(row):,}", f"{n.zh} · {sum(row):,}") for n, row in zip(names, z, strict=True)]
