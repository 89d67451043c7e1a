"""The report of a plan in a real browser: both languages, widths and themes; keyboard, search, sources, paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import jevons
from axe import serious_to_axe
from jevons.web.frozen import frozen_page
from jevons.web.inputs import versions
from jevons.web.work import document_of
from places import TINY
from result_kinds import made

LOOKS = [(1280, "en", "light"), (390, "zh", "dark"), (390, "en", "light"), (1280, "zh", "dark")]
A4_PIXELS = 680
"""Between the margins of a page."""
SMALL_TEXT = """() => [...document.querySelectorAll("body *")].filter((e) => e.childNodes.length && [...e.childNodes]
  .some((n) => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length
  && parseFloat(getComputedStyle(e).fontSize) < 11).map((e) => e.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the report of a small plan in either language."""
    folder = tmp_path_factory.mktemp("reports")
    result = jevons.plan(TINY, draws=12, seed=3, processes=1)
    files = {language: folder / f"plan-{language}.html" for language in ("en", "zh")}
    for language, file in files.items():
        result.save(file, language=language)
    return files


class Opened:
    """A report that is open, with what it said and fetched."""

    def __init__(self, page: Any, file: Path) -> None:
        self.page = page
        self.said: list[str] = []
        self.fetched: list[str] = []
        page.on("console", lambda m: self.said.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.fetched.append(request.url))
        page.goto(file.as_uri())
        page.wait_for_selector(".report .plot svg", timeout=60_000)
        page.wait_for_timeout(300)


@pytest.fixture
def opened(chromium: Any, reports: dict[str, Path]) -> Iterator[Callable[..., Opened]]:
    contexts: list[Any] = []

    def make(*, width: int = 1280, language: str = "en", theme: str = "light") -> Opened:
        context = chromium.new_context(
            viewport={"width": width, "height": 844}, color_scheme=theme, offline=True, accept_downloads=True
        )
        contexts.append(context)
        return Opened(context.new_page(), reports[language])

    yield make
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("width", "language", "theme"), LOOKS)
def test_the_report_opens_from_a_file_with_its_answer_in_sight(
    opened: Callable, width: int, language: str, theme: str
) -> None:
    one = opened(width=width, language=language, theme=theme)
    page = one.page
    assert one.said == []
    assert [url for url in one.fetched if not url.startswith(("file:", "blob:", "data:"))] == []
    box = page.locator("#answer").bounding_box()
    assert box is not None
    assert box["y"] + min(box["height"], 300) < 844
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("jevonsMissingWords()") == []
    assert page.evaluate(SMALL_TEXT) == []
    assert page.evaluate("document.documentElement.lang") == ("zh-CN" if language == "zh" else "en")
    assert page.locator(".lead-chart svg").bounding_box()["y"] < (844 if width > 500 else 1100)


@pytest.mark.parametrize(("width", "language", "theme"), LOOKS[:2])
def test_axe_finds_nothing_serious_in_the_report(opened: Callable, width: int, language: str, theme: str) -> None:
    page = opened(width=width, language=language, theme=theme).page
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert serious_to_axe(page) == []


def test_each_number_leads_to_its_sources_and_back(opened: Callable) -> None:
    page = opened().page
    number = page.locator("#answer a.num").first
    number.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    assert number.evaluate("one => one === document.activeElement")
    unlinked = page.locator("#answer a.num, .finding h2 a.num").evaluate_all(
        "all => all.map(one => one.getAttribute('href').slice(1)).filter(id => !document.getElementById(id))"
    )
    listed = page.locator(".numbers li").count()
    assert listed >= 5
    assert len(set(unlinked)) <= 4  # headings also give figures that only the drawer explains
    page.locator(".numbers a[href^='#fact-']").first.click()
    row = page.evaluate("document.activeElement.id")
    assert row.startswith("fact-")
    page.locator(f"[id='{row}'] .used a").first.click()
    assert page.evaluate("document.activeElement.id").startswith("from-")


def test_search_finds_rows_and_unfolds_them(opened: Callable) -> None:
    page = opened().page
    page.get_by_role("searchbox").fill("revenue")
    page.get_by_role("status").wait_for()
    assert page.locator("details[open] tbody tr").count() >= 1
    page.get_by_role("searchbox").fill("no such thing anywhere")
    assert "0" in page.get_by_role("status").inner_text()


def test_contents_lead_to_sections_and_the_language_switches_within_the_file(opened: Callable) -> None:
    one = opened()
    page = one.page
    page.locator(".contents a").nth(2).click()
    assert page.evaluate("document.activeElement.id").startswith("s-")
    assert one.said == []
    page.get_by_role("button", name="中文").click()
    assert "未来的中位数" in page.locator("#answer").inner_text()
    assert page.evaluate("jevonsMissingWords()") == []
    english = page.locator(".finding:not(.details)").evaluate_all(
        "all => all.flatMap(one => [...one.querySelectorAll('h2, p, caption, th')].map(e => e.innerText))"
    )
    left = [text for text in english if re.search(r"[a-z]{4,} [a-z]{3,}", text.replace("jevons compare", ""))]
    assert left == []


def test_every_chart_has_a_table_its_files_units_and_a_source(opened: Callable) -> None:
    page = opened().page
    charts = page.locator("figure.chart")
    count = charts.count()
    assert count >= 10
    for at in range(count):
        chart = charts.nth(at)
        assert [b.inner_text() for b in chart.get_by_role("button").all()] == ["Table", "PNG", "SVG", "CSV"]
        assert "Source" in chart.inner_text()
        chart.get_by_role("button", name="Table").click()
        assert chart.locator("tbody tr").count() >= 1
        assert "undefined" not in chart.inner_text()
        assert "NaN" not in chart.inner_text()
        chart.get_by_role("button", name="Chart").click()
    with page.expect_download() as download:
        charts.first.get_by_role("button", name="SVG").click()
    assert "<text" in Path(download.value.path()).read_text(encoding="utf-8")


def test_on_paper_it_is_pages_of_text_with_numbers(opened: Callable) -> None:
    page = opened(theme="dark").page
    content = page.pdf(prefer_css_page_size=True, tagged=True, outline=True)
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") + content.count(b"/Type /Page/") >= 4
    assert b"/Outlines" in content
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('#answer')).color") == "rgb(0, 0, 0)"
    assert page.locator(".contents").is_visible()
    assert not page.locator(".chart-tools").first.is_visible()


@pytest.mark.parametrize("currency", ["CNY", "INR"])
def test_money_of_a_chart_is_in_the_currency_that_its_axis_names(chromium: Any, tmp_path: Path, currency: str) -> None:
    document = document_of(made("track"))
    rows = document["result"]["quarters"]
    margin = {
        "series": "ebita_frac",
        "meaning": "margin",
        "unit": "1",
        "actual": 0.1,
        "low": 0,
        "median": 0.1,
        "high": 0.2,
    }
    came = [{**rows[0], "unit": currency, "quarter": quarter} for quarter in ("2025-Q1", "2025-Q2")]
    document["result"]["quarters"] = [{**rows[0], **margin}, *came]
    meta = {"id": "", "kind": "track", "input": {}, "versions": versions(), "currency": currency}
    file = tmp_path / "track.html"
    file.write_text(frozen_page(document, meta), encoding="utf-8")
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    try:
        page = context.new_page()
        page.goto(file.as_uri())
        chart = page.locator("#chart-actual-cloud_revenue")
        chart.get_by_role("button", name="Table").click()
        shown = {}
        chooses = page.get_by_label("Currency")
        for code in ("CNY", "USD") if currency == "CNY" else (currency,):
            if chooses.count():
                chooses.select_option(code)
            head = chart.locator("thead").inner_text()
            assert code in head
            shown[code] = float(chart.locator("tbody td").first.inner_text().replace(",", ""))
        size = 1e9 if "bn" in head else 1.0
        assert shown[currency] == pytest.approx(rows[0]["median"] / size, rel=0.01)
        if currency == "CNY":
            assert shown["CNY"] / shown["USD"] == pytest.approx(7.2, rel=0.1)
        else:
            assert chooses.count() == 0
    finally:
        context.close()


def test_on_paper_a_report_has_contents_below_its_answer_open_tables_and_nothing_beyond_the_page(
    chromium: Any, tmp_path: Path
) -> None:
    file = tmp_path / "size.html"
    jevons.size("deepseek-v3", gpu="h200_sxm", rate=30, static=True).save(file)
    context = chromium.new_context(viewport={"width": A4_PIXELS, "height": 900}, offline=True)
    try:
        page = context.new_page()
        page.goto(file.as_uri())
        page.locator("#answer").wait_for()
        folded = page.locator("details:not([open])").count()
        assert folded >= 1
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("details:not([open])").count() == 0
        contents = page.get_by_role("navigation", name="Contents")
        assert contents.get_by_role("listitem").count() >= 4
        for link in contents.get_by_role("link").all():
            assert page.locator(link.get_attribute("href")).count() == 1
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.get_by_role("columnheader", name="Power").first.is_visible()
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator("details:not([open])").count() == folded
        assert contents.count() == 0
    finally:
        context.close()
