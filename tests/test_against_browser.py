"""The comparison on the page of a backtest, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.arrival_logs import COUNTS_MISSES, forewarn, missed, shelf, told, written
from tests.pages import NARROW, TEXTS, WIDE, Opened, opened, overlaps

LONG = "an-analysts-long-rule-name-{n:02}"


def page_of(folder: Path, lang: str = "en") -> Path:
    """B1 misses twice and defaults, B2 once; the first rule asks for two misses now, another is new."""
    log = written(
        folder / "events.jsonl",
        missed("m1", "2025-03-01", borrower_id="B1", loan_id="L1"),
        missed("m2", "2025-03-05", borrower_id="B2", loan_id="L2"),
        missed("m3", "2025-03-09", borrower_id="B1", loan_id="L1"),
        told("d", "loan.defaulted", "2025-04-10", loan_id="L1", borrower_id="B1"),
    )
    rules = {LONG.format(n=n): COUNTS_MISSES for n in range(24)}
    before = shelf(folder / "before", **rules)
    after = shelf(folder / "after", **{name: COUNTS_MISSES | {"when": "missed >= 2"} for name in rules})
    words = ("--rules", after, "--against", before, "--format", "html", "--out", folder, "--quiet", "--lang", lang)
    ran = forewarn("backtest", log, *words)
    assert (ran.code, ran.err) == (0, "")
    return folder / "backtest.html"


def close(found: Opened) -> None:
    found.page.context.close()


def test_charts_and_lists_have_what_was_counted_by_hand(browser: Browser, tmp_path: Path):
    found = opened(browser, page_of(tmp_path))
    moved = {each["name"]: (each["y"][0], each["x"][0]) for each in found.chart("moved")}
    assert moved == {
        "newly": ("all live rules", 0),
        "no longer": ("all live rules", 1),
        "earlier": ("all live rules", 0),
        "later": ("all live rules", 1),
    }
    [figures] = found.chart("figures")
    drawn = dict(zip(figures["y"], figures["x"], strict=True))
    # 48 alerts become 24; B1 is known 32 days ahead and not 40, and precision rises from a half to one.
    assert {name: round(x, 3) for name, x in drawn.items()} == {
        "alerts": -0.5,
        "lead, both": -0.2,
        "lead, each": -0.2,
        "caught": 0,
        "precision": 1,
    }
    rows = [each.split("\t") for each in found.page.locator("#who tbody tr").all_inner_texts()]
    assert rows[:2] == [
        ["B1", "all live rules", "later, 8 d", "2025-03-01", "2025-03-09", "2025-04-10"],
        ["B2", "all live rules", "no longer", "2025-03-05", "–", "–"],
    ]
    assert len(rows) == 2 * 25
    assert found.page.locator("#changes tbody tr").count() == 24
    assert found.complaints == []
    close(found)


def test_the_switch_changes_every_word(browser: Browser, tmp_path: Path):
    found = opened(browser, page_of(tmp_path))
    found.page.click("#switch")
    seen = {each["text"] for each in found.page.evaluate(TEXTS)}
    assert "谁的预警不同了" in seen
    english = {"of", "the", "days", "month", "alert", "alerts", "newly", "later", "with", "changed", "window", "to"}
    assert [text for text in seen if english & set(text.lower().split())] == []
    close(found)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["laptop", "phone"])
def test_no_text_lies_on_another_where_there_are_many_long_names(browser: Browser, tmp_path: Path, size, lang):
    found = opened(browser, page_of(tmp_path, lang), size)
    found.page.wait_for_timeout(300)  # the library makes room for legends when it knows their size
    assert found.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    inside = ("#moved", "#figures")
    texts = [each for each in found.page.evaluate(TEXTS) if f"#{str(each['chart'])[6:]}" in inside]
    assert len(texts) > 30 and overlaps(texts) == [] and found.complaints == []
    close(found)
