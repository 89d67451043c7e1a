"""Public reports of servers that started or did not, what they then served, and trainings that fit or did not.

None of them was fitted to. Each test names the report; what people typed is rewritten to the options that say it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.errors import InfeasibleError, InputError

GIB = 2**30


def test_70b_in_8_bits_starts_on_one_device_before_the_sampler_was_warmed_up() -> None:
    """vllm#12569 (0.7): a share of 0.98, 67.72 GiB of weights, 1,381 blocks of 16, 10.79 sequences of 2,048."""
    line = "vllm serve neuralmagic/Meta-Llama-3.1-70B-Instruct-quantized.w8a8 --max-model-len 2048 "
    own = jevons.memory(serve=f"{line} --gpu-memory-utilization 0.98", gpu="h100_sxm", engine_version="0.7").to_json()
    assert own["fits"]
    assert own["weights_bytes"] / GIB == pytest.approx(67.72, rel=0.01)
    assert own["kv_tokens"] == pytest.approx(22_096, rel=0.05)
    assert own["max_concurrency"] == pytest.approx(10.79, rel=0.05)


def test_8b_of_29000_tokens_does_not_start_on_a_card_of_24_gigabytes() -> None:
    """vllm#10517 (0.6): prompts of that length are profiled whole; 23,648 tokens were left."""
    line = "vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 29000"
    own = jevons.memory(serve=line, gpu="rtx_3090", engine_version="0.6.4")
    assert not own.fits
    assert own.to_json()["weights_bytes"] / GIB == pytest.approx(14.99, rel=0.01)


def test_kimi_linear_in_4_bits_on_two_cards() -> None:
    """vllm#28228 (0.11): 2.30 GiB of cache hold 75,840 tokens, 2.48 sequences of 120,000.

    How many weights share a scale is not in the name: 32 in place of 128 take 0.5 GiB more on each card.
    """
    line = (
        "vllm serve cyankiwi/Kimi-Linear-48B-A3B-Instruct-AWQ-4bit --gpu-memory-utilization 0.95 "
        "--max_model_len 120000 --tensor_parallel 2 --enable_prefix_caching --max_num_batched_tokens 64000 "
        "--max-num-seqs 8"
    )
    own = jevons.memory(serve=line, gpu="rtx_3090", engine_version="0.11").to_json()
    assert own["fits"]
    assert own["kv_bytes"] / GIB == pytest.approx(2.30, rel=0.2)
    assert own["kv_tokens"] == pytest.approx(75_840, rel=0.2)
    assert own["max_concurrency"] == pytest.approx(2.48, rel=0.2)


def test_8b_in_8_bits_on_an_rtx_5090_under_tensorrt_llm() -> None:
    """TensorRT-LLM#4275: 263,008 tokens of cache in 8 bits."""
    line = "trtllm-serve RedHatAI/Meta-Llama-3.1-8B-Instruct-FP8"
    own = jevons.memory(serve=line, gpu="rtx_5090", kv_precision="fp8").to_json()
    assert own["kv_tokens"] == pytest.approx(263_008, rel=0.1)


def test_gpt_oss_20b_on_a_card_of_24_gigabytes() -> None:
    """vllm#22331 (0.10): 12.88 GiB of weights; it starts."""
    own = jevons.memory(serve="vllm serve openai/gpt-oss-20b", gpu="rtx_3090", engine_version="0.10").to_json()
    assert own["fits"]
    assert own["weights_bytes"] / GIB == pytest.approx(12.88, rel=0.08)


def test_an_rtx_4060_is_no_rtx_4060_ti(tmp_path: Path) -> None:
    """vllm#13882 (0.7): a share of 0.7 of 8 GiB has no room; the card with 16 GiB was answered for it."""
    line = "vllm serve Qwen/Qwen2.5-7B-Instruct-AWQ --gpu-memory-utilization 0.7 --max-model-len 4096"
    for name in ("RTX 4060", "rtx_4060", "NVIDIA GeForce RTX 4070", "RTX 5070"):
        with pytest.raises(InputError, match="unknown accelerator"):
            jevons.memory(serve=line, gpu=name)
    card = tmp_path / "card.yaml"
    card.write_text("name: RTX 4060\nlike: rtx_4060_ti_16gb\nmemory: 8 GiB\nbandwidth: 272 GB/s\n")
    own = jevons.memory(serve=line, hardware=card, engine_version="0.7")
    assert not own.fits
    assert own.to_json()["weights_bytes"] / GIB == pytest.approx(5.20, rel=0.03)


def test_a_prompt_of_16000_tokens_at_a_time_on_14b_in_4_bits() -> None:
    """vllm#20469 (0.9.1): 26.84 output tokens/s, TTFT 3.345 s, TPOT 20.63 ms; `--max-num-seq` is an abbreviation."""
    line = (
        "vllm serve Qwen/Qwen3-14B-AWQ --gpu-memory-utilization 0.95 --max-model-len 16384 --tensor-parallel-size 1 "
        "--enforce-eager --guided-decoding-backend guidance --max-num-seq 30"
    )
    record = jevons.simulate(
        serve=line, gpu="a100_80gb", engine_version="0.9.1", concurrency=1, isl=16_000, osl=200, requests=30
    ).to_json()
    assert record["output_tok_per_s"] == pytest.approx(26.84, rel=0.15)
    assert record["ttft_s"]["mean"] == pytest.approx(3.345, rel=0.25)
    assert record["tpot_s"]["mean"] == pytest.approx(0.02063, rel=0.15)
    assert record["wall_s"] == pytest.approx(223.5, rel=0.15)


@pytest.mark.parametrize(("users", "requests", "measured", "off"), [(4, 20, 482, 0.4), (32, 160, 2765, 0.15)])
def test_gpt_oss_20b_for_few_and_many_users(users: int, requests: int, measured: float, off: float) -> None:
    """achatbot#183: 512 in, 1,024 out, one H100; with four users a first request of seconds counts for a third."""
    line = "python3 -m sglang.launch_server --model openai/gpt-oss-20b --tp 1"
    record = jevons.simulate(serve=line, gpu="h100_sxm", concurrency=users, isl=512, osl=1024, requests=requests)
    assert record.to_json()["output_tok_per_s"] == pytest.approx(measured, rel=off)


@pytest.mark.parametrize(("isl", "ttft_ms", "tpot_ms"), [(128, 12.4, 4.2), (1024, 21.0, 4.4)])
def test_a_lone_user_of_a_small_model(isl: int, ttft_ms: float, tpot_ms: float) -> None:
    """tt-inference-server#340: Qwen3-0.6B on one A100, 128 tokens out."""
    run = jevons.simulate(
        serve="vllm serve Qwen/Qwen3-0.6B", gpu="a100_80gb", concurrency=1, isl=isl, osl=128, requests=8
    ).to_json()
    assert 1e3 * run["ttft_s"]["mean"] == pytest.approx(ttft_ms, rel=0.3)
    assert 1e3 * run["tpot_s"]["mean"] == pytest.approx(tpot_ms, rel=0.3)


TRAININGS: tuple[tuple[str, bool, str, dict[str, Any]], ...] = (
    ("LLaMA-Factory#5545", False, "llama-3.1-8b",
     {"gpu": "h100", "gpus": 1, "seq_len": 51_974, "batch": 8, "micro_batch": 1, "method": "qlora"}),
    ("LLaMA-Factory#1720", False, "llama-2-13b",
     {"gpu": "a800", "gpus": 8, "seq_len": 1024, "batch": 8, "micro_batch": 1, "zero": 0, "tp": 1, "pp": 1}),
    ("LLaMA-Factory#1158", False, "llama-2-13b",
     {"gpu": "a800", "gpus": 4, "seq_len": 1536, "batch": 4, "micro_batch": 1, "zero": 2}),
    ("LLaMA-Factory#1158, eight", True, "llama-2-13b",
     {"gpu": "a800", "gpus": 8, "seq_len": 1536, "batch": 8, "micro_batch": 1, "zero": 2}),
    ("LLaMA-Factory#1158, stage 3", True, "llama-2-13b",
     {"gpu": "a800", "gpus": 4, "seq_len": 1536, "batch": 4, "micro_batch": 1, "zero": 3}),
    ("LLaMA2-Accessory#26", False, "llama-2-13b",
     {"gpu": "a800", "gpus": 2, "seq_len": 512, "batch": 4, "micro_batch": 1, "fsdp": "full_shard"}),
    ("LLaMA2-Accessory#26, four", True, "llama-2-13b",
     {"gpu": "a800", "gpus": 4, "seq_len": 512, "batch": 8, "micro_batch": 1, "fsdp": "full_shard"}),
    ("dllm#9", False, "llama-3-8b",
     {"gpu": "a100_40gb", "gpus": 2, "seq_len": 1024, "batch": 16, "micro_batch": 2, "zero": 2,
      "offload": "optimizer"}),
    ("stanford_alpaca#56", False, "llama-2-7b",
     {"gpu": "a100_80gb", "gpus": 1, "seq_len": 512, "batch": 4, "micro_batch": 1}),
    ("stanford_alpaca#56, two", True, "llama-2-7b",
     {"gpu": "a100_80gb", "gpus": 2, "seq_len": 512, "batch": 8, "micro_batch": 1, "fsdp": "full_shard"}),
    ("torchtune#987, weights and states in 16 and 8 bits alone", True, "llama-2-70b",
     {"gpu": "a100_80gb", "gpus": 8, "seq_len": 4096, "batch": 8, "micro_batch": 1, "fsdp": "full_shard",
      "optimizer": "paged_adamw_8bit", "master_weights": "none", "gradient_dtype": "bf16"}),
    ("torchtune#987, states in 32 bits", False, "llama-2-70b",
     {"gpu": "a100_80gb", "gpus": 8, "seq_len": 4096, "batch": 8, "micro_batch": 1, "fsdp": "full_shard"}),
    ("torchtune#979", True, "llama-3-8b",
     {"gpu": "a100_80gb", "gpus": 1, "seq_len": 8192, "batch": 2, "micro_batch": 2, "method": "lora"}),
    ("axolotl#1428", True, "llama-2-70b",
     {"gpu": "rtx_3090", "gpus": 2, "seq_len": 512, "batch": 8, "micro_batch": 1, "method": "qlora",
      "fsdp": "full_shard", "offload": "parameters"}),
    ("Megatron-LM#1000", True, "llama-3-70b",
     {"gpu": "a100_80gb", "gpus": 16, "seq_len": 4096, "batch": 128, "tp": 8, "pp": 2, "recompute": "full"}),
)  # fmt: skip


@pytest.mark.parametrize(("report", "fits", "model", "run"), TRAININGS, ids=[one[0] for one in TRAININGS])
def test_trainings_that_fit_or_do_not(report: str, fits: bool, model: str, run: dict[str, Any]) -> None:
    if fits:
        assert jevons.train(model, **run).to_json()["fits"], report
        return
    with pytest.raises(InfeasibleError, match=r"needs .* GB per device"):
        jevons.train(model, **run)
