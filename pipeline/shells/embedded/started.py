"""An engine as a process of its own, for a command that needs one for a while.

EngineError     it did not come up
"""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from pipeline.shells.embedded.client import EngineError, opened

_ADDRESS = re.compile(r"http://[\w.:\[\]-]+")
STOPS_WITHIN = 60  # seconds; what it has taken is on the disk however it ends


class Engine(NamedTuple):
    """What an engine is to run with."""

    data: Path
    rules: tuple[Path, ...] = ()  # none: the shipped ones
    config: Path | None = None


@contextmanager
def started(engine: Engine, key: str) -> Iterator[httpx.Client]:
    """An engine that is ready, and its door opened with a key; it is stopped at the end."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # else it would outlive whoever is asked to end
    process = subprocess.Popen(_command(engine), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = _ADDRESS.search(process.stdout.readline())
        if found is None:
            code = process.wait()
            raise EngineError(f"{engine.data}: expected an engine to start, got exit code {code}; it said why above")
        with opened(found[0], key=key) as door:
            door.get("/readyz").raise_for_status()
            yield door
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=STOPS_WITHIN)
        signal.signal(signal.SIGTERM, before)


def _command(engine: Engine) -> list[str]:
    rules = [word for folder in engine.rules for word in ("--rules", str(folder))]
    config = [] if engine.config is None else ["--config", str(engine.config)]
    words = ["run", "--data", str(engine.data), "--port", "0", *rules, *config]
    return [sys.executable, "-u", "-c", "from pipeline.shells.cli import main; main()", *words]
