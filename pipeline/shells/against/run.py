"""A backtest of two shelves over the same events, in the same parts of the borrowers."""

from pathlib import Path

import msgspec
from rich.progress import Progress

from pipeline.shells.against.published import published_in
from pipeline.shells.against.ref import Referred, RefError, rules_at
from pipeline.shells.against.told import Against, BacktestAgainst, against_of
from pipeline.shells.backtest.asked import Chosen, statuses_in, with_drafts
from pipeline.shells.backtest.judging import Found, found_in
from pipeline.shells.backtest.run import Wish, asking_of, parts_of
from pipeline.shells.backtest.workers import Rules
from pipeline.shells.manners import fail
from rules.changes import Texted
from rules.sidecars import all_texts


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """A backtest of the shelf that stands now, and the comparison in it."""

    found: Found
    against: Against


def referred(ref: str, chosen: Chosen, register: Path | None) -> Referred:
    """The rules of a name, or the sentence that says why there are none."""
    try:
        return rules_at(ref, chosen.folders, published_in(register), off=chosen.off)
    except RefError as error:
        fail(str(error))


def backtested_against(ref: Referred, chosen: Chosen, wish: Wish, progress: Progress) -> Paired:
    """Replay the events through both shelves; BadFile when that cannot be."""
    then = ref.rules.shelf
    shelves = [Rules(with_drafts(then), chosen.rules.settings), chosen.rules]
    scan, [before, after] = parts_of(chosen, shelves, wish, progress)
    asking = asking_of(chosen, wish, scan)
    found = found_in(after, asking)
    now = Texted(chosen.shelf, {rule.rule: all_texts(rule) for rule in chosen.shelf.rules})
    against = against_of(ref, now, (before, after), asking, statuses_in(then))
    told = BacktestAgainst(**msgspec.structs.asdict(found.told), against=against)
    return Paired(found=msgspec.structs.replace(found, told=told), against=against)
