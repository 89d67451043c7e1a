import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from draws import draws
from jevons.finance import growth_value, irr, npv, reverse_dcf, scenario_weights, straight_line, terminal_value

quick = settings(max_examples=draws(100), deadline=None)
rates = st.floats(0.01, 0.3)


@quick
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 30.0))
def test_opening_plus_cost_less_charges_is_closing(seed, life):
    """Invariant 50: Opening book value plus cost less charges is closing book value."""
    rng = np.random.default_rng(seed)
    count, quarters = 6, 12
    cost = rng.uniform(0, 1e9, count)
    paid = rng.integers(-1, quarters, count)
    start = np.where(paid < 0, -rng.integers(0, 20, count), paid + rng.integers(0, 4, count))
    end = start + rng.integers(1, 20, count)
    most = np.where(rng.random((count, quarters)) < 0.3, rng.uniform(0, 1e9, (count, quarters)), np.inf)
    depreciation, impairment, closing = straight_line(cost, paid, start, end, life, quarters, most_cur=most)
    old = np.where(paid < 0, cost * (1 - np.clip(-start / life, 0, 1)), 0.0)
    opening = np.concatenate([old[:, None], closing[:, :-1]], axis=1)
    bought = (paid[:, None] == np.arange(quarters)) * cost[:, None]
    assert opening + bought - depreciation - impairment == pytest.approx(closing, abs=1e-3)
    assert min(depreciation.min(), impairment.min()) >= 0
    assert closing.min() >= -1e-3
    assert (closing <= np.maximum(most, 0) + 1e-3).all()
    gone = (np.arange(quarters) >= end[:, None]) | (np.arange(quarters) - start[:, None] + 1 >= life)
    assert closing[gone] == pytest.approx(0.0, abs=1e-3)


@quick
@given(rates, st.floats(0, 0.2), st.floats(1, 1e12))
def test_growth_at_a_return_equal_to_the_cost_of_capital_is_worth_nothing(wacc, growth, profit):
    """Invariant 51: Growth at a return equal to the cost of capital is worth nothing."""
    if growth < wacc * 0.99:
        assert float(terminal_value(profit, wacc, growth, wacc)) == pytest.approx(profit / wacc)


@quick
@given(rates, st.integers(1, 40), st.floats(1, 1e12))
def test_the_rate_of_an_annuity_is_found_again(rate, years, payment):
    """Invariant 52: The rate of an annuity is found again from its price."""
    price = payment * sum((1 + rate) ** -t for t in range(1, years + 1))
    flows = [-price, *[payment] * years]
    assert irr(flows) == pytest.approx(rate, abs=1e-9)
    assert npv(irr(flows), flows) == pytest.approx(0.0, abs=1e-9 * price * years)


@quick
@given(st.floats(0.05, 0.4), st.floats(0.3, 3.0), st.floats(0.06, 0.15), st.floats(0.01, 0.9))
def test_reverse_dcf_finds_growth_that_gives_the_value_back(margin, capital, wacc, growth):
    """Invariant 53: The growth that a reverse DCF finds gives the value back."""
    known = {
        "revenue_cur": 1e11, "margin_frac": margin, "capital_per_revenue": capital, "wacc_frac": wacc, "tax_frac": 0.2,
        "terminal_growth_frac": 0.03,
    }  # fmt: skip
    price = float(growth_value(growth, **known))
    surface = reverse_dcf(price, **known)
    if surface.solved:
        assert float(growth_value(surface.growth_frac, **known)) == pytest.approx(price, rel=1e-7, abs=1.0)
        assert surface.growth_frac <= growth + 1e-9
    else:
        assert surface.reason != ""
        assert np.isfinite(surface.growth_frac)


@quick
@given(st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=8), st.integers(0, 2**32 - 1), st.floats(0.02, 0.98))
def test_weights_hit_the_price_and_stay_a_distribution(values, seed, place):
    """Invariant 54: Weights of narratives hit the price and stay a distribution."""
    low, high = min(values), max(values)
    if high - low < 1.0:
        return
    price = low + place * (high - low)
    if not low < price < high:
        return
    prior = np.random.default_rng(seed).dirichlet(np.ones(len(values)))
    found = scenario_weights(values, prior, price)
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.weights.min() >= 0
    assert found.weights @ np.asarray(values) == pytest.approx(price, abs=1e-8 * (high - low) + 1e-3)
    assert (found.tilt_per_cur > 0) == (price > prior @ np.asarray(values)) or found.relative_entropy_nats < 1e-9
    assert found.relative_entropy_nats >= 0
