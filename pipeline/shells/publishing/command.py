"""`forewarn rules publish`, `approve`, `log` and `rollback`: a shelf comes into force by two persons."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.shells.embedded.commands import PORT
from pipeline.shells.manners import (
    LOCK,
    Config,
    Lang,
    Quiet,
    Truth,
    fail,
    faulty,
    progress_of,
    refuse_no_folder,
    settings_of,
    unreachable,
)
from pipeline.shells.publishing.bundle import LOCK as LOCK_NAME
from pipeline.shells.publishing.bundle import BundleError, Files, bundled
from pipeline.shells.terms import terms_of
from rules.faults import RuleError
from rules.packs import folders_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings
    from pipeline.shells.publishing.doors import Door
    from pipeline.shells.publishing.register import Entry

To = Annotated[str | None, typer.Option(help=f"Where the engine listens; http://127.0.0.1:{PORT} when absent.")]
Data = Annotated[
    Path | None, typer.Option(help="The engine's data directory, in place of --to: you are who runs this command.")
]
Hash = Annotated[str, typer.Argument(metavar="HASH", help="The hash of a shelf, or its first 8 digits or more.")]


def add_to(app: typer.Typer) -> None:
    """Make these commands part of `forewarn rules`."""
    app.command()(publish)
    app.command()(approve)
    app.command("log")(log)
    app.command()(rollback)


def publish(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Rule folders; the shipped packs when absent.", show_default=False),
    ] = None,
    author: Annotated[str | None, typer.Option(help="Who proposes: the person of the key, or the user.")] = None,
    over: Annotated[list[Path] | None, typer.Option(help="Event files of the past to judge the rules by.")] = None,
    without_past: Annotated[
        str | None, typer.Option(help="Why no past is asked, in place of --over or the log of --data.")
    ] = None,
    truth: Truth = None,
    why: Annotated[str, typer.Option(help="Why the rules change.")] = "",
    to: To = None,
    data: Data = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Propose a shelf, with what speaks for it; nothing is decided by it until another person approves."""
    from pipeline.shells.publishing.doors import DoorError
    from pipeline.shells.publishing.gathering import Wanted, gathered
    from pipeline.shells.publishing.show import proposed

    settings = settings_of(config)
    dirs = _named(folders) or folders_of(settings.packs)
    try:
        door = _door(to, data, settings)
        door.refuse_no_author(author)
        files = _files(dirs, None if folders else LOCK)
        wanted = Wanted(dirs, over or [], data, without_past, truth, config)
        with progress_of(quiet) as progress:
            evidence = gathered(door, wanted, terms_of(settings), progress)
        entry = door.propose(files, author, evidence=evidence.model_dump(), why=why)
    except (DoorError, BundleError) as error:
        fail(str(error))
    except RuleError as error:
        faulty(error)
    except OSError as error:
        fail(unreachable(error))
    if not quiet:
        proposed(entry, lang)


def approve(
    text: Hash,
    approver: Annotated[str | None, typer.Option(help="Who approves: the person of the key, or the user.")] = None,
    to: To = None,
    data: Data = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Approve what another person proposed: from here on the engine decides by it."""
    _stepped(to, data, config, lang, lambda door: door.approve(text, approver), quiet=quiet)


def rollback(
    text: Hash,
    why: Annotated[str, typer.Option(help="Why.")],
    by: Annotated[str | None, typer.Option(help="Who rolls back: the person of the key, or the user.")] = None,
    to: To = None,
    data: Data = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Put a shelf in force again that two persons agreed on before."""
    _stepped(to, data, config, lang, lambda door: door.roll_back(text, by, why=why), quiet=quiet)


def log(
    text: Annotated[str | None, typer.Argument(help="Only this shelf, with its evidence.", metavar="HASH")] = None,
    out: Annotated[Path | None, typer.Option(help="A new folder for the files of the shelf.")] = None,
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="For people, or for programs.")] = "text",
    to: To = None,
    data: Data = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Who proposed, approved and rolled back which shelf, and what is in force."""
    from pipeline.shells.publishing import show
    from pipeline.shells.publishing.doors import DoorError, steps_of

    if out is not None and text is None:
        fail("--out: expected the hash of a shelf beside it, got none; name one")
    if out is not None and out.exists():
        fail(f"--out: expected a new folder, got {out}, which is there; name another")
    try:
        door = _door(to, data, settings_of(config))
        found = door.log()
        if text is not None:
            found = steps_of(found, text)
        if out is not None and text is not None:
            show.write(door.files(text), out)
    except DoorError as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    if form == "json":
        show.as_json(found)
    elif not quiet:
        show.log(found, lang, with_evidence=text is not None)
        if out is not None:
            show.written(found, out, lang)


def _stepped(
    to: str | None,
    data: Path | None,
    config: Path | None,
    lang: Lang,
    step: "Callable[[Door], Entry]",
    *,
    quiet: bool,
) -> None:
    """Take a step by which another shelf comes into force, and say so."""
    from pipeline.shells.publishing.doors import DoorError
    from pipeline.shells.publishing.show import approved

    try:
        entry = step(_door(to, data, settings_of(config)))
    except DoorError as error:
        fail(str(error))
    if not quiet:
        approved(entry, lang, is_followed=data is None)


def _door(to: str | None, data: Path | None, settings: "Settings") -> "Door":
    # HTTP takes a tenth of a second to load, which no other command should wait for.
    from pipeline.shells.publishing.doors import OnDisk
    from pipeline.shells.publishing.over_http import OverHttp

    if to is not None and data is not None:
        fail("--to: expected it or --data, got both; name one")
    if data is None:
        return OverHttp(to or f"http://127.0.0.1:{PORT}")
    return OnDisk(data, terms_of(settings).zone, set(settings.queues))


def _named(folders: list[Path] | None) -> list[Path]:
    for folder in folders or ():
        refuse_no_folder(folder)
    return folders or []


def _files(dirs: list[Path], lock: Path | None) -> Files:
    """The files of the rules, and their lock, or the one beside them, where there is one."""
    files = bundled(dirs)
    if lock is None and len(dirs) == 1:
        lock = dirs[0].resolve().parent / LOCK.name
    if lock is not None and lock.is_file():
        files[LOCK_NAME] = lock.read_text("utf-8")
    return files
