"""The ledger of one loan: the fold of its events into where it stands.

The state is a fold of the loan's events in the order of (date, instant, id); an event that comes late folds again from
the checkpoint, so arrival never matters. The core's own snapshot is an anchor: dues up to its date are settled, or
stand in the arrears that it states as one sum.
"""

from collections.abc import Callable, Iterable

import msgspec

from pipeline.layout import ABSENT, TEXT_MASK, day_of, layout_of
from pipeline.standing import Due, State, Terms, days_past_due, moved, outstanding, principal_paid, unpaid

Row = tuple[int, ...]


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


def apply(loan: Loan, state: State, type_name: str, row: Row, token: str, terms: Terms) -> None:
    """Fold one event into a state."""
    fold = _FOLDS.get(type_name)
    if fold is not None:
        fold(loan, state, row, token, terms)


def refold(loan: Loan, rows: Iterable[tuple[str, Row, str]], terms: Terms) -> None:
    """Fold all kept events again from the checkpoint; `rows` are (type, row, token) in the order of the fold."""
    loan.state = folded(loan, rows, terms)


def folded(loan: Loan, rows: Iterable[tuple[str, Row, str]], terms: Terms) -> State:
    """What the fold of kept events comes to from the checkpoint on."""
    state = copy(loan.checkpoint) if loan.checkpoint is not None else State()
    for type_name, row, token in rows:
        apply(loan, state, type_name, loan.originals.get(token, row), token, terms)
    return state


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
    if moved(state, due.due_on) > state.anchored_on:
        state.dues = sorted([d for d in state.dues if d.instalment != due.instalment] + [due])


def _received(loan: Loan, state: State, row: Row, token: str, terms: Terms) -> None:
    amount = row[_RECEIVED_AMOUNT]
    if amount == ABSENT:
        return
    if kind_of(row) == terms.early and _settles(state, amount, day_of(row[0]), terms):
        state.dues, state.pool, state.base, state.lump, state.days = [], 0, 0, 0, None
        state.has_days = state.has_arrears = True
        return
    to_lump = min(state.lump, amount)
    state.lump -= to_lump
    if state.base is not None:
        state.base -= to_lump
    state.pool += amount - to_lump


def kind_of(row: Row) -> int:
    """The kind of a payment, as the number of its text."""
    return row[_RECEIVED_KIND.offset] >> (_RECEIVED_KIND.shift or 0) & TEXT_MASK


def instalment_of(row: Row) -> int:
    """The instalment of a due."""
    return row[_DUE_INSTALMENT]


def _settles(state: State, amount: int, on: int, terms: Terms) -> bool:
    """An early settlement pays all principal and whatever fees and interest are past due; nothing more comes due."""
    principal = outstanding(state, terms)
    if principal is None:
        return False
    charges = 0
    for due, owing in unpaid(state):
        if moved(state, due.due_on) <= on:
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
        state.base = stated + principal_paid(state, terms)
    if row[_SNAPSHOT_COLLATERAL] != ABSENT:
        state.collateral = row[_SNAPSHOT_COLLATERAL]
    if row[_SNAPSHOT_RATE] != ABSENT:
        state.rate = row[_SNAPSHOT_RATE]


def _anchor(state: State, on: int, arrears: int, terms: Terms) -> None:
    """Dues up to this date are settled, but for the arrears that the core states; what is outstanding stays."""
    outstanding = None if state.base is None else state.base - principal_paid(state, terms)
    _settle(state, on)
    state.dues = [due for due in state.dues if moved(state, due.due_on) > on]
    state.lump = arrears
    state.anchored_on = on
    if outstanding is not None:
        state.base = outstanding + principal_paid(state, terms)


def _settle(state: State, on: int) -> None:
    """Take the dues up to a date out of the pool; what was paid beyond them stays."""
    state.pool = max(0, state.pool - sum(due.amount for due in state.dues if moved(state, due.due_on) <= on))


def _missed(loan: Loan, state: State, row: Row, token: str, terms: Terms) -> None:
    instalment = row[_MISSED_INSTALMENT]
    if instalment != ABSENT and day_of(row[0]) > state.rescheduled_on and instalment not in state.missed:
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
