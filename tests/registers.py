"""Registers of published shelves, made for tests."""

from pathlib import Path

from pipeline.events import CATALOGUE
from pipeline.shells.publishing.bundle import bundled
from pipeline.shells.publishing.register import Person
from pipeline.shells.publishing.shelves import REGISTER
from pipeline.shells.publishing.steps import approve, propose
from rules.loader import load_shelf
from rules.rule import Shelf
from tests.arrival_logs import COUNTS_MISSES, shelf

ANNA, BEN = Person(name="anna", known_by="key"), Person(name="ben", known_by="key")
AT = "2025-03-05T10:00:00+08:00"


def read(folder: Path) -> Shelf:
    return load_shelf([folder], CATALOGUE)


def proposed(register: Path, rules: Path) -> str:
    return propose(register, bundled([rules]), ANNA, read, at=AT, evidence={}).bundle


def rules(folder: Path, severity: str = "low", **own: object) -> Path:
    """A folder with one rule."""
    return shelf(folder, misses=COUNTS_MISSES | {"severity": severity} | own)


def approved(register: Path, rules: Path) -> str:
    """The hash of some rules, proposed by Anna and approved by Ben."""
    return approve(register, proposed(register, rules), BEN, at=AT).bundle


def published(data: Path, rules: Path) -> str:
    """The hash of some rules, proposed by Anna and approved by Ben in the register of a data directory."""
    return approved(data / REGISTER, rules)
