"""The commands `forewarn rules`: check, lock, schema; those around cases are in a file of their own."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.events import CATALOGUE
from pipeline.shells import case_commands, rule_schema
from pipeline.shells.boundaries import boundary_faults
from pipeline.shells.fault_formats import FORMATS, Form
from pipeline.shells.manners import (
    LOCK,
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
    unreachable,
)
from pipeline.shells.publishing import command as publishing
from pipeline.shells.terms import terms_of
from pipeline.shells.texts import TEXTS, counted
from rules.faults import RuleError
from rules.laws import examine
from rules.loader import load_shelf
from rules.versions import read_lock, update_lock

rules_app = typer.Typer(no_args_is_help=True, help="Check and test rule files.")
case_commands.add_to(rules_app)
publishing.add_to(rules_app)

Folder = Annotated[Path, typer.Argument(help="Rule folder; the shipped shelf when absent.", show_default=False)]


@rules_app.command()
def check(
    folder: Folder = SHELF,
    form: Annotated[
        Form, typer.Option("--format", help="For people, as JSON, or as annotations of GitHub or GitLab.")
    ] = "text",
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Every fault of every rule file, with line and column, and the laws of the shelf."""
    settings = settings_of(config)
    refuse_no_folder(folder)
    beside = _lock_beside(folder)
    # Another folder has a lock when somebody asked for one; the shipped shelf must have one.
    lock = beside if folder.is_dir() and (beside.exists() or beside == LOCK) else None
    examined = examine([folder], CATALOGUE, lock, set(settings.queues), off_in(folder, settings))
    faults = sorted({*examined.faults, *boundary_faults(examined, terms_of(settings))})
    if form != "text":
        typer.echo(FORMATS[form](faults, len(examined.rules)), nl=False)
    elif faults:
        typer.echo("\n".join(map(str, faults)))
    elif not quiet:
        rules = counted(len(examined.rules), "rule", lang)
        typer.echo(TEXTS[lang]["no_faults"].format(rules=rules))
    if faults:
        raise typer.Exit(1)


@rules_app.command()
def schema(
    texts: Annotated[bool, typer.Option("--texts", help="Of the texts in a second language (RULE.zh.yaml).")] = False,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """The JSON Schema of a rule file, for an editor's completion, hover and marks."""
    settings_of(config)
    typer.echo(rule_schema.texts()[rule_schema.TEXTS if texts else rule_schema.RULE], nl=False)


@rules_app.command()
def lock(
    folder: Folder = SHELF,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Write the lock beside the folder anew: a rule whose deciding fields changed gets its next version."""
    settings_of(config)
    refuse_no_folder(folder)
    if not folder.is_dir():
        fail(f"{folder}: expected a folder of rule files, got a file; name the folder that holds it")
    path = _lock_beside(folder)
    try:
        _, before = read_lock(path)
        shelf = load_shelf([folder], CATALOGUE)
        update_lock(path, shelf)
    except RuleError as error:
        faulty(error)
    except OSError as error:
        fail(unreachable(error))
    if not quiet:
        changed = sum(rule.rule not in before or before[rule.rule].hash != rule.hash for rule in shelf.rules)
        rules = counted(len(shelf.rules), "rule", lang)
        typer.echo(TEXTS[lang]["locked"].format(file=from_here(path), rules=rules, changed=changed))


def _lock_beside(folder: Path) -> Path:
    return folder.resolve().parent / LOCK.name
