"""Requests that bear a key: lines that one brought before are not taken again, however often it is sent."""

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal, NamedTuple

import msgspec

KEY_REUSED = "key_reused"
_REUSED = "Idempotency-Key: expected the lines that it was first sent with, got others; give every request its own key"


class Outcome(NamedTuple):
    """What came of one line."""

    line: int  # its number in the log; 0: it is not there, or was known before
    status: Literal["accepted", "refused", "repeated"]
    reason: str | None = None  # why it is refused; of a repeated one, why it was refused at first
    why: str | None = None


REUSED = Outcome(0, "refused", KEY_REUSED, _REUSED)


def repeated_in(database: sqlite3.Connection, request: str, lines: Sequence[bytes]) -> list[Outcome] | None:
    """What came of the lines that a request brought before; None where these were others."""
    query = "select lines, digest, refused from requests where key = ?"
    known = database.execute(query, (request,)).fetchone()
    done, digest, reasons = (0, _digest_of(()), {}) if known is None else (*known[:2], _REASONS.decode(known[2]))
    if len(lines) < done or _digest_of(lines[:done]) != digest:
        return None
    return [Outcome(0, "repeated", *reasons.get(n, ())) for n in range(done)]


def keep(database: sqlite3.Connection, request: str, lines: Sequence[bytes], outcomes: Sequence[Outcome]) -> None:
    """Remember what a request brought, and what came of it."""
    reasons = {n: (each.reason, each.why) for n, each in enumerate(outcomes) if each.reason is not None}
    row = (request, len(lines), _digest_of(lines), _ENCODE(reasons))
    database.execute("insert or replace into requests values (?, ?, ?, ?)", row)


def _digest_of(lines: Sequence[bytes]) -> bytes:
    digest = sha256()
    for raw in lines:
        digest.update(raw + b"\n")
    return digest.digest()


_ENCODE = msgspec.msgpack.Encoder().encode
_REASONS = msgspec.msgpack.Decoder(dict[int, tuple[str, str | None]])
