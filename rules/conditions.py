"""The conditions of `when`, `escalate` and `where`: text to a checked tree of values.

The text is parsed by Python's own grammar and every node is checked against a list; it is never evaluated.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from rules.catalogue import Kind, Unit
from rules.condition_source import Source, Unreadable, parsed
from rules.faults import shortened, shown, suggestion
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

# What a name stands for; "spoiled": it has a fault of its own, so that nothing is said about its use.
Sort = Literal["number", "truth", "text", "date", "spoiled"]

MACRO = "macro"
FIGURE = re.compile(r"[a-z][a-z0-9_]*")
DEEPEST = 50
_LONGEST_NUMBER = 24  # all its digits fit into a Decimal's context, so that % is exact
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_QUOTED = re.compile(r"'[^'\\\n]*'|\"[^\"\\\n]*\"")
_COMPARATORS: dict[type[ast.cmpop], Comparator] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], Literal["+", "-", "*", "/"]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"
}  # fmt: skip
_SORTS: dict[Unit, Sort] = {"text": "text", "date": "date", "flag": "truth"}
_NOTHING = Number(Decimal(0))  # stands where a fault was noted
_NO_CONDITION = Holds("")


@dataclass(frozen=True)
class Terms:
    """What a condition may name, and the words for it."""

    sorts: Mapping[str, Sort]
    noun: str  # "measures" or "fields"
    absent: Callable[[str], str] | None  # the sentence about a name that does not exist; None: any name may


class ConditionFaults(ValueError):
    """What is wrong in one condition, a sentence each."""

    def __init__(self, messages: list[str]) -> None:
        self.messages = tuple(dict.fromkeys(messages))
        super().__init__("; ".join(self.messages))


def parse_when(text: str, sorts: Mapping[str, Sort] | None) -> Condition:
    """A condition over measures, numbers and published figures; None: which measures there are is not known.

    >>> parse_when("85% <= card_use", {"card_use": "number"})
    Comparison(comparator='<=', left=Number(value=Decimal('0.85')), right=Name(name='card_use'))
    >>> parse_when("card_use", {"card_use": "number"})
    Traceback (most recent call last):
    rules.conditions.ConditionFaults: 'card_use' is a number; compare it, such as card_use >= 1
    """

    def absent(name: str) -> str:
        return f"no measure named {shown(name)}{suggestion(name, sorts or {})}"

    condition = _read(parsed(text, frozenset()), Terms(sorts or {}, "measures", None if sorts is None else absent))
    if not any(True for _ in names_in(condition)):
        raise ConditionFaults(["names no measure, so it says the same for everybody"])
    return condition


def parse_where(text: str, kind: Kind) -> Condition:
    """A condition over the fields of one type of event."""

    def absent(name: str) -> str:
        return f"{kind.name!r} has no field {shown(name)}{suggestion(name, kind.fields)}"

    sorts: dict[str, Sort] = {name: _SORTS.get(field.unit, "number") for name, field in kind.fields.items()}
    condition = _read(parsed(text, frozenset(kind.fields)), Terms(sorts, "fields", absent))
    if not any(True for _ in names_in(condition)):
        raise ConditionFaults([f"names no field of {kind.name!r}, so it narrows nothing"])
    return condition


def where_faults(text: str, names: frozenset[str]) -> tuple[str, ...]:
    """What is wrong in a condition over the fields of an event that is not known, whatever it is.

    >>> where_faults("amount >= 200", frozenset()), where_faults("kind == 'full' and 2", frozenset())
    ((), ("'2' is no condition; compare it, such as 'missed >= 2'",))
    """
    try:
        _read(parsed(text, names), Terms({}, "fields", None))
    except ConditionFaults as faults:
        return faults.messages
    return ()


def names_in(part: Condition | Expression) -> Iterator[str]:
    """Every name in a condition, from left to right, repeats included."""
    match part:
        case Name(name) | Holds(name):
            yield name
        case And(parts) | Or(parts):
            for each in parts:
                yield from names_in(each)
        case Not(of) | Negative(of):
            yield from names_in(of)
        case Comparison(_, left, right) | Arithmetic(_, left, right):
            yield from names_in(left)
            yield from names_in(right)


def _read(source: Source | Unreadable, terms: Terms) -> Condition:
    if isinstance(source, Unreadable):
        raise ConditionFaults(list(source.messages))
    reader = _Reader(source, terms)
    condition = reader.condition(source.tree, 0)
    if reader.messages:
        raise ConditionFaults(reader.messages)
    return condition


class _Reader:
    """Walks one tree, notes every fault and goes on."""

    def __init__(self, source: Source, terms: Terms) -> None:
        self.source = source
        self.terms = terms
        self.messages = list(source.messages)

    # -- what is true or false ----------------------------------------------

    def condition(self, node: ast.expr, depth: int) -> Condition:
        if self._is_too_deep(depth):
            return _NO_CONDITION
        match node:
            case ast.BoolOp(op, values):
                parts = tuple(self.condition(value, depth + 1) for value in values)
                return And(parts) if isinstance(op, ast.And) else Or(parts)
            case ast.UnaryOp(ast.Not(), operand):
                return Not(self.condition(operand, depth + 1))
            case ast.Compare():
                return self._comparisons(node, depth)
            case ast.Name():
                return self._holds(self.source.name(node))
        expression = self.expression(node, depth)
        if expression is not _NOTHING:
            self.messages.append(f"{self._cited(node)} is no condition; compare it, such as 'missed >= 2'")
        return _NO_CONDITION

    def _holds(self, name: str) -> Condition:
        sort = self._sort(name)
        if sort == "number":
            self.messages.append(f"{name!r} is a number; compare it, such as {name} >= 1")
        elif sort in ("text", "date"):
            self.messages.append(f"{name!r} is a {sort}, neither true nor false; compare a text, such as kind == 'x'")
        return Holds(name)

    def _comparisons(self, node: ast.Compare, depth: int) -> Condition:
        sides = [node.left, *node.comparators]
        read = [self.expression(side, depth + 1) for side in sides]
        found: list[Condition] = []
        for i, operator in enumerate(node.ops):
            comparator = _COMPARATORS.get(type(operator))
            if comparator is None:
                self._refuse(node)
                return _NO_CONDITION
            self._check_sides(comparator, read[i], read[i + 1])
            found.append(Comparison(comparator, read[i], read[i + 1]))
        return found[0] if len(found) == 1 else And(tuple(found))

    def _check_sides(self, comparator: Comparator, left: Expression, right: Expression) -> None:
        if left is _NOTHING or right is _NOTHING:
            return
        names = [side.name for side in (left, right) if isinstance(side, Name)]
        if any(self._is_open(name) for name in names):
            return
        texts = [side for side in (left, right) if isinstance(side, Text)]
        field = next((name for name in names if self.terms.sorts.get(name) == "text"), None)
        if field is None and not texts:
            return
        if field is None:
            named = names[0] if names else None
            whose = f"{named!r} is a number" if named else "it is compared with no text"
            self.messages.append(f"the text {texts[0].value!r} cannot be compared here: {whose}")
        elif not texts:
            self.messages.append(f"{field!r} is a text; compare it with a text, such as {field} == 'x'")
        elif comparator not in ("==", "!="):
            self.messages.append(f"{field!r} is a text; compare it with == or !=, not {comparator}")

    def _is_open(self, name: str) -> bool:
        sort = self.terms.sorts.get(name)
        return sort == "spoiled" or (sort is None and self.terms.absent is None)

    def _is_text_field(self, side: Expression) -> bool:
        return isinstance(side, Name) and self.terms.sorts.get(side.name) == "text"

    # -- what is a number or a text -----------------------------------------

    def expression(self, node: ast.expr, depth: int) -> Expression:
        if self._is_too_deep(depth):
            return _NOTHING
        match node:
            case ast.Name():
                return self._name(self.source.name(node))
            case ast.Attribute(ast.Name(id="macro"), figure) if FIGURE.fullmatch(figure) and self._takes_macro():
                return Name(f"{MACRO}.{figure}")
            case ast.Constant(int() | float() | str()):
                return self._literal(node)
            case ast.UnaryOp(ast.USub(), operand):
                return self._computed(node, Negative(self.expression(operand, depth + 1)))
            case ast.BinOp(left, operator, right) if type(operator) in _OPERATORS:
                one, two = self.expression(left, depth + 1), self.expression(right, depth + 1)
                return self._computed(node, Arithmetic(_OPERATORS[type(operator)], one, two))
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(ast.Not()):
                self.messages.append(f"{self._cited(node)} is true or false; it cannot be computed with or compared")
                return _NOTHING
        return self._refuse(node)

    def _takes_macro(self) -> bool:
        return self.terms.noun == "measures"

    def _name(self, name: str) -> Expression:
        sort = self._sort(name)
        if sort == "truth":
            self.messages.append(f"{name!r} is true or false; use it alone or after not")
            return _NOTHING
        if sort == "date":
            self.messages.append(f"{name!r} is a date, and dates cannot be compared here; narrow with 'over' instead")
            return _NOTHING
        return Name(name) if name in self.terms.sorts or self.terms.absent is None else _NOTHING

    def _computed(self, node: ast.expr, found: Negative | Arithmetic) -> Expression:
        operands = (found.of,) if isinstance(found, Negative) else (found.left, found.right)
        if any(isinstance(each, Text) or self._is_text_field(each) for each in operands):
            self.messages.append(f"{self._cited(node)} computes with a text")
            return _NOTHING
        if isinstance(found, Arithmetic) and found.operator == "/" and _is_literal_zero(found.right):
            self.messages.append(f"{self._cited(node)} divides by zero, which is never known")
            return _NOTHING
        return _NOTHING if any(each is _NOTHING for each in operands) else found

    def _literal(self, node: ast.Constant) -> Expression:
        text = self.source.text_of(node)
        if isinstance(node.value, bool):
            return self._refuse(node)
        if isinstance(node.value, str):
            if not _QUOTED.fullmatch(text):
                self.messages.append(f"{shortened(text)} is not a plain text; write one in quotes, such as 'salary'")
                return _NOTHING
            return Text(text[1:-1])
        if not _NUMBER.fullmatch(text) or len(text) > _LONGEST_NUMBER:
            self.messages.append(f"expected a number such as 200, 0.85 or 85%, got {shortened(text)!r}")
            return _NOTHING
        value = Decimal(text)
        return Number(value.scaleb(-2) if self.source.is_percent(node) else value)

    # -- words ---------------------------------------------------------------

    def _sort(self, name: str) -> Sort:
        if name not in self.terms.sorts:
            self.messages += [] if self.terms.absent is None else [self.terms.absent(name)]
            return "spoiled"
        return self.terms.sorts[name]

    def _cited(self, node: ast.expr) -> str:
        return repr(shortened(self.source.text_of(node)))

    def _refuse(self, node: ast.expr) -> Expression:
        self.messages.append(
            f"{self._cited(node)} is not allowed; use {self.terms.noun}, numbers, + - * /, comparisons, and, or, not"
        )
        return _NOTHING

    def _is_too_deep(self, depth: int) -> bool:
        if depth <= DEEPEST:
            return False
        self.messages.append(f"nested deeper than {DEEPEST} levels; make it simpler or name its parts as measures")
        return True


def _is_literal_zero(part: Expression) -> bool:
    return part is not _NOTHING and part == Number(Decimal(0))
