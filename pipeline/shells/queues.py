"""How much work lies in each queue at the end of a day: tasks that are open, how old they are, how many are overdue."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from pipeline.decisions import CollectionTask
from pipeline.zone import date_text

AGES = (2, 7, 14, 30)  # upper bounds, in days since a task was opened, of the ages that are told apart
AGE_NAMES = ("0-2", "3-7", "8-14", "15-30", "31+")
MOVES = ("opened", "done", "cancelled")


class QueueDay(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A queue at the close of a day."""

    date: str
    queue: str
    opened: int
    done: int
    cancelled: int
    open: int
    overdue: int
    ages: dict[str, int]


class OpenTask(NamedTuple):
    """What is remembered of an open task."""

    queue: str
    since: int | None  # None until the close of the day on which it was opened
    due_on: str


class Queues:
    """Follows every task from its opening to its end."""

    def __init__(self) -> None:
        self.open: dict[str, OpenTask] = {}
        self.moves: dict[str, Counter[str]] = defaultdict(Counter)  # queue -> what happened since the last close

    def heard(self, task: CollectionTask) -> None:
        """Note a revision of a task; one that was held and is told later opens then."""
        known = self.open.get(task.id)
        if task.status in ("open", "updated"):
            self.moves[task.queue]["opened"] += known is None
            self.open[task.id] = OpenTask(task.queue, None if known is None else known.since, task.due_by[:10])
        elif known is not None:
            self.moves[task.queue][task.status] += 1
            del self.open[task.id]

    def closed(self, on: int) -> Iterator[QueueDay]:
        """Every queue that ever had a task, at the close of a day, by name."""
        today, overdue = date_text(on), Counter[str]()
        ages: dict[str, Counter[str]] = defaultdict(Counter)
        for task_id, task in self.open.items():
            if task.since is None:
                self.open[task_id] = task = task._replace(since=on)
            assert task.since is not None
            ages[task.queue][age_of(on - task.since)] += 1
            overdue[task.queue] += task.due_on <= today
        for queue, moves in sorted(self.moves.items()):
            told = {name: ages[queue][name] for name in AGE_NAMES}
            moved = {name: moves[name] for name in MOVES}
            yield QueueDay(date=today, queue=queue, open=sum(told.values()), overdue=overdue[queue], ages=told, **moved)
            moves.clear()


def age_of(days: int) -> str:
    """The age that a number of days belongs to.

    >>> [age_of(days) for days in (0, 2, 3, 30, 31)]
    ['0-2', '0-2', '3-7', '15-30', '31+']
    """
    return AGE_NAMES[sum(days > bound for bound in AGES)]
