"""Rents in the plan: a glut and a shortage of different chips from one equation, and rents that answer demand."""

import numpy as np
import pytest

from jevons.study import load, plan
from places import TINY


def planned(**values):
    return plan(load(TINY).with_values({path.replace("__", "."): value for path, value in values.items()}), draws=0)


@pytest.fixture(scope="module")
def base():
    return planned()


def test_rents_clear_what_renters_want_against_what_stands(base):
    chain = base.chain
    assert chain.convergence.residual < 0.01
    assert chain.rents.price_cur_per_h == pytest.approx(chain.exchange.rent_index * 8.0, rel=0.02)
    assert np.all(chain.rents.let_frac < 1)
    assert chain.market.price_cur_per_tok[-1, 2] == pytest.approx(chain.exchange.rent_index * 8.0)


@pytest.mark.slow
def test_more_renters_pay_more_and_fewer_pay_less(base):
    segment = "market.segments.renters.adopters"
    many, few = planned(**{segment: 2000.0}), planned(**{segment: 20.0})
    assert np.all(many.chain.rents.price_cur_per_h > base.chain.rents.price_cur_per_h)
    assert np.all(few.chain.rents.price_cur_per_h < base.chain.rents.price_cur_per_h)
    cost = base.chain.setting.hour_cur[0] / 0.75
    assert many.chain.rents.cny_per_h[0, 0] > cost[0]
    assert few.chain.rents.cny_per_h[0, 0] < cost[0]


def test_a_chip_that_is_dear_for_what_it_does_earns_less_than_its_cost_while_another_is_scarce():
    calls = planned(**{"market.segments.renters.adopters": 620.0})
    over = calls.chain.rents.cny_per_h[:, 0] / (calls.chain.setting.hour_cur[:, 0] / 0.75)
    assert over[0] > 1 > over[1]
