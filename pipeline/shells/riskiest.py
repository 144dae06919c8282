"""Which borrowers are the most at risk: open alerts by their worst severity, then days past due, then exposure."""

import heapq
from collections.abc import Iterable
from typing import Any, NamedTuple

from rules.rule import SEVERITIES

SHOWN = 10


class Risk(NamedTuple):
    """How a borrower stands; compared, the later is the more at risk."""

    worst: int  # severity of the worst open alert, -1 without one
    days_past_due: int  # -1 when unknown
    exposure_minor: int  # -1 when unknown
    open_alerts: int


def riskiest(profiles: Iterable[dict[str, Any]], alerts: Iterable[dict[str, Any]]) -> list[tuple[Risk, dict[str, Any]]]:
    """The borrowers most at risk with their profiles, the worst first; of equals the first."""
    severity = {alert["episode"]: SEVERITIES.index(alert["severity"]) for alert in alerts}
    return heapq.nlargest(SHOWN, ((_risk(each, severity), each) for each in profiles), key=lambda row: row[0])


def _risk(profile: dict[str, Any], severity: dict[str, int]) -> Risk:
    alive = [severity[e["episode"]] for e in profile["episodes"] if e["state"] == "open" and e["episode"] in severity]
    days = [loan["days_past_due"] for loan in profile["loans"] if loan["days_past_due"] is not None]
    exposure = profile["exposure_minor"]
    return Risk(max(alive, default=-1), max(days, default=-1), -1 if exposure is None else exposure, len(alive))
