"""What a person does: earn, pay the rent, spend, save."""

from connectors.simulator import acts, wire
from connectors.simulator.cash import advance, card_of, credit, debit, inquire, raise_cash, within_reach
from connectors.simulator.loans import plan_try
from connectors.simulator.state import Borrower, around, between
from connectors.simulator.world import DAY, World

SPENT_ON = (
    "groceries",
    "groceries",
    "dining",
    "transport",
    "shopping",
    "health",
    "utilities",
    "entertainment",
    "services",
)


def income(b: Borrower, w: World, _: int) -> None:
    """Payday."""
    chance = b.chance
    if b.income_kind == "business":
        credit(b, w, int(b.income / 3 * b.income_share * around(chance, 0.5)), "business", "customer")
        b.plan(b.at(9.0, 9.0, days=7 + int(chance.random() * 7)), acts.INCOME)
        return
    if b.benefit:
        credit(b, w, b.benefit, "benefit", "state")
    if b.income_share > 0:
        _salary(b, w, int(b.income * b.income_share * around(chance, 0.015)))
    if b.cause == "over_indebtedness" and b.today < b.shock_ends:
        b.plan(b.at(15.0, 8.0), acts.SHOCK_STEP, 2)
    if b.strained_on >= 0:
        for n, loan in enumerate(b.loans):
            if loan.unpaid and b.pays:
                plan_try(b, n, b.at(14.0, 6.0))
    plan_payday(b, w)


def _salary(b: Borrower, w: World, amount: int) -> None:
    chance = b.chance
    kinds = w.figures.income_kinds
    is_salary = b.income_kind == "salary"
    if b.sent_on:
        b.savings += int(amount * (1 - b.sent_on))
        b.plan(b.at(10.0, 10.0, days=int(chance.random() * 3)), acts.SEND_ON, int(amount * b.sent_on))
        return
    credit(b, w, amount, b.income_kind, "employer" if is_salary else "state")
    is_bonus_month = w.months[w.month_of[b.today]] == 1
    if is_salary and is_bonus_month and b.number % 1000 < 1000 * kinds.bonus and b.income_share == 1.0:
        bonus = int(b.income * between(chance, kinds.bonus_months) / (100 * w.unit)) * 100 * w.unit
        credit(b, w, bonus, "bonus", "employer")


def send_on(b: Borrower, w: World, amount: int) -> None:
    """Money that came to another bank is moved here."""
    step = 100 * w.unit
    credit(b, w, amount // step * step, "transfer", "own-account")


def plan_payday(b: Borrower, w: World) -> None:
    """Put the next payday onto the agenda."""
    day = w.payday(b.today, b.payday)
    b.plan(day * DAY + int((7.0 + 4.0 * b.chance.random()) * 3600) + b.payday_delay * DAY, acts.INCOME)


def rent(b: Borrower, w: World, _: int) -> None:
    """The rent, for those who pay one, and what is to be paid like a rent."""
    owed = b.rent + b.payables
    if b.cash < owed:
        raise_cash(b, w, owed - within_reach(b))
    # A standing order goes a little below what the account may give.
    paid = min(owed, max(0, within_reach(b) + b.income // 20))
    b.payables = min(owed - paid, 3 * b.rent)  # then the landlord gives up
    debit(b, w, paid, "rent", "landlord")
    if b.alimony:
        debit(b, w, min(b.alimony, max(0, within_reach(b))), "alimony", "person")
    month = w.month_of[b.today]
    b.plan(w.due(month + 1, 1 + b.number % 5) * DAY + int((8 + 10 * b.chance.random()) * 3600), acts.RENT)


def spend(b: Borrower, w: World, gap: int) -> None:
    """What was bought over some days, on the card or from the account."""
    chance = b.chance
    amount = int(b.spending * b.thrift * gap / 30 * (0.5 + chance.random()))
    category = SPENT_ON[int(chance.random() * len(SPENT_ON))]
    following = 7 + int(chance.random() * 9)
    b.plan(b.at(10.0, 12.0, days=following), acts.SPEND, following)
    if b.extra > 0:
        _settle_bill(b, w)
    if b.habit and chance.random() < 0.2:
        debit(
            b, w, min(amount, int(0.5 * max(0, b.cash))), b.habit, "broker" if b.habit == "securities" else "merchant"
        )
        return
    card = card_of(b)
    is_on_card = chance.random() < b.on_card or b.cash - amount < b.spending // 4
    if card is not None and is_on_card and card.limit - card.principal > amount:
        card.principal += amount
        wire.on_card(b, w, card, amount, category)
        return
    if b.cash < amount:
        raise_cash(b, w, amount - b.cash)
    debit(b, w, min(amount, int(0.8 * max(0, within_reach(b)))), category, "merchant")


def _settle_bill(b: Borrower, w: World) -> None:
    """A bill that is no choice: as much of it as there is money for; the rest waits."""
    if within_reach(b) < b.extra:
        raise_cash(b, w, b.extra - within_reach(b))
    paid = min(b.extra, int(0.8 * max(0, within_reach(b))))
    b.extra -= paid
    is_health = b.chance.random() < (0.7 if b.cause == "illness" else 0.3)
    debit(b, w, paid, "health" if is_health else "services", "merchant")


def balances(b: Borrower, w: World, _: int) -> None:
    """A week's balances."""
    wire.balance(b, w)
    for loan in b.loans:
        if loan.limit and loan.status == "open":
            wire.card_balance(b, w, loan)
    b.plan(b.now + 7 * DAY, acts.BALANCES)


def tune(b: Borrower, w: World) -> None:
    """At a month's end: put money by, and spend less when it runs short."""
    earned = b.income * b.income_share + b.benefit
    needed = outgo(b)
    liquid = b.cash + b.savings
    least = w.figures.budget.thrift
    if b.strained_on >= 0 or liquid < 0.5 * needed or (earned < 0.95 * needed and liquid < 3 * needed):
        b.thrift = max(least, b.thrift - 0.15)
    else:
        b.thrift = min(1.3 if b.savings > 2 * needed else 1.0, b.thrift + 0.1)
    keep = int(0.45 * needed)
    step = 100 * w.unit
    if b.cash > keep + 5 * step and b.strained_on < 0:
        put_by = (b.cash - keep) // step * step
        b.savings += put_by
        debit(b, w, put_by, "transfer", "own-account")


def outgo(b: Borrower) -> int:
    """What a usual month costs."""
    dues = sum(loan.instalment for loan in b.loans if loan.status == "open" and not loan.limit)
    return b.rent + b.alimony + b.spending + dues + sum(each[0] for each in b.elsewhere)


def inquiry(b: Borrower, w: World, _: int) -> None:
    """An offer is compared, a phone is bought: an inquiry without need, perhaps with a small debt."""
    chance = b.chance
    purposes = ("credit-card", "purchase", "cash-loan", "mortgage-offer")
    inquire(b, w, purposes[int(chance.random() * 4)])
    if chance.random() < w.figures.habits.cases_a_year / w.figures.habits.inquiries_a_year:
        wire.tell(b, w, "external.legal", "registers", f',"kind":"{("civil", "family")[int(chance.random() * 2)]}"')
    if b.habit == "securities":
        credit(b, w, int(b.spending * between(chance, (0.1, 1.5))), "securities", "broker")
    card = card_of(b)
    if card is not None and chance.random() < w.figures.habits.advances_a_year / w.figures.habits.inquiries_a_year:
        b.now += 3600
        advance(b, w, card, int(b.income * between(chance, (0.05, 0.3))))
    plan_inquiry(b, w)


def plan_inquiry(b: Borrower, w: World) -> None:
    """The next inquiry without need."""
    days = int(b.chance.expovariate(w.figures.habits.inquiries_a_year) * 365) + 1
    if days < 2_000:
        b.plan(b.at(9.0, 10.0, days=days), acts.INQUIRE)
