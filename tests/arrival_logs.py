"""Arrival logs as a bank's systems write them, and runs of the command over them."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

from pipeline.shells.cli import app

SHELF = Path(__file__).parent / "shelf"
Told = dict[str, Any]
RULE: Told = {
    "title": "A rule of a test",
    "status": "live",
    "owner": "tests",
    "since": "2025-01-01",
    "why": "It shows what the engine does.",
    "basis": {"when": "policy"},
    "severity": "low",
    "say": "it holds",
    "guide": ["Read the test."],
    "false_alarms": ["None that matters."],
    "blind_spots": ["All of the world outside the test."],
    "tests": [{"name": "nothing", "given": [{"day": 0, "event": "repayment.missed"}], "expect": "nothing"}],
}


def told(event_id: str, event_type: str, at: str, /, **own: Any) -> Told:
    """An event of borrower B17 from the core; a date alone is nine in the morning there."""
    at = at if "T" in at else f"{at}T09:00:00+08:00"
    return {"id": event_id, "source": "core", "type": event_type, "at": at, "borrower_id": "B17"} | own


def due(event_id: str, on: str, /, **own: Any) -> Told:
    """An instalment of loan L4 over 1,200.00 that is told on its due date, at midnight."""
    fields = {"loan_id": "L4", "instalment": 3, "due_on": on, "amount_minor": 120_000, "currency": "CNY"}
    return told(event_id, "repayment.due", f"{on}T00:00:00+08:00", **fields | own)


def paid(event_id: str, at: str, /, **own: Any) -> Told:
    """A payment of 1,200.00 for loan L4."""
    return told(event_id, "repayment.received", at, **{"loan_id": "L4", "amount_minor": 120_000} | own)


def missed(event_id: str, at: str, /, **own: Any) -> Told:
    """A miss of loan L4 that the core tells of."""
    return told(event_id, "repayment.missed", at, **{"loan_id": "L4"} | own)


def day_ended(date: str, **feeds: str) -> Told:
    """A business day is over."""
    return {"type": "day.ended", "date": date} | ({"feeds": feeds} if feeds else {})


def as_line(record: Told | bytes) -> bytes:
    """A record as it stands in a file; bytes stand there as they are."""
    return record if isinstance(record, bytes) else json.dumps(record, separators=(",", ":")).encode()


def written(file: Path, *records: Told | bytes) -> Path:
    """A file of these records."""
    file.write_bytes(b"".join(as_line(record) + b"\n" for record in records))
    return file


def shelf(folder: Path, **rules: Told) -> Path:
    """A folder of rule files; every field that a rule does not name is that of RULE."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, own in rules.items():
        name = name.replace("_", "-")
        (folder / f"{name}.yaml").write_text(json.dumps({"rule": name} | RULE | own, ensure_ascii=False), "utf-8")
    return folder


COUNTS_MISSES: Told = {
    "per": "loan_id",
    "measure": {"missed": {"count": "repayment.missed", "over": "60d"}},
    "when": "missed >= 1",
    "say": "{missed} missed",
}


class Ran(NamedTuple):
    """What a command said and left behind."""

    code: int
    out: str
    err: str
    folder: Path

    def lines(self, name: str) -> list[bytes]:
        return (self.folder / name).read_bytes().splitlines()

    def records(self, name: str) -> list[Any]:
        return [json.loads(line) for line in self.lines(name)]

    @property
    def alerts(self) -> list[str]:
        return [alert["id"] for alert in self.records("alerts.jsonl")]

    @property
    def reasons(self) -> list[str]:
        return [letter["reason"] for letter in self.records("dead-letters.jsonl")]

    @property
    def closes(self) -> list[str]:
        return [entry["closed"] for entry in self.records("order.jsonl") if "closed" in entry]

    @property
    def summary(self) -> Told:
        found: Told = json.loads((self.folder / "summary.json").read_bytes())
        return found


def forewarn(*words: str | Path, folder: Path = Path()) -> Ran:
    """Run the command in this process; an exception that it lets through fails the test."""
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    print(result.stderr)  # pytest shows it where a test fails
    return Ran(result.exit_code, result.stdout, result.stderr, folder)


def replayed(*files: Path, rules: Path = SHELF, out: str = "out", config: Path | None = None) -> Ran:
    """Replay files into a folder beside the first of them."""
    folder = files[0].parent / out
    words: list[str | Path] = ["replay", *files, "--rules", rules, "--out", folder, "--quiet"]
    return forewarn(*words, *([] if config is None else ["--config", config]), folder=folder)


def replayed_records(tmp_path: Path, *records: Told | bytes, rules: Path = SHELF, out: str = "out") -> Ran:
    """Replay one file of these records."""
    return replayed(written(tmp_path / f"{out}.jsonl", *records), rules=rules, out=out)
