"""The command `forewarn rules tune`."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from connectors.whole_lines import BadFile
from pipeline.shells.embedded.last_run import refuse_own_files
from pipeline.shells.embedded.store import DataError
from pipeline.shells.manners import Config, Lang, Quiet, Truth, fail, progress_of, unreachable


def tune(
    rule: Annotated[str, typer.Argument(help="The rule.")],
    events: Annotated[list[Path] | None, typer.Argument(help="Event files, .jsonl or .jsonl.gz.")] = None,
    measure: Annotated[str, typer.Option(help="The measure beside whose number others are tried.")] = "",
    values: Annotated[str | None, typer.Option(help="Values, with commas between; some around it when absent.")] = None,
    number: Annotated[
        int | None, typer.Option(help="Which number beside the measure, where there are several.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="An engine's data directory, in place of event files.")] = None,
    rules: Annotated[list[Path] | None, typer.Option(help="Rule folder in place of the shipped shelf.")] = None,
    truth: Truth = None,
    since: Annotated[
        str | None, typer.Option("--from", help="First day that is judged; earlier ones are history.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Last day that is judged; later events are not read.")] = None,
    processes: Annotated[int | None, typer.Option(help="Processes; as a default one for each core.")] = None,
    out: Annotated[Path | None, typer.Option(help="A page with charts, an .html file.")] = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """One number of a rule swept over history: recall, lead time and workload of each value. Writes no rule."""
    from pipeline.shells.backtest import asked, run
    from pipeline.shells.backtest.workers import Rules
    from pipeline.shells.put import put
    from pipeline.shells.tuning import show
    from pipeline.shells.tuning.sweep import TuneError, sweep_of, swept
    from pipeline.shells.tuning.texts import WORDS

    span = asked.span_of(since, until)
    chosen = asked.chosen(events, data, rules, config)
    if data is not None and out is not None:
        refuse_own_files(data, out)
    shelf = chosen.rules.shelf
    found = next((each for each in shelf.rules if each.rule == rule), None)
    if found is None:
        fail(f"{rule}: expected a rule of the shelf, got a name that none has; forewarn rules check names its files")
    try:
        sweep = sweep_of(found, measure, number, _values(values))
        tried = swept(shelf, sweep)
        statuses: dict[str, str] = {each.rule: each.status for each in tried.rules}
        wanted = chosen._replace(rules=Rules(tried, chosen.rules.settings), statuses=statuses)
        with progress_of(quiet) as progress:
            told = run.backtested(wanted, run.Wish(span=span, truth=truth, processes=processes), progress).told
        result = show.swept_of(sweep, told)
        if out is not None:
            put(show.page(result, lang).encode(), out, [*chosen.past.files, *([] if truth is None else [truth])])
    except (TuneError, BadFile, DataError) as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if not quiet:
        show.table(result, lang)
        if out is not None:
            typer.echo(WORDS[lang]["written"].format(file=out))


def _values(text: str | None) -> list[Decimal]:
    if text is None:
        return []
    written = [each.strip() for each in text.split(",")]
    if not all(_NUMBER.fullmatch(each) for each in written):
        fail(f"--values: expected numbers with commas between, such as 1,2,3 or 60%,80%, got {text}")
    return [Decimal(each.removesuffix("%")) / (100 if each.endswith("%") else 1) for each in written]


_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?%?", re.ASCII)
