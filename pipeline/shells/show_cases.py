"""How cases went, as text: a line a case, the timeline of one that failed, and the moves that none of them notices."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipeline.shelf import BankTerms
from pipeline.shells.case_texts import WORDS
from pipeline.shells.case_timeline import WHEN, Row, Timeline, Worth, timeline
from pipeline.shells.cases import Outcome
from pipeline.shells.manners import from_here
from pipeline.shells.nudging import Nudged
from pipeline.shells.texts import Language, counted, word
from rules.condition_text import condition_text
from rules.rule import Expected, Rule
from rules.say import value_text
from rules.yaml_text import dotted

WIDTH = 100
_TRUTHS = {True: "true", False: "false", None: "unknown"}


def console() -> Console:
    """A console of the width that timelines are laid out for, narrower where the terminal is."""
    found = Console()
    return Console(width=min(WIDTH, found.width)) if found.is_terminal else Console(width=WIDTH)


def lines_of(done: Sequence[Outcome], terms: BankTerms, lang: Language, *, only_failed: bool) -> None:
    """Each case on a line; a failed one with its timeline."""
    out = console()
    for each in done:
        if each.passed and only_failed:
            continue
        case_line(out, each, lang)
        if not each.passed:
            story(out, each, terms, lang)
    passed = sum(each.passed for each in done)
    out.print(WORDS[lang]["cases"].format(passed=passed, all=counted(len(done), "case", lang)))


def case_line(out: Console, outcome: Outcome, lang: Language) -> None:
    """Whether a case passed; where it stands, if it failed."""
    said = WORDS[lang]["pass" if outcome.passed else "fail"]
    color = "green" if outcome.passed else "red"
    place = "" if outcome.passed else f"   {from_here(Path(outcome.rule.file).resolve())}:{outcome.case.line}"
    out.print(f"[{color}]{said}[/] {outcome.rule.rule}: {escape(outcome.case.name + place)}", soft_wrap=True)


def failure_text(outcome: Outcome, terms: BankTerms, lang: Language) -> str:
    """The timeline of a failed case without colors, for a file."""
    file = StringIO()
    story(Console(file=file, width=WIDTH, color_system=None), outcome, terms, lang)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def summary(outcome: Outcome, lang: Language) -> str:
    """What was expected and what came, on one line."""
    words = WORDS[lang]
    wanted, got = (_listed(each, lang) for each in (outcome.case.expect, outcome.got))
    return f"{words['expected']} {wanted}; {words['got']} {got}"


def _listed(alerts: tuple[Expected, ...], lang: Language) -> str:
    told = (
        f"{WORDS[lang]['day']} {each.day} {word(each.alert, lang)}" + ("" if each.say is None else f" {each.say!r}")
        for each in alerts
    )
    return ", ".join(told) or WORDS[lang]["nothing"]


# -- the timeline -----------------------------------------------------------


def story(out: Console, outcome: Outcome, terms: BankTerms, lang: Language) -> None:
    """A case day by day."""
    found = timeline(outcome, terms)
    for line in _conditions(outcome.rule, lang):
        out.print(f"     {line}", markup=False, highlight=False)
    out.print(_table(found, outcome.rule, lang))
    for line in _messages(found, lang):
        out.print(f"     {line}", markup=False, highlight=False)


def _conditions(rule: Rule, lang: Language) -> list[str]:
    words = WORDS[lang]
    times = (("for", rule.hold), ("quiet", rule.quiet), ("clear_after", rule.clear_after))
    held = [words[name].format(days=counted(days, "day", lang)) for name, days in times if days]
    lines = [f"{WHEN}: {condition_text(rule.when)}" + (f"   ({', '.join(held)})" if held else "")]
    return lines + [f"{word(name, lang)}: {condition_text(each)}" for name, each in rule.escalate.items()]


def _table(found: Timeline, rule: Rule, lang: Language) -> Table:
    words = WORDS[lang]
    is_of_several = len({row.key for row in found.rows if row.key}) > 1
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(words["day"], justify="right", no_wrap=True)
    if is_of_several:
        table.add_column(words["whom"], max_width=10, overflow="fold")
    table.add_column(words["happened"], ratio=5, overflow="fold")
    table.add_column(words["measures"], ratio=5, overflow="fold")
    for name in (WHEN, *rule.escalate):
        table.add_column(word(name, lang), no_wrap=True)
    table.add_column(words["expected"], no_wrap=True)
    table.add_column(words["got"], no_wrap=True)
    table.add_column("", no_wrap=True)
    shown_at = {day: _row_of_day(found, day) for day in {row.day for row in found.rows}}
    for i, row in enumerate(found.rows):
        is_first_of_day = i == 0 or found.rows[i - 1].day != row.day
        cells = [str(row.day) if is_first_of_day else "", *([row.key] if is_of_several else [])]
        cells += [_happened(row, lang), _worth(row, lang)]
        cells += [words[_TRUTHS[row.truths[name]]] for name in (WHEN, *rule.escalate)]
        cells.append(_alerts(found.expected.get(row.day, ()), lang) if shown_at[row.day] == i else "")
        cells.append(_alerts(row.got, lang))
        is_wrong = not found.is_as_expected(row.day) and (shown_at[row.day] == i or bool(row.got))
        table.add_row(*(Text(cell) for cell in cells), "✗" if is_wrong else "", style="red" if is_wrong else "")
    return table


def _row_of_day(found: Timeline, day: int) -> int:
    """Where what is expected of a day stands: beside what came first, else at its end."""
    rows = [i for i, row in enumerate(found.rows) if row.day == day]
    return next((i for i in rows if found.rows[i].got), rows[-1])


def _happened(row: Row, lang: Language) -> str:
    words = WORDS[lang]
    if row.given is None:
        none = [words["no_feed"].format(feeds=", ".join(row.missing))] if row.missing else []
        return "; ".join([words["day_ends"], *none])
    fields = [f"{name} {_shown(value, lang)}" for name, value in row.given.items() if name not in ("day", "event")]
    return " ".join([row.given["event"], *([", ".join(fields)] if fields else [])])


def _shown(value: Any, lang: Language) -> str:
    return str(value) if isinstance(value, str) else value_text(value, ",", lang)


def _worth(row: Row, lang: Language) -> str:
    return ", ".join(f"{name} {_value(worth, lang)}" for name, worth in row.worth.items())


def _value(worth: Worth, lang: Language) -> str:
    text = value_text(worth.value, None if isinstance(worth.value, bool | None) else ",", lang)
    return WORDS[lang]["at_least"].format(value=text) if worth.is_least else text


def _alerts(alerts: Sequence[Expected], lang: Language) -> str:
    return "\n".join(word(each.alert, lang) for each in alerts)


def _messages(found: Timeline, lang: Language) -> list[str]:
    """Where the right alert came with other words than expected."""
    lines = []
    for day, wanted in found.expected.items():
        got = [each for row in found.rows if row.day == day for each in row.got]
        for want, came in zip(wanted, got, strict=False):
            if want.say is not None and want.say != came.say:
                lines.append(WORDS[lang]["said"].format(day=day, expected=want.say, got=came.say or ""))
    return lines


# -- moves ------------------------------------------------------------------


def moves(found: Sequence[Nudged], failed: Sequence[str], lang: Language, *, only_unnoticed: bool) -> None:
    """The moves that no case notices, and how many there were."""
    words, out = WORDS[lang], console()
    unnoticed = [each for rule in found for each in rule.unnoticed]
    if unnoticed:
        table = Table(title=words["moves_title"], title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for column in ("where", "stands", "became"):
            table.add_column(words[column], overflow="fold")
        for each in unnoticed:
            place = f"{from_here(Path(each.file).resolve())}:{each.line} {dotted(each.nudge.path)}"
            table.add_row(*(Text(cell) for cell in (place, each.nudge.was, each.nudge.became)))
        out.print(table)
    if failed:
        out.print(words["not_moved"].format(rules=", ".join(failed)), markup=False)
    if unnoticed or not only_unnoticed:
        all_, excused = sum(rule.moves for rule in found), sum(rule.excused for rule in found)
        noticed = all_ - excused - len(unnoticed)
        told = {"all": f"{all_:,}", "noticed": f"{noticed:,}", "unnoticed": f"{len(unnoticed):,}", "excused": excused}
        out.print(words["moves"].format(**told), highlight=False)
