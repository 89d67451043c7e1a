"""What orders add: nothing where nothing is ordered, the rest of the cloud's value elsewhere, at unchanged prices."""

import numpy as np
import pytest

from jevons.expansion import solve, standing_devices
from jevons.study import load, plan
from jevons.study.chain.orders_value import orders_value_cur, without_orders
from jevons.study.draws.outcomes import OUTCOMES


@pytest.fixture(scope="module")
def result(edited):
    return plan(load(edited()), draws=0)


def test_without_orders_nothing_is_bought_and_the_reserve_fits_what_stands(result):
    problem = without_orders(result.chain.plan.problem)
    idle = solve(problem)
    assert idle.fleet.ordered.sum() == 0
    stands = np.einsum("v,vrt->t", problem.machines.device_flop_per_s, standing_devices(problem))
    assert (problem.training.training_flop_per_s <= stands).all()
    assert idle.service.served_calls_per_d.sum() < result.chain.plan.service.served_calls_per_d.sum()


def test_a_plan_that_orders_nothing_adds_nothing(edited):
    dear = plan(
        load(edited(("      supply: 400\n", "      supply: 0\n"), ("      supply: 200\n", "      supply: 0.001\n")))
    )
    assert dear.chain.plan.fleet.ordered.sum() < 0.01
    assert dear.orders_value_cur == pytest.approx(0.0, abs=1e-4 * abs(dear.chain.accounts.plan_value_cur) + 1e6)


def test_orders_add_the_difference_to_the_cloud_that_orders_nothing(result):
    assert result.chain.plan.fleet.ordered.sum() > 0
    assert result.orders_value_cur == orders_value_cur(result.chain)
    assert result.orders_value_cur != result.chain.accounts.plan_value_cur
    assert result.to_json()["value"]["orders_value"] == result.orders_value_cur
    assert "orders_value" in OUTCOMES


def test_orders_at_a_price_far_above_their_worth_destroy_value(edited):
    bound = "      supply: 400\n      committed: 50\n      price_growth: 0\n"
    dear = load(edited(("      supply: 400\n", bound))).with_values({"hardware.devices.h20.price": 1.2e6})
    forced = plan(dear, draws=0)
    assert forced.chain.plan.fleet.ordered[0].sum() > 0
    assert forced.orders_value_cur < 0
