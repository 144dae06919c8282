"""Records for every partition: the close of a day, and what was published. They have no borrower."""

from typing import Literal

import msgspec

from pipeline import fields as f


class ControlRecord(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
):
    """What every control record has."""

    at: f.Instant
    id: f.EventId | None = None
    source: f.Source | None = None


class DayEnded(ControlRecord, tag="day.ended", frozen=True, kw_only=True):
    """A business day is over; without `at` it ends with the last instant of its date."""

    date: f.Day
    at: f.Instant | None = None  # type: ignore[assignment]  # The date alone says when.
    feeds: dict[f.FeedName, Literal["missing"]] | None = None


class ShelfPublished(ControlRecord, tag="shelf.published", frozen=True, kw_only=True):
    """A new shelf of rules is in force."""

    hash: f.Hash
    author: f.Person
    approver: f.Approver


class ModelPublished(ControlRecord, tag="model.published", frozen=True, kw_only=True):
    """A new model is in force."""

    hash: f.Hash
    author: f.Person
    approver: f.Approver
    model: f.ModelType | None = None


class MacroPublished(ControlRecord, tag="macro.published", frozen=True, kw_only=True):
    """Figures of the economy, in parts per million."""

    figures: dict[f.Word, f.Ppm]


class FxPublished(ControlRecord, tag="fx.published", frozen=True, kw_only=True):
    """Rates of exchange: parts per million of the reporting currency for one unit of another."""

    rates: dict[f.CurrencyCode, f.FxRate]


ControlEvent = DayEnded | ShelfPublished | ModelPublished | MacroPublished | FxPublished
