"""Journeys of one borrower as lists of sentences, told to the engine and to the oracle alike."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from pipeline.decisions import Alert, Decision, ShadowAlert
from pipeline.decode import Arrival, Decoder
from pipeline.engine import close_day, open_day, step
from pipeline.freezing import freeze, thaw
from pipeline.judge import Judged
from pipeline.look import Day, Look
from pipeline.memory import Memory
from pipeline.sheet import Sheet
from pipeline.shelf import BankTerms, CompiledShelf, compile_shelf
from pipeline.zone import Zone
from rules.rule import Rule, Shelf
from tests.oracles.rule_oracle import Oracle, Transition
from tests.oracles.rule_truth import UNKNOWN, Truth, Value
from tests.oracles.rule_values import DAY_MS, EAST_MS, Happening

DAY_0 = date(2025, 1, 1).toordinal() - date(1970, 1, 1).toordinal()
LONG_BEFORE = {"": DAY_0 - 2_000}
BORROWER = "B1"
ZONE = Zone("Asia/Shanghai")
DECODER = Decoder("Asia/Shanghai", "CNY")
Missing = Mapping[int, frozenset[str]]  # day -> feeds that the bank called missing
NOTHING_IS_MISSING: Missing = {}


class Told(NamedTuple):
    """One event as a journey tells it; `arrives` is the open day when it comes in."""

    fields: dict[str, Any]
    day: int
    at_ms: int
    arrives: int

    @property
    def arrival(self) -> Arrival:
        """What the engine is given."""
        return DECODER.decode(json.dumps(self.fields).encode(), {"line": 1})

    @property
    def happening(self) -> Happening:
        """What the oracle is given."""
        return Happening(self.arrival.event, self.fields["type"], DAY_0 + self.day, self.at_ms)


def told(
    event: str,
    /,
    *,
    day: int,
    clock: str = "09:00:00.000",
    arrives: int | None = None,
    of_day: int | None = None,
    **fields: Any,
) -> Told:
    """An event at a time of a day; its business date is that day, unless `of_day` gives it to another."""
    at_ms = (DAY_0 + day) * DAY_MS - EAST_MS + _milliseconds(clock)
    business_day = day if of_day is None else of_day
    text = f"{_date(day)}T{clock}+08:00"
    body: dict[str, Any] = {"type": event, "source": "core", "at": text, "borrower_id": BORROWER} | fields
    if of_day is not None:
        body["business_date"] = _date(of_day)
    if "id" not in body:
        body["id"] = f"{event}:{day}:{clock}:{fields.get('loan_id', fields.get('account_id', ''))}"
    return Told(body, business_day, at_ms, business_day if arrives is None else arrives)


def _date(day: int) -> str:
    return date.fromordinal(date(2025, 1, 1).toordinal() + day).isoformat()


def _milliseconds(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    whole, _, thousandths = seconds.partition(".")
    return ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 1000 + int(thousandths or 0)


Figures = Mapping[int, dict[str, int]]  # first day (days since 1970) -> macro figures in parts per million


def figures_on(figures: Figures, on: int) -> dict[str, int]:
    """The figures in force on a day: the latest published."""
    past = [day for day in figures if day <= on]
    return figures[max(past)] if past else {}


class Said(NamedTuple):
    """One alert in words: on which day, for whom, what."""

    day: int
    rule: str
    key: str
    n: int
    transition: str
    severity: str
    reason: str | None


class Engine:
    """The engine under test with one borrower, told one thing after another."""

    def __init__(self, rules: Iterable[Rule], *, history: dict[str, int] | None = None) -> None:
        self.shelf = compiled(rules, history=LONG_BEFORE if history is None else history)
        self.memory = Memory(BORROWER)
        self.looks = -1
        self.decisions: list[Decision] = []
        self.transitions: list[Transition] = []
        self.figures: Figures = {}
        self.opened: int | None = None  # the day that is open

    def arrive(self, arrival: Arrival, on: int) -> None:
        """One event on an open day (days since 1970)."""
        self._open(on)
        day = Day(date=on, figures=figures_on(self.figures, on))
        self._note(step(self.shelf, day, self.memory, arrival)[1], on)

    def close(self, on: int, missing: frozenset[str] = frozenset()) -> None:
        """The end of a day."""
        self._open(on)
        day = Day(date=on, missing=missing, figures=figures_on(self.figures, on))
        self._note(close_day(self.shelf, day, self.memory)[1], on)

    def _open(self, on: int) -> None:
        """The beginning of a day, with what came early for it; once."""
        if self.opened == on:
            return
        self.opened = on
        day = Day(date=on, figures=figures_on(self.figures, on))
        self._note(open_day(self.shelf, day, self.memory)[1], on)

    def crash(self) -> None:
        """Lose everything but the frozen bytes, and go on from them."""
        head, tail = freeze(self.memory)
        self.memory = thaw(BORROWER, head, tail)

    def values(
        self, rule: str, key: str, on: int, *, now_ms: int | None = None, missing: frozenset[str] = frozenset()
    ) -> dict[str, Value]:
        """Every measure of a rule as the engine has it, at the close of a day or at an instant of it."""
        judged, found = self._seen(rule, key, self.look(on, now_ms, missing))
        return {name: _value(found, place) for name, place in judged.measures.items()}

    def truth(self, rule: str, key: str, on: int, missing: frozenset[str] = frozenset()) -> Truth:
        """Whether a rule holds or fails at the close of a day; it can never do both."""
        judged, found = self._seen(rule, key, self.look(on, None, missing))
        holds, fails = found.holds(judged.holds, judged), found.holds(judged.fails, judged)
        assert not (holds and fails)
        return True if holds else False if fails else None

    def look(self, on: int, now_ms: int | None = None, missing: frozenset[str] = frozenset()) -> Look:
        """The close of a day, or an instant of it."""
        day = Day(date=on, missing=missing, figures=figures_on(self.figures, on))
        return Look(day, ZONE.end_of(on) if now_ms is None else now_ms, ZONE.date_of, self.shelf.terms.history)

    def _seen(self, rule: str, key: str, look: Look) -> tuple[Judged, Sheet]:
        i, judged = self.shelf.judged[rule]
        bench = self.shelf.benches[i]
        return judged, Sheet(bench, self.memory, "" if bench.per == "borrower_id" else key, look)

    def _note(self, decisions: list[Decision], on: int) -> None:
        self.looks += 1
        self.decisions += decisions
        for each in decisions:
            if isinstance(each, Alert | ShadowAlert):
                _, key, n = each.episode.split("/")
                self.transitions.append(
                    Transition(self.looks, on, each.rule, key, int(n), each.transition, each.severity, each.reason)
                )


def _value(values: Sheet, place: int) -> Value:
    """A value of the engine in the unit of the rule."""
    exact, scale = values.ask(place), values.bench.meters[place].scale
    at_least = values.at_least[place]
    if isinstance(exact, bool):
        return Value("all", exact)
    if exact == exact:
        return Value("all", Fraction(exact) / scale)
    return Value("at least", Fraction(at_least) / scale) if at_least == at_least else UNKNOWN


def compiled(rules: Iterable[Rule], *, history: dict[str, int]) -> CompiledShelf:
    """Rules ready to run under plain terms of a bank."""
    terms = BankTerms(
        zone=ZONE, reporting_currency="CNY", due_by=lambda on, days: f"day {on - DAY_0 + days:03}", history=history
    )
    return compile_shelf(Shelf(tuple(sorted(rules, key=lambda rule: rule.rule)), "shelf"), terms)


def journey(
    rules: Rule | Sequence[Rule],
    *events: Told,
    until: int,
    history: dict[str, int] | None = None,
    missing: Missing = NOTHING_IS_MISSING,
) -> list[Said]:
    """What the engine says while events arrive in the order written, each day closed after its last, to `until`."""
    engine = Engine([rules] if isinstance(rules, Rule) else rules, history=history)
    tell(engine, events, until=until, missing=missing)
    return [Said(each[1] - DAY_0, *each[2:]) for each in engine.transitions]


def steps(events: Iterable[Told], until: int) -> Iterator[tuple[int, Told | None]]:
    """The days (from day 0) and what comes on them; None is the end of the day."""
    on = None
    for each in events:
        on = each.arrives if on is None else on
        while on < each.arrives:
            yield on, None
            on += 1
        yield on, each
    for day in range(0 if on is None else on, until + 1):
        yield day, None


def tell(engine: Engine, events: Iterable[Told], *, until: int, missing: Missing = NOTHING_IS_MISSING) -> None:
    """Give events and ends of days to an engine."""
    for day, each in steps(events, until):
        if each is None:
            engine.close(DAY_0 + day, missing.get(day, frozenset()))
        else:
            engine.arrive(each.arrival, DAY_0 + day)


def foretell(oracle: Oracle, day: int, each: Told | None, missing: Missing, figures: Figures) -> None:
    """One step of a journey, told to the oracle."""
    oracle.past.figures = figures_on(figures, DAY_0 + day)
    if each is None:
        oracle.close(DAY_0 + day, missing.get(day, frozenset()))
    else:
        oracle.arrive(each.happening, DAY_0 + day)
