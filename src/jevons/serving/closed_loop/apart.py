"""Loads on separate pools: workers that process prompts, and workers that decode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.operators.engines import Place, engine_number
from jevons.serving.closed_loop._kernels import PoolRules, Requests, StepTimes, seen_by, serve_apart
from jevons.serving.closed_loop.routing import routed, starts
from jevons.serving.closed_loop.seen import check_done, mean_outcome, outcome_of
from jevons.serving.closed_loop.types import Load, Outcome, Pools, Surface
from jevons.serving.engine_factors import EngineFactors
from jevons.serving.formulas import accepted_tokens
from jevons.serving.memory import kv_bytes_per_request
from jevons.serving.step import StepWork, step_work
from jevons.serving.types import Deployment, FloatArray


def prompt_budget(deployment: Deployment) -> float:
    """Return the prompt tokens of one step of the busiest attention rank of a worker that processes prompts."""
    return float(deployment.engine.batching.step_tokens * deployment.layout.pp)


def steps_apart(deployment: Deployment, load: Load, tokens: FloatArray) -> tuple[FloatArray, StepWork]:
    """Return the other ranks' share of the busiest rank's prompt *tokens*, and the work of such steps."""
    isl, layout = load.isl.mean, deployment.layout
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
    return others, work


def sending_s(deployment: Deployment) -> float:
    """Return the time of a prefill worker for sending the cache of one prompt token, between steps [s].

    Fact ``sent_layer_s`` is of one layer of a token. Where pages hold one token and the scheduler itself posts their
    transfers, one by one, no step runs meanwhile.
    """
    place = Place.of(deployment.accelerator)
    each_s = engine_number(deployment.engine.name, "sent_layer_s", place) or 0.0
    return each_s * sum(group.count for group in deployment.model.layers)


@dataclass(frozen=True, slots=True)
class Steps:
    """Times of the steps of a load under an engine's factors, and the time of a request outside the engine."""

    times: StepTimes
    engine: EngineFactors
    outside_s: float


def outcome_apart(at: Surface, pools: Pools, steps: Steps, requests: tuple[FloatArray, ...]) -> Outcome:
    """Return what a client of separate pools sees, in the mean over where front ends begin.

    Parameters
    ----------
    at : Surface
        Of the decode workers, for the load.
    pools : Pools
        The workers.
    steps : Steps
        How long their steps take, and the time outside them.
    requests : tuple of ndarray
        Arrivals [s], and tokens of prompts and of answers.

    Raises
    ------
    SolverError
        If the loop cannot go on, which is a defect.
    """
    draws = range(starts(pools.frontends, pools.workers, at.load.requests))
    return mean_outcome([_one_draw(at, pools, steps, requests, start) for start in draws])


def _one_draw(at: Surface, pools: Pools, steps: Steps, requests: tuple[FloatArray, ...], start: int) -> Outcome:
    """Return what a client of separate pools sees; *start* tells apart the draws of where front ends begin."""
    load, deployment, layout = at.load, at.deployment, at.deployment.layout
    arrival_s, isl, osl = requests[0].copy(), *requests[1:]
    links = min(deployment.accelerator.scaleout.bytes_per_s, pools.prefill.accelerator.scaleout.bytes_per_s)
    ranks, limits = pools.prefill.layout.dp, pools.prefill.engine.batching
    rng = np.random.default_rng(20240229)
    rules = PoolRules(
        users=load.users,
        prefill_workers=pools.prefill_workers,
        ranks=ranks,
        rank_tokens=prompt_budget(pools.prefill),
        rank_batch=pools.prefill_batch or load.requests,
        rank_seats=pools.prefill_seats,
        cuts=limits.cuts_prompts,
        routed=routed(pools.frontends, pools.workers, load.requests, start),
        dealt=rng.integers(0, ranks, load.requests if ranks > 1 and limits.prompts_by_chance else 0),
        decode_workers=pools.decode_workers,
        max_batch=deployment.engine.batching.max_batch * layout.dp * layout.pp,
        hand_over_s=steps.engine.front.hand_over_s + kv_bytes_per_request(deployment, load.isl.mean) / links,
    )
    offered = Requests(arrival_s, isl, isl, osl, np.full(load.requests, _router_s(pools, steps.engine)))
    seen = seen_by(load.requests)
    status, batch = serve_apart(offered, steps.times, rules, seen)
    check_done(status, deployment)
    gained = accepted_tokens(deployment.draft_tokens, steps.engine.batching.draft_acceptance_frac)
    return outcome_of(load, offered, seen, batch, steps.outside_s, gained=gained)


def _router_s(pools: Pools, engine: EngineFactors) -> float:
    """Return the time by which the front end lets requests of separate pools through one after the other.

    Each prefill worker has a server of its own; prompts are tokenized before.
    """
    return engine.front.admit_s / pools.prefill_workers
