"""Whose crowns, pence of a share, periods of a part, and who is meant: kinds that other writers' texts showed."""

# ruff: noqa: E501 - a sentence stands on one line

import pytest

import jevons
from jevons.study.announcement import lexicon


def _amounts(text: str, **how: str) -> list[tuple[float, str]]:
    said = jevons.read(text, **how)
    return [(f.low, f.unit) for c in said.claims for n, f in c.named.items() if n == "amount"]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("OSLO - Fjelldata ASA will invest 6.2 billion crowns, with power from Denmark's Orsted.", "NOK"),
        ("STOCKHOLM - Malmrike Data AB will invest 6.2 billion crowns.", "SEK"),
        ("Kilde Data A/S of Copenhagen will invest 6.2 billion crowns.", "DKK"),
        ("PRAGUE - Vltava Data will invest 6.2 billion crowns.", "CZK"),
        ("Acme Data Ltd will invest 6.2 billion crowns in Norway, or 6.4 billion Swedish crowns.", "SEK"),
        ("Acme Data Ltd will invest 6.2 billion crowns.", "crowns"),
    ],
)
def test_crowns_are_of_the_country_that_the_text_names_and_unknown_without_one(text, unit):
    assert _amounts(text)[0] == (6.2e9, unit)


def test_a_draft_says_that_it_does_not_know_whose_crowns(tmp_path):
    said = jevons.read("Acme Data Ltd will invest 6.2 billion crowns over three years.")
    said.save(tmp_path / "draft.yaml")
    assert "does not say whose crowns" in (tmp_path / "draft.yaml").read_text()


def test_pence_of_a_share_are_pounds_and_lines_of_a_screen_are_not():
    said = jevons.read("Tessellate plc trades at 412p, and our target is 520p. It streams in 720p video.")
    pence = sorted(f.low for c in said.claims for f in c.named.values() if f.unit == "GBP")
    assert pence == pytest.approx([4.12, 5.2])


def test_the_quarter_of_a_part_is_not_that_of_the_results():
    text = (
        "Veldkamp Data N.V. today published its annual report. Turnover rose 23% to EUR 412 million, of which EUR 96 "
        "million in the fourth quarter. Adjusted EBITDA came in at EUR 171 million."
    )
    said = jevons.read(text, date="2026-02-12")
    periods = {f.low: c.named["period"].label for c in said.claims for n, f in c.named.items() if n == "amount"}
    assert periods == {412e6: "2025", 96e6: "2025-Q4", 171e6: "2025"}


def test_a_year_of_two_digits_before_a_multiple_and_a_budget_of_the_full_year():
    said = jevons.read("快手股价65港币，对应26年PE约13倍。", date="2025-11-19")
    assert {c.named["period"].label for c in said.claims if "multiple" in c.named} == {"2026"}
    said = jevons.read("公司全年资本开支预算为70亿元，较2025年的28亿元增加1.5倍。", date="2026-04-21")
    assert said.claims[0].named["period"].label == "2026"


def test_a_year_that_is_planned_is_not_that_of_what_has_come():
    text = "Amazon's cloud grew 24% to $35.6 billion, and the company expects to invest $200 billion in 2026."
    said = jevons.read(text, date="2026-02-05")
    labels = {f.low: c.named["period"].label for c in said.claims for f in c.named.values() if "period" in c.named}
    assert labels[200e9] == "2026"
    assert labels.get(35.6e9) != "2026"


@pytest.mark.parametrize(
    ("text", "firm"),
    [
        ("（中央社記者台北2日電）伺服器廠瑞穎科技今日公布3月合併營收新台幣286億元。", "瑞穎科技"),
        ("【港股速遞】匯訊雲（08123.HK）首季收入按年升27.5%至14.3億港元，集團維持全年資本開支20億至24億港元指引。", "匯訊雲"),
        ("蓝鲸新闻3月26日电，澜舟算力（688123）披露年报：2025年实现营业收入38.6亿元。", "澜舟算力"),
        ("STOCKHOLM (TT) - Norrsken Kraft & Data, a Luleå start-up, will build a campus for 48 billion crowns.", "Norrsken Kraft & Data"),
        ("Baidu's free cash flow was negative. Kunlun shipped 110,000 chips in 2025. The board approved a buyback of $5 billion.", "Baidu"),
    ],
)  # fmt: skip
def test_who_a_text_is_about(text, firm):
    assert lexicon.firm_name(jevons.read(text, date="2026-05-18").firm) in {firm, firm.lower()}


def test_part_of_a_backlog_is_named_and_the_backlog_stays_with_the_firm():
    said = jevons.read("Microsoft: revenue $81.3bn, op inc $38.3bn. Commercial RPO $625bn, 45% of it OpenAI.")
    found = {c.quantity: lexicon.firm_name(c.firm) for c in said.claims if "amount" in c.named}
    assert found["operating_income"] == found["backlog"] == "Microsoft"


@pytest.mark.parametrize(
    "text",
    [
        "Orrin Compute's customers kept its GPUs busy 87% of the time.",
        "Veldkamp Data N.V. has 288 MW of capacity, 87% of it let.",
        "Norrsken Data AB said a tenant has signed for 87 percent of the capacity.",
    ],
)
def test_what_is_let_or_busy_is_utilisation(text):
    assert [c.quantity for c in jevons.read(text).claims if "percent" in c.named] == ["utilisation"]


def test_accelerators_counted_behind_their_name():
    said = jevons.read("期內新增GPU 3,200張，總數達1.15萬張，利用率由78%提升至84%。")
    counted = [f.low for c in said.claims for f in c.named.values() if f.kind == "devices"]
    assert counted == [3200, 11500]
