"""Posted prices: the steps in which they move, and prices announced before their date."""

import numpy as np
import pytest
from tests.unit.market.test_market import inputs
from tests.unit.market.test_rivals import contested

from jevons.market import Announcements, market_path, posted_price

CHEAP = {"unit_cost_cur_per_tok": np.repeat(np.array([[[2e-7], [5e-8], [8e-7]]]), 12, axis=2), "price_inertia": 0.9}


def told(quarter, *price, model=0):
    return Announcements(np.array([model]), np.array([quarter]), np.array([price]) * 1e-6)


def test_a_price_moves_only_by_more_than_a_step():
    assert posted_price([10.0, 10.0, 10.0], [9.6, 9.4, 10.6], 0.05).tolist() == [10.0, 9.4, 10.6]
    assert posted_price(10.0, 9.99, 0.0) == 9.99


def test_without_a_step_every_change_is_posted():
    index = market_path(inputs(**CHEAP)).price_index[0]
    assert index == pytest.approx(0.1 ** (1 - 0.9 ** np.arange(12)))


def test_a_posted_price_stands_until_the_wanted_one_is_a_step_away():
    smooth = market_path(inputs(**CHEAP)).price_index[0]
    posted = market_path(inputs(price_step_frac=0.4, **CHEAP)).price_index[0]
    moved = np.flatnonzero(np.diff(posted)) + 1
    assert 0 < moved.size < 6
    assert posted[moved] == pytest.approx(smooth[moved])
    assert np.all(posted[moved] < 0.6 * posted[moved - 1])
    assert np.all(smooth >= posted * 0.6)


def test_callers_see_the_posted_price_and_not_the_wanted_one():
    smooth, posted = market_path(inputs(**CHEAP)), market_path(inputs(price_step_frac=0.4, **CHEAP))
    assert posted.call_price_cur[0] == pytest.approx(posted.call_price_cur[0, 0] * posted.price_index[0])
    assert posted.calls_per_d[0, 1] < smooth.calls_per_d[0, 1]


def test_an_announced_price_is_posted_by_kind_from_its_quarter_on_whatever_cost_is():
    path = market_path(inputs(announced=told(4, 3.0, 0.5, 13.0), price_step_frac=0.05))
    assert path.price_cur_per_tok[0, :, 3] == pytest.approx([4e-6, 1e-6, 16e-6])
    assert path.price_cur_per_tok[0, :, 4] == pytest.approx([3e-6, 0.5e-6, 13e-6])
    # unit cost times the markup is the price at the start: competition calls for no cut below it
    assert path.price_cur_per_tok[0, :, -1] == pytest.approx([3e-6, 0.5e-6, 13e-6])


def test_after_an_announced_price_competition_goes_on_from_there():
    path = market_path(inputs(announced=told(4, 8.0, 2.0, 32.0), price_step_frac=0.05, **CHEAP))
    index = path.price_index[0]
    assert index[4] == pytest.approx(2.0)
    assert index[5] == pytest.approx(0.1 * 20**0.9)
    assert path.price_cur_per_tok[0, :, 5] == pytest.approx(np.array([8e-6, 2e-6, 32e-6]) * index[5] / 2)


def test_a_segment_pays_the_announced_price_of_its_own_mix_of_tokens():
    two = {
        name: np.repeat(inputs().field(name), 2)
        for name in (
            "adopters", "value_cur", "value_sigma", "calls_per_d", "calls_growth", "tokens_growth", "bass_p", "bass_q",
            "integration_cur_per_y", "adopted_frac", "elasticity", "share_frac", "counts_tokens", "model",
        )
    }  # fmt: skip
    mixes = np.array([[1000.0, 0.0, 0.0], [0.0, 0.0, 1000.0]])
    path = market_path(
        inputs(**two, tokens_per_call=mixes, scarcity=np.ones((2, 12)), announced=told(2, 1.0, 1.0, 16.0))
    )
    assert path.call_price_cur[:, 2] == pytest.approx([1e-3, 16e-3])
    assert path.calls_per_d[0, 2] > path.calls_per_d[0, 1] * 1.5
    assert path.elasticity_intensive[1, 2] == path.elasticity_intensive[1, 1]


class TestRivals:
    """The firm, a rival and a host of open weights at 8, 8 and 6 CNY per million tokens."""

    def path(self, announced=None, step=0.0, **changes):
        held = contested(quarters=12, **changes)
        return market_path(held.replace(announced=announced, price_step_frac=step))

    def test_every_provider_posts_in_steps(self):
        price = self.path(step=0.3).provider_price_cur_per_tok[0]
        change = price[:, 1:] / price[:, :-1]
        assert np.all((change == 1) | (change < 0.7))
        assert np.all((change < 0.7).any(axis=1))

    def test_an_announced_cut_is_matched_by_rivals_after_the_lag(self):
        dear = {"cost": 6.5e-6, "entry": 5.0, "cost_factor": np.array([1.0, 0.4, 0.4]), "match_lag_quarters": 2}
        alone, matched = (
            self.path(told(3, 3.0, 3.0, 3.0), match_frac=match, **dear).provider_price_cur_per_tok[0]
            for match in (0.0, 1.0)
        )
        assert matched[0, 3:] == pytest.approx(3e-6)
        assert matched[1, 4] == pytest.approx(alone[1, 4])
        assert matched[1, 5] == pytest.approx(3e-6)
        assert alone[1, 5] > 5e-6

    def test_an_announced_rise_is_not_undone_by_cuts_that_were_known_before(self):
        cheap = {"cost": 5e-6, "entry": 5.0, "cost_factor": np.array([1.0, 0.2, 1.0]), "match_frac": 0.5}
        still = self.path(**cheap).provider_price_cur_per_tok[0]
        risen = self.path(told(6, 9.0, 9.0, 9.0), **cheap).provider_price_cur_per_tok[0]
        assert still[0, 7] == pytest.approx(8e-6 * (still[1, 6] / 8e-6) ** 0.5)
        assert risen[0, 6] == pytest.approx(9e-6)
        assert risen[0, 7] > 8.5e-6
        assert np.all(np.diff(risen[0, 6:]) <= 1e-18)

    def test_a_rise_costs_share(self):
        rise = self.path(told(4, 12.0, 12.0, 12.0), cost=6e-6)
        assert rise.provider_share_frac[0, 0, 4] < self.path(cost=6e-6).provider_share_frac[0, 0, 4]
