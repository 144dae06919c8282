"""Events as short sentences: of loan L1 and account A1 unless they say otherwise."""

from typing import Any

from tests.oracles.rule_journeys import Told, told


def disbursed(day: int, loan: str = "L1", **more: Any) -> Told:
    """A loan was paid out; as the first repayment event it makes the feed known from ever."""
    return told("loan.disbursed", day=day, loan_id=loan, product="p", principal_minor=10_000_000, **more)


def overdue(day: int, days: int, loan: str = "L1", **more: Any) -> Told:
    """The core says how many days past due a loan is."""
    return told("loan.snapshot", day=day, loan_id=loan, days_past_due=days, **more)


def missed(day: int, loan: str = "L1", **more: Any) -> Told:
    """An instalment was missed, says the core."""
    return told("repayment.missed", day=day, loan_id=loan, **more)


def paid(day: int, yuan: int = 100, loan: str = "L1", **more: Any) -> Told:
    """Money came in for a loan."""
    return told("repayment.received", day=day, loan_id=loan, amount_minor=yuan * 100, **more)


def taken_back(day: int, payment: Told, **more: Any) -> Told:
    """A payment was reversed."""
    fields = payment.fields
    return told("repayment.reversed", day=day, loan_id=fields["loan_id"], reverses=fields["id"], **more)


def debit(day: int, yuan: int, account: str = "A1", **more: Any) -> Told:
    """Money left an account."""
    return told("account.debit", day=day, account_id=account, amount_minor=yuan * 100, **more)


def credit(day: int, yuan: int, account: str = "A1", **more: Any) -> Told:
    """Money came into an account."""
    return told("account.credit", day=day, account_id=account, amount_minor=yuan * 100, **more)


def card(day: int, percent: int, account: str = "A1", **more: Any) -> Told:
    """How much of a card is used."""
    return told(
        "account.balance", day=day, account_id=account, balance_minor=0, used_share_ppm=percent * 10_000, **more
    )


def score(day: int, points: int, **more: Any) -> Told:
    """A credit bureau's score."""
    return told("external.score", day=day, score=points, **more)


def repeated(event: Told, *, on: int) -> Told:
    """The same event once more."""
    return event._replace(arrives=on)


def late(event: Told, *, on: int) -> Told:
    """An event that comes in on a later day than its own."""
    return event._replace(arrives=on)
