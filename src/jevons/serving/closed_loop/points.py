"""Operating points that benchmark tables report: closed loops, open loops, bursts and static batches."""

from __future__ import annotations

import math

import numpy as np

from jevons.errors import InfeasibleError
from jevons.serving.captured import in_pools
from jevons.serving.closed_loop._kernels import Batching, Requests, StepTimes, seen_by, serve
from jevons.serving.closed_loop.apart import Steps, outcome_apart, prompt_budget, sending_s, steps_apart
from jevons.serving.closed_loop.seen import PERCENTILES, check_done, outcome_of
from jevons.serving.closed_loop.types import Load, Outcome, Pools, Surface
from jevons.serving.engine_factors import EngineFactors
from jevons.serving.formulas import accepted_tokens
from jevons.serving.kv_pages import PAGE_TOKENS
from jevons.serving.memory import kv_capacity_tokens
from jevons.serving.scales import Scales
from jevons.serving.step import StepWork, engine_time, entry_time_s, step_work
from jevons.serving.types import Deployment, FloatArray

_DECODE_POINTS = 10
_PROMPT_POINTS = 10
_MIXED_POINTS = 4


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
    tokens = _prompt_tokens(load, _budget(deployment, load) if pools is None else prompt_budget(pools.prefill))
    beside, prompts = (
        _mixed_steps(deployment, load, most, tokens) if pools is None else steps_apart(pools.prefill, load, tokens)
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


def _mixed_steps(deployment: Deployment, load: Load, most: float, tokens: FloatArray) -> tuple[FloatArray, StepWork]:
    """Return requests that decode beside prompt *tokens*, *most* at the most, and the work of such steps."""
    isl, osl, layout = load.isl.mean, load.osl.mean, deployment.layout
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
    return decoding, work


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
    of_prompts = engine if at.pools is None else in_pools(engine)
    mixed_s = engine_time(at.prompts, of_prompts, scales).time_s.reshape(len(at.tokens), len(at.beside))
    if at.pools is not None:
        mixed_s = mixed_s + sending_s(at.pools.prefill) * at.tokens[:, None]
    gained = accepted_tokens(at.deployment.draft_tokens, engine.batching.draft_acceptance_frac)
    base_s, slope_s = base_s / gained, slope_s / gained
    outside_s = entry_time_s(at.pools.prefill if at.pools else at.deployment, of_prompts, scales)
    times = StepTimes(at.batches, base_s, slope_s, at.tokens, at.beside, mixed_s)
    if at.load.static:
        return _static(at.load, times, outside_s)
    return _dynamic(at, times, engine, outside_s)


def _static(load: Load, times: StepTimes, outside_s: float) -> Outcome:
    batch, isl, osl = float(load.requests), load.isl.mean, load.osl.mean
    first_s = float(np.interp(isl * batch, times.tokens, times.prompt_s[:, 0]))
    steps = osl - 1.0
    context = isl + osl / 2.0
    step_s = float(
        np.interp(batch, times.batches, times.base_s) + np.interp(batch, times.batches, times.slope_s) * context
    )
    total_s = first_s + steps * step_s + outside_s
    same = dict.fromkeys(("mean", *(f"p{p}" for p in PERCENTILES)), step_s)
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


def _dynamic(at: Surface, times: StepTimes, engine: EngineFactors, outside_s: float) -> Outcome:
    load, deployment, layout = at.load, at.deployment, at.deployment.layout
    arrival_s, isl, osl = _requests(load)
    if at.pools is not None:
        return outcome_apart(at, at.pools, Steps(times, engine, outside_s), (arrival_s, isl, osl))
    slots = deployment.engine.batching.max_batch * layout.dp * layout.pp
    gained = accepted_tokens(
        deployment.draft_tokens, engine.batching.draft_acceptance_frac
    )  # the loop counts tokens for steps
    requests = Requests(arrival_s, isl, _new_tokens(load, isl, at.kv_tokens), osl, _admit_s(load, isl, engine))
    budget = _budget(deployment, load)
    rules = Batching(
        users=load.users,
        step_tokens=budget,
        max_batch=slots,
        kv_tokens=at.kv_tokens,
        reserve_frac=engine.batching.reserve_frac,
        mixes=engine.batching.mixes_prompts,
        poll_steps=round(load.poll_steps * gained),
        wait_steps=round(load.wait_steps * gained),
        wait_tokens=load.wait_frac * budget,
        token_s=load.token_s,
        lags=engine.batching.composes_ahead if load.lags is None else load.lags,
    )
    seen = seen_by(load.requests)
    status, batch = serve(requests, times, rules, seen)
    check_done(status, deployment)
    return outcome_of(load, requests, seen, batch, outside_s, gained=gained)


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


def _new_tokens(load: Load, isl: FloatArray, kv_tokens: float) -> FloatArray:
    """Return the prompt tokens that a step must compute: of a prompt seen before, those of its last cache block."""
    if load.known_prompts(kv_tokens):
        return np.minimum(isl, PAGE_TOKENS)
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
        changes["captures_text_alone"] = False
    if captured_batch and engine.host.captured_batch:
        changes["captured_batch"] = captured_batch  # type: ignore[assignment]
    return engine.replace(**changes)
