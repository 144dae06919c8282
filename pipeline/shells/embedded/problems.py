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
from starlette.routing import compile_path

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
    409: "Not allowed as things stand; the sentence says what stands against it.",
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
        return _answer(wrong(_field(first), _sentence(first)))

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        title = HTTPStatus(error.status_code).phrase
        headers, detail = error.headers, str(error.detail)
        if error.status_code == 404:
            detail = f"path: expected one of those that /docs lists, got {shown(request.url.path)}; check it"
        elif error.status_code == 405:
            allowed = ", ".join(_methods(app, request.url.path))
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


def _methods(app: FastAPI, path: str) -> list[str]:
    """The methods that a path knows."""
    declared = (
        methods for template, methods in app.openapi()["paths"].items() if compile_path(template)[0].match(path)
    )
    found = {name.upper() for name in next(declared, {"get": None})}
    return sorted(found | {"HEAD"} if "GET" in found else found)


def _field(error: Mapping[str, Any]) -> str:
    """The parameter; which of its values is wrong, the sentence shows."""
    return ".".join(str(each) for each in error["loc"] if not isinstance(each, int))


def _sentence(error: Mapping[str, Any]) -> str:
    """What the checker of parameters found, in the words of this project."""
    place, *names = _field(error).split(".")
    name = f"{_PLACES.get(place, '')}{'.'.join(names)}"
    match error["type"]:
        case "missing":
            return f"{name}: expected a value, got none; add it"
        case "extra_forbidden":
            return f"{name}: expected a parameter that this path has, got another; /docs lists them"
        case _:
            return f"{name}: expected {_expected(error)}, got {shown(error.get('input'))}; correct it"


_WORDS = {
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "string_pattern_mismatch": "text that matches {pattern}",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "too_long": "at most {max_length} values",
    "literal_error": "{expected}",
    "value_error": "{error}",
}


def _expected(error: Mapping[str, Any]) -> str:
    words = _WORDS.get(error["type"])
    return str(error["msg"]) if words is None else words.format_map(error.get("ctx", {}))


def shown(value: Any) -> str:
    """A wrong value as a sentence repeats it: quoted, and no longer than is needed to see it."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if len(value) == 1 else ", ".join(map(str, value))
    text = str(value)
    return json.dumps(text if len(text) <= SHOWN else text[:SHOWN] + "…", ensure_ascii=True)
