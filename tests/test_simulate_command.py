"""`forewarn simulate`: its files, its faults as the engine sees them, wrong input, and a run that is broken off."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.arrival_logs import SHELF, Ran, forewarn

ROOT = Path(__file__).parents[1]
SMALL = ("simulate", "--borrowers", "40", "--months", "3", "--seed", "7")


def refused(*words: str | Path) -> str:
    """The sentence of a refusal: alone on its line, exit code 2, nothing on the other stream."""
    ran = forewarn("simulate", *words)
    assert (ran.code, ran.out) == (2, "") and ran.err.count("\n") == 1 and "Traceback" not in ran.err
    return ran.err.rstrip("\n")


def replayed(folder: Path) -> tuple[Ran, dict]:
    ran = forewarn("replay", folder / "events.jsonl.gz", "--rules", SHELF, "--out", folder / "out", "--quiet")
    return ran, json.loads((folder / "out" / "summary.json").read_bytes())


def manifest_of(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_bytes())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_run_writes_three_files_and_says_what_it_came_to(tmp_path, lang):
    ran = forewarn(*SMALL, "--out", tmp_path / "p", "--lang", lang)
    assert ran.code == 0 and sorted(p.name for p in (tmp_path / "p").iterdir()) == [
        "events.jsonl.gz",
        "manifest.json",
        "truth.csv",
    ]
    assert "account-events" in ran.out and f"{manifest_of(tmp_path / 'p')['events']:,}" in ran.out
    assert (re.search("[\u4e00-\u9fff]", ran.out) is not None) == (lang == "zh")


def test_a_quiet_run_says_nothing(tmp_path):
    ran = forewarn(*SMALL, "--out", tmp_path / "p", "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_the_engine_takes_every_line_of_a_portfolio_without_faults(tmp_path):
    forewarn("simulate", "--borrowers", "60", "--seed", "3", "--out", tmp_path, "--quiet")
    ran, summary = replayed(tmp_path)
    assert ran.code == 0
    manifest = manifest_of(tmp_path)
    assert summary["dead_letters"] == {} and summary["unknown_fields"] == 0 and summary["waiting"] == 0
    assert summary["events"] == manifest["lines"] == manifest["events"] == sum(manifest["topics"].values())
    assert (summary["first_day"], summary["as_of"]) == (manifest["first_day"], manifest["last_day"])


def test_the_engine_refuses_of_a_portfolio_with_faults_what_the_manifest_says(tmp_path):
    words = ("--borrowers", "50", "--months", "9", "--seed", "3", "--faults", "4", "--out", tmp_path, "--quiet")
    assert forewarn("simulate", *words).code == 0
    _, summary = replayed(tmp_path)
    manifest = manifest_of(tmp_path)
    assert summary["dead_letters"] == manifest["dead_letters"]
    assert set(manifest["dead_letters"]) == {"bad_field", "conflict", "not_json", "unknown_type"}
    assert summary["events"] == manifest["lines"] and summary["waiting"] == 0
    made = manifest["faults_made"]
    assert all(made[name] > 0 for name in ("late", "duplicate", "reversed", "misordered", "held_back"))
    assert manifest["silent_days"] and summary["days_closed"] == (9 * 365) // 12


def test_faults_of_a_feed_change_no_life(tmp_path):
    for name, rate in (("clean", "0"), ("dirty", "3")):
        forewarn(*SMALL, "--faults", rate, "--out", tmp_path / name, "--quiet")
    assert (tmp_path / "clean" / "truth.csv").read_bytes() == (tmp_path / "dirty" / "truth.csv").read_bytes()
    assert manifest_of(tmp_path / "clean")["realised"] == manifest_of(tmp_path / "dirty")["realised"]


def test_only_the_named_shocks_happen(tmp_path):
    words = ("--borrowers", "200", "--months", "6", "--shocks", "job_loss, illness", "--out", tmp_path, "--quiet")
    assert forewarn("simulate", *words).code == 0
    assert set(manifest_of(tmp_path)["shocks"]) == {"job_loss", "illness"}


def test_the_settings_decide_zone_and_minor_units(tmp_path):
    config = tmp_path / "tokyo.yaml"
    config.write_text("zone: Asia/Tokyo\nreporting_currency: JPY\n")
    forewarn(*SMALL, "--out", tmp_path / "p", "--config", config, "--quiet")
    ran = forewarn("replay", tmp_path / "p" / "events.jsonl.gz", "--rules", SHELF, "--out", tmp_path / "out")
    assert ran.code == 0 and json.loads((tmp_path / "out" / "summary.json").read_bytes())["dead_letters"] == {}


def test_the_share_of_firms_can_be_asked_for(tmp_path):
    for share in ("0", "0.5", "1"):
        assert forewarn(*SMALL, "--firms", share, "--out", tmp_path / share, "--quiet").code == 0
    assert [manifest_of(tmp_path / share)["firms"] for share in ("0", "1")] == [0, 40]
    assert 10 <= manifest_of(tmp_path / "0.5")["firms"] <= 30
    assert [manifest_of(tmp_path / share)["firms_share"] for share in ("0", "0.5", "1")] == [0, 0.5, 1]


def test_the_share_of_firms_of_the_parameters_changes_no_byte(tmp_path):
    forewarn(*SMALL, "--out", tmp_path / "usual", "--quiet")
    share = str(manifest_of(tmp_path / "usual")["firms_share"])
    forewarn(*SMALL, "--firms", share, "--out", tmp_path / "asked", "--quiet")
    usual, asked = ((tmp_path / name / "events.jsonl.gz").read_bytes() for name in ("usual", "asked"))
    assert usual == asked


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--borrowers", "0"), "--borrowers: expected a whole number from 1 to 9999999, got 0"),
        (("--borrowers", "5", "--months", "0"), "--months: expected a whole number from 1 to 60, got 0"),
        (("--borrowers", "5", "--seed", "-1"), "--seed: expected a whole number from 0 to 9223372036854775807, got -1"),
        (("--borrowers", "5", "--faults", "-0.1"), "--faults: expected a number from 0 to 10"),
        (("--borrowers", "5", "--faults", "nan"), "--faults: expected a number from 0 to 10"),
        (("--borrowers", "5", "--firms", "1.2"), "--firms: expected a share from 0 (none) to 1 (all), got 1.2"),
        (("--borrowers", "5", "--firms", "nan"), "--firms: expected a share from 0 (none) to 1 (all), got nan"),
        (("--borrowers", "5", "--shocks", "job_los"), "--shocks: expected names out of job_loss, illness, "),
    ],
)
def test_wrong_input_is_one_sentence_and_leaves_nothing(tmp_path, words, sentence):
    assert refused(*words, "--out", tmp_path / "p").startswith(sentence)
    assert not (tmp_path / "p").exists()


def test_an_unknown_shock_is_named_beside_the_known_ones():
    said = refused("--borrowers", "5", "--shocks", "illness,flood", "--out", "nowhere")
    assert said.endswith("turnover_fall, customer_loss, got 'flood'")


def test_an_output_folder_with_files_in_it_is_refused_and_untouched(tmp_path):
    (tmp_path / "kept.txt").write_text("mine")
    said = refused("--borrowers", "5", "--out", tmp_path)
    assert said == f"{tmp_path}: expected an empty folder, got one with files in it; empty it or name another one"
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]
    said = refused("--borrowers", "5", "--out", tmp_path / "kept.txt")
    assert said == f"{tmp_path / 'kept.txt'}: expected a folder for the portfolio, got a file; name another one"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    said = refused("--borrowers", "5", "--out", tmp_path / "file" / "p")
    assert said.startswith(f"{tmp_path / 'file' / 'p'}: expected a file that can be read or written, got ")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to the superuser")
def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    assert "expected a file that can be read or written, got Permission denied" in refused(
        "--borrowers", "5", "--out", tmp_path / "p"
    )


@pytest.mark.parametrize("was_there", [False, True])
def test_a_run_that_is_broken_off_leaves_nothing(tmp_path, was_there):
    out = tmp_path / "p"
    if was_there:
        out.mkdir()
    code = "from pipeline.shells.cli import main; main()"
    words = ["simulate", "--borrowers", "100000", "--out", str(out), "--quiet"]
    run = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        # Who starts the tests in the background may have had them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    until = time.monotonic() + 60
    while not any(out.rglob("aside")) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.3)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130 and b"Traceback" not in err
    assert out.exists() == was_there and not any(tmp_path.rglob("*.*"))
