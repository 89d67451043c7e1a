import itertools
import subprocess
import sys

import numpy as np
import pytest

from jevons.errors import InfeasibleError, InputError
from jevons.expansion import DAYS_PER_QUARTER, solve


def test_linear_demand_is_served_until_price_equals_long_run_marginal_cost(make_problem):
    # One quarter, P = 4 - Q / 1000, cost of a call by hand: (capital + fixed) over calls in a quarter, plus energy.
    blocks, calls_per_device = 400, 100.0
    edges = np.linspace(0, 4000.0, blocks + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    problem = make_problem(
        quarters=1,
        blocks=blocks,
        block_value_cur_per_call=(4.0 - middles / 1000.0)[None, None],
        block_calls_per_d=np.full((1, 1, blocks), 4000.0 / blocks),
        capex_cur_per_device=np.array([[15_000.0]]),
    )
    plan = solve(problem)
    long_run = (15_000.0 + 100.0) / (DAYS_PER_QUARTER * calls_per_device) + 0.5 * 24 / calls_per_device
    optimum = 1000.0 * (4.0 - long_run)
    assert plan.service.served_calls_per_d.sum() == pytest.approx(optimum, abs=4000.0 / blocks)
    assert plan.worth.marginal_cur_per_call[0, 0] == pytest.approx(long_run, rel=1e-9)
    assert plan.worth.binding == (("demand",),)
    assert plan.service.utilisation_frac[0] == pytest.approx(1.0)
    surplus = 1000.0 * (4.0 - long_run) ** 2 / 2 * DAYS_PER_QUARTER
    assert plan.objective_cur == pytest.approx(surplus, rel=1e-4)


def test_a_monopolist_serves_half_of_what_welfare_does_under_linear_demand(make_problem):
    blocks = 400
    middles = (np.arange(blocks) + 0.5) * 10.0
    curve = {
        "quarters": 1,
        "blocks": blocks,
        "block_value_cur_per_call": (4.0 - middles / 1000.0)[None, None],
        "block_calls_per_d": np.full((1, 1, blocks), 10.0),
    }
    welfare = solve(make_problem(**curve)).service.served_calls_per_d.sum()
    profit = solve(make_problem(**curve, market_power=True)).service.served_calls_per_d.sum()
    assert profit == pytest.approx(welfare / 2, abs=10.0)


def test_two_quarters_match_an_exhaustive_search_over_orders(make_problem):
    # Whole devices and dispatch by merit: every pair of orders is priced by hand and the best compared.
    problem = make_problem(
        quarters=2,
        lead_quarters=np.array([0]),
        budget_cur=np.array([60_000.0, 40_000.0]),
        supply_devices=np.array([[7.0, 9.0]]),
        block_calls_per_d=np.array([[[300.0, 200.0, 400.0], [400.0, 300.0, 500.0]]]),
        discount=np.array([1.0, 0.9]),
    )

    def worth(first, second):
        total = 0.0
        for t, devices in enumerate((first, first + second)):
            left, surplus = 100.0 * devices, 0.0
            for value, calls in zip((3.0, 2.0, 1.0), problem.demand.block_calls_per_d[0, t], strict=True):
                served = min(left, calls)
                surplus += served * (value - 0.5 * 24 / 100)
                left -= served
            total += problem.money.discount[t] * (DAYS_PER_QUARTER * surplus - 100.0 * devices)
        return total - 10_000.0 * (first + 0.9 * second)

    grid = [
        (worth(a, b), a, b)
        for a, b in itertools.product(np.arange(0, 7.01, 0.5), np.arange(0, 9.01, 0.5))
        if 10_000 * a <= 60_000 and 10_000 * (a + b) <= 100_000
    ]
    best, first, second = max(grid)
    plan = solve(problem)
    assert plan.objective_cur == pytest.approx(best, rel=1e-9)
    assert plan.fleet.ordered[0, 0] == pytest.approx([first, second])


def test_two_devices_and_two_segments_match_an_exhaustive_search(make_problem):
    problem = make_problem(
        quarters=1,
        blocks=1,
        devices=2,
        segments=2,
        block_value_cur_per_call=np.array([[[2.0]], [[1.2]]]),
        block_calls_per_d=np.array([[[500.0]], [[800.0]]]),
        device_s_per_call=np.array([[[864.0], [432.0]], [[432.0], [432.0]]]),
        capex_cur_per_device=np.array([[6_000.0], [9_000.0]]),
        budget_cur=np.array([60_000.0]),
        supply_devices=np.array([[6.0], [4.0]]),
    )
    energy, best = 12.0, -np.inf
    for a, b in itertools.product(np.arange(0, 6.01, 0.5), np.arange(0, 4.01, 0.5)):
        if 6_000 * a + 9_000 * b > 60_000:
            continue
        for x, y in itertools.product(np.linspace(0, 1, 21), repeat=2):  # share of each kind that serves segment 0
            first = 100 * a * x + 200 * b * y
            second = 200 * a * (1 - x) + 200 * b * (1 - y)
            if first > 500 + 1e-9 or second > 800 + 1e-9:
                continue
            day = 2.0 * first + 1.2 * second - energy * (a + b)
            best = max(best, DAYS_PER_QUARTER * day - 100 * (a + b) - 6_000 * a - 9_000 * b)
    plan = solve(problem)
    assert plan.objective_cur >= best * (1 - 1e-12)
    assert plan.objective_cur == pytest.approx(best, rel=0.01)


def test_orders_serve_only_after_their_lead_time_and_until_the_end_of_life(make_problem):
    problem = make_problem(
        quarters=6,
        lead_quarters=np.array([2]),
        life_quarters=np.array([3]),
        capex_cur_per_device=np.full((1, 6), 100.0),
        supply_devices=np.array([[5.0, 0, 0, 0, 0, 0]]),
    )
    plan = solve(problem)
    assert plan.fleet.ordered[0, 0] == pytest.approx([5, 0, 0, 0, 0, 0])
    assert plan.fleet.installed[0, 0] == pytest.approx([0, 0, 5, 5, 5, 0])
    assert plan.fleet.vintage[0, 0] == pytest.approx([0, 0, 5, 5, 5, 0])
    assert plan.service.served_calls_per_d.sum(axis=(0, 2)) == pytest.approx([0, 0, 500, 500, 500, 0])


def test_the_opening_stock_retires_when_its_age_reaches_its_life(make_problem):
    problem = make_problem(
        quarters=4,
        initial_devices=np.array([[8.0]]),
        initial_age_quarters=np.array([2]),
        life_quarters=np.array([4]),
        supply_devices=np.zeros((1, 4)),
    )
    assert solve(problem).fleet.installed[0, 0] == pytest.approx([8, 8, 0, 0])


def test_unspent_budget_carries_over(make_problem):
    problem = make_problem(
        quarters=3,
        budget_cur=np.array([30_000.0, 0.0, 20_000.0]),
        supply_devices=np.array([[0.0, 2.0, 10.0]]),
        discount=np.ones(3),
        capex_cur_per_device=np.full((1, 3), 10_000.0),
        terminal_cur_per_device=np.full((1, 3), 5_000.0),
    )
    plan = solve(problem)
    assert plan.fleet.ordered[0, 0] == pytest.approx([0, 2, 3])
    assert plan.spending.budget_left_cur == pytest.approx([30_000, 10_000, 0])
    assert plan.worth.binding[2][0] == "budget"
    assert plan.worth.binding[1][0] == "chip supply: dev0"


def test_the_budget_gain_is_what_one_more_yuan_brings(make_problem):
    problem = make_problem(quarters=2, budget_cur=np.array([50_000.0, 0.0]))
    plan = solve(problem)
    more = solve(make_problem(quarters=2, budget_cur=np.array([50_001.0, 0.0])))
    assert plan.worth.budget_dual[0] == pytest.approx(more.objective_cur - plan.objective_cur, rel=1e-6)
    assert plan.worth.budget_dual[0] > 0


def test_the_supply_and_power_gains_are_what_one_more_unit_brings(make_problem):
    short = {"quarters": 2, "supply_devices": np.array([[3.0, 3.0]])}
    plan = solve(make_problem(**short))
    more = solve(make_problem(quarters=2, supply_devices=np.array([[4.0, 3.0]])))
    assert plan.worth.supply_dual_cur[0, 0] == pytest.approx(more.objective_cur - plan.objective_cur, rel=1e-9)
    site = {"quarters": 2, "initial_site_w": np.zeros(1), "site_build_w_per_quarter": np.array([1e4])}
    plan = solve(make_problem(**site, site_limit_w=np.full((1, 2), 6_000.0)))
    more = solve(make_problem(**site, site_limit_w=np.full((1, 2), 7_000.0)))
    assert plan.worth.power_dual_cur_per_w.sum() * 1000 == pytest.approx(
        more.objective_cur - plan.objective_cur, rel=1e-9
    )
    assert "site power: site0" in plan.worth.binding[0]
    slow = solve(make_problem(quarters=2, initial_site_w=np.zeros(1), site_build_w_per_quarter=np.array([2e3])))
    assert "build rate: site0" in slow.worth.binding[0]
    assert slow.fleet.installed[0, 0] == pytest.approx([2, 4])


def test_site_power_is_paid_and_its_terminal_value_counts(make_problem):
    site = {
        "quarters": 1,
        "initial_site_w": np.zeros(1),
        "site_build_w_per_quarter": np.array([1e6]),
        "site_capex_cur_per_w": np.array([[5.0]]),
    }
    plan = solve(make_problem(**site))
    assert plan.spending.site_capex_cur[0] == pytest.approx(5.0 * plan.fleet.site_w[0, 0])
    assert plan.fleet.site_w[0, 0] == pytest.approx(plan.fleet.it_w[0])
    kept = solve(make_problem(**site, site_terminal_cur_per_w=np.array([[4.0]])))
    assert kept.objective_cur == pytest.approx(plan.objective_cur + 4.0 * plan.fleet.site_w[0, 0])


def test_deferrable_calls_move_to_the_idle_slot(make_problem):
    day = {
        "quarters": 1,
        "slots": 2,
        "blocks": 1,
        "slot_h_per_d": np.array([8.0, 16.0]),
        "slot_share_frac": np.array([[0.8, 0.2]]),
        "block_calls_per_d": np.array([[[1000.0]]]),
        "block_value_cur_per_call": np.array([[[30.0]]]),
    }
    fixed = solve(make_problem(**day))
    free = solve(make_problem(**day, deferrable_frac=np.array([1.0])))
    half = solve(make_problem(**day, deferrable_frac=np.array([0.5])))
    assert fixed.fleet.installed.sum() == pytest.approx(1000 * 0.8 / (100 * 8 / 24))
    assert free.fleet.installed.sum() == pytest.approx(1000 / 100)
    assert half.fleet.installed.sum() == pytest.approx(1000 * 0.4 / (100 * 8 / 24))
    assert fixed.worth.rent_cur_per_device_h[0, 0, 1] == pytest.approx(0.0, abs=1e-12)
    assert fixed.worth.rent_cur_per_device_h[0, 0, 0] > 0


def test_the_utilisation_cap_sets_how_many_devices_a_load_needs(make_problem):
    load = {"quarters": 1, "block_calls_per_d": np.array([[[700.0]]]), "block_value_cur_per_call": np.array([[[30.0]]])}
    plan = solve(make_problem(**load, utilisation_cap_frac=np.array([0.7]), availability_frac=0.5))
    assert plan.fleet.installed.sum() == pytest.approx(700 / (100 * 0.7 * 0.5))
    assert plan.service.utilisation_frac[0] == pytest.approx(0.7)


def test_the_training_reserve_is_kept_and_its_energy_paid(make_problem):
    plain = make_problem(quarters=1, initial_devices=np.array([[4.0]]), supply_devices=np.zeros((1, 1)), blocks=1)
    held = make_problem(
        quarters=1,
        initial_devices=np.array([[4.0]]),
        supply_devices=np.zeros((1, 1)),
        blocks=1,
        training_flop_per_s=np.array([3e15]),
    )
    free, plan = solve(plain), solve(held)
    assert plan.fleet.training_devices.sum() == pytest.approx(3)
    assert plan.service.served_calls_per_d.sum() == pytest.approx(100)
    # Three devices no longer serve 100 calls a day each at 3 CNY, and draw the same power as before.
    assert free.objective_cur - plan.objective_cur == pytest.approx(3 * 100 * 3.0 * DAYS_PER_QUARTER)


def test_a_device_that_cannot_serve_a_segment_stays_idle_there(make_problem):
    problem = make_problem(
        quarters=1, devices=2, segments=2, device_s_per_call=np.array([[[864.0], [np.inf]], [[np.inf], [864.0]]])
    )
    plan = solve(problem)
    assert plan.service.busy_device_h_per_d[0, 1].sum() == 0
    assert plan.service.busy_device_h_per_d[1, 0].sum() == 0
    assert (plan.service.served_calls_per_d.sum(axis=2) > 0).all()


def test_a_segment_that_nothing_can_serve_is_left_and_priced_at_its_first_block(make_problem):
    plan = solve(make_problem(quarters=1, device_s_per_call=np.full((1, 1, 1), np.inf)))
    assert plan.service.served_calls_per_d.sum() == 0
    assert plan.worth.marginal_cur_per_call[0, 0] == 3.0
    assert plan.objective_cur == 0


@pytest.mark.parametrize("foresight", ["perfect", "rolling", "myopic"])
def test_no_budget_and_a_training_reserve_have_no_plan(make_problem, foresight):
    problem = make_problem(budget_cur=np.zeros(4), training_flop_per_s=np.full(4, 2e15))
    claim = r"training reserve: 2025-Q1 asks for 2e\+15.*short by 100 % of it, 2 dev0"
    with pytest.raises(InfeasibleError, match=claim) as caught:
        solve(problem, foresight=foresight)
    assert any("budget" in limit for limit in (*caught.value.limits, str(caught.value)))


def test_no_chips_and_a_training_reserve_name_the_chip_supply(make_problem):
    problem = make_problem(supply_devices=np.zeros((1, 4)), training_flop_per_s=np.full(4, 2e15))
    with pytest.raises(InfeasibleError) as caught:
        solve(problem)
    assert caught.value.limits == ("chip supply: dev0 2025-Q1 to 2025-Q4",)


def test_a_reserve_due_before_the_first_delivery_names_the_lead_time(make_problem):
    problem = make_problem(lead_quarters=np.array([1]), training_flop_per_s=np.full(4, 2e15))
    with pytest.raises(InfeasibleError) as caught:
        solve(problem)
    assert caught.value.limits == ("lead time",)


def test_standing_devices_above_the_site_power_have_no_plan(make_problem):
    problem = make_problem(initial_devices=np.array([[1100.0]]), site_build_w_per_quarter=np.array([1e6]))
    claim = r"site power: the devices that stand at site0 in 2025-Q1 draw 0\.1 MW more"
    with pytest.raises(InfeasibleError, match=claim) as caught:
        solve(problem)
    assert "site power: site0" in caught.value.limits[0]


def test_free_unlimited_devices_with_a_terminal_value_are_unbounded(make_problem):
    problem = make_problem(
        quarters=1,
        capex_cur_per_device=np.zeros((1, 1)),
        fixed_cur_per_device_quarter=np.zeros((1, 1)),
        device_w=np.zeros(1),
        supply_devices=np.full((1, 1), np.inf),
        terminal_cur_per_device=np.ones((1, 1)),
    )
    with pytest.raises(InfeasibleError, match="unbounded") as caught:
        solve(problem)
    assert caught.value.limits == ("chip supply: dev0",)


def test_all_faults_are_reported_at_once(make_problem):
    problem = make_problem(
        budget_cur=np.array([1.0, np.nan, -1.0, 1.0]),
        device_w=np.ones(3),
        availability_frac=1.5,
        life_quarters=np.array([0]),
        lead_quarters=np.array([0.5]),
    )
    with pytest.raises(InputError) as caught:
        solve(problem)
    assert [fault.path for fault in caught.value.faults] == [
        "availability_frac", "device_w", "budget_cur[2025-Q2]", "lead_quarters[dev0]", "life_quarters[dev0]",
    ]  # fmt: skip
    assert "(and 1 more)" in str(caught.value)


def test_joint_faults_name_the_place(make_problem):
    problem = make_problem(
        slot_h_per_d=np.array([23.0]),
        slot_share_frac=np.array([[0.9]]),
        block_value_cur_per_call=np.tile([1.0, 2.0, 1.0], (1, 4, 1)),
        site_limit_w=np.full((1, 4), 1e5),
    )
    with pytest.raises(InputError) as caught:
        solve(problem)
    text = str(caught.value)
    for part in (
        "slot_h_per_d: sums to 23 h",
        "slot_share_frac[seg0]",
        "block_value_cur_per_call[seg0, 2025-Q1, 1]",
        "site_limit_w[site0]",
    ):
        assert part in text


@pytest.mark.parametrize("options", [{"foresight": "perfct"}, {"window_quarters": 0}])
def test_unknown_foresight_and_empty_windows_are_input_errors(make_problem, options):
    with pytest.raises(InputError):
        solve(make_problem(), **options)


def test_repeated_labels_are_a_fault(make_problem):
    with pytest.raises(InputError, match="twice: a"):
        solve(make_problem(devices=2).replace(devices=("a", "a")))


def test_a_rolling_planner_that_sees_everything_plans_as_well_as_perfect_foresight(make_problem):
    growing = np.array([1.0, 1.5, 2.5, 1.0])[None, :, None] * np.full((1, 4, 3), 600.0)
    problem = make_problem(
        block_calls_per_d=growing, lead_quarters=np.array([1]), terminal_cur_per_device=np.full((1, 4), 3_000.0)
    )
    perfect, rolling = solve(problem), solve(problem, foresight="rolling", window_quarters=4)
    assert rolling.objective_cur == pytest.approx(perfect.objective_cur, rel=1e-9)


def test_a_myopic_planner_buys_for_a_demand_that_has_gone(make_problem):
    # Demand vanishes after the second quarter; only who expects it to stay orders for four quarters of it.
    calls = np.array([1.0, 1.0, 0.0, 0.0])[None, :, None] * np.full((1, 4, 3), 1000.0)
    problem = make_problem(
        block_calls_per_d=calls,
        capex_cur_per_device=np.full((1, 4), 20_000.0),
        fixed_cur_per_device_quarter=np.zeros((1, 4)),
    )
    perfect, myopic = solve(problem), solve(problem, foresight="myopic")
    assert myopic.fleet.ordered.sum() > perfect.fleet.ordered.sum()
    assert myopic.objective_cur < perfect.objective_cur


def test_the_same_problem_gives_the_same_bytes(make_problem):
    problem = make_problem(devices=3, sites=2, segments=2)
    first, second = solve(problem), solve(problem)
    for name in ("ordered", "busy_device_h_per_d", "marginal_cur_per_call", "budget_dual"):
        assert first.field(name).tobytes() == second.field(name).tobytes()


def test_solving_prints_nothing():
    code = "import numpy, highspy\nfrom jevons.expansion._lp import LinearProgram\nlp = LinearProgram(1.0)\n"
    code += "c = lp.columns((1,), upper=2.0, gain=1.0)\nr = lp.rows((1,), upper=1.0)\nlp.enter(r, c, 1.0)\n"
    code += "assert lp.solve().objective == 1.0\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_an_idle_hour_is_worth_what_it_would_be_let_for(make_problem):
    # 34 devices serve 100 calls a day each; 3,000 are wanted at the posted price, 2,000 more below it
    lower = {"further_value_cur_per_call": np.full((1, 4, 2), [0.9, 0.8]),
             "further_calls_per_d": np.full((1, 4, 2), 1000.0)}  # fmt: skip
    problem = make_problem(initial_devices=np.full((1, 1), 34.0), supply_devices=np.zeros((1, 4)), **lower)
    plan = solve(problem)
    assert plan.service.served_calls_per_d.sum(axis=2) == pytest.approx(3000.0)
    assert plan.service.utilisation_frac == pytest.approx(30 / 34)
    # 400 of the first 1,000 are let: an hour more would let 100 / 24 of them
    assert plan.worth.rent_cur_per_device_h == pytest.approx(0.9 * 100 / 24 - 0.5)


def test_scarcity_rises_without_a_jump_as_demand_meets_capacity(make_problem):
    rents = []
    for wanted in np.linspace(500.0, 1500.0, 11):
        further = wanted * np.diff(np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]) ** -1.2)
        steps = np.sqrt(np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4]) * np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]))
        problem = make_problem(
            blocks=1, block_calls_per_d=np.full((1, 4, 1), wanted), block_value_cur_per_call=np.ones((1, 4, 1)),
            initial_devices=np.full((1, 1), 10.0), supply_devices=np.zeros((1, 4)),
            further_value_cur_per_call=np.tile(steps, (1, 4, 1)), further_calls_per_d=np.tile(further, (1, 4, 1)),
        )  # fmt: skip
        rents.append(float(solve(problem).worth.rent_cur_per_device_h[0, 0, 0]))
    assert (np.diff(rents) >= -1e-9).all()
    assert max(np.diff(rents)) < 0.25 * (100 / 24)  # a block of the curve at most, not the whole rent


def test_one_half_of_the_lower_curve_is_refused(make_problem):
    with pytest.raises(InputError, match="both, or neither"):
        solve(make_problem(further_calls_per_d=np.ones((1, 4, 2))))


def worth_about_its_price(make_problem, price, spread):
    """Ten devices at most, each of which one block of demand would pay 2 CNY a call for; a call's energy is 0.12."""
    earned = DAYS_PER_QUARTER * 100.0 * (2.0 - 0.12) - 100.0
    return make_problem(
        quarters=1,
        blocks=1,
        block_value_cur_per_call=np.full((1, 1, 1), 2.0),
        block_calls_per_d=np.full((1, 1, 1), 1e6),
        supply_devices=np.full((1, 1), 10.0),
        capex_cur_per_device=np.full((1, 1), price * earned),
        order_spread_frac=spread,
    )


@pytest.mark.parametrize(("price", "ordered"), [(0.989, 10.0), (0.996, 7.5), (1.0001, 5.0), (1.004, 2.5), (1.012, 0.0)])
def test_orders_follow_a_worth_near_the_price_by_degrees(make_problem, price, ordered):
    plan = solve(worth_about_its_price(make_problem, price, 0.01))
    assert plan.fleet.ordered.sum() == pytest.approx(ordered, abs=1e-6)
    without = solve(worth_about_its_price(make_problem, price, 0.0))
    assert without.fleet.ordered.sum() == pytest.approx(10.0 if price < 1 else 0.0, abs=1e-6)


def test_the_spread_of_orders_is_not_in_the_objective(make_problem):
    problem = worth_about_its_price(make_problem, 0.996, 0.01)
    plan = solve(problem)
    each = float(problem.machines.capex_cur_per_device[0, 0])
    assert plan.objective_cur == pytest.approx(plan.fleet.ordered.sum() * (each / 0.996 - each), rel=1e-6)


def test_the_supply_of_spread_orders_still_has_a_price(make_problem):
    plan, without = (solve(worth_about_its_price(make_problem, 0.5, spread)) for spread in (0.01, 0.0))
    assert plan.worth.supply_dual_cur[0, 0] == pytest.approx(without.worth.supply_dual_cur[0, 0], rel=1e-9)
    assert plan.worth.supply_dual_cur[0, 0] > 0
    assert plan.worth.binding[0][0] == "chip supply: dev0"
