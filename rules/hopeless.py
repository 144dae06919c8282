"""What in a rule can never happen, by the ranges of its measures: a condition, a part of one, a narrowed event."""

from collections.abc import Iterator, Mapping

from rules.catalogue import Catalogue
from rules.condition_text import condition_text
from rules.conflicts import Written
from rules.domains import field_domain, measure_domain
from rules.faults import Fault, shortened
from rules.intervals import Interval
from rules.measuring import kind_of
from rules.possible import Conflict, dead_parts, never_holds, opposite
from rules.rule import Condition, Measure, Rule
from rules.yaml_text import Path


def hopeless_faults(written: Written, catalogue: Catalogue) -> Iterator[Fault]:
    """Conditions that never hold or always do, parts that never matter, and measures that never take an event."""
    rule, document = written
    domains = domains_of(rule, catalogue)
    for path, message in (*_of_when(rule.when, domains), *_of_escalate(rule, domains), *_of_events(rule, catalogue)):
        yield document.fault(path, message)


def domains_of(rule: Rule, catalogue: Catalogue) -> dict[str, Interval]:
    """What each measure of a rule can be."""
    return {
        name: measure_domain(measure, catalogue) for name, measure in rule.measure.items() if measure.verb != "sequence"
    }


def _of_when(when: Condition, domains: Mapping[str, Interval]) -> Iterator[tuple[Path, str]]:
    never = never_holds(when, domains)
    if never is not None:
        yield ("when",), f"this can never hold, so the rule never alerts: {_why(never)}"
        return
    if never_holds(opposite(when), domains) is not None:
        yield (
            ("when",),
            "this holds for everybody whose measures are known, so it alerts for all and never closes; "
            "compare with a number that tells them apart",
        )
    yield from ((("when",), message) for message in _dead(when, domains))


def _of_escalate(rule: Rule, domains: Mapping[str, Interval]) -> Iterator[tuple[Path, str]]:
    for severity, condition in rule.escalate.items():
        path = ("escalate", severity)
        never = never_holds(condition, domains)
        if never is not None:
            yield path, f"this can never hold, so the alert is never {severity}: {_why(never)}"
        else:
            yield from ((path, message) for message in _dead(condition, domains))


def _dead(condition: Condition, domains: Mapping[str, Interval]) -> Iterator[str]:
    for part, conflict in dead_parts(condition, domains):
        yield f"the part {_cited(part)} can never hold here: {_why(conflict)}, or delete it"


def _of_events(rule: Rule, catalogue: Catalogue) -> Iterator[tuple[Path, str]]:
    for name, measure in rule.measure.items():
        for i, select in enumerate(measure.select):
            kind = kind_of(select.event, catalogue)
            if select.where is None or kind is None:
                continue
            never = never_holds(select.where, {each.name: field_domain(each) for each in kind.fields.values()})
            if never is not None:
                yield ("measure", name, *_place(measure, i)), f"no event is ever taken: {_why(never)}"


def _place(measure: Measure, i: int) -> Path:
    """Where a selector stands inside its measure."""
    if measure.verb == "sequence":
        return ("sequence", i)
    return (measure.verb,) if measure.verb in ("count", "days_since") else ("from",)


def _why(conflict: Conflict) -> str:
    cited = list(dict.fromkeys(_cited(part) for part in conflict.parts))
    if len(cited) == 1:
        return f"{cited[0]} asks for something that is {conflict.can_be}; change the number or the sign"
    return f"{', '.join(cited[:-1])} and {cited[-1]} exclude each other; change one of them"


def _cited(part: Condition) -> str:
    return repr(shortened(condition_text(part)))
