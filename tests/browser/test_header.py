"""The date of the facts in the header: what it changes, where it goes along, where it is the answer's own."""

from __future__ import annotations

from collections.abc import Callable

DATE = "2025-03-31"
SMALL = "model=llama-3.1-8b&gpu=h100_sxm&api=0.1/0.4 USD"


def test_a_date_of_the_header_changes_the_answer_and_goes_along_to_other_screens(window: Callable) -> None:
    one = window()
    page = one.open(f"choice?{SMALL}")
    one.done()
    dates = page.get_by_role("combobox", name="As known on")
    assert dates.locator("option").first.inner_text() == "as of today"
    dates.select_option("another date …")
    page.get_by_label("As known on").fill(DATE)
    page.wait_for_url(f"**as_of={DATE}**")
    assert dates.locator("option:checked").inner_text() == f"as of {DATE}"
    with page.expect_request(lambda one: '"as_of":"2025-06-30"' in (one.post_data or "")):
        dates.select_option("as of 2025-06-30")
    page.get_by_role("link", name="Plan", exact=True).click()
    page.get_by_text("as of 2025-02-24", exact=True).wait_for()
    assert dates.count() == 0
    page.get_by_role("link", name="Facts", exact=True).click()
    page.get_by_label("Search").fill("h100")
    page.wait_for_url("**q=h100**")
    assert "as_of=2025-06-30" in page.url
    told = page.locator("#answer")
    told.filter(has_text="match").wait_for()
    then = told.inner_text()
    dates.select_option("as of today")
    page.wait_for_function("then => !document.getElementById('answer').innerText.startsWith(then)", arg=then)
    assert "as_of" not in page.url
    assert int(told.inner_text().split()[0]) > int(then.split()[0])
    assert one.said == []


def test_a_date_that_a_link_carries_is_asked_with_the_next_question(window: Callable) -> None:
    one = window(width=390, language="zh")
    page = one.open(f"choice?{SMALL}&as_of={DATE}")
    one.done()
    page.get_by_role("link", name="为该负载定规模").click()
    one.done()
    assert f"as_of={DATE}" in page.url
    assert page.get_by_role("combobox", name="信息截止日").locator("option:checked").inner_text() == f"截至 {DATE}"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("jevonsMissingWords()") == []
