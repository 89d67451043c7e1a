"""Own, rent or call as a nested logit: it opens at the stated shares, and moves with price, scale and privacy."""

import dataclasses

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.market import NestedChoice, Offer
from jevons.market.switching import Switching
from jevons.market.types import Switch


def choice(**changes):
    terms = {
        "sizes_tok_per_d": np.array([2e6, 2e7, 2e8]), "weights": np.array([0.2, 0.5, 0.3]), "growth": np.ones(8),
        "offer": Offer(
            machine_cur_per_y=600_000.0, rent_cur_per_machine_h=64.0, machine_tok_per_d=2e7, api_cur_per_mtok=60.0,
            privacy_cur_per_mtok=5.0,
        ),
        "machine_index": np.ones(8), "start_frac": np.array([0.15, 0.6, 0.25]), "elasticity": -1.0,
        "nest_elasticity": -3.0,
    }  # fmt: skip
    return NestedChoice(**(terms | changes))


def shares(one, t=0, **at):
    prices = {"rent_index": 1.0, "call_index": 1.0, "work": 1.0} | at
    return one.share_frac(t, one.appeal(), **prices)


def test_it_opens_at_the_stated_shares():
    assert shares(choice()) == pytest.approx([0.15, 0.6, 0.25], abs=1e-6)


def test_dearer_rents_move_users_to_owned_machines_first_and_to_calls_second():
    own, rent, api = shares(choice(), rent_index=1.2) - shares(choice())
    assert rent < 0 < api
    assert own / 0.15 > api / 0.25


def test_within_the_nest_odds_follow_cost_by_the_nests_elasticity():
    one = choice(sizes_tok_per_d=np.full(3, 2e8), offer=dataclasses.replace(choice().offer, privacy_cur_per_mtok=0.0))
    own, rent, _ = shares(one, rent_index=1.5)
    assert own / rent == pytest.approx(0.15 / 0.6 * 1.5**3, rel=1e-4)


def test_a_cheaper_call_draws_from_machines_of_both_kinds_alike():
    own, rent, api = shares(choice(elasticity=-2.0), call_index=0.5)
    assert api > 0.25
    assert own / rent == pytest.approx(0.15 / 0.6, rel=0.1)


def test_more_work_of_a_machine_helps_those_who_need_several():
    small, large = (choice(sizes_tok_per_d=np.full(3, size)) for size in (2e6, 2e8))
    assert shares(large, work=4.0)[2] < shares(large)[2]
    assert shares(small, work=4.0) == pytest.approx(shares(small), abs=1e-6)  # one machine was idle already


def test_growth_fills_machines_and_takes_from_calls():
    growing = choice(sizes_tok_per_d=np.full(3, 2e6), growth=np.linspace(1.0, 10.0, 8))
    assert shares(growing, 7)[2] < shares(growing)[2]


def test_dearer_machines_to_own_are_rented():
    own, rent, _ = shares(choice(machine_index=np.full(8, 1.5)), 0)
    assert own == pytest.approx(0.15)  # the start is as stated at the start's own prices
    later = choice(machine_index=np.linspace(1.0, 1.5, 8))
    assert shares(later, 7)[0] < own
    assert shares(later, 7)[1] > rent


def test_privacy_keeps_users_from_calling_when_calls_get_cheaper():
    def called(privacy):
        return shares(choice(offer=dataclasses.replace(choice().offer, privacy_cur_per_mtok=privacy)), call_index=0.3)

    assert called(500.0)[2] < called(0.0)[2]


def test_where_nothing_answers_shares_stay():
    still = choice(elasticity=0.0, nest_elasticity=0.0)
    assert shares(still, rent_index=3.0, call_index=0.2) == pytest.approx([0.15, 0.6, 0.25])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start_frac": np.array([0.0, 0.6, 0.4])}, "three shares above 0"),
        ({"start_frac": np.array([0.2, 0.6, 0.4])}, "sum to 1.2: must be 1"),
        ({"nest_elasticity": -0.5}, "at most the elasticity around the nest, -1"),
        ({"elasticity": 0.5}, "at most the elasticity"),
    ],
)
def test_choices_that_cannot_be_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        choice(**change)


@pytest.mark.parametrize("rent", [0.05, 1.0, 20.0])
@pytest.mark.parametrize("call", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("calls", [1e2, 1e6, 1e12])
def test_no_price_makes_hours_or_calls_negative_and_no_token_is_made_up(rent, call, calls):
    one = choice(start_frac=np.array([0.28, 0.7, 0.02]), elasticity=-2.0, nest_elasticity=-4.0)
    told = Switch(
        renting=np.array([0]), calling=np.array([1]), start_frac=np.array([0.7]), elasticity=np.array([-2.0]),
        tokens_per_hour=np.array([1e5]), inertia=0.0, choices=(one,),
    )  # fmt: skip
    hours, size = 1e5, 100.0
    factors = Switching(told).step(
        1, np.array([rent, call]), np.array([hours, calls]), np.array([1.0, size]), np.ones(2)
    )
    assert (factors > 0).all()
    tokens = hours * 1e5 * factors[0] + calls * size * factors[1]
    most = hours * 1e5 * (1 + 0.28 / 0.7) + calls * size  # all that stood on own machines may come
    assert tokens <= most * (1 + 1e-9)
