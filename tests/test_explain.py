"""An alert explained in the language of its reader, from the folder of a replay alone."""

import re
import shutil
from pathlib import Path

import pytest

from tests.arrival_logs import COUNTS_MISSES, Ran, day_ended, forewarn, missed, replayed_records, shelf, told

SHIPPED = Path(__file__).parents[1] / "rules" / "shelf" / "samples"
SAID = {"en": "2 instalments missed in 60 days, now 8 days past due", "zh": "60 天内漏还 2 期，目前逾期 8 天"}
OPENED, CLOSED = (f"second-missed-instalment/L4/1/{word}" for word in ("opened", "closed"))
#  03-01    04-01    04-02          04-05               04-06     04-13
#  miss     miss     5 days late    8 days late: opens  paid      false for 7 days: closes
STORY = [
    missed("m1", "2025-03-01"),
    missed("m2", "2025-04-01"),
    told("s1", "loan.snapshot", "2025-04-02", loan_id="L4", days_past_due=5),
    told("s2", "loan.snapshot", "2025-04-06", loan_id="L4", days_past_due=0),
    told("s3", "loan.snapshot", "2025-04-13", loan_id="L4", days_past_due=0),
]


@pytest.fixture
def second_miss(tmp_path: Path) -> Ran:
    ran = replayed_records(tmp_path, *STORY, rules=SHIPPED)
    assert ran.alerts == [OPENED, CLOSED]
    return ran


def explained(ran: Ran, alert_id: str, lang: str = "en") -> str:
    said = forewarn("explain", alert_id, "--from", ran.folder, "--lang", lang)
    assert (said.code, said.err) == (0, "")
    return said.out


# -- two languages ----------------------------------------------------------


def test_a_chinese_reader_gets_the_chinese_texts_of_the_rule_and_the_words_of_the_decision(second_miss):
    said = explained(second_miss, OPENED, "zh")
    for piece in (
        "首次逾期后不久又漏还一期",
        SAID["zh"],
        "为什么：漏还一期之后不久又漏还一期的借款人",
        "先确认不是本行因技术原因退回了还款。",
        "借款人换了银行，代扣授权尚未转过来。",
        "在网点用现金还款的借款人，数据晚一天才到。",
        "高 · 打开 · B17",
        "以下任一条成立，持续 7 天后解除：",
    ):
        assert piece in said
    # The window begins 60 days before 04-05, the feed with the first miss on 03-01: it is known in part.
    assert re.search(r"missed +│ +2 │ 60d +│ 部分", said) and re.search(r"overdue +│ +8 │ +│ 已知", said)
    for english in ("A second instalment", SAID["en"], "Confirm that", "opened ·"):
        assert english not in said.split("规则 second-missed-instalment.yaml")[0].replace(OPENED, "")


def test_an_english_reader_gets_the_texts_of_the_rule(second_miss):
    said = explained(second_miss, OPENED)
    for piece in ("A second instalment missed soon after the first", SAID["en"], "  - Confirm that the bank did not"):
        assert piece in said
    assert "any of these, for 7 days:" in said


def test_the_files_speak_no_chinese_but_the_texts_kept_beside_the_rules(second_miss):
    chinese = {
        path.name for path in second_miss.folder.iterdir() if re.search(r"[\u4e00-\u9fff]", path.read_text("utf-8"))
    }
    assert chinese == {"rules.jsonl"}
    [kept] = [rule for rule in second_miss.records("rules.jsonl") if rule["rule"] == "second-missed-instalment"]
    assert list(kept["texts"]) == ["zh"]
    assert sorted(kept["texts"]["zh"]) == ["blind_spots", "false_alarms", "guide", "say", "title", "why"]


def test_what_was_not_written_in_chinese_or_is_at_fault_is_told_as_the_rule_has_it(tmp_path):
    rules = tmp_path / "rules"
    shutil.copytree(SHIPPED, rules)
    sidecar = next(rules.rglob("second-missed-instalment.zh.yaml"))
    sidecar.write_text(sidecar.read_text("utf-8").replace("{overdue}", "{overdu}"), "utf-8")
    faulty = replayed_records(tmp_path, *STORY, rules=rules)
    assert SAID["en"] in explained(faulty, OPENED, "zh")
    sidecar.unlink()
    without = replayed_records(tmp_path, *STORY, rules=rules)
    assert [rule["texts"] for rule in without.records("rules.jsonl") if rule["rule"] in OPENED] == [{}]
    said = explained(without, OPENED, "zh")
    assert SAID["en"] in said and "怎么做\n  - Confirm that the bank" in said


def test_a_share_is_rounded_alike_in_both_languages(tmp_path):
    rules = shelf(
        tmp_path / "rules",
        full={
            "per": "account_id",
            "measure": {"used": {"latest": "used_share", "from": "account.balance"}},
            "when": "used >= 0.8",
            "say": "{used:.0%} used",
        },
    )
    texts = {"title": "额度", "why": "因为。", "say": "已用 {used:.0%}"}
    lines = {name: ["无。"] for name in ("guide", "false_alarms", "blind_spots")}
    (rules / "full.zh.yaml").write_text(str(texts | lines), "utf-8")
    # 85.5 % is half way and goes to the even 86; the binary fraction nearest to 0.855 lies below it and would give 85.
    balance = {"account_id": "A1", "balance_minor": 1, "limit_minor": 1, "used_share_ppm": 855_000}
    ran = replayed_records(tmp_path, told("b1", "account.balance", "2025-03-01", **balance), rules=rules)
    [alert] = ran.records("alerts.jsonl")
    assert alert["say"] == "86% used"
    assert "已用 86%" in explained(ran, alert["id"], "zh")


# -- numbers, and what would clear it ---------------------------------------


def test_a_measure_without_window_is_known_or_unknown(tmp_path):
    measures = {"missed": {"count": "repayment.missed", "over": "60d"}, "overdue": {"now": "days_past_due"}}
    rules = shelf(tmp_path / "rules", late=COUNTS_MISSES | {"measure": measures, "when": "missed >= 1 or overdue >= 5"})
    ran = replayed_records(tmp_path, missed("m1", "2025-03-01"), rules=rules)
    said = explained(ran, "late/L4/1/opened")
    assert re.search(r"overdue +│ unknown │ +│ unknown", said)
    assert "- overdue < 5   (overdue = unknown)" in said and "all of these, at once:" in said
    assert re.search(r"overdue +│ +未知 │ +│ 未知", explained(ran, "late/L4/1/opened", "zh"))
    late = told("s1", "loan.snapshot", "2025-03-01", loan_id="L4", days_past_due=7)
    ran = replayed_records(tmp_path, late, rules=rules)
    assert re.search(r"overdue +│ +7 │ +│ known", explained(ran, "late/L4/1/opened"))


def test_a_window_that_ended_some_time_ago_says_so(tmp_path):
    earlier = {"count": "repayment.missed", "over": "30d", "ending": "2d ago"}
    rules = shelf(tmp_path / "rules", late=COUNTS_MISSES | {"measure": {"missed": earlier}})
    ran = replayed_records(tmp_path, missed("m1", "2025-03-01"), day_ended("2025-03-03"), rules=rules)
    assert re.search(r"missed +│ +1 │ 30d, ending 2d ago │", explained(ran, "late/L4/1/opened"))
    assert re.search(r"missed +│ +1 │ 30d，止于 2d 之前 │", explained(ran, "late/L4/1/opened", "zh"))


@pytest.mark.parametrize(
    ("clear_after", "lang", "line"),
    [
        (None, "en", "this, at once:"),
        ("1d", "en", "this, for 1 day:"),
        ("2d", "en", "this, for 2 days:"),
        (None, "zh", "下面这条成立，立即解除："),
        ("2d", "zh", "下面这条成立，持续 2 天后解除："),
    ],
)
def test_how_long_it_must_be_clear_is_said_in_words(tmp_path, clear_after, lang, line):
    own = {} if clear_after is None else {"clear_after": clear_after}
    rules = shelf(tmp_path / "rules", misses=COUNTS_MISSES | own)
    ran = replayed_records(tmp_path, missed("m1", "2025-03-01"), rules=rules)
    assert f"  {line}\n  - missed < 1   (missed = 1)\n" in explained(ran, "misses/L4/1/opened", lang)


def test_a_closing_shows_what_its_opening_said(second_miss):
    english, chinese = explained(second_miss, CLOSED), explained(second_miss, CLOSED, "zh")
    assert SAID["en"] in english and "reason: cleared." in english and "high · closed" in english
    assert SAID["zh"] in chinese and "原因：条件已解除。" in chinese and "高 · 关闭" in chinese


def test_brackets_in_a_rule_are_no_colours(tmp_path):
    rules = shelf(tmp_path / "rules", misses=COUNTS_MISSES | {"why": "It is [red]not[/red] red [/]."})
    ran = replayed_records(tmp_path, missed("m1", "2025-03-01"), rules=rules)
    assert "It is [red]not[/red] red [/]." in explained(ran, "misses/L4/1/opened").split("The rule")[0]


# -- folders ----------------------------------------------------------------


def test_a_folder_that_is_none_of_a_replay_is_one_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for name, got in (("nowhere", "nothing there"), ("empty", "a folder without it"), ("file", "a file")):
        ran = forewarn("explain", "a/b/1/opened", "--from", tmp_path / name)
        expected = f"expected a folder with the alerts.jsonl of a replay, got {got}; name the --out of a replay\n"
        assert (ran.code, ran.out, ran.err) == (2, "", f"{tmp_path / name}: {expected}")
