"""Worked examples: the Barron's cover of 2015, and the re-rating of early 2025."""

import dataclasses
import datetime as dt

import pytest

from jevons.errors import InputError
from jevons.facts import get
from jevons.finance import PriceView, at_multiple, rerating

COVER = dt.date(2015, 9, 14)
TERMS = {
    "margin_frac": 0.17, "capital_per_revenue": 1.3, "tax_frac": 0.18, "terminal_growth_frac": 0.03,
    "rest_growth_frac": 0.02, "rest_return_frac": 0.25,
}  # fmt: skip
VIEW = PriceView(earnings_cur=165e9, cloud_revenue_cur=118e9, growth_frac=0.07, wacc_frac=0.10, rate=7.3)


def test_barrons_arithmetic_gives_forty_percent_not_fifty():
    price = get("alibaba.group.ads_price_usd", COVER).number
    multiple = get("alibaba.group.pe_trailing", COVER).number
    fair = get("alibaba.barrons.fair_pe").number
    said = get("alibaba.barrons.predicted_fall_frac").number
    assert (price, multiple, fair) == (62.6, 25, 15)
    found = at_multiple(price, multiple, fair)
    assert found.earnings == pytest.approx(2.504)
    assert found.fair_price == pytest.approx(37.56)
    assert found.change_frac == pytest.approx(-0.40)
    assert found.change_frac != pytest.approx(-said, abs=0.05)


def test_parts_add_up_to_the_change():
    later = PriceView(earnings_cur=170e9, cloud_revenue_cur=125e9, growth_frac=0.13, wacc_frac=0.0965, rate=7.25)
    found = rerating(184.8e9, 292.3e9, VIEW, later, **TERMS)
    assert sum(found.parts.values()) == pytest.approx(107.5e9)
    assert found.change == pytest.approx(107.5e9)
    model = sum(x for name, x in found.parts.items() if name != "story")
    assert model == pytest.approx(found.model_after - found.model_before)


def test_what_does_not_change_explains_nothing_and_is_all_story():
    found = rerating(100e9, 150e9, VIEW, VIEW, **TERMS)
    assert found.parts["story"] == pytest.approx(50e9)
    assert found.explained_frac == pytest.approx(0)


def test_a_lower_rate_alone_is_credited_to_rates_alone():
    found = rerating(100e9, 150e9, VIEW, dataclasses.replace(VIEW, wacc_frac=0.09), **TERMS)
    assert found.parts["rates"] > 0
    assert {n: x for n, x in found.parts.items() if n not in {"rates", "story"}} == pytest.approx(
        {"earnings": 0, "growth": 0, "currency": 0}
    )


def test_growth_below_the_cost_of_capital_counts_against_the_rise():
    later = dataclasses.replace(VIEW, growth_frac=0.20)
    poor = rerating(100e9, 150e9, VIEW, later, **(TERMS | {"margin_frac": 0.12, "capital_per_revenue": 1.5}))
    rich = rerating(100e9, 150e9, VIEW, later, **(TERMS | {"margin_frac": 0.25, "capital_per_revenue": 1.0}))
    assert poor.parts["growth"] < 0 < rich.parts["growth"]


@pytest.mark.parametrize("figures", [(0, 25, 15), (62.6, -1, 15), (62.6, 25, float("inf"))])
def test_wrong_multiples_are_refused(figures):
    with pytest.raises(InputError, match="must be positive"):
        at_multiple(*figures)


@pytest.mark.parametrize("values", [(0.0, 1e9), (1e9, -1e9), (1e9, 1e9)])
def test_wrong_values_are_refused(values):
    with pytest.raises(InputError, match="positive and different"):
        rerating(*values, VIEW, VIEW, **TERMS)
