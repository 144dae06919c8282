"""Challengers by the record: what their rules told, and what they themselves said in shadow.

A challenger that came later than its rule finds alerts of it open. These count for both from its first day on:

rule          opened ---------- closed
challenger              | opened -- ...
                        first day: both are alerted from here on
"""

from datetime import date
from pathlib import Path

import msgspec

from connectors.whole_lines import BadFile
from pipeline.decisions import ShadowAlert
from pipeline.shells.against.compare import Days, Side
from pipeline.shells.backtest.judging import Span
from pipeline.shells.challengers.duel import Duel, Duels, duel, pairs
from pipeline.shells.decided import ALERTS, TASKS, AlertLine, ProfileLine, SummaryFile, lines_of, summary_in
from pipeline.shells.embedded.last_run import as_replay
from pipeline.shells.kept import RULES, KeptRule, loaded
from pipeline.shells.replay import FILES, ORDER, PROFILES, SUMMARY
from pipeline.shells.truth import Truth, read_truth
from rules.rule import Rule

SHADOW = FILES[ShadowAlert]


class OrderLine(msgspec.Struct, frozen=True):
    """What is read of a line of order.jsonl: which shelf was in force when a day was closed."""

    shelf: str
    closed: date | None = None


def by_record(folder: Path, named: str | None, span: Span, truth: Path | None) -> Duels:
    """Compare by what a replay wrote, or by what an engine keeps; BadFile where a folder is neither."""
    with as_replay(folder, [SUMMARY, ALERTS, TASKS, SHADOW, PROFILES, RULES, ORDER]) as place:
        summary = summary_in(place)
        for name in (SHADOW, RULES, ORDER):
            if not (place / name).is_file():
                raise BadFile(f"{folder}: expected the {name} of a replay, got a folder without it; replay again")
        kept = list(lines_of(place / RULES, KeptRule))
        days = [(each.closed, each.shelf) for each in lines_of(place / ORDER, OrderLine) if each.closed is not None]
        found = pairs([loaded(each) for each in kept if _was_in(each, days[-1:])], named)
        alerts, said = (list(lines_of(place / name, AlertLine)) for name in (ALERTS, SHADOW))
        profiles = list(lines_of(place / PROFILES, ProfileLine))
    summary = _within(summary, span)
    assert summary.first_day is not None
    outcomes = None if truth is None else read_truth(truth, [each.borrower_id for each in profiles], summary.first_day)
    record = _Record(summary, profiles, alerts, said, outcomes, _first_days(kept, days))
    return Duels(
        source="record",
        truth="events" if truth is None else truth.name,
        challengers=tuple(record.duel(*each, is_dated=span.since is not None) for each in found),
    )


class _Record(msgspec.Struct, frozen=True):
    """What was decided, and what became of the borrowers."""

    summary: SummaryFile
    profiles: list[ProfileLine]
    alerts: list[AlertLine]
    said: list[AlertLine]
    truth: Truth | None
    first_days: dict[str, date]  # of each rule, as far as the record says which shelf was in force

    def duel(self, rule: Rule, challenger: Rule, *, is_dated: bool) -> Duel:
        """One challenger, from its first day on, or from the day that somebody named."""
        told = [each for each in (*self.alerts, *self.said) if each.rule == rule.rule]
        said = [each for each in self.said if each.rule == challenger.rule]
        first, last = self.summary.first_day, self.summary.as_of
        assert first is not None and last is not None
        if not is_dated:
            began = self.first_days.get(challenger.rule, first)
            first = min(last, max(first, began, _began(challenger, said)))
        days = (last - first).days + 1
        side = Side(
            alerts=carried(told, first),
            candidates=carried(said, first),
            statuses={rule.rule: rule.status, challenger.rule: challenger.status},
        )
        summary = msgspec.structs.replace(self.summary, first_day=first, days_closed=days)
        found = duel(rule, challenger, side, Days(summary, self.profiles, self.truth))
        first_said = min((each.business_date for each in said if each.transition == "opened"), default=None)
        return msgspec.structs.replace(found, first_said=first_said)


def carried(lines: list[AlertLine], first: date) -> list[AlertLine]:
    """Transitions from a day on; what is open as it begins opens on it."""
    over = {each.episode for each in lines if each.transition == "closed" and each.business_date < first}
    return [
        msgspec.structs.replace(each, business_date=max(first, each.business_date))
        for each in lines
        if each.episode not in over and (each.transition == "opened" or each.business_date >= first)
    ]


def _was_in(rule: KeptRule, days: list[tuple[date, str]]) -> bool:
    """Whether a rule was on the shelf of any of some days; a record of one shelf does not say."""
    return not rule.shelves or any(shelf in rule.shelves for _, shelf in days)


def _first_days(rules: list[KeptRule], days: list[tuple[date, str]]) -> dict[str, date]:
    """The first day on whose shelf each rule was."""
    first: dict[str, date] = {}
    for rule in rules:
        on = next((day for day, shelf in days if _was_in(rule, [(day, shelf)])), None)
        if on is not None:
            first[rule.rule] = min(on, first.get(rule.rule, on))
    return first


def _began(challenger: Rule, said: list[AlertLine]) -> date:
    """The day its file names, or an earlier one on which it said something already."""
    return min([date.fromisoformat(challenger.since), *(each.business_date for each in said)])


def _within(summary: SummaryFile, span: Span) -> SummaryFile:
    """The days that are compared; BadFile where the record has none of them."""
    first, last = summary.first_day, summary.as_of
    if first is None or last is None:
        raise BadFile("--from: expected a record that closed a day, got one without; replay events with dates")
    since, until = span.since or first, span.until or last
    if since > last or until < first:
        name, got = ("--since", since) if since > last else ("--until", until)
        raise BadFile(f"{name}: expected a day of the record, {first} to {last}, got {got}")
    return SummaryFile(
        shelf=summary.shelf,
        first_day=max(first, since),
        as_of=min(last, until),
        days_closed=(min(last, until) - max(first, since)).days + 1,
    )
