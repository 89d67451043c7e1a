"""What a dated price assumes on the main scenario, without running the planner."""

import datetime as dt

import pytest

from jevons.errors import InfeasibleError, InputError
from jevons.facts import default_facts
from jevons.study import load
from jevons.study.plan.valuation import deliver, explain_rerating, iso_surface, narrative_score, rise_alone, stories
from places import MAIN

FIRST, LAST = dt.date(2024, 12, 31), dt.date(2025, 3, 31)


@pytest.fixture(scope="module")
def main():
    return load(MAIN)


def test_the_re_rating_of_early_2025_is_mostly_story(main):
    found = explain_rerating(main, default_facts(), FIRST, LAST)
    assert found.value_before == pytest.approx(184.805e9)
    assert found.value_after == pytest.approx(292.298e9)
    assert sum(found.parts.values()) == pytest.approx(found.change)
    assert found.parts["rates"] > 0
    assert 0.5 < found.parts["story"] / found.change < 1.0


def test_the_rise_alone_asks_of_the_cloud_what_the_evidence_says():
    asked = {
        (r["margin_frac"], r["capital_per_revenue"]): r for r in rise_alone(load(MAIN), default_facts(), 107.5e9, LAST)
    }
    for pair, growth in (((0.25, 1.5), 0.37), ((0.25, 1.0), 0.28), ((0.20, 1.5), 0.59)):
        assert asked[pair]["growth_frac"] == pytest.approx(growth, abs=0.012)
    assert asked[0.15, 1.5]["growth_frac"] is None
    assert asked[0.15, 1.5]["destroys"]


def test_a_dearer_cost_of_capital_never_lowers_the_growth_assumed(main):
    surface = iso_surface(main, 600e9, 127e9)
    by = {(r["margin_frac"], r["capital_per_revenue"], r["wacc_frac"]): r["growth_frac"] for r in surface}
    compared = 0
    for (m, k, w), growth in by.items():
        dearer = by.get((m, k, round(w + 0.02, 2)))
        if growth is not None and dearer is not None:
            assert dearer > growth
            compared += 1
    assert compared >= 3


def test_a_price_above_the_mean_tilts_towards_what_earns(main):
    base = stories(main, 1000.0, draws=400)
    found = stories(main, base.prior_value_cur * 1.1, draws=400)
    assert found.weights.sum() == pytest.approx(1)
    assert found.weights[0] > found.prior[0]
    assert found.weights[3] < found.prior[3]
    assert found.tilt.tilt_per_cur > 0
    with pytest.raises(InfeasibleError, match="no weights explain"):
        stories(main, 1e6, draws=200)


def test_growth_costs_capital_in_proportion_to_added_revenue(main):
    slow, fast = deliver(main, 0.0), deliver(main, 0.25)
    assert slow["capital_added"] == 0
    added = fast["revenue"] - fast["revenue_now"]
    assert fast["capital_added"] == pytest.approx(main.finance.capital_per_revenue.value * added)


def test_the_narrative_layer_loses_on_all_closes():
    assert not narrative_score(load(MAIN), default_facts()).keep


def test_dates_without_a_price_or_in_the_wrong_order_are_named(main):
    with pytest.raises(InputError, match="--from 2025-01-15: no enterprise value .* give --from 2024-12-31"):
        explain_rerating(main, default_facts(), dt.date(2025, 1, 15), LAST)
    with pytest.raises(InputError, match="must come before"):
        explain_rerating(main, default_facts(), LAST, FIRST)
