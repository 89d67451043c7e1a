"""The report holds every picture and table of a plan, and says how sure its headlines are."""

import html
import re

import pytest

from jevons.plot import FIGURES
from jevons.report import plan_html
from jevons.report.plan import _plain
from jevons.study import load, plan
from places import TINY


@pytest.fixture(scope="module")
def result():
    return plan(load(TINY), draws=8, seed=11, processes=1, file="tiny.yaml")


@pytest.fixture(scope="module")
def page(result):
    return plan_html(result)


def test_every_figure_is_there_with_its_caption_and_the_date_of_the_facts(page):
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert len(captions) == page.count("<svg") == len(FIGURES)
    assert all(caption.endswith("A small cloud; facts of 2025-02-24.") for caption in captions)


def test_every_table_of_the_plan_is_there(result, page):
    shown = re.findall(r"<caption>(.*?)</caption>", page)
    for table in result.tables.values():
        assert (html.escape(table.title) in shown) == (table.name != "summary"), table.name
    for title in (
        "Statements by quarter: AI cloud",
        "Statements by quarter: cash of the group",
        "Return on the AI cloud",
    ):
        assert any(caption.startswith(title) for caption in shown)


def test_headlines_carry_intervals_and_probabilities(page):
    head = page.split("</header>")[0]
    assert head.count('class="card"') == 6
    assert head.count("10 to 90 %: ") == 6
    assert re.search(r"P\(Jevons\), that it rises: \d+ % ± \d+", head)
    assert re.search(r"P\(value created\): \d+ % ± \d+", head)


def test_the_seed_in_the_report_is_the_one_that_was_used(page):
    assert "seed 11; 8 draws" in page


def test_a_report_without_draws_claims_no_interval(result):
    page = plan_html(plan(load(TINY), draws=0))
    assert "10 to 90 %" not in page.split("</header>")[0]
    assert "P(Jevons)" not in page
    assert page.count("<svg") == len(FIGURES) - 3


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ((2.5e8, 1.5e8, 4e8, "W"), ("250", "150 to 400", "MW")),
        ((1.1e8, 6e7, 2e8, "W/quarter"), ("110", "60 to 200", "MW/quarter")),
        ((9e4, 5e4, 1.5e5, "1"), ("90,000", "50,000 to 150,000", "")),
        ((1.65e11, 1.55e11, 1.75e11, "CNY"), ("165", "155 to 175", "bn CNY")),
        ((-0.05, -0.15, 0.05, "1"), ("-0.05", "-0.15 to 0.05", "")),
    ],
)
def test_figures_of_judgement_are_written_as_people_write_them(figures, expected):
    assert _plain(*figures) == expected
