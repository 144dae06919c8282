"""What the reading API answers, as Structs: their JSON Schema is the one that the OpenAPI shows.

Decisions and events are passed on as the bytes in which they stand on the disk; the schema of those is the core's own.
"""

from typing import Any, Literal

import msgspec

Kind = Literal["alert", "task", "dead_letter", "disagreement", "warning"]
_REFERENCE = "#/components/schemas/"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a list; `next` is the cursor of what follows, null at the end."""

    items: list[Any]
    next: str | None


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a borrower as it arrived."""

    log_line: int  # its number in the log of arrivals
    business_date: str
    refused: str | None  # reason of its dead letter, which may have come later
    event: Any


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A decision about a borrower."""

    kind: Kind
    decision: Any


class ProfileLoan(msgspec.Struct, frozen=True, kw_only=True):
    """A loan; amounts are minor units of its currency, null is unknown."""

    loan_id: str
    status: Literal["open", "closed", "written_off"]
    currency: str
    outstanding_minor: int | None
    arrears_minor: int | None
    days_past_due: int | None
    bucket: str | None
    defaulted_on: str | None


class ProfileEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """One life of an alert."""

    episode: str
    rule: str
    state: Literal["pending", "open", "muted", "stale", "closed"]
    severity: str | None
    since: str
    opened_on: str | None
    closed_on: str | None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A borrower at the end of a day, as in profiles.jsonl; amounts are minor units of the reporting currency."""

    borrower_id: str
    as_of: str
    exposure_minor: int | None
    arrears_minor: int | None
    loans: list[ProfileLoan]
    episodes: list[ProfileEpisode]
    measures: dict[str, dict[str, dict[str, Any]]]
    backstop_on: str | None


class Borrower(msgspec.Struct, frozen=True, kw_only=True):
    """A borrower: its profile, and the first page of its events and decisions, newest first."""

    borrower_id: str
    day: Literal["closed", "open"]  # which day the profile is of
    profile: Any  # null: the borrower was first heard of after the last close
    events: Page
    decisions: Page


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of one line."""

    line: int
    status: Literal["accepted", "refused", "repeated"]
    log_line: int = 0  # its number in the log of arrivals; absent: it is not there
    reason: str = ""
    why: str = ""


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a request, line by line."""

    accepted: int
    refused: int
    repeated: int
    results: list[Result]


def answer_of(schema: str, description: str, example: Any = None) -> dict[str, Any]:
    """The description of a successful answer in JSON."""
    content: dict[str, Any] = {"schema": {"$ref": _REFERENCE + schema}}
    if example is not None:
        content["example"] = example
    return {"description": description, "content": {"application/json": content}}


def page_answer(schema: str, description: str) -> dict[str, Any]:
    """The description of a page."""
    link = {"schema": {"type": "string"}, "description": 'the next page, rel="next"; absent at the end'}
    return answer_of(schema, description) | {"headers": {"Link": link}}
