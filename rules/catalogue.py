"""The event catalogue as a rule sees it: a table that the pipeline hands to the rule language."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["amount", "share", "days", "count", "number", "text", "date", "flag"]
Worse = Literal["high", "low"]
Key = Literal["loan_id", "account_id"]
# What a case may say of an event beside the fields that a rule reads, where the event has it.
IDS = ("borrower_id", "loan_id", "account_id", "id", "source", "reverses", "currency")


@dataclass(frozen=True)
class Field:
    """One field of an event, or one fact of the ledger, by the name a rule uses.

    `amount` is kept in minor units and written in whole currency units; `share` is kept in parts per million and
    written as a share of 1; every other number is written as it is kept.
    """

    name: str
    unit: Unit
    worse: Worse | None = None  # which end is worse; None: `across: worst` has no direction
    least: int | None = None  # what it never falls below, in the unit of a rule; None: nothing is known
    most: int | None = None  # what it never exceeds


@dataclass(frozen=True)
class Kind:
    """One type of event: its feed, whose fact it is, and the fields a rule may read."""

    name: str
    feed: str
    key: Key | None  # the events of one loan or account, or of the borrower as a whole
    fields: dict[str, Field]
    kept_days: int  # how long events are kept one by one
    totals_days: int = 0  # how long daily totals by category are kept after that; 0: none
    ids: tuple[str, ...] = ()  # those of IDS that it has


@dataclass(frozen=True)
class Catalogue:
    """Everything that a rule may measure."""

    events: dict[str, Kind]
    facts: dict[str, Field]  # `now:` facts of the ledger
    model: Kind  # what every `model.NAME` looks like
