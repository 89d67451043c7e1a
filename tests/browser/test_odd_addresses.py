"""Addresses that people mistype or make up: what is read, and what is refused in words with a way out."""

from __future__ import annotations

from collections.abc import Callable

SMALL = "model=llama-3.1-8b&rate=1"


def test_a_load_with_a_letter_is_read_as_people_mean_it(window: Callable) -> None:
    one = window()
    page = one.open("choice?model=llama-3.1-8b&gpu=h100_sxm&api=0.1/0.4 USD&tokens_per_day=50M")
    one.done()
    assert "50 mn output tokens" in page.locator("#answer").inner_text()
    one.open("start")
    one.open("choice?model=llama-3.1-8b&gpu=h100_sxm&api=0.1/0.4 USD&tokens_per_day=junk")
    page.get_by_role("alert").filter(has_text="such as 57M").wait_for()


def test_the_button_of_a_mistyped_accelerator_puts_it_right_and_leaves_the_others(window: Callable) -> None:
    one = window()
    page = one.open(f"size?{SMALL}&gpu=h200_sxm&gpu=h1000")
    page.get_by_role("alert").get_by_role("button", name="h100_sxm").click()
    one.done()
    page.locator("#answer").wait_for()
    assert "gpu=h200_sxm&gpu=h100_sxm" in page.url
    assert page.get_by_role("alert").count() == 0


def test_a_figure_for_a_fact_that_is_no_number_is_refused(window: Callable) -> None:
    one = window()
    page = one.open(f"size?{SMALL}&gpu=h100_sxm&f.h100_sxm.hbm_bytes=abc")
    page.get_by_role("alert").filter(has_text="must be a finite number").wait_for()
    page.get_by_role("button", name="Take all back").click()
    one.done()
    page.locator("#answer").wait_for()
    assert "f.h100" not in page.url


def test_facts_of_a_date_that_is_none_say_so_and_nothing_is_being_read(window: Callable) -> None:
    one = window()
    page = one.open("facts?as_of=2099-99-99")
    page.get_by_role("alert").filter(has_text="not a date").wait_for()
    assert page.get_by_text("Reading the facts").count() == 0
