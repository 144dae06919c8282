"""Every file in tests/bad gives exactly the error on its first line; the shipped rules give none."""

import doctest
import re
from pathlib import Path

import pytest

from pipeline.events import CATALOGUE
from rules.faults import RuleError
from rules.loader import load_rule

BAD = Path(__file__).parent / "bad"
RULES = Path(__file__).parent.parent / "rules"


@pytest.mark.parametrize("path", sorted(BAD.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_bad_file_gives_exactly_the_error_on_its_first_line(path):
    expected = path.read_text("utf-8").splitlines()[0].removeprefix("# ")
    with pytest.raises(RuleError) as caught:
        load_rule(path, CATALOGUE)
    assert str(caught.value).replace(f"{BAD}/", "") == expected


def test_every_bad_file_is_named_for_its_fault_and_has_only_one():
    files = sorted(BAD.glob("*.yaml"))
    assert len(files) >= 40
    for path in files:
        lines = path.read_text("utf-8").splitlines()
        assert lines[0].startswith(f"# {path.name}:"), path.name
        assert not lines[1].startswith("#"), path.name


def test_the_readme_of_the_rules_runs():
    assert doctest.testfile(str(RULES / "README.md"), module_relative=False).failed == 0


def test_the_rule_in_the_readme_loads(tmp_path):
    block = re.search(r"```yaml\n(.*?)```", (RULES / "README.md").read_text("utf-8"), re.DOTALL)
    path = tmp_path / "promise-broken-again.yaml"
    path.write_text(block[1], "utf-8")
    assert list(load_rule(path, CATALOGUE).measure) == ["broken", "owed"]
