"""What a simulated portfolio came to: events, defaults, roll and cure rates, beside the bands of the parameters."""

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from connectors.simulator.faults import TOPICS
from connectors.simulator.state import Borrower
from connectors.simulator.world import World

if TYPE_CHECKING:
    from connectors.simulator.simulate import Run

YEAR_DAYS, MONTH_DAYS = 365, 30.4375
BUCKETS = ("current", "1_30", "31_60", "61_90", "91")


class Tally(msgspec.Struct, kw_only=True):
    """What is counted of every borrower once its life is over; memory of the run, a few numbers."""

    events: int = 0
    lines: int = 0  # of the file: events, and what faults added
    topics: Counter[str] = msgspec.field(default_factory=Counter)
    months: float = 0.0  # lived by all borrowers
    firms: int = 0
    newcomers: int = 0
    defaults: Counter[str] = msgspec.field(default_factory=Counter)
    shocks: Counter[str] = msgspec.field(default_factory=Counter)
    look_alikes: Counter[str] = msgspec.field(default_factory=Counter)
    rolls: Counter[int] = msgspec.field(default_factory=Counter)
    seasoned: int = 0
    in_12_months: int = 0
    in_18_months: int = 0

    def add(self, b: Borrower, w: World) -> None:
        """Count a borrower."""
        self.events += b.told
        told = Counter(b.by_source)
        told["accounts"] += b.told - told.total()  # what `wire.moved` wrote
        for source, count in told.items():
            self.topics[TOPICS[source]] += count
        self.months += (w.end - b.from_day) / MONTH_DAYS
        self.firms += b.is_firm
        self.rolls.update(b.rolls)
        if b.began_on >= 0:
            self.shocks[b.cause] += 1
        if b.seemed_on >= w.first or b.look_alike == "seasonal_trade":
            self.look_alikes[b.look_alike] += 1
        if b.defaulted_on >= 0:
            self.defaults[cause_of(b)] += 1
        if b.from_day > w.first:
            self.newcomers += 1
            return
        self.seasoned += 1
        if b.defaulted_on >= 0:
            self.in_12_months += b.defaulted_on < w.first + YEAR_DAYS
            self.in_18_months += b.defaulted_on < w.first + YEAR_DAYS * 3 // 2 + 1


def cause_of(b: Borrower) -> str:
    """The shock of a borrower; `none` for a default that was on its way before any shock began."""
    if b.began_on < 0 or (b.defaulted_on >= 0 and b.began_on > b.unpaid_since):
        return "none"
    return b.cause


def realised(run: "Run", w: World, silent: dict[int, tuple[str, int]], digest: str) -> dict[str, object]:
    """The manifest: what was asked for, what came of it, and the bands."""
    tally = run.tally
    days = w.end - w.first
    return {
        "borrowers": run.borrowers,
        "months": run.months,
        "seed": run.seed,
        "faults": run.faults,
        "shocks_on": run.shocks,
        "first_day": w.dates[w.first],
        "last_day": w.dates[w.end - 1],
        "firms_share": w.figures.portfolio.firms,
        "firms": tally.firms,
        "newcomers": tally.newcomers,
        "events": tally.events,
        "topics": dict(sorted(tally.topics.items())),
        "lines": tally.lines + (days if silent else 0),
        "events_sha256": digest,
        "shocks": dict(sorted(tally.shocks.items())),
        "defaults": dict(sorted(tally.defaults.items())),
        "look_alikes": dict(sorted(tally.look_alikes.items())),
        "faults_made": dict(sorted(run.done.items())),
        "silent_days": {w.dates[day]: feed for day, (feed, _) in sorted(silent.items())},
        "dead_letters": dead_letters(run.done),
        "realised": rates(tally, days),
        "expected": w.figures.expected.model_dump(mode="json", exclude={"source", "assumption"}),
    }


def dead_letters(done: Counter[str]) -> dict[str, int]:
    """What a replay refuses of the file, by reason."""
    found = {name: done[name] for name in ("not_json", "bad_field", "unknown_type")} | {"conflict": done["conflicting"]}
    return {name: count for name, count in sorted(found.items()) if count}


def rates(tally: Tally, days: int) -> dict[str, float | None]:
    """The figures that the parameters state bands for; None where the run is too short or the bucket empty."""
    held = Counter({bucket: 0 for bucket in range(5)})
    for pair, count in tally.rolls.items():
        held[pair // 8] += count
    defaults = sum(tally.defaults.values())

    def roll(before: int, after: int) -> float | None:
        return _share(tally.rolls[8 * before + after], held[before])

    return {
        "default_12_months": _share(tally.in_12_months, tally.seasoned) if days >= YEAR_DAYS else None,
        "default_18_months": _share(tally.in_18_months, tally.seasoned) if days >= YEAR_DAYS * 3 // 2 - 2 else None,
        "roll_current": roll(0, 1),
        "roll_1_30": roll(1, 2),
        "roll_31_60": roll(2, 3),
        "roll_61_90": roll(3, 4),
        "cure_1_30": roll(1, 0),
        "with_cause": _share(defaults - tally.defaults["none"], defaults),
        "events_a_month": None if not tally.months else round(tally.events / tally.months, 2),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
