"""A plan of any firm in any currency: nothing of one firm is in general code."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

import jevons
from jevons.facts import default_facts
from jevons.units import format_money
from places import TINY

RATE = default_facts().get("fx.cny_per_usd", dt.date(2025, 2, 24)).number

NEOCLOUD = """\
name: A neocloud
as_of: 2025-02-24
currency: USD
firm: {name: Neo}
start: 2025-Q1
quarters: 4
hardware:
  sites:
    texas:
      {tariff: 0.06 USD/kWh, pue: 1.25, build: 11 USD/W, carbon: 0.4 kgCO2/kWh, power: 30 MW, limit: 200 MW,
       build_rate: 20 MW/quarter}
  devices:
    h100_sxm: {price: 30000 USD, supply: 8000, installed: 1000, installed_age: 3 quarters}
serving: {utilisation_cap: 0.7, availability: 0.97, software_gain: 1.3, learning_exponent: 0}
cost: {wacc: 0.12, economic_life: 4 y, service_life: 5 y, site_life: 15 y, network: 0.15, operations: 0.05}
market:
  provider_elasticity: -1.5
  markup: 1.2
  price_inertia: 0.8
  peak_hours: 10 h
  rental_device: h100_sxm
  rental_utilisation: 0.85
  rental_price: 3.5 USD/h
  segments:
    labs:
      {model: rental, adopters: 300, value: 6 USD, value_sigma: 0.8, calls: 10000, integration: 0 USD, bass_p: 0.03,
       bass_q: 0.3, adopted: 0.3, elasticity: -1, share: 0.03, peak: 0.5, deferrable: 0.3}
expansion: {budget: 0.4 bn USD, budget_quarters: 4, budget_first: 0.1 bn USD, ai_share: 1}
finance:
  {tax: 0.21, accounting_life: 6 y, building_life: 20 y, overhead: 0.1, base_revenue: 30 mn USD, base_least: 0,
   net_cash: -0.2 bn USD, shares: 100 mn shares, share_price: 20 USD, after_growth: 0.2, terminal_growth: 0.03,
   terminal_margin: 0.2, capital_per_revenue: 1.5}
study: {draws: 0}
"""


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    """The small plan in yuan, and the same figures reported in dollars."""
    path = tmp_path_factory.mktemp("firms") / "usd.yaml"
    path.write_text(TINY.read_text().replace("seed: 3", "seed: 3\ncurrency: USD"))
    return jevons.plan(TINY, draws=0), jevons.plan(path, draws=0)


@pytest.mark.slow
def test_another_currency_changes_the_label_of_money_and_nothing_else(plans):
    yuan, dollars = (plan.to_json() for plan in plans)
    assert (yuan["currency"], dollars["currency"]) == ("CNY", "USD")
    for name, path in yuan["fleet"]["devices"].items():
        assert dollars["fleet"]["devices"][name] == pytest.approx(path, rel=1e-4)
    assert dollars["value"]["equity"] * RATE == pytest.approx(yuan["value"]["equity"], rel=1e-4)
    for name in ("capex", "ai_revenue_external", "depreciation"):
        assert np.multiply(dollars["cash"][name], RATE) == pytest.approx(np.array(yuan["cash"][name]), rel=1e-4)


def test_tables_answer_and_arrays_name_the_currency_of_the_scenario(plans):
    _, dollars = plans
    text = dollars.answer + "".join(table._repr_html_() for table in dollars.tables.values())
    assert "USD" in text
    assert "CNY" not in text
    assert "¤" not in text + repr(dollars.cost) + repr(dollars.value)
    assert dollars.cost.per_mtok.attrs["units"] == "USD/Mtok"
    assert dollars.explain("cost.h20.per_h").startswith("cost.h20.per_h = ")
    assert "¤" not in dollars.explain("finance.value_per_share")


@pytest.fixture(scope="module")
def neocloud(tmp_path_factory):
    path = tmp_path_factory.mktemp("neocloud") / "s.yaml"
    path.write_text(NEOCLOUD)
    return path


def test_a_firm_that_no_fact_mentions_is_planned_and_valued(neocloud):
    """It rents out machines alone: no models, no base cloud, no other business, no reserve for training, and debt."""
    record = jevons.value(neocloud).to_json()
    assert record["rerating"] is None
    assert record["narrative"] is None
    bridge = dict(record["bridge"])
    assert bridge["Net cash"] == pytest.approx(-0.2e9)
    assert bridge["Rest of the group"] == 0.0
    assert bridge["Base cloud"] == pytest.approx(0.0, abs=0.5e9)
    assert record["per_share"] == pytest.approx(record["equity"] / 100e6)
    assert record["answer"].startswith("A share is worth")


def test_a_firm_that_sells_no_calls_is_told_nothing_of_tokens(neocloud):
    """Its plan said that 0 % of demand was served and that tokens had fallen to 0 times their price."""
    result = jevons.plan(neocloud, draws=4, processes=1)
    assert all(table.rows for table in result.tables.values())
    assert not {"tokens", "call_prices", "calls"} & set(result.tables)
    assert not [row for row in result.tables["uncertainty"].rows if "token" in str(row[0]) and row[3] == 0]
    assert "tokens served" not in " ".join(str(row[0]) for row in result.tables["sensitivity"].rows)
    assert "rents" in result.tables


def test_a_share_of_a_firm_that_owes_more_than_it_is_worth_is_worth_nothing(neocloud):
    """The plan's answer told of a share worth less than 0, by more than its whole price; `value` said worth nothing."""
    result = jevons.plan(neocloud, draws=0, set={"finance.net_cash": "-2 bn USD"})
    equity = result.to_json()["value"]["equity"]
    assert equity < 0
    assert "is worth 0.00 USD, -100 % against its price" in result.answer
    assert f"together come to {format_money(equity, 'USD')}" in result.answer
    assert "from -" not in result.answer
    rich = jevons.plan(neocloud, draws=0, set={"finance.net_cash": "2 bn USD"})
    assert "together come to" not in rich.answer


def test_a_firm_that_no_fact_mentions_is_held_against_what_came(neocloud, tmp_path: Path):
    """Its own actual figures suffice: forecast, interval and weights by quarter."""
    actuals = tmp_path / "actuals.csv"
    actuals.write_text("quarter,quantity,value,unit\n2025-Q1,ai revenue,50,mn USD\n2025-Q2,power,20,MW\n")
    tracked = jevons.track(neocloud, actuals=actuals, draws=4, processes=1)
    assert [row["series"] for row in tracked.quarters()] == ["ai_revenue", "it_w"]
    assert all(row["low"] <= row["median"] <= row["high"] for row in tracked.quarters())
    with pytest.raises(jevons.InputError, match="no fact in firm.published"):
        jevons.track(neocloud, actuals="facts", draws=4, processes=1)


def test_the_kind_of_share_is_named(neocloud, tmp_path: Path):
    path = tmp_path / "s.yaml"
    path.write_text(NEOCLOUD.replace("firm: {name: Neo}", "firm: {name: Neo, share: ADS}"))
    assert jevons.value(path).answer.startswith("An ADS is worth")


def test_a_currency_without_a_rate_at_the_date_is_refused_with_its_place(neocloud, tmp_path: Path):
    path = tmp_path / "s.yaml"
    path.write_text(NEOCLOUD.replace("budget: 0.4 bn USD", "budget: 0.4 bn EUR").replace("2025-02-24", "2024-02-24"))
    with pytest.raises(jevons.InputError, match=r"s.yaml:\d+:\d+: expansion.budget: .*fx.usd_per_eur"):
        jevons.load(path)


@pytest.mark.parametrize("given", ["usd", "ZAR", "7"])
def test_an_unknown_currency_is_refused(tmp_path: Path, given):
    path = tmp_path / "s.yaml"
    path.write_text(NEOCLOUD.replace("currency: USD", f"currency: {given}"))
    with pytest.raises(jevons.InputError, match="currency"):
        jevons.load(path)


@pytest.mark.slow
def test_a_comparison_is_in_the_currency_of_the_first_scenario(neocloud):
    both = jevons.compare(TINY, neocloud, draws=0)
    assert "CNY" in both.answer
    assert "¤" not in both.answer + str(both.to_json())
    alone = jevons.plan(neocloud, draws=0).to_json()["value"]["per_share"]
    assert both.difference()["value_per_share"]["b"] == pytest.approx(alone * RATE, rel=0.02)
