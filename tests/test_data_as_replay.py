"""Commands that read a replay read an engine's data directory as well, running or not, and say the same of it."""

import json
from pathlib import Path

import pytest

from tests.arrival_logs import Ran, forewarn, shelf, written
from tests.arrival_traffic import arrival_log, rules
from tests.engine_process import running

Folders = tuple[Path, Path]  # of a replay, and of an engine that was told the same


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    folder = tmp_path_factory.mktemp("both")
    log = written(folder / "events.jsonl", *arrival_log(11, with_day_ended=True))
    rule_folder, data = shelf(folder / "rules", **rules()), folder / "data"
    assert forewarn("backfill", log, "--until", "2025-03-01", "--data", data, "--rules", rule_folder).code == 0
    assert forewarn("replay", log, "--rules", rule_folder, "--out", folder / "replayed").code == 0
    return folder / "replayed", data


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def both(folders: Folders, *words: str | Path) -> list[Ran]:
    return [forewarn(*(folder if word == "HERE" else word for word in words)) for folder in folders]


def test_the_report_is_the_same_page_and_nothing_is_left_among_the_engines_files(folders, tmp_path):
    before = files_in(folders[1])
    for n, folder in enumerate(folders):
        assert forewarn("report", "--from", folder, "--out", tmp_path / f"{n}.html").code == 0
    assert (tmp_path / "0.html").read_bytes() == (tmp_path / "1.html").read_bytes()
    assert files_in(folders[1]) == before


def test_a_report_of_an_engine_that_runs(folders, tmp_path):
    with running(folders[1].parent, folders[1].parent / "rules"):
        ran = forewarn("report", "--from", folders[1], "--out", tmp_path / "page.html")
    assert (ran.code, ran.out) == (0, f"written to {tmp_path / 'page.html'}\n")


def test_an_alert_is_explained_alike(folders):
    alert = json.loads((folders[0] / "alerts.jsonl").read_bytes().splitlines()[0])["id"]
    replayed, kept = both(folders, "explain", alert, "--from", "HERE")
    assert replayed.code == kept.code == 0
    assert replayed.out == kept.out != ""
    [strange] = both(folders[1:], "explain", "nothing/1/1/opened", "--from", "HERE")
    assert strange.code == 2 and f"of {folders[1]}, got one that is not there" in strange.err


def test_a_verdict_is_the_same(folders, tmp_path):
    for n, folder in enumerate(folders):
        assert forewarn("judge", "--alerts", folder, "--out", tmp_path / f"{n}.json").code == 0
    assert (tmp_path / "0.json").read_bytes() == (tmp_path / "1.json").read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ("judge", "--alerts", "HERE"),
        ("report", "--from", "HERE", "--out", "forewarn.sqlite"),
        ("judge", "--alerts", "HERE", "--out", "verdict.json"),
    ],
)
def test_nothing_is_written_among_the_files_of_an_engine(folders, words, monkeypatch):
    monkeypatch.chdir(folders[1])
    before = files_in(folders[1])
    [ran] = both(folders[1:], *words)
    assert ran.code == 2 and "--out: expected a file outside the data directory" in ran.err
    assert files_in(folders[1]) == before


def test_a_folder_that_is_neither_is_refused_as_before(tmp_path):
    ran = forewarn("report", "--from", tmp_path, "--out", tmp_path / "page.html")
    assert ran.code == 2 and "expected the summary.json of a replay" in ran.err
