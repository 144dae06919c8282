"""How a borrower comes to be: from a stream of its own, so that the first borrowers are the same in any portfolio.

What hangs together (spouses, guarantors, groups) is drawn a block at a time, from the stream of the block.
"""

from math import exp
from random import Random

from connectors.simulator import acts
from connectors.simulator.birth_debts import give_card, give_debts_elsewhere, give_loan
from connectors.simulator.fate import draw_fate
from connectors.simulator.firms import season
from connectors.simulator.persons import plan_inquiry, plan_payday
from connectors.simulator.state import Borrower, between
from connectors.simulator.ties import Ties
from connectors.simulator.world import DAY, World


def born(number: int, w: World, ties: Ties, attempt: int) -> Borrower:
    """A borrower at the begin of its life here: the burn-in, or the day on which its first loan is paid out."""
    chance = Random(f"{w.seed}:{number}:{attempt}:life")
    joined = ties.joins[number % w.figures.block]
    b = Borrower(
        number=number,
        key=f"B{number:07d}",
        account_id=f"A{number:07d}-0",
        chance=chance,
        is_firm=ties.is_firm[number % w.figures.block],
        from_day=w.first if joined < 0 else joined,
        now=max(0, joined) * DAY,
    )
    b.spouse = ties.spouses.get(number, "")
    b.related = ties.related.get(number, [])
    b.will = min(1.0, w.figures.habits.willing + 0.3 * (chance.random() - 0.5))
    (_make_firm if b.is_firm else _make_person)(b, w, is_new=joined >= 0)
    b.plan(b.from_day * DAY + 60, acts.OPENING)
    draw_fate(b, w, ties, attempt, is_new=joined >= 0)
    return b


def lognormal(chance: Random, median: float, spread: float) -> float:
    """A figure that is never below zero, half the time below the median."""
    return median * exp(spread * chance.gauss(0.0, 1.0))


def _make_person(b: Borrower, w: World, *, is_new: bool) -> None:
    f, chance = w.figures, b.chance
    kind = chance.random()
    kinds = f.income_kinds
    b.income_kind = (
        "pension" if kind < kinds.pension else "business" if kind < kinds.pension + kinds.business else "salary"
    )
    b.income = int(lognormal(chance, f.income.median, f.income.spread) / 50) * 50 * w.unit
    b.payday = (5, 8, 10, 15, 20, 25, 28)[int(chance.random() * 7)]
    b.overdraft = b.income // 2 if chance.random() < f.habits.overdraft else 0
    months = 0.0 if chance.random() < f.savings.none else lognormal(chance, f.savings.median, f.savings.spread)
    b.savings = int(b.income * min(months, 30.0))
    draw = chance.random()
    b.habit = "securities" if draw < f.habits.investors else "gambling" if draw > 1 - f.habits.gamblers else ""
    rent = between(chance, f.budget.rent) if chance.random() < f.budget.renters else 0.0
    service = between(chance, f.budget.debt_service)
    elsewhere = give_debts_elsewhere(b, w)
    saved = between(chance, f.budget.saved)
    alimony = between(chance, f.budget.alimony) if chance.random() < f.budget.pay_alimony else 0.0
    left = 1.0 - rent - elsewhere - saved - alimony
    service = max(0.05, min(service, left - f.budget.least_spending))
    b.rent = int(b.income * rent) // (10 * w.unit) * 10 * w.unit
    b.alimony = int(b.income * alimony)
    products = f.loans.products
    draw = chance.random()
    product = "personal" if draw < products.personal else "car" if draw < 1 - products.mortgage else "mortgage"
    give_loan(b, w, product, int(b.income * service), is_new=is_new)
    b.spending = int(b.income * max(f.budget.least_spending, left - service))
    if chance.random() < f.cards.holders:
        give_card(b, w)
    b.cash = int(b.income * (0.2 + 0.6 * chance.random()))
    _plan_person(b, w)


def _plan_person(b: Borrower, w: World) -> None:
    chance = b.chance
    start = b.today
    if b.income_kind == "business":
        b.plan(b.at(9.0, 9.0, days=1 + int(chance.random() * 9)), acts.INCOME)
    else:
        day = w.worked(w.due(w.month_of[start], b.payday))
        if day > start:
            b.plan(day * DAY + int((7.0 + 4.0 * chance.random()) * 3600), acts.INCOME)
        else:
            plan_payday(b, w)
    b.plan(w.due(w.month_of[start] + 1, 1 + b.number % 5) * DAY + 9 * 3600, acts.RENT)
    b.plan(b.at(10.0, 10.0, days=1 + int(chance.random() * 6)), acts.SPEND, 5)
    plan_inquiry(b, w)
    _plan_common(b, w)


def _plan_common(b: Borrower, w: World) -> None:
    month = w.month_of[b.today]
    b.plan(b.at(21.0, 0.9, days=1 + b.number % 7), acts.BALANCES)
    b.plan(w.month_starts[month + 1] * DAY - 2_400 - b.number % 300, acts.MONTH_END)
    bureau = w.due(month, 1 + b.number * 5 % 27)
    bureau = bureau if bureau > b.today else w.due(month + 1, 1 + b.number * 5 % 27)
    b.plan(bureau * DAY + 4 * 3600 + b.number % 3600, acts.BUREAU)
    elsewhere = w.due(month + 1, 2 + b.number * 3 % 24)
    b.plan(elsewhere * DAY + 12 * 3600, acts.PAY_ELSEWHERE)


def _make_firm(b: Borrower, w: World, *, is_new: bool) -> None:
    f, chance = w.figures.firms, b.chance
    b.income_kind = "sales"
    b.income = int(lognormal(chance, f.turnover.median, f.turnover.spread) / 1000) * 1000 * w.unit
    others = max(1, round(between(chance, f.customers)) - 1)
    main = between(chance, f.main_customer)
    weights = [0.5 + chance.random() for _ in range(others)]
    b.customers = [main, *((1 - main) * each / sum(weights) for each in weights)]
    supplies, payroll, premises = (between(chance, each) for each in (f.supplies, f.payroll, f.premises))
    service = between(chance, f.debt_service)
    most = 1.0 - payroll - premises - f.tax - service - between(chance, f.margin)
    b.costs = (min(supplies, most), payroll)
    b.rent = int(b.income * premises) // (100 * w.unit) * 100 * w.unit
    b.peak = 1 + int(chance.random() * 12)
    b.season = between(chance, f.season)
    if chance.random() < w.figures.look_alikes.seasonal_trade.of_firms:
        b.look_alike = "seasonal_trade"
        b.season = between(chance, w.figures.look_alikes.seasonal_trade.season)
    b.lag_days = int(between(chance, f.receivable_days))
    b.payday = 8 + int(chance.random() * 8)
    b.overdraft = int(b.income * between(chance, f.line) / 10_000) * 10_000 * w.unit // w.unit
    b.savings = int(b.income * between(chance, f.reserve) * (5.0 if b.look_alike else 1.0))
    b.cash = int(b.income * (0.2 + 0.3 * chance.random()))
    give_loan(b, w, "term", int(b.income * service), is_new=is_new)
    own = sum(loan.principal for loan in b.loans)
    share = between(chance, f.equity)
    b.equity = int((own + 0.8 * b.income) * share / (1 - share))
    b.revenue, b.profit = int(b.income * 2 * season(b, w)), -int(b.income * 1.8)
    _plan_firm(b, w)


def _plan_firm(b: Borrower, w: World) -> None:
    chance = b.chance
    month = w.month_of[b.today]
    for n in range(len(b.customers)):
        b.plan(b.at(9.0, 8.0, days=1 + int(chance.random() * 28)), acts.RECEIPT, n)
    b.plan(b.at(10.0, 6.0, days=1 + int(chance.random() * 10)), acts.SUPPLIES)
    b.plan(w.worked(w.due(month + 1, b.payday)) * DAY + 15 * 3600, acts.PAYROLL)
    b.plan(w.due(month + 1, 15) * DAY + 11 * 3600, acts.TAX)
    quarter = month + 3 - (w.months[month] - 1) % 3
    b.plan((w.month_starts[quarter] + 35 + int(chance.random() * 20)) * DAY + 9 * 3600, acts.FINANCIALS)
    b.plan(b.at(9.0, 8.0, days=1 + int(chance.random() * 500)), acts.INQUIRE)
    _plan_common(b, w)
