"""Prompts and decoding on replicas of their own, with the cache handed over between them (disaggregation)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jevons.errors import InfeasibleError, InputError
from jevons.serving.memory import cache_move_s
from jevons.serving.sim.invariants import checked
from jevons.serving.sim.replica.drafts import longest_tokens, steps_needed
from jevons.serving.sim.replica.run import (
    check_inputs,
    compile_kernels,
    overload,
    serve,
    spread_of,
    summarise,
    told_of_compiling,
)
from jevons.serving.sim.types import (
    TICKS_PER_S,
    FloatArray,
    IntArray,
    Overload,
    Requests,
    SimLimits,
    SimResult,
    Spread,
    StepTable,
    Trail,
    tick_sum,
)
from jevons.serving.types import Deployment

_LONGEST_MOVE_S = 3600.0
_MOST_LENGTHS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Equal replicas that do one of the two.

    Parameters
    ----------
    table, limits : StepTable, SimLimits
        Step times and limits of one replica.
    replicas : int
        How many, >= 1.
    links : int
        Caches that one replica sends at once: its attention ranks, >= 1.
    """

    table: StepTable
    limits: SimLimits
    replicas: int = 1
    links: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUse:
    """How busy a pool was.

    Parameters
    ----------
    utilisation_frac, kv_peak_frac : float
        Share of time with a step running; fullest cache of any replica.
    preemptions : int
        Requests that lost their place.
    overload_frac : float or None
        By how much what comes exceeds what the pool finishes; None where it keeps up.
    """

    utilisation_frac: float
    kv_peak_frac: float
    preemptions: int
    overload_frac: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitResult:
    """Outcome of both pools together.

    Parameters
    ----------
    simulated : SimResult
        What users see, and the totals of both pools, the prompts' replicas before the others. ``kv_mean_frac`` and
        ``mean_batch`` are the decoding replicas'.
    prefill, decode : PoolUse
        Each pool.
    hand_over_s : Spread or None
        From a prompt's end until its cache has arrived, waiting for the link included [s]; None where no answer has
        more than one token.
    """

    simulated: SimResult
    prefill: PoolUse
    decode: PoolUse
    hand_over_s: Spread | None


def hand_over_s(prefill: Deployment, decode: Deployment, isl: IntArray) -> FloatArray:
    """Return the time that the cache of each prompt takes from one pool to the other over an idle link [s].

    Parameters
    ----------
    prefill, decode : Deployment
        A replica of each pool.
    isl : ndarray of int, shape (n,)
        Prompt tokens, >= 1.

    Notes
    -----
    As `jevons.serving.memory.cache_move_s`, interpolated between lengths where there are many.
    """
    lengths = np.unique(isl)
    if len(lengths) > _MOST_LENGTHS:
        lengths = np.unique(np.round(np.linspace(lengths[0], lengths[-1], _MOST_LENGTHS)))
    moved: FloatArray = np.interp(isl, lengths, [cache_move_s(prefill, decode, float(tokens)) for tokens in lengths])
    return moved


def simulate_split(
    requests: Requests,
    prefill: Pool,
    decode: Pool,
    moved_s: FloatArray,
    *,
    routing: str = "least_loaded",
    entry_s: float = 0.0,
    ttft_s: float | None = None,
    tpot_s: float | None = None,
    e2e_s: float | None = None,
    edge_frac: float = 0.05,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> SplitResult:
    """Serve a load by replicas for prompts and others for decoding, exact to the step.

    Parameters
    ----------
    requests : Requests
        The load; not a closed loop.
    prefill, decode : Pool
        The two pools.
    moved_s : ndarray, shape (n,)
        Time that each prompt's cache takes over a link [s], >= 0.
    routing, entry_s, ttft_s, tpot_s, e2e_s, edge_frac, seed, progress
        As of `simulate`; both pools are routed alike.

    Returns
    -------
    SplitResult
        Requests that either pool could never hold are counted as rejected.

    Raises
    ------
    InputError
        If an argument is out of range, or the load is a closed loop.
    InfeasibleError
        If no request fits.

    Notes
    -----
    A prompt is computed as by `simulate`, prefix cache and priorities included. Its cache is then sent over one of the
    links of its replica, one after the other, and users see the first token when it has arrived; an answer of one token
    is finished without. The decoding replica takes the request where a slot and blocks are free. It computes prompts
    only of requests that lost their place there, and has no prefix cache. Leaves out that the prompt's replica holds
    the cache until it is sent.
    """
    _check_split(requests, prefill, decode, moved_s, routing, edge_frac)
    one = np.ones(requests.count, dtype=np.int64)
    prompts, answers = replace(requests, osl=one), replace(requests, hashes=None, hash_start=None, hash_tokens=0)
    steps = steps_needed(requests, decode.limits, seed)
    ids = _fitting(requests, steps, prefill, decode)
    kernels_began = time.perf_counter()
    with told_of_compiling(progress):
        compile_kernels(closed=False)
    began = time.perf_counter()
    first = serve(prompts, one, ids, prefill.table, prefill.limits, prefill.replicas, routing, entry_s)
    going = (first.finish >= 0) & (requests.osl > 1)
    ready = _arrivals(first, going, np.round(moved_s * TICKS_PER_S).astype(np.int64), prefill)
    order = np.flatnonzero(going)
    order = order[np.argsort(ready[order], kind="stable")]
    second = serve(answers, steps, order, decode.table, decode.limits, decode.replicas, routing, 0.0, handed=ready)
    wall_s = time.perf_counter() - began
    trail = _joined(first, second, going, ready, prefill.replicas)
    slo, clock = (ttft_s, tpot_s, e2e_s), (wall_s, began - kernels_began)
    result = summarise(requests, trail, decode.limits, entry_s, slo, edge_frac, clock, len(ids))
    prefill_use = _use(first, prefill, requests, np.flatnonzero(first.finish >= 0))
    decode_use = _use(second, decode, requests, order)
    use = (prefill_use, decode_use)
    worst_frac = max((pool.overload_frac for pool in use if pool.overload_frac is not None), default=None)
    result = replace(
        result, occupancy=replace(result.occupancy, kv_peak_frac=max(pool.kv_peak_frac for pool in use)),
        overload=Overload(
            overload_frac=worst_frac, capacity_req_per_s=None if worst_frac is None else _pace(requests, trail)
        ),
    )  # fmt: skip
    hand_over_s = spread_of((ready - first.finish)[order] / TICKS_PER_S)
    checked(result)
    return SplitResult(simulated=result, prefill=prefill_use, decode=decode_use, hand_over_s=hand_over_s)


def _check_split(
    requests: Requests, prefill: Pool, decode: Pool, moved_s: FloatArray, routing: str, edge_frac: float
) -> None:
    """Refuse what the kernels could not take."""
    if requests.users:
        message = "a closed loop: pools for prompts and decoding take a load with arrivals; give a rate"
        raise InputError(message)
    for pool in (prefill, decode):
        own = requests if pool is prefill else replace(requests, hashes=None)
        check_inputs(own, pool.table, pool.limits, pool.replicas, routing, edge_frac)
        if pool.links < 1:
            message = f"links = {pool.links}: must be at least 1"
            raise InputError(message)
    if prefill.limits.draft_tokens:
        message = f"draft_tokens = {prefill.limits.draft_tokens} of the prompts' pool: it decodes nothing; leave it 0"
        raise InputError(message)
    if len(moved_s) != requests.count or not ((moved_s >= 0) & (moved_s <= _LONGEST_MOVE_S)).all():
        message = f"moved_s: must be a time from 0 to {_LONGEST_MOVE_S:g} s for each of {requests.count:,} requests"
        raise InputError(message)


def _fitting(requests: Requests, steps: IntArray, prefill: Pool, decode: Pool) -> IntArray:
    """Return the requests that both pools can hold."""
    holds = [pool.limits.kv_blocks * pool.limits.block_tokens for pool in (prefill, decode)]
    fits = (requests.isl <= holds[0]) & (longest_tokens(requests, steps, decode.limits) <= holds[1])
    for pool in (prefill, decode):
        if pool.limits.max_context:
            fits &= requests.isl + requests.osl <= pool.limits.max_context
    if not fits.any():
        least = int((requests.isl + requests.osl).min())
        message = (
            f"no request fits: the shortest has {least:,} tokens, a replica for prompts holds {holds[0]:,} and one for "
            f"decoding {holds[1]:,}. Use larger devices, fewer bits, or shorter requests."
        )
        raise InfeasibleError(message, ["device memory"])
    return np.flatnonzero(fits)


def _arrivals(first: Trail, going: NDArray[np.bool_], moved: IntArray, prefill: Pool) -> IntArray:
    """Return when each cache has arrived, sent in the order in which prompts end over the links in turn [ticks]."""
    ready = np.full(len(moved), -1, dtype=np.int64)
    for replica in range(prefill.replicas):
        own = np.flatnonzero((first.replica == replica) & going)
        own = own[np.argsort(first.finish[own], kind="stable")]
        for link in range(prefill.links):
            sent = own[link :: prefill.links]
            total = np.cumsum(moved[sent])
            ready[sent] = total + np.maximum.accumulate(first.finish[sent] - (total - moved[sent]))
    return ready


def _joined(first: Trail, second: Trail, on: NDArray[np.bool_], ready: IntArray, prompt_replicas: int) -> Trail:
    """Return one trail of both pools, *on* being the requests that went on to the second."""
    totals = {name: np.append(first.totals[name], second.totals[name]) for name in first.totals}
    return Trail(
        arrival=first.arrival,
        admitted=first.admitted,
        first=np.where(on, ready, first.first),
        finish=np.where(on, second.finish, first.finish),
        preempted=first.preempted + second.preempted,
        replica=np.where(on & (second.replica >= 0), second.replica + prompt_replicas, first.replica),
        totals=totals,
        gaps=second.gaps,
    )


def _use(trail: Trail, pool: Pool, requests: Requests, ids: IntArray) -> PoolUse:
    """Return how busy a pool was with the requests that came to it."""
    done = ids[trail.finish[ids] >= 0]
    end = max(int(trail.totals["end"].max()), 1)
    arrival, finish = trail.arrival[done] / TICKS_PER_S, trail.finish[done] / TICKS_PER_S
    return PoolUse(
        utilisation_frac=tick_sum(trail.totals["busy"]) / (end * pool.replicas),
        kv_peak_frac=float(trail.totals["peak_blocks"].max()) / pool.limits.kv_blocks,
        preemptions=int(trail.totals["preemptions"].sum()),
        overload_frac=overload(requests, arrival, finish, trail).overload_frac
        if len(done) and requests.arrival_s[-1] > 0
        else None,
    )


def _pace(requests: Requests, trail: Trail) -> float:
    """Return the requests that both pools together finish per second while the load comes."""
    last = round(float(requests.arrival_s[-1]) * TICKS_PER_S)
    inside = (trail.finish > last // 2) & (trail.finish <= last)
    return float(inside.sum()) / ((last - last // 2) / TICKS_PER_S)
