"""What a training layout keeps against published outcomes: what ran, and what ran out of memory."""

from pathlib import Path

import pytest

import jevons
from jevons import models
from jevons.errors import InfeasibleError
from jevons.hardware import Cluster, accelerator
from jevons.training import TrainingJob, TrainingLayout, TrainingSoftware, memory_bytes, training_factors
from jevons.training.memory import check_fits
from jevons.validation.report import score

OUTCOMES = Path(__file__).parents[2] / "data" / "training" / "h100_layouts.csv"


def used_frac(model, gpu, devices, *, seq_len=1024, eager=False, **layout):
    cluster = Cluster(accelerator(gpu), devices)
    one = TrainingJob(
        model=models.load(model),
        cluster=cluster,
        seq_len=seq_len,
        global_batch=devices,
        software=TrainingSoftware(eager_memory=eager),
    )
    kept = memory_bytes(one, TrainingLayout(dp=devices, **layout))
    return sum(kept.values()) / cluster.accelerator.hbm_bytes


def test_outcomes_of_a_sweep_are_told_and_none_is_promised_that_failed():
    fits = score(one for one in jevons.validate(OUTCOMES).entries if one.metric == "fits")
    assert fits.rows == fits.answered > 50
    assert fits.right_frac >= 0.95  # 98.9 % of the whole sweep
    assert fits.unsafe <= 1


@pytest.mark.parametrize("devices", [7, 8])
def test_zero_3_of_32b_does_not_fit_on_eight_a800(devices):
    # LLaMA-Factory 6999
    assert used_frac("qwen2.5-32b", "a800", devices, zero=3, recompute="full") > 1.0
    cluster = Cluster(accelerator("a800"), devices)
    one = TrainingJob(model=models.load("qwen2.5-32b"), cluster=cluster, seq_len=1024, global_batch=devices)
    with pytest.raises(InfeasibleError, match=r"needs \d\d\.\d GB per device"):
        check_fits(one, TrainingLayout(dp=devices, zero=3, recompute="full"))


def test_zero_2_of_7b_is_tight_on_eight_v100_of_32_gb():
    # LLaMA-Factory 260: out of memory
    assert used_frac("llama-2-7b", "v100", 8, zero=2, recompute="full") > 0.9


def test_copies_take_more_than_fused_kernels():
    plain, copies = (used_frac("llama-3.1-8b", "h100", 8, eager=eager, recompute="none") for eager in (False, True))
    assert copies > 1.2 * plain


def test_gathered_ends_count_where_weights_are_shared_out():
    factors = training_factors()
    assert factors.memory.eager_logit_bytes > factors.memory.logit_bytes
    small, large = (used_frac(model, "h100", 8, zero=3, recompute="full") for model in ("qwen2.5-7b", "qwen2.5-14b"))
    assert small < large < 1.0


def test_a_run_says_its_margin():
    run = jevons.train("llama-3.1-8b", gpu="h100_sxm", gpus=64, seq_len=8192, batch=128, tokens=1e9)
    record = run.to_json()
    assert record["fits"]
    assert record["margin_frac"] == pytest.approx(1.0 - record["memory_bytes"] / accelerator("h100_sxm").hbm_bytes)
    assert record["tight"] == ("tight" in record["answer"])
