"""How memory is frozen into two records, and thawed: a head that is written often, a tail that is written seldom.

head   what moves with most events: loans, open episodes, tasks, clocks, and the events since the last roll
tail   what seldom moves: older kept events, daily totals, names, schedules, closed episodes; written on a roll

A part of the head that did not change since the last freeze keeps its bytes. The first byte of each record is the
version of the format.
"""

from array import array
from collections.abc import Callable
from threading import local
from typing import Any

import msgspec
import zstandard

from pipeline.frozen import (
    EpisodeRecord,
    HeadRecord,
    LoanHead,
    LoanTail,
    TailRecord,
    columns_of,
    episode_of,
    record_of,
    rows_of,
)
from pipeline.layout import ABSENT, layout_of
from pipeline.ledger import Loan
from pipeline.memory import Fresh, Kind, Memory, Task, token_of
from pipeline.standing import State

VERSION = 1
FRESH_LIMIT = 8  # events in the head before they roll into the tail: more make the head dear, fewer the rolls
_FIRST = bytes((VERSION,))


def freeze(memory: Memory) -> tuple[bytes, bytes]:
    """Memory as two records, head and tail; the tail is the same object as before unless it had to be rolled."""
    if memory.tail is None or len(memory.head.fresh) > FRESH_LIMIT:
        memory.tail = _roll(memory)
    _write_moved(memory)
    head, written = memory.head, memory.written
    record = HeadRecord(
        head.names[memory.rolled_names :],
        head.clock,
        written["loan"],
        list(written["episode"].values()),
        written["task"],
        head.snoozed,
        head.waiting,
        head.void_misses,
        head.void,
        head.parked,
        head.ties,
        head.numbered,
        head.backstop_on,
        head.fresh,
    )
    return _FIRST + _ENCODER.encode(record), memory.tail


def thaw(borrower_id: str, head: bytes, tail: bytes) -> Memory:
    """The memory that was frozen.

    Raises ValueError for a version that this release does not read.
    """
    for part in (head, tail):
        if part[:1] != _FIRST:
            raise ValueError(
                f"memory of {borrower_id}: expected format {VERSION}, got {part[:1]!r}; use the release that wrote it"
            )
    memory = Memory(borrower_id)
    _thaw_tail(memory, tail)
    _thaw_head(memory, head)
    memory.recollect()
    return memory


# -- the head ---------------------------------------------------------------


def _write_moved(memory: Memory) -> None:
    """Write the parts that changed since the last head."""
    head, moved = memory.head, memory.moved
    parts: dict[Kind, dict[str, Any]] = {"loan": head.loans, "episode": head.episodes, "task": head.tasks}
    for kind, name in moved:
        part = parts[kind].get(name)
        if part is None:
            memory.written[kind].pop(name, None)
        else:
            memory.written[kind][name] = msgspec.Raw(_ENCODER.encode(_RECORDS[kind](memory, name, part)))
    moved.clear()


def _loan_record(memory: Memory, name: str, loan: Loan) -> LoanHead:
    dues = None if loan.state.dues == memory.rolled_dues.get(name) else loan.state.dues
    return LoanHead(msgspec.structs.replace(loan.state, dues=[]), dues, loan.material_since, loan.latest)


_RECORDS: dict[Kind, Callable[[Memory, str, Any], Any]] = {
    "loan": _loan_record,
    "episode": lambda memory, name, episode: record_of(episode),
    "task": lambda memory, name, task: task,
}


def _thaw_head(memory: Memory, raw: bytes) -> None:
    record, head = _HEAD.decode(memoryview(raw)[1:]), memory.head
    for name in record.names:
        memory.number(name)
    head.clock = record.clock
    for key, part in record.loans.items():
        loan, moved = head.loans.setdefault(key, Loan(State())), _LOAN.decode(part)
        loan.state, loan.material_since, loan.latest = moved.state, moved.material_since, moved.latest
        loan.state.dues = list(memory.rolled_dues[key]) if moved.dues is None else moved.dues
        memory.written["loan"][key] = part.copy()
    for part in record.episodes:
        episode = episode_of(_EPISODE.decode(part), memory.borrower_id)
        head.episodes[episode.place] = episode
        memory.written["episode"][episode.place] = part.copy()
    for queue, part in record.tasks.items():
        head.tasks[queue] = _TASK.decode(part)
        memory.written["task"][queue] = part.copy()
    head.snoozed, head.waiting, head.parked, head.ties = record.snoozed, record.waiting, record.parked, record.ties
    head.void_misses, head.void = record.void_misses, record.void
    head.numbered, head.backstop_on = record.numbered, record.backstop_on
    for part in record.fresh:
        fresh = _FRESH.decode(part)
        layout, key = layout_of(head.names[fresh.type]), head.names[fresh.key]
        row = tuple(ABSENT if value is None else value for value in fresh.row)
        token = token_of(fresh.id, head.names[fresh.source]) if fresh.source else fresh.id
        memory.stream(layout, key).insert(row, token)
        head.fresh.append(part.copy())


# -- the tail ---------------------------------------------------------------


def _roll(memory: Memory) -> bytes:
    """Write all that the next heads need not hold."""
    head = memory.head
    head.fresh = []
    memory.rolled_names = len(head.names)
    memory.rolled_dues = {key: list(loan.state.dues) for key, loan in head.loans.items()}
    for key in head.loans:
        memory.note_change("loan", key)  # the head may have held dues that now stand in the tail
    closed = {place: episode for place, episode in head.episodes.items() if episode.state == "closed"}
    for place in closed:
        memory.moved.pop(("episode", place), None)
        memory.written["episode"].pop(place, None)
    record = TailRecord(
        head.names,
        head.shelf,
        head.known,
        head.accounts,
        {
            key: LoanTail(
                loan.currency,
                loan.product,
                loan.segment,
                loan.state.dues,
                loan.schedules,
                loan.originals,
                loan.checkpoint,
            )
            for key, loan in head.loans.items()
        },
        [record_of(episode) for episode in closed.values()],
        [
            (type_name, key, stream.layout.width, columns_of(stream.rows, stream.layout.width), stream.ids)
            for type_name, by_key in memory.streams.items()
            for key, stream in by_key.items()
            if stream.rows
        ],
        [
            (type_name, account, category, rows.tobytes())
            for type_name, by_account in memory.totals.items()
            for account, by_category in by_account.items()
            for category, rows in by_category.items()
        ],
    )
    return _FIRST + _ZSTD.compressor.compress(_ENCODER.encode(record))


def _thaw_tail(memory: Memory, raw: bytes) -> None:
    record, head = _TAIL.decode(_ZSTD.decompressor.decompress(memoryview(raw)[1:])), memory.head
    memory.tail = raw
    head.names, head.shelf, head.known, head.accounts = record.names, record.shelf, record.known, record.accounts
    memory.codes = {name: i for i, name in enumerate(head.names)}
    memory.rolled_names = len(head.names)
    for key, kept in record.loans.items():
        head.loans[key] = Loan(
            State(),
            kept.currency,
            kept.product,
            kept.segment,
            schedules=kept.schedules,
            originals=kept.originals,
            checkpoint=kept.checkpoint,
        )
        memory.rolled_dues[key] = kept.dues
    for part in record.episodes:
        episode = episode_of(part, memory.borrower_id)
        head.episodes[episode.place] = episode
    for type_name, key, width, rows, ids in record.streams:
        stream = memory.stream(layout_of(type_name), key)
        if width != stream.layout.width:
            raise ValueError(
                f"memory of {memory.borrower_id}: expected {stream.layout.width} columns of {type_name}, got {width}; "
                "use the release that wrote it"
            )
        stream.rows, stream.ids = rows_of(rows, width), ids
    for type_name, account, category, rows in record.totals:
        kept_totals = array("q")
        kept_totals.frombytes(rows)
        memory.totals.setdefault(type_name, {}).setdefault(account, {})[category] = kept_totals


class _OfThread(local):
    """What packs and unpacks tails: one of each for a thread, as the library's are not safe for two at once."""

    def __init__(self) -> None:
        # Half the time of level 1 for the same size; zlib takes eight times.
        self.compressor = zstandard.ZstdCompressor(level=-1)
        self.decompressor = zstandard.ZstdDecompressor()


_ZSTD = _OfThread()
_ENCODER = msgspec.msgpack.Encoder()
_HEAD = msgspec.msgpack.Decoder(HeadRecord)
_TAIL = msgspec.msgpack.Decoder(TailRecord)
_LOAN = msgspec.msgpack.Decoder(LoanHead)
_EPISODE = msgspec.msgpack.Decoder(EpisodeRecord)
_TASK = msgspec.msgpack.Decoder(Task)
_FRESH = msgspec.msgpack.Decoder(Fresh)
