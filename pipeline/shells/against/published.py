"""The published rules that a hash or its beginning stands for: that of a bundle, or the one that alerts carry."""

from pathlib import Path

from pipeline.shells.against.ref import Published, RefError, texted
from pipeline.shells.publishing.bundle import LOCK, RULES
from pipeline.shells.publishing.register import RegisterError, Written, entries, folder_of, whole_hash
from rules.changes import Texted
from rules.faults import RuleError


def published_in(register: Path | None) -> Published:
    """How to look a hash up in a register; without one no published rules are known."""

    def found(prefix: str) -> Texted | None:
        if register is None:
            return None
        try:
            bundle = _bundle(entries(register), prefix)
            if bundle is None:
                return None
            folder = folder_of(register, bundle)
            return texted([folder / RULES], folder / LOCK)
        except (RegisterError, RuleError) as error:
            raise RefError(f"--against: {error}") from None

    return found


def _bundle(steps: list[Written], prefix: str) -> str | None:
    """The bundle whose hash begins so, else the last one whose rules decide by a hash that begins so."""
    if any(each.entry.bundle.startswith(prefix) for each in steps):
        return whole_hash(steps, prefix)
    shelves = {each.entry.shelf: each.entry.bundle for each in steps if each.entry.shelf.startswith(prefix)}
    if len(shelves) > 1:
        raise RegisterError(f"{prefix}: expected more digits, got as many as {len(shelves)} shelves begin with")
    return next(iter(shelves.values()), None)
