"""The mapping language: how the columns of a bank's file become events, as a person writes it in YAML.

MappingError     a mapping or its source file cannot be used
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, field_validator, model_validator

from connectors.totals import Totals
from connectors.values import Clock, Column, Day, Requirement, Template, Value, Written
from pipeline.fields import DIGITS, digits
from rules.faults import suggestion

MAPPINGS = Path(__file__).resolve().parent.parent / "config" / "mappings"

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]+$")]
Separator = Literal[",", ";", "|", "\t"]
FilePattern = Annotated[str, Field(pattern=r"^[^/\\\\]+$", max_length=200)]  # loan.csv, or trans*; without .gz


def _one_as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


FilePatterns = Annotated[list[FilePattern], BeforeValidator(_one_as_list), Field(min_length=1)]  # one of them is there


class MappingError(Exception):
    """A mapping or its source file cannot be used; the text says where, what was expected and what to do.

    `totals` are the control totals of what could be used, where the source broke off in the middle.
    """

    def __init__(self, text: str, totals: Totals | None = None) -> None:
        super().__init__(text)
        self.totals = totals


class Emission(Written):
    """One event that a row gives, when it gives it, and what stands in it."""

    event: str
    id: Template
    dated: Value | None = None  # its date; absent: the date of the group, or of the mapping
    at: Clock = "12:00"
    when: dict[Column, Requirement] = Field(default_factory=dict)
    first_of: list[Column] = Field(default_factory=list)  # only from the first row of each key
    once_per: list[Column] = Field(default_factory=list)  # once a key; every later row of the key must say the same
    fields: dict[str, Value] = Field(default_factory=dict)
    figures: dict[str, Value] = Field(default_factory=dict)  # of macro.published

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if self.first_of and self.once_per:
            raise ValueError("expected first_of or once_per, got both")
        return self


class Group(Written):
    """One of several groups of columns that stand side by side in a row: a month, a quarter."""

    name: Name
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


class Refusal(Written):
    """Rows that give no event, and why."""

    because: Annotated[str, Field(min_length=1, max_length=200)]
    when: dict[Column, Requirement] = Field(default_factory=dict)  # all must hold; empty: every row


class Lookup(Written):
    """Columns of another file of the folder, by a key that stands in both."""

    file: FilePatterns
    key: Column  # there; each row of it is another one
    by: Column  # here
    columns: Annotated[list[Column], Field(min_length=1)]


class Reading(Written):
    """How the rows of one file are read, and the events that they give."""

    separator: Separator | None = None  # a comma when absent
    row_key: list[Column] = Field(default_factory=list)
    borrower_id: Template | None = None
    looks_up: dict[Name, Lookup] = Field(
        default_factory=dict
    )  # district: {...} makes its column A2 the column `district.A2`
    derived: dict[Name, Value] = Field(default_factory=dict)  # used like columns, in texts and in what follows
    dated: Value | None = None
    refused: list[Refusal] = Field(default_factory=list)
    events: list[Emission] = Field(default_factory=list)
    repeat: Repeat | None = None


class Part(Reading):
    """One file of a folder."""

    file: FilePatterns


class Heading(Written):
    """What every mapping says of itself and of the whole of its source."""

    mapping: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
    about: str
    currency: str
    zone: str

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


class OneFile(Heading, Reading):
    """A mapping of one kind of file."""

    row_key: Annotated[list[Column], Field(min_length=1)]
    borrower_id: Template

    @property
    def parts(self) -> list[Reading]:
        """The kinds of files: this one."""
        return [self]


class Folder(Heading):
    """A mapping of several files that belong together."""

    separator: Separator | None = None  # of each file that does not say its own
    borrower_id: Template | None = None
    files: Annotated[list[Part], Field(min_length=1)]

    @property
    def parts(self) -> list[Part]:
        """The kinds of files, each with what is said for all."""
        return [
            part.model_copy(
                update={
                    "separator": self.separator if part.separator is None else part.separator,
                    "borrower_id": self.borrower_id if part.borrower_id is None else part.borrower_id,
                }
            )
            for part in self.files
        ]


Mapping = OneFile | Folder
