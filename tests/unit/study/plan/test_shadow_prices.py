"""Shadow prices carry units, belong to limits that bind, and agree with what one more of a limit brings."""

import numpy as np
import pytest

from jevons.expansion import solve
from jevons.market import PRICE_LEVELS
from jevons.market.blocks import LOWER_LEVELS
from jevons.study import load, plan
from jevons.study.plan.tables.shadow_prices import scarcity_rent, shadow_json, shadow_table
from places import MAIN, TINY


@pytest.fixture(scope="module")
def result():
    return plan(load(TINY).with_values({"hardware.devices.h20.supply": 20.0, "hardware.devices.l20.supply": 10.0}))


def test_every_row_has_a_unit_and_something_to_say(result):
    table = shadow_table(result)
    assert table.name == "shadow_prices"
    assert [column.name for column in table.columns[:3]] == ["name", "unit", "2025q1"]
    assert table.rows
    assert set(table.column("unit")) <= {"¤/h", "k ¤", "¤/W", "¤"}
    assert all(any(abs(cell or 0.0) > 1e-12 for cell in row[2:]) for row in table.rows)


def test_one_more_device_on_sale_is_worth_its_shadow_price(result):
    held = result.chain.plan
    v, t = np.unravel_index(int(held.worth.supply_dual_cur.argmax()), held.worth.supply_dual_cur.shape)
    more = held.problem.supply.supply_devices.copy()
    more[v, t] += 0.01
    again = solve(held.problem.replace(supply_devices=more))
    gained = (again.objective_cur - held.objective_cur) / 0.01
    assert gained == pytest.approx(held.worth.supply_dual_cur[v, t], rel=1e-3)
    assert shadow_json(result)["supply_per_device"][held.problem.devices[v]][t] == held.worth.supply_dual_cur[v, t]


def test_an_hour_has_a_rent_only_where_nearly_all_hours_are_taken(result):
    held = result.chain.plan
    assert scarcity_rent(result).max() > 0
    assert (held.service.utilisation_frac[scarcity_rent(result).max(axis=0) > 1e-6] > 0.3).all()


@pytest.fixture(scope="module")
def main():
    return plan(load(MAIN), draws=0)


def _uses(result):
    said, names = shadow_json(result), result.chain.plan.problem.devices
    return [np.array([said[use][name] for name in names]) for use in ("rent_let", "rent_in_calls", "rent_in_training")]


@pytest.mark.parametrize("name", ["result", pytest.param("main", marks=pytest.mark.slow)])
def test_an_hour_is_worth_the_best_of_its_uses(name, request):
    """Nothing makes an hour worth more than its best use does, but for one step of the demand curve."""
    planned = request.getfixturevalue(name)
    stands = planned.chain.plan.fleet.installed.sum(axis=1) > 1
    worth, best = scarcity_rent(planned)[stands], np.max(_uses(planned), axis=0)[stands]
    assert worth.max() > 0
    assert (worth <= best * PRICE_LEVELS[1] + 1e-6).all()


@pytest.mark.slow
def test_rents_worth_and_scarcity_agree_within_the_stated_wedge(main):
    chain, scenario = main.chain, main.scenario
    let, called, trained = _uses(main)
    rent, worth = chain.rents.rent_cur_per_h, scarcity_rent(main)
    in_market = rent > 0
    caps = chain.plan.problem.demand.utilisation_cap_frac[~chain.inputs.use.counts_tokens]
    most = scenario.market.cloud_premium.value * caps.max()
    assert (let[in_market] <= rent[in_market] * most * 1.02).all()
    assert (let[in_market] >= rent[in_market]).all()
    idle = chain.plan.service.utilisation_frac < 1e-6
    assert not idle.any()
    assert (worth[in_market] >= let[in_market] * LOWER_LEVELS[-1]).all()
    beyond = in_market & (worth > let * PRICE_LEVELS[1])
    assert beyond.any()
    assert (np.maximum(called, trained)[beyond] > let[beyond]).all()


@pytest.mark.slow
def test_the_reserve_costs_what_its_hours_would_gain_elsewhere(main):
    """Every kind held for own training in part is worth to it what it is worth elsewhere."""
    held = main.chain.plan
    trains = held.fleet.training_devices.sum(axis=1)
    part = (trains > 1) & (trains < held.fleet.installed.sum(axis=1) * 0.999)
    assert part.any()
    trained = _uses(main)[2]
    assert trained[part] == pytest.approx(scarcity_rent(main)[part], rel=0.03)
    assert all("training reserve" in names for names in held.worth.binding)
