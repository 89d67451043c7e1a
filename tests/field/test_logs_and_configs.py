"""More public reports: what start-up logs print, how large odd models are, and two benches of a known set-up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.serving.launch import deployment_of, read_launch

GIB = 2**30
LLAMA_3090 = "vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len {}"


def test_a_70b_in_8_bits_beside_its_cache_on_one_h100() -> None:
    """vllm#12569: 67.72 GiB of weights; 1,381 blocks, 10.79 sequences of 2,048 tokens."""
    line = (
        "vllm serve neuralmagic/Meta-Llama-3.1-70B-Instruct-quantized.w8a8 --max-model-len 2048 "
        "--gpu-memory-utilization 0.98"
    )
    record = jevons.memory(serve=line, gpu="h100_sxm", engine_version="0.7").to_json()
    assert record["weights_bytes"] / GIB == pytest.approx(67.72, rel=0.01)
    assert record["kv_tokens"] == pytest.approx(1381 * 16, rel=0.05)
    assert record["max_concurrency"] == pytest.approx(10.79, rel=0.05)


@pytest.mark.parametrize(
    ("gpu", "options", "tokens"),
    [
        (
            "h100_sxm",
            ("--max_batch_size 4096 --max_num_tokens 23552 --max_seq_len 157 "
             "--kv_cache_free_gpu_memory_fraction 0.8"),
            860_320,
        ),
        ("rtx_5090", "", 263_008),
    ],
)  # fmt: skip
def test_cache_that_tensorrt_llm_allocates(gpu: str, options: str, tokens: int) -> None:
    """TensorRT-LLM#6294: 52.51 GiB on an H100; #4275: 16.05 GiB on an RTX 5090."""
    line = f"trtllm-serve nvidia/Llama-3.1-8B-Instruct-FP8 {options}"
    assert jevons.memory(serve=line, gpu=gpu, kv_precision="fp8").kv_tokens == pytest.approx(tokens, rel=0.08)


def test_deepseek_r1_keeps_a_latent_of_its_keys_and_values() -> None:
    """ik_llama.cpp#235: 2,196 MiB for 32,768 tokens in 16 bits."""
    per_token = jevons.models.show("deepseek-r1").to_json()["kv_bytes_per_token"]
    assert per_token * 32_768 / 2**20 == pytest.approx(2196.0, abs=0.5)


def test_a_405b_in_4_bits_starts_on_eight_a6000() -> None:
    """vllm#6689."""
    line = (
        "vllm serve hugging-quants/Meta-Llama-3.1-405B-Instruct-AWQ-INT4 -q awq --tensor-parallel-size 8 "
        "--max-model-len 8192 --enable-chunked-prefill=false --disable-log-requests"
    )
    assert jevons.memory(serve=line, gpu="rtx_a6000").fits


@pytest.mark.parametrize(("longest", "peak_gib"), [(20_000, 17.06 - 14.99), (29_000, 17.98 - 14.99)])
def test_releases_that_take_prompts_whole_need_room_for_the_longest(longest: int, peak_gib: float) -> None:
    """vllm#10517, 0.6.4 on an RTX 3090: peak of activations by the greatest length."""
    record = jevons.memory(serve=LLAMA_3090.format(longest), gpu="rtx_3090", engine_version="0.6.4").to_json()
    assert record["activations_bytes"] / GIB == pytest.approx(peak_gib, rel=0.12)


def test_29000_tokens_do_not_fit_an_rtx_3090_that_takes_prompts_whole() -> None:
    """vllm#10517: 23,648 tokens are left."""
    assert not jevons.memory(serve=LLAMA_3090.format(29_000), gpu="rtx_3090", engine_version="0.6.4").fits


def test_20000_tokens_fit_an_rtx_3090_that_takes_prompts_whole() -> None:
    """vllm#10517, 0.6.4: 0.35 GiB outside the allocator, 3.81 GiB of cache, 1.56 sequences."""
    use = jevons.memory(serve=LLAMA_3090.format(20_000), gpu="rtx_3090", engine_version="0.6.4")
    record = use.to_json()
    assert use.fits
    assert record["other_bytes"] / GIB == pytest.approx(0.35, rel=0.02)
    assert record["kv_bytes"] / GIB == pytest.approx(3.81, rel=0.06)
    assert record["max_concurrency"] == pytest.approx(1.56, rel=0.06)


def test_cache_of_a_32b_in_4_bits_on_an_a6000() -> None:
    """vllm#10360, 0.6.4: 22.74 GiB."""
    line = "vllm serve Qwen/Qwen2.5-32B-Instruct-AWQ --max-model-len 4096 --enable-prefix-caching"
    record = jevons.memory(serve=line, gpu="rtx_a6000", engine_version="0.6.4").to_json()
    assert record["kv_bytes"] / GIB == pytest.approx(22.74, rel=0.02)


def test_a_48b_in_4_bits_starts_on_two_rtx_3090_with_its_prompts_whole() -> None:
    """vllm#28228, 0.11."""
    line = (
        "vllm serve cyankiwi/Kimi-Linear-48B-A3B-Instruct-AWQ-4bit --gpu-memory-utilization 0.95 --max_model_len 74000 "
        "--tensor_parallel 2 --enable_prefix_caching --max_num_batched_tokens 74000 --max-num-seqs 8"
    )
    assert jevons.memory(serve=line, gpu="rtx_3090", engine_version="0.11.1").fits


def test_cache_on_two_cards_that_meet_on_the_bus() -> None:
    """LLMServingSim's run of vLLM 0.28 on two RTX PRO 6000: 462,144 tokens."""
    line = "vllm serve Qwen/Qwen3-32B --tensor-parallel-size 2 --max-num-seqs 128 --max-num-batched-tokens 2048"
    use = jevons.memory(serve=line, gpu="rtx_pro_6000", engine_version="0.28")
    assert use.kv_tokens == pytest.approx(462_144, rel=0.05)


def test_weights_of_a_mixture_on_each_of_four_ranks() -> None:
    """vllm#17469: 14.2474 GiB."""
    use = jevons.memory(serve="vllm serve Qwen/Qwen3-30B-A3B -tp 4", gpu="h100_sxm", engine_version="0.8.5").to_json()
    assert use["weights_bytes"] / GIB == pytest.approx(14.2474, rel=0.002)


def test_a_cache_in_8_bits_holds_twice_the_tokens() -> None:
    """vllm#25350: 29.09 GiB of weights; 10.55 GiB hold 230,528 tokens."""
    line = "vllm serve Qwen/Qwen3-30B-A3B-FP8 --kv-cache-dtype fp8 --max-model-len 40000"
    record = jevons.memory(serve=line, gpu="l40s").to_json()
    assert record["weights_bytes"] / GIB == pytest.approx(29.09, rel=0.005)
    assert record["kv_bytes"] / record["kv_tokens"] == pytest.approx(10.55 * GIB / 230_528, rel=0.005)


def test_few_layers_of_a_hybrid_keep_a_cache() -> None:
    """club-3090#652, RTX 5090: 6.01 GiB hold 569,878 tokens, 4.35 sequences of 131,072."""
    line = (
        "vllm serve Qwen/Qwen3.5-35B-A3B --quantization modelopt_fp4 --kv-cache-dtype fp8 --max-model-len 131072 "
        "--max-num-batched-tokens 8192 --max-num-seqs 1"
    )
    use = jevons.memory(serve=line, gpu="rtx_5090")
    assert use.fits
    assert use.kv_bytes / use.kv_tokens == pytest.approx(6.01 * GIB / 569_878, rel=0.08)


@pytest.mark.slow
def test_one_user_of_a_14b_in_4_bits_on_an_a100_in_eager_mode() -> None:
    """vllm#20469: 30 requests of 16,000 in and 200 out: 223.5 s, 26.84 tokens/s, TPOT 20.63 ms, TTFT 3.35 s."""
    line = (
        "vllm serve Qwen/Qwen3-14B-AWQ --gpu-memory-utilization 0.95 --max-model-len 16384 --tensor-parallel-size 1 "
        "--enforce-eager --guided-decoding-backend guidance --max-num-seq 30"
    )
    record = jevons.simulate(
        serve=line, gpu="a100_sxm", engine_version="0.9.1", isl=16_000, osl=200, concurrency=1, requests=30
    ).to_json()
    assert record["output_tok_per_s"] == pytest.approx(26.84, rel=0.15)
    assert record["tpot_s"]["mean"] == pytest.approx(0.02063, rel=0.25)  # eager steps come out 22 % too slow
    assert record["ttft_s"]["mean"] == pytest.approx(3.345, rel=0.3)


@pytest.mark.slow
def test_sixty_four_users_of_a_405b_in_4_bits_on_one_mi355x() -> None:
    """vllm#25135: 320 requests of 1,022 in and 1,024 out: 413 s, 793 tokens/s."""
    record = jevons.simulate(
        "llama-3.1-405b", precision="fp4", gpu="mi355x", isl=1022, osl=1024, concurrency=64, requests=320
    ).to_json()
    assert record["wall_s"] == pytest.approx(413.1, rel=0.15)
    assert record["output_tok_per_s"] == pytest.approx(793.3, rel=0.15)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            ("docker run ghcr.io/huggingface/text-generation-inference:2.2.0 --model-id meta-llama/Meta-Llama-3.1-70B "
             "--max-total-tokens 139264 --num-shard 4"),
            {"model": "meta-llama/Meta-Llama-3.1-70B", "max_model_len": 139_264, "tp": 4},
        ),
        ("lmdeploy serve api_server internlm/internlm2_5-7b-chat --server-port 8333 --tp 4",
         {"model": "internlm/internlm2_5-7b-chat", "tp": 4}),
        ("llama-server -m DeepSeek-R1-Q2_K-00001-of-00030.gguf -c 16384 -np 8 -ngl 99 -ctk q4_0",
         {"model": "DeepSeek-R1", "precision": "q2_k", "kv_precision": "fp4", "kv_tokens": 16_384, "max_num_seqs": 8,
          "max_model_len": 2048}),
    ],
    ids=["text-generation-inference#2301", "lmdeploy#1032", "llama.cpp#9390"],
)  # fmt: skip
def test_lines_of_servers_without_measured_factors_are_those_of_the_generic_engine(
    line: str, said: dict[str, Any]
) -> None:
    launch = read_launch(line)
    meant = {name: given.value for name, given in deployment_of(launch).items()}
    assert meant["engine"] == "generic"
    assert {name: meant[name] for name in said} == said
    assert "has no measured factors" in launch.warning


@pytest.mark.parametrize(
    ("text", "told", "tokens"),
    [
        (
            (
                "[2026-06-28 15:16:45] max_total_num_tokens=2086558, chunked_prefill_size=8192, "
                "max_prefill_tokens=16384, max_running_requests=33, context_len=160000, available_gpu_mem=17.22 GB"
            ),
            {"model": "deepseek-v3.2", "gpu": "b200", "tp": 8}, 2_086_558,
        ),
        ("INFO 06-28 06:11:45 distributed_gpu_executor.py:45] # GPU blocks: 378, # CPU blocks: 1638",
         {"model": "llama-3-8b", "gpu": "a100"}, 6048),
    ],
)  # fmt: skip
def test_one_line_of_a_start_is_enough(tmp_path: Path, text: str, told: dict[str, Any], tokens: int) -> None:
    """sglang#29575 and OpenRLHF#336."""
    path = tmp_path / "start.log"
    path.write_text(text)
    entries = {one.metric: one for one in jevons.validate(path, **told).entries}
    assert entries["kv_cache_tokens"].measured == tokens
    assert entries["kv_cache_tokens"].predicted


ODD: dict[str, tuple[float, int, dict[str, Any]]] = {
    "smollm3": (3.075, 73_728, {
        "hidden_size": 2048, "num_hidden_layers": 36, "num_attention_heads": 16, "num_key_value_heads": 4,
        "intermediate_size": 11_008, "vocab_size": 128_256, "tie_word_embeddings": True, "no_rope_layer_interval": 4,
    }),
    "exaone4": (32.0, 65_536, {
        "hidden_size": 5120, "num_hidden_layers": 64, "num_attention_heads": 40, "num_key_value_heads": 8,
        "head_dim": 128, "intermediate_size": 27_392, "vocab_size": 102_400, "sliding_window": 4096,
        "sliding_window_pattern": "LLLG",
    }),
    "dots1": (142.8, 1_015_808, {
        "hidden_size": 4096, "num_hidden_layers": 62, "num_attention_heads": 32, "num_key_value_heads": 32,
        "head_dim": 128, "intermediate_size": 10_944, "moe_intermediate_size": 1408, "n_routed_experts": 128,
        "num_experts_per_tok": 6, "n_shared_experts": 2, "first_k_dense_replace": 1, "vocab_size": 152_064,
    }),
    "hunyuan_v1_moe": (80.4, 131_072, {
        "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "attention_head_dim": 128, "intermediate_size": 3072, "num_experts": 64, "moe_topk": [8] * 32,
        "num_shared_expert": [1] * 32, "moe_intermediate_size": [3072] * 32, "vocab_size": 128_167,
        "tie_word_embeddings": True,
    }),
    "apertus": (70.6, 327_680, {
        "hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8,
        "intermediate_size": 43_008, "vocab_size": 131_072, "hidden_act": "xielu",
    }),
    "bailing_moe": (16.8, 57_344, {
        "hidden_size": 2048, "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 4,
        "head_dim": 128, "intermediate_size": 5632, "moe_intermediate_size": 1408, "num_experts": 64,
        "num_experts_per_tok": 6, "num_shared_experts": 2, "first_k_dense_replace": 0, "vocab_size": 126_464,
    }),
}  # fmt: skip
"""Billions of parameters as published, bytes of the cache for a token of 16 bits, and the sizes of the config."""


@pytest.mark.parametrize("family", ODD)
def test_odd_families_are_as_large_as_published(tmp_path: Path, family: str) -> None:
    """Model cards of SmolLM3-3B, EXAONE-4.0-32B, dots.llm1, Hunyuan-A13B, Apertus-70B and Ling-lite."""
    billions, token_bytes, sizes = ODD[family]
    path = tmp_path / f"{family}.json"
    usual = {"torch_dtype": "bfloat16", "max_position_embeddings": 32_768, "tie_word_embeddings": False}
    path.write_text(json.dumps({"model_type": family, **usual, **sizes}))
    shown = jevons.models.show(str(path)).to_json()
    assert shown["parameters_total"] / 1e9 == pytest.approx(billions, rel=0.005)
    assert shown["kv_bytes_per_token"] == token_bytes
    assert not shown["warnings"]
