"""Value by channel: parts sum to the difference, and each channel has the sign that its cause gives it."""

import pytest

from jevons.facts import default_facts
from jevons.study import load
from jevons.study.chain.decide import decided_chain
from jevons.study.chain.operating_points import engineer
from jevons.study.chain.value_bridge import CHANNELS, value_channels
from jevons.study.draws.study import sweep_study
from places import MAIN, TINY

pytestmark = pytest.mark.slow  # plans whole scenarios


@pytest.fixture(scope="module")
def run():
    scenario = load(MAIN)
    engineering = engineer(scenario, default_facts(), scenario.as_of)
    base = decided_chain(scenario, engineering)

    def changed(**values):
        numbers = {path.replace("__", "."): value for path, value in values.items()}
        return decided_chain(scenario.with_numbers(numbers), engineering, start=base)

    return base, changed


@pytest.mark.parametrize(
    "change",
    [
        {"serving__efficiency": 0.25},
        {"serving__efficiency": 4.0},
        {"serving__engineering_error": 5.0},
        {"market__rental_price": 12.0},
        {"cost__wacc": 0.12},
    ],
)
def test_channels_sum_to_the_difference_of_value(run, change):
    base, changed = run
    other = changed(**change)
    parts = value_channels(base, other)
    whole = other.accounts.plan_value_cur - base.accounts.plan_value_cur
    assert set(parts) == set(CHANNELS)
    assert sum(parts.values()) == pytest.approx(whole, abs=1.0)
    if "cost__wacc" not in change:
        assert abs(parts["terms"]) < 1e-3 * max(abs(part) for part in parts.values())
    else:
        assert parts["terms"] < 0.5 * whole < 0


def test_channels_of_an_answer_against_itself_are_nothing(run):
    base, _ = run
    assert value_channels(base, base) == pytest.approx(dict.fromkeys(CHANNELS, 0.0), abs=1.0)


def test_the_way_back_undoes_the_way_there(run):
    base, changed = run
    other = changed(serving__efficiency=2.0)
    there, back = value_channels(base, other), value_channels(other, base)
    assert there == pytest.approx({name: -part for name, part in back.items()}, abs=1e7)


def test_more_efficient_hours_sell_more_work_at_lower_prices_in_fewer_hours(run):
    base, changed = run
    parts = value_channels(base, changed(serving__efficiency=2.0))
    for gain in ("tokens_per_call", "calls", "self_served", "training"):
        assert parts[gain] > 0, gain
    for loss in ("price", "self_served_hours", "training_hours"):
        assert parts[loss] < 0, loss


def test_the_value_of_the_main_scenario_has_no_peak_at_todays_efficiency(run):
    # a ceiling on tokens per call, met at today's software gains, had put one there
    base, changed = run
    half, less, more, double = (changed(serving__efficiency=x).accounts.plan_value_cur for x in (0.5, 0.8, 1.25, 2.0))
    today = base.accounts.plan_value_cur
    assert half < 0.95 * today
    # it rises through today's and little from there on, within what a fixed point that is met to 1 % leaves open: rents
    # above calm ones are not capitalised, and list prices follow hosts with a lag, so that a part of a gain is kept
    assert less < today < more
    assert more == pytest.approx(today, rel=0.035)
    assert 0.965 * today < double < 1.1 * today


def test_points_of_a_sweep_say_what_makes_their_value():
    study = sweep_study(load(TINY), {"serving.efficiency": [0.5, 1.0, 2.0]})
    whole = study.draws.outcomes["plan_value"]
    parts = sum(study.draws.channels.values())
    assert parts - parts[1] == pytest.approx(whole - whole[1], abs=1.0)
    table = study.tables["channels"]
    assert table.records()[-1]["channel"] == "Together"
    assert study.to_json()["channels"].keys() == CHANNELS.keys()
