"""Sentences of a sized fleet: what it carries, how surely, what is cheaper, which limit binds, what was left out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jevons.sizing.fleet import Fleet, at_load
from jevons.sizing.service import Demand, Service
from jevons.words import Sentence

LATENCIES = {"ttft_s": "TTFT", "tpot_s": "TPOT", "e2e_s": "E2E"}
_SURE, _SUREST = 0.97, 0.999
_RATIOS = tuple(1.0 + place / 20.0 for place in range(1, 181))
"""Of a weaker limit to the one asked for: a twentieth apart, to ten times."""
_MANY = 16
"""Times the replicas with which next to no request waits."""
_LEAST_SAVING = 0.01
_MOST_REASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxed:
    """What a weaker limit buys, by the static model.

    Parameters
    ----------
    limit : str
        Name of the latency.
    asked_s, relaxed_s : float
        The limit, and the weaker one.
    accelerators, gpu : int, str
        Of the cheapest fleet within the weaker limit.
    saving_frac : float
        By how much it is cheaper than the cheapest fleet within the limit.
    """

    limit: str
    asked_s: float
    relaxed_s: float
    accelerators: int
    gpu: str
    saving_frac: float

    def sentence(self) -> Sentence:
        """Return it as a sentence."""
        values = {
            "limit": self.limit, "asked": self.asked_s, "relaxed": self.relaxed_s, "saving": self.saving_frac,
            "accelerators": self.accelerators, "gpu": self.gpu,
        }  # fmt: skip
        return Sentence("size.binds" if self.saving_frac > _LEAST_SAVING else "size.binds_no_gain", values)

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "limit": self.limit, "asked_s": self.asked_s, "relaxed_s": self.relaxed_s,
            "accelerators": self.accelerators, "gpu": self.gpu, "saving_frac": self.saving_frac,
        }  # fmt: skip


def binding(fleet: Fleet, service: Service) -> str | None:
    """Return the latency whose limit a fleet is likeliest to miss; None where each is all but sure."""
    chances = fleet.chances(service)
    least = min(chances, key=chances.__getitem__, default=None)
    return least if least is not None and chances[least] < _SURE else None


def carries(fleet: Fleet, service: Service, *, rate_req_per_s: float, users: int, model: str) -> Sentence:
    """Return what a fleet carries, with latencies, their intervals and its cost."""
    statistic = service.percentile if fleet.observed is not None else "mean"
    values: dict[str, Any] = {
        "fleet": fleet.words(), "accelerators": fleet.accelerators, "gpu": fleet.deployment.accelerator.id,
        "rate": rate_req_per_s or fleet.rate_req_per_s, "users": users, "model": model, "statistic": statistic,
        "weights": _weights(fleet, service),
        "cost": fleet.cost_per_mtok(service.isl + service.osl),
        "currency": None if fleet.price is None else fleet.price.currency,
    }  # fmt: skip
    for key, ends in fleet.intervals(statistic).items():
        name = key.removesuffix("_s")
        values |= {name: fleet.statistic(key, statistic), f"{name}_low": ends["low"], f"{name}_high": ends["high"]}
    return Sentence("size.users" if users else "size.carries" if rate_req_per_s else "size.replica", values)


def _weights(fleet: Fleet, service: Service) -> str | None:
    """Return the precision of the weights where the search chose another than the model ships in."""
    deployment = fleet.deployment
    chosen, shipped = deployment.precision, deployment.model.weight_precision
    own = service.precision is not None or chosen == "native" or shipped.dense.startswith(chosen)
    return None if own else chosen


def sureness(fleet: Fleet, service: Service, demand: Demand, confidence: float) -> Iterator[Sentence]:
    """Yield with what probability a fleet keeps the limits, what it keeps instead, and whether queueing is counted."""
    loaded = demand.given
    if loaded and fleet.observed is None:
        yield Sentence("size.unqueued")
    chance = fleet.chance(service)
    if chance is None:
        return
    values = {"chance": chance, "confidence": confidence}
    if not loaded or chance >= confidence:
        yield Sentence("size.chance", values)
        return
    yield Sentence("size.chance_low", values)
    roomy = at_load(fleet.grown(_MANY * fleet.replicas, _MANY * fleet.prefill_replicas), service, demand).chance(
        service
    )
    if roomy is not None and roomy < confidence:
        yield Sentence("size.no_more", {"times": _MANY, "chance": roomy})
    weaker = kept_instead(fleet, service, confidence)
    if weaker is not None:
        yield Sentence("size.kept_instead", {"limit": LATENCIES[weaker[0]], "kept": weaker[1]} | values)


def kept_instead(fleet: Fleet, service: Service, confidence: float) -> tuple[str, float] | None:
    """Return the latency likeliest to be missed and the limit [s] with which a fleet keeps all at a confidence.

    None where a limit on that latency alone does not do.
    """
    chances = fleet.chances(service)
    key = min(chances, key=chances.__getitem__)
    others = math.prod(chance for name, chance in chances.items() if name != key)
    predicted = fleet.statistic(key, service.percentile)
    if predicted is None or others * _SUREST < confidence:
        return None
    asked = float(getattr(service, key))
    ratio = next(
        (r for r in _RATIOS if others * fleet.chance_of(key, predicted, r * asked) >= confidence),
        None,
    )
    return None if ratio is None else (key, ratio * asked)


def cheaper(entries: Sequence[Fleet], service: Service, name: str) -> Iterator[Sentence]:
    """Yield the cheapest of the fleets where it is cheaper than the recommended one, which is surer."""
    best, least = entries[0], min(entries, key=lambda fleet: fleet.rank)
    now, then = best.per_hour, least.per_hour
    chance = least.chance(service)
    if now and then and then < (1.0 - _LEAST_SAVING) * now and chance is not None:
        values = {
            "name": name, "fleet": least.words(), "accelerators": least.accelerators,
            "gpu": least.deployment.accelerator.id, "saving": 1.0 - then / now, "chance": chance,
        }  # fmt: skip
        yield Sentence("size.cheaper", values)


def left_out(reasons: Mapping[str, int], tried: int, missed: int) -> Sentence:
    """Return how many layouts were left out, with the commonest reasons."""
    common = Counter(reasons).most_common(_MOST_REASONS)
    words = [Sentence("size.reason", {"reason": reason, "count": f"{count}"}) for reason, count in common]
    values = {"left": sum(reasons.values()), "tried": tried, "reasons": words, "missed": missed or None}
    return Sentence("size.left_out", values)
