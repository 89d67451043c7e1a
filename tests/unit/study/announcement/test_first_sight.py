# ruff: noqa: E501 - a claim stands on one line
"""Announcements of firms on no list, in several currencies and scripts, annotated by hand before they were read."""

import pytest

import jevons
from jevons.study.announcement.wording import change_text, what_of

BN = 1e9
BROKER = (
    "中信建投研报：预计云岭科技2026/2027/2028年归母净利润分别为28.4/36.1/45.7亿元，对应PE分别为32/25/20倍。"
    "公司在手订单逾120亿元，规划IDC机柜约61万架。维持“买入”评级，目标价上调至78元。"
)
INDIAN = (
    "Zettabay Data Services said on 12 March 2026 that it will spend Rs 18,000 crore over five years on a 300 MW campus "
    "at Navi Mumbai. Phase one, costing ₹4,200 crore, houses 16,384 H100 GPUs. Zettabay's revenue in FY25 was ₹1,050 "
    "crore, 62 per cent up on the year before, and net debt is Rs 7,300 crore. A GPU hour is sold from ₹115."
)
HONG_KONG = (
    "遠航集團截至2025年9月30日止三個月收入達204.52億美元，按年上升14.6%，經調整股東應佔溢利5.12億美元，按年增25%。"
    "基礎設施方案業務收入41億美元，經營虧損收窄至3,200萬美元。中期息每股8.5港仙。"
)
UTILITY = (
    "Great Plains Electric lifted its five-year capital plan 33% to $72 billion. It has 28 GW of contracted load additions "
    "through 2030. Ohio data-center customers must pay for at least 85% of contracted demand. GPE expects operating "
    "earnings of $5.75 to $5.95 per share this year and 7–9% annual growth."
)
READ = {
    BROKER: [
        ("28.4", "net income, planned", "2026", 2.84 * BN),
        ("36.1", "net income, planned", "2027", 3.61 * BN),
        ("45.7亿元", "net income, planned", "2028", 4.57 * BN),
        ("32", "price over earnings (P/E)", "2026", 32),
        ("25", "price over earnings (P/E)", "2027", 25),
        ("20倍", "price over earnings (P/E)", "2028", 20),
        ("120亿元", "backlog", "", 12 * BN),
        ("61万架", "racks, planned", "", 610_000),
        ("78元", "price target", "", 78),
    ],
    INDIAN: [
        ("Rs 18,000 crore", "investment, planned", "next", 180 * BN),
        ("300 MW", "power, planned", "next", 300e6),
        ("₹4,200 crore", "cost", "", 42 * BN),
        ("16,384 H100 GPUs", "accelerators", "", 16_384),
        ("₹1,050 crore", "revenue", "FY2025", 10.5 * BN),
        ("62 per cent", "growth of revenue", "FY2025", 0.62),
        ("Rs 7,300 crore", "debt", "", 73 * BN),
        ("₹115", "rent an hour", "", 115),
    ],
    HONG_KONG: [
        ("204.52億美元", "revenue", "2025-Q3", 20.452 * BN),
        ("14.6%", "growth of revenue", "2025-Q3", 0.146),
        ("5.12億美元", "net income", "2025-Q3", 0.512 * BN),
        ("25%", "growth of net income", "2025-Q3", 0.25),
        ("41億美元", "revenue of a part", "2025-Q3", 4.1 * BN),
        ("3,200萬美元", "operating income", "2025-Q3", -32e6),
        ("8.5港仙", "dividends", "2025-Q3", 0.085),
    ],
    UTILITY: [
        ("33%", "growth of capital expenditure, planned", "", 0.33),
        ("$72 billion", "capital expenditure, planned", "", 72 * BN),
        ("28 GW", "contracted power", "to 2030", 28 * BN),
        ("85%", "share of contracted demand", "", 0.85),
        ("$5.75 to $5.95", "earnings per share, planned", "2025", (5.75, 5.95)),
        ("7–9%", "growth of earnings per share, planned", "2025", (0.07, 0.09)),
    ],
}  # fmt: skip
FIRMS = {
    BROKER: "云岭科技",
    INDIAN: "Zettabay Data Services",
    HONG_KONG: "遠航集團",
    UTILITY: "Great Plains Electric",
}
DAYS = {BROKER: "2026-03-20", INDIAN: "2026-03-12", HONG_KONG: "2025-11-20", UTILITY: "2025-10-29"}


@pytest.mark.parametrize("text", READ, ids=("broker", "indian", "hong-kong", "utility"))
def test_a_text_of_a_firm_on_no_list_is_read_as_it_was_annotated(text):
    said = jevons.read(text, date=DAYS[text])
    assert said.to_json()["firm"] == FIRMS[text]
    found = {}
    for claim in said.claims:
        figure = next(f for f in claim.named.values() if f.kind not in {"period", "date"})
        period = claim.named.get("period")
        found[claim.sentence.start + figure.start] = (
            figure.text, what_of(claim), "" if period is None else period.label, (figure.low, figure.high),
        )  # fmt: skip
        assert claim.verdict == "not_on_file", figure.text
    wanted = [
        (words, what, label, pytest.approx(size if isinstance(size, tuple) else (size, size)))
        for words, what, label, size in READ[text]
    ]
    assert [found[place] for place in sorted(found)] == wanted


@pytest.mark.parametrize(
    ("text", "firm"),
    [
        (
            "Nordlys Compute's chief executive told reporters the group would sink €1.1bn into a factory.",
            "Nordlys Compute",
        ),
        ("Seoul-based Hanbit posted operating profit of 410 billion won.", "Hanbit"),
        ("Revenue was $3 billion, said Quarrystone, the Austin-based GPU cloud.", "Quarrystone"),
        ("Shares of Brightwater AI fell 12% after the company guided to revenue of $410 million.", "Brightwater AI"),
        ("Founded in 2021, Polar Forge hosts 22,000 B200s in Iceland.", "Polar Forge"),
        ("At Lumatron, capital spending will reach $2.1 billion this year.", "Lumatron"),
        ("The chairman of Helix Grid, Anna Berg, said revenue rose 14% to €310m.", "Helix Grid"),
        ("星河算力发布2025年业绩快报：营业总收入118.73亿元。", "星河算力"),
        ("云岭数科（301999）2025年实现营收12亿元，同比增长20%。", "云岭数科"),
        ("據悉，宏遠雲端今年資本支出約新台幣120億元。", "宏遠雲端"),
        ("Just ran the numbers: my bill went from $3,100 to $140.", None),
        ("Revenue rose 14% to $3 billion.", None),
    ],
)
def test_a_firm_is_named_by_its_place_in_the_sentence(text, firm):
    assert jevons.read(text).to_json()["firm"] == firm


def amounts(text, **how):
    return [
        (c.firm, c.quantity, c.named["period"].label if "period" in c.named else "", c.named["amount"].middle / BN)
        for c in jevons.read(text, **how).claims
        if "amount" in c.named
    ]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (
            "Meta and Google spent $12 billion and $14 billion on capex in 2025-Q1, respectively.",
            [("meta", "capex", "2025-Q1", 12), ("alphabet", "capex", "2025-Q1", 14)],
        ),
        (
            "阿里、腾讯2025年资本开支分别约1200亿元和900亿元。",
            [("alibaba", "capex", "2025", 120), ("tencent", "capex", "2025", 90)],
        ),
        (
            "腾讯未来三年资本开支分别为21/47/78亿元。",
            [("tencent", "capex", f"year {n} of 3", size) for n, size in ((1, 2.1), (2, 4.7), (3, 7.8))],
        ),
        (
            "Meta's revenue was $3bn, $4bn and $5bn in 2023, 2024 and 2025.",
            [("meta", "revenue", "2023", 3), ("meta", "revenue", "2024", 4), ("meta", "revenue", "2025", 5)],
        ),
    ],
)
def test_values_of_a_list_belong_to_its_periods_or_firms_one_by_one(text, read):
    assert amounts(text) == [(*who, pytest.approx(size)) for *who, size in read]


@pytest.mark.parametrize(
    ("text", "size", "unit"),
    [
        ("SAP SE: 11 Mrd. € Umsatz.", 11e9, "EUR"),
        ("OVHcloud annonce 1,08 milliard d'euros.", 1.08e9, "EUR"),
        ("鴻海上半年營收達新台幣3.9兆元。", 3.9e12, "TWD"),
        ("中期息每股8.5港仙。", 0.085, "HKD"),
        ("净利润为人民币(1.2)亿元。", -1.2e8, "CNY"),
        ("Net loss was $(45.2) million.", -45.2e6, "USD"),
        ("Adani will invest ₹10 lakh crore.", 1e13, "INR"),
        ("Kepler Foundry's capex is ¥1.1 trillion in Kumamoto.", 1.1e12, "JPY"),
        ("台積電第三季合併營收9,899億2千萬元。", 989.92e9, "TWD"),
        ("Tencent's capex is ¥13 billion.", 13e9, "CNY"),
    ],
)
def test_an_amount_is_read_as_its_country_writes_it(text, size, unit):
    found = [f for c in jevons.read(text).claims for f in c.named.values() if f.kind == "money"]
    assert [(f.low, f.unit) for f in found] == [(pytest.approx(size), unit)]


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("百度收入翻番。", "up 100 %"),
        ("百度利润翻两番。", "up 300 %"),
        ("百度用户增至三倍。", "up 200 %"),
        ("Marvell's gross margin should slip 120 basis points to 58.8%.", "down 1.2 points"),
        ("Humain prices inference 30–40% below US rivals.", "down 30 to 40 %"),
        ("百度定价比同行便宜四成。", "down 40 %"),
    ],
)
def test_a_change_or_a_difference_has_its_size_and_sign(text, change):
    claim = jevons.read(text).claims[0]
    figure = claim.named.get("change") or claim.named["percent"]
    assert change_text(figure) == change


def test_a_figure_that_nothing_names_is_called_what_the_text_calls_it_or_nothing():
    arpu, energy, bare = jevons.read(
        "Inventory turns improved to $213 million at Meta. 全国用水量同比增长38.6%。Meta has $77 million."
    ).claims
    assert (what_of(arpu), what_of(energy), bare.verdict) == ("inventory", "growth of 用水量", "unread")


def test_the_level_of_a_year_of_results_holds_for_the_clauses_after_a_semicolon():
    text = "中国移动2025年年报：营业收入10,502亿元，同比增长0.9%；归母净利润1,371亿元。"
    assert [(q, label) for _, q, label, _ in amounts(text)] == [("revenue", "2025"), ("net_income", "2025")]


def test_what_will_be_made_later_is_no_period_of_the_money():
    (invested,) = [c for c in jevons.read("公司計劃投資新台幣250億元，2027年量產。").claims if c.kind == "budget"]
    assert "period" not in invested.named


def test_how_long_it_lasts_may_stand_in_a_clause_of_its_own():
    (invested,) = jevons.read("阿里云承诺每年投入10亿，连续投10年。").claims
    assert invested.derived["total"] == (1e10, 1e10, "CNY")


def test_what_came_is_not_contradicted_by_what_was_guided_before():
    text = "Amazon guided to about $200 billion of capital expenditures for 2026, up from $131 billion last year."
    now, before = jevons.read(text, date="2026-02-05").claims
    assert (now.verdict, before.verdict) == ("confirmed", "not_on_file")
    assert "only an earlier forecast is on file for 2025" in before.reason


def test_a_quarter_just_ended_is_the_one_that_is_forecast():
    text = "三星电子一季度营业利润预计达57.2万亿韩元；销售额133万亿韩元。"
    assert [label for _, _, label, _ in amounts(text, date="2026-04-09")] == ["2026-Q1", "2026-Q1"]


def test_since_when_a_pace_was_not_so_fast_is_no_period():
    growth = jevons.read("AWS sales grew 24%, the fastest pace in 13 quarters.").claims[0]
    assert "period" not in growth.named


def test_a_share_of_a_market_that_a_firm_holds_is_no_stake():
    text = "SK hynix holds 54% of the HBM market, ahead of Samsung's 28% and Micron's 18%."
    found = [(c.firm, c.kind, c.named["percent"].middle) for c in jevons.read(text).claims]
    assert found == [("sk_hynix", "share", 0.54), ("samsung", "share", 0.28), ("micron", "share", 0.18)]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Micron's inventory rose 20% in 2Q26.", "2026-Q2"),
        ("Micron's inventory rose 20% in Q3'25.", "2025-Q3"),
        ("Micron's inventory rose 20% in the second half of 2026.", "2026-H2"),
        ("国家电网2026年前4个月投资20亿元。", "2026-4M"),
        ("SK hynix's sales were ₩24 trillion for July–September 2025.", "2025-Q3"),
    ],
)
def test_a_period_is_read_as_people_write_it(text, label):
    assert jevons.read(text).claims[0].named["period"].label == label


def test_a_range_may_be_what_was_before():
    (claim,) = jevons.read("腾讯资本开支指引由90亿—110亿元上调至120亿元。").claims
    previous = claim.named["previous"]
    assert (previous.low, previous.high, claim.named["amount"].low) == (9e9, 11e9, 12e9)


def test_the_month_of_may_is_no_condition():
    (users,) = jevons.read("OpenAI had 910 million weekly users in May.").claims
    assert (what_of(users), users.named["count"].middle) == ("users", 910e6)


def test_a_yen_amount_is_told_by_its_worth_in_dollars():
    sales, _ = jevons.read("Kepler Foundry's sales were ¥412.6 billion ($2.7 billion). Capex was ¥90 billion.").claims
    assert sales.named["amount"].unit == "JPY"


def test_what_is_paid_with_is_not_what_is_paid():
    (invested,) = jevons.read("公司拟以自有资金及银行贷款合计42亿元在张家口投建智算基地。").claims
    assert invested.quantity == "capex"


def test_a_rent_of_another_year_confirms_nothing():
    (rent,) = jevons.read("Microsoft pays $2.05/hr per H100.", date="2027-01-27").claims
    assert (rent.kind, rent.verdict) == ("rent", "not_on_file")


def test_a_list_price_that_is_long_gone_contradicts_nothing():
    claim = jevons.read("DeepSeek V3's output is $0.42 per million tokens.", date="2027-12-05").claims[0]
    assert claim.verdict == "not_on_file"


@pytest.mark.parametrize(
    ("text", "firm", "devices", "power"),
    [
        (
            "Oracle said it had delivered 96,000 Nvidia Grace Blackwell GB200s and 400 MW of capacity to customers.",
            "oracle",
            96_000,
            4e8,
        ),
        (
            "Anthropic will use up to one million Google TPUs and more than a gigawatt of capacity.",
            "anthropic",
            1e6,
            1e9,
        ),
        ("百度计划到2030年建成由百万张昆仑芯组成的单一集群。", "baidu", 1e6, None),
    ],
)
def test_accelerators_are_of_who_has_them_however_their_maker_is_named(text, firm, devices, power):
    claims = jevons.read(text, date="2025-11-20").claims
    assert [claim.firm for claim in claims] == [firm] * len(claims)
    assert claims[0].named["devices"].low == devices
    assert (claims[1].named["power"].low if len(claims) > 1 else None) == power


@pytest.mark.parametrize("text", ["文心5.0的推理价格较上一代下降约六成。", "ERNIE 5.0 costs 60% less than ERNIE 4.5."])
def test_the_number_of_a_version_is_no_figure(text):
    (claim,) = jevons.read(text, date="2025-11-20").claims
    assert claim.named["percent"].low == pytest.approx(-0.6)
