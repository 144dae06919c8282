"""What is read of a register, as it goes over HTTP, and the evidence of a proposal."""

from pydantic import BaseModel, ConfigDict

from pipeline.shells.publishing.bundle import Files
from pipeline.shells.publishing.register import Entry


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Key(_Model):
    """Whose a key is, and what it allows."""

    person: str | None
    scopes: list[str]


class Register(_Model):
    """Every step, and what is in force."""

    in_force: str | None
    entries: list[Entry]


class Published(_Model):
    """One shelf: its files, and the steps that were taken with it."""

    bundle: str
    files: Files
    entries: list[Entry]


class Tests(_Model):
    """The cases of the rules; a shelf with a failing one is not proposed."""

    cases: int
    failed: int


class Nudge(_Model):
    """How many moves of numbers and operators no case notices, of the rules that changed."""

    rules: int
    moves: int
    unnoticed: dict[str, int]  # rule -> how many
    excused: int


class Covered(_Model):
    """How many signs of a list are covered."""

    covered: int
    partly: int
    not_covered: int


class Difference(_Model):
    """A figure under the shelf in force and under the proposed one, and what it moves by with its 95 % interval."""

    before: float | None
    after: float | None
    difference: float | None
    low: float | None
    high: float | None
    of_before: int
    of_after: int


class Moved(_Model):
    """How many borrowers are alerted otherwise than by the shelf in force."""

    newly: int
    no_longer: int
    earlier: int
    later: int


class Past(_Model):
    """What the shelf would have done over events of the past; shares from 0 to 1, lead in days."""

    events: int
    first_day: str
    as_of: str
    borrowers: int
    defaulted: int
    figures: dict[str, float | None]
    defaulters: Moved | None = None  # None: nothing was in force to compare with
    others: Moved | None = None
    differences: dict[str, Difference] = {}


class Changed(_Model):
    """A rule that is not the same as in the shelf in force, in words."""

    rule: str
    kind: str  # new, gone, changed, words
    says: dict[str, str]  # by language


class Evidence(_Model):
    """What speaks for a shelf.

    Numbers only: whoever is alerted otherwise is named by `forewarn backtest --against`, since a register is kept for
    ever and a borrower may ask to be erased.
    """

    rules: dict[str, int]  # status -> how many
    tests: Tests
    nudge: Nudge
    coverage: dict[str, Covered]  # list -> counts
    changes: list[Changed] | None  # None: the first shelf that is published
    past: Past | None
    without_past: str | None = None  # why no past was asked
