import os
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.freezing import freeze, thaw
from pipeline.memory import Kind
from pipeline.sheet import Sheet
from rules.rule import And, Measure, Not, Or, Per, Rule, Selector, Span
from tests.oracles.random_rule_journeys import Journey, journeys
from tests.oracles.random_rules import conditions, is_truth, kinds_read, rules, shelves
from tests.oracles.rule_journeys import BORROWER, DAY_0, LONG_BEFORE, Engine, Told, foretell, steps, told
from tests.oracles.rule_makers import compare, is_text, opposite, rule
from tests.oracles.rule_oracle import Oracle, Transition
from tests.oracles.rule_values import DAY_MS, EAST_MS, Moment, Past, value_of

IN_CI = os.environ.get("CI") == "true"


World = tuple[list[Rule], Journey]


def tries(in_ci: int) -> Any:
    """How many journeys a law is tried on: fewer at a desk."""
    return settings(max_examples=in_ci if IN_CI else in_ci // 10)


@st.composite
def worlds(draw: Any, most: int = 4) -> World:
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


@tries(300)
@given(worlds())
def test_the_engine_says_what_the_oracle_says_at_every_look(world: World) -> None:
    shelf, journey = world
    engine, oracle = engine_of(shelf, journey), Oracle(shelf, Past(history=journey.history))
    for day, each in steps(journey.events, journey.until):
        step(engine, journey, day, each)
        foretell(oracle, day, each, journey.missing, journey.figures)
        assert sorted_(engine.transitions) == sorted_(oracle.told), f"day {day}"


@tries(150)
@given(worlds())
def test_holds_and_fails_are_the_two_sides_of_the_oracles_truth_at_every_close(
    world: World,
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


@tries(150)
@given(worlds(most=2), st.integers(0, DAY_MS - 1))
def test_every_measure_is_what_a_naive_reckoning_says_at_any_instant(world: World, clock_ms: int) -> None:
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
                own = next(each for each in shelf if each.rule == name)
                assert engine.values(name, key, on, now_ms=now_ms) == oracle.values(own, key, moment), f"day {day}"


@tries(80)
@given(worlds(most=3), st.randoms(use_true_random=False))
def test_the_order_of_a_days_events_changes_no_measure_at_its_close(world: World, chance: Any) -> None:
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
@given(worlds())
def test_what_is_kept_of_a_measure_is_what_asking_anew_would_find(world: World) -> None:
    shelf, journey = world
    engine = engine_of(shelf, journey)
    for day, each in steps(journey.events, journey.until):
        step(engine, journey, day, each)
        for sheet in engine.memory.sheets.values():
            anew = Sheet(sheet.bench, sheet.memory, sheet.key, sheet.look)
            for i, until in enumerate(sheet.until):
                if sheet.exact[i] is not None and until > sheet.look.day.date:
                    kept, found = (sheet.ask(i), sheet.at_least[i]), (anew.ask(i), anew.at_least[i])
                    if sheet.bench.meters[i].grows:
                        kept, found = kept[:1], found[:1]  # the bound of what is known exactly is not read
                    assert str(kept) == str(found), f"day {day}, {sheet.bench.meters[i].measure}"
                    assert sheet.pieces[i] == anew.pieces[i], f"day {day}, {sheet.bench.meters[i].measure}"


@tries(80)
@given(worlds(), st.sets(st.integers(0, 60), max_size=6))
def test_the_parts_of_a_head_that_keep_their_bytes_are_those_that_did_not_change(
    world: World, crashes: set[int]
) -> None:
    shelf, journey = world
    engine = engine_of(shelf, journey)
    for n, (day, each) in enumerate(steps(journey.events, journey.until)):
        step(engine, journey, day, each)
        head, _ = freeze(engine.memory)
        for kind, parts in parts_of(engine).items():
            for name in parts:
                if kind != "episode" or name in engine.memory.written["episode"]:
                    engine.memory.note_change(kind, name)
        assert freeze(engine.memory)[0] == head, f"day {day}"
        if n in crashes:
            engine.crash()


def parts_of(engine: Engine) -> dict[Kind, Any]:
    head = engine.memory.head
    return {"loan": head.loans, "episode": head.episodes, "task": head.tasks}


@tries(80)
@given(worlds(), st.sets(st.integers(0, 60), max_size=6))
def test_a_crash_at_any_point_changes_no_later_decision(world: World, crashes: set[int]) -> None:
    shelf, journey = world
    steady, shaken = run(shelf, journey), engine_of(shelf, journey)
    for n, (day, each) in enumerate(steps(journey.events, journey.until)):
        step(shaken, journey, day, each)
        if n in crashes:
            shaken.crash()
    assert shaken.decisions == steady.decisions
    # What is remembered is the same as well, but for the moment at which fresh events rolled into the tail.
    for engine in (shaken, steady):
        engine.crash()
        engine.memory.head.fresh = []
    assert shaken.memory.head == steady.memory.head


@tries(80)
@given(worlds(), st.sets(st.integers(0, 60), max_size=6))
def test_bytes_written_only_when_memory_was_touched_hold_all_that_decides(world: World, crashes: set[int]) -> None:
    shelf, journey = world
    steady, shaken = run(shelf, journey), engine_of(shelf, journey)
    written = freeze(shaken.memory)
    for n, (day, each) in enumerate(steps(journey.events, journey.until)):
        step(shaken, journey, day, each)
        if shaken.memory.is_touched:
            written = freeze(shaken.memory)
            shaken.memory.is_touched = False
        if n in crashes:
            shaken.memory = thaw(BORROWER, *written)
    assert shaken.decisions == steady.decisions


@tries(80)
@given(worlds(), st.data())
def test_any_event_given_twice_changes_no_decision(world: World, data: Any) -> None:
    shelf, journey = world
    once = run(shelf, journey)
    events = list(journey.events)
    for at in data.draw(st.lists(st.integers(0, len(events) - 1), max_size=3)):
        again = events[at]._replace(arrives=events[at].arrives + data.draw(st.integers(0, 3)))
        place = next((n for n, each in enumerate(events) if each.arrives > again.arrives), len(events))
        events.insert(max(place, at + 1), again)
    twice = run(shelf, journey._replace(events=events))
    assert twice.decisions == once.decisions


@tries(80)
@given(worlds(most=12))
def test_the_bit_sets_leave_exactly_the_rules_that_hold_when_each_is_asked(world: World) -> None:
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


@tries(150)
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


@st.composite
def flows(draw: Any) -> list[Told]:
    """Money in and out of an account over most of a year, some of it told late."""
    found = []
    for n in range(draw(st.integers(5, 25))):
        day, late = draw(st.integers(0, 300)), draw(st.sampled_from([0, 0, 0, 5, 60]))
        category = draw(st.sampled_from([{}, {"category": "salary"}, {"category": "rent"}]))
        fields = {"amount_minor": draw(st.integers(1, 500)), "account_id": draw(st.sampled_from(["A1", "A2"]))}
        found.append(told("account.credit", day=day, id=f"f{n}", arrives=day + late, **fields, **category))
    return sorted(found, key=lambda each: each.arrives)


@st.composite
def long_windows(draw: Any, per: Per) -> Measure:
    """A measure that reaches beyond what is kept one by one."""
    category = st.sampled_from(["salary", "rent", "never"]).map(lambda word: is_text("category", word))
    where = draw(st.none() | category | category.map(opposite) | st.tuples(category, category).map(lambda two: Or(two)))
    verb: Any = draw(st.sampled_from(["count", "sum", "average"] if per == "account_id" else ["count", "sum"]))
    what = None if verb == "count" else "amount"
    over, ending = Span(draw(st.integers(90, 250)), "d"), draw(st.sampled_from([None, Span(20, "d"), Span(120, "d")]))
    return Measure("a", verb, what, (Selector("account.credit", where),), over, ending)


@tries(100)
@given(st.data())
def test_a_long_window_equals_a_naive_sum_although_old_flows_were_folded_into_daily_totals(data: Any) -> None:
    per: Per = data.draw(st.sampled_from(["borrower_id", "account_id"]))
    measure = data.draw(long_windows(per))
    shelf = [rule("r", per=per, measure={"a": measure}, when=compare("a", ">", 10**12))]
    journey = Journey(data.draw(flows()), data.draw(st.sampled_from([{}, LONG_BEFORE])), {}, {}, 330)
    engine, oracle = engine_of(shelf, journey), Oracle([], Past(history=journey.history))
    asked = data.draw(st.sets(st.integers(90, 330), min_size=4, max_size=8))
    for day, each in steps(journey.events, journey.until):
        step(engine, journey, day, each)
        foretell(oracle, day, each, {}, {})
        if each is None and day in asked:
            moment = Moment(date=DAY_0 + day, now_ms=(DAY_0 + day + 1) * DAY_MS - EAST_MS - 1)
            for key in ("A1", "A2") if per == "account_id" else ("B1",):
                wanted = value_of(measure, per, key, oracle.past, moment)
                assert engine.values("r", key, DAY_0 + day)["a"] == wanted, f"day {day} {key}"
