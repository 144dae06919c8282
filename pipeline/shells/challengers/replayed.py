"""Challengers over past events: the engine judges them and their rules in one pass, drafts as if in shadow."""

from rich.progress import Progress

from connectors.whole_lines import BadFile
from pipeline.shells.against.compare import Days, Side
from pipeline.shells.backtest.asked import Chosen
from pipeline.shells.backtest.judging import settled
from pipeline.shells.backtest.run import Wish, asking_of, parts_of
from pipeline.shells.challengers.duel import Duels, duel, pairs


def by_events(chosen: Chosen, named: str | None, wish: Wish, progress: Progress) -> Duels:
    """Compare by what would have been said; BadFile where the events cannot be judged."""
    found = pairs(chosen.shelf.rules, named)
    scan, [part] = parts_of(chosen, [chosen.rules], wish, progress)
    asking = asking_of(chosen, wish, scan)
    try:
        known = settled(part, asking)
    except BadFile as error:  # A backtest calls its first day otherwise.
        raise BadFile(str(error).replace("--from:", "--since:", 1)) from None
    days = Days(known.summary, part.profiles, None if asking.truth is None else known.truth)
    side = Side.of(part, chosen.statuses)
    return Duels(
        source="events",
        truth="events" if wish.truth is None else wish.truth.name,
        challengers=tuple(duel(rule, challenger, side, days) for rule, challenger in found),
    )
