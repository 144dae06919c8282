"""One good event of every type, in whole: shown in the schemas, and what the tests begin from."""

from typing import Any

_LINE = {"instalment": 1, "due_on": "2025-04-05", "principal_minor": 90000, "interest_minor": 9000, "fee_minor": 1000}
_MARK = {"loan_id": "L4", "class": "substandard", "reason": "91 days past due"}
_MOVE = {"account_id": "A9", "amount_minor": 850000, "category": "salary", "counterparty_kind": "employer"}
_CASE = {"kind": "claim", "amount_minor": 500000}
_CONTACT = {"task_id": "care/B17/1", "loan_id": "L4", "channel": "phone", "answered": True, "by": "m.chen"}
_PROMISE = {"promise_id": "PR-5", "amount_minor": 120000, "due_on": "2025-03-20"}
_CIRCUMSTANCE = {"loan_id": "L4", "until": "2025-06-30", "reason": "amount is disputed"}
_ACTION = {"reason": "known to the branch", "outcome": "payment agreed", "until": "2025-04-01", "by": "m.chen"}
_JUDGEMENT = {
    "loan_id": "L4",
    "class": "special-mention",
    "reason": "turnover halved",
    "review_on": "2025-06-01",
    "by": "m.chen",
    "approved_by": "w.li",
}
_SHELF = {"hash": "9c1e55d0", "author": "m.chen", "approver": "w.li"}

_OF_BORROWERS: dict[str, dict[str, Any]] = {
    "loan.disbursed": {
        "loan_id": "L4",
        "product": "car-loan",
        "principal_minor": 1200000,
        "rate_ppm": 68000,
        "collateral_value_minor": 1500000,
        "matures_on": "2026-03-05",
        "purpose": "car",
        "segment": "retail",
        "schedule": [_LINE],
    },
    "loan.rescheduled": {"loan_id": "L4", "schedule": [_LINE], "reason": "hardship", "distressed": True},
    "loan.paused": {"loan_id": "L4", "from_date": "2025-04-01", "until_date": "2025-05-31", "reason": "flood"},
    "repayment.due": {"loan_id": "L4", "instalment": 3, "due_on": "2025-03-05", "amount_minor": 120000},
    "repayment.received": {"loan_id": "L4", "amount_minor": 120000, "kind": "full", "channel": "transfer"},
    "repayment.reversed": {"loan_id": "L4", "reverses": "p-76"},
    "repayment.missed": {"id": "missed/L4/3", "loan_id": "L4", "instalment": 3, "months": 1},
    "loan.snapshot": {
        "loan_id": "L4",
        "outstanding_minor": 1110000,
        "arrears_minor": 120000,
        "days_past_due": 12,
        "collateral_value_minor": 1400000,
        "rate_ppm": 68000,
    },
    "loan.classified": _MARK,
    "loan.defaulted": _MARK,
    "loan.written_off": _MARK,
    "loan.closed": _MARK,
    "account.credit": _MOVE | {"balance_minor": 1234567},
    "account.debit": _MOVE | {"category": "rent", "counterparty_kind": "landlord", "balance_minor": -4567},
    "account.balance": {"account_id": "A9", "balance_minor": -4567, "limit_minor": 500000, "used_share_ppm": 850000},
    "account.statement": {
        "account_id": "A9",
        "balance_minor": 425000,
        "minimum_due_minor": 42500,
        "limit_minor": 500000,
        "closed_on": "2025-02-28",
    },
    "account.overdrawn": {"account_id": "A9", "amount_minor": 4567},
    "account.frozen": {"account_id": "A9", "amount_minor": 4567},
    "account.closed": {"account_id": "A9", "amount_minor": 4567},
    "external.inquiry": {"lender_kind": "consumer-finance", "purpose": "new-loan"},
    "external.score": {"score": 612, "agency": "bureau"},
    "external.rating": {"agency": "agency", "grade": "BB-", "outlook": "negative"},
    "external.debt": {"total_minor": 9900000, "overdue_minor": 70000, "overdue_over_90d_minor": 0, "lenders": 4},
    "external.delinquency": {"days_past_due": 35, "lender_kind": "bank"},
    "external.legal": _CASE,
    "external.insolvency": _CASE,
    "external.tax": _CASE,
    "external.news": {"sentiment_ppm": -640000, "topic": "layoffs"},
    "external.employment": {"status": "unemployed"},
    "external.financials": {
        "period_ends": "2024-12-31",
        "revenue_minor": 880000000,
        "profit_minor": -12000000,
        "equity_minor": -500000,
        "assets_minor": 640000000,
        "receivables_minor": 150000000,
    },
    "relation.set": {"related_id": "B18", "kind": "guarantor", "ended": False},
    "borrower.updated": {
        "segment": "corporate",
        "region": "Jiangsu",
        "industry": "C26",
        "zone": "Asia/Urumqi",
    },
    "contact.attempted": _CONTACT,
    "contact.held": _CONTACT,
    "promise.made": _PROMISE,
    "promise.kept": _PROMISE,
    "promise.broken": _PROMISE,
    "dispute.opened": _CIRCUMSTANCE,
    "dispute.closed": _CIRCUMSTANCE,
    "hardship.granted": _CIRCUMSTANCE,
    "borrower.deceased": _CIRCUMSTANCE,
    "alert.acknowledged": _ACTION | {"alert_id": "missed-and-silent/L4/1/opened"},
    "alert.dismissed": _ACTION | {"alert_id": "missed-and-silent/L4/1/opened"},
    "task.begun": _ACTION | {"task_id": "care/B17/1"},
    "task.done": _ACTION | {"task_id": "care/B17/1"},
    "rule.snoozed": _ACTION | {"rule": "missed-and-silent"},
    "watch.added": _JUDGEMENT,
    "watch.removed": _JUDGEMENT,
    "loan.class_confirmed": _JUDGEMENT,
    "borrower.erased": {"by": "m.chen", "approved_by": "w.li"},
    "connected.warned": {
        "about": "B18",
        "kind": "guarantor",
        "severity": "high",
        "rule": "missed-and-silent",
        "episode": "missed-and-silent/L4/1",
    },
    "model.payment_stress": {"score_ppm": 870000},
}
_OF_CONTROL: dict[str, dict[str, Any]] = {
    "day.ended": {"date": "2025-03-05", "feeds": {"account": "missing"}},
    "shelf.published": _SHELF,
    "model.published": _SHELF | {"model": "model.payment_stress"},
    "macro.published": {"figures": {"unemployment": 51000}},
    "fx.published": {"rates": {"USD": 7250000, "JPY": 48000}},
}

_AT = {"id": "p-77", "source": "core", "at": "2025-03-05T10:00:00+08:00"}
EXAMPLES: dict[str, dict[str, Any]] = {
    name: {"type": name, **_AT, "borrower_id": "B17", "currency": "CNY", "business_date": "2025-03-05"} | own
    for name, own in _OF_BORROWERS.items()
} | {name: {"type": name, **_AT, **own} for name, own in _OF_CONTROL.items()}
