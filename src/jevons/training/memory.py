"""What a training layout keeps on each device, and whether it divides the job."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from jevons.errors import InfeasibleError, InputError
from jevons.models import Attention, FeedForward, LayerGroup, ModelSpec, expert_parameters, layer_gemms
from jevons.models.formulas import layer_parameters
from jevons.training.factors import default_training_factors
from jevons.training.precision import training_format
from jevons.training.types import OFFLOAD, RECOMPUTE, TrainingJob, TrainingLayout

_HALF = 2.0  # bytes of a 16-bit number
_SHARED_GRADIENTS = 2  # stage of ZeRO from which software is PyTorch's own and replicas share gradients out


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters on one device of the fullest stage: those every replica holds, and routed experts."""

    dense: float
    experts: float


def micro_batches(job: TrainingJob, layout: TrainingLayout) -> int:
    """Return the forward passes of one replica per step."""
    return job.global_batch // (layout.dp * layout.micro_batch)


def stage_layers(job: TrainingJob, layout: TrainingLayout) -> int:
    """Return the layers of the fullest stage, the last one giving up some for the head where that helps."""
    if layout.stage_layers:
        return max(layout.stage_layers)
    return math.ceil(job.model.n_layers / layout.pp)


def parameters_per_device(job: TrainingJob, layout: TrainingLayout) -> Parameters:
    """Return the parameters that a device of the fullest stage holds before replicas share anything out."""
    model = job.model
    split, kept, routed = _whole_parameters(model)
    dense = split / layout.tp + kept
    experts = routed / (layout.ep * layout.expert_tp)
    share = stage_layers(job, layout) / model.n_layers
    ends = 1 if layout.pp > 1 or model.tied_embeddings else 2
    return Parameters(dense * share + ends * model.vocab * model.hidden / layout.tp, experts * share)


@functools.lru_cache(maxsize=64)
def _whole_parameters(model: ModelSpec) -> tuple[float, float, float]:
    """Return the parameters of all layers: those that tensor parallelism splits, those it does not, and experts."""
    split = replicated = experts = 0.0
    for group in model.layers:
        block = group.feed_forward
        routed = block.experts * expert_parameters(block, model.hidden) if block.kind == "moe" else 0
        kept = sum(gemm.n * gemm.k for gemm in layer_gemms(group, model.hidden) if gemm.split == "replicated")
        split += group.count * (layer_parameters(model, group) - routed - kept)
        replicated += group.count * kept
        experts += group.count * routed
    return split, replicated, experts


def shards(layout: TrainingLayout, replicas: int) -> int:
    """Return into how many parts replicas share out their states: as many as a group has, where groups are given."""
    return min(layout.shard, replicas) if layout.shard else replicas


def memory_bytes(job: TrainingJob, layout: TrainingLayout) -> dict[str, float]:
    """Return the peak memory of a device of the fullest stage by kind [bytes].

    Notes
    -----
    Weights 2 bytes each; gradients and optimiser states as the factors say; ``zero`` divides optimiser states (1),
    gradients (2) and weights (3) by the replicas, those of routed experts by ``dp * cp / ep``. A first stage keeps the
    activations of ``pp`` micro-batches (1F1B), or ``1 + (pp - 1) / (pp * vpp)`` as much when stages are interleaved.
    Leaves out temporary buffers of single operators and the 8-bit copies of weights. With ``zero`` of 2 and 3, whose
    software is PyTorch's own, and where the job says so, logits and activations are those of operators of their own.
    With 3, two layers and both ends of the model are gathered, and the head's gradient before it is shared out.

    References
    ----------
    [korthikanti2022]_ for activations with sequence parallelism, [rajbhandari2020]_ for the sharing of states.
    """
    factors = job.factors or default_training_factors()
    copies = job.eager_memory and layout.zero < _SHARED_GRADIENTS
    gradient_bytes = factors.eager_gradient_bytes if copies else factors.gradient_bytes
    optimizer_bytes = factors.eager_optimizer_bytes if copies else factors.optimizer_bytes
    held = parameters_per_device(job, layout)
    replicas, expert_replicas = shards(layout, layout.dp * layout.cp), shards(layout, layout.expert_replicas)

    def states(each_bytes: float, shared: bool) -> float:
        if not shared:
            return each_bytes * (held.dense + held.experts)
        return each_bytes * (held.dense / replicas + held.experts / expert_replicas)

    kept = {
        "weights": states(_HALF, shared=layout.zero >= 3),
        "gradients": 0.0 if job.adapters else states(gradient_bytes, shared=layout.zero >= 2),
        "optimizer": 0.0
        if job.adapters or layout.offload in {"optimizer", "both"}
        else states(optimizer_bytes, shared=layout.zero >= 1),
        "activations": _activation_bytes(job, layout) * (1.0 + factors.fragmentation_frac),
        "reserved": factors.reserved_bytes,
    }
    if layout.zero >= 3:
        per_layer = (held.dense + held.experts) / stage_layers(job, layout)
        ends = job.model.vocab * job.model.hidden / layout.tp
        kept["weights"] += _HALF * (2.0 * per_layer + (1.0 if job.model.tied_embeddings else 2.0) * ends)
        kept["gradients"] += 0.0 if job.adapters else _HALF * ends
    return kept


def _activation_bytes(job: TrainingJob, layout: TrainingLayout) -> float:
    model, factors = job.model, job.factors or default_training_factors()
    eager = job.eager_memory
    tokens = layout.micro_batch * job.seq_len / layout.cp
    layers = stage_layers(job, layout)
    mean_layer = kept_bytes_per_token(job, layout)
    mean_layer *= job.kept_frac if layout.pp > 1 else 1.0
    if eager and layout.recompute != "full":
        mean_layer *= factors.eager_activation_frac
    if layout.offload in {"activations", "both"}:
        layers = min(layers, 2)  # the layer at work, and the one that travels
    in_flight = float(min(micro_batches(job, layout), layout.pp))
    if layout.vpp > 1:
        in_flight *= 1.0 + (layout.pp - 1.0) / (layout.pp * layout.vpp)
    if layout.offload in {"activations", "both"}:
        in_flight = 1.0
    first = tokens * layers * mean_layer * in_flight
    if layout.stage_layers and layout.offload in {"none", "optimizer"}:
        waits = ((n, min(micro_batches(job, layout), layout.pp - i)) for i, n in enumerate(layout.stage_layers))
        first = tokens * mean_layer * max(n * passes for n, passes in waits)
        layers = layout.stage_layers[-1]
    logits = tokens * model.vocab / layout.tp * (factors.eager_logit_bytes if eager else factors.logit_bytes)
    last = tokens * layers * mean_layer * max(1.0, in_flight / layout.pp) + logits
    working = 0.0
    if layout.recompute == "full":
        working = tokens * max(_kept_bytes(job, g, "none") for g in model.layers) / layout.tp
    return max(first, last) + working


def micro_batch_activation_bytes(job: TrainingJob, layout: TrainingLayout) -> float:
    """Return the activations that one micro-batch leaves behind in all layers on one device [bytes]."""
    tokens = layout.micro_batch * job.seq_len / layout.cp
    return tokens * sum(group.count * _layer_bytes(job, group, layout) for group in job.model.layers)


def kept_bytes_per_token(job: TrainingJob, layout: TrainingLayout) -> float:
    """Return the activations of one token that a layer keeps on one device, mean of all layers, by fused kernels."""
    layers = job.model.layers
    return sum(group.count * _layer_bytes(job, group, layout) for group in layers) / job.model.n_layers


def _layer_bytes(job: TrainingJob, group: LayerGroup, layout: TrainingLayout) -> float:
    """Bytes of activations one token leaves behind in one layer on one device, until its backward pass."""
    if layout.recompute == "full":
        return _HALF * job.model.hidden / layout.tp
    return _kept_bytes(job, group, layout.recompute) / layout.tp


def _kept_bytes(job: TrainingJob, group: LayerGroup, recompute: str) -> float:
    """Bytes per token of a layer before tensor parallelism; 8-bit products keep their feed-forward inputs in 8 bits."""
    if recompute == "alternate":
        return 0.5 * _kept_bytes(job, group, "none")
    hidden, keep_all = job.model.hidden, recompute == "none"
    inputs = 2.0 * hidden + (2.0 * hidden if keep_all else 0.0)
    narrow = training_format(job.cluster.accelerator, job.precision).element_bytes
    inner = _feed_forward_elements(group.feed_forward, hidden, keep_all)
    return _HALF * (inputs + _attention_elements(group.attention, keep_all)) + narrow * inner


def _attention_elements(a: Attention, keep_all: bool) -> float:
    out = float(a.heads * a.v_head_dim)
    if a.kind == "mla":
        latent = float(a.q_lora_rank + a.kv_lora_rank + a.rope_dim)
        wide = a.heads * (2.0 * (a.nope_dim + a.rope_dim) + a.v_head_dim)
        return latent + out + (wide if keep_all else 0.0)
    return a.heads * a.head_dim + a.kv_heads * float(a.head_dim + a.v_head_dim) + out


def _feed_forward_elements(block: FeedForward, hidden: int, keep_all: bool) -> float:
    inner = float(block.hidden_inner + block.shared_inner)
    routed = float(block.experts_per_token)
    sides = (2.0 if block.gated else 1.0) + (1.0 if keep_all else 0.0)
    return sides * (inner + routed * block.expert_inner) + routed * hidden


def check_fits(job: TrainingJob, layout: TrainingLayout) -> dict[str, float]:
    """Return the memory by kind if it fits.

    Raises
    ------
    InfeasibleError
        Naming what takes most and the nearest change that helps.
    """
    kept = memory_bytes(job, layout)
    total, device = sum(kept.values()), job.cluster.accelerator
    if total <= device.hbm_bytes:
        return kept
    largest = max(kept, key=lambda kind: kept[kind])
    remedies = {
        "weights": f"tp = {layout.tp * 2} or pp = {layout.pp * 2}" + ("" if layout.zero >= 3 else ", or zero = 3"),
        "gradients": f"tp = {layout.tp * 2} or pp = {layout.pp * 2}" + ("" if layout.zero >= 2 else ", or zero = 2"),
        "optimizer": "zero = 1" if layout.zero < 1 else f"tp = {layout.tp * 2} or pp = {layout.pp * 2}",
        "activations": "recompute = full"
        if layout.recompute != "full"
        else f"cp = {layout.cp * 2} or a smaller micro_batch",
        "reserved": "a larger device",
    }
    message = (
        f"{job.model.name} with {layout} needs {total / 1e9:.1f} GB per device, {kept[largest] / 1e9:.1f} GB of it "
        f"{largest}; {device.id} has {device.hbm_bytes / 1e9:.1f} GB. Use {remedies[largest]}."
    )
    raise InfeasibleError(message, ["device memory"])


def divides(job: TrainingJob, layout: TrainingLayout) -> bool:
    """Return whether a layout of the search divides batch, heads, experts and layers; `check_layout` says why not."""
    if job.global_batch % (layout.dp * layout.micro_batch):
        return False
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
    """Check that the model takes sequences of the job's length.

    Raises
    ------
    InputError
        With the longest that it takes.
    """
    longest = job.model.max_context
    if longest and job.seq_len > longest:
        message = f"seq_len = {job.seq_len}: {job.model.name} takes at most {longest} tokens. Use {longest} or fewer."
        raise InputError(message)


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
    if layout.offload not in OFFLOAD:
        message = f"offload = `{layout.offload}`: must be one of {', '.join(OFFLOAD)}"
        raise InputError(message)
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
