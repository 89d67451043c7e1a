"""What weights, cache and work space take on each device of an instance, and whether the layout divides the model."""

from __future__ import annotations

import math

from jevons.errors import InfeasibleError, InputError
from jevons.models import Attention, FeedForward, Gemm, LayerGroup, ModelSpec, WeightPrecision
from jevons.models.formulas import expert_parameters, layer_gemms, layer_parameters
from jevons.models.types import WEIGHT_BITS
from jevons.operators.types import kv_bytes_of, storage_of
from jevons.serving.types import Deployment, Layout, MemoryUse

# A device without matrix units of a precision keeps the weights in it and multiplies in 16 bits.
_EXPANDED = {"fp8": "int8_wo", "fp8_block": "int8_wo", "int8": "int8_wo", "fp4": "mxfp4", "w4a8": "mxfp4"}
_LONG_CONTEXT = 8192.0


def weight_precision(deployment: Deployment) -> WeightPrecision:
    """Return the stored precision by class: the shipped one for ``native``, else the same for all matrices.

    ``fp8`` of a model that is shipped with block scales means those.
    """
    shipped = deployment.model.weight_precision
    if deployment.precision == "native" or (deployment.precision == "fp8" and shipped.dense == "fp8_block"):
        return shipped
    return WeightPrecision.uniform(deployment.precision)


def multiplied_in(deployment: Deployment, stored: str) -> str:
    """Return the operators' name for weights stored in that precision on the deployment's device.

    Raises
    ------
    InputError
        If the precision is unknown.
    """
    key, storage = storage_of(stored)
    if deployment.accelerator.peak_flop_per_s.get(storage.peak, 0.0) > 0.0:
        return key
    return _EXPANDED.get(key, "bf16")


def stored_bytes(precision: str) -> float:
    """Return the bytes of one weight in that precision, scales included.

    Raises
    ------
    InputError
        If the precision is unknown.
    """
    if precision in WEIGHT_BITS:
        return WEIGHT_BITS[precision] / 8.0
    return storage_of(precision)[1].weight_bytes


def split_gemm(gemm: Gemm, attention: Attention, tp: int) -> tuple[float, float]:
    """Return output and inner size of a product on one of *tp* devices; a key-value head is never split."""
    if gemm.split == "replicated":
        return float(gemm.n), float(gemm.k)
    if gemm.split == "row":
        return float(gemm.n), gemm.k / tp
    if gemm.name == "attn_qkv":
        kv = attention.kv_heads * (attention.head_dim + attention.v_head_dim)
        return (gemm.n - kv) / tp + kv / min(tp, attention.kv_heads), float(gemm.k)
    return gemm.n / tp, float(gemm.k)


def layer_weight_bytes(deployment: Deployment, group: LayerGroup) -> float:
    """Return the weights of one layer of that make on one device."""
    layout, hidden, stored = deployment.layout, deployment.model.hidden, weight_precision(deployment)
    total, known = 0.0, 0
    for gemm in layer_gemms(group, hidden):
        n, k = split_gemm(gemm, group.attention, layout.tp)
        total += n * k * stored_bytes(getattr(stored, gemm.precision_class))
        known += gemm.n * gemm.k
    block = group.feed_forward
    if block.kind == "moe":
        one = expert_parameters(block, hidden)
        held = (block.experts + layout.redundant_experts) / (layout.ep * layout.expert_tp)
        total += held * one * stored_bytes(stored.experts)
        known += block.experts * one
    return total + (layer_parameters(deployment.model, group) - known) * 2.0


def weight_bytes_per_device(deployment: Deployment) -> float:
    """Return the weights on one device of the fullest pipeline stage [bytes]."""
    model, layout = deployment.model, deployment.layout
    inside = sum(group.count * layer_weight_bytes(deployment, group) for group in model.layers)
    stage_layers = math.ceil(model.n_layers / layout.pp)
    ends = 1 if layout.pp > 1 or model.tied_embeddings else 2
    embedding = ends * model.vocab * model.hidden / layout.tp * stored_bytes(weight_precision(deployment).embeddings)
    return inside / model.n_layers * stage_layers + embedding


def kv_bytes_per_request(deployment: Deployment, context: float) -> float:
    """Return the cache of one sequence of *context* tokens on each device that holds a part of it [bytes].

    Notes
    -----
    Keys and values are split by heads over ``tp`` devices, never below one head; a latent (MLA) cache is kept whole on
    each of them. Layers with a window keep at most that window; recurrent layers a state of fixed size.
    """
    layout = deployment.layout
    element_bytes = kv_bytes_of(deployment.kv_precision)[1]
    total = 0.0
    for group in deployment.model.layers:
        a = group.attention
        share = 1.0 / min(layout.tp, a.kv_heads) if a.kind == "gqa" else 1.0
        kept = min(context, a.window) if a.window else context
        total += group.count * kept * a.cached_elements_per_token * share * element_bytes
        total += group.count * a.state_elements * 4.0 / layout.tp
    return total * math.ceil(deployment.model.n_layers / layout.pp) / deployment.model.n_layers


def cache_move_s(prefill: Deployment, decode: Deployment, context: float) -> float:
    """Return the time that the cache of one sequence takes from one instance to another over an idle link [s].

    Notes
    -----
    Each device sends or receives its part over its own scale-out link, the slower end binding. Whole caches are sent
    when the prompt is done: engines that send them layer by layer hide a part of this.
    """
    links = [one.accelerator.scaleout for one in (prefill, decode)]
    own_bytes = max(kv_bytes_per_request(one, context) for one in (prefill, decode))
    return own_bytes / min(link.bytes_per_s for link in links) + max(link.latency_s for link in links)


def memory_plan(deployment: Deployment) -> MemoryUse:
    """Return what fills a device of the fullest stage; the cache is what is left, below zero where nothing is."""
    model, layout, engine = deployment.model, deployment.layout, deployment.engine
    weights = weight_bytes_per_device(deployment)
    widest = max(_inner(group.feed_forward) for group in model.layers)
    rows = min(engine.max_batch, engine.step_tokens)
    activations = 2.0 * engine.step_tokens * (4.0 * model.hidden + 2.0 * widest / layout.tp)
    activations += 4.0 * rows * model.vocab / layout.tp
    return MemoryUse(
        weights_bytes=weights,
        activations_bytes=activations,
        reserved_bytes=engine.reserved_bytes,
        kv_bytes=deployment.usable_bytes - weights - activations - engine.reserved_bytes,
        kv_bytes_per_token=kv_bytes_per_request(deployment, _LONG_CONTEXT) / _LONG_CONTEXT,
    )


def memory_use(deployment: Deployment) -> MemoryUse:
    """Return what fills a device of the fullest stage, the cache taking all that is left.

    Raises
    ------
    InfeasibleError
        If nothing is left for the cache; the message names the least tensor parallelism that would do.
    """
    use = memory_plan(deployment)
    if use.kv_bytes <= 0.0:
        raise _too_large(deployment, use.weights_bytes, use.activations_bytes)
    return use


def kv_capacity_tokens(deployment: Deployment, context: float = _LONG_CONTEXT) -> float:
    """Return how many tokens the instance's cache holds in sequences of *context* tokens each.

    Raises
    ------
    InfeasibleError
        If the weights do not fit.
    """
    per_request = max(kv_bytes_per_request(deployment, context), 1.0)
    return deployment.layout.dp * memory_use(deployment).kv_bytes / per_request * context


def check_layout(model: ModelSpec, layout: Layout) -> None:
    """Check that a layout divides a model.

    Raises
    ------
    InputError
        Naming what does not divide and the nearest size that does.
    """
    for name in ("tp", "pp", "ep", "dp"):
        size = getattr(layout, name)
        if size < 1:
            message = f"layout.{name} = {size}: must be at least 1"
            raise InputError(message)
    if layout.pp > model.n_layers:
        message = f"pp = {layout.pp}: {model.name} has {model.n_layers} layers. Use pp <= {model.n_layers}."
        raise InputError(message)
    for group in model.layers:
        _check_heads(model, group.attention, layout.tp)
        if group.feed_forward.kind == "moe":
            _check_experts(model, group.feed_forward, layout)
    if layout.ep > 1 and not model.is_moe:
        message = f"ep = {layout.ep}: {model.name} has no experts. Use ep = 1."
        raise InputError(message)


def _inner(block: FeedForward) -> float:
    return float(max(block.hidden_inner, block.expert_inner * max(block.experts_per_token, 1), block.shared_inner))


def _nearest_divisor(number: int, size: int) -> int:
    return max(d for d in range(1, min(number, max(size, 1)) + 1) if number % d == 0)


def _check_heads(model: ModelSpec, attention: Attention, tp: int) -> None:
    heads, kv = attention.heads, attention.kv_heads
    if heads and heads % tp:
        use = _nearest_divisor(heads, tp)
        message = f"tp = {tp} does not divide the {heads} attention heads of {model.name}. Use tp = {use}."
        raise InputError(message)
    if attention.kind == "gqa" and kv and kv % tp and tp % kv:
        use = _nearest_divisor(kv, tp)
        message = (
            f"tp = {tp} neither divides the {kv} key-value heads of {model.name} nor is a multiple of them. "
            f"Use tp = {use} or {math.ceil(tp / kv) * kv}."
        )
        raise InputError(message)


def _check_experts(model: ModelSpec, block: FeedForward, layout: Layout) -> None:
    if layout.expert_group % layout.ep:
        message = (
            f"ep = {layout.ep} does not divide the {layout.expert_group} devices that share the experts. "
            f"Use ep = {_nearest_divisor(layout.expert_group, layout.ep)}."
        )
        raise InputError(message)
    slots = block.experts + layout.redundant_experts
    if slots % layout.ep:
        message = (
            f"ep = {layout.ep} does not divide the {slots} experts of {model.name}. Use ep = "
            f"{_nearest_divisor(slots, layout.ep)}, or redundant_experts = "
            f"{math.ceil(block.experts / layout.ep) * layout.ep - block.experts}."
        )
        raise InputError(message)
    if block.expert_inner % layout.expert_tp:
        message = (
            f"{layout.expert_tp} devices per expert do not divide its inner size of {block.expert_inner}. "
            f"Use ep = {layout.expert_group}."
        )
        raise InputError(message)


def _too_large(deployment: Deployment, weights: float, activations: float) -> InfeasibleError:
    device, layout = deployment.accelerator, deployment.layout
    others = activations + deployment.engine.reserved_bytes
    message = (
        f"{deployment.model.name} {deployment.precision} with {layout} needs {weights / 1e9:.1f} GB of weights per "
        f"device and {others / 1e9:.1f} GB of work space; {device.id} has {device.hbm_bytes / 1e9:.1f} GB, of which "
        f"{deployment.usable_bytes / 1e9:.1f} GB may be used."
    )
    room = deployment.usable_bytes - others
    factor = math.ceil(weights / room) if room > 0 else 0
    more = 1 << max(1, (factor - 1).bit_length())
    remedy = f"Use tp >= {layout.tp * more}, fp8, or a larger device."
    if stored_bytes(weight_precision(deployment).dense) <= 1.01:
        remedy = f"Use tp >= {layout.tp * more}, fewer bits, or a larger device."
    return InfeasibleError(f"{message} {remedy}", ["device memory"])
