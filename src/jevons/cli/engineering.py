"""`jevons cost`, `jevons size` and `jevons train`: one model on one kind of accelerator."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from jevons.cli.app import parse_date
from jevons.cli.output import emit, number, table
from jevons.errors import InfeasibleError, InputError, did_you_mean
from jevons.units import CURRENCIES, format_money, format_si

_TOKENS = re.compile(r"^\s*(\d+(?:\.\d+)?(?:[eE]\d+)?)\s*([kKMBGT]?)\s*$")
_TOKEN_SCALE = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}


def _hour_price(text: str | None) -> tuple[float, str] | None:
    """Return (amount, currency) of an accelerator-hour given as an option."""
    if text is None:
        return None
    parts = text.replace("/h", "").split()
    try:
        amount, currency = float(parts[0]), parts[1].upper()
    except (ValueError, IndexError):
        message = f"--gpu-hour {text}: write an amount and a currency, such as '2 USD'"
        raise InputError(message) from None
    if currency not in CURRENCIES or not (math.isfinite(amount) and amount >= 0):
        message = f"--gpu-hour {text}: the amount must be >= 0 and the currency one of {', '.join(CURRENCIES)}"
        raise InputError(message)
    return amount, currency


def _tokens(text: str) -> float:
    match = _TOKENS.match(text)
    if match is None or float(match.group(1)) <= 0:
        message = f"--tokens {text}: write a positive number with k, M, B or T, such as 14.8T"
        raise InputError(message)
    return float(match.group(1)) * _TOKEN_SCALE[match.group(2)]


def _deployment_inputs(model: str, gpu: str, engine: str) -> tuple[Any, Any, Any]:
    from jevons import models, serving
    from jevons.hardware import accelerator

    if engine not in serving.engine_names():
        message = f"--engine {engine}: unknown engine.{did_you_mean(engine, serving.engine_names())}"
        raise InputError(message)
    return models.load(model), accelerator(gpu), serving.engine(engine)


def _precisions(precision: str | None, device: Any) -> tuple[str, ...]:
    if precision is not None:
        return (precision,)
    return ("fp8", "bf16") if device.supports("fp8") else ("bf16",)


def run_cost(
    gpu: str,
    model: str | None,
    precision: str | None,
    isl: int,
    osl: int,
    site_prefix: str,
    gpu_hour: str | None,
    utilisation: float,
    *,
    as_of: str | None,
    json: bool,
    out: Path | None,
) -> None:
    """Print an accelerator-hour by part, and a model's tokens priced from it."""
    from jevons.cost import FinanceTerms, device_hour
    from jevons.facts import default_facts, get
    from jevons.hardware import accelerator, site_from_facts

    on = parse_date(as_of)
    device = accelerator(gpu, on=on)
    given = _hour_price(gpu_hour)
    record: dict[str, Any] = {"gpu": device.id}
    tables = []
    if given is not None:
        amount, currency = given
    else:
        facts = default_facts()
        price = _purchase_price_cny(device.id, on)
        # The terms of the main scenario; `jevons plan` takes its own from the file.
        terms = FinanceTerms(0.10, 4.0, 15.0, 0.15, 0.05)
        hour = device_hour(device, price, site_from_facts(site_prefix, facts, on), terms)
        amount, currency = hour.total_cny, "CNY"
        parts = {
            "capital": hour.capital_cny, "network": hour.network_cny, "site": hour.site_cny, "energy": hour.energy_cny,
            "operations": hour.operations_cny,
        }  # fmt: skip
        record |= {
            "price_cny": price,
            "parts_cny_per_h": parts,
            "energy_kwh_per_h": hour.energy_kwh,
            "carbon_kgco2_per_h": hour.carbon_kgco2,
        }
        rows = [(name, f"{part:.3f}", f"{100 * part / amount:.0f} %") for name, part in parts.items()]
        rows.append(("all", f"{amount:.3f}", "100 %"))
        rate = get("fx.cny_per_usd", on).number
        hourly = f"{amount:.2f} CNY ({amount / rate:.2f} USD) an hour at {site_prefix}"
        title = f"{device.name}: {format_money(price, 'CNY')}, {hourly}"
        tables.append(table(title, ("part", "CNY/h", "share"), rows))
    record |= {"per_hour": amount, "currency": currency}
    if model is not None:
        tokens, shown = _priced_tokens(model, device, precision, isl, osl, amount, currency, utilisation)
        record |= tokens
        tables.append(shown)
    elif given is not None:
        message = "--gpu-hour prices tokens; name a --model too"
        raise InputError(message)
    emit(record, tables, as_json=json, out=out)


def _purchase_price_cny(device: str, on: Any) -> float:
    from jevons.facts import default_facts, get

    facts = default_facts()
    if f"{device}.price_cny" in facts:
        return facts.get(f"{device}.price_cny", on).number
    if f"{device}.price_usd" in facts:
        return facts.get(f"{device}.price_usd", on).number * get("fx.cny_per_usd", on).number
    message = f"no purchase price of {device} is known; give --gpu-hour, such as '2 USD'"
    raise InputError(message)


def _priced_tokens(
    model: str, device: Any, precision: str | None, isl: int, osl: int, hour: float, currency: str, utilisation: float
) -> tuple[dict[str, Any], Any]:
    from jevons import serving
    from jevons.cost import token_cost

    spec, _, engine = _deployment_inputs(model, device.id, "generic")
    workload = serving.Workload(isl=float(isl), osl=float(osl))
    found = serving.search_layouts(
        spec, device, workload, devices=(1, 2, 4, 8, 16, 32), precisions=_precisions(precision, device), engine=engine,
        tpot_s=0.05,
    )  # fmt: skip
    if not found.candidates:
        reasons = "; ".join(f"{count} x {reason}" for reason, count in found.rejected.items())
        message = f"{spec.name} is not served by up to 32 {device.id} within 50 ms per token: {reasons}"
        raise InfeasibleError(message, sorted(found.rejected))
    best = found.candidates[0]
    seconds = serving.device_seconds_per_call(best.deployment, workload, tpot_s=0.05)
    cost = token_cost(
        hour,
        input_tok_per_s=1 / seconds.per_input_token_s,
        output_tok_per_s=1 / seconds.per_output_token_s,
        mix=(isl, 0.0, osl),
        utilisation_frac=utilisation,
    )
    call = cost.blended_per_mtok * (isl + osl) / 1e6
    record = {
        "model": spec.name, "layout": str(best.deployment.layout), "devices": best.deployment.devices,
        "utilisation_frac": utilisation, "input_tok_per_s_per_device": 1 / seconds.per_input_token_s,
        "output_tok_per_s_per_device": 1 / seconds.per_output_token_s, "input_per_mtok": cost.input_per_mtok,
        "output_per_mtok": cost.output_per_mtok, "blended_per_mtok": cost.blended_per_mtok, "per_call": call,
    }  # fmt: skip
    rows = [
        ("input", number(cost.input_per_mtok), f"{record['input_tok_per_s_per_device']:,.0f} tok/s per device, alone"),
        (
            "output",
            number(cost.output_per_mtok),
            f"{record['output_tok_per_s_per_device']:,.0f} tok/s per device, alone",
        ),
        ("blended", number(cost.blended_per_mtok), f"{isl} in, {osl} out"),
        ("one call", number(call * 1e6), "x 1e-6"),
    ]
    rows[-1] = ("one call", f"{call:.3g}", f"{currency} each, {isl} tokens in, {osl} out")
    title = f"{best.deployment}: cost at {100 * utilisation:.0f} % use [{currency} per million tokens]"
    return record, table(title, ("tokens", currency, "note"), rows, text_columns=1)


def run_size(
    model: str,
    gpu: str,
    gpus: int,
    isl: int,
    osl: int,
    rate: float,
    ttft: float | None,
    tpot: float | None,
    precision: str | None,
    engine_name: str,
    gpu_hour: str | None,
    *,
    json: bool,
    out: Path | None,
) -> None:
    """Print the layouts that serve a model within its limits, and the Pareto front."""
    from jevons import serving

    spec, device, engine = _deployment_inputs(model, gpu, engine_name)
    price = _hour_price(gpu_hour)
    sizes = tuple(n for n in (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 144, 256, 320, 512, 1024) if n <= gpus)
    found = serving.search_layouts(
        spec,
        device,
        serving.Workload(isl=float(isl), osl=float(osl)),
        devices=sizes,
        precisions=_precisions(precision, device),
        engine=engine,
        ttft_s=ttft,
        tpot_s=tpot,
    )
    if not found.candidates:
        reasons = "; ".join(f"{count} x {reason}" for reason, count in found.rejected.items())
        message = (
            f"{spec.name}: none of {found.tried} layouts on up to {gpus} {device.id} meets the limits ({reasons}). "
            "Allow more devices (--gpus), a smaller --precision, or looser --ttft and --tpot."
        )
        raise InfeasibleError(message, sorted(found.rejected))

    def entry(candidate: Any) -> dict[str, Any]:
        point, deployment = candidate.point, candidate.deployment
        replicas = max(math.ceil(rate / (point.req_per_s_per_device * deployment.devices)), 1) if rate > 0 else 1
        made = {
            "layout": {
                name: getattr(deployment.layout, name) for name in ("tp", "pp", "ep", "dp", "dp_attention")
            },
            "precision": deployment.precision,
            "accelerators": deployment.devices * replicas,
            "accelerators_per_replica": deployment.devices,
            "replicas": replicas,
            "batch": point.batch,
            "ttft_s": point.ttft_s,
            "tpot_s": point.tpot_s,
            "output_tok_per_s_per_gpu": point.tok_per_s_per_device,
            "req_per_s": point.req_per_s_per_device * deployment.devices * replicas,
            "memory_bytes": dict(point.memory_bytes),
            "bounds": dict(point.bounds),
            "cost_per_mtok": None,
            "currency": None,
        }  # fmt: skip
        if price is not None:
            served = min(rate, made["req_per_s"]) if rate > 0 else made["req_per_s"]
            per_s = price[0] * made["accelerators"] / 3600
            made |= {"cost_per_mtok": per_s / (served * (isl + osl)) * 1e6, "currency": price[1]}
        return made

    ranked = [entry(c) for c in found.candidates]
    if rate > 0:
        ranked.sort(key=lambda e: (e["accelerators"], e["tpot_s"]))
    front = [entry(c) for c in found.front]
    record = {
        "model": spec.name, "gpu": device.id, "isl": isl, "osl": osl, "rate_req_per_s": rate, "best": ranked[0],
        "pareto": front, "tried": found.tried, "rejected": dict(found.rejected),
    }  # fmt: skip

    def row(e: dict[str, Any]) -> tuple[Any, ...]:
        layout = " ".join(f"{k}{v}" for k, v in e["layout"].items() if k != "dp_attention" and v > 1) or "tp1"
        layout += " (attention split)" if e["layout"]["dp_attention"] else ""
        cost = "–" if e["cost_per_mtok"] is None else f"{e['cost_per_mtok']:.3g} {e['currency']}"
        return (
            layout, e["precision"], e["accelerators"], f"{e['batch']:,.0f}", f"{e['ttft_s'] * 1e3:,.0f}",
            f"{e['tpot_s'] * 1e3:,.1f}", f"{e['output_tok_per_s_per_gpu']:,.0f}", cost,
        )  # fmt: skip

    columns = ("layout", "weights", "GPUs", "batch", "TTFT [ms]", "TPOT [ms]", "output [tok/s per GPU]", "per Mtok")
    limits = ", ".join(f"{n} <= {1e3 * v:g} ms" for n, v in (("TTFT", ttft), ("TPOT", tpot)) if v is not None)
    head = f"{spec.name} on {device.name}, {isl} in, {osl} out" + (f", {limits}" if limits else "")
    tables = [
        table(
            f"{head}: best {min(8, len(ranked))} of {len(ranked)} layouts",
            columns,
            [row(e) for e in ranked[:8]],
            text_columns=2,
        ),
        table("Pareto front of response against throughput", columns, [row(e) for e in front], text_columns=2),
    ]
    rejected = [(reason, count) for reason, count in sorted(found.rejected.items(), key=lambda item: -item[1])]
    if rejected:
        tables.append(table(f"layouts rejected, of {found.tried} tried", ("reason", "layouts"), rejected))
    emit(record, tables, as_json=json, out=out)


def run_train(
    model: str,
    gpu: str,
    gpus: int,
    tokens: str,
    seq_len: int,
    batch: int,
    precision: str,
    fixed: dict[str, int | None],
    gpu_hour: str | None,
    *,
    json: bool,
    out: Path | None,
) -> None:
    """Print the fastest layouts of a training run with memory, step time, days and price."""
    from jevons import models, training
    from jevons.hardware import cluster

    price = _hour_price(gpu_hour)
    job = training.TrainingJob(models.load(model), cluster(gpu, gpus), seq_len, batch, precision, _tokens(tokens))
    held = {name: size for name, size in fixed.items() if size is not None}
    found = training.search(job, **held)
    best = found.best[0]
    estimate = training.run_estimate(job, best, None if price is None else price[0])
    layout = {
        name: getattr(best.layout, name)
        for name in ("tp", "pp", "vpp", "dp", "cp", "ep", "zero", "recompute", "micro_batch")
    }
    record = {
        "model": job.model.name, "gpu": job.cluster.accelerator.id, "gpus": gpus, "layout": layout,
        "step_time_s": best.step_time_s, "parts_s": dict(best.parts), "mfu_frac": best.mfu_frac,
        "hfu_frac": best.hfu_frac, "memory_bytes": sum(best.memory_bytes.values()),
        "memory_parts_bytes": dict(best.memory_bytes), "tokens_per_s": best.tokens_per_s, "days": estimate.days,
        "accelerator_h": estimate.accelerator_h, "energy_j": estimate.energy_j, "cost": estimate.cost,
        "currency": None if price is None else price[1], "tried": found.tried, "rejected": dict(found.rejected),
    }  # fmt: skip
    rows = [
        (
            str(s.layout), f"{s.step_time_s:.3f}", f"{100 * s.mfu_frac:.1f}", format_si(s.tokens_per_s, "tok/s"),
            f"{sum(s.memory_bytes.values()) / 1e9:.1f}",
        )
        for s in found.best[:6]
    ]  # fmt: skip
    columns = ("layout", "step [s]", "MFU [%]", "speed", "memory [GB]")
    title = (
        f"{job.model.name} on {gpus:,} {job.cluster.accelerator.name}, {batch} x {seq_len} tokens a step, {precision}"
    )
    parts = [
        (name, f"{time:.4f}", f"{100 * time / best.step_time_s:.1f}") for name, time in best.parts.items() if time > 0
    ]
    memory = [(name, f"{size / 1e9:.2f}") for name, size in best.memory_bytes.items() if size > 0]
    cost = "–" if estimate.cost is None or price is None else format_money(estimate.cost, price[1])
    run = [
        ("days, no failures", number(estimate.days)),
        ("accelerator-hours", number(estimate.accelerator_h)),
        (
            "energy of servers",
            f"{estimate.energy_j / 3.6e12:,.1f} GWh"
            if estimate.energy_j > 3.6e12
            else f"{estimate.energy_j / 3.6e9:,.1f} MWh",
        ),
        ("price", cost),
    ]
    tables = [
        table(title, columns, rows),
        table("best layout: step time by part", ("part", "s", "%"), parts),
        table("best layout: memory per device", ("kind", "GB"), memory),
        table(f"the run: {tokens} tokens", ("", "value"), run),
    ]
    emit(record, tables, as_json=json, out=out)
