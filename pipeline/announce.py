"""Which transitions are told, and in which words: alerts with their evidence, muted ones kept for later."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from pipeline.decisions import Alert, Reason, ShadowAlert, Transition
from pipeline.judge import Judged
from pipeline.look import Look
from pipeline.memory import Episode, Memory
from pipeline.sheet import Sheet
from pipeline.shelf import CompiledShelf
from pipeline.zone import date_text
from rules.rule import SEVERITIES, Measure
from rules.say import render, shown_by


def is_muted(shelf: CompiledShelf, memory: Memory, episode: Episode, on: int) -> bool:
    """Whether an officer snoozed the rule, or an episode of an inhibiting rule is open for this borrower."""
    if memory.head.snoozed.get(episode.rule, -1) >= on:
        return True
    rule = shelf.rules.get(episode.rule)
    if rule is None or not rule.inhibited_by:
        return False
    return any(
        other.state == "open" and other.rule in rule.inhibited_by and _may_mute(other, episode)
        for other in memory.head.episodes.values()
    )


def _may_mute(inhibitor: Episode, episode: Episode) -> bool:
    """A shadow rule tells nobody, so it may not silence a live one."""
    return inhibitor.status == "live" or episode.status == "shadow"


class Telling(NamedTuple):
    """One look, with what is needed to tell of it."""

    shelf: CompiledShelf
    memory: Memory
    look: Look
    cause: dict[str, str]
    asked: Callable[[Episode], tuple[Judged, Sheet] | None]  # how an episode's rule was judged at this look


def opening(telling: Telling, episode: Episode) -> Alert | None:
    """The alert that an open episode still owes: opened, raised, or nothing while it is muted."""
    if episode.told >= episode.severity or is_muted(telling.shelf, telling.memory, episode, telling.look.day.date):
        return None
    found = telling.asked(episode)
    if found is None:
        return None
    transition: Transition = "opened" if episode.told < 0 else "raised"
    name = transition if transition == "opened" else f"raised-{SEVERITIES[episode.severity]}"
    episode.told = episode.severity
    telling.memory.note_change("episode", episode.place)
    return _alert(
        telling,
        episode,
        id=f"{life(episode)}/{name}",
        transition=transition,
        say=say(*found),
        evidence=evidence(*found),
    )


def closing(telling: Telling, episode: Episode, reason: Reason) -> Alert | None:
    """The alert that an episode's end owes: nothing when its opening was never told."""
    if episode.told < 0:
        return None
    episode.told = -1
    telling.memory.note_change("episode", episode.place)
    # A rule that changed measures other numbers than those this life was about.
    found = None if reason == "rule_changed" else telling.asked(episode)
    return _alert(
        telling,
        episode,
        id=f"{life(episode)}/closed",
        transition="closed",
        reason=reason,
        evidence={} if found is None else evidence(*found),
    )


def life(episode: Episode) -> str:
    """The id of an episode's present life; a pending one has the number it will open with."""
    return f"{episode.rule}/{episode.key}/{episode.n + (episode.state == 'pending')}"


def _alert(telling: Telling, episode: Episode, **fields: Any) -> Alert:
    look = telling.look
    kind = Alert if episode.status == "live" else ShadowAlert
    return kind(
        episode=life(episode),
        rule=episode.rule,
        rule_version=episode.version,
        shelf=telling.shelf.hash,
        borrower_id=telling.memory.borrower_id,
        loan_id=episode.key if episode.per == "loan_id" else None,
        account_id=episode.key if episode.per == "account_id" else None,
        severity=SEVERITIES[episode.severity],
        at=telling.shelf.terms.zone.text(look.now),
        business_date=date_text(look.day.date),
        cause=telling.cause,
        **fields,
    )


# -- words and numbers ------------------------------------------------------


def say(judged: Judged, sheet: Sheet) -> str:
    """The rule's message with its slots filled."""
    rule = judged.rule
    values = {name: in_unit(sheet, judged.measures[name]) for name in shown_by(rule.say)}
    return render(rule.say, rule, values)


def in_unit(sheet: Sheet, place: int) -> Any:
    """A measure's value in the rule's unit, exact (a lower bound where no more is known); None when it is unknown."""
    value = _kept(sheet, place)
    if value is None or value is True or value is False:
        return value
    scale = sheet.bench.meters[place].scale
    if scale == 1 or (isinstance(value, int) and value % scale == 0):
        return value if scale == 1 else value // scale
    scaled = Fraction(value) / scale
    return scaled.numerator if scaled.denominator == 1 else scaled


def plain(sheet: Sheet, place: int) -> Any:
    """The same as JSON writes it: a fraction is rounded, only here, where nothing is decided any more."""
    value, scale = _kept(sheet, place), sheet.bench.meters[place].scale
    if isinstance(value, int) and value is not True and value is not False and scale != 1:
        return value // scale if value % scale == 0 else value / scale  # the nearest float, as of the exact fraction
    value = in_unit(sheet, place)
    return float(value) if isinstance(value, Fraction) else value


def _kept(sheet: Sheet, place: int) -> Any:
    exact = sheet.ask(place)
    value = exact if exact == exact else sheet.at_least[place]
    return value if value == value else None


def evidence(judged: Judged, sheet: Sheet) -> dict[str, dict[str, Any]]:
    """Each measure's value, with its window and how much of it is known, or its truth where it has no window."""
    return {name: _entry(judged.rule.measure[name], sheet, place) for name, place in judged.measures.items()}


def _entry(measure: Measure, sheet: Sheet, place: int) -> dict[str, Any]:
    value = plain(sheet, place)
    entry: dict[str, Any] = {"value": value}
    if measure.over is not None:
        entry["over"] = str(measure.over)
        if measure.ending is not None:
            entry["ending"] = f"{measure.ending} ago"
        entry["known"] = how_known(sheet, place)
    elif measure.within is not None:
        entry |= {"within": str(measure.within), "truth": _truth(value)}
    else:
        entry["truth"] = "unknown" if value is None else "true"
    return entry


def _truth(value: Any) -> str:
    return "unknown" if value is None else "true" if value is True else "false"


def how_known(sheet: Sheet, place: int) -> str:
    """How much of a measure's window is known: all, part or none."""
    exact = sheet.exact[place]
    if exact is not None and exact == exact:
        return "all"  # else nothing would be known exactly
    compiled = sheet.bench.meters[place]
    look, memory = sheet.look, sheet.memory
    if any(feed in look.day.missing for feed in compiled.feeds) or compiled.reach is None:
        return "none"
    window = compiled.reach.window_at(look)
    first = window.first if window.after_ms is None else look.date_of(window.after_ms + 1)
    starts = [look.known_from(memory, feed) for feed in compiled.feeds]
    if all(start is not None and start <= first for start in starts):
        return "all"
    last = look.day.date if window.last is None else window.last
    return "none" if any(start is None or start > last for start in starts) else "part"
