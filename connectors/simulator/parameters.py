"""The figures of the simulated portfolio: config/simulator.yaml as a checked model.

Each group of figures names its source or says that it is an assumption; both, or neither, is a fault of the file.
"""

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from connectors.simulator.stated import AYear, Lognormal, Parameters, Positive, Range, Share, Stated
from connectors.simulator.troubles import FaultRates, LookAlikes, Shocks, Unnamed
from rules.faults import Fault, RuleError
from rules.yaml_text import read, validate

PARAMETERS = Path(__file__).parents[2] / "config" / "simulator.yaml"


def _first_of_month(day: date) -> date:
    if day.day != 1:
        raise ValueError(f"expected the first day of a month, got {day}")
    return day


class Portfolio(Stated):
    """Who the borrowers are, and how they hang together."""

    firms: Share
    newcomers: Share
    newcomers_until: Annotated[int, Field(ge=1, le=60)]
    spouses: Share
    guarantors: Share
    groups: Share


class Income(Stated):
    """Net income of a month."""

    median: Positive
    spread: Annotated[float, Field(ge=0, le=3)]


class IncomeKinds(Stated):
    """Where the income comes from; the rest are salaried."""

    pension: Share
    business: Share
    bonus: Share
    bonus_months: Range


class Budget(Stated):
    """Where the income goes."""

    renters: Share
    rent: Range
    debt_service: Range
    pay_alimony: Share
    alimony: Range
    saved: Range
    least_spending: Share
    thrift: Share


class Savings(Stated):
    """What a person can fall back on, in months of income."""

    none: Share
    median: Positive
    spread: Annotated[float, Field(ge=0, le=3)]


class Cards(Stated):
    """Credit cards."""

    holders: Share
    revolvers: Share
    limit: Range
    spent_on_card: Range
    minimum: Share
    rate: Share


class Elsewhere(Stated):
    """Debts at other lenders."""

    holders: Share
    payment: Range
    rate: Share
    months: Annotated[int, Field(ge=1, le=120)]
    sued_after: Annotated[int, Field(ge=1)]


class Habits(Stated):
    """What people do, in good times and in need."""

    forgets: Share
    inquiries_a_year: AYear
    advances_a_year: AYear
    cases_a_year: AYear
    investors: Share
    gamblers: Share
    advance_in_need: Share
    borrow_in_need: Share
    family_in_need: Share
    willing: Share
    overdraft: Share


class Snapshots(Parameters):
    """How many loans the core tells of by snapshots."""

    monthly: Share
    weekly: Share


class Products(Parameters):
    """Which loan a person has."""

    personal: Share
    car: Share
    mortgage: Share


class Rates(Parameters):
    """Usual yearly rates."""

    personal: Share
    car: Share
    mortgage: Share
    term: Share


class Months(Parameters):
    """How long loans run."""

    personal: Range
    car: Range
    mortgage: Range
    term: Range


def _all_of_it(shares: Products) -> Products:
    total = shares.personal + shares.car + shares.mortgage
    if abs(total - 1) > 1e-9:
        raise ValueError(f"expected shares that add up to 1, got {total:g}")
    return shares


class Loans(Stated):
    """Loans of the bank, and how its core tells of them."""

    products: Annotated[Products, AfterValidator(_all_of_it)]
    rates: Rates
    months: Months
    schedules_told: Share
    misses_told: Share
    snapshots: Snapshots
    notice_days: Annotated[int, Field(ge=0, le=15)]
    rescheduled: Share
    hardship: Share
    renewed: Share


class Reached(Parameters):
    """How many are reached by each kind of contact."""

    message: Share
    call: Share
    letter: Share
    visit: Share
    restructure: Share


class Contacts(Stated):
    """How people answer to what collections does."""

    reached: Reached
    willing_days: Annotated[int, Field(ge=0)]
    accepted: Share


class Firms(Stated):
    """Firms: shares are of the turnover of a month."""

    turnover: Lognormal
    customers: Range
    main_customer: Range
    supplies: Range
    payroll: Range
    premises: Range
    margin: Range
    tax: Share
    debt_service: Range
    reserve: Range
    line: Range
    season: Range
    equity: Range
    receivable_days: Range
    suppliers_stop: Share


class Expected(Stated):
    """The bands that the whole portfolio must come to."""

    default_12_months: Range
    default_18_months: Range
    roll_current: Range
    roll_1_30: Range
    roll_31_60: Range
    roll_61_90: Range
    cure_1_30: Range
    with_cause: Range
    events_a_month: Range


class Figures(Parameters):
    """All of config/simulator.yaml."""

    first_day: Annotated[date, AfterValidator(_first_of_month)]
    burn_in_months: Annotated[int, Field(ge=1, le=24)]
    block: Annotated[int, Field(ge=2, le=100)]
    portfolio: Portfolio
    income: Income
    income_kinds: IncomeKinds
    budget: Budget
    savings: Savings
    cards: Cards
    elsewhere: Elsewhere
    habits: Habits
    loans: Loans
    contacts: Contacts
    firms: Firms
    shocks: Shocks
    unnamed: Unnamed
    look_alikes: LookAlikes
    faults: FaultRates
    expected: Expected


SHOCKS = tuple(Shocks.model_fields)


def load(path: Path = PARAMETERS) -> Figures:
    """The figures of a file; RuleError with every fault, line and column.

    >>> load().first_day.isoformat()
    '2025-01-01'
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise RuleError([Fault(path.name, 1, 1, "file", "expected UTF-8, got other bytes; save it as UTF-8")]) from None
    return validate(read(text, path.name), Figures)
