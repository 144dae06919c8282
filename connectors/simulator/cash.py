"""Money: in, out, and where it comes from when it is short."""

from connectors.simulator import wire
from connectors.simulator.state import Borrower, Loan, between
from connectors.simulator.world import World

REST_DAYS = 12  # how often money is sought


def credit(b: Borrower, w: World, amount: int, category: str, other: str) -> None:
    """Money comes in."""
    if amount <= 0:
        return
    b.cash += amount
    wire.moved(b, w, "credit", amount, category, other)
    if b.is_over and b.cash >= -b.overdraft:
        b.is_over = False


def debit(b: Borrower, w: World, amount: int, category: str, other: str) -> None:
    """Money goes out, whatever is there."""
    if amount <= 0:
        return
    b.cash -= amount
    wire.moved(b, w, "debit", amount, category, other)
    if b.cash < -b.overdraft and not b.is_over:
        b.is_over = True
        wire.overdrawn(b, w)


def within_reach(b: Borrower) -> int:
    """What can be taken from the account."""
    return b.cash + b.overdraft


def to_spare(b: Borrower) -> int:
    """What can be taken for debts: people eat first, and firms pay wages first."""
    return within_reach(b) - (b.income // 9 if b.is_firm else int(0.5 * b.spending * b.thrift))


def card_of(b: Borrower) -> Loan | None:
    """The borrower's card, when it has one that works."""
    for loan in b.loans:
        if loan.limit and loan.status == "open" and not loan.unpaid:
            return loan
    return None


def raise_cash(b: Borrower, w: World, short: int) -> None:
    """Seek what is missing: savings first, then a cash advance, family, and another lender."""
    if short <= 0:
        return
    if b.savings > 0:
        step = 100 * w.unit
        taken = min(b.savings, -(-short // step) * step)
        b.savings -= taken
        credit(b, w, taken, "transfer", "owner" if b.is_firm else "own-account")
        short -= taken
    if short <= 0 or b.now // 86_400 - b.raised_on < REST_DAYS:
        return
    b.raised_on = b.now // 86_400
    habits, chance = w.figures.habits, b.chance
    card = card_of(b)
    if card is not None and chance.random() < habits.advance_in_need:
        short -= advance(b, w, card, short)
    if short > 0 and not b.is_firm and chance.random() < habits.family_in_need:
        given = int(short * between(chance, (0.5, 1.2)) / (500 * w.unit) + 1) * 500 * w.unit
        credit(b, w, given, "transfer", "person")
        short -= given
    if short > 0 and chance.random() < habits.borrow_in_need:
        borrow(b, w, max(2 * short, int(0.4 * b.income)) if not b.is_firm else max(short, b.income // 10))


def advance(b: Borrower, w: World, card: Loan, wanted: int) -> int:
    """Cash from the card, in whole hundreds, as far as its limit goes."""
    step = 100 * w.unit
    amount = min(-(-wanted // step) * step, (card.limit // 2 if card.limit > card.principal else 0) // step * step)
    amount = min(amount, (card.limit - card.principal) // step * step)
    if amount < 3 * step:
        return 0
    card.principal += amount
    wire.on_card(b, w, card, amount, "cash_advance")
    credit(b, w, amount, "transfer", "own-account")
    return amount


LENDERS = ("consumer-finance", "online-lender", "bank", "card-issuer")
FIRM_LENDERS = ("bank", "leasing", "factoring", "online-lender")


def inquire(b: Borrower, w: World, purpose: str) -> None:
    """Another lender asks the bureau about the borrower."""
    kinds = FIRM_LENDERS if b.is_firm else LENDERS
    lender = kinds[int(b.chance.random() * len(kinds))]
    b.inquiries.append(b.today)
    wire.tell(b, w, "external.inquiry", "bureau", f',"lender_kind":"{lender}","purpose":"{purpose}"')


def borrow(b: Borrower, w: World, wanted: int) -> int:
    """Ask one to three other lenders for money; the more debt, the fewer say yes."""
    chance, terms = b.chance, w.figures.elsewhere
    for _ in range(1 + int(chance.random() * 3)):
        inquire(b, w, "cash-loan" if not b.is_firm else "working-capital")
        paying = sum(each[0] for each in b.elsewhere)
        ease = 0.85 - 1.0 * paying / max(1, b.income) - (0.5 if b.elsewhere_late >= 0 or b.strained_on >= 0 else 0.0)
        if b.is_firm:
            ease += b.income_share - 1.0 - (0.3 if b.is_lost or b.taxes_missed else 0.0)
        if chance.random() < ease:
            step = 1000 * w.unit
            amount = max(2, round(min(wanted, 3 * b.income) / step)) * step
            months = terms.months
            rate = terms.rate / 12
            b.elsewhere.append([int(amount * rate / (1 - (1 + rate) ** -months)), months, amount])
            credit(b, w, amount, "loan_proceeds", "other-lender")
            return amount
    return 0
