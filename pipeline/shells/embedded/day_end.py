"""The engine's own end of days: at a time of the bank's zone, the dates that are over are closed, each in its order.

    date 5             | 6        closes_at
    events ... 23:59   | 00:00 ...  00:30   day.ended 5 is taken in, as if somebody had sent it

Which dates are open stands in the data, never in the timer: a clock that jumps back closes nothing twice, and an engine
that was off closes what was missed.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, time
from pathlib import Path

import msgspec

from config.settings import DayEnd
from pipeline.shells.embedded.disk import Halted, Unstored
from pipeline.shells.embedded.inbox import Submit
from pipeline.shells.embedded.runtime import Batch
from pipeline.shells.embedded.services import LOGGER, Repeated
from pipeline.shells.embedded.standing import standing_in
from pipeline.shells.embedded.worker import Full
from pipeline.zone import Zone, date_text

LOOKS_EVERY_SECONDS = 10.0


class Timer:
    """Closes days when they are due; `open_date` says which date is open on the disk, `may_close` whether all is in."""

    def __init__(
        self,
        settings: DayEnd,
        zone: Zone,
        submit: Submit,
        *,
        now_ms: Callable[[], int],
        open_date: Callable[[], int | None],
        may_close: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._zone = zone
        self._submit = submit
        self._now_ms = now_ms
        self._open_date = open_date
        self._may_close = may_close

    def look(self, life: Repeated) -> None:
        """Close every date that is due, unless there are more of them than a clock is believed."""
        assert self._settings.closes_at is not None
        first, last = self._open_date(), last_due(self._now_ms(), self._zone, self._settings.closes_at)
        if first is None or first > last:
            life.tell(None)
            return
        days = last - first + 1
        if days > self._settings.most_days:
            life.tell(
                f"expected at most {self._settings.most_days} days to close, got {days} ({date_text(first)} to "
                f"{date_text(last)}); look at the clock of this machine, then close them with "
                f"forewarn day close {date_text(last)}"
            )
        elif not self._may_close():
            life.tell(f"{date_text(first)} is due and waits for the files in the inbox to be read")
        else:
            self._close(range(first, last + 1), life)

    def _close(self, dates: range, life: Repeated) -> None:
        for date in dates:
            if life.stops:
                return
            record = msgspec.json.encode({"type": "day.ended", "date": date_text(date)})
            try:
                self._submit(Batch([record])).result()
            except Full:
                life.tell(f"{date_text(date)} is due, and too many lines wait; it is tried again")
                return
            except Unstored as error:
                life.tell(f"{date_text(date)} is due, and the disk took nothing ({error}); make room")
                return
            except Halted as error:
                life.tell(f"{date_text(date)} is due; {error}")
                return
            LOGGER.info("day end: %s is closed", date_text(date))
        life.tell(None)


def last_due(now_ms: int, zone: Zone, closes_at: time) -> int:
    """The last date that is over and whose time to be closed has come.

    >>> shanghai = Zone("Asia/Shanghai")
    >>> before, after = 1741451399000, 1741451400000  # 2025-03-09 00:29:59 and 00:30:00 there
    >>> [date_text(last_due(now, shanghai, time(0, 30))) for now in (before, after)]
    ['2025-03-07', '2025-03-08']
    """
    today = zone.date_of(now_ms)
    is_time = zone.instant(now_ms) >= datetime.fromisoformat(zone.at(today, closes_at))
    return today - 1 if is_time else today - 2


def open_date_in(file: Path) -> int | None:
    """The open date of a database, as of its last commit; None before the first event."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
        day = standing_in(database).day
    return None if day is None else day.date
