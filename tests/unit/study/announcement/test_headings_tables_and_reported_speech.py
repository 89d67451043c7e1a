# ruff: noqa: E501 - a case stands on one line
"""What sixty texts of many trades had that was misread: names, reported speech, plain tables, deals, codes of currencies."""

import datetime as dt

import pytest

import jevons
from announced import figures_of
from jevons.study.announcement import lexicon


@pytest.mark.parametrize(
    ("text", "firm"),
    [
        ("Sakuragi Networks of Tokyo raised its forecast of operating profit to ¥48.5 billion.", "Sakuragi Networks"),
        ("Hong Kong-listed Zhenhai Semiconductor said HK$4.2 billion would go to a new line.", "Zhenhai Semiconductor"),
        ("Gridline Telecom CEO Maria Ortega told reporters that capex would double to €900m.", "Gridline Telecom"),
        ("We raise our price target on Fenwick & Cole to $118.", "Fenwick & Cole"),
        ("Q4 print for Tarragon Systems: revenue of $1.84 billion.", "Tarragon Systems"),
        ("An analyst on the Meridian Chips call asked about 310,000 units.", "Meridian Chips"),
        ("Suryan Green to set up a cluster at Rs 1.1 lakh crore.", "Suryan Green"),
        ("Everpeak will buy back up to $2bn of shares.", "Everpeak"),
        ("Arctic Bits: 2025 in numbers. NOK 2.8bn of revenue.", "Arctic Bits"),
        ("Vindhya Datacom Q3 FY26: revenue ₹1,284 crore.", "Vindhya Datacom"),
        ("CEO of Tessera Foundry: 'We spent $1.4 billion.'", "Tessera Foundry"),
        ("云栈科技发布财报：营收12.6亿元。", "云栈科技"),
        ("海川云一季报：营收9.73亿元。", "海川云"),
        ("量潮科技（港股代码：02345）预期录得亏损6.2亿元。", "量潮科技"),
        ("西岭电力与数据中心签订购电协议，电价0.36元/千瓦时。", "西岭电力"),
        ("东澜光电接待机构调研：毛利率超过50%。", "东澜光电"),
        ("Revenue to grow 20% in 2026, and capex to double.", None),
    ],
)
def test_a_firm_is_named_as_headings_and_offices_have_it(text, firm):
    assert jevons.read(text).to_json()["firm"] == firm


@pytest.mark.parametrize(
    ("text", "words", "wanted"),
    [
        # what somebody said would come is planned; what comes only in some case is not
        ("Solace said it would put £2.2bn into a site in Leeds.", "£2.2bn", ("investment, planned", "", 2.2e9)),
        ("Solace said it could put £2.2bn into a site in Leeds.", "£2.2bn", ("investment, conditional", "", 2.2e9)),
        ("Solace said it would put £2.2bn into a site if the grid connects it.", "£2.2bn", ("investment, conditional", "", 2.2e9)),
        ("Helvia will raise its dividend to CHF 4.20 a share after net profit climbed 9% to CHF 1.14 billion.", "CHF 1.14 billion", ("net income", "", 1.14e9)),
        ("GulfGrid plans to build 6 GW by 2034 and has secured SAR 18 billion of financing.", "SAR 18 billion", ("funds raised", "", 1.8e10)),
        ("Qasr signed a $3 billion contract and plans to raise $500 million next year.", "$3 billion", ("contract", "", 3e9)),
        ("Qasr signed a $3 billion contract and plans to raise $500 million next year.", "$500 million", ("funds raised, planned", "2027", 5e8)),
        ("The board on Thursday approved capex of ₹9,600 crore for FY27, against ₹5,150 crore spent in FY26.", "₹9,600 crore", ("capital expenditure, planned", "FY2027", 9.6e10)),
        ("公司预期2025年亏损6.2亿元，而2024年亏损为9.1亿元。", "9.1亿元", ("net income", "2024", -9.1e8)),
        # levels and changes
        ("Oracle lifted its fiscal 2026 capex forecast by $15 billion to about $50 billion.", "$15 billion", ("change of capital expenditure, planned", "FY2026", 1.5e10)),
        ("Alibaba is lifting its three-year capex from 380 billion yuan to 480 billion yuan.", "480 billion yuan", ("capital expenditure", "", 4.8e11)),
        ("Q4 revenue was $1.84B vs $1.79B cons.", "$1.79B", ("revenue, estimated", "2025-Q4", 1.79e9)),
        ("The stock is at 22x our 2027 EPS estimate of $5.36.", "$5.36", ("earnings per share, estimated", "2027", 5.36)),
        ("Vertex's GPU arm contributed 4.1% of group revenue of $6.2 billion.", "$6.2 billion", ("revenue", "", 6.2e9)),
        ("Vertex cut 950 jobs, will book a charge, and expects to save $160 million a year.", "950 jobs", ("jobs", "", 950)),
        ("A fund will create 450 permanent jobs in Leeds.", "450 permanent jobs", ("jobs, planned", "", 450)),
        # deals
        ("Ostrava Cloud will pay CZK 3.4 billion for a 45 MW hall.", "CZK 3.4 billion", ("cost, planned", "", 3.4e9)),
        ("It has $510 million of cash left, and pays $0.9 million a day for compute.", "$0.9 million", ("cost", "", 9e5)),
        ("Everpeak sold its logistics unit for $640m.", "$640m", ("disposal", "", 6.4e8)),
        ("Everpeak bought back $70m of shares and wrote down older GPUs by $95m.", "$95m", ("write-down", "", 9.5e7)),
        ("Pallas AI raised $4 billion at a $60 billion valuation.", "$4 billion", ("funds raised", "", 4e9)),
        ("EBIT came in at EUR 204.1 million.", "EUR 204.1 million", ("operating income", "", 2.041e8)),
        ("Revenue was $688.1 million and cost of revenue $402.7 million.", "$402.7 million", ("cost of revenue", "", 4.027e8)),
        ("The ASP was roughly $14,500.", "$14,500", ("price of a unit", "", 14_500)),
        ("Cash used in operations was C$12.4 million.", "C$12.4 million", ("operating cash flow", "", -1.24e7)),
        ("Capex was 3.1bn NOK.", "3.1bn NOK", ("capital expenditure", "", 3.1e9)),
        ("项目总投资41亿元，其中资本金占20%。", "20%", ("share of capital expenditure", "", 0.2)),
        ("One customer represented 41% of revenue.", "41%", ("share of a customer", "", 0.41)),
        # rents, power and prices in one sentence
        ("H100八卡整机月租7.2万元，折合单卡每小时约12.3元。", "7.2万元", ("rent a month", "", 72_000)),
        ("H100八卡整机月租7.2万元，折合单卡每小时约12.3元。", "12.3元", ("rent an hour", "", 12.3)),
        ("It pays 3.9 cents per kWh and rents H100s at $2.21 an hour.", "3.9 cents", ("price of electricity", "", 0.039)),
        # periods
        ("Vindhya reported Q3 FY26 net profit of ₹118 crore.", "₹118 crore", ("net income", "2025-Q4", 1.18e9)),
        ("Capital expenditures fell to $30.9 billion from $37.5 billion in the previous quarter.", "$30.9 billion", ("capital expenditure", "", 3.09e10)),
        ("Maruhachi will invest 230 billion yen through fiscal 2028.", "230 billion yen", ("investment, planned", "to 2028", 2.3e11)),
    ],
)  # fmt: skip
def test_a_figure_is_what_its_clause_says(text, words, wanted):
    what, label, low, _ = figures_of(text)[words]
    assert (what, label, low) == (wanted[0], wanted[1], pytest.approx(wanted[2]))


@pytest.mark.parametrize("words", ["70B", "1.6T", "671B"])
def test_a_thing_named_by_its_size_is_no_amount(words):
    texts = {"70B": "The 70B model costs $18,400 a month.", "1.6T": "1.6T光模块毛利率50%。", "671B": "671B模型开源。"}
    assert words not in figures_of(texts[words])


TABLE = {
    "812": ("revenue", "FY2024", 812e6),
    "1,046": ("revenue", "FY2025", 1046e6),
    "12": ("net income", "FY2024", -12e6),
}


@pytest.mark.parametrize(
    "text",
    [
        "Pinnacle Hosting ($m) FY24 FY25\nRevenue 812 1,046\nNet income (12) 45\n",
        "Pinnacle Hosting, USD million   FY24   FY25\nRevenue   812   1,046\nNet income   (12)   45",
        "Table 2. Pinnacle Hosting ($m) FY24 FY25. Revenue 812 1,046. Net income (12) 45.",
    ],
    ids=["spaces", "wide", "flattened"],
)
def test_a_table_without_rules_is_read_by_its_columns(text):
    said = figures_of(text)
    assert {words: said[words][:3] for words in TABLE} == TABLE
    assert not {"FY24", "FY25", "2024", "2025"} & set(said)


@pytest.mark.parametrize(
    ("text", "verdict", "said"),
    [
        ("Microsoft said on 2025-11-02 that capital expenditures were $34.9 billion.", "confirmed", "2025-Q3"),
        ("Microsoft said on 2026-05-20 that capital expenditures were $34.9 billion.", "unlike", "2026-Q1"),
        ("Microsoft said on 2025-07-30 that capital expenditures were $34.9 billion.", "not_on_file", "2025-Q2"),
    ],
    ids=["of-now", "older", "not-yet-ended"],
)
def test_a_flow_without_a_period_is_held_against_the_last_that_had_ended(text, verdict, said):
    (claim,) = jevons.read(text).claims
    assert claim.verdict == verdict
    assert said in claim.reason
    assert "names no period" in claim.reason


def test_the_years_of_a_plan_that_is_raised_are_those_of_both_levels():
    (claim,) = jevons.read("阿里巴巴将三年资本开支从3800亿元上调至4800亿元。", date=dt.date(2026, 4, 30)).claims
    assert (claim.named["period"].low, claim.named["previous"].low, claim.named["amount"].low) == (3, 3.8e11, 4.8e11)
    assert lexicon.firm_name(claim.firm) == "Alibaba"
