"""Lines of the feeds: one function for each shape of event, so that every borrower's events look alike."""

from connectors.simulator.state import Borrower, Loan
from connectors.simulator.world import DAY, World

# Written by hand, not encoded from Structs: this is a third of the run's time. A test decodes every type of them.


def tell(b: Borrower, w: World, kind: str, source: str, own: str) -> None:
    """Tell one event; `own` holds the fields of its type as JSON."""
    b.now += 1
    day, second = divmod(b.now, DAY)
    if day < b.from_day:
        return
    b.told += 1
    b.by_source[source] = b.by_source.get(source, 0) + 1
    b.lines.append(
        f'{{"id":"{b.key}-{b.told}","source":"{source}","type":"{kind}",'
        f'"at":"{w.dates[day]}T{w.clock[second]}{w.offsets[day]}","borrower_id":"{b.key}"{own}}}\n'
    )


def moved(b: Borrower, w: World, kind: str, amount: int, category: str, other: str) -> None:
    """Money in or out of the current account; `b.cash` is what is there afterwards."""
    b.now += 1
    day, second = divmod(b.now, DAY)
    if day < b.from_day:
        return
    b.told += 1
    b.lines.append(
        f'{{"id":"{b.key}-{b.told}","source":"accounts","type":"account.{kind}",'
        f'"at":"{w.dates[day]}T{w.clock[second]}{w.offsets[day]}","borrower_id":"{b.key}","account_id":"{b.account_id}",'
        f'"amount_minor":{amount},"category":"{category}","counterparty_kind":"{other}","balance_minor":{b.cash}}}\n'
    )


def on_card(b: Borrower, w: World, card: Loan, amount: int, category: str) -> None:
    """A card was used."""
    own = f'"account_id":"{card.account_id}","amount_minor":{amount},"category":"{category}"'
    tell(b, w, "account.debit", "accounts", f',{own},"counterparty_kind":"merchant"')


def balance(b: Borrower, w: World) -> None:
    """What the current account stands at; one with an overdraft line has a limit and a used share of it."""
    limit = ""
    if b.overdraft:
        used = max(0, -b.cash) * 1_000_000 // b.overdraft
        limit = f',"limit_minor":{b.overdraft},"used_share_ppm":{used}'
    tell(b, w, "account.balance", "accounts", f',"account_id":"{b.account_id}","balance_minor":{b.cash}{limit}')


def card_balance(b: Borrower, w: World, card: Loan) -> None:
    """What a card stands at: what is owed is a negative balance."""
    used = card.principal * 1_000_000 // card.limit
    own = f'"balance_minor":{-card.principal},"limit_minor":{card.limit},"used_share_ppm":{used}'
    tell(b, w, "account.balance", "accounts", f',"account_id":"{card.account_id}",{own}')


def statement(b: Borrower, w: World, card: Loan, minimum: int) -> None:
    """A card's month is closed."""
    own = f'"balance_minor":{-card.principal},"minimum_due_minor":{minimum},"limit_minor":{card.limit}'
    own = f',"account_id":"{card.account_id}",{own},"closed_on":"{w.dates[b.today]}"'
    tell(b, w, "account.statement", "accounts", own)


def overdrawn(b: Borrower, w: World) -> None:
    """The account is below what it may be."""
    own = f'"account_id":"{b.account_id}","amount_minor":{-b.cash - b.overdraft}'
    tell(b, w, "account.overdrawn", "accounts", f",{own}")


def disbursed(b: Borrower, w: World, loan: Loan, purpose: str, matures_on: str, schedule: str) -> None:
    """A loan was paid out."""
    segment = "corporate" if b.is_firm else "retail"
    collateral = f'"collateral_value_minor":{loan.collateral},' if loan.collateral else ""
    own = f'"product":"{loan.product}","principal_minor":{loan.principal},"rate_ppm":{round(loan.rate * 1_000_000)},'
    own += f'{collateral}"matures_on":"{matures_on}","purpose":"{purpose}","segment":"{segment}"{schedule}'
    tell(b, w, "loan.disbursed", "core", f',"loan_id":"{loan.loan_id}",{own}')


def due(b: Borrower, w: World, loan: Loan, day: int) -> None:
    """The next instalment, some days ahead."""
    own = f'"instalment":{loan.number},"due_on":"{w.dates[day]}","amount_minor":{loan.instalment}'
    tell(b, w, "repayment.due", "core", f',"loan_id":"{loan.loan_id}",{own}')


def received(b: Borrower, w: World, loan: Loan, amount: int, kind: str, channel: str) -> None:
    """Money came in for a loan."""
    own = f'"amount_minor":{amount},"kind":"{kind}","channel":"{channel}"'
    tell(b, w, "repayment.received", "core", f',"loan_id":"{loan.loan_id}",{own}')


def missed(b: Borrower, w: World, loan: Loan, number: int) -> None:
    """The core says that an instalment was missed."""
    which = f',"instalment":{number}' if number else ""
    tell(b, w, "repayment.missed", "core", f',"loan_id":"{loan.loan_id}"{which}')


def snapshot(b: Borrower, w: World, loan: Loan) -> None:
    """The core's own truth of a loan for today."""
    late = b.today - loan.unpaid[0][0] if loan.unpaid else 0
    own = f'"outstanding_minor":{loan.principal},"arrears_minor":{loan.owed},"days_past_due":{late}'
    collateral = f',"collateral_value_minor":{loan.collateral}' if loan.collateral else ""
    rate = f',"rate_ppm":{round(loan.rate * 1_000_000)}'
    tell(b, w, "loan.snapshot", "core", f',"loan_id":"{loan.loan_id}",{own}{collateral}{rate}')


def ended(b: Borrower, w: World, loan: Loan, kind: str, word: str, reason: str) -> None:
    """A loan was closed or is in default."""
    tell(b, w, kind, "core", f',"loan_id":"{loan.loan_id}","class":"{word}","reason":"{reason}"')
