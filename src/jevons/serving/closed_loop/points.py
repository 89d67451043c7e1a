"""Operating points that benchmark tables report: closed loops, open loops, bursts and static batches."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from jevons.errors import InfeasibleError, SolverError
from jevons.serving.closed_loop import _kernels as _loop
from jevons.serving.closed_loop.routing import routed, starts
from jevons.serving.formulas import accepted_tokens
from jevons.serving.kv_pages import PAGE_TOKENS
from jevons.serving.memory import kv_bytes_per_request, kv_capacity_tokens
from jevons.serving.scales import Scales
from jevons.serving.step import StepWork, engine_time, entry_time_s, step_work
from jevons.serving.types import Deployment, EngineFactors, FloatArray

_DECODE_POINTS = 10
_PROMPT_POINTS = 10
_MIXED_POINTS = 4
_PERCENTILES = (50, 90, 95, 99)
_LONGEST = 12.0  # medians


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How many tokens prompts or answers have.

    Parameters
    ----------
    mean : float
        Mean tokens, >= 1.
    spread : float
        Half-width of a uniform distribution over the mean, in [0, 1]; 0 for all equal.
    sigma : float
        Spread of the logarithm of a lognormal distribution, which then replaces the uniform one.
    most : float
        Longest length of that distribution: longer ones were left out; 0 for none.
    """

    mean: float
    spread: float = 0.0
    sigma: float = 0.0
    most: float = 0.0

    def draw(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Return *count* whole lengths whose mean is the stated one, one from each quantile, in random order."""
        share = (np.arange(count) + 0.5) / count
        if self.sigma > 0.0:
            relative = _lognormal(share, self.sigma, self.most / self.mean)
        else:
            relative = 1.0 + self.spread * (2.0 * share - 1.0)
        lengths: FloatArray = np.maximum(np.round(self.mean * relative), 1.0)
        return rng.permutation(lengths) if self.spread or self.sigma else lengths


def _lognormal(share: FloatArray, sigma: float, most: float) -> FloatArray:
    """Return the quantiles of lognormal lengths over their mean; those above *most* (0 for none) are left out."""
    from scipy.special import ndtr, ndtri

    relative: FloatArray
    if most <= 1.0:
        relative = np.minimum(np.exp(sigma * ndtri(share)), _LONGEST)
        return relative / float(relative.mean())
    low, high = np.log(1.0 / most), 20.0  # logarithm of the median over the mean, as of the lengths that were left in
    for _ in range(60):
        middle = (low + high) / 2.0
        below = ndtr((np.log(most) - middle) / sigma)
        relative = np.exp(middle + sigma * ndtri(share * below))
        low, high = (middle, high) if relative.mean() < 1.0 else (low, middle)
    return relative / float(relative.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Requests offered to one instance.

    Parameters
    ----------
    isl, osl : Lengths
        Tokens of prompts and of answers.
    requests : int
        How many in all, >= 1.
    users : int
        Closed loop: as many requests are out at once; 0 for none.
    rate_per_s : float
        Open loop: Poisson arrivals; 0 for all at once.
    span_frac : float
        Time from the first arrival of an open loop to the last over that of the stated rate.
    static : bool
        One batch without continuous batching: all prompts in one go, then decode steps of the full batch.
    poll_steps : int
        The scheduler looks for new requests every so many steps while others decode; 0 or 1 for every step.
    wait_steps : int
        Prompts wait up to so many steps for others to come together with, until they fill *wait_frac* of a step.
    wait_frac : float
        Share of a step's prompt tokens.
    stream_steps : int
        Tokens that the server sends at a time, the first included.
    served : bool
        Whether requests come through a server's front end, or straight from a harness in the same process.
    represents : int
        Requests of a longer closed loop that this one stands for: in means over requests, those after the first wave
        of users count for the missing ones too. 0 for none.
    distinct_prompts : int
        Prompts that the client has: requests beyond so many repeat one, which the prefix cache holds but for its last
        token. 0 where each request has its own.
    warmed_up : bool
        Whether means and percentiles leave out the first wave of a closed loop.
    first_stall_s : float
        Time by which the first wave of a closed loop waits, for kernels to be compiled [s].
    lags : bool or None
        Whether the engine composes a step as the one before begins; None for what today's version does.
    admit_more_s : float
        Time that the front end spends on each request beyond what the engine's factors say [s].
    token_s : float
        Time that the front end spends on each token that it streams [s].
    """

    isl: Lengths
    osl: Lengths
    requests: int
    users: int = 0
    rate_per_s: float = 0.0
    span_frac: float = 1.0
    static: bool = False
    poll_steps: int = 0
    wait_steps: int = 0
    wait_frac: float = 0.0
    stream_steps: int = 1
    served: bool = True
    represents: int = 0
    distinct_prompts: int = 0
    warmed_up: bool = False
    first_stall_s: float = 0.0
    lags: bool | None = None
    admit_more_s: float = 0.0
    token_s: float = 0.0

    @property
    def most(self) -> int:
        """Most requests that can be out at once."""
        return min(self.users, self.requests) if self.users else self.requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """How many instances process prompts, and how many decode, where the two are apart.

    Parameters
    ----------
    prefill : Deployment
        Of the instances that process prompts.
    prefill_workers, decode_workers : int
        Instances of each kind.
    prefill_batch : int
        Prompts that one attention rank takes in a step; 0 for as many as its tokens allow.
    prefill_seats : int
        Prompts that one attention rank holds, from their first step until their cache is with the decode worker; 0 for
        no limit.
    frontends : int
        Front ends behind one address, each with a router of its own, >= 1.
    """

    prefill: Deployment
    prefill_workers: int
    decode_workers: int
    prefill_batch: int = 0
    prefill_seats: int = 0
    frontends: int = 1

    @property
    def workers(self) -> tuple[int, int]:
        """Prefill and decode workers."""
        return self.prefill_workers, self.decode_workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a benchmark client sees.

    Parameters
    ----------
    ttft_s, tpot_s, itl_s, e2e_s : dict of str to float
        ``mean``, ``p50``, ``p90``, ``p95``, ``p99`` over requests (``itl_s``: over gaps between tokens).
    duration_s : float
        From the first arrival to the last token.
    requests_per_s, output_tok_per_s, input_tok_per_s : float
        Of the whole run, its start and its end included.
    steady_output_tok_per_s : float
        While the machine is full: without the tail after the last request has started.
    batch : float
        Mean requests decoding at once.
    """

    ttft_s: dict[str, float]
    tpot_s: dict[str, float]
    itl_s: dict[str, float]
    e2e_s: dict[str, float]
    duration_s: float
    requests_per_s: float
    output_tok_per_s: float
    input_tok_per_s: float
    steady_output_tok_per_s: float
    batch: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """Operators' time of the steps that a load needs, ready for any engine factors.

    Built once by `surface`; `outcome` may then be asked again and again with other factors. Steps with prompts lie over
    prompt *tokens* (of the whole instance; of its busiest attention rank in a pool for prompts) and what goes on
    *beside* them: requests that decode, or, in such a pool, the share of the other ranks' work in that of the busiest.
    """

    deployment: Deployment
    load: Load
    pools: Pools | None
    batches: FloatArray
    contexts: tuple[float, float]
    tokens: FloatArray
    beside: FloatArray
    decode: StepWork
    prompts: StepWork
    kv_tokens: float


def surface(deployment: Deployment, load: Load, pools: Pools | None = None) -> Surface:
    """Return the steps' work over the batches and prompt tokens that a load can reach.

    Parameters
    ----------
    deployment : Deployment
        The instance; a decode instance where *pools* is given.
    load : Load
        What is offered to it (to all pools together).
    pools : Pools, optional
        Where prompts are processed apart.

    Raises
    ------
    InfeasibleError
        If weights, or one request, do not fit.
    InputError
        If the layout does not divide the model.
    """
    layout, engine = deployment.layout, deployment.engine
    isl, osl = load.isl.mean, load.osl.mean
    kv_tokens = kv_capacity_tokens(deployment, isl + osl / 2.0)
    if kv_tokens < isl + osl and not load.static:
        message = (
            f"{deployment}: the cache holds {kv_tokens:,.0f} tokens, one request needs {isl + osl:,.0f}. Use a cache "
            "of fewer bits or more devices."
        )
        raise InfeasibleError(message, ["device memory"])
    shared_by = 1 if pools is None else pools.decode_workers
    most = float(min(math.ceil(load.most / shared_by), engine.batching.max_batch * layout.dp * layout.pp))
    if not load.static:
        most = min(most, kv_tokens / (isl + osl / 2.0) * 1.25 + 1.0)
    batches = np.unique(np.round(np.geomspace(1.0, max(most, 2.0), _DECODE_POINTS)))
    jump = (
        engine.host.captured_batch * layout.dp * layout.pp
    )  # beyond it steps run without a graph, and take longer at once
    if 1.0 <= jump < batches[-1]:
        batches = np.union1d(batches, (jump, jump + 1.0))
    contexts = (isl + 1.0, isl + max(osl, 2.0))
    decode = step_work(
        deployment,
        decode_batch=np.concatenate([batches, batches]) / layout.pp,
        decode_context=np.repeat(contexts, len(batches)),
    )
    tokens, beside, prompts = (
        _mixed_steps(deployment, load, most) if pools is None else _steps_apart(pools.prefill, load)
    )
    return Surface(
        deployment=deployment,
        load=load,
        pools=pools,
        batches=batches,
        contexts=contexts,
        tokens=tokens,
        beside=beside,
        decode=decode,
        prompts=prompts,
        kv_tokens=kv_tokens,
    )


def _budget(deployment: Deployment, load: Load) -> float:
    """Prompt tokens of one step of an instance; a static batch takes all its prompts at once."""
    layout = deployment.layout
    if load.static:
        return load.isl.mean * load.requests
    return float(deployment.engine.batching.step_tokens * layout.dp * layout.pp)


def _mixed_steps(deployment: Deployment, load: Load, most: float) -> tuple[FloatArray, FloatArray, StepWork]:
    """Return prompt tokens, requests that decode beside them, and the work of such steps."""
    isl, osl, layout = load.isl.mean, load.osl.mean, deployment.layout
    tokens = _prompt_tokens(load, _budget(deployment, load))
    decoding = np.array([0.0, 1.0])
    if most > 0.0 and deployment.engine.batching.mixes_prompts:
        decoding = np.unique(np.append(0.0, np.geomspace(1.0, max(most, 2.0), _MIXED_POINTS)))
    taken = np.repeat(tokens, len(decoding)) / layout.pp
    # Whole prompts: the busiest rank gets whole ones, and a part of one more would count as another. No rank takes more
    # than its own share of the step's tokens, so that long prompts are spread over more ranks, a piece each.
    requests = np.maximum(np.round(taken / isl), 1.0)
    if not load.static:
        requests = np.maximum(requests, np.minimum(np.ceil(taken / deployment.engine.batching.step_tokens), layout.dp))
    work = step_work(
        deployment,
        prefill_tokens=taken,
        prefill_requests=requests,
        prefill_context=np.maximum(isl - taken / requests, 0.0) / 2.0,
        decode_batch=np.tile(decoding, len(tokens)) / layout.pp,
        decode_context=isl + osl / 2.0,
    )
    return tokens, decoding, work


def _steps_apart(deployment: Deployment, load: Load) -> tuple[FloatArray, FloatArray, StepWork]:
    """Return prompt tokens of the busiest rank, the other ranks' share of as many, and the work of such steps."""
    isl, layout = load.isl.mean, deployment.layout
    tokens = _prompt_tokens(load, float(deployment.engine.batching.step_tokens * layout.pp))
    others = np.array([0.0, 1.0])
    ranks = np.tile([1.0, float(layout.dp)], len(tokens))
    taken = np.repeat(tokens, len(others)) / layout.pp
    each = np.maximum(np.round(taken / isl), 1.0)
    work = step_work(
        deployment,
        prefill_tokens=taken * ranks,
        prefill_requests=each * ranks,
        prefill_ranks=ranks,
        prefill_context=np.maximum(isl - taken / each, 0.0) / 2.0,
    )
    return tokens, others, work


def _prompt_tokens(load: Load, budget: float) -> FloatArray:
    """Return a grid of prompt tokens up to those of the fullest step, the mean prompt among them."""
    high = max(min(budget, load.isl.mean * 1.3 * load.most), load.isl.mean, 2.0)
    low = min(16.0, high / 2.0)
    return np.unique(np.append(np.geomspace(low, high, _PROMPT_POINTS), min(max(load.isl.mean, low), high)))


def outcome(at: Surface, engine: EngineFactors | None = None, scales: Scales | None = None) -> Outcome:
    """Return what a client sees of a load.

    Parameters
    ----------
    at : Surface
        From `surface`.
    engine : EngineFactors, optional
        Factors to use instead of the deployments' own (their batch and token limits stay as they were).
    scales : mapping, optional
        By owner and part of a step, as in `engine_time`; the shipped ones by default.

    Raises
    ------
    SolverError
        If the loop cannot go on, which is a defect.
    """
    engine = engine or at.deployment.engine
    count = len(at.batches)
    step_s = engine_time(at.decode, engine, scales).time_s
    slope_s = np.maximum((step_s[count:] - step_s[:count]) / (at.contexts[1] - at.contexts[0]), 0.0)
    base_s = step_s[:count] - slope_s * at.contexts[0]
    mixed_s = engine_time(at.prompts, engine, scales).time_s.reshape(len(at.tokens), len(at.beside))
    gained = accepted_tokens(at.deployment.draft_tokens, engine.batching.draft_acceptance_frac)
    base_s, slope_s = base_s / gained, slope_s / gained
    outside_s = entry_time_s(at.pools.prefill if at.pools else at.deployment, engine, scales)
    if at.load.static:
        return _static(at, base_s, slope_s, mixed_s, outside_s)
    return _dynamic(at, base_s, slope_s, mixed_s, engine, outside_s)


def _static(at: Surface, base_s: FloatArray, slope_s: FloatArray, mixed_s: FloatArray, outside_s: float) -> Outcome:
    load, batch = at.load, float(at.load.requests)
    isl, osl = load.isl.mean, load.osl.mean
    first_s = float(np.interp(isl * batch, at.tokens, mixed_s[:, 0]))
    steps = osl - 1.0
    context = isl + osl / 2.0
    step_s = float(np.interp(batch, at.batches, base_s) + np.interp(batch, at.batches, slope_s) * context)
    total_s = first_s + steps * step_s + outside_s
    same = dict.fromkeys(("mean", *(f"p{p}" for p in _PERCENTILES)), step_s)
    return Outcome(
        ttft_s=dict.fromkeys(same, first_s + outside_s),
        tpot_s=same,
        itl_s=same,
        e2e_s=dict.fromkeys(same, total_s),
        duration_s=total_s,
        requests_per_s=batch / total_s,
        output_tok_per_s=batch * osl / total_s,
        input_tok_per_s=batch * isl / total_s,
        steady_output_tok_per_s=batch * osl / total_s,
        batch=batch,
    )


def _dynamic(
    at: Surface,
    base_s: FloatArray,
    slope_s: FloatArray,
    mixed_s: FloatArray,
    engine: EngineFactors,
    outside_s: float,
) -> Outcome:
    load, deployment, layout = at.load, at.deployment, at.deployment.layout
    arrival_s, isl, osl = _requests(load)
    if at.pools is not None:
        steps = _Steps(base_s=base_s, slope_s=slope_s, mixed_s=mixed_s, engine=engine, outside_s=outside_s)
        draws = range(starts(at.pools.frontends, at.pools.workers, load.requests))
        return _mean_outcome([_apart(at, at.pools, steps, (arrival_s.copy(), isl, osl), start) for start in draws])
    first_s, last_s, gaps = np.zeros(load.requests), np.zeros(load.requests), np.zeros(_loop.GAP_BINS)
    slots = deployment.engine.batching.max_batch * layout.dp * layout.pp
    gained = accepted_tokens(
        deployment.draft_tokens, engine.batching.draft_acceptance_frac
    )  # the loop counts tokens for steps
    status, batch = _loop.serve(
        arrival_s, load.users, isl, _new_tokens(load, isl), osl, at.batches, base_s, slope_s, at.tokens,
        at.beside, mixed_s, _budget(deployment, load), slots, at.kv_tokens, engine.batching.reserve_frac,
        engine.batching.mixes_prompts, round(load.poll_steps * gained), round(load.wait_steps * gained),
        load.wait_frac * _budget(deployment, load),
        _admit_s(load, isl, engine), load.token_s, engine.batching.composes_ahead if load.lags is None else load.lags,
        first_s, last_s, gaps,
    )  # fmt: skip
    if status != _loop.DONE:
        raise _stuck(deployment)
    return _outcome(load, (arrival_s, isl, osl, first_s, last_s), gaps, batch, outside_s)


def _stuck(deployment: Deployment) -> SolverError:
    return SolverError(f"{deployment}: the loop over engine steps came to a stop with requests left")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """Times of the steps of a load under some factors, the factors, and the time outside the engine."""

    base_s: FloatArray
    slope_s: FloatArray
    mixed_s: FloatArray
    engine: EngineFactors
    outside_s: float


def _apart(at: Surface, pools: Pools, steps: _Steps, requests: tuple[FloatArray, ...], start: int) -> Outcome:
    """Return what a client of separate pools sees; *start* tells apart the draws of where front ends begin."""
    load, deployment, layout = at.load, at.deployment, at.deployment.layout
    arrival_s, isl, osl = requests
    first_s, last_s, gaps = np.zeros(load.requests), np.zeros(load.requests), np.zeros(_loop.GAP_BINS)
    links = min(deployment.accelerator.scaleout.bytes_per_s, pools.prefill.accelerator.scaleout.bytes_per_s)
    hand_over_s = steps.engine.front.hand_over_s + kv_bytes_per_request(deployment, load.isl.mean) / links
    routed_s = np.full(load.requests, _router_s(pools, steps.engine))
    ranks, limits = pools.prefill.layout.dp, pools.prefill.engine.batching
    rng = np.random.default_rng(20240229)
    dealt = rng.integers(0, ranks, load.requests if ranks > 1 and limits.prompts_by_chance else 0)
    of_request = routed(pools.frontends, pools.workers, load.requests, start)
    status, batch = _loop.serve_apart(
        arrival_s, load.users, isl, osl, at.batches, steps.base_s, steps.slope_s, at.tokens, steps.mixed_s,
        float(limits.step_tokens * pools.prefill.layout.pp), pools.prefill_batch or load.requests,
        pools.prefill_seats, limits.cuts_prompts, pools.prefill_workers, of_request, ranks, dealt,
        pools.decode_workers, deployment.engine.batching.max_batch * layout.dp * layout.pp, hand_over_s, routed_s,
        first_s, last_s, gaps,
    )  # fmt: skip
    if status != _loop.DONE:
        raise _stuck(deployment)
    return _outcome(load, (arrival_s, isl, osl, first_s, last_s), gaps, batch, steps.outside_s)


def _requests(load: Load) -> tuple[FloatArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(20240229)
    isl = load.isl.draw(load.requests, rng)
    osl = load.osl.draw(load.requests, rng)
    arrival_s = np.zeros(load.requests)
    if load.rate_per_s > 0.0:
        gaps = rng.exponential(1.0 / load.rate_per_s, load.requests - 1)
        span_s = load.span_frac * (load.requests - 1) / load.rate_per_s
        arrival_s[1:] = np.cumsum(gaps * span_s / max(gaps.sum(), 1e-12))
    return arrival_s, isl, osl


def _new_tokens(load: Load, isl: FloatArray) -> FloatArray:
    """Return the prompt tokens that a step must compute: of a prompt seen before, those of its last cache block."""
    if not load.distinct_prompts:
        return isl
    new = isl.copy()
    new[load.distinct_prompts :] = np.minimum(isl[load.distinct_prompts :], PAGE_TOKENS)
    return new


def _admit_s(load: Load, isl: FloatArray, engine: EngineFactors) -> FloatArray:
    """Return the time that the front end spends on each request.

    It is one loop, which turns to the engine when nothing else waits: requests of a burst reach it together.
    """
    each_s: FloatArray = engine.front.admit_s + load.admit_more_s + engine.front.admit_token_s * isl
    if not load.served:
        return np.zeros(len(isl))
    if engine.front.holds_bursts and not load.users and not load.rate_per_s:
        return np.append(each_s.sum(), np.zeros(len(isl) - 1))
    return each_s


def _router_s(pools: Pools, engine: EngineFactors) -> float:
    """Return the time by which the front end lets requests of separate pools through one after the other.

    Each prefill worker has a server of its own; prompts are tokenized before.
    """
    return engine.front.admit_s / pools.prefill_workers


def _outcome(load: Load, times: tuple[FloatArray, ...], gaps: FloatArray, batch: float, outside_s: float) -> Outcome:
    arrival_s, isl, osl, first_s, last_s = times
    if load.first_stall_s > 0.0 and load.users:
        late_s = np.where(np.arange(len(osl)) < load.users, 0.0, load.first_stall_s)
        arrival_s = arrival_s + late_s
        first_s, last_s = first_s + load.first_stall_s, last_s + load.first_stall_s
    if load.stream_steps > 1:
        later = np.minimum(load.stream_steps, osl) - 1.0
        first_s = first_s + later * (last_s - first_s) / np.maximum(osl - 1.0, 1.0)
        osl_after = np.maximum(osl - later, 1.0)
    else:
        osl_after = osl
    duration_s = float(last_s.max() - arrival_s.min()) + outside_s
    several = osl_after > 1.0
    tpot_s = (last_s - first_s)[several] / (osl_after - 1.0)[several] if several.any() else np.zeros(1)
    full_until = float(first_s[-1]) if len(first_s) > 1 else float(last_s.max())
    finished = osl * np.clip((full_until - first_s) / np.maximum(last_s - first_s, 1e-9), 0.0, 1.0)
    return Outcome(
        ttft_s=_summary(first_s - arrival_s + outside_s, _weights(load)),
        tpot_s=_summary(tpot_s, _weights(load)[several] if several.any() else np.ones(1)),
        itl_s=_gap_summary(gaps, float((last_s - first_s).sum() / max((osl - 1.0).sum(), 1.0))),
        e2e_s=_summary(last_s - arrival_s + outside_s, _weights(load)),
        duration_s=duration_s,
        requests_per_s=len(osl) / duration_s,
        output_tok_per_s=float(osl.sum()) / duration_s,
        input_tok_per_s=float(isl.sum()) / duration_s,
        steady_output_tok_per_s=float(finished.sum()) / max(full_until, 1e-9),
        batch=batch,
    )


def _mean_outcome(outcomes: list[Outcome]) -> Outcome:
    """Return the mean of each figure of several outcomes of one load."""
    if len(outcomes) == 1:
        return outcomes[0]
    means: dict[str, Any] = {}
    for figure in fields(Outcome):
        values = [getattr(outcome, figure.name) for outcome in outcomes]
        if isinstance(values[0], dict):
            means[figure.name] = {name: float(np.mean([value[name] for value in values])) for name in values[0]}
        else:
            means[figure.name] = float(np.mean(values))
    return Outcome(**means)


def _weights(load: Load) -> FloatArray:
    weights = np.ones(load.requests)
    if load.warmed_up and load.requests > load.users > 0:
        weights[: load.users] = 0.0
    elif load.represents > load.requests > load.users > 0:
        weights[load.users :] = (load.represents - load.users) / (load.requests - load.users)
    return weights


def _summary(values: FloatArray, weights: FloatArray) -> dict[str, float]:
    percentiles = np.percentile(values[weights > 0.0], _PERCENTILES)
    return {"mean": float(np.average(values, weights=weights))} | {
        f"p{p}": float(v) for p, v in zip(_PERCENTILES, percentiles, strict=True)
    }


def _gap_summary(gaps: FloatArray, mean_s: float) -> dict[str, float]:
    """Mean and percentiles of the gaps between tokens from their histogram."""
    edges = np.geomspace(_loop.GAP_LOW_S, _loop.GAP_HIGH_S, _loop.GAP_BINS)
    total = gaps.sum()
    if total <= 0.0:
        return {"mean": mean_s} | {f"p{p}": mean_s for p in _PERCENTILES}
    share = np.cumsum(gaps) / total
    return {"mean": mean_s} | {f"p{p}": float(edges[int(np.searchsorted(share, p / 100.0))]) for p in _PERCENTILES}


def with_limits(
    engine: EngineFactors,
    *,
    step_tokens: int | None = None,
    max_batch: int | None = None,
    captured_tokens: float | None = None,
    captured_batch: float | None = None,
) -> EngineFactors:
    """Return an engine with other limits on prompt tokens and requests per step, and on steps run as graphs.

    An engine that captures none goes on without.
    """
    changes = {name: value for name, value in (("step_tokens", step_tokens), ("max_batch", max_batch)) if value}
    if captured_tokens is not None:
        changes["captured_tokens"] = captured_tokens  # type: ignore[assignment]
    if captured_batch and engine.host.captured_batch:
        changes["captured_batch"] = captured_batch  # type: ignore[assignment]
    return engine.replace(**changes)
