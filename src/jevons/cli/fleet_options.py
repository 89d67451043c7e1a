"""`jevons simulate` of a fleet: kinds of replicas, routing, scaling, failures, limits and offline work."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.hourly import given_price
from jevons.cli.options import parse_date
from jevons.cli.output import check_out, note, number, say, show, table, write
from jevons.cli.simulation import Simulation, deployment_of, limits_for, replicas_of, save_figure
from jevons.cli.simulation_load import Offered, offered
from jevons.cli.sizing import PICTURES
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.serving import Deployment
    from jevons.serving.sim import Autoscale, FleetResult, Kind, Offline, RateLimit, StepTable
    from jevons.study.pricing import HourPrice

_ENDINGS = (".json", ".csv", ".parquet")
_KIND = re.compile(r"^([\w.-]+)(?::(\d+))?$")
_TYPICAL_FULL = 0.5
"""Share of the largest batch at which kinds of replicas are compared."""
_SCALED_FULL = 0.25
"""Share of it that scaling aims at; a replica more than full answers no faster, so it must not be near one."""


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """The options that only a fleet has; times in seconds but for *mtbf*, in hours."""

    routing: str | None = None
    stale: float | None = None
    slack: int | None = None
    autoscale: str | None = None
    target: float | None = None
    cold_start: float | None = None
    mtbf: float | None = None
    repair: float | None = None
    retries: int | None = None
    queue_limit: int | None = None
    rate_limit: str | None = None
    offline_requests: int | None = None
    offline_below: int | None = None


def wanted(options: Simulation, fleet: FleetOptions) -> bool:
    """Return whether the options describe a fleet, and not only equal replicas."""
    from jevons.serving.sim import ROUTINGS

    several = "," in options.gpu or ":" in options.gpu
    given = any(value is not None for value in dataclasses.astuple(replace(fleet, routing=None)))
    return several or given or fleet.routing not in {None, *ROUTINGS}


def run_fleet(options: Simulation, fleet: FleetOptions, gpu_hour: str | None, *, json: bool, out: Path | None) -> None:
    """Simulate the load on the fleet and print what its users see and what it costs."""
    from jevons.schema import json_text
    from jevons.serving import sim

    check_out(out, _ENDINGS)
    check_out(options.plot, PICTURES, option="--plot")
    if options.sweep_rates is not None:
        message = "--sweep-rates: is for equal replicas without the options of a fleet; leave it or them away"
        raise InputError(message)
    if options.prefill_replicas is not None or options.prefill_tp is not None:
        message = "--prefill-replicas: pools for prompts and decoding are of equal replicas, without a fleet's options"
        raise InputError(message)
    _refuse_lone(fleet)
    load = offered(options)
    requests = load.requests
    parts, kinds, prices = _kinds(options, fleet, gpu_hour, load)
    entry_s = parts[0].engine.entry_s
    routing = sim.Routing(
        fleet.routing or "least_loaded", fleet.stale or 0.0, slack=32 if fleet.slack is None else fleet.slack
    )
    failures = sim.Failures(
        mtbf_s=math.inf if fleet.mtbf is None else fleet.mtbf * 3600.0,
        repair_s=600.0 if fleet.repair is None else fleet.repair,
        retries=3 if fleet.retries is None else fleet.retries,
    )
    found = sim.simulate_fleet(
        requests,
        kinds,
        routing=routing,
        failures=failures,
        admission=sim.Admission(fleet.queue_limit, _rate_limits(fleet.rate_limit)),
        offline=_offline(options, fleet, kinds),
        session=None if load.mix is None else load.mix.session,
        entry_s=entry_s,
        ttft_s=options.ttft,
        tpot_s=options.tpot,
        e2e_s=options.e2e,
        seed=options.seed,
        progress=note,
    )
    record = _record(options, routing, parts, kinds, load, found, prices)
    if out is not None:
        _write(out, record, load, kinds, found, entry_s)
    if options.plot is not None:
        save_figure(options.plot, _figure(record, load, kinds, found, entry_s))
    if json:
        say(json_text(record))
    else:
        show(*_tables(record, parts))
        note(
            f"simulated in {1e3 * found.wall_s:,.1f} ms, {record['simulated_req_per_s'] or 0.0:,.0f} requests "
            "per second"
        )


def _refuse_lone(fleet: FleetOptions) -> None:
    """Refuse options that say nothing without another."""
    for name, value, needs, other in (
        ("--target", fleet.target, "--autoscale", fleet.autoscale),
        ("--cold-start", fleet.cold_start, "--autoscale", fleet.autoscale),
        ("--repair", fleet.repair, "--mtbf", fleet.mtbf),
        ("--retries", fleet.retries, "--mtbf", fleet.mtbf),
        ("--offline-below", fleet.offline_below, "--offline-requests", fleet.offline_requests),
    ):
        if value is not None and other is None:
            message = f"{name} {value:g}: says nothing without {needs}; give that too"
            raise InputError(message)


def _devices(text: str) -> list[tuple[str, int | None]]:
    """Return the accelerators of ``h100_sxm:6,h20:4`` and how many replicas each has, None where none is said."""
    found = []
    for part in text.split(","):
        match = _KIND.match(part.strip())
        if match is None:
            message = f"--gpu {text}: write one accelerator, or kinds with their replicas, such as h100_sxm:6,h20:4"
            raise InputError(message)
        found.append((match.group(1), None if match.group(2) is None else int(match.group(2))))
    names = [name for name, _ in found]
    if len(names) > 1 and (len(set(names)) < len(names) or any(count is None for _, count in found)):
        message = f"--gpu {text}: of several kinds, each needs its own name and replicas, such as h100_sxm:6,h20:4"
        raise InputError(message)
    return found


def _kinds(
    options: Simulation, fleet: FleetOptions, gpu_hour: str | None, load: Offered
) -> tuple[list[Deployment], list[Kind], list[HourPrice | None]]:
    """Return one replica of each kind, the kinds, and what their accelerator-hours cost."""
    from jevons.hardware import accelerator
    from jevons.serving import sim
    from jevons.study.pricing import owned_hour_price
    from jevons.validation import engine_for

    date = parse_date(options.as_of)
    engine = engine_for(options.engine, options.calibration, date)
    requests = load.requests
    context = float(requests.isl.mean() + requests.osl.mean())
    given = _devices(options.gpu)
    if any(count is not None for _, count in given) and (options.gpus is not None or options.replicas is not None):
        message = f"--gpu {options.gpu}: says how many replicas there are; leave --gpus and --replicas away"
        raise InputError(message)
    parts, kinds, prices, speeds = [], [], [], []
    for name, count in given:
        device = accelerator(name, on=date)
        part = deployment_of(options, device, engine, context)
        limits = limits_for(options, part, context, requests.hash_tokens)
        steps = sim.step_table(part, limits.max_batch, limits.step_tokens)
        price = given_price(gpu_hour) or owned_hour_price(device, date)
        replicas = replicas_of(options, part.devices) if count is None else count
        scale = _autoscale(fleet, limits.max_batch)
        if scale is not None and len(given) == 1 and count is None and options.gpus is None and not options.replicas:
            replicas = max(scale.least, 1) if scale.most else 0
        kinds.append(
            sim.Kind(
                name, steps, limits, replicas, accelerators=part.devices, autoscale=scale,
                accelerator_hour=0.0 if price is None else price.amount,
            )
        )  # fmt: skip
        parts.append(part)
        prices.append(price)
        batch = max(min(limits.max_batch, int(limits.kv_blocks * limits.block_tokens / context)) * _TYPICAL_FULL, 1.0)
        speeds.append(_speed(steps, round(batch), context))
    most = max(speeds)
    weighed = [replace(kind, weight=max(speed / most, 1e-3)) for kind, speed in zip(kinds, speeds, strict=True)]
    return parts, weighed, prices


def _speed(steps: StepTable, batch: int, context: float) -> float:
    """Return the tokens per tick of a decode batch."""
    import numpy as np

    piece = max(int(np.searchsorted(steps.knots, context)) - 1, 0)
    piece = min(piece, steps.base.shape[1] - 1)
    return batch / max(float(steps.base[batch, piece] + steps.slope[batch, piece] * batch * context), 1.0)


def _autoscale(fleet: FleetOptions, max_batch: int) -> Autoscale | None:
    """Return the scaling that ``--autoscale MIN:MAX`` asks for; its target is a quarter of a batch by default."""
    from jevons.serving.sim import Autoscale

    if fleet.autoscale is None:
        return None
    match = re.fullmatch(r"(\d+):(\d+)", fleet.autoscale.strip())
    if match is None or not int(match.group(1)) <= int(match.group(2)) or int(match.group(2)) < 1:
        message = f"--autoscale {fleet.autoscale}: write the least and the most replicas, such as 2:10"
        raise InputError(message)
    return Autoscale(
        int(match.group(1)), int(match.group(2)),
        max(_SCALED_FULL * max_batch, 1.0) if fleet.target is None else fleet.target,
        cold_start_s=120.0 if fleet.cold_start is None else fleet.cold_start,
    )  # fmt: skip


def _rate_limits(text: str | None) -> tuple[RateLimit, ...]:
    """Return the limit of ``20`` or ``20:100``: requests per second, and how many at once (a second's by default)."""
    from jevons.serving.sim import RateLimit

    if text is None:
        return ()
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)(?::(\d+))?", text.strip())
    if match is None or not 0 < float(match.group(1)) < 1e9:
        message = f"--rate-limit {text}: write requests per second and, after a colon, a burst: 20 or 20:100"
        raise InputError(message)
    rate = float(match.group(1))
    return (RateLimit(rate, max(round(rate), 1) if match.group(2) is None else int(match.group(2))),)


def _offline(options: Simulation, fleet: FleetOptions, kinds: list[Kind]) -> Offline | None:
    """Return a pile of requests with the lengths of ``--isl`` and ``--osl``."""
    from jevons.serving import sim

    if fleet.offline_requests is None:
        return None
    pile = sim.generate(
        sim.Load(
            requests=fleet.offline_requests, isl=options.isl, osl=options.osl, arrivals="at_once",
            isl_cv=options.isl_cv, osl_cv=options.osl_cv,
        ),
        options.seed + 1,
    )  # fmt: skip
    most = min(kind.limits.max_batch for kind in kinds)
    below = max(most // 4, 1) if fleet.offline_below is None else fleet.offline_below
    return sim.Offline(pile, below)


def _record(
    options: Simulation,
    routing: Any,
    parts: list[Deployment],
    kinds: list[Kind],
    load: Offered,
    found: FleetResult,
    prices: list[HourPrice | None],
) -> dict[str, Any]:
    """Return the documented JSON object."""
    requests = load.requests
    left_out = {"trail", "attempts", "fate", "series", "kinds", "models", "offline"}
    plain = {f.name: getattr(found, f.name) for f in dataclasses.fields(found) if f.name not in left_out}
    for name in ("ttft_s", "tpot_s", "e2e_s", "itl_s"):
        plain[name] = None if plain[name] is None else dataclasses.asdict(plain[name])
    currencies = {price.currency for price in prices if price is not None}
    priced = len(currencies) == 1 and all(prices)
    online = found.trail.finish[: requests.count] >= 0
    tokens = int(requests.isl[online].sum() + requests.osl[online].sum())
    tokens += 0 if found.offline is None else found.offline.prompt_tokens + found.offline.output_tokens
    scaled = {name: getattr(found.series, name).tolist() for name in ("end_s", "up", "paid", "outstanding")}
    plain["cost"] = found.cost if priced else None
    return {
        "model": parts[0].model.name, "gpu": options.gpu, "precision": parts[0].precision,
        "engine": parts[0].engine.name, "routing": routing.kind, "stale_s": routing.stale_s, "load": requests.origin,
        "seed": options.seed, "mean_isl": float(requests.isl.mean()), "mean_osl": float(requests.osl.mean()),
        **plain,
        "rejected": dict(found.rejected), "lost": dict(found.lost), "window_s": list(found.window_s),
        "slo": {"ttft_s": options.ttft, "tpot_s": options.tpot, "e2e_s": options.e2e},
        "stable": found.overload_frac is None,
        "currency": next(iter(currencies)) if priced else None,
        "cost_per_mtok": found.cost / tokens * 1e6 if priced and tokens else None,
        "kinds": [
            {**dataclasses.asdict(share), "tp": part.layout.tp, "limits": dataclasses.asdict(kind.limits),
             "weight": kind.weight, "currency": None if price is None else price.currency,
             "gpu_hour": None if price is None else price.amount}
            for share, part, kind, price in zip(found.kinds, parts, kinds, prices, strict=True)
        ],
        "offline": None if found.offline is None else dataclasses.asdict(found.offline),
        "series": {**scaled, "utilisation_frac": found.series.utilisation_frac.tolist()},
        "simulated_req_per_s": found.served / found.wall_s if found.wall_s > 0 else None,
    }  # fmt: skip


def _tables(r: dict[str, Any], parts: list[Deployment]) -> list[Any]:
    """Return the tables for people, after a warning where the load is unstable."""
    lines: list[Any] = []
    if not r["stable"]:
        lines.append(
            f"UNSTABLE: arrivals exceed what the fleet finishes ({r['capacity_req_per_s']:.3g} requests/s) by "
            f"{100 * r['overload_frac']:.1f} %; it runs out of {r['limit']}. The queue grows for as long as the load "
            "lasts, so latencies below say how long the simulation was. Add replicas, limit the queue, or lower the "
            "rate.\n"
        )
    heads = ("mean", "p50", "p90", "p95", "p99")
    latency = [
        (name, *("–" if r[key] is None else f"{1e3 * r[key][q]:,.1f}" for q in heads))
        for name, key in (
            ("time to first token [ms]", "ttft_s"), ("time per output token [ms]", "tpot_s"),
            ("between outputs [ms]", "itl_s"), ("whole answer [ms]", "e2e_s"),
        )
    ]  # fmt: skip
    fleet = ", ".join(str(part) for part in parts)
    lines.append(table(f"{r['requests']:,} requests, {r['load']}, on {fleet}", ("latency", *heads), latency))
    hours = max(r["end_s"] / 3600, 1e-12)
    rows = [
        (
            k["name"], number(k["replica_hours"] / hours), number(k["accelerator_hours"] / hours),
            f"{k['served']:,}", "–" if k["ttft_s"] is None else number(1e3 * k["ttft_s"]["p99"]),
            number(k["mean_batch"]), number(100 * k["utilisation_frac"]), number(100 * k["kv_peak_frac"]),
            "–" if k["currency"] is None else f"{number(k['cost'])} {k['currency']}",
        )
        for k in r["kinds"]
    ]  # fmt: skip
    lines.append(
        table(
            "kinds of replicas",
            ("kind", "replicas paid", "accelerators paid", "answered", "TTFT p99 [ms]", "mean batch", "busy [%]",
             "cache at most [%]", "cost of the run"),
            rows,
        )
    )  # fmt: skip
    limits = ", ".join(f"{k.removesuffix('_s').upper()} <= {v:g} s" for k, v in r["slo"].items() if v is not None)
    refused = ", ".join(f"{count:,} {why.replace('_', ' ')}" for why, count in r["rejected"].items() if count)
    lost = ", ".join(f"{count:,} {why.replace('_', ' ')}" for why, count in r["lost"].items() if count)
    stale = f", loads told every {r['stale_s']:g} s" if r["stale_s"] else ""
    service = [
        ("finished", number(r["req_per_s"]), "req/s", f"{r['counted']:,} counted; routing {r['routing']}{stale}"),
        ("goodput", number(r["goodput_req_per_s"]), "req/s", limits or "no limits given"),
        ("output", number(r["output_tok_per_s"]), "tok/s", ""),
        ("turned away", f"{sum(r['rejected'].values()):,}", "requests", refused or "none"),
        ("lost", f"{sum(r['lost'].values()):,}", "requests", lost or "none"),
        ("sent again", f"{r['retried']:,}", "requests", f"{r['failures']:,} failures of replicas"),
        ("cost", number(r["cost_per_mtok"]), f"{r['currency'] or ''}/Mtok", "all tokens, offline ones included"),
        ("replica-hours", number(r["replica_hours"]), "h", f"{number(r['accelerator_hours'])} accelerator-hours"),
        ("busy", number(100 * r["utilisation_frac"]), "%", "share of replicas' time with a step running"),
        ("preemptions", number(r["preemptions"]), "", "requests that lost their cache and began anew"),
    ]  # fmt: skip
    if r["offline"] is not None:
        o = r["offline"]
        service.append(
            ("offline", number(o["output_tok_per_s"]), "tok/s", f"{o['served']:,} requests done, {o['left']:,} left")
        )
    lines.append(table("service", ("what", "value", "unit", "note"), service, text_columns=4))
    return lines


def _figure(record: dict[str, Any], load: Offered, kinds: list[Kind], found: FleetResult, entry_s: float) -> Any:
    """Return latencies by kind above the fleet over time."""
    import numpy as np

    from jevons.plot.simulation import fleet_figure
    from jevons.serving import sim

    seen = sim.latencies(load.requests, found, entry_s)
    of_kind = _kind_of(kinds)[found.trail.replica[seen.place]]
    groups = {
        kind.name: sim.Latencies(*(np.asarray(getattr(seen, f.name))[of_kind == k] for f in dataclasses.fields(seen)))
        for k, kind in enumerate(kinds)
    }
    title = f"{record['requests']:,} requests, {record['load']}, routing {record['routing']}"
    names = [kind.name for kind in kinds]
    return fleet_figure(
        groups, found.series, names, title=title, limits=record["slo"], stable=record["stable"]
    )  # fmt: skip


def _kind_of(kinds: list[Kind]) -> Any:
    """Return the kind of each replica."""
    import numpy as np

    sizes = [kind.replicas if kind.autoscale is None else kind.autoscale.most for kind in kinds]
    return np.repeat(np.arange(len(kinds)), sizes)


def _write(
    out: Path, record: dict[str, Any], load: Offered, kinds: list[Kind], found: FleetResult, entry_s: float
) -> None:
    """Write the summary as JSON, or every request as CSV or Parquet."""
    from jevons.schema import json_text

    if out.suffix == ".json":
        write(out, json_text(record))
        return
    import numpy as np
    import polars as pl

    trail, count = found.trail, load.requests.count
    ticks = {"arrival_s": trail.arrival, "admitted_s": trail.admitted, "first_s": trail.first, "finish_s": trail.finish}
    times = {name: np.where(values[:count] >= 0, values[:count] / 1e12, math.nan) for name, values in ticks.items()}
    times["arrival_s"] = times["arrival_s"] - entry_s
    fates = ("too_long", "answered", "rate_limit", "queue_limit", "retries", "no_replica")
    of_kind = _kind_of(kinds)
    replica = trail.replica[:count]
    frame = pl.DataFrame(
        {
            "request": np.arange(count), **times, "isl": load.requests.isl, "osl": load.requests.osl,
            "ttft_s": times["first_s"] - times["arrival_s"], "e2e_s": times["finish_s"] - times["arrival_s"],
            "preempted": trail.preempted[:count], "replica": replica,
            "kind": [kinds[of_kind[place]].name if place >= 0 else None for place in replica],
            "outcome": [fates[fate] for fate in found.fate[:count]], "sent_again": found.attempts[:count],
        }
    ).with_columns(pl.selectors.float().fill_nan(None))  # fmt: skip
    if out.suffix == ".csv":
        write(out, frame.write_csv())
        return
    temporary = out.with_name(out.name + ".part")
    frame.write_parquet(temporary)
    temporary.replace(out)
    note(f"wrote {out}")
