"""What each rule says of a borrower at the close of a day, and what would change that: time alone, or a payment.

memory as closed -> judged rule by rule
              '--> the days ahead without any event -> what opens, is raised or closes, and on which day
              '--> the same with a payment          -> the fewest instalments that keep it from that
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from pipeline import standing
from pipeline.announce import evidence, is_muted
from pipeline.decisions import Alert, Decision
from pipeline.decode import Arrival, Decoder
from pipeline.engine import close_day, open_day, step
from pipeline.episodes import shown_state
from pipeline.freezing import freeze, thaw
from pipeline.judge import Judged, compiled, keys_of
from pipeline.look import Day, Look
from pipeline.memory import Memory
from pipeline.sheet import Sheet
from pipeline.shelf import CompiledShelf
from rules.rule import SEVERITIES, And, Condition, Or

AHEAD_DAYS = 60
MOST_INSTALMENTS = 6  # payments that are tried, from the oldest unpaid instalment on
PAID_AT_MS = 9 * 3_600_000  # a payment that is tried comes in the morning


class Part(NamedTuple):
    """One of the conditions that a rule joins, and whether it holds; None: unknown."""

    condition: Condition
    truth: bool | None


class Change(NamedTuple):
    """What becomes of an alert if nothing happens."""

    transition: str  # opened, raised, closed
    severity: str
    on: int


class Payment(NamedTuple):
    """The least that keeps an alert from opening, or makes its condition false."""

    loan_id: str
    instalments: int  # how many, from the oldest unpaid on; arrears that a snapshot states count as one
    amount_minor: int  # in the loan's currency
    currency: str
    by: int  # on this date at the latest


class Verdict(NamedTuple):
    """One rule and one key of a borrower."""

    judged: Judged
    key: str  # the loan, account or borrower
    truth: bool | None
    state: str | None  # of its episode: pending, open, muted, stale, closed; None: it never had one
    severity: str | None  # of an open one
    evidence: dict[str, dict[str, Any]]
    parts: tuple[Part, ...]
    ahead: Change | None
    closes: int | None  # the date on which an open alert that is false already closes, if nothing happens
    payment: Payment | None


def verdicts(shelf: CompiledShelf, closed: Day, memory: Memory) -> Iterator[Verdict]:
    """Every deciding rule, for each of its keys, as of the close of a day."""
    zone = shelf.terms.zone
    look = Look(closed, zone.end_of(closed.date), zone.date_of, shelf.terms.history)
    future = _Future(shelf, closed, memory)
    for i, bench in enumerate(shelf.benches):
        for key in keys_of(bench, memory):
            sheet = Sheet(bench, memory, key, look)
            for judged in bench.judged:
                name = key or memory.borrower_id
                episode = memory.head.episodes.get(f"{judged.rule.rule}/{name}")
                is_open = episode is not None and episode.state == "open"
                muted = is_open and episode is not None and is_muted(shelf, memory, episode, closed.date)
                truth = sheet.truth(judged)
                is_over = is_open and truth is False  # It only waits for `clear_after`; no payment is of use to it.
                yield Verdict(
                    judged,
                    name,
                    truth,
                    None if episode is None else shown_state(episode, closed.date, is_muted=muted),
                    SEVERITIES[episode.severity] if is_open and episode is not None else None,
                    evidence(judged, sheet),
                    tuple(Part(each, _truth(each, judged, sheet)) for each in parts_of(judged.rule.when)),
                    ahead := future.changes.get(f"{judged.rule.rule}/{name}"),
                    future.closes.get(f"{judged.rule.rule}/{name}") if is_over else None,
                    None if is_over else future.payment(i, key, judged, is_open=is_open, opens=ahead),
                )


def parts_of(condition: Condition) -> tuple[Condition, ...]:
    """The conditions that a rule joins by its outermost `and` or `or`."""
    return condition.parts if isinstance(condition, And | Or) else (condition,)


def _truth(part: Condition, judged: Judged, sheet: Sheet) -> bool | None:
    true, false = compiled(part, judged.measures, sheet.bench.meters)
    return True if sheet.holds(true, judged) else False if sheet.holds(false, judged) else None


class _Future:
    """The days after a close on which nothing happens; what is tried is tried on copies."""

    def __init__(self, shelf: CompiledShelf, closed: Day, memory: Memory) -> None:
        self._shelf, self._closed = shelf, closed
        self._decode = Decoder(shelf.terms.zone.name, shelf.terms.reporting_currency).decode
        self._borrower_id = memory.borrower_id
        self._as_closed = [freeze(memory)]  # and after each day ahead
        self.changes: dict[str, Change] = {}  # rule/key -> the first thing that becomes of its alert
        self.closes: dict[str, int] = {}  # rule/key -> the date on which its open episode ends, told or muted
        still_open = {place: each.n for place, each in memory.head.episodes.items() if each.state == "open"}
        copy, day = self._copy(0), closed
        for _ in range(AHEAD_DAYS):
            day = day.next()
            for each in (*open_day(shelf, day, copy)[1], *close_day(shelf, day, copy)[1]):
                if isinstance(each, Alert):
                    place = each.episode.rpartition("/")[0]
                    self.changes.setdefault(place, Change(each.transition, each.severity, day.date))
            for place in [each for each, n in still_open.items() if not _is_open(copy, each, n)]:
                del still_open[place]
                self.closes[place] = day.date
            self._as_closed.append(freeze(copy))

    def _copy(self, days_ahead: int) -> Memory:
        return thaw(self._borrower_id, *self._as_closed[days_ahead])

    def payment(self, bench: int, key: str, judged: Judged, *, is_open: bool, opens: Change | None) -> Payment | None:
        """The fewest instalments whose payment makes an open alert's condition false, or keeps one from opening."""
        if judged.rule.per == "account_id" or (not is_open and (opens is None or opens.transition != "opened")):
            return None
        by = self._closed.date + 1 if is_open or opens is None else opens.on
        eve = by - self._closed.date - 1
        found = _owed(self._copy(eve), key, by)
        if found is None:
            return None
        loan_id, amounts = found
        currency = self._copy(eve).head.loans[loan_id].currency or self._shelf.terms.reporting_currency
        for n, amount in enumerate(amounts, 1):
            memory = self._copy(eve)
            decisions = self._paid(memory, by, loan_id, amount, currency)
            if self._is_well(memory, by, bench, key, judged, decisions, is_open=is_open):
                return Payment(loan_id, n, amount, currency, by)
        return None

    def _paid(self, memory: Memory, on: int, loan_id: str, amount: int, currency: str) -> list[Decision]:
        day = msgspec.structs.replace(self._closed, date=on, missing=frozenset())
        arrival = self._payment(on, loan_id, amount, currency)
        decisions = open_day(self._shelf, day, memory)[1]
        return [*decisions, *step(self._shelf, day, memory, arrival)[1], *close_day(self._shelf, day, memory)[1]]

    def _payment(self, on: int, loan_id: str, amount: int, currency: str) -> Arrival:
        zone = self._shelf.terms.zone
        event = {
            "id": "what-if",
            "source": "what-if",
            "type": "repayment.received",
            "at": zone.text(zone.start_of(on) + PAID_AT_MS),
            "borrower_id": self._borrower_id,
            "loan_id": loan_id,
            "amount_minor": amount,
            "currency": currency,
        }
        return self._decode(msgspec.json.encode(event), {})

    def _is_well(
        self, memory: Memory, on: int, bench: int, key: str, judged: Judged, said: list[Decision], *, is_open: bool
    ) -> bool:
        if not is_open:
            place = f"{judged.rule.rule}/{key or self._borrower_id}/"
            return not any(
                isinstance(each, Alert) and each.transition == "opened" and each.id.startswith(place) for each in said
            )
        zone = self._shelf.terms.zone
        day = msgspec.structs.replace(self._closed, date=on, missing=frozenset())
        look = Look(day, zone.end_of(on), zone.date_of, self._shelf.terms.history)
        return Sheet(self._shelf.benches[bench], memory, key, look).truth(judged) is False


def _is_open(memory: Memory, place: str, n: int) -> bool:
    """Whether the nth episode of a rule and key is still open."""
    episode = memory.head.episodes.get(place)
    return episode is not None and episode.state == "open" and episode.n == n


def _owed(memory: Memory, key: str, by: int) -> tuple[str, list[int]] | None:
    """The loan that is asked for, or the one with the oldest unpaid due; what one, two, three due ones come to."""
    loans = {loan_id: loan.state for loan_id, loan in memory.head.loans.items() if loan.state.status == "open"}
    wanted = [key] if key in loans else [] if key else sorted(loans)
    owing = {each: [due for due in standing.unpaid(loans[each]) if due[0].due_on <= by] for each in wanted}
    late = [(due[0][0].due_on if due else 0, each) for each, due in owing.items() if due or loans[each].lump]
    if not late:
        return None
    loan_id = min(late)[1]
    parts = [loans[loan_id].lump] if loans[loan_id].lump else []
    parts += [amount for _, amount in owing[loan_id]]
    return loan_id, [sum(parts[:n]) for n in range(1, min(len(parts), MOST_INSTALMENTS) + 1)]
