"""Finds layouts that serve a model within latency limits, and what they cost (static operating point)."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jevons import models, serving
from jevons.errors import InfeasibleError, InputError, did_you_mean
from jevons.hardware import Accelerator, accelerator
from jevons.models import ModelSpec
from jevons.operators.types import PRECISION_ALIASES, PRECISIONS
from jevons.study.pricing import HourPrice, owned_hour_price

GROUP_SIZES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 144, 256, 320, 512, 1024)
"""Accelerators of one copy that are tried."""


@dataclass(frozen=True, slots=True)
class Service:
    """How and for whom a model is served.

    Parameters
    ----------
    gpu : str
        Accelerator id.
    engine : str
        Engine preset.
    precision : str or None
        Of the weights; block fp8 and 16 bits are tried where not given.
    gpus : int
        Most accelerators of one copy.
    isl, osl : int
        Input and output tokens per request.
    ttft_s, tpot_s : float or None
        Highest time to first token without queueing, and per output token [s].
    on : date or None
        Nothing published later is visible.
    """

    gpu: str = "h100_sxm"
    engine: str = "generic"
    precision: str | None = None
    gpus: int = 16
    isl: int = 2000
    osl: int = 500
    ttft_s: float | None = None
    tpot_s: float | None = 0.05
    on: dt.date | None = None

    def accelerator(self) -> Accelerator:
        """Return the device as it was known on the date."""
        return accelerator(self.gpu, on=self.on)

    def workload(self) -> serving.Workload:
        """Return the mean request."""
        return serving.Workload(isl=float(self.isl), osl=float(self.osl))

    def search(self, spec: ModelSpec, device: Accelerator) -> serving.SearchResult:
        """Return the layouts that meet the limits; raises where the model's context is too short for the request."""
        if self.isl + self.osl > spec.max_context > 0:
            message = (
                f"--isl {self.isl} and --osl {self.osl}: {self.isl + self.osl:,} tokens exceed the longest context of "
                f"{spec.name}, {spec.max_context:,}; ask for fewer"
            )
            raise InputError(message)
        return serving.search_layouts(
            spec,
            device,
            self.workload(),
            devices=tuple(n for n in GROUP_SIZES if n <= self.gpus),
            precisions=_precisions(self.precision, device),
            engine=serving.engine(self.engine, on=self.on),
            ttft_s=self.ttft_s,
            tpot_s=self.tpot_s,
        )

    @property
    def limits(self) -> str:
        """The latency limits in words."""
        named = (("TTFT", self.ttft_s), ("TPOT", self.tpot_s))
        return ", ".join(f"{name} <= {1e3 * limit:g} ms" for name, limit in named if limit is not None)


@dataclass(frozen=True, slots=True)
class SizeResult:
    """Layouts that serve a model within its limits.

    Parameters
    ----------
    model : ModelSpec
        What is served.
    accelerator : Accelerator
        On what.
    service : Service
        How and for whom.
    rate_req_per_s : float
        Load to carry; 0 for one copy.
    price : HourPrice or None
        Of an accelerator-hour.
    entries, pareto : tuple of dict
        Feasible layouts, best first, and the front of response against throughput: layout, precision, accelerators,
        replicas, batch, ttft_s, tpot_s, output_tok_per_s_per_gpu, req_per_s, memory_bytes, cost_per_mtok, currency.
    tried : int
        Layouts looked at.
    rejected : mapping of str to int
        Infeasible ones by reason.
    """

    model: ModelSpec
    accelerator: Accelerator
    service: Service
    rate_req_per_s: float
    price: HourPrice | None
    entries: tuple[dict[str, Any], ...]
    pareto: tuple[dict[str, Any], ...]
    tried: int
    rejected: Mapping[str, int]

    @property
    def best(self) -> dict[str, Any]:
        """The first of the entries."""
        return self.entries[0]

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        price = self.price
        return {
            "model": self.model.name,
            "gpu": self.accelerator.id,
            "isl": self.service.isl,
            "osl": self.service.osl,
            "ttft_limit_s": self.service.ttft_s,
            "tpot_limit_s": self.service.tpot_s,
            "rate_req_per_s": self.rate_req_per_s,
            "hour_price": None
            if price is None
            else {"amount": price.amount, "currency": price.currency, "origin": price.origin},
            "best": self.best,
            "pareto": list(self.pareto),
            "tried": self.tried,
            "rejected": dict(self.rejected),
        }


def size(
    model: str,
    service: Service | None = None,
    *,
    rate_req_per_s: float = 0.0,
    price: HourPrice | None = None,
    fixed: Mapping[str, int] | None = None,
) -> SizeResult:
    """Return the layouts that serve a model within its limits, cheapest first.

    Parameters
    ----------
    model : str
        Shipped name or path of a config.json.
    service : Service, optional
        Device, engine, request and limits.
    rate_req_per_s : float
        Load to carry with as many copies as it takes; 0 for one copy.
    price : HourPrice, optional
        Of an accelerator-hour; the cost of owning one where its price is known.
    fixed : mapping, optional
        Parallel degrees to hold: ``tp``, ``pp``, ``ep``, ``dp``.

    Raises
    ------
    InputError
        If a name is unknown or the request does not fit the model's context.
    InfeasibleError
        If no layout meets the limits; reasons are counted.
    """
    service = service or Service()
    spec, device = models.load(model), service.accelerator()
    price = price or owned_hour_price(device, service.on)
    found = service.search(spec, device)
    candidates, front = _held(found, fixed or {})
    ranked = [_entry(c, service, rate_req_per_s, price) for c in candidates]
    if rate_req_per_s > 0:
        ranked.sort(key=lambda e: (e["accelerators"], e["tpot_s"]))
    pareto = tuple(_entry(c, service, rate_req_per_s, price) for c in front)
    return SizeResult(
        spec, device, service, rate_req_per_s, price, tuple(ranked), pareto, found.tried, dict(found.rejected)
    )


def layout_degrees(candidate: serving.Candidate) -> dict[str, Any]:
    """Return a candidate's parallel degrees by name."""
    layout = candidate.deployment.layout
    return {name: getattr(layout, name) for name in ("tp", "pp", "ep", "dp", "dp_attention")}


def _precisions(precision: str | None, device: Accelerator) -> tuple[str, ...]:
    """Return the precisions of weights to try."""
    if precision is not None:
        known = [*PRECISIONS, *PRECISION_ALIASES]
        if precision.lower() not in known:
            message = (
                f"--precision {precision}: unknown.{did_you_mean(precision, known)} Known: {', '.join(PRECISIONS)}."
            )
            raise InputError(message)
        return (precision.lower(),)
    return ("fp8", "bf16") if device.supports("fp8") else ("bf16",)


def _held(
    found: serving.SearchResult, fixed: Mapping[str, int]
) -> tuple[list[serving.Candidate], list[serving.Candidate]]:
    """Return the candidates with the fixed degrees, and their Pareto front, fastest response first."""
    if not fixed:
        return list(found.candidates), list(found.front)
    kept = [c for c in found.candidates if all(getattr(c.deployment.layout, n) == v for n, v in fixed.items())]
    if not kept:
        wanted = ", ".join(f"--{name} {degree}" for name, degree in fixed.items())
        nearest = ", ".join(sorted({str(c.deployment.layout) for c in found.candidates})[:8])
        message = (
            f"no layout with {wanted} meets the limits (degrees are powers of two and multiply to the accelerators of "
            f"a copy). Layouts that do: {nearest}."
        )
        raise InfeasibleError(message, ["fixed layout"])
    front = [c for c in found.front if all(getattr(c.deployment.layout, n) == v for n, v in fixed.items())]
    return kept, front


def _entry(candidate: serving.Candidate, service: Service, rate: float, price: HourPrice | None) -> dict[str, Any]:
    """Return one sized layout as plain values."""
    point, deployment = candidate.point, candidate.deployment
    per_replica = point.req_per_s_per_device * deployment.devices
    replicas = max(math.ceil(rate / per_replica), 1)
    accelerators = deployment.devices * replicas
    served = min(rate, per_replica * replicas) if rate > 0 else per_replica
    cost = None
    if price is not None:
        cost = price.amount * accelerators / 3600 / (served * (service.isl + service.osl)) * 1e6
    return {
        "layout": layout_degrees(candidate),
        "precision": deployment.precision,
        "accelerators": accelerators,
        "accelerators_per_replica": deployment.devices,
        "replicas": replicas,
        "batch": point.batch,
        "ttft_s": point.ttft_s,
        "tpot_s": point.tpot_s,
        "output_tok_per_s_per_gpu": point.tok_per_s_per_device,
        "req_per_s": served,
        "req_per_s_at_most": per_replica * replicas,
        "memory_bytes": dict(point.memory_bytes),
        "bounds": dict(point.bounds),
        "cost_per_mtok": cost,
        "currency": None if price is None else price.currency,
    }
