"""The static point and the simulator answer alike where both apply: one request at a time, on the same engine."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from draws import draws
from jevons import models, serving
from jevons.errors import InfeasibleError, InputError
from jevons.hardware import accelerator
from jevons.serving import sim
from jevons.sizing.rank_table import rank_table

TOLERANCE = 0.015
APART_S = 1e4

model = st.sampled_from(["qwen3-0.6b", "llama-3.1-8b", "qwen2.5-32b", "gpt-oss-20b", "qwen3-30b-a3b", "gemma-3-27b"])
device = st.sampled_from(["h100_sxm", "h20", "a800_sxm", "ascend_910b"])
tp = st.sampled_from([1, 2, 4, 8])
engine = st.sampled_from(["vllm", "sglang", "trtllm", "generic"])
isl, osl = st.integers(1, 20_000), st.integers(1, 1500)
max_batch = st.integers(1, 300)


def deployed(model, device, engine, max_batch, **layout):
    return serving.Deployment(
        model=models.load(model),
        accelerator=accelerator(device),
        layout=serving.Layout(**layout),
        precision="native",
        kv_precision="bf16",
        engine=serving.engine(engine).replace(max_batch=max_batch),
    )


def lone(isl, osl, count=3):
    """Requests so far apart that none meets another."""
    return sim.Requests(arrival_s=np.arange(count) * APART_S, isl=np.full(count, isl), osl=np.full(count, osl), users=0)


def alike(point, found, osl):
    assert point.ttft_s == pytest.approx(found.latency.ttft_s.mean, rel=TOLERANCE)
    if osl > 1:
        assert point.tpot_s == pytest.approx(found.latency.tpot_s.mean, rel=TOLERANCE)


@given(model=model, device=device, tp=tp, engine=engine, isl=isl, osl=osl, max_batch=max_batch)
@settings(max_examples=draws(40), deadline=None)
def test_lone_requests_take_as_long_at_the_static_point_as_simulated(model, device, tp, engine, isl, osl, max_batch):
    """Invariant 63: At low load the static point and the simulator give the same TTFT and TPOT, within 1.5 %."""
    try:
        whole = deployed(model, device, engine, max_batch, tp=tp)
        point = serving.static_point(whole, serving.Workload(isl, osl), 1.0)
        limits = sim.limits_of(whole, context=isl + osl)
        table = sim.step_table(whole, limits.max_batch, limits.step_tokens)
        found = sim.simulate(lone(isl, osl), table, limits, entry_s=serving.entry_time_s(whole))
    except (InputError, InfeasibleError):
        assume(False)
    alike(point, found, osl)


@given(model=model, device=device, tp=st.tuples(tp, tp), isl=isl, osl=osl)
@settings(max_examples=draws(15), deadline=None)
def test_lone_requests_take_as_long_where_prompts_are_apart(model, device, tp, isl, osl):
    """Invariant 64: The two also agree where prompts are processed on a pool of their own."""
    try:
        prompts, decode = (
            deployed(model, device, "vllm", most, tp=degree) for most, degree in zip((1, 16), tp, strict=True)
        )
        point = serving.static_point(decode, serving.Workload(isl, osl), 1.0, prefill=prompts)
        pools = []
        for one in (prompts, decode):
            limits = sim.limits_of(one, context=isl + osl)
            pools.append(sim.Pool(table=sim.step_table(one, limits.max_batch, limits.step_tokens), limits=limits))
        load = lone(isl, osl)
        moved_s = sim.hand_over_s(prompts, decode, load.isl)
        found = sim.simulate_split(load, *pools, moved_s, entry_s=serving.entry_time_s(prompts)).simulated
    except (InputError, InfeasibleError):
        assume(False)
    alike(point, found, osl)


@given(ranks=st.sampled_from([8, 16]), device=st.sampled_from(["h100_sxm", "h20"]), isl=st.integers(16, 6000))
@settings(max_examples=draws(6), deadline=None)
def test_lone_requests_take_as_long_with_attention_ranks(ranks, device, isl):
    """Invariant 65: The two also agree on a layout of attention ranks that share experts."""
    whole = deployed("deepseek-v3", device, "sglang", 8, dp=ranks, ep=ranks, dp_attention=True)
    try:
        point = serving.static_point(whole, serving.Workload(isl, 200), 1.0)
    except InfeasibleError:
        assume(False)
    limits = sim.limits_of(whole, context=isl + 200)
    tokens = min(limits.step_tokens, 1 << 16)
    limits = replace(limits, step_tokens=tokens)
    found = sim.simulate(
        lone(isl, 200), rank_table(whole, limits.max_batch, tokens, isl), limits, entry_s=serving.entry_time_s(whole)
    )
    assert point.tpot_s == pytest.approx(found.latency.tpot_s.mean, rel=TOLERANCE)
    assert point.ttft_s >= found.latency.ttft_s.mean * (1 - 0.05)  # ranks all bring a prompt at the static point


@given(model=model, device=device, isl=st.integers(100, 8000), osl=st.integers(2, 500), max_batch=st.integers(1, 4))
@settings(max_examples=draws(15), deadline=None)
def test_no_more_prompts_share_a_step_than_requests_are_in_flight(model, device, isl, osl, max_batch):
    """Invariant 66: A static point never has more prompts in a step than requests in flight."""
    whole = deployed(model, device, "vllm", max_batch)
    try:
        curve = serving.static_curve(whole, serving.Workload(isl, osl))
    except InfeasibleError:
        assume(False)
    assert (curve.prompts.per_rank <= max_batch).all()
    rows, columns = np.nonzero(curve.allowed(None, None))
    assert (curve.prompts.per_rank[rows] <= np.maximum(curve.batches[columns], 1.0)).all()
    alone = curve.point(curve.best()) if max_batch == 1 else None
    assert alone is None or alone.ttft_s == serving.static_point(whole, serving.Workload(isl, osl), 1.0).ttft_s
