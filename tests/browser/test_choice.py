"""Buy, rent or API in a browser: the country and site of machines, as the command line takes it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_site_abroad_changes_the_market_and_the_command_line_answers_alike(window: Callable, language: str) -> None:
    one = window(language=language)
    page = one.open("choice?model=llama-3.1-8b&tokens_per_day=50M&api=0.1/0.4 USD")
    one.done()
    site = page.get_by_label("国家与站点" if language == "zh" else "Country and site")
    assert site.input_value() == "site.china_east"
    assert page.get_by_role("button", name="H20").count() >= 1
    with page.expect_response(lambda reply: "buy-rent-api" in reply.url) as told:
        site.select_option("site.eu_frankfurt")
    shown = told.value.json()
    one.done()
    assert "site=site.eu_frankfurt" in page.url
    assert shown["site"] == "site.eu_frankfurt"
    assert {machine["gpu"] for machine in shown["machines"]} == {"h100_sxm", "h200_sxm"}
    assert page.get_by_text("site.eu_frankfurt").count() >= 1
    line = page.locator("pre", has_text="--site site.eu_frankfurt").inner_text().replace("\\\n", " ")
    asked = [part.strip("'\"") for part in line.split()[1:]]
    assert asked[0] == "buy-rent-api"
    page.reload()
    one.done()
    assert site.input_value() == "site.eu_frankfurt"
    site.select_option("site.china_east")
    one.done()
    assert "site=" not in page.url
    assert one.said == []


def test_the_sentence_at_a_site_is_the_command_lines(window: Callable) -> None:
    one = window()
    page = one.open("choice?model=llama-3.1-8b&gpu=h100_sxm&tokens_per_day=50M&site=site.us_texas&api=0.1/0.4 USD")
    one.done()
    line = ["buy-rent-api", "--model", "llama-3.1-8b", "--gpu", "h100_sxm", "--tokens-per-day", "50M", "--site"]
    told = subprocess.run(
        [sys.executable, "-m", "jevons", *line, "site.us_texas", "--api", "0.1/0.4 USD", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    best = json.loads(told.stdout)["ways"][0]
    assert f"{round(best['cost']['per_month']):,}" in page.locator("#answer").inner_text()


def test_a_site_that_is_not_on_file_is_refused_in_words_with_those_that_are(window: Callable) -> None:
    one = window()
    page = one.open("choice?model=llama-3.1-8b&site=site.moon")
    page.locator(".error").wait_for()
    assert "site.us_texas" in page.locator(".error").inner_text()
