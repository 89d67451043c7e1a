"""Feedback through productivity and income: off by default, small over a plan, and by the formula."""

import pytest

import jevons
from jevons.study.chain.demand import income_growth
from jevons.study.compare.cases import case_named, sides
from jevons.study.scenario.changes import changed
from jevons.study.scenario.load import load
from places import MAIN, TINY


def test_there_is_none_by_default():
    assert income_growth(load(TINY)) == 1.0
    assert income_growth(load(MAIN)) == 1.0


def test_productivity_of_a_years_diffusion_raises_calls():
    scenario = load(MAIN)
    full = changed(scenario, {"market.macro.productivity": 0.1, "market.macro.income_elasticity": 2.0})
    outside = [s for s in scenario.market.segments.values() if not s.internal and not s.rents]
    weight = sum(s.adopters.value for s in outside)
    pace = sum(
        s.adopters.value * 4 * (s.bass_p.value + s.bass_q.value * s.adopted.value) * (1 - s.adopted.value)
        for s in outside
    )
    assert income_growth(full) == pytest.approx((1 + 0.1 * min(pace / weight, 1.0)) ** 2)


def test_the_case_moves_demand_by_little():
    """Estimates of productivity are a few per cent in ten years, so that three years of them hardly move a plan."""
    _, both = sides(case_named("macro"), load(MAIN))
    assert 1.0 < income_growth(both) < 1.03


@pytest.mark.slow
def test_more_income_is_more_calls():
    base = jevons.plan(TINY, draws=0)
    rich = jevons.plan(TINY, draws=0, set={"market.macro.productivity": 0.5})
    last = [plan.chain.market.market_calls_per_d[:, -1].sum() for plan in (base, rich)]
    assert last[1] > last[0]
