"""An embedded engine as a process of its own, as its users meet it: started, asked over HTTP, killed, exported."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from pipeline.shells.embedded.records import LOG
from tests.arrival_logs import forewarn, written

KEY = "a-key-of-the-tests"
ADMIN = {"Authorization": f"Bearer {KEY}"}
COMPARED = (
    "alerts.jsonl",
    "shadow.jsonl",
    "collection-tasks.jsonl",
    "dead-letters.jsonl",
    "profiles.jsonl",
    "months.jsonl",
    "queues.jsonl",
)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Engine:
    """A process of `forewarn run` on a data directory."""

    def __init__(self, folder: Path, rules: Path, *own: str | Path, code: str = "") -> None:
        self.folder, self.rules, self.port, self.own = folder, rules, free_port(), own
        self.code = f"{code}\nfrom pipeline.shells.cli import main; main()"
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "keys.txt").write_text(f"{KEY} admin person=tess\nreads read\nsends ingest\nold admin 2020-01-01\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, named: bool = True) -> None:
        """Start it, its rules named or not: what was published is not."""
        words = ["run", "--data", self.folder / "data", "--port", self.port, "--quiet"]
        words += ["--rules", self.rules] if named else []
        words += ["--api-key-file", self.folder / "keys.txt", "--memory-mb", 1, *self.own]
        self.process = subprocess.Popen([sys.executable, "-c", self.code, *map(str, words)])
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                assert self.process.poll() is None, "the engine ended by itself"
                time.sleep(0.02)
        raise AssertionError("the engine was not ready within a minute")

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def post(self, body: bytes, headers: dict[str, str] = ADMIN, **own: str) -> httpx.Response:
        sent = {"Content-Type": "application/x-ndjson"} | headers | own
        return httpx.post(f"{self.url}/v1/events", content=body, headers=sent, timeout=60)

    def export(self) -> dict[str, bytes]:
        out = self.folder / "out"
        ran = forewarn("export", "--data", self.folder / "data", "--out", out, "--quiet")
        assert (ran.code, ran.err) == (0, "")
        return {name: (out / name).read_bytes() for name in COMPARED}


@contextmanager
def running(folder: Path, rules: Path, *own: str | Path, code: str = "") -> Iterator[Engine]:
    engine = Engine(folder, rules, *own, code=code)
    engine.start()
    try:
        yield engine
    finally:
        if engine.process is not None and engine.process.poll() is None:
            engine.end(signal.SIGTERM)


def told(event_id: str, **own: Any) -> bytes:
    record = {"id": event_id, "source": "core", "type": "external.inquiry", "at": "2025-03-05T09:00:00+08:00"}
    return json.dumps(record | {"borrower_id": "B1"} | own).encode()


def replayed(folder: Path, rules: Path, lines: list[bytes]) -> dict[str, bytes]:
    log = written(folder / LOG, *lines)
    assert forewarn("replay", log, "--rules", rules, "--out", folder / "replayed", "--quiet").code == 0
    return {name: (folder / "replayed" / name).read_bytes() for name in COMPARED}
