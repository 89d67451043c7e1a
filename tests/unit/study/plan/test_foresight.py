"""The worth of seeing ahead and of knowing the export regime, on a small scenario."""

import numpy as np
import pytest

from jevons.study import load, plan
from jevons.study.plan.foresight import knowing
from jevons.study.plan.foresight_result import ForesightResult
from places import TINY


@pytest.fixture(scope="module")
def found():
    scenario = load(TINY).with_values({"hardware.devices.h20.supply": 100.0, "hardware.devices.l20.supply": 20.0})
    result = plan(scenario)
    return knowing(result.chain, result.engineering, window_quarters=2)


def test_seeing_more_is_never_worth_less(found):
    tiny = 1e-9 * abs(found.sight.perfect_cur)
    assert found.sight.whole_cur >= -tiny
    assert found.sight.beyond_window_cur >= -tiny


def test_the_regimes_are_the_bans_that_may_come_with_their_chances(found):
    assert found.known_from == "2025-Q4"
    assert found.regimes.names == ("none barred", "h20 barred")
    assert found.regimes.probability_frac == pytest.approx([0.7, 0.3])


def test_orders_for_the_regime_that_comes_are_the_best_and_a_ban_costs_who_did_not_expect_it(found):
    worth = found.regimes.objective_cur
    tiny = 1e-9 * np.abs(worth).max()
    assert (worth <= np.diagonal(worth)[None, :] + tiny).all()
    assert worth[0, 1] < worth[0, 0]
    assert worth[1, 1] < worth[0, 0]
    assert found.regimes.information_cur >= -tiny


def test_without_a_possible_ban_there_are_no_regimes():
    scenario = load(TINY).with_values({"hardware.devices.h20.ban_probability": 0.0})
    result = plan(scenario)
    assert knowing(result.chain, result.engineering, window_quarters=2).regimes is None


def test_orders_under_the_tree_lose_against_knowing_and_gain_against_the_mean(found):
    tiny = 1e-9 * abs(found.tree.wait_and_see_cur)
    assert found.tree.information_cur >= -tiny
    assert found.tree.stochastic_cur >= -tiny


def test_the_worth_of_knowing_the_future_is_a_table_and_in_json(found):
    result = ForesightResult(scenario=load(TINY), window_quarters=2, knowing=found)
    rows = result.tables["futures"].records()
    worths = [row["worth_of_knowing"] for row in rows]
    assert worths == pytest.approx(sorted(worths), abs=1e-6)
    assert result.to_json()["futures"]["information"] == pytest.approx(found.tree.information_cur)
    assert "Knowing which future comes would add" in result.answer
