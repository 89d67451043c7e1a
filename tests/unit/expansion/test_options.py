"""Whole clusters and site blocks, the value of seeing ahead, and export regimes."""

import itertools

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.expansion import DAYS_PER_QUARTER, export_regimes, solve, value_of_information


@pytest.mark.parametrize(("worth", "held"), [(500_000.0, 0.0), (2_000_000.0, 1.0)])
def test_a_whole_cluster_is_held_only_where_it_is_worth_the_calls_it_displaces(make_problem, worth, held):
    # One quarter, 100 devices given; a cluster of 60 displaces calls that bring 2.76 and 1.76 CNY net of energy.
    problem = make_problem(
        quarters=1,
        initial_devices=np.array([[100.0]]),
        supply_devices=np.zeros((1, 1)),
        block_calls_per_d=np.full((1, 1, 3), 5000.0),
        cluster_devices=60.0,
        cluster_cur_per_quarter=np.array([worth]),
    )
    plan = solve(problem)
    by_hand = 5000.0 * 3.0 + 5000.0 * 2.0 - 10_000.0 * 0.12, 4000.0 * 3.0 - 10_000.0 * 0.12
    without, within = (DAYS_PER_QUARTER * x for x in by_hand)
    assert plan.fleet.cluster.sum() == held
    assert plan.objective_cur == pytest.approx(max(without, within + worth), rel=1e-9)
    assert plan.fleet.training_devices.sum() == pytest.approx(60.0 * held)


def test_no_cluster_smaller_than_whole_is_held_or_paid_for(make_problem):
    problem = make_problem(
        quarters=1,
        initial_devices=np.array([[59.0]]),
        supply_devices=np.zeros((1, 1)),
        cluster_devices=60.0,
        cluster_cur_per_quarter=np.array([1e12]),
    )
    assert solve(problem).fleet.cluster.sum() == 0.0


def test_a_cluster_without_a_worth_is_a_fault(make_problem):
    with pytest.raises(InputError, match=r"cluster_devices: 60 devices without a worth"):
        solve(make_problem(cluster_devices=60.0))


def test_sites_grow_in_whole_blocks_and_match_an_exhaustive_search(make_problem):
    block_w = 7000.0
    problem = make_problem(
        quarters=2,
        initial_site_w=np.zeros(1),
        site_build_w_per_quarter=np.array([21_000.0]),
        site_capex_cur_per_w=np.full((1, 2), 3.0),
        site_block_w=np.array([block_w]),
        terminal_cur_per_device=np.full((1, 2), 8000.0),
    )
    plan = solve(problem)
    added = np.diff(np.concatenate([[0.0], plan.fleet.site_w[0]]))
    assert np.allclose(added / block_w, np.round(added / block_w), atol=1e-9)

    def held_to(counts):
        limit = block_w * np.cumsum(counts)
        free = make_problem(
            quarters=2,
            initial_site_w=np.zeros(1),
            site_limit_w=limit[None],
            site_build_w_per_quarter=np.array([21_000.0]),
            site_capex_cur_per_w=np.zeros((1, 2)),
            terminal_cur_per_device=np.full((1, 2), 8000.0),
        )
        return solve(free).objective_cur - float(3.0 * block_w * (free.money.discount * counts).sum())

    best = max(held_to(np.array(pair)) for pair in itertools.product(range(4), repeat=2))
    assert plan.objective_cur == pytest.approx(best, rel=1e-9)


def test_seeing_ahead_is_worth_something_where_demand_goes_away(make_problem):
    calls = np.zeros((1, 4, 3))
    calls[:, :2] = 1000.0
    problem = make_problem(
        block_calls_per_d=calls, capex_cur_per_device=np.full((1, 4), 30_000.0), budget_cur=np.full(4, 1e7)
    )
    found = value_of_information(problem, window_quarters=4)
    assert found.whole_cur > 0
    assert found.beyond_window_cur == pytest.approx(0.0, abs=1e-6 * abs(found.perfect_cur))


def test_fear_of_a_ban_brings_orders_forward_and_knowing_has_a_price(make_problem):
    growing = np.full((1, 4, 3), 200.0) * np.array([1.0, 2.0, 8.0, 8.0])[None, :, None]
    problem = make_problem(block_calls_per_d=growing, budget_cur=np.full(4, 1e7), capex_cur_per_device=_falling())
    open_supply = np.full((1, 4), 500.0)
    barred = open_supply.copy()
    barred[:, 2:] = 0.0
    found = export_regimes(problem, {"open": (0.6, open_supply), "ban": (0.4, barred)}, known_from=2)
    assert np.all(np.diagonal(found.objective_cur) >= found.objective_cur.max(axis=0) * (1 - 1e-9))
    assert found.objective_cur[0, 1] < found.objective_cur[1, 1]
    certain = export_regimes(problem, {"open": (1.0, open_supply), "ban": (0.0, barred)}, known_from=2)
    assert found.information_cur > 0
    assert certain.information_cur == pytest.approx(0.0, abs=1e-6)
    assert certain.best == "open"


def _falling():
    return 30_000.0 * np.array([[1.0, 0.9, 0.6, 0.6]])


def test_regimes_must_agree_until_they_show_and_add_up(make_problem):
    problem = make_problem()
    supply = np.full((1, 4), 5.0)
    with pytest.raises(InputError) as error:
        export_regimes(problem, {"a": (0.5, supply), "b": (0.6, supply * 2)}, known_from=2)
    assert "probabilities sum to 1.1" in str(error.value)
    assert "regimes.b: supply differs before quarter 2" in str(error.value)
