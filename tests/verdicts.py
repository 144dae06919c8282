"""Folders as a replay writes them, told in a few words, for the tests of the verdict."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

FIRST, LAST = date(2024, 1, 1), date(2025, 12, 31)


class Life(NamedTuple):
    """One episode: who, which rule, from when, how severe, until when."""

    borrower: str
    rule: str
    opened: str
    severity: str = "high"
    closed: str | None = None
    n: int = 1
    time: str = "23:59:59.999"
    key: str = ""  # the borrower when empty

    @property
    def episode(self) -> str:
        return f"{self.rule}/{self.key or self.borrower}/{self.n}"


def alert_lines(lives: list[Life]) -> list[dict[str, Any]]:
    lines = []
    for life in lives:
        for transition, on in (("opened", life.opened), ("closed", life.closed)):
            if on is not None:
                line = {
                    "id": f"{life.episode}/{transition}",
                    "episode": life.episode,
                    "rule": life.rule,
                    "borrower_id": life.borrower,
                    "transition": transition,
                    "severity": life.severity,
                    "at": f"{on}T{life.time}+08:00",
                    "business_date": on,
                    "evidence": {"missed": {"value": 2}},
                }
                lines.append(line)
    return lines


def profile_line(borrower: str, backstop: str | None = "never", defaulted: str | None = None) -> dict[str, Any]:
    return {"borrower_id": borrower, "loans": [{"loan_id": "L", "defaulted_on": defaulted}], "backstop_on": backstop}


def task_line(n: int, borrower: str, *episodes: str, revision: int = 1) -> dict[str, Any]:
    return {"id": f"care/{borrower}/{n}", "revision": revision, "borrower_id": borrower, "alerts": list(episodes)}


def replay_folder(
    folder: Path,
    lives: list[Life],
    profiles: list[dict[str, Any]],
    tasks: list[dict[str, Any]] | None = None,
    *,
    first: date = FIRST,
    last: date = LAST,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    summary = {"shelf": "9c1e", "first_day": str(first), "as_of": str(last), "days_closed": (last - first).days + 1}
    (folder / "summary.json").write_text(json.dumps(summary))
    for name, lines in (("alerts", alert_lines(lives)), ("profiles", profiles), ("collection-tasks", tasks or [])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def truth_file(file: Path, *rows: str, header: str = "borrower_id,cause,began_on,defaulted_on") -> Path:
    file.write_text("".join(f"{row}\n" for row in (header, *rows)))
    return file


def after(days: int) -> str:
    """The date so many days after the first."""
    return str(FIRST + timedelta(days=days))
