"""The core: one event of one borrower, or the end of a day, and what follows from it.

    step(shelf, day, memory, arrival)  -> (memory, decisions)
    close_day(shelf, day, memory)      -> (memory, decisions)
    open_day(shelf, day, memory)       -> (memory, decisions)    what came before its date, right after the last close

No clock, network, log or randomness is inside; `memory` is changed in place and handed back.
"""

from typing import Any

from pipeline import standing
from pipeline.connected import DEFAULT, warnings
from pipeline.decisions import Decision
from pipeline.decode import Arrival
from pipeline.intake import take_in
from pipeline.judge import keys_of
from pipeline.keeping import Taken
from pipeline.ledger_meters import ledger_until
from pipeline.look import Day, Look
from pipeline.material import note_material, retrace_material
from pipeline.memory import Memory
from pipeline.misses import derive_misses
from pipeline.payments import expire_waiting
from pipeline.prune import prune
from pipeline.sheet import Sheet
from pipeline.shelf import CompiledShelf
from pipeline.sight import Sight
from pipeline.zone import date_text

BACKSTOP_DAYS = 30  # days past due that IFRS 9 presumes to tell of a worse loan: the backstop of early warning
PRUNE_EVERY = 32  # days between two looks for events too old to keep


def step(shelf: CompiledShelf, day: Day, memory: Memory, arrival: Arrival) -> tuple[Memory, list[Decision]]:
    """Take one event in and look at every rule that it concerns.

    An event of a later date is kept and judged right after the close before that date; one of an earlier date goes
    into its own day; a repeat changes nothing.
    """
    taken = take_in(shelf, day, memory, arrival)
    memory.asleep_until = 0
    decisions = list(taken.decisions)
    if taken.news:
        memory.is_touched = True
        memory.quiet_until = 0
        zone = shelf.terms.zone
        now = min(max(memory.head.clock, arrival.at_ms, zone.start_of(day.date)), zone.end_of(day.date))
        memory.head.clock = now
        if taken.is_correction:
            retrace_material(shelf, memory, Look(day, now, zone.date_of, shelf.terms.history), taken.news)
    if taken.news and _concerns(shelf, memory, taken):
        look = Look(day, now, zone.date_of, shelf.terms.history)
        event: Any = arrival.event
        cause = {"type": arrival.type, "id": event.id, "source": event.source}
        sight = Sight(shelf, memory, look, cause, is_correction=taken.is_correction)
        sight.look_at(taken.news)
        decisions += sight.told(taken.closed_loan)
    if taken.news and (decisions or arrival.type == DEFAULT):
        decisions += warnings(shelf, memory, now, decisions, taken.news)
    for waited in taken.released:
        decisions += step(shelf, day, memory, waited)[1]
    if decisions:
        memory.is_touched = True
    return memory, decisions


def _concerns(shelf: CompiledShelf, memory: Memory, taken: Taken) -> bool:
    """Whether a look can bring anything: a rule reads the news, a loan ended, or something is still to be told."""
    return (
        memory.owes
        or bool(taken.closed_loan)
        or memory.head.shelf != shelf.hash
        or not shelf.read_types.isdisjoint([each.type for each in taken.news])
    )


def close_day(shelf: CompiledShelf, day: Day, memory: Memory) -> tuple[Memory, list[Decision]]:
    """End a business day for one borrower, so that silence is noticed."""
    if day.date < memory.asleep_until and not day.missing and memory.head.shelf == shelf.hash:
        return memory, []
    decisions = expire_waiting(memory, day.date)
    zone = shelf.terms.zone
    look = Look(day, zone.end_of(day.date), zone.date_of, shelf.terms.history)
    if day.date >= memory.quiet_until:
        derive_misses(shelf, day, memory)
        note_material(shelf, memory, look)
        _note_backstop(memory, day.date)
        memory.quiet_until = ledger_until(memory, "", day.date)
    cause = {"type": "day.ended", "date": date_text(day.date)}
    sight = Sight(shelf, memory, look, cause, is_correction=False)
    sight.look_at_all()
    decisions += sight.told()
    if day.date - memory.pruned_on >= PRUNE_EVERY:
        prune(shelf, memory, day.date)
    if decisions:
        memory.is_touched = True
        # Others hear of it on the next day, whether this close comes to them before or after.
        decisions += warnings(shelf, memory, zone.start_of(day.date + 1), decisions)
    memory.asleep_until = 0 if day.missing else _asleep_until(shelf, memory)
    return memory, decisions


def _asleep_until(shelf: CompiledShelf, memory: Memory) -> int:
    """The first date whose close may bring anything, if nothing happens before."""
    head = memory.head
    if memory.owes or head.waiting or head.parked:
        return 0
    until = min(memory.quiet_until, memory.pruned_on + PRUNE_EVERY)
    for i, bench in enumerate(shelf.benches):
        if bench.judged:
            for key in keys_of(bench, memory):
                sheet: Sheet | None = memory.sheets.get((i, key))
                if sheet is None or sheet.unsure or sheet.stale:
                    return 0
                until = min(until, sheet.soonest, sheet.stirs)
    return until


def open_day(shelf: CompiledShelf, day: Day, memory: Memory) -> tuple[Memory, list[Decision]]:
    """Begin a day for one borrower: judge the events that came before their date, in the order they came."""
    if not memory.head.parked:
        return memory, []
    due = [arrival for arrival in memory.head.parked if arrival.date <= day.date]
    memory.head.parked = [arrival for arrival in memory.head.parked if arrival.date > day.date]
    decisions: list[Decision] = []
    for arrival in due:
        memory.is_touched = True
        decisions += step(shelf, day, memory, arrival)[1]
    return memory, decisions


def _note_backstop(memory: Memory, on: int) -> None:
    """Keep the first close at which an open loan was so far past due that no warning is early any more."""
    head = memory.head
    if head.backstop_on is not None and head.backstop_on < standing.NEVER:
        return
    states = [loan.state for loan in head.loans.values() if loan.state.status == "open"]
    days = [found for state in states if (found := standing.days_past_due(state, on)) is not None]
    if days:
        was, head.backstop_on = head.backstop_on, on if max(days) >= BACKSTOP_DAYS else standing.NEVER
        memory.is_touched = memory.is_touched or was != head.backstop_on
