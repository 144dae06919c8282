"""Loans in other currencies than the bank reports in."""

from pipeline.decisions import DeadLetter
from pipeline.look import Day
from pipeline.profiles import profile_of
from pipeline.zone import day_number
from tests.journeys import DAY_0, PLAIN, Journey, disbursed, due, journey, missed, paid, reversed_

RATES = {"USD": 7_200_000, "JPY": 50_000}  # 7.20 and 0.05 of the reporting currency, CNY


def exposure(loan: Journey, on: int) -> int | None:
    day = Day(date=day_number(DAY_0) + on, rates=RATES)
    found: int | None = profile_of(PLAIN, day, loan.memory)["exposure_minor"]
    return found


def test_the_ledger_runs_in_the_currency_of_the_loan_and_exposure_in_that_of_the_bank() -> None:
    #  1,200.00 USD less 100.00 USD; 1,100.00 USD at 7.20 are 7,920.00 CNY
    told = [disbursed(currency="USD"), due(1, on=30, currency="USD"), due(2, on=60, currency="USD")]
    loan = journey(*told, paid(61, 10_000, currency="USD"), until=62, rates=RATES)
    assert loan.days(31, 60, 62) == [1, 30, 2]
    assert loan.figures[62] == (2, 10_000, 110_000)
    assert exposure(loan, 62) == 792_000


def test_a_currency_without_minor_units_is_converted_by_its_own_digits() -> None:
    #  120,000 JPY have no decimal places: at 0.05 they are 6,000.00 CNY
    loan = journey(disbursed(currency="JPY"), until=0, rates=RATES)
    assert loan.outstanding(0) == [120_000]
    assert exposure(loan, 0) == 600_000


def test_a_payment_in_the_bank_s_currency_is_turned_into_that_of_the_loan() -> None:
    #  720.00 CNY are 100.00 USD
    told = [disbursed(currency="USD"), due(1, on=30, currency="USD"), paid(31, 72_000)]
    loan = journey(*told, until=31, rates=RATES)
    assert loan.figures[31] == (0, 0, 110_000)


def test_a_reversal_takes_a_foreign_payment_back() -> None:
    told = [disbursed(currency="USD"), due(1, on=30, currency="USD"), paid(30, 10_000, currency="USD", id="p1")]
    loan = journey(*told, reversed_(35, "p1"), until=35, rates=RATES)
    assert loan.figures[34] == (0, 0, 110_000)
    assert loan.figures[35] == (5, 10_000, 120_000)


def test_foreign_money_without_rate_or_base_amount_is_refused_and_the_loan_does_not_come_into_being() -> None:
    loan = journey(disbursed(currency="USD"), until=1)
    assert loan.dead_letters == [(0, "bad_field")]
    assert loan.figures[1] == (None, None, None)


def test_the_base_amount_of_a_payment_stands_in_for_a_rate() -> None:
    told = [
        disbursed(currency="USD", base_amount_minor=864_000),
        paid(3, 10_000, currency="USD", base_amount_minor=71_000),
    ]
    loan = journey(*told, until=3)
    assert [each.why for _, each in loan.decisions if isinstance(each, DeadLetter)] == []
    assert loan.outstanding(0, 3) == [120_000, 110_000]


def test_the_currency_of_a_loan_does_not_depend_on_what_arrives_first() -> None:
    told = [missed(0, 9), disbursed(0, currency="USD")]
    loan = journey(*told, until=0, rates=RATES)
    other = journey(*(event | {"second": n} for n, event in reversed(list(enumerate(told)))), until=0, rates=RATES)
    assert loan.figures == other.figures == {0: (None, None, 120_000)}
