"""What is known of the borrower beyond loans and accounts: outside news, collections, officers, connections, scores."""

from typing import Literal

import msgspec

from pipeline import fields as f
from pipeline.loan_events import Record, Segment

Employment = Literal["employed", "unemployed", "retired", "other"]
Relation = Literal["guarantor", "guaranteed", "group", "spouse", "employer"]
Severity = Literal["low", "medium", "high", "critical"]


class ExternalInquiry(Record, tag="external.inquiry", frozen=True, kw_only=True):
    """Another lender asked about the borrower."""

    lender_kind: f.Word | None = None
    purpose: f.Word | None = None


class ExternalScore(Record, tag="external.score", frozen=True, kw_only=True):
    """A credit bureau's score."""

    score: f.AgencyScore
    agency: f.Word | None = None


class ExternalRating(Record, tag="external.rating", frozen=True, kw_only=True):
    """A rating agency's grade."""

    agency: f.Word
    grade: f.Word
    outlook: f.Word | None = None


class ExternalDebt(Record, tag="external.debt", frozen=True, kw_only=True):
    """Debt at all lenders, as the bureau sees it."""

    total_minor: f.Debt | None = None
    overdue_minor: f.Debt | None = None
    overdue_over_90d_minor: f.Debt | None = None
    lenders: f.Lenders | None = None


class ExternalDelinquency(Record, tag="external.delinquency", frozen=True, kw_only=True):
    """The borrower is late at another lender."""

    days_past_due: f.DaysPastDue
    lender_kind: f.Word | None = None


class ExternalCase(Record, frozen=True, kw_only=True):
    """What legal, insolvency and tax cases have in common."""

    kind: f.Word | None = None
    amount_minor: f.Amount | None = None


class ExternalLegal(ExternalCase, tag="external.legal", frozen=True):
    """A legal case of the borrower."""


class ExternalInsolvency(ExternalCase, tag="external.insolvency", frozen=True):
    """An insolvency of the borrower."""


class ExternalTax(ExternalCase, tag="external.tax", frozen=True):
    """A tax case of the borrower."""


class ExternalNews(Record, tag="external.news", frozen=True, kw_only=True):
    """News of the borrower or of its business partners."""

    sentiment_ppm: f.Sentiment | None = None
    topic: f.Word | None = None


class ExternalEmployment(Record, tag="external.employment", frozen=True, kw_only=True):
    """The borrower's work."""

    status: Employment


class ExternalFinancials(Record, tag="external.financials", frozen=True, kw_only=True):
    """The borrower's accounts for a period."""

    period_ends: f.Day
    revenue_minor: f.Revenue | None = None
    profit_minor: f.Profit | None = None
    equity_minor: f.Equity | None = None
    assets_minor: f.Assets | None = None
    receivables_minor: f.Receivables | None = None


class RelationSet(Record, tag="relation.set", frozen=True, kw_only=True):
    """Two borrowers are connected, or no longer are."""

    related_id: f.RelatedId
    kind: Relation
    ended: bool | None = None


class BorrowerUpdated(Record, tag="borrower.updated", frozen=True, kw_only=True):
    """What the bank knows of the borrower has changed."""

    segment: Segment | None = None
    region: f.Word | None = None
    industry: f.Word | None = None
    zone: f.Word | None = None


class Contact(Record, frozen=True, kw_only=True):
    """What attempted and held contacts have in common."""

    channel: f.Word
    task_id: f.TaskId | None = None
    loan_id: f.LoanId | None = None
    answered: bool | None = None
    by: f.Person | None = None


class ContactAttempted(Contact, tag="contact.attempted", frozen=True):
    """Somebody tried to reach the borrower."""


class ContactHeld(Contact, tag="contact.held", frozen=True):
    """Somebody spoke with the borrower."""


class Promise(Record, frozen=True, kw_only=True):
    """What the events of a promise to pay have in common."""

    promise_id: f.PromiseId
    amount_minor: f.Amount
    due_on: f.Day


class PromiseMade(Promise, tag="promise.made", frozen=True):
    """The borrower promised to pay."""


class PromiseKept(Promise, tag="promise.kept", frozen=True):
    """The borrower paid as promised."""


class PromiseBroken(Promise, tag="promise.broken", frozen=True):
    """The borrower did not pay as promised."""


class Circumstance(Record, frozen=True, kw_only=True):
    """What changes how a borrower may be treated."""

    loan_id: f.LoanId | None = None
    until: f.Day | None = None
    reason: f.Prose | None = None


class DisputeOpened(Circumstance, tag="dispute.opened", frozen=True):
    """The borrower disputes the debt."""


class DisputeClosed(Circumstance, tag="dispute.closed", frozen=True):
    """A dispute has ended."""


class HardshipGranted(Circumstance, tag="hardship.granted", frozen=True):
    """The bank gives relief for hardship."""


class BorrowerDeceased(Circumstance, tag="borrower.deceased", frozen=True):
    """The borrower has died."""


class OfficerAction(Record, frozen=True, kw_only=True):
    """What people do with alerts, tasks and rules."""

    by: f.Person
    alert_id: f.AlertId | None = None
    task_id: f.TaskId | None = None
    rule: f.RuleName | None = None
    reason: f.Prose | None = None
    outcome: f.Prose | None = None
    until: f.Day | None = None


class AlertAcknowledged(OfficerAction, tag="alert.acknowledged", frozen=True):
    """An officer has seen an alert."""


class AlertDismissed(OfficerAction, tag="alert.dismissed", frozen=True):
    """An officer sets an alert aside."""


class TaskBegun(OfficerAction, tag="task.begun", frozen=True):
    """Somebody works on a task."""


class TaskDone(OfficerAction, tag="task.done", frozen=True):
    """A task has been done."""


class RuleSnoozed(OfficerAction, tag="rule.snoozed", frozen=True):
    """An officer mutes a rule for a borrower."""


class OfficerJudgement(Record, frozen=True, kw_only=True):
    """What people decide about a borrower or a loan."""

    by: f.Person
    loan_id: f.LoanId | None = None
    class_: f.Word | None = msgspec.field(default=None, name="class")
    reason: f.Prose | None = None
    review_on: f.Day | None = None
    approved_by: f.Approver | None = None


class WatchAdded(OfficerJudgement, tag="watch.added", frozen=True):
    """A borrower goes onto the watch list."""


class WatchRemoved(OfficerJudgement, tag="watch.removed", frozen=True):
    """A borrower leaves the watch list."""


class LoanClassConfirmed(OfficerJudgement, tag="loan.class_confirmed", frozen=True):
    """An officer confirms the risk class of a loan."""


class BorrowerErased(Record, tag="borrower.erased", frozen=True, kw_only=True):
    """A borrower's data must go."""

    by: f.Person
    approved_by: f.Approver


class ConnectedWarned(Record, tag="connected.warned", frozen=True, kw_only=True):
    """A guarantor or member of the group has a warning; it never spreads further."""

    id: f.EventPath
    about: f.RelatedId
    kind: Relation
    severity: Severity
    rule: f.RuleName
    episode: f.EpisodeId


class Scored(Record, tag="model", frozen=True, kw_only=True):
    """A model's score; `model` keeps the type it came with, such as `model.payment_stress`, which is its feed, too."""

    id: f.EventPath
    model: f.ModelType
    score_ppm: f.ModelScore


ExternalEvent = (
    ExternalInquiry
    | ExternalScore
    | ExternalRating
    | ExternalDebt
    | ExternalDelinquency
    | ExternalLegal
    | ExternalInsolvency
    | ExternalTax
    | ExternalNews
    | ExternalEmployment
    | ExternalFinancials
    | RelationSet
    | BorrowerUpdated
)
OutcomeEvent = (
    ContactAttempted
    | ContactHeld
    | PromiseMade
    | PromiseKept
    | PromiseBroken
    | DisputeOpened
    | DisputeClosed
    | HardshipGranted
    | BorrowerDeceased
)
OfficerEvent = (
    AlertAcknowledged
    | AlertDismissed
    | TaskBegun
    | TaskDone
    | RuleSnoozed
    | WatchAdded
    | WatchRemoved
    | LoanClassConfirmed
    | BorrowerErased
)
