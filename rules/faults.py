"""What is wrong in a file that a person wrote: where it stands, what was expected, what came, what to do.

RuleError     a file (rules, their texts and lock; settings and mappings are read by the same means)
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

SHOWN_CHARACTERS = 60
_PLAIN_NAME = re.compile(r"[\w.-]+")
_QUOTED = re.compile(r"(?<!\w)(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")(?!\w)")
_EXPECTED = re.compile(r"\bexpected (.*?)(?:, got (.*))?$")
_NO_SUCH = re.compile(r"no (\w+) named (\S+)(?: .*)?")
_MISSING = re.compile(r"(\S+) is missing(: .*)?")


@dataclass(frozen=True, order=True)
class Fault:
    """One mistake.

    >>> print(Fault("late.yaml", 14, 1, "when", "no measure named 'misssed'; did you mean 'missed'?"))
    late.yaml:14:1 when: no measure named 'misssed'; did you mean 'missed'?
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column} {self.path}: {self.message}"


class Sentence(NamedTuple):
    """The parts of a fault's message, for a machine; None where the sentence has no such part."""

    expected: str | None
    got: str | None
    suggestion: str | None


def sentence_of(message: str) -> Sentence:
    """What a message says was expected, what came, and what to do: the form that every message keeps.

    >>> sentence_of("expected low or high, got 'hihg'; did you mean 'high'?")
    Sentence(expected='low or high', got="'hihg'", suggestion="did you mean 'high'?")
    >>> sentence_of("no measure named 'a; b'; did you mean 'ab'?")
    Sentence(expected='a measure', got="'a; b'", suggestion="did you mean 'ab'?")
    >>> sentence_of("owner is missing: the team that answers for this rule")
    Sentence(expected='owner: the team that answers for this rule', got='nothing', suggestion=None)
    """
    # Cut where no quotes stand around: what a person wrote may hold any of these words.
    masked = _QUOTED.sub(lambda found: "\0" * len(found[0]), message)
    end = masked.find("; ")
    head = masked if end < 0 else masked[:end]
    suggestion = None if end < 0 else message[end + 2 :]
    if found := _EXPECTED.search(head):
        got = None if found[2] is None else message[found.start(2) : found.end(2)]
        return Sentence(message[found.start(1) : found.end(1)], got, suggestion)
    if found := _NO_SUCH.fullmatch(head):
        return Sentence(f"a {found[1]}", message[found.start(2) : found.end(2)], suggestion)
    if found := _MISSING.fullmatch(head):
        return Sentence(found[1] + (found[2] or ""), "nothing", suggestion)
    return Sentence(None, None, suggestion)


# Fields that tell people something and decide nothing: a rule without them can still be run.
_FOR_PEOPLE = frozenset(
    {"owner", "since", "title", "why", "guide", "false_alarms", "blind_spots", "tests", "refs", "basis"}
)


def stops_a_run(fault: Fault) -> bool:
    """Whether a fault leaves nothing to compile, or leaves open what the rule decides.

    >>> stops_a_run(Fault("late.yaml", 1, 1, "file", "owner is missing: the team that answers for this rule"))
    False
    >>> stops_a_run(Fault("late.yaml", 20, 1, "quite", "no such field; did you mean 'quiet'?"))
    True
    """
    words = fault.message.split() if fault.path in ("", "file") else re.split(r"[.\[]", fault.path)
    if words[0] in _FOR_PEOPLE:
        return False
    is_other_name = words[0] == "rule" and fault.message.startswith("expected the name of its file")
    return not (is_other_name or (words[0] == "say" and "is written by hand" in fault.message))


class RuleError(Exception):
    """Files that cannot be used, with every fault of every one of them, in the order they are read."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def shown(value: Any) -> str:
    """A value as a person would name it, shortened.

    >>> shown("two months"), shown(None), shown(True), shown([1, 2]), shown({"a": 1}), shown(7)
    ("'two months'", 'nothing', 'true', 'a list', 'a mapping', '7')
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return repr(shortened(value))
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
    return shortened(str(value))


def shortened(text: str) -> str:
    """At most as many characters as fit into a sentence.

    >>> shortened("a" * 70) == "a" * 57 + "..."
    True
    """
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."


def named(word: str) -> str:
    """A name as it is, in quotes where it has anything but letters, digits and `_ - .`.

    >>> named("days_past_due"), named("a: b")
    ('days_past_due', "'a: b'")
    """
    return word if _PLAIN_NAME.fullmatch(word) else repr(shortened(word))


def one_of(words: Sequence[str]) -> str:
    """Words as a choice.

    >>> one_of(["low", "medium", "high"])
    'low, medium or high'
    """
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word that a misspelt one probably means.

    >>> nearest("misssed", ["missed", "overdue"]), nearest("salary", ["missed", "overdue"])
    ('missed', None)
    """
    return next(iter(difflib.get_close_matches(word[:SHOWN_CHARACTERS], list(words), 1)), None)


def suggestion(word: str, words: Iterable[str]) -> str:
    """The end of a sentence about a word that is not among the words.

    >>> suggestion("misssed", ["missed", "overdue"])
    "; did you mean 'missed'?"
    >>> suggestion("salary", ["missed", "overdue"])
    '; there are missed and overdue'
    """
    known = list(words)
    near = nearest(word, known)
    if near is not None:
        return f"; did you mean {shortened(near)!r}?"
    if not known:
        return ""
    known = [named(each) for each in known]
    if len(known) == 1:
        return f"; there is {known[0]}"
    return f"; there are {', '.join(known[:-1])} and {known[-1]}" if len(known) <= 12 else ""
