"""One alert told in the order of time: the first signs, the alert with its numbers, its task, its end."""

from collections.abc import Iterator
from datetime import datetime
from itertools import dropwhile
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from pipeline.shells.arrival_files import raw_lines
from pipeline.shells.explain import shown, window
from pipeline.shells.kept import KeptRule, said
from pipeline.shells.texts import TEXTS, Language, counted, word

Told = dict[str, Any]
Row = tuple[str, str]  # when, what
SIGNS = ("loan.snapshot", "repayment.missed")
END = "loan.defaulted"


class Moment(NamedTuple):
    """What is told of one instant, line by line."""

    at: datetime
    lines: list[str]


def told_of(events: Path, alert: Told) -> list[Told]:
    """The events of the alert's loan, or of its borrower, that a story has words for, in the order of the file."""
    key = "borrower_id" if alert.get("loan_id") is None else "loan_id"
    lines = (raw for raw in raw_lines(events, events.name, []) if alert[key].encode() in raw)
    found = (msgspec.json.decode(raw) for raw in lines)
    return [each for each in found if each.get(key) == alert[key] and each["type"] in (*SIGNS, END)]


def story(alerts: list[Told], tasks: list[Told], events: list[Told], rule: KeptRule, lang: Language) -> list[Row]:
    """The rows of a story; `alerts` are those of one episode from its opening on, `tasks` the revisions it is in."""
    moments = [Moment(_instant(event), [_event(event, lang)]) for event in _told(events, _instant(alerts[0]))]
    moments += alert_moments(alerts, tasks, rule, lang)
    return [
        (_minute(moment.at) if n == 0 else "", line)
        for moment in sorted(moments, key=lambda moment: moment.at)
        for n, line in enumerate(moment.lines)
    ]


def alert_moments(alerts: list[Told], tasks: list[Told], rule: KeptRule, lang: Language) -> list[Moment]:
    """The life of one episode: each alert with its numbers and what became of its task."""
    return [Moment(_instant(alert), list(_alert(alert, tasks, rule, lang))) for alert in alerts]


def _instant(record: Told) -> datetime:
    return datetime.fromisoformat(record["at"])


def _told(events: list[Told], opened: datetime) -> list[Told]:
    """From the first sign up to the opening, and the default whenever it came."""
    # A snapshot that says nothing of days past due is no part of this story.
    telling = (each for each in events if each["type"] == "repayment.missed" or each.get("days_past_due") is not None)
    before = [event for event in telling if event["type"] in SIGNS and _instant(event) <= opened]
    return [*dropwhile(lambda event: not _is_sign(event), before), *(each for each in events if each["type"] == END)]


def _is_sign(event: Told) -> bool:
    is_missed: bool = event["type"] == "repayment.missed" or event["days_past_due"] > 0
    return is_missed


def _event(event: Told, lang: Language) -> str:
    texts = TEXTS[lang]
    if event["type"] == END:
        return texts["story_defaulted"]
    if event["type"] == "repayment.missed":
        months = event.get("months")
        behind = None if months is None else counted(months, "month", lang)
        return texts["story_missed"] if behind is None else texts["story_behind"].format(months=behind)
    return texts["story_late"].format(days=counted(event["days_past_due"], "day", lang))


def _alert(alert: Told, tasks: list[Told], rule: KeptRule, lang: Language) -> Iterator[str]:
    texts, transition = TEXTS[lang], alert["transition"]
    message = word(alert["reason"], lang) if transition == "closed" else said(alert, rule, lang)
    severity = word(alert["severity"], lang)
    yield texts["story_alert"].format(transition=word(transition, lang), severity=severity, said=message)
    if transition == "closed":
        if tasks and tasks[-1]["status"] == "cancelled":
            yield texts["story_task_end"].format(status=word("cancelled", lang))
        return
    for name, entry in alert["evidence"].items():
        yield f"  {name} = {shown(entry['value'], lang)}  {window(entry, lang)}".rstrip()
    if transition == "opened" and tasks:
        first, due_by = tasks[0], _minute(datetime.fromisoformat(tasks[0]["due_by"]))
        fields = {name: first[name] for name in ("queue", "action")}
        yield texts["story_task"].format(status=word(first["status"], lang), due_by=due_by, **fields)


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
