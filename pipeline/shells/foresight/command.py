"""`forewarn explain`: an alert by its id, or a borrower on a day."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from connectors.whole_lines import BadFile
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.last_run import as_replay, is_data, shelf_of_last_run
from pipeline.shells.embedded.reading import read_only
from pipeline.shells.embedded.store import DataError
from pipeline.shells.explain import ALERTS
from pipeline.shells.explain import explain as explain_alert
from pipeline.shells.foresight.as_of import Closed, by_data, by_files
from pipeline.shells.foresight.show import foreseen
from pipeline.shells.foresight.verdicts import verdicts
from pipeline.shells.manners import Config, Lang, Quiet, fail, progress_of, settings_of, shelf_of, unreachable
from pipeline.zone import day_number

ID_OF_ALERT = "/"  # stands in the ids of alerts, and in no borrower's


def explain(
    what: Annotated[str, typer.Argument(metavar="ID", help="The id of an alert, or of a borrower.")],
    folder: Annotated[
        Path | None,
        typer.Option("--from", help="Folder that a replay wrote, or an engine's data directory.", show_default=False),
    ] = None,
    events: Annotated[
        list[Path] | None, typer.Option(help="Of a borrower: event files, in place of a data directory.")
    ] = None,
    on: Annotated[str | None, typer.Option(help="Of a borrower: the day, at its close; the last one closed.")] = None,
    rules: Annotated[list[Path] | None, typer.Option(help="Rule folder in place of those that decided.")] = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """An alert, its numbers and what would clear it; or a borrower, what every rule says and what would change it."""
    settings_of(config)
    if ID_OF_ALERT not in what:
        _explain_borrower(what, folder, events, _day(on), rules, config, lang, quiet=quiet)
        return
    if folder is None or events or on or rules:
        fail(f"{what}: expected an alert with --from DIR alone; name the folder of a replay, or a data directory")
    with as_replay(folder, ALERTS) as place:
        problem = explain_alert(what, place, lang, quiet)
    if problem is not None:
        fail(problem.replace(str(place), str(folder)))


def _day(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return day_number(date.fromisoformat(text))
    except ValueError:
        fail(f"--on: expected a date such as 2025-06-30, got {text}")


def _explain_borrower(
    borrower_id: str,
    folder: Path | None,
    events: list[Path] | None,
    on: int | None,
    rules: list[Path] | None,
    config: Path | None,
    lang: Lang,
    *,
    quiet: bool,
) -> None:
    if (folder is None) == (not events):
        fail(f"{borrower_id}: expected a borrower with either --events FILE or --from DATA; name one of them")
    if folder is not None and not is_data(folder):
        fail(f"{folder}: expected an engine's data directory, got none; of a replay, name its events: --events FILE")
    try:
        shelf, closed = _closed(borrower_id, folder, events, on, rules, config, quiet=quiet)
    except (BadFile, DataError) as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    found = list(verdicts(shelf, closed.day, closed.memory))
    if not quiet:
        foreseen(shelf, closed, found, lang)


def _closed(
    borrower_id: str,
    folder: Path | None,
    events: list[Path] | None,
    on: int | None,
    rules: list[Path] | None,
    config: Path | None,
    *,
    quiet: bool,
) -> tuple[CompiledShelf, Closed]:
    if folder is None:
        shelf = shelf_of(rules, settings_of(config))
        with progress_of(quiet) as progress:
            return shelf, by_files(events or [], shelf, borrower_id, on, progress)
    with read_only(folder) as database:
        shelf = shelf_of_last_run(database, folder, rules, config)
    return shelf, by_data(folder, shelf, borrower_id, on)
