"""What a page is made of: a text in both languages, a table, a chart with its words."""

from collections.abc import Iterable
from datetime import date
from html import escape
from typing import Any, NamedTuple

import msgspec
from iso4217 import Currency

from pipeline.shells.report.texts import WORDS
from pipeline.shells.texts import Language, counted, word


class Text(msgspec.Struct, frozen=True):
    """What is said in English and in Chinese; in a chart it is an object of both."""

    en: str
    zh: str


Cell = Text | str
Figure = dict[str, Any]  # data and layout of Plotly, with texts in them


class Table(NamedTuple):
    """The figures of a chart; columns from `numbers_from` on are numbers."""

    columns: tuple[Cell, ...]
    rows: list[tuple[Cell, ...]]
    numbers_from: int = 1


class Panel(NamedTuple):
    """A chart with what it says, how it is read, and its figures; without a figure it is unknown, and `says` why."""

    name: str
    title: Text
    says: Text
    reads: Text | None
    as_of: date
    figure: Figure | None = None
    table: Table | None = None


def say(key: str, **fields: Any) -> Text:
    """A sentence or word of the report in both languages; fields may be texts themselves."""
    return said(WORDS, key, **fields)


def said(words: dict[Language, dict[str, str]], key: str, /, **fields: Any) -> Text:
    """A sentence or word of some texts in both languages; fields may be texts themselves."""
    return Text(
        words["en"][key].format(**{name: _in(value, "en") for name, value in fields.items()}),
        words["zh"][key].format(**{name: _in(value, "zh") for name, value in fields.items()}),
    )


def same(text: str) -> Text:
    """A name that is the same in both languages."""
    return Text(text, text)


def shown_word(name: str) -> Text:
    """A word of the decisions in both languages."""
    return Text(word(name, "en"), word(name, "zh"))


def number_of(number: int, noun: str) -> Text:
    """A number with what it counts, in both languages."""
    return Text(counted(number, noun, "en"), counted(number, noun, "zh"))


def joined(texts: Iterable[Text], separator: str = " ") -> Text:
    """Several texts one after another; Chinese has no blanks between sentences."""
    found = list(texts)
    return Text(separator.join(each.en for each in found), separator.strip().join(each.zh for each in found))


def unknown(name: str, why: Text, as_of: date) -> Panel:
    """A chart that cannot be drawn, and why."""
    return Panel(name, say(f"{name}_title"), joined([say("unknown_head"), why]), None, as_of)


def plain(text: str) -> str:
    """A name that charts show as it stands: the library reads tags in its texts.

    >>> plain("<b>B17</b>")
    '&lt;b&gt;B17&lt;/b&gt;'
    """
    return escape(text, quote=False)


def share(part: float, whole: float) -> str:
    """A part of a whole in percent, or a dash where there is nothing.

    >>> share(1, 8), share(0, 0)
    ('12.5%', '–')
    """
    return f"{part / whole:.1%}" if whole else "–"


def ratio(part: float, whole: float) -> float | None:
    """A part of a whole, None where there is nothing."""
    return round(part / whole, 6) if whole else None


def units(minor: int, currency: str | None) -> float:
    """Minor units as the units of a currency; of an unknown currency two digits are minor.

    >>> units(12_345, "CNY"), units(12_345, "JPY")
    (123.45, 12345.0)
    """
    exponent = 2 if currency is None else Currency(currency).exponent
    return minor / float(10 ** (2 if exponent is None else exponent))


def money(minor: int, currency: str | None) -> Text:
    """An amount in few digits, as people of each language count.

    >>> money(1_234_567_800, "CNY")
    Text(en='CNY 12.3 m', zh='CNY 1,234.6 万')
    """
    amount, code = units(minor, currency), currency or ""
    return Text(_short(amount, code, _ENGLISH), _short(amount, code, _CHINESE))


_ENGLISH = ((1e9, 2, " bn"), (1e6, 1, " m"), (1e3, 1, " k"), (0.0, 2, ""))  # from which amount on, decimals, name
_CHINESE = ((1e8, 2, " 亿"), (1e4, 1, " 万"), (0.0, 2, ""))


def _short(amount: float, code: str, sizes: tuple[tuple[float, int, str], ...]) -> str:
    size, digits, name = next(each for each in sizes if abs(amount) >= each[0])
    return f"{code} {amount / (size or 1):,.{digits}f}{name}".strip()


def _in(value: Any, lang: str) -> Any:
    return getattr(value, lang) if isinstance(value, Text) else value
