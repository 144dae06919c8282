"""An inbox, the engine that it feeds, and the looks that a thread would take at it."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from config.settings import load
from pipeline.events import CATALOGUE
from pipeline.shelf import compile_shelf
from pipeline.shells.embedded.inbox import Inbox
from pipeline.shells.embedded.runtime import Batch, Runtime
from pipeline.shells.embedded.services import Repeated
from pipeline.shells.embedded.standing import Ran
from pipeline.shells.embedded.store import FILE
from pipeline.shells.embedded.worker import Worker
from pipeline.shells.terms import terms_of
from rules.loader import load_shelf
from tests.arrival_logs import COUNTS_MISSES, shelf
from tests.engine_process import told

Took = "Future[list[Outcome]]"


class Box:
    """An inbox, the engine that it feeds, and the looks that a thread would take."""

    def __init__(self, folder: Path) -> None:
        compiled = compile_shelf(
            load_shelf([shelf(folder / "rules", misses=COUNTS_MISSES)], CATALOGUE), terms_of(load())
        )
        self.runtime = Runtime(folder / "data", compiled, ran=Ran(mark="the same"))
        self.worker = Worker(self.runtime)
        self.worker.start()
        self.folder = folder / "inbox"
        self.folder.mkdir()
        self.paused: list[float] = []
        self.submit: Callable[[Batch], Took] = self.worker.submit
        self.open()

    def open(self) -> None:
        self.inbox = Inbox(self.folder, lambda batch: self.submit(batch))
        self.life = Repeated("inbox", self.inbox.look, every_seconds=1)
        self.life.pause = self.paused.append  # type: ignore[method-assign]

    def reopen(self) -> None:
        self.inbox.close()
        self.open()

    def drop(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    def look(self, times: int = 2) -> None:
        """Twice, to see that a file is at rest."""
        for _ in range(times):
            self.inbox.look(self.life)

    def named(self, folder: str) -> list[str]:
        return sorted(each.name for each in (self.folder / folder).iterdir())

    def said(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")

    def logged(self) -> list[bytes]:
        return [raw for (raw,) in self.rows("select raw from arrivals order by n")]

    def alerts(self) -> int:
        found: int = self.rows("select count(*) from decisions where kind = 'alert'")[0][0]
        return found

    def rows(self, query: str) -> list[tuple]:
        with closing(sqlite3.connect(self.runtime.store.folder / FILE)) as database:
            return database.execute(query).fetchall()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    found = Box(tmp_path)
    yield found
    found.inbox.close()
    found.worker.stop()
    found.runtime.close()


def lines(*ids: str) -> bytes:
    return b"".join(told(each) + b"\n" for each in ids)


def wait_for(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < until, "not within two minutes"
        time.sleep(0.002)
