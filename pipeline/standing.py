"""Where a loan stands on a day: days past due, arrears, what is outstanding, which instalments are missed.

Money that was paid is one pool: it covers the dues from the oldest on, and what is left over waits for the next due.
Nothing is allocated for good, so a due that is replaced or inserted finds the money where the rule "oldest unpaid
first" puts it.

    dues      |--- covered ---|-- partly --|---- unpaid ----|
    pool      =====================>|
"""

from typing import Literal, NamedTuple

import msgspec

Part = Literal["fee", "interest", "principal"]
NEVER = 1 << 40


class Due(NamedTuple):
    """One instalment: due date (days since 1970-01-01) and its parts in minor units of the loan's currency."""

    due_on: int
    instalment: int
    fee: int
    interest: int
    principal: int

    @property
    def amount(self) -> int:
        """All of it."""
        return self.fee + self.interest + self.principal


class State(msgspec.Struct, array_like=True, gc=False):
    """What the fold carries from event to event; amounts in minor units of the loan's currency."""

    status: str = "open"  # open, closed, written_off
    base: int | None = None  # principal before the pool's part of it; None: unknown
    pool: int = 0  # money received since the anchor, beyond the anchor's own arrears
    dues: list[Due] = []
    lump: int = 0  # arrears that a snapshot stated, less later payments
    days: int | None = None  # days past due above zero that a snapshot stated
    stated_on: int = 0
    days_wait: bool = False  # they hold until the next snapshot; else until the lump is paid
    anchored_on: int = -1  # dues up to this date are settled by a snapshot
    has_days: bool = False  # a due or a snapshot has told of days past due
    has_arrears: bool = False  # the same of arrears
    rescheduled_on: int = -1
    pauses: list[tuple[int, int]] = []
    collateral: int | None = None
    rate: int | None = None
    missed: list[int] = []  # instalments whose miss is known, the core's or ours
    defaulted_on: int | None = None


class Terms(NamedTuple):
    """What the fold must know beside the events: the order of parts in a due, and the number of the text `early`."""

    order: tuple[Part, ...] = ("fee", "interest", "principal")
    early: int = -1


def principal_paid(state: State, terms: Terms) -> int:
    """The principal that the pool has paid: all of it but the fees and interest that it covers."""
    left, other = state.pool, 0
    for due in state.dues:
        if left <= 0:
            break
        if due.fee or due.interest:
            for part in terms.order:
                covered = min(left, getattr(due, part))
                left -= covered
                other += 0 if part == "principal" else covered
        else:
            left -= due.principal
    return state.pool - other


def unpaid(state: State) -> list[tuple[Due, int]]:
    """Every due with the amount of it that is not paid, oldest first."""
    left = state.pool
    owing = []
    for due in state.dues:
        amount = due[2] + due[3] + due[4]  # fee, interest, principal: many dues are walked, so no property here
        if left >= amount:
            left -= amount
        else:
            owing.append((due, amount - left))
            left = 0
    return owing


def outstanding(state: State, terms: Terms) -> int | None:
    """Principal that is still owed; 0 when closed or written off, None when no event has told the principal."""
    if state.status != "open":
        return 0
    return None if state.base is None else max(0, state.base - principal_paid(state, terms))


def days_past_due(state: State, on: int) -> int | None:
    """Date minus the oldest due date that is not fully paid, less paused days; None without due or snapshot."""
    if state.status != "open":
        return 0
    if not state.has_days:
        return None
    if state.days is not None and speaks(state):
        return state.days + _running(state, state.stated_on, on)
    late = [due_on for due, _ in unpaid(state) if (due_on := moved(state, due.due_on)) <= on]
    return _running(state, min(late), on) if late else 0


def quiet_until(state: State, on: int) -> int:
    """The first date on which days past due or arrears may differ without another event."""
    if state.status != "open":
        return NEVER
    if state.pauses or state.days is not None or state.lump:
        return on + 1
    for due, _ in unpaid(state):
        return max(due.due_on, on) + 1
    return NEVER


def arrears(state: State, on: int) -> int | None:
    """The sum past due: what a snapshot states, less later payments, and later dues whose date has passed.

    None while neither a due nor a snapshot has told any amount.
    """
    if state.status != "open":
        return 0
    if not state.has_arrears:
        return None
    late = state.lump + sum(amount for due, amount in unpaid(state) if moved(state, due.due_on) < on)
    # Days past due that the core states cannot go with arrears of nothing.
    return None if late == 0 and speaks(state) else late


def speaks(state: State) -> bool:
    """Whether the days that a snapshot stated still hold."""
    return state.days is not None and (state.days_wait or state.lump > 0)


def instalments_missed(state: State, on: int) -> int | None:
    """Instalments past due and not fully paid; None for a loan without dues."""
    if not state.dues:
        return None
    return sum(1 for due, _ in unpaid(state) if moved(state, due.due_on) < on)


def instalments_left(state: State, on: int) -> int | None:
    """Instalments not fully paid, past or to come; None for a loan without dues."""
    return len(unpaid(state)) if state.dues else None


def newly_missed(state: State, on: int) -> list[int]:
    """Instalments whose miss is to be derived at the close of a day: unpaid on the day after the due date.

    None is derived while a payment holiday runs; it follows on the first day after it.
    """
    if state.status != "open" or not state.dues or any(start <= on <= end for start, end in state.pauses):
        return []
    return [
        due.instalment
        for due, _ in unpaid(state)
        if moved(state, due.due_on) < on and due.instalment not in state.missed
    ]


def moved(state: State, due_on: int) -> int:
    """A due inside a payment holiday moves to its last day."""
    for start, end in state.pauses:
        if start <= due_on < end:
            due_on = end
    return due_on


def _running(state: State, start: int, on: int) -> int:
    """Days from a date to another on which the count of days past due does not stand still."""
    paused = sum(max(0, min(b, on) - max(a, start + 1) + 1) for a, b in state.pauses)
    return on - start - paused
