"""The OpenAPI of the engine: complete, true of its answers, and shown by a page that asks nothing of other servers."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from playwright.sync_api import Browser

from pipeline.examples import EXAMPLES
from tests.reading import Engine, after_two_months, get

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with after_two_months(tmp_path_factory.mktemp("openapi")) as started:
        yield started


@pytest.fixture(scope="module")
def openapi(engine: Engine) -> dict[str, Any]:
    found: dict[str, Any] = get(engine, "/openapi.json", {}).json()
    return found


def operations(openapi: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, own) for path, item in openapi["paths"].items() for method, own in item.items()]


def validator(openapi: dict[str, Any], name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": openapi["components"]}
    )


def test_every_path_is_told_of(openapi):
    assert sorted(openapi["paths"]) == [
        "/healthz",
        "/metrics",
        "/readyz",
        "/v1/alerts",
        "/v1/borrowers/{borrower_id}",
        "/v1/borrowers/{borrower_id}/decisions",
        "/v1/borrowers/{borrower_id}/events",
        "/v1/collection-tasks",
        "/v1/dead-letters",
        "/v1/dead-letters/replay",
        "/v1/events",
        "/v1/key",
        "/v1/shelves",
        "/v1/shelves/{bundle}",
        "/v1/shelves/{bundle}/approval",
        "/v1/shelves/{bundle}/rollback",
        "/v1/stream",
    ]
    assert (
        openapi["openapi"].startswith("3.1") and openapi["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    )


def test_every_schema_is_one_and_every_reference_leads_somewhere(openapi):
    for schema in openapi["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(openapi)
    names = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert names <= set(openapi["components"]["schemas"]) and {"ProblemDetails", "Alert", "Profile"} <= names


def test_whoever_needs_a_key_says_so_and_every_error_is_a_problem(openapi):
    for path, method, own in operations(openapi):
        is_open = path in ("/healthz", "/readyz")
        assert ("security" in own) != is_open, path
        assert own["summary"] and own["tags"], (path, method)
        for status, answer in own["responses"].items():
            if status >= "400" and path != "/readyz":  # which says the same of itself, whether it is well or not
                assert answer["content"] == {PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
        if not is_open:
            assert {"401", "403", "500"} <= set(own["responses"]), path


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/v1/alerts?limit=500", "AlertPage"),
        ("/v1/collection-tasks?limit=500", "CollectionTaskPage"),
        ("/v1/dead-letters?limit=500", "DeadLetterPage"),
        ("/v1/borrowers/B5", "Borrower"),
        ("/v1/borrowers/B5?day=open", "Borrower"),
        ("/v1/borrowers/B5/events", "EventPage"),
        ("/v1/borrowers/B5/decisions?limit=500", "DecisionPage"),
    ],
)
def test_an_answer_is_as_its_schema_says(engine, openapi, path, schema):
    validator(openapi, schema).validate(get(engine, path).json())
    short = path.partition("?")[0].replace("B5", "{borrower_id}")
    answer = openapi["paths"][short]["get"]["responses"]["200"]["content"]["application/json"]
    assert answer["schema"] == {"$ref": f"#/components/schemas/{schema}"}


def test_an_answer_that_is_otherwise_would_be_noticed(engine, openapi):
    page = get(engine, "/v1/alerts?limit=1").json()
    for wrong in ({"severity": 3}, {"transition": "ended"}):
        assert not validator(openapi, "AlertPage").is_valid(page | {"items": [page["items"][0] | wrong]})
    borrower = get(engine, "/v1/borrowers/B5").json()
    assert not validator(openapi, "Borrower").is_valid(borrower | {"profile": {}})


def test_results_and_problems_are_as_their_schemas_say(engine, openapi):
    results = engine.post(b'{"id": "half\n' + json.dumps(EXAMPLES["external.inquiry"]).encode()).json()
    validator(openapi, "Results").validate(results)
    assert [each["status"] for each in results["results"]] == ["refused", "accepted"]
    validator(openapi, "ProblemDetails").validate(get(engine, "/v1/alerts?limit=0").json())


# -- the page --


def test_the_page_renders_and_asks_nothing_of_any_other_server(engine: Engine, browser: Browser):
    page = browser.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(f"{engine.url}/docs")
    page.locator("#operations-decisions-listed_v1_alerts_get, [id*=alerts]").first.wait_for()
    text = page.inner_text("body")
    assert "/v1/borrowers/{borrower_id}" in text and "/v1/stream" in text and "Authorize" in text
    assert len(asked) > 3
    assert [url for url in asked if not url.startswith((f"{engine.url}/", "data:", "blob:"))] == []
    assert faults == []
    page.close()
