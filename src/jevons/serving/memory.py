"""What weights, cache and work space take on each device of an instance, and whether the layout divides the model."""

from __future__ import annotations

import math
import re

from jevons.errors import InfeasibleError, InputError
from jevons.facts.per_facts import per_facts
from jevons.models import Attention, FeedForward, Gemm, LayerGroup, ModelSpec, WeightPrecision
from jevons.models.formulas import entry_bytes, expert_parameters, layer_gemms, layer_parameters
from jevons.operators.engines import shipped_text
from jevons.operators.types import kv_bytes_of
from jevons.serving.activations import activation_bytes, rounded_up
from jevons.serving.drafter import as_deployment, drafter_of, joining_bytes
from jevons.serving.kv_pages import layer_token_bytes, paged_cache, pooled_token_bytes, slots_of
from jevons.serving.precisions import stored_bytes, weight_precision
from jevons.serving.types import Deployment, Layout, MemoryUse

_LONG_CONTEXT = 8192.0
_LARGEST_SHARE = 0.95
"""Share of a device that engines may be told to use; more leaves no room for what they do not count."""
_CACHE_SLACK = 1.02
"""Room asked for over weights and work space, so that a cache has some."""


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
        expert_share = (block.experts + layout.redundant_experts) / (layout.ep * layout.expert_tp)
        total += expert_share * one * _expert_bytes(deployment, block, stored)
        known += block.experts * one
    return total + (layer_parameters(deployment.model, group) - known) * 2.0


def _expert_bytes(deployment: Deployment, block: FeedForward, stored: WeightPrecision) -> float:
    """Return the bytes of one weight of an expert as a kernel lays it out.

    4-bit ones are padded to whole tiles. Beside 8-bit blocks, on devices that cannot multiply in 4 bits, an engine may
    keep their scales as it loaded them too.
    """
    own_bytes, factors = stored_bytes(stored.experts), deployment.engine.memory.experts
    if stored.experts != "mxfp4" or not factors.mxfp4_width:
        return own_bytes
    width, inner = float(deployment.model.hidden), block.expert_inner / deployment.layout.expert_tp
    amd = deployment.accelerator.vendor == "AMD"
    multiple = (amd and factors.mxfp4_amd_inner) or factors.mxfp4_inner
    padded = rounded_up(width, factors.mxfp4_width) / width * rounded_up(inner, multiple) / inner
    keeps = stored.dense == "fp8_block" and deployment.accelerator.generation == "hopper"
    return own_bytes * padded + (factors.mxfp4_hopper_bytes if keeps else 0.0)


def weight_bytes_per_device(deployment: Deployment) -> float:
    """Return the weights on one device of the fullest pipeline stage [bytes]."""
    model, layout = deployment.model, deployment.layout
    inside = sum(group.count * layer_weight_bytes(deployment, group) for group in model.layers)
    stage_layers = math.ceil(model.n_layers / layout.pp)
    stored = weight_precision(deployment)
    head = 0.0 if layout.pp > 1 or model.tied_embeddings else stored_bytes(stored.head)
    embedding = model.vocab * model.hidden / layout.tp * (stored_bytes(stored.embeddings) + head)
    embedding += model.table_parameters / layout.tp * stored_bytes(stored.embeddings)
    other = model.vision_parameters / layout.tp * 2.0 if deployment.encodes else 0.0
    if deployment.engine.memory.paged:
        other += _rotation_bytes(deployment)
    return inside / model.n_layers * stage_layers + embedding + other


def adapter_bytes(deployment: Deployment) -> float:
    """Return the room that is set aside for adapters (LoRA) on one device of the fullest stage [bytes]; 0 without any.

    Notes
    -----
    Two thin matrices in 16 bits beside each one but a router's: from its input to the rank, once for each matrix that
    is fused with it, and from the rank to its output. Experts have their own. The head and the embedding keep the whole
    vocabulary on each device.

    References
    ----------
    vLLM, ``lora/layers``: ``create_lora_weights``.
    """
    loaded, model, layout = deployment.engine.loaded, deployment.model, deployment.layout
    if not loaded.adapters:
        return 0.0
    widths = 0.0
    for group in model.layers:
        block, sides = group.feed_forward, 2.0 if group.feed_forward.gated else 1.0
        for gemm in layer_gemms(group, model.hidden):
            n, k = split_gemm(gemm, group.attention, layout.tp)
            fused = {"attn_qkv": 3.0, "ffn_up": sides, "shared_up": sides}.get(gemm.name, 1.0)
            widths += group.count * (n + fused * k) if gemm.name != "router" else 0.0
        if block.kind == "moe" and not deployment.engine.memory.earlier.adapts_no_experts:
            outer, inner = float(block.latent or model.hidden), block.expert_inner / layout.expert_tp
            widths += group.count * block.experts / layout.ep * (sides + 1.0) * (outer + inner)
    stage_frac = math.ceil(model.n_layers / layout.pp) / model.n_layers
    ends = 2.0 * (model.vocab + model.hidden)
    return 2.0 * loaded.adapters * loaded.adapter_rank * (widths * stage_frac + ends)


def draft_weight_bytes(deployment: Deployment) -> float:
    """Return the weights of what drafts on one device [bytes]; 0 without drafts."""
    drafter = drafter_of(deployment)
    if drafter is None:
        return 0.0
    placed = as_deployment(deployment, drafter)
    if deployment.drafter is not None:
        return weight_bytes_per_device(placed)
    return joining_bytes(deployment) + sum(g.count * layer_weight_bytes(placed, g) for g in drafter.layers)


def draft_kv_bytes_per_request(deployment: Deployment, context: float) -> float:
    """Return the cache that the drafting model keeps of one sequence on each device [bytes]."""
    drafter = drafter_of(deployment)
    return 0.0 if drafter is None else kv_bytes_per_request(as_deployment(deployment, drafter), context)


def _rotation_bytes(deployment: Deployment) -> float:
    """Return the table of sines and cosines for every position that the model knows [bytes]."""
    widths = (g.attention.latent.rope_dim or g.attention.head_dim for g in deployment.model.layers)
    return 2.0 * deployment.model.max_context * max(widths, default=0)


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
        window = deployment.window_of(a)
        cached_tokens = min(context, window) if window else context
        total += group.count * cached_tokens * layer_token_bytes(deployment, a)
        total += group.count * a.mixer.state_elements * 4.0 / layout.tp
        if a.compression.recent:
            total += group.count * min(context, a.compression.recent) * entry_bytes(a, element_bytes)
    total *= math.ceil(deployment.model.n_layers / layout.pp) / deployment.model.n_layers
    return total + draft_kv_bytes_per_request(deployment, context)


def reserved_bytes_per_request(deployment: Deployment, context: float) -> float:
    """Return what a cache without pages sets aside for a sequence of *context* tokens on each device [bytes].

    As much as the sequence keeps, or its part of pools that hold windows and states for a share of all tokens.
    """
    pooled = context * pooled_token_bytes(deployment)
    if not pooled:
        return kv_bytes_per_request(deployment, context)
    stage_frac = math.ceil(deployment.model.n_layers / deployment.layout.pp) / deployment.model.n_layers
    return pooled * stage_frac + draft_kv_bytes_per_request(deployment, context)


def cache_move_s(prefill: Deployment, decode: Deployment, context: float) -> float:
    """Return the time that the cache of one sequence takes from one instance to another over an idle link [s].

    Notes
    -----
    Each device sends or receives its part over its own scale-out link, the slower end binding. Whole caches are sent
    when the prompt is done: engines that send them layer by layer hide a part of this.
    """
    links = [pool.accelerator.scaleout for pool in (prefill, decode)]
    own_bytes = max(kv_bytes_per_request(pool, context) for pool in (prefill, decode))
    return own_bytes / min(link.bytes_per_s for link in links) + max(link.latency_s for link in links)


def graph_bytes(deployment: Deployment) -> float:
    """Return the captured graphs on one device [bytes]; 0 where none are captured or they are not told apart."""
    factors = deployment.engine.memory
    if not factors.paged or deployment.eager or deployment.engine.eager:
        return 0.0
    model, layout = deployment.model, deployment.layout
    sparse = sum(group.count for group in model.layers if group.feed_forward.kind == "moe")
    each = factors.graphs.graph_layer_bytes * model.n_layers + factors.graphs.graph_expert_bytes * sparse
    sizes = _graph_sizes(deployment.engine.name)
    limit = sizes[-1] if factors.graphs.graphs_all else max(2 * deployment.engine.batching.max_batch, 1)
    captured = sum(size <= limit for size in sizes) / len(sizes)
    sets = 2.0 if factors.graphs.graphs_by_adapter and deployment.engine.loaded.adapters else 1.0
    return factors.graphs.graph_fixed_bytes + each / layout.pp * captured * sets


@per_facts()
def _graph_sizes(engine: str) -> tuple[int, ...]:
    """Return the batch sizes that an engine captures by default: fact ``graph_sizes``, vLLM's where it states none."""
    sizes: set[int] = set()
    for part in (shipped_text(engine, "graph_sizes") or shipped_text("vllm", "graph_sizes")).split(";"):
        numbers = [int(number) for number in re.findall(r"\d+", part)]
        sizes |= set(range(numbers[0], numbers[1] + 1, numbers[2])) if len(numbers) == 3 else set(numbers)
    return tuple(sorted(sizes))


def _state_pool_bytes(deployment: Deployment, weights: float) -> float:
    """Return what an engine sets aside for recurrent states before it sizes the cache [bytes].

    A share of what weights leave of a static share, or so many requests' states; the larger of both where no release
    is stated.

    References
    ----------
    SGLang, ``_handle_max_mamba_cache``: ``mamba_full_memory_ratio`` bytes for each byte of the cache.
    """
    factors, running = deployment.engine.memory, float(deployment.engine.batching.max_batch)
    model, layout = deployment.model, deployment.layout
    kept = sum(
        group.count * group.attention.mixer.state_elements * min(slots_of(factors, group.attention), running)
        for group in model.layers
    )
    counted_bytes = kept * 4.0 / layout.tp / layout.pp
    if not kept or not factors.states.state_frac:
        return counted_bytes
    rest = max(_static_bytes(deployment) - weights, 0.0)
    share_bytes = rest * factors.states.state_frac / (1.0 + factors.states.state_frac)
    return max(share_bytes, counted_bytes) if factors.any_release else share_bytes


def _static_bytes(deployment: Deployment) -> float:
    """Return a static share of the device: of what is free before weights are loaded [bytes]."""
    return deployment.share_frac * (deployment.accelerator.usable_bytes - before_bytes(deployment))


def communicator_bytes(deployment: Deployment) -> float:
    """Return what communicators and their buffers take on each of several devices [bytes]; 0 on one."""
    factors = deployment.engine.memory
    if deployment.layout.devices == 1:
        return 0.0
    return factors.comm_bus_bytes if _meet_on_the_bus(deployment) else factors.comm_bytes


def before_bytes(deployment: Deployment) -> float:
    """Return what a device has lost before the engine looks at the free memory [bytes]: context, first communicator."""
    factors = deployment.engine.memory
    if deployment.layout.devices == 1:
        return factors.before_bytes
    first = factors.before_comm_bus_bytes if _meet_on_the_bus(deployment) else factors.before_comm_bytes
    return factors.before_bytes + first


def _meet_on_the_bus(deployment: Deployment) -> bool:
    return deployment.accelerator.scaleup.kind == "pcie"


@per_facts(1024)
def memory_plan(deployment: Deployment) -> MemoryUse:
    """Return what fills a device of the fullest stage; the cache is what is left, below zero where nothing is."""
    engine = deployment.engine
    weights, activations, graphs = (
        weight_bytes_per_device(deployment) + draft_weight_bytes(deployment) + adapter_bytes(deployment),
        activation_bytes(deployment),
        graph_bytes(deployment),
    )
    states = _state_pool_bytes(deployment, weights)
    reserved = engine.batching.reserved_bytes + communicator_bytes(deployment) + states
    if deployment.accelerator.generation == "hopper":
        reserved += engine.memory.hopper_bytes
    inside = engine.memory.graphs.graphs_inside > 0.0
    return MemoryUse(
        weights_bytes=weights,
        activations_bytes=activations,
        reserved_bytes=reserved,
        graphs_bytes=graphs,
        graphs_inside=inside,
        kv_bytes=_kv_bytes(deployment, weights + states, activations, reserved - states + (graphs if inside else 0.0)),
        kv_bytes_per_token=reserved_bytes_per_request(deployment, _LONG_CONTEXT) / _LONG_CONTEXT,
    )


def _kv_bytes(deployment: Deployment, kept: float, activations: float, others: float) -> float:
    """Return what is left for the cache, or what the server is told to take of it; below zero where nothing is.

    Weights and pools of states are *kept* before.

    Notes
    -----
    vLLM's share of a device holds all parts. SGLang's static share holds weights, recurrent states and cache, of what
    is free before weights are loaded. TensorRT-LLM's is of what all others leave.
    """
    factors = deployment.engine.memory
    rest = deployment.usable_bytes - kept - activations - others
    if factors.share_static:
        left = _static_bytes(deployment) - kept
    else:
        left = rest * deployment.share_frac if factors.share_of_rest and rest > 0.0 else rest
    if not deployment.kv_tokens:
        return left
    longest = float(deployment.longest)
    return min(left, deployment.kv_tokens / longest * reserved_bytes_per_request(deployment, longest))


def memory_use(deployment: Deployment) -> MemoryUse:
    """Return what fills a device of the fullest stage, the cache taking all that is left.

    Raises
    ------
    InfeasibleError
        If nothing is left for the cache; the message names the least tensor parallelism that would do.
    """
    use = memory_plan(deployment)
    if use.kv_bytes <= 0.0:
        raise _too_large(deployment, use)
    return use


def kv_capacity_tokens(deployment: Deployment, context: float = _LONG_CONTEXT) -> float:
    """Return how many tokens the instance's cache holds in sequences of *context* tokens each, between steps.

    Raises
    ------
    InfeasibleError
        If the weights do not fit.
    """
    kv_bytes = memory_use(deployment).kv_bytes
    if deployment.engine.memory.paged and len((cache := paged_cache(deployment)).groups) > 1:
        sequences = cache.pages(kv_bytes) / max(cache.pages_while_decoding(context), 1.0)
        return deployment.layout.dp * sequences * context
    per_request = max(reserved_bytes_per_request(deployment, context), 1.0)
    return deployment.layout.dp * kv_bytes / per_request * context


def kv_cache_tokens(deployment: Deployment, use: MemoryUse | None = None) -> int:
    """Return the cache of one attention rank in tokens, as the engine logs it ("GPU KV cache size"); 0 without room.

    Notes
    -----
    A property of the deployment, whose memory's *use* may be at hand. Without measured start-ups: of sequences of the
    greatest length.
    """
    kv_bytes, longest = max((use or memory_plan(deployment)).kv_bytes, 0.0), deployment.longest
    if not deployment.engine.memory.paged:
        return math.floor(kv_bytes / max(reserved_bytes_per_request(deployment, float(longest)), 1.0) * longest)
    by_length = deployment.engine.memory.tokens_by_length > 0.0
    return paged_cache(deployment).logged_tokens(kv_bytes, longest, by_length=by_length)


def max_concurrency(deployment: Deployment, tokens: int = 0, use: MemoryUse | None = None) -> float:
    """Return the sequences of so many tokens that the cache of one attention rank holds at once, as the engine counts.

    Sequences of the greatest length where *tokens* is 0. While they decode, windows hold less than is counted here. The
    memory's *use* may be at hand.
    """
    kv_bytes, longest = max((use or memory_plan(deployment)).kv_bytes, 0.0), tokens or deployment.longest
    if not deployment.engine.memory.paged:
        return kv_bytes / max(reserved_bytes_per_request(deployment, float(longest)), 1.0)
    return paged_cache(deployment).concurrency(kv_bytes, longest)


def stages_checked(deployment: Deployment) -> float:
    """Return the layers over those of the fullest stage that a start asks room for a longest sequence in; 1 or more."""
    model = deployment.model
    if not deployment.engine.memory.earlier.stages_whole:
        return 1.0
    return model.n_layers / math.ceil(model.n_layers / deployment.layout.pp)


def longest_shortage(deployment: Deployment, use: MemoryUse | None = None) -> str:
    """Return what a sequence of the greatest length lacks of the cache with a remedy; empty where it fits.

    The memory's *use* may be at hand.

    Raises
    ------
    InfeasibleError
        If there is no room for a cache.
    """
    use, stages = use or memory_use(deployment), stages_checked(deployment)
    if max_concurrency(deployment, use=use) >= stages:
        return ""
    longest = deployment.longest
    needed = reserved_bytes_per_request(deployment, float(longest))
    if deployment.engine.memory.paged:
        cache = paged_cache(deployment)
        needed = cache.pages_at_most(longest) * cache.page_bytes * stages
    counted = ", which this release counts over all pipeline stages" if stages > 1.0 else ""
    return (
        f"a sequence of {longest:,} tokens needs {needed / 1e9:.1f} GB of KV cache per accelerator{counted}, and "
        f"{use.kv_bytes / 1e9:.1f} GB are left. Use a larger --tp, --kv-precision fp8 or a smaller --max-model-len."
    )


def start_shortage(deployment: Deployment) -> str:
    """Return why the engine does not start with a remedy, or an empty text where it does.

    Notes
    -----
    Three things stop a start. No room for the cache. A cache too small for one sequence of the greatest length (unless
    the engine then serves shorter ones) or, with recurrent layers, for a state of every running request. No room for
    captured graphs and the sampler's warm-up in what the engine's share leaves of the device.
    """
    factors = deployment.engine.memory
    try:
        use = memory_use(deployment)
        shortage = longest_shortage(deployment, use)
    except InfeasibleError as error:
        return str(error)
    if shortage and not deployment.serves_shorter:
        return shortage
    if not factors.paged:
        return _beside_shortage(deployment, use)
    rows = rounded_up(deployment.model.vocab, factors.vocab_multiple)
    if rows % deployment.layout.tp:
        return (
            f"tp = {deployment.layout.tp} does not divide the vocabulary of {rows:,.0f} entries. Use --tp "
            f"{1 << (deployment.layout.tp.bit_length() - 1)}."
        )
    pages, running = paged_cache(deployment).pages(use.kv_bytes), deployment.engine.batching.max_batch
    if (
        factors.states.states_checked
        and pages < running
        and any(g.attention.mixer.state_elements for g in deployment.model.layers)
    ):
        return (
            f"each of {running:,} running requests needs a page for its recurrent states, and the cache has {pages:,}. "
            f"Use --max-num-seqs {max(pages, 1)} or less."
        )
    spare = start_spare_bytes(deployment, use)
    if spare < 0.0:
        needs = {"captured graphs": use.graphs_bytes, **_warm_up_bytes(deployment)}
        named = [f"{name} ({size / 1e9:.1f} GB)" for name, size in needs.items() if size]
        return (
            f"{-spare / 1e9:.1f} GB are missing beside the cache{' for ' if named else ''}{' and '.join(named)}. Use a "
            f"smaller --gpu-memory-utilization or --max-num-seqs."
        )
    return ""


def _beside_shortage(deployment: Deployment, use: MemoryUse) -> str:
    """Return why a step does not fit beside a static share of weights and cache; empty where it does."""
    missing = use.room_bytes - deployment.shown_bytes
    if not deployment.engine.memory.share_static or missing <= 0.0:
        return ""
    tokens = deployment.engine.batching.step_tokens
    return (
        f"a step of {tokens:,} tokens needs {use.activations_bytes / 1e9:.1f} GB beside weights and cache, "
        f"{missing / 1e9:.1f} GB more than a share of {deployment.share_frac:g} leaves. Use a smaller "
        f"--gpu-memory-utilization or --max-num-batched-tokens."
    )


def start_spare_bytes(deployment: Deployment, use: MemoryUse) -> float:
    """Return what a device has left at the tightest moment of the start: graphs captured, the sampler warmed up."""
    free = deployment.accelerator.usable_bytes - before_bytes(deployment)
    used_bytes = use.weights_bytes + use.kv_bytes + use.reserved_bytes + use.graphs_bytes
    return free - used_bytes - sum(_warm_up_bytes(deployment).values())


def _warm_up_bytes(deployment: Deployment) -> dict[str, float]:
    """Return what the end of the start takes beside graphs and cache, by what takes it [bytes]."""
    factors, batching = deployment.engine.memory, deployment.engine.batching
    sampled = min(batching.max_batch, batching.step_tokens) * deployment.model.vocab * factors.sampler_bytes
    sparse = any(group.feed_forward.kind == "moe" for group in deployment.model.layers)
    in_mxfp4 = sparse and weight_precision(deployment).experts == "mxfp4"
    return {
        f"the sampler's warm-up for {batching.max_batch:,} requests": sampled * factors.sampler_warmed,
        "the warm-up of 4-bit experts": factors.experts.mxfp4_start_bytes if in_mxfp4 else 0.0,
    }


def check_layout(model: ModelSpec, layout: Layout) -> None:
    """Check that a layout divides a model.

    Raises
    ------
    InputError
        Naming what does not divide and the nearest size that does.
    """
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


def _too_large(deployment: Deployment, use: MemoryUse) -> InfeasibleError:
    device, layout = deployment.accelerator, deployment.layout
    weights = use.weights_bytes
    others = use.activations_bytes + use.reserved_bytes + (use.graphs_bytes if use.graphs_inside else 0.0)
    message = (
        f"{deployment.model.name} {deployment.precision} with {layout} needs {weights / 1e9:.1f} GB of weights per "
        f"device and {others / 1e9:.1f} GB of work space; {device.id} has {device.hbm_bytes / 1e9:.1f} GB, of which "
        f"{deployment.usable_bytes / 1e9:.1f} GB may be used."
    )
    remedy = _remedy(deployment, weights, others)
    return InfeasibleError(f"{message} {remedy}", ["device memory"])


def _remedy(deployment: Deployment, weights: float, others: float) -> str:
    """Return what makes room for weights and work space: a larger share of the device, fewer tokens, more devices."""
    bits = "fewer bits" if stored_bytes(weight_precision(deployment).dense) <= 1.01 else "fp8"
    of_rest, whole = deployment.engine.memory.share_of_rest > 0.0, deployment.shown_bytes
    usual, frac = (1.0, 1.0) if of_rest else (deployment.engine.batching.memory_frac, deployment.share_frac)
    share = math.ceil(100.0 * _CACHE_SLACK * (weights + others) / whole) / 100.0
    if frac < share <= usual:
        return f"Use --gpu-memory-utilization {share:g} or more."
    room = max(deployment.usable_bytes, usual * whole) - others
    if room <= 0.0:
        return "Use a smaller --max-num-batched-tokens or a larger device: the work space alone does not fit."
    more = 1 << max(1, (math.ceil(weights / room) - 1).bit_length())
    ways = [f"tp >= {deployment.layout.tp * more}", bits, "a larger device"]
    ways += [f"--gpu-memory-utilization {share:g}"] if frac < share <= _LARGEST_SHARE else []
    return f"Use {', '.join(ways[:-1])}, or {ways[-1]}."
