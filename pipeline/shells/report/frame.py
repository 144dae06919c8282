"""A page with charts that asks nothing of any server: what a report and a backtest have in common."""

import base64
import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from pipeline.shells.report.borrowers import Story
from pipeline.shells.report.panel import Panel, Text, say
from pipeline.shells.texts import Language


class Key(NamedTuple):
    """A figure that stands above the charts, and what it is of."""

    value: Text
    of: Text


class Frame(NamedTuple):
    """What stands on a page."""

    titles: dict[Language, str]
    head: Text
    notes: list[Text]  # below the head, in small letters
    keys: list[Key]
    sections: list[tuple[Text, list[Panel]]]
    stories: list[Story]
    foot: Text


def framed(frame: Frame, lang: Language) -> str:
    """The whole page, opened in a language."""
    panels = [panel for _, panels in frame.sections for panel in panels]
    figures = {each.name: each.figure for each in panels if each.figure is not None}
    scripts = [get_plotlyjs(), _asset("page.js")]
    return _ENVIRONMENT.get_template("page.html").render(
        frame._asdict(),
        lang=lang,
        figures=Markup(_as_script_data(figures)),  # no character in it can end its element
        style=Markup(_asset("page.css")),
        scripts=[Markup(script) for script in scripts],
        policy=_policy(scripts),
        say=say,
    )


def _asset(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text("utf-8")


def _as_script_data(value: Any) -> str:
    r"""A value as JSON that cannot end the element in which it stands.

    >>> _as_script_data("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = msgspec.json.encode(value).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _policy(scripts: list[str]) -> str:
    """What the browser is to hold the page to: no request at all, and no script but these."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


_ENVIRONMENT = Environment(
    loader=PackageLoader("pipeline.shells.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
