"""What would change an answer, in sentences from the figures that a result already has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jevons.sizing.fleet import Fleet
from jevons.sizing.service import Service
from jevons.sizing.size_answer import LATENCIES
from jevons.sizing.ways import Swing, Way
from jevons.text import device_words
from jevons.units import format_count
from jevons.words import Sentence

_ROOM = 0.005
"""Share of the load from which on a fleet is said to carry more."""
_CLOSE = 0.5
"""Share of a limit from which on a latency is said to come near it."""
_LEAST_PART = 0.01
"""Share of a step from which on a part beside compute is named."""
_TENTH = 0.1
_FULL = 0.95
"""Share of the KV cache from which on it is full: a request that needs more than the rest waits."""


def of_fleets(
    entries: Sequence[Fleet], service: Service, rate_req_per_s: float, confidence: float
) -> Iterator[Sentence]:
    """Yield up to which load the best fleet does, which limit is next, and when another accelerator wins.

    Parameters
    ----------
    entries : sequence of Fleet
        Fleets that keep the limits, the recommended one first.
    service : Service
        With the limits.
    rate_req_per_s : float
        Load that was asked for [req/s]; 0 where none was.
    confidence : float
        Probability of keeping the limits that was asked for.
    """
    best = entries[0]
    if rate_req_per_s and best.most_req_per_s > (1.0 + _ROOM) * rate_req_per_s:
        most = best.most_req_per_s
        yield Sentence("change.load", {"most": most, "room": most / rate_req_per_s - 1.0})
    statistic = service.percentile if best.observed is not None else "mean"
    ends = best.intervals(statistic)
    seen = {
        key: (best.statistic(key, statistic), ends[key]["low"], ends[key]["high"], limit)
        for key, limit in zip(LATENCIES, service.slo, strict=True)
    }
    yield from nearest_limit(seen, statistic)
    yield from _other_device([fleet for fleet in entries if (fleet.chance(service) or 1.0) >= confidence])


def nearest_limit(
    seen: Mapping[str, tuple[float | None, float | None, float | None, float | None]], statistic: str
) -> Iterator[Sentence]:
    """Yield the latency that is nearest to its limit, where one comes near.

    Parameters
    ----------
    seen : mapping of str to (value, low, high, limit)
        By latency, such as ``ttft_s``, with the ends of the 80 % interval [s]; None where there is none.
    statistic : str
        Of the values, such as ``p95``.
    """
    shares = {key: (high or value) / limit for key, (value, _, high, limit) in seen.items() if value and limit}
    most = max(shares, key=shares.__getitem__, default=None)
    if most is None or shares[most] < _CLOSE:
        return
    value, low, high, limit = seen[most]
    values = {"limit": LATENCIES[most], "statistic": statistic, "asked": limit}
    yield Sentence("change.limit", {**values, "value": value, "value_low": low, "value_high": high})


def _other_device(entries: Sequence[Fleet]) -> Iterator[Sentence]:
    """Yield at which price of an hour the cheapest dearer fleet of another accelerator costs no more than the best."""
    if not entries:
        return
    best, now = entries[0], entries[0].per_hour
    others = [
        (cost, fleet)
        for fleet in entries[1:]
        if fleet.deployment.accelerator.id != best.deployment.accelerator.id and (cost := fleet.per_hour) is not None
    ]
    if now is None or not others:
        return
    cost, other = min(others, key=lambda pair: pair[0])
    if cost <= now:
        return
    values = {
        "accelerators": other.accelerators, "gpu": device_words(other.deployment.accelerator.id),
        "dearer": cost / now - 1.0, "fall": 1.0 - now / cost,
    }  # fmt: skip
    yield Sentence("change.device", values)


def of_ways(ways: Sequence[tuple[Way, Sentence]]) -> Iterator[Sentence]:
    """Yield at which price of the API and of rent another way is cheapest, and below which load the API is.

    Parameters
    ----------
    ways : sequence of (Way, Sentence)
        Cheapest first, each in words.
    """
    (best, words), (second, _) = ways[0], ways[1]
    api = next((way for way, _ in ways if way.machine is None), None)
    if api is best:
        yield Sentence("change.api_rises", {"times": second.month_cny / best.month_cny})
    elif api is not None:
        yield Sentence("change.api_falls", {"fall": 1.0 - best.month_cny / api.month_cny})
        if best.break_even_tok_per_d:
            yield Sentence("change.less_load", {"even": format_count(best.break_even_tok_per_d), "way": words})
    rented = next((way for way, _ in ways if way.name == "rent"), None)
    if rented is not None and rented.machine is not None and rented.parts_cny["rent"] > 0.0:
        rival, rent, gpu = second if rented is best else best, rented.parts_cny["rent"], rented.machine.device.id
        change = (rival.month_cny - rented.month_cny) / rent
        if rented is best:
            yield Sentence("change.rent_rises", {"gpu": device_words(gpu), "rise": change})
        elif change > -1.0:  # below that not even a free hour does
            yield Sentence("change.rent_falls", {"gpu": device_words(gpu), "fall": -change})


def of_owning(swings: Sequence[Swing], gpu: str, owned_cny: float, cheapest_cny: float) -> Iterator[Sentence]:
    """Yield the assumption that moves the cost of owned machines most, over their cost, and the cheapest way's.

    Parameters
    ----------
    swings : sequence of Swing
        Greatest first.
    gpu : str
        Device that they are of.
    owned_cny, cheapest_cny : float
        What a million output tokens cost on these machines at the planned utilisation, and by the cheapest way [CNY].
    """
    if not swings:
        return
    first = swings[0]

    def text(value: float) -> str:
        return f"{100.0 * value:.3g} %" if first.unit == "1" else f"{value:,.4g} {first.unit}"

    yield Sentence("change.way_swing", {
        "input": first.name, "gpu": device_words(gpu), "low": text(first.low), "high": text(first.high),
        "at_low": first.low_cny / owned_cny - 1.0, "at_high": first.high_cny / owned_cny - 1.0,
        "best": cheapest_cny / owned_cny - 1.0,
    })  # fmt: skip


def of_run(record: Mapping[str, Any], replicas: int) -> Iterator[Sentence]:
    """Yield what limits a simulated load: too few replicas, the limit that is near, or the KV cache.

    Parameters
    ----------
    record : mapping
        Documented figures of the run.
    replicas : int
        That it ran on; 0 where their number moved.
    """
    if not record["stable"]:
        if replicas and record["overload_frac"] is not None:
            needed = math.floor(replicas * (1.0 + record["overload_frac"])) + 1
            yield Sentence("change.replicas", {"needed": needed, "now": replicas})
        return
    seen = {}
    for key, limit in record["slo"].items():
        spread = record[key] or {}
        seen[key] = (*(spread.get(name) for name in ("p95", "p95_low", "p95_high")), limit)
    yield from nearest_limit(seen, "p95")
    if record["preemptions"]:
        yield Sentence("change.cache", {"count": record["preemptions"]})
    else:
        peak = max(kind["kv_peak_frac"] for kind in record.get("kinds", (record,)))
        yield Sentence("change.full" if peak > _FULL else "change.room", {"kv": peak})


def of_rates(points: Sequence[Mapping[str, Any]]) -> Iterator[Sentence]:
    """Yield between which of the tried rates the queue begins to grow."""
    stable = [point["rate"] for point in points if point["stable"]]
    over = [point["rate"] for point in points if not point["stable"]]
    if stable and over:
        yield Sentence("change.rate", {"stable": max(stable), "unstable": min(over)})
    elif stable:
        yield Sentence("change.rate_above", {"highest": max(stable)})


def of_step(parts: Mapping[str, float]) -> Sentence:
    """Return how much of a training step is compute, and the largest of the parts beside it."""
    whole = sum(parts.values())
    rest = {name: time for name, time in parts.items() if name != "compute"}
    most = max(rest, key=rest.__getitem__, default="")
    values = {"compute": parts["compute"] / whole, "rest": sum(rest.values()) / whole}
    if not most or rest[most] < _LEAST_PART * whole:
        return Sentence("change.step_compute", values)
    return Sentence("change.step", {**values, "part": most.replace("_", " "), "share": rest[most] / whole})


def of_hour(parts: Mapping[str, float]) -> Sentence:
    """Return the largest part of an accelerator-hour, by words."""
    most = max(parts, key=parts.__getitem__)
    share = parts[most] / sum(parts.values())
    return Sentence("change.hour", {"part": most, "share": share, "saved": _TENTH * share})


def of_use(utilisation_frac: float) -> Sentence:
    """Return what a million tokens cost at half the utilisation, and on devices that are always busy."""
    values = {"low": utilisation_frac / 2.0, "now": utilisation_frac, "fall": 1.0 - utilisation_frac}
    return Sentence("change.use", values)
