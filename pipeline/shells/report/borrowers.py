"""The borrowers most at risk: how they stand, their alerts on a line of time, and the story of each."""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, NamedTuple

from pipeline.profiles import NEVER
from pipeline.shells.kept import KeptRule
from pipeline.shells.report.drawing import MONTH, SEVERITY, figure
from pipeline.shells.report.panel import (
    Cell,
    Figure,
    Panel,
    Table,
    Text,
    number_of,
    plain,
    same,
    say,
    shown_word,
    units,
    unknown,
)
from pipeline.shells.report.records import Records, Told, by_borrower
from pipeline.shells.riskiest import Risk, riskiest
from pipeline.shells.story import alert_moments
from rules.rule import SEVERITIES

MOST = 40  # moments of a story; of a longer one the latest
LONG_LATE = 90  # days past due from which on another month of them is no news

Ranked = list[tuple[Risk, Told]]


class Point(NamedTuple):
    """A moment of a story: when, of what kind or severity, and what is told, the first line above the others."""

    at: datetime
    kind: str
    lines: list[Text]

    @property
    def when(self) -> str:
        """The minute, or the date alone where nobody told of an instant."""
        return f"{self.at:%Y-%m-%d}" if self.at.time() == _END_OF_DAY else f"{self.at:%Y-%m-%d %H:%M}"


class Story(NamedTuple):
    """A borrower and what was told of it, in the order of time."""

    title: Text
    says: Text
    earlier: int
    points: list[Point]


def ranked(records: Records) -> Ranked:
    """The borrowers most at risk, the worst first."""
    return riskiest(records.profiles, records.alerts)


def panel(records: Records, first: Ranked) -> Panel:
    """Their alerts on a line of time."""
    as_of = records.decided.last
    if not first:
        return unknown("riskiest", say("no_borrowers"), as_of)
    risk, profile = first[0]
    return Panel(
        "riskiest",
        say("riskiest_title"),
        say("riskiest_says", borrower=profile["borrower_id"], alerts=str(risk.open_alerts), late=_late(risk)),
        say("riskiest_reads"),
        as_of,
        _drawn(records, first),
        _table(records, first),
    )


def _late(risk: Risk) -> Text:
    if risk.days_past_due < 0:
        return say("late_unknown")
    return say("late_days", days=number_of(risk.days_past_due, "day"))


def _table(records: Records, first: Ranked) -> Table:
    currency = records.currency
    amounts = tuple(say(name, currency=currency or "") for name in ("arrears", "exposure"))
    columns = (say("borrower"), say("worst"), say("alerts_open"), say("days_past_due"), *amounts)
    rows: list[tuple[Cell, ...]] = [
        (
            profile["borrower_id"],
            shown_word(SEVERITIES[risk.worst]) if risk.worst >= 0 else "–",
            str(risk.open_alerts),
            say("unknown") if risk.days_past_due < 0 else f"{risk.days_past_due:,}",
            _amount(profile["arrears_minor"], currency),
            _amount(profile["exposure_minor"], currency),
        )
        for risk, profile in first
    ]
    return Table(columns, rows, numbers_from=2)


def _amount(minor: int | None, currency: str | None) -> Cell:
    return say("unknown") if minor is None else f"{units(minor, currency):,.2f}"


# -- the line of time -------------------------------------------------------

_SYMBOLS = {"opened": "diamond", "raised": "triangle-up", "closed": "circle-open"}


def _drawn(records: Records, first: Ranked) -> Figure:
    names = [profile["borrower_id"] for _, profile in first]
    alerts = [alert for alert in records.alerts if alert["borrower_id"] in set(names)]
    traces = [*_spans(alerts, records.decided.last), *_marks(alerts)]
    ends = {
        "mark_backstop": [(p["borrower_id"], on) for _, p in first if (on := p["backstop_on"]) not in (None, NEVER)],
        "mark_default": [(p["borrower_id"], on) for _, p in first for on in _defaults(p)],
    }
    looks: dict[str, dict[str, Any]] = {
        "mark_backstop": {"symbol": "line-ns-open", "size": 16, "color": "#24323d", "line": {"width": 2}},
        "mark_default": {"symbol": "x", "size": 9, "color": "#24323d"},
    }
    traces += [_scatter(say(name), points, looks[name]) for name, points in ends.items() if points]
    first_day, last = str(records.decided.first), str(records.decided.last)
    return figure(
        traces,
        height=150 + 32 * len(names),
        xaxis={"type": "date", "tickformat": MONTH, "range": [first_day, f"{last}T23:59:59"]},
        yaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [plain(name) for name in reversed(names)],
            "range": [-0.6, len(names) - 0.4],
        },
    )


def _defaults(profile: Told) -> list[str]:
    return sorted({loan["defaulted_on"] for loan in profile["loans"] if loan["defaulted_on"] is not None})


def _spans(alerts: list[Told], last: date) -> Iterator[dict[str, Any]]:
    """A line of each severity for as long as alerts were open; an alert has the severity that it reached."""
    opened: dict[str, str] = {}
    closed: dict[str, str] = {}
    worst: dict[str, int] = {}
    who: dict[str, str] = {}
    for alert in alerts:
        of = alert["episode"]
        who[of] = alert["borrower_id"]
        worst[of] = max(SEVERITIES.index(alert["severity"]), worst.get(of, 0))
        if alert["transition"] == "opened":
            opened[of] = alert["business_date"]
        elif alert["transition"] == "closed":
            closed[of] = alert["business_date"]
    for i, severity in enumerate(SEVERITIES):
        x: list[str | None] = []
        y: list[str | None] = []
        for of in (each for each in opened if worst[each] == i):
            x += [opened[of], closed.get(of, f"{last}T23:59:59"), None]
            y += [plain(who[of]), plain(who[of]), None]
        if x:
            line = {"color": SEVERITY[severity], "width": 6}
            yield {
                **{"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "opacity": 0.45},
                **{"showlegend": False, "hoverinfo": "skip", "name": same("")},
            }


def _marks(alerts: list[Told]) -> Iterator[dict[str, Any]]:
    any_raised = False  # one entry of the legend is enough
    for transition, symbol in _SYMBOLS.items():
        for severity in SEVERITIES if transition != "closed" else (None,):
            found = [a for a in alerts if a["transition"] == transition and severity in (None, a["severity"])]
            if found:
                name = say(f"mark_{transition}", severity=severity and shown_word(severity))
                colour = "#5d6b76" if severity is None else SEVERITY[severity]
                points = [(alert["borrower_id"], alert["business_date"]) for alert in found]
                look = {"symbol": symbol, "size": 9, "color": colour, "line": {"width": 1.5}}
                yield {
                    **_scatter(name, points, look),
                    "text": [plain(alert["rule"]) for alert in found],
                    "showlegend": transition != "raised" or not any_raised,
                }
                any_raised |= transition == "raised"


def _scatter(name: Text, points: list[tuple[str, str]], marker: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [on for _, on in points],
        "y": [plain(borrower_id) for borrower_id, _ in points],
        "marker": marker,
        "hovertemplate": "%{y} · %{x} · %{text}<extra></extra>",
    }


# -- the stories ------------------------------------------------------------

_END_OF_DAY = time(23, 59, 59, 999_000)  # what an end of day is dated with


def stories(records: Records, first: Ranked) -> list[Story]:
    """What was told of each of them."""
    alerts, tasks = by_borrower(records.alerts), by_borrower(records.tasks)
    return [
        _story(place, risk, profile, alerts(profile["borrower_id"]), tasks(profile["borrower_id"]), records)
        for place, (risk, profile) in enumerate(first, 1)
    ]


def _story(place: int, risk: Risk, profile: Told, alerts: list[Told], tasks: list[Told], records: Records) -> Story:
    borrower_id = profile["borrower_id"]
    points = [*_month_points(borrower_id, records), *_end_points(profile)]
    episodes: dict[str, list[Told]] = {}
    for alert in alerts:
        episodes.setdefault(alert["episode"], []).append(alert)
    for episode, lines in episodes.items():
        asked = [task for task in tasks if episode in task["alerts"]]
        points += _alert_points(lines, asked, _rule(lines[0], records))
    points.sort(key=lambda point: point.at)
    return Story(
        say("story_title", place=str(place), borrower=borrower_id),
        _late(risk),
        max(0, len(points) - MOST),
        points[-MOST:],
    )


def _rule(alert: Told, records: Records) -> KeptRule:
    """The rule of an alert; one that was not kept says nothing of its own."""
    empty = KeptRule(rule=alert["rule"], version=0, status="", hash="", file="", text="")
    return records.rules.get((alert["rule"], alert.get("rule_version", 1)), empty)


def _alert_points(alerts: list[Told], tasks: list[Told], rule: KeptRule) -> Iterator[Point]:
    told = zip(alerts, alert_moments(alerts, tasks, rule, "en"), alert_moments(alerts, tasks, rule, "zh"), strict=True)
    for alert, english, chinese in told:
        kind = "closed" if alert["transition"] == "closed" else alert["severity"]
        lines = [Text(*both) for both in zip(english.lines, chinese.lines, strict=True)]
        yield Point(english.at.replace(tzinfo=None), kind, [same(rule.rule), *lines])


def _month_points(borrower_id: str, records: Records) -> Iterator[Point]:
    """Month ends on which anything was past due, those of more than 90 days once; and the first without after them."""
    worst: dict[str, int] = {}
    for row in records.months or ():
        if row.borrower_id == borrower_id and row.days_past_due is not None:
            worst[row.on] = max(row.days_past_due, worst.get(row.on, 0))
    before = 0
    for on, days in sorted(worst.items()):
        if days and min(days, before) <= LONG_LATE:
            yield _point(on, "month", say("story_month_late", days=number_of(days, "day")))
        elif before and not days:
            yield _point(on, "month", say("story_month_cured"))
        before = days


def _end_points(profile: Told) -> Iterator[Point]:
    if profile["backstop_on"] not in (None, NEVER):
        yield _point(profile["backstop_on"], "end", say("story_backstop"))
    for loan in profile["loans"]:
        if loan["defaulted_on"] is not None:
            yield _point(loan["defaulted_on"], "end", say("story_defaulted", loan=loan["loan_id"]))


def _point(on: str, kind: str, text: Text) -> Point:
    return Point(datetime.combine(date.fromisoformat(on), _END_OF_DAY), kind, [text])
