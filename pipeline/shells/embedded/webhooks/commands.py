"""The commands of webhooks: how they stand, a word to go on, a secret; and the service of a run."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from config.settings import Settings
from pipeline.shells.embedded.store import FILE as ENGINE
from pipeline.shells.embedded.webhooks.cursors import FILE, Cursors
from pipeline.shells.embedded.webhooks.receivers import WebhookError, fresh_secret, receivers_in
from pipeline.shells.embedded.webhooks.states import State, states_in
from pipeline.shells.embedded.webhooks.texts import TEXTS
from pipeline.shells.embedded.worker import Worker
from pipeline.shells.manners import Config, Lang, Quiet, fail, settings_of
from pipeline.shells.show import console

if TYPE_CHECKING:
    from pipeline.shells.embedded.webhooks.deliveries import Deliveries

webhooks_app = typer.Typer(no_args_is_help=True, help="Webhooks.")
Data = Annotated[Path, typer.Option(help="The engine's data directory.")]


def deliveries_of(
    file: Path, data: Path, settings: Settings, worker: Worker, now_ms: Callable[[], int]
) -> "Deliveries":
    """The webhooks of a file as a service of an engine; a file that cannot be used is one sentence."""
    from pipeline.shells.embedded.webhooks.deliveries import Deliveries  # Its HTTP client takes long to load.

    try:
        receivers = receivers_in(file, settings.queues, os.environ)
        deliveries = Deliveries(data, receivers, now_ms)
    except WebhookError as error:
        fail(str(error))
    except sqlite3.Error as error:
        fail(_unusable(data, error))
    worker.after_commit.append(deliveries.wake)
    return deliveries


@webhooks_app.command()
def show(data: Data, config: Config = None, lang: Lang = "en", quiet: Quiet = False) -> None:
    """How each webhook stands; the engine may run meanwhile."""
    settings_of(config)
    _refuse_no_data(data)
    try:
        states = states_in(data)
    except sqlite3.Error as error:
        fail(_unusable(data, error))
    if not states:
        typer.echo(TEXTS[lang]["none"].format(folder=data))
    elif not quiet:
        console().print(_table(states, lang))


@webhooks_app.command()
def resume(
    name: Annotated[str, typer.Argument(help="The name of a webhook.")],
    data: Data,
    after: Annotated[int | None, typer.Option(help="Go on after this row, in place of where it stands.", min=0)] = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Go on with a webhook now: one that stopped, or one that waits for its next attempt."""
    settings_of(config)
    _refuse_no_data(data)
    try:
        cursors = Cursors(data)
        is_known, names = cursors.ask(name, after), ", ".join(cursor.name for cursor in cursors.all())
        cursors.close()
    except sqlite3.Error as error:
        fail(_unusable(data, error))
    if not is_known:
        fail(
            f"{name}: expected one of the webhooks of {data} ({names or 'none'}), got another; "
            "see forewarn webhooks show"
        )
    if not quiet:
        typer.echo(TEXTS[lang]["resumed"].format(name=name))


@webhooks_app.command()
def secret(config: Config = None, lang: Lang = "en", quiet: Quiet = False) -> None:
    """A fresh secret for a webhook and its receiver."""
    settings_of(config)
    typer.echo(fresh_secret())


def _refuse_no_data(data: Path) -> None:
    if not (data / ENGINE).exists():
        fail(f"{data}: expected the data directory of an engine, got none with {ENGINE}; check the name")


def _unusable(data: Path, error: sqlite3.Error) -> str:
    return (
        f"{data / FILE}: expected the places of the webhooks, got a file that cannot be used ({error}); "
        "move it away, and every webhook begins anew"
    )


def _table(states: list[State], lang: Lang) -> Table:
    texts = TEXTS[lang]
    table = Table()
    for heading in ("name", "condition", "waiting", "delivered", "failed", "row", "last_error"):
        table.add_column(
            texts[heading], justify="right" if heading in ("waiting", "delivered", "failed", "row") else "left"
        )
    for cursor, waiting in states:
        numbers = (f"{number:,}" for number in (waiting, cursor.delivered, cursor.failed, cursor.n))
        table.add_row(cursor.name, texts[cursor.condition], *numbers, escape(cursor.last_error or ""))
    return table
