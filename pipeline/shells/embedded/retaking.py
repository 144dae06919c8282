"""Dead letters taken again: their bytes are new arrivals, so the log still says all that was decided on."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipeline.shells.embedded.letters import Letter, Wanted, last_in, letter_in, letters_in
from pipeline.shells.embedded.quarantine import FAULT
from pipeline.shells.embedded.runtime import Runtime

MOST = 1_000  # letters in one transaction, but for the events of one borrower, which stay together


def _number(value: Any) -> Any:
    """What JSON calls a whole number, 6.0 too; what pydantic takes beside that, true and texts, is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a whole number")
    return value


Number = Annotated[int, Field(ge=0, le=1 << 53), BeforeValidator(_number)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(_Model):
    """Which letters are to be taken again: those of these numbers, else those of a reason and a borrower."""

    letters: list[Number] = Field(default=[], max_length=MOST)
    reason: str | None = Field(default=None, max_length=64)
    borrower_id: str | None = Field(default=None, max_length=64)
    after: Number = 0  # where the last answer said to go on
    until: Number | None = None  # and up to where: what is refused again is not taken again and again


class Retaken(_Model):
    """What came of a letter."""

    letter: int
    status: Literal["accepted", "refused", "repeated"]
    log_line: int
    reason: str | None = None
    why: str | None = None


class Answer(_Model):
    """What came of some letters, who is like any other again, and where to go on; `after` is None at the end."""

    results: list[Retaken]
    lifted: list[str]
    unknown: list[int]
    after: int | None
    until: int


def retake(runtime: Runtime, asked: Asked) -> Answer:
    """Take letters again, in the order of their numbers.

    A borrower that was set aside is let out first, and all its events that wait go with the one that was asked for. One
    that was taken again already is passed over, unless it is named.
    """
    return runtime.worked(lambda: _retaken(runtime, asked))


def _retaken(runtime: Runtime, asked: Asked) -> Answer:
    database = runtime.store.database
    until = last_in(database) if asked.until is None else asked.until
    if asked.letters:
        found = {n: letter_in(database, n) for n in asked.letters}
        letters = [each for each in found.values() if each is not None]
        unknown, goes_on = [n for n, each in found.items() if each is None], False
    else:
        wanted = Wanted(asked.reason, asked.borrower_id, asked.after, until, limit=MOST, is_open=True)
        letters = letters_in(database, wanted)
        unknown, goes_on = [], len(letters) == MOST
    last = letters[-1].number if letters else until
    lifted = _lifted(runtime, asked, letters)
    results = [_taken(runtime, each) for each in _with_the_rest(runtime, letters, lifted)]
    return Answer(results=results, lifted=lifted, unknown=unknown, after=last if goes_on else None, until=until)


def _lifted(runtime: Runtime, asked: Asked, letters: list[Letter]) -> list[str]:
    """Whom to let out: those of whom a faulty event is taken again, and those that have none but were asked for."""
    wanted = {each.borrower_id for each in letters if each.reason == FAULT}
    if asked.borrower_id is not None:
        wanted.add(asked.borrower_id)
    elif asked.reason == FAULT and not asked.after:
        waiting = runtime.store.database.execute(_WITH_LETTERS, (FAULT,)).fetchall()
        wanted |= set(runtime.quarantine) - {borrower_id for (borrower_id,) in waiting}
    lifted = sorted(borrower_id for borrower_id in runtime.quarantine if borrower_id in wanted)
    for borrower_id in lifted:
        runtime.lift(borrower_id)
    return lifted


def _with_the_rest(runtime: Runtime, letters: list[Letter], lifted: Iterable[str]) -> list[Letter]:
    """The letters, and with them all events that wait of those that were let out."""
    rest = {each.number: each for each in letters}
    for borrower_id in lifted:
        wanted = Wanted(reason=FAULT, borrower_id=borrower_id, is_open=True)
        rest |= {each.number: each for each in letters_in(runtime.store.database, wanted)}
    return [rest[number] for number in sorted(rest)]


def _taken(runtime: Runtime, letter: Letter) -> Retaken:
    outcome = runtime.take_line(letter.raw)
    row = (letter.number, outcome.line)
    runtime.store.database.execute("insert or replace into replayed values (?, ?)", row)
    return Retaken(
        letter=letter.number, status=outcome.status, log_line=outcome.line, reason=outcome.reason, why=outcome.why
    )


_WITH_LETTERS = """
    select distinct borrower_id from decisions left join replayed on letter = n
    where kind = 'dead_letter' and detail = ? and line is null
"""
