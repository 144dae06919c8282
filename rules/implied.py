"""Rules that add nothing beside another: whenever they hold, the other holds, as severe, as early, for the same queue.

A pair is a fault only when all of that is certain. An analyst who wants both lets them differ in severity, `for` or
queue, or names one in the `inhibited_by` of the other.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rules.catalogue import Catalogue
from rules.conditions import names_in
from rules.conflicts import Written
from rules.faults import Fault
from rules.hopeless import domains_of
from rules.intervals import Interval
from rules.packs import NONE_OFF, Off
from rules.possible import holds_whenever, never_holds
from rules.rule import (
    SEVERITIES,
    And,
    Arithmetic,
    Comparison,
    Condition,
    Expression,
    Holds,
    Name,
    Negative,
    Not,
    Or,
    Severity,
)
from rules.versions import measure_shape


@dataclass(frozen=True)
class _Seen:
    """A rule with its measures named by what they are, so that rules can be compared."""

    written: Written
    when: Condition
    escalate: Mapping[Severity, Condition]
    domains: Mapping[str, Interval]
    names: frozenset[str]


def implied_faults(rules: Sequence[Written], catalogue: Catalogue, off: Off = NONE_OFF) -> Iterator[Fault]:
    """The rules that add nothing beside another; of two that say the same, the later name."""
    seen = [_seen(each, catalogue) for each in rules if each.rule.status in ("live", "shadow")]
    seen = [each for each in seen if never_holds(each.when, each.domains) is None]
    reading: dict[str, list[int]] = defaultdict(list)
    for i, each in enumerate(seen):
        for name in each.names:
            reading[name].append(i)
    for i, each in enumerate(seen):
        beside = [seen[j] for j in sorted({j for name in each.names for j in reading[name]} - {i})]
        beside = [other for other in beside if not off.keeps_apart(each.written.rule, other.written.rule)]
        other = next((other for other in beside if _adds_nothing(each, other)), None)
        if other is not None:
            yield each.written.document.fault(("when",), _sentence(other))


def _sentence(other: _Seen) -> str:
    rule = other.written.rule
    return (
        f"adds nothing beside {rule.rule!r}: whenever this holds that one does, as severe, as early and for the same "
        f"queue; retire one, let them differ, or name one in the other's inhibited_by"
    )


def _adds_nothing(each: _Seen, other: _Seen) -> bool:
    if not _tells_as_much(each, other) or not _implies(each, other):
        return False
    is_mutual = _tells_as_much(other, each) and _implies(other, each)
    return not is_mutual or each.written.rule.rule > other.written.rule.rule


def _tells_as_much(each: _Seen, other: _Seen) -> bool:
    """Whether the other rule, where it holds, tells the same people, as early and as often."""
    one, two = each.written.rule, other.written.rule
    is_heard = one.status == two.status or two.status == "live"
    is_pair = one.rule in (two.challenges, *two.inhibited_by) or two.rule in (one.challenges, *one.inhibited_by)
    is_early = two.hold <= one.hold and two.quiet <= one.quiet
    same_task = one.task is None or (two.task is not None and two.task.queue == one.task.queue)
    unmuted = set(two.inhibited_by) <= set(one.inhibited_by)
    spreads = set(one.spreads) <= set(two.spreads)
    unheld = two.daily_openings is None or two.daily_openings == one.daily_openings
    return one.per == two.per and is_heard and not is_pair and is_early and same_task and unmuted and spreads and unheld


def _implies(each: _Seen, other: _Seen) -> bool:
    domains = {**each.domains, **other.domains}
    if not _is_as_severe(each, other, domains):
        return False
    return holds_whenever(other.when, each.when, domains)


def _is_as_severe(each: _Seen, other: _Seen, domains: Mapping[str, Interval]) -> bool:
    base = SEVERITIES.index(other.written.rule.severity)
    if SEVERITIES.index(each.written.rule.severity) > base:
        return False
    for severity, condition in each.escalate.items():
        level = SEVERITIES.index(severity)
        reached = tuple(of for name, of in other.escalate.items() if SEVERITIES.index(name) >= level)
        if level > base and not (reached and holds_whenever(Or(reached), condition, domains)):
            return False
    return True


def _seen(written: Written, catalogue: Catalogue) -> _Seen:
    rule = written.rule
    named = {name: json.dumps(measure_shape(each), sort_keys=True) for name, each in rule.measure.items()}
    when = _renamed(rule.when, named)
    return _Seen(
        written,
        when,
        {severity: _renamed(each, named) for severity, each in rule.escalate.items()},
        {named[name]: domain for name, domain in domains_of(rule, catalogue).items()},
        frozenset(names_in(when)),
    )


def _renamed(condition: Condition, named: Mapping[str, str]) -> Condition:
    match condition:
        case Comparison(comparator, left, right):
            return Comparison(comparator, _renamed_in(left, named), _renamed_in(right, named))
        case Holds(name):
            return Holds(named[name])
        case Not(of):
            return Not(_renamed(of, named))
        case And(parts):
            return And(tuple(_renamed(part, named) for part in parts))
        case Or(parts):
            return Or(tuple(_renamed(part, named) for part in parts))


def _renamed_in(expression: Expression, named: Mapping[str, str]) -> Expression:
    match expression:
        case Name(name):
            return Name(named[name])
        case Negative(of):
            return Negative(_renamed_in(of, named))
        case Arithmetic(operator, left, right):
            return Arithmetic(operator, _renamed_in(left, named), _renamed_in(right, named))
    return expression
