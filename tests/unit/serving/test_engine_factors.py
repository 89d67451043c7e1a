"""What engines add to operators' times: drafted tokens, launches of prompt steps, scales of kernels."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from jevons import models, serving
from jevons.hardware import accelerator
from jevons.operators import kernels as ops
from jevons.serving.formulas import accepted_tokens
from jevons.serving.scales import generation_of, part_scales
from jevons.serving.step import engine_time, step_time, step_work
from jevons.serving.types import Deployment, Layout


def deployed(model="llama-3.1-8b", **changes):
    given = {
        "model": models.load(model), "accelerator": accelerator("h100_sxm"), "layout": Layout(), "precision": "native",
        "kv_precision": "bf16", "engine": serving.engine("vllm"),
    }  # fmt: skip
    return Deployment(**given | changes)


def test_accepted_tokens_by_hand():
    assert accepted_tokens(0, 0.7) == 1.0
    assert accepted_tokens(1, 0.5) == pytest.approx(1.5)
    assert accepted_tokens(3, 0.5) == pytest.approx(1 + 0.5 + 0.25 + 0.125)


def test_drafting_makes_steps_longer_and_small_batches_faster_per_token():
    plain, drafting = deployed(), deployed(draft_tokens=3)
    small = [step_time(d, decode_batch=4, decode_context=1000).time_s[0] for d in (plain, drafting)]
    large = [step_time(d, decode_batch=512, decode_context=1000).time_s[0] for d in (plain, drafting)]
    gained = accepted_tokens(3, plain.engine.draft_acceptance_frac)
    assert small[1] > small[0]
    assert small[1] / gained < 0.7 * small[0]
    assert large[1] / large[0] > small[1] / small[0]


def test_short_prompts_wait_for_the_host_and_long_ones_do_not():
    slow = deployed(engine=replace(serving.engine("vllm"), prefill_launch_s=1e-4, captured_tokens=0.0))
    work = step_work(slow, prefill_tokens=[16.0, 65536.0])
    without = engine_time(work, replace(slow.engine, prefill_launch_s=0.0)).time_s
    extra = engine_time(work, slow.engine).time_s - without
    assert extra[0] > 0.5 * slow.engine.prefill_launch_s * work.kernels
    assert extra[1] == 0.0


def test_prompt_steps_that_run_as_graphs_wait_for_no_host():
    slow = deployed(engine=replace(serving.engine("vllm"), prefill_launch_s=1e-4, captured_tokens=512.0))
    work = step_work(slow, prefill_tokens=[256.0, 512.0, 513.0])
    extra = engine_time(work, slow.engine).time_s - engine_time(work, replace(slow.engine, prefill_launch_s=0.0)).time_s
    assert extra[:2].tolist() == [0.0, 0.0]
    assert extra[2] > 0.0


def test_decode_steps_pay_no_launches():
    work = step_work(deployed(), decode_batch=[8.0], decode_context=500.0)
    engine = serving.engine("vllm")
    assert engine_time(work, engine).time_s == engine_time(work, replace(engine, prefill_launch_s=1.0)).time_s


def test_scales_of_all_generation_and_engine_multiply():
    scales = {"all": {"compute.bf16": 2.0}, "hopper": {"compute.bf16": 3.0}, "vllm": {"compute.bf16": 0.5}}
    assert part_scales("hopper", "vllm", scales)["compute.bf16"] == pytest.approx(3.0)
    assert part_scales("ada", "sglang", scales)["compute.bf16"] == pytest.approx(2.0)
    work = step_work(deployed(), decode_batch=[2048.0], decode_context=500.0)
    bare = engine_time(work, serving.engine("vllm"), {}).by_part["compute"]
    scaled = engine_time(work, serving.engine("vllm"), scales).by_part["compute"]
    assert np.all(scaled > 2.0 * bare)


def test_reading_weights_for_a_few_rows_knows_no_scale_of_steps_that_compute():
    scales = {"all": {"compute.bf16": 3.0}}
    few, many = (step_work(deployed(), decode_batch=[batch], decode_context=500.0) for batch in (4.0, 2048.0))
    grown = [
        engine_time(work, serving.engine("vllm"), scales).by_part["compute"]
        / engine_time(work, serving.engine("vllm"), {}).by_part["compute"]
        for work in (few, many)
    ]
    assert grown[0] == pytest.approx(1.0, abs=0.01)
    assert grown[1] > 2.5


def test_factors_fitted_later_are_invisible_on_an_earlier_date():
    early = serving.engine("vllm", on=dt.date(2025, 2, 24))
    assert early.scales == {}
    assert early.step_overhead_s != serving.engine("vllm").step_overhead_s


def test_fused_quantisation_never_takes_longer():
    device = accelerator("h100_sxm")
    rows = np.array([1.0, 64.0, 4096.0])
    for engine in ops.kernel_engines():
        factors = ops.Factors(engine=engine)
        alone = ops.gemm(device, rows, 8192, 8192, "fp8", factors=factors).time_s
        fused = ops.gemm(device, rows, 8192, 8192, "fp8", fused_quantisation=True, factors=factors).time_s
        assert np.all(fused <= alone)


def test_what_starts_kernels_is_part_of_their_time():
    device = accelerator("h200_sxm")
    found = ops.gemm(device, [1.0, 4096.0, 65536.0], 8192, 8192, "bf16")
    assert np.all(found.start_s > 0.0)
    assert np.all(found.start_s < found.time_s)


@pytest.mark.parametrize(("model", "kv_bytes_per_token"), [("llama-3.1-8b", 131072.0), ("deepseek-v2-lite", None)])
def test_no_scale_makes_decoding_read_its_cache_faster_than_the_memory(model, kv_bytes_per_token):
    deployment = deployed(model)
    if kv_bytes_per_token is None:
        kv_bytes_per_token = serving.kv_bytes_per_request(deployment, 8192.0) / 8192.0
    work = step_work(deployment, decode_batch=[64.0], decode_context=8192.0)
    floor_s = 64 * 8192 * kv_bytes_per_token / deployment.accelerator.hbm_bytes_per_s
    quick = engine_time(work, deployment.engine, {"all": {"attention.decode": 1e-3}})
    assert work.floors["attention.decode"][0] == pytest.approx(floor_s, rel=1e-6)
    assert quick.by_part["attention"][0] >= floor_s


def test_scales_follow_the_kernels_and_the_links_that_a_device_borrows():
    scales = {"all": {"compute.bf16": 2.0}, "ada": {"compute.bf16": 5.0, "tp_comm": 7.0},
              "blackwell_rtx": {"compute.bf16": 3.0, "tp_comm": 11.0}}  # fmt: skip
    assert generation_of("rtx_4090") == "ada_geforce"
    assert part_scales("ada_geforce", "vllm", scales) == {"compute.bf16": 6.0, "tp_comm": 7.0}
    assert part_scales("ada", "vllm", scales) == {"compute.bf16": 10.0, "tp_comm": 7.0}


def test_old_releases_spend_more_time_on_the_host():
    old, new = serving.engine("vllm@0.6"), serving.engine("vllm")
    assert old.step_overhead_s - new.step_overhead_s == pytest.approx(1e-3)
    assert old.request_overhead_s - new.request_overhead_s == pytest.approx(70e-6)
