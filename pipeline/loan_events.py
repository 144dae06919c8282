"""What the bank's own systems report: what every event has, and the events of loans and accounts."""

from typing import Literal

import msgspec

from pipeline import fields as f

RepaymentKind = Literal["full", "partial", "minimum", "early"]
Segment = Literal["retail", "corporate"]


# Unknown fields are forbidden here so that the decoder notices them; it then drops and counts them, and never refuses
# an event for them. Defaults are omitted so that a field of a later release changes no digest of an earlier event.
class Record(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
):
    """What every event of a borrower has."""

    id: f.EventId
    source: f.Source
    at: f.Instant
    borrower_id: f.BorrowerId
    currency: f.CurrencyCode | None = None
    business_date: f.Day | None = None
    base_amount_minor: f.BaseAmount | None = None


class Instalment(msgspec.Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """One line of a schedule: what is due, and when."""

    instalment: f.InstalmentNumber
    due_on: f.Day
    principal_minor: f.Principal
    interest_minor: f.Interest
    fee_minor: f.Fee


class OfLoan(Record, frozen=True, kw_only=True):
    """What every event of a loan has."""

    loan_id: f.LoanId


class LoanDisbursed(OfLoan, tag="loan.disbursed", frozen=True, kw_only=True):
    """A loan was paid out."""

    product: f.Word
    principal_minor: f.Principal
    rate_ppm: f.Rate | None = None
    collateral_value_minor: f.Collateral | None = None
    matures_on: f.Day | None = None
    purpose: f.Word | None = None
    segment: Segment | None = None
    schedule: tuple[Instalment, ...] | None = None


class LoanRescheduled(OfLoan, tag="loan.rescheduled", frozen=True, kw_only=True):
    """A new schedule takes the place of what is still to come."""

    schedule: tuple[Instalment, ...]
    distressed: bool
    reason: f.Prose | None = None


class LoanPaused(OfLoan, tag="loan.paused", frozen=True, kw_only=True):
    """A payment holiday: days past due stand still, no miss is derived, a due inside moves to its end."""

    from_date: f.Day
    until_date: f.Day
    reason: f.Prose | None = None


class RepaymentDue(OfLoan, tag="repayment.due", frozen=True, kw_only=True):
    """An instalment is due; the same instalment again replaces it."""

    instalment: f.InstalmentNumber
    due_on: f.Day
    amount_minor: f.AmountDue


class RepaymentReceived(OfLoan, tag="repayment.received", frozen=True, kw_only=True):
    """Money came in for a loan."""

    amount_minor: f.Amount
    kind: RepaymentKind | None = None
    channel: f.Word | None = None


class RepaymentReversed(OfLoan, tag="repayment.reversed", frozen=True, kw_only=True):
    """A payment was taken back."""

    reverses: f.Reverses


class RepaymentMissed(OfLoan, tag="repayment.missed", frozen=True, kw_only=True):
    """An instalment was not paid in time, by the core or by the engine's own ledger."""

    id: f.EventPath
    instalment: f.InstalmentNumber | None = None
    months: f.Months | None = None


class LoanSnapshot(OfLoan, tag="loan.snapshot", frozen=True, kw_only=True):
    """The core's own truth of a loan for its date."""

    outstanding_minor: f.Outstanding | None = None
    arrears_minor: f.Arrears | None = None
    days_past_due: f.DaysPastDue | None = None
    collateral_value_minor: f.Collateral | None = None
    rate_ppm: f.Rate | None = None


class LoanMarked(OfLoan, frozen=True, kw_only=True):
    """What the events have that give a loan another standing."""

    class_: f.Word | None = msgspec.field(default=None, name="class")
    reason: f.Prose | None = None


class LoanClassified(LoanMarked, tag="loan.classified", frozen=True):
    """A loan was put into a risk class."""


class LoanDefaulted(LoanMarked, tag="loan.defaulted", frozen=True):
    """A loan is in default."""


class LoanWrittenOff(LoanMarked, tag="loan.written_off", frozen=True):
    """A loan was written off."""


class LoanClosed(LoanMarked, tag="loan.closed", frozen=True):
    """A loan has come to its end."""


class OfAccount(Record, frozen=True, kw_only=True):
    """What every event of an account has."""

    account_id: f.AccountId


class AccountMovement(OfAccount, frozen=True, kw_only=True):
    """What money in and money out have in common."""

    amount_minor: f.Amount
    category: f.Word | None = None
    counterparty_kind: f.Word | None = None
    balance_minor: f.Balance | None = None


class AccountCredit(AccountMovement, tag="account.credit", frozen=True):
    """Money came into an account."""


class AccountDebit(AccountMovement, tag="account.debit", frozen=True):
    """Money left an account."""


class AccountBalance(OfAccount, tag="account.balance", frozen=True, kw_only=True):
    """What an account or card stands at."""

    balance_minor: f.Balance
    limit_minor: f.Limit | None = None
    used_share_ppm: f.UsedShare | None = None
    base_amount_minor: f.BaseBalance | None = None


class AccountStatement(OfAccount, tag="account.statement", frozen=True, kw_only=True):
    """A period of an account or card was closed."""

    balance_minor: f.Balance
    closed_on: f.Day
    minimum_due_minor: f.MinimumDue | None = None
    limit_minor: f.Limit | None = None
    base_amount_minor: f.BaseBalance | None = None


class AccountStopped(OfAccount, frozen=True, kw_only=True):
    """What the events have that hinder an account."""

    amount_minor: f.Amount | None = None


class AccountOverdrawn(AccountStopped, tag="account.overdrawn", frozen=True):
    """More was taken than the account may give."""


class AccountFrozen(AccountStopped, tag="account.frozen", frozen=True):
    """An account was frozen, perhaps for an amount."""


class AccountClosed(AccountStopped, tag="account.closed", frozen=True):
    """An account was closed."""


RepaymentEvent = (
    LoanDisbursed
    | LoanRescheduled
    | LoanPaused
    | RepaymentDue
    | RepaymentReceived
    | RepaymentReversed
    | RepaymentMissed
    | LoanSnapshot
    | LoanClassified
    | LoanDefaulted
    | LoanWrittenOff
    | LoanClosed
)
AccountEvent = (
    AccountCredit | AccountDebit | AccountBalance | AccountStatement | AccountOverdrawn | AccountFrozen | AccountClosed
)
