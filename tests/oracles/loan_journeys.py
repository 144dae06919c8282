"""Made-up journeys of one loan: every kind of event, late and early ones, in any order of arrival."""

import math
from datetime import date
from typing import Any

from hypothesis import strategies as st

from tests.journeys import (
    DAY_0,
    arriving,
    disbursed,
    due,
    iso,
    line,
    missed,
    paid,
    paused,
    rescheduled,
    reversed_,
    snapshot,
    told,
)

Told = dict[str, Any]
LAST_DAY = 60
KINDS = (
    *["due"] * 6,
    *["paid"] * 7,
    *["reversed"] * 2,
    *["paused", "rescheduled", "missed"],
    *["anchor", "rolled", "days", "sum", "outstanding"],
    "end",
)  # fmt: skip
LAGS = (0, 0, 0, 0, 0, 0, 1, 2, 5, 6, 7, 8, 15, -2)  # days from an event to its arrival; negative ones are early

_DATES = ("due_on", "from_date", "until_date")

# One whole number is drawn an event, and its digits are kind, day, lag and so on: half the time of drawing each alone.
_DIGITS = (len(KINDS), LAST_DAY - 4, len(LAGS), 6, 20, 4)
_STEP = st.integers(0, math.prod(_DIGITS) - 1)
_START = st.tuples(st.sampled_from((0, 0, 0, 3, 6, 7, 8)), st.integers(0, 4), st.booleans())


@st.composite
def journeys(draw: st.DrawFn) -> list[Told]:
    """One loan from day 0 on; most journeys know their principal, many a schedule."""
    lag, instalments, has_principal = draw(_START)
    steps = draw(st.lists(_STEP, min_size=5, max_size=20))
    schedule = [line(n, on=10 * n, principal=70, interest=20, fee=10) for n in range(1, instalments + 1)]
    events = [arriving(lag, disbursed(0, 600, schedule=schedule or None))] if has_principal else []
    for step in steps:
        kind, day, lag, size, other, second = _digits(step)
        event = _event(KINDS[kind], day, size + 1, other)
        events.append(arriving(max(0, day + LAGS[lag]), event | {"second": second}))
    payments = [event for event in events if event["type"] == "repayment.received"]
    for n, event in enumerate(payments):
        event["id"] = f"p{n}"
    return events or [disbursed(0, 600) | {"arrives": lag}]


def stretched(events: list[Told], by: int) -> list[Told]:
    """The same journey, slower; a reversal that would come when its payment is long forgotten is left out."""
    paid_on = {event["id"]: event["day"] * by for event in events if event["type"] == "repayment.received"}
    slower = [_stretched(event, by) for event in events]
    return [event for event in slower if event["arrives"] - paid_on.get(event.get("reverses"), event["arrives"]) < 360]


def _stretched(value: Any, by: int) -> Any:
    if isinstance(value, list):
        return [_stretched(each, by) for each in value]
    dates = {n: iso((date.fromisoformat(value[n]) - DAY_0).days * by) for n in _DATES if n in value}
    days = {n: value[n] * by for n in ("day", "arrives") if n in value}
    lines = {n: _stretched(value[n], by) for n in ("schedule",) if n in value}
    return value | dates | days | lines


def _digits(number: int) -> list[int]:
    digits = []
    for base in _DIGITS:
        number, digit = divmod(number, base)
        digits.append(digit)
    return digits


def _event(kind: str, day: int, size: int, other: int) -> Told:
    """One event; `size` and `other` are a number of instalments, of fifties, of days: as the kind wants it."""
    match kind:
        case "due":
            return due(size, on=10 * size + other % 4, day=max(0, day - 10), amount=50 + 25 * (other // 4))
        case "paid":
            return paid(day, 50 * size + (300 if other == 1 else 0), kind="early" if other < 3 else None)
        case "reversed":
            return reversed_(day, f"p{other % 6}" if other else "e0")
        case "paused":
            return paused(day, max(0, day - 6 + size), day + other)
        case "rescheduled":
            lines = [line(n, on=day + 7 * n, principal=60, interest=other) for n in range(1, size % 4 + 2)]
            return rescheduled(day, *lines)
        case "missed":
            return missed(day, size if other else None)
        case "anchor":
            return snapshot(day, days=0, arrears=25 * size if other < 5 else None, outstanding=_outstanding(other))
        case "rolled":
            return snapshot(day, days=7 * size, arrears=50 * size, outstanding=_outstanding(other))
        case "days":
            return snapshot(day, days=5 * size, outstanding=_outstanding(other))
        case "sum":
            return snapshot(day, arrears=50 * (size - 1), outstanding=_outstanding(other))
        case "outstanding":
            return snapshot(day, outstanding=100 * size)
    return told("loan.closed" if other < 10 else "loan.written_off", day)


def _outstanding(other: int) -> int | None:
    return 40 * other if other % 3 == 0 else None
