"""`jevons simulate` of a fleet: kinds of replicas, routing, scaling, failures, limits and offline work."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.figures import PICTURES, save_figure
from jevons.cli.output import check_out, note, say, show, table, write_requests
from jevons.errors import InputError
from jevons.results import number
from jevons.sizing.fleet_result import fleet_frame, fleet_record
from jevons.sizing.load import Offered, offered
from jevons.sizing.options import FleetOptions, Simulation
from jevons.sizing.simulate_fleet import kind_of_replica, kinds_of, offline_pile

if TYPE_CHECKING:
    from jevons.serving import Deployment
    from jevons.serving.sim import FleetResult, Kind, RateLimit

_ENDINGS = (".json", ".csv", ".parquet")
_KIND = re.compile(r"^([\w.-]+)(?::(\d+))?$")


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
    parts, kinds, prices = kinds_of(options, fleet, gpu_hour, load)
    entry_s = parts[0].engine.entry_s
    routing = sim.Routing(
        kind=fleet.routing or "least_loaded",
        stale_s=fleet.stale or 0.0,
        slack=32 if fleet.slack is None else fleet.slack,
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
        offline=offline_pile(options, fleet, kinds),
        session=None if load.mix is None else load.mix.session,
        entry_s=entry_s,
        ttft_s=options.ttft,
        tpot_s=options.tpot,
        e2e_s=options.e2e,
        seed=options.seed,
        progress=note,
    )
    record = fleet_record(options, routing, parts, kinds, load, found, prices)
    if out is not None:
        write_requests(out, record, fleet_frame(load, kinds, found, entry_s))
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
    of_kind = kind_of_replica(kinds)[found.trail.replica[seen.place]]
    groups = {
        kind.name: sim.Latencies(
            **{f.name: np.asarray(getattr(seen, f.name))[of_kind == k] for f in dataclasses.fields(seen)}
        )
        for k, kind in enumerate(kinds)
    }
    title = f"{record['requests']:,} requests, {record['load']}, routing {record['routing']}"
    names = [kind.name for kind in kinds]
    return fleet_figure(groups, found.series, names, title=title, limits=record["slo"], stable=record["stable"])
