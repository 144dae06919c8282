"""A comparison of two shelves on the screen: what changed in words, who is alerted otherwise, what moved."""

from statistics import median

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.shells import show_verdict
from pipeline.shells.against.compare import LISTS, Compared, Moved
from pipeline.shells.against.paired import COMPARED, Difference
from pipeline.shells.against.texts import WORDS
from pipeline.shells.against.told import Against, BacktestAgainst
from pipeline.shells.against.wording import WORDS as WORDING
from pipeline.shells.backtest.show import heading
from pipeline.shells.figures import RATIOS
from pipeline.shells.resample import LEVEL
from pipeline.shells.show import console
from pipeline.shells.texts import TEXTS, Language, counted

OF_RULES = tuple(name for name in COMPARED if name != "precision_at_least")  # as many as a screen is wide
ALL_SAME = 8  # so many rules that say the same are named; of more the number is told


def tables(told: BacktestAgainst, lang: Language) -> None:
    """Print what was read, and all that is otherwise."""
    out, words, against = console(), WORDS[lang], told.against
    for sentence in (*heading(told, lang), title(against, lang)):
        out.print(sentence, markup=False, soft_wrap=True)
    for line in changes_lines(against, lang):
        out.print(line, markup=False, soft_wrap=True, highlight=False)
    rows = [against.shelf, *(each for each in against.by_rule if not each.moved.is_nobody)]
    out.print(who(rows, words["who"], lang))
    out.print(moved_table(against.shelf, words["differences"].format(level=f"{LEVEL:.0%}"), lang))
    if against.by_rule:
        out.print(_by_rule(against.by_rule, lang))
    _same(out, against, lang)
    out.print(words["reading"], style="dim")


def title(against: Against, lang: Language) -> str:
    """What is compared with what."""
    words = WORDS[lang]
    return words["heading"].format(
        ref=against.ref,
        kind=words[f"kind_{against.ref_kind}"],
        hash=against.shelf_before[:12],
        now=against.shelf_after[:12],
    )


def changes_lines(against: Against, lang: Language) -> list[str]:
    """What changed, a line a rule."""
    words = WORDS[lang]
    if not against.changes:
        return [words["no_changes"]]
    said = WORDING[lang]["said"]
    return [words["changes"], *(f"  {said.format(rule=each.rule, what=each.says[lang])}" for each in against.changes)]


def who(rows: list[Compared], heading_: str, lang: Language) -> Table:
    """How many borrowers are alerted otherwise, defaulters and others apart."""
    table = Table(title=heading_, title_justify="left")
    table.add_column(WORDS[lang]["rule"])
    for name in LISTS:
        table.add_column(WORDS[lang][name], justify="right")
    for each in rows:
        table.add_row(name_of(each, lang), *(cell(each.moved, name, lang) for name in LISTS))
    return table


def cell(moved: Moved, name: str, lang: Language) -> str:
    """Defaulters and others in one of the lists, and by how many days in the middle."""
    lists = getattr(moved.defaulters, name), getattr(moved.others, name)
    counts = " / ".join(f"{len(each):,}" for each in lists)
    days = [line.days for each in lists for line in each if line.days is not None]
    return WORDS[lang]["days"].format(cell=counts, days=f"{median(days):g}") if days else counts


def moved_table(compared: Compared, heading_: str, lang: Language) -> Table:
    """Figures before and after, with what they moved by."""
    words = WORDS[lang]
    table = Table(title=heading_, title_justify="left")
    table.add_column(words["metric"])
    for name in ("before", "after", "difference"):
        table.add_column(words[name], justify="right")
    for name, each in compared.figures.items():
        table.add_row(words[name], value(name, each.before), value(name, each.after), difference(name, each))
    return table


def _by_rule(rules: tuple[Compared, ...], lang: Language) -> Table:
    words = WORDS[lang]
    table = Table(title=words["by_rule"], title_justify="left")
    table.add_column(words["rule"], overflow="fold")
    for name in OF_RULES:
        table.add_column(words[f"short_{name}"], justify="right", no_wrap=True)
    for each in rules:
        table.add_row(name_of(each, lang), *(difference(name, each.figures[name], "\n") for name in OF_RULES))
    return table


def _same(out: Console, against: Against, lang: Language) -> None:
    words, rules = WORDS[lang], against.same
    if 0 < len(rules) <= ALL_SAME:
        out.print(words["same"].format(rules=TEXTS[lang]["comma"].join(rules)), markup=False)
    elif rules:
        out.print(words["others_same"].format(count=counted(len(rules), "rule", lang)), markup=False)


def name_of(compared: Compared, lang: Language) -> str:
    """What a row is of, with its status where that changed."""
    words = WORDS[lang]
    if compared.of is None:
        return f"[bold]{words['shelf']}[/]"
    if compared.before == compared.after:
        return escape(compared.of)
    before, after = (each or words["nowhere"] for each in (compared.before, compared.after))
    return escape(words["status"].format(rule=compared.of, before=before, after=after))


# -- figures ----------------------------------------------------------------


def is_share(name: str) -> bool:
    """Whether a figure is a share of something."""
    return name in RATIOS and not RATIOS[name].is_workload


def value(name: str, of: float | None) -> str:
    """A figure as people read it."""
    if of is None:
        return show_verdict.NOTHING
    return f"{of:.1%}" if is_share(name) else f"{of:,.1f}"


def difference(name: str, of: Difference, before_interval: str = " ") -> str:
    """A difference with its interval, as people read it.

    >>> told = {"before": 2.0, "after": 3.5, "of_before": 9, "of_after": 9}
    >>> difference("lead_median_days", Difference(**told, difference=1.5, low=0.0, high=3.0))
    '+1.5 (0.0 .. 3.0)'
    """
    if of.difference is None:
        return show_verdict.NOTHING
    scale = 100 if is_share(name) else 1
    unit = " %" if is_share(name) else ""
    bounds = "" if of.low is None or of.high is None else f"({of.low * scale:,.1f} .. {of.high * scale:,.1f})"
    sign = "+" if of.difference > 0 else ""
    return f"{sign}{of.difference * scale:,.1f}{unit}{before_interval if bounds else ''}{bounds}"
