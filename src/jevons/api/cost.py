"""`jevons.cost`: an accelerator-hour by part, and a model's tokens priced from it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from jevons import options as o
from jevons.api.launch import SERVE
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.sizing.cost import CostResult


@o.declared
def cost(
    gpu: Annotated[str, o.GPU] = "h100_sxm",
    *,
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    model: Annotated[str | None, o.MODEL] = None,
    serve: Annotated[str | Path | None, SERVE] = None,
    tp: Annotated[int | None, o.TP] = None,
    pp: Annotated[int | None, o.PP] = None,
    ep: Annotated[int | None, o.EP] = None,
    dp: Annotated[int | None, o.DP] = None,
    dp_attention: Annotated[bool, o.DP_ATTENTION] = False,
    precision: Annotated[str, o.PRECISION] = "native",
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
    max_replica_gpus: Annotated[int, o.MAX_REPLICA_GPUS] = 32,
    isl: Annotated[int, o.ISL] = 2000,
    osl: Annotated[int, o.OSL] = 500,
    ttft: Annotated[float | str | None, o.TTFT] = None,
    tpot: Annotated[float | str | None, o.TPOT] = 0.05,
    site: Annotated[str, o.SITE] = "site.china_north",
    gpu_hour: Annotated[str | None, o.GPU_HOUR] = None,
    currency: Annotated[str | None, o.CURRENCY] = None,
    utilisation: Annotated[float, o.UTILISATION] = 0.6,
    calibration: Annotated[Path | str | None, o.CALIBRATION] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
) -> CostResult:
    """Price an accelerator-hour from its parts, and a million tokens of a model served on it.

    Returns
    -------
    CostResult
        With `.per_hour`, `.currency` and, where a model is named, the cost of its tokens.

    Raises
    ------
    InputError
        If an argument is wrong.
    FactError
        If no purchase price of the accelerator was known on the date.
    InfeasibleError
        If the model fits on no layout that keeps the limits.

    Examples
    --------
    >>> import jevons
    >>> hour = jevons.cost("h20", as_of="2025-02-24")
    >>> hour.currency, 0.7 < hour.per_hour < 2
    ('USD', True)
    """
    from jevons.sizing.cost import cost_of
    from jevons.sizing.money import given_price
    from jevons.sizing.service import Service, exact_layout, released

    del serve  # the arguments that it stands for are given in its place
    price = given_price(gpu_hour)
    if price is not None and model is None:
        message = "--gpu-hour prices tokens; name a --model too"
        raise InputError(message)
    if price is not None and site != "site.china_north":
        message = f"--site {site}: has no effect where --gpu-hour states the price; omit one of them"
        raise InputError(message)
    if model is None and utilisation != 0.6:
        message = f"--utilisation {utilisation:g}: has no effect without --model; add it"
        raise InputError(message)
    service = Service(
        gpu=o.kind_of(gpu, hardware),
        engine=released(engine, engine_version),
        kv_precision=kv_precision,
        max_batch=max_num_seqs,
        step_tokens=max_num_batched_tokens,
        memory_frac=gpu_memory_utilization,
        max_model_len=max_model_len,
        eager=eager,
        draft_tokens=draft_tokens,
        draft_acceptance=draft_acceptance,
        layout=exact_layout(tp, pp, ep, dp, dp_attention=dp_attention),
        precision=precision,
        gpus=max_replica_gpus,
        isl=isl,
        osl=osl,
        ttft_s=o.seconds(ttft),
        tpot_s=o.seconds(tpot),
        on=o.day(as_of),
        calibration=o.file(calibration),
    )
    return cost_of(service, model, site=site, price=price, utilisation=utilisation, currency=currency)
