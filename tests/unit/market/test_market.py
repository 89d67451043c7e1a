import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.stats import lognorm

from jevons.errors import InputError
from jevons.market import (
    MarketInputs,
    Switch,
    adopting_frac,
    bass_step,
    demand_blocks,
    extensive_elasticity,
    market_path,
    next_price,
)
from jevons.market.depth import chosen_depth
from jevons.market.run import capped_calls, settled_calls_per_d


def inputs(**changes):
    quarters = changes.pop("quarters", 12)
    one = np.ones(1)
    base = {
        "model": np.array([0]), "adopters": 1e6 * one, "value_cur": 1.0 * one, "value_sigma": 1.5 * one,
        "calls_per_d": 10 * one, "calls_growth": one, "tokens_growth": one,
        "tokens_per_call": np.array([[1000.0, 0.0, 500.0]]), "counts_tokens": np.array([True]),
        "integration_cur_per_y": 0 * one, "bass_p": 0.02 * one,
        "bass_q": 0.3 * one, "adopted_frac": 0.05 * one, "elasticity": -0.4 * one, "share_frac": one,
        "list_price_cur_per_tok": np.array([[4e-6, 1e-6, 16e-6]]),
        "unit_cost_cur_per_tok": np.repeat(np.array([[[2e-6], [5e-7], [8e-6]]]), quarters, axis=2), "markup": 2.0,
        "price_inertia": 0.5, "scarcity": np.ones((1, quarters)), "learning_exponent": 0.0,
    }  # fmt: skip
    return MarketInputs.of(**(base | changes))


def test_a_tool_chain_that_takes_work_out_of_integration_widens_adoption_at_the_same_price():
    dear = {"quarters": 13, "integration_cur_per_y": 5000.0 * np.ones(1), "price_inertia": 1.0}
    still, easier = market_path(inputs(**dear)), market_path(inputs(**dear, integration_growth_frac=-0.5))
    assert easier.potential_frac[0, 0] == still.potential_frac[0, 0]
    integration, price = 5000 / (10 * 365.25), 1000 * 4e-6 + 500 * 16e-6
    assert still.potential_frac[0, 12] == pytest.approx(lognorm(1.5).sf(price + integration))
    assert easier.potential_frac[0, 12] == pytest.approx(lognorm(1.5).sf(price + integration / 8))
    assert (easier.price_index == still.price_index).all()


def test_calls_settle_where_diffusion_would_end_at_that_price():
    slow = inputs(quarters=4, price_inertia=1.0)
    here = market_path(slow)
    end = market_path(inputs(quarters=400, price_inertia=1.0))
    settled = settled_calls_per_d(slow, here, 3)
    assert settled == pytest.approx(end.market_calls_per_d[:, -1], rel=1e-6)
    assert here.market_calls_per_d[0, 3] < settled[0]


def test_half_the_price_settles_at_both_margins():
    path = market_path(inputs(quarters=4, price_inertia=1.0))
    ratio = settled_calls_per_d(inputs(quarters=4), path, 3, price_factor=0.5) / settled_calls_per_d(
        inputs(quarters=4), path, 3
    )
    price = 1000 * 4e-6 + 500 * 16e-6
    extensive = lognorm(1.5).sf(price / 2) / lognorm(1.5).sf(price)
    assert ratio == pytest.approx(extensive * 2**0.4)


def test_a_full_wallet_settles_at_the_same_spending_and_full_attention_at_the_same_calls():
    sated = {"quarters": 4, "value_cur": 1e6 * np.ones(1)}
    for limit, ratio in (("wallet_cur_per_y", 2.0), ("attention_calls_per_d", 1.0)):
        here = inputs(**sated, **{limit: 0.5 * np.ones(1) if limit.startswith("att") else 1.0 * np.ones(1)})
        path = market_path(here)
        calls = [settled_calls_per_d(here, path, 0, price_factor=f) for f in (1.0, 0.5)]
        assert calls[1] / calls[0] == pytest.approx(ratio, rel=1e-6)


def test_adopting_share_is_the_tail_of_the_value_distribution():
    assert adopting_frac(0.7, 1.0, 1.5) == pytest.approx(lognorm(1.5).sf(0.7))


def test_extensive_elasticity_is_the_derivative_of_the_adopting_share():
    price, integration, step = 0.8, 0.3, 1e-6
    up = adopting_frac(price * (1 + step) + integration, 1.0, 1.2)
    down = adopting_frac(price * (1 - step) + integration, 1.0, 1.2)
    numeric = (np.log(up) - np.log(down)) / (np.log(1 + step) - np.log(1 - step))
    assert extensive_elasticity(price, integration, 1.0, 1.2) == pytest.approx(numeric, rel=1e-6)


def test_extensive_elasticity_fades_as_price_falls():
    prices = np.geomspace(100, 1e-4, 30)
    size = -extensive_elasticity(prices, 0.0, 1.0, 1.5)
    assert np.all(np.diff(size) < 0)
    assert size[0] > 1 > size[-1]


def test_bass_step_solves_its_differential_equation():
    p, q, share = 0.03, 0.5, 0.1
    solution = solve_ivp(lambda _, f: (p + q * f) * (1 - f), (0, 1), [share], rtol=1e-10, atol=1e-12)
    assert bass_step(share, p, q) == pytest.approx(solution.y[0, -1], rel=1e-6)


def test_without_diffusion_nobody_adopts():
    assert bass_step(0.2, 0.0, 0.0) == 0.2


def test_price_moves_part_of_the_way_in_logarithms():
    assert next_price(4.0, 1.0, 0.5) == pytest.approx(2.0)
    assert next_price(4.0, 1.0, 0.0) == pytest.approx(1.0)


def test_growth_at_a_constant_price_is_no_elasticity():
    faster = {"calls_growth": np.array([3.0]), "tokens_growth": np.array([4.0]), "adopted_frac": np.array([0.01])}
    path = market_path(inputs(**faster))
    assert np.allclose(path.price_index, 1.0)
    assert path.tokens_per_d[0, -1] / path.tokens_per_d[0, 0] > 100
    elasticity = path.elasticity_extensive + path.elasticity_intensive
    assert np.allclose(elasticity, elasticity[:, :1])


def test_halving_cost_raises_or_lowers_compute_by_the_elasticity():
    for spread, rises in ((0.6, True), (4.0, False)):
        price = np.array([[0.0, 0.0, 1e-3]])
        cost = np.repeat((price / 2)[:, :, None], 40, axis=2)
        common = {
            "quarters": 40, "value_cur": np.array([0.05]), "value_sigma": np.array([spread]), "price_inertia": 0.0,
            "bass_q": np.array([1.0]), "elasticity": np.array([-0.1]), "list_price_cur_per_tok": price,
            "adopted_frac": np.array([0.001]),
        }  # fmt: skip
        slow = market_path(inputs(unit_cost_cur_per_tok=cost, **common))
        quick = market_path(inputs(unit_cost_cur_per_tok=cost / 2, **common))
        ratio = quick.calls_per_d[0, -1] / slow.calls_per_d[0, -1]
        assert bool(ratio / 2 > 1) is rises


def test_adopters_follow_a_larger_potential_only_with_time():
    cheap = np.repeat(np.array([[[1e-7], [1e-8], [4e-7]]]), 12, axis=2)
    path = market_path(inputs(unit_cost_cur_per_tok=cheap, price_inertia=0.0, value_cur=np.array([0.005])))
    jump = path.potential_frac[0, 1] / path.potential_frac[0, 0]
    assert jump > 1.3
    assert path.adopters[0, 1] / path.adopters[0, 0] < jump


def test_scarcity_keeps_adopters_away_a_quarter_later():
    scarce = np.ones((1, 12))
    scarce[0, 3] = 3.0
    free, held = market_path(inputs()), market_path(inputs(scarcity=scarce))
    assert held.potential_frac[0, 3] == free.potential_frac[0, 3]
    assert held.potential_frac[0, 4] < free.potential_frac[0, 4]


def test_blocks_sum_to_demand_and_fall_in_value():
    price, calls = np.full((2, 3), 0.02), np.array([[1.0, 2, 3], [4, 5, 6]])
    value, size = demand_blocks(price, calls, -1.11)
    assert np.allclose(size.sum(axis=2), calls)
    assert np.all(np.diff(value, axis=2) < 0)
    assert np.all(value >= price[:, :, None])


def test_blocks_follow_the_constant_elasticity():
    _, size = demand_blocks(np.ones((1, 1)), np.ones((1, 1)), -2.0)
    above_double = size[0, 0, :2].sum()
    assert above_double == pytest.approx(2.0**-2)


def test_blocks_refuse_a_rising_demand_curve():
    with pytest.raises(InputError, match="must be negative"):
        demand_blocks(np.ones((1, 1)), np.ones((1, 1)), 0.3)


@given(
    st.floats(0.1, 1e4),
    st.floats(1e-6, 10),
    st.floats(0, 1e5, allow_subnormal=False),
    st.floats(0, 1e4, allow_subnormal=False),
)
def test_calls_never_exceed_what_is_wanted_affordable_or_useful(wanted, price, wallet, attention):
    one = np.ones(1)
    held, cause = capped_calls(wanted * one, price * one, wallet * one, attention * one)
    assert held[0] <= wanted
    assert wallet == 0 or held[0] * price * 365.25 <= wallet * (1 + 1e-9)
    assert attention == 0 or held[0] <= attention
    assert (held[0] < wanted) == (cause[0] > 0)


def test_a_full_wallet_keeps_spending_constant_while_the_price_falls():
    path = market_path(inputs(wallet_cur_per_y=np.array([10.0]), price_inertia=0.8))
    per_adopter = path.market_calls_per_d / path.adopters
    assert np.all(path.capped == 1)
    assert per_adopter * path.call_price_cur * 365.25 == pytest.approx(10.0 * np.ones((1, 12)))
    assert np.all(path.elasticity_intensive == -1.0)


def test_attention_stops_calls_and_their_elasticity():
    held = inputs(attention_calls_per_d=np.array([20.0]), calls_growth=np.array([4.0]))
    path = market_path(held)
    assert path.capped[0, 0] == 0
    assert path.capped[0, -1] == 2
    assert (path.market_calls_per_d / path.adopters)[0, -1] == pytest.approx(20.0)
    assert path.elasticity_intensive[0, -1] == 0.0
    assert path.elasticity_intensive[0, 0] == -0.4


def test_where_attention_holds_efficiency_lowers_compute():
    cheap = inputs(attention_calls_per_d=np.array([10.0]), value_cur=np.array([1e3]), price_inertia=0.0)
    quick = cheap.replace(unit_cost_cur_per_tok=cheap.supply.unit_cost_cur_per_tok / 2)
    slow_calls, quick_calls = market_path(cheap).calls_per_d[0, -1], market_path(quick).calls_per_d[0, -1]
    assert quick_calls / slow_calls / 2 < 1
    free = inputs(elasticity=np.array([-1.8]), value_cur=np.array([1e3]), price_inertia=0.0)
    more = free.replace(unit_cost_cur_per_tok=free.supply.unit_cost_cur_per_tok / 2)
    assert market_path(more).calls_per_d[0, -1] / market_path(free).calls_per_d[0, -1] / 2 > 1


def test_no_limits_change_nothing():
    free, none = market_path(inputs()), market_path(inputs(wallet_cur_per_y=np.zeros(1)))
    assert np.array_equal(free.calls_per_d, none.calls_per_d)


def test_where_everybody_rents_nothing_is_learned():
    path = market_path(inputs(counts_tokens=np.array([False]), learning_exponent=0.1))
    assert path.learning == pytest.approx(np.ones(12))


def test_tokens_per_call_follow_the_price_where_they_are_chosen_and_never_at_a_constant_price():
    terms = {"depth_frac": np.full(1, 0.4), "depth_exponent": np.full(1, 0.25), "depth_most": np.full(1, 3.0)}
    still = market_path(inputs(price_inertia=1.0, tokens_growth=np.full(1, 2.0), **terms))
    assert still.depth == pytest.approx(np.ones((1, 12)))
    cheap = market_path(inputs(price_inertia=0.5, **terms))
    index = cheap.token_index[0]
    free = index ** (-1 / 0.75)
    assert cheap.depth[0] == pytest.approx(0.6 + 0.4 * 3 * free / np.sqrt(free**2 + 8))
    assert cheap.elasticity_depth[0, 0] == pytest.approx(-0.4 / 0.75 * 8 / 9)
    assert cheap.tokens_per_d[0] == pytest.approx(cheap.calls_per_d[0] * 1500 * cheap.depth[0])


def test_tokens_per_call_bend_towards_their_bound_on_both_sides_and_their_elasticity_is_the_slope():
    terms = {"depth_frac": np.full(1, 0.4), "depth_exponent": np.full(1, 0.25), "depth_most": np.full(1, 3.0)}
    index = np.array([[1e4], [2.0], [1.0], [0.5], [0.1], [1e-6]])
    depth, _, slope = chosen_depth(inputs(**terms), index[:, 0])
    assert depth[[0, 2, -1]] == pytest.approx([0.6 + 0.4 / 3, 1.0, 0.6 + 0.4 * 3], rel=1e-4)
    up, _, _ = chosen_depth(inputs(**terms), index[:, 0] * 1.0001)
    assert slope == pytest.approx(np.log(up / depth) / np.log(1.0001), abs=1e-3)
    fixed, _, flat = chosen_depth(inputs(**(terms | {"depth_most": np.ones(1)})), index[:, 0])
    assert fixed == pytest.approx(np.ones(6))
    assert flat == pytest.approx(np.zeros(6))


def test_a_renter_of_more_efficient_hours_buys_more_work_and_counts_it_in_hours():
    rented = {"counts_tokens": np.array([False]), "rent_index": np.ones(12), "value_sigma": np.full(1, 0.1),
              "value_cur": np.full(1, 100.0)}  # fmt: skip
    slow, quick = (market_path(inputs(work=np.full((1, 12), work), **rented)) for work in (1.0, 2.0))
    assert quick.calls_per_d == pytest.approx(slow.calls_per_d * 2 ** (0.4 - 1))


def test_at_standing_prices_growth_is_adoption_and_calls_alone():
    moving = inputs(price_inertia=0.3)
    still = market_path(moving, prices_stand=True)
    assert still.token_index == pytest.approx(np.ones((1, 12)))
    assert still.calls_per_d == pytest.approx(market_path(inputs(price_inertia=1.0)).calls_per_d)


def test_renters_who_may_call_instead_move_with_relative_cost_and_tokens_are_kept():
    two = {
        name: np.repeat(value, 2, axis=0) if getattr(value, "shape", (0,))[0] == 1 else value
        for name, value in inputs(price_inertia=1.0, quarters=6).flat().items()
    }
    two |= {"model": np.array([0, 1]), "counts_tokens": np.array([True, False]), "rent_index": np.ones(6),
            "tokens_per_call": np.array([[1000.0, 0.0, 500.0], [0.0, 0.0, 1.0]])}  # fmt: skip
    work = np.stack([np.ones(6), 2.0 ** (np.arange(6) / 4)])
    terms = {"renting": np.array([1]), "calling": np.array([0]), "start_frac": np.array([0.5]),
             "elasticity": np.array([-2.0]), "tokens_per_hour": np.array([30.0]), "inertia": 0.0}  # fmt: skip
    still = market_path(MarketInputs.of(**(two | {"work": work})))
    moved = market_path(MarketInputs.of(**(two | {"work": work, "switch": Switch(**terms)})))

    def tokens(path):
        return path.market_calls_per_d[0] * 1500 + path.market_calls_per_d[1] * 30 * work[1]

    odds = work[1] ** 2
    assert moved.switched[1] == pytest.approx(2 * odds / (1 + odds))
    assert moved.market_calls_per_d[1, 5] > still.market_calls_per_d[1, 5]
    assert tokens(moved) == pytest.approx(tokens(still))
