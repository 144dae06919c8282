"""How feeds err: late, twice, taken back, conflicting, out of order, broken, silent.

Everything is drawn from streams of their own, so that the lives told are the same with and without faults.
"""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from itertools import accumulate
from random import Random
from typing import NamedTuple

from connectors.simulator.state import between
from connectors.simulator.world import World
from pipeline.events import FEEDS

# Which topic each source writes to, and which feed that is.
TOPICS = {
    "core": "repayment-events",
    "accounts": "account-events",
    "bureau": "external-credit-events",
    "registers": "external-credit-events",
    "news": "external-credit-events",
    "customers": "external-credit-events",
    "collections": "collection-outcomes",
}
FEED_OF_SOURCE = {source: FEEDS[topic] for source, topic in TOPICS.items()}
# What a broken copy is refused for.
_BROKEN = ("not_json", "bad_field", "unknown_type")
LATEST = 5  # days
Days = list[list[str]]


def silences(w: World, rate: float) -> dict[int, tuple[str, int]]:
    """The days on which a feed is silent: day -> (feed, the first day after the silence)."""
    chance, f = Random(f"{w.seed}:silences"), w.figures.faults
    found: dict[int, tuple[str, int]] = {}
    if rate * f.silent_a_year <= 0:
        return found
    day = w.first + 1
    while True:
        day += 3 + int(chance.expovariate(rate * f.silent_a_year) * 365)
        days, feed = round(between(chance, f.silent_days)), ("account", "external")[int(chance.random() * 2)]
        if day + days + 1 >= w.end:
            return found
        found |= {each: (feed, day + days) for each in range(day, day + days)}
        day += days


class Errs(NamedTuple):
    """The borrower whose lines may be touched: its draws, the lines by day of arrival, and what was done."""

    w: World
    chance: Random
    days: Days
    done: Counter[str]


def arrived(
    days: Days, number: int, w: World, rate: float, silent: dict[int, tuple[str, int]]
) -> tuple[Days, Counter[str]]:
    """One borrower's lines by the day on which they arrive, and what was done to them; day 0 is the first told one."""
    f = w.figures.faults
    errs = Errs(w, Random(f"{w.seed}:{number}:faults"), [[] for _ in days], Counter())
    limits = list(accumulate(getattr(f, name) * rate for name in _TOUCHES))
    touches = list(_TOUCHES.values())
    for day, lines in enumerate(days):
        for line in lines:
            draw = errs.chance.random()
            if draw < limits[-1]:
                touches[bisect_right(limits, draw)](errs, day, line)
                continue
            errs.days[day].append(line)
            if '"repayment.received"' in line and errs.chance.random() < f.reversed * rate:
                _take_back(errs, day, line)
    return (_held_back(errs.days, w, silent, errs.done) if silent else errs.days), errs.done


def _late(errs: Errs, day: int, line: str) -> None:
    on = min(len(errs.days) - 1, day + 1 + int(errs.chance.random() * LATEST))
    errs.days[on].append(line)
    errs.done["late"] += on > day


def _twice(errs: Errs, day: int, line: str) -> None:
    errs.days[day] += [line, line]
    errs.done["duplicate"] += 1


def _conflict(errs: Errs, day: int, line: str) -> None:
    errs.days[day].append(line)
    if '"amount_minor":' in line:
        errs.days[day].append(line.replace('"amount_minor":', '"amount_minor":1', 1))
        errs.done["conflicting"] += 1


def _swap(errs: Errs, day: int, line: str) -> None:
    """Put a line before the one that came before it."""
    own = errs.days[day]
    errs.done["misordered"] += bool(own)
    own.insert(max(0, len(own) - 1), line)


def _break(errs: Errs, day: int, line: str) -> None:
    """A copy that cannot be used comes before the line itself."""
    kind = _BROKEN[int(errs.chance.random() * 3)]
    if kind == "bad_field" and '"amount_minor":' not in line:
        kind = "not_json"
    errs.done["malformed"] += 1
    errs.done[kind] += 1
    errs.days[day] += [_broken(line, kind), line]


def _broken(line: str, kind: str) -> str:
    if kind == "not_json":
        return line[: len(line) // 2] + "\n"
    if kind == "unknown_type":
        return line.replace('"type":"', '"type":"legacy.', 1)
    return line.replace('"amount_minor":', '"amount_minor":0.5,"was":', 1)


def _take_back(errs: Errs, day: int, line: str) -> None:
    """A payment is taken back some days later, and booked again at once under another id."""
    w, again = errs.w, day + 1 + int(errs.chance.random() * 3)
    if again >= len(errs.days):
        return
    event = json.loads(line)
    date, offset = w.dates[w.first + again], w.offsets[w.first + again]
    reversal = {name: event[name] for name in ("source", "borrower_id", "loan_id")} | {
        "id": f"{event['id']}-r",
        "type": "repayment.reversed",
        "at": f"{date}T07:00:00{offset}",
        "reverses": event["id"],
    }
    booked = event | {"id": f"{event['id']}-b", "at": f"{date}T07:00:01{offset}"}
    errs.days[again] += [json.dumps(each, separators=(",", ":")) + "\n" for each in (reversal, booked)]
    errs.done["reversed"] += 1


def _held_back(days: Days, w: World, silent: dict[int, tuple[str, int]], done: Counter[str]) -> Days:
    """What a silent feed had to say comes on the first day after the silence."""
    found: Days = [[] for _ in days]
    for day, lines in enumerate(days):
        feed, after = silent.get(w.first + day, ("", 0))
        for line in lines:
            start = line.find('"source":"') + 10
            is_silent = bool(feed) and FEED_OF_SOURCE.get(line[start : line.find('"', start)]) == feed
            done["held_back"] += is_silent
            found[after - w.first if is_silent else day].append(line)
    return found


_TOUCHES: dict[str, Callable[[Errs, int, str], None]] = {
    "late": _late,
    "duplicate": _twice,
    "conflicting": _conflict,
    "malformed": _break,
    "misordered": _swap,
}
