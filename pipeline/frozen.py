"""The records of frozen memory, and what of a borrower stands in which."""

from array import array

import msgspec

from pipeline.decode import Arrival
from pipeline.memory import Episode, Row, Waiting
from pipeline.standing import Due, State

_PERS = ("borrower_id", "loan_id", "account_id")
_STATUSES = ("draft", "shadow", "live", "retired")
_STATES = ("closed", "pending", "open")


class LoanHead(msgspec.Struct, array_like=True, gc=False):
    """What of a loan moves with its events."""

    state: State
    dues: list[Due] | None  # None: as in the tail
    material_since: int | None
    latest: tuple[int, str]


class LoanTail(msgspec.Struct, array_like=True, gc=False):
    """What of a loan seldom moves; its dues as they stood at the roll."""

    currency: str | None
    product: str
    segment: str
    dues: list[Due]
    schedules: dict[str, list[Due]]
    originals: dict[str, Row]
    checkpoint: State | None


class EpisodeRecord(msgspec.Struct, array_like=True, gc=False):
    """An episode, its words as numbers."""

    rule: str
    key: str  # nothing: the borrower's own
    kind: int  # per and status, as numbers
    version: int
    hash: int
    shape: int
    n: int
    state: int
    since: int
    opened_on: int | None
    severity: int
    told: int
    false_since: int | None
    unknown_since: int | None
    closed_on: int | None


class HeadRecord(msgspec.Struct, array_like=True, gc=False):
    """The head: what moves with most events."""

    names: list[str]  # those that the tail does not hold
    clock: int
    loans: dict[str, msgspec.Raw]
    episodes: list[msgspec.Raw]  # those that the tail does not hold
    tasks: dict[str, msgspec.Raw]
    snoozed: dict[str, int]
    waiting: list[Waiting]
    void_misses: dict[str, list[tuple[Row, str]]]
    void: dict[str, tuple[int, int]]
    parked: list[Arrival]
    ties: dict[str, tuple[int, bool]]
    numbered: int
    backstop_on: int | None
    fresh: list[msgspec.Raw]


class TailRecord(msgspec.Struct, array_like=True, gc=False):
    """The tail: what seldom moves, and all that is older than the last roll."""

    names: list[str]
    shelf: str
    known: dict[str, tuple[int, int]]
    accounts: list[str]
    loans: dict[str, LoanTail]
    episodes: list[EpisodeRecord]
    streams: list[tuple[str, str, int, bytes, str]]  # type, loan or account, width, columns, tokens
    totals: list[tuple[str, str, int, bytes]]  # type, account, number of the category, (date, count, sum)s


def record_of(episode: Episode) -> EpisodeRecord:
    """An episode as it is written."""
    return EpisodeRecord(
        episode.rule,
        "" if episode.per == "borrower_id" else episode.key,
        _PERS.index(episode.per) * len(_STATUSES) + _STATUSES.index(episode.status),
        episode.version,
        episode.hash,
        episode.shape,
        episode.n,
        _STATES.index(episode.state),
        episode.since,
        episode.opened_on,
        episode.severity,
        episode.told,
        episode.false_since,
        episode.unknown_since,
        episode.closed_on,
    )


def episode_of(record: EpisodeRecord, borrower_id: str) -> Episode:
    """The episode of a record."""
    per, status = divmod(record.kind, len(_STATUSES))
    return Episode(
        record.rule,
        record.key if per else borrower_id,
        _PERS[per],
        _STATUSES[status],
        record.version,
        record.hash,
        record.shape,
        record.n,
        _STATES[record.state],
        record.since,
        record.opened_on,
        record.severity,
        record.told,
        record.false_since,
        record.unknown_since,
        record.closed_on,
    )


def columns_of(rows: "array[int]", width: int) -> bytes:
    """Rows of integers, column by column, the bytes of one significance together: most are equal, and compress well."""
    packed = b"".join([rows[i::width].tobytes() for i in range(width)])
    return b"".join([packed[i::8] for i in range(8)])


def rows_of(columns: bytes, width: int) -> "array[int]":
    """The rows that were written as columns."""
    n = len(columns) // 8
    packed = bytearray(len(columns))
    for i in range(8):
        packed[i::8] = columns[i * n : (i + 1) * n]
    by_column = array("q")
    by_column.frombytes(packed)
    rows = array("q", bytes(len(columns)))
    for i in range(width):
        rows[i::width] = by_column[i * n // width : (i + 1) * n // width]
    return rows
