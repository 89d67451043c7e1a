"""Results break loudly where an invariant does not hold."""

import dataclasses
import math

import numpy as np
import pytest

import jevons
from jevons.checks import InvariantError, check_record


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"a": math.nan}, "a = nan is not finite"),
        ({"a": [{"b": math.inf}]}, r"a\[0\].b = inf"),
        ({"a": np.array([1.0, math.nan])}, "a is not finite"),
        ({"kv_bytes": -128}, "kv_bytes = -128.0 is negative"),
        ({"it_w": np.array([1.0, -2.0])}, "it_w = -2.0 is negative"),
        ({"utilisation_frac": 1.5}, "no share of 1"),
        ({"low": 2.0, "value": 1.0, "high": 3.0}, "fall"),
        ({"ttft_s_low": 2.0, "ttft_s": 1.0}, "fall"),
        ({"p50": 2.0, "p90": 1.0}, "fall"),
    ],
)
def test_a_figure_that_cannot_be_is_refused(record, message):
    with pytest.raises(InvariantError, match=message):
        check_record("size", record)


def test_figures_that_can_be_pass():
    check_record("size", {"a": None, "npv_cny": -5.0, "low": 1, "high": 2, "p50": 1.0, "p90": 1.0, "x": ["word", True]})


def test_every_public_result_is_checked_before_it_is_returned(monkeypatch):
    from jevons.operators.result import OpResult

    monkeypatch.setattr(OpResult, "time_s", property(lambda _self: math.inf))
    with pytest.raises(InvariantError, match="defect of jevons"):
        jevons.operators.gemm(64, 128, 256, gpu="h20")


def test_a_fleet_whose_cost_is_not_hours_times_price_is_refused():
    found = jevons.size("llama-3.1-8b", gpu="h100_sxm", rate=5, static=True)
    dear = dataclasses.replace(found.best, point=dataclasses.replace(found.best.point, ttft_s=-1.0))
    with pytest.raises(InvariantError, match="defect of jevons"):
        dataclasses.replace(found, entries=(dear,)).check()


def test_a_training_run_whose_parts_do_not_add_up_is_refused():
    found = jevons.train("llama-3.1-8b", gpu="h20", gpus=64, tokens="1B")
    wrong = dataclasses.replace(found.best, step_time_s=2 * found.best.step_time_s)
    with pytest.raises(InvariantError, match="parts of the step"):
        dataclasses.replace(found, steps=(wrong,)).check()
