"""The bank's time zone: instants in UTC milliseconds, business dates in days since 1970-01-01."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 86_400_000


def day_number(day: date) -> int:
    """A date as days since 1970-01-01."""
    return day.toordinal() - _EPOCH_ORDINAL


def date_of_number(number: int) -> date:
    """The date of a number of days since 1970-01-01."""
    return date.fromordinal(number + _EPOCH_ORDINAL)


@lru_cache(maxsize=1024)
def date_text(number: int) -> str:
    """The date of a number of days since 1970-01-01, as ISO 8601."""
    return date_of_number(number).isoformat()


class Zone:
    """Dates, instants and their texts in one zone; equal zones give equal answers.

    >>> Zone("Asia/Shanghai").text(1741449599999)
    '2025-03-08T23:59:59.999+08:00'
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._zone = ZoneInfo(name)
        self.start_of = lru_cache(maxsize=4096)(self._start_of)
        self.text = lru_cache(maxsize=1024)(self._text)  # at the end of a day all borrowers share one instant

    def date_of(self, at_ms: int) -> int:
        """The business date of an instant."""
        guess = at_ms // DAY_MS
        # Zones lie within 14 hours of UTC, so the date is the guess or a neighbour of it.
        if at_ms >= self.start_of(guess + 1):
            return guess + 1
        return guess if at_ms >= self.start_of(guess) else guess - 1

    def today(self, at_ms: int) -> date:
        """The local date of an instant."""
        return date_of_number(self.date_of(at_ms))

    def end_of(self, day: int) -> int:
        """The last millisecond of a date."""
        return self.start_of(day + 1) - 1

    def _text(self, at_ms: int) -> str:
        """An instant as RFC 3339 in this zone, with milliseconds only where there are some."""
        return self.local(at_ms).isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds")

    def local(self, at_ms: int) -> datetime:
        """An instant as a datetime of this zone."""
        return self.instant(at_ms).astimezone(self._zone)

    def instant(self, at_ms: int) -> datetime:
        """An instant as an aware datetime."""
        return _EPOCH + at_ms * _MILLISECOND

    def at(self, day: int, clock: time) -> str:
        """A time of day on a date, as RFC 3339."""
        return datetime.combine(date_of_number(day), clock, self._zone).isoformat()

    def _start_of(self, day: int) -> int:
        start = datetime.combine(date_of_number(day), time(), self._zone)
        return (start - _EPOCH) // _MILLISECOND
