"""A borrower as of the close of a day: by event files, or by a data directory, which is only read."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rich.progress import Progress

from connectors.whole_lines import BadFile
from pipeline.decode import Arrival, Decoder, Refusal
from pipeline.events import ConnectedWarned, ShelfPublished
from pipeline.freezing import freeze, thaw
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.shelf import CompiledShelf
from pipeline.shells.arrival_files import closes_in, merged
from pipeline.shells.embedded.borrowers import one_as_closed
from pipeline.shells.embedded.reading import read_only
from pipeline.shells.embedded.records import KINDS, LOG
from pipeline.shells.embedded.standing import standing_in
from pipeline.shells.portfolio import Loaded, Portfolio
from pipeline.zone import date_text

FAR = 1 << 40  # a date that never comes


class Closed(NamedTuple):
    """A borrower after the close of a day."""

    day: Day
    memory: Memory


class _Watch:
    """Keeps a borrower as of the close that is asked for; of the last one where none is named."""

    def __init__(self, portfolio: Portfolio, borrowers: Loaded, borrower_id: str, on: int | None) -> None:
        self._portfolio, self._borrowers, self._borrower_id, self._on = portfolio, borrowers, borrower_id, on
        self.first: int | None = None
        self.last: int | None = None
        self._found: tuple[Day, tuple[bytes, bytes]] | None = None
        portfolio.after_close = self._look

    def _look(self) -> None:
        closed = self._portfolio.closed
        assert closed is not None
        self.first, self.last = closed.date if self.first is None else self.first, closed.date
        memory = self._borrowers.find(self._borrower_id)
        if memory is not None and self._on in (None, closed.date):
            self._found = closed, freeze(memory)

    @property
    def is_over(self) -> bool:
        """Whether the close that is asked for has been."""
        return self._on is not None and self.last is not None and self.last >= self._on

    def closed(self) -> Closed:
        """What was found; BadFile in one sentence when nothing was."""
        if self._found is not None:
            day, frozen = self._found
            return Closed(day, thaw(self._borrower_id, *frozen))
        if self._on is None or (self.first is not None and self.first <= self._on <= (self.last or -1)):
            raise BadFile(
                f"{self._borrower_id}: expected a borrower of these events, got one that nothing tells of by then"
            )
        days = (
            "no day"
            if self.first is None or self.last is None
            else f"{date_text(self.first)} to {date_text(self.last)}"
        )
        raise BadFile(f"--on: expected a day that is closed ({days}), got {date_text(self._on)}")


def by_files(files: list[Path], shelf: CompiledShelf, borrower_id: str, on: int | None, progress: Progress) -> Closed:
    """Replay files until the close is there; every borrower is, since one may warn another."""
    decoder = Decoder(shelf.terms.zone.name, shelf.terms.reporting_currency)
    closes, borrowers = closes_in(files, decoder), Loaded()
    portfolio = Portfolio(shelf, borrowers, closes_by_record=closes is not None)
    portfolio.shelf_of = lambda _: shelf  # whatever was in force then
    watch, task = _Watch(portfolio, borrowers, borrower_id, on), progress.add_task("replay", total=None)
    for n, each in enumerate(merged(files, decoder, []), 1):
        if isinstance(each.arrival, Arrival):
            if portfolio.day is None and isinstance(each.arrival.event, ShelfPublished):
                continue
            if portfolio.day is None:
                portfolio.open(each.arrival.date if closes is None else min(each.arrival.date, closes.first))
            _exhaust(portfolio, each.arrival)
        if watch.is_over:
            break
        if n % 1_000 == 0:
            progress.update(task, completed=n)
    if closes is None and portfolio.day is not None and not watch.is_over:
        for _ in portfolio.close_until(portfolio.date):
            continue
    return watch.closed()


def by_data(data: Path, shelf: CompiledShelf, borrower_id: str, on: int | None) -> Closed:
    """As an engine stands at its last close; for an earlier one the borrower's events are taken from its log again."""
    with read_only(data) as database:
        standing = standing_in(database)
        if standing.closed is not None and on in (None, standing.closed.date):
            memory = one_as_closed(database, borrower_id)
            if memory is not None:
                return Closed(standing.closed, memory)
        borrowers = Loaded()
        portfolio = Portfolio(shelf, borrowers, closes_by_record=True)
        portfolio.stopped = lambda warning: ()  # of the others nothing is asked
        portfolio.shelf_of = lambda _: shelf  # whatever was in force then
        watch = _Watch(portfolio, borrowers, borrower_id, on)
        if standing.first_day is not None:
            portfolio.open(standing.first_day)
            rows = [
                *database.execute(_WARNINGS, (KINDS[ConnectedWarned], borrower_id, FAR if on is None else on)),
                *database.execute(_EVENTS, (borrower_id,)),
            ]
            for arrival in _arrivals(rows, shelf):
                _exhaust(portfolio, arrival)
                if watch.is_over:
                    break
        return watch.closed()


def _arrivals(rows: list[tuple[int, bytes]], shelf: CompiledShelf) -> Iterator[Arrival]:
    decoder = Decoder(shelf.terms.zone.name, shelf.terms.reporting_currency)
    for n, raw in rows:
        try:
            yield decoder.decode(raw, {"file": LOG, "line": n})
        except Refusal:
            continue  # It was told as a dead letter when it came.


def _exhaust(portfolio: Portfolio, arrival: Arrival) -> None:
    for _ in portfolio.take(arrival):
        continue


# Warnings that were sent by then come first: each is kept until the day that it is of.
_WARNINGS = """
    select n, body from decisions where kind = ? and borrower_id = ?
        and n < coalesce((select min(first) from decision_days where date > ?), n + 1) order by n
"""
_EVENTS = """
    select n, raw from arrivals indexed by arrivals_by_borrower where borrower_id = ?
    union all select n, raw from arrivals indexed by arrivals_of_nobody where borrower_id is null order by 1
"""
