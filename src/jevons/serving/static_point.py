"""Operating points of a served model: what one batch gives, and the best batch within latency limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jevons.errors import InfeasibleError, InputError
from jevons.facts.per_facts import per_facts
from jevons.serving.formulas import accepted_tokens, chunked_pass_s, shared_tpot_s
from jevons.serving.memory import cache_move_s, kv_bytes_per_request, kv_capacity_tokens, memory_use
from jevons.serving.scales import ComparableScales, comparable
from jevons.serving.step import check_deployment, entry_time_s, step_time
from jevons.serving.types import Deployment, DeviceSeconds, FloatArray, StaticPoint, StepTime, Workload

BoolArray = NDArray[np.bool_]

TTFT_LIMIT, TPOT_LIMIT, E2E_LIMIT = "time to first token", "time per output token", "time of the whole answer"
"""Names of the latency limits in messages."""

_KEPT = 256
"""Times of steps that are kept: a search meets a layout as a whole replica and as either pool of a divided one, and the
next question often differs in its load or limits alone. They are kept by the engine's scales too, which equality of
deployments leaves out."""


class LatencyError(InfeasibleError):
    """No batch of a deployment meets a latency limit.

    Parameters
    ----------
    message, limits
        As of `InfeasibleError`.
    least_s : float or None
        The least time there is of the first limit [s]; None where limits exclude each other.
    """

    def __init__(self, message: str, limits: list[str], least_s: float | None) -> None:
        super().__init__(message, limits)
        self.least_s = least_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """How prompts are processed: arrays over the number of prompts per rank and step."""

    per_rank: FloatArray
    ttft_s: FloatArray
    device_s: FloatArray
    cached_device_s: FloatArray
    bounds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticCurve:
    """Operating points of one deployment: latency and device time over ways of taking prompts (rows) and batches.

    Parameters
    ----------
    deployment : Deployment
        The instance.
    workload : Workload
        Length of prompts and answers.
    batches : ndarray, shape (n,)
        Requests decoding at once over the whole instance, ascending.
    ttft_s, tpot_s, request_device_s : ndarray, shape (m, n)
        Time to first token without queueing, time per output token, accelerator-seconds per request [s].
    possible : ndarray of bool, shape (m, n)
        Whether so many requests can bring so many prompts at once; points that are not are never chosen.
    by_memory, by_engine : float
        Largest batch that the cache, and the engine, allow.
    prompts, step : Prompts, StepTime
        How prompts are taken, by row; the decode steps, by batch.
    """

    deployment: Deployment
    workload: Workload
    batches: FloatArray
    ttft_s: FloatArray
    tpot_s: FloatArray
    request_device_s: FloatArray
    possible: BoolArray
    by_memory: float
    by_engine: float
    prompts: Prompts
    step: StepTime

    @property
    def e2e_s(self) -> FloatArray:
        """Time from request to last token without queueing [s]."""
        return self.ttft_s + self.tpot_s * (self.workload.osl - 1.0)

    def allowed(self, ttft_s: float | None, tpot_s: float | None, e2e_s: float | None = None) -> BoolArray:
        """Return which points are possible and within the limits."""
        allowed = self.possible.copy()
        for limit, times in ((ttft_s, self.ttft_s), (tpot_s, self.tpot_s), (e2e_s, self.e2e_s)):
            if limit is not None:
                allowed &= times <= limit
        return allowed

    def best(
        self, ttft_s: float | None = None, tpot_s: float | None = None, e2e_s: float | None = None
    ) -> tuple[int, int]:
        """Return the place of the least device time per request within the limits.

        Raises
        ------
        LatencyError
            If no point is within them.
        """
        allowed = self.allowed(ttft_s, tpot_s, e2e_s)
        if not allowed.any():
            raise _unreachable(self, ttft_s, tpot_s, e2e_s)
        flat = int(np.where(allowed, self.request_device_s, np.inf).argmin())
        return divmod(flat, len(self.batches))

    def point(self, where: tuple[int, int]) -> StaticPoint:
        """Return the operating point of that place."""
        return _point(self, where)


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
    curve = _curve(deployment, workload, np.array([float(batch)]), prefill, (math.inf, math.inf))
    return curve.point(curve.best())


def best_static_point(
    deployment: Deployment,
    workload: Workload,
    *,
    ttft_s: float | None = None,
    tpot_s: float | None = None,
    e2e_s: float | None = None,
    prefill: Deployment | None = None,
) -> StaticPoint:
    """Return the operating point of highest throughput per device within latency limits and memory.

    Parameters
    ----------
    deployment, workload, prefill
        As in `static_point`.
    ttft_s, tpot_s, e2e_s : float, optional
        Upper limits on the time to first token without queueing, per output token, and of the whole answer [s].

    Returns
    -------
    StaticPoint
        With ``bounds["batch"]`` one of ``memory`` (cache full), ``engine`` (its largest batch), ``tpot``,
        ``ttft``, ``e2e`` or ``throughput`` (a larger batch would not help).

    Raises
    ------
    InfeasibleError
        If weights do not fit, or a limit cannot be met by a single request; the least reachable time is named.
    InputError
        As in `static_point`.
    """
    curve = static_curve(deployment, workload, prefill=prefill)
    point = curve.point(curve.best(ttft_s, tpot_s, e2e_s))
    limit = "throughput"
    if point.batch >= curve.batches[-1]:
        limit = "memory" if curve.by_memory <= curve.by_engine else "engine"
    elif tpot_s is not None and point.tpot_s > 0.97 * tpot_s:
        limit = "tpot"
    elif ttft_s is not None and point.ttft_s > 0.97 * ttft_s:
        limit = "ttft"
    elif e2e_s is not None and point.ttft_s + point.tpot_s * (workload.osl - 1.0) > 0.97 * e2e_s:
        limit = "e2e"
    return replace(point, bounds={**point.bounds, "batch": limit})


def point_at_load(
    deployment: Deployment,
    workload: Workload,
    *,
    slo: tuple[float | None, float | None, float | None] = (None, None, None),
    req_per_s: float = 0.0,
    users: float = 0.0,
    prefill: Deployment | None = None,
    prefill_req_per_s: float = 0.0,
    curve: StaticCurve | None = None,
) -> StaticPoint | None:
    """Return the operating point at which an instance carries a load below its capacity.

    Parameters
    ----------
    deployment, workload, prefill
        As in `static_point`.
    slo : tuple of float or None
        Limits on TTFT, TPOT and end-to-end latency that the point keeps [s].
    req_per_s, users : float
        The load of the instance: requests per second, or users who ask again at once.
    prefill_req_per_s : float
        Load of the instance that processes prompts apart [req/s].
    curve : StaticCurve, optional
        The points of this deployment, workload and prefill that are at hand; all of them by default.

    Returns
    -------
    StaticPoint or None
        None where no point carries the load within the limits.

    Notes
    -----
    By Little's law the requests in flight are rate times end-to-end latency. Those are the batch whose throughput at
    full load is the rate; a load too low for one request at a time meets an idle instance, at a batch of one. A step
    takes the prompts that arrive while one lasts: one of them at low load.
    """
    curve = curve or static_curve(deployment, workload, prefill=prefill)
    prompt_s = (curve.prompts.device_s + curve.prompts.cached_device_s)[:, None]
    if prefill is None:
        carries = req_per_s * curve.request_device_s <= deployment.devices
    else:
        decode_s = curve.request_device_s - prompt_s
        carries = (req_per_s * decode_s <= deployment.devices) & (prefill_req_per_s * prompt_s <= prefill.devices)
    carries &= (curve.batches >= users) & curve.allowed(*slo)
    rate = users / curve.e2e_s if users else req_per_s
    taken = curve.prompts.per_rank[:, None] * (prefill or deployment).layout.dp >= rate * curve.tpot_s
    for places in (carries & taken, carries):
        rows = np.flatnonzero(places.any(axis=1))
        if rows.size:
            row = int(rows[0])
            return curve.point((row, int(np.where(places[row], curve.e2e_s[row], np.inf).argmin())))
    return None


def static_curve(
    deployment: Deployment,
    workload: Workload,
    *,
    prefill: Deployment | None = None,
    most_points: int | None = None,
) -> StaticCurve:
    """Return the operating points of a deployment over its batches.

    Parameters
    ----------
    deployment, workload, prefill
        As in `static_point`.
    most_points : int, optional
        Batches evaluated, a constant factor apart; all of them by default.

    Raises
    ------
    InfeasibleError
        If weights, or the cache of a single request, do not fit.
    InputError
        As in `static_point`.
    """
    _check(deployment, workload, prefill)
    layout, engine = deployment.layout, deployment.engine
    capacity = kv_capacity_tokens(deployment, workload.decode_context)
    by_memory = capacity / workload.decode_context
    by_engine = float(engine.batching.max_batch * layout.dp * layout.pp)
    largest = min(by_memory, by_engine)
    if largest < 1.0:
        message = (
            f"{deployment}: one request of {workload.decode_context:g} tokens needs more cache than the "
            f"{capacity:,.0f} tokens left beside the weights. Use a cache of fewer bits or more devices."
        )
        raise InfeasibleError(message, ["device memory"])
    batches = _batches(largest, layout.dp * layout.pp)
    if most_points is not None and len(batches) > most_points:
        wanted = np.geomspace(batches[0], batches[-1], most_points)
        batches = batches[np.unique(np.minimum(np.searchsorted(batches, wanted - 1e-9), len(batches) - 1))]
    return _curve(deployment, workload, batches, prefill, (by_memory, by_engine))


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


def _prompts(deployment: Deployment, workload: Workload) -> Prompts:
    """Return the times of prompt steps with one, two, … prompts per rank up to the engine's tokens and requests."""
    return _prompt_times(deployment, workload, comparable(deployment.engine.scales))


def _decode_step(deployment: Deployment, workload: Workload, batches: FloatArray) -> StepTime:
    """Return the time of steps that decode so many requests over the whole instance."""
    scales = comparable(deployment.engine.scales)
    return _decode_times(deployment, workload.decode_context, tuple(batches.tolist()), scales)


@per_facts(_KEPT)
def _decode_times(
    deployment: Deployment, context: float, batches: tuple[float, ...], _scales: ComparableScales
) -> StepTime:
    step = step_time(deployment, decode_batch=np.array(batches) / deployment.layout.pp, decode_context=context)
    _hold(step.time_s, *step.by_part.values(), *step.bound_frac.values())
    return step


@per_facts(_KEPT)
def _prompt_times(deployment: Deployment, workload: Workload, _scales: ComparableScales) -> Prompts:
    layout, new = deployment.layout, workload.new_tokens
    most = min(int(deployment.engine.batching.step_tokens // new), deployment.engine.batching.max_batch)
    per_rank = np.unique(np.round(np.geomspace(1, max(most, 1), 16))) if most >= 1 else np.ones(1)
    cached = workload.cached_tokens
    (pass_s, busy_s, bounds), (_, plain_s, _) = _prompt_passes(deployment, new, (cached, 0.0), per_rank)
    ttft_s = pass_s
    if cached > 0:
        load_s = per_rank * kv_bytes_per_request(deployment, cached)
        load_s /= deployment.accelerator.scaleout.bytes_per_s
        busy_s = np.maximum(busy_s, load_s)
        ttft_s = np.maximum(pass_s, load_s)
    per_request = deployment.devices / (per_rank * layout.dp)
    plain_s = np.minimum(plain_s, busy_s)
    device_s, cached_device_s = plain_s * per_request, (busy_s - plain_s) * per_request
    _hold(per_rank, ttft_s, device_s, cached_device_s)
    return Prompts(per_rank=per_rank, ttft_s=ttft_s, device_s=device_s, cached_device_s=cached_device_s, bounds=bounds)


def _hold(*arrays: FloatArray) -> None:
    """Let no one write to arrays that are kept."""
    for array in arrays:
        array.setflags(write=False)


def _prompt_passes(
    deployment: Deployment, new: float, cached: tuple[float, ...], per_rank: FloatArray
) -> list[tuple[FloatArray, FloatArray, tuple[str, ...]]]:
    """Latency of a pass of prompts, time until the next can follow, and what binds, for each count of cached tokens."""
    layout, budget = deployment.layout, float(deployment.engine.batching.step_tokens)
    chunks = int(np.ceil(new / budget))
    each = len(per_rank) if chunks <= 1 else chunks
    requests = per_rank * layout.dp if chunks <= 1 else np.full(chunks, float(layout.dp))
    before = np.zeros(each) if chunks <= 1 else np.arange(chunks) * budget
    step = step_time(
        deployment,
        prefill_tokens=np.tile(requests * np.minimum(new - before, budget), len(cached)),
        prefill_requests=np.tile(requests, len(cached)),
        prefill_context=np.concatenate([before + cached_tokens for cached_tokens in cached]),
    )
    names = _binding(step)
    passes = []
    for index in range(len(cached)):
        own = slice(index * each, (index + 1) * each)
        time_s = step.time_s[own]
        if chunks <= 1:
            passes.append((time_s, time_s / layout.pp, names[own]))
        else:
            whole_s = np.array([chunked_pass_s(time_s, layout.pp)])
            passes.append((whole_s, np.array([float(time_s.sum()) / layout.pp]), (names[own][-1],)))
    return passes


def _binding(step: StepTime) -> tuple[str, ...]:
    names = list(step.bound_frac)
    shares = np.stack([np.broadcast_to(step.bound_frac[name], step.time_s.shape) for name in names])
    return tuple(names[index] for index in np.atleast_1d(shares.argmax(axis=0)))


def _curve(
    deployment: Deployment,
    workload: Workload,
    batches: FloatArray,
    prefill: Deployment | None,
    largest: tuple[float, float],
) -> StaticCurve:
    """Latency and cost for each way of taking prompts and each batch.

    A request meets a running step only where others decode, and waits for half of it. On shared devices that puts off
    its first token; where prompts are processed apart, its second.
    """
    prompts = _prompts(prefill or deployment, workload)
    devices, slots = deployment.devices, deployment.layout.dp * deployment.layout.pp
    step = _decode_step(deployment, workload, batches)
    after, shape = workload.osl - 1.0, (len(prompts.per_rank), len(batches))
    steps = after / _tokens_per_step(deployment)
    prompt_device_s = (prompts.device_s + prompts.cached_device_s)[:, None]
    decode_device_s = devices * step.time_s / batches * steps
    wait_s = np.clip(batches - 1.0, 0.0, 1.0) * step.time_s / 2.0
    ttft_s = np.broadcast_to(prompts.ttft_s[:, None] + entry_time_s(prefill or deployment), shape)
    tpot_s = np.broadcast_to(step.time_s / _tokens_per_step(deployment), shape)
    possible = prompts.per_rank[:, None] <= np.maximum(batches / slots, 1.0)
    if prefill is None:
        ttft_s = ttft_s + wait_s
    else:
        possible = np.ones(shape, dtype=np.bool_)
    if prefill is not None and after > 0:
        ttft_s = ttft_s + cache_move_s(prefill, deployment, workload.isl)
        tpot_s = tpot_s + wait_s / after
    elif after > 0:
        tpot_s = shared_tpot_s(step.time_s, batches, prompt_device_s / devices, steps) * (steps / after)
    device_s = prompt_device_s + decode_device_s
    by_memory, by_engine = largest
    return StaticCurve(
        deployment=deployment, workload=workload, batches=batches, ttft_s=ttft_s, tpot_s=tpot_s,
        request_device_s=device_s, possible=possible, by_memory=by_memory, by_engine=by_engine, prompts=prompts,
        step=step,
    )  # fmt: skip


def _unreachable(curve: StaticCurve, ttft_s: float | None, tpot_s: float | None, e2e_s: float | None) -> LatencyError:
    """Name the limit that no batch meets, and the least time there is."""
    deployment = curve.deployment
    limits = (
        (TPOT_LIMIT, "TPOT", tpot_s, curve.tpot_s),
        (TTFT_LIMIT, "TTFT", ttft_s, curve.ttft_s),
        (E2E_LIMIT, "E2E", e2e_s, curve.e2e_s),
    )
    for name, short, limit, times in limits:
        if limit is not None and times[curve.possible].min() > limit:
            least_s = float(times[curve.possible].min())
            message = (
                f"{deployment}: {short} <= {1e3 * limit:g} ms cannot be met; the least is {1e3 * least_s:.3g} ms. "
                f"Allow {1.01 * least_s:.3g} s, or use more tensor parallelism, fewer bits, or a faster device."
            )
            return LatencyError(message, [name], least_s)
    given = [(name, short, limit) for name, short, limit, _ in limits if limit is not None]
    each = " and ".join(f"{short} <= {1e3 * limit:g} ms" for _, short, limit in given)
    message = (
        f"{deployment}: {each} can each be met but not together. Relax one, or process prompts on devices of their own."
    )
    return LatencyError(message, [name for name, _, _ in given], None)


def _batches(largest: float, slots: int) -> FloatArray:
    """All batches up to the largest: whole per slot (rank and stage) once every slot has one."""
    few = np.arange(1.0, min(slots, np.floor(largest) + 1.0))
    return np.append(few, np.arange(1.0, largest // slots + 1.0) * slots)


def _point(curve: StaticCurve, where: tuple[int, int]) -> StaticPoint:
    choice, index = where
    deployment, workload, prompts = curve.deployment, curve.workload, curve.prompts
    batch, devices = float(curve.batches[index]), deployment.devices
    step_s = float(curve.step.time_s[index])
    request_device_s = float(curve.request_device_s[where])
    prompt_device_s = float(prompts.device_s[choice] + prompts.cached_device_s[choice])
    capacity = kv_capacity_tokens(deployment, workload.decode_context)
    return StaticPoint(
        batch=batch,
        ttft_s=float(curve.ttft_s[where]),
        tpot_s=float(curve.tpot_s[where]),
        decode_step_s=step_s,
        prefill_tok_per_s_per_device=workload.new_tokens / prompt_device_s,
        decode_tok_per_s_per_device=batch * _tokens_per_step(deployment) / (devices * step_s),
        tok_per_s_per_device=workload.osl / request_device_s,
        req_per_s_per_device=1.0 / request_device_s,
        kv_capacity_tokens=capacity,
        memory_bytes=_memory_at(deployment, batch * workload.decode_context / capacity),
        bounds={"prefill": prompts.bounds[choice], "decode": _binding(curve.step)[index]},
        prefill_device_s=float(prompts.device_s[choice]),
        cached_device_s=float(prompts.cached_device_s[choice]),
        decode_device_s=request_device_s - prompt_device_s,
    )


def _tokens_per_step(deployment: Deployment) -> float:
    """Return the tokens that a decoding request gains in a step, accepted drafts among them."""
    return accepted_tokens(deployment.draft_tokens, deployment.engine.batching.draft_acceptance_frac)


def _memory_at(deployment: Deployment, occupied_frac: float) -> dict[str, float]:
    """Memory per device by kind with that share of the cache in use."""
    use = memory_use(deployment)
    return {
        "weights": use.weights_bytes,
        "activations": use.activations_bytes,
        "reserved": use.reserved_bytes,
        "graphs": use.graphs_bytes,
        "kv": use.kv_bytes * occupied_frac,
        "kv_free": use.kv_bytes * (1.0 - occupied_frac),
    }
