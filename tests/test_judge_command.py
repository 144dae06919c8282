"""The command `forewarn judge`: what it writes and prints, and one sentence and a 2 for what cannot be judged."""

import json
import re
from pathlib import Path

import pytest

from pipeline.shells.figures import OF_ALL, OF_RULE
from pipeline.shells.show_verdict import label
from pipeline.shells.texts import Language
from pipeline.shells.verdict import Judgement, Terms
from pipeline.shells.verdict_texts import WORDS
from tests.arrival_logs import Ran, forewarn, replayed, written
from tests.test_cli import one_sentence
from tests.test_replay import WORKED
from tests.verdicts import Life, profile_line, replay_folder, truth_file

OUTPUTS = Path(__file__).parents[1] / "docs" / "outputs.md"
HEADER = "borrower_id,cause,began_on,defaulted_on"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two borrowers from 2024 to 2025; B1 was alerted 60 days before its default of 2025-03-02."""
    lives = [Life("B1", "r1", "2025-01-01"), Life("B2", "r[2]", "2024-06-01", "low")]
    return replay_folder(tmp_path / "replay", lives, [profile_line("B1"), profile_line("B2")])


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return truth_file(tmp_path / "truth.csv", "B1,job loss,2025-01-10,2025-03-02")


def judge(folder: Path, truth: Path | None = None, *words: str | Path) -> Ran:
    named = [] if truth is None else ["--truth", truth]
    return forewarn("judge", "--alerts", folder, *named, *words, folder=folder)


# -- what it writes and prints ----------------------------------------------


def test_the_verdict_is_one_json_beside_the_alerts_and_a_table(folder, truth):
    ran = judge(folder, truth)
    assert (ran.code, ran.err) == (0, "")
    verdict = json.loads((folder / "verdict.json").read_bytes())
    assert verdict["overall"]["figures"]["lead_median_days"] == {"value": 60.0, "low": 60.0, "high": 60.0, "of": 1}
    assert [each["of"] for each in verdict["by_rule"]] == ["r1", "r[2]"]
    assert "1 of 2 borrowers defaulted from 2024-01-01 to 2025-12-31; the truth is truth.csv" in ran.out
    assert re.search(r"│ lead time, median +│ +60 days \(60 \.\. 60\) │", ran.out)
    assert re.search(r"│ r\[2\] +│ +1 │", ran.out) and re.search(r"│ job loss +│", ran.out)
    assert ran.out.endswith(f"written to {folder / 'verdict.json'}\n")


def test_out_names_another_place_and_makes_its_folder(tmp_path, folder, truth):
    out = tmp_path / "new" / "judged.json"
    assert judge(folder, truth, "--out", out, "--quiet").out == ""
    assert json.loads(out.read_bytes())["observed"]["defaulted"] == 1
    assert not (folder / "verdict.json").exists()
    assert [path.name for path in out.parent.iterdir()] == ["judged.json"]


def test_the_budget_is_that_of_the_option_or_two_in_a_hundred_a_month(folder, truth):
    judge(folder, truth, "--quiet")
    assert json.loads((folder / "verdict.json").read_bytes())["terms"]["budget_openings_a_day"] == 1
    judge(folder, truth, "--quiet", "--budget", "7")
    assert json.loads((folder / "verdict.json").read_bytes())["terms"]["budget_openings_a_day"] == 7


def test_a_replay_of_the_engine_can_be_judged_and_a_new_one_leaves_no_old_verdict(tmp_path):
    log = written(tmp_path / "log.jsonl", *WORKED)
    ran = replayed(log)
    judged = judge(ran.folder)
    assert judged.code == 0 and "the truth is the defaults in the events" in judged.out
    assert json.loads((ran.folder / "verdict.json").read_bytes())["overall"]["counts"]["alerts"] == 1
    replayed(log)
    assert not (ran.folder / "verdict.json").exists()


def test_the_tables_speak_chinese(folder, truth):
    out = judge(folder, truth, "--lang", "zh").out
    assert "2024-01-01 至 2025-12-31：2 位借款人中 1 位违约；真实结果取自 truth.csv" in out
    assert re.search(r"│ 提前期中位数 +│ +60 天 \(60 \.\. 60\) │", out)
    assert re.search(r"│ 低 +│", out) and re.search(r"│ （未知） +│", out)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_figure_has_a_name_of_its_own_in_both_languages(lang: Language):
    names = [label(name, Terms(budget_openings_a_day=1), lang) for name in dict.fromkeys((*OF_ALL, *OF_RULE))]
    assert len(set(names)) == len(names) and "{" not in "".join(names)
    slots = {key: sorted(re.findall(r"{\w+}", text)) for key, text in WORDS[lang].items()}
    assert slots == {key: sorted(re.findall(r"{\w+}", text)) for key, text in WORDS["en"].items()}


def test_outputs_explains_every_field_of_the_verdict(folder, truth):
    [section] = re.findall(r"^## The verdict\n(.*?)(?=^## )", OUTPUTS.read_text("utf-8"), re.M | re.S)
    named = set(re.findall(r"`([a-z_0-9N]+)`", section))
    judge(folder, truth, "--quiet")
    verdict = json.loads((folder / "verdict.json").read_bytes())
    assert set(verdict) == set(Judgement.__struct_fields__)
    fields = {*verdict, *verdict["observed"], *verdict["terms"], "value", "low", "high"}
    for each in (verdict["overall"], *verdict["by_rule"], *verdict["by_cause"]):
        fields |= {*each, *each["counts"], *(re.sub(r"_[0-9]+_days", "_N_days", name) for name in each["figures"])}
    assert fields - named == set()


# -- a truth that cannot be used --------------------------------------------

BAD_TRUTHS = {
    "no rows of this form": (
        "",
        ": expected a header line with the names of the columns, got an empty file",
    ),
    "columns that are missing": (
        "borrower_id,cause,began,defaulted_on\n",
        ": expected the columns borrower_id, cause, began_on, defaulted_on, got a header without began_on; "
        'did you mean "began"?',
    ),
    "another file": (
        "a,b\n1,2\n",
        ": expected the columns borrower_id, cause, began_on, defaulted_on, got a header without borrower_id, cause, "
        "began_on, defaulted_on; name the truth file",
    ),
    "no borrower": (
        f"{HEADER}\n,illness,,\n",
        ", row 2, borrower_id: expected the id of a borrower, got an empty cell; correct the file",
    ),
    "a borrower twice": (
        f"{HEADER}\nB1,illness,,2025-03-02\nB2,,,\nB1,divorce,,2025-04-02\n",
        ", row 4: expected one row a borrower, got B1 again after row 2; keep the first default of each",
    ),
    "no date": (
        f"{HEADER}\nB1,illness,,02.03.2025\n",
        ', row 2, defaulted_on: expected a date such as 2025-03-05, or nothing, got "02.03.2025"; correct the file',
    ),
    "a date of another form": (
        f"{HEADER}\nB1,illness,20250302,\n",
        ', row 2, began_on: expected a date such as 2025-03-05, or nothing, got "20250302"; correct the file',
    ),
    "a day that is none": (
        f"{HEADER}\nB1,illness,,2025-02-29\n",
        ', row 2, defaulted_on: expected a date such as 2025-03-05, or nothing, got "2025-02-29"; correct the file',
    ),
    "a default before the alerts": (
        f"{HEADER}\nB1,illness,,2023-12-31\n",
        ", row 2, defaulted_on: expected a date from 2024-01-01 on, when the alerts begin, got 2023-12-31; "
        "name the truth of the same period",
    ),
    "a beginning after the default": (
        f"{HEADER}\nB1,illness,2025-03-03,2025-03-02\n",
        ", row 2, began_on: expected a date up to the default on 2025-03-02, got 2025-03-03; correct the file",
    ),
    "one other borrower": (
        f"{HEADER}\nB1,,,\nB9,,,\n",
        ": expected borrowers of the replay, got one that is not in it, first B9 in row 3; "
        "name the truth of the same portfolio",
    ),
    "other borrowers": (
        f"{HEADER}\nB8,,,\nB9,,,\n",
        ": expected borrowers of the replay, got 2 that are not in it, first B8 in row 2; "
        "name the truth of the same portfolio",
    ),
    "a row that is too short": (
        f"{HEADER}\nB1,illness\n",
        ", row 2: expected 4 columns as in the header, got 2; correct the file",
    ),
}


@pytest.mark.parametrize("name", BAD_TRUTHS)
def test_a_truth_that_cannot_be_used_is_one_sentence(tmp_path, folder, name):
    text, sentence = BAD_TRUTHS[name]
    file = tmp_path / "truth.csv"
    file.write_text(text)
    said = one_sentence(judge(folder, file))
    assert said.removeprefix(str(tmp_path) + "/") == f"truth.csv{sentence}"
    assert not (folder / "verdict.json").exists()


def test_a_truth_that_is_no_text_or_not_there_or_a_folder_is_one_sentence(tmp_path, folder):
    file = tmp_path / "truth.csv"
    file.write_bytes(f"{HEADER}\nB1,\xff,,\n".encode("latin-1"))
    assert one_sentence(judge(folder, file)) == f"{file}, row 2: expected UTF-8, got byte 0xff; save the file as UTF-8"
    nothing = tmp_path / "no.csv"
    assert one_sentence(judge(folder, nothing)).startswith(f"{nothing}: expected a readable CSV file, got No such file")
    assert one_sentence(judge(folder, tmp_path)).startswith(f"{tmp_path}: expected a readable CSV file, got Is a dir")


def test_a_truth_of_nobody_says_that_nobody_defaulted(tmp_path, folder):
    ran = judge(folder, truth_file(tmp_path / "truth.csv"))
    assert ran.code == 0 and "0 of 2 borrowers defaulted" in ran.out


def test_trouble_may_begin_and_end_on_the_first_day(tmp_path, folder):
    truth = truth_file(tmp_path / "truth.csv", "B1,fraud,2024-01-01,2024-01-01", "B2,illness,2023-05-01,2024-02-01")
    assert judge(folder, truth, "--quiet").code == 0
    assert json.loads((folder / "verdict.json").read_bytes())["observed"]["defaulted"] == 2


def test_columns_of_the_bank_and_blank_lines_are_passed_over(tmp_path, folder):
    file = tmp_path / "truth.csv"
    file.write_text("region,defaulted_on, borrower_id ,cause,began_on\nnorth,2025-03-02,B1,,\n\n")
    assert judge(folder, file, "--quiet").code == 0
    assert json.loads((folder / "verdict.json").read_bytes())["observed"]["defaulted"] == 1


# -- a folder that cannot be judged -----------------------------------------


def test_a_folder_that_no_replay_wrote_is_one_sentence(tmp_path, folder):
    nothing, empty, file = tmp_path / "no", tmp_path / "empty", tmp_path / "file"
    empty.mkdir()
    file.write_text("")
    expected = "expected a folder that a replay wrote"
    assert one_sentence(judge(nothing)) == f"{nothing}: {expected}, got nothing there; name the --out of a replay"
    assert one_sentence(judge(file)) == f"{file}: {expected}, got a file; name the --out of a replay"
    assert one_sentence(judge(empty)) == (
        f"{empty}: expected the summary.json of a replay, got a folder without it; replay to its end"
    )
    (folder / "profiles.jsonl").unlink()
    assert one_sentence(judge(folder)) == (
        f"{folder}: expected the profiles.jsonl of a replay, got a folder without it; replay to its end"
    )


@pytest.mark.parametrize("name", ["alerts.jsonl", "collection-tasks.jsonl", "profiles.jsonl"])
@pytest.mark.parametrize("line", [b"{}", b"yesterday", b"\xff\xfe", b"[1]"])
def test_other_content_is_one_sentence_with_its_line(folder, name, line):
    with (folder / name).open("ab") as file:
        file.write(line + b"\n")
    number = len((folder / name).read_bytes().splitlines())
    said = one_sentence(judge(folder))
    assert said.startswith(f"{folder / name}, line {number}: expected what a replay wrote, got other content (")
    assert said.endswith("; replay again")


def test_a_summary_of_something_else_and_one_without_a_day_are_one_sentence(folder):
    (folder / "summary.json").write_text("[]")
    assert one_sentence(judge(folder)).startswith(f"{folder / 'summary.json'}: expected what a replay wrote")
    (folder / "summary.json").write_text('{"shelf": "", "first_day": null, "as_of": null, "days_closed": 0}')
    assert one_sentence(judge(folder)) == (
        f"{folder}: expected a replay that closed a day, got one without; replay events with dates"
    )


def test_alerts_of_another_portfolio_are_one_sentence(tmp_path):
    folder = replay_folder(tmp_path / "replay", [Life("B7", "r1", "2025-01-01")], [profile_line("B1")])
    assert one_sentence(judge(folder)) == (
        f"{folder}: expected alerts of borrowers in profiles.jsonl, got r1/B7/1/opened of another; replay again"
    )


# -- options ----------------------------------------------------------------


@pytest.mark.parametrize("budget", ["0", "-3"])
def test_a_budget_of_nothing_is_one_sentence(folder, truth, budget):
    assert one_sentence(judge(folder, truth, "--budget", budget)) == (
        f"--budget: expected a whole number of openings a day from 1 on, got {budget}; leave it out for the usual"
    )


def test_an_output_that_would_replace_what_is_judged_is_one_sentence(folder, truth):
    for name in ("alerts.jsonl", "summary.json"):
        before = (folder / name).read_bytes()
        said = one_sentence(judge(folder, truth, "--out", folder / name))
        assert said == f"{folder / name}: expected another file to write to, got one that is judged; change --out"
        assert (folder / name).read_bytes() == before
    assert one_sentence(judge(folder, truth, "--out", truth)).startswith(f"{truth}: expected another file")


def test_an_output_that_cannot_be_written_is_one_sentence_and_leaves_nothing(tmp_path, folder, truth):
    place = tmp_path / "a-folder"
    place.mkdir()
    said = one_sentence(judge(folder, truth, "--out", place))
    assert said == f"{place}: expected a file that can be written, got Is a directory; change --out"
    under = truth / "verdict.json"
    assert one_sentence(judge(folder, truth, "--out", under)).startswith(
        f"{under}: expected a file that can be written"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-folder", "replay", "truth.csv"]
