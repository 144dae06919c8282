"""Good records at a bad time or twice, through the command: what waits, what is matched, what ends as a dead letter."""

import json
from pathlib import Path

import pytest

from tests.arrival_logs import (
    COUNTS_MISSES,
    Ran,
    Told,
    as_line,
    day_ended,
    due,
    missed,
    paid,
    replayed_records,
    shelf,
    told,
)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelf(tmp_path_factory.mktemp("shelf"), misses=COUNTS_MISSES)


def letters(ran: Ran) -> list[tuple[str, int]]:
    """The reason of each dead letter, and the line of its record."""
    return [(letter["reason"], letter["source"]["line"]) for letter in ran.records("dead-letters.jsonl")]


def first_loan(ran: Ran) -> Told:
    found: Told = ran.records("profiles.jsonl")[0]["loans"][0]
    return found


# -- payments before their loan ---------------------------------------------


def test_a_payment_for_an_unknown_loan_waits_and_is_listed(tmp_path, rules):
    ran = replayed_records(tmp_path, paid("e1", "2025-03-01"), day_ended("2025-03-07"), rules=rules)
    assert ran.reasons == []
    assert (ran.summary["waiting"], ran.summary["waiting_events"]) == (
        1,
        [
            {
                "borrower_id": "B17",
                "why": "waiting",
                "type": "repayment.received",
                "source": {"file": "out.jsonl", "line": 1},
            }
        ],
    )
    assert ran.records("profiles.jsonl")[0]["loans"] == []


def test_a_payment_that_waited_is_matched_when_its_loan_arrives(tmp_path, rules):
    #  1 March: paid 1,200, no loan ── 4 March: due 1,200 ── paid it is, so nothing is missed at the close of the 5th
    records = [paid("e1", "2025-03-01"), due("e2", "2025-03-04"), day_ended("2025-03-06")]
    ran = replayed_records(tmp_path, *records, rules=rules)
    assert (ran.reasons, ran.summary["waiting"], ran.alerts) == ([], 0, [])
    assert (first_loan(ran)["days_past_due"], first_loan(ran)["arrears_minor"]) == (0, 0)
    without = replayed_records(tmp_path, *records[1:], rules=rules, out="without")
    assert without.alerts == ["misses/L4/1/opened"] and first_loan(without)["arrears_minor"] == 120_000


def test_a_payment_that_waits_in_vain_is_a_dead_letter_at_the_close_of_the_seventh_day(tmp_path, rules):
    record = paid("e1", "2025-03-01")
    at_seven = replayed_records(tmp_path, record, day_ended("2025-03-08"), rules=rules)
    assert at_seven.records("dead-letters.jsonl") == [
        {
            "reason": "bad_field",
            "why": "loan_id: expected a known loan, got L4, of which nothing else came in 7 days; "
            "send loan.disbursed or loan.snapshot first",
            "source": {"file": "out.jsonl", "line": 1},
            "bytes": as_line(record).decode(),
        }
    ]
    assert at_seven.summary["waiting"] == 0


def test_a_payment_waits_for_its_own_loan_and_not_for_another(tmp_path, rules):
    records = [paid("e1", "2025-03-01"), due("e2", "2025-03-02", loan_id="L5"), day_ended("2025-03-08")]
    assert letters(replayed_records(tmp_path, *records, rules=rules)) == [("bad_field", 1)]


# -- reversals --------------------------------------------------------------


def reversal(event_id: str, at: str, of: str) -> Told:
    return told(event_id, "repayment.reversed", at, loan_id="L4", reverses=of)


def test_a_reversal_of_nothing_waits_a_week_and_is_then_a_dead_letter(tmp_path, rules):
    record = reversal("e2", "2025-03-02", of="e-none")
    waiting = replayed_records(tmp_path, due("e1", "2025-03-01"), record, day_ended("2025-03-08"), rules=rules)
    assert (letters(waiting), waiting.summary["waiting"]) == ([], 1)
    in_vain = replayed_records(tmp_path, due("e1", "2025-03-01"), record, day_ended("2025-03-09"), rules=rules)
    assert letters(in_vain) == [("unmatched_reversal", 2)]
    [letter] = in_vain.records("dead-letters.jsonl")
    assert letter["why"] == (
        "reverses: expected a payment of core, got e-none, not seen in 7 days; send the payment first"
    )
    assert json.loads(letter["bytes"]) == record


def test_a_reversal_before_its_payment_takes_it_back_as_soon_as_it_comes(tmp_path, rules):
    #  due on the 1st ── reversed on the 2nd, before it came ── paid on the 3rd: never counts, 3 days late on the 4th
    records = [due("e1", "2025-03-01"), reversal("e2", "2025-03-02", of="e3"), paid("e3", "2025-03-03")]
    ran = replayed_records(tmp_path, *records, day_ended("2025-03-04"), rules=rules)
    assert (letters(ran), first_loan(ran)["days_past_due"]) == ([], 3)
    not_reversed = replayed_records(tmp_path, records[0], records[2], day_ended("2025-03-04"), rules=rules, out="paid")
    assert first_loan(not_reversed)["days_past_due"] == 0


def test_a_payment_taken_back_is_due_again(tmp_path, rules):
    records = [due("e1", "2025-03-01"), paid("e2", "2025-03-01"), reversal("e3", "2025-03-03", of="e2")]
    ran = replayed_records(tmp_path, *records, day_ended("2025-03-04"), rules=rules)
    assert (letters(ran), first_loan(ran)["days_past_due"], first_loan(ran)["arrears_minor"]) == ([], 3, 120_000)


# -- instalments ------------------------------------------------------------


def test_instalments_told_out_of_order_are_paid_by_due_date(tmp_path, rules):
    #  told: 5 (April), 3 (1 March), 4 (2 March). One payment settles instalment 3; on 4 March number 4 is 2 days late.
    records = [
        due("e5", "2025-04-01", instalment=5, at="2025-02-27T09:00:00+08:00"),
        due("e3", "2025-03-01", instalment=3, at="2025-02-27T09:00:01+08:00"),
        due("e4", "2025-03-02", instalment=4, at="2025-02-27T09:00:02+08:00"),
        paid("e6", "2025-03-01"),
        day_ended("2025-03-04"),
    ]
    ran = replayed_records(tmp_path, *records, rules=rules)
    assert (letters(ran), first_loan(ran)["days_past_due"], first_loan(ran)["arrears_minor"]) == ([], 2, 120_000)


# -- repeats and conflicts --------------------------------------------------


def test_an_exact_repeat_changes_nothing_whenever_it_comes(tmp_path, rules):
    records = [due("e1", "2025-03-01"), paid("e2", "2025-03-02"), missed("e3", "2025-03-03"), day_ended("2025-03-05")]
    once = replayed_records(tmp_path, *records, rules=rules)
    twice = replayed_records(
        tmp_path, *(each for record in records for each in (record, record)), *records, rules=rules, out="twice"
    )
    assert twice.reasons == []
    for name in ("alerts.jsonl", "profiles.jsonl", "collection-tasks.jsonl"):
        assert twice.lines(name) == once.lines(name)


def test_a_repeat_may_be_spelt_in_another_way(tmp_path, rules):
    record = missed("e1", "2025-03-01T09:00:00+08:00", instalment=3)
    again = dict(reversed(record.items())) | {"at": "2025-03-01T01:00:00.000Z", "sent_by": "batch 2"}
    spelt = json.dumps(again, indent=1).replace("\n", " ").encode()
    assert replayed_records(tmp_path, record, spelt, rules=rules).reasons == []


def test_the_same_id_with_other_content_is_a_conflict_and_the_first_stays(tmp_path, rules):
    other = missed("e1", "2025-03-02", instalment=4)
    ran = replayed_records(tmp_path, missed("e1", "2025-03-01", instalment=3), other, rules=rules)
    [letter] = ran.records("dead-letters.jsonl")
    assert (letter["reason"], letter["source"]["line"], letter["bytes"]) == ("conflict", 2, as_line(other).decode())
    assert letter["why"].startswith("id: e1 of core is known with other content; ")
    assert ran.records("alerts.jsonl")[0]["evidence"]["missed"]["value"] == 1


@pytest.mark.parametrize("waits", ["for its loan", "for its day"])
def test_a_conflict_is_seen_with_an_event_that_still_waits(tmp_path, rules, waits):
    at = "2025-03-01" if waits == "for its loan" else "2025-03-02"
    records = [paid("e1", at), paid("e1", at, amount_minor=1), paid("e1", at), day_ended("2025-03-01")]
    ran = replayed_records(tmp_path, day_ended("2025-02-28"), *records, rules=rules)
    assert letters(ran) == [("conflict", 3)]


def test_equal_ids_of_two_sources_are_two_events(tmp_path, rules):
    ran = replayed_records(
        tmp_path, missed("e1", "2025-03-01"), missed("e1", "2025-03-02", source="cards"), rules=rules
    )
    assert ran.reasons == []
    assert ran.records("profiles.jsonl")[0]["measures"]["misses"]["L4"]["missed"] == 2


# -- too old ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("late", "days", "last_good"),
    [
        (
            told("e2", "external.inquiry", "2024-01-25"),
            400,
            "2025-02-28",
        ),  # 2024 is a leap year: 366 days to 01-25, 34 more
        (told("e2", "account.debit", "2024-11-20", account_id="A1", amount_minor=1), 100, "2025-02-28"),
    ],
    ids=["external", "account"],
)
def test_an_event_is_too_old_one_day_after_its_memory_would_have_let_it_go(tmp_path, rules, late, days, last_good):
    good = replayed_records(tmp_path, missed("e1", last_good), late, rules=rules)
    assert good.reasons == []
    ran = replayed_records(tmp_path, missed("e1", "2025-03-01"), late, rules=rules, out="late")
    assert letters(ran) == [("too_old", 2)]
    why = ran.records("dead-letters.jsonl")[0]["why"]
    assert why.startswith(
        f"at: expected an event of the last {days} days, got one of {late['at'][:10]}, {days + 1} days late"
    )
