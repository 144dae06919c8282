"""The core's own truth: snapshots win for their date and are rolled on."""

from tests.journeys import (
    arriving,
    at_least,
    disbursed,
    due,
    journey,
    line,
    paid,
    paused,
    rescheduled,
    reversed_,
    shelf_of,
    snapshot,
    terms_of,
    told,
)


def test_days_past_due_of_a_snapshot_grow_by_one_a_day() -> None:
    loan = journey(snapshot(0, days=40, arrears=20_000), until=5)
    assert loan.days(0, 1, 5) == [40, 41, 45]
    assert loan.arrears(0, 5) == [20_000, 20_000]


def test_a_rule_sees_stated_days_grow_without_any_event() -> None:
    #  40 on day 0; at least 45 from day 5 on, until the arrears are paid on day 8
    shelf = shelf_of(terms_of(), at_least("later", "days_past_due", 45))
    loan = journey(snapshot(0, days=40, arrears=20_000), paid(8, 20_000), until=9, shelf=shelf)
    assert [day for day, names in loan.open_rules.items() if names] == [5, 6, 7]


def test_a_snapshot_of_0_stays_0_until_a_later_due_is_unpaid() -> None:
    #  due 10 is unpaid for the ledger; the core says on day 20 that nothing is past due; due 30 is unpaid
    loan = journey(disbursed(), due(1, on=10), snapshot(20, days=0), due(2, on=30), until=32)
    assert loan.days(19, 20, 29, 30, 31, 32) == [9, 0, 0, 0, 1, 2]
    assert loan.arrears(19, 20, 31) == [10_000, 0, 10_000]


def test_payments_reduce_the_arrears_of_a_snapshot_and_at_0_the_ledger_speaks() -> None:
    #  20,000 stated on day 10; 5,000 on day 12; 15,000 on day 15; the ledger then knows the due of day 30 only
    loan = journey(snapshot(10, days=40, arrears=20_000), paid(12, 5_000), paid(15, 15_000), due(1, on=30), until=33)
    assert loan.days(12, 14, 15, 30, 31, 33) == [42, 44, 0, 0, 1, 3]
    assert loan.arrears(10, 12, 14, 15, 31) == [20_000, 15_000, 15_000, 0, 10_000]


def test_what_is_left_of_a_payment_after_the_stated_arrears_goes_to_the_next_due() -> None:
    #  25,000 = 20,000 of arrears + 5,000 of the due of day 30
    loan = journey(snapshot(10, days=40, arrears=20_000), paid(12, 25_000), due(1, on=30), until=31)
    assert loan.arrears(12, 31) == [0, 5_000]


def test_a_later_due_adds_to_the_arrears_that_a_snapshot_stated() -> None:
    #  20,000 stated, 10,000 due on day 30: the count goes on from the 40 days of day 10
    loan = journey(snapshot(10, days=40, arrears=20_000), due(1, on=30), until=31)
    assert loan.days(31) == [61]
    assert loan.arrears(30, 31) == [20_000, 30_000]


def test_days_without_arrears_wait_for_the_next_snapshot_whatever_is_paid() -> None:
    loan = journey(due(1, on=5), snapshot(10, days=40), paid(12, 10_000), snapshot(20, days=0), until=21)
    assert loan.days(9, 10, 12, 19, 20, 21) == [4, 40, 42, 49, 0, 0]


def test_arrears_that_nobody_told_are_unknown() -> None:
    assert journey(snapshot(0, days=25), until=1).figures[1] == (26, None, None)
    paid_up = journey(disbursed(), due(1, on=10), paid(10, 10_000), snapshot(20, days=5), until=20)
    assert paid_up.figures[20] == (5, None, 110_000)


def test_a_snapshot_of_days_alone_does_not_pay_the_arrears_stated_before() -> None:
    loan = journey(snapshot(0, days=35, arrears=25_000), paid(3, 5_000), snapshot(17, days=52), until=18)
    assert loan.arrears(16, 17, 18) == [20_000, 20_000, 20_000]
    assert loan.days(16, 17, 18) == [51, 52, 53]


def test_a_snapshot_says_what_is_outstanding_and_later_payments_lower_it() -> None:
    #  core: 90,000 on day 20; 10,000 of principal on day 30
    loan = journey(disbursed(), snapshot(20, days=0, outstanding=90_000), due(1, on=30), paid(30, 10_000), until=30)
    assert loan.outstanding(19, 20, 29, 30) == [120_000, 90_000, 90_000, 80_000]


def test_money_that_waits_for_a_due_is_inside_what_a_snapshot_says_is_outstanding() -> None:
    #  5,000 wait for the due of day 30; the core says 90,000 on day 20 with them; 5,000 more pay the due
    loan = journey(
        disbursed(), paid(10, 5_000), snapshot(20, outstanding=90_000), due(1, on=30), paid(30, 5_000), until=31
    )
    assert loan.outstanding(19, 20, 29, 31) == [115_000, 90_000, 90_000, 85_000]
    assert loan.arrears(31) == [0]


def test_arrears_stated_without_days_let_the_days_of_the_ledger_run_on() -> None:
    #  due 10 is unpaid for 10 days on day 20; 8,000 stated and paid on day 25
    loan = journey(disbursed(), due(1, on=10), snapshot(20, arrears=8_000), paid(25, 8_000), until=25)
    assert loan.days(19, 20, 24, 25) == [9, 10, 14, 0]
    assert loan.arrears(19, 20, 24, 25) == [10_000, 8_000, 8_000, 0]


def test_arrears_stated_of_a_loan_without_days_leave_its_days_unknown() -> None:
    assert journey(snapshot(20, arrears=8_000), until=21).figures[21] == (None, 8_000, None)


def test_a_snapshot_without_outstanding_leaves_what_the_ledger_knew() -> None:
    #  4,000 of 10,000 paid; the core says nothing is past due, and not how: outstanding stays 116,000
    loan = journey(disbursed(), due(1, on=10), paid(10, 4_000), snapshot(20, days=0), until=20)
    assert loan.outstanding(19, 20) == [116_000, 116_000]


def test_money_for_dues_after_a_snapshot_is_kept_for_them() -> None:
    #  25,000 paid, 10,000 due by day 20; 15,000 wait: 10,000 for day 30, 5,000 of day 40
    loan = journey(
        disbursed(), due(1, on=10), paid(10, 25_000), snapshot(20, days=0), due(2, on=30), due(3, on=40), until=41
    )
    assert loan.arrears(31, 41) == [0, 5_000]


def test_a_due_that_a_snapshot_settled_does_not_come_back_when_it_is_told_again() -> None:
    loan = journey(disbursed(), due(1, on=10), snapshot(20, days=0), due(1, on=10, amount=12_000, day=25), until=26)
    assert loan.days(25, 26) == [0, 0]
    assert loan.misses == [("missed/L1/1", 11)]


def test_the_days_of_a_snapshot_stand_still_during_a_holiday() -> None:
    #  40 on day 10, 42 on day 12; 13 to 20 are not counted; 43 on day 21
    loan = journey(snapshot(10, days=40, arrears=5_000), paused(12, 13, 20), until=21)
    assert loan.days(12, 13, 20, 21) == [42, 42, 42, 43]


def test_a_due_moved_beyond_a_snapshot_by_a_holiday_is_not_settled_by_it() -> None:
    #  due 43 moved to 51; on day 49 the core states 5,000: on day 52 the 15,000 are past due, too
    loan = journey(
        due(4, on=43, amount=15_000, day=17), paused(32, 31, 51), snapshot(49, days=7, arrears=5_000), until=52
    )
    assert loan.arrears(49, 51, 52) == [5_000, 5_000, 20_000]


def test_rescheduling_ends_what_a_snapshot_stated() -> None:
    loan = journey(snapshot(10, days=40, arrears=20_000), rescheduled(15, line(1, on=45, principal=20_000)), until=46)
    assert loan.days(14, 15, 45, 46) == [44, 0, 0, 1]
    assert loan.arrears(14, 15, 46) == [20_000, 0, 20_000]
    assert loan.outstanding(14, 15) == [None, 20_000]


def test_a_payment_reversed_after_a_snapshot_raises_its_arrears_again() -> None:
    loan = journey(snapshot(10, days=40, arrears=20_000), paid(12, 20_000, id="p1"), reversed_(15, "p1"), until=15)
    assert loan.figures[14] == (0, 0, None)
    assert loan.figures[15] == (45, 20_000, None)


def test_a_payment_reversed_from_before_a_snapshot_does_not_change_what_the_core_stated() -> None:
    loan = journey(
        disbursed(), due(1, on=10), paid(10, 10_000, id="p1"), snapshot(20, days=0, outstanding=110_000),
        reversed_(25, "p1"), until=25,
    )  # fmt: skip
    assert loan.figures[25] == (0, 0, 110_000)


def test_a_snapshot_that_arrives_late_is_rolled_on_from_its_own_date() -> None:
    #  40 on day 10, told on day 14; the payment of day 12 came after it
    loan = journey(disbursed(), paid(12, 5_000), arriving(14, snapshot(10, days=40, arrears=20_000)), until=14)
    assert loan.figures[14] == (44, 15_000, 115_000)


def test_disagreement_between_snapshot_and_ledger_is_listed() -> None:
    #  the ledger: due 10 unpaid, so 10 days and 10,000 on day 20
    loan = journey(disbursed(), due(1, on=10), snapshot(20, days=12, arrears=9_000), until=20)
    assert loan.disagreements == [("days_past_due", 12, 10), ("arrears_minor", 9_000, 10_000)]


def test_a_snapshot_that_agrees_or_meets_no_ledger_is_not_listed() -> None:
    agrees = journey(disbursed(), due(1, on=10), snapshot(20, days=10, arrears=10_000), until=20)
    first = journey(snapshot(0, days=12, arrears=9_000), until=0)
    assert agrees.disagreements == first.disagreements == []


def test_an_outstanding_amount_that_differs_is_a_disagreement_too() -> None:
    loan = journey(disbursed(), due(1, on=10), paid(10, 10_000), snapshot(20, outstanding=120_000), until=20)
    assert loan.disagreements == [("outstanding_minor", 120_000, 110_000)]


def test_a_snapshot_is_no_miss() -> None:
    loan = journey(snapshot(0, days=40, arrears=20_000), told("loan.defaulted", 1), until=3)
    assert loan.misses == []
