"""The rules that are in force on a data directory: those published last, or those that an engine is started with."""

import sqlite3
from pathlib import Path

import msgspec

from config.settings import Settings
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.disk import DOCTOR
from pipeline.shells.embedded.reading import read_only
from pipeline.shells.embedded.standing import Standing, standing_in
from pipeline.shells.embedded.store import FILE, DataError
from pipeline.shells.manners import fail, shelf_of
from pipeline.shells.publishing.shelves import REGISTER, Shelves, Unloadable
from pipeline.shells.terms import terms_of


def shelf_to_run(data: Path, rules: list[Path] | None, settings: Settings) -> CompiledShelf:
    """The published shelf of a data directory, else the rules of some folders, or the shipped ones.

    Whoever published rules with four eyes does not run others by naming a folder: that is refused.
    """
    bundle = _published(data) if (data / FILE).exists() else ""
    if not bundle:
        return shelf_of(rules, settings)
    if rules:
        fail(
            f"--rules: expected none, as {data} runs the published shelf {bundle[:12]}, got {rules[0]}; "
            "publish these rules, or leave them out"
        )
    return shelf_of_bundle(data, bundle, settings)


def _published(data: Path) -> str:
    try:
        with read_only(data) as database:
            return standing_in(database).bundle
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        advice = DOCTOR.format(folder=data)
        raise DataError(f"{data}: expected a sound database, got {error}; {advice}") from None


def shelf_of_bundle(data: Path, bundle: str, settings: Settings) -> CompiledShelf:
    """A published shelf of a data directory, compiled; one sentence when it cannot be loaded."""
    try:
        return Shelves(data / REGISTER, terms_of(settings)).compiled(bundle)
    except Unloadable as error:
        fail(str(error))


def line_of_close(database: sqlite3.Connection) -> int:
    """The arrival that closed the last closed day; 0 when none is closed."""
    row = database.execute("select n from closes order by date desc limit 1").fetchone()
    return 0 if row is None else int(row[0])


def bundle_at_close(database: sqlite3.Connection, standing: Standing) -> str:
    """The published shelf that the last close was judged by; "" for what the engine was started with."""
    adopted = standing.adopted_by(line_of_close(database))
    return "" if adopted is None else adopted.bundle
