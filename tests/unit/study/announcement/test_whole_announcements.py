# ruff: noqa: E501 - a claim stands on one line
"""Four whole announcements, each claim of which an analyst read by hand, and the kinds of statement in them."""

import pytest

import jevons
from jevons.study.announcement.wording import change_text, what_of, who_of

BN = 1e9

TENCENT = (
    "騰訊（0700.HK）於2025年11月13日公布第三季業績。季內收入1,929億元，同比增長15%；資本開支130億元，同"
    "比減少24%，環比下滑32%。管理層表示，2025年全年資本開支將低於早前指引的「收入的低雙位數百分比」，但高於2024年的"
    "768億元。研發開支228億元，創單季新高。混元3D模型下載量突破300萬次。公司斥資約211億港元回購股份。自由現金流58"
    "5億元，淨現金1,024億元。高盛予「買入」評級，目標價770港元，相當於2026年預測市盈率21倍。"
)
META = (
    "MENLO PARK, Calif., October 29, 2025 /PRNewswire/ -- Meta Platforms, Inc. (Nasdaq: META) today reported third "
    "quarter results. Revenue was $51.24 billion, an increase of 26% year-over-year. Income from operations was "
    "$20.54 billion, a margin of 40%. Diluted EPS was $1.05, down 83% because of a one-time tax charge of $15.93 "
    "billion. Capital expenditures, including principal payments on finance leases, were $19.37 billion. We currently"
    " expect 2025 capital expenditures to be in the range of $70-72 billion, increased from our prior outlook of "
    "$66-72 billion. We expect capex dollar growth to be notably larger in 2026 than in 2025. Headcount was 78,450 as"
    " of September 30, 2025, an increase of 8% year-over-year. We repurchased $3.16 billion of our Class A common "
    "stock and paid $1.33 billion in dividends. Our Hyperion campus in Louisiana could reach 5 GW by 2030; a $27 "
    "billion joint venture with Blue Owl, of which Meta keeps 20%, funds it. This release contains forward-looking "
    "statements; actual results may differ by 100% or more from those in Section 21E of the Exchange Act of 1934."
)
ALPHABET = (
    "Alphabet Q1 2026 results (April 29, 2026)\n"
    "| | Q1 2026 | Q1 2025 | Change |\n"
    "|---|---|---|---|\n"
    "| Revenue | $109.9bn | $90.2bn | +22% |\n"
    "| Google Cloud revenue | $20.0bn | $12.3bn | +63% |\n"
    "| Capital expenditures | $35.7bn | $17.2bn | +108% |\n"
    "\n"
    "Cloud backlog nearly doubled quarter on quarter to $462 billion. Alphabet raised its 2026 capex outlook to "
    "$180–190 billion, from $175–185 billion. The firm issued $31.1bn of senior notes in the quarter. It now "
    "processes 3.2 quadrillion tokens a month, up seven-fold on the year."
)
COREWEAVE = (
    "Operator: Welcome to CoreWeave's first quarter 2026 earnings call. Revenue was $2.08 billion, up 112% year over "
    "year. Backlog grew to $99.4 billion, and we ended the quarter with more than 1 gigawatt of active power and 3.5 "
    "gigawatts of contracted power. Adjusted operating income was $21 million, a 1% margin. Interest expense was $536"
    " million, 26% of revenue. Net loss was $740 million. Capex was $6.8 billion. For Q2 we expect revenue of $2.45 "
    "billion to $2.6 billion, and for the full year we still expect capex of $31 billion to $35 billion. We signed a "
    "$21 billion agreement with Meta through 2032. H100 pricing was within 10% of the start of the year. We priced "
    "$1.75 billion of 9.75% senior notes due 2031. No customer will be more than 35% of revenue, down from 85% a year"
    " ago."
)

READ = {
    TENCENT: [
        ("1,929億元", "revenue", "2025-Q3", 192.9 * BN, "not_on_file"),
        ("15%", "growth of revenue", "2025-Q3", 0.15, "not_on_file"),
        ("130億元", "capital expenditure", "2025-Q3", 13 * BN, "confirmed"),
        ("24%", "growth of capital expenditure", "2025-Q3", -0.24, "confirmed"),
        ("32%", "growth of capital expenditure", "2025-Q3", -0.32, "confirmed"),
        ("低雙位數百分比", "capital expenditure over revenue, planned", "2025", (0.10, 0.14), "confirmed"),
        ("768億元", "capital expenditure, earlier", "2024", 76.8 * BN, "confirmed"),
        ("228億元", "research and development", "2025-Q3", 22.8 * BN, "not_on_file"),
        ("300萬次", "downloads", "", 3e6, "not_on_file"),
        ("211億港元", "buyback", "2025-Q3", 21.1 * BN, "not_on_file"),
        ("585億元", "free cash flow", "2025-Q3", 58.5 * BN, "not_on_file"),
        ("1,024億元", "net cash", "", 102.4 * BN, "not_on_file"),
        ("770港元", "price target", "", 770, "not_on_file"),
        ("市盈率21倍", "price over earnings (P/E)", "2026", 21, "not_on_file"),
    ],
    META: [
        ("$51.24 billion", "revenue", "2025-Q3", 51.24 * BN, "not_on_file"),
        ("26%", "growth of revenue", "2025-Q3", 0.26, "not_on_file"),
        ("$20.54 billion", "operating income", "2025-Q3", 20.54 * BN, "not_on_file"),
        ("40%", "operating margin", "2025-Q3", 0.40, "not_on_file"),
        ("$1.05", "earnings per share", "2025-Q3", 1.05, "not_on_file"),
        ("83%", "growth of earnings per share", "2025-Q3", -0.83, "not_on_file"),
        ("$15.93 billion", "tax charge", "2025-Q3", 15.93 * BN, "not_on_file"),
        ("$19.37 billion", "capital expenditure", "2025-Q3", 19.37 * BN, "not_on_file"),
        ("$70-72 billion", "capital expenditure, planned", "2025", (70 * BN, 72 * BN), "confirmed"),
        ("78,450", "headcount", "", 78_450, "not_on_file"),
        ("8%", "growth of headcount", "", 0.08, "not_on_file"),
        ("$3.16 billion", "buyback", "2025-Q3", 3.16 * BN, "not_on_file"),
        ("$1.33 billion", "dividends", "2025-Q3", 1.33 * BN, "not_on_file"),
        ("5 GW", "power, conditional", "to 2030", 5e9, "not_on_file"),
        ("$27 billion", "joint venture", "", 27 * BN, "not_on_file"),
        ("20%", "stake", "", 0.20, "not_on_file"),
    ],
    ALPHABET: [
        ("$109.9bn", "revenue", "2026-Q1", 109.9 * BN, "confirmed"),
        ("$90.2bn", "revenue", "2025-Q1", 90.2 * BN, "not_on_file"),
        ("22%", "growth of revenue", "2026-Q1", 0.22, "not_on_file"),
        ("$20.0bn", "cloud revenue", "2026-Q1", 20 * BN, "confirmed"),
        ("$12.3bn", "cloud revenue", "2025-Q1", 12.3 * BN, "confirmed"),
        ("63%", "growth of cloud revenue", "2026-Q1", 0.63, "confirmed"),
        ("$35.7bn", "capital expenditure", "2026-Q1", 35.7 * BN, "confirmed"),
        ("$17.2bn", "capital expenditure", "2025-Q1", 17.2 * BN, "confirmed"),
        ("108%", "growth of capital expenditure", "2026-Q1", 1.08, "confirmed"),
        ("doubled", "growth of backlog", "", 1.0, "not_on_file"),
        ("$462 billion", "backlog", "", 462 * BN, "confirmed"),
        ("$180–190 billion", "capital expenditure, planned", "2026", (180 * BN, 190 * BN), "confirmed"),
        ("$31.1bn", "notes or bonds", "2026-Q1", 31.1 * BN, "confirmed"),
        ("3.2 quadrillion tokens", "tokens a month", "", 3.2e15, "confirmed"),
        ("seven-fold", "growth of tokens", "", 6.0, "confirmed"),
    ],
    COREWEAVE: [
        ("$2.08 billion", "revenue", "2026-Q1", 2.08 * BN, "confirmed"),
        ("112%", "growth of revenue", "2026-Q1", 1.12, "confirmed"),
        ("$99.4 billion", "backlog", "", 99.4 * BN, "confirmed"),
        ("1 gigawatt", "active power", "", 1e9, "confirmed"),
        ("3.5 gigawatts", "contracted power", "", 3.5e9, "not_on_file"),
        ("$21 million", "operating income", "2026-Q1", 21e6, "not_on_file"),
        ("1%", "operating margin", "2026-Q1", 0.01, "confirmed"),
        ("$536 million", "interest expense", "2026-Q1", 536e6, "not_on_file"),
        ("26%", "interest expense over revenue", "2026-Q1", 0.26, "confirmed"),
        ("$740 million", "net income", "2026-Q1", -740e6, "confirmed"),
        ("$6.8 billion", "capital expenditure", "2026-Q1", 6.8 * BN, "confirmed"),
        ("$2.45 billion to $2.6 billion", "revenue, planned", "2026-Q2", (2.45 * BN, 2.6 * BN), "confirmed"),
        ("$31 billion to $35 billion", "capital expenditure, planned", "2026", (31 * BN, 35 * BN), "confirmed"),
        ("$21 billion", "contract", "to 2032", 21 * BN, "not_on_file"),
        ("10%", "growth of rent of accelerators", "", 0.10, "not_on_file"),
        ("$1.75 billion", "notes or bonds", "2026-Q1", 1.75 * BN, "not_on_file"),
        ("9.75%", "rate of interest", "", 0.0975, "not_on_file"),
        ("35%", "share of a customer, planned", "", 0.35, "not_on_file"),
        ("85%", "share of a customer, planned", "2025-Q1", 0.85, "not_on_file"),
    ],
}  # fmt: skip
DAYS = {TENCENT: "2025-11-13", META: "2025-10-29", ALPHABET: "2026-04-29", COREWEAVE: "2026-05-07"}


@pytest.mark.parametrize("text", READ, ids=("tencent", "meta", "alphabet", "coreweave"))
def test_each_claim_of_an_announcement_is_what_an_analyst_reads_in_it(text):
    said = jevons.read(text, date=DAYS[text])
    found = {}
    for claim in said.claims:
        figure = next(f for f in claim.named.values() if f.kind not in {"period", "date"})
        period = claim.named.get("period")
        place = claim.sentence.start + figure.start
        assert text[place : place + len(figure.text)] == figure.text
        found[place] = (
            figure.text, what_of(claim), "" if period is None else period.label, (figure.low, figure.high), claim.verdict,
        )  # fmt: skip
        assert (claim.firm == said.firm) != (claim.kind == "target"), figure.text
    wanted = [
        (words, what, label, pytest.approx(size if isinstance(size, tuple) else (size, size)), verdict)
        for words, what, label, size, verdict in READ[text]
    ]
    assert [found[place] for place in sorted(found)] == wanted


def claims(text, kind="", **how):
    return [c for c in jevons.read(text, **how).claims if not kind or c.kind == kind]


def one(text, kind="", **how):
    found = claims(text, kind, **how)
    assert len(found) == 1, [(c.kind, c.quantity) for c in found]
    return found[0]


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("腾讯2025年资本开支占收入的低双位数百分比，约为900亿元。", "capex"),
        ("Meta's capital expenditure will be 38% of revenue in 2026, about $70 billion.", "capex"),
        ("CoreWeave's interest expense was $311 million, a quarter of revenue.", "interest"),
    ],
)
def test_what_a_share_is_taken_of_does_not_name_the_amount(text, quantity):
    assert {c.quantity for c in claims(text) if "amount" in c.named} == {quantity}


@pytest.mark.parametrize(
    ("text", "previous", "label"),
    [
        ("腾讯2025年资本开支约900亿元，较2024年的768亿元增加。", 76.8, "2024"),
        ("Amazon will spend $200 billion in 2026, up 52% from $131 billion in 2025.", 131, "2025"),
        ("百度2025年资本开支121亿元，高于2024年的81亿元。", 8.1, "2024"),
    ],
)
def test_the_level_of_another_year_is_what_was_before_and_a_claim_of_that_year(text, previous, label):
    now, before = claims(text, "budget")
    assert now.named["previous"].low == pytest.approx(previous * BN)
    assert before.named["period"].label == label
    assert before.quantity == "capex"
    assert now.named["period"].label != label


@pytest.mark.parametrize(
    ("text", "change", "words"),
    [
        ("腾讯资本开支同比下降24%。", -0.24, "down 24 %"),
        ("Alibaba's capital expenditure fell by a quarter.", -0.25, "down 25 %"),
        ("Oracle's revenue is down 24%.", -0.24, "down 24 %"),
        ("Meta's headcount was cut by more than 5%.", -0.05, "down at least 5 %"),
        ("百度营收环比减少三成。", -0.30, "down 30 %"),
        ("百度营收下滑7%。", -0.07, "down 7 %"),
        ("Intel's revenue: -7%.", -0.07, "down 7 %"),
        ("CoreWeave's revenue more than doubled, up 112%.", 1.12, "up 112 %"),
        ("微软资本开支同比增加74%。", 0.74, "up 74 %"),
        ("豆包价格降幅达99.3%。", -0.993, "down 99.3 %"),
        ("Nvidia rents are 40% lower.", -0.40, "down 40 %"),
    ],
)
def test_growth_has_its_sign(text, change, words):
    claim = claims(text, "growth")[-1]
    assert claim.named["percent"].middle == pytest.approx(change)
    assert change_text(claim.named["percent"]) == words


@pytest.mark.parametrize(
    ("text", "quantity", "verdict"),
    [
        ("Microsoft's capex was up 39% in 2025-Q4.", "capex", "not_on_file"),
        ("Azure grew 38% in 2025-Q4.", "azure_revenue", "confirmed"),
        ("Azure grew 50% in 2025-Q4.", "azure_revenue", "contradicted"),
        ("腾讯2025年第三季度资本开支同比下降24%。", "capex", "confirmed"),
        ("腾讯2025年第三季度资本开支同比增长24%。", "capex", "contradicted"),
        ("腾讯2025年第三季度资本开支环比下降32%。", "capex", "confirmed"),
        ("CoreWeave's backlog grew 84% on the year to September 30, 2025.", "backlog", "not_on_file"),
        ("Alphabet's capital expenditure rose 108% in Q1 2026.", "capex", "confirmed"),
    ],
)
def test_growth_is_held_against_growth_of_the_same_quantity_only(text, quantity, verdict):
    claim = one(text, "growth")
    assert (claim.quantity, claim.verdict) == (quantity, verdict), claim.reason


PARTNER = "Microsoft spent $34.9 billion on capital expenditure. OpenAI has contracted $250 billion of Azure services. "


@pytest.mark.parametrize(
    ("sentence", "firm"),
    [
        ("The stock trades at 33x forward earnings.", "microsoft"),
        ("The company had 27% of OpenAI.", "microsoft"),
        ("Its backlog is $392 billion.", "microsoft"),
        ("It agreed a $9.7bn deal with IREN.", "microsoft"),
        ("Nebius and Lambda contracts bring its commitments to $60bn.", "microsoft"),
        ("Meta's capital expenditure was $19 billion.", "meta"),
    ],
)
def test_a_partner_that_was_named_last_is_not_who_is_spoken_of(sentence, firm):
    assert jevons.read(PARTNER + sentence).claims[-1].firm == firm


@pytest.mark.parametrize(
    ("sentence", "firm"),
    [
        ("公司市盈率为25倍。", "tencent"),
        ("其自由现金流为585亿元。", "tencent"),
        ("公司持有OpenAI 2%股权。", "tencent"),
    ],
)
def test_the_company_is_the_announcer_in_chinese_as_well(sentence, firm):
    text = "腾讯宣布2025年资本开支约900亿元。芯片由英伟达供应。" + sentence
    assert jevons.read(text).claims[-1].firm == firm


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("腾讯2025年资本开支预计约900亿元，较2024年的768亿元增加。第三季度资本开支为130亿元。",
         "Tencent: capital expenditure of about 90.0 bn CNY in 2025, after 76.8 bn CNY in 2024; 3 claims:"),
        ("Meta's capex was $19 billion in the third quarter. It expects capex of $70-72 billion in 2025.",
         "Meta: capital expenditure of 70.0 bn USD to 72.0 bn USD in 2025; 2 claims:"),
        ("Alibaba will invest RMB 380bn over the next three years.",
         "Alibaba: investment of 380 bn CNY over 3 years (127 bn CNY a year); 1 claim:"),
    ],
)  # fmt: skip
def test_the_answer_says_what_and_when_and_a_plan_comes_before_what_was_spent(text, answer):
    assert jevons.read(text).answer.startswith(answer)


@pytest.mark.parametrize(
    "text",
    [
        "Microsoft said on October 29, 2025 that capital expenditures were $34.9 billion in the quarter.",
        "腾讯第三季度资本开支为130亿元。",
    ],
)
def test_what_a_quarter_cost_is_no_budget_of_a_draft(text):
    said = jevons.read(text)
    assert said.claims[0].named["period"].low == 0.25
    assert "expansion.budget" not in said.draft.fields
    assert "only what was spent" in said.draft.missing["expansion.budget"]


@pytest.mark.parametrize(
    ("text", "what", "who"),
    [
        ("Oracle has $108 billion of debt.", "debt", "Oracle"),
        ("CoreWeave priced 9.25% senior notes due 2030.", "rate of interest", "CoreWeave"),
        ("CoreWeave's interest expense was $311 million.", "interest expense", "CoreWeave"),
        ("Microsoft holds 27% of OpenAI.", "stake in OpenAI", "Microsoft"),
        ("CoreWeave signed a $14.2bn deal with Meta through 2031.", "contract", "CoreWeave with Meta"),
        ("阿里巴巴派发股息46亿美元。", "dividends", "Alibaba"),
        ("百度净亏损112亿元。", "net income", "Baidu"),
        ("Amazon's purchase commitments are $60bn.", "commitments", "Amazon"),
        ("Meta's EPS was $1.05.", "earnings per share", "Meta"),
        ("豆包日均tokens使用量超过16.4万亿。", "tokens a day", "ByteDance"),
        ("Alibaba's online marketing revenue was RMB 15 billion.", "revenue of a part", "Alibaba"),
    ],
)
def test_a_claim_is_called_by_what_it_measures(text, what, who):
    claim = claims(text)[0]
    assert (what_of(claim), who_of(claim)) == (what, who)
    assert claim.verdict != "unread"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (
            "Microsoft will raise its AI capacity by 80% this fiscal year, and its staff over the next two years.",
            "FY2026",
        ),
        ("Meta expects its capital expenditure to grow by 50% next year.", "2026"),
        ("Oracle's capital expenditure was $8 billion in the quarter.", "2025-Q3"),
        ("腾讯今年资本开支预计增长20%。", "2025"),
        ("微软本财年资本开支预计增长20%。", "FY2026"),
    ],
)
def test_a_relative_period_is_counted_from_the_day(text, label):
    assert claims(text, date="2025-10-29")[0].named["period"].label == label


def test_bare_cells_of_a_table_are_in_the_unit_of_its_head():
    text = (
        "阿里巴巴业绩\n| 人民币百万元 | 2025年第三季度 | 2024年第三季度 | 同比 |\n|---|---|---|---|\n"
        "| 云智能集团收入 | 39,824 | 29,610 | 34% |\n"
    )
    now, before, growth = claims(text)
    assert [c.named["amount"].low for c in (now, before)] == [39.824 * BN, 29.61 * BN]
    assert [c.verdict for c in (now, before, growth)] == ["confirmed"] * 3


def test_more_than_two_firms_together_is_held_against_their_sum():
    claim = one("Amazon will spend $200 billion in 2026, more than Meta and Xiaomi combined.", "comparison")
    assert (claim.rivals, claim.verdict) == (("meta", "xiaomi"), "not_on_file")
    claim = one("Amazon will spend $200 billion in 2025, more than Meta and Alphabet combined.", "comparison")
    assert (claim.verdict, "together" in claim.reason) == ("confirmed", True)


def test_a_legal_notice_and_a_consensus_contradict_nothing():
    assert not claims("Forward-looking statements may differ by 50% from the Securities Act of 1933. Meta is well.")
    text = "Nebius' fourth-quarter 2025 revenue of $227.7 million missed the $246 million consensus."
    assert [c.verdict for c in claims(text, "metric")] == ["confirmed", "not_on_file"]


@pytest.mark.parametrize(
    ("text", "kind", "what", "label", "size"),
    [
        ("中芯国际2025年第四季度收入24.89亿美元，按季升4.5%。", "growth", "growth of revenue", "2025-Q4", 0.045),
        ("中芯国际2025年第四季度毛利率19.2%，按季跌2.8個百分點。", "margin", "gross margin", "2025-Q4", 0.192),
        ("智谱2025年上半年收入1.91亿元，亏损17亿元。", "metric", "net income", "2025-H1", -1.7 * BN),
        ("Oracle's fiscal 2026 revenue will be $67 billion, $3 billion more than expected.", "change", "change of revenue, planned", "FY2026", 3 * BN),
        ("Baidu's net loss was RMB11 billion in Q3 2025, versus RMB2 billion a year ago.", "metric", "net income", "2024-Q3", -2 * BN),
        ("Meta's adjusted earnings were $1.47 a share in Q3 2025.", "metric", "earnings per share", "2025-Q3", 1.47),
        ("Meta declared a dividend of $0.53 per share.", "metric", "dividends", "", 0.53),
        ("Kimi月活由去年底的3600万降至2000万。", "count", "users", "", 2e7),
        ("Google now processes over 980 trillion monthly tokens.", "count", "tokens a month", "", 9.8e14),
        ("沙特Humain将采购50万块英伟达最先进芯片。", "cluster", "accelerators, planned", "", 5e5),
        ("若获准采购H200，字节跳动将先试购2万块。", "cluster", "accelerators, conditional", "", 2e4),
        ("Baidu lit up a cluster of 30,000 P800 cards.", "cluster", "accelerators", "", 3e4),
        ("阿里巴巴2026年一季度经营亏损8.48亿元，去年同期为经营利润284.65亿元。", "metric", "operating income", "2025-Q1", 28.465 * BN),
        ("Amazon's capex was $89.9 billion so far this year.", "budget", "capital expenditure", "2026-to-date", 89.9 * BN),
        ("三年3800亿元的投入计划由阿里巴巴提出。", "budget", "investment, planned", "", 380 * BN),
        ("寒武纪研发投入占营收比例降至11%。", "share", "research and development over revenue", "", 0.11),
        ("Amazon runs a cluster of nearly 500,000 Trainium2 chips.", "cluster", "accelerators", "", 5e5),
        ("Amazon's stock leapt 13% after hours.", "growth", "growth of share price", "", 0.13),
        ("外部客户收入增速提升至40%。", "growth", "growth of external cloud revenue", "", 0.40),
        ("阿里巴巴2026財年第二財季自由現金淨流出218億元。", "metric", "free cash flow", "2025-Q3", -21.8 * BN),
        ("阿里巴巴第三財季收入連續九個季度增長，達2,848億元人民幣。", "metric", "revenue", "2025-Q4", 284.8 * BN),
        ("Anthropic's run rate is heading for $20-26 billion in 2026.", "metric", "yearly run rate, planned", "2026", (20 * BN, 26 * BN)),
        ("xAI raised $20 billion in its Series E, above its $15 billion target.", "metric", "equity raised, planned", "", 15 * BN),
        ("xAI burned $7.8 billion in cash, against revenue of $107 million.", "metric", "revenue", "", 107e6),
        ("Nebius aims for 800 MW to 1 GW by the end of 2026.", "power", "power, planned", "to 2026", (8e8, 1e9)),
    ],
)  # fmt: skip
def test_kinds_of_statement_that_were_misread(text, kind, what, label, size):
    claim = claims(text, kind, date="2026-02-11")[-1]
    figure = next(f for f in claim.named.values() if f.kind not in {"period", "date"})
    period = claim.named.get("period")
    assert (what_of(claim), "" if period is None else period.label) == (what, label)
    assert (figure.low, figure.high) == pytest.approx(size if isinstance(size, tuple) else (size, size))


def test_amounts_of_a_list_are_each_their_own():
    text = (
        "Oracle expects cloud infrastructure revenue of $32 billion, $73 billion and $114 billion in the years after."
    )
    assert [c.named["amount"].low for c in claims(text, "metric")] == [32 * BN, 73 * BN, 114 * BN]
    assert {c.quantity for c in claims(text)} == {"infrastructure_revenue"}


def test_who_speaks_after_a_quotation_is_no_firm():
    text = 'Amazon has spent $90 billion on capex. "We expect 1 gigawatt in Q4," Andy Jassy said. Its backlog is $200 billion.'
    assert {c.firm for c in claims(text)} == {"amazon"}


def test_who_is_valued_is_not_who_holds_a_part():
    stake, value = sorted(
        claims("ASML owns 11% of Mistral, which was last valued at €11.7 billion."), key=lambda c: c.kind, reverse=True
    )
    assert (stake.firm, stake.other) == ("asml", "mistral")
    assert (value.firm, value.quantity) == ("mistral", "market_value")


def test_two_quarters_of_a_sentence_are_each_of_their_own_statement():
    text = "Meta's fourth-quarter revenue rose 24% to $59.9 billion and first-quarter sales will be $53.5 billion to $56.5 billion."
    now, coming = claims(text, "metric", date="2026-01-28")
    assert (now.named["period"].label, now.status, now.verdict) == ("2025-Q4", "", "confirmed")
    assert (coming.named["period"].label, coming.status) == ("2026-Q1", "planned")


@pytest.mark.parametrize(
    "text",
    [
        "Meta's capex will be $130 billion in 2026, nearly double the $72.2 billion it spent in 2025.",
        "Reality Labs, a part of Meta, had revenue of $955 million in 2025-Q4.",
        "腾讯2025年在元宝上花了约180亿元。",
        "Meta's tax expense was at a lower rate of 10% in 2025.",
        "OpenAI granted AMD warrants for 160 million shares.",
    ],
)
def test_what_is_no_such_figure_of_the_firm_is_not_contradicted(text):
    assert "contradicted" not in {c.verdict for c in claims(text)}


def test_the_company_is_the_announcer_after_one_sentence_about_another():
    text = (
        "OpenAI has commitments of $1.4 trillion, including $300 billion to Oracle, $250 billion to Microsoft and $38 billion to Amazon. "
        "OpenAI grows. SoftBank sold its $5.8 billion holding. The company lost $12 billion. It could be worth up to $1 trillion."
    )
    found = claims(text)
    assert [c.firm for c in found if c.quantity in {"commitments", "net_income", "market_value"}] == ["openai"] * 6
    assert [c.named["amount"].low for c in found if c.quantity == "commitments"] == [
        1.4e12,
        300 * BN,
        250 * BN,
        38 * BN,
    ]


def test_a_stake_is_of_who_holds_it():
    found = claims("Reliance plans a joint venture, 70% owned by Reliance and 30% by Meta.", "stake")
    assert [(c.firm, c.named["percent"].low) for c in found] == [("reliance", 0.7), ("meta", 0.3)]


def test_the_quarter_of_what_is_to_come_is_the_next():
    text = "CoreWeave sees first-quarter revenue of $2 billion. Interest expense will be $510 million in the quarter."
    assert [c.named["period"].label for c in claims(text, date="2026-02-26")] == ["2026-Q1", "2026-Q1"]


def test_what_came_of_a_guidance_does_not_contradict_it():
    text = "CoreWeave sees first-quarter revenue between $1.9 billion and $2 billion."
    claim = one(text, "metric", date="2026-02-26")
    assert (claim.verdict, "what came of it" in claim.reason) == ("not_on_file", True)
