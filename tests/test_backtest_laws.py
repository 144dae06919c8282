"""Laws of the backtest: the number of processes changes no byte, and what is judged is what `forewarn judge` judges."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.shells.backtest import part as part_module
from pipeline.shells.backtest.judging import Span
from pipeline.shells.backtest.shards import Shard, tied
from tests.arrival_logs import day_ended, forewarn, missed, replayed, shelf, told, written
from tests.arrival_traffic import arrival_log, rules
from tests.backtests import bytes_of, parts_of, said_by

SPANS = [Span(), Span(since=date(2025, 1, 21), until=date(2025, 2, 10))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("laws")
    shelf(found / "rules", **rules())
    return found


def files_of(folder: Path, seed: int, *, with_day_ended: bool, files: int) -> list[Path]:
    """A log, dealt to so many files."""
    lines = arrival_log(seed, with_day_ended=with_day_ended)
    names = [folder / f"{seed}-{with_day_ended}-{files}-{n}.jsonl" for n in range(files)]
    return [written(name, *lines[n::files]) for n, name in enumerate(names)]


@pytest.mark.parametrize("span", SPANS, ids=["all days", "some days"])
@pytest.mark.parametrize("files", [1, 2])
@pytest.mark.parametrize("with_day_ended", [True, False], ids=["day.ended", "dates"])
@pytest.mark.parametrize("seed", [3, 11])
def test_any_number_of_parts_gives_the_bytes_of_one(folder, seed, with_day_ended, files, span):
    log = files_of(folder, seed, with_day_ended=with_day_ended, files=files)
    whole = bytes_of(log, folder / "rules", 1, span)
    assert json.loads(whole)["verdict"]["overall"]["counts"]["alerts"] > 10
    assert json.loads(whole)["events"]["warnings"] > 0
    for count in (2, 3, 5):
        assert bytes_of(log, folder / "rules", count, span) == whole


def test_every_part_has_some_of_the_borrowers_and_none_has_another_ones(folder):
    log = files_of(folder, 3, with_day_ended=True, files=1)
    parts = parts_of(log, folder / "rules", 3, Span())
    borrowers = [{each.borrower_id for each in part.profiles} for part in parts]
    assert all(borrowers) and sum(map(len, borrowers)) == len(set.union(*borrowers)) == 12


@pytest.mark.parametrize("with_day_ended", [True, False], ids=["day.ended", "dates"])
@pytest.mark.parametrize("seed", [3, 11])
def test_the_verdict_is_that_of_judge_on_a_replay(folder, seed, with_day_ended, tmp_path):
    [log] = files_of(folder, seed, with_day_ended=with_day_ended, files=1)
    ran = replayed(log, rules=folder / "rules", out=f"replay-{seed}-{with_day_ended}")
    assert forewarn("judge", "--alerts", ran.folder, "--out", tmp_path / "verdict.json", "--quiet").code == 0
    said = said_by(log, "--rules", folder / "rules", "--processes", "1")
    assert said["verdict"] == json.loads((tmp_path / "verdict.json").read_bytes())
    summary = ran.summary
    same = ("events", "by_type", "unknown_fields", "dead_letters", "disagreements", "warnings", "first_day", "as_of")
    assert {name: said["events"][name] for name in same} == {name: summary[name] for name in same}


@pytest.mark.parametrize("with_day_ended", [True, False], ids=["day.ended", "dates"])
def test_until_a_day_is_the_backtest_of_the_events_that_were_there_by_its_close(folder, with_day_ended, tmp_path):
    [log] = files_of(folder, 11, with_day_ended=with_day_ended, files=1)
    lines = log.read_bytes().splitlines()
    if with_day_ended:
        end = next(n for n, raw in enumerate(lines) if raw.startswith(b'{"type":"day.ended","date":"2025-02-10"'))
        cut = lines[: end + 1]
    else:  # The first event of a later date closes the day.
        end = next(n for n, raw in enumerate(lines) if raw.startswith(b'{"id"') and b'"at":"2025-02-11' in raw)
        cut = lines[:end]
    whole = said_by(log, "--rules", folder / "rules", "--until", "2025-02-10")
    before = said_by(written(tmp_path / "cut.jsonl", *cut), "--rules", folder / "rules")
    assert whole["verdict"] == before["verdict"]
    assert before["verdict"]["observed"]["as_of"] == "2025-02-10"


def test_a_warning_that_would_leave_its_part_is_noticed_by_the_law(folder, monkeypatch):
    """Without the ties some borrower would be warned in a part that is not its own, and be there twice."""
    log = files_of(folder, 3, with_day_ended=True, files=1)
    monkeypatch.setattr("tests.backtests.shards", lambda count, *_: [Shard(number=n, of=count) for n in range(count)])
    counts = {n: sum(len(part.profiles) for part in parts_of(log, folder / "rules", n, Span())) for n in (2, 3, 5)}
    assert max(counts.values()) > 12


def test_a_default_warns_its_group_in_their_own_part_where_no_rule_spreads(folder, tmp_path):
    quiet = shelf(tmp_path / "rules", **{name: rule | {"spreads": []} for name, rule in rules().items()})
    log = files_of(folder, 3, with_day_ended=True, files=1)
    for count in (2, 3, 4, 5):
        parts = parts_of(log, quiet, count, Span())
        assert sum(part.counted.warnings for part in parts) > 0
        assert sum(len(part.profiles) for part in parts) == 12


# -- which part a line belongs to -----------------------------------------------

STRANGE = [
    b'{"type":"day.ended","date":"2025-03-02","borrower_id":"B17"}',  # of all, whatever it says
    b'{"type":"day.ended","date":"bad","borrower_id":"B17"}',
    b'{"type":"nothing","borrower_id":"B17"}',
    b'{"borrower_id":"B17"}',
    b'{"borrower_id":17}',
    b'{"type":"repayment.missed","id":"x","source":"core","borrower_id":"B\\u0031","loan_id":"L4",'
    b'"at":"2025-03-05T09:00:00+08:00"}',
    b'{"type":"repayment.missed","id":"y","source":"core","borrower_id":"B2","borrower_id":"B3","loan_id":"L5",'
    b'"at":"2025-03-01T23:30:00-05:00","unheard_of":1}',
    b'{"type":"repayment.missed","id":"z","source":"core","borrower_id":"B4","loan_id":"L6",'
    b'"at":"2025-03-01T09:00:00+08:00","business_date":"2025-03-04"}',
    b'{"type":"repayment.missed","id":"n","source":"core","borrower_id":"B4","loan_id":"L6","at":"2025-03-04T09:00:00"}',
    b"\xff",
    b"[" * 100_000,
    b'{"borrower_id":"B9","a":"' + b"x" * 1_100_000 + b'"}',
]


@settings(max_examples=40)
@given(order=st.permutations(range(len(STRANGE))), ends=st.booleans(), count=st.integers(2, 4))
def test_strange_lines_are_counted_once_and_begin_the_same_days_in_any_number_of_parts(folder, order, ends, count):
    known = [missed("m1", "2025-03-01"), told("o1", "account.overdrawn", "2025-03-01", account_id="A1")]
    lines = [*known, *(STRANGE[n] for n in order if ends or b"day.ended" not in STRANGE[n])]
    lines += [day_ended("2025-03-06")] if ends else []
    log = [written(folder / "strange.jsonl", *lines)]
    whole = bytes_of(log, folder / "rules", 1)
    assert bytes_of(log, folder / "rules", count) == whole
    events = json.loads(whole)["events"]
    assert events["events"] == len(lines) == sum(events["by_type"].values()) + 8 - (0 if ends else 1)


def test_borrowers_of_a_chain_of_ties_go_together():
    assert tied([("B3", "B2"), ("B7", "B8"), ("B1", "B3"), ("B8", "B9")]) == {
        **{"B1": "B1", "B2": "B1", "B3": "B1"},
        **{"B7": "B7", "B8": "B7", "B9": "B7"},
    }
    together = tied([("B1", "B2")])
    for of in (2, 3, 8):
        owners = {n for n in range(of) for who in ("B1", "B2") if Shard(number=n, of=of, together=together).owns(who)}
        assert len(owners) == 1


def test_every_part_tells_of_every_line_that_it_has_read(folder, monkeypatch):
    monkeypatch.setattr(part_module, "EVERY", 10)
    for files in (1, 2):
        log = files_of(folder, 3, with_day_ended=True, files=files)
        lines = sum(each.read_bytes().count(b"\n") for each in log)
        heard: list[int] = []
        parts_of(log, folder / "rules", 3, Span(), heard.append)
        assert sum(heard) == 3 * lines and len(heard) > 3 * lines // 30
