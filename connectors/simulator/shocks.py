"""What goes wrong in a life: each changes money coming in or going out, or debts, and nothing else.

A shock begins on its day and may take further steps; arrears are never set here.
"""

from collections.abc import Callable

from connectors.simulator import acts, wire
from connectors.simulator.cash import advance, borrow, card_of, credit, debit, inquire, within_reach
from connectors.simulator.loans import annuity
from connectors.simulator.state import Borrower, around, between
from connectors.simulator.world import World

MONTH = 30


def begin(b: Borrower, w: World, _: int) -> None:
    """The day on which a shock begins."""
    if b.defaulted_on >= 0 or all(loan.status != "open" for loan in b.loans):
        return
    if _BEGIN[b.shock](b, w):
        b.cause, b.began_on = b.shock, b.today


def step(b: Borrower, w: World, argument: int) -> None:
    """A later step of the shock that has begun."""
    _STEP[b.cause](b, w, argument)


def bill(b: Borrower, w: World, _: int) -> None:
    """A large bill that nobody has a name for."""
    b.billed_on = b.today
    base = b.income // 10 if b.is_firm else b.income
    b.extra += int(base * between(b.chance, w.figures.unnamed.cost))


def _months(b: Borrower, bounds: tuple[float, float]) -> int:
    return int(MONTH * between(b.chance, bounds))


# -- persons ------------------------------------------------------------------


def _job_lost(b: Borrower, w: World) -> bool:
    if b.income_kind != "salary":
        return False
    figures, chance = w.figures.shocks.job_loss, b.chance
    b.income_share = 0.0
    severance = between(chance, figures.severance)
    if severance > 0.5:
        credit(b, w, int(b.income * severance / (100 * w.unit)) * 100 * w.unit, "severance", "employer")
    b.benefit = int(b.income * between(chance, figures.benefit))
    if chance.random() < figures.told:
        b.plan(b.at(9.0, 8.0, days=15 + int(chance.random() * 45)), acts.SHOCK_STEP, 1)
    b.plan(b.at(9.0, 1.0, days=_months(b, figures.months)), acts.SHOCK_STEP, 2)
    return True


def _job_found_or_told(b: Borrower, w: World, argument: int) -> None:
    if argument == 1:
        wire.tell(b, w, "external.employment", "registers", ',"status":"unemployed"')
        return
    b.benefit = 0
    b.income_share = between(b.chance, w.figures.shocks.job_loss.new_income)


def _fell_ill(b: Borrower, w: World) -> bool:
    figures, chance = w.figures.shocks.illness, b.chance
    b.income_share *= between(chance, figures.income_left)
    b.shock_step = int(b.income * between(chance, figures.cost) / 4)
    b.extra += b.shock_step
    for n in range(1, 4):
        b.plan(b.at(9.0, 8.0, days=25 * n), acts.SHOCK_STEP, 1)
    b.plan(b.at(9.0, 1.0, days=_months(b, figures.months)), acts.SHOCK_STEP, 2)
    return True


def _bill_or_well_again(b: Borrower, w: World, argument: int) -> None:
    if argument == 1:
        b.extra += b.shock_step
    else:
        b.income_share = 1.0 if b.income_share else 0.0


def _divorced(b: Borrower, w: World) -> bool:
    figures, chance = w.figures.shocks.divorce, b.chance
    left = between(chance, figures.savings_left)
    gone = int((b.savings + max(0, b.cash)) * (1 - left))
    from_cash = min(gone, max(0, b.cash))
    b.savings -= min(b.savings, gone - from_cash)
    debit(b, w, from_cash, "transfer", "person")
    b.shock_step = int(b.income * between(chance, figures.cost) / 4)
    for n in range(4):
        b.plan(b.at(9.0, 8.0, days=12 + 30 * n), acts.SHOCK_STEP, 3)
    b.alimony = int(b.income * between(chance, figures.alimony))
    b.plan(b.at(9.0, 8.0, days=10 + int(chance.random() * 50)), acts.SHOCK_STEP, 1)
    b.plan(b.at(9.0, 1.0, days=_months(b, figures.months)), acts.SHOCK_STEP, 2)
    return True


def _heard_or_settled(b: Borrower, w: World, argument: int) -> None:
    if argument == 1:
        wire.tell(b, w, "external.legal", "registers", ',"kind":"family"')
        if b.spouse:
            wire.tell(b, w, "relation.set", "customers", f',"related_id":"{b.spouse}","kind":"spouse","ended":true')
    elif argument == 3:
        b.extra += b.shock_step
    else:
        b.alimony = 0


def _began_to_overborrow(b: Borrower, w: World) -> bool:
    figures, chance = w.figures.shocks.over_indebtedness, b.chance
    b.shock_step = 1 if chance.random() < figures.gamblers else 0
    b.shock_ends = b.today + _months(b, figures.months)
    b.plan(b.at(12.0, 6.0), acts.SHOCK_STEP, 1)
    return True


def _overborrow(b: Borrower, w: World, argument: int) -> None:
    figures, chance = w.figures.shocks.over_indebtedness, b.chance
    if argument == 1:
        if b.today > b.shock_ends or chance.random() < figures.stops:
            return
        wanted = int(b.income * between(chance, figures.borrowed))
        card = card_of(b)
        found = borrow(b, w, wanted)
        if not found and card is not None:
            advance(b, w, card, wanted)
        for n in range(5):
            b.plan(b.at(18.0, 5.0, days=2 + 5 * n + int(chance.random() * 5)), acts.SHOCK_STEP, 2)
        b.plan(b.at(12.0, 6.0, days=24 + int(chance.random() * 10)), acts.SHOCK_STEP, 1)
        return
    spent = int(b.income * figures.borrowed[1] * between(chance, (0.05, 0.3)))
    spent = min(spent, int(0.85 * max(0, within_reach(b))))
    category = "gambling" if b.shock_step else ("shopping", "entertainment", "transfer")[int(chance.random() * 3)]
    debit(b, w, spent, category, "merchant" if category != "transfer" else "person")


def _rate_rose(b: Borrower, w: World) -> bool:
    long = [loan for loan in b.loans if loan.status == "open" and loan.product in ("mortgage", "term")]
    if not long:
        return False
    loan = long[0]
    loan.rate += between(b.chance, w.figures.shocks.rate_rise.rise)
    loan.instalment = max(loan.instalment, annuity(loan.principal, loan.rate, max(1, loan.left)))
    loan.is_told_ahead = False
    wire.snapshot(b, w, loan)
    return True


def _bought_securities(b: Borrower, w: World) -> bool:
    figures, chance = w.figures.shocks.funds_to_securities, b.chance
    step_of = 1000 * w.unit
    to_invest = int((max(0, b.cash) // 2 + b.savings) * between(chance, figures.invested))
    taken = min(b.savings, to_invest) // step_of * step_of
    b.savings -= taken
    credit(b, w, taken, "transfer", "owner" if b.is_firm else "own-account")
    found = sum(borrow(b, w, int((2.5 if not b.is_firm else 0.5) * b.income)) for _ in range(2))
    invested = (min(to_invest, max(0, b.cash)) + found) // step_of * step_of
    debit(b, w, min(invested, max(0, b.cash)), "securities", "broker")
    b.shock_step = invested
    for n in range(5):
        b.plan(b.at(9.5, 5.0, days=10 + 24 * n + int(chance.random() * 9)), acts.SHOCK_STEP, 1)
    b.plan(b.at(9.5, 5.0, days=_months(b, figures.months)), acts.SHOCK_STEP, 2)
    return True


def _more_or_sold(b: Borrower, w: World, argument: int) -> None:
    chance = b.chance
    step_of = 1000 * w.unit
    if argument == 1:
        more = int(min(0.5 * max(0, b.cash), 1.2 * b.income if not b.is_firm else 0.1 * b.income)) // step_of * step_of
        if card := card_of(b):
            more += advance(b, w, card, b.income)
        more += borrow(b, w, b.income if not b.is_firm else b.income // 5)
        debit(b, w, min(more, max(0, b.cash)), "securities", "broker")
        b.shock_step += more
        return
    lost = between(chance, w.figures.shocks.funds_to_securities.lost)
    credit(b, w, int(b.shock_step * (1 - lost)), "securities", "broker")


def _never_meant_to_pay(b: Borrower, w: World) -> bool:
    """The loan is taken out in cash; other lenders are asked in the same weeks; then silence."""
    b.pays = False
    for _ in range(2 + int(b.chance.random() * 4)):
        b.plan(b.at(9.0, 10.0, days=int(b.chance.random() * 20)), acts.SHOCK_STEP, 1)
    for n in range(3):
        b.plan(b.at(9.0, 10.0, days=1 + 2 * n + int(b.chance.random() * 4)), acts.SHOCK_STEP, 2)
    b.plan(b.at(9.0, 1.0, days=_months(b, w.figures.shocks.early_fraud.months)), acts.SHOCK_STEP, 3)
    return True


def _take_all(b: Borrower, w: World, argument: int) -> None:
    if argument == 1:
        inquire(b, w, "cash-loan")
    elif argument == 2:
        share = between(b.chance, (0.4, 0.9))
        debit(b, w, int(share * max(0, b.cash)), "cash_withdrawal" if b.chance.random() < 0.5 else "transfer", "person")
        if card := card_of(b):
            advance(b, w, card, card.limit)
    else:
        b.income_share = 0.0
        b.spending //= 8


# -- firms --------------------------------------------------------------------


def _turnover_fell(b: Borrower, w: World) -> bool:
    figures, chance = w.figures.shocks.turnover_fall, b.chance
    left, steps = between(chance, figures.turnover_left), max(1, round(between(chance, figures.ramp)))
    for n in range(steps):
        share = round(1000 * (1 - (1 - left) * (n + 1) / steps))
        b.plan(b.at(9.0, 1.0, days=MONTH * n + 1), acts.SHOCK_STEP, share)
    b.plan(b.at(9.0, 1.0, days=MONTH * steps + _months(b, figures.months)), acts.SHOCK_STEP, 950)
    return True


def _turnover_is(b: Borrower, w: World, thousandths: int) -> None:
    b.income_share = thousandths / 1000


def _customer_left(b: Borrower, w: World) -> bool:
    figures, chance = w.figures.shocks.customer_loss, b.chance
    if chance.random() < figures.told:
        b.plan(b.at(8.0, 3.0, days=int(chance.random() * 40)), acts.SHOCK_STEP, 1)
    b.plan(b.at(9.0, 1.0, days=b.lag_days // 2), acts.SHOCK_STEP, 2)
    b.plan(b.at(9.0, 1.0, days=_months(b, figures.months)), acts.SHOCK_STEP, 3)
    return True


def _less_or_replaced(b: Borrower, w: World, argument: int) -> None:
    if argument == 1:
        sentiment = -int(1_000_000 * between(b.chance, (0.3, 0.9)))
        wire.tell(b, w, "external.news", "news", f',"sentiment_ppm":{sentiment},"topic":"customer"')
    elif argument == 2:
        b.is_lost = True
    else:
        b.replaced = between(b.chance, w.figures.shocks.customer_loss.replaced) * around(b.chance, 0.1)


_BEGIN: dict[str, Callable[[Borrower, World], bool]] = {
    "job_loss": _job_lost,
    "illness": _fell_ill,
    "divorce": _divorced,
    "over_indebtedness": _began_to_overborrow,
    "rate_rise": _rate_rose,
    "funds_to_securities": _bought_securities,
    "early_fraud": _never_meant_to_pay,
    "turnover_fall": _turnover_fell,
    "customer_loss": _customer_left,
}
_STEP: dict[str, Callable[[Borrower, World, int], None]] = {
    "job_loss": _job_found_or_told,
    "illness": _bill_or_well_again,
    "divorce": _heard_or_settled,
    "over_indebtedness": _overborrow,
    "funds_to_securities": _more_or_sold,
    "early_fraud": _take_all,
    "turnover_fall": _turnover_is,
    "customer_loss": _less_or_replaced,
}
