"""The message of an alert: its slots checked when the rule is loaded, filled when it is said; `str.format` never runs.

A slot is `{missed}`, `{missed.over}`, `{missed.within}` or `{salary:.0f}`; all else in braces is refused.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Literal, NamedTuple

from rules.condition_text import number_text
from rules.faults import shortened, shown, suggestion
from rules.rule import FaultyMeasure, Measure, Rule, Span
from rules.written import DIGITS

Language = Literal["en", "zh"]
Exact = Decimal | Fraction | int | bool | None
Measures = Mapping[str, Measure] | Mapping[str, Measure | FaultyMeasure]

_SLOT = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?:\.(over|within))?(?::([.,%\w]+))?\}")
_BRACE = re.compile(r"\{[^{}]*\}?|\}")
_FORMAT = re.compile(r"(,)?(?:\.([0-9]))?([fd%])?")
_WHOLE = {None: "", "d": "", ".0f": "", ",": ",", ",d": ",", ",.0f": ","}  # formats that leave a whole number whole
_PLAIN_DECIMALS = 6
_UNITS = {
    "en": {"h": ("hour", "hours"), "d": ("day", "days"), "w": ("week", "weeks")},
    "zh": {"h": ("小时", "小时"), "d": ("天", "天"), "w": ("周", "周")},
}
_WORDS = {"en": {None: "unknown", True: "yes", False: "no"}, "zh": {None: "未知", True: "是", False: "否"}}


class Slot(NamedTuple):
    """What a slot shows: a measure's value in a format, or its window."""

    measure: str
    window: str | None
    format: str | None


def slots_of(template: str) -> frozenset[Slot]:
    """The slots of a message.

    >>> sorted(slots_of("{missed} in {missed.over}"), key=str)[0]
    Slot(measure='missed', window='over', format=None)
    """
    return frozenset(Slot(*found.groups()) for found in _SLOT.finditer(template))


def say_faults(template: str, measures: Measures | None) -> Iterator[str]:
    """What is wrong with a message; None: which measures there are is not known."""
    for slot in sorted(slots_of(template), key=str):
        yield from _slot_faults(slot, measures)
    rest = _SLOT.sub("", template)
    for brace in dict.fromkeys(_BRACE.findall(rest)):
        yield f"cannot read the slot at {shortened(brace)!r}; write {{measure}}, {{measure.over}} or {{measure:.0f}}"
    for number in dict.fromkeys(DIGITS.findall(_BRACE.sub("", rest))):
        instead = _slot_for(number, measures or {})
        yield f"the number {shortened(number)} is written by hand; use a slot such as {instead}"


@cache
def shown_by(template: str) -> frozenset[str]:
    """The measures whose values a message shows."""
    return frozenset(slot.measure for slot in slots_of(template) if slot.window is None)


@cache
def _pieces(template: str) -> tuple[str | Slot, ...]:
    """A message as texts and slots, in order."""
    pieces: list[str | Slot] = []
    end = 0
    for found in _SLOT.finditer(template):
        pieces += [template[end : found.start()], Slot(*found.groups())]
        end = found.end()
    return (*pieces, template[end:])


def render(template: str, rule: Rule, values: Mapping[str, Exact], lang: Language = "en") -> str:
    """The message with its slots filled from exact values, each in the unit of its measure."""
    return "".join(
        [piece if isinstance(piece, str) else _filled(piece, rule, values, lang) for piece in _pieces(template)]
    )


def _filled(slot: Slot, rule: Rule, values: Mapping[str, Exact], lang: Language) -> str:
    if slot.window is not None:
        return span_text(getattr(rule.measure[slot.measure], slot.window), lang)
    return value_text(values.get(slot.measure), slot.format, lang)


def span_text(span: Span, lang: Language = "en") -> str:
    """A window in words.

    >>> span_text(Span(60, "d")), span_text(Span(1, "w")), span_text(Span(36, "h"), "zh")
    ('60 days', '1 week', '36 小时')
    """
    one, several = _UNITS[lang][span.unit]
    return f"{span.count} {one if span.count == 1 else several}"


def value_text(value: Exact, form: str | None = None, lang: Language = "en") -> str:
    """An exact value as text, rounded half to even; without a format at most six decimals, and no needless zeros.

    >>> value_text(Fraction(1770)), value_text(Decimal("0.85"), ".0%"), value_text(Decimal("2.5"), ".0f")
    ('1770', '85%', '2')
    >>> value_text(Fraction(1, 3)), value_text(1234567, ",.2f"), value_text(None), value_text(True, None, "zh")
    ('0.333333', '1,234,567.00', 'unknown', '是')
    """
    if value is None or isinstance(value, bool):
        return _WORDS[lang][value]
    if isinstance(value, int) and form in _WHOLE:
        return f"{value:{_WHOLE[form]}}"
    exact = Fraction(value)
    commas, decimals, kind = _format_parts(form or "")
    if kind == "%":
        exact *= 100
    if kind == "d":
        decimals = 0
    rounded = _rounded(exact, _PLAIN_DECIMALS if decimals is None else decimals)
    text = number_text(rounded) if decimals is None else f"{rounded:f}"
    if commas:
        text = f"{Decimal(text):,f}"
    return f"{text}%" if kind == "%" else text


def _rounded(exact: Fraction, decimals: int) -> Decimal:
    # round() of a Fraction is exact and half to even; a Decimal made of digits is not rounded again by a context.
    scaled = round(exact * 10**decimals)
    digits = tuple(int(digit) for digit in str(abs(scaled)).rjust(decimals + 1, "0"))
    return Decimal((int(scaled < 0), digits, -decimals))


def _format_parts(form: str) -> tuple[bool, int | None, str]:
    found = _FORMAT.fullmatch(form)
    if found is None:
        return False, None, ""
    return found[1] is not None, None if found[2] is None else int(found[2]), found[3] or ""


def _is_format(form: str) -> bool:
    found = _FORMAT.fullmatch(form)
    # Decimals need a kind (.2f, .1%), as in Python, where .2 alone means significant digits; d has none.
    return found is not None and ((found[2] is None) or found[3] in ("f", "%"))


def _slot_faults(slot: Slot, measures: Measures | None) -> Iterator[str]:
    if measures is not None and slot.measure not in measures:
        yield f"no measure named {shown(slot.measure)} to show{suggestion(slot.measure, measures)}"
        return
    measure = FaultyMeasure() if measures is None else measures[slot.measure]
    if slot.window is not None and slot.window not in measure.windows:
        yield f"{slot.measure!r} has no {slot.window!r} to show; write {{{slot.measure}}} for its value"
    if slot.format is None:
        return
    if slot.window is not None or measure.verb == "sequence":
        what = "a window" if slot.window is not None else f"{slot.measure!r}, which is true or false,"
        yield f"{what} takes no format; delete ':{slot.format}'"
    elif not _is_format(slot.format):
        yield f"cannot read the format {shown(slot.format)}; write .0f, .2f, ,.0f, .0% or none"


def _slot_for(number: str, measures: Measures) -> str:
    """The slot that shows this number, or else the first window, or the first measure."""
    windows = {f"{{{name}.{each}}}": getattr(measure, each, None) for name, measure in measures.items()
               for each in sorted(measure.windows)}  # fmt: skip
    same = [slot for slot, span in windows.items() if span is not None and str(span.count) == number]
    named = [f"{{{name}}}" for name in measures]
    return (same + list(windows) + named + ["{missed}"])[0]
