"""What the figures of supply and value draw, on the small plan."""

from pathlib import Path

import numpy as np
import pytest

from jevons.plot import plan_figure
from jevons.study import load, plan
from jevons.study.curves import iso_grid, supply_stack, tornado

TINY = Path(__file__).parent / "tiny.yaml"


@pytest.fixture(scope="module")
def result():
    return plan(load(TINY), draws=8, processes=1)


def test_the_stack_holds_the_whole_fleet_cheapest_first(result):
    found = result.chain.plan
    steps = supply_stack(result, -1)
    peak = found.installed[:, :, -1].sum(axis=1) @ found.problem.device_flop_per_s
    assert sum(step.flop_per_s for step in steps) == pytest.approx(peak)
    costs = [step.running_cny for step in steps]
    assert costs == sorted(costs)
    assert all(step.rent_cny >= 0 for step in steps)


def test_growth_destroys_value_where_the_return_is_below_the_cost_of_capital(result):
    grid = iso_grid(result)
    tax = result.scenario.finance.tax.value
    roic = grid.margins[None, None, :] * (1 - tax) / grid.capitals[None, :, None]
    assert np.array_equal(grid.destroys, roic < grid.waccs[:, None, None])


def test_the_tornado_ranks_as_the_sensitivity_does(result):
    rows = tornado(result.draws, "value_per_ads_cny")
    assert [name for name, _, _ in rows] == [name for name, _ in result.draws.sensitivity("value_per_ads_cny", 10)]


@pytest.mark.parametrize("name", ["supply", "fan", "iso_price", "tornado"])
def test_figures_are_drawn(result, name):
    figure = plan_figure(result, name)
    assert all(axis.has_data() for axis in figure.axes) or name == "tornado"
