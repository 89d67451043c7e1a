"""Trainers' files and launch lines are read into the options of `jevons.train`, and what is not read is said."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.errors import InputError, InputWarning
from jevons.training.config import options_of, read_training

LLAMA_FACTORY = """### model
model_name_or_path: /models/Qwen2.5-7B-Instruct
stage: sft
do_train: true
finetuning_type: lora
lora_target: q_proj,v_proj
quantization_bit: 4
cutoff_len: 4096
max_samples: 20000
per_device_train_batch_size: 2
gradient_accumulation_steps: 8
num_train_epochs: 3.0
learning_rate: 1.0e-4
bf16: true
packing: false
"""
AXOLOTL = """base_model: mistralai/Mistral-7B-v0.1
load_in_4bit: false
adapter:
sequence_len: 8192
sample_packing: true
gradient_accumulation_steps: 4
micro_batch_size: 2
num_epochs: 1
optimizer: adamw_bnb_8bit
learning_rate: 0.0002
bf16: auto
gradient_checkpointing: true
deepspeed: zero2.json
frobnicate: 3
"""
DEEPSPEED = """{"train_batch_size": 128, "train_micro_batch_size_per_gpu": 2, "gradient_accumulation_steps": "auto",
 "bf16": {"enabled": true}, "zero_optimization": {"stage": 3, "offload_optimizer": {"device": "cpu"},
 "offload_param": {"device": "none"}, "overlap_comm": true, "reduce_bucket_size": "auto"},
 "optimizer": {"type": "AdamW", "params": {"lr": "auto"}}, "wall_clock_breakdown": false}"""
TORCHTITAN = """[model]
name = "llama3"
flavor = "70B"
converters = ["float8"]
[optimizer]
name = "AdamW"
lr = 1.5e-4
[training]
local_batch_size = 8
seq_len = 8192
steps = 1000
[parallelism]
data_parallel_replicate_degree = 2
data_parallel_shard_degree = 8
tensor_parallel_degree = 8
pipeline_parallel_degree = 1
[activation_checkpoint]
mode = "selective"
selective_ac_option = "op"
"""
MEGATRON = """#!/bin/bash
GPUS_PER_NODE=8
NNODES=${SLURM_NNODES:-"2"}
DISTRIBUTED_ARGS=(
    --nproc_per_node $GPUS_PER_NODE
    --nnodes $NNODES
)
MODEL_ARGS=(
    --use-mcore-models
    --seq-length 4096   # of Mixtral
    --num-layers 32
    --hidden-size 4096
    --ffn-hidden-size 14336
    --num-attention-heads 32
    --group-query-attention
    --num-query-groups 8
    --num-experts 8
    --moe-router-topk 2
)
torchrun ${DISTRIBUTED_ARGS[@]} pretrain_gpt.py \\
    ${MODEL_ARGS[@]} \\
    --expert-model-parallel-size 4 --tensor-model-parallel-size 2 --pipeline-model-parallel-size 4 \\
    --num-layers-per-virtual-pipeline-stage 4 --micro-batch-size 1 --global-batch-size 128 \\
    --train-iters 1000 --bf16 --use-distributed-optimizer --recompute-granularity full --lr 1e-4
"""


SKYPILOT = """resources:
  accelerators: H100:8
num_nodes: 2
envs:
  MODEL: meta-llama/Llama-3.1-8B
run: |
  torchrun --nnodes $SKYPILOT_NUM_NODES --nproc_per_node $SKYPILOT_NUM_GPUS_PER_NODE train.py \\
    --model_name_or_path $MODEL --per_device_train_batch_size 2 --max_length 4096 --bf16 True --fsdp full_shard
"""
KUBEFLOW = """apiVersion: kubeflow.org/v1
kind: PyTorchJob
spec:
  pytorchReplicaSpecs:
    Worker:
      replicas: 4
      template:
        spec:
          containers:
          - name: pytorch
            image: train:latest
            env: [{name: SIZE, value: "1"}]
            command: [torchrun, --nproc_per_node=8, --nnodes=4, pretrain_gpt.py]
            args: [--num-layers, "32", --hidden-size, "4096", --ffn-hidden-size, "11008", --num-attention-heads, "32",
                   --seq-length, "4096", --micro-batch-size, $SIZE, --bf16, --tensor-model-parallel-size, "2"]
"""


def _options(text: str, **given: Any) -> dict[str, Any]:
    return {name: value for name, (value, _) in options_of(read_training(text), given).items()}


def _agree(found: dict[str, Any], **stated: Any) -> None:
    assert {name: found.get(name) for name in stated} == stated


def test_a_file_of_llama_factory_is_adapters_of_its_rank_and_length() -> None:
    """Unstated ranks are PEFT's 8, and activations are recomputed unless it says otherwise."""
    found = _options(LLAMA_FACTORY, gpus=4)
    _agree(
        found, method="qlora", lora_rank=8, lora_target="attention", seq_len=4096, samples=20_000, epochs=3.0,
        micro_batch=2, accumulation=8, recompute="full", zero=0,
    )  # fmt: skip
    assert jevons.models.load(found["model"]).name == "qwen2.5-7b"


def test_a_file_of_axolotl_takes_the_stage_of_its_deepspeed_file_and_says_what_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "zero2.json").write_text('{"zero_optimization": {"stage": 1}}')
    path = tmp_path / "own.yml"
    path.write_text(AXOLOTL)
    told = read_training(path)
    _agree(
        {name: value for name, (value, _) in options_of(told, {"gpus": 2}).items()}, zero=1, framework="deepspeed",
        micro_batch=2, accumulation=4, optimizer="adamw_8bit", recompute="full", seq_len=8192,
        model="mistralai/Mistral-7B-v0.1",
    )  # fmt: skip
    assert told.unknown == ["frobnicate"]


def test_a_deepspeed_file_states_batch_and_what_the_host_keeps() -> None:
    found = _options(DEEPSPEED, gpus=16, model="llama-3.1-8b", seq_len=4096)
    _agree(found, zero=3, batch=128, micro_batch=2, offload="optimizer", optimizer="adamw", model=None, gpus=None)


def test_a_file_of_torchtitan_is_hybrid_sharding_with_its_policy_per_operator() -> None:
    found = _options(TORCHTITAN, gpus=128)
    _agree(
        found, model="llama-3.1-70b", fsdp="hybrid_shard", shard=8, tp=8, pp=1, precision="fp8", recompute="alternate",
        micro_batch=8, accumulation=1, tokens=str(1000 * 128 * 8192),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "option", "recompute"), [("none", "op", "none"), ("full", "op", "full"), ("selective", "2", "selective")]
)
def test_modes_of_torchtitan_are_taken_as_they_are_named(mode: str, option: str, recompute: str) -> None:
    text = TORCHTITAN.replace('mode = "selective"', f'mode = "{mode}"').replace('option = "op"', f'option = "{option}"')
    _agree(_options(text, gpus=128), recompute=recompute)


def test_a_script_of_megatron_is_read_with_its_arrays_and_the_model_of_its_sizes() -> None:
    _agree(
        _options(MEGATRON), model="mixtral-8x7b", gpus=16, tp=2, pp=4, ep=4, etp=2, vpp=2, cp=1, zero=1, batch=128,
        micro_batch=1, recompute="full", framework="megatron", no_sequence_parallel=True, tokens=str(128 * 4096 * 1000),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "stated"),
    [
        (
            (
                "CUDA_VISIBLE_DEVICES=0,1,2,3 swift sft --model Qwen/Qwen2.5-7B-Instruct --train_type full "
                "--max_length 2048 --per_device_train_batch_size 1 --gradient_accumulation_steps 16 "
                "--deepspeed zero3_offload"
            ),
            {"gpus": 4, "zero": 3, "offload": "optimizer,parameters", "recompute": "full", "accumulation": 16},
        ),
        (
            (
                "NPROC_PER_NODE=8 megatron sft --load Qwen3-30B-A3B-Base-mcore --tensor_model_parallel_size 2 "
                "--expert_model_parallel_size 8 --micro_batch_size 1 --global_batch_size 16 --max_length 8192"
            ),
            {"gpus": 8, "model": "Qwen3-30B-A3B-Base", "tp": 2, "ep": 8, "zero": 1, "recompute": "selective"},
        ),
        (
            (
                "accelerate launch --num_processes 16 --use_fsdp --fsdp_sharding_strategy SHARD_GRAD_OP sft.py "
                "--model_name_or_path meta-llama/Llama-3.1-8B --bf16 True --max_length 4096 "
                "--gradient_checkpointing True"
            ),
            {"gpus": 16, "fsdp": "shard_grad_op", "recompute": "full", "micro_batch": 8, "accumulation": 1},
        ),
        (
            (
                "python megatron_gpt_pretraining.py trainer.devices=8 trainer.num_nodes=4 model.micro_batch_size=1 "
                "model.global_batch_size=256 model.tensor_model_parallel_size=4 model.encoder_seq_length=4096 "
                "model.num_layers=32 model.hidden_size=4096 model.ffn_hidden_size=11008 model.num_attention_heads=32 "
                "model.optim.name=distributed_fused_adam trainer.precision=bf16"
            ),
            {"gpus": 32, "model": "llama-2-7b", "tp": 4, "zero": 1, "batch": 256, "optimizer": "adamw"},
        ),
        (
            (
                "#SBATCH --nodes=2\n#SBATCH --gres=gpu:h100:8\nsrun python -u pretrain_gpt.py --num-layers 32 "
                "--hidden-size 4096 --ffn-hidden-size 14336 --num-attention-heads 32 --group-query-attention "
                "--num-query-groups 8 --seq-length 8192 --micro-batch-size 1 --bf16 --vocab-size 128256"
            ),
            {"gpus": 16, "model": "llama-3-8b", "tp": 1, "zero": 0, "accumulation": 1},
        ),
        (
            (
                "python -m torch.distributed.launch --nproc_per_node=8 run_clm.py --model_name_or_path gpt2 "
                "--per_device_train_batch_size 4 --block_size 1024 --bf16 --fsdp 'full_shard auto_wrap offload'"
            ),
            {"gpus": 8, "fsdp": "full_shard", "offload": "optimizer,parameters", "micro_batch": 4, "seq_len": 1024},
        ),
        (
            (
                "cat > fsdp.yaml <<EOT\ndistributed_type: FSDP\nfsdp_config: {fsdp_version: 2, "
                "fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP}\nnum_processes: 16\nEOT\naccelerate launch "
                "--config_file fsdp.yaml train.py --model_name_or_path meta-llama/Llama-3.1-8B "
                "--per_device_train_batch_size 2 --max_seq_length 4096 --bf16 true"
            ),
            {"gpus": 16, "fsdp": "full_shard", "micro_batch": 2},
        ),
        (
            (
                "nemo llm pretrain --factory 'llama3_8b(num_nodes=2)' trainer.num_nodes=2 trainer.devices=8 "
                "data.seq_length=8192 data.global_batch_size=128 trainer.strategy.tensor_model_parallel_size=2"
            ),
            {"gpus": 16, "model": "llama-3-8b", "tp": 2, "batch": 128, "seq_len": 8192},
        ),
        (SKYPILOT, {"gpus": 16, "model": "meta-llama/Llama-3.1-8B", "fsdp": "full_shard", "micro_batch": 2}),
        (KUBEFLOW, {"gpus": 32, "model": "llama-2-7b", "tp": 2, "micro_batch": 1, "seq_len": 4096}),
    ],
    ids=[
        "ms-swift",
        "Megatron-SWIFT",
        "Accelerate",
        "NeMo",
        "Slurm",
        "FSDP's words",
        "FSDP 2",
        "NeMo-Run",
        "SkyPilot",
        "Kubeflow",
    ],
)
def test_launch_lines_state_devices_sharing_and_batches(line: str, stated: dict[str, Any]) -> None:
    _agree(_options(line), **stated)


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        (LLAMA_FACTORY, {}, "leaves the accelerators open; add --gpus"),
        (MEGATRON.replace('${SLURM_NNODES:-"2"}', "$NODES"), {}, "leaves the accelerators open; add --gpus"),
        (DEEPSPEED, {"gpus": 8}, "names no model; add --model"),
        (LLAMA_FACTORY.replace("lora\n", "freeze\n"), {"gpus": 1}, "finetuning_type = freeze: is not read"),
        (TORCHTITAN.replace("70B", "9B"), {"gpus": 64}, "flavor = 9b of llama3: is of no model on file"),
        (MEGATRON.replace("14336", "14337"), {}, "no model on file has --num-layers 32"),
        (LLAMA_FACTORY.replace("cutoff_len: 4096", "cutoff_len: long"), {"gpus": 1}, "cutoff_len = long: must be"),
        (LLAMA_FACTORY + "deepspeed: own.json\n", {"gpus": 1}, "names own.json, which is not there"),
        ("python train.py --lr 3", {"gpus": 8}, "is of no trainer that is read"),
        ("missing.yaml", {"gpus": 8}, "no such file"),
    ],
)
def test_what_is_not_read_or_left_open_is_said(text: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        _options(text, **given)


def test_an_answer_by_a_configuration_is_that_by_its_options() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        by_file = jevons.train(config=LLAMA_FACTORY, gpu="a100_80gb", gpus=4)
    by_options = jevons.train(
        "qwen2.5-7b", gpu="a100_80gb", gpus=4, method="qlora", lora_rank=8, lora_target="attention", seq_len=4096,
        samples=20_000, epochs=3, micro_batch=2, accumulation=8, recompute="full", zero=0,
    )  # fmt: skip
    assert by_file.best == by_options.best
    with pytest.raises(InputError, match=r"micro_batch=4: .*config says 2 \(per_device_train_batch_size\)"):
        jevons.train(config=LLAMA_FACTORY, gpu="a100_80gb", gpus=4, micro_batch=4)


def test_sizes_without_a_vocabulary_are_those_of_the_model_that_takes_the_sequences() -> None:
    """CodeLlama-70B has Llama 3's sizes, and the smallest vocabulary of those that do."""
    sizes = "--num-layers 80 --hidden-size 8192 --ffn-hidden-size 28672 --num-attention-heads 64 --num-query-groups 8"
    line = f"torchrun --nproc_per_node 8 pretrain_gpt.py {sizes} --seq-length 8192 --micro-batch-size 1 --bf16"
    assert _options(line)["model"] == "llama-3-70b"
