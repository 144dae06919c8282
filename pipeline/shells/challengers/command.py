"""The command `forewarn rules challengers`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from connectors.whole_lines import BadFile
from pipeline.shells.embedded.store import DataError
from pipeline.shells.manners import Config, Lang, Quiet, Truth, fail, progress_of, settings_of, unreachable

if TYPE_CHECKING:
    from pipeline.shells.backtest.run import Wish
    from pipeline.shells.challengers.duel import Duels


class Format(StrEnum):
    """How challengers are told."""

    TABLE = "table"
    JSON = "json"


def challengers(
    rule: Annotated[str | None, typer.Argument(help="A challenger, or a rule that has one; all when absent.")] = None,
    record: Annotated[
        Path | None,
        typer.Option("--from", help="What was said: a folder that a replay wrote, or an engine's data directory."),
    ] = None,
    over: Annotated[
        list[Path] | None,
        typer.Option(help="What would have been said over event files, or over an engine's data directory."),
    ] = None,
    rules: Annotated[
        list[Path] | None, typer.Option(help="With --over: rule folder in place of the shipped shelf.")
    ] = None,
    truth: Truth = None,
    since: Annotated[str | None, typer.Option(help="First day that is compared.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day that is compared.")] = None,
    processes: Annotated[
        int | None, typer.Option(help="With --over: processes; as a default one for each core.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="For people, or as JSON.")] = Format.TABLE,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Challengers beside their rules: what differs, who would be alerted otherwise, and at what work."""
    # It judges: no other command should wait for what that loads.
    from pipeline.shells.backtest import asked
    from pipeline.shells.backtest.run import Wish
    from pipeline.shells.challengers import show
    from pipeline.shells.challengers.duel import ChallengeError
    from pipeline.shells.challengers.record import by_record

    _refuse(record, over, rules, processes)
    span = asked.span_of(since, until, ("--since", "--until"))
    try:
        if record is not None:
            settings_of(config)
            found = by_record(record, rule, span, truth)
        else:
            wish = Wish(span=span, truth=truth, processes=processes)
            found = _over(over or [], rules, config, rule, wish, quiet=quiet)
    except (ChallengeError, BadFile, DataError) as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if form == Format.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    elif not quiet:
        show.tables(found, lang)


def _over(
    over: list[Path], rules: list[Path] | None, config: Path | None, rule: str | None, wish: "Wish", *, quiet: bool
) -> "Duels":
    from pipeline.shells.backtest import asked
    from pipeline.shells.challengers.replayed import by_events
    from pipeline.shells.embedded.last_run import is_data

    if len(over) == 1 and is_data(over[0]):
        chosen = asked.chosen(None, over[0], rules, config)
    else:
        chosen = asked.chosen(over, None, rules, config)
    with progress_of(quiet) as progress:
        return by_events(chosen, rule, wish, progress)


def _refuse(record: Path | None, over: list[Path] | None, rules: list[Path] | None, processes: int | None) -> None:
    """Either a record or events."""
    if (record is None) == (not over):
        got = "both" if over else "neither"
        fail(f"expected what was said by --from, or events by --over, got {got}; name one of them")
    if record is not None and (rules or processes is not None):
        option = "--rules" if rules else "--processes"
        fail(f"{option}: expected it with --over, got it with --from, which keeps its own rules; leave it out")
    if processes is not None and processes < 1:
        fail(f"--processes: expected a whole number from 1 on, got {processes}; leave it out for one a core")
