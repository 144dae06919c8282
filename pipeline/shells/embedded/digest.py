"""The opening digest: how everything stands on the day up to which history was loaded."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from pipeline.announce import life
from pipeline.decisions import CollectionTask
from pipeline.look import Day
from pipeline.memory import Memory, Task
from pipeline.shelf import CompiledShelf
from pipeline.shells.months import MonthEnd, Months
from pipeline.tasks import told_as
from pipeline.zone import date_text
from rules.rule import SEVERITIES


class OpenAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that is open: the id of its opening, and whom it is about."""

    id: str
    borrower_id: str


class OpenEpisodes(msgspec.Struct, frozen=True, kw_only=True):
    """The open alerts of a rule at a severity, as it was last told."""

    rule: str
    severity: str
    open: int
    alerts: list[OpenAlert]


class BucketExposure(msgspec.Struct, frozen=True, kw_only=True):
    """The open loans of a bucket."""

    bucket: str | None  # null: their days past due are unknown
    loans: int
    exposure_minor: int  # in the reporting currency, over those of which it is known
    exposure_unknown: int  # loans of which it is not


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """How a portfolio stands at the close of a day."""

    id: str
    as_of: str
    shelf: str
    currency: str
    borrowers: int
    episodes: list[OpenEpisodes]
    tasks: list[CollectionTask]  # each as its current revision said
    exposure: list[BucketExposure]


def digest_of(shelf: CompiledShelf, closed: Day, memories: Iterable[Memory]) -> Digest:
    """The digest right after the close of a day."""
    open_alerts: dict[tuple[str, int], list[OpenAlert]] = defaultdict(list)
    tasks: list[CollectionTask] = []
    borrowers = 0

    def watched() -> Iterator[Memory]:
        nonlocal borrowers
        for memory in memories:
            borrowers += 1
            tasks.extend(_told(memory, queue, task) for queue, task in memory.head.tasks.items() if task.is_open)
            for _, episode in sorted(memory.head.episodes.items()):  # a restart leaves them in another order
                rule = shelf.rules.get(episode.rule)
                if episode.state == "open" and episode.told >= 0 and rule is not None and rule.status == "live":
                    alert = OpenAlert(id=f"{life(episode)}/opened", borrower_id=memory.borrower_id)
                    open_alerts[episode.rule, episode.told].append(alert)
            yield memory

    exposure = _exposure(shelf, Months().rows(shelf, closed, watched()))
    as_of = date_text(closed.date)
    return Digest(
        id=f"digest/{as_of}",
        as_of=as_of,
        shelf=shelf.hash,
        currency=shelf.terms.reporting_currency,
        borrowers=borrowers,
        episodes=[
            OpenEpisodes(rule=rule, severity=SEVERITIES[severity], open=len(alerts), alerts=alerts)
            for (rule, severity), alerts in sorted(open_alerts.items(), key=lambda each: (-each[0][1], each[0][0]))
        ],
        tasks=sorted(tasks, key=lambda task: (task.queue, task.due_by, task.id)),
        exposure=exposure,
    )


def _told(memory: Memory, queue: str, task: Task) -> CollectionTask:
    """What the current revision of an open task said."""
    return told_as(memory, queue, task, "open" if task.revision == 1 else "updated")


def _exposure(shelf: CompiledShelf, rows: Iterator[MonthEnd]) -> list[BucketExposure]:
    loans, known, unknown = Counter[str | None](), Counter[str | None](), Counter[str | None]()
    for row in rows:
        if row.status == "open":
            loans[row.bucket] += 1
            if row.exposure_minor is None:
                unknown[row.bucket] += 1
            else:
                known[row.bucket] += row.exposure_minor
    return [
        BucketExposure(
            bucket=bucket, loans=loans[bucket], exposure_minor=known[bucket], exposure_unknown=unknown[bucket]
        )
        for bucket in sorted(loans, key=_rank)
    ]


def _rank(bucket: str | None) -> int:
    """Buckets in the order of their days, the unknown one last.

    >>> sorted(["91+", None, "1-30", "0"], key=_rank)
    ['0', '1-30', '91+', None]
    """
    return 1 << 30 if bucket is None else int(bucket.rstrip("+").split("-")[0])
