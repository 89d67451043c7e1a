import numpy as np
import pytest

from jevons.errors import InfeasibleError, InputError
from jevons.finance import (
    crf,
    discount_factors,
    enterprise_value_cur,
    growth_value,
    irr,
    npv,
    straight_line,
    terminal_value,
)


def test_discount_factors_fall_in_the_middle_of_quarters():
    assert discount_factors(0.10, 2) == pytest.approx([1.1**-0.125, 1.1**-0.375])
    assert discount_factors(0.10, 2, timing="end", periods_per_year=1) == pytest.approx([1 / 1.1, 1 / 1.21])


@pytest.mark.parametrize(("rate", "timing"), [(-1.0, "mid"), (0.1, "later")])
def test_discounting_needs_a_rate_above_minus_one_and_a_known_timing(rate, timing):
    with pytest.raises(InputError):
        discount_factors(rate, 4, timing=timing)


def test_capital_recovery_repays_its_price():
    assert npv(0.10, [-1.0, *[crf(0.10, 4.0)] * 4]) == pytest.approx(0.0, abs=1e-12)


def test_irr_by_hand():
    assert irr([-100.0, 110.0]) == pytest.approx(0.10)
    assert irr([-100.0, 0.0, 121.0]) == pytest.approx(0.10)
    assert irr([-100.0, 0.0, 0.0, 0.0, 110.0], periods_per_year=4) == pytest.approx(0.10)
    assert irr([-100.0, 50.0]) == pytest.approx(-0.5)
    assert irr([-1e13, *[2e12] * 40]) == pytest.approx(irr([-1.0, *[0.2] * 40]))


def test_irr_refuses_flows_of_one_sign_and_ambiguous_ones():
    with pytest.raises(InputError, match="outlay"):
        irr([1.0, 2.0])
    with pytest.raises(InputError, match="finite"):
        irr([-1.0, np.nan])
    # (x - 1.1)(x - 1.3) with the sign of an outlay first: 10 % and 30 % both fit.
    with pytest.raises(InfeasibleError, match=r"0\.1, 0\.3"):
        irr([-1.0, 2.4, -1.43])


def test_growth_is_worthless_at_a_return_equal_to_the_cost_of_capital():
    values = terminal_value(100.0, 0.10, np.array([0.0, 0.03, 0.06]), 0.10)
    assert values == pytest.approx(1000.0)


def test_growth_adds_above_and_takes_below_the_cost_of_capital():
    assert float(terminal_value(100.0, 0.10, 0.03, 0.20)) == pytest.approx(100 * 0.85 / 0.07)
    assert float(terminal_value(100.0, 0.10, 0.03, 0.06)) == pytest.approx(100 * 0.5 / 0.07)
    assert float(terminal_value(100.0, 0.10, 0.0, np.inf)) == pytest.approx(1000.0)


@pytest.mark.parametrize(("wacc", "growth", "roic"), [(0.03, 0.03, 0.1), (0.1, 0.03, 0.0)])
def test_a_perpetuity_needs_discounting_and_a_return(wacc, growth, roic):
    with pytest.raises(InputError):
        terminal_value(1.0, wacc, growth, roic)


def test_a_flat_business_is_a_perpetuity_with_mid_year_flows():
    value = growth_value(
        0.0, revenue_cur=1000.0, margin_frac=0.1, capital_per_revenue=1.0, wacc_frac=0.08, tax_frac=0.25,
        terminal_growth_frac=0.0,
    )  # fmt: skip
    assert float(value) == pytest.approx(1000 * 0.1 * 0.75 / 0.08 * 1.08**0.5)


def test_enterprise_value_is_the_market_value_less_cash():
    assert enterprise_value_cur(80.0, 2.4e9, 7.25, 300e9, 100e9) == pytest.approx(80 * 2.4e9 * 7.25 - 400e9)
    with pytest.raises(InputError, match="price"):
        enterprise_value_cur(0.0, 1.0, 7.0, 0.0)


def books(cost, paid, start, end, life, quarters, **options):
    parts = straight_line(
        np.array([cost]), np.array([paid]), np.array([start]), np.array([end]), life, quarters, **options
    )
    return [part[0] for part in parts]


def test_depreciation_begins_with_service_and_ends_at_zero():
    depreciation, impairment, closing = books(120.0, 1, 2, 99, 4.0, 7)
    assert depreciation == pytest.approx([0, 0, 30, 30, 30, 30, 0])
    assert closing == pytest.approx([0, 120, 90, 60, 30, 0, 0])
    assert not impairment.any()


def test_a_life_that_is_no_whole_number_of_quarters_ends_in_a_part():
    depreciation, _, closing = books(90.0, 0, 0, 99, 4.5, 6)
    assert depreciation == pytest.approx([20, 20, 20, 20, 10, 0])
    assert closing[-1] == pytest.approx(0)


def test_what_is_left_at_retirement_is_written_off():
    depreciation, impairment, closing = books(100.0, 0, 0, 2, 4.0, 4)
    assert depreciation == pytest.approx([25, 25, 0, 0])
    assert impairment == pytest.approx([0, 0, 50, 0])
    assert closing == pytest.approx([75, 50, 0, 0])


def test_an_older_asset_opens_at_its_remaining_book_value():
    depreciation, _, closing = books(100.0, -1, -3, 99, 4.0, 2)
    assert depreciation == pytest.approx([25, 0])
    assert closing == pytest.approx([0, 0])


def test_a_write_down_spreads_the_rest_over_the_remaining_life():
    most = np.array([[np.inf, 20.0, 100.0, 100.0]])
    depreciation, impairment, closing = books(100.0, 0, 0, 99, 4.0, 4, most_cur=most)
    assert depreciation == pytest.approx([25, 25, 10, 10])
    assert impairment == pytest.approx([0, 30, 0, 0])
    assert closing == pytest.approx([75, 20, 10, 0])
