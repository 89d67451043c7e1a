"""Two published runs as outside checks: no factor is fitted to them. Terms were added since they were first read.

Run with ``-s`` to see the errors.
"""

from dataclasses import replace

import pytest

from jevons import models, training
from jevons.hardware import cluster

# DeepSeek-V3 technical report, arXiv 2412.19437, table 1: H800 hours of pre-training on 14.8 T tokens (2.788 M with
# context extension and post-training). Sections 3 and 4: 2,048 H800, pp 16, ep 64, ZeRO-1, fp8, moments in 16 bits,
# exchange of tokens fully hidden by a two-sided zero-bubble schedule, 15,360 sequences of 4,096, one further token.
DEEPSEEK_PRETRAINING_H = 2.664e6
# The Llama 3 herd of models, arXiv 2407.21783, table 4: tp 8, pp 16, sequences of 8,192, 16 M tokens per step.
LLAMA = {8192: (64, 430e12), 16384: (128, 400e12)}


def test_deepseek_v3_pretraining_hours():
    factors = replace(training.training_factors(), optimizer_bytes=8.0, ep_overlap_frac=1.0, far_ep_overlap_frac=1.0)
    job = training.TrainingJob(
        model=models.load("deepseek-v3"),
        cluster=cluster("h800_sxm", 2048),
        seq_len=4096,
        global_batch=15_360,
        precision="fp8_block",
        tokens=14.8e12,
        factors=factors,
        mtp=True,
        graphed=True,  # while the host waits for one of two interleaved micro-batches, the device works on the other
    )
    layout = training.TrainingLayout(pp=16, dp=128, ep=64, zero=1, recompute="selective", zero_bubble=True)
    step = training.step(job, layout)
    hours = training.run_estimate(job, step).accelerator_h
    error = hours / DEEPSEEK_PRETRAINING_H - 1.0
    print(f"{hours / 1e6:.2f} M H800 hours predicted, {DEEPSEEK_PRETRAINING_H / 1e6} M published ({error:+.0%})")  # noqa: T201
    assert abs(error) < 0.12


@pytest.mark.parametrize("devices", LLAMA)
def test_llama_405b_rate_per_device(devices):
    dp, published = LLAMA[devices]
    job = training.TrainingJob(
        model=models.load("llama-3.1-405b"), cluster=cluster("h100_sxm", devices), seq_len=8192, global_batch=2048
    )
    layout = training.TrainingLayout(tp=8, pp=16, vpp=8, dp=dp, zero=2, recompute="selective")
    step = training.step(job, layout)
    error = step.flop_per_s_per_device / published - 1.0
    print(f"{devices}: {step.flop_per_s_per_device / 1e12:.0f} Tflop/s, MFU {step.mfu_frac:.0%} ({error:+.0%})")  # noqa: T201
    assert abs(error) < 0.12
