"""What a trainer sets, as a job: batch, samples, adapters, states and software; what has no effect is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jevons import models, training
from jevons.errors import InputError
from jevons.facts import get
from jevons.hardware import Accelerator, Cluster
from jevons.models import ModelSpec
from jevons.units import SCALE_LETTERS

_BATCH, _ADAPTER_BATCH = 1024, 16
_TOKENS, _ADAPTER_SAMPLES = 1e12, 10_000
_GPUS = 1024
_COUNT = re.compile(r"^\s*(\d+(?:\.\d+)?(?:[eE]\+?\d+)?)\s*([kKMBGT]?)\s*$")
_MOST_TOKENS = 1e18
_FSDP = {"full_shard": 3, "hybrid_shard": 3, "shard_grad_op": 2, "no_shard": 0}
_SHARED_GRADIENTS = 2
_ALL_REPLICAS = 0
_WHOLE_BYTES = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """What a trainer sets beside model, devices and batch; ``None`` where it is left to the search or the default.

    Parameters
    ----------
    fixed : mapping of str to int
        Sizes of the layout: ``tp pp vpp dp cp ep etp zero shard micro_batch``.
    accumulation : int or None
        Micro-batches per optimiser step, in place of a global batch.
    samples, epochs, sample_len, packing
        Samples of the run, passes over them, their mean tokens, and whether several share a sequence.
    method, lora_rank, lora_target, base_precision
        ``full``, ``lora`` or ``qlora``; rank and layers of adapters; format of the frozen weights.
    optimizer, gradient_dtype, master_weights, framework, fsdp, recompute, fused_loss
        As the options of `jevons.train` say.
    stage_layers, sequence_parallel, zero_bubble, overlap_experts, mtp, offload, host_memory_bytes
        As the options of `jevons.train` say.
    """

    fixed: Mapping[str, int] = field(default_factory=dict)
    accumulation: int | None = None
    samples: int | None = None
    epochs: float | None = None
    sample_len: int | None = None
    packing: bool = False
    method: str | None = None
    lora_rank: int | None = None
    lora_target: str | None = None
    base_precision: str | None = None
    optimizer: str | None = None
    gradient_dtype: str | None = None
    master_weights: str | None = None
    framework: str | None = None
    recompute: str | None = None
    fused_loss: bool = False
    fsdp: str | None = None
    stage_layers: tuple[int, ...] = ()
    sequence_parallel: bool = True
    zero_bubble: bool = False
    overlap_experts: bool = False
    mtp: bool = False
    offload: str = "none"
    host_memory_bytes: float | None = None

    @property
    def adapters(self) -> bool:
        """Whether only adapters are trained."""
        return self.method in {"lora", "qlora"} or (self.method is None and self.lora_rank is not None)

    @property
    def lora(self) -> training.Lora | None:
        """The adapters, or None where all weights are trained."""
        if not self.adapters:
            return None
        frozen = self.base_precision or ("nf4_double" if self.method == "qlora" else "bf16")
        return training.Lora(rank=self.lora_rank or 16, targets=self.lora_target or "all", frozen=frozen)

    @property
    def on_host(self) -> str:
        """What the host keeps: PyTorch's sharding takes gradients and states along with weights."""
        kept = self.offload.split(",")
        alone = self.software == "fsdp" and not self.adapters and "parameters" in kept and "optimizer" not in kept
        return f"optimizer,{self.offload}" if alone else self.offload

    @property
    def software(self) -> str:
        """The framework, where it is not stated by what else is."""
        if self.framework is not None:
            return self.framework
        if self.fsdp is not None or self.adapters:
            return "fsdp"
        split = any(self.fixed.get(name, 1) > 1 for name in ("tp", "pp", "cp", "ep")) or self.stage_layers
        return "deepspeed" if self.fixed.get("zero", 0) >= _SHARED_GRADIENTS and not split else "megatron"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A job with what its search holds, and the samples that its tokens are.

    Parameters
    ----------
    job : TrainingJob
        What is trained on what.
    fixed : mapping of str to int
        Sizes that all layouts have.
    zero : tuple of int
        Stages of ZeRO to try.
    samples : float
        Of the run, passes counted; 0 where tokens are stated.
    method : str
        In words, empty where all weights are trained.
    """

    job: training.TrainingJob
    fixed: Mapping[str, int]
    zero: tuple[int, ...]
    samples: float
    method: str


def gpus_of(gpus: int | None, trainer: Trainer) -> int:
    """Return the accelerators of a run."""
    return gpus or (1 if trainer.adapters else _GPUS)


def setup(
    model: ModelSpec,
    device: Accelerator,
    devices: int,
    trainer: Trainer,
    *,
    tokens: float | None,
    seq_len: int,
    global_batch: int | None,
    precision: str,
    oversubscription: float,
    pod_devices: int,
) -> Setup:
    """Return the job that a trainer's settings make.

    Raises
    ------
    InputError
        If settings contradict each other, or one has no effect.
    """
    for problem in _fabric_problems(device, devices, oversubscription, pod_devices):
        raise InputError(problem)
    for problem in _problems(model, devices, trainer, tokens, seq_len):
        raise InputError(problem)
    fixed = dict(trainer.fixed)
    if trainer.fsdp is not None:
        fixed["zero"] = _FSDP[trainer.fsdp]
        if trainer.fsdp == "hybrid_shard":
            fixed.setdefault("shard", min(device.scaleup_domain, devices))
    if trainer.fsdp == "full_shard" or (trainer.framework == "deepspeed" and "zero" in fixed):
        fixed.setdefault("shard", _ALL_REPLICAS)
    if trainer.software != "megatron":
        for name in ("tp", "pp"):
            fixed.setdefault(name, 1)
    stages = (1, 3) if not trainer.adapters else (0,) if devices == 1 else (0, 3)
    batch = _batch(global_batch, trainer, devices, fixed)
    length = seq_len if trainer.packing or trainer.sample_len is None else trainer.sample_len
    software = trainer.software
    recipe = training.Recipe(
        optimizer=trainer.optimizer or "adamw",
        gradient_dtype=trainer.gradient_dtype or "fp32",
        master_weights=trainer.master_weights != "none",
        framework=software,
        fused_loss=trainer.fused_loss,
    )
    native = software != "megatron"
    count = _samples(tokens, trainer)
    factors = None
    if trainer.overlap_experts:
        factors = training.training_factors().replace(ep_overlap_frac=1.0, far_ep_overlap_frac=1.0)
    job = training.TrainingJob(
        model=model,
        cluster=Cluster(device, devices, oversubscription),
        seq_len=length,
        global_batch=batch,
        precision=precision,
        tokens=count * (trainer.sample_len or seq_len) if count else (tokens or _TOKENS),
        factors=factors,
        mtp=trainer.mtp,
        adapters=trainer.adapters,
        pod_devices=pod_devices,
        recipe=recipe,
        software=training.TrainingSoftware(
            eager=native,
            eager_memory=native,
            ampere_attention=native,
            tp_overlap=not native,
            graphed=trainer.overlap_experts,
        ),
        lora=trainer.lora,
        document_len=trainer.sample_len or 0 if trainer.packing else 0,
    )
    return Setup(job=job, fixed=fixed, zero=stages, samples=count, method=_method(trainer))


def _method(trainer: Trainer) -> str:
    lora = trainer.lora
    if lora is None:
        return ""
    name = "QLoRA" if trainer.method == "qlora" else "LoRA"
    return f"{name} of rank {lora.rank}" + (f" over {lora.frozen} weights" if lora.quantised else "")


def _samples(tokens: float | None, trainer: Trainer) -> float:
    """Return the samples of a run, passes counted; 0 where it is stated in tokens."""
    if trainer.samples is None and (tokens is not None or not trainer.adapters):
        return 0.0
    return (trainer.samples or _ADAPTER_SAMPLES) * (trainer.epochs or 1.0)


def _batch(global_batch: int | None, trainer: Trainer, devices: int, fixed: dict[str, int]) -> int:
    """Return the sequences per step; with accumulation, what replicas and micro-batches make, degrees held."""
    if trainer.accumulation is not None:
        for name in ("tp", "pp", "cp"):
            fixed.setdefault(name, 1)
        replicas = max(1, devices // (fixed["tp"] * fixed["pp"] * fixed["cp"]))
        batch = replicas * fixed["micro_batch"] * trainer.accumulation
        if global_batch not in {None, batch}:
            message = (
                f"--accumulation {trainer.accumulation}: {replicas} replicas of {fixed['micro_batch']} make {batch} "
                f"sequences a step, not --batch {global_batch}. Omit one of the two."
            )
            raise InputError(message)
        return batch
    if global_batch is not None:
        return global_batch
    if trainer.adapters:
        return _ADAPTER_BATCH * devices
    if trainer.gradient_dtype == "none":
        return devices * fixed.get("micro_batch", 1) // math.prod(fixed.get(name, 1) for name in ("tp", "pp", "cp"))
    odd = training.odd_part(devices)  # some degree has to hold it, and few numbers of layers do
    return odd * math.ceil(max(_BATCH, devices // 4) / odd)


def _problems(model: ModelSpec, devices: int, trainer: Trainer, tokens: float | None, seq_len: int) -> Iterator[str]:
    """Yield what contradicts or has no effect."""
    yield from _adapter_problems(trainer)
    yield from _sample_problems(trainer, tokens, seq_len)
    fixed = trainer.fixed
    if trainer.accumulation is not None and "micro_batch" not in fixed:
        yield f"--accumulation {trainer.accumulation}: has no effect without --micro-batch; add it"
    if trainer.gradient_dtype == "none":
        if (trainer.accumulation or 1) > 1:
            yield f"--accumulation {trainer.accumulation}: nothing is summed with --gradient-dtype none; omit one"
        if fixed.get("pp", 1) > 1:
            yield f"--pp {fixed['pp']}: stages sum over micro-batches, which --gradient-dtype none does not; omit one"
    if trainer.fsdp is not None and fixed.get("zero", _FSDP[trainer.fsdp]) != _FSDP[trainer.fsdp]:
        yield f"--zero {fixed['zero']}: --fsdp {trainer.fsdp} is stage {_FSDP[trainer.fsdp]}; omit one of the two"
    if trainer.fsdp is not None and trainer.framework not in {None, "fsdp"}:
        yield f"--framework {trainer.framework}: --fsdp is PyTorch's own; omit one of the two"
    if trainer.offload == "none" and trainer.host_memory_bytes is not None:
        yield f"--host-memory {trainer.host_memory_bytes / 1e9:g}: has no effect without --offload; add it"
    if not model.is_moe:
        for name in ("ep", "etp"):
            if fixed.get(name, 1) > 1:
                yield f"--{name} {fixed[name]}: {model.name} has no routed experts; omit it"
        if trainer.overlap_experts:
            yield f"--overlap-experts: {model.name} has no routed experts; omit it"
    if trainer.mtp and not model.mtp_layers:
        yield f"--mtp: {model.name} has no layers that predict further tokens; omit it"
    if trainer.zero_bubble and fixed.get("pp") == 1:
        yield "--zero-bubble: has no effect with --pp 1; omit one of the two"
    if not trainer.sequence_parallel and fixed.get("tp") == 1:
        yield "--no-sequence-parallel: has no effect with --tp 1; omit one of the two"
    if devices == 1:
        for name in ("shard", "dp", "tp", "pp", "cp"):
            if fixed.get(name, 1) > 1:
                yield f"--{name} {fixed[name]}: there is one accelerator; use --gpus {fixed[name]} or more"
        if trainer.fsdp not in {None, "no_shard"}:
            yield f"--fsdp {trainer.fsdp}: one accelerator shares with no other; use --gpus 2 or more, or omit it"


def _fabric_problems(device: Accelerator, devices: int, oversubscription: float, pod_devices: int) -> Iterator[str]:
    if pod_devices and oversubscription <= 1.0:
        yield f"--pod {pod_devices}: has no effect without --oversubscription above 1; add it"
    near = max(device.scaleup_domain, pod_devices)
    if oversubscription > 1.0 and devices <= near:
        yield (
            f"--oversubscription {oversubscription:g}: has no effect on {devices} {device.id}, which reach each other "
            f"without that fabric; omit it, or use more than --gpus {near}"
        )


def _adapter_problems(trainer: Trainer) -> Iterator[str]:
    if trainer.adapters:
        if trainer.gradient_dtype is not None:
            yield f"--gradient-dtype {trainer.gradient_dtype}: adapters' gradients are in fp32; omit it"
        if trainer.master_weights is not None:
            yield f"--master-weights {trainer.master_weights}: adapters have no copy of the weights; omit it"
        if "optimizer" in trainer.offload or trainer.offload == "both":
            yield f"--offload {trainer.offload}: adapters' states are small; use activations"
        lora = trainer.lora
        if trainer.method == "qlora" and lora is not None and lora.frozen_bytes >= _WHOLE_BYTES:
            yield f"--base-precision {trainer.base_precision}: qlora has weights in 4 bits; use nf4, or --method lora"
        return
    for name, value in (
        ("lora-rank", trainer.lora_rank), ("lora-target", trainer.lora_target),
        ("base-precision", trainer.base_precision),
    ):  # fmt: skip
        if value is not None:
            yield f"--{name} {value}: has no effect without adapters; add --method lora or qlora"


def _sample_problems(trainer: Trainer, tokens: float | None, seq_len: int) -> Iterator[str]:
    if trainer.samples is not None and tokens is not None:
        yield f"--samples {trainer.samples}: --tokens states the run too; omit one of the two"
    if trainer.epochs is not None and trainer.samples is None:
        yield f"--epochs {trainer.epochs:g}: has no effect without --samples; add it"
    if trainer.packing and trainer.sample_len is None:
        yield "--packing: has no effect without --sample-len, the mean tokens of a sample; add it"
    if trainer.sample_len is not None and trainer.sample_len > seq_len:
        longer = trainer.sample_len
        yield f"--sample-len {longer}: is longer than --seq-len {seq_len}; use --seq-len {longer}"


def stage_layers_of(text: str | None) -> tuple[int, ...]:
    """Return the layers of each stage that ``--stages`` states, such as ``9,10,10,9``."""
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts):
        message = f"--stages {text}: write the layers of each stage with commas between, such as 9,10,10,9"
        raise InputError(message)
    return tuple(map(int, parts))


def tokens_of(text: str, model: str) -> float:
    """Return the tokens that ``--tokens`` states, such as ``14.8T``, or 20 per active parameter (``chinchilla``)."""
    if text.strip().lower() == "chinchilla":
        return get("training_budget.tokens_per_parameter").number * models.load(model).parameters_active
    match = _COUNT.match(text)
    count = float(match.group(1)) * SCALE_LETTERS.get(match.group(2), 1) if match else math.nan
    if not 0 < count <= _MOST_TOKENS:
        message = (
            f"--tokens {text}: write a number above 0, at most a million T, with k, M, B or T, such as 14.8T, or "
            "chinchilla for 20 a parameter"
        )
        raise InputError(message)
    return count
