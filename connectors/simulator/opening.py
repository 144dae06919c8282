"""What the bank's feeds say of a borrower on the first day: an opening balance of all that is there, or a new loan."""

from connectors.simulator import acts, wire
from connectors.simulator.birth_debts import give_loan, pay_out
from connectors.simulator.cash import debit
from connectors.simulator.state import Borrower
from connectors.simulator.world import DAY, World

REGIONS = ("east", "north", "south", "southwest", "central", "northeast")
INDUSTRIES = ("trade", "manufacturing", "construction", "catering", "transport", "services")


def opened(b: Borrower, w: World, _: int) -> None:
    """The first lines of a borrower."""
    industry = f',"industry":"{INDUSTRIES[b.number * 11 % 6]}"' if b.is_firm else ""
    segment = "corporate" if b.is_firm else "retail"
    own = f',"segment":"{segment}","region":"{REGIONS[b.number * 7 % 6]}"{industry}'
    wire.tell(b, w, "borrower.updated", "customers", own)
    for n, loan in enumerate(b.loans):
        if b.from_day > w.first and not loan.limit:
            pay_out(b, w, n)
        elif loan.status == "open":
            wire.snapshot(b, w, loan)
            _tell_dues_ahead(b, w, n)
    for other, kind in b.related:
        wire.tell(b, w, "relation.set", "customers", f',"related_id":"{other}","kind":"{kind}"')
    wire.balance(b, w)


def _tell_dues_ahead(b: Borrower, w: World, n: int) -> None:
    """A due whose notice went out before the first day is told again: the snapshot says nothing of it."""
    planned = [moment // DAY for moment, act, argument in b.agenda if act == acts.DUE and argument == n]
    noticed = any(act == acts.NOTICE and argument == n for _, act, argument in b.agenda)
    if planned and not noticed and not b.loans[n].is_told_ahead:
        wire.due(b, w, b.loans[n], planned[0])


def use(b: Borrower, w: World, amount: int) -> None:
    """A part of a loan goes where it was meant to go."""
    chance = b.chance
    if not b.pays:
        return
    category, other = ("supplies", "supplier") if b.is_firm else ("purchase", "merchant")
    if chance.random() < 0.2:
        category, other = ("transfer", "person") if chance.random() < 0.6 else ("cash_withdrawal", "person")
    debit(b, w, min(amount, max(0, b.cash)), category, other)


def renew(b: Borrower, w: World, _: int) -> None:
    """All loans are repaid: another one, or the borrower leaves."""
    if b.chance.random() >= w.figures.loans.renewed:
        b.agenda = []
        return
    product = "term" if b.is_firm else "personal"
    give_loan(b, w, product, int(b.income * (0.06 if b.is_firm else 0.15)), is_new=True)
    pay_out(b, w, len(b.loans) - 1)
