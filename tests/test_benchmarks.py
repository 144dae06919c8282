"""The benchmark of the core, at a tiny size: its gate, and the keys of its file; no time is asserted."""

import io
import json

import pytest
from rich.console import Console

from benchmarks import core
from benchmarks.engine_run import Digests, Run
from benchmarks.gate import Mismatch, check_same, replayed
from benchmarks.rounds import Plan, days_of, engine_round, starts_of
from benchmarks.shelves import empty_shelf, samples_of, shares, values_of
from benchmarks.workload import FIRST_DAY, life, shelf_of
from pipeline.look import Day
from pipeline.zone import day_number

TINY = Plan(borrowers=12, history=60, warm_up=3, measured=4, rounds=1, naive_borrowers=4)
BASE = day_number(FIRST_DAY)


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    out = tmp_path_factory.mktemp("bench") / "core.json"
    size = core.Size(plan=TINY, memory_borrowers=20)  # compared are as many as always
    assert core.write(size, out, Console(quiet=True)) == 0
    return json.loads(out.read_text())


@pytest.fixture(scope="module")
def history():
    days = days_of(TINY, BASE, 3)
    run = Run(empty_shelf(), {}, Digests()).days(days.history)
    values = values_of(Day(date=days.history[-1].date), run.memories.values())
    return days, run, values


def test_the_file_has_the_keys_that_others_read(figures):
    assert set(figures["step_us"]) == {"50", "500", "1000"}
    for key in ("json_loads_us", "naive_us", "decode_us", "sweep_us", "bytes_per_borrower"):
        assert figures[key] > 0


def test_the_naive_step_and_the_engine_had_transitions_to_agree_on(figures):
    assert figures["checked"]["naive_transitions"] > 0


def test_the_run_says_what_replay_says_and_a_lost_line_is_noticed(history):
    days, run, values = history
    starts = starts_of(days, run, {"50": shelf_of(50, samples_of(values), 3, 0.3)})
    _, told = engine_round(starts["50"], days)
    assert {"Alert", "Disagreement"} <= set(told)  # so that more than one kind is compared
    since = days.warm_up[0].date
    expected = replayed(days.all, starts["none"].shelf, starts["50"].shelf, since)
    check_same(told, expected, 50)
    *before, last = days.all
    cut = [*(feed._replace(raws=[]) if feed.date == since else feed for feed in before), last]
    without = replayed(cut, starts["none"].shelf, starts["50"].shelf, since)
    with pytest.raises(Mismatch, match="expected those of replay, got other bytes or another order, in Alert"):
        check_same(told, without, 50)


def test_no_figure_is_shown_or_written_when_decisions_differ(tmp_path, monkeypatch):
    def differ(size, say):
        raise Mismatch("decisions under 50 rules: expected those of replay, got others")

    monkeypatch.setattr(core, "run", differ)
    console = Console(record=True, file=io.StringIO(), width=200)
    assert core.write(core.Size(plan=TINY), tmp_path / "core.json", console) == 1
    assert console.export_text().strip() == "decisions under 50 rules: expected those of replay, got others"
    assert not (tmp_path / "core.json").exists()


def test_thresholds_lie_where_the_wanted_share_of_values_is_on_their_true_side(history):
    _, _, values = history
    uniform = [{**each, **dict.fromkeys(each, n / 1000)} for n, each in enumerate(values * 84, 1)]
    #  values 1/1000 .. 1008/1000, every comparison wanted true for 0.3 of them (each drawn around it)
    shelf = shelf_of(300, samples_of(uniform), 3, 0.3)
    comparisons, rules = shares(shelf, uniform)
    comparators = [part.comparator for rule in shelf.rules for part in rule.when.parts]
    assert 0.4 < comparators.count(">=") / len(comparators) < 0.6  # high and low values alike are asked for
    assert 0.25 < comparisons < 0.35
    assert rules < comparisons


def test_a_borrower_is_the_same_whoever_asks_and_another_is_not():
    assert life(7, 90, 1) == life(7, 90, 1)
    assert life(7, 90, 1) != life(8, 90, 1)
