"""The command `forewarn`: ingest, simulate, replay, rules check and test, explain, judge, demo.

Exit codes: 0 done, 1 a rule or a case is at fault, 2 an input cannot be used.
"""

import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from config.settings import Settings, SettingsError, load
from connectors.ingest import ingest as run_ingest
from connectors.mapping import MappingError
from connectors.simulator.simulate import SimulationError
from connectors.totals import print_totals
from connectors.whole_lines import BadFile
from pipeline.events import CATALOGUE
from pipeline.shelf import CompiledShelf, compile_shelf
from pipeline.shells import simulation
from pipeline.shells.cases import run_case
from pipeline.shells.explain import explain as run_explain
from pipeline.shells.replay import VERDICT
from pipeline.shells.replay import replay as run_replay
from pipeline.shells.show import outcomes, refusal_warning, replayed
from pipeline.shells.terms import terms_of
from pipeline.shells.texts import TEXTS, counted
from pipeline.storm_guard import StormGuard
from rules.faults import RuleError
from rules.laws import check as check_laws
from rules.loader import load_shelf, load_shelf_to_run
from rules.versions import read_lock, update_lock

SHELF = Path(__file__).resolve().parents[2] / "rules" / "shelf"
LOCK = SHELF.parent / "shelf.lock"

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
rules_app = typer.Typer(no_args_is_help=True, help="Check and test rule files.")
app.add_typer(rules_app, name="rules")

Lang = Annotated[Literal["en", "zh"], typer.Option(help="Language of the output.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]
Folder = Annotated[Path, typer.Argument(help="Rule folder; the shipped shelf when absent.", show_default=False)]
Config = Annotated[Path | None, typer.Option(help="Settings that differ from the defaults.")]


@app.command()
def ingest(
    file: Annotated[Path, typer.Argument(help="CSV or CSV.gz file of a bank.")],
    mapping: Annotated[str, typer.Option(help="Name under config/mappings, or a mapping file.")],
    out: Annotated[Path, typer.Option(help="Where the events go: .jsonl or .jsonl.gz.")],
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Turn a bank's file into events, with control totals."""
    _settings(config)
    try:
        totals = run_ingest(file, Path(mapping) if Path(mapping).suffix else mapping, out, quiet)
    except MappingError as error:
        _fail(str(error))
    if not quiet:
        print_totals(totals, lang)


@app.command()
def simulate(
    borrowers: Annotated[int, typer.Option(help="How many borrowers.")],
    out: Annotated[Path, typer.Option(help="A new or empty folder for the portfolio.")],
    months: Annotated[int, typer.Option(help="How many months are told.")] = 18,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal bytes.")] = 1,
    shocks: Annotated[str | None, typer.Option(help="Shocks that happen, with commas between; all when absent.")] = None,
    faults: Annotated[float, typer.Option(help="How often feeds err: 1 as config/simulator.yaml says.")] = 0.0,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Simulate a portfolio: its events, the truth behind them, and a manifest."""
    settings = _settings(config)
    asked = {"borrowers": borrowers, "months": months, "seed": seed}
    try:
        with _progress(quiet) as progress:
            manifest = simulation.run(out, settings, progress, asked=asked, shocks=shocks, faults=faults)
    except SimulationError as error:
        _fail(str(error))
    except RuleError as error:
        _faulty(error)
    except OSError as error:
        _fail(_unreachable(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if not quiet:
        simulation.show(manifest, out, lang)


@app.command()
def replay(
    events: Annotated[list[Path], typer.Argument(help="Event files, .jsonl or .jsonl.gz.")],
    out: Annotated[Path, typer.Option(help="Folder of the decisions.")],
    rules: Annotated[list[Path] | None, typer.Option(help="Rule folder in place of the shipped shelf.")] = None,
    storm_guard: Annotated[
        bool, typer.Option("--storm-guard", help="Hold openings beyond a rule's daily_openings, in held.jsonl.")
    ] = False,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Replay events through the core and write every decision."""
    settings = _settings(config)
    for path in events:
        if path.is_dir():
            _fail(f"{path}: expected an event file, got a folder; name the files in it")
        if not path.exists():
            _fail(f"{path}: expected an event file, got nothing there; check the name")
    shelf = _shelf(rules, settings)
    with _progress(quiet) as progress:
        try:
            summary = run_replay(events, shelf, out, progress, StormGuard(shelf) if storm_guard else None)
        except BadFile as error:
            _fail(str(error))
        except OSError as error:
            _fail(_unreachable(error))
    if not quiet:
        replayed(summary, out, lang)
        warning = refusal_warning(summary, out, config, lang)
        if warning is not None:
            typer.echo(warning, err=True)
    if summary.truncated:
        names = ", ".join(summary.truncated)
        _fail(f"{names}: expected a whole gzip file, got one that ends too early; its whole lines were used")


@rules_app.command()
def check(
    folder: Folder = SHELF,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Every fault of every rule file, with line and column, and the laws of the shelf."""
    settings = _settings(config)
    _refuse_no_folder(folder)
    beside = _lock_beside(folder)
    # Another folder has a lock when somebody asked for one; the shipped shelf must have one.
    lock = beside if folder.is_dir() and (beside.exists() or beside == LOCK) else None
    faults = check_laws([folder], CATALOGUE, lock, set(settings.queues))
    for fault in faults:
        typer.echo(str(fault))
    if faults:
        raise typer.Exit(1)
    if not quiet:
        rules = counted(len(load_shelf([folder], CATALOGUE, lock).rules), "rule", lang)
        typer.echo(TEXTS[lang]["no_faults"].format(rules=rules))


@rules_app.command()
def test(
    folder: Folder = SHELF,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """The cases in the rule files, run on the engine."""
    terms = terms_of(_settings(config))
    _refuse_no_folder(folder)
    try:
        shelf = load_shelf([folder], CATALOGUE, None)
    except RuleError as error:
        _faulty(error)
    done = [run_case(rule, case, terms) for rule in shelf.rules for case in rule.tests]
    if not quiet or not all(each.passed for each in done):
        outcomes(done, lang, only_failed=quiet)
    if not all(each.passed for each in done):
        raise typer.Exit(1)


@rules_app.command()
def lock(
    folder: Folder = SHELF,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Write the lock beside the folder anew: a rule whose deciding fields changed gets its next version."""
    _settings(config)
    _refuse_no_folder(folder)
    if not folder.is_dir():
        _fail(f"{folder}: expected a folder of rule files, got a file; name the folder that holds it")
    path = _lock_beside(folder)
    try:
        _, before = read_lock(path)
        shelf = load_shelf([folder], CATALOGUE)
        update_lock(path, shelf)
    except RuleError as error:
        _faulty(error)
    except OSError as error:
        _fail(_unreachable(error))
    if not quiet:
        changed = sum(rule.rule not in before or before[rule.rule].hash != rule.hash for rule in shelf.rules)
        rules = counted(len(shelf.rules), "rule", lang)
        typer.echo(TEXTS[lang]["locked"].format(file=_from_here(path), rules=rules, changed=changed))


@app.command()
def explain(
    alert_id: Annotated[str, typer.Argument(help="The id of an alert.")],
    folder: Annotated[Path, typer.Option("--from", help="Folder that a replay wrote.")],
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """One alert: the numbers it saw, the rule's text, and what would clear it."""
    _settings(config)
    problem = run_explain(alert_id, folder, lang, quiet)
    if problem is not None:
        _fail(problem)


@app.command()
def judge(
    alerts: Annotated[Path, typer.Option(help="Folder that a replay wrote.")],
    truth: Annotated[
        Path | None,
        typer.Option(help="CSV of borrower_id, cause, began_on, defaulted_on; the defaults in the events when absent."),
    ] = None,
    budget: Annotated[
        int | None, typer.Option(help="Openings a day that the team works; as a default 2 % of borrowers a month.")
    ] = None,
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

    _settings(config)
    if budget is not None and budget < 1:
        _fail(
            f"--budget: expected a whole number of openings a day from 1 on, got {budget}; leave it out for the usual"
        )
    try:
        judgement = verdict.judgement_of(alerts, truth, budget)
    except BadFile as error:
        _fail(str(error))
    except OSError as error:
        _fail(_unreachable(error))
    place = alerts / VERDICT if out is None else out
    if place.exists() and any(place.samefile(each) for each in verdict.sources(alerts, truth)):
        _fail(f"{place}: expected another file to write to, got one that is judged; change --out")
    try:
        verdict.write(judgement, place)
    except OSError as error:
        _fail(f"{place}: expected a file that can be written, got {error.strerror}; change --out")
    if not quiet:
        show_verdict.tables(judgement, lang)
        typer.echo(show_verdict.place(place, lang))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder of the demo's files.")] = Path("out/demo"),
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """A thousand real card clients through the engine, from the bank's file to alerts and tasks."""
    from pipeline.shells import demo as the_demo  # It judges, too.

    settings = _settings(the_demo.CONFIG if config is None else config)
    shelf = _shelf(None, settings)
    with _progress(quiet) as progress:
        try:
            result = the_demo.run(out, shelf, progress)
        except OSError as error:
            _fail(_unreachable(error))
    if not quiet:
        the_demo.show(result, out, lang)


def main() -> None:
    """Run the command; what cannot be used is one sentence and exit code 2."""
    try:
        app(standalone_mode=True)
    except BrokenPipeError:
        sys.exit(0)


# -- shared -----------------------------------------------------------------


def _settings(path: Path | None) -> Settings:
    try:
        return load(path)
    except SettingsError as error:
        _fail(str(error))


def _shelf(folders: list[Path] | None, settings: Settings) -> CompiledShelf:
    for folder in folders or []:
        _refuse_no_folder(folder)
    try:
        found = load_shelf_to_run(folders or [SHELF], CATALOGUE, None if folders else LOCK)
    except RuleError as error:
        _faulty(error)
    return compile_shelf(found, terms_of(settings))


def _refuse_no_folder(folder: Path) -> None:
    if not folder.exists():
        _fail(f"{folder}: expected a folder of rule files, got nothing there; check the name")


def _lock_beside(folder: Path) -> Path:
    return folder.resolve().parent / LOCK.name


def _from_here(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _unreachable(error: OSError) -> str:
    what = "a file that can be read or written"
    return f"{error.filename}: expected {what}, got {error.strerror}; check the name, its rights and the disk"


def _progress(quiet: bool) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    screen = Console(stderr=True)
    return Progress(*columns, console=screen, transient=True, disable=quiet or not screen.is_terminal)


def _faulty(error: RuleError) -> NoReturn:
    for fault in error.faults:
        typer.echo(str(fault), err=True)
    raise typer.Exit(2)


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(2)
