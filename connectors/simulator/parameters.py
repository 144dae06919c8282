"""The figures of the simulated portfolio: config/simulator.yaml as a checked model.

Each group of figures names its source or says that it is an assumption; both, or neither, is a fault of the file.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rules.faults import Fault, RuleError
from rules.yaml_text import read, validate

PARAMETERS = Path(__file__).parents[2] / "config" / "simulator.yaml"


def _rising(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"expected a low and a high bound, got {list(bounds)}")
    return bounds


def _all_of_it(shares: dict[str, float]) -> dict[str, float]:
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"expected shares that add up to 1, got {sum(shares.values()):g}")
    return shares


def _first_of_month(day: date) -> date:
    if day.day != 1:
        raise ValueError(f"expected the first day of a month, got {day}")
    return day


Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
AYear = Annotated[float, Field(ge=0, le=10)]
Range = Annotated[tuple[float, float], AfterValidator(_rising)]
Product = Literal["personal", "car", "mortgage", "term"]


class Parameters(BaseModel):
    """What every part of the file has in common: no field that nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Stated(Parameters):
    """Figures of one origin: a source, or an assumption."""

    source: Annotated[str, Field(min_length=1)] | None = None
    assumption: Literal[True] | None = None

    @model_validator(mode="after")
    def _says_its_origin(self) -> "Stated":
        if (self.source is None) == (self.assumption is None):
            raise ValueError("expected either 'source: ...' or 'assumption: true' beside these figures")
        return self


class Lognormal(Parameters):
    """A lognormal figure by its median and the standard deviation of its logarithm."""

    median: Positive
    spread: Annotated[float, Field(ge=0, le=3)]


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


class Loans(Stated):
    """Loans of the bank, and how its core tells of them."""

    products: Annotated[dict[Literal["personal", "car", "mortgage"], Share], AfterValidator(_all_of_it)]
    rates: dict[Product, Share]
    months: dict[Product, Range]
    schedules_told: Share
    misses_told: Share
    snapshots: Snapshots
    notice_days: Annotated[int, Field(ge=0, le=15)]
    rescheduled: Share
    hardship: Share


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


class Hazard(Stated):
    """Something that happens to so many a year."""

    a_year: AYear


class JobLoss(Hazard):
    """Salary ends; severance, a benefit, and months later another job, or none."""

    months: Range
    benefit: Range
    severance: Range
    told: Share
    new_income: Range


class Illness(Hazard):
    """Income falls for months, and bills come."""

    months: Range
    income_left: Range
    cost: Range


class Divorce(Hazard):
    """Savings are divided, a case is heard, a second household costs."""

    savings_left: Range
    cost: Range
    alimony: Range
    months: Range


class OverIndebtedness(Hazard):
    """Borrowing to spend, and then borrowing to repay."""

    months: Range
    borrowed: Range
    gamblers: Share
    stops: Share


class RateRise(Hazard):
    """The rate of a long loan is set anew."""

    rise: Range


class FundsToSecurities(Hazard):
    """Borrowed money goes to a broker, and most of it is lost."""

    invested: Range
    lost: Range
    months: Range


class EarlyFraud(Stated):
    """A loan that was never meant to be repaid."""

    of_new_loans: Share
    months: Range


class TurnoverFall(Hazard):
    """A firm sells less and less."""

    months: Range
    turnover_left: Range
    ramp: Range


class CustomerLoss(Hazard):
    """A firm's main customer is gone."""

    months: Range
    replaced: Range
    told: Share


class Shocks(Parameters):
    """What goes wrong, by name; the order of these fields is the order in which they are drawn."""

    job_loss: JobLoss
    illness: Illness
    divorce: Divorce
    over_indebtedness: OverIndebtedness
    rate_rise: RateRise
    funds_to_securities: FundsToSecurities
    early_fraud: EarlyFraud
    turnover_fall: TurnoverFall
    customer_loss: CustomerLoss


class Unnamed(Hazard):
    """A large bill."""

    cost: Range


class PaydayShift(Hazard):
    """The employer pays some days later from now on."""

    days: Range


class EmployerBank(Hazard):
    """The salary goes to another bank, and most of it is sent on."""

    sent_on: Range


class HolidaySpending(Hazard):
    """A month of spending, paid back from savings."""

    spent: Range


class ParentalLeave(Hazard):
    """Less income for some months, planned and saved for."""

    months: Range
    income_left: Range


class SeasonalTrade(Stated):
    """Firms that live from one season of the year."""

    of_firms: Share
    season: Range


class LookAlikes(Parameters):
    """What looks like trouble and is none."""

    payday_shift: PaydayShift
    employer_bank: EmployerBank
    holiday_spending: HolidaySpending
    parental_leave: ParentalLeave
    seasonal_trade: SeasonalTrade


class FaultRates(Stated):
    """How often feeds err."""

    late: Share
    duplicate: Share
    reversed: Share
    conflicting: Share
    misordered: Share
    malformed: Share
    silent_a_year: Annotated[float, Field(ge=0, le=50)]
    silent_days: Range


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
