"""What a borrower is made of: plain state, changed in place by the day that lives it."""

from heapq import heappush
from random import Random
from typing import Literal, NamedTuple

import msgspec

DAY = 86_400
ContactKind = Literal["message", "call", "letter", "visit", "restructure"]


class Contact(NamedTuple):
    """What collections did yesterday: a message, a call, a visit, or an offer to reschedule."""

    kind: ContactKind
    task_id: str = ""


class Loan(msgspec.Struct, kw_only=True):
    """An instalment loan, or a card, as the bank's core keeps it."""

    loan_id: str
    product: str
    principal: int  # outstanding
    rate: float
    instalment: int
    left: int  # instalments to come
    number: int = 1  # of the next instalment
    day_of_month: int = 1
    unpaid: list[list[int]] = []  # [due day, what is owed of it, its number, its principal], oldest first
    is_told_ahead: bool = False  # the schedule was told; no due is told one by one
    tells_misses: bool = False
    snapshots: int = 0  # 0 none, 1 monthly, 2 weekly
    collateral: int = 0
    bucket: int = 0  # of the last month's end
    bucket_known: bool = False
    status: str = "open"
    next_try: int = -1  # the moment at which arrears may be paid
    limit: int = 0  # of a card
    account_id: str = ""  # of a card
    statement: int = 0  # balance of a card's last statement
    is_revolving: bool = False

    @property
    def owed(self) -> int:
        """What is due and not paid."""
        return sum(each[1] for each in self.unpaid)


class Borrower(msgspec.Struct, kw_only=True):
    """A person or a firm: money, debts, habits, and what is planned."""

    number: int
    key: str
    account_id: str
    chance: Random  # of everyday life
    is_firm: bool = False
    from_day: int = 0  # the first day that is told
    now: int = 0  # seconds since the begin of the burn-in
    told: int = 0  # events told so far
    by_source: dict[str, int] = {}  # of them
    lines: list[str] = []
    agenda: list[tuple[int, int, int]] = []  # (moment, act, argument), a heap

    # Money.
    cash: int = 0
    overdraft: int = 0  # how far below zero the account may go
    is_over: bool = False  # below that
    savings: int = 0
    income: int = 0  # of a usual month; the turnover of a firm
    income_kind: str = "salary"
    income_share: float = 1.0  # what is left of it now
    benefit: int = 0  # in place of the salary
    payday: int = 10
    payday_delay: int = 0
    sent_on: float = 0.0  # share of a salary at another bank that is sent on
    rent: int = 0
    spending: int = 0  # of a usual month
    thrift: float = 1.0
    habit: str = ""  # what else money goes to: securities or gambling, in small sums
    on_card: float = 0.0
    extra: int = 0  # bills of this month that are no choice
    alimony: int = 0
    payables: int = 0  # rent or supplies that could not be paid

    # Firms.
    customers: list[float] = []  # shares of turnover, the main one first
    is_lost: bool = False  # the main customer
    replaced: float = 0.0
    costs: tuple[float, float] = (0.0, 0.0)  # supplies and payroll
    season: float = 0.0
    peak: int = 6
    lag_days: int = 30
    revenue: int = 0  # of the quarter
    profit: int = 0
    equity: int = 0
    tax_owed: int = 0
    taxes_missed: int = 0

    # Debts.
    loans: list[Loan] = []
    elsewhere: list[list[int]] = []  # [payment, months left, what is owed]
    elsewhere_late: int = -1  # the day since which a payment elsewhere is missed
    is_sued: bool = False
    inquiries: list[int] = []  # days of the last year
    raised_on: int = -99  # when money was last sought
    will: float = 0.75
    will_until: int = 0  # a contact makes willing until then
    pays: bool = True  # a fraudster never does

    # What happened.
    shock: str = ""  # that is to come
    shock_step: int = 0
    shock_ends: int = 0
    began_on: int = -1
    cause: str = ""
    strained_on: int = -1  # first due of the arrears that stand
    defaulted_on: int = -1
    unpaid_since: int = -1  # the due that went into default
    billed_on: int = -1  # the day of an unnamed bill
    look_alike: str = ""
    seemed_on: int = -1  # the day on which it began
    rolls: list[int] = []  # 8 * bucket of a month's end + bucket a month later
    spouse: str = ""
    related: list[tuple[str, str]] = []  # (another borrower, what it is to this one)

    def plan(self, moment: int, act: int, argument: int = 0) -> None:
        """Put an act onto the agenda."""
        heappush(self.agenda, (moment, act, argument))

    @property
    def today(self) -> int:
        """The day that is being lived."""
        return self.now // DAY

    def at(self, hour: float, spread: float = 0.0, days: int = 0) -> int:
        """A moment of today or of a later day, within `spread` hours after an hour."""
        if spread:
            hour += spread * self.chance.random()
        return (self.now // DAY + days) * DAY + int(hour * 3600)


def between(chance: Random, bounds: tuple[float, float]) -> float:
    """A figure drawn evenly."""
    low, high = bounds
    return low + (high - low) * chance.random()


def around(chance: Random, spread: float) -> float:
    """A factor about 1, as far as `spread` on either side."""
    return 1.0 + spread * (2.0 * chance.random() - 1.0)
