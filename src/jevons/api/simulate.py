"""`jevons.simulate`: a load on replicas or a fleet, exact to the engine's step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

from jevons import options as o
from jevons.api.accelerators import GPU_KINDS
from jevons.api.launch import changed_factors
from jevons.api.measured import MEASURED, pairs_of, trace_columns
from jevons.api.reading import named_model
from jevons.api.server import Server

if TYPE_CHECKING:
    from jevons.results import Result


@o.declared
def simulate(
    model: Annotated[str | None, o.MODEL] = None,
    *,
    gpu: Annotated[str, GPU_KINDS] = "h100_sxm",
    gpus: Annotated[int | None, o.GPUS] = None,
    replicas: Annotated[int | None, o.REPLICAS] = None,
    routing: Annotated[str | None, o.ROUTING] = None,
    precision: Annotated[str, o.PRECISION] = "native",
    kv_tokens: Annotated[int | None, o.KV_TOKENS] = None,
    measured: Annotated[Path | str | None, MEASURED] = None,
    map_: Annotated[Sequence[str] | None, o.MAP] = None,
    rate: Annotated[float | None, o.RATE] = None,
    concurrency: Annotated[int | None, o.CONCURRENCY] = None,
    requests: Annotated[int | None, o.REQUESTS] = None,
    isl: Annotated[int, o.ISL] = o.ISL_TOKENS,
    osl: Annotated[int, o.OSL] = o.OSL_TOKENS,
    isl_cv: Annotated[float, o.ISL_CV] = 0.0,
    osl_cv: Annotated[float, o.OSL_CV] = 0.0,
    arrivals: Annotated[str, o.ARRIVALS] = "poisson",
    cv: Annotated[float | None, o.CV] = None,
    rate_stages: Annotated[str | None, o.RATE_STAGES] = None,
    prompts: Annotated[int | None, o.PROMPTS] = None,
    system_tokens: Annotated[int, o.SYSTEM_TOKENS] = 0,
    think: Annotated[float | str, o.THINK] = 0.0,
    trace: Annotated[Path | str | None, o.TRACE] = None,
    prefix_cache: Annotated[bool, o.PREFIX_CACHE] = False,
    load: Annotated[Path | str | None, o.LOAD] = None,
    lengths_from: Annotated[Path | str | None, o.LENGTHS_FROM] = None,
    speed: Annotated[float | None, o.SPEED] = None,
    keep: Annotated[float | None, o.KEEP] = None,
    ttft: Annotated[float | str | None, o.TTFT] = None,
    tpot: Annotated[float | str | None, o.TPOT] = None,
    e2e: Annotated[float | str | None, o.E2E] = None,
    sweep_rates: Annotated[str | Sequence[float] | None, o.SWEEP_RATES] = None,
    executor: Annotated[str, o.EXECUTOR] = "local",
    address: Annotated[str | None, o.ADDRESS] = None,
    stale: Annotated[float | str | None, o.STALE] = None,
    slack: Annotated[int | None, o.SLACK] = None,
    autoscale: Annotated[str | None, o.AUTOSCALE] = None,
    target: Annotated[float | None, o.TARGET] = None,
    cold_start: Annotated[float | str | None, o.COLD_START] = None,
    mtbf: Annotated[float | None, o.MTBF] = None,
    repair: Annotated[float | str | None, o.REPAIR] = None,
    retries: Annotated[int | None, o.RETRIES] = None,
    queue_limit: Annotated[int | None, o.QUEUE_LIMIT] = None,
    rate_limit: Annotated[str | None, o.RATE_LIMIT] = None,
    offline_requests: Annotated[int | None, o.OFFLINE_REQUESTS] = None,
    offline_below: Annotated[int | None, o.OFFLINE_BELOW] = None,
    prefill_replicas: Annotated[int | None, o.PREFILL_REPLICAS] = None,
    prefill_tp: Annotated[int | None, o.PREFILL_TP] = None,
    host_gb: Annotated[float, o.HOST_GB] = 0.0,
    swap: Annotated[bool, o.SWAP] = False,
    gpu_hour: Annotated[str | None, o.GPU_HOUR] = None,
    currency: Annotated[str | None, o.CURRENCY] = None,
    seed: Annotated[int, o.SEED] = 0,
    progress: Callable[[str], None] | None = None,
    **server: Unpack[Server],
) -> Result:
    """Simulate a load on replicas of a model, exact to the engine's step: latency, throughput, cost, stability.

    The load is one of `rate`, `rate_stages`, `concurrency`, `trace` and `load`, or that of a `measured` load test,
    which is shown beside the prediction. Several kinds of accelerators, a router's options, autoscaling, failures,
    limits or batch work make it a fleet; `sweep_rates` simulates one rate after another.

    Returns
    -------
    SimulationResult, FleetSimulationResult or SweepResult
        With latencies, throughput, cost and, by `.to_frame("requests")`, every request.

    Raises
    ------
    InputError
        If an argument is wrong, or two contradict each other.
    InfeasibleError
        If the model does not fit.

    Examples
    --------
    >>> import jevons
    >>> run = jevons.simulate("llama-3.1-8b", rate=4, requests=2000)
    >>> run.stable, 0.01 < run.latency("ttft_s", "p50") < 1
    (True, True)
    """
    model = named_model(model)
    from jevons.parallel import Executor
    from jevons.sizing.options import (
        Arriving,
        Devices,
        FleetOptions,
        LatencyLimits,
        Recorded,
        RequestLengths,
        Server,
        Simulation,
    )
    from jevons.sizing.service import released
    from jevons.sizing.simulation import simulate_load

    simulation = Simulation(
        model=model,
        as_of=o.day(server["as_of"]),
        calibration=o.file(server["calibration"]),
        seed=seed,
        devices=Devices(
            gpu=o.kind_of(gpu, server["hardware"]),
            gpus=gpus,
            tp=server["tp"],
            pp=server["pp"],
            ep=server["ep"],
            dp=server["dp"],
            dp_attention=server["dp_attention"],
            replicas=replicas,
            routing=routing or "round_robin",
            prefill_replicas=prefill_replicas,
            prefill_tp=prefill_tp,
        ),
        server=Server(
            max_model_len=server["max_model_len"],
            memory_frac=server["gpu_memory_utilization"],
            eager=server["eager"],
            engine=released(server["engine"], server["engine_version"]),
            kv_precision=server["kv_precision"],
            max_num_seqs=server["max_num_seqs"],
            max_num_batched_tokens=server["max_num_batched_tokens"],
            draft_tokens=server["draft_tokens"],
            draft_acceptance=server["draft_acceptance"],
            changed=changed_factors(server["serve"]),
            precision=precision,
            kv_tokens=kv_tokens,
            prefix_cache=prefix_cache,
            host_gb=host_gb,
            swap=swap,
        ),
        arriving=Arriving(
            rate=rate,
            requests=requests,
            arrivals=arrivals,
            cv=cv,
            rate_stages=rate_stages,
            concurrency=concurrency,
            think=o.seconds(think) or 0.0,
        ),
        lengths=RequestLengths(
            isl=isl,
            osl=osl,
            isl_cv=isl_cv,
            osl_cv=osl_cv,
            prompts=prompts,
            system_tokens=system_tokens,
            lengths_from=o.file(lengths_from),
        ),
        recorded=Recorded(
            trace=o.file(trace),
            mapping=None if measured is not None else trace_columns(map_, trace),
            load=o.file(load),
            speed=speed,
            keep=keep,
        ),
        limits=LatencyLimits(ttft=o.seconds(ttft), tpot=o.seconds(tpot), e2e=o.seconds(e2e)),
    )
    fleet = FleetOptions(
        routing=routing, stale=o.seconds(stale), slack=slack, autoscale=autoscale, target=target,
        cold_start=o.seconds(cold_start), mtbf=mtbf, repair=o.seconds(repair), retries=retries,
        queue_limit=queue_limit, rate_limit=rate_limit, offline_requests=offline_requests, offline_below=offline_below,
    )  # fmt: skip
    rates = None if sweep_rates is None else str(sweep_rates)
    return simulate_load(
        simulation, fleet, gpu_hour=gpu_hour, currency=currency, rates=rates, measured=o.file(measured),
        mapping=pairs_of(map_), progress=progress,
        executor=Executor.chosen(executor, address, 1 if executor == "local" else None),
    )  # fmt: skip
