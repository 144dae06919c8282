"""What of published lists of early-warning signs a shelf covers, by the `refs` of its rules; lists are data files.

rules/coverage/LIST.yaml    signs, each with its text; `partly` says what of a covered one is not seen,
                            `missing` why nothing sees it
rule: refs: [LIST:SIGN]     this rule sees it
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from rules.faults import Fault, RuleError, suggestion
from rules.language import Written
from rules.loader import read_file
from rules.packs import NONE_OFF, Off
from rules.rule import Rule
from rules.written import Prose
from rules.yaml_text import Document, validate

LISTS = Path(__file__).parent / "coverage"
Status = Literal["covered", "partly", "not_covered"]
STATUSES: tuple[Status, ...] = ("covered", "partly", "not_covered")


class BothFile(Written):
    """A text in both languages."""

    en: Prose
    zh: Prose

    def in_(self, lang: str) -> str:
        """The text in a language."""
        text: str = getattr(self, lang)
        return text


class SignFile(Written):
    """One sign of a list."""

    text: BothFile = Field(description="the sign, in a few words")
    recalled: bool = False  # its place or wording was not compared with the source
    partly: BothFile | None = Field(None, description="what of it no rule sees, though a rule names it")
    missing: BothFile | None = Field(None, description="why no rule sees it")


class ListFile(Written):
    """A published list."""

    title: BothFile
    source: Prose = Field(description="author, document, place")
    signals: dict[str, SignFile] = Field(min_length=1)


@dataclass(frozen=True)
class Sign:
    """A sign, and what of a shelf sees it."""

    ref: str  # LIST:SIGN
    text: BothFile
    is_recalled: bool
    status: Status
    live: tuple[str, ...]  # rules that tell of it
    shadow: tuple[str, ...]  # rules that decide and tell nobody
    off: tuple[str, ...]  # rules of packs that a bank has not switched on
    why: BothFile | None  # what is not seen of it; None: nothing, or that its rules are in shadow or off


@dataclass(frozen=True)
class Coverage:
    """A list, sign by sign."""

    name: str
    title: BothFile
    source: str
    signs: tuple[Sign, ...]

    def count(self, status: Status) -> int:
        """How many signs have a status."""
        return sum(sign.status == status for sign in self.signs)


def coverages(
    rules: Iterable[Rule], folder: Path = LISTS, off: Off = NONE_OFF, *, is_own: bool = True
) -> list[Coverage]:
    """Every list of a folder, by name.

    Raises RuleError with every fault: a list that cannot be read, a rule that names a sign which its list does not
    have, and, where the lists were written for these rules, a sign that nothing sees and nobody says why, and one said
    to be missing that a rule sees.
    """
    by_ref: dict[str, list[Rule]] = {}
    for rule in sorted(rules, key=lambda rule: rule.rule):
        for ref in rule.refs:
            by_ref.setdefault(ref, []).append(rule)
    found: list[Coverage] = []
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            document = read_file(path)
            written = validate(document, ListFile)
        except RuleError as error:
            faults += error.faults
            continue
        faults += _unknown_signs(path.stem, written, by_ref)
        faults += _unexplained(path.stem, written, by_ref, document) if is_own else []
        found.append(_covered(path.stem, written, by_ref, off))
    if faults:
        raise RuleError(faults)
    return found


def _covered(name: str, written: ListFile, by_ref: dict[str, list[Rule]], off: Off) -> Coverage:
    signs = []
    for key, sign in written.signals.items():
        rules = [rule for rule in by_ref.get(f"{name}:{key}", []) if rule.status in ("live", "shadow")]
        on = [rule for rule in rules if not off.has(rule)]
        live, shadow = (tuple(rule.rule for rule in on if rule.status == status) for status in ("live", "shadow"))
        switched_off = tuple(rule.rule for rule in rules if off.has(rule))
        status: Status = "not_covered" if not rules else "partly" if sign.partly or not live else "covered"
        why = sign.missing if status == "not_covered" else sign.partly
        signs.append(Sign(f"{name}:{key}", sign.text, sign.recalled, status, live, shadow, switched_off, why))
    return Coverage(name, written.title, written.source, tuple(signs))


def _unknown_signs(name: str, written: ListFile, by_ref: dict[str, list[Rule]]) -> list[Fault]:
    faults = []
    for ref, rules in by_ref.items():
        list_name, _, key = ref.partition(":")
        if list_name == name and key not in written.signals:
            near = suggestion(key, sorted(written.signals))
            faults += [Fault(rule.file, 1, 1, "refs", f"no sign {key!r} in {name}{near}") for rule in rules]
    return faults


def _unexplained(name: str, written: ListFile, by_ref: dict[str, list[Rule]], document: Document) -> list[Fault]:
    faults = []
    for key, sign in written.signals.items():
        seen = [rule.rule for rule in by_ref.get(f"{name}:{key}", []) if rule.status in ("live", "shadow")]
        if not seen and sign.missing is None:
            faults.append(document.fault(("signals", key), "no rule that decides names it; say why under `missing`"))
        if seen and sign.missing is not None:
            faults.append(document.fault(("signals", key, "missing"), f"{seen[0]} names it; leave this out"))
    return faults
