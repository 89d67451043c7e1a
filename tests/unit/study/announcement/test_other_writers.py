"""Kinds of statements that writers of many trades make: corrections, levels left, running quarters, other multiples."""

# ruff: noqa: E501 - a case stands on one line

import datetime as dt

import pytest

import jevons
from jevons.study.announcement import lexicon
from jevons.study.announcement.wording import what_of


def found(text, date="2025-12-02"):
    """Return what the figure of each place says, its period, its ends and its firm, by the words of the figure."""
    rows = {}
    for claim in jevons.read(text, date=dt.date.fromisoformat(date)).claims:
        period = claim.named.get("period")
        for figure in claim.named.values():
            if figure.kind not in {"period", "date"}:
                label = "" if period is None else period.label
                rows[figure.text] = (what_of(claim), label, figure.low, lexicon.firm_name(claim.firm))
    return rows


@pytest.mark.parametrize(
    ("text", "words", "wanted"),
    [
        ("百度第三季度资本开支34亿元，上季度为38亿元。", "38亿元", ("capital expenditure", "2025-Q2", 3.8e9, "Baidu")),
        ("Analysts expect Vertiv's fourth-quarter revenue of $2.9bn.", "$2.9bn", ("revenue, planned", "2025-Q4", 2.9e9, "Vertiv")),
        ("Dell expects revenue of $150bn by 2027.", "$150bn", ("revenue, planned", "2027", 1.5e11, "Dell")),
        ("Equinix will spend $20bn on new halls by 2029.", "$20bn", ("investment, planned", "to 2029", 2e10, "Equinix")),
        (
            "Net sales were $90.0 million and $61.0 million for the years ended June 30, 2025 and 2024, respectively.",
            "$61.0 million", ("revenue", "FY2024", 6.1e7, ""),
        ),
        ("英伟达Q3数据中心收入512亿美元。", "512亿美元", ("revenue of a part", "2025-Q4", 5.12e10, "Nvidia")),
        ("博通研发开支93亿美元，未来四年再投500亿美元。", "93亿美元", ("research and development", "", 9.3e9, "Broadcom")),
    ],
)  # fmt: skip
def test_the_period_is_that_of_the_figure(text, words, wanted):
    assert found(text)[words] == wanted


@pytest.mark.parametrize(
    ("text", "words", "what", "size"),
    [
        ("Arista's operating margin slipped from 48% to 45%.", "45%", "operating margin", 0.45),
        ("The net loss of Snowflake widened to $300 million from $240 million a year earlier.", "$240 million", "net income", -2.4e8),
        ("Marvell trades at 14x EV/EBITDA and at 5x sales.", "14x EV/EBITDA", "enterprise value over EBITDA", 14),
        ("Marvell trades at 14x EV/EBITDA and at 5x sales.", "5x sales", "price over sales", 5),
        ("金山云市净率1.8倍。", "市净率1.8倍", "price over book value", 1.8),
        ("UBS's call on Dell means 40% upside.", "40%", "distance from the share price", 0.4),
        ("盘后甲骨文大涨9.5%。", "9.5%", "growth of share price", 0.095),
        ("广达11月营收较去年同期成长三成五。", "三成五", "growth of revenue", 0.35),
        ("Power costs 24.5p per kWh in Slough.", "24.5p", "price of electricity", 0.245),
        ("世纪互联这个园区一年电费3600万。", "3600万", "cost of electricity", 3.6e7),
        ("Databricks has 700 customers, who pay $1.2 million a year each.", "$1.2 million", "spending of customers", 1.2e6),
        ("Oracle's cloud grew; AWS grew 17.5% to $30.9 billion.", "$30.9 billion", "cloud revenue", 3.09e10),
        ("AWS grew 17.5% to $30.9 billion.", "17.5%", "growth of cloud revenue", 0.175),
        ("Meta's capex was $17bn in 2025-Q2; it put the full-year figure at $69 billion.", "$69 billion", "capital expenditure", 6.9e10),
        ("Servers took $3 billion, or 30%, of the $10 billion capex.", "$3 billion", "capital expenditure", 3e9),
        ("Iris Power has $90 million in the bank and no debt.", "$90 million", "cash", 9e7),
        ("Iris Power has orders for 2,300 racks worth $700 million.", "$700 million", "contract", 7e8),
        ("Iris Power expects to lose money again, between $20 million and $30 million.", "$20 million and $30 million", "net income, planned", -3e7),
        ("Iris Power raises $90 million at an issue price of $6 a share.", "$6", "share price", 6),
        ("Iris Power borrowed $90 million for it.", "$90 million", "debt", 9e7),
        ("Sales rose $40 million, or 12%, at Iris Power.", "12%", "growth of revenue", 0.12),
        ("Vertiv's EBITDA margin was 22%.", "22%", "EBITDA margin", 0.22),
        ("万国数据在用机柜12.5万架。", "12.5万架", "racks", 125_000),
    ],
)  # fmt: skip
def test_what_a_figure_measures(text, words, what, size):
    said, _, low, _ = found(text)[words]
    assert (said, low) == (what, pytest.approx(size))


@pytest.mark.parametrize(
    ("text", "kept", "denied"),
    [
        ("Nscale will spend £900m on the site, not the £1.2bn first reported.", 9e8, 1.2e9),
        ("润泽科技今年资本开支为80亿元，而不是100亿元。", 8e9, 1e10),
        (
            "Correction: an earlier version of this note said that Iren's capital expenditure was $5bn. It was $3bn.",
            3e9, 5e9,
        ),
    ],
)  # fmt: skip
def test_what_a_text_takes_back_is_no_claim(text, kept, denied):
    amounts = {c.named["amount"].low: c for c in jevons.read(text).claims if "amount" in c.named}
    assert not amounts[kept].denied
    assert amounts[denied].denied
    assert amounts[denied].verdict == "unread"


@pytest.mark.parametrize(
    ("text", "firm"),
    [
        ("We initiate on Orlin Semiconductor (300-listed) at Hold. Revenue will be $2bn in 2026.", "Orlin Semiconductor"),
        ("GDANSK - Poland's Wisla Compute, backed by a bank, plans a 300 MW campus.", "Wisla Compute"),
        ("The second half was better: in it Helion Racks delivered 640 racks.", "Helion Racks"),
        ("研究机构：維持北原雲「買入」評級，目標價46港元。北原雲（06882.HK）收入9億元。", "北原雲"),
        ("本公司（北原数智，8123）本年度收入为人民币3.2亿元。", "北原数智"),
        ("三大云服务业者今年资本支出合计4000亿美元。", ""),
        ("AMD reported. HPC was 40% of revenue, it said.", "AMD"),
        ("AMD's Lisa Su says demand is strong. At Su's pace revenue reaches $50bn in 2027.", "AMD"),
    ],
)  # fmt: skip
def test_who_is_a_firm(text, firm):
    assert {name for *_, name in found(text).values()} == {firm}


def test_capital_expenditure_on_another_basis_is_not_contradicted():
    text = "Amazon's cash capital expenditure was $34.2 billion in 2025-Q3."
    assert [c.verdict for c in jevons.read(text).claims] == ["not_on_file"]


@pytest.mark.parametrize(
    "text",
    [
        "腾讯2025年在AI产品上投入180亿元。",
        "CoreWeave's capital expenditure for 2025 is now $12–14bn (was $20–23bn).",
        "CoreWeave trimmed its full-year guide to $5bn in 2025 because a landlord is late with one site.",
        "Oracle's FY2026 capital expenditures would be about $15 billion higher than the $35 billion it forecast.",
    ],
)
def test_a_part_a_former_level_and_a_difference_contradict_nothing(text):
    assert "contradicted" not in {c.verdict for c in jevons.read(text, date=dt.date(2025, 12, 11)).claims}


def test_beating_expectations_plans_nothing():
    assert found("腾讯营收超预期，达到1800亿元。")["1800亿元"][0] == "revenue"
    assert found("Oracle beat expectations with revenue of $16bn.")["$16bn"][0] == "revenue"


def test_results_of_a_year_are_of_the_one_that_had_ended():
    assert found("百度年报：收入1300亿元。毛利率45%。", "2026-03-02")["45%"][1] == "2025"


def test_an_age_is_no_length_of_time():
    assert found("Orlin Ltd, a four-year-old start-up, raised $80 million.")["$80 million"][1] == ""


def test_an_estimate_is_of_the_period_of_what_it_is_held_against():
    text = "Amazon guides capital expenditure of $200bn in 2026, against $131bn in 2025 and consensus at $147bn."
    claims = jevons.read(text, date=dt.date(2026, 2, 5)).claims
    by_text = {c.named["amount"].text: c for c in claims}
    assert by_text["$147bn"].named["period"].label == "2026"
    assert "contradicted" not in {c.verdict for c in claims}


def test_a_multiple_of_earnings_to_come_does_not_contradict_one_of_today():
    claims = jevons.read("Alibaba trades at 12 times 2027 earnings.", date=dt.date(2026, 3, 1)).claims
    assert [c.verdict for c in claims] == ["not_on_file"]


def test_what_is_spent_in_two_periods_is_two_claims():
    text = "Iren's outlay is $3bn in 2025. It had put $3bn into 2024 as well, in 2024."
    assert [c.named["period"].label for c in jevons.read(text).claims] == ["2025", "2024"]
