"""What value rests on is printed, and an input that moves it by much is named in the answer."""

import pytest

from jevons.study import load, plan
from places import TINY


@pytest.fixture(scope="module")
def planned():
    return plan(load(TINY), draws=0)


def with_range(planned, path, low, high):
    import dataclasses

    from jevons.study.plan.tornado import value_swings

    amount = dataclasses.replace(planned.scenario.amounts()[path], low=low, high=high)
    moved = planned.scenario._replaced({path: amount})
    return value_swings(dataclasses.replace(planned.chain, scenario=moved))


def test_an_input_without_a_range_moves_nothing(planned):
    assert all(one.low < one.high for one in planned.value_swings)


def test_a_wider_range_of_the_cost_of_capital_moves_value_more_and_is_named(planned):
    narrow = with_range(planned, "cost.wacc", 0.099, 0.101)
    wide = with_range(planned, "cost.wacc", 0.05, 0.2)
    small, great = (next(one for one in some if one.path == "cost.wacc") for some in (narrow, wide))
    assert great.swing_cur > small.swing_cur
    assert great.at_low_cur != great.at_high_cur
    assert great.named
    assert great.grade


def test_swings_come_with_the_greatest_first(planned):
    sizes = [one.swing_cur for one in with_range(planned, "finance.terminal_margin", 0.05, 0.4)]
    assert sizes == sorted(sizes, reverse=True)
