# ruff: noqa: E501 - a claim stands on one line
"""Which firm, quantity and period a figure belongs to, where another stands nearer."""

import pytest

import jevons
from jevons.study.announcement import lexicon
from jevons.study.announcement.wording import what_of

BN = 1e9


def read(text, date="2026-03-20"):
    """Return the claims of a text."""
    return jevons.read(text, date=date).claims


def stated(text, figure, date="2026-03-20"):
    """Return what a figure is, of whom and for which period, by the words it stands in."""
    for claim in read(text, date):
        for role, found in claim.named.items():
            if figure in found.text and found.kind not in {"period", "date"}:
                period = claim.named["period"].label if "period" in claim.named else ""
                what = what_of(claim) if role != "previous" else f"before: {what_of(claim)}"
                return what, lexicon.firm_name(claim.firm), period, found.low
    raise AssertionError(figure)


@pytest.mark.parametrize(
    ("text", "figure", "what", "value"),
    [
        # A noun that has its own figure names no other.
        ("Sales were $4bn while capital spending was $3bn.", "$4bn", "revenue", 4 * BN),
        ("Operating profit edged up 6% to £90m on revenue of £700m.", "£90m", "operating income", 9e7),
        ("Tidal AG charges €25 per hour of speech and expects revenue of €80m.", "€25", "figure", 25),
        # What a figure is said to include, or stands on, is not the figure.
        ("The deal would value it at about $9bn including debt.", "$9bn", "market value, conditional", 9 * BN),
        ("It took a $2.1 billion charge on inventory.", "$2.1 billion", "write-down", 2.1 * BN),
        # The head of a noun phrase grows, not whom it is for.
        ("Access fees for the smallest users will rise by 4%.", "4%", "growth of access fees for the smallest users, planned", 0.04),
        ("三家公司算力投资同比增加三成。", "三成", "growth of investment", 0.3),
        ("Turbine orders reached 30 GW at prices 20% above 2023's.", "20%", "growth of market price", 0.2),
        # Numbers of events are named behind them.
        ("The stock jumped after the Rs 900 crore defence order.", "Rs 900 crore", "contract", 9 * BN),
        ("公司定价发行3亿美元可转换优先票据。", "3亿美元", "notes or bonds", 3e8),
        # A margin ends where another quantity begins.
        ("毛利率介于20%到22%之间，折旧较上年增加约两成。", "两成", "growth of depreciation", 0.2),
        ("税后内部收益率11.2%。", "11.2%", "rate of return", 0.112),
    ],
)  # fmt: skip
def test_a_figure_is_of_the_quantity_that_it_belongs_to(text, figure, what, value):
    found = stated(text, figure)
    assert (found[0], found[3]) == (what, pytest.approx(value))


@pytest.mark.parametrize(
    ("text", "figure", "firm"),
    [
        ("Good morning, and welcome to Oracle's second-quarter call. Revenue was $14bn. ABCI will follow.", "$14bn", "Oracle"),
        ("Meta said it will spend $2bn to convert Intel's old campus, with 90 MW of power.", "90 MW", "Meta"),
        ("AMD will issue OpenAI warrants. Deployments rise to 3 GW.", "3 GW", "AMD"),
        ("Mistral closed a €900m round, with ASML putting in €500m.", "€500m", "ASML"),
        ("算力园由北原数科集团投资建设，总投资30亿元。", "30亿元", "北原数科集团"),
        ("今天又看了一遍星河云图的财报，营收9.2亿，增了两成。", "9.2亿", "星河云图"),
        ("Acme Brokers initiates on Zenith Servers with Buy. The order book stands at Rs 700 crore.", "Rs 700 crore", "Zenith Servers"),
        ("AMD ships MI450s this year. Jane Doe expects data-center revenue of $30 billion.", "$30 billion", "AMD"),
    ],
)  # fmt: skip
def test_a_figure_is_of_the_firm_that_the_text_is_about(text, figure, firm):
    assert stated(text, figure)[1] == firm


@pytest.mark.parametrize(
    ("text", "figure", "period"),
    [
        ("Acme Ltd: trading update for the six months to 31 October 2025. Revenue was £90m (H1 FY25: £70m).", "£90m", "2025-05 to 2025-10"),
        ("Acme Ltd: trading update for the six months to 31 October 2025. Revenue was £90m (H1 FY25: £70m).", "£70m", "2025-05 to 2025-10"),
        ("Acme Ltd expects revenue of $12m in the year to June 2026.", "$12m", "FY2026"),
        ("联想2027及2028财年每股盈利预测分别为0.2及0.3美元。", "0.2", "FY2027"),
        ("Acme Ltd公布2月营收9亿元。", "9亿元", "2026-02"),
        ("腾讯前三季度云业务收入增速在两成左右。", "两成", "2025-9M"),
        ("$META Dec Q: rev $59bn.", "$59bn", "2025-Q4"),
        ("Capex for the trailing four quarters was $9bn, so free cash flow was negative $2bn.", "$2bn", "past"),
        ("First-half revenue slid 30% to A$58 million.", "A$58 million", "2025-H2"),
    ],
)  # fmt: skip
def test_a_figure_is_of_the_period_that_its_words_or_its_text_give(text, figure, period):
    assert stated(text, figure)[2] == period


def test_a_list_of_losses_is_below_zero_throughout():
    text = "It had net losses of $3 million, $5 million and $8 million in 2023, 2024 and 2025, respectively."
    assert [(c.named["amount"].low, c.named["period"].label) for c in read(text)] == [
        (-3e6, "2023"), (-5e6, "2024"), (-8e6, "2025"),
    ]  # fmt: skip


def test_both_ends_of_a_rise_in_power_are_figures_and_no_range():
    powers = [c.named["power"] for c in read("Deployments rise from 1 GW to 6 GW.") if c.kind == "power"]
    assert [(p.low, p.high) for p in powers] == [(1e9, 1e9), (6e9, 6e9)]


def test_a_question_says_what_its_answer_is_of():
    found = stated(
        "问：全年资本开支怎么看？答：三季度我们花了130亿，同比少了24%。——摘自腾讯业绩会", "130亿", "2025-11-13"
    )
    assert found[:1] + found[2:] == ("capital expenditure", "2025-Q3", 13 * BN)
    assert (
        stated("问：资本开支呢？答：我们花了130亿，同比少了24%。——摘自腾讯业绩会", "24%")[0]
        == "growth of capital expenditure"
    )


def test_what_only_a_part_was_spent_on_is_not_what_the_next_firm_spent():
    text = "字节今年投资1600亿，其中850亿买AI芯片。腾讯？一个季度才130亿。"
    assert stated(text, "130亿", "2025-11-20")[:2] == ("capital expenditure", "Tencent")


def test_a_multiple_of_the_year_before_is_growth_in_english_too():
    found = stated("Acme Ltd expects revenue of $120m in 2027, four times last year's.", "four times")
    assert found == ("growth of revenue, planned", "Acme Ltd", "2027", pytest.approx(3.0))


ON_FILE = "Alibaba's September quarter 2025: revenue was RMB247.8bn, up 5% (15% excluding disposals). "


def test_growth_on_another_basis_is_not_contradicted_by_levels_as_reported():
    verdicts = [c.verdict for c in read(ON_FILE, "2025-11-25") if c.kind == "growth"]
    assert verdicts == ["confirmed", "not_on_file"]


def test_an_amount_far_from_that_of_a_period_that_its_sentence_does_not_name_is_not_contradicted():
    wrong = read(ON_FILE + "Capex was RMB35bn.", "2025-11-25")[-1]
    other = read(ON_FILE + "Capex was RMB120bn.", "2025-11-25")[-1]
    assert (wrong.verdict, other.verdict) == ("contradicted", "not_on_file")
    assert other.reason.startswith("the sentence gives no period of its own; on file for 2025-Q3")


def test_what_came_of_a_year_that_was_not_over_does_not_contradict_what_was_said_of_it():
    said = read("ByteDance will invest 160 billion yuan in 2025.", "2025-11-20")[0]
    assert said.verdict == "not_on_file"


def test_the_prior_year_is_that_before_the_one_reported():
    text = "中科曙光2025年年报：营业收入149.7亿元。经营活动现金流净额由上年的27.2亿元降至8.5亿元。"
    last = read(text, "2026-04-16")[-1]
    assert (last.named["amount"].low, last.named["previous"].low) == (8.5e8, 2.72e9)
    assert (last.named["period"].label, last.named["previous_period"].label) == ("2025", "2024")


def test_bare_amounts_of_a_text_in_simplified_chinese_are_in_yuan_unless_it_names_another_currency():
    assert stated("星河云图公布业绩，营收9.2亿。", "9.2亿")[0] == "revenue"
    assert stated("星河云图公布业绩，营收9.2亿，去年1亿美元。", "9.2亿")[0] != "revenue"


@pytest.mark.parametrize(
    ("text", "figure", "what", "period", "value"),
    [
        ("Acme plc said trading in the year to 31 December was good. Turnover was £80m and the loss before tax halved to £3m.", "£80m", "revenue", "2025", 8e7),
        ("Acme plc said trading in the year to 31 December was good. Turnover was £80m and the loss before tax halved to £3m.", "£3m", "net income", "2025", -3e6),
        ("廣達（2382）前 2 月營收 3,000 億元。", "3,000 億元", "revenue", "2026-2M", 3e11),
        ("云图科技2023至2025年收入5.3亿、6.3亿、9.1亿元人民币。", "6.3亿", "revenue", "2024", 6.3e8),
        ("Acme Ltd said interest expense will be between $5 million and $6 million in the third quarter.", "$5 million", "interest expense, planned", "2026-Q3", 5e6),
        ("Acme Ltd said about 40% is with one customer, down from 77% in 2023.", "77%", "figure", "2023", 0.77),
        ("Yields on the new line passed 70% in February.", "70%", "figure", "", 0.7),
    ],
)  # fmt: skip
def test_months_lists_and_former_levels_are_read_for_what_they_are(text, figure, what, period, value):
    found = stated(text, figure)
    assert (found[0].removesuffix(", earlier"), found[2], found[3]) == (what, period, pytest.approx(value))
