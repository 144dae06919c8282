"""Writes the tables of docs/how-early.md from the figures of three benchmarks; the text between is written by hand."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "how-early.md"
RESULTS = ROOT / "benchmarks" / "results"
FIGURES = ROOT / "docs" / "rules" / "figures.json"
CAUSES = {
    "illness": "illness",
    "customer_loss": "loss of the main customer",
    "over_indebtedness": "over-indebtedness",
    "job_loss": "job loss",
}
SHELVES = {
    "shipped": "the shipped shelf",
    "all": "thresholds set again on seed 1",
    "before": "before this page: early arrears beside worse alerts, missing pay runs told",
    "quiet-60": "every rule quiet for at least 60 days",
    "quiet-90": "every rule quiet for at least 90 days",
    "second-miss-medium": "a second miss is medium, not high",
    "fewer-high": "three rules that are seldom right never high",
}
SHARES = ("recall", "before_backstop", "precision_at_least", "alerted_share", "flip_flop")


def tables() -> dict[str, str]:
    """Each table by the name of its place in the page."""
    shelf, real, left = (
        json.loads(file.read_text("utf-8")) for file in (FIGURES, RESULTS / "real_sets.json", RESULTS / "left_out.json")
    )
    return {
        "whole": _whole(
            {"seed 2": shelf["simulated"], **{name: real[name] for name in ("us_mortgages", "taiwan_cards")}}
        ),
        "left-out": _left_out(left),
        "choices": _choices(left["choices"]),
        "work": _work(left),
    }


def _whole(sets: dict[str, dict[str, Any]]) -> str:
    head = ["", *(f"{name}: all alerts | {name}: 2 % a month" for name in sets)]
    rows = [
        [
            "borrowers, defaulted",
            *(f"{each['set']['borrowers']:,}, {each['set']['defaulted']:,} | " for each in sets.values()),
        ]
    ]
    names = {
        "recall": "defaulters caught",
        "lead_median_days": "lead, median days",
        "before_backstop": "caught before 30 days past due",
        "precision_at_least": "precision, censored as false",
        "alerted_share": "borrowers alerted",
        "alerts_per_1000_and_month": "alerts per 1,000 borrowers and month",
        "tasks_per_1000_and_month": "tasks per 1,000 borrowers and month",
        "flip_flop": "opened again within 30 days",
    }
    for name, label in names.items():
        cells = []
        for each in sets.values():
            cells += [_told(name, each["overall"].get(name)), _told(name, _budget(each).get(name))]
        rows.append([label, *cells])
    return _table(head, rows)


def _budget(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: row for name, row in figures["at_monthly_budget"].items() if name not in ("alerted_share",)}


def _left_out(left: dict[str, Any]) -> str:
    head = [
        "left out on seed 1",
        "thresholds",
        "defaulters of it on seed 2, at 2 % a month",
        "their lead",
        "others",
        "their lead",
    ]
    head += ["of it, by the fitted rules alone", "their lead"]
    rows = []
    for cause, found in left["left_out"].items():
        for name, shelf in found["shelves"].items():
            words = {"shipped": "shipped", "all": "all shocks seen"}.get(name, "it left out")
            cells = [CAUSES[cause], words]
            for group, part in (("of_it", "at_budget"), ("of_others", "at_budget"), ("of_it", "fitted_alone")):
                cells += [_told(figure, shelf[group][part][figure]) for figure in ("recall", "lead_median_days")]
            rows.append(cells)
    return _table(head, rows)


def _choices(choices: dict[str, dict[str, str]]) -> str:
    names = {"shipped": "shipped", "all": "all shocks seen"}
    head = ["rule", *(names.get(name) or f"without {CAUSES[name.removeprefix('without_')]}" for name in choices)]
    rules = choices["shipped"]
    return _table(head, [[rule, *(_numbers(each[rule]) for each in choices.values())] for rule in rules])


def _numbers(choice: str) -> str:
    """The numbers of a piece of a rule that may be another."""
    lines = [line for line in choice.splitlines() if line and not line.startswith(("for:", "severity:"))]
    return ", ".join(re.findall(r"(?<![\w.])\d+(?:\.\d+)?d?", re.sub(r"/ 2\b", "", " ".join(lines))))


def _work(left: dict[str, Any]) -> str:
    head = ["shelf", "seed", "caught at 2 % a month", "lead", "before 30 days past due", "alerts per 1,000 and month"]
    head += ["borrowers alerted", "opened again"]
    rows = []
    for name, label in SHELVES.items():
        for seed, place in (("1", "on_seed_a"), ("2", "on_seed_b")):
            shelf = left[place][name]
            cells = [
                _told(each, shelf["at_budget"][each]) for each in ("recall", "lead_median_days", "before_backstop")
            ]
            cells += [
                _told(each, shelf["alerts"][each])
                for each in ("alerts_per_1000_and_month", "alerted_share", "flip_flop")
            ]
            rows.append([label if seed == "1" else "", seed, *cells])
    return _table(head, rows)


def _told(name: str, row: list[Any] | None) -> str:
    """A figure with its interval."""
    if row is None or row[0] is None:
        return "-"
    value, low, high, _ = row
    if name in SHARES:
        return f"{value * 100:.1f} % ({low * 100:.0f} .. {high * 100:.0f})"
    return f"{value:,.0f} ({low:,.0f} .. {high:,.0f})"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [" | ".join(line) for line in (head, *rows)]
    columns = lines[0].count("|") + 1
    return "\n".join(f"| {line} |" for line in (lines[0], " | ".join(["---"] * columns), *lines[1:]))


def page() -> str:
    """The page with its tables as the figures are now."""
    text = PAGE.read_text("utf-8")
    for name, table in tables().items():
        marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(marks[0])
        _, end, after = rest.partition(marks[1])
        assert end, f"{PAGE.name}: expected {marks[0]} and {marks[1]}"
        text = f"{before}{marks[0]}\n{table}\n{marks[1]}{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
