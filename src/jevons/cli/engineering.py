"""`jevons cost` and `jevons size`: one model served on one kind of accelerator."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.app import parse_date
from jevons.cli.hourly import HourPrice, device_cost, given_price, hour_price
from jevons.cli.output import check_out, emit, number, table
from jevons.errors import InfeasibleError, InputError, did_you_mean
from jevons.units import format_money

if TYPE_CHECKING:
    from jevons.hardware import Accelerator
    from jevons.models import ModelSpec
    from jevons.serving import Candidate, SearchResult, Workload

_SIZES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 144, 256, 320, 512, 1024)
"""Accelerators of one copy that are tried."""


@dataclass(frozen=True, slots=True)
class Service:
    """The options that say how and for whom a model is served."""

    gpu: str
    engine: str
    precision: str | None
    gpus: int
    isl: int
    osl: int
    ttft: float | None
    tpot: float | None
    as_of: str | None

    @property
    def on(self) -> dt.date | None:
        """Date after which nothing is visible."""
        day: dt.date | None = parse_date(self.as_of)
        return day

    def accelerator(self) -> Accelerator:
        """Return the device as it was known on the date."""
        from jevons.hardware import accelerator

        return accelerator(self.gpu, on=self.on)

    def workload(self) -> Workload:
        """Return the mean request."""
        from jevons.serving import Workload

        return Workload(isl=float(self.isl), osl=float(self.osl))

    def search(self, spec: ModelSpec, device: Accelerator) -> SearchResult:
        """Return the layouts that meet the limits; raises where the model's context is too short for the request."""
        from jevons import serving

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
            devices=tuple(n for n in _SIZES if n <= self.gpus),
            precisions=_precisions(self.precision, device),
            engine=serving.engine(self.engine, on=self.on),
            ttft_s=self.ttft,
            tpot_s=self.tpot,
        )

    @property
    def limits(self) -> str:
        """The latency limits in words."""
        named = (("TTFT", self.ttft), ("TPOT", self.tpot))
        return ", ".join(f"{name} <= {1e3 * limit:g} ms" for name, limit in named if limit is not None)


def _precisions(precision: str | None, device: Accelerator) -> tuple[str, ...]:
    """Return the precisions of weights to try."""
    from jevons.operators.types import PRECISION_ALIASES, PRECISIONS

    if precision is not None:
        known = [*PRECISIONS, *PRECISION_ALIASES]
        if precision.lower() not in known:
            message = (
                f"--precision {precision}: unknown.{did_you_mean(precision, known)} Known: {', '.join(PRECISIONS)}."
            )
            raise InputError(message)
        return (precision.lower(),)
    return ("fp8", "bf16") if device.supports("fp8") else ("bf16",)


def run_cost(
    service: Service,
    model: str | None,
    site: str,
    gpu_hour: str | None,
    utilisation: float,
    *,
    json: bool,
    out: Path | None,
) -> None:
    """Print an accelerator-hour by part, and a model's tokens priced from it."""
    from jevons import models
    from jevons.facts import get

    check_out(out)
    price = given_price(gpu_hour)
    if price is not None and model is None:
        message = "--gpu-hour prices tokens; name a --model too"
        raise InputError(message)
    spec = None if model is None else models.load(model)
    device = service.accelerator()
    record: dict[str, Any] = {"gpu": device.id}
    tables = []
    if price is None:
        paid, hour = device_cost(device, site, service.on)
        price = HourPrice(hour.total_cny, "CNY", f"own cost at {site}")
        parts = {
            "capital": hour.capital_cny, "network": hour.network_cny, "site": hour.site_cny, "energy": hour.energy_cny,
            "operations": hour.operations_cny,
        }  # fmt: skip
        record |= {
            "price_cny": paid,
            "parts_cny_per_h": parts,
            "energy_kwh_per_h": hour.energy_kwh,
            "carbon_kgco2_per_h": hour.carbon_kgco2,
        }
        rows = [(name, f"{part:.3f}", f"{100 * part / price.amount:.0f}") for name, part in parts.items()]
        rows.append(("all", f"{price.amount:.3f}", "100"))
        rate = get("fx.cny_per_usd", service.on).number
        hourly = f"{price.amount:.2f} CNY ({price.amount / rate:.2f} USD) an hour at {site}"
        title = f"{device.name}: {format_money(paid, 'CNY')}, {hourly}"
        tables.append(table(title, ("part", "CNY/h", "share [%]"), rows))
    record |= {"per_hour": price.amount, "currency": price.currency}
    if spec is not None:
        tokens, shown = _priced_tokens(service, spec, device, price, utilisation)
        record |= tokens
        tables.append(shown)
    emit(record, tables, as_json=json, out=out)


def _priced_tokens(
    service: Service, spec: ModelSpec, device: Accelerator, price: HourPrice, utilisation: float
) -> tuple[dict[str, Any], Any]:
    from jevons import serving
    from jevons.cost import token_cost

    isl, osl = service.isl, service.osl
    best = service.search(spec, device).candidates[0]
    seconds = serving.device_seconds_per_call(
        best.deployment, service.workload(), ttft_s=service.ttft, tpot_s=service.tpot
    )
    cost = token_cost(
        price.amount,
        input_tok_per_s=1 / seconds.per_input_token_s,
        output_tok_per_s=1 / seconds.per_output_token_s,
        mix=(isl, 0.0, osl),
        utilisation_frac=utilisation,
    )
    call = cost.blended_per_mtok * (isl + osl) / 1e6
    record = {
        "model": spec.name, "layout": _layout(best), "precision": best.deployment.precision,
        "accelerators": best.deployment.devices, "ttft_s": best.point.ttft_s, "tpot_s": best.point.tpot_s,
        "utilisation_frac": utilisation, "input_tok_per_s_per_gpu": 1 / seconds.per_input_token_s,
        "output_tok_per_s_per_gpu": 1 / seconds.per_output_token_s, "input_per_mtok": cost.input_per_mtok,
        "output_per_mtok": cost.output_per_mtok, "blended_per_mtok": cost.blended_per_mtok, "per_call": call,
    }  # fmt: skip

    def alone(name: str) -> str:
        return f"{record[f'{name}_tok_per_s_per_gpu']:,.0f} tok/s per accelerator that does nothing else"

    unit = f"{price.currency}/Mtok"
    rows = [
        ("input tokens", number(cost.input_per_mtok), unit, alone("input")),
        ("output tokens", number(cost.output_per_mtok), unit, alone("output")),
        ("blended", number(cost.blended_per_mtok), unit, f"{isl:,} in, {osl:,} out"),
        ("one call", f"{call:.3g}", price.currency, f"{isl:,} tokens in, {osl:,} out"),
    ]
    limits = f", {service.limits}" if service.limits else ""
    title = (
        f"{best.deployment}{limits}: cost at {100 * utilisation:.0f} % use and {price.amount:.3g} {price.currency} an "
        "accelerator-hour"
    )
    return record, table(title, ("what", "cost", "unit", "note"), rows, text_columns=4)


def _layout(candidate: Candidate) -> dict[str, Any]:
    layout = candidate.deployment.layout
    return {name: getattr(layout, name) for name in ("tp", "pp", "ep", "dp", "dp_attention")}


def run_size(
    service: Service,
    model: str,
    fixed: dict[str, int | None],
    rate: float,
    gpu_hour: str | None,
    *,
    json: bool,
    out: Path | None,
) -> None:
    """Print the layouts that serve a model within its limits, and the Pareto front."""
    from jevons import models

    check_out(out)
    spec, device = models.load(model), service.accelerator()
    price = hour_price(gpu_hour, device, service.on)
    found = service.search(spec, device)
    candidates, front = _held(found, {name: size for name, size in fixed.items() if size is not None})
    ranked = [_entry(c, service, rate, price) for c in candidates]
    if rate > 0:
        ranked.sort(key=lambda e: (e["accelerators"], e["tpot_s"]))
    pareto = [_entry(c, service, rate, price) for c in front]
    record = {
        "model": spec.name, "gpu": device.id, "isl": service.isl, "osl": service.osl, "ttft_limit_s": service.ttft,
        "tpot_limit_s": service.tpot, "rate_req_per_s": rate,
        "hour_price": None if price is None else {"amount": price.amount, "currency": price.currency,
                                                 "origin": price.origin},
        "best": ranked[0], "pareto": pareto, "tried": found.tried, "rejected": dict(found.rejected),
    }  # fmt: skip
    currency = "" if price is None else f" [{price.currency}]"
    columns = (
        "layout", "weights", "GPUs", "batch", "TTFT [ms]", "TPOT [ms]", "output [tok/s per GPU]", "load [req/s]",
        f"per Mtok{currency}",
    )  # fmt: skip
    head = f"{spec.name} on {device.name}, {service.isl:,} in, {service.osl:,} out"
    head += f", {service.limits}" if service.limits else ""
    head += f", {rate:g} req/s" if rate > 0 else ""
    head += "" if price is None else f", {price.amount:.3g} {price.currency} an hour ({price.origin})"
    shown = min(8, len(ranked))
    tables = [
        table(f"{head}: best {shown} of {len(ranked)}", columns, [_row(e) for e in ranked[:shown]], text_columns=2),
        table("Pareto front of response against throughput", columns, [_row(e) for e in pareto], text_columns=2),
    ]
    rejected = [(reason, count) for reason, count in sorted(found.rejected.items(), key=lambda item: -item[1])]
    if rejected:
        tables.append(table(f"layouts rejected, of {found.tried} tried", ("reason", "layouts"), rejected))
    emit(record, tables, as_json=json, out=out)


def _held(found: SearchResult, fixed: dict[str, int]) -> tuple[list[Candidate], list[Candidate]]:
    """Return the candidates with the fixed degrees, and their Pareto front, fastest response first."""
    import numpy as np

    from jevons.serving.formulas import pareto_front

    if not fixed:
        return list(found.candidates), list(found.front)
    kept = [c for c in found.candidates if all(getattr(c.deployment.layout, n) == v for n, v in fixed.items())]
    if not kept:
        wanted = ", ".join(f"--{name} {size}" for name, size in fixed.items())
        nearest = ", ".join(sorted({str(c.deployment.layout) for c in found.candidates})[:8])
        message = (
            f"no layout with {wanted} meets the limits (degrees are powers of two and multiply to the accelerators of "
            f"a copy). Layouts that do: {nearest}."
        )
        raise InfeasibleError(message, ["fixed layout"])
    on_front = pareto_front(
        np.array([c.point.tpot_s for c in kept]), np.array([c.point.tok_per_s_per_device for c in kept])
    )
    front = [c for c, keep in zip(kept, on_front, strict=True) if keep]
    return kept, sorted(front, key=lambda c: c.point.tpot_s)


def _entry(candidate: Candidate, service: Service, rate: float, price: HourPrice | None) -> dict[str, Any]:
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
        "layout": _layout(candidate),
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


def _row(entry: dict[str, Any]) -> tuple[Any, ...]:
    layout = " ".join(f"{k}{v}" for k, v in entry["layout"].items() if k != "dp_attention" and v > 1) or "tp1"
    layout += " (attention split)" if entry["layout"]["dp_attention"] else ""
    return (
        layout, entry["precision"], entry["accelerators"], f"{entry['batch']:,.0f}", f"{entry['ttft_s'] * 1e3:,.0f}",
        f"{entry['tpot_s'] * 1e3:,.1f}", f"{entry['output_tok_per_s_per_gpu']:,.0f}", number(entry["req_per_s"]),
        number(entry["cost_per_mtok"]),
    )  # fmt: skip
