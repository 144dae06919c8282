"""A condition written back as text, one way for all spellings, so that a space or a bracket is no change of a rule."""

from decimal import Decimal

from rules.rule import (
    And,
    Arithmetic,
    Comparison,
    Condition,
    Expression,
    Holds,
    Name,
    Negative,
    Not,
    Number,
    Or,
    Selector,
    Text,
)

_OR, _AND, _NOT, _COMPARE, _ADD, _MULTIPLY, _NEGATE, _ATOM = range(8)


def condition_text(part: Condition | Expression) -> str:
    """The shortest text with the same meaning.

    >>> from rules.conditions import parse_when
    >>> condition_text(parse_when("((a)>=0.850) or (b < 1 and not (a - (b - 1) > 2))", {"a": "number", "b": "number"}))
    'a >= 0.85 or b < 1 and not a - (b - 1) > 2'
    """
    return _written(part)[0]


def selector_text(select: Selector) -> str:
    """The event and how it is narrowed."""
    return select.event if select.where is None else f"{select.event} where {condition_text(select.where)}"


def number_text(value: Decimal) -> str:
    """A number without needless zeros.

    >>> number_text(Decimal("200")), number_text(Decimal("0.850")), number_text(Decimal("0.00"))
    ('200', '0.85', '0')
    """
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _written(part: Condition | Expression) -> tuple[str, int]:
    """The text, and how tightly it binds."""
    match part:
        case Number(value):
            return number_text(value), _ATOM
        case Text(value):
            return (f'"{value}"' if "'" in value else f"'{value}'"), _ATOM
        case Name(name) | Holds(name):
            return name, _ATOM
        case Negative(of):
            return f"-{_inside(of, _NEGATE)}", _NEGATE
        case Arithmetic(operator, left, right):
            binds = _ADD if operator in "+-" else _MULTIPLY
            return f"{_inside(left, binds)} {operator} {_inside(right, binds + 1)}", binds
        case Comparison(comparator, left, right):
            return f"{_inside(left, _ADD)} {comparator} {_inside(right, _ADD)}", _COMPARE
        case Not(of):
            return f"not {_inside(of, _NOT)}", _NOT
        case And(parts):
            return " and ".join(_inside(each, _AND + 1) for each in parts), _AND
        case Or(parts):
            return " or ".join(_inside(each, _OR + 1) for each in parts), _OR


def _inside(part: Condition | Expression, at_least: int) -> str:
    text, binds = _written(part)
    return text if binds >= at_least else f"({text})"
