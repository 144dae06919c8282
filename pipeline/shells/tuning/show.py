"""A sweep as a table on the screen, and as a page with charts."""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from rich.table import Table as Grid

from pipeline.shells import show_verdict
from pipeline.shells.backtest.judging import Backtest
from pipeline.shells.backtest.show import SHOWN_AHEAD, figure
from pipeline.shells.figures import Verdict
from pipeline.shells.report import drawing
from pipeline.shells.report.drawing import LINES, PERCENT, line
from pipeline.shells.report.frame import Frame, framed
from pipeline.shells.report.panel import Cell, Panel, Table, Text, said, same
from pipeline.shells.show import console
from pipeline.shells.texts import Language, counted
from pipeline.shells.tuning.sweep import Sweep
from pipeline.shells.tuning.texts import WORDS
from rules.condition_text import number_text

COLUMNS = (
    "alerts",
    "caught",
    "recall",
    "lead",
    *(f"ahead_{days}" for days in SHOWN_AHEAD),
    "precision",
    "only",
    "a_month",
)
say = partial(said, WORDS)


class Swept(NamedTuple):
    """A sweep with what was found of each value; None: it opened no alert."""

    sweep: Sweep
    told: Backtest
    verdicts: list[tuple[Decimal, Verdict | None]]


def swept_of(sweep: Sweep, told: Backtest) -> Swept:
    """Each value with its verdict."""
    found = {each.of: each for each in told.candidates}
    return Swept(sweep, told, [(value, found.get(sweep.named(value))) for value in sweep.values])


def table(swept: Swept, lang: Language) -> None:
    """Print it."""
    out = console()
    out.print(_title(swept, lang), markup=False, soft_wrap=True)
    grid = Grid()
    for name in ("value", *COLUMNS):
        grid.add_column(_heading(name, lang), justify="right")
    for value, verdict in swept.verdicts:
        style = "bold" if value == swept.sweep.now else None
        grid.add_row(_value(swept.sweep, value, lang), *_cells(verdict, lang), style=style)
    out.print(grid)
    out.print(WORDS[lang]["reads"], style="dim")


def page(swept: Swept, lang: Language) -> str:
    """The whole page: the trade of recall and work, and how early and how right each value is."""
    return framed(
        Frame(
            titles={each: WORDS[each]["page_title"] for each in WORDS},
            head=Text(_title(swept, "en"), _title(swept, "zh")),
            notes=[say("reads")],
            keys=[],
            sections=[(say("section"), [_trade(swept), _shares(swept)])],
            stories=[],
            foot=say("foot"),
        ),
        lang,
    )


def _title(swept: Swept, lang: Language) -> str:
    seen = swept.told.verdict.observed
    return WORDS[lang]["title"].format(
        rule=swept.sweep.rule.rule,
        now=number_text(swept.sweep.now),
        comparison=swept.sweep.comparison,
        first=seen.first_day,
        last=seen.as_of,
        defaulted=f"{seen.defaulted:,}",
        borrowers=counted(seen.borrowers, "borrower", lang),
    )


def _heading(name: str, lang: Language) -> str:
    days = name.removeprefix("ahead_")
    return WORDS[lang]["ahead"].format(days=days) if days != name else WORDS[lang][name]


def _value(sweep: Sweep, value: Decimal, lang: Language) -> str:
    text = number_text(value)
    return WORDS[lang]["now"].format(value=text) if value == sweep.now else text


def _cells(verdict: Verdict | None, lang: Language) -> list[str]:
    if verdict is None:
        return ["0", *[show_verdict.NOTHING] * (len(COLUMNS) - 1)]
    counts, lead = verdict.counts, verdict.figures["lead_median_days"].value
    return [
        f"{counts['alerts']:,}",
        f"{counts['caught']:,}",
        figure(verdict, "recall", lang),
        show_verdict.NOTHING if lead is None else f"{lead:,.0f}",
        *(figure(verdict, f"ahead_{days}_days", lang) for days in SHOWN_AHEAD),
        figure(verdict, "precision_at_least", lang),
        f"{counts.get('only', 0):,}",
        figure(verdict, "alerts_per_1000_and_month", lang),
    ]


# -- charts -----------------------------------------------------------------


def _trade(swept: Swept) -> Panel:
    seen = [(value, verdict) for value, verdict in swept.verdicts if verdict is not None]
    sweep, last = swept.sweep, swept.told.verdict.observed.as_of
    says = say("trade_says", rule=sweep.rule.rule, now=number_text(sweep.now), comparison=sweep.comparison)
    if not seen:
        return Panel("trade", say("trade_title"), say("nobody"), None, last)
    xs = [verdict.figures["alerts_per_1000_and_month"].value for _, verdict in seen]
    ys = [verdict.figures["recall"].value for _, verdict in seen]
    names = [number_text(value) for value, _ in seen]
    own = {"text": names, "mode": "lines+markers+text", "textposition": "top center"}
    return Panel(
        "trade",
        say("trade_title"),
        says,
        say("trade_reads"),
        last,
        drawing.figure(
            [line(say("recall"), xs, ys, LINES[0], **own)],
            x=say("trade_x"),
            y=say("trade_y"),
            xaxis={"rangemode": "tozero"},
            yaxis={"tickformat": PERCENT, "rangemode": "tozero"},
        ),
        _figures(swept),
    )


def _figures(swept: Swept) -> Table:
    columns: list[Cell] = [Text(_heading(name, "en"), _heading(name, "zh")) for name in ("value", *COLUMNS)]
    rows: list[tuple[Cell, ...]] = []
    for value, verdict in swept.verdicts:
        first = Text(_value(swept.sweep, value, "en"), _value(swept.sweep, value, "zh"))
        both = zip(_cells(verdict, "en"), _cells(verdict, "zh"), strict=True)
        rows.append((first, *(Text(en, zh) for en, zh in both)))
    return Table(tuple(columns), rows)


def _shares(swept: Swept) -> Panel:
    last = swept.told.verdict.observed.as_of
    if all(verdict is None for _, verdict in swept.verdicts):
        return Panel("lead", say("lead_title"), say("nobody"), None, last)
    names = [number_text(value) for value, _ in swept.verdicts]
    wanted = [("recall", say("recall")), *((f"ahead_{days}_days", say("ahead", days=days)) for days in SHOWN_AHEAD)]
    wanted.append(("precision_at_least", say("precision")))
    return Panel(
        "lead",
        say("lead_title"),
        say("lead_reads"),
        None,
        last,
        drawing.figure(
            [line(text, names, _column(swept, name), LINES[i % len(LINES)]) for i, (name, text) in enumerate(wanted)],
            x=same(swept.sweep.comparison),
            y=say("share"),
            xaxis={"type": "category"},
            yaxis={"tickformat": PERCENT, "rangemode": "tozero"},
        ),
        None,
    )


def _column(swept: Swept, name: str) -> Sequence[float | None]:
    return [None if verdict is None else verdict.figures[name].value for _, verdict in swept.verdicts]
