"""What a panel of the report shows, as plain values."""

from datetime import date
from typing import Any

from pipeline.shells.report.panel import Panel, Text
from tests.report_folders import (
    LAST,
)

AS_OF = date.fromisoformat(LAST)
MONTHS = ["2025-01", "2025-02", "2025-03"]


def series(panel: Panel) -> dict[str, Any]:
    """The values of each trace by its English name."""
    assert panel.figure is not None
    return {plain(trace.get("name")): [plain(each) for each in trace["y"]] for trace in panel.figure["data"]}


def fields(panel: Panel) -> list[list[Any]]:
    """The fields of a heatmap."""
    assert panel.figure is not None
    [trace] = panel.figure["data"]
    found: list[list[Any]] = trace["z"]
    return found


def plain(value: Any) -> Any:
    return value.en if isinstance(value, Text) else value


def rows(panel: Panel) -> list[list[str]]:
    assert panel.table is not None
    return [[plain(cell) for cell in row] for row in panel.table.rows]
