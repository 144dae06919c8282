"""Taking an event in: too old, a repeat, a conflict, early, or kept in the way of its type."""

from collections.abc import Callable
from typing import Any

from pipeline import tasks
from pipeline.connected import note_tie
from pipeline.decisions import DeadLetter
from pipeline.decode import Arrival, Refusal
from pipeline.events import BorrowerErased
from pipeline.keeping import NOTHING, Intake, Taken, keep
from pipeline.layout import INSTANT_BITS, layout_of
from pipeline.look import Day
from pipeline.memory import Memory, token_of
from pipeline.misses import reconsider, take_miss, take_rescheduling
from pipeline.payments import take_payment, take_reversal
from pipeline.shelf import CompiledShelf
from pipeline.zone import date_of_number, day_number

FOREVER = 1 << 40


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
    intake = Intake(shelf, day, memory, arrival, token, layout)
    try:
        taken = _HANDLERS.get(arrival.type, keep)(intake)
    except Refusal as refusal:
        return _refused(arrival, refusal.reason, refusal.why)
    return reconsider(intake, taken) if taken.is_correction else taken


def known_digest(memory: Memory, token: str) -> int | None:
    """The digest of an event that is known by this token: kept, taken back, waiting or parked."""
    head = memory.head
    if memory.may_know(token) and (found := memory.find(token)) is not None:
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


# -- what people do ---------------------------------------------------------


def _snoozed(intake: Intake) -> Taken:
    event: Any = intake.arrival.event
    rule = event.rule or (event.alert_id or "").split("/", 1)[0]
    if rule:
        intake.memory.head.snoozed[rule] = FOREVER if event.until is None else day_number(event.until)
    return keep(intake)


def _begun(intake: Intake) -> Taken:
    event: Any = intake.arrival.event
    tasks.begin(intake.memory, event.task_id or "")
    return keep(intake)


def _done(intake: Intake) -> Taken:
    event: Any = intake.arrival.event
    done = tasks.finish(intake.memory, event.task_id or "")
    return keep(intake)._replace(decisions=tuple(done))


def _related(intake: Intake) -> Taken:
    arrival = intake.arrival
    note_tie(intake.memory, arrival.event, arrival.date << INSTANT_BITS | arrival.at_ms)
    return keep(intake)


def _erased(intake: Intake) -> Taken:
    """Forget everything but that it was asked for, and how far ids were numbered."""
    memory = intake.memory
    assert isinstance(intake.arrival.event, BorrowerErased)
    cancelled = tasks.cancel_all(memory)
    head, fresh = memory.head, Memory(memory.borrower_id)
    episodes, tasks_of = [each.n for each in head.episodes.values()], [each.n for each in head.tasks.values()]
    fresh.head.numbered = max(head.numbered, *episodes, *tasks_of, 0)
    for name in Memory.__slots__:
        setattr(memory, name, getattr(fresh, name))
    memory.head.void[intake.token] = (intake.arrival.date, intake.arrival.digest)
    memory.is_touched = True
    return Taken(decisions=tuple(cancelled))


_HANDLERS: dict[str, Callable[[Intake], Taken]] = {
    "repayment.received": take_payment,
    "repayment.reversed": take_reversal,
    "repayment.missed": take_miss,
    "loan.rescheduled": take_rescheduling,
    "rule.snoozed": _snoozed,
    "task.begun": _begun,
    "task.done": _done,
    "relation.set": _related,
    "borrower.erased": _erased,
}
