"""The same step as one would first write it: plain dicts and lists, every measure recomputed, every rule a closure.

It knows the events and rules of the made-up portfolio and nothing more, and must open the same episodes as the engine.
"""

import json
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from benchmarks.workload import MEASURES
from pipeline.zone import date_of_number, day_number
from rules.rule import And, Comparison, Measure, Name, Number, Rule, Shelf

Known = tuple[Any, Any]  # exactly, and at least; None is unknown
EVER = -1
SCALES = {"amount": 100, "used_share": 1_000_000}


@dataclass
class Borrower:
    """What is remembered of one borrower."""

    events: list[tuple[int, str, str, dict[str, Any]]] = field(default_factory=list)  # date, at, id, event
    seen: dict[str, str] = field(default_factory=dict)  # id -> the event as text
    known: dict[str, int] = field(default_factory=dict)  # feed -> first date
    missed: dict[int, int] = field(default_factory=dict)  # instalment -> the close that derived it
    episodes: dict[str, dict[str, Any]] = field(default_factory=dict)  # rule -> its life


class Naive:
    """All borrowers and all rules."""

    def __init__(self, shelf: Shelf) -> None:
        self.rules = [(rule, _closures(rule), _read_by(rule)) for rule in shelf.rules]
        self.borrowers: dict[str, Borrower] = {}
        self.stored: dict[str, str] = {}

    def remember(self, raws: list[bytes], today: int) -> None:
        """Take a day of lines in without asking any rule."""
        for raw in raws:
            self._take_in(raw)
        for borrower in self.borrowers.values():
            _derive_misses(borrower, today)

    def step(self, raw: bytes, today: int) -> list[dict[str, Any]]:
        """Take one line in; returns the alerts."""
        taken = self._take_in(raw)
        if taken is None:
            return []
        borrower, event, date, taken_back = taken
        news = [event, *taken_back]
        values = {name: _measured(borrower, measure, today) for name, measure in MEASURES.items()}
        alerts = []
        for rule, (holds, fails), reads in self.rules:
            if any(
                kind == e["type"] and category in (None, e.get("category")) for e in news for kind, category in reads
            ):
                truth = True if holds(values) else False if fails(values) else None
                alerts += _advance(event["borrower_id"], borrower, rule, truth, today, values, date < today)
        return alerts

    def close_day(self, today: int) -> list[dict[str, Any]]:
        """End a day for every borrower; returns the alerts."""
        alerts = []
        for borrower_id, borrower in sorted(self.borrowers.items()):
            _derive_misses(borrower, today)
            values = {name: _measured(borrower, measure, today) for name, measure in MEASURES.items()}
            for rule, (holds, fails), _ in self.rules:
                truth = True if holds(values) else False if fails(values) else None
                alerts += _advance(borrower_id, borrower, rule, truth, today, values, False)
        return alerts

    def _take_in(self, raw: bytes) -> tuple[Borrower, dict[str, Any], int, list[dict[str, Any]]] | None:
        event = json.loads(raw)
        borrower = self.borrowers.setdefault(event["borrower_id"], Borrower())
        text = json.dumps(event, sort_keys=True)
        if any(isinstance(value, float) for value in event.values()) or event["id"] in borrower.seen:
            return None
        borrower.seen[event["id"]] = text
        date = day_number(datetime.fromisoformat(event["business_date"]).date())
        _keep(borrower, date, event)
        return borrower, event, date, _taken_back(borrower) if event["type"] == "repayment.received" else []

    def store(self, borrower_ids: set[str]) -> None:
        """Keep the touched borrowers as text."""
        for borrower_id in borrower_ids:
            self.stored[borrower_id] = json.dumps(vars(self.borrowers[borrower_id]))


# -- memory -----------------------------------------------------------------


def _keep(borrower: Borrower, date: int, event: dict[str, Any]) -> None:
    insort(borrower.events, (date, event["at"], event["id"], event))
    feed = _feed(event["type"])
    first = EVER if event["type"] == "loan.disbursed" else date
    borrower.known[feed] = min(borrower.known.get(feed, first), first)


def _derive_misses(borrower: Borrower, today: int) -> None:
    for instalment, due_on in _unpaid(borrower):
        if due_on < today and instalment not in borrower.missed:
            borrower.missed[instalment] = today
            insort(borrower.events, (today, "~", f"missed/{instalment}", {"type": "repayment.missed"}))


def _taken_back(borrower: Borrower) -> list[dict[str, Any]]:
    """Misses of instalments that were paid in time, as is known now."""
    gone = []
    for instalment, on in list(borrower.missed.items()):
        if not any(n == instalment and due_on < on for n, due_on in _unpaid(borrower, on)):
            del borrower.missed[instalment]
            gone += [each for each in borrower.events if each[2] == f"missed/{instalment}"]
    borrower.events = [each for each in borrower.events if each not in gone]
    return [event for _, _, _, event in gone]


def _feed(type_name: str) -> str:
    prefix = type_name.split(".", 1)[0]
    return "repayment" if prefix == "loan" else prefix


def _unpaid(borrower: Borrower, until: int | None = None) -> list[tuple[int, int]]:
    """Instalments that are not fully paid, at a close or now, oldest first, with their due dates."""
    told = [e for date, _, _, e in borrower.events if until is None or date <= until]
    pool = sum(e["amount_minor"] for e in told if e["type"] == "repayment.received")
    dues = [e for e in told if e["type"] == "repayment.due"]
    owing = []
    for due in sorted(dues, key=lambda e: str(e["due_on"])):
        if pool >= due["amount_minor"]:
            pool -= due["amount_minor"]
        else:
            pool = 0
            owing.append((due["instalment"], day_number(datetime.fromisoformat(due["due_on"]).date())))
    return owing


# -- measures ---------------------------------------------------------------


def _measured(borrower: Borrower, measure: Measure, today: int) -> Known:
    if measure.verb == "now":
        if not any(e["type"] == "repayment.due" for _, _, _, e in borrower.events):
            return None, None
        late = [due_on for _, due_on in _unpaid(borrower) if due_on <= today]
        return (today - min(late),) * 2 if late else (0, 0)
    selector = measure.select[0]
    category = _category_of(selector.where)
    first = today - measure.over.count if measure.over is not None else EVER  # the window is open at its start
    found = [
        (date, e)
        for date, _, _, e in borrower.events
        if e["type"] == selector.event and date > first and category in (None, e.get("category"))
    ]
    known = borrower.known.get(_feed(selector.event))
    is_full = measure.over is None or (known is not None and known <= first + 1)
    if measure.verb == "count":
        return len(found) if is_full else None, len(found)
    if measure.verb == "sum":
        total = sum(e["amount_minor"] for _, e in found)
        return total if is_full else None, total
    if not found or not is_full:
        return None, None
    return (_of_found(measure, found, today),) * 2


def _of_found(measure: Measure, found: list[tuple[int, dict[str, Any]]], today: int) -> Any:
    if measure.verb == "days_since":
        return today - found[-1][0]
    name = {"used_share": "used_share_ppm"}.get(measure.what or "", measure.what)
    values = [e[name] for _, e in found]
    return values[-1] if measure.verb == "latest" else Fraction(sum(values), len(values))


def _category_of(where: Any) -> str | None:
    return None if where is None else str(where.right.value)


# -- rules ------------------------------------------------------------------


def _closures(rule: Rule) -> tuple[Callable[[dict[str, Known]], bool], Callable[[dict[str, Known]], bool]]:
    assert isinstance(rule.when, And)
    pairs = [_comparison(part, rule) for part in rule.when.parts]
    return (
        lambda values: all(holds(values) for holds, _ in pairs),
        lambda values: any(fails(values) for _, fails in pairs),
    )


def _comparison(part: Any, rule: Rule) -> tuple[Callable[[dict[str, Known]], bool], Callable[[dict[str, Known]], bool]]:
    assert isinstance(part, Comparison) and isinstance(part.left, Name) and isinstance(part.right, Number)
    name = part.left.name
    point = Fraction(part.right.value) * SCALES.get(rule.measure[name].what or "", 1)

    def is_high(values: dict[str, Known]) -> bool:
        return values[name][1] is not None and values[name][1] >= point

    def is_low(values: dict[str, Known]) -> bool:
        return values[name][0] is not None and values[name][0] < point

    return (is_high, is_low) if part.comparator == ">=" else (is_low, is_high)


def _read_by(rule: Rule) -> set[tuple[str, str | None]]:
    """Types of events that a rule reads, each perhaps of one category only."""
    ledger = {("repayment.due", None), ("repayment.received", None), ("loan.disbursed", None)}
    found: set[tuple[str, str | None]] = set()
    for measure in rule.measure.values():
        found |= {(s.event, _category_of(s.where)) for s in measure.select} if measure.select else ledger
    return found


# -- episodes ---------------------------------------------------------------


def _advance(
    borrower_id: str,
    borrower: Borrower,
    rule: Rule,
    truth: bool | None,
    today: int,
    values: dict[str, Known],
    is_late: bool,
) -> list[dict[str, Any]]:
    life = borrower.episodes.setdefault(rule.rule, {"state": "closed", "n": 0, "opened": None})
    if truth is not True and life["state"] == "pending":
        life["state"] = "closed"
    elif truth is True and life["state"] != "open":
        if life["state"] == "closed":
            life |= {"state": "pending", "since": today}
        is_quiet = life["opened"] is not None and today - life["opened"] < rule.quiet
        if today - life["since"] >= rule.hold and not is_quiet:
            life |= {"state": "open", "n": life["n"] + 1, "opened": today, "false_since": None}
            return [_alert(borrower_id, rule, life, "opened", today, values)]
    elif life["state"] == "open":
        is_first = truth is False and life["false_since"] is None
        life["false_since"] = None if truth is not False else today if is_first else life["false_since"]
        if truth is False and ((is_first and is_late) or today - life["false_since"] >= rule.clear_after):
            life["state"] = "closed"
            return [_alert(borrower_id, rule, life, "closed", today, values)]
    return []


def _alert(
    borrower_id: str, rule: Rule, life: dict[str, Any], transition: str, today: int, values: dict[str, Known]
) -> dict[str, Any]:
    return {
        "id": f"{rule.rule}/{borrower_id}/{life['n']}/{transition}",
        "severity": rule.severity,
        "business_date": date_of_number(today).isoformat(),
        "evidence": {name: str(values[name]) for name in rule.measure},
    }
