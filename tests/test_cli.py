"""What the commands say, in both languages or not at all, and what they answer to wrong input: one sentence and a 2."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.shells.texts import TEXTS
from tests.arrival_logs import COUNTS_MISSES, RULE, SHELF, Ran, forewarn, missed, replayed, shelf, told, written
from tests.test_replay import WORKED

SHIPPED = Path(__file__).parents[1] / "rules" / "shelf"


@pytest.fixture
def worked(tmp_path: Path) -> Ran:
    return replayed(written(tmp_path / "log.jsonl", *WORKED))


def one_sentence(ran: Ran) -> str:
    """The sentence of a refusal: alone on its line, no traceback, exit code 2, nothing on the other stream."""
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1 and "Traceback" not in ran.err
    return ran.err.rstrip("\n")


# -- wrong input ------------------------------------------------------------


def test_a_rule_folder_that_is_not_there_is_one_sentence(tmp_path):
    log, folder = written(tmp_path / "log.jsonl", *WORKED), tmp_path / "no-rules"
    said = one_sentence(replayed(log, rules=folder))
    assert said == f"{folder}: expected a folder of rule files, got nothing there; check the name"
    assert one_sentence(forewarn("rules", "check", folder)) == said
    assert one_sentence(forewarn("rules", "test", folder)) == said


def test_an_empty_rule_folder_is_one_sentence(tmp_path):
    (tmp_path / "rules").mkdir()
    log = written(tmp_path / "log.jsonl", *WORKED)
    said = f"{tmp_path / 'rules'}:1:1 file: expected a folder of rules, got no rule files (*.yaml); check the name"
    assert one_sentence(replayed(log, rules=tmp_path / "rules")) == said
    assert not (tmp_path / "out").exists()
    checked = forewarn("rules", "check", tmp_path / "rules")
    assert (checked.code, checked.out.strip()) == (1, said)
    assert one_sentence(forewarn("rules", "test", tmp_path / "rules")) == said


def test_two_rules_of_one_name_are_one_sentence_that_names_both(tmp_path):
    first = shelf(tmp_path / "rules" / "a", misses=COUNTS_MISSES)
    shelf(tmp_path / "rules" / "b", misses=COUNTS_MISSES)
    said = one_sentence(replayed(written(tmp_path / "log.jsonl", *WORKED), rules=tmp_path / "rules"))
    assert "'misses'" in said and str(first / "misses.yaml") in said


def test_two_rule_folders_are_one_shelf(tmp_path):
    folders = [shelf(tmp_path / name, **{name: COUNTS_MISSES}) for name in ("first", "second")]
    log = written(tmp_path / "log.jsonl", missed("e1", "2025-03-01"))
    words = [word for folder in folders for word in ("--rules", folder)]
    ran = forewarn("replay", log, *words, "--out", tmp_path / "out", folder=tmp_path / "out")
    assert ran.alerts == ["first/L4/1/opened", "second/L4/1/opened"]


def test_every_fault_of_a_rule_file_is_a_line_of_its_own(tmp_path):
    rules = shelf(tmp_path / "rules", bad=COUNTS_MISSES | {"severity": "hihg", "when": "misssed >= 2"})
    ran = replayed(written(tmp_path / "log.jsonl", *WORKED), rules=rules)
    assert ran.code == 2
    faults = [line.split(" ", 1)[1] for line in ran.err.splitlines()]
    assert sorted(faults) == [
        "severity: expected low, medium, high or critical, got 'hihg'; did you mean 'high'?",
        "when: no measure named 'misssed'; did you mean 'missed'?",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zome: Asia/Shanghai\n", "settings.yaml:1:1 zome: no such field; did you mean 'zone'?"),
        (
            "zone: Asia/Shangai\n",
            "settings.yaml:1:1 zone: expected a time zone such as Asia/Shanghai, got 'Asia/Shangai'",
        ),
        ("reporting_currency: XYZ\n", "settings.yaml:1:1 reporting_currency: expected a currency of ISO 4217"),
        ("- 1\n", "settings.yaml: expected fields such as 'zone: Asia/Shanghai', got"),
        ("buckets: [1, 30]\n", "settings.yaml:1:1 buckets: expected rising upper bounds that begin with 0"),
    ],
)
@pytest.mark.parametrize("command", ["ingest", "simulate", "replay", "check", "test", "lock", "explain", "demo"])
def test_every_command_refuses_wrong_settings_with_one_sentence(tmp_path, command, text, sentence):
    config = tmp_path / "settings.yaml"
    config.write_text(text)
    log = written(tmp_path / "log.jsonl", *WORKED)
    words: dict[str, list[str | Path]] = {
        "ingest": ["ingest", log, "--mapping", "taiwan_cards", "--out", tmp_path / "events.jsonl"],
        "simulate": ["simulate", "--borrowers", "1", "--out", tmp_path / "out"],
        "replay": ["replay", log, "--out", tmp_path / "out"],
        "check": ["rules", "check"],
        "test": ["rules", "test"],
        "lock": ["rules", "lock", SHELF],
        "explain": ["explain", "a/b/1/opened", "--from", tmp_path],
        "demo": ["demo", "--out", tmp_path / "demo"],
    }
    assert one_sentence(forewarn(*words[command], "--config", config)).startswith(sentence)


def test_settings_that_are_not_there_are_one_sentence(tmp_path):
    config = tmp_path / "no.yaml"
    said = one_sentence(replayed(written(tmp_path / "log.jsonl", *WORKED), config=config))
    assert said == f"{config}: expected a readable settings file, got No such file or directory; check the name"


def test_an_output_folder_that_is_a_file_is_one_sentence(tmp_path):
    log = written(tmp_path / "log.jsonl", *WORKED)
    ran = forewarn("replay", log, "--rules", SHELF, "--out", log, "--quiet")
    assert one_sentence(ran).startswith(f"{log}: expected a file that can be read or written, got File exists")
    assert len(log.read_bytes().splitlines()) == len(WORKED)  # and it is untouched


def test_a_folder_in_place_of_a_file_is_one_sentence(tmp_path):
    said = one_sentence(forewarn("replay", tmp_path, "--rules", SHELF, "--out", tmp_path / "out"))
    assert said == f"{tmp_path}: expected an event file, got a folder; name the files in it"


def test_the_settings_decide_the_buckets(tmp_path):
    config = tmp_path / "settings.yaml"
    config.write_text("buckets: [0, 29, 59]\n")
    late = told("s1", "loan.snapshot", "2025-03-01", loan_id="L4", days_past_due=30, arrears_minor=1)
    ran = replayed(written(tmp_path / "log.jsonl", late), config=config)
    assert ran.records("profiles.jsonl")[0]["loans"][0]["bucket"] == "30-59"


# -- quiet, and two languages -----------------------------------------------


def test_quiet_commands_print_nothing(tmp_path, worked):
    assert (worked.code, worked.out, worked.err) == (0, "", "")
    for words in (
        ["rules", "check", "--quiet"],
        ["rules", "test", "--quiet"],
        ["explain", "missed-and-silent/L4/1/opened", "--from", worked.folder, "--quiet"],
        ["judge", "--alerts", worked.folder, "--quiet"],
        ["demo", "--out", tmp_path / "demo", "--quiet"],
    ):
        ran = forewarn(*words)
        assert (ran.code, ran.out, ran.err) == (0, "", ""), words


def test_a_replay_says_what_it_read_and_wrote_in_the_language_asked_for(tmp_path):
    log = written(tmp_path / "log.jsonl", *WORKED)
    words = ["replay", log, "--rules", SHELF, "--out", tmp_path / "out"]
    english, chinese = forewarn(*words), forewarn(*words, "--lang", "zh")
    assert (english.code, chinese.code) == (0, 0)
    # 2025-01-05 to 2025-03-08 are 27 + 28 + 8 days.
    assert "8 events of 1 borrower, 63 days closed, as of 2025-03-08" in english.out
    assert "1 位借款人的 8 个事件，日终 63 天，截至 2025-03-08" in chinese.out
    assert re.search(r"alerts\.jsonl +│ +1 │ opened 1", english.out)


def test_both_languages_say_the_same_things():
    slots = {lang: {key: sorted(re.findall(r"{\w+}", text)) for key, text in TEXTS[lang].items()} for lang in TEXTS}
    assert slots["en"] == slots["zh"]


def test_a_language_that_nobody_wrote_is_refused(tmp_path):
    ran = forewarn("rules", "test", "--lang", "fr")
    assert ran.code == 2 and "fr" in ran.err


# -- rules ------------------------------------------------------------------


def test_the_shipped_rules_keep_the_laws_and_pass_their_cases():
    assert forewarn("rules", "check").code == 0
    ran = forewarn("rules", "test")
    cases = sum(path.read_text("utf-8").count("  - name: ") for path in SHIPPED.rglob("*.yaml"))
    assert ran.code == 0
    assert f"{cases} of {cases} cases passed" in ran.out


def test_a_case_that_fails_shows_what_was_expected_and_what_came(tmp_path):
    case = {
        "name": "one miss",
        "given": [{"day": 0, "event": "repayment.missed"}],
        "expect": [{"day": 1, "alert": "low"}],
    }
    rules = shelf(tmp_path / "rules", misses=COUNTS_MISSES | {"tests": [*RULE["tests"], case]})
    ran = forewarn("rules", "test", rules)
    assert ran.code == 1
    assert re.search(r"FAIL misses: one miss .*misses\.yaml:1\n", ran.out)
    assert re.search(
        r"\n +0 +repayment\.missed +missed 1 +true +low +✗ *\n +1 +the day ends +missed 1 +true +low +✗", ran.out
    )
    assert "0 of 2 cases passed" in ran.out  # the case of RULE expects nothing
    quiet = forewarn("rules", "test", rules, "--quiet")
    assert quiet.code == 1 and "misses: one miss" in quiet.out


# -- explain ----------------------------------------------------------------


def test_an_opened_alert_is_explained_with_its_numbers_its_rule_and_what_would_clear_it(worked):
    ran = forewarn("explain", "missed-and-silent/L4/1/opened", "--from", worked.folder)
    assert ran.code == 0
    for piece in (
        "3 days late, nothing heard for 10 days",
        "medium · opened · B17 · 2025-03-08T23:59:59.999+08:00",
        "- overdue < 3   (overdue = 3)",
        "- silent < 10   (silent = 10)",
        "any of these, at once:",
        "rule: missed-and-silent",
        "missed-and-silent.yaml, version 1",
    ):
        assert piece in ran.out
    assert re.search(r"silent +│ +10 │ 30d +│ all", ran.out)


def test_a_closed_alert_is_explained_as_the_end_of_its_episode(tmp_path):
    rules = shelf(tmp_path / "rules", misses=COUNTS_MISSES)
    closed = told("e2", "loan.closed", "2025-03-02", loan_id="L4")
    ran = replayed(written(tmp_path / "log.jsonl", missed("e1", "2025-03-01"), closed), rules=rules)
    assert ran.alerts[-1] == "misses/L4/1/closed"
    said = forewarn("explain", "misses/L4/1/closed", "--from", ran.folder)
    assert said.code == 0
    assert "This record is the end of the alert; reason: loan_closed." in said.out
    assert "What would clear it" not in said.out
    chinese = forewarn("explain", "misses/L4/1/closed", "--from", ran.folder, "--lang", "zh")
    assert "这条记录是预警的结束；原因：贷款已了结。" in chinese.out


def test_an_alert_that_is_not_there_is_one_sentence(tmp_path, worked):
    said = one_sentence(forewarn("explain", "missed-and-silent/L4/2/opened", "--from", worked.folder))
    assert said.startswith("missed-and-silent/L4/2/opened: expected the id of an alert in")


def test_a_folder_that_holds_something_else_is_one_sentence(tmp_path):
    (tmp_path / "alerts.jsonl").write_text("a/b/1/opened, yesterday\n")
    said = one_sentence(forewarn("explain", "a/b/1/opened", "--from", tmp_path))
    assert said.startswith(f"{tmp_path}: expected what a replay wrote, got other content")


# -- demo, and the command itself -------------------------------------------


@pytest.mark.parametrize(("lang", "title"), [("en", "The borrowers most at risk"), ("zh", "风险最高的借款人")])
def test_the_demo_runs_on_the_shipped_sample_and_names_an_alert_that_can_be_explained(tmp_path, lang, title):
    ran = forewarn("demo", "--real", "--out", tmp_path / "demo", "--lang", lang, folder=tmp_path / "demo")
    assert ran.code == 0 and title in ran.out
    assert (ran.summary["borrowers"], ran.summary["dead_letters"]) == (1_000, {})
    assert len(ran.lines("profiles.jsonl")) == 1_000
    named = re.search(r"forewarn explain (\S+) --from", ran.out)
    assert named is not None and named[1] in ran.alerts
    assert forewarn("explain", named[1], "--from", ran.folder).code == 0


def test_the_command_itself_answers_wrong_input_with_a_sentence_and_a_2(tmp_path):
    words = [sys.executable, "-c", "from pipeline.shells.cli import main; main()"]
    ran = subprocess.run(
        [*words, "replay", tmp_path / "no.jsonl", "--out", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"{tmp_path / 'no.jsonl'}: expected an event file, got nothing there; check the name\n"
    log = written(tmp_path / "log.jsonl", *WORKED)
    ran = subprocess.run(
        [*words, "replay", log, "--rules", SHELF, "--out", tmp_path / "out"], capture_output=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert len(json.loads((tmp_path / "out" / "summary.json").read_bytes())["alerts"]) == 1
