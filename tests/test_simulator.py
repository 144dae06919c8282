"""The simulated portfolio: its figures are held to their bands, its lives are lives, the engine takes every line."""

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from config.settings import load as load_settings
from connectors.simulator import parameters
from connectors.simulator.birth import born
from connectors.simulator.figures import Tally, cause_of, rates
from connectors.simulator.life import live, next_day
from connectors.simulator.parameters import SHOCKS
from connectors.simulator.simulate import seasoned, simulate, whole_life
from connectors.simulator.state import Borrower, Contact
from connectors.simulator.ties import ties_of
from connectors.simulator.world import World, world_of
from pipeline.decode import Arrival, Decoder
from pipeline.events import ATTRIBUTES
from rules.faults import RuleError

ROOT = Path(__file__).parents[1]
FIGURES = parameters.load()
DECODER = Decoder("Asia/Shanghai", "CNY")


def world(seed: int = 1, months: int = 18, shocks: tuple[str, ...] = SHOCKS) -> World:
    return world_of(FIGURES, load_settings(), seed=seed, months=months, shocks=frozenset(shocks))


def borrower(number: int, w: World) -> Borrower:
    return seasoned(number, w, ties_of(number // FIGURES.block, w))


def lives(w: World, numbers: range) -> list[tuple[Borrower, list[dict[str, Any]]]]:
    found = []
    for number in numbers:
        b = borrower(number, w)
        found.append((b, [json.loads(line) for day in whole_life(b, w) for line in day]))
    return found


def written(w: World, folder: Path, *, borrowers: int, rate: float = 0.0, months: int = 18) -> dict[str, Any]:
    return simulate(w, borrowers=borrowers, months=months, rate=rate, out=folder, advance=lambda done: None)


@pytest.fixture(scope="module")
def portfolio() -> tuple[World, Tally]:
    """1,500 borrowers over 18 months, counted."""
    w, tally = world(seed=11), Tally()
    for number in range(1_500):
        b = borrower(number, w)
        whole_life(b, w)
        tally.add(b, w)
    return w, tally


@pytest.fixture(scope="module")
def portfolio_told() -> tuple[dict[Any, float], dict[Any, float]]:
    """Of 600 borrowers: the share in trouble that tells each kind of event, and the share of the others."""
    w = world(seed=4)
    kinds: dict[bool, Counter[Any]] = {True: Counter(), False: Counter()}
    of_each: Counter[bool] = Counter()
    for b, events in lives(w, range(600)):
        is_troubled = b.began_on >= 0 or b.defaulted_on >= 0 or b.strained_on >= 0
        of_each[is_troubled] += 1
        kinds[is_troubled].update({(event["type"], event.get("category")) for event in events})
    shares = {each: {kind: count / of_each[each] for kind, count in kinds[each].items()} for each in kinds}
    return shares[True], shares[False]


@pytest.fixture(scope="module")
def told() -> list[tuple[Borrower, list[dict[str, Any]]]]:
    """120 borrowers with all they tell."""
    return lives(world(seed=5), range(120))


# -- the whole ----------------------------------------------------------------


def test_defaults_roll_and_cure_rates_fall_into_the_bands_of_the_file(portfolio):
    w, tally = portfolio
    realised, bands = rates(tally, w.end - w.first), FIGURES.expected
    outside = {
        name: value
        for name, value in realised.items()
        if value is None or not getattr(bands, name)[0] <= value <= getattr(bands, name)[1]
    }
    assert outside == {}


def test_every_shock_happens_and_not_every_one_ends_in_default(portfolio):
    _, tally = portfolio
    assert set(tally.shocks) == set(SHOCKS)
    suffered = sum(tally.shocks.values())
    defaulted = sum(count for name, count in tally.defaults.items() if name != "none")
    assert 0.15 < defaulted / suffered < 0.6
    assert 0 < tally.defaults["none"] < 0.2 * defaulted


def test_what_only_looks_like_trouble_is_as_common_as_trouble(portfolio):
    _, tally = portfolio
    looks = {"payday_shift", "employer_bank", "holiday_spending", "parental_leave", "seasonal_trade"}
    assert set(tally.look_alikes) == looks
    assert sum(tally.look_alikes.values()) > 0.4 * sum(tally.shocks.values())


# -- what is told -------------------------------------------------------------


def test_every_line_is_an_event_of_the_catalogue_with_fields_that_it_knows(told):
    for _, events in told:
        for event in events:
            arrival = DECODER.decode(json.dumps(event).encode(), {})
            assert isinstance(arrival, Arrival) and arrival.unknown == 0


def test_the_feeds_use_most_of_the_catalogue(told):
    types = {event["type"] for _, events in told for event in events}
    not_told = set(ATTRIBUTES) - types
    assert {name for name in not_told if name.split(".")[0] in ("repayment", "account")} <= {
        "repayment.reversed",
        "account.closed",
        "account.frozen",
        "account.overdrawn",
    }
    assert len(types) >= 20


def test_a_borrower_tells_in_the_order_of_time_and_numbers_what_it_tells(told):
    for b, events in told:
        assert [event["at"] for event in events] == sorted(event["at"] for event in events)
        assert len({event["at"] for event in events}) == len(events)
        assert [event["id"] for event in events] == [f"{b.key}-{n + 1}" for n in range(len(events))]


def test_an_account_adds_up_from_movement_to_movement(told):
    for b, events in told:
        before = None
        for event in events:
            if event.get("account_id") != b.account_id or "balance_minor" not in event:
                continue
            if event["type"] in ("account.credit", "account.debit"):
                sign = 1 if event["type"] == "account.credit" else -1
                if before is not None:
                    assert event["balance_minor"] == before + sign * event["amount_minor"]
            elif before is not None:
                assert event["balance_minor"] == before
            before = event["balance_minor"]


def test_a_default_comes_on_the_ninety_first_day_after_an_unpaid_due():
    w = world(seed=5)
    defaulted = [b for b, _ in lives(w, range(250)) if b.defaulted_on >= 0]
    assert len(defaulted) >= 5
    for b in defaulted:
        assert b.defaulted_on - b.unpaid_since >= 91
        assert cause_of(b) == "none" or b.began_on <= b.unpaid_since


def test_no_word_of_the_events_names_a_shock_or_a_look_alike(told):
    names = {*SHOCKS, *parameters.LookAlikes.model_fields, "none"}
    words = {value for _, events in told for event in events for value in event.values() if isinstance(value, str)}
    assert words & names == set()


def test_nothing_that_is_told_betrays_trouble_but_what_trouble_itself_brings(portfolio_told):
    """Every kind of event of somebody in trouble is seen with somebody who is not, and more than once in a while."""
    troubled, others = portfolio_told
    betraying = {kind for kind, share in troubled.items() if share > 0.02 and others.get(kind, 0.0) < 0.02 * share}
    assert betraying <= {
        ("loan.defaulted", None),
        ("loan.rescheduled", None),
        ("hardship.granted", None),
        ("external.employment", None),
        ("account.credit", "severance"),
    }


def test_the_salary_stops_weeks_before_the_due_that_goes_into_default():
    w = world(seed=5, shocks=("job_loss",))
    ahead = []
    for number in range(1_200):
        if born(number, w, ties_of(number // FIGURES.block, w), 0).shock != "job_loss":
            continue
        ((b, events),) = lives(w, range(number, number + 1))
        if b.defaulted_on < 0 or b.began_on < w.first or cause_of(b) == "none":
            continue
        # Another job is found after three months at the earliest.
        lost, until = w.dates[b.began_on], w.dates[min(b.unpaid_since, b.began_on + 90)]
        assert [e for e in events if e.get("category") == "salary" and lost < e["at"][:10] < until] == []
        ahead.append(b.unpaid_since - b.began_on)
    assert len(ahead) >= 8 and sorted(ahead)[len(ahead) // 2] >= 45


# -- the day ------------------------------------------------------------------


def test_living_every_day_is_living_the_days_on_which_something_happens():
    w = world(months=3)
    for number in range(10):
        skipping, daily = borrower(number, w), borrower(number, w)
        for day in range(w.first, w.end):
            lines = live(daily, w, day)
            assert lines == (live(skipping, w, day) if next_day(skipping) == day else [])


def test_a_contact_makes_people_in_arrears_pay_sooner():
    w = world(seed=5)
    days_late: Counter[str] = Counter()
    for number in range(250):
        for name in ("left alone", "called"):
            b = borrower(number, w)
            for day in range(w.first, w.end):
                late = [day - loan.unpaid[0][0] for loan in b.loans if loan.unpaid and loan.status == "open"]
                is_called = name == "called" and late and max(late) in (3, 8, 15, 30, 45, 60)
                live(b, w, day, (Contact("call", "early-collections/B1/1"),) if is_called else ())
                days_late[name] += bool(late)
    assert days_late["called"] < 0.97 * days_late["left alone"]


def test_an_offer_reschedules_and_the_contact_is_told():
    w = world(seed=5)
    kinds: Counter[str] = Counter()
    for number in range(120):
        b = borrower(number, w)
        for day in range(w.first, w.end):
            is_late = any(loan.unpaid and day - loan.unpaid[0][0] == 20 for loan in b.loans)
            for line in live(b, w, day, (Contact("restructure"),) if is_late else ()):
                kinds[json.loads(line)["type"]] += 1
    assert kinds["contact.attempted"] > 0 and kinds["loan.rescheduled"] > 0


def test_a_shock_that_is_switched_off_leaves_other_lives_as_they_were():
    with_all, without = world(months=6), world(months=6, shocks=tuple(set(SHOCKS) - {"illness"}))
    same = 0
    for number in range(60):
        b, other = borrower(number, with_all), borrower(number, without)
        if b.shock != "illness" and not b.began_on >= 0:
            assert whole_life(b, with_all) == whole_life(other, without)
            same += 1
        assert other.shock != "illness"
    assert same > 30


# -- the files ----------------------------------------------------------------


def test_equal_seeds_give_equal_bytes_and_others_do_not(tmp_path):
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        written(world(seed=seed, months=2), tmp_path / name, borrowers=30, rate=1.0, months=2)
    read = {name: [p.read_bytes() for p in sorted((tmp_path / name).iterdir())] for name in ("one", "again", "other")}
    assert len(read["one"]) == 3 and read["one"] == read["again"] and read["one"] != read["other"]


def test_the_first_borrowers_are_the_same_in_a_larger_portfolio(tmp_path):
    lines = {}
    for size in (23, 41):
        written(world(months=2), tmp_path / str(size), borrowers=size, months=2)
        with gzip.open(tmp_path / str(size) / "events.jsonl.gz") as file:
            lines[size] = [line for line in file if json.loads(line)["borrower_id"] < "B0000023"]
    assert lines[23] == lines[41] and len(lines[23]) > 500


def test_the_truth_has_a_row_for_each_borrower_that_suffered_or_defaulted(tmp_path):
    w = world(seed=5)
    manifest = written(w, tmp_path, borrowers=150)
    head, *rows = [line.split(",") for line in (tmp_path / "truth.csv").read_text().splitlines()]
    assert head == ["borrower_id", "cause", "began_on", "defaulted_on"]
    assert len({row[0] for row in rows}) == len(rows)
    assert Counter(row[1] for row in rows if row[3]) == Counter(manifest["defaults"])
    assert all(row[1] in (*SHOCKS, "none") and row[2] and (not row[3] or row[2] < row[3]) for row in rows)
    assert [row for row in rows if row[1] == "none" and not row[3]] == []


def test_another_process_with_other_hashes_writes_the_same_bytes(tmp_path):
    code = "from pipeline.shells.cli import main; main()"
    words = ["simulate", "--borrowers", "20", "--months", "1", "--faults", "2", "--quiet", "--out"]
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", code, *words, str(tmp_path / seed)], env=env, cwd=ROOT, check=True)
    one, other = ([p.read_bytes() for p in sorted((tmp_path / seed).iterdir())] for seed in ("1", "2"))
    assert len(one) == 3 and one == other


# -- the parameters -----------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("burn_in_months: 4", "burnin_months: 4", "burnin_months: no such field; did you mean 'burn_in_months'?"),
        (
            "first_day: 2025-01-01",
            "first_day: 2025-01-02",
            "first_day: expected the first day of a month, got 2025-01-02",
        ),
        ("renters: 0.4", "renters: 1.4", "budget.renters: expected at most 1.0, got 1.4"),
        ("limit: [0.4, 1.6]", "limit: [1.6, 0.4]", "cards.limit: expected a low and a high bound, got [1.6, 0.4]"),
        (
            "  assumption: true\n  firms: 0.12",
            "  firms: 0.12",
            "portfolio: expected either 'source: ...' or 'assumption",
        ),
    ],
)
def test_a_fault_of_the_figures_has_its_line_and_column(tmp_path, old, new, sentence):
    text = parameters.PARAMETERS.read_text("utf-8")
    assert old in text
    path = tmp_path / "simulator.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(RuleError) as refused:
        parameters.load(path)
    said = [str(fault) for fault in refused.value.faults]
    assert any(each.split(" ", 1)[1].startswith(sentence) and each.split(":")[1].isdigit() for each in said), said


def names_in(model: type[BaseModel]) -> Iterator[str]:
    """Every figure of a model and of the models in it, by the name with which code reads it."""
    for name, field in model.model_fields.items():
        if name in ("source", "assumption"):
            continue
        yield name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from names_in(field.annotation)


def test_every_figure_of_the_file_is_read_somewhere():
    folder = ROOT / "connectors" / "simulator"
    code = "".join(p.read_text() for p in folder.glob("*.py") if p.stem not in ("parameters", "troubles", "stated"))
    by_name = {
        "term",
        *parameters.Reached.model_fields,
        *SHOCKS,
        *parameters.LookAlikes.model_fields,
        *parameters.Expected.model_fields,
    }
    faults = {"late", "duplicate", "conflicting", "malformed", "misordered"}  # Read by the names in a table.
    assert {each for each in names_in(parameters.Figures) if f".{each}" not in code} - by_name - faults == set()


def test_a_figure_without_its_origin_and_one_with_two_are_faults():
    for origin in ({}, {"source": "a paper", "assumption": True}):
        with pytest.raises(ValidationError):
            parameters.Savings(none=0.4, median=1.0, spread=0.5, **origin)
