"""The page in a real browser: nothing is asked of anybody, each chart has its data, and no text lies on another."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.arrival_logs import forewarn
from tests.pages import LEGENDS, NARROW, TEXTS, WIDE, Opened, opened, overlaps
from tests.report_folders import alert_line, alert_lines, folder_of, month_lines, profile_lines, task_lines, truth_of

CHARTS = {
    *("portfolio", "rolls", "rolls_by_month", "vintage_late", "vintage_default", "severities", "rules"),
    *("lead", "precision", "queues", "ages", "riskiest"),
}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return written(folder, folder_of(folder / "replay"))


def written(folder: Path, replay: Path, *words: str | Path) -> Path:
    out = folder / "report.html"
    ran = forewarn("report", "--from", replay, "--truth", truth_of(folder), "--out", out, "--quiet", *words)
    assert (ran.code, ran.err) == (0, "")
    return out


@pytest.fixture
def report(browser: Browser, page_file: Path) -> Iterator[Opened]:
    found = opened(browser, page_file)
    yield found
    found.page.context.close()


# -- what it draws ----------------------------------------------------------


def test_nothing_leaves_the_page_and_nothing_is_complained_of(report, page_file):
    report.page.click("#switch")
    report.page.mouse.wheel(0, 5_000)
    for chart in CHARTS:
        report.page.hover(f"#chart-{chart}")
    assert [url for url in report.asked if not url.startswith("data:")] == [page_file.as_uri()]
    assert report.complaints == []


def test_the_browser_itself_refuses_what_the_page_would_ask_for_and_run(report):
    asked = "fetch('https://example.org/').then(() => 'came', () => 'refused')"
    assert report.page.evaluate(asked) == "refused"
    report.page.evaluate(
        "() => { const script = document.createElement('script'); script.textContent = 'window.strange = 1';"
        " document.body.append(script); }"
    )
    assert report.page.evaluate("window.strange === undefined")


def test_every_chart_is_drawn(report):
    drawn = report.page.eval_on_selector_all(".chart", "all => all.map(each => [each.id, !!each.querySelector('svg')])")
    assert {name.removeprefix("chart-") for name, has_svg in drawn if has_svg} == CHARTS


def test_the_charts_have_the_figures_that_were_counted_by_hand(report):
    above = {each["name"]: each["y"] for each in report.chart("portfolio") if each.get("yaxis") is None}
    assert above["31-60 days"] == [0, 500, 1_000] and above["unknown"] == [0, 500, 500]
    assert report.chart("rolls")[0]["z"][1] == [0.5, 0, 0.5, 0, 0]
    assert [each["y"] for each in report.chart("rolls_by_month")] == [[0.5, 0], [0, 1], [None, 1]]
    assert [each["y"] for each in report.chart("vintage_late")] == [[0, 0, 0.5], [1, 1]]
    assert [each["y"] for each in report.chart("vintage_default")] == [[0, 0, 0], [0, 1]]
    assert {each["name"]: sum(each["y"]) for each in report.chart("severities")} == {"low": 1, "medium": 1, "high": 2}
    assert [sum(row) for row in report.chart("rules")[0]["z"]] == [2, 2]
    assert report.chart("lead")[0]["y"][:3] == [1, 0, 1]
    assert [each["y"] for each in report.chart("precision")][:2] == [[0.666667, 0.666667], [0.666667, 0.5]]
    assert report.chart("queues")[0]["y"][-5:] == [0, 1, 2, 2, 2]
    assert [each["x"] for each in report.chart("ages")] == [[1], [0], [0], [0], [1]]
    opened_high = next(each for each in report.chart("riskiest") if each["name"] == "opened (high)")
    assert list(zip(opened_high["y"], opened_high["x"], strict=True)) == [("B2", "2025-02-15"), ("B5", "2025-03-05")]


def test_every_chart_has_its_words_its_date_and_its_figures_in_a_table(report):
    for name in sorted(CHARTS):
        article = report.page.locator(f"#{name}")
        assert len(article.locator(".says").inner_text()) > 10
        assert "as of 2025-03-31" in article.inner_text() and "How to read it" in article.inner_text()
        assert article.locator("table").is_hidden()
        article.locator("summary").click()
        assert article.locator("table").is_visible() and article.locator("tbody tr").count() >= 1
    assert report.page.locator("#rolls tbody tr").first.inner_text().split("\t") == [
        *("0", "2 (50.0%)", "1 (25.0%)", "0 (0.0%)", "0 (0.0%)", "1 (25.0%)", "4"),
    ]


# -- languages --------------------------------------------------------------


def test_the_switch_changes_every_word_without_loading_again(report):
    page = report.page
    page.evaluate("window.mark = 1")
    assert page.locator("h1").inner_text() == "Early-warning report"
    page.click("#switch")
    assert page.locator("h1").inner_text() == "贷后预警报告" and page.title() == "贷后预警报告"
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert report.chart("portfolio")[0]["name"] == "未逾期"
    seen = {each["text"] for each in page.evaluate(TEXTS)}
    assert {"发放后月数", "未偿余额（CNY）", "打开（高）", "怎样看图"} <= seen
    english = {"of", "the", "days", "month", "open", "alert", "alerts", "loans", "unknown", "as", "with"}
    assert [text for text in seen if english & set(text.lower().split())] == []
    page.click("#switch")
    assert page.locator("h1").inner_text() == "Early-warning report"
    assert report.chart("portfolio")[0]["name"] == "not past due"
    assert page.evaluate("window.mark") == 1


# -- room -------------------------------------------------------------------


def busy_folder(folder: Path) -> Path:
    """A replay with long names and many months, rules and alerts: all that needs room."""
    months = [
        line | {"month": f"{2023 + n // 12}-{n % 12 + 1:02}", "on": f"{2023 + n // 12}-{n % 12 + 1:02}-28"}
        for n in range(27)
        for line in month_lines()[3:8]
    ]
    alerts = alert_lines() + [
        alert_line(
            f"a-rule-with-a-long-name-{rule:02}/B{n % 7 + 1}/{n}",
            f"B{n % 7 + 1}",
            "opened",
            ("low", "medium", "high", "critical")[n % 4],
            f"2025-{n % 3 + 1:02}-{n % 28 + 1:02}",
            say="word " * 30,
        )
        for rule in range(20)
        for n in range(rule + 3)
    ]
    return folder_of(folder, months=months, alerts=alerts)


@pytest.fixture(scope="module", params=["small", "busy"])
def any_page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    return written(folder, (busy_folder if request.param == "busy" else folder_of)(folder / "replay"))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["laptop", "phone"])
def test_no_text_lies_on_another_or_beside_the_page(browser, any_page, size, lang):
    found = opened(browser, any_page, size)
    if lang == "zh":
        found.page.click("#switch")
    found.page.wait_for_timeout(300)  # the library makes room for legends when it knows their size
    assert found.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    texts = found.page.evaluate(TEXTS)
    assert len(texts) > 150
    assert overlaps(texts) == []
    assert [each["text"] for each in texts if each["x"] < 0 or each["x"] + each["width"] > size[0] + 1] == []
    charts = found.page.eval_on_selector_all(
        ".chart", "all => Object.fromEntries(all.map(each => [each.id, each.getBoundingClientRect().toJSON()]))"
    )
    outside = [
        each["text"]
        for each in texts
        if (box := charts.get(each["chart"])) is not None
        and (each["x"] < box["left"] - 1 or each["x"] + each["width"] > box["right"] + 1)
    ]
    assert outside == [] and found.complaints == []
    assert [name for name, legend, plot in found.page.evaluate(LEGENDS) if legend > plot + 1] == []
    found.page.context.close()


def test_overlapping_texts_would_be_noticed():
    box = {"x": 10, "y": 10, "width": 40, "height": 12}
    assert overlaps([box | {"text": "a"}, box | {"text": "b", "x": 45}]) == [("a", "b")]
    assert overlaps([box | {"text": "a"}, box | {"text": "b", "x": 49}, box | {"text": "c", "y": 21}]) == []


def test_on_paper_the_charts_are_as_wide_as_the_paper(report):
    page = report.page
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    widths = "all => all.map(each => each.getBoundingClientRect().width)"
    assert set(page.eval_on_selector_all(".chart .main-svg", widths)) == {640}
    assert page.locator("#switch").is_hidden()
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert min(page.eval_on_selector_all("#chart-portfolio .main-svg", widths)) > 1_000
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF") and report.complaints == []


# -- what a name may not do -------------------------------------------------

NASTY = "B5</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>\"'&amp;"


def test_markup_in_an_id_or_a_text_is_shown_and_does_not_run(browser, tmp_path):
    def nasty(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return json.loads(json.dumps(lines).replace('"B5"', json.dumps(NASTY)))

    rule = alert_line("x<img src=x onerror=window.hacked=3>/B1/1", "B1", "opened", "critical", "2025-03-02", say=NASTY)
    folder = folder_of(
        tmp_path / "replay",
        alerts=[*nasty(alert_lines()), rule],
        profiles=nasty(profile_lines()),
        months=nasty(month_lines()),
        collection_tasks=nasty(task_lines()),
    )
    out = tmp_path / "report.html"
    assert forewarn("report", "--from", folder, "--out", out, "--quiet").code == 0
    found = opened(browser, out)
    for _ in range(2):
        found.page.click("#switch")
    assert found.page.evaluate("window.hacked === undefined")
    assert found.page.locator("img").count() == 0 and found.complaints == []
    assert found.page.locator("details.story summary").first.inner_text().startswith(f"1. {NASTY}")
    ticks = found.page.eval_on_selector_all("#chart-riskiest .ytick text", "all => all.map(each => each.textContent)")
    assert NASTY in ticks
    rules = found.page.eval_on_selector_all("#chart-rules .ytick text", "all => all.map(each => each.textContent)")
    assert "x<img src=x onerror=window.hacked=3> · 1" in rules
    found.page.context.close()


def test_the_data_in_the_page_is_json_that_ends_no_element(page_file):
    page = page_file.read_text("utf-8")
    [data] = [part.split("</script>")[0] for part in page.split('<script type="application/json" id="data">')[1:]]
    assert "<" not in data and set(json.loads(data)) == CHARTS
    policy = page.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    hashed = [part.split("&#39;")[0] for part in policy.split("sha256-")[1:]]
    assert [len(base64.b64decode(each)) for each in hashed] == [32, 32]
