"""Warnings to connected borrowers: whom an opening or a default warns, when they hear of it, and what keeps it away."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.shells.embedded.records import LOG
from pipeline.shells.embedded.retaking import Asked, retake
from tests.arrival_logs import Ran, Told, as_line, day_ended, forewarn, missed, replayed_records, shelf, told, written
from tests.embedded_engines import compiled, exported, failing, opened, stored, taken

LATE: Told = {
    "per": "loan_id",
    "measure": {"missed": {"count": "repayment.missed", "over": "60d"}},
    "when": "missed >= 1",
    "severity": "high",
    "spreads": ["guaranteed", "group"],
}
WARNED: Told = {
    "per": "borrower_id",
    "measure": {"warnings": {"count": "connected.warned", "over": "30d"}},
    "when": "warnings >= 1",
}


def tied(kind: str, to: str, at: str = "2025-03-01", /, **own: Any) -> Told:
    """B17 says what another borrower is to it."""
    return told(f"tie-{kind}-{to}-{at}", "relation.set", at, kind=kind, related_id=to, **own)


def rules(folder: Path, **changes: Told) -> Path:
    return shelf(folder / "rules", **{"late": LATE | changes.get("late", {}), "warned": WARNED} | changes)


def sent(ran: Ran) -> list[tuple[str, str]]:
    """To whom warnings went, and what the sender is to them."""
    return [(each["borrower_id"], each["kind"]) for each in ran.records("connected.jsonl")]


def openings(ran: Ran) -> list[tuple[str, str]]:
    return [(each["episode"], each["at"]) for each in ran.records("alerts.jsonl") if each["transition"] == "opened"]


def test_an_opening_warns_along_the_named_ties_and_the_receiver_measures_it(tmp_path):
    ties = [tied(kind, f"B-{kind}") for kind in ("guarantor", "guaranteed", "group", "spouse", "employer")]
    ran = replayed_records(tmp_path, *ties, missed("m1", "2025-03-05T10:00:00+08:00"), rules=rules(tmp_path))
    assert [json.loads(line) for line in ran.lines("connected.jsonl")] == [
        {
            "type": "connected.warned",
            "id": f"late/L4/1/warned/{kind}/B-{kind}",
            "source": "forewarn",
            "at": "2025-03-05T10:00:00+08:00",
            "borrower_id": f"B-{kind}",
            "about": "B17",
            "kind": seen_as,
            "severity": "high",
            "rule": "late",
            "episode": "late/L4/1",
        }
        for kind, seen_as in (("group", "group"), ("guaranteed", "guarantor"))
    ]
    at = "2025-03-05T10:00:00+08:00"
    assert openings(ran) == [("late/L4/1", at), ("warned/B-group/1", at), ("warned/B-guaranteed/1", at)]
    [alert] = [each for each in ran.records("alerts.jsonl") if each["borrower_id"] == "B-group"]
    assert alert["cause"] == {
        "type": "connected.warned",
        "id": "late/L4/1/warned/group/B-group",
        "source": "forewarn",
    }
    assert ran.summary["warnings"] == 2


@pytest.mark.parametrize("receiver", ["B1", "B99"], ids=["looked at before the sender", "looked at after it"])
def test_what_a_close_brings_others_hear_of_on_the_next_day(tmp_path, receiver):
    """`for: 1d` ends at the close of the 6th; the receiver's alert is of the 7th."""
    records = [
        tied("group", receiver),
        told("o1", "account.overdrawn", "2025-03-01", account_id="A1", borrower_id=receiver),
        missed("m1", "2025-03-05"),
        told("o2", "account.overdrawn", "2025-03-07", account_id="A1"),
    ]
    ran = replayed_records(tmp_path, *records, rules=rules(tmp_path, late={"for": "1d"} | LATE))
    assert openings(ran) == [
        ("late/L4/1", "2025-03-06T23:59:59.999+08:00"),
        (f"warned/{receiver}/1", "2025-03-07T00:00:00+08:00"),
    ]
    [alert] = [each for each in ran.records("alerts.jsonl") if each["borrower_id"] == receiver]
    assert alert["business_date"] == "2025-03-07"


def test_what_the_last_close_brings_still_waits_for_its_day(tmp_path):
    records = [tied("group", "B1"), missed("m1", "2025-03-05")]
    ran = replayed_records(tmp_path, *records, rules=rules(tmp_path, late={"for": "0d"} | LATE))
    assert ran.summary["waiting"] == 0
    silent = {"measure": {"silent": {"days_since": "repayment.missed"}}, "when": "silent >= 1"}
    records.append(told("o2", "account.overdrawn", "2025-03-06", account_id="A1"))
    ran = replayed_records(tmp_path, *records, rules=rules(tmp_path, late=LATE | silent), out="silent")
    assert openings(ran) == [("late/L4/1", "2025-03-06T23:59:59.999+08:00")]
    assert [(each["borrower_id"], each["why"]) for each in ran.summary["waiting_events"]] == [("B1", "early")]


@pytest.mark.parametrize(
    ("ties", "goes_to"),
    [
        ([tied("group", "B1"), tied("group", "B1", "2025-03-02", ended=True)], []),
        ([tied("group", "B1", ended=True), tied("group", "B1", "2025-03-02")], [("B1", "group")]),
        ([tied("group", "B1"), tied("guaranteed", "B1", "2025-03-02", ended=True)], [("B1", "group")]),
        ([tied("group", "B1"), tied("guaranteed", "B1")], [("B1", "group"), ("B1", "guarantor")]),
        ([tied("group", "B17")], []),  # oneself
        ([tied("group", "B1", "2025-03-06")], []),  # not yet
        ([tied("group", "B1", "2023-11-01")], [("B1", "group")]),  # older than any event is kept
    ],
)
def test_a_tie_holds_from_its_word_until_its_end_whatever_comes_first(tmp_path, ties, goes_to):
    first = [told("o1", "account.overdrawn", "2023-10-01", account_id="A1")]
    days = [day_ended("2025-03-04"), missed("m1", "2025-03-05"), day_ended("2025-03-05")]
    ran = replayed_records(tmp_path, *first, *ties, *days, rules=rules(tmp_path))
    assert ran.reasons == []
    assert sent(ran) == goes_to


@pytest.mark.parametrize("is_late", [False, True])
def test_the_word_of_the_later_date_counts_and_not_the_one_that_comes_later(tmp_path, is_late):
    words = [tied("group", "B1"), tied("group", "B1", "2025-03-02", ended=True)]
    first = [told("o1", "account.overdrawn", "2025-03-01", account_id="A1"), day_ended("2025-03-03")]
    days = [missed("m1", "2025-03-04"), day_ended("2025-03-04")]
    ran = replayed_records(tmp_path, *first, *(reversed(words) if is_late else words), *days, rules=rules(tmp_path))
    assert (ran.reasons, sent(ran)) == ([], [])


def test_a_default_warns_the_guaranteed_and_the_group_once_a_loan(tmp_path):
    ties = [tied(kind, f"B-{kind}") for kind in ("guarantor", "guaranteed", "group", "spouse", "employer")]
    defaults = [
        told(f"d{n}", "loan.defaulted", f"2025-03-0{n}", loan_id=loan) for n, loan in ((5, "L4"), (6, "L5"), (7, "L4"))
    ]
    late_word = told("d0", "loan.defaulted", "2025-03-02", loan_id="L4")
    ran = replayed_records(tmp_path, *ties, *defaults, late_word, rules=rules(tmp_path))
    got = [
        (each["id"], each["severity"], each["rule"], each["episode"], each["at"])
        for each in ran.records("connected.jsonl")
    ]
    assert got == [
        (
            f"loan.defaulted/{loan}/1/warned/{kind}/B-{kind}",
            "critical",
            "loan.defaulted",
            f"loan.defaulted/{loan}/1",
            f"2025-03-0{day}T09:00:00+08:00",
        )
        for loan, day in (("L4", 5), ("L5", 6))
        for kind in ("group", "guaranteed")
    ]


def test_a_warning_never_spreads_twice(tmp_path):
    ties = [tied("group", "B1"), tied("group", "B2") | {"borrower_id": "B1"}]
    spreading = rules(tmp_path, warned=WARNED | {"spreads": ["group"]})
    ran = replayed_records(tmp_path, *ties, missed("m1", "2025-03-05"), rules=spreading)
    assert sent(ran) == [("B1", "group")]
    assert [episode for episode, _ in openings(ran)] == ["late/L4/1", "warned/B1/1"]
    checked = forewarn("rules", "check", spreading)
    assert checked.code == 1
    assert "warned.yaml" in checked.out + checked.err
    assert "a warning never spreads twice" in " ".join((checked.out + checked.err).split())


def test_a_rule_in_shadow_warns_nobody(tmp_path):
    records = [tied("group", "B1"), missed("m1", "2025-03-05")]
    ran = replayed_records(tmp_path, *records, rules=rules(tmp_path, late=LATE | {"status": "shadow"}))
    assert len(ran.lines("shadow.jsonl")) == 1
    assert (sent(ran), openings(ran)) == ([], [])


def test_a_muted_alert_warns_when_it_is_told(tmp_path):
    frozen = {"per": "borrower_id", "measure": {"n": {"count": "account.frozen", "over": "3d"}}, "when": "n >= 1"}
    records = [
        tied("group", "B1"),
        told("f1", "account.frozen", "2025-03-04", account_id="A1"),
        missed("m1", "2025-03-05"),
        told("o1", "account.overdrawn", "2025-03-08", account_id="A1"),
    ]
    ran = replayed_records(
        tmp_path, *records, rules=rules(tmp_path, late=LATE | {"inhibited_by": ["frozen"]}, frozen=frozen)
    )
    # The freeze leaves its window of three days at the close of the 7th.
    assert openings(ran) == [
        ("frozen/B17/1", "2025-03-04T09:00:00+08:00"),
        ("late/L4/1", "2025-03-07T23:59:59.999+08:00"),
        ("warned/B1/1", "2025-03-08T00:00:00+08:00"),
    ]


def test_a_log_that_holds_the_warnings_already_says_the_same(tmp_path):
    records = [tied("group", "B1"), missed("m1", "2025-03-05")]
    ran = replayed_records(tmp_path, *records, rules=rules(tmp_path))
    again = replayed_records(tmp_path, *records, *ran.lines("connected.jsonl"), rules=tmp_path / "rules", out="again")
    assert len(openings(ran)) == 2
    for name in ("alerts.jsonl", "connected.jsonl", "dead-letters.jsonl"):
        assert again.lines(name) == ran.lines(name)


def test_a_held_alert_warns_nobody(tmp_path):
    records = [tied("group", "B1"), *(missed(f"m{n}", "2025-03-05", loan_id=f"L{n}") for n in (4, 5))]
    log = written(tmp_path / "log.jsonl", *records)
    folder = rules(tmp_path, late=LATE | {"daily_openings": 1})
    words = ["replay", log, "--rules", folder, "--out", tmp_path / "out", "--storm-guard", "--quiet"]
    ran = forewarn(*words, folder=tmp_path / "out")
    assert [each["id"] for each in ran.records("connected.jsonl")] == ["late/L4/1/warned/group/B1"]
    assert [each["id"] for each in ran.records("held.jsonl")] == [
        "late/L5/1/opened",
        "late/L5/1/warned/group/B1",
    ]
    [receiver] = [each for each in ran.records("profiles.jsonl") if each["borrower_id"] == "B1"]
    assert receiver["measures"]["warned"]["B1"]["warnings"] == 1


def lines_of(*records: Told) -> list[bytes]:
    return [as_line(record) for record in records]


SENDS = lines_of(
    told("o1", "account.overdrawn", "2025-03-01", account_id="A1", borrower_id="B1"),
    tied("group", "B1"),
    day_ended("2025-03-04"),
    missed("m1", "2025-03-05"),
    day_ended("2025-03-05"),
    told("o2", "account.overdrawn", "2025-03-06", account_id="A1", borrower_id="B1"),
)


BY_CLOSE: Told = LATE | {
    "per": "borrower_id",
    "measure": {"tied": {"days_since": "relation.set"}},
    "when": "tied >= 4",  # at the close of the 5th
}


@pytest.mark.parametrize(("late", "key"), [(LATE, "L4"), (BY_CLOSE, "B17")], ids=["at an event", "at a close"])
@pytest.mark.parametrize("batch", [1, 100])
def test_a_warning_that_its_receiver_fails_on_waits_and_its_sender_does_not_notice(tmp_path, batch, late, key):
    whole = compiled(rules(tmp_path, late=late))
    warning = f"late/{key}/1/warned/group/B1"
    with failing(lambda who, what: what == warning), opened(tmp_path / "data", whole) as runtime:
        assert [each.status for each in taken(runtime, SENDS, batch=batch)] == [*["accepted"] * 5, "refused"]
        assert set(runtime.quarantine) == {"B1"}
        got = exported(runtime, tmp_path / "out")
        assert [each["id"] for each in got["alerts"]] == [f"late/{key}/1/opened"]
        assert [(each["reason"], json.loads(each["bytes"])["id"]) for each in got["dead-letters"]] == [
            ("fault", warning),
            ("fault", "o2"),
        ]
        query = "select borrower_id from decisions where kind = 'dead_letter'"
        assert runtime.store.database.execute(query).fetchall() == [("B1",), ("B1",)]
    with opened(tmp_path / "data", whole) as runtime:
        assert retake(runtime, Asked(reason="fault")).lifted == ["B1"]
        assert set(runtime.quarantine) == set()
        assert "warned/B1/1/opened" in [each["id"] for each in exported(runtime, tmp_path / "mended")["alerts"]]


def test_an_engine_that_broke_off_sends_no_warning_twice(tmp_path):
    """Every batch of one line in a process of its own equals all of them in one."""
    whole = compiled(rules(tmp_path))
    for raw in SENDS:
        with opened(tmp_path / "one by one", whole) as runtime:
            taken(runtime, [raw])
    with opened(tmp_path / "one by one", whole) as piecewise, opened(tmp_path / "at once", whole) as runtime:
        taken(runtime, SENDS)
        assert stored(piecewise)["decisions"] == stored(runtime)["decisions"]
        assert [each["id"] for each in exported(runtime, tmp_path / "out")["alerts"]] == [
            "late/L4/1/opened",
            "warned/B1/1/opened",
        ]
    written(tmp_path / LOG, *SENDS)
    ran = replayed_records(tmp_path, *SENDS, rules=tmp_path / "rules")
    assert (tmp_path / "out" / "connected.jsonl").read_bytes() == (ran.folder / "connected.jsonl").read_bytes()
    assert ran.lines("connected.jsonl")
