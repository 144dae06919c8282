"""What the manual shows of reading an engine is answered by one."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import httpx
import pytest

from pipeline.shells.embedded.reading_routes import LISTS, AlertQuery, DeadLetterQuery, TaskQuery, Walk
from tests.reading import Engine, after_two_months

MANUALS = ("docs/manual.en.md", "docs/manual.zh.md")
ROOT = Path(__file__).parent.parent
READING = [
    (manual, line.strip())
    for manual in MANUALS
    for line in (ROOT / manual).read_text("utf-8").splitlines()
    if line.startswith("    curl ") and "--data" not in line
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with after_two_months(tmp_path_factory.mktemp("manual")) as started:
        yield started


@pytest.mark.parametrize(("manual", "line"), READING, ids=lambda each: each[-60:])
def test_a_command_of_the_manual_is_answered(engine, manual, line):
    #  The traffic knows borrowers B0 to B11, not the manual's B17.
    words = shlex.split(line.replace("KEY", "reads").replace("B17", "B1"))[1:]
    assert {word for word in words if word.startswith("-")} <= {"-H", "-N"}
    name, _, value = words[words.index("-H") + 1].partition(": ")
    url = words[-1].replace("http://127.0.0.1:8200", engine.url)
    with httpx.stream("GET", url, headers={name: value}) as answer:
        assert answer.status_code == 200
        if "-N" in words:
            assert next(answer.iter_lines()).startswith("id: ")
        elif "/v1/" in url:
            assert answer.read().startswith((b'{"items":[', b'{"borrower_id":"B1"'))


def test_the_manuals_show_eight_commands_each():
    assert [manual for manual, _ in READING] == [MANUALS[0]] * 8 + [MANUALS[1]] * 8


@pytest.mark.parametrize("manual", MANUALS)
def test_the_manual_names_every_filter_of_every_list(manual):
    text = (ROOT / manual).read_text("utf-8")
    assert {model for _, model, *_ in LISTS} == {AlertQuery, TaskQuery, DeadLetterQuery}
    for path, model, *_ in LISTS:
        [row] = re.findall(rf"^\| `{path}` \| (.*) \|$", text, re.MULTILINE)
        own = {name.rstrip("_") for name in model.model_fields.keys() - Walk.model_fields.keys()}
        assert set(re.findall(r"`(\w+)`", row)) == own
    assert set(get_args(Walk.model_fields["order"].annotation)) == {"newest", "oldest"}
