"""A made-up portfolio as an arrival log, and rules of realistic selectivity over it.

A borrower has one loan, one account and, in 400 days, about 13 instalments due and paid (some missed), 30 movements in
100 days, a balance a week, and now and then a bureau inquiry or score. 5 % of the events come up to three days late,
0.1 % twice, 0.05 % malformed.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from rules.rule import And, Comparison, Measure, Name, Number, Rule, Selector, Shelf, Span, Task

FIRST_DAY = date(2025, 1, 1)
CATEGORIES = ("salary", "rent", "transfer", "card", "groceries", "gambling", "cash_advance", "fee")
LATE, TWICE, MALFORMED = 0.05, 0.001, 0.0005


def lines(borrowers: int, days: int, seed: int) -> Iterator[tuple[int, list[bytes]]]:
    """The lines that arrive on each day, as (day, lines)."""
    rng = random.Random(seed)
    late: dict[int, list[bytes]] = {}
    n = 0
    for day in range(days):
        arriving = late.pop(day, [])
        for borrower in range(borrowers):
            for event in _events(rng, borrower, day):
                n += 1
                raw = _raw(event, n, borrower, day, rng)
                if rng.random() < LATE:
                    late.setdefault(day + rng.randint(1, 3), []).append(raw)
                    continue
                arriving.append(raw)
                if rng.random() < TWICE:
                    arriving.append(raw)
                if rng.random() < MALFORMED:
                    arriving.append(raw.replace(b'"amount_minor":', b'"amount_minor":1.5,"x":'))
        rng.shuffle(arriving)
        yield day, arriving


def _events(rng: random.Random, borrower: int, day: int) -> Iterator[dict[str, Any]]:
    is_weak = borrower % 7 == 0
    payday, due_day = borrower % 28, borrower * 5 % 30
    if day == 0:
        yield {
            "type": "loan.disbursed",
            "loan_id": f"L{borrower}",
            "product": "instalment",
            "principal_minor": 5_000_000,
        }
    if day % 30 == due_day:
        due_on = (FIRST_DAY + timedelta(days=day)).isoformat()
        yield {
            "type": "repayment.due",
            "loan_id": f"L{borrower}",
            "instalment": day // 30 + 1,
            "due_on": due_on,
            "amount_minor": 120_000,
        }
    if day % 30 == (due_day + (9 if is_weak else 0)) % 30 and rng.random() > (0.3 if is_weak else 0.03):
        yield {
            "type": "repayment.received",
            "loan_id": f"L{borrower}",
            "amount_minor": 120_000,
            "kind": "full",
            "channel": "direct_debit",
        }
    if day % 28 == payday:
        yield {
            "type": "account.credit",
            "account_id": f"A{borrower}",
            "amount_minor": rng.randint(300_000, 900_000),
            "category": "salary",
        }
    if rng.random() < 0.26:
        category = rng.choice(CATEGORIES[1:])
        yield {
            "type": "account.debit",
            "account_id": f"A{borrower}",
            "amount_minor": rng.randint(500, 90_000),
            "category": category,
            "counterparty_kind": "merchant",
        }
    if day % 7 == borrower % 7:
        yield {
            "type": "account.balance",
            "account_id": f"A{borrower}",
            "balance_minor": rng.randint(-50_000, 900_000),
            "limit_minor": 1_000_000,
            "used_share_ppm": rng.randint(0, 1_000_000),
        }
    if rng.random() < 0.004:
        yield {"type": "external.inquiry", "lender_kind": "consumer_finance", "purpose": "cash loan"}
    if rng.random() < 0.004:
        yield {"type": "external.score", "score": rng.randint(300, 850), "agency": "bureau-one"}


def _raw(event: dict[str, Any], n: int, borrower: int, day: int, rng: random.Random) -> bytes:
    at = datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(days=day, seconds=rng.randint(0, 57_000))
    body = {
        "id": f"evt-{n:012d}",
        "source": "core-banking/ledger",
        "at": at.isoformat(),
        "borrower_id": f"B{borrower:07d}",
        "currency": None,
    }
    if "amount_minor" in event or "balance_minor" in event:
        body["currency"] = "CNY"
    return json.dumps({k: v for k, v in {**body, **event}.items() if v is not None}).encode()


# -- rules ------------------------------------------------------------------


def _over(days: int) -> Span:
    return Span(days, "d")


def _category(name: str) -> Any:
    from rules.rule import Text

    return Comparison("==", Name("category"), Text(name))


MEASURES: dict[str, Measure] = {
    m.name: m
    for m in (
        Measure("missed", "count", select=(Selector("repayment.missed"),), over=_over(60)),
        Measure("missed_long", "count", select=(Selector("repayment.missed"),), over=_over(180)),
        Measure("paid", "sum", "amount", (Selector("repayment.received"),), over=_over(30)),
        Measure("silent", "days_since", select=(Selector("repayment.received"),), over=_over(90)),
        Measure("income", "sum", "amount", (Selector("account.credit"),), over=_over(35)),
        Measure("salary", "sum", "amount", (Selector("account.credit", _category("salary")),), over=_over(90)),
        Measure("spent", "sum", "amount", (Selector("account.debit"),), over=_over(30)),
        Measure("movements", "count", select=(Selector("account.debit"),), over=_over(90)),
        Measure("gambling", "sum", "amount", (Selector("account.debit", _category("gambling")),), over=_over(90)),
        Measure("used", "latest", "used_share", (Selector("account.balance"),), across="worst"),
        Measure(
            "used_average", "average", "used_share", (Selector("account.balance"),), over=_over(30), across="worst"
        ),
        Measure("inquiries", "count", select=(Selector("external.inquiry"),), over=_over(90)),
        Measure("score", "latest", "score", (Selector("external.score"),)),
        Measure("overdue", "now", "days_past_due"),
    )
}


def shelf_of(n: int, samples: dict[str, list[Any]], seed: int, share: float = 0.16) -> Shelf:
    """Rules of two or three comparisons, each true for about a given share of the sampled values.

    `samples` holds values of each measure in the rule's own unit.
    """
    rng = random.Random(seed)
    rules = []
    for i in range(n):
        names = rng.sample(sorted(MEASURES), rng.choice((2, 2, 3)))
        parts = tuple(_comparison(rng, name, sorted(samples[name]), share) for name in names)
        rules.append(
            Rule(
                rule=f"made-up-{i:04d}", title="", status="live", owner="bench", since="2025-01-01", why="",
                per="borrower_id", measure={name: MEASURES[name] for name in names}, when=And(parts),
                hold=rng.choice((0, 2, 3)), quiet=rng.choice((14, 30, 90)), clear_after=rng.choice((7, 14, 30)),
                severity=rng.choice(("low", "medium", "high")),
                say="{" + names[0] + "}", task=Task(f"queue-{i % 4}", "call", 2) if i % 3 == 0 else None,
                hash=str(i), shape=str(i),
            )
        )  # fmt: skip
    return Shelf(tuple(rules), f"bench-{n}")


def _comparison(rng: random.Random, name: str, values: list[Any], share: float) -> Comparison:
    """A comparison with a quantile: `>=` a high one or `<=` a low one."""
    wanted = min(0.95, max(0.02, rng.gauss(share, share / 2)))
    if rng.random() < 0.5:
        point = values[min(len(values) - 1, int(len(values) * (1 - wanted)))]
        return Comparison(">=", Name(name), Number(Decimal(str(float(point))) if point != 0 else Decimal(1)))
    return Comparison("<", Name(name), Number(Decimal(str(float(values[int(len(values) * wanted)])))))
