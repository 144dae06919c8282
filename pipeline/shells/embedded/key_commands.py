"""The command `forewarn keys add`: a key for a person or a program, shown once."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from pipeline.shells.embedded.keys import KEYS, SCOPES, KeyFileError, Scope, fresh_key, hashed_line, read_keys
from pipeline.shells.embedded.texts import TEXTS
from pipeline.shells.manners import Config, Lang, Quiet, fail, settings_of, unreachable
from pipeline.shells.publishing.register import is_name

keys_app = typer.Typer(no_args_is_help=True, help="API keys.")


@keys_app.callback()
def group() -> None:
    """API keys."""


@keys_app.command()
def add(
    scopes: Annotated[str, typer.Argument(metavar="SCOPES", help=f"What it allows: {', '.join(SCOPES)}; with commas.")],
    person: Annotated[str | None, typer.Option(help="Whose it is: who publishes rules is known by it.")] = None,
    until: Annotated[str | None, typer.Option(help="The last date on which it is valid, such as 2026-12-31.")] = None,
    data: Annotated[Path | None, typer.Option(help="The engine's data directory.")] = None,
    file: Annotated[Path | None, typer.Option("--api-key-file", help="A file of keys, in place of --data.")] = None,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Make a key, and show it this once: the file keeps its hash. A running engine knows it from its next start on."""
    settings_of(config)
    if (data is None) == (file is None):
        fail(f"--data: expected it or --api-key-file, got {'neither' if data is None else 'both'}; name one")
    place = data / KEYS if data is not None else file
    assert place is not None
    key = fresh_key()
    line = hashed_line(key, _scopes(scopes), person=_person(person), until=_date(until))
    try:
        before = place.read_text("utf-8") if place.exists() else ""
        if before:
            read_keys(place)
        else:
            place.touch(0o600)
        with place.open("a", encoding="utf-8") as opened:
            opened.write(line if before.endswith("\n") or not before else f"\n{line}")
    except KeyFileError as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))
    typer.echo(key if quiet else TEXTS[lang]["new_key"].format(key=key, file=place))


def _scopes(text: str) -> list[Scope]:
    found = text.split(",")
    strange = [each for each in found if each not in SCOPES]
    if strange:
        fail(f"SCOPES: expected some of {', '.join(SCOPES)} with commas between, got {strange[0]!r}; correct it")
    return [scope for scope in SCOPES if scope in found]


def _person(name: str | None) -> str | None:
    if name is not None and not is_name(name):
        fail(f"--person: expected letters, digits and . _ @ -, got {name!r}; correct it")
    return name


def _date(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        fail(f"--until: expected a date such as 2026-12-31, got {text!r}; correct it")
