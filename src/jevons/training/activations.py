"""What micro-batches leave behind on a device until their backward passes."""

from __future__ import annotations

import math

from jevons.models import Attention, FeedForward, LayerGroup
from jevons.training.factors import default_training_factors
from jevons.training.precision import training_format
from jevons.training.types import TrainingJob, TrainingLayout

_HALF = 2.0  # bytes of a 16-bit number


def micro_batches(job: TrainingJob, layout: TrainingLayout) -> int:
    """Return the forward passes of one replica per step."""
    return job.global_batch // (layout.dp * layout.micro_batch)


def stage_layers(job: TrainingJob, layout: TrainingLayout) -> int:
    """Return the layers of the fullest stage, the last one giving up some for the head where that helps."""
    if layout.stage_layers:
        return max(layout.stage_layers)
    return math.ceil(job.model.n_layers / layout.pp)


def activation_bytes(job: TrainingJob, layout: TrainingLayout) -> tuple[float, float]:
    """Return the activations of a device of the fullest stage at its peak, logits apart, and the logits [bytes]."""
    model, factors = job.model, job.factors or default_training_factors()
    eager = job.software.eager_memory
    tokens = layout.micro_batch * job.seq_len / layout.cp
    layers = stage_layers(job, layout)
    mean_layer = kept_bytes_per_token(job, layout)
    mean_layer *= job.software.kept_frac if layout.pp > 1 else 1.0
    if eager and layout.recompute != "full":
        mean_layer *= factors.memory.eager_activation_frac
    travels = layout.offloads("activations")
    if travels:
        layers = min(layers, 2)  # the layer at work, and the one that travels
    in_flight = float(min(micro_batches(job, layout), layout.pp))
    if layout.vpp > 1:
        in_flight *= 1.0 + (layout.pp - 1.0) / (layout.pp * layout.vpp)
    if travels:
        in_flight = 1.0
    first = tokens * layers * mean_layer * in_flight
    if layout.stage_layers and not travels:
        waits = ((n, min(micro_batches(job, layout), layout.pp - i)) for i, n in enumerate(layout.stage_layers))
        first = tokens * mean_layer * max(n * passes for n, passes in waits)
        layers = layout.stage_layers[-1]
    logits = tokens * _loss_bytes_per_token(job, layout)
    last = tokens * layers * mean_layer * max(1.0, in_flight / layout.pp)
    working = 0.0
    if layout.recompute == "full":
        working = tokens * max(_working_bytes(job, g) for g in model.layers) / layout.tp
    if first + working > last + max(logits, working):
        return first + working, 0.0
    return (last + working, 0.0) if working > logits else (last, logits)


def _working_bytes(job: TrainingJob, group: LayerGroup) -> float:
    """Bytes per token of a layer worked out anew in its backward pass: what it keeps, and its widest part's gradients.

    Logits are gone by then.
    """
    factors, block = job.factors or default_training_factors(), group.feed_forward
    kept_bytes = _kept_bytes(job, group, "none")
    kept_bytes *= factors.memory.eager_activation_frac if job.software.eager_memory else 1.0
    inner = block.hidden_inner + block.shared_inner + block.experts_per_token * block.expert_inner
    return kept_bytes + _HALF * (2.0 if block.gated else 1.0) * inner


def _loss_bytes_per_token(job: TrainingJob, layout: TrainingLayout) -> float:
    """Return what logits and loss of one token keep on one device; a fused loss holds a chunk as wide as the hidden."""
    factors = job.factors or default_training_factors()
    if job.recipe is not None and job.recipe.fused_loss:
        return min(job.model.hidden, job.model.vocab / layout.tp) * factors.memory.logit_bytes
    each = factors.memory.eager_logit_bytes if job.software.eager_memory else factors.memory.logit_bytes
    return job.model.vocab / layout.tp * each


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
    hidden, again = job.model.hidden, layout.recompute
    kept_bytes = _HALF * hidden / layout.tp if again == "full" else _kept_bytes(job, group, again) / layout.tp
    if job.recipe is None or layout.sequence_parallel:
        return kept_bytes
    streams = {"none": 4.0, "selective": 2.0, "alternate": 2.0, "full": 1.0}[again]  # inputs of blocks and norms
    return kept_bytes + streams * _HALF * hidden * (1.0 - 1.0 / layout.tp)


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
        latent = float(a.latent.q_lora_rank + a.latent.cached_dim)
        wide = a.heads * (2.0 * a.latent.key_dim + a.v_head_dim)
        return latent + out + (wide if keep_all else 0.0)
    return a.heads * a.head_dim + a.kv_heads * float(a.head_dim + a.v_head_dim) + out


def _feed_forward_elements(block: FeedForward, hidden: int, keep_all: bool) -> float:
    inner = float(block.hidden_inner + block.shared_inner)
    routed = float(block.experts_per_token)
    sides = (2.0 if block.gated else 1.0) + (1.0 if keep_all else 0.0)
    return sides * (inner + routed * block.expert_inner) + routed * hidden
