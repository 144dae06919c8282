"""Journeys of one loan for the tests of the ledger: events by day number, and what the loan shows at every close."""

import json
from collections.abc import Callable, Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from pipeline import standing
from pipeline.decisions import DeadLetter, Decision, Disagreement
from pipeline.decode import Arrival, Decoder
from pipeline.engine import close_day, open_day, step
from pipeline.layout import day_of
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.shelf import BankTerms, CompiledShelf, compile_shelf
from pipeline.zone import Zone, date_of_number, day_number
from rules.rule import Comparison, Measure, Name, Number, Rule, Shelf

DAY_0 = date(2025, 1, 1)
ZONE = Zone("Asia/Shanghai")
DECODER = Decoder("Asia/Shanghai", "CNY")
Told = dict[str, Any]


class Figures(NamedTuple):
    """What a loan shows at the close of a day; None is unknown."""

    days_past_due: int | None
    arrears: int | None
    outstanding: int | None


class Journey(NamedTuple):
    """Everything that came of a journey; `figures[n]` is the close of day n."""

    figures: dict[int, Figures]
    misses: list[tuple[str, int]]  # id and day of every miss that is kept
    decisions: list[tuple[int, Decision]]
    memory: Memory
    open_rules: dict[int, set[str]]  # rules with an open episode at the close of a day

    def days(self, *days: int) -> list[int | None]:
        return [self.figures[day].days_past_due for day in days]

    def arrears(self, *days: int) -> list[int | None]:
        return [self.figures[day].arrears for day in days]

    def outstanding(self, *days: int) -> list[int | None]:
        return [self.figures[day].outstanding for day in days]

    @property
    def dead_letters(self) -> list[tuple[int, str]]:
        return [(day, each.reason) for day, each in self.decisions if isinstance(each, DeadLetter)]

    @property
    def disagreements(self) -> list[tuple[str, int, int]]:
        """Field, the core's figure, the ledger's."""
        found = [each for _, each in self.decisions if isinstance(each, Disagreement)]
        return [(each.field, each.core, each.ledger) for each in found]


def iso(day: int) -> str:
    return (DAY_0 + timedelta(day)).isoformat()


def told(event_type: str, day: int, /, **own: Any) -> Told:
    """An event of loan L1; its id and second come from its place in the journey unless they are given."""
    fields = {name: value for name, value in own.items() if value is not None}
    return {"type": event_type, "source": "core", "borrower_id": "B1", "loan_id": "L1", "day": day, **fields}


def disbursed(day: int = 0, principal: int = 120_000, **own: Any) -> Told:
    return told("loan.disbursed", day, product=own.pop("product", "loan"), principal_minor=principal, **own)


def line(instalment: int, *, on: int, principal: int, interest: int = 0, fee: int = 0) -> Told:
    return {
        "instalment": instalment,
        "due_on": iso(on),
        "principal_minor": principal,
        "interest_minor": interest,
        "fee_minor": fee,
    }


def due(instalment: int, *, on: int, amount: int = 10_000, day: int | None = None, **own: Any) -> Told:
    """A due that is told on its own due date unless another day is given."""
    return told(
        "repayment.due", on if day is None else day, instalment=instalment, due_on=iso(on), amount_minor=amount, **own
    )


def paid(day: int, amount: int, **own: Any) -> Told:
    return told("repayment.received", day, amount_minor=amount, **own)


def reversed_(day: int, target: str, **own: Any) -> Told:
    return told("repayment.reversed", day, reverses=target, **own)


def missed(day: int, instalment: int | None = None, **own: Any) -> Told:
    return told("repayment.missed", day, instalment=instalment, **own)


def paused(day: int, begin: int, end: int, **own: Any) -> Told:
    return told("loan.paused", day, from_date=iso(begin), until_date=iso(end), **own)


def rescheduled(day: int, *schedule: Told, distressed: bool = False, **own: Any) -> Told:
    return told("loan.rescheduled", day, schedule=list(schedule), distressed=distressed, **own)


def snapshot(
    day: int, *, days: int | None = None, arrears: int | None = None, outstanding: int | None = None, **own: Any
) -> Told:
    return told("loan.snapshot", day, days_past_due=days, arrears_minor=arrears, outstanding_minor=outstanding, **own)


def arriving(on: int, event: Told) -> Told:
    """The event, but it comes in on another day than its own."""
    return event | {"arrives": on}


def as_record(event: Told, n: int) -> Told:
    """What stands on the wire: the n-th event of a journey comes n seconds after nine."""
    second = event.get("second", n)
    at = f"{iso(event['day'])}T09:{second // 60:02}:{second % 60:02}+08:00"
    own = {name: value for name, value in event.items() if name not in ("day", "arrives", "second")}
    return {"id": f"e{n}", "at": at} | own


def decoded(record: Told) -> Arrival:
    return DECODER.decode(json.dumps(record).encode(), {"line": 1})


def terms_of(**own: Any) -> BankTerms:
    return BankTerms(ZONE, "CNY", lambda day, days: ZONE.at(day + days, time(18)), **own)


def shelf_of(terms: BankTerms, *rules: Any) -> CompiledShelf:
    return compile_shelf(Shelf(tuple(rules), "shelf"), terms)


def at_least(name: str, fact: str, least: int) -> Rule:
    """A rule that is open while a fact of a loan's ledger is not below a number."""
    when = Comparison(">=", Name("fact"), Number(Decimal(least)))
    return Rule(name, "", "live", "", "", "", "loan_id", {"fact": Measure("fact", "now", fact)}, when, "low", "{fact}")


PLAIN = shelf_of(terms_of())
Between = Callable[[Memory], Memory]


def journey(
    *events: Told,
    until: int,
    shelf: CompiledShelf = PLAIN,
    between: Between | None = None,
    rates: dict[str, int] | None = None,
    missing: dict[int, set[str]] | None = None,
) -> Journey:
    """Run a journey of one borrower to the close of day `until`; every event comes on its own day unless it says when.

    `between` may change the memory after every event and every close.
    """
    records = [(event.get("arrives", event["day"]), as_record(event, n)) for n, event in enumerate(events)]
    return run([(arrives, decoded(record)) for arrives, record in records], until, shelf, between, rates, missing)


def run(
    arrivals: Iterable[tuple[int, Arrival]],
    until: int,
    shelf: CompiledShelf = PLAIN,
    between: Between | None = None,
    rates: dict[str, int] | None = None,
    missing: dict[int, set[str]] | None = None,
) -> Journey:
    """Feed arrivals by day, closing every day; `missing` names the feeds that did not come, by day."""
    by_day: dict[int, list[Arrival]] = {}
    for arrives, arrival in arrivals:
        by_day.setdefault(arrives, []).append(arrival)
    memory = Memory("B1")
    figures: dict[int, Figures] = {}
    open_rules: dict[int, set[str]] = {}
    decisions: list[tuple[int, Decision]] = []
    day = Day(date=day_number(DAY_0) + min(by_day), rates=rates or {})
    for n in range(min(by_day), until + 1):
        decisions += [(n, each) for each in open_day(shelf, day, memory)[1]]
        for arrival in by_day.get(n, ()):
            decisions += [(n, each) for each in step(shelf, day, memory, arrival)[1]]
            memory = memory if between is None else between(memory)
        day = msgspec.structs.replace(day, missing=frozenset((missing or {}).get(n, ())))
        decisions += [(n, each) for each in close_day(shelf, day, memory)[1]]
        figures[n] = figures_of(shelf, day, memory)
        open_rules[n] = {each.rule for each in memory.head.episodes.values() if each.state == "open"}
        memory = memory if between is None else between(memory)
        day = day.next()
    return Journey(figures, misses_of(memory), decisions, memory, open_rules)


def figures_of(shelf: CompiledShelf, day: Day, memory: Memory, loan_id: str = "L1") -> Figures:
    """Asked of the ledger itself: a profile says the same, and takes four times as long."""
    loan = memory.head.loans.get(loan_id)
    if loan is None:
        return Figures(None, None, None)
    on, terms = day.date, shelf.setting.terms(memory)
    return Figures(
        standing.days_past_due(loan.state, on),
        standing.arrears(loan.state, on),
        standing.outstanding(loan.state, terms),
    )


def misses_of(memory: Memory, loan_id: str = "L1") -> list[tuple[str, int]]:
    stream = memory.streams.get("repayment.missed", {}).get(loan_id)
    rows = [] if stream is None else stream.each()
    return [(token.split("\t")[0], (date_of_number(day_of(row[0])) - DAY_0).days) for row, token in rows]
