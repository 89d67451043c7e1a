"""What follows the horizon, shorter steps, and devices that leave before their life ends."""

import numpy as np
import pytest

from jevons.errors import InfeasibleError, InputError
from jevons.expansion import DAYS_PER_QUARTER, solve, stages
from jevons.expansion.formulas import share_in_service


def test_the_share_in_service_is_the_overlap_with_each_step():
    edges = np.array([0.0, 1.0, 2.0, 6.0])
    share = share_in_service(np.array([0.5, 2.0, -3.0]), np.array([4.0, 9.0, 1.0]), edges)
    assert share == pytest.approx(np.array([[0.5, 1.0, 0.5], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]))


def late(make_problem, **changes):
    """Demand of 300 calls a day at 3 CNY for which a device with a lead of a quarter takes 100 a day."""
    fields = {
        "quarters": 3,
        "blocks": 1,
        "lead_quarters": np.array([1]),
        "block_calls_per_d": np.array([[[300.0], [600.0], [900.0]]]),
        "discount": np.ones(3),
        "budget_cur": np.full(3, 1e6),
    }
    return make_problem(**(fields | changes))


def test_without_sight_beyond_the_horizon_the_last_quarter_orders_nothing(make_problem):
    plan = solve(late(make_problem))
    assert plan.fleet.ordered[0, 0] == pytest.approx([6, 3, 0])


def test_the_last_quarter_orders_for_what_follows(make_problem):
    # Demand goes on from 900 to 1350 calls a day, half more as in the quarter before: 6.5 devices more for those.
    grown = late(make_problem, tail_quarters=4, supply_devices=np.array([[5.0, 2.0, 100.0]]))
    plan = solve(grown)
    assert plan.fleet.ordered[0, 0] == pytest.approx([5, 2, 6.5])
    assert plan.fleet.installed.shape == (1, 1, 3)
    # by hand: 100 calls a day at 3 CNY less energy, through what is left of the horizon and the four quarters after
    served = 500 + 700 + 4 * 1350
    day = 3.0 - 0.5 * 24 / 100
    fixed = 100.0 * (5 * (2 + 4) + 2 * (1 + 4) + 6.5 * 4)
    assert plan.objective_cur == pytest.approx(DAYS_PER_QUARTER * day * served - fixed - 13.5 * 10_000.0)


def test_the_trend_goes_on_for_one_step_within_bounds(make_problem):
    calls = np.array([[[100.0], [150.0]], [[100.0], [900.0]], [[100.0], [0.0]], [[0.0], [50.0]]])
    seconds = np.full((4, 1, 2), 864.0)
    seconds[0, 0, 1] = 432.0
    seconds[3] = np.inf
    whole = stages(make_problem(quarters=2, blocks=1, segments=4, block_calls_per_d=calls, device_s_per_call=seconds,
                                tail_quarters=1)).problem  # fmt: skip
    assert whole.demand.block_calls_per_d[:, -1, 0] == pytest.approx([225.0, 1800.0, 0.0, 50.0])
    assert whole.machines.device_s_per_call[:, 0, -1] == pytest.approx([216.0, 864.0, 864.0, np.inf])


def test_the_tail_is_discounted_on_at_the_pace_of_the_last_quarters(make_problem):
    problem = late(make_problem, tail_quarters=2, discount=np.array([1.0, 0.9, 0.81]))
    mean = (0.81 * 0.9 + 0.81 * 0.9**2) / 2
    assert stages(problem).problem.money.discount[-1] == pytest.approx(mean)
    assert stages(problem).weight_d[-1] == pytest.approx(mean * 2 * DAYS_PER_QUARTER)


def test_a_reserve_in_the_tail_does_not_make_the_last_quarters_hoard(make_problem):
    # The opening stock, all in training, dies with the horizon; without the tail's own purchases 4 would be hoarded.
    problem = make_problem(
        quarters=2, blocks=1, block_calls_per_d=np.zeros((1, 2, 1)), initial_devices=np.array([[4.0]]),
        life_quarters=np.array([2]), training_flop_per_s=np.full(2, 4e15), tail_quarters=4,
    )  # fmt: skip
    plan = solve(problem)
    assert plan.fleet.ordered.sum() == pytest.approx(0.0, abs=1e-9)


def test_months_reach_the_optimum_of_quarters_where_nothing_happens_within_one(make_problem):
    quarters = make_problem(quarters=2, lead_quarters=np.array([1]), discount=np.ones(2))
    months = make_problem(
        quarters=6, lead_quarters=np.array([1]), discount=np.ones(6), step_quarters=1 / 3,
        budget_cur=np.tile([1e6, 0, 0], 2), supply_devices=np.tile([[100.0, 0, 0]], 2), tail_quarters=0,
    )  # fmt: skip
    coarse, fine = solve(quarters), solve(months)
    assert fine.objective_cur == pytest.approx(coarse.objective_cur, rel=1e-9)
    assert fine.fleet.installed[0, 0, 3:] == pytest.approx(np.full(3, coarse.fleet.installed[0, 0, 1]))


OLD_AND_NEW = {
    # old: 100 calls a day at 1 kW; new: 400 at 1 kW; the site feeds ten devices and cannot grow
    "quarters": 4,
    "blocks": 1,
    "devices": 2,
    "block_value_cur_per_call": np.full((1, 4, 1), 3.0),
    "block_calls_per_d": np.full((1, 4, 1), 1e5),
    "device_s_per_call": np.repeat([[[864.0], [216.0]]], 4, axis=2),
    "capex_cur_per_device": np.array([[10_000.0], [30_000.0]]) * np.ones((2, 4)),
    "initial_devices": np.array([[10.0], [0.0]]),
    "supply_devices": np.array([[0.0] * 4, [4.0] * 4]),
    "initial_site_w": np.array([10_000.0]),
    "site_limit_w": np.full((1, 4), 10_000.0),
    "discount": np.ones(4),
    "life_quarters": np.array([16, 16]),
}


def test_old_devices_make_room_for_new_ones_where_power_is_scarce(make_problem):
    stuck = solve(make_problem(**OLD_AND_NEW))
    assert stuck.fleet.ordered.sum() == pytest.approx(0.0, abs=1e-9)
    plan = solve(make_problem(**OLD_AND_NEW, retire_early=True))
    # A new device brings 300 calls a day more than the old one it replaces, for each quarter that is left.
    gain = 300 * 3.0 * DAYS_PER_QUARTER
    assert gain > 30_000.0  # pays even in the last quarter
    assert plan.fleet.ordered[1, 0] == pytest.approx([4, 4, 2, 0])
    assert plan.fleet.retired_initial[0, 0] == pytest.approx([4, 4, 2, 0])
    assert plan.fleet.installed[:, 0] == pytest.approx(np.array([[6, 2, 0, 0], [4, 8, 10, 10]]))
    assert plan.fleet.it_w == pytest.approx(np.full(4, 10_000.0))
    # by hand: the replaced devices' fixed cost is saved
    saved = 100.0 * (4 * 4 + 4 * 3 + 2 * 2)
    calls = 100 * (6 + 2) + 400 * (4 + 8 + 10 + 10)
    energy = 0.5 * 24 * 10 * 4
    objective = DAYS_PER_QUARTER * (3.0 * calls - energy) - 10 * 30_000.0 - 100.0 * (4 * 4 + 4 * 3 + 2 * 2) + saved
    assert plan.objective_cur == pytest.approx(objective)


@pytest.mark.parametrize(("price", "leaves"), [(0.20, False), (0.10, True)])
def test_a_device_leaves_when_it_earns_less_than_it_costs_to_keep(make_problem, price, leaves):
    # 100 calls a day earn price - 0.12 energy each; keeping the device costs 100 CNY a quarter, 0.011 a call.
    problem = make_problem(
        quarters=2, blocks=1, block_value_cur_per_call=np.full((1, 2, 1), price), supply_devices=np.zeros((1, 2)),
        block_calls_per_d=np.full((1, 2, 1), 800.0), initial_devices=np.array([[8.0]]), retire_early=True,
    )  # fmt: skip
    assert solve(problem).fleet.installed[0, 0] == pytest.approx([0, 0] if leaves else [8, 8])


def test_what_a_device_is_worth_in_the_end_keeps_it(make_problem):
    problem = make_problem(
        quarters=2, blocks=1, block_calls_per_d=np.zeros((1, 2, 1)), initial_devices=np.array([[8.0]]),
        retire_early=True, discount=np.ones(2), initial_terminal_cur_per_device=np.array([250.0]),
    )  # fmt: skip
    assert solve(problem).fleet.installed[0, 0] == pytest.approx([8, 8])  # 2 x 100 CNY of keeping, 250 in the end
    cheap = problem.replace(initial_terminal_cur_per_device=np.array([150.0]))
    assert solve(cheap).fleet.installed[0, 0] == pytest.approx([0, 0])


def test_bought_devices_leave_at_an_anniversary_when_their_calls_have_gone(make_problem):
    calls = np.array([800.0] * 4 + [0.0] * 4)[None, :, None]
    problem = make_problem(quarters=8, blocks=1, block_calls_per_d=calls, retire_early=True, discount=np.ones(8))
    plan = solve(problem)
    assert plan.fleet.ordered[0, 0, 0] == pytest.approx(8)
    assert plan.fleet.retired_bought[0, 0, 0, 4] == pytest.approx(8)
    assert plan.fleet.installed[0, 0] == pytest.approx([8, 8, 8, 8, 0, 0, 0, 0])


@pytest.mark.parametrize("foresight", ["rolling", "myopic"])
def test_planners_that_decide_step_by_step_retire_too(make_problem, foresight):
    problem = make_problem(**OLD_AND_NEW, retire_early=True, tail_quarters=4)
    plan = solve(problem, foresight=foresight, window_quarters=2)
    assert plan.fleet.retired_initial[0, 0].sum() == pytest.approx(10.0)
    assert plan.fleet.it_w.max() <= 10_000.0 * (1 + 1e-9)
    assert plan.objective_cur <= solve(problem).objective_cur * (1 + 1e-9)


def test_freedom_to_retire_never_lowers_the_objective(make_problem):
    held = make_problem(**OLD_AND_NEW)
    free = held.replace(retire_early=True)
    assert solve(free).objective_cur >= solve(held).objective_cur


def test_limits_are_named_with_a_tail_and_retirement_as_without(make_problem):
    sight = {"tail_quarters": 4, "retire_early": True}
    free = make_problem(
        capex_cur_per_device=np.zeros((1, 4)), supply_devices=np.full((1, 4), np.inf), device_w=np.zeros(1),
        fixed_cur_per_device_quarter=np.zeros((1, 4)), terminal_cur_per_device=np.ones((1, 4)), **sight,
    )  # fmt: skip
    with pytest.raises(InfeasibleError, match="the plan is unbounded.*give it a price or a limit"):
        solve(free)
    short = make_problem(supply_devices=np.zeros((1, 4)), training_flop_per_s=np.full(4, 2e15), **sight)
    with pytest.raises(InfeasibleError, match=r"training reserve: 2025-Q1 asks for 2e\+15") as caught:
        solve(short)
    assert caught.value.limits == ("chip supply: dev0 2025-Q1 to 2025-Q4",)


def test_a_tail_must_be_whole_quarters_and_steps_have_a_length(make_problem):
    with pytest.raises(InputError) as caught:
        solve(make_problem(tail_quarters=1.5, step_quarters=0.0))
    assert {fault.path for fault in caught.value.faults} == {"tail_quarters", "step_quarters"}
