"""A backtest against other rules: who is alerted otherwise, what moved, and the laws of a paired comparison.

day   1 March      5          10           15          20          25
B17                miss L4 ── miss L4 ──── ─ ─ ─ ─ ─ ─ defaults
B18                           miss L8 ──── miss L8
B19                miss L9
B20   miss L2 ──── defaults ─ miss L2
"""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.shells.against.compare import LISTS
from pipeline.shells.against.paired import COMPARED, LEAD, LEAD_BOTH
from pipeline.shells.against.texts import WORDS
from pipeline.shells.publishing.shelves import REGISTER
from tests.arrival_logs import COUNTS_MISSES, Ran, Told, day_ended, forewarn, missed, shelf, told, written
from tests.arrival_traffic import arrival_log
from tests.arrival_traffic import rules as traffic_rules
from tests.backtests import said_by
from tests.registers import published
from tests.test_against_ref import commit, git

TASK = {"queue": "care", "action": "call", "due_in": "2d"}
ONE: Told = COUNTS_MISSES | {"task": TASK}
TWO: Told = ONE | {"when": "missed >= 2"}


def events() -> list[Told]:
    found = [
        told("l", "account.overdrawn", "2025-03-01", account_id="A1", borrower_id="B21"),
        missed("m1", "2025-03-05"),
        missed("m2", "2025-03-10"),
        missed("m3", "2025-03-10", borrower_id="B18", loan_id="L8"),
        missed("m4", "2025-03-15", borrower_id="B18", loan_id="L8"),
        missed("m5", "2025-03-05", borrower_id="B19", loan_id="L9"),
        missed("m6", "2025-03-01", borrower_id="B20", loan_id="L2"),
        told("d0", "loan.defaulted", "2025-03-05", borrower_id="B20", loan_id="L2"),
        missed("m7", "2025-03-10", borrower_id="B20", loan_id="L2"),
        told("d1", "loan.defaulted", "2025-03-20", loan_id="L4"),
        told("e", "account.overdrawn", "2025-03-25", account_id="A1", borrower_id="B21"),
    ]
    return sorted(found, key=lambda each: str(each["at"]))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return written(tmp_path / "events.jsonl", *events())


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return shelf(tmp_path / "one", late=ONE)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return shelf(tmp_path / "two", late=TWO)


def against(log: Path, before: Path | str, after: Path, *words: str | Path) -> dict[str, Any]:
    said: dict[str, Any] = said_by(log, "--rules", after, "--against", before, *words)["against"]
    return said


def lists(compared: dict[str, Any]) -> dict[str, list[str]]:
    """Ids by list, of defaulters in capitals and of others in small letters."""
    moved = compared["moved"]
    return {
        name: [each["borrower_id"] for each in moved["defaulters"][name]]
        + [each["borrower_id"].lower() for each in moved["others"][name]]
        for name in LISTS
    }


# -- who and by how much --------------------------------------------------------------


def test_who_is_alerted_otherwise_is_told_by_the_first_alert_and_defaulters_apart(log, one, two):
    said = against(log, one, two)
    expected = {
        "newly": [],
        "no_longer": ["b19"],
        "earlier": [],
        # B20 was alerted before its default on one side; B17 and it defaulted, B18 did not.
        "later": ["B17", "B20", "b18"],
    }
    assert lists(said["shelf"]) == expected
    [rule] = said["by_rule"]
    assert (rule["of"], lists(rule)) == ("late", expected)
    later = {each["borrower_id"]: each for each in said["shelf"]["moved"]["defaulters"]["later"]}
    assert later["B17"] == {
        "borrower_id": "B17",
        "before": "2025-03-05",
        "after": "2025-03-10",
        "days": 5,
        "defaulted_on": "2025-03-20",
    }
    assert later["B20"]["days"] == 9


def test_alerts_that_both_come_after_the_default_warn_of_nothing(log, tmp_path):
    never, after = (
        shelf(tmp_path / name, late=TWO | {"for": days}) for name, days in (("before", "1d"), ("after", "2d"))
    )
    moved = against(log, never, after)["shelf"]["moved"]
    assert [each["borrower_id"] for each in moved["defaulters"]["later"]] == ["B17"]
    assert {each["borrower_id"]: each["defaulted_on"] for each in moved["others"]["later"]} == {
        "B18": None,
        "B20": None,
    }


def test_the_figures_are_those_of_both_backtests_and_their_difference(log, one, two):
    said = said_by(log, "--rules", two, "--against", one)
    before = said_by(log, "--rules", one)["verdict"]["overall"]["figures"]
    after = said["verdict"]["overall"]["figures"]
    figures = said["against"]["shelf"]["figures"]
    assert set(figures) == set(COMPARED)
    for name in set(COMPARED) - {LEAD_BOTH}:
        assert (figures[name]["before"], figures[name]["after"]) == (before[name]["value"], after[name]["value"])
        assert figures[name]["difference"] == pytest.approx(after[name]["value"] - before[name]["value"], abs=2e-6)
        assert figures[name]["low"] <= figures[name]["difference"] <= figures[name]["high"]
    # One alert of two is B17's, 15 and 10 days ahead; the other is B20's on the first and 4 days before.
    assert [before[LEAD]["value"], after[LEAD]["value"]] == [9.5, 10]
    # Only B17 is caught by both.
    assert [figures[LEAD_BOTH][each] for each in ("before", "after", "difference")] == [15, 10, -5]
    assert (figures[LEAD_BOTH]["of_before"], figures[LEAD]["of_before"], figures[LEAD]["of_after"]) == (1, 2, 1)
    # Five borrowers, 25 days: 4 alerts and 3.
    months = 25 / 30.44
    assert figures["alerts_per_1000_and_month"]["difference"] == pytest.approx(-200 / months, abs=1e-5)


def test_the_backtest_in_it_is_that_of_the_rules_that_stand_now(log, one, two):
    said = said_by(log, "--rules", two, "--against", one)
    assert {name: each for name, each in said.items() if name != "against"} == said_by(log, "--rules", two)


def test_an_alert_of_before_the_judged_days_that_is_still_open_is_no_new_one(log, one, two):
    """With its first alert on 5 March, B17 is later and not newly alerted from 8 March on."""
    said = against(log, one, two, "--from", "2025-03-08")
    assert lists(said["shelf"]) == {
        "newly": [],
        "no_longer": ["b19"],
        "earlier": [],
        "later": ["B17", "b18", "b20"],
    }
    assert said["shelf"]["moved"]["defaulters"]["later"][0]["before"] == "2025-03-05"


def test_a_rule_that_goes_into_shadow_alerts_nobody_any_more(log, one, tmp_path):
    shadow = shelf(tmp_path / "shadow", late=ONE | {"status": "shadow"})
    said = against(log, one, shadow)
    assert said["changes"][0]["says"]["en"] == "live to shadow"
    [rule] = said["by_rule"]
    assert (rule["before"], rule["after"]) == ("live", "shadow")
    assert lists(rule)["no_longer"] == ["B17", "B20", "b18", "b19"] == lists(said["shelf"])["no_longer"]
    assert rule["figures"][LEAD]["after"] is rule["figures"][LEAD]["difference"] is None


def test_rules_that_tell_nobody_on_either_side_are_compared_by_what_they_would_say(log, one, tmp_path):
    draft = {"status": "draft"}
    before, after = (shelf(tmp_path / name, late=ONE, tried=each | draft) for name, each in (("b", ONE), ("a", TWO)))
    said = against(log, before, after)
    assert (said["same"], [each["of"] for each in said["by_rule"]]) == (["late"], ["tried"])
    assert lists(said["by_rule"][0])["no_longer"] == ["b19"]
    assert not any(lists(said["shelf"]).values())


def test_rules_that_are_there_on_one_side_are_compared_with_nothing(log, one, tmp_path):
    more = shelf(tmp_path / "more", late=ONE, often=TWO)
    said = against(log, one, more)
    [rule] = said["by_rule"]
    assert (rule["of"], rule["before"], rule["after"]) == ("often", None, "live")
    assert lists(rule)["newly"] == ["B17", "b18", "b20"] and said["same"] == ["late"]
    assert against(log, more, one)["by_rule"][0]["moved"]["defaulters"]["no_longer"][0]["borrower_id"] == "B17"


# -- laws -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shelves over the traffic of a dozen borrowers who warn each other."""
    found = tmp_path_factory.mktemp("traffic")
    rules = traffic_rules()
    shelf(found / "one", **rules)
    moved = {
        "missed_twice": rules["missed_twice"] | {"for": "0d", "severity": "high", "spreads": ["spouse"]},
        "bad_day": rules["bad_day"] | {"when": "largest > 500"},
        "spends": rules["spends"] | {"task": "none"},
        "new": rules["unseen"] | {"status": "live"},
    }
    gone = {"worst_balance", "silent"}
    shelf(found / "two", **{name: rule for name, rule in (rules | moved).items() if name not in gone})
    written(found / "log.jsonl", *arrival_log(3, with_day_ended=False))
    return found


def test_against_itself_nothing_differs(traffic):
    said = against(traffic / "log.jsonl", traffic / "one", traffic / "one")
    assert said["changes"] == said["by_rule"] == []
    assert not any(lists(said["shelf"]).values()) and len(said["same"]) == len(traffic_rules())
    for name, each in said["shelf"]["figures"].items():
        assert (each["difference"], each["low"], each["high"]) == (0, 0, 0), name
        assert each["before"] == each["after"] and each["of_before"] == each["of_after"] > 0


def test_sides_that_are_swapped_swap_everything(traffic):
    log, one, two = (traffic / name for name in ("log.jsonl", "one", "two"))
    there, back = against(log, one, two), against(log, two, one)
    assert [turned(each) for each in [there["shelf"], *there["by_rule"]]] == [back["shelf"], *back["by_rule"]]
    assert (there["same"], there["shelf_before"]) == (back["same"], back["shelf_after"])
    for forth, home in zip(there["changes"], back["changes"], strict=True):
        swapped = [{**each, "before": each["after"], "after": each["before"]} for each in forth["fields"]]
        assert (home["rule"], home["fields"], home["words"]) == (forth["rule"], swapped, forth["words"])
    # So that it can fail: all of it is there.
    assert all(any(lists(each)[name] for each in [there["shelf"], *there["by_rule"]]) for name in LISTS)
    assert len({each["difference"] for each in there["shelf"]["figures"].values()}) > 3


SWAPPED = {"newly": "no_longer", "no_longer": "newly", "earlier": "later", "later": "earlier"}


def turned(compared: dict[str, Any]) -> dict[str, Any]:
    """The same with its sides swapped."""

    def line(each: dict[str, Any]) -> dict[str, Any]:
        return each | {"before": each["after"], "after": each["before"]}

    def moved(some: dict[str, Any]) -> dict[str, Any]:
        return {name: [line(each) for each in some[SWAPPED[name]]] for name in LISTS}

    def negated(value: float | None) -> float | None:
        return None if value is None else -value

    return {
        "of": compared["of"],
        "before": compared["after"],
        "after": compared["before"],
        "moved": {who: moved(some) for who, some in compared["moved"].items()},
        "figures": {
            name: {
                "before": each["after"],
                "after": each["before"],
                "difference": negated(each["difference"]),
                "low": negated(each["high"]),
                "high": negated(each["low"]),
                "of_before": each["of_after"],
                "of_after": each["of_before"],
            }
            for name, each in compared["figures"].items()
        },
    }


def test_any_number_of_processes_gives_the_same_comparison(traffic):
    """One shelf warns connected borrowers and the other does not: they are kept together for both."""
    log, one, two = (traffic / name for name in ("log.jsonl", "one", "two"))
    assert against(log, one, two, "--processes", "1") == against(log, one, two, "--processes", "3")
    assert against(log, two, one, "--processes", "1") == against(log, two, one, "--processes", "3")


def test_a_borrower_who_exists_only_where_others_warn_is_counted_on_both_sides(tmp_path):
    warns = ONE | {"spreads": ["guaranteed"]}
    hears = {
        "per": "borrower_id",
        "measure": {"warned": {"count": "connected.warned", "over": "9d"}},
        "when": "warned >= 1",
    }
    log = written(
        tmp_path / "log.jsonl",
        told("r", "relation.set", "2025-03-01", kind="guaranteed", related_id="B99"),
        missed("m", "2025-03-05"),
        missed("n", "2025-03-09"),
    )
    before, after = shelf(tmp_path / "b", late=ONE, hears=hears), shelf(tmp_path / "a", late=warns, hears=hears)
    said = against(log, before, after)
    assert lists(said["shelf"])["newly"] == ["b99"]
    assert said["changes"][0]["says"]["en"] == "spreads none to guaranteed"
    back = against(log, after, before)
    assert lists(back["shelf"])["no_longer"] == ["b99"]
    for figures in (each["shelf"]["figures"]["alerts_per_1000_and_month"] for each in (said, back)):
        assert figures["of_before"] == figures["of_after"] == 2


# -- the command ----------------------------------------------------------------------


def test_rules_backtest_is_the_same_command(log, one, two):
    words = (log, "--rules", two, "--against", one, "--format", "json")
    assert forewarn("rules", "backtest", *words).out == forewarn("backtest", *words).out != ""


def test_the_tables_say_what_changed_and_who_and_by_how_much(log, one, two):
    ran = forewarn("backtest", log, "--rules", two, "--against", one)
    assert (ran.code, ran.err) == (0, "")
    said = " ".join(ran.out.split())
    assert "late: when: `missed >= 1` to `missed >= 2`" in said
    rows = rows_of(ran)
    assert rows["all live rules"] == ["0 / 0", "0 / 1", "0 / 0", "2 / 1, 5 d"]
    assert rows["lead, days: defaulters that both caught"] == ["15.0", "10.0", "-5.0 (-5.0 .. -5.0)"]
    assert rows["lead, days: all that each caught"][:2] == ["9.5", "10.0"]


def rows_of(ran: Ran) -> dict[str, list[str]]:
    """Cells by the first one of their row, the first row of each name."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in ran.out.splitlines() if "│" in line]
    found: dict[str, list[str]] = {}
    for name, *cells in rows:
        found.setdefault(name, cells)
    return found


def test_it_speaks_chinese(log, one, two):
    ran = forewarn("backtest", log, "--rules", two, "--against", one, "--lang", "zh")
    assert ran.code == 0
    said = ran.out.replace("\n", "")
    assert "late：条件 when 由 `missed >= 1` 改为 `missed >= 2`" in said and "谁的预警不同了" in said
    assert {name for name, text in WORDS["en"].items() if text in ran.out and len(text) > 12} == set()


def test_both_languages_have_every_text_with_the_same_slots():
    slots = {
        lang: {name: sorted(part.split("}")[0] for part in text.split("{")[1:]) for name, text in words.items()}
        for lang, words in WORDS.items()
    }
    assert slots["en"] == slots["zh"]


def test_a_revision_of_the_rule_folder_is_compared_with_what_stands_there(log, one, two, tmp_path):
    repository = tmp_path / "bank"
    folder = shelf(repository / "rules", late=ONE)
    git(repository, "init", "-q", "-b", "main")
    commit(repository)
    shelf(folder, late=TWO)
    said = against(log, "HEAD", folder)
    assert (said["ref"], said["ref_kind"]) == ("HEAD", "revision")
    assert said["shelf"] == against(log, one, two)["shelf"]


def test_a_published_hash_is_looked_up_in_a_register(log, one, two, tmp_path):
    data = tmp_path / "data"
    bundle = published(data, one)
    said = against(log, bundle[:8], two, "--register", data / REGISTER)
    assert (said["ref_kind"], said["shelf"]) == ("published", against(log, one, two)["shelf"])
    for words, expected in (
        (
            ("--against", one, "--register", tmp_path),
            f"--register: expected a register of published rules, got {tmp_path}",
        ),
        (("--register", data / REGISTER), "--register: expected it with --against, got it alone"),
    ):
        ran = forewarn("backtest", log, "--rules", two, *words)
        assert (ran.code, ran.out) == (2, "") and ran.err.startswith(expected)


def test_of_a_data_directory_the_published_rules_in_force_are_judged_and_its_register_is_known(log, one, two, tmp_path):
    data = tmp_path / "data"
    first, bundle = published(data, one), published(data, two)
    came = {"type": "shelf.published", "at": "2025-03-24T09:00:00+08:00", "hash": bundle, "author": "anna"}
    lines = [*log.read_bytes().splitlines(), came | {"approver": "ben"}, day_ended("2025-03-25")]
    history = written(tmp_path / "history.jsonl", *lines)
    ran = forewarn("backfill", history, "--until", "2025-03-25", "--data", data, "--rules", one)
    assert ran.code == 0
    said = said_by("--data", data, "--against", first[:8])
    assert said["verdict"] == said_by(history, "--rules", two)["verdict"]
    assert said["against"]["shelf"]["moved"] == against(log, one, two)["shelf"]["moved"]


def test_the_page_has_the_comparison_before_the_backtest(log, one, two, tmp_path):
    out = tmp_path / "out"
    assert forewarn("backtest", log, "--rules", two, "--against", one, "--out", out, "--quiet").code == 0
    page = (out / "backtest.html").read_text("utf-8")
    places = [page.index(f'<article id="{name}"') for name in ("changes", "moved", "figures", "who", "ahead")]
    assert places == sorted(places)
    assert "when: `missed &gt;= 1` to `missed &gt;= 2`" in page and "2025-03-20" in page
    assert json.loads((out / "backtest.json").read_bytes())["against"] == against(log, one, two)


def test_a_page_of_equal_shelves_says_that_nothing_differs(log, one, tmp_path):
    out = tmp_path / "out"
    assert forewarn("backtest", log, "--rules", one, "--against", one, "--out", out, "--quiet").code == 0
    page = (out / "backtest.html").read_text("utf-8")
    assert "No rule changed." in page and "Nobody is alerted otherwise." in page


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("nobody", "--against: expected a folder of rules, a published hash or a git revision, got 'nobody'"),
        ("broken", "--against broken: expected rules that load, got a fault, first broken/late.yaml:1:"),
        ("empty", "--against empty: expected rules that load, got a fault, first empty:1:1 file: expected a folder"),
        ("events.jsonl", "--against: expected a folder of rules, got the file events.jsonl; name the folder"),
    ],
)
def test_what_cannot_be_compared_with_is_one_sentence(
    log, one, tmp_path, monkeypatch: pytest.MonkeyPatch, ref, said: str
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    shelf(tmp_path / "broken", late=ONE | {"when": "misssed >= 1"})
    (tmp_path / "empty").mkdir()
    commit_in(tmp_path)
    ran = forewarn("backtest", log, "--rules", one, "--against", ref)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith(said)


def commit_in(folder: Path) -> None:
    git(folder, "init", "-q", "-b", "main")
    commit(folder)
