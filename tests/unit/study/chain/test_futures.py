"""Orders made before it shows what comes, and one rule for values that are compared."""

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.expansion import Risk, tree_value
from jevons.facts import default_facts
from jevons.study import load, plan
from jevons.study.chain.budget import paid_ahead, released
from jevons.study.chain.decide import decided_chain
from jevons.study.chain.fixed_point import run_chain
from jevons.study.chain.futures import bans_that_count, tree_of
from jevons.study.chain.operating_points import engineer
from jevons.study.chain.orders_value import without_orders
from jevons.study.chain.rivals_response import HELD, RULE, response, rule

TREE = """expansion:
  tree:
    shows: 2
    demand:
      low: {probability: 0.4, factor: 0.5}
      high: {probability: 0.6, factor: 2.0}
"""


@pytest.fixture(scope="module")
def scenario(edited):
    return load(edited(("expansion:\n", TREE)))


@pytest.fixture(scope="module")
def made(scenario):
    return engineer(scenario, default_facts(), scenario.as_of)


@pytest.fixture(scope="module")
def chain(scenario, made):
    return decided_chain(scenario, made)


def test_futures_are_bans_and_demand_with_their_probabilities(scenario, made, chain):
    tree = tree_of(scenario, made, chain.plan.problem)
    chances = {branch.name: branch.probability_frac for branch in tree.branches}
    assert chances == pytest.approx(
        {
            "demand low": 0.7 * 0.4,
            "demand high": 0.7 * 0.6,
            "h20 barred, demand low": 0.3 * 0.4,
            "h20 barred, demand high": 0.3 * 0.6,
        }
    )
    assert tree.known_from == 2  # demand shows before the ban
    assert list(bans_that_count(scenario)) == ["h20"]


def test_no_world_knows_early_whether_its_ban_comes(scenario, made, chain):
    known_from = chain.decided.known_from
    worlds = [
        run_chain(scenario, made, start=chain, decided=chain.decided, banned=banned)
        for banned in (frozenset(), frozenset({"h20"}))
    ]
    free, barred = (world.plan.fleet.ordered.sum(axis=1)[:, :known_from] for world in worlds)
    assert free == pytest.approx(barred, rel=1e-6)
    assert free == pytest.approx(chain.decided.orders[frozenset()][:, :known_from], rel=1e-6)


def test_orders_that_stand_are_cut_to_supply_money_and_power(chain):
    problem = chain.plan.problem.replace(committed_devices=None, supply_devices=chain.setting.supply)
    decided = chain.decided
    orders = decided.orders[frozenset()]
    none = decided.held(problem.replace(supply_devices=np.zeros_like(problem.supply.supply_devices)), frozenset())
    assert none.supply.committed_devices[:, : orders.shape[1]].sum() == 0
    poor = problem.replace(budget_cur=problem.money.budget_cur * 1e-3)
    held = decided.held(poor, frozenset())
    spent = (held.supply.committed_devices * problem.machines.capex_cur_per_device).sum(axis=0)
    assert (np.cumsum(spent) <= np.cumsum(poor.money.budget_cur)).all()
    dark = problem.replace(site_build_w_per_quarter=np.zeros(1), site_limit_w=problem.power.site_limit_w * 1e-3)
    draw = (decided.held(dark, frozenset()).supply.committed_devices * problem.machines.device_w[:, None]).sum()
    assert draw <= 1e-6 * problem.opening.initial_site_w.sum()


def test_knowing_and_planning_for_more_than_the_mean_are_worth_something(scenario, made, chain):
    found = tree_value(tree_of(scenario, made, chain.plan.problem))
    assert found.information_cur >= -1e-6 * abs(found.here_and_now_cur)
    assert found.stochastic_cur >= -1e-6 * abs(found.here_and_now_cur)


def test_a_planner_who_minds_the_worst_case_has_a_better_one(scenario, made):
    neutral = decided_chain(scenario, made).decided.plan
    wary = decided_chain(scenario.with_numbers({"expansion.risk_weight": 0.9}), made).decided.plan
    assert wary.risk == Risk(weight_frac=0.9, tail_frac=0.2)
    assert wary.worst_cur >= neutral.worst_cur - 1e-6 * abs(neutral.worst_cur)


def test_probabilities_that_do_not_sum_to_one_are_refused_with_place_and_remedy(edited):
    wrong = TREE.replace("probability: 0.6", "probability: 0.5")
    with pytest.raises(InputError, match=r"expansion\.tree\.demand.*sum to 0\.9: must sum to 1; raise them by 0\.1"):
        load(edited(("expansion:\n", wrong)))


def test_a_planner_of_the_central_path_decides_nothing_beforehand(edited):
    known = load(edited(("expansion:\n", "expansion:\n  decides: central\n")))
    assert plan(known, draws=0).chain.decided is None


def test_an_announced_plan_is_spent_as_plans_turn_out(scenario, chain):
    whole, more = released(scenario), released(scenario.with_numbers({"expansion.execution": 1.2}))
    assert more == pytest.approx(1.2 * whole)
    ahead = scenario.with_numbers({"expansion.paid_ahead": 1.0})
    assert paid_ahead(ahead, chain.plan).sum() == pytest.approx(chain.plan.spending.budget_left_cur[-1])


def test_prices_hold_as_far_as_rivals_can_pay_for_what_the_firm_leaves(chain):
    from jevons.study.chain.fixed_point import plan_of

    idle = plan_of(chain.scenario, without_orders(chain.plan.problem))
    assert rule(chain.scenario) == HELD  # no rival states a budget
    held = response(chain, idle)
    assert (held.taken_frac == 1).all()
    assert held.scarcity == pytest.approx(chain.exchange.scarcity)
    assert RULE != HELD
