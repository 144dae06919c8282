"""Payments and their reversals: what waits for its loan or its target, and what takes an event out of every window."""

from typing import Any

from pipeline.decisions import DeadLetter, Decision
from pipeline.decode import Arrival
from pipeline.keeping import NOTHING, Intake, News, Taken, keep, refold
from pipeline.layout import day_of, layout_of, when
from pipeline.look import note_feed
from pipeline.memory import Memory, Waiting, token_of

WAIT_DAYS = 7  # how long a payment waits for its loan, a reversal for its target (events.md)


def take_payment(intake: Intake) -> Taken:
    """A payment; one for a loan that nobody has told of waits, one already reversed never counts."""
    memory, arrival = intake.memory, intake.arrival
    for waiting in memory.head.waiting:
        if waiting.arrival.type == "repayment.reversed" and _target(waiting.arrival) == intake.token:
            memory.head.waiting.remove(waiting)
            memory.is_touched = True
            memory.head.void[intake.token] = (arrival.date, arrival.digest)
            # The feed is known since this payment all the same, whichever of the two came first.
            if note_feed(memory, "repayment", when(arrival.date, arrival.at_ms), is_from_ever=False):
                memory.sheets.clear()
            if intake.loan_id not in memory.head.loans:
                memory.head.void[waiting.token] = (waiting.arrival.date, waiting.digest)
                return NOTHING
            reversal = intake._replace(
                arrival=waiting.arrival,
                token=waiting.token,
                layout=layout_of(waiting.arrival.type),
                of_loan=intake.loan_id,
            )
            return keep(reversal)._replace(is_correction=True)
    if intake.loan_id not in memory.head.loans:
        return _wait(intake)
    return keep(intake)


def take_reversal(intake: Intake) -> Taken:
    """Take a payment out of every window and out of the ledger; before its target it waits."""
    memory = intake.memory
    target = _target(intake.arrival)
    for waiting in memory.head.waiting:
        if waiting.token == target and waiting.arrival.type == "repayment.received":
            memory.head.waiting.remove(waiting)
            memory.is_touched = True
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
    kept = keep(intake._replace(of_loan=loan_id))
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
