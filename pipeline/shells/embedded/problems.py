"""Errors as answers of RFC 9457: one sentence of what was expected, what came and what to do, and the field.

Problem     an answer that is no success
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

MEDIA_TYPE = "application/problem+json"
SHOWN = 60  # characters of a wrong value that a sentence repeats
_PLACES = {"query": "", "path": "", "header": "header ", "body": "body "}


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong."""

    title: str
    status: int
    detail: str  # one sentence
    field: str | None = None  # the parameter that is wrong, such as query.limit


class Problem(Exception):
    """An answer that is no success."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.details = ProblemDetails(title=title, status=status, detail=detail, field=field)
        self.headers = headers


# What each status means here; `declared` puts them into the description of a route.
MEANINGS = {
    400: "The body cannot be read.",
    401: "No key, or one that is unknown or has expired.",
    403: "The key lacks the scope.",
    404: "There is no such thing.",
    408: "The body took too long.",
    413: "The body is too long.",
    415: "The body is packed in an unknown way.",
    422: "A parameter is wrong; `field` says which.",
    429: "Too much waits already; Retry-After says when to come again.",
    500: "The engine failed on this request; nothing of it was kept.",
    503: "Too many listen already; Retry-After says when to come again.",
    507: "The disk took nothing; nothing of this request was kept.",
}
Answers = dict[int | str, dict[str, Any]]
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "how to ask: Bearer"}},
    429: {"Retry-After": {"schema": {"type": "string"}, "description": "seconds"}},
    503: {"Retry-After": {"schema": {"type": "string"}, "description": "seconds"}},
}


def declared(answers: Answers, *statuses: int) -> Answers:
    """The answers of a route: its good ones, and errors."""
    schema = {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}
    return answers | {
        status: {
            "description": MEANINGS[status],
            "content": {MEDIA_TYPE: {"schema": schema}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
        for status in statuses
    }


def wrong(field: str, detail: str) -> Problem:
    """A parameter that cannot be used; `field` is its place and name, such as query.cursor."""
    return Problem(422, "Unusable parameter", detail, field=field)


def handle_problems(app: FastAPI) -> None:
    """Answer every error as a problem, those of the framework too."""

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return _answer(error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        return _answer(wrong(".".join(map(str, first["loc"])), _sentence(first)))

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        title = HTTPStatus(error.status_code).phrase
        headers, detail = error.headers, str(error.detail)
        if error.status_code == 404:
            detail = f"path: expected one of those that /docs lists, got {shown(request.url.path)}; check it"
        elif error.status_code == 405:
            allowed = ", ".join(_methods(app, request))
            headers = {"Allow": allowed}
            detail = f"method: expected one of {allowed} for this path, got {shown(request.method)}; use that"
        return _answer(Problem(error.status_code, title, detail, headers=headers))

    async def failed(request: Request, error: Exception) -> Response:
        sentence = f"the engine failed on this request ({type(error).__name__}); its log says more: report it"
        return _answer(Problem(500, "Fault", sentence))

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(Exception, failed)


def _answer(problem: Problem) -> Response:
    body = msgspec.json.encode(problem.details)
    return Response(body, problem.details.status, problem.headers, media_type=MEDIA_TYPE)


def _methods(app: FastAPI, request: Request) -> list[str]:
    """The methods that a path knows, over all its routes."""
    found: set[str] = set()
    for route in app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return sorted(found)


def _sentence(error: Mapping[str, Any]) -> str:
    """What the checker of parameters found, in the words of this project."""
    place, *names = error["loc"]
    name = f"{_PLACES.get(str(place), '')}{'.'.join(map(str, names))}"
    match error["type"]:
        case "missing":
            return f"{name}: expected a value, got none; add it"
        case "extra_forbidden":
            return f"{name}: expected a parameter that this path has, got another; /docs lists them"
        case _:
            words = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
            words = words[:1].lower() + words[1:]
            return f"{name}: expected {_plain(words)}, got {shown(error.get('input'))}; correct it"


def _plain(words: str) -> str:
    for theirs, ours in (("string should match pattern", "text that matches"), ("string should have", "text of")):
        words = words.replace(theirs, ours)
    return words


def shown(value: Any) -> str:
    """A wrong value as a sentence repeats it: quoted, and no longer than is needed to see it."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if len(value) == 1 else ", ".join(map(str, value))
    text = str(value)
    return json.dumps(text if len(text) <= SHOWN else text[:SHOWN] + "…", ensure_ascii=True)
