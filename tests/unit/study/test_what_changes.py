"""What would change the answer of a study: told from the figures alone, in both languages."""

from types import SimpleNamespace

import numpy as np
import pytest

import jevons
from jevons.study.draws.run import Draws
from jevons.study.scenario.labels import amount_label
from jevons.study.what_changes import amount_texts, of_comparison, of_draws, of_grid, of_swings, of_track, of_value
from jevons.web.wording import said
from places import TINY

WORTH = {"value_per_share": np.array([100.0, 120.0, 140.0])}


@pytest.fixture(scope="module")
def scenario():
    return jevons.load(TINY)


def swing(path, at_low, at_high, **more):
    ends = {"at_low_cur": at_low, "at_high_cur": at_high, "swing_cur": abs(at_high - at_low)}
    return SimpleNamespace(path=path, unit="1", low=0.08, high=0.12, value_cur=100.0, price_cur=90.0, **ends, **more)


def test_amounts_are_written_with_their_unit_and_shares_in_per_cent():
    assert amount_texts((0.08, 0.125), "1", "CNY") == ["8 %", "12.5 %"]
    assert amount_texts((0.5, 2.0), "1", "CNY") == ["0.5", "2"]
    assert amount_texts((3.1e11, -2e9), "¤", "CNY") == ["310 bn CNY", "-2.00 bn CNY"]
    assert amount_texts((0.36,), "¤/kWh", "CNY") == ["0.36 CNY/kWh"]


def test_an_amount_is_named_in_words_after_what_it_belongs_to(scenario):
    assert amount_label(scenario, "cost.wacc") == "WACC"
    assert amount_label(scenario, "hardware.devices.h20.supply") == "H20: supply per quarter"
    assert amount_label(scenario, "market.segments.shops.value").endswith(": value of a call")


def test_inputs_that_can_bring_the_value_to_the_price_are_counted(scenario):
    swings = [swing("cost.wacc", 120.0, 80.0), swing("finance.tax", 110.0, 95.0), swing("finance.stakes", 100.0, 100.0)]
    names = {one.path: amount_label(scenario, one.path) for one in swings}
    *moves, crossing = of_value(swings, names, scenario)
    assert [one.values["at_low"] for one in moves] == pytest.approx([0.2, 0.1])
    assert crossing.values == {"count": "1", "all": "2", "inputs": ["WACC"]}
    assert "WACC: value per share +20 % at 8 %, -20 % at 12 %." in said(moves, "en")


def test_nothing_is_told_of_a_value_that_is_no_gain():
    assert list(of_swings([swing("cost.wacc", 1.0, 2.0)], [(1.0, 2.0)], -5.0, ["WACC"], "value", "CNY")) == []


def test_draws_name_the_input_that_the_value_hangs_on_and_none_by_chance(scenario):
    values = np.linspace(0.08, 0.12, 60)[:, None]
    other = np.random.default_rng(0).random((60, 1))
    worth = {"value_per_share": 200.0 - 1000.0 * values[:, 0]}
    draws = Draws(names=("cost.wacc", "finance.tax"), values=np.hstack([values, other]), outcomes=worth, infeasible=0)
    ranked = of_draws(draws, scenario).values["inputs"]
    assert [one.values for one in ranked] == [{"input": "WACC", "size": "−1.00"}]
    few = Draws(names=("finance.tax",), values=other[:4], outcomes={"value_per_share": np.arange(4.0)}, infeasible=0)
    assert of_draws(few, scenario).id == "change.no_rank"


def test_a_grid_says_where_the_value_is_least_and_most(scenario):
    draws = Draws(names=("cost.wacc",), values=np.array([[0.12], [0.1], [0.08]]), outcomes=WORTH, infeasible=0)
    text = said([of_grid(draws, scenario)], "en")
    assert text == "value per share is least, 100 CNY/ADS, at WACC = 12 % and most, 140 CNY/ADS, at WACC = 8 %."


def test_changes_that_act_together_are_told_beside_what_they_do_alone():
    difference = {"value_per_share": {"p_higher": 0.9}}
    parts = {"value_per_share": {"a": 5.0, "b": -2.0, "interaction": 0.5}}
    pairs, together = of_comparison(difference, parts, "interaction")
    assert pairs.values["chance"] == 0.9
    assert together.values == {"alone": "+3", "together": "+0.5"}
    assert list(of_comparison({"value_per_share": {}}, {}, "interaction")) == []


def test_what_came_outside_and_what_moves_by_it_are_told_in_words(scenario):
    outside = [{"series": "AI revenue", "quarter": "2025-Q2", "actual": "3.1 bn CNY", "side": "above",
                "end": "2.9 bn CNY"}]  # fmt: skip
    told = said(list(of_track([("cost.wacc", 0.1, 0.12, 1.5)], outside, scenario)), "en")
    assert "AI revenue of 2025-Q2 came at 3.1 bn CNY, above the forecast's 2.9 bn CNY." in told
    assert "What came moves WACC from 10 % to 12 %." in told
    assert next(iter(of_track([], [], scenario))).id == "change.unmoved"
