"""The settings of a bank: what stands in default.yaml, and what its own file says otherwise.

SettingsError     a settings file cannot be used
"""

import re
from datetime import date, time
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from iso4217 import Currency
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from config.calendar import Calendar
from rules.faults import RuleError, shown
from rules.packs import known_packs
from rules.yaml_text import Document, checked, read, validate

DEFAULT = Path(__file__).parent / "default.yaml"
CURRENCIES = frozenset(each.code for each in Currency if each.exponent is not None)

Part = Literal["fee", "interest", "principal"]
MissedFrom = Literal["core", "engine", "both"]


class SettingsError(Exception):
    """A settings file cannot be used; every fault of it, with line and column."""


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError(f"expected a currency of ISO 4217 such as CNY, got {code!r}")
    return code


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"expected a time zone such as Asia/Shanghai, got {name!r}")
    return name


def _rising(bounds: tuple[int, ...]) -> tuple[int, ...]:
    if bounds[0] != 0 or any(low >= high for low, high in pairwise(bounds)):
        raise ValueError(f"expected rising upper bounds that begin with 0, got {list(bounds)}")
    return bounds


def _all_parts(order: tuple[Part, ...]) -> tuple[Part, ...]:
    if sorted(order) != ["fee", "interest", "principal"]:
        raise ValueError(f"expected fee, interest and principal once each, got {list(order)}")
    return order


def _has_default(missed_from: dict[str, MissedFrom]) -> dict[str, MissedFrom]:
    if "default" not in missed_from:
        raise ValueError("expected the key 'default' for products without a key of their own")
    return missed_from


def _once_each(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"expected each queue once, got {twice[0]!r} twice")
    return names


def _written_date(value: Any) -> Any:
    # pydantic reads a bare number as seconds since 1970; nobody means that.
    if isinstance(value, int | float):
        raise ValueError(f"expected a date such as 2005-04-30, got {value!r}")
    return value


def _clock(text: Any) -> Any:
    if not isinstance(text, str | time) or (
        isinstance(text, str) and not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", text)
    ):
        raise ValueError(f"expected a local time such as '18:00', got {text!r}")
    return text


Minor = Annotated[int, Field(ge=0, le=2**53)]
Days = Annotated[int, Field(ge=0, le=100_000)]
Queue = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)]


class Materiality(BaseModel):
    """What arrears must exceed, both the amount and the share of exposure, to count as material."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    retail_minor: Minor
    other_minor: Minor
    exposure_ppm: Annotated[int, Field(ge=0, le=1_000_000)]


class DayEnd(BaseModel):
    """When the embedded engine itself closes the day before, and how many days it closes at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    closes_at: Annotated[time | None, BeforeValidator(lambda text: None if text is None else _clock(text))]
    most_days: Annotated[int, Field(ge=1, le=400)]


class Kafka(BaseModel):
    """The topics of a deployment on Kafka."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]*$", max_length=100)]
    partitions: Annotated[int, Field(ge=1, le=10_000)]
    replication: Annotated[int, Field(ge=1, le=32)]
    keep_days: Annotated[int, Field(ge=14, le=3_650)]


class Settings(BaseModel):
    """Everything that a bank may set; default.yaml says what each is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reporting_currency: Annotated[str, AfterValidator(_currency)]
    zone: Annotated[str, AfterValidator(_zone)]
    history_from: Annotated[date | None, BeforeValidator(_written_date)]
    missed_from: Annotated[dict[str, MissedFrom], AfterValidator(_has_default)]
    buckets: Annotated[tuple[Days, ...], Field(min_length=1), AfterValidator(_rising)]
    allocation: Annotated[tuple[Part, ...], AfterValidator(_all_parts)]
    materiality: Materiality
    packs: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(known_packs)]
    queues: Annotated[tuple[Queue, ...], Field(min_length=1), AfterValidator(_once_each)]
    calendar: Calendar
    task_due_at: Annotated[time, BeforeValidator(_clock)]
    day_end: DayEnd
    kafka: Kafka

    @property
    def bucket_names(self) -> tuple[str, ...]:
        """The names of the arrears buckets, one more than there are bounds.

        >>> load().bucket_names
        ('0', '1-30', '31-60', '61-90', '91+')
        """
        names = ["0", *(f"{low + 1}-{high}" for low, high in pairwise(self.buckets)), f"{self.buckets[-1] + 1}+"]
        return tuple(names)


def load(path: Path | None = None) -> Settings:
    """The defaults, with a bank's own file laid over them.

    >>> load().zone
    'Asia/Shanghai'
    """
    document = _document(DEFAULT)
    data = _with_calendar(document.data, DEFAULT.parent)
    if path is not None:
        document = _document(path)
        data = _laid_over(data, _with_calendar(document.data, path.parent))
    settings, faults = checked(document, Settings, data)
    if settings is None or faults:
        raise SettingsError(str(RuleError(faults)))
    return settings


def _document(path: Path) -> Document:
    try:
        document = read(path.read_text("utf-8"), path.name)
    except UnicodeDecodeError:
        raise SettingsError(f"{path.name}: expected UTF-8, got other bytes; save the file as UTF-8") from None
    except OSError as error:
        raise SettingsError(
            f"{path}: expected a readable settings file, got {error.strerror}; check the name"
        ) from None
    except RuleError as error:
        raise SettingsError(str(error)) from None
    if not isinstance(document.data, dict):
        raise SettingsError(f"{path.name}: expected fields such as 'zone: Asia/Shanghai', got {shown(document.data)}")
    return document


def _with_calendar(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The data with the calendar that it names by a file, read and checked."""
    named = data.get("calendar")
    if not isinstance(named, str):
        return data
    try:
        calendar = validate(_document(folder / named), Calendar)
    except RuleError as error:
        raise SettingsError(str(error)) from None
    return data | {"calendar": calendar.model_dump()}


def _laid_over(defaults: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(defaults)
    for name, value in own.items():
        below = merged.get(name)
        merged[name] = below | value if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
