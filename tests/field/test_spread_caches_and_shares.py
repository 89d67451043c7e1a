"""Public reports of 2025 and 2026 of caches spread over devices, shares near a device's memory, states and hosts.

None of them was fitted to. Each test names the report; what people typed is rewritten to the options that say it.
"""

from __future__ import annotations

from typing import Any

import pytest

import jevons
from jevons.errors import InfeasibleError, InputError
from jevons.serving.kv_pages import layer_token_bytes, paged_cache

GIB = 2**30


@pytest.mark.parametrize("engine", ["vllm serve", "sglang serve --model-path"])
def test_decode_context_parallelism_multiplies_the_tokens_of_latent_attention(engine: str) -> None:
    """vLLM's pull request 23734 and SGLang's guide: the budget of tokens grows by the number of devices."""
    line, flag = f"{engine} deepseek-ai/DeepSeek-R1", "-dcp" if engine.startswith("vllm") else "--dcp-size"
    line += " -tp 8" if engine.startswith("vllm") else " --tp 8"
    alone, spread = (
        jevons.memory(serve=text, gpu="h200_sxm") for text in (line, f"{line} {flag} 8")
    )  # fmt: skip
    assert spread.kv_bytes == alone.kv_bytes
    assert spread.kv_tokens == pytest.approx(8 * alone.kv_tokens, rel=1e-4)
    assert spread.to_json()["interval"]["nearness"] == "far"


def test_an_indexers_keys_stay_whole_on_each_device() -> None:
    """sglang#31821: two devices hold 4,252,416 tokens in place of 2,292,288, 1.86 times as many."""
    line = "sglang serve --model-path deepseek-ai/DeepSeek-V3.2 --tp 8 --kv-cache-dtype fp8_e4m3"
    alone, spread = (jevons.memory(serve=text, gpu="h200_sxm") for text in (line, f"{line} --dcp-size 2"))
    assert 1.6 < spread.kv_tokens / alone.kv_tokens < 1.86
    attention = spread.deployment.model.layers[0].attention
    assert layer_token_bytes(spread.deployment, attention) == 656 / 2 + 132


def test_grouped_heads_are_spread_over_no_more_devices_than_keep_the_same_ones() -> None:
    """vLLM: Qwen3-235B has 4 key-value heads, each on two of eight devices."""
    line = "vllm serve Qwen/Qwen3-235B-A22B -tp 8"
    alone, spread = (jevons.memory(serve=text, gpu="h200_sxm") for text in (line, f"{line} -dcp 2"))
    assert spread.kv_tokens == pytest.approx(2 * alone.kv_tokens, rel=1e-4)
    with pytest.raises(InputError, match="use 2"):
        jevons.memory(serve=f"{line} -dcp 4", gpu="h200_sxm")
    with pytest.raises(InputError, match="must divide tp 8; use 2"):
        jevons.memory(serve="vllm serve deepseek-ai/DeepSeek-R1 -tp 8 -dcp 3", gpu="h200_sxm")


@pytest.mark.parametrize(("release", "seats", "starts"), [("0.8.1", "", False), ("0.8.1", "--max-num-seqs 8", True)])
def test_the_second_engine_ran_1024_requests_at_first_on_every_card(release: str, seats: str, starts: bool) -> None:
    """vllm#17238: a 32B in 8 bits on two RTX 3090 has no room until eight requests run at most."""
    line = "vllm serve Qwen/Qwen2.5-32B-Instruct -q experts_int8 -tp 2 --max-model-len 4096 --enforce-eager"
    own = jevons.memory(serve=f"{line} {seats}", gpu="rtx_3090", engine_version=release)
    assert own.fits == starts


@pytest.mark.parametrize(("release", "seats"), [("0.7.3", 256), ("0.8.3", 1024), ("0.8.5", 256), ("0.8", 256)])
def test_most_requests_of_a_small_card_by_release(release: str, seats: int) -> None:
    """vLLM's pull request 16158 put 256 back in 0.8.4."""
    own = jevons.memory(serve="vllm serve Qwen/Qwen3-8B", gpu="rtx_4090", engine_version=release)
    assert own.deployment.engine.batching.max_batch == seats


@pytest.mark.parametrize(
    ("model", "share", "blocks"), [("27B-FP8", "", 939), ("27B-NVFP4", "", 1011), ("27B", "0.95", 556)]
)
def test_1024_requests_of_a_hybrid_27b_are_not_sure_to_start_on_one_card(model: str, share: str, blocks: int) -> None:
    """recipes#831: none starts, for want of blocks for states."""
    line = f"vllm serve Qwen/Qwen3.8-{model}" + (f" --gpu-memory-utilization {share}" if share else "")
    own = jevons.memory(serve=line, gpu="rtx_pro_6000", engine_version="0.27")
    assert own.p_fits < 0.9
    low, high = own.ends()["kv_bytes"]
    logged = blocks * paged_cache(own.deployment).page_bytes
    assert low < logged < high or model == "27B"
    if model == "27B":
        assert not own.fits
        assert own.p_fits < 0.01


def test_blocks_of_a_hybrid_27b_before_its_warm_up_was_charged() -> None:
    """recipes#551: 856 blocks on one H100 at a share of 0.95, too few for 1,024 requests."""
    line = "python3 -m vllm.entrypoints.openai.api_server --model Qwen/Qwen3.6-27B-FP8 --gpu-memory-utilization 0.95"
    own = jevons.memory(serve=line, gpu="h100_sxm", engine_version="0.22")
    assert not own.fits
    assert paged_cache(own.deployment).pages(own.kv_bytes) == pytest.approx(856, rel=0.05)


def test_a_share_of_99_percent_leaves_a_full_step_no_sure_room() -> None:
    """ROCm/vllm#397 (0.6.6): out of memory with steps of 65,536 tokens beside a cache that takes the rest."""
    line = (
        "vllm serve meta-llama/Llama-2-70b-chat-hf -q fp8 --kv-cache-dtype fp8 --max-model-len 2048 --enforce-eager "
        "--max-num-batched-tokens 65536 --max-num-seqs 2048 --enable-chunked-prefill False --gpu-memory-utilization"
    )
    assert jevons.memory(serve=f"{line} 0.99", gpu="mi300x", engine_version="0.6.6").p_fits < 0.9
    assert jevons.memory(serve=f"{line} 0.9", gpu="mi300x", engine_version="0.6.6").p_fits > 0.9


def test_a_connectors_buffers_lie_in_the_interval_of_a_cache() -> None:
    """LMCache#1241 (0.9.0): 87,584 tokens on two RTX 4090, 0.9 GiB less than without a connector."""
    line = "vllm serve Qwen/Qwen3-30B-A3B-FP8 -tp 2 --max-model-len 32000 --kv-transfer-config "
    line += """'{"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}'"""
    own = jevons.memory(serve=line, gpu="rtx_4090", engine_version="0.9.0")
    assert own.to_json()["interval"]["nearness"] == "far"
    low, high = own.ends()["kv_tokens"]
    assert low < 87_584 < high


@pytest.mark.parametrize(("release", "sure"), [("0.7.3", True), ("0.8.5", False), ("0.11", True)])
def test_a_small_share_is_not_sure_where_what_others_hold_counts(release: str, sure: bool) -> None:
    """vllm#17431: an 8B at 0.4 of an A800 starts in the first engine, and has no room for a cache in the second."""
    line = "vllm serve Qwen/Qwen3-8B --gpu-memory-utilization 0.4"
    assert (jevons.memory(serve=line, gpu="a800", engine_version=release).p_fits > 0.9) == sure


@pytest.mark.parametrize(
    "line",
    [
        "sglang serve --model-path moonshotai/Kimi-K2.5 --kt-weight-path /mnt/kimi --kt-num-gpu-experts 1",
        "vllm serve Qwen/Qwen3-32B --cpu-offload-gb 30 --max-model-len 8192",
    ],
    ids=["ktransformers#1817", "vLLM's guide"],
)
def test_weights_in_host_memory_are_not_said_to_be_too_large(line: str) -> None:
    """A Kimi-K2.5 with all experts but one on the host takes 31 GB of a card; both were told not to fit."""
    with pytest.raises(InputError, match="keeps weights in host memory"):
        jevons.memory(serve=line, gpu="l40s")


@pytest.mark.parametrize(("context", "fits"), [(32_768, True), (262_144, False)])
def test_llama_cpp_holds_the_context_that_it_is_told(context: int, fits: bool) -> None:
    """A card of 24 GB holds a 27B in 4 bits and 2 GiB of cache; its own greatest length was asked for."""
    line = f"llama-server -m Qwen3.5-27B-Q4_K_M.gguf -c {context} -ngl 99"
    own = jevons.memory(serve=line, gpu="rtx_3090")
    assert own.fits == fits
    assert own.max_model_len == context
    assert (own.p_fits > 0.8) == fits


STARTS: tuple[tuple[str, bool, str, str | None, str], ...] = (
    ("verl#5015", False, "ascend_910b3", "0.11",
     "vllm serve qwen2.5-32b-128k --max-num-seqs 1024 --max-num-batched-tokens 2048 --gpu_memory_util 0.8 -tp 2"),
    ("vllm-fork#510, one", False, "gaudi2", None, "vllm serve llama-3.1-70b"),
    ("vllm-fork#510, two", True, "gaudi2", None, "vllm serve llama-3.1-70b -tp 2 --max-model-len 8192"),
    ("gpustack#3831", False, "ascend_910b", None,
     "python -m sglang.launch_server --model-path Qwen/Qwen3-8B --mem-fraction-static 0.2"),
)  # fmt: skip


@pytest.mark.parametrize(("report", "starts", "gpu", "release", "line"), STARTS, ids=[one[0] for one in STARTS])
def test_starts_on_ascend_and_gaudi(report: str, starts: bool, gpu: str, release: str | None, line: str) -> None:
    own = jevons.memory(serve=line, gpu=gpu, **({"engine_version": release} if release else {}))
    assert own.fits == starts, report


RUN_32B: dict[str, Any] = {"gpu": "h200_sxm", "gpus": 8, "seq_len": 1024, "batch": 8, "micro_batch": 1}


def test_a_32b_with_weights_on_each_of_eight_h200_does_not_fit() -> None:
    """LlamaFactory#8642: 100 GB beside gradients, out of memory when states are made."""
    with pytest.raises(InfeasibleError, match=r"needs .* GB per device"):
        jevons.train("qwen3-32b", zero=2, framework="deepspeed", **RUN_32B)


@pytest.mark.parametrize(
    ("model", "gpu", "run", "taken_gb"),
    [
        ("qwen3-30b-a3b", "h100_sxm", {"ep": 16, "micro_batch": 1, "batch": 1024}, 61.35),
        ("qwen3-8b", "h200_sxm", {"micro_batch": 2, "batch": 128}, 114.0),
    ],
    ids=["Megatron-Bridge#3880", "awsome-distributed-ai#1138"],
)
def test_megatron_without_recomputation_takes_what_its_interval_holds(
    model: str, gpu: str, run: dict[str, Any], taken_gb: float
) -> None:
    record = jevons.train(
        model, gpu=gpu, gpus=16, seq_len=4096, tp=1, pp=1, recompute="none", framework="megatron", **run
    ).to_json()
    assert record["memory_bytes_low"] < 1e9 * taken_gb < record["memory_bytes_high"]
