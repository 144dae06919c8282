"""Published shelves as what runs takes them up: found in a register by their hash, and compiled for a bank.

Unloadable     a hash of which no shelf can be loaded: whatever runs stops rather than decide by other rules
"""

from pathlib import Path

from pipeline.events import CATALOGUE
from pipeline.shelf import BankTerms, CompiledShelf, compile_shelf
from pipeline.shells.publishing.bundle import LOCK, RULES
from pipeline.shells.publishing.register import RegisterError, entries, folder_of, is_step, was_approved
from rules.faults import RuleError
from rules.loader import load_shelf_to_run
from rules.rule import Shelf

REGISTER = "register"  # in a data directory


class Unloadable(Exception):
    """No shelf can be loaded for a hash, in one sentence."""


class Shelves:
    """The shelves of a register, each read once."""

    def __init__(self, register: Path, terms: BankTerms) -> None:
        self.register = register
        self._terms = terms
        self._compiled: dict[str, CompiledShelf] = {}

    def compiled(self, bundle: str) -> CompiledShelf:
        """The shelf of a bundle that was approved; Unloadable otherwise."""
        found = self._compiled.get(bundle)
        if found is None:
            found = self._compiled[bundle] = compile_shelf(_loaded(self.register, bundle), self._terms)
        return found

    def refuse_no_step(self, digest: str | None, bundle: str) -> None:
        """Unloadable where no step of the register that has this digest put the bundle in force."""
        try:
            is_known = is_step(entries(self.register), digest, bundle)
        except RegisterError as error:
            raise Unloadable(f"shelf.published: {error}") from None
        if not is_known:
            raise Unloadable(
                f"shelf.published: expected a step of the register as it stands in its log, got {digest or 'no id'}; "
                "put rules in force by forewarn rules publish, approve or rollback"
            )


def register_of(data: Path | None, register: Path | None) -> Path | None:
    """The register that is named, else that of a data directory."""
    return data / REGISTER if register is None and data is not None else register


def shelf_in(folder: Path) -> Shelf:
    """The rules of a bundle's folder, with their versions; RuleError when they cannot be run."""
    return load_shelf_to_run([folder / RULES], CATALOGUE, folder / LOCK)


def _loaded(register: Path, bundle: str) -> Shelf:
    try:
        if not was_approved(entries(register), bundle):
            raise RegisterError(f"{register}: expected a shelf that two persons agreed on, got none of hash {bundle}")
        return shelf_in(folder_of(register, bundle))
    except (RegisterError, RuleError, OSError) as error:
        raise Unloadable(f"shelf.published: {error}") from None


def nothing_published(bundle: str) -> CompiledShelf:
    """Of a portfolio without a register."""
    raise Unloadable(
        f"shelf.published: expected the register that holds {bundle[:12]}, got none; name it with --register"
    )
