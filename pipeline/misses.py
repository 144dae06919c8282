"""Missed instalments: the core's and the engine's are the same miss, counted once."""

from bisect import bisect_left
from typing import Any

from pipeline import ledger, standing
from pipeline.events import RepaymentMissed
from pipeline.keeping import NOTHING, Intake, News, Taken, keep, ledger_rows, refold
from pipeline.layout import ABSENT, day_of, layout_of, when
from pipeline.look import Day
from pipeline.memory import Memory, Row, token_of
from pipeline.sheet import forget_values
from pipeline.shelf import CompiledShelf

OURS = "forewarn"  # the source of derived events
FEED = "repayment"
INSTALMENT = layout_of("repayment.missed").columns["instalment"].offset


def take_miss(intake: Intake) -> Taken:
    """A miss told by the core; the same instalment's miss counts once, whoever saw it first."""
    event: Any = intake.arrival.event
    memory, arrival = intake.memory, intake.arrival
    loan = memory.head.loans.get(intake.loan_id)
    if missed_from(intake.shelf, "" if loan is None else loan.product) == "engine":
        memory.head.void[intake.token] = (arrival.date, arrival.digest)  # known, but out of every window
        memory.is_touched = True
        return NOTHING
    taken = keep(intake)
    memory.is_touched = True
    if event.instalment is not None:
        count_once(intake.shelf, memory, intake.loan_id)
    return taken._replace(news=()) if intake.token in memory.head.void else taken


def take_rescheduling(intake: Intake) -> Taken:
    """A new schedule; it counts its instalments anew, so misses that were one may be two."""
    taken = keep(intake)
    changed = count_once(intake.shelf, intake.memory, intake.loan_id)
    return taken._replace(news=(*taken.news, *(News("repayment.missed", intake.loan_id, row) for row in changed)))


def reconsider(intake: Intake, taken: Taken) -> Taken:
    """Derived misses after news of closed days: what was paid in time, as is known now, was not missed."""
    memory, news = intake.memory, list(taken.news)
    for loan_id in {each.key for each in taken.news if each.type in ledger.FOLDED and each.type != "repayment.missed"}:
        stream = memory.streams.get("repayment.missed", {}).get(loan_id)
        if stream is not None or loan_id in memory.head.void_misses:
            since = min(day_of(each.row[0]) for each in taken.news if each.key == loan_id)
            changed = count_once(intake.shelf, memory, loan_id, since)
            news += [News("repayment.missed", loan_id, row) for row in changed]
    return taken._replace(news=tuple(news))


def count_once(shelf: CompiledShelf, memory: Memory, loan_id: str, since: int = standing.NEVER) -> list[Row]:
    """Of all misses of one instalment under one schedule, only one counts: ours, else the first of the core's.

    Ours counts while the days until it, as they are known now, bear it out; `since` is the first day of which something
    else is known. A miss dated on the day of a rescheduling belongs to the schedule before it. Returns the misses that
    count from now on, or no more.
    """
    head = memory.head
    stream = memory.stream(layout_of("repayment.missed"), loan_id)
    void = head.void_misses.pop(loan_id, [])
    schedules = memory.streams.get("loan.rescheduled", {}).get(loan_id)
    changes = [] if schedules is None else [day_of(row[0]) for row, _ in schedules.each()]
    kept = [(row, token, True) for row, token in stream.each() if row[INSTALMENT] != ABSENT]
    seen: set[tuple[int, int]] = set()
    still_void: list[tuple[Row, str]] = []
    changed: list[Row] = []
    for row, token, counts in sorted([*kept, *((row, token, False) for row, token in void)], key=_place):
        mark = (row[INSTALMENT], bisect_left(changes, day_of(row[0])))
        is_sure = not _is_ours(token) or (counts and day_of(row[0]) < since)
        is_first = mark not in seen and (is_sure or _is_borne_out(shelf, memory, loan_id, row))
        if is_first:
            seen.add(mark)
        if is_first and not counts:
            stream.insert(row, token)
            del head.void[token]
        elif not is_first and counts:
            stream.take(token)
            head.void[token] = (day_of(row[0]), row[1])
        if not is_first:
            still_void.append((row, token))
        if is_first != counts:
            changed.append(row)
    if still_void:
        head.void_misses[loan_id] = still_void
    if changed:
        memory.tail = None
        forget_values(memory, "repayment.missed")
        refold(shelf, memory, loan_id)
    return changed


def _place(entry: tuple[Row, str, bool]) -> tuple[bool, int, str]:
    """The order in which misses claim an instalment: one that was derived stays, however late the core tells of it."""
    row, token, _ = entry
    return not _is_ours(token), row[0], token


def _is_ours(token: str) -> bool:
    return f"\t{OURS}#" in token


def _is_borne_out(shelf: CompiledShelf, memory: Memory, loan_id: str, row: Row) -> bool:
    """Whether a miss would be derived by what is known now: at its own close, or at that of the day after the due."""
    on, instalment = day_of(row[0]), row[INSTALMENT]
    state = _state_on(shelf, memory, loan_id, on)
    if state.status != "open" or instalment in standing.newly_missed(state, on):
        return state.status == "open"
    ripe = [standing.moved(state, due.due_on) + 1 for due in state.dues if due.instalment == instalment]
    return any(
        state.rescheduled_on < day < on
        and instalment in standing.newly_missed(_state_on(shelf, memory, loan_id, day), day)
        for day in ripe
    )


def _state_on(shelf: CompiledShelf, memory: Memory, loan_id: str, on: int) -> standing.State:
    """Where a loan stood at a close, as is known now; no instalment counts as missed in it."""
    rows = [each for each in ledger_rows(memory, loan_id) if day_of(each[1][0]) <= on]
    state = ledger.folded(memory.head.loans[loan_id], rows, shelf.setting.terms(memory))
    state.missed = []
    return state


def missed_from(shelf: CompiledShelf, product: str) -> str:
    """Who tells of misses for a product: both, core or engine."""
    by_product = shelf.terms.missed_from
    return by_product.get(product, by_product.get("", "both"))


def derive_misses(shelf: CompiledShelf, day: Day, memory: Memory) -> None:
    """At the close of a day: a miss for every instalment that is unpaid on the day after its due date.

    None on a day on which the repayment feed is missing: its silence is not news of a borrower.
    """
    if FEED in day.missing:
        return
    layout = layout_of("repayment.missed")
    for loan_id, loan in memory.head.loans.items():
        if not loan.state.dues or missed_from(shelf, loan.product) == "core":
            continue
        for instalment in standing.newly_missed(loan.state, day.date):
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
            # Another schedule may count from 1 again: the date keeps its miss of one number apart from the first.
            token = token_of(event_id, f"{OURS}#{day.date}")
            memory.keep(layout, loan_id, row, token)
            ledger.apply(loan, loan.state, "repayment.missed", row, token, shelf.setting.terms(memory))
            loan.latest = max(loan.latest, (row[0], token))
            memory.note_change("loan", loan_id)
            forget_values(memory, "repayment.missed")
            memory.is_touched = True
