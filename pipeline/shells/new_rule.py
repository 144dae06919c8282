"""A rule that nobody wrote yet: a template with blanks, or a draft like another rule."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from string import Template

from pipeline.events import CATALOGUE
from pipeline.shells.manners import SHELF, from_here
from pipeline.shells.texts import Language
from rules.checks import LONGEST_NAME, NAME
from rules.faults import shown, suggestion
from rules.loader import SIDECAR, load_rule, load_text
from rules.rule import Rule

_CHALLENGER = ".next"
_FIELD = re.compile(r"[a-z_]+:")


class NotNew(ValueError):
    """Why there is no new rule of this name, or none like that one."""


def file_of(name: str, folder: Path) -> Path:
    """Where the new rule goes; NotNew when it cannot have the name."""
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        what = f"at most {LONGEST_NAME} small letters, digits and hyphens such as 'late-twice'"
        raise NotNew(f"NAME: expected {what}, got {shown(name)}")
    if folder.exists() and not folder.is_dir():
        raise NotNew(f"{folder}: expected a folder for the rule, got a file; name the folder")
    if (other := _files(folder).get(name)) is not None:
        raise NotNew(f"{name}: expected a new name, got that of {from_here(other)}; choose another")
    return folder / f"{name}.yaml"


def original_of(name: str) -> str | None:
    """The rule that a challenger of this name challenges.

    >>> original_of("late-twice.next"), original_of("late-twice")
    ('late-twice', None)
    """
    return name.removesuffix(_CHALLENGER) if name.endswith(_CHALLENGER) else None


def text_like(like: str, name: str, folder: Path, on: date) -> str:
    """The text of another rule as a draft of the new name; NotNew when there is no such rule."""
    files = _files(folder)
    if like not in files:
        raise NotNew(f"--like: no rule named {shown(like)}{suggestion(like, files)}")
    rule = load_rule(files[like], CATALOGUE)
    text = rule.text.replace("\r\n", "\n")
    original = original_of(name)
    if original is not None and rule.challenges is None:
        text = re.sub(r"^rule:", f"challenges: {original}\nrule:", text, count=1, flags=re.MULTILINE)
    changed: dict[str, str | None] = {"rule": name, "status": "draft", "since": on.isoformat()}
    changed |= {"retired_because": None, "challenges": original}
    for field, value in changed.items():
        text = "\n".join(_with(text.split("\n"), field, value))
    return _proven(text, name, rule)


def _with(lines: list[str], field: str, value: str | None) -> Iterator[str]:
    """The lines with one field's value changed, or without the field."""
    inside = False
    for line in lines:
        if line.startswith(f"{field}:"):
            inside = True
            if value is not None:
                yield f"{field}: {value}"
        elif not inside or _FIELD.match(line) or line.startswith("#") or not line.strip():
            inside = False
            yield line


def _proven(text: str, name: str, like: Rule) -> str:
    draft = load_text(text, f"{name}.yaml", CATALOGUE)
    if (draft.rule, draft.status) != (name, "draft"):
        raise NotNew(f"--like: expected a rule with one field a line, got {from_here(Path(like.file))} in another form")
    return text


def _files(folder: Path) -> dict[str, Path]:
    """The rule files of the folder and of the shipped shelf by name."""
    places = [path for each in (SHELF, folder) if each.is_dir() for path in sorted(each.rglob("*.yaml"))]
    return {path.name.removesuffix(".yaml"): path for path in places if not SIDECAR.fullmatch(path.name)}


def text_of_blank(name: str, on: date, lang: Language) -> str:
    """A rule whose prose is blank, with measures, a condition and cases that show how they are written."""
    return Template(_BLANK).substitute(_WORDS[lang], name=name, since=on.isoformat())


_BLANK = """\
rule: $name
title:                            # $title
status: draft                     # $status
owner:                            # $owner
since: $since
why:                              # $why

basis: {when: policy}             # $basis

per: loan_id                      # $per
measure:
  missed: {count: repayment.missed, over: 60d}
when: missed >= 2

severity: medium                  # $severity
escalate: {high: missed >= 3}
say: "{missed} instalments missed in {missed.over}"
quiet: 30d                        # $quiet
clear_after: 7d                   # $clear_after
task: {queue: care, action: call, due_in: 5d}

guide:
  -                               # $guide
false_alarms:
  -                               # $false_alarms
blind_spots:
  -                               # $blind_spots

tests:
  - name: $fires
    #  missed 0 -- missed 59: opens -- 60: day 0 is out, false for 7 days -- 67: closed
    #  missed 80: true again, but quiet until 59 + 30
    given:
      - {day:  0, event: repayment.missed}
      - {day: 59, event: repayment.missed}
      - {day: 80, event: repayment.missed}
    expect:
      - {day: 59, alert: medium, say: "2 instalments missed in 60 days"}
      - {day: 67, alert: closed}
      - {day: 89, alert: medium}

  - name: $raises
    given:
      - {day:  0, event: repayment.missed}
      - {day: 20, event: repayment.missed}
      - {day: 40, event: repayment.missed}
    expect:
      - {day: 20, alert: medium}
      - {day: 40, alert: high}

  - name: $stays_quiet
    given:
      - {day:  0, event: repayment.missed}
      - {day: 60, event: repayment.missed}
    expect: nothing
"""
_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "one line that says what it sees, without numbers",
        "status": "draft, shadow, live or retired",
        "owner": "the team that answers for this rule",
        "why": "what it sees, and why that comes before a loss",
        "basis": "policy, contract, regulation, or {fitted: 2025-02-10}; by measure or field",
        "per": "borrower_id, loan_id or account_id",
        "severity": "low, medium, high or critical",
        "quiet": "the shortest time between two openings",
        "clear_after": "it closes when this has been false for so long",
        "guide": "what to do, step by step",
        "false_alarms": "what it mistakes for trouble",
        "blind_spots": "what it cannot see",
        "fires": "a second instalment missed on the last day of the window, and another one soon after",
        "raises": "a third one",
        "stays_quiet": "the first has just left the window",
    },
    "zh": {
        "title": "一行，说明它看到什么，不写数字",
        "status": "draft、shadow、live 或 retired",
        "owner": "对这条规则负责的团队",
        "why": "它看到什么，为什么出现在损失之前",
        "basis": "policy、contract、regulation 或 {fitted: 2025-02-10}；按指标或字段写",
        "per": "borrower_id、loan_id 或 account_id",
        "severity": "low、medium、high 或 critical",
        "quiet": "两次打开之间的最短时间",
        "clear_after": "条件不成立持续这么久后关闭",
        "guide": "一步一步怎么做",
        "false_alarms": "它会把什么误认为风险",
        "blind_spots": "它看不到什么",
        "fires": "窗口最后一天漏还第二期，不久又漏还一期",
        "raises": "第三期",
        "stays_quiet": "第一期刚离开窗口",
    },
}
