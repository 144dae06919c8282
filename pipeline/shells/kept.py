"""The rules that a replay keeps beside its decisions, and what an alert says in the words of its reader."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from pipeline.events import CATALOGUE
from pipeline.shelf import CompiledShelf
from rules.loader import load_text
from rules.rule import Rule
from rules.say import Exact, Language, render
from rules.sidecars import all_texts

RULES = "rules.jsonl"


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of a rule in one language."""

    title: str
    why: str
    say: str
    guide: tuple[str, ...]
    false_alarms: tuple[str, ...]
    blind_spots: tuple[str, ...]


class KeptRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that decided, as its file and the texts beside it stood."""

    rule: str
    version: int
    status: str
    hash: str
    file: str
    text: str
    texts: dict[str, Texts] = {}
    shelves: tuple[str, ...] = ()  # the hashes of those it decided in


def kept(rule: Rule) -> KeptRule:
    """A rule with its texts in every language that somebody wrote."""
    return KeptRule(
        rule=rule.rule,
        version=rule.version,
        status=rule.status,
        hash=rule.hash,
        file=Path(rule.file).name,
        text=rule.text,
        texts={lang: msgspec.convert(texts.model_dump(), Texts) for lang, texts in all_texts(rule).items()},
    )


def kept_rules(shelf: CompiledShelf) -> list[KeptRule]:
    """Every rule of a shelf that decides."""
    return [kept(rule) for _, rule in sorted(shelf.rules.items())]


def of_shelves(rules: Mapping[str, Iterable[KeptRule]]) -> list[KeptRule]:
    """The rules of some shelves (hash -> its rules) by name and version, each once, with all shelves that it was in."""
    shelves: dict[bytes, list[str]] = {}
    for shelf, found in rules.items():
        for each in found:
            shelves.setdefault(msgspec.msgpack.encode(each), []).append(shelf)
    merged = [
        msgspec.structs.replace(msgspec.msgpack.decode(raw, type=KeptRule), shelves=tuple(sorted(hashes)))
        for raw, hashes in shelves.items()
    ]
    return sorted(merged, key=lambda each: (each.rule, each.version, each.hash))


def loaded(rule: KeptRule) -> Rule:
    """The rule of a text that was kept; RuleError when it is none."""
    return load_text(rule.text, rule.file, CATALOGUE)


def texts_of(rule: KeptRule, lang: Language) -> Texts:
    """The texts of a rule in a language, or as its file has them where nobody wrote them in that language."""
    if lang in rule.texts:
        return rule.texts[lang]
    own = loaded(rule)
    return Texts(
        title=own.title,
        why=own.why,
        say=own.say,
        guide=own.guide,
        false_alarms=own.false_alarms,
        blind_spots=own.blind_spots,
    )


def said(alert: Mapping[str, Any], rule: KeptRule, lang: Language) -> str | None:
    """What an alert says in a language, filled again from the values of its evidence; None for a closing."""
    own: str | None = alert.get("say")
    if own is None or lang not in rule.texts:
        return own
    values = {name: _exact(entry["value"]) for name, entry in alert["evidence"].items()}
    return render(rule.texts[lang].say, loaded(rule), values, lang)


def _exact(value: Any) -> Exact:
    """A value of the evidence as its digits say: the nearest binary fraction would round elsewhere."""
    exact: Exact = Fraction(repr(value)) if isinstance(value, float) else value
    return exact
