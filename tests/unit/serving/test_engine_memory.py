"""Memory by component against the engine's own start-up log: figures of published logs, sources named."""

from dataclasses import replace

import pytest

import jevons
from jevons import models, serving
from jevons.errors import InputError
from jevons.hardware import accelerator
from jevons.serving.activations import encoder_bytes
from jevons.serving.engines import engine
from jevons.serving.kv_pages import layer_makes, paged_cache
from jevons.serving.memory import (
    adapter_bytes,
    graph_bytes,
    kv_cache_tokens,
    max_concurrency,
    memory_plan,
    stages_checked,
    start_shortage,
    weight_bytes_per_device,
)

GIB = 2**30


def deployment(model, gpu="h100_sxm", *, version="0.19.0", name="vllm", frac=0.95, longest=8192, kv="bf16", **layout):
    released = engine(f"{name}@{version}" if version else name)
    return serving.Deployment(
        model=models.load(model), accelerator=accelerator(gpu), layout=serving.Layout(**layout), precision="native",
        kv_precision=kv, engine=released, memory_frac=frac, max_model_len=longest,
    )  # fmt: skip


# llm-d-planner, vLLM 0.19.0: weights, activations, other [GiB], tokens of the cache
@pytest.mark.parametrize(
    ("model", "tp", "weights", "activations", "other", "tokens"),
    [
        ("qwen2.5-7b", 1, 14.25, 2.21, 0.24, 1_096_000),
        ("qwen2.5-7b", 4, 3.55, 2.21, 2.13, 5_043_280),
        ("codellama-7b", 1, 12.56, 0.77, 0.25, 126_256),
        ("mixtral-8x7b", 2, 43.51, 1.21, 2.07, 465_936),
        ("deepseek-v2-lite", 1, 29.43, 1.93, 0.26, 1_505_552),
        ("qwen1.5-moe-a2.7b", 1, 26.67, 2.47, 0.25, 250_304),
        ("gemma-2-9b", 1, 17.22, 3.65, 0.25, 168_880),
        ("gpt-oss-20b", 1, 13.64, 2.87, 0.25, 1_277_184),
    ],
)
def test_components_are_those_of_the_log(model, tp, weights, activations, other, tokens):
    use = memory_plan(one := deployment(model, tp=tp))
    assert use.weights_bytes / GIB == pytest.approx(weights, rel=0.01)
    assert use.activations_bytes / GIB == pytest.approx(activations, abs=0.05)
    assert use.reserved_bytes / GIB == pytest.approx(other, abs=0.1)
    assert kv_cache_tokens(one) == pytest.approx(tokens, rel=0.01)


def test_sampler_of_2025_takes_more_than_that_of_2026():
    old = memory_plan(deployment("qwen3-32b", version="0.11.0", frac=0.9))
    assert old.activations_bytes / GIB == pytest.approx(5.64, abs=0.03)
    new = memory_plan(deployment("qwen3-32b", version="0.19.0", frac=0.9))
    assert new.activations_bytes < 0.5 * old.activations_bytes


def test_a_window_is_granted_a_whole_step_on_top():
    # 21 full and 21 sliding layers: 512 pages of the one, 513 of the other for 8,192 tokens
    cache = paged_cache(deployment("gemma-2-9b"))
    assert cache.pages_at_most(8192) == 512 + 513
    assert max_concurrency(deployment("gemma-2-9b")) == pytest.approx(20.60, rel=0.01)
    assert cache.pages_while_decoding(8192) == 512 + 257


def test_layers_of_a_rarer_make_set_the_size_of_groups():
    cache = paged_cache(deployment("gemma-3-12b"))
    assert sorted(group.count for group in cache.groups) == [1, 5]


def test_a_page_holds_a_recurrent_state():
    one = deployment("qwen3-next-80b-a3b", "h200", tp=2)
    cache = paged_cache(one)
    state = max(make.state_bytes for make in layer_makes(one))
    assert cache.page_bytes >= 12 * state
    full = next(group for group in cache.groups if group.page_tokens)
    assert full.page_tokens > 16


def test_cache_of_sparse_latent_attention_counts_scales_and_index_keys():
    # sglang 11309: 48,072 bytes a token in fp8, 78,324 in bf16; 656 + 132 bytes a layer
    spec = models.load("deepseek-v3.2")
    assert spec.kv_bytes_per_token("fp8") == pytest.approx(48_072, rel=1e-3)
    assert spec.kv_bytes_per_token("bf16") == pytest.approx(78_324, rel=1e-3)
    one = deployment("deepseek-v3.2", "b200", kv="fp8", tp=8)
    assert serving.kv_bytes_per_request(one, 1000.0) == pytest.approx(48_068 * 1000)


@pytest.mark.parametrize(
    ("version", "bus", "links"), [("0.7.2", 0.25, 1.9), ("0.11.0", 0.2, 0.54), ("0.27.0", 0.75, 2.1)]
)
def test_communicators_of_devices_on_the_bus_take_less_than_those_over_links(version, bus, links):
    # vllm 13061, 14447; recipes 810: two RTX 4090, sixteen RTX 3090, two RTX 5090; H100 beside them
    cards, boards = (
        memory_plan(deployment("qwen3-32b", gpu, version=version, tp=2)) for gpu in ("rtx_5090", "h100_sxm")
    )
    assert cards.reserved_bytes / GIB == pytest.approx(bus, abs=0.35)
    assert boards.reserved_bytes - cards.reserved_bytes > 0.5 * (links - bus) * GIB


def test_sglang_takes_its_share_of_what_is_free_before_the_weights():
    one, four = (deployment("qwen3-32b", name="sglang", version="", frac=0.9, tp=tp) for tp in (1, 4))
    free = 79.18 - 0.51
    assert memory_plan(one).kv_bytes / GIB == pytest.approx(0.9 * free - memory_plan(one).weights_bytes / GIB, abs=0.05)
    assert memory_plan(four).kv_bytes / GIB < 0.9 * free - memory_plan(four).weights_bytes / GIB - 1.0


def test_experts_of_gpt_oss_are_padded_under_sglang_as_under_vllm():
    sglang, vllm = (
        deployment("gpt-oss-120b", name=name, version=v) for name, v in (("sglang", ""), ("vllm", "0.11.0"))
    )
    assert memory_plan(sglang).weights_bytes == pytest.approx(memory_plan(vllm).weights_bytes, rel=1e-3)


def test_graphs_come_out_of_the_engines_share_since_0_21():
    before, since = (memory_plan(deployment("qwen2.5-7b", version=v)) for v in ("0.19.0", "0.24.0"))
    assert not before.graphs_inside
    assert since.kv_bytes == pytest.approx(before.kv_bytes - since.graphs_bytes)
    assert graph_bytes(replace(deployment("qwen2.5-7b"), eager=True)) == 0.0


def test_fewer_requests_capture_fewer_graphs():
    one = deployment("qwen2.5-7b")
    few = replace(one, engine=one.engine.replace(max_batch=4))
    assert graph_bytes(few) < 0.6 * graph_bytes(one)


@pytest.mark.parametrize("version", ["0.10.1", "0.11.0", "0.14.1"])
def test_gpt_oss_120b_does_not_start_on_one_h100_of_80_gib(version):
    # vllm 23278, 27508, 33155: 64.4 to 66.0 GiB of weights, -2.1 GiB left
    one = deployment("gpt-oss-120b", version=version, frac=None, longest=0)
    assert start_shortage(one)
    assert memory_plan(one).weights_bytes / GIB == pytest.approx(65.97 if version == "0.10.1" else 64.38, rel=0.005)


def test_qwen3_235b_leaves_what_the_log_of_0_10_says_less_a_connector():
    # vllm 21348: 8.11 GiB with a KV connector
    model = models.load("qwen3-235b-a22b")
    one = replace(deployment("qwen3-235b-a22b", version="0.10.0", frac=0.9, tp=4), model=model, precision="fp8")
    assert memory_plan(one).kv_bytes / GIB == pytest.approx(8.11, rel=0.1)


def test_sglang_sets_states_aside_and_does_not_fit_qwen3_next_on_two_h20():
    # sglang 10467, September 2025
    assert start_shortage(deployment("qwen3-next-80b-a3b", "h20", name="sglang", version="0.5.2", frac=None, tp=2))
    assert not start_shortage(deployment("qwen3-next-80b-a3b", "h20", name="sglang", version="0.5.2", frac=None, tp=4))


def test_sglangs_states_take_nine_tenths_of_the_cache_whatever_runs():
    one = deployment("qwen3-next-80b-a3b", "h20", name="sglang", version="0.5.4", frac=None, tp=4)
    states = memory_plan(one).reserved_bytes - memory_plan(replace(one, model=models.load("qwen3-32b"))).reserved_bytes
    assert states == pytest.approx(0.9 * memory_plan(one).kv_bytes)


def test_the_sampler_warms_up_beside_the_cache():
    # llm-d-planner: gpt-oss-20b fails at 0.95 of an H100 and starts at 0.9
    assert "warm-up" in start_shortage(deployment("gpt-oss-20b", tp=2))
    assert not start_shortage(deployment("gpt-oss-20b", frac=0.9, tp=2))


def test_recurrent_layers_need_a_page_for_each_running_request():
    short = start_shortage(deployment("qwen3-next-80b-a3b", "h20", version="0.20.0", frac=0.9, tp=2))
    assert "--max-num-seqs" in short


def test_a_vocabulary_that_does_not_divide_stops_the_start():
    assert "vocabulary" in start_shortage(deployment("qwen3-14b", tp=5))


def test_a_release_that_is_none_is_refused():
    with pytest.raises(InputError, match="`x` is no release"):
        jevons.memory("qwen3-32b", engine_version="x")
    assert jevons.memory("qwen3-32b", engine_version="v0.11.2").use.activations_bytes / GIB == pytest.approx(
        5.64, abs=0.1
    )


def test_server_defaults_follow_the_device():
    engines = [jevons.memory("llama-3.1-8b", gpu=gpu).deployment.engine for gpu in ("a10", "h100_sxm")]
    small, large = (one.batching.max_batch for one in engines)
    assert (small, large) == (256, 1024)


def test_compressed_attention_is_cut_into_groups_that_leave_the_fewest_places_empty():
    """vLLM 0.28 (vllm#54703): groups of 62, 22, 21, 42 and 20 layers, in pages of 1,039,680 bytes."""
    cache = paged_cache(deployment("deepseek-v4-flash", kv="fp8", longest=272_000, tp=2, version="0.28.0"))
    assert cache.page_bytes == 1_039_680
    assert [(group.count, group.page_tokens, group.window) for group in cache.groups] == [
        (1, 256, 0), (2, 64, 128), (1, 4, 8), (1, 8, 128)
    ]  # fmt: skip


def test_kernels_of_compressed_attention_take_64_heads_however_few_a_device_has():
    def peak(**layout):
        one = deployment("deepseek-v4-flash", kv="fp8", version="0.28.0", **layout)
        few = one.engine.replace(max_batch=8, step_tokens=8192)
        return memory_plan(replace(one, engine=few)).activations_bytes

    all_heads = 8192 * 64 * 512 * 2.0
    assert peak(tp=8) - peak(tp=1) == pytest.approx(all_heads / 8)  # queries before they are padded
    assert peak(tp=8) > all_heads * 17 / 8


def test_residual_streams_and_an_indexers_buffers_lie_beside_a_step_of_compressed_attention():
    def peak(**changed):
        one = deployment("deepseek-v4-flash", kv="fp8", version="0.28.0", tp=8, longest=1_048_576)
        few = one.engine.replace(max_batch=8, step_tokens=8192, memory=one.engine.memory.replace(**changed))
        return memory_plan(replace(one, engine=few)).activations_bytes

    scores, keys = 2.0**29, 40 * 262_144 * (128 + 4)
    assert peak() - peak(index_scores_bytes=0.0) == pytest.approx(scores)
    assert peak() - peak(index_entries=39.0) == pytest.approx(keys / 40, rel=0.01)
    assert {group.attention.streams for group in models.load("deepseek-v4-flash").layers} == {4}


def test_inner_sizes_of_4_bit_experts_are_padded_to_256_on_amd():
    """vllm#53961: DeepSeek-V4-Pro on eight devices has 384 in each."""

    def weights(gpu):
        return memory_plan(deployment("deepseek-v4-pro", gpu, kv="fp8", version="0.28.0", tp=8)).weights_bytes

    assert weights("mi300x") / weights("h200_sxm") == pytest.approx(1.3, abs=0.03)


@pytest.mark.parametrize("tp", [1, 4])
def test_room_for_an_adapter_is_two_thin_matrices_beside_each(tp):
    """Llama-2-7B by hand: widths 4,096 and 11,008, 32,000 words; what a device holds whole is not divided."""
    told = deployment("llama-2-7b", tp=tp)
    told = replace(told, engine=told.engine.replace(adapters=2.0, adapter_rank=16.0))
    columns, rows = 3 * 4096 + 2 * 11_008, 4096 + 11_008
    a_layer = (3 + 2) * 4096 + columns / tp + rows / tp + 2 * 4096
    by_hand = 2 * 2 * 16 * (32 * a_layer + 2 * (32_000 + 4096))
    assert adapter_bytes(told) == pytest.approx(by_hand)
    assert memory_plan(told).weights_bytes == pytest.approx(weight_bytes_per_device(told) + by_hand)
    assert adapter_bytes(deployment("llama-2-7b")) == 0.0


def test_each_expert_has_an_adapter_of_its_own():
    told = deployment("qwen3-30b-a3b")
    told = replace(told, engine=told.engine.replace(adapters=1.0, adapter_rank=16.0))
    experts = 2 * 16 * 48 * 128 * 3 * (2048 + 768)
    assert experts < adapter_bytes(told) < 1.1 * experts
    old = deployment("qwen3-30b-a3b", version="0.11.0")
    old = replace(old, engine=old.engine.replace(adapters=1.0, adapter_rank=16.0))
    assert adapter_bytes(old) < 0.1 * experts


@pytest.mark.parametrize(("version", "sets"), [("0.11.0", 1.0), ("0.19.0", 2.0)])
def test_graphs_are_captured_with_adapters_and_without_since_0_12(version, sets):
    plain = deployment("llama-3.1-8b", version=version)
    adapted = replace(plain, engine=plain.engine.replace(adapters=1.0, adapter_rank=16.0))
    fixed = plain.engine.memory.graphs.graph_fixed_bytes
    assert graph_bytes(adapted) - fixed == pytest.approx(sets * (graph_bytes(plain) - fixed))


def test_a_server_without_images_loads_no_encoder():
    seen = deployment("qwen3-vl-8b")
    blind = replace(seen, engine=seen.engine.replace(takes_images=False, takes_videos=False))
    missing = memory_plan(seen).weights_bytes - memory_plan(blind).weights_bytes
    assert missing == pytest.approx(2.0 * seen.model.vision_parameters)
    assert encoder_bytes(seen) > encoder_bytes(blind) == 0.0
    still = replace(seen, engine=seen.engine.replace(takes_images=False))
    assert memory_plan(still).weights_bytes == memory_plan(seen).weights_bytes  # it reads videos


def test_a_start_of_0_15_asks_each_stage_for_room_in_all_of_them():
    staged = deployment("llama-3.1-70b", version="0.15.0", longest=131_072, frac=0.9, pp=4)
    assert stages_checked(staged) == 4.0
    assert "over all pipeline stages" in start_shortage(staged)
    assert not start_shortage(deployment("llama-3.1-70b", version="0.16.0", longest=131_072, frac=0.9, pp=4))
    assert stages_checked(deployment("llama-3.1-70b", version="0.13.0", pp=4)) == 1.0
