"""What an engine keeps of each day's queues and each month's loans, in the transaction that closes the day."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
import zstandard

from pipeline.decisions import CollectionTask
from pipeline.decode import Arrival
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.shelf import CompiledShelf
from pipeline.shells.months import DISBURSED, Months, is_month_end
from pipeline.shells.queues import OpenTask, Queues

TOGETHER = 5_000  # lines of a month's end in one packed row
Moves = dict[str, dict[str, int]]


class DayEnds:
    """Follows tasks and loans between the closes of days."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._queues = Queues()
        self._touched: set[str] = set()  # tasks that were told of since the last flush

    def restore(self, moves: Moves) -> None:
        """Stand where the database stands; `moves` is what happened in the queues since the last close."""
        self._queues, self._touched = Queues(), set()
        for task_id, queue, since, due_on in self._database.execute("select id, queue, since, due_on from open_tasks"):
            self._queues.open[task_id] = OpenTask(queue, since, due_on)
        for queue, counts in moves.items():
            self._queues.moves[queue] = Counter(counts)

    @property
    def moves(self) -> Moves:
        """What happened in the queues since the last close."""
        return {queue: dict(counts) for queue, counts in self._queues.moves.items()}

    def heard(self, task: CollectionTask) -> None:
        """Note a revision of a task."""
        self._queues.heard(task)
        self._touched.add(task.id)

    def arrived(self, arrival: Arrival, n: int) -> None:
        """Note when a loan was paid out."""
        loan_id = getattr(arrival.event, "loan_id", None)
        if arrival.type == DISBURSED and loan_id is not None:
            row = (loan_id, arrival.date, n)
            self._database.execute("insert or ignore into disbursements values (?, ?, ?)", row)

    def closed(self, shelf: CompiledShelf, day: Day, memories: Iterable[Memory]) -> None:
        """Write the work of the queues on a day that was closed just now, and the loans when a month ended with it."""
        lines = [(msgspec.json.encode(each),) for each in self._queues.closed(day.date)]
        self._database.executemany("insert into queue_days (body) values (?)", lines)
        self.flush()
        self._database.execute("update open_tasks set since = ? where since is null", (day.date,))
        if is_month_end(day.date):
            self._close_month(shelf, day, memories)

    def flush(self) -> None:
        """Write the tasks that were told of since the last time."""
        for task_id in self._touched:
            task = self._queues.open.get(task_id)
            if task is None:
                self._database.execute("delete from open_tasks where id = ?", (task_id,))
            else:
                self._database.execute("insert or replace into open_tasks values (?, ?, ?, ?)", (task_id, *task))
        self._touched.clear()

    def _close_month(self, shelf: CompiledShelf, day: Day, memories: Iterable[Memory]) -> None:
        months = _months(self._database, None)
        before = set(months.ended)
        lines = (msgspec.json.encode(row) for row in months.rows(shelf, day, memories))
        while together := b"\n".join(islice(lines, TOGETHER)):
            packed = zstandard.ZstdCompressor().compress(together)
            self._database.execute("insert into month_ends (body) values (?)", (packed,))
        ended = ((loan_id,) for loan_id in sorted(months.ended - before))
        self._database.executemany("insert into ended_loans values (?)", ended)


def queue_lines(database: sqlite3.Connection) -> Iterator[bytes]:
    """The lines of queues.jsonl."""
    return (body for (body,) in database.execute("select body from queue_days order by n"))


def month_lines(
    database: sqlite3.Connection, shelf: CompiledShelf, closed: Day | None, memories: Iterable[Memory]
) -> Iterator[bytes]:
    """The lines of months.jsonl; of a month that has not ended as of the last close, as `memories` stood then."""
    for (packed,) in database.execute("select body from month_ends order by n"):
        yield from zstandard.ZstdDecompressor().decompress(packed).split(b"\n")
    if closed is not None and not is_month_end(closed.date):
        months = _months(database, closed)
        yield from (msgspec.json.encode(row) for row in months.rows(shelf, closed, memories))


def _months(database: sqlite3.Connection, closed: Day | None) -> Months:
    """What is known of disbursements and ended loans; as of a close what arrived after it counts not."""
    query = "select loan_id, min(date) from disbursements where n <= ? group by loan_id"
    last = (1 << 62,)
    if closed is not None:
        last = database.execute("select n from closes where date = ?", (closed.date,)).fetchone()
    ended = {loan_id for (loan_id,) in database.execute("select loan_id from ended_loans")}
    return Months(dict(database.execute(query, last).fetchall()), ended)
