"""How long `forewarn rules check` takes on a shelf of many rules: reading, the laws, and the cases beside limits.

    python -m benchmarks.rules_check [RULES]

The rules are those of the shipped shelf again and again, each time under another name and with windows that are a day
shorter. CPU time of one process, the fastest of some rounds; written to `results/rules_check.json`.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.settings import load
from pipeline.events import CATALOGUE
from pipeline.shells.boundaries import boundary_faults
from pipeline.shells.manners import SHELF
from pipeline.shells.terms import terms_of
from rules.laws import Examined, examine
from rules.loader import load_file, rule_files

RULES = 500
ROUNDS = 3
RESULTS = Path(__file__).parent / "results" / "rules_check.json"


def many(folder: Path, number: int) -> None:
    """Write so many rules."""
    shipped = [(path.stem, path.read_text("utf-8")) for path in rule_files([SHELF])]
    for n in range(number):
        name, text = shipped[n % len(shipped)]
        again = n // len(shipped)
        text = re.sub(r"(?m)^rule: .*$", f"rule: {name}-{again}", text)
        text = re.sub(r"inhibited_by: \[.*\]", "inhibited_by: []", text)
        text = re.sub(r"over: (\d\d+)d", lambda found, less=again: f"over: {int(found[1]) - less}d", text)
        (folder / f"{name}-{again}.yaml").write_text(text, "utf-8")


def best(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the fastest of some rounds, and what came of it."""
    found, result = float("inf"), None
    for _ in range(ROUNDS):
        before = time.process_time()
        result = work()
        found = min(found, time.process_time() - before)
    return found, result


def main(number: int) -> None:
    """Print what each part takes, in all and a rule."""
    terms = terms_of(load(None))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many(folder, number)
        files = rule_files([folder])
        read, _ = best(lambda: [load_file(path, CATALOGUE) for path in files])
        laws, examined = best(lambda: examine([folder], CATALOGUE, None, None))
        # Copies without a window add nothing beside each other; their cases are run all the same.
        beside, _ = best(lambda: list(boundary_faults(Examined(examined.rules, ()), terms)))
    parts = {"files": read, "laws": laws - read, "boundary_cases": beside, "all": laws + beside}
    for what, seconds in parts.items():
        print(f"{what:16} {seconds:8.2f} s {seconds / number * 1e6:10,.0f} µs a rule")
    a_rule = {what: round(seconds / number * 1e6) for what, seconds in parts.items()}
    RESULTS.write_text(
        json.dumps({"rules": number, "seconds": round(laws + beside, 2), "us_a_rule": a_rule}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RULES)
