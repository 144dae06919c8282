"""The ledger of one loan: what is due, what was paid, and so days past due, arrears and what is outstanding.

The state is a fold of the loan's events in the order of (date, instant, id); an event that comes late folds again from
the checkpoint, so arrival never matters. Money that was paid is one pool: it covers the dues from the oldest on, and
what is left over waits for the next due. Nothing is allocated for good, so a due that is replaced or inserted finds the
money where the rule "oldest unpaid first" puts it.

    dues      |--- covered ---|-- partly --|---- unpaid ----|
    pool      =====================>|

The core's own snapshot is an anchor: dues up to its date are settled or stand in its arrears as one sum.
"""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

import msgspec

from pipeline.layout import ABSENT, TEXT_MASK, day_of, layout_of

Part = Literal["fee", "interest", "principal"]
Row = tuple[int, ...]
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


class Loan(msgspec.Struct, array_like=True, gc=False):
    """A loan: the state, and what is needed to fold it again."""

    state: State
    currency: str | None = None  # "" is the reporting currency; None while no event has brought money
    product: str = ""
    segment: str = ""
    schedules: dict[str, list[Due]] = {}  # token of a disbursement or rescheduling -> its instalments
    originals: dict[str, Row] = {}  # token -> row in the loan's currency, where that is not the reporting currency
    checkpoint: State | None = None  # the fold of all that is no longer kept
    material_since: int | None = None  # first date of arrears above every limit
    latest: tuple[int, str] = (-1, "")  # sort key and token of the last event folded in order


class Terms(NamedTuple):
    """What the fold must know beside the events: the order of parts in a due, and the number of the text `early`."""

    order: tuple[Part, ...] = ("fee", "interest", "principal")
    early: int = -1


# -- the fold ---------------------------------------------------------------


def apply(loan: Loan, state: State, type_name: str, row: Row, token: str, terms: Terms) -> None:
    """Fold one event into a state."""
    fold = _FOLDS.get(type_name)
    if fold is not None:
        fold(loan, state, row, token, terms)


def refold(loan: Loan, rows: Iterable[tuple[str, Row, str]], terms: Terms) -> None:
    """Fold all kept events again from the checkpoint; `rows` are (type, row, token) in the order of the fold."""
    state = copy(loan.checkpoint) if loan.checkpoint is not None else State()
    for type_name, row, token in rows:
        apply(loan, state, type_name, loan.originals.get(token, row), token, terms)
    loan.state = state


def state_before(loan: Loan, rows: Iterable[tuple[str, Row, str]], token: str, terms: Terms) -> State:
    """What the fold had come to just before an event."""
    state = copy(loan.checkpoint) if loan.checkpoint is not None else State()
    for type_name, row, each in rows:
        if each == token:
            break
        apply(loan, state, type_name, loan.originals.get(each, row), each, terms)
    return state


def copy(state: State) -> State:
    """A state that shares nothing that is changed in place."""
    return msgspec.structs.replace(state, dues=list(state.dues), pauses=list(state.pauses), missed=list(state.missed))


def _column(type_name: str, field: str) -> int:
    return layout_of(type_name).columns[field].offset


def _disbursed(loan: Loan, state: State, row: Row, token: str, terms: Terms) -> None:
    if row[_PRINCIPAL] != ABSENT:
        state.base = (0 if state.base is None else state.base) + row[_PRINCIPAL]
    if row[_DISBURSED_COLLATERAL] != ABSENT:
        state.collateral = row[_DISBURSED_COLLATERAL]
    if row[_DISBURSED_RATE] != ABSENT:
        state.rate = row[_DISBURSED_RATE]
    for due in loan.schedules.get(token, ()):
        _put(state, due)


def _rescheduled(loan: Loan, state: State, row: Row, token: str, terms: Terms) -> None:
    """A new schedule takes the place of all that was due; money beyond the past dues goes to the new ones."""
    on = day_of(row[0])
    _settle(state, on)
    state.dues = []
    state.lump, state.days = 0, None
    state.rescheduled_on = on
    state.missed = []
    new = loan.schedules.get(token, ())
    for due in new:
        _put(state, due)
    principal = sum(due.principal for due in new)
    if principal:
        state.base = principal


def _due(loan: Loan, state: State, row: Row, token: str, terms: Terms) -> None:
    """An instalment; one known by its parts keeps the split of fee and interest, the rest is principal."""
    instalment, due_on, amount = row[_DUE_INSTALMENT], row[_DUE_ON], row[_DUE_AMOUNT]
    if ABSENT in (instalment, due_on, amount):
        return
    known = next((due for due in state.dues if due.instalment == instalment), None)
    fee = min(known.fee, amount) if known else 0
    interest = min(known.interest, amount - fee) if known else 0
    _put(state, Due(due_on, instalment, fee, interest, amount - fee - interest))


def _put(state: State, due: Due) -> None:
    """An instalment, in the place of the one of its number; what a snapshot has settled stays settled."""
    state.has_days = state.has_arrears = True
    if _moved(state, due.due_on) > state.anchored_on:
        state.dues = sorted([d for d in state.dues if d.instalment != due.instalment] + [due])


def _received(loan: Loan, state: State, row: Row, token: str, terms: Terms) -> None:
    amount = row[_RECEIVED_AMOUNT]
    if amount == ABSENT:
        return
    if row[_RECEIVED_KIND.offset] >> (_RECEIVED_KIND.shift or 0) & TEXT_MASK == terms.early and _settles(
        state, amount, day_of(row[0]), terms
    ):
        state.dues, state.pool, state.base, state.lump, state.days = [], 0, 0, 0, None
        state.has_days = state.has_arrears = True
        return
    to_lump = min(state.lump, amount)
    state.lump -= to_lump
    if state.base is not None:
        state.base -= to_lump
    state.pool += amount - to_lump


def _settles(state: State, amount: int, on: int, terms: Terms) -> bool:
    """An early settlement pays all principal and whatever fees and interest are past due; nothing more comes due."""
    principal = outstanding(state, terms)
    if principal is None:
        return False
    charges = 0
    for due, owing in unpaid(state):
        if _moved(state, due.due_on) <= on:
            paid = due.amount - owing
            for part in terms.order:
                covered = min(paid, getattr(due, part))
                paid -= covered
                charges += 0 if part == "principal" else getattr(due, part) - covered
    return amount >= principal + charges


def _paused(loan: Loan, state: State, row: Row, token: str, terms: Terms) -> None:
    if ABSENT in (row[_PAUSED_FROM], row[_PAUSED_UNTIL]):
        return
    merged: list[tuple[int, int]] = []
    for start, end in sorted([*state.pauses, (row[_PAUSED_FROM], row[_PAUSED_UNTIL])]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start <= end:
            merged.append((start, end))
    state.pauses = merged


def _snapshot(loan: Loan, state: State, row: Row, token: str, terms: Terms) -> None:
    on = day_of(row[0])
    arrears, days, stated = row[_SNAPSHOT_ARREARS], row[_SNAPSHOT_DAYS], row[_SNAPSHOT_OUTSTANDING]
    if days == ABSENT and arrears > 0:
        own = days_past_due(state, on)  # the core tells the sum alone: our own days run on while it is not paid
        days = ABSENT if own is None else own
    elif days != ABSENT or arrears != ABSENT:
        state.has_days = True
    if days == 0 or arrears != ABSENT:
        _anchor(state, on, 0 if arrears == ABSENT else arrears, terms)
        state.has_arrears = True
        state.days = None
    if days > 0:
        state.days, state.stated_on, state.days_wait = days, on, arrears == ABSENT
    if stated != ABSENT:
        state.base = stated + _principal_paid(state, terms)
    if row[_SNAPSHOT_COLLATERAL] != ABSENT:
        state.collateral = row[_SNAPSHOT_COLLATERAL]
    if row[_SNAPSHOT_RATE] != ABSENT:
        state.rate = row[_SNAPSHOT_RATE]


def _anchor(state: State, on: int, arrears: int, terms: Terms) -> None:
    """Dues up to this date are settled, but for the arrears that the core states; what is outstanding stays."""
    outstanding = None if state.base is None else state.base - _principal_paid(state, terms)
    _settle(state, on)
    state.dues = [due for due in state.dues if _moved(state, due.due_on) > on]
    state.lump = arrears
    state.anchored_on = on
    if outstanding is not None:
        state.base = outstanding + _principal_paid(state, terms)


def _settle(state: State, on: int) -> None:
    """Take the dues up to a date out of the pool; what was paid beyond them stays."""
    state.pool = max(0, state.pool - sum(due.amount for due in state.dues if _moved(state, due.due_on) <= on))


def _missed(loan: Loan, state: State, row: Row, token: str, terms: Terms) -> None:
    instalment = row[_MISSED_INSTALMENT]
    if instalment != ABSENT and instalment not in state.missed:
        state.missed.append(instalment)


def _defaulted(loan: Loan, state: State, row: Row, token: str, terms: Terms) -> None:
    if state.defaulted_on is None:
        state.defaulted_on = day_of(row[0])


def _closed(loan: Loan, state: State, row: Row, token: str, terms: Terms) -> None:
    state.status = "closed"


def _written_off(loan: Loan, state: State, row: Row, token: str, terms: Terms) -> None:
    state.status = "written_off"


_PRINCIPAL = _column("loan.disbursed", "principal")
_DISBURSED_COLLATERAL = _column("loan.disbursed", "collateral_value")
_DISBURSED_RATE = _column("loan.disbursed", "rate")
_DUE_INSTALMENT, _DUE_ON, _DUE_AMOUNT = (_column("repayment.due", f) for f in ("instalment", "due_on", "amount"))
_RECEIVED_AMOUNT = _column("repayment.received", "amount")
_RECEIVED_KIND = layout_of("repayment.received").columns["kind"]
_PAUSED_FROM, _PAUSED_UNTIL = (_column("loan.paused", f) for f in ("from_date", "until_date"))
_SNAPSHOT_OUTSTANDING = _column("loan.snapshot", "outstanding")
_SNAPSHOT_ARREARS = _column("loan.snapshot", "arrears")
_SNAPSHOT_DAYS = _column("loan.snapshot", "days_past_due")
_SNAPSHOT_COLLATERAL = _column("loan.snapshot", "collateral_value")
_SNAPSHOT_RATE = _column("loan.snapshot", "rate")
_MISSED_INSTALMENT = _column("repayment.missed", "instalment")

_FOLDS: dict[str, Callable[[Loan, State, Row, str, Terms], None]] = {
    "loan.disbursed": _disbursed,
    "loan.rescheduled": _rescheduled,
    "loan.paused": _paused,
    "loan.snapshot": _snapshot,
    "loan.defaulted": _defaulted,
    "loan.closed": _closed,
    "loan.written_off": _written_off,
    "repayment.due": _due,
    "repayment.received": _received,
    "repayment.missed": _missed,
}
FOLDED = tuple(_FOLDS)


# -- what it says on a day --------------------------------------------------


def _principal_paid(state: State, terms: Terms) -> int:
    """The principal that the pool has paid: all of it but the fees and interest that it covers."""
    left, other = state.pool, 0
    for due in state.dues:
        if left <= 0:
            break
        for part in terms.order:
            covered = min(left, getattr(due, part))
            left -= covered
            if part != "principal":
                other += covered
    return state.pool - other


def unpaid(state: State) -> list[tuple[Due, int]]:
    """Every due with the amount of it that is not paid, oldest first."""
    left = state.pool
    owing = []
    for due in state.dues:
        amount = due.amount
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
    return None if state.base is None else max(0, state.base - _principal_paid(state, terms))


def days_past_due(state: State, on: int) -> int | None:
    """Date minus the oldest due date that is not fully paid, less paused days; None without due or snapshot."""
    if state.status != "open":
        return 0
    if not state.has_days:
        return None
    if state.days is not None and _speaks(state):
        return state.days + _running(state, state.stated_on, on)
    late = [due_on for due, _ in unpaid(state) if (due_on := _moved(state, due.due_on)) <= on]
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
    late = state.lump + sum(amount for due, amount in unpaid(state) if _moved(state, due.due_on) < on)
    # Days past due that the core states cannot go with arrears of nothing.
    return None if late == 0 and _speaks(state) else late


def _speaks(state: State) -> bool:
    """Whether the days that a snapshot stated still hold."""
    return state.days is not None and (state.days_wait or state.lump > 0)


def instalments_missed(state: State, on: int) -> int | None:
    """Instalments past due and not fully paid; None for a loan without dues."""
    if not state.dues:
        return None
    return sum(1 for due, _ in unpaid(state) if _moved(state, due.due_on) < on)


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
        if _moved(state, due.due_on) < on and due.instalment not in state.missed
    ]


def _moved(state: State, due_on: int) -> int:
    """A due inside a payment holiday moves to its last day."""
    for start, end in state.pauses:
        if start <= due_on < end:
            due_on = end
    return due_on


def _running(state: State, start: int, on: int) -> int:
    """Days from a date to another on which the count of days past due does not stand still."""
    paused = sum(max(0, min(b, on) - max(a, start + 1) + 1) for a, b in state.pauses)
    return on - start - paused
