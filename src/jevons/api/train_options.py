"""Options of `jevons.train` that no other function has: what a trainer sets, and published runs to repeat."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jevons.errors import InputError, did_you_mean
from jevons.options import Option
from jevons.options.numbers import number_of_text

RECOMPUTED = ("none", "selective", "alternate", "full")
_NAMED = re.compile(r"training_run\.\w+\.name")
METHODS = ("full", "lora", "qlora")
FSDP = ("full_shard", "hybrid_shard", "shard_grad_op", "no_shard")
COUNT = r"a number above 0, with k or M for thousands or millions, such as 10k"


def _lower(given: Any, _: str) -> str:
    return str(given).strip().lower().replace("-", "_")


def _optimizer(given: Any, _: str) -> str:
    from jevons.training import optimizer_of

    return optimizer_of(str(given))


def _of_recipe(name: str) -> Callable[[], Sequence[str]]:
    """Return what looks up the words that a trainer's setting may have."""

    def words() -> Sequence[str]:
        from jevons import training

        return list(getattr(training, name))

    return words


def _count(given: Any, name: str) -> int:
    text = re.sub("m$", "M", str(given).strip())
    try:
        count = int(number_of_text(text, Option(help="Count"), name, whole=True))
    except InputError:
        count = 0
    if not 1 <= count <= 10**12:
        message = f"--{name} {given}: write {COUNT}"
        raise InputError(message)
    return count


def runs() -> dict[str, str]:
    """Return the published runs on file by name, with the options of each as a line."""
    from jevons.facts import default_facts

    facts = default_facts()
    prefixes = sorted(fact.id.removesuffix("name") for fact in facts if _NAMED.fullmatch(fact.id))
    return {str(facts.get(f"{prefix}name").value): str(facts.get(f"{prefix}options").value) for prefix in prefixes}


def _run(given: Any, name: str) -> str:
    known = runs()
    text = str(given).strip().lower()
    if text not in known:
        message = f"--{name} {given}: unknown.{did_you_mean(text, list(known))} Known: {', '.join(known)}."
        raise InputError(message)
    return text


def _arguments(run: str, _: Mapping[str, Any], names: frozenset[str]) -> dict[str, tuple[Any, str]]:
    """Return the arguments of a published run: switches without a value are true."""
    parts = shlex.split(runs()[run])
    arguments: dict[str, tuple[Any, str]] = {}
    for place, part in enumerate(parts):
        if not part.startswith("--"):
            continue
        name = part[2:].replace("-", "_")
        after = parts[place + 1] if place + 1 < len(parts) else "--"
        value: Any = True if after.startswith("--") else after
        if name in names:
            whole = isinstance(value, str) and value.isdigit()
            arguments[name] = (int(value) if whole else value, "as published")
    return arguments


RUN = Option(
    help="Published run to repeat, in place of the options it states: deepseek-v3, llama-3.1-405b or "
    "llama-3.1-405b-8k",
    parse=_run, metavar="NAME", expand=_arguments,
)  # fmt: skip
MICRO_BATCH = Option(
    help="Sequences per replica and forward pass (per_device_train_batch_size); the fastest that fits by default",
    low=1, high=4096,
)  # fmt: skip
ACCUMULATION = Option(
    help="Micro-batches per optimiser step (gradient_accumulation_steps), in place of --batch", low=1, high=1_000_000
)
RECOMPUTE = Option(
    help="Recomputation of activations in the backward pass: none, selective, alternate (torchtitan's per operator) or "
    "full (gradient_checkpointing); the fastest that fits by default",
    parse=_lower, choices=lambda: RECOMPUTED, metavar="NAME",
)  # fmt: skip
OPTIMIZER = Option(
    help="Optimizer: adamw, adamw_bf16 (moments in 16 bits), adamw_8bit, lion, muon, sgd_momentum, sgd or adafactor; "
    "names of the HF Trainer too; adamw where not given",
    parse=_optimizer, metavar="NAME",
)  # fmt: skip
GRADIENT_DTYPE = Option(
    help="Format in which gradients are summed and exchanged: fp32 or bf16, or none where the update runs in the "
    "backward pass (torchtune's optimizer_in_bwd); fp32 where not given",
    parse=_lower,
    choices=lambda: ("fp32", "bf16", "none"), metavar="NAME",
)  # fmt: skip
MASTER_WEIGHTS = Option(
    help="Copy of the weights in 32 bits: fp32, or none for states in the weights' 16 bits (pure_bf16); fp32 where not "
    "given",
    parse=_lower,
    choices=lambda: ("fp32", "none"), metavar="NAME",
)  # fmt: skip
FRAMEWORK = Option(
    help="Software: megatron, deepspeed or fsdp; by default deepspeed with --zero 2 or 3 where it has a layout, fsdp "
    "with --fsdp or adapters, else megatron",
    parse=_lower, choices=_of_recipe("FRAMEWORKS"), metavar="NAME",
)  # fmt: skip
FSDP_STRATEGY = Option(
    help="FSDP strategy, in place of --zero: full_shard, hybrid_shard, shard_grad_op or no_shard", parse=_lower,
    choices=lambda: FSDP, metavar="NAME",
)  # fmt: skip
METHOD = Option(
    help="What is trained: full (all weights), lora (adapters) or qlora (adapters over weights in 4 bits); lora with "
    "--lora-rank",
    parse=_lower, choices=lambda: METHODS, metavar="NAME",
)  # fmt: skip
LORA_RANK = Option(help="Rank of the adapters; 16 where not given", low=1, high=65_536)
LORA_TARGET = Option(
    help="Linear layers with adapters: all, attention or mlp; all where not given", parse=_lower,
    choices=_of_recipe("LORA_TARGETS"), metavar="NAME",
)  # fmt: skip
BASE_PRECISION = Option(
    help="Format of the frozen weights under adapters: bf16, fp8, int8, nf4, nf4_double, mxfp4 or nvfp4; bf16 for "
    "lora, nf4_double for qlora",
    parse=_lower, choices=_of_recipe("FROZEN"), metavar="NAME",
)  # fmt: skip
FUSED_LOSS = Option(
    help="Compute logits and loss in chunks, so that they are never held whole (Liger, cut cross-entropy, Unsloth)"
)
SAMPLES = Option(help="Training samples, such as 10k, in place of --tokens", parse=_count, metavar="COUNT")
EPOCHS = Option(help="Passes over the samples; 1 where not given", above=0, high=10_000)
SAMPLE_LEN = Option(help="Mean tokens of a sample or document; those of a sequence by default", low=1, high=100_000_000)
PACKING = Option(help="Several samples packed into each sequence, attention masked to the sample; needs --sample-len")
HOST_MEMORY = Option(
    help="Host memory per accelerator for offloaded state; 250 GB, 64 GB for consumer cards", unit="GB", low=0,
    high=1e6,
)  # fmt: skip
NO_SEQUENCE_PARALLEL = Option(
    help="Turn sequence parallelism off: each tensor-parallel accelerator keeps norms and residuals of all tokens"
)
ZERO_BUBBLE = Option(help="Zero-bubble pipeline schedule: gradients of weights fill the bubble")
OVERLAP_EXPERTS = Option(
    help="Hide the expert all-to-all behind another micro-batch (overlap_moe_expert_parallel_comm, DualPipe)"
)
MTP = Option(help="Also train the model's multi-token-prediction layers, if it has any")
OFFLOAD = Option(
    help="State kept in host memory: none, both (optimizer and activations), or any of optimizer, parameters (with "
    "ZeRO 3) and activations, with commas between",
    metavar="NAMES", parse=lambda given, _: str(given).replace(" ", "").lower(),
)  # fmt: skip
ZERO = Option(
    help="ZeRO stage: 1 shards optimiser states (Megatron's distributed optimizer), 2 gradients too, 3 weights too",
    low=0, high=3,
)  # fmt: skip
TRAIN_GPUS = Option(help="Number of accelerators; 1024, or 1 for adapters, where not given", low=1, high=1_000_000)
TOKENS = Option(
    help="Training tokens, such as 14.8T, or chinchilla for 20 per parameter; 1T where not given, 10k samples for "
    "adapters",
    metavar="COUNT",
)  # fmt: skip
BATCH = Option(
    help="Sequences per optimiser step (global_batch_size); by default 1,024, or one for every four accelerators, and "
    "more until they can share it evenly; 16 a replica for adapters",
    low=1, high=10_000_000,
)  # fmt: skip
