"""When a day of an arrival log closes, and how several files become one log."""

from pathlib import Path

import pytest

from tests.arrival_logs import (
    COUNTS_MISSES,
    Ran,
    day_ended,
    missed,
    paid,
    replayed,
    replayed_records,
    shelf,
    told,
    written,
)


@pytest.fixture
def rules(tmp_path):
    """A rule that speaks at once, and one that speaks a full day later, at a close."""
    return shelf(tmp_path / "rules", at_once=COUNTS_MISSES, next_day=COUNTS_MISSES | {"for": "1d"})


def spoken(ran: Ran) -> list[tuple[str, str]]:
    """Each alert's rule and what it was decided on: the id of an event, or the date of a close."""
    return [
        (alert["rule"], alert["cause"].get("id") or alert["cause"]["date"]) for alert in ran.records("alerts.jsonl")
    ]


# -- one file without day.ended ---------------------------------------------


def test_a_day_closes_before_the_first_line_of_a_later_date(tmp_path, rules):
    #  e1 on the 1st ── close of the 1st, close of the 2nd ── e2 on the 3rd ── close of the 3rd
    ran = replayed_records(
        tmp_path,
        missed("e1", "2025-03-01", loan_id="L1"),
        missed("e2", "2025-03-03", loan_id="L2"),
        rules=rules,
    )
    assert spoken(ran) == [("at-once", "e1"), ("next-day", "2025-03-02"), ("at-once", "e2")]
    assert ran.closes == ["2025-03-01", "2025-03-02", "2025-03-03"]


def test_the_last_day_closes_at_the_end_of_the_file(tmp_path, rules):
    ran = replayed_records(
        tmp_path, missed("e1", "2025-03-01"), told("e2", "external.inquiry", "2025-03-02"), rules=rules
    )
    assert spoken(ran) == [("at-once", "e1"), ("next-day", "2025-03-02")]
    assert ran.summary["as_of"] == "2025-03-02"


def test_a_line_of_an_earlier_date_is_a_late_event_and_closes_nothing(tmp_path, rules):
    ran = replayed_records(
        tmp_path, missed("e1", "2025-03-03"), missed("e2", "2025-03-01"), missed("e3", "2025-03-03"), rules=rules
    )
    assert ran.closes == ["2025-03-03"]
    assert ran.summary["first_day"] == "2025-03-03"


def test_the_business_date_of_a_line_decides_and_not_its_instant(tmp_path, rules):
    # Half past midnight of the 2nd in Shanghai; the core's day was still the 1st.
    late_run = missed("e1", "2025-03-02T00:30:00+08:00", business_date="2025-03-01")
    assert replayed_records(tmp_path, late_run, rules=rules).closes == ["2025-03-01"]
    assert replayed_records(tmp_path, missed("e1", "2025-03-01T16:30:00Z"), rules=rules, out="utc").closes == [
        "2025-03-02"
    ]


def test_a_line_that_cannot_be_used_closes_nothing(tmp_path, rules):
    ran = replayed_records(tmp_path, missed("e1", "2025-03-01"), paid("e2", "2025-03-09", amount_minor=0), rules=rules)
    assert (ran.closes, ran.reasons) == (["2025-03-01"], ["bad_field"])


def test_a_file_of_unusable_lines_alone_has_no_day(tmp_path, rules):
    ran = replayed_records(tmp_path, b"{", rules=rules)
    assert (ran.code, ran.closes, ran.reasons) == (0, [], ["not_json"])
    assert (ran.summary["as_of"], ran.lines("profiles.jsonl")) == (None, [])


# -- a file with day.ended --------------------------------------------------


def test_a_file_with_a_day_ended_closes_days_by_these_alone(tmp_path, rules):
    #  e1 on the 1st ── e2, of the 3rd, waits for its day ── day.ended of the 1st ── end: the 2nd stays open
    ran = replayed_records(
        tmp_path,
        missed("e1", "2025-03-01", loan_id="L1"),
        missed("e2", "2025-03-03", loan_id="L2"),
        day_ended("2025-03-01"),
        rules=rules,
    )
    assert spoken(ran) == [("at-once", "e1")]
    assert ran.closes == ["2025-03-01"] and ran.summary["as_of"] == "2025-03-01"
    assert [each["why"] for each in ran.summary["waiting_events"]] == ["early"]


def test_an_event_of_a_later_date_is_judged_right_after_the_close_before_it(tmp_path, rules):
    ran = replayed_records(
        tmp_path,
        missed("e2", "2025-03-02", loan_id="L2"),
        missed("e1", "2025-03-01", loan_id="L1"),
        day_ended("2025-03-01"),
        day_ended("2025-03-02"),
        rules=rules,
    )
    assert spoken(ran) == [
        ("at-once", "e1"),
        ("at-once", "e2"),
        ("next-day", "2025-03-02"),  # L1: since the 1st; L2 is true only since the 2nd
    ]


def test_what_came_early_is_judged_before_anything_else_of_its_day(tmp_path, rules):
    ran = replayed_records(
        tmp_path,
        missed("early", "2025-03-02T20:00:00+08:00", loan_id="L2"),
        day_ended("2025-03-01"),
        missed("in-time", "2025-03-02T08:00:00+08:00", loan_id="L3"),
        rules=rules,
    )
    assert spoken(ran) == [("at-once", "early"), ("at-once", "in-time")]


def test_what_came_early_for_the_day_after_the_last_close_is_judged_at_the_end(tmp_path, rules):
    ran = replayed_records(tmp_path, missed("e1", "2025-03-02"), day_ended("2025-03-01"), rules=rules)
    assert spoken(ran) == [("at-once", "e1")]
    assert ran.records("alerts.jsonl")[0]["business_date"] == "2025-03-02"
    assert ran.summary["waiting"] == 0


def test_a_repeated_day_ended_is_ignored(tmp_path, rules):
    records = [missed("e1", "2025-03-01"), day_ended("2025-03-01"), day_ended("2025-03-02")]
    once = replayed_records(tmp_path, *records, rules=rules)
    twice = replayed_records(
        tmp_path,
        *records,
        day_ended("2025-03-01"),
        day_ended("2025-03-02", repayment="missing"),
        rules=rules,
        out="twice",
    )
    assert twice.closes == once.closes == ["2025-03-01", "2025-03-02"]
    assert twice.lines("alerts.jsonl") == once.lines("alerts.jsonl")
    assert twice.lines("profiles.jsonl") == once.lines("profiles.jsonl")


def test_days_between_two_day_ended_close_in_order(tmp_path, rules):
    ran = replayed_records(
        tmp_path, missed("e1", "2025-02-27"), day_ended("2025-02-27"), day_ended("2025-03-02"), rules=rules
    )
    assert ran.closes == ["2025-02-27", "2025-02-28", "2025-03-01", "2025-03-02"]
    assert spoken(ran) == [("at-once", "e1"), ("next-day", "2025-02-28")]


def test_a_feed_is_missing_on_the_named_day_alone_and_not_on_those_filled_in(tmp_path, rules):
    #  28 Feb: filled in, the repayment feed is there. 1 March: missing, unknown breaks `for` of what is still pending.
    filled = [missed("e1", "2025-02-27"), day_ended("2025-02-27"), day_ended("2025-03-01", repayment="missing")]
    assert spoken(replayed_records(tmp_path, *filled, rules=rules)) == [("at-once", "e1"), ("next-day", "2025-02-28")]
    named = [missed("e1", "2025-02-27"), day_ended("2025-02-27"), day_ended("2025-02-28", repayment="missing")]
    ran = replayed_records(tmp_path, *named, day_ended("2025-03-01"), day_ended("2025-03-02"), rules=rules, out="named")
    #  27 pending ── 28 unknown, broken ── 1 pending again ── 2 one full day
    assert spoken(ran) == [("at-once", "e1"), ("next-day", "2025-03-02")]


def test_a_day_ended_that_spells_its_type_with_an_escape_closes_days_too(tmp_path, rules):
    ran = replayed_records(
        tmp_path,
        missed("e1", "2025-03-01"),
        missed("e2", "2025-03-03"),
        rb'{"type":"day\u002eended","date":"2025-03-01"}',
        rules=rules,
    )
    assert ran.closes == ["2025-03-01"]


def test_a_broken_day_ended_is_a_dead_letter_and_does_not_turn_a_file_into_one_that_closes_by_records(tmp_path, rules):
    ran = replayed_records(tmp_path, missed("e1", "2025-03-01"), day_ended("2025-02-30"), rules=rules)
    assert (ran.reasons, ran.closes) == (["bad_field"], ["2025-03-01"])


# -- several files ----------------------------------------------------------


def order_of(tmp_path, rules, *files: list) -> list[str]:
    """The ids of misses of several loans in the order in which they were decided; each file is a list of records."""
    paths = [written(tmp_path / f"file-{n}.jsonl", *records) for n, records in enumerate(files)]
    ran = replayed(*paths, rules=rules)
    assert ran.code == 0
    return [alert["cause"]["id"] for alert in ran.records("alerts.jsonl") if "id" in alert["cause"]]


def miss(event_id: str, at: str, **own: str) -> dict:
    return missed(event_id, at, loan_id=f"L-{event_id}", **own)


def test_files_are_merged_by_date_then_instant(tmp_path, rules):
    first = [miss("b", "2025-03-01T09:00:00+08:00"), miss("d", "2025-03-02T09:00:00+08:00")]
    second = [
        miss("a", "2025-03-01T08:00:00+08:00"),
        # An instant of the 2nd, but still of the business date 1: it goes before d, and before the day closes.
        miss("c", "2025-03-02T10:00:00+08:00", business_date="2025-03-01"),
    ]
    assert order_of(tmp_path, rules, first, second) == ["a", "b", "c", "d"]
    assert order_of(tmp_path, rules, second, first) == ["a", "b", "c", "d"]


def test_files_are_merged_by_topic_rank_within_an_instant_and_by_id_within_a_rank(tmp_path):
    rules = shelf(
        tmp_path / "ranks",
        seen={
            "per": "borrower_id",
            "measure": {
                name: {"count": event, "over": "9d"}
                for name, event in (
                    ("missed", "repayment.missed"),
                    ("debits", "account.debit"),
                    ("inquiries", "external.inquiry"),
                    ("warnings", "connected.warned"),
                    ("calls", "contact.held"),
                    ("watches", "watch.added"),
                )
            },
            "when": "missed > 0 or debits > 0 or inquiries > 0 or warnings > 0 or calls > 0 or watches > 0",
        },
    )
    at = "2025-03-01T09:00:00+08:00"
    warned = {"about": "B1", "kind": "group", "severity": "low", "rule": "r", "episode": "r/B1/1"}
    ranked = [  # ids fall while ranks rise, so that the id alone would turn the order round
        told("f", "repayment.missed", at, borrower_id="B1", loan_id="L1"),
        told("e", "account.debit", at, borrower_id="B2", account_id="A2", amount_minor=1),
        told("d", "external.inquiry", at, borrower_id="B3"),
        told("c", "connected.warned", at, borrower_id="B4", **warned),
        told("b", "contact.held", at, borrower_id="B5", channel="phone"),
        told("a", "watch.added", at, borrower_id="B6", by="officer"),
        told("a2", "watch.added", at, borrower_id="B7", by="officer"),
    ]
    assert order_of(tmp_path, rules, *([each] for each in reversed(ranked))) == ["f", "e", "d", "c", "b", "a", "a2"]


def test_only_heads_are_compared_so_a_file_keeps_its_own_order(tmp_path, rules):
    #  file 0: 09:00 a, then 07:00 b behind it.  file 1: 08:00 c.  Heads: c before a; b only after a.
    first = [miss("a", "2025-03-01T09:00:00+08:00"), miss("b", "2025-03-01T07:00:00+08:00")]
    second = [miss("c", "2025-03-01T08:00:00+08:00")]
    assert order_of(tmp_path, rules, first, second) == ["c", "a", "b"]


def test_a_line_that_cannot_be_used_is_taken_as_soon_as_it_is_a_head(tmp_path, rules):
    #  Behind the broken line of the first file stands the 1st; it must not come after the 2nd of the other file.
    assert order_of(tmp_path, rules, [b"{", miss("a", "2025-03-01")], [miss("b", "2025-03-02")]) == ["a", "b"]


def test_a_day_ended_in_one_file_closes_the_days_of_all_after_the_last_event_of_its_date(tmp_path, rules):
    core = written(
        tmp_path / "core.jsonl", missed("e1", "2025-03-01"), missed("e2", "2025-03-01T23:59:59+08:00", loan_id="L2")
    )
    ends = written(tmp_path / "ends.jsonl", day_ended("2025-03-01"), day_ended("2025-03-02"))
    ran = replayed(ends, core, rules=rules)
    assert spoken(ran)[:2] == [("at-once", "e1"), ("at-once", "e2")]
    assert ran.closes == ["2025-03-01", "2025-03-02"]


def test_the_same_file_twice_changes_no_decision(tmp_path, rules):
    file = written(tmp_path / "core.jsonl", missed("e1", "2025-03-01"), missed("e2", "2025-03-03", loan_id="L2"))
    once, twice = replayed(file, rules=rules), replayed(file, file, rules=rules, out="twice")
    assert twice.lines("alerts.jsonl") == once.lines("alerts.jsonl") != []
    assert twice.reasons == []


def test_two_files_of_one_name_are_told_apart_by_their_folders(tmp_path, rules, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("core", "cards"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder / "day.jsonl", b"{")
    ran = replayed(Path("core/day.jsonl"), Path("cards/day.jsonl"), rules=rules)
    assert [each["source"] for each in ran.records("dead-letters.jsonl")] == [
        {"file": "core/day.jsonl", "line": 1},
        {"file": "cards/day.jsonl", "line": 1},
    ]
