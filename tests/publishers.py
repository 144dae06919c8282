"""People who publish rules to engines, and the rules that they publish."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.arrival_logs import COUNTS_MISSES, forewarn
from tests.engine_process import ADMIN, Engine

PUBLISHED = {"type": "shelf.published", "at": "2025-03-08T10:00:00+08:00", "author": "anna", "approver": "ben"}
MISSED = {"day": 0, "event": "repayment.missed"}
NOTHING = {"name": "nothing came", "given": [{"day": 0, "event": "account.overdrawn"}], "expect": "nothing"}


def cases(day: int) -> list[dict[str, Any]]:
    return [{"name": "one miss", "given": [MISSED], "expect": [{"day": day, "alert": "low"}]}, NOTHING]


MISSES = {"misses": COUNTS_MISSES | {"tests": cases(0)}}
SILENT = {
    "silent": {
        "per": "loan_id",
        "measure": {"quiet_for": {"days_since": "repayment.missed"}},
        "when": "quiet_for >= 5",
        "for": "0d",
        "tests": [
            {
                "name": "five days",
                "given": [MISSED, {"day": 6, "event": "account.overdrawn"}],
                "expect": [{"day": 5, "alert": "low"}],
            },
            NOTHING,
        ],
    }
}
PEOPLE = (
    "k-anna author,read person=anna\nk-ben approve,read person=ben\nk-nobody author,approve\nk-reads read person=eve\n"
)


@contextmanager
def engine_of(folder: Path, rules: Path) -> Iterator[Engine]:
    engine = Engine(folder, rules)
    keys = folder / "keys.txt"
    keys.write_text(keys.read_text() + PEOPLE)
    engine.start()
    try:
        yield engine
    finally:
        if engine.process is not None and engine.process.poll() is None:
            engine.end(signal.SIGTERM)


def as_person(name: str, *words: str | Path, url: str) -> Any:
    before = os.environ.get("FOREWARN_API_KEY")
    os.environ["FOREWARN_API_KEY"] = f"k-{name}"
    try:
        return forewarn("rules", *words, "--to", url)
    finally:
        os.environ.pop("FOREWARN_API_KEY")
        if before is not None:
            os.environ["FOREWARN_API_KEY"] = before


def bundle_in(out: str) -> str:
    return next(word for word in out.splitlines()[-1].split() if len(word) == 12)


def alerts_of(engine: Engine) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{engine.url}/v1/alerts", headers=ADMIN).json()["items"]
    return found


def opened_alerts(engine: Engine) -> list[dict[str, Any]]:
    return [each for each in alerts_of(engine) if each["transition"] == "opened"]


def log_of(engine: Engine) -> list[bytes]:
    out = engine.folder / "exported"
    assert forewarn("export", "--data", engine.folder / "data", "--out", out, "--quiet").code == 0
    return (out / "events.jsonl").read_bytes().splitlines()


def both_published(engine: Engine, *folders: Path) -> list[str]:
    hashes = []
    for each in folders:
        hashes.append(bundle_in(as_person("anna", "publish", each, "--without-past", "a test", url=engine.url).out))
        assert as_person("ben", "approve", hashes[-1], url=engine.url).code == 0
    return hashes


def put_in_force(engine: Engine) -> list[str]:
    return [found["hash"][:12] for line in log_of(engine) if "hash" in (found := json.loads(line))]
