from dataclasses import replace

import numpy as np
import pytest

from jevons import models, serving
from jevons.errors import InfeasibleError, InputError
from jevons.hardware import accelerator
from jevons.serving.memory import cache_move_s
from jevons.serving.scales import shipped_scales
from jevons.serving.types import PARTS

WORKLOAD = serving.Workload(isl=1000.0, osl=300.0)


def deployment(model="llama-3.1-8b", device="h100_sxm", precision="bf16", engine="vllm", **layout):
    return serving.Deployment(
        model=models.load(model),
        accelerator=accelerator(device),
        layout=serving.Layout(**layout),
        precision=precision,
        kv_precision="bf16",
        engine=serving.engine(engine),
    )


def test_parts_add_up_and_bounds_are_shares():
    step = serving.step_time(
        deployment(tp=2), prefill_tokens=[0.0, 512.0], decode_batch=[8.0, 8.0], decode_context=1000.0
    )
    assert set(step.by_part) == set(PARTS)
    np.testing.assert_allclose(sum(step.by_part.values()), step.time_s)
    np.testing.assert_allclose(sum(step.bound_frac.values()), 1.0)


def test_arrays_give_what_single_steps_give():
    batches = np.array([1.0, 7.0, 64.0])
    together = serving.step_time(deployment(), decode_batch=batches, decode_context=500.0).time_s
    apart = [serving.step_time(deployment(), decode_batch=b, decode_context=500.0).time_s[0] for b in batches]
    np.testing.assert_allclose(together, apart)


def test_decode_of_one_request_is_near_the_time_to_read_the_weights():
    device = deployment()
    floor_s = device.model.weight_bytes("bf16") / device.accelerator.hbm_bytes_per_s
    time_s = serving.step_time(device, decode_batch=1.0, decode_context=1.0).time_s[0]
    assert floor_s < time_s < 2.5 * floor_s


def test_mixed_step_costs_less_than_its_halves():
    whole = deployment()
    mixed = serving.step_time(whole, prefill_tokens=512.0, decode_batch=64.0, decode_context=1000.0).time_s[0]
    prompt = serving.step_time(whole, prefill_tokens=512.0).time_s[0]
    decode = serving.step_time(whole, decode_batch=64.0, decode_context=1000.0).time_s[0]
    assert max(prompt, decode) < mixed < prompt + decode


def test_kept_times_of_steps_are_those_of_the_deployment_and_workload_asked_for():
    plain, other = deployment(), deployment(tp=2)
    first = serving.static_curve(plain, WORKLOAD)
    asked = (other, WORKLOAD), (plain, replace(WORKLOAD, isl=2000.0)), (plain, replace(WORKLOAD, cached_frac=0.5))
    for one in asked:
        assert (serving.static_curve(*one).request_device_s[0, :8] != first.request_device_s[0, :8]).all()
    own = shipped_scales()
    slower = {**own["all"], "attention.decode": 3.0, "prompt": 2.0 * own["all"].get("prompt", 1.0)}
    slow = replace(plain, engine=replace(plain.engine, scales={**own, "all": slower}))
    slowed = serving.static_curve(slow, WORKLOAD)
    assert (slowed.step.time_s > first.step.time_s).all()
    assert (slowed.prompts.device_s > first.prompts.device_s).all()
    again = serving.static_curve(plain, WORKLOAD)
    np.testing.assert_array_equal(again.request_device_s, first.request_device_s)
    for array in (again.step.time_s, again.prompts.ttft_s):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0.0


def test_device_seconds_of_a_call_match_the_throughput():
    call = serving.device_seconds_per_call(deployment(), WORKLOAD, tpot_s=0.05)
    assert call.total_s == pytest.approx(1.0 / call.point.req_per_s_per_device)
    assert call.total_s == pytest.approx(WORKLOAD.osl / call.point.tok_per_s_per_device)
    assert call.cached_s == 0.0
    assert call.per_output_token_s > call.per_input_token_s


def test_shared_device_spends_all_its_time_on_prompts_and_decodes():
    point = serving.static_point(deployment(), WORKLOAD, 32.0)
    prefill_s = point.prefill_device_s + point.cached_device_s
    busy = point.req_per_s_per_device * (prefill_s + point.decode_step_s / 32.0 * (WORKLOAD.osl - 1))
    assert busy == pytest.approx(1.0)
    # Little's law: requests held = rate x (time of their own prompt + time they decode).
    held_s = prefill_s + point.tpot_s * (WORKLOAD.osl - 1)
    assert point.req_per_s_per_device * held_s == pytest.approx(32.0)


def test_cached_prompt_tokens_cost_less_than_computed_ones():
    cached = replace(WORKLOAD, cached_frac=0.5)
    call = serving.device_seconds_per_call(deployment(), cached)
    assert 0.0 < call.per_cached_token_s < 0.3 * call.per_input_token_s


def test_disaggregation_keeps_tokens_steady_and_adds_transfer():
    shared = serving.static_point(deployment(), WORKLOAD, 32.0)
    apart = serving.static_point(deployment(), WORKLOAD, 32.0, prefill=deployment())
    waited_s = apart.decode_step_s / 2 / (WORKLOAD.osl - 1)  # the second token, for the running step
    assert apart.tpot_s == pytest.approx(apart.decode_step_s + waited_s)
    assert apart.tpot_s < shared.tpot_s
    moved_s = cache_move_s(deployment(), deployment(), WORKLOAD.isl)
    assert apart.ttft_s == pytest.approx(shared.ttft_s - shared.decode_step_s / 2 + moved_s)
    assert apart.req_per_s_per_device == pytest.approx(shared.req_per_s_per_device)


def test_best_point_is_within_its_limits_and_says_what_binds():
    point = serving.best_static_point(deployment(), WORKLOAD, tpot_s=0.023, ttft_s=0.5)
    assert point.tpot_s <= 0.023
    assert point.ttft_s <= 0.5
    assert point.bounds["batch"] == "tpot"
    free = serving.best_static_point(deployment(), WORKLOAD)
    assert free.tok_per_s_per_device > point.tok_per_s_per_device


def test_best_batch_cannot_be_raised_by_one():
    whole = deployment()
    best = serving.best_static_point(whole, WORKLOAD, tpot_s=0.02)
    more = serving.static_point(whole, WORKLOAD, best.batch + 1)
    assert more.tpot_s > 0.02


def test_limits_out_of_reach_name_the_least_time():
    with pytest.raises(InfeasibleError, match=r"TPOT <= 1 ms cannot be met; the least is \d+"):
        serving.best_static_point(deployment(), WORKLOAD, tpot_s=0.001)
    with pytest.raises(InfeasibleError, match=r"TTFT <= 1 ms cannot be met"):
        serving.best_static_point(deployment(), WORKLOAD, ttft_s=0.001)


def test_batch_beyond_the_cache_names_the_largest():
    with pytest.raises(InfeasibleError, match=r"100000 requests of 1150 tokens.*it holds .*Use batch <= \d+"):
        serving.static_point(deployment(), WORKLOAD, 100_000.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"isl": 0.0}, r"workload.isl = 0.0: must be at least 1"),
        ({"osl": -1.0}, r"workload.osl = -1.0"),
        ({"cached_frac": 1.0}, r"workload.cached_frac = 1.0: must be in \[0, 1\)"),
    ],
)
def test_lengths_out_of_range_are_named(change, message):
    with pytest.raises(InputError, match=message):
        serving.static_point(deployment(), replace(WORKLOAD, **change), 1.0)


def test_empty_steps_and_unknown_names_are_refused():
    with pytest.raises(InputError, match="a step needs work"):
        serving.step_time(deployment())
    with pytest.raises(InputError, match="unknown engine `vlm`. Did you mean `vllm`"):
        serving.engine("vlm")
    with pytest.raises(InputError, match="unknown precision `fp9`"):
        serving.step_time(deployment(precision="fp9"), decode_batch=1.0, decode_context=1.0)


def test_weights_are_expanded_where_the_device_lacks_the_precision():
    # A100 has no 8-bit floating point: weights are read in 8 bits and multiplied in 16.
    eight = serving.step_time(deployment(device="a100_sxm", precision="fp8"), decode_batch=1.0, decode_context=1.0)
    sixteen = serving.step_time(deployment(device="a100_sxm"), decode_batch=1.0, decode_context=1.0)
    assert eight.time_s[0] < sixteen.time_s[0]


def test_search_counts_what_it_rejects_and_marks_the_front():
    found = serving.search_layouts(
        models.load("qwen2.5-72b"), accelerator("h20"), WORKLOAD, devices=(1, 2, 4, 8), precisions=("fp8",), tpot_s=0.05
    )
    assert found.tried == len(found.candidates) + sum(found.rejected.values())
    rates = [c.point.tok_per_s_per_device for c in found.candidates if c.deployment.layout.pp == 1]
    assert rates == sorted(rates, reverse=True)
    assert {c.deployment.layout.pp for c in found.candidates} > {1}
    front = [(c.point.tpot_s, c.point.tok_per_s_per_device) for c in found.front]
    assert front == sorted(front)
    for curve in found.curves:
        allowed = curve.allowed(None, 0.05)
        served = WORKLOAD.osl / curve.request_device_s[allowed]
        for tpot_s, rate in zip(curve.tpot_s[allowed], served, strict=True):
            assert any(t <= tpot_s and r >= rate * (1 - 1e-9) for t, r in front)


def test_search_names_every_layout_it_rejects_with_the_reason():
    found = serving.search_layouts(
        models.load("qwen2.5-72b"), accelerator("h20"), WORKLOAD, devices=(1, 16), precisions=("bf16",), tpot_s=0.05
    )
    reasons = {str(r.deployment.layout): (r.reason, r.detail) for r in found.rejections}
    assert reasons["tp1"][0] == "device memory"
    assert "needs 145.4 GB of weights per device" in reasons["tp1"][1]
    with pytest.raises(InputError, match="unknown precision `fp9`"):
        serving.search_layouts(models.load("qwen2.5-72b"), accelerator("h20"), WORKLOAD, precisions=("fp9",))


def test_a_limit_below_the_floor_names_the_floor():
    with pytest.raises(
        InfeasibleError, match=r"The least time per output token of all is [\d.]+ ms, with llama"
    ) as caught:
        serving.search_layouts(models.load("llama-3.1-8b"), accelerator("h20"), WORKLOAD, devices=(1, 2), tpot_s=1e-4)
    assert caught.value.limits[0] == "time per output token"


def test_search_without_an_answer_counts_the_reasons():
    with pytest.raises(InfeasibleError, match=r"none of \d+ layouts of deepseek-v3 .*by device memory"):
        serving.search_layouts(models.load("deepseek-v3"), accelerator("h20"), WORKLOAD, devices=(1, 2, 4))
