"""The command `forewarn report`: what it writes and says, and one sentence and a 2 for what it cannot use."""

import json
import re
from pathlib import Path

import pytest

from pipeline.shells.report.texts import WORDS
from pipeline.shells.texts import Language
from tests.arrival_logs import Ran, day_ended, forewarn, replayed_records, told
from tests.report_folders import folder_of, truth_of
from tests.test_cli import one_sentence
from tests.test_replay import WORKED

MOST_BYTES = 6_000_000
SHELLS = Path(__file__).parents[1] / "pipeline" / "shells"
SOURCES = [SHELLS / "cli.py", *(SHELLS / "report").glob("*.py"), *(SHELLS / "report" / "templates").iterdir()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "replay")


def report(folder: Path, out: Path, *words: str | Path) -> Ran:
    return forewarn("report", "--from", folder, "--out", out, *words)


def texts(page: Path) -> str:
    """The page without its scripts and style."""
    return re.sub(r"(?s)<(script|style)\b.*?</\1>", "", page.read_text("utf-8"))


# -- what it writes ---------------------------------------------------------


def test_the_page_is_one_file_in_both_languages(tmp_path, folder):
    out = tmp_path / "new" / "report.html"
    ran = report(folder, out, "--truth", truth_of(tmp_path))
    assert (ran.code, ran.err, ran.out) == (0, "", f"written to {out}\n")
    assert [path.name for path in out.parent.iterdir()] == ["report.html"]
    assert out.stat().st_size < MOST_BYTES
    page = texts(out)
    assert '<html lang="en" data-lang="en"' in page
    assert "Defaults are those of truth.csv." in page and "违约以 truth.csv 为准。" in page
    assert re.search(r"<dd>\s*2\s*</dd><dt>.*of 3 defaulters alerted before", page)


def test_the_language_is_that_in_which_the_page_opens(tmp_path, folder):
    out = tmp_path / "report.html"
    assert report(folder, out, "--lang", "zh").out == f"已写入 {out}\n"
    page = texts(out)
    assert '<html lang="zh-CN" data-lang="zh"' in page and "<title>贷后预警报告</title>" in page
    assert "Early-warning report" in page


def test_quiet_says_nothing_and_equal_files_give_equal_pages(tmp_path, folder):
    one, two = tmp_path / "one.html", tmp_path / "two.html"
    assert report(folder, one, "--quiet").out == ""
    report(folder, two, "--quiet")
    assert one.read_bytes() == two.read_bytes()


def test_the_defaults_in_the_events_are_the_truth_where_no_file_is_named(tmp_path, folder):
    out = tmp_path / "report.html"
    report(folder, out)
    page = texts(out)
    assert "Defaults are those in the events." in page
    assert "1 of 1 defaulters had a true alert, half of them 15 days or more ahead." in page


def test_a_replay_of_the_engine_becomes_a_report(tmp_path):
    ran = replayed_records(tmp_path, *WORKED)
    out = tmp_path / "report.html"
    assert report(ran.folder, out).code == 0
    page = texts(out)
    assert "3 days late, nothing heard for 10 days" in page and "missed-and-silent" in page
    assert "Unknown. It takes two month ends" not in page  # January and February


def test_a_replay_of_an_earlier_version_says_what_it_does_not_know(tmp_path):
    out = tmp_path / "report.html"
    assert report(folder_of(tmp_path / "old", months=None, queues=None), out).code == 0
    page = texts(out)
    assert page.count("The replay kept no month ends (months.jsonl)") == 5
    assert page.count("The replay kept no record of its queues (queues.jsonl)") == 2
    assert re.search(r'<dd>\s*<span lang="en">unknown</span>.*?tasks open, unknown of them overdue', page, re.S)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_text_is_there_in_both_languages_with_the_same_slots(lang: Language):
    slots = {key: sorted(set(re.findall(r"{\w+}", text))) for key, text in WORDS[lang].items()}
    assert slots == {key: sorted(set(re.findall(r"{\w+}", text))) for key, text in WORDS["en"].items()}


def test_every_text_is_used():
    spoken = "".join(path.read_text("utf-8") for path in SOURCES if path.name != "texts.py")
    made = re.compile(
        r"^(vintage_(late|default)|\w+)_(title|reads|says)$|^mark_\w+$|^period_\w+$|^(written_off|ended)$"
    )
    assert [key for key in WORDS["en"] if f'"{key}"' not in spoken and not made.match(key)] == []


# -- what it cannot use -----------------------------------------------------


def test_a_folder_that_is_no_replay_is_one_sentence(tmp_path):
    out = tmp_path / "report.html"
    said = one_sentence(report(tmp_path / "no", out))
    assert said == (
        f"{tmp_path / 'no'}: expected a folder that a replay wrote, got nothing there; name the --out of a replay"
    )
    (tmp_path / "empty").mkdir()
    assert "expected the summary.json of a replay, got a folder without it" in one_sentence(
        report(tmp_path / "empty", out)
    )
    assert not out.exists()


def test_a_replay_that_closed_no_day_is_one_sentence(tmp_path):
    ran = replayed_records(tmp_path)
    said = one_sentence(report(ran.folder, tmp_path / "report.html"))
    assert said.endswith("expected a replay that closed a day, got one without; replay events with dates")


def test_a_replay_without_loans_and_alerts_is_one_sentence(tmp_path):
    ran = replayed_records(tmp_path, told("i-1", "external.inquiry", "2025-03-01"), day_ended("2025-03-02"))
    said = one_sentence(report(ran.folder, tmp_path / "report.html"))
    assert said.endswith("expected a replay with loans or alerts, got one without either; replay their events")


@pytest.mark.parametrize("name", ["alerts", "profiles", "collection-tasks", "months", "queues"])
def test_a_line_that_no_replay_wrote_is_one_sentence_with_its_place(tmp_path, folder, name):
    with (folder / f"{name}.jsonl").open("a") as file:
        file.write('{"month": 3}\n')
    said = one_sentence(report(folder, tmp_path / "report.html"))
    assert re.fullmatch(
        rf".*/{name}\.jsonl, line \d+: expected what a replay wrote, got other content \(.*\); replay again", said
    )


def test_a_summary_with_a_strange_currency_is_one_sentence(tmp_path, folder):
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {"currency": "<b>"}))
    said = one_sentence(report(folder, tmp_path / "report.html"))
    assert said == f'{folder / "summary.json"}: expected a currency of ISO 4217, got "<b>"; replay again'


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path, folder):
    (tmp_path / "a-folder").mkdir()
    for out, why in (
        (tmp_path / "a-folder", "Is a directory"),
        (folder / "summary.json" / "x.html", "File exists"),
    ):
        said = one_sentence(report(folder, out))
        assert said == f"{out}: expected a file that can be written, got {why}; change --out"
    assert list((tmp_path / "a-folder").iterdir()) == []


def test_the_page_never_takes_the_place_of_what_it_is_made_from(tmp_path, folder):
    for source in (folder / "months.jsonl", folder / "alerts.jsonl", truth := truth_of(tmp_path)):
        before = source.read_bytes()
        said = one_sentence(report(folder, source, "--truth", truth))
        assert said == f"{source}: expected another file to write to, got one that is read; change --out"
        assert source.read_bytes() == before


def test_a_budget_of_nothing_is_one_sentence(tmp_path, folder):
    said = one_sentence(report(folder, tmp_path / "report.html", "--budget", "0"))
    assert said.startswith("--budget: expected a whole number of openings a day from 1 on, got 0")
