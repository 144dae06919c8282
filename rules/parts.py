"""The sound parts of a rule file: one fault in it must not hide the others."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from rules.faults import Fault
from rules.language import RuleFile
from rules.shapes import problems
from rules.yaml_text import Document, Path, checked

# What stands for a required field that is faulty or missing, so that the others can be looked at.
_STANDS_FOR: dict[str, Any] = {
    "rule": "x", "title": "x", "status": "draft", "owner": "x", "since": "1970-01-01", "why": "x", "per": "borrower_id",
    "measure": {"x": {}}, "when": "x", "severity": "low", "say": "x", "guide": ["x"], "false_alarms": ["x"],
    "blind_spots": ["x"], "tests": [{"name": "x", "given": [], "expect": "nothing"}],
}  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """A rule file, and the paths of what is not as it was written."""

    file: RuleFile
    spoiled: frozenset[Path] = frozenset()

    def has(self, *path: str | int) -> bool:
        """Whether what stands at a path is sound."""
        return all(path[:n] not in self.spoiled for n in range(1, len(path) + 1))


def sound_parts(document: Document) -> tuple[Parts | None, list[Fault]]:
    """The file with faulty parts replaced, and all faults of shape; no parts when nothing is left."""
    file, faults = checked(document, RuleFile, document.data)
    if file is not None:
        return Parts(file), faults
    if not isinstance(document.data, dict):
        return None, faults
    data = dict(document.data)
    spoiled: set[Path] = set()
    for _ in range(3):  # A cut can empty a list, and an empty list is a fault again.
        try:
            return Parts(RuleFile.model_validate(data), frozenset(spoiled)), faults
        except ValidationError as error:
            for path in {_part_of(each.path) for each in problems(error, RuleFile, data)}:
                _cut(data, path)
                spoiled.add(path)
        for name, value in _STANDS_FOR.items():
            if name not in data:
                data[name] = value
                spoiled.add((name,))
    return None, faults


def _part_of(path: Path) -> Path:
    return path[: 2 if path[:1] in (("measure",), ("tests",), ("escalate",), ("basis",)) else 1]


def _cut(data: dict[str, Any], path: Path) -> None:
    match path:
        case (str(field),):
            data.pop(field, None)
        case ("tests", int(i)):
            data["tests"] = [*data["tests"][:i], *_STANDS_FOR["tests"], *data["tests"][i + 1 :]]
        case (str(field), name):
            data[field] = {key: value for key, value in data[field].items() if key != name}
