"""The commands of an embedded engine: run it, close its days, take its decisions out."""

import json
import os
import time
from datetime import date
from pathlib import Path
from typing import Annotated
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import typer

from pipeline.events import FEEDS
from pipeline.shells.embedded.backfill import BackfillError, refuse_unfinished
from pipeline.shells.embedded.keys import KeyFileError, Keys, fresh_key, hashed_line, read_keys
from pipeline.shells.embedded.last_run import write_files
from pipeline.shells.embedded.marks import ran_with
from pipeline.shells.embedded.runtime import Runtime
from pipeline.shells.embedded.services import Service, running
from pipeline.shells.embedded.store import DataError
from pipeline.shells.embedded.texts import TEXTS
from pipeline.shells.embedded.worker import Worker
from pipeline.shells.manners import Config, Lang, Quiet, fail, settings_of, shelf_of, unreachable

KEYS = "keys"
KEY_VARIABLE = "FOREWARN_API_KEY"
PORT = 8200

day_app = typer.Typer(no_args_is_help=True, help="Business days.")

Rules = Annotated[list[Path] | None, typer.Option(help="Rule folder in place of the shipped shelf.")]
Data = Annotated[Path, typer.Option(help="The engine's data directory.")]


def run(
    data: Data,
    port: Annotated[int, typer.Option(help="Port on this machine.", min=0, max=65_535)] = PORT,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    memory_mb: Annotated[int, typer.Option(help="Megabytes for borrowers in memory.", min=1)] = 512,
    api_key_file: Annotated[Path | None, typer.Option(help="File of lines 'KEY scope,scope'.")] = None,
    webhooks: Annotated[Path | None, typer.Option(help="File of webhooks that are sent the decisions.")] = None,
    rules: Rules = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Run the embedded engine: events in over HTTP, everything in one SQLite file."""
    # They take half a second to load, which no other command should wait for.
    import uvicorn

    from pipeline.shells.embedded.api import app_of
    from pipeline.shells.embedded.webhooks.commands import deliveries_of

    settings = settings_of(config)
    shelf = shelf_of(rules, settings)
    try:
        refuse_unfinished(data)
        keys = read_keys(api_key_file) if api_key_file is not None else _own_keys(data, lang, quiet=quiet)
        runtime = Runtime(data, shelf, ran=ran_with(shelf.hash, settings, rules, config), memory_mb=memory_mb)
    except (KeyFileError, DataError, BackfillError) as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    worker = Worker(runtime)
    services: list[Service] = [worker]  # what runs beside the server; a new one has its line here
    if webhooks is not None:
        services.append(deliveries_of(webhooks, data, settings, worker, _now_ms))
    app = app_of(worker, keys, shelf.terms.zone, _now_ms)
    if not quiet:
        typer.echo(TEXTS[lang]["runs_at"].format(url=f"http://{host}:{port}", folder=data))
    try:
        with running(services):
            uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)
    finally:
        runtime.close()


def _now_ms() -> int:
    """The one clock of a running engine."""
    return time.time_ns() // 1_000_000


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
    summary = write_files(data, out, rules, config)
    if not quiet:
        typer.echo(TEXTS[lang]["exported"].format(events=f"{summary.events:,}", folder=out))


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
        fail(_detail(error, to))
    except (URLError, ValueError) as error:
        fail(f"{to}: expected an engine that listens, got {error}; start it with forewarn run, or name it with --to")
    if result["status"] == "refused":
        fail(result["why"])
    if not quiet:
        typer.echo(TEXTS[lang]["day_closed"].format(date=day))


def _detail(error: HTTPError, to: str) -> str:
    """What an answer says of itself; another server's may say nothing."""
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{to}: expected the answer of an engine, got status {error.code}; check the address"
