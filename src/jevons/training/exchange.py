"""Times between stages, replicas and host: hand-overs, exchange of gradients and weights, the optimiser, offload."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jevons.hardware import Cluster
from jevons.operators import kernels as ops
from jevons.training.activations import micro_batch_activation_bytes
from jevons.training.factors import TrainingFactors, default_training_factors, host_link
from jevons.training.memory import parameters_per_device, shards
from jevons.training.types import TrainingJob, TrainingLayout

_HALF = 2.0

Groups = dict[tuple[float, int, int, int, bool], tuple[float, float]]
"""Exchange within and across groups of replicas, by parameters, replicas, stride, those that share, and sharing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a step does besides its micro-batches' work [s].

    Parameters
    ----------
    hop_s : float
        One hand-over between stages.
    replicas_s : float
        One exchange of gradients and weights among replicas that share states out; with shared weights, of every
        micro-batch.
    across_s : float
        The sum of gradients over groups of such replicas, once a step.
    optimizer_s : float
        The update, on the device or, where states are offloaded, on the host.
    states_s : float
        Gradients to the host and weights back, where states are offloaded.
    activations_s : float
        One micro-batch's activations of all layers in one direction, where they are offloaded.
    parameters_s : float
        A device's share of the weights from the host for one micro-batch, where they are offloaded.
    """

    hop_s: float
    replicas_s: float
    across_s: float
    optimizer_s: float
    states_s: float = 0.0
    activations_s: float = 0.0
    parameters_s: float = 0.0


def exchange(
    job: TrainingJob, layout: TrainingLayout, *, hop: float | None = None, known: Groups | None = None
) -> Exchange:
    """Return the times between stages, replicas and host.

    Parameters
    ----------
    job, layout
        What is trained how.
    hop : float, optional
        A hand-over's time where it is known [s].
    known : dict, optional
        Times of groups of replicas of this job; filled, so that other layouts need not work them out again.
    """
    factors = job.factors or default_training_factors()
    update_s, states_s = _update(job, layout, factors)
    within_s, across_s = _replicas(job, layout, factors, {} if known is None else known)
    between_s = hop_s(job, layout) if hop is None else hop
    return Exchange(
        hop_s=between_s,
        replicas_s=within_s,
        across_s=across_s,
        optimizer_s=update_s,
        states_s=states_s,
        activations_s=activations_s(job, layout),
        parameters_s=_parameters_s(job, layout),
    )


def fabric(job: TrainingJob, span: int) -> Cluster:
    """Return the cluster as a group sees it that spans so many devices: within a pod nothing is oversubscribed."""
    return replace(job.cluster, oversubscription=1.0) if span <= job.pod_devices else job.cluster


def hop_s(job: TrainingJob, layout: TrainingLayout) -> float:
    """One hand-over between stages [s]."""
    if layout.pp == 1:
        return 0.0
    tokens = layout.micro_batch * job.seq_len / layout.cp
    across = layout.devices > job.cluster.accelerator.scaleup_domain
    sent = tokens / layout.tp * job.model.hidden * _HALF
    return time_of(ops.point_to_point(fabric(job, layout.devices), sent, across=across))


def activations_s(job: TrainingJob, layout: TrainingLayout) -> float:
    """One micro-batch's activations of all layers to the host or back [s]; none where they stay."""
    if not layout.offloads("activations"):
        return 0.0
    return micro_batch_activation_bytes(job, layout) / host_link(job.cluster.accelerator).link_bytes_per_s


def _replicas(job: TrainingJob, layout: TrainingLayout, factors: TrainingFactors, known: Groups) -> tuple[float, float]:
    """Return one exchange of gradients and weights within groups that share states, and of gradients across them [s].

    Adapters' own gradients are left out.
    """
    if job.adapters and layout.zero < 3:
        return 0.0, 0.0
    own = parameters_per_device(job, layout)
    within_s = across_s = 0.0
    # Buckets of a layer each: many small messages cost latency where groups are large.
    buckets = max(1.0, job.model.n_layers / layout.pp)
    groups = (
        (own.dense, layout.dp * layout.cp, layout.tp),
        (own.experts, layout.expert_replicas, layout.expert_tp * layout.ep),
    )
    for parameters, size, stride in groups:
        if size <= 1 or not parameters:
            continue
        key = (parameters / buckets, size, stride, shards(layout, size), layout.zero >= 3)
        if key not in known:
            known[key] = _group(job, *key, factors)
        within_s += buckets * known[key][0]
        across_s += buckets * known[key][1]
    return within_s, across_s


def _group(
    job: TrainingJob, parameters: float, size: int, stride: int, own: int, gathered: bool, factors: TrainingFactors
) -> tuple[float, float]:
    """Return one bucket's exchange within and across groups of *own* out of *size* replicas [s]."""
    sent = 0.0 if job.adapters else parameters * _gradient_bytes(job, factors)
    within_s = across_s = 0.0
    if own > 1:
        spread = _strided(fabric(job, own * stride), stride)
        within_s = time_of(ops.all_gather(spread, parameters * job.frozen_bytes, own)) * (2.0 if gathered else 1.0)
        within_s += time_of(ops.reduce_scatter(spread, sent, own)) if sent else 0.0
    if own < size and sent:
        across = _strided(fabric(job, size * stride), stride * own)
        across_s = time_of(ops.reduce_scatter(across, sent / own, size // own))
        across_s += time_of(ops.all_gather(across, sent / own, size // own))
    return within_s, across_s


def _strided(cluster: Cluster, stride: int) -> Cluster:
    """Return the cluster as a group sees it whose members stand *stride* devices apart."""
    device = cluster.accelerator
    return replace(cluster, accelerator=replace(device, scaleup_domain=max(1, device.scaleup_domain // stride)))


def _update(job: TrainingJob, layout: TrainingLayout, factors: TrainingFactors) -> tuple[float, float]:
    """Return the time of the optimiser's update, and of moving gradients and weights where the host runs it [s]."""
    if job.adapters:
        return 0.0, 0.0
    own, device = _own_parameters(job, layout), job.cluster.accelerator
    gradients, states = _gradient_bytes(job, factors), factors.memory.optimizer_bytes
    if job.recipe is not None:
        states = job.recipe.optimizer_bytes + job.recipe.weight_bytes - _HALF
    read, written = own * (gradients + states), own * (states + _HALF)
    update_s = time_of(ops.elementwise(device, read, written))
    if job.recipe is not None:
        kernels = factors.kernels
        work = job.recipe.update_flop(own, job.model.hidden, kernels.newton_schulz_steps)
        update_s += work / (kernels.newton_schulz_frac * device.peak_flop_per_s["bf16"])
    if not layout.offloads("optimizer"):
        return update_s, 0.0
    host = host_link(device)
    moved_s = own * (gradients + _HALF) / host.link_bytes_per_s
    return max(update_s, (read + written) / host.memory_bytes_per_s), moved_s


def _gradient_bytes(job: TrainingJob, factors: TrainingFactors) -> float:
    return factors.memory.gradient_bytes if job.recipe is None else job.recipe.gradient_bytes


def _own_parameters(job: TrainingJob, layout: TrainingLayout) -> float:
    """Return the parameters whose states one device keeps."""
    parameters = parameters_per_device(job, layout)
    if layout.zero < 1:
        return parameters.dense + parameters.experts
    return parameters.dense / shards(layout, layout.dp * layout.cp) + parameters.experts / shards(
        layout, layout.expert_replicas
    )


def _parameters_s(job: TrainingJob, layout: TrainingLayout) -> float:
    """Return a device's share of the weights from the host, for the forward and the backward pass [s]."""
    if not layout.offloads("parameters"):
        return 0.0
    moved = 2.0 * _own_parameters(job, layout) * job.frozen_bytes
    return moved / host_link(job.cluster.accelerator).link_bytes_per_s


def time_of(op: ops.OpTime) -> float:
    """Return the time of one call [s]."""
    return float(op.time_s)
