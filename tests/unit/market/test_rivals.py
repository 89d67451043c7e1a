"""Providers as a nested logit, their prices and shares, and the choice between owning, renting and calling."""

import numpy as np
import pytest
from tests.unit.market.test_market import inputs

from jevons.errors import InputError
from jevons.market import (
    Offer,
    Rivalry,
    appeal_from_shares,
    best_prices,
    break_even_tok_per_d,
    choice_share_frac,
    market_path,
    own_growth,
    provider_tokens_per_d,
    rival_weights,
    shares,
    yearly_cost_cur,
)

OPEN = np.array([False, False, False, True, True])
PRICE = np.log(np.array([[4.0, 3.0, 5.0, 2.0, 1.8]]))
SHARE = np.array([[0.25, 0.4, 0.15, 0.15, 0.05]])
TASTE = {"price_weight": 1.8, "nesting": 0.6}


def test_appeal_reproduces_the_observed_shares():
    appeal = appeal_from_shares(SHARE, PRICE, OPEN, **TASTE)
    assert shares(appeal, PRICE, OPEN, **TASTE)[0] == pytest.approx(SHARE)


def test_a_provider_that_is_not_in_the_market_stays_out():
    held = np.array([[0.25, 0.0, 0.5, 0.25, 0.0]])
    found, within = shares(appeal_from_shares(held, PRICE, OPEN, **TASTE), PRICE + 1.0, OPEN, **TASTE)
    assert found == pytest.approx(held)
    assert within[0] == pytest.approx([1 / 3, 0, 2 / 3, 1, 0])


def test_one_nest_without_similarity_is_the_plain_logit():
    appeal = np.array([[1.0, 0.5, 0.0, -0.5, 0.2]])
    value = np.exp(appeal - 2.0 * PRICE)
    found, _ = shares(appeal, PRICE, OPEN, price_weight=2.0, nesting=1.0)
    assert found == pytest.approx(value / value.sum())


def test_a_small_provider_has_the_stated_elasticity():
    held = np.array([[0.495, 0.495, 1e-4, 0.0099, 0.0]])
    appeal = appeal_from_shares(held, PRICE, OPEN, **TASTE)
    dearer = PRICE.copy()
    dearer[0, 2] += 1e-4
    change = np.log(shares(appeal, dearer, OPEN, **TASTE)[0][0, 2] / held[0, 2]) / 1e-4
    assert change == pytest.approx(-TASTE["price_weight"] / TASTE["nesting"], rel=1e-3)


def equilibrium(cost, fringe):
    appeal = appeal_from_shares(SHARE, PRICE, OPEN, **TASTE)
    price = np.exp(PRICE)
    for _ in range(400):
        whole, within = shares(appeal, np.log(price), OPEN, **TASTE)
        price = price**0.7 * best_prices(cost, whole, within, fringe, least_elasticity=-1.25, entry=1.1, **TASTE) ** 0.3
    return appeal, price


def test_at_rest_no_provider_gains_by_changing_its_own_price():
    cost = np.array([[1.0, 1.2, 0.9, 0.8, 0.7]])
    appeal, price = equilibrium(cost, np.zeros(5, bool))

    def profit(i, prices):
        return (prices[0, i] - cost[0, i]) * shares(appeal, np.log(prices), OPEN, **TASTE)[0][0, i]

    for i in range(5):
        for factor in (0.9, 0.99, 1.01, 1.1):
            other = price.copy()
            other[0, i] *= factor
            assert profit(i, other) < profit(i, price)


def test_hosts_of_open_weights_sell_near_cost_and_bundles_above_it():
    _, price = equilibrium(np.ones((1, 5)), OPEN)
    assert price[0, 3:] == pytest.approx([1.1, 1.1])
    assert np.all(price[0, :3] > 1.4)


def rivals(quarters=12, **changes):
    base = {
        "names": ("firm", "rival", "open"), "open_weights": np.array([False, False, True]),
        "start_price": np.array([[8e-6, 8e-6, 6e-6]]), "cost_factor": np.array([1.0, 1.0, 1.0]),
        "start_share_frac": np.array([[0.3, 0.5, 0.2]]), "competes": np.array([True]),
        "bundle_frac": np.zeros((3, quarters)), "price_weight": 1.8, "nesting": 0.6, "least_elasticity": -1.25,
        "share_inertia": 0.5,
    }  # fmt: skip
    return Rivalry(**(base | changes))


def contested(cost=2e-6, quarters=12, **changes):
    unit = np.full((1, 3, quarters), cost)
    return inputs(unit_cost_cur_per_tok=unit, quarters=quarters, rivals=rivals(quarters, **changes))


def test_the_first_quarter_is_as_observed_and_shares_always_sum_to_one():
    path = market_path(contested())
    assert path.provider_share_frac[0, :, 0] == pytest.approx([0.3, 0.5, 0.2])
    assert path.provider_price_cur_per_tok[0, :, 0] == pytest.approx([8e-6, 8e-6, 6e-6])
    assert path.provider_share_frac.sum(axis=1) == pytest.approx(np.ones((1, 12)))
    assert path.tokens_per_d[0] == pytest.approx(path.market_tokens_per_d[0] * path.provider_share_frac[0, 0])


def test_list_prices_never_rise_and_cuts_are_matched_with_a_lag_but_not_below_cost():
    cheap = {"cost_factor": np.array([1.0, 0.2, 1.0]), "entry": 5.0}
    slow = market_path(contested(cost=5e-6, match_lag_quarters=3, **cheap)).provider_price_cur_per_tok[0]
    quick = market_path(contested(cost=5e-6, match_lag_quarters=1, **cheap)).provider_price_cur_per_tok[0]
    alone = market_path(contested(cost=5e-6, match_frac=0.0, **cheap)).provider_price_cur_per_tok[0]
    for path in (slow, quick, alone):
        assert np.all(np.diff(path, axis=1) <= 1e-18)
        assert np.all(path[0] >= 5e-6 * (1 - 1e-9))
    assert slow[0, 3] == pytest.approx(alone[0, 3])
    assert slow[0, 4] < alone[0, 4]
    assert quick[0, 2] < slow[0, 2]


def test_a_rival_that_becomes_cheaper_takes_share_and_slowly():
    cheap = np.array([1.0, 0.2, 1.0])
    slow = market_path(contested(cost_factor=cheap, match_frac=0.0, share_inertia=0.9)).provider_share_frac[0]
    quick = market_path(contested(cost_factor=cheap, match_frac=0.0, share_inertia=0.1)).provider_share_frac[0]
    assert slow[0, -1] < 0.3
    assert quick[0, 3] < slow[0, 3]


def test_the_market_grows_with_rivals_cuts_though_the_firm_cuts_nothing():
    own = {"match_frac": 0.0, "entry": 5.0}
    stand = market_path(contested(cost=8e-6, **own))
    cut = market_path(contested(cost=8e-6, cost_factor=np.array([1.0, 0.1, 1.0]), **own))
    assert cut.price_index[0] == pytest.approx(np.ones(12))
    assert cut.market_tokens_per_d[0, -1] > stand.market_tokens_per_d[0, -1]
    assert cut.tokens_per_d[0, -1] < stand.tokens_per_d[0, -1]


def test_a_bundle_that_grows_wins_share_from_open_weights():
    worth = np.zeros((3, 12))
    worth[0] = np.linspace(0.0, 1.0, 12)
    path = market_path(contested(bundle_frac=worth))
    plain = market_path(contested())
    assert path.provider_share_frac[0, 0, -1] > plain.provider_share_frac[0, 0, -1]
    assert path.provider_share_frac[0, 2, -1] < plain.provider_share_frac[0, 2, -1]


def test_growth_at_constant_prices_changes_no_share():
    stand = contested(cost=8e-6, entry=5.0)
    grown = stand.replace(calls_growth=np.array([3.0]), tokens_growth=np.array([4.0]))
    path = market_path(grown)
    assert path.provider_share_frac[0, :, -1] == pytest.approx([0.3, 0.5, 0.2])
    assert path.tokens_per_d[0, -1] > 50 * path.tokens_per_d[0, 0]


def test_faults_of_a_rivalry_are_named_together():
    with pytest.raises(InputError) as error:
        rivals(price_weight=-1.0, entry=0.5, start_share_frac=np.array([[0.5, 0.6, 0.2]]), match_lag_quarters=0)
    text = str(error.value)
    for part in ("price_weight: -1: must be above 0", "entry: 0.5: must be at least 1", "a row sums to 1.3", "lag"):
        assert part in text


def box(**changes):
    # one million CNY over three years, against output at 16 CNY per million tokens
    terms = {
        "machine_cur_per_y": 1e6 / 3, "rent_cur_per_machine_h": 80.0, "machine_tok_per_d": 5e8, "api_cur_per_mtok": 16.0
    }  # fmt: skip
    return Offer(**(terms | changes))


def test_a_box_pays_only_from_tens_of_millions_of_tokens_a_day():
    assert break_even_tok_per_d(box()) == pytest.approx(57e6, rel=0.01)
    costs = yearly_cost_cur(np.array([56e6, 58e6]), box())
    assert costs[0, 0] > costs[2, 0]
    assert costs[0, 1] < costs[2, 1]


def test_a_small_buyer_owns_only_for_privacy():
    tokens = np.array([2e6])
    assert choice_share_frac(tokens, box())[2, 0] > 0.95
    assert choice_share_frac(tokens, box(privacy_cur_per_mtok=2000.0))[0, 0] > 0.9
    assert choice_share_frac(tokens, box()).sum(axis=0) == pytest.approx([1.0])


def test_a_box_too_small_never_breaks_even():
    assert break_even_tok_per_d(box(machine_tok_per_d=1e6)) is None


def test_terms_outside_their_range_are_named():
    with pytest.raises(InputError, match="machine_tok_per_d: 0: must be above 0"):
        box(machine_tok_per_d=0.0)


def hosted(**changes):
    bundle = np.repeat(np.array([[0.4], [0.2], [0.0]]), 12, axis=1)
    hosts = {"bundle_frac": bundle, "inertia": np.array([0.85, 0.85, 0.3]), "open_models": np.array([True])}
    return market_path(contested(cost=1e-6, **(hosts | changes))).provider_price_cur_per_tok[0]


def test_nobody_who_follows_at_once_asks_more_for_open_weights_than_the_cheapest_host_and_the_worth_of_its_bundle():
    held, free = hosted(match_frac=1.0), hosted(match_frac=1.0, open_models=np.array([False]))
    assert np.all(held[0, 1:] <= held[2, 1:] * 1.4 * 1.06)  # but for the least step of a posted price
    assert np.all(held[1, 1:] <= held[2, 1:] * 1.2 * 1.06)
    assert held[0, -1] < 0.9 * free[0, -1]
    assert held[2, -1] == pytest.approx(1.1 * 1e-6, rel=0.1)


def test_a_slow_follower_of_hosts_closes_its_part_of_the_gap_each_quarter():
    slow, stays = hosted(match_frac=np.array([0.5, 0.0, 0.0])), hosted(match_frac=0.0)
    over = np.log(slow[0] / (1.4 * slow[2]))
    assert np.all(over[2:] > 0)
    assert over[-1] < 0.05
    assert np.all(slow[0, 1:] < stays[0, 1:])
    assert np.log(stays[0, -1] / (1.4 * stays[2, -1])) > 0.1


def test_hosts_draw_nobody_below_its_own_cost():
    held = hosted(match_frac=1.0, cost_factor=np.array([1.0, 3.0, 1.0]))
    assert held[1, -1] == pytest.approx(3e-6, rel=0.06)


def test_providers_with_steps_of_their_own_change_their_lists_at_different_times():
    path = hosted(match_frac=1.0, step_frac=np.array([0.4, 0.05, 0.05]))
    changes = np.diff(path, axis=1) < 0
    assert 0 < changes[0].sum() < changes[1].sum()
    cuts = 1 - path[0, 1:][changes[0]] / path[0, :-1][changes[0]]
    assert np.all(cuts > 0.4)


def test_a_surge_moves_tokens_between_rivals_and_leaves_the_country_and_the_firm_as_they_are():
    calm = contested()
    growth = own_growth(np.array([0.0, 0.8, 0.0]), 12)
    surging = contested(own_growth=growth)
    one, other = market_path(calm), market_path(surging)
    assert other.tokens_per_d == pytest.approx(one.tokens_per_d)
    before, after = (
        provider_tokens_per_d(path.provider_share_frac, path.market_tokens_per_d, given.rivals)
        for path, given in ((one, calm), (other, surging))
    )
    assert after[1, 2] / after[2, 2] == pytest.approx(before[1, 2] / before[2, 2] * np.exp(0.8))
    assert after[0] == pytest.approx(before[0])
    assert after.sum(axis=0) == pytest.approx(before.sum(axis=0))
    assert np.all(after[2, 1:] < before[2, 1:])


def test_a_surge_is_growth_apart_from_that_of_all_and_wanes_as_the_share_nears_one():
    volume = np.array([4.0, 3.0, 3.0])
    share = volume / volume.sum()

    def grown(surge):
        weights = rival_weights(np.array([surge, 0.0, 0.0]), volume, 12)
        assert weights[:, 0] == pytest.approx(1.0)
        moved = share[:, None] * weights
        return np.log(moved[0] / moved.sum(axis=0) / share[0])

    assert grown(0.05)[2] == pytest.approx(0.05, rel=0.1)
    assert grown(0.05)[8] == pytest.approx(0.05 * 2, rel=0.15)
    assert 0.4 < grown(1.0)[2] < 0.8
    assert grown(5.0)[2] < -np.log(share[0])


def test_a_surge_of_the_firm_takes_calls_from_rivals_and_shares_still_add_up():
    calm = market_path(contested())
    surging = market_path(contested(firm_odds=own_growth(np.array([1.0]), 12)[0]))
    before, after = calm.provider_share_frac[0], surging.provider_share_frac[0]
    assert after.sum(axis=0) == pytest.approx(1.0)
    assert after[:, 0] == pytest.approx(before[:, 0])
    odds = (after[0] / (1 - after[0])) / (before[0] / (1 - before[0]))
    assert odds[2] == pytest.approx(np.exp(1.0), rel=0.15)  # prices answer shares a little
    assert np.all(after[1:, 1:] < before[1:, 1:])
    assert surging.tokens_per_d[0, 4] > 1.5 * calm.tokens_per_d[0, 4]


def test_providers_follow_a_cut_as_far_as_each_does():
    cheap = {"cost_factor": np.array([1.0, 1.0, 0.2]), "entry": 5.0}
    path = market_path(contested(match_frac=np.array([0.2, 0.9, 0.5]), **cheap)).provider_price_cur_per_tok[0]
    assert path[1, 4] < path[0, 4]


def test_a_match_outside_of_its_range_is_named():
    with pytest.raises(InputError, match=r"match_frac: 1\.5"):
        contested(match_frac=np.array([0.2, 1.5, 0.5]))
