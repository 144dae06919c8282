"""Rules as short calls, built as values: what a rule file becomes once it was read."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rules.rule import (
    And,
    Arithmetic,
    Comparator,
    Comparison,
    Condition,
    Expression,
    Holds,
    Measure,
    Name,
    Not,
    Number,
    Or,
    Per,
    Rule,
    Selector,
    Severity,
    Span,
    Text,
    Verb,
)


def rule(
    name: str, *, per: Per, measure: Mapping[str, Measure], when: Condition, severity: Severity = "medium", **more: Any
) -> Rule:
    """A live rule with empty texts."""
    shape = f"{per} {measure} {more.get('status', 'live')}"
    whole = Rule(
        rule=name,
        title="",
        status=more.pop("status", "live"),
        owner="",
        since="",
        why="",
        per=per,
        measure=dict(measure),
        when=when,
        severity=severity,
        say=more.pop("say", "so"),
        shape=more.pop("shape", hashlib.sha256(shape.encode()).hexdigest()),
        **more,
    )
    return whole


def span(text: str | None) -> Span | None:
    """A length of time as a rule writes it.

    >>> span("36h")
    Span(count=36, unit='h')
    """
    if text is None:
        return None
    unit: Any = text[-1]
    return Span(int(text[:-1]), unit)


def measure(
    name: str,
    verb: Verb,
    what: str | None = None,
    source: str | Selector | None = None,
    *,
    over: str | None = None,
    ending: str | None = None,
    **more: Any,
) -> tuple[str, Measure]:
    """A measure beside its name, from one type of event."""
    select = () if source is None else (source if isinstance(source, Selector) else Selector(source),)
    return name, Measure(name, verb, what, select, span(over), span(ending), **more)


def sequence(name: str, *steps: str | Selector, within: str, of_borrower: bool = False) -> tuple[str, Measure]:
    """A sequence of events beside its name."""
    select = tuple(each if isinstance(each, Selector) else Selector(each) for each in steps)
    return name, Measure(name, "sequence", None, select, within=span(within), of_borrower=of_borrower)


def measures(*pairs: tuple[str, Measure]) -> dict[str, Measure]:
    """Measures by name."""
    return dict(pairs)


def term(value: Any) -> Expression:
    """A name, a number as it is written, or an expression as it stands."""
    if isinstance(value, int | Decimal):
        return Number(Decimal(value))
    if isinstance(value, str):
        return Name(value)
    assert isinstance(value, Expression)
    return value


def compare(left: Any, comparator: Comparator, right: Any) -> Comparison:
    """Two things compared."""
    return Comparison(comparator, term(left), term(right))


def arithmetic(left: Any, operator: Any, right: Any) -> Arithmetic:
    """Two things joined."""
    return Arithmetic(operator, term(left), term(right))


def is_text(name: str, value: str) -> Comparison:
    """A field that must be a text."""
    return Comparison("==", Name(name), Text(value))


def both(*parts: Condition) -> And:
    """All of these."""
    return And(parts)


def either(*parts: Condition) -> Or:
    """Any of these."""
    return Or(parts)


def opposite(of: Condition) -> Not:
    """Not this."""
    return Not(of)


def found(name: str) -> Holds:
    """A sequence or a flag that is true."""
    return Holds(name)
