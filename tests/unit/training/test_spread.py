"""Intervals of predicted training: where they come from, and how they are carried to days, money and rates."""

import json
import math

import numpy as np
import pytest

import jevons
from jevons.training.spread import shipped
from jevons.validation.fit.training import ends_of_next
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
    # Half of the rows are of one file, which lies closer than a further file would: files count alike below.
    assert 0.75 < np.mean((low <= ratio) & (ratio <= high)) < 0.9
    assert 0.75 < np.mean(list(report["inside"].values())) < 0.85


def test_a_next_group_lies_as_far_off_as_groups_scatter():
    inside = []
    for seed in range(40):  # each of twenty groups, one draw of a further one
        rng = np.random.default_rng(seed)
        middles, noise = 0.2 * rng.standard_normal(20), 0.1 * rng.standard_normal(1000)
        low, high = ends_of_next(np.repeat(middles, 50) + noise, np.repeat(np.arange(20), 50).astype(str))
        further = np.hypot(0.2, 0.1) * rng.standard_normal(1000)
        inside.append(np.mean((low < further) & (further < high)))
    assert 0.77 < np.mean(inside) < 0.83
    noise = 0.1 * np.random.default_rng(7).standard_normal(1000)
    alone = ends_of_next(noise, np.repeat("one", 1000))
    assert alone == pytest.approx(tuple(np.quantile(noise, [0.1, 0.9])))


def test_a_maker_with_rows_of_one_file_is_less_sure():
    first = shipped()["quantiles"]
    assert "NVIDIA" in shipped()["makers"]
    for nearness, wider in (("same", "few"), ("new device", "new kind")):
        for kind in ("dense", "moe"):
            assert first[wider][kind][0] < first[nearness][kind][0] < first[nearness][kind][1] < first[wider][kind][1]
    tpu = jevons.train("llama-3.1-8b", gpu="tpu_v6e", gpus=256, tokens="15B").spread
    assert tpu.nearness == "few"


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
    assert unseen.nearness == "new kind"
    assert width["dense"] < width["unseen"]
    assert width["dense"] < width["mixture"]
    assert "had not seen" in dense.to_json()["interval"]["why"]
