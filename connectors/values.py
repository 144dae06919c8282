"""What a mapping says of one cell: numbers by their unit, dates by their form, codes by their words, requirements."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

QUANTITIES = ("major", "minor", "integer", "number", "percent", "share", "ppm")
DATES = ("date", "quarter", "month", "same_as")
FORMS = (*QUANTITIES, "ratio", "product", *DATES, "text", "constant")
SLOT = re.compile(r"\{([^{}]+)\}")


def _written_date(value: Any) -> Any:
    # pydantic reads a bare number as seconds since 1970; nobody means that.
    if not isinstance(value, str | date):
        raise ValueError(f"expected a date such as 2005-04-30, got {value!r}")
    return value


Column = Annotated[str, Field(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=0, le=100_000)]
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
    product: Annotated[list["Quantity"], Field(min_length=2, max_length=8)] | None = None
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
        if self.product is not None and any(each.product is not None for each in self.product):
            raise ValueError("expected plain factors, got a product in a product; write all factors in one")
        return self


class Value(Quantity):
    """What a field of an event is made of."""

    ratio: Annotated[list[Quantity], Field(min_length=2, max_length=2)] | None = None
    floor: Literal[0] | None = None  # a smaller number becomes 0, and is counted
    date: Column | None = None
    format: str | None = None  # of `date`, as in strptime; ISO 8601 when absent
    quarter: Column | None = None  # a number of quarters; the event is on the last day of it
    month: Column | None = None
    one_is: str | None = None  # which quarter (2000-Q1) or month (2005-04) the number 1 stands for
    same_as: Literal["dated"] | None = None  # the date of the event itself
    plus_days: Count | Column | None = None  # so many days after the date; a number, or the column that holds it
    plus_months: Count | Column | None = None  # the same day so many months later, or the last day of that month
    text: Column | None = None
    words: dict[str, str] | None = None  # of `text`: what a code of the source is called

    @property
    def has_shift(self) -> bool:
        """Whether the date is moved."""
        return self.plus_days is not None or self.plus_months is not None

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
        if self.has_shift and self.form not in ("date", "quarter", "month", "constant"):
            raise ValueError("expected 'plus_days' and 'plus_months' beside a date only")
        if self.words is not None and self.form != "text":
            raise ValueError("expected 'words' beside 'text' only")
        if self.floor is not None and self.form not in (*QUANTITIES, "ratio", "product"):
            raise ValueError("expected 'floor' beside a number only")
        return self


class Requirement(Written):
    """What a column must be for an event to be written; an empty cell satisfies `present: false` only."""

    equals: Decimal | str | None = None
    differs: Decimal | str | None = None
    one_of: Annotated[list[Decimal] | list[str], Field(min_length=1)] | None = None
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
