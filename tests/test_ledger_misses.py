"""Missed instalments, told by the core or derived, and days of material arrears."""

from decimal import Decimal
from typing import Any

import pytest

from pipeline.freezing import freeze, thaw
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.profiles import profile_of
from pipeline.zone import day_number
from rules.rule import Comparison, Measure, Name, Number, Rule
from tests.journeys import (
    DAY_0,
    Journey,
    Told,
    arriving,
    disbursed,
    due,
    journey,
    line,
    missed,
    paid,
    paused,
    rescheduled,
    reversed_,
    shelf_of,
    snapshot,
    terms_of,
)


def measuring(**measures: Measure) -> Rule:
    """A rule that never opens, so that a profile shows its measures."""
    never = Comparison("<", Name(next(iter(measures))), Number(Decimal(-1)))
    return Rule("facts", "", "live", "", "", "", "loan_id", measures, never, "low", "")


FACTS = {name: Measure(name, "now", name) for name in ("material_days", "instalments_missed", "exposure")}
WITH_FACTS = shelf_of(terms_of(), measuring(**FACTS))


def fact(name: str, *events: Told, on: int, loan_id: str = "L1", **own: Any) -> Any:
    memory = journey(*events, until=on, shelf=WITH_FACTS, **own).memory
    profile = profile_of(WITH_FACTS, Day(date=day_number(DAY_0) + on, rates=own.get("rates") or {}), memory)
    return profile["measures"]["facts"][loan_id][name]


def from_whom(by_product: dict[str, str], *events: Told) -> Journey:
    return journey(*events, until=35, shelf=shelf_of(terms_of(missed_from=by_product)))


def test_a_miss_is_derived_once_at_the_close_of_the_day_after_the_due_date() -> None:
    loan = journey(disbursed(), due(1, on=30), due(2, on=60), until=70)
    assert loan.misses == [("missed/L1/1", 31), ("missed/L1/2", 61)]


def test_a_due_paid_by_the_close_of_the_day_after_is_not_missed() -> None:
    loan = journey(disbursed(), due(1, on=30), paid(31, 10_000), until=33)
    assert loan.misses == []


def test_a_due_paid_in_part_is_missed() -> None:
    loan = journey(disbursed(), due(1, on=30), paid(30, 9_999), until=33)
    assert loan.misses == [("missed/L1/1", 31)]


def test_a_miss_stays_when_its_due_is_paid_later() -> None:
    loan = journey(disbursed(), due(1, on=30), paid(40, 10_000), paid(41, 1, id="p1"), reversed_(42, "p1"), until=45)
    assert loan.misses == [("missed/L1/1", 31)]


def test_a_payment_in_time_that_arrives_late_shows_that_nothing_was_missed() -> None:
    #  due 30      close of 31: unpaid, so missed      day 33: a payment of day 31 arrives
    told = (disbursed(), due(1, on=30), arriving(33, paid(31, 10_000)))
    assert journey(*told, until=32).misses == [("missed/L1/1", 31)]
    assert journey(*told, until=40).misses == []


def test_a_late_payment_of_after_the_close_that_saw_the_miss_leaves_it() -> None:
    assert journey(disbursed(), due(1, on=30), arriving(35, paid(32, 10_000)), until=40).misses == [("missed/L1/1", 31)]


def test_a_reversal_of_the_payment_that_took_a_miss_back_brings_it_back_on_its_day() -> None:
    told = (disbursed(), due(1, on=30), arriving(33, paid(31, 10_000, id="p1")), reversed_(36, "p1"))
    assert journey(*told, until=40).misses == [("missed/L1/1", 31)]


def test_a_holiday_told_late_takes_back_the_miss_inside_it() -> None:
    # The due of day 30 moves to day 35; it is unpaid at the close of day 36.
    told = (disbursed(), due(1, on=30), arriving(33, paused(29, 29, 35)))
    assert journey(*told, until=35).misses == []
    assert journey(*told, until=37).misses == [("missed/L1/1", 36)]


def test_where_the_engine_was_wrong_the_miss_that_the_core_told_counts() -> None:
    told = (disbursed(), due(1, on=30), missed(32, 1, id="m1"), arriving(33, paid(31, 10_000)))
    assert journey(*told[:3], until=40).misses == [("missed/L1/1", 31)]
    assert journey(*told, until=40).misses == [("m1", 32)]


def test_no_miss_is_derived_from_the_silence_of_a_missing_feed() -> None:
    #  due 30      close of 31: the feed is missing      close of 32: it is there, and nothing was paid
    told = (disbursed(), due(1, on=30))
    assert journey(*told, until=31, missing={31: {"repayment"}}).misses == []
    assert journey(*told, until=33, missing={31: {"repayment"}}).misses == [("missed/L1/1", 32)]
    paid_in_time = arriving(32, paid(31, 10_000))
    assert journey(*told, paid_in_time, until=33, missing={31: {"repayment"}}).misses == []
    # What was paid on day 32 was missed, though its miss was seen a day late and the payment comes later still.
    too_late = arriving(33, paid(32, 10_000))
    assert journey(*told, too_late, until=34, missing={31: {"repayment"}}).misses == [("missed/L1/1", 32)]


@pytest.mark.parametrize(("day", "kept"), [(31, [("m1", 31)]), (30, [("m1", 30)]), (33, [("missed/L1/1", 31)])])
def test_the_miss_that_the_core_tells_is_the_same_miss_whichever_comes_first(
    day: int, kept: list[tuple[str, int]]
) -> None:
    loan = journey(disbursed(), due(1, on=30), missed(day, 1, id="m1"), until=35)
    assert loan.misses == kept


def test_a_miss_that_the_core_tells_without_an_instalment_is_its_own() -> None:
    loan = journey(disbursed(), due(1, on=30), missed(33, id="m1"), until=35)
    assert loan.misses == [("missed/L1/1", 31), ("m1", 33)]


def test_each_product_says_who_tells_of_its_misses() -> None:
    by_product = {"": "both", "card": "core", "mortgage": "engine"}
    told = (due(1, on=30), missed(33, 2, id="m2"))
    assert from_whom(by_product, disbursed(product="card"), *told).misses == [("m2", 33)]
    assert from_whom(by_product, disbursed(product="mortgage"), *told).misses == [("missed/L1/1", 31)]
    assert from_whom(by_product, disbursed(product="car"), *told).misses == [("missed/L1/1", 31), ("m2", 33)]


def test_where_the_engine_tells_a_core_miss_counts_for_nothing_even_as_the_first_event() -> None:
    assert from_whom({"": "engine"}, missed(0, 1), disbursed(1), due(1, on=30)).misses == [("missed/L1/1", 31)]


def test_a_core_miss_of_before_a_rescheduling_is_still_the_same_miss() -> None:
    events = (disbursed(), due(1, on=30), rescheduled(40, line(1, on=70, principal=10_000)))
    loan = journey(*events, missed(31, 1) | {"arrives": 42}, until=45)
    assert loan.misses == [("missed/L1/1", 31)]


def test_after_a_rescheduling_instalments_may_be_missed_anew() -> None:
    loan = journey(disbursed(), due(1, on=30), rescheduled(40, line(1, on=70, principal=10_000)), until=75)
    assert loan.misses == [("missed/L1/1", 31), ("missed/L1/1", 71)]


def test_a_core_miss_that_a_late_rescheduling_gives_to_the_new_schedule_counts_once_however_often_told() -> None:
    # Told on day 33 it is the derived miss of day 31 once more. The rescheduling, dated 32, comes on day 40: now day 33
    # lies under the new schedule, whose instalment 1 it tells of.
    miss = missed(33, 1, id="m1", second=0)
    told = (disbursed(), due(1, on=30), miss, rescheduled(32, line(1, on=70, principal=10_000)) | {"arrives": 40})
    assert journey(*told[:3], until=39).misses == [("missed/L1/1", 31)]
    assert journey(*told, arriving(41, miss), until=45).misses == [("missed/L1/1", 31), ("m1", 33)]


def test_instalments_missed_counts_what_is_past_due_and_unpaid_now() -> None:
    told = (disbursed(), due(1, on=10), due(2, on=20), due(3, on=30), paid(35, 15_000))
    assert fact("instalments_missed", *told, on=20) == 1
    assert fact("instalments_missed", *told, on=31) == 3
    assert fact("instalments_missed", *told, on=35) == 2  # 15,000 pay the first and half of the second


#  material days, limits as shipped: above 100.00 (retail) or 500.00 (corporate), and above 1 % of the exposure


def test_material_days_of_a_retail_loan_count_while_arrears_exceed_both_limits() -> None:
    #  exposure 500,000, its hundredth 5,000. Day 31: 10,000 is not above 10,000. Day 61: 20,000 is.
    told = [disbursed(principal=500_000, segment="retail"), due(1, on=30), due(2, on=60)]
    assert [fact("material_days", *told, on=day) for day in (31, 60, 61, 65)] == [0, 0, 1, 5]


def test_the_first_material_day_is_remembered_where_nothing_else_of_the_loan_moved_on_it() -> None:
    #  The core tells of misses, and tells of none: on day 61 the ledger changes by the count of days alone.
    def crash(memory: Memory) -> Memory:
        return thaw(memory.borrower_id, *freeze(memory))

    told = [disbursed(principal=500_000), due(1, on=30), due(2, on=60)]
    shelf = shelf_of(terms_of(missed_from={"": "core"}))
    loan = journey(*told, until=65, shelf=shelf, between=crash).memory.head.loans["L1"]
    assert loan.material_since == day_number(DAY_0) + 61


def test_material_days_start_again_after_arrears_fell_to_a_limit() -> None:
    #  20,000 from day 61, 10,000 again on day 66, 20,000 from day 91
    told = [disbursed(principal=500_000), due(1, on=30), due(2, on=60), paid(66, 10_000), due(3, on=90)]
    assert [fact("material_days", *told, on=day) for day in (65, 66, 90, 91, 92)] == [5, 0, 0, 1, 2]


RETAIL = disbursed(0, 1_000_000, segment="retail")  # arrears above 100.00 (1 % of the exposure) are material


def test_a_late_payment_that_ended_material_arrears_starts_their_days_again() -> None:
    #  due 0 and due 3, 150.00 each       in arrears: 1, then not, then from 4 on
    told = (RETAIL, due(1, on=0, amount=15_000), due(2, on=3, amount=15_000, day=0))
    assert fact("material_days", *told, paid(2, 15_000), on=6) == 3
    assert fact("material_days", *told, arriving(5, paid(2, 15_000)), on=6) == 3


def test_a_due_told_late_and_a_payment_reversed_were_material_all_along() -> None:
    told = (RETAIL, arriving(5, due(1, on=0, amount=15_000)))
    assert fact("material_days", *told, on=6) == 6
    told = (RETAIL, due(1, on=0, amount=15_000), paid(0, 15_000, id="p1"), reversed_(5, "p1"))
    assert fact("material_days", *told, on=6) == 6


def test_what_comes_late_keeps_the_material_days_before_it() -> None:
    told = (RETAIL, due(1, on=0, amount=30_000), arriving(8, paid(6, 1_000)))
    assert fact("material_days", *told, on=9) == 9


def test_the_first_material_day_stands_where_what_is_owed_was_unknown_when_late_news_begins() -> None:
    #  In arrears from day 1. The core states the days of day 3 and no sum: after the payment of day 4 nobody knows it.
    told = (RETAIL, due(1, on=0, amount=15_000), snapshot(3, days=3, outstanding=0), paid(4, 15_000))
    late = arriving(10, due(2, on=60, day=6, amount=5_000))
    timely, untimely = (journey(*told, *each, until=12, shelf=WITH_FACTS) for each in ((), (late,)))
    assert untimely.figures[12].arrears is None
    assert [each.memory.head.loans["L1"].material_since for each in (timely, untimely)] == [day_number(DAY_0) + 1] * 2


def test_a_late_payment_on_one_loan_of_a_corporate_borrower_counts_for_all_of_them() -> None:
    #  Two loans, 300.00 past due each from day 1 on: above 500.00 together, until one is paid on day 4.
    told = [
        each
        for loan in ("L1", "L2")
        for each in (
            disbursed(0, 1_000_000, segment="corporate", loan_id=loan),
            due(1, on=0, amount=30_000, loan_id=loan),
        )
    ]
    again = due(2, on=5, amount=30_000, loan_id="L2", day=0)
    late = arriving(7, paid(4, 30_000, loan_id="L2"))
    assert fact("material_days", *told, again, on=6) == 6
    assert fact("material_days", *told, again, late, on=7) == 2  # past due again from day 6 on


def test_arrears_of_one_hundredth_of_the_exposure_are_not_material() -> None:
    #  20,000 are above 10,000, but not above a hundredth of 2,000,000; one unit of money less owed, and they are
    told = [due(1, on=30), due(2, on=60)]
    assert fact("material_days", disbursed(principal=2_000_000), *told, on=65) == 0
    assert fact("material_days", disbursed(principal=1_999_999), *told, on=65) == 5


def test_arrears_of_a_corporate_borrower_are_added_over_its_loans() -> None:
    #  30,000 each on two loans: 60,000 are above 50,000 and above a hundredth of 2,000,000
    told = [
        disbursed(principal=1_000_000, segment="corporate"), due(1, on=30, amount=30_000),
        disbursed(principal=1_000_000, segment="corporate", loan_id="L2"),
        due(1, on=40, amount=30_000, day=0, loan_id="L2"),
    ]  # fmt: skip
    assert [fact("material_days", *told, on=day) for day in (31, 40, 41, 45)] == [0, 0, 1, 5]
    assert fact("material_days", *told, on=45, loan_id="L2") == 5


def test_the_days_of_a_corporate_borrower_go_on_when_another_of_its_loans_is_past_due() -> None:
    #  600.00 past due on L1 from day 1 on, paid on day 20; as much on L2, which began on day 10, from day 11 on.
    told = [
        disbursed(0, 1_000_000, segment="corporate"),
        due(1, on=0, amount=60_000),
        disbursed(10, 1_000_000, segment="corporate", loan_id="L2"),
        due(1, on=10, amount=60_000, loan_id="L2"),
        paid(20, 60_000),
    ]
    assert [fact("material_days", *told, on=day, loan_id="L2") for day in (10, 11, 19, 25)] == [10, 11, 19, 25]
    late = arriving(23, paid(22, 60_000, loan_id="L2"))
    assert fact("material_days", *told, late, on=25, loan_id="L2") == 0


def test_arrears_of_a_retail_borrower_are_judged_loan_by_loan() -> None:
    #  8,000 each on two loans: neither is above 10,000
    told = [
        disbursed(principal=100_000), due(1, on=30, amount=8_000),
        disbursed(principal=100_000, loan_id="L2"), due(1, on=30, amount=8_000, loan_id="L2"),
    ]  # fmt: skip
    assert fact("material_days", *told, on=45) == 0


def test_material_days_of_a_loan_without_due_or_snapshot_are_unknown() -> None:
    assert fact("material_days", disbursed(), on=5) is None


def test_a_miss_that_gave_way_does_not_come_back_when_the_one_that_counted_grows_too_old() -> None:
    # m2 tells once more of the miss m1; on day 425 m1 is no longer kept, and m2 still does not count.
    loan = journey(disbursed(), missed(0, 1, id="m1"), missed(30, 1, id="m2"), missed(425, 2, id="m3"), until=426)
    assert loan.misses == [("m3", 425)]
