"""Measured rows where requests queue, predicted through the event simulator in place of the loop of `serving.points`.

Which rows those are was decided by trying both on all of them (docs/validation/requests.md): open loops. Closed loops
and bursts come out alike; MLPerf's harnesses look for requests every few steps only, which the simulator does not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jevons.limits import STEP_TOKENS
from jevons.serving.closed_loop.points import outcome
from jevons.serving.closed_loop.types import Outcome, Surface
from jevons.serving.engine_factors import EngineFactors
from jevons.serving.kv_pages import PAGE_TOKENS
from jevons.serving.scales import Scales
from jevons.serving.sim import Requests, SimLimits, StepTable, limits_of, simulate, step_table
from jevons.serving.sim.load.repeats import block_hashes
from jevons.serving.sim.types import TICKS_PER_S, FloatArray, SimResult
from jevons.serving.step import entry_time_s
from jevons.validation.serving.case import Case
from jevons.validation.serving.predict import Answer, Engines, Prepared, answer, client_gaps, copies_of

_SEED = 20240229
_WARM_GAP_S = 60.0


def queues(case: Case) -> bool:
    """Return whether a case's rows are predicted through the simulator."""
    if case.instances.prefill is not None or case.scheduler.draft_tokens:
        return False
    return case.scenario == "open"


def queued_answer(prepared: Prepared, engines: Engines, scales: Scales | None = None) -> Answer:
    """Return what a client of a case sees, by the simulator; by the loop where no layout of it can be simulated.

    Parameters
    ----------
    prepared : Prepared
        A case for which `queues` holds.
    engines : callable
        Engine factors of a case.
    scales : mapping, optional
        Times of kernels in engines over those alone, as in `predict.answer`.
    """
    case = prepared.case
    simulated = [at for at in prepared.surfaces if _can_be_simulated(at)]
    if not simulated:
        return answer(prepared, engines, scales)
    factors = engines(case)
    if scales is not None:
        factors = replace(factors, scales=scales)
    copies = copies_of(case, simulated[0])
    return Answer(_Engine(case, simulated[0], factors).outcome(case.requested.rate_per_s / copies), copies)


def _can_be_simulated(at: Surface) -> bool:
    layout = at.deployment.layout
    return layout.pp == 1 and (layout.dp == 1 or layout.dp_attention)


class _Engine:
    """One layout's step times, limits and requests, ready for any arrival rate."""

    def __init__(self, case: Case, at: Surface, factors: EngineFactors) -> None:
        layout, load = at.deployment.layout, at.load
        self.at, self.factors = at, factors
        deployment = replace(at.deployment, engine=replace(at.deployment.engine, scales=factors.scales))
        self.limits: SimLimits = limits_of(
            deployment,
            context=load.isl.mean + load.osl.mean / 2.0,
            max_batch=min(deployment.engine.batching.max_batch * layout.dp, load.requests),
            step_tokens=min(deployment.engine.batching.step_tokens * layout.dp, STEP_TOKENS),
            block_tokens=PAGE_TOKENS,
        )
        self.limits = replace(
            self.limits, max_batch=min(self.limits.max_batch, deployment.engine.batching.max_batch * layout.dp)
        )
        self.table: StepTable = step_table(deployment, self.limits.max_batch, self.limits.step_tokens)
        rng = np.random.default_rng(_SEED)
        self.isl, self.osl = load.isl.draw(load.requests, rng), load.osl.draw(load.requests, rng)
        self.arrival = _arrivals(load.requests, case, rng)
        if case.requested.even:
            self.arrival = np.arange(load.requests, dtype=np.float64)
        self.repeats, self.counted_osl, self.lags = (
            case.requested.repeats,
            case.measured.counted_osl,
            case.scheduler.lags and load.served,
        )
        self.sent_before = (
            case.requested.repeats.distinct if case.requested.repeats is not None and case.requested.warm else 0
        )
        self.first_isl = np.full(self.sent_before, round(load.isl.mean), dtype=np.float64)
        if load.sent_before:
            self.first_isl = self.isl if load.known_prompts(at.kv_tokens) else self.isl[:0]
            self.sent_before = len(self.first_isl)

    def outcome(self, rate_per_s: float) -> Outcome:
        """Return what clients see at a rate; gaps between tokens are those of the loop."""
        load, factors = replace(self.at.load, rate_per_s=rate_per_s), self.factors
        arrival_s = self.arrival / rate_per_s
        admit_s = (factors.front.admit_s + factors.front.admit_token_s * self.isl) * (1.0 if load.served else 0.0)
        isl, osl, warm_s = self.isl, self.osl, 0.0
        before = self.sent_before
        if before:  # an earlier stage of the load filled the prefix cache
            warm_s = before * _WARM_GAP_S
            isl, osl = np.append(self.first_isl, isl), np.append(np.ones(before), osl)
        reaches_s = np.append(np.arange(before) * _WARM_GAP_S, warm_s + _through_front_end(arrival_s, admit_s))
        hashes, start = block_hashes(isl.astype(np.int64), self.repeats, PAGE_TOKENS)
        requests = Requests(
            arrival_s=reaches_s, isl=isl.astype(np.int64), osl=osl.astype(np.int64), hashes=hashes, hash_start=start,
            hash_tokens=PAGE_TOKENS,
        )  # fmt: skip
        simulated = simulate(requests, self.table, self.limits, edge_frac=0.0)
        first, finish = simulated.trail.first[before:], simulated.trail.finish[before:]
        ran = finish >= 0
        outside_s = entry_time_s(self.at.deployment, factors) + self._composed_s(simulated, warm_s)
        first_s = first[ran] / TICKS_PER_S - warm_s - arrival_s[ran] + outside_s
        last_s = finish[ran] / TICKS_PER_S - warm_s - arrival_s[ran] + outside_s
        osl = self.osl[ran]
        counted = np.maximum((self.counted_osl or osl) - 1.0, 1.0)
        per_token_s = ((last_s - first_s) / counted)[osl > 1.0]
        duration_s = float((last_s + arrival_s[ran]).max())
        looped = outcome(replace(self.at, load=load), factors)
        output = float(osl.sum()) / duration_s
        return replace(
            looped, ttft_s=_summary(first_s), tpot_s=_summary(per_token_s), e2e_s=_summary(last_s),
            duration_s=duration_s, requests_per_s=len(osl) / duration_s, output_tok_per_s=output,
            input_tok_per_s=float(self.isl[ran].sum()) / duration_s, steady_output_tok_per_s=output,
        )  # fmt: skip

    def _composed_s(self, simulated: SimResult, warm_s: float) -> float:
        """Return how long a request waits because the next step was composed before it came: a step while busy."""
        if not self.lags or simulated.latency.itl_s is None:
            return 0.0
        busy_s, end_s = (float(simulated.trail.totals[name].sum()) / TICKS_PER_S for name in ("busy", "end"))
        return simulated.latency.itl_s.mean * min(busy_s / max(end_s - warm_s, 1e-9), 1.0)


def _arrivals(count: int, case: Case, rng: np.random.Generator) -> FloatArray:
    """Return when requests are sent at a rate of one."""
    drawn = client_gaps(count, case)
    if drawn is not None:
        return np.append(0.0, np.cumsum(drawn))
    gaps = rng.exponential(1.0, count - 1) if count > 1 else np.zeros(0)
    return np.append(0.0, np.cumsum(gaps * (len(gaps) / max(float(gaps.sum()), 1e-12))))


def _through_front_end(arrival_s: FloatArray, admit_s: FloatArray) -> FloatArray:
    """Return when requests reach the engine: the front end lets one through at a time."""
    ready_s, free_s = np.empty(len(arrival_s)), 0.0
    for place, (arrival, spent) in enumerate(zip(arrival_s, admit_s, strict=True)):
        free_s = max(free_s, arrival) + spent
        ready_s[place] = free_s
    return ready_s


def _summary(values: FloatArray) -> dict[str, float]:
    there = values if len(values) else np.zeros(1)
    percents = (50, 90, 95, 99)
    percentiles = np.percentile(there, percents)
    return {"mean": float(there.mean())} | {f"p{p}": float(q) for p, q in zip(percents, percentiles, strict=True)}
