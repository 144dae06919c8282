"""Which dates people work, and the next one that is."""

from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Calendar(BaseModel):
    """The working week, and the dates that differ from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    working_week: frozenset[Weekday] = Field(min_length=1)
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    @model_validator(mode="after")
    def _no_date_is_both(self) -> "Calendar":
        both = sorted(self.holidays & self.workdays)
        if both:
            raise ValueError(f"expected a date in holidays or in workdays, got {both[0]} in both; take it out of one")
        return self


def is_working_day(calendar: Calendar, day: date) -> bool:
    """True when people work on this date; a date that is named is stronger than its weekday.

    >>> week = Calendar(working_week={"mon", "tue", "wed", "thu", "fri"}, workdays={date(2025, 2, 8)})
    >>> is_working_day(week, date(2025, 2, 8)), is_working_day(week, date(2025, 2, 9))
    (True, False)
    """
    if day in calendar.workdays:
        return True
    return WEEKDAYS[day.weekday()] in calendar.working_week and day not in calendar.holidays


def next_working_day(calendar: Calendar, day: date) -> date:
    """This date when people work on it, else the first later one on which they do.

    >>> week = Calendar(working_week={"mon", "tue", "wed", "thu", "fri"}, holidays={date(2025, 3, 10)})
    >>> next_working_day(week, date(2025, 3, 8)).isoformat()    # a Saturday; the Monday is a holiday
    '2025-03-11'
    """
    while not is_working_day(calendar, day):
        day += timedelta(days=1)
    return day
