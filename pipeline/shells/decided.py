"""What a replay's folder tells of its decisions: openings, closings and tasks of its borrowers, as columns."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from connectors.whole_lines import BadFile
from pipeline.decisions import Alert, CollectionTask, Transition
from pipeline.profiles import NEVER
from pipeline.shells.replay import FILES, PROFILES, SUMMARY
from pipeline.shells.truth import Outcome
from pipeline.zone import day_number
from rules.rule import SEVERITIES

ALERTS, TASKS = FILES[Alert], FILES[CollectionTask]
FLIP_FLOP_DAYS = 30  # a closing that is followed by an opening within so many days settled nothing
FAR = 1 << 40  # a date that never comes
UNKNOWN = -1  # a date, or a place in a list, that nobody knows
Days = npt.NDArray[np.int64]  # dates as days since 1970-01-01
Places = npt.NDArray[np.int64]  # places in a list
Mask = npt.NDArray[np.bool_]


class AlertLine(msgspec.Struct, frozen=True, gc=False):
    """What is judged of a line of alerts.jsonl."""

    id: str
    episode: Annotated[str, msgspec.Meta(pattern="/[0-9]+$")]
    rule: str
    borrower_id: str
    transition: Transition
    severity: Literal["low", "medium", "high", "critical"]
    at: datetime
    business_date: date


class TaskLine(msgspec.Struct, frozen=True):
    """What is judged of a line of collection-tasks.jsonl."""

    id: str
    borrower_id: str
    alerts: tuple[str, ...]


class LoanLine(msgspec.Struct, frozen=True):
    """What is judged of a loan in profiles.jsonl."""

    defaulted_on: date | None


class ProfileLine(msgspec.Struct, frozen=True):
    """What is judged of a line of profiles.jsonl."""

    borrower_id: str
    loans: tuple[LoanLine, ...]
    backstop_on: Annotated[str, msgspec.Meta(pattern=f"^({NEVER}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})$")] | None = (
        None  # a replay of an earlier version did not say
    )


class SummaryFile(msgspec.Struct, frozen=True):
    """What is judged of summary.json."""

    shelf: str
    first_day: date | None
    as_of: date | None
    days_closed: int


class Openings(NamedTuple):
    """Every opening, ordered by date, instant and id."""

    borrower: Places
    on: Days
    moment: Places  # rank of date and instant; equal for openings of one look
    rule: Places
    severity: Places


class Closings(NamedTuple):
    """Every closing whose following 30 days were seen."""

    borrower: Places
    rule: Places
    severity: Places
    flips: Mask  # whether the alert opened again within 30 days


class Tasks(NamedTuple):
    """Every task, and every rule that asked for one."""

    borrower: Places
    asked_of: Places  # borrower
    asked_by: Places  # rule


class Decided(NamedTuple):
    """What the rules decided of which borrowers, from the first to the last closed day."""

    shelf: str
    first: date
    last: date
    days: int
    borrowers: list[str]  # sorted; places in columns point here
    rules: list[str]  # sorted, those that opened an alert
    openings: Openings
    closings: Closings
    tasks: Tasks
    backstop: Days  # first close with 30 days past due; FAR where there was none, UNKNOWN where nobody can say
    defaults: dict[str, Outcome]  # as the events told of them


def decided_in(folder: Path) -> Decided:
    """Read what a replay wrote; BadFile in one sentence when a folder is none."""
    summary = summary_in(folder)
    profiles = list(lines_of(folder / PROFILES, ProfileLine))
    alerts = list(lines_of(folder / ALERTS, AlertLine))
    tasks = list(lines_of(folder / TASKS, TaskLine))
    try:
        return decided_of(summary, profiles, alerts, tasks)
    except BadFile as error:
        raise BadFile(f"{folder}: {error}") from None


def decided_of(
    summary: SummaryFile, profiles: list[ProfileLine], alerts: list[AlertLine], tasks: list[TaskLine]
) -> Decided:
    """What the lines of a replay tell, in whatever order they stand."""
    if summary.first_day is None or summary.as_of is None:
        raise BadFile("expected a replay that closed a day, got one without; replay events with dates")
    last = summary.as_of
    profiles = sorted(profiles, key=lambda profile: profile.borrower_id)
    place = {profile.borrower_id: i for i, profile in enumerate(profiles)}
    # What comes after the last close belongs to a day that nobody closed.
    alerts = [line for line in alerts if line.business_date <= last]
    asked = {line.episode for line in alerts}
    lines: list[AlertLine | TaskLine] = [*alerts, *(line for line in tasks if asked.intersection(line.alerts))]
    strange = next((line for line in lines if line.borrower_id not in place), None)
    if strange is not None:
        kind = "alerts" if isinstance(strange, AlertLine) else "tasks"
        raise BadFile(f"expected {kind} of borrowers in {PROFILES}, got {strange.id} of another; replay again")
    rules = sorted({line.rule for line in alerts})
    rank = {rule: i for i, rule in enumerate(rules)}
    return Decided(
        shelf=summary.shelf,
        first=summary.first_day,
        last=last,
        days=summary.days_closed,
        borrowers=list(place),
        rules=rules,
        openings=_openings(alerts, place, rank),
        closings=_closings(alerts, place, rank, day_number(last)),
        tasks=_tasks(tasks, asked, place, rank),
        backstop=_column(_backstop(profile.backstop_on) for profile in profiles),
        defaults=_defaults(profiles),
    )


def _openings(alerts: list[AlertLine], place: dict[str, int], rank: dict[str, int]) -> Openings:
    opened = [line for line in alerts if line.transition == "opened"]
    opened.sort(key=lambda line: (line.business_date, line.at, line.id))
    moments = {moment: i for i, moment in enumerate(dict.fromkeys((line.business_date, line.at) for line in opened))}
    return Openings(
        borrower=_column(place[line.borrower_id] for line in opened),
        on=_column(day_number(line.business_date) for line in opened),
        moment=_column(moments[line.business_date, line.at] for line in opened),
        rule=_column(rank[line.rule] for line in opened),
        severity=_column(SEVERITIES.index(line.severity) for line in opened),
    )


def _closings(alerts: list[AlertLine], place: dict[str, int], rank: dict[str, int], last: int) -> Closings:
    """An alert is the same when rule and key are; episodes that were never told lie between told ones."""
    again: dict[str, int] = {}  # rule/key -> date of the opening that was read last, which is the next one
    rows: list[tuple[int, int, int, bool]] = []
    ends = [(*_life(line.episode), line) for line in alerts if line.transition != "raised"]
    # Of one life the closing comes after the opening, so backwards it comes before.
    for of, _, line in sorted(ends, key=lambda end: (end[1], end[2].transition == "closed"), reverse=True):
        on = day_number(line.business_date)
        if line.transition == "opened":
            again[of] = on
            continue
        if last - on >= FLIP_FLOP_DAYS:
            flips = again.get(of, FAR) - on <= FLIP_FLOP_DAYS
            rows.append((place[line.borrower_id], rank[line.rule], SEVERITIES.index(line.severity), flips))
    borrower, rule, severity, flip = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Closings(_column(borrower), _column(rule), _column(severity), np.array(flip, dtype=np.bool_))


def _life(episode: str) -> tuple[str, int]:
    """An episode's rule and key, and its number.

    >>> _life("missed-and-silent/L4/12")
    ('missed-and-silent/L4', 12)
    """
    of, _, number = episode.rpartition("/")
    return of, int(number)


def _tasks(tasks: list[TaskLine], told: set[str], place: dict[str, int], rank: dict[str, int]) -> Tasks:
    """A task counts once however often it was revised, and once for each rule whose alerts asked for it."""
    asking: dict[tuple[str, int], set[str]] = {}
    for line in tasks:
        rules = {episode.split("/", 1)[0] for episode in line.alerts if episode in told}
        if rules:
            asking.setdefault((line.id, place[line.borrower_id]), set()).update(rules)
    pairs = [(borrower, rank[rule]) for (_, borrower), rules in asking.items() for rule in sorted(rules)]
    return Tasks(
        borrower=_column(borrower for _, borrower in asking),
        asked_of=_column(borrower for borrower, _ in pairs),
        asked_by=_column(rule for _, rule in pairs),
    )


def _backstop(told: str | None) -> int:
    if told is None:
        return UNKNOWN
    return FAR if told == NEVER else day_number(date.fromisoformat(told))


def _defaults(profiles: list[ProfileLine]) -> dict[str, Outcome]:
    """The first default of each borrower, as the events told of it."""
    dates = {
        profile.borrower_id: [loan.defaulted_on for loan in profile.loans if loan.defaulted_on is not None]
        for profile in profiles
    }
    return {borrower_id: Outcome(defaulted_on=min(days)) for borrower_id, days in dates.items() if days}


def _column(values: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.array(list(values), dtype=np.int64)


# -- files ------------------------------------------------------------------

Read = TypeVar("Read")
_STRANGE = "expected what a replay wrote, got other content"


def summary_in(folder: Path) -> SummaryFile:
    """What a replay says of itself; BadFile in one sentence when a folder is none of one."""
    if not folder.is_dir():
        got = "a file" if folder.exists() else "nothing there"
        raise BadFile(f"{folder}: expected a folder that a replay wrote, got {got}; name the --out of a replay")
    for name in (SUMMARY, ALERTS, TASKS, PROFILES):
        if not (folder / name).is_file():
            raise BadFile(f"{folder}: expected the {name} of a replay, got a folder without it; replay to its end")
    try:
        return msgspec.json.decode((folder / SUMMARY).read_bytes(), type=SummaryFile)
    except msgspec.DecodeError as error:
        raise BadFile(f"{folder / SUMMARY}: {_STRANGE} ({error}); replay again") from None


def lines_of(path: Path, kind: type[Read]) -> Iterator[Read]:
    """The lines of a file that a replay wrote, one by one; BadFile at the first that is of another kind."""
    decode: Any = msgspec.json.Decoder(kind).decode
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                yield decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise BadFile(f"{path}, line {number}: {_STRANGE} ({error}); replay again") from None
