"""Files that no analyst means to write: huge, folded in on themselves, from another system, changed while read."""

from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.events import CATALOGUE
from rules.loader import READINGS, load_file, load_rule
from rules.yaml_text import LONGEST_TEXT
from tests.arrival_logs import forewarn

NAME = "second-missed-instalment"
SAMPLE = (Path(__file__).parent.parent / "rules" / "shelf" / "samples" / f"{NAME}.yaml").read_text("utf-8")
LINES = 100_000


def said(folder: Path, text: str | bytes) -> list[str]:
    path = folder / f"{NAME}.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return [str(fault).removeprefix(f"{folder}/{NAME}.yaml:") for fault in load_file(path, CATALOGUE).faults]


# -- size -------------------------------------------------------------------


def test_a_hundred_thousand_lines_are_read_when_they_are_right(tmp_path):
    assert said(tmp_path, SAMPLE.replace("guide:\n", "guide:\n" + "  - x\n" * LINES, 1)) == []


def test_a_hundred_thousand_unknown_fields_are_a_hundred_thousand_faults(tmp_path):
    faults = said(tmp_path, SAMPLE + "".join(f"f{n}: 1\n" for n in range(LINES)))
    first = SAMPLE.count("\n") + 1
    assert len(faults) == LINES
    assert faults[0] == f"{first}:1 f0: no such field"
    assert faults[-1] == f"{first + LINES - 1}:1 f{LINES - 1}: no such field"


def test_a_near_name_is_offered_in_a_file_with_few_unknown_fields_only(tmp_path):
    assert said(tmp_path, SAMPLE.replace("quiet:", "quite:"))[0].endswith("no such field; did you mean 'quiet'?")
    many = "".join(f"f{n}: 1\n" for n in range(300))
    faults = said(tmp_path, SAMPLE + many + "quite: 1d\n")
    assert faults[-1].endswith("quite: no such field")


def test_a_file_beyond_any_rule_is_one_sentence(tmp_path):
    assert said(tmp_path, SAMPLE + "# x\n" * 300_000) == [
        f"1:1 file: expected at most {LONGEST_TEXT} characters, got {len(SAMPLE) + 1_200_000}"
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("quiet: 14d", "quiet: 1" + "_" * 400_000 + "x"),
        ("quiet: 14d", "quiet: " + "1:1" * 200_000 + "x"),
        ("when: missed >= 2", "when: missed >= 2" + " and missed >= 2" * 50_000),
        ("count: repayment.missed", 'count: "repayment.missed' + " " * 400_000 + 'x"'),
        ('say: "', 'say: "' + "{" * 300_000),
        ('say: "', 'say: "' + "1." * 300_000),
        ("title: ", "title: " + "1." * 300_000),
    ],
    ids=["number", "clock", "condition", "blanks", "braces", "digits", "title"],
)
def test_a_word_of_a_hundred_thousand_characters_is_one_short_sentence(tmp_path, old, new):
    # Each of these once was, or would be, a search that takes the square of its length.
    faults = said(tmp_path, SAMPLE.replace(old, new, 1))
    assert faults
    assert all(len(fault) < 400 for fault in faults)


# -- aliases ----------------------------------------------------------------


def test_a_bomb_of_lists_goes_off_as_sentences(tmp_path):
    names = "abcdefghijklmnopqrst"
    bomb = "a: &a [x, x, x]\n" + "".join(
        f"{name}: &{name} [*{before}, *{before}, *{before}]\n" for before, name in pairwise(names)
    )
    faults = said(tmp_path, bomb + SAMPLE)
    assert sum("an alias (*name) is not allowed here" in fault for fault in faults) == 3 * (len(names) - 1)


def test_a_bomb_of_one_long_text_goes_off_as_sentences(tmp_path):
    long = "word " * 60_000
    text = SAMPLE.replace("why: >\n", f"why: &w >\n  {long}\n", 1).replace("guide:\n", "guide:\n" + "  - *w\n" * 2_000)
    faults = said(tmp_path, text)
    assert len(faults) == 2_000
    assert faults[0].endswith("guide[0]: an alias (*name) is not allowed here; write the value out")


# -- other systems ----------------------------------------------------------


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path):
    path = tmp_path / f"{NAME}.yaml"
    path.write_bytes(SAMPLE.encode())
    plain = load_rule(path, CATALOGUE)
    path.write_bytes("\ufeff".encode() + SAMPLE.replace("\n", "\r\n").encode())
    windows = load_rule(path, CATALOGUE)
    assert windows.hash == plain.hash
    assert [case.line for case in windows.tests] == [case.line for case in plain.tests]


def _line(part: str) -> int:
    return SAMPLE[: SAMPLE.index(part)].count("\n") + 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old-mac"])
def test_a_fault_stands_in_the_same_line_whatever_ends_it(tmp_path, end):
    broken = SAMPLE.replace("severity: high", "severity: hihg").replace("\n", end)
    (fault,) = said(tmp_path, broken.encode())
    assert fault.startswith(f"{_line('severity: high')}:11 severity: expected low, medium")
    indented = SAMPLE.replace("  missed:", "\tmissed:", 1).replace("\n", end)
    (fault,) = said(tmp_path, indented.encode())
    assert fault.startswith(f"{_line('  missed:')}:1 file: not YAML")
    assert fault.endswith("a tab stands before the first word; indent with spaces")


def test_tabs_between_words_are_blanks(tmp_path):
    text = SAMPLE.replace("quiet: 14d", "quiet:\t14d").replace("missed >= 2 and", "missed >= 2\tand")
    assert said(tmp_path, text) == []


def test_a_file_of_another_encoding_says_so(tmp_path):
    assert said(tmp_path, SAMPLE.encode("utf-16")) == [
        "1:1 file: expected UTF-8, got other bytes; save the file as UTF-8"
    ]


# -- files that move --------------------------------------------------------


@pytest.fixture
def restless(tmp_path, monkeypatch):
    """A file that somebody goes on writing: the number of readings after which each is followed by a change."""
    path = tmp_path / f"{NAME}.yaml"
    path.write_text(SAMPLE, "utf-8")
    read_bytes = Path.read_bytes
    left: list[int] = []

    def read_and_write(self: Path) -> bytes:
        found = read_bytes(self)
        if left and left[0] > 0:
            left[0] -= 1
            self.write_bytes(found + b"# more\n")
        return found

    monkeypatch.setattr(Path, "read_bytes", read_and_write)
    return path, left


def test_a_file_that_changes_while_it_is_read_is_read_again(restless):
    path, left = restless
    left.append(READINGS - 1)
    assert load_rule(path, CATALOGUE).text == SAMPLE + "# more\n" * (READINGS - 1)


def test_a_file_that_never_stands_still_is_a_sentence(restless):
    path, left = restless
    left.append(READINGS)
    (fault,) = load_file(path, CATALOGUE).faults
    assert str(fault).endswith(
        "expected a file that stands still, got one that changed whenever it was read; check again later"
    )


def test_a_file_that_is_gone_before_it_is_read_is_a_sentence(tmp_path):
    (tmp_path / f"{NAME}.yaml").symlink_to(tmp_path / "gone")
    ran = forewarn("rules", "check", tmp_path)
    assert (ran.code, ran.out) == (
        1,
        f"{tmp_path}/{NAME}.yaml:1:1 file: expected a readable file, got No such file or directory; "
        "check its name and rights\n",
    )
