"""A running engine with two months of traffic behind it, for the tests of what is read from it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from pipeline.shells.embedded.store import FILE
from tests.arrival_logs import shelf
from tests.arrival_traffic import arrival_log, rules
from tests.engine_process import ADMIN, Engine, running

READS = {"Authorization": "Bearer reads"}
LINES = arrival_log(3, with_day_ended=True)


@contextmanager
def after_two_months(folder: Path) -> Iterator[Engine]:
    """An engine that took the traffic; its last day but for one line is closed."""
    with running(folder, shelf(folder / "rules", **rules())) as engine:
        for at in range(0, len(LINES), 500):
            assert engine.post(b"\n".join(LINES[at : at + 500])).status_code == 202
        yield engine


def get(engine: Engine, path: str, headers: dict[str, str] = READS, method: str = "GET") -> httpx.Response:
    return httpx.request(method, f"{engine.url}{path}", headers=headers, timeout=60)


def walked(engine: Engine, path: str) -> list[dict[str, Any]]:
    """Every item of a list, page after page by the Link header."""
    found: list[dict[str, Any]] = []
    while path:
        answer = get(engine, path)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        link = answer.headers.get("Link")
        assert (link is None) == (answer.json()["next"] is None)
        path = "" if link is None else link.removeprefix("<").removesuffix('>; rel="next"')
    return found


def stored(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    """Rows of the engine's database, read beside it."""
    file = (engine.folder / "data" / FILE).as_uri()
    database = sqlite3.connect(f"{file}?mode=ro", uri=True)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


__all__ = ["ADMIN", "LINES", "READS", "Engine", "after_two_months", "get", "stored", "walked"]
