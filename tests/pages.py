"""Pages in a real browser: what they ask for, what their charts hold, and where their texts lie."""

from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, Route

WIDE, NARROW = (1280, 900), (390, 844)
# Every text on the page with its rectangle; lines of HTML one by one, and what is folded away not at all.
TEXTS = """() => {
  const found = [];
  const add = (text, { x, y, width, height }, chart) => {
    if (text.trim() && width > 0.5 && height > 0.5) {
      found.push({ text: text.trim(), chart, x: x + scrollX, y: y + scrollY, width, height });
    }
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest("svg, script, style, noscript") || !node.parentElement.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) add(node.textContent, box, null);
  }
  for (const chart of document.querySelectorAll(".chart")) {
    for (const each of chart.querySelectorAll("text")) add(each.textContent, each.getBoundingClientRect(), chart.id);
  }
  return found;
}"""

# Of each chart with a legend: where the legend ends, and where the drawing below it begins.
LEGENDS = """() => [...document.querySelectorAll(".chart:has(.legend)")].map((chart) => [
  chart.id,
  chart.querySelector(".legend").getBoundingClientRect().bottom,
  chart.querySelector(".bglayer rect, .plotbg, .nsewdrag").getBoundingClientRect().top,
])"""


class Opened(NamedTuple):
    """A page, what it asked for, and what it complained of."""

    page: Page
    asked: list[str]
    complaints: list[str]

    def chart(self, name: str) -> list[dict[str, Any]]:
        """The traces of a chart as the page draws them."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "name => document.getElementById(`chart-${name}`).data.map(({type, name, x, y, z, mode, yaxis}) => "
            "({type, name, x, y, z, mode, yaxis}))",
            name,
        )
        return found


def opened(browser: Browser, page_file: Path, size: tuple[int, int] = WIDE) -> Opened:
    """Open a page where every request but the one for itself is refused and noted."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True)
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []

    def refuse(route: Route) -> None:
        route.abort()

    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route(lambda url: not url.startswith("file:"), refuse)
    page.goto(page_file.as_uri())
    page.wait_for_function("document.querySelectorAll('.chart .main-svg').length > 0")
    return Opened(page, asked, complaints)


def overlaps(texts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Pairs of texts of which one lies on another by more than a hair."""
    hair = 1.5
    found = []
    texts = sorted(texts, key=lambda each: each["y"])
    for i, one in enumerate(texts):
        for other in texts[i + 1 :]:
            if other["y"] >= one["y"] + one["height"] - hair:
                break
            if one["x"] < other["x"] + other["width"] - hair and other["x"] < one["x"] + one["width"] - hair:
                found.append((one["text"], other["text"]))
    return found
