"""The mapping language: how the columns of a bank's file become events, as a person writes it in YAML.

MappingError     a mapping or its source file cannot be used
"""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from connectors.totals import Totals
from pipeline.fields import DIGITS, digits
from rules.faults import suggestion

MAPPINGS = Path(__file__).resolve().parent.parent / "config" / "mappings"

QUANTITIES = ("major", "minor", "integer", "number", "percent", "share", "ppm")
DATES = ("date", "quarter", "month", "same_as")
FORMS = (*QUANTITIES, "ratio", "product", *DATES, "constant")
SLOT = re.compile(r"\{([^{}]+)\}")


class MappingError(Exception):
    """A mapping or its source file cannot be used; the text says where, what was expected and what to do.

    `totals` are the control totals of what could be used, where the source broke off in the middle.
    """

    def __init__(self, text: str, totals: Totals | None = None) -> None:
        super().__init__(text)
        self.totals = totals


def _written_date(value: Any) -> Any:
    # pydantic reads a bare number as seconds since 1970; nobody means that.
    if not isinstance(value, str | date):
        raise ValueError(f"expected a date such as 2005-04-30, got {value!r}")
    return value


Column = Annotated[str, Field(min_length=1, max_length=200)]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Day = Annotated[date, BeforeValidator(_written_date)]
Template = Annotated[str, Field(min_length=1, max_length=200)]


class Written(BaseModel):
    """What a person writes: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Quantity(Written):
    """A number of one column, by its unit, or a constant."""

    major: Column | None = None  # money in whole currency units: 12.34
    minor: Column | None = None  # money in minor units: 1234
    integer: Column | None = None
    number: Column | None = None
    percent: Column | None = None  # 8.5 is a share of 0.085
    share: Column | None = None
    ppm: Column | None = None
    constant: bool | int | str | Day | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_scalar_is_a_constant(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"constant": value}

    @property
    def form(self) -> str:
        """Which of the forms is written here."""
        return next(name for name in FORMS if getattr(self, name, None) is not None)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = [name for name in FORMS if getattr(self, name, None) is not None]
        if len(given) != 1:
            allowed = ", ".join(name for name in FORMS if name in type(self).model_fields)
            raise ValueError(f"expected exactly one of {allowed}, got {' and '.join(given) or 'none'}")
        return self


class Value(Quantity):
    """What a field of an event is made of."""

    ratio: Annotated[list[Quantity], Field(min_length=2, max_length=2)] | None = None
    product: Annotated[list[Quantity], Field(min_length=2, max_length=8)] | None = None
    floor: Literal[0] | None = None  # a smaller number becomes 0, and is counted
    date: Column | None = None
    format: str | None = None  # of `date`, as in strptime; ISO 8601 when absent
    quarter: Column | None = None  # a number of quarters; the event is on the last day of it
    month: Column | None = None
    one_is: str | None = None  # which quarter (2000-Q1) or month (2005-04) the number 1 stands for
    same_as: Literal["dated"] | None = None  # the date of the event itself

    @model_validator(mode="after")
    def _options_fit_the_form(self) -> Self:
        if (self.one_is is not None) != (self.form in ("quarter", "month")):
            raise ValueError("expected 'one_is' beside 'quarter' or 'month', and nowhere else")
        wanted = {"quarter": r"[12][0-9]{3}-Q[1-4]", "month": r"[12][0-9]{3}-(0[1-9]|1[0-2])"}
        if self.one_is is not None and not re.fullmatch(wanted[self.form], self.one_is):
            example = "2000-Q1" if self.form == "quarter" else "2005-04"
            raise ValueError(f"expected 'one_is' such as {example}, got {self.one_is!r}")
        if self.format is not None and self.form != "date":
            raise ValueError("expected 'format' beside 'date' only")
        if self.floor is not None and self.form not in (*QUANTITIES, "ratio", "product"):
            raise ValueError("expected 'floor' beside a number only")
        return self


class Requirement(Written):
    """What a column must be for an event to be written; an empty cell satisfies `present: false` only."""

    equals: Decimal | str | None = None
    differs: Decimal | str | None = None
    above: Decimal | None = None
    at_least: Decimal | None = None
    below: Decimal | None = None
    at_most: Decimal | None = None
    present: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"expected one of {', '.join(type(self).model_fields)}, got nothing")
        return self


class Emission(Written):
    """One event that a row gives, when it gives it, and what stands in it."""

    event: str
    id: Template
    dated: Value | None = None  # its date; absent: the date of the group, or of the mapping
    at: Clock = "12:00"
    when: dict[Column, Requirement] = {}
    first_of: list[Column] = []  # only from the first row of each key
    once_per: list[Column] = []  # once a key; every later row of the key must say the same
    fields: dict[str, Value] = {}
    figures: dict[str, Value] = {}  # of macro.published

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if self.first_of and self.once_per:
            raise ValueError("expected first_of or once_per, got both")
        return self


class Group(Written):
    """One of several groups of columns that stand side by side in a row: a month, a quarter."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]+$")]
    dated: Day
    columns: dict[str, Column]


class Repeat(Written):
    """Events that each row gives once a group of columns."""

    groups: Annotated[list[Group], Field(min_length=1)]
    events: Annotated[list[Emission], Field(min_length=1)]

    @model_validator(mode="after")
    def _groups_are_alike(self) -> Self:
        first = self.groups[0]
        for group in self.groups[1:]:
            if set(group.columns) != set(first.columns):
                raise ValueError(f"expected the same names of columns in groups {first.name} and {group.name}")
        if len({group.name for group in self.groups}) < len(self.groups):
            raise ValueError("expected a different name for each group")
        return self


class Mapping(Written):
    """One kind of file, and the events that its rows give."""

    mapping: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
    about: str
    currency: str
    zone: str
    row_key: Annotated[list[Column], Field(min_length=1)]
    borrower_id: Template
    dated: Value | None = None
    events: list[Emission] = []
    repeat: Repeat | None = None

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, code: str) -> str:
        if code not in DIGITS:
            raise ValueError(f"expected a currency of ISO 4217 such as CNY, got {code!r}{suggestion(code, DIGITS)}")
        return code

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            known = available_timezones()
            raise ValueError(f"expected a time zone such as Asia/Shanghai, got {name!r}{suggestion(name, known)}")
        return name

    @property
    def currency_digits(self) -> int:
        """How many decimal places the currency has."""
        return digits(self.currency)

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone in which the source's dates are meant."""
        return ZoneInfo(self.zone)
