"""Taking an event in: repeats and conflicts, late and early ones, what waits for its loan or target, the ledger."""

from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline import ledger, tasks
from pipeline.decisions import DeadLetter, Decision, Disagreement
from pipeline.decode import Arrival, Refusal
from pipeline.events import BorrowerErased, RepaymentMissed
from pipeline.layout import INSTANT_BITS, Layout, day_of, layout_of, when
from pipeline.ledger import Due, Loan, State
from pipeline.look import Day, note_feed
from pipeline.memory import Memory, Row, Waiting, token_of
from pipeline.money import amounts_of, in_currency, in_reporting_currency
from pipeline.sheet import forget_values
from pipeline.shelf import CompiledShelf
from pipeline.zone import date_of_number, day_number

WAIT_DAYS = 7  # how long a payment waits for its loan, a reversal for its target (events.md)
FOREVER = 1 << 40
OURS = "forewarn"  # the source of derived events


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
        return self.of_loan or _loan_named(self.arrival)

    @property
    def is_late(self) -> bool:
        """Whether it belongs to a day that is closed."""
        return self.arrival.date < self.day.date


def take_in(shelf: CompiledShelf, day: Day, memory: Memory, arrival: Arrival) -> Taken:
    """Remember one arrival; nothing that arrives is ever lost, and nothing counts twice."""
    layout = layout_of(arrival.type)
    event: Any = arrival.event
    token = token_of(event.id, event.source)
    late_by = day.date - arrival.date
    if late_by > layout.late_limit:
        why = f"at: expected an event of the last {layout.late_limit} days, got one of {date_of_number(arrival.date)}, "
        return _refused(arrival, "too_old", f"{why}{late_by} days late; correct it in the core's next snapshot")
    known = known_digest(memory, token)
    if known is not None:
        if known == arrival.digest:
            return NOTHING
        why = f"id: {event.id} of {event.source} is known with other content; a correction needs an id of its own"
        return _refused(arrival, "conflict", why)
    if late_by < 0:
        memory.head.parked.append(arrival)
        memory.is_touched = True
        return NOTHING
    try:
        return _HANDLERS.get(arrival.type, _keep)(Intake(shelf, day, memory, arrival, token, layout))
    except Refusal as refusal:
        return _refused(arrival, refusal.reason, refusal.why)


def known_digest(memory: Memory, token: str) -> int | None:
    """The digest of an event that is known by this token: kept, taken back, waiting or parked."""
    head = memory.head
    if f"\n{token}\n" in memory.ids and (found := memory.find(token)) is not None:
        stream = found[0]
        return stream.rows[stream.tokens().index(token) * stream.layout.width + 1]
    if token in head.void:
        return head.void[token][1]
    for waiting in head.waiting:
        if waiting.token == token:
            return waiting.digest
    for parked in head.parked:
        event: Any = parked.event
        if token_of(event.id, event.source) == token:
            return parked.digest
    return None


def _refused(arrival: Arrival, reason: str, why: str) -> Taken:
    letter = DeadLetter(reason=reason, why=why, source=arrival.position, raw=arrival.raw)
    return Taken(decisions=(letter,))


# -- keeping ----------------------------------------------------------------


def _keep(intake: Intake) -> Taken:
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
            if original is not row:
                memory.head.loans[key].originals[token] = original
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
        loan = memory.head.loans[loan_id] = Loan(State())
        released = tuple(
            each.arrival
            for each in memory.head.waiting
            if each.arrival.type == "repayment.received" and _loan_named(each.arrival) == loan_id
        )
        memory.head.waiting = [each for each in memory.head.waiting if each.arrival not in released]
    if loan.currency is None and amounts_of(event):
        own = getattr(event, "currency", None)
        loan.currency = "" if own in (None, intake.shelf.terms.reporting_currency) else own
    if intake.arrival.type == "loan.disbursed":
        loan.product = getattr(event, "product", "")
        loan.segment = getattr(event, "segment", None) or ""
    schedule = getattr(event, "schedule", None)
    if schedule:
        loan.schedules[intake.token] = sorted(_due(item) for item in schedule)
    return released


def _loan_named(arrival: Arrival) -> str:
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


def refold(shelf: CompiledShelf, memory: Memory, loan_id: str) -> None:
    """Fold a loan's kept events again from its checkpoint."""
    rows = ledger_rows(memory, loan_id)
    loan = memory.head.loans[loan_id]
    ledger.refold(loan, rows, shelf.setting.terms(memory))
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
        "days_past_due": ledger.days_past_due(state, on),
        "arrears_minor": ledger.arrears(state, on),
        "outstanding_minor": ledger.outstanding(state, terms),
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


# -- payments and their reversals -------------------------------------------


def _payment(intake: Intake) -> Taken:
    """A payment; one for a loan that nobody has told of waits, one already reversed never counts."""
    memory, arrival = intake.memory, intake.arrival
    for waiting in memory.head.waiting:
        if waiting.arrival.type == "repayment.reversed" and _target(waiting.arrival) == intake.token:
            memory.head.waiting.remove(waiting)
            memory.head.void[intake.token] = (arrival.date, arrival.digest)
            if intake.loan_id not in memory.head.loans:
                memory.head.void[waiting.token] = (waiting.arrival.date, waiting.digest)
                return NOTHING
            reversal = intake._replace(
                arrival=waiting.arrival,
                token=waiting.token,
                layout=layout_of(waiting.arrival.type),
                of_loan=intake.loan_id,
            )
            return _keep(reversal)._replace(is_correction=True)
    if intake.loan_id not in memory.head.loans:
        return _wait(intake)
    return _keep(intake)


def _reversal(intake: Intake) -> Taken:
    """Take a payment out of every window and out of the ledger; before its target it waits."""
    memory = intake.memory
    target = _target(intake.arrival)
    for waiting in memory.head.waiting:
        if waiting.token == target and waiting.arrival.type == "repayment.received":
            memory.head.waiting.remove(waiting)
            memory.head.void[target] = (waiting.arrival.date, waiting.digest)
            memory.head.void[intake.token] = (intake.arrival.date, intake.arrival.digest)
            return NOTHING
    found = memory.find(target)
    if found is None or found[1] != "repayment.received":
        return _wait(intake)
    stream = found[0]
    row = stream.take(target)
    memory.tail = None  # the event may stand in the tail; it must not come back with it
    memory.head.void[target] = (day_of(row[0]), row[1])
    loan_id = next(key for key, each in memory.streams["repayment.received"].items() if each is stream)
    refold(intake.shelf, memory, loan_id)
    kept = _keep(intake._replace(of_loan=loan_id))
    return kept._replace(news=(*kept.news, News("repayment.received", loan_id, row)), is_correction=True)


def _target(arrival: Arrival) -> str:
    event: Any = arrival.event
    return token_of(event.reverses, event.source)


def _wait(intake: Intake) -> Taken:
    waiting = Waiting(intake.day.date, intake.token, intake.arrival.digest, intake.arrival)
    intake.memory.head.waiting.append(waiting)
    intake.memory.is_touched = True
    return NOTHING


def expire_waiting(memory: Memory, on: int) -> list[Decision]:
    """What waited in vain goes to dead letters at the close of its last day."""
    gone = [w for w in memory.head.waiting if on - w.since >= WAIT_DAYS]
    if not gone:
        return []
    memory.head.waiting = [w for w in memory.head.waiting if on - w.since < WAIT_DAYS]
    memory.is_touched = True
    return [
        DeadLetter(reason=reason, why=why, source=w.arrival.position, raw=w.arrival.raw)
        for w in gone
        for reason, why in [_in_vain(w.arrival)]
    ]


def _in_vain(arrival: Arrival) -> tuple[str, str]:
    event: Any = arrival.event
    if arrival.type == "repayment.reversed":
        why = f"reverses: expected a payment of {event.source}, got {event.reverses}, not seen in {WAIT_DAYS} days"
        return "unmatched_reversal", f"{why}; send the payment first"
    why = f"loan_id: expected a known loan, got {event.loan_id}, of which nothing else came in {WAIT_DAYS} days"
    return "bad_field", f"{why}; send loan.disbursed or loan.snapshot first"


# -- misses -----------------------------------------------------------------


def _miss(intake: Intake) -> Taken:
    """A miss told by the core; the same instalment's miss counts once, whoever saw it first."""
    event: Any = intake.arrival.event
    memory, arrival = intake.memory, intake.arrival
    loan = memory.head.loans.get(intake.loan_id)
    is_ours = missed_from(intake.shelf, "" if loan is None else loan.product) == "engine"
    if is_ours or (
        loan is not None and event.instalment is not None and _is_known_miss(intake, loan, event.instalment)
    ):
        memory.head.void[intake.token] = (arrival.date, arrival.digest)  # known, but out of every window
        memory.is_touched = True
        return NOTHING
    return _keep(intake)


def _is_known_miss(intake: Intake, loan: Loan, instalment: int) -> bool:
    """Whether this instalment's miss is known; a rescheduling begins to count its instalments anew."""
    since = loan.state.rescheduled_on
    if intake.arrival.date > since:
        return instalment in loan.state.missed
    stream = intake.memory.streams.get("repayment.missed", {}).get(intake.loan_id)
    column = layout_of("repayment.missed").columns["instalment"].offset
    return stream is not None and any(row[column] == instalment and day_of(row[0]) <= since for row, _ in stream.each())


def missed_from(shelf: CompiledShelf, product: str) -> str:
    """Who tells of misses for a product: both, core or engine."""
    by_product = shelf.terms.missed_from
    return by_product.get(product, by_product.get("", "both"))


def derive_misses(shelf: CompiledShelf, day: Day, memory: Memory) -> None:
    """At the close of a day: a miss for every instalment that is unpaid on the day after its due date."""
    layout = layout_of("repayment.missed")
    for loan_id, loan in memory.head.loans.items():
        if not loan.state.dues or missed_from(shelf, loan.product) == "core":
            continue
        for instalment in ledger.newly_missed(loan.state, day.date):
            at_ms = shelf.terms.zone.end_of(day.date)
            event_id = f"missed/{loan_id}/{instalment}"
            event = RepaymentMissed(
                id=event_id,
                source=OURS,
                at=shelf.terms.zone.instant(at_ms),
                borrower_id=memory.borrower_id,
                loan_id=loan_id,
                instalment=instalment,
            )
            row = (when(day.date, at_ms), 0, *layout.pack(event, memory.number))
            token = token_of(event_id, OURS)
            memory.keep(layout, loan_id, row, token)
            ledger.apply(loan, loan.state, "repayment.missed", row, token, shelf.setting.terms(memory))
            loan.latest = max(loan.latest, (row[0], token))
            forget_values(memory, "repayment.missed")
            memory.is_touched = True


# -- what people do ---------------------------------------------------------


def _snoozed(intake: Intake) -> Taken:
    event: Any = intake.arrival.event
    rule = event.rule or (event.alert_id or "").split("/", 1)[0]
    if rule:
        intake.memory.head.snoozed[rule] = FOREVER if event.until is None else day_number(event.until)
    return _keep(intake)


def _begun(intake: Intake) -> Taken:
    event: Any = intake.arrival.event
    tasks.begin(intake.memory, event.task_id or "")
    return _keep(intake)


def _done(intake: Intake) -> Taken:
    event: Any = intake.arrival.event
    done = tasks.finish(intake.memory, event.task_id or "")
    return _keep(intake)._replace(decisions=tuple(done))


def _related(intake: Intake) -> Taken:
    event: Any = intake.arrival.event
    if event.ended:
        intake.memory.head.related.pop(event.related_id, None)
    else:
        intake.memory.head.related[event.related_id] = event.kind
    return _keep(intake)


def _erased(intake: Intake) -> Taken:
    """Forget everything but that it was asked for."""
    memory = intake.memory
    assert isinstance(intake.arrival.event, BorrowerErased)
    cancelled = tasks.cancel_all(memory)
    fresh = Memory(memory.borrower_id)
    for name in ("head", "codes", "ids", "sheets", "streams", "totals", "tail"):
        setattr(memory, name, getattr(fresh, name))
    memory.head.void[intake.token] = (intake.arrival.date, intake.arrival.digest)
    memory.is_touched = True
    return Taken(decisions=tuple(cancelled))


_HANDLERS: dict[str, Callable[[Intake], Taken]] = {
    "repayment.received": _payment,
    "repayment.reversed": _reversal,
    "repayment.missed": _miss,
    "rule.snoozed": _snoozed,
    "task.begun": _begun,
    "task.done": _done,
    "relation.set": _related,
    "borrower.erased": _erased,
}
