"""The tutorial is true: its session is run from the first file to the last command, and prints what it shows."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sessions import Step, Terminal, changed, is_as_shown, steps_of

FOLDER = Path(__file__).parent.parent / "docs" / "rules"
PAGE = FOLDER / "tutorial.en.md"
STEPS = steps_of(PAGE.read_text("utf-8"))
COMMANDS = [step for step in STEPS if step.prints or step.kind == "command"]
LAST = max(step.chapter for step in STEPS)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, list[str]]]:
    """What each step printed, by its place."""
    terminal = Terminal(tmp_path_factory.mktemp("tutorial"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(terminal.folder)
        try:
            yield {place: terminal.take(step) for place, step in enumerate(STEPS)}
        finally:
            terminal.close()


@pytest.mark.parametrize("step", COMMANDS, ids=lambda step: f"{step.chapter}-{step.text or 'goes on'}"[:60])
def test_a_command_prints_what_the_tutorial_shows(printed, step: Step):
    got = printed[STEPS.index(step)]
    assert is_as_shown(step.prints, got), "\n".join(got)


def test_the_tutorial_is_a_whole_session():
    used = " ".join(step.text for step in STEPS if step.kind == "command")
    for name in (
        "rules new",
        "watch",
        "check",
        "test",
        "--nudge",
        "tune",
        "coverage",
        "publish",
        "approve",
        "rollback",
    ):
        assert name in used, name
    for name in ("simulate", "backtest", "explain"):
        assert f"forewarn {name}" in used, name


def test_both_languages_show_the_same_session():
    chinese = (FOLDER / "tutorial.zh.md").read_text("utf-8")
    assert steps_of(chinese) == STEPS
    assert len(re.findall(r"^## ", chinese, re.MULTILINE)) == LAST


def test_what_a_page_shows_wrongly_would_be_noticed():
    page = "## One\n```console\n$ forewarn rules lock DIR\nmade\n[...]\nin … ms\n```\n"
    (step,) = steps_of(page)
    assert (step.chapter, step.text) == (1, "forewarn rules lock DIR")
    assert is_as_shown(step.prints, ["made", "two", "in 12 ms  "])
    assert not is_as_shown(step.prints, ["made", "two", "in 12 s"])
    assert not is_as_shown(step.prints, ["mad", "in 12 ms"])
    with pytest.raises(AssertionError, match="found them 2 times"):
        changed("a\nb\na\n", "-a\n+b\n")


def test_a_command_that_fails_is_shown_with_its_exit_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    terminal = Terminal(tmp_path)
    failing = Step(1, "command", "forewarn rules check nowhere")
    assert "expected a folder" in terminal.take(failing)[0]
    with pytest.raises(AssertionError, match="a command failed"):
        terminal.take(failing)
    assert terminal.take(Step(1, "command", "echo $?")) == ["2"]
