"""How cases went, as JUnit XML: a suite a rule, a test a case, as GitHub, GitLab and Jenkins read it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from junitparser import Attr, Failure, IntAttr, JUnitXml, TestCase, TestSuite

from pipeline.shelf import BankTerms
from pipeline.shells.case_texts import WORDS
from pipeline.shells.cases import Outcome
from pipeline.shells.manners import from_here
from pipeline.shells.nudging import Nudged
from pipeline.shells.show_cases import failure_text, summary
from pipeline.shells.texts import Language
from rules.rule import Rule
from rules.yaml_text import dotted

_HEAD = b'<?xml version="1.0" encoding="utf-8"?>\n'
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Placed(TestCase):
    """A test that says where it stands; GitLab, pytest and others write it so."""

    file = Attr()
    line = IntAttr()


def junit(
    done: Sequence[Outcome], found: Mapping[str, Nudged], terms: BankTerms, lang: Language, *, strict: bool
) -> bytes:
    """The whole file; a rule that was nudged has one test more, which fails where that is asked for."""
    xml = JUnitXml("forewarn rules test")
    for rule in dict.fromkeys(each.rule.rule for each in done):
        suite = TestSuite(rule)
        for each in (each for each in done if each.rule.rule == rule):
            suite.add_testcase(_case(each, terms, lang))
        if rule in found:
            suite.add_testcase(_nudged(found[rule], lang, strict=strict))
        xml.add_testsuite(suite)
    xml.update_statistics()  # type: ignore[no-untyped-call]
    return _HEAD + bytes(xml.tostring())  # type: ignore[no-untyped-call]


def _case(outcome: Outcome, terms: BankTerms, lang: Language) -> TestCase:
    test = _test(outcome.rule, outcome.case.name, outcome.case.line)
    if not outcome.passed:
        failure = Failure(_clean(summary(outcome, lang)), "forewarn.case")
        failure.text = _clean(failure_text(outcome, terms, lang))
        test.result = [failure]
    return test


def _nudged(found: Nudged, lang: Language, *, strict: bool) -> TestCase:
    test = _test(found.rule, "--nudge", 1)
    lines = [
        f"{each.line} {dotted(each.nudge.path)}: {each.nudge.was} -> {each.nudge.became}" for each in found.unnoticed
    ]
    if not lines:
        return test
    text = _clean("\n".join(lines))
    if strict:
        failure = Failure(WORDS[lang]["moves_title"], "forewarn.nudge")
        failure.text = text
        test.result = [failure]
    else:
        test.system_out = text
    return test


def _test(rule: Rule, name: str, line: int) -> TestCase:
    test = _Placed(_clean(name), rule.rule)
    test.file, test.line = str(from_here(Path(rule.file).resolve())), line
    return test


def _clean(text: str) -> str:
    """A text without the characters that XML has no place for."""
    return _NOT_XML.sub("�", text)
