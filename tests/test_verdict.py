"""How early, how right, how much work: every figure of one small portfolio, worked out by hand."""

from datetime import date
from pathlib import Path

import msgspec
import pytest

from pipeline.shells.figures import Verdict
from pipeline.shells.verdict import Judgement, effect_of, judgement_of
from tests.verdicts import Life, profile_line, replay_folder, task_line, truth_file

#  2024-01-01, the first day                                     2024-12-31 │ 365 days before │ 2025-12-31, the last
#  ─────────────────────────────────────────────────────────────────────────┴─────────────────┘
#  B1  r1 on 2025-01-01, r2 on 2025-02-20, default on 2025-03-02: 30 + 28 + 2 = 60 and 8 + 2 = 10 days ahead,
#      both true; r1 again on 2025-04-01, after the default
#  B2  r1 on 2024-03-01, default on 2025-06-30: 365 days to 2025-03-01 and 121 more are 486 ahead, too early: false
#  B3  r2 on 2024-12-31, no default: its 365 days are over on the last day, so false
#  B4  r2 on 2025-01-01, no default: its 365 days are over a day after the last, so censored
#  B5  r2 on 2025-12-31, default on the same day: 0 ahead, true
#  B6  r1 on 2025-12-01, default in 2026, which nobody knows on the last day: censored, and no default
#  B7  default on 2024-02-01, 31 days after the first day, without an alert
#  B8, B9, B10 nothing
THIRD = pytest.approx(1 / 3, abs=1e-6)  # figures have six decimals
LIVES = [
    Life("B1", "r1", "2025-01-01", "high", closed="2025-03-20"),
    Life("B1", "r2", "2025-02-20", "low"),
    Life("B1", "r1", "2025-04-01", "high", n=2),
    Life("B2", "r1", "2024-03-01", "high"),
    Life("B3", "r2", "2024-12-31", "low"),
    Life("B4", "r2", "2025-01-01", "low"),
    Life("B5", "r2", "2025-12-31", "critical"),
    Life("B6", "r1", "2025-12-01", "high"),
]
PROFILES = [
    profile_line("B1", "2025-01-15"),  # alerted a fortnight before it was 30 days past due
    profile_line("B2", None),  # nobody knows
    profile_line("B7", "2024-01-20"),
    *(profile_line(f"B{n}") for n in (3, 4, 5, 6, 8, 9, 10)),
]
TASKS = [
    task_line(1, "B1", "r1/B1/1"),
    task_line(1, "B1", "r1/B1/1", "r2/B1/1", revision=2),  # the same task: r2 asks for it, too
    task_line(1, "B3", "r2/B3/1"),
]
TRUTH = (
    "B1,job loss,2025-01-10,2025-03-02",
    "B2,illness,2025-06-01,2025-06-30",
    "B5,job loss,2025-12-01,2025-12-31",
    "B6,job loss,2025-12-15,2026-02-01",
    "B7,,,2024-02-01",
    "B9,payday shift,2024-05-01,",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return replay_folder(tmp_path_factory.mktemp("replay"), LIVES, PROFILES, TASKS)


@pytest.fixture(scope="module")
def found(folder: Path) -> Judgement:
    return judgement_of(folder, truth_file(folder / "truth.csv", *TRUTH), 2)


def share(verdict: Verdict, name: str) -> tuple[float | None, int]:
    figure = verdict.figures[name]
    return figure.value, figure.of


def named(verdicts: tuple[Verdict, ...], name: str | None) -> Verdict:
    [verdict] = [each for each in verdicts if each.of == name]
    return verdict


def test_what_was_observed_is_told(found):
    seen = found.observed
    assert (seen.truth, seen.borrowers, str(seen.first_day), str(seen.as_of)) == (
        *("truth.csv", 10),
        *("2024-01-01", "2025-12-31"),
    )
    assert seen.days == 366 + 365  # 2024 is a leap year
    assert (seen.defaulted, seen.defaulted_before, seen.defaulted_later) == (4, 0, 1)  # B1, B2, B5, B7; B6 later


def test_every_opening_is_true_false_censored_or_after_the_default(found):
    assert found.overall.counts == {
        "borrowers": 10,
        "defaulted": 4,
        "caught": 2,
        "alerted": 6,
        "alerts": 8,
        "true": 3,
        "false": 2,
        "censored": 2,
        "after_default": 1,
        "tasks": 2,
    }


def test_the_lead_is_that_of_the_first_true_alert_and_shares_are_of_all_defaulters(found):
    # B1 60 days, B5 none: half of four defaulters are caught, a quarter 60 days ahead.
    assert share(found.overall, "recall") == (0.5, 4)
    assert share(found.overall, "lead_median_days") == (30.0, 2)
    ahead = [share(found.overall, f"ahead_{days}_days")[0] for days in (0, 30, 60, 90, 180)]
    assert ahead == [0.5, 0.25, 0.25, 0.0, 0.0]


def test_recall_by_horizon_is_of_those_who_were_seen_so_long(found):
    # B7 defaulted 31 days after the first day: nobody could have alerted it 91 days ahead. Of B1, B2 and B5 only B2 had
    # an alert so early, 486 days ahead; too early to be true, but it was there.
    assert [share(found.overall, f"recall_{days}_days") for days in (91, 182, 365)] == [(THIRD, 3)] * 3


def test_the_backstop_of_a_borrower_of_whom_nothing_is_known_counts_neither_way(found):
    # B1 was alerted before, B5 was never 30 days past due, B7 never alerted; B2 nobody knows.
    assert share(found.overall, "before_backstop") == (pytest.approx(2 / 3, abs=1e-6), 3)


def test_precision_leaves_out_what_is_censored_and_what_came_after_the_default(found):
    assert share(found.overall, "precision") == (pytest.approx(3 / 5), 5)
    assert share(found.overall, "precision_at_least") == (pytest.approx(3 / 7, abs=1e-6), 7)  # B4 and B6 as false
    assert share(found.overall, "precision_mature") == (0.0, 2)  # B2 and B3 opened 365 days before the last or earlier
    assert share(found.overall, "alerted_that_defaulted") == (THIRD, 6)
    assert share(found.overall, "base_rate") == (0.4, 10)


def test_workload_is_for_a_thousand_borrowers_and_a_month(found):
    # 731 days are 731 / 30.44 months; 8 alerts and 2 tasks of 10 borrowers are 800 and 200 of 1,000.
    assert share(found.overall, "alerts_per_1000_and_month") == (pytest.approx(800 * 30.44 / 731, abs=1e-6), 10)
    assert share(found.overall, "tasks_per_1000_and_month") == (pytest.approx(200 * 30.44 / 731, abs=1e-6), 10)


def test_the_beginning_of_the_trouble_shows_what_was_luck(found):
    # B1 was alerted 9 days before its trouble began, and again 41 days after it; B5 30 days after.
    assert share(found.overall, "before_onset") == (0.5, 2)
    assert share(found.overall, "onset_to_alert_median_days") == (35.5, 2)


def test_a_hit_is_unique_when_one_rule_alone_caught_the_defaulter(found):
    # Both rules caught B1; r2 alone caught B5.
    assert [each.of for each in found.by_rule] == ["r1", "r2"]
    first, second = found.by_rule
    assert (first.counts["caught"], first.counts["only"]) == (1, 0)
    assert (second.counts["caught"], second.counts["only"]) == (2, 1)
    assert (first.counts["alerts"], second.counts["alerts"]) == (4, 4)
    assert share(second, "only_this_rule") == (0.25, 4)
    assert (first.counts["tasks"], second.counts["tasks"]) == (1, 2)  # both asked for the task of B1
    assert share(second, "lead_median_days") == (5.0, 2)  # 10 and 0


def test_severity_is_that_of_the_opening(found):
    counts = {each.of: (each.counts["alerts"], each.counts["true"]) for each in found.by_severity}
    assert counts == {"low": (3, 1), "high": (4, 1), "critical": (1, 1)}


def test_a_cause_has_its_borrowers_also_those_who_were_in_no_trouble(found):
    assert [each.of for each in found.by_cause] == ["illness", "job loss", "payday shift", None]
    lost = named(found.by_cause, "job loss")
    assert (lost.counts["borrowers"], lost.counts["defaulted"], lost.counts["caught"]) == (3, 2, 2)  # B1, B5, B6
    harmless = named(found.by_cause, "payday shift")
    assert (harmless.counts["borrowers"], harmless.counts["defaulted"], harmless.counts["alerts"]) == (1, 0, 0)
    assert share(harmless, "recall") == (None, 0)
    nobody_knows = named(found.by_cause, None)
    assert (nobody_knows.counts["borrowers"], nobody_knows.counts["defaulted"]) == (5, 1)  # B3, B4, B7, B8, B10
    # 2 alerts of 5 borrowers are 400 of 1,000.
    assert share(nobody_knows, "alerts_per_1000_and_month") == (pytest.approx(400 * 30.44 / 731, abs=1e-6), 5)


def test_without_a_truth_file_the_defaults_in_the_events_are_the_truth(tmp_path):
    profiles = [profile_line("B1", defaulted="2025-03-02"), profile_line("B2")]
    told = replay_folder(tmp_path / "told", [LIVES[0]], profiles)
    judgement = judgement_of(told, None, None)
    assert (judgement.observed.truth, judgement.by_cause) == ("events", ())
    assert share(judgement.overall, "lead_median_days") == (60.0, 1)
    assert share(judgement.overall, "before_onset") == (None, 0)


def test_a_default_before_the_first_day_is_nobodys_miss(tmp_path):
    told = replay_folder(
        tmp_path / "told", [Life("B1", "r1", "2024-03-01")], [profile_line("B1", defaulted="2023-12-31")]
    )
    judgement = judgement_of(told, None, None)
    assert (judgement.observed.defaulted, judgement.observed.defaulted_before) == (0, 1)
    assert judgement.overall.counts["after_default"] == 1


def test_what_came_after_the_last_close_is_not_judged(tmp_path):
    lives = [Life("B1", "r1", "2025-12-31", closed="2026-01-01"), Life("B1", "r2", "2026-01-01")]
    told = replay_folder(tmp_path / "told", lives, [profile_line("B1")], [task_line(1, "B1", "r2/B1/1")])
    counts = effect_of(told).counts
    assert (counts["alerts"], counts["tasks"]) == (1, 0)


def test_an_alert_on_the_day_of_the_backstop_is_not_before_it(tmp_path):
    told = replay_folder(tmp_path / "told", [Life("B1", "r1", "2025-01-15")], [profile_line("B1", "2025-01-15")])
    truth = truth_file(tmp_path / "truth.csv", "B1,,2025-01-15,2025-01-15")
    assert share(judgement_of(told, truth, None).overall, "before_backstop") == (0.0, 1)


# -- flip-flop --------------------------------------------------------------


def flips(tmp_path: Path, *lives: Life) -> tuple[float | None, int]:
    return share(effect_of(replay_folder(tmp_path / "told", list(lives), [profile_line("B1")])), "flip_flop")


def test_an_alert_that_opens_again_on_the_thirtieth_day_flips_and_on_the_day_after_does_not(tmp_path):
    # Closed on 1 March; 31 March is 30 days later. Then closed on 2 April; 3 May is 31 days later.
    lives = [
        Life("B1", "r1", "2024-02-01", closed="2024-03-01"),
        Life("B1", "r1", "2024-03-31", closed="2024-04-02", n=2),
        Life("B1", "r1", "2024-05-03", closed="2024-06-01", n=3),
    ]
    assert flips(tmp_path, *lives) == (THIRD, 3)


def test_another_loan_of_the_borrower_is_another_alert(tmp_path):
    first = Life("B1", "r1", "2024-02-01", closed="2024-03-01", key="L1")
    assert flips(tmp_path, first, Life("B1", "r1", "2024-03-02", key="L2")) == (0.0, 1)


def test_a_life_that_was_never_told_lies_between_two_that_were(tmp_path):
    first = Life("B1", "r1", "2024-02-01", closed="2024-03-01")
    assert flips(tmp_path, first, Life("B1", "r1", "2024-03-20", n=3)) == (1.0, 1)


def test_an_alert_that_closes_and_opens_on_one_day_flips(tmp_path):
    first = Life("B1", "r1", "2024-02-01", closed="2024-03-01")
    assert flips(tmp_path, first, Life("B1", "r1", "2024-03-01", n=2)) == (1.0, 1)


def test_a_closing_whose_thirty_days_were_not_seen_counts_neither_way(tmp_path):
    # From 1 December to the last day are 30 days, from the second 29.
    assert flips(tmp_path, Life("B1", "r1", "2025-11-01", closed="2025-12-01")) == (0.0, 1)
    lives = [Life("B1", "r1", "2025-11-01", closed="2025-12-02"), Life("B1", "r1", "2025-12-03", n=2)]
    assert flips(tmp_path, *lives) == (None, 0)


# -- budgets ----------------------------------------------------------------


def test_a_team_works_the_worst_then_the_earliest_then_the_first_by_id(tmp_path):
    # 1 June: critical is first; of two high ones that of nine in the morning. 2 June: three of one look and severity,
    # so by id: a before b before c. B1 defaults on 1 July.
    lives = [
        Life("B4", "d", "2025-06-01", "high"),
        Life("B3", "c", "2025-06-01", "high", time="09:00:00"),
        Life("B2", "b", "2025-06-01", "critical"),
        Life("B1", "a", "2025-06-01", "medium", time="08:00:00"),
        Life("B1", "c", "2025-06-02", "low"),
        Life("B2", "a", "2025-06-02", "low"),
        Life("B3", "b", "2025-06-02", "low"),
    ]
    told = replay_folder(tmp_path / "told", lives, [profile_line(f"B{n}") for n in range(1, 5)])
    truth = truth_file(tmp_path / "truth.csv", "B1,,,2025-07-01")
    worked = {budget: judgement_of(told, truth, budget).at_daily_budget.counts for budget in (1, 2, 3, 4)}
    assert [worked[budget]["alerts"] for budget in (1, 2, 3, 4)] == [2, 4, 6, 7]
    # With three a day B1 is worked on 2 June, with four on 1 June, too.
    assert [worked[budget]["true"] for budget in (1, 2, 3, 4)] == [0, 0, 1, 2]


def test_a_borrower_in_default_takes_no_place_of_the_budget(tmp_path):
    lives = [Life("B1", "r1", "2025-06-01", "critical"), Life("B2", "r1", "2025-06-01", "low")]
    told = replay_folder(tmp_path / "told", lives, [profile_line("B1"), profile_line("B2")])
    truth = truth_file(tmp_path / "truth.csv", "B1,,,2025-05-01", "B2,,,2025-08-01")
    counts = judgement_of(told, truth, 1).at_daily_budget.counts
    assert (counts["alerts"], counts["true"], counts["after_default"]) == (1, 1, 0)


def test_each_month_has_places_for_two_in_a_hundred_borrowers(tmp_path):
    # 100 borrowers: two places in June. The worst are B3 and B2; B1 has two openings, of which the critical one counts
    # for B1, on 9 June, after those of B2 and B3. In July B1 has a place again.
    lives = [
        Life("B1", "r1", "2025-06-01", "low"),
        Life("B4", "r1", "2025-06-01", "low"),
        Life("B3", "r1", "2025-06-02", "critical"),
        Life("B2", "r1", "2025-06-08", "critical"),
        Life("B1", "r2", "2025-06-09", "critical"),
        Life("B1", "r3", "2025-07-09", "low"),
    ]
    told = replay_folder(tmp_path / "told", lives, [profile_line(f"B{n}") for n in range(100)])
    truth = truth_file(tmp_path / "truth.csv", "B1,,,2025-08-01", "B2,,,2025-08-01")
    monthly = judgement_of(told, truth, None).at_monthly_budget
    assert (monthly.counts["alerts"], monthly.counts["alerted"], monthly.counts["true"]) == (3, 3, 2)
    # B2 is 54 days ahead (22 of June, 31 of July, 1), B1 with its opening of July 23: the median is 38.5.
    assert share(monthly, "lead_median_days") == (38.5, 2)


def test_a_month_that_was_seen_in_part_has_that_part_of_the_places(tmp_path):
    # 100 borrowers, two places a month. 16 of the 31 days of January are 1.03 places, rounded up 2; 15 are 0.97, so 1.
    lives = [Life(f"B{n}", "r1", "2024-01-20") for n in range(5)]
    profiles = [profile_line(f"B{n}") for n in range(100)]
    for day, places in ((16, 2), (17, 1)):
        told = replay_folder(tmp_path / f"{day}", lives, profiles, first=date(2024, 1, day))
        assert judgement_of(told, None, None).at_monthly_budget.counts["alerts"] == places
    told = replay_folder(tmp_path / "end", lives, profiles, last=date(2024, 1, 31))
    assert judgement_of(told, None, None).at_monthly_budget.counts["alerts"] == 2


def test_of_equals_at_one_look_the_borrower_with_the_first_id_has_the_place(tmp_path):
    lives = [Life("B2", "a", "2025-06-01"), Life("B1", "b", "2025-06-01")]  # by the id of the alert B2 would be first
    told = replay_folder(tmp_path / "told", lives, [profile_line(f"B{n}") for n in range(50)])
    monthly = judgement_of(told, truth_file(tmp_path / "truth.csv", "B1,,,2025-08-01"), None).at_monthly_budget
    assert (monthly.counts["alerts"], monthly.counts["true"]) == (1, 1)


# -- intervals --------------------------------------------------------------


def test_the_interval_of_a_share_is_that_of_drawing_the_borrowers_again(tmp_path):
    # 400 borrowers, each with an alert; 200 default. The share of those who default among 400 drawn ones has the
    # standard deviation sqrt(.5 * .5 / 400) = 0.025: 95 % lie within 1.96 of it, 0.451 to 0.549. A bound from 1,000
    # resamples moves by some 0.002.
    lives = [Life(f"B{n}", "r1", "2024-06-01") for n in range(400)]
    told = replay_folder(tmp_path / "told", lives, [profile_line(f"B{n}") for n in range(400)])
    truth = truth_file(tmp_path / "truth.csv", *(f"B{n},,,2024-07-01" for n in range(200)))
    figure = judgement_of(told, truth, None).overall.figures["precision"]
    assert figure.value == 0.5
    assert figure.low == pytest.approx(0.451, abs=0.007) and figure.high == pytest.approx(0.549, abs=0.007)


def test_borrowers_with_an_alert_are_drawn_apart_from_those_without(tmp_path):
    # The same deviation for 200 alerted ones of 400, of whom nothing else is known.
    lives = [Life(f"B{n}", "r1", "2024-06-01") for n in range(200)]
    told = replay_folder(tmp_path / "told", lives, [profile_line(f"B{n}") for n in range(400)])
    for name, scale in (("alerted_share", 1), ("alerts_per_1000_and_month", 1_000 * 30.44 / 731)):
        figure = judgement_of(told, None, None).overall.figures[name]
        assert figure.low is not None and figure.high is not None
        assert figure.low / scale == pytest.approx(0.451, abs=0.007)
        assert figure.high / scale == pytest.approx(0.549, abs=0.007)


def test_borrowers_of_whom_nothing_is_told_are_drawn_as_well(tmp_path):
    # 1 of 100 borrowers defaults: drawn 0 to 3 times in most resamples (Poisson of 1: P(0) = .37, P(<= 3) = .98).
    told = replay_folder(tmp_path / "told", [], [profile_line(f"B{n}") for n in range(100)])
    figure = judgement_of(told, truth_file(tmp_path / "truth.csv", "B1,,,2024-07-01"), None).overall.figures[
        "base_rate"
    ]
    assert (figure.value, figure.low, figure.high) == (0.01, 0.0, 0.03)


def test_the_same_folder_gives_the_same_bytes(folder):
    truth = folder / "truth.csv"
    once, twice = (msgspec.json.encode(judgement_of(folder, truth, 2)) for _ in range(2))
    assert once == twice
