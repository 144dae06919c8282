"""The texts of a rule in a second language: `<rule>.zh.yaml` beside the rule, its slots those of the rule."""

from pathlib import Path
from typing import get_args

from rules.faults import Fault, RuleError
from rules.language import TextsFile
from rules.loader import SIDECAR, read_file
from rules.rule import Rule
from rules.say import Language, Slot, say_faults, slots_of
from rules.yaml_text import Document, checked


def sidecar_of(rule: Rule, lang: str) -> Path:
    """Where the texts of a rule stand in a language.

    >>> rule = Rule("late", "", "draft", "", "", "", "loan_id", {}, None, "low", "", file="shelf/late.yaml")
    >>> sidecar_of(rule, "zh").as_posix()
    'shelf/late.zh.yaml'
    """
    return Path(rule.file).with_suffix(f".{lang}.yaml")


def load_texts(rule: Rule, lang: str) -> TextsFile | None:
    """The texts of a rule in a language, None when nobody wrote them; RuleError with all faults when they are wrong."""
    path = sidecar_of(rule, lang)
    if not path.exists():
        return None
    texts, faults = _checked(path, rule)
    if texts is None or faults:
        raise RuleError(faults)
    return texts


def faults_beside(file: Path, rule: Rule | None, lang: str) -> list[Fault]:
    """What is wrong with the texts beside a rule file, as far as it can be told; None: its rule cannot be made."""
    path = file.with_suffix(f".{lang}.yaml")
    try:
        return _checked(path, rule)[1] if path.exists() else []
    except RuleError as error:
        return list(error.faults)


def all_texts(rule: Rule) -> dict[str, TextsFile]:
    """The texts of a rule by language; faulty ones are left out: they decide nothing, and `rules check` names them."""
    found: dict[str, TextsFile] = {}
    for lang in get_args(Language) if rule.file else ():
        try:
            texts = load_texts(rule, lang)
        except RuleError:
            continue
        if texts is not None:
            found[lang] = texts
    return found


def sidecar_files(dirs: list[Path]) -> list[Path]:
    """Every file of texts under some folders."""
    return sorted(path for folder in dirs for path in folder.rglob("*.yaml") if SIDECAR.fullmatch(path.name))


def _checked(path: Path, rule: Rule | None) -> tuple[TextsFile | None, list[Fault]]:
    document = read_file(path)
    texts, faults = checked(document, TextsFile, document.data)
    # A fault beside it hides nothing of the message.
    say = document.data.get("say") if isinstance(document.data, dict) else None
    return texts, faults + (_say_faults(say, rule, document) if isinstance(say, str) else [])


def _say_faults(say: str, rule: Rule | None, document: Document) -> list[Fault]:
    faults = [document.fault(("say",), each) for each in say_faults(say, None if rule is None else rule.measure)]
    if faults or rule is None:
        return faults
    # A format may differ by language; what is shown may not.
    wanted, got = _shown(rule.say), _shown(say)
    faults += [document.fault(("say",), f"{each} is not in the rule's say; delete it") for each in sorted(got - wanted)]
    faults += [document.fault(("say",), f"{each} is missing; the rule's say has it") for each in sorted(wanted - got)]
    return faults


def _shown(template: str) -> set[str]:
    return {_without_format(slot) for slot in slots_of(template)}


def _without_format(slot: Slot) -> str:
    return f"{{{slot.measure}.{slot.window}}}" if slot.window is not None else f"{{{slot.measure}}}"
