"""The register as the commands reach it: through a running engine by an API key, or on its disk as a user.

DoorError     no answer that can be used, or a step that was refused; one sentence
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from pipeline.shells.embedded.last_run import is_data
from pipeline.shells.publishing.bundle import BundleError, Files, files_in
from pipeline.shells.publishing.laws import lawful, user
from pipeline.shells.publishing.register import (
    SHORTEST,
    Entry,
    Person,
    RegisterError,
    entries,
    folder_of,
    in_force,
    made,
    whole_hash,
)
from pipeline.shells.publishing.shelves import REGISTER
from pipeline.shells.publishing.steps import approve, propose, roll_back
from pipeline.zone import Zone
from rules.faults import RuleError

Done = TypeVar("Done")


class DoorError(Exception):
    """No answer that can be used, or a step that was refused, in one sentence."""


class Log(NamedTuple):
    """Every step in its order, and the bundle in force."""

    entries: list[Entry]
    in_force: str | None


def steps_of(log: Log, text: str) -> Log:
    """The steps of one shelf; DoorError where its hash stands for none or several."""
    hits = {each.bundle for each in log.entries if len(text) >= SHORTEST and each.bundle.startswith(text.lower())}
    if len(hits) != 1:
        got = "several" if hits else "none"
        raise DoorError(
            f"{text}: expected the hash of a shelf, or at least {SHORTEST} digits of its beginning, got {got}; "
            "see forewarn rules log"
        )
    return Log([each for each in log.entries if each.bundle in hits], log.in_force)


class Door(Protocol):
    """A register, wherever it is; a person that is named must be the one who asks."""

    def refuse_no_author(self, author: str | None) -> None:
        """Whoever asks may propose, and is who they say: asked before evidence is gathered, which takes long."""
        ...

    def propose(self, files: Files, author: str | None, *, evidence: dict[str, Any], why: str) -> Entry:
        """Propose a shelf."""
        ...

    def approve(self, bundle: str, approver: str | None) -> Entry:
        """Put a proposed shelf in force."""
        ...

    def roll_back(self, bundle: str, by: str | None, *, why: str) -> Entry:
        """Put an approved shelf in force again."""
        ...

    def log(self) -> Log:
        """Every step."""
        ...

    def files(self, bundle: str) -> Files:
        """The files of a shelf, named by its hash or the beginning of it."""
        ...


class OnDisk:
    """The register in an engine's data directory; who runs the command is known to the operating system."""

    def __init__(self, data: Path, zone: Zone, queues: set[str]) -> None:
        self._zone, self._queues = zone, queues
        if not self._done(lambda: is_data(data)):
            raise DoorError(
                f"{data}: expected the data directory of an engine, got none; start it once by forewarn run"
            )
        self._register = self._done(lambda: made(data / REGISTER))

    def refuse_no_author(self, author: str | None) -> None:
        """Whoever runs the command is who they say; DoorError otherwise."""
        _self(author, "--author")

    def propose(self, files: Files, author: str | None, *, evidence: dict[str, Any], why: str) -> Entry:
        """Propose a shelf."""
        by, read = _self(author, "--author"), lawful(self._queues)
        return self._done(lambda: propose(self._register, files, by, read, at=self._now(), evidence=evidence, why=why))

    def approve(self, bundle: str, approver: str | None) -> Entry:
        """Put a proposed shelf in force."""
        by = _self(approver, "--approver")
        return self._done(lambda: approve(self._register, bundle, by, at=self._now()))

    def roll_back(self, bundle: str, by: str | None, *, why: str) -> Entry:
        """Put an approved shelf in force again."""
        person = _self(by, "--by")
        return self._done(lambda: roll_back(self._register, bundle, person, at=self._now(), why=why))

    def log(self) -> Log:
        """Every step."""
        found = self._done(lambda: entries(self._register))
        active = in_force(found)
        return Log([each.entry for each in found], None if active is None else active.entry.bundle)

    def files(self, bundle: str) -> Files:
        """The files of a shelf."""
        return self._done(lambda: files_in(folder_of(self._register, whole_hash(entries(self._register), bundle))))

    def _now(self) -> str:
        return self._zone.text(time.time_ns() // 1_000_000)

    def _done(self, step: Callable[[], Done]) -> Done:
        try:
            return step()
        except (BundleError, RuleError, RegisterError) as error:
            raise DoorError(str(error)) from None
        except OSError as error:
            what, advice = "a register to write to", "who publishes needs rights to it, see the manual"
            raise DoorError(f"{error.filename}: expected {what}, got {error.strerror}; {advice}") from None


def _self(said: str | None, option: str) -> Person:
    found = user()
    if said is not None and said != found.name:
        raise DoorError(f"{option}: expected {found.name}, who runs this command, got {said}; {said} has to run it")
    return found
