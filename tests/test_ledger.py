"""What a loan owes: dues, payments, rescheduling, settlement, reversals and what comes late."""

import pytest

from pipeline.look import Day
from pipeline.profiles import profile_of
from pipeline.zone import day_number
from tests.journeys import (
    DAY_0,
    PLAIN,
    arriving,
    disbursed,
    due,
    journey,
    line,
    paid,
    rescheduled,
    reversed_,
    shelf_of,
    snapshot,
    terms_of,
    told,
)


def test_days_past_due_are_0_on_the_due_date_and_1_on_the_day_after() -> None:
    #  day 29   30        31
    #       ────due───────┼──── unpaid
    loan = journey(disbursed(), due(1, on=30, day=0), until=32)
    assert loan.days(29, 30, 31, 32) == [0, 0, 1, 2]
    assert loan.arrears(29, 30, 31, 32) == [0, 0, 10_000, 10_000]


def test_the_profile_shows_what_the_ledger_says() -> None:
    loan = journey(disbursed(), due(1, on=30), paid(31, 4_000), until=33)
    profile = profile_of(PLAIN, Day(date=day_number(DAY_0) + 33), loan.memory)
    assert (profile["exposure_minor"], profile["arrears_minor"]) == (116_000, 6_000)
    assert [(each["days_past_due"], each["arrears_minor"], each["outstanding_minor"], each["bucket"])
            for each in profile["loans"]] == [(3, 6_000, 116_000, "1-30")]  # fmt: skip


def test_a_payment_goes_to_the_oldest_unpaid_due_first() -> None:
    #  10,000 due on 30 and on 60; the 10,000 of day 62 pay the one of day 30, so the oldest unpaid is now day 60
    loan = journey(disbursed(), due(1, on=30), due(2, on=60), paid(62, 10_000), until=62)
    assert loan.days(61, 62) == [31, 2]
    assert loan.arrears(60, 61, 62) == [10_000, 20_000, 10_000]


def test_a_payment_settles_the_fee_then_the_interest_then_the_principal() -> None:
    #  due: fee 1,000, interest 2,000, principal 7,000
    #  2,500 = fee 1,000 + interest 1,500; then 1,500 = interest 500 + principal 1,000
    schedule = [line(1, on=30, principal=7_000, interest=2_000, fee=1_000)]
    loan = journey(disbursed(principal=70_000, schedule=schedule), paid(30, 2_500), paid(31, 1_500), until=31)
    assert loan.outstanding(29, 30, 31) == [70_000, 70_000, 69_000]
    assert loan.arrears(31) == [6_000]


def test_a_bank_may_settle_the_principal_first() -> None:
    #  2,500 of the principal 7,000
    schedule = [line(1, on=30, principal=7_000, interest=2_000, fee=1_000)]
    shelf = shelf_of(terms_of(allocation=("principal", "interest", "fee")))
    loan = journey(disbursed(principal=70_000, schedule=schedule), paid(30, 2_500), until=30, shelf=shelf)
    assert loan.outstanding(30) == [67_500]


def test_surplus_of_a_payment_goes_to_the_next_due() -> None:
    #  15,000 on day 30: 10,000 for the due of 30, 5,000 wait for the due of 60 and already lower what is outstanding
    loan = journey(disbursed(), due(1, on=30), paid(30, 15_000), due(2, on=60), until=61)
    assert loan.outstanding(30, 61) == [105_000, 105_000]
    assert loan.days(60, 61) == [0, 1]
    assert loan.arrears(60, 61) == [0, 5_000]


def test_more_money_than_the_loan_leaves_nothing_outstanding() -> None:
    loan = journey(disbursed(principal=20_000), due(1, on=30), paid(30, 25_000), due(2, on=60), until=61)
    assert loan.outstanding(29, 30, 61) == [20_000, 0, 0]
    assert loan.days(61) == [0]


def test_an_instalment_stays_past_due_until_its_last_part_is_paid() -> None:
    loan = journey(disbursed(), due(1, on=30), paid(31, 4_000), paid(33, 5_999), paid(34, 1), until=35)
    assert loan.days(30, 31, 32, 33, 34) == [0, 1, 2, 3, 0]
    assert loan.arrears(30, 31, 32, 33, 34) == [0, 6_000, 6_000, 1, 0]


def test_instalments_may_be_told_out_of_order() -> None:
    #  told: 3 (day 50), 1 (day 10), 2 (day 30); 10,000 pay instalment 1, so 2 is the oldest unpaid on day 35
    loan = journey(
        disbursed(), due(3, on=50, day=0), due(1, on=10, day=1), due(2, on=30, day=2), paid(10, 10_000), until=35
    )
    assert loan.days(10, 30, 35) == [0, 0, 5]
    assert loan.misses == [("missed/L1/2", 31)]


def test_an_instalment_told_late_gets_the_money_of_a_younger_one() -> None:
    #  paid 10,000 for instalment 2 (day 20); on day 25 instalment 1 of day 10 is told: it is older and takes the money
    loan = journey(disbursed(), due(2, on=20), paid(20, 10_000), due(1, on=10, day=25), until=25)
    assert loan.days(24, 25) == [0, 5]
    assert loan.arrears(24, 25) == [0, 10_000]


def test_the_same_instalment_again_replaces_its_amount_and_date() -> None:
    #  instalment 1: 10,000 on day 30, told again on day 20 as 8,000 on day 40
    loan = journey(disbursed(), due(1, on=30, day=0), due(1, on=40, amount=8_000, day=20), until=42)
    assert loan.days(31, 40, 41, 42) == [0, 0, 1, 2]
    assert loan.arrears(31, 41) == [0, 8_000]


def test_a_due_of_a_known_schedule_keeps_its_fee_and_interest() -> None:
    #  scheduled: fee 1,000, interest 2,000, principal 7,000; told as 12,000: principal 9,000
    schedule = [line(1, on=30, principal=7_000, interest=2_000, fee=1_000)]
    loan = journey(
        disbursed(principal=70_000, schedule=schedule), due(1, on=30, amount=12_000), paid(30, 12_000), until=30
    )
    assert loan.outstanding(30) == [61_000]


def test_rescheduling_ends_what_was_past_due_and_starts_the_new_schedule() -> None:
    new = [line(1, on=70, principal=60_000, interest=500), line(2, on=100, principal=61_000)]
    loan = journey(disbursed(), due(1, on=30), due(2, on=60, day=0), rescheduled(40, *new), until=72)
    assert loan.days(39, 40, 61, 70, 71, 72) == [9, 0, 0, 0, 1, 2]
    assert loan.arrears(39, 40, 61, 71) == [10_000, 0, 0, 60_500]
    assert loan.outstanding(39, 40) == [120_000, 121_000]


def test_money_beyond_the_past_dues_goes_into_the_new_schedule() -> None:
    #  15,000 paid, 10,000 due by day 40: 5,000 go to the first new instalment of 20,000
    loan = journey(
        disbursed(), due(1, on=30), paid(30, 15_000), rescheduled(40, line(1, on=70, principal=20_000)), until=71
    )
    assert loan.outstanding(40) == [15_000]
    assert loan.arrears(71) == [15_000]


def test_an_early_settlement_ends_the_loan_without_the_interest_to_come() -> None:
    #  day 30: fee 0, interest 2,000, principal 10,000 due; on day 40 the 2,000 and all 20,000 of principal settle it
    schedule = [line(n, on=30 * n, principal=10_000, interest=2_000) for n in (1, 2)]
    loan = journey(disbursed(principal=20_000, schedule=schedule), paid(40, 22_000, kind="early"), until=61)
    assert loan.days(39, 40, 61) == [9, 0, 0]
    assert loan.arrears(40, 61) == [0, 0]
    assert loan.outstanding(39, 40, 61) == [20_000, 0, 0]


def test_charges_that_were_paid_are_not_asked_again_by_an_early_settlement() -> None:
    #  5,000 of day 30 = interest 2,000 + principal 3,000: 17,000 are left, and no interest is owed on day 40
    schedule = [line(n, on=30 * n, principal=10_000, interest=2_000) for n in (1, 2)]
    loan = journey(
        disbursed(principal=20_000, schedule=schedule), paid(30, 5_000), paid(40, 17_000, kind="early"), until=61
    )
    assert loan.arrears(39, 40, 61) == [7_000, 0, 0]


def test_too_little_for_an_early_settlement_is_a_payment_like_any_other() -> None:
    #  21,999 of 22,000: 12,000 for the due of day 30, 9,999 wait for the 12,000 of day 60
    schedule = [line(n, on=30 * n, principal=10_000, interest=2_000) for n in (1, 2)]
    loan = journey(disbursed(principal=20_000, schedule=schedule), paid(40, 21_999, kind="early"), until=61)
    assert loan.days(40, 61) == [0, 1]
    assert loan.arrears(61) == [2_001]


def test_a_loan_written_off_owes_nothing_and_misses_nothing_any_more() -> None:
    loan = journey(disbursed(), due(1, on=30, day=0), due(2, on=60, day=0), told("loan.written_off", 50), until=65)
    assert loan.figures[49] == (19, 10_000, 120_000)
    assert loan.figures[50] == loan.figures[65] == (0, 0, 0)
    assert loan.misses == [("missed/L1/1", 31)]


def test_a_closed_loan_owes_nothing_whatever_comes_later() -> None:
    loan = journey(disbursed(), due(1, on=30), told("loan.closed", 40), snapshot(45, days=9, arrears=5), until=46)
    assert loan.figures[40] == loan.figures[46] == (0, 0, 0)


def test_a_payment_that_arrives_late_counts_on_its_own_day() -> None:
    #  paid on day 30, told on day 35: from then on nobody was ever late; the closings before stay as they were
    loan = journey(disbursed(), due(1, on=30), arriving(35, paid(30, 10_000)), until=36)
    assert loan.days(31, 34, 35, 36) == [1, 4, 0, 0]


def test_an_event_of_a_later_date_waits_for_its_day() -> None:
    loan = journey(disbursed(), due(1, on=30), arriving(29, paid(33, 10_000)), until=34)
    assert loan.days(31, 32, 33) == [1, 2, 0]


def test_a_payment_for_an_unknown_loan_is_counted_when_the_loan_comes_within_seven_days() -> None:
    loan = journey(paid(0, 4_000), arriving(7, disbursed(0)), arriving(7, due(1, on=5, day=0)), until=8)
    assert loan.outstanding(6, 7) == [None, 116_000]
    assert loan.arrears(7) == [6_000]
    assert loan.dead_letters == []


def test_a_payment_for_an_unknown_loan_is_given_up_at_the_close_of_the_seventh_day() -> None:
    loan = journey(paid(0, 4_000), arriving(8, disbursed(0)), until=9)
    assert loan.dead_letters == [(7, "bad_field")]
    assert loan.outstanding(8) == [120_000]


def test_a_reversed_payment_never_was() -> None:
    #  paid on day 30, taken back on day 35: past due since day 30
    loan = journey(disbursed(), due(1, on=30), paid(30, 10_000, id="p1"), reversed_(35, "p1"), until=35)
    assert loan.days(34, 35) == [0, 5]
    assert loan.outstanding(34, 35) == [110_000, 120_000]
    assert loan.misses == [("missed/L1/1", 35)]


def test_a_reversal_may_come_before_its_payment() -> None:
    loan = journey(disbursed(), due(1, on=10), reversed_(10, "p1"), arriving(17, paid(10, 10_000, id="p1")), until=18)
    assert loan.days(17, 18) == [7, 8]
    assert loan.dead_letters == []


def test_a_reversal_without_its_payment_is_given_up_at_the_close_of_the_seventh_day() -> None:
    #  the payment comes on day 18, a day too late for the reversal: it stands
    loan = journey(disbursed(), due(1, on=10), reversed_(10, "p1"), arriving(18, paid(10, 10_000, id="p1")), until=18)
    assert loan.dead_letters == [(17, "unmatched_reversal")]
    assert loan.days(17, 18) == [7, 0]


def test_the_seven_days_of_a_reversal_do_not_start_again_with_its_loan() -> None:
    loan = journey(reversed_(3, "p1"), disbursed(8), arriving(11, paid(3, 10_000, id="p1")), until=12)
    assert loan.dead_letters == [(10, "unmatched_reversal")]
    assert loan.outstanding(11) == [110_000]


def test_a_reversal_finds_a_payment_that_itself_waits_for_its_loan() -> None:
    loan = journey(paid(0, 4_000, id="p1"), reversed_(1, "p1"), disbursed(2), until=9)
    assert loan.outstanding(2, 9) == [120_000, 120_000]
    assert loan.dead_letters == []


def test_only_a_payment_can_be_reversed() -> None:
    loan = journey(disbursed(id="d1"), reversed_(1, "d1"), until=8)
    assert loan.outstanding(8) == [120_000]
    assert loan.dead_letters == [(8, "unmatched_reversal")]


@pytest.mark.parametrize("first", ["payment", "reversal"])
def test_a_payment_that_was_taken_back_stays_so_when_it_is_given_again(first: str) -> None:
    payment, reversal = paid(10, 10_000, id="p1", second=0), reversed_(10, "p1")
    told = [payment, reversal] if first == "payment" else [reversal, payment]
    loan = journey(disbursed(), due(1, on=10), *told, arriving(12, payment), until=20)
    assert loan.days(11, 12) == [1, 2]
    assert loan.dead_letters == []


def test_a_payment_taken_back_before_its_loan_was_known_stays_so_when_both_are_given_again() -> None:
    payment, reversal = paid(0, 4_000, id="p1", second=0), reversed_(1, "p1", id="r1", second=1)
    loan = journey(payment, reversal, disbursed(2), arriving(3, payment), arriving(3, reversal), until=12)
    assert loan.outstanding(2, 12) == [120_000, 120_000]
    assert loan.dead_letters == []


def test_two_reversals_take_a_payment_back_once() -> None:
    loan = journey(
        disbursed(), paid(10, 5_000, id="p1"), paid(11, 5_000), reversed_(12, "p1"), reversed_(12, "p1"), until=20
    )
    assert loan.outstanding(11, 12, 20) == [110_000, 115_000, 115_000]


def test_a_loan_with_neither_due_nor_snapshot_is_unknown() -> None:
    loan = journey(disbursed(), paid(5, 10_000), told("loan.classified", 6, **{"class": "pass"}), until=7)
    assert loan.figures[7] == (None, None, 110_000)
    assert journey(told("loan.classified", 0), until=0).figures[0] == (None, None, None)


def test_two_loans_of_a_borrower_do_not_touch_each_other() -> None:
    loan = journey(
        disbursed(), due(1, on=10), disbursed(loan_id="L2"), due(1, on=10, loan_id="L2"),
        paid(12, 10_000, loan_id="L2"), until=12,
    )  # fmt: skip
    assert loan.figures[12] == (2, 10_000, 120_000)
