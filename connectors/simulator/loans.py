"""Instalment loans: dues, payments, arrears, default."""

from connectors.simulator import acts, wire
from connectors.simulator.cash import debit, raise_cash, to_spare
from connectors.simulator.state import Borrower, Loan
from connectors.simulator.world import DAY, World

DEFAULT_DAYS = 91  # more than 90 days past due
RESCHEDULE_DAYS = 45


def annuity(principal: int, rate: float, months: int) -> int:
    """The equal instalment that repays a loan.

    >>> annuity(1_200_000, 0.0, 12), annuity(1_200_000, 0.12, 12)
    (100000, 106618)
    """
    monthly = rate / 12
    return principal // months if not monthly else int(principal * monthly / (1 - (1 + monthly) ** -months))


def plan_next(b: Borrower, w: World, n: int) -> None:
    """Put the next due of a loan onto the agenda, with its notice."""
    loan = b.loans[n]
    month = w.month_of[b.today]
    day = w.due(month, loan.day_of_month)
    if day <= b.today:
        day = w.due(month + 1, loan.day_of_month)
    if not loan.is_told_ahead:
        told = max(b.today * DAY + 1, (day - w.figures.loans.notice_days) * DAY)
        b.plan(max(b.now, told + 2 * 3600 + b.number % 3600), acts.NOTICE, n)
    b.plan(day * DAY + 9 * 3600 + b.number * 7 % 3600, acts.DUE, n)


def notice(b: Borrower, w: World, n: int) -> None:
    """The core tells of the due that comes."""
    loan = b.loans[n]
    if loan.status != "open" or not loan.left:
        return
    month = w.month_of[b.today]
    day = w.due(month, loan.day_of_month)
    wire.due(b, w, loan, day if day >= b.today else w.due(month + 1, loan.day_of_month))


def due(b: Borrower, w: World, n: int) -> None:
    """An instalment is due: by direct debit, if the money is there or can be found."""
    loan = b.loans[n]
    if loan.status != "open" or not loan.left:
        return
    # The loan shrinks by what of an instalment is not interest, once all of it is paid.
    principal = max(0, loan.instalment - int(loan.principal * loan.rate / 12))
    loan.unpaid.append([b.today, loan.instalment, loan.number, principal])
    loan.number += 1
    loan.left -= 1
    if loan.left:
        plan_next(b, w, n)
    if b.pays and b.chance.random() >= w.figures.habits.forgets:
        pay(b, w, loan, "direct-debit", is_pressed=True)
        is_forgotten = False
    else:
        is_forgotten = b.pays
    _follow(b, w, n, is_forgotten)


def _follow(b: Borrower, w: World, n: int, is_forgotten: bool) -> None:
    """What comes of a due that was not paid."""
    loan = b.loans[n]
    if not loan.unpaid:
        _close_when_done(b, w, loan)
        return
    if b.strained_on < 0 and not is_forgotten:
        b.strained_on = b.today
    if loan.tells_misses:
        b.plan(b.at(6.0, 0.5, days=1), acts.MISSED, n)
    if b.pays:
        plan_try(b, n, b.at(11.0, 8.0, days=1 + int(b.chance.random() * 8)))
    b.plan(b.at(22.0, 0.5, days=RESCHEDULE_DAYS), acts.LATE, n)
    b.plan(b.at(22.0, 0.5, days=DEFAULT_DAYS), acts.LATE, n)


def pay(b: Borrower, w: World, loan: Loan, channel: str, *, is_pressed: bool) -> None:
    """Pay what is owed, or whole dues of it, or a part, as far as the money goes."""
    owed = loan.owed
    if to_spare(b) < owed and is_pressed:
        raise_cash(b, w, owed - to_spare(b))
    reach = to_spare(b)
    if reach >= owed:
        _book(b, w, loan, owed, "full", channel)
        return
    oldest = loan.unpaid[0][1]
    if reach >= oldest and len(loan.unpaid) > 1:
        _book(b, w, loan, oldest, "partial", channel)
    elif reach > 0.3 * oldest and b.chance.random() < 0.35:
        step = 10 * w.unit
        part = int(reach * 0.9) // step * step
        if part > 0:
            _book(b, w, loan, min(part, oldest - 1), "partial", "app")


def _book(b: Borrower, w: World, loan: Loan, amount: int, kind: str, channel: str) -> None:
    """Money goes from the account to the loan, to the oldest due first."""
    debit(b, w, amount, "instalment", "own-bank")
    wire.received(b, w, loan, amount, kind, channel)
    left = amount
    if loan.limit:
        loan.principal = max(0, loan.principal - amount)
    while left and loan.unpaid:
        first = loan.unpaid[0]
        part = min(left, first[1])
        first[1] -= part
        left -= part
        if not first[1]:
            del loan.unpaid[0]
            loan.principal = max(0, loan.principal - first[3])
    if not any(each.unpaid for each in b.loans):
        b.strained_on = -1


def missed(b: Borrower, w: World, n: int) -> None:
    """The core's own event of a miss, on the day after the due."""
    loan = b.loans[n]
    if loan.status == "open" and loan.unpaid and loan.unpaid[-1][0] == b.today - 1:
        wire.missed(b, w, loan, 0 if loan.limit else loan.unpaid[-1][2])
        if loan.limit:
            wire.snapshot(b, w, loan)


def plan_try(b: Borrower, n: int, moment: int) -> None:
    """Put an occasion to pay arrears onto the agenda, unless an earlier one stands there."""
    loan = b.loans[n]
    if not b.now < loan.next_try <= moment:
        loan.next_try = moment
        b.plan(moment, acts.RETRY, n)


def retry(b: Borrower, w: World, n: int) -> None:
    """An occasion to pay arrears: taken when the money is there and the will."""
    loan = b.loans[n]
    if loan.status != "open" or not loan.unpaid or not b.pays or loan.next_try > b.now:
        return
    late = b.today - loan.unpaid[0][0]
    will = b.will - 0.003 * late
    if 0 <= b.elsewhere_late < b.today - 60:
        will -= 0.25  # Who drowns pays nobody.
    if b.today < b.will_until:
        will = min(0.97, will + 0.3)
    if b.chance.random() < will:
        pay(b, w, loan, "app" if b.chance.random() < 0.7 else "counter", is_pressed=late < 40 or b.today < b.will_until)
    if loan.unpaid:
        plan_try(b, n, b.at(9.0, 11.0, days=4 + int(b.chance.random() * 9)))
    else:
        if loan.limit:
            wire.snapshot(b, w, loan)
        _close_when_done(b, w, loan)


def late(b: Borrower, w: World, n: int) -> None:
    """A due of long ago: still unpaid, the loan may be rescheduled, or is in default."""
    loan = b.loans[n]
    if loan.status != "open" or not loan.unpaid:
        return
    days = b.today - loan.unpaid[0][0]
    if days >= DEFAULT_DAYS:
        loan.status = "defaulted"
        wire.ended(b, w, loan, "loan.defaulted", "substandard", "more than 90 days past due")
        if b.defaulted_on < 0:
            b.defaulted_on, b.unpaid_since = b.today, loan.unpaid[0][0]
    elif days >= RESCHEDULE_DAYS and not loan.limit and b.pays and b.chance.random() < w.figures.loans.rescheduled:
        reschedule(b, w, n)


def reschedule(b: Borrower, w: World, n: int) -> None:
    """A new schedule over twice the time, with what was owed put on top."""
    loan = b.loans[n]
    if b.chance.random() < w.figures.loans.hardship:
        own = f',"loan_id":"{loan.loan_id}","until":"{w.dates[b.today + 90]}","reason":"income fell"'
        wire.tell(b, w, "hardship.granted", "collections", own)
    month = w.month_of[b.today]
    months = len(w.month_starts) - month - 3
    loan.left = max(6, min(36, 2 * (loan.left + len(loan.unpaid)), months))
    rate = loan.rate
    loan.principal = max(loan.principal, loan.owed)
    loan.instalment = annuity(loan.principal, rate, loan.left)
    loan.number, loan.unpaid = 1, []
    own = f',"loan_id":"{loan.loan_id}"{schedule(w, loan, month + 1)},"distressed":true,"reason":"income fell"'
    wire.tell(b, w, "loan.rescheduled", "core", own)
    loan.is_told_ahead = True
    b.strained_on = -1
    b.agenda = sorted(each for each in b.agenda if each[1:] not in ((acts.DUE, n), (acts.NOTICE, n)))
    b.plan(w.due(month + 1, loan.day_of_month) * DAY + 9 * 3600, acts.DUE, n)


def schedule(w: World, loan: Loan, month: int) -> str:
    """The instalments to come, from a month on, as a field of an event."""
    lines, principal = [], loan.principal
    for n in range(loan.left):
        interest = int(principal * loan.rate / 12)
        part = max(0, loan.instalment - interest)
        principal -= part
        lines.append(
            f'{{"instalment":{loan.number + n},"due_on":"{w.dates[w.due(month + n, loan.day_of_month)]}",'
            f'"principal_minor":{part},"interest_minor":{loan.instalment - part},"fee_minor":0}}'
        )
    return f',"schedule":[{",".join(lines)}]'


def _close_when_done(b: Borrower, w: World, loan: Loan) -> None:
    if loan.left or loan.limit or loan.status != "open":
        return
    loan.status = "closed"
    wire.tell(b, w, "loan.closed", "core", f',"loan_id":"{loan.loan_id}","reason":"repaid"')
    if all(each.status != "open" for each in b.loans):
        b.plan(b.at(10.0, 6.0, days=5 + int(b.chance.random() * 40)), acts.RENEW, 0)


def snapshots(b: Borrower, w: World, *, is_month_end: bool) -> None:
    """Snapshots of the loans that the core tells of so, or of late cards; none on a day whose due is unpaid yet."""
    for loan in b.loans:
        if loan.status != "open" or (loan.unpaid and loan.unpaid[-1][0] == b.today):
            continue
        is_told = (loan.snapshots == 1 and is_month_end) or (loan.snapshots == 2 and not is_month_end)
        if is_told or (loan.limit and loan.unpaid and not is_month_end):
            wire.snapshot(b, w, loan)
