"""What differs between two rules, or between two shelves, field by field and from their values: never from their texts.

A field that decides is one that the hash is over, so two rules of equal hashes differ in words alone.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from rules.language import TextsFile
from rules.rule import Rule, Shelf
from rules.versions import deciding

WORDS = ("title", "owner", "why", "guide", "false_alarms", "blind_spots", "refs", "basis", "tests")
_NAMED = ("measure", "escalate")  # fields of which each entry is told by itself
Texts = Mapping[str, Mapping[str, TextsFile]]  # rule -> language -> its texts


class Change(NamedTuple):
    """One field that decides, with what stood there and what stands there; None: nothing does."""

    path: tuple[str, ...]  # ("when",), ("escalate", "high"), ("measure", "missed"), ("measure", "missed", "over")
    before: Any
    after: Any


class RuleChange(NamedTuple):
    """A rule that is not the same on two shelves; None: it is not on the shelf."""

    rule: str
    before: Rule | None
    after: Rule | None
    deciding: tuple[Change, ...]
    words: tuple[str, ...]  # fields of texts that changed; a language stands for the texts beside the rule


class Texted(NamedTuple):
    """A shelf with the texts beside its rules."""

    shelf: Shelf
    texts: Texts


def shelf_changes(before: Texted, after: Texted) -> tuple[RuleChange, ...]:
    """Every rule that is not the same, by name."""
    old, new = ({rule.rule: rule for rule in each.shelf.rules} for each in (before, after))
    found = []
    for name in sorted(old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        if one is None or other is None:
            found.append(RuleChange(name, one, other, (), ()))
            continue
        words = (*changed_words(one, other), *_languages(before.texts.get(name, {}), after.texts.get(name, {})))
        change = RuleChange(name, one, other, rule_changes(one, other), words)
        if change.deciding or change.words:
            found.append(change)
    return tuple(found)


def rule_changes(before: Rule, after: Rule, *, but: Collection[str] = ()) -> tuple[Change, ...]:
    """Every deciding field in which two rules differ, but some, in the order in which a rule is read."""
    return tuple(_differences(deciding(before), deciding(after), frozenset(but)))


def changed_words(before: Rule, after: Rule) -> tuple[str, ...]:
    """The fields of texts in which two rules differ; where a case stands in its file is no difference."""
    return tuple(name for name in WORDS if _words(before, name) != _words(after, name))


def _words(rule: Rule, name: str) -> Any:
    return [replace(case, line=1) for case in rule.tests] if name == "tests" else getattr(rule, name)


def _languages(before: Mapping[str, TextsFile], after: Mapping[str, TextsFile]) -> list[str]:
    return [lang for lang in sorted(before.keys() | after.keys()) if before.get(lang) != after.get(lang)]


def _differences(before: dict[str, Any], after: dict[str, Any], but: frozenset[str]) -> Iterator[Change]:
    for name in sorted(before.keys() - but, key=_place):
        if name in _NAMED:
            yield from _of_entries((name,), before[name], after[name])
        elif before[name] != after[name]:
            yield Change((name,), before[name], after[name])


def _of_entries(path: tuple[str, ...], before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    """Entries that are new or gone, and of those that are on both sides what differs."""
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _of_entries((*path, name), one, other)
        elif one != other:
            yield Change((*path, name), one, other)


_ORDER = ("status", "challenges", "since", "retired_because", "per", "measure", "when", "for", "severity", "escalate")


def _place(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)
