"""What a fleet is made of, what happens to it, and how it did."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from jevons.serving.sim.types import (
    FloatArray,
    IntArray,
    LatencySpreads,
    Overload,
    Requests,
    SimLimits,
    Spread,
    StepTable,
    Throughput,
    Timing,
    Trail,
    WholeRun,
    Work,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscale:
    """How the number of a kind's replicas follows its load.

    Parameters
    ----------
    least, most : int
        Replicas at least and at most, those under repair included in the latter.
    target : float
        Unanswered requests per replica, or with *signal* ``utilisation`` the share of time with a step running, > 0.
    signal : str
        ``outstanding`` or ``utilisation``.
    every_s : float
        Time between evaluations [s], > 0.
    cold_start_s : float
        From the decision to the first request that a new replica takes [s].
    down_after_s : float
        How long fewer replicas must have been enough before any is let go [s]; it drains first.
    """

    least: int
    most: int
    target: float
    signal: str = "outstanding"
    every_s: float = 15.0
    cold_start_s: float = 120.0
    down_after_s: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Equal replicas.

    Parameters
    ----------
    name : str
        Name in results.
    table, limits : StepTable, SimLimits
        Step times and limits of one replica.
    replicas : int
        How many at the start, all of them ready.
    models : tuple of str
        Models or adapters that it serves; empty for all.
    weight : float
        Work that a replica does relative to others: loads are compared per weight.
    accelerators : int
        Of one replica.
    accelerator_hour : float
        Price of an accelerator-hour, in a currency of the caller's.
    autoscale : Autoscale, optional
        How its number changes.
    adapters : int
        LoRA adapters that a replica holds at once, 0 for all that there are.
    switch_s : float
        Time to load an adapter [s]; others are served meanwhile.
    """

    name: str
    table: StepTable
    limits: SimLimits
    replicas: int = 1
    models: tuple[str, ...] = ()
    weight: float = 1.0
    accelerators: int = 1
    accelerator_hour: float = 0.0
    autoscale: Autoscale | None = None
    adapters: int = 0
    switch_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Which replica a request goes to.

    Parameters
    ----------
    kind : str
        ``round_robin``; ``least_loaded`` (fewest unanswered requests, the first of equals); ``least_tokens`` (of whose
        unanswered requests prompts and a mean answer each have the fewest tokens); ``two_choices`` (the less loaded of
        two drawn by chance); ``prefix`` (where the longest prefix of the prompt went last), ``session`` (where the
        session's last request went), ``adapter`` (the least loaded of those that hold it); the last three go to the
        least loaded where nobody fits.
    stale_s : float
        Loads are told every so often [s], and not seen between; 0 for loads as they are.
    counts_own : bool
        Whether the router adds what it sent since loads were told.
    slack : int
        How many more requests than the least loaded the one with the prefix or adapter may have; SGLang's router lets
        32 pass.
    """

    kind: str = "least_loaded"
    stale_s: float = 0.0
    counts_own: bool = False
    slack: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Failures of replicas, and what happens to their requests.

    Parameters
    ----------
    mtbf_s : float
        Mean time between failures of one replica [s]; until the last arrival.
    repair_s : float
        From a failure to the first request that the replica takes again [s]; infinite for never.
    times : tuple of (float, int)
        Failures that are known: time [s] and number of the replica, counted over all kinds.
    retries : int
        How often a request is sent again; then it is lost.
    retry_s : float
        From a failure to the time its requests are sent again [s].
    resume : bool
        Whether they go on after the tokens that users have seen, prompt and those computed anew; else from the start,
        and the first token that counts is that of the answer which is finished.
    """

    mtbf_s: float = math.inf
    repair_s: float = 600.0
    times: tuple[tuple[float, int], ...] = ()
    retries: int = 3
    retry_s: float = 0.0
    resume: bool = True


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A token bucket: *req_per_s* on average, *burst* at once, of one priority class or (None) of all together."""

    req_per_s: float
    burst: int = 1
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom the fleet turns away.

    Parameters
    ----------
    queue_limit : int, optional
        Requests that wait at a replica; a further one is refused. Likewise where no replica is open.
    rates : tuple of RateLimit
        Rates beyond which requests are refused.
    """

    queue_limit: int | None = None
    rates: tuple[RateLimit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """Work without a deadline, which fills the valleys at the lowest priority.

    Parameters
    ----------
    requests : Requests
        The pile; arrivals are not used. Handed out in order until the last arrival of the other load.
    below : int
        A replica with fewer unanswered requests than this, of either sort, is given more.
    every_s : float
        Time between two looks at the replicas [s].
    model : str
        Which model it is for, where there are several.
    """

    requests: Requests
    below: int
    every_s: float = 1.0
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindShare:
    """How one kind did.

    Parameters
    ----------
    name : str
        The kind.
    served : int
        Requests that it answered (finished).
    output_tokens : int
        Their output tokens.
    ttft_s, e2e_s : Spread or None
        Of the counted ones.
    utilisation_frac : float
        Share of the time that its replicas were up in which a step was running.
    replica_hours, up_hours, accelerator_hours : float
        Paid from the begin of the start to the end; of those, open or draining; accelerators of the former.
    cost : float
        Accelerator-hours at their price.
    kv_peak_frac, mean_batch : float
        Blocks of the cache used at most, and decodes per decode step.
    preemptions : int
        Requests that lost their cache.
    """

    name: str
    served: int
    output_tokens: int
    ttft_s: Spread | None
    e2e_s: Spread | None
    utilisation_frac: float
    replica_hours: float
    up_hours: float
    accelerator_hours: float
    cost: float
    kv_peak_frac: float
    mean_batch: float
    preemptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShare:
    """How the requests of one model or adapter fared."""

    name: str
    requests: int
    served: int
    rejected: int
    lost: int
    ttft_s: Spread | None
    e2e_s: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineShare:
    """How far the pile came: requests done, their tokens, and what was left on it when the load ended."""

    served: int
    left: int
    prompt_tokens: int
    output_tokens: int
    output_tok_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSeries:
    """The fleet over the time of the load, in equal bins.

    Parameters
    ----------
    end_s : ndarray, shape (bins,)
        End of each bin [s].
    up, paid : ndarray of int, shape (bins, kinds)
        Replicas that are up, and that are paid, at its end.
    outstanding : ndarray of int, shape (bins, kinds)
        Unanswered requests at its end.
    utilisation_frac : ndarray, shape (bins, kinds)
        Busy time in the bin over its length times the replicas up at its end.
    """

    end_s: FloatArray
    up: IntArray
    paid: IntArray
    outstanding: IntArray
    utilisation_frac: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetCounts:
    """What became of the requests of a fleet's load.

    Parameters
    ----------
    requests, served, counted : int
        Of the load, those answered, those that statistics count.
    rejected, lost : mapping of str to int
        Requests turned away (``too_long``, ``rate_limit``, ``queue_limit``) and those lost (``retries``: failed too
        often; ``no_replica``: none was ever open again), by reason.
    retried : int
        Requests sent more than once.
    """

    requests: int
    served: int
    counted: int
    rejected: Mapping[str, int]
    lost: Mapping[str, int]
    retried: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a fleet is paid for, sums over kinds: hours of replicas and accelerators, and their cost."""

    replica_hours: float
    accelerator_hours: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetResult:
    """Outcome of a fleet's simulation.

    Parameters
    ----------
    counts : FleetCounts
        What became of the requests.
    latency, throughput, whole, timing, overload
        As of `SimResult`.
    kinds, models : tuple
        By kind of replica, and by model where there are several.
    offline : OfflineShare or None
        The work that filled the valleys; it counts in no other figure but utilisation, steps and tokens of replicas.
    bill : Bill
        Hours and cost.
    utilisation_frac : float
        Of all replicas.
    work : Work
        Steps, tokens and preemptions of all replicas.
    failures : int
        Failures of replicas.
    series : FleetSeries
        The fleet over time.
    trail : Trail
        Every request; ``replica`` numbers replicas over all kinds.
    attempts, fate : ndarray of int
        How often each request was sent in vain; what became of it: 1 answered, 2 beyond a rate limit, 3 beyond a queue
        limit, 4 retries spent, 5 no replica; 0 too long for any.
    """

    counts: FleetCounts
    latency: LatencySpreads
    throughput: Throughput
    whole: WholeRun
    kinds: tuple[KindShare, ...]
    models: tuple[ModelShare, ...]
    offline: OfflineShare | None
    bill: Bill
    utilisation_frac: float
    work: Work
    failures: int
    timing: Timing
    overload: Overload
    series: FleetSeries
    trail: Trail
    attempts: IntArray = field(repr=False)
    fate: IntArray = field(repr=False)
