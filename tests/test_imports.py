"""Arrows point one way, rules <- pipeline core <- shells, connectors <- console; the core has no clock and no door."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("rules", "models", "pipeline", "connectors", "console", "config", "benchmarks", "tests")
TRANSPORTS = ("faust", "aiokafka", "confluent_kafka", "redis", "sqlalchemy", "fastapi")
# What a module of each part may import of ours, besides its own part.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "rules": (),
    "models": ("rules",),
    "pipeline": ("rules", "models"),
    "config": ("rules",),
    "connectors": ("rules", "models", "pipeline", "config"),
    "pipeline.shells": ("rules", "models", "pipeline", "config", "connectors"),
    "console": ("rules", "models", "pipeline", "pipeline.shells", "config", "connectors"),
}
OPEN_TO_TRANSPORTS = ("pipeline.shells", "connectors", "console")
PURE = ("rules", "models", "pipeline")
# A door to the world, and the few modules that may use it: rule files are read, schemas are written on demand.
FORBIDDEN_CALLS = {"open", "print", "input", "eval", "exec", "__import__"}
CLOCK_AND_CHANCE = {"time", "random", "secrets", "uuid"}
DOORS = {"os", "socket", "subprocess", "threading", "asyncio", "logging"}
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
FILE_ATTRIBUTES = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink"}
READS_RULE_FILES = {"rules/loader.py", "rules/sidecars.py", "rules/versions.py"}
WRITES_SCHEMAS = {"pipeline/schema.py"}
PACKS_APART = {"pipeline/freezing.py"}  # each thread by a packer of its own; it starts none
MAKES_FUNCTIONS = {
    "pipeline/forms.py",
    "pipeline/judge.py",
    "pipeline/layout.py",
    "pipeline/selectors.py",
}  # from checked parts, never from text


def part_of(path: Path) -> str:
    """The part a file belongs to: its top folder, or the shells."""
    folders = path.relative_to(ROOT).parts[:-1]
    return "pipeline.shells" if folders[:2] == ("pipeline", "shells") else folders[0]


def part_of_name(name: str) -> str:
    """The part that an imported name belongs to.

    >>> part_of_name("pipeline.shells.cli"), part_of_name("pipeline.engine"), part_of_name("msgspec")
    ('pipeline.shells', 'pipeline', 'msgspec')
    """
    return "pipeline.shells" if f"{name}.".startswith("pipeline.shells.") else name.split(".")[0]


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of everything that a module imports, at its top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: expected a full name, got a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


FILES = sorted(
    path for top in MAY_IMPORT if "." not in top and (ROOT / top).is_dir() for path in (ROOT / top).rglob("*.py")
)
NAMES = [path.relative_to(ROOT).as_posix() for path in FILES]


def tree_of(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text("utf-8"), name)


@pytest.mark.parametrize("name", NAMES)
def test_a_module_imports_of_ours_only_what_its_arrow_allows(name):
    part = part_of(ROOT / name)
    allowed = {part, *MAY_IMPORT[part]}
    found = {each for each in imported(tree_of(name)) if each.split(".")[0] in OURS}
    assert {each for each in found if part_of_name(each) not in allowed} == set()


@pytest.mark.parametrize("name", [each for each in NAMES if part_of(ROOT / each) not in OPEN_TO_TRANSPORTS])
def test_no_transport_is_imported_outside_the_shells_connectors_and_console(name):
    assert {each for each in imported(tree_of(name)) if each.split(".")[0] in TRANSPORTS} == set()


@pytest.mark.parametrize("name", [each for each in NAMES if part_of(ROOT / each) in PURE])
def test_the_core_has_no_clock_no_chance_and_no_door(name):
    tree = tree_of(name)
    doors = {each for each in imported(tree) if each.split(".")[0] in CLOCK_AND_CHANCE | DOORS}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
            doors.add(node.func.id)
        elif isinstance(node, ast.Attribute):
            doors |= {ast.unparse(node)} & CLOCKS
            doors |= {f".{node.attr}"} if node.attr in FILE_ATTRIBUTES else set()
    if name in READS_RULE_FILES:
        doors -= {".read_text", ".read_bytes", ".write_text"}
    if name in WRITES_SCHEMAS:
        doors -= {".write_text", ".mkdir", "print"}
    if name in MAKES_FUNCTIONS:
        doors -= {"eval", "exec"}
    if name in PACKS_APART:
        doors -= {"threading", "threading.local"}
    assert doors == set()


def test_every_part_of_the_project_is_looked_at():
    assert {part_of(path) for path in FILES} >= {"rules", "pipeline", "pipeline.shells", "connectors", "config"}
    assert len(NAMES) > 50


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import random", {"random"}),
        ("from connectors import ingest", {"connectors", "connectors.ingest"}),
        ("from pipeline import shells", {"pipeline", "pipeline.shells"}),
        ("def f():\n    import faust.app", {"faust.app"}),
    ],
)
def test_no_way_of_writing_an_import_is_overlooked(text, names):
    assert set(imported(ast.parse(text))) == names
