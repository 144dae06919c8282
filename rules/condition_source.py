"""The text of a condition made ready for Python's parser, which then says where each node stands in it."""

import ast
import keyword
import re
import unicodedata
import warnings
from dataclasses import dataclass, replace

from rules.faults import shown

LONGEST = 2_000
_QUOTED_OR_PERCENT = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|(?<![\w.])([0-9]+(?:\.[0-9]+)?)%")
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_OUTSIDE = re.compile(r"[#\\`$?@;~^|&{}]|[^\x00-\x7f]")
# How other languages write it -> how it is written here.
_HABITS = (
    (re.compile(r"&&|\bAND\b|&"), "and"),
    (re.compile(r"\|\||\bOR\b|\|"), "or"),
    (re.compile(r"\bNOT\b|!(?!=)"), "not"),
    (re.compile(r"=>|≥"), ">="),
    (re.compile(r"=<|≤"), "<="),
    (re.compile(r"<>|≠"), "!="),
    (re.compile(r"(?<![<>=!])=(?!=)"), "=="),
)
# What other languages can do and this one cannot, and what to write for it.
_NO_PATTERNS = "there are no patterns; compare whole texts, such as kind == 'a' or kind == 'b'"
_ELSEWHERE = (
    (re.compile(r"[=!]~|~\*?\s*''|[=~]\s*/|\b(?:i?like|r?like|matches|regexp?|contains|startswith|endswith)\s*\(?\s*''"),
     _NO_PATTERNS),
    (re.compile(r"\.(?:startswith|endswith|match|contains|lower|upper|strip)\b"), _NO_PATTERNS),
    (re.compile(r"\bin\b"), "write each text out, such as kind == 'a' or kind == 'b'"),
    (re.compile(r"\bbetween\b.*\band\b"), "write both ends, such as amount >= 1 and amount <= 2"),
    (re.compile(r"\bis\b"), "write ==; whether something is missing cannot be asked, for it is unknown"),
)  # fmt: skip


@dataclass(frozen=True)
class Unreadable:
    """The sentences about a text that is no expression at all."""

    messages: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A parsed text: its tree, and the text behind each node."""

    tree: ast.expr
    text: bytes  # as parsed; the parser counts bytes
    percents: frozenset[int]  # where numbers begin that were written with %
    messages: tuple[str, ...] = ()  # what had to be read as another language writes it

    def text_of(self, node: ast.expr) -> str:
        """What was written for a node."""
        return self.text[node.col_offset : node.end_col_offset].decode().strip()

    def name(self, node: ast.Name) -> str:
        """The name that was written; `class` is a field, though Python keeps the word for itself."""
        return node.id.removesuffix("_") if _is_masked(node.id) else node.id

    def is_percent(self, node: ast.Constant) -> bool:
        """Whether the number was written with %."""
        return node.col_offset in self.percents


def parsed(text: str, names: frozenset[str]) -> Source | Unreadable:
    """The text as one expression over names; habits of other languages are told, and read as they are meant."""
    if len(text) > LONGEST:
        return Unreadable((f"expected at most {LONGEST} characters, got {len(text)}; name parts as measures",))
    text = " ".join(text.split())
    bare = _QUOTED.sub("''", text)
    if not bare:
        return Unreadable(("expected a condition such as 'missed >= 2', got nothing",))
    if advice := next((advice for habit, advice in _ELSEWHERE if habit.search(bare)), None):
        return Unreadable((f"cannot read {shown(text)}; {advice}",))
    source = _source(text, names)
    if source is not None:
        return source
    meant, messages = _as_meant(text)
    source = _source(meant, names) if messages else None
    if source is not None:
        return replace(source, messages=messages)
    return Unreadable(messages + _left_over(text, _QUOTED.sub("''", meant), is_all=not messages))


def _source(text: str, names: frozenset[str]) -> Source | None:
    if _OUTSIDE.search(_QUOTED.sub("''", text)):
        return None
    text, percents = _without_percents(_masked(text, names))
    try:
        # Python warns of texts that it parses all the same, such as `1and 2`; here they are mistakes.
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError, Warning):
        return None
    return Source(tree, text.encode(), percents)


def _as_meant(text: str) -> tuple[str, tuple[str, ...]]:
    """A text with what is written in the ways of other languages as it is written here, and a sentence for each."""
    meant, messages = text, []
    for strange in dict.fromkeys(_OUTSIDE.findall(_QUOTED.sub("''", text))):
        plain = unicodedata.normalize("NFKC", strange)
        if plain != strange and plain.isascii():
            messages.append(f"cannot read {strange!r} in {shown(text)}; write {plain} in place of it")
            meant = _outside_quotes(re.escape(strange), plain, meant)
    for habit, word in _HABITS:
        if found := habit.search(_QUOTED.sub("''", meant)):
            messages.append(f"cannot read {shown(text)}; write {word} in place of {found[0]}")
            meant = _outside_quotes(habit.pattern, f" {word} ", meant)
    return meant, tuple(messages)


def _outside_quotes(pattern: str, by: str, text: str) -> str:
    return re.sub(rf"{_QUOTED.pattern}|({pattern})", lambda found: by if found[1] is not None else found[0], text)


def _left_over(text: str, bare: str, *, is_all: bool) -> tuple[str, ...]:
    """The sentence about what is no habit; nothing where another sentence may be the reason."""
    strange = _OUTSIDE.search(bare)
    if strange and strange[0].isalpha():
        return (f"cannot read {strange[0]!r} in {shown(text)}; names are of small letters a to z, digits and _",)
    if strange:
        return (f"cannot read {strange[0]!r} in {shown(text)}; delete it",)
    if not is_all:
        return ()
    return (f"cannot read {shown(text)}; expected a condition such as 'missed >= 2 and overdue >= 5'",)


def _without_percents(text: str) -> tuple[str, frozenset[int]]:
    percents: set[int] = set()

    def blanked(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        percents.add(len(text[: found.start()].encode()))
        return found[1] + " "

    return _QUOTED_OR_PERCENT.sub(blanked, text), frozenset(percents)


def _masked(text: str, names: frozenset[str]) -> str:
    """The text with an underscore after each name that is a word of Python."""
    reserved = [name for name in names if keyword.iskeyword(name)]
    if not reserved:
        return text
    pattern = re.compile(rf"'[^'\n]*'|\"[^\"\n]*\"|\b({'|'.join(reserved)})\b")
    return pattern.sub(lambda found: found[0] + "_" if found[1] else found[0], text)


def _is_masked(name: str) -> bool:
    return name.endswith("_") and keyword.iskeyword(name[:-1])
