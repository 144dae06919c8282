"""An embedded engine's data as the files of a replay: the same bytes for the same arrivals, but order and summary."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from pipeline.decisions import Alert, CollectionTask, DeadLetter, Disagreement, ShadowAlert
from pipeline.events import ConnectedWarned
from pipeline.profiles import profile_of
from pipeline.shelf import CompiledShelf
from pipeline.shells.embedded.borrowers import as_closed
from pipeline.shells.embedded.day_ends import month_lines, queue_lines
from pipeline.shells.embedded.digest import Digest
from pipeline.shells.embedded.records import KINDS, LOG
from pipeline.shells.embedded.rule_texts import rules_in
from pipeline.shells.embedded.standing import Standing, standing_in
from pipeline.shells.replay import FILES, HELD, MONTHS, ORDER, PROFILES, QUEUES, SUMMARY, VERDICT, Summary, write_rules
from pipeline.zone import date_text

DIGEST = "opening-digest.json"  # of a backfill
LEFT = (SUMMARY, VERDICT, DIGEST)  # what an earlier export left says nothing of this one


def export(
    database: sqlite3.Connection,
    shelf: CompiledShelf,
    out: Path,
    only: Collection[str] | None = None,
    at_close: CompiledShelf | None = None,
) -> Summary:
    """Write the files of a replay into a folder, and the log of arrivals beside them; or only some of these files.

    `database` is read as it stands at this moment, whoever writes to it meanwhile. Borrowers that are set aside have no
    profile: what came since then is not in their memory. `at_close` is the shelf that judged the last close, where it
    was another one.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in LEFT:
        (out / name).unlink(missing_ok=True)
    begins = not database.in_transaction
    if begins:
        database.execute("begin")
    try:
        standing = standing_in(database)
        written = {
            name: _write(out / name, lines())
            for name, lines in _files(database, shelf if at_close is None else at_close, standing).items()
            if only is None or name in only
        }
        write_rules(rules_in(database), out)
        if digest := database.execute("select body from decisions where kind = ?", (KINDS[Digest],)).fetchone():
            (out / DIGEST).write_bytes(msgspec.json.format(digest[0], indent=2) + b"\n")
        summary = _summary(database, shelf, standing, written.get(PROFILES, 0))
    finally:
        if begins:
            database.execute("rollback")
    (out / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
    return summary


def _files(
    database: sqlite3.Connection, shelf: CompiledShelf, standing: Standing
) -> dict[str, Callable[[], Iterable[bytes]]]:
    """The lines of each file, read when they are asked for."""

    def bodies(kind: type) -> Callable[[], Iterable[bytes]]:
        query = "select body from decisions where kind = ? order by n"
        return lambda: (body for (body,) in database.execute(query, (KINDS[kind],)))

    return {
        LOG: lambda: (raw for (raw,) in database.execute("select raw from arrivals order by n")),
        **{name: bodies(kind) for kind, name in FILES.items()},
        HELD: lambda: (),
        MONTHS: lambda: month_lines(database, shelf, standing.closed, as_closed(database)),
        QUEUES: lambda: queue_lines(database),
        PROFILES: lambda: _profiles(database, shelf, standing),
        ORDER: lambda: _order(database, standing, shelf.hash),
    }


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


def _order(database: sqlite3.Connection, standing: Standing, shelf: str) -> Iterator[bytes]:
    """Ranges of lines, and the closes and the changes of the shelf between them; a shelf begins with its own line."""

    def entry(line: int, **fields: Any) -> bytes:
        adopted = standing.adopted_by(line)
        return msgspec.json.encode({**fields, "shelf": shelf if adopted is None else adopted.shelf})

    closes = database.execute("select n, date from closes order by date").fetchall()
    ends = [(each.line - 1, None) for each in standing.shelves if each.line]
    first = 1
    for n, date in sorted([*closes, *ends], key=lambda end: (end[0], end[1] is None)):
        if n >= first:
            yield entry(n, file=LOG, first=first, last=n)
            first = n + 1
        if date is not None:
            yield entry(n, closed=date_text(date))
    if standing.lines >= first:
        yield entry(standing.lines, file=LOG, first=first, last=standing.lines)


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
        warnings=sum(counted(ConnectedWarned).values()),
    )
