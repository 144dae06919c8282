"""`forewarn backtest` as people call it: its formats, its words, its processes, and what it says of wrong input."""

import gzip
import json
from pathlib import Path

import pytest

from pipeline.shells.backtest import workers
from pipeline.shells.backtest.run import PAGE, RESULT
from pipeline.shells.backtest.texts import WORDS
from tests.arrival_logs import COUNTS_MISSES, Ran, day_ended, forewarn, missed, shelf, told, written
from tests.backtests import said_by


@pytest.fixture
def log(tmp_path: Path) -> Path:
    records = [
        missed("m1", "2025-03-05"),
        missed("m2", "2025-03-10", borrower_id="B18", loan_id="L8"),
        told("d1", "loan.defaulted", "2025-03-20", loan_id="L4"),
        told("o1", "account.overdrawn", "2025-03-31", account_id="A1"),
    ]
    return written(tmp_path / "events.jsonl", *records)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return shelf(tmp_path / "rules", late=COUNTS_MISSES, never=COUNTS_MISSES | {"when": "missed >= 9"})


def one_sentence(ran: Ran) -> str:
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    return ran.err.rstrip("\n")


# -- what it says -----------------------------------------------------------------


def test_the_tables_say_what_was_read_and_every_rule_beside_the_shelf(log, rules):
    ran = forewarn("backtest", log, "--rules", rules, "--from", "2025-03-08")
    assert (ran.code, ran.err) == (0, "")
    said = " ".join(ran.out.split())
    assert "4 events of 2 borrowers, 2025-03-05 to 2025-03-31" in said
    assert (
        "3 days from 2025-03-05 on are history: they fill the windows, and what was decided on them is not judged "
        "(1 alert). Still open on 2025-03-08: 1, of 1 borrower, not counted as warned by it" in said
    )
    assert "1 of 2 borrowers defaulted from 2025-03-08 to 2025-03-31; the truth is the defaults in the events" in said
    assert "Opened nothing: never" in said
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in ran.out.splitlines() if "│ late" in line]
    #        alerts true false censored precision worked true only reopened a month (24 days are 0.788 months)
    assert rows[0] == ["late", "1", "0", "0", "1", "0.0%", "1", "0.0%", "0", "-", "634.2"]
    #        caught lead 30 60 90 180 before 30 dpd
    assert rows[1] == ["late", "0", "-", "0.0%", "0.0%", "0.0%", "0.0%", "-"]


def test_it_speaks_chinese(log, rules):
    ran = forewarn("backtest", log, "--rules", rules, "--lang", "zh", "--from", "2025-03-08")
    assert ran.code == 0
    said = ran.out.replace("\n", "")
    assert "2 位借款人的 4 个事件，2025-03-05 至 2025-03-31" in said and "未打开任何预警：never" in said
    assert "3 天为历史" in said and "全部现行规则" in said
    assert {name for name, text in WORDS["en"].items() if text in ran.out and len(text) > 12} == set()


def test_both_languages_have_every_text_with_the_same_slots():
    slots = {
        lang: {name: sorted(set(part.split("}")[0] for part in text.split("{")[1:])) for name, text in words.items()}
        for lang, words in WORDS.items()
    }
    assert slots["en"] == slots["zh"]


def test_with_a_folder_it_writes_json_and_a_page_and_says_where(log, rules, tmp_path):
    out = tmp_path / "out" / "backtest"
    ran = forewarn("backtest", log, "--rules", rules, "--out", out)
    assert ran.code == 0 and ran.out.endswith(f"written to {out / RESULT}\nwritten to {out / PAGE}\n")
    assert sorted(path.name for path in out.iterdir()) == [PAGE, RESULT]
    assert json.loads((out / RESULT).read_bytes()) == said_by(log, "--rules", rules)
    assert (out / PAGE).read_text("utf-8").startswith("<!doctype html>")


def test_quiet_says_nothing_and_writes_what_is_wanted(log, rules, tmp_path):
    ran = forewarn("backtest", log, "--rules", rules, "--out", tmp_path / "out", "--format", "json", "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [RESULT]


def test_processes_of_their_own_give_the_same_bytes(log, rules, tmp_path):
    for count in ("1", "3"):
        ran = forewarn(
            *("backtest", log, "--rules", rules, "--processes", count, "--quiet"),
            *("--format", "json", "--out", tmp_path / count),
        )
        assert (ran.code, ran.err) == (0, "")
    assert (tmp_path / "1" / RESULT).read_bytes() == (tmp_path / "3" / RESULT).read_bytes()


def test_a_handful_of_events_starts_no_process(monkeypatch):
    monkeypatch.setattr(workers, "cores", lambda: 4)
    found = [workers.usual_processes(lines) for lines in (0, 19_999, 40_000, 10_000_000)]
    assert found == [1, 1, 2, 4]


def test_a_warning_comes_where_more_than_half_of_the_events_are_refused(rules, tmp_path):
    log = written(tmp_path / "log.jsonl", b"{", b"[]", missed("m1", "2025-03-05"))
    ran = forewarn("backtest", log, "--rules", rules)
    assert ran.code == 0
    assert ran.err.startswith("warning: 2 of 3 events refused, most often as not_json; check that the settings file")
    assert "2 of them could not be used: not_json 2" in " ".join(ran.out.split())


# -- wrong input ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected event files, or the data directory of an engine by --data, got neither; name one of them"),
        (
            ["LOG", "--data", "x"],
            "expected event files, or the data directory of an engine by --data, got both; name one of them",
        ),
        (["LOG", "--from", "3/5/2025"], "--from: expected a date such as 2025-03-05, got '3/5/2025'"),
        (["LOG", "--until", "20250305"], "--until: expected a date such as 2025-03-05, got '20250305'"),
        (
            ["LOG", "--from", "2025-03-08", "--until", "2025-03-07"],
            "--until: expected a day from 2025-03-08 on, where --from begins, got 2025-03-07",
        ),
        (
            ["LOG", "--from", "2025-04-01"],
            "--from: expected a day up to 2025-03-31, the last that the events close, got 2025-04-01",
        ),
        (
            ["LOG", "--until", "2025-03-04"],
            "--until: expected a day that the events close, from 2025-03-05 on, got 2025-03-04",
        ),
        (
            ["LOG", "--processes", "0"],
            "--processes: expected a whole number from 1 on, got 0; leave it out for one a core",
        ),
        (
            ["LOG", "--budget", "0"],
            "--budget: expected a whole number of openings a day from 1 on, got 0; leave it out for the usual",
        ),
        (
            ["LOG", "--format", "html"],
            "--format html: expected a folder for the page by --out, got none; name one",
        ),
        (
            ["LOG", "--format", "json", "--format", "table"],
            "--format json: expected it alone, or a folder by --out, got another format beside it; name a folder",
        ),
        (["LOG", "--out", "LOG"], "--out: expected a folder, got the file LOG; name another"),
        (["FOLDER"], "FOLDER: expected an event file, got a folder; name the files in it"),
        (["LOG", "--rules", "nowhere"], "nowhere: expected a folder of rule files, got nothing there; check the name"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(log, tmp_path, words, said):
    def placed(text: str) -> str:
        return text.replace("LOG", str(log)).replace("FOLDER", str(tmp_path))

    assert one_sentence(forewarn("backtest", *map(placed, words))) == placed(said)


def test_events_that_close_no_day_are_one_sentence(rules, tmp_path):
    for records in ([], [b"{"]):
        log = written(tmp_path / "log.jsonl", *records)
        assert one_sentence(forewarn("backtest", log, "--rules", rules)) == (
            "expected events that close a day, got none; name event files with dates"
        )


def test_rules_that_all_are_retired_are_one_sentence(log, tmp_path):
    retired = shelf(tmp_path / "old", gone=COUNTS_MISSES | {"status": "retired", "retired_because": "it was wrong"})
    assert one_sentence(forewarn("backtest", log, "--rules", retired)).startswith("--rules: expected at least one rule")


def test_a_rule_with_a_fault_is_told_with_its_line(log, tmp_path):
    broken = shelf(tmp_path / "broken", late=COUNTS_MISSES | {"when": "misssed >= 1"})
    ran = forewarn("backtest", log, "--rules", broken)
    assert ran.code == 2 and "late.yaml:1:" in ran.err and "did you mean 'missed'?" in ran.err


@pytest.mark.parametrize("count", ["1", "2"])
def test_of_a_gzip_file_that_breaks_off_the_whole_lines_are_judged_and_the_exit_code_says_so(
    log, rules, tmp_path, count
):
    whole = gzip.compress(b"".join(b"%b\n" % line for line in log.read_bytes().splitlines()) + b"x" * 9_000)
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(whole[:-8])
    ran = forewarn("backtest", cut, "--rules", rules, "--processes", count)
    assert ran.code == 2 and "4 events of 2 borrowers" in ran.out
    said = "cut.jsonl.gz: expected a whole gzip file, got one that ends too early; its whole lines were used"
    assert ran.err.splitlines()[-1] == said


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_damaged_gzip_file_is_one_sentence_from_any_process(log, rules, tmp_path, count):
    packed = bytearray(gzip.compress(log.read_bytes() * 50))
    packed[len(packed) // 2] ^= 0xFF
    damaged = tmp_path / "damaged.jsonl.gz"
    damaged.write_bytes(bytes(packed))
    said = one_sentence(forewarn("backtest", damaged, "--rules", rules, "--processes", count))
    assert said.startswith("damaged.jsonl.gz: expected a sound gzip file, got a damaged one")


def test_a_result_that_would_replace_what_is_read_is_one_sentence(log, rules, tmp_path):
    truth = tmp_path / "out" / RESULT
    truth.parent.mkdir()
    truth.write_text("borrower_id,cause,began_on,defaulted_on\nB17,,,2025-03-20\n")
    said = one_sentence(forewarn("backtest", log, "--rules", rules, "--truth", truth, "--out", truth.parent))
    assert said == f"{truth}: expected another file to write to, got one that is read; change --out"


def test_a_process_that_dies_is_one_sentence(log, rules, monkeypatch):
    """Its parent waits for a pipe, and the pipe ends."""
    monkeypatch.setattr(workers, "_work", _dies)
    said = one_sentence(forewarn("backtest", log, "--rules", rules, "--processes", "2"))
    assert said.startswith("--processes: expected every process to end its work, got one that ended with 9")


def _dies(*_: object) -> None:
    raise SystemExit(9)


def test_days_that_records_close_are_judged_up_to_the_last_of_them(log, rules):
    lines = log.read_bytes().splitlines()
    log.write_bytes(b"\n".join([*lines[:2], json.dumps(day_ended("2025-03-12")).encode(), *lines[2:]]) + b"\n")
    observed = said_by(log, "--rules", rules)["verdict"]["observed"]
    assert (observed["as_of"], observed["defaulted"]) == ("2025-03-12", 0)
