"""What is read from a running engine: the decisions of its export, filtered, page by page."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from pipeline.shells.embedded.records import LOG
from tests.engine_process import told
from tests.reading import LINES, Engine, after_two_months, get, stored, walked

ROUTES = ("/v1/alerts", "/v1/collection-tasks", "/v1/dead-letters", "/v1/borrowers/B3", "/metrics")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with after_two_months(tmp_path_factory.mktemp("reading")) as started:
        yield started


@pytest.fixture(scope="module")
def files(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """The lines of an export."""
    return {name: [json.loads(line) for line in text.splitlines()] for name, text in engine.export().items()}


# -- lists --


@pytest.mark.parametrize(
    ("asked", "is_wanted"),
    [
        ("", lambda a: True),
        ("rule=missed-twice", lambda a: a["rule"] == "missed-twice"),
        ("severity=critical", lambda a: a["severity"] == "critical"),
        ("severity=low&severity=critical", lambda a: a["severity"] in ("low", "critical")),
        ("transition=raised", lambda a: a["transition"] == "raised"),
        ("borrower_id=B3", lambda a: a["borrower_id"] == "B3"),
        ("borrower_id=B3&transition=closed", lambda a: (a["borrower_id"], a["transition"]) == ("B3", "closed")),
        ("from=2025-01-20&to=2025-01-22", lambda a: "2025-01-20" <= a["business_date"] <= "2025-01-22"),
        ("rule=spends&to=2025-02-01", lambda a: a["rule"] == "spends" and a["business_date"] <= "2025-02-01"),
        ("rule=nobody-wrote-it", lambda a: False),
        ("from=2025-02-01&to=2025-01-01", lambda a: False),
    ],
)
def test_alerts_are_those_of_the_export_that_are_asked_for(engine, files, asked, is_wanted):
    wanted = [alert for alert in files["alerts.jsonl"] if is_wanted(alert)]
    assert walked(engine, f"/v1/alerts?order=oldest&limit=7&{asked}") == wanted
    assert walked(engine, f"/v1/alerts?limit=50&{asked}") == wanted[::-1]
    assert wanted or "nobody" in asked or "from=2025-02-01" in asked


@pytest.mark.parametrize(
    ("asked", "is_wanted"),
    [
        ("", lambda t: True),
        ("queue=care", lambda t: t["queue"] == "care"),
        ("status=done&status=cancelled", lambda t: t["status"] in ("done", "cancelled")),
        ("queue=early-collections&status=open", lambda t: (t["queue"], t["status"]) == ("early-collections", "open")),
        ("borrower_id=B3&queue=care", lambda t: (t["borrower_id"], t["queue"]) == ("B3", "care")),
    ],
)
def test_tasks_are_those_of_the_export_that_are_asked_for(engine, files, asked, is_wanted):
    wanted = [task for task in files["collection-tasks.jsonl"] if is_wanted(task)]
    assert wanted and walked(engine, f"/v1/collection-tasks?order=oldest&limit=9&{asked}") == wanted


def test_the_day_of_a_task_is_the_day_on_which_it_was_decided(engine, files):
    #  A task is asked for by an alert that moves on the same day, but where an officer did something.
    day = "2025-01-20"
    tasks = walked(engine, f"/v1/collection-tasks?order=oldest&from={day}&to={day}")
    moved = {a["episode"] for a in files["alerts.jsonl"] if a["business_date"] == day}
    assert tasks and all(set(task["alerts"]) & moved or task["status"] in ("done", "cancelled") for task in tasks)


def test_dead_letters_are_those_of_the_export_that_are_asked_for(engine, files):
    letters = files["dead-letters.jsonl"]
    assert walked(engine, "/v1/dead-letters?order=oldest&limit=3") == letters
    for reason in ("not_json", "unmatched_reversal"):
        wanted = [letter for letter in letters if letter["reason"] == reason]
        assert wanted and walked(engine, f"/v1/dead-letters?order=oldest&reason={reason}&limit=2") == wanted
    of_b3 = [each for each in letters if each["reason"] == "unmatched_reversal" and '"B3"' in each["bytes"]]
    assert of_b3 and walked(engine, "/v1/dead-letters?borrower_id=B3") == of_b3[::-1]


def test_an_item_has_the_bytes_of_the_decision(engine):
    raw = engine.export()["alerts.jsonl"].splitlines()
    answer = get(engine, "/v1/alerts?order=oldest&limit=2")
    assert answer.content.startswith(b'{"items":[' + raw[0] + b"," + raw[1] + b"]")


# -- borrowers --


def test_the_profile_of_a_borrower_is_that_of_the_last_close(engine, files):
    for profile in files["profiles.jsonl"]:
        found = get(engine, f"/v1/borrowers/{profile['borrower_id']}").json()
        assert (found["day"], found["profile"]) == ("closed", profile)
    assert len(files["profiles.jsonl"]) == 12


def test_the_open_day_is_shown_when_it_is_asked_for(engine):
    assert engine.post(told("late-1", at="2025-03-02T09:00:00+08:00", borrower_id="B77")).json()["accepted"] == 1
    closed = get(engine, "/v1/borrowers/B77").json()
    assert closed["profile"] is None and [item["event"]["id"] for item in closed["events"]["items"]] == ["late-1"]
    opened = get(engine, "/v1/borrowers/B77?day=open").json()
    assert (opened["day"], opened["profile"]["as_of"]) == ("open", "2025-03-02")


def test_the_timeline_of_a_borrower_is_its_lines_of_the_log(engine):
    mine = []
    for number, raw in enumerate(LINES, 1):
        if b'"borrower_id": "B3"' in raw or b'"borrower_id":"B3"' in raw:
            mine.append((number, json.loads(raw)))
    found = walked(engine, "/v1/borrowers/B3/events?order=oldest&limit=11")
    assert mine and [(item["log_line"], item["event"]) for item in found] == mine
    day = [item for item in found if "2025-01-20" <= item["business_date"] <= "2025-01-25"]
    assert day and walked(engine, "/v1/borrowers/B3/events?order=oldest&from=2025-01-20&to=2025-01-25") == day


def test_a_line_of_the_timeline_says_that_it_was_refused_even_when_that_came_days_later(engine, files):
    refused = {
        letter["source"]["line"]: letter["reason"]
        for letter in files["dead-letters.jsonl"]
        if letter["source"]["file"] == LOG and '"borrower_id":"B3"' in letter["bytes"].replace(": ", ":")
    }
    found = {e["log_line"]: e["refused"] for e in walked(engine, "/v1/borrowers/B3/events") if e["refused"]}
    assert refused and found == refused


def test_decisions_about_a_borrower_are_its_alerts_and_tasks_in_the_order_they_were_made(engine, files):
    found = walked(engine, "/v1/borrowers/B3/decisions?order=oldest&limit=3")
    for kind, name in (("alert", "alerts.jsonl"), ("task", "collection-tasks.jsonl")):
        mine = [each for each in files[name] if each["borrower_id"] == "B3"]
        assert mine and [item["decision"] for item in found if item["kind"] == kind] == mine
    assert not [item for item in found if item["kind"] == "shadow"]


def test_what_comes_with_a_borrower_goes_on_where_its_cursor_says(engine):
    first = get(engine, "/v1/borrowers/B3").json()
    for name in ("events", "decisions"):
        everything = walked(engine, f"/v1/borrowers/B3/{name}")
        seen = first[name]["items"]
        assert seen == everything[:20]
        if first[name]["next"]:
            rest = walked(engine, f"/v1/borrowers/B3/{name}?cursor={first[name]['next']}")
            assert seen + rest == everything


def test_an_id_may_be_written_in_percents_and_a_strange_one_is_refused(engine):
    strange = "a:b.c_d-e"
    assert engine.post(told("strange-1", borrower_id=strange)).json()["accepted"] == 1
    assert get(engine, "/v1/borrowers/a%3Ab%2Ec_d-e").json()["borrower_id"] == strange
    answer = get(engine, "/v1/borrowers/a%3Ab%2Ec_d-e/events?limit=1")
    assert answer.json()["items"][0]["event"]["id"] == "strange-1"


# -- what cannot be answered --


@pytest.mark.parametrize(
    ("path", "status", "field", "said"),
    [
        ("/v1/alerts?limit=0", 422, "query.limit", 'limit: expected at least 1, got "0"; correct it'),
        ("/v1/alerts?limit=-1", 422, "query.limit", "at least 1"),
        ("/v1/alerts?limit=1000000000", 422, "query.limit", "at most 500"),
        ("/v1/alerts?limit=ten", 422, "query.limit", 'a whole number, got "ten"'),
        ("/v1/alerts?limit=" + "9" * 5_000, 422, "query.limit", "expected"),
        ("/v1/alerts?from=2025-02-30", 422, "query.from", "a date such as 2025-03-05 that the calendar has"),
        ("/v1/alerts?to=1741132800", 422, "query.to", "a date such as"),
        ("/v1/alerts?to=2025-03-05T00:00:00", 422, "query.to", "a date such as"),
        ("/v1/alerts?cursor=forged", 422, "query.cursor", "expected `next` of an answer"),
        ("/v1/alerts?cursor=%00%C3%A9", 422, "query.cursor", "expected `next` of an answer"),
        ("/v1/alerts?severity=hi", 422, "query.severity", "'low', 'medium', 'high' or 'critical', got \"hi\""),
        ("/v1/alerts?ruel=missed", 422, "query.ruel", "/docs lists them"),
        ("/v1/alerts?borrower_id=a%00b", 422, "query.borrower_id", "text that matches"),
        ("/v1/alerts?borrower_id=" + "B" * 5_000, 422, "query.borrower_id", "at most 64 characters"),
        ("/v1/borrowers/" + "B" * 5_000, 422, "path.borrower_id", "at most 64 characters"),
        ("/v1/borrowers/%E4%BD%A0", 422, "path.borrower_id", "text that matches"),
        ("/v1/borrowers/nobody", 404, "path.borrower_id", "expected a borrower of whom an event came"),
        ("/v1/borrowers/nobody/events", 404, "path.borrower_id", "expected a borrower of whom an event came"),
        ("/v1/borrowers/B%2F3", 404, None, "expected one of those that /docs lists"),
        ("/v1/alert", 404, None, "expected one of those that /docs lists"),
        ("/v1/stream?severity=none", 422, "query.severity", "'critical'"),
    ],
)
def test_what_cannot_be_answered_is_a_problem_in_one_sentence(engine, path, status, field, said):
    answer = get(engine, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["status"], problem.get("field")) == (status, field)
    assert said in problem["detail"] and "\n" not in problem["detail"] and len(problem["detail"]) < 300


@pytest.mark.parametrize("path", [*ROUTES, "/v1/stream", "/v1/borrowers/B3/events"])
def test_only_a_key_with_scope_read_reads(engine, path):
    sends = get(engine, path, {"Authorization": "Bearer sends"})
    assert sends.status_code == 403 and "scope read, got ingest" in sends.json()["detail"]
    nobody = get(engine, path, {})
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("path", [*ROUTES, "/v1/stream", "/healthz", "/readyz", "/docs", "/openapi.json"])
def test_head_answers_as_get_does_without_a_body(engine, path):
    answer = get(engine, path, method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "DELETE", "TRACE"])
@pytest.mark.parametrize("path", [*ROUTES, "/v1/stream", "/healthz"])
def test_another_method_is_refused_with_those_that_are_allowed(engine, path, method):
    answer = get(engine, path, method=method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert "expected one of GET, HEAD" in answer.json()["detail"]
    assert get(engine, "/v1/events").headers["allow"] == "POST"


# -- what the store keeps for its readers --


def test_tallies_are_what_counting_would_give(engine):
    counted = stored(
        engine,
        "select kind, coalesce(rule, ''), coalesce(queue, ''), coalesce(severity, ''), detail, count(*) "
        "from decisions group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5",
    )
    kept = stored(
        engine,
        "select kind, rule, queue, severity, detail, number from tallies "
        "where kind not in ('arrival', 'borrower') order by 1, 2, 3, 4, 5",
    )
    assert kept == counted and len(kept) > 20
    [(taken,)] = stored(engine, "select sum(number) from tallies where kind = 'arrival'")
    [(lines,)] = stored(engine, "select count(*) from arrivals")
    [(known,)] = stored(engine, "select number from tallies where kind = 'borrower'")
    [(borrowers,)] = stored(engine, "select count(*) from heads")
    assert (taken, known) == (lines, borrowers)


def test_the_day_of_a_decision_is_the_business_date_of_its_alert(engine):
    firsts = stored(engine, "select date, first from decision_days order by date")
    assert [first for _, first in firsts] == sorted(first for _, first in firsts)
    for n, body in stored(engine, "select n, body from decisions where kind in ('alert', 'shadow')"):
        day = max(day for day, first in firsts if first <= n)
        told_on = date.fromisoformat(json.loads(body)["business_date"])
        assert (told_on - date(1970, 1, 1)).days == day
