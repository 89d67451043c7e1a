"""torchtune's files and ``tune run`` are read: components, recipes, overrides, and the configs that ship with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jevons.errors import InputError
from jevons.training.config import TrainingText, options_of, read_training

FULL = """output_dir: /tmp/torchtune/qwen
tokenizer:
  _component_: torchtune.models.qwen2_5.qwen2_5_tokenizer
  path: /tmp/Qwen2.5-7B-Instruct/vocab.json
  max_seq_len: 8192
dataset:
  _component_: torchtune.datasets.alpaca_cleaned_dataset
  packed: True
model:
  _component_: torchtune.models.qwen2_5.qwen2_5_7b_instruct
checkpointer:
  _component_: torchtune.training.FullModelHFCheckpointer
  checkpoint_files: [model-00001-of-00004.safetensors]
batch_size: 4
epochs: 2
optimizer:
  _component_: torch.optim.AdamW
  fused: True
  lr: 5e-6
optimizer_in_bwd: False
loss:
  _component_: torchtune.modules.loss.LinearCrossEntropyLoss
max_steps_per_epoch: 100
gradient_accumulation_steps: 8
clip_grad_norm: null
device: cuda
dtype: bf16
enable_activation_checkpointing: True
enable_activation_offloading: False
compile: True
metric_logger:
  _component_: torchtune.training.metric_logging.DiskLogger
  log_dir: ${output_dir}/logs
"""
ADAPTERS = FULL.replace(
    "qwen2_5_7b_instruct\n",
    "lora_qwen2_5_7b_instruct\n  lora_attn_modules: ['q_proj', 'v_proj', 'output_proj']\n  lora_rank: 64\n",
)


def _read(text: str, **given: Any) -> tuple[TrainingText, dict[str, Any]]:
    told = read_training(text)
    return told, {name: value for name, (value, _) in options_of(told, given).items()}


def _agree(found: dict[str, Any], **stated: Any) -> None:
    assert {name: found.get(name) for name in stated} == stated


def test_a_file_states_model_formats_batches_and_length() -> None:
    told, found = _read(FULL, gpus=8)
    _agree(
        found, model="qwen2.5-7b", seq_len=8192, micro_batch=4, accumulation=8, recompute="full", fused_loss=True,
        optimizer="adamw", master_weights="none", gradient_dtype="bf16", fsdp="full_shard", tp=1,
        tokens=f"{2 * 100 * 8192 * 4 * 8 * 8}",
    )  # fmt: skip
    assert (told.unknown, told.unmodelled) == ([], ["compile"])


def test_a_run_changes_what_its_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.yaml").write_text(ADAPTERS)
    monkeypatch.chdir(tmp_path)
    line = "tune run --nnodes 2 --nproc_per_node 4 lora_finetune_distributed --config own.yaml"
    _, found = _read(f"{line} batch_size=1 model.apply_lora_to_mlp=True model=torchtune.models.qwen3.lora_qwen3_0_6b")
    _agree(found, gpus=8, model="qwen3-0.6b", micro_batch=1, method="lora", lora_rank=64, lora_target="all")
    told, found = _read(line.replace("lora_finetune", "lora_dpo"))
    _agree(found, model="qwen2.5-7b", lora_target="attention", fsdp="full_shard")
    assert any("stage lora_dpo_distributed is taken as sft" in note for note in told.notes)


@pytest.mark.parametrize(
    ("recipe", "config", "stated"),
    [
        ("full_finetune_single_device", "llama3_1/8B_full_single_device",
         {"model": "llama-3.1-8b", "gpus": 1, "gradient_dtype": "none", "optimizer": "adamw_8bit"}),
        ("lora_finetune_single_device", "phi3/mini_qlora_single_device", {"model": "phi-3-mini-4k", "method": "qlora"}),
        ("lora_finetune_single_device", "qwen2_5/0.5B_lora_single_device",
         {"model": "qwen2.5-0.5b", "method": "lora", "zero": 0}),
    ],
)  # fmt: skip
def test_a_config_that_ships_is_known_by_its_name(recipe: str, config: str, stated: dict[str, Any]) -> None:
    told, found = _read(
        f"tune run {recipe} --config {config} optimizer=bitsandbytes.optim.PagedAdamW8bit optimizer_in_bwd=True "
        "tokenizer.max_seq_len=2048 model.use_dora=True"
    )
    _agree(found, micro_batch=2, seq_len=2048, recompute="full", **stated)
    assert any("by its name it is" in note for note in told.notes)
    assert told.unmodelled == ["model.use_dora"]


def test_weights_in_32_bits_are_kept_whole_and_states_on_the_host_are_said() -> None:
    optimizer = "optimizer:\n  _component_: torchao.prototype.low_bit_optim.CPUOffloadOptimizer"
    text = FULL.replace("dtype: bf16", "dtype: fp32").replace("optimizer:\n  _component_: torch.optim.AdamW", optimizer)
    _, found = _read(text, gpus=1)
    _agree(found, master_weights=None, gradient_dtype=None, framework="fsdp", offload="optimizer", optimizer="adamw")


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        (
            "tune run full_finetune_distributed --config llama3/8B_full",
            {"gpus": 8},
            "no sequence length; add --seq-len",
        ),
        ("tune run full_finetune_distributed --config llama9/8B_full", {"gpus": 8}, "llama9_8b is of no model on file"),
        ("tune run full_finetune_distributed --config own.yaml", {"gpus": 8}, "names own.yaml, which is not there"),
        (FULL, {}, "leaves the accelerators open; add --gpus"),
        (FULL.replace("batch_size: 4", "batch_size: four"), {"gpus": 8}, "batch_size = four: must be a whole number"),
    ],
)
def test_what_is_left_open_is_said(text: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        _read(text, **given)


def test_a_model_of_the_callers_own_stands_in_for_one_that_is_not_on_file() -> None:
    _, found = _read(FULL.replace("qwen2_5_7b_instruct", "own_1b"), gpus=8, model="llama-3.2-1b")
    _agree(found, model=None, seq_len=8192)
