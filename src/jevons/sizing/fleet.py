"""Fleets that the static model proposes for a load: replicas of a layout, or a prefill and a decode pool."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from jevons import serving
from jevons.errors import InfeasibleError
from jevons.named import Named
from jevons.serving.captured import in_pools
from jevons.serving.spread import Spread, spread
from jevons.sizing.hour_price import HourPrice
from jevons.sizing.memory import memory_record
from jevons.sizing.service import Demand, Service

FULLEST_FRAC = 0.95
"""Highest planned load of a replica over its capacity: towards 1 queues grow without bound."""

_ENDS = ("low", "high")
_PREFILL_CHOICES = 2
_DECODE_CHOICES = 4

STAGES_MARGIN = 1.5
"""By how much pipeline stages inside a server must be better than a layout without them to come before it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A statistic over simulations: its mean, and half the width of its 95 % confidence interval (None for one run)."""

    mean: float
    half: float | None = None

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + (self.half or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Latencies of a fleet in simulations.

    Parameters
    ----------
    latency : mapping of str to mapping of str to Interval
        ``ttft_s``, ``tpot_s``, ``e2e_s``, each with ``mean`` and percentiles [s].
    utilisation_frac : float
        Share of time with a step running.
    stable : bool
        Whether every run kept up with its arrivals.
    overload_frac : float
        By how much arrivals exceed what is finished, at worst.
    requests, runs : int
        Requests of each run, and runs.
    """

    latency: dict[str, dict[str, Interval]]
    utilisation_frac: float
    stable: bool
    overload_frac: float
    requests: int
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Fleet(Named):
    """A fleet for a load: equal replicas, or a decode pool fed by a prefill pool.

    Parameters
    ----------
    deployment : Deployment
        One replica; of the decode pool where *prefill* is given.
    replicas : int
        Number of replicas.
    point : StaticPoint
        Operating point of a replica at full load.
    capacity : float
        Requests per second (or users of a closed loop) that one replica carries at that point.
    rate_req_per_s : float
        Load carried [req/s]; that of a full replica where none was given.
    price : HourPrice or None
        Of an accelerator-hour.
    prefill, prefill_replicas, prefill_capacity
        Replica, number and capacity of the prefill pool.
    observed : Observed or None
        What simulations saw.
    loaded : StaticPoint or None
        Operating point of a replica under its share of the load, by the static model; see `at_load`.
    by_rate : bool
        Whether its number of replicas follows from a rate that was asked for; not where users are held, or where no
        load was given.
    """

    deployment: serving.Deployment
    replicas: int
    point: serving.StaticPoint
    capacity: float
    rate_req_per_s: float
    price: HourPrice | None
    prefill: serving.Deployment | None = None
    prefill_replicas: int = 0
    prefill_capacity: float = 0.0
    observed: Observed | None = None
    loaded: serving.StaticPoint | None = None
    by_rate: bool = True

    @property
    def layout(self) -> serving.Layout:
        """Layout of a replica; of the decode pool where prompts have a pool of their own."""
        return self.deployment.layout

    @property
    def accelerators(self) -> int:
        """Accelerators of the whole fleet."""
        prompts = 0 if self.prefill is None else self.prefill.devices * self.prefill_replicas
        return self.deployment.devices * self.replicas + prompts

    @property
    def power_w(self) -> float:
        """Power of the accelerators with their share of the servers at full load, cooling apart."""
        return self.accelerators * self.deployment.accelerator.server_w

    @property
    def most_req_per_s(self) -> float:
        """Rate that all replicas carry at full load [req/s]."""
        if self.prefill is None:
            return self.point.req_per_s_per_device * self.deployment.devices * self.replicas
        return min(self.capacity * self.replicas, self.prefill_capacity * self.prefill_replicas)

    @property
    def per_hour(self) -> float | None:
        """Cost of the fleet in an hour, in the price's currency."""
        return None if self.price is None else self.price.amount * self.accelerators

    @property
    def simulatable(self) -> bool:
        """Whether the simulator knows the layout."""
        return all(d is None or d.layout.pp == 1 for d in (self.deployment, self.prefill))

    @property
    def e2e_s(self) -> float:
        """Mean end-to-end latency: as simulated, else without queueing [s]."""
        if self.observed is not None:
            return self.observed.latency["e2e_s"]["mean"].mean
        point = self.unqueued
        return point.ttft_s + point.tpot_s * self.point_steps

    @property
    def unqueued(self) -> serving.StaticPoint:
        """Point whose latencies hold without queueing: under the load where that was asked for, else at full load."""
        return self.loaded or self.point

    @property
    def point_steps(self) -> float:
        """Output tokens after the first that the points were made for."""
        return max(self.point.tok_per_s_per_device / self.point.req_per_s_per_device - 1.0, 0.0)

    def grown(self, replicas: int, prefill_replicas: int = 0) -> Fleet:
        """Return the same fleet with other numbers of replicas, not yet simulated."""
        return replace(self, replicas=replicas, prefill_replicas=prefill_replicas, observed=None, loaded=None)

    @property
    def usual(self) -> bool:
        """Whether pipeline stages fill servers, or links inside a server are slow: what engines' guides tell to run."""
        pools = [pool for pool in (self.deployment, self.prefill) if pool is not None]
        return all(serving.stages_fill_servers(pool.layout, pool.accelerator) for pool in pools)

    @property
    def rank(self) -> tuple[bool, float, float]:
        """What fleets are sorted by: cost (accelerators where no price is known), then response.

        Stages inside a server count as slower by a margin that the model is sure of: few runs of them were measured.
        """
        per_hour, margin = self.per_hour, 1.0 if self.usual else STAGES_MARGIN
        return per_hour is None, float(self.accelerators) if per_hour is None else per_hour, margin * self.e2e_s

    def chance(self, service: Service) -> float | None:
        """Return the probability that measured latencies keep the limits; None where there are none.

        Errors of several latencies are taken as independent; see `jevons.serving.spread`.
        """
        chances = self.chances(service)
        return math.prod(chances.values()) if chances else None

    def chances(self, service: Service) -> dict[str, float]:
        """Return the probability of keeping each limit, by latency."""
        chances = {}
        for key, limit in zip(("ttft_s", "tpot_s", "e2e_s"), service.slo, strict=True):
            statistic = self.statistic(key, service.percentile)
            if limit is not None and statistic:
                chances[key] = self.chance_of(key, statistic, limit)
        return chances

    def chance_of(self, key: str, predicted_s: float, limit_s: float) -> float:
        """Return the probability that a latency predicted so is measured within a limit."""
        return self._spread(key).chance_below(predicted_s, limit_s)

    def intervals(self, statistic: str = "mean") -> dict[str, dict[str, float | None]]:
        """Return ``low`` and ``high`` of each latency's 80 % interval, by the errors of past predictions [s]."""
        ends: dict[str, dict[str, float | None]] = {}
        for key in ("ttft_s", "tpot_s", "e2e_s"):
            value = self.statistic(key, statistic)
            low, high = (None, None) if value is None else self._spread(key).interval(value)
            ends[key] = {"low": low, "high": high}
        return ends

    def statistic(self, key: str, statistic: str) -> float | None:
        """Return a statistic of a latency, its mean where that is not known; None where there is none [s]."""
        statistics = self.latency()[key]
        return statistics.get(statistic, statistics["mean"])["mean"] or None

    def _spread(self, key: str) -> Spread:
        names = (self.deployment.engine.name, self.deployment.accelerator.id, self.deployment.model.name)
        return spread(key.removesuffix("_s"), *names)

    def __repr__(self) -> str:
        """Return replicas, layout, accelerators and load on one line."""
        device = self.deployment.accelerator.id
        return f"<fleet {self.words()} on {self.accelerators} {device}, {self.rate_req_per_s:.3g} req/s>"

    def words(self) -> str:
        """Return the layout in words, such as ``4 x tp8`` or ``prefill 2 x tp8 + decode 3 x tp4``."""
        own = f"{self.replicas} x {self.deployment.layout}"
        if self.prefill is None:
            return own
        return f"prefill {self.prefill_replicas} x {self.prefill.layout} + decode {own}"

    def cost_per_mtok(self, tokens: int) -> float | None:
        """Return the cost of a million tokens where a request has so many that count; None where no price is known."""
        per_hour = self.per_hour
        return None if per_hour is None else per_hour / 3600 / (self.rate_req_per_s * tokens) * 1e6

    def accelerators_at(self, ratio: float) -> int:
        """Return the accelerators that the load takes where a replica serves *ratio* times its predicted rate."""
        load, prompts = self.rate_req_per_s / ratio, 0
        if self.prefill is not None:
            prompts = self.prefill.devices * replicas_for(load, self.prefill_capacity)
        return self.deployment.devices * replicas_for(load, self.capacity) + prompts

    def cost_ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the ends of the 80 % intervals of the cost, as ratios to it: of an hour, and of tokens.

        By the errors of predicted rates. A load that is asked for by its rate takes more or fewer replicas than the
        fleet has, whose own number lies within. A fleet of a fixed size costs what it costs, its tokens more or less.
        """
        rate = self._spread("rate")
        if not self.by_rate:
            return (1.0, 1.0), (1.0 / rate.high, 1.0 / rate.low)
        low = min(self.accelerators_at(rate.high), self.accelerators) / self.accelerators
        high = max(self.accelerators_at(rate.low), self.accelerators) / self.accelerators
        return (low, high), (low, high)

    def costs(self, service: Service) -> dict[str, float | None]:
        """Return the cost of an hour and of a million tokens with the ends of their intervals; None without a price."""
        per_hour, tokens = self.cost_ends()
        costs: dict[str, float | None] = {}
        for name, cost, ends in (
            ("cost_per_h", self.per_hour, per_hour),
            ("cost_per_mtok", self.cost_per_mtok(service.isl + service.osl), tokens),
            ("cost_per_output_mtok", self.cost_per_mtok(service.osl), tokens),
        ):
            costs[name] = cost
            costs |= {f"{name}_{end}": None if cost is None else cost * at for end, at in zip(_ENDS, ends, strict=True)}
        return costs

    def record(self, service: Service) -> dict[str, Any]:
        """Return the fleet as plain values; ends of intervals are of means."""
        latency = self.latency()
        intervals = self.intervals()
        return {
            "gpu": self.deployment.accelerator.id,
            "layout": degrees(self.deployment),
            "prefill_layout": None if self.prefill is None else degrees(self.prefill),
            "precision": self.deployment.precision,
            "accelerators": self.accelerators,
            "accelerators_per_replica": self.deployment.devices,
            "replicas": self.replicas,
            "prefill_replicas": self.prefill_replicas,
            "batch": self.point.batch,
            "ttft_s": latency["ttft_s"]["mean"]["mean"],
            "tpot_s": latency["tpot_s"]["mean"]["mean"],
            "e2e_s": latency["e2e_s"]["mean"]["mean"],
            **{f"{name}_{end}": value for name, ends in intervals.items() for end, value in ends.items()},
            "latency": latency,
            "chance_within_limits": self.chance(service),
            "p_slo": self.chance(service),
            "simulated": self.observed is not None,
            "utilisation_frac": None if self.observed is None else self.observed.utilisation_frac,
            "output_tok_per_s_per_gpu": self.rate_req_per_s * service.osl / self.accelerators,
            "req_per_s": self.rate_req_per_s,
            "req_per_s_at_most": self.most_req_per_s,
            "power_w": self.power_w,
            "memory_bytes": dict(self.point.memory_bytes),
            "memory": memory_record(self.deployment, service.isl + service.osl),
            "bounds": dict(self.point.bounds),
            **self.costs(service),
            "currency": None if self.price is None else self.price.currency,
        }

    def latency(self) -> dict[str, dict[str, dict[str, float | None]]]:
        """Return the statistics of each latency with their intervals; the static point has only means."""
        if self.observed is None:
            static = {"ttft_s": self.unqueued.ttft_s, "tpot_s": self.unqueued.tpot_s, "e2e_s": self.e2e_s}
            return {name: {"mean": {"mean": value, "half_width": None}} for name, value in static.items()}
        return {
            name: {s: {"mean": v.mean, "half_width": v.half} for s, v in statistics.items()}
            for name, statistics in self.observed.latency.items()
        }


def degrees(deployment: serving.Deployment) -> dict[str, Any]:
    """Return a deployment's parallel degrees by name."""
    return {name: getattr(deployment.layout, name) for name in ("tp", "pp", "ep", "dp", "dp_attention")}


def shared_fleets(
    curves: Sequence[serving.StaticCurve], service: Service, demand: Demand, rate: float, price: HourPrice | None
) -> list[Fleet]:
    """Return, for each layout that meets the limits, the fewest replicas that carry the load at its best point."""
    return [
        at_point(curve, curve.best(*service.slo), demand, rate, price)
        for curve in curves
        if curve.allowed(*service.slo).any()
    ]


def at_point(
    curve: serving.StaticCurve, where: tuple[int, int], demand: Demand, rate: float, price: HourPrice | None
) -> Fleet:
    """Return the fewest replicas that carry the load at one point of a layout."""
    point, devices = curve.point(where), curve.deployment.devices
    each = point.req_per_s_per_device * devices
    if demand.users and demand.think_s > 0:
        # Users who think for varying times come like a Poisson stream, at most as often as quick answers let them.
        rate = demand.users / (float(curve.e2e_s.min()) + demand.think_s)
    elif demand.users:
        rate = demand.users / float(curve.e2e_s[where])
        count = max(math.ceil(demand.users / point.batch - 1e-9), 1)
        return Fleet(
            deployment=curve.deployment,
            replicas=count,
            point=point,
            capacity=point.batch,
            rate_req_per_s=rate,
            price=price,
            by_rate=False,
        )
    if rate <= 0:
        return Fleet(
            deployment=curve.deployment, replicas=1, point=point, capacity=each, rate_req_per_s=each, price=price,
            by_rate=False,
        )  # fmt: skip
    return Fleet(
        deployment=curve.deployment,
        replicas=replicas_for(rate, each),
        point=point,
        capacity=each,
        rate_req_per_s=rate,
        price=price,
    )


def at_load(fleet: Fleet, service: Service, demand: Demand, curve: serving.StaticCurve | None = None) -> Fleet:
    """Return a fleet with the latencies of a replica under its share of the load; one at full load has the others.

    The *curve* is that of its replicas where it is at hand; it is made anew otherwise.
    """
    users = demand.users / fleet.replicas if demand.closed else 0.0
    loaded = serving.point_at_load(
        fleet.deployment, service.workload(), slo=service.slo, users=users,
        req_per_s=0.0 if demand.closed else fleet.rate_req_per_s / fleet.replicas, prefill=fleet.prefill,
        prefill_req_per_s=fleet.rate_req_per_s / max(fleet.prefill_replicas, 1), curve=curve,
    )  # fmt: skip
    if loaded is None:
        return fleet
    own = replace(fleet, loaded=loaded)
    return replace(own, rate_req_per_s=demand.users / own.e2e_s) if demand.closed else own


def at_best_batch(fleet: Fleet, service: Service) -> Fleet:
    """Return one full replica at the best of all batches within the limits; one with pools of its own as it is."""
    if fleet.prefill is not None:
        return fleet
    ttft_s, tpot_s, e2e_s = service.slo
    point = serving.best_static_point(
        fleet.deployment, service.workload(), ttft_s=ttft_s, tpot_s=tpot_s, e2e_s=e2e_s
    )  # fmt: skip
    each = point.req_per_s_per_device * fleet.deployment.devices
    return replace(fleet, point=point, capacity=each, rate_req_per_s=each)


def replicas_for(load: float, each: float) -> int:
    """Return the fewest replicas that carry a load, none loaded above `FULLEST_FRAC`."""
    return max(math.ceil(load / (FULLEST_FRAC * each) - 1e-9), 1)


def split_fleets(
    curves: Sequence[serving.StaticCurve], service: Service, rate: float, price: HourPrice | None
) -> list[Fleet]:
    """Return fleets with a prefill and a decode pool, each of whole replicas of its best layout.

    Notes
    -----
    A layout's curve holds both halves already: the device time of a prompt by row, and of the decode steps by batch.
    """
    ttft_s, tpot_s, _ = service.slo
    if rate <= 0 or service.osl <= 1:
        return []
    prompts: list[tuple[float, serving.Deployment]] = []
    decodes: list[tuple[float, serving.Deployment]] = []
    for curve in curves:
        deployment = curve.deployment
        if deployment.layout.pp > 1:
            continue
        prompt_s = (curve.prompts.device_s + curve.prompts.cached_device_s)[
            curve.prompts.ttft_s + serving.entry_time_s(deployment) <= (ttft_s or math.inf)
        ]
        if prompt_s.size:
            prompts.append((float(prompt_s.min()), deployment))
        step_s = curve.step.time_s
        spent = (deployment.devices * step_s / curve.batches)[step_s <= (tpot_s or math.inf)]
        if spent.size:
            decodes.append((float(spent.min()) * (service.osl - 1.0), deployment))
    prompts.sort(key=lambda pool: _pool_cost(pool[0], pool[1], rate))
    decodes.sort(key=lambda pool: _pool_cost(pool[0], pool[1], rate))
    fleets = []
    for _, prefill in prompts[:_PREFILL_CHOICES]:
        for _, decode in [d for d in decodes if d[1].precision == prefill.precision][:_DECODE_CHOICES]:
            try:
                fleets.append(_split(prefill, decode, service, rate, price))
            except InfeasibleError:
                continue
    return fleets


def _pool_cost(device_s: float, deployment: serving.Deployment, rate: float) -> tuple[float, float]:
    """Return the accelerators of a pool of whole replicas, then its device time per request."""
    return math.ceil(rate * device_s / deployment.devices) * deployment.devices, device_s


def _split(
    prefill: serving.Deployment, decode: serving.Deployment, service: Service, rate: float, price: HourPrice | None
) -> Fleet:
    """Return one fleet of two pools at its best point within the limits."""
    prefill = replace(prefill, engine=in_pools(prefill.engine))
    ttft_s, tpot_s, e2e_s = service.slo
    point = serving.best_static_point(
        decode, service.workload(), ttft_s=ttft_s, tpot_s=tpot_s, e2e_s=e2e_s, prefill=prefill
    )
    decoded = decode.devices / point.decode_device_s
    prompted = prefill.devices / (point.prefill_device_s + point.cached_device_s)
    return Fleet(
        deployment=decode,
        replicas=replicas_for(rate, decoded),
        point=point,
        capacity=decoded,
        rate_req_per_s=rate,
        price=price,
        prefill=prefill,
        prefill_replicas=replicas_for(rate, prompted),
        prefill_capacity=prompted,
    )
