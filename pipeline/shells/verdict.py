"""The verdict on a replay: overall, by rule, by severity, by cause, and at the budget of a team."""

from datetime import date
from pathlib import Path

import msgspec

from pipeline.engine import BACKSTOP_DAYS
from pipeline.shells.budget import MILLION, MONTHLY_PPM, usual_budget, worked_daily, worked_monthly
from pipeline.shells.decided import ALERTS, FAR, FLIP_FLOP_DAYS, TASKS, UNKNOWN, Decided, Mask, decided_in
from pipeline.shells.effect import (
    DAYS_A_MONTH,
    FIRST_BY,
    MAX_LEAD,
    MIN_LEAD,
    Group,
    Judged,
    beside,
    everything,
    judged,
    measured,
)
from pipeline.shells.figures import (
    OF_ALL,
    OF_BUDGET,
    OF_CAUSE,
    OF_RULE,
    OF_SEVERITY,
    Asked,
    Verdict,
    verdict,
    verdicts,
)
from pipeline.shells.put import put
from pipeline.shells.replay import PROFILES, SUMMARY
from pipeline.shells.resample import LEVEL, RESAMPLES, SEED
from pipeline.shells.truth import Truth, read_truth
from rules.rule import SEVERITIES


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers that the definitions use."""

    min_lead_days: int = MIN_LEAD
    max_lead_days: int = MAX_LEAD
    backstop_days: int = BACKSTOP_DAYS
    flip_flop_days: int = FLIP_FLOP_DAYS
    first_by_days: int = FIRST_BY
    days_a_month: float = DAYS_A_MONTH
    budget_openings_a_day: int
    budget_share_a_month: float = MONTHLY_PPM / MILLION
    interval_level: float = LEVEL
    resamples: int = RESAMPLES
    seed: int = SEED


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What was judged: which rules over which borrowers and days, and whose word was taken for the defaults."""

    shelf: str
    truth: str  # name of the file, or "events"
    first_day: date
    as_of: date
    days: int
    borrowers: int
    defaulted: int
    defaulted_before: int  # before the first day; not counted as missed
    defaulted_later: int  # after the last day; not known on it


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `forewarn judge` writes."""

    observed: Observed
    terms: Terms
    overall: Verdict
    at_daily_budget: Verdict
    at_monthly_budget: Verdict
    by_rule: tuple[Verdict, ...]
    by_severity: tuple[Verdict, ...]
    by_cause: tuple[Verdict, ...]


def effect_of(folder: Path) -> Verdict:
    """How early the alerts of a replay were before the defaults in its events; the figures alone."""
    decided = decided_in(folder)
    return effect(decided, decided.defaults)


def effect(decided: Decided, truth: Truth) -> Verdict:
    """How early what was decided was, against what became of the borrowers; the figures alone."""
    known = judged(decided, truth)
    return verdict(Asked(None, OF_ALL, measured(known, everything(known))), known.months)


def judgement_of(folder: Path, truth: Path | None, budget: int | None) -> Judgement:
    """Judge a replay by a truth file, or by the defaults in its events; BadFile when one of them cannot be used."""
    decided = decided_in(folder)
    outcomes = decided.defaults if truth is None else read_truth(truth, decided.borrowers, decided.first)
    return judge(decided, outcomes, budget, name="events" if truth is None else truth.name)


def judge(decided: Decided, truth: Truth, budget: int | None, *, name: str) -> Judgement:
    """Judge what was decided by what became of the borrowers."""
    known = judged(decided, truth)
    a_day = usual_budget(known.size) if budget is None else budget
    whole = everything(known)
    parts = {
        "all": [
            Asked(None, OF_ALL, measured(known, whole)),
            *(
                Asked(None, OF_BUDGET, measured(known, whole._replace(openings=worked, tasks=None)))
                for worked in (worked_daily(known, a_day), worked_monthly(known))
            ),
        ],
        "rule": _by_rule(known, whole),
        "severity": _by_severity(known, whole),
        "cause": _by_cause(known, whole),
    }
    found = iter(verdicts([asked for part in parts.values() for asked in part], known))
    told = {kind: tuple(next(found) for _ in part) for kind, part in parts.items()}
    overall, daily, monthly = told["all"]
    return Judgement(
        observed=_observed(known, name),
        terms=Terms(budget_openings_a_day=a_day),
        overall=overall,
        at_daily_budget=daily,
        at_monthly_budget=monthly,
        by_rule=told["rule"],
        by_severity=told["severity"],
        by_cause=told["cause"],
    )


def _observed(known: Judged, name: str) -> Observed:
    decided = known.decided
    return Observed(
        shelf=decided.shelf,
        truth=name,
        first_day=decided.first,
        as_of=decided.last,
        days=decided.days,
        borrowers=known.size,
        defaulted=int(known.is_default.sum()),
        defaulted_before=int((known.defaulted_on < known.first).sum()),
        defaulted_later=int(((known.defaulted_on > known.last) & (known.defaulted_on < FAR)).sum()),
    )


# -- groups -----------------------------------------------------------------


def _by_rule(known: Judged, whole: Group) -> list[Asked]:
    """Each rule by itself, and beside the others."""
    decided = known.decided
    found = []
    for i in range(len(decided.rules)):
        group = whole._replace(
            openings=decided.openings.rule == i,
            closings=decided.closings.rule == i,
            tasks=decided.tasks.asked_of[decided.tasks.asked_by == i],
        )
        found.append(measured(known, group))
    beside(found, known.size)
    return [Asked(rule, OF_RULE, each) for rule, each in zip(decided.rules, found, strict=True)]


def _by_severity(known: Judged, whole: Group) -> list[Asked]:
    """Openings by the severity that they had."""
    openings, closings = known.decided.openings, known.decided.closings
    groups = (
        (name, whole._replace(openings=openings.severity == i, closings=closings.severity == i, tasks=None))
        for i, name in enumerate(SEVERITIES)
        if (openings.severity == i).any()
    )
    return [Asked(name, OF_SEVERITY, measured(known, group)) for name, group in groups]


def _by_cause(known: Judged, whole: Group) -> list[Asked]:
    """Borrowers by what went wrong; last those of whom nobody knows of anything. Nothing where no cause is known."""
    if not known.causes:
        return []
    places = (*range(len(known.causes)), UNKNOWN)
    return [
        Asked(None if i == UNKNOWN else known.causes[i], OF_CAUSE, measured(known, _of(known, whole, known.cause == i)))
        for i in places
    ]


def _of(known: Judged, whole: Group, borrowers: Mask) -> Group:
    decided = known.decided
    return whole._replace(
        borrowers=borrowers,
        openings=borrowers[decided.openings.borrower],
        closings=borrowers[decided.closings.borrower],
        tasks=decided.tasks.borrower[borrowers[decided.tasks.borrower]],
    )


# -- writing ----------------------------------------------------------------


def sources(folder: Path, truth: Path | None) -> list[Path]:
    """The files that a verdict is made from."""
    return [*(folder / name for name in (SUMMARY, ALERTS, TASKS, PROFILES)), *([] if truth is None else [truth])]


def write(judgement: Judgement, out: Path, sources: list[Path]) -> None:
    """Write the verdict to its place."""
    put(msgspec.json.format(msgspec.json.encode(judgement), indent=2) + b"\n", out, sources)
