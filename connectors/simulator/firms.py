"""What a firm does: sell, buy, pay people and taxes, and report."""

from math import cos, tau

from connectors.simulator import acts, wire
from connectors.simulator.cash import credit, debit, inquire, raise_cash, within_reach
from connectors.simulator.loans import plan_try
from connectors.simulator.state import Borrower, around
from connectors.simulator.world import DAY, World

TAXES_UNTIL_TOLD = 2


def season(b: Borrower, w: World) -> float:
    """What this month is to a usual one; Spring Festival is slow for everyone."""
    month = w.months[w.month_of[b.today]]
    return 1.0 + b.season * cos(tau * (month - b.peak) / 12) - (0.06 if month == 2 else 0.0)


def left_of_turnover(b: Borrower) -> float:
    """The share of usual turnover that is left now, whatever the season."""
    lost = b.customers[0] * (1 - b.replaced) if b.is_lost else 0.0
    return b.income_share * (1 - lost)


def receipt(b: Borrower, w: World, customer: int) -> None:
    """A customer pays for a month, in one sum."""
    chance = b.chance
    b.plan(b.at(9.0, 8.0, days=27 + int(chance.random() * 7)), acts.RECEIPT, customer)
    share = b.customers[customer]
    if customer == 0 and b.is_lost:
        share *= b.replaced
    amount = int(b.income * share * b.income_share * season(b, w) * around(chance, 0.12))
    b.revenue += amount
    credit(b, w, amount, "sales", "customer")
    if b.strained_on >= 0 and amount:
        for n, loan in enumerate(b.loans):
            if loan.unpaid and b.pays:
                plan_try(b, n, b.at(17.0, 1.0))


def supplies(b: Borrower, w: World, _: int) -> None:
    """A third of the month's supplies; when money is short they are paid in part."""
    chance = b.chance
    b.plan(b.at(10.0, 6.0, days=9 + int(chance.random() * 3)), acts.SUPPLIES)
    amount = int(b.income * left_of_turnover(b) * season(b, w) * b.costs[0] / 3 * around(chance, 0.15))
    b.profit -= amount
    owed, b.payables = amount + b.payables, 0
    _pay(b, w, owed, "supplies", "supplier")


def payroll(b: Borrower, w: World, _: int) -> None:
    """Wages and the rent of the premises."""
    wages = int(b.income * b.costs[1] * b.thrift * around(b.chance, 0.02))
    b.profit -= wages + b.rent
    _pay(b, w, wages, "payroll", "employee")
    _pay(b, w, b.rent, "rent", "landlord")
    if b.extra:
        _pay(b, w, b.extra, "repairs", "supplier")
        b.profit -= b.extra
        b.extra = 0
    b.plan(w.payday(b.today, b.payday) * DAY + 15 * 3600 + b.number % 3600, acts.PAYROLL)


def _pay(b: Borrower, w: World, amount: int, category: str, other: str) -> None:
    """Pay what there is money for; the rest is owed until the next supplies."""
    if within_reach(b) < amount:
        raise_cash(b, w, amount - within_reach(b))
    excess = b.overdraft // 8 if category == "payroll" else 0  # Wages go first, and a little beyond the line.
    paid = min(amount, max(0, within_reach(b) + excess))
    b.payables = min(b.payables + amount - paid, b.income)
    debit(b, w, paid, category, other)


def tax(b: Borrower, w: World, _: int) -> None:
    """The month's tax; put off when money is short, until the tax office says so."""
    month = w.month_of[b.today]
    b.plan(w.due(month + 1, 15) * DAY + 11 * 3600 + b.number % 3600, acts.TAX)
    amount = int(b.income * left_of_turnover(b) * season(b, w) * w.figures.firms.tax)
    b.profit -= amount
    b.tax_owed += amount
    if within_reach(b) >= b.tax_owed:
        debit(b, w, b.tax_owed, "tax", "state")
        b.tax_owed = b.taxes_missed = 0
        return
    b.taxes_missed += 1
    if b.taxes_missed == TAXES_UNTIL_TOLD or b.taxes_missed % 4 == 0:
        wire.tell(b, w, "external.tax", "registers", f',"kind":"arrears","amount_minor":{b.tax_owed}')


def financials(b: Borrower, w: World, _: int) -> None:
    """The quarter's accounts, six weeks after its end."""
    month = w.month_of[b.today]
    b.plan(b.at(9.0, 8.0, days=91), acts.FINANCIALS)
    ends = w.month_starts[month - (w.months[month] - 1) % 3] - 1
    revenue = max(0, b.revenue)
    profit = b.revenue + b.profit
    b.equity += profit // 2
    receivables = int(revenue / 90 * b.lag_days * around(b.chance, 0.1))
    debts = sum(loan.principal for loan in b.loans) + sum(each[2] for each in b.elsewhere) + b.tax_owed
    assets = max(0, b.equity + debts + int(b.income * 0.8))
    b.revenue = b.profit = 0
    if b.is_lost:
        b.lag_days = min(120, b.lag_days + 8)
    own = f'"period_ends":"{w.dates[max(0, ends)]}","revenue_minor":{revenue},"profit_minor":{profit}'
    own += f',"equity_minor":{b.equity},"assets_minor":{assets},"receivables_minor":{receivables}'
    wire.tell(b, w, "external.financials", "registers", f",{own}")


def tune(b: Borrower, w: World) -> None:
    """At a month's end: cut wages when sales stay low, take profits out when there are some."""
    left = left_of_turnover(b)
    if b.payables > w.figures.firms.suppliers_stop * b.income * left:
        b.income_share *= 0.8  # Suppliers who are not paid deliver no more.
    b.thrift = max(0.7, left, b.thrift - 0.05) if left < 0.9 else min(1.0, b.thrift + 0.05)
    if b.payables and b.cash > 0:
        paid = min(b.payables, b.cash)
        b.payables -= paid
        debit(b, w, paid, "supplies", "supplier")
    keep = int(b.income * (0.25 + b.season / 2))
    step = 1000 * w.unit
    is_well = b.strained_on < 0 and not b.payables and not b.tax_owed and left >= 0.9
    if b.cash > keep + 10 * step and is_well:
        taken = (b.cash - keep) // step * step
        debit(b, w, taken, "transfer", "owner")
        b.savings = max(b.savings, min(b.savings + taken // 4, int(b.income * 0.1)))


def inquiry(b: Borrower, w: World, _: int) -> None:
    """A supplier or a bank asks, a newspaper writes, a customer sues: none of it means anything."""
    chance, habits = b.chance, w.figures.habits
    draw = chance.random()
    if draw < 0.5:
        inquire(b, w, "supplier-check" if chance.random() < 0.5 else "working-capital")
    elif draw < 0.9:
        topic = ("market", "customer", "product", "management")[int(chance.random() * 4)]
        sentiment = int(900_000 * around(chance, 1.0)) - 900_000
        wire.tell(b, w, "external.news", "news", f',"sentiment_ppm":{sentiment},"topic":"{topic}"')
    else:
        amount = int(b.income * 0.05 * around(chance, 0.8))
        wire.tell(b, w, "external.legal", "registers", f',"kind":"contract","amount_minor":{amount}')
    days = int(chance.expovariate(2 * habits.inquiries_a_year) * 365) + 1
    b.plan(b.at(9.0, 8.0, days=days), acts.INQUIRE)
