"""Who warned first: what each rule leaves to the others, by hand-made alerts and by a slow count."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings

from pipeline.shells.verdict import Judgement, judge, judgement_of
from tests.test_verdict_laws import BORROWERS, decided, lives, truths
from tests.verdicts import LAST, Life, profile_line, replay_folder, truth_file

#  All defaults are on 2025-06-30. Days ahead: 1 June 29, 31 May 30, 1 May 60, 1 April 90, 2 March 120.
#  B1  a 120, b 90, c 29                a is first, by 30 days
#  B2  a 60 and b 60, c 30              nobody is first: a and b warn on one day
#  B3  c 30                             c is first and the only one; all its 30 days are added
#  B4  b 60, a 30 and again a 120 by another loan, but b on 2024-03-01 is too early to be true: a first, by 60 days
#  B5  a 30, b 29                       a is first, by one day
#  B6  c 0, on the day of the default   c is first and adds nothing
#  B7  a, but no default
LIVES = [
    Life("B1", "a", "2025-03-02"),
    Life("B1", "b", "2025-04-01"),
    Life("B1", "c", "2025-06-01"),
    Life("B2", "a", "2025-05-01", time="09:00:00"),
    Life("B2", "b", "2025-05-01", time="10:00:00"),
    Life("B2", "c", "2025-05-31"),
    Life("B3", "c", "2025-05-31"),
    Life("B4", "b", "2024-03-01", n=1),
    Life("B4", "b", "2025-05-01", n=2),
    Life("B4", "a", "2025-05-31", key="L1"),
    Life("B4", "a", "2025-03-02", key="L2"),
    Life("B5", "a", "2025-05-31"),
    Life("B5", "b", "2025-06-01"),
    Life("B6", "c", "2025-06-30"),
    Life("B7", "a", "2025-01-01"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Judgement:
    folder = replay_folder(tmp_path_factory.mktemp("replay"), LIVES, [profile_line(f"B{n}") for n in range(1, 8)])
    truth = truth_file(folder / "truth.csv", *(f"B{n},,,2025-06-30" for n in range(1, 7)))
    return judgement_of(folder, truth, 1)


def test_a_rule_is_first_where_no_other_warned_on_that_day_or_before(found):
    counts = {each.of: (each.counts["first"], each.counts["first_by"], each.counts["only"]) for each in found.by_rule}
    assert counts == {"a": (3, 2, 0), "b": (0, 0, 0), "c": (2, 1, 2)}  # a: B1, B4, B5; c: B3, B6


def test_the_lead_that_a_rule_adds_is_up_to_the_next_rule_or_to_the_default(found):
    added = {each.of: each.figures["added_lead_median_days"] for each in found.by_rule}
    assert {rule: (figure.value, figure.of) for rule, figure in added.items()} == {
        "a": (30.0, 3),  # 30, 60 and 1 day
        "b": (None, 0),
        "c": (15.0, 2),  # 30 and 0 days
    }


def test_shares_of_first_warnings_are_of_all_defaulters_and_have_an_interval(found):
    first, _, _ = found.by_rule
    share = first.figures["first_to_warn"]
    assert (share.value, share.of) == (0.5, 6)
    assert share.low is not None and share.high is not None and share.low < 0.5 < share.high
    assert first.figures["first_by_30_days"].value == pytest.approx(1 / 3, abs=1e-6)
    assert found.terms.first_by_days == 30


def test_only_a_rule_among_others_can_be_first(found):
    for verdict in (found.overall, found.at_monthly_budget, *found.by_severity, *found.by_cause):
        assert {"first", "first_by", "only"}.isdisjoint(verdict.counts)
        assert "first_to_warn" not in verdict.figures


def test_a_rule_without_a_true_alert_is_never_first(tmp_path: Path):
    folder = replay_folder(tmp_path / "told", [Life("B1", "a", "2025-01-01")], [profile_line("B1")])
    [only] = judgement_of(folder, None, None).by_rule
    assert (only.counts["first"], only.figures["added_lead_median_days"].value) == (0, None)


@given(lives(), truths())
@settings(max_examples=60)
def test_first_warnings_are_those_of_a_slow_count(told, truth):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.shells.resample.RESAMPLES", 100)
        by_rule = judge(decided(told), truth, 1, name="truth.csv").by_rule
    slow: dict[str, list[int]] = {each.of: [] for each in by_rule if each.of is not None}
    for borrower in BORROWERS:
        default = truth[borrower].defaulted_on if borrower in truth else None
        if default is None or default > LAST:
            continue
        first: dict[str, date] = {}
        for life in told:
            on = date.fromisoformat(life.opened)
            if life.borrower == borrower and default - timedelta(days=365) <= on <= default:
                first[life.rule] = min(on, first.get(life.rule, on))
        for rule, on in first.items():
            others = [other for name, other in first.items() if name != rule]
            if all(on < other for other in others):
                slow[rule].append((min(others, default=default) - on).days)
    assert {each.of: (each.counts["first"], each.counts["first_by"]) for each in by_rule} == {
        rule: (len(days), sum(day >= 30 for day in days)) for rule, days in slow.items()
    }
