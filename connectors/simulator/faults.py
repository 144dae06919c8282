"""How feeds err: late, twice, taken back, conflicting, out of order, broken, silent.

Everything is drawn from streams of their own, so that the lives told are the same with and without faults.
"""

from collections import Counter
from random import Random

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


def arrived(days: Days, number: int, w: World, rate: float, silent: dict[int, tuple[str, int]]) -> tuple[Days, Counter[str]]:
    """One borrower's lines by the day on which they arrive, and what was done to them; day 0 is the first told one."""
    chance, f = Random(f"{w.seed}:{number}:faults"), w.figures.faults
    found: Days = [[] for _ in days]
    done: Counter[str] = Counter()
    last = len(days) - 1
    limits = [f.late, f.duplicate, f.conflicting, f.malformed, f.misordered]
    late, twice, conflict, broken, swapped = (sum(limits[: n + 1]) * rate for n in range(5))
    for day, lines in enumerate(days):
        for line in lines:
            draw = chance.random()
            on = day
            if draw < swapped:
                if draw < late and day < last:
                    on = min(last, day + 1 + int(chance.random() * LATEST))
                    done["late"] += 1
                elif late <= draw < twice:
                    found[day].append(line)
                    done["duplicate"] += 1
                elif twice <= draw < conflict and '"amount_minor":' in line:
                    found[day].append(line)
                    line = line.replace('"amount_minor":', '"amount_minor":1', 1)
                    done["conflicting"] += 1
                elif conflict <= draw < broken:
                    found[day].append(_broken(line, chance, done))
                elif broken <= draw and found[day]:
                    found[day].insert(len(found[day]) - 1, line)
                    done["misordered"] += 1
                    continue
            elif '"repayment.received"' in line and chance.random() < f.reversed * rate and day + 3 < last:
                again = day + 1 + int(chance.random() * 3)
                found[again] += _taken_back(line, w, again)
                done["reversed"] += 1
            found[on].append(line)
    return (_held_back(found, w, silent, done) if silent else found), done


def _broken(line: str, chance: Random, done: Counter[str]) -> str:
    """A copy of a line that cannot be used."""
    kind = _BROKEN[int(chance.random() * 3)]
    if kind == "bad_field" and '"amount_minor":' not in line:
        kind = "not_json"
    done["malformed"] += 1
    done[kind] += 1
    if kind == "not_json":
        return line[: len(line) // 2] + "\n"
    if kind == "unknown_type":
        return line.replace('"type":"', '"type":"legacy.', 1)
    at = line.index('"amount_minor":') + 15
    return line[:at] + "0.5," + '"was":' + line[at:]


def _taken_back(line: str, w: World, day: int) -> list[str]:
    """A payment taken back, and booked again at once under another id."""
    start = line.index('"id":"') + 6
    own = line[start : line.index('"', start)]
    loan = line[line.index(',"loan_id"') : line.index(',"amount_minor"')]
    borrower = line[line.index('"borrower_id"') : line.index(',"loan_id"')]
    date, offset = w.dates[w.first + day], w.offsets[w.first + day]
    reversal = (
        f'{{"id":"{own}-r","source":"core","type":"repayment.reversed","at":"{date}T07:00:00{offset}",'
        f'{borrower}{loan},"reverses":"{own}"}}\n'
    )
    again = line.replace(f'"{own}"', f'"{own}-b"', 1)
    at = again.index('"at":"') + 6
    return [reversal, f"{again[:at]}{date}T07:00:01{again[again.index(offset, at) :]}"]


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
