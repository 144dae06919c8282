"""A checked condition as two Python expressions: when it holds, and when it fails; neither true means unknown.

`fails` is the dual of `holds`: comparators are turned, `and` and `or` change places, and nothing is ever negated, so an
unknown value (NAN, with which every comparison is false) makes neither of the two true. Numbers are compared exactly:
both sides are multiplied by their denominators, and only `/` makes a fraction.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from math import gcd
from typing import Any, NamedTuple

from rules.rule import (
    And,
    Arithmetic,
    Comparator,
    Comparison,
    Condition,
    Expression,
    Holds,
    Name,
    Negative,
    Not,
    Number,
    Or,
    Text,
)

DUAL: dict[Comparator, Comparator] = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
FLIPPED: dict[Comparator, Comparator] = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}


class Scope(NamedTuple):
    """How names are read where the expression will run."""

    exact: Callable[[str], tuple[str, int]]  # code of the kept integer, and what divides it into the rule's unit
    at_least: Callable[[str], str]  # code of its lower bound
    truth: Callable[[str, bool], str]  # code that is true when the name is known to be that
    text: Callable[[str, Comparator, str], str]  # code that compares a text


class Term(NamedTuple):
    """An expression as code over a whole denominator."""

    code: str
    divisor: int = 1


def holds(condition: Condition, scope: Scope) -> str:
    """Code that is true exactly when the condition is known to hold."""
    match condition:
        case Comparison(comparator, left, right):
            return _compare(comparator, left, right, scope)
        case Holds(name):
            return scope.truth(name, True)
        case And(parts):
            return "(" + " and ".join(holds(part, scope) for part in parts) + ")"
        case Or(parts):
            return "(" + " or ".join(holds(part, scope) for part in parts) + ")"
        case Not(of):
            return fails(of, scope)


def fails(condition: Condition, scope: Scope) -> str:
    """Code that is true exactly when the condition is known not to hold."""
    match condition:
        case Comparison(comparator, left, right):
            return _compare(DUAL[comparator], left, right, scope)
        case Holds(name):
            return scope.truth(name, False)
        case And(parts):
            return "(" + " or ".join(fails(part, scope) for part in parts) + ")"
        case Or(parts):
            return "(" + " and ".join(fails(part, scope) for part in parts) + ")"
        case Not(of):
            return holds(of, scope)


def ratio(a: Any, b: Any) -> Any:
    """One division of two numbers, exact; unknown when the divisor is zero or either is unknown."""
    if b == 0 or a != a or b != b:
        return math.nan
    return Fraction(a) / b


def times(a: Any, b: Any) -> Any:
    """A product; unknown when either is, however large the other."""
    return math.nan if a != a or b != b else a * b


def plus(a: Any, b: Any) -> Any:
    """A sum; unknown when either is."""
    return math.nan if a != a or b != b else a + b


def minus(a: Any, b: Any) -> Any:
    """A difference; unknown when either is."""
    return math.nan if a != a or b != b else a - b


OPERATIONS: dict[str, Any] = {"ratio": ratio, "times": times, "plus": plus, "minus": minus}


def _compare(comparator: Comparator, left: Expression, right: Expression, scope: Scope) -> str:
    match left, right:
        case Name(name), Text(text):
            return scope.text(name, comparator, text)
        case Text(text), Name(name):
            return scope.text(name, FLIPPED[comparator], text)
    if constant(left) is not None and constant(right) is None:
        comparator, left, right = FLIPPED[comparator], right, left
    if isinstance(left, Name) and constant(right) is not None and comparator in (">=", ">"):
        a = Term(scope.at_least(left.name), scope.exact(left.name)[1])
    else:
        a = _term(left, scope)
    b = _term(right, scope)
    common = gcd(a.divisor, b.divisor)
    one = _times(a.code, b.divisor // common)
    two = _times(b.code, a.divisor // common)
    if comparator == "!=":  # NAN differs from everything, so difference is said as two comparisons
        return f"({one} < {two} or {one} > {two})"
    return f"{one} {comparator} {two}"


def constant(expression: Expression) -> Fraction | None:
    """The value of an expression without names; None when it has one (or divides by zero)."""
    match expression:
        case Number(value):
            return Fraction(value)
        case Negative(of):
            inner = constant(of)
            return None if inner is None else -inner
        case Arithmetic(operator, left, right):
            a, b = constant(left), constant(right)
            if a is None or b is None or (operator == "/" and b == 0):
                return None
            return {"+": a.__add__, "-": a.__sub__, "*": a.__mul__, "/": a.__truediv__}[operator](b)
    return None


def _term(expression: Expression, scope: Scope) -> Term:
    value = constant(expression)
    if value is not None:
        return Term(str(value.numerator) if value >= 0 else f"({value.numerator})", value.denominator)
    match expression:
        case Name(name):
            return Term(*scope.exact(name))
        case Negative(of):
            inner = _term(of, scope)
            return Term(f"(-{inner.code})", inner.divisor)
        case Arithmetic("/", left, right):
            a, b = _term(left, scope), _term(right, scope)
            return Term(f"ratio({_times(a.code, b.divisor)}, {_times(b.code, a.divisor)})")
        case Arithmetic("*", left, right):
            a, b = _term(left, scope), _term(right, scope)
            return Term(f"times({a.code}, {b.code})", a.divisor * b.divisor)
        case Arithmetic(operator, left, right):
            a, b = _term(left, scope), _term(right, scope)
            common = gcd(a.divisor, b.divisor)
            joined = "plus" if operator == "+" else "minus"
            code = f"{joined}({_times(a.code, b.divisor // common)}, {_times(b.code, a.divisor // common)})"
            return Term(code, a.divisor * b.divisor // common)
    raise TypeError(f"expected a number, got {expression}")


def _times(code: str, factor: int) -> str:
    return code if factor == 1 else f"times({code}, {factor})"
