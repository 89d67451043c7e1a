"""Providers as a nested logit, and the choice between owning, renting and calling."""

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.market import (
    Offer,
    Rivalry,
    appeal_from_shares,
    bertrand_prices,
    break_even_tok_per_d,
    choice_share_frac,
    provider_path,
    shares,
    yearly_cost_cny,
)

NEST = np.array([0, 0, 0, 1, 1])
PRICE = np.array([4.0, 3.0, 5.0, 2.0, 1.8])
SHARE = np.array([0.25, 0.3, 0.1, 0.1, 0.05])
BUNDLE = np.array([1.0, 0.5, 0.5, 0.0, 0.0])


def rivalry(**changes):
    appeal = appeal_from_shares(SHARE, PRICE, NEST, BUNDLE, price_weight=0.5, nesting=0.6)
    base = {
        "names": ("a", "b", "c", "open 1", "open 2"), "nest": NEST, "appeal": appeal, "bundle_cny_per_mtok": BUNDLE,
        "price_weight": 0.5, "nesting": 0.6, "fringe": NEST == 1, "entry": 1.1,
    }  # fmt: skip
    return Rivalry(**(base | changes))


def test_appeal_reproduces_the_observed_shares():
    assert shares(rivalry(), PRICE)[0] == pytest.approx(SHARE)


def test_one_nest_without_similarity_is_the_plain_logit():
    plain = rivalry(nesting=1.0, appeal=np.array([1.0, 0.5, 0.0, -0.5, 0.2]))
    value = np.exp(plain.appeal + 0.5 * (BUNDLE - PRICE))
    assert shares(plain, PRICE)[0] == pytest.approx(value / (1 + value.sum()))


def test_no_provider_gains_by_changing_its_own_price():
    rivals = rivalry(fringe=np.zeros(5, bool))
    cost = np.array([1.0, 1.2, 0.9, 0.8, 0.7])
    price = bertrand_prices(rivals, cost)
    for i in range(5):
        own = (price[i] - cost[i]) * shares(rivals, price)[0][i]
        for factor in (0.9, 0.99, 1.01, 1.1):
            other = price.copy()
            other[i] *= factor
            assert (other[i] - cost[i]) * shares(rivals, other)[0][i] < own


def test_hosts_of_open_weights_sell_near_cost_and_a_bundle_earns_a_markup():
    cost = np.full(5, 1.0)
    price = bertrand_prices(rivalry(), cost)
    assert price[3:] == pytest.approx([1.1, 1.1])
    assert np.all(price[:3] > 2.0)
    richer = rivalry(bundle_cny_per_mtok=BUNDLE + np.array([2.0, 0, 0, 0, 0]))
    assert bertrand_prices(richer, cost)[0] > price[0]


def test_a_cut_is_matched_with_a_lag_but_not_below_cost():
    cost = np.full((5, 6), 1.5)
    cost[1, 1:] = 0.2
    path = provider_path(rivalry(), PRICE, cost, price_inertia=0.0, share_inertia=0.5, match_lag_quarters=2)
    alone = provider_path(rivalry(), PRICE, cost, price_inertia=0.0, share_inertia=0.5, match_frac=0.0)
    assert np.all(np.diff(path.price_cny_per_mtok) <= 1e-12)
    assert np.all(path.price_cny_per_mtok >= np.minimum(cost, PRICE[:, None]) - 1e-12)
    assert path.price_cny_per_mtok[0, 2] == pytest.approx(alone.price_cny_per_mtok[0, 2])
    assert path.price_cny_per_mtok[0, 3] < alone.price_cny_per_mtok[0, 3]
    assert path.share_frac.sum(axis=0) == pytest.approx(np.ones(6))


def test_shares_move_slowly():
    cost = np.full((5, 3), 0.3)
    quick = provider_path(rivalry(), PRICE, cost, price_inertia=0.5, share_inertia=0.0)
    slow = provider_path(rivalry(), PRICE, cost, price_inertia=0.5, share_inertia=0.9)
    moved = np.abs(quick.share_frac[:, 1] - quick.share_frac[:, 0])
    assert np.abs(slow.share_frac[:, 1] - slow.share_frac[:, 0]) == pytest.approx(0.1 * moved)


def test_shares_that_leave_nobody_out_are_refused():
    with pytest.raises(InputError, match="their sum below 1"):
        appeal_from_shares([0.6, 0.4], [1, 1], [0, 0], [0, 0], price_weight=1.0, nesting=1.0)


def box(**changes):
    # one million CNY over three years, against output at 16 CNY per million tokens
    terms = {
        "machine_cny_per_y": 1e6 / 3, "rent_cny_per_machine_h": 80.0, "machine_tok_per_d": 5e8, "api_cny_per_mtok": 16.0
    }  # fmt: skip
    return Offer(**(terms | changes))


def test_a_box_pays_only_from_tens_of_millions_of_tokens_a_day():
    assert break_even_tok_per_d(box()) == pytest.approx(57e6, rel=0.01)
    costs = yearly_cost_cny(np.array([56e6, 58e6]), box())
    assert costs[0, 0] > costs[2, 0]
    assert costs[0, 1] < costs[2, 1]


def test_a_small_buyer_owns_only_for_privacy():
    tokens = np.array([2e6])
    assert choice_share_frac(tokens, box())[2, 0] > 0.95
    assert choice_share_frac(tokens, box(privacy_cny_per_mtok=2000.0))[0, 0] > 0.9
    assert choice_share_frac(tokens, box()).sum(axis=0) == pytest.approx([1.0])


def test_a_box_too_small_never_breaks_even():
    assert break_even_tok_per_d(box(machine_tok_per_d=1e6)) is None


def test_terms_outside_their_range_are_named():
    with pytest.raises(InputError, match="machine_tok_per_d: 0: must be above 0"):
        box(machine_tok_per_d=0.0)
