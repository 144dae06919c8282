"""The register as the commands reach it: through a running engine, by an API key, or on its disk, as a user of the system.

DoorError     no answer that can be used, or a step that was refused; one sentence
"""

import time
from pathlib import Path
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from pipeline.shells.embedded.last_run import is_data
from pipeline.shells.publishing.laws import lawful, user
from pipeline.shells.publishing.shelves import REGISTER
from pipeline.zone import Zone
from rules.bundle import BundleError, Files, files_in
from rules.faults import RuleError
from rules.publishing import approve, propose, roll_back
from rules.register import Entry, Person, RegisterError, entries, folder_of, in_force, made, whole_hash


Done = TypeVar("Done")


class DoorError(Exception):
    """No answer that can be used, or a step that was refused, in one sentence."""


class Log(NamedTuple):
    """Every step in its order, and the bundle in force."""

    entries: list[Entry]
    in_force: str | None


class Door(Protocol):
    """A register, wherever it is; a person that is named must be the one who asks."""

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
        if not is_data(data):
            raise DoorError(f"{data}: expected the data directory of an engine, got none; start it once by forewarn run")
        self._register = made(data / REGISTER)
        self._zone, self._queues = zone, queues

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
            advice = "check its rights: who publishes writes into it, see the manual"
            raise DoorError(f"{error.filename}: expected a register to write to, got {error.strerror}; {advice}") from None


def _self(said: str | None, option: str) -> Person:
    found = user()
    if said is not None and said != found.name:
        raise DoorError(f"{option}: expected {found.name}, who runs this command, got {said}; {said} has to run it")
    return found
