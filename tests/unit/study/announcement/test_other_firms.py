"""Announcements of firms that the word list lacks, in other currencies, units and periods."""

import pytest

import jevons

INDIAN = (
    "MUMBAI, 14 August 2025 - Sagar Cloud Ltd said on Thursday it will invest Rs 1.1 lakh crore on data centres over "
    "the next five years. Revenue for the June quarter rose 34% to Rs 8,250 crore. Its GPU hour is sold at Rs 195 per "
    'GPU-hour, half the price of Amazon Web Services. "This is more than we invested in the past ten years," he said.'
)
CHINESE = (
    "华云智算集团（6688.HK）2025年6月18日宣布，未来五年将投入1.2万亿元人民币建设智算中心，超过过去十年总和。"
    "公司计划在乌兰察布部署20万张昇腾910C。一季度营收同比增长28%至456亿元。有分析师给予其18倍市盈率，目前为24倍。"
)


def claims(text, kind):
    return [claim for claim in jevons.read(text).claims if claim.kind == kind]


def amounts(text):
    return [
        (c.named["amount"].low, c.named["amount"].unit) for c in jevons.read(text).claims if "amount" in c.named
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "firm"),
    [
        (INDIAN, "Sagar Cloud Ltd"),
        (CHINESE, "华云智算集团"),
        ("Nebula Compute GmbH signed a contract worth $17.4bn with Microsoft.", "Nebula Compute GmbH"),
        ("Aleph Cloud (LON: ALPH) plans to spend 8.5bn EUR.", "Aleph Cloud"),
        ("Humain will buy 18,000 GB300 chips from Nvidia.", "Humain"),
        ("ソフトアーク株式会社は2025年3月10日、今後3年間で2兆円を投資すると発表した。", "ソフトアーク"),
        ("The OpenAI contract is worth $11.9 billion over five years. CoreWeave has 250,000 GPUs.", "CoreWeave"),
        ("It is sold at half the price of Amazon Web Services, for $2bn.", ""),
    ],
)
def test_the_firm_that_acts_is_named_from_the_text_and_not_the_one_it_is_compared_with(text, firm):
    said = jevons.read(text).to_json()["firm"]
    assert (said or "") == firm


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("Sagar Cloud will invest Rs 1.1 lakh crore.", 1.1e12, "INR"),
        ("Sagar Cloud will invest Rs. 1,10,000 crore.", 1.1e12, "INR"),
        ("SoftBank will invest ¥2.3trn in Japan.", 2.3e12, "JPY"),
        ("ソフトアークは2兆円を投資する。", 2e12, "JPY"),
        ("Aleph Cloud plans to spend 8.5bn EUR.", 8.5e9, "EUR"),
        ("OVHcloud will spend €1.5 bn.", 1.5e9, "EUR"),
        ("Humain will spend SAR 37.5 billion.", 37.5e9, "SAR"),
        ("Tencent will spend RMB 2tn.", 2e12, "CNY"),
        ("華雲將投入1.2兆元人民幣。", 1.2e12, "CNY"),
        ("Nscale will spend £2.5bn.", 2.5e9, "GBP"),
        ("Khazna will invest AED 8 billion.", 8e9, "AED"),
        ("公司将投资3000亿韩元。", 3e11, "KRW"),
    ],
)
def test_amounts_are_read_in_the_currency_that_stands_by_them(text, amount, currency):
    assert amounts(text) == [(pytest.approx(amount), currency)]


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("The fund put in SAR 37.5 billion (USD 10bn).", 37.5e9, "SAR"),
        ("该基金投资375亿里亚尔（约合100亿美元）。", 37.5e9, "SAR"),
        ("The fund put in NT$320 billion (USD 10bn).", 10e9, "USD"),
    ],
)
def test_an_amount_repeated_in_another_currency_is_one_claim(text, amount, currency):
    """It is in the first of the two that a scenario can count in."""
    assert amounts(text) == [(pytest.approx(amount), currency)]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("腾讯控股2025年3月19日公布，2024年资本开支达767亿元，同比增长221%，第四季度为366亿元。", "2024-Q4"),
        ("CoreWeave reported on May 14, 2025 first-quarter revenue of $981.6 million.", "2025-Q1"),
        (INDIAN, "2025-Q2"),
        (CHINESE, "2025-Q1"),
        ("Microsoft said on 30 January 2026 that second-quarter capital expenditure was $37.5bn.", "2025-Q4"),
    ],
)
def test_a_quarter_without_a_year_is_the_last_that_had_ended(text, label):
    labels = [c.named["period"].label for c in jevons.read(text).claims if "period" in c.named and "amount" in c.named]
    assert label in labels


def test_a_figure_of_a_quarter_is_not_held_against_the_year():
    said = jevons.read("腾讯控股2025年3月19日公布，2024年资本开支达767亿元，第四季度为366亿元。")
    assert [c.verdict for c in said.claims] == ["confirmed", "confirmed"]


def test_years_between_two_are_a_period_of_all_of_them():
    (claim,) = claims("Aleph Cloud will spend EUR 8bn between 2026 and 2029.", "budget")
    assert (claim.named["period"].label, claim.named["period"].low) == ("2026-2029", 4.0)
    assert claim.derived["per_year"] == (2e9, 2e9, "EUR")


@pytest.mark.parametrize(
    "text",
    [
        "CoreWeave signed a 5-year contract worth $14.2 billion with Meta on 30 September 2025.",
        "On 10 March 2025 CoreWeave signed a five-year contract of $2 billion.",
    ],
)
def test_another_contract_contradicts_none_on_file(text):
    assert {c.verdict for c in claims(text, "metric")} <= {"confirmed", "not_on_file"}


def test_a_later_outcome_does_not_contradict_a_plan():
    (claim,) = claims("On 19 March 2025 ByteDance said it plans capex of RMB 170bn in 2025.", "budget")
    assert claim.verdict == "not_on_file"
    assert "what came of it" in claim.reason


def test_accelerators_codes_of_shares_and_second_multiples_are_told_apart():
    said = jevons.read(CHINESE)
    assert [c.named["devices"].low for c in said.claims if c.kind == "cluster"] == [200_000]
    assert said.draft.fields["hardware.devices.ascend_910c.installed"].value == 200_000
    assert [c.named["multiple"].low for c in said.claims if c.kind == "multiple"] == [18, 24]
    assert not [c for c in said.claims if c.kind == "figure"]


@pytest.mark.parametrize(
    ("text", "growth"),
    [("百度2025年2月18日發布財報：每日調用量是去年同期的33倍。", 32.0), ("百度智能雲營收70億元，年增26%。", 0.26)],
)
def test_growth_on_the_year_is_growth(text, growth):
    (claim,) = claims(text, "growth")
    assert claim.named["percent"].low == pytest.approx(growth)


def test_a_rent_by_the_gpu_hour_needs_no_device():
    (claim,) = claims(INDIAN, "rent")
    assert (claim.named["rent"].low, claim.named["rent"].unit) == (195, "INR")


def test_a_long_text_without_a_space_is_no_name_of_a_file():
    assert jevons.read(CHINESE).claims
