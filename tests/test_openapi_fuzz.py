"""Requests made up from the OpenAPI, good and broken ones: the engine answers each as it says that it does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reading import ADMIN, Engine, after_two_months

ROOT = Path(__file__).parent.parent
EXAMPLES = 40 if os.environ.get("CI") == "true" else 10
PHASES = "examples,coverage,fuzzing,stateful"
# A stream never ends, so its answer cannot be read to the end; test_stream.py reads it.
OTHERS = ("/v1/stream", "/v1/events", "/v1/shelves")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with after_two_months(tmp_path_factory.mktemp("fuzz")) as started:
        yield started


def found_by_schemathesis(engine: Engine, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Every check of it on some paths, the same requests every time."""
    (folder / "schemathesis.toml").write_text('seed = 5\nhooks = "tests.schemathesis_hooks"\n')
    [(name, key)] = ADMIN.items()
    code = "from schemathesis.cli import schemathesis; schemathesis()"
    command = [sys.executable, "-c", code, "--config-file", str(folder / "schemathesis.toml")]
    command += ["run", f"{engine.url}/openapi.json", "-H", f"{name}: {key}", "--continue-on-failure", "--no-color"]
    command += ["--max-examples", str(EXAMPLES), "--checks", "all", *words]
    return subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )


def test_every_answer_to_a_reader_is_one_that_the_openapi_tells_of(engine, tmp_path):
    ran = found_by_schemathesis(
        engine, tmp_path, "--phases", PHASES, *(word for path in OTHERS for word in ("--exclude-path", path))
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Selected: 14/18" in ran.stdout and "No issues found" in ran.stdout


def test_every_answer_to_a_sender_is_one_that_the_openapi_tells_of(engine, tmp_path):
    #  A line that is no event is no bad request: the lines beside it are taken, and the answer, 202, says of it alone
    #  that it was refused. So the check that broken bodies get a 4xx is wrong here. The phase `coverage` goes through
    #  every field of every type of event, which takes minutes, and which the tests of the decoder do in seconds.
    phases = PHASES.replace("coverage,", "")
    words = ("--include-path", "/v1/events", "--exclude-checks", "negative_data_rejection", "--phases", phases)
    ran = found_by_schemathesis(engine, tmp_path, *words)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Selected: 1/18" in ran.stdout and "No issues found" in ran.stdout


def test_every_answer_to_a_proposer_is_one_that_the_openapi_tells_of(engine, tmp_path):
    # Files that are texts need not be rules: they are refused, with every fault.
    words = ("--include-path", "/v1/shelves", "--exclude-checks", "positive_data_acceptance", "--phases", PHASES)
    ran = found_by_schemathesis(engine, tmp_path, *words)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Selected: 2/18" in ran.stdout and "Failures" not in ran.stdout, ran.stdout
