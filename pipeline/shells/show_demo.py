"""The tables of the demo: the riskiest borrowers, alerts by rule, how early they were, and one alert told whole."""

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from pipeline.shells.demo import DATA, REPORT, Demo
from pipeline.shells.effect import AHEAD, MAX_LEAD
from pipeline.shells.embedded.commands import PORT
from pipeline.shells.embedded.texts import TEXTS as ENGINE_TEXTS
from pipeline.shells.manners import from_here
from pipeline.shells.riskiest import riskiest
from pipeline.shells.show import console, replayed
from pipeline.shells.show_verdict import written
from pipeline.shells.story import story, told_of
from pipeline.shells.texts import TEXTS, Language, counted, word
from rules.rule import SEVERITIES

EARLY = 60  # days ahead of the default from which an alert is worth telling of


def show(demo: Demo, out: Path, lang: Language) -> None:
    """The tables of the demo."""
    replayed(demo.summary, out, lang)
    screen = console()
    screen.print(_fed(demo, lang))
    for table in (_riskiest(demo, lang), _by_rule(demo, lang), _lead(demo, lang), _story(demo, lang)):
        screen.print(table)
    if demo.alerts:
        first = _worked(demo)
        screen.print(TEXTS[lang]["more"].format(id=first["id"], folder=out), markup=False, soft_wrap=True)
    for line in _whereabouts(demo, out, lang):
        screen.print(line, markup=False, soft_wrap=True)


def _fed(demo: Demo, lang: Language) -> str:
    events, seconds = demo.summary.events, demo.fed.seconds
    return ENGINE_TEXTS[lang]["fed"].format(events=f"{events:,}", seconds=seconds, rate=events / seconds)


def _whereabouts(demo: Demo, out: Path, lang: Language) -> tuple[str, str]:
    """Where the charts are, and how to start the engine again and look into it."""
    texts = ENGINE_TEXTS[lang]
    config = "" if demo.fed.config is None else f" --config {from_here(demo.fed.config)}"
    docs = f"http://127.0.0.1:{PORT}/docs"
    look_on = texts["look_on"].format(data=out / DATA, config=config, docs=docs, key=demo.fed.key)
    return texts["see_report"].format(report=out / REPORT), look_on


def _table(title: str, lang: Language, *columns: str) -> Table:
    table = Table(title=TEXTS[lang][title], title_justify="left")
    for name in columns:
        heading = TEXTS[lang].get(name) or word(name, lang)
        table.add_column(heading, justify="left" if name in _LEFT else "right")
    return table


_LEFT = {"borrower", "worst", "rule", "metric", "when", "what", "bucket"}


def _riskiest(demo: Demo, lang: Language) -> Table:
    rows = riskiest(demo.profiles, demo.alerts)
    says_arrears = any(profile["arrears_minor"] is not None for _, profile in rows)
    arrears = ("arrears",) if says_arrears else ()
    table = _table("riskiest", lang, "borrower", "worst", "open_alerts", "days_past_due", *arrears, "exposure")
    for risk, profile in rows:
        table.add_row(
            profile["borrower_id"],
            word(SEVERITIES[risk.worst], lang) if risk.worst >= 0 else "-",
            str(risk.open_alerts),
            "?" if risk.days_past_due < 0 else str(risk.days_past_due),
            *([_money(profile["arrears_minor"])] if says_arrears else ()),
            _money(profile["exposure_minor"]),
        )
    return table


def _money(minor: int | None) -> str:
    return "?" if minor is None else f"{minor / 100:,.2f}"


def _by_rule(demo: Demo, lang: Language) -> Table:
    table = _table("by_rule", lang, "rule", *SEVERITIES)
    counts = Counter((a["rule"], a["severity"]) for a in demo.alerts if a["transition"] != "closed")
    for rule in sorted({rule for rule, _ in counts}):
        table.add_row(rule, *(f"{counts[rule, severity]:,}" for severity in SEVERITIES))
    return table


def _lead(demo: Demo, lang: Language) -> Table:
    texts, effect = TEXTS[lang], demo.judgement.overall
    table = _table("lead", lang, "metric", "value")
    table.add_row(texts["defaulters"], f"{effect.counts['defaulted']:,}")
    table.add_row(texts["alerted_before"], f"{effect.counts['caught']:,}")
    labels = {
        "lead_median_days": texts["lead_median"],
        **{f"ahead_{days}_days": texts["lead_share"].format(days=counted(days, "day", lang)) for days in AHEAD},
        "alerted_that_defaulted": texts["precision"],
        "base_rate": texts["base_rate"],
        "alerts_per_1000_and_month": texts["workload"],
    }
    for name, label in labels.items():
        table.add_row(label, written(name, effect.figures[name], lang))
    monthly = demo.judgement.at_monthly_budget.figures["recall"]
    table.add_row(texts["recall_monthly"], written("recall", monthly, lang))
    return table


def _worked(demo: Demo) -> dict[str, Any]:
    """The alert to tell of: of the worst openings with a task that were early enough the earliest."""
    tasked = {episode for task in demo.tasks for episode in task["alerts"]}
    defaults = {
        each["borrower_id"]: date.fromisoformat(min(dates))
        for each in demo.profiles
        if (dates := [loan["defaulted_on"] for loan in each["loans"] if loan["defaulted_on"]])
    }
    openings = [a for a in demo.alerts if a["transition"] == "opened"]

    def rank(alert: dict[str, Any]) -> tuple[bool, bool, int, int]:
        default = defaults.get(alert["borrower_id"])
        lead = -1 if default is None else (default - date.fromisoformat(alert["business_date"])).days
        is_early = EARLY <= lead <= MAX_LEAD
        return alert["episode"] in tasked, is_early, SEVERITIES.index(alert["severity"]), lead if is_early else 0

    return max(openings, key=rank)


def _story(demo: Demo, lang: Language) -> Table:
    table = _table("one_alert", lang, "when", "what")
    if demo.alerts:
        chosen = _worked(demo)
        alerts = [alert for alert in demo.alerts if alert["episode"] == chosen["episode"]]
        tasks = [task for task in demo.tasks if chosen["episode"] in task["alerts"]]
        for when, what in story(alerts, tasks, told_of(demo.events, chosen), demo.rules[chosen["rule"]], lang):
            table.add_row(when, escape(what))
    return table
