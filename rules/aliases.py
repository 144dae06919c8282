"""Badly named measures under names that a condition and a message can hold, so that a bad name is one fault alone."""

import keyword
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = ("and", "or", "not")


class Aliases(NamedTuple):
    """What stands for each name that cannot be read where names stand."""

    by_name: Mapping[str, str]

    def of(self, name: str) -> str:
        """The name under which a measure is looked up."""
        return self.by_name.get(name, name)

    def readable(self, text: str) -> str:
        """A text with each bad name under its alias."""
        return _exchanged(text, self.by_name)

    def as_written(self, message: str) -> str:
        """A message with each alias as the name that the author wrote."""
        return _exchanged(message, {alias: name for name, alias in self.by_name.items()})


def aliases_of(names: Iterable[str]) -> Aliases:
    """Aliases of the names that have a letter and cannot be read; `and`, `or` and `not` are always read as such.

    >>> aliases = aliases_of(["missed", "late-twice", "class", "and"])
    >>> aliases.by_name, aliases.readable("late-twice >= 2 and missed >= 1")
    ({'late-twice': '_late_twice', 'class': '_class'}, '_late_twice >= 2 and missed >= 1')
    """
    taken = set(names)
    found: dict[str, str] = {}
    for name in names:
        is_read = _PLAIN.fullmatch(name) is not None and not keyword.iskeyword(name)
        if is_read or name in _OPERATORS or not any(map(str.isalpha, name)):
            continue
        alias = "_" + re.sub(r"[^A-Za-z0-9_]", "_", name)
        while alias in taken:
            alias = f"_{alias}"
        taken.add(alias)
        found[name] = alias
    return Aliases(found)


def _exchanged(text: str, words: Mapping[str, str]) -> str:
    if not words:
        return text
    longest_first = sorted(words, key=len, reverse=True)
    pattern = rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)"
    return re.sub(pattern, lambda found: words[found[0]], text)
