"""`jevons simulate`: a load replayed on replicas of one deployment, exact to the engine's step."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from jevons.cli.figures import PICTURES, save_figure
from jevons.cli.options import (
    AsOf,
    CalibrationFile,
    Engine,
    Hourly,
    Isl,
    Json,
    Model,
    Osl,
    Seed,
    Tp,
    Tpot,
    Ttft,
    finite,
)
from jevons.cli.output import check_out, emit, note, say, show, table, write_requests
from jevons.cli.progress import progress
from jevons.errors import InputError
from jevons.results import number
from jevons.sizing.money import given_price
from jevons.sizing.options import Simulation
from jevons.sizing.simulate import run_replicas, sweep_rates
from jevons.sizing.simulation_result import Run, run_frame, run_record
from jevons.units import parse_date

_ENDINGS = (".json", ".csv", ".parquet")
_SWEEP_ENDINGS = (".json", ".csv")


def run_simulate(options: Simulation, gpu_hour: str | None, *, json: bool, out: Path | None) -> None:
    """Simulate the load and print what its users see and what it costs."""
    from jevons.hardware import accelerator
    from jevons.schema import json_text
    from jevons.serving.calibration import engine_for
    from jevons.sizing.hour_price import owned_hour_price

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
        with progress() as told:
            points = sweep_rates(options, device, engine, price, read_rates(options.sweep_rates), told)
        if options.plot is not None:
            slo = {"ttft_s": options.ttft, "tpot_s": options.tpot}
            from jevons.plot.simulation import sweep_figure

            title = f"{points[0]['model']} on {points[0]['replicas']} x {points[0]['tp']} {points[0]['gpu']}"
            save_figure(options.plot, sweep_figure(points, title=title, slo=slo))
        emit({"sweep": points}, [_sweep_table(points)], as_json=json, out=out)
        return
    run = run_replicas(options, device, engine, {}, note)
    record = run_record(options, run, price)
    if options.plot is not None:
        save_figure(options.plot, _figure(options, run))
    if out is not None:
        write_requests(out, record, run_frame(run))
    if json:
        say(json_text(record))
    else:
        show(*_tables(run, record))
        speed = record["simulated_req_per_s"] or 0.0
        note(f"simulated in {1e3 * run.found.wall_s:,.1f} ms, {speed:,.0f} requests per second")


def _figure(options: Simulation, run: Run) -> Any:
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


def _tables(run: Run, r: dict[str, Any]) -> list[Any]:
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


def simulate(
    model: Model,
    gpu: Annotated[
        str, typer.Option("--gpu", help="Accelerator id, or kinds of replicas with their number: h100_sxm:6,h20:4.")
    ] = "h100_sxm",
    gpus: Annotated[
        int | None, typer.Option("--gpus", min=1, max=100_000, help="Accelerators of all replicas together.")
    ] = None,
    tp: Tp = None,
    replicas: Annotated[int | None, typer.Option("--replicas", min=1, max=100_000, help="Copies of the model.")] = None,
    routing: Annotated[
        str | None,
        typer.Option(
            "--routing",
            help="Which replica a request goes to: round_robin, least_loaded, least_tokens, two_choices, prefix, "
            "session or adapter; a fleet's default is least_loaded, of equal replicas round_robin.",
        ),
    ] = None,
    engine: Engine = "vllm",
    precision: Annotated[
        str, typer.Option("--precision", help="Precision of the weights: native, bf16, fp8, int8, …")
    ] = "native",
    kv_precision: Annotated[str, typer.Option("--kv-precision", help="Precision of the cache.")] = "bf16",
    kv_tokens: Annotated[
        int | None, typer.Option("--kv-tokens", min=16, help="Tokens that the cache of a replica holds.")
    ] = None,
    max_batch: Annotated[
        int | None, typer.Option("--max-batch", min=1, max=65536, help="Most requests in work on a replica at once.")
    ] = None,
    step_tokens: Annotated[
        int | None, typer.Option("--step-tokens", min=1, max=1_000_000, help="Most tokens of one engine step.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option("--rate", min=0, callback=finite, help="Requests per second, also of a trace.")
    ] = None,
    requests: Annotated[
        int | None,
        typer.Option("--requests", min=1, max=200_000_000, help="Requests to simulate; 10,000, or those of the trace."),
    ] = None,
    isl: Isl = 500,
    osl: Osl = 200,
    isl_cv: Annotated[
        float, typer.Option("--isl-cv", min=0, callback=finite, help="Deviation over mean of lognormal inputs.")
    ] = 0.0,
    osl_cv: Annotated[
        float, typer.Option("--osl-cv", min=0, callback=finite, help="Deviation over mean of lognormal outputs.")
    ] = 0.0,
    arrivals: Annotated[
        str, typer.Option("--arrivals", help="poisson, gamma (bunched), bursts, constant or at_once.")
    ] = "poisson",
    cv: Annotated[
        float, typer.Option("--cv", min=0, callback=finite, help="Deviation over mean of the gaps of gamma arrivals.")
    ] = 2.0,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", min=1, help="Users of a closed loop, in place of a rate.")
    ] = None,
    think: Annotated[
        float, typer.Option("--think", min=0, callback=finite, help="From an answer to the user's next request [s].")
    ] = 0.0,
    trace: Annotated[
        Path | None, typer.Option("--trace", help="Request trace: Azure, Mooncake, Qwen, BurstGPT, Vidur, vLLM.")
    ] = None,
    prefix_cache: Annotated[
        bool, typer.Option("--prefix-cache", help="Reuse prompt prefixes that the trace's block hashes tell of.")
    ] = False,
    load: Annotated[
        Path | None, typer.Option("--load", help="YAML of classes of requests: shares, lengths, conversations, limits.")
    ] = None,
    lengths_from: Annotated[
        Path | None, typer.Option("--lengths-from", help="Trace to draw prompt and output tokens from.")
    ] = None,
    speed: Annotated[
        float | None, typer.Option("--speed", callback=finite, help="How much faster than recorded a trace runs.")
    ] = None,
    keep: Annotated[
        float | None, typer.Option("--keep", callback=finite, help="Share of a trace to keep, drawn by the seed.")
    ] = None,
    ttft: Ttft = None,
    tpot: Tpot = None,
    e2e: Annotated[
        float | None, typer.Option("--e2e", min=0, callback=finite, help="Limit of the whole answer [s].")
    ] = None,
    sweep_rates: Annotated[
        str | None, typer.Option("--sweep-rates", help="Simulate several rates: 1,2,4 or 1:8:4 [requests/s].")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw latencies and timeline, or the sweep: .svg, .png or .pdf.")
    ] = None,
    stale: Annotated[
        float | None, typer.Option("--stale", min=0, callback=finite, help="Loads reach the router this seldom [s].")
    ] = None,
    slack: Annotated[
        int | None, typer.Option("--slack", min=0, help="Requests by which affinity may exceed the least load; 32.")
    ] = None,
    autoscale: Annotated[
        str | None, typer.Option("--autoscale", help="Least and most replicas of each kind, such as 2:10.")
    ] = None,
    target: Annotated[
        float | None,
        typer.Option("--target", min=0, callback=finite, help="Unanswered requests per replica that scaling aims at."),
    ] = None,
    cold_start: Annotated[
        float | None,
        typer.Option("--cold-start", min=0, callback=finite, help="Until a started replica takes requests [s]; 120."),
    ] = None,
    mtbf: Annotated[
        float | None, typer.Option("--mtbf", min=0, callback=finite, help="Mean time to a failure of a replica [h].")
    ] = None,
    repair: Annotated[
        float | None,
        typer.Option("--repair", min=0, callback=finite, help="Until a failed replica is back [s]; 600."),
    ] = None,
    retries: Annotated[
        int | None, typer.Option("--retries", min=0, help="Times that a failed request is sent again; 3.")
    ] = None,
    queue_limit: Annotated[
        int | None, typer.Option("--queue-limit", min=1, help="Requests that may wait at a replica; more are refused.")
    ] = None,
    rate_limit: Annotated[
        str | None,
        typer.Option("--rate-limit", help="Requests per second, and a burst: 20 or 20:100; more are refused."),
    ] = None,
    offline_requests: Annotated[
        int | None, typer.Option("--offline-requests", min=1, help="Requests without a deadline that fill the valleys.")
    ] = None,
    offline_below: Annotated[
        int | None, typer.Option("--offline-below", min=1, help="Unanswered requests below which a replica gets them.")
    ] = None,
    prefill_replicas: Annotated[
        int | None,
        typer.Option(
            "--prefill-replicas", min=1, max=100_000, help="Copies that compute prompts alone; --replicas decode."
        ),
    ] = None,
    prefill_tp: Annotated[
        int | None, typer.Option("--prefill-tp", min=1, help="Their tensor-parallel degree; the others' by default.")
    ] = None,
    host_gb: Annotated[
        float,
        typer.Option("--host-gb", min=0, callback=finite, help="Host memory behind the cache, per accelerator [GB]."),
    ] = 0.0,
    swap: Annotated[
        bool, typer.Option("--swap", help="Move the cache of preempted requests to the host, not compute it anew.")
    ] = False,
    draft_tokens: Annotated[
        int, typer.Option("--draft-tokens", min=0, max=16, help="Tokens drafted in each step and verified together.")
    ] = 0,
    draft_acceptance: Annotated[
        float | None,
        typer.Option(
            "--draft-acceptance",
            min=0,
            max=0.999,
            callback=finite,
            help="Chance that a draft is accepted after those before it, 0..1; the engine's by default.",
        ),
    ] = None,
    gpu_hour: Hourly = None,
    seed: Seed = None,
    calibration: CalibrationFile = None,
    as_of: AsOf = None,
    json: Json = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write to this file too: .json (summary), .csv or .parquet (every request)."),
    ] = None,
) -> None:
    """Simulate a load on replicas of a model, exact to the engine's step: latencies, throughput, cost, stability."""
    from jevons.cli.commands.simulate import run_simulate
    from jevons.cli.commands.simulate_fleet import run_fleet, wanted
    from jevons.sizing.options import FleetOptions, Simulation

    options = Simulation(
        model=model,
        gpu=gpu,
        gpus=gpus,
        tp=tp,
        replicas=replicas,
        routing=routing or "round_robin",
        engine=engine,
        precision=precision,
        kv_precision=kv_precision,
        kv_tokens=kv_tokens,
        max_batch=max_batch,
        step_tokens=step_tokens,
        rate=rate,
        requests=requests,
        isl=isl,
        osl=osl,
        isl_cv=isl_cv,
        osl_cv=osl_cv,
        arrivals=arrivals,
        cv=cv,
        concurrency=concurrency,
        think=think,
        trace=trace,
        load=load,
        lengths_from=lengths_from,
        speed=speed,
        keep=keep,
        prefix_cache=prefix_cache,
        ttft=ttft,
        tpot=tpot,
        e2e=e2e,
        sweep_rates=sweep_rates,
        plot=plot,
        seed=seed or 0,
        as_of=as_of,
        calibration=calibration,
        host_gb=host_gb,
        swap=swap,
        draft_tokens=draft_tokens,
        draft_acceptance=draft_acceptance,
        prefill_replicas=prefill_replicas,
        prefill_tp=prefill_tp,
    )
    fleet = FleetOptions(
        routing=routing,
        stale=stale,
        slack=slack,
        autoscale=autoscale,
        target=target,
        cold_start=cold_start,
        mtbf=mtbf,
        repair=repair,
        retries=retries,
        queue_limit=queue_limit,
        rate_limit=rate_limit,
        offline_requests=offline_requests,
        offline_below=offline_below,
    )
    if wanted(options, fleet):
        run_fleet(options, fleet, gpu_hour, json=json, out=out)
    else:
        run_simulate(options, gpu_hour, json=json, out=out)


def read_rates(text: str) -> list[float]:
    """Return the rates of ``1,2,4`` or of ``1:8:4``: four of them evenly from 1 to 8.

    Raises
    ------
    InputError
        If that is neither.
    """
    try:
        if ":" in text:
            low, high, count = text.split(":")
            steps = int(count)
            rates = [float(low) + (float(high) - float(low)) * step / max(steps - 1, 1) for step in range(steps)]
        else:
            rates = [float(part) for part in text.split(",")]
    except ValueError:
        rates = []
    if not rates or len(rates) > 100 or not all(rate > 0 and math.isfinite(rate) for rate in rates):
        message = f"--sweep-rates {text}: give 1 to 100 rates above 0, as 1,2,4 or 1:8:4 (from, to, how many)"
        raise InputError(message)
    return sorted(rates)
