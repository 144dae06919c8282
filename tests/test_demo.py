"""The demo: its tables, and one alert told from the first sign to its end."""

import io
import json
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console
from rich.progress import Progress

from config.settings import load
from pipeline.decode import Decoder
from pipeline.events import CATALOGUE
from pipeline.shells import demo
from pipeline.shells.embedded.client import EngineError
from pipeline.shells.embedded.live import Board
from pipeline.shells.embedded.lock import held
from pipeline.shells.embedded.started import Engine, started
from pipeline.shells.kept import kept, said
from pipeline.shells.show_demo import show
from pipeline.shells.story import story, told_of
from rules.loader import load_shelf
from rules.rule import Rule
from tests.arrival_logs import forewarn, missed, told, written

SAMPLES = Path(__file__).parents[1] / "rules" / "shelf" / "samples"
SECOND_MISS = "second-missed-instalment"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> demo.Demo:
    settings, out, unseen = load(demo.CONFIG), tmp_path_factory.mktemp("demo"), Progress(disable=True)
    source = demo.real(out, settings, unseen)
    return demo.run(out, source, settings, Board(unseen, "en"), rules=(SAMPLES,), config=demo.CONFIG)


@pytest.fixture(scope="module")
def rule() -> Rule:
    [found] = [each for each in load_shelf([SAMPLES], CATALOGUE).rules if each.rule == SECOND_MISS]
    return found


def printed(made: demo.Demo, capsys: pytest.CaptureFixture[str], lang: Any = "en") -> str:
    show(made, Path("out/demo"), lang)
    return capsys.readouterr().out


def alert(transition: str, on: str, **own: Any) -> dict[str, Any]:
    """An alert of loan L4 at the end of a day."""
    fields = {"episode": "r/L4/1", "rule": SECOND_MISS, "borrower_id": "B17", "loan_id": "L4", "severity": "high"}
    return fields | {"transition": transition, "at": f"{on}T23:59:59.999+08:00", "evidence": {}} | own


def snapshot(event_id: str, on: str, **own: Any) -> dict[str, Any]:
    return told(event_id, "loan.snapshot", on, loan_id="L4", **own)


# -- one alert --------------------------------------------------------------

EVENTS = [
    snapshot("s0", "2025-02-01", days_past_due=0),  # before the first sign
    missed("m1", "2025-03-01", months=1),
    snapshot("s1", "2025-03-01T18:00:00+08:00", days_past_due=1),
    snapshot("s2", "2025-03-15", outstanding_minor=5),  # says nothing of days
    missed("m2", "2025-04-01"),
    missed("m3", "2025-04-20"),  # after the opening
    missed("m4", "2025-03-02", loan_id="L44"),  # another loan
    missed("m5", "2025-03-02", borrower_id="B4", loan_id="L5"),
    told("d1", "loan.defaulted", "2025-06-01", loan_id="L4"),
]
NUMBERS = {"missed": {"value": 2, "over": "60d", "known": "all"}, "overdue": {"value": 8, "truth": "true"}}
ALERTS = [
    alert("opened", "2025-04-05", say="2 instalments missed in 60 days, now 8 days past due", evidence=NUMBERS),
    alert("closed", "2025-04-25", reason="cleared"),
]
TASK = {"queue": "early-collections", "action": "call", "status": "open", "due_by": "2025-04-07T18:00:00+08:00"}


def test_the_story_goes_from_the_first_sign_to_the_end_in_the_order_of_time(tmp_path, rule):
    events = told_of(written(tmp_path / "log.jsonl", *EVENTS), ALERTS[0])
    tasks = [TASK, TASK | {"status": "cancelled"}]
    assert story(ALERTS, tasks, events, kept(rule), "en") == [
        ("2025-03-01 09:00", "instalment missed, 1 month behind"),
        ("2025-03-01 18:00", "snapshot: 1 day past due"),
        ("2025-04-01 09:00", "instalment missed"),
        ("2025-04-05 23:59", "alert opened (high): 2 instalments missed in 60 days, now 8 days past due"),
        ("", "  missed = 2  60d"),
        ("", "  overdue = 8"),
        ("", "task open: early-collections, call, due 2025-04-07 18:00"),
        ("2025-04-25 23:59", "alert closed (high): cleared"),
        ("", "task cancelled"),
        ("2025-06-01 09:00", "the bank calls the loan defaulted"),
    ]
    assert story(ALERTS, tasks, events, kept(rule), "zh") == [
        ("2025-03-01 09:00", "漏还一期，落后 1 个月"),
        ("2025-03-01 18:00", "快照：逾期 1 天"),
        ("2025-04-01 09:00", "漏还一期"),
        ("2025-04-05 23:59", "预警打开（高）：60 天内漏还 2 期，目前逾期 8 天"),
        ("", "  missed = 2  60d"),
        ("", "  overdue = 8"),
        ("", "任务待办：early-collections，call，2025-04-07 18:00 到期"),
        ("2025-04-25 23:59", "预警关闭（高）：条件已解除"),
        ("", "任务已取消"),
        ("2025-06-01 09:00", "银行认定该贷款违约"),
    ]


def test_a_task_that_somebody_began_is_not_told_as_cancelled(tmp_path, rule):
    rows = story(ALERTS, [TASK], [], kept(rule), "en")
    assert rows[-1] == ("2025-04-25 23:59", "alert closed (high): cleared")


def test_an_alert_of_a_borrower_is_told_with_the_signs_of_all_loans(tmp_path):
    log = written(tmp_path / "log.jsonl", *EVENTS)
    of_borrower = told_of(log, alert("opened", "2025-04-05", loan_id=None))
    assert {event["id"] for event in EVENTS} - {event["id"] for event in of_borrower} == {"m5"}


def test_the_story_of_the_demo_begins_before_its_alert(made, capsys):
    # The client's statements of April and May 2005 are two months behind, the first of them settled by nobody in May.
    rows = re.findall(r"^│ (\S.{15}) │ (.*?) +│$", printed(made, capsys).split("One alert")[1], re.MULTILINE)
    assert [when for when, _ in rows] == sorted(when for when, _ in rows)
    kinds = [re.split(r"[:,(]", what)[0].strip() for _, what in rows]
    assert kinds == [
        *("snapshot", "instalment missed") * 2,
        "alert opened",
        "alert closed",
        "the bank calls the loan defaulted",
    ]


# -- words ------------------------------------------------------------------


def test_what_was_said_is_what_the_evidence_says_again(made, rule):
    again = kept(rule)
    texts = again.texts["zh"]
    english = type(again)(**{name: getattr(again, name) for name in again.__struct_fields__ if name != "texts"})
    own = type(texts)(**{name: getattr(texts, name) for name in texts.__struct_fields__} | {"say": rule.say})
    english.texts["en"] = own
    openings = [each for each in made.alerts if each["transition"] == "opened"]
    assert len(openings) == 192
    assert [each["id"] for each in openings if said(each, english, "en") != each["say"]] == []
    assert all(re.fullmatch(r"60 天内漏还 \d+ 期，目前逾期 \d+ 天", said(each, again, "zh") or "") for each in openings)


def test_the_tables_speak_chinese(made, capsys):
    text = printed(made, capsys, "zh")
    assert "关闭 59，打开 192" in text and "已取消 59，待办 192" in text
    assert re.search(r"┃ 规则 +┃ 低 ┃ 中 ┃ +高 ┃ 严重 ┃", text)
    tables = text.split("详情")[0].replace(SECOND_MISS, "")
    assert (
        re.findall(r"\b(?:opened|closed|raised|low|medium|high|critical|open|cancelled|cleared|days?)\b", tables) == []
    )


# -- the riskiest -----------------------------------------------------------


def test_arrears_that_nobody_knows_have_no_column(made, capsys):
    assert "┃ arrears" not in printed(made, capsys)
    assert "┃ 欠款" not in printed(made, capsys, "zh")


def test_arrears_of_one_borrower_are_a_column_with_a_mark_for_the_others(made, capsys):
    worst = re.search(r"│ (B\d+) +│ high", printed(made, capsys))
    assert worst is not None
    profiles = [
        profile | {"arrears_minor": 123_456 if profile["borrower_id"] == worst[1] else None}
        for profile in made.profiles
    ]
    text = printed(made._replace(profiles=profiles), capsys)
    assert re.search(rf"│ {worst[1]} +│ high +│ +1 │ +\d+ │ 1,234.56 │", text)
    assert re.search(r"│ high +│ +1 │ +\d+ │ +\? │", text)


def test_days_past_due_that_nobody_knows_are_not_zero(made, capsys):
    last = made.profiles[-1]
    unknown = last | {"borrower_id": "B0", "loans": [{**last["loans"][0], "days_past_due": None}], "episodes": []}
    text = printed(made._replace(profiles=[unknown]), capsys)
    assert re.search(r"│ B0 +│ - +│ +0 │ +\? │", text)


# -- the engine of the demo -------------------------------------------------


def test_a_day_is_ended_wherever_the_date_moves_on_and_after_the_last_event():
    def paid(event_id: str, on: str) -> bytes:
        return json.dumps(told(event_id, "repayment.received", on, loan_id="L4", amount_minor=1)).encode()

    first, late, later = paid("a", "2025-03-05"), paid("b", "2025-03-04"), paid("c", "2025-03-08")
    ended = [b'{"type":"day.ended","date":"2025-03-07"}', b'{"type":"day.ended","date":"2025-03-08"}']
    fed = demo.with_day_ends([first, b"no event", late, later], Decoder("Asia/Shanghai", "CNY"))
    assert list(fed) == [first, b"no event", late, ended[0], later, ended[1]]
    assert list(demo.with_day_ends([], Decoder("Asia/Shanghai", "CNY"))) == []


def test_what_the_engine_of_the_demo_decided_is_what_a_replay_decides(made, tmp_path):
    folder = made.events.parent
    words = ("replay", made.events, "--rules", SAMPLES, "--config", demo.CONFIG, "--out", tmp_path)
    assert forewarn(*words).code == 0
    for name in ("alerts.jsonl", "collection-tasks.jsonl", "profiles.jsonl", "dead-letters.jsonl"):
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()


def test_a_demo_does_not_pull_the_data_from_under_an_engine_that_runs(tmp_path):
    data = tmp_path / "demo" / demo.DATA
    data.mkdir(parents=True)
    lock = held(data / "lock")
    try:
        refused = forewarn("demo", "--real", "--out", tmp_path / "demo")
    finally:
        os.close(lock)
    assert (refused.code, refused.out) == (2, "")
    assert "expected the engine of an earlier demo to be stopped, got one that runs" in refused.err


def test_the_board_shows_the_alerts_that_were_opened_last():
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params["transition"] == "opened"
        told = {"at": "2025-03-08T23:59:59.999+08:00", "severity": "high", "borrower_id": "B17", "say": "silent [x]"}
        return httpx.Response(200, json={"items": [told], "next": None})

    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    board = Board(Progress(console=screen), "zh")
    with board.shown(10), httpx.Client(transport=httpx.MockTransport(answer), base_url="http://engine") as door:
        board.advance(door, [b"{}"])
        screen.print(board._table())
    text = screen.file.getvalue()
    assert "2025-03-08 23:59" in text and "silent [x]" in text and "高" in text


# -- the simulated portfolio ------------------------------------------------

OTHER_EACH_TIME = re.compile(r"^(the engine took|look on:).*$", re.MULTILINE)


def test_the_demo_is_a_simulated_portfolio_and_may_be_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "BORROWERS", 40)
    monkeypatch.setattr(demo, "MONTHS", 4)
    once, again = (forewarn("demo", "--out", tmp_path / "demo") for _ in range(2))
    assert once.code == again.code == 0
    assert OTHER_EACH_TIME.sub("", once.out) == OTHER_EACH_TIME.sub("", again.out)
    assert (
        " events of 33 borrowers, 120 days closed" in once.out and "How early: alerts against the defaults" in once.out
    )
    assert (tmp_path / "demo" / "portfolio" / "truth.csv").exists()
    assert (tmp_path / "demo" / "dead-letters.jsonl").read_bytes() == b""


def test_an_engine_that_does_not_start_is_one_sentence(tmp_path, capfd):
    with (
        pytest.raises(EngineError, match="expected an engine to start, got exit code 2; it said why above"),
        started(Engine(tmp_path, rules=(tmp_path / "nowhere",)), "key"),
    ):
        raise AssertionError("it did")
    assert "nowhere: expected a folder of rule files, got nothing there" in capfd.readouterr().err
