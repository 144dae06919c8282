"""Every file in tests/bad gives exactly the error on its first line; the shipped rules give none."""

from pathlib import Path

import pytest

from pipeline.events import CATALOGUE
from rules.faults import RuleError
from rules.loader import load_rule

BAD = Path(__file__).parent / "bad"


@pytest.mark.parametrize("path", sorted(BAD.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_bad_file_gives_exactly_the_error_on_its_first_line(path):
    expected = path.read_text("utf-8").splitlines()[0].removeprefix("# ")
    with pytest.raises(RuleError) as caught:
        load_rule(path, CATALOGUE)
    assert str(caught.value).replace(f"{BAD}/", "") == expected
