"""Power of devices by what they do, and energy per token from it."""

from dataclasses import replace

import pytest

from jevons import serving
from jevons.hardware import accelerator
from jevons.models import load
from jevons.serving import Deployment, Layout
from jevons.serving.energy import Activity, Flow, activity_of, mean_power_w, power_model, power_w, step_bytes

H100 = accelerator("h100_sxm")


def deployed(model: str = "llama-3.1-8b", engine: str = "vllm", **layout: int) -> Deployment:
    return Deployment(
        model=load(model), accelerator=H100, layout=Layout(**layout), precision="native", kv_precision="bf16",
        engine=serving.engine(engine),
    )  # fmt: skip


def test_power_lies_between_idle_and_the_limit_and_grows_with_either_activity() -> None:
    model = replace(power_model(), memory_load=0.3)
    at = [power_w(H100, Activity(m, c), model) for m, c in ((0, 0), (1, 0), (1, 0.1), (1, 1))]
    assert at == sorted(at)
    assert at[0] == pytest.approx(model.idle_frac * H100.tdp_w)
    assert at[-1] == pytest.approx(model.most_frac * H100.tdp_w, rel=0.02)


def test_a_busier_device_draws_less_for_each_further_load() -> None:
    at = [power_w(H100, Activity(m, 0.01), replace(power_model(), memory_load=1.0)) for m in (0.0, 0.5, 1.0)]
    assert 0.0 < at[2] - at[1] < at[1] - at[0]


def test_an_idle_server_draws_its_host_and_idle_devices() -> None:
    model = power_model()
    host_w = H100.server_w - H100.tdp_w
    assert mean_power_w(H100, Activity(1.0, 1.0), 0.0) == pytest.approx(host_w + model.idle_frac * H100.tdp_w)
    full = mean_power_w(H100, Activity(1.0, 1.0), 1.0)
    half = mean_power_w(H100, Activity(1.0, 1.0), 0.5)
    assert half == pytest.approx((full + mean_power_w(H100, Activity(1.0, 1.0), 0.0)) / 2)


def test_a_step_reads_dense_weights_once_and_each_request_s_cache() -> None:
    one, two = (step_bytes(deployed(), batch, 1000.0) for batch in (1.0, 2.0))
    cache = 32 * 8 * 128 * 2 * 2 * 1000.0
    assert two - one == pytest.approx(cache)
    assert one - cache == pytest.approx(15.0e9, rel=0.01)  # 8.03e9 parameters in 2 bytes, the input embedding apart


def test_more_tokens_reach_more_experts() -> None:
    mixture = deployed("qwen3-30b-a3b")
    few, many = (step_bytes(mixture, batch, 1.0) for batch in (1.0, 1000.0))
    assert few < 9e9
    assert many == pytest.approx(60e9, rel=0.05)


def test_activity_is_shared_among_the_devices_of_an_instance() -> None:
    flow = Flow(batch=16.0, context=1000.0, output_tok_per_s=1000.0, prompt_tok_per_s=500.0, prompt_context=250.0)
    one, two = activity_of(deployed(), flow), activity_of(deployed(tp=2), flow)
    assert two.memory_frac == pytest.approx(one.memory_frac / 2)
    assert two.compute_frac == pytest.approx(one.compute_frac / 2)


def test_experts_in_blocks_of_8_bits_compute_whole_tiles_at_few_requests() -> None:
    def compute(model: str, batch: float) -> float:
        return activity_of(
            deployed(model, tp=8, ep=8), Flow(batch=batch, context=500.0, output_tok_per_s=1000.0)
        ).compute_frac

    few = compute("qwen3-235b-a22b-fp8", 8.0) / compute("qwen3-235b-a22b", 8.0)
    many = compute("qwen3-235b-a22b-fp8", 8192.0) / compute("qwen3-235b-a22b", 8192.0)
    assert few > 1.5
    assert many == pytest.approx(0.5, rel=0.15)  # the same work against twice the peak


def test_empty_rows_of_whole_buffers_draw_less_than_filled_ones() -> None:
    flow = Flow(batch=8.0, context=500.0, output_tok_per_s=300.0)
    tiled, whole = (
        activity_of(deployed("qwen3-235b-a22b-fp8", engine, tp=8, ep=8), flow) for engine in ("vllm", "vllm@0.11")
    )
    assert tiled.empty_frac == 0.0
    per_row_flop = 94 * 2.0 * 3 * 4096 * 1536
    buffers = (8 - 1) * 8 * 8 + 128 * 127  # slots of other ranks' experts, and what rounding up may add to each expert
    steps_per_s, peak_flop_per_s = 300.0 / 8.0, 8 * H100.peak_flop_per_s["fp8"]
    assert whole.empty_frac == pytest.approx(steps_per_s * buffers * per_row_flop / peak_flop_per_s, rel=1e-6)
    filled = Activity(whole.memory_frac, whole.compute_frac + whole.empty_frac)
    assert power_w(H100, Activity(whole.memory_frac, whole.compute_frac)) < power_w(H100, whole) < power_w(H100, filled)


def test_narrow_experts_draw_nothing_for_empty_rows_on_hopper() -> None:
    flow = Flow(batch=8.0, context=500.0, output_tok_per_s=300.0)
    narrow, untold = (activity_of(deployed("qwen3-235b-a22b-fp8", e, tp=4), flow) for e in ("vllm@0.11", "vllm"))
    assert narrow == untold


def test_a_product_of_one_row_takes_a_tile_of_sixteen() -> None:
    one, sixteen = (
        activity_of(deployed(), Flow(batch=batch, context=1.0, output_tok_per_s=100.0 * batch)).compute_frac
        for batch in (1.0, 16.0)
    )
    assert one == pytest.approx(sixteen, rel=0.1)


def test_a_device_that_waits_for_its_host_draws_less_than_one_that_works_and_more_than_one_at_rest() -> None:
    model, activity = power_model(), Activity(0.5, 0.2)
    working, half = (power_w(H100, activity, model, step_frac=part) for part in (1.0, 0.5))
    assert half == pytest.approx((working + model.waiting_frac * H100.tdp_w) / 2)
    assert model.idle_frac < model.waiting_frac < working / H100.tdp_w
