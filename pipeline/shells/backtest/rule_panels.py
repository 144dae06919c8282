"""The rules beside each other: what became of their alerts, how early, what each adds, and the work it makes."""

from collections.abc import Iterable
from datetime import date
from functools import partial

from pipeline.shells.backtest.judging import Backtest
from pipeline.shells.backtest.show import SHOWN_AHEAD, figure
from pipeline.shells.backtest.texts import WORDS
from pipeline.shells.figures import Verdict
from pipeline.shells.report import drawing
from pipeline.shells.report.drawing import GOOD, LINES, SEVERITY, UNKNOWN_GREY, Trace, bars, heatmap
from pipeline.shells.report.panel import Cell, Figure, Panel, Table, Text, joined, number_of, plain, said
from pipeline.shells.report.panel import say as say_report

MOST = 20  # rules that are drawn, the busiest; the tables have all
OUTCOMES = {"true": LINES[2], "false": SEVERITY["critical"], "censored": UNKNOWN_GREY, "after_default": GOOD}
say = partial(said, WORDS)
Rules = tuple[Verdict, ...]


def panels(told: Backtest) -> list[Panel]:
    """All of them."""
    last, rules = told.verdict.observed.as_of, told.verdict.by_rule
    if not any(each.counts["alerts"] for each in rules):
        names = ("outcomes", "early_rules", "unique", "work")
        found = [unknown(name, say("no_alerts"), last) for name in names]
    else:
        found = [_outcomes(told), _early(told), _unique(told), _work(told)]
    return [*found, _candidates(told)]


def unknown(name: str, why: Text, as_of: date) -> Panel:
    """A chart that cannot be drawn, and why."""
    return Panel(name, say(f"{name}_title"), joined([say_report("unknown_head"), why]), None, as_of)


def _busiest(rules: Iterable[Verdict]) -> Rules:
    return tuple(sorted(rules, key=lambda each: (-each.counts["alerts"], str(each.of))))


def _name(told: Verdict) -> str:
    return str(told.of)


def _drawn(rules: Rules, traces: list[Trace], title: Text) -> Figure:
    return drawing.figure(
        traces,
        x=title,
        height=120 + 26 * min(len(rules), MOST),
        barmode="stack",
        xaxis={"rangemode": "tozero"},
        yaxis={"autorange": "reversed", "type": "category"},
    )


def _beams(name: Text, rules: Rules, lengths: list[int | float | None], colour: str) -> Trace:
    """Bars that lie, one a rule."""
    shown = [plain(_name(each)) for each in rules[:MOST]]
    return bars(name, lengths[:MOST], shown, colour, orientation="h")


def _written(told: Verdict, name: str) -> Cell:
    return Text(figure(told, name, "en"), figure(told, name, "zh"))


# -- what became of the alerts ---------------------------------------------------


def _outcomes(told: Backtest) -> Panel:
    rules = _busiest(told.verdict.by_rule)
    worked = {each.of: each for each in told.by_rule_at_daily_budget}
    first = rules[0]
    traces = [_beams(say(name), rules, [each.counts[name] for each in rules], OUTCOMES[name]) for name in OUTCOMES]
    names = ("alerts", *OUTCOMES)
    rows: list[tuple[Cell, ...]] = [
        (
            _name(each),
            *(f"{each.counts[name]:,}" for name in names),
            _written(each, "precision_at_least"),
            f"{worked[each.of].counts['alerts']:,}",
            _written(worked[each.of], "precision_at_least"),
        )
        for each in rules
    ]
    columns = (say("rule"), *map(say, names), say("precision"), say("worked"), say("worked_precision"))
    counts = first.counts
    return Panel(
        "outcomes",
        say("outcomes_title"),
        say("outcomes_says", rule=_name(first), alerts=f"{counts['alerts']:,}", true=f"{counts['true']:,}"),
        say("outcomes_reads"),
        told.verdict.observed.as_of,
        _drawn(rules, traces, say("alerts")),
        Table(columns, rows),
    )


# -- how early -------------------------------------------------------------------


def _early(told: Backtest) -> Panel:
    last = told.verdict.observed.as_of
    rules = tuple(sorted(told.verdict.by_rule, key=lambda each: (-each.counts["caught"], str(each.of))))
    if not rules[0].counts["caught"]:
        return unknown("early_rules", say("no_caught", defaulted=f"{rules[0].counts['defaulted']:,}"), last)
    shown = rules[:MOST]
    names = ["ahead_0_days", *(f"ahead_{days}_days" for days in SHOWN_AHEAD)]
    heads = [f"≥{days}" for days in (0, *SHOWN_AHEAD)]
    z = [[each.figures[name].value for name in names] for each in shown]
    written = [["" if value is None else f"{value:.0%}" for value in row] for row in z]
    first = rules[0]
    dpd = told.verdict.terms.backstop_days
    return Panel(
        "early_rules",
        say("early_rules_title"),
        say("early_rules_says", rule=_name(first), caught=number_of(first.counts["caught"], "borrower")),
        say("early_rules_reads"),
        last,
        drawing.figure(
            [heatmap(heads, [plain(_name(each)) for each in shown], z, written, zmin=0)],
            x=say("ahead_axis"),
            height=120 + 26 * len(shown),
            xaxis={"type": "category"},
            yaxis={"autorange": "reversed", "type": "category"},
        ),
        Table(
            (say("rule"), say("caught"), say("lead"), *heads, say("before_backstop", dpd=str(dpd))),
            [
                (
                    _name(each),
                    f"{each.counts['caught']:,}",
                    _written(each, "lead_median_days"),
                    *(_written(each, name) for name in names),
                    _written(each, "before_backstop"),
                )
                for each in rules
            ],
        ),
    )


# -- what each adds --------------------------------------------------------------


def _unique(told: Backtest) -> Panel:
    last = told.verdict.observed.as_of
    order = ("only", "first", "caught")
    rules = tuple(
        sorted(told.verdict.by_rule, key=lambda each: (*(-each.counts[name] for name in order), str(each.of)))
    )
    if not any(each.counts["caught"] for each in rules):
        return unknown("unique", say("no_caught", defaulted=f"{rules[0].counts['defaulted']:,}"), last)
    counts = [each.counts for each in rules]
    traces = [
        _beams(say("caught_only"), rules, [each["only"] for each in counts], LINES[0]),
        _beams(say("caught_first"), rules, [each["first"] - each["only"] for each in counts], LINES[7]),
        _beams(say("caught_by_others"), rules, [each["caught"] - each["first"] for each in counts], GOOD),
    ]
    first = rules[0]
    only = number_of(first.counts["only"], "borrower")
    return Panel(
        "unique",
        say("unique_title"),
        say("unique_says", rule=_name(first), only=only) if first.counts["only"] else say("unique_none"),
        say("unique_reads"),
        last,
        _drawn(rules, traces, say("defaulters")),
        Table(
            (say("rule"), say("caught"), say("caught_only"), say("first"), say("added_lead")),
            [
                (
                    _name(each),
                    *(f"{each.counts[name]:,}" for name in ("caught", "only", "first")),
                    _written(each, "added_lead_median_days"),
                )
                for each in rules
            ],
        ),
    )


# -- the work --------------------------------------------------------------------


def _work(told: Backtest) -> Panel:
    rules = _busiest(told.verdict.by_rule)
    names = ("alerts_per_1000_and_month", "tasks_per_1000_and_month", "alerted_share", "flip_flop")
    traces = [_beams(say("a_month"), rules, [each.figures[names[0]].value for each in rules], LINES[0])]
    figure_ = _drawn(rules, traces, say("work_axis"))
    figure_["layout"]["showlegend"] = False
    first = rules[0]
    return Panel(
        "work",
        say("work_title"),
        say("work_says", rule=_name(first), month=_written(first, names[0])),
        say("work_reads"),
        told.verdict.observed.as_of,
        figure_,
        Table(
            (say("rule"), say("work_axis"), say("tasks_a_month"), say("alerted_share"), say("flip_flop")),
            [(_name(each), *(_written(each, name) for name in names)) for each in rules],
        ),
    )


def _candidates(told: Backtest) -> Panel:
    last = told.verdict.observed.as_of
    rules = tuple(sorted(told.candidates, key=lambda each: (-each.counts["only"], str(each.of))))
    rules = tuple(each for each in rules if each.counts["alerts"])
    if not rules:
        return unknown("candidates", say("no_candidates"), last)
    traces = [_beams(say(name), rules, [each.counts[name] for each in rules], OUTCOMES[name]) for name in OUTCOMES]
    counts = ("alerts", "true", "false", "censored", "caught", "only", "first")
    figures = ("lead_median_days", "precision_at_least", "flip_flop", "alerts_per_1000_and_month")
    heads = (*map(say, counts), *map(say, ("lead", "precision", "flip_flop", "work_axis")))
    rows: list[tuple[Cell, ...]] = [
        (_name(each), *(f"{each.counts[name]:,}" for name in counts), *(_written(each, name) for name in figures))
        for each in rules
    ]
    only = rules[0].counts["only"]
    says = say("candidates_says", rule=_name(rules[0]), only=number_of(only, "borrower"))
    return Panel(
        "candidates",
        say("candidates_title"),
        says if only else say("candidates_add_none"),
        say("candidates_reads"),
        last,
        _drawn(rules, traces, say("alerts")),
        Table((say("rule"), *heads), rows),
    )
