# ruff: noqa: E501 - an announcement stands on one line
"""Announcements written for these tests, in both languages: figures, claims, verdicts, draft."""

import json
import time

import pytest

import jevons
from jevons.errors import InputError

BN = 1e9


def claims(text, kind, **how):
    return [c for c in jevons.read(text, **how).claims if c.kind == kind]


def only(text, kind, **how):
    found = claims(text, kind, **how)
    assert len(found) == 1, [(c.kind, c.named) for c in jevons.read(text, **how).claims]
    return found[0]


BUDGETS = [
    # text, firm, low, high, unit, years or label, verdict
    ("Microsoft is on track to invest approximately $80 billion in FY2025 in datacenters.", "microsoft", 80, 80, "USD", "FY2025", "confirmed"),
    ("微软计划在2025财年投资800亿美元建设数据中心。", "microsoft", 80, 80, "USD", "FY2025", "confirmed"),
    ("微軟計畫在2025財年投資８００億美元。", "microsoft", 80, 80, "USD", "FY2025", "confirmed"),
    ("Microsoft plans to invest $50 billion in FY2025.", "microsoft", 50, 50, "USD", "FY2025", "contradicted"),
    ("Meta now expects 2025 capital expenditures of $64-72 billion.", "meta", 64, 72, "USD", "2025", "confirmed"),
    ("We will spend between 115 and 135 billion dollars in 2026, Meta said.", "meta", 115, 135, "USD", "2026", "confirmed"),
    ("Meta raised its 2026 capex guidance to between $125 billion and $145 billion.", "meta", 125, 145, "USD", "2026", "confirmed"),
    ("Alphabet expects about $75 billion of capital expenditures in 2025.", "alphabet", 75, 75, "USD", "2025", "confirmed"),
    ("Google's parent Alphabet guides 2026 capex to US$180bn to US$190bn.", "alphabet", 180, 190, "USD", "2026", "confirmed"),
    ("腾讯2024年资本开支达767亿元。", "tencent", 76.7, 76.7, "CNY", "2024", "confirmed"),
    ("騰訊2024年第四季度資本開支為365.8億元人民幣。", "tencent", 36.58, 36.58, "CNY", "2024-Q4", "confirmed"),
    ("腾讯2025年资本开支792亿元,低于指引。", "tencent", 79.2, 79.2, "CNY", "2025", "confirmed"),
    ("字节跳动计划2025年资本开支达到1500亿元人民币。", "bytedance", 150, 150, "CNY", "2025", "confirmed"),
    ("ByteDance plans to spend RMB 160bn on AI infrastructure in 2026.", "bytedance", 160, 160, "CNY", "2026", "confirmed"),
    ("百度2025年资本开支121亿元。", "baidu", 12.1, 12.1, "CNY", "2025", "confirmed"),
    ("Stargate intends to invest $500 billion over the next four years.", "stargate", 500, 500, "USD", 4, "confirmed"),
    ("星际之门计划四年内投资5000亿美元。", "stargate", 500, 500, "USD", 4, "confirmed"),
    ("Stargate would deploy $100 billion immediately on investment in data centers.", "stargate", 100, 100, "USD", None, "confirmed"),
    ("阿里巴巴将在未来三年投入三千八百亿元建设云和AI。", "alibaba", 380, 380, "CNY", 3, "confirmed"),
    ("阿里巴巴將在未來三年投入叁仟捌佰億元。", "alibaba", 380, 380, "CNY", 3, "confirmed"),
    ("Alibaba will invest at least RMB 380bn over the next three years.", "alibaba", 380, 380, "CNY", 3, "confirmed"),
    ("Alibaba pledged 53 billion US dollars of investment over three years.", "alibaba", 53, 53, "USD", 3, "confirmed"),
    ("Alibaba will invest 200 billion yuan over the next three years.", "alibaba", 200, 200, "CNY", 3, "contradicted"),
    ("CoreWeave expects 2026 capital expenditures of $31 billion to $35 billion.", "coreweave", 31, 35, "USD", "2026", "confirmed"),
    ("Oracle spent $8.5 billion on capex in the third quarter of 2025.", "oracle", 8.5, 8.5, "USD", "2025-Q3", "confirmed"),
    ("京东计划未来三年投入300亿元用于AI。", "jd", 30, 30, "CNY", 3, "not_on_file"),
    ("Crusoe committed up to $15 billion to a campus over two years.", "crusoe", 15, 15, "USD", 2, "not_on_file"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "firm", "low", "high", "unit", "span", "verdict"), BUDGETS)
def test_a_budget_has_firm_amount_currency_period_and_verdict(text, firm, low, high, unit, span, verdict):
    claim = claims(text, "budget")[0]
    amount, period = claim.named["amount"], claim.named.get("period")
    assert (claim.firm, amount.unit) == (firm, unit)
    assert (amount.low, amount.high) == (pytest.approx(low * BN), pytest.approx(high * BN))
    if span is None:
        assert period is None
    else:
        assert span in {period.low, period.label}
    assert claim.verdict == verdict, claim.reason
    assert bool(claim.facts) == (verdict != "not_on_file")


def test_an_earlier_guidance_is_what_was_before_and_no_second_budget():
    claim = only(
        "Meta expects 2025 capex of $64-72 billion, up from its prior outlook of $60-65 billion, an increase.", "budget"
    )
    assert claim.named["previous"].high == 65 * BN
    claim = only("摩根士丹利把阿里巴巴目标价从100美元上调至180美元。", "target")
    assert (claim.named["previous"].low, claim.named["amount"].low) == (100, 180)
    assert claim.verdict == "confirmed"


def test_bounds_and_roughness_are_kept():
    said = {
        "up to": "at_most", "at least": "at_least", "more than": "at_least", "about": "about", "nearly": "about",
    }  # fmt: skip
    for word, qualifier in said.items():
        claim = only(f"Oracle will invest {word} $50 billion in FY2026.", "budget")
        assert claim.named["amount"].qualifier == qualifier, word
    for word, qualifier in {
        "超过": "at_least",
        "至少": "at_least",
        "不超过": "at_most",
        "高达": "at_most",
        "约": "about",
    }.items():
        assert only(f"小米未来五年将投入{word}600亿元。", "budget").named["amount"].qualifier == qualifier, word


def test_currency_follows_the_firm_where_the_text_has_none():
    claim = only("阿里云宣布,未来三年投入3800亿。", "budget")
    assert (claim.named["amount"].unit, claim.named["amount"].assumed) == ("CNY", True)
    claim = only("Meta: capex 2025 of 70 billion.", "budget")
    assert (claim.named["amount"].unit, claim.named["amount"].assumed) == ("USD", True)
    claim = only("Alibaba sold HK$12.3 billion of shares.", "figure")
    assert claim.named["amount"].unit == "HKD"


def test_more_than_bytedance_is_said_to_compare_unlike_periods():
    for text in (
        "Alibaba will invest RMB 380bn over the next three years, more than ByteDance.",
        "阿里巴巴未来三年将投入3800亿元,反超字节跳动的资本支出目标。",
        "阿里巴巴未來三年將投入3800億元,高於字節跳動。",
    ):
        claim = only(text, "comparison")
        assert claim.verdict == "unlike"
        assert "less than ByteDance's 150 bn CNY for 2025" in claim.reason
        assert "peer.bytedance.ai_investment_year_cny" in claim.facts


def test_more_than_another_firm_in_the_same_year_is_held_against_its_figure():
    assert only("Meta will invest $70 billion in 2025, more than Oracle.", "comparison").verdict == "unlike"
    assert only("Meta will invest $70 billion in 2025, more than Xiaomi.", "comparison").verdict == "not_on_file"
    assert only("Amazon will spend $125 billion in 2025, more than Alphabet.", "comparison").verdict == "confirmed"
    assert only("Alphabet will spend $85 billion in 2025, more than Amazon.", "comparison").verdict == "contradicted"


def test_more_than_the_past_decade_rests_on_the_firms_own_word():
    for text in (
        "阿里巴巴未来三年投入3800亿元,超过过去十年总和。",
        "阿里巴巴未來三年投入3800億元,總額超過去十年總和。",
        "Alibaba will invest RMB 380 billion over three years, exceeding the past decade.",
        "Alibaba will invest RMB 380 billion over three years, more than in the past ten years.",
    ):
        claim = only(text, "comparison")
        assert (claim.quantity, claim.verdict) == ("past", "not_on_file")
        assert "alibaba.plan.past_decade_bound_cny" in claim.facts


def test_cents_times_billions_of_calls_is_a_product():
    for text, low, high in (
        ("一次调用只要几分钱,乘以百亿次乃至千亿次。", 2e8, 9e9),
        ("每次几毛钱 × 百亿次调用。", 2e9, 9e9),
        ("At 5 cents per call times 20 billion calls this is money.", 1e9, 1e9),
    ):
        spending = only(text, "calls").derived["spending"]
        assert spending[:2] == (pytest.approx(low), pytest.approx(high)), text


@pytest.mark.parametrize(
    ("text", "devices", "kind"),
    [
        ("xAI's Colossus runs 100,000 Nvidia H100 GPUs.", 1e5, "h100_sxm"),
        ("xAI的Colossus由十万张英伟达H100组成。", 1e5, "h100_sxm"),
        ("xAI建成十萬卡集群。", 1e5, ""),
        ("xAI will run 200k GPUs.", 2e5, ""),
        ("xAI wants at least a million GPUs.", 1e6, ""),
        ("腾讯采购了23万张英伟达GPU。", 2.3e5, ""),
    ],
)
def test_a_cluster_has_its_size_and_kind_and_is_found_on_file(text, devices, kind):
    claim = only(text, "cluster")
    assert (claim.named["devices"].low, claim.named["devices"].what) == (devices, kind)
    assert claim.verdict == "confirmed", claim.reason


def test_a_cluster_that_is_not_on_file_says_what_its_accelerators_cost():
    claim = only("Tesla built a cluster of 50,000 H100s.", "cluster")
    assert claim.verdict == "not_on_file"
    assert "the accelerators alone cost" in claim.reason


@pytest.mark.parametrize(
    "text",
    [
        "2015年末,《巴伦周刊》预测阿里巴巴股价可能在15倍PE的基础上再跌50%。",
        "2015年末,《巴倫週刊》預測阿里巴巴股價可能在市盈率15倍的基準上再跌50%。",
        "In September 2015 Barron's said that Alibaba, at 15 times earnings, could fall another 50%.",
        "In 2015 Alibaba had a P/E of 15 and could drop a further 50 percent, Barron's wrote.",
    ],
)
def test_fifteen_times_and_another_half_is_forty_percent_below_the_multiple_on_file(text):
    claim = only(text, "multiple")
    assert claim.verdict == "contradicted"
    assert "15 instead of 25 times is -40 %" in claim.reason
    assert claim.derived["implied_multiple"][0] == 7.5
    assert "alibaba.group.pe_trailing" in claim.facts


def test_a_multiple_of_the_right_date_is_confirmed():
    assert only("Alibaba traded at 15.3 times earnings on April 7, 2025.", "multiple").verdict == "confirmed"
    assert only("2025年4月7日,阿里巴巴市盈率约15倍。", "multiple").verdict == "confirmed"


def test_two_rates_of_two_spans_are_one_claim_with_their_change():
    for text in (
        "从1919年到1928年平均每年建立66个研发实验室,而从1929年到1936年每年新增的研发机构超过73家。",
        "From 1919 to 1928 firms founded 66 laboratories a year, and from 1929 to 1936 they founded 73 labs a year.",
    ):
        claim = only(text, "rates")
        assert (claim.named["first"].low, claim.named["second"].low) == (66, 73)
        assert claim.derived["change"][0] == pytest.approx(7 / 66)
        assert "+10.6 %" in claim.reason


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("DeepSeek-R1: $0.14 / million input tokens (cache hits), $0.55 / million input tokens (cache misses), $2.19 / million output tokens.",
         {"cached": 0.14, "input": 0.55, "output": 2.19}),
        ("DeepSeek-R1 API每百万输入tokens 1元(缓存命中)/ 4元(缓存未命中),每百万输出tokens 16元。",
         {"cached": 1.0, "input": 4.0, "output": 16.0}),
        ("豆包主力模型的输入价格为0.0008元/千Tokens。", {"input": 0.8}),
        ("GPT-4o costs $2.50 per million input tokens and $10 per million output tokens.", {"input": 2.5, "output": 10.0}),
    ],
)  # fmt: skip
def test_list_prices_are_per_million_tokens_by_kind_and_match_the_files(text, kinds):
    found = {c.quantity: c for c in claims(text, "price")}
    assert {kind: pytest.approx(c.named["price"].low) for kind, c in found.items()} == kinds
    assert {c.verdict for c in found.values()} == {"confirmed"}


def test_a_wrong_list_price_is_contradicted():
    claim = only("DeepSeek-R1 charges $5 per million output tokens.", "price")
    assert claim.verdict == "contradicted"


def test_growth_is_held_against_the_two_levels_on_file():
    assert only("Alibaba's cloud revenue grew 34% in Q3 2025.", "growth").verdict == "confirmed"
    assert only("Alibaba's cloud revenue grew 60% in Q3 2025.", "growth").verdict == "contradicted"


def test_shares_tokens_power_and_targets_are_found():
    assert only("火山引擎在中国公有云大模型调用量份额达46.4%。", "share").verdict == "confirmed"
    assert only("豆包大模型日均tokens使用量超过16.4万亿。", "count").verdict == "confirmed"
    assert only("CoreWeave has active power of 1 GW.", "power").verdict == "confirmed"
    assert only("Goldman Sachs values Alibaba Cloud at $43 per ADS.", "target").verdict == "confirmed"
    assert only("腾讯2025年资本支出将占收入的低两位数百分比。", "share").verdict == "confirmed"
    assert (
        only("Oracle's remaining performance obligations rose to $455 billion on August 31, 2025.", "metric").verdict
        == "confirmed"
    )


def test_facts_published_later_than_the_date_are_not_used():
    text = "ByteDance plans to spend RMB 160bn on AI infrastructure in 2026."
    assert only(text, "budget", as_of="2025-02-24").verdict == "not_on_file"


def test_a_position_is_where_the_figure_stands():
    text = "Nothing here.\n阿里巴巴將在未來三年投入３８００億元。\nThe end."
    record = jevons.read(text).to_json()
    figure = record["claims"][0]["figures"]["amount"]
    assert text[slice(*figure["position"])] == figure["text"] == "３８００億元"
    field = record["draft"]["expansion.budget"]
    assert text[slice(*field["position"])] == "３８００億元"
    assert (field["value"], field["line"]) == ("380 bn CNY", 2)
    json.dumps(record, default=str)


def test_the_draft_lists_what_it_has_and_what_a_scenario_lacks(tmp_path):
    said = jevons.read("On 24 February 2025 Alibaba said it would invest RMB 380bn over the next three years.")
    values = {path: f.value for path, f in said.draft.fields.items()}
    assert values["expansion.budget"] == "380 bn CNY"
    assert (values["as_of"], values["start"], values["quarters"]) == ("2025-02-24", "2025-Q1", 12)
    assert {"hardware", "market", "finance"} <= set(said.draft.missing)
    said.save(tmp_path / "draft.yaml")
    text = (tmp_path / "draft.yaml").read_text()
    assert "expansion.budget: characters" in text
    assert "hardware" in text


@pytest.mark.parametrize("base", ["scenarios/alibaba-380bn.yaml", "alibaba-380bn"])
def test_a_draft_over_a_base_is_a_scenario(tmp_path, base):
    text = "On 24 February 2025 Alibaba said it would invest RMB 450bn over the next two years."
    jevons.read(text, base=base).save(tmp_path / "draft.yaml")
    scenario = jevons.load(tmp_path / "draft.yaml")
    assert scenario.expansion.budget.value == 450 * BN
    assert (scenario.quarters, scenario.expansion.budget_quarters) == (8, 8)


def test_a_text_without_figures_says_so():
    said = jevons.read("The company will invest boldly in the future.")
    assert said.claims == ()
    assert "no figure" in said.answer
    assert said.draft.missing["expansion.budget"] == "the text states no amount to be invested"


def test_figures_that_no_rule_reads_are_listed_unread():
    claim = jevons.read("Version 42.7 shipped.").claims[0]
    assert claim.verdict == "unread"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("https://example.com/a", "not fetched"),
        ("  ", "empty; give a value$"),
        ("", "empty; give a value$"),
        ("missing.txt", "missing.txt"),
    ],
)
def test_addresses_blanks_and_missing_files_are_refused(source, message):
    with pytest.raises(InputError, match=message):
        jevons.read(source)


def test_files_in_chinese_encodings_and_pages_are_read(tmp_path):
    text = "阿里巴巴将在未来三年投入3800亿元。"
    for name, content in (
        ("gb.txt", text.encode("gb18030")), ("u16.txt", text.encode("utf-16")),
        ("page.html", f"<!doctype html><title>x</title><script>9 billion</script><p>{text}</p>".encode()),
    ):  # fmt: skip
        path = tmp_path / name
        path.write_bytes(content)
        assert jevons.read(path).claims[0].verdict == "confirmed"
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7 ...")
    with pytest.raises(InputError, match="PDF"):
        jevons.read(tmp_path / "a.pdf")


def test_a_sentence_goes_on_over_full_lines_and_ends_at_short_ones():
    text = (
        "On 24 February 2025 Alibaba said that it would invest more than RMB 380bn over the next\nthree years in cloud."
        "\nA heading\nMeta expects 2025 capex of $64-72\nbillion."
    )
    found = [(c.firm, c.named["amount"].low) for c in jevons.read(text).claims if c.kind == "budget"]
    assert found[0] == ("alibaba", 380 * BN)
    assert jevons.read(text).claims[0].named["period"].low == 3


@pytest.mark.parametrize(
    ("text", "kind", "verdict"),
    [
        ("DeepSeek cut API prices by more than 50% on September 29, 2025.", "growth", "confirmed"),
        ("DeepSeek自2月26日起在夜间错峰时段降价75%。", "growth", "confirmed"),
        ("DeepSeek cut its prices by 31%.", "growth", "not_on_file"),
        ("H20服务器价格为110万至140万元一台。", "device_price", "confirmed"),
        ("An H100 costs $90,000.", "device_price", "contradicted"),
        ("一台8卡H100服务器月租为7.5万元。", "rent", "confirmed"),
        ("An H100 rents for $2.99 an hour.", "rent", "confirmed"),
        ("An H100 rents for $55 an hour.", "rent", "not_on_file"),
        ("Oracle signed a $300 billion, five-year contract with OpenAI.", "metric", "not_on_file"),
        ("Alibaba Cloud's revenue was RMB 33.4 billion in the June quarter of 2025.", "metric", "confirmed"),
        ("Meta anticipates 2025 total expenses of $113-118 billion.", "metric", "not_on_file"),
        ("ByteDance plans to spend 85 billion yuan on AI chips in 2026.", "metric", "confirmed"),
    ],
)
def test_cuts_rents_devices_and_other_measures_are_told_apart(text, kind, verdict):
    claim = only(text, kind)
    assert claim.verdict == verdict, claim.reason


def test_a_pair_of_prices_is_input_and_output():
    found = {
        c.quantity: c.named["price"].low
        for c in claims("Claude Opus 4.5 is priced at $5/$25 per million tokens.", "price")
    }
    assert found == {"input": 5.0, "output": 25.0}


def test_an_amount_after_a_compared_firm_is_that_firms():
    text = "Alibaba's 380 billion yuan plan is bigger than Tencent's capex of 76.7 billion yuan in 2024."
    found = {c.firm: c.verdict for c in claims(text, "budget")}
    assert found == {"alibaba": "confirmed", "tencent": "confirmed"}


def test_more_than_a_year_ago_is_no_budget():
    claim = only("Amazon expects to spend about $200 billion in 2026, up from $131 billion.", "budget")
    assert claim.named["previous"].low == 131 * BN


@pytest.mark.parametrize(
    "text",
    [
        "Firm will invest " + "9" * 5000 + " yuan.", "一" * 5000, "一 " * 2500, "1," * 2500, "(" * 5000, " " * 3000 + "5",
        *(pytest.param(text, marks=pytest.mark.slow) for text in ("x" * 100_000, "12 " * 3000, "5 ai gpu more " * 500)),
    ],
)  # fmt: skip
def test_text_that_no_person_wrote_is_read_at_once(text: str) -> None:
    start = time.process_time()
    jevons.read(f"Alibaba will invest 380 billion yuan over three years. {text}")
    assert time.process_time() - start < 5.0


def test_a_long_run_of_digits_takes_no_figure_with_it() -> None:
    said = jevons.read("Alibaba will invest 380 billion yuan over three years, not " + "9" * 60 + " yuan.")
    assert [c.named["amount"].text.strip() for c in said.claims if "amount" in c.named] == ["380 billion yuan"]


def test_more_sentences_than_an_announcement_has_are_refused() -> None:
    with pytest.raises(InputError, match="more than 5,000 sentences"):
        jevons.read("It rose. " * 6000)


@pytest.mark.parametrize(
    "words", ["between fiscal 2025 and fiscal 2027", "from FY2025 to FY2027", "over fiscal years 2025-2027"]
)
def test_a_span_of_fiscal_years_lasts_all_of_them(words: str) -> None:
    read = jevons.read(f"SoftBank plans to spend 1.5 trillion yen on AI data centres {words}. Tokyo, May 9, 2025.")
    assert read.draft.fields["quarters"].value == 12
    assert read.draft.fields["currency"].value == "JPY"


def test_what_a_rival_spends_is_not_of_the_year_before_its_name() -> None:
    text = "Amazon expects to spend about $118 billion in 2025, more than Microsoft's $80 billion for its fiscal year."
    verdicts = {c.firm: c.verdict for c in claims(text + " May 20, 2025.", "budget")}
    assert verdicts["microsoft"] == "confirmed"


@pytest.mark.parametrize(
    "text",
    [
        "百度把文心4.5 Turbo的输入价格降至每百万tokens 0.8元，输出3.2元。",
        "Baidu cuts ERNIE 4.5 Turbo to 0.8 yuan per million input tokens, output 3.2 yuan.",
    ],
)
def test_a_second_price_is_of_as_many_tokens(text: str) -> None:
    prices = {c.quantity: c.named["price"].low for c in claims(text, "price")}
    assert prices == {"input": 0.8, "output": 3.2}


def test_a_day_without_a_year_takes_none_that_something_is_measured_against() -> None:
    read = jevons.read("阿里巴巴9月24日称将投资3800亿元。到2032年，能耗规模将较2022年提升10倍。")
    assert "as_of" in read.draft.missing
    assert (
        jevons.read("阿里巴巴9月24日称将投资3800亿元，2025年已投入一半。").draft.fields["as_of"].value == "2025-09-24"
    )


@pytest.mark.parametrize("text", ["当日港股收盘价174港元。", "The Hong Kong shares closed at HK$174."])
def test_a_closing_price_is_a_share_price(text: str) -> None:
    assert only(f"阿里巴巴9月24日发布会。{text}", "metric").quantity == "share_price"
