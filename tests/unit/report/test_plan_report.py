"""The report of a plan: what was found follows from the numbers, in both languages, in one small file."""

from __future__ import annotations

import copy
import json
import re

import pytest

from jevons.report import findings as f
from jevons.report import plan_html
from jevons.report.extras import plan_findings
from jevons.study import load, plan
from jevons.web.frozen import result_page
from jevons.web.wording import catalogue, shown, term, text_of
from places import TINY

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def result():
    return plan(load(TINY), draws=8, seed=11, processes=1, file="tiny.yaml")


@pytest.fixture(scope="module")
def page(result):
    return plan_html(result)


def _frozen(page):
    return json.loads(re.search(r'id="frozen">(.*?)</script>', page, re.DOTALL)[1])


def _figure(value, low=None, high=None, unit="1"):
    return f.figure(value, unit, low=low, high=high)


def test_the_file_is_small_and_asks_nothing_of_a_network(page):
    assert len(page.encode()) < 1_200_000
    assert not re.search(r"(?:src|href)=[\"']?https?:", page.split('<script type="application/json"')[0])


def test_a_reader_without_scripts_has_question_answer_and_findings_as_text(result, page):
    head = page.split('<script type="application/json"')[0]
    assert f"<h1>{result.scenario.name}: what does it build, and does it pay?</h1>" in head
    assert "In the median of 8 futures" in head
    assert head.count("<h2>") == len(_frozen(page)["document"]["findings"]["sections"])
    assert "¤" not in head + json.dumps(_frozen(page)["document"], ensure_ascii=False)
    assert "<h2>" in result_page(result, language="zh")
    assert re.search(r"在 8 种未来的中位数下", result_page(result, language="zh"))


def test_the_headline_is_the_median_with_its_interval_and_not_the_central_plan(result, page):
    found = _frozen(page)["document"]["findings"]
    capex = found["answer"][0]["values"]["capex"]
    low, middle, high = result.draws.quantiles("capex", (0.1, 0.5, 0.9))
    assert (capex["low"], capex["value"], capex["high"]) == pytest.approx((low, middle, high))


@pytest.mark.slow
def test_a_report_without_draws_claims_no_interval_and_no_probability():
    page = plan_html(plan(load(TINY), draws=0))
    head = page.split('<script type="application/json"')[0]
    assert "without draws there are no intervals" in head
    assert " of futures" not in head
    assert all("low" not in one for one in _frozen(page)["document"]["findings"]["tiles"])


def test_statements_judgements_and_sources_are_in_the_file(result, page):
    document = _frozen(page)["document"]
    titles = [one["title"] for one in document["tables"]]
    assert any(title.startswith("Statements by quarter: AI cloud") for title in titles)
    assert {one["name"] for one in document["tables"]} >= set(result.tables)
    assert document["result"]["judgements"]
    assert document["result"]["sources"]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (f.pays(_figure(5, 1, 9), _figure(0.99)), "pays.yes"),
        (f.pays(_figure(-5, -9, -1), _figure(0.01)), "pays.no"),
        (f.pays(_figure(5, -1, 9), _figure(0.7)), "pays.open"),
        (f.pays(_figure(-5, -9, 1), _figure(0.3)), "pays.open_not"),
        (f.pays(_figure(5), None), "pays.central"),
        (f.pays(_figure(-5), None), "pays.central_not"),
        (f.jevons(_figure(1.5, 1.1, 2), _figure(1)), "jevons.yes"),
        (f.jevons(_figure(1.5, 0.9, 2), _figure(0.8)), "jevons.likely"),
        (f.jevons(_figure(0.9, 0.8, 1.2), _figure(0.2)), "jevons.unlikely"),
        (f.jevons(_figure(0.9, 0.8, 0.95), _figure(0.0)), "jevons.no"),
        (f.jevons(_figure(0.9), None), "jevons.central_not"),
        (f.sides(1.1, _figure(0.9)), "jevons.other_side"),
        (f.sides(0.8, _figure(0.9)), "jevons.same_side"),
        (f.spent(_figure(1.0), _figure(3e9)), "spent.all"),
        (f.spent(_figure(0.7), _figure(3e9)), "spent.part"),
        (f.binds([["a"], ["a"]], {}), "binds.always"),
        (f.binds([["a"], ["b"], ["a"]], {}), "binds.most"),
        (f.binds([[], []], {}), "binds.none"),
        (f.serves(_figure(3), _figure(-0.5)), "serves.more_cheaper"),
        (f.serves(_figure(3), _figure(0.5)), "serves.more_dearer"),
        (f.serves(_figure(0.3), _figure(-0.5)), "serves.less_cheaper"),
        (f.serves(_figure(0.3), _figure(0.5)), "serves.less_dearer"),
        (f.flows({"x": 2.0, "idle": 9.0}, {"x": 1.0}, {}), "flows.same"),
        (f.flows({"x": 2.0, "y": 1.0}, {"y": 1.0}, {}), "flows.differ"),
        (f.flows({"idle": 2.0}, {"y": 0.0}, {}), "flows.none"),
        (f.idles(_figure(0.2), _figure(0.1)), "idles.less"),
        (f.idles(_figure(0.1), _figure(0.2)), "idles.more"),
        (f.assumes(0.2, out_of_reach=False), "assumes.growth"),
        (f.assumes(-0.1, out_of_reach=False), "assumes.decline"),
        (f.assumes(None, out_of_reach=True), "assumes.out_of_reach"),
        (f.assumes(None, out_of_reach=False), "assumes.none"),
        (f.against_price(_figure(10, 8, 12), _figure(11)), "price.inside"),
        (f.against_price(_figure(10, 8, 12), _figure(13)), "price.above"),
        (f.against_price(_figure(10, 8, 12), _figure(7)), "price.below"),
        (f.cycle(_figure(1), _figure(-1)), "cycle.gain_loss"),
        (f.cycle(_figure(-1), _figure(1)), "cycle.loss_gain"),
        (f.came(0, 4), "came.none"),
        (f.came(1, 4), "came.few"),
        (f.came(3, 4), "came.most"),
        (f.came(4, 4), "came.all"),
    ],
)
def test_a_heading_follows_its_numbers(made, expected):
    assert made["id"] == f"report.{expected}"
    for language in ("en", "zh"):
        text = text_of(made, language)
        assert "{" not in text
        assert text != catalogue(language)[made["id"]] or not made["values"]


def test_opposite_numbers_turn_every_heading_of_a_plan(result):
    record = {"answer": result.answer, **result.to_json()}
    more = {
        "paths": {}, "swings": [], "cycle": None, "actuals": [], "names": {"limits": {}, "devices": {}, "segments": {}},
    }  # fmt: skip
    turned = copy.deepcopy(record)
    for name, up in (("compute_factor", record["quantiles"]["compute_factor"]["p50"] <= 1),):
        turned["quantiles"][name] = {"p10": 1.1, "p50": 1.5, "p90": 2.0} if up else {"p10": 0.5, "p50": 0.6, "p90": 0.7}
    worth = record["headlines"]["orders_value"]["value"] <= 0
    turned["headlines"]["orders_value"] |= (
        {"value": 2e9, "low": 1e9, "high": 3e9} if worth else {"value": -2e9, "low": -3e9, "high": -1e9}
    )
    before, after = f.findings(record, more), f.findings(turned, more)
    assert [one["id"] for one in before["answer"][1:]] != [one["id"] for one in after["answer"][1:]]
    assert after["answer"][1]["id"] == ("report.pays.yes" if worth else "report.pays.no")
    headings = {one["id"]: one["heading"]["id"] for one in after["sections"]}
    assert headings["jevons"] == after["answer"][2]["id"]


def test_boom_and_bust_are_solved_only_for_a_file(result):
    assert plan_findings(result, futures=False)["cycle"] is None
    both = plan_findings(result)["cycle"]
    assert both is None or both["boom"]["ai_revenue"] >= both["bust"]["ai_revenue"]


@pytest.mark.parametrize(
    ("one", "en", "zh"),
    [
        (_figure(2.08e11, 9.0e10, 2.84e11, "CNY"), "208 bn CNY [90–284 bn CNY]", "2,080 亿元 [900–2,840 亿元]"),
        (_figure(3.85e10, -9.4e10, 2.0e11, "CNY"), "38.5 bn CNY [-94 to 200 bn CNY]", "385 亿元 [-940 至 2,000 亿元]"),
        (_figure(1336709, 745839, 1688163), "1.34 mn [0.746–1.69 mn]", "134 万 [74.6–169 万]"),
        (_figure(0.748, unit="frac"), "74.8 %", "74.8 %"),
    ],
)
def test_numbers_and_money_are_written_by_locale(one, en, zh):
    assert (shown(one, "en"), shown(one, "zh")) == (en, zh)


def test_tables_of_a_plan_are_in_chinese_but_for_names(page):
    document = _frozen(page)["document"]
    texts = set()
    for one in document["tables"]:
        texts |= {one["title"], *(c["label"] for c in one["columns"]), *(c["unit"] for c in one["columns"])}
        texts |= {cell for row in one["rows"] for cell in row if isinstance(cell, str)}
    own = {*document["findings"]["names"]["segments"].values(), *document["result"]["price_per_mtok"], "API", "EBITA"}
    own |= {part["label"] for part in document["findings"]["swings"] if "." in part["label"]}
    left = sorted(
        text for text in texts - own if term(text, "zh") == text and re.search(r"[A-Za-z]{4,} [A-Za-z]{3,}", text)
    )
    assert [text for text in left if not re.match(r"NVIDIA|AMD|Huawei|\d+ \w+ \(tp", text)] == []
