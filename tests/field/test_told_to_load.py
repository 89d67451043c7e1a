"""Public reports of what servers had room for, of 2024 to 2026: pipelines, Ascend, adapters, images left out, one card.

None of them was fitted to. Each names its report; what people typed is rewritten to the options that say it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import jevons

GIB = 2**30
GLM = "zai-org/GLM-4.7-FP8 -pp 8 --max-num-seqs 128 --gpu-memory-utilization 0.925 --max-model-len 202752"
LIMITS = "--max-model-len 64000 --gpu-memory-utilization 0.95 -tp 8 --enforce-eager"


@pytest.mark.parametrize(("release", "starts"), [("0.13", True), ("0.15", False), ("0.16", True)])
def test_two_releases_ask_each_pipeline_stage_for_room_in_all_layers(release: str, starts: bool) -> None:
    """vllm#32105 and #34076: 28.57 GiB are left on each of eight A100, and 71.16 for 202,752 tokens asked for.

    A stage needs 8.9 of them; vLLM's pull request 33698 mended the check after 0.15.
    """
    own = jevons.memory(serve=f"vllm serve {GLM}", gpu="a100_80gb", engine_version=release)
    assert own.fits == starts
    if release == "0.15":
        assert own.kv_bytes / GIB == pytest.approx(28.57, rel=0.04)
        assert own.p_fits < 0.01
        assert f"{71.16 * GIB / 1e9:.1f} GB" in own.shortage


def test_a_14b_in_16_bits_does_not_surely_start_on_an_ascend_of_32_gigabytes() -> None:
    """vllm-ascend#9372: 27.54 GiB of weights leave -0.87 for the cache."""
    own = jevons.memory(serve="vllm serve Qwen/Qwen3-14B --max-model-len 4096 --enforce-eager", gpu="ascend_910b4")
    assert own.to_json()["weights_bytes"] / GIB == pytest.approx(27.54, rel=0.002)
    assert not own.fits
    assert own.p_fits < 0.5


@pytest.mark.parametrize(("share", "starts"), [(0.2, False), (0.4, True)])
def test_a_7b_on_an_ascend_of_64_gigabytes(share: float, starts: bool) -> None:
    """vllm-ascend#89."""
    line = f"vllm serve Qwen/Qwen2.5-Math-7B-Instruct --gpu-memory-utilization {share}"
    assert jevons.memory(serve=line, gpu="910B").fits == starts


def test_adapters_leave_less_room_and_no_certainty() -> None:
    """vllm#5193 (0.4): 70B on eight RTX 3090 runs, and with adapters does not, even for 128 tokens, unless eager."""
    line = "vllm serve meta-llama/Meta-Llama-3-70B-Instruct -tp 8 --max-model-len"
    plain = jevons.memory(serve=f"{line} 8192", gpu="rtx_3090", engine_version="0.4.2")
    assert plain.fits
    adapted = jevons.memory(serve=f"{line} 8192 --enable-lora", gpu="rtx_3090", engine_version="0.4.2")
    room = adapted.to_json()["weights_bytes"] - plain.to_json()["weights_bytes"]
    assert 0.1 < room / GIB < 0.3
    assert adapted.p_fits < plain.p_fits
    assert adapted.to_json()["interval"]["nearness"] == "far"
    short = jevons.memory(serve=f"{line} 128 --enable-lora", gpu="rtx_3090", engine_version="0.4.2")
    assert short.p_fits < 0.9


@pytest.mark.parametrize(("longest", "starts"), [(42_000, True), (262_144, False)])
def test_a_26b_in_4_bits_without_images_on_one_card(longest: int, starts: bool) -> None:
    """club-3090#334 (0.22): 1.82 GiB hold 42,993 tokens in sequences of 42,000; 262,144 need 5.98 GiB."""
    line = (
        f"vllm serve cyankiwi/gemma-4-26B-A4B-it-AWQ-4bit --max-model-len {longest} --gpu-memory-utilization 0.92 "
        """--max-num-batched-tokens 4096 --limit-mm-per-prompt '{"image":0,"audio":0}'"""
    )
    own = jevons.memory(serve=line, gpu="rtx_3090", engine_version="0.22")
    assert own.fits == starts
    assert own.kv_bytes / GIB == pytest.approx(1.82, rel=0.03)
    assert own.p_fits < 0.9
    if starts:
        assert own.kv_tokens == pytest.approx(42_993, rel=0.02)


@pytest.mark.parametrize("stated", ["", "--limit-mm-per-prompt image=20 --max-model-len 2048"])
def test_an_encoders_run_is_not_sure_to_leave_room_at_a_small_share(stated: str) -> None:
    """vllm#18124 (0.8.5): a 3B at 0.3 of an A100 does not start; vllm#17891: a 7B at 0.25 for 2,048 tokens does."""
    size, share = ("7B", 0.25) if stated else ("3B", 0.3)
    line = f"vllm serve Qwen/Qwen2.5-VL-{size}-Instruct --gpu-memory-utilization {share} {stated}"
    own = jevons.memory(serve=line, gpu="a100_80gb", engine_version="0.8.5")
    assert 0.5 < own.p_fits < 0.9


def test_deepseek_v3_is_not_sure_to_start_on_32_cards_of_24_gigabytes() -> None:
    """DeepSeek-V3#205 (0.6.6): out of memory for 128 tokens."""
    line = "vllm serve deepseek-ai/DeepSeek-V3 --gpu-memory-utilization 0.98 --max-model-len 128 -tp 8 -pp 4"
    assert jevons.memory(serve=f"{line} --enforce-eager", gpu="rtx_4090", engine_version="0.6.6").p_fits < 0.9


def test_weights_of_deepseek_r1_on_two_nodes_of_h20() -> None:
    """vllm#13074 (0.7.2): 39.66 GiB of weights on each of sixteen, 97.29 of cache where all may be used."""
    line = "vllm serve deepseek-ai/DeepSeek-R1 --gpu-memory-utilization 1.0 -tp 8 -pp 2 --max-model-len 8192"
    own = jevons.memory(serve=line, gpu="h20_141gb", engine_version="0.7.2")
    assert own.to_json()["weights_bytes"] / GIB == pytest.approx(39.66, rel=0.02)
    assert own.kv_bytes / GIB == pytest.approx(97.29, rel=0.05)


def _config(folder: Path, name: str, **sizes: object) -> Path:
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"tie_word_embeddings": False, "torch_dtype": "bfloat16", **sizes}))
    return file


def test_236b_in_16_bits_does_not_hold_64000_tokens_on_eight_h100(tmp_path: Path) -> None:
    """vllm#4650 (0.5.4): not enough memory for the cache, whose latent was kept by head."""
    file = _config(
        tmp_path, "deepseek-coder-v2", architectures=["DeepseekV2ForCausalLM"], model_type="deepseek_v2",
        hidden_size=5120, intermediate_size=12_288, moe_intermediate_size=1536, num_hidden_layers=60,
        num_attention_heads=128, num_key_value_heads=128, n_shared_experts=2, n_routed_experts=160, kv_lora_rank=512,
        q_lora_rank=1536, qk_rope_head_dim=64, v_head_dim=128, qk_nope_head_dim=128, num_experts_per_tok=6,
        moe_layer_freq=1, first_k_dense_replace=1, vocab_size=102_400, max_position_embeddings=163_840,
    )  # fmt: skip
    own = jevons.memory(serve=f"vllm serve {file} {LIMITS}", gpu="h100_sxm", engine_version="0.5.4")
    assert not own.fits
    assert own.p_fits < 0.01


def test_an_early_14b_has_no_room_on_a_v100(tmp_path: Path) -> None:
    """Qwen3#12 (0.3): half precision at 0.95 of 32 GB."""
    file = _config(
        tmp_path, "qwen1.5-14b", architectures=["Qwen2ForCausalLM"], model_type="qwen2", hidden_size=5120,
        num_hidden_layers=40, num_attention_heads=40, num_key_value_heads=40, intermediate_size=13_696,
        vocab_size=152_064, max_position_embeddings=32_768,
    )  # fmt: skip
    line = f"vllm serve {file} --dtype half --gpu-memory-utilization 0.95"
    own = jevons.memory(serve=line, gpu="v100_32gb", engine_version="0.3.0")
    assert not own.fits
    assert own.p_fits < 0.1


def test_an_8b_leaves_39024_tokens_of_a_card_of_24_gigabytes() -> None:
    """SubgraphRAG#19: too few for 131,072."""
    own = jevons.memory(serve="vllm serve meta-llama/Llama-3.1-8B-Instruct", gpu="rtx_3090", engine_version="0.6.4")
    assert not own.fits
    assert own.kv_tokens == pytest.approx(39_024, rel=0.03)


@pytest.mark.parametrize(("longest", "starts"), [("auto", True), ("-1", True), ("40960", False)])
def test_a_length_that_follows_the_cache_stops_no_start(longest: str, starts: bool) -> None:
    """vLLM's pull request 29431 (0.14): the longest sequence is shortened to what memory holds."""
    line = f"vllm serve Qwen/Qwen3-32B --max-model-len {longest}"
    own = jevons.memory(serve=line, gpu="h100_sxm", engine_version="0.19")
    assert own.fits == starts
    assert own.longest_request == (own.kv_tokens if starts else 0)
    assert own.kv_tokens < 40_960
