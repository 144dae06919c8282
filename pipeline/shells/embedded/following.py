"""An engine takes up what its register says is in force: at its start, after an approval, and when it looks.

Which shelf is in force stands in the data, never in this service: what was taken up already is not taken up twice.
"""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from pipeline.shells.embedded.disk import Halted, Unstored
from pipeline.shells.embedded.runtime import Batch, Runtime
from pipeline.shells.embedded.services import LOGGER, Repeated
from pipeline.shells.embedded.worker import Full, Worker
from pipeline.shells.publishing.register import (
    LOG,
    Activation,
    RegisterError,
    Written,
    entries,
    in_force,
    is_step,
)
from pipeline.shells.publishing.steps import refuse_forged

LOOKS_EVERY_SECONDS = 2.0
SOURCE = "forewarn"


class Adopted(NamedTuple):
    """A published shelf that an engine decides by."""

    bundle: str
    step: str | None  # the digest of the entry that put it in force


NOTHING = Adopted("", None)


class Follower:
    """Sends the control record of the shelf in force, unless the engine decides by it already."""

    def __init__(self, register: Path, worker: Worker) -> None:
        self._register = register
        self._worker = worker
        self._seen: tuple[list[str], Adopted] = [], NOTHING  # the entries when it looked last, and what was adopted
        self._guard = threading.Lock()  # a look of the service and one after an approval

    def look(self, life: Repeated) -> None:
        """Follow, and tell what hinders it."""
        trouble = None
        try:
            trouble = self.follow()
        except (RegisterError, Unstored, Halted) as error:
            trouble = str(error)
        except Full:
            trouble = "a shelf waits to be put in force, and too many lines wait; it is tried again"
        life.tell(trouble)

    def follow(self) -> str | None:
        """Have the engine decide by the shelf in force; returns when it does, or why it does not.

        Raises RegisterError where the register has lost the step that the engine follows: older rules would come into
        force by that.
        """
        with self._guard:
            log = self._register / LOG
            names = sorted(os.listdir(log)) if log.is_dir() else []
            adopted = self._worker.call(_adopted_in).result()
            if (names, adopted) == self._seen:
                return None
            found = entries(self._register)
            active = in_force(found)
            if adopted.bundle and not is_step(found, adopted.step, adopted.bundle):
                raise RegisterError(
                    f"{self._register}: expected the step by which {adopted.bundle[:12]} came into force, "
                    "got a register without it; bring it back from a backup"
                )
            if active is not None and active.entry.bundle != adopted.bundle:
                if names == self._seen[0]:
                    return (
                        f"{self._register}: expected {active.entry.bundle[:12]} in force, as the register says, "
                        f"got {adopted.bundle[:12]}, which was sent as an event; start the engine again"
                    )
                self._put_in_force(found, active)
                adopted = Adopted(active.entry.bundle, active.digest)
            self._seen = names, adopted
            return None

    def _put_in_force(self, found: Sequence[Written], active: Activation) -> None:
        refuse_forged(self._register, found, active.entry.bundle)
        record = {"type": "shelf.published", "id": active.digest, "source": SOURCE, "at": active.entry.at}
        record |= {"hash": active.entry.bundle, "author": active.author, "approver": active.approver}
        [outcome] = self._worker.submit(Batch([msgspec.json.encode(record)])).result()
        if outcome.status != "accepted":
            raise RegisterError(f"{active.entry.bundle[:12]}: expected a record that is taken in, got {outcome.why}")
        LOGGER.info("rules: %s is in force", active.entry.bundle)


def _adopted_in(runtime: Runtime) -> Adopted:
    """What an engine decides by, and the step of the register that its log names for it."""
    if not runtime.standing.bundle:
        return NOTHING
    line = runtime.standing.shelves[-1].line
    [raw] = runtime.store.database.execute("select raw from arrivals where n = ?", (line,)).fetchone()
    return Adopted(runtime.standing.bundle, _STEP.decode(raw).id)


class _Step(msgspec.Struct):
    id: str | None = None


_STEP = msgspec.json.Decoder(_Step)
