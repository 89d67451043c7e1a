"""`jevons.train`: a training run on a cluster of one kind of accelerator."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from jevons import options as o

if TYPE_CHECKING:
    from jevons.sizing.train import TrainResult


@o.declared
def train(
    model: Annotated[str, o.MODEL],
    *,
    gpu: Annotated[str, o.GPU] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    gpus: Annotated[int, o.GPUS] = 1024,
    tokens: Annotated[str | float, o.TOKENS] = "1T",
    seq_len: Annotated[int, o.SEQ_LEN] = 4096,
    batch: Annotated[int | None, o.BATCH] = None,
    precision: Annotated[str, o.TRAIN_PRECISION] = "bf16",
    tp: Annotated[int | None, o.TP] = None,
    pp: Annotated[int | None, o.PP] = None,
    ep: Annotated[int | None, o.EP] = None,
    dp: Annotated[int | None, o.DP] = None,
    vpp: Annotated[int | None, o.VPP] = None,
    cp: Annotated[int | None, o.CP] = None,
    etp: Annotated[int | None, o.ETP] = None,
    zero: Annotated[int | None, o.ZERO] = None,
    shard: Annotated[int | None, o.SHARD] = None,
    stages: Annotated[str | None, o.STAGES] = None,
    offload: Annotated[str, o.OFFLOAD] = "none",
    oversubscription: Annotated[float, o.OVERSUBSCRIPTION] = 1.0,
    pod: Annotated[int, o.POD] = 0,
    gpu_hour: Annotated[str | None, o.GPU_HOUR] = None,
    currency: Annotated[str | None, o.CURRENCY] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    seed: Annotated[int, o.SEED] = 0,
    scale_to: Annotated[int | None, o.SCALE_TO] = None,
    site_mw: Annotated[float | None, o.SITE_MW] = None,
) -> TrainResult:
    """Find the fastest layout for a training run, its memory, step time, days and price.

    Returns
    -------
    TrainResult
        The fastest layouts, the run with failures, and its cost.

    Raises
    ------
    InputError
        If an argument is wrong.
    InfeasibleError
        If no layout fits; it names what binds.

    Examples
    --------
    >>> import jevons
    >>> run = jevons.train("llama-3.1-8b", gpus=64, tokens="15B")
    >>> 0.2 < run.best.mfu_frac < 0.7
    True
    """
    from jevons.hardware import accelerator
    from jevons.sizing.money import given_price
    from jevons.sizing.train import stage_layers_of, tokens_of
    from jevons.sizing.train import train as search

    degrees = {"tp": tp, "pp": pp, "ep": ep, "dp": dp, "vpp": vpp, "cp": cp, "etp": etp, "zero": zero, "shard": shard}
    return search(
        model, accelerator(o.kind_of(gpu, hardware), on=o.day(as_of)), gpus,
        tokens=tokens_of(str(tokens), model), seq_len=seq_len, global_batch=batch, precision=precision,
        price=given_price(gpu_hour), currency=currency,
        fixed={name: degree for name, degree in degrees.items() if degree is not None},
        stage_layers=stage_layers_of(stages), offload=offload, oversubscription=oversubscription, pod_devices=pod,
        seed=seed, scale_to=scale_to, power_limit_w=None if site_mw is None else site_mw * 1e6,
    )  # fmt: skip
