"""Public reports of trainings that ran, that ran out of memory, and of what they took, of 2024 to 2026.

None of them was fitted to. Each names its report; what people wrote is rewritten to the options that say it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.errors import InfeasibleError

QWEN_32B: dict[str, Any] = {
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 5120, "num_hidden_layers": 64,
    "num_attention_heads": 40, "num_key_value_heads": 8, "intermediate_size": 27_392, "vocab_size": 152_064,
    "max_position_embeddings": 32_768, "tie_word_embeddings": False,
}  # fmt: skip
SPARSE_16B: dict[str, Any] = {
    "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "hidden_size": 2048,
    "intermediate_size": 10_944, "moe_intermediate_size": 1408, "num_hidden_layers": 27, "num_attention_heads": 16,
    "num_key_value_heads": 16, "n_shared_experts": 2, "n_routed_experts": 64, "kv_lora_rank": 512, "q_lora_rank": None,
    "qk_rope_head_dim": 64, "v_head_dim": 128, "qk_nope_head_dim": 128, "num_experts_per_tok": 6, "moe_layer_freq": 1,
    "first_k_dense_replace": 1, "vocab_size": 102_400, "max_position_embeddings": 16_384, "tie_word_embeddings": False,
}  # fmt: skip


def _file(folder: Path, sizes: dict[str, Any]) -> str:
    path = folder / "own.json"
    path.write_text(json.dumps(sizes))
    return str(path)


@pytest.mark.parametrize(("tokens", "offload"), [(32_768, "optimizer"), (200, "none")])
def test_a_32b_trained_in_full_does_not_fit_eight_a100(tmp_path: Path, tokens: int, offload: str) -> None:
    """LlamaFactory#3259, with states on the host; xtuner#793, at any length without."""
    with pytest.raises(InfeasibleError, match=r"needs .* GB per device"):
        jevons.train(
            _file(tmp_path, QWEN_32B), gpu="a100_80gb", gpus=8, seq_len=tokens, batch=8, micro_batch=1, zero=3,
            offload=offload,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("model", "gpu", "gpus", "run"),
    [
        ("qwen3.5-27b", "l40s", 3, {"method": "qlora", "lora_rank": 64, "seq_len": 8192, "batch": 12}),
        (
            "llama-3.1-8b",
            "l20",
            4,
            {"method": "lora", "lora_rank": 8, "seq_len": 15_000, "micro_batch": 2},
        ),
    ],
    ids=["LlamaFactory#10367", "LlamaFactory#6531"],
)
def test_adapters_of_long_sequences_do_not_fit_cards_of_48_gigabytes(
    model: str, gpu: str, gpus: int, run: dict[str, Any]
) -> None:
    """The first ran out in its 128th step, at a longest sequence; the second runs for a while with one sequence."""
    with pytest.raises(InfeasibleError, match=r"needs .* GB per device"):
        jevons.train(model, gpu=gpu, gpus=gpus, **{"micro_batch": 1, "batch": 64, "zero": 3, **run})


# Device, expert parallelism, tokens, sequences of a device, recomputation, and what is taken of each [GB].
PEAKS: tuple[tuple[str, int, int, int, str, float], ...] = (
    ("h100_sxm", 8, 4096, 4, "full", 78.7),
    ("b200_sxm", 1, 6144, 4, "none", 168.6),
)


@pytest.mark.parametrize(("gpu", "ep", "tokens", "sequences", "recompute", "taken_gb"), PEAKS)
def test_what_a_sparse_16b_takes_lies_in_its_interval(
    tmp_path: Path, gpu: str, ep: int, tokens: int, sequences: int, recompute: str, taken_gb: float
) -> None:
    """torchtitan#1789 (73.32 GiB) and #1993 (88 % of a B200, the loss compiled)."""
    record = jevons.train(
        _file(tmp_path, SPARSE_16B), gpu=gpu, gpus=8, seq_len=tokens, batch=8 * sequences, micro_batch=sequences,
        fsdp="full_shard", ep=ep, recompute=recompute, fused_loss=recompute == "none",
    ).to_json()  # fmt: skip
    assert record["memory_bytes_low"] < 1e9 * taken_gb < record["memory_bytes_high"]


def test_twice_the_sequences_of_a_sparse_16b_do_not_fit_eight_h100(tmp_path: Path) -> None:
    """torchtitan#1789: eight of 4,096 tokens on each device, experts divided by eight."""
    with pytest.raises(InfeasibleError, match=r"needs .* GB per device"):
        jevons.train(
            _file(tmp_path, SPARSE_16B), gpu="h100_sxm", gpus=8, seq_len=4096, batch=64, micro_batch=8,
            fsdp="full_shard", ep=8, recompute="full",
        )  # fmt: skip


@pytest.mark.parametrize(("layers", "gpus", "taken_gib"), [(10, 1, 39.43), (20, 1, 74.56), (20, 8, 39.41)])
def test_a_part_of_a_13b_without_recomputation_takes_what_its_interval_holds(
    tmp_path: Path, layers: int, gpus: int, taken_gib: float
) -> None:
    """lightning-thunder#474: two sequences of 4,096 a device, states in 16 bits, compiled by Inductor."""
    sizes = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 5120, "num_hidden_layers": layers,
        "num_attention_heads": 40, "num_key_value_heads": 40, "intermediate_size": 13_824, "vocab_size": 32_000,
        "max_position_embeddings": 4096, "tie_word_embeddings": False,
    }  # fmt: skip
    record = jevons.train(
        _file(tmp_path, sizes), gpu="h200_sxm", gpus=gpus, seq_len=4096, batch=2 * gpus, micro_batch=2,
        recompute="none", master_weights="none", gradient_dtype="bf16",
        **({"fsdp": "full_shard"} if gpus > 1 else {"framework": "fsdp"}),
    ).to_json()  # fmt: skip
    assert record["memory_bytes_low"] < 2**30 * taken_gib < record["memory_bytes_high"]
