"""A backtest's decisions beside what became of the borrowers: the definitions of `forewarn judge`, and nothing beside.

first_day             from                                     until, or as_of
|------ history ------|------------ what is judged ------------|
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from connectors.whole_lines import BadFile
from pipeline.shells.backtest.part import Part
from pipeline.shells.budget import worked_daily
from pipeline.shells.decided import AlertLine, Decided, SummaryFile, TaskLine, decided_of
from pipeline.shells.effect import Group, Judged, Measured, beside, everything, judged, measured
from pipeline.shells.figures import BESIDE, OF_BUDGET, OF_SEVERITY, Asked, Verdict, verdicts
from pipeline.shells.truth import Truth, read_truth
from pipeline.shells.verdict import Judgement, judge
from pipeline.zone import date_of_number

OF_CANDIDATE = (*OF_SEVERITY, *BESIDE)


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, history and all."""

    events: int
    by_type: dict[str, int]
    unknown_fields: int
    dead_letters: dict[str, int]
    disagreements: int
    warnings: int
    first_day: date
    as_of: date
    truncated: list[str]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What came before the first day that is judged: it fills the windows, and its alerts count for nothing."""

    first_day: date
    days: int
    alerts: int  # openings
    open_alerts: int  # of them open when the judged days began
    borrowers_alerted: int  # borrowers with such an open alert: one that defaults later is not caught by it


class Backtest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `forewarn backtest` writes."""

    events: Events
    rules: dict[str, int]  # status -> how many
    history: History | None
    verdict: Judgement
    by_rule_at_daily_budget: tuple[Verdict, ...]  # of the openings that the team works
    candidates: tuple[Verdict, ...]  # rules that tell nobody yet, each as if it alone went live beside the others
    silent: list[str]  # rules that opened nothing


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Which days are judged; None is as far as the events go."""

    since: date | None = None
    until: date | None = None


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """What a backtest is asked for."""

    span: Span
    truth: Path | None
    budget: int | None
    known: frozenset[str] = frozenset()  # borrowers of events after the span, whom a truth file may name
    shelf: str
    rules: dict[str, str]  # rule -> status


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A backtest, with what charts are drawn from."""

    told: Backtest
    decided: Decided
    truth: Truth
    alerts: list[AlertLine]  # of the judged days
    truth_name: str | None


class Settled(NamedTuple):
    """What was decided on the judged days, and what became of the borrowers."""

    first_day: date  # of all
    span: Span
    alerts: list[AlertLine]
    candidates: list[AlertLine]
    tasks: list[TaskLine]
    summary: SummaryFile
    decided: Decided
    truth: Truth


def settled(part: Part, asking: Asking) -> Settled:
    """Settle days and truth; BadFile in one sentence when there is nothing to judge, or another truth."""
    first_day, span = _days(part, asking.span)
    assert span.since is not None and span.until is not None
    alerts, candidates = _within(part.alerts, span), _within(part.candidates, span)
    summary = SummaryFile(
        shelf=asking.shelf,
        first_day=span.since,
        as_of=span.until,
        days_closed=(span.until - span.since).days + 1,
    )
    tasks = tasks_of(part, span, is_cut=asking.span.until is not None)
    decided = decided_of(summary, part.profiles, alerts, tasks)
    borrowers = asking.known.union(decided.borrowers)
    truth = decided.defaults if asking.truth is None else read_truth(asking.truth, borrowers, first_day)
    return Settled(first_day, span, alerts, candidates, tasks, summary, decided, truth)


def found_in(part: Part, asking: Asking) -> Found:
    """Judge what was decided; BadFile in one sentence when there is nothing to judge, or another truth."""
    first_day, span, alerts, candidates, tasks, summary, decided, truth = settled(part, asking)
    assert span.since is not None and span.until is not None
    name = "events" if asking.truth is None else asking.truth.name
    judgement = judge(decided, truth, asking.budget, name=name)
    known = judged(decided, truth)
    both = decided_of(summary, part.profiles, [*alerts, *candidates], tasks)
    told = Backtest(
        events=_events(part, first_day, span.until),
        rules=dict(sorted(Counter(asking.rules.values()).items())),
        history=None if span.since == first_day else _history(part.alerts, first_day, span.since),
        verdict=judgement,
        by_rule_at_daily_budget=_at_budget(known, judgement.terms.budget_openings_a_day),
        candidates=_candidates(judged(both, truth), sorted({each.rule for each in candidates})),
        silent=sorted(asking.rules.keys() - {each.rule for each in alerts + candidates if each.transition == "opened"}),
    )
    return Found(
        told=told,
        decided=decided,
        truth=truth,
        alerts=alerts,
        truth_name=None if asking.truth is None else name,
    )


# -- days -------------------------------------------------------------------


def _days(part: Part, span: Span) -> tuple[date, Span]:
    """The first day of all, and the days that are judged."""
    if part.first_day is None or part.as_of is None:
        if part.first_day is not None and span.until is not None:
            first = date_of_number(part.first_day)
            raise BadFile(f"--until: expected a day that the events close, from {first} on, got {span.until}")
        raise BadFile("expected events that close a day, got none; name event files with dates")
    first, last = date_of_number(part.first_day), date_of_number(part.as_of)
    since = first if span.since is None else max(first, span.since)
    if since > last:
        raise BadFile(f"--from: expected a day up to {last}, the last that the events close, got {since}")
    return first, Span(since=since, until=last)


def _within(alerts: Iterable[AlertLine], span: Span) -> list[AlertLine]:
    """Transitions of the judged days."""
    assert span.since is not None and span.until is not None
    return [each for each in alerts if span.since <= each.business_date <= span.until]


def tasks_of(part: Part, span: Span, *, is_cut: bool) -> list[TaskLine]:
    """Revisions of tasks that began on a judged day; what comes after a cut is not known on it."""
    assert span.since is not None and span.until is not None
    began: dict[tuple[str, str], int] = {}
    for on, task in part.tasks:
        of = (task.borrower_id, task.id)
        began[of] = min(on, began.get(of, on))
    return [
        task
        for on, task in part.tasks
        if date_of_number(began[task.borrower_id, task.id]) >= span.since
        and not (is_cut and date_of_number(on) > span.until)
    ]


def _history(alerts: Iterable[AlertLine], first_day: date, since: date) -> History:
    before = [each for each in alerts if each.business_date < since]
    opened = {each.episode: each.borrower_id for each in before if each.transition == "opened"}
    still = opened.keys() - {each.episode for each in before if each.transition == "closed"}
    return History(
        first_day=first_day,
        days=(since - first_day) // timedelta(days=1),
        alerts=len(opened),
        open_alerts=len(still),
        borrowers_alerted=len({opened[each] for each in still}),
    )


def _events(part: Part, first_day: date, last: date) -> Events:
    counted = part.counted
    return Events(
        events=counted.events,
        by_type=dict(sorted(counted.by_type.items())),
        unknown_fields=counted.unknown_fields,
        dead_letters=dict(sorted(counted.dead_letters.items())),
        disagreements=counted.disagreements,
        warnings=counted.warnings,
        first_day=first_day,
        as_of=last,
        truncated=part.truncated,
    )


# -- rules ------------------------------------------------------------------


def _of_rule(known: Judged, rule: int) -> Group:
    openings, closings = known.decided.openings, known.decided.closings
    whole = everything(known)._replace(tasks=None)
    return whole._replace(openings=openings.rule == rule, closings=closings.rule == rule)


def _at_budget(known: Judged, budget: int) -> tuple[Verdict, ...]:
    """Of each rule the openings that a team works which works so many a day, the worst first, of all rules."""
    worked = worked_daily(known, budget)
    groups = [_of_rule(known, i) for i in range(len(known.decided.rules))]
    asked = [
        Asked(rule, OF_BUDGET, measured(known, group._replace(openings=group.openings & worked)))
        for rule, group in zip(known.decided.rules, groups, strict=True)
    ]
    return tuple(verdicts(asked, known))


def _candidates(known: Judged, candidates: list[str]) -> tuple[Verdict, ...]:
    """Each candidate by itself, and beside the live rules."""
    rules = known.decided.rules
    live = [_measured(known, i) for i, rule in enumerate(rules) if rule not in candidates]
    asked = []
    for i, rule in enumerate(rules):
        if rule in candidates:
            own = _measured(known, i)
            beside([*live, own], known.size)
            asked.append(Asked(rule, OF_CANDIDATE, own))
    return tuple(verdicts(asked, known))


def _measured(known: Judged, rule: int) -> Measured:
    return measured(known, _of_rule(known, rule))
