"""`jevons.train`: a training run on a cluster of one kind of accelerator."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from jevons import options as o
from jevons.api import train_options as t
from jevons.api.accelerators import GPU
from jevons.api.reading import warn_of_file
from jevons.api.train_config import CONFIG
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.sizing.train_result import TrainResult


@o.declared
def train(
    model: Annotated[str | None, o.MODEL] = None,
    *,
    gpu: Annotated[str, GPU] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    gpus: Annotated[int | None, t.TRAIN_GPUS] = None,
    run: Annotated[str | None, t.RUN] = None,
    config: Annotated[Path | str | None, CONFIG] = None,  # noqa: ARG001 - stands for the options that it sets
    tokens: Annotated[str | float | None, t.TOKENS] = None,
    samples: Annotated[str | int | None, t.SAMPLES] = None,
    epochs: Annotated[float | None, t.EPOCHS] = None,
    seq_len: Annotated[int, o.SEQ_LEN] = 4096,
    sample_len: Annotated[int | None, t.SAMPLE_LEN] = None,
    packing: Annotated[bool, t.PACKING] = False,
    batch: Annotated[int | None, t.BATCH] = None,
    micro_batch: Annotated[int | None, t.MICRO_BATCH] = None,
    accumulation: Annotated[int | None, t.ACCUMULATION] = None,
    method: Annotated[str | None, t.METHOD] = None,
    lora_rank: Annotated[int | None, t.LORA_RANK] = None,
    lora_target: Annotated[str | None, t.LORA_TARGET] = None,
    base_precision: Annotated[str | None, t.BASE_PRECISION] = None,
    precision: Annotated[str, o.TRAIN_PRECISION] = "bf16",
    optimizer: Annotated[str | None, t.OPTIMIZER] = None,
    gradient_dtype: Annotated[str | None, t.GRADIENT_DTYPE] = None,
    master_weights: Annotated[str | None, t.MASTER_WEIGHTS] = None,
    framework: Annotated[str | None, t.FRAMEWORK] = None,
    recompute: Annotated[str | None, t.RECOMPUTE] = None,
    fused_loss: Annotated[bool, t.FUSED_LOSS] = False,
    tp: Annotated[int | None, o.TP] = None,
    pp: Annotated[int | None, o.PP] = None,
    ep: Annotated[int | None, o.EP] = None,
    dp: Annotated[int | None, o.DP] = None,
    vpp: Annotated[int | None, o.VPP] = None,
    cp: Annotated[int | None, o.CP] = None,
    etp: Annotated[int | None, o.ETP] = None,
    zero: Annotated[int | None, t.ZERO] = None,
    fsdp: Annotated[str | None, t.FSDP_STRATEGY] = None,
    shard: Annotated[int | None, o.SHARD] = None,
    stages: Annotated[str | None, o.STAGES] = None,
    no_sequence_parallel: Annotated[bool, t.NO_SEQUENCE_PARALLEL] = False,
    zero_bubble: Annotated[bool, t.ZERO_BUBBLE] = False,
    overlap_experts: Annotated[bool, t.OVERLAP_EXPERTS] = False,
    mtp: Annotated[bool, t.MTP] = False,
    offload: Annotated[str, t.OFFLOAD] = "none",
    host_memory: Annotated[float | None, t.HOST_MEMORY] = None,
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
    >>> tuned = jevons.train("llama-3.1-8b", gpu="rtx_4090", method="qlora", samples="10k", seq_len=1024)
    >>> tuned.job.cluster.devices, tuned.margin_frac > 0.1
    (1, True)
    """
    from jevons.hardware import accelerator
    from jevons.sizing.money import given_price
    from jevons.sizing.train import train as search
    from jevons.sizing.train_setup import Trainer, stage_layers_of, tokens_of

    if model is None:
        message = f"--model: give a model, a trainer's --config, or a published run with --run ({', '.join(t.runs())})"
        raise InputError(message)
    warn_of_file(model)
    degrees = {
        "tp": tp, "pp": pp, "ep": ep, "dp": dp, "vpp": vpp, "cp": cp, "etp": etp, "zero": zero, "shard": shard,
        "micro_batch": micro_batch,
    }  # fmt: skip
    trainer = Trainer(
        fixed={name: degree for name, degree in degrees.items() if degree is not None},
        accumulation=accumulation, samples=None if samples is None else int(samples), epochs=epochs,
        sample_len=sample_len, packing=packing, method=method, lora_rank=lora_rank, lora_target=lora_target,
        base_precision=base_precision, optimizer=optimizer, gradient_dtype=gradient_dtype,
        master_weights=master_weights, framework=framework, recompute=recompute, fused_loss=fused_loss, fsdp=fsdp,
        stage_layers=stage_layers_of(stages), sequence_parallel=not no_sequence_parallel, zero_bubble=zero_bubble,
        overlap_experts=overlap_experts, mtp=mtp, offload=offload,
        host_memory_bytes=None if host_memory is None else host_memory * 1e9,
    )  # fmt: skip
    return search(
        model, accelerator(o.kind_of(gpu, hardware), on=o.day(as_of)), gpus,
        tokens=None if tokens is None else tokens_of(str(tokens), model), seq_len=seq_len, global_batch=batch,
        precision=precision, price=given_price(gpu_hour), currency=currency, trainer=trainer,
        oversubscription=oversubscription, pod_devices=pod, seed=seed, scale_to=scale_to,
        power_limit_w=None if site_mw is None else site_mw * 1e6, published=run,
    )  # fmt: skip
