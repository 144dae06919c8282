"""Keeping an event: packed into its stream, and folded into the ledger of its loan."""

from typing import Any, NamedTuple

from pipeline import ledger, standing
from pipeline.decisions import Decision, Disagreement
from pipeline.decode import Arrival
from pipeline.layout import INSTANT_BITS, Layout
from pipeline.ledger import Loan
from pipeline.look import Day, note_feed
from pipeline.memory import Memory, Row
from pipeline.money import amounts_of, in_currency, in_reporting_currency
from pipeline.shelf import CompiledShelf
from pipeline.standing import Due, State
from pipeline.zone import date_of_number, day_number


class News(NamedTuple):
    """One thing that changed: an event that is now remembered, or one that was taken back."""

    type: str
    key: str
    row: Row


class Taken(NamedTuple):
    """What came of an arrival."""

    news: tuple[News, ...] = ()
    decisions: tuple[Decision, ...] = ()
    released: tuple[Arrival, ...] = ()  # what had waited for this
    is_correction: bool = False
    closed_loan: str = ""


NOTHING = Taken()
NO_ARRIVALS: tuple[Arrival, ...] = ()
NO_NOTES: tuple[Decision, ...] = ()


class Intake(NamedTuple):
    """An arrival on its way into memory."""

    shelf: CompiledShelf
    day: Day
    memory: Memory
    arrival: Arrival
    token: str
    layout: Layout
    of_loan: str = ""  # the loan of the payment that a reversal takes back

    @property
    def loan_id(self) -> str:
        """The loan it belongs to, or nothing."""
        return self.of_loan or loan_named(self.arrival)

    @property
    def is_late(self) -> bool:
        """Whether it belongs to a day that is closed."""
        return self.arrival.date < self.day.date


def keep(intake: Intake) -> Taken:
    """Remember an event and fold it into its loan's ledger."""
    shelf, day, memory, arrival, token, layout, of_loan = intake
    event: Any = arrival.event
    is_foreign = event.currency is not None and event.currency != shelf.terms.reporting_currency
    measured = in_reporting_currency(event, shelf.terms.reporting_currency, day.rates) if is_foreign else event
    sort_key = arrival.date << INSTANT_BITS | arrival.at_ms
    row = (sort_key, arrival.digest, *layout.pack(measured, memory.number))
    key, came_to_be, notes = "", NO_ARRIVALS, NO_NOTES
    if layout.kind.key == "loan_id":
        key = of_loan or event.loan_id or ""
        if key:
            original = _in_loan_currency(intake, row, key)
            came_to_be = _loan_of(intake, key)
            memory.note_change("loan", key)
            if original is not row:
                memory.head.loans[key].originals[token] = original
                memory.tail = None
            memory.keep(layout, key, row, token)
            if arrival.type in ledger.FOLDED:
                notes = _fold(intake, key, row, original)
        else:
            memory.keep(layout, "", row, token)
    else:
        if layout.kind.key is not None:
            key = event.account_id or ""
            if key and key not in memory.head.accounts:
                memory.head.accounts.append(key)
                memory.tail = None
        memory.keep(layout, key, row, token)
    if note_feed(memory, layout.feed, sort_key, is_from_ever=arrival.type == "loan.disbursed"):
        memory.sheets.clear()
    closed = key if arrival.type in ("loan.closed", "loan.written_off") else ""
    return Taken((News(arrival.type, key, row),), notes, came_to_be, arrival.date < day.date, closed)


def _loan_of(intake: Intake, loan_id: str) -> tuple[Arrival, ...]:
    """Bring a loan into being with its first event; returns the payments that waited for it."""
    memory, event = intake.memory, intake.arrival.event
    loan = memory.head.loans.get(loan_id)
    released = NO_ARRIVALS
    if loan is None:
        memory.tail = None
        loan = memory.head.loans[loan_id] = Loan(State())
        released = tuple(
            each.arrival
            for each in memory.head.waiting
            if each.arrival.type == "repayment.received" and loan_named(each.arrival) == loan_id
        )
        memory.head.waiting = [each for each in memory.head.waiting if each.arrival not in released]
    if loan.currency is None and amounts_of(event):
        own = getattr(event, "currency", None)
        loan.currency = "" if own in (None, intake.shelf.terms.reporting_currency) else own
        memory.tail = None
    if intake.arrival.type == "loan.disbursed":
        loan.product = getattr(event, "product", "")
        loan.segment = getattr(event, "segment", None) or ""
        memory.tail = None
    schedule = getattr(event, "schedule", None)
    if schedule:
        memory.tail = None
        loan.schedules[intake.token] = sorted(_due(item) for item in schedule)
    return released


def loan_named(arrival: Arrival) -> str:
    """The loan that an event names, or nothing."""
    return getattr(arrival.event, "loan_id", None) or ""


def _due(item: Any) -> Due:
    return Due(day_number(item.due_on), item.instalment, item.fee_minor, item.interest_minor, item.principal_minor)


def _in_loan_currency(intake: Intake, row: Row, loan_id: str) -> Row:
    """The row as the ledger reads it: in the loan's own currency."""
    event: Any = intake.arrival.event
    reporting = intake.shelf.terms.reporting_currency
    loan = intake.memory.head.loans.get(loan_id)
    own = event.currency or reporting
    wanted = own if loan is None or loan.currency is None else loan.currency or reporting
    if own == wanted == reporting:
        return row
    converted = in_currency(event, own, wanted, intake.day.rates, reporting)
    return (*row[:2], *intake.layout.pack(converted, intake.memory.number))


def _fold(intake: Intake, loan_id: str, row: Row, original: Row) -> tuple[Decision, ...]:
    """Fold an event into the ledger, in order where it came in order, else all again."""
    memory, arrival, token = intake.memory, intake.arrival, intake.token
    loan, terms = memory.head.loans[loan_id], intake.shelf.setting.terms(memory)
    place = (row[0], token)
    is_snapshot = arrival.type == "loan.snapshot"
    if place < loan.latest and _commutes(intake, loan_id, row):
        ledger.apply(loan, loan.state, arrival.type, original, token, terms)
        return NO_NOTES
    if place < loan.latest:
        refold(intake.shelf, memory, loan_id)
        if not is_snapshot:
            return ()
        before = ledger.state_before(loan, ledger_rows(memory, loan_id), token, terms)
        return _disagreements(intake, before)
    notes = _disagreements(intake, loan.state) if is_snapshot else NO_NOTES
    ledger.apply(loan, loan.state, arrival.type, original, token, terms)
    loan.latest = place
    return notes


def _commutes(intake: Intake, loan_id: str, row: Row) -> bool:
    """Whether folding a due or a payment now comes to the same as folding it in its place.

    Money is one pool, so it does where only dues, payments and misses came after; but an early settlement ends the
    dues, and a due of the same instalment takes the place of another: with these the order counts.
    """
    memory, own_type = intake.memory, intake.arrival.type
    early = intake.shelf.setting.terms(memory).early
    if own_type != "repayment.due" and (own_type != "repayment.received" or ledger.kind_of(row) == early):
        return False
    for type_name in ledger.FOLDED:
        stream = memory.streams.get(type_name, {}).get(loan_id)
        for each in () if stream is None or type_name == "repayment.missed" else stream.since(row[0]):
            is_payment = type_name == "repayment.received" and ledger.kind_of(each) != early
            is_other_due = type_name == "repayment.due" and (
                own_type != type_name or each == row or ledger.instalment_of(each) != ledger.instalment_of(row)
            )
            if not is_payment and not is_other_due:
                return False
    return True


def refold(shelf: CompiledShelf, memory: Memory, loan_id: str) -> None:
    """Fold a loan's kept events again from its checkpoint."""
    rows = ledger_rows(memory, loan_id)
    loan = memory.head.loans[loan_id]
    ledger.refold(loan, rows, shelf.setting.terms(memory))
    memory.note_change("loan", loan_id)
    if rows:
        loan.latest = (rows[-1][1][0], rows[-1][2])


def ledger_rows(memory: Memory, loan_id: str) -> list[tuple[str, Row, str]]:
    """A loan's kept events that its ledger folds, in the order of (date, instant, id)."""
    rows = [
        (type_name, row, token)
        for type_name in ledger.FOLDED
        if (stream := memory.streams.get(type_name, {}).get(loan_id)) is not None
        for row, token in stream.each()
    ]
    return sorted(rows, key=lambda entry: (entry[1][0], entry[2]))


def _disagreements(intake: Intake, state: State) -> tuple[Decision, ...]:
    """What the core's snapshot says otherwise than the ledger would have for its date."""
    event: Any = intake.arrival.event
    on = intake.arrival.date
    terms = intake.shelf.setting.terms(intake.memory)
    own = {
        "days_past_due": standing.days_past_due(state, on),
        "arrears_minor": standing.arrears(state, on),
        "outstanding_minor": standing.outstanding(state, terms),
    }
    return tuple(
        Disagreement(
            borrower_id=intake.memory.borrower_id,
            loan_id=intake.loan_id,
            business_date=date_of_number(on).isoformat(),
            field=name,
            core=stated,
            ledger=ours,
        )
        for name, ours in own.items()
        if ours is not None and (stated := getattr(event, name)) is not None and stated != ours
    )
