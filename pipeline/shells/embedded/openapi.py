"""The OpenAPI of the engine, and its page at /docs, which asks nothing of any other server."""

from importlib.metadata import version
from importlib.resources import files
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from pipeline.events import TYPES
from pipeline.schema import asyncapi
from pipeline.shells.embedded.problems import ProblemDetails
from pipeline.shells.embedded.shapes import Arrived, Borrower, Made, Profile, Results

STATIC = "/docs/static"
_REFERENCE = "#/components/schemas/"
_DECISIONS = ("Alert", "CollectionTask", "DeadLetter", "Disagreement", "ConnectedWarned")
_TAGS = [
    {"name": "events", "description": "events in"},
    {"name": "decisions", "description": "what the engine says"},
    {"name": "borrowers", "description": "what it knows of a borrower"},
    {"name": "rules", "description": "shelves that two persons publish"},
    {"name": "health", "description": "whether it is well"},
]
_ABOUT = (
    "Amounts that end in `_minor` are integers of minor units; dates are "
    "local dates of the bank. Send a key as `Authorization: Bearer KEY`. Every error is a problem of RFC 9457."
)


def describe(app: FastAPI) -> None:
    """Give an application its OpenAPI and the page that shows it."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(
                title="Forewarn",
                version=version("forewarn"),
                summary="Early warning for loans after disbursement.",
                description=_ABOUT,
                routes=app.routes,
                tags=_TAGS,
            )
            found["components"]["schemas"] = schemas() | found["components"].get("schemas", {})
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    # Swagger UI as it comes in a wheel: a bank's network may know no other server.
    app.mount(STATIC, StaticFiles(directory=str(files("fastapi_offline") / "static")), name="docs-static")

    @app.api_route("/docs", methods=["GET", "HEAD"], include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title="Forewarn",
            swagger_js_url=f"{STATIC}/swagger-ui-bundle.js",
            swagger_css_url=f"{STATIC}/swagger-ui.css",
            swagger_favicon_url=f"{STATIC}/favicon.png",
        )


def schemas() -> dict[str, Any]:
    """Every schema: of events and decisions by the core, of what is around them by this shell."""
    core: dict[str, Any] = asyncapi()["components"]["schemas"]
    _, own = msgspec.json.schema_components(
        (ProblemDetails, Results, Arrived, Made, Borrower, Profile), ref_template=_REFERENCE + "{name}"
    )
    page = own.pop("Page")
    own |= {f"{name}Page": _page(page, name) for name in ("Alert", "CollectionTask", "DeadLetter")}
    own |= {"EventPage": _page(page, "Arrived"), "DecisionPage": _page(page, "Made")}
    own["Event"] = {"description": "An event.", "anyOf": [_to(each.__name__) for each in TYPES]}
    own["Disagreement"] = {"description": "A snapshot that differs from the ledger.", "type": "object"}
    own["Arrived"]["properties"]["event"] = {"type": "object", "description": "the event as it came"}
    own["Made"]["properties"]["decision"] = {"anyOf": [_to(name) for name in _DECISIONS]}
    own["Borrower"]["properties"] |= {
        "profile": {"anyOf": [_to("Profile"), {"type": "null"}]},
        "events": _to("EventPage"),
        "decisions": _to("DecisionPage"),
    }
    return core | own


def _to(name: str) -> dict[str, str]:
    return {"$ref": _REFERENCE + name}


def _page(page: dict[str, Any], item: str) -> dict[str, Any]:
    properties = page["properties"] | {"items": {"type": "array", "items": _to(item)}}
    return page | {"title": f"{item}Page", "properties": properties}
