"""What engines add to operators' times: drafted tokens, launches of prompt steps, scales of kernels."""

import datetime as dt

import numpy as np
import pytest

from jevons import models, serving
from jevons.hardware import accelerator
from jevons.operators import kernels as ops
from jevons.serving.closed_loop.points import with_limits
from jevons.serving.engines import composing
from jevons.serving.formulas import accepted_tokens
from jevons.serving.scales import generation_of, part_scales, scaled_as
from jevons.serving.step import engine_time, step_time, step_work
from jevons.serving.step_layers import _reached_experts
from jevons.serving.types import Deployment, Layout


def deployed(model="llama-3.1-8b", **changes):
    given = {
        "model": models.load(model) if isinstance(model, str) else model, "accelerator": accelerator("h100_sxm"),
        "layout": Layout(), "precision": "native", "kv_precision": "bf16", "engine": serving.engine("vllm"),
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
    gained = accepted_tokens(3, plain.engine.batching.draft_acceptance_frac)
    assert small[1] > small[0]
    assert small[1] / gained < 0.7 * small[0]
    assert large[1] / large[0] > small[1] / small[0]


def test_short_prompts_wait_for_the_host_and_long_ones_do_not():
    slow = deployed(engine=serving.engine("vllm").replace(prefill_launch_s=1e-4, captured_tokens=0.0))
    work = step_work(slow, prefill_tokens=[16.0, 65536.0])
    without = engine_time(work, slow.engine.replace(prefill_launch_s=0.0)).time_s
    extra = engine_time(work, slow.engine).time_s - without
    host = part_scales(work.generation, "vllm", None, work.device)["host"]
    assert extra[0] > 0.5 * slow.engine.host.prefill_launch_s * work.kernels * host
    assert extra[1] < 0.02 * without[1]


def test_a_step_as_long_as_its_launches_is_longer_than_either():
    plain = deployed(engine=serving.engine("vllm").replace(captured_tokens=0.0, prefill_launch_s=0.0))
    work = step_work(plain, prefill_tokens=[2048.0])
    busy_s = engine_time(work, plain.engine, {}).time_s[0]
    as_long = plain.engine.replace(prefill_launch_s=busy_s / work.kernels)
    assert 1.2 * busy_s < engine_time(work, as_long, {}).time_s[0] < 2.0 * busy_s


@pytest.mark.parametrize(
    ("model", "precision", "each"),
    [
        ("qwen3-30b-a3b", "bf16", 8 + 18), ("qwen3-30b-a3b", "fp8", 8 + 28), ("qwen3-30b-a3b", "int4", 8 + 18),
        ("gpt-oss-20b", "native", 8 + 28), ("llama-3.1-8b", "bf16", 8 + 5), ("llama-3.1-8b", "fp8", 8 + 5),
    ],
)  # fmt: skip
def test_experts_whose_activations_stay_in_16_bits_launch_fewer_kernels(model, precision, each):
    asked = deployed(model, precision=precision)
    assert step_work(asked, prefill_tokens=[16.0]).kernels == each * asked.model.n_layers


def test_the_host_of_a_device_scales_launches_but_no_kernel():
    slow = deployed(engine=serving.engine("vllm").replace(captured_tokens=0.0))
    work = step_work(slow, prefill_tokens=[16.0])
    usual = engine_time(work, slow.engine, {}).by_part
    twice = engine_time(work, slow.engine, {"h100_sxm": {"host": 2.0}}).by_part
    other = engine_time(work, slow.engine, {"b300_sxm": {"host": 2.0}}).by_part
    assert twice["overhead"][0] > 1.8 * usual["overhead"][0]
    assert twice["compute"][0] == usual["compute"][0]
    assert other["overhead"][0] == usual["overhead"][0]


def test_the_busiest_of_several_expert_ranks_gets_more_than_its_share_of_a_few_tokens():
    model = "qwen3-235b-a22b"
    engine = serving.engine("vllm").replace(expert_imbalance=1.0)
    split, shared = (deployed(model, layout=layout, engine=engine) for layout in (Layout(tp=8), Layout(tp=8, ep=8)))
    few, many = (experts_s(shared, batch)[0] / experts_s(split, batch)[0] for batch in (4.0, 4096.0))
    assert few > many


def test_a_faster_step_of_experts_never_follows_from_more_tokens():
    shared = deployed("qwen3-235b-a22b", layout=Layout(tp=8, ep=8))
    assert np.all(np.diff(experts_s(shared, np.arange(1.0, 600.0))) > -1e-9)


def test_a_batch_reaches_fewer_experts_than_under_uniform_routing_and_one_token_reaches_its_own():
    moe = deployed("qwen3-235b-a22b", layout=Layout(tp=8))
    slots, top = 128.0, 8.0
    tokens = np.array([1.0, 16.0, 4096.0])
    reached = _reached_experts(moe, tokens, slots, top)
    uniform = ops.active_experts(tokens, slots, top)
    assert reached[0] == pytest.approx(top, rel=0.02)
    assert 0.7 * uniform[1] < reached[1] < 0.85 * uniform[1]
    assert reached[2] == pytest.approx(slots, rel=0.01)


def test_experts_with_one_scale_per_tensor_are_timed_apart_from_those_with_scales_by_block():
    llama = deployed("llama-4-scout-17b-16e", layout=Layout(tp=8), precision="fp8")
    deepseek = deployed("deepseek-v3", layout=Layout(tp=8, ep=8))
    kinds = [
        {part for part in step_work(one, decode_batch=8.0).parts if part.startswith("moe.fp8")}
        for one in (llama, deepseek)
    ]
    assert kinds == [{"moe.fp8"}, {"moe.fp8_block"}]


def test_tensorrt_llm_multiplies_8_bit_experts_by_tensor_on_the_rtx_pro_6000():
    mixtral = models.quantised(models.load("mixtral-8x7b"), "fp8")
    kinds = [
        {part for part in step_work(one, prefill_tokens=8192.0).parts if part.startswith("moe.fp8")}
        for one in (
            deployed(model=mixtral, accelerator=accelerator(device), engine=serving.engine(engine))
            for device, engine in (("rtx_pro_6000", "trtllm"), ("rtx_pro_6000", "sglang"), ("h200_sxm", "trtllm"))
        )
    ]
    assert kinds == [{"moe.fp8"}, {"moe.fp8_block"}, {"moe.fp8_block"}]


def test_decode_steps_beyond_the_largest_captured_batch_wait_for_their_launches():
    engine = serving.engine("vllm").replace(prefill_launch_s=1e-4, captured_batch=64.0)
    work = step_work(deployed(engine=engine), decode_batch=[64.0, 65.0], decode_context=500.0)
    extra_s = engine_time(work, engine).time_s - engine_time(work, engine.replace(captured_batch=1e9)).time_s
    assert extra_s[0] == 0.0
    assert extra_s[1] > 0.01


@pytest.mark.parametrize("precision", ["int4", "int8_wo"])
def test_products_with_unpacked_weights_slow_in_an_engine_as_those_of_16_bits_do(precision):
    one = deployed("qwen3-32b", precision=precision)
    work = step_work(one, prefill_tokens=[4096.0])
    alone, running = (
        engine_time(work, one.engine, {"hopper": {"compute.bf16": scale}}).by_part["compute"][0] for scale in (1.0, 1.5)
    )
    assert running == pytest.approx(1.5 * alone, rel=0.05)
    few = step_work(one, decode_batch=1.0, decode_context=100.0)
    times = [engine_time(few, one.engine, {"hopper": {"compute.bf16": scale}}).time_s[0] for scale in (1.0, 1.5)]
    assert times[1] == pytest.approx(times[0], rel=0.01)
    assert scaled_as("compute.int8") == "compute.int8"


def test_every_step_of_an_engine_without_graphs_waits_for_its_launches():
    engine = serving.engine("eager")
    assert engine.host.captured_batch == with_limits(engine, captured_batch=1e9).host.captured_batch == 0.0
    work = step_work(deployed("llama-2-70b", layout=Layout(tp=8), engine=engine), decode_batch=1.0, decode_context=500)
    launch_s = engine.host.prefill_launch_s * work.kernels
    host = part_scales(work.generation, "eager", None, work.device)["host"]
    assert engine_time(work, engine).time_s[0] > launch_s * host
    assert engine_time(work, engine.replace(prefill_launch_s=0.0)).time_s[0] < 0.6 * launch_s


def test_a_70b_without_graphs_decodes_no_faster_on_eight_devices_than_on_four():
    """Splitwise, A100: steps of one request after 512 tokens take 45.0 ms on four devices and 44.9 on eight."""
    four, eight = (
        deployed(
            "llama-2-70b", accelerator=accelerator("a100_sxm"), layout=Layout(tp=tp), engine=serving.engine("eager")
        )
        for tp in (4, 8)
    )
    times = [step_time(one, decode_batch=1.0, decode_context=576).time_s[0] for one in (four, eight)]
    assert times[1] / times[0] == pytest.approx(44.9 / 45.0, abs=0.2)
    assert times[1] == pytest.approx(0.0449, rel=0.2)


def test_prompts_that_pick_tokens_expand_none_of_those_cached():
    picking, dense = (far_into_a_prompt(name) for name in ("deepseek-v3.2", "deepseek-r1"))
    assert np.ptp(picking["compute.fp8_block"] + picking["compute.fp8_block.streamed"]) < 1e-9
    assert np.ptp(dense["compute.fp8_block"] + dense["compute.fp8_block.streamed"]) > 1e-3


def test_a_token_far_into_a_prompt_attends_to_as_many_as_are_picked():
    picking, dense = (far_into_a_prompt(name)["attention.prompt"] for name in ("deepseek-v3.2", "deepseek-r1"))
    assert picking[1] - picking[0] < 0.5 * (dense[1] - dense[0])


def far_into_a_prompt(name):
    work = step_work(deployed(name), prefill_tokens=[2048.0], prefill_context=[16384.0, 65536.0])
    return work.parts


def experts_s(deployment, batch):
    parts = step_work(deployment, decode_batch=np.atleast_1d(batch), decode_context=500.0).parts
    return parts["moe.bf16"] + parts["moe.start"]


def test_prompt_steps_that_run_as_graphs_wait_for_no_host():
    slow = deployed(engine=serving.engine("vllm").replace(prefill_launch_s=1e-4, captured_tokens=512.0))
    work = step_work(slow, prefill_tokens=[256.0, 512.0, 513.0])
    extra = engine_time(work, slow.engine).time_s - engine_time(work, slow.engine.replace(prefill_launch_s=0.0)).time_s
    assert extra[:2].tolist() == [0.0, 0.0]
    assert extra[2] > 0.0


def test_decode_steps_pay_no_launches():
    work = step_work(deployed(), decode_batch=[8.0], decode_context=500.0)
    engine = serving.engine("vllm")
    assert engine_time(work, engine).time_s == engine_time(work, engine.replace(prefill_launch_s=1.0)).time_s


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
    assert early.host.step_overhead_s != serving.engine("vllm").host.step_overhead_s


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
    old, in_turn, new = serving.engine("vllm@0.6"), serving.engine("vllm@0.13"), serving.engine("vllm")
    assert old.host.step_overhead_s - new.host.step_overhead_s == pytest.approx(1.3e-3)
    assert in_turn.host.step_overhead_s - new.host.step_overhead_s == pytest.approx(0.3e-3)
    assert old.host.request_overhead_s - new.host.request_overhead_s == pytest.approx(70e-6)


def test_a_server_told_to_compose_steps_ahead_spends_no_time_between_them_on_it():
    in_turn, new = serving.engine("vllm@0.13"), serving.engine("vllm")
    told = composing(in_turn, ahead=True)
    assert told.batching.composes_ahead
    assert told.host.step_overhead_s == pytest.approx(new.host.step_overhead_s)
    assert composing(new, ahead=False).host.step_overhead_s == pytest.approx(in_turn.host.step_overhead_s)
    assert composing(told, ahead=True) is told


def test_releases_before_shared_heads_read_the_cache_again_where_heads_are_grouped():
    def decode_s(model, release, device="h200_sxm", kv="fp8"):
        given = deployed(
            model, accelerator=accelerator(device), kv_precision=kv, engine=serving.engine("trtllm", release=release)
        )
        return step_work(given, decode_batch=64, decode_context=1000.0).parts["attention.decode"][0]

    assert decode_s("mistral-7b", (0, 9)) > 1.5 * decode_s("mistral-7b", (0, 14))
    assert decode_s("llama-2-7b", (0, 7)) == decode_s("llama-2-7b", (0, 14))  # each head has keys of its own
    assert decode_s("llama-2-70b", (0, 9)) == decode_s("llama-2-70b", (0, 14))  # groups of eight
    assert decode_s("llama-2-70b", (0, 7)) > 1.5 * decode_s("llama-2-70b", (0, 14))
    assert decode_s("mistral-7b", (0, 9), "a100_sxm", "bf16") == decode_s("mistral-7b", (0, 14), "a100_sxm", "bf16")


def test_exchanges_of_whole_buffers_take_as_long_for_few_tokens():
    layout = Layout(dp=8, ep=8, dp_attention=True)
    on = {"layout": layout, "engine": serving.engine("sglang"), "model": "deepseek-v3"}
    exchange = {
        device: step_work(
            deployed(accelerator=accelerator(device), **on), decode_batch=[16, 256], decode_context=1000.0
        ).parts["ep_comm"]
        for device in ("mi355x", "b200_sxm")
    }
    assert exchange["mi355x"][0] == pytest.approx(exchange["mi355x"][1])
    assert exchange["b200_sxm"][0] < exchange["b200_sxm"][1]
