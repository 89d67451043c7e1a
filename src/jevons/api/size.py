"""`jevons.size`: the cheapest fleet that serves a load within its latency limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from jevons import options as o
from jevons.api.launch import SERVE
from jevons.api.measured import trace_columns

if TYPE_CHECKING:
    from jevons.sizing.result import SizeResult


@o.declared
def size(
    model: Annotated[str | None, o.MODEL] = None,
    *,
    serve: Annotated[str | Path | None, SERVE] = None,
    gpu: Annotated[str | Sequence[str], o.CANDIDATES] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    gpus: Annotated[int | None, o.FLEET_GPUS] = None,
    max_replica_gpus: Annotated[int, o.MAX_REPLICA_GPUS] = 16,
    tp: Annotated[int | None, o.TP] = None,
    pp: Annotated[int | None, o.PP] = None,
    ep: Annotated[int | None, o.EP] = None,
    dp: Annotated[int | None, o.DP] = None,
    dp_attention: Annotated[bool, o.DP_ATTENTION] = False,
    precision: Annotated[str, o.SIZE_PRECISION] = "auto",
    kv_precision: Annotated[str, o.KV_PRECISION] = "bf16",
    engine: Annotated[str, o.ENGINE] = "vllm",
    engine_version: Annotated[str, o.ENGINE_VERSION] = "",
    max_num_seqs: Annotated[int | None, o.MAX_NUM_SEQS] = None,
    max_num_batched_tokens: Annotated[int | None, o.MAX_NUM_BATCHED_TOKENS] = None,
    max_model_len: Annotated[int | None, o.MAX_MODEL_LEN] = None,
    gpu_memory_utilization: Annotated[float | None, o.GPU_MEMORY_UTILIZATION] = None,
    eager: Annotated[bool, o.EAGER] = False,
    draft_tokens: Annotated[int, o.DRAFT_TOKENS] = 0,
    draft_acceptance: Annotated[float | None, o.DRAFT_ACCEPTANCE] = None,
    isl: Annotated[int, o.ISL] = 2000,
    osl: Annotated[int, o.OSL] = 500,
    rate: Annotated[float, o.LOAD_RATE] = 0.0,
    concurrency: Annotated[int, o.USERS] = 0,
    think: Annotated[float | str, o.THINK] = 0.0,
    trace: Annotated[Path | str | None, o.TRACE] = None,
    map_: Annotated[Sequence[str] | None, o.MAP] = None,
    cv: Annotated[float, o.CV] = 1.0,
    isl_cv: Annotated[float, o.ISL_CV] = 0.0,
    osl_cv: Annotated[float, o.OSL_CV] = 0.0,
    ttft: Annotated[float | str | None, o.TTFT] = None,
    tpot: Annotated[float | str | None, o.TPOT] = 0.05,
    e2e: Annotated[float | str | None, o.E2E] = None,
    percentile: Annotated[str, o.PERCENTILE] = "p95",
    confidence: Annotated[float, o.CONFIDENCE] = 0.8,
    static: Annotated[bool, o.STATIC] = False,
    requests: Annotated[int | None, o.REQUESTS] = None,
    runs: Annotated[int, o.RUNS] = 5,
    budget: Annotated[str | None, o.BUDGET] = None,
    gpu_hour: Annotated[str | Sequence[str] | None, o.GPU_HOURS] = None,
    currency: Annotated[str | None, o.CURRENCY] = None,
    seed: Annotated[int, o.SEED] = 0,
    calibration: Annotated[Path | str | None, o.CALIBRATION] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    progress: Callable[[str], None] | None = None,
) -> SizeResult:
    """Find the cheapest fleet that serves a model's load within its latency limits.

    Without a load (`rate`, `concurrency` or `trace`) the answer is the cheapest replica. Layouts are searched with the
    static model; the best are simulated under the load unless `static` is set.

    Returns
    -------
    SizeResult
        The best fleet, the Pareto front, and every rejected layout with its reason.

    Raises
    ------
    InputError
        If an argument is wrong, or two contradict each other.
    InfeasibleError
        If no layout fits or keeps the limits; it names the binding ones.

    Examples
    --------
    >>> import jevons
    >>> sized = jevons.size("llama-3.1-8b", gpu="h100_sxm", rate=30, ttft=1.0, static=True)
    >>> sized.best.accelerators >= 1
    True
    """
    from jevons.errors import InputError

    model = o.needed(model)  # before anything heavy is imported
    from jevons.sizing.money import amount_of, hour_prices
    from jevons.sizing.search import size as search
    from jevons.sizing.service import Demand, Service, exact_layout, released

    names = o.words(gpu) if hardware is None else (o.kind_of(",".join(o.words(gpu)), hardware),)
    if not names:
        message = "--gpu: names no accelerator; give one, such as h20"
        raise InputError(message)
    if static and (requests is not None or runs != 5):
        message = f"{'--requests' if requests is not None else '--runs'}: has no effect with --static; omit one of them"
        raise InputError(message)
    service = Service(
        gpu=names[0], engine=released(engine, engine_version),
        precision=None if precision == "auto" else precision, gpus=max_replica_gpus,
        isl=isl, osl=osl, ttft_s=o.seconds(ttft), tpot_s=o.seconds(tpot), on=o.day(as_of), e2e_s=o.seconds(e2e),
        percentile=percentile, kv_precision=kv_precision, max_batch=max_num_seqs, calibration=o.file(calibration),
        step_tokens=max_num_batched_tokens, memory_frac=gpu_memory_utilization, max_model_len=max_model_len,
        eager=eager, draft_tokens=draft_tokens, draft_acceptance=draft_acceptance,
        layout=None if serve is None else exact_layout(tp, pp, ep, dp, dp_attention=dp_attention),
    )  # fmt: skip
    demand = Demand(
        rate_req_per_s=rate, users=concurrency, think_s=o.seconds(think) or 0.0, trace=o.file(trace),
        mapping=trace_columns(map_, trace), cv=cv,
        isl_cv=isl_cv, osl_cv=osl_cv, requests=requests, runs=runs, seed=seed,
    )  # fmt: skip
    degrees = {"tp": tp, "pp": pp, "ep": ep, "dp": dp}
    if dp_attention and serve is None:
        degrees["dp_attention"] = True
    return search(
        model, service, demand=demand, gpus=names, prices=hour_prices(o.words(gpu_hour)),
        fixed={} if serve is not None else {name: value for name, value in degrees.items() if value is not None},
        simulated=not static,
        budget_per_month=None if budget is None else amount_of(budget), most_accelerators=gpus, confidence=confidence,
        currency=currency, progress=progress,
    )  # fmt: skip
