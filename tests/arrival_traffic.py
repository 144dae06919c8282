"""Two months of a dozen made-up borrowers with everything that may go wrong on the way, for the tests of the shells."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from tests.arrival_logs import Told, as_line, told

FIRST = date(2025, 1, 1)
DAYS = 60
DEBITS = ("rent", "gambling", "cash_advance", None)
TIES = {4: [("guaranteed", 6), ("group", 8)], 8: [("group", 4), ("spouse", 10)], 10: [("group", 11)]}


def rules() -> dict[str, Told]:
    """Rules of every key, verb and kind of life."""
    spent = {"sum": "amount", "from": "account.debit", "over": "7d"}
    missed = {"count": "repayment.missed", "over": "30d"}
    return {
        "missed_twice": {
            "per": "loan_id",
            "measure": {"missed": missed, "overdue": {"now": "days_past_due"}},
            "when": "missed >= 1 and overdue >= 2",
            "for": "1d",
            "clear_after": "2d",
            "quiet": "3d",
            "severity": "medium",
            "escalate": {"critical": "missed >= 2"},
            "task": {"queue": "early-collections", "action": "call", "due_in": "2d"},
            "spreads": ["guaranteed", "group"],
        },
        "warned": {
            "per": "borrower_id",
            "measure": {"warnings": {"count": "connected.warned", "over": "20d"}},
            "when": "warnings >= 1",
        },
        "silent": {
            "per": "loan_id",
            "measure": {"silent": {"days_since": "repayment.received"}},
            "when": "silent >= 12",
            "inhibited_by": ["missed-twice"],
            "task": {"queue": "early-collections", "action": "message", "due_in": "1d"},
        },
        "spends": {
            "per": "borrower_id",
            "measure": {"spent": spent, "before": spent | {"ending": "7d ago"}},
            "when": "spent >= 2 * before and before > 0",
            "task": {"queue": "care", "action": "letter", "due_in": "5d"},
        },
        "bad_day": {
            "per": "account_id",
            "measure": {"largest": {"max": "amount", "from": "account.debit where category != 'rent'", "over": "36h"}},
            "when": "largest > 400",
            "quiet": "5d",
        },
        "worst_balance": {
            "per": "borrower_id",
            "measure": {"balance": {"latest": "balance", "from": "account.balance", "across": "worst"}},
            "when": "balance < 0",
            "clear_after": "1d",
        },
        "overdrawn_then_late": {
            "per": "borrower_id",
            "measure": {"slide": {"sequence": ["account.overdrawn", "repayment.missed"], "within": "14d"}},
            "when": "slide",
        },
        "nobody_asked": {
            "per": "borrower_id",
            "measure": {"asked": {"count": "external.inquiry", "over": "9d"}, "jobless": {"now": "macro.unemployment"}},
            "when": "asked == 0 and jobless >= 5%",
        },
        "scored": {
            "per": "borrower_id",
            "measure": {"stress": {"latest": "score", "from": "model.payment_stress"}},
            "when": "stress >= 0.9",
        },
        "unseen": {"status": "shadow", "per": "loan_id", "measure": {"missed": missed}, "when": "missed >= 1"},
    }


def other_rules() -> dict[str, Told]:
    """The same with every kind of change: numbers and words of one, the window of another, one gone, one no shadow."""
    found = rules()
    found["missed_twice"] |= {"when": "missed >= 1 and overdue >= 4", "say": "it still holds"}
    found["spends"]["measure"]["spent"] |= {"over": "14d"}
    found["unseen"] |= {"status": "live"}
    found["overdrawn_then_late"] |= {"severity": "high"}
    del found["silent"]
    return found


def arrival_log(seed: int, *, with_day_ended: bool) -> list[bytes]:
    """The lines of one log; with `day.ended` some feeds are missing on some days and some events come early."""
    draw = random.Random(seed)
    lines: list[bytes] = []
    for n in range(DAYS):
        today = [as_line(record) for record in _events_of(draw, n, with_early=with_day_ended)]
        draw.shuffle(today)
        again = [draw.choice(lines) for _ in range(3)] if lines else []  # repeats, of long ago too
        lines += [*today, *again, *_unusable(draw, n)]
        if with_day_ended:
            feeds = {"feeds": {draw.choice(("account", "repayment")): "missing"}} if draw.random() < 0.1 else {}
            lines.append(as_line({"type": "day.ended", "date": _day(n)} | feeds))
    return lines


def _day(n: int) -> str:
    return (FIRST + timedelta(n)).isoformat()


def _at(draw: random.Random, n: int) -> str:
    return f"{_day(n)}T{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}+08:00"


def _unusable(draw: random.Random, n: int) -> list[bytes]:
    bad = (b"{", b"\xff", b"[[]]", as_line(told(f"bad-{n}", "account.debit", _day(n), account_id="A0", amount_minor=0)))
    return [draw.choice(bad)] if draw.random() < 0.3 else []


def _events_of(draw: random.Random, n: int, *, with_early: bool) -> Iterator[Told]:
    if n % 9 == 0:
        at = f"{_day(n)}T00:00:00+08:00"
        yield {"type": "fx.published", "at": at, "rates": {"USD": 7_000_000 + 10_000 * n}}
        yield {"type": "macro.published", "at": at, "figures": {"unemployment": 45_000 + 200 * n}}
    for b in range(12):
        for k, (event_type, own) in enumerate(_of_borrower(draw, n, b)):
            # Some come late by up to nine days, and, where records close the days, some come early.
            moved = draw.choice((-9, -3, -1, 1 if with_early else 0)) if draw.random() < 0.06 else 0
            date_of = min(max(n + moved, 0), DAYS - 1)
            yield told(f"e-{n}-{b}-{k}", event_type, _at(draw, date_of), borrower_id=f"B{b}", **own)


def _of_borrower(draw: random.Random, n: int, b: int) -> Iterator[tuple[str, Told]]:
    loan, account = {"loan_id": f"L{b}"}, {"account_id": f"A{b}-{draw.randrange(2)}"}
    if n == b:
        terms = {"product": "loan", "principal_minor": 1_200_000, "currency": "USD" if b == 5 else "CNY"}
        yield "loan.disbursed", loan | terms
        for kind, other in TIES.get(b, []):
            yield "relation.set", {"kind": kind, "related_id": f"B{other}"}
    if n % 10 == b % 10 and b != 7:
        due = {"instalment": 1 + n // 10, "due_on": _day(n + 3), "amount_minor": 100_000}
        yield "repayment.due", loan | due | ({"currency": "USD"} if b == 5 else {})
    if draw.random() < 0.08:
        yield "repayment.received", loan | {"amount_minor": draw.choice((50_000, 100_000, 130_000))}
    if draw.random() < 0.03:
        yield "repayment.reversed", loan | {"reverses": f"e-{max(n - 1, 0)}-{b}-{draw.randrange(2)}"}
    if draw.random() < 0.02:
        yield (
            "loan.snapshot",
            loan | {"days_past_due": draw.randrange(40), "arrears_minor": draw.randrange(1, 9) * 10_000},
        )
    if draw.random() < 0.02:
        yield "repayment.missed", loan
    if draw.random() < 0.01:
        yield "loan.paused", loan | {"from_date": _day(n), "until_date": _day(n + 8)}
    if n == 25 and b == 10:
        yield "loan.defaulted", loan
    if n == 30 and b in (2, 6, 10):
        yield ("loan.written_off" if b == 6 else "loan.closed"), loan
    for _ in range(draw.randrange(3)):
        amount = {"amount_minor": draw.randrange(1, 60_000), "category": draw.choice(DEBITS)}
        currency = {"currency": "USD"} if draw.random() < 0.1 else {}
        yield "account.debit", account | {k: v for k, v in amount.items() if v is not None} | currency
    yield from _of_others(draw, account, n, b)


def _of_others(draw: random.Random, account: Told, n: int, b: int) -> Iterator[tuple[str, Told]]:
    if draw.random() < 0.1:
        yield "account.balance", account | {"balance_minor": draw.randrange(-20_000, 90_000)}
    if draw.random() < 0.05:
        yield "account.overdrawn", account
    if draw.random() < 0.07:
        yield "external.inquiry", {"lender_kind": "bank", "unheard_of": n}
    if draw.random() < 0.06:
        yield "model.payment_stress", {"score_ppm": draw.randrange(1_000_001)}
    if draw.random() < 0.03:
        yield "task.begun", {"task_id": f"early-collections/B{b}/1", "by": "officer"}
    if draw.random() < 0.03:
        yield "task.done", {"task_id": f"early-collections/B{b}/1", "by": "officer"}
    if draw.random() < 0.01:
        yield "rule.snoozed", {"rule": "silent", "until": _day(n + 5), "by": "officer"}
