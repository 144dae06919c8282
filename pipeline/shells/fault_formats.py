"""Faults of rule files for machines: JSON, GitHub's workflow commands, GitLab's Code Quality report."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pipeline.shells.manners import from_here
from rules.faults import Fault, sentence_of

Form = Literal["text", "json", "github", "gitlab"]


def as_json(faults: Sequence[Fault], rules: int) -> str:
    """One object: how many rules have no fault of their own, and every fault with the parts of its sentence."""
    return _dumped({"rules": rules, "faults": [_fields(fault) for fault in faults]})


def as_github(faults: Sequence[Fault], rules: int) -> str:
    """A workflow command a fault; GitHub shows each beside its line in a pull request.

    >>> print(as_github([Fault("a.yaml", 14, 1, "when", "100% wrong: really, so")], 0), end="")
    ::error file=a.yaml,line=14,col=1,title=when::100%25 wrong: really, so
    """
    return "".join(
        f"::error file={_property(_file(each))},line={each.line},col={each.column},title={_property(each.path)}"
        f"::{_escaped(each.message)}\n"
        for each in faults
    )


def as_gitlab(faults: Sequence[Fault], rules: int) -> str:
    """A Code Quality report; GitLab tells a new fault from an old one by a fingerprint without the line."""
    seen: Counter[str] = Counter()
    found: list[dict[str, Any]] = []
    for each in faults:
        what = f"{_file(each)}\0{each.path}\0{each.message}"
        seen[what] += 1
        found.append(
            {
                "description": f"{each.path}: {each.message}",
                "check_name": "forewarn-rules",
                "fingerprint": hashlib.sha256(f"{what}\0{seen[what]}".encode()).hexdigest(),
                "severity": "major",
                "location": {"path": _file(each), "lines": {"begin": each.line}},
            }
        )
    return _dumped(found)


FORMATS: dict[str, Callable[[Sequence[Fault], int], str]] = {
    "json": as_json,
    "github": as_github,
    "gitlab": as_gitlab,
}
assert {"text", *FORMATS} == set(get_args(Form))


def _fields(fault: Fault) -> dict[str, Any]:
    return {
        "file": _file(fault),
        "line": fault.line,
        "column": fault.column,
        "path": fault.path,
        "message": fault.message,
        **sentence_of(fault.message)._asdict(),
    }


def _file(fault: Fault) -> str:
    """The file as a repository calls it: from where the command stands, with slashes."""
    return from_here(Path(fault.file)).as_posix()


def _dumped(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
