"""The commands of an embedded engine: run it, close its days, take its decisions out."""

import json
import os
import sqlite3
import time
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import msgspec
import typer

from config.settings import Settings
from pipeline.events import FEEDS
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.client import KEY_VARIABLE, PORT, detail_of
from pipeline.shells.embedded.export import export as write_export
from pipeline.shells.embedded.keys import KeyFileError, Keys, fresh_key, hashed_line, read_keys
from pipeline.shells.embedded.quarantine import asides_in
from pipeline.shells.embedded.reading import read_only
from pipeline.shells.embedded.runtime import Ran, Runtime, ran_in
from pipeline.shells.embedded.store import DataError
from pipeline.shells.embedded.texts import TEXTS
from pipeline.shells.embedded.worker import Worker
from pipeline.shells.manners import Config, Lang, Quiet, fail, settings_of, shelf_of, unreachable

KEYS = "keys"

day_app = typer.Typer(no_args_is_help=True, help="Business days.")

Rules = Annotated[list[Path] | None, typer.Option(help="Rule folder in place of the shipped shelf.")]
Data = Annotated[Path, typer.Option(help="The engine's data directory.")]


def run(
    data: Data,
    port: Annotated[int, typer.Option(help="Port on this machine.", min=0, max=65_535)] = PORT,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    memory_mb: Annotated[int, typer.Option(help="Megabytes for borrowers in memory.", min=1)] = 512,
    api_key_file: Annotated[Path | None, typer.Option(help="File of lines 'KEY scope,scope'.")] = None,
    rules: Rules = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Run the embedded engine: events in over HTTP, everything in one SQLite file."""
    # They take half a second to load, which no other command should wait for.
    import uvicorn

    from pipeline.shells.embedded.api import app_of

    settings = settings_of(config)
    shelf = shelf_of(rules, settings)
    try:
        keys = read_keys(api_key_file) if api_key_file is not None else _own_keys(data, lang, quiet=quiet)
        runtime = Runtime(data, shelf, ran=_ran(shelf.hash, settings, rules, config), memory_mb=memory_mb)
    except (KeyFileError, DataError) as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    worker = Worker(runtime)
    worker.start()
    app = app_of(worker, keys, shelf.terms.zone, lambda: time.time_ns() // 1_000_000)
    if not quiet:
        typer.echo(TEXTS[lang]["runs_at"].format(url=f"http://{host}:{port}", folder=data))
    try:
        uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)
    finally:
        worker.stop()
        runtime.close()


def _ran(shelf: str, settings: Settings, rules: list[Path] | None, config: Path | None) -> Ran:
    """What decides beside the events, and where it stands."""
    # Sets in the settings are written sorted: another process has them in another order.
    mark = sha256(shelf.encode() + msgspec.json.encode(settings.model_dump(), order="deterministic")).hexdigest()
    folders = None if rules is None else [str(folder.resolve()) for folder in rules]
    return Ran(mark=mark, rules=folders, config=None if config is None else str(config.resolve()))


def _own_keys(data: Path, lang: Lang, *, quiet: bool) -> Keys:
    """The keys of the data directory; the first is made with it, and shown this once."""
    file = data / KEYS
    if not file.exists():
        data.mkdir(parents=True, exist_ok=True)
        key = fresh_key()
        draft = file.with_suffix(".draft")
        draft.touch(0o600)
        draft.write_text(hashed_line(key, ("ingest", "read", "admin")))
        os.replace(draft, file)  # whole or not at all
        if not quiet:
            typer.echo(TEXTS[lang]["fresh_key"].format(key=key))
    return read_keys(file)


def export(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of the files.")],
    rules: Rules = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Write an engine's decisions as the files of a replay; the engine may run meanwhile.

    Rules and settings are those of its last run, wherever they stand.
    """
    try:
        with read_only(data) as database:
            shelf = _shelf_of_last_run(database, data, rules, config)
            aside = len(list(asides_in(database)))
            summary = write_export(database, shelf, out)
    except DataError as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    if aside:
        typer.echo(TEXTS[lang]["exported_without"].format(aside=f"{aside:,}"), err=True)
    if not quiet:
        typer.echo(TEXTS[lang]["exported"].format(events=f"{summary.events:,}", folder=out))


def _shelf_of_last_run(
    database: sqlite3.Connection, data: Path, rules: list[Path] | None, config: Path | None
) -> CompiledShelf:
    """The rules that decided; other ones, or the same ones changed since, are refused."""
    ran = ran_in(database)
    if ran is None:
        fail(f"{data}: expected an engine that has run, got one that never started; start it with forewarn run")
    if rules is None and ran.rules is not None:
        rules = [Path(folder) for folder in ran.rules]
    if config is None and ran.config is not None:
        config = Path(ran.config)
    settings = settings_of(config)
    shelf = shelf_of(rules, settings)
    if _ran(shelf.hash, settings, rules, config).mark != ran.mark:
        fail(
            f"{data}: expected the rules and settings of its last run, got others; "
            "start the engine with these, or name those by --rules and --config"
        )
    return shelf


@day_app.command()
def close(
    on: Annotated[str, typer.Argument(metavar="DATE", help="The business day to close, such as 2025-03-08.")],
    missing: Annotated[list[str] | None, typer.Option(help="A feed that did not come on that day.")] = None,
    to: Annotated[str, typer.Option(help="Where the engine listens.")] = f"http://127.0.0.1:{PORT}",
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Close a business day, and every day before it that is still open; the key is taken from FOREWARN_API_KEY."""
    settings_of(config)
    try:
        day = date.fromisoformat(on)
    except ValueError:
        fail(f"DATE: expected a date such as 2025-03-08, got {on!r}")
    strange = sorted(set(missing or ()) - set(FEEDS.values()))
    if strange:
        fail(f"--missing: expected one of {', '.join(FEEDS.values())}, got {strange[0]!r}")
    record = {"type": "day.ended", "date": day.isoformat()}
    body = json.dumps(record | ({"feeds": dict.fromkeys(missing, "missing")} if missing else {})).encode()
    headers = {"Authorization": f"Bearer {os.environ.get(KEY_VARIABLE, '')}", "Content-Type": "application/json"}
    try:
        with urlopen(Request(f"{to}/v1/events", body, headers)) as answer:
            result = json.load(answer)["results"][0]
    except HTTPError as error:
        fail(detail_of(error, to))
    except (URLError, ValueError) as error:
        fail(f"{to}: expected an engine that listens, got {error}; start it with forewarn run, or name it with --to")
    if result["status"] == "refused":
        fail(result["why"])
    if not quiet:
        typer.echo(TEXTS[lang]["day_closed"].format(date=day))
