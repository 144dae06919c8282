"""The packs of the shipped shelf: each folder of it is one, and a bank's settings say which of them decide."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rules.faults import shown, suggestion
from rules.rule import Rule

SHELF = Path(__file__).parent / "shelf"


class Off(NamedTuple):
    """The packs that do not decide, and those that a bank may switch on beside the default ones."""

    packs: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()

    def has(self, rule: Rule) -> bool:
        """Whether a rule stands in a pack that is off."""
        return pack_of(rule) in self.packs

    def keeps_apart(self, one: Rule, other: Rule) -> bool:
        """Whether two rules are never held against each other, as this bank does not run both.

        They are of two optional packs that are not both on: nobody runs the ladders of two regimes by accident.
        """
        both = {pack_of(one), pack_of(other)}
        return len(both) > 1 and both <= self.optional and not both.isdisjoint(self.packs)


NONE_OFF = Off()


def pack_of(rule: Rule) -> str:
    """The folder that a rule stands in."""
    return Path(rule.file).parent.name


def shipped_packs() -> tuple[str, ...]:
    """The names of all packs.

    >>> "individuals" in shipped_packs()
    True
    """
    return tuple(sorted(path.name for path in SHELF.iterdir() if path.is_dir()))


def folders_of(packs: Iterable[str]) -> list[Path]:
    """Where the files of some packs stand."""
    return [SHELF / pack for pack in packs]


def off_beside(on: Iterable[str], by_default: Iterable[str]) -> Off:
    """The packs that are off when some are on, where some are on as a default."""
    every = frozenset(shipped_packs())
    return Off(every - frozenset(on), every - frozenset(by_default))


def known_packs(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of packs, each there and named once; ValueError with a sentence for the first that is not."""
    known = shipped_packs()
    for name in names:
        if name not in known:
            raise ValueError(f"expected packs of the shipped shelf, got {shown(name)}{suggestion(name, known)}")
        if names.count(name) > 1:
            raise ValueError(f"expected each pack once, got {name!r} twice")
    return names
