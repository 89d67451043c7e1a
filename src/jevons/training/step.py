"""Time of one optimiser step: operators composed over layers, micro-batches, stages and replicas."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jevons import operators as ops
from jevons.errors import InputError
from jevons.hardware import Cluster
from jevons.models import FeedForward, LayerGroup, layer_gemms
from jevons.training.factors import default_training_factors
from jevons.training.formulas import bubble_s, exposed_s, slowest_stage_s
from jevons.training.memory import (
    check_fits,
    check_layout,
    micro_batches,
    parameters_per_device,
)
from jevons.training.types import TrainingFactors, TrainingJob, TrainingLayout, TrainingStep

_HALF = 2.0
_BACKWARD_ATTENTION = 2.5  # five products backward for two forward, [dao2022]_


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """Times of one micro-batch through all layers on one device, forward and backward [s]; nothing hidden yet."""

    forward_s: float
    backward_s: float
    elementwise_s: float
    attention_s: float
    rebuilt_s: float
    head_s: float
    tp_s: float
    cp_s: float
    ep_s: float


def step(job: TrainingJob, layout: TrainingLayout) -> TrainingStep:
    """Time and memory of one optimiser step.

    Parameters
    ----------
    job : TrainingJob
        Model, cluster, batch.
    layout : TrainingLayout
        Must take all devices of the cluster.

    Returns
    -------
    TrainingStep
        Without failures, evaluation and checkpoints.

    Raises
    ------
    InputError
        If the layout does not divide the job.
    InfeasibleError
        If it does not fit in memory.

    Notes
    -----
    ``micro_batches * t_slowest + bubble + exposed exchange + optimiser``. Backward products cost what their own shapes
    cost (two per forward product), backward attention 2.5 times its forward. Leaves out stragglers, uneven expert
    loads beyond one factor, and contention of communication with computation for memory and cores.

    References
    ----------
    [narayanan2021]_ for pipelines, [korthikanti2022]_ for sequence parallelism and recomputation.
    """
    check_layout(job, layout)
    memory = check_fits(job, layout)
    return assemble(job, layout, micro_batch(job, layout), memory)


def micro_batch(job: TrainingJob, layout: TrainingLayout) -> MicroBatch:
    """Return the times of one micro-batch through all layers; depends on tp, cp, ep and the micro-batch size only."""
    tokens = layout.micro_batch * job.seq_len / layout.cp
    slowed = 1.0 / (job.factors or default_training_factors()).sustained_frac
    forward = backward = elementwise = attention = rebuilt = tp_s = cp_s = ep_s = 0.0
    groups = list(job.model.layers)
    if job.mtp and job.model.mtp_layers:
        groups.append(replace(groups[-1], count=job.model.mtp_layers))
    for group in groups:
        count = float(group.count)
        gemm_forward, gemm_backward = (slowed * s for s in _products(job, layout, group, tokens))
        core = slowed * _attention_s(job, layout, group)
        forward += count * (gemm_forward + core)
        backward += count * (gemm_backward + core * _BACKWARD_ATTENTION)
        attention += count * core
        rebuilt += slowed * count * _rebuilt_s(job, layout, group, tokens)
        elementwise += count * _elementwise_s(job, layout, group, tokens)
        blocks = (group.attention.kind != "none") + (group.feed_forward.kind != "none")
        tp_s += count * blocks * _tp_pass_s(job, layout, tokens)
        cp_s += count * _cp_pass_s(job, layout, group, tokens)
        ep_s += count * _ep_pass_s(job, layout, group, tokens)
    device, model = job.cluster.accelerator, job.model
    n, k = model.vocab / layout.tp, float(model.hidden)
    heads = 1 + (model.mtp_layers if job.mtp else 0)
    head = slowed * sum(
        _time(ops.gemm(device, *shape, "bf16")) for shape in ((tokens, n, k), (tokens, k, n), (n, k, tokens))
    )
    logits = tokens * n * 4.0
    head += _time(ops.elementwise(device, 2.0 * logits, 2.0 * logits, launches=4))
    return MicroBatch(forward, backward, elementwise, attention, rebuilt, heads * head, tp_s, cp_s, ep_s)


def assemble(job: TrainingJob, layout: TrainingLayout, micro: MicroBatch, memory: dict[str, float]) -> TrainingStep:
    """Return the step from a micro-batch's times: stages, bubble, replicas, optimiser."""
    factors = job.factors or default_training_factors()
    passes, stages = micro_batches(job, layout), layout.pp
    passes_per_layer = {"none": 2.0, "selective": 2.0, "full": 3.0}[layout.recompute]
    again = {
        "none": 0.0,
        "selective": micro.elementwise_s + micro.rebuilt_s,
        "full": micro.forward_s + micro.elementwise_s,
    }
    extra_s = again[layout.recompute]
    work_s = micro.forward_s + micro.backward_s + 3.0 * micro.elementwise_s
    tp_s = exposed_s(micro.tp_s * passes_per_layer, work_s, factors.tp_overlap_frac)
    ep_s = exposed_s(micro.ep_s * passes_per_layer, work_s, factors.ep_overlap_frac)
    cp_s = exposed_s(micro.cp_s * (passes_per_layer + 1.0), micro.attention_s * 3.5, factors.cp_overlap_frac)
    launch_s = factors.layer_overhead_s * job.model.n_layers * passes_per_layer
    layers_s = work_s + extra_s + tp_s + ep_s + cp_s + launch_s
    mean_s = (layers_s + micro.head_s) / stages
    slowest_s = slowest_stage_s(layers_s / job.model.n_layers, micro.head_s, job.model.n_layers, stages)
    hop_s = _hop_s(job, layout) * (1.0 - factors.pp_overlap_frac) * 2.0 * layout.vpp
    parts = {
        "compute": passes * (work_s + micro.head_s) / stages,
        "recompute": passes * extra_s / stages,
        "tp_comm": passes * tp_s / stages,
        "cp_comm": passes * cp_s / stages,
        "ep_comm": passes * ep_s / stages,
        "pp_comm": passes * hop_s,
        "pp_bubble": bubble_s(mean_s + hop_s, stages, layout.vpp, zero_bubble=layout.zero_bubble)
        + passes * (slowest_s - mean_s),
        "dp_exposed": _dp_exposed_s(job, layout, factors, mean_s, passes),
        "optimizer": _optimizer_s(job, layout, factors),
        "overhead": factors.step_overhead_s + passes * launch_s / stages,
    }
    time_s = sum(parts.values())
    tokens = float(job.global_batch) * job.seq_len
    model_flop = 3.0 * tokens * job.model.flop_per_token(job.seq_len // 2)
    rate = model_flop / (time_s * job.cluster.devices)
    peak = job.cluster.accelerator.peak_flop_per_s[_peak_name(job)]
    again_flop = model_flop / 3.0 if layout.recompute == "full" else 0.0
    return TrainingStep(
        layout=layout,
        step_time_s=time_s,
        parts=parts,
        memory_bytes=memory,
        tokens_per_s=tokens / time_s,
        model_flop=model_flop,
        flop_per_s_per_device=rate,
        mfu_frac=rate / peak,
        hfu_frac=rate * (1.0 + again_flop / model_flop) / peak,
    )


def product_flop(job: TrainingJob, layout: TrainingLayout) -> float:
    """Return the work of all layers' products on one tensor-parallel device per token, forward [FLOP].

    The sum over the ``tp`` devices is the model's own, products that every device repeats counted once.
    """
    total = 0.0
    for group in job.model.layers:
        for n, k, share in _shapes(job, layout, group):
            total += 2.0 * group.count * n * k * share
        block = group.feed_forward
        if block.kind == "moe":
            sides = 3.0 if block.gated else 2.0
            routed = block.experts_per_token * sides * job.model.hidden * block.expert_inner / layout.tp
            total += 2.0 * group.count * routed
    return total


def _shapes(job: TrainingJob, layout: TrainingLayout, group: LayerGroup) -> list[tuple[float, float, float]]:
    """Output size, inner size and share of the tokens of each product on one device."""
    shapes = []
    for gemm in layer_gemms(group, job.model.hidden):
        if gemm.split == "replicated":  # runs on the device's own part of the sequence
            shapes.append((float(gemm.n), float(gemm.k), 1.0 / layout.tp))
        elif gemm.split == "column":
            shapes.append((gemm.n / layout.tp, float(gemm.k), 1.0))
        else:
            shapes.append((float(gemm.n), gemm.k / layout.tp, 1.0))
    return shapes


def _products(job: TrainingJob, layout: TrainingLayout, group: LayerGroup, tokens: float) -> tuple[float, float]:
    """Products of one layer with weights: forward, and backward (gradients of inputs and of weights) [s]."""
    forward = backward = 0.0
    shapes = _shapes(job, layout, group)
    if shapes:
        n, k, share = (np.array(column) for column in zip(*shapes, strict=True))
        rows = np.maximum(tokens * share, 1.0)
        triples = (np.stack([rows, rows, n]), np.stack([n, k, k]), np.stack([k, n, rows]))
        times = ops.gemm(job.cluster.accelerator, *triples, job.precision).time_s.sum(axis=1)
        forward, backward = float(times[0]), float(times[1:].sum())
    block = group.feed_forward
    if block.kind == "moe":
        experts = _experts_s(job, layout, block, tokens)
        forward += experts
        backward += 2.0 * experts
    return forward, backward


def _experts_s(job: TrainingJob, layout: TrainingLayout, block: FeedForward, tokens: float) -> float:
    """Return the time of the grouped products of the rows that were dispatched to one rank's experts, forward [s]."""
    factors = job.factors or default_training_factors()
    top, local = float(block.experts_per_token), block.experts / layout.ep
    taken = min(top, local)
    rows = tokens * top * (factors.expert_imbalance if layout.ep > 1 else 1.0)
    op = ops.moe_gemm(
        job.cluster.accelerator, max(rows / taken, 1.0), job.model.hidden, block.expert_inner, local, taken,
        tensor_parallel=layout.tp, precision=job.precision, gated=block.gated,
    )  # fmt: skip
    return _time(op)


def _rebuilt_s(job: TrainingJob, layout: TrainingLayout, group: LayerGroup, tokens: float) -> float:
    """Expansions of latent attention, which selective recomputation runs again [s]."""
    gemms = [g for g in layer_gemms(group, job.model.hidden) if g.name in {"mla_q_up", "mla_kv_up"}]
    device = job.cluster.accelerator
    return sum(_time(ops.gemm(device, tokens, g.n / layout.tp, g.k, job.precision)) for g in gemms)


def _attention_s(job: TrainingJob, layout: TrainingLayout, group: LayerGroup) -> float:
    """Forward attention of one layer, the causal half shared evenly by the context-parallel devices [s]."""
    a, device = group.attention, job.cluster.accelerator
    heads, batch = max(a.heads / layout.tp, 1.0), layout.micro_batch
    if a.kind == "gqa":
        op = ops.attention_prefill(
            device, batch, job.seq_len, 0, heads, max(a.kv_heads / layout.tp, 1.0), a.head_dim,
            v_head_dim=a.v_head_dim, window=a.window or 0,
        )  # fmt: skip
    elif a.kind == "mla":
        op = ops.mla_prefill(
            device, batch, job.seq_len, 0, heads,
            kv_lora_rank=a.kv_lora_rank, rope_dim=a.rope_dim, nope_dim=a.nope_dim, v_head_dim=a.v_head_dim,
        )  # fmt: skip
    elif a.kind in {"linear", "ssm"}:
        states = batch * job.seq_len / 64.0 * a.state_elements * 4.0 / layout.tp
        op = ops.elementwise(device, states, states)
    else:
        return 0.0
    return _time(op) / layout.cp


def _elementwise_s(job: TrainingJob, layout: TrainingLayout, group: LayerGroup, tokens: float) -> float:
    """Norms, residuals, rotation, activation, and with 8-bit products the casts of their inputs [s]."""
    a, block, hidden = group.attention, group.feed_forward, job.model.hidden
    inner = block.hidden_inner + block.shared_inner + block.experts_per_token * block.expert_inner
    qkv = a.heads * a.head_dim + a.kv_heads * (a.head_dim + a.v_head_dim)
    moved = tokens / layout.tp * (4.0 * hidden + qkv + 2.0 * inner)
    casts = tokens / layout.tp * (2.0 * hidden + inner) * 1.5 if _peak_name(job) in {"fp8", "fp4", "int8"} else 0.0
    half = _HALF * (moved + casts)
    return _time(ops.elementwise(job.cluster.accelerator, half, half, launches=5))


def _tp_pass_s(job: TrainingJob, layout: TrainingLayout, tokens: float) -> float:
    """Gather before a block and scatter after it, one pass [s]."""
    if layout.tp == 1:
        return 0.0
    message_bytes = tokens * job.model.hidden * _HALF
    gather = ops.all_gather(job.cluster, message_bytes, layout.tp)
    return _time(gather) + _time(ops.reduce_scatter(job.cluster, message_bytes, layout.tp))


def _cp_pass_s(job: TrainingJob, layout: TrainingLayout, group: LayerGroup, tokens: float) -> float:
    """Keys and values sent once around the ring of context-parallel devices [s]."""
    if layout.cp == 1:
        return 0.0
    a = group.attention
    width = a.heads * (a.nope_dim + a.rope_dim + a.v_head_dim) if a.kind == "mla" else a.cached_elements_per_token
    across = layout.tp * layout.cp > job.cluster.accelerator.scaleup_domain
    hop = ops.point_to_point(job.cluster, max(tokens * width / layout.tp * _HALF, 1.0), across=across)
    return _time(hop) * (layout.cp - 1)


def _ep_pass_s(job: TrainingJob, layout: TrainingLayout, group: LayerGroup, tokens: float) -> float:
    """Dispatch and combine of routed tokens, one pass [s]."""
    block = group.feed_forward
    if block.kind != "moe" or layout.ep == 1:
        return 0.0
    shape = (max(tokens / layout.tp, 1.0), job.model.hidden, block.experts_per_token, layout.ep)
    sent = 1.0 if _peak_name(job) in {"fp8", "fp4"} else _HALF
    dispatch = ops.moe_dispatch(job.cluster, *shape, element_bytes=sent)
    return _time(dispatch) + _time(ops.moe_combine(job.cluster, *shape))


def _hop_s(job: TrainingJob, layout: TrainingLayout) -> float:
    """One hand-over between stages [s]."""
    if layout.pp == 1:
        return 0.0
    tokens = layout.micro_batch * job.seq_len / layout.cp
    across = layout.devices > job.cluster.accelerator.scaleup_domain
    return _time(ops.point_to_point(job.cluster, tokens / layout.tp * job.model.hidden * _HALF, across=across))


def _dp_exposed_s(
    job: TrainingJob, layout: TrainingLayout, factors: TrainingFactors, mean_s: float, passes: int
) -> float:
    """Exchange of gradients and weights among replicas that is not hidden [s]."""
    held = parameters_per_device(job, layout)
    total = 0.0
    groups = (
        (held.dense, layout.dp * layout.cp, layout.tp),
        (held.experts, layout.dp * layout.cp // layout.ep, layout.tp * layout.ep),
    )
    for parameters, size, stride in groups:
        if size <= 1 or not parameters:
            continue
        spread = _strided(job.cluster, stride)
        gradients = _time(ops.reduce_scatter(spread, parameters * factors.gradient_bytes, size))
        weights = _time(ops.all_gather(spread, parameters * _HALF, size))
        total += (gradients + 2.0 * weights) * passes if layout.zero >= 3 else gradients + weights
    hidden_behind_s = mean_s * (passes if layout.zero >= 3 else 1)
    return exposed_s(total, hidden_behind_s, factors.dp_overlap_frac)


def _strided(cluster: Cluster, stride: int) -> Cluster:
    """Return the cluster as a group sees it whose members stand *stride* devices apart."""
    device = cluster.accelerator
    return replace(cluster, accelerator=replace(device, scaleup_domain=max(1, device.scaleup_domain // stride)))


def _optimizer_s(job: TrainingJob, layout: TrainingLayout, factors: TrainingFactors) -> float:
    held = parameters_per_device(job, layout)
    own = held.dense + held.experts
    if layout.zero >= 1:
        replicas = layout.dp * layout.cp
        own = held.dense / replicas + held.experts / max(replicas / layout.ep, 1.0)
    read = own * (factors.gradient_bytes + factors.optimizer_bytes)
    return _time(ops.elementwise(job.cluster.accelerator, read, own * (factors.optimizer_bytes + _HALF)))


def _peak_name(job: TrainingJob) -> str:
    """Return the key of the peak rate that the job's products run at."""
    base = job.precision.lower().split("_", maxsplit=1)[0].removeprefix("mx").removeprefix("nv")
    if not job.cluster.accelerator.supports(base):
        known = ", ".join(job.cluster.accelerator.peak_flop_per_s)
        message = f"{job.cluster.accelerator.id} does not multiply in `{job.precision}`. Use one of {known}."
        raise InputError(message)
    return base


def _time(op: ops.OpTime) -> float:
    return float(op.time_s)
