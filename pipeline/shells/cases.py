"""The cases in the rule files, run on the same engine as everything else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from pipeline.decisions import Alert
from pipeline.decode import Arrival
from pipeline.engine import close_day, step
from pipeline.events import ATTRIBUTES, CATALOGUE, EVENT_CLASSES, Scored, rank_of
from pipeline.ledger import Loan
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.shelf import BankTerms, CompiledShelf, compile_shelf
from pipeline.standing import State
from pipeline.zone import date_of_number, day_number
from rules.catalogue import Field
from rules.rule import Case, Expected, Rule, Shelf

DAY_0 = day_number(date(2025, 1, 1))
LONG_BEFORE = DAY_0 - 2_000
SOURCE = "case"
MORNING_MS = 9 * 3_600_000  # events of a day come a second apart, in the order written
DEFAULT_IDS = {"borrower_id": "B1", "loan_id": "L1", "account_id": "A1"}


class Outcome(NamedTuple):
    """One case with what came of it."""

    rule: Rule
    case: Case
    got: tuple[Expected, ...]
    arrivals: tuple[Arrival, ...]

    @property
    def passed(self) -> bool:
        """Whether the whole list of alerts is as written."""
        wanted = self.case.expect
        return len(wanted) == len(self.got) and all(map(is_as_expected, wanted, self.got))


def is_as_expected(want: Expected, got: Expected) -> bool:
    """Whether an alert is the one; an expectation without `say` leaves the words open."""
    return (want.day, want.alert) == (got.day, got.alert) and want.say in (None, got.say)


class Moment(NamedTuple):
    """What one event of a case brought, or the end of a day; `memory` is as it stands right then."""

    on: int
    day: Day
    arrival: Arrival | None  # None: the day ended
    memory: Memory
    decisions: list[Any]


def run_case(rule: Rule, case: Case, terms: BankTerms) -> Outcome:
    """Every alert of a case, to the close of the later of (last given day + `for`) and the last expected day."""
    shelf = shelf_of_case(shelf_of_rule(rule, terms), case)
    arrivals = arrivals_of(case, shelf)
    return Outcome(rule, case, tuple(alerts(rule, case, shelf, arrivals)), arrivals)


def shelf_of_rule(rule: Rule, terms: BankTerms) -> CompiledShelf:
    """One rule alone, live."""
    return compile_shelf(Shelf((replace(rule, status="live", inhibited_by=()),), ""), terms)


def shelf_of_case(shelf: CompiledShelf, case: Case) -> CompiledShelf:
    """The same with its feeds known since the case says, or from long before."""
    known = {"": LONG_BEFORE} | {feed: DAY_0 + day for feed, day in case.known_from.items()}
    return shelf._replace(terms=replace(shelf.terms, history=known))


def alerts(rule: Rule, case: Case, shelf: CompiledShelf, arrivals: tuple[Arrival, ...]) -> Iterator[Expected]:
    """What is said in a case, one alert after the other."""
    for moment in moments(rule, case, shelf, arrivals):
        yield from (expected_of(each, moment.on) for each in moment.decisions if isinstance(each, Alert))


def arrivals_of(case: Case, shelf: CompiledShelf) -> tuple[Arrival, ...]:
    """The given lines of a case as arrivals."""
    return tuple(arrival_of(given, n, shelf) for n, given in enumerate(case.given))


def moments(rule: Rule, case: Case, shelf: CompiledShelf, arrivals: tuple[Arrival, ...]) -> Iterator[Moment]:
    """Every event of a case and the end of every day, borrower by borrower, one after the other."""
    last = max([each.date + rule.hold for each in arrivals] + [DAY_0 + want.day for want in case.expect], default=DAY_0)
    borrowers: dict[str, Memory] = {}
    by_date: dict[int, list[Arrival]] = {}
    for each in arrivals:
        by_date.setdefault(each.date, []).append(each)
    first = min((each.date for each in arrivals), default=last)
    for on in range(first, last + 1):
        missing = frozenset(feed for feed, days in case.missing.items() if on - DAY_0 in days)
        day = Day(date=on)
        for arrival in by_date.get(on, ()):
            memory = _memory(borrowers, arrival)
            yield Moment(on - DAY_0, day, arrival, memory, step(shelf, day, memory, arrival)[1])
        day = Day(date=on, missing=missing)  # Only its end says that a feed did not come.
        for _, memory in sorted(borrowers.items()):
            yield Moment(on - DAY_0, day, None, memory, close_day(shelf, day, memory)[1])


def expected_of(alert: Alert, day: int) -> Expected:
    """An alert as a case would expect it."""
    return Expected(day, "closed" if alert.transition == "closed" else alert.severity, alert.say)


def _memory(borrowers: dict[str, Memory], arrival: Arrival) -> Memory:
    """The borrower's memory; in a case the loan of a payment exists."""
    event: Any = arrival.event
    memory = borrowers.setdefault(event.borrower_id, Memory(event.borrower_id))
    loan_id = getattr(event, "loan_id", None)
    if loan_id is not None:
        memory.head.loans.setdefault(loan_id, Loan(State()))
    return memory


def arrival_of(given: dict[str, Any], n: int, shelf: CompiledShelf) -> Arrival:
    """A given line of a case as an arrival; catalogue fields that it omits are absent."""
    type_name = given["event"]
    is_model = type_name.startswith("model.")
    event_class: Any = Scored if is_model else EVENT_CLASSES[type_name]
    kind = CATALOGUE.model if is_model else CATALOGUE.events[type_name]
    date_number = DAY_0 + given["day"]
    at_ms = shelf.terms.zone.start_of(date_number) + MORNING_MS + 1_000 * n
    fields: dict[str, Any] = dict.fromkeys(event_class.__struct_fields__)
    fields |= {"id": f"case-{n}", "source": SOURCE, "at": shelf.terms.zone.instant(at_ms)}
    fields |= {name: value for name, value in DEFAULT_IDS.items() if name in ("borrower_id", kind.key)}
    if is_model:
        fields["model"] = type_name
    attributes = ATTRIBUTES.get(type_name) or {"score": "score_ppm"}
    for name, value in given.items():
        if name in kind.fields:
            fields[attributes[name]] = _kept(value, kind.fields[name], shelf)
        elif name not in ("day", "event"):
            fields[name] = value
    event = event_class(**fields)
    feed = type_name if is_model else kind.feed
    assert rank_of(feed) >= 0
    return Arrival(event, type_name, feed, date_number, at_ms, n, b"", {"case": n}, 0)


def _kept(value: Any, field: Field, shelf: CompiledShelf) -> Any:
    """A value as a rule writes it, in the unit that events keep."""
    if field.unit == "date":
        return date_of_number(DAY_0 + value) if isinstance(value, int) else date.fromisoformat(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    scaled = Fraction(str(value)) * shelf.setting.scale(field)
    return int(scaled)
