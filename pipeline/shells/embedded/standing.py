"""Where an engine stands between two batches, and with what it ran, as its database says."""

import sqlite3
from typing import NamedTuple

import msgspec

from pipeline.look import Day
from pipeline.shells.embedded.day_ends import Moves
from pipeline.shells.published import Standing as PublishedStanding


class Adopted(NamedTuple):
    """A shelf that came into force with an arrival."""

    line: int  # of the log; 0: before anything was published
    bundle: str  # its hash in the register; "": what the engine was started with
    shelf: str  # the hash of what decides


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
    shelves: list[Adopted] = []  # since something was published; the last is in force

    @property
    def bundle(self) -> str:
        """The published shelf in force; "" while nothing was published."""
        return self.shelves[-1].bundle if self.shelves else ""

    def adopted_by(self, line: int) -> Adopted | None:
        """What was in force after a line of the log; None while nothing was published by the end of it."""
        return next((each for each in reversed(self.shelves) if each.line <= line), None)


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine ran with: its settings as a mark, the hash of its rules, and where both stand."""

    mark: str
    shelf: str = ""
    rules: list[str] | None = None  # None: the shipped ones, or what was published
    config: str | None = None

    @property
    def decides(self) -> str:
        """The mark of all that decides beside the events."""
        return f"{self.mark} {self.shelf}"


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
