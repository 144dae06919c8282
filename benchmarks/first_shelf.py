"""Figures of every shipped rule on two simulated portfolios and on a real set, for the pages in docs/rules.

    python -m benchmarks.first_shelf                    what is committed: docs/rules/figures.json; a quarter of an hour
    python -m benchmarks.first_shelf --seed 1 --out FILE

What a shadow rule would have said is counted, but found nobody: nobody was told.
"""

import argparse
import json
import re
import sys
import tempfile
from collections import defaultdict
from gzip import open as unzipped
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.progress import Progress
from typer.testing import CliRunner

from config.settings import load as load_settings
from connectors.ingest import ingest
from pipeline.events import CATALOGUE
from pipeline.shelf import compile_shelf
from pipeline.shells.cli import app
from pipeline.shells.figures import Figure, Verdict
from pipeline.shells.replay import replay
from pipeline.shells.terms import terms_of
from pipeline.shells.verdict import Judgement, judgement_of
from rules.loader import load_shelf
from rules.rule import Rule, Shelf

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "rules" / "figures.json"
REAL = "a thousand card clients of a bank in Taiwan"
MILLION = 1_000_000
CORPORATE = re.compile(rb'"borrower_id":"([^"]+)".*"segment":"corporate"')
OVERALL = (
    *("recall", "lead_median_days", "before_backstop", "precision_at_least", "alerted_share"),
    *("alerts_per_1000_and_month", "tasks_per_1000_and_month", "flip_flop"),
)


class Ran(NamedTuple):
    """A set that was replayed: its verdict, who was alerted by which rule, and which borrowers are firms."""

    judgement: Judgement
    openings: dict[str, list[str]]  # rule -> the borrower of each opening
    firms: frozenset[str]


class Sets(NamedTuple):
    """What was replayed, and how the simulated ones were made."""

    simulated: Ran
    firms: Ran
    real: Ran
    how: dict[str, int]
    how_firms: dict[str, int]


def figures_of(shelf: Shelf, sets: Sets) -> dict[str, Any]:
    """Everything that the pages show."""
    judged = sets.simulated.judgement
    return {
        "made_by": "python -m benchmarks.first_shelf",
        "hashes": {rule.rule: rule.hash for rule in shelf.rules},
        "simulated": {
            "set": sets.how | _set(sets.simulated),
            "overall": rows_of(judged.overall, OVERALL),
            "at_monthly_budget": rows_of(judged.at_monthly_budget, OVERALL),
            "rules": {rule.rule: _of_rule(rule, sets.simulated) for rule in shelf.rules},
        },
        "firms": {
            "set": sets.how_firms | _set(sets.firms),
            "rules": {rule.rule: _of_rule(rule, sets.firms) for rule in shelf.rules if pack_of(rule) == "firms"},
        },
        "real": {
            "set": {"name": REAL} | _set(sets.real),
            "rules": {rule.rule: _of_rule(rule, sets.real) for rule in shelf.rules},
        },
    }


def _set(ran: Ran) -> dict[str, Any]:
    seen = ran.judgement.observed
    dates = {"first": seen.first_day.isoformat(), "last": seen.as_of.isoformat()}
    return {"borrowers": seen.borrowers, "firms": len(ran.firms), "defaulted": seen.defaulted, **dates}


def row(figure: Figure) -> list[Any]:
    """A figure, its interval, and how many it is of."""
    return [figure.value, figure.low, figure.high, figure.of]


def rows_of(verdict: Verdict, names: tuple[str, ...]) -> dict[str, list[Any]]:
    """The figures of a verdict by their names."""
    return {name: row(verdict.figures[name]) for name in names if name in verdict.figures}


def _of_rule(rule: Rule, ran: Ran) -> dict[str, Any]:
    """The figures of one rule; its share is of the firms for a rule of firms, of persons for one of individuals."""
    openings, count = ran.openings.get(rule.rule, []), ran.judgement.observed.borrowers
    alerted = set(openings)
    pack = pack_of(rule)
    own = alerted & ran.firms if pack == "firms" else alerted - ran.firms if pack == "individuals" else alerted
    of = {"firms": len(ran.firms), "individuals": count - len(ran.firms)}.get(pack, count)
    told = next((each for each in ran.judgement.by_rule if each.of == rule.rule), None)
    lead, added = (
        None if told is None else told.figures[name].value for name in ("lead_median_days", "added_lead_median_days")
    )
    return {
        "alerts": len(openings),
        "borrowers": len(alerted),
        "share_ppm": MILLION * len(own) // max(1, of),
        "share_of_all_ppm": MILLION * len(alerted) // max(1, count),
        "found": 0 if told is None else told.counts["caught"],
        "unique": 0 if told is None else told.counts["only"],
        "first": 0 if told is None else told.counts["first"],
        "first_by": 0 if told is None else told.counts["first_by"],
        "lead_median_days": lead,
        "added_median_days": added,
    }


def pack_of(rule: Rule) -> str:
    """The folder that a rule stands in."""
    return Path(rule.file).parent.name


# -- runs -------------------------------------------------------------------


def run(shelf: Shelf, config: Path | None, events: Path, truth: Path | None, out: Path) -> Ran:
    """Replay events under the shelf and judge what came of it."""
    replayed(shelf, config, events, out)
    openings = defaultdict(list)
    for name in ("alerts.jsonl", "shadow.jsonl"):
        for raw in (out / name).read_bytes().splitlines():
            alert = msgspec.json.decode(raw)
            if alert["transition"] == "opened":
                openings[alert["rule"]].append(alert["borrower_id"])
    return Ran(judgement_of(out, truth, None), openings, firms_in(events))


def simulated_run(shelf: Shelf, how: dict[str, int], folder: Path) -> Ran:
    """Simulate a portfolio, replay it and judge what came of it."""
    made = folder / "made"
    simulate(made, how)
    return run(shelf, None, made / "events.jsonl.gz", made / "truth.csv", folder / "out")


def replayed(shelf: Shelf, config: Path | None, events: Path, out: Path) -> None:
    """Replay events under the shelf into a folder."""
    compiled = compile_shelf(shelf, terms_of(load_settings(config)))
    with Progress(disable=True) as progress:
        replay([events], compiled, out, progress)


def firms_in(events: Path) -> frozenset[str]:
    """The borrowers of whom the events say that they are firms."""
    with unzipped(events) as lines:
        return frozenset(found[1].decode() for raw in lines if (found := CORPORATE.search(raw)))


def simulate(out: Path, how: dict[str, Any]) -> None:
    """Make the portfolio, by the command that everyone has."""
    words = [word for name, value in how.items() for word in (f"--{name}", str(value))]
    result = CliRunner().invoke(app, ["simulate", *words, "--out", str(out)])
    if result.exit_code:
        sys.exit(result.output)


def main() -> None:
    """Make the sets, replay them, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("borrowers", 4_000), ("months", 18), ("seed", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--only-firms", type=int, default=1_500, help="borrowers of the portfolio of firms alone")
    parser.add_argument("--out", type=Path, default=FIGURES)
    given = parser.parse_args()
    how = {"borrowers": given.borrowers, "months": given.months, "seed": given.seed}
    how_firms = how | {"borrowers": given.only_firms, "firms": 1}
    shelf = load_shelf([ROOT / "rules" / "shelf"], CATALOGUE, ROOT / "rules" / "shelf.lock")
    with tempfile.TemporaryDirectory() as folder:
        simulated, firms = (
            simulated_run(shelf, each, Path(folder) / name) for name, each in (("all", how), ("firms", how_firms))
        )
        cards = Path(folder) / "cards.jsonl.gz"
        ingest(ROOT / "connectors" / "samples" / "taiwan_cards_1000.csv.gz", "taiwan_cards", cards, True)
        real = run(shelf, ROOT / "config" / "taiwan.yaml", cards, None, Path(folder) / "real")
    text = json.dumps(figures_of(shelf, Sets(simulated, firms, real, how, how_firms)), indent=1)
    given.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
