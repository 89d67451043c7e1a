"""The options of `jevons simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    from jevons.cli.fleet_options import FleetOptions, run_fleet, wanted
    from jevons.cli.simulation import Simulation, run_simulate

    options = Simulation(
        model,
        gpu,
        gpus,
        tp,
        replicas,
        routing or "round_robin",
        engine,
        precision,
        kv_precision,
        kv_tokens,
        max_batch,
        step_tokens,
        rate,
        requests,
        isl,
        osl,
        isl_cv,
        osl_cv,
        arrivals,
        cv,
        concurrency,
        think,
        trace,
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
        routing, stale, slack, autoscale, target, cold_start, mtbf, repair, retries, queue_limit, rate_limit,
        offline_requests, offline_below,
    )  # fmt: skip
    if wanted(options, fleet):
        run_fleet(options, fleet, gpu_hour, json=json, out=out)
    else:
        run_simulate(options, gpu_hour, json=json, out=out)
