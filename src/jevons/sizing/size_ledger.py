"""How the figures of sized fleets come about: each follows from facts of its device, of the site, and the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jevons.facts import default_facts
from jevons.facts.ledger import add_fact
from jevons.formula import Formula, Symbol
from jevons.hardware import Accelerator, site_facts
from jevons.provenance import Ledger
from jevons.sizing.fleet import Fleet
from jevons.sizing.hour_price import listed_prices
from jevons.sizing.service import Demand, Service

_HARDWARE = ("hbm_bytes", "hbm_bytes_per_s", "peak_bf16_flop_per_s", "peak_fp8_flop_per_s", "scaleup_bytes_per_s")
_TERMS = tuple(
    f"assumption.{n}" for n in ("wacc_frac", "economic_life_y", "site_life_y", "network_frac", "operations_frac")
)
_LATENCIES = ("ttft_s", "tpot_s", "e2e_s")
_ERRORS = "the errors of past predictions on runs that the fit had not seen"

REQUEST_TOKENS = Formula("isl + osl", "tok", {"isl": Symbol("input", "tok"), "osl": Symbol("output", "tok")})
"""Tokens of a request."""


def fleet_hour(currency: str) -> Formula:
    """Return the cost of a fleet in an hour."""
    unit = f"{currency}/h"
    return Formula(
        "accelerators * hour",
        unit,
        {"accelerators": Symbol("of the fleet"), "hour": Symbol("of an accelerator", unit)},
    )


def fleet_tokens(currency: str) -> Formula:
    """Return the cost of a million tokens, input and output alike."""
    return Formula(
        "hour / 3600 / (rate * tokens) * 1000000",
        f"{currency}/Mtok",
        {
            "hour": Symbol("cost of the fleet", f"{currency}/h"),
            "rate": Symbol("of requests", "req/s"),
            "tokens": Symbol("of a request", "tok"),
        },
    )


def size_ledger(entries: Sequence[Fleet], best: Fleet, service: Service, demand: Demand, site: str) -> Ledger:
    """Return how the figures of the fleets were made: of the best under ``best``, of each under ``entries.N``."""
    ledger, devices = Ledger(), {}
    for fleet in (best, *entries):
        device = fleet.deployment.accelerator
        if device.id not in devices:
            devices[device.id] = _add_facts(ledger, device, service, site)
    ledger.add("load.rate_req_per_s", best.rate_req_per_s, "req/s", source="asked for")
    for name, tokens in (("isl", service.isl), ("osl", service.osl)):
        ledger.add(f"request.{name}", tokens, "tok", source="asked for")
    ledger.derive("request.tokens", REQUEST_TOKENS, isl="request.isl", osl="request.osl")
    unit = "users" if demand.users and not demand.think_s else "req/s"
    for at, fleet in (("best", best), *((f"entries.{place}", fleet) for place, fleet in enumerate(entries))):
        _add_fleet(ledger, at, fleet, devices[fleet.deployment.accelerator.id], unit)
        _add_cost(ledger, at, fleet, devices[fleet.deployment.accelerator.id])
        _add_chance(ledger, at, fleet, service)
    return ledger


def _add_facts(ledger: Ledger, device: Accelerator, service: Service, site: str) -> Mapping[str, tuple[str, ...]]:
    """Add the facts of a device, and return their ids: of its hardware, and of the cost of its hour."""
    facts = default_facts()
    hardware = tuple(f"{device.id}.{q}" for q in _HARDWARE if f"{device.id}.{q}" in facts)
    at_site = tuple(fact for figure, fact in site_facts(site).items() if figure != "carbon")
    hour = (*listed_prices(device, site)[:1], *_TERMS, *at_site)
    for fact in (*hardware, *hour):
        add_fact(ledger, fact, facts, service.on)
    return {"hardware": hardware, "hour": hour}


def _add_fleet(ledger: Ledger, at: str, fleet: Fleet, facts: Mapping[str, tuple[str, ...]], unit: str) -> None:
    """Add what a fleet is of, carries and draws, and its latencies."""
    rate = "load.rate_req_per_s"
    if at != "best" and fleet.rate_req_per_s != ledger.nodes[rate].value:
        rate = f"{at}.rate_req_per_s"
        ledger.add(rate, fleet.rate_req_per_s, "req/s", method="what the fleet carries by its own latency")
    ledger.add(
        f"{at}.capacity_per_replica", fleet.capacity, unit,
        method=f"{fleet.deployment} at batch {fleet.point.batch:g}: bound by {_bounds(fleet.point.bounds)}",
        parents=facts["hardware"],
    )  # fmt: skip
    how = "fewest replicas that keep the limits when simulated" if fleet.observed else "load over capacity, rounded up"
    ledger.add(f"{at}.replicas", fleet.replicas, "1", method=how, parents=(rate, f"{at}.capacity_per_replica"))
    ledger.add(
        f"{at}.accelerators", fleet.accelerators, method="accelerators of all replicas, of the layout that was found",
        parents=(f"{at}.replicas",),
    )  # fmt: skip
    ledger.add(
        f"{at}.req_per_s_at_most", fleet.most_req_per_s, "req/s", method="capacity of a replica times replicas",
        parents=(f"{at}.capacity_per_replica", f"{at}.replicas"),
    )  # fmt: skip
    ledger.add(
        f"{at}.power_w", fleet.power_w, "W", method="accelerators with their share of the servers at full load",
        parents=(f"{at}.accelerators",),
    )  # fmt: skip
    for name, statistics in fleet.latency().items():
        for statistic, value in statistics.items():
            how = "simulated" if fleet.observed else "static point without queueing"
            ledger.add(f"{at}.{name}.{statistic}", value["mean"] or 0.0, "s", method=how, parents=(f"{at}.replicas",))


def _add_cost(ledger: Ledger, at: str, fleet: Fleet, facts: Mapping[str, tuple[str, ...]]) -> None:
    """Add what a fleet costs an hour, and its tokens."""
    price = fleet.price
    if price is None:
        return
    device = fleet.deployment.accelerator.id
    first = "price.per_accelerator_hour"
    hour = (
        first if at == "best" or ledger.nodes[first].value == price.amount else f"price.{device}.per_accelerator_hour"
    )
    if hour not in ledger.nodes:
        owned = price.origin.startswith("own cost")
        ledger.add(
            hour, price.amount, f"{price.currency}/h", method=price.origin, parents=facts["hour"] if owned else ()
        )
    rate = f"{at}.rate_req_per_s" if f"{at}.rate_req_per_s" in ledger.nodes else "load.rate_req_per_s"
    ledger.derive(f"{at}.cost_per_h", fleet_hour(price.currency), accelerators=f"{at}.accelerators", hour=hour)
    ledger.derive(
        f"{at}.cost_per_mtok", fleet_tokens(price.currency), hour=f"{at}.cost_per_h", rate=rate, tokens="request.tokens"
    )


def _add_chance(ledger: Ledger, at: str, fleet: Fleet, service: Service) -> None:
    """Add with what probability a fleet keeps the limits."""
    chance = fleet.chance(service)
    if chance is not None:
        latencies = [key for key, limit in zip(_LATENCIES, service.slo, strict=True) if limit is not None]
        known = [f"{at}.{key}.{service.percentile}" for key in latencies]
        parents = [path if path in ledger.nodes else f"{path.rpartition('.')[0]}.mean" for path in known]
        ledger.add(
            f"{at}.chance_within_limits", chance, "1",
            method=f"probability that measured latencies keep the limits, by {_ERRORS}", parents=parents,
        )  # fmt: skip


def _bounds(bounds: Mapping[str, str]) -> str:
    """Return what binds in each phase, in words."""
    return ", ".join(f"{what} ({phase})" for phase, what in bounds.items())
