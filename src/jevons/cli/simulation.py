"""`jevons simulate`: a load replayed on replicas of one deployment, exact to the engine's step."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.app import parse_date
from jevons.cli.hourly import given_price
from jevons.cli.output import check_out, number, say, show, table, write
from jevons.errors import InfeasibleError, InputError

if TYPE_CHECKING:
    from jevons.serving import Deployment
    from jevons.serving.sim import Requests, SimLimits, SimResult
    from jevons.study.pricing import HourPrice

_ENDINGS = (".json", ".csv", ".parquet")
_MOST_TP = 64


@dataclass(frozen=True, slots=True)
class Simulation:
    """The options of a simulation; times in seconds, None for what model, device and engine say."""

    model: str
    gpu: str = "h100_sxm"
    gpus: int | None = None
    tp: int | None = None
    replicas: int | None = None
    routing: str = "round_robin"
    engine: str = "vllm"
    precision: str = "native"
    kv_precision: str = "bf16"
    kv_tokens: int | None = None
    max_batch: int | None = None
    step_tokens: int | None = None
    rate: float | None = None
    requests: int | None = None
    isl: int = 500
    osl: int = 200
    isl_cv: float = 0.0
    osl_cv: float = 0.0
    arrivals: str = "poisson"
    cv: float = 2.0
    concurrency: int | None = None
    think: float = 0.0
    trace: Path | None = None
    prefix_cache: bool = False
    ttft: float | None = None
    tpot: float | None = None
    seed: int = 0
    as_of: str | None = None
    calibration: Path | None = None


def run_simulate(options: Simulation, gpu_hour: str | None, *, json: bool, out: Path | None) -> None:
    """Simulate the load and print what its users see and what it costs."""
    from jevons.hardware import accelerator
    from jevons.schema import json_text
    from jevons.serving import sim
    from jevons.study.pricing import owned_hour_price
    from jevons.validation import engine_for

    check_out(out, _ENDINGS)
    date = parse_date(options.as_of)
    device = accelerator(options.gpu, on=date)
    price = given_price(gpu_hour) or owned_hour_price(device, date)
    load = _load(options)
    context = float(load.isl.mean() + load.osl.mean())
    deployment = _deployment(options, device, engine_for(options.engine, options.calibration, date), context)
    replicas = _replicas(options, deployment.devices)
    limits = sim.limits_of(
        deployment,
        context=context,
        kv_tokens=None if options.kv_tokens is None else float(options.kv_tokens),
        max_batch=options.max_batch,
        step_tokens=options.step_tokens,
        block_tokens=load.hash_tokens or 16,
    )
    found = sim.simulate(
        load,
        sim.step_table(deployment, limits.max_batch, limits.step_tokens),
        limits,
        replicas=replicas,
        routing=options.routing,
        entry_s=deployment.engine.entry_s,
        ttft_s=options.ttft,
        tpot_s=options.tpot,
    )
    record = _record(options, deployment, replicas, load, limits, found, price)
    if out is not None:
        _write(out, record, load, found, deployment.engine.entry_s)
    if json:
        say(json_text(record))
    else:
        show(*_tables(deployment, replicas, load, record))


def _load(options: Simulation) -> Requests:
    """Return the trace, or the load that the options describe."""
    from jevons.serving import sim

    if options.trace is not None:
        if options.concurrency is not None:
            message = "--trace and --concurrency: a trace has arrivals of its own; give one of the two"
            raise InputError(message)
        trace = sim.read_trace(options.trace)
        return sim.from_trace(
            trace, requests=options.requests, rate_req_per_s=options.rate, prefixes=options.prefix_cache
        )
    if options.prefix_cache:
        message = "--prefix-cache: needs the block hashes of a --trace, such as Mooncake's"
        raise InputError(message)
    if options.concurrency is not None and options.rate is not None:
        message = "--rate and --concurrency: users of a closed loop have no rate; give one of the two"
        raise InputError(message)
    arrivals = "closed" if options.concurrency is not None else options.arrivals
    if options.rate is None and arrivals in {"poisson", "gamma", "constant"}:
        message = "the load is missing: give --rate (requests per second), --concurrency (users), or --trace FILE"
        raise InputError(message)
    load = sim.Load(
        requests=10_000 if options.requests is None else options.requests,
        isl=options.isl,
        osl=options.osl,
        arrivals=arrivals,
        rate_req_per_s=1.0 if options.rate is None else options.rate,
        users=1 if options.concurrency is None else options.concurrency,
        think_s=options.think,
        cv=options.cv,
        isl_cv=options.isl_cv,
        osl_cv=options.osl_cv,
    )
    return sim.generate(load, options.seed)


def _deployment(options: Simulation, device: Any, engine: Any, context: float) -> Deployment:
    """Return one replica: of the tensor parallelism asked for, or the least that holds a mean request."""
    from jevons import models
    from jevons.serving import Deployment, Layout, kv_capacity_tokens

    spec = models.load(options.model)

    def split(tp: int) -> Deployment:
        return Deployment(spec, device, Layout(tp=tp), options.precision, options.kv_precision, engine)

    if options.tp is not None:
        return split(options.tp)
    most = min(_MOST_TP, options.gpus or _MOST_TP)
    tp = 1
    while True:
        try:
            if kv_capacity_tokens(split(tp), context) >= context or 2 * tp > most:
                return split(tp)
        except InfeasibleError:
            if 2 * tp > most:
                raise
        tp *= 2


def _replicas(options: Simulation, devices: int) -> int:
    if options.gpus is None:
        return 1 if options.replicas is None else options.replicas
    if options.gpus % devices or options.gpus < devices:
        message = (
            f"--gpus {options.gpus}: a replica takes {devices}. Use a multiple, such as "
            f"{max(options.gpus // devices, 1) * devices}, or another --tp."
        )
        raise InputError(message)
    if options.replicas is not None and options.replicas * devices != options.gpus:
        message = (
            f"--gpus {options.gpus} and --replicas {options.replicas}: a replica takes {devices}. Leave one of the two "
            f"away, or use --gpus {options.replicas * devices}."
        )
        raise InputError(message)
    return options.gpus // devices


def _record(
    options: Simulation,
    deployment: Deployment,
    replicas: int,
    load: Requests,
    limits: SimLimits,
    found: SimResult,
    price: HourPrice | None,
) -> dict[str, Any]:
    """Return the documented JSON object."""
    plain = {f.name: getattr(found, f.name) for f in dataclasses.fields(found) if f.name != "trail"}
    spreads = {
        name: None if plain[name] is None else dataclasses.asdict(plain[name]) for name in ("ttft_s", "tpot_s", "e2e_s")
    }
    accelerators = deployment.devices * replicas
    per_request = found.output_tok_per_s / found.req_per_s if found.req_per_s > 0 else 0.0
    tokens_per_s = found.req_per_s * (float(load.isl.mean()) + per_request)
    hourly = None if price is None else price.amount * accelerators / 3600 * 1e6
    return {
        "model": deployment.model.name, "gpu": deployment.accelerator.id, "precision": deployment.precision,
        "engine": deployment.engine.name, "tp": deployment.layout.tp, "replicas": replicas,
        "accelerators": accelerators, "routing": options.routing, "load": load.origin, "seed": options.seed,
        "mean_isl": float(load.isl.mean()), "mean_osl": float(load.osl.mean()),
        "limits": dataclasses.asdict(limits),
        **plain, **spreads,
        "slo": {"ttft_s": options.ttft, "tpot_s": options.tpot},
        "window_s": list(found.window_s),
        "stable": found.overload_frac is None,
        "output_tok_per_s_per_gpu": found.output_tok_per_s / accelerators,
        "cost_per_mtok": hourly / tokens_per_s if hourly is not None and tokens_per_s > 0 else None,
        "cost_per_output_mtok":
            hourly / found.output_tok_per_s if hourly is not None and found.output_tok_per_s > 0 else None,
        "currency": None if price is None else price.currency,
        "gpu_hour": None if price is None else {"amount": price.amount, "origin": price.origin},
        "simulated_req_per_s": found.served / found.wall_s if found.wall_s > 0 else None,
    }  # fmt: skip


def _tables(deployment: Deployment, replicas: int, load: Requests, r: dict[str, Any]) -> list[Any]:
    """Return the tables for people, after a warning where the load is unstable."""
    lines: list[Any] = []
    if not r["stable"]:
        lines.append(
            f"UNSTABLE: arrivals exceed what {replicas} replicas finish ({r['capacity_req_per_s']:.3g} requests/s) by "
            f"{100 * r['overload_frac']:.1f} %. The queue grows for as long as the load lasts, so latencies below say "
            "how long the simulation was, not what users of a running service see. Add replicas or lower the rate.\n"
        )
    if r["rejected"]:
        lines.append(f"{r['rejected']:,} of {r['requests']:,} requests exceed what a replica can hold: left out.\n")
    head = f"{r['requests']:,} requests, {load.origin}, on {replicas} x {deployment}"
    latency = [
        (name, *("–" if r[key] is None else f"{scale * r[key][q]:,.1f}" for q in ("mean", "p50", "p90", "p95", "p99")))
        for name, key, scale in (
            ("time to first token [ms]", "ttft_s", 1e3),
            ("time per output token [ms]", "tpot_s", 1e3),
            ("whole answer [ms]", "e2e_s", 1e3),
        )
    ]
    lines.append(table(head, ("latency", "mean", "p50", "p90", "p95", "p99"), latency))
    start, stop = r["window_s"]
    edges = f"{r['counted']:,} requests counted, from {start:,.1f} to {stop:,.1f} s (warm-up and drain left out)"
    limits = ", ".join(f"{k.removesuffix('_s').upper()} <= {v:g} s" for k, v in r["slo"].items() if v is not None)
    currency = r["currency"] or ""
    hits = "of prompt tokens found in it" if load.hashes is not None else "off"
    hour = (
        "" if r["gpu_hour"] is None else f"{r['gpu_hour']['amount']:.3g} {currency} an hour, {r['gpu_hour']['origin']}"
    )
    rows = [
        ("finished", number(r["req_per_s"]), "req/s", edges),
        ("goodput", number(r["goodput_req_per_s"]), "req/s", limits or "no limits given"),
        ("output", number(r["output_tok_per_s"]), "tok/s", f"{number(r['output_tok_per_s_per_gpu'])} per accelerator"),
        ("cost", number(r["cost_per_mtok"]), f"{currency}/Mtok", f"input and output; {hour}"),
        ("cost of output", number(r["cost_per_output_mtok"]), f"{currency}/Mtok", "all cost on output tokens"),
        ("utilisation", number(100 * r["utilisation_frac"]), "%", "share of time with a step running"),
        ("mean batch", number(r["mean_batch"]), "requests", f"decodes per step, at most {r['limits']['max_batch']:,}"),
        ("cache held", number(100 * r["kv_mean_frac"]), "%", f"at most {100 * r['kv_peak_frac']:.1f} %"),
        ("prefix cache", number(100 * r["hit_tokens"] / max(r["hit_tokens"] + r["prefill_tokens"], 1)), "%", hits),
        ("preemptions", number(r["preemptions"]), "", "requests that lost their cache and began anew"),
        ("simulation", number(1e3 * r["wall_s"]), "ms", f"{r['simulated_req_per_s']:,.0f} requests/s of wall time"),
    ]
    lines.append(table("service", ("what", "value", "unit", "note"), rows, text_columns=4))
    return lines


def _write(out: Path, record: dict[str, Any], load: Requests, found: SimResult, entry_s: float) -> None:
    """Write the summary as JSON, or every request as CSV or Parquet."""
    from jevons.schema import json_text

    if out.suffix == ".json":
        write(out, json_text(record))
        return
    import numpy as np
    import polars as pl

    trail = found.trail
    ticks = {"arrival_s": trail.arrival, "admitted_s": trail.admitted, "first_s": trail.first, "finish_s": trail.finish}
    times = {name: np.where(values >= 0, values / 1e12, math.nan) for name, values in ticks.items()}
    times["arrival_s"] = times["arrival_s"] - entry_s
    frame = pl.DataFrame(
        {
            "request": np.arange(load.count), **times, "isl": load.isl, "osl": load.osl,
            "ttft_s": times["first_s"] - times["arrival_s"], "e2e_s": times["finish_s"] - times["arrival_s"],
            "preempted": trail.preempted, "replica": trail.replica,
        }
    ).with_columns(pl.selectors.float().fill_nan(None))  # fmt: skip
    if out.suffix == ".csv":
        write(out, frame.write_csv())
    else:
        temporary = out.with_name(out.name + ".part")
        frame.write_parquet(temporary)
        temporary.replace(out)
