"""Broken rule files give sentences with line and column, never a traceback."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.events import CATALOGUE
from rules.faults import RuleError
from rules.loader import load_rule

SHELF = Path(__file__).parent.parent / "rules" / "shelf" / "samples"
GOOD = [path.read_bytes() for path in sorted(SHELF.glob("*.yaml")) if not path.name.endswith(".zh.yaml")]
SENTENCE = re.compile(r".+\.yaml:[1-9]\d*:[1-9]\d* (?:[\w.\[\]-]|'[^\n]*'|\"[^\n]*\")+: \S.*")
FILES = 1_000
STRANGE = ["5", "-1", "1.5", "true", "null", "[]", "{}", "[1, [2]]", "{a: {b: c}}", "'x'", "''", "2025-02-30",
"no", "010",
           "1:30", "!!python/object:os.system x", "&a [*a]", "*gone", "1e999", "9" * 400, "\U0001f4b8",
           "{{missed}}", "~"]  # fmt: skip
WORDS = [
    "missed",
    "over",
    "where",
    "and",
    ">=",
    "0.85",
    "60d",
    "amount",
    "{",
    "}",
    "(",
    ")",
    "'",
    '"',
    "#",
    ":",
    "-",
    "\n",
]


def without_a_line(lines: list[bytes], chance: random.Random) -> list[bytes]:
    gone = chance.randrange(len(lines))
    return lines[:gone] + lines[gone + 1 :]


def with_a_line_twice(lines: list[bytes], chance: random.Random) -> list[bytes]:
    twice = chance.randrange(len(lines))
    return [*lines[: twice + 1], *lines[twice:]]


def with_two_lines_exchanged(lines: list[bytes], chance: random.Random) -> list[bytes]:
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    swapped = list(lines)
    swapped[one], swapped[two] = swapped[two], swapped[one]
    return swapped


def with_a_strange_value(lines: list[bytes], chance: random.Random) -> list[bytes]:
    places = [i for i, line in enumerate(lines) if b": " in line]
    at = chance.choice(places)
    before, _, _ = lines[at].partition(b": ")
    return [*lines[:at], before + b": " + chance.choice(STRANGE).encode() + b"\n", *lines[at + 1 :]]


def with_random_bytes(lines: list[bytes], chance: random.Random) -> list[bytes]:
    text = b"".join(lines)
    at = chance.randrange(len(text))
    return [text[:at], chance.randbytes(chance.randint(1, 4)), text[at + chance.randint(0, 3) :]]


def with_a_word_elsewhere(lines: list[bytes], chance: random.Random) -> list[bytes]:
    text = b"".join(lines)
    at = chance.randrange(len(text))
    return [text[:at], chance.choice(WORDS).encode(), text[at + chance.randint(0, 6) :]]


def cut_short(lines: list[bytes], chance: random.Random) -> list[bytes]:
    text = b"".join(lines)
    return [text[: chance.randrange(len(text))]]


def indented_otherwise(lines: list[bytes], chance: random.Random) -> list[bytes]:
    at = chance.randrange(len(lines))
    return [*lines[:at], b" " * chance.randint(1, 3) + lines[at], *lines[at + 1 :]]


MUTATIONS: list[Callable[[list[bytes], random.Random], list[bytes]]] = [
    without_a_line,
    with_a_line_twice,
    with_two_lines_exchanged,
    with_a_strange_value,
    with_random_bytes,
    with_a_word_elsewhere,
    cut_short,
    indented_otherwise,
]


def faults_of(path: Path, text: bytes) -> list[str]:
    """The sentences about a text; none when it is a good rule. Anything else than RuleError fails the test."""
    path.write_bytes(text)
    try:
        load_rule(path, CATALOGUE)
    except RuleError as error:
        return [str(fault) for fault in error.faults]
    return []


@pytest.mark.parametrize("good", GOOD, ids=lambda text: text.split(b"\n")[0].decode().removeprefix("rule: "))
def test_every_broken_file_gives_sentences_with_line_and_column(good, tmp_path):
    name = good.split(b"\n")[0].decode().removeprefix("rule: ")
    chance = random.Random(name)
    broken = 0
    for i in range(10 * FILES):
        if broken >= FILES // len(GOOD) + 1:
            break
        lines = good.splitlines(keepends=True)
        for mutate in chance.sample(MUTATIONS, chance.randint(1, 2)):
            lines = mutate(lines, chance) or [b"\n"]
        faults = faults_of(tmp_path / f"{name}.yaml", b"".join(lines))
        broken += bool(faults)
        assert all(SENTENCE.fullmatch(fault) for fault in faults), (i, faults)
    assert broken >= FILES // len(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\n", b"# only a comment\n", b"\x00", b"\xff\xfe", b"[]", b"5", b"a", b"- a\n- b", b"? [a]\n: b",
        b"---\na: 1\n---\nb: 2", b"[" * 100_000, b"{a: " * 5_000, b"- " * 5_000, b"a: &x [*x]\n", b"<<: {rule: x}\n",
        b"%YAML 9.9\n---\na: 1", b"a: \xf0\x9f\x92\xb8", b"measure: {a: {b: {c: {d: {e: 1}}}}}", b"tests: [{given: 5}]",
        b"tests: [5]", b"measure: []", b"measure: {1: 2}", b"escalate: []", b"when: " + b"(" * 1_000,
        b"when: " + b"not " * 499 + b"a", b"when: " + b"-" * 1_900 + b"a", b"x" * 2_000_000,
    ],
)  # fmt: skip
def test_a_text_that_is_no_rule_at_all_gives_sentences_too(text, tmp_path):
    faults = faults_of(tmp_path / "strange.yaml", text)
    assert faults
    assert all(SENTENCE.fullmatch(fault) for fault in faults), faults
