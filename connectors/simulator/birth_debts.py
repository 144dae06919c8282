"""The debts that a borrower begins with."""

from datetime import date, timedelta

from connectors.simulator import acts, wire
from connectors.simulator.cash import credit
from connectors.simulator.loans import annuity, plan_next, schedule
from connectors.simulator.state import Borrower, Loan, between
from connectors.simulator.world import DAY, World

DUE_DAYS = (3, 5, 8, 10, 12, 15, 18, 20, 22, 25)
PURPOSES = {"personal": ("renovation", "consumption", "education", "wedding"), "car": ("car",), "mortgage": ("home",)}


def give_loan(b: Borrower, w: World, product: str, service: int, *, is_new: bool) -> None:
    """A loan whose instalment is about what a borrower can serve: running for a while, or just paid out."""
    f, chance = w.figures.loans, b.chance
    months = int(between(chance, getattr(f.months, product)))
    rate = round(getattr(f.rates, product) * (0.8 + 0.4 * chance.random()), 4)
    left = months if is_new else max(2, int(months * (1 - 0.85 * chance.random())))
    monthly = rate / 12
    principal = int(service * (1 - (1 + monthly) ** -left) / monthly)
    if is_new:
        principal = max(3, principal // (1000 * w.unit)) * 1000 * w.unit
    draw = chance.random()
    loan = Loan(
        loan_id=f"L{b.number:07d}-{len(b.loans) + 1}",
        product=product,
        principal=principal,
        rate=rate,
        instalment=max(w.unit, annuity(principal, rate, left)),
        left=left,
        number=1 + months - left,
        day_of_month=DUE_DAYS[int(chance.random() * len(DUE_DAYS))],
        unpaid=[],
        tells_misses=chance.random() < f.misses_told,
        snapshots=1 if draw < f.snapshots.monthly else 2 if draw < f.snapshots.monthly + f.snapshots.weekly else 0,
        is_told_ahead=is_new and product in ("personal", "car") and chance.random() < f.schedules_told,
    )
    if product in ("mortgage", "car") or (product == "term" and chance.random() < 0.5):
        loan.collateral = int(principal / between(chance, (0.45, 0.8)) / (1000 * w.unit)) * 1000 * w.unit
    b.loans.append(loan)
    if not is_new:
        plan_next(b, w, len(b.loans) - 1)


def pay_out(b: Borrower, w: World, n: int) -> None:
    """The bank pays a loan out: to the account, or to who sold the car or the home."""
    loan, chance = b.loans[n], b.chance
    first = w.month_of[b.today] + (1 if loan.day_of_month > 5 else 2)
    purposes = PURPOSES.get(loan.product, ("working-capital", "equipment"))
    ends = date.fromisoformat(w.dates[b.today]) + timedelta(days=int(30.44 * loan.left))
    told = schedule(w, loan, first) if loan.is_told_ahead else ""
    wire.disbursed(b, w, loan, purposes[int(chance.random() * len(purposes))], ends.isoformat(), told)
    if loan.product in ("personal", "term"):
        credit(b, w, loan.principal, "loan_disbursement", "own-bank")
        for _ in range(2):
            b.plan(b.at(10.0, 9.0, days=1 + int(chance.random() * 8)), acts.USE, int(loan.principal * 0.48))
    due = w.due(first, loan.day_of_month)
    if not loan.is_told_ahead:
        b.plan((due - w.figures.loans.notice_days) * DAY + 2 * 3600 + b.number % 3600, acts.NOTICE, n)
    b.plan(due * DAY + 9 * 3600 + b.number * 7 % 3600, acts.DUE, n)


def give_card(b: Borrower, w: World) -> None:
    """A credit card in use."""
    f, chance = w.figures.cards, b.chance
    limit = max(3, round(b.income * between(chance, f.limit) / (1000 * w.unit))) * 1000 * w.unit
    is_revolving = chance.random() < f.revolvers
    b.on_card = between(chance, f.spent_on_card)
    used = between(chance, (0.35, 0.95) if is_revolving else (0.05, 0.4))
    card = Loan(
        loan_id=f"L{b.number:07d}-{len(b.loans) + 1}",
        product="card",
        principal=int(limit * used),
        rate=f.rate,
        instalment=0,
        left=0,
        day_of_month=1 + int(chance.random() * 28),
        unpaid=[],
        tells_misses=True,
        limit=limit,
        account_id=f"A{b.number:07d}-1",
        is_revolving=is_revolving,
    )
    b.loans.append(card)
    month = w.month_of[b.today]
    day = w.due(month, card.day_of_month)
    day = day if day > b.today else w.due(month + 1, card.day_of_month)
    b.plan(day * DAY + 5 * 3600 + b.number % 3600, acts.STATEMENT, len(b.loans) - 1)


def give_debts_elsewhere(b: Borrower, w: World) -> float:
    """A debt at another lender, for some; returns the share of income that it takes."""
    f, chance = w.figures.elsewhere, b.chance
    if chance.random() >= f.holders:
        return 0.0
    share = between(chance, f.payment)
    months = 3 + int(chance.random() * 30)
    payment = int(b.income * share)
    b.elsewhere.append([payment, months, int(payment * months * 0.87)])
    return share
