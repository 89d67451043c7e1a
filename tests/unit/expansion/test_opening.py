"""What was paid for before the start and is still to arrive, and orders that contracts bind the firm to."""

import numpy as np
import pytest

from jevons.errors import InfeasibleError, InputError
from jevons.expansion import DAYS_PER_QUARTER, export_regimes, solve, solve_in_months

ARRIVING = np.array([[[0.0, 6.0, 0.0, 0.0]]])


def coming(make_problem, **changes):
    """800 calls a day, two devices that stand and six that arrive in the second quarter; nothing on sale."""
    fields = {
        "blocks": 1, "block_calls_per_d": np.full((1, 4, 1), 800.0), "initial_devices": np.array([[2.0]]),
        "supply_devices": np.zeros((1, 4)), "arriving_devices": ARRIVING, "discount": np.ones(4),
    }  # fmt: skip
    return make_problem(**(fields | changes))


def test_devices_on_their_way_serve_from_their_arrival_and_cost_the_plan_no_money(make_problem):
    plan = solve(coming(make_problem))
    assert plan.fleet.installed[0, 0] == pytest.approx([2, 8, 8, 8])
    assert plan.service.served_calls_per_d[0, :, 0] == pytest.approx([200, 800, 800, 800])
    assert plan.spending.device_capex_cur.sum() == 0
    assert plan.fleet.vintage.sum() == 0
    # by hand: 3 CNY a call, 0.5 CNY a busy hour, 100 CNY a quarter to keep a device
    calls = 3.0 * (200 + 3 * 800) - 0.5 * 24 * (2 + 3 * 8)
    solved = plan.objective_cur
    stuck = solve(coming(make_problem, arriving_devices=None, initial_devices=np.array([[8.0]])))
    assert solved < stuck.objective_cur
    assert solved == pytest.approx(DAYS_PER_QUARTER * calls)


def test_arrivals_draw_power_only_once_they_are_there(make_problem):
    tight = {"initial_site_w": np.array([4000.0]), "site_limit_w": np.full((1, 4), 8000.0)}
    grown = solve(coming(make_problem, site_build_w_per_quarter=np.array([4000.0]), **tight))
    assert grown.fleet.site_w[0] == pytest.approx([4000, 8000, 8000, 8000])
    with pytest.raises(InfeasibleError, match="devices that stand at site0 in 2025-Q2 draw 0.004 MW more"):
        solve(coming(make_problem, **tight))


def test_arrivals_leave_early_at_an_anniversary_only(make_problem):
    calls = np.array([800.0] * 3 + [0.0] * 5)[None, :, None]
    arriving = np.zeros((1, 1, 8))
    arriving[0, 0, 1] = 6.0
    plan = solve(
        make_problem(
            quarters=8, blocks=1, block_calls_per_d=calls, supply_devices=np.zeros((1, 8)), retire_early=True,
            arriving_devices=arriving, discount=np.ones(8),
        )
    )  # fmt: skip
    assert plan.fleet.installed[0, 0] == pytest.approx([0, 6, 6, 6, 6, 0, 0, 0])
    assert plan.fleet.retired_arriving[0, 0, 1, 5] == pytest.approx(6)
    assert plan.retired_early == pytest.approx([0, 0, 0, 0, 0, 6, 0, 0])


@pytest.mark.parametrize("foresight", ["perfect", "rolling", "myopic"])
def test_every_planner_counts_on_what_is_on_its_way(make_problem, foresight):
    on_sale = coming(make_problem, supply_devices=np.full((1, 4), 100.0), tail_quarters=2, retire_early=True)
    plan = solve(on_sale, foresight=foresight, window_quarters=2)
    assert plan.fleet.ordered[0, 0, 1:].sum() == pytest.approx(0, abs=1e-9)
    assert (plan.fleet.installed[0, 0] >= np.array([2, 8, 8, 8]) - 1e-9).all()


def test_months_bring_arrivals_in_thirds(make_problem):
    plan = solve_in_months(coming(make_problem))
    assert plan.months.fleet.installed[0, 0, 2:7] == pytest.approx([2, 4, 6, 8, 8])
    assert plan.fleet.installed[0, 0] == pytest.approx([2, 6, 8, 8])


def test_commitments_are_ordered_though_nobody_calls(make_problem):
    nobody = np.zeros((1, 4, 3))
    free = make_problem(block_calls_per_d=nobody)
    assert solve(free).fleet.ordered.sum() == pytest.approx(0, abs=1e-9)
    bound = free.replace(committed_devices=np.array([[5.0, 5.0, 0.0, 0.0]]))
    plan = solve(bound)
    assert plan.fleet.ordered[0, 0] == pytest.approx([5, 5, 0, 0], abs=1e-9)
    assert plan.objective_cur < 0


@pytest.mark.parametrize("foresight", ["rolling", "myopic"])
def test_planners_that_decide_step_by_step_keep_their_contracts(make_problem, foresight):
    bound = make_problem(
        block_calls_per_d=np.zeros((1, 4, 3)), committed_devices=np.array([[0.0, 0.0, 7.0, 0.0]]), tail_quarters=2
    )
    plan = solve(bound, foresight=foresight, window_quarters=2)
    assert plan.fleet.ordered[0, 0] == pytest.approx([0, 0, 7, 0], abs=1e-9)
    assert solve_in_months(bound).fleet.ordered[0, 0] == pytest.approx([0, 0, 7, 0], abs=1e-9)


def test_a_supply_below_the_commitments_is_refused_with_both_numbers(make_problem):
    problem = make_problem(committed_devices=np.array([[0.0, 120.0, 0.0, 0.0]]))
    with pytest.raises(
        InputError, match=r"committed_devices\[dev0, 2025-Q2\]: 120 devices are committed and 100 can be"
    ):
        solve(problem)


def test_money_that_comes_too_late_for_the_commitments_is_named(make_problem):
    problem = make_problem(
        committed_devices=np.array([[0.0, 50.0, 50.0, 0.0]]), budget_cur=np.array([0.0, 6e5, 1e5, 9e9])
    )
    with pytest.raises(InfeasibleError, match=r"ordered by 2025-Q3 cost 1e\+06, and 7e\+05 of budget") as caught:
        solve(problem)
    assert caught.value.limits == ("budget", "commitments")


def test_a_ban_voids_commitments(make_problem):
    problem = make_problem(committed_devices=np.full((1, 4), 5.0))
    cut = problem.supply.supply_devices.copy()
    cut[:, 2:] = 0.0
    found = export_regimes(problem, {"open": (0.5, problem.supply.supply_devices), "barred": (0.5, cut)}, 2)
    assert np.isfinite(found.objective_cur).all()
