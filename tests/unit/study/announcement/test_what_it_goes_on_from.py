# ruff: noqa: E501 - a claim stands on one line
"""Figures whose unit, sign, period or quantity stands with another figure, and names that only their place makes one."""

import pytest

import jevons
from announced import figures_of
from jevons.study.announcement import lexicon


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Notes on $CRWV Q4. Revenue was $1.6bn.", "CoreWeave"),
        ("一位读者问起“云杉算力”招股书，去年收入5.2亿元。", "云杉算力"),
        ("金山云昨晚公布业绩。集團昨晚公布第三季收入24億元。", "Kingsoft Cloud"),
        ("Apple's capital expenditure was $3.1 billion.", "Apple"),
        ("Meta spent $19bn. Reality Labs said little. Headcount fell to 77,900.", "Meta"),
        ("AMD rose. Priya Nair put the total for its customers at $90 billion.", "AMD"),
        ("Meta told analysts that Orion would be financed by lenders, and spent $19bn.", "Meta"),
    ],
)
def test_who_is_spoken_of(text, name):
    claims = jevons.read(text, date="2026-03-20").claims
    assert {lexicon.firm_name(claim.firm) for claim in claims} == {name}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Dell lifted full year revenue to between 150 and 154 billion dollars from 138 to 142.",
            {"138 to 142": ("previous of revenue", "", 138e9, 142e9)},
        ),
        (
            "Kestrel Racks AG sells in euros only. Sales were €40m. EBITDA should be 95 to 105 million (so far: 128).",
            {"95 to 105 million": ("EBITDA, planned", "", 95e6, 105e6), "128": ("EBITDA, planned", "", 128e6, 128e6)},
        ),
        (
            "Kestrel Racks AG no longer expects 2026 sales of 310 million euros but only about 260 million.",
            {"260 million": ("revenue, planned", "2026", 260e6, 260e6)},
        ),
        (
            "云杉算力招股书：2023至2025年前三季收入分别为2.1亿、5.4亿、8.9亿元。",
            {
                "2.1亿": ("revenue", "2023", 2.1e8, 2.1e8),
                "5.4亿": ("revenue", "2024", 5.4e8, 5.4e8),
                "8.9亿元": ("revenue", "2025-9M", 8.9e8, 8.9e8),
            },
        ),
        (
            "Acme Cloud Ltd's net loss narrowed from $40 million to $12 million.",
            {
                "$40 million": ("previous of net income", "", -40e6, -40e6),
                "$12 million": ("net income", "", -12e6, -12e6),
            },
        ),
        (
            "Acme Cloud Ltd lost $61.8 million in 2025 and $22.4 million in the three months ended March 31, 2026.",
            {
                "$61.8 million": ("net income", "2025", -61.8e6, -61.8e6),
                "$22.4 million": ("net income", "2026-Q1", -22.4e6, -22.4e6),
            },
        ),
    ],
)
def test_a_figure_takes_unit_sign_and_period_from_the_one_that_it_goes_on_from(text, expected):
    rows = figures_of(text)
    assert {words: rows[words] for words in expected} == expected


@pytest.mark.parametrize(
    ("text", "words", "what", "period"),
    [
        ("优刻得2025年收入17亿元，比上年同期的15亿元增加13%；净利润2亿元。", "13%", "growth of revenue", "2025"),
        ("优刻得2025年收入17亿元，比上年同期的15亿元增加13%；净利润2亿元。", "2亿元", "net income", "2025"),
        ("优刻得2025年度业绩：收入17亿元；其中第四季度收入5亿元。毛利率27.9%。", "27.9%", "gross margin", "2025"),
        ("Notes on Nebius Q4. Revenue was $228m.", "$228m", "revenue", "2025-Q4"),
        ("Oracle's net debt was €612m at year-end 2025.", "€612m", "debt", "2025"),
    ],
)
def test_a_level_that_was_and_a_part_lend_no_period(text, words, what, period):
    assert figures_of(text)[words][:2] == (what, period)


def test_the_full_year_of_a_quarters_report_is_that_of_the_quarter():
    text = "润泽科技一季报：2026年一季度营收15.9亿元。公司称全年新增交付不少于400MW。"
    assert figures_of(text, date="2026-04-28")["400MW"][1] == "2026"


@pytest.mark.parametrize(
    ("text", "words", "what"),
    [
        ("AMD closed up 23.7% at $203.71.", "$203.71", "share price"),
        ("AMD closed up 23.7% at $203.71.", "23.7%", "growth of share price"),
        ("Nebius trades at 9x EV/26 sales at $98.", "$98", "share price"),
        ("Users must lodge £20,000 or lose it.", "£20,000", "figure"),
        ("Dell shipped $14.2 billion of servers and took $21 billion in orders.", "$21 billion", "contracts and orders taken"),
        ("金山云第三季经营利润1540万元，去年同期亏损1.4亿元。", "1.4亿元", "operating income"),
        ("AMD's total for four years, with other customers, is at least $100 billion.", "$100 billion", "figure"),
        ("Nordkraft Compute sold a 49% stake in its site, valuing the asset at $690 million.", "$690 million", "market value"),
        ("Nordkraft Compute will book a gain of $190 million and cut its borrowings.", "$190 million", "gain on a sale, planned"),
        ("Acme Cloud Ltd had an accumulated deficit of $148 million.", "$148 million", "accumulated deficit"),
        ("Acme Cloud Ltd has closed a $16 billion refinancing.", "$16 billion", "debt"),
        ("Acme Cloud Ltd's bonds fell to 81 cents on the euro.", "81 cents", "price of debt over its face value"),
        ("Marvell: EPS 80c, TP $120.", "80c", "earnings per share"),
        ("Marvell: TP $120, 24x CY27 P/E.", "24x", "price over earnings (P/E)"),
        ("特斯拉车均成本降到3.5万刀以下。", "3.5万刀", "cost"),
    ],
)  # fmt: skip
def test_what_a_figure_is(text, words, what):
    assert figures_of(text)[words][0] == what


def test_a_krone_is_of_its_country():
    (claim,) = jevons.read("Stockholm-listed Acme Compute AB said it will spend 3.4 billion Swedish crowns.").claims
    assert claim.named["amount"].unit == "SEK"


def test_putting_up_money_is_no_rise():
    (claim,) = jevons.read("Meta is putting up 20% of the equity.").claims
    assert claim.kind != "growth"
