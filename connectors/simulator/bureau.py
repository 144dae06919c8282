"""Debts at other lenders, and what the bureau tells of them."""

from connectors.simulator import acts, wire
from connectors.simulator.cash import debit, raise_cash, to_spare
from connectors.simulator.state import Borrower, around
from connectors.simulator.world import DAY, World


def pay_elsewhere(b: Borrower, w: World, _: int) -> None:
    """The month's payments to other lenders."""
    month = w.month_of[b.today]
    b.plan(w.due(month + 1, 2 + b.number * 3 % 24) * DAY + int((9 + 8 * b.chance.random()) * 3600), acts.PAY_ELSEWHERE)
    total = sum(each[0] for each in b.elsewhere)
    if not total:
        return
    if to_spare(b) < total:
        raise_cash(b, w, total - to_spare(b))
    if to_spare(b) >= total and b.pays:
        debit(b, w, total, "loan_repayment", "other-lender")
        b.elsewhere_late = -1
        for each in b.elsewhere:
            each[1] -= 1
            each[2] = max(0, each[2] - int(each[0] * 0.85))
        b.elsewhere = [each for each in b.elsewhere if each[1] > 0]
    elif b.pays:
        debit(b, w, max(0, to_spare(b)) * 3 // 4, "loan_repayment", "other-lender")  # They take what they find.
        b.elsewhere_late = b.today if b.elsewhere_late < 0 else b.elsewhere_late


def told(b: Borrower, w: World, month: int) -> None:
    """What the bureau tells once a month: debts, arrears elsewhere, and every second month a score."""
    if b.today + 40 < w.end:
        b.plan(w.due(w.month_of[b.today] + 1, 1 + b.number * 5 % 27) * DAY + 4 * 3600 + b.number % 3600, acts.BUREAU)
    own = sum(loan.principal for loan in b.loans if loan.status != "closed")
    total = own + sum(each[2] for each in b.elsewhere)
    late = b.today - b.elsewhere_late if b.elsewhere_late >= 0 else 0
    due = sum(each[0] for each in b.elsewhere)
    overdue = min(total, due * (1 + late // 30)) if late > 0 else 0
    over_90 = min(total, due * (late // 30 - 2)) if late > 90 else 0
    lenders = len(b.elsewhere) + 1
    figures = f'"total_minor":{total},"overdue_minor":{overdue},"overdue_over_90d_minor":{over_90},"lenders":{lenders}'
    wire.tell(b, w, "external.debt", "bureau", f",{figures}")
    if late >= 30:
        kind = "consumer-finance" if not b.is_firm else "bank"
        wire.tell(b, w, "external.delinquency", "bureau", f',"days_past_due":{late},"lender_kind":"{kind}"')
    if late >= w.figures.elsewhere.sued_after:
        _enforce(b, w, overdue)
    if b.number % 2 == w.month_of[b.today] % 2:
        wire.tell(b, w, "external.score", "bureau", f',"score":{score(b, late)},"agency":"credit-bureau"')


def _enforce(b: Borrower, w: World, overdue: int) -> None:
    """A lender elsewhere goes to court, and in later months takes what the account holds."""
    if not b.is_sued:
        b.is_sued = True
        wire.tell(b, w, "external.legal", "registers", f',"kind":"civil","amount_minor":{max(1, overdue)}')
    elif b.cash > 0:
        taken = min(b.cash, overdue)
        wire.tell(b, w, "account.frozen", "accounts", f',"account_id":"{b.account_id}","amount_minor":{max(1, taken)}')
        debit(b, w, taken, "enforcement", "court")


def score(b: Borrower, late: int) -> int:
    """A bureau's score of 350 to 850, from use of cards, inquiries of half a year, debts and arrears."""
    since = b.today - 182
    b.inquiries = [day for day in b.inquiries if day > since]
    points = 760.0 - 14 * min(12, len(b.inquiries))
    for loan in b.loans:
        if loan.limit:
            points -= 80 * min(1.0, loan.principal / loan.limit)
        if loan.unpaid and b.today - loan.unpaid[0][0] > 15:
            points -= min(160, 30 + b.today - loan.unpaid[0][0])
    points -= 40 * min(2.0, 12 * sum(each[0] for each in b.elsewhere) / max(1, 4 * b.income)) + min(120, late)
    return max(350, min(850, int(points + 25 * around(b.chance, 1.0) - 25)))
