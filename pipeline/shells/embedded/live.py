"""What an engine at work looks like: a bar of progress, and the alerts it opened last."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

import httpx
from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from pipeline.shells.embedded.texts import TEXTS
from pipeline.shells.texts import Language, word

SHOWN = 8  # alerts
EVERY_SECONDS = 0.5  # the engine is asked, at most


class Board:
    """Shown while events are fed, where somebody looks; gone when they are."""

    def __init__(self, progress: Progress, lang: Language) -> None:
        self._progress = progress
        self._lang: Language = lang
        self._alerts: list[dict[str, Any]] = []
        self._task = progress.add_task(TEXTS[lang]["feeding"], total=None, visible=False)
        self._asked = 0.0

    @contextmanager
    def shown(self, events: int) -> Iterator[None]:
        """From here to there, with so many events to feed."""
        self._progress.update(self._task, total=events, visible=True)
        screen = self._progress.console
        if self._progress.disable:
            yield
            return
        with Live(get_renderable=self._whole, console=screen, transient=True, refresh_per_second=4):
            yield

    def advance(self, door: httpx.Client, lines: Sequence[bytes]) -> None:
        """So many more are answered; see now and then what came of them."""
        self._progress.advance(self._task, len(lines))
        if self._progress.disable or monotonic() - self._asked < EVERY_SECONDS:
            return
        answer = door.get("/v1/alerts", params={"transition": "opened", "limit": SHOWN})
        self._alerts = answer.raise_for_status().json()["items"]
        self._asked = monotonic()

    def _whole(self) -> Group:
        return Group(self._progress.get_renderable(), self._table())

    def _table(self) -> Table:
        texts = TEXTS[self._lang]
        table = Table(title=texts["latest"], title_justify="left", expand=True)
        for name in ("when", "severity", "borrower", "says"):
            table.add_column(texts[name], no_wrap=True)
        for alert in self._alerts:
            when, severity = alert["at"][:16].replace("T", " "), word(alert["severity"], self._lang)
            table.add_row(when, severity, alert["borrower_id"], escape(alert["say"]))
        return table
