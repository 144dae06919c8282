"""The backtest's page in a real browser: nothing is asked of anybody, and each chart has its data."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.arrival_logs import COUNTS_MISSES, Told, forewarn, missed, shelf, told, written
from tests.pages import NARROW, TEXTS, WIDE, Opened, opened, overlaps

CHARTS = {
    "ahead",
    "lead",
    "precision",
    "outcomes",
    "early_rules",
    "unique",
    "work",
    "candidates",
    "severities",
    "rules",
}
LONG = "an-analysts-long-rule-name-{n:02}"


def events() -> list[Told]:
    """B1 defaults 40 days after its miss, B2 20 days after its overdraft; B3 misses in 2024 and pays."""
    return [
        missed("m3", "2024-01-10", borrower_id="B3", loan_id="L3"),
        missed("m1", "2025-03-01", borrower_id="B1", loan_id="L1"),
        told("o2", "account.overdrawn", "2025-03-05", account_id="A2", borrower_id="B2"),
        told("d2", "loan.defaulted", "2025-03-25", loan_id="L2", borrower_id="B2"),
        told("d1", "loan.defaulted", "2025-04-10", loan_id="L1", borrower_id="B1"),
        told("i", "external.inquiry", "2025-04-20", lender_kind="bank", borrower_id="B3"),
    ]


OVERDRAWN: Told = {
    "per": "borrower_id",
    "measure": {"n": {"count": "account.overdrawn", "over": "9d"}},
    "when": "n >= 1",
    "severity": "high",
}


def page_of(folder: Path, rules: dict[str, Told], *words: str) -> Path:
    records = [
        told("l2", "loan.disbursed", "2024-01-02", loan_id="L2", borrower_id="B2", product="loan", principal_minor=9),
        told("l1", "loan.disbursed", "2024-01-02", loan_id="L1", borrower_id="B1", product="loan", principal_minor=9),
        *events(),
    ]
    log = written(folder / "events.jsonl", *records)
    ran = forewarn(
        *("backtest", log, "--rules", shelf(folder / "rules", **rules), "--format", "html", "--quiet"),
        *("--out", folder, *words),
    )
    assert (ran.code, ran.err) == (0, "")
    return folder / "backtest.html"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rules = {"late": COUNTS_MISSES, "overdrawn": OVERDRAWN, "tried": COUNTS_MISSES | {"status": "draft"}}
    return page_of(tmp_path_factory.mktemp("page"), rules)


@pytest.fixture
def page(browser: Browser, page_file: Path) -> Iterator[Opened]:
    found = opened(browser, page_file)
    yield found
    found.page.context.close()


def test_nothing_leaves_the_page_and_nothing_is_complained_of(page, page_file):
    page.page.click("#switch")
    for chart in CHARTS:
        page.page.hover(f"#chart-{chart}")
    assert [url for url in page.asked if not url.startswith("data:")] == [page_file.as_uri()]
    assert page.complaints == []
    asked = "fetch('https://example.org/').then(() => 'came', () => 'refused')"
    assert page.page.evaluate(asked) == "refused"


def test_every_chart_is_drawn_and_has_the_figures_that_were_counted_by_hand(page):
    drawn = page.page.eval_on_selector_all(".chart", "all => all.map(each => [each.id, !!each.querySelector('svg')])")
    assert {name.removeprefix("chart-") for name, has_svg in drawn if has_svg} == CHARTS
    # B1 was known 40 days before, B2 20 days.
    ahead = page.chart("ahead")[0]
    assert (ahead["x"], ahead["y"]) == ([0, 30, 60, 90, 180], [1, 0.5, 0, 0, 0])
    assert page.chart("lead")[0]["y"][:2] == [1, 1]
    assert {each["name"]: (each["y"], each["x"]) for each in page.chart("outcomes")} == {
        "true": (["late", "overdrawn"], [1, 1]),
        "false": (["late", "overdrawn"], [1, 0]),  # B3's, of which all 365 days were seen
        "censored": (["late", "overdrawn"], [0, 0]),
        "after the default": (["late", "overdrawn"], [0, 0]),
    }
    [early] = page.chart("early_rules")
    assert (early["y"], early["z"]) == (["late", "overdrawn"], [[0.5, 0.5, 0, 0, 0], [0.5, 0, 0, 0, 0]])
    assert [each["x"] for each in page.chart("unique")] == [[1, 1], [0, 0], [0, 0]]
    # Three borrowers, 475 days of 30.44 to a month: an alert is 21.4 a month of 1,000.
    assert [round(x, 1) for x in page.chart("work")[0]["x"]] == [42.7, 21.4]
    assert [(each["y"], each["x"]) for each in page.chart("candidates")][:2] == [(["tried"], [1]), (["tried"], [1])]
    assert {each["name"]: sum(each["y"]) for each in page.chart("severities")} == {"low": 2, "high": 1}
    assert [sum(row) for row in page.chart("rules")[0]["z"]] == [2, 1]


def test_every_chart_has_its_words_and_its_figures_in_a_table(page):
    for name in sorted(CHARTS):
        article = page.page.locator(f"#{name}")
        assert len(article.locator(".says").inner_text()) > 10 and "How to read it" in article.inner_text()
        article.locator("summary").click()
        assert article.locator("tbody tr").count() >= 1
    row = page.page.locator("#outcomes tbody tr").first.inner_text().split("\t")
    assert row == ["late", "2", "1", "1", "0", "0", "50.0%", "2", "50.0%"]


def test_the_switch_changes_every_word(page):
    assert page.page.locator("h1").inner_text() == "Backtest of the rules"
    page.page.click("#switch")
    assert page.page.locator("h1").inner_text() == page.page.title() == "规则回测"
    seen = {each["text"] for each in page.page.evaluate(TEXTS)}
    assert "每条规则的预警结果如何" in seen
    english = {"of", "the", "days", "month", "alert", "alerts", "unknown", "with", "rule", "defaulters"}
    assert [text for text in seen if english & set(text.lower().split())] == []


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["laptop", "phone"])
def test_no_text_lies_on_another_where_there_are_many_long_names(browser, tmp_path, size, lang):
    rules = {LONG.format(n=n): COUNTS_MISSES for n in range(24)}
    found = opened(browser, page_of(tmp_path, rules, "--from", "2024-02-01", "--lang", lang), size)
    found.page.wait_for_timeout(300)  # the library makes room for legends when it knows their size
    assert found.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    texts = found.page.evaluate(TEXTS)
    assert len(texts) > 100 and overlaps(texts) == [] and found.complaints == []
    assert [each["text"] for each in texts if each["x"] < 0 or each["x"] + each["width"] > size[0] + 1] == []
    found.page.context.close()


def test_a_page_without_alerts_and_defaults_says_why(browser, tmp_path):
    found = opened_without_charts(browser, page_of(tmp_path, {"never": COUNTS_MISSES | {"when": "missed >= 9"}}))
    said = found.locator("#outcomes .says").inner_text()
    assert said == "Unknown. No alert opened on the days that are judged."
    assert found.locator("#ahead .says").inner_text() == "Unknown. None of 2 defaulters had a true alert."
    found.context.close()


def opened_without_charts(browser: Browser, file: Path):
    page = browser.new_context(offline=True).new_page()
    page.goto(file.as_uri())
    return page
