# ruff: noqa: E501 - a claim stands on one line
"""Halves and quarters by a name alone, parts and tolerances without a unit, counts whose noun stands before them."""

import pytest

import jevons
from announced import figures_of
from jevons.study.announcement import lexicon


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Banksia Cloud Ltd reported half-year results to 31 December 2025. Revenue rose to A$90m. Capex for the half was A$200m and full-year guidance is A$500m.",
            {
                "A$90m": ("revenue", "2025-H2", 90e6, 90e6),
                "A$200m": ("capital expenditure", "2025-H2", 200e6, 200e6),
            },
        ),
        (
            "Meta delivered another strong quarter. Sales were $60 billion.",
            {"$60 billion": ("revenue", "2025-Q4", 60e9, 60e9)},
        ),
        (
            "金山云第三季收入25亿元，经营利润1500万元，为连续第二季盈利。",
            {"1500万元": ("operating income", "2025-Q3", 15e6, 15e6)},
        ),
        (
            "腾讯第2季毛利率57%，单季资本开支190亿元。",
            {"190亿元": ("capital expenditure", "2025-Q2", 19e9, 19e9)},
        ),
        (
            "阿里巴巴公布2026财年第三季及前九个月业绩：季度收入2848亿元。",
            {"2848亿元": ("revenue", "2025-Q4", 284.8e9, 284.8e9)},
        ),
        (
            "Oracle公布财报，全年资本开支500亿美元。",
            {"500亿美元": ("capital expenditure", "FY2025", 50e9, 50e9)},
        ),
        (
            "金山云2025年报：收入96亿元。Q4单季首次盈利，净利润3000万元。智算收入20亿元。",
            {
                "3000万元": ("net income", "2025-Q4", 30e6, 30e6),
                "20亿元": ("revenue", "2025", 2e9, 2e9),
            },
        ),
        (
            "美团2025年第四季经营亏损由上季的141亿元收窄至98亿元。研发开支68亿元。",
            {
                "98亿元": ("operating income", "2025-Q4", -9.8e9, -9.8e9),
                "68亿元": ("research and development", "2025-Q4", 6.8e9, 6.8e9),
            },
        ),
        (
            "优刻得2025年亏损收窄至0.83亿元（上年-2.41亿元）。",
            {"0.83亿元": ("net income", "2025", -83e6, -83e6)},
        ),
        (
            "我们预计优刻得26-28年收入21/27/34亿元，对应PS 6/5/4倍。",
            {
                "21": ("revenue, planned", "2026", 2.1e9, 2.1e9),
                "34亿元": ("revenue, planned", "2028", 3.4e9, 3.4e9),
                "5": ("price over sales", "2027", 5, 5),
            },
        ),
        (
            "Tessin Rechner AG starts at 40 megawatts in May 2027 and grows to 100 MW by 2029.",
            {"40 megawatts": ("power", "", 40e6, 40e6), "100 MW": ("power", "to 2029", 100e6, 100e6)},
        ),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_periods_that_a_text_names_without_a_year(text, expected):
    found = figures_of(text)
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Aube Calcul SA anticipates investments of 240 million euros, of which 70 million have been committed.",
            {"70 million": ("investment, planned", "", 70e6, 70e6)},
        ),
        (
            "Halden Systems expects sales of $1.5 billion plus or minus $50 million.",
            {"$50 million": ("tolerance of revenue, planned", "", 50e6, 50e6)},
        ),
        ("緯創全年營收2兆1,870億元。", {"2兆1,870億元": ("revenue", "2025", 2187e9, 2187e9)}),
        (
            "基地年用电量约9亿千瓦时，规划算力12000P，总投资68亿元。",
            {"68亿元": ("investment, planned", "", 6.8e9, 6.8e9)},
        ),
        (
            "Tamarack AI Inc sold 18 million shares at C$12.50 per share for gross proceeds of C$230 million.",
            {"C$230 million": ("equity raised", "", 230e6, 230e6)},
        ),
        (
            "Anselm AI will buy $60 billion of compute from Corvus Cloud over six years. That is $10 billion a year from a firm whose revenue was $1.3 billion.",
            {
                "$60 billion": ("contract, planned", "next", 60e9, 60e9),
                "$10 billion": ("contract", "each", 10e9, 10e9),
            },
        ),
        (
            "Sahra Digital PJSC drew AED 3.5 billion from a syndicated facility.",
            {"AED 3.5 billion": ("debt", "", 3.5e9, 3.5e9)},
        ),
        (
            "SK Haneul Telecom will raise the number of its GPUs to 30,000 by year-end from 7,800.",
            {
                "30,000": ("accelerators, planned", "to 2026", 30000, 30000),
                "7,800": ("previous of accelerators, planned", "", 7800, 7800),
            },
        ),
        (
            "Hopper rents are about $2.05 an hour, down from 2.40 a year ago. Blackwell is north of $3.80.",
            {"2.40": ("rent an hour", "", 2.4, 2.4), "$3.80": ("rent an hour", "", 3.8, 3.8)},
        ),
        (
            "Alphabet 4Q25: Cloud OI $5.3B. Backlog $240B, +55% q/q. Capex 4Q $27.9B; FY26 guide $175-185B.",
            {
                "$5.3B": ("operating income", "2025-Q4", 5.3e9, 5.3e9),
                "$175-185B": ("capital expenditure, planned", "FY2026", 175e9, 185e9),
            },
        ),
        (
            "We lift our PT on Alphabet to $400 from $350 (26x '27E EPS).",
            {"26x": ("price over earnings (P/E)", "", 26, 26), "$350": ("previous of price target", "", 350, 350)},
        ),
        (
            "阿里云收入421亿元，同比增长40%，外部客户收入加速至43%。",
            {"43%": ("growth of external cloud revenue", "", 0.43, 0.43)},
        ),
        ("Churn at Kestrel Cloud Ltd was 1.25% in the quarter.", {"1.25%": ("figure", "2025-Q4", 0.0125, 0.0125)}),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_what_a_part_a_tolerance_and_a_bare_number_are_of(text, expected):
    found = figures_of(text)
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("东阳光晚间披露一季报：营业总收入41亿元。", "东阳光"),
        ("由本源云帆投资建设的智算基地开工，总投资68亿元。", "本源云帆"),
        ("【快訊】散熱廠雙鴻4月營收35億元，月增6.8%。", "雙鴻"),
    ],
)
def test_names_before_the_evening_a_deed_and_a_month(text, name):
    claims = jevons.read(text, date="2026-05-20").claims
    assert {lexicon.firm_name(claim.firm) for claim in claims} == {name}


def test_what_only_the_press_of_taiwan_says_counts_in_its_dollars():
    said = jevons.read("散熱廠雙鴻4月營收35億元，月增6.8%。", date="2026-05-06")
    assert {f.unit for claim in said.claims for f in claim.named.values() if f.kind == "money"} == {"TWD"}
    assert {f.unit for claim in jevons.read("美團4月營收35億元，按年升6.8%。", date="2026-05-06").claims
            for f in claim.named.values() if f.kind == "money"} == {"CNY"}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "META Q4: 2026 capex $115-135bn (2025: $72bn; Street $110bn).",
            {
                "$115-135bn": ("capital expenditure", "2026", 115e9, 135e9),
                "$72bn": ("capital expenditure, earlier", "2025", 72e9, 72e9),
            },
        ),
        ("鴻海2025年每股盈餘13.6元創17年新高。", {"13.6元": ("earnings per share", "2025", 13.6, 13.6)}),
        (
            "【华创电子】澜起科技点评：预计2026-2028年营收为71、92和117亿元，EPS为2.61、3.52、4.53元，当前股价对应PE为52、39、30倍。",
            {
                "92": ("revenue, planned", "2027", 9.2e9, 9.2e9),
                "117亿元": ("revenue, planned", "2028", 11.7e9, 11.7e9),
                "4.53元": ("earnings per share", "2028", 4.53, 4.53),
                "39": ("price over earnings (P/E)", "2027", 39, 39),
            },
        ),
        (
            "Wadi Compute Co earned SAR 220 million last year on revenue of SAR 1.3 billion.",
            {
                "SAR 220 million": ("net income", "2025", 220e6, 220e6),
                "SAR 1.3 billion": ("revenue", "2025", 1.3e9, 1.3e9),
            },
        ),
        ("大股东对云涌智算的持股将由34.5%降至28%。", {"28%": ("stake, planned", "", 0.28, 0.28)}),
        (
            "Cobalt Ridge Corp ended the year with 38,400 GPUs and will deploy an additional 25,000 by June 30.",
            {"25,000": ("accelerators, planned", "", 25000, 25000)},
        ),
        ("Meta's Q1 guide $53.5-56.5bn beats.", {"$53.5-56.5bn": ("revenue, planned", "2026-Q1", 53.5e9, 56.5e9)}),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_brackets_records_and_lists_by_year(text, expected):
    found = figures_of(text)
    assert {name: found.get(name) for name in expected} == expected


def test_a_currency_is_no_firm_and_a_used_card_contradicts_no_price_of_new_ones():
    claims = jevons.read("Wadi Compute Co has sales of SAR 3bn. It paid SAR 1bn.", date="2026-02-17").claims
    assert {lexicon.firm_name(claim.firm) for claim in claims} == {"Wadi Compute Co"}
    used, new = (jevons.read(f"{kind}H20单卡价格6.5万元。", date="2026-06-03").claims[0] for kind in ("二手", ""))
    assert (used.kind, used.verdict, new.verdict) == ("device_price", "not_on_file", "contradicted")
