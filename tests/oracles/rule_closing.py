"""One measure of the engine at the close of a day, for tests that are told as sentences."""

from fractions import Fraction
from typing import Any

from rules.rule import Measure, Per
from tests.oracles.rule_journeys import DAY_0, ZONE, Engine, Told, tell
from tests.oracles.rule_makers import compare, measures, rule
from tests.oracles.rule_truth import Value


def exactly(number: Any) -> Value:
    """A value that is known."""
    return Value("all", number if isinstance(number, bool) else Fraction(number))


def at_least(number: Any) -> Value:
    """A lower bound."""
    return Value("at least", Fraction(number))


def engine_of(named: tuple[str, Measure], per: Per, history: dict[str, int] | None = None) -> Engine:
    """An engine with one rule, which no journey can make true: only its measure is looked at."""
    never = compare(1, ">", 2) if named[1].verb == "sequence" else compare(named[0], ">", 10**12)
    return Engine([rule("r", per=per, measure=measures(named), when=never)], history=history)


def closing(
    named: tuple[str, Measure],
    *events: Told,
    on: int | tuple[int, ...],
    per: Per = "loan_id",
    key: str | None = None,
    history: dict[str, int] | None = None,
    missing: frozenset[str] = frozenset(),
) -> Any:
    """The measure at the close of a day, or of several."""
    engine = engine_of(named, per, history)
    days = (on,) if isinstance(on, int) else on
    owner = key or {"loan_id": "L1", "account_id": "A1", "borrower_id": "B1"}[per]
    found = []
    last = None
    for day in days:
        todo = [each for each in events if each.arrives <= day and (last is None or each.arrives > last)]
        tell(engine, todo, until=day) if last is None else _go_on(engine, todo, last, day)
        found.append(engine.values("r", owner, DAY_0 + day, missing=missing)[named[0]])
        last = day
    return found[0] if isinstance(on, int) else found


def _go_on(engine: Engine, events: list[Told], after: int, until: int) -> None:
    for day in range(after + 1, until + 1):
        for each in events:
            if each.arrives == day:
                engine.arrive(each.arrival, DAY_0 + day)
        engine.close(DAY_0 + day)


def at(engine: Engine, day: int, clock_ms: int, key: str) -> Value:
    """The one measure at an instant of a day."""
    (value,) = engine.values("r", key, DAY_0 + day, now_ms=ZONE.start_of(DAY_0 + day) + clock_ms).values()
    return value
