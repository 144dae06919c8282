"""Rich tables of a verdict."""

from pathlib import Path

from rich.markup import escape
from rich.table import Table

from pipeline.shells.effect import MIN_LEAD
from pipeline.shells.figures import COUNTS, MEDIANS, OF_ALL, RATIOS, Figure, Verdict
from pipeline.shells.show import console
from pipeline.shells.texts import Language, counted, word
from pipeline.shells.verdict import Judgement, Terms
from pipeline.shells.verdict_texts import WORDS

NOTHING = "-"
_IN_HEADING = ("borrowers", "defaulted", f"ahead_{MIN_LEAD}_days")  # The last is the recall again.
_NEEDS = {"precision": "precision_mature"}  # Where no horizon is over, only true alerts are settled: it says 100 %.
_BY_RULE = ("alerts", "alerted_share", "recall", "lead_median_days", "before_backstop", "precision_at_least")
_COLUMNS = {
    "rule": (*_BY_RULE, "only", "first", "added_lead_median_days", "flip_flop", "alerts_per_1000_and_month"),
    "severity": (*_BY_RULE, "flip_flop", "alerts_per_1000_and_month"),
    "cause": (
        *("borrowers", "defaulted", "alerted_share", "recall", "lead_median_days", "before_backstop"),
        *("before_onset", "onset_to_alert_median_days", "alerts_per_1000_and_month"),
    ),
}


def tables(judgement: Judgement, lang: Language) -> None:
    """Print what was found: the whole with its intervals, then rule by rule, severity by severity, cause by cause."""
    out = console()
    out.print(heading(judgement, lang), markup=False)
    out.print(overall(judgement, lang))
    parts = (("rule", judgement.by_rule), ("severity", judgement.by_severity), ("cause", judgement.by_cause))
    for kind, verdicts in parts:
        if verdicts:
            out.print(by(kind, verdicts, judgement.terms, lang))


def heading(judgement: Judgement, lang: Language) -> str:
    """Who defaulted when, and who says so."""
    words, seen = WORDS[lang], judgement.observed
    truth = words["truth_events"] if seen.truth == "events" else words["truth_file"].format(file=seen.truth)
    return words["heading"].format(
        defaulted=f"{seen.defaulted:,}",
        borrowers=counted(seen.borrowers, "borrower", lang),
        first=seen.first_day,
        last=seen.as_of,
        truth=truth,
    )


def place(file: Path, lang: Language) -> str:
    """Where the verdict was written to."""
    return WORDS[lang]["written"].format(file=file)


def label(name: str, terms: Terms, lang: Language) -> str:
    """What a count or a figure is called.

    >>> label("ahead_30_days", Terms(budget_openings_a_day=1), "en")
    'caught at least 30 days ahead'
    """
    words = WORDS[lang]
    for prefix, key in (("ahead_", "ahead"), ("recall_", "recall_by"), ("first_by_", "first_by")):
        if name.startswith(prefix):
            return words[key].format(days=counted(int(name.removeprefix(prefix).split("_")[0]), "day", lang))
    days = {"before_backstop": terms.backstop_days, "flip_flop": terms.flip_flop_days}.get(name)
    return words[name] if days is None else words[name].format(days=counted(days, "day", lang))


def written(name: str, figure: Figure, lang: Language) -> str:
    """A figure as people read it."""
    if figure.value is None:
        return NOTHING
    if name in MEDIANS:
        return counted(round(figure.value), "day", lang)
    return f"{figure.value:,.1f}" if RATIOS[name].is_workload else f"{figure.value:.1%}"


def _with_interval(name: str, figure: Figure, lang: Language) -> str:
    if figure.low is None or figure.high is None:
        return written(name, figure, lang)
    is_share = name in RATIOS and not RATIOS[name].is_workload
    low, high = (f"{bound * 100 if is_share else bound:,.{0 if name in MEDIANS else 1}f}" for bound in _bounds(figure))
    return f"{written(name, figure, lang)} [dim]({low} .. {high})[/]"


def _bounds(figure: Figure) -> tuple[float, float]:
    assert figure.low is not None and figure.high is not None
    return figure.low, figure.high


def overall(judgement: Judgement, lang: Language) -> Table:
    """The whole with its intervals: all alerts, and those that a team works."""
    words, terms = WORDS[lang], judgement.terms
    table = Table(title=words["overall"], title_justify="left")
    table.add_column(words["metric"].format(level=f"{terms.interval_level:.0%}"), no_wrap=True)
    columns = (
        (judgement.overall, words["all_alerts"]),
        (judgement.at_monthly_budget, words["monthly"].format(share=f"{terms.budget_share_a_month:.0%}")),
        (judgement.at_daily_budget, words["daily"].format(openings=f"{terms.budget_openings_a_day:,}")),
    )
    for _, heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for name in COUNTS:
        if name not in _IN_HEADING:
            table.add_row(label(name, terms, lang), *(f"{verdict.counts[name]:,}" for verdict, _ in columns))
    for name in OF_ALL:
        if judgement.overall.figures[_NEEDS.get(name, name)].of and name not in _IN_HEADING:
            told = [verdict.figures.get(name) for verdict, _ in columns]
            cells = ("" if each is None else _with_interval(name, each, lang) for each in told)
            table.add_row(label(name, terms, lang), *cells)
    return table


def by(kind: str, verdicts: tuple[Verdict, ...], terms: Terms, lang: Language) -> Table:
    """A line of each rule, severity or cause."""
    words = WORDS[lang]
    table = Table(title=words[f"by_{kind}"], title_justify="left")
    table.add_column(words[kind], no_wrap=True)
    for name in _COLUMNS[kind]:
        heading = words.get(f"short_{name}") or words[name]
        table.add_column(heading.format(dpd=terms.backstop_days), justify="right")
    for verdict in verdicts:
        name = words["no_cause"] if verdict.of is None else word(verdict.of, lang) if kind == "severity" else verdict.of
        table.add_row(escape(name), *(_cell(each, verdict, lang) for each in _COLUMNS[kind]))
    return table


def _cell(name: str, verdict: Verdict, lang: Language) -> str:
    if name in verdict.counts:
        return f"{verdict.counts[name]:,}"
    figure = verdict.figures[name]
    if name in MEDIANS and figure.value is not None:
        return f"{figure.value:,.0f}"  # The heading says days.
    return written(name, figure, lang)
