"""Borrowers on whom the core failed: set aside, so that everybody else goes on.

Failed        the core failed on one borrower, whose memory in this process cannot be trusted any more
"""

import logging
import sqlite3
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.shells.embedded.disk import Halted
from pipeline.zone import date_text

MOST_AT_ONCE = 20  # in one batch: what fails on more is no borrower's fault
MOST = 200  # in all, for the same reason where they come one by one
FAULT = "fault"  # the reason of their dead letters
_ROOT = Path(__file__).resolve().parents[3]


class Failed(Exception):
    """The core failed on a borrower: its cause is what the core raised, `line` the arrival that it was at.

    Line 0 is before the batch: what it failed on cannot be said more exactly.
    """

    def __init__(self, borrower_id: str, line: int) -> None:
        super().__init__(borrower_id, line)
        self.borrower_id, self.line = borrower_id, line


class Aside(NamedTuple):
    """Since when a borrower is set aside, and why."""

    line: int  # the arrival that it failed on: its own event, or the end of a day
    date: int | None  # the day that was open then
    fault: str

    @property
    def why(self) -> str:
        """The sentence of a dead letter."""
        day = "" if self.date is None else f" of {date_text(self.date)}"
        return (
            f"the engine failed on this borrower at line {self.line}{day} ({self.fault}) and set it aside; "
            "once that is mended, take its events again: forewarn dead-letters replay --reason fault"
        )


class Quarantine:
    """The borrowers that are set aside, as the store has them."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._aside: dict[str, Aside] = {}
        self._new: dict[str, BaseException] = {}  # in this batch

    def restore(self) -> None:
        """Go on from what is stored."""
        self._aside, self._new = dict(asides_in(self._database)), {}

    def __contains__(self, borrower_id: object) -> bool:
        return borrower_id in self._aside

    def __len__(self) -> int:
        return len(self._aside)

    def __iter__(self) -> Iterator[str]:
        return iter(self._aside)

    def get(self, borrower_id: str | None) -> Aside | None:
        """Since when and why a borrower is set aside; None when it is not."""
        return None if borrower_id is None else self._aside.get(borrower_id)

    def put(self, borrower_id: str, error: BaseException, *, line: int, date: int | None) -> None:
        """Set a borrower aside; Halted when these are too many to be the borrowers' fault."""
        aside = Aside(line, date, sentence_of(error))
        self._aside[borrower_id], self._new[borrower_id] = aside, error
        if len(self._new) > MOST_AT_ONCE or len(self._aside) > MOST:
            raise Halted(
                f"expected the engine to fail on at most {MOST_AT_ONCE} borrowers of a batch and {MOST} in all, got "
                f"more, the last by {aside.fault}; the fault is the program's or the rules', not a borrower's: nothing "
                "of the batch was kept; mend it and start the engine again"
            ) from error
        row = (borrower_id, aside.line, aside.date, aside.fault)
        self._database.execute("insert or replace into quarantine values (?, ?, ?, ?)", row)

    def lift(self, borrower_id: str) -> None:
        """A borrower is like any other again, and looked at at the next end of a day."""
        self._aside.pop(borrower_id, None)
        self._database.execute("delete from quarantine where borrower_id = ?", (borrower_id,))
        self._database.execute("update heads set asleep_until = 0 where borrower_id = ?", (borrower_id,))

    def tell(self) -> None:
        """The batch is on the disk: raise the alarm for those that it set aside."""
        for borrower_id, error in self._new.items():
            if borrower_id in self._aside:
                aside = self._aside[borrower_id]
                said = "the engine set borrower %s aside at line %d: %s; %d are set aside"
                _LOGGER.error(said, borrower_id, aside.line, aside.fault, len(self._aside), exc_info=error)
        self._new = {}


def asides_in(database: sqlite3.Connection) -> Iterator[tuple[str, Aside]]:
    """Who is set aside in a database, by id."""
    query = "select borrower_id, line, date, fault from quarantine order by borrower_id"
    for borrower_id, line, date, fault in database.execute(query):
        yield borrower_id, Aside(line, date, fault)


def sentence_of(error: BaseException) -> str:
    """An exception in a few words: what it is, what it says, and the last place of the program that it came through.

    >>> sentence_of(ZeroDivisionError("division by zero"))
    'ZeroDivisionError: division by zero'
    """
    said = " ".join(f"{type(error).__name__}: {error}".rstrip(": ").split())
    own = [each for each in traceback.extract_tb(error.__traceback__) if Path(each.filename).is_relative_to(_ROOT)]
    return f"{said}, at {Path(own[-1].filename).relative_to(_ROOT).as_posix()}:{own[-1].lineno}" if own else said


_LOGGER = logging.getLogger("forewarn")
