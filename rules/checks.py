"""The checks of one rule file: what its fields mean together, every fault noted at its place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from rules.cases import read_case
from rules.catalogue import Catalogue
from rules.conditions import MACRO, ConditionFaults, Sort, names_in, parse_when
from rules.faults import shown, stops_a_run, suggestion
from rules.language import RuleFile
from rules.measuring import Reading, macro_measure, read_measure
from rules.notes import Notes
from rules.parts import Parts
from rules.rule import SEVERITIES, Case, Condition, Measure, Rule, Severity, Task
from rules.say import say_faults
from rules.versions import rule_hash, rule_shape

DECIDING = ("measure", "when", "for", "severity", "escalate", "quiet", "clear_after", "inhibited_by", "per")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*(\.next)?")
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
        if self.parts.has("say") and self.parts.has("measure"):
            for message in say_faults(file.say, measures):
                self.note(("say",), message)
        cases = self._cases()
        if when is None or any(map(stops_a_run, self.note.faults)):
            return None
        figures = self._with_figures(measures, [when, *escalate.values()])
        return self._value(path, _Meaning(figures, when, escalate, cases))

    def _check_name(self, path: Path) -> None:
        file = self.parts.file
        stem = path.name.removesuffix(".yaml")
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
        original = file.rule.removesuffix(".next")
        if original == file.rule and file.challenges is not None:
            self.note(("challenges",), f"a challenger is named after its rule; call it '{file.challenges}.next'")
        elif original != file.rule and file.challenges != original:
            got = "nothing" if file.challenges is None else repr(file.challenges)
            self.note(("rule",), f"a challenger names its rule: expected 'challenges: {original}', got {got}")
        if file.rule in file.inhibited_by:
            self.note(("inhibited_by",), "a rule cannot mute itself; delete its own name")

    def _check_status(self) -> None:
        file = self.parts.file
        if file.status == "retired" and file.retired_because is None and self.parts.has("retired_because"):
            self.note((), "retired_because is missing: why nobody needs this rule any more")
        if file.status != "retired" and file.retired_because is not None and self.parts.has("status"):
            self.note(("retired_because",), f"only a retired rule has it, and this one is {file.status}; delete it")
        if file.status == "live" and not file.basis and self.parts.has("basis"):
            path = ("basis",) if "basis" in file.model_fields_set else ()
            self.note(
                path, "basis is missing: where each threshold comes from, such as {when: policy}; a live rule has it"
            )

    def _check_basis(self, measures: Mapping[str, Measure | None]) -> None:
        for name in self.parts.file.basis:
            if name not in DECIDING and name not in measures and self.parts.has("measure"):
                known = suggestion(name, [*DECIDING, *measures])
                self.note(
                    ("basis", name), f"{shown(name)} decides nothing here; name a measure or a deciding field{known}"
                )

    def _measures(self) -> dict[str, Measure | None]:
        per = self.parts.file.per if self.parts.has("per") else None
        if not self.parts.has("measure"):
            return {}
        # In the order of the file, faulty ones too: they are named, so that naming them is no second fault.
        measures: dict[str, Measure | None] = dict.fromkeys(self.note.document.data["measure"])
        for name, file in self.parts.file.measure.items():
            measures[name] = read_measure(name, file, Reading(("measure", name), per, self.catalogue, self.note))
        return measures

    def _condition(
        self, path: tuple[str | int, ...], text: str, measures: Mapping[str, Measure | None]
    ) -> Condition | None:
        if not self.parts.has(*path) or not self.parts.has("measure"):
            return None
        sorts: dict[str, Sort] = {name: _sort(measure) for name, measure in measures.items()}
        try:
            return parse_when(text, sorts)
        except ConditionFaults as faults:
            for message in faults.messages:
                self.note(path, message)
            return None

    def _escalate(self, measures: Mapping[str, Measure | None]) -> dict[Severity, Condition]:
        file = self.parts.file
        found: dict[Severity, Condition] = {}
        for severity, text in file.escalate.items():
            path = ("escalate", severity)
            if self.parts.has("severity") and SEVERITIES.index(severity) <= SEVERITIES.index(file.severity):
                self.note(path, f"expected a severity above {file.severity}, got {severity!r}")
            condition = self._condition(path, text, measures)
            if condition is not None:
                found[severity] = condition
        return {severity: found[severity] for severity in SEVERITIES if severity in found}

    def _cases(self) -> tuple[Case, ...]:
        file = self.parts.file
        severities = frozenset({file.severity, *file.escalate})
        knows = self.parts.has("severity") and not any(path[0] == "escalate" for path in self.parts.spoiled if path)
        read: list[Case] = []
        seen: dict[str, int] = {}
        for i, case in enumerate(file.tests):
            if not self.parts.has("tests", i):
                continue
            path = ("tests", i)
            read.append(read_case(case, path, severities if knows else None, self.catalogue, self.note))
            if case.name in seen:
                self.note((*path, "name"), f"a case of this name stands in line {seen[case.name]}; say what differs")
            seen.setdefault(case.name, read[-1].line)
        return tuple(read)

    def _with_figures(self, measures: Mapping[str, Measure | None], conditions: list[Condition]) -> dict[str, Measure]:
        """The measures, and each published figure that a condition names."""
        found = {name: measure for name, measure in measures.items() if measure is not None}
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


def _sort(measure: Measure | None) -> Sort:
    if measure is None:
        return "spoiled"
    return "truth" if measure.verb == "sequence" else "number"


assert set(DECIDING) <= {field.alias or name for name, field in RuleFile.model_fields.items()}
