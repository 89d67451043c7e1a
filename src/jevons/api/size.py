"""`jevons.size`: the cheapest fleet that serves a load within its latency limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Unpack

from jevons import options as o
from jevons.api.accelerators import CANDIDATES
from jevons.api.measured import trace_columns
from jevons.api.reading import named_model
from jevons.api.server import Server, devices_of, service_of

if TYPE_CHECKING:
    from jevons.sizing.result import SizeResult


@o.declared
def size(
    model: Annotated[str | None, o.MODEL] = None,
    *,
    gpu: Annotated[str | Sequence[str], CANDIDATES] = "h100_sxm",
    gpus: Annotated[int | None, o.FLEET_GPUS] = None,
    max_replica_gpus: Annotated[int, o.MAX_REPLICA_GPUS] = 16,
    precision: Annotated[str, o.SIZE_PRECISION] = "auto",
    isl: Annotated[int, o.ISL] = o.ISL_TOKENS,
    osl: Annotated[int, o.OSL] = o.OSL_TOKENS,
    rate: Annotated[float, o.LOAD_RATE] = 0.0,
    concurrency: Annotated[int, o.USERS] = 0,
    think: Annotated[float | str, o.THINK] = 0.0,
    trace: Annotated[Path | str | None, o.TRACE] = None,
    map_: Annotated[Sequence[str] | None, o.MAP] = None,
    cv: Annotated[float | None, o.CV] = None,
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
    site: Annotated[str, o.SITE] = "site.china_north",
    currency: Annotated[str | None, o.CURRENCY] = None,
    seed: Annotated[int, o.SEED] = 0,
    progress: Callable[[str], None] | None = None,
    on_fleet: Callable[[Mapping[str, Any]], None] | None = None,
    **server: Unpack[Server],
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

    Notes
    -----
    `progress` is called with a line for each stage of the work, `on_fleet` with each finalist that keeps the limits as
    soon as it is simulated, as `entries` of the JSON have it.

    Examples
    --------
    >>> import jevons
    >>> sized = jevons.size("llama-3.1-8b", gpu="h100_sxm", rate=30, ttft=1.0, static=True)
    >>> sized.best.accelerators >= 1
    True
    """
    model = named_model(model)
    from jevons.sizing.money import amount_of, hour_prices
    from jevons.sizing.search import size as search
    from jevons.sizing.service import Demand

    names = devices_of(gpu, server)
    if not names:
        from jevons.errors import InputError

        message = "--gpu: names no accelerator; give one, such as h20"
        raise InputError(message)
    _refuse_idle(
        {"isl": (isl, o.ISL_TOKENS), "osl": (osl, o.OSL_TOKENS),
         "isl-cv": (isl_cv, 0.0), "osl-cv": (osl_cv, 0.0), "cv": (cv, None),
         "requests": (requests, None), "runs": (runs, 5), "seed": (seed, 0), "think": (o.seconds(think) or 0.0, 0.0)},
        trace=trace is not None, users=concurrency > 0, static=static,
        loaded=trace is not None or concurrency > 0 or rate > 0,
    )  # fmt: skip
    service = replace(
        service_of(names[0], server),
        precision=None if precision == "auto" else precision, gpus=max_replica_gpus, isl=isl, osl=osl,
        ttft_s=o.seconds(ttft), tpot_s=o.seconds(tpot), e2e_s=o.seconds(e2e), percentile=percentile,
    )  # fmt: skip
    demand = Demand(
        rate_req_per_s=rate, users=concurrency, think_s=o.seconds(think) or 0.0, trace=o.file(trace),
        mapping=trace_columns(map_, trace), cv=1.0 if cv is None else cv,
        isl_cv=isl_cv, osl_cv=osl_cv, requests=requests, runs=runs, seed=seed,
    )  # fmt: skip
    return search(
        model, service, demand=demand, gpus=names, prices=hour_prices(o.words(gpu_hour)),
        simulated=not static,
        budget_per_month=None if budget is None else amount_of(budget), most_accelerators=gpus, confidence=confidence,
        site=site, currency=currency, progress=progress, on_fleet=on_fleet,
    )  # fmt: skip


def _refuse_idle(
    stated: Mapping[str, tuple[object, object]], *, trace: bool, users: bool, static: bool, loaded: bool
) -> None:
    """Refuse options that are set, unlike their defaults, and change nothing beside the others."""
    from jevons.errors import InputError

    drawn = ("cv", "isl-cv", "osl-cv")
    of_runs = (*drawn, "requests", "runs", "seed")
    reasons: dict[str, str] = {}
    if not loaded:
        reasons |= dict.fromkeys(of_runs, "without a load; add --rate, --concurrency or --trace")
    if static:
        reasons |= dict.fromkeys(of_runs, "with --static; omit one of them")
    if not users:
        reasons["think"] = "without --concurrency; add it"
    elif stated["think"][0] == 0.0:
        reasons["cv"] = "with --concurrency, whose users send when they are answered; omit it"
    if trace:
        reasons |= dict.fromkeys(("isl", "osl", *drawn), "with --trace, which says it itself; omit one of them")
    for name, reason in reasons.items():
        value, usual = stated[name]
        if value != usual:
            message = f"--{name} {value}: has no effect {reason}"
            raise InputError(message)
