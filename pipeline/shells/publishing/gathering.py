"""The evidence of a proposal, gathered by who proposes: cases and moves, and a backtest beside the shelf in force."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
from rich.progress import Progress

from connectors.whole_lines import BadFile
from pipeline.shelf import BankTerms
from pipeline.shells.against.compare import LISTS, Lists
from pipeline.shells.against.ref import Referred, texted
from pipeline.shells.against.run import backtested_against
from pipeline.shells.against.told import Against
from pipeline.shells.backtest.asked import chosen
from pipeline.shells.backtest.judging import Found
from pipeline.shells.backtest.run import Wish, backtested
from pipeline.shells.embedded.store import DataError
from pipeline.shells.publishing.bundle import LOCK, RULES, write
from pipeline.shells.publishing.doors import Door, DoorError
from pipeline.shells.publishing.evidence import Compared, Failing, evidence_of
from pipeline.shells.publishing.shapes import Difference, Evidence, Moved, Past
from rules.changes import Texted

OF_PAST = (
    *("recall", "lead_median_days", "before_backstop", "precision_at_least", "alerted_share", "flip_flop"),
    *("alerts_per_1000_and_month", "tasks_per_1000_and_month"),
)


class Wanted(NamedTuple):
    """What is proposed, and by which past it is to be judged: event files, else the log of a data directory."""

    folders: list[Path]
    over: list[Path]
    data: Path | None
    without_past: str | None
    truth: Path | None
    config: Path | None


def gathered(door: Door, wanted: Wanted, terms: BankTerms, progress: Progress) -> Evidence:
    """Everything that speaks for the rules of some folders; DoorError in one sentence where it cannot be gathered."""
    has_past = bool(wanted.over) or (wanted.data is not None and wanted.without_past is None)
    if has_past == (wanted.without_past is not None):
        got = "both" if has_past else "neither"
        raise DoorError(
            f"--over: expected events of the past, or --without-past and why there are none, got {got}; name one"
        )
    with _in_force(door) as base:
        proposed = texted(wanted.folders)
        try:
            past = _past(wanted, base, progress) if has_past else None
            return evidence_of(Compared(proposed, base), terms, past, without_past=wanted.without_past)
        except (BadFile, DataError, Failing) as error:
            raise DoorError(str(error)) from None


@contextmanager
def _in_force(door: Door) -> Iterator[Texted | None]:
    """The shelf in force, its files there for as long as it is looked at."""
    bundle = door.log().in_force
    if bundle is None:
        yield None
        return
    with TemporaryDirectory() as name:
        folder = Path(name) / bundle
        write(door.files(bundle), folder)
        yield texted([folder / RULES], folder / LOCK)


def _past(wanted: Wanted, base: Texted | None, progress: Progress) -> Past:
    past = chosen(wanted.over or None, None if wanted.over else wanted.data, wanted.folders, wanted.config)
    wish = Wish(truth=wanted.truth)
    if base is None:
        return _told(backtested(past, wish, progress), None)
    paired = backtested_against(Referred("in force", "published", base), past, wish, progress)
    return _told(paired.found, paired.against)


def _told(found: Found, against: Against | None) -> Past:
    told, overall = found.told, found.told.verdict.overall
    shelf = None if against is None else against.shelf
    return Past(
        events=told.events.events,
        first_day=str(told.events.first_day),
        as_of=str(told.events.as_of),
        borrowers=overall.counts["borrowers"],
        defaulted=overall.counts["defaulted"],
        figures={name: overall.figures[name].value for name in OF_PAST},
        defaulters=None if shelf is None else _moved(shelf.moved.defaulters),
        others=None if shelf is None else _moved(shelf.moved.others),
        differences={}
        if shelf is None
        else {name: Difference(**msgspec.structs.asdict(each)) for name, each in shelf.figures.items()},
    )


def _moved(lists: Lists) -> Moved:
    return Moved(**{name: len(getattr(lists, name)) for name in LISTS})
