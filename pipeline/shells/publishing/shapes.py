"""What is read of a register, as it goes over HTTP."""

from pydantic import BaseModel, ConfigDict

from rules.bundle import Files
from rules.register import Entry


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Register(_Model):
    """Every step, and what is in force."""

    in_force: str | None
    entries: list[Entry]


class Published(_Model):
    """One shelf: its files, and the steps that were taken with it."""

    bundle: str
    files: Files
    entries: list[Entry]
