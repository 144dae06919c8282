"""Figures of every shipped rule on a simulated portfolio and on a real set, for the pages of docs/rules.

    python -m benchmarks.first_shelf                        what is committed: seed 2
    python -m benchmarks.first_shelf --seed 1 --out FILE    another portfolio, kept apart

A rule under `shadow` is counted by what it would have said. A finding is a true alert as `forewarn judge` defines it.
"""

import argparse
import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from gzip import open as unzipped
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.progress import Progress

from config.settings import load as load_settings
from pipeline.events import CATALOGUE
from pipeline.shelf import CompiledShelf, compile_shelf
from pipeline.shells.demo import CONFIG
from pipeline.shells.demo import run as run_demo
from pipeline.shells.replay import replay
from pipeline.shells.terms import terms_of
from pipeline.shells.verdict import Judgement, judgement_of
from rules.loader import load_shelf
from rules.rule import Shelf

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "rules" / "figures.json"
REAL = "a thousand card clients of a bank in Taiwan"
MILLION = 1_000_000
CORPORATE = re.compile(rb'"borrower_id":"([^"]+)".*"segment":"corporate"')


class Ran(NamedTuple):
    """A replayed set: what was judged of it, who was alerted by which rule, and who is a firm."""

    judgement: Judgement
    openings: dict[str, list[str]]  # rule -> borrower of each opening
    firms: frozenset[str]


def main(seed: int, borrowers: int, months: int, out: Path) -> None:
    """Simulate, replay, judge, and write the figures."""
    shelf = load_shelf([ROOT / "rules" / "shelf"], CATALOGUE, ROOT / "rules" / "shelf.lock")
    with tempfile.TemporaryDirectory() as folder:
        made = simulated(shelf, Path(folder), seed, borrowers, months)
        real = real_set(shelf, Path(folder) / "real")
    figures = {
        "made_by": "python -m benchmarks.first_shelf",
        "hashes": {rule.rule: rule.hash for rule in shelf.rules},
        "simulated": {
            "set": {"seed": seed, "borrowers": borrowers, "months": months, **_observed(made)},
            "overall": _overall(made.judgement),
            "rules": {rule.rule: _of_rule(rule.rule, made, Path(rule.file).parent.name) for rule in shelf.rules},
        },
        "real": {
            "set": {"name": REAL, "borrowers": real.judgement.observed.borrowers, **_observed(real)},
            "rules": {rule.rule: _of_rule(rule.rule, real, "") for rule in shelf.rules},
        },
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
