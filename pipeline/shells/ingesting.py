"""The command that brings data in: a bank's files become events; these go to a file, to an engine, or to its inbox."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from connectors.ingest import ingest as run_ingest
from connectors.mapping import MappingError
from connectors.totals import PRINTED_WIDTH, Totals, print_totals
from pipeline.shells.embedded.dropped import Unusable, ending_of
from pipeline.shells.embedded.texts import TEXTS
from pipeline.shells.manners import Config, Lang, Quiet, fail, progress_of, settings_of, unreachable
from pipeline.shells.texts import Language

MADE = ".jsonl.gz"


def ingest(
    file: Annotated[Path, typer.Argument(help="CSV or CSV.gz file of a bank, a folder of them, or a file of events.")],
    mapping: Annotated[
        str | None, typer.Option(help="Name under config/mappings, or a mapping file; events need none.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the events go: .jsonl or .jsonl.gz.")] = None,
    to: Annotated[
        str | None, typer.Option(metavar="URL|DIR", help="An engine's address, or its inbox, instead of --out.")
    ] = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Turn a bank's file into events, with control totals; with --to they go to an engine."""
    settings_of(config)
    if (out is None) == (to is None):
        got = "none" if out is None else "both"
        fail(f"--out, --to: expected one of them, got {got}; --out writes a file, --to sends to an engine or its inbox")
    if mapping is None and to is None:
        fail("--mapping: expected a name under config/mappings or a mapping file, got none; only --to takes events")
    try:
        if to is None:
            assert mapping is not None and out is not None
            _shown(_made(file, mapping, out, quiet=quiet), lang, quiet=quiet)
        else:
            _hand_over(file, mapping, to, lang, quiet=quiet)
    except (MappingError, Unusable) as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))


def _made(file: Path, mapping: str, out: Path, *, quiet: bool) -> Totals:
    return run_ingest(file, Path(mapping) if Path(mapping).suffix else mapping, out, quiet)


def _shown(totals: Totals, lang: Language, *, quiet: bool) -> None:
    if not quiet:
        print_totals(totals, lang)


def _hand_over(file: Path, mapping: str | None, to: str, lang: Language, *, quiet: bool) -> None:
    """Make events where there is a mapping, then send them or put them; of a file that breaks off, what is whole."""
    from pipeline.shells.embedded.sending import draft_folder, is_address, refuse_no_inbox

    inbox = None if is_address(to) else refuse_no_inbox(to)
    faults: list[str] = []
    with draft_folder(inbox) as drafts:
        events = file
        if mapping is not None:
            events = drafts / f"{file.resolve().name.removesuffix('.gz').removesuffix('.csv')}{MADE}"
            try:
                _shown(_made(file, mapping, events, quiet=quiet), lang, quiet=quiet)
            except MappingError as error:
                if not events.exists():
                    raise
                faults.append(str(error))
        elif not ending_of(file.name):
            raise Unusable(
                f"{file}: expected a file of events (.jsonl, .ndjson or .json), got another; name its --mapping"
            )
        faults += _put(events, inbox, drafts, lang, quiet=quiet) if inbox else _sent(events, to, lang, quiet=quiet)
    if faults:
        fail(faults[0])


def _put(events: Path, inbox: Path, drafts: Path, lang: Language, *, quiet: bool) -> list[str]:
    from pipeline.shells.embedded.sending import put_file

    place = put_file(events, inbox, drafts)
    if not quiet:
        typer.echo(TEXTS[lang]["put"].format(file=place))
    return []  # Whether it breaks off is told where it is read.


def _sent(events: Path, to: str, lang: Language, *, quiet: bool) -> list[str]:
    # Its library takes a tenth of a second to load, which no other command should wait for.
    from pipeline.shells.embedded.client import EngineError, opened
    from pipeline.shells.embedded.sending import send_file

    try:
        with opened(to) as engine, progress_of(quiet) as progress:
            task = progress.add_task(TEXTS[lang]["sending"], total=None)
            sent = send_file(engine, events, lambda done, of: progress.update(task, completed=done, total=of))
    except EngineError as error:
        fail(str(error))
    if not quiet:
        _print_sent(sent.lines, sent.statuses, sent.reasons, to, lang)
    return list(sent.faults)


def _print_sent(lines: int, statuses: dict[str, int], reasons: dict[str, int], to: str, lang: Language) -> None:
    texts = TEXTS[lang]
    typer.echo(texts["sent_to"].format(url=to))
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row(texts["sent"], f"{lines:,}")
    for status, count in statuses.items():
        table.add_row(texts[status], f"{count:,}")
    for reason, count in reasons.items():
        table.add_row(f"  {reason}", f"{count:,}")
    console = Console()
    (console if console.is_terminal else Console(width=PRINTED_WIDTH)).print(table)
