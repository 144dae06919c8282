"""Whether a condition is true, false or unknown, by Kleene's logic over values that may be known in part."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from rules.rule import And, Arithmetic, Comparison, Condition, Expression, Holds, Name, Negative, Not, Number, Or, Text

Truth = bool | None
Plain = Fraction | bool | str


@dataclass(frozen=True)
class Value:
    """What is known of a measure: the thing itself, a lower bound of it, or nothing."""

    known: Literal["all", "at least", "nothing"]
    of: Plain | None = None


UNKNOWN = Value("nothing")


def truth_of(condition: Condition, values: Mapping[str, Value]) -> Truth:
    """True, False or None (unknown), by Kleene's logic."""
    if isinstance(condition, Holds):
        of = values[condition.name].of
        return of if isinstance(of, bool) else None
    if isinstance(condition, Not):
        inner = truth_of(condition.of, values)
        return None if inner is None else not inner
    if isinstance(condition, And | Or):
        parts = [truth_of(part, values) for part in condition.parts]
        decides = isinstance(condition, Or)
        if decides in parts:
            return decides
        return None if None in parts else not decides
    return _compared(condition, values)


def _compared(comparison: Comparison, values: Mapping[str, Value]) -> Truth:
    left, right, sign = comparison.left, comparison.right, comparison.comparator
    if _is_number(left) and isinstance(right, Name):
        turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
        left, right, sign = right, left, turned[sign]  # type: ignore[assignment]  # Every value is a comparator.
    a, b = _number(left, values), _number(right, values)
    if isinstance(left, Name) and _is_number(right) and values[left.name].known == "at least":
        return _at_least(values[left.name], sign, b)
    if a is None or b is None:
        return None
    if sign == "==" or sign == "!=":
        return (a == b) == (sign == "==")
    assert isinstance(a, Fraction) and isinstance(b, Fraction)
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]


def _is_number(expression: Expression) -> bool:
    """Whether an expression is a number as it is written, such as 2, -1 or 2 * 30."""
    if isinstance(expression, Arithmetic):
        return _is_number(expression.left) and _is_number(expression.right)
    return _is_number(expression.of) if isinstance(expression, Negative) else isinstance(expression, Number)


def _at_least(value: Value, sign: str, number: Plain | None) -> Truth:
    """A lower bound beside a number: only that it is above can be known."""
    if not isinstance(value.of, Fraction) or not isinstance(number, Fraction):
        return None
    if sign in (">=", "<"):
        return (sign == ">=") if value.of >= number else None
    if sign in (">", "<="):
        return (sign == ">") if value.of > number else None
    return None


def _number(expression: Expression, values: Mapping[str, Value]) -> Plain | None:
    if isinstance(expression, Number):
        return Fraction(expression.value)
    if isinstance(expression, Text):
        return expression.value
    if isinstance(expression, Name):
        value = values[expression.name]
        return value.of if value.known == "all" else None
    if isinstance(expression, Negative):
        inner = _number(expression.of, values)
        return -inner if isinstance(inner, Fraction) else None
    assert isinstance(expression, Arithmetic)
    a, b = _number(expression.left, values), _number(expression.right, values)
    if not isinstance(a, Fraction) or not isinstance(b, Fraction):
        return None
    if expression.operator == "/":
        return None if b == 0 else a / b
    return {"+": a + b, "-": a - b, "*": a * b}[expression.operator]
