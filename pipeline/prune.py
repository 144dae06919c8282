"""What memory lets go: events too old for any rule; account flows become daily totals, ledger events a checkpoint."""

from array import array

from pipeline import ledger
from pipeline.layout import Layout, day_of, layout_of
from pipeline.memory import Memory, Row
from pipeline.misses import INSTALMENT
from pipeline.shelf import CompiledShelf
from pipeline.standing import State

VOID_DAYS = 400  # as long as the longest kept event


def prune(shelf: CompiledShelf, memory: Memory, on: int) -> None:
    """Let go of all that no rule may ask for on a date or later."""
    head = memory.head
    memory.pruned_on = on
    folded: dict[str, list[tuple[str, Row, str]]] = {}
    for type_name, by_key in memory.streams.items():
        layout = layout_of(type_name)
        for key, stream in by_key.items():
            gone = stream.cut(on - layout.kind.kept_days)
            if not gone:
                continue
            memory.tail, memory.is_touched = None, True
            if layout.kind.totals_days:
                _add_totals(memory, layout, key, gone)
            if type_name == "repayment.missed" and key in head.void_misses:
                _keep_void(memory, key, {row[INSTALMENT] for row, _ in gone})
            if type_name in ledger.FOLDED and key in head.loans:
                folded.setdefault(key, []).extend((type_name, row, token) for row, token in gone)
    for loan_id, rows in folded.items():
        _advance_checkpoint(shelf, memory, loan_id, rows)
    _drop_totals(memory, on)
    memory.recollect()
    _drop_void(memory, on)


def _keep_void(memory: Memory, loan_id: str, instalments: set[int]) -> None:
    """A miss that gave way to one that is now too old gives way to it for ever."""
    void = memory.head.void_misses.pop(loan_id)
    left = [(row, token) for row, token in void if row[INSTALMENT] not in instalments]
    if left:
        memory.head.void_misses[loan_id] = left


def _drop_void(memory: Memory, on: int) -> None:
    """Forget what counts no more once its repeat would be too old to be taken in."""
    head = memory.head
    if not any(on - day > VOID_DAYS for day, _ in head.void.values()):
        return
    memory.is_touched = True
    head.void = {token: seen for token, seen in head.void.items() if on - seen[0] <= VOID_DAYS}
    for loan_id, void in list(head.void_misses.items()):
        recent = [(row, token) for row, token in void if token in head.void]
        if recent:
            head.void_misses[loan_id] = recent
        else:
            del head.void_misses[loan_id]


def _add_totals(memory: Memory, layout: Layout, account: str, gone: list[tuple[Row, str]]) -> None:
    amount, category = layout.columns["amount"], layout.columns["category"]
    by_category = memory.totals.setdefault(layout.type, {}).setdefault(account, {})
    for row, _ in gone:
        code = max(0, category.read(row[category.offset]))
        totals = by_category.setdefault(code, array("q"))
        day = day_of(row[0])
        if not totals or totals[-3] != day:
            totals.extend((day, 0, 0))
        totals[-2] += 1
        totals[-1] += max(0, row[amount.offset])  # an absent amount is far below zero


def _advance_checkpoint(shelf: CompiledShelf, memory: Memory, loan_id: str, rows: list[tuple[str, Row, str]]) -> None:
    loan = memory.head.loans[loan_id]
    state = loan.checkpoint if loan.checkpoint is not None else State()
    terms = shelf.setting.terms(memory)
    for type_name, row, token in sorted(rows, key=lambda entry: (entry[1][0], entry[2])):
        ledger.apply(loan, state, type_name, loan.originals.pop(token, row), token, terms)
        loan.schedules.pop(token, None)
    loan.checkpoint = state
    memory.note_change("loan", loan_id)


def _drop_totals(memory: Memory, on: int) -> None:
    for type_name, by_account in memory.totals.items():
        first = on - layout_of(type_name).kind.totals_days
        for by_category in by_account.values():
            for category, totals in list(by_category.items()):
                n = 0
                while n < len(totals) and totals[n] < first:
                    n += 3
                if n:
                    del totals[:n]
                    memory.tail, memory.is_touched = None, True
                if not totals:
                    del by_category[category]
