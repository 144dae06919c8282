"""The life of an alert: closed, pending, open, raised, closed.

    closed -true-> pending -true for `for`-> open -an escalation holds-> raised -false for `clear_after`-> closed

Unknown never opens and never closes; it breaks `for` and `clear_after` alike.
"""

from collections.abc import Callable
from typing import NamedTuple

from pipeline.decisions import Reason
from pipeline.memory import Episode
from rules.rule import Rule

NEVER = 1 << 40
STALE_DAYS = 7  # an episode unknown for so long is shown as stale (architecture.md)


class Moment(NamedTuple):
    """What a transition must know of the look."""

    on: int  # business date
    is_correction: bool  # a reversal or a late event is the cause


def advance(
    episode: Episode, rule: Rule, truth: bool | None, rung: Callable[[int], int], moment: Moment
) -> Reason | None:
    """Move an episode by one look; returns the reason when it closes an open one.

    `rung(above)` is the highest severity that holds above a given one, or that one.
    """
    if truth is True:
        episode.unknown_since = episode.false_since = None
        _when_true(episode, rule, rung, moment)
        return None
    if episode.state != "open":
        episode.state = "closed"
        return None
    if truth is None:
        episode.false_since = None
        if episode.unknown_since is None:
            episode.unknown_since = moment.on
    else:
        episode.unknown_since = None
        reason = _when_false(episode, rule, moment)
        if reason is not None:
            return reason
    episode.severity = rung(episode.severity)
    return None


def _when_true(episode: Episode, rule: Rule, rung: Callable[[int], int], moment: Moment) -> None:
    if episode.state == "open":
        episode.severity = rung(episode.severity)
        return
    if episode.state == "closed":
        episode.state, episode.since = "pending", moment.on
    if moment.on - episode.since < rule.hold:
        return
    severity = rung(-1)
    is_quiet = episode.opened_on is not None and moment.on - episode.opened_on < rule.quiet
    if is_quiet and severity <= episode.severity:
        return
    episode.state = "open"
    episode.n += 1
    episode.opened_on = moment.on
    episode.severity = severity
    episode.told = -1


def _when_false(episode: Episode, rule: Rule, moment: Moment) -> Reason | None:
    if episode.false_since is None:
        episode.false_since = moment.on
        if moment.is_correction:
            return close(episode, "corrected", moment.on)
    if moment.on - episode.false_since >= rule.clear_after:
        return close(episode, "cleared", moment.on)
    return None


def close(episode: Episode, reason: Reason, on: int) -> Reason:
    """End an open life; its severity stays, since `quiet` compares with it."""
    episode.state = "closed"
    episode.false_since = episode.unknown_since = None
    episode.closed_on = on
    return reason


def still_pending(episode: Episode, rule: Rule, on: int) -> bool:
    """Whether a condition that holds goes on holding, not yet long enough: nothing moves."""
    return episode.state == "pending" and on - episode.since < rule.hold


def still_clearing(episode: Episode, rule: Rule, on: int) -> bool:
    """Whether a condition that fails goes on failing, not yet long enough: nothing moves."""
    return (
        episode.state == "open"
        and episode.false_since is not None
        and episode.unknown_since is None
        and on - episode.false_since < rule.clear_after
    )


def stirs_on(episode: Episode, rule: Rule, on: int) -> int:
    """The next date on which time alone moves an episode whose condition stays as it is."""
    if episode.state == "pending":
        ripe = episode.since + rule.hold
        quiet = 0 if episode.opened_on is None else episode.opened_on + rule.quiet
        return ripe if on < ripe else max(on + 1, quiet)
    if episode.state == "open" and episode.false_since is not None:
        return episode.false_since + rule.clear_after
    return NEVER


def shown_state(episode: Episode, on: int, *, is_muted: bool) -> str:
    """The state that a profile shows."""
    if episode.state != "open":
        return episode.state
    if episode.unknown_since is not None and on - episode.unknown_since >= STALE_DAYS:
        return "stale"
    if is_muted:
        return "muted"
    return "open"
