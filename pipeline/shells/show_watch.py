"""What watching says: every rule once, then each rule as it is saved."""

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape

from pipeline.shelf import BankTerms
from pipeline.shells.case_texts import WORDS
from pipeline.shells.manners import from_here
from pipeline.shells.rule_watch import Seen
from pipeline.shells.show_cases import case_line, console, story
from pipeline.shells.texts import Language, counted


def all_of(seen: Sequence[Seen], folder: Path, terms: BankTerms, lang: Language, *, quiet: bool) -> None:
    """What is wrong now, how many cases pass, and that more is waited for."""
    for each in seen:
        _faults_and_failures(each, terms, lang)
    if quiet:
        return
    done = [outcome for each in seen for outcome in each.outcomes]
    passed = sum(each.passed for each in done)
    _say(WORDS[lang]["cases"].format(passed=passed, all=counted(len(done), "case", lang)))
    _say(WORDS[lang]["watching"].format(folder=folder))


def each_of(seen: Sequence[Seen], seconds: float, terms: BankTerms, lang: Language, *, quiet: bool) -> None:
    """Each rule that was saved: its faults, its failures, or that all is well."""
    words = WORDS[lang]
    for each in seen:
        if each.is_gone:
            _say(words["gone"].format(file=from_here(each.path)))
            continue
        _faults_and_failures(each, terms, lang)
        passed = sum(outcome.passed for outcome in each.outcomes)
        is_well = not each.faults and passed == len(each.outcomes)
        if quiet and is_well:
            continue
        cases = words["cases"].format(passed=passed, all=counted(len(each.outcomes), "case", lang))
        faults = f"{counted(len(each.faults), 'fault', lang)}{words['comma']}" if each.faults else ""
        took = words["took"].format(ms=round(seconds * 1_000))
        head = f"[{'green' if is_well else 'red'}]{words['pass' if is_well else 'fail']}[/]"
        console().print(f"{head} {escape(each.path.stem)}: {faults}{cases} ({took})", highlight=False, soft_wrap=True)


def _faults_and_failures(seen: Seen, terms: BankTerms, lang: Language) -> None:
    for fault in seen.faults:
        _say(str(fault))
    for each in seen.outcomes:
        if not each.passed:
            case_line(console(), each, lang)
            story(console(), each, terms, lang)


def _say(text: str) -> None:
    console().print(text, markup=False, highlight=False, soft_wrap=True)
