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


LLAMA_FACTORY = """model_name_or_path: meta-llama/Meta-Llama-3-8B-Instruct
stage: sft
finetuning_type: full
deepspeed: examples/deepspeed/{sharing}.json
cutoff_len: 1024
max_samples: 1000
per_device_train_batch_size: 1
gradient_accumulation_steps: 2
num_train_epochs: 3.0
fp16: true
"""


@pytest.mark.filterwarnings("ignore::jevons.errors.InputWarning")
def test_a_file_of_llama_factory_says_which_of_its_deepspeed_files_starts_on_eight_3090() -> None:
    """LlamaFactory#5977: out of memory with ZeRO 3, and with offload it runs at 13 GB a card."""
    with pytest.raises(InfeasibleError, match=r"needs .* GB per device"):
        jevons.train(config=LLAMA_FACTORY.format(sharing="ds_z3_config"), gpu="rtx_3090", gpus=8)
    record = jevons.train(config=LLAMA_FACTORY.format(sharing="ds_z3_offload_config"), gpu="rtx_3090", gpus=8).to_json()
    assert record["fits"]
    assert record["memory_bytes_low"] < 13e9 < record["memory_bytes_high"]


@pytest.mark.filterwarnings("ignore::jevons.errors.InputWarning")
def test_a_line_of_ms_swift_on_one_h20_does_not_fit() -> None:
    """ms-swift#6329: an 8B in full with ZeRO 3, which shares nothing on one accelerator."""
    line = (
        "swift pt --model Qwen/Qwen3-8B --train_type full --torch_dtype bfloat16 --packing true "
        "--per_device_train_batch_size 1 --gradient_accumulation_steps 16 --deepspeed zero3 --max_length 3000"
    )
    with pytest.raises(InfeasibleError, match=r"needs .* GB per device"):
        jevons.train(config=line, gpu="h20", gpus=1)


def test_a_file_of_torchtitan_takes_the_memory_and_time_that_its_log_prints() -> None:
    """torchtitan#1884: 44.84 GiB and 5,615 tokens/s on each of four H100, two of which share a sequence."""
    text = """[model]
name = "llama3"
flavor = "8B"
[training]
local_batch_size = 1
seq_len = 8192
steps = 1000
[parallelism]
data_parallel_shard_degree = -1
context_parallel_degree = 2
[activation_checkpoint]
mode = "full"
"""
    record = jevons.train(config=text, gpu="h100_sxm", gpus=4).to_json()
    assert record["memory_bytes_low"] < 44.84 * 2**30 < record["memory_bytes_high"]
    assert 2 * 8192 / 4 / record["step_time_s"] == pytest.approx(5615, rel=0.25)


def test_a_70b_in_full_fits_32_cards_of_24_gigabytes_with_its_states_on_hosts() -> None:
    """anyscale/templates#130: full fine-tuning of Llama 2 70B on 32 A10G, 4,096 tokens a sample."""
    record = jevons.train(
        "llama-2-70b", gpu="a10g", gpus=32, framework="deepspeed", zero=3, offload="optimizer,parameters", seq_len=4096,
        micro_batch=1, batch=32, recompute="full",
    ).to_json()  # fmt: skip
    assert record["fits"]


def test_a_405b_on_128_h100_runs_at_the_pace_that_torchtitan_printed() -> None:
    """torchtitan#481: TP 8 and FSDP 16, 109 tokens/s on each accelerator."""
    text = """[model]
name = "llama3"
flavor = "405B"
[training]
batch_size = 2
seq_len = 8192
steps = 3000
tensor_parallel_degree = 8
data_parallel_degree = -1
[activation_checkpoint]
mode = "full"
"""
    record = jevons.train(config=text, gpu="h100_sxm", gpus=128).to_json()
    assert record["layout"]["tp"] == 8
    assert 2 * 8192 / 8 / record["step_time_s"] == pytest.approx(109, rel=0.2)


def test_sharded_weights_on_the_host_take_gradients_and_states_along() -> None:
    """accelerate#3647: a 32B in full with 20,000 tokens runs on four A100 when its loss is computed in parts."""
    run: dict[str, Any] = {
        "gpu": "a100_80gb", "gpus": 4, "seq_len": 20_000, "batch": 4, "micro_batch": 1, "fsdp": "full_shard",
        "offload": "parameters",
    }  # fmt: skip
    record = jevons.train("qwen2.5-32b", fused_loss=True, **run).to_json()
    assert record["fits"]
    assert record["layout"]["offload"] == "optimizer,parameters"
    assert not record["memory_parts_bytes"]["gradients"]
    with pytest.raises(InfeasibleError, match=r"logits 62\.4"):
        jevons.train("qwen2.5-32b", **run)
