"""What all commands have in common: settings read, progress shown, and a sentence with an exit code where it ends."""

from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from config.settings import Settings, SettingsError, load
from pipeline.events import CATALOGUE
from pipeline.shelf import CompiledShelf, compile_shelf
from pipeline.shells.terms import terms_of
from rules import packs
from rules.faults import RuleError
from rules.loader import load_shelf_to_run
from rules.packs import NONE_OFF, Off, folders_of, off_beside
from rules.rule import Shelf

SHELF = packs.SHELF
LOCK = SHELF.parent / "shelf.lock"

Lang = Annotated[Literal["en", "zh"], typer.Option(help="Language of the output.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]
Truth = Annotated[
    Path | None,
    typer.Option(help="CSV of borrower_id, cause, began_on, defaulted_on; the defaults in the events when absent."),
]
Budget = Annotated[
    int | None, typer.Option(help="Openings a day that the team works; as a default 2 % of borrowers a month.")
]
Config = Annotated[Path | None, typer.Option(help="Settings that differ from the defaults.")]


def settings_of(path: Path | None) -> Settings:
    """The settings of a file over the defaults, or the sentence that says why not."""
    try:
        return load(path)
    except SettingsError as error:
        fail(str(error))


def shelf_of(folders: list[Path] | None, settings: Settings) -> CompiledShelf:
    """The rules of some folders, or those of the shipped packs that are on, compiled for a bank."""
    return compile_shelf(loaded_shelf(folders, settings), terms_of(settings))


def loaded_shelf(folders: list[Path] | None, settings: Settings) -> Shelf:
    """The rules of some folders, or those of the shipped packs that are on."""
    for folder in folders or []:
        refuse_no_folder(folder)
    try:
        return load_shelf_to_run(folders or folders_of(settings.packs), CATALOGUE, None if folders else LOCK)
    except RuleError as error:
        faulty(error)


def off_in(folder: Path, settings: Settings) -> Off:
    """The packs of a folder that are off: some of the shipped shelf as a whole, none of any other folder."""
    return off_beside(settings.packs, load().packs) if folder.resolve() == SHELF.resolve() else NONE_OFF


def refuse_no_file(path: Path) -> None:
    """A file of events must be there."""
    if path.is_dir():
        fail(f"{path}: expected an event file, got a folder; name the files in it")
    if not path.exists():
        fail(f"{path}: expected an event file, got nothing there; check the name")


def refuse_no_folder(folder: Path) -> None:
    """A folder of rules must be there."""
    if not folder.exists():
        fail(f"{folder}: expected a folder of rule files, got nothing there; check the name")


def refuse_no_budget(budget: int | None) -> None:
    """A team that works works something."""
    if budget is not None and budget < 1:
        fail(f"--budget: expected a whole number of openings a day from 1 on, got {budget}; leave it out for the usual")


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
