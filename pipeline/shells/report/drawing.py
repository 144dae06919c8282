"""Traces and axes of Plotly, as the page draws them; what all charts share stands in page.js."""

from collections.abc import Sequence
from typing import Any

from pipeline.shells.report.panel import Figure, Text

Trace = dict[str, Any]
GOOD, UNKNOWN_GREY = "#cfdde6", "#9aa3ab"
HEAT = ("#f4c95d", "#ee9b45", "#dd6b4d", "#b23a48", "#7a1f3d", "#4a1030")  # from a little late to very late
SEVERITY = {"low": "#86a8bf", "medium": "#efc24a", "high": "#e57c3c", "critical": "#b3263a"}
AGES = ("#cfdde6", "#a9c3d1", "#efc24a", "#e57c3c", "#b3263a")
LINES = ("#1f5673", "#e57c3c", "#4c9f70", "#8e4585", "#b3263a", "#7d8491", "#c9a227", "#2a9d8f")
SCALE = [[0.0, "#f5f8fa"], [0.25, "#cfe0ea"], [0.5, "#8db7cc"], [0.75, "#417f9f"], [1.0, "#173f57"]]
PERCENT = ".0%"
MONTH = "%Y-%m"  # how a date is written below an axis


def late_colours(count: int) -> list[str]:
    """Colours of so many bands from a little late to very late."""
    if count <= 1:
        return [HEAT[3]][:count]
    return [HEAT[round(i * (len(HEAT) - 2) / (count - 1))] if count < len(HEAT) else HEAT[i % 6] for i in range(count)]


def bars(name: Text, x: Sequence[Any], y: Sequence[Any], colour: str, **own: Any) -> Trace:
    """Columns of one colour."""
    return {"type": "bar", "name": name, "x": list(x), "y": list(y), "marker": {"color": colour}, **own}


def line(name: Text, x: Sequence[Any], y: Sequence[Any], colour: str, **own: Any) -> Trace:
    """A line with its points; None is a gap."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "width": 2},
        "marker": {"color": colour, "size": 5},
        "connectgaps": False,
        **own,
    }


def heatmap(x: Sequence[Any], y: Sequence[Any], z: list[list[Any]], written: list[list[str]], **own: Any) -> Trace:
    """Fields of a colour that grows with their number; the first row is drawn above."""
    return {
        "type": "heatmap",
        "x": list(x),
        "y": list(y),
        "z": z,
        "text": written,
        "texttemplate": "%{text}",
        "colorscale": SCALE,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": False,
        **own,
    }


def figure(traces: list[Trace], *, x: Text | None = None, y: Text | None = None, **layout: Any) -> Figure:
    """A chart with the titles of its axes."""
    axes = {"xaxis": {"title": {"text": x}} if x else {}, "yaxis": {"title": {"text": y}} if y else {}}
    for name in axes:
        axes[name] |= layout.pop(name, {})
    return {"data": traces, "layout": {**axes, **layout}}
