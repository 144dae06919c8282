"""The fitted thresholds set again without one shock, and what they find of that shock on another seed.

    python -m benchmarks.left_out               benchmarks/results/left_out.json; ten minutes of CPU time
    python -m benchmarks.left_out --borrowers 300 --leave-out illness --out FILE

Seed 1 sets the thresholds, on a portfolio in which the shock never happens. Seed 2, with all shocks, shows them and
decides nothing. The procedure: begin with the loosest value of each, take rule after rule, and give it the value with
which a team that looks at 2 % of the borrowers a month, the worst first, meets the most defaulters; of equals the one
that tells defaulters best from others of its pack (the share of defaulters whom the rule warned of, less the share of
others whom it alerted); then the one with the fewest alerts. No value stands that never fires, or that fires on more
than a fifth of the persons or firms of its pack or of all borrowers. Again until nothing changes.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.first_shelf import row
from benchmarks.fitted import FITTED, Fitted, name_of, shelf_of_choices, shipped
from benchmarks.quieter import QUIETER, stand_ins
from benchmarks.runs import firms_in, of_rules, replayed, shelf_by_default, simulate
from connectors.simulator.parameters import SHOCKS
from pipeline.shells.budget import worked_monthly
from pipeline.shells.decided import Mask, decided_in
from pipeline.shells.effect import TRUE, Judged, everything, judged, measured
from pipeline.shells.figures import OF_BUDGET, Asked, verdicts
from pipeline.shells.replay import SUMMARY
from pipeline.shells.truth import read_truth
from rules.loader import shelf_of
from rules.packs import pack_of
from rules.rule import SEVERITIES, Rule, Shelf

RESULTS = Path(__file__).parent / "results" / "left_out.json"
LEFT_OUT = ("illness", "customer_loss")
SET_BY, SHOWN_ON = 1, 2  # seeds
MOST = 0.2  # share of the borrowers on whom a rule of the shelf may fire
ROUNDS = 10
TOLD = ("recall", "lead_median_days", "before_backstop", "precision_at_least")
OF_CAUSE = ("recall", "lead_median_days", "before_backstop")
WORK = ("alerts_per_1000_and_month", "alerted_share", "lead_median_days", "flip_flop")
Choice = dict[str, int]  # rule -> number of its choice


class Told(NamedTuple):
    """What all choices told of one portfolio, and what became of its borrowers."""

    known: Judged
    is_firm: Mask


def only(known: Judged, names: set[str]) -> Judged:
    """What these rules alone told.

    Openings keep their order, and nothing that a team chooses by depends on what other rules there are.
    """
    decided = known.decided
    places = [i for i, name in enumerate(decided.rules) if name in names]
    is_told = np.isin(decided.openings.rule, places)
    less = of_rules(decided, names)
    return known._replace(decided=less, outcome=known.outcome[is_told], is_mature=known.is_mature[is_told])


def met(known: Judged) -> Mask:
    """The defaulters whom a team meets in time that looks at the budget's share of borrowers a month."""
    found = np.zeros(known.size, dtype=np.bool_)
    found[known.decided.openings.borrower[worked_monthly(known) & (known.outcome == TRUE)]] = True
    return found


# -- the procedure ----------------------------------------------------------


class Setting(NamedTuple):
    """The thresholds while they are set: the portfolio, the rules that are fixed, and the pack of each fitted one."""

    told: Told
    fixed: frozenset[str]
    packs: dict[str, str]

    def names(self, choice: Choice) -> set[str]:
        """The rules of a shelf with these choices."""
        return {*self.fixed, *(name_of(rule, number) for rule, number in choice.items())}


def settle(setting: Setting) -> Choice:
    """The choices of all fitted rules."""
    choice: Choice = {each.rule: 0 for each in FITTED}
    for _ in range(ROUNDS):
        before = dict(choice)
        for each in FITTED:
            choice[each.rule] = _best(setting, choice, each)
        if choice == before:
            break
    return choice


def _best(setting: Setting, choice: Choice, fitted: Fitted) -> int:
    numbers = range(len(fitted.choices))
    lawful = [n for n in numbers if _is_lawful(setting, name_of(fitted.rule, n), setting.packs[fitted.rule])]

    def worth(number: int) -> tuple[int, int, int]:
        known = only(setting.told.known, setting.names(choice | {fitted.rule: number}))
        alone = only(setting.told.known, {name_of(fitted.rule, number)})
        return (
            int(met(known).sum()),
            apart_by(alone, _own(setting, setting.packs[fitted.rule])),
            -len(known.decided.openings.on),
        )

    return max(lawful or [numbers[-1]], key=worth)


def apart_by(known: Judged, own: Mask) -> int:
    """How well alerts tell defaulters from others of some borrowers: difference of the two shares, times both counts.

    With 2 of 4 defaulters warned of and 3 of 6 others alerted it is 2/4 - 3/6, times 24: 0.
    """
    borrower = known.decided.openings.borrower
    alerted, warned = np.zeros(known.size, dtype=np.bool_), np.zeros(known.size, dtype=np.bool_)
    alerted[borrower] = True
    warned[borrower[known.outcome == TRUE]] = True
    defaulters, others = own & known.is_default, own & ~known.is_default
    return int((warned & own).sum()) * int(others.sum()) - int((alerted & others).sum()) * int(defaulters.sum())


def _is_lawful(setting: Setting, name: str, pack: str) -> bool:
    """Whether a rule fires, and on no more than a fifth of those of its pack and of all."""
    known = setting.told.known
    alerted = np.zeros(known.size, dtype=np.bool_)
    alerted[only(known, {name}).decided.openings.borrower] = True
    own = _own(setting, pack)
    return bool(0 < alerted.sum() <= MOST * known.size and (alerted & own).sum() <= MOST * max(1, own.sum()))


def _own(setting: Setting, pack: str) -> Mask:
    """The firms for a rule of firms, the persons for one of individuals."""
    return setting.told.is_firm if pack == "firms" else ~setting.told.is_firm


# -- what it comes to -------------------------------------------------------


def shown(told: Told, names: set[str]) -> dict[str, Any]:
    """The figures of a shelf on a portfolio: at the budget, and the work of all its alerts."""
    known = only(told.known, names)
    whole = everything(known)._replace(tasks=None)
    worked = whole._replace(openings=worked_monthly(known))
    asked = (Asked(None, WORK, measured(known, whole)), Asked(None, OF_BUDGET, measured(known, worked)))
    alerts, budget = verdicts(list(asked), known)
    return {
        "alerts": {name: row(alerts.figures[name]) for name in WORK},
        "at_budget": {name: row(budget.figures[name]) for name in TOLD},
        "places_by_severity": {
            name: int((known.decided.openings.severity[worked.openings] == i).sum())
            for i, name in enumerate(SEVERITIES)
        },
    }


def of_causes(told: Told, names: set[str], fitted: set[str], cause: str) -> dict[str, Any]:
    """Of the defaulters of a cause, and of all others: who is met at the budget, alerted at all, or by fitted rules."""
    is_of_it = told.known.cause == told.known.causes.index(cause)
    found: dict[str, Any] = {"of_it": {}, "of_others": {}}
    for part, rules in (("at_budget", names), ("all_alerts", names), ("fitted_alone", fitted)):
        known = only(told.known, rules)
        whole = everything(known)._replace(tasks=None)
        if part == "at_budget":
            whole = whole._replace(openings=worked_monthly(known))
        groups = [measured(known, whole._replace(borrowers=mask)) for mask in (is_of_it, ~is_of_it)]
        told_of = verdicts([Asked(None, OF_CAUSE, each) for each in groups], known)
        for group, verdict in zip(found.values(), told_of, strict=True):
            group[part] = {name: row(verdict.figures[name]) for name in OF_CAUSE}
    return found


def apart(told: Told, one: set[str], other: set[str], cause: str) -> dict[str, int]:
    """Defaulters of a cause whom one shelf meets within the budget and the other does not."""
    known = told.known
    of_cause = known.is_default & (known.cause == known.causes.index(cause))
    met_by = [met(only(known, names)) & of_cause for names in (one, other)]
    return {
        "defaulted": int(of_cause.sum()),
        "met_only_with_it": int((met_by[0] & ~met_by[1]).sum()),
        "met_only_without": int((met_by[1] & ~met_by[0]).sum()),
    }


def words_of(choice: Choice) -> dict[str, str]:
    """The choices as they would stand in the files."""
    return {each.rule: each.choices[choice[each.rule]] for each in FITTED}


# -- runs -------------------------------------------------------------------


def tell(shelf: Shelf, how: dict[str, Any], folder: Path) -> Told:
    """Simulate a portfolio, replay it under all choices, and lay the truth beside it."""
    events, out = folder / "made" / "events.jsonl.gz", folder / "out"
    if not events.exists():
        simulate(folder / "made", how)
    if not (out / SUMMARY).exists() or json.loads((out / SUMMARY).read_bytes())["shelf"] != shelf.hash:
        replayed(shelf, None, events, out)
    decided = decided_in(out)
    truth = read_truth(folder / "made" / "truth.csv", decided.borrowers, decided.first)
    firms = firms_in(events)
    is_firm: npt.NDArray[np.bool_] = np.array([each in firms for each in decided.borrowers], dtype=np.bool_)
    return Told(judged(decided, truth), is_firm)


def compared(shelf: Shelf, how: dict[str, Any], leave_out: list[str], sets: Path) -> dict[str, Any]:
    """Set the thresholds with every shock and without each, and show all of them on the other seed."""
    sets /= "-".join(str(value) for value in how.values())
    live = {rule.rule: rule for rule in shelf.rules if rule.status == "live"}
    ways = {way.name: stand_ins(shelf, way) for way in QUIETER}
    tried = shelf_of([*shelf_of_choices(shelf).rules, *(rule for way in ways.values() for rule in way.values())], None)
    fixed = frozenset(live) - {each.rule for each in FITTED}
    packs = {each.rule: pack_of(live[each.rule]) for each in FITTED}
    now = {each.rule: each.choices.index(shipped(live[each.rule], each)) for each in FITTED}
    choices = {"shipped": now}
    on_seed_a: dict[str, Any] = {}
    met_by_value: dict[str, list[int]] = {}
    for left in (None, *leave_out):
        shocks = {} if left is None else {"shocks": ",".join(name for name in SHOCKS if name != left)}
        name = "all" if left is None else f"without_{left}"
        told = tell(tried, how | {"seed": SET_BY} | shocks, sets / name)
        setting = Setting(told, fixed, packs)
        choices[name] = settle(setting)
        if left is None:
            on_seed_a = _shown(setting, choices, ways)
            met_by_value = {each.rule: _met_by_value(setting, now, each) for each in FITTED}
    setting = Setting(tell(tried, how | {"seed": SHOWN_ON}, sets / "shown"), fixed, packs)
    return {
        "made_by": "python -m benchmarks.left_out",
        "hashes": {name: rule.hash for name, rule in sorted(live.items())},
        "how": how | {"set_by_seed": SET_BY, "shown_on_seed": SHOWN_ON, "defaulted": _defaulted(setting.told)},
        "choices": {name: words_of(choice) for name, choice in choices.items()},
        "met_by_value": met_by_value,
        "on_seed_a": on_seed_a,
        "on_seed_b": _shown(setting, choices, ways),
        "left_out": {left: _of_left_out(setting, choices, left) for left in leave_out},
    }


def _met_by_value(setting: Setting, now: Choice, fitted: Fitted) -> list[int]:
    """Whom the team meets with each value of one rule, the others as shipped."""
    shelves = (setting.names(now | {fitted.rule: number}) for number in range(len(fitted.choices)))
    return [int(met(only(setting.told.known, names)).sum()) for names in shelves]


def _of_left_out(setting: Setting, choices: dict[str, Choice], left: str) -> dict[str, Any]:
    shelves = ("shipped", "all", f"without_{left}")
    named = {name: setting.names(choices[name]) for name in shelves}
    return {
        "shelves": {name: of_causes(setting.told, names, names - setting.fixed, left) for name, names in named.items()},
        "apart": apart(setting.told, named["all"], named[f"without_{left}"], left),
    }


def _shown(setting: Setting, choices: dict[str, Choice], ways: dict[str, dict[str, Rule]]) -> dict[str, Any]:
    shelves = {name: setting.names(choice) for name, choice in choices.items()}
    for name, others in ways.items():
        replaced = {
            rule if rule not in choices["shipped"] else name_of(rule, choices["shipped"][rule]) for rule in others
        }
        shelves[name] = (shelves["shipped"] - replaced) | {rule.rule for rule in others.values()}
    return {name: shown(setting.told, names) for name, names in shelves.items()}


def _defaulted(told: Told) -> dict[str, int]:
    known = told.known
    return {cause: int((known.is_default & (known.cause == i)).sum()) for i, cause in enumerate(known.causes)}


def main() -> None:
    """Make the sets, set the thresholds, and write what they come to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("borrowers", 2_000), ("months", 18)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--firms", type=float, default=0.4)
    parser.add_argument("--leave-out", default=",".join(LEFT_OUT))
    parser.add_argument("--sets", type=Path, help="a folder that keeps the portfolios and replays for another run")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    how = {"borrowers": given.borrowers, "months": given.months, "firms": given.firms}
    shelf = shelf_by_default()
    with tempfile.TemporaryDirectory() as folder:
        found = compared(shelf, how, given.leave_out.split(","), given.sets or Path(folder))
    given.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
