"""What a shelf must keep to before anybody may propose it, and who the person at a terminal is."""

import os
import pwd
from collections.abc import Callable, Collection
from pathlib import Path

from pipeline.events import CATALOGUE
from pipeline.shells.publishing.register import Person
from rules.faults import RuleError
from rules.laws import examine
from rules.loader import shelf_of
from rules.rule import Shelf


def lawful(queues: Collection[str] | None) -> Callable[[Path], Shelf]:
    """The reader of a folder of rules that keep every law of a shelf; RuleError with every fault otherwise.

    Queues of tasks are looked at unless `queues` is None.
    """

    def read(folder: Path) -> Shelf:
        examined = examine([folder], CATALOGUE, None, None if queues is None else set(queues))
        if examined.faults:
            raise RuleError(examined.faults)
        return shelf_of([written.rule for written in examined.rules], None)

    return read


def user() -> Person:
    """The user of the operating system who runs this process."""
    return Person(name=pwd.getpwuid(os.geteuid()).pw_name, known_by="user")
