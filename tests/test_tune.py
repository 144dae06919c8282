"""One number of a rule swept over history: each value is judged as if the rule had it, and no rule is written."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.events import CATALOGUE
from pipeline.shells.tuning.sweep import TuneError, sweep_of
from rules.condition_text import condition_text, number_text
from rules.limits import with_number
from rules.loader import load_shelf
from tests.arrival_logs import Ran, Told, day_ended, forewarn, missed, replayed, shelf, told, written

MISSES: Told = {
    "per": "borrower_id",
    "measure": {
        "missed": {"count": "repayment.missed", "over": "60d"},
        "paid": {"count": "repayment.received", "over": "9d"},
    },
    "when": "missed >= 2 and missed >= 0.5",
}


def log(folder: Path) -> Path:
    """B1 misses once, B2 twice, B3 three times; B3's loan defaults 40 days later."""
    misses = [
        missed(f"m{b}-{n}", f"2025-03-{3 + n:02}", borrower_id=f"B{b}", loan_id=f"L{b}")
        for b in (1, 2, 3)
        for n in range(b)
    ]
    misses.sort(key=lambda each: each["at"])
    default = told("d", "loan.defaulted", "2025-04-14", borrower_id="B3", loan_id="L3")
    return written(folder / "log.jsonl", day_ended("2025-03-01"), *misses, default, day_ended("2025-06-30"))


def rules(folder: Path, **own: object) -> Path:
    return shelf(folder / "rules", misses=MISSES | own)


def tuned(folder: Path, *words: str | Path) -> Ran:
    return forewarn("rules", "tune", "misses", log(folder), "--rules", folder / "rules", "--measure", "missed", *words)


def table(ran: Ran) -> dict[str, list[str]]:
    """Cells of the rows by value."""
    assert ran.code == 0, ran.err
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")] for line in ran.out.splitlines() if line.startswith("│")
    ]
    return {row[0].removesuffix(" (now)"): row[1:] for row in rows}


def test_each_value_alerts_as_the_rule_with_that_value_does(tmp_path):
    rules(tmp_path)
    found = table(tuned(tmp_path, "--number", "1", "--values", "1,3,4"))
    assert {value: cells[:3] for value, cells in found.items()} == {
        "1": ["3", "1", "100.0%"],
        "2": ["2", "1", "100.0%"],
        "3": ["1", "1", "100.0%"],
        "4": ["0", "-", "-"],
    }
    for value, cells in found.items():
        changed = shelf(tmp_path / value, misses=MISSES | {"when": str(MISSES["when"]).replace(">= 2", f">= {value}")})
        ran = replayed(log(tmp_path), rules=changed, out=f"out-{value}")
        assert sum(each["transition"] == "opened" for each in ran.records("alerts.jsonl")) == int(cells[0])
    # 03-05 is the third miss, 04-14 the default.
    assert found["3"][3] == "40" and found["2"][3] == "41"


def test_nothing_is_written_but_the_page(tmp_path):
    folder = rules(tmp_path)
    before = {path: path.read_bytes() for path in folder.rglob("*")}
    ran = tuned(tmp_path, "--number", "1", "--out", tmp_path / "page.html", "--lang", "zh")
    assert ran.code == 0, ran.err
    assert {path: path.read_bytes() for path in folder.rglob("*")} == before
    assert {path.name for path in tmp_path.iterdir()} == {"rules", "log.jsonl", "page.html"}
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "default-src" in page and "每个取值捕获多少" in page
    figures = json.loads(re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[0])
    assert figures["trade"]["data"][0]["text"] == ["1", "2", "3"]  # of 4 and 5 there is no alert
    assert figures["trade"]["data"][0]["y"] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "--number: expected which number beside missed, got none; 1 is 2 in 'missed >= 2'; 2 is 0.5 in"),
        (["--number", "3"], "--number: expected 1 to 2, got 3"),
        (["--measure", "mised"], "--measure: expected a measure of misses (missed, paid), got mised"),
        (["--number", "1", "--values", "1,two"], "--values: expected numbers with commas between"),
        (["--number", "1", "--from", "2026-01-01"], "--from: expected a day up to 2025-06-30"),
    ],
)
def test_what_cannot_be_swept_is_one_sentence(tmp_path, words, sentence):
    rules(tmp_path)
    ran = tuned(tmp_path, *words)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err and len(ran.err.splitlines()) == 1


def test_a_rule_that_is_not_there_and_a_measure_without_a_number(tmp_path):
    folder = rules(tmp_path, when="missed > paid")
    [rule] = load_shelf([folder], CATALOGUE).rules
    with pytest.raises(TuneError, match="compares with a number, got missed"):
        sweep_of(rule, "missed", None, ())
    ran = forewarn("rules", "tune", "mises", log(tmp_path), "--rules", folder, "--measure", "missed")
    assert ran.code == 2 and "mises: expected a rule of the shelf" in ran.err


def test_a_number_is_changed_where_it_stands(tmp_path):
    [rule] = load_shelf([rules(tmp_path)], CATALOGUE).rules
    sweep = sweep_of(rule, "missed", 2, (Decimal("0.4"), Decimal("0.6")))
    assert [number_text(each) for each in sweep.values] == ["0.4", "0.5", "0.6"]
    changed = with_number(rule.when, sweep.place, Decimal("0.4"))
    assert condition_text(changed) == "missed >= 2 and missed >= 0.4"
