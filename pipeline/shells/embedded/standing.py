"""Where an engine stands between two batches, and with what it ran, as its database says."""

import sqlite3

import msgspec

from pipeline.look import Day
from pipeline.shells.embedded.day_ends import Moves
from pipeline.shells.published import Standing as PublishedStanding


class Standing(msgspec.Struct, kw_only=True):
    """Where the portfolio stands between two batches."""

    day: Day | None = None
    closed: Day | None = None
    is_opened: bool = True
    published: PublishedStanding | None = None
    first_day: int | None = None
    lines: int = 0
    decisions: int = 0
    by_type: dict[str, int] = {}
    unknown_fields: int = 0
    moves: Moves = {}


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine ran with: `mark` stands for its rules and settings, the rest says where they stand."""

    mark: str
    rules: list[str] | None = None  # None: the shipped ones
    config: str | None = None


def ran_in(database: sqlite3.Connection) -> Ran | None:
    """What the engine of a database ran with last; None when it never did."""
    row = database.execute("select value from meta where name = 'ran'").fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=Ran)


def standing_in(database: sqlite3.Connection) -> Standing:
    """Where the portfolio of a database stands."""
    row = database.execute("select value from meta where name = 'standing'").fetchone()
    return Standing() if row is None else _STANDING.decode(row[0])


def muted_in(database: sqlite3.Connection) -> int:
    """Up to which row decisions are history that nobody is told of; the opening digest is the row after it."""
    row = database.execute("select value from meta where name = 'muted'").fetchone()
    return 0 if row is None else int(row[0])


_STANDING = msgspec.msgpack.Decoder(Standing)
