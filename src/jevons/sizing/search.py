"""Sizes a fleet: cheapest layouts for a load within latency limits, by a static search and simulated finalists."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from jevons import models, serving
from jevons.errors import InfeasibleError, InputError, InputNote
from jevons.models import ModelSpec
from jevons.serving.sim import Trace, ahead
from jevons.sizing.finalists import LEAST_REQUESTS, Bench, Missed, Progress, settle_all
from jevons.sizing.fleet import (
    Fleet,
    at_best_batch,
    at_load,
    at_point,
    degrees,
    shared_fleets,
    split_fleets,
)
from jevons.sizing.hour_price import SITE, HourPrice, check_site, cny_per, converted, currency_of, owned_hour_price
from jevons.sizing.nearest import warn_of_release
from jevons.sizing.result import Infeasible, SizeResult
from jevons.sizing.service import GROUP_SIZES, Demand, Service
from jevons.sizing.size_answer import LATENCIES, Relaxed, binding
from jevons.sizing.surer import by_preference, confident, surer
from jevons.units import HOURS_PER_MONTH

__all__ = ["GROUP_SIZES", "Demand", "Infeasible", "Service", "SizeResult", "layout_degrees", "size"]

_CHEAPEST, _QUICKEST, _SPLIT = 5, 3, 2
"""Finalists of each kind: by cost, by latency, and with prefill and decode pools."""

_TIGHTER, _PER_STEP = (0.7, 0.5, 0.35), 2
"""TPOT targets, as fractions of the cheapest fleet's TPOT, at which faster fleets are searched; fleets for each."""

_GROWN = 3
"""Cheapest fleets that get more replicas to be confident where nothing is simulated."""

_FRONT_POINTS = 12
_RELAXED = 1.5
"""The weaker limit whose gain is told, over the one asked for."""


def layout_degrees(candidate: serving.Candidate) -> dict[str, int]:
    """Return a candidate's parallel degrees by name."""
    return degrees(candidate.deployment)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """Fleets of the static stage on all devices."""

    fleets: list[Fleet]
    front: list[Fleet]
    infeasible: list[Infeasible]
    tried: int
    split: list[Fleet]
    nothing: list[InfeasibleError]
    curves: list[tuple[Service, HourPrice | None, list[serving.StaticCurve]]]


def size(
    model: str,
    service: Service | None = None,
    *,
    rate_req_per_s: float | None = None,
    demand: Demand | None = None,
    gpus: Sequence[str] = (),
    prices: Mapping[str, HourPrice] | HourPrice | None = None,
    simulated: bool = True,
    budget_per_month: tuple[float, str] | None = None,
    most_accelerators: int | None = None,
    confidence: float = 0.8,
    site: str = SITE,
    currency: str | None = None,
    progress: Progress | None = None,
    on_fleet: Callable[[Mapping[str, Any]], None] | None = None,
) -> SizeResult:
    """Return the cheapest fleets that serve a model's load within its latency limits.

    Parameters
    ----------
    model : str
        Shipped name or path of a config.json.
    service : Service, optional
        Device, engine, request and limits.
    rate_req_per_s : float, optional
        Mean arrival rate, where the load has no other property [req/s].
    demand : Demand, optional
        The load; without one, layouts are sized as one replica at full load and nothing is simulated.
    gpus : sequence of str
        Candidate devices; the service's by default.
    prices : HourPrice or mapping of str to HourPrice, optional
        Of an accelerator-hour, for all devices or by their names; the cost of owning one where its price is known.
    simulated : bool
        Whether finalists are simulated; else their latencies are those without queueing.
    budget_per_month : (float, str), optional
        Maximum cost of the accelerators per month, and its currency.
    most_accelerators : int, optional
        Maximum number of accelerators of the whole fleet.
    confidence : float
        Fleets that keep the limits with this probability come first, the cheapest of them before; see `Fleet.chance`.
    site : str
        Site of accelerators of one's own, whose hours are priced where none is given.
    currency : str, optional
        Of all money; by default that of the prices given, else USD.
    progress : callable, optional
        Called with a line for each stage of the work.
    on_fleet : callable, optional
        Called with each finalist that keeps the limits as soon as it is simulated, as `Fleet.record` gives it.

    Raises
    ------
    InputError
        If a name is unknown, options exclude each other, or the request does not fit the model's context.
    InfeasibleError
        If no layout meets the limits, or no fleet carries the load; the message says which limit and by how much.
    """
    service, demand = service or Service(), demand or Demand()
    if rate_req_per_s is not None:
        demand = replace(demand, rate_req_per_s=rate_req_per_s)
    demand.check()
    spec = models.load(model)
    trace = demand.read()
    rate = demand.rate_req_per_s
    if trace is not None:
        service = replace(service, isl=round(float(trace.isl.mean())), osl=round(float(trace.osl.mean())))
        rate = rate or _rate_of(trace, demand)
        if simulated and demand.requests is None and len(trace.isl) < LEAST_REQUESTS:
            doubt = f"{trace.name} has {len(trace.isl):,} requests; it is repeated to {LEAST_REQUESTS:,} when simulated"
            warnings.warn(doubt, InputNote, stacklevel=2)
    names = tuple(gpus) or (service.gpu,)
    service = replace(service, gpu=names[0])
    service.check(spec)
    warn_of_release(service.engine, service.calibration)
    if simulated and demand.given:
        ahead.begin(closed=demand.closed)
    check_site(site)
    if site != SITE and isinstance(prices, HourPrice):
        message = f"--site {site}: has no effect where --gpu-hour states the price; omit one of them"
        raise InputError(message)
    hourly = _prices(names, service, prices, currency, site)
    candidates = _static(spec, service, demand, names, hourly, rate, progress)
    if not candidates.fleets and not candidates.split:
        raise _none(candidates)
    ranked = [*candidates.fleets, *candidates.split]
    limits = _Limits(budget_per_month, most_accelerators, service)
    limits.check_static(ranked, rate)
    missed: list[Missed] = []
    finalists = _finalists(candidates) if simulated and demand.given else []
    if not demand.given:
        entries = _refined(sorted(ranked, key=_throughput_cost), service)
    elif finalists:
        told = None if on_fleet is None else lambda fleet: on_fleet(fleet.record(service))
        bench = Bench(service=service, demand=demand, trace=trace, told=told)
        entries, missed = _simulated(finalists, candidates, bench, rate, confidence, progress)
    else:
        entries = _unsimulated(ranked, candidates, service, demand, confidence)
    entries = limits.keep(entries, rate)
    front = _pareto(entries) if demand.given else candidates.front
    if demand.given:
        entries = by_preference(entries, service, confidence)
    return SizeResult(
        model=spec,
        service=service,
        demand=demand,
        rate_req_per_s=rate,
        gpus=names,
        prices=hourly,
        entries=tuple(entries),
        pareto=tuple(front),
        tried=candidates.tried,
        infeasible=tuple(candidates.infeasible),
        missed=tuple(missed),
        confidence=confidence,
        asked=str(model),
        site=site,
        relaxed=_relaxed(candidates, entries[0], service, demand, rate),
    )


def _rate_of(trace: Trace, demand: Demand) -> float:
    """Return the mean rate of a trace's arrivals [req/s]."""
    span_s = float(trace.arrival_s[-1])
    if span_s <= 0:
        message = f"--trace {demand.trace}: all requests arrive at once; give --rate to spread them"
        raise InputError(message)
    return (len(trace.isl) - 1) / span_s


def _simulated(
    finalists: list[Fleet], candidates: _Field, bench: Bench, rate: float, confidence: float, progress: Progress | None
) -> tuple[list[Fleet], list[Missed]]:
    """Return the finalists that keep the limits when simulated, surer and faster ones besides, and those that miss."""
    entries, missed = settle_all(finalists, bench, progress=progress)
    if not entries:
        raise _all_missed(missed, bench.demand)
    entries = surer(entries, candidates.curves, bench, rate, confidence, progress)
    return _faster(candidates, entries, bench, rate, progress), missed


def _throughput_cost(fleet: Fleet) -> tuple[bool, float]:
    """Return what replicas at full load are sorted by: cost of a request, or device time where no price is known."""
    price = 1.0 if fleet.price is None else fleet.price.amount
    return fleet.price is None, serving.full_preference(fleet.deployment, price / fleet.point.req_per_s_per_device)


def _refined(fleets: Sequence[Fleet], service: Service) -> list[Fleet]:
    """Return full replicas with the first ones at the best of all batches, as `jevons.cost` and a plan have them."""
    first = [at_best_batch(fleet, service) for fleet in fleets[: serving.REFINED]]
    return sorted([*first, *fleets[serving.REFINED :]], key=_throughput_cost)


def _unsimulated(
    fleets: Sequence[Fleet], candidates: _Field, service: Service, demand: Demand, confidence: float
) -> list[Fleet]:
    """Return fleets under their load, the cheapest also with as many replicas as it takes to be confident.

    Those that come first are placed on all points of their layouts, the others on those that the search has.
    """
    curves = {id(curve.deployment): curve for _, _, of_device in candidates.curves for curve in of_device}

    def searched(fleet: Fleet) -> Fleet:
        own = None if fleet.prefill is not None else curves.get(id(fleet.deployment))
        return at_load(fleet, service, demand, own)

    entries = by_preference([*map(searched, fleets)], service, confidence)
    entries[: serving.REFINED] = [at_load(fleet, service, demand) for fleet in entries[: serving.REFINED]]
    grown: list[Fleet] = []
    for fleet in [f for f in sorted(entries, key=lambda f: f.rank) if f.prefill is None][:_GROWN]:
        if not confident(fleet, service, confidence):
            counts = range(fleet.replicas + 1, 2 * fleet.replicas + 2)
            curve = serving.static_curve(fleet.deployment, service.workload())
            more = (at_load(fleet.grown(count), service, demand, curve) for count in counts)
            grown += islice((f for f in more if confident(f, service, confidence)), 1)
    return sorted([*entries, *grown], key=lambda f: f.rank)


def _relaxed(candidates: _Field, best: Fleet, service: Service, demand: Demand, rate: float) -> Relaxed | None:
    """Return what half as much again of the binding limit buys, by the static model; None where no limit binds."""
    key = binding(best, service)
    if key is None or not demand.given:
        return None
    asked_s = getattr(service, key)

    def cheapest(limit_s: float) -> Fleet:
        fleets: list[Fleet] = []
        for device, price, curves in candidates.curves:
            weaker = _with_limit(device, key, limit_s)
            fleets += shared_fleets(curves, weaker, demand, rate, price)
            fleets += [] if demand.users or not candidates.split else split_fleets(curves, weaker, rate, price)
        return min(fleets, key=lambda f: f.rank)

    now = min([*candidates.fleets, *candidates.split], key=lambda f: f.rank)
    then = cheapest(_RELAXED * asked_s)
    costs = [float(f.accelerators) if f.per_hour is None else f.per_hour for f in (now, then)]
    return Relaxed(
        limit=LATENCIES[key], asked_s=asked_s, relaxed_s=_RELAXED * asked_s, accelerators=then.accelerators,
        gpu=then.deployment.accelerator.id, saving_frac=1.0 - costs[1] / costs[0],
    )  # fmt: skip


def _with_limit(service: Service, key: str, limit_s: float) -> Service:
    if key == "ttft_s":
        return replace(service, ttft_s=limit_s)
    return replace(service, tpot_s=limit_s) if key == "tpot_s" else replace(service, e2e_s=limit_s)


def _prices(
    names: Sequence[str],
    service: Service,
    given: Mapping[str, HourPrice] | HourPrice | None,
    currency: str | None,
    site: str,
) -> dict[str, HourPrice | None]:
    """Return the price of each device, in one currency."""
    devices = [replace(service, gpu=name).accelerator() for name in names]
    hourly: dict[str, HourPrice | None] = {}
    if isinstance(given, Mapping):
        by_id = {replace(service, gpu=name).accelerator().id: price for name, price in given.items()}
        unused = sorted(set(by_id) - {device.id for device in devices})
        if unused:
            message = f"--gpu-hour {unused[0]}=…: is none of the devices asked for ({', '.join(names)})"
            raise InputError(message)
        hourly = {d.id: by_id.get(d.id) or owned_hour_price(d, service.on, site=site) for d in devices}
    else:
        hourly = {d.id: given or owned_hour_price(d, service.on, site=site) for d in devices}
    stated = given.values() if isinstance(given, Mapping) else (given,)
    unit = currency_of(currency, *stated, *(device.own_price for device in devices))
    return {name: converted(price, unit, service.on) for name, price in hourly.items()}


def in_cny(price: HourPrice, service: Service) -> HourPrice:
    """Return a price in CNY, at the rate of the day."""
    if price.currency == "CNY":
        return price
    rate = cny_per(price.currency, service.on)
    return HourPrice(price.amount * rate, "CNY", f"{price.origin}, {price.amount:g} {price.currency} at {rate:g}")


def _static(
    spec: ModelSpec,
    service: Service,
    demand: Demand,
    names: Sequence[str],
    hourly: Mapping[str, HourPrice | None],
    rate: float,
    progress: Progress | None,
) -> _Field:
    """Return the fleets of all devices that the static model finds."""
    field = _Field(fleets=[], front=[], infeasible=[], tried=0, split=[], nothing=[], curves=[])
    for name in names:
        own_service = replace(service, gpu=name)
        device = own_service.accelerator()
        if progress is not None:
            progress(f"trying the layouts of {spec.name} on {device.id}")
        seen = own_service.survey(spec, device)
        curves = list(seen.curves)
        price = hourly[device.id]
        fleets = shared_fleets(curves, own_service, demand, rate, price)
        field.curves.append((own_service, price, curves))
        field.fleets.extend(fleets)
        if not own_service.fixed and not demand.users:
            field.split.extend(split_fleets(curves, own_service, rate, price))
        if not demand.given:
            field.front.extend(_throughput_front(curves, own_service, price))
        field.infeasible.extend(Infeasible.of(r) for r in seen.rejections)
        field = replace(field, tried=field.tried + seen.tried)
        if not fleets:
            sizes, fixed_degrees = own_service.group_sizes() or (own_service.gpus,), dict(own_service.fixed)
            field.nothing.append(serving.nothing_feasible(spec, device, sizes, seen.rejections, fixed_degrees))
    return field


def _throughput_front(curves: Sequence[serving.StaticCurve], service: Service, price: HourPrice | None) -> list[Fleet]:
    """Return points of one replica that none beats in latency and throughput, thinned to a readable number."""
    points = []
    for curve in curves:
        allowed = curve.allowed(*service.slo)
        for column in range(len(curve.batches)):
            rows = [row for row in range(len(allowed)) if allowed[row, column]]
            if rows:
                row = min(rows, key=lambda r: curve.request_device_s[r, column])
                points.append(
                    (curve.tpot_s[row, column], -1.0 / curve.request_device_s[row, column], curve, (row, column))
                )
    points.sort(key=lambda p: (p[0], p[1]))
    best, front = 0.0, []
    for _, negative, curve, where in points:
        if -negative > best:
            best = -negative
            front.append((curve, where))
    step = max(1, math.ceil(len(front) / _FRONT_POINTS))
    thinned = front[::-1][::step][::-1]
    return [at_point(curve, where, Demand(), 0.0, price) for curve, where in thinned]


def _finalists(candidates: _Field) -> list[Fleet]:
    """Return the fleets to simulate, cheapest first: some of each device and kind, the fastest among them."""
    chosen: dict[str, Fleet] = {}
    groups: dict[str, list[Fleet]] = {}
    for fleet in candidates.fleets:
        if fleet.simulatable:
            groups.setdefault(fleet.deployment.accelerator.id, []).append(fleet)
    for fleets in groups.values():
        by_cost = sorted(fleets, key=lambda f: f.rank)
        least = by_cost[0].accelerators
        near = [f for f in by_cost if f.accelerators <= 3 * least]
        quick = sorted(near, key=lambda f: f.e2e_s)
        for fleet in [*by_cost[:_CHEAPEST], *quick[:_QUICKEST]]:
            chosen.setdefault(str(fleet.deployment), fleet)
    for device in {fleet.deployment.accelerator.id for fleet in candidates.split}:
        split = sorted((f for f in candidates.split if f.deployment.accelerator.id == device), key=lambda f: f.rank)
        for fleet in split[:_SPLIT]:
            chosen.setdefault(f"{fleet.prefill}|{fleet.deployment}", fleet)
    return sorted(chosen.values(), key=lambda f: f.rank)


def _faster(
    candidates: _Field, entries: list[Fleet], bench: Bench, rate: float, progress: Progress | None
) -> list[Fleet]:
    """Return the fleets and faster ones: the cheapest under tighter TPOT limits."""
    demand, statistic = bench.demand, bench.service.percentile
    for factor in _TIGHTER:
        reached = min(f.observed.latency["tpot_s"][statistic].mean for f in entries[:1] if f.observed)
        if reached <= 0:
            break
        fleets: list[Fleet] = []
        for service, price, curves in candidates.curves:
            tight = replace(service, tpot_s=factor * reached)
            fleets += [f for f in shared_fleets(curves, tight, demand, rate, price) if f.simulatable]
            if not demand.users:
                fleets += split_fleets(curves, tight, rate, price)
        known = {f.words() for f in entries}
        fleets = [f for f in sorted(fleets, key=lambda f: f.rank) if f.words() not in known][:_PER_STEP]
        tighter = replace(bench, service=replace(bench.service, tpot_s=factor * reached))
        settled, _ = settle_all(fleets, tighter, progress=progress)
        entries = [*entries, *(f for f in settled if f.words() not in known)]
    return sorted(entries, key=lambda f: f.rank)


def _pareto(entries: Sequence[Fleet]) -> list[Fleet]:
    """Return the fleets that none equals or beats in cost, accelerators, power and latency at once."""

    def score(f: Fleet) -> tuple[float, float, float, float]:
        cost = float(f.accelerators) if f.per_hour is None else f.per_hour
        return cost, float(f.accelerators), f.power_w, f.e2e_s

    scores = [score(f) for f in entries]
    front = []
    for place, own in enumerate(scores):
        beaten = any(
            all(a <= b for a, b in zip(other, own, strict=True)) and (other != own or rank < place)
            for rank, other in enumerate(scores)
            if rank != place
        )
        if not beaten:
            front.append(entries[place])
    return front


@dataclass(frozen=True, slots=True)
class _Limits:
    """Maximum cost and maximum number of accelerators of a fleet."""

    budget_per_month: tuple[float, str] | None
    most_accelerators: int | None
    service: Service

    def check_static(self, fleets: Sequence[Fleet], rate: float) -> None:
        """Raise where not even the fewest replicas, without queueing, are within the limits."""
        self.keep(sorted(fleets, key=lambda f: f.rank), rate)

    def keep(self, fleets: Sequence[Fleet], rate: float) -> list[Fleet]:
        """Return the fleets within the limits; raise where there is none, saying which limit and by how much."""
        within = [f for f in fleets if self._over(f) is None]
        if within or not fleets:
            return within
        least = min(fleets, key=lambda f: self._over(f) or 0.0)
        over = self._over(least) or 0.0
        share = 1.0 / (1.0 + over)
        carried = (
            f"the limit carries about {_rate(rate * share)} of {_rate(rate)} req/s" if rate > 0 else "no replica fits"
        )
        if self.budget_per_month is not None and self._month(least) is None:
            message = "--budget: no price of an accelerator-hour is known; give --gpu-hour"
            raise InputError(message)
        if self.most_accelerators is not None and least.accelerators > self.most_accelerators:
            message = (
                f"the smallest fleet that carries the load has {least.accelerators:,} accelerators ({least.words()}), "
                f"{100 * over:.0f} % above --gpus {self.most_accelerators:,}; {carried}. Raise it, relax the "
                "latency limits, or lower the load."
            )
            raise InfeasibleError(message, ["accelerators"])
        amount, currency = self.budget_per_month or (0.0, "")
        message = (
            f"the cheapest fleet that carries the load costs {self._month(least) or 0.0:,.0f} {currency} a month "
            f"({least.words()}, {least.accelerators:,} accelerators), {100 * over:.0f} % above --budget "
            f"{amount:,.0f} {currency}; {carried}. Raise it, relax the latency limits, or lower the load."
        )
        raise InfeasibleError(message, ["budget"])

    def _month(self, fleet: Fleet) -> float | None:
        """Return the cost of a month in the budget's currency."""
        if fleet.price is None or fleet.per_hour is None or self.budget_per_month is None:
            return None
        if fleet.price.currency == self.budget_per_month[1]:
            return fleet.per_hour * HOURS_PER_MONTH
        yuan = in_cny(fleet.price, self.service).amount * fleet.accelerators * HOURS_PER_MONTH
        return yuan / cny_per(self.budget_per_month[1], self.service.on)

    def _over(self, fleet: Fleet) -> float | None:
        """Return by which share a fleet exceeds the limits; None where it does not."""
        over = 0.0
        if self.most_accelerators is not None:
            over = max(over, fleet.accelerators / self.most_accelerators - 1.0)
        if self.budget_per_month is not None:
            month = self._month(fleet)
            over = math.inf if month is None else max(over, month / self.budget_per_month[0] - 1.0)
        return over if over > 0 else None


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _none(candidates: _Field) -> InfeasibleError:
    """Return why the static stage found nothing."""
    message = "\n".join(dict.fromkeys(str(error).split(" Binding limits")[0] for error in candidates.nothing))
    return InfeasibleError(
        message, list(dict.fromkeys(limit for error in candidates.nothing for limit in error.limits))
    )


def _all_missed(missed: Sequence[Missed], demand: Demand) -> InfeasibleError:
    """Return what every simulated fleet misses, the nearest miss first."""
    timed = [m for m in missed if m.seen is not None and m.asked is not None]
    if not timed:
        return InfeasibleError(
            f"none of {len(missed)} simulated fleets keeps up with {demand.words}: {missed[0].detail}.", ["load"]
        )
    near = min(timed, key=lambda m: (m.seen or 0.0) / (m.asked or 1.0))
    message = (
        f"none of {len(missed)} simulated fleets keeps the limits under {demand.words}, however many replicas: the "
        f"nearest is {near.fleet.words()}, whose {near.limit} is {1e3 * (near.seen or 0.0):,.3g} ms against "
        f"{1e3 * (near.asked or 0.0):,.3g} ms. Relax that limit, or allow more accelerators per replica."
    )
    return InfeasibleError(message, [near.limit])
