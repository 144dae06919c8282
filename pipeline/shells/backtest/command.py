"""The command `forewarn backtest`: past events through the rules, and what their alerts would have been worth."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectors.whole_lines import BadFile
from pipeline.shells.embedded.last_run import refuse_own_files
from pipeline.shells.embedded.store import DataError
from pipeline.shells.manners import (
    Budget,
    Config,
    Lang,
    Quiet,
    Truth,
    fail,
    progress_of,
    refuse_no_budget,
    unreachable,
)
from pipeline.shells.publishing.register import LOG
from pipeline.shells.publishing.shelves import register_of

if TYPE_CHECKING:
    from pipeline.shells.backtest.asked import Chosen
    from pipeline.shells.backtest.judging import Backtest, Found
    from pipeline.shells.backtest.page import Sections
    from pipeline.shells.backtest.run import Wish


class Format(StrEnum):
    """How a result is told."""

    TABLE = "table"
    JSON = "json"
    HTML = "html"


def backtest(
    events: Annotated[list[Path] | None, typer.Argument(help="Event files, .jsonl or .jsonl.gz.")] = None,
    data: Annotated[Path | None, typer.Option(help="An engine's data directory, in place of event files.")] = None,
    rules: Annotated[list[Path] | None, typer.Option(help="Rule folder in place of the shipped shelf.")] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="Compare with the rules of a folder, of a published hash, or of a git revision of the rule folder; "
            "looked up in this order."
        ),
    ] = None,
    register: Annotated[
        Path | None, typer.Option(help="Where --against looks published rules up; that of --data when absent.")
    ] = None,
    truth: Truth = None,
    budget: Budget = None,
    since: Annotated[
        str | None, typer.Option("--from", help="First day that is judged; earlier ones are history.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Last day that is judged; later events are not read.")] = None,
    processes: Annotated[int | None, typer.Option(help="Processes; as a default one for each core.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of backtest.json and backtest.html.")] = None,
    formats: Annotated[
        list[Format] | None,
        typer.Option("--format", help="table, json, html, several times; table, and with --out the two others."),
    ] = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Past events through the rules: alerts, how early, how right, how much work; nothing live is touched."""
    # It judges and may draw: no other command should wait for what that loads.
    from pipeline.shells.backtest import asked, run

    refuse_no_budget(budget)
    if processes is not None and processes < 1:
        fail(f"--processes: expected a whole number from 1 on, got {processes}; leave it out for one a core")
    span = asked.span_of(since, until)
    wanted = _formats(formats, data, out)
    _refuse_no_register(register, against)
    chosen = asked.chosen(events, data, rules, config)
    wish = run.Wish(span=span, truth=truth, budget=budget, processes=processes)
    sources = [*chosen.past.files, *([] if truth is None else [truth])]
    try:
        found, first = _found(against, register_of(data, register), chosen, wish, quiet=quiet)
        written = run.write(found, out, wanted, sources, lang, first)
    except (BadFile, DataError) as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if not quiet:
        if "table" in wanted:
            _show(found.told, lang)
        run.say(found.told, written, chosen.config, lang)
    if found.told.events.truncated:
        names = ", ".join(found.told.events.truncated)
        fail(f"{names}: expected a whole gzip file, got one that ends too early; its whole lines were used")


def _found(
    against: str | None, register: Path | None, chosen: "Chosen", wish: "Wish", *, quiet: bool
) -> tuple["Found", "Sections"]:
    """What the rules would have said, and what stands on its page before it: the comparison, where one is asked."""
    from pipeline.shells.backtest import run

    if against is None:
        with progress_of(quiet) as progress:
            return run.backtested(chosen, wish, progress), ()
    from pipeline.shells.against import panels
    from pipeline.shells.against.run import backtested_against, referred

    ref = referred(against, chosen, register)
    with progress_of(quiet) as progress:
        paired = backtested_against(ref, chosen, wish, progress)
    return paired.found, panels.sections(paired.against, paired.found.decided.last)


def _show(told: "Backtest", lang: Lang) -> None:
    """What was found on the screen; of two shelves what differs."""
    from pipeline.shells.against import show as show_against
    from pipeline.shells.against.told import BacktestAgainst
    from pipeline.shells.backtest import show

    if isinstance(told, BacktestAgainst):
        show_against.tables(told, lang)
    else:
        show.tables(told, lang)


def _refuse_no_register(register: Path | None, against: str | None) -> None:
    """A register is a folder, and is looked into for other rules alone."""
    if register is not None and against is None:
        fail(f"--register: expected it with --against, got it alone ({register}); leave it out")
    if register is not None and not (register / LOG).is_dir():
        fail(f"--register: expected a register of published rules, got {register}; name DATA/register of an engine")


def _formats(formats: list[Format] | None, data: Path | None, out: Path | None) -> list[Format]:
    """What is shown and written; only JSON alone goes to the screen."""
    if out is None:
        wanted = formats or [Format.TABLE]
        if Format.HTML in wanted:
            fail("--format html: expected a folder for the page by --out, got none; name one")
        if "json" in wanted and len(set(wanted)) > 1:
            fail("--format json: expected it alone, or a folder by --out, got another format beside it; name a folder")
        return wanted
    if data is not None:
        refuse_own_files(data, out)
    if out.exists() and not out.is_dir():
        fail(f"--out: expected a folder, got the file {out}; name another")
    return formats or list(Format)
