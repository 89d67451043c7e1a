"""Public reports of what fits and how fast it runs: the launch line that people typed, and the figure they got."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.errors import InfeasibleError

GIB = 2**30
QWEN = "vllm serve Qwen/Qwen3-235B-A22B-FP8 --tensor-parallel-size 4"


def test_gpt_oss_120b_starts_on_one_h100_only_with_more_of_its_memory() -> None:
    """vllm#23278, #27508 and #33155: 64.4 to 66.0 GiB of weights; nothing left at 0.9, 1.7 GiB at 0.95."""
    line = "vllm serve openai/gpt-oss-120b --gpu-memory-utilization {} --max-num-batched-tokens {} --max-model-len 8192"
    usual = jevons.memory(serve=line.format(0.9, 8192), gpu="h100_sxm", engine_version="0.10")
    assert not usual.fits
    assert 64.0 < usual.to_json()["weights_bytes"] / GIB < 66.5
    more = jevons.memory(serve=line.format(0.95, 1024), gpu="h100_sxm", engine_version="0.10").to_json()
    assert more["fits"]
    assert more["kv_bytes"] / GIB == pytest.approx(1.7, abs=0.5)


def test_cache_of_qwen3_235b_in_8_bits_on_four_h100() -> None:
    """vllm#21348: vLLM holds 178,880 tokens; SGLang with 0.93 of the memory 367,404."""
    own = jevons.memory(serve=QWEN, gpu="h100_sxm").to_json()
    assert own["kv_tokens"] == pytest.approx(178_880, rel=0.1)
    line = "python -m sglang.launch_server --model-path Qwen/Qwen3-235B-A22B-FP8 --tp 4 --mem-fraction-static 0.93"
    assert jevons.memory(serve=line, gpu="h100_sxm").to_json()["kv_tokens"] == pytest.approx(367_404, rel=0.1)


@pytest.mark.parametrize(("release", "tp", "fits"), [
    ("0.5.2", 2, False), ("0.5.2", 4, True), ("", 2, False), ("", 4, True), ("0.5.4", 2, True),
])  # fmt: skip
def test_qwen3_next_needs_four_h20_under_sglang(release: str, tp: int, fits: bool) -> None:
    """sglang#10467 (0.5.2): two do not hold its states beside the weights; nothing is promised without a release."""
    line = f"python -m sglang.launch_server --model-path Qwen/Qwen3-Next-80B-A3B-Instruct --tp {tp}"
    assert jevons.memory(serve=line, gpu="h20", engine_version=release).fits == fits


@pytest.mark.parametrize(("tp", "measured"), [(4, 2233), (8, 2705)])
def test_thirty_two_users_of_qwen3_next_on_h20(tp: int, measured: float) -> None:
    """sglang#10467: 100 requests of 1,000 in and 2,000 out."""
    line = f"python -m sglang.launch_server --model-path Qwen/Qwen3-Next-80B-A3B-Instruct --tp {tp}"
    record = jevons.simulate(serve=line, gpu="h20", isl=1000, osl=2000, concurrency=32, requests=100).to_json()
    assert record["output_tok_per_s"] == pytest.approx(measured, rel=0.3)


@pytest.mark.parametrize(("dtype", "token_bytes"), [("fp8", 48_072), ("bfloat16", 78_324)])
def test_a_token_of_deepseek_v32_in_its_cache(dtype: str, token_bytes: float) -> None:
    """sglang#11309: 656 bytes and an index of 132 in each of 61 layers; 43.67 GiB hold 975,424 tokens."""
    record = jevons.memory(
        serve=f"vllm serve deepseek-ai/DeepSeek-V3.2 -tp 8 --kv-cache-dtype {dtype}", gpu="b200_sxm"
    ).to_json()
    assert record["kv_bytes"] / record["kv_tokens"] == pytest.approx(token_bytes, rel=0.01)


@pytest.mark.parametrize("gpus", [7, 8])
def test_full_tuning_of_32b_does_not_fit_a_server_of_a800(gpus: int) -> None:
    """LlamaFactory#6999: ZeRO-3, sequences of 1,024, out of memory on 7 and on 8."""
    with pytest.raises(InfeasibleError, match="needs .* GB per device"):
        jevons.train("qwen2.5-32b", gpu="a800", gpus=gpus, seq_len=1024, batch=8 * gpus, zero=3, recompute="full")


def test_full_tuning_of_7b_with_zero_2_does_not_fit_eight_v100() -> None:
    """LlamaFactory#260."""
    with pytest.raises(InfeasibleError, match="needs .* GB per device"):
        jevons.train("llama-2-7b", gpu="v100_32gb", gpus=8, seq_len=4096, batch=64, zero=2, precision="fp16")


@pytest.mark.parametrize(("gpus", "measured"), [(128, 413), (64, 430)])
def test_work_of_gh200_on_8b(gpus: int, measured: float) -> None:
    """swiss-ai/Megatron-LM#29: 2 M tokens a step, TFLOP/s of each accelerator."""
    record = jevons.train("llama-3.1-8b", gpu="gh200", gpus=gpus, seq_len=8192, batch=256).to_json()
    assert record["mfu_frac"] * 989 == pytest.approx(measured, rel=0.17)


def test_a_step_of_8b_on_256_tpu_v6e_that_share_all_states() -> None:
    """torchprime#16: FSDP, 256 sequences of 8,192, 1.625 s."""
    record = jevons.train(
        "llama-3.1-8b", gpu="tpu_v6e", gpus=256, seq_len=8192, batch=256, fsdp="full_shard", fused_loss=True
    ).to_json()
    assert record["step_time_s"] == pytest.approx(1.625, rel=0.4)


@pytest.mark.slow
def test_glm_52_drafts_three_tokens_and_a_half_a_step() -> None:
    """sglang#31554: one at a time, 8,192 in and 1,024 out, accept length 3.5: TTFT 670 ms, TPOT 5.13 ms."""
    line = "python -m sglang.launch_server --model-path zai-org/GLM-5.2-FP8 --tp 8"
    record = jevons.simulate(
        serve=line, gpu="h200_sxm", isl=8192, osl=1024, concurrency=1, requests=8, draft_tokens=5, draft_acceptance=0.78
    ).to_json()
    assert record["ttft_s"]["mean"] == pytest.approx(0.670, rel=0.3)
    assert record["tpot_s"]["mean"] == pytest.approx(0.00513, rel=0.3)


LLAMA: dict[str, Any] = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 14_336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128_256,
    "max_position_embeddings": 131_072, "torch_dtype": "bfloat16",
}  # fmt: skip
QUANTISED: tuple[tuple[str, dict[str, Any], float, float], ...] = (
    ("bnb", {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, 5.7, 131_072),
    ("gptq3", {"quant_method": "gptq", "bits": 3, "group_size": 128, "desc_act": False}, 4.9, 131_072),
    (
        "modelopt",
        {"quant_method": "modelopt", "quant_algo": "FP8", "kv_cache_scheme": {"type": "float", "num_bits": 8},
         "ignore": ["lm_head"]},
        9.1, 65_536,
    ),
    (
        "fp8dyn",
        {"quant_method": "compressed-tensors", "format": "float-quantized", "ignore": ["lm_head"],
         "kv_cache_scheme": {"type": "float", "num_bits": 8},
         "config_groups": {"group_0": {"targets": ["Linear"], "weights": {"num_bits": 8, "type": "float"}}}},
        9.1, 65_536,
    ),
    (
        "torchao",
        {"quant_method": "torchao", "quant_type": {"default": {"_type": "Int4WeightOnlyConfig", "_data": {
            "group_size": 128}}}},
        5.8, 131_072,
    ),
)  # fmt: skip


@pytest.mark.parametrize(("name", "method", "gigabytes", "token_bytes"), QUANTISED)
def test_quantised_llama_is_as_large_as_its_files(
    tmp_path: Path, name: str, method: dict[str, Any], gigabytes: float, token_bytes: float
) -> None:
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps({**LLAMA, "quantization_config": method}))
    shown = jevons.models.show(str(path))
    assert shown.spec.weight_bytes() / 1e9 == pytest.approx(gigabytes, rel=0.06)
    assert shown.to_json()["kv_bytes_per_token"] == token_bytes
