"""A YAML file read with its lines, and the traps of YAML closed."""

from decimal import Decimal

import pytest
from pydantic import BaseModel

from rules.faults import RuleError
from rules.yaml_text import read, validate


def faults_of(text: str) -> list[str]:
    return [str(fault) for fault in read(text, "f.yaml").faults]


class Inner(BaseModel, extra="forbid"):
    days: int
    words: list[str] = []


class Outer(BaseModel, extra="forbid"):
    name: str
    inner: Inner
    by_name: dict[str, Inner] = {}


def test_numbers_are_exact_and_dates_stay_texts():
    document = read("a: 0.85\nb: 12\nc: -3\nd: 2025-03-01\ne: 85%\nf: 0.10\n", "f.yaml")
    assert document.data == {
        "a": Decimal("0.85"),
        "b": 12,
        "c": -3,
        "d": "2025-03-01",
        "e": "85%",
        "f": Decimal("0.10"),
    }
    assert isinstance(document.data["a"], Decimal)
    assert str(document.data["f"]) == "0.10"


def test_quoted_scalars_are_texts_whatever_they_look_like():
    text = "a: 'no'\nb: \"010\"\nc: '1:30'\nd: 'null'\ne: |\n  5\n"
    document = read(text, "f.yaml")
    assert document.data == {"a": "no", "b": "010", "c": "1:30", "d": "null", "e": "5\n"}
    assert document.faults == ()


def test_true_false_and_null_are_what_they_say():
    assert read("a: true\nb: false\nc: null\nd: ~\ne:\n", "f.yaml").data == {
        "a": True,
        "b": False,
        "c": None,
        "d": None,
        "e": None,
    }


@pytest.mark.parametrize("word", ["no", "NO", "yes", "on", "Off", "y", "N", "True", "FALSE", "Null"])
def test_a_word_that_yaml_would_turn_into_something_else_is_a_fault(word):
    assert len(faults_of(f"a: {word}")) == 1
    assert faults_of(f"a: {word}")[0].startswith(f"f.yaml:1:4 a: YAML reads {word} as ")


@pytest.mark.parametrize(
    "number", ["010", "0x1F", "0o17", "0b11", "1_000", "1:30", "1:30:15", "+5", ".5", "5.", "1e3", "1.5E-3",
    ".inf", "-.inf", ".nan"]
)  # fmt: skip
def test_a_number_that_yaml_might_read_otherwise_is_a_fault(number):
    assert len(faults_of(f"a: {number}")) == 1


@pytest.mark.parametrize("text", ["2000-Q1", "60d", "1.2.3", "not a number", "nothing", "only", "-", "10%", "a:b"])
def test_a_plain_text_is_no_fault(text):
    document = read(f"a: '{text}'\nb: {text}" if text != "-" else "a: '-'", "f.yaml")
    assert document.faults == ()
    assert document.data["a"] == text


def test_a_key_is_always_a_text():
    assert read("on: 1\nno: 2\n5: 3\n", "f.yaml").data == {"on": 1, "no": 2, "5": 3}


def test_the_first_of_two_equal_keys_is_kept_and_the_second_is_the_fault():
    document = read("a: 1\nb:\n  c: 2\n  c: 3\n", "f.yaml")
    assert document.data == {"a": 1, "b": {"c": 2}}
    assert [str(fault) for fault in document.faults] == [
        "f.yaml:4:3 b.c: stands here a second time; keep one of the two"
    ]


def test_columns_count_characters_and_not_bytes():
    #              123456789
    document = read("{名称: 一, 天数: 2}", "f.yaml")
    assert document.where(("天数",)) == (1, 9)
    assert document.where_value(("天数",)) == (1, 13)


def test_a_place_that_does_not_exist_is_the_nearest_above_it():
    document = read("# a comment\na:\n  - b: 1\n", "f.yaml")
    assert document.where(("a", 0, "b")) == (3, 5)
    assert document.where(("a", 0, "gone", "deeper")) == (3, 5)
    assert document.where(("gone",)) == (2, 1)
    assert document.where(()) == (1, 1)


def test_every_fault_of_shape_comes_at_once_with_its_place():
    text = "name: 5\ninner: {words: [a, 7]}\nby_name:\n  x: {days: two}\n  y: {days: 2, dais: 3}\n"
    with pytest.raises(RuleError) as caught:
        validate(read(text, "f.yaml"), Outer)
    assert str(caught.value).splitlines() == [
        "f.yaml:1:1 name: expected a text, got 5",
        "f.yaml:2:1 inner: days is missing",
        "f.yaml:2:20 inner.words[1]: expected a text, got 7",
        "f.yaml:4:7 by_name.x.days: expected a whole number, got 'two'",
        "f.yaml:5:16 by_name.y.dais: no such field; did you mean 'days'?",
    ]


def test_a_trap_stands_in_for_the_fault_of_shape_at_the_same_place():
    with pytest.raises(RuleError) as caught:
        validate(read("name: x\ninner: {days: no}", "f.yaml"), Outer)
    assert str(caught.value) == "f.yaml:2:15 inner.days: YAML reads no as false; write false, or 'no' if it is a text"


def test_a_byte_order_mark_is_ignored_and_a_control_character_has_a_place():
    assert read("\ufeffa: 1", "f.yaml").data == {"a": 1}
    with pytest.raises(RuleError, match=r"f\.yaml:2:5 file: the character U\+0007 is not allowed; delete it"):
        read("a: 1\nb: x\x07", "f.yaml")


def test_nesting_has_an_end():
    assert faults_of("a: " + "[" * 29 + "]" * 29) == []
    assert len(faults_of("a: " + "[" * 40 + "]" * 40)) == 1


def test_a_document_without_its_nodes_still_knows_its_lines():
    document = read("a: 1\nb:\n  c: 2\n", "f.yaml").light()
    assert (document.root, document.where(("b", "c"))) == (None, (3, 3))


def test_an_empty_file_says_what_was_expected():
    with pytest.raises(RuleError, match=r"f\.yaml:1:1 file: expected fields such as 'rule: name', got an empty file"):
        read("# nothing here\n", "f.yaml")
