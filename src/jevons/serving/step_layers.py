"""The operators of a model's layers in one engine step: products with weights, attention, experts, exchanges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jevons.facts.per_facts import per_facts
from jevons.hardware import Accelerator, Cluster, accelerator, accelerator_ids
from jevons.models import Attention, FeedForward, LayerGroup
from jevons.models.formulas import layer_gemms
from jevons.models.types import Gemm
from jevons.operators import kernels as ops
from jevons.operators.engines import GENERIC, Place, engine_number, engine_text, shipped_text
from jevons.operators.types import kv_bytes_of, storage_of
from jevons.serving.formulas import largest_of
from jevons.serving.memory import split_gemm
from jevons.serving.precisions import multiplied_in, weight_precision
from jevons.serving.scales import board
from jevons.serving.step_tally import Load, Tally
from jevons.serving.types import Deployment, FloatArray

ACTIVATION_BYTES = 2.0
# Tokens that are quantised as a whole before they are gathered, scales included; block scales are made after it.
_GATHERED_BYTES = {"fp8": 1.0, "fp4": 0.5625}
_EXCHANGE_CORES = 20.0  # that DeepEP takes where nothing is said
# vLLM calls DeepGEMM where a rank's share of an expert is wider than this (``_valid_deep_gemm``); on Blackwell always.
_TRITON_WIDTH = 512.0
# Grouped products per tensor in 8 bits were measured with untuned kernels only, three to ten times slower than the
# block-scaled ones of the same engines; what serves models in them is tuned like the latter.
_EXPERT_KERNELS = {"fp8": "fp8_block"}
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)  # quadrature over a normal distribution
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
# Where reading the weights sets the time, products take another share of what they take alone than where computing
# does, where devices throttle: decodes of a few requests on B200, H100, A100, L40S and RTX 4090 tell them apart.
_STREAMED = {"bf16", "fp8", "fp8_block", "fp4", "int8_wo", "int4", "mxfp4", "w4a8"}


@per_facts()
def _expanded_factors(engine: str, generation: str) -> ops.Factors:
    """Return the factors of kernels for prompts in expanded form: facts ``expanded_prompts_like``."""
    like = shipped_text(engine, "expanded_prompts_like", Place(generation=generation))
    return ops.Factors(engine=like) if like else kernel_factors(engine, generation)


@per_facts()
def kernel_factors(engine: str, generation: str) -> ops.Factors:
    """Return the operators' factors for an engine's kernels on a generation of devices: facts ``kernels_like``."""
    return ops.Factors(engine=engine_text(engine, "kernels_like", Place(generation=generation)) or GENERIC)


@per_facts()
def _expert_factors(engine: str, generation: str, kernel: str) -> ops.Factors:
    """Return the factors of grouped kernels: facts ``<kernel>_experts_of`` name the engine where it is another."""
    of = shipped_text(engine, f"{kernel}_experts_of", Place(generation=generation))
    return ops.Factors(engine=of) if of else kernel_factors(engine, generation)


def add_products(tally: Tally, deployment: Deployment, load: Load) -> None:
    """All products with weights but the experts' and the head's, those of one precision evaluated together.

    Decode steps run shared experts beside the routed ones, in a stream of their own or as one expert more.
    """
    stored, tokens = weight_precision(deployment), load.tokens
    by_precision: dict[str, list[tuple[FloatArray, float, float, float, bool]]] = {}
    for group in deployment.model.layers:
        for gemm in _launched(layer_gemms(group, deployment.model.hidden)):
            n, k = split_gemm(gemm, group.attention, deployment.layout.tp)
            rows = tokens
            if gemm.name == "mla_kv_up" and not _absorbed(group.attention):
                # The cached latents of a prompt are expanded into keys and values again.
                rows = tokens + load.prompts * load.cached
            precision = multiplied_in(deployment, getattr(stored, gemm.precision_class))
            alongside = gemm.precision_class == "shared"
            by_precision.setdefault(precision, []).append((rows, n, k, float(group.count), alongside))
    for precision, products in by_precision.items():
        all_rows, outputs, inners, counts, shared = (np.array(column) for column in zip(*products, strict=True))
        shape = (all_rows, outputs[:, None], inners[:, None])
        factors = kernel_factors(deployment.engine.name, deployment.accelerator.generation)
        op = ops.gemm(deployment.accelerator, *shape, precision, fused_quantisation=True, factors=factors)
        streamed = _streamed_frac(deployment, precision, all_rows) if precision in _STREAMED else None
        tally.add_stack(f"compute.{precision}", op, counts, shared[:, None] & (load.prompts <= 0), streamed)


def _absorbed(a: Attention) -> bool:
    """Return whether prompts attend to latents as they are cached: kernels that pick tokens do not expand them."""
    return bool(a.kind == "mla" and (a.indexer.topk or a.compression.stride > 1))


def _launched(gemms: Sequence[Gemm]) -> list[Gemm]:
    """Return a layer's products as engines launch them: both latents of an MLA layer come from one."""
    named = {gemm.name: gemm for gemm in gemms}
    first, second = named.get("mla_q_down"), named.get("mla_kv_down")
    if first is None or second is None:
        return list(gemms)
    joined = replace(first, n=first.n + second.n)
    return [joined, *(gemm for gemm in gemms if gemm.name not in {first.name, second.name})]


def _streamed_frac(deployment: Deployment, precision: str, rows: FloatArray) -> FloatArray:
    """Share of products' time that reading their weights sets, from 1 for few rows to 0 for many.

    Notes
    -----
    Libraries change kernels at the ridge of the board that they were tuned on. It stays there for the same board with
    another memory: a step is then never slower for a faster memory.
    """
    storage = storage_of(precision)[1]
    device = _tuned_on(deployment.accelerator)
    even = storage.weight_bytes * (device.peak_flop_per_s.get(storage.peak) or device.peak_flop_per_s["bf16"])
    share: FloatArray = 1.0 / (1.0 + (2.0 * rows * device.hbm_bytes_per_s / even) ** 2)
    return share


def _tuned_on(device: Accelerator) -> Accelerator:
    """Return the board as it is sold, or the nearest relative of one that is not on file."""
    return next((sold for name in (device.id, *device.kernels_like) if (sold := _sold(name)) is not None), device)


@per_facts()
def _sold(device_id: str) -> Accelerator | None:
    """Return the device of an id on file; None where there is no such."""
    return accelerator(device_id) if device_id in accelerator_ids() else None


def add_layer(tally: Tally, deployment: Deployment, group: LayerGroup, load: Load) -> None:
    """Add what a group of layers has beside products and attention: exchanges, experts, small kernels."""
    device, tp, hidden = deployment.accelerator, deployment.layout.tp, deployment.model.hidden
    factors = kernel_factors(deployment.engine.name, deployment.accelerator.generation)
    a, block, tokens, count = group.attention, group.feed_forward, load.tokens, float(group.count)
    cluster = Cluster(board(device), deployment.devices)
    message_bytes = tokens * hidden * ACTIVATION_BYTES
    blocks = (a.kind != "none") + (block.kind != "none")
    if tp > 1:
        tally.add("tp_comm", ops.all_reduce(cluster, message_bytes, tp, factors=factors), count * blocks)
    if block.kind == "moe":
        _add_experts(tally, deployment, block, load, cluster, count)
    inner = (block.hidden_inner + block.shared_inner) / tp
    qkv = (a.heads * a.head_dim + a.kv_heads * (a.head_dim + a.v_head_dim)) / tp
    moved = ACTIVATION_BYTES * tokens * (4.0 * hidden + qkv + inner)
    op = ops.elementwise(device, moved + tokens * inner * 2.0, moved, launches=4, factors=factors)
    tally.add("memory", op, count)


def add_attention(tally: Tally, deployment: Deployment, a: Attention, load: Load, count: float) -> None:
    """Add the attention of *count* layers to prompts and to decodes."""
    device, tp = deployment.accelerator, deployment.layout.tp
    common: dict[str, Any] = {
        "kv_precision": deployment.kv_precision,
        "factors": kernel_factors(deployment.engine.name, deployment.accelerator.generation),
    }
    heads, kv_heads = max(a.heads / tp, 1.0), max(a.kv_heads / tp, 1.0)
    prompts, new = np.maximum(load.prompts, 1.0), np.maximum(load.prompt_tokens, 1.0)
    decodes, context = np.maximum(load.decodes, 1.0), np.maximum(load.context, 1.0)
    some_prompts, some_decodes = bool((load.prompts > 0).any()), bool((load.decodes > 0).any())
    cached, seen = load.cached, context
    ranks = deployment.cache_ranks_of(a)
    if a.compression.stride > 1:
        prompts, new, cached, seen = _add_compressed(tally, deployment, a, load, count)
    elif a.indexer.topk:
        if a.indexer.heads:
            _add_indexer(tally, deployment, a, load, count)
        cached = np.maximum(np.minimum(cached, a.indexer.topk - new), 0.0)
        seen = np.minimum(context, a.indexer.topk)
    if a.kind in {"linear", "ssm"} or a.mixer.parameters:
        state_bytes = a.mixer.state_elements * 4.0 / tp
        chunks = load.prompts * np.ceil(load.prompt_tokens / 64.0)
        read = (load.decodes + chunks) * state_bytes
        # A state cannot be cut back as keys and values can: each drafted token's is kept until the check.
        written = (load.decodes * load.query_tokens + chunks) * state_bytes
        tally.add("attention.state", ops.elementwise(device, read, written, factors=common["factors"]), count)
    window = deployment.window_of(a) or 0
    element_bytes = kv_bytes_of(deployment.kv_precision)[1]
    if ranks > 1.0 and some_decodes and a.kind in {"gqa", "mla"}:
        _add_partial_sums(tally, deployment, a, load, count)
    decode_heads, seen = heads * ranks, np.maximum(seen / ranks, 1.0)
    if a.kind == "gqa":
        shape: dict[str, Any] = {"v_head_dim": a.v_head_dim, "window": window, **common}
        if some_prompts:
            op = ops.attention_prefill(device, prompts, new, cached, heads, kv_heads, a.head_dim, **shape)
            tally.add("attention.prompt", op, count, load.prompts)
        if some_decodes:
            shape["query_tokens"] = load.query_tokens
            read_heads = kv_heads * _reads(deployment, decode_heads / kv_heads)
            op = ops.attention_decode(
                device, decodes, seen, max(decode_heads, read_heads), read_heads, a.head_dim, **shape
            )
            tally.add("attention.decode", op, count, load.decodes)
            attended = np.minimum(seen, window) if window else seen
            read = load.decodes * attended * (kv_heads * (a.head_dim + a.v_head_dim) * element_bytes)
            tally.add_floor("attention.decode", read, device, count)
    elif a.kind == "mla":
        latent: dict[str, Any] = {
            "kv_lora_rank": a.latent.kv_lora_rank, "rope_dim": a.latent.rope_dim,
            "nope_dim": a.latent.nope_dim, "v_head_dim": a.v_head_dim,
            **common,
        }  # fmt: skip
        if some_prompts:
            latent_prompt = latent | {"factors": _expanded_factors(deployment.engine.name, device.generation)}
            if a.indexer.topk and a.compression.stride <= 1:
                prompts, new, cached = _picked(a, load)
            op = ops.mla_prefill(device, prompts, new, cached, heads, **latent_prompt)
            tally.add("attention.prompt", op, count, load.prompts)
        if some_decodes:
            op = ops.mla_decode(device, decodes, seen, decode_heads, query_tokens=load.query_tokens, **latent)
            tally.add("attention.decode", op, count, load.decodes)
            read = load.decodes * seen * (a.latent.cached_dim * element_bytes)
            tally.add_floor("attention.decode", read, device, count)


def _add_partial_sums(tally: Tally, deployment: Deployment, a: Attention, load: Load, count: float) -> None:
    """Gathering the queries of all heads where tokens of the cache are spread, and summing what each device attends to.

    References
    ----------
    vLLM, ``--decode-context-parallel-size``: queries are gathered, partial outputs reduced and scattered in 16 bits.
    """
    ranks = int(deployment.engine.loaded.cache_ranks)
    factors = kernel_factors(deployment.engine.name, deployment.accelerator.generation)
    cluster = Cluster(board(deployment.accelerator), deployment.devices)
    query, output = (a.latent.cached_dim, a.latent.kv_lora_rank) if a.kind == "mla" else (a.head_dim, a.v_head_dim)
    rows = load.decodes * load.query_tokens * a.heads / deployment.layout.tp * ranks * ACTIVATION_BYTES
    tally.add("tp_comm", ops.all_gather(cluster, rows * query, ranks, factors=factors), count, load.decodes)
    tally.add("tp_comm", ops.reduce_scatter(cluster, rows * output, ranks, factors=factors), count, load.decodes)


def _picked(a: Attention, load: Load) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return prompts, new and cached tokens of the expanded form that works as much as picking tokens does.

    A token beyond as many as are picked attends to that many latents, each as wide as keys and values of all heads
    need (latent and rotary part, and the latent again) in place of one head's. Shorter prompts attend to all.
    """
    new = np.maximum(load.prompt_tokens, 1.0)
    most = float(a.indexer.topk or 0)
    widths = a.latent.cached_dim + a.latent.kv_lora_rank, a.latent.key_dim + a.v_head_dim
    reached = load.cached + new / 2.0
    pieces = _pieces(load, np.where(reached > most / 2.0, np.minimum(reached, most) * (widths[0] / widths[1]), reached))
    picks = load.cached + new > most
    as_they_are = np.maximum(load.prompts, 1.0), new, load.cached
    picked = np.maximum(pieces.prompts, 1.0), np.maximum(pieces.prompt_tokens, 1.0), pieces.cached
    return tuple(np.where(picks, piece, other) for piece, other in zip(picked, as_they_are, strict=True))  # type: ignore[return-value]


def _reads(deployment: Deployment, group: float) -> float:
    """Return how often decode attention reads the cache of a group of query heads.

    Kernels of 2023 read it for each head; those since give all heads of a group to one block.
    """
    engine = deployment.engine
    again = engine.kernels.decode_rereads_frac
    late = engine.kernels.hopper_fp8_rereads_frac
    if late and deployment.kv_precision == "fp8" and deployment.accelerator.generation == "hopper":
        again = max(again, late) if group != engine_number(engine.name, "first_shared_heads") else again
    return 1.0 + again * (group - 1.0)


def _add_compressed(
    tally: Tally, deployment: Deployment, a: Attention, load: Load, count: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Add the indexer of a compressed cache; return prompts, new, cached and seen tokens of the attention to it.

    Notes
    -----
    A query sees few of the tokens of its own prompt, which the kernels for prompts take it to see all. So a prompt of
    *n* tokens that see *m* entries each is timed as pieces of at most *m* tokens that see as many.
    """
    new = np.maximum(load.prompt_tokens, 1.0)
    context, reached = np.maximum(load.context, 1.0), load.cached + new / 2.0
    if a.indexer.topk:
        entries = Load(
            prompts=load.prompts, prompt_tokens=load.prompt_tokens, cached=reached / a.compression.stride,
            decodes=load.decodes, context=context / a.compression.stride, expert_tokens=load.expert_tokens,
            query_tokens=load.query_tokens,
        )  # fmt: skip
        _add_indexer(tally, deployment, a, _pieces(entries, reached / a.compression.stride), count)
    most = float(a.indexer.topk or np.inf)
    visible = np.minimum(reached / a.compression.stride, most) + np.minimum(reached, a.compression.recent)
    pieces = _pieces(load, visible)
    seen = np.minimum(context / a.compression.stride, most) + np.minimum(context, a.compression.recent)
    return np.maximum(pieces.prompts, 1.0), np.maximum(pieces.prompt_tokens, 1.0), pieces.cached, np.maximum(seen, 1.0)


def _pieces(load: Load, visible: FloatArray) -> Load:
    """Return a load whose prompts are cut so that each new token sees *visible* entries in the mean."""
    new = np.maximum(load.prompt_tokens, 1.0)
    size = np.clip(np.minimum(new, visible), 1.0, None)
    return replace(
        load, prompts=load.prompts * new / size, prompt_tokens=size, cached=np.maximum(visible - size / 2.0, 0.0)
    )


def _add_indexer(tally: Tally, deployment: Deployment, a: Attention, load: Load, count: float) -> None:
    """Scores of all cached tokens by which a sparse layer chooses those it attends to."""
    device, dims = deployment.accelerator, (a.indexer.heads, 1, a.indexer.dim)
    factors = kernel_factors(deployment.engine.name, deployment.accelerator.generation)
    prompts, new = np.maximum(load.prompts, 1.0), np.maximum(load.prompt_tokens, 1.0)
    op = ops.attention_prefill(device, prompts, new, load.cached, *dims, v_head_dim=1, factors=factors)
    tally.add("attention.prompt", op, count, load.prompts)
    decodes, context = np.maximum(load.decodes, 1.0), np.maximum(load.context, 1.0)
    op = ops.attention_decode(device, decodes, context, *dims, v_head_dim=1, factors=factors)
    tally.add("attention.decode", op, count, load.decodes)


def _add_experts(
    tally: Tally, deployment: Deployment, block: FeedForward, load: Load, cluster: Cluster, count: float
) -> None:
    """Routed experts, and the exchange of tokens between ranks that share them."""
    layout, hidden, device = deployment.layout, deployment.model.hidden, deployment.accelerator
    stored = weight_precision(deployment).experts
    precision = multiplied_in(deployment, stored, experts=True)
    part = "fp8" if precision == "fp8" else _expert_kernel(deployment, precision)
    tally.add(f"moe.{part}", _experts_time(deployment, block, load, precision), count)
    if not layout.dp_attention or layout.dp == 1:
        return  # the ranks of a tensor-parallel group hold the same tokens; their all-reduce is already counted
    if layout.ep == 1 or _gathers(deployment):
        _add_gather(tally, deployment, precision, load, cluster, count)
        return
    least = shipped_text(deployment.engine.name, "least_exchange_tokens", Place(generation=device.generation))
    sent = np.maximum(load.tokens / layout.tp, float(least or 1.0))
    exchange = (cluster, sent, hidden, block.experts_per_token, layout.ep)
    dispatch_bytes = 1.0 if precision.startswith("fp8") else ACTIVATION_BYTES
    how: dict[str, Any] = {"kind": "normal" if least or (load.prompts > 0).any() else "low_latency"}
    place = Place(device=device.id, generation=device.generation)
    cores = float(shipped_text(deployment.engine.name, "exchange_cores", place) or _EXCHANGE_CORES)
    few = float(shipped_text(deployment.engine.name, "decode_exchange_cores", place) or cores)
    if how["kind"] == "normal":
        how["sms"] = np.minimum(np.where(load.prompts > 0, cores, few), float(device.cores))
    if how["kind"] == "normal" and _sends_quantised(deployment):
        dispatch_bytes = _GATHERED_BYTES.get(precision, dispatch_bytes)
    tally.add("ep_comm", ops.moe_dispatch(*exchange, element_bytes=dispatch_bytes, **how), count)
    tally.add("ep_comm", ops.moe_combine(*exchange, **how), count)
    if layout.expert_tp > 1:
        rows = load.expert_tokens * block.experts_per_token / layout.ep
        op = ops.all_reduce(cluster, rows * hidden * ACTIVATION_BYTES, layout.expert_tp)
        tally.add("ep_comm", op, count)


def _add_gather(
    tally: Tally, deployment: Deployment, precision: str, load: Load, cluster: Cluster, count: float
) -> None:
    """Gathering the tokens of all attention ranks on each rank, and scattering the sums of what their experts return.

    Prompts of ranks differ in length: where fact ``sums_prompts`` says so, each rank writes its own into a buffer of
    zeros and the buffers are summed, which moves twice as much; so are the results.
    """
    layout, elements = deployment.layout, load.expert_tokens * deployment.model.hidden
    quantised = _gathers(deployment) and _sends_quantised(deployment)
    sent_bytes = _GATHERED_BYTES.get(precision, ACTIVATION_BYTES) if quantised else ACTIVATION_BYTES
    summed = (load.prompts > 0) & (float(shipped_text(deployment.engine.name, "sums_prompts") or 0.0) > 0.0)
    apart = (~summed).astype(np.float64)
    tally.add("ep_comm", ops.all_gather(cluster, elements * sent_bytes, layout.expert_group), count, apart)
    tally.add("ep_comm", ops.reduce_scatter(cluster, elements * ACTIVATION_BYTES, layout.expert_group), count, apart)
    if summed.any():
        op = ops.all_reduce(cluster, elements * ACTIVATION_BYTES, layout.expert_group)
        tally.add("ep_comm", op, 2.0 * count, summed.astype(np.float64))


def _sends_quantised(deployment: Deployment) -> bool:
    """Return whether tokens are quantised before they leave for their experts: fact ``sends_quantised``."""
    return float(shipped_text(deployment.engine.name, "sends_quantised") or 0.0) > 0.0


def _gathers(deployment: Deployment) -> bool:
    """Return whether all expert ranks gather the tokens of all attention ranks: fact ``gathers_tokens``, if untold."""
    told = deployment.engine.kernels.told_to_gather
    if told is not None:
        return told
    stated = shipped_text(deployment.engine.name, "gathers_tokens", Place(device=deployment.accelerator.id))
    return float(stated or 0.0) > 0.0


def _expert_kernel(deployment: Deployment, precision: str) -> str:
    """Return the precision whose grouped kernels an engine runs, by facts ``<precision>_experts_like``.

    Facts ``sent_<precision>_experts_like`` come first where tokens are sent to the ranks of their experts: they arrive
    sorted by expert, which not all kernels take.
    """
    if precision == "mxfp4" and deployment.engine.kernels.mxfp4_like:
        return deployment.engine.kernels.mxfp4_like
    layout, engine = deployment.layout, deployment.engine.name
    place = Place(generation=deployment.accelerator.generation)
    sent = layout.dp_attention and min(layout.dp, layout.ep) > 1 and not _gathers(deployment)
    stated = shipped_text(engine, f"sent_{precision}_experts_like", place) if sent else ""
    stated = stated or shipped_text(engine, f"{precision}_experts_like", place)
    return stated or _EXPERT_KERNELS.get(precision, precision)


def _expert_device(deployment: Deployment, kernel: str) -> Accelerator:
    """Return the device at whose pace an expert kernel runs.

    The 4-bit kernels of the open engines (Marlin) use the instructions of Ampere, which Blackwell runs no faster than
    Hopper does: published steps in them take as long on a B200 as on an H200.
    """
    device = deployment.accelerator
    if kernel == "int4" and device.generation == "blackwell":
        return accelerator("h200_sxm")
    return device


def _experts_time(deployment: Deployment, block: FeedForward, load: Load, precision: str) -> ops.OpTime:
    """Return the time of the grouped products of the busiest expert rank.

    Where tokens are dispatched, a rank sees only the rows sent to it, as if its experts were a layer of their own; else
    all ranks hold all tokens and pick theirs.
    """
    layout, hidden, tokens = deployment.layout, deployment.model.hidden, load.expert_tokens
    if layout.dp_attention and deployment.engine.kernels.pads_ranks:
        tokens = np.maximum(tokens, load.tokens * layout.dp)
    slots, top = float(block.experts + layout.redundant_experts), float(block.experts_per_token)
    kernel = _expert_kernel(deployment, precision)
    device = _expert_device(deployment, kernel)
    shared: dict[str, Any] = {
        "tensor_parallel": layout.expert_tp, "precision": kernel,
        "gated": block.gated,
        "factors": _expert_factors(deployment.engine.name, deployment.accelerator.generation, kernel),
    }  # fmt: skip
    busiest = _busiest_rank(deployment, tokens, slots, top)
    if computes_buffers(deployment, block):
        busiest = _with_padding(deployment, busiest, tokens, slots, top)
    if layout.ep == 1 or not (layout.dp_attention and layout.dp > 1):
        return ops.moe_gemm(
            device, tokens, hidden, block.expert_inner, slots, top,
            expert_parallel=layout.ep, imbalance=busiest.imbalance, active=busiest.active, **shared,
        )  # fmt: skip
    local = slots / layout.ep
    taken = min(top, local)
    rows = tokens * top / layout.ep * busiest.imbalance
    return ops.moe_gemm(
        device, np.maximum(rows / taken, 1.0), hidden, block.expert_inner, local, taken,
        active=np.minimum(busiest.active, rows), **shared,
    )  # fmt: skip


def computes_buffers(deployment: Deployment, block: FeedForward) -> bool:
    """Return whether grouped kernels compute all rows of their buffers: `KernelFactors.padded_expert_rows`.

    On Hopper narrow experts run Triton's kernels, which have no such buffer.

    References
    ----------
    vLLM 0.11, ``fused_moe/deep_gemm_moe.py``: ``_valid_deep_gemm``.
    """
    if not deployment.engine.kernels.padded_expert_rows:
        return False
    stored = multiplied_in(deployment, weight_precision(deployment).experts, experts=True)
    wide = block.expert_inner / deployment.layout.expert_tp > _TRITON_WIDTH
    return stored == "fp8_block" and (wide or deployment.accelerator.generation == "blackwell")


def _with_padding(deployment: Deployment, busiest: _Busiest, tokens: FloatArray, slots: float, top: float) -> _Busiest:
    """Return the load of a rank whose grouped kernels compute their whole buffer, empty rows included.

    Notes
    -----
    The buffer holds each token's slots, those of other ranks' experts too, and for each expert of its own what rounding
    up may add. `moe_gemm` counts half a block more for each expert with uneven rows, which the buffer has already.

    References
    ----------
    vLLM 0.11, ``fused_moe/deep_gemm_utils.py``: ``compute_aligned_M``, and rows without an expert are computed with the
    first one's weights; pull request 30494 skips them.
    """
    ranks, block_rows = deployment.layout.ep, deployment.engine.kernels.padded_expert_rows
    computed = tokens * top + slots / ranks * (block_rows - 1.0) - busiest.active * block_rows / 2.0
    return replace(busiest, imbalance=np.maximum(computed / (tokens * top / ranks), busiest.imbalance))


@per_facts()
def _expert_spread(engine: str) -> float:
    """Return the spread of the logarithm of experts' popularity: fact ``expert_spread``."""
    return engine_number(engine, "expert_spread") or 0.0


def _reached_experts(deployment: Deployment, tokens: FloatArray, slots: float, top: float) -> FloatArray:
    """Return the expected number of a layer's experts that receive a token.

    Notes
    -----
    Text does not visit all experts alike: their popularity is lognormal with the spread of fact ``expert_spread``. A
    batch of medium size then reaches up to a quarter fewer experts than under uniform routing, and reads less weight.
    """
    spread = _expert_spread(deployment.engine.name)
    share = np.minimum(top / slots * np.exp(spread * _NODES - spread**2 / 2.0), 1.0 - 1e-12)
    reached = -np.expm1(np.asarray(tokens, dtype=np.float64)[..., None] * np.log1p(-share))
    return np.asarray(slots * (reached @ _WEIGHTS))


@dataclass(frozen=True, slots=True)
class _Busiest:
    """Rows of the busiest expert rank over the mean, and its experts that receive a token."""

    imbalance: FloatArray
    active: FloatArray


def _busiest_rank(deployment: Deployment, tokens: FloatArray, slots: float, top: float) -> _Busiest:
    """Return the load of the expert rank that the others wait for.

    Notes
    -----
    Beside the popularity of experts, which an engine's factor holds, chance makes ranks uneven: of a few tokens some
    rank gets more. Both spreads are of the largest of as many draws as there are ranks, which are nearly normal.
    """
    ranks = deployment.layout.ep
    active = _reached_experts(deployment, tokens, slots, top) / ranks
    if ranks == 1:
        return _Busiest(np.ones_like(tokens), active)
    largest = largest_of(ranks)
    chance = largest * np.sqrt((ranks - 1.0) / (tokens * top))
    share = active * ranks / slots
    more = largest * np.sqrt(slots / ranks * share * (1.0 - share))
    popularity = deployment.engine.kernels.expert_imbalance - 1.0
    return _Busiest(1.0 + np.hypot(popularity, chance), np.minimum(active + more, slots / ranks))
