"""The ledger once more, slowly: plain lists and Decimals, all worked out again whenever something new is known."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)
WAIT_DAYS = 7
PAYMENTS = ("repayment.received", "repayment.reversed")
ENDS = ("loan.closed", "loan.written_off")


@dataclass
class Due:
    """One instalment as it was last told."""

    instalment: int
    due_on: date
    fee: Decimal
    interest: Decimal
    principal: Decimal

    @property
    def amount(self) -> Decimal:
        return self.fee + self.interest + self.principal


@dataclass
class Standing:
    """Where a loan stands after some of its events."""

    pool: Decimal = ZERO  # money received that no settled due has used up
    dues: list[Due] = field(default_factory=list)
    told: Decimal | None = None  # the principal before what the pool covers
    lump: Decimal = ZERO  # arrears that a snapshot stated and nobody has paid yet
    stated: tuple[date, int, bool] | None = None  # date, days past due, whether they end when the lump is paid
    settled_until: date = date.min
    pauses: list[tuple[date, date]] = field(default_factory=list)
    missed: set[int] = field(default_factory=set)
    rescheduled_on: date = date.min  # a miss of this date or before is one of the schedule before
    is_known: bool = False  # days past due: a due or a snapshot has told them
    has_arrears: bool = False  # arrears, the same
    is_over: bool = False

    def moved(self, due_on: date) -> date:
        """The due date after every payment holiday, and after the next where one begins before another ends."""
        ends = [end for begin, end in self.pauses if begin <= due_on < end]
        return self.moved(max(ends)) if ends else due_on

    def is_paused(self, on: date) -> bool:
        return any(begin <= on <= end for begin, end in self.pauses)

    def running_days(self, since: date, on: date) -> int:
        """Dates after one and up to another on which no holiday ran."""
        paused = {begin + timedelta(n) for begin, end in self.pauses for n in range((end - begin).days + 1)}
        return (on - since).days - sum(1 for each in paused if since < each <= on)

    def covered(self) -> list[tuple[Due, Decimal]]:
        """Every due with what is paid of it, oldest first."""
        left, found = self.pool, []
        for due in sorted(self.dues, key=lambda due: (due.due_on, due.instalment)):
            paid = min(left, due.amount)
            left -= paid
            found.append((due, paid))
        return found

    def in_use(self) -> Decimal:
        """How much of the pool lowers the principal: principal parts that are paid, and all surplus."""
        covered = self.covered()
        surplus = self.pool - sum((paid for _, paid in covered), ZERO)
        return surplus + sum((paid - min(paid, due.fee + due.interest) for due, paid in covered), ZERO)

    def outstanding(self) -> Decimal | None:
        return None if self.told is None else max(ZERO, self.told - self.in_use())

    def unpaid_charges(self, on: date) -> Decimal:
        """Fee and interest not paid of the dues up to a date."""
        past = [(due, paid) for due, paid in self.covered() if self.moved(due.due_on) <= on]
        return sum((max(ZERO, due.fee + due.interest - paid) for due, paid in past), ZERO)

    def settle(self, on: date) -> None:
        """Take the dues up to a date off the books, and the money that they used."""
        past = [due for due in self.dues if self.moved(due.due_on) <= on]
        self.pool = max(ZERO, self.pool - sum((due.amount for due in past), ZERO))
        self.dues = [due for due in self.dues if due not in past]


@dataclass(frozen=True)
class Closing:
    """What a loan shows at the close of a day; None is unknown."""

    days_past_due: int | None
    arrears: Decimal | None
    outstanding: Decimal | None


def money(minor: int) -> Decimal:
    """Minor units of a currency with two decimal places, in whole units."""
    return Decimal(minor) / 100


def stand(events: list[dict[str, Any]]) -> Standing:
    """Tell the whole story of a loan from its beginning, in the order in which it happened."""
    taken_back = {event["reverses"] for event in events if event["type"] == "repayment.reversed"}
    standing = Standing()
    for event in sorted(events, key=lambda each: (date_of(each), datetime.fromisoformat(each["at"]), each["id"])):
        is_gone = event["type"] == "repayment.received" and event["id"] in taken_back
        if not is_gone and not standing.is_over:
            happen(standing, event, date_of(event))
    return standing


def happen(standing: Standing, event: dict[str, Any], on: date) -> None:
    """One event more."""
    kind = event["type"]
    if kind == "loan.disbursed":
        standing.told = money(event["principal_minor"])
        for line in event.get("schedule") or ():
            put(standing, scheduled(line))
    elif kind == "repayment.due":
        put(standing, due_of(standing, event))
    elif kind == "repayment.received":
        receive(standing, money(event["amount_minor"]), event.get("kind"), on)
    elif kind == "repayment.missed" and "instalment" in event and on > standing.rescheduled_on:
        standing.missed.add(event["instalment"])
    elif kind == "loan.paused":
        standing.pauses.append((date.fromisoformat(event["from_date"]), date.fromisoformat(event["until_date"])))
    elif kind == "loan.rescheduled":
        reschedule(standing, [scheduled(line) for line in event["schedule"]], on)
    elif kind == "loan.snapshot":
        believe(standing, event, on)
    elif kind in ENDS:
        standing.is_over = True


def date_of(event: dict[str, Any]) -> date:
    """The business date; the tests write instants with the bank's own offset."""
    return date.fromisoformat(event.get("business_date", event["at"][:10]))


def scheduled(line: dict[str, Any]) -> Due:
    parts = {part: money(line[f"{part}_minor"]) for part in ("fee", "interest", "principal")}
    return Due(line["instalment"], date.fromisoformat(line["due_on"]), **parts)


def due_of(standing: Standing, event: dict[str, Any]) -> Due:
    """A due that tells an amount: the fee and interest that were known of it stay, the rest is principal."""
    amount = money(event["amount_minor"])
    known = next((due for due in standing.dues if due.instalment == event["instalment"]), None)
    fee = ZERO if known is None else min(known.fee, amount)
    interest = ZERO if known is None else min(known.interest, amount - fee)
    return Due(event["instalment"], date.fromisoformat(event["due_on"]), fee, interest, amount - fee - interest)


def put(standing: Standing, due: Due) -> None:
    """An instalment, in the place of the one of its number; one that a snapshot has settled stays settled."""
    standing.is_known = standing.has_arrears = True
    if standing.moved(due.due_on) > standing.settled_until:
        standing.dues = [each for each in standing.dues if each.instalment != due.instalment] + [due]


def receive(standing: Standing, amount: Decimal, kind: str | None, on: date) -> None:
    outstanding = standing.outstanding()
    if kind == "early" and outstanding is not None and amount >= outstanding + standing.unpaid_charges(on):
        standing.pool, standing.dues, standing.told = ZERO, [], ZERO
        standing.lump, standing.stated = ZERO, None
        standing.is_known = standing.has_arrears = True
        return
    for_lump = min(standing.lump, amount)
    standing.lump -= for_lump
    if standing.told is not None:
        standing.told -= for_lump
    standing.pool += amount - for_lump


def reschedule(standing: Standing, schedule: list[Due], on: date) -> None:
    standing.settle(on)
    standing.dues = schedule
    standing.told = sum((due.principal for due in schedule), ZERO)
    standing.lump, standing.stated = ZERO, None
    standing.missed, standing.rescheduled_on = set(), on
    standing.is_known = standing.has_arrears = True


def believe(standing: Standing, event: dict[str, Any], on: date) -> None:
    """The core's own truth for its date."""
    days, arrears = event.get("days_past_due"), event.get("arrears_minor")
    outstanding = None if standing.told is None else standing.told - standing.in_use()  # below 0 when overpaid
    knows_days = days is not None or arrears == 0
    if days is None and arrears:
        days = closing(standing, on).days_past_due  # the sum alone: the days known before run on with it
    if days == 0 or arrears is not None:
        standing.settle(on)
        standing.settled_until = on
        standing.lump = ZERO if arrears is None else money(arrears)
        standing.stated = (on, days, True) if days else None
        standing.has_arrears = True
    elif days is not None:
        standing.stated = (on, days, False)
    if knows_days:
        standing.is_known = True
    if "outstanding_minor" in event:
        outstanding = money(event["outstanding_minor"])
    if outstanding is not None:
        standing.told = outstanding + standing.in_use()


def closing(standing: Standing, on: date) -> Closing:
    """What a standing shows at the close of a day."""
    if standing.is_over:
        return Closing(0, ZERO, ZERO)
    if not standing.is_known:
        return Closing(None, standing.lump if standing.has_arrears else None, standing.outstanding())
    unpaid = [(due, due.amount - paid) for due, paid in standing.covered() if due.amount > paid]
    past = [(standing.moved(due.due_on), open_) for due, open_ in unpaid if standing.moved(due.due_on) < on]
    days = standing.running_days(min(due_on for due_on, _ in past), on) if past else 0
    arrears = standing.lump + sum((open_ for _, open_ in past), ZERO) if standing.has_arrears else None
    if standing.stated is not None:
        since, stated_days, ends_with_lump = standing.stated
        if standing.lump > 0 or not ends_with_lump:
            days = stated_days + standing.running_days(since, on)
            arrears = arrears or None  # days past due that the core states cannot go with arrears of nothing
    return Closing(days, arrears, standing.outstanding())


def unpaid_too_long(standing: Standing, on: date) -> list[int]:
    """Instalments that are unpaid on the day after their due date, at a close of a loan that runs."""
    if standing.is_over or standing.is_paused(on):
        return []
    return [d.instalment for d, paid in standing.covered() if standing.moved(d.due_on) < on and paid < d.amount]


def as_miss(instalment: int, on: date) -> dict[str, Any]:
    at = f"{on}T23:59:59.999+08:00"
    return {"id": f"missed/L1/{instalment}", "type": "repayment.missed", "at": at, "instalment": instalment}


class Oracle:
    """One loan, told its events as they arrive, one day after another."""

    def __init__(self, first_day: date) -> None:
        self.today = first_day
        self.known: list[dict[str, Any]] = []
        self.waiting: list[tuple[date, dict[str, Any]]] = []
        self.early: list[dict[str, Any]] = []
        self.derived: list[tuple[int, date]] = []  # instalment, date: all that a close ever saw
        self._standing: Standing | None = None  # None: something new is known

    def arrive(self, event: dict[str, Any]) -> None:
        """An event comes in; one of a later date is kept for its day."""
        if date_of(event) > self.today:
            self.early.append(event)
        elif not self._is_repeat(event):
            self.waiting.append((self.today, event))
            self._match()

    def close(self) -> Closing:
        """End the day: what waited too long is given up, misses are derived, the early events of the next day enter."""
        today = self.today
        self.waiting = [(since, event) for since, event in self.waiting if (today - since).days < WAIT_DAYS]
        standing = self._standing or stand([*self.known, *(as_miss(*each) for each in self.misses)])
        self._standing = standing
        if self._exists():
            for instalment in unpaid_too_long(standing, today):
                if instalment not in standing.missed:
                    self.derived.append((instalment, today))
                    self._standing = None
        self.today += timedelta(1)
        early, self.early = self.early, []
        for event in early:
            self.arrive(event)
        return closing(standing, today)

    @property
    def misses(self) -> list[tuple[int, date]]:
        """Derived ones that all that is known by now bears out, the first of each instalment of a schedule."""
        changes = [date_of(each) for each in self.known if each["type"] == "loan.rescheduled"]
        found: dict[tuple[int, int], date] = {}
        for instalment, on in sorted(self.derived, key=lambda each: each[1]):
            schedule = sum(1 for each in changes if each < on)
            if (instalment, schedule) not in found and self._bears_out(instalment, on):
                found[instalment, schedule] = on
        return [(instalment, on) for (instalment, _), on in found.items()]

    def _bears_out(self, instalment: int, on: date) -> bool:
        """Unpaid at the close that saw it, or at the one after its due date."""
        standing = self._until(on)
        seen = {standing.moved(due.due_on) + timedelta(1) for due in standing.dues if due.instalment == instalment}
        closes = [on, *(each for each in seen if standing.rescheduled_on < each < on)]
        return not standing.is_over and any(instalment in unpaid_too_long(self._until(each), each) for each in closes)

    def _until(self, on: date) -> Standing:
        """The loan at a close, by what is known today: what was taken back since never was."""
        return stand([each for each in self.known if date_of(each) <= on or each["type"] == "repayment.reversed"])

    def _learn(self, event: dict[str, Any]) -> None:
        self.known.append(event)
        self._standing = None

    def _is_repeat(self, event: dict[str, Any]) -> bool:
        return any(event["id"] == each["id"] for each in [*self.known, *(waits for _, waits in self.waiting)])

    def _exists(self) -> bool:
        return any(each["type"] not in PAYMENTS for each in self.known)

    def _match(self) -> None:
        """Let in whatever no longer has to wait."""
        for entry in list(self.waiting):
            event = entry[1]
            may_enter = event["type"] not in PAYMENTS or self._exists()
            if event["type"] == "repayment.reversed":
                all_told = [*self.known, *(waits for _, waits in self.waiting)]
                received = [each["id"] for each in all_told if each["type"] == "repayment.received"]
                may_enter = event["reverses"] in received
            if may_enter:
                self.waiting.remove(entry)
                self._learn(event)
                return self._match()
        return None
