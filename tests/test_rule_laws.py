import os
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sheet import Sheet
from rules.rule import And, Not, Or, Rule
from tests.oracles.random_rule_journeys import Journey, journeys
from tests.oracles.random_rules import conditions, is_truth, kinds_read, measures, rules, shelves
from tests.oracles.rule_journeys import DAY_0, Engine, Told, foretell, steps
from tests.oracles.rule_oracle import Oracle, Transition
from tests.oracles.rule_values import DAY_MS, EAST_MS, Moment, Past

IN_CI = os.environ.get("CI") == "true"


def tries(in_ci: int) -> Any:
    """How many journeys a law is tried on: fewer at a desk."""
    return settings(max_examples=in_ci if IN_CI else in_ci // 10)


class World(tuple[list[Rule], Journey]):
    """A shelf and a journey over it."""


@st.composite
def worlds(draw: Any, most: int = 4) -> tuple[list[Rule], Journey]:
    """Some rules, and a journey that concerns them."""
    shelf = draw(shelves(most))
    return shelf, draw(journeys(kinds_read(shelf)))


def engine_of(shelf: list[Rule], journey: Journey) -> Engine:
    engine = Engine(shelf, history=journey.history)
    engine.figures = journey.figures
    return engine


def step(engine: Engine, journey: Journey, day: int, each: Told | None) -> None:
    if each is None:
        engine.close(DAY_0 + day, journey.missing.get(day, frozenset()))
    else:
        engine.arrive(each.arrival, DAY_0 + day)


def run(shelf: list[Rule], journey: Journey) -> Engine:
    engine = engine_of(shelf, journey)
    for day, each in steps(journey.events, journey.until):
        step(engine, journey, day, each)
    return engine


def sorted_(transitions: list[Transition]) -> list[Transition]:
    return sorted(transitions, key=lambda each: (each.look, each.rule, each.key, each.n, each.transition != "closed"))


@tries(900)
@given(worlds())
def test_the_engine_says_what_the_oracle_says_at_every_look(world: tuple[list[Rule], Journey]) -> None:
    shelf, journey = world
    engine, oracle = engine_of(shelf, journey), Oracle(shelf, Past(history=journey.history))
    for day, each in steps(journey.events, journey.until):
        step(engine, journey, day, each)
        foretell(oracle, day, each, journey.missing, journey.figures)
        assert sorted_(engine.transitions) == sorted_(oracle.told), f"day {day}"


@tries(300)
@given(worlds())
def test_holds_and_fails_are_the_two_sides_of_the_oracles_truth_at_every_close(
    world: tuple[list[Rule], Journey],
) -> None:
    shelf, journey = world
    engine, oracle = engine_of(shelf, journey), Oracle(shelf, Past(history=journey.history))
    for day, each in steps(journey.events, journey.until):
        step(engine, journey, day, each)
        foretell(oracle, day, each, journey.missing, journey.figures)
        if each is None:
            missing = journey.missing.get(day, frozenset())
            for (name, key), truth in oracle.verdicts[-1].items():
                assert engine.truth(name, key, DAY_0 + day, missing) is truth, f"day {day} {name} {key}"


@tries(300)
@given(worlds(most=2), st.integers(0, DAY_MS - 1))
def test_every_measure_is_what_a_naive_reckoning_says_at_any_instant(
    world: tuple[list[Rule], Journey], clock_ms: int
) -> None:
    shelf, journey = world
    engine, oracle = engine_of(shelf, journey), Oracle(shelf, Past(history=journey.history))
    for day, each in steps(journey.events, journey.until):
        step(engine, journey, day, each)
        foretell(oracle, day, each, journey.missing, journey.figures)
        if each is not None:
            continue
        on = DAY_0 + day
        for now_ms in ((on + 1) * DAY_MS - EAST_MS - 1, on * DAY_MS - EAST_MS + clock_ms):
            moment = Moment(date=on, now_ms=now_ms)
            for name, key in oracle.verdicts[-1]:
                rule = next(rule for rule in shelf if rule.rule == name)
                assert engine.values(name, key, on, now_ms=now_ms) == oracle.values(rule, key, moment), f"day {day}"


@tries(150)
@given(worlds(most=3), st.randoms(use_true_random=False))
def test_the_order_of_a_days_events_changes_no_measure_at_its_close(
    world: tuple[list[Rule], Journey], chance: Any
) -> None:
    shelf, journey = world
    # Both loans come first: a payment for an unknown loan waits. A reversal may come before its payment.
    first, rest = journey.events[:2], journey.events[2:]
    shuffled = list(rest)
    chance.shuffle(shuffled)
    shuffled.sort(key=lambda each: each.arrives)
    one, two = engine_of(shelf, journey), engine_of(shelf, journey)
    other = journey._replace(events=[*first, *shuffled])
    keys = [(rule.rule, key) for rule in shelf for key in ("B1", "L1", "L2", "A1", "A2")]
    for (day, each), (_, turned) in zip(
        steps(journey.events, journey.until), steps(other.events, other.until), strict=True
    ):
        step(one, journey, day, each)
        step(two, other, day, turned)
        if each is None:
            for name, key in keys:
                assert one.values(name, key, DAY_0 + day) == two.values(name, key, DAY_0 + day), f"day {day}"


@tries(150)
@given(worlds(), st.sets(st.integers(0, 60), max_size=6))
def test_a_crash_at_any_point_changes_no_later_decision(world: tuple[list[Rule], Journey], crashes: set[int]) -> None:
    shelf, journey = world
    steady, shaken = run(shelf, journey), engine_of(shelf, journey)
    for n, (day, each) in enumerate(steps(journey.events, journey.until)):
        step(shaken, journey, day, each)
        if n in crashes:
            shaken.crash()
    assert shaken.decisions == steady.decisions
    shaken.crash()
    steady.crash()
    assert shaken.memory.head == steady.memory.head


@tries(150)
@given(worlds(), st.data())
def test_any_event_given_twice_changes_no_decision(world: tuple[list[Rule], Journey], data: Any) -> None:
    shelf, journey = world
    once = run(shelf, journey)
    events = list(journey.events)
    for at in data.draw(st.lists(st.integers(0, len(events) - 1), max_size=3)):
        again = events[at]._replace(arrives=events[at].arrives + data.draw(st.integers(0, 3)))
        place = next((n for n, each in enumerate(events) if each.arrives > again.arrives), len(events))
        events.insert(max(place, at + 1), again)
    twice = run(shelf, journey._replace(events=events))
    assert twice.decisions == once.decisions


@tries(150)
@given(worlds(most=12))
def test_the_bit_sets_leave_exactly_the_rules_that_hold_when_each_is_asked(world: tuple[list[Rule], Journey]) -> None:
    shelf, journey = world
    engine = run(shelf, journey)
    on = DAY_0 + journey.until
    for bench in engine.shelf.benches:
        for key in {"borrower_id": [""], "loan_id": ["L1", "L2"], "account_id": ["A1", "A2"]}[bench.per]:
            sheet = Sheet(bench, engine.memory, key, engine.look(on))
            asked = sum(judged.bit for judged in bench.judged if judged.holds(*all_of(sheet)))
            fresh = Sheet(bench, engine.memory, key, engine.look(on))
            assert fresh.true_rules(bench.everyone) == asked


def all_of(sheet: Sheet) -> tuple[list[Any], list[Any]]:
    """Every value of a sheet, asked for one by one."""
    for i in range(len(sheet.bench.meters)):
        sheet.ask(i)
    return sheet.exact, sheet.at_least


@tries(200)
@given(st.data())
def test_de_morgan_holds_over_the_whole_grammar(data: Any) -> None:
    model = data.draw(rules())
    numbers = [name for name, each in model.measure.items() if not is_truth(each)]
    flags = [name for name, each in model.measure.items() if is_truth(each)]
    parts = data.draw(conditions(numbers, flags, {}, 1)), data.draw(conditions(numbers, flags, {}, 1))
    negated = tuple(Not(part) for part in parts)
    forms = {"a": Not(And(parts)), "b": Or(negated), "c": Not(Or(parts)), "d": And(negated)}
    shelf = [replace(model, rule=name, when=when, escalate={}) for name, when in forms.items()]
    journey = data.draw(journeys(kinds_read(shelf)))
    engine = run(shelf, journey)
    for key in {"borrower_id": ["B1"], "loan_id": ["L1", "L2"], "account_id": ["A1", "A2"]}[model.per]:
        truth = {name: engine.truth(name, key, DAY_0 + journey.until) for name in forms}
        assert truth["a"] is truth["b"]
        assert truth["c"] is truth["d"]


@tries(100)
@given(st.data())
def test_a_window_of_many_days_equals_a_naive_sum_over_the_days_that_were_folded_into_totals(data: Any) -> None:
    named = data.draw(measures("a", "account_id").filter(lambda each: False) | long_windows())
    del named
