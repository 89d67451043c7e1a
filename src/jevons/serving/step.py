"""Time of one engine step: operators composed over a model's layers, under a layout and an engine's factors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.facts.per_facts import per_facts
from jevons.hardware import Cluster
from jevons.models import Attention
from jevons.operators import kernels as ops
from jevons.operators.types import storage_of
from jevons.serving.captured import captured_most, captured_tokens
from jevons.serving.engine_factors import EngineFactors
from jevons.serving.formulas import exposed_comm_s
from jevons.serving.memory import check_layout
from jevons.serving.precisions import multiplied_in, weight_precision
from jevons.serving.scales import Scales, board, part_scales, scaled_as
from jevons.serving.step_layers import ACTIVATION_BYTES, add_attention, add_layer, add_products
from jevons.serving.step_tally import Load, Tally
from jevons.serving.types import PARTS, Deployment, FloatArray, StepTime


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
    captured_most : float
        Prompt tokens of the largest step that engines capture which do so for plain models of text alone.
    generation, device : str
        Of the device, as in `Accelerator`, and its id.
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
    captured_most: float
    generation: str
    device: str
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
    prefill_ranks: ArrayLike = np.inf,
    decode_batch: ArrayLike = 0.0,
    decode_context: ArrayLike = 0.0,
) -> StepWork:
    """Return what the operators of steps take; parameters and errors as in `step_time`.

    *prefill_ranks* is the number of attention ranks among which prompts are divided, at most all of them.
    """
    check_deployment(deployment)
    load = _load(
        deployment, prefill_tokens, prefill_context, prefill_requests, prefill_ranks, decode_batch, decode_context
    )
    few, which = load.but_for_context()
    tally = Tally(shape=few.prompts.shape)
    add_products(tally, deployment, few)
    attentions: Counter[Attention] = Counter()
    for group in deployment.model.layers:
        attentions[group.attention] += group.count
        add_layer(tally, deployment, group, few)
    _add_ends(tally, deployment, few)
    tally = tally.spread(which)
    for attention, count in attentions.items():
        add_attention(tally, deployment, attention, load, float(count))
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
        kernels=_launches(deployment),
        captured_most=captured_most(deployment),
        generation=generation,
        device=deployment.accelerator.id,
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
    scale = part_scales(work.generation, engine.name, engine.scales if scales is None else scales, work.device)
    zero = np.zeros(work.prompts.shape)
    with_prompts = np.where(work.prompts > 0, scale.get("prompt", 1.0), 1.0)
    parts = dict.fromkeys((*PARTS, "tp_comm", "ep_comm", "pp_comm"), zero)
    for name, time_s in work.parts.items():
        kind = name.split(".")[0]
        scaled = time_s * scale.get(scaled_as(name), scale.get(kind, 1.0))
        if kind in {"compute", "moe"} and not name.endswith((".start", ".streamed")):
            scaled = scaled * with_prompts
        if name in work.floors:
            scaled = np.maximum(scaled, work.floors[name])
        parts[kind] = parts[kind] + scaled
    busy = parts["compute"] + parts["attention"] + parts["moe"] + parts["memory"] + parts["head"]
    tp_comm = exposed_comm_s(parts.pop("tp_comm"), busy, engine.kernels.tp_overlap_frac)
    hidden = np.where(work.prompts > 0, engine.kernels.ep_overlap_frac, engine.kernels.decode_ep_overlap_frac)
    ep_comm = exposed_comm_s(parts.pop("ep_comm"), busy, hidden)
    parts["comm"] = tp_comm + ep_comm + parts.pop("pp_comm")
    launched = work.prompt_tokens > captured_tokens(engine, work.captured_most)
    pace_of_host, work_s = scale.get("host", 1.0), busy + parts["comm"]
    launch_s = engine.host.prefill_launch_s * pace_of_host * work.kernels
    waits_s = _launch_gaps_s(work_s, launch_s) * launched
    apart_s = zero + engine.host.decode_layer_s * pace_of_host * work.layers
    one_by_one = engine.eager | (work.requests > engine.host.captured_batch)
    apart_s = np.where(one_by_one, np.maximum(apart_s, _launch_gaps_s(work_s, launch_s)), apart_s)
    between_s = np.where(work.prompts > 0, waits_s, apart_s)
    each_step_s = engine.host.step_overhead_s + engine.host.request_overhead_s * work.requests
    parts["overhead"] = each_step_s * pace_of_host + between_s
    pace = np.where(work.prompts > 0, engine.kernels.prompt_pace, engine.kernels.decode_pace)
    ordered = {name: parts[name] * pace for name in PARTS}
    return StepTime(sum(ordered.values(), zero), ordered, work.bound_frac)


def entry_time_s(deployment: Deployment, engine: EngineFactors | None = None, scales: Scales | None = None) -> float:
    """Return the time of a request outside the steps that serve it [s]; *engine* and *scales* as in `engine_time`.

    Notes
    -----
    A part of the time by which the kernels of a prompt are launched delays its first token, but not the requests that
    decode beside it. Prompts that all run as captured graphs have none of it.
    """
    engine = engine or deployment.engine
    if captured_tokens(engine, captured_most(deployment)) >= engine.batching.step_tokens:
        return engine.front.entry_s
    device = deployment.accelerator
    scale = part_scales(device.generation, engine.name, engine.scales if scales is None else scales, device.id)
    late_s = engine.front.entry_launch_s * scale.get("host", 1.0) * _launches(deployment)
    return engine.front.entry_s + late_s


def _launch_gaps_s(work_s: FloatArray, launch_s: float) -> FloatArray:
    """Return the time that a device waits for kernels to be launched one by one.

    Notes
    -----
    Kernels of a step differ in length: while the long ones run, the host gets ahead; before the short ones the device
    waits. So a step that works as long as its launches take is longer than either.
    """
    gaps_s: FloatArray = np.hypot(work_s, launch_s) - work_s
    return gaps_s


def _load(
    deployment: Deployment,
    prefill_tokens: ArrayLike,
    prefill_context: ArrayLike,
    prefill_requests: ArrayLike,
    prefill_ranks: ArrayLike,
    decode_batch: ArrayLike,
    decode_context: ArrayLike,
) -> Load:
    dp, query = deployment.layout.dp, 1.0 + deployment.draft_tokens
    names = ("prefill_tokens", "prefill_context", "prefill_requests", "prefill_ranks", "decode_batch", "decode_context")
    given = (
        prefill_tokens, prefill_context, prefill_requests, np.minimum(prefill_ranks, dp), decode_batch, decode_context,
    )  # fmt: skip
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in given))
    for name, array in zip(names, arrays, strict=True):
        if not (np.isfinite(array) & (array >= 0)).all():
            message = f"{name} = {array[~(np.isfinite(array) & (array >= 0))][0]}: must be a number >= 0"
            raise InputError(message)
    tokens, cached, requests, ranks, batch, context = arrays
    if (tokens + batch <= 0).any():
        message = "a step needs work: give prefill_tokens or decode_batch above 0"
        raise InputError(message)
    requests = np.where(tokens > 0, np.maximum(requests, 1.0), 0.0)
    per_prompt = np.where(tokens > 0, tokens / np.maximum(requests, 1.0), 0.0)
    prompts, decodes = np.ceil(requests / np.maximum(ranks, 1.0) - 1e-9), np.ceil(batch / dp - 1e-9)
    total = tokens + batch * query if deployment.layout.dp_attention else prompts * per_prompt + decodes * query
    return Load(
        prompts=prompts,
        prompt_tokens=per_prompt,
        cached=cached,
        decodes=decodes,
        context=context,
        expert_tokens=np.maximum(total, 1.0),
        query_tokens=query,
    )


def _launches(deployment: Deployment) -> int:
    """Return the kernels of one pass over the layers."""
    stored = weight_precision(deployment).experts
    key, storage = storage_of(stored)
    # MXFP4's own kernels, of Triton, sort and scatter in as many launches as those that quantise activations.
    plain = storage.peak == "bf16" and key != "mxfp4"
    blocks = {"moe": "moe_in_16_bits"} if plain else {}
    return sum(
        group.count
        * sum(_kernels_of(blocks.get(kind, kind)) for kind in (group.attention.kind, group.feed_forward.kind))
        for group in deployment.model.layers
    )


@per_facts()
def _kernels_of(block: str) -> int:
    """Return the kernels that engines launch for a block, facts ``launches.<block>``; a layer may lack one."""
    return 0 if block == "none" else int(default_facts().get(f"launches.{block}").number)


def _add_drafts(tally: Tally, deployment: Deployment) -> None:
    """Add the drafting head: one more layer and the output head per drafted token, at the times of those it follows."""
    share = deployment.draft_tokens / deployment.model.n_layers
    for part, time_s in list(tally.parts.items()):
        added = time_s * (deployment.draft_tokens if part == "head" else share)
        tally.parts[part] = time_s + added


def _add_ends(tally: Tally, deployment: Deployment, load: Load) -> None:
    """Embedding, head and sampling, and the hand-over between pipeline stages."""
    device, layout, model = deployment.accelerator, deployment.layout, deployment.model
    rows = np.maximum(load.prompts + load.decodes * load.query_tokens, 1.0)
    head = weight_precision(deployment).head
    tally.add("head", ops.gemm(device, rows, model.vocab / layout.tp, model.hidden, multiplied_in(deployment, head)))
    logits = rows * model.vocab * 4.0 / layout.tp
    tally.add("head", ops.elementwise(device, 2.0 * logits, logits, launches=_kernels_of("sampling")))
    embedded = load.tokens * model.hidden * ACTIVATION_BYTES
    tally.add("head", ops.elementwise(device, embedded, embedded))
    cluster = Cluster(board(device), deployment.devices)
    if layout.tp > 1:
        tally.add("tp_comm", ops.all_gather(cluster, rows * model.vocab * ACTIVATION_BYTES, layout.tp))
    if layout.pp > 1:
        across = layout.expert_group * layout.pp > device.scaleup_domain
        op = ops.point_to_point(cluster, embedded / layout.tp, across=across)
        tally.add("pp_comm", op, layout.pp - 1.0)
