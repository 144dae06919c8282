"""What all commands have in common: settings read, progress shown, and a sentence with an exit code where it ends."""

from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from config.settings import Settings, SettingsError, load
from rules.faults import RuleError


def settings_of(path: Path | None) -> Settings:
    """The settings of a file over the defaults, or the sentence that says why not."""
    try:
        return load(path)
    except SettingsError as error:
        fail(str(error))


def from_here(path: Path) -> Path:
    """A path as it is called from the folder one stands in."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def unreachable(error: OSError) -> str:
    """What to say of a file that cannot be reached."""
    what = "a file that can be read or written"
    return f"{error.filename}: expected {what}, got {error.strerror}; check the name, its rights and the disk"


def progress_of(quiet: bool) -> Progress:
    """A bar of progress, where somebody looks."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    screen = Console(stderr=True)
    return Progress(*columns, console=screen, transient=True, disable=quiet or not screen.is_terminal)


def faulty(error: RuleError) -> NoReturn:
    """Every fault of rule files or of figures, and the end."""
    for fault in error.faults:
        typer.echo(str(fault), err=True)
    raise typer.Exit(2)


def fail(sentence: str) -> NoReturn:
    """One sentence, and the end."""
    typer.echo(sentence, err=True)
    raise typer.Exit(2)
