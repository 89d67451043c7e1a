"""Machines times accelerators, margins, figures of a year before, owners of firms, and eight announcements."""
# ruff: noqa: E501 - an announcement stands on one line

import pytest

import jevons


def claims(text, kind):
    return [claim for claim in jevons.read(text).claims if claim.kind == kind]


@pytest.mark.parametrize(
    ("text", "devices", "what", "words"),
    [
        ("阿里云部署512台×8卡。", 4096, "", "512台×8卡"),
        ("公司采购128台8卡H200服务器。", 1024, "h200_sxm", "128台8卡H200"),
        ("另有64个8卡节点用于训练。", 512, "", "64个8卡"),
        ("服务器共256台，每台配备8张H20。", 2048, "h20", "256台，每台配备8张H20"),
        ("H20服务器采购300台八卡整机。", 2400, "h20", "300台八卡"),
        ("Meta ordered 120 racks of 72 GB300s each.", 8640, "gb300", "120 racks of 72 GB300s each"),
        ("The first phase has 100 nodes x 8 B200 GPUs.", 800, "b200_sxm", "100 nodes x 8 B200 GPUs"),
        ("Tencent ran 96 servers × 8 cards of H800.", 768, "h800_sxm", "96 servers × 8 cards of H800"),
        ("Oracle lends 128 eight-GPU H100 servers.", 1024, "h100_sxm", "128 eight-GPU H100 servers"),
    ],
)
def test_machines_are_counted_by_the_accelerators_that_they_hold(text, devices, what, words):
    figure = claims(text, "cluster")[0].named["devices"]
    assert (figure.low, figure.high, figure.what) == (devices, devices, what)
    assert figure.text.strip() == words


@pytest.mark.parametrize(
    "text",
    [
        "公司计划采购20台机柜，每台8层。",
        "Oracle operates 12 servers with 2 TB each.",
        "公司在8个城市有3个数据中心。",
        "Meta has 40 nodes with 100 Gb/s links.",
    ],
)
def test_what_holds_no_accelerators_is_not_multiplied(text):
    assert not claims(text, "cluster")


@pytest.mark.parametrize(
    ("text", "kind", "percent", "previous"),
    [
        ("Microsoft's operating margin was 45.6% in the December quarter of 2025.", "operating margin", 0.456, None),
        ("腾讯2025年经营利润率为36.9%。", "operating margin", 0.369, None),
        (
            "Oracle's revenue rose 14% and the operating margin narrowed to 30% from 31%.",
            "operating margin",
            0.30,
            0.31,
        ),
        (
            "CoreWeave's operating margin was -7%, against 3% in the same period last year.",
            "operating margin",
            -0.07,
            0.03,
        ),
        ("阿里云经调整EBITA利润率为9%，较去年同期的7%有所提升。", "ebita margin", 0.09, 0.07),
        ("Nebius reported a 70% gross margin.", "gross margin", 0.70, None),
        ("公司毛利率约两成。", "gross margin", 0.20, None),
    ],
)
def test_a_margin_is_a_claim_of_its_kind(text, kind, percent, previous):
    claim = claims(text, "margin")[0]
    assert claim.quantity == kind
    assert claim.named["percent"].middle == pytest.approx(percent)
    assert ("previous" in claim.named) == (previous is not None)
    if previous is not None:
        assert claim.named["previous"].middle == pytest.approx(previous)


def test_points_are_a_change_of_a_margin_and_no_level():
    claim = claims("CoreWeave's gross margin fell 4 percentage points.", "margin")[0]
    assert set(claim.named) == {"change"}
    assert claim.verdict == "not_on_file"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("In the December quarter of 2024 Alibaba Cloud's adjusted EBITA margin was 9.9%.", "confirmed"),
        ("In the December quarter of 2024 Alibaba Cloud's adjusted EBITA margin was 14%.", "contradicted"),
        ("Alibaba Cloud's adjusted EBITA margin was 14% in the December quarter of 2015.", "not_on_file"),
        ("Alibaba Cloud's gross margin was 9.9% in the December quarter of 2024.", "not_on_file"),
    ],
)
def test_a_margin_is_held_against_one_of_its_kind_and_period_only(text, verdict):
    assert claims(text, "margin")[0].verdict == verdict


@pytest.mark.parametrize(
    "text",
    [
        "Tencent's Q1 2026 capital expenditure came to RMB 31.9bn, versus RMB 27.5bn a year earlier.",
        "腾讯2026年一季度资本开支为319亿元，上年同期为275亿元。",
    ],
)
def test_a_figure_of_a_year_before_is_held_against_that_year(text):
    now, before = claims(text, "budget")
    assert (now.verdict, now.named["period"].label) == ("confirmed", "2026-Q1")
    assert before.named["period"].label == "2025-Q1"
    assert before.verdict != "contradicted"


def test_growth_belongs_to_the_amount_before_it():
    growth = claims("2026财年第二季度微软智能云收入329亿美元，同比增长29%，经营利润率42%。", "growth")
    assert [(one.quantity, one.named["percent"].middle) for one in growth] == [("intelligent_cloud_revenue", 0.29)]
    growth = claims("腾讯2025年全年资本开支为792亿元，同比增长3%，占收入约10.5%。", "growth")
    assert [(one.quantity, one.verdict) for one in growth] == [("capex", "confirmed")]


def test_a_year_before_an_amount_is_no_end_of_a_range():
    text = "Oracle lifted its capital expenditure outlook for fiscal 2026 to $50 billion from $35 billion."
    amount = claims(text, "budget")[0].named["amount"]
    assert (amount.low, amount.high, amount.text.strip()) == (50e9, 50e9, "$50 billion")


def test_a_multiple_of_revenue_is_none_of_earnings():
    found = claims("此次投资相当于上年收入的近3倍，市场给予其60倍市盈率。", "multiple")
    assert [one.named["multiple"].middle for one in found] == [60]


def test_a_date_from_which_something_holds_is_not_the_announcements():
    assert "as_of" not in jevons.read("Tencent will cut prices by 20%, effective 1 June 2026.").draft.fields


@pytest.mark.parametrize(
    ("text", "firm"),
    [
        ("阿里巴巴(BABA)宣布将投入3800亿元。", "Alibaba"),
        ("阿里巴巴（纽交所：BABA；港交所：9988）宣布将投入3800亿元。", "Alibaba"),
        ("沙特公共投资基金(PIF)旗下的Humain于2025年5月13日宣布投资770亿里亚尔。", "Humain"),
        ("Mubadala-backed fund MGX said it would commit AED 55bn.", "MGX"),
        ("Neocloud operator Lumen Forge (LFRG) today announced a $2.4 billion contract.", "Lumen Forge"),
        ("算力租赁商远算科技（603999.SH）公告称，拟投资12.6亿元。", "远算科技"),
        ("Tencent Holdings (700 HK) will invest RMB 90bn.", "Tencent"),
    ],
)
def test_the_firm_is_named_without_its_code_its_owner_or_its_trade(text, firm):
    said = jevons.read(text)
    assert said.to_json()["firm"] == firm
    assert not any(claim.named.get("figure") for claim in said.claims)


MICROSOFT = (
    "Microsoft (NASDAQ: MSFT) said on 14 January 2026 that it plans to spend about $110 billion on AI data centres in fiscal "
    "2026, up from $80 billion in fiscal 2025. It has ordered 120 racks of 72 GB300s each. Its operating margin was 45.6% in "
    "the December quarter, and analysts at Citi note that the shares trade at 29x forward earnings."
)
MICROSOFT_ZH = (
    "微软（MSFT）周三表示，2026财年第二季度资本开支达375亿美元。智能云收入329亿美元，同比增长29%，经营利润率42%。"
    "微软计划在英国投入300亿美元，为期四年。公司的商业剩余履约义务为6250亿美元。"
)
TENCENT = (
    "Tencent Holdings (700 HK) will cut the price of Hunyuan-T1 output tokens to RMB 4 per million tokens from RMB 8, the "
    "company said. Input tokens cost RMB 1 per million. Tencent ran 96 servers × 8 cards of H800 for training."
)
TENCENT_ZH = (
    "腾讯(0700.HK)3月18日公布，2025年全年资本开支为792亿元，同比增长3%。公司预计2026年资本开支将不低于900亿元。"
    "公司称已部署256台×8卡H20服务器。按2026年预测利润计算，市盈率为17倍。"
)
FUND = (
    "Mubadala-backed fund MGX said on 2 September 2025 it would commit up to AED 55bn over four years to AI infrastructure. "
    "The first phase is a 200 MW campus with 100 nodes x 8 B200 GPUs."
)
FUND_ZH = (
    "沙特公共投资基金(PIF)旗下的Humain于2025年5月13日宣布，将在未来五年建设1.9吉瓦的数据中心，首期采购18,000颗GB300芯片，"
    "总投资约770亿里亚尔。"
)
NEOCLOUD = (
    "Neocloud operator Lumen Forge (LFRG) today announced a $2.4 billion, 36-month take-or-pay contract for 16,000 H200s at "
    "$2.10 per GPU-hour. It has raised $900 million in debt and $150 million in equity. Backlog stands at $6.8 billion, up "
    "140% year over year. Adjusted EBITDA margin was 61 percent and operating margin 18 percent."
)
NEOCLOUD_ZH = (
    "算力租赁商远算科技（603999.SH）公告称，拟以12.6亿元采购128台8卡H200服务器，签订为期60个月的算力服务合同，"
    "合同总额15.8亿元，月租金每台约8.2万元。公司净利率6%，毛利率约两成。"
)
WORDS = {
    MICROSOFT: {
        "budget amount": "$110 billion", "budget previous": "$80 billion", "budget period": "fiscal 2026",
        "cluster devices": "120 racks of 72 GB300s each", "margin percent": "45.6%", "multiple multiple": "29x forward earnings",
    },
    MICROSOFT_ZH: {
        "budget amount": "375亿美元", "budget period": "2026财年第二季度", "growth percent": "29%", "margin percent": "42%",
    },
    TENCENT: {
        "price price": "RMB 4 per million tokens", "price previous": "RMB 8", "cluster devices": "96 servers × 8 cards of H800",
    },
    TENCENT_ZH: {
        "budget amount": "792亿元", "growth percent": "3%", "cluster devices": "256台×8卡H20服务器", "multiple multiple": "市盈率为17倍",
    },
    FUND: {"budget amount": "AED 55bn", "budget period": "over four years", "power power": "200 MW"},
    FUND_ZH: {"budget amount": "770亿里亚尔", "budget period": "未来五年", "power power": "1.9吉瓦", "cluster devices": "18,000颗GB300芯片"},
    NEOCLOUD: {
        "metric amount": "$2.4 billion", "rent rent": "$2.10", "cluster devices": "16,000 H200s", "growth percent": "140%",
        "margin percent": "61 percent",
    },
    NEOCLOUD_ZH: {"metric amount": "15.8亿元", "rent rent": "8.2万元", "cluster devices": "128台8卡H200", "margin percent": "6%"},
}  # fmt: skip


@pytest.mark.parametrize("text", WORDS, ids=range(len(WORDS)))
def test_an_announcement_gives_each_figure_its_words_and_nothing_is_contradicted(text):
    said = jevons.read(text)
    found = {}
    for claim in said.claims:
        for name, figure in claim.named.items():
            place = claim.sentence.start + figure.start
            assert text[place : place + len(figure.text)] == figure.text
            found.setdefault(f"{claim.kind} {name}", figure.text.strip())
    for what, words in WORDS[text].items():
        assert found.get(what) == words or words.startswith(found.get(what) or "-"), what
    assert not [claim for claim in said.claims if claim.verdict in {"contradicted", "unread"}]
