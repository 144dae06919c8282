"""A backtest as one page with charts, in the frame of the report and beside its panels."""

from collections.abc import Sequence
from functools import partial

from pipeline.shells.backtest import rule_panels
from pipeline.shells.backtest.judging import Backtest, Found
from pipeline.shells.backtest.show import SHOWN_AHEAD, history
from pipeline.shells.backtest.texts import WORDS
from pipeline.shells.figures import Verdict
from pipeline.shells.report import effects
from pipeline.shells.report.alerting import alerting
from pipeline.shells.report.drawing import LINES, PERCENT, figure, line
from pipeline.shells.report.effects import Effect, effect_of, median_text
from pipeline.shells.report.frame import Frame, Key, framed
from pipeline.shells.report.panel import Panel, Table, Text, number_of, said, same
from pipeline.shells.report.panel import say as say_report
from pipeline.shells.report.records import Records
from pipeline.shells.texts import Language

say = partial(said, WORDS)
Sections = Sequence[tuple[Text, list[Panel]]]


def page(found: Found, lang: Language, first: Sections = ()) -> str:
    """The whole page; `first` are sections that stand before its own."""
    told, decided = found.told, found.decided
    records = _records(found)
    effect = effect_of(records, found.truth, told.verdict.terms.budget_openings_a_day)
    sections: list[tuple[str, list[Panel]]] = [
        ("section_effect", [ahead(told, effect), effects.lead(effect), effects.precision(effect)]),
        ("section_rules", rule_panels.panels(told)),
        ("section_alerts", alerting(records)),
    ]
    notes = [
        say_report("page_shelf", shelf=decided.shelf[:12]),
        say_report("truth_events") if found.truth_name is None else say_report("truth_file", file=found.truth_name),
    ]
    if told.history is not None:
        notes.append(Text(history(told, "en"), history(told, "zh")))
    return framed(
        Frame(
            titles={each: WORDS[each]["page_title"] for each in WORDS},
            head=say(
                "page_head",
                borrowers=number_of(len(decided.borrowers), "borrower"),
                first=str(decided.first),
                last=str(decided.last),
            ),
            notes=notes,
            keys=_keys(told, effect),
            sections=[*first, *((say(name), panels) for name, panels in sections)],
            stories=[],
            foot=say("foot"),
        ),
        lang,
    )


def _records(found: Found) -> Records:
    """What the panels of the report read of a replay, as far as they are asked here."""
    alerts = [
        {
            "rule": each.rule,
            "transition": each.transition,
            "severity": each.severity,
            "business_date": each.business_date.isoformat(),
        }
        for each in found.alerts
    ]
    return Records(
        decided=found.decided,
        currency=None,
        profiles=[],
        alerts=alerts,
        tasks=[],
        months=None,
        queues=None,
        rules={},
    )


def _keys(told: Backtest, effect: Effect) -> list[Key]:
    """What is asked first; what nobody knows is said to be unknown."""
    verdict, terms = told.verdict, told.verdict.terms
    counts = verdict.overall.counts
    work = verdict.overall.figures["alerts_per_1000_and_month"].value
    nobody = say_report("unknown")
    return [
        Key(
            same(f"{counts['caught']:,}") if counts["defaulted"] else nobody,
            say("key_caught", defaulted=f"{counts['defaulted']:,}"),
        ),
        Key(median_text(effect), say("key_lead")),
        Key(percent(verdict.overall, "before_backstop"), say("key_backstop", dpd=str(terms.backstop_days))),
        Key(
            percent(verdict.at_daily_budget, "precision_at_least"),
            say("key_precision", budget=f"{terms.budget_openings_a_day:,}"),
        ),
        Key(nobody if work is None else same(f"{work:,.1f}"), say("key_work")),
    ]


def percent(verdict: Verdict, name: str) -> Text:
    """A share as people read it."""
    value = verdict.figures[name].value
    return say_report("unknown") if value is None else same(f"{value:.1%}")


def ahead(told: Backtest, effect: Effect) -> Panel:
    """The share of the defaulters that was known so many days ahead, by all alerts and by those that are worked."""
    verdict, budget = told.verdict, f"{told.verdict.terms.budget_openings_a_day:,}"
    counts, last = verdict.overall.counts, verdict.observed.as_of
    if not counts["caught"]:
        first = str(verdict.observed.first_day)
        why = (
            say("no_caught", defaulted=f"{counts['defaulted']:,}")
            if counts["defaulted"]
            else say("no_defaults", first=first, last=str(last))
        )
        return rule_panels.unknown("ahead", why, last)
    days = [0, *SHOWN_AHEAD]
    named = ((say("all_alerts"), verdict.overall), (say("at_budget", budget=budget), verdict.at_daily_budget))
    traces = [
        line(name, days, [each.figures[f"ahead_{n}_days"].value for n in days], LINES[i])
        for i, (name, each) in enumerate(named)
    ]
    return Panel(
        "ahead",
        say("ahead_title"),
        say(
            "ahead_says",
            caught=f"{counts['caught']:,}",
            defaulted=f"{counts['defaulted']:,}",
            median=median_text(effect),
        ),
        say("ahead_reads", budget=budget),
        last,
        figure(
            traces,
            x=say("ahead_axis"),
            y=say("ahead_share"),
            xaxis={"tickvals": days},
            yaxis={"tickformat": PERCENT, "rangemode": "tozero"},
        ),
        Table(
            (say("ahead_axis"), *(name for name, _ in named)),
            [(str(n), *(percent(each, f"ahead_{n}_days") for _, each in named)) for n in days],
        ),
    )
