"""Memory of servers and trainings in public logs and reports that were looked up after all else here.

None of them was fitted to. Each names its report; what people typed is rewritten to the options that say it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.errors import InfeasibleError
from jevons.serving.kv_pages import paged_cache

GIB = 2**30


def test_experts_apart_on_eight_l40s_leave_the_cache_that_is_logged_and_may_start() -> None:
    """A log of vLLM 0.10.2: 238,208 tokens; 3.45 GiB of graphs, a fifth less than is told, let it start."""
    line = "vllm serve Qwen/Qwen3-235B-A22B-Instruct-2507-FP8 -tp 8 --enable-expert-parallel --max-model-len 32768"
    own = jevons.memory(serve=line, gpu="l40s", engine_version="0.10.2")
    assert own.kv_tokens == pytest.approx(238_208, rel=0.03)
    assert own.to_json()["p_fits"] > 0.2


def test_states_take_nine_tenths_of_the_cache_under_sglang() -> None:
    """sglang#20580: a hybrid of 120B in 4 bits starts on a DGX Spark, which does not hold states of 512 requests."""
    line = (
        "python -m sglang.launch_server --model-path nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4 "
        "--disable-radix-cache --disable-cuda-graph --max-total-tokens 8192 --context-length 4096"
    )
    assert jevons.memory(serve=line, gpu="dgx_spark", engine_version="0.5.9").fits
    assert not jevons.memory(serve=line, gpu="dgx_spark", engine_version="0.5.3").fits


@pytest.mark.parametrize(
    ("checkpoint", "gib"),
    [
        ("nvidia/Gemma-4-31B-IT-NVFP4", 31.04),
        ("nvidia/Qwen3.6-27B-NVFP4", 20.20),  # 20.57 with a head that drafts
        ("sgl-project/DeepSeek-V4-Flash-FP8", 266.1),
    ],
)
def test_what_a_makers_own_checkpoint_keeps_of_each_part(checkpoint: str, gib: float) -> None:
    """Logs of vLLM on a Jetson Thor and a DGX Spark; the sizes of the third follow from its config.json."""
    own = jevons.memory(serve=f"vllm serve {checkpoint} --max-model-len 8192", gpu="b300_sxm")
    assert own.to_json()["weights_bytes"] / GIB == pytest.approx(gib, rel=0.03)


MTP = """ --speculative-config '{"method":"mtp","num_speculative_tokens":%d}' """
INT4 = "Intel/Qwen3.6-27B-int4-AutoRound -tp 2 --dtype float16 --max-num-seqs 2 --max-model-len 262144" + MTP % 3
TWO_CARDS = "Qwen/Qwen3.8-27B-FP8 -tp 2 --gpu-memory-utilization 0.92 --max-num-seqs 2 --max-model-len 131072"
# Report, launch line, device, release, what is logged to be left for the cache [GiB], longest sequences that it holds.
SEQUENCES: tuple[tuple[str, str, str, str, float, float], ...] = (
    ("club-3090#642", INT4, "rtx_3090", "0.24", 11.05, 2.38),
    ("club-3090#487", INT4, "rtx_3090", "0.22", 10.85, 2.34),
    ("talos-argocd-proxmox#1995", TWO_CARDS, "rtx_3090", "0.26", 4.99, 2.31),
    ("122B on a Thor", "Sehyo/Qwen3.5-122B-A10B-NVFP4 --max-model-len 131072", "jetson_thor", "0.19", 21.43, 11.79),
    ("122B on a Thor, a token drafted", "Sehyo/Qwen3.5-122B-A10B-NVFP4 --max-model-len 262144" + MTP % 1,
     "jetson_thor", "0.19", 24.05, 6.42),
    ("27B on a Spark", "nvidia/Qwen3.6-27B-NVFP4 --max-model-len 262144" + MTP % 2, "dgx_spark", "0.23", 48.6, 5.32),
    ("windows on a Thor", "google/gemma-4-26B-A4B-it --max-model-len 131072 --max-num-batched-tokens 2048",
     "jetson_thor", "0.19", 51.62, 33.42),
)  # fmt: skip


@pytest.mark.parametrize(
    ("report", "line", "gpu", "release", "gib", "sequences"), SEQUENCES, ids=[one[0] for one in SEQUENCES]
)
def test_sequences_in_the_cache_that_is_left(
    report: str, line: str, gpu: str, release: str, gib: float, sequences: float
) -> None:
    """States take pages for that of the last block and for drafted tokens too."""
    own = jevons.memory(serve=f"vllm serve {line} --kv-cache-dtype fp8", gpu=gpu, engine_version=release)
    deployment = own.deployment
    assert paged_cache(deployment).concurrency(gib * GIB, deployment.longest) == pytest.approx(sequences, rel=0.03), (
        report
    )


GLM_4: dict[str, Any] = {
    "architectures": ["ChatGLMModel"], "model_type": "chatglm", "hidden_size": 4096, "num_layers": 40,
    "num_attention_heads": 32, "multi_query_attention": True, "multi_query_group_num": 2, "ffn_hidden_size": 13_696,
    "kv_channels": 128, "padded_vocab_size": 151_552, "seq_length": 131_072, "add_qkv_bias": True,
}  # fmt: skip
INTERNLM: dict[str, Any] = {
    "architectures": ["InternLMForCausalLM"], "model_type": "internlm", "hidden_size": 5120, "num_hidden_layers": 60,
    "num_attention_heads": 40, "intermediate_size": 13_824, "vocab_size": 103_168, "max_position_embeddings": 16_384,
    "tie_word_embeddings": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "options", "gpu", "release"),
    [(GLM_4, "", "a30", "0.4.2"), (INTERNLM, "--max-model-len 4096", "a40", "0.3.3")],
    ids=["GLM-4#19", "xorbitsai/inference#1115"],
)
def test_servers_that_did_not_start(
    tmp_path: Path, config: dict[str, Any], options: str, gpu: str, release: str
) -> None:
    file = tmp_path / "own.json"
    file.write_text(json.dumps(config))
    assert not jevons.memory(serve=f"vllm serve {file} {options}", gpu=gpu, engine_version=release).fits


def test_a_405b_in_8_bits_starts_on_eight_h100_under_sglang() -> None:
    """sglang#1362 (0.3)."""
    line = "sglang serve --model-path meta-llama/Meta-Llama-3.1-405B-FP8 --tp 8 --mem-fraction-static 0.87"
    assert jevons.memory(serve=line, gpu="h100_sxm", engine_version="0.3").fits


LORA = """model_name_or_path: Qwen/Qwen2-7B-Instruct
stage: sft
finetuning_type: lora
lora_target: all
deepspeed: examples/deepspeed/ds_z3_offload_config.json
cutoff_len: 32768
max_samples: 1000
per_device_train_batch_size: 1
gradient_accumulation_steps: 2
num_train_epochs: 5.0
bf16: true
"""
TRAININGS: tuple[tuple[str, str | None, dict[str, Any]], ...] = (
    ("LlamaFactory#4642", None, {"config": LORA, "gpu": "a800", "gpus": 8}),
    ("trl#930", "llama-2-7b",
     {"gpu": "a100_80gb", "gpus": 2, "seq_len": 4096, "batch": 2, "micro_batch": 1, "zero": 2, "framework": "deepspeed",
      "recompute": "full"}),
    ("Automodel#2673", "llama-3.3-70b",
     {"gpu": "h100_sxm", "gpus": 32, "pp": 8, "dp": 4, "fsdp": "full_shard", "seq_len": 1024, "micro_batch": 4,
      "batch": 64, "recompute": "none", "master_weights": "none", "gradient_dtype": "bf16"}),
    ("mwp_ReFT#12", "codellama-7b",
     {"gpu": "a800", "gpus": 1, "seq_len": 1024, "batch": 1, "micro_batch": 1, "zero": 2, "framework": "deepspeed"}),
    ("LlamaFactory#3638, logits whole", "llama-3-8b",
     {"gpu": "a100_80gb", "gpus": 1, "seq_len": 100_000, "batch": 8, "micro_batch": 1, "method": "qlora"}),
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::jevons.errors.InputWarning", "ignore::jevons.errors.InputNote")
@pytest.mark.parametrize(("report", "model", "run"), TRAININGS, ids=[one[0] for one in TRAININGS])
def test_trainings_that_ran_out_of_memory(report: str, model: str | None, run: dict[str, Any]) -> None:
    with pytest.raises(InfeasibleError, match=r"needs .* GB per device"):
        jevons.train(model, **run)


def test_an_8b_of_torchtitan_takes_what_its_log_says() -> None:
    """torchtitan#929: 47.65 GiB on each of eight H100, one sequence of 8,192 tokens, compiled."""
    record = jevons.train(
        "llama-3-8b", gpu="h100_sxm", gpus=8, fsdp="full_shard", seq_len=8192, micro_batch=1, batch=8,
        recompute="alternate",
    ).to_json()  # fmt: skip
    assert record["memory_bytes_low"] < 47.65 * GIB < record["memory_bytes_high"]
