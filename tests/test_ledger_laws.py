"""The ledger equals a slow one for any journey; order of arrival, repeats and freezing change nothing."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.decisions import line
from pipeline.freezing import freeze, thaw
from pipeline.shelf import CompiledShelf
from tests.journeys import (
    DAY_0,
    PLAIN,
    Between,
    Figures,
    Journey,
    as_record,
    at_least,
    decoded,
    run,
    shelf_of,
    terms_of,
)
from tests.oracles.ledger_oracle import Closing, Oracle
from tests.oracles.loan_journeys import LAST_DAY, journeys, stretched

Told = dict[str, Any]
Arriving = list[tuple[int, Told]]  # day of arrival, record
SEEDS = st.integers(0, 2**32)
A_TENTH = settings(max_examples=settings.default.max_examples // 10)
A_FEW = settings(max_examples=settings.default.max_examples // 50)
LEAST = (
    ("late", "days_past_due", 1), ("later", "days_past_due", 9), ("owing", "arrears", 1), ("lent", "outstanding", 2),
)  # fmt: skip
WATCHED = shelf_of(terms_of(), *(at_least(*each) for each in LEAST))
STRICT = shelf_of(
    terms_of(retail_limit_minor=99, other_limit_minor=99, exposure_limit_ppm=1)
)  # arrears of 1.00 and more
STRETCH = 12  # 60 days become 720: longer than events are kept one by one


@given(journeys())
def test_the_ledger_says_what_the_slow_one_says_at_every_close(events: list[Told]) -> None:
    compare(in_order_of_arrival(events), LAST_DAY)


@A_FEW
@given(journeys())
def test_the_ledger_says_the_same_after_it_has_let_old_events_go(events: list[Told]) -> None:
    compare(in_order_of_arrival(stretched(events, STRETCH)), LAST_DAY * STRETCH)


@A_TENTH
@given(journeys(), SEEDS)
def test_freeze_and_thaw_anywhere_change_nothing(events: list[Told], seed: int) -> None:
    arrivals = in_order_of_arrival(events)
    assert outcome(arrivals, between=now_and_then_thawed(seed)) == outcome(arrivals)


@A_TENTH
@given(journeys(), SEEDS)
def test_giving_events_twice_changes_nothing(events: list[Told], seed: int) -> None:
    arrivals = in_order_of_arrival(events)
    assert outcome(with_repeats(arrivals, Random(seed))) == outcome(arrivals)


@A_TENTH
@given(journeys(), SEEDS)
def test_the_order_of_arrival_within_a_day_changes_no_closing_of_that_day(events: list[Told], seed: int) -> None:
    arrivals = in_order_of_arrival(events)
    one, other = told(arrivals), told(Random(seed).sample(arrivals, len(arrivals)))
    assert one.figures == other.figures
    assert sorted(one.misses) == sorted(other.misses)
    assert sorted(one.dead_letters) == sorted(other.dead_letters)


@given(journeys())
def test_what_comes_late_leaves_the_material_days_that_it_would_have_had_in_time(events: list[Told]) -> None:
    late, timely = (told(in_order_of_arrival(each), shelf=STRICT) for each in (events, in_time(events)))
    if not late.dead_letters and not timely.dead_letters and late.figures[LAST_DAY] == timely.figures[LAST_DAY]:
        assert material_since(late) == material_since(timely)


@A_TENTH
@given(journeys())
def test_a_rule_over_the_ledger_is_open_at_a_close_exactly_when_the_slow_ledger_says_so(events: list[Told]) -> None:
    arrivals = in_order_of_arrival(events)
    closings, _ = slowly(arrivals, LAST_DAY)
    for day, open_rules in told(arrivals, shelf=WATCHED).open_rules.items():
        for name, fact, least in LEAST:
            value = getattr(closings[day], fact)
            if value is not None:  # what is unknown neither opens nor closes
                assert (name in open_rules) == (value >= least), f"{name} on day {day}"


def test_the_slow_ledger_sees_a_ledger_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    #  One minor unit too much of one payment: the comparison itself must notice.
    received = {"type": "repayment.received", "id": "p0", "day": 30, "arrives": 30, "amount_minor": 100}
    due = {"type": "repayment.due", "id": "e0", "day": 0, "arrives": 0, "instalment": 1, "due_on": "2025-01-31"}
    both = {"source": "core", "borrower_id": "B1", "loan_id": "L1"}
    arrivals = in_order_of_arrival([due | both | {"amount_minor": 101}, received | both])
    compare(arrivals, 40)
    monkeypatch.setattr(Oracle, "arrive", paying_one_more(Oracle.arrive))
    with pytest.raises(AssertionError, match="day 31"):
        compare(arrivals, 40)


def paying_one_more(arrive: Callable[[Oracle, Told], None]) -> Callable[[Oracle, Told], None]:
    def more(oracle: Oracle, event: Told) -> None:
        extra = 1 if event["type"] == "repayment.received" else 0
        arrive(oracle, event | {"amount_minor": event["amount_minor"] + extra})

    return more


def compare(arrivals: Arriving, until: int) -> None:
    journey = told(arrivals, until)
    closings, misses = slowly(arrivals, until)
    for day, figures in journey.figures.items():
        assert in_decimals(figures) == closings[day], f"day {day}"
    derived = [(miss, day) for miss, day in journey.misses if miss.startswith("missed/")]
    if until <= LAST_DAY:  # misses are kept 400 days
        assert sorted(derived) == sorted(misses)


def in_order_of_arrival(events: list[Told]) -> Arriving:
    arriving = [(event["arrives"], as_record(event, n)) for n, event in enumerate(events)]
    return sorted(arriving, key=lambda each: each[0])


def in_time(events: list[Told]) -> list[Told]:
    """The same events, each on its own day and in the order of their instants."""
    numbered = [
        event | {"id": event.get("id", f"e{n}"), "second": event.get("second", n)} for n, event in enumerate(events)
    ]
    return sorted(
        ({**each, "arrives": each["day"]} for each in numbered), key=lambda each: (each["day"], each["second"])
    )


def material_since(journey: Journey) -> int | None:
    loan = journey.memory.head.loans.get("L1")
    return None if loan is None else loan.material_since


def told(
    arrivals: Arriving, until: int = LAST_DAY, shelf: CompiledShelf = PLAIN, between: Between | None = None
) -> Journey:
    return run([(day, decoded(record)) for day, record in arrivals], until, shelf, between)


def outcome(arrivals: Arriving, between: Between | None = None) -> Any:
    """All that a journey shows: figures of every close, misses, and decisions by day."""
    journey = told(arrivals, between=between)
    return journey.figures, sorted(journey.misses), sorted((day, line(each)) for day, each in journey.decisions)


def now_and_then_thawed(seed: int) -> Between:
    """Freeze and thaw after about every second event and close."""
    random = Random(seed)
    return lambda memory: thaw(memory.borrower_id, *freeze(memory)) if random.random() < 0.5 else memory


def with_repeats(arrivals: Arriving, random: Random) -> Arriving:
    """About half of the events once more, at once or some days later, before anything that waits is given up."""
    repeats = [(day + random.choice((0, 0, 1, 3, 6)), record) for day, record in arrivals if random.random() < 0.5]
    return sorted([*arrivals, *repeats], key=lambda each: each[0])


def slowly(arrivals: Arriving, until: int) -> tuple[dict[int, Closing], list[tuple[str, int]]]:
    first = arrivals[0][0]
    oracle = Oracle(DAY_0 + timedelta(first))
    closings = {}
    for day in range(first, until + 1):
        for arrives, record in arrivals:
            if arrives == day:
                oracle.arrive(record)
        closings[day] = oracle.close()
    return closings, [(f"missed/L1/{instalment}", (on - DAY_0).days) for instalment, on in oracle.misses]


def in_decimals(figures: Figures) -> Closing:
    days, arrears, outstanding = figures
    return Closing(
        days,
        None if arrears is None else Decimal(arrears) / 100,
        None if outstanding is None else Decimal(outstanding) / 100,
    )
