"""Simulates one deployment under a load."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jevons.errors import InfeasibleError, InputError, did_you_mean
from jevons.limits import REPLICA_TP
from jevons.sizing.load import Offered, at_rate, offered
from jevons.sizing.options import Simulation
from jevons.sizing.simulation_result import Run, run_record

if TYPE_CHECKING:
    from jevons.serving import Deployment
    from jevons.serving.sim import SimLimits, StepTable
    from jevons.sizing.hour_price import HourPrice


def run_replicas(
    options: Simulation,
    device: Any,
    engine: Any,
    tables: dict[tuple[int, ...], StepTable],
    progress: Callable[[str], None] | None = None,
) -> Run:
    """Simulate the load of the options; *tables* keeps step times for the next rate of a sweep."""
    from jevons.serving import sim

    load = offered(options)
    requests = load.requests
    context = float(requests.isl.mean() + requests.osl.mean())
    deployment = deployment_of(options, device, engine, context)
    if options.prefill_replicas is not None:
        return _run_split(options, load, deployment, tables, progress)
    if options.prefill_tp is not None:
        message = "--prefill-tp: has no effect without --prefill-replicas; add it"
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
        progress=progress,
    )
    return Run(offered=load, deployment=deployment, replicas=replicas, limits=limits, found=found)


def _run_split(
    options: Simulation,
    load: Offered,
    deployment: Deployment,
    tables: dict[tuple[int, ...], StepTable],
    progress: Callable[[str], None] | None,
) -> Run:
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
        return sim.Pool(table=_table(one, limits, tables), limits=limits, replicas=count)

    decode = pool(deployment, replicas)
    split = sim.simulate_split(
        requests, pool(prompts, prompt_replicas), decode, sim.hand_over_s(prompts, deployment, requests.isl),
        routing=options.routing, entry_s=deployment.engine.entry_s, ttft_s=options.ttft, tpot_s=options.tpot,
        e2e_s=options.e2e, seed=options.seed, progress=progress,
    )  # fmt: skip
    return Run(
        offered=load,
        deployment=deployment,
        replicas=replicas,
        limits=decode.limits,
        found=split.found,
        prompts=prompts,
        prompt_replicas=prompt_replicas,
        split=split,
    )


def _table(deployment: Deployment, limits: SimLimits, tables: dict[tuple[int, ...], StepTable]) -> StepTable:
    """Return the step times of a replica, kept in *tables*."""
    from jevons.serving import sim

    key = (deployment.layout.tp, deployment.draft_tokens, limits.max_batch, limits.step_tokens)
    if key not in tables:
        tables[key] = sim.step_table(deployment, limits.max_batch, limits.step_tokens)
    return tables[key]


def sweep_rates(
    options: Simulation,
    device: Any,
    engine: Any,
    price: HourPrice | None,
    rates: Sequence[float],
    progress: Callable[[str], None] | None = None,
) -> list[dict[str, Any]]:
    """Return the record of each rate, without its timeline."""
    points = []
    tables: dict[tuple[int, ...], StepTable] = {}
    for place, rate in enumerate(rates, 1):
        if progress is not None:
            progress(f"{place} of {len(rates)}: {rate:g} requests/s")
        run = run_replicas(at_rate(options, rate), device, engine, tables)
        record = run_record(options, run, price)
        del record["series"]
        points.append({"rate": rate, **record})
    return points


def check_precisions(precision: str, kv_precision: str) -> None:
    """Refuse names that no weights or caches are stored in.

    Raises
    ------
    InputError
        That names the option.
    """
    from jevons.operators.types import KV_BYTES, PRECISION_ALIASES, PRECISIONS

    weights = ("native", *PRECISIONS)
    if precision.lower() not in (*weights, *PRECISION_ALIASES):
        near = did_you_mean(precision, [*weights, *PRECISION_ALIASES])
        message = f"--precision {precision}: unknown.{near} Known: {', '.join(weights)}."
        raise InputError(message)
    key = PRECISION_ALIASES.get(kv_precision.lower(), kv_precision.lower())
    if key not in (*KV_BYTES, "fp8_block"):
        near = did_you_mean(kv_precision, list(KV_BYTES))
        message = f"--kv-precision {kv_precision}: unknown.{near} Known: {', '.join(KV_BYTES)}."
        raise InputError(message)


def deployment_of(options: Simulation, device: Any, engine: Any, context: float) -> Deployment:
    """Return one replica: of the tensor parallelism asked for, or the least that holds a mean request."""
    from jevons import models
    from jevons.serving import Deployment, Layout, kv_capacity_tokens
    from jevons.serving.memory import check_layout

    check_precisions(options.precision, options.kv_precision)
    spec = models.load(options.model)
    if options.draft_acceptance is not None:
        if not options.draft_tokens:
            message = "--draft-acceptance: has no effect without --draft-tokens; add it"
            raise InputError(message)
        engine = dataclasses.replace(engine, draft_acceptance_frac=options.draft_acceptance)

    def split(tp: int) -> Deployment:
        return Deployment(
            model=spec, accelerator=device, layout=Layout(tp=tp), precision=options.precision,
            kv_precision=options.kv_precision, engine=engine, draft_tokens=options.draft_tokens,
        )  # fmt: skip

    if options.tp is not None:
        return split(options.tp)
    most = min(REPLICA_TP, options.gpus or REPLICA_TP)
    widest: Deployment | None = None
    shortage: InfeasibleError | None = None
    tp = 1
    while tp <= most:
        try:
            check_layout(spec, Layout(tp=tp))
            holds = kv_capacity_tokens(split(tp), context)
            widest = split(tp)
        except InfeasibleError as error:
            holds, shortage = 0.0, error
        except InputError:  # a degree that does not divide the model: wider ones do not either
            break
        if holds >= context and widest is not None:
            return widest
        tp *= 2
    if widest is None:
        raise shortage or InfeasibleError(f"{spec.name}: no degree up to {most} fits", ["device memory"])
    return widest


def limits_for(options: Simulation, deployment: Deployment, context: float, hash_tokens: int) -> SimLimits:
    """Return the limits of one replica; blocks of its cache are those of the load's hashes, where it has any."""
    from jevons.serving import sim

    if options.swap and not options.host_gb:
        message = "--swap: needs host memory; add --host-gb"
        raise InputError(message)
    return sim.limits_of(
        deployment, context=context, kv_tokens=None if options.kv_tokens is None else float(options.kv_tokens),
        max_batch=options.max_num_seqs, step_tokens=options.max_num_batched_tokens, block_tokens=hash_tokens or 16,
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
            f"--gpus {options.gpus} and --replicas {options.replicas}: a replica takes {devices}. Omit one of the two, "
            f"or use --gpus {options.replicas * devices}."
        )
        raise InputError(message)
    return options.gpus // devices
