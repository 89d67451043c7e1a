"""Trainings whose makers print pace and memory, asked with the line or file that starts them; figures alone.

torchtune's README: two sequences of 2,048 tokens a device, packed and compiled, for each row.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import jevons
from jevons.errors import InputWarning

_STATED = "batch_size=2 tokenizer.max_seq_len=2048 dataset.packed=True compile=True gradient_accumulation_steps=1"
_ONE, _MANY = "tune run lora_finetune_single_device", "tune run --nproc_per_node 8 lora_finetune_distributed"
_GIB = 2.0**30


def _trained(line: str, **given: Any) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        return jevons.train(config=line, **given).to_json()


@pytest.mark.parametrize(
    ("line", "gpu", "tok_per_s", "peak_bytes"),
    [
        (f"{_ONE} --config llama3_1/8B_qlora_single_device {_STATED}", "rtx_4090", 2413.0, 7.4 * _GIB),
        (f"{_MANY} --config llama3_1/70B_lora {_STATED}", "a100_sxm", 3497.0, 27.6 * _GIB),
        (f"{_MANY} --config llama3_1/405B_qlora {_STATED}", "a100_sxm", 653.0, 44.8e9),
    ],
    ids=["8B, 4 bits", "70B", "405B, 4 bits"],
)
def test_pace_and_memory_of_adapters_lie_in_their_intervals(
    line: str, gpu: str, tok_per_s: float, peak_bytes: float
) -> None:
    record = _trained(line, gpu=gpu)
    assert record["fits"] is True
    assert record["tokens_per_s_low"] <= tok_per_s <= record["tokens_per_s_high"]
    assert record["memory_bytes_low"] <= peak_bytes <= record["memory_bytes_high"]


def test_an_8b_in_full_on_one_rtx_4090_with_its_states_on_the_host() -> None:
    """18.9 GiB and 1,650 tokens a second; its states are paged, and the update runs in the backward pass."""
    line = f"tune run full_finetune_single_device --config llama3_1/8B_full_single_device {_STATED}"
    paged = "optimizer=bitsandbytes.optim.PagedAdamW8bit optimizer_in_bwd=True"
    record = _trained(f"{line} {paged}", gpu="rtx_4090", offload="optimizer")
    assert record["memory_bytes"] == pytest.approx(18.9 * _GIB, rel=0.1)
    assert record["tokens_per_s_low"] <= 1650.0 <= record["tokens_per_s_high"]


def test_a_70b_in_4_bits_fits_eight_a100_under_fsdp() -> None:
    """axolotl#1563."""
    stated = (
        "base_model: casperhansen/llama-3-70b-fp16\nload_in_4bit: true\nadapter: lora\nsequence_len: 512\nlora_r: 8\n"
        "lora_target_linear: true\ngradient_accumulation_steps: 4\nmicro_batch_size: 1\noptimizer: adamw_torch\n"
        "bf16: auto\ngradient_checkpointing: true\nfsdp: [full_shard, auto_wrap]\n"
    )
    assert _trained(stated, gpu="a100_sxm", gpus=8)["fits"] is True
