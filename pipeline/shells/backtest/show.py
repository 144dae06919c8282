"""Rich tables of a backtest."""

from rich.markup import escape
from rich.table import Table

from pipeline.shells import show_verdict
from pipeline.shells.backtest.judging import Backtest
from pipeline.shells.backtest.texts import WORDS
from pipeline.shells.effect import AHEAD
from pipeline.shells.figures import Verdict
from pipeline.shells.show import console
from pipeline.shells.texts import TEXTS, Language, counted, word

SHOWN_AHEAD = AHEAD[1:]  # At least 0 days ahead are all that were caught.


def tables(found: Backtest, lang: Language) -> None:
    """Print what was read, what the whole shelf did, and each rule beside the others."""
    out, words = console(), WORDS[lang]
    for sentence in heading(found, lang):
        out.print(sentence, markup=False, soft_wrap=True)
    out.print(show_verdict.overall(found.verdict, lang))
    budget = f"{found.verdict.terms.budget_openings_a_day:,}"
    worked = {each.of: each for each in found.by_rule_at_daily_budget}
    rows: list[tuple[Verdict, Verdict | None]] = [(found.verdict.overall, found.verdict.at_daily_budget)]
    rows += [(each, worked[each.of]) for each in found.verdict.by_rule]
    out.print(_right(rows, words["right"].format(budget=budget), lang))
    out.print(_early([each for each, _ in rows], words["early"], found, lang))
    if found.candidates:
        out.print(_right([(each, None) for each in found.candidates], words["candidates"], lang))
        out.print(_early(list(found.candidates), "", found, lang))
    if found.silent:
        out.print(words["silent"].format(rules=TEXTS[lang]["comma"].join(found.silent)), markup=False)
    out.print(words["reading"], style="dim")


def heading(found: Backtest, lang: Language) -> list[str]:
    """What was read, what of it is judged, and by whose word."""
    words, read = WORDS[lang], found.events
    said = words["read"].format(
        events=counted(read.events, "event", lang),
        borrowers=counted(found.verdict.observed.borrowers, "borrower", lang),
        first=read.first_day,
        last=read.as_of,
    )
    sentences = [said]
    if read.dead_letters:
        reasons = TEXTS[lang]["comma"].join(f"{word(reason, lang)} {n:,}" for reason, n in read.dead_letters.items())
        sentences.append(words["unused"].format(count=f"{sum(read.dead_letters.values()):,}", reasons=reasons))
    if found.history is not None:
        sentences.append(history(found, lang))
    return [*sentences, show_verdict.heading(found.verdict, lang)]


def history(found: Backtest, lang: Language) -> str:
    """What came before the judged days, and what that leaves out."""
    before = found.history
    assert before is not None
    return WORDS[lang]["history"].format(
        first=before.first_day,
        days=counted(before.days, "day", lang),
        alerts=counted(before.alerts, "alert", lang),
        open=f"{before.open_alerts:,}",
        since=found.verdict.observed.first_day,
        borrowers=counted(before.borrowers_alerted, "borrower", lang),
    )


def _right(rows: list[tuple[Verdict, Verdict | None]], title: str, lang: Language) -> Table:
    has_worked = any(worked is not None for _, worked in rows)
    names = ["alerts", "true", "false", "censored", "precision"]
    names += ["worked", "worked_precision"] if has_worked else []
    table = _table(title, [*names, "only", "flip_flop", "a_month"], lang)
    for told, worked in rows:
        cells = [f"{told.counts[name]:,}" for name in ("alerts", "true", "false", "censored")]
        cells.append(figure(told, "precision_at_least", lang))
        if has_worked and worked is not None:
            cells += [f"{worked.counts['alerts']:,}", figure(worked, "precision_at_least", lang)]
        only = f"{told.counts['only']:,}" if "only" in told.counts else ""
        cells += [only, figure(told, "flip_flop", lang), figure(told, "alerts_per_1000_and_month", lang)]
        table.add_row(_name(told, lang), *cells)
    return table


def _early(rows: list[Verdict], title: str, found: Backtest, lang: Language) -> Table:
    words = WORDS[lang]
    ahead = [words["ahead"].format(days=f"≥{days}") for days in SHOWN_AHEAD]
    backstop = words["before_backstop"].format(dpd=found.verdict.terms.backstop_days)
    table = _table(title, ["caught", "lead"], lang)
    for heading_ in (*ahead, backstop):
        table.add_column(heading_, justify="right")
    for told in rows:
        lead = told.figures["lead_median_days"].value
        table.add_row(
            _name(told, lang),
            f"{told.counts['caught']:,}",
            show_verdict.NOTHING if lead is None else f"{lead:,.0f}",
            *(figure(told, f"ahead_{days}_days", lang) for days in SHOWN_AHEAD),
            figure(told, "before_backstop", lang),
        )
    return table


def _table(title: str, names: list[str], lang: Language) -> Table:
    table = Table(title=title, title_justify="left", collapse_padding=True)
    table.add_column(WORDS[lang]["rule"], no_wrap=True)
    for name in names:
        table.add_column(WORDS[lang][name], justify="right")
    return table


def _name(told: Verdict, lang: Language) -> str:
    return f"[bold]{WORDS[lang]['shelf']}[/]" if told.of is None else escape(told.of)


def figure(told: Verdict, name: str, lang: Language) -> str:
    """A figure as people read it; a dash where nobody asked for it."""
    return show_verdict.written(name, told.figures[name], lang) if name in told.figures else show_verdict.NOTHING
