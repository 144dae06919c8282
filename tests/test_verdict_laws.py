"""Laws of the verdict, for any alerts and any truth; and a slow verdict, borrower by borrower, that it must equal."""

from collections.abc import Callable
from datetime import date, timedelta
from statistics import median
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.shells import budget
from pipeline.shells.decided import AlertLine, Decided, ProfileLine, SummaryFile, TaskLine, decided_of
from pipeline.shells.effect import AHEAD, HORIZONS, judged
from pipeline.shells.figures import MEDIANS, Verdict
from pipeline.shells.truth import Outcome, Truth
from pipeline.shells.verdict import effect, judge
from rules.rule import SEVERITIES
from tests.verdicts import FIRST, LAST, Life, alert_lines, profile_line, task_line

DAYS = (LAST - FIRST).days
BORROWERS = [f"B{n}" for n in range(6)]
RULES = ("r1", "r2", "r3")
FEW = settings(max_examples=60)  # the slow verdict is tried on as many as all laws are
# Days that lie 0, 1, 91, 182, 364, 365 and 366 apart meet the limits of the definitions more often than any days do.
NEAR = (0, 1, 2, 91, 92, 182, 183, 364, 365, 366, 456, 547, 729, 730)
numbers = st.sampled_from(NEAR) | st.integers(0, DAYS)
days = numbers.map(lambda n: FIRST + timedelta(days=n))


@st.composite
def lives(draw: st.DrawFn) -> list[Life]:
    """Episodes one after another for each rule and borrower."""
    found = []
    for borrower in BORROWERS:
        for rule in RULES:
            ends = sorted(draw(st.sets(days, max_size=4)))
            for n, opened in enumerate(ends[::2], 1):
                closed = ends[2 * n - 1] if len(ends) >= 2 * n else None
                severity = draw(st.sampled_from(SEVERITIES))
                found.append(Life(borrower, rule, str(opened), severity, None if closed is None else str(closed), n))
    return found


@st.composite
def truths(draw: st.DrawFn) -> dict[str, Outcome]:
    """Rows of some borrowers: with a cause or without, defaulted or not, some after the last day."""
    found = {}
    for borrower in BORROWERS:
        if draw(st.booleans()):
            defaulted = draw(st.none() | days | st.just(LAST + timedelta(days=1)))
            began = draw(st.none() | days)
            if began is not None and defaulted is not None:
                began = min(began, defaulted)
            cause = draw(st.sampled_from((None, "illness", "divorce")))
            found[borrower] = Outcome(cause=cause, began_on=began, defaulted_on=defaulted)
    return found


backstops = st.lists(st.none() | st.just("never") | days.map(str), min_size=len(BORROWERS), max_size=len(BORROWERS))


def decided(
    told: list[Life], known: list[str | None] | None = None, order: Callable[[list[Any]], Any] = list
) -> Decided:
    summary = SummaryFile(shelf="9c1e", first_day=FIRST, as_of=LAST, days_closed=DAYS + 1)
    backstop = known or ["never"] * len(BORROWERS)
    profiles = [profile_line(b, on) for b, on in zip(BORROWERS, backstop, strict=True)]
    tasks = [task_line(n, life.borrower, life.episode) for n, life in enumerate(told)]
    kinds = ((profiles, ProfileLine), (alert_lines(told), AlertLine), (tasks, TaskLine))
    lines: list[Any] = [[msgspec.convert(line, kind) for line in order(records)] for records, kind in kinds]
    return decided_of(summary, *lines)


def count(verdict: Verdict, name: str) -> int:
    """The count above the line of a share."""
    figure = verdict.figures[name]
    return 0 if figure.value is None else round(figure.value * figure.of)


# -- a slow verdict ---------------------------------------------------------


def slowly(told: list[Life], truth: Truth, known: list[str | None]) -> dict[str, Any]:
    """Counts and medians by the words of the definitions, one borrower and one opening at a time."""
    names = ("true", "false", "censored", "after_default", "caught", "before", "mature", "mature_true", "luck")
    found: dict[str, Any] = {name: 0 for name in (*names, *(f"recall_{n}_days" for n in HORIZONS))}
    leads, waits = [], []
    for borrower, backstop in zip(BORROWERS, known, strict=True):
        row = truth.get(borrower, Outcome())
        default = row.defaulted_on if row.defaulted_on is not None and row.defaulted_on <= LAST else None
        true = []
        alerts = [date.fromisoformat(life.opened) for life in told if life.borrower == borrower]
        for n in HORIZONS:
            is_seen = default is not None and (default - FIRST).days >= n
            found[f"recall_{n}_days"] += is_seen and any((default - opened).days >= n for opened in alerts)
        for life in told:
            if life.borrower != borrower:
                continue
            opened = date.fromisoformat(life.opened)
            if default is not None and opened > default:
                found["after_default"] += 1
            elif default is not None and (default - opened).days <= 365:
                found["true"] += 1
                true.append(opened)
            elif default is not None or (LAST - opened).days >= 365:
                found["false"] += 1
            else:
                found["censored"] += 1
            is_mature = (LAST - opened).days >= 365 and not (default is not None and opened > default)
            found["mature"] += is_mature
            found["mature_true"] += is_mature and opened in true
        if true and default is not None:
            found["caught"] += 1
            leads.append((default - min(true)).days)
            if row.began_on is not None:
                found["luck"] += min(true) < row.began_on
                waits += [(opened - row.began_on).days for opened in sorted(true) if opened >= row.began_on][:1]
            found["before"] += backstop == "never" or (backstop is not None and str(min(true)) < backstop)
    found["median"] = median(leads) if leads else None
    found["wait"] = median(waits) if waits else None
    found |= {f"ahead_{n}_days": sum(lead >= n for lead in leads) for n in AHEAD}
    return found


@given(lives(), truths(), backstops)
def test_the_verdict_equals_a_slow_one(told, truth, known):
    verdict, slow = effect(decided(told, known), truth), slowly(told, truth, known)
    for name in ("true", "false", "censored", "after_default", "caught"):
        assert verdict.counts[name] == slow[name], name
    assert verdict.figures["lead_median_days"].value == slow["median"]
    assert count(verdict, "before_backstop") == slow["before"]
    assert verdict.figures["onset_to_alert_median_days"].value == slow["wait"]
    assert count(verdict, "before_onset") == slow["luck"]
    mature = verdict.figures["precision_mature"]
    assert (mature.of, count(verdict, "precision_mature")) == (slow["mature"], slow["mature_true"])
    by_days = [name for name in slow if name.endswith("_days")]
    assert {name: count(verdict, name) for name in by_days} == {name: slow[name] for name in by_days}


# -- laws -------------------------------------------------------------------


@given(lives(), truths())
@FEW
def test_fewer_are_caught_the_further_ahead(told, truth):
    verdict = effect(decided(told), truth)
    for names in ([f"ahead_{n}_days" for n in AHEAD], [f"recall_{n}_days" for n in HORIZONS]):
        caught = [count(verdict, name) for name in names]
        assert caught == sorted(caught, reverse=True)


@given(lives(), truths(), st.sampled_from(BORROWERS), days)
@FEW
def test_one_alert_more_never_catches_fewer_nor_later(told, truth, borrower, opened):
    before = effect(decided(told), truth)
    after = effect(decided([*told, Life(borrower, "r4", str(opened))]), truth)
    for name in ("recall", *(f"ahead_{n}_days" for n in AHEAD), *(f"recall_{n}_days" for n in HORIZONS)):
        assert count(after, name) >= count(before, name)


@given(lives(), truths())
@FEW
def test_every_opening_has_one_outcome_one_rule_one_severity_and_one_cause(told, truth):
    judgement = judge_without_intervals(decided(told), truth)
    counts = judgement.overall.counts
    assert sum(counts[name] for name in ("true", "false", "censored", "after_default")) == counts["alerts"] == len(told)
    parts = [judgement.by_rule, judgement.by_severity, *([judgement.by_cause] if judgement.by_cause else [])]
    for part in parts:
        for name in ("alerts", "true", "false", "censored", "after_default"):
            assert sum(verdict.counts[name] for verdict in part) == counts[name]
    assert sum(verdict.counts["only"] for verdict in judgement.by_rule) <= counts["caught"]
    for verdict in judgement.by_cause:
        assert verdict.counts["caught"] <= verdict.counts["defaulted"] <= verdict.counts["borrowers"]


@given(lives(), truths(), st.integers(1, 3))
@FEW
def test_a_larger_budget_works_all_that_a_smaller_one_does(told, truth, a_day):
    known = judged(decided(told), truth)
    small, large = (budget.worked_daily(known, places) for places in (a_day, a_day + 1))
    assert not (small & ~large).any()
    on = known.decided.openings.on[small]
    assert not len(on) or max(np.unique(on, return_counts=True)[1]) <= a_day


@given(lives(), truths())
@FEW
def test_no_month_works_more_than_its_places(told, truth):
    known = judged(decided(told), truth)
    worked = budget.worked_monthly(known)
    months = [
        str(date.fromordinal(int(on) + date(1970, 1, 1).toordinal()))[:7] for on in known.decided.openings.on[worked]
    ]
    assert len(months) == len(set(months))  # 2 % of 6 borrowers, rounded up, is one


def judge_without_intervals(found: Decided, truth: Truth) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.shells.resample.RESAMPLES", 100)
        return judge(found, truth, 1, name="truth.csv")


@given(lives(), truths(), st.randoms(use_true_random=False))
@FEW
def test_the_order_of_lines_and_rows_changes_no_byte(told, truth, chance):
    def shuffled(lines: list[Any]) -> list[Any]:
        return chance.sample(lines, len(lines))

    other = {borrower: truth[borrower] for borrower in shuffled(list(truth))}
    once = judge_without_intervals(decided(told), truth)
    again = judge_without_intervals(decided(told, None, shuffled), other)
    assert msgspec.json.encode(once) == msgspec.json.encode(again)


@given(lives(), truths())
@FEW
def test_an_interval_has_a_lower_and_an_upper_end_and_shares_stay_shares(told, truth):
    judgement = judge_without_intervals(decided(told), truth)
    for verdict in (judgement.overall, judgement.at_monthly_budget, *judgement.by_rule, *judgement.by_cause):
        for name, figure in verdict.figures.items():
            assert (figure.low is None) == (figure.high is None)
            assert (figure.value is None) == (figure.of == 0)
            if figure.low is not None and figure.high is not None:
                assert figure.low <= figure.high
                if name not in MEDIANS and "1000" not in name:
                    assert figure.low >= 0 and figure.high <= 1 and 0 <= (figure.value or 0) <= 1
