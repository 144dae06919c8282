"""The checks of one rule file: what its fields mean together, every fault noted at its place."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from rules.aliases import aliases_of
from rules.cases import read_case
from rules.catalogue import Catalogue
from rules.conditions import MACRO, ConditionFaults, Sort, names_in, parse_when
from rules.faults import shown, stops_a_run, suggestion
from rules.language import RuleFile
from rules.measuring import Reading, macro_measure, read_measure
from rules.notes import Notes
from rules.parts import Parts
from rules.rule import SEVERITIES, Case, Condition, FaultyMeasure, Measure, Rule, Severity, Task
from rules.say import say_faults
from rules.versions import rule_hash, rule_shape

DECIDING = ("measure", "when", "for", "severity", "escalate", "quiet", "clear_after", "inhibited_by", "per")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*(\.next)?")
Known = dict[str, Measure | FaultyMeasure]
LONGEST_NAME = 64  # ids of what a rule says hold it beside other ids


class _Meaning(NamedTuple):
    """What a file means beyond its plain fields."""

    measures: dict[str, Measure]
    when: Condition
    escalate: dict[Severity, Condition]
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Checks:
    """One file while it is checked."""

    parts: Parts
    catalogue: Catalogue
    note: Notes

    def rule(self, path: Path) -> Rule | None:
        """The rule; None when a fault leaves open what it decides."""
        file = self.parts.file
        self._check_name(path)
        self._check_status()
        measures = self._measures()
        when = self._condition(("when",), file.when, measures)
        escalate = self._escalate(measures)
        self._check_basis(measures)
        self._check_say(measures)
        cases = self._cases()
        if when is None or any(map(stops_a_run, self.note.faults)):
            return None
        figures = self._with_figures(measures or {}, [when, *escalate.values()])
        return self._value(path, _Meaning(figures, when, escalate, cases))

    def _check_name(self, path: Path) -> None:
        file = self.parts.file
        stem = path.name.removesuffix(".yaml")
        names = [stem, *([file.rule] if self.parts.has("rule") else [])]
        if any(name in file.inhibited_by for name in names):
            self.note(("inhibited_by",), "a rule cannot mute itself; delete its own name")
        if not self.parts.has("rule"):
            return
        if not NAME.fullmatch(file.rule):
            self.note(
                ("rule",), f"expected small letters, digits and hyphens such as 'late-twice', got {shown(file.rule)}"
            )
        elif len(file.rule) > LONGEST_NAME:
            self.note(("rule",), f"expected at most {LONGEST_NAME} characters, got {len(file.rule)}")
        elif file.rule != stem:
            self.note(("rule",), f"expected the name of its file, {stem!r}, got {shown(file.rule)}")
        found = [_challenge_fault(name, file.challenges) for name in dict.fromkeys((file.rule, stem))]
        # Where the name is at fault, it is not known which one is meant.
        if self.parts.has("challenges") and found[0] is not None and found[-1] is not None:
            self.note(("challenges",), found[0])

    def _check_status(self) -> None:
        file = self.parts.file
        if file.status == "retired" and file.retired_because is None and self.parts.has("retired_because"):
            self.note((), "retired_because is missing: why nobody needs this rule any more")
        if file.status != "retired" and file.retired_because is not None and self.parts.has("status"):
            self.note(("retired_because",), f"only a retired rule has it, and this one is {file.status}; delete it")
        if file.status == "live" and not self._names_in("basis") and self.parts.has("basis"):
            path = ("basis",) if "basis" in file.model_fields_set else ()
            self.note(
                path, "basis is missing: where each threshold comes from, such as {when: policy}; a live rule has it"
            )

    def _names_in(self, field: str) -> list[str]:
        """The names of a mapping as written, those of what is faulty in it included."""
        written = self.note.document.data.get(field)
        return list(written) if isinstance(written, dict) else []

    def _check_basis(self, measures: Known | None) -> None:
        for name in self._names_in("basis"):
            if measures is not None and name not in DECIDING and name not in measures:
                known = suggestion(name, [*DECIDING, *measures])
                self.note(
                    ("basis", name), f"{shown(name)} decides nothing here; name a measure or a deciding field{known}"
                )

    def _measures(self) -> Known | None:
        """The measures by name, faulty ones too, so that naming them is no second fault; None: nobody can say."""
        if not self.parts.has("measure"):
            return None
        per = self.parts.file.per if self.parts.has("per") else None
        return {
            name: read_measure(name, file, Reading(("measure", name), per, self.catalogue, self.note, self.parts))
            for name, file in self.parts.file.measure.items()
        }

    def _condition(self, path: tuple[str | int, ...], text: str, measures: Known | None) -> Condition | None:
        if not self.parts.has(*path):
            return None
        aliases = aliases_of(measures or ())
        sorts = None if measures is None else {aliases.of(name): _sort(each) for name, each in measures.items()}
        try:
            return parse_when(aliases.readable(text), sorts)
        except ConditionFaults as faults:
            for message in faults.messages:
                self.note(path, aliases.as_written(message))
            return None

    def _check_say(self, measures: Known | None) -> None:
        if not self.parts.has("say"):
            return
        aliases = aliases_of(measures or ())
        known = None if measures is None else {aliases.of(name): each for name, each in measures.items()}
        for message in say_faults(aliases.readable(self.parts.file.say), known):
            self.note(("say",), aliases.as_written(message))

    def _escalate(self, measures: Known | None) -> dict[Severity, Condition]:
        file = self.parts.file
        for name in self._names_in("escalate"):
            is_known = name in SEVERITIES and self.parts.has("severity")
            if is_known and SEVERITIES.index(name) <= SEVERITIES.index(file.severity):
                self.note(("escalate", name), f"expected a severity above {file.severity}, got {name!r}")
        read = {each: self._condition(("escalate", each), text, measures) for each, text in file.escalate.items()}
        found = {severity: condition for severity, condition in read.items() if condition is not None}
        return {severity: found[severity] for severity in SEVERITIES if severity in found}

    def _severities(self) -> frozenset[Severity] | None:
        """What the rule can say; None when the file does not say it rightly."""
        higher = self._names_in("escalate")
        if not self.parts.has("severity") or not self.parts.has("escalate") or not set(higher) <= set(SEVERITIES):
            return None
        return frozenset({self.parts.file.severity, *(each for each in SEVERITIES if each in higher)})

    def _cases(self) -> tuple[Case, ...]:
        severities = self._severities()
        read: list[Case] = []
        seen: dict[str, int] = {}
        for i, case in enumerate(self.parts.file.tests):
            path = ("tests", i)
            if not self.parts.has(*path):
                continue
            read.append(read_case(case, path, severities, self.catalogue, self.note, self.parts))
            if not self.parts.has(*path, "name"):
                continue
            if case.name in seen:
                self.note((*path, "name"), f"a case of this name stands in line {seen[case.name]}; say what differs")
            seen.setdefault(case.name, read[-1].line)
        return tuple(read)

    def _with_figures(self, measures: Known, conditions: list[Condition]) -> dict[str, Measure]:
        """The measures, and each published figure that a condition names."""
        found = {name: measure for name, measure in measures.items() if isinstance(measure, Measure)}
        for condition in conditions:
            for name in names_in(condition):
                if name.startswith(f"{MACRO}."):
                    found.setdefault(name, macro_measure(name))
        return found

    def _value(self, path: Path, meaning: _Meaning) -> Rule:
        file = self.parts.file
        task = file.task
        rule = Rule(
            rule=file.rule,
            title=file.title,
            status=file.status,
            owner=file.owner,
            since=file.since,
            why=file.why,
            per=file.per,
            measure=meaning.measures,
            when=meaning.when,
            severity=file.severity,
            say=file.say,
            hold=file.hold,
            quiet=file.quiet,
            clear_after=file.clear_after,
            escalate=meaning.escalate,
            task=None if task is None else Task(task.queue, task.action, task.due_in),
            inhibited_by=tuple(file.inhibited_by),
            spreads=tuple(file.spreads),
            daily_openings=file.daily_openings,
            challenges=file.challenges,
            retired_because=file.retired_because,
            refs=tuple(file.refs),
            basis=dict(file.basis),
            guide=tuple(file.guide),
            false_alarms=tuple(file.false_alarms),
            blind_spots=tuple(file.blind_spots),
            tests=meaning.cases,
            file=str(path),
            text=self.note.document.text,
        )
        return replace(rule, hash=rule_hash(rule), shape=rule_shape(rule))


def _challenge_fault(name: str, challenges: str | None) -> str | None:
    original = name.removesuffix(".next")
    if original == name:
        return None if challenges is None else f"a challenger is named after its rule; call it '{challenges}.next'"
    got = "nothing" if challenges is None else repr(challenges)
    return (
        None if challenges == original else f"a challenger names its rule: expected 'challenges: {original}', got {got}"
    )


def _sort(measure: Measure | FaultyMeasure) -> Sort:
    if measure.verb is None:
        return "spoiled"
    return "truth" if measure.verb == "sequence" else "number"


assert set(DECIDING) <= {field.alias or name for name, field in RuleFile.model_fields.items()}
