"""Walks through lists of decisions while others are made, and what a page costs."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.shells.embedded import reader as rows
from pipeline.shells.embedded.problems import Problem
from pipeline.shells.embedded.reader import EVERYTHING, Reader, Span, Wanted
from pipeline.shells.embedded.reading_routes import AlertQuery, DeadLetterQuery, TaskQuery, Walk, page_of_list
from pipeline.shells.embedded.store import Store

PATH = "/v1/alerts"
FIRST = date(2025, 3, 1)
DAYS = 4
RULES, SEVERITIES, TRANSITIONS = ("missed", "silent"), ("low", "high"), ("opened", "raised", "closed")


class Decisions:
    """A store in which only decisions stand, and a reader of it."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.store.database.execute("pragma synchronous = off")
        self.reader = Reader(folder)
        self.empty()

    def empty(self) -> None:
        with self.store.transaction() as database:
            database.execute("delete from decisions")
            database.execute("delete from decision_days")
        self.made: list[dict[str, Any]] = []
        self.day = FIRST

    def add(self, *alerts: dict[str, Any]) -> None:
        """Make alerts; each says after how many days of silence it comes."""
        with self.store.transaction() as database:
            for own in alerts:
                self.day = min(self.day + timedelta(own["after"]), FIRST + timedelta(DAYS - 1))
                alert = {"n": len(self.made) + 1, "business_date": self.day.isoformat()} | own
                day = (self.day - date(1970, 1, 1)).days
                database.execute("insert or ignore into decision_days values (?, ?)", (day, alert["n"]))
                values = [alert[name] for name in ("n", "kind", "transition", "rule", "severity", "borrower_id")]
                database.execute(
                    "insert into decisions (n, kind, detail, rule, severity, borrower_id, body) "
                    "values (?, ?, ?, ?, ?, ?, ?)",
                    (*values, json.dumps(alert).encode()),
                )
                self.made.append(alert)


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decisions]:
    found = Decisions(tmp_path_factory.mktemp("decisions"))
    yield found
    found.reader.close()
    found.store.close()


ALERT = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(("alert", "alert", "alert", "shadow")),
        "rule": st.sampled_from(RULES),
        "severity": st.sampled_from(SEVERITIES),
        "transition": st.sampled_from(TRANSITIONS),
        "borrower_id": st.sampled_from(("B1", "B2")),
        "after": st.sampled_from((0, 0, 0, 1, 2)),
    }
)
SOME = st.lists(ALERT, max_size=6)
DAY = st.none() | st.integers(-1, DAYS).map(lambda n: (FIRST + timedelta(n)).isoformat())


def several(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=2)


QUERY = st.fixed_dictionaries(
    {
        "rule": st.none() | st.sampled_from((*RULES, "unheard-of")),
        "severity": several((*SEVERITIES, "critical")),
        "transition": several(TRANSITIONS),
        "borrower_id": st.none() | st.sampled_from(("B1", "B3")),
        "from": DAY,
        "to": DAY,
        "limit": st.integers(1, 4),
        "order": st.sampled_from(("newest", "oldest")),
    }
)


def is_wanted(alert: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether a query asks for an alert, column by column."""
    return (
        alert["kind"] == "alert"
        and asked["rule"] in (None, alert["rule"])
        and asked["borrower_id"] in (None, alert["borrower_id"])
        and alert["severity"] in (asked["severity"] or SEVERITIES)
        and alert["transition"] in (asked["transition"] or TRANSITIONS)
        and (asked["from"] or "") <= alert["business_date"] <= (asked["to"] or "9")
    )


@given(st.lists(SOME, min_size=1, max_size=6), QUERY)
def test_a_walk_never_skips_or_repeats_a_decision_though_new_ones_are_made(decided, batches, asked):
    decided.empty()
    decided.add(*batches[0])
    at_first = len(decided.made)
    later = iter(batches[1:])
    walked, cursor = [], None
    while True:
        at_last = len(decided.made)
        page = page_of_list(decided.reader, PATH, AlertQuery(**asked, cursor=cursor))
        assert len(page.items) == asked["limit"] or page.next is None
        walked += [json.loads(bytes(item))["n"] for item in page.items]
        assert len(walked) <= len(decided.made)  # else it goes in a circle
        cursor = page.next
        if cursor is None:
            break
        decided.add(*next(later, ()))
    # The newest first: what was there at first. The oldest first: what was there when the last page was read.
    there = decided.made[: at_first if asked["order"] == "newest" else at_last]
    wanted = [alert["n"] for alert in there if is_wanted(alert, asked)]
    assert walked == (wanted[::-1] if asked["order"] == "newest" else wanted)


# -- cursors --


def alert_of(n: int) -> dict[str, Any]:
    own = {"kind": "alert", "rule": "missed", "severity": "low", "transition": "opened"}
    return own | {"borrower_id": f"B{n}", "after": 0}


def test_a_cursor_is_of_one_list_with_its_filters_and_order(decided):
    decided.empty()
    decided.add(*map(alert_of, range(3)))
    first = page_of_list(decided.reader, PATH, AlertQuery(limit=1, severity=["low"]))
    asked = {"cursor": first.next, "severity": ["low"]}
    assert len(page_of_list(decided.reader, PATH, AlertQuery(limit=2, **asked)).items) == 2  # another limit is fine
    others = (
        (PATH, AlertQuery(cursor=first.next)),
        (PATH, AlertQuery(order="oldest", **asked)),
        ("/v1/dead-letters", DeadLetterQuery(cursor=first.next)),
        (PATH, AlertQuery(**asked | {"cursor": first.next[:-1] + ("A" if first.next[-1] != "A" else "B")})),
    )
    for path, query in others:
        with pytest.raises(Problem, match="expected `next` of an answer with the same path"):
            page_of_list(decided.reader, path, query)


def test_a_page_has_no_more_bytes_than_fit_and_at_least_one_item(decided, monkeypatch):
    decided.empty()
    decided.add(*map(alert_of, range(5)))
    size = len(json.dumps(decided.made[0]).encode())
    for most, items in ((size * 2, 2), (1, 1)):
        monkeypatch.setattr(rows, "MOST_BYTES", most)
        page = page_of_list(decided.reader, PATH, AlertQuery())
        assert (len(page.items), page.next is None) == (items, False)


# -- what a page costs --

WANTED = [
    Wanted("alert"),
    Wanted("alert", rule="missed"),
    Wanted("alert", severities=["high"]),
    Wanted("alert", details=["raised"]),
    Wanted("alert", rule="missed", severities=["high", "low"], details=["raised"]),
    Wanted("alert", borrower_id="B1", rule="missed", severities=["high"]),
    Wanted("task"),
    Wanted("task", queue="care"),
    Wanted("task", queue="care", details=["open", "done"]),
    Wanted("task", details=["done"]),
    Wanted("dead_letter"),
    Wanted("dead_letter", details=["fault"]),
    Wanted("dead_letter", borrower_id="B1", details=["fault"]),
]


class Watched:
    """A connection that notes how the database goes about each query, and in how many steps."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.plans: list[str] = []
        self.steps = 0

    def execute(self, query: str, values: Any = ()) -> sqlite3.Cursor:
        self.plans += [row[3] for row in self.database.execute(f"explain query plan {query}", values)]
        return self.database.execute(query, values)

    def stepped(self) -> None:
        self.steps += 1


def rows_of_every_kind(size: int) -> list[tuple[Any, ...]]:
    """Rows of every kind."""
    found = []
    for n in range(1, size + 1):
        kind, detail, rule, queue, severity = (
            ("alert", "raised", "missed", None, "high"),
            ("alert", "opened", "silent", None, "low"),
            ("task", "open", None, "care", None),
            ("task", "cancelled", None, "calls", None),
            ("dead_letter", "bad_field", None, None, None),
            ("shadow", "opened", "missed", None, "high"),
        )[n % 6]
        found.append((n, kind, detail, rule, queue, severity, f"B{n}", b"{}"))
    return found


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[sqlite3.Connection]]:
    """Two databases, one forty times the other."""
    stores = []
    for size in (600, 24_000):
        store = Store(tmp_path_factory.mktemp("sizes"))
        with store.transaction() as database:
            insert = "insert into decisions (n, kind, detail, rule, queue, severity, borrower_id, body) values "
            database.executemany(f"{insert} (?, ?, ?, ?, ?, ?, ?, ?)", rows_of_every_kind(size))
        stores.append(store)
    yield [store.database for store in stores]
    for store in stores:
        store.close()


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_what_a_page_costs_does_not_grow_with_the_table(sizes, wanted, order):
    steps = []
    for database in sizes:
        watched = Watched(database)
        database.set_progress_handler(watched.stepped, 10)
        rows.decisions(watched, wanted, Span(*EVERYTHING, order, 20))
        database.set_progress_handler(None, 0)
        steps.append(watched.steps)
        looked_at = [plan for plan in watched.plans if "decisions" in plan]
        assert all(plan.startswith("SEARCH decisions") for plan in looked_at), looked_at
    #  A filter that nothing satisfies costs the same: `fault`, and a rule with a severity that it never has.
    assert 0 < steps[1] <= 1.2 * steps[0] + 10


def test_the_timeline_of_a_borrower_is_read_from_an_index(decided):
    watched = Watched(decided.store.database)
    rows.events_of(watched, "B1", Span(*EVERYTHING, "newest", 50))
    rows.of_borrower(watched, "B1", Span(*EVERYTHING, "newest", 50))
    rows.numbers_of_days(watched, 20_000, 20_001)
    assert watched.plans and all(plan.startswith("SEARCH") for plan in watched.plans), watched.plans


def test_an_answer_is_of_one_moment_though_the_engine_writes(decided):
    decided.empty()
    decided.add(alert_of(0))
    with decided.reader.snapshot() as database:
        before = rows.last_alert(database)
        decided.add(alert_of(1))  # the writer does not wait for the reader
        assert rows.last_alert(database) == before == 1
    with decided.reader.snapshot() as database:
        assert rows.last_alert(database) == 2


def test_a_reader_can_write_nothing(decided):
    with pytest.raises(sqlite3.OperationalError, match="readonly"), decided.reader.snapshot() as database:
        database.execute("delete from decisions")


def test_tasks_and_dead_letters_take_no_filter_of_alerts():
    for model in (TaskQuery, DeadLetterQuery, Walk):
        with pytest.raises(ValueError, match="severity"):
            model(severity=["low"])
