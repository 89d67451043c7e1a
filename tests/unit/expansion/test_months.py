"""Plans decided by month and summed up in quarters."""

import numpy as np
import pytest

from jevons.expansion import in_months, solve, solve_in_months


def test_months_share_out_money_and_chips_and_discount_on(make_problem):
    problem = make_problem(quarters=2, discount=np.array([1.0, 0.97]), supply_devices=np.array([[30.0, 60.0]]))
    fine = in_months(problem)
    assert len(fine.quarters) == 6
    assert fine.terms.step_quarters == pytest.approx(1 / 3)
    assert fine.supply.supply_devices[0] == pytest.approx([10, 10, 10, 20, 20, 20])
    assert fine.money.budget_cur.reshape(2, 3).sum(axis=1) == pytest.approx(problem.money.budget_cur)
    assert fine.money.discount[[1, 4]] == pytest.approx(problem.money.discount)
    assert fine.money.discount[1:] / fine.money.discount[:-1] == pytest.approx(np.full(5, 0.97 ** (1 / 3)))


def test_without_discounting_or_scarcity_months_plan_as_quarters_do(make_problem):
    calls = 1000.0 * np.array([1.0, 1.2, 1.5, 1.8])[None, :, None] * np.ones(3)
    problem = make_problem(discount=np.ones(4), tail_quarters=4, retire_early=True, block_calls_per_d=calls)
    coarse, fine = solve(problem), solve_in_months(problem)
    # What only the time after the horizon needs, 10.8 devices, comes two months later and costs that much less to keep.
    later = (1.2 - 1.0) * 5400 / 100
    assert fine.objective_cur == pytest.approx(coarse.objective_cur + later * 100.0 * 2 / 3, rel=1e-9)
    assert fine.service.served_calls_per_d == pytest.approx(coarse.service.served_calls_per_d)
    assert fine.spending.device_capex_cur.sum() == pytest.approx(coarse.spending.device_capex_cur.sum())


def test_chips_that_come_in_thirds_are_installed_as_they_come(make_problem):
    problem = make_problem(quarters=2, supply_devices=np.array([[6.0, 0.0]]), discount=np.ones(2))
    plan = solve_in_months(problem)
    assert plan.fleet.ordered[0, 0] == pytest.approx([6, 0])
    assert plan.months.fleet.installed[0, 0] == pytest.approx([2, 4, 6, 6, 6, 6])
    assert plan.fleet.installed[0, 0] == pytest.approx([4, 6])
    assert plan.worth.binding[0][0] == "chip supply: dev0"


def test_what_leaves_within_a_quarter_is_counted_in_it(make_problem):
    problem = make_problem(
        quarters=2, blocks=1, block_calls_per_d=np.array([[[800.0], [0.0]]]), initial_devices=np.array([[8.0]]),
        supply_devices=np.zeros((1, 2)), retire_early=True,
    )  # fmt: skip
    plan = solve_in_months(problem)
    assert plan.fleet.retired_initial[0, 0] == pytest.approx([0, 8])
    assert plan.months.fleet.installed[0, 0] == pytest.approx([8, 8, 8, 0, 0, 0])
