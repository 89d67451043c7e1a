"""What engines do in their own way: windows left out, tokens gathered, kernels told to them, late first tokens."""

from dataclasses import replace

import pytest

from jevons import models, serving
from jevons.hardware import Cluster, accelerator
from jevons.operators import kernels as ops
from jevons.serving import entry_time_s, kv_bytes_per_request
from jevons.serving.engines import with_server_defaults
from jevons.serving.memory import graph_bytes
from jevons.serving.precisions import multiplied_in
from jevons.serving.scales import board, part_scales
from jevons.serving.step import step_work
from jevons.serving.types import Deployment, Layout

LONG = 20_000.0


def deployed(model, device="h200_sxm", engine="trtllm", layout=None, **changes):
    given = {
        "model": models.load(model), "accelerator": accelerator(device), "layout": layout or Layout(),
        "precision": "native", "kv_precision": "bf16", "engine": serving.engine(engine),
    }  # fmt: skip
    return Deployment(**given | changes)


def full(deployment):
    """Return the cache of one long request whose layers keep all tokens."""
    return kv_bytes_per_request(deployment, 100.0) * LONG / 100.0


@pytest.mark.parametrize(("engine", "whole"), [("trtllm@0.14", True), ("trtllm@1.0", False), ("vllm@0.8", False)])
def test_engines_built_by_tensorrt_attend_to_the_whole_context_and_cache_it(engine, whole):
    served = deployed("mistral-7b", engine=engine)
    assert (kv_bytes_per_request(served, LONG) == pytest.approx(full(served))) == whole
    shorter = deployed("mistral-7b", engine="vllm@0.8")
    reads = [
        step_work(d, decode_batch=32, decode_context=LONG).floors["attention.decode"][0] for d in (served, shorter)
    ]
    assert (reads[0] > 2.0 * reads[1]) == whole


@pytest.mark.parametrize(("device", "engine", "whole"), [
    ("h200_sxm", "trtllm", True), ("b200_sxm", "trtllm", False), ("h200_sxm", "vllm", False),
])  # fmt: skip
def test_chunked_attention_is_left_out_on_hopper_by_the_engine_that_loses_pace_by_it(device, engine, whole):
    served = deployed("llama-4-scout-17b-16e", device, engine, Layout(tp=8))
    assert (kv_bytes_per_request(served, LONG) == pytest.approx(full(served))) == whole


def test_windows_that_slide_are_kept_where_chunks_are_not():
    served = deployed("gpt-oss-120b")
    assert kv_bytes_per_request(served, LONG) < 0.6 * full(served)


def exchange_s(device, engine):
    layout = Layout(dp=4, ep=4, dp_attention=True)
    return step_work(deployed("llama-4-scout-17b-16e", device, engine, layout), prefill_tokens=8192.0).parts["ep_comm"][
        0
    ]


def test_ranks_gather_all_tokens_where_no_all_to_all_kernel_runs():
    device, model = accelerator("h200_sxm"), models.load("llama-4-scout-17b-16e")
    cluster = Cluster(board(device), 4)
    sparse = sum(group.count for group in model.layers if group.feed_forward.kind == "moe")
    sums_bytes = 8192.0 * model.hidden * 2.0
    gathered = float(ops.all_gather(cluster, sums_bytes, 4).time_s) + float(
        ops.reduce_scatter(cluster, sums_bytes, 4).time_s
    )
    assert exchange_s("h200_sxm", "trtllm") == pytest.approx(sparse * gathered, rel=0.02)


def test_attention_ranks_of_sglang_sum_their_prompts_and_gather_what_only_decodes():
    layout, model = Layout(dp=8, dp_attention=True), models.load("deepseek-r1")
    served = deployed("deepseek-r1", "b200_sxm", "sglang", layout)
    cluster = Cluster(board(accelerator("b200_sxm")), 8)
    sparse = sum(group.count for group in model.layers if group.feed_forward.kind == "moe")
    for work, calls in (
        ({"prefill_tokens": 8192.0}, [ops.all_reduce, ops.all_reduce]),
        ({"decode_batch": 8192.0, "decode_context": 1000.0}, [ops.all_gather, ops.reduce_scatter]),
    ):
        each_s = sum(float(call(cluster, 8192.0 * model.hidden * 2.0, 8).time_s) for call in calls)
        assert step_work(served, **work).parts["ep_comm"][0] == pytest.approx(sparse * each_s, rel=1e-6)


def test_steps_that_only_decode_send_tokens_at_the_pace_of_few_cores_on_amd():
    layout = Layout(dp=8, ep=8, dp_attention=True)
    served = deployed("deepseek-r1", "mi355x", "sglang", layout)
    few, some, more, many = (
        step_work(served, decode_batch=8.0 * tokens, decode_context=1000.0).parts["ep_comm"][0]
        for tokens in (8.0, 64.0, 128.0, 256.0)
    )
    assert few == pytest.approx(some)
    assert many - more == pytest.approx(2.0 * (more - some), rel=0.1)
    prompts = step_work(served, prefill_tokens=256.0).parts["ep_comm"][0]  # of one rank
    assert many > 2.0 * prompts


def test_experts_in_8_bits_run_quicker_kernels_on_blackwell_where_their_tokens_are_sent_to_them():
    layout = Layout(dp=8, ep=8, dp_attention=True)
    sends = deployed("deepseek-r1", "gb200", "sglang", layout)
    gathers = replace(sends, engine=sends.engine.replace(told_to_gather=True))
    taken = [step_work(d, prefill_tokens=65536.0).parts for d in (sends, gathers)]
    kernels = [
        next(time_s[0] for name, time_s in parts.items() if name in {"moe.fp8", "moe.fp8_block"}) for parts in taken
    ]
    assert kernels[1] > 2.0 * kernels[0]
    on_hopper = [
        step_work(replace(d, accelerator=accelerator("h200_sxm")), prefill_tokens=65536.0).parts["moe.fp8_block"][0]
        for d in (sends, gathers)
    ]
    assert on_hopper[1] == pytest.approx(on_hopper[0], rel=0.2)


@pytest.mark.parametrize(("engine", "cores"), [("vllm", 20.0), ("sglang", 128.0), ("trtllm", 148.0)])
def test_prompts_tokens_are_sent_by_as_many_cores_as_an_engine_gives_them_on_grace_blackwell(engine, cores):
    model = models.load("llama-4-scout-17b-16e")
    cluster = Cluster(board(accelerator("gb200")), 4)
    sparse = [group.count for group in model.layers if group.feed_forward.kind == "moe"]
    chosen = next(group.feed_forward.experts_per_token for group in model.layers if group.feed_forward.kind == "moe")
    exchange = (cluster, 8192.0, model.hidden, chosen, 4)
    sent = ops.moe_dispatch(*exchange, element_bytes=2.0, kind="normal", sms=cores)
    back = ops.moe_combine(*exchange, kind="normal", sms=cores)
    assert exchange_s("gb200", engine) == pytest.approx(sum(sparse) * float(sent.time_s + back.time_s))


def test_experts_in_fp4_are_sent_fewer_bytes_by_an_engine_that_quantises_before_it_sends():
    layout, model = Layout(dp=4, ep=4, dp_attention=True), models.load("deepseek-r1")
    sparse = [group for group in model.layers if group.feed_forward.kind == "moe"]
    exchange = (
        Cluster(board(accelerator("gb200")), 4), 8192.0, model.hidden, sparse[0].feed_forward.experts_per_token, 4,
    )  # fmt: skip
    taken_s, sent_s = [], []
    for precision, element_bytes in (("bf16", 2.0), ("fp4", 0.5625)):
        served = deployed("deepseek-r1", "gb200", "trtllm", layout, precision=precision)
        taken_s.append(float(step_work(served, prefill_tokens=8192.0).parts["ep_comm"][0]))
        sent = ops.moe_dispatch(*exchange, element_bytes=element_bytes, kind="normal", sms=148.0)
        sent_s.append(sum(group.count for group in sparse) * float(sent.time_s))
    assert taken_s[0] - taken_s[1] == pytest.approx(sent_s[0] - sent_s[1])
    assert taken_s[1] < 0.8 * taken_s[0]


def test_experts_in_mxfp4_run_the_kernels_that_a_server_was_told_to():
    untold = deployed("gpt-oss-120b")
    told = replace(untold, engine=untold.engine.replace(mxfp4_like="int4"))
    many = [step_work(d, prefill_tokens=8192.0).parts for d in (untold, told)]
    assert "moe.mxfp4" in many[0]
    assert "moe.int4" in many[1]
    assert many[1]["moe.int4"][0] > 1.3 * many[0]["moe.mxfp4"][0]


def test_sglang_on_hopper_runs_the_kernels_published_with_gpt_oss():
    served = deployed("gpt-oss-120b", engine="sglang")
    marlin = replace(served, engine=served.engine.replace(mxfp4_like="int4"))
    own, of_integers = (step_work(d, prefill_tokens=8192.0).parts for d in (served, marlin))
    shared = step_work(deployed("gpt-oss-120b", engine="trtllm"), prefill_tokens=8192.0).parts
    assert own["moe.mxfp4"] == pytest.approx(shared["moe.mxfp4"], rel=0.1)
    assert of_integers["moe.int4"][0] > 1.3 * own["moe.mxfp4"][0]


def test_first_tokens_come_later_by_the_kernels_of_a_prompt_unless_those_run_as_graphs():
    late = deployed("qwen3-235b-a22b").engine.replace(entry_s=0.01, entry_launch_s=1e-5, captured_tokens=0.0)
    large, small = (deployed(name, engine="trtllm") for name in ("qwen3-235b-a22b", "llama-3.1-8b"))
    host = part_scales("hopper", "trtllm", None, "h200_sxm")["host"]
    for served in (large, small):
        kernels = step_work(served, prefill_tokens=16.0).kernels
        assert entry_time_s(served, late) == pytest.approx(0.01 + 1e-5 * host * kernels)
    assert entry_time_s(large, late) > 2.0 * entry_time_s(small, late) - 0.01
    assert entry_time_s(large, late.replace(captured_tokens=1e9)) == 0.01


def test_layers_in_mxfp4_are_multiplied_in_4_bits_where_experts_are_widened():
    served = deployed("llama-2-70b", "mi355x", "vllm", precision="mxfp4")
    assert multiplied_in(served, "mxfp4") == "fp4"
    assert multiplied_in(served, "mxfp4", experts=True) == "mxfp4"
    assert multiplied_in(deployed("llama-2-70b", "mi300x", "vllm"), "mxfp4") == "mxfp4"
    parts = step_work(served, prefill_tokens=4096.0).parts
    assert "compute.fp4" in parts
    assert "compute.mxfp4" not in parts


def experts_s(engine, layout, decodes, model="qwen3-235b-a22b-fp8", **work):
    served = deployed(model, "b200_sxm", engine, layout)
    return step_work(served, decode_batch=decodes, decode_context=500.0, **work).parts["moe.fp8_block"][0]


def test_vllm_0_11_computes_the_empty_rows_of_its_experts_buffers():
    four, two = Layout(tp=4, ep=4), Layout(tp=2, ep=2)
    assert experts_s("vllm@0.12", four, 8) == experts_s("vllm@0.10", four, 8) == experts_s("vllm", four, 8)
    assert experts_s("vllm@0.11", four, 8) > 2.0 * experts_s("vllm", four, 8)
    # Rounding up 32 or 64 experts is nearly all of it, so eight tokens take as long as thirty-two.
    assert experts_s("vllm@0.11", two, 8) == pytest.approx(2.0 * experts_s("vllm@0.11", four, 8), rel=0.15)
    assert experts_s("vllm@0.11", four, 32) == pytest.approx(experts_s("vllm@0.11", four, 8), rel=0.15)


@pytest.mark.parametrize(("layout", "computes"), [(Layout(tp=4, ep=4), True), (Layout(tp=4), False)])
def test_narrow_experts_have_no_buffers_on_hopper(layout, computes):
    times = [
        step_work(deployed("qwen3-235b-a22b-fp8", "h100_sxm", engine, layout), decode_batch=64).parts["moe.fp8_block"]
        for engine in ("vllm@0.11", "vllm")
    ]
    assert (times[0][0] > 1.2 * times[1][0]) == computes
    assert computes or times[0][0] == times[1][0]


def test_16_bits_have_no_buffers_of_whole_blocks():
    times = [
        step_work(deployed("qwen3-235b-a22b", "b200_sxm", engine, Layout(tp=4, ep=4)), decode_batch=8).parts["moe.bf16"]
        for engine in ("vllm@0.11", "vllm")
    ]
    assert times[0][0] == times[1][0]


def test_a_prompt_on_one_attention_rank_is_as_many_tokens_on_each_under_vllm_0_11():
    layout, single = Layout(dp=4, ep=4, dp_attention=True), Layout(tp=4, ep=4)
    ranks, alone = (experts_s("vllm@0.11", at, 0, prefill_tokens=4096.0) for at in (layout, single))
    assert ranks == pytest.approx(4.0 * alone, rel=0.2)


def test_vllm_captures_no_graphs_on_intels_gpus():
    for device, captured in (("arc_pro_b60", False), ("max_1550", False), ("gaudi3", True), ("l4", True)):
        factors = with_server_defaults(serving.engine("vllm"), accelerator(device))
        assert factors.eager != captured
        here = replace(deployed("llama-3.1-8b", device, "vllm"), engine=factors)
        assert (graph_bytes(here) > 0) == captured
