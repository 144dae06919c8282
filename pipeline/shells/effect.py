"""How early the alerts of a run were, against the defaults in its events."""

from bisect import bisect_left
from collections import defaultdict
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

AHEAD = (0, 30, 60, 90, 180)  # days ahead that are reported (domain.md, lead time)
MAX_LEAD = 365  # an alert earlier than this is not called true (domain.md, true alert)


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Lead time, precision and workload of one run; shares are of 1, None where there is nothing to divide by."""

    borrowers: int
    defaulted: int
    alerted: int
    alerted_before_default: int
    lead_median_days: float | None
    ahead: dict[int, float | None]  # days -> share of the defaulted alerted at least so early
    precision: float | None  # alerted borrowers that defaulted within a year
    base_rate: float | None
    alerts_per_1000_and_month: float | None


def effect_of(openings: dict[str, list[date]], defaults: dict[str, date], borrowers: int, months: float) -> Effect:
    """Compare the dates of opened alerts with the dates of defaults, borrower by borrower.

    A true alert is at most 365 days before the default; the lead is that of the first true one.

    >>> one = effect_of({"B1": [date(2025, 1, 1)]}, {"B1": date(2025, 3, 2)}, borrowers=2, months=2)
    >>> one.lead_median_days, one.ahead[60], one.precision, one.base_rate
    (60.0, 1.0, 1.0, 0.5)
    """
    leads = []
    for borrower, defaulted_on in defaults.items():
        days = [(defaulted_on - on).days for on in sorted(openings.get(borrower, ()))]
        true = [lead for lead in days if 0 <= lead <= MAX_LEAD]
        if true:
            leads.append(max(true))
    leads.sort()
    count = len(defaults)
    return Effect(
        borrowers=borrowers,
        defaulted=count,
        alerted=len(openings),
        alerted_before_default=len(leads),
        lead_median_days=float(median(leads)) if leads else None,
        ahead={n: (len(leads) - bisect_left(leads, n)) / count if count else None for n in AHEAD},
        precision=len(leads) / len(openings) if openings else None,
        base_rate=count / borrowers if borrowers else None,
        alerts_per_1000_and_month=_workload(openings, borrowers, months),
    )


def _workload(openings: dict[str, list[date]], borrowers: int, months: float) -> float | None:
    if not borrowers or not months:
        return None
    return sum(len(dates) for dates in openings.values()) * 1_000 / borrowers / months


def openings_in(folder: Path) -> dict[str, list[date]]:
    """The dates of opened alerts of each borrower in a replay's folder."""
    found: dict[str, list[date]] = defaultdict(list)
    with (folder / "alerts.jsonl").open("rb") as file:
        for raw in file:
            alert: dict[str, Any] = msgspec.json.decode(raw)
            if alert["transition"] == "opened":
                found[alert["borrower_id"]].append(date.fromisoformat(alert["business_date"]))
    return dict(found)


def defaults_in(folder: Path) -> dict[str, date]:
    """The first default of each borrower, as the replay's profiles hold it."""
    found = {}
    with (folder / "profiles.jsonl").open("rb") as file:
        for raw in file:
            profile = msgspec.json.decode(raw)
            dates = [loan["defaulted_on"] for loan in profile["loans"] if loan["defaulted_on"]]
            if dates:
                found[profile["borrower_id"]] = date.fromisoformat(min(dates))
    return found
