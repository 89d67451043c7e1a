"""Simulates the fleets that the static model ranks first, and finds how many replicas keep the latency limits."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jevons import serving
from jevons.errors import InfeasibleError
from jevons.serving import sim
from jevons.sizing.fleet import Fleet, Interval, Observed
from jevons.sizing.rank_table import RANKS_STEP_TOKENS, rank_table
from jevons.sizing.service import Demand, Service

Progress = Callable[[str], None]

_SIMULATED_REPLICAS = 8
"""Replicas of a larger fleet that are simulated, with their share of the load."""

_LARGEST_FACTOR = 16
_SLACK = 5.0
"""Cost over that of the cheapest fleet within the limits beyond which a fleet is grown no further."""

LEAST_REQUESTS, _MOST_REQUESTS = 2_000, 60_000
"""Least and most requests of a simulation; shorter traces are repeated, for a queue takes time to settle."""

_TURNS = 20.0
_NAMES = ("ttft_s", "tpot_s", "e2e_s")
_WORDS = {"ttft_s": "TTFT", "tpot_s": "TPOT", "e2e_s": "E2E"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A fleet that missed a limit when simulated: the limit, what was observed, and why growing the fleet ended."""

    fleet: Fleet
    limit: str
    seen: float | None
    asked: float | None
    ended: str

    @property
    def detail(self) -> str:
        """The reason in words."""
        if self.seen is None or self.asked is None:
            return f"{self.limit}; {self.ended}"
        return f"{self.limit} is {1e3 * self.seen:,.0f} ms, asked for {1e3 * self.asked:,.0f} ms; {self.ended}"


@dataclass(frozen=True, slots=True)
class _Engine:
    """One pool of a fleet as the simulator wants it."""

    deployment: serving.Deployment
    table: sim.StepTable
    limits: sim.SimLimits


@dataclass(slots=True, kw_only=True)
class Bench:
    """Simulates fleets under one load; keeps the trace and the tables of step times.

    Parameters
    ----------
    service, demand
        Limits, lengths and load.
    trace : Trace or None
        Requests to replay.
    told : callable, optional
        Called with each fleet that keeps the limits, as observed.
    """

    service: Service
    demand: Demand
    trace: sim.Trace | None = None
    told: Callable[[Fleet], None] | None = None
    tables: dict[tuple[str, str, int], _Engine] = dataclasses.field(default_factory=dict)

    def settle(self, fleet: Fleet, most_per_hour: float = math.inf) -> Fleet | Missed:
        """Return the fleet with the fewest replicas that keep the limits, as observed; or what it misses.

        Parameters
        ----------
        fleet : Fleet
            As the static model sized it: no fewer replicas can carry the load.
        most_per_hour : float
            Cost, or accelerators where there is no price, beyond which more replicas are not tried.
        """
        return self._settle_split(fleet, most_per_hour) if fleet.prefill else self._settle(fleet, most_per_hour)

    def _settle(self, fleet: Fleet, most_per_hour: float) -> Fleet | Missed:
        least, most = fleet.replicas, fleet.replicas * _LARGEST_FACTOR
        low = high = least
        trial = fleet
        while self._fault(self.observe(trial, runs=1)) is not None:
            if high >= most or _spent(trial) > most_per_hour:
                return self._missed(trial, self.observe(trial), most_per_hour)
            low, high = high, min(max(high + 1, math.ceil(high * 1.3)), most)
            trial = fleet.grown(high)
        while high - low > 1:
            middle = (low + high) // 2
            if self._fault(self.observe(fleet.grown(middle), runs=1)) is None:
                high = middle
            else:
                low = middle
        while True:  # one run found the number; all of them confirm it
            trial = fleet.grown(high)
            seen = self.observe(trial)
            if self._fault(seen) is None:
                return self._seen(trial, seen)
            if high >= most:
                return self._missed(trial, seen, most_per_hour)
            high += max(1, high // 50)

    def _settle_split(self, fleet: Fleet, most_per_hour: float) -> Fleet | Missed:
        trial, runs = fleet, 1
        while True:
            seen = self.observe(trial, runs=runs)
            fault = self._fault(seen)
            if fault is None and runs == self.demand.runs:
                return self._seen(trial, seen)
            if fault is None:
                runs = self.demand.runs
                continue
            more, prompts = trial.replicas, trial.prefill_replicas
            if fault == "ttft_s":
                prompts += max(1, prompts // 8)
            else:
                more += max(1, more // 8)
            over = more > _LARGEST_FACTOR * fleet.replicas or prompts > _LARGEST_FACTOR * fleet.prefill_replicas
            if over or _spent(trial) > most_per_hour:
                return self._missed(trial, seen, most_per_hour)
            trial = fleet.grown(more, prompts)

    def _seen(self, fleet: Fleet, seen: Observed) -> Fleet:
        """Return a fleet as observed; users who ask again at once bring the rate that Little's law gives them."""
        observed = replace(fleet, observed=seen)
        return replace(observed, rate_req_per_s=self.demand.users / observed.e2e_s) if self.demand.closed else observed

    def _missed(self, fleet: Fleet, seen: Observed, most_per_hour: float) -> Missed:
        fault = self._fault(seen)
        ended = f"{_LARGEST_FACTOR} times the replicas do not help"
        if _spent(fleet) > most_per_hour:
            ended = f"more would cost over {_SLACK:g} times the cheapest"
        if fault is None or fault == "load":
            return Missed(
                fleet=fleet,
                limit=f"cannot keep up with the load, by {100 * seen.overload_frac:.0f} %",
                seen=None,
                asked=None,
                ended=ended,
            )
        limit = dict(zip(_NAMES, self.service.slo, strict=True))[fault]
        statistic = self.service.percentile
        return Missed(
            fleet=fleet,
            limit=f"{_WORDS[fault]} {statistic}",
            seen=seen.latency[fault][statistic].high,
            asked=limit,
            ended=ended,
        )

    def _fault(self, seen: Observed) -> str | None:
        """Return the first limit that is not kept with 95 % confidence: ``load`` for an unstable fleet."""
        if not seen.stable:
            return "load"
        for name, limit in zip(_NAMES, self.service.slo, strict=True):
            if limit is not None and seen.latency[name][self.service.percentile].high > limit:
                return name
        return None

    def observe(self, fleet: Fleet, runs: int | None = None) -> Observed:
        """Simulate a fleet, or of a large one a part with its share of the load."""
        runs = 1 if self.trace is not None else runs or self.demand.runs
        simulations = [self._run(fleet, run) for run in range(runs)]
        latency = {
            name: {
                statistic: _interval([f[0][name][statistic] for f in simulations])
                for statistic in simulations[0][0][name]
            }
            for name in _NAMES
        }
        return Observed(
            latency=latency,
            utilisation_frac=float(np.mean([f[1] for f in simulations])),
            stable=all(f[2] is None for f in simulations),
            overload_frac=max((f[2] or 0.0 for f in simulations), default=0.0),
            requests=simulations[0][3],
            runs=runs,
        )

    def _run(self, fleet: Fleet, run: int) -> tuple[dict[str, dict[str, float]], float, float | None, int]:
        """Return latencies, utilisation, overload and requests of one simulation."""
        pools = max(fleet.replicas, fleet.prefill_replicas)
        share = 1.0 if self.trace is not None else min(1.0, _SIMULATED_REPLICAS / pools)
        replicas = max(round(fleet.replicas * share), 1)
        prefill_replicas = max(round(fleet.prefill_replicas * share), 1)
        share = max(
            replicas / fleet.replicas, 0.0 if fleet.prefill is None else prefill_replicas / fleet.prefill_replicas
        )
        load = self._load(fleet, share, run)
        engine = self._engine(fleet.deployment, fleet)
        entry_s = serving.entry_time_s(fleet.deployment)
        if fleet.prefill is None:
            done = sim.simulate(
                load, engine.table, engine.limits, replicas=replicas, routing="least_loaded", entry_s=entry_s
            )
            _all_served(done.counts.rejected, done.counts.requests, engine)
            return _latency(done), done.occupancy.utilisation_frac, done.overload.overload_frac, load.count
        return self._tandem(fleet, load, engine, (replicas, prefill_replicas))

    def _tandem(
        self, fleet: Fleet, load: sim.Requests, decode: _Engine, replicas: tuple[int, int]
    ) -> tuple[dict[str, dict[str, float]], float, float | None, int]:
        """Simulate prompts on their pool, and decoding on the other, to which each request comes with its cache."""
        assert fleet.prefill is not None  # noqa: S101 - only called for two pools
        prompts = self._engine(fleet.prefill, fleet)
        split = sim.simulate_split(
            load,
            sim.Pool(table=prompts.table, limits=prompts.limits, replicas=replicas[1], links=fleet.prefill.layout.dp),
            sim.Pool(table=decode.table, limits=decode.limits, replicas=replicas[0], links=fleet.deployment.layout.dp),
            sim.hand_over_s(fleet.prefill, fleet.deployment, load.isl),
            entry_s=serving.entry_time_s(fleet.prefill),
        )
        _all_served(
            split.simulated.counts.rejected,
            split.simulated.counts.requests,
            min(prompts, decode, key=lambda e: e.limits.kv_blocks),
        )
        return (
            _latency(split.simulated),
            split.decode.utilisation_frac,
            split.simulated.overload.overload_frac,
            load.count,
        )

    def _load(self, fleet: Fleet, share: float, run: int) -> sim.Requests:
        """Return the requests of one run, in the share that the simulated replicas take."""
        demand, service = self.demand, self.service
        if self.trace is not None:
            count = min(self.demand.requests or max(len(self.trace.isl), LEAST_REQUESTS), _MOST_REQUESTS)
            rate = demand.rate_req_per_s or None
            return sim.from_trace(self.trace, requests=count, rate_req_per_s=rate)
        rate = fleet.rate_req_per_s * share
        in_flight = demand.users * share if demand.closed else rate * fleet.e2e_s
        count = int(min(max(LEAST_REQUESTS, _TURNS * in_flight), _MOST_REQUESTS))
        arrivals = "closed" if demand.closed else "poisson" if demand.cv == 1.0 else "gamma"
        load = sim.Load(
            requests=demand.requests or count, isl=service.isl, osl=service.osl, arrivals=arrivals,
            rate_req_per_s=rate, users=max(round(demand.users * share), 1), cv=demand.cv,
            isl_cv=demand.isl_cv, osl_cv=demand.osl_cv,
        )  # fmt: skip
        return sim.generate(load, seed=demand.seed * 1_000_003 + run)

    def _engine(self, deployment: serving.Deployment, fleet: Fleet) -> _Engine:
        """Return a pool's table and limits: batches up to twice the static one, where engine and cache allow."""
        service = self.service
        context = float(service.isl + service.osl)
        layout, factors = deployment.layout, deployment.engine
        limits_of_one = sim.limits_of(deployment, context=context, max_batch=1, step_tokens=1)
        batch = factors.batching.max_batch * layout.dp
        if service.max_batch is None:
            batch = min(batch, max(math.ceil(2 * fleet.point.batch), 8 * layout.dp))
        key = (str(deployment), deployment.engine.name, batch)
        if key not in self.tables:
            step_tokens = min(factors.batching.step_tokens * layout.dp, RANKS_STEP_TOKENS)
            limits = replace(limits_of_one, max_batch=batch, step_tokens=step_tokens)
            table = rank_table(deployment, batch, step_tokens, float(service.isl))
            self.tables[key] = _Engine(deployment, table, limits)
        return self.tables[key]


def settle_all(
    fleets: Sequence[Fleet], bench: Bench, *, progress: Progress | None = None, dearest: float = math.inf
) -> tuple[list[Fleet], list[Missed]]:
    """Simulate fleets in order; return those that keep the limits and those that do not.

    Parameters
    ----------
    fleets : sequence of Fleet
        Cheapest first by the static model.
    bench : Bench
        Load and limits.
    progress : callable, optional
        Told which fleet is simulated.
    dearest : float
        Cost, or accelerators where there is no price, beyond which no fleet is grown.
    """
    within_limits: list[Fleet] = []
    missed: list[Missed] = []
    for place, fleet in enumerate(fleets, start=1):
        if progress is not None:
            progress(f"simulating finalist {place} of {len(fleets)}: {fleet.words()}")
        cap = min(dearest, slack_over(within_limits))
        try:
            settled = bench.settle(fleet, cap)
        except InfeasibleError as error:
            limit = str(error).split(". Use")[0]
            settled = Missed(fleet=fleet, limit=limit, seen=None, asked=None, ended="more replicas do not help")
        if isinstance(settled, Missed):
            missed.append(settled)
        else:
            within_limits.append(settled)
            if bench.told is not None:
                bench.told(settled)
    return sorted(within_limits, key=lambda f: f.rank), missed


def slack_over(fleets: Sequence[Fleet]) -> float:
    """Return the cost over that of the cheapest of some fleets beyond which others are grown no further."""
    return _SLACK * min(map(_spent, fleets), default=math.inf)


def _spent(fleet: Fleet) -> float:
    return float(fleet.accelerators) if fleet.per_hour is None else fleet.per_hour


def _all_served(rejected: int, requests: int, engine: _Engine) -> None:
    if rejected:
        room = engine.limits.kv_blocks * engine.limits.block_tokens
        message = (
            f"{rejected:,} of {requests:,} requests exceed the KV cache of {engine.deployment}, {room:,} tokens. Use a "
            "larger device, fewer bits, or shorter requests."
        )
        raise InfeasibleError(message, ["device memory"])


def _latency(done: sim.SimResult) -> dict[str, dict[str, float]]:
    return {
        n: _statistics(spread)
        for n, spread in zip(_NAMES, (done.latency.ttft_s, done.latency.tpot_s, done.latency.e2e_s), strict=True)
    }


def _statistics(spread: sim.Spread | None) -> dict[str, float]:
    """Return the statistics of a latency; zero where no request has it (answers of one token have no TPOT)."""
    if spread is None:
        return dict.fromkeys(("mean", "p50", "p90", "p95", "p99"), 0.0)
    return dataclasses.asdict(spread)


def _interval(values: Sequence[float]) -> Interval:
    """Return mean and half width of Student's 95 % interval over runs."""
    runs = len(values)
    if runs < 2:
        return Interval(float(values[0]))
    from scipy.special import stdtrit

    spread = float(np.std(values, ddof=1)) / math.sqrt(runs)
    return Interval(float(np.mean(values)), float(stdtrit(runs - 1, 0.975)) * spread)
