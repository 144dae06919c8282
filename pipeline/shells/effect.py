"""How early and how right alerts were: the definitions, borrower by borrower.

             first_day                                                     as_of
                 |------ an opening ------------- the default -------|
                              <------ lead, 0 .. 365 days ------>

A true alert is an opening 0 to 365 days before the first default of its borrower. An opening that is not true is false
once its 365 days are over; until then it is censored and counts neither way. What opens after the default warns of
nothing: it is work, but no prediction.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.shells.decided import FAR, UNKNOWN, Days, Decided, Mask, Places
from pipeline.shells.truth import Truth
from pipeline.zone import day_number

MIN_LEAD, MAX_LEAD = 0, 365  # days before the default between which an alert is true
AHEAD = (0, 30, 60, 90, 180)  # days ahead that are reported of the first true alert
HORIZONS = (91, 182, 365)  # days ahead that are reported of any alert
FIRST_BY = 30  # days before every other rule that are reported of the rule that warned first
DAYS_A_MONTH = 30.44
PER_BORROWERS = 1_000  # workload is told for so many
TRUE, FALSE, CENSORED, AFTER_DEFAULT = range(4)


class Judged(NamedTuple):
    """What was decided beside what became of it; one row a borrower, or one an opening."""

    decided: Decided
    first: int
    last: int
    months: float
    defaulted_on: Days  # FAR where nobody knows of one
    began_on: Days  # FAR where nobody knows
    cause: Places  # UNKNOWN where nobody knows
    causes: list[str]  # sorted
    is_default: Mask  # defaulted between the first and the last day
    outcome: Places  # of an opening: TRUE, FALSE, CENSORED or AFTER_DEFAULT
    is_mature: Mask  # whether an opening's 365 days were all seen

    @property
    def is_dated(self) -> Mask:
        """Whether anybody knows of a default or of its beginning."""
        return (self.defaulted_on < FAR) | (self.began_on < FAR)

    @property
    def size(self) -> int:
        """How many borrowers there are."""
        return len(self.decided.borrowers)


class Group(NamedTuple):
    """What is judged together: some openings of some borrowers, with their closings and tasks."""

    openings: Mask
    borrowers: Mask
    closings: Mask
    tasks: Places | None  # the borrower of each task; None where tasks cannot be told apart


class Measured(NamedTuple):
    """What each borrower adds to the figures of a group."""

    counts: dict[str, npt.NDArray[np.int64]]
    days: dict[str, npt.NDArray[np.int64]]  # UNKNOWN where the borrower has none


def judged(decided: Decided, truth: Truth) -> Judged:
    """Lay what became of the borrowers beside what was decided of them."""
    outcomes = [truth.get(borrower_id) for borrower_id in decided.borrowers]
    causes = sorted({each.cause for each in outcomes if each is not None and each.cause is not None})
    place: dict[str | None, int] = {cause: i for i, cause in enumerate(causes)}
    first, last = day_number(decided.first), day_number(decided.last)
    known = [FAR if each is None or each.defaulted_on is None else day_number(each.defaulted_on) for each in outcomes]
    began = [FAR if each is None or each.began_on is None else day_number(each.began_on) for each in outcomes]
    defaulted_on = np.array(known, dtype=np.int64)
    is_default = (defaulted_on >= first) & (defaulted_on <= last)
    is_mature = last - decided.openings.on >= MAX_LEAD
    return Judged(
        decided=decided,
        first=first,
        last=last,
        months=decided.days / DAYS_A_MONTH,
        defaulted_on=defaulted_on,
        began_on=np.array(began, dtype=np.int64),
        cause=np.array(
            [UNKNOWN if each is None else place.get(each.cause, UNKNOWN) for each in outcomes], dtype=np.int64
        ),
        causes=causes,
        is_default=is_default,
        outcome=_outcome(decided, defaulted_on, last, is_mature),
        is_mature=is_mature,
    )


def _outcome(decided: Decided, defaulted_on: Days, last: int, is_mature: Mask) -> Places:
    """A default after the last day is not known yet on that day; the opening before it is censored or false."""
    lead = defaulted_on[decided.openings.borrower] - decided.openings.on
    is_seen = defaulted_on[decided.openings.borrower] <= last
    kinds = (is_seen & (lead < MIN_LEAD), is_seen & (lead <= MAX_LEAD), is_seen | is_mature)
    return np.select(kinds, (AFTER_DEFAULT, TRUE, FALSE), CENSORED).astype(np.int64)


def everything(judged: Judged) -> Group:
    """All openings of all borrowers."""
    decided = judged.decided
    return Group(
        openings=np.ones(len(decided.openings.on), dtype=np.bool_),
        borrowers=np.ones(judged.size, dtype=np.bool_),
        closings=np.ones(len(decided.closings.flips), dtype=np.bool_),
        tasks=decided.tasks.borrower,
    )


def measured(judged: Judged, group: Group) -> Measured:
    """What each borrower adds to every figure, and the days that medians are taken of."""
    first_true = _earliest(judged, group.openings & (judged.outcome == TRUE))
    defaulted = group.borrowers & judged.is_default
    caught = defaulted & (first_true < FAR)
    lead = np.where(caught, judged.defaulted_on - first_true, UNKNOWN)
    since_onset, has_onset = _since_onset(judged, group, caught)
    backstop = judged.decided.backstop
    flags = {
        "borrowers": group.borrowers,
        "defaulted": defaulted,
        "caught": caught,
        **{f"ahead_{days}": lead >= days for days in AHEAD},
        **_by_horizon(judged, group, defaulted),
        "backstop_known": defaulted & (backstop != UNKNOWN),
        "before_backstop": caught & (backstop != UNKNOWN) & (first_true < backstop),
        "onset_known": has_onset,
        "before_onset": has_onset & (first_true < judged.began_on),
    }
    days = {"lead": lead, "since_onset": since_onset}
    return Measured({name: flag.astype(np.int64) for name, flag in flags.items()} | _work(judged, group), days)


def _work(judged: Judged, group: Group) -> dict[str, npt.NDArray[np.int64]]:
    """Openings by what became of them, closings and tasks of each borrower."""
    of, outcome, mature = judged.decided.openings.borrower, judged.outcome, judged.is_mature
    closings = judged.decided.closings
    tasks = np.empty(0, dtype=np.int64) if group.tasks is None else group.tasks

    def count(places: Places) -> npt.NDArray[np.int64]:
        return np.bincount(places, minlength=judged.size)

    alerts = count(of[group.openings])
    return {
        "alerts": alerts,
        "alerted": (alerts > 0).astype(np.int64),
        "true": count(of[group.openings & (outcome == TRUE)]),
        "false": count(of[group.openings & (outcome == FALSE)]),
        "censored": count(of[group.openings & (outcome == CENSORED)]),
        "after_default": count(of[group.openings & (outcome == AFTER_DEFAULT)]),
        "mature": count(of[group.openings & mature & (outcome != AFTER_DEFAULT)]),
        "mature_true": count(of[group.openings & mature & (outcome == TRUE)]),
        "closings": count(closings.borrower[group.closings]),
        "flips": count(closings.borrower[group.closings & closings.flips]),
        "tasks": count(tasks),
    }


def _by_horizon(judged: Judged, group: Group, defaulted: Mask) -> dict[str, Mask]:
    """Defaulters who were seen so long before, and those of them who had an alert by then, however early."""
    alerted_on = _earliest(judged, group.openings)
    flags = {}
    for days in HORIZONS:
        flags[f"seen_{days}"] = seen = defaulted & (judged.defaulted_on - judged.first >= days)
        flags[f"by_{days}"] = seen & (judged.defaulted_on - alerted_on >= days)
    return flags


def _since_onset(judged: Judged, group: Group, caught: Mask) -> tuple[Days, Mask]:
    """Days from when the trouble began to the first true alert from then on; who was caught and has a beginning."""
    openings = judged.decided.openings
    has_begun = openings.on >= judged.began_on[openings.borrower]
    after = _earliest(judged, group.openings & (judged.outcome == TRUE) & has_begun)
    has_onset = caught & (judged.began_on < FAR)
    return np.where(has_onset & (after < FAR), after - judged.began_on, UNKNOWN), has_onset


def beside(rules: list[Measured], size: int) -> None:
    """Add to each rule what the others leave to it: whom it alone warned of, of whom it warned before all others."""
    best = np.full(size, UNKNOWN, dtype=np.int64)  # lead of the rule that warned first
    others = best.copy()  # lead of the rule that warned next; the same where two warned on one day
    finders = np.zeros(size, dtype=np.int64)
    for each in rules:
        lead = each.days["lead"]
        others = np.maximum(others, np.minimum(best, lead))
        best = np.maximum(best, lead)
        finders += each.counts["caught"]
    for each in rules:
        lead = each.days["lead"]
        is_first = (lead != UNKNOWN) & (lead == best) & (best > others)
        # Where no other rule warned, all of its lead would be lost.
        added = np.where(is_first, lead - np.maximum(others, 0), UNKNOWN)
        each.days["added"] = added
        each.counts["only"] = each.counts["caught"] * (finders == 1)
        each.counts["first"] = is_first.astype(np.int64)
        each.counts["first_by"] = (added >= FIRST_BY).astype(np.int64)


def _earliest(judged: Judged, chosen: Mask) -> Days:
    """The date of each borrower's first chosen opening, FAR without one."""
    found = np.full(judged.size, FAR, dtype=np.int64)
    openings = judged.decided.openings
    np.minimum.at(found, openings.borrower[chosen], openings.on[chosen])
    return found
