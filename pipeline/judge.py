"""The shelf compiled: which rules an event concerns, and which of them hold.

Every comparison of a measure with a number cuts the measure's range; for each piece a bit set says which rules are not
yet ruled out there. One search a measure and one `&` so leave the few rules that may hold, however many there are, and
only those are asked through their generated functions.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from pipeline.conditions import FLIPPED, OPERATIONS, Scope, constant, fails, holds
from pipeline.ledger_meters import Setting
from pipeline.memory import Memory
from pipeline.meters import Compiled, compile_measure
from rules.catalogue import Catalogue
from rules.rule import SEVERITIES, And, Comparator, Comparison, Condition, Measure, Name, Per, Rule, Selector

Verdict = Callable[[list[Any], list[Any]], bool]  # (exact values, lower bounds) of the bench's measures


class Judged(NamedTuple):
    """One rule, compiled."""

    rule: Rule
    bit: int
    holds: Verdict
    fails: Verdict
    ladder: tuple[tuple[int, Verdict], ...]  # rungs above the rule's severity, highest first
    top: int  # the highest severity the rule can get to
    measures: dict[str, int]  # name -> place among the bench's meters
    meters: tuple[int, ...]


class Cut(NamedTuple):
    """Where the rules' comparisons cut the range of one measure."""

    meter: int
    users: int  # the rules that compare it
    points: tuple[Any, ...]
    exact: tuple[int, ...]  # rules not ruled out below, at and above each point
    at_least: tuple[int, ...]  # the same when only a lower bound is known
    unknown: int  # the same when nothing is known


class Bench(NamedTuple):
    """All rules of one `per`, with the measures that they share."""

    per: Per
    judged: tuple[Judged, ...]
    meters: tuple[Compiled, ...]
    cuts: tuple[Cut, ...]
    cut_of: tuple[Cut | None, ...]  # meter -> its cut
    direct: int  # rules that are nothing but comparisons with numbers: the cuts alone decide them
    ladders: int  # rules that may escalate
    everyone: int
    reading: dict[str, tuple[int, ...]]  # type of event -> meters whose value it may change


def piece(cut: Cut, value: Any, at_least: Any) -> int:
    """The rules that a value does not rule out."""
    points = cut.points
    if value == value:
        i = bisect_left(points, value)
        return cut.exact[2 * i + bool(i < len(points) and points[i] == value)]
    if at_least == at_least:
        i = bisect_left(points, at_least)
        return cut.at_least[2 * i + bool(i < len(points) and points[i] == at_least)]
    return cut.unknown


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
    by_meter = {cut.meter: cut for cut in cuts}
    return Bench(
        per=per,
        judged=tuple(judged),
        meters=tuple(meters),
        cuts=cuts,
        cut_of=tuple(by_meter.get(i) for i in range(len(meters))),
        direct=sum(each.bit for each in judged if _is_direct(each.rule.when)),
        ladders=sum(each.bit for each in judged if each.ladder),
        everyone=(1 << len(judged)) - 1,
        reading=_reading(meters, setting),
    )


def _reading(meters: list[Compiled], setting: Setting) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for i, compiled in enumerate(meters):
        for event in read_by(compiled.measure, setting.catalogue):
            found.setdefault(event.event, []).append(i)
    return {event: tuple(dict.fromkeys(places)) for event, places in found.items()}


def read_by(measure: Measure, catalogue: Catalogue) -> Sequence[Selector]:
    """The events that can change a measure; facts of the ledger are changed by every repayment event."""
    if measure.verb == "now":
        return [Selector(kind.name) for kind in catalogue.events.values() if kind.feed == "repayment"]
    return measure.select


def _anonymous(measure: Measure) -> Any:
    """What makes two measures the same, whatever they are called."""
    return (measure.verb, measure.what, measure.select, measure.over, measure.ending, measure.within,
            measure.of_borrower, measure.across)  # fmt: skip


def _judged(rule: Rule, n: int, measures: dict[str, int], meters: list[Compiled]) -> Judged:
    scope = Scope(
        exact=lambda name: (f"x[{measures[name]}]", meters[measures[name]].scale),
        at_least=lambda name: f"low[{measures[name]}]",
        truth=lambda name, value: f"x[{measures[name]}] is {value}",
        text=lambda name, comparator, text: "False",
    )
    base = SEVERITIES.index(rule.severity)
    ladder = sorted(((SEVERITIES.index(s), c) for s, c in rule.escalate.items()), reverse=True)
    return Judged(
        rule=rule,
        bit=1 << n,
        holds=_generate(holds(rule.when, scope)),
        fails=_generate(fails(rule.when, scope)),
        ladder=tuple((rung, _generate(holds(c, scope))) for rung, c in ladder if rung > base),
        top=max([base, *(rung for rung, _ in ladder)]),
        measures=measures,
        meters=tuple(dict.fromkeys(measures.values())),
    )


def _generate(code: str) -> Verdict:
    verdict: Verdict = eval(f"lambda x, low: {code}", {**OPERATIONS, "__builtins__": {}})
    return verdict


# -- cuts -------------------------------------------------------------------


def _direct(condition: Condition) -> list[tuple[str, Comparator, Fraction]]:
    """The comparisons of a measure with a number that must all hold for the condition to hold."""
    match condition:
        case And(parts):
            return [atom for part in parts for atom in _direct(part)]
        case Comparison(comparator, Name(name), right) if (value := constant(right)) is not None:
            return [(name, comparator, value)]
        case Comparison(comparator, left, Name(name)) if (value := constant(left)) is not None:
            return [(name, FLIPPED[comparator], value)]
    return []


def _is_direct(condition: Condition) -> bool:
    """Whether a condition is nothing but comparisons of a measure with a number, all of which must hold."""
    if isinstance(condition, And):
        return all(_is_direct(part) for part in condition.parts)
    return bool(_direct(condition))


def _cuts(judged: list[Judged], meters: list[Compiled]) -> tuple[Cut, ...]:
    atoms: dict[int, list[tuple[Comparator, Any, int]]] = {}
    for each in judged:
        for name, comparator, value in _direct(each.rule.when):
            place = each.measures[name]
            point = value * meters[place].scale
            atoms.setdefault(place, []).append((comparator, int(point) if point.denominator == 1 else point, each.bit))
    return tuple(_cut(place, found) for place, found in sorted(atoms.items()))


def _cut(meter: int, atoms: list[tuple[Comparator, Any, int]]) -> Cut:
    everything = -1  # all bits set, whatever the number of rules
    points = sorted({point for _, point, _ in atoms})
    places = {point: 2 * i + 1 for i, point in enumerate(points)}  # pieces are numbered below, at, above each point
    users = 0
    for _, _, bit in atoms:
        users |= bit
    exact, at_least = [], []
    for piece_index in range(2 * len(points) + 1):
        whole, bound = everything, everything
        for comparator, point, bit in atoms:
            side = piece_index - places[point]
            holds_here = {">": side > 0, ">=": side >= 0, "<": side < 0, "<=": side <= 0, "==": side == 0,
                          "!=": side != 0}[comparator]  # fmt: skip
            if not holds_here:
                whole &= ~bit
            if not (holds_here and comparator in (">", ">=")):
                bound &= ~bit
        exact.append(whole)
        at_least.append(bound)
    return Cut(meter, users, tuple(points), tuple(exact), tuple(at_least), everything & ~users)
