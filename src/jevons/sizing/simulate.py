"""Simulates one deployment under a load."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jevons.errors import InfeasibleError, InputError, did_you_mean
from jevons.limits import REPLICA_TP
from jevons.parallel import LOCAL, Executor
from jevons.sizing.load import Offered, at_rate, offered
from jevons.sizing.options import Simulation
from jevons.sizing.service import told
from jevons.sizing.simulation_result import Run, run_record

if TYPE_CHECKING:
    from jevons.models import ModelSpec
    from jevons.serving import Deployment, Layout
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
    from jevons.serving import entry_time_s, sim

    load = offered(options)
    requests = load.requests
    context = load.mean_isl + load.mean_osl
    deployment = deployment_of(options, device, engine, context)
    if options.devices.prefill_replicas is not None:
        return _run_split(options, load, deployment, tables, progress)
    if options.devices.prefill_tp is not None:
        message = "--prefill-tp: has no effect without --prefill-replicas; add it"
        raise InputError(message)
    replicas = replicas_of(options, deployment.devices)
    stages = deployment.layout.pp
    limits = limits_for(options, deployment, context, requests.hash_tokens, load.count)
    if stages > 1:
        limits = one_stage(limits, stages, load.longest)
    table = _table(deployment, limits, tables, load.mean_isl)
    if load.parted is not None:
        streamed = sim.simulate_streamed(
            load.parted,
            table,
            limits,
            replicas=replicas * stages,
            entry_s=entry_time_s(deployment),
            ttft_s=options.limits.ttft,
            tpot_s=options.limits.tpot,
            e2e_s=options.limits.e2e,
            seed=options.seed,
            progress=progress,
        )
        return Run(
            offered=load, deployment=deployment, replicas=replicas, limits=limits, simulated=streamed.simulated,
            streamed=streamed,
        )  # fmt: skip
    result = sim.simulate(
        requests,
        table,
        limits,
        replicas=replicas * stages,
        routing=options.devices.routing,
        entry_s=entry_time_s(deployment),
        ttft_s=options.limits.ttft,
        tpot_s=options.limits.tpot,
        e2e_s=options.limits.e2e,
        seed=options.seed,
        progress=progress,
    )
    return Run(offered=load, deployment=deployment, replicas=replicas, limits=limits, simulated=result)


def _run_split(
    options: Simulation,
    load: Offered,
    deployment: Deployment,
    tables: dict[tuple[int, ...], StepTable],
    progress: Callable[[str], None] | None,
) -> Run:
    """Simulate the load on replicas for prompts and others for decoding."""
    from jevons.serving import Layout, entry_time_s, sim
    from jevons.serving.captured import in_pools

    if options.devices.gpus is not None:
        message = "--gpus: pools are counted in replicas; use --replicas and --prefill-replicas"
        raise InputError(message)
    requests, prompt_replicas, replicas = (
        load.requests,
        options.devices.prefill_replicas or 0,
        options.devices.replicas or 1,
    )
    context = float(requests.isl.mean() + requests.osl.mean())
    if deployment.layout.pp > 1:
        message = f"--pp {deployment.layout.pp}: prefill and decode pools are simulated without stages; omit it"
        raise InputError(message)
    layout = deployment.layout if options.devices.prefill_tp is None else Layout(tp=options.devices.prefill_tp)
    prompts = dataclasses.replace(deployment, layout=layout, draft_tokens=0, engine=in_pools(deployment.engine))

    def pool(one: Deployment, count: int) -> sim.Pool:
        limits = limits_for(options, one, context, requests.hash_tokens, requests.count)
        return sim.Pool(table=_table(one, limits, tables, load.mean_isl), limits=limits, replicas=count)

    decode = pool(deployment, replicas)
    split = sim.simulate_split(
        requests,
        pool(prompts, prompt_replicas),
        decode,
        sim.hand_over_s(prompts, deployment, requests.isl),
        routing=options.devices.routing,
        entry_s=entry_time_s(deployment),
        ttft_s=options.limits.ttft,
        tpot_s=options.limits.tpot,
        e2e_s=options.limits.e2e,
        seed=options.seed,
        progress=progress,
    )
    return Run(
        offered=load,
        deployment=deployment,
        replicas=replicas,
        limits=decode.limits,
        simulated=split.simulated,
        prompts=prompts,
        prompt_replicas=prompt_replicas,
        split=split,
    )


def _table(
    deployment: Deployment, limits: SimLimits, tables: dict[tuple[int, ...], StepTable], isl: float
) -> StepTable:
    """Return the step times of a replica, kept in *tables*."""
    key = (
        deployment.layout.tp, deployment.layout.pp, deployment.layout.dp, deployment.draft_tokens, limits.max_batch,
        limits.step_tokens,
    )  # fmt: skip
    if key not in tables:
        tables[key] = table_of(deployment, limits, isl)
    return tables[key]


def table_of(deployment: Deployment, limits: SimLimits, isl: float) -> StepTable:
    """Return the step times of a replica: of one engine of its stages, and of all attention ranks together."""
    from jevons.serving import sim
    from jevons.sizing.rank_table import rank_table

    if deployment.layout.dp > 1:
        return rank_table(deployment, limits.max_batch, limits.step_tokens, isl)
    return sim.step_table(
        deployment, limits.max_batch, limits.step_tokens, one_of_stages=deployment.layout.pp > 1
    )  # fmt: skip


def one_stage(limits: SimLimits, stages: int, longest: int) -> SimLimits:
    """Return the limits of one of the engines that go through pipeline stages in turn.

    They share cache and slots evenly; one request is let into the cache of one as long as all of them would hold it.
    """
    blocks = min(limits.kv_blocks, -(-longest // limits.block_tokens))
    return dataclasses.replace(
        limits, max_batch=max(limits.max_batch // stages, 1), kv_blocks=max(limits.kv_blocks // stages, blocks),
        host_blocks=limits.host_blocks // stages,
    )  # fmt: skip


def sweep_rates(
    options: Simulation,
    device: Any,
    engine: Any,
    price: HourPrice | None,
    rates: Sequence[float],
    progress: Callable[[str], None] | None = None,
    executor: Executor = LOCAL,
) -> list[dict[str, Any]]:
    """Return the record of each rate, without its timeline, wherever they are simulated."""
    points = []
    tables: dict[tuple[int, ...], StepTable] = {}
    shared = (options, device, engine, price, tables)
    if progress is not None and rates:
        progress(f"1 of {len(rates)}: {rates[0]:g} requests/s")
    for place, record in enumerate(executor.ordered(_rate_record, shared, list(rates)), 1):
        points.append(record)
        if progress is not None and place < len(rates):
            progress(f"{place + 1} of {len(rates)}: {rates[place]:g} requests/s")
    return points


def _rate_record(
    shared: tuple[Simulation, Any, Any, HourPrice | None, dict[tuple[int, ...], StepTable]], rate: float
) -> dict[str, Any]:
    options, device, engine, price, tables = shared
    run = run_replicas(at_rate(options, rate), device, engine, tables)
    record = run_record(options, run, price)
    del record["series"]
    return {"rate": rate, **record}


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

    check_precisions(options.server.precision, options.server.kv_precision)
    spec = models.load(options.model)
    _check_longest(options, spec)
    engine = told(
        engine,
        device,
        max_batch=options.server.max_num_seqs,
        step_tokens=options.server.max_num_batched_tokens,
        eager=options.server.eager,
        draft_tokens=options.server.draft_tokens,
        draft_acceptance=options.server.draft_acceptance,
        changed=options.server.changed,
    )

    def spread(layout: Layout) -> Deployment:
        return Deployment(
            model=spec,
            accelerator=device,
            layout=layout,
            precision=options.server.precision,
            kv_precision=options.server.kv_precision,
            engine=engine,
            draft_tokens=options.server.draft_tokens,
            memory_frac=options.server.memory_frac,
            max_model_len=options.server.max_model_len or 0,
            eager=options.server.eager,
        )

    def split(tp: int) -> Deployment:
        return spread(Layout(tp=tp))

    if options.devices.dp_attention or any(
        d is not None for d in (options.devices.tp, options.devices.pp, options.devices.ep, options.devices.dp)
    ):
        return spread(_checked_layout(options, spec))
    most = min(REPLICA_TP, options.devices.gpus or REPLICA_TP)
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


def limits_for(
    options: Simulation, deployment: Deployment, context: float, hash_tokens: int, requests: int
) -> SimLimits:
    """Return the limits of one replica; blocks of its cache are those of the load's hashes, where it has any.

    Step times are tabulated by batch, so that a limit far beyond what the load or the cache can fill is taken as that.
    """
    from jevons.serving import sim
    from jevons.sizing.rank_table import RANKS_STEP_TOKENS

    if options.server.swap and not options.server.host_gb:
        message = "--swap: needs host memory; add --host-gb"
        raise InputError(message)
    ranks, step_tokens = deployment.layout.dp, deployment.engine.batching.step_tokens
    if ranks > 1:
        step_tokens = min(step_tokens * ranks, RANKS_STEP_TOKENS)
    limits = sim.limits_of(
        deployment,
        context=context,
        kv_tokens=None if options.server.kv_tokens is None else float(options.server.kv_tokens),
        step_tokens=step_tokens,
        block_tokens=hash_tokens or 16,
        host_bytes=1e9 * options.server.host_gb,
        swap=options.server.swap,
    )
    fillable = max(min(requests, limits.kv_blocks), sim.TABULATED_BATCHES)
    return dataclasses.replace(limits, max_batch=min(limits.max_batch, fillable))


def _check_longest(options: Simulation, spec: ModelSpec) -> None:
    """Refuse a longest sequence beyond what the model reads."""
    if (options.server.max_model_len or 0) > spec.max_context > 0:
        message = (
            f"--max-model-len {options.server.max_model_len}: must be at most the {spec.max_context:,} tokens that "
            f"{spec.name} reads; {spec.stretched_to(options.server.max_model_len or 0)}"
        )
        raise InputError(message)


def _checked_layout(options: Simulation, spec: ModelSpec) -> Layout:
    """Return the layout asked for; independent copies are replicas of their own.

    Raises
    ------
    InputError
        If it does not divide the model, or ranks without shared experts are asked to share attention.
    """
    from jevons.serving import Layout
    from jevons.serving.memory import check_layout

    if options.devices.dp_attention and (options.devices.dp or 1) == 1:
        message = "--dp-attention: has no effect without --dp above 1; add it"
        raise InputError(message)
    if options.devices.dp_attention and not spec.is_moe:
        message = f"--dp-attention: {spec.name} has no experts to share; omit it, and --dp counts copies"
        raise InputError(message)
    ranks = (options.devices.dp or 1) if options.devices.dp_attention else 1
    layout = Layout(
        tp=options.devices.tp or 1,
        pp=options.devices.pp or 1,
        ep=options.devices.ep or 1,
        dp=ranks,
        dp_attention=options.devices.dp_attention,
    )
    check_layout(spec, layout)
    return layout


def replicas_of(options: Simulation, devices: int) -> int:
    """Return how many replicas of so many accelerators the options ask for, copies of each counted."""
    copies = (options.devices.dp or 1) if not options.devices.dp_attention else 1
    if options.devices.gpus is None:
        return copies * (1 if options.devices.replicas is None else options.devices.replicas)
    if options.devices.gpus % devices or options.devices.gpus < devices:
        message = (
            f"--gpus {options.devices.gpus}: a replica takes {devices}. Use a multiple, such as "
            f"{max(options.devices.gpus // devices, 1) * devices}, or another --tp."
        )
        raise InputError(message)
    if (options.devices.replicas is not None or copies > 1) and (
        options.devices.replicas or 1
    ) * copies * devices != options.devices.gpus:
        both = (
            f"--replicas {options.devices.replicas}"
            if options.devices.replicas is not None
            else f"--dp {options.devices.dp}"
        )
        needed = (options.devices.replicas or 1) * copies * devices
        both_given = f"--gpus {options.devices.gpus} and {both}: a replica takes {devices}"
        message = f"{both_given}. Omit one of the two, or use --gpus {needed}."
        raise InputError(message)
    return options.devices.gpus // devices
