"""What a training layout keeps on each device, and whether it divides the job."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass

from jevons.errors import InfeasibleError, InputError, InputNote
from jevons.models import ModelSpec, expert_parameters, layer_gemms
from jevons.models.formulas import layer_parameters
from jevons.training.activations import activation_bytes, micro_batch_activation_bytes, micro_batches, stage_layers
from jevons.training.factors import default_training_factors
from jevons.training.recipe import Recipe
from jevons.training.types import OFFLOADED, RECOMPUTE, TrainingJob, TrainingLayout

_HALF, _FULL = 2.0, 4.0  # bytes of 16- and 32-bit numbers
_SHARED_GRADIENTS, _SHARED_WEIGHTS = 2, 3  # stages of ZeRO
_SUB_GROUP = 1e9
"""Parameters that DeepSpeed updates at once with ``zero`` of 3, its ``sub_group_size``."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters on one device of the fullest stage: those every replica holds, and routed experts."""

    dense: float
    experts: float


def parameters_per_device(job: TrainingJob, layout: TrainingLayout) -> Parameters:
    """Return the parameters that a device of the fullest stage holds before replicas share anything out."""
    model = job.model
    split, replicated, routed = _whole_parameters(model)
    dense = split / layout.tp + replicated
    experts = routed / (layout.ep * layout.expert_tp)
    share = stage_layers(job, layout) / model.n_layers
    return Parameters(dense * share + end_parameters(job, layout), experts * share)


def end_parameters(job: TrainingJob, layout: TrainingLayout) -> float:
    """Return the parameters of embeddings and head on one device of the fullest stage."""
    model = job.model
    ends = 1 if layout.pp > 1 or model.tied_embeddings else 2
    return (ends * model.vocab * model.hidden + model.table_parameters) / layout.tp


@functools.lru_cache(maxsize=64)
def _whole_parameters(model: ModelSpec) -> tuple[float, float, float]:
    """Return the parameters of all layers: those that tensor parallelism splits, those it does not, and experts."""
    split = replicated = experts = 0.0
    for group in model.layers:
        block = group.feed_forward
        routed = block.experts * expert_parameters(block, model.hidden) if block.kind == "moe" else 0
        replicated_parameters = sum(
            gemm.n * gemm.k for gemm in layer_gemms(group, model.hidden) if gemm.split == "replicated"
        )
        split += group.count * (layer_parameters(model, group) - routed - replicated_parameters)
        replicated += group.count * replicated_parameters
        experts += group.count * routed
    return split, replicated, experts


def shards(layout: TrainingLayout, replicas: int) -> int:
    """Return into how many parts replicas share out their states: as many as a group has, where groups are given."""
    return min(layout.shard, replicas) if layout.shard else replicas


def memory_bytes(job: TrainingJob, layout: TrainingLayout) -> dict[str, float]:
    """Return the peak memory of a device of the fullest stage by kind [bytes].

    Notes
    -----
    Weights 2 bytes each; gradients and optimiser states as the factors or the job's recipe say; ``zero`` divides
    optimiser states (1), gradients (2) and weights (3) by the replicas, those of routed experts by ``dp * cp / ep``. A
    first stage keeps the activations of ``pp`` micro-batches (1F1B), or ``1 + (pp - 1) / (pp * vpp)`` as much when
    stages are interleaved. Frozen weights have the bytes of their format, adapters 32-bit weights and gradients.
    ``temporary`` is what is gathered or copied for a while: with ``zero`` of 3 two layers and both ends of the model,
    and the head's gradient before it is shared out; buckets of gradients where the software is PyTorch's own; the
    gradients of one layer, or of one end of the model, where none are kept. Gradients lie in the host beside states
    offloaded by DeepSpeed with ``zero`` of 3, and beside weights offloaded by PyTorch's sharding. An update that holds
    more than activations and logits took counts for the difference.
    Leaves out buffers of single operators and the 8-bit copies of weights.

    References
    ----------
    [korthikanti2022]_ for activations with sequence parallelism, [rajbhandari2020]_ for the sharing of states.
    """
    factors = job.factors or default_training_factors()
    each = state_bytes(job, layout)
    parameters = parameters_per_device(job, layout)
    replicas, expert_replicas = shards(layout, layout.dp * layout.cp), shards(layout, layout.expert_replicas)

    def states(each_bytes: float, shared: bool) -> float:
        if not shared:
            return each_bytes * (parameters.dense + parameters.experts)
        return each_bytes * (parameters.dense / replicas + parameters.experts / expert_replicas)

    adapters = 0.0
    weights = states(each.weights, shared=layout.zero >= 3)
    if job.lora is not None:
        parts = layout.tp * layout.pp * (replicas if layout.zero >= 3 else 1)
        adapters = (job.recipe or Recipe()).adapter_bytes * job.lora.parameters(job.model) / parts
        extra = (_end_bytes(job, layout) - each.weights) * end_parameters(job, layout)
        weights += extra / (replicas if layout.zero >= 3 else 1)
    activations, logits = (part * (1.0 + factors.memory.fragmentation_frac) for part in activation_bytes(job, layout))
    temporary = _temporary_bytes(job, layout, parameters)
    if not job.adapters and not layout.offloads("optimizer"):
        updated = states(1.0, shared=layout.zero >= 1)
        temporary = max(temporary, _update_bytes(job, layout, updated) - activations - logits)
    return {
        "weights": 0.0 if layout.offloads("parameters") else weights,
        "gradients": 0.0 if job.adapters or _on_host(job, layout) else states(each.gradients, shared=layout.zero >= 2),
        "optimizer": 0.0
        if job.adapters or layout.offloads("optimizer")
        else states(each.optimizer, shared=layout.zero >= 1),
        "adapters": adapters,
        "activations": activations,
        "logits": logits,
        "temporary": temporary,
        "framework": factors.memory.alone_reserved_bytes if job.cluster.devices == 1 else factors.memory.reserved_bytes,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class StateBytes:
    """Bytes per parameter of weights, gradients and optimiser states."""

    weights: float
    gradients: float
    optimizer: float


def state_bytes(job: TrainingJob, layout: TrainingLayout) -> StateBytes:
    """Return the bytes per parameter that a job keeps, before replicas share anything out."""
    factors, recipe = job.factors or default_training_factors(), job.recipe
    if recipe is not None:
        frozen = job.lora is not None
        return StateBytes(
            weights=job.frozen_bytes if frozen else recipe.weight_bytes,
            gradients=recipe.gradient_bytes if recipe.keeps_gradients else 0.0,
            optimizer=recipe.optimizer_bytes,
        )
    copies = job.software.eager_memory and layout.zero < _SHARED_GRADIENTS
    return StateBytes(
        weights=job.frozen_bytes,
        gradients=factors.memory.eager_gradient_bytes if copies else factors.memory.gradient_bytes,
        optimizer=factors.memory.eager_optimizer_bytes if copies else factors.memory.optimizer_bytes,
    )


def _temporary_bytes(job: TrainingJob, layout: TrainingLayout, parameters: Parameters) -> float:
    """Return what a device gathers or copies for a while [bytes]."""
    per_layer = (parameters.dense + parameters.experts) / stage_layers(job, layout)
    gathered, recipe = 0.0, job.recipe
    factors = job.factors or default_training_factors()
    if layout.zero >= _SHARED_WEIGHTS:
        ends = job.model.vocab * job.model.hidden / layout.tp
        sides = 1.0 if job.model.tied_embeddings else 2.0
        gathered = 2.0 * job.frozen_bytes * per_layer + _end_bytes(job, layout) * sides * ends
        if recipe is not None and recipe.framework == "deepspeed":
            ahead = min(factors.memory.deepspeed_live, parameters.dense + parameters.experts)
            gathered = max(gathered, job.frozen_bytes * ahead)
        gathered += 0.0 if job.adapters else _HALF * ends
    if recipe is not None and not recipe.keeps_gradients:
        largest = max(per_layer, job.model.vocab * job.model.hidden / layout.tp)
        return gathered + recipe.gradient_bytes * largest
    if job.adapters or recipe is None or not recipe.native or layout.zero < _SHARED_GRADIENTS:
        return gathered
    bucket = factors.memory.deepspeed_bucket if recipe.framework == "deepspeed" else per_layer
    return gathered + 2.0 * _HALF * min(bucket, parameters.dense + parameters.experts)


def _on_host(job: TrainingJob, layout: TrainingLayout) -> bool:
    """Return whether summed gradients lie in the host too.

    DeepSpeed's do beside offloaded states with ``zero`` of 3, those of PyTorch's sharding beside offloaded weights.
    """
    framework = job.recipe.framework if job.recipe is not None else ""
    if framework == "fsdp":
        return layout.offloads("parameters")
    return framework == "deepspeed" and layout.offloads("optimizer") and layout.zero >= _SHARED_WEIGHTS


def _end_bytes(job: TrainingJob, layout: TrainingLayout) -> float:
    """Return the bytes of a parameter of embeddings and head: weights that are shared out are all of one type."""
    return _HALF if job.lora is None or layout.zero >= _SHARED_WEIGHTS else job.lora.end_bytes


def _update_bytes(job: TrainingJob, layout: TrainingLayout, updated: float) -> float:
    """Return what an update of that many parameters on a device holds beside states and gradients [bytes].

    DeepSpeed gives its part of all parameters to PyTorch's AdamW as one tensor, which takes a root and a quotient of it
    in 32 bits; with ``zero`` of 3 a part at a time.
    """
    recipe = job.recipe
    if recipe is None or recipe.framework != "deepspeed" or recipe.optimizer != "adamw":
        return 0.0
    return 2.0 * _FULL * (min(updated, _SUB_GROUP) if layout.zero >= _SHARED_WEIGHTS else updated)


def host_bytes(job: TrainingJob, layout: TrainingLayout) -> float:
    """Return what one device keeps in its host's memory [bytes]: states with 32-bit gradients, weights, activations."""
    parameters, each = parameters_per_device(job, layout), state_bytes(job, layout)
    replicas, expert_replicas = shards(layout, layout.dp * layout.cp), shards(layout, layout.expert_replicas)
    own = parameters.dense + parameters.experts
    if layout.zero >= 1:
        own = parameters.dense / replicas + parameters.experts / expert_replicas
    total = 0.0
    if layout.offloads("optimizer") and not job.adapters:
        total += own * (each.optimizer + _FULL)
    if layout.offloads("parameters"):
        total += own * each.weights
    if layout.offloads("activations"):
        passes = min(micro_batches(job, layout), layout.pp)
        total += passes * micro_batch_activation_bytes(job, layout) / layout.pp
    return total


def check_fits(job: TrainingJob, layout: TrainingLayout) -> dict[str, float]:
    """Return the memory by kind if it fits.

    Raises
    ------
    InfeasibleError
        Naming what takes most and the nearest change that helps.
    """
    parts = memory_bytes(job, layout)
    total, device = sum(parts.values()), job.cluster.accelerator
    if total <= device.hbm_bytes:
        return parts
    message = (
        f"{job.model.name} with {layout} needs {needs(parts)}; {device.id} has {device.hbm_bytes / 1e9:.1f} GB. "
        f"Use {remedy(parts, layout)}."
    )
    raise InfeasibleError(message, ["device memory"])


def needs(parts_bytes: dict[str, float]) -> str:
    """Return what a layout takes of a device in words, largest parts first."""
    parts = sorted((size, kind) for kind, size in parts_bytes.items() if size >= 0.01 * sum(parts_bytes.values()))[::-1]
    named = ", ".join(f"{kind} {size / 1e9:.1f}" for size, kind in parts)
    return f"{sum(parts_bytes.values()) / 1e9:.1f} GB per device ({named})"


def remedy(parts: dict[str, float], layout: TrainingLayout) -> str:
    """Return the nearest change that lessens the largest part."""
    largest = max(parts, key=lambda kind: parts[kind])
    split = f"tp = {layout.tp * 2} or pp = {layout.pp * 2}"
    less = "recompute = full" if layout.recompute != "full" else f"cp = {layout.cp * 2} or a smaller micro_batch"
    remedies = {
        "weights": split + ("" if layout.zero >= 3 else ", or zero = 3"),
        "gradients": split + ("" if layout.zero >= 2 else ", or zero = 2"),
        "optimizer": "zero = 1" if layout.zero < 1 else split,
        "activations": less,
        "logits": "a fused loss or a smaller micro_batch",
        "temporary": split,
    }
    return remedies.get(largest, "a larger device")


def divides(job: TrainingJob, layout: TrainingLayout) -> bool:
    """Return whether a layout of the search divides batch, heads, experts and layers; `check_layout` says why not."""
    if job.global_batch % (layout.dp * layout.micro_batch):
        return False
    if job.recipe is not None and not job.recipe.keeps_gradients and micro_batches(job, layout) > 1:
        return False  # an update after each would be a smaller step
    if layout.tp * layout.dp * layout.cp % (layout.ep * layout.expert_tp):
        return False
    if layout.vpp > 1 and micro_batches(job, layout) % layout.pp:
        return False
    if job.seq_len % layout.cp:
        return False
    if (layout.shard and layout.dp * layout.cp % layout.shard) or (layout.ep > 1 and not job.model.is_moe):
        return False
    for group in job.model.layers:
        if group.attention.heads % layout.tp:
            return False
        if group.feed_forward.kind == "moe" and group.feed_forward.experts % layout.ep:
            return False
    return True


def check_context(job: TrainingJob) -> None:
    """Warn of sequences longer than the model is made for: trainers take them, for so contexts are lengthened."""
    longest = job.model.max_context
    if longest and job.seq_len > longest:
        doubt = (
            f"{job.model.name} is made for at most {longest:,} tokens; sequences of {job.seq_len:,} are trained with "
            "stretched rotations, such as YaRN's"
        )
        warnings.warn(doubt, InputNote, stacklevel=2)


def check_layout(job: TrainingJob, layout: TrainingLayout) -> None:
    """Check that a layout divides the job.

    Raises
    ------
    InputError
        Naming what does not divide and the nearest choice that does.
    """
    model = job.model
    for name in ("tp", "pp", "vpp", "dp", "cp", "ep", "micro_batch"):
        if getattr(layout, name) < 1:
            message = f"layout.{name} = {getattr(layout, name)}: must be at least 1"
            raise InputError(message)
    if layout.recompute not in RECOMPUTE:
        message = f"recompute = `{layout.recompute}`: must be one of {', '.join(RECOMPUTE)}"
        raise InputError(message)
    check_offload(layout)
    if layout.zero not in {0, 1, 2, 3}:
        message = f"zero = {layout.zero}: must be 0, 1, 2 or 3"
        raise InputError(message)
    if layout.devices != job.cluster.devices:
        message = (
            f"{layout} takes {layout.devices} devices; the cluster has {job.cluster.devices}. Use dp = "
            f"{max(1, job.cluster.devices // (layout.tp * layout.pp * layout.cp))}."
        )
        raise InputError(message)
    check_context(job)
    for group in model.layers:
        _divide("tp", layout.tp, group.attention.heads, f"attention heads of {model.name}")
        if group.feed_forward.kind == "moe":
            _divide("ep", layout.ep, group.feed_forward.experts, f"experts of {model.name}")
    if layout.ep > 1 and not model.is_moe:
        message = f"ep = {layout.ep}: {model.name} has no experts. Use ep = 1."
        raise InputError(message)
    _check_groups(layout)
    _divide("cp", layout.cp, job.seq_len, "tokens of a sequence")
    _divide("dp * micro_batch", layout.dp * layout.micro_batch, job.global_batch, "sequences of the global batch")
    _check_stages(job, layout)


def _check_groups(layout: TrainingLayout) -> None:
    """Check that experts and shards divide the devices they are carved out of."""
    if layout.etp < 0 or (layout.etp and layout.tp % layout.etp):
        _divide("etp", max(layout.etp, 1), layout.tp, "devices of tp")
        message = f"etp = {layout.etp}: must be at least 1, or 0 for tp"
        raise InputError(message)
    _divide("ep", layout.ep, layout.tp * layout.dp * layout.cp // layout.expert_tp, "devices of tp * dp * cp / etp")
    if layout.shard < 0:
        message = f"shard = {layout.shard}: must be at least 1, or 0 for all replicas"
        raise InputError(message)
    if layout.shard:
        if layout.zero == 0:
            message = f"shard = {layout.shard} with zero = 0: nothing is shared out. Use zero = 1, 2 or 3."
            raise InputError(message)
        _divide("shard", layout.shard, layout.dp * layout.cp, "replicas of dp * cp")


def check_offload(layout: TrainingLayout) -> None:
    """Check that what is offloaded is known and can be.

    Raises
    ------
    InputError
        Saying what would be right.
    """
    known = {"none", "both", *OFFLOADED}
    unknown = [part for part in layout.offload.split(",") if part not in known]
    if unknown or ("," in layout.offload and {"none", "both"} & set(layout.offload.split(","))):
        message = (
            f"offload = {layout.offload}: must be none, both, or any of {', '.join(OFFLOADED)} with commas between"
        )
        raise InputError(message)
    if layout.offloads("parameters") and layout.zero < _SHARED_WEIGHTS:
        message = f"offload = {layout.offload}: parameters are offloaded with zero = 3 only. Use zero = 3."
        raise InputError(message)


def check_stage_layers(job: TrainingJob, stages: tuple[int, ...], pp: int, vpp: int) -> None:
    """Check that given stages hold the model's layers and agree with ``pp`` and ``vpp``.

    Raises
    ------
    InputError
        With the nearest stages that do.
    """
    layers = job.model.n_layers
    even = [layers // pp + (i < layers % pp) for i in range(pp)]
    use = f"Use {','.join(map(str, even))}."
    shown = ",".join(map(str, stages))
    if len(stages) != pp:
        message = f"stage_layers = {shown}: {len(stages)} stages, not pp = {pp}. {use}"
        raise InputError(message)
    if sum(stages) != layers or min(stages) < 0:
        message = f"stage_layers = {shown}: {sum(stages)} layers; {job.model.name} has {layers}. {use}"
        raise InputError(message)
    if vpp != 1:
        message = f"stage_layers = {shown} with vpp = {vpp}: interleaved stages are even. Use vpp = 1."
        raise InputError(message)


def _check_stages(job: TrainingJob, layout: TrainingLayout) -> None:
    if layout.stage_layers:
        check_stage_layers(job, layout.stage_layers, layout.pp, layout.vpp)
    layers, chunks = job.model.n_layers, layout.pp * layout.vpp
    if chunks > layers + 2:
        message = f"pp * vpp = {chunks}: {job.model.name} has {layers} layers. Use pp * vpp <= {layers}."
        raise InputError(message)
    if layout.vpp == 1:
        return
    if layout.pp == 1:
        message = f"vpp = {layout.vpp} without a pipeline. Use vpp = 1."
        raise InputError(message)
    if layers % chunks and (layers + 2) % chunks:
        fits = [
            v for v in range(layout.vpp, 0, -1) if layers % (layout.pp * v) == 0 or (layers + 2) % (layout.pp * v) == 0
        ]
        message = (
            f"vpp = {layout.vpp} does not divide {layers} layers over pp = {layout.pp}. Use vpp = {(fits or [1])[0]}."
        )
        raise InputError(message)
    passes = micro_batches(job, layout)
    if passes % layout.pp:
        message = f"interleaving needs a multiple of pp = {layout.pp} micro-batches, not {passes}. Use vpp = 1."
        raise InputError(message)


def _divide(name: str, size: int, number: int, what: str) -> None:
    if number and number % size:
        use = max(d for d in range(1, min(number, size) + 1) if number % d == 0)
        message = f"{name} = {size} does not divide the {number} {what}. Use {use}."
        raise InputError(message)
