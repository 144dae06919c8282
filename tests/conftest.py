"""How many examples the laws are tried on: many in CI, few at a desk, the same ones every time; browser and editor."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.brokers import Broker, expect_kafka
from tests.language_server import LanguageServer

# Derandomised: a failure that one person sees, everyone sees. Deadlines would make a slow machine a failure.
settings.register_profile("ci", max_examples=10_000, derandomize=True, deadline=None, database=None, print_blob=False)
settings.register_profile("desk", settings.get_profile("ci"), max_examples=300)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "desk")


# -- a browser --------------------------------------------------------------

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _chromium(playwright: Playwright) -> str | None:
    """The machine's own Chromium, else the one that Playwright fetched."""
    found = next((path for name in CHROMIUMS if (path := shutil.which(name)) is not None), None)
    fetched = playwright.chromium.executable_path
    return found or (fetched if Path(fetched).exists() else None)


# Not longer than a module: while it lives, no other test of this thread could run an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser; a test that needs one is skipped at a desk without it, and fails in CI."""
    with sync_playwright() as playwright:
        path = _chromium(playwright)
        if path is None:
            said = f"expected a browser ({', '.join(CHROMIUMS)}), got none; run `make browser`"
            pytest.fail(said) if os.environ.get("CI") == "true" else pytest.skip(said)
        # Chromium refuses its sandbox to root, as whom CI runs.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        found = playwright.chromium.launch(executable_path=path, args=arguments)
        yield found
        found.close()


# -- a broker ---------------------------------------------------------------


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A real broker; a test that needs one is skipped at a desk without Java, and fails in CI."""
    expect_kafka()
    broker = Broker(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.stop()


# -- an editor --------------------------------------------------------------

_SERVER = Path(__file__).parent / "editor" / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    """The language server of YAML with the schemas of rules; skipped at a desk without it, and fails in CI."""
    node = shutil.which("node")
    if node is None or not _SERVER.exists():
        said = "expected node and yaml-language-server, got none; run `make editor`"
        pytest.fail(said) if os.environ.get("CI") == "true" else pytest.skip(said)
    schemas = Path(__file__).parent.parent / "docs" / "schemas"
    by_schema = {
        (schemas / "rule.schema.json").as_uri(): ["*.yaml", "!*.zh.yaml"],
        (schemas / "rule-texts.schema.json").as_uri(): ["*.zh.yaml"],
    }
    yaml = {"schemas": by_schema, "schemaStore": {"enable": False}, "validate": True, "completion": True, "hover": True}
    server = LanguageServer([node, str(_SERVER), "--stdio"], {"yaml": yaml}, tmp_path_factory.mktemp("editor"))
    yield server
    server.close()
