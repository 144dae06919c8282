"""What is the same for every borrower: the figures, the calendar in columns, and which shocks are switched on."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from config.calendar import is_working_day
from config.settings import Settings
from connectors.simulator.parameters import Figures
from pipeline.fields import digits

DAY = 86_400


class World(NamedTuple):
    """The days are numbered from the begin of the burn-in; `first` is the first that is told, `end` the first after."""

    figures: Figures
    seed: int
    shocks: frozenset[str]
    unit: int  # minor units of one unit of the reporting currency
    first: int
    end: int
    dates: tuple[str, ...]  # of each day, and of some years after the end
    offsets: tuple[str, ...]  # from UTC at noon of each day
    is_working: tuple[bool, ...]
    month_of: tuple[int, ...]  # of each day: months since the begin of the burn-in
    clock: tuple[str, ...]  # the time of each second of a day
    month_starts: tuple[int, ...]  # the first day of each of these months
    months: tuple[int, ...]  # the month of the year of each of them

    def due(self, month: int, day_of_month: int) -> int:
        """The day of a month counted from the begin."""
        return self.month_starts[month] + day_of_month - 1

    def worked(self, day: int) -> int:
        """This day, or the last working day before it."""
        while not self.is_working[day]:
            day -= 1
        return day

    def payday(self, after: int, day_of_month: int) -> int:
        """The payday of the next month: on a working day, at the latest on its date; 28 is the month's last day."""
        month = self.month_of[after] + 1
        day = after
        while day <= after + 7:  # The payday that a holiday moved into this month is not paid twice.
            day = self.month_starts[month + 1] - 1 if day_of_month >= 28 else self.due(month, day_of_month)
            day = self.worked(day)
            month += 1
        return day


def world_of(figures: Figures, settings: Settings, *, seed: int, months: int, shocks: frozenset[str]) -> World:
    """The world of one run."""
    begin = _months_after(figures.first_day, -figures.burn_in_months)
    first = (figures.first_day - begin).days
    last = (_months_after(figures.first_day, months) - begin).days
    longest = max(figures.loans.months.personal[1], figures.loans.months.car[1])  # whose schedules are told
    starts = [_months_after(begin, n) for n in range(figures.burn_in_months + months + int(longest) + 6)]
    days = [begin + timedelta(days=n) for n in range((starts[-1] - begin).days)]
    months_in = [(day.year - begin.year) * 12 + day.month - begin.month for day in days]
    return World(
        figures=figures,
        seed=seed,
        shocks=shocks,
        unit=10 ** digits(settings.reporting_currency),
        first=first,
        end=last,
        dates=tuple(day.isoformat() for day in days),
        offsets=tuple(_offset(day, ZoneInfo(settings.zone)) for day in days),
        is_working=tuple(is_working_day(settings.calendar, day) for day in days),
        month_of=tuple(months_in),
        clock=tuple(f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(DAY)),
        month_starts=tuple((day - begin).days for day in starts),
        months=tuple(day.month for day in starts),
    )


def _months_after(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def _offset(day: date, zone: ZoneInfo) -> str:
    text = datetime.combine(day, time(12), zone).strftime("%z")
    return f"{text[:3]}:{text[3:5]}"
