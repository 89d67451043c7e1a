"""Runs a load through replicas of a deployment and sums it up: latency, throughput, use, and whether it is stable."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from jevons.errors import InfeasibleError, InputError, did_you_mean
from jevons.limits import BATCH, CACHE_KEYS, DRAFTS, PRIORITIES, REPLICAS
from jevons.serving.sim import ahead
from jevons.serving.sim._kernels import drive
from jevons.serving.sim._kernels import state as ks
from jevons.serving.sim._kernels.engine import ELSEWHERE
from jevons.serving.sim.invariants import checked
from jevons.serving.sim.overload import STABLE, backlog_of, overload_of
from jevons.serving.sim.replica.drafts import in_units, longest_tokens, pace_of, steps_needed
from jevons.serving.sim.replica.step_table import constant_table
from jevons.serving.sim.types import (
    LONGEST_S,
    QUANTILES,
    TICKS_PER_S,
    Counts,
    FloatArray,
    IntArray,
    LatencySpreads,
    Occupancy,
    Overload,
    Requests,
    SimLimits,
    SimResult,
    Spread,
    StepTable,
    Throughput,
    Timing,
    Trail,
    WholeRun,
    tick_sum,
    work_of,
)
from jevons.serving.sim.window import made_in

ROUTINGS = ("round_robin", "least_loaded")

TOTALS = {
    "end": ks.TIME, "busy": ks.BUSY, "steps": ks.STEP, "events": ks.EVENTS,
    "preemptions": ks.PREEMPTIONS, "prefill_tokens": ks.PREFILLED, "hit_tokens": ks.HIT_TOKENS,
    "decode_tokens": ks.DECODED, "context_steps": ks.CONTEXT_STEPS, "peak_blocks": ks.PEAK,
    "blocks": ks.USED, "swaps": ks.SWAPS, "moved_blocks": ks.MOVED, "host_hit_tokens": ks.HOST_HIT_TOKENS,
    "host_blocks": ks.HOSTED,
}  # fmt: skip
"""Totals of a `Trail`, and where a replica's state has them."""

_PATIENCE_S = 1.5


def simulate(
    requests: Requests,
    table: StepTable,
    limits: SimLimits,
    *,
    replicas: int = 1,
    routing: str = "round_robin",
    entry_s: float = 0.0,
    ttft_s: float | None = None,
    tpot_s: float | None = None,
    e2e_s: float | None = None,
    edge_frac: float = 0.05,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> SimResult:
    """Serve a load by continuous batching, exact to the step.

    Parameters
    ----------
    requests : Requests
        The load.
    table : StepTable
        Step times of one replica, at least as large as *limits*.
    limits : SimLimits
        Limits of one replica.
    replicas : int
        Equal engines, >= 1. Users of a closed loop stay with theirs.
    routing : str
        ``round_robin``, or ``least_loaded``: to the first of those with fewest unanswered requests.
    entry_s : float
        Time of a request outside the engine [s]: it reaches the engine that much later.
    ttft_s, tpot_s, e2e_s : float, optional
        Latency limits that a request must meet to count as goodput [s].
    edge_frac : float
        Share of the requests at the start (warm-up) and as many at the end (drain) that statistics leave out, in
        [0, 0.5). All at once has neither and counts all.
    seed : int
        Of which drafted tokens are accepted; nothing else is chance.
    progress : callable, optional
        Told where the first run on a machine takes seconds to compile the kernels.

    Returns
    -------
    SimResult
        Requests that no replica could ever hold are counted as rejected and left out.

    Raises
    ------
    InputError
        If an argument is out of range.
    InfeasibleError
        If no request fits.

    Notes
    -----
    First come, first served, within each priority. A step takes one token of every decode, then prompt tokens up to the
    budget: the prompt in work first, then waiting ones while slots and blocks for their whole prompts are free. Where
    the next tokens of the decodes do not fit, the request admitted last (of the lowest priority that runs) loses its
    cache and computes prompt and answer so far anew, or fetches them from the host where they were swapped to. So does
    one whose place a waiting request of higher priority takes.
    """
    check_inputs(requests, table, limits, replicas, routing, edge_frac)
    longest = limits.kv_blocks * limits.block_tokens
    total = requests.isl + requests.osl
    steps = steps_needed(requests, limits, seed)
    fits = longest_tokens(requests, steps, limits) <= longest
    if limits.max_context:
        fits &= total <= limits.max_context
    if not fits.any():
        least = int(total.min())
        message = (
            f"no request fits: the shortest has {least:,} tokens, a replica holds {longest:,} and a sequence at most "
            f"{limits.max_context or longest:,}. Use a larger device, fewer bits, or shorter requests."
        )
        raise InfeasibleError(message, ["device memory"])
    kernels_began = time.perf_counter()
    with told_of_compiling(progress):
        compile_kernels(closed=requests.users > 0)
    began = time.perf_counter()
    trail = serve(requests, steps, np.flatnonzero(fits), table, limits, replicas, routing, entry_s)
    wall_s = time.perf_counter() - began
    slo = (ttft_s, tpot_s, e2e_s)
    clock = wall_s, began - kernels_began
    return checked(summarise(requests, trail, limits, entry_s, slo, edge_frac, clock, int(fits.sum())))


def check_inputs(
    requests: Requests, table: StepTable, limits: SimLimits, replicas: int, routing: str, edge_frac: float
) -> None:
    """Refuse what the kernels could not take."""
    if routing not in ROUTINGS:
        message = f"routing `{routing}`: unknown.{did_you_mean(routing, ROUTINGS)} Known: {', '.join(ROUTINGS)}."
        raise InputError(message)
    for name, value, least, most in (
        ("replicas", replicas, 1, REPLICAS),
        ("max_batch", limits.max_batch, 1, min(len(table.base) - 1, BATCH)),
        ("step_tokens", limits.step_tokens, 1, len(table.alone) - 1),
        ("requests", requests.count, 1, 1 << 40),
        ("users", requests.users, 0, 1 << 40),
        ("queue", limits.queue, 0, 1 << 40),
        ("host_blocks", limits.host_blocks, 0, 1 << 40),
        ("move_s", limits.move_s, 0, 3600),
        ("draft_tokens", limits.draft_tokens, 0, min(DRAFTS, limits.block_tokens - 1)),
    ):
        if not least <= value <= most:
            message = f"{name} = {value}: must be from {least} to {most:,}"
            raise InputError(message)
    if not 0.0 <= edge_frac < 0.5:
        message = f"edge_frac = {edge_frac}: must be in [0, 0.5)"
        raise InputError(message)
    if not 0.0 <= limits.draft_acceptance_frac < 1.0:
        message = f"draft_acceptance_frac = {limits.draft_acceptance_frac}: must be in [0, 1)"
        raise InputError(message)
    if limits.queue and requests.users:
        message = f"queue = {limits.queue}: users of a closed loop wait for their answer. Use fewer users, or a rate."
        raise InputError(message)
    if limits.swap and not limits.host_blocks:
        message = "swap: needs host_blocks, memory of the host to go to"
        raise InputError(message)
    if requests.priority is not None and len(np.unique(requests.priority)) > PRIORITIES:
        message = f"priority: at most {PRIORITIES} different ones"
        raise InputError(message)
    for name, lengths in (("isl", requests.isl), ("osl", requests.osl)):
        if lengths.min() < 1:
            message = f"{name} = {lengths.min()} of request {int(lengths.argmin())}: must be at least 1 token"
            raise InputError(message)
    if requests.hashes is not None and requests.hash_tokens != limits.block_tokens:
        message = f"block_tokens = {limits.block_tokens}: must be {requests.hash_tokens}, the tokens of a hashed block"
        raise InputError(message)
    if requests.users:
        return
    arrival_s = requests.arrival_s
    if not (np.isfinite(arrival_s).all() and arrival_s[0] >= 0 and (np.diff(arrival_s) >= 0).all()):
        message = "arrival_s: must be finite, at least 0, and ascending; sort the load by arrival"
        raise InputError(message)
    if arrival_s[-1] > LONGEST_S:
        message = f"arrival_s = {arrival_s[-1]:g}: a load may last {LONGEST_S:g} s at most; raise its rate or cut it"
        raise InputError(message)


def work_arrays(requests: Requests, steps: IntArray | None = None) -> ks.Work:
    """Return the requests as the kernels take them; *steps* are the output tokens where none are drafted."""
    rows = np.zeros((ks.WORK_ROWS, requests.count), dtype=np.int64)
    rows[ks.ISL], rows[ks.OSL] = requests.isl, requests.osl
    rows[ks.STEPS] = requests.osl if steps is None else steps
    rows[[ks.ADMITTED, ks.FIRST_TOKEN, ks.FINISH, ks.FOLLOWING]] = -1
    if requests.priority is not None:
        rows[ks.CLASS_OF] = np.unique(requests.priority, return_inverse=True)[1]
    hashes, start = requests.hashes, requests.hash_start
    if hashes is None or start is None:
        hashes, start = np.zeros(0, dtype=np.int64), np.zeros(requests.count + 1, dtype=np.int64)
    return ks.Work(rows, hashes, start)


def bounds_of(limits: SimLimits, keys: int, classes: int = 1) -> IntArray:
    """Return the limits as the kernels take them; *keys* are the hashes of prompt blocks."""
    bounds = np.zeros(ks.LIMITS_SIZE, dtype=np.int64)
    bounds[: ks.CLASSES] = (limits.max_batch, limits.step_tokens, limits.block_tokens, limits.kv_blocks, keys)
    bounds[ks.CLASSES : ks.HOST_BLOCKS] = (classes, *pace_of(limits))
    bounds[ks.HOST_BLOCKS :] = (limits.host_blocks, limits.swap, round(limits.move_s * TICKS_PER_S), limits.queue)
    return bounds


def kernel_table(table: StepTable) -> ks.Table:
    """Return step times as the kernels take them."""
    by_tokens = np.stack([table.alone, table.own, table.cached])
    return ks.Table(table.knots, np.stack([table.base, table.slope]), by_tokens, table.mixed_batches, table.mixed)


def serve(
    requests: Requests,
    steps: IntArray,
    ids: IntArray,
    table: StepTable,
    limits: SimLimits,
    replicas: int,
    routing: str,
    entry_s: float,
    handed: IntArray | None = None,
) -> Trail:
    """Run the kernels and gather what they leave; requests may be *handed* over, at those ticks, with their cache."""
    work, arrays = work_arrays(requests, steps), kernel_table(in_units(table, pace_of(limits).unit))
    if handed is not None:
        work.rows[ks.MADE], work.rows[ks.CACHE_AT], work.rows[ks.FIRST_TOKEN] = 1, ELSEWHERE, handed
    keys = int(work.hashes.max()) + 1 if len(work.hashes) else 0
    bounds = bounds_of(limits, keys, int(work.rows[ks.CLASS_OF].max()) + 1)
    entry = round(entry_s * TICKS_PER_S)
    apart = replicas if routing == "least_loaded" and not requests.users else 1
    if apart * keys > CACHE_KEYS:
        message = (
            f"{keys:,} prompt blocks x {apart} replicas: at most {CACHE_KEYS:,}. Use fewer requests or round_robin."
        )
        raise InputError(message)
    states = np.zeros((replicas, ks.STATE_SIZE), dtype=np.int64)
    replica = np.full(requests.count, -1, dtype=np.int64)
    gaps = np.zeros(ks.GAP_BINS, dtype=np.int64)
    arrival = _drive(requests, ids, (work, arrays, bounds), (states, replica, gaps), routing, entry, handed)
    if states[:, ks.OUTSTANDING].any():
        most_s = ks.FOREVER / TICKS_PER_S
        message = (
            f"{requests.count:,} requests take these {replicas} replicas more than {most_s:,.0f} s. "
            "Use fewer or shorter requests, or more replicas."
        )
        raise InputError(message)
    totals = {name: states[:, column].copy() for name, column in TOTALS.items()}
    totals["context_steps"] //= pace_of(limits).unit
    admitted, first, finish, preempted = work.rows[[ks.ADMITTED, ks.FIRST_TOKEN, ks.FINISH, ks.PREEMPTED]]
    replica[admitted < 0] = -1
    return Trail(
        arrival=arrival,
        admitted=admitted,
        first=first,
        finish=finish,
        preempted=preempted,
        replica=replica,
        totals=totals,
        gaps=gaps,
    )


def _drive(
    requests: Requests,
    ids: IntArray,
    inputs: tuple[ks.Work, ks.Table, IntArray],
    outcome: tuple[IntArray, IntArray, IntArray],
    routing: str,
    entry: int,
    handed: IntArray | None,
) -> IntArray:
    """Run the kernel of the load's kind; fill states and replica of each request, return arrivals at the engine."""
    work, arrays, bounds = inputs
    states, replica, gaps = outcome
    replicas = len(states)
    if requests.users:
        arrival = np.full(requests.count, -1, dtype=np.int64)
        pause = round(requests.think_s * TICKS_PER_S) + entry
        for place in range(replicas):
            users = requests.users // replicas + (place < requests.users % replicas)
            own = ids[place::replicas]
            if users == 0 and len(own):
                message = f"users = {requests.users}: must be at least the number of replicas, {replicas}"
                raise InputError(message)
            drive.run_closed(arrival, work, arrays, bounds, own, states[place], gaps, users, pause)
            replica[own] = place
        arrival[ids] += entry
        for row in (ks.ADMITTED, ks.FIRST_TOKEN, ks.FINISH):
            work.rows[row, ids] += entry
    else:
        arrival = np.round(requests.arrival_s * TICKS_PER_S).astype(np.int64) + entry if handed is None else handed
        if routing == "least_loaded" and replicas > 1:
            drive.run_open(arrival, work, arrays, bounds, ids, states, gaps, replica)
        else:
            for place in range(replicas):
                own = ids[place::replicas]
                drive.run_open(arrival, work, arrays, bounds, own, states[place : place + 1], gaps, replica)
                replica[own] = place
    return arrival


@contextlib.contextmanager
def told_of_compiling(progress: Callable[[str], None] | None) -> Iterator[None]:
    """Say that kernels are compiled where it takes longer than loading them."""
    said = threading.Timer(_PATIENCE_S, progress or str, ["compiling the simulator, once on this machine"])
    said.daemon = True
    said.start()
    try:
        yield
    finally:
        said.cancel()


def compile_kernels(*, closed: bool) -> None:
    """Compile the kernel of one kind of load, or load it from the cache, on two requests."""
    ahead.finish(closed=closed)
    ones = np.ones(2, dtype=np.int64)
    tiny = Requests(arrival_s=np.zeros(2), isl=ones, osl=ones, users=2 if closed else 0)
    table = constant_table(2, 4, decode_s=0.01, prompt_token_s=0.001)
    limits = SimLimits(max_batch=2, step_tokens=4, block_tokens=1, kv_blocks=64)
    serve(tiny, ones, np.arange(2), table, limits, 1, "round_robin", 0.0)


def spread_of(values: FloatArray) -> Spread | None:
    """Return mean and percentiles of some values; None for none."""
    if not len(values):
        return None
    quantiles = np.quantile(values, list(QUANTILES.values()))
    return Spread(mean=float(values.mean()), **dict(zip(QUANTILES, map(float, quantiles), strict=True)))


def gap_spread(gaps: IntArray) -> Spread | None:
    """Return mean and percentiles of the times of decode steps, by token, from the kernels' bins [s]."""
    total = int(gaps.sum())
    if total == 0:
        return None
    edges = ((np.arange(len(gaps) + 1) + ks.GAP_FIRST) << ks.GAP_SHIFT).view(np.float64) / TICKS_PER_S
    below = np.append(0, np.cumsum(gaps)) / total
    mean = float((gaps * (edges[:-1] + edges[1:]) / 2).sum()) / total
    return Spread(mean=mean, **{name: float(np.interp(q, below, edges)) for name, q in QUANTILES.items()})


def summarise(
    requests: Requests,
    trail: Trail,
    limits: SimLimits,
    entry_s: float,
    slo: tuple[float | None, float | None, float | None],
    edge_frac: float,
    clock: tuple[float, float],
    fitting: int,
) -> SimResult:
    """Sum up the requests between warm-up and drain."""
    done = np.flatnonzero(trail.finish >= 0)
    arrival = trail.arrival[done] / TICKS_PER_S - entry_s
    first, finish = trail.first[done] / TICKS_PER_S, trail.finish[done] / TICKS_PER_S
    osl = requests.osl[done]
    counted, window = steady_window(requests, arrival, finish, edge_frac)
    latency, throughput = client_view((arrival, first, finish), osl, counted, window, slo, trail.gaps)
    whole = whole_run((arrival, first, finish), osl, slo, trail.gaps)
    totals, replicas = trail.totals, len(trail.totals["end"])
    end_s = float(totals["end"].max()) / TICKS_PER_S
    decode_steps = max(int(totals["steps"].sum()), 1)
    holds = limits.kv_blocks * limits.block_tokens
    running_s = finish - trail.admitted[done] / TICKS_PER_S
    return SimResult(
        counts=Counts(
            requests=requests.count, served=len(done), rejected=requests.count - fitting, refused=fitting - len(done),
            counted=int(counted.sum()),
        ),
        latency=latency, throughput=throughput, whole=whole,
        occupancy=Occupancy(
            utilisation_frac=tick_sum(totals["busy"]) / TICKS_PER_S / max(end_s * replicas, 1e-12),
            mean_batch=float(totals["decode_tokens"].sum()) / decode_steps,
            mean_running=float(running_s.sum()) / max(end_s * replicas, 1e-12),
            mean_in_system=float((finish - arrival).sum()) / max(end_s * replicas, 1e-12),
            kv_mean_frac=tick_sum(totals["context_steps"]) / decode_steps / holds,
            kv_peak_frac=float(totals["peak_blocks"].max()) / limits.kv_blocks,
        ),
        work=work_of(totals),
        timing=Timing(
            window_s=window, end_s=max(end_s, float(finish.max())), wall_s=clock[0], compile_s=clock[1],
        ),
        overload=overload(requests, arrival, finish, trail), trail=trail,
    )  # fmt: skip


def client_view(
    times_s: tuple[FloatArray, FloatArray, FloatArray],
    osl: IntArray,
    counted: NDArray[np.bool_],
    window_s: tuple[float, float],
    slo: tuple[float | None, float | None, float | None],
    gaps: IntArray,
) -> tuple[LatencySpreads, Throughput]:
    """Return latencies of the requests that count, and rates of the window.

    A request belongs to the window by the share of its tokens that came in it: whole requests that end just before or
    behind an edge, as whole waves of a closed loop do, would move the rates of a short window.

    Parameters
    ----------
    times_s : tuple of ndarray
        When each answered request arrived, and when its first and last token came.
    osl, counted : ndarray
        Its output tokens, and whether statistics count it.
    window_s, slo : tuple of float
        Window, and limits of TTFT, TPOT and E2E latency or None.
    gaps : ndarray
        Histogram of the gaps between tokens.
    """
    arrival, first, finish = times_s
    ttft_s, e2e_s, many = first - arrival, finish - arrival, osl > 1
    tpot_s = np.where(many, (finish - first) / np.maximum(osl - 1, 1), 0.0)
    share = made_in(first, finish, osl, window_s)
    good = within((ttft_s, tpot_s, e2e_s), slo)
    length_s = window_s[1] - window_s[0]
    latency = LatencySpreads(
        ttft_s=spread_of(ttft_s[counted]), tpot_s=spread_of(tpot_s[counted & many]), e2e_s=spread_of(e2e_s[counted]),
        itl_s=gap_spread(gaps),
    )  # fmt: skip
    throughput = Throughput(
        req_per_s=float(share.sum()) / length_s, output_tok_per_s=float((osl * share).sum()) / length_s,
        goodput_req_per_s=float(share[good].sum()) / length_s,
    )  # fmt: skip
    return latency, throughput


def whole_run(
    times_s: tuple[FloatArray, FloatArray, FloatArray],
    osl: IntArray,
    slo: tuple[float | None, float | None, float | None],
    gaps: IntArray,
) -> WholeRun:
    """Return what a benchmark prints: every answered request, over the time from the first sent to the last answer."""
    if not len(osl):
        nothing = LatencySpreads(ttft_s=None, tpot_s=None, e2e_s=None, itl_s=None)
        none = Throughput(req_per_s=0.0, output_tok_per_s=0.0, goodput_req_per_s=0.0)
        return WholeRun(latency=nothing, throughput=none, wall_s=0.0)
    start, stop = float(times_s[0].min()), float(times_s[2].max())
    stop = max(stop, start + 1e-12)
    counted = np.ones(len(osl), dtype=np.bool_)
    latency, throughput = client_view(times_s, osl, counted, (start, stop), slo, gaps)
    return WholeRun(latency=latency, throughput=throughput, wall_s=stop - start)


def within(times_s: tuple[FloatArray, ...], limits_s: tuple[float | None, ...]) -> NDArray[np.bool_]:
    """Return which requests keep all limits that there are."""
    is_within = np.ones(len(times_s[0]), dtype=np.bool_)
    for values, limit in zip(times_s, limits_s, strict=True):
        if limit is not None:
            is_within &= values <= limit
    return is_within


def steady_window(
    requests: Requests, arrival: FloatArray, finish: FloatArray, edge_frac: float
) -> tuple[NDArray[np.bool_], tuple[float, float]]:
    """Return which requests count, and the time in which they arrive; all, and the whole run, for a load at once."""
    count = len(arrival)
    edge = int(count * edge_frac)
    start, stop = float(arrival[edge]), float(arrival[count - 1 - edge])
    if requests.users:
        finished = np.sort(finish)
        start, stop = float(finished[edge]), float(finished[count - 1 - edge])
        if stop > start:
            return (arrival >= start) & (finish <= stop), (start, stop)
    elif stop > start:
        counted = np.zeros(count, dtype=np.bool_)
        counted[edge : count - edge] = True
        return counted, (start, stop)
    return np.ones(count, dtype=np.bool_), (0.0, max(float(finish.max()), 1e-12))


def overload(requests: Requests, arrival: FloatArray, finish: FloatArray, trail: Trail) -> Overload:
    """Return whether *arrival* exceeds what is finished [s]; a closed loop, or a load at once, never does."""
    if requests.users or arrival[-1] <= 0.0:
        return STABLE
    busy_frac = tick_sum(trail.totals["busy"]) / tick_sum(np.maximum(trail.totals["end"], 1))
    return overload_of(backlog_of(arrival, float(trail.first.max()) / TICKS_PER_S, finish), busy_frac)
