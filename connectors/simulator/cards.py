"""Credit cards: statements, and what is paid of them."""

from connectors.simulator import acts, wire
from connectors.simulator.cash import debit, raise_cash, to_spare
from connectors.simulator.loans import DEFAULT_DAYS, plan_try
from connectors.simulator.state import Borrower, between
from connectors.simulator.world import DAY, World

DAYS_TO_PAY = 20


def statement(b: Borrower, w: World, n: int) -> None:
    """The card's month is closed; a minimum is due some weeks later."""
    card = b.loans[n]
    if card.status != "open":
        return
    terms = w.figures.cards
    if card.is_revolving:
        card.principal += int(card.principal * terms.rate / 12)
    minimum = max(0, int(card.principal * terms.minimum) // w.unit * w.unit)
    card.statement = card.principal
    wire.statement(b, w, card, minimum)
    if not card.unpaid:
        wire.snapshot(b, w, card)
    month = w.month_of[b.today]
    b.plan(w.due(month + 1, card.day_of_month) * DAY + 5 * 3600 + b.number % 3600, acts.STATEMENT, n)
    if minimum:
        card.instalment = minimum
        b.plan((b.today + DAYS_TO_PAY) * DAY + 10 * 3600 + b.number % 3600, acts.CARD_DUE, n)


def due(b: Borrower, w: World, n: int) -> None:
    """The last day to pay a statement: in full, a part, the minimum, or not at all."""
    card, chance = b.loans[n], b.chance
    if card.status != "open":
        return
    is_forgotten = b.pays and chance.random() < w.figures.habits.forgets
    if b.pays and not is_forgotten and not card.unpaid and _pay(b, w, n):
        return
    card.unpaid.append([b.today, min(card.instalment, max(1, card.principal - card.owed)), 0, 0])
    if b.strained_on < 0 and not is_forgotten:
        b.strained_on = b.today
    b.plan(b.at(6.0, 0.5, days=1), acts.MISSED, n)
    if b.pays:
        plan_try(b, n, b.at(11.0, 8.0, days=1 + int(chance.random() * 8)))
    b.plan(b.at(22.0, 0.5, days=DEFAULT_DAYS), acts.LATE, n)


def _pay(b: Borrower, w: World, n: int) -> bool:
    card, chance = b.loans[n], b.chance
    reach = to_spare(b)
    wanted = card.statement if not card.is_revolving else int(card.statement * between(chance, (0.12, 0.5)))
    wanted = max(wanted, card.instalment)
    if not card.is_revolving and reach < wanted and b.savings > 0:
        raise_cash(b, w, wanted - reach)
        reach = to_spare(b)
    if reach >= wanted:
        _book(b, w, n, min(wanted, card.principal), "full" if wanted >= card.statement else "partial")
        card.is_revolving = wanted < card.statement
        return True
    if reach < card.instalment:
        raise_cash(b, w, card.instalment - reach)
    if to_spare(b) >= card.instalment:
        _book(b, w, n, min(card.instalment, card.principal), "minimum")
        card.is_revolving = True
        return True
    return False


def _book(b: Borrower, w: World, n: int, amount: int, kind: str) -> None:
    if amount <= 0:
        return
    card = b.loans[n]
    debit(b, w, amount, "card_payment", "own-bank")
    wire.received(b, w, card, amount, kind, "app")
    card.principal -= amount
