"""Webhooks of an engine in the process of a test: its alerts, its file, and its deliveries."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from config.settings import load
from pipeline.events import CATALOGUE
from pipeline.shelf import compile_shelf
from pipeline.shells.embedded.runtime import Runtime
from pipeline.shells.embedded.standing import Ran
from pipeline.shells.embedded.webhooks.answers import Patience
from pipeline.shells.embedded.webhooks.cursors import Cursor, Cursors
from pipeline.shells.embedded.webhooks.deliveries import Deliveries
from pipeline.shells.embedded.webhooks.receivers import receivers_in
from pipeline.shells.terms import terms_of
from rules.loader import load_shelf
from tests.arrival_logs import COUNTS_MISSES, as_line, missed, shelf
from tests.receiving import SECRET

SHORT = Patience(first=0.001, cap=0.002, refused_first=0.001, refused_cap=0.002)
LONG = Patience(first=3600, cap=3600, refused_first=3600, refused_cap=3600)
QUEUES = ("care", "legal")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def alerted(*numbers: int) -> list[bytes]:
    """Events of which each opens an alert of its own loan."""
    return [as_line(missed(f"m-{n}", "2025-03-05", borrower_id=f"B{n}", loan_id=f"L{n}")) for n in numbers]


def ids(*numbers: int) -> list[str]:
    return [f"misses/L{n}/1/opened" for n in numbers]


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    task = {"task": {"queue": "care", "action": "call", "due_in": "1d"}}
    folder = shelf(tmp_path / "rules", misses=COUNTS_MISSES | {"escalate": {"high": "missed >= 2"}} | task)
    opened = Runtime(
        tmp_path / "data", compile_shelf(load_shelf([folder], CATALOGUE), terms_of(load())), ran=Ran(mark="m")
    )
    yield opened
    opened.close()


def hook(url: str, name: str = "desk", **own: Any) -> dict[str, Any]:
    return {"name": name, "url": url, "secret": {"env": "SECRET"}, "kinds": ["alert"]} | own


def write_hooks(folder: Path, *hooks: dict[str, Any]) -> Path:
    file = folder / "webhooks.yaml"
    file.write_text(json.dumps({"webhooks": hooks}))
    return file


@contextmanager
def sending(folder: Path, *hooks: dict[str, Any], patience: Patience = SHORT, **own: Any) -> Iterator[Deliveries]:
    receivers = receivers_in(write_hooks(folder, *hooks), QUEUES, {"SECRET": SECRET})
    deliveries = Deliveries(folder / "data", receivers, now_ms, patience=patience, **{"poll_seconds": 0.01} | own)
    deliveries.start()
    try:
        yield deliveries
    finally:
        deliveries.stop()


def cursor(folder: Path, said: Callable[[Cursor], bool], name: str = "desk") -> Cursor:
    """How a webhook stands, once it stands as said."""
    cursors, until = Cursors(folder / "data"), time.monotonic() + 60
    try:
        while True:
            found = cursors.of(name)
            if found is not None and said(found):
                return found
            assert time.monotonic() < until, found
            time.sleep(0.005)
    finally:
        cursors.close()
