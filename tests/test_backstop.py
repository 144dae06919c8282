"""When a borrower was first 30 days past due, by few looks: the same as by a look at every close."""

from pathlib import Path
from typing import Any

import pytest

from pipeline import standing
from pipeline.engine import close_day
from pipeline.look import Day
from pipeline.memory import Memory
from pipeline.profiles import NEVER
from pipeline.shelf import CompiledShelf
from pipeline.zone import date_text
from tests.arrival_logs import SHELF, day_ended, due, forewarn, paid, replayed_records, told
from tests.arrival_traffic import arrival_log


def backstops(tmp_path: Path, *records: Any, out: str = "out") -> list[str | None]:
    ran = replayed_records(tmp_path, *records, out=out)
    return [profile["backstop_on"] for profile in ran.records("profiles.jsonl")]


def test_thirty_days_after_the_due_date_is_the_backstop(tmp_path):
    # Due on 5 March and unpaid: 0 days on the 5th, 26 on the 31st, 30 on 4 April.
    bill = due("d-1", "2025-03-05")
    assert backstops(tmp_path, bill, day_ended("2025-04-03")) == [NEVER]
    assert backstops(tmp_path, bill, day_ended("2025-04-04"), out="a-day-later") == ["2025-04-04"]


def test_who_pays_on_the_twenty_ninth_day_never_reaches_it(tmp_path):
    records = [due("d-1", "2025-03-05"), paid("p-1", "2025-04-03"), day_ended("2025-06-30")]
    assert backstops(tmp_path, *records) == [NEVER]


def test_the_first_time_counts_also_after_a_cure(tmp_path):
    records = [
        due("d-1", "2025-03-05"),
        paid("p-1", "2025-04-10"),
        due("d-2", "2025-05-05", instalment=4),
        day_ended("2025-07-31"),
    ]
    assert backstops(tmp_path, *records) == ["2025-04-04"]


def test_a_snapshot_that_states_more_counts_at_its_close(tmp_path):
    late = told("s-1", "loan.snapshot", "2025-03-10", loan_id="L4", days_past_due=45)
    assert backstops(tmp_path, late, day_ended("2025-03-10")) == ["2025-03-10"]


def test_a_snapshot_that_came_early_counts_at_the_close_of_its_own_day(tmp_path):
    late = told("s-1", "loan.snapshot", "2025-03-12", loan_id="L4", days_past_due=45)
    other = told("i-1", "external.inquiry", "2025-03-10")
    assert backstops(tmp_path, other, late, day_ended("2025-03-10"), day_ended("2025-03-12")) == ["2025-03-12"]


def test_a_payment_holiday_puts_it_off(tmp_path):
    # Due on 5 March; ten days, 11 to 20 March, stand still: 30 days on 14 April.
    pause = told("h-1", "loan.paused", "2025-03-10", loan_id="L4", from_date="2025-03-11", until_date="2025-03-20")
    assert backstops(tmp_path, due("d-1", "2025-03-05"), pause, day_ended("2025-05-31")) == ["2025-04-14"]


def test_of_whom_no_days_are_told_nobody_can_say(tmp_path):
    balance = told("s-1", "loan.snapshot", "2025-03-10", loan_id="L4", outstanding_minor=5)
    asked = told("i-1", "external.inquiry", "2025-03-10", borrower_id="B18")
    assert backstops(tmp_path, balance, asked, day_ended("2025-06-30")) == [None, None]


@pytest.mark.parametrize("with_day_ended", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_few_looks_see_what_a_look_at_every_close_sees(tmp_path, monkeypatch, seed, with_day_ended):
    seen: dict[str, str] = {}

    def watched(shelf: CompiledShelf, day: Day, memory: Memory) -> Any:
        decided = close_day(shelf, day, memory)
        states = [loan.state for loan in memory.head.loans.values() if loan.state.status == "open"]
        days = [each for state in states if (each := standing.days_past_due(state, day.date)) is not None]
        if days and seen.get(memory.borrower_id, NEVER) == NEVER:
            seen[memory.borrower_id] = date_text(day.date) if max(days) >= 30 else NEVER
        return decided

    monkeypatch.setattr("pipeline.shells.portfolio.close_day", watched)
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(line + b"\n" for line in arrival_log(seed, with_day_ended=with_day_ended)))
    ran = forewarn("replay", log, "--rules", SHELF, "--quiet", "--out", tmp_path / "out", folder=tmp_path / "out")
    told_of = {profile["borrower_id"]: profile["backstop_on"] for profile in ran.records("profiles.jsonl")}
    assert told_of == {borrower_id: seen.get(borrower_id) for borrower_id in told_of}
    assert len(set(told_of.values())) > 2
