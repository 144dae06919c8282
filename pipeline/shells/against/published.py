"""Rules that were published, by their hash: that of their bundle, or that of what decides, which alerts carry."""

from pathlib import Path

from pipeline.shells.against.ref import Published, RefError, texted
from rules.bundle import LOCK, RULES
from rules.changes import Texted
from rules.faults import RuleError
from rules.register import RegisterError, Written, entries, folder_of


def published_in(register: Path) -> Published:
    """Looks a hash up in a register, proposals too; RefError where several begin so, or where one cannot be read."""

    def look_up(prefix: str) -> Texted | None:
        try:
            found = _bundle(entries(register), prefix)
            if found is None:
                return None
            folder = folder_of(register, found)
            return texted([folder / RULES], folder / LOCK)
        except (RegisterError, RuleError) as error:
            raise RefError(f"--against {prefix}: {error}") from None

    return look_up


def _bundle(log: list[Written], prefix: str) -> str | None:
    """The bundle whose hash begins so, else the last one that decides by a hash that begins so."""
    bundles = {each.entry.bundle for each in log if each.entry.bundle.startswith(prefix)}
    shelves = {each.entry.shelf: each.entry.bundle for each in log if each.entry.shelf.startswith(prefix)}
    hits = bundles or set(shelves.values())
    if len(hits) > 1:
        raise RegisterError(f"expected more digits, got as many as {len(hits)} published shelves begin with")
    return next(iter(hits), None)
