"""The figures of what goes wrong, of what only looks like it, and of feeds that err."""

from typing import Annotated

from pydantic import Field

from connectors.simulator.stated import AYear, Parameters, Range, Share, Stated


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
