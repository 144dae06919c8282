"""What the shipped shelf finds, and how early, in two public sets: `python -m benchmarks.real_sets FOLDER`.

FOLDER holds `us_mortgages/loans_by_quarter.csv.gz` and `taiwan_cards/UCI_Credit_Card.csv.gz`; they are not part of the
project (docs/mappings.md says where they come from). Truth is the defaults in the events.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.first_shelf import OVERALL, rows_of
from benchmarks.runs import ROOT, replayed, shelf_by_default
from connectors.ingest import ingest
from pipeline.shells.verdict import judgement_of
from rules.rule import Shelf

RESULTS = Path(__file__).parent / "results" / "real_sets.json"
SETS = {
    "us_mortgages": ("us_mortgages/loans_by_quarter.csv.gz", "us.yaml"),
    "taiwan_cards": ("taiwan_cards/UCI_Credit_Card.csv.gz", "taiwan.yaml"),
}


def found_in(shelf: Shelf, file: Path, mapping: str, config: Path, folder: Path) -> dict[str, Any]:
    """The verdict on one set."""
    events = folder / f"{mapping}.jsonl.gz"
    ingest(file, mapping, events, quiet=True)
    replayed(shelf, config, events, folder / mapping)
    judged = judgement_of(folder / mapping, None, None)
    seen = judged.observed
    return {
        "set": {
            "borrowers": seen.borrowers,
            "defaulted": seen.defaulted,
            "first": seen.first_day.isoformat(),
            "last": seen.as_of.isoformat(),
        },
        "overall": rows_of(judged.overall, OVERALL),
        "at_monthly_budget": rows_of(judged.at_monthly_budget, OVERALL),
        "rules": {
            each.of: {name: each.counts[name] for name in ("alerts", "caught", "only", "first")}
            for each in judged.by_rule
        },
    }


def main() -> None:
    """Take each set from the bank's file to the verdict."""
    data = Path(sys.argv[1])
    shelf = shelf_by_default()
    with tempfile.TemporaryDirectory() as folder:
        found = {
            name: found_in(shelf, data / file, name, ROOT / "config" / config, Path(folder))
            for name, (file, config) in SETS.items()
        }
    RESULTS.write_text(
        json.dumps({"made_by": "python -m benchmarks.real_sets FOLDER", **found}, indent=1) + "\n", "utf-8"
    )


if __name__ == "__main__":
    main()
