"""What the words of the command come to: which events, rules, settings and days."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

from pipeline.shells.backtest.judging import Span
from pipeline.shells.backtest.past import Past
from pipeline.shells.backtest.workers import Rules
from pipeline.shells.embedded.reading import read_only
from pipeline.shells.embedded.standing import ran_in, standing_in
from pipeline.shells.embedded.store import DataError
from pipeline.shells.manners import SHELF, fail, loaded_shelf, off_in, refuse_no_file, settings_of
from pipeline.shells.publishing.bundle import RULES
from pipeline.shells.publishing.register import SHELVES
from pipeline.shells.publishing.shelves import REGISTER
from rules.packs import NONE_OFF, Off
from rules.rule import Shelf


class Chosen(NamedTuple):
    """Events of the past, and the rules and settings that they are judged by."""

    past: Past
    rules: Rules
    statuses: dict[str, str]  # rule -> status, of those that decide here
    config: Path | None
    folders: list[Path]  # of the rules
    off: Off  # packs in them that do not decide
    shelf: Shelf  # as it stands there


def chosen(files: list[Path] | None, data: Path | None, folders: list[Path] | None, config: Path | None) -> Chosen:
    """The events that are named; of a data directory rules and settings are those of its last run as they stand now."""
    if (data is None) == (not files):
        got = "both" if files else "neither"
        fail(f"expected event files, or the data directory of an engine by --data, got {got}; name one of them")
    for path in files or []:
        refuse_no_file(path)
    past = Past(files=tuple(files or []))
    if data is not None:
        past, folders, config = _stored(data, folders, config)
    settings = settings_of(config)
    shelf = loaded_shelf(folders, settings)
    off = NONE_OFF if folders else off_in(SHELF, settings)
    statuses = statuses_in(shelf)
    if not statuses:
        fail("--rules: expected at least one rule that is not retired, got none; name a folder of rules")
    return Chosen(past, Rules(with_drafts(shelf), settings), statuses, config, folders or [SHELF], off, shelf)


def statuses_in(shelf: Shelf) -> dict[str, str]:
    """Status of every rule that decides in a backtest."""
    return {rule.rule: rule.status for rule in shelf.rules if rule.status != "retired"}


def span_of(since: str | None, until: str | None, options: tuple[str, str] = ("--from", "--until")) -> Span:
    """The days that are judged."""
    first, last = options
    span = Span(since=_day_of(since, first), until=_day_of(until, last))
    if span.since is not None and span.until is not None and span.since > span.until:
        fail(f"{last}: expected a day from {span.since} on, where {first} begins, got {span.until}")
    return span


def _day_of(text: str | None, option: str) -> date | None:
    """The date of an option."""
    if text is None:
        return None
    try:
        # The library reads 20250305, too.
        return date.fromisoformat(text if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII) else "")
    except ValueError:
        fail(f"{option}: expected a date such as 2025-03-05, got {text!r}")


def with_drafts(shelf: Shelf) -> Shelf:
    """Drafts decide here as rules in shadow do: who writes one asks what it would say."""
    rules = (replace(rule, status="shadow") if rule.status == "draft" else rule for rule in shelf.rules)
    return replace(shelf, rules=tuple(rules))


def _stored(data: Path, folders: list[Path] | None, config: Path | None) -> tuple[Past, list[Path] | None, Path | None]:
    try:
        with read_only(data) as database:
            ran, standing = ran_in(database), standing_in(database)
    except DataError as error:
        fail(str(error))
    if ran is None:
        fail(f"{data}: expected an engine that has run, got one that never started; start it with forewarn run")
    if folders is None and standing.bundle:
        folders = [data / REGISTER / SHELVES / standing.bundle / RULES]
    elif folders is None and ran.rules is not None:
        folders = [Path(folder) for folder in ran.rules]
    if config is None and ran.config is not None:
        config = Path(ran.config)
    return Past(data=data, lines=standing.lines), folders, config
