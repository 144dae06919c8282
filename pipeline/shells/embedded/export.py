"""An embedded engine's data as the files of a replay: the same bytes for the same arrivals, but order and summary."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from pipeline.decisions import Alert, CollectionTask, DeadLetter, Disagreement, ShadowAlert
from pipeline.profiles import profile_of
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.borrowers import as_closed
from pipeline.shells.embedded.runtime import KINDS, LOG, Standing, standing_in
from pipeline.shells.replay import FILES, HELD, MONTHS, ORDER, PROFILES, QUEUES, SUMMARY, VERDICT, Summary, write_rules
from pipeline.zone import date_text


def export(database: sqlite3.Connection, shelf: CompiledShelf, out: Path) -> Summary:
    """Write the files of a replay into a folder, and the log of arrivals beside them.

    `database` is read as it stands at this moment, whoever writes to it meanwhile. Borrowers that are set aside have no
    profile: what came since then is not in their memory.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in (SUMMARY, PROFILES, VERDICT, MONTHS, QUEUES):  # What an earlier export left says nothing of this one.
        (out / name).unlink(missing_ok=True)
    begins = not database.in_transaction
    if begins:
        database.execute("begin")
    try:
        standing = standing_in(database)
        _write(out / LOG, (raw for (raw,) in database.execute("select raw from arrivals order by n")))
        for kind, name in FILES.items():
            query = "select body from decisions where kind = ? order by n"
            _write(out / name, (body for (body,) in database.execute(query, (KINDS[kind],))))
        _write(out / HELD, ())
        profiles = _write(out / PROFILES, _profiles(database, shelf, standing))
        write_rules(shelf, out)
        _write(out / ORDER, _order(database, shelf, standing))
        summary = _summary(database, shelf, standing, profiles)
    finally:
        if begins:
            database.execute("rollback")
    (out / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
    return summary


def _write(path: Path, lines: Iterable[bytes]) -> int:
    written = 0
    with path.open("wb") as file:
        for each in lines:
            file.write(each + b"\n")
            written += 1
    return written


def _profiles(database: sqlite3.Connection, shelf: CompiledShelf, standing: Standing) -> Iterator[bytes]:
    if standing.closed is not None:
        for memory in as_closed(database):
            yield msgspec.json.encode(profile_of(shelf, standing.closed, memory))


def _order(database: sqlite3.Connection, shelf: CompiledShelf, standing: Standing) -> Iterator[bytes]:
    """Ranges of lines, and the closes between them."""

    def entry(**fields: Any) -> bytes:
        return msgspec.json.encode({**fields, "shelf": shelf.hash})

    first = 1
    for date, n in database.execute("select date, n from closes order by date"):
        if n >= first:
            yield entry(file=LOG, first=first, last=n)
            first = n + 1
        yield entry(closed=date_text(date))
    if standing.lines >= first:
        yield entry(file=LOG, first=first, last=standing.lines)


def _summary(database: sqlite3.Connection, shelf: CompiledShelf, standing: Standing, profiles: int) -> Summary:
    statuses = [rule.status for rule in shelf.rules.values()]

    def counted(kind: type, by: str = "detail") -> dict[str, int]:
        which = "and detail = 'opened'" if by == "rule" else ""
        query = f"select {by}, count(*) from decisions where kind = ? {which} group by 1 order by 1"
        return dict(database.execute(query, (KINDS[kind],)).fetchall())

    return Summary(
        shelf=shelf.hash,
        currency=shelf.terms.reporting_currency,
        rules={status: statuses.count(status) for status in sorted(set(statuses))},
        events=standing.lines,
        by_type=dict(sorted(standing.by_type.items())),
        unknown_fields=standing.unknown_fields,
        borrowers=database.execute("select count(*) from heads").fetchone()[0],
        profiles=profiles,
        first_day=None if standing.first_day is None else date_text(standing.first_day),
        as_of=None if standing.closed is None else date_text(standing.closed.date),
        days_closed=database.execute("select count(*) from closes").fetchone()[0],
        alerts=counted(Alert),
        alerts_by_rule=counted(Alert, "rule"),
        shadow_alerts=sum(counted(ShadowAlert).values()),
        tasks=counted(CollectionTask),
        dead_letters=counted(DeadLetter),
        disagreements=sum(counted(Disagreement).values()),
    )
