"""Coverage in its forms: rows of words, JSON, and a page that asks nothing of any server."""

from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.shells.coverage.texts import TEXTS
from pipeline.shells.texts import Language
from rules.coverage import STATUSES, Coverage, Sign


class Row(NamedTuple):
    """A sign in the words of one language."""

    ref: str
    text: str
    status: str
    rules: str
    why: str


def rows(coverage: Coverage, lang: Language) -> Iterator[Row]:
    """Each sign of a list."""
    texts = TEXTS[lang]
    for sign in coverage.signs:
        rules = [*sign.live]
        rules += [texts[word].format(rule=rule) for word in ("shadow", "off") for rule in getattr(sign, word)]
        why = sign.why.in_(lang) if sign.why else texts[_why(sign)] if sign.status == "partly" else ""
        text = f"{sign.ref.partition(':')[2]}: {sign.text.in_(lang)}{' *' if sign.is_recalled else ''}"
        yield Row(sign.ref, text, texts[sign.status], ", ".join(rules), why)


def _why(sign: Sign) -> str:
    """The word of why rules that name a sign do not cover it."""
    return "in_shadow" if sign.shadow else "all_off"


def footnotes(coverage: Coverage, lang: Language) -> list[str]:
    """What the stars mean, where there are some."""
    return [f"* {TEXTS[lang]['recalled']}"] if any(sign.is_recalled for sign in coverage.signs) else []


def counts(coverage: Coverage, lang: Language) -> str:
    """How many signs of a list have each status, in words."""
    return TEXTS[lang]["counts"].format(**{status: coverage.count(status) for status in STATUSES})


def as_json(coverages: Sequence[Coverage], shelf: str) -> bytes:
    """All of it for programs; texts in both languages."""
    lists = [
        {
            "list": each.name,
            "title": each.title.model_dump(),
            "source": each.source,
            **{status: each.count(status) for status in STATUSES},
            "signs": [_sign(sign) for sign in each.signs],
        }
        for each in coverages
    ]
    return msgspec.json.format(msgspec.json.encode({"shelf": shelf, "lists": lists}), indent=2) + b"\n"


def _sign(sign: Sign) -> dict[str, Any]:
    return {
        "ref": sign.ref,
        "text": sign.text.model_dump(),
        "recalled": sign.is_recalled,
        "status": sign.status,
        "live": sign.live,
        "shadow": sign.shadow,
        "off": sign.off,
        "why": None if sign.why is None else sign.why.model_dump(),
    }


def as_page(coverages: Sequence[Coverage], shelf: str, lang: Language) -> bytes:
    """All of it as one page."""
    style = (files("pipeline.shells.report") / "templates" / "page.css").read_text("utf-8")
    lists = [
        (each, counts(each, lang), list(zip(each.signs, rows(each, lang), strict=True)), footnotes(each, lang))
        for each in coverages
    ]
    page = _TEMPLATES.get_template("page.html")
    return page.render(lists=lists, shelf=shelf, lang=lang, texts=TEXTS[lang], style=Markup(style)).encode()


_TEMPLATES = Environment(
    loader=PackageLoader("pipeline.shells.coverage"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
