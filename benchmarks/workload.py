"""A made-up portfolio as an arrival log, and rules of realistic selectivity over it.

Borrowers have habits of their own; each is reproducible by its number and the seed alone.

A borrower has one loan and one account and, in 400 days, about 13 instalments due and paid (one in five borrowers pays
nine days late and now and then not at all), 26 movements and 4 salaries in 100 days, a balance a week, and now and then
a bureau inquiry or score. 5 % of the events come up to three days late, 0.1 % twice, 0.05 % malformed as well,
0.02 % with another amount under the same id.
"""

import functools
import hashlib
import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from rules.rule import And, Comparator, Comparison, Measure, Name, Number, Rule, Selector, Shelf, Span, Task, Text

FIRST_DAY = date(2025, 1, 1)
CATEGORIES = ("rent", "transfer", "card", "groceries", "fee", "cash_advance", "gambling")
LATE, TWICE, MALFORMED, CONFLICTING = 0.05, 0.001, 0.0005, 0.0002
INSTALMENT_MINOR = 120_000
MOVEMENTS_A_DAY = 0.26


class Habits(NamedTuple):
    """What stays the same in a borrower's life, so that a rule that holds today mostly holds tomorrow."""

    borrower: int
    is_weak: bool
    payday: int
    due_day: int
    salary_minor: int
    spending_minor: int
    leaning: tuple[int, ...]  # how often each category comes
    used_ppm: int  # around which the used share of the limit wanders
    calls_a_day: float  # inquiries and scores


def lines(borrowers: int, days: int, seed: int) -> Iterator[tuple[int, list[bytes]]]:
    """The lines that arrive on each day, as (day, lines)."""
    arriving: list[list[bytes]] = [[] for _ in range(days)]
    for borrower in range(borrowers):
        for day, raw in life(borrower, days, seed):
            if day < days:
                arriving[day].append(raw)
    rng = random.Random(seed)
    for day, found in enumerate(arriving):
        rng.shuffle(found)
        yield day, found


def life(borrower: int, days: int, seed: int, movements_from: int = 0) -> list[tuple[int, bytes]]:
    """One borrower's lines as (day of arrival, line), in the order of arrival."""
    rng = random.Random(seed << 32 | borrower)
    events = _events(rng, _habits(rng, borrower), days, movements_from)
    found: list[tuple[int, bytes]] = []
    for n, (day, event) in enumerate(sorted(events, key=lambda entry: entry[0])):
        raw = _raw(event, n, borrower, day, rng)
        chance = rng.random()
        is_late = chance < LATE and event["type"] != "loan.disbursed"
        found.append((day + 1 + int(chance / LATE * 3) if is_late else day, raw))
        if 0.5 < chance < 0.5 + TWICE:
            found.append((day, raw))
        if 0.6 < chance < 0.6 + MALFORMED:
            found.append((day, raw.replace(b'"amount_minor":', b'"amount_minor":1.5,"x":')))
        if 0.7 < chance < 0.7 + CONFLICTING:
            found.append((day, raw.replace(b'"amount_minor":', b'"amount_minor":1')))
    return sorted(found, key=lambda entry: entry[0])


def _habits(rng: random.Random, borrower: int) -> Habits:
    is_gambler = rng.random() < 0.1
    return Habits(
        borrower=borrower,
        is_weak=rng.random() < 0.2,
        payday=rng.randrange(28),
        due_day=rng.randrange(30),
        salary_minor=rng.randrange(300_000, 1_500_000),
        spending_minor=rng.randrange(5_000, 150_000),
        leaning=(3, rng.randrange(1, 6), rng.randrange(1, 9), rng.randrange(1, 9), 1, 1, 6 if is_gambler else 0),
        used_ppm=rng.randrange(950_000),
        calls_a_day=rng.choice((0.001, 0.003, 0.01)),
    )


def _events(rng: random.Random, habits: Habits, days: int, since: int) -> Iterator[tuple[int, dict[str, Any]]]:
    yield from _loan(rng, habits, days)
    yield from _account(rng, habits, days, since)
    for day in _now_and_then(rng, habits.calls_a_day, 0, days):
        yield day, {"type": "external.inquiry", "lender_kind": "consumer-finance-company", "purpose": "cash-loan"}
    for day in _now_and_then(rng, habits.calls_a_day, 0, days):
        yield day, {"type": "external.score", "score": rng.randrange(300, 850), "agency": "credit-bureau-one"}


def _loan(rng: random.Random, habits: Habits, days: int) -> Iterator[tuple[int, dict[str, Any]]]:
    loan = {"loan_id": f"LN-{habits.borrower:08d}-instalment-01", "currency": "CNY"}
    yield 0, {"type": "loan.disbursed", **loan, "product": "instalment", "principal_minor": 5_000_000}
    owed = 0
    for number, day in enumerate(range(habits.due_day, days, 30), 1):
        due_on = _iso(day)
        due = {"instalment": number, "due_on": due_on, "amount_minor": INSTALMENT_MINOR}
        yield day, {"type": "repayment.due", **loan, **due}
        owed += INSTALMENT_MINOR
        if rng.random() > (0.3 if habits.is_weak else 0.03):
            paid = {"amount_minor": owed, "kind": "full", "channel": "direct-debit"}
            yield day + (9 if habits.is_weak else 0), {"type": "repayment.received", **loan, **paid}
            owed = 0


def _account(rng: random.Random, habits: Habits, days: int, since: int) -> Iterator[tuple[int, dict[str, Any]]]:
    account = {"account_id": f"AC-{habits.borrower:08d}-current", "currency": "CNY"}
    balance = habits.salary_minor
    for day in _now_and_then(rng, MOVEMENTS_A_DAY, since, days):
        amount = int(habits.spending_minor * rng.uniform(0.5, 1.5))
        spent = {"amount_minor": amount, "category": rng.choices(CATEGORIES, habits.leaning)[0]}
        balance -= amount
        rest = {"counterparty_kind": "merchant", "balance_minor": balance}
        yield day, {"type": "account.debit", **account, **spent, **rest}
    for day in range(since + (habits.payday - since) % 28, days, 28):
        earned = {"amount_minor": int(habits.salary_minor * rng.uniform(0.95, 1.05)), "category": "salary"}
        balance += habits.salary_minor
        yield day, {"type": "account.credit", **account, **earned, "counterparty_kind": "employer"}
    used = habits.used_ppm
    for day in range(habits.borrower % 7, days, 7):
        used = min(999_999, max(0, used + (habits.used_ppm - used) // 4 + rng.randrange(-30_000, 30_000)))
        state = {"balance_minor": 1_000_000 - used, "limit_minor": 1_000_000, "used_share_ppm": used}
        yield day, {"type": "account.balance", **account, **state}


def _now_and_then(rng: random.Random, a_day: float, since: int, days: int) -> Iterator[int]:
    at = since + rng.expovariate(a_day)
    while at < days:
        yield int(at)
        at += rng.expovariate(a_day)


def _raw(event: dict[str, Any], n: int, borrower: int, day: int, rng: random.Random) -> bytes:
    """A line of the usual length: what a core system sends, the date of the booking named."""
    minutes, ms = divmod(int(rng.random() * 86_400_000), 60_000)
    clock = f"{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1000:02d}.{ms % 1000:03d}"
    booked = _iso(day)
    head = {
        "id": f"evt-{borrower:07d}{n:05d}",
        "source": "core-banking/ledger",
        "at": f"{booked}T{clock}+08:00",
        "borrower_id": f"B{borrower:07d}",
        "business_date": booked,
    }
    return msgspec.json.encode({**head, **event})


@functools.cache
def _iso(day: int) -> str:
    return (FIRST_DAY + timedelta(days=day)).isoformat()


# -- rules ------------------------------------------------------------------


def _over(days: int) -> Span:
    return Span(days, "d")


def _category(name: str) -> Comparison:
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
    sampled = {name: sorted(samples[name]) for name in sorted(MEASURES)}
    return Shelf(tuple(_rule(rng, i, sampled, share) for i in range(n)), _sha(f"shelf {n}"))


def _rule(rng: random.Random, i: int, sampled: dict[str, list[Any]], share: float) -> Rule:
    names = rng.sample(list(sampled), rng.choice((2, 2, 3)))
    task = Task(f"queue-{i % 4}", "call", 2) if i % 3 == 0 else None
    return Rule(
        rule=f"made-up-{i:04d}",
        title="",
        status="live",
        owner="bench",
        since="2025-01-01",
        why="",
        per="borrower_id",
        measure={name: MEASURES[name] for name in names},
        when=And(tuple(_comparison(rng, name, sampled[name], share) for name in names)),
        hold=rng.choice((0, 3, 7)),
        quiet=rng.choice((30, 60, 90)),
        clear_after=rng.choice((14, 30, 60)),
        severity=rng.choice(("low", "medium", "high")),
        say="{" + names[0] + "}",
        task=task,
        hash=_sha(f"rule {i}"),
        shape=_sha(f"shape {i}"),
    )


def _sha(text: str) -> str:
    """As long as the hashes of real rules, since episodes and alerts carry them."""
    return hashlib.sha256(text.encode()).hexdigest()


def _comparison(rng: random.Random, name: str, values: list[Any], share: float) -> Comparison:
    """`>=` a high quantile or `<` a low one; where many values are equal, the point that comes nearest to the share."""
    wanted = min(0.6, max(0.02, rng.gauss(share, share / 2)))
    high = values[min(len(values) - 1, int(len(values) * (1 - wanted)))]
    low = values[int(len(values) * wanted)]
    points: dict[tuple[Comparator, Any], float] = {}
    for comparator, near in ((">=", high), ("<", low)):
        for point in {near, _next(values, near)}:
            points[comparator, point] = abs(_share(values, comparator, point) - wanted)
    nearest = min(points.values())
    comparator, point = rng.choice([at for at, off in points.items() if off <= nearest + 0.01])
    return Comparison(comparator, Name(name), Number(Decimal(str(float(point)))))


def _next(values: Sequence[Any], point: Any) -> Any:
    return next((value for value in values if value > point), point)


def _share(values: Sequence[Any], comparator: Comparator, point: Any) -> float:
    return sum(1 for v in values if (v >= point if comparator == ">=" else v < point)) / len(values)
