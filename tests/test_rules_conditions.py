"""Conditions are parsed, checked against a list and never evaluated; numbers stay exact."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events import CATALOGUE
from rules.condition_text import condition_text
from rules.conditions import ConditionFaults, names_in, parse_when, parse_where
from rules.rule import And, Arithmetic, Comparison, Holds, Name, Negative, Not, Number, Or, Text

NUMBERS = {"a": "number", "b": "number", "c": "number", "slide": "truth"}


def number(text: str) -> Number:
    return Number(Decimal(text))


def refusals(text: str) -> tuple[str, ...]:
    with pytest.raises(ConditionFaults) as caught:
        parse_when(text, NUMBERS)
    return caught.value.messages


def test_a_number_is_the_decimal_that_was_written():
    assert parse_when("a >= 0.1000000000000000055", NUMBERS) == Comparison(
        ">=", Name("a"), number("0.1000000000000000055")
    )


def test_a_percentage_is_a_share_of_one():
    assert parse_when("a >= 85%", NUMBERS) == Comparison(">=", Name("a"), number("0.85"))
    assert parse_when("a >= 12.5% * b", NUMBERS).right == Arithmetic("*", number("0.125"), Name("b"))


def test_every_percentage_of_a_condition_is_a_share():
    assert parse_when("a >= 85% and b >= 7%", NUMBERS) == And(
        (Comparison(">=", Name("a"), number("0.85")), Comparison(">=", Name("b"), number("0.07")))
    )


def test_a_percentage_inside_a_text_stays_a_text():
    kind = CATALOGUE.events["account.debit"]
    assert parse_where("category == '85%'", kind) == Comparison("==", Name("category"), Text("85%"))


def test_a_chain_is_two_comparisons():
    assert parse_when("1 < a <= b", NUMBERS) == And(
        (Comparison("<", number("1"), Name("a")), Comparison("<=", Name("a"), Name("b")))
    )


def test_and_binds_more_tightly_than_or():
    a, b, c = (Comparison(">", Name(name), number("1")) for name in "abc")
    assert parse_when("a > 1 or b > 1 and c > 1", NUMBERS) == Or((a, And((b, c))))
    assert parse_when("(a > 1 or b > 1) and c > 1", NUMBERS) == And((Or((a, b)), c))


def test_minus_and_not_are_nodes_of_their_own():
    assert parse_when("not slide and a < -b", NUMBERS) == And(
        (Not(Holds("slide")), Comparison("<", Name("a"), Negative(Name("b"))))
    )


def test_a_published_figure_is_named_without_a_measure():
    assert parse_when("a > 1 and macro.unemployment > 0.06", NUMBERS).parts[1].left == Name("macro.unemployment")


def test_a_line_break_is_a_space():
    assert parse_when("a > 1\n  and\n b > 1", NUMBERS) == parse_when("a > 1 and b > 1", NUMBERS)


def test_a_field_may_have_a_name_that_python_keeps_for_itself():
    kind = CATALOGUE.events["loan.classified"]
    assert parse_where("class == 'loss'", kind) == Comparison("==", Name("class"), Text("loss"))
    assert parse_where("class != 'class'", kind) == Comparison("!=", Name("class"), Text("class"))


def test_a_flag_is_true_or_false_by_itself():
    kind = CATALOGUE.events["loan.rescheduled"]
    assert parse_where("distressed and not reason == 'x'", kind) == And(
        (Holds("distressed"), Not(Comparison("==", Name("reason"), Text("x"))))
    )


def test_texts_of_other_alphabets_may_be_compared():
    kind = CATALOGUE.events["loan.classified"]
    assert parse_where("class == '可疑' and reason == '甲'", kind).parts[1] == Comparison(
        "==", Name("reason"), Text("甲")
    )


@pytest.mark.parametrize(
    "text",
    [
        "a.real > 1", "a[0] > 1", "f(a) > 1", "a if b else c", "lambda: a", "[a for a in b]", "a in b", "a is b",
        "a // 2 > 1",
        "a % 2 > 1", "a ** 2 > 1", "a @ b > 1", "a << 1 > 1", "a & b", "a | b", "~a > 1", "+a > 1", "(a := 1) > 0",
        "{a: 1}",
        "a > True", "a > None", "a > ...", "f'{a}' > 1", "b'x' > a", "a > 1j", "a > 0x10", "a > 1_000", "a > 1e3",
        "a > .5",
        "a > 5.", "a > 'x' 'y'", "a > r'x'", "a > '\\x41'", "await a", "yield a", "*a", "a, b", "(a, b) > 1",
        "a > 1; b",
        "a > 1) or (b > 1", "a > 1 # b", "a > 1and b > 2", "ａ > 1", "a > ١", "", " ", "not", "()", "import os",
        "a > 9999999999999999999999999",
    ],
)  # fmt: skip
def test_whatever_is_not_on_the_list_is_refused(text):
    assert refusals(text)


def test_every_mistake_of_a_condition_is_named():
    assert refusals("aa > 1 and bb > 1 and c") == (
        "no measure named 'aa'; did you mean 'a'?",
        "no measure named 'bb'; did you mean 'b'?",
        "'c' is a number; compare it, such as c >= 1",
    )


def test_every_habit_of_another_language_is_named_and_what_stands_beside_it_too():
    whole = "cannot read 'a = 2 && b ≥ 3 || x';"
    assert refusals("a = 2 && b ≥ 3 || x") == (
        f"{whole} write and in place of &&",
        f"{whole} write or in place of ||",
        f"{whole} write >= in place of ≥",
        f"{whole} write == in place of =",
        "no measure named 'x'; there are a, b, c and slide",
    )
    assert refusals("a ＞= ２; b") == (
        "cannot read '＞' in 'a ＞= ２; b'; write > in place of it",
        "cannot read '２' in 'a ＞= ２; b'; write 2 in place of it",
        "cannot read ';' in 'a ＞= ２; b'; delete it",
    )


def test_a_habit_inside_a_text_stays_and_one_that_cannot_be_read_even_as_meant_is_the_only_sentence():
    assert refusals("a => 1 and 'x && y' != 'z'")[0].endswith("write >= in place of =>")
    assert refusals("a && (") == ("cannot read 'a && ('; write and in place of &&",)


def test_a_measure_with_a_fault_of_its_own_draws_no_second_sentence():
    spoiled = {"a": "number", "x": "spoiled"}
    assert parse_when("x and x > 1 and x == 'y' and a > x", spoiled)


def test_depth_has_an_end():
    assert any("nested deeper" in message for message in refusals("not " * 60 + "slide"))
    assert refusals("(" * 300 + "a > 1" + ")" * 300)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a>1", "a > 1"),
        ("((a)) >= (0.50)", "a >= 0.5"),
        ("a >= 50%", "a >= 0.5"),
        ("(a > 1 or b > 1) and c > 1", "(a > 1 or b > 1) and c > 1"),
        ("a > 1 or (b > 1 and c > 1)", "a > 1 or b > 1 and c > 1"),
        ("not (a > 1 and slide)", "not (a > 1 and slide)"),
        ("a - (b - c) > (a - b) - c", "a - (b - c) > a - b - c"),
        ("a / (b * c) > (a + b) * c", "a / (b * c) > (a + b) * c"),
        ("-(a + b) < -a", "-(a + b) < -a"),
        ("1 < a < 3", "1 < a and a < 3"),
    ],
)
def test_one_meaning_has_one_text(text, canonical):
    assert condition_text(parse_when(text, NUMBERS)) == canonical


_numbers = st.decimals(0, 10**6, places=4).map(abs).map(Number)
_names = st.sampled_from("abc").map(Name)
_expressions = st.recursive(
    _names | _numbers,
    lambda inner: inner.map(Negative) | st.builds(Arithmetic, st.sampled_from("+-*"), inner, inner),
    max_leaves=6,
)
_comparisons = st.builds(
    Comparison, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), _names, _expressions
)  # fmt: skip
_conditions = st.recursive(
    _comparisons | st.just(Holds("slide")),
    lambda inner: (
        inner.map(Not)
        | st.lists(inner.filter(lambda each: not isinstance(each, And)), min_size=2, max_size=3).map(tuple).map(And)
        | st.lists(inner.filter(lambda each: not isinstance(each, Or)), min_size=2, max_size=3).map(tuple).map(Or)
    ),
    max_leaves=6,
)


@given(_conditions)
def test_a_condition_written_back_is_read_as_the_same(condition):
    again = parse_when(condition_text(condition), NUMBERS)
    assert again == condition
    assert list(names_in(again)) == list(names_in(condition))


@given(st.text(max_size=60))
def test_no_text_makes_the_parser_raise_anything_but_sentences(text):
    try:
        parse_when(text, NUMBERS)
    except ConditionFaults as faults:
        assert faults.messages
