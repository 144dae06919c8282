"""How early alerts were, and how right for a team that works so many a day: figures of the verdict, drawn."""

from bisect import bisect_right
from typing import NamedTuple

import numpy as np

from pipeline.shells.budget import usual_budget, worked_daily
from pipeline.shells.decided import UNKNOWN
from pipeline.shells.effect import AFTER_DEFAULT, MAX_LEAD, Judged, everything, judged, measured
from pipeline.shells.figures import OF_ALL, OF_BUDGET, Asked, Figure, Verdict, verdict
from pipeline.shells.report.drawing import LINES, PERCENT, bars, figure, line
from pipeline.shells.report.panel import Cell, Panel, Table, Text, number_of, same, say, share, unknown
from pipeline.shells.report.records import Records
from pipeline.shells.show_verdict import label
from pipeline.shells.texts import Language
from pipeline.shells.truth import Truth
from pipeline.shells.verdict import Terms

LANGUAGES: tuple[Language, Language] = ("en", "zh")
BIN_DAYS = 30
APART = 1.3  # budgets that are closer than that cannot be told apart
BUDGETS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1_000)


class Effect(NamedTuple):
    """What the alerts of a replay were worth."""

    known: Judged
    overall: Verdict
    leads: list[int]  # days, of each defaulter with a true alert
    budget: int


def effect_of(records: Records, truth: Truth, budget: int | None) -> Effect:
    """Judge a replay by what became of its borrowers."""
    known = judged(records.decided, truth)
    found = measured(known, everything(known))
    days = found.days["lead"]
    leads = sorted(int(each) for each in days[days != UNKNOWN])
    overall = verdict(Asked(None, OF_ALL, found), known.months)
    return Effect(known, overall, leads, usual_budget(known.size) if budget is None else budget)


def named(figure: str) -> Text:
    """What the verdict calls a figure."""
    return Text(*(label(figure, Terms(budget_openings_a_day=1), lang) for lang in LANGUAGES))


def median_text(effect: Effect) -> Text:
    """The median lead time."""
    value = effect.overall.figures["lead_median_days"].value
    return say("unknown") if value is None else number_of(round(value), "day")


# -- lead time --------------------------------------------------------------


def lead(effect: Effect) -> Panel:
    """How many days before their default defaulters had their first true alert."""
    decided, defaulted = effect.known.decided, effect.overall.counts["defaulted"]
    missed = number_of(defaulted - len(effect.leads), "borrower")
    if not effect.leads:
        why = say("no_caught", defaulted=f"{defaulted:,}") if defaulted else _no_default(effect)
        return unknown("lead", why, decided.last)
    starts = list(range(0, MAX_LEAD + 1, BIN_DAYS))
    counts = [0] * len(starts)
    for days in effect.leads:
        counts[days // BIN_DAYS] += 1
    names = [f"{start}-{min(start + BIN_DAYS - 1, MAX_LEAD)}" for start in starts]
    median = effect.overall.figures["lead_median_days"].value
    assert median is not None
    middle = [start + BIN_DAYS / 2 for start in starts]
    trace = bars(say("defaulters"), middle, counts, LINES[0], width=[BIN_DAYS - 2] * len(starts), customdata=names)
    trace["hovertemplate"] = "%{customdata}: %{y}<extra></extra>"
    return Panel(
        "lead",
        say("lead_title"),
        say("lead_says", caught=f"{len(effect.leads):,}", defaulted=f"{defaulted:,}", median=median_text(effect)),
        say("lead_reads", missed=missed),
        decided.last,
        figure(
            [trace],
            x=say("lead_days"),
            y=say("defaulters"),
            showlegend=False,
            xaxis={"tickvals": starts[::2], "range": [0, starts[-1] + BIN_DAYS]},
            shapes=[{"type": "line", "x0": median, "x1": median, "yref": "paper", "y0": 0, "y1": 1, **_DASHED}],
            annotations=[_mark(median, say("median_mark", days=median_text(effect)))],
        ),
        _lead_table(effect, starts, names, counts),
    )


def _lead_table(effect: Effect, starts: list[int], names: list[str], counts: list[int]) -> Table:
    defaulted = effect.overall.counts["defaulted"]
    at_least = [len(effect.leads) - bisect_right(effect.leads, start - 1) for start in starts]
    rows: list[tuple[Cell, ...]] = [
        (name, f"{n:,}", f"{more:,} ({share(more, defaulted)})")
        for name, n, more in zip(names, counts, at_least, strict=True)
    ]
    return Table((say("lead_days"), say("defaulters"), say("cumulative")), rows)


_DASHED = {"line": {"dash": "dash", "width": 1.5, "color": "#b3263a"}}


_INSIDE = {"y": 0.55, "yanchor": "middle", "xanchor": "left", "xshift": 4, "bgcolor": "#ffffff"}


def _apart(budgets: list[int]) -> list[int]:
    """Those that can be written beside each other.

    >>> _apart([1, 2, 3, 5, 6, 7])
    [1, 2, 3, 5, 7]
    """
    told: list[int] = []
    for each in budgets:
        if not told or each >= told[-1] * APART:
            told.append(each)
    return told


def _mark(x: float, text: Text) -> dict[str, object]:
    return {"x": x, "y": 1, "yref": "paper", "yanchor": "bottom", "text": text, "showarrow": False}


def _no_default(effect: Effect) -> Text:
    return say("no_defaults", first=str(effect.known.decided.first), last=str(effect.known.decided.last))


# -- precision at a daily budget ---------------------------------------------


class Worked(NamedTuple):
    """What a team sees that works so many alerts a day."""

    budget: int
    alerts: int
    figures: dict[str, Figure]


def at_budgets(effect: Effect) -> list[Worked]:
    """The figures at each budget up to the one that works everything, the team's own among them."""
    known = effect.known
    days = known.decided.openings.on[known.outcome != AFTER_DEFAULT]
    busiest = int(np.unique(days, return_counts=True)[1].max(initial=0))
    within = [each for each in BUDGETS if each * APART < busiest]
    told = []
    for budget in sorted({*within, busiest, effect.budget} - {0}):
        worked = worked_daily(known, budget)
        group = everything(known)._replace(openings=worked, tasks=None)
        of_budget = verdict(Asked(None, OF_BUDGET, measured(known, group)), known.months)
        told.append(Worked(budget, int(worked.sum()), of_budget.figures))
    return told


_DRAWN = ("recall", "precision_at_least", "precision_mature")


def precision(effect: Effect) -> Panel:
    """Share of true alerts among those worked, and of defaulters caught, at each budget."""
    last = effect.known.decided.last
    if not effect.overall.counts["defaulted"]:
        return unknown("precision", _no_default(effect), last)
    told = at_budgets(effect)
    if not any(each.alerts for each in told):
        return unknown("precision", say("no_worked"), last)
    own = next(each for each in told if each.budget == effect.budget)
    base = effect.overall.figures["base_rate"].value
    x = [each.budget for each in told]
    traces = [
        line(named(name), x, [each.figures[name].value for each in told], LINES[i]) for i, name in enumerate(_DRAWN)
    ]
    traces.append(line(named("base_rate"), x, [base] * len(x), "#7d8491", mode="lines"))
    traces[-1]["line"] = {"color": "#7d8491", "dash": "dot", "width": 2}
    return Panel(
        "precision",
        say("precision_title"),
        say(
            "precision_says",
            budget=str(own.budget),
            defaulted=f"{effect.overall.counts['defaulted']:,}",
            recall=_written(own.figures["recall"]),
            precision=_written(own.figures["precision_at_least"]),
        ),
        say("precision_reads"),
        last,
        figure(
            traces,
            x=say("budget_axis"),
            xaxis={"type": "log", "tickvals": _apart(x), "ticktext": [str(each) for each in _apart(x)]},
            yaxis={"tickformat": PERCENT, "range": [0, 1.04]},
            shapes=[{"type": "line", "x0": own.budget, "x1": own.budget, "yref": "paper", "y0": 0, "y1": 1, **_DASHED}],
            annotations=[_mark(float(np.log10(own.budget)), say("your_budget", budget=str(own.budget))) | _INSIDE],
        ),
        _budget_table(effect, told),
    )


def _budget_table(effect: Effect, told: list[Worked]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            same(str(each.budget)),
            f"{each.alerts:,}",
            *(_written(each.figures[name]) for name in _DRAWN),
            _written(effect.overall.figures["base_rate"]),
        )
        for each in told
    ]
    return Table((say("budget_axis"), say("worked"), *(named(name) for name in _DRAWN), named("base_rate")), rows)


def _written(told: Figure) -> Text:
    return say("unknown") if told.value is None else same(f"{told.value:.1%}")
