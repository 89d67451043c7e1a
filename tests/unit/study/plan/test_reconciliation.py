"""One operating point: the plan's throughput leads to that of `jevons cost`, one change of service a row."""

import pytest

import jevons
from jevons.facts import default_facts
from jevons.study import load
from jevons.study.chain.operating_points import engineer
from jevons.study.plan.reconciliation import reconciled
from places import TINY


@pytest.fixture(scope="module")
def steps():
    scenario = load(TINY)
    engineering = engineer(scenario, default_facts(), scenario.as_of)
    model, device, points = reconciled(scenario, engineering)
    return model, device, points, engineering


@pytest.mark.slow
def test_the_first_row_is_the_plans_and_the_last_two_are_those_of_other_commands(steps):
    model, device, points, engineering = steps
    seconds = engineering.point(model, device).seconds
    assert points[0].output_tok_per_s == pytest.approx(1 / seconds.per_output_token_s)
    architecture = load(TINY).serving.models[model].architecture
    price = jevons.cost(gpu=device, model=architecture)
    assert points[-2].input_tok_per_s == pytest.approx(1 / price.tokens.seconds.per_input_token_s)
    assert points[-2].output_tok_per_s == pytest.approx(1 / price.tokens.seconds.per_output_token_s)
    machine = jevons.cost(gpu=device, model=architecture, max_replica_gpus=8)
    assert points[-1].output_tok_per_s == pytest.approx(1 / machine.tokens.seconds.per_output_token_s)


@pytest.mark.slow
def test_an_engineering_error_is_the_first_thing_taken_off():
    scenario = load(TINY).with_numbers({"serving.engineering_error": 2.0})
    _, _, points = reconciled(scenario, engineer(scenario, default_facts(), scenario.as_of))
    assert points[0].tok_per_s == pytest.approx(points[1].tok_per_s / 2)
