"""The shelf compiled: which rules an event concerns, and which of them hold."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from pipeline.conditions import OPERATIONS, Scope, fails, holds
from pipeline.cuts import Cut, Use, atoms_of, cut_of, is_direct, must_hold, used_freely, used_otherwise
from pipeline.layout import layout_of
from pipeline.ledger_meters import Setting
from pipeline.memory import Memory
from pipeline.meters import Compiled, compile_measure
from pipeline.selectors import Picker, picker_of
from rules.catalogue import Catalogue
from rules.rule import SEVERITIES, Condition, Measure, Per, Rule, Selector

Verdict = Callable[[list[Any], list[Any]], bool]  # (exact values, lower bounds) of the bench's measures


class Judged(NamedTuple):
    """One rule, compiled."""

    rule: Rule
    bit: int
    holds: Verdict
    fails: Verdict
    ladder: tuple[tuple[int, Verdict], ...]  # rungs above the rule's severity, highest first
    measures: dict[str, int]  # name -> place among the bench's meters
    meters: tuple[int, ...]


class Reading(NamedTuple):
    """A meter that reads a type of event, perhaps only some of its events."""

    meter: int
    pick: Picker | None  # None: every event of the type
    texts: tuple[str, ...]
    is_own: bool  # it reads those of its own loan or account only


class Bench(NamedTuple):
    """All rules of one `per`, with the measures that they share."""

    per: Per
    judged: tuple[Judged, ...]
    meters: tuple[Compiled, ...]
    cuts: tuple[Cut, ...]  # those that may rule out a rule
    cut_of: tuple[Cut | None, ...]  # meter -> its cut
    users: tuple[int, ...]  # meter -> the rules (bit set) that measure it
    spread: tuple[int, ...]  # meter -> the rules that another piece may turn, whatever the cut says of them
    loose: tuple[int, ...]  # meter -> the rules that its value may turn even within one piece
    direct: int  # rules that are nothing but comparisons with numbers: the cuts alone decide them
    everyone: int
    reading: dict[str, tuple[Reading, ...]]  # type of event -> meters whose value it may change


def bits_of(rules: int) -> Iterator[int]:
    """The single bits of a bit set, lowest first.

    >>> list(bits_of(0b1010))
    [2, 8]
    """
    while rules:
        bit = rules & -rules
        rules ^= bit
        yield bit


def keys_of(bench: Bench, memory: Memory) -> list[str]:
    """Whom a bench judges at the end of a day: the borrower, the open loans, or the accounts."""
    if bench.per == "borrower_id":
        return [""]
    if bench.per == "account_id":
        return list(memory.head.accounts)
    return [key for key, loan in memory.head.loans.items() if loan.state.status == "open"]


def bench_of(per: Per, rules: Sequence[Rule], setting: Setting) -> Bench:
    """Compile all rules of one `per`."""
    places: dict[Any, int] = {}
    meters: list[Compiled] = []
    judged = []
    for n, rule in enumerate(rules):
        measures = {}
        for name, measure in rule.measure.items():
            key = _anonymous(measure)
            if key not in places:
                places[key] = len(meters)
                meters.append(compile_measure(measure, per, setting))
            measures[name] = places[key]
        judged.append(_judged(rule, n, measures, meters))
    cuts = _cuts(judged, meters)
    return Bench(
        per=per,
        judged=tuple(judged),
        meters=tuple(meters),
        cuts=tuple(cut for cut in cuts.values() if cut.users),
        cut_of=tuple(cuts.get(i) for i in range(len(meters))),
        users=_bits(len(meters), judged, lambda each: each.rule.measure),
        spread=_bits(len(meters), judged, lambda each: used_freely(each.rule)),
        loose=_bits(len(meters), judged, lambda each: used_otherwise(each.rule)),
        direct=sum(each.bit for each in judged if is_direct(each.rule.when)),
        everyone=(1 << len(judged)) - 1,
        reading=_reading(meters, setting),
    )


def _reading(meters: list[Compiled], setting: Setting) -> dict[str, tuple[Reading, ...]]:
    found: dict[str, dict[Any, Reading]] = {}
    for i, compiled in enumerate(meters):
        for selector in read_by(compiled.measure, setting.catalogue):
            pick, texts = None, tuple[str, ...]()
            if selector.where is not None:
                pick, texts = picker_of(layout_of(selector.event), selector.where, setting.scale)
            reading = Reading(i, pick, texts, compiled.per_key)
            found.setdefault(selector.event, {})[i, selector] = reading
    return {event: tuple(readings.values()) for event, readings in found.items()}


def read_by(measure: Measure, catalogue: Catalogue) -> Sequence[Selector]:
    """The events that can change a measure; facts of the ledger are changed by every repayment event."""
    if measure.verb == "now":
        return [Selector(kind.name) for kind in catalogue.events.values() if kind.feed == "repayment"]
    return measure.select


def _anonymous(measure: Measure) -> Any:
    """What makes two measures the same, whatever they are called."""
    return (measure.verb, measure.what, measure.select, measure.over, measure.ending, measure.within,
            measure.of_borrower, measure.across)  # fmt: skip


def _bits(n: int, judged: list[Judged], names: Callable[[Judged], Any]) -> tuple[int, ...]:
    found = [0] * n
    for each in judged:
        for name in names(each):
            found[each.measures[name]] |= each.bit
    return tuple(found)


def _cuts(judged: list[Judged], meters: list[Compiled]) -> dict[int, Cut]:
    uses: dict[int, list[Use]] = {}
    for each in judged:
        ruling = set(must_hold(each.rule.when))
        for atom in atoms_of(each.rule):
            place = each.measures[atom.name]
            point = atom.value * meters[place].scale
            exact = int(point) if point.denominator == 1 else point
            uses.setdefault(place, []).append(Use(each.bit, atom.comparator, exact, atom in ruling))
    return {place: cut_of(place, found) for place, found in sorted(uses.items())}


def compiled(condition: Condition, measures: dict[str, int], meters: Sequence[Compiled]) -> tuple[Verdict, Verdict]:
    """When a condition over measures (name -> place among the meters) is known to hold, and known to fail."""
    scope = _scope(measures, meters)
    return _generate(holds(condition, scope)), _generate(fails(condition, scope))


def _scope(measures: dict[str, int], meters: Sequence[Compiled]) -> Scope:
    return Scope(
        exact=lambda name: (f"x[{measures[name]}]", meters[measures[name]].scale),
        at_least=lambda name: f"low[{measures[name]}]",
        truth=lambda name, value: f"x[{measures[name]}] is {value}",
        text=lambda name, comparator, text: "False",
    )


def _judged(rule: Rule, n: int, measures: dict[str, int], meters: list[Compiled]) -> Judged:
    true, false = compiled(rule.when, measures, meters)
    base = SEVERITIES.index(rule.severity)
    ladder = sorted(((SEVERITIES.index(s), c) for s, c in rule.escalate.items()), reverse=True)
    return Judged(
        rule=rule,
        bit=1 << n,
        holds=true,
        fails=false,
        ladder=tuple((rung, compiled(c, measures, meters)[0]) for rung, c in ladder if rung > base),
        measures=measures,
        meters=tuple(dict.fromkeys(measures.values())),
    )


def _generate(code: str) -> Verdict:
    verdict: Verdict = eval(f"lambda x, low: {code}", {**OPERATIONS, "__builtins__": {}})
    return verdict
