"""The comparison of two shelves on the page of a backtest: what changed, who is alerted otherwise, what moved."""

from datetime import date
from functools import partial

from pipeline.shells.against.compare import LISTS, Compared, Line, Lists, Moved
from pipeline.shells.against.paired import COMPARED, Difference
from pipeline.shells.against.show import cell, difference, name_of, title, value
from pipeline.shells.against.texts import WORDS
from pipeline.shells.against.told import Against
from pipeline.shells.backtest.page import Sections
from pipeline.shells.report import drawing
from pipeline.shells.report.drawing import LINES, SEVERITY, Trace, bars
from pipeline.shells.report.panel import Cell, Figure, Panel, Table, Text, joined, number_of, plain, said, same

MOST_RULES = 20  # that are drawn; the tables have all
MOST_LINES = 1_000  # borrowers on the page; the JSON has all
say = partial(said, WORDS)


def sections(against: Against, as_of: date) -> Sections:
    """What stands before the backtest itself."""
    panels = [_changes(against, as_of), _moved(against, as_of), _figures(against, as_of), _who(against, as_of)]
    return [(say("section", ref=against.ref), panels)]


def _changes(against: Against, as_of: date) -> Panel:
    changes = against.changes
    if not changes:
        return Panel("changes", say("changes_title"), say("changes_none"), None, as_of)
    words = sum(each.kind == "words" for each in changes)
    says = say("changes_says", rules=number_of(len(changes), "rule"), words=f"{words:,}")
    rows: list[tuple[Cell, ...]] = [(each.rule, Text(each.says["en"], each.says["zh"])) for each in changes]
    return Panel(
        "changes",
        say("changes_title"),
        joined([Text(title(against, "en"), title(against, "zh")), says]),
        say("changes_reads"),
        as_of,
        None,
        Table((say("rule"), say("what")), rows, numbers_from=2),
    )


def _moved(against: Against, as_of: date) -> Panel:
    rows = [against.shelf, *against.by_rule]
    if all(each.moved.is_nobody for each in rows):
        return Panel("moved", say("moved_title"), say("moved_none"), None, as_of)
    drawn = rows[: MOST_RULES + 1]
    names = [_drawn_name(each) for each in drawn]
    colours = (LINES[2], SEVERITY["critical"], LINES[0], LINES[1])
    traces: list[Trace] = [
        bars(say(name), [_size(each.moved, name) for each in drawn], names, colour, orientation="h")
        for name, colour in zip(LISTS, colours, strict=True)
    ]
    counts = {name: f"{_size(against.shelf.moved, name):,}" for name in LISTS}
    defaulters = sum(len(getattr(against.shelf.moved.defaulters, name)) for name in LISTS)
    return Panel(
        "moved",
        say("moved_title"),
        say("moved_says", **counts, defaulters=f"{defaulters:,}"),
        say("moved_reads"),
        as_of,
        drawing.figure(
            traces,
            x=say("borrowers"),
            height=140 + 26 * len(drawn),
            barmode="stack",
            xaxis={"rangemode": "tozero"},
            yaxis={"autorange": "reversed", "type": "category"},
        ),
        Table((say("rule"), *map(say, LISTS)), [_cells(each) for each in rows]),
    )


def _cells(compared: Compared) -> tuple[Cell, ...]:
    counts = (Text(cell(compared.moved, name, "en"), cell(compared.moved, name, "zh")) for name in LISTS)
    return (_name(compared), *counts)


def _figures(against: Against, as_of: date) -> Panel:
    figures = against.shelf.figures
    rows: list[tuple[Cell, ...]] = [
        (say(name), value(name, each.before), value(name, each.after), difference(name, each))
        for name, each in figures.items()
    ]
    table = Table((say("metric"), *map(say, ("before", "after", "difference"))), rows)
    known = {name: each for name, each in figures.items() if each.before and each.difference is not None}
    if not known:
        return Panel("figures", say("figures_title"), say("figures_unknown"), None, as_of, None, table)
    work = figures[COMPARED[0]]
    return Panel(
        "figures",
        say("figures_title"),
        say(
            "figures_says",
            before=value(COMPARED[0], work.before),
            after=value(COMPARED[0], work.after),
            difference=difference(COMPARED[0], work),
        ),
        say("figures_reads"),
        as_of,
        _relative(known),
        table,
    )


def _relative(known: dict[str, Difference]) -> Figure:
    """Differences as shares of what was, so that figures of other units stand beside each other."""
    shares = [(each.difference or 0) / (each.before or 1) for each in known.values()]
    above, below = ([], []) if not known else zip(*(_arms(each) for each in known.values()), strict=True)
    trace = bars(
        say("difference"),
        shares,
        [say(f"short_{name}") for name in known],
        LINES[0],
        orientation="h",
        error_x={"type": "data", "symmetric": False, "array": list(above), "arrayminus": list(below)},
    )
    return drawing.figure(
        [trace],
        x=say("figures_axis"),
        height=140 + 26 * len(known),
        showlegend=False,
        xaxis={"tickformat": ".0%", "zeroline": True},
        yaxis={"autorange": "reversed", "type": "category"},
    )


def _arms(of: Difference) -> tuple[float, float]:
    """How far the interval reaches above and below the difference, as shares of what was."""
    by, before = of.difference or 0.0, of.before or 1.0
    low, high = (by if bound is None else bound for bound in (of.low, of.high))
    return max(0.0, high - by) / before, max(0.0, by - low) / before


def _who(against: Against, as_of: date) -> Panel:
    """Every borrower who is alerted otherwise, by the whole shelf and then rule by rule, defaulters first."""
    rows = [
        _row(compared, name, each)
        for compared in (against.shelf, *against.by_rule)
        for lists in (compared.moved.defaulters, compared.moved.others)
        for name in LISTS
        for each in _of(lists, name)
    ]
    if not rows:
        return Panel("who", say("who_title"), say("moved_none"), None, as_of)
    borrowers = number_of(sum(_size(against.shelf.moved, name) for name in LISTS), "borrower")
    says = say("who_says", borrowers=borrowers)
    if len(rows) > MOST_LINES:
        says = joined([says, say("who_first", shown=f"{MOST_LINES:,}", lines=f"{len(rows):,}")])
    return Panel(
        "who",
        say("who_title"),
        says,
        say("who_reads"),
        as_of,
        None,
        Table(
            tuple(map(say, ("borrower", "rule", "how", "before", "after", "defaulted_on"))),
            rows[:MOST_LINES],
            numbers_from=6,
        ),
    )


def _row(compared: Compared, name: str, line: Line) -> tuple[Cell, ...]:
    days = (line.before, line.after, line.defaulted_on)
    how = say(name) if line.days is None else _with_days(name, line.days)
    of = say("shelf") if compared.of is None else same(compared.of)
    return (line.borrower_id, of, how, *("–" if each is None else str(each) for each in days))


def _with_days(name: str, days: int) -> Text:
    return say("days", cell=say(name), days=f"{days:,}")


def _of(lists: Lists, name: str) -> tuple[Line, ...]:
    found: tuple[Line, ...] = getattr(lists, name)
    return found


def _size(moved: Moved, name: str) -> int:
    return sum(len(_of(each, name)) for each in (moved.defaulters, moved.others))


def _name(compared: Compared) -> Cell:
    return say("shelf") if compared.of is None else Text(name_of(compared, "en"), name_of(compared, "zh"))


def _drawn_name(compared: Compared) -> Text:
    return say("shelf") if compared.of is None else same(plain(compared.of))
