"""An engine takes up what its register says is in force: at its start, after an approval, and when it looks.

Which shelf is in force stands in the data, never in this service: what was taken up already is not taken up twice.
"""

import os
import threading
from pathlib import Path

import msgspec

from pipeline.shells.embedded.disk import Halted, Unstored
from pipeline.shells.embedded.runtime import Batch
from pipeline.shells.embedded.services import LOGGER, Repeated
from pipeline.shells.embedded.worker import Full, Worker
from pipeline.shells.publishing.register import LOG, RegisterError, entries, in_force
from pipeline.shells.publishing.steps import refuse_forged

LOOKS_EVERY_SECONDS = 2.0
SOURCE = "forewarn"


class Follower:
    """Sends the control record of the shelf in force, unless the engine decides by it already."""

    def __init__(self, register: Path, worker: Worker) -> None:
        self._register = register
        self._worker = worker
        self._seen: list[str] = []  # the entries when it looked last
        self._guard = threading.Lock()  # a look of the service and one after an approval

    def look(self, life: Repeated) -> None:
        """Follow, and tell what hinders it."""
        try:
            self.follow()
        except (RegisterError, Unstored, Halted) as error:
            life.tell(str(error))
        except Full:
            life.tell("a shelf waits to be put in force, and too many lines wait; it is tried again")
        else:
            life.tell(None)

    def follow(self) -> None:
        """Have the engine decide by the shelf in force; returns when it does."""
        with self._guard:
            log = self._register / LOG
            names = sorted(os.listdir(log)) if log.is_dir() else []
            if names == self._seen:
                return
            found = entries(self._register)
            active = in_force(found)
            if active is not None and active.entry.bundle != self._bundle():
                refuse_forged(self._register, found, active.entry.bundle)
                record = {"type": "shelf.published", "id": active.digest, "source": SOURCE, "at": active.entry.at}
                record |= {"hash": active.entry.bundle, "author": active.author, "approver": active.approver}
                self._worker.submit(Batch([msgspec.json.encode(record)])).result()
                LOGGER.info("rules: %s is in force", active.entry.bundle)
            self._seen = names

    def _bundle(self) -> str:
        return self._worker.call(lambda runtime: runtime.standing.bundle).result()
