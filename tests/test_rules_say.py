"""Messages are filled by our own pattern, from exact numbers, in two languages."""

from decimal import Decimal, localcontext
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.rule import FaultyMeasure, Measure, Span
from rules.say import render, say_faults, value_text

MEASURES = {
    "missed": Measure("missed", "count", over=Span(60, "d")),
    "slide": Measure("slide", "sequence", within=Span(8, "w")),
    "overdue": Measure("overdue", "now", "days_past_due"),
}
RULE = SimpleNamespace(measure=MEASURES)


def faults_of(template: str) -> list[str]:
    return list(say_faults(template, MEASURES))


def test_a_message_is_filled_with_values_and_windows():
    template = "{missed} missed in {missed.over}, {slide} within {slide.within}, {overdue} days late"
    values = {"missed": 2, "slide": True, "overdue": None}
    assert render(template, RULE, values) == "2 missed in 60 days, yes within 8 weeks, unknown days late"
    assert (
        render("{missed.over}内漏还 {missed} 期，{slide}，{overdue}", RULE, values, "zh")
        == "60 天内漏还 2 期，是，未知"
    )


def test_a_value_that_nobody_gave_is_unknown():
    assert render("{overdue}", RULE, {}) == "unknown"


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (Fraction(1770), None, "1770"),
        (Decimal("1770.00"), None, "1770"),
        (Decimal("0.10"), None, "0.1"),
        (Fraction(2, 3), None, "0.666667"),
        (-3, None, "-3"),
        (0, None, "0"),
        # Half to even: 0.5 and 2.5 go down, 1.5 goes up.
        (Fraction(1, 2), ".0f", "0"),
        (Fraction(3, 2), ".0f", "2"),
        (Fraction(5, 2), ".0f", "2"),
        (Fraction(-1, 4), ".0f", "0"),
        (Fraction(1, 8), ".2f", "0.12"),
        (Fraction(3, 8), ".2f", "0.38"),
        (5, ".2f", "5.00"),
        (Decimal("0.845"), ".0%", "84%"),
        (Decimal("0.855"), ".0%", "86%"),
        (Decimal("0.8525"), "%", "85.25%"),
        (Fraction(1, 3), ".1%", "33.3%"),
        (1234567, ",", "1,234,567"),
        (Decimal("1234567.5"), ",.2f", "1,234,567.50"),
        (Fraction(-12345678, 10), ",.0f", "-1,234,568"),
        (Fraction(5, 2), "d", "2"),
        (12345, ",d", "12,345"),
        (Fraction(7, 2), "f", "3.5"),
        (None, ".0%", "unknown"),
        (False, None, "no"),
    ],
)
def test_numbers_are_written_exactly(value, form, text):
    assert value_text(value, form) == text


def test_the_precision_of_decimals_around_it_changes_nothing():
    with localcontext() as context:
        context.prec = 3
        assert value_text(Fraction(123456789), ",.2f") == "123,456,789.00"


@given(st.fractions(), st.integers(0, 6))
def test_a_rounded_value_is_never_more_than_half_a_place_away(value, places):
    text = value_text(value, f".{places}f")
    assert abs(Fraction(text) - value) <= Fraction(1, 2 * 10**places)
    assert len(text.partition(".")[2]) == places


@pytest.mark.parametrize(
    "template",
    [
        "{missed.__class__}", "{missed.__class__.__mro__[1]}", "{missed[0]}", "{missed!r}", "{}", "{ missed }",
        "{missed", "missed}", "{{missed}}", "{missed.over.days}", "{missed:{overdue}}", "{missed:}", "{0}",
        "{missed.ending}", "{missed:>9}", "{missed:x}",
        "{missed:.99f}", "{missed:.2}", "{missed:.2d}", "{missed:,.0n}", "{missed:99999f}",
        "{missed.over:.0f}", "{slide:.0f}", "{missed.within}", "{overdue.over}", "{misssed}",
    ],
)  # fmt: skip
def test_everything_else_in_braces_is_refused(template):
    assert len(faults_of(template)) == 1


@pytest.mark.parametrize("template", ["in 60 days", "in 60.5 days", "an A1 case", "６０天", "1,000 yuan {missed}"])
def test_a_number_written_by_hand_is_refused(template):
    assert ["written by hand" in fault for fault in faults_of(template)] == [True]


def test_the_slot_that_shows_the_number_is_suggested():
    assert faults_of("within 8 weeks") == ["the number 8 is written by hand; use a slot such as {slide.within}"]
    assert faults_of("within 9 weeks") == ["the number 9 is written by hand; use a slot such as {missed.over}"]


def test_a_measure_with_a_fault_of_its_own_draws_no_second_sentence():
    assert list(say_faults("{x} in {x.over}, {x:.0f}", {"x": FaultyMeasure()})) == []
