"""What a simulated load, an engine's limits and a simulation's outcome are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

TICKS_PER_S = 10**12
"""Simulated time is whole picoseconds, so that leaping over steps and walking through them give equal results."""

LONGEST_S = 4_000_000.0
"""Longest simulated time; ticks of longer ones would not fit 64 bits with a margin."""


def tick_sum(ticks: IntArray) -> float:
    """Return the sum of times in ticks over replicas, in floating point: 64 bits wrap after 2,562 replica-hours."""
    return float(ticks.sum(dtype=np.float64))


QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """A load: requests in order of arrival.

    Parameters
    ----------
    arrival_s : ndarray, shape (n,)
        Arrival from the start of the load [s], ascending; in a closed loop, unused.
    isl, osl : ndarray of int, shape (n,)
        Prompt and output tokens, >= 1.
    users : int
        Users of a closed loop, each of whom sends its next request when the last is answered; 0 for an open load.
    think_s : float
        Time from an answer to the user's next request [s].
    origin : str
        Where the load is from, in words.
    hashes, hash_start : ndarray of int or None, shapes (m,), (n + 1,)
        Hashes of prompt blocks, 0 to m - 1, request by request, and where those of each begin: prompts with equal
        leading hashes share a prefix. None for no prefix cache.
    hash_tokens : int
        Tokens of such a block; the engine's must be as large.
    priority : ndarray of int or None, shape (n,)
        Lower ones are admitted first, and take the cache and the slots of running requests of higher ones where they do
        not fit beside them. None where all are equal.
    """

    arrival_s: FloatArray
    isl: IntArray
    osl: IntArray
    users: int = 0
    think_s: float = 0.0
    origin: str = ""
    hashes: IntArray | None = None
    hash_start: IntArray | None = None
    hash_tokens: int = 0
    priority: IntArray | None = None

    @property
    def count(self) -> int:
        """Number of requests."""
        return len(self.isl)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimLimits:
    """Limits of the engine of one replica.

    Parameters
    ----------
    max_batch : int
        Most requests in work at once.
    step_tokens : int
        Most tokens of one step, those of running decodes included.
    block_tokens : int
        Tokens of one cache block.
    kv_blocks : int
        Blocks of the cache.
    max_context : int
        Longest prompt and output together; 0 for no limit but the cache.
    queue : int
        Most requests that wait; one that comes when so many do is refused. 0 for no limit.
    host_blocks : int
        Blocks of host memory behind the cache: blocks of the prefix cache that make room go there. 0 for none.
    swap : bool
        Whether the cache of a preempted decode goes to the host too, as far as there is room, instead of being lost.
    move_s : float
        Time that the engine stands still for each block that a request waits for, to the host or back [s]. Blocks of
        the prefix cache leave for the host behind the steps.
    draft_tokens : int
        Tokens that are drafted in each decode step and verified together; the step table must hold their cost.
    draft_acceptance_frac : float
        Chance that each is accepted where those before it were, in [0, 1).
    """

    max_batch: int
    step_tokens: int
    block_tokens: int
    kv_blocks: int
    max_context: int = 0
    queue: int = 0
    host_blocks: int = 0
    swap: bool = False
    move_s: float = 0.0
    draft_tokens: int = 0
    draft_acceptance_frac: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTable:
    """Step times of one deployment in ticks, ready for lookup.

    Parameters
    ----------
    knots : ndarray of int, shape (k + 1,)
        Mean contexts between which decode time is linear; the last piece goes on for ever.
    base, slope : ndarray of int, shape (max_batch + 1, k)
        Decode step of a batch: ``base + slope * (sum of contexts)`` in the piece of the mean context.
    alone : ndarray of int, shape (step_tokens + 1,)
        Step of that many prompt tokens and no decodes, attention apart.
    mixed_batches : ndarray of int, shape (r,)
        Decode batches of the rows of *mixed*, from 0.
    mixed : ndarray of int, shape (r, step_tokens + 1)
        What that many prompt tokens beside that batch take over *alone* of both and the decode step; linear between.
    own, cached : ndarray of int, shape (step_tokens + 1,)
        Attention of a chunk of that many tokens to itself, and to each token of its prompt computed before.
    """

    knots: IntArray
    base: IntArray
    slope: IntArray
    alone: IntArray
    mixed_batches: IntArray
    mixed: IntArray
    own: IntArray
    cached: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What happened to every request, and totals of every replica.

    Parameters
    ----------
    arrival, admitted, first, finish : ndarray of int, shape (n,)
        Ticks of arrival at the engine, first admission, first and last token; -1 for requests that cannot run.
    preempted, replica : ndarray of int, shape (n,)
        How often it lost its cache; which replica served it (-1 for none).
    totals : mapping of str to ndarray of int, shape (replicas,)
        ``end``, ``busy`` [ticks]; ``steps`` (decode steps), ``events``, ``preemptions``, ``prefill_tokens`` (computed,
        repeated ones included), ``hit_tokens`` (found in the prefix cache), ``decode_tokens``, ``context_steps`` (sum
        over decode steps of all contexts), ``peak_blocks``, ``blocks`` (in use at the end), ``swaps`` (preemptions
        that kept their cache on the host), ``moved_blocks`` (that requests waited for, to or from the host),
        ``host_hit_tokens`` (of ``hit_tokens``, those fetched from the host), ``host_blocks`` (held there at the end by
        preempted requests).
    gaps : ndarray of int, shape (2080,)
        Tokens of decode steps by the time of their step, in bins of 32 to each doubling [ticks].
    """

    arrival: IntArray
    admitted: IntArray
    first: IntArray
    finish: IntArray
    preempted: IntArray
    replica: IntArray
    totals: Mapping[str, IntArray]
    gaps: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Mean and percentiles of one latency."""

    mean: float
    p50: float
    p90: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What replicas did, summed over all of them.

    Parameters
    ----------
    steps, events : int
        Engine steps, and events between which they were summed in closed form.
    prefill_tokens, hit_tokens : int
        Prompt tokens computed, and those that the prefix cache had.
    decode_tokens : int
        Requests summed over decode steps, which are tokens where none are drafted.
    preemptions, swaps : int
        Requests whose KV cache was taken, and those of them whose cache went to the host.
    host_hit_tokens, moved_blocks : int
        Of ``hit_tokens``, those fetched from the host; blocks that requests waited for.
    """

    steps: int
    events: int
    prefill_tokens: int
    hit_tokens: int
    decode_tokens: int
    preemptions: int
    swaps: int
    host_hit_tokens: int
    moved_blocks: int


def work_of(totals: Mapping[str, IntArray]) -> Work:
    """Return the sums over replicas of the counters of each."""
    return Work(**{field.name: int(totals[field.name].sum()) for field in fields(Work)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the requests of a load.

    Parameters
    ----------
    requests, served : int
        Of the load; answered.
    rejected, refused : int
        Those that no replica can hold; those that came when too many waited.
    counted : int
        Those that statistics count.
    """

    requests: int
    served: int
    rejected: int
    refused: int
    counted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySpreads:
    """Latencies of the counted requests [s]; None where there are none.

    Parameters
    ----------
    ttft_s, tpot_s, e2e_s : Spread or None
        Per request (``tpot_s``: of more than one output token).
    itl_s : Spread or None
        Of the time between a request's outputs, over all decode steps of the run and every request in them: what a step
        takes, to 2 %; the pause of a preempted request is not among them.
    """

    ttft_s: Spread | None
    tpot_s: Spread | None
    e2e_s: Spread | None
    itl_s: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What all replicas make per second of the window; a request counts by the share of its tokens that came in it.

    Parameters
    ----------
    req_per_s, output_tok_per_s : float
        Requests, and their output tokens.
    goodput_req_per_s : float
        Requests within the latency limits.
    """

    req_per_s: float
    output_tok_per_s: float
    goodput_req_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeRun:
    """What a benchmark prints, which counts every request from the first sent to the last answered.

    Parameters
    ----------
    latency : LatencySpreads
        Of all answered requests.
    throughput : Throughput
        Per second of the whole run.
    wall_s : float
        From the first request sent to the last answer [s].
    """

    latency: LatencySpreads
    throughput: Throughput
    wall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """How full replicas are.

    Parameters
    ----------
    utilisation_frac : float
        Share of the window-spanning run in which a step was running, mean over replicas.
    mean_batch, mean_running, mean_in_system : float
        Decodes per decode step; requests in work, and requests in work or waiting, over time, per replica.
    kv_mean_frac, kv_peak_frac : float
        Share of cache blocks: tokens held, mean over decode steps; blocks used at most.
    """

    utilisation_frac: float
    mean_batch: float
    mean_running: float
    mean_in_system: float
    kv_mean_frac: float
    kv_peak_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When what is counted happened, and what the simulation itself took.

    Parameters
    ----------
    window_s : tuple of float
        Start and end of the time that statistics count [s]: requests that arrive in it, tokens made in it.
    end_s : float
        When the last request was answered [s].
    wall_s, compile_s : float
        Time the simulation itself took, and before it the compilation or its loading [s].
    """

    window_s: tuple[float, float]
    end_s: float
    wall_s: float
    compile_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overload:
    """By how much a load exceeds what replicas can do; all None for a stable load.

    Parameters
    ----------
    overload_frac : float or None
        By how much arrivals exceed what the replicas finish.
    capacity_req_per_s : float or None
        What the replicas finish per second.
    limit : str or None
        What an overloaded fleet runs out of.
    """

    overload_frac: float | None
    capacity_req_per_s: float | None
    limit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimResult:
    """Outcome of a simulation.

    Parameters
    ----------
    counts : Counts
        What became of the requests.
    latency : LatencySpreads
        TTFT, TPOT, E2E latency and ITL, without warm-up and drain.
    throughput : Throughput
        Requests and tokens per second, likewise.
    whole : WholeRun
        Both over all requests of the run.
    occupancy : Occupancy
        How full the replicas are.
    work : Work
        Steps, tokens and preemptions of all replicas.
    timing : Timing
        Window of the statistics, end of the run, and time that the simulation took.
    overload : Overload
        Whether and by how much arrivals exceed what the replicas finish.
    trail : Trail
        Every request.
    """

    counts: Counts
    latency: LatencySpreads
    throughput: Throughput
    whole: WholeRun
    occupancy: Occupancy
    work: Work
    timing: Timing
    overload: Overload
    trail: Trail
