"""`jevons cost`: an accelerator-hour by part, and a model's tokens priced from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.hourly import given_price
from jevons.cli.output import check_out, emit, number, table
from jevons.errors import InputError
from jevons.units import format_money

if TYPE_CHECKING:
    from jevons.hardware import Accelerator
    from jevons.models import ModelSpec
    from jevons.study.pricing import HourPrice
    from jevons.study.sizing import Service


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
    from jevons.study.pricing import HourPrice, device_cost

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
    from jevons.study.sizing import layout_degrees

    isl, osl = service.isl, service.osl
    best = service.search(spec, device).candidates[0]
    seconds = serving.device_seconds_per_call(
        best.deployment, service.workload(), ttft_s=service.ttft_s, tpot_s=service.tpot_s
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
        "model": spec.name, "layout": layout_degrees(best), "precision": best.deployment.precision,
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
