"""Time of one optimiser step: operators composed over layers, micro-batches, stages and replicas."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from jevons.hardware import Accelerator, accelerator
from jevons.models import FeedForward, LayerGroup, layer_gemms
from jevons.operators import kernels as ops
from jevons.training.activations import micro_batches
from jevons.training.exchange import Exchange, exchange, fabric, time_of
from jevons.training.factors import (
    TrafficFactors,
    TrainingFactors,
    default_training_factors,
    reference_flop_per_j,
)
from jevons.training.formulas import bubble_s, exposed_s, gap_s, slowest_stage_s
from jevons.training.memory import check_fits, check_layout
from jevons.training.precision import training_format
from jevons.training.types import TrainingJob, TrainingLayout, TrainingStep

_HALF = 2.0
_HALF_OF = 0.5
_SHARED_WEIGHTS = 3
_COMPILED = "tpu"
"""Devices whose whole step is compiled for fixed shapes, so that no host waits for the rows of experts."""
_USUAL_DEVICE = "h100_sxm"
"""Whose cores stand for those of a device that states none."""
_BACKWARD_UNFUSED = 2.0
_BACKWARD_ATTENTION = 2.5  # five products backward for two forward, [dao2022]_


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBatch:
    """Times of one micro-batch through all layers on one device [s], before the factors of training software.

    Parameters
    ----------
    dense_forward_s, dense_backward_s, experts_forward_s, experts_backward_s : float
        Matrix products outside and inside routed experts, at the rates of lone products and even loads.
    attention_s, rebuilt_s, head_s : float
        Forward attention; expansions of latent attention; embedding head, forward and backward.
    chain_forward_s, chain_backward_s, cast_forward_s, cast_backward_s : float
        Memory-bound chains, and conversions to 8 bits and fewer.
    permute_s : float
        Routed tokens sorted to experts and back, one pass.
    tp_s, cp_s, ep_s : float
        Communication of one pass, nothing hidden yet.
    """

    dense_forward_s: float
    dense_backward_s: float
    experts_forward_s: float
    experts_backward_s: float
    attention_s: float
    rebuilt_s: float
    head_s: float
    chain_forward_s: float
    chain_backward_s: float
    cast_forward_s: float
    cast_backward_s: float
    permute_s: float
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
    loads beyond one factor, and contention of communication with computation for memory.

    References
    ----------
    [narayanan2021]_ for pipelines, [korthikanti2022]_ for sequence parallelism and recomputation.
    """
    check_layout(job, layout)
    memory = check_fits(job, layout)
    return assemble(job, layout, micro_batch(job, layout), exchange(job, layout), memory)


def micro_batch(job: TrainingJob, layout: TrainingLayout) -> MicroBatch:
    """Return the times of one micro-batch through all layers; depends on tp, cp, ep and the micro-batch size only."""
    return with_experts(job, layout, without_experts(job, layout))


def with_experts(job: TrainingJob, layout: TrainingLayout, others: MicroBatch) -> MicroBatch:
    """Return a micro-batch's times with those of its routed experts, which alone depend on ep."""
    if not job.model.is_moe:
        return others
    tokens = layout.micro_batch * job.seq_len / layout.cp
    forward = backward = sent = sorted_s = 0.0
    for group in _groups(job):
        block = group.feed_forward
        first, second, moved = _experts(job, layout, block, tokens)
        sorted_s += group.count * moved
        forward += group.count * first
        backward += group.count * second
        sent += group.count * _ep_pass_s(job, layout, group, tokens)
    return replace(
        others, experts_forward_s=forward, experts_backward_s=backward, ep_s=sent, permute_s=sorted_s,
    )  # fmt: skip


def _traffic(job: TrainingJob) -> TrafficFactors:
    return (job.factors or default_training_factors()).traffic


def _groups(job: TrainingJob) -> list[LayerGroup]:
    """Layers of the model, those that predict further tokens with them where they are trained."""
    groups = list(job.model.layers)
    if job.mtp and job.model.mtp_layers:
        groups.append(replace(groups[-1], count=job.model.mtp_layers))
    return groups


def without_experts(job: TrainingJob, layout: TrainingLayout) -> MicroBatch:
    """Return a micro-batch's times but for routed experts and their exchange; depends on tp, cp and its size."""
    tokens = layout.micro_batch * job.seq_len / layout.cp
    totals = dict.fromkeys((field.name for field in fields(MicroBatch)), 0.0)
    for group in _groups(job):
        for name, time_s in _layer(job, layout, group, tokens).items():
            totals[name] += group.count * time_s
    device, model = job.cluster.accelerator, job.model
    n, k = model.vocab / layout.tp, float(model.hidden)
    rows, outs, inner = np.array([[tokens, n, k], [tokens, k, n], [n, k, tokens]]).T
    head = float(ops.gemm(device, rows, outs, inner, "bf16").time_s.sum())
    traffic = _traffic(job)
    moved = _HALF_OF * tokens * n * (traffic.loss_bytes if job.software.overlap else traffic.older_loss_bytes)
    head += time_of(ops.elementwise(device, moved, moved, launches=4))
    totals["head_s"] = (1 + (model.mtp_layers if job.mtp else 0)) * head
    return MicroBatch(**totals)


def _alone(layout: TrainingLayout, block: FeedForward) -> bool:
    """Return whether a block's devices work on their own tokens, so that nothing is gathered before it."""
    return block.kind == "moe" and layout.expert_tp == 1 and not block.shared_inner


def _layer(job: TrainingJob, layout: TrainingLayout, group: LayerGroup, tokens: float) -> dict[str, float]:
    """Return the times of one layer, by field of `MicroBatch`."""
    block = group.feed_forward
    blocks = (group.attention.kind != "none") + (block.kind != "none" and not _alone(layout, block))
    dense_forward, dense_backward = _products(job, layout, group, tokens)
    return {
        "dense_forward_s": dense_forward,
        "dense_backward_s": dense_backward,
        "attention_s": _attention_s(job, layout, group),
        "rebuilt_s": _rebuilt_s(job, layout, group, tokens),
        **_chains(job, layout, group, tokens),
        "tp_s": blocks * _tp_pass_s(job, layout, tokens),
        "cp_s": _cp_pass_s(job, layout, group, tokens),
    }


def sustained_frac(device: Accelerator, factors: TrainingFactors, power_frac: float = 1.0) -> float:
    """Return the rate of products in a run of hours over that of a lone product; 1 where power does not bind.

    Lone products are measured in bursts at boost clock. Under lasting load the clock falls until the device draws its
    rated power, the further the more work each watt was sold to do: by `power_exponent` between generations, by
    `board_exponent` between boards of one. Under a limit of *power_frac* of a device's own it falls by `cap_exponent`.
    TPUs run at one clock.
    """
    if device.id.startswith(_COMPILED):
        return 1.0
    per_watt, kernels = device.peak_flop_per_s["bf16"] / device.tdp_w, factors.kernels
    of_generation = reference_flop_per_j().get(device.generation, per_watt)
    rated = kernels.sustained_frac * math.pow(reference_flop_per_j()["hopper"] / of_generation, kernels.power_exponent)
    rated *= math.pow(of_generation / per_watt, kernels.board_exponent)
    return min(1.0, rated) * math.pow(power_frac, kernels.cap_exponent)


def cores_frac(device: Accelerator, factors: TrainingFactors) -> float:
    """Return the share of a device's cores that collectives hold; none on devices of few cores, whose engines copy."""
    cores = device.cores or accelerator(_USUAL_DEVICE).cores
    return factors.exchange.comm_cores / cores if cores > factors.exchange.comm_cores else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """A micro-batch's computation once the factors apply [s]."""

    forward_s: float
    total_s: float
    products_s: float
    attention_s: float
    chains_s: float
    rebuilt_s: float
    head_s: float


def _work(job: TrainingJob, layout: TrainingLayout, micro: MicroBatch, factors: TrainingFactors) -> _Work:
    slowed = 1.0 / sustained_frac(job.cluster.accelerator, factors, job.power_frac)
    if not job.software.overlap:
        slowed /= factors.kernels.older_frac
    head = micro.head_s * slowed
    if training_format(job.cluster.accelerator, job.precision).narrow:
        slowed /= factors.kernels.narrow_frac
    uneven = slowed * (factors.exchange.expert_imbalance if layout.ep > 1 and not job.even_experts else 1.0)
    passes = factors.traffic.eager_elementwise if job.software.eager else factors.traffic.elementwise
    moved = micro.permute_s * factors.traffic.permute
    chains = micro.chain_forward_s * passes + micro.cast_forward_s * factors.traffic.casts + moved
    chains_back = micro.chain_backward_s * passes + micro.cast_backward_s * factors.traffic.casts + moved
    rate = factors.kernels.eager_attention_frac if job.software.older_attention else factors.kernels.attention_frac
    if (job.software.older_attention or job.software.ampere_attention) and job.cluster.accelerator.supports("fp8"):
        rate *= factors.kernels.flash2_on_hopper_frac
    if job.cluster.accelerator.id.startswith(_COMPILED):
        rate *= factors.kernels.tpu_attention_gain
    attention = micro.attention_s / rate if job.software.flash else micro.attention_s
    products = micro.dense_forward_s * slowed + micro.experts_forward_s * uneven
    backward_attention = _BACKWARD_ATTENTION if job.software.flash else _BACKWARD_UNFUSED
    backward = micro.dense_backward_s * slowed + micro.experts_backward_s * uneven + attention * backward_attention
    forward = products + attention + chains
    return _Work(
        forward_s=forward,
        total_s=forward + backward + chains_back,
        products_s=products,
        attention_s=attention,
        chains_s=chains,
        rebuilt_s=micro.rebuilt_s * slowed,
        head_s=head,
    )


def assemble(
    job: TrainingJob, layout: TrainingLayout, micro: MicroBatch, between: Exchange, memory: dict[str, float]
) -> TrainingStep:
    """Return the step from a micro-batch's times: stages, bubble, replicas, optimiser."""
    factors = job.factors or default_training_factors()
    passes, stages, layers = micro_batches(job, layout), layout.pp, job.model.n_layers
    work = _work(job, layout, micro, factors)
    passes_per_layer = 3.0 if layout.recompute == "full" else 2.0
    selective = work.chains_s + work.rebuilt_s if job.software.flash else work.attention_s
    extra_s = {
        "none": 0.0, "selective": selective, "alternate": work.chains_s + _HALF_OF * work.products_s,
        "full": work.forward_s,
    }[layout.recompute]  # fmt: skip
    hides = 1.0 if job.software.overlap else 0.0
    far = layout.ep * layout.expert_tp > job.cluster.accelerator.scaleup_domain
    expert_hides = hides * (factors.exchange.far_ep_overlap_frac if far else factors.exchange.ep_overlap_frac)
    taken = cores_frac(job.cluster.accelerator, factors)
    tp_hides = job.software.tp_overlap * hides * factors.exchange.tp_overlap_frac
    tp_s = exposed_s(_tp_s(job, layout, micro) * passes_per_layer, work.total_s, tp_hides, taken)
    ep_s = exposed_s(micro.ep_s * passes_per_layer, work.total_s, expert_hides, taken)
    gathered = layout.zero >= _SHARED_WEIGHTS
    dp_hides = hides * (factors.exchange.gather_overlap_frac if gathered else factors.exchange.dp_overlap_frac)
    cp_hides = hides * factors.exchange.cp_overlap_frac
    cp_s = exposed_s(micro.cp_s * (passes_per_layer + 1.0), work.attention_s * 3.5, cp_hides)
    routed = sum(group.count for group in job.model.layers if group.feed_forward.kind == "moe")
    busy_s = work.total_s + extra_s + tp_s + ep_s + cp_s
    launch_s = gap_s(_host_s(job, layout, factors) * layers * passes_per_layer, busy_s)
    if not (job.software.graphed or job.cluster.accelerator.id.startswith(_COMPILED)):
        launch_s += factors.host.expert_sync_s * routed * passes_per_layer
    if job.software.scripted is not None:
        launch_s += job.software.scripted.pass_s * stages
    layers_s = busy_s + launch_s
    mean_s = (layers_s + work.head_s) / stages
    if layout.stage_layers:
        slowest_s = max(
            n * layers_s / layers + (i == stages - 1) * work.head_s for i, n in enumerate(layout.stage_layers)
        )
    else:
        slowest_s = slowest_stage_s(layers_s / layers, work.head_s, layers, stages)
    # Plain 1F1B waits for each hand-over; interleaved stages have other work meanwhile.
    hidden_frac = hides * factors.exchange.pp_overlap_frac if layout.vpp > 1 else 0.0
    hop_s = between.hop_s * (1.0 - hidden_frac) * 2.0 * layout.vpp + _hand_over_s(job, stages)
    gathers = passes if gathered else 1
    replicas_s = between.replicas_s * gathers + between.across_s
    parts = {
        "compute": passes * (work.total_s + work.head_s) / stages,
        "recompute": passes * extra_s / stages,
        "tp_comm": passes * tp_s / stages,
        "cp_comm": passes * cp_s / stages,
        "ep_comm": passes * ep_s / stages,
        "pp_comm": passes * hop_s,
        "pp_bubble": bubble_s(mean_s + hop_s, stages, layout.vpp, zero_bubble=layout.zero_bubble)
        + passes * (slowest_s - mean_s),
        "dp_exposed": _dp_exposed_s(job, layout, replicas_s, mean_s * gathers, dp_hides),
        "optimizer": between.optimizer_s,
        "offload": _offload_s(between, work, passes, stages, mean_s),
        "overhead": factors.host.step_overhead_s + passes * launch_s / stages,
    }
    return _step_of(job, layout, parts, memory)


def _tp_s(job: TrainingJob, layout: TrainingLayout, micro: MicroBatch) -> float:
    """Return the communication of tensor parallelism in one pass [s]."""
    far = layout.tp > job.cluster.accelerator.scaleup_domain
    return micro.tp_s / job.software.scripted.far_frac if job.software.scripted is not None and far else micro.tp_s


def _host_s(job: TrainingJob, layout: TrainingLayout, factors: TrainingFactors) -> float:
    """Return the least time of a layer's pass, which the host and collectives' latency take [s]."""
    if job.software.scripted is not None:
        ring_s = job.software.scripted.rank_s * layout.tp if layout.tp > 1 else 0.0
        return max(job.software.scripted.layer_s, ring_s)
    if job.software.overlap:
        return factors.host.layer_overhead_s
    return factors.host.older_layer_overhead_s + factors.host.older_rank_s * (layout.tp - 1)


def _hand_over_s(job: TrainingJob, stages: int) -> float:
    """Return the wait of a micro-batch's hand-overs between stages; a stage with two neighbours waits twice [s]."""
    if job.software.scripted is None or stages == 1:
        return 0.0
    return job.software.scripted.hand_over_s * min(stages - 1, 2)


def _dp_exposed_s(
    job: TrainingJob, layout: TrainingLayout, replicas_s: float, busy_s: float, overlap_frac: float
) -> float:
    """Return the exchange among replicas that a step waits for [s]; scripted software hides none of it."""
    if job.software.scripted is not None:
        return replicas_s + job.software.scripted.replica_s * (layout.dp if layout.dp > 1 else 0)
    taken = cores_frac(job.cluster.accelerator, job.factors or default_training_factors())
    return exposed_s(replicas_s, busy_s, overlap_frac, taken)


def _offload_s(between: Exchange, work: _Work, passes: int, stages: int, mean_s: float) -> float:
    """Return the transfers to and from the host that computation does not hide [s].

    Activations leave during the forward pass and come back during the backward; gradients leave during the last
    micro-batch's work, and weights come back during the next step's first.
    """
    down_s = exposed_s(between.activations_s, work.forward_s, 1.0)
    up_s = exposed_s(between.activations_s, work.total_s - work.forward_s, 1.0)
    weights_s = exposed_s(between.parameters_s, mean_s, 1.0)
    return passes * ((down_s + up_s) / stages + weights_s) + exposed_s(between.states_s, mean_s, 1.0)


def _step_of(
    job: TrainingJob, layout: TrainingLayout, parts: dict[str, float], memory: dict[str, float]
) -> TrainingStep:
    time_s = sum(parts.values())
    tokens = float(job.global_batch) * job.seq_len
    passes_of_flop = 2.0 if job.adapters else 3.0
    model_flop = passes_of_flop * tokens * job.model.flop_per_token(job.attended_len // 2)
    rate = model_flop / (time_s * job.cluster.devices)
    device = job.cluster.accelerator
    peak = device.peak_flop_per_s[training_format(device, job.precision).peak]
    again_flop = model_flop / passes_of_flop if layout.recompute == "full" else 0.0
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


def _operator(job: TrainingJob) -> str:
    return training_format(job.cluster.accelerator, job.precision).operator


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
    shapes = _shapes(job, layout, group)
    if not shapes:
        return 0.0, 0.0
    n, k, share = (np.array(column) for column in zip(*shapes, strict=True))
    rows = np.maximum(tokens * share, 1.0)
    triples = (np.stack([rows, rows, n]), np.stack([n, k, k]), np.stack([k, n, rows]))
    times = ops.gemm(job.cluster.accelerator, *triples, _operator(job), fused_quantisation=True).time_s.sum(axis=1)
    wide = _expanded_s(job, float((n * k).sum())) + _adapters_s(job, layout, group, tokens)
    return float(times[0]) + wide, float(times[1] if job.adapters else times[1:].sum()) + wide


def _adapters_s(job: TrainingJob, layout: TrainingLayout, group: LayerGroup, tokens: float) -> float:
    """Return the traffic of a layer's adapters, one pass [s].

    PyTorch casts an input to 32 bits and reads it again; writes the output in 32 bits, scales it, and adds it to
    that of the frozen weights: each a kernel. Fused, the input is read once more and the output added in place.
    """
    if job.lora is None:
        return 0.0
    inputs, outputs = job.lora.sides(group, job.model.hidden)
    native = job.recipe is not None and job.recipe.native
    read, written = (6.0 * inputs + 10.0 * outputs, 4.0 * inputs + 10.0 * outputs) if native else (
        _HALF * (inputs + outputs), _HALF * outputs
    )  # fmt: skip
    share = tokens / layout.tp
    return time_of(ops.elementwise(job.cluster.accelerator, share * read, share * written))


def _expanded_s(job: TrainingJob, weights: float) -> float:
    """Return the time to expand so many frozen weights to 16 bits before a product; none where they are whole [s]."""
    if job.lora is None or not job.lora.quantised:
        return 0.0
    return time_of(ops.elementwise(job.cluster.accelerator, weights * job.frozen_bytes, weights * _HALF))


def _experts(job: TrainingJob, layout: TrainingLayout, block: FeedForward, tokens: float) -> tuple[float, float, float]:
    """Return the grouped products of routed experts under even loads, forward and backward, and their sorting [s].

    Each local expert multiplies the same rows; sorting rows to experts and back moves each twice.
    """
    if block.kind != "moe":
        return 0.0, 0.0, 0.0
    device, width = job.cluster.accelerator, float(block.latent or job.model.hidden)
    local = max(block.experts / layout.ep, 1.0)
    rows = max(tokens * layout.expert_tp / layout.tp * block.experts_per_token / local, 1.0)
    inner = block.expert_inner / layout.expert_tp
    out = inner * (2.0 if block.gated else 1.0)
    n, k = np.array([out, width]), np.array([width, inner])
    each = np.full(2, rows)
    triples = (np.stack([each, each, n]), np.stack([n, k, k]), np.stack([k, n, each]))
    times = ops.gemm(device, *triples, _operator(job), count=local, fused_quantisation=True).time_s.sum(axis=1)
    sorted_bytes = rows * local * width * _HALF / layout.expert_tp
    sort = time_of(ops.elementwise(device, 2.0 * sorted_bytes, 2.0 * sorted_bytes, launches=4))
    backward = times[1] if job.adapters else times[1:].sum()
    wide = _expanded_s(job, local * float((n * k).sum()))
    return float(times[0]) + wide, float(backward) + wide, sort


def _rebuilt_s(job: TrainingJob, layout: TrainingLayout, group: LayerGroup, tokens: float) -> float:
    """Expansions of latent attention, which selective recomputation runs again [s]."""
    gemms = [g for g in layer_gemms(group, job.model.hidden) if g.name in {"mla_q_up", "mla_kv_up"}]
    if not gemms:
        return 0.0
    n, k = np.array([(g.n / layout.tp, g.k) for g in gemms]).T
    return float(ops.gemm(job.cluster.accelerator, tokens, n, k, _operator(job), fused_quantisation=True).time_s.sum())


def _attention_s(job: TrainingJob, layout: TrainingLayout, group: LayerGroup) -> float:
    """Forward attention of one layer, the causal half shared evenly by the context-parallel devices [s]."""
    a, device = group.attention, job.cluster.accelerator
    heads, batch = max(a.heads / layout.tp, 1.0), layout.micro_batch
    if a.kind == "gqa" and not job.software.flash:
        return _unfused_attention_s(job, layout, group)
    if a.kind in {"gqa", "mla"}:  # latent attention is trained in its expanded form
        width = a.head_dim if a.kind == "gqa" else a.latent.key_dim
        keys = max((a.kv_heads if a.kind == "gqa" else a.heads) / layout.tp, 1.0)
        seen = job.attended_len
        op = ops.attention_prefill(
            device, batch * job.seq_len / seen, seen, 0, heads, keys, width, v_head_dim=a.v_head_dim,
            window=_window(job, a.window or 0),
        )  # fmt: skip
        return (time_of(op) + _states_s(job, layout, group)) / layout.cp
    return _states_s(job, layout, group) / layout.cp


def _window(job: TrainingJob, window: int) -> int:
    """Return the keys that a query's row of blocks spans in windowed attention; 0 where all are seen."""
    if not (window and job.cluster.accelerator.id.startswith(_COMPILED)):
        return window
    block = (job.factors or default_training_factors()).kernels.tpu_attention_block
    return int(block * (math.ceil((window - 1) / block) + 1))


def _states_s(job: TrainingJob, layout: TrainingLayout, group: LayerGroup) -> float:
    """Read and write recurrent states once in so many tokens, in place of attention or beside it [s]."""
    if not group.attention.mixer.parameters:
        return 0.0
    sequences = layout.micro_batch * job.seq_len / _traffic(job).state_tokens
    moved = sequences * group.attention.mixer.state_elements * 4.0 / layout.tp
    return time_of(ops.elementwise(job.cluster.accelerator, moved, moved))


def _unfused_attention_s(job: TrainingJob, layout: TrainingLayout, group: LayerGroup) -> float:
    """Attention as two batched products over the whole square, and softmax, mask and dropout between them [s]."""
    a, device = group.attention, job.cluster.accelerator
    pairs = layout.micro_batch * max(a.heads / layout.tp, 1.0)
    s, width = float(job.seq_len), float(a.head_dim)
    products = ops.gemm(device, [s, s], [s, width], [width, s], "bf16", count=pairs).time_s.sum()
    scores = pairs * s * s * _HALF
    moved = _traffic(job).score_passes * scores
    softmax = ops.elementwise(device, moved, moved, launches=3)
    return (float(products) + time_of(softmax)) / layout.cp


def _chains(job: TrainingJob, layout: TrainingLayout, group: LayerGroup, tokens: float) -> dict[str, float]:
    """Return the memory-bound chains of a layer and the casts of its products' inputs, each way [s].

    Least traffic: forward, two residual additions fused with norms (read and write both streams), rotation of queries,
    keys and values, and the activation; backward, the same and what they saved. Casts read 16 bits and write a copy
    for each of the two products that an input has.
    """
    a, block, hidden = group.attention, group.feed_forward, job.model.hidden
    inner = block.hidden_inner + block.shared_inner + block.experts_per_token * block.expert_inner
    sides = 2.0 if block.gated else 1.0
    heads = a.heads * a.v_head_dim
    qkv = a.heads * a.head_dim + a.kv_heads * (a.head_dim + a.v_head_dim)
    outside = tokens / (layout.tp if layout.sequence_parallel else 1) * hidden
    inside = tokens / layout.tp
    device = job.cluster.accelerator

    traffic = _traffic(job)
    stepwise = traffic.eager_norm_elements, traffic.eager_norm_backward_elements, traffic.eager_rotation_elements
    norm, norm_back, turned = stepwise if job.software.eager_norms else (8.0, 8.0, 2.0)
    elements = [
        norm * outside + inside * (turned * qkv + (sides + 1.0) * inner),
        norm_back * outside + inside * (turned * qkv + 2.0 * heads + (2.0 * sides + 1.0) * inner),
    ]
    read, written = ([0.5 * _HALF * each for each in elements] for _ in range(2))
    launches, names = [5, 6], ["chain_forward_s", "chain_backward_s"]
    kind = training_format(device, job.precision)
    if kind.narrow:
        cast = [inside * (2.0 * hidden + heads + inner), inside * (2.0 * hidden + qkv + sides * inner)]
        read += [_HALF * each for each in cast]
        written += [2.0 * kind.element_bytes * each for each in cast]
        launches += [1, 1]
        names += ["cast_forward_s", "cast_backward_s"]
    times = ops.elementwise(device, read, written, launches=launches).time_s
    return dict(zip(names, map(float, times), strict=True))


def _tp_pass_s(job: TrainingJob, layout: TrainingLayout, tokens: float) -> float:
    """Gather before a block and scatter after it, one pass [s]."""
    if layout.tp == 1:
        return 0.0
    message_bytes = tokens * job.model.hidden * _HALF
    gather = ops.all_gather(job.cluster, message_bytes, layout.tp)
    return time_of(gather) + time_of(ops.reduce_scatter(job.cluster, message_bytes, layout.tp))


def _cp_pass_s(job: TrainingJob, layout: TrainingLayout, group: LayerGroup, tokens: float) -> float:
    """Keys and values sent once around the ring of context-parallel devices [s]."""
    if layout.cp == 1:
        return 0.0
    a = group.attention
    width = a.heads * (a.latent.key_dim + a.v_head_dim) if a.kind == "mla" else a.cached_elements_per_token
    across = layout.tp * layout.cp > job.cluster.accelerator.scaleup_domain
    cluster = fabric(job, layout.tp * layout.cp)
    hop = ops.point_to_point(cluster, max(tokens * width / layout.tp * _HALF, 1.0), across=across)
    return time_of(hop) * (layout.cp - 1)


def _ep_pass_s(job: TrainingJob, layout: TrainingLayout, group: LayerGroup, tokens: float) -> float:
    """Dispatch and combine of routed tokens, one pass [s]."""
    block = group.feed_forward
    if block.kind != "moe" or layout.ep == 1:
        return 0.0
    shape = (max(tokens / layout.tp, 1.0), block.latent or job.model.hidden, block.experts_per_token, layout.ep)
    sent = 1.0 if training_format(job.cluster.accelerator, job.precision).narrow else _HALF
    cluster = fabric(job, layout.ep * layout.expert_tp)
    return time_of(ops.moe_dispatch(cluster, *shape, element_bytes=sent)) + time_of(ops.moe_combine(cluster, *shape))
