"""`forewarn rules coverage`."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from connectors.whole_lines import BadFile
from pipeline.events import CATALOGUE
from pipeline.shells.coverage.forms import as_json, as_page, counts, footnotes, rows
from pipeline.shells.coverage.texts import TEXTS
from pipeline.shells.manners import (
    SHELF,
    Config,
    Lang,
    Quiet,
    fail,
    faulty,
    from_here,
    off_in,
    refuse_no_folder,
    settings_of,
)
from pipeline.shells.put import put
from pipeline.shells.rules_commands import Folder, rules_app
from pipeline.shells.show import console
from pipeline.shells.texts import Language
from rules.coverage import LISTS, Coverage, coverages
from rules.faults import RuleError
from rules.loader import load_shelf

Form = Literal["text", "json", "html"]
COLOURS = {"covered": "green", "partly": "yellow", "not_covered": "red"}


@rules_app.command()
def coverage(
    folder: Folder = SHELF,
    form: Annotated[Form, typer.Option("--format", help="For people, for programs, or as a page.")] = "text",
    out: Annotated[
        Path | None, typer.Option(help="A file to write to instead of the screen.", show_default=False)
    ] = None,
    lists: Annotated[
        Path, typer.Option(help="A folder of lists; the shipped ones when absent.", show_default=False)
    ] = LISTS,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """What of published lists of early-warning signs the rules cover, and why not the rest."""
    settings = settings_of(config)
    refuse_no_folder(folder)
    if not lists.is_dir():
        got = "a file" if lists.exists() else "nothing there"
        fail(f"{lists}: expected a folder of lists, got {got}; check the name")
    try:
        shelf = load_shelf([folder], CATALOGUE)
        is_own = folder == SHELF or lists != LISTS
        found = coverages(shelf.rules, lists, off_in(folder, settings), is_own=is_own)
    except RuleError as error:
        faulty(error)
    if form == "text" and out is None:
        for each in found:
            _print(each, lang)
        return
    content = _as_text(found, lang) if form == "text" else _of_form(form, found, shelf.hash, lang)
    if out is None:
        typer.echo(content, nl=False)
        return
    try:
        put(content, out, sorted(lists.glob("*.yaml")))
    except BadFile as error:
        fail(str(error))
    if not quiet:
        typer.echo(TEXTS[lang]["written"].format(file=from_here(out)))


def _of_form(form: Form, found: list[Coverage], shelf: str, lang: Language) -> bytes:
    return as_json(found, shelf) if form == "json" else as_page(found, shelf, lang)


def _print(coverage: Coverage, lang: Language) -> None:
    out = console()
    out.print(f"\n[bold]{coverage.title.in_(lang)}[/]: {counts(coverage, lang)}")
    out.print(_table(coverage, lang))
    for each in footnotes(coverage, lang):
        out.print(each)


def _as_text(found: list[Coverage], lang: Language) -> bytes:
    lines = []
    for each in found:
        lines += [
            f"{each.title.in_(lang)}: {counts(each, lang)}",
            *("\t".join(row) for row in rows(each, lang)),
            *footnotes(each, lang),
            "",
        ]
    return "\n".join(lines).encode()


def _table(coverage: Coverage, lang: Language) -> Table:
    texts = TEXTS[lang]
    table = Table(show_lines=False)
    for column in ("sign", "status", "rules", "not_seen"):
        table.add_column(texts[column], overflow="fold")
    for sign, row in zip(coverage.signs, rows(coverage, lang), strict=True):
        table.add_row(row.text, f"[{COLOURS[sign.status]}]{row.status}[/]", row.rules, row.why)
    return table
