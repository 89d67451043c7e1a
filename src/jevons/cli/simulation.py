"""`jevons simulate`: a load replayed on replicas of one deployment, exact to the engine's step."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.hourly import given_price
from jevons.cli.options import parse_date
from jevons.cli.output import check_out, emit, note, number, say, show, table, write
from jevons.cli.simulation_load import Offered, at_rate, offered, read_rates
from jevons.cli.sizing import PICTURES, progress
from jevons.errors import InfeasibleError, InputError

if TYPE_CHECKING:
    from jevons.serving import Deployment
    from jevons.serving.sim import SimLimits, SimResult, SplitResult, StepTable
    from jevons.study.pricing import HourPrice

_ENDINGS = (".json", ".csv", ".parquet")
_SWEEP_ENDINGS = (".json", ".csv")
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
    load: Path | None = None
    lengths_from: Path | None = None
    speed: float | None = None
    keep: float | None = None
    prefix_cache: bool = False
    ttft: float | None = None
    tpot: float | None = None
    e2e: float | None = None
    sweep_rates: str | None = None
    plot: Path | None = None
    seed: int = 0
    as_of: str | None = None
    calibration: Path | None = None
    host_gb: float = 0.0
    swap: bool = False
    draft_tokens: int = 0
    draft_acceptance: float | None = None
    prefill_replicas: int | None = None
    prefill_tp: int | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """One simulation, and what it was of."""

    offered: Offered
    deployment: Deployment
    replicas: int
    limits: SimLimits
    found: SimResult
    prompts: Deployment | None = None
    prompt_replicas: int = 0
    split: SplitResult | None = None

    @property
    def copies(self) -> int:
        """Replicas, those for prompts included."""
        return self.replicas + self.prompt_replicas

    @property
    def accelerators(self) -> int:
        """Accelerators of all replicas."""
        prompts = 0 if self.prompts is None else self.prompts.devices * self.prompt_replicas
        return self.deployment.devices * self.replicas + prompts

    @property
    def words(self) -> str:
        """What the load ran on."""
        own = f"{self.replicas} x {self.deployment}"
        return own if self.prompts is None else f"{self.prompt_replicas} x {self.prompts} for prompts and {own}"


def run_simulate(options: Simulation, gpu_hour: str | None, *, json: bool, out: Path | None) -> None:
    """Simulate the load and print what its users see and what it costs."""
    from jevons.hardware import accelerator
    from jevons.schema import json_text
    from jevons.study.pricing import owned_hour_price
    from jevons.validation import engine_for

    check_out(out, _ENDINGS if options.sweep_rates is None else _SWEEP_ENDINGS)
    check_out(options.plot, PICTURES, option="--plot")
    date = parse_date(options.as_of)
    device = accelerator(options.gpu, on=date)
    price = given_price(gpu_hour) or owned_hour_price(device, date)
    engine = engine_for(options.engine, options.calibration, date)
    if options.sweep_rates is not None:
        if options.rate is not None or options.concurrency is not None:
            message = "--sweep-rates: gives the rates; leave --rate and --concurrency away"
            raise InputError(message)
        points = _sweep(options, device, engine, price)
        if options.plot is not None:
            slo = {"ttft_s": options.ttft, "tpot_s": options.tpot}
            from jevons.plot.simulation import sweep_figure

            title = f"{points[0]['model']} on {points[0]['replicas']} x {points[0]['tp']} {points[0]['gpu']}"
            save_figure(options.plot, sweep_figure(points, title=title, slo=slo))
        emit({"sweep": points}, [_sweep_table(points)], as_json=json, out=out)
        return
    run = _run(options, device, engine, {})
    record = _record(options, run, price)
    if options.plot is not None:
        save_figure(options.plot, _figure(options, run))
    if out is not None:
        _write(out, record, run)
    if json:
        say(json_text(record))
    else:
        show(*_tables(run, record))
        speed = record["simulated_req_per_s"] or 0.0
        note(f"simulated in {1e3 * run.found.wall_s:,.1f} ms, {speed:,.0f} requests per second")


def _run(options: Simulation, device: Any, engine: Any, tables: dict[tuple[int, ...], StepTable]) -> _Run:
    """Simulate the load of the options; *tables* keeps step times for the next rate of a sweep."""
    from jevons.serving import sim

    load = offered(options)
    requests = load.requests
    context = float(requests.isl.mean() + requests.osl.mean())
    deployment = deployment_of(options, device, engine, context)
    if options.prefill_replicas is not None:
        return _run_split(options, load, deployment, tables)
    if options.prefill_tp is not None:
        message = "--prefill-tp: says nothing without --prefill-replicas; give that too"
        raise InputError(message)
    replicas = replicas_of(options, deployment.devices)
    limits = limits_for(options, deployment, context, requests.hash_tokens)
    found = sim.simulate(
        requests,
        _table(deployment, limits, tables),
        limits,
        replicas=replicas,
        routing=options.routing,
        entry_s=deployment.engine.entry_s,
        ttft_s=options.ttft,
        tpot_s=options.tpot,
        e2e_s=options.e2e,
        seed=options.seed,
        progress=note,
    )
    return _Run(load, deployment, replicas, limits, found)


def _run_split(
    options: Simulation, load: Offered, deployment: Deployment, tables: dict[tuple[int, ...], StepTable]
) -> _Run:
    """Simulate the load on replicas for prompts and others for decoding."""
    from jevons.serving import Layout, sim

    if options.gpus is not None:
        message = "--gpus: pools are counted in replicas; use --replicas and --prefill-replicas"
        raise InputError(message)
    requests, prompt_replicas, replicas = load.requests, options.prefill_replicas or 0, options.replicas or 1
    context = float(requests.isl.mean() + requests.osl.mean())
    layout = deployment.layout if options.prefill_tp is None else Layout(tp=options.prefill_tp)
    prompts = dataclasses.replace(deployment, layout=layout, draft_tokens=0)

    def pool(one: Deployment, count: int) -> sim.Pool:
        limits = limits_for(options, one, context, requests.hash_tokens)
        return sim.Pool(_table(one, limits, tables), limits, count)

    decode = pool(deployment, replicas)
    split = sim.simulate_split(
        requests, pool(prompts, prompt_replicas), decode, sim.hand_over_s(prompts, deployment, requests.isl),
        routing=options.routing, entry_s=deployment.engine.entry_s, ttft_s=options.ttft, tpot_s=options.tpot,
        e2e_s=options.e2e, seed=options.seed, progress=note,
    )  # fmt: skip
    return _Run(load, deployment, replicas, decode.limits, split.found, prompts, prompt_replicas, split)


def _table(deployment: Deployment, limits: SimLimits, tables: dict[tuple[int, ...], StepTable]) -> StepTable:
    """Return the step times of a replica, kept in *tables*."""
    from jevons.serving import sim

    key = (deployment.layout.tp, deployment.draft_tokens, limits.max_batch, limits.step_tokens)
    if key not in tables:
        tables[key] = sim.step_table(deployment, limits.max_batch, limits.step_tokens)
    return tables[key]


def _sweep(options: Simulation, device: Any, engine: Any, price: HourPrice | None) -> list[dict[str, Any]]:
    """Return the record of each rate, without its timeline."""
    rates, points = read_rates(options.sweep_rates or ""), []
    tables: dict[tuple[int, ...], StepTable] = {}
    with progress() as told:
        for place, rate in enumerate(rates, 1):
            if told is not None:
                told(f"{place} of {len(rates)}: {rate:g} requests/s")
            run = _run(at_rate(options, rate), device, engine, tables)
            record = _record(options, run, price)
            del record["series"]
            points.append({"rate": rate, **record})
    return points


def _figure(options: Simulation, run: _Run) -> Any:
    """Return distributions and timeline, a line for each class."""
    from jevons.plot.simulation import simulation_figure
    from jevons.serving import sim

    requests, mix, entry_s = run.offered.requests, run.offered.mix, run.deployment.engine.entry_s
    seen = sim.latencies(requests, run.found, entry_s)
    groups = {"all": seen}
    if mix is not None and len(mix.classes) > 1:
        groups = {
            one.name: dataclasses.replace(seen, counted=seen.counted & (mix.of_class[seen.place] == number))
            for number, one in enumerate(mix.classes)
        }
    series = sim.time_series(requests, run.found, run.limits, replicas=run.copies, entry_s=entry_s)
    return simulation_figure(
        groups, series, title=f"{requests.count:,} requests, {requests.origin}, on {run.words}",
        limits={"ttft_s": options.ttft, "tpot_s": options.tpot, "e2e_s": options.e2e},
        stable=run.found.overload_frac is None,
    )  # fmt: skip


def deployment_of(options: Simulation, device: Any, engine: Any, context: float) -> Deployment:
    """Return one replica: of the tensor parallelism asked for, or the least that holds a mean request."""
    from jevons import models
    from jevons.serving import Deployment, Layout, kv_capacity_tokens

    spec = models.load(options.model)
    if options.draft_acceptance is not None:
        if not options.draft_tokens:
            message = "--draft-acceptance: says nothing without --draft-tokens; give that too"
            raise InputError(message)
        engine = dataclasses.replace(engine, draft_acceptance_frac=options.draft_acceptance)

    def split(tp: int) -> Deployment:
        kept = options.precision, options.kv_precision
        return Deployment(spec, device, Layout(tp=tp), *kept, engine, draft_tokens=options.draft_tokens)

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


def limits_for(options: Simulation, deployment: Deployment, context: float, hash_tokens: int) -> SimLimits:
    """Return the limits of one replica; blocks of its cache are those of the load's hashes, where it has any."""
    from jevons.serving import sim

    if options.swap and not options.host_gb:
        message = "--swap: needs host memory to go to; give --host-gb too"
        raise InputError(message)
    return sim.limits_of(
        deployment, context=context, kv_tokens=None if options.kv_tokens is None else float(options.kv_tokens),
        max_batch=options.max_batch, step_tokens=options.step_tokens, block_tokens=hash_tokens or 16,
        host_bytes=1e9 * options.host_gb, swap=options.swap,
    )  # fmt: skip


def replicas_of(options: Simulation, devices: int) -> int:
    """Return how many replicas of so many accelerators the options ask for."""
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


def _record(options: Simulation, run: _Run, price: HourPrice | None) -> dict[str, Any]:
    """Return the documented JSON object."""
    from jevons.facts import default_facts
    from jevons.serving import sim

    deployment, replicas, limits, found = run.deployment, run.replicas, run.limits, run.found
    load, entry_s = run.offered.requests, run.deployment.engine.entry_s
    plain = {f.name: getattr(found, f.name) for f in dataclasses.fields(found) if f.name != "trail"}
    spreads = {
        name: None if plain[name] is None else dataclasses.asdict(plain[name])
        for name in ("ttft_s", "tpot_s", "itl_s", "e2e_s")
    }
    accelerators = run.accelerators
    per_request = found.output_tok_per_s / found.req_per_s if found.req_per_s > 0 else 0.0
    tokens_per_s = found.req_per_s * (float(load.isl.mean()) + per_request)
    hourly = None if price is None else price.amount * accelerators / 3600 * 1e6
    idle_frac = default_facts().get("own_machine.idle_power_frac").number
    drawn_j = sum(
        sim.energy_j(
            dataclasses.replace(found, utilisation_frac=busy), d.devices * d.accelerator.server_w, idle_frac, n
        )
        for d, n, busy in _pools(run)
    )
    made = tokens_per_s * (found.window_s[1] - found.window_s[0])
    return {
        "model": deployment.model.name, "gpu": deployment.accelerator.id, "precision": deployment.precision,
        "engine": deployment.engine.name, "tp": deployment.layout.tp, "replicas": replicas,
        "prefill": _prefill_record(run), "accelerators": accelerators,
        "routing": options.routing, "load": load.origin, "seed": options.seed,
        "mean_isl": float(load.isl.mean()), "mean_osl": float(load.osl.mean()),
        "limits": dataclasses.asdict(limits),
        **plain, **spreads,
        "slo": {"ttft_s": options.ttft, "tpot_s": options.tpot, "e2e_s": options.e2e},
        "window_s": list(found.window_s),
        "stable": found.overload_frac is None,
        "output_tok_per_s_per_gpu": found.output_tok_per_s / accelerators,
        "cost_per_mtok": hourly / tokens_per_s if hourly is not None and tokens_per_s > 0 else None,
        "cost_per_output_mtok":
            hourly / found.output_tok_per_s if hourly is not None and found.output_tok_per_s > 0 else None,
        "currency": None if price is None else price.currency,
        "gpu_hour": None if price is None else {"amount": price.amount, "origin": price.origin},
        "energy_kwh": drawn_j / 3.6e6,
        "energy_kwh_per_mtok": drawn_j / 3.6e6 / made * 1e6 if made > 0 else None,
        "edges": {"warm_up_s": found.window_s[0], "drain_s": found.end_s - found.window_s[1]},
        "classes": [] if run.offered.mix is None
            else [dataclasses.asdict(one) for one in sim.by_class(run.offered.mix, found, entry_s)],
        "series": sim.time_series(load, found, limits, replicas=run.copies, entry_s=entry_s).to_json(),
        "simulated_req_per_s": found.served / found.wall_s if found.wall_s > 0 else None,
    }  # fmt: skip


def _pools(run: _Run) -> list[tuple[Deployment, int, float]]:
    """Return deployment, replicas and utilisation of each pool."""
    if run.prompts is None or run.split is None:
        return [(run.deployment, run.replicas, run.found.utilisation_frac)]
    return [
        (run.prompts, run.prompt_replicas, run.split.prefill.utilisation_frac),
        (run.deployment, run.replicas, run.split.decode.utilisation_frac),
    ]


def _prefill_record(run: _Run) -> dict[str, Any] | None:
    """Return the pool for prompts, where there is one."""
    if run.prompts is None or run.split is None:
        return None
    moved = run.split.hand_over_s
    return {
        "tp": run.prompts.layout.tp, "replicas": run.prompt_replicas,
        "utilisation_frac": run.split.prefill.utilisation_frac,
        "decode_utilisation_frac": run.split.decode.utilisation_frac,
        "hand_over_s": None if moved is None else dataclasses.asdict(moved),
    }  # fmt: skip


def _tables(run: _Run, r: dict[str, Any]) -> list[Any]:
    """Return the tables for people, after a warning where the load is unstable."""
    load = run.offered.requests
    lines: list[Any] = []
    if not r["stable"]:
        lines.append(
            f"UNSTABLE: arrivals exceed what {run.copies} replicas finish ({r['capacity_req_per_s']:.3g} requests/s) "
            f"by {100 * r['overload_frac']:.1f} %. The queue grows for as long as the load lasts, so latencies below "
            "say how long the simulation was, not what users of a running service see. Add replicas or lower the "
            "rate.\n"
        )
    if r["rejected"]:
        lines.append(f"{r['rejected']:,} of {r['requests']:,} requests exceed what a replica can hold: left out.\n")
    head = f"{r['requests']:,} requests, {load.origin}, on {run.words}"
    latency = [
        (name, *("–" if r[key] is None else f"{scale * r[key][q]:,.1f}" for q in ("mean", "p50", "p90", "p95", "p99")))
        for name, key, scale in (
            ("time to first token [ms]", "ttft_s", 1e3),
            ("time per output token [ms]", "tpot_s", 1e3),
            ("between outputs [ms]", "itl_s", 1e3),
            ("whole answer [ms]", "e2e_s", 1e3),
        )
    ]
    lines.append(table(head, ("latency", "mean", "p50", "p90", "p95", "p99"), latency))
    start, stop = r["window_s"]
    edges = (
        f"{r['counted']:,} requests counted; {r['edges']['warm_up_s']:,.1f} s of warm-up and "
        f"{r['edges']['drain_s']:,.1f} s of drain left out"
        if r["counted"] < r["served"]
        else f"all requests counted, from {start:,.1f} to {stop:,.1f} s: they came at once"
    )
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
        ("energy", number(r["energy_kwh_per_mtok"]), "kWh/Mtok", "input and output; servers, without cooling"),
        ("utilisation", number(100 * r["utilisation_frac"]), "%", "share of time with a step running"),
        ("mean batch", number(r["mean_batch"]), "requests", f"decodes per step, at most {r['limits']['max_batch']:,}"),
        ("cache held", number(100 * r["kv_mean_frac"]), "%", f"at most {100 * r['kv_peak_frac']:.1f} %"),
        ("prefix cache", number(100 * r["hit_tokens"] / max(r["hit_tokens"] + r["prefill_tokens"], 1)), "%", hits),
        ("preemptions", number(r["preemptions"]), "", "requests that lost their place, and their cache unless swapped"),
        *_extras(r),
    ]
    if r["classes"]:
        lines.append(_class_table(r["classes"]))
    lines.append(table("service", ("what", "value", "unit", "note"), rows, text_columns=4))
    return lines


def _extras(r: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Return the lines of pools, host memory and drafted tokens, where there are any."""
    limits, prefill = r["limits"], r["prefill"]
    if prefill is not None:
        yield "for prompts", number(100 * prefill["utilisation_frac"]), "%", "utilisation of that pool"
        yield "for decoding", number(100 * prefill["decode_utilisation_frac"]), "%", "utilisation of that pool"
        if prefill["hand_over_s"] is not None:
            moved = number(1e3 * prefill["hand_over_s"]["mean"])
            last = number(1e3 * prefill["hand_over_s"]["p99"])
            yield "hand-over", moved, "ms", f"mean time until a prompt's cache has arrived; p99 {last} ms"
    if limits["host_blocks"]:
        room = f"{limits['host_blocks'] * limits['block_tokens']:,} tokens"
        yield (
            "host hits",
            number(100 * r["host_hit_tokens"] / max(r["hit_tokens"], 1)),
            "%",
            f"of hits; room for {room}",
        )
        yield "swapped", number(r["swaps"]), "", "preemptions that kept their cache on the host"
    if limits["draft_tokens"]:
        made = (r["mean_osl"] * r["served"] - r["served"]) / max(r["decode_tokens"], 1)
        accepted = f"{limits['draft_tokens']} drafted, each accepted with {100 * limits['draft_acceptance_frac']:.3g} %"
        yield "tokens per step", number(made), "", f"of a request; {accepted}"


def _class_table(classes: list[dict[str, Any]]) -> Any:
    """Return what each class saw."""

    def cells(one: dict[str, Any]) -> Iterator[str]:
        for name, scale in (("ttft_s", 1e3), ("tpot_s", 1e3), ("e2e_s", 1.0)):
            for quantile in ("p50", "p99"):
                yield "–" if one[name] is None else number(scale * one[name][quantile])

    heads = ("class", "finished [req/s]", "output [tok/s]", "within limits [%]", "TTFT p50 [ms]", "TTFT p99 [ms]",
             "TPOT p50 [ms]", "TPOT p99 [ms]", "E2E p50 [s]", "E2E p99 [s]")  # fmt: skip
    rows = [
        (
            one["name"], number(one["req_per_s"]), number(one["output_tok_per_s"]), number(100 * one["good_frac"]),
            *cells(one),
        )
        for one in classes
    ]  # fmt: skip
    return table("classes of requests", heads, rows)


def _sweep_table(points: list[dict[str, Any]]) -> Any:
    """Return one line for each rate."""
    heads = ("arrivals [req/s]", "finished [req/s]", "goodput [req/s]", "output [tok/s]", "TTFT p50 [ms]",
             "TTFT p99 [ms]", "TPOT p50 [ms]", "TPOT p99 [ms]", "use [%]", "per Mtok", "stable")  # fmt: skip

    def time(point: dict[str, Any], name: str, quantile: str) -> str:
        return "–" if point[name] is None else number(1e3 * point[name][quantile])

    rows = [
        (
            number(p["rate"]), number(p["req_per_s"]), number(p["goodput_req_per_s"]), number(p["output_tok_per_s"]),
            time(p, "ttft_s", "p50"), time(p, "ttft_s", "p99"), time(p, "tpot_s", "p50"), time(p, "tpot_s", "p99"),
            number(100 * p["utilisation_frac"]),
            "–" if p["cost_per_mtok"] is None else f"{number(p['cost_per_mtok'])} {p['currency']}", number(p["stable"]),
        )
        for p in points
    ]  # fmt: skip
    first = points[0]
    title = f"{first['requests']:,} requests a rate on {first['replicas']} x {first['tp']} {first['gpu']}"
    return table(title, heads, rows)


def save_figure(path: Path, figure: Any) -> None:
    """Write a figure, whole or not at all."""
    import matplotlib as mpl

    from jevons.plot.style import RC, figure_svg

    if path.suffix == ".svg":
        write(path, figure_svg(figure))
        return
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    with mpl.rc_context(RC):
        figure.savefig(temporary, dpi=150, metadata={"CreationDate": None} if path.suffix == ".pdf" else None)
    temporary.replace(path)
    note(f"wrote {path}")


def _classes(offered: Offered) -> dict[str, Any]:
    """Return the columns of class and conversation, where there are any."""
    if offered.mix is None:
        return {}
    names = [one.name for one in offered.mix.classes]
    return {"class": [names[number] for number in offered.mix.of_class], "session": offered.mix.session}


def _write(out: Path, record: dict[str, Any], run: _Run) -> None:
    """Write the summary as JSON, or every request as CSV or Parquet."""
    from jevons.schema import json_text

    load, found, entry_s = run.offered.requests, run.found, run.deployment.engine.entry_s

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
        | _classes(run.offered)
    ).with_columns(pl.selectors.float().fill_nan(None))  # fmt: skip
    if out.suffix == ".csv":
        write(out, frame.write_csv())
    else:
        temporary = out.with_name(out.name + ".part")
        frame.write_parquet(temporary)
        temporary.replace(out)
