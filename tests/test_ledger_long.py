"""A loan over a thousand days, most of whose events are no longer kept."""

from tests.journeys import Told, arriving, disbursed, due, journey, paid, reversed_

#  A loan over 1,000 days: 10,000 due every 30 days from day 30 to 990 (33 dues), each paid on its day but the third.
#  Oldest unpaid first: from day 90 on one instalment is always behind, 30 days by the next due date.
DUES = [due(n, on=30 * n) for n in range(1, 34)]
PAID = [paid(30 * n, 10_000, id=f"p{n}") for n in range(1, 34) if n != 3]
LOAN: list[Told] = [disbursed(principal=500_000), *DUES, *PAID]


def test_the_figures_of_a_loan_outlive_the_events_they_came_from() -> None:
    #  day 989: 32 dues, 31 payments: the due of day 960 is unpaid since 29 days; 500,000 - 310,000 are outstanding
    loan = journey(*LOAN, until=990)
    assert loan.figures[989] == (29, 10_000, 190_000)
    assert loan.figures[990] == (0, 0, 180_000)


def test_a_late_event_is_folded_onto_what_is_no_longer_kept() -> None:
    #  told on day 980, dated 700: 10,000 more, so nothing is behind any longer
    loan = journey(*LOAN, arriving(980, paid(700, 10_000)), until=989)
    assert loan.figures[979] == (19, 10_000, 190_000)
    assert loan.figures[980] == (0, 0, 180_000)


def test_a_reversal_reaches_as_far_back_as_payments_are_kept() -> None:
    #  p20 of day 600 taken back on day 985: two instalments behind, the older of day 930
    loan = journey(*LOAN, reversed_(985, "p20"), until=985)
    assert loan.figures[984] == (24, 10_000, 190_000)
    assert loan.figures[985] == (55, 20_000, 200_000)


def test_a_payment_no_longer_kept_cannot_be_reversed() -> None:
    loan = journey(*LOAN, reversed_(980, "p4"), until=987)
    assert loan.dead_letters == [(987, "unmatched_reversal")]
    assert loan.figures[987] == (27, 10_000, 190_000)


def test_an_event_more_than_400_days_late_is_too_old() -> None:
    loan = journey(*LOAN, arriving(901, paid(501, 1_000)), arriving(901, paid(500, 1_000)), until=901)
    assert loan.dead_letters == [(901, "too_old")]
    assert loan.arrears(900, 901) == [0, 9_000]


def test_only_misses_of_the_last_400_days_or_so_are_kept() -> None:
    #  every due from day 90 on was missed once, a day after it; events are looked through every 32 days
    loan = journey(*LOAN, until=985)
    days = [day for _, day in loan.misses]
    assert days[-1] == 961
    assert 985 - 432 <= days[0] <= 985 - 400 + 30
