import numpy as np
import pytest

from jevons.errors import InfeasibleError, InputError
from jevons.finance import growth_value, incremental_roic, reverse_dcf, scenario_weights

# The rise of the group's enterprise value from 2024-12-31 to 2025-03-31, 184.8 to 292.3 bn USD at 7.25 CNY, to be
# carried by the cloud: revenue 118 bn CNY, of which the margin of fiscal 2025 (8.9 %) is worth its perpetuity already.
RISE_CNY = (292.3 - 184.8) * 7.25e9
STANDING_CNY = 118e9 * 0.089 * 0.8 / 0.10
PLAIN = {"revenue_cur": 118e9, "tax_frac": 0.2, "terminal_growth_frac": 0.03}


def test_the_rise_of_early_2025_needs_the_growth_of_the_earlier_calculation():
    # Ten years, five at constant growth and five fading to 3 %, flows mid-year, value-driver terminal value; the rise
    # is on top of today's profit for ever. In percent: 37, 28, 59 and no solution below 100.
    assert pytest.approx(780e9, rel=1e-3) == RISE_CNY
    surface = reverse_dcf(
        RISE_CNY + STANDING_CNY,
        margin_frac=np.array([0.25, 0.25, 0.20, 0.15]),
        capital_per_revenue=np.array([1.5, 1.0, 1.5, 1.5]),
        wacc_frac=0.10,
        **PLAIN,
    )
    assert surface.growth_frac[:3] == pytest.approx([0.37, 0.28, 0.59], abs=0.006)
    assert surface.solved.tolist() == [True, True, True, False]
    assert surface.reason.tolist() == ["", "", "", "no growth below 100% justifies it"]
    assert surface.growth_frac[3] == 1.0
    assert surface.growth_destroys_value.tolist() == [False, False, False, True]
    assert surface.roic_frac == pytest.approx([0.1333, 0.2, 0.1067, 0.08], abs=1e-4)


def test_the_surface_has_the_price_everywhere_it_is_solved():
    axes = np.meshgrid([0.1, 0.2, 0.3], [0.8, 1.5, 2.0], [0.08, 0.12], indexing="ij")
    surface = reverse_dcf(600e9, margin_frac=axes[0], capital_per_revenue=axes[1], wacc_frac=axes[2], **PLAIN)
    back = growth_value(
        surface.growth_frac, margin_frac=axes[0], capital_per_revenue=axes[1], wacc_frac=axes[2], **PLAIN
    )
    assert surface.growth_frac.shape == (3, 3, 2)
    assert surface.solved.any()
    assert not surface.solved.all()
    assert back[surface.solved] == pytest.approx(600e9, rel=1e-9)
    assert np.isfinite(surface.growth_frac).all()
    assert (surface.solved == (surface.reason == "")).all()


def test_a_price_below_the_value_without_growth_says_so():
    surface = reverse_dcf(1e9, margin_frac=0.2, capital_per_revenue=1.0, wacc_frac=0.1, **PLAIN)
    assert not surface.solved
    assert surface.reason == "none: worth it at 0% growth"
    assert surface.growth_frac == 0.0


def test_growth_lowers_value_exactly_where_the_return_is_below_the_cost_of_capital():
    for margin, better in ((0.15, False), (0.25, True)):
        slow, fast = growth_value(
            np.array([0.05, 0.30]), margin_frac=margin, capital_per_revenue=1.5, wacc_frac=0.10, **PLAIN
        )
        assert (fast > slow) == better
        assert (incremental_roic(margin, 0.2, 1.5) > 0.10) == better


@pytest.mark.parametrize("bad", [{"margin_frac": 0.0}, {"wacc_frac": 0.03}, {"capital_per_revenue": -1.0}])
def test_impossible_axes_are_input_errors(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        reverse_dcf(1e11, **({"margin_frac": 0.2, "capital_per_revenue": 1.0, "wacc_frac": 0.1} | bad), **PLAIN)


def test_two_scenarios_have_weights_by_hand():
    # Values 100 and 200, even odds, price 175: weights 1/4 and 3/4, so the tilt is ln 3 over 100.
    found = scenario_weights([100.0, 200.0], [0.5, 0.5], 175.0)
    assert found.weights == pytest.approx([0.25, 0.75])
    assert found.tilt_per_cur == pytest.approx(np.log(3) / 100)
    assert found.relative_entropy_nats == pytest.approx(0.25 * np.log(0.5) + 0.75 * np.log(1.5))
    assert found.gain == pytest.approx([-0.25, 0.25])


def test_a_price_at_the_prior_mean_needs_no_tilt():
    found = scenario_weights([1.0, 2.0, 6.0], [0.5, 0.25, 0.25], 2.5)
    assert found.tilt_per_cur == pytest.approx(0.0, abs=1e-12)
    assert found.weights == pytest.approx([0.5, 0.25, 0.25])


def test_a_price_near_the_edge_still_has_weights():
    found = scenario_weights([0.0, 1e12], [0.999, 0.001], 0.999999e12)
    assert found.weights @ [0.0, 1e12] == pytest.approx(0.999999e12)


@pytest.mark.parametrize("price", [99.0, 200.0, 250.0])
def test_a_price_outside_the_scenarios_cannot_be_explained(price):
    with pytest.raises(InfeasibleError, match="the scenarios are worth 100 to 200") as caught:
        scenario_weights([100.0, 200.0, 900.0], [0.5, 0.5, 0.0], price)
    assert caught.value.limits == ("scenario range",)


@pytest.mark.parametrize(
    ("values", "prior"), [([1.0, 2.0], [0.5, 0.6]), ([1.0], [0.5, 0.5]), ([1.0, np.nan], [0.5, 0.5])]
)
def test_a_prior_must_be_a_distribution_over_the_scenarios(values, prior):
    with pytest.raises(InputError):
        scenario_weights(values, prior, 1.5)
