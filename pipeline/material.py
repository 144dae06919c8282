"""Since when arrears are material: noted at every close, and worked out again after news of closed days."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from pipeline import ledger
from pipeline.keeping import News, ledger_rows
from pipeline.layout import day_of
from pipeline.ledger import Loan
from pipeline.ledger_meters import is_material, material_since
from pipeline.look import Look
from pipeline.memory import Memory
from pipeline.shelf import CompiledShelf
from pipeline.standing import State


def note_material(shelf: CompiledShelf, memory: Memory, look: Look) -> None:
    """Keep the first date of material arrears; the count starts again when any limit is no longer exceeded."""
    for loan_id, loan in memory.head.loans.items():
        material = is_material(memory, loan, look, shelf.setting) if loan.state.has_arrears else False
        noted = material_since(memory, loan)
        since = (look.day.date if noted is None else noted) if material else None
        if since != loan.material_since and material is not None:
            _keep(memory, loan_id, since)


def retrace_material(shelf: CompiledShelf, memory: Memory, look: Look, news: Sequence[News]) -> None:
    """The same for the closes since the first date of which something else is known now."""
    told = [each for each in news if each.type in ledger.FOLDED]
    if not told:
        return
    before = min(day_of(each.row[0]) for each in told) - 1
    loans = {each.key for each in told}
    for loan_id, loan in memory.head.loans.items():
        is_concerned = loan_id in loans or loan.segment == "corporate"
        if not is_concerned or (not loan.state.has_arrears and loan.material_since is None):
            continue
        # Nothing new is known of the close `before` and of those before it; what is noted of them stands.
        was = loan.material_since if loan.material_since is not None and loan.material_since <= before else None
        closes = list(_closes(shelf, memory, look, loan_id, before))
        if was is None and closes and closes[0].material is not False:
            closes = list(_closes(shelf, memory, look, loan_id, None))  # It may have begun before, and is not noted.
        since = _since(closes, was)
        if since != loan.material_since:
            _keep(memory, loan_id, since)


class Close(NamedTuple):
    """Whether arrears were material at the close of a date; None is unknown."""

    on: int
    material: bool | None


def _since(closes: Iterable[Close], since: int | None) -> int | None:
    """The first of the dates up to the last close without one below a limit; what is unknown changes nothing."""
    for on, material in closes:
        if material is not None:
            since = (on if since is None else since) if material else None
    return since


def _closes(shelf: CompiledShelf, memory: Memory, look: Look, loan_id: str, first: int | None) -> Iterator[Close]:
    """The closes from `first`, or from the oldest kept event, to the last one."""
    terms, loans = shelf.setting.terms(memory), memory.head.loans
    rows = {name: ledger_rows(memory, name) for name in (loans if loans[loan_id].segment == "corporate" else [loan_id])}
    days = {name: [day_of(row[0]) for _, row, _ in each] for name, each in rows.items()}
    if first is None:
        first = min((each[0] for each in days.values() if each), default=look.day.date)
    ends = {name: bisect_right(each, first) for name, each in days.items()}
    twins = {name: _twin(loans[name], ledger.folded(loans[name], rows[name][: ends[name]], terms)) for name in rows}
    for on in range(first, look.day.date):
        for name, twin in twins.items():
            while ends[name] < len(rows[name]) and days[name][ends[name]] <= on:
                type_name, row, token = rows[name][ends[name]]
                ledger.apply(twin, twin.state, type_name, twin.originals.get(token, row), token, terms)
                ends[name] += 1
        own, then = twins[loan_id], msgspec.structs.replace(look, day=msgspec.structs.replace(look.day, date=on))
        material = is_material(memory, own, then, shelf.setting, twins.values()) if own.state.has_arrears else False
        yield Close(on, material)


def _twin(loan: Loan, state: State) -> Loan:
    return msgspec.structs.replace(loan, state=state)


def _keep(memory: Memory, loan_id: str, since: int | None) -> None:
    memory.head.loans[loan_id].material_since = since
    memory.note_change("loan", loan_id)
