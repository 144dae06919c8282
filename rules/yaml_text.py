r"""A YAML file as data that still knows its lines, and its check against a pydantic model with every fault at once.

>>> from pydantic import BaseModel
>>> class Task(BaseModel, extra="forbid"):
...     queue: str
...     days: int
>>> task = validate(read("queue: early\ndays: 2", "task.yaml"), Task)
>>> task.queue, task.days
('early', 2)
>>> validate(read("queue: early\ndais: 2", "task.yaml"), Task)
Traceback (most recent call last):
rules.faults.RuleError: task.yaml:2:1 dais: no such field; did you mean 'days'?
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from rules.faults import Fault, RuleError, named
from rules.shapes import problems
from rules.yaml_nodes import DataReader

Path = tuple[str | int, ...]
Named = dict[str | int, tuple[yaml.Node, yaml.Node]]
Model = TypeVar("Model", bound=BaseModel)

LONGEST_TEXT = 1_000_000
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as YAML counts lines
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")


@dataclass(frozen=True)
class Document:
    """What a file says, and where."""

    file: str
    text: str
    data: Any
    root: yaml.Node | None = None  # None: composed again when a place is asked for
    faults: tuple[Fault, ...] = ()  # what YAML would have hidden
    trapped: frozenset[Path] = frozenset()  # where it would have
    # The names of each mapping that was looked into: a file of many faults looks into the same ones again and again.
    _places: dict[int, Named] = field(default_factory=dict, compare=False, repr=False)

    def light(self) -> "Document":
        """The same without its nodes: thousands of kept trees would cost more than reading one text again."""
        return replace(self, root=None, data=None, _places={})

    def where(self, path: Path) -> tuple[int, int]:
        """Line and column of the name at a path (of the item, in a list); of the nearest above when it is not there."""
        # The file as a whole is its first line, even when comments stand before the first field.
        return _place(self._nodes_at(path)[0]) if path else (1, 1)

    def where_value(self, path: Path) -> tuple[int, int]:
        """Line and column of the value at a path."""
        return _place(self._nodes_at(path)[1])

    def fault(self, path: Path, message: str, *, at_value: bool = False) -> Fault:
        """A fault at a path of this file."""
        line, column = self.where_value(path) if at_value else self.where(path)
        return Fault(self.file, line, column, dotted(path), message)

    def _nodes_at(self, path: Path) -> tuple[yaml.Node | None, yaml.Node | None]:
        """The node that names what stands at a path, and its value; of the nearest above when it is not there."""
        places = {} if self.root is None else self._places
        at = node = _composed(self.text) if self.root is None else self.root
        for step in path:
            if isinstance(node, yaml.MappingNode):
                named = places.get(id(node)) or places.setdefault(id(node), _named(node))
                if step not in named:
                    break
                at, node = named[step]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                at = node = node.value[step]
            else:
                break
        return at, node


def dotted(path: Path) -> str:
    """A path as it is shown.

    >>> dotted(("measure", "missed", "over")), dotted(("tests", 0, "given")), dotted(())
    ('measure.missed.over', 'tests[0].given', 'file')
    """
    steps = (f"[{step}]" if isinstance(step, int) else f".{named(step)}" for step in path)
    return "".join(steps).removeprefix(".") or "file"


def read(text: str, file: str) -> Document:
    """The document of a text; RuleError when it is no YAML at all."""
    if len(text) > LONGEST_TEXT:
        raise RuleError([Fault(file, 1, 1, "file", f"expected at most {LONGEST_TEXT} characters, got {len(text)}")])
    text = text.removeprefix("\ufeff")
    if forbidden := _FORBIDDEN.search(text):
        line, column = _line_and_column(text, forbidden.start())
        what = f"the character U+{ord(forbidden[0]):04X} is not allowed; delete it"
        raise RuleError([Fault(file, line, column, "file", what)])
    try:
        root = _composed(text)
    except yaml.MarkedYAMLError as error:
        raise RuleError([_not_yaml(error, text, file)]) from None
    if root is None:
        raise RuleError([Fault(file, 1, 1, "file", "expected fields such as 'rule: name', got an empty file")])
    faults: list[Fault] = []
    trapped: set[Path] = set()

    def note(node: yaml.Node, path: Path, message: str) -> None:
        faults.append(Fault(file, *_place(node), dotted(path), message))
        trapped.add(path)

    data = DataReader(note).read(root)
    return Document(file, text, data, root, tuple(faults), frozenset(trapped))


def validate(document: Document, model: type[Model]) -> Model:
    """The document as a model; RuleError with every fault, those that YAML would have hidden included."""
    found, faults = checked(document, model, document.data)
    if found is None or faults:
        raise RuleError(faults)
    return found


def checked(document: Document, model: type[Model], data: Any) -> tuple[Model | None, list[Fault]]:
    """The data of a document as a model, or None, and the faults either way."""
    faults = list(document.faults)
    try:
        return model.model_validate(data), faults
    except ValidationError as error:
        trapped = {fault.path for fault in faults}  # one sentence a place is enough
        found = (
            document.fault(each.path, each.message, at_value=each.at_value) for each in problems(error, model, data)
        )
        return None, faults + [fault for fault in found if fault.path not in trapped]


def _composed(text: str) -> yaml.Node | None:
    return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _named(node: yaml.MappingNode) -> Named:
    """Where each name of a mapping and its value stand; of two equal names the first."""
    named: Named = {}
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            named.setdefault(key.value, (key, value))
    return named


def _place(node: yaml.Node | None) -> tuple[int, int]:
    if node is None:
        return 1, 1
    return node.start_mark.line + 1, node.start_mark.column + 1


# What stands in the line of a mistake -> what to do about it.
_HINTS = (
    (re.compile(r"^[ ]*\t"), "a tab stands before the first word; indent with spaces"),
    (re.compile("："), "write : and a space in place of ："),
    (re.compile("，"), "write , in place of ，"),
    (re.compile(r"^(?:---|\.\.\.)"), "one file holds one document; take this line out"),
)


def _not_yaml(error: yaml.MarkedYAMLError, text: str, file: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    marks = [each for each in (error.context_mark, error.problem_mark) if each is not None]
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    what = " ".join(part for part in (error.context, error.problem) if part)
    lines = _LINE_END.split(text)
    of_marks = [lines[each.line] for each in marks if each.line < len(lines)]
    found = (advice for sign, advice in _HINTS for each in of_marks if sign.search(each))
    advice = next(found, "check quotes, brackets, colons and indentation")
    return Fault(file, line, column, "file", f"not YAML: {what}; {advice}")


def _line_and_column(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n") + 1, at - before.rfind("\n")
