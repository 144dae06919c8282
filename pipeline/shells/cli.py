"""The command `forewarn`: ingest, simulate, replay, rules check and test, backtest, explain, judge, report, demo.

Exit codes: 0 done, 1 a rule or a case is at fault, 2 an input cannot be used.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from connectors.simulator.simulate import SimulationError
from connectors.whole_lines import BadFile
from pipeline.shells import simulation
from pipeline.shells.backtest.command import backtest
from pipeline.shells.challengers.command import challengers
from pipeline.shells.coverage import command as _coverage  # noqa: F401  # its command is one of rules_app
from pipeline.shells.embedded.backfill_command import backfill
from pipeline.shells.embedded.commands import day_app, export, run
from pipeline.shells.embedded.doctor_command import doctor
from pipeline.shells.embedded.key_commands import keys_app
from pipeline.shells.embedded.last_run import as_replay, refuse_own_files
from pipeline.shells.embedded.letter_commands import letters_app
from pipeline.shells.embedded.webhooks.commands import webhooks_app
from pipeline.shells.foresight.command import explain
from pipeline.shells.ingesting import ingest
from pipeline.shells.manners import (
    Budget,
    Config,
    Lang,
    Quiet,
    Truth,
    fail,
    faulty,
    progress_of,
    refuse_no_budget,
    refuse_no_file,
    settings_of,
    shelf_of,
    unreachable,
)
from pipeline.shells.on_kafka.topics_commands import topics_app
from pipeline.shells.publishing.shelves import Shelves, Unloadable, nothing_published
from pipeline.shells.replay import VERDICT
from pipeline.shells.replay import replay as run_replay
from pipeline.shells.rules_commands import rules_app
from pipeline.shells.show import refusal_warning, replayed
from pipeline.shells.tuning.command import tune
from pipeline.storm_guard import StormGuard
from rules.faults import RuleError

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.add_typer(rules_app, name="rules")
rules_app.command()(tune)
rules_app.command()(backtest)
rules_app.command()(challengers)
app.add_typer(day_app, name="day")
app.add_typer(topics_app, name="topics")
app.add_typer(keys_app, name="keys")
app.add_typer(letters_app, name="dead-letters")
app.command()(doctor)
app.add_typer(webhooks_app, name="webhooks")
app.command()(ingest)
app.command()(run)
app.command()(export)
app.command()(backfill)
app.command()(backtest)
app.command()(explain)
rules_app.command()(explain)


@app.command()
def simulate(
    borrowers: Annotated[int, typer.Option(help="How many borrowers.")],
    out: Annotated[Path, typer.Option(help="A new or empty folder for the portfolio.")],
    months: Annotated[int, typer.Option(help="How many months are told.")] = 18,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal bytes.")] = 1,
    shocks: Annotated[str | None, typer.Option(help="Shocks, with commas between; all when absent.")] = None,
    faults: Annotated[float, typer.Option(help="How often feeds err: 1 as config/simulator.yaml says.")] = 0.0,
    firms: Annotated[
        float | None, typer.Option(help="Share of firms, from 0 to 1; as config/simulator.yaml says when absent.")
    ] = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Simulate a portfolio: its events, the truth behind them, and a manifest."""
    settings = settings_of(config)
    asked = {"borrowers": borrowers, "months": months, "seed": seed}
    try:
        with progress_of(quiet) as progress:
            manifest = simulation.run(out, settings, progress, asked=asked, shocks=shocks, faults=faults, firms=firms)
    except SimulationError as error:
        fail(str(error))
    except RuleError as error:
        faulty(error)
    except OSError as error:
        fail(unreachable(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if not quiet:
        simulation.show(manifest, out, lang)


@app.command()
def replay(
    events: Annotated[list[Path], typer.Argument(help="Event files, .jsonl or .jsonl.gz.")],
    out: Annotated[Path, typer.Option(help="Folder of the decisions.")],
    rules: Annotated[list[Path] | None, typer.Option(help="Rule folder in place of the shipped shelf.")] = None,
    register: Annotated[
        Path | None, typer.Option(help="Register of the shelves that the events say were published (DATA/register).")
    ] = None,
    storm_guard: Annotated[
        bool, typer.Option("--storm-guard", help="Hold openings beyond a rule's daily_openings, in held.jsonl.")
    ] = False,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Replay events through the core and write every decision."""
    settings = settings_of(config)
    for path in events:
        refuse_no_file(path)
    shelf = shelf_of(rules, settings)
    shelves = nothing_published if register is None else Shelves(register, shelf.terms).compiled
    with progress_of(quiet) as progress:
        try:
            summary = run_replay(events, shelf, out, progress, StormGuard(shelf) if storm_guard else None, shelves)
        except (BadFile, Unloadable) as error:
            fail(str(error))
        except OSError as error:
            fail(unreachable(error))
    if not quiet:
        replayed(summary, out, lang)
        warning = refusal_warning(summary, out, config, lang)
        if warning is not None:
            typer.echo(warning, err=True)
    if summary.truncated:
        names = ", ".join(summary.truncated)
        fail(f"{names}: expected a whole gzip file, got one that ends too early; its whole lines were used")


@app.command()
def judge(
    alerts: Annotated[Path, typer.Option(help="Folder that a replay wrote, or an engine's data directory.")],
    truth: Truth = None,
    budget: Budget = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the JSON goes; verdict.json in the folder when absent.")
    ] = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """How early, how right and how much work: alerts against what became of the borrowers."""
    # Its numpy takes a fifth of a second to load, which no other command should wait for.
    from pipeline.shells import show_verdict, verdict

    settings_of(config)
    refuse_no_budget(budget)
    refuse_own_files(alerts, out)
    place = alerts / VERDICT if out is None else out
    try:
        with as_replay(alerts, [path.name for path in verdict.sources(alerts, None)]) as folder:
            judgement = verdict.judgement_of(folder, truth, budget)
            verdict.write(judgement, place, verdict.sources(folder, truth))
    except BadFile as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    if not quiet:
        show_verdict.tables(judgement, lang)
        typer.echo(show_verdict.place(place, lang))


@app.command()
def report(
    folder: Annotated[Path, typer.Option("--from", help="Folder that a replay wrote, or an engine's data directory.")],
    out: Annotated[Path, typer.Option(help="Where the page goes: an .html file.")],
    truth: Truth = None,
    budget: Budget = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """One page with charts, in English and Chinese, for a board; `--lang` is what it opens in."""
    # It judges, too, and draws: no other command should wait for what that loads.
    from pipeline.shells.report import page
    from pipeline.shells.report.records import files_of
    from pipeline.shells.report.texts import WORDS

    settings_of(config)
    refuse_no_budget(budget)
    refuse_own_files(folder, out)
    try:
        with as_replay(folder, [path.name for path in files_of(folder, None)]) as place:
            page.write_report(place, out, truth, budget, lang)
    except BadFile as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    if not quiet:
        typer.echo(WORDS[lang]["written"].format(file=out))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder of the demo's files.")] = Path("out/demo"),
    real: Annotated[bool, typer.Option("--real", help="A thousand real card clients, from the bank's file.")] = False,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """A portfolio through an embedded engine, from its events to alerts, tasks, how early they were, and a report."""
    # It judges, draws and speaks HTTP: no other command should wait for what that loads.
    from pipeline.shells import demo as the_demo
    from pipeline.shells.embedded.client import EngineError
    from pipeline.shells.embedded.live import Board
    from pipeline.shells.show_demo import show

    chosen = the_demo.CONFIG if real and config is None else config
    settings = settings_of(chosen)
    make = the_demo.real if real else the_demo.simulated
    try:
        with progress_of(quiet) as progress:
            source = make(out, settings, progress)
        result = the_demo.run(out, source, settings, Board(progress_of(quiet), lang), config=chosen, lang=lang)
    except EngineError as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    if not quiet:
        show(result, out, lang)


def main() -> None:
    """Run the command; what cannot be used is one sentence and exit code 2."""
    try:
        app(standalone_mode=True)
    except BrokenPipeError:
        sys.exit(0)
