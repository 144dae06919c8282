"""The sound parts of a rule file: one fault in it must not hide the others."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from rules.faults import Fault
from rules.language import RuleFile
from rules.shapes import holds, problems
from rules.yaml_text import Document, Path, checked

ROUNDS = 3  # what is faulty is taken out, and what is then missing is put in
# What stands for something that must be there and is faulty or missing, so that all around it can be looked at; a star
# is any item or name. What is not listed is taken out.
_STANDS_FOR: dict[str, Any] = {
    "rule": "x", "title": "x", "status": "draft", "owner": "x", "since": "1970-01-01", "why": "x", "per": "borrower_id",
    "measure": {"x": {}}, "measure.*": {}, "measure.*.sequence.*": "x", "when": "x", "severity": "low", "say": "x",
    "inhibited_by.*": "-", "spreads.*": "group", "refs.*": "x",
    "task.queue": "x", "task.action": "x", "task.due_in": "1d",
    "guide": ["x"], "guide.*": "x", "false_alarms": ["x"], "false_alarms.*": "x", "blind_spots": ["x"],
    "blind_spots.*": "x",
    "tests": [{"name": "x", "given": [], "expect": "nothing"}],
    "tests.*": {"name": "x", "given": [], "expect": "nothing"},
    "tests.*.name": "x", "tests.*.given": [], "tests.*.given.*": {}, "tests.*.expect": "nothing",
    "tests.*.expect.*": {"day": 0, "alert": "closed"}, "tests.*.expect.*.day": 0, "tests.*.expect.*.alert": "closed",
    "tests.*.missing.*": [], "tests.*.missing.*.*": 0, "tests.*.known_from.*": 0,
}  # fmt: skip
# Where a step is a name that the author gave, and no field.
_NAMED = ("measure", "tests.*.missing", "tests.*.known_from")


@dataclass(frozen=True)
class Parts:
    """A rule file, and the paths of what is not as it was written."""

    file: RuleFile
    spoiled: frozenset[Path] = frozenset()

    def has(self, *path: str | int) -> bool:
        """Whether what stands at a path is sound; what stands below it may not be."""
        return not self.spoiled or all(path[:n] not in self.spoiled for n in range(1, len(path) + 1))


def sound_parts(document: Document) -> tuple[Parts | None, list[Fault]]:
    """The file with faulty parts replaced, and all faults of shape; no parts when it is no mapping at all."""
    file, faults = checked(document, RuleFile, document.data)
    spoiled = {path for path in document.trapped if path and _at(document.data, path) is None}
    if file is not None:
        return Parts(file, frozenset(spoiled)), faults
    if not isinstance(document.data, dict):
        return None, faults
    data = deepcopy(document.data)
    for _ in range(ROUNDS):
        try:
            return Parts(RuleFile.model_validate(data), frozenset(spoiled)), faults
        except ValidationError as error:
            for place in (place for each in problems(error, RuleFile, data) for place in each.spoils):
                spoiled.add(place)
                _put_right(data, place)
    return None, faults


def _put_right(data: Any, path: Path) -> None:
    """Put in what stands for the thing at a path, or take it out."""
    data, last = _at(data, path[:-1]), path[-1]
    shape = _shape(path)
    if shape in _STANDS_FOR:
        data[last] = deepcopy(_STANDS_FOR[shape])
    elif isinstance(data, dict):
        data.pop(last, None)


def _at(data: Any, path: Path) -> Any:
    """What stands at a path; None when nothing does."""
    for step in path:
        if not holds(data, step):
            return None
        data = data[step]
    return data


def _shape(path: Path) -> str:
    """A path with a star for each item and each name that the author gave.

    >>> _shape(("measure", "missed", "over")), _shape(("tests", 0, "missing", "account", 3))
    ('measure.*.over', 'tests.*.missing.*.*')
    """
    shape = ""
    for step in path:
        word = "*" if isinstance(step, int) or shape in _NAMED else step
        shape = f"{shape}.{word}" if shape else word
    return shape
