"""Intervals of predicted training: where they come from, and how they are carried to days, money and rates."""

import json
import math

import numpy as np
import pytest

import jevons
from jevons.training.spread import shipped
from jevons.validation.fit.training import _quantiles
from places import ROOT

JOB = {"gpus": 64, "tokens": "15B"}


@pytest.fixture(scope="module")
def dense():
    return jevons.train("llama-3.1-8b", gpu="h100_sxm", **JOB)


def test_four_fifths_of_the_rows_left_out_lie_in_the_intervals():
    report = json.loads((ROOT / "docs/validation/training.json").read_text(encoding="utf-8"))
    assert report["spread"] == shipped()["quantiles"]
    ratio = np.exp([-error for _, _, error in report["points"]])
    low, high, rows = shipped()["quantiles"]["same"]["dense"]
    assert rows > 1000
    assert 0.70 < np.mean((low <= ratio) & (ratio <= high)) < 0.85
    assert (
        0.75
        < np.average(list(report["inside"].values()), weights=[report["families"][f]["rows"] for f in report["inside"]])
        < 0.85
    )


def test_weights_count_as_repeats():
    values = np.array([3.0, 1.0, 2.0])
    assert _quantiles(values, np.ones(3), (0.5,))[0] == 2.0
    assert _quantiles(values, np.array([8.0, 1.0, 1.0]), (0.5,))[0] > 2.0


def test_every_figure_of_a_run_that_rests_on_the_step_has_its_interval(dense):
    record, own = dense.to_json(), dense.spread
    assert own.nearness == "same"
    assert own.low < 1.0 < own.high
    for name in ("step_time_s", "days", "accelerator_h", "energy_j", "cost"):
        assert record[f"{name}_low"] == pytest.approx(record[name] * own.low)
        assert record[f"{name}_high"] == pytest.approx(record[name] * own.high)
    for name in ("mfu_frac", "hfu_frac", "tokens_per_s"):
        assert record[f"{name}_low"] == pytest.approx(record[name] / own.high)
        assert record[f"{name}_high"] == pytest.approx(record[name] / own.low)
    hours = [24 * record[f"days_{end}"] for end in ("low", "high")]
    assert f"hours [{hours[0]:.1f}–{hours[1]:.1f}]" in dense.answer
    assert dense.tables["run"].to_frame()["days_high"][0] == pytest.approx(record["days_high"])


def test_a_device_without_rows_and_a_mixture_are_less_sure(dense):
    unseen = jevons.train("llama-3.1-8b", gpu="ascend_910b", **JOB).spread
    mixture = jevons.train("mixtral-8x7b", gpu="h100_sxm", **JOB).spread
    width = {name: math.log(one.high / one.low) for name, one in
             {"dense": dense.spread, "unseen": unseen, "mixture": mixture}.items()}  # fmt: skip
    assert unseen.nearness == "new device"
    assert width["dense"] < width["unseen"]
    assert width["dense"] < width["mixture"]
    assert "had not seen" in dense.to_json()["interval"]["why"]
