"""The command that loads history, and the opening digest as tables."""

import sqlite3
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from connectors.whole_lines import BadFile
from pipeline.decode import Decoder
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.backfill import (
    BackfillError,
    begun_in,
    digest_in,
    lines_of,
    load,
    refuse_other_lines,
    surveyed,
)
from pipeline.shells.embedded.digest import Digest
from pipeline.shells.embedded.disk import Halted, Unstored
from pipeline.shells.embedded.marks import ran_with
from pipeline.shells.embedded.runtime import Runtime
from pipeline.shells.embedded.standing import Ran
from pipeline.shells.embedded.store import DataError
from pipeline.shells.embedded.texts import TEXTS
from pipeline.shells.manners import Config, Lang, Quiet, fail, progress_of, settings_of, shelf_of, unreachable
from pipeline.shells.show import console
from pipeline.shells.texts import counted, word


def backfill(
    files: Annotated[list[Path], typer.Argument(help="Event files of the past, .jsonl or .jsonl.gz.")],
    until: Annotated[str, typer.Option(help="The last business day of which nobody is told, such as 2025-03-08.")],
    data: Annotated[Path, typer.Option(help="A new data directory; no engine may run on it.")],
    memory_mb: Annotated[int, typer.Option(help="Megabytes for borrowers in memory.", min=1)] = 512,
    rules: Annotated[list[Path] | None, typer.Option(help="Rule folder in place of the shipped shelf.")] = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Load history into a new data directory: nobody is told of it but by one opening digest."""
    try:
        last = date.fromisoformat(until)
    except ValueError:
        fail(f"--until: expected a date such as 2025-03-08, got {until!r}")
    for file in files:
        if not file.is_file():
            got = "a folder" if file.is_dir() else "nothing there"
            fail(f"{file}: expected an event file, got {got}; check the name")
    settings = settings_of(config)
    shelf = shelf_of(rules, settings)
    try:
        is_new = _loaded(
            files, last, data, shelf, ran_with(shelf.hash, settings, rules, config), memory_mb, quiet=quiet
        )
        digest = digest_in(data)
    except (BackfillError, BadFile, DataError, Halted) as error:
        fail(str(error))
    except (Unstored, sqlite3.OperationalError) as error:
        fail(f"{data}: expected room for its history, got {error}; make room, and run this again: it goes on")
    except OSError as error:
        fail(unreachable(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if not quiet:
        show(digest, data, lang, is_new=is_new)


def _loaded(
    files: list[Path], until: date, data: Path, shelf: CompiledShelf, ran: Ran, memory_mb: int, *, quiet: bool
) -> bool:
    """Load the files; False where that was done before."""
    record = begun_in(data, until, ran.decides)
    decoder = Decoder(shelf.terms.zone.name, shelf.terms.reporting_currency)
    with progress_of(quiet) as progress:
        survey = surveyed(files, decoder, until)
        lines = lines_of(files, decoder, survey)
        if record is not None and record.lines is not None:
            refuse_other_lines(data, record, lines)
            return False
        runtime = Runtime(data, shelf, ran=ran, memory_mb=memory_mb)
        try:
            task = progress.add_task("backfill", total=None)
            load(runtime, lines, survey, until, lambda count: progress.update(task, completed=count))
        finally:
            runtime.close()
    return True


def show(digest: Digest, data: Path, lang: Lang, *, is_new: bool) -> None:
    """The opening digest as tables."""
    texts, out = TEXTS[lang], console()
    said = texts["backfilled" if is_new else "backfilled_before"]
    heading = said.format(date=digest.as_of, borrowers=counted(digest.borrowers, "borrower", lang), folder=data)
    out.print(heading, markup=False, soft_wrap=True)
    alerts = Table(texts["rule"], texts["severity"])
    alerts.add_column(texts["open_alerts"], justify="right")
    for each in digest.episodes:
        alerts.add_row(each.rule, word(each.severity, lang), f"{each.open:,}")
    queues = Table(texts["queue"])
    queues.add_column(texts["open_tasks"], justify="right")
    for queue in sorted({task.queue for task in digest.tasks}):
        queues.add_row(queue, f"{sum(task.queue == queue for task in digest.tasks):,}")
    exposure = Table(texts["bucket"])
    for heading in (texts["loans"], texts["exposure"].format(currency=digest.currency), texts["exposure_unknown"]):
        exposure.add_column(heading, justify="right")
    for row in digest.exposure:
        numbers = (row.loans, row.exposure_minor, row.exposure_unknown)
        exposure.add_row(row.bucket or texts["unknown"], *(f"{number:,}" for number in numbers))
    for table in (alerts, queues, exposure):
        if table.row_count:
            out.print(table)
