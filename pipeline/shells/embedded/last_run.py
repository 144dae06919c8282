"""An engine's data directory read as the folder of a replay, by the rules and settings of its last run."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from config.settings import Settings
from connectors.whole_lines import BadFile
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.export import export
from pipeline.shells.embedded.in_force import bundle_at_close, shelf_of_bundle
from pipeline.shells.embedded.marks import ran_with
from pipeline.shells.embedded.reading import read_only
from pipeline.shells.embedded.rule_texts import shelf_kept
from pipeline.shells.embedded.standing import Ran, ran_in, standing_in
from pipeline.shells.embedded.store import FILE, DataError
from pipeline.shells.manners import fail, settings_of, shelf_of, unreachable
from pipeline.shells.replay import Summary
from pipeline.shells.terms import terms_of


def is_data(folder: Path) -> bool:
    """Whether a folder is an engine's data directory."""
    return (folder / FILE).is_file()


@contextmanager
def as_replay(folder: Path, only: Collection[str]) -> Iterator[Path]:
    """A folder that a replay wrote as it is; of a data directory those files for as long as they are read."""
    if not is_data(folder):
        yield folder
        return
    with TemporaryDirectory() as name:
        out = Path(name)
        write_files(folder, out, None, None, only)
        try:
            yield out
        except BadFile as error:  # Whoever reads it knows nothing of the folder in between.
            raise BadFile(str(error).replace(name, str(folder))) from None


def refuse_own_files(folder: Path, out: Path | None) -> None:
    """Nothing is written among the files of an engine."""
    if is_data(folder) and (out is None or out.resolve().is_relative_to(folder.resolve())):
        got = "none" if out is None else f"{out}, which is in it"
        fail(f"--out: expected a file outside the data directory {folder}, got {got}; name another")


def write_files(
    data: Path, out: Path, rules: list[Path] | None, config: Path | None, only: Collection[str] | None = None
) -> Summary:
    """Write the files of a replay, all or only some; what cannot be read or written is one sentence."""
    try:
        with read_only(data) as database:
            shelf = shelf_of_last_run(database, data, rules, config)
            return export(database, shelf, out, only, _at_close(database, data, config))
    except DataError as error:
        fail(str(error))
    except OSError as error:
        fail(unreachable(error))


def shelf_of_last_run(
    database: sqlite3.Connection, data: Path, rules: list[Path] | None, config: Path | None
) -> CompiledShelf:
    """The rules that decided; other ones, or the same ones changed since, are refused."""
    ran = ran_in(database)
    if ran is None:
        fail(f"{data}: expected an engine that has run, got one that never started; start it with forewarn run")
    bundle = standing_in(database).bundle
    if rules is None and not bundle and ran.rules is not None:
        rules = [Path(folder) for folder in ran.rules]
    settings = _settings(ran, config)
    shelf = shelf_of_bundle(data, bundle, settings) if bundle and rules is None else shelf_of(rules, settings)
    if ran_with(shelf.hash, settings, rules, config).decides != ran.decides:
        fail(
            f"{data}: expected the rules and settings of its last run, got others; "
            "start the engine with these, or name those by --rules and --config"
        )
    return shelf


def _at_close(database: sqlite3.Connection, data: Path, config: Path | None) -> CompiledShelf | None:
    """The shelf that the last close was judged by, where another was published since."""
    standing, ran = standing_in(database), ran_in(database)
    assert ran is not None
    bundle = bundle_at_close(database, standing)
    if bundle == standing.bundle:
        return None
    settings = _settings(ran, config)
    if bundle:
        return shelf_of_bundle(data, bundle, settings)
    return shelf_kept(database, standing.shelves[0].shelf, terms_of(settings))


def _settings(ran: Ran, config: Path | None) -> Settings:
    """The settings of the last run, or those of a file."""
    return settings_of(Path(ran.config) if config is None and ran.config is not None else config)
