"""Deciding under a tree of futures."""

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.expansion import (
    DAYS_PER_QUARTER,
    Branch,
    Risk,
    Tree,
    independent,
    solve,
    solve_tree,
    tree_value,
    worst_mean,
)


def two_branches(make, chance=0.5, **changes):
    """One order in the first quarter, one quarter of use after it: demand is 100 calls a day or 1,000.

    A device serves 100 calls a day. In the second quarter nothing is on sale.
    """
    T = 2
    supply = np.array([[1000.0, 0.0]])
    common = {
        "quarters": T, "blocks": 1, "supply_devices": supply, "lead_quarters": np.ones(1, np.int64),
        "block_value_cur_per_call": np.full((1, T, 1), 2.0), "discount": np.ones(T),
        "energy_cur_per_device_h": np.zeros((1, 1, T)), "fixed_cur_per_device_quarter": np.zeros((1, T)),
        "budget_cur": np.full(T, 1e9),
    } | changes  # fmt: skip
    low = make(block_calls_per_d=np.array([[[0.0], [100.0]]]), **common)
    high = make(block_calls_per_d=np.array([[[0.0], [1000.0]]]), **common)
    return Tree(
        branches=(
            Branch(name="low", probability_frac=1 - chance, problem=low),
            Branch(name="high", probability_frac=chance, problem=high),
        ),
        groups=np.array([[0, 0], [0, 1]]),
    )


def earns():
    """CNY that a device earns in its quarter of use: 100 calls a day at 2 CNY."""
    return 100 * 2.0 * DAYS_PER_QUARTER


@pytest.mark.parametrize(("chance", "ordered"), [(0.3, 1.0), (0.5, 1.0), (0.6, 10.0), (0.9, 10.0)])
def test_two_branches_by_hand(make_problem, chance, ordered):
    # a further device is used in the high branch alone: it is ordered where chance x earnings exceed the price
    capex = 0.55 * earns()
    tree = two_branches(make_problem, chance, capex_cur_per_device=np.full((1, 2), capex))
    plan = solve_tree(tree)
    assert plan.now.sum() == pytest.approx(ordered)
    value = np.array([earns() - ordered * capex, ordered * (earns() - capex)])
    assert plan.value_cur == pytest.approx(value, rel=1e-9)
    assert plan.expected_cur == pytest.approx((1 - chance) * value[0] + chance * value[1])


def test_one_order_for_futures_that_cannot_be_told_apart(make_problem):
    plan = solve_tree(two_branches(make_problem))
    assert plan.tree.known_from == 1
    assert np.array_equal(plan.plans[0].fleet.ordered[..., 0], plan.plans[1].fleet.ordered[..., 0])


def test_values_of_information_and_of_the_stochastic_solution_by_hand(make_problem):
    chance, capex = 0.3, 0.55 * earns()
    found = tree_value(two_branches(make_problem, chance, capex_cur_per_device=np.full((1, 2), capex)))
    gain = earns() - capex
    assert found.wait_and_see_cur == pytest.approx(0.7 * gain + 0.3 * 10 * gain)
    assert found.here_and_now_cur == pytest.approx(0.7 * (earns() - capex) + 0.3 * gain)
    mean = 0.7 * 1 + 0.3 * 10  # devices for the mean demand
    assert found.expected_future_cur == pytest.approx(0.7 * (earns() - mean * capex) + 0.3 * mean * gain)


@pytest.mark.parametrize("seed", range(6))
def test_information_and_the_stochastic_solution_never_cost(make_problem, seed):
    rng = np.random.default_rng(seed)
    T = 4
    branches, chance = [], rng.dirichlet(np.ones(3))
    supply = np.full((2, T), 40.0)
    for i in range(3):
        here = supply.copy()
        here[0, 2:] *= rng.random()
        calls = np.full((1, T, 3), 1000.0)
        calls[:, 2:] *= rng.uniform(0.2, 3.0)
        problem = make_problem(devices=2, supply_devices=here, block_calls_per_d=calls, slots=1)
        branches.append(Branch(name=str(i), probability_frac=float(chance[i]), problem=problem))
    tree = Tree(branches=tuple(branches), groups=np.array([[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 2, 2]]))
    found = tree_value(tree)
    slack = 1e-6 * abs(found.wait_and_see_cur)
    assert found.information_cur >= -slack
    assert found.stochastic_cur >= -slack


def test_a_tree_of_one_branch_is_the_plan(make_problem):
    problem = make_problem()
    alone = solve_tree(
        Tree(branches=(Branch(name="", probability_frac=1.0, problem=problem),), groups=np.zeros((1, 4), int))
    )
    plan = solve(problem)
    assert alone.expected_cur == pytest.approx(plan.objective_cur)
    assert alone.plans[0].fleet.ordered == pytest.approx(plan.fleet.ordered)
    assert alone.plans[0].worth.rent_cur_per_device_h == pytest.approx(plan.worth.rent_cur_per_device_h, abs=1e-9)


def test_branches_known_from_the_start_are_planned_alone(make_problem):
    tree = two_branches(make_problem)
    apart = solve_tree(Tree(branches=tree.branches, groups=np.array([[0, 0], [1, 1]])))
    alone = [solve(branch.problem).objective_cur for branch in tree.branches]
    assert apart.value_cur == pytest.approx(alone)


def test_worst_outcomes_improve_and_expectation_falls_with_their_weight(make_problem):
    tree = two_branches(make_problem, 0.6, capex_cur_per_device=np.full((1, 2), 0.55 * earns()))
    plans = [solve_tree(tree, risk=Risk(weight_frac=w, tail_frac=0.3)) for w in (0.0, 0.25, 0.5, 0.75, 1.0)]
    worst, mean = [p.worst_cur for p in plans], [p.expected_cur for p in plans]
    assert worst == sorted(worst)
    assert mean == sorted(mean, reverse=True)
    assert worst[-1] > worst[0]


def test_mean_of_the_worst_by_hand():
    value, chance = np.array([10.0, -5.0, 0.0]), np.array([0.5, 0.1, 0.4])
    assert worst_mean(value, chance, 0.1) == pytest.approx(-5.0)
    assert worst_mean(value, chance, 0.2) == pytest.approx(-2.5)
    assert worst_mean(value, chance, 1.0) == pytest.approx(value @ chance)


def test_complementary_slackness_in_each_branch(make_problem):
    tree = two_branches(make_problem, 0.6, supply_devices=np.array([[5.0, 0.0]]))
    plan = solve_tree(tree)
    low, high = plan.plans
    assert plan.now.sum() == pytest.approx(5.0)
    # one device in use and four idle in the low branch: an hour more is worth nothing there, and its calls' worth here
    assert low.worth.rent_cur_per_device_h[0, 1] == pytest.approx(0.0, abs=1e-9)
    assert high.worth.rent_cur_per_device_h[0, 1] == pytest.approx(2.0 * 100 / 24)
    # the order is shared, so what one more is worth is the expectation over branches, less its price
    gain = 0.6 * earns() - 10_000.0
    assert low.worth.supply_dual_cur[0, 0] == pytest.approx(gain)
    assert high.worth.supply_dual_cur[0, 0] == pytest.approx(gain)


def test_probabilities_that_do_not_sum_to_one_are_refused(make_problem):
    tree = two_branches(make_problem)
    short = Tree(
        branches=(tree.branches[0], Branch(name="high", probability_frac=0.4, problem=tree.branches[1].problem)),
        groups=tree.groups,
    )
    with pytest.raises(InputError, match=r"branches.*sum to 0\.9: must sum to 1; raise them by 0\.1"):
        solve_tree(short)


def test_branches_that_meet_again_are_refused(make_problem):
    tree = two_branches(make_problem)
    with pytest.raises(InputError, match="confused"):
        solve_tree(Tree(branches=tree.branches, groups=np.array([[0, 0], [1, 0]])))


@pytest.mark.parametrize("risk", [Risk(weight_frac=1.5), Risk(weight_frac=0.5, tail_frac=0.0)])
def test_risk_out_of_range_is_refused(make_problem, risk):
    with pytest.raises(InputError, match="risk"):
        solve_tree(two_branches(make_problem), risk=risk)


def test_independent_events_show_in_their_steps():
    combined, groups = independent([[("ban", 0.4), ("", 0.6)], [("low", 0.5), ("high", 0.5)]], [1, 2], 3)
    assert [name for _, name, _ in combined] == ["ban, low", "ban, high", "low", "high"]
    assert [chance for _, _, chance in combined] == pytest.approx([0.2, 0.2, 0.3, 0.3])
    assert groups.T.tolist() == [[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 2, 3]]
