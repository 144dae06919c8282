"""A session at a terminal as a page shows it: files written and changed, commands with what they print, run again.

    ```yaml            a file, named in its first line: `# my-rules/late.yaml`
    ```diff            a change of a file, named in its first line: `--- my-rules/late.yaml`
    ```console         commands after `$`, each with what it prints; without a `$`, what the one that stays prints next

What a page leaves out is marked: `[...]` stands for lines, `…` within a line for what differs from run to run.
A command may fail only where the next one is `echo $?`.
"""

import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from typer.testing import CliRunner

from pipeline.shells.cli import app
from tests.engine_process import free_port

BLOCK = re.compile(r"^```(yaml|diff|console|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
LEFT_OUT, DIFFERS = "[...]", "…"
STAYS = (["rules", "watch"], ["run"])  # commands that go on while others are given
SHOWN_PORT = "8200"
PATIENCE_S = 120


@dataclass(frozen=True)
class Step:
    """One thing that a page does: its kind, the chapter (counted from 1) it stands in, its text, what it prints."""

    chapter: int
    kind: str  # "file", "change", "command", "goes on"
    text: str
    prints: tuple[str, ...] = ()


def steps_of(page: str) -> list[Step]:
    """Every step of a page, in order."""
    chapters = [found.start() for found in HEADING.finditer(page)]
    steps: list[Step] = []
    for found in BLOCK.finditer(page):
        chapter = sum(at < found.start() for at in chapters)
        steps += _steps_in(chapter, found[1], found[2])
    return steps


def _steps_in(chapter: int, kind: str, text: str) -> Iterator[Step]:
    if kind != "console":
        yield Step(chapter, {"diff": "change"}.get(kind, "file"), text)
        return
    first, *commands = re.split(r"^\$ ", text, flags=re.MULTILINE)
    if first:
        yield Step(chapter, "goes on", "", tuple(first.splitlines()))
    for each in commands:
        command, *prints = each.splitlines()
        yield Step(chapter, "command", command, tuple(prints))


def is_as_shown(shown: tuple[str, ...], printed: list[str]) -> bool:
    """Whether a page shows what was printed.

    >>> is_as_shown(("a", "[...]", "took … ms"), ["a", "b", "c", "took 12 ms"])
    True
    >>> is_as_shown(("a", "[...]"), ["b"]), is_as_shown(("a",), ["a", "b"])
    (False, False)
    """
    forms = [r"(?:.*\n)*?" if line.strip() == LEFT_OUT else _form(line) for line in shown]
    return re.fullmatch("".join(forms), "".join(f"{line.rstrip()}\n" for line in printed)) is not None


def _form(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.rstrip().split(DIFFERS)) + r"\n"


@dataclass
class Terminal:
    """A folder in which a session runs, and the commands that stay."""

    folder: Path
    port: str = field(default_factory=lambda: str(free_port()))
    code: int = 0
    staying: "subprocess.Popen[str] | None" = None
    _stack: ExitStack = field(default_factory=ExitStack)

    def take(self, step: Step) -> list[str]:
        """Do what a step says; the lines that it printed."""
        if step.kind == "file":
            name, _ = step.text.split("\n", 1)
            self._write(name.removeprefix("# "), step.text)
        elif step.kind == "change":
            head, change = step.text.split("\n", 1)
            file = self.folder / head.removeprefix("--- ")
            self._write(file.relative_to(self.folder).as_posix(), changed(file.read_text("utf-8"), change))
        elif step.kind == "goes on":
            return self._hear(len(step.prints))
        else:
            return self._run(shlex.split(step.text), len(step.prints))
        return []

    def close(self) -> None:
        """End what stays."""
        self._stack.close()

    def _write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        # As editors save, so that a watcher never sees half a file.
        half = file.with_name(f"{file.name}.tmp")
        half.write_text(text, "utf-8")
        half.replace(file)

    def _run(self, words: list[str], lines: int) -> list[str]:
        variables = {}
        while "=" in words[0]:
            name, _, variables[name] = words.pop(0).partition("=")
        if words == ["echo", "$?"]:
            code, self.code = self.code, 0
            return [str(code)]
        assert self.code == 0, "a command failed, and the page does not show it with `echo $?`"
        command = [word.replace(SHOWN_PORT, self.port) for word in words[1:]]
        assert words[0] == "forewarn", words
        if any(command[: len(each)] == each for each in STAYS):
            self._stay(command)
            return self._hear(lines)
        with mock.patch.dict(os.environ, variables):
            ran = CliRunner().invoke(app, command, catch_exceptions=False)
        self.code = ran.exit_code
        return str(ran.output.replace(self.port, SHOWN_PORT)).splitlines()

    def _stay(self, command: list[str]) -> None:
        code = "from pipeline.shells.cli import main; main()"
        env = os.environ | {"PYTHONUNBUFFERED": "1"}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        self.staying = self._stack.enter_context(
            subprocess.Popen([sys.executable, "-c", code, *command], encoding="utf-8", env=env, **pipes)
        )
        self._stack.callback(self.staying.terminate)

    def _hear(self, lines: int) -> list[str]:
        assert self.staying is not None and self.staying.stdout is not None
        patience = threading.Timer(PATIENCE_S, self.staying.kill)
        patience.start()
        try:
            said = self.staying.stdout
            return [said.readline().rstrip("\n").replace(self.port, SHOWN_PORT) for _ in range(lines)]
        finally:
            patience.cancel()


def changed(text: str, change: str) -> str:
    r"""A text after a change, whose parts are set apart by `@@`.

    >>> changed("a\nb\nc\n", " a\n-b\n+B\n@@\n c\n+d\n")
    'a\nB\nc\nd\n'
    """
    for part in change.split("@@\n"):
        lines = [(line[:1] or " ", line[1:] + "\n") for line in part.splitlines()]
        before = "".join(line for mark, line in lines if mark in " -")
        after = "".join(line for mark, line in lines if mark in " +")
        found = len(re.findall(f"^{re.escape(before)}", text, re.MULTILINE))
        assert found == 1, f"expected these lines once, found them {found} times:\n{before}"
        text = re.sub(f"^{re.escape(before)}", lambda _, after=after: after, text, flags=re.MULTILINE)
    return text
