"""Figures of every shipped rule on two simulated portfolios and on a real set, for the pages in docs/rules.

    python -m benchmarks.first_shelf                    what is committed: docs/rules/figures.json; a quarter of an hour
    python -m benchmarks.first_shelf --seed 1 --out FILE

What a shadow rule would have said is counted, but found nobody: nobody was told. The figures of a rule are those beside
the packs that are on as a default; a pack that is off is switched on beside them, each by itself.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.runs import ROOT, Lived, OfSet, Ran, packs_by_default, run, simulated
from connectors.ingest import ingest
from pipeline.shells.figures import Figure, Verdict
from rules.packs import pack_of
from rules.rule import Rule, Shelf

FIGURES = ROOT / "docs" / "rules" / "figures.json"
REAL = "a thousand card clients of a bank in Taiwan"
MILLION = 1_000_000
OVERALL = (
    *("recall", "lead_median_days", "before_backstop", "precision_at_least", "alerted_share"),
    *("alerts_per_1000_and_month", "tasks_per_1000_and_month", "flip_flop"),
)


class Sets(NamedTuple):
    """What was replayed, and how the simulated ones were made."""

    simulated: OfSet
    firms: OfSet
    real: OfSet
    how: dict[str, int]
    how_firms: dict[str, int]


def figures_of(shelf: Shelf, sets: Sets) -> dict[str, Any]:
    """Everything that the pages show."""
    judged = sets.simulated.on.judgement
    return {
        "made_by": "python -m benchmarks.first_shelf",
        "hashes": {rule.rule: rule.hash for rule in shelf.rules},
        "simulated": {
            "set": sets.how | _set(sets.simulated.on),
            "overall": rows_of(judged.overall, OVERALL),
            "at_monthly_budget": rows_of(judged.at_monthly_budget, OVERALL),
            "rules": {rule.rule: _of_rule(rule, sets.simulated.of(rule)) for rule in shelf.rules},
        },
        "firms": {
            "set": sets.how_firms | _set(sets.firms.on),
            "rules": {rule.rule: _of_rule(rule, sets.firms.on) for rule in shelf.rules if pack_of(rule) == "firms"},
        },
        "real": {
            "set": {"name": REAL} | _set(sets.real.on),
            "rules": {rule.rule: _of_rule(rule, sets.real.of(rule)) for rule in shelf.rules},
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
        "standing_ppm": int(MILLION * ran.standing.get(rule.rule, 0) / max(1, count)),
        "found": 0 if told is None else told.counts["caught"],
        "unique": 0 if told is None else told.counts["only"],
        "first": 0 if told is None else told.counts["first"],
        "first_by": 0 if told is None else told.counts["first_by"],
        "lead_median_days": lead,
        "added_median_days": added,
    }


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
    packs = packs_by_default()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        everybody = run(simulated(how, here / "made"), packs, here / "all")
        firms = run(simulated(how_firms, here / "made-firms"), packs._replace(off=()), here / "firms")
        cards = here / "cards.jsonl.gz"
        ingest(ROOT / "connectors" / "samples" / "taiwan_cards_1000.csv.gz", "taiwan_cards", cards, True)
        real = run(Lived(cards, None, ROOT / "config" / "taiwan.yaml"), packs, here / "real")
    shelf = packs.shelf([*packs.on, *packs.off])
    text = json.dumps(figures_of(shelf, Sets(everybody, firms, real, how, how_firms)), indent=1)
    given.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
