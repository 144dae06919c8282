from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given

from tests.journeys import DAY_0, Figures, as_record, decoded, run
from tests.oracles.ledger_oracle import Closing, Oracle
from tests.oracles.loan_journeys import LAST_DAY, journeys

Told = dict[str, Any]


@given(journeys())
def test_the_ledger_says_what_the_slow_one_says_at_every_close(events: list[Told]) -> None:
    if not events:
        return
    arrivals = in_order_of_arrival(events)
    journey = run([(day, decoded(record)) for day, record in arrivals], LAST_DAY)
    closings, misses = slowly(arrivals)
    for day, figures in journey.figures.items():
        assert in_decimals(figures) == closings[day], f"day {day}"
    derived = [(miss, day) for miss, day in journey.misses if miss.startswith("missed/")]
    assert sorted(derived) == sorted(misses)


def in_order_of_arrival(events: list[Told]) -> list[tuple[int, Told]]:
    return sorted(((event["arrives"], as_record(event, n)) for n, event in enumerate(events)), key=lambda each: each[0])


def slowly(arrivals: list[tuple[int, Told]]) -> tuple[dict[int, Closing], list[tuple[str, int]]]:
    first = arrivals[0][0]
    oracle = Oracle(DAY_0 + timedelta(first))
    closings = {}
    for day in range(first, LAST_DAY + 1):
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
