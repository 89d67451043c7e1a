import dataclasses

import numpy as np
import pytest

from jevons import models, serving
from jevons.errors import InputError
from jevons.hardware import accelerator
from jevons.serving import sim
from jevons.serving.kernel_parts import kernel
from jevons.serving.sim._kernels import leap
from jevons.serving.sim._kernels.state import FOREVER
from jevons.serving.sim.replica import run
from jevons.serving.sim.replica._reference import Job, Replica
from jevons.serving.sim.types import TICKS_PER_S

DEPLOYMENT = serving.Deployment(
    model=models.load("llama-3.1-8b"),
    accelerator=accelerator("h100_sxm"),
    layout=serving.Layout(),
    precision="bf16",
    kv_precision="bf16",
    engine=serving.engine("vllm"),
)
TABLE = sim.step_table(DEPLOYMENT, 256, 2048)
LIMITS = sim.SimLimits(max_batch=256, step_tokens=2048, block_tokens=16, kv_blocks=20_000)


def decode_s(batch: int, context: int) -> float:
    replica = Replica(table=TABLE, limits=LIMITS)
    jobs = [Job(index=i, arrival=0, isl=1, osl=1, want=context - 1, decoding=True) for i in range(batch)]
    return replica.decode_ticks(jobs) / TICKS_PER_S


@pytest.mark.parametrize("batch", [1, 7, 33, 100, 256])
@pytest.mark.parametrize("context", [40, 700, 3000, 50_000])
def test_decode_steps_are_those_of_the_static_model_within_half_a_percent(batch: int, context: int) -> None:
    exact_s = serving.step_time(DEPLOYMENT, decode_batch=batch, decode_context=context).time_s[0]
    assert decode_s(batch, context) == pytest.approx(exact_s, rel=0.005)


@pytest.mark.parametrize("tokens", [1, 100, 500, 2048])
@pytest.mark.parametrize("cached", [0, 1500, 6000])
def test_prompt_steps_are_those_of_the_static_model_within_four_percent(tokens: int, cached: int) -> None:
    exact_s = serving.step_time(DEPLOYMENT, prefill_tokens=tokens, prefill_context=cached).time_s[0]
    ticks = TABLE.alone[tokens] + TABLE.own[tokens] + cached * TABLE.cached[tokens]
    assert ticks / TICKS_PER_S == pytest.approx(exact_s, rel=0.04)


@pytest.mark.parametrize("batch", [1, 20, 200])
@pytest.mark.parametrize("tokens", [100, 1000])
def test_mixed_steps_are_those_of_the_static_model_within_four_percent(batch: int, tokens: int) -> None:
    work = {"prefill_tokens": tokens, "decode_batch": batch, "decode_context": 600}
    exact_s = serving.step_time(DEPLOYMENT, **work).time_s[0]
    added = Replica(table=TABLE, limits=LIMITS).added_ticks(batch, tokens) + int(TABLE.own[tokens])
    assert decode_s(batch, 600) + added / TICKS_PER_S == pytest.approx(exact_s, rel=0.04)


def test_decode_steps_never_get_shorter_as_contexts_grow() -> None:
    for batch in (1, 16, 256):
        times = [decode_s(batch, context) for context in range(1, 3000, 7)]
        assert (np.diff(times) >= -1e-11).all()


@kernel()
def called(table, limits, batch, context, most, ticks):
    """Leap, from a function that Python may call."""
    return leap.leap(table, limits, batch, context, most, ticks)


def test_leaping_many_steps_takes_the_sum_of_their_times() -> None:
    arrays = run.kernel_table(TABLE)
    replica = Replica(table=TABLE, limits=LIMITS)
    jobs = [Job(index=i, arrival=0, isl=1, osl=1, want=300 + 11 * i, decoding=True) for i in range(9)]
    context, total = sum(job.want for job in jobs), 0
    for _ in range(2500):
        total += replica.decode_ticks(jobs)
        for job in jobs:
            job.grown += 1
    bounds = run.bounds_of(LIMITS, 0)
    assert called(arrays, bounds, 9, context, 2500, FOREVER) == (2500, total)
    assert called(arrays, bounds, 9, context, 10_000, total)[0] == 2500
    assert called(arrays, bounds, 9, context, 10_000, total + 1)[0] == 2501


def test_limits_come_from_model_device_and_engine() -> None:
    limits = sim.limits_of(DEPLOYMENT, context=700.0)
    assert limits.kv_blocks == int(serving.kv_capacity_tokens(DEPLOYMENT, 700.0) // 16)
    assert limits.max_batch == DEPLOYMENT.engine.batching.max_batch
    assert sim.limits_of(DEPLOYMENT, context=700.0, kv_tokens=1600.0).kv_blocks == 100
    with pytest.raises(InputError, match="max_batch = 0"):
        sim.limits_of(DEPLOYMENT, context=700.0, max_batch=0)


def test_pipeline_stages_are_refused() -> None:
    with pytest.raises(InputError, match="pipeline stages"):
        sim.step_table(dataclasses.replace(DEPLOYMENT, layout=serving.Layout(pp=2)), 8, 512)
