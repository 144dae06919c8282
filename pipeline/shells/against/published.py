"""The published rules that a hash, or the beginning of one, stands for."""

from pathlib import Path

from pipeline.shells.against.ref import Published, RefError, texted
from pipeline.shells.publishing.bundle import LOCK, RULES
from pipeline.shells.publishing.register import RegisterError, entries, folder_of, whole_hash
from rules.changes import Texted
from rules.faults import RuleError


def published_in(register: Path | None) -> Published:
    """How to look a hash up in a register; without one no published rules are known."""

    def found(prefix: str) -> Texted | None:
        if register is None:
            return None
        try:
            steps = entries(register)
            if not any(each.entry.bundle.startswith(prefix) for each in steps):
                return None
            folder = folder_of(register, whole_hash(steps, prefix))
            return texted([folder / RULES], folder / LOCK)
        except (RegisterError, RuleError) as error:
            raise RefError(f"--against: {error}") from None

    return found
