"""YAML text to plain data, refusing what YAML would quietly read as something else than was written.

PyYAML composes the nodes with their marks; what a scalar means is decided here, so that `no`, `010` and `1:30` are
questions to the author and never false, 8 and 90.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import yaml

from rules.faults import shown

# (node, path, message)
Note = Callable[[yaml.Node, tuple[str | int, ...], str], None]

DEEPEST = 30
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_TRAPS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_TRAPS |= {"true": "true", "false": "false", "null": "null"}
_CLOCK = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")
_ODD_NUMBER = re.compile(
    r"[-+]?(0[0-9_.]+|0x[0-9a-f_]+|0o[0-7_]+|0b[01_]+|[0-9][0-9_.]*_[0-9_.]*|[0-9]+\.|\.[0-9]+|\.inf|\.nan"
    r"|[0-9]+(\.[0-9]*)?e[-+]?[0-9]+)|\+[0-9]+(\.[0-9]+)?",
    re.IGNORECASE,
)
_LONGEST_NUMBER = 24
_LONGEST_ODD_NUMBER = 100
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map", "merge", "value")
)


class DataReader:
    """Turns nodes into data; what is wrong goes to `note`, and reading goes on."""

    def __init__(self, note: Note) -> None:
        self.note = note
        self.seen: set[int] = set()

    def read(self, node: yaml.Node, path: tuple[str | int, ...] = (), *, above: yaml.Node | None = None) -> Any:
        """The data of a node that stands under a name or in a list."""
        if node.tag not in _PLAIN_TAGS:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            self.note(node, path, f"the tag {shown(tag)} is not allowed; write the value alone")
        # An alias gives the same node again, with the marks of the first; it may even stand inside itself. A long text
        # that is repeated by a short alias would be as dear to read as a list of lists.
        if id(node) in self.seen:
            self.note(above or node, path, "an alias (*name) is not allowed here; write the value out")
            return None
        self.seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if len(path) > DEEPEST:
            self.note(node, path, f"nested deeper than {DEEPEST} levels; write it flatter")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        return [self.read(item, (*path, i), above=node) for i, item in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.note(key_node, path, "a list or mapping cannot be the name of a field; is a text missing quotes?")
                continue
            key = key_node.value
            value = self.read(value_node, (*path, key), above=key_node)
            if key in data:
                self.note(key_node, (*path, key), "stands here a second time; keep one of the two")
                continue
            data[key] = value
        return data

    def _scalar(self, node: yaml.ScalarNode, path: tuple[str | int, ...]) -> Any:
        text: str = node.value
        if node.style not in (None, ""):  # quoted or a block: a text
            return text
        if text in _WORDS:
            return _WORDS[text]
        if not text[0].isalpha():
            return self._number(node, path)
        if text.lower() in _TRAPS:
            meant = _TRAPS[text.lower()]
            self.note(node, path, f"YAML reads {text} as {meant}; write {meant}, or '{text}' if it is a text")
        return text

    def _number(self, node: yaml.ScalarNode, path: tuple[str | int, ...]) -> Any:
        text: str = node.value
        is_decimal = _DECIMAL.fullmatch(text) is not None
        if is_decimal or _INTEGER.fullmatch(text):
            if len(text) > _LONGEST_NUMBER:
                self.note(node, path, f"expected a number of at most {_LONGEST_NUMBER} characters, got {len(text)}")
                return 0
            return Decimal(text) if is_decimal else int(text)
        if len(text) > _LONGEST_ODD_NUMBER:
            return text  # no number of any kind, and dear to look at as one
        if _CLOCK.fullmatch(text):
            self.note(node, path, f"YAML reads {text} as a number of base 60; write '{text}' with quotes")
        elif _ODD_NUMBER.fullmatch(text):
            self.note(node, path, f"YAML may read {text} as another number; write plain digits, or '{text}' for a text")
        return text
