"""Time of one engine step: operators composed over a model's layers, under a layout and an engine's factors."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jevons.errors import InputError
from jevons.hardware import Accelerator, Cluster, accelerator
from jevons.models import Attention, FeedForward, LayerGroup, ModelSpec
from jevons.models.formulas import layer_gemms
from jevons.operators import kernels as ops
from jevons.operators.engines import GENERIC, Place, engine_text, shipped_text
from jevons.operators.types import kv_bytes_of, storage_of
from jevons.serving.formulas import exposed_comm_s
from jevons.serving.memory import check_layout, multiplied_in, split_gemm, weight_precision
from jevons.serving.scales import Scales, board, part_scales
from jevons.serving.types import PARTS, Deployment, EngineFactors, FloatArray, StepTime

IntArray = NDArray[np.int8]

_ACTIVATION_BYTES = 2.0
_HEAD_SAMPLING_LAUNCHES = 3
# Grouped products per tensor in 8 bits were measured with untuned kernels only, three to ten times slower than the
# block-scaled ones of the same engines; what serves models in them is tuned like the latter.
_EXPERT_KERNELS = {"fp8": "fp8_block"}
# Kernels of a block as engines launch them: norms, projections, rotary, cache writes, attention; router, sorting,
# grouped products, shared expert; exchanges.
_KERNELS = {"gqa": 8, "mla": 22, "linear": 12, "ssm": 10, "dense": 5, "moe": 28, "none": 0}
# Where reading the weights sets the time, products take another share of what they take alone than where computing
# does, where devices throttle: decodes of a few requests on B200, H100, A100, L40S and RTX 4090 tell them apart.
_STREAMED = {"bf16", "fp8", "fp8_block", "fp4"}
_STARTED = {"compute", "moe", "attention", "memory"}


@functools.cache
def kernel_factors(engine: str, generation: str) -> ops.Factors:
    """Return the operators' factors for an engine's kernels on a generation of devices: facts ``kernels_like``."""
    return ops.Factors(engine=engine_text(engine, "kernels_like", Place(generation=generation)) or GENERIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    """Work of one step: whole-instance counts, and those of the busiest attention rank."""

    prompts: FloatArray
    prompt_tokens: FloatArray
    cached: FloatArray
    decodes: FloatArray
    context: FloatArray
    expert_tokens: FloatArray
    query_tokens: float

    @property
    def tokens(self) -> FloatArray:
        """Tokens that the busiest rank's projections see."""
        return np.maximum(self.prompts * self.prompt_tokens + self.decodes * self.query_tokens, 1.0)


@dataclass(slots=True, kw_only=True)
class _Tally:
    """Time by part and by bound, collected over operators."""

    shape: tuple[int, ...]
    parts: dict[str, FloatArray] = field(default_factory=dict)
    floors: dict[str, FloatArray] = field(default_factory=dict)
    times: list[FloatArray] = field(default_factory=list)
    bounds: list[IntArray] = field(default_factory=list)

    def add(self, part: str, op: ops.OpTime, count: float = 1.0, where: FloatArray | None = None) -> None:
        """Add *count* calls of an operator, only *where* there is work for it."""
        time_s = np.broadcast_to(op.time_s, self.shape) * count
        start_s = np.minimum(np.broadcast_to(op.start_s, self.shape) * count, time_s)
        if where is not None:
            time_s, start_s = time_s * (where > 0), start_s * (where > 0)
        self._book(part, time_s, start_s)
        self.times.append(time_s)
        self.bounds.append(np.broadcast_to(op.bound, self.shape))

    def add_floor(self, part: str, moved_bytes: FloatArray, device: Accelerator, count: float) -> None:
        """Add what *count* calls move through memory to the least time of a part."""
        least_s = np.broadcast_to(moved_bytes, self.shape) * (count / device.hbm_bytes_per_s)
        self.floors[part] = self.floors[part] + least_s if part in self.floors else least_s

    def _book(self, part: str, time_s: FloatArray, start_s: FloatArray) -> None:
        """Add a time to its part, what starts kernels apart from what works."""
        kind = part.split(".", maxsplit=1)[0]
        if kind in _STARTED:
            time_s = time_s - start_s
            self._add(f"{kind}.start", start_s)
        self._add(part, time_s)

    def _add(self, part: str, time_s: FloatArray) -> None:
        self.parts[part] = self.parts[part] + time_s if part in self.parts else time_s

    def add_stack(self, part: str, op: ops.OpTime, counts: FloatArray, streamed: FloatArray | None = None) -> None:
        """Add several operators evaluated at once, one per row; *streamed* of their work is booked apart."""
        time_s = op.time_s * counts[:, None]
        start_s = np.minimum(op.start_s * counts[:, None], time_s)
        apart_s = (time_s - start_s) * (0.0 if streamed is None else streamed)
        self._book(part, (time_s - apart_s).sum(axis=0), start_s.sum(axis=0))
        if streamed is not None:
            self._add(f"{part}.streamed", apart_s.sum(axis=0))
        self.times.extend(time_s)
        self.bounds.extend(op.bound)

    def bound_frac(self) -> dict[str, FloatArray]:
        """Share of all operators' time that each limit sets."""
        times, bounds = np.stack(self.times), np.stack(self.bounds)
        total = times.sum(axis=0)
        return {name: (times * (bounds == index)).sum(axis=0) / total for index, name in enumerate(ops.BOUNDS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWork:
    """What the operators of engine steps take, before the engine's own factors.

    Parameters
    ----------
    parts : mapping of str to ndarray
        ``compute.<precision>``, ``compute.<precision>.streamed`` (where reading weights sets the time),
        ``attention.prompt``, ``attention.decode``, ``attention.state``, ``moe.<precision>``,
        ``memory``, what starting their kernels takes (``compute.start``, ``moe.start``, …), ``head``, and the
        communication ``tp_comm``, ``ep_comm`` and ``pp_comm``, where there is any [s].
    floors : mapping of str to ndarray
        What no scale can bring a part below: its bytes over the memory's full bandwidth [s].
    prompts, prompt_tokens, requests : ndarray
        Prompts, their tokens, and all requests, of the busiest attention rank.
    layers, kernels : int
        Layers of the model, and kernels that the host launches for a step.
    generation : str
        Of the device, as in `Accelerator`.
    bound_frac : mapping of str to ndarray
        Share of the operators' time that each limit sets.
    """

    parts: Mapping[str, FloatArray]
    floors: Mapping[str, FloatArray]
    prompts: FloatArray
    prompt_tokens: FloatArray
    requests: FloatArray
    layers: int
    kernels: int
    generation: str
    bound_frac: Mapping[str, FloatArray]


def check_deployment(deployment: Deployment) -> None:
    """Check that a deployment's layout divides its model and its precisions are known.

    Raises
    ------
    InputError
        Naming what is wrong and the nearest choice that is right.
    """
    check_layout(deployment.model, deployment.layout)
    stored = weight_precision(deployment)
    for name in {stored.attention, stored.dense, stored.experts}:
        multiplied_in(deployment, name)


def step_time(
    deployment: Deployment,
    *,
    prefill_tokens: ArrayLike = 0.0,
    prefill_context: ArrayLike = 0.0,
    prefill_requests: ArrayLike = 1.0,
    decode_batch: ArrayLike = 0.0,
    decode_context: ArrayLike = 0.0,
) -> StepTime:
    """Time of steps that process prompt tokens, decode one token per request, or both.

    Parameters
    ----------
    deployment : Deployment
        One instance; the arguments below count over all its attention ranks, in one of its ``pp`` micro-batches.
    prefill_tokens : array_like
        Prompt tokens computed in the step, 0 for a decode-only step.
    prefill_context : array_like
        Tokens of each of those prompts already in the cache.
    prefill_requests : array_like
        Prompts among which the tokens are divided evenly, >= 1.
    decode_batch : array_like
        Requests that decode one token, 0 for a prompt-only step.
    decode_context : array_like
        Mean tokens each of them has in the cache.

    Returns
    -------
    StepTime
        Of the arguments' broadcast shape (at least one-dimensional).

    Raises
    ------
    InputError
        If a step has no work, or a count is negative.

    Notes
    -----
    Attention ranks wait for the one with most requests. With drafted tokens a decoding request brings all of them, and
    gets `formulas.accepted_tokens` of them. Leaves out skew of context lengths within a batch and the difference
    between pipeline stages.
    """
    work = step_work(
        deployment,
        prefill_tokens=prefill_tokens,
        prefill_context=prefill_context,
        prefill_requests=prefill_requests,
        decode_batch=decode_batch,
        decode_context=decode_context,
    )
    return engine_time(work, deployment.engine)


def step_work(
    deployment: Deployment,
    *,
    prefill_tokens: ArrayLike = 0.0,
    prefill_context: ArrayLike = 0.0,
    prefill_requests: ArrayLike = 1.0,
    decode_batch: ArrayLike = 0.0,
    decode_context: ArrayLike = 0.0,
) -> StepWork:
    """Return what the operators of steps take; parameters and errors as in `step_time`."""
    check_deployment(deployment)
    load = _load(deployment, prefill_tokens, prefill_context, prefill_requests, decode_batch, decode_context)
    tally = _Tally(shape=load.prompts.shape)
    _add_products(tally, deployment, load)
    attentions: Counter[Attention] = Counter()
    for group in deployment.model.layers:
        attentions[group.attention] += group.count
        _add_layer(tally, deployment, group, load)
    for attention, count in attentions.items():
        _add_attention(tally, deployment, attention, load, float(count))
    _add_ends(tally, deployment, load)
    if deployment.draft_tokens:
        _add_drafts(tally, deployment)
    generation = deployment.accelerator.generation
    return StepWork(
        parts=dict(tally.parts),
        floors=dict(tally.floors),
        prompts=load.prompts,
        prompt_tokens=load.prompts * load.prompt_tokens,
        requests=load.prompts + load.decodes,
        layers=deployment.model.n_layers,
        kernels=_launches(deployment.model),
        generation=generation,
        bound_frac=tally.bound_frac(),
    )


def engine_time(work: StepWork, engine: EngineFactors, scales: Scales | None = None) -> StepTime:
    """Return the time of steps under an engine's factors.

    Parameters
    ----------
    work : StepWork
        From `step_work`.
    engine : EngineFactors
        The software's factors.
    scales : mapping of str to mapping of str to float, optional
        Time in a running engine over that of lone kernels, by owner (``all``, a generation, an engine) and part; those
        of the three owners are multiplied. The engine's own by default.
    """
    scale = part_scales(work.generation, engine.name, engine.scales if scales is None else scales)
    zero = np.zeros(work.prompts.shape)
    with_prompts = np.where(work.prompts > 0, scale.get("prompt", 1.0), 1.0)
    parts = dict.fromkeys((*PARTS, "tp_comm", "ep_comm", "pp_comm"), zero)
    for name, time_s in work.parts.items():
        kind = name.split(".")[0]
        scaled = time_s * scale.get(name, scale.get(kind, 1.0))
        if kind in {"compute", "moe"} and not name.endswith((".start", ".streamed")):
            scaled = scaled * with_prompts
        if name in work.floors:
            scaled = np.maximum(scaled, work.floors[name])
        parts[kind] = parts[kind] + scaled
    busy = parts["compute"] + parts["attention"] + parts["moe"] + parts["memory"] + parts["head"]
    tp_comm = exposed_comm_s(parts.pop("tp_comm"), busy, engine.tp_overlap_frac)
    ep_comm = exposed_comm_s(parts.pop("ep_comm"), busy, engine.ep_overlap_frac)
    parts["comm"] = tp_comm + ep_comm + parts.pop("pp_comm")
    launched = work.prompt_tokens > engine.captured_tokens
    host_s = np.maximum(engine.prefill_launch_s * work.kernels - busy - parts["comm"], 0.0)
    waits_s = host_s * launched
    apart_s = zero + engine.decode_layer_s * work.layers
    if engine.launches_ahead:
        apart_s = np.maximum(apart_s - busy - parts["comm"], 0.0)
    if engine.eager:
        apart_s = np.maximum(apart_s, host_s)
    between_s = np.where(work.prompts > 0, waits_s, apart_s)
    parts["overhead"] = engine.step_overhead_s + engine.request_overhead_s * work.requests + between_s
    pace = np.where(work.prompts > 0, engine.prompt_pace, engine.decode_pace)
    ordered = {name: parts[name] * pace for name in PARTS}
    return StepTime(sum(ordered.values(), zero), ordered, work.bound_frac)


def _load(
    deployment: Deployment,
    prefill_tokens: ArrayLike,
    prefill_context: ArrayLike,
    prefill_requests: ArrayLike,
    decode_batch: ArrayLike,
    decode_context: ArrayLike,
) -> _Load:
    names = ("prefill_tokens", "prefill_context", "prefill_requests", "decode_batch", "decode_context")
    given = (prefill_tokens, prefill_context, prefill_requests, decode_batch, decode_context)
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in given))
    for name, array in zip(names, arrays, strict=True):
        if not (np.isfinite(array) & (array >= 0)).all():
            message = f"{name} = {array[~(np.isfinite(array) & (array >= 0))][0]}: must be a number >= 0"
            raise InputError(message)
    tokens, cached, requests, batch, context = arrays
    if (tokens + batch <= 0).any():
        message = "a step needs work: give prefill_tokens or decode_batch above 0"
        raise InputError(message)
    dp, query = deployment.layout.dp, 1.0 + deployment.draft_tokens
    requests = np.where(tokens > 0, np.maximum(requests, 1.0), 0.0)
    per_prompt = np.where(tokens > 0, tokens / np.maximum(requests, 1.0), 0.0)
    prompts, decodes = np.ceil(requests / dp - 1e-9), np.ceil(batch / dp - 1e-9)
    total = tokens + batch * query if deployment.layout.dp_attention else prompts * per_prompt + decodes * query
    return _Load(
        prompts=prompts,
        prompt_tokens=per_prompt,
        cached=cached,
        decodes=decodes,
        context=context,
        expert_tokens=np.maximum(total, 1.0),
        query_tokens=query,
    )


def _add_products(tally: _Tally, deployment: Deployment, load: _Load) -> None:
    """All products with weights but the experts' and the head's, those of one precision evaluated together."""
    stored, tokens = weight_precision(deployment), load.tokens
    # The cached latents of a prompt are expanded into keys and values again.
    expanded = tokens + load.prompts * load.cached
    by_precision: dict[str, list[tuple[FloatArray, float, float, float]]] = {}
    for group in deployment.model.layers:
        for gemm in layer_gemms(group, deployment.model.hidden):
            n, k = split_gemm(gemm, group.attention, deployment.layout.tp)
            rows = expanded if gemm.name == "mla_kv_up" else tokens
            precision = multiplied_in(deployment, getattr(stored, gemm.precision_class))
            by_precision.setdefault(precision, []).append((rows, n, k, float(group.count)))
    for precision, products in by_precision.items():
        all_rows, outputs, inners, counts = (np.array(column) for column in zip(*products, strict=True))
        shape = (all_rows, outputs[:, None], inners[:, None])
        factors = kernel_factors(deployment.engine.name, deployment.accelerator.generation)
        op = ops.gemm(deployment.accelerator, *shape, precision, fused_quantisation=True, factors=factors)
        streamed = _streamed_frac(deployment, precision, all_rows) if precision in _STREAMED else None
        tally.add_stack(f"compute.{precision}", op, counts, streamed)


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


@functools.cache
def _sold(device_id: str) -> Accelerator | None:
    try:
        return accelerator(device_id)
    except InputError:
        return None


def _add_layer(tally: _Tally, deployment: Deployment, group: LayerGroup, load: _Load) -> None:
    device, tp, hidden = deployment.accelerator, deployment.layout.tp, deployment.model.hidden
    factors = kernel_factors(deployment.engine.name, deployment.accelerator.generation)
    a, block, tokens, count = group.attention, group.feed_forward, load.tokens, float(group.count)
    cluster = Cluster(board(device), deployment.devices)
    message_bytes = tokens * hidden * _ACTIVATION_BYTES
    blocks = (a.kind != "none") + (block.kind != "none")
    if tp > 1:
        tally.add("tp_comm", ops.all_reduce(cluster, message_bytes, tp, factors=factors), count * blocks)
    if block.kind == "moe":
        _add_experts(tally, deployment, block, load, cluster, count)
    inner = (block.hidden_inner + block.shared_inner) / tp
    qkv = (a.heads * a.head_dim + a.kv_heads * (a.head_dim + a.v_head_dim)) / tp
    moved = _ACTIVATION_BYTES * tokens * (4.0 * hidden + qkv + inner)
    op = ops.elementwise(device, moved + tokens * inner * 2.0, moved, launches=4, factors=factors)
    tally.add("memory", op, count)


def _add_attention(tally: _Tally, deployment: Deployment, a: Attention, load: _Load, count: float) -> None:
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
    if a.stride > 1:
        prompts, new, cached, seen = _add_compressed(tally, deployment, a, load, count)
    elif a.sparse_topk:
        if a.index_heads:
            _add_indexer(tally, deployment, a, load, count)
        cached = np.maximum(np.minimum(cached, a.sparse_topk - new), 0.0)
        seen = np.minimum(context, a.sparse_topk)
    if a.kind in {"linear", "ssm"} or a.mixer_parameters:
        state_bytes = a.state_elements * 4.0 / tp
        chunks = load.prompts * np.ceil(load.prompt_tokens / 64.0)
        read = (load.decodes + chunks) * state_bytes
        # A state cannot be cut back as keys and values can: each drafted token's is kept until the check.
        written = (load.decodes * load.query_tokens + chunks) * state_bytes
        tally.add("attention.state", ops.elementwise(device, read, written, factors=common["factors"]), count)
    window = a.window or 0
    element_bytes = kv_bytes_of(deployment.kv_precision)[1]
    if a.kind == "gqa":
        shape: dict[str, Any] = {"v_head_dim": a.v_head_dim, "window": window, **common}
        if some_prompts:
            op = ops.attention_prefill(device, prompts, new, cached, heads, kv_heads, a.head_dim, **shape)
            tally.add("attention.prompt", op, count, load.prompts)
        if some_decodes:
            shape["query_tokens"] = load.query_tokens
            op = ops.attention_decode(device, decodes, seen, heads, kv_heads, a.head_dim, **shape)
            tally.add("attention.decode", op, count, load.decodes)
            kept = np.minimum(seen, window) if window else seen
            read = load.decodes * kept * (kv_heads * (a.head_dim + a.v_head_dim) * element_bytes)
            tally.add_floor("attention.decode", read, device, count)
    elif a.kind == "mla":
        latent: dict[str, Any] = {
            "kv_lora_rank": a.kv_lora_rank, "rope_dim": a.rope_dim, "nope_dim": a.nope_dim, "v_head_dim": a.v_head_dim,
            **common,
        }  # fmt: skip
        if some_prompts:
            op = ops.mla_prefill(device, prompts, new, cached, heads, **latent)
            tally.add("attention.prompt", op, count, load.prompts)
        if some_decodes:
            op = ops.mla_decode(device, decodes, seen, heads, query_tokens=load.query_tokens, **latent)
            tally.add("attention.decode", op, count, load.decodes)
            read = load.decodes * seen * ((a.kv_lora_rank + a.rope_dim) * element_bytes)
            tally.add_floor("attention.decode", read, device, count)


def _add_compressed(
    tally: _Tally, deployment: Deployment, a: Attention, load: _Load, count: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Add the indexer of a compressed cache; return prompts, new, cached and seen tokens of the attention to it.

    Notes
    -----
    A query sees few of the tokens of its own prompt, which the kernels for prompts take it to see all. So a prompt of
    *n* tokens that see *m* entries each is timed as pieces of at most *m* tokens that see as many.
    """
    new = np.maximum(load.prompt_tokens, 1.0)
    context, reached = np.maximum(load.context, 1.0), load.cached + new / 2.0
    if a.sparse_topk:
        entries = _Load(
            prompts=load.prompts, prompt_tokens=load.prompt_tokens, cached=reached / a.stride, decodes=load.decodes,
            context=context / a.stride, expert_tokens=load.expert_tokens, query_tokens=load.query_tokens,
        )  # fmt: skip
        _add_indexer(tally, deployment, a, _pieces(entries, reached / a.stride), count)
    most = float(a.sparse_topk or np.inf)
    visible = np.minimum(reached / a.stride, most) + np.minimum(reached, a.recent)
    pieces = _pieces(load, visible)
    seen = np.minimum(context / a.stride, most) + np.minimum(context, a.recent)
    return np.maximum(pieces.prompts, 1.0), np.maximum(pieces.prompt_tokens, 1.0), pieces.cached, np.maximum(seen, 1.0)


def _pieces(load: _Load, visible: FloatArray) -> _Load:
    """Return a load whose prompts are cut so that each new token sees *visible* entries in the mean."""
    new = np.maximum(load.prompt_tokens, 1.0)
    size = np.clip(np.minimum(new, visible), 1.0, None)
    return replace(
        load, prompts=load.prompts * new / size, prompt_tokens=size, cached=np.maximum(visible - size / 2.0, 0.0)
    )


def _add_indexer(tally: _Tally, deployment: Deployment, a: Attention, load: _Load, count: float) -> None:
    """Scores of all cached tokens by which a sparse layer chooses those it attends to."""
    device, dims = deployment.accelerator, (a.index_heads, 1, a.index_dim)
    factors = kernel_factors(deployment.engine.name, deployment.accelerator.generation)
    prompts, new = np.maximum(load.prompts, 1.0), np.maximum(load.prompt_tokens, 1.0)
    op = ops.attention_prefill(device, prompts, new, load.cached, *dims, v_head_dim=1, factors=factors)
    tally.add("attention.prompt", op, count, load.prompts)
    decodes, context = np.maximum(load.decodes, 1.0), np.maximum(load.context, 1.0)
    op = ops.attention_decode(device, decodes, context, *dims, v_head_dim=1, factors=factors)
    tally.add("attention.decode", op, count, load.decodes)


def _add_experts(
    tally: _Tally, deployment: Deployment, block: FeedForward, load: _Load, cluster: Cluster, count: float
) -> None:
    """Routed experts, and the exchange of tokens between ranks that share them."""
    layout, hidden = deployment.layout, deployment.model.hidden
    stored = weight_precision(deployment).experts
    precision = multiplied_in(deployment, stored)
    tally.add(f"moe.{_expert_kernel(deployment, precision)}", _experts_time(deployment, block, load, precision), count)
    if not layout.dp_attention or layout.dp == 1:
        return  # the ranks of a tensor-parallel group hold the same tokens; their all-reduce is already counted
    if layout.ep == 1:
        message_bytes = load.expert_tokens * hidden * _ACTIVATION_BYTES
        tally.add("ep_comm", ops.all_gather(cluster, message_bytes, layout.expert_group), count)
        tally.add("ep_comm", ops.reduce_scatter(cluster, message_bytes, layout.expert_group), count)
        return
    kind = "low_latency" if not (load.prompts > 0).any() else "normal"
    sent = np.maximum(load.tokens / layout.tp, 1.0)
    dispatch_bytes = 1.0 if precision.startswith("fp8") else _ACTIVATION_BYTES
    exchange = (cluster, sent, hidden, block.experts_per_token, layout.ep)
    tally.add("ep_comm", ops.moe_dispatch(*exchange, element_bytes=dispatch_bytes, kind=kind), count)
    tally.add("ep_comm", ops.moe_combine(*exchange, kind=kind), count)
    if layout.expert_tp > 1:
        rows = load.expert_tokens * block.experts_per_token / layout.ep
        op = ops.all_reduce(cluster, rows * hidden * _ACTIVATION_BYTES, layout.expert_tp)
        tally.add("ep_comm", op, count)


def _expert_kernel(deployment: Deployment, precision: str) -> str:
    """Return the precision whose grouped kernels an engine runs, by facts ``<precision>_experts_like``."""
    place = Place(generation=deployment.accelerator.generation)
    stated = shipped_text(deployment.engine.name, f"{precision}_experts_like", place)
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


def _experts_time(deployment: Deployment, block: FeedForward, load: _Load, precision: str) -> ops.OpTime:
    """Return the time of the grouped products of the busiest expert rank.

    Where tokens are dispatched, a rank sees only the rows sent to it, as if its experts were a layer of their own; else
    all ranks hold all tokens and pick theirs.
    """
    layout, hidden, tokens = deployment.layout, deployment.model.hidden, load.expert_tokens
    slots, top = float(block.experts + layout.redundant_experts), float(block.experts_per_token)
    imbalance = deployment.engine.expert_imbalance if layout.ep > 1 else 1.0
    kernel = _expert_kernel(deployment, precision)
    device = _expert_device(deployment, kernel)
    shared: dict[str, Any] = {
        "tensor_parallel": layout.expert_tp, "precision": kernel,
        "gated": block.gated,
        "factors": kernel_factors(deployment.engine.name, deployment.accelerator.generation),
    }  # fmt: skip
    if layout.ep == 1 or not (layout.dp_attention and layout.dp > 1):
        return ops.moe_gemm(
            device, tokens, hidden, block.expert_inner, slots, top,
            expert_parallel=layout.ep, imbalance=imbalance, **shared,
        )  # fmt: skip
    local = slots / layout.ep
    taken = min(top, local)
    rows = tokens * top / layout.ep * imbalance
    active = ops.active_experts(tokens, slots, top) / layout.ep
    return ops.moe_gemm(
        device, np.maximum(rows / taken, 1.0), hidden, block.expert_inner, local, taken,
        active=np.minimum(active, rows), **shared,
    )  # fmt: skip


def _launches(model: ModelSpec) -> int:
    """Return the kernels of one pass over the layers."""
    return sum(g.count * (_KERNELS[g.attention.kind] + _KERNELS[g.feed_forward.kind]) for g in model.layers)


def _add_drafts(tally: _Tally, deployment: Deployment) -> None:
    """Add the drafting head: one more layer and the output head per drafted token, at the times of those it follows."""
    share = deployment.draft_tokens / deployment.model.n_layers
    for part, time_s in list(tally.parts.items()):
        added = time_s * (deployment.draft_tokens if part == "head" else share)
        tally.parts[part] = time_s + added


def _add_ends(tally: _Tally, deployment: Deployment, load: _Load) -> None:
    """Embedding, head and sampling, and the hand-over between pipeline stages."""
    device, layout, model = deployment.accelerator, deployment.layout, deployment.model
    rows = np.maximum(load.prompts + load.decodes * load.query_tokens, 1.0)
    head = weight_precision(deployment).head
    tally.add("head", ops.gemm(device, rows, model.vocab / layout.tp, model.hidden, multiplied_in(deployment, head)))
    logits = rows * model.vocab * 4.0 / layout.tp
    tally.add("head", ops.elementwise(device, 2.0 * logits, logits, launches=_HEAD_SAMPLING_LAUNCHES))
    embedded = load.tokens * model.hidden * _ACTIVATION_BYTES
    tally.add("head", ops.elementwise(device, embedded, embedded))
    cluster = Cluster(board(device), deployment.devices)
    if layout.tp > 1:
        tally.add("tp_comm", ops.all_gather(cluster, rows * model.vocab * _ACTIVATION_BYTES, layout.tp))
    if layout.pp > 1:
        across = layout.expert_group * layout.pp > device.scaleup_domain
        op = ops.point_to_point(cluster, embedded / layout.tp, across=across)
        tally.add("pp_comm", op, layout.pp - 1.0)
