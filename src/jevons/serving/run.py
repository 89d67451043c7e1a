"""Operating points of a served model: what one batch gives, and the best batch within latency limits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jevons.errors import InfeasibleError, InputError
from jevons.serving.formulas import chunked_pass_s, shared_tpot_s
from jevons.serving.memory import kv_bytes_per_request, kv_capacity_tokens, memory_use
from jevons.serving.step import check_deployment, step_time
from jevons.serving.types import Deployment, DeviceSeconds, FloatArray, StaticPoint, StepTime, Workload

_GRID_POINTS = 48


@dataclass(frozen=True, slots=True)
class _Prompts:
    """How prompts are processed: arrays over the number of prompts per rank and step."""

    per_rank: FloatArray
    ttft_s: FloatArray
    device_s: FloatArray
    cached_device_s: FloatArray
    bounds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Surface:
    """Latency and device time per request over ways of taking prompts (rows) and batches (columns)."""

    batches: FloatArray
    step: StepTime
    ttft_s: FloatArray
    tpot_s: FloatArray
    request_device_s: FloatArray


def static_point(
    deployment: Deployment, workload: Workload, batch: float, *, prefill: Deployment | None = None
) -> StaticPoint:
    """Latency and throughput of an instance that always holds *batch* requests.

    Parameters
    ----------
    deployment : Deployment
        The instance; the decode pool's where *prefill* is given.
    workload : Workload
        Length of prompts and answers.
    batch : float
        Requests decoding at once over the whole instance, > 0.
    prefill : Deployment, optional
        Instance that processes the prompts apart (disaggregation); it and the decode pool are sized to match. Without
        it prompts and decodes share the devices' time.

    Returns
    -------
    StaticPoint
        In the steady state, at full load, without queueing.

    Raises
    ------
    InfeasibleError
        If weights or the batch's cache do not fit.
    InputError
        If the layout does not divide the model, or a length or the batch is out of range.
    """
    _check(deployment, workload, prefill)
    if not batch > 0:
        message = f"batch = {batch}: must be above 0"
        raise InputError(message)
    capacity = kv_capacity_tokens(deployment, workload.decode_context)
    if batch * workload.decode_context > capacity:
        message = (
            f"{deployment}: {batch:g} requests of {workload.decode_context:g} tokens on average need a cache of "
            f"{batch * workload.decode_context:,.0f} tokens; it holds {capacity:,.0f}. Use batch <= "
            f"{capacity / workload.decode_context:.0f}, a cache of fewer bits, or more devices."
        )
        raise InfeasibleError(message, ["device memory"])
    prompts = _prompts(prefill or deployment, workload)
    surface = _surface(deployment, workload, np.array([float(batch)]), prompts, prefill)
    choice = int(surface.request_device_s[:, 0].argmin())
    return _point(deployment, workload, prompts, surface, (choice, 0))


def best_static_point(
    deployment: Deployment,
    workload: Workload,
    *,
    ttft_s: float | None = None,
    tpot_s: float | None = None,
    prefill: Deployment | None = None,
) -> StaticPoint:
    """Return the operating point of highest throughput per device within latency limits and memory.

    Parameters
    ----------
    deployment, workload, prefill
        As in `static_point`.
    ttft_s, tpot_s : float, optional
        Upper limits on the time to first token without queueing, and per output token [s].

    Returns
    -------
    StaticPoint
        With ``bounds["batch"]`` one of ``memory`` (cache full), ``engine`` (its largest batch), ``tpot``,
        ``ttft`` or ``throughput`` (a larger batch would not help).

    Raises
    ------
    InfeasibleError
        If weights do not fit, or a limit cannot be met by a single request; the least reachable time is named.
    InputError
        As in `static_point`.
    """
    _check(deployment, workload, prefill)
    layout, engine = deployment.layout, deployment.engine
    capacity = kv_capacity_tokens(deployment, workload.decode_context)
    by_memory = capacity / workload.decode_context
    by_engine = float(engine.max_batch * layout.dp * layout.pp)
    largest = min(by_memory, by_engine)
    if largest < 1.0:
        message = (
            f"{deployment}: one request of {workload.decode_context:g} tokens needs more cache than the "
            f"{capacity:,.0f} tokens left beside the weights. Use a cache of fewer bits or more devices."
        )
        raise InfeasibleError(message, ["device memory"])
    slots = layout.dp * layout.pp
    prompts = _prompts(prefill or deployment, workload)
    batches = _batch_grid(largest, slots)
    surface = _surface(deployment, workload, batches, prompts, prefill)
    where = _best(surface, ttft_s, tpot_s)
    if where is None:
        raise _unreachable(deployment, surface, ttft_s, tpot_s)
    coarse = where[1]
    if len(batches) > 1:
        # the best may lie on either side of the coarse one: throughput is not monotone where tiles fill in waves
        left, right = batches[max(coarse - 1, 0)], batches[min(coarse + 1, len(batches) - 1)]
        between = np.unique(
            np.concatenate([_between(left, batches[coarse], slots), _between(batches[coarse], right, slots)])
        )
        surface = _surface(deployment, workload, between, prompts, prefill)
        where = _best(surface, ttft_s, tpot_s) or (where[0], 0)
    point = _point(deployment, workload, prompts, surface, where)
    limit = "throughput"
    if point.batch >= batches[-1]:
        limit = "memory" if by_memory <= by_engine else "engine"
    elif tpot_s is not None and point.tpot_s > 0.97 * tpot_s:
        limit = "tpot"
    elif ttft_s is not None and point.ttft_s > 0.97 * ttft_s:
        limit = "ttft"
    return replace(point, bounds={**point.bounds, "batch": limit})


def device_seconds_per_call(
    deployment: Deployment,
    workload: Workload,
    *,
    ttft_s: float | None = None,
    tpot_s: float | None = None,
    prefill: Deployment | None = None,
) -> DeviceSeconds:
    """Return the accelerator-seconds that one request takes at the best point within latency limits.

    Parameters and errors as in `best_static_point`. At full load: divide by the utilisation a fleet reaches.
    """
    point = best_static_point(deployment, workload, ttft_s=ttft_s, tpot_s=tpot_s, prefill=prefill)
    return DeviceSeconds(
        input_s=point.prefill_device_s,
        cached_s=point.cached_device_s,
        output_s=point.decode_device_s,
        input_tokens=workload.new_tokens,
        cached_tokens=workload.cached_tokens,
        output_tokens=workload.osl,
        point=point,
    )


def _check(deployment: Deployment, workload: Workload, prefill: Deployment | None) -> None:
    for name, value, least in (("isl", workload.isl, 1.0), ("osl", workload.osl, 1.0)):
        if not value >= least:
            message = f"workload.{name} = {value}: must be at least {least:g} token"
            raise InputError(message)
    if not 0.0 <= workload.cached_frac < 1.0:
        message = f"workload.cached_frac = {workload.cached_frac}: must be in [0, 1)"
        raise InputError(message)
    check_deployment(deployment)
    if prefill is not None:
        check_deployment(prefill)
        kv_capacity_tokens(prefill, workload.isl)


def _prompts(deployment: Deployment, workload: Workload) -> _Prompts:
    """Return the times of prompt steps with one, two, … prompts per rank up to the engine's token budget."""
    layout, new = deployment.layout, workload.new_tokens
    most = int(deployment.engine.step_tokens // new)
    per_rank = np.unique(np.round(np.geomspace(1, max(most, 1), 16))) if most >= 1 else np.ones(1)
    pass_s, busy_s, bounds = _prompt_pass(deployment, new, workload.cached_tokens, per_rank)
    plain_s = busy_s
    ttft_s = pass_s
    if workload.cached_tokens > 0:
        _, plain_s, _ = _prompt_pass(deployment, new, 0.0, per_rank)
        load_s = per_rank * kv_bytes_per_request(deployment, workload.cached_tokens)
        load_s /= deployment.accelerator.scaleout.bytes_per_s
        busy_s = np.maximum(busy_s, load_s)
        ttft_s = np.maximum(pass_s, load_s)
    per_request = deployment.devices / (per_rank * layout.dp)
    plain_s = np.minimum(plain_s, busy_s)
    return _Prompts(per_rank, ttft_s, plain_s * per_request, (busy_s - plain_s) * per_request, bounds)


def _prompt_pass(
    deployment: Deployment, new: float, cached: float, per_rank: FloatArray
) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """Latency of a pass of prompts, time until the next can follow, and what binds."""
    layout = deployment.layout
    chunks = int(np.ceil(new / deployment.engine.step_tokens))
    if chunks <= 1:
        requests = per_rank * layout.dp
        step = step_time(deployment, prefill_tokens=requests * new, prefill_requests=requests, prefill_context=cached)
        return step.time_s, step.time_s / layout.pp, _binding(step)
    contexts = cached + np.arange(chunks) * (new / chunks)
    requests = np.full(chunks, float(layout.dp))
    step = step_time(
        deployment, prefill_tokens=requests * new / chunks, prefill_requests=requests, prefill_context=contexts
    )
    whole_s = np.array([chunked_pass_s(step.time_s, layout.pp)])
    return whole_s, np.array([float(step.time_s.sum()) / layout.pp]), (_binding(step)[-1],)


def _binding(step: StepTime) -> tuple[str, ...]:
    names = list(step.bound_frac)
    shares = np.stack([np.broadcast_to(step.bound_frac[name], step.time_s.shape) for name in names])
    return tuple(names[index] for index in np.atleast_1d(shares.argmax(axis=0)))


def _surface(
    deployment: Deployment, workload: Workload, batches: FloatArray, prompts: _Prompts, prefill: Deployment | None
) -> _Surface:
    """Latency and cost for each way of taking prompts and each batch."""
    devices, steps = deployment.devices, workload.osl - 1.0
    step = step_time(deployment, decode_batch=batches / deployment.layout.pp, decode_context=workload.decode_context)
    prompt_device_s = (prompts.device_s + prompts.cached_device_s)[:, None]
    decode_device_s = devices * step.time_s / batches * steps
    tpot_s = np.broadcast_to(step.time_s, (len(prompts.per_rank), len(batches)))
    ttft_s = prompts.ttft_s[:, None] + step.time_s / 2.0
    if prefill is not None:
        links = min(deployment.accelerator.scaleout.bytes_per_s, prefill.accelerator.scaleout.bytes_per_s)
        ttft_s = ttft_s + kv_bytes_per_request(deployment, workload.isl) / links
    elif steps > 0:
        tpot_s = shared_tpot_s(step.time_s, batches, prompt_device_s / devices, steps)
    return _Surface(batches, step, ttft_s, tpot_s, prompt_device_s + decode_device_s)


def _best(surface: _Surface, ttft_s: float | None, tpot_s: float | None) -> tuple[int, int] | None:
    """Return the indices of the least device time per request within the limits."""
    allowed = np.ones(surface.ttft_s.shape, dtype=bool)
    if ttft_s is not None:
        allowed &= surface.ttft_s <= ttft_s
    if tpot_s is not None:
        allowed &= surface.tpot_s <= tpot_s
    if not allowed.any():
        return None
    flat = int(np.where(allowed, surface.request_device_s, np.inf).argmin())
    return divmod(flat, len(surface.batches))


def _unreachable(
    deployment: Deployment, surface: _Surface, ttft_s: float | None, tpot_s: float | None
) -> InfeasibleError:
    """Name the limit that no batch meets, and the least time there is."""
    for name, limit, times in (("tpot_s", tpot_s, surface.tpot_s), ("ttft_s", ttft_s, surface.ttft_s)):
        if limit is not None and times.min() > limit:
            message = (
                f"{deployment}: {name} = {limit:g} s cannot be met; the least is {times.min():.3g} s. Use {name} >= "
                f"{times.min() * 1.01:.3g}, more tensor parallelism, fewer bits, or a faster device."
            )
            return InfeasibleError(message, [name])
    message = (
        f"{deployment}: ttft_s = {ttft_s:g} s and tpot_s = {tpot_s:g} s can each be met but not together. Relax one, "
        "or process prompts on devices of their own."
    )
    return InfeasibleError(message, ["ttft_s", "tpot_s"])


def _batch_grid(largest: float, slots: int) -> FloatArray:
    """Batches from one request to the largest, whole per slot (rank and stage) once every slot has one."""
    grid = np.geomspace(1.0, largest, _GRID_POINTS)
    grid = np.where(grid < slots, np.round(grid), np.round(grid / slots) * slots)
    return np.unique(np.append(grid[grid <= largest], np.floor(largest / slots) * slots if largest >= slots else 1.0))


def _between(low: float, high: float, slots: int) -> FloatArray:
    """Whole batches per slot from *low* up to, not including, *high*."""
    step = float(slots if low >= slots else 1)
    count = min(_GRID_POINTS, max(1, int((high - low) / step)))
    return np.unique(low + np.floor(np.linspace(0.0, (high - low) / step, count, endpoint=False)) * step)


def _point(
    deployment: Deployment, workload: Workload, prompts: _Prompts, surface: _Surface, where: tuple[int, int]
) -> StaticPoint:
    choice, index = where
    batch, devices = float(surface.batches[index]), deployment.devices
    step_s = float(surface.step.time_s[index])
    request_device_s = float(surface.request_device_s[where])
    prompt_device_s = float(prompts.device_s[choice] + prompts.cached_device_s[choice])
    capacity = kv_capacity_tokens(deployment, workload.decode_context)
    return StaticPoint(
        batch=batch,
        ttft_s=float(surface.ttft_s[where]),
        tpot_s=float(surface.tpot_s[where]),
        decode_step_s=step_s,
        prefill_tok_per_s_per_device=workload.new_tokens / prompt_device_s,
        decode_tok_per_s_per_device=batch / (devices * step_s),
        tok_per_s_per_device=workload.osl / request_device_s,
        req_per_s_per_device=1.0 / request_device_s,
        kv_capacity_tokens=capacity,
        memory_bytes=_memory_at(deployment, batch * workload.decode_context / capacity),
        bounds={"prefill": prompts.bounds[choice], "decode": _binding(surface.step)[index]},
        prefill_device_s=float(prompts.device_s[choice]),
        cached_device_s=float(prompts.cached_device_s[choice]),
        decode_device_s=request_device_s - prompt_device_s,
    )


def _memory_at(deployment: Deployment, occupied_frac: float) -> dict[str, float]:
    """Memory per device by kind with that share of the cache in use."""
    use = memory_use(deployment)
    return {
        "weights": use.weights_bytes,
        "activations": use.activations_bytes,
        "reserved": use.reserved_bytes,
        "kv": use.kv_bytes * occupied_frac,
        "kv_free": use.kv_bytes * (1.0 - occupied_frac),
    }
