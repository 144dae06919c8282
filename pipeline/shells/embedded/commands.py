"""The commands of an embedded engine: run it, close its days, take its decisions out."""

import json
import signal
import sys
import time
from contextlib import ExitStack, suppress
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from config.settings import Settings
from pipeline.events import FEEDS
from pipeline.shells.embedded import day_end, following, inbox
from pipeline.shells.embedded.backfill import BackfillError, refuse_unfinished
from pipeline.shells.embedded.following import Follower
from pipeline.shells.embedded.in_force import shelf_to_run
from pipeline.shells.embedded.keys import KEYS, KeyFileError, Keys, own_key, read_keys
from pipeline.shells.embedded.last_run import write_files
from pipeline.shells.embedded.listening import ListenError, address_of, listening
from pipeline.shells.embedded.marks import ran_with
from pipeline.shells.embedded.quarantine import asides_in
from pipeline.shells.embedded.reading import read_only
from pipeline.shells.embedded.runtime import Runtime
from pipeline.shells.embedded.services import Repeated, Service, running
from pipeline.shells.embedded.store import FILE, DataError
from pipeline.shells.embedded.texts import TEXTS
from pipeline.shells.embedded.worker import Worker
from pipeline.shells.manners import Config, Lang, Quiet, fail, settings_of, unreachable
from pipeline.shells.publishing.laws import lawful
from pipeline.shells.publishing.register import made
from pipeline.shells.publishing.shelves import REGISTER
from pipeline.zone import Zone

PORT = 8200

day_app = typer.Typer(no_args_is_help=True, help="Business days.")

Rules = Annotated[list[Path] | None, typer.Option(help="Rule folder in place of the shipped shelf.")]
Data = Annotated[Path, typer.Option(help="The engine's data directory.")]


def run(
    data: Data,
    port: Annotated[int, typer.Option(help="Port on this machine; 0: any that is free.", min=0, max=65_535)] = PORT,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    memory_mb: Annotated[int, typer.Option(help="Megabytes for borrowers in memory.", min=1)] = 512,
    api_key_file: Annotated[
        Path | None, typer.Option(help="File of lines 'KEY scope,scope [last date] [person=NAME]'.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--inbox", help="Folder into which files of events are dropped.")
    ] = None,
    webhooks: Annotated[Path | None, typer.Option(help="File of webhooks that are sent the decisions.")] = None,
    rules: Rules = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Run the embedded engine: events in over HTTP and by files, everything in one SQLite file."""
    # They take half a second to load, which no other command should wait for.
    import uvicorn

    from pipeline.shells.embedded.api import app_of
    from pipeline.shells.embedded.webhooks.commands import deliveries_of

    settings = settings_of(config)
    try:
        shelf = shelf_to_run(data, rules, settings)
    except DataError as error:
        fail(str(error))
    with ExitStack() as opened:
        try:
            refuse_unfinished(data)
            door = opened.enter_context(listening(host, port))
            keys = read_keys(api_key_file) if api_key_file is not None else _own_keys(data, lang, quiet=quiet)
            runtime = Runtime(data, shelf, ran=ran_with(shelf.hash, settings, rules, config), memory_mb=memory_mb)
            opened.callback(runtime.close)
            worker = Worker(runtime)
            follower = Follower(made(data / REGISTER), worker)
            follow = Repeated("rules", follower.look, every_seconds=following.LOOKS_EVERY_SECONDS)
            services: list[Service] = [worker, follow, *_beside(worker, settings, shelf.terms.zone, data, folder)]
            if webhooks is not None:
                services.append(deliveries_of(webhooks, data, settings, worker, _now_ms))
        except (KeyFileError, DataError, ListenError, inbox.InboxError, BackfillError) as error:
            fail(str(error))
        except OSError as error:
            fail(unreachable(error))
        read = lawful(settings.queues)
        app = app_of(worker, runtime, keys, _now_ms, services=services, follower=follower, read=read)
        if not quiet:
            typer.echo(TEXTS[lang]["runs_at"].format(url=address_of(door), folder=data))
        # The door hands on the signal that ended it, as it would without one; then the services are stopped.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with running(services), suppress(KeyboardInterrupt):
            uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run([door])


def _beside(worker: Worker, settings: Settings, zone: Zone, data: Path, folder: Path | None) -> list[Service]:
    """What works beside the door, in the order in which it is started."""
    services: list[Service] = []
    box = None if folder is None else inbox.Inbox(folder, worker.submit)
    if box is not None:
        services.append(Repeated("inbox", box.look, every_seconds=inbox.LOOKS_EVERY_SECONDS))
    if settings.day_end.closes_at is not None:
        timer = day_end.Timer(
            settings.day_end,
            zone,
            worker.submit,
            now_ms=_now_ms,
            open_date=lambda: day_end.open_date_in(data / FILE),
            may_close=lambda: box is None or box.is_drained,
        )
        services.append(Repeated("day end", timer.look, every_seconds=day_end.LOOKS_EVERY_SECONDS))
    return services


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _own_keys(data: Path, lang: Lang, *, quiet: bool) -> Keys:
    """The keys of the data directory; the first is made with it, and shown this once."""
    key = own_key(data)
    if key is not None and not quiet:
        typer.echo(TEXTS[lang]["fresh_key"].format(key=key))
    return read_keys(data / KEYS)


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
    with read_only(data) as database:
        aside = len(list(asides_in(database)))
    if aside:
        typer.echo(TEXTS[lang]["exported_without"].format(aside=f"{aside:,}"), err=True)
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
    # Its library takes a tenth of a second to load, which no other command should wait for.
    from pipeline.shells.embedded.client import EngineError, opened, send

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
    try:
        with opened(to) as engine:
            [result] = send(engine, [body], tries=1).results
    except EngineError as error:
        fail(str(error))
    if result.status == "refused":
        fail(str(result.why))
    if not quiet:
        typer.echo(TEXTS[lang]["day_closed"].format(date=day))
