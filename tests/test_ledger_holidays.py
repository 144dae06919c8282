"""Payment holidays in every position to a due date."""

from tests.journeys import (
    at_least,
    disbursed,
    due,
    journey,
    line,
    paid,
    paused,
    rescheduled,
    shelf_of,
    terms_of,
)


def test_a_holiday_moves_a_due_inside_to_its_last_day() -> None:
    #  holiday  |25 ─────── due 30 ──────── 45|46
    loan = journey(disbursed(), due(1, on=30, day=0), paused(20, 25, 45), until=47)
    assert loan.days(30, 31, 45, 46, 47) == [0, 0, 0, 1, 2]
    assert loan.arrears(31, 45, 46) == [0, 0, 10_000]
    assert loan.misses == [("missed/L1/1", 46)]


def test_a_due_on_the_first_day_of_a_holiday_moves_and_one_on_its_last_day_stays() -> None:
    first = journey(disbursed(), due(1, on=30, day=0), paused(20, 30, 40), until=41)
    last = journey(disbursed(), due(1, on=30, day=0), paused(20, 20, 30), until=32)
    assert first.days(31, 40, 41) == [0, 0, 1]
    assert first.arrears(31, 40, 41) == [0, 0, 10_000]
    assert last.days(30, 31, 32) == [0, 1, 2]


def test_days_past_due_stand_still_during_a_holiday() -> None:
    #  due 30: 4 days by day 34; days 35 to 40 are not counted; 5 on day 41
    loan = journey(disbursed(), due(1, on=30), paused(34, 35, 40), until=42)
    assert loan.days(34, 35, 40, 41, 42) == [4, 4, 4, 5, 6]
    assert loan.arrears(35, 40) == [10_000, 10_000]
    assert loan.misses == [("missed/L1/1", 31)]


def test_no_miss_is_derived_while_a_holiday_runs_that_began_after_the_due_date() -> None:
    #  due 30, holiday 31 to 40: the count stands at 0, the miss follows at the close of day 41
    loan = journey(disbursed(), due(1, on=30), paused(29, 31, 40), until=42)
    assert loan.days(31, 40, 41) == [0, 0, 1]
    assert loan.misses == [("missed/L1/1", 41)]


def test_a_holiday_over_before_the_due_date_changes_nothing() -> None:
    loan = journey(disbursed(), due(1, on=30), paused(5, 10, 29), until=32)
    assert loan.days(30, 31, 32) == [0, 1, 2]


def test_a_holiday_told_afterwards_takes_its_days_out_of_the_count() -> None:
    #  due 30; on day 40 a holiday from 31 to 50 is told: 9 days on 39, none counted on 40, 1 on day 51
    loan = journey(disbursed(), due(1, on=30), paused(40, 31, 50), until=51)
    assert loan.days(39, 40, 50, 51) == [9, 0, 0, 1]


def test_a_due_moved_into_another_holiday_moves_on_to_its_end() -> None:
    #  30 is in the holiday of 25 to 35, and 35 in that of 33 to 50
    loan = journey(disbursed(), due(1, on=30, day=0), paused(20, 25, 35), paused(21, 33, 50), until=51)
    assert loan.days(36, 50, 51) == [0, 0, 1]
    assert loan.arrears(50, 51) == [0, 10_000]


def test_a_rule_sees_the_count_go_on_after_a_holiday_without_any_event() -> None:
    #  due 30: 4 days by day 34, still 4 on day 40, 5 on day 41
    shelf = shelf_of(terms_of(), at_least("later", "days_past_due", 5))
    loan = journey(disbursed(), due(1, on=30), paused(34, 35, 40), until=42, shelf=shelf)
    assert [day for day, names in loan.open_rules.items() if names] == [41, 42]


def test_days_inside_two_holidays_are_left_out_once() -> None:
    #  due 20: 4 days by 24; 25 to 50 are not counted, 33 to 35 not twice; 5 on day 51
    loan = journey(disbursed(), due(1, on=20), paused(20, 25, 35), paused(21, 33, 50), until=51)
    assert loan.days(24, 25, 50, 51) == [4, 4, 4, 5]


def test_a_holiday_that_follows_another_does_not_move_a_due_again() -> None:
    #  30 moves to 35, the day before the next holiday: past due on 36, while the count stands still
    loan = journey(disbursed(), due(1, on=30, day=0), paused(20, 25, 35), paused(21, 36, 50), until=51)
    assert loan.arrears(35, 36) == [0, 10_000]
    assert loan.days(36, 50, 51) == [0, 0, 1]


def test_a_due_moved_by_a_holiday_is_no_past_due_at_a_rescheduling() -> None:
    #  5,000 paid on day 32 for the due that moved from 30 to 50; nothing is past due on day 40: all of it is surplus
    loan = journey(
        disbursed(), due(1, on=30, day=0), paused(20, 25, 50), paid(32, 5_000),
        rescheduled(40, line(1, on=70, principal=20_000)), until=40,
    )  # fmt: skip
    assert loan.outstanding(40) == [15_000]
