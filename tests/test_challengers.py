"""Challengers beside their rules: a shadow tells nobody, and what a challenger does otherwise is told by both ways.

day           1 March      5          10           15          20          25
B17                        miss ───── miss ─────── ─ ─ ─ ─ ─ ─ defaults
B18                                   miss ─────── miss
late          alerts       B17        B18
late.next                             B17          B18
"""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.shells.challengers.texts import WORDS
from pipeline.shells.publishing.shelves import REGISTER
from rules.laws import most_in_shadow
from tests.arrival_logs import COUNTS_MISSES, Ran, Told, day_ended, forewarn, missed, replayed, shelf, told, written
from tests.registers import published

TASK = {"queue": "care", "action": "call", "due_in": "2d"}
LATE: Told = COUNTS_MISSES | {"task": TASK, "spreads": ["group"]}
NEXT: Told = LATE | {"challenges": "late", "status": "shadow"}
NAME = "late.next"
DAY = "2025-03-10"  # on which the shelf was published


def events() -> list[Told]:
    return [
        told("l", "relation.set", "2025-03-01", kind="group", related_id="B30"),
        missed("m1", "2025-03-05"),
        missed("m2", "2025-03-10"),
        missed("m3", "2025-03-10", borrower_id="B18", loan_id="L8"),
        missed("m4", "2025-03-15", borrower_id="B18", loan_id="L8"),
        told("d1", "loan.defaulted", "2025-03-20", loan_id="L4"),
        told("e", "account.overdrawn", "2025-03-25", account_id="A1", borrower_id="B21"),
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return written(tmp_path / "events.jsonl", *events())


def rules(folder: Path, **own: Any) -> Path:
    """A rule and its challenger, which asks for two misses unless it says otherwise."""
    return shelf(folder / "rules", late=LATE, **{NAME: NEXT | {"when": "missed >= 2"} | own})


def said_by(*words: str | Path) -> list[dict[str, Any]]:
    ran = forewarn("rules", "challengers", *words, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(ran.out)["challengers"]
    return found


def moved(duel: dict[str, Any]) -> dict[str, list[str]]:
    """Ids by list, of others in small letters."""
    both = duel["compared"]["moved"]
    names = ("newly", "no_longer", "earlier", "later")
    return {
        name: [each["borrower_id"] for each in both["defaulters"][name]]
        + [each["borrower_id"].lower() for each in both["others"][name]]
        for name in names
    }


# -- a shadow tells nobody -----------------------------------------------------------------


def test_a_rule_in_shadow_decides_as_a_live_one_and_tells_nobody(log, tmp_path):
    live, shadow = (
        replayed(log, rules=shelf(tmp_path / status, late=LATE | {"status": status}), out=f"out-{status}")
        for status in ("live", "shadow")
    )

    def warnings(ran: Ran) -> list[str]:  # A default warns whatever the rules say.
        return [each["rule"] for each in ran.records("connected.jsonl") if each["rule"] != "loan.defaulted"]

    assert live.alerts and live.lines("collection-tasks.jsonl") and warnings(live) == ["late"]
    assert shadow.alerts == shadow.lines("collection-tasks.jsonl") == warnings(shadow) == []
    assert [each["id"] for each in shadow.records("shadow.jsonl")] == live.alerts
    assert live.lines("shadow.jsonl") == []


def test_a_challenger_changes_nothing_of_what_its_rule_tells(log, tmp_path):
    alone = replayed(log, rules=shelf(tmp_path / "alone", late=LATE), out="alone")
    beside = replayed(log, rules=rules(tmp_path), out="beside")
    for name in ("collection-tasks.jsonl", "connected.jsonl"):
        assert beside.lines(name) == alone.lines(name) != []
    assert beside.alerts == alone.alerts


# -- what differs --------------------------------------------------------------------------


@pytest.fixture(params=["record", "engine", "events", "log of an engine"])
def way(request, log: Path, tmp_path: Path) -> Any:
    """The words that name where challengers are compared: the same comes of all."""

    def words(folder: Path) -> tuple[str | Path, ...]:
        if request.param == "record":
            return ("--from", replayed(log, rules=folder, out="replay").folder)
        if request.param == "events":
            return ("--over", log, "--rules", folder)
        closed = written(tmp_path / "closed.jsonl", *events(), day_ended("2025-03-25"))
        data = tmp_path / "data"
        ran = forewarn("backfill", closed, "--until", "2025-03-25", "--data", data, "--rules", folder)
        assert ran.code == 0
        return ("--from" if request.param == "engine" else "--over", data)

    return words


def test_a_challenger_is_compared_with_its_rule(way, tmp_path):
    [duel] = said_by(*way(rules(tmp_path, since="2025-02-01", title="Twice")))
    assert (duel["rule"], duel["challenges"], duel["challenges_status"]) == (NAME, "late", "live")
    assert (duel["status"], duel["since"], duel["days"], duel["first_said"]) == (
        "shadow",
        "2025-02-01",
        52,
        "2025-03-10",
    )
    assert (duel["first_day"], duel["as_of"]) == ("2025-03-01", "2025-03-25")
    assert duel["fields"] == [{"path": "when", "before": "missed >= 1", "after": "missed >= 2"}]
    assert duel["says"]["en"] == "when: `missed >= 1` to `missed >= 2`; words changed: title"
    assert moved(duel) == {"newly": [], "no_longer": [], "earlier": [], "later": ["B17", "b18"]}
    figures = duel["compared"]["figures"]
    assert "tasks_per_1000_and_month" not in figures
    lead = figures["lead_median_days_both"]
    assert (lead["before"], lead["after"], lead["difference"]) == (15, 10, -5)
    assert figures["alerts_per_1000_and_month"]["difference"] == 0


def test_a_challenger_that_is_its_rule_but_for_its_status_shows_no_difference(way, tmp_path):
    [duel] = said_by(*way(rules(tmp_path, when=LATE["when"], since="2025-02-01")))
    assert (duel["fields"], duel["words"]) == ([], [])
    assert (duel["says"]["en"], duel["says"]["zh"]) == ("nothing differs", "没有差别")
    assert not any(moved(duel).values())
    for each in duel["compared"]["figures"].values():
        assert (each["difference"], each["low"], each["high"]) == (0, 0, 0) and each["of_before"] > 0


def test_a_draft_is_compared_over_events_and_has_no_record(log, tmp_path):
    folder = rules(tmp_path, status="draft")
    [duel] = said_by("--over", log, "--rules", folder)
    assert (duel["status"], duel["days"]) == ("draft", None) and moved(duel)["later"] == ["B17", "b18"]
    record = replayed(log, rules=folder, out="replay").folder
    assert one_sentence(forewarn("rules", "challengers", "--from", record)).startswith(
        "expected a challenger (RULE.next"
    )


def test_two_days_may_be_named(log, tmp_path):
    folder = rules(tmp_path)
    record = replayed(log, rules=folder, out="replay").folder
    for words in (("--from", record), ("--over", log, "--rules", folder)):
        [duel] = said_by(*words, "--since", "2025-03-12", "--until", "2025-03-18")
        assert (duel["first_day"], duel["as_of"]) == ("2025-03-12", "2025-03-18")
    # What was open on the first day counts for both from then on.
    [duel] = said_by("--from", record, "--since", "2025-03-12")
    assert moved(duel) == {"newly": [], "no_longer": [], "earlier": [], "later": ["b18"]}


def test_alerts_that_were_open_when_a_challenger_came_are_no_difference(log, tmp_path):
    """Its file says since when; what it would have said before is in no engine's record."""
    record = replayed(log, rules=rules(tmp_path, when=LATE["when"], since="2025-03-12"), out="replay").folder
    said = (record / "shadow.jsonl").read_bytes().splitlines()
    came = [line.replace(b"2025-03-05", b"2025-03-12").replace(b"2025-03-10", b"2025-03-12") for line in said]
    (record / "shadow.jsonl").write_bytes(b"\n".join(came) + b"\n")
    [duel] = said_by("--from", record)
    assert (duel["first_day"], duel["first_said"], duel["days"]) == ("2025-03-12", "2025-03-12", 13)
    assert not any(moved(duel).values())
    assert duel["compared"]["figures"]["alerts_per_1000_and_month"]["difference"] == 0
    assert duel["compared"]["figures"]["alerts_per_1000_and_month"]["before"] > 0


def test_a_challenger_that_was_published_is_compared_from_that_day_on(log, tmp_path):
    """Until then no record could have it, whatever its file says; and what is published after it counts no more."""
    alone = shelf(tmp_path / "alone", late=LATE)
    folder = rules(tmp_path, when=LATE["when"])
    bundle = published(tmp_path, folder)
    came = {"type": "shelf.published", "at": "2025-03-10T23:00:00+08:00", "author": "anna", "approver": "ben"}
    lines = log.read_bytes().splitlines()
    history = written(tmp_path / "history.jsonl", *lines[:4], came | {"hash": bundle}, *lines[4:])
    words = ("--rules", alone, "--register", tmp_path / REGISTER, "--out", tmp_path / "out", "--quiet")
    assert forewarn("replay", history, *words).code == 0
    [duel] = said_by("--from", tmp_path / "out")
    assert (duel["since"], duel["first_day"], duel["first_said"]) == ("2025-01-01", DAY, DAY)
    assert not any(moved(duel).values()) and duel["compared"]["figures"]["alerts_per_1000_and_month"]["before"] > 0


def test_the_truth_may_stand_in_a_file(log, tmp_path):
    truth = tmp_path / "truth.csv"
    truth.write_text("borrower_id,cause,began_on,defaulted_on\nB18,,,2025-03-24\n")
    record = replayed(log, rules=rules(tmp_path), out="replay").folder
    for words in (("--from", record), ("--over", log, "--rules", tmp_path / "rules")):
        [duel] = said_by(*words, "--truth", truth)
        assert moved(duel)["later"] == ["B18", "b17"]


def test_one_challenger_is_named_by_its_name_or_by_its_rule(log, tmp_path):
    folder = shelf(rules(tmp_path), other=LATE, **{"other.next": NEXT | {"challenges": "other"}})
    assert [each["rule"] for each in said_by("--over", log, "--rules", folder)] == [NAME, "other.next"]
    for name in ("other", "other.next"):
        assert [each["rule"] for each in said_by(name, "--over", log, "--rules", folder)] == ["other.next"]


# -- what is said ------------------------------------------------------------------------


def test_the_tables_say_how_long_it_was_tried_and_what_differs(log, tmp_path):
    ran = forewarn("rules", "challengers", "--over", log, "--rules", rules(tmp_path, since="2025-02-01"))
    assert (ran.code, ran.err) == (0, "")
    said = " ".join(ran.out.split())
    assert f"{NAME} challenges late (live): in shadow since 2025-02-01, 52 days; first alert on 2025-03-10" in said
    assert "when: `missed >= 1` to `missed >= 2`" in said and "│ 1 / 1, 5 d │" in said
    draft = forewarn("rules", "challengers", "--over", log, "--rules", rules(tmp_path, status="draft"))
    assert "a draft: it decides nothing yet" in draft.out


def test_it_speaks_chinese(log, tmp_path):
    ran = forewarn("rules", "challengers", "--over", log, "--rules", rules(tmp_path), "--lang", "zh")
    assert ran.code == 0 and f"{NAME} 挑战 late（live）：自 2025-01-01 起为影子规则" in ran.out.replace("\n", "")
    assert {name for name, text in WORDS["en"].items() if text in ran.out and len(text) > 12} == set()


def test_both_languages_have_every_text_with_the_same_slots():
    slots = {
        lang: {name: sorted(part.split("}")[0] for part in text.split("{")[1:]) for name, text in words.items()}
        for lang, words in WORDS.items()
    }
    assert slots["en"] == slots["zh"]


def one_sentence(ran: Ran) -> str:
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    return ran.err.rstrip("\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected what was said by --from, or events by --over, got neither; name one of them"),
        (["--from", "X", "--over", "LOG"], "expected what was said by --from, or events by --over, got both"),
        (["--from", "nowhere"], "nowhere: expected a folder that a replay wrote, got nothing there"),
        (["--from", "RECORD", "--rules", "RULES"], "--rules: expected it with --over, got it with --from"),
        (["--over", "LOG", "--rules", "RULES", "--processes", "0"], "--processes: expected a whole number from 1 on"),
        (["--over", "nowhere"], "nowhere: expected an event file, got nothing there"),
        (["--from", "RECORD", "--since", "soon"], "--since: expected a date such as 2025-03-05, got 'soon'"),
        (
            ["--from", "RECORD", "--since", "2025-04-01"],
            "--since: expected a day of the record, 2025-03-01 to 2025-03-25, got 2025-04-01",
        ),
        (
            ["--over", "LOG", "--rules", "RULES", "--since", "2025-04-01"],
            "--since: expected a day up to 2025-03-25, the last that the events close, got 2025-04-01",
        ),
        (["nobody", "--from", "RECORD"], "expected a challenger, or a rule that has one, named 'nobody'"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(log, tmp_path, words, said):
    record = replayed(log, rules=rules(tmp_path), out="replay").folder
    places = {"LOG": log, "RECORD": record, "RULES": tmp_path / "rules"}
    assert one_sentence(forewarn("rules", "challengers", *(places.get(word, word) for word in words))).startswith(said)


def test_a_record_without_what_was_said_in_shadow_is_one_sentence(log, tmp_path):
    record = replayed(log, rules=rules(tmp_path), out="replay").folder
    (record / "shadow.jsonl").unlink()
    said = one_sentence(forewarn("rules", "challengers", "--from", record))
    assert said == f"{record}: expected the shadow.jsonl of a replay, got a folder without it; replay again"


# -- laws of the shelf -------------------------------------------------------------------


def faults(folder: Path) -> list[str]:
    """The faults of a status; that these rules add nothing beside each other is no matter here."""
    found = json.loads(forewarn("rules", "check", folder, "--format", "json").out)["faults"]
    return [f"{Path(each['file']).name}: {each['message']}" for each in found if each["path"] == "status"]


def crowd(folder: Path, live: int, shadow: int) -> Path:
    own = {f"live-{n}": COUNTS_MISSES for n in range(live)}
    own |= {f"shadow-{n}": COUNTS_MISSES | {"status": "shadow", "since": f"2025-01-{20 - n:02}"} for n in range(shadow)}
    rest = {"dropped": {"status": "draft"}, "old": {"status": "retired", "retired_because": "it was dull"}}
    return shelf(folder, **own, **{name: COUNTS_MISSES | each for name, each in rest.items()})


@pytest.mark.parametrize(("live", "shadow"), [(0, 1), (3, 1), (8, 2), (9, 2), (4, 1)])
def test_a_fifth_of_what_decides_may_be_in_shadow(tmp_path, live, shadow):
    assert faults(crowd(tmp_path, live, shadow)) == []


@pytest.mark.parametrize(("live", "shadow", "most"), [(0, 2, 1), (7, 2, 1), (11, 3, 2)])
def test_more_than_a_fifth_in_shadow_is_told_at_the_rule_that_is_there_longest(tmp_path, live, shadow, most):
    assert faults(crowd(tmp_path, live, shadow)) == [
        f"shadow-{shadow - 1}.yaml: expected at most {most} of {live + shadow} deciding rules in shadow "
        f"(a fifth), got {shadow}; let this one, in shadow since 2025-01-{21 - shadow}, go live, or retire it"
    ]


def test_never_more_than_a_fifth_but_where_there_are_fewer_than_five():
    for deciding in range(5, 500):
        assert most_in_shadow(deciding) * 5 <= deciding < (most_in_shadow(deciding) + 1) * 5
    assert {most_in_shadow(deciding) for deciding in range(1, 5)} == {1}


def test_a_challenger_does_not_go_live_beside_its_rule(tmp_path):
    assert faults(rules(tmp_path, status="live")) == [
        f"{NAME}.yaml: expected a challenger in shadow, or a draft, got live; it goes live when 'late' takes its fields"
    ]
