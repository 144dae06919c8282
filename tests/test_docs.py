"""The documents are true: commands exist and run, links resolve, generated pages are current, languages agree."""

import importlib.util
import json
import re
import shlex
import textwrap
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipeline.shells.cli import app

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "rules").glob("*.md")])
PAIRS = [
    ("README.md", "README.zh-CN.md"),
    ("docs/manual.en.md", "docs/manual.zh.md"),
    ("docs/rules/tutorial.en.md", "docs/rules/tutorial.zh.md"),
]
COMMANDS = typer.main.get_command(app)
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"\n\n((?: {4}[^\n]*\n)+)")
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def blocks(text: str) -> list[str]:
    """Every block of code, fenced ones first, without margins."""
    return FENCED.findall(text) + [textwrap.dedent(block) for block in INDENTED.findall(FENCED.sub("", text))]


def shown_commands(text: str) -> list[list[str]]:
    """Every `forewarn ...` in a block or span of code, without the marks of a synopsis."""
    lines = [line.removeprefix("$ ") for block in blocks(text) for line in block.splitlines()]
    lines += SPAN.findall(FENCED.sub("", text))
    return [shlex.split(re.sub(r"\.\.\.|[\[\]]", " ", line))[1:] for line in lines if line.startswith("forewarn ")]


def accepted(words: list[str]) -> str | None:
    """What the command line would not accept of a command, or None."""
    command = COMMANDS
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return f"no command {words[:1]}"
        command, words = command.commands[words[0]], words[1:]
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    return next((word for word in words if word.startswith("--") and word not in options), None)


def anchors(page: Path) -> set[str]:
    """The fragments that a page's headings can be linked by."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def run(words: list[str], out: Path) -> tuple[int, str]:
    """A command as the documents show it, with `out` in another place."""
    moved = [str(out / word.removeprefix("out/")) if word.startswith("out/") else word for word in words]
    if words == ["demo"]:
        moved += ["--out", str(out / "demo")]
    result = CliRunner().invoke(app, moved)
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, Path]]:
    """Every command of README's list of commands that run as they stand: its exit code, output and folder."""
    out = tmp_path_factory.mktemp("out")
    done = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        _, _, to_run = blocks((ROOT / "README.md").read_text("utf-8"))[:3]
        for line in to_run.splitlines():
            done[line.removeprefix("$ ")] = (*run(shlex.split(line)[2:], out), out)
    return done


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_shown_exists_with_its_options(page):
    refused = {
        " ".join(words): fault for words in shown_commands(page.read_text("utf-8")) if (fault := accepted(words))
    }
    assert refused == {}


def test_a_command_or_option_that_does_not_exist_would_be_noticed():
    assert shown_commands("a\n\n    forewarn replay A... [--rules DIR]\n") == [["replay", "A", "--rules", "DIR"]]
    assert shown_commands("```console\n$ forewarn demo\nsaid\n```\nor `forewarn rules check`") == [
        ["demo"],
        ["rules", "check"],
    ]
    assert accepted(["replay", "A", "--rules", "DIR"]) is None
    assert accepted(["replay", "A", "--rulez", "DIR"]) == "--rulez"
    assert accepted(["rules", "forecast"]) == "no command ['forecast']"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    lost = []
    for link in LINK.findall(page.read_text("utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (fragment and fragment not in anchors(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_the_chinese_page_has_the_sections_and_code_of_the_english_one(english, chinese):
    texts = [(ROOT / name).read_text("utf-8") for name in (english, chinese)]
    levels = [[len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)] for text in texts]
    assert levels[0] == levels[1]
    assert blocks(texts[0]) == blocks(texts[1])
    assert len(blocks(texts[0])) > 3


def test_every_command_of_the_readme_runs(runs):
    assert len(runs) == 9
    assert {command: output for command, (code, output, _) in runs.items() if code != 0} == {}


def test_the_session_of_the_readme_is_what_the_demo_prints(runs):
    _, output, _ = runs["forewarn demo"]
    printed = {line.strip() for line in output.splitlines()}
    session = blocks((ROOT / "README.md").read_text("utf-8"))[0].splitlines()
    assert session[0] == "$ forewarn demo"
    assert len(session) == 8
    assert [line for line in session[1:] if line.strip() not in printed] == []


def test_the_rule_in_the_readme_stands_in_its_file():
    rule = (ROOT / "docs/examples/rules/missed-and-silent.yaml").read_text("utf-8")
    (shown,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert shown in rule


def test_the_story_in_the_manual_is_what_the_replay_says(runs):
    _, _, out = runs["forewarn replay docs/examples/one_loan.jsonl --rules docs/examples/rules --out out/one_loan"]
    alerts = [json.loads(line) for line in (out / "one_loan" / "alerts.jsonl").read_bytes().splitlines()]
    told = [(a["id"], a["business_date"], a.get("reason"), a.get("say")) for a in alerts]
    # Due on 5 March and unpaid; paid on the 10th; that reversed on the 12th; a payment of the 11th is told on the 13th.
    # The last payment before was on 5 February: 31 days before 8 March, 35 before 12 March (February has 28).
    assert told == [
        ("missed-and-silent/L4/1/opened", "2025-03-08", None, "3 days late, no payment for 31 days"),
        ("missed-and-silent/L4/1/closed", "2025-03-10", "cleared", None),
        ("missed-and-silent/L4/2/opened", "2025-03-12", None, "7 days late, no payment for 35 days"),
        ("missed-and-silent/L4/2/closed", "2025-03-13", "corrected", None),
    ]
    (task, cancelled, *_) = (out / "one_loan" / "collection-tasks.jsonl").read_bytes().splitlines()
    assert json.loads(task)["due_by"] == "2025-03-10T18:00:00+08:00"  # two days after Saturday the 8th, a Monday
    assert json.loads(cancelled)["status"] == "cancelled"


def test_outputs_has_a_section_for_every_file_of_a_replay(runs):
    _, _, out = runs["forewarn replay out/our_loans.jsonl --out out/our_loans"]
    sections = set(re.findall(r"^## (\S+\.jsonl?)$", (ROOT / "docs/outputs.md").read_text("utf-8"), re.MULTILINE))
    assert {path.name for path in (out / "our_loans").iterdir()} == sections


@pytest.mark.parametrize(
    "name",
    [
        *("alerts", "collection-tasks", "dead-letters", "profiles", "months", "queues"),
        *("rules", "order", "disagreements", "connected", "summary"),
    ],
)
def test_outputs_explains_every_field_that_a_replay_writes(runs, name):
    text = (ROOT / "docs/outputs.md").read_text("utf-8")
    (section,) = re.findall(rf"^## {name}\.jsonl?\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"[`\"{ ]([a-z_]+)[`\"]", section))
    folder = runs["forewarn demo"][2] / "demo"
    fields = set()
    for path in folder.glob(f"{name}.json*"):
        records = [path.read_bytes()] if path.suffix == ".json" else path.read_bytes().splitlines()
        for record in records:
            fields |= set(json.loads(record))
    assert fields - named == set()


def test_the_exposure_of_the_mapped_example_is_the_balance_of_the_evening(runs):
    _, _, out = runs["forewarn replay out/our_loans.jsonl --out out/our_loans"]
    profiles = [json.loads(line) for line in (out / "our_loans" / "profiles.jsonl").read_bytes().splitlines()]
    # The payment of 749.50 at noon is in the balance of 11,250.50 at eight.
    assert [(p["borrower_id"], p["exposure_minor"]) for p in profiles] == [("B17", 1_125_050), ("B18", 800_000)]


def test_the_page_of_events_is_current():
    path = ROOT / "docs" / "make_events.py"
    spec = importlib.util.spec_from_file_location("make_events", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text("utf-8") == module.page(), "run `python docs/make_events.py`"
