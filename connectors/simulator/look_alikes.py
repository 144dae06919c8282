"""What looks like trouble and is none: the same events from people who can afford it."""

from connectors.simulator import acts
from connectors.simulator.cash import advance, card_of, debit
from connectors.simulator.state import Borrower, between
from connectors.simulator.world import World

PERSONAL = ("payday_shift", "employer_bank", "holiday_spending", "parental_leave")


def begin(b: Borrower, w: World, _: int) -> None:
    """The day on which it begins; nothing happens to somebody who is in trouble by then."""
    figures, chance = w.figures.look_alikes, b.chance
    if b.strained_on >= 0 or b.cause or b.income_kind != "salary":
        return
    b.seemed_on = b.today
    match b.look_alike:
        case "payday_shift":
            b.payday_delay = int(between(chance, figures.payday_shift.days))
        case "employer_bank":
            b.sent_on = between(chance, figures.employer_bank.sent_on)
        case "holiday_spending":
            b.savings = max(b.savings, 3 * b.income)
            for n in range(5):
                b.plan(b.at(10.0, 10.0, days=3 * n + int(chance.random() * 4)), acts.HOLIDAY)
        case "parental_leave":
            leave = figures.parental_leave
            b.savings = max(b.savings, 4 * b.income)
            left = between(chance, leave.income_left)
            b.income_share, b.benefit = 0.0, int(b.income * left)
            b.plan(b.at(9.0, 1.0, days=int(30 * between(chance, leave.months))), acts.LOOK_ALIKE_ENDS)


def end(b: Borrower, w: World, _: int) -> None:
    """Back at work."""
    b.income_share, b.benefit = 1.0, 0


def holiday(b: Borrower, w: World, _: int) -> None:
    """A fifth of a holiday: on the card, or in cash from it."""
    amount = int(b.income * between(b.chance, w.figures.look_alikes.holiday_spending.spent) / 5)
    card = card_of(b)
    if card is not None and b.chance.random() < 0.7:
        advance(b, w, card, amount)
    debit(b, w, min(amount, max(0, b.cash)), "travel", "merchant")
