"""What the figures of supply and value draw, on the small plan."""

import numpy as np
import pytest

from jevons.plot import plan_figure
from jevons.study import load, plan
from jevons.study.draws.run import Draws
from jevons.study.draws.summary import chance_size, interval_text, probabilities, ranked
from jevons.study.plan.curves import fans, iso_grid, supply_stack, tornado
from places import TINY


@pytest.fixture(scope="module")
def result():
    return plan(load(TINY), draws=8, processes=1)


def test_the_stack_holds_the_whole_fleet_cheapest_first(result):
    found = result.chain.plan
    steps = supply_stack(result, -1)
    peak = found.fleet.installed[:, :, -1].sum(axis=1) @ found.problem.machines.device_flop_per_s
    assert sum(step.flop_per_s for step in steps) == pytest.approx(peak)
    costs = [step.running_cur for step in steps]
    assert costs == sorted(costs)
    assert all(step.rent_cur >= 0 for step in steps)


@pytest.mark.slow
def test_growth_destroys_value_where_the_return_is_below_the_cost_of_capital(result):
    grid = iso_grid(result)
    tax = result.scenario.finance.tax.value
    roic = grid.margins[None, None, :] * (1 - tax) / grid.capitals[None, :, None]
    assert np.array_equal(grid.destroys, roic < grid.waccs[:, None, None])


def noisy(draws, inputs, seed=3):
    """Draws of one input that moves the outcome, one that moves it a little, and many that do not."""
    rng = np.random.default_rng(seed)
    values = rng.random((draws, inputs))
    outcome = 3.0 * values[:, 0] - 1.0 * values[:, 1] + 0.1 * rng.random(draws)
    names = tuple(f"finance.a{i}" for i in range(inputs))
    return Draws(names=names, values=values, outcomes={"value_per_share": outcome}, infeasible=0)


def test_inputs_without_effect_are_left_out_however_many_there_are():
    draws = noisy(120, 300)
    alone = [name for name, _ in draws.sensitivity("value_per_share", 300)]
    assert len(alone) > 10  # the bound for a single input lets one in twenty through
    assert [name for name, _ in ranked(draws, "value_per_share", 300)] == ["finance.a0"]
    assert chance_size(draws) == pytest.approx(3.76 / 119**0.5, abs=0.005)
    assert {name for name, _ in ranked(noisy(4000, 300), "value_per_share")} == {"finance.a0", "finance.a1"}


def test_no_draw_of_a_few_is_no_certainty():
    low = np.full(12, 0.7)
    outcomes = {"compute_factor": low, "settled_compute_factor": low, "orders_value": np.ones(12), "elasticity": -low}
    few = Draws(names=("a",), values=np.zeros((12, 1)), outcomes=outcomes, infeasible=0)
    found = probabilities(few)
    assert (found["jevons"]["p"], found["value_created"]["p"]) == (0.0, 1.0)
    assert found["jevons"]["standard_error"] == pytest.approx(found["value_created"]["standard_error"])
    assert 0.04 < found["jevons"]["standard_error"] < 0.06
    assert found["elastic"]["p"] == 0.0


def test_the_tornado_is_widest_first():
    rows = tornado(noisy(4000, 20), "value_per_share")
    assert [swing.path for swing in rows if swing.told_from_chance] == ["finance.a0", "finance.a1"]
    assert rows[0].high - rows[0].low == pytest.approx(3.0 * 0.8, abs=0.1)
    assert rows[1].high - rows[1].low == pytest.approx(-1.0 * 0.8, abs=0.1)


def test_the_central_path_lies_beside_the_draws(result):
    tokens = fans(result.draws, result, result.facts)[0]
    assert tokens.central * 1e12 == pytest.approx(result.tokens_per_d.sum(axis=0))


@pytest.mark.slow
def test_the_surface_is_solved_between_the_field_that_needs_no_growth_and_the_one_that_none_saves(result):
    grid = iso_grid(result)
    assert not (grid.worth_anyway & np.isfinite(grid.growth_frac)).any()
    below = grid.capitals[None, :, None] < grid.even_capital[:, None, :]
    on_the_line = np.isclose(grid.capitals[None, :, None], grid.even_capital[:, None, :])
    assert (grid.destroys == (~below & ~on_the_line))[~on_the_line].all()


@pytest.mark.parametrize("name", ["supply", "fan", pytest.param("iso_price", marks=pytest.mark.slow), "tornado"])
def test_figures_are_drawn(result, name):
    figure = plan_figure(result, name)
    assert all(axis.has_data() for axis in figure.axes) or name == "tornado"


def test_an_interval_in_words_names_a_unit_only_where_it_is_scaled() -> None:
    outcomes = {"value_per_share": np.linspace(900.0, 1000.0, 11), "orders_value": np.linspace(-1e9, 9e9, 11)}
    draws = Draws(names=(), values=np.zeros((11, 0)), outcomes=outcomes, infeasible=0)
    assert interval_text(draws, "value_per_share") == "10 to 90 %: 910 to 990"
    assert interval_text(draws, "orders_value") == "10 to 90 %: 0.00 to 8.00 bn ¤"
