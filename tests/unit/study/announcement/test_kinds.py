"""Kinds of statements of announcements: denials and bounds, fiscal quarters, folds, chips, other currencies."""

import pytest

import jevons


def claims(text, **how):
    return jevons.read(text, **how).claims


def one(text, kind, place=0):
    found = [claim for claim in claims(text) if claim.kind == kind]
    assert found, [claim.kind for claim in claims(text)]
    return found[place]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Meta has no plan to spend $10 billion on chips.", "budget"),
        ("Oracle denied reports that it would invest $40bn in Texas.", "budget"),
        ("Tencent will not spend RMB 100 billion on data centres.", "budget"),
        ("字节跳动否认将投资200亿美元建设算力中心。", "budget"),
        ("百度没有计划投入300亿元。", "budget"),
        ("Microsoft denied reports of a 50,000-GPU cluster.", "cluster"),
    ],
)
def test_what_the_text_denies_is_no_claim_and_no_draft(text, kind):
    read = jevons.read(text)
    claim = next(c for c in read.claims if c.kind == kind)
    assert claim.denied
    assert claim.verdict == "unread"
    assert "not so" in claim.reason
    assert "expansion.budget" not in read.draft.fields


@pytest.mark.parametrize(
    "text",
    [
        "Tencent's capital expenditure will not exceed RMB 120 billion in 2026.",
        "腾讯2026年资本开支不会超过1200亿元。",
    ],
)
def test_a_bound_that_is_negated_is_an_upper_bound_and_no_denial(text):
    claim = one(text, "budget")
    assert claim.named["amount"].qualifier == "at_most"
    assert not claim.denied


def test_a_cut_that_will_not_come_is_no_denial():
    assert not one("Alphabet will not cut its capital spending of $75 billion.", "budget").denied


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Microsoft spent $37.5 billion on capital expenditure in fiscal Q2 2026.", "2025-Q4"),
        ("Microsoft's capital expenditure was $37.5bn in the second quarter of fiscal 2026.", "2025-Q4"),
        ("Oracle's capital expenditure was $8.5bn in fiscal Q1 2026.", "2025-Q3"),
        ("阿里巴巴2026财年第二季度资本开支为315亿元。", "2025-Q3"),
        ("CoreWeave's capital expenditure was $6.8bn in Q1 2026.", "2026-Q1"),
    ],
)
def test_fiscal_quarters_are_those_of_the_calendar(text, label):
    assert one(text, "budget").named["period"].label == label


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("CoreWeave will invest US$1.5bn over the next two fiscal years, and up to $6 billion by 2030.", 2),
        ("腾讯未来三个财年将投入2000亿元。", 3),
        ("Nebius plans to spend $2 billion in the next four quarters.", 1),
    ],
)
def test_the_period_beside_an_amount_is_its_own(text, years):
    assert one(text, "budget").named["period"].low == years


def test_a_period_of_another_clause_is_not_taken_where_a_date_is_nearer():
    claim = one(
        "OpenAI's revenue run rate reached $24bn in April 2026, and it will not earn a profit before 2029.", "metric"
    )
    assert "period" not in claim.named
    assert claim.verdict == "confirmed"


def test_an_amount_until_a_year_is_not_held_against_a_quarter():
    assert one("CoreWeave will invest up to $6 billion by 2030.", "budget").verdict == "not_on_file"


@pytest.mark.parametrize(
    ("text", "growth"),
    [
        ("豆包日均调用量较去年同期增长10倍。", 10.0),
        ("百度算力规模增长超过三倍。", 3.0),
        ("Tokens served by Google grew 50-fold in a year.", 49.0),
        ("Meta's capital expenditure rose tenfold.", 9.0),
    ],
)
def test_growth_by_a_factor_is_read(text, growth):
    assert one(text, "growth").named["percent"].low == pytest.approx(growth)


def test_chips_counted_by_a_measure_word_are_accelerators():
    read = jevons.read("华为昇腾910C计划2026年产量60万颗，2025年约30万颗。")
    first, second = (c.named["devices"] for c in read.claims if c.kind == "cluster")
    assert (first.low, first.what, second.low) == (6e5, "ascend_910c", 3e5)
    assert read.claims[0].verdict == "confirmed"
    assert not any("installed" in path for path in read.draft.fields)
    assert not any(c.kind == "figure" and "910" in str(c.named) for c in read.claims)


def test_satellites_are_no_chips():
    assert not [c for c in claims("该公司用GPU芯片训练，发射了1000颗卫星。") if c.kind == "cluster"]


def test_a_second_multiple_in_a_sentence_is_read():
    found = [
        c.named["multiple"].low
        for c in claims("Alibaba trades at 25 times earnings; we think 18x is fair.")
        if c.kind == "multiple"
    ]
    assert found == [25.0, 18.0]


@pytest.mark.parametrize(
    ("text", "low", "unit"),
    [
        ("Reliance will invest ₹1.2 lakh crore over five years.", 1.2e12, "INR"),
        ("三星将投入450兆韩元建设数据中心。", 450e12, "KRW"),
        ("SoftBank will invest 3 trillion yen in data centres.", 3e12, "JPY"),
    ],
)
def test_budgets_in_other_currencies_are_drafted_in_them(text, low, unit):
    read = jevons.read(text)
    amount = next(c for c in read.claims if c.kind == "budget").named["amount"]
    assert (amount.low, amount.unit) == (low, unit)
    assert read.draft.fields["currency"].value == unit


def test_a_currency_without_a_rate_is_read_and_not_drafted():
    read = jevons.read("Foxconn will invest NT$90 billion in data centres.")
    amount = next(c for c in read.claims if c.kind == "budget").named["amount"]
    assert (amount.low, amount.unit) == (90e9, "TWD")
    assert "TWD" in read.draft.missing["currency"]


def test_power_in_megawatts_is_not_a_numeral():
    assert one("阿里巴巴新建200兆瓦数据中心。", "power").named["power"].low == 2e8


def test_euros_are_held_against_dollars_at_a_rate():
    claim = one("CoreWeave's revenue was about €1.79 billion in Q1 2026.", "metric")
    assert claim.verdict == "confirmed"


def test_of_whom_an_amount_comes_is_not_whose_it_is():
    text = (
        "Microsoft's results are out. Remaining performance obligations rose to $625bn, about 45 % of it from OpenAI."
    )
    assert one(text, "metric").firm == "microsoft"
