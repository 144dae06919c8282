"""One day of one borrower: its state and what collections did yesterday go in, lines of the feeds come out."""

from collections.abc import Callable, Sequence
from heapq import heappop

from connectors.simulator import acts, bureau, cards, firms, loans, look_alikes, opening, persons, shocks
from connectors.simulator.state import Borrower, Contact
from connectors.simulator.treatment import treat
from connectors.simulator.world import DAY, World

NOTHING: tuple[Contact, ...] = ()
KEPT_AFTER_DEFAULT = 90  # days


def live(b: Borrower, w: World, day: int, contacts: Sequence[Contact] = NOTHING) -> list[str]:
    """Live one day; what is told of it, in the order of its instants."""
    for contact in contacts:
        b.now = max(b.now, day * DAY)
        treat(b, w, contact)
    agenda, end = b.agenda, (day + 1) * DAY
    while agenda and agenda[0][0] < end:
        moment, act, argument = heappop(agenda)
        if moment > b.now:
            b.now = moment
        _ACTS[act](b, w, argument)
        agenda = b.agenda
    lines, b.lines = b.lines, []
    return lines


def next_day(b: Borrower) -> int:
    """The next day on which something happens of itself."""
    return b.agenda[0][0] // DAY if b.agenda else 1 << 30


def _month_end(b: Borrower, w: World, _: int) -> None:
    month = w.month_of[b.today]
    b.plan(w.month_starts[month + 2] * DAY - 2_400 - b.number % 300, acts.MONTH_END)
    if b.defaulted_on >= 0 and b.today > b.defaulted_on + KEPT_AFTER_DEFAULT:
        b.agenda = []
        return
    (firms.tune if b.is_firm else persons.tune)(b, w)
    loans.snapshots(b, w, is_month_end=True)
    _count_rolls(b)


def _count_rolls(b: Borrower) -> None:
    """Note from which bucket of arrears to which each loan has come in a month."""
    if b.today < b.from_day:
        return
    for loan in b.loans:
        if loan.status == "closed" or (loan.bucket == DEFAULTED and loan.bucket_known):
            continue
        late = b.today - loan.unpaid[0][0] if loan.unpaid else 0
        bucket = DEFAULTED if loan.status == "defaulted" else 0 if late <= 0 else min(4, 1 + (late - 1) // 30)
        if loan.bucket_known:
            b.rolls.append(8 * loan.bucket + bucket)
        loan.bucket, loan.bucket_known = bucket, True


def _balances(b: Borrower, w: World, argument: int) -> None:
    persons.balances(b, w, argument)
    loans.snapshots(b, w, is_month_end=False)


DEFAULTED = 4
_ACTS: tuple[Callable[[Borrower, World, int], None], ...] = (
    opening.opened,
    persons.income,
    persons.send_on,
    persons.rent,
    persons.spend,
    _balances,
    _month_end,
    bureau.told,
    bureau.pay_elsewhere,
    loans.notice,
    loans.due,
    loans.missed,
    loans.retry,
    loans.late,
    cards.statement,
    cards.due,
    lambda b, w, n: (firms.inquiry if b.is_firm else persons.inquiry)(b, w, n),
    look_alikes.holiday,
    firms.receipt,
    firms.supplies,
    firms.payroll,
    firms.tax,
    firms.financials,
    shocks.begin,
    shocks.step,
    look_alikes.begin,
    look_alikes.end,
    shocks.bill,
    opening.renew,
    opening.use,
)
