"""What people and programs read from a running engine: alerts, tasks, dead letters and borrowers, page by page."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from pipeline.decisions import Transition
from pipeline.fields import ID_PATTERN
from pipeline.profiles import profile_of
from pipeline.refusals import Reason
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded import reader as rows
from pipeline.shells.embedded.access import Check
from pipeline.shells.embedded.borrowers import one_as_closed, one_as_written
from pipeline.shells.embedded.cursors import LONGEST, cursor_of, number_of
from pipeline.shells.embedded.in_force import bundle_at_close
from pipeline.shells.embedded.problems import Problem, declared, wrong
from pipeline.shells.embedded.reader import EVERYTHING, Order, Reader, Span, Status, Wanted
from pipeline.shells.embedded.shapes import Arrived, Borrower, Made, Page, answer_of, page_answer
from pipeline.shells.embedded.standing import standing_in
from pipeline.zone import date_text, day_number
from rules.rule import Severity

FIRST_PAGE = 20  # of the events and decisions that come with a borrower
ERRORS = (401, 403, 422, 500)


def _day(text: Any) -> Any:
    """A date as ISO 8601 writes it; what pydantic takes beside that, seconds since 1970 too, is no date here."""
    try:
        return date.fromisoformat(text) if len(text) == len("2025-03-05") and text[4] == "-" else _no_day()
    except (ValueError, TypeError):
        return _no_day()


def _no_day() -> Any:
    raise ValueError("a date such as 2025-03-05 that the calendar has")


DATE_SCHEMA = {"type": "string", "format": "date"}
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema(DATE_SCHEMA)]
BorrowerId = Annotated[str, Field(pattern=ID_PATTERN, min_length=1, max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=128)]


class Walk(BaseModel):
    """How a list is walked through."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: Order = Field("newest", description="the newest first, or the oldest")
    limit: int = Field(50, ge=1, le=500, description="items of a page")
    cursor: str | None = Field(
        None, min_length=1, max_length=LONGEST, description="`next` of an answer, asked with the same filters and order"
    )


class Dated(Walk):
    """A list with a span of business days."""

    from_: Day | None = Field(None, alias="from", description="the first business day")
    to: Day | None = Field(None, description="the last business day")


class AlertQuery(Dated):
    """Which alerts."""

    rule: Name | None = None
    severity: list[Severity] = Field(default=[], max_length=8, description="any of these")
    transition: list[Transition] = Field(default=[], max_length=8, description="any of these")
    borrower_id: BorrowerId | None = None

    def wanted(self) -> Wanted:
        """As the reader asks for them."""
        return Wanted(
            "alert",
            rule=self.rule,
            borrower_id=self.borrower_id,
            severities=self.severity,
            details=self.transition,
        )


class TaskQuery(Dated):
    """Which revisions of tasks."""

    queue: Name | None = None
    status: list[Status] = Field(default=[], max_length=8, description="any of these")
    borrower_id: BorrowerId | None = None

    def wanted(self) -> Wanted:
        """As the reader asks for them."""
        return Wanted("task", queue=self.queue, borrower_id=self.borrower_id, details=self.status)


class DeadLetterQuery(Dated):
    """Which dead letters."""

    reason: list[Reason] = Field(default=[], max_length=16, description="any of these")
    borrower_id: BorrowerId | None = Field(None, description="of letters whose bytes say it")

    def wanted(self) -> Wanted:
        """As the reader asks for them."""
        return Wanted("dead_letter", borrower_id=self.borrower_id, details=self.reason)


class BorrowerQuery(BaseModel):
    """Which state of a borrower."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: Literal["closed", "open"] = Field(
        "closed", description="the profile at the last close, as in profiles.jsonl; or of the open day as far as it got"
    )


ListQuery = AlertQuery | TaskQuery | DeadLetterQuery
LISTS: tuple[tuple[str, type[ListQuery], str, str], ...] = (
    ("/v1/alerts", AlertQuery, "AlertPage", "Openings, raises and closings of alerts"),
    ("/v1/collection-tasks", TaskQuery, "CollectionTaskPage", "Collection tasks, each revision of them"),
    ("/v1/dead-letters", DeadLetterQuery, "DeadLetterPage", "Records that could not be used"),
)


def reading_routes(reader: Reader, shelf_of: Callable[[str], CompiledShelf], may_read: Check) -> APIRouter:
    """The routes that read; `shelf_of` finds a published shelf, or with "" the one that was started with."""
    router = APIRouter(dependencies=[Depends(may_read)])
    for path, query, schema, words in LISTS:
        declare(router, path, _list_route(reader, query), page_answer(schema, words), ("decisions", words))
    _borrower_routes(router, reader, shelf_of)
    return router


def declare(
    router: APIRouter, path: str, route: Callable[..., Any], answer: dict[str, Any], words: tuple[str, str]
) -> None:
    """A route that answers GET, and HEAD without telling of it twice."""
    tag, summary = words
    errors = (*ERRORS, 404) if "{" in path else ERRORS
    responses = declared({200: answer}, *errors)
    router.add_api_route(path, route, methods=["GET"], summary=summary, responses=responses, tags=[tag])
    router.add_api_route(path, route, methods=["HEAD"], include_in_schema=False)


def page_of_list(reader: Reader, path: str, query: ListQuery) -> Page:
    """A page of a list of decisions."""
    with reader.snapshot() as database:
        days = [None if day is None else day_number(day) for day in (query.from_, query.to)]
        span = _span(path, query, rows.numbers_of_days(database, *days))
        found = rows.decisions(database, query.wanted(), span)
    return _cut(path, query, found, _body)


def _list_route(reader: Reader, model: type[ListQuery]) -> Callable[..., Response]:
    def listed(request: Request, query: ListQuery) -> Response:
        """Decisions as they were made; scope read.

        `from` and `to` are the business days on which they were made. A walk with `next` never skips or repeats one,
        though new ones are made meanwhile.
        """
        return _answer(request, page_of_list(reader, request.url.path, query))

    listed.__annotations__["query"] = Annotated[model, Query()]
    listed.__name__ = model.__name__.removesuffix("Query").lower() + "s"
    return listed


def _borrower_routes(router: APIRouter, reader: Reader, shelf_of: Callable[[str], CompiledShelf]) -> None:
    OfBorrower = Annotated[str, Path(pattern=ID_PATTERN, min_length=1, max_length=64)]

    def borrower(request: Request, borrower_id: OfBorrower, query: Annotated[BorrowerQuery, Query()]) -> Response:
        """A borrower: profile, and the newest events and decisions; scope read.

        The profile is that of the last close, in the fields and values of profiles.jsonl, and null when the borrower
        was first heard of after it. With `day=open` it is that of the open day, from what has come so far.
        """
        first = Walk(limit=FIRST_PAGE)
        with reader.snapshot() as database:
            _expect_known(database, borrower_id)
            standing = standing_in(database)
            memory = (one_as_closed if query.day == "closed" else one_as_written)(database, borrower_id)
            span = Span(*EVERYTHING, first.order, first.limit)
            events = rows.events_of(database, borrower_id, span)
            decisions = rows.of_borrower(database, borrower_id, span)
            bundle = bundle_at_close(database, standing) if query.day == "closed" else standing.bundle
        day = standing.closed if query.day == "closed" else standing.day
        place = request.url.path
        return _json(
            Borrower(
                borrower_id=borrower_id,
                day=query.day,
                profile=None if memory is None or day is None else profile_of(shelf_of(bundle), day, memory),
                events=_cut(f"{place}/events", Dated(limit=FIRST_PAGE), events, _arrived),
                decisions=_cut(f"{place}/decisions", first, decisions, _made),
            )
        )

    def events(request: Request, borrower_id: OfBorrower, query: Annotated[Dated, Query()]) -> Response:
        """Events of a borrower in the order in which they arrived, refused ones too; scope read.

        `from` and `to` are the business dates of the events, which may be late.
        """
        dates = (
            EVERYTHING[0] if query.from_ is None else day_number(query.from_),
            EVERYTHING[1] if query.to is None else day_number(query.to),
        )
        with reader.snapshot() as database:
            _expect_known(database, borrower_id)
            found = rows.events_of(database, borrower_id, _span(request.url.path, query, EVERYTHING), dates)
        return _answer(request, _cut(request.url.path, query, found, _arrived))

    def decisions(request: Request, borrower_id: OfBorrower, query: Annotated[Walk, Query()]) -> Response:
        """Decisions about a borrower with their evidence, in the order in which they were made; scope read."""
        with reader.snapshot() as database:
            _expect_known(database, borrower_id)
            found = rows.of_borrower(database, borrower_id, _span(request.url.path, query, EVERYTHING))
        return _answer(request, _cut(request.url.path, query, found, _made))

    place = "/v1/borrowers/{borrower_id}"
    declare(router, place, borrower, answer_of("Borrower", "The borrower."), ("borrowers", "A borrower"))
    for name, route in (("events", events), ("decisions", decisions)):
        answer = page_answer(f"{name.removesuffix('s').capitalize()}Page", f"A page of {name}.")
        declare(router, f"{place}/{name}", route, answer, ("borrowers", f"{name.capitalize()} of a borrower"))


def _expect_known(database: Any, borrower_id: str) -> None:
    if not rows.is_known(database, borrower_id):
        sentence = f"borrower_id: expected a borrower of whom an event came, got {borrower_id!r}; check the id"
        raise Problem(404, "Unknown borrower", sentence, field="path.borrower_id")


# -- pages --


def _walk(path: str, query: Walk) -> str:
    """The list that a cursor belongs to: the path with all filters and the order."""
    return f"{path} {query.model_dump_json(exclude={'limit', 'cursor'})}"


def _span(path: str, query: Walk, within: tuple[int, int]) -> Span:
    """What of a list comes next."""
    after, before = within
    if query.cursor is not None:
        number = number_of(query.cursor, _walk(path, query))
        if number is None:
            sentence = "cursor: expected `next` of an answer with the same path, filters and order, got another"
            raise wrong("query.cursor", f"{sentence}; begin again without it")
        if query.order == "newest":
            before = min(before, number)
        else:
            after = max(after, number)
    return Span(after, before, query.order, query.limit)


Shown = Callable[[rows.Row], Any]


def _cut(path: str, query: Walk, found: rows.Found, shown: Shown) -> Page:
    following = cursor_of(found.rows[-1][0], _walk(path, query)) if found.has_more else None
    return Page(items=[shown(row) for row in found.rows], next=following)


def _answer(request: Request, page: Page) -> Response:
    if page.next is None:
        return _json(page)
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    url = f"{request.scope['raw_path'].decode('ascii')}?{urlencode([*asked, ('cursor', page.next)])}"
    return _json(page, {"Link": f'<{url}>; rel="next"'})


def _json(found: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(found), headers=headers, media_type="application/json")


def _body(row: rows.Row) -> msgspec.Raw:
    return msgspec.Raw(row[-1])


def _arrived(row: rows.Row) -> Arrived:
    line, date_number, refused, raw = row
    return Arrived(log_line=line, business_date=date_text(date_number), refused=refused, event=msgspec.Raw(raw))


def _made(row: rows.Row) -> Made:
    _, kind, body = row
    return Made(kind=kind, decision=msgspec.Raw(body))
