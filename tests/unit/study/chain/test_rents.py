"""Rents in the plan: a glut and a shortage of different chips from one equation, and rents that answer demand."""

import numpy as np
import pytest

from jevons.study import load, plan
from jevons.study.chain.rents import brought_frac
from jevons.study.scenario.shelf import shipped_file
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
    assert many.chain.rents.rent_cur_per_h[0, 0] > cost[0]
    assert few.chain.rents.rent_cur_per_h[0, 0] < cost[0]


def test_a_chip_that_is_dear_for_what_it_does_earns_less_than_its_cost_while_another_is_scarce():
    calls = planned(**{"market.segments.renters.adopters": 620.0})
    over = calls.chain.rents.rent_cur_per_h[:, 0] / (calls.chain.setting.hour_cur[:, 0] / 0.75)
    assert over[0] > 1 > over[1]


def test_a_firm_brings_to_renters_what_they_ask_for_and_what_it_brought_stays():
    free, wanted = np.array([100.0, 200.0, 200.0, 50.0]), np.array([12.0, 90.0, 30.0, 30.0])
    brought = brought_frac(free, wanted, 0.6) * free
    assert brought[:3] == pytest.approx([20.0, 150.0, 150.0])  # a glut stays where demand falls
    assert brought[3] == pytest.approx(50.0)  # never more than is free
    assert brought_frac(free, 10 * wanted, 0.6) == pytest.approx(1.0)


@pytest.mark.slow
def test_rents_of_a_date_are_alike_whoever_lets():
    """A firm that buys for itself does not let its machines for a fifth of what others get."""
    plans = [plan(load(shipped_file(name)), draws=0) for name in ("alibaba-380bn", "bytedance-160bn")]
    alibaba, bytedance = (
        p.chain.rents.rent_cur_per_h[list(p.scenario.hardware.devices).index("h20"), 2:4].mean() for p in plans
    )
    assert bytedance == pytest.approx(alibaba, rel=0.45)
