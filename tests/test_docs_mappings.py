"""The page on mappings carries a newcomer from a CSV to a replay, and each step that it shows is true."""

import re
import shlex
from pathlib import Path

import pytest

from connectors.mapping import Emission, Folder, Heading, Lookup, OneFile, Part, Refusal
from connectors.mapping_file import shipped_mappings
from connectors.values import Requirement, Value
from tests.test_docs import FENCED, ROOT, SPAN, run

PAGE = (ROOT / "docs/mappings.md").read_text("utf-8")


def shown(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_pieces_of_the_worked_example_are_its_files():
    folder = ROOT / "docs/examples/small_bank"
    assert shown("text") == [(folder / name).read_text("utf-8") for name in ("loans.csv", "instalments.csv")]
    mapping = "".join(f"{piece}\n" for piece in shown("yaml"))
    written = (ROOT / "docs/examples/small_bank.yaml").read_text("utf-8")
    assert re.sub(r"\n+", "\n", mapping) == re.sub(r"\n+", "\n", written)


def test_the_sessions_of_the_worked_example_run_and_print_what_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    commands = 0
    for session in shown("console"):
        printed: set[str] = set()
        for line in session.splitlines():
            if line.startswith("$ forewarn "):
                code, output = run(shlex.split(line)[2:], tmp_path)
                assert code == 0, output
                printed = {each.strip() for each in output.splitlines()}
                commands += 1
            else:
                assert line.strip() in printed
    assert commands == 3


@pytest.mark.parametrize("model", [OneFile, Folder, Part, Lookup, Refusal, Emission, Requirement, Value, Heading])
def test_the_page_names_every_field_that_a_mapping_may_have(model):
    named = set(re.findall(r"[a-z_]+", " ".join(SPAN.findall(FENCED.sub("", PAGE)))))
    assert set(model.model_fields) - named - {"constant"} == set()


@pytest.mark.parametrize("name", shipped_mappings())
def test_the_page_lists_every_shipped_mapping_with_settings_that_are_there(name):
    (settings,) = re.findall(rf"^\| \[{name}\].*?(config/\w+\.yaml) \|", PAGE, re.MULTILINE)
    assert Path(ROOT / settings).exists()
