"""Shadow prices carry units, belong to limits that bind, and agree with what one more of a limit brings."""

import numpy as np
import pytest

from jevons.expansion import solve
from jevons.study import load, plan
from jevons.study.plan.tables.shadow_prices import scarcity_rent, shadow_json, shadow_table
from places import TINY


@pytest.fixture(scope="module")
def result():
    return plan(load(TINY).with_values({"hardware.devices.h20.supply": 20.0, "hardware.devices.l20.supply": 10.0}))


def test_every_row_has_a_unit_and_something_to_say(result):
    table = shadow_table(result)
    assert table.name == "shadow_prices"
    assert [column.name for column in table.columns[:3]] == ["name", "unit", "2025q1"]
    assert table.rows
    assert set(table.column("unit")) <= {"¤/h", "k ¤", "¤/W", "¤"}
    assert all(any(abs(cell) > 1e-12 for cell in row[2:]) for row in table.rows)


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
